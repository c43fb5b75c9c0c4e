//! Where everything stands: rows of each paragraph, pieces of spans in them, captions and link lanes.
//!
//! Rows are laid out by egui, then moved apart where nested spans or links need room between them. All places are
//! relative to the widget's upper left corner.

mod links;
mod places;

use super::{Document, MarkedSpan};
use eframe::egui::epaint::text::{CharIndex, LayoutJob};
use eframe::egui::{Color32, FontId, Galley, Rangef, Rect, TextFormat, Ui, Vec2, pos2};
use links::Way;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// Beyond so many bytes only paragraphs in sight are laid out; the height of the others is estimated.
const LAZY_BEYOND: usize = 50_000;
/// Line height, in text sizes.
const LINE: f32 = 1.7;
/// Height of a span's ground above and below the baseline, in text sizes.
const ABOVE: f32 = 0.93;
const BELOW: f32 = 0.21;
/// Room of one caption above a row, in text sizes, and of one link, in points.
const CAPTION: f32 = 0.56;
const LINK_LANE: f32 = 5.0;
/// Height of the lowest link above the captions, where links bear no names.
const LIFT: f32 = 3.5;
/// Distance of the underlines of nested spans.
pub(super) const UNDERLINE: f32 = 4.0;
/// Room at the left for links between rows.
pub(super) const MARGIN: f32 = 28.0;

/// Part of a span that lies in one row.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Place in [`Document::spans`].
    pub span: usize,
    pub row: usize,
    pub x: Rangef,
    /// 0 for a ground, more for underlines of spans that overlap others.
    pub level: usize,
    pub starts: bool,
    pub ends: bool,
    /// On the first piece of a span.
    pub caption: Option<Caption>,
}

#[derive(Clone, Debug)]
pub(super) struct Caption {
    /// Laid out again each time it is painted: egui's atlas of glyphs may have changed.
    pub text: String,
    pub width: f32,
    pub x: f32,
    pub lane: usize,
}

/// Vertical places of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Code point of the paragraph with which it starts.
    first: usize,
    chars: usize,
    pub ground: Rangef,
    /// Captions in the fullest place.
    captions: usize,
    links: usize,
    underlines: usize,
    baseline: f32,
}

impl Row {
    fn new(first: usize, chars: usize) -> Self {
        Self { first, chars, ground: Rangef::NOTHING, captions: 0, links: 0, underlines: 0, baseline: 0.0 }
    }
}

/// One line of the text file, as rows on the screen.
pub(super) struct Paragraph {
    pub bytes: Range<usize>,
    pub top: f32,
    height: f32,
    shaped: Option<Shaped>,
}

pub(super) struct Shaped {
    /// As egui made it; asked for again each frame, so that it is still valid.
    source: Arc<Galley>,
    /// The same with its rows moved.
    pub galley: Arc<Galley>,
    /// Byte of each code point and of the end, from the paragraph's start.
    offsets: Vec<u32>,
    pub rows: Vec<Row>,
    pub pieces: Vec<Piece>,
}

/// Row of a paragraph.
pub(super) type RowAt = (usize, usize);

pub(super) struct Layout {
    text_key: u64,
    marks_key: u64,
    width: f32,
    size: f32,
    is_lazy: bool,
    /// A paragraph was laid out for the first time: heights are due.
    is_stale: bool,
    pub paragraphs: Vec<Paragraph>,
    pub ways: Vec<Way>,
    /// Height of a link's lane: more where links bear the names of their types.
    lane: f32,
    /// Height of the lowest link above the captions.
    lift: f32,
}

