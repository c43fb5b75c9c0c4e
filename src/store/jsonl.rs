//! JSON Lines: anyone's, and our own with answers, spans and links. Offsets in files are code points.
//!
//! Read line by line with serde_json, because the reader of polars answers for a whole file: a broken line or a value
//! of another type than the first rows have ends the import or becomes null, without saying which line it was.

use super::StoreError;
use super::import::{Draft, DraftAnnotation, DraftAnswer, DraftSpan, DraftValue, Intake, Roles};
use super::pieces::{Line, Pieces, TOO_LONG};
use super::{encoding, scan};
use crate::project::{
    Answer, AttributeValue, Comment, Document, EntryKind, History, Layer, Meta, Number, Polarity, Project, Rejected, Schema, Span, SpanId,
    Split, State, Step, TextRange,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

type Object = Map<String, Value>;

/// Our own row, as written. Order of the fields is the order in the file.
#[derive(Serialize)]
struct OwnRow<'a> {
    text: &'a str,
    #[serde(flatten)]
    said: OwnLayer<'a>,
    split: Option<Split>,
    meta: &'a Meta,
    /// What each annotator said, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    layers: BTreeMap<&'a str, OwnLayer<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    comments: Vec<&'a Comment>,
    /// In the first row only.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<OwnProject>,
}

/// What the first row of a file of ours says of the project as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnProject {
    /// Questions, labels, colours, keys, help, types of links, words and views.
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) annotators: Vec<String>,
    #[serde(default)]
    pub(super) guidelines: String,
    /// Every step that led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) journal: Vec<OwnEntry>,
    /// Documents that were taken out, of which the journal still speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) taken_out: Vec<TakenOut>,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OwnEntry {
    pub kind: EntryKind,
    pub step: Step,
}

/// A document that was taken out, by its place among all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TakenOut {
    pub id: u32,
    pub row: Object,
}

impl TakenOut {
    /// The document itself.
    pub fn draft(&self) -> Option<Draft> {
        own_draft(0, self.row.clone()).ok()
    }
}

/// What is said about a document, in the outcome or by an annotator.
#[derive(Serialize)]
struct OwnLayer<'a> {
    answers: BTreeMap<&'a str, OwnAnswer<'a>>,
    spans: Vec<OwnSpan>,
    links: Vec<OwnLink>,
    /// Suggestions that were turned down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<OwnRejected>,
    state: &'a State,
    #[serde(skip_serializing_if = "str::is_empty")]
    skip_reason: &'a str,
    flagged: bool,
}

/// An answer as written: a name, a list of names, a number, or an object with a text, so that texts are no classes.
#[derive(Serialize)]
#[serde(untagged)]
enum OwnAnswer<'a> {
    Class(&'a str),
    Classes(Vec<&'a str>),
    Number(Number),
    Text { text: &'a str },
}

#[derive(Serialize, Deserialize)]
struct OwnSpan {
    #[serde(default)]
    id: Option<u32>,
    start: usize,
    end: usize,
    label: String,
    #[serde(default)]
    polarity: Option<Polarity>,
    /// What is said beside the polarity: the name of a value, or a number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, DraftValue>,
}

#[derive(Serialize, Deserialize)]
struct OwnRejected {
    start: usize,
    end: usize,
    label: String,
}

#[derive(Serialize, Deserialize)]
struct OwnLink {
    from: u32,
    to: u32,
    /// Left out for the schema's first type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    link_type: Option<String>,
}

/// A line with something in it, or an element of a JSON array.
struct Row {
    /// From 1.
    number: usize,
    /// Share of the file that has been read after it.
    share: f32,
    parsed: Result<Object, String>,
}

fn objects(text: &str) -> Box<dyn Iterator<Item = Row> + '_> {
    let object = |value: Value| match value {
        Value::Object(object) => Ok(object),
        _ => Err("holds no JSON object".to_owned()),
    };
    if scan::is_json_array(text) {
        let row = move |(at, (value, read)): (usize, (serde_json::Result<Value>, usize))| {
            let parsed = value.map_err(|error| format!("is not valid JSON ({error})")).and_then(object);
            Row { number: at + 1, share: read as f32 / text.len() as f32, parsed }
        };
        return Box::new(scan::elements(text).enumerate().map(row));
    }
    let row =
        move |(at, line): (usize, &str)| (!line.trim().is_empty()).then(|| Row { number: at + 1, share: 0.0, parsed: object_of(line) });
    Box::new(scan::lines(text).enumerate().filter_map(row))
}

/// The object of a line.
fn object_of(line: &str) -> Result<Object, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("holds no JSON object".to_owned()),
        Err(error) => Err(format!("is not valid JSON ({})", without_line(&error))),
    }
}

