//! The ways of links: up from one span, along a lane above its row (or along the margin), down to the other.

use super::{CAPTION, LIFT, LINK_LANE, Layout, MARGIN, Piece, RowAt};
use crate::ui::widgets::document::Document;
use eframe::egui::{Pos2, Rangef, pos2};

/// A link's way: up from one span, along a lane (or along the margin), down to the other.
pub(in super::super) struct Way {
    pub(in super::super) link: usize,
    from: (RowAt, f32),
    to: (RowAt, f32),
    from_lane: usize,
    to_lane: usize,
    /// Place of the vertical line, when the rows differ.
    margin: usize,
}

impl Layout {
    pub(super) fn ways_of(&mut self, doc: &Document<'_>) -> Vec<Way> {
        let mut ways: Vec<Way> = doc.links.iter().enumerate().filter_map(|(at, _)| self.way_of(doc, at)).collect();
        // Short links stand next to their row, long ones arch over them.
        ways.sort_by(|a, b| {
            let rows = |way: &Way| way.from.0 != way.to.0;
            let reach = |way: &Way| (way.from.1 - way.to.1).abs();
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
            if way.from.0 == way.to.0 {
                way.from_lane = take(way.from.0, Rangef::new(way.from.1.min(way.to.1), way.from.1.max(way.to.1)));
                way.to_lane = way.from_lane;
            } else {
                let (low, high) = (way.from.0.min(way.to.0), way.from.0.max(way.to.0));
                way.margin = margins.iter().filter(|(a, b)| *a <= high && low <= *b).count();
                margins.push((low, high));
                way.from_lane = take(way.from.0, Rangef::new(0.0, way.from.1));
                way.to_lane = take(way.to.0, Rangef::new(0.0, way.to.1));
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
            let found: Vec<(RowAt, f32)> = self.pieces_of_span(doc, span).map(|(at, piece)| (at, hold(piece))).collect();
            (!found.is_empty()).then_some(found)
        };
        let (from, to) = (pieces(doc.links[link].from)?, pieces(doc.links[link].to)?);
        // Side by side in one row if they meet there; else from first to first.
        let meeting = from.iter().find_map(|a| to.iter().find(|b| b.0 == a.0).map(|b| (*a, *b)));
        let (from, to) = meeting.unwrap_or((from[0], to[0]));
        Some(Way { link, from, to, from_lane: 0, to_lane: 0, margin: 0 })
    }

    /// The points of a link's way, rounded by the painter.
    pub(in super::super) fn points(&self, way: &Way) -> Option<Vec<Pos2>> {
        let lane_y = |row_at: RowAt, lane: usize| {
            let paragraph = &self.paragraphs[row_at.0];
            let row = paragraph.shaped.as_ref()?.rows.get(row_at.1)?;
            let y = row.ground.min - row.captions as f32 * self.size * CAPTION;
            Some((paragraph.top + y, paragraph.top + y - LIFT - lane as f32 * LINK_LANE))
        };
        let (from_top, from_y) = lane_y(way.from.0, way.from_lane)?;
        let (to_top, to_y) = lane_y(way.to.0, way.to_lane)?;
        let (from_x, to_x) = (MARGIN + way.from.1, MARGIN + way.to.1);
        if way.from.0 == way.to.0 {
            return Some(vec![pos2(from_x, from_top), pos2(from_x, from_y), pos2(to_x, to_y), pos2(to_x, to_top)]);
        }
        let side = (MARGIN - 8.0 - 4.0 * way.margin as f32).max(2.0);
        Some(vec![pos2(from_x, from_top), pos2(from_x, from_y), pos2(side, from_y), pos2(side, to_y), pos2(to_x, to_y), pos2(to_x, to_top)])
    }
}

/// Where a link takes hold of a piece: beside its caption if there is room, else in the middle.
fn hold(piece: &Piece) -> f32 {
    let middle = piece.x.center();
    let beside = piece.caption.as_ref().map_or(middle, |caption| caption.x + caption.width + 4.0);
    if beside <= piece.x.max - 3.0 { beside.max(middle) } else { middle }
}
