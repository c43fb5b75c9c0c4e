//! The tokenizer of an encoder, or a vocabulary that was learnt from a project: text to piece ids, each piece with its
//! place in the original text.

use super::Vocabulary;
use std::ops::Range;
use tokenizers::{NormalizedString, Normalizer};

/// Why a tokenizer can't be used, or could not read a text.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("tokenizer.json can't be read: {0}")]
    Unreadable(String),
    #[error("the tokenizer adds {special} special pieces, which leaves nothing of a limit of {max_length}")]
    NoRoom { special: usize, max_length: usize },
    #[error("the tokenizer could not split a text: {0}")]
    Split(String),
}

/// A tokenizer as `tokenizer.json` describes it. Shared between threads.
pub struct Tokenizer {
    inner: Inner,
    special: usize,
    unknown: u32,
    hidden: u32,
    /// Stands between a turn and the next.
    separator: u32,
}

enum Inner {
    Pieces(Box<tokenizers::Tokenizer>),
    Words(Vocabulary),
}

/// A text as the network reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Piece ids, the special ones at the ends included.
    pub ids: Vec<u32>,
    /// Bytes of the original text under each piece, without white space at the ends; empty for special pieces
    /// and for those that are only white space. Pieces may share a character.
    pub ranges: Vec<Range<usize>>,
    /// Byte offset of the first character that was not read, when the text is longer than the limit.
    pub cut_at: Option<usize>,
}

/// A text's first window: no more than this many bytes a wanted piece are tokenized at first, so that a
/// megabyte costs no more than what is read of it.
const BYTES_PER_PIECE: usize = 16;
/// Pieces near a window's end may depend on what follows; so many must lie between it and the limit.
const WINDOW_MARGIN: usize = 64;

impl Tokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// When the bytes are not a tokenizer.
    pub fn from_bytes(json: &[u8]) -> Result<Self, TextError> {
        if let Some(vocabulary) = Vocabulary::from_json(json)? {
            let unknown = vocabulary.unknown_id();
            return Ok(Self { inner: Inner::Words(vocabulary), special: 0, unknown, hidden: unknown, separator: unknown });
        }
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(|error| TextError::Unreadable(error.to_string()))?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| TextError::Unreadable(error.to_string()))?;
        // "[SEP]" typed into a review is text (where the vocabulary can spell it otherwise).
        inner.set_encode_special_tokens(true);
        let empty = inner.encode("", true).map_err(|error| TextError::Unreadable(error.to_string()))?;
        let unknown = ["<unk>", "[UNK]", "<pad>", "[PAD]"].iter().find_map(|name| inner.token_to_id(name)).unwrap_or(0);
        let hidden = ["<mask>", "[MASK]"].iter().find_map(|name| inner.token_to_id(name)).unwrap_or(unknown);
        let special = empty.get_special_tokens_mask().iter().filter(|mask| **mask == 1).count();
        let separator = empty.get_ids().last().copied().unwrap_or(unknown);
        Ok(Self { inner: Inner::Pieces(Box::new(inner)), special, unknown, hidden, separator })
    }

    /// Number of ids the tokenizer may answer with.
    pub fn vocab_size(&self) -> usize {
        match &self.inner {
            Inner::Pieces(inner) => inner.get_vocab_size(true),
            Inner::Words(vocabulary) => vocabulary.len(),
        }
    }

    /// The piece that stands for one that is not shown; the unknown piece where the vocabulary has none.
    pub fn hidden_id(&self) -> u32 {
        self.hidden
    }

    /// Splits a text into at most `max_length` pieces, special ones included.
    ///
    /// # Errors
    /// When the limit has no room beside the special pieces, or the tokenizer refuses the text.
    pub fn encode(&self, text: &str, max_length: usize) -> Result<Pieces, TextError> {
        let room = max_length.saturating_sub(self.special);
        if room == 0 {
            return Err(TextError::NoRoom { special: self.special, max_length });
        }
        let mut window = room.saturating_mul(BYTES_PER_PIECE).saturating_add(1024);
        loop {
            let whole = window >= text.len();
            let end = if whole { text.len() } else { text.floor_char_boundary(window) };
            let enough = |pieces: usize| whole || pieces >= room + self.special + WINDOW_MARGIN;
            match &self.inner {
                Inner::Pieces(inner) => {
                    let encoding = inner.encode(&text[..end], true).map_err(|error| TextError::Split(error.to_string()))?;
                    if enough(encoding.len()) {
                        return Ok(cut(text, &encoding, room));
                    }
                }
                Inner::Words(vocabulary) => {
                    let words = vocabulary.split(&text[..end]);
                    if enough(words.len()) {
                        return Ok(cut_words(words, room, self.unknown));
                    }
                }
            }
            window = window.saturating_mul(4);
        }
    }

    /// Puts earlier turns, the newest last, between the first special piece and the text's own, each with a separator behind
    /// it, as far as there is room up to `max_length`: what does not fit is left out from the oldest on. Gives how many pieces
    /// came in; none of them lies over the text.
    ///
    /// # Errors
    /// When the tokenizer refuses a turn.
    pub fn put_before(&self, pieces: &mut Pieces, before: &[String], max_length: usize) -> Result<usize, TextError> {
        let mut room = max_length.saturating_sub(pieces.ids.len());
        let mut turns: Vec<Vec<u32>> = Vec::new();
        for turn in before.iter().rev() {
            if room < 2 {
                break;
            }
            let mut ids = self.ids_of(turn, room - 1)?;
            ids.push(self.separator);
            room -= ids.len();
            turns.push(ids);
        }
        let ids: Vec<u32> = turns.into_iter().rev().flatten().collect();
        let (count, first) = (ids.len(), self.special.min(1));
        pieces.ids.splice(first..first, ids);
        pieces.ranges.splice(first..first, std::iter::repeat_n(0..0, count));
        Ok(count)
    }

    /// The last `room` pieces of a turn, without special ones.
    fn ids_of(&self, turn: &str, room: usize) -> Result<Vec<u32>, TextError> {
        // Of a very long turn only its end can have room.
        let start = turn.len().saturating_sub(room.saturating_mul(BYTES_PER_PIECE).saturating_add(1024));
        let end = &turn[turn.ceil_char_boundary(start)..];
        let ids: Vec<u32> = match &self.inner {
            Inner::Pieces(inner) => inner.encode(end, false).map_err(|error| TextError::Split(error.to_string()))?.get_ids().to_vec(),
            Inner::Words(vocabulary) => vocabulary.split(end).into_iter().map(|(id, _)| id).collect(),
        };
        Ok(ids[ids.len().saturating_sub(room)..].to_vec())
    }

    /// What a piece writes where it may be a word of its own, and whether it carries the mark of a word's start. `None` for
    /// special pieces, and for those that can only go on with a word.
    pub fn written(&self, id: u32) -> Option<(String, bool)> {
        let Inner::Pieces(inner) = &self.inner else { return None };
        let token = inner.id_to_token(id).filter(|token| !token.starts_with("##"))?;
        let text = inner.decode(&[id], true).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| (text.to_owned(), token.starts_with(WORD_MARKS)))
    }

    /// Id of the piece that is this one character (grapheme) and nothing else, as it is or as the tokenizer normalises
    /// it; where there is none, of the last piece it is spelt by.
    pub fn char_id(&self, grapheme: &str) -> u32 {
        let inner = match &self.inner {
            Inner::Pieces(inner) => inner,
            Inner::Words(vocabulary) => return vocabulary.id(grapheme).unwrap_or(self.unknown),
        };
        let known = |piece: &str| inner.token_to_id(piece);
        let spelt = || inner.encode(grapheme, false).ok()?.get_ids().last().copied();
        known(grapheme).or_else(|| known(&normalised(inner, grapheme)?)).or_else(spelt).unwrap_or(self.unknown)
    }
}

