//! From places to bytes and back: pointing, selections, the caret, edges.

use super::{CAPTION, Layout, MARGIN, Paragraph, Piece, RowAt, Shaped, UNDERLINE};
use crate::ui::widgets::document::{Document, rect_of};
use eframe::egui::epaint::text::{CharIndex, cursor::CCursor};
use eframe::egui::{Rangef, Rect, Vec2, pos2, vec2};
use std::ops::Range;

impl Layout {
    /// Rectangle of a piece.
    pub fn rect_of(&self, at: RowAt, piece: &Piece) -> Option<Rect> {
        let paragraph = &self.paragraphs[at.0];
        let row = paragraph.shaped.as_ref()?.rows.get(at.1)?;
        let (x, y) = (piece.x, row.ground);
        Some(rect_of(Rangef::new(x.min + MARGIN, x.max + MARGIN), Rangef::new(y.min + paragraph.top, y.max + paragraph.top)))
    }

    /// Where a span (by place) begins on the screen.
    pub fn first_rect(&self, span: usize) -> Option<Rect> {
        self.paragraphs.iter().enumerate().find_map(|(at, paragraph)| {
            let piece = paragraph.shaped.as_ref()?.pieces.iter().find(|piece| piece.span == span && piece.starts)?;
            self.rect_of((at, piece.row), piece)
        })
    }

    /// Rectangles behind a range of bytes, for selections.
    pub fn rects_of_bytes(&self, bytes: &Range<usize>) -> Vec<Rect> {
        let mut rects = Vec::new();
        for paragraph in &self.paragraphs {
            let (start, end) = (bytes.start.max(paragraph.bytes.start), bytes.end.min(paragraph.bytes.end));
            let Some(shaped) = paragraph.shaped.as_ref().filter(|_| start < end) else { continue };
            for (row, x) in shaped.row_parts(start - paragraph.bytes.start..end - paragraph.bytes.start) {
                let y = shaped.rows[row].ground;
                rects.push(rect_of(x, y).translate(vec2(MARGIN, paragraph.top)));
            }
        }
        rects
    }

    /// Where the caret stands before `byte`.
    pub fn caret_rect(&self, byte: usize) -> Option<Rect> {
        let paragraph = self.paragraphs.get(self.paragraph_of(byte))?;
        let Some(shaped) = &paragraph.shaped else {
            return Some(Rect::from_min_size(pos2(MARGIN, paragraph.top), vec2(1.0, self.size)));
        };
        let (row, x) = shaped.place(byte.saturating_sub(paragraph.bytes.start));
        let y = shaped.rows.get(row)?.ground;
        Some(rect_of(Rangef::point(x), y).translate(vec2(MARGIN, paragraph.top)))
    }

    pub fn line_at(&self, byte: usize) -> Option<Range<usize>> {
        let paragraph = self.paragraphs.get(self.paragraph_of(byte))?;
        let shaped = paragraph.shaped.as_ref()?;
        let (row, _) = shaped.place(byte.saturating_sub(paragraph.bytes.start));
        let row = shaped.rows.get(row)?;
        let at = |char: usize| paragraph.bytes.start + shaped.offsets.get(char).map_or(paragraph.bytes.len(), |byte| *byte as usize);
        Some(at(row.first)..at(row.first + row.chars))
    }

    fn paragraph_at(&self, y: f32) -> Option<(&Paragraph, &Shaped)> {
        let at = self.paragraphs.partition_point(|paragraph| paragraph.top <= y).saturating_sub(1);
        let paragraph = self.paragraphs.get(at)?;
        Some((paragraph, paragraph.shaped.as_ref()?))
    }

    /// The boundary between code points nearest to a place.
    pub fn byte_at(&self, at: Vec2) -> usize {
        let Some((paragraph, shaped)) = self.paragraph_at(at.y) else { return 0 };
        let cursor = shaped.cursor_at(at - vec2(MARGIN, paragraph.top));
        paragraph.bytes.start + shaped.byte_of(cursor)
    }

    /// Start of the code point under a place.
    pub fn character_at(&self, at: Vec2) -> Option<usize> {
        let (paragraph, shaped) = self.paragraph_at(at.y)?;
        let at = at - vec2(MARGIN, paragraph.top);
        let cursor = shaped.cursor_at(at);
        let x = shaped.galley.pos_from_cursor(CCursor { index: CharIndex(cursor), prefer_next_row: true }).min.x;
        let index = if at.x < x && cursor > 0 { cursor - 1 } else { cursor };
        Some(paragraph.bytes.start + shaped.byte_of(index))
    }

    /// The innermost span under a place.
    pub fn span_at(&self, doc: &Document<'_>, at: Vec2) -> Option<u32> {
        let (paragraph, shaped) = self.paragraph_at(at.y)?;
        let place = at - vec2(MARGIN, paragraph.top);
        let reach = self.size * CAPTION;
        let hit = |piece: &&Piece| {
            let ground = shaped.rows[piece.row].ground;
            let lower = ground.max + piece.level as f32 * UNDERLINE + 2.0;
            piece.x.contains(place.x) && (ground.min - reach * 0.8..=lower).contains(&place.y)
        };
        let inner = shaped.pieces.iter().filter(hit).min_by_key(|piece| {
            let range = doc.spans.get(piece.span).map_or(0, |span| span.range.bytes().len());
            (range, std::cmp::Reverse(piece.level))
        })?;
        doc.spans.get(inner.span).map(|span| span.id)
    }

    /// The edge of the selected span under a place: its id, and whether it is the end.
    pub fn edge_at(&self, doc: &Document<'_>, at: Vec2, reach: f32) -> Option<(u32, bool)> {
        let selected = doc.selected?;
        let span = doc.spans.iter().position(|span| span.id == selected)?;
        self.pieces_of_span(doc, span).find_map(|(row_at, piece)| {
            let rect = self.rect_of(row_at, piece)?;
            if !rect.y_range().contains(at.y) {
                return None;
            }
            let near = |x: f32| (at.x - x).abs() <= reach.min(rect.width() * 0.35);
            (piece.ends && near(rect.right()))
                .then_some((selected, true))
                .or_else(|| (piece.starts && near(rect.left())).then_some((selected, false)))
        })
    }
}
