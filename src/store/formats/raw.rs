//! What a parser makes of a file before offsets are understood: names and numbers as the file has them.

use super::loss::Losses;
use super::offsets::Unit;
use crate::project::{Number, Polarity, Split, State};
use crate::store::encoding::DAMAGE;
use crate::store::import::{DraftAnswer, DraftValue};
use std::collections::BTreeMap;
use std::ops::Range;

/// A file as parsed. Rows that made no sense are in `bad`, with what is wrong after "Row 3 of x.json".
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub docs: Vec<RawDoc>,
    pub bad: Vec<(usize, String)>,
    pub blank: usize,
    /// Rows that brought the answers of another annotator to the text of a row before.
    pub joined: usize,
    /// Rows that repeat the text of a row before and bring nothing.
    pub repeated: usize,
    pub losses: Losses,
}

impl Parsed {
    /// Takes a row, or the reason why it can't be taken.
    pub(super) fn push(&mut self, row: usize, doc: Result<RawDoc, String>) {
        match doc {
            Ok(doc) => self.docs.push(doc),
            Err(reason) => self.bad.push((row, reason)),
        }
    }
}

/// Why a file is refused that is no text, for formats whose lines may hold anything.
pub(super) const NO_TEXT: &str = "much of it is no text, whatever its encoding";

/// Whether a file holds words rather than a picture or an archive, by its beginning.
pub(super) fn is_text(text: &str) -> bool {
    const BEGINNING: usize = 1 << 20;
    // Where other files say what they are.
    const SIGNATURE: usize = 8;
    let is_control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    let (mut all, mut odd) = (0, 0);
    for c in text.chars().take(BEGINNING) {
        all += 1;
        odd += usize::from(c == DAMAGE || is_control(&c));
    }
    odd * 10 <= all && !text.chars().take(SIGNATURE).any(|c| is_control(&c))
}

/// A text with what is said about it.
#[derive(Clone, Debug, Default)]
pub(super) struct RawDoc {
    pub row: usize,
    pub text: String,
    /// Classes of the main question, where the file does not name the question; mostly one.
    pub classes: Vec<String>,
    /// Answer by question.
    pub answers: BTreeMap<String, DraftAnswer>,
    pub meta: BTreeMap<String, String>,
    pub spans: Vec<RawSpan>,
    pub links: Vec<RawLink>,
    pub state: State,
    /// Where the row itself says what its offsets count.
    pub unit: Option<Unit>,
    pub split: Option<Split>,
    /// What each annotator said of the same text, by name, where there are several.
    pub layers: Vec<(String, RawDoc)>,
}

/// A span with its place as the file gives it.
#[derive(Clone, Debug)]
pub(super) struct RawSpan {
    /// Told apart by this within its text.
    pub key: String,
    pub place: Place,
    pub label: String,
    pub polarity: Option<Polarity>,
    /// What is said of it beside the polarity, by name.
    pub attributes: BTreeMap<String, DraftValue>,
    /// The words that the file says are there.
    pub surface: Option<String>,
    /// Where it is stated, if not in the row of its text.
    pub row: Option<usize>,
}

impl RawSpan {
    pub(super) fn at_bytes(key: impl Into<String>, bytes: Range<usize>, label: &str, polarity: Option<Polarity>) -> Self {
        Self { place: Place::Bytes(bytes), polarity, ..Self::at_words(key, "", label) }.without_words()
    }

    pub(super) fn at_offsets(key: impl Into<String>, start: u64, end: u64, label: impl Into<String>) -> Self {
        let place = Place::Offsets(to_usize(start), to_usize(end));
        Self { place, ..Self::at_words(key, "", &label.into()) }.without_words()
    }

    fn without_words(self) -> Self {
        Self { surface: None, ..self }
    }

    /// Without a place: it is where its words are.
    pub(super) fn at_words(key: impl Into<String>, words: &str, label: &str) -> Self {
        let surface = Some(words.to_owned());
        Self {
            key: key.into(),
            place: Place::Words,
            label: label.to_owned(),
            polarity: None,
            attributes: BTreeMap::new(),
            surface,
            row: None,
        }
    }
}

/// A link between two spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawLink {
    /// Keys of spans.
    pub from: String,
    pub to: String,
    /// What the file calls it, if it says more than that there is one.
    pub name: Option<String>,
}

impl RawLink {
    pub(super) fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), name: None }
    }

    /// The same with a name, unless that is the one which all links have that were never called anything.
    pub(super) fn named(self, name: Option<&str>) -> Self {
        let name = name.map(str::trim).filter(|name| !name.is_empty() && *name != PLAIN_LINK);
        Self { name: name.map(str::to_owned), ..self }
    }
}

/// The name that our own exports give to links of a type that was never named: it says nothing.
pub(in crate::store) const PLAIN_LINK: &str = "about";

/// Between the parts of a span in pieces.
pub(in crate::store) const PART_LINK: &str = "part";

/// A value as tools write it: a number where that says all of it.
pub(super) fn value(words: &str) -> DraftValue {
    let words = words.trim();
    let number = words.parse().ok().and_then(Number::new).filter(|number| number.to_string() == words);
    number.map_or_else(|| DraftValue::Name(words.to_owned()), DraftValue::Number)
}

/// Whether an attribute of this name says what a person thinks of a thing. The value "Pos" of another one may be a degree of
/// comparison, "1" an intensity.
pub(in crate::store) fn is_about_polarity(name: &str) -> bool {
    let name = name.to_lowercase();
    ["polarity", "sentiment", "valence", "opinion", "极性", "情感"].iter().any(|word| name.contains(word))
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// Where a span is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a unit that is yet to be found out.
    Offsets(usize, usize),
    /// Bytes of the text, from a format that counts words.
    Bytes(Range<usize>),
    /// Wherever the stated words stand, if they stand there once.
    Words,
}

/// Polarities as tools write them. `None` for "conflict" and everything else.
pub(in crate::store) fn polarity(name: &str) -> Option<Polarity> {
    Some(match name.trim().to_lowercase().as_str() {
        "positive" | "pos" | "1" | "+1" | "+" | "正面" | "积极" | "正向" => Polarity::Positive,
        "negative" | "neg" | "-1" | "-" | "负面" | "消极" | "负向" => Polarity::Negative,
        "neutral" | "neu" | "0" | "中性" | "中立" => Polarity::Neutral,
        _ => return None,
    })
}
