//! Places in a text. Inside Gloss every offset is a byte offset in a checked [`TextRange`];
//! code points exist only at borders (egui cursors, files).

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A non-empty byte range known to lie on character boundaries of the text it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TextRange {
    start: u32,
    end: u32,
}

impl TextRange {
    /// `None` if empty, out of bounds, or cutting a character in half.
    pub fn new(text: &str, bytes: Range<usize>) -> Option<Self> {
        let end = u32::try_from(bytes.end).ok()?;
        (bytes.start < bytes.end && text.get(bytes.clone()).is_some()).then_some(Self { start: bytes.start as u32, end })
    }

    /// From code points, the unit of egui cursors and of most files. `None` as for [`TextRange::new`].
    pub fn from_chars(text: &str, chars: Range<usize>) -> Option<Self> {
        Self::new(text, char_to_byte(text, chars.start)?..char_to_byte(text, chars.end)?)
    }

    pub fn start(self) -> usize {
        self.start as usize
    }

    pub fn end(self) -> usize {
        self.end as usize
    }

    pub fn bytes(self) -> Range<usize> {
        self.start()..self.end()
    }

    /// The same place in code points.
    pub fn chars(self, text: &str) -> Range<usize> {
        byte_to_char(text, self.start())..byte_to_char(text, self.end())
    }

    /// The text of the range; empty if this is not the text it was made for.
    pub fn of(self, text: &str) -> &str {
        text.get(self.bytes()).unwrap_or_default()
    }

    pub fn fits(self, text: &str) -> bool {
        text.get(self.bytes()).is_some()
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Without white space and punctuation at either end; `None` if nothing else is in it.
    pub fn trimmed(self, text: &str) -> Option<Self> {
        let keep = |c: char| !c.is_whitespace() && !is_punctuation(c);
        let inside = self.of(text);
        let first = inside.find(keep)?;
        let (last, last_char) = inside.char_indices().rfind(|(_, c)| keep(*c))?;
        Self::new(text, self.start() + first..self.start() + last + last_char.len_utf8())
    }
}

/// Punctuation that never belongs to the edge of a span, half and full width. Symbols and emoji are not.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '#' | '@' | '%' | '*' | '^' | '~')
        || matches!(c, '\u{2010}'..='\u{2027}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}')
        || matches!(
            c,
            '！' | '（'
                | '）'
                | '，'
                | '．'
                | '：'
                | '；'
                | '？'
                | '［'
                | '］'
                | '｛'
                | '｝'
                | '｡'
                | '～'
                | '·'
                | '«'
                | '»'
                | '¿'
                | '¡'
        )
}

/// Byte offset of code point `index`; the end of the text counts as a place. `None` beyond it.
pub fn char_to_byte(text: &str, index: usize) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len())).nth(index)
}

/// Number of code points before byte `offset`.
pub fn byte_to_char(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).count()
}