fn key_of(parts: impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Height of the lanes of links, and of the lowest above the captions. A name stands in the middle of its lane.
fn lane_of(doc: &Document<'_>) -> (f32, f32) {
    let named = doc.links.iter().any(|link| link.look.is_some());
    let lane = (doc.size * CAPTION).max(LINK_LANE) + 1.0;
    if named { (lane, lane * 0.5 + 2.0) } else { (LINK_LANE, LIFT) }
}

impl Layout {
    /// The old layout if it still fits, with marks made anew if they changed; else a new one.
    pub fn renewed(old: Option<Self>, ui: &Ui, doc: &Document<'_>, width: f32) -> Self {
        let (lane, lift) = lane_of(doc);
        let text_key = key_of((doc.text, doc.size.to_bits(), width.to_bits(), ui.pixels_per_point().to_bits()));
        let marks_key = key_of((doc.spans, doc.links));
        match old {
            Some(mut layout) if layout.text_key == text_key => {
                layout.is_stale |= layout.marks_key != marks_key;
                layout.marks_key = marks_key;
                (layout.lane, layout.lift) = (lane, lift);
                layout
            }
            _ => Self {
                text_key,
                marks_key,
                width,
                size: doc.size,
                is_lazy: doc.text.len() > LAZY_BEYOND,
                is_stale: true,
                paragraphs: paragraphs_of(doc, width),
                ways: Vec::new(),
                lane,
                lift,
            },
        }
    }

    /// Lays out what is in sight and brings all heights up to date.
    pub fn ensure(&mut self, ui: &Ui, doc: &Document<'_>, sight: Range<f32>) {
        const ROUNDS: usize = 4; // estimated heights above what is in sight may move it
        for _ in 0..ROUNDS {
            let mut changed = false;
            let is_lazy = self.is_lazy;
            for paragraph in &mut self.paragraphs {
                let is_seen = paragraph.top < sight.end && paragraph.top + paragraph.height > sight.start;
                if is_seen || (!is_lazy && paragraph.shaped.is_none()) {
                    changed |= shape(ui, doc, paragraph, self.width, self.size);
                }
            }
            if !changed && !self.is_stale {
                return;
            }
            self.is_stale = false;
            self.place(ui, doc);
        }
    }

    pub fn height(&self) -> f32 {
        self.paragraphs.last().map_or(0.0, |last| last.top + last.height) + self.size * 0.5
    }

    /// Pieces, lanes and heights of everything that is laid out.
    fn place(&mut self, ui: &Ui, doc: &Document<'_>) {
        let mut order: Vec<usize> = (0..doc.spans.len()).collect();
        order.sort_by_key(|at| (doc.spans[*at].range.start(), std::cmp::Reverse(doc.spans[*at].range.end())));
        let levels = levels_of(doc.spans, &order);
        let mut next = 0;
        let mut open: Vec<usize> = Vec::new();
        for paragraph in &mut self.paragraphs {
            while next < order.len() && doc.spans[order[next]].range.start() < paragraph.bytes.end.max(paragraph.bytes.start + 1) {
                open.push(order[next]);
                next += 1;
            }
            open.retain(|at| doc.spans[*at].range.end() > paragraph.bytes.start);
            if let Some(shaped) = &mut paragraph.shaped {
                shaped.pieces = pieces_of(shaped, &paragraph.bytes, doc.spans, &open, &levels);
                caption_pieces(ui, doc, shaped, self.width);
                for row in &mut shaped.rows {
                    row.links = 0;
                }
            }
        }
        self.ways = self.ways_of(doc);
        self.stack();
    }

    /// Rows from top to bottom, each with the room that what stands above it needs.
    fn stack(&mut self) {
        let (size, line) = (self.size, self.size * LINE);
        let (gap, lane, lift) = (line - size * (ABOVE + BELOW), self.lane, self.lift);
        let mut y = (size * 0.45).round();
        let mut underlines = 0;
        for paragraph in &mut self.paragraphs {
            paragraph.top = y;
            let Some(shaped) = &mut paragraph.shaped else {
                y += paragraph.height;
                underlines = 0;
                continue;
            };
            let mut galley = (*shaped.source).clone();
            let mut inside = 0.0;
            for (placed, row) in galley.rows.iter_mut().zip(&mut shaped.rows) {
                let links = if row.links == 0 { 0.0 } else { lift + row.links as f32 * lane };
                let needed = row.captions as f32 * size * CAPTION + links + (underlines as f32) * UNDERLINE;
                inside += (needed - gap).max(0.0).ceil();
                placed.pos.y = inside;
                let baseline = placed.row.glyphs.first().map_or(placed.row.size.y * 0.5 + size * 0.36, |glyph| glyph.pos.y);
                row.baseline = inside + baseline;
                row.ground = Rangef::new(row.baseline - size * ABOVE, row.baseline + size * BELOW);
                inside += placed.row.size.y;
                underlines = row.underlines;
            }
            galley.rect.max.y = inside;
            galley.mesh_bounds = Rect::from_min_max(pos2(galley.mesh_bounds.min.x, 0.0), pos2(galley.mesh_bounds.max.x, inside));
            shaped.galley = Arc::new(galley);
            paragraph.height = inside + (size * 0.3).round();
            y += paragraph.height;
        }
    }

    /// The pieces of a span, in reading order.
    pub fn pieces_of_span(&self, doc: &Document<'_>, span: usize) -> impl Iterator<Item = (RowAt, &Piece)> {
        let range = doc.spans[span].range;
        let first = self.paragraph_of(range.start());
        let paragraphs = self.paragraphs.iter().enumerate().skip(first).take_while(move |(_, p)| p.bytes.start < range.end());
        paragraphs.flat_map(move |(at, paragraph)| {
            let pieces = paragraph.shaped.iter().flat_map(|shaped| &shaped.pieces);
            pieces.filter(move |piece| piece.span == span).map(move |piece| ((at, piece.row), piece))
        })
    }

    fn paragraph_of(&self, byte: usize) -> usize {
        self.paragraphs.partition_point(|paragraph| paragraph.bytes.start <= byte).saturating_sub(1)
    }

    /// Paragraphs that touch a stretch of the widget's height.
    pub fn paragraphs_in(&self, y: Rangef) -> impl Iterator<Item = (usize, &Paragraph, &Shaped)> {
        let first = self.paragraphs.partition_point(|paragraph| paragraph.top <= y.min).saturating_sub(1);
        let seen = self.paragraphs.iter().enumerate().skip(first).take_while(move |(_, paragraph)| paragraph.top < y.max);
        seen.filter_map(|(at, paragraph)| Some((at, paragraph, paragraph.shaped.as_ref()?)))
    }

    /// Height of a caption's lane.
    pub fn caption_height(&self) -> f32 {
        self.size * CAPTION
    }
}

impl Shaped {
    fn char_of(&self, byte: usize) -> usize {
        self.offsets.partition_point(|offset| (*offset as usize) < byte)
    }

    fn byte_of(&self, char: usize) -> usize {
        self.offsets.get(char).or(self.offsets.last()).map_or(0, |byte| *byte as usize)
    }

    fn cursor_at(&self, at: Vec2) -> usize {
        self.galley.cursor_from_pos(at).index.0
    }

    /// Row and x of the boundary before `byte`; at a wrap, the start of the lower row.
    fn place(&self, byte: usize) -> (usize, f32) {
        let char = self.char_of(byte);
        let row = self.rows.partition_point(|row| row.first <= char).saturating_sub(1);
        (row, self.x_in(row, char))
    }

    fn x_in(&self, row: usize, char: usize) -> f32 {
        let (Some(placed), Some(held)) = (self.galley.rows.get(row), self.rows.get(row)) else { return 0.0 };
        placed.pos.x + placed.x_offset(CharIndex(char.saturating_sub(held.first).min(held.chars)))
    }

    /// The rows that a byte range covers, with the part of each.
    fn row_parts(&self, bytes: Range<usize>) -> impl Iterator<Item = (usize, Rangef)> {
        let (start, end) = (self.char_of(bytes.start), self.char_of(bytes.end));
        let first = self.rows.partition_point(|row| row.first <= start).saturating_sub(1);
        (first..self.rows.len()).take_while(move |row| self.rows[*row].first < end || *row == first).map(move |row| {
            let held = self.rows[row];
            let x = Rangef::new(self.x_in(row, start.max(held.first)), self.x_in(row, end.min(held.first + held.chars)));
            (row, x)
        })
    }
}

fn paragraphs_of(doc: &Document<'_>, width: f32) -> Vec<Paragraph> {
    let mut start = 0;
    let mut top = 0.0;
    let per_row = ((width - MARGIN) / (doc.size * 0.8)).max(1.0);
    doc.text
        .split('\n')
        .map(|line| {
            let bytes = start..start + line.len();
            start = bytes.end + 1;
            // Three bytes a Chinese character, and narrow Latin letters need about a third of its width.
            let rows = (line.len() as f32 / 2.5 / per_row).ceil().max(1.0);
            let paragraph = Paragraph { bytes, top, height: rows * doc.size * LINE, shaped: None };
            top += paragraph.height;
            paragraph
        })
        .collect()
}

/// Lays out a paragraph. Answers whether it had to.
fn shape(ui: &Ui, doc: &Document<'_>, paragraph: &mut Paragraph, width: f32, size: f32) -> bool {
    let text = &doc.text[paragraph.bytes.clone()];
    let format = TextFormat {
        font_id: FontId::proportional(size),
        color: Color32::PLACEHOLDER,
        line_height: Some((size * LINE).round()),
        ..Default::default()
    };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap.max_width = (width - MARGIN).max(size * 2.0);
    job.break_on_newline = false;
    job.keep_trailing_whitespace = true;
    let source = ui.fonts_mut(|fonts| fonts.layout_job(job));
    if paragraph.shaped.as_ref().is_some_and(|shaped| Arc::ptr_eq(&shaped.source, &source)) {
        return false;
    }
    let mut first = 0;
    let rows = source.rows.iter().map(|placed| {
        let row = Row::new(first, placed.row.glyphs.len());
        first += row.chars;
        row
    });
    let rows = rows.collect();
    let offsets = text.char_indices().map(|(at, _)| at as u32).chain(std::iter::once(text.len() as u32)).collect();
    paragraph.shaped = Some(Shaped { galley: source.clone(), source, offsets, rows, pieces: Vec::new() });
    true
}

/// For each span the first level on which it overlaps no other.
fn levels_of(spans: &[MarkedSpan<'_>], order: &[usize]) -> Vec<usize> {
    let mut levels = vec![0; spans.len()];
    let mut ends: Vec<usize> = Vec::new(); // end of the last span of each level
    for at in order {
        let range = spans[*at].range;
        let level = ends.iter().position(|end| *end <= range.start()).unwrap_or(ends.len());
        match ends.get_mut(level) {
            Some(end) => *end = range.end(),
            None => ends.push(range.end()),
        }
        levels[*at] = level;
    }
    levels
}

fn pieces_of(shaped: &Shaped, bytes: &Range<usize>, spans: &[MarkedSpan<'_>], open: &[usize], levels: &[usize]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for &span in open {
        let range = spans[span].range;
        let (start, end) = (range.start().max(bytes.start), range.end().min(bytes.end));
        if start > end || (start == end && !bytes.is_empty()) {
            continue;
        }
        let parts: Vec<_> = shaped.row_parts(start - bytes.start..end - bytes.start).collect();
        let last = parts.len().saturating_sub(1);
        for (at, (row, x)) in parts.into_iter().enumerate() {
            let starts = at == 0 && range.start() >= bytes.start;
            let ends = at == last && range.end() <= bytes.end;
            if x.span() < 0.5 && !starts {
                continue;
            }
            let x = Rangef::new(x.min, x.max.max(x.min + 3.0));
            pieces.push(Piece { span, row, x, level: levels[span], starts, ends, caption: None });
        }
    }
    pieces
}

/// Gives the first piece of each span its caption, on the first lane where there is room.
fn caption_pieces(ui: &Ui, doc: &Document<'_>, shaped: &mut Shaped, width: f32) {
    const APART: f32 = 4.0;
    let measured = |text: String| {
        let width = caption_galley(ui, &text, doc.size).size().x;
        (text, width)
    };
    let room = width - MARGIN;
    for row in &mut shaped.rows {
        (row.captions, row.underlines) = (0, 0);
    }
    for piece in &shaped.pieces {
        let row = &mut shaped.rows[piece.row];
        row.underlines = row.underlines.max(piece.level);
    }
    let mut order: Vec<usize> = (0..shaped.pieces.len()).filter(|at| shaped.pieces[*at].starts).collect();
    order.sort_by(|a, b| {
        let place = |at: &usize| (shaped.pieces[*at].row, shaped.pieces[*at].x.min);
        let ((row_a, x_a), (row_b, x_b)) = (place(a), place(b));
        row_a.cmp(&row_b).then(x_a.total_cmp(&x_b))
    });
    let mut ends: Vec<f32> = Vec::new(); // right end of the last caption of each lane
    let mut row = usize::MAX;
    for (nth, at) in order.iter().enumerate() {
        let piece = &shaped.pieces[*at];
        if piece.row != row {
            row = piece.row;
            ends.clear();
        }
        let next = order.get(nth + 1).map(|next| &shaped.pieces[*next]).filter(|next| next.row == row && next.x.min > piece.x.min + 1.0);
        let limit = next.map_or(room, |next| next.x.min - APART);
        let span = &doc.spans[piece.span];
        let (mut text, mut width) = measured(span.caption());
        if piece.x.min + width > limit && width > piece.x.span() {
            (text, width) = measured(span.short_caption());
        }
        let x = piece.x.min.min((room - width).max(0.0));
        let lane = ends.iter().position(|end| *end + APART <= x).unwrap_or(ends.len());
        let end = x + width;
        match ends.get_mut(lane) {
            Some(held) => *held = end,
            None => ends.push(end),
        }
        shaped.rows[row].captions = shaped.rows[row].captions.max(lane + 1);
        shaped.pieces[*at].caption = Some(Caption { text, width, x, lane });
    }
}

/// A caption beside text of this size.
pub(super) fn caption_galley(ui: &Ui, text: &str, size: f32) -> Arc<Galley> {
    let font = FontId::proportional((size * 0.54).clamp(9.5, 14.0));
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER)
}
