//! The ways of links: up from one span, along a lane above its row (or along the margin), down to the other.

use super::{CAPTION, Layout, MARGIN, Piece, RowAt};
use crate::ui::widgets::document::Document;
use eframe::egui::{Pos2, Rangef, pos2};

/// A link's way: up from one span, along a lane (or along the margin), down to the other.
pub(in super::super) struct Way {
    pub(in super::super) link: usize,
    from: End,
    to: End,
    from_lane: usize,
    to_lane: usize,
    /// Place of the vertical line, when the rows differ.
    margin: usize,
}

/// Where a link takes hold of a span.
#[derive(Clone, Copy)]
struct End {
    row: RowAt,
    x: f32,
    /// Lanes of captions between it and the span's ground.
    captions: usize,
}

impl Layout {
    pub(super) fn ways_of(&mut self, doc: &Document<'_>) -> Vec<Way> {
        let mut ways: Vec<Way> = doc.links.iter().enumerate().filter_map(|(at, _)| self.way_of(doc, at)).collect();
        // Short links stand next to their row, long ones arch over them.
        ways.sort_by(|a, b| {
            let rows = |way: &Way| way.from.row != way.to.row;
            let reach = |way: &Way| (way.from.x - way.to.x).abs();
            rows(a).cmp(&rows(b)).then(reach(a).total_cmp(&reach(b)))
        });
        let mut lanes: std::collections::HashMap<RowAt, Vec<(Rangef, usize)>> = std::collections::HashMap::new();
        let mut margins: Vec<(RowAt, RowAt)> = Vec::new();
        let mut take = |row: RowAt, x: Rangef| {
            let held = lanes.entry(row).or_default();
            let is_free = |lane: usize| held.iter().all(|(other, at)| *at != lane || other.max + 3.0 < x.min || x.max + 3.0 < other.min);
            let lane = (0..).find(|lane| is_free(*lane)).unwrap_or_default();
            held.push((x, lane));
            lane
        };
        for way in &mut ways {
            if way.from.row == way.to.row {
                way.from_lane = take(way.from.row, Rangef::new(way.from.x.min(way.to.x), way.from.x.max(way.to.x)));
                way.to_lane = way.from_lane;
            } else {
                let (low, high) = (way.from.row.min(way.to.row), way.from.row.max(way.to.row));
                way.margin = margins.iter().filter(|(a, b)| *a <= high && low <= *b).count();
                margins.push((low, high));
                way.from_lane = take(way.from.row, Rangef::new(0.0, way.from.x));
                way.to_lane = take(way.to.row, Rangef::new(0.0, way.to.x));
            }
        }
        for ((paragraph, row), held) in lanes {
            if let Some(shaped) = &mut self.paragraphs[paragraph].shaped {
                shaped.rows[row].links = held.iter().map(|(_, lane)| lane + 1).max().unwrap_or_default();
            }
        }
        ways
    }

    fn way_of(&self, doc: &Document<'_>, link: usize) -> Option<Way> {
        let pieces = |id: u32| {
            let span = doc.spans.iter().position(|span| span.id == id)?;
            let found: Vec<End> = self.pieces_of_span(doc, span).map(|(row, piece)| hold(row, piece)).collect();
            (!found.is_empty()).then_some(found)
        };
        let (from, to) = (pieces(doc.links[link].from)?, pieces(doc.links[link].to)?);
        // Side by side in one row if they meet there; else from first to first.
        let meeting = from.iter().find_map(|a| to.iter().find(|b| b.row == a.row).map(|b| (*a, *b)));
        let (from, to) = meeting.unwrap_or((from[0], to[0]));
        Some(Way { link, from, to, from_lane: 0, to_lane: 0, margin: 0 })
    }

    /// The points of a link's way, rounded by the painter.
    pub(in super::super) fn points(&self, way: &Way) -> Option<Vec<Pos2>> {
        // The foot of an end, and the height of its lane.
        let heights = |end: End, lane: usize| {
            let paragraph = &self.paragraphs[end.row.0];
            let row = paragraph.shaped.as_ref()?.rows.get(end.row.1)?;
            let above = |captions: usize| paragraph.top + row.ground.min - captions as f32 * self.size * CAPTION;
            Some((above(end.captions), above(row.captions) - self.lift - lane as f32 * self.lane))
        };
        let (from_top, from_y) = heights(way.from, way.from_lane)?;
        let (to_top, to_y) = heights(way.to, way.to_lane)?;
        let (from_x, to_x) = (MARGIN + way.from.x, MARGIN + way.to.x);
        if way.from.row == way.to.row {
            return Some(vec![pos2(from_x, from_top), pos2(from_x, from_y), pos2(to_x, to_y), pos2(to_x, to_top)]);
        }
        let side = (MARGIN - 8.0 - 4.0 * way.margin as f32).max(2.0);
        Some(vec![pos2(from_x, from_top), pos2(from_x, from_y), pos2(side, from_y), pos2(side, to_y), pos2(to_x, to_y), pos2(to_x, to_top)])
    }
}

/// Beside the piece's caption if there is room, else in the middle above it.
fn hold(row: RowAt, piece: &Piece) -> End {
    let middle = piece.x.center();
    let Some(caption) = &piece.caption else { return End { row, x: middle, captions: 0 } };
    let beside = caption.x + caption.width + 4.0;
    if beside <= piece.x.max - 3.0 {
        End { row, x: beside.max(middle), captions: 0 }
    } else {
        End { row, x: middle, captions: caption.lane + 1 }
    }
}
