//! Reviews from files: CSV, TSV, JSON Lines, Parquet, plain text, and our own JSON Lines with labels and spans.
//!
//! Every row of the file is accounted for: imported, blank, a duplicate, or an issue with its number and reason.
//! Texts come in byte for byte. Nothing here changes a project; [`edits`] says how a project would take the rows in.
//! Call [`read`] and [`preview`] from a plain thread: Parquet is read by polars, which has a thread pool of its own.

use super::encoding::DAMAGE;
use super::formats::{self, SpanReport};
pub use super::jsonl::OwnProject;
use super::pieces::Pieces;
use super::{StoreError, jsonl, table};
use crate::project::{CONVERSATION, Comment, Document, Meta, Number, Polarity, Rejected, Split, State, TURN, TextRange};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::ops::ControlFlow;
use std::path::Path;

mod format;
mod guess;
mod options;
mod roles;
mod rows;
mod take_in;

pub use format::Format;
pub(super) use guess::TEXT_NAMES;
pub use options::{ImportOptions, Look, TurnColumns};
pub(super) use roles::{Roles, part, parts_of};
pub use take_in::{Ground, Plan, Restored, edits, plan};

/// A column, by its name or its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    Name(String),
    /// From 1.
    Number(usize),
}

impl Column {
    /// "review" is a name, "2" the second column.
    pub fn parse(text: &str) -> Self {
        match text.trim().parse() {
            Ok(number) if number > 0 => Self::Number(number),
            _ => Self::Name(text.to_owned()),
        }
    }

    /// Place of the column among `names`, from 0. A column that is really called "2" wins over the second one.
    fn find(&self, names: &[String]) -> Option<usize> {
        match self {
            Self::Name(name) => {
                let exact = names.iter().position(|other| other == name);
                exact.or_else(|| names.iter().position(|other| other.trim().eq_ignore_ascii_case(name.trim())))
            }
            Self::Number(number) => {
                let called = names.iter().position(|name| name.trim() == number.to_string());
                called.or_else(|| Some(number - 1).filter(|at| *at < names.len()))
            }
        }
    }
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The head of a file, to choose columns by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Guessed from the bytes.
    pub encoding: &'static str,
    pub format: Format,
    /// Whether it is what this program writes: everything in it comes back.
    pub is_own: bool,
    /// "1", "2", … where there is no header.
    pub columns: Vec<String>,
    /// The first 20 rows below the header.
    pub rows: Vec<Vec<String>>,
    /// Whether the first row looks like names of columns (CSV, TSV and Excel).
    pub header_guess: bool,
    /// How the file was looked at: with what was asked for, and what was found out.
    pub look: Look,
    /// Sheets of a workbook.
    pub sheets: Vec<String>,
    /// The different cells of each column, where they are few: what a label can be.
    pub values: Vec<Vec<String>>,
    /// Places in `columns`.
    pub text_guess: usize,
    pub label_guess: Option<usize>,
    /// What the offsets of an annotated file count.
    pub unit: Option<&'static str>,
    /// Why that could not be told for certain: then a person says it in [`Look::unit`].
    pub unit_doubt: Option<String>,
}

/// A row on its way into a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Row of the file it comes from.
    pub row: usize,
    pub text: String,
    pub label: Option<String>,
    pub meta: BTreeMap<String, String>,
    pub split: Option<Split>,
    /// What our own files say about a document.
    pub annotation: Option<DraftAnnotation>,
    /// What they say in their first row about the project it is from.
    pub project: Option<Box<OwnProject>>,
}

