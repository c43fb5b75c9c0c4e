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
    /// Rows (or documents) and examples of those after the first, up to [`Loss::MOST`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<(usize, String)>,
}

impl Loss {
    /// So many places after the first are kept of each reason.
    pub const MOST: usize = 1_000;

    /// Numbers of rows (or documents) after the first one, as "5, 9, 12"; empty where there are none.
    pub fn places(&self) -> String {
        const NAMED: usize = 8;
        let mut numbers: Vec<usize> = self.more.iter().map(|(row, _)| *row).filter(|row| *row != self.row).collect();
        numbers.dedup();
        let mut named: Vec<String> = numbers.iter().take(NAMED).map(usize::to_string).collect();
        if numbers.len() > NAMED || self.more.len() == Self::MOST {
            named.push("…".to_owned());
        }
        named.join(", ")
    }

    /// All places that are known, the first among them, with their examples.
    pub fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        let more = self.more.iter().map(|(row, example)| (*row, example.as_str()));
        std::iter::once((self.row, self.example.as_str())).chain(more)
    }

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
            Some(loss) => {
                loss.count += 1;
                if loss.more.len() < Loss::MOST {
                    loss.more.push((row, example));
                }
            }
            None => self.0.push(Loss { fate, what: what.to_owned(), count: 1, row, example, more: Vec::new() }),
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
                Some(mine) => {
                    mine.count += loss.count;
                    let room = Loss::MOST.saturating_sub(mine.more.len());
                    mine.more.extend(std::iter::once((loss.row, loss.example)).chain(loss.more).take(room));
                }
                None => self.0.push(loss),
            }
        }
    }

    pub(super) fn count(&self, fate: Fate) -> usize {
        self.0.iter().filter(|loss| loss.fate == fate).map(|loss| loss.count).sum()
    }
}

/// A list of what happened where, as CSV. With a mark, so that Excel reads it as UTF-8.
pub(in crate::store) fn write_list(head: &str, mut rows: Vec<(usize, String)>) -> Vec<u8> {
    rows.sort_by_key(|(row, _)| *row); // stable: what concerns one row stays in order
    let mut list = format!("\u{feff}{head}\n");
    for (row, cells) in rows {
        list += &format!("{row},{cells}\n");
    }
    list.into_bytes()
}

/// A cell of [`write_list`].
pub(in crate::store) fn list_cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
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
