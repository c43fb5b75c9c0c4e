//! What a file and a project can't tell each other: counted, with the first place and an example.

use serde::Serialize;

/// What became of the thing that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// A span that came over in part, or at another place.
    Clipped,
    /// A span that did not come over.
    Dropped,
    /// Anything else: a second answer, a link without its name.
    Noted,
}

/// Something that was lost for one reason, perhaps many times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    pub fate: Fate,
    /// "a span lies outside its text and was dropped".
    pub what: String,
    pub count: usize,
    /// The row of the first one; for an export, the number of its document, from 1.
    pub row: usize,
    /// From the first one.
    pub example: String,
}

impl Loss {
    /// Goes on after "Row 4 of reviews.json": "is the first of 3 places where a span lies outside its text and was dropped".
    pub fn reason(&self) -> String {
        let place = if self.count > 1 { format!("is the first of {} places where", self.count) } else { "is where".to_owned() };
        let example = if self.example.is_empty() { String::new() } else { format!(" ({})", self.example) };
        format!("{place} {}{example}", self.what)
    }
}

/// Losses, one for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Losses(pub(in crate::store) Vec<Loss>);

impl Losses {
    pub(in crate::store) fn add(&mut self, fate: Fate, what: impl AsRef<str>, row: usize, example: impl AsRef<str>) {
        let (what, example) = (what.as_ref(), short(example.as_ref()));
        match self.0.iter_mut().find(|loss| loss.fate == fate && loss.what == what) {
            Some(loss) => loss.count += 1,
            None => self.0.push(Loss { fate, what: what.to_owned(), count: 1, row, example }),
        }
    }

    pub(in crate::store) fn note(&mut self, what: impl AsRef<str>, row: usize, example: impl AsRef<str>) {
        self.add(Fate::Noted, what, row, example);
    }

    pub(super) fn drop_span(&mut self, why: &str, row: usize, example: impl AsRef<str>) {
        self.add(Fate::Dropped, format!("a span {why} and was dropped"), row, example);
    }

    pub(super) fn join(&mut self, other: Self) {
        for loss in other.0 {
            match self.0.iter_mut().find(|mine| mine.fate == loss.fate && mine.what == loss.what) {
                Some(mine) => mine.count += loss.count,
                None => self.0.push(loss),
            }
        }
    }

    pub(super) fn count(&self, fate: Fate) -> usize {
        self.0.iter().filter(|loss| loss.fate == fate).map(|loss| loss.count).sum()
    }
}

/// At most so much of a text as a sentence can hold, on one line.
pub(in crate::store) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { line + "…" } else { line }
}

/// What became of the spans of an annotated file: every span it holds is kept, clipped or dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpanReport {
    /// Came over as they were.
    pub kept: usize,
    /// Came over in part, or were put where their words are.
    pub clipped: usize,
    pub dropped: usize,
    /// What the offsets of the file count; `None` where it has none.
    pub unit: Option<&'static str>,
    /// Why the unit could not be told for certain.
    pub unit_doubt: Option<String>,
    /// Rows that repeat a text, whose spans were joined with those of its first row.
    pub joined_rows: usize,
    pub losses: Vec<Loss>,
}

impl SpanReport {
    /// "spans: 12 kept, 1 clipped or moved, 2 dropped; offsets count code points".
    pub fn sentence(&self) -> String {
        let Self { kept, clipped, dropped, .. } = self;
        let mut sentence = format!("spans: {kept} kept, {clipped} clipped or moved, {dropped} dropped");
        if let Some(unit) = self.unit {
            sentence += &format!("; offsets count {unit}");
        }
        if let Some(doubt) = &self.unit_doubt {
            sentence += &format!(" ({doubt})");
        }
        if self.joined_rows > 0 {
            sentence += &format!("; {} rows repeat a text and were joined with its first row", self.joined_rows);
        }
        sentence
    }
}
