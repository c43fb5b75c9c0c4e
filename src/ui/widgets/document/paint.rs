//! Paint, from back to front: grounds, selection, text, outlines, captions, links, caret.

use super::layout::{Layout, MARGIN, Paragraph, Piece, Shaped, UNDERLINE, caption_galley};
use super::{Document, MarkedSpan, hue_of};
use crate::ui::theme::palette;
use eframe::egui::{Color32, Pos2, Rangef, Rect, Shape, Stroke, StrokeKind, Ui, epaint::QuadraticBezierShape, pos2, vec2};
use std::ops::Range;

pub(super) fn paint(ui: &Ui, layout: &Layout, doc: &Document<'_>, origin: Pos2, dimmed: Option<&Range<usize>>) {
    let sight = ui.clip_rect().y_range();
    let seen = Rangef::new(sight.min - origin.y - 40.0, sight.max - origin.y + 40.0);
    let to_screen = origin.to_vec2();
    for (_, paragraph, shaped) in layout.paragraphs_in(seen) {
        for piece in &shaped.pieces {
            ground(ui, doc, piece, rect(paragraph, shaped, piece).translate(to_screen));
        }
    }
    if let Some(selection) = &doc.selection {
        let colour = palette(ui).accent.gamma_multiply(0.28);
        for rect in layout.rects_of_bytes(selection) {
            ui.painter().rect_filled(rect.translate(to_screen).expand2(vec2(0.0, 1.0)), 2.0, colour);
        }
    }
    for (_, paragraph, shaped) in layout.paragraphs_in(seen) {
        let at = origin + vec2(MARGIN, paragraph.top);
        ui.painter().galley(at, shaped.galley.clone(), palette(ui).text);
        for piece in &shaped.pieces {
            let rect = rect(paragraph, shaped, piece).translate(to_screen);
            outline(ui, doc, piece, rect);
            caption(ui, doc, layout, piece, rect, at.x);
        }
    }
    for way in &layout.ways {
        let link = &doc.links[way.link];
        let Some(points) = layout.points(way) else { continue };
        let is_near = [link.from, link.to].iter().any(|id| doc.selected == Some(*id));
        let points: Vec<Pos2> = points.iter().map(|point| *point + to_screen).collect();
        let colour = match link.look {
            _ if is_near => palette(ui).accent,
            Some(look) => palette(ui).hue(look.hue),
            None => palette(ui).weak,
        };
        let stroke = Stroke::new(if is_near { 1.8 } else { 1.2 }, colour);
        let gap = link.look.and_then(|look| link_name(ui, &points, look.name, doc.size, colour));
        link_line(ui, &points, gap, link.dashed, stroke);
    }
    for rect in dimmed.into_iter().flat_map(|bytes| layout.rects_of_bytes(bytes)) {
        let veil = palette(ui).ground.gamma_multiply(0.65);
        ui.painter().rect_filled(rect.translate(to_screen).expand2(vec2(0.0, 6.0)), 0.0, veil);
    }
    if let Some(caret) = doc.caret.and_then(|byte| layout.caret_rect(byte)) {
        let caret = caret.translate(to_screen);
        ui.painter().vline(caret.center().x, caret.y_range(), Stroke::new(2.0, palette(ui).accent));
    }
}

fn rect(paragraph: &Paragraph, shaped: &Shaped, piece: &Piece) -> Rect {
    let y = shaped.rows[piece.row].ground;
    Rect::from_min_max(pos2(piece.x.min + MARGIN, y.min + paragraph.top), pos2(piece.x.max + MARGIN, y.max + paragraph.top))
}

/// A ground with a line under it; a span that overlaps another has only its line, lower down.
fn ground(ui: &Ui, doc: &Document<'_>, piece: &Piece, rect: Rect) {
    let Some(span) = doc.spans.get(piece.span) else { return };
    if piece.level == 0 && !span.dashed {
        ui.painter().rect_filled(rect, 3.0, palette(ui).ground_of(span.hue));
    }
    if !span.dashed {
        let y = rect.bottom() + piece.level as f32 * UNDERLINE - 1.0;
        ui.painter().hline(rect.x_range(), y, Stroke::new(2.0, hue_of(ui, span)));
    }
}

