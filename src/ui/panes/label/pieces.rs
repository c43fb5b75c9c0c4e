//! The strip of the encoder's pieces under the text, each with its tag; pieces that a span cuts are framed.

use crate::desk::{PieceTag, Pieces, piece_tags};
use crate::project::{Document, Schema, TextRange};
use crate::ui::Cx;
use crate::ui::theme::palette;
use eframe::egui::{self, FontId, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// Height of a line of pieces with their tags, in points.
const LINE: f32 = 40.0;
/// Lines shown before the strip scrolls.
const LINES: f32 = 3.0;

pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, document: &Document) {
    let Some(pieces) = cx.desk.pieces(document.id) else {
        ui.label(RichText::new(cx.t("Reading the tokenizer…")).color(palette(ui).weak));
        return;
    };
    let spans: Vec<(TextRange, u16)> = document.annotation.spans.values().map(|span| (span.range, span.label)).collect();
    let tags = piece_tags(&pieces.ranges, &spans);
    head_ui(ui, cx, pieces, &tags);
    ScrollArea::vertical().id_salt("pieces").max_height(LINE * LINES).auto_shrink([false, true]).show(ui, |ui| {
        strip_ui(ui, cx, schema, document, pieces, &tags);
    });
}

/// How many pieces there are, how many are cut, and where the model stops.
fn head_ui(ui: &mut Ui, cx: &Cx<'_>, pieces: &Pieces, tags: &[PieceTag]) {
    ui.horizontal(|ui| {
        let weak = palette(ui).weak;
        ui.label(RichText::new(cx.tf("{} pieces", &[&pieces.ids.len()])).small().color(weak));
        let cut = tags.iter().filter(|tag| tag.is_cut).count();
        if cut > 0 {
            ui.label(RichText::new(cx.tf("{} cut by a span", &[&cut])).small().color(palette(ui).warning));
        }
        if pieces.cut_at.is_some() {
            ui.label(RichText::new(cx.t("The model does not read the grey part")).small().color(palette(ui).warning));
        }
    });
}

fn tag_words(schema: &Schema, tag: PieceTag) -> String {
    let Some((label, begins)) = tag.label else { return "O".to_owned() };
    let name = schema.span_labels.get(usize::from(label)).map_or("?", |label| label.name.as_str());
    format!("{}-{name}", if begins { "B" } else { "I" })
}

/// Paints the pieces line by line; those out of sight take only their room.
fn strip_ui(ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, document: &Document, pieces: &Pieces, tags: &[PieceTag]) {
    let colours = palette(ui);
    let width = ui.available_width();
    let shown: Vec<(String, PieceTag)> = pieces
        .ranges
        .iter()
        .zip(tags)
        .filter_map(|(bytes, tag)| {
            Some((document.text.get(bytes.clone()).filter(|piece| !piece.is_empty())?.replace(['\r', '\n'], "⏎"), *tag))
        })
        .collect();
    let mut placed = Vec::with_capacity(shown.len());
    let (mut x, mut y) = (0.0f32, 0.0f32);
    for (piece, tag) in &shown {
        let ink = if tag.label.is_some() { colours.text } else { colours.weak };
        let words = ui.painter().layout_no_wrap(piece.clone(), FontId::proportional(14.0), ink);
        let hue = tag.label.and_then(|(label, _)| schema.span_labels.get(usize::from(label))).map(|label| colours.hue(label.hue));
        let small = ui.painter().layout_no_wrap(tag_words(schema, *tag), FontId::proportional(10.0), hue.unwrap_or(colours.weak));
        let wide = words.size().x.max(small.size().x) + 8.0;
        if x > 0.0 && x + wide > width {
            (x, y) = (0.0, y + LINE);
        }
        placed.push((x, y, wide, words, small, hue, tag.is_cut));
        x += wide + 2.0;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(width, y + LINE), Sense::hover());
    let name = cx.t("Pieces of the encoder");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {}", spoken(schema, &shown))));
    for (x, y, wide, words, small, hue, is_cut) in placed {
        let place = Rect::from_min_size(rect.min + vec2(x, y), vec2(wide, LINE - 4.0));
        if !ui.is_rect_visible(place) {
            continue;
        }
        if let Some(hue) = hue {
            ui.painter().rect_filled(place, 3.0, hue.gamma_multiply(0.16));
        }
        if is_cut {
            ui.painter().rect_stroke(place, 3.0, Stroke::new(1.5, colours.warning), StrokeKind::Inside);
        }
        let middle = |size: egui::Vec2, top: f32| pos2(place.center().x - size.x * 0.5, top);
        ui.painter().galley(middle(words.size(), place.top() + 1.0), words.clone(), colours.text);
        ui.painter().galley(middle(small.size(), place.bottom() - small.size().y - 1.0), small.clone(), colours.weak);
    }
}

/// The strip for a screen reader: what is tagged, and what is cut.
fn spoken(schema: &Schema, shown: &[(String, PieceTag)]) -> String {
    const SPOKEN: usize = 200;
    let piece = |(piece, tag): &(String, PieceTag)| {
        let cut = if tag.is_cut { "!" } else { "" };
        format!("{piece} {}{cut}", tag_words(schema, *tag))
    };
    shown.iter().take(SPOKEN).map(piece).collect::<Vec<_>>().join(", ")
}
