//! What the offsets of a file count. Files don't say, so each unit is tried and the one under which spans fit is taken.

use super::Kind;
use super::raw::{Parsed, Place, RawSpan};
use crate::project::TextRange;
use unicode_segmentation::UnicodeSegmentation;

/// What an offset counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    CodePoints,
    Utf16,
    Graphemes,
    Bytes,
}

impl Unit {
    /// In the order in which they are preferred.
    pub const ALL: [Self; 4] = [Self::CodePoints, Self::Utf16, Self::Graphemes, Self::Bytes];

    pub fn name(self) -> &'static str {
        match self {
            Self::CodePoints => "code points",
            Self::Utf16 => "UTF-16 units",
            Self::Graphemes => "graphemes",
            Self::Bytes => "bytes of UTF-8",
        }
    }

    /// As it is written on a command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::CodePoints => "codepoints",
            Self::Utf16 => "utf16",
            Self::Graphemes => "graphemes",
            Self::Bytes => "bytes",
        }
    }

    /// As a file states it.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }
}

const HALF: usize = usize::MAX;

/// Byte places of the offsets of one text.
pub(super) enum Ruler {
    /// All units count alike.
    Plain(usize),
    Full {
        /// Code points, UTF-16 units (`HALF` inside a pair), graphemes.
        places: [Vec<usize>; 3],
        boundaries: usize,
    },
}

impl Ruler {
    pub(super) fn new(text: &str) -> Self {
        // A carriage return with its line feed is one grapheme.
        if text.is_ascii() && !text.contains('\r') {
            return Self::Plain(text.len());
        }
        let end = std::iter::once(text.len());
        let chars = text.char_indices().map(|(at, _)| at).chain(end.clone()).collect();
        let units = text.char_indices().flat_map(|(at, c)| std::iter::once(at).chain((c.len_utf16() == 2).then_some(HALF)));
        let utf16 = units.chain(end.clone()).collect();
        let graphemes = text.grapheme_indices(true).map(|(at, _)| at).chain(end).collect();
        Self::Full { places: [chars, utf16, graphemes], boundaries: text.len() }
    }

    /// Byte place of an offset; `HALF` inside a character. `None` beyond the text.
    fn byte(&self, text: &str, unit: Unit, offset: usize) -> Option<usize> {
        let place = |places: &[Vec<usize>; 3], at: usize| places[at].get(offset).copied();
        match (self, unit) {
            (Self::Plain(length), _) => (offset <= *length).then_some(offset),
            (Self::Full { places, .. }, Unit::CodePoints) => place(places, 0),
            (Self::Full { places, .. }, Unit::Utf16) => place(places, 1),
            (Self::Full { places, .. }, Unit::Graphemes) => place(places, 2),
            (Self::Full { boundaries, .. }, Unit::Bytes) if offset <= *boundaries => {
                Some(if text.is_char_boundary(offset) { offset } else { HALF })
            }
            (Self::Full { .. }, Unit::Bytes) => None,
        }
    }

    fn range(&self, text: &str, unit: Unit, start: usize, end: usize) -> Result<TextRange, &'static str> {
        if end == start {
            return Err("is empty");
        }
        if end < start {
            return Err("ends before it starts");
        }
        let (Some(from), Some(to)) = (self.byte(text, unit, start), self.byte(text, unit, end)) else {
            return Err("lies outside its text");
        };
        if from == HALF || to == HALF {
            return Err("cuts a character in half");
        }
        TextRange::new(text, from..to).ok_or("cuts a character in half")
    }
}