/// An annotation by names instead of places in a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftAnnotation {
    /// Answer by question.
    pub answers: BTreeMap<String, DraftAnswer>,
    pub spans: Vec<DraftSpan>,
    /// `(from, to)`, ids of spans.
    pub links: Vec<(u32, u32)>,
    /// Suggestions that were turned down.
    pub rejected: BTreeSet<Rejected>,
    /// What is said of spans beside their polarity, by id and name of the attribute.
    pub attributes: BTreeMap<u32, BTreeMap<String, DraftValue>>,
    /// Names of the types of links; a link that is not here is of the first type.
    pub link_types: BTreeMap<(u32, u32), String>,
    pub state: State,
    pub skip_reason: String,
    pub flagged: bool,
    /// What each annotator said, by name.
    pub layers: BTreeMap<String, DraftAnnotation>,
    pub comments: Vec<Comment>,
    /// The names are another tool's: a label that comes with polarities gets them, whatever the schema said.
    pub foreign: bool,
    /// The file asks one question: if the schema has none of its name, the main one is meant.
    pub one_question: bool,
}

/// An answer by names. Which kind it has in the project, the question there decides where there is one.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftAnswer {
    Class(String),
    Classes(Vec<String>),
    Number(Number),
    Text(String),
}

impl DraftAnswer {
    /// The class, where it is just one.
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Class(name) => Some(name),
            _ => None,
        }
    }
}

/// An attribute's value by its name, or a number.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum DraftValue {
    Name(String),
    Number(Number),
}

/// A span by the name of its label.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftSpan {
    pub id: u32,
    pub range: TextRange,
    pub label: String,
    pub polarity: Option<Polarity>,
}

/// Something a person should know about one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowIssue {
    /// From 1, the header and blank lines counted, as a spreadsheet or editor shows it.
    pub row: usize,
    /// Goes on after "Row 14 of reviews.csv": "has 3 columns, the header has 4".
    pub reason: String,
    /// Whether the row stayed outside. If not, this is a remark.
    pub skipped: bool,
}

impl RowIssue {
    /// "Row 14 of reviews.csv has 3 columns, the header has 4. The row was skipped."
    pub fn sentence(&self, file: &str) -> String {
        let Self { row, reason, skipped } = self;
        format!("Row {row} of {file} {reason}.{}", if *skipped { " The row was skipped." } else { "" })
    }
}

/// What became of the rows of a file: `rows == imported + duplicates_in_file + duplicates_in_project + skipped`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportReport {
    /// Name of the file.
    pub file: String,
    pub format: &'static str,
    pub encoding: &'static str,
    /// Whether the first row was taken for names of columns, where it can be.
    pub header: Option<bool>,
    /// Rows with something in them, the header not counted.
    pub rows: usize,
    pub imported: usize,
    /// Lines with nothing in them.
    pub blank: usize,
    /// Rows left out for a reason that `issues` names.
    pub skipped: usize,
    /// Rows whose text came before in the file.
    pub duplicates_in_file: usize,
    /// Rows among those whose text came before, which bring the answer of another annotator to it.
    pub joined: usize,
    /// Rows whose text is in the project already.
    pub duplicates_in_project: usize,
    /// In order of the file.
    pub issues: Vec<RowIssue>,
    /// Rows imported with each label.
    pub labels: BTreeMap<String, usize>,
    /// Columns that could not be read and were left out.
    pub columns_left_out: Vec<String>,
    /// What became of the spans of a file of another tool.
    pub spans: Option<SpanReport>,
    /// Steps of the journal that come along, where the rows are a whole project.
    pub journal: Option<usize>,
}

impl ImportReport {
    /// Writes the remarks as CSV: row, whether it was skipped, and why; of what happened to spans the first thousand places
    /// of each reason.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save_issues(&self, path: &Path) -> Result<(), StoreError> {
        let row = |row, skipped, reason: &str| (row, format!("{skipped},{}", formats::list_cell(reason)));
        let issues = self.issues.iter().map(|issue| row(issue.row, issue.skipped, &issue.reason));
        let losses = self.spans.iter().flat_map(|spans| &spans.losses);
        let more = losses.flat_map(|loss| {
            loss.more.iter().map(|(at, example)| match example.as_str() {
                "" => row(*at, false, &loss.what),
                example => row(*at, false, &format!("{} ({example})", loss.what)),
            })
        });
        let list = formats::write_list("row,skipped,reason", issues.chain(more).collect());
        super::write_atomically(path, &list).map_err(StoreError::io("Saving the list", path))
    }
}