fn normalised(inner: &tokenizers::Tokenizer, text: &str) -> Option<String> {
    let mut normalised = NormalizedString::from(text);
    inner.get_normalizer()?.normalize(&mut normalised).ok()?;
    Some(normalised.get().to_owned())
}

/// Keeps the first `room` words. A text without any is one unknown word: a network wants something to read.
fn cut_words(words: Vec<(u32, Range<usize>)>, room: usize, unknown: u32) -> Pieces {
    let cut_at = words.get(room).map(|(_, range)| range.start);
    let (mut ids, mut ranges): (Vec<u32>, Vec<Range<usize>>) = words.into_iter().take(room).unzip();
    if ids.is_empty() {
        ids.push(unknown);
        ranges.push(0..0);
    }
    Pieces { ids, ranges, cut_at }
}

/// Keeps the special pieces and the first `room` others.
fn cut(text: &str, encoding: &tokenizers::Encoding, room: usize) -> Pieces {
    let mut pieces = Pieces::default();
    let mut kept = 0;
    let rows = encoding.get_ids().iter().zip(encoding.get_offsets()).zip(encoding.get_special_tokens_mask()).zip(encoding.get_tokens());
    for (((id, offsets), special), token) in rows {
        if *special == 1 {
            pieces.ids.push(*id);
            pieces.ranges.push(0..0);
            continue;
        }
        let range = if is_word_mark(token) { offsets.0..offsets.0 } else { trimmed(text, offsets.0..offsets.1) };
        if kept < room {
            kept += 1;
            pieces.ids.push(*id);
            pieces.ranges.push(range);
        } else if pieces.cut_at.is_none() && !range.is_empty() {
            pieces.cut_at = Some(range.start);
        }
    }
    pieces
}

/// The mark of a word's start standing alone. At the start of a text it claims the first character, which belongs
/// to the piece after it.
fn is_word_mark(token: &str) -> bool {
    matches!(token, "▁" | "Ġ")
}

const WORD_MARKS: [char; 2] = ['▁', 'Ġ'];

fn trimmed(text: &str, bytes: Range<usize>) -> Range<usize> {
    let Some(slice) = text.get(bytes.clone()) else { return bytes.start..bytes.start };
    let start = bytes.start + (slice.len() - slice.trim_start().len());
    let end = bytes.start + slice.trim_end().len();
    start..end.max(start)
}
