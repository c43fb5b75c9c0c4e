//! Documents out to files of other tools. What a format can't hold is counted before anything is written.

use super::formats::{Detail, Details, Fate, Joined, Loss, Losses, PLAIN_LINK, list_cell, write_list};
use super::import::DraftValue;
use super::{StoreError, jsonl};
use crate::project::{Annotation, Document, History, Link, Project, Schema, Span, SpanId, State, TextRange};
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

mod absa;
mod argilla;
mod aste;
mod brat;
mod conll;
mod csv;
mod doccano;
mod fasttext;
mod hf;
mod labelstudio;
mod prodigy;
mod semeval;
mod verify;
mod webanno;

pub use verify::{Difference, Verified, verify};

/// A format documents can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Our own: holds everything.
    Jsonl,
    Csv,
    /// Words with IOB2 tags; characters for Chinese.
    Conll,
    Doccano,
    LabelStudio,
    /// Triplets of aspect, opinion and polarity.
    Aste,
    /// Words with tags and polarities, as PyABSA reads them.
    Atepc,
    /// PyABSA's sentences with marked aspects.
    Apc,
    /// Words with one tag for aspect and polarity.
    E2e,
    /// An Excel workbook, with the columns of CSV.
    Xlsx,
    /// Prodigy's JSON Lines, which spaCy reads too.
    Prodigy,
    /// XML of the restaurants and laptops of 2014.
    SemEval14,
    /// XML of the reviews of 2015 and 2016.
    SemEval16,
    /// A folder with a text and its standoff for each document.
    Brat,
    /// A folder with a TSV for each document, as INCEpTION reads it.
    WebAnno,
    Argilla,
    /// A folder that the library `datasets` loads as it is.
    HuggingFace,
    FastText,
}

impl ExportFormat {
    pub const ALL: [Self; 18] = [
        Self::Jsonl,
        Self::Csv,
        Self::Xlsx,
        Self::Conll,
        Self::Doccano,
        Self::LabelStudio,
        Self::Prodigy,
        Self::Aste,
        Self::Atepc,
        Self::Apc,
        Self::E2e,
        Self::SemEval14,
        Self::SemEval16,
        Self::Brat,
        Self::WebAnno,
        Self::Argilla,
        Self::HuggingFace,
        Self::FastText,
    ];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "JSON Lines",
            Self::Csv => "CSV",
            Self::Conll => "CoNLL",
            Self::Doccano => "doccano",
            Self::LabelStudio => "Label Studio",
            Self::Aste => "ASTE",
            Self::Atepc => "ATEPC",
            Self::Apc => "APC",
            Self::E2e => "E2E",
            Self::Xlsx => "Excel",
            Self::Prodigy => "Prodigy",
            Self::SemEval14 => "SemEval 2014",
            Self::SemEval16 => "SemEval 2015/16",
            Self::Brat => "brat",
            Self::WebAnno => "WebAnno TSV",
            Self::Argilla => "Argilla",
            Self::HuggingFace => "Hugging Face",
            Self::FastText => "fastText",
        }
    }

    /// As it is written on a command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Conll => "conll",
            Self::Doccano => "doccano",
            Self::LabelStudio => "labelstudio",
            Self::Aste => "aste",
            Self::Atepc => "atepc",
            Self::Apc => "apc",
            Self::E2e => "e2e",
            Self::Xlsx => "xlsx",
            Self::Prodigy => "prodigy",
            Self::SemEval14 => "semeval14",
            Self::SemEval16 => "semeval16",
            Self::Brat => "brat",
            Self::WebAnno => "webanno",
            Self::Argilla => "argilla",
            Self::HuggingFace => "hf",
            Self::FastText => "fasttext",
        }
    }

    /// What the name of such a file ends in; `None` for a folder.
    pub fn extension(self) -> Option<&'static str> {
        Some(match self {
            Self::Jsonl | Self::Doccano | Self::Prodigy => "jsonl",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Conll => "conll",
            Self::LabelStudio | Self::Argilla => "json",
            Self::Aste | Self::Apc | Self::E2e | Self::FastText => "txt",
            Self::Atepc => "atepc",
            Self::SemEval14 | Self::SemEval16 => "xml",
            Self::Brat | Self::WebAnno | Self::HuggingFace => return None,
        })
    }
}