/// The rows that can come in, and what became of all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    pub drafts: Vec<Draft>,
    pub report: ImportReport,
}

/// Hears the share done (0 to 1) and the rows so far, at least every 1,000 rows; may end the import.
pub type Progress<'a> = &'a mut dyn FnMut(f32, usize) -> ControlFlow<()>;

/// Stable within one run of the program: for finding equal texts, not for storing.
pub fn text_hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Stands for what a document says and where: equal texts are one document, but in conversations, where each turn is one.
pub fn document_hash(doc: &Document) -> u64 {
    hash_of(&doc.text, &doc.meta)
}

/// [`document_hash`] of a document with this text and these fields.
pub fn hash_of(text: &str, meta: &Meta) -> u64 {
    turn_hash(text, meta.get(CONVERSATION), meta.get(TURN))
}

fn turn_hash(text: &str, conversation: Option<&str>, turn: Option<&str>) -> u64 {
    match conversation {
        Some(conversation) => text_hash(&format!("{conversation}\u{1}{}\u{1}{text}", turn.unwrap_or_default())),
        None => text_hash(text),
    }
}

/// Reads the head of a file. `header` overrules the guess whether the first row names the columns.
///
/// # Errors
/// The file is missing, can't be read, or is of no known kind.
pub fn preview(path: &Path, header: Option<bool>) -> Result<Preview, StoreError> {
    guess::preview(path, &Look { header, ..Look::default() })
}

/// Like [`preview`], where more is known about the file.
///
/// # Errors
/// As for [`preview`].
pub fn preview_as(path: &Path, look: &Look) -> Result<Preview, StoreError> {
    guess::preview(path, look)
}

/// Reads a whole file. `existing` holds the [`document_hash`] of every document of the project. `None` when `progress` ended it.
///
/// # Errors
/// The file can't be read at all, or lacks a chosen column. Trouble with single rows is in the report.
pub fn read(path: &Path, options: &ImportOptions, existing: &HashSet<u64>, progress: Progress) -> Result<Option<Imported>, StoreError> {
    if progress(0.0, 0).is_break() {
        return Ok(None);
    }
    let format = guess::known(path, &options.look())?;
    let mut intake = Intake::new(path, options, format, existing, progress);
    intake.report.header = format.may_have_header().then_some(options.header);
    let done = match format {
        Format::Annotated(kind) => formats::read(kind, path, &mut intake)?,
        Format::Parquet => table::read(path, options, &mut intake)?,
        Format::Xlsx => rows::read_sheet(path, &mut intake)?,
        _ => {
            let mut pieces = Pieces::open(path, options.charset)?;
            intake.report.encoding = pieces.encoding;
            match format.delimiter() {
                Some(delimiter) => rows::read_delimited(&mut pieces, delimiter, &mut intake)?,
                None if format == Format::Jsonl => jsonl::read(pieces, &mut intake)?,
                None => rows::read_lines(&mut pieces, &mut intake)?,
            }
        }
    };
    if done.is_break() || (intake.progress)(1.0, intake.report.rows).is_break() {
        return Ok(None);
    }
    Ok(Some(intake.finish()))
}

/// A text that came before: where, with which label, and as which draft.
struct Seen {
    row: usize,
    label: Option<String>,
    draft: usize,
}

/// Collects rows: looks for what is wrong with them, for duplicates, and keeps the counts.
pub(super) struct Intake<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a ImportOptions,
    existing: &'a HashSet<u64>,
    progress: Progress<'a>,
    /// Row and label of every text so far.
    seen: HashMap<u64, Seen>,
    labels: BTreeSet<String>,
    /// Turns so far of each conversation whose turns have no number.
    turns: HashMap<String, usize>,
    drafts: Vec<Draft>,
    /// Rows that bring labels to texts that the project has.
    known: Option<Known>,
    pub(super) report: ImportReport,
    since_progress: usize,
}

/// Labelled rows whose texts are in the project already: the first one, and how many.
struct Known {
    first: usize,
    count: usize,
}