fn outline(ui: &Ui, doc: &Document<'_>, piece: &Piece, rect: Rect) {
    let Some(span) = doc.spans.get(piece.span) else { return };
    let hue = hue_of(ui, span);
    // A suggestion's outline begins lower than a ground: above it stands the caption.
    let dashed = Rect::from_min_max(rect.min + vec2(-0.5, 2.0), rect.max + vec2(0.5, 0.5));
    let is_candidate = doc.candidate == Some(span.id) && doc.selected != Some(span.id);
    if span.dashed && !is_candidate {
        dashes(ui, dashed, Stroke::new(1.2, hue), 4.0);
    }
    if doc.selected == Some(span.id) {
        let around = rect.expand2(vec2(2.0, 0.5));
        ui.painter().rect_stroke(around, 3.0, Stroke::new(2.0, palette(ui).accent), StrokeKind::Middle);
        for (edge, x) in [(piece.starts, around.left()), (piece.ends, around.right())] {
            if edge && doc.editable {
                ui.painter().circle_filled(pos2(x, around.center().y), 3.0, palette(ui).accent);
            }
        }
    } else if is_candidate {
        let around = if span.dashed { dashed.expand2(vec2(1.5, 0.0)) } else { rect.expand(2.0) };
        dashes(ui, around, Stroke::new(2.0, palette(ui).accent), 5.0);
    }
}

fn dashes(ui: &Ui, around: Rect, stroke: Stroke, dash: f32) {
    let corners = [around.left_top(), around.right_top(), around.right_bottom(), around.left_bottom(), around.left_top()];
    ui.painter().extend(Shape::dashed_line(&corners, stroke, dash, 3.0));
}

fn caption(ui: &Ui, doc: &Document<'_>, layout: &Layout, piece: &Piece, rect: Rect, left: f32) {
    let (Some(span), Some(caption)) = (doc.spans.get(piece.span), &piece.caption) else { return };
    let lane = caption.lane as f32 * layout.caption_height();
    let galley = caption_galley(ui, &caption.text, doc.size);
    // Clear of a dashed outline.
    let lift = if span.dashed { 0.5 } else { -1.0 };
    let at = pos2(left + caption.x, rect.top() - lane - galley.size().y - lift);
    ui.painter().galley(at, galley, caption_colour(ui, span));
}

/// The polarity's colour where there is one: its mark stands beside it.
fn caption_colour(ui: &Ui, span: &MarkedSpan<'_>) -> Color32 {
    span.polarity.map_or_else(|| hue_of(ui, span), |polarity| palette(ui).polarity(polarity))
}

/// A line with round corners and an arrow at its end; its lane is left open from one point to the other of a gap.
fn link_line(ui: &Ui, points: &[Pos2], gap: Option<[Pos2; 2]>, dashed: bool, stroke: Stroke) {
    let parts = match (gap, points) {
        (Some([before, after]), [foot, corner, rest @ ..]) => {
            vec![vec![*foot, *corner, before], std::iter::once(after).chain(rest.iter().copied()).collect()]
        }
        _ => vec![points.to_vec()],
    };
    for part in parts {
        let line = rounded(&part, stroke);
        if dashed {
            ui.painter().extend(Shape::dashed_line(&line, stroke, 4.0, 3.0));
        } else {
            ui.painter().line(line, stroke);
        }
    }
    let end = points[points.len() - 1];
    let tip = |x: f32| [end, end + vec2(x, -4.0)];
    ui.painter().line_segment(tip(-2.5), stroke);
    ui.painter().line_segment(tip(2.5), stroke);
    ui.painter().circle_filled(points[0], 2.0, stroke.color);
}

/// The same points with round corners.
fn rounded(points: &[Pos2], stroke: Stroke) -> Vec<Pos2> {
    const ROUND: f32 = 5.0;
    let mut line = vec![points[0]];
    for corner in points.windows(3) {
        let toward = |to: Pos2| {
            let way = to - corner[1];
            corner[1] + way.normalized() * ROUND.min(way.length() * 0.5)
        };
        let (enter, leave) = (toward(corner[0]), toward(corner[2]));
        let curve = QuadraticBezierShape::from_points_stroke([enter, corner[1], leave], false, Color32::TRANSPARENT, stroke);
        line.extend(curve.flatten(Some(0.2)));
    }
    line.push(points[points.len() - 1]);
    line
}

/// The name of a link's type in the middle of its lane, if it has room there; answers with the gap that it wants.
fn link_name(ui: &Ui, points: &[Pos2], name: &str, size: f32, colour: Color32) -> Option<[Pos2; 2]> {
    const SHARE: f32 = 0.8; // of the lane, so that the line is seen at both sides
    let (from, to) = (points.get(1)?, points.get(2)?);
    let galley = caption_galley(ui, name, size);
    let (room, wanted) = ((from.x - to.x).abs(), galley.size().x + 6.0);
    if wanted > room * SHARE {
        return None;
    }
    let middle = from.lerp(*to, 0.5);
    ui.painter().galley(Rect::from_center_size(middle, galley.size()).min, galley, colour);
    let half = vec2(wanted * 0.5 * (to.x - from.x).signum(), 0.0);
    Some([middle - half, middle + half])
}