/// A file that is ready to be written, and what it does not hold.
#[derive(Clone, Debug)]
pub struct Exported {
    pub format: ExportFormat,
    /// Empty for a folder.
    pub bytes: Vec<u8>,
    /// The files of a folder by their paths in it.
    pub files: Vec<(String, Vec<u8>)>,
    /// Documents in the file.
    pub documents: usize,
    /// What the offsets in the file count, where it has any.
    pub unit: Option<&'static str>,
    /// `row` is the number of a document of the project, from 1.
    pub losses: Vec<Loss>,
}

impl Exported {
    /// Sentences about what is lost, the first document of each kind as the example, then the numbers of some more.
    pub fn sentences(&self) -> Vec<String> {
        let sentence = |loss: &Loss| {
            let example = if loss.example.is_empty() { String::new() } else { format!(" ({})", loss.example) };
            let places = loss.places();
            let then = if places.is_empty() { String::new() } else { format!(", then in {places}") };
            format!("{} × {}, first in document {}{example}{then}", loss.count, loss.what, loss.row)
        };
        self.losses.iter().map(sentence).collect()
    }

    /// Replaces the file once all is written. A folder must be new or empty.
    ///
    /// # Errors
    /// The disk is full or read-only; the old file is still there then. The folder holds something already.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        if self.format.extension().is_some() {
            return super::write_atomically(path, &self.bytes).map_err(StoreError::io("Exporting", path));
        }
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) || path.is_file() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let unfinished = super::with_suffix(path, ".new");
        let write = || {
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished)?;
            }
            fs::create_dir_all(&unfinished)?;
            for (name, bytes) in &self.files {
                let file = unfinished.join(name);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(file, bytes)?;
            }
            if path.exists() {
                fs::remove_dir(path)?;
            }
            fs::rename(&unfinished, path)?;
            super::sync_folder(path);
            Ok(())
        };
        write().map_err(StoreError::io("Exporting", path))
    }

    /// Where the side-car of an export goes: our own JSON Lines beside it, which hold all that the format can't.
    pub fn sidecar(path: &Path) -> PathBuf {
        super::with_suffix(path, ".gloss.jsonl")
    }
}

/// Writes what is lost as CSV: the document, what, and an example; of each reason the first thousand.
///
/// # Errors
/// The file can't be written.
pub fn save_losses(losses: &[Loss], path: &Path) -> Result<(), StoreError> {
    let row = |(document, what, example): (usize, &str, &str)| (document, format!("{},{}", list_cell(what), list_cell(example)));
    let all = losses.iter().flat_map(|loss| loss.all().map(|(document, example)| row((document, &loss.what, example))));
    let list = write_list("document,what,example", all.collect());
    super::write_atomically(path, &list).map_err(StoreError::io("Saving the list", path))
}

/// Makes the file of a project in memory.
///
/// # Errors
/// Only a number that JSON can't hold: not with a sound project.
pub fn export(project: &Project, format: ExportFormat) -> std::io::Result<Exported> {
    export_with(project, None, format)
}

/// [`export`] with the journal, where the format has room: ours has.
///
/// # Errors
/// As [`export`].
pub fn export_with(project: &Project, history: Option<&History>, format: ExportFormat) -> std::io::Result<Exported> {
    let mut out = Out { project, bytes: Vec::new(), files: Vec::new(), losses: Losses::default(), documents: 0 };
    let unit = match format {
        ExportFormat::Jsonl => {
            match history {
                None => jsonl::export_jsonl(project, &mut out.bytes)?,
                Some(history) => {
                    if !jsonl::export_with_journal(project, history, &mut out.bytes)? {
                        out.losses.note("the journal, which is longer than a row may be (an archive holds it)", 1, "");
                    }
                }
            }
            out.documents = project.documents().count();
            Some("code points")
        }
        ExportFormat::Csv => csv::write(&mut out),
        ExportFormat::Conll => conll::write(&mut out),
        ExportFormat::Doccano => doccano::write(&mut out)?,
        ExportFormat::LabelStudio => labelstudio::write(&mut out)?,
        ExportFormat::Aste => aste::write(&mut out),
        ExportFormat::Atepc => absa::atepc(&mut out),
        ExportFormat::Apc => absa::apc(&mut out),
        ExportFormat::E2e => absa::e2e(&mut out),
        ExportFormat::Xlsx => csv::write_workbook(&mut out)?,
        ExportFormat::Prodigy => prodigy::write(&mut out)?,
        ExportFormat::SemEval14 => semeval::write(&mut out, false),
        ExportFormat::SemEval16 => semeval::write(&mut out, true),
        ExportFormat::Brat => brat::write(&mut out),
        ExportFormat::WebAnno => webanno::write(&mut out),
        ExportFormat::Argilla => argilla::write(&mut out)?,
        ExportFormat::HuggingFace => hf::write(&mut out)?,
        ExportFormat::FastText => fasttext::write(&mut out),
    };
    out.repeats();
    Ok(Exported { format, bytes: out.bytes, files: out.files, documents: out.documents, unit, losses: out.losses.0 })
}