impl Known {
    fn issue(self) -> RowIssue {
        let reason = match self.count {
            1 => "has a text that is in the project already; the labels it brings were left out".to_owned(),
            count => format!("is the first of {count} whose text is in the project already; the labels they bring were left out"),
        };
        RowIssue { row: self.first, reason, skipped: false }
    }
}

impl<'a> Intake<'a> {
    const PROGRESS_EVERY: usize = 500;
    const MOST_LABELS: usize = 100;

    fn new(path: &'a Path, options: &'a ImportOptions, format: Format, existing: &'a HashSet<u64>, progress: Progress<'a>) -> Self {
        let report = ImportReport { file: file_name(path), format: format.name(), encoding: "UTF-8", ..ImportReport::default() };
        Self {
            path,
            options,
            existing,
            progress,
            seen: HashMap::new(),
            labels: BTreeSet::new(),
            turns: HashMap::new(),
            drafts: Vec::new(),
            known: None,
            report,
            since_progress: 0,
        }
    }

    /// To be called for every row: tells how far we are, now and then, and whether to go on.
    pub(super) fn tick(&mut self, share: f32) -> ControlFlow<()> {
        self.since_progress += 1;
        if self.since_progress < Self::PROGRESS_EVERY {
            return ControlFlow::Continue(());
        }
        self.since_progress = 0;
        (self.progress)(share.clamp(0.0, 1.0), self.report.rows)
    }

    /// A row that can't come in.
    pub(super) fn skip(&mut self, row: usize, reason: impl Into<String>) {
        self.report.rows += 1;
        self.report.skipped += 1;
        self.report.issues.push(RowIssue { row, reason: reason.into(), skipped: true });
    }

    pub(super) fn remark(&mut self, row: usize, reason: impl Into<String>) {
        self.report.issues.push(RowIssue { row, reason: reason.into(), skipped: false });
    }

    pub(super) fn blank(&mut self) {
        self.report.blank += 1;
    }

    /// Rows whose text came before and whose spans were joined with those of the first.
    pub(super) fn joined(&mut self, rows: usize) {
        self.report.rows += rows;
        self.report.duplicates_in_file += rows;
    }

    pub(super) fn count_label(&mut self, label: &str) {
        *self.report.labels.entry(label.to_owned()).or_default() += 1;
    }

    /// A row that could be told apart into its columns. Whether it comes in.
    ///
    /// # Errors
    /// The label column turns out to hold no classes.
    pub(super) fn take(&mut self, mut draft: Draft) -> Result<bool, StoreError> {
        let row = draft.row;
        let damaged = |text: &String| text.contains(DAMAGE);
        if damaged(&draft.text) || draft.label.iter().chain(draft.meta.values()).any(damaged) {
            self.skip(row, format!("holds bytes that are no {}", self.report.encoding));
            return Ok(false);
        }
        if draft.text.trim().is_empty() {
            self.skip(row, "has an empty text");
            return Ok(false);
        }
        if u32::try_from(draft.text.len()).is_err() {
            self.skip(row, "has a text longer than 4 GB");
            return Ok(false);
        }
        draft.label = draft.label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        if let Some(label) = &draft.label
            && !self.labels.contains(label)
        {
            if self.labels.len() == Self::MOST_LABELS {
                let column = self.options.label.as_ref().map_or_else(|| "class".to_owned(), Column::to_string);
                return Err(StoreError::TooManyLabels { column, limit: Self::MOST_LABELS, path: self.path.to_owned() });
            }
            self.labels.insert(label.clone());
        }
        self.count_turn(&mut draft);
        let field = |name: &str| draft.meta.get(name).map(String::as_str);
        let hash = turn_hash(&draft.text, field(CONVERSATION), field(TURN));
        if let Some(Seen { row: first, label, draft: at }) = self.seen.get(&hash) {
            self.report.duplicates_in_file += 1;
            let layers = draft.annotation.as_mut().filter(|_| draft.label.is_none()).map(|said| std::mem::take(&mut said.layers));
            if let (Some(layers), Some(into)) = (layers.filter(|layers| !layers.is_empty()), self.drafts.get_mut(*at)) {
                roles::join(into, layers);
                self.report.rows += 1;
                self.report.joined += 1;
                return Ok(false);
            }
            if *label != draft.label && draft.label.is_some() {
                let (first, kept, other) = (*first, name_or_none(label.as_deref()), name_or_none(draft.label.as_deref()));
                self.remark(row, format!("repeats row {first} with another label ({other} instead of {kept}); the first one was kept"));
            } else if let Some(what) = self.drafts.get(*at).and_then(|held| said_otherwise(held, &draft)) {
                let first = *first;
                self.remark(row, format!("repeats row {first} with other {what}; those of the first one were kept"));
            }
            self.report.rows += 1;
            return Ok(false);
        }
        self.report.rows += 1;
        if self.existing.contains(&hash) {
            self.report.duplicates_in_project += 1;
            if draft.label.is_some() || draft.annotation.as_ref().is_some_and(says_something) {
                self.known.get_or_insert(Known { first: row, count: 0 }).count += 1;
            }
            return Ok(false);
        }
        self.seen.insert(hash, Seen { row, label: draft.label.clone(), draft: self.drafts.len() });
        if let Some(label) = &draft.label {
            *self.report.labels.entry(label.clone()).or_default() += 1;
        }
        draft.split = self.options.split.or(draft.split);
        self.drafts.push(draft);
        Ok(true)
    }

