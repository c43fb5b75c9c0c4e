//! The certified round trip: a file that was written is read back and compared with the project. What came back otherwise
//! than it went out is listed, and whether the report of the export had said so.

use super::{ExportFormat, Watch};
use crate::project::{Annotation, Document, Link, Project, Span, SpanId, State};
use crate::store::StoreError;
use crate::store::formats::{Kind, Loss, Losses};
use crate::store::import::{self, Column, Format, ImportOptions};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::path::Path;

/// Something that came back otherwise, perhaps many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub loss: Loss,
    /// Whether the export had said so beforehand.
    pub was_said: bool,
}

/// What reading back showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Documents that came back.
    pub documents: usize,
    /// Empty: what was read back is what the project holds.
    pub differences: Vec<Difference>,
}

impl Verified {
    pub fn is_identical(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether nothing is different but what the export had said.
    pub fn is_as_said(&self) -> bool {
        self.differences.iter().all(|difference| difference.was_said)
    }

    /// A sentence for each difference.
    pub fn sentences(&self) -> Vec<String> {
        let sentence = |Difference { loss, was_said }: &Difference| {
            let example = if loss.example.is_empty() { String::new() } else { format!(" ({})", loss.example) };
            let said = if *was_said { "as was said" } else { "which was not said before" };
            format!("{} × {}, first in document {}{example}, {said}", loss.count, loss.what, loss.row)
        };
        self.differences.iter().map(sentence).collect()
    }
}

const DETAILS: &str = "an attribute of a span or the type of a link is missing or another";
const REJECTED: &str = "a suggestion that was turned down is missing";

/// Kinds of differences, and words of a loss that announces them.
const SAID: [(&str, &[&str]); 15] = [
    (
        "a document did not come back",
        &[
            "a document",
            "a text that the project has twice",
            "white space at the end of a text",
            "end of a text",
            "line ends of a text",
            "spaces of a text",
            "beyond the last row",
        ],
    ),
    ("an answer is missing or another", &["an answer", "end of a text"]),
    ("a span is missing", &["a span", "edge of a span", "name of a label", "end of a text"]),
    ("a span is new", &["a span", "edge of a span", "name of a label"]),
    ("the polarity of a span is missing or another", &["polarity"]),
    ("a link is missing", &["a link", "a span", "edge of a span", "name of a label", "polarity"]),
    ("the state is another", &["a document", "\"skipped\"", "the state"]),
    ("a flag is missing", &["a flag"]),
    ("the reason for skipping is missing", &["the reason for skipping", "\"skipped\""]),
    ("a field of metadata is missing or another", &["a field of metadata", "end of a text"]),
    ("the part in training is another", &["part in training"]),
    ("the answers of an annotator are missing or others", &["the answers of one annotator"]),
    ("a comment is missing", &["a comment"]),
    (DETAILS, &["an attribute of a span", "the type of a link", "a span", "a link", "edge of a span", "name of a label", "end of a text"]),
    (REJECTED, &["a suggestion that was turned down", "end of a text"]),
];

/// Reads a file back that was written of this project, and compares. `said` is what the export reported.
///
/// # Errors
/// The file can't be read back at all.
pub fn verify(project: &Project, format: ExportFormat, path: &Path, said: &[Loss]) -> Result<Verified, StoreError> {
    Ok(verify_watched(project, format, path, said, &mut |_| ControlFlow::Continue(()))?.unwrap_or_default())
}

/// [`verify`], watched. `None` when it was ended.
///
/// # Errors
/// As [`verify`].
pub fn verify_watched(
    project: &Project,
    format: ExportFormat,
    path: &Path,
    said: &[Loss],
    watch: Watch,
) -> Result<Option<Verified>, StoreError> {
    if project.documents().next().is_none() {
        return Ok(Some(Verified::default())); // an empty file has no columns either
    }
    let Some(back) = read_back(project, format, path, watch)? else { return Ok(None) };
    let mut by_text: HashMap<&str, VecDeque<&Document>> = HashMap::new();
    for doc in back.documents() {
        by_text.entry(&doc.text).or_default().push_back(doc);
    }
    let mut found = Found { announced: Announced::of(project, said), said: Losses::default(), unsaid: Losses::default() };
    let mut documents = 0;
    let is_whole = |project: &Project| (project.schema().clone(), project.annotators().to_vec(), project.guidelines().to_owned());
    if format == ExportFormat::Jsonl && project.documents().next().is_some() && is_whole(project) != is_whole(&back) {
        found.note("the schema, the annotators or the guidelines are others", 1, "");
    }
    for doc in project.documents() {
        let row = doc.id.index() + 1;
        match by_text.get_mut(&*doc.text).and_then(VecDeque::pop_front) {
            Some(other) => {
                documents += 1;
                Compared { project, back: &back, row, text: &doc.text, found: &mut found }.documents(doc, other);
            }
            None => found.note("a document did not come back", row, &doc.text),
        }
    }
    let Found { said, unsaid, .. } = found;
    let unsaid = unsaid.0.into_iter().map(|loss| Difference { was_said: false, loss });
    let differences = unsaid.chain(said.0.into_iter().map(|loss| Difference { was_said: true, loss })).collect();
    Ok(Some(Verified { documents, differences }))
}

/// In which documents each kind of difference was announced.
struct Announced {
    /// For each kind of [`SAID`]; `None`: in so many that not all are known.
    places: Vec<(&'static str, Option<HashSet<usize>>)>,
    /// The number of the first document with the same text, where there is an earlier one: two of a text may change places.
    first: HashMap<usize, usize>,
}

impl Announced {
    fn of(project: &Project, said: &[Loss]) -> Self {
        let (mut by_text, mut first) = (HashMap::<&str, usize>::new(), HashMap::new());
        for doc in project.documents() {
            let row = doc.id.index() + 1;
            let earliest = *by_text.entry(&doc.text).or_insert(row);
            if earliest != row {
                first.insert(row, earliest);
            }
        }
        let place = |row: usize| first.get(&row).copied().unwrap_or(row);
        let places = SAID.iter().map(|(what, words)| {
            let about = || said.iter().filter(|said| words.iter().any(|word| said.what.contains(word)));
            let are_known = about().all(|loss| loss.count <= loss.more.len() + 1);
            (*what, are_known.then(|| about().flat_map(Loss::all).map(|(row, _)| place(row)).collect()))
        });
        Self { places: places.collect(), first }
    }