/// What became of a span.
pub(super) enum Placed {
    Kept(TextRange),
    /// With what was done to it.
    Clipped(TextRange, &'static str),
    /// With the reason.
    Dropped(&'static str),
}

/// Puts a span into its text.
pub(super) fn put(text: &str, ruler: &Ruler, unit: Unit, span: &RawSpan) -> Placed {
    let (start, end) = match &span.place {
        Place::Bytes(bytes) => {
            let range = TextRange::new(text, bytes.clone());
            return range.map_or(Placed::Dropped("lies outside its text"), Placed::Kept);
        }
        Place::Words => return put_by_words(text, span.surface.as_deref().unwrap_or_default()),
        Place::Offsets(start, end) => (*start, *end),
    };
    let read = ruler.range(text, unit, start, end);
    let Some(surface) = span.surface.as_deref().filter(|surface| !surface.trim().is_empty()) else {
        return match read {
            Ok(range) => Placed::Kept(range),
            Err(reason) => {
                let is_beyond = end > start && ruler.byte(text, unit, end).is_none();
                cut(text, ruler, unit, start).filter(|_| is_beyond).map_or(Placed::Dropped(reason), at_the_end)
            }
        };
    };
    match read {
        Ok(range) if is_same(range.of(text), surface) => Placed::Kept(range),
        _ => match only_place(text, surface) {
            Some(range) => Placed::Clipped(range, "did not stand where the file says and was put where its words are"),
            None => Placed::Dropped(read.err().unwrap_or("has other words in the file than in the text")),
        },
    }
}

fn put_by_words(text: &str, words: &str) -> Placed {
    match (only_place(text, words), text.matches(words).count()) {
        (Some(range), _) => Placed::Clipped(range, "had no place and was put where its words are"),
        (None, 0) => Placed::Dropped("has no place, and its words are not in its text"),
        (None, _) => Placed::Dropped("has no place, and its words stand more than once in its text"),
    }
}

fn at_the_end(range: TextRange) -> Placed {
    Placed::Clipped(range, "reached beyond the end of its text and was cut there")
}

/// From an offset inside the text to its end.
fn cut(text: &str, ruler: &Ruler, unit: Unit, start: usize) -> Option<TextRange> {
    let from = ruler.byte(text, unit, start).filter(|from| *from != HALF)?;
    let end = from + text.get(from..)?.trim_end().len();
    TextRange::new(text, from..end)
}

/// Equal but for white space: some tools write a line break as a space, or two spaces as one. Of nothing but white space
/// each character counts, or a unit in which a line's end is one would seem to fit.
fn is_same(found: &str, surface: &str) -> bool {
    if surface.chars().all(is_space) {
        return found.chars().all(is_space) && found.chars().count() == surface.chars().count();
    }
    let words = |text| str::split(text, is_space).filter(|word| !word.is_empty());
    found == surface || words(found).eq(words(surface))
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn only_place(text: &str, surface: &str) -> Option<TextRange> {
    let mut places = text.match_indices(surface);
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    TextRange::new(text, at..at + surface.len())
}

/// The unit of a file, and why it could not be told for certain. Where several fit alike, the tool's own is taken.
pub(super) fn choose(parsed: &Parsed, kind: Kind) -> (Unit, Option<String>) {
    let mut fits = [0usize; 4];
    // Whether two units give another place somewhere.
    let mut differ = [[false; 4]; 4];
    for doc in parsed.docs.iter().filter(|doc| doc.unit.is_none()) {
        let ruler = Ruler::new(&doc.text);
        if matches!(ruler, Ruler::Plain(_)) {
            continue;
        }
        for span in &doc.spans {
            let Place::Offsets(start, end) = span.place else { continue };
            let readings = Unit::ALL.map(|unit| ruler.range(&doc.text, unit, start, end).ok());
            if readings.iter().all(|reading| *reading == readings[0]) {
                continue;
            }
            for (at, reading) in readings.iter().enumerate() {
                (0..4).for_each(|other| differ[at][other] |= *reading != readings[other]);
                fits[at] += usize::from(reading.is_some_and(|range| stands_well(&doc.text, range, span.surface.as_deref())));
            }
        }
    }
    let most = fits.iter().copied().max().unwrap_or(0);
    let own = usual(kind);
    let is_own = fits[own] == most && differ[own].contains(&true);
    let first = if is_own { own } else { fits.iter().position(|count| *count == most).unwrap_or(0) };
    let rival = (0..4).find(|at| fits[*at] == most && differ[first][*at] && most > 0);
    let doubt = rival.map(|at| {
        let (taken, other) = (Unit::ALL[first].name(), Unit::ALL[at].name());
        format!("{other} would fit as well and give other places; {taken} were taken")
    });
    (Unit::ALL[first], doubt)
}

/// Place among [`Unit::ALL`] of what a tool counts unless it is set otherwise: doccano's editor asks JavaScript.
fn usual(kind: Kind) -> usize {
    if kind == Kind::Doccano { 1 } else { 0 }
}

/// Whether a reading looks as a person would mark: the stated words, or whole words without space and punctuation around.
fn stands_well(text: &str, range: TextRange, surface: Option<&str>) -> bool {
    if let Some(surface) = surface {
        return is_same(range.of(text), surface);
    }
    let in_word = |c: char| c.is_alphanumeric() && !super::tokens::is_wide(c);
    let cuts = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at..].chars().next();
        before.is_some_and(in_word) && after.is_some_and(in_word)
    };
    let halves = |at: usize| {
        let around = text[at..]
            .chars()
            .next()
            .is_some_and(|c| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'));
        around || text[..at].ends_with('\u{200d}')
    };
    range.trimmed(text) == Some(range) && ![range.start(), range.end()].into_iter().any(|at| cuts(at) || halves(at))
}