/// A file on its way.
struct Out<'a> {
    project: &'a Project,
    bytes: Vec<u8>,
    /// Of a folder.
    files: Vec<(String, Vec<u8>)>,
    losses: Losses,
    documents: usize,
}

/// What a format has no room for, so that all formats name it alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum No {
    /// No question has room.
    Answers,
    /// Only the main question has.
    OtherAnswers,
    Polarity,
    Links,
    /// What is said of spans beside their polarity.
    Attributes,
    LinkTypes,
    States,
    Meta,
}

impl<'a> Out<'a> {
    fn schema(&self) -> &'a Schema {
        self.project.schema()
    }

    /// Says which texts stand in the project more than once: reading a file back keeps the first of them.
    fn repeats(&mut self) {
        let mut seen = HashSet::new();
        for doc in self.project.documents() {
            if !seen.insert(&*doc.text) {
                self.note(doc, "a text that the project has twice, of which reading the file back keeps the first", &doc.text);
            }
        }
    }

    /// Number of a document in reports.
    fn number(doc: &Document) -> usize {
        doc.id.index() + 1
    }

    fn drop_span(&mut self, doc: &Document, why: &str, span: &Span) {
        let label = self.label(span);
        self.losses.add(Fate::Dropped, format!("a span {why}"), Self::number(doc), format!("{label}: {}", span.range.of(&doc.text)));
    }

    fn note(&mut self, doc: &Document, what: &str, example: &str) {
        self.losses.note(what, Self::number(doc), example);
    }

    fn label(&self, span: &Span) -> &'a str {
        self.schema().span_labels.get(usize::from(span.label)).map_or("span", |label| label.name.as_str())
    }

    /// What a link is called: the name of its type.
    fn link_name(&self, annotation: &Annotation, link: &Link) -> &'a str {
        self.schema().link_types().get(usize::from(annotation.link_type(link))).map_or(PLAIN_LINK, |held| held.name.as_str())
    }

    /// What is said of a span beside its polarity. What reads as a polarity elsewhere is named as lost.
    fn attributes(&mut self, doc: &Document, id: SpanId, reads_as_polarity: impl Fn(&str, &str) -> bool) -> Vec<(String, DraftValue)> {
        let Some(span) = doc.annotation.spans.get(&id) else { return Vec::new() };
        let all = jsonl::own_attributes(self.schema(), doc, id, span).into_iter();
        all.filter(|(name, value)| {
            let is_lost = matches!(value, DraftValue::Name(value) if reads_as_polarity(name, value));
            if is_lost {
                self.note(doc, "an attribute of a span that would read as its polarity", &format!("{}: {name}", span.range.of(&doc.text)));
            }
            !is_lost
        })
        .collect()
    }

    /// What is said of spans and, `with_links`, what joins them, for a format that has no place for it at a span; `None` where
    /// nothing is. `place` gives the offsets as the file has them.
    fn details(&self, doc: &Document, place: impl Fn(TextRange) -> Range<usize>, with_links: bool) -> Option<Details> {
        let said = &doc.annotation;
        let detail = |(id, span): (&SpanId, &Span)| {
            let (Range { start, end }, attributes) = (place(span.range), jsonl::own_attributes(self.schema(), doc, *id, span));
            Detail { start, end, label: self.label(span).to_owned(), polarity: span.polarity, attributes }
        };
        let spans: Vec<Detail> = said.spans.iter().map(detail).collect();
        let at = |id: SpanId| said.spans.keys().position(|held| *held == id);
        let joined = |link: &Link| Some(Joined { from: at(link.from)?, to: at(link.to)?, name: self.link_name(said, link).to_owned() });
        let links: Vec<Joined> = said.links.iter().filter(|_| with_links).filter_map(joined).collect();
        let is_said = !links.is_empty() || spans.iter().any(|span| span.polarity.is_some() || !span.attributes.is_empty());
        is_said.then_some(Details { spans, links })
    }

    /// The class of the main question.
    fn main_class(&self, annotation: &Annotation) -> Option<&'a str> {
        let (id, question) = self.schema().main_question()?;
        Some(question.classes.get(usize::from(annotation.class(id)?))?.name.as_str())
    }

    /// Counts what a document has and the format lacks.
    fn lacks(&mut self, doc: &Document, lacking: &[No]) {
        let said = &doc.annotation;
        for no in lacking {
            let (count, what) = match no {
                No::Answers => (said.answers.len(), "an answer to a question"),
                No::OtherAnswers => {
                    let main = self.main_class(said).map_or(0, |_| 1);
                    (said.answers.len() - main, "an answer to another question than the main one")
                }
                No::Polarity => (said.spans.values().filter(|span| span.polarity.is_some()).count(), "the polarity of a span"),
                No::Links => (said.links.len(), "a link between spans"),
                No::States => (usize::from(said.state == State::Skipped), "the mark \"skipped\""),
                No::Meta => (doc.meta.len(), "a field of metadata"),
                No::Attributes | No::LinkTypes => continue,
            };
            (0..count).for_each(|_| self.note(doc, what, &doc.text));
        }
        self.lacks_own(doc, lacking);
        if !said.skip_reason.is_empty() {
            self.note(doc, "the reason for skipping", &said.skip_reason);
        }
        if said.flagged {
            self.note(doc, "a flag", &doc.text);
        }
        if doc.split.is_some() {
            self.note(doc, "the fixed part in training (train, dev or test)", &doc.text);
        }
    }

    /// Counts what few formats have, attributes of spans and types of links, and what only ours has: the layers of
    /// annotators, comments, suggestions that were turned down.
    fn lacks_own(&mut self, doc: &Document, lacking: &[No]) {
        let said = &doc.annotation;
        for (id, span) in said.spans.iter().filter(|_| lacking.contains(&No::Attributes)) {
            for (name, value) in self.schema().attribute_words(span.label, said.attributes_of(*id)) {
                self.note(doc, "an attribute of a span", &format!("{}: {name} {value}", span.range.of(&doc.text)));
            }
        }
        for link_type in said.link_types.values().filter(|_| lacking.contains(&No::LinkTypes)) {
            let name = self.schema().link_types().get(usize::from(*link_type)).map_or("", |held| held.name.as_str());
            self.note(doc, "the type of a link", name);
        }
        for rejected in &said.rejected {
            let what = format!("{}: {}", rejected.label, rejected.range.of(&doc.text));
            self.note(doc, "a suggestion that was turned down", &what);
        }
        doc.layers.values().for_each(|_| self.note(doc, "the answers of one annotator (only the outcome is written)", &doc.text));
        doc.comments.values().for_each(|comment| self.note(doc, "a comment", &comment.text));
    }

    /// Says that a document comes back as done, or as to do, where the format can't tell.
    fn state_changes(&mut self, doc: &Document, comes_back: &State) {
        if doc.annotation.state != *comes_back && doc.annotation.state != State::Skipped {
            let what = match comes_back {
                State::Done => "a document to do that will read as done",
                _ => "a document done with nothing in it that will read as to do",
            };
            self.note(doc, what, &doc.text);
        }
    }
}