/// serde_json's message names "line 1" of the one line it was given.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}

/// The first rows as a table: names in order of appearance, cells as text.
pub(super) fn head(text: &str, rows: usize) -> (Vec<String>, Vec<Vec<String>>) {
    let objects: Vec<Object> = objects(text).filter_map(|row| row.parsed.ok()).take(rows).collect();
    let columns = names(objects.iter());
    let cell = |object: &Object, name: &String| object.get(name).and_then(cell).unwrap_or_default();
    let rows = objects.iter().map(|object| columns.iter().map(|name| cell(object, name)).collect()).collect();
    (columns, rows)
}

fn names<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in objects.flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// An array that can't be read as a whole is no file of lines either.
///
/// # Errors
/// [`StoreError::Annotated`] with the place where it breaks.
pub(super) fn check_array(text: &str, path: &Path) -> Result<(), StoreError> {
    if !scan::is_json_array(text) {
        return Ok(());
    }
    match serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Annotated { format: "JSON", what: format!("it is broken JSON: {error}"), path: path.to_owned() }),
    }
}

/// Reads all rows of a file. An array is read at once, lines one by one.
pub(super) fn read(mut pieces: Pieces, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    const LOOKED_AT: usize = 1000;
    let look = |text: &str, intake: &Intake| {
        let columns = names(objects(text).filter_map(|row| row.parsed.ok()).take(LOOKED_AT).collect::<Vec<_>>().iter());
        Reader::new(columns, intake)
    };
    if pieces.rest().trim_start().starts_with('[') {
        let text = encoding::decode_in(&encoding::read_whole(intake.path)?, intake.options.charset).text;
        check_array(&text, intake.path)?;
        let reader = look(&text, intake)?;
        for Row { number, share, parsed } in objects(&text) {
            if intake.tick(share).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            reader.take(number, parsed, intake)?;
        }
        return Ok(ControlFlow::Continue(()));
    }
    let reader = look(pieces.rest(), intake)?;
    pieces.lines(|number, share, line| {
        if intake.tick(share).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match line {
            Line::TooLong => intake.skip(number, TOO_LONG),
            Line::Text(line) if line.trim().is_empty() => {}
            Line::Text(line) => reader.take(number, object_of(line), intake)?,
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// What is known of the fields.
struct Reader {
    columns: Vec<String>,
    text: String,
    roles: Roles,
}

impl Reader {
    fn new(columns: Vec<String>, intake: &Intake) -> Result<Self, StoreError> {
        let text = intake.column(&intake.options.text, &columns).map(|at| columns[at].clone())?;
        let roles = Roles::find(intake, &columns, true)?;
        Ok(Self { columns, text, roles })
    }

    fn take(&self, number: usize, parsed: Result<Object, String>, intake: &mut Intake) -> Result<(), StoreError> {
        let draft = parsed.and_then(|object| match self.text == "text" && is_own(&object) {
            true => own_draft(number, object),
            false if object.get(&self.text).and_then(cell).is_none() => Err(format!("has no {:?}", self.text)),
            false => {
                let place = |name: &String| self.columns.iter().position(|column| column == name);
                // Fields that only later rows have are kept as well.
                let late: Vec<(String, String)> = object
                    .iter()
                    .filter(|(name, _)| place(name).is_none())
                    .filter_map(|(name, value)| Some((name.clone(), cell(value)?)))
                    .collect();
                let cells = object.iter().filter_map(|(name, value)| Some((place(name)?, cell(value)?.into())));
                let mut draft = self.roles.draft(intake, number, cells);
                draft.meta.extend(late);
                Ok(draft)
            }
        });
        match draft {
            Ok(draft) => intake.take(draft).map(drop),
            Err(reason) => {
                intake.skip(number, reason);
                Ok(())
            }
        }
    }
}

/// The rows of a file of our own.
pub(super) fn rows(text: &str) -> impl Iterator<Item = (usize, Result<Draft, String>)> {
    objects(text).map(|Row { number, parsed, .. }| (number, parsed.and_then(|object| own_draft(number, object))))
}

/// A row that [`is_own`].
fn own_draft(row: usize, mut object: Object) -> Result<Draft, String> {
    let text = object.remove("text").as_ref().and_then(cell).ok_or("has no \"text\"")?;
    let annotation = Some(annotation(&text, &mut object)?);
    let split = field(&mut object, "split")?;
    // Anyone's rows may have a field of this name.
    let project = object.get("project").filter(|project| project["schema"].is_object());
    let project = project.and_then(|project| serde_json::from_value(project.clone()).ok());
    if project.is_some() {
        object.remove("project");
    }
    if let Some(Value::Object(inner)) = object.remove("meta") {
        object.extend(inner);
    }
    let meta = object.iter().filter_map(|(name, value)| Some((name.clone(), cell(value)?))).collect();
    Ok(Draft { row, text, label: None, meta, split, annotation, project })
}

/// Whether an object is of our own making, rather than one that happens to have a field of the same name.
fn is_own(object: &Object) -> bool {
    let is_span = |value: &Value| ["start", "end"].iter().all(|key| value[*key].is_u64()) && value["label"].is_string();
    let spans = object.get("spans").map(|spans| spans.as_array().is_some_and(|spans| spans.iter().all(is_span)));
    let answers = object
        .get("answers")
        .map(|answers| answers.as_object().is_some_and(|answers| answers.values().all(|value| answer(value).is_some())));
    match (spans, answers) {
        (None, None) => false,
        (spans, answers) => spans.unwrap_or(true) && answers.unwrap_or(true),
    }
}

fn annotation(text: &str, object: &mut Object) -> Result<DraftAnnotation, String> {
    let (mut spans, mut attributes) = (Vec::new(), BTreeMap::new());
    for (at, span) in field::<Vec<OwnSpan>>(object, "spans")?.unwrap_or_default().into_iter().enumerate() {
        let OwnSpan { id, start, end, label, polarity, attributes: said } = span;
        let range =
            TextRange::from_chars(text, start..end).ok_or_else(|| format!("has a span {start} to {end} that does not lie in its text"))?;
        let id = id.unwrap_or(at as u32);
        if spans.iter().any(|span: &DraftSpan| span.id == id) {
            return Err(format!("has two spans with the id {id}"));
        }
        spans.push(DraftSpan { id, range, label, polarity });
        if !said.is_empty() {
            attributes.insert(id, said);
        }
    }
    let given: Vec<OwnLink> = field(object, "links")?.unwrap_or_default();
    let links: Vec<(u32, u32)> = given.iter().map(|link| (link.from, link.to)).collect();
    let link_types = given.into_iter().filter_map(|link| Some(((link.from, link.to), link.link_type?))).collect();
    let known = |id: u32| spans.iter().any(|span| span.id == id);
    if let Some((from, to)) = links.iter().find(|(from, to)| from == to || !known(*from) || !known(*to)) {
        return Err(format!("has a link from span {from} to span {to}, which do not both exist"));
    }
    let turned_down = |OwnRejected { start, end, label }: OwnRejected| match TextRange::from_chars(text, start..end) {
        Some(range) => Ok(Rejected { range, label }),
        None => Err(format!("has a rejected suggestion {start} to {end} that does not lie in its text")),
    };
    let rejected = field::<Vec<OwnRejected>>(object, "rejected")?.unwrap_or_default().into_iter().map(turned_down);
    let rejected = rejected.collect::<Result<_, _>>()?;
    let layers: BTreeMap<String, Object> = field(object, "layers")?.unwrap_or_default();
    let layer = |(name, mut own): (String, Object)| match annotation(text, &mut own) {
        Ok(said) => Ok((name, said)),
        Err(reason) => Err(format!("{reason} (in the layer of {name})")),
    };
    Ok(DraftAnnotation {
        layers: layers.into_iter().map(layer).collect::<Result<_, _>>()?,
        comments: field(object, "comments")?.unwrap_or_default(),
        answers: answers(object),
        spans,
        links,
        rejected,
        attributes,
        link_types,
        state: field(object, "state")?.unwrap_or_default(),
        skip_reason: field(object, "skip_reason")?.unwrap_or_default(),
        flagged: field(object, "flagged")?.unwrap_or_default(),
        ..DraftAnnotation::default()
    })
}

/// The answers of a row of ours ([`is_own`] has looked at them).
fn answers(object: &mut Object) -> BTreeMap<String, DraftAnswer> {
    let Some(Value::Object(given)) = object.remove("answers") else { return BTreeMap::new() };
    given.into_iter().filter_map(|(question, value)| Some((question, answer(&value)?))).collect()
}

/// An answer as [`OwnAnswer`] writes it; `None` for anything else.
fn answer(value: &Value) -> Option<DraftAnswer> {
    Some(match value {
        Value::String(name) => DraftAnswer::Class(name.clone()),
        Value::Number(number) => DraftAnswer::Number(Number::new(number.as_f64()?)?),
        Value::Array(names) if !names.is_empty() => {
            DraftAnswer::Classes(names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?)
        }
        Value::Object(object) if object.len() == 1 => DraftAnswer::Text(object.get("text")?.as_str()?.to_owned()),
        _ => return None,
    })
}

fn field<T: serde::de::DeserializeOwned>(object: &mut Object, name: &str) -> Result<Option<T>, String> {
    let value = object.remove(name).filter(|value| !value.is_null());
    value.map(|value| serde_json::from_value(value).map_err(|error| format!("has a {name:?} that makes no sense ({error})"))).transpose()
}

/// Writes every document of a project as a line of our own format, which [`super::import`] reads back without loss.
///
/// # Errors
/// When the writer fails.
pub fn export_jsonl(project: &Project, writer: &mut dyn Write) -> io::Result<()> {
    write_rows(project, own_head(project), writer)
}

/// [`export_jsonl`] with the journal in the first row. Whether it had room there.
pub(super) fn export_with_journal(project: &Project, history: &History, writer: &mut dyn Write) -> io::Result<bool> {
    /// A row with more beside its text is not read again.
    const MOST: usize = 16 << 20;
    let mut head = own_head(project);
    head.journal = history.entries().map(|(kind, step)| OwnEntry { kind, step: step.clone() }).collect();
    for doc in project.all_documents().iter().filter(|doc| !doc.present) {
        own_row(project, doc, None, |row| {
            let row = serde_json::to_value(row)?;
            head.taken_out.extend(row.as_object().map(|row| TakenOut { id: doc.id.0, row: row.clone() }));
            Ok(())
        })?;
    }
    let fits = serde_json::to_vec(&head)?.len() <= MOST;
    if !fits {
        (head.journal, head.taken_out) = (Vec::new(), Vec::new());
    }
    write_rows(project, head, writer)?;
    Ok(fits)
}

fn own_head(project: &Project) -> OwnProject {
    let (annotators, guidelines) = (project.annotators().to_vec(), project.guidelines().to_owned());
    OwnProject { schema: (**project.schema()).clone(), annotators, guidelines, journal: Vec::new(), taken_out: Vec::new() }
}

fn write_rows(project: &Project, head: OwnProject, writer: &mut dyn Write) -> io::Result<()> {
    let mut head = Some(head);
    for doc in project.documents() {
        own_row(project, doc, head.take(), |row| {
            serde_json::to_writer(&mut *writer, row)?;
            writer.write_all(b"\n")
        })?;
    }
    Ok(())
}

/// Makes the row of a document and hands it on.
fn own_row(project: &Project, doc: &Document, head: Option<OwnProject>, mut each: impl FnMut(&OwnRow) -> io::Result<()>) -> io::Result<()> {
    let views: Vec<_> = doc.layers.keys().map(|annotator| (annotator, doc.seen_in(Layer::Own(*annotator)))).collect();
    let mut row = OwnRow {
        text: &doc.text,
        said: own_layer(project, doc),
        split: doc.split,
        meta: &doc.meta,
        layers: BTreeMap::new(),
        comments: doc.comments.values().collect(),
        project: head,
    };
    for (annotator, view) in &views {
        let name = project.annotators().get(usize::from(annotator.0)).map_or("", String::as_str);
        row.layers.insert(name, own_layer(project, view));
    }
    each(&row)
}

/// [`export_jsonl`] to a file, replacing what was there once all is written.
///
/// # Errors
/// The disk is full or read-only; the old file is still there then.
pub fn export_documents(project: &Project, path: &Path) -> Result<(), StoreError> {
    let mut bytes = BufWriter::new(Vec::new());
    let written = export_jsonl(project, &mut bytes).and_then(|()| bytes.into_inner().map_err(io::Error::from));
    written.and_then(|bytes| super::write_atomically(path, &bytes)).map_err(StoreError::io("Exporting", path))
}

fn own_layer<'a>(project: &'a Project, doc: &'a Document) -> OwnLayer<'a> {
    let annotation = &doc.annotation;
    let schema = project.schema();
    let answers = annotation.answers.iter().filter_map(|(id, answer)| {
        let question = schema.question(*id)?;
        let name = |class: &u16| question.classes.get(usize::from(*class)).map(|class| class.name.as_str());
        let answer = match answer {
            Answer::Class(class) => OwnAnswer::Class(name(class)?),
            Answer::Classes(classes) => OwnAnswer::Classes(classes.iter().filter_map(name).collect()),
            Answer::Number(number) => OwnAnswer::Number(*number),
            Answer::Text(text) => OwnAnswer::Text { text },
        };
        Some((question.name.as_str(), answer))
    });
    let label = |label: u16| schema.span_labels.get(usize::from(label)).map(|label| label.name.clone());
    let spans = annotation.spans.iter().filter_map(|(id, span)| {
        let chars = span.range.chars(&doc.text);
        let attributes = own_attributes(schema, doc, *id, span);
        Some(OwnSpan { id: Some(id.0), start: chars.start, end: chars.end, label: label(span.label)?, polarity: span.polarity, attributes })
    });
    let links = annotation.links.iter().map(|link| {
        let named = Some(annotation.link_type(link)).filter(|at| *at > 0).and_then(|at| schema.link_types().get(usize::from(at)));
        OwnLink { from: link.from.0, to: link.to.0, link_type: named.map(|held| held.name.clone()) }
    });
    let rejected = |Rejected { range, label }: &Rejected| {
        let chars = range.chars(&doc.text);
        OwnRejected { start: chars.start, end: chars.end, label: label.clone() }
    };
    OwnLayer {
        answers: answers.collect(),
        spans: spans.collect(),
        rejected: annotation.rejected.iter().map(rejected).collect(),
        links: links.collect(),
        state: &annotation.state,
        skip_reason: &annotation.skip_reason,
        flagged: annotation.flagged,
    }
}

pub(super) fn own_attributes(schema: &Schema, doc: &Document, id: SpanId, span: &Span) -> BTreeMap<String, DraftValue> {
    let asked = schema.attributes(span.label);
    let said = doc.annotation.attributes_of(id).iter().filter_map(|(at, value)| {
        let attribute = asked.get(usize::from(at))?;
        let value = match value {
            AttributeValue::Number(number) => DraftValue::Number(number),
            value => DraftValue::Name(attribute.words(value)),
        };
        Some((attribute.name.clone(), value))
    });
    said.collect()
}