    fn covers(&self, what: &str, row: usize) -> bool {
        let places = self.places.iter().find(|(kind, _)| *kind == what).map(|(_, places)| places);
        let place = self.first.get(&row).copied().unwrap_or(row);
        places.is_some_and(|places| places.as_ref().is_none_or(|places| places.contains(&place)))
    }
}

/// Differences, apart by whether they had been announced of their document.
struct Found {
    announced: Announced,
    said: Losses,
    unsaid: Losses,
}

impl Found {
    fn note(&mut self, what: &'static str, row: usize, example: &str) {
        let list = if self.announced.covers(what, row) { &mut self.said } else { &mut self.unsaid };
        list.note(what, row, example);
    }
}

fn read_back(project: &Project, format: ExportFormat, path: &Path, watch: Watch) -> Result<Option<Project>, StoreError> {
    let annotated = Kind::ALL.into_iter().find(|kind| kind.key() == format.key()).map(Format::Annotated);
    let label = project.schema().main_question().map(|(_, question)| Column::Name(question.name.clone()));
    let is_table = matches!(format, ExportFormat::Csv | ExportFormat::Xlsx);
    let options = ImportOptions {
        format: annotated.or_else(|| Format::parse(format.key())),
        label: label.filter(|_| is_table),
        part: is_table.then(|| Column::Name("split".to_owned())),
        ..ImportOptions::default()
    };
    let Some(read) = import::read(path, &options, &HashSet::new(), &mut |share, _| watch(share))? else { return Ok(None) };
    let mut back = Project::new((**project.schema()).clone());
    let (edits, _) = import::edits(&back, read.drafts);
    for edit in edits {
        back.apply(edit).map_err(StoreError::edit(path))?;
    }
    Ok(Some(back))
}

/// Two versions of a document.
struct Compared<'a> {
    project: &'a Project,
    back: &'a Project,
    row: usize,
    text: &'a str,
    found: &'a mut Found,
}

/// A span by place and label.
type Place<'a> = (usize, usize, &'a str);

impl<'a> Compared<'a> {
    fn note(&mut self, what: &'static str, example: &str) {
        self.found.note(what, self.row, example);
    }

