//! Tagging units: the characters (graphemes) under the encoder's pieces, so that a span may begin or end inside
//! a piece. White space is never a unit. Every other character before the length limit is one, whatever the
//! tokenizer made of it.

use super::{Pieces, TextError, Tokenizer};
use crate::project::TextRange;
use std::collections::HashMap;
use unicode_segmentation::UnicodeSegmentation;

/// Places inside a piece that a model tells apart; later ones count as the last.
pub const UNIT_OFFSETS: usize = 8;

/// One character that gets a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    pub range: TextRange,
    /// Place of its piece in [`Pieces::ids`].
    pub piece: u32,
    /// Which unit of the piece it is, below [`UNIT_OFFSETS`].
    pub offset: u32,
    /// The vocabulary's piece for this character alone.
    pub char_id: u32,
    /// Weight in the loss: 1 for a Chinese, Japanese or Korean character; the others of a piece share 1, so that
    /// a word piece counts as much as a Chinese character.
    pub weight: f32,
}

/// A text as a model with a tagging head reads it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub pieces: Pieces,
    /// Empty when the model tags nothing.
    pub units: Vec<Unit>,
}

impl Tokenizer {
    /// Pieces, and the tagging units where they are wanted.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn read(&self, text: &str, max_length: usize, with_units: bool) -> Result<Reading, TextError> {
        let pieces = self.encode(text, max_length)?;
        let units = if with_units { self.units(text, &pieces) } else { Vec::new() };
        Ok(Reading { pieces, units })
    }

    /// The same of a turn of a conversation, with those before it, the newest last, in what room there is.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn read_turn(&self, before: &[String], text: &str, max_length: usize, with_units: bool) -> Result<Reading, TextError> {
        self.with_turns(before, self.read(text, max_length, with_units)?, max_length)
    }

    fn with_turns(&self, before: &[String], mut reading: Reading, max_length: usize) -> Result<Reading, TextError> {
        let count = self.put_before(&mut reading.pieces, before, max_length)?;
        reading.units.iter_mut().for_each(|unit| unit.piece += count as u32);
        Ok(reading)
    }

    /// The same with a unit for each piece that has a place of its own, for models that tag pieces as `transformers` does.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn read_pieces(&self, before: &[String], text: &str, max_length: usize) -> Result<Reading, TextError> {
        let pieces = self.encode(text, max_length)?;
        let mut units: Vec<Unit> = Vec::new();
        for (piece, range) in pieces.ranges.iter().enumerate() {
            let words = text.get(range.clone()).unwrap_or_default();
            let start = range.start + (words.len() - words.trim_start().len());
            // Pieces of one character's bytes have that character's place each: the first one tags it.
            let is_new = units.last().is_none_or(|last| last.range.end() <= start);
            if let Some(range) = TextRange::new(text, start..start + words.trim().len()).filter(|_| is_new) {
                units.push(Unit { range, piece: piece as u32, offset: 0, char_id: 0, weight: 1.0 });
            }
        }
        self.with_turns(before, Reading { pieces, units }, max_length)
    }

    /// The tagging units of a text, in order. `pieces` must be what [`Tokenizer::encode`] made of `text`.
    pub fn units(&self, text: &str, pieces: &Pieces) -> Vec<Unit> {
        let end = pieces.cut_at.unwrap_or(text.len());
        let read = text.get(..end).unwrap_or(text);
        let mut char_ids: HashMap<&str, u32> = HashMap::new();
        let mut cursor = Cursor::new(pieces);
        let mut units: Vec<Unit> = Vec::new();
        for (start, grapheme) in read.grapheme_indices(true) {
            if grapheme.chars().all(char::is_whitespace) {
                continue;
            }
            let Some(range) = TextRange::new(text, start..start + grapheme.len()) else { continue };
            let piece = cursor.piece_of(range);
            let offset = match units.last() {
                Some(last) if last.piece == piece => (last.offset + 1).min(UNIT_OFFSETS as u32 - 1),
                _ => 0,
            };
            let char_id = *char_ids.entry(grapheme).or_insert_with(|| self.char_id(grapheme));
            units.push(Unit { range, piece, offset, char_id, weight: 1.0 });
        }
        share_weight(text, &mut units);
        units
    }
}

/// Walks the pieces along with the characters.
struct Cursor<'a> {
    pieces: &'a Pieces,
    at: usize,
    last: u32,
}

impl<'a> Cursor<'a> {
    fn new(pieces: &'a Pieces) -> Self {
        let first = pieces.ranges.iter().position(|range| !range.is_empty()).unwrap_or(0);
        Self { pieces, at: first, last: first as u32 }
    }

    /// The first piece that covers part of the character; for a character that no piece covers (the normaliser
    /// dropped it) the piece before it, or the first.
    fn piece_of(&mut self, unit: TextRange) -> u32 {
        let ranges = &self.pieces.ranges;
        while ranges.get(self.at).is_some_and(|range| range.is_empty() || range.end <= unit.start()) {
            self.at += 1;
        }
        if ranges.get(self.at).is_some_and(|range| range.start < unit.end()) {
            self.last = self.at as u32;
        }
        self.last
    }
}

fn share_weight(text: &str, units: &mut [Unit]) {
    for group in units.chunk_by_mut(|a, b| a.piece == b.piece) {
        let shares = |unit: &Unit| !unit.range.of(text).starts_with(is_cjk);
        let count = group.iter().filter(|unit| shares(unit)).count();
        for unit in group.iter_mut().filter(|unit| shares(unit)) {
            unit.weight = 1.0 / count as f32;
        }
    }
}

/// A character of a script that writes words without spaces, or (Hangul) a syllable a character.
pub fn is_cjk(c: char) -> bool {
    super::words::is_han(c) || matches!(c, '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ac00}'..='\u{d7a3}')
}