    /// A turn of a conversation without a number gets its place among the rows as one.
    fn count_turn(&mut self, draft: &mut Draft) {
        let Some(conversation) = draft.meta.get(CONVERSATION).filter(|_| !draft.meta.contains_key(TURN)) else { return };
        let turn = self.turns.entry(conversation.clone()).or_default();
        *turn += 1;
        draft.meta.insert(TURN.to_owned(), turn.to_string());
    }

    fn finish(self) -> Imported {
        let Self { mut drafts, mut report, .. } = self;
        roles::settle(&mut drafts, &mut report.labels, self.options.annotator.is_some());
        report.issues.extend(self.known.map(Known::issue));
        report.imported = drafts.len();
        report.issues.sort_by_key(|issue| issue.row); // stable: issues of one row stay in order
        Imported { drafts, report }
    }

    /// Place of a wanted column among `names`.
    ///
    /// # Errors
    /// [`StoreError::NoColumn`].
    pub(super) fn column(&self, wanted: &Column, names: &[String]) -> Result<usize, StoreError> {
        wanted.find(names).ok_or_else(|| StoreError::NoColumn {
            column: formats::short(&wanted.to_string()),
            have: names.iter().take(50).map(|name| formats::short(name)).collect::<Vec<_>>().join(", "),
            path: self.path.to_owned(),
        })
    }
}

/// Whether an annotation holds more than its state.
fn says_something(said: &DraftAnnotation) -> bool {
    !said.answers.is_empty() || !said.spans.is_empty() || said.layers.values().any(says_something)
}

/// What a row says about a text otherwise than the one that came before.
fn said_otherwise(held: &Draft, other: &Draft) -> Option<&'static str> {
    let nothing = DraftAnnotation::default();
    let held = held.annotation.as_ref().unwrap_or(&nothing);
    let other = other.annotation.as_ref()?;
    if !other.answers.is_empty() && other.answers != held.answers {
        return Some("answers");
    }
    let spans = |said: &DraftAnnotation| -> BTreeSet<_> {
        said.spans.iter().map(|span| (span.range.start(), span.range.end(), span.label.clone(), span.polarity)).collect()
    };
    if !other.spans.is_empty() && spans(other) != spans(held) {
        return Some("spans");
    }
    let is_new = |(name, said): (&String, &DraftAnnotation)| says_something(said) && held.layers.get(name) != Some(said);
    other.layers.iter().any(is_new).then_some("answers of annotators")
}

fn name_or_none(label: Option<&str>) -> String {
    label.map_or_else(|| "none".to_owned(), |label| format!("{label:?}"))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