/// Spans without overlap, in reading order, the longer one first; and those that had to give way.
fn flat(annotation: &Annotation) -> (Vec<(SpanId, Span)>, Vec<Span>) {
    let (mut kept, mut left) = (Vec::<(SpanId, Span)>::new(), Vec::new());
    for (id, span) in annotation.spans_in_order() {
        match kept.last() {
            Some((_, last)) if last.range.overlaps(span.range) => left.push(span),
            _ => kept.push((id, span)),
        }
    }
    (kept, left)
}

/// Words of a text as byte ranges: single characters of Chinese, runs of letters and digits, single signs. White space is
/// left out. A word ends where a span starts or ends.
fn words(text: &str, edges: &BTreeSet<usize>) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    let mut in_run = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if is_gap(c) {
            in_run = false;
            continue;
        }
        let joins = in_run && !edges.contains(&at) && (c.is_alphanumeric() || is_mark(c)) && !super::formats::is_wide(c);
        match words.last_mut().filter(|_| joins) {
            Some(word) => word.end = end,
            None => words.push(at..end),
        }
        in_run = !super::formats::is_wide(c) && (c.is_alphanumeric() || in_run && is_mark(c)) || is_mark(c) && joins;
    }
    words
}

/// What never stands in a word of a file of lines and columns.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Goes with the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}')
}