    fn documents(&mut self, doc: &'a Document, other: &'a Document) {
        let reads_state = doc.annotation.state != other.annotation.state && !self.is_in_columns(other, "state", &doc.annotation.state);
        if reads_state {
            self.note("the state is another", self.text);
        }
        self.said(&doc.annotation, &other.annotation, other);
        for (name, value) in doc.meta.iter() {
            if other.meta.get(name) != Some(value) && !(value.is_empty() && other.meta.get(name).is_none()) {
                self.note("a field of metadata is missing or another", name);
            }
        }
        if doc.split != other.split {
            self.note("the part in training is another", self.text);
        }
        for (id, own) in &doc.layers {
            let name = self.project.annotators().get(usize::from(id.0)).map_or("", String::as_str);
            let same = self.back.annotator(name).and_then(|id| other.layers.get(&id));
            if !same.is_some_and(|same| own.says_the_same_as(same) && own.state == same.state) {
                self.note("the answers of an annotator are missing or others", name);
            }
        }
        if !doc.comments.values().eq(other.comments.values()) {
            self.note("a comment is missing", doc.comments.values().next().map_or("", |comment| &comment.text));
        }
    }

    /// Tables hold the state as a column like any other: it comes back as metadata.
    fn is_in_columns(&self, other: &Document, name: &str, state: &State) -> bool {
        let written = match state {
            State::Todo => "todo",
            State::Done => "done",
            State::Skipped => "skipped",
        };
        other.meta.get(name) == Some(written)
    }

    fn said(&mut self, before: &'a Annotation, after: &'a Annotation, other: &Document) {
        for (id, answer) in &before.answers {
            let question = self.project.schema().question(*id);
            let words = question.map(|question| question.words(answer)).unwrap_or_default();
            let in_columns =
                question.is_some_and(|question| other.meta.get(&question.name).is_some_and(|cell| cell.replace("; ", ", ") == words));
            if after.answers.get(id) != Some(answer) && !in_columns {
                self.note("an answer is missing or another", &words);
            }
        }
        if before.flagged && !after.flagged && other.meta.get("flagged") != Some("true") {
            self.note("a flag is missing", self.text);
        }
        if before.skip_reason != after.skip_reason {
            self.note("the reason for skipping is missing", &before.skip_reason);
        }
        let spans = |said: &'a Annotation, of: &'a Project| -> BTreeMap<Place<'a>, Vec<_>> {
            let mut spans: BTreeMap<Place, Vec<_>> = BTreeMap::new();
            for span in said.spans.values() {
                let label = of.schema().span_labels.get(usize::from(span.label)).map_or("", |label| label.name.as_str());
                spans.entry((span.range.start(), span.range.end(), label)).or_default().push(span.polarity);
            }
            spans.values_mut().for_each(|polarities| polarities.sort());
            spans
        };
        let (mine, theirs) = (spans(before, self.project), spans(after, self.back));
        for (place, polarities) in &mine {
            let held = theirs.get(place).map_or(&[][..], Vec::as_slice);
            let words = self.text.get(place.0..place.1).unwrap_or_default();
            (held.len()..polarities.len()).for_each(|_| self.note("a span is missing", words));
            if held.len() == polarities.len() && held != polarities.as_slice() {
                self.note("the polarity of a span is missing or another", words);
            }
        }
        for (place, polarities) in &theirs {
            let held = mine.get(place).map_or(0, Vec::len);
            (held..polarities.len()).for_each(|_| self.note("a span is new", self.text.get(place.0..place.1).unwrap_or_default()));
        }
        let links = |said: &Annotation| -> Vec<_> {
            let place = |id| said.spans.get(id).map(|span| (span.range.start(), span.range.end(), span.label));
            let mut links: Vec<_> = said.links.iter().map(|link| (place(&link.from), place(&link.to))).collect();
            links.sort_unstable();
            links
        };
        let theirs = links(after);
        let details = |said: &Annotation, of: &Project| -> Vec<String> {
            let span = |(id, span): (&SpanId, &Span)| {
                let said = of.schema().attribute_words(span.label, said.attributes_of(*id));
                said.into_iter().map(|(name, value)| format!("{:?} {name} {value}", span.range)).collect::<Vec<_>>()
            };
            let mut details: Vec<String> = said.spans.iter().flat_map(span).collect();
            let link = |(link, held): (&Link, &u16)| {
                let name = of.schema().link_types().get(usize::from(*held)).map_or("", |held| held.name.as_str());
                let place = |id: &SpanId| said.spans.get(id).map(|span| span.range);
                format!("{:?} {:?} {name}", place(&link.from), place(&link.to))
            };
            details.extend(said.link_types.iter().map(link));
            details.sort();
            details
        };
        if details(before, self.project) != details(after, self.back) {
            self.note(DETAILS, self.text);
        }
        if before.rejected != after.rejected {
            self.note(REJECTED, self.text);
        }
        links(before).into_iter().filter(|link| !theirs.contains(link)).for_each(|_| self.note("a link is missing", self.text));
    }
}
