//! Rows of the project file's tables to values and back. Knows SQL and the model; opens, locks and checks nothing.

use super::StoreError;
use super::metas::MetaReader;
use crate::project::{
    Annotation, AnnotatorId, Answer, CommentId, DocId, Document, Edit, Entry, EntryKind, Link, Polarity, Project, QuestionId, Rejected,
    Schema, Span, SpanId, Split, State, Step, TextPack, TextRange,
};
use rayon::prelude::*;
use rusqlite::types::Type;
use rusqlite::{Connection, Result, Row, Statement, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;

/// The tables of format 1. Offsets of spans are bytes.
pub(super) const TABLES: &str = "
CREATE TABLE schema(id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
CREATE TABLE documents(
    id INTEGER PRIMARY KEY, text TEXT NOT NULL, meta TEXT NOT NULL, split TEXT,
    present INTEGER NOT NULL, state TEXT NOT NULL, flagged INTEGER NOT NULL) STRICT;
CREATE TABLE answers(doc INTEGER NOT NULL, question INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (doc, question)) STRICT, WITHOUT ROWID;
CREATE TABLE spans(doc INTEGER NOT NULL, id INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    label INTEGER NOT NULL, polarity TEXT, PRIMARY KEY (doc, id)) STRICT, WITHOUT ROWID;
CREATE TABLE links(doc INTEGER NOT NULL, from_span INTEGER NOT NULL, to_span INTEGER NOT NULL,
    PRIMARY KEY (doc, from_span, to_span)) STRICT, WITHOUT ROWID;
CREATE TABLE journal(
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, author TEXT NOT NULL, time_ms INTEGER NOT NULL,
    edits TEXT NOT NULL, inverse TEXT NOT NULL) STRICT;
";

/// The tables that format 2 added: several annotators, comments, guidelines. A layer is the annotation as JSON.
pub(super) const TABLES_2: &str = "
CREATE TABLE layers(doc INTEGER NOT NULL, annotator INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, annotator)) STRICT, WITHOUT ROWID;
CREATE TABLE comments(doc INTEGER NOT NULL, id INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, id)) STRICT, WITHOUT ROWID;
CREATE TABLE team(id INTEGER PRIMARY KEY CHECK (id = 1), annotators TEXT NOT NULL, guidelines TEXT NOT NULL) STRICT;
INSERT INTO team(id, annotators, guidelines) VALUES (1, '[]', '');
";

/// The tables that format 3 added: attributes of spans as JSON, the types of links that are not of the first, and
/// suggestions that were turned down.
pub(super) const TABLES_3: &str = "
CREATE TABLE attributes(doc INTEGER NOT NULL, span INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (doc, span)) STRICT, WITHOUT ROWID;
CREATE TABLE link_types(doc INTEGER NOT NULL, from_span INTEGER NOT NULL, to_span INTEGER NOT NULL, type INTEGER NOT NULL,
    PRIMARY KEY (doc, from_span, to_span)) STRICT, WITHOUT ROWID;
CREATE TABLE rejected(doc INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY (doc, start, end, label)) STRICT, WITHOUT ROWID;
";

/// What steps changed, each row to be written once however many steps touched it.
#[derive(Default)]
pub(super) struct Touched {
    added: Vec<Range<usize>>,
    presence: Vec<Range<usize>>,
    annotations: BTreeSet<usize>,
    schema: bool,
}

impl Touched {
    pub(super) fn by(entries: &[(EntryKind, &Step)]) -> Self {
        let mut touched = Self::default();
        // The inverse touches the same rows.
        for (kind, edit) in entries.iter().flat_map(|(kind, step)| step.edits.iter().map(move |edit| (*kind, edit))) {
            match (edit, edit.touches()) {
                (Edit::AddDocuments { .. }, Some(range)) if kind == EntryKind::Do => touched.added.push(range),
                (Edit::AddDocuments { .. } | Edit::SetPresent { .. }, Some(range)) => touched.presence.push(range),
                (_, Some(range)) => touched.annotations.extend(range),
                (_, None) => touched.schema = true,
            }
        }
        touched
    }
}

/// Writes the rows of `touched` as they stand in `project`.
pub(super) fn write_touched(database: &Connection, touched: &Touched, project: &Project, path: &Path) -> Result<(), StoreError> {
    let sql = |error| StoreError::sql("Saving the change", path)(error);
    let out_of_order = |what: String| StoreError::OutOfOrder { what, path: path.to_owned() };
    let documents = project.all_documents();
    let within =
        |range: &Range<usize>| documents.get(range.clone()).ok_or_else(|| out_of_order(format!("documents {range:?} are not there")));
    if touched.schema {
        let json = to_json(&**project.schema()).map_err(sql)?;
        database.prepare_cached("UPDATE schema SET json = ?1").and_then(|mut update| update.execute([json])).map_err(sql)?;
        write_team(database, project).map_err(sql)?;
    }
    for range in &touched.added {
        insert_documents(database, within(range)?).map_err(sql)?;
    }
    if !touched.presence.is_empty() {
        let mut update = database.prepare_cached("UPDATE documents SET present = ?2 WHERE id = ?1 AND present <> ?2").map_err(sql)?;
        for range in &touched.presence {
            for doc in within(range)? {
                update.execute(params![doc.id.0, doc.present]).map_err(sql)?;
            }
        }
    }
    for at in touched.annotations.iter().copied().filter(|at| !touched.added.iter().any(|range| range.contains(at))) {
        let doc = &within(&(at..at + 1))?[0];
        if !rewrite_annotation(database, doc).map_err(sql)? {
            return Err(out_of_order(format!("document {at} was never saved")));
        }
    }
    Ok(())
}

/// `false` when the file does not have the document.
fn rewrite_annotation(database: &Connection, doc: &Document) -> Result<bool> {
    let id = doc.id.0;
    let Annotation { flagged, .. } = &doc.annotation;
    let known = database.prepare_cached("UPDATE documents SET state = ?2, flagged = ?3 WHERE id = ?1")?.execute(params![
        id,
        state_words(&doc.annotation),
        flagged
    ])?;
    for delete in [
        "DELETE FROM answers WHERE doc = ?1",
        "DELETE FROM spans WHERE doc = ?1",
        "DELETE FROM links WHERE doc = ?1",
        "DELETE FROM layers WHERE doc = ?1",
        "DELETE FROM comments WHERE doc = ?1",
        "DELETE FROM rejected WHERE doc = ?1",
        "DELETE FROM attributes WHERE doc = ?1",
        "DELETE FROM link_types WHERE doc = ?1",
    ] {
        database.prepare_cached(delete)?.execute([id])?;
    }
    Marks::new(database)?.insert(doc)?;
    Ok(known == 1)
}

/// New rows for documents that the file does not have yet.
pub(super) fn insert_documents(database: &Connection, documents: &[Document]) -> Result<()> {
    let mut insert =
        database.prepare("INSERT INTO documents(id, text, meta, split, present, state, flagged) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let mut marks = Marks::new(database)?;
    for doc in documents {
        let Annotation { flagged, .. } = &doc.annotation;
        let meta = to_json(&doc.meta)?;
        insert.execute(params![
            doc.id.0,
            &*doc.text,
            meta,
            doc.split.map(Split::name),
            doc.present,
            state_words(&doc.annotation),
            flagged
        ])?;
        marks.insert(doc)?;
    }
    Ok(())
}

/// Prepared inserts of answers, spans and links.
struct Marks<'a> {
    answer: Statement<'a>,
    span: Statement<'a>,
    link: Statement<'a>,
    layer: Statement<'a>,
    comment: Statement<'a>,
    rejected: Statement<'a>,
    attributes: Statement<'a>,
    link_type: Statement<'a>,
}

impl<'a> Marks<'a> {
    fn new(database: &'a Connection) -> Result<Self> {
        Ok(Self {
            answer: database.prepare("INSERT INTO answers(doc, question, value) VALUES (?1, ?2, ?3)")?,
            span: database.prepare("INSERT INTO spans(doc, id, start, end, label, polarity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            link: database.prepare("INSERT INTO links(doc, from_span, to_span) VALUES (?1, ?2, ?3)")?,
            layer: database.prepare("INSERT INTO layers(doc, annotator, json) VALUES (?1, ?2, ?3)")?,
            comment: database.prepare("INSERT INTO comments(doc, id, json) VALUES (?1, ?2, ?3)")?,
            rejected: database.prepare("INSERT INTO rejected(doc, start, end, label) VALUES (?1, ?2, ?3, ?4)")?,
            attributes: database.prepare("INSERT INTO attributes(doc, span, json) VALUES (?1, ?2, ?3)")?,
            link_type: database.prepare("INSERT INTO link_types(doc, from_span, to_span, type) VALUES (?1, ?2, ?3, ?4)")?,
        })
    }

    fn insert(&mut self, doc: &Document) -> Result<()> {
        let id = doc.id.0;
        for (question, answer) in &doc.annotation.answers {
            self.answer.execute(params![id, question.0, to_json(answer)?])?;
        }
        for (span_id, Span { range, label, polarity }) in &doc.annotation.spans {
            let bytes = (range.start() as i64, range.end() as i64);
            self.span.execute(params![id, span_id.0, bytes.0, bytes.1, label, polarity.map(Polarity::name)])?;
        }
        for link in &doc.annotation.links {
            self.link.execute(params![id, link.from.0, link.to.0])?;
        }
        for (span_id, said) in &doc.annotation.attributes {
            self.attributes.execute(params![id, span_id.0, to_json(said)?])?;
        }
        for (link, link_type) in &doc.annotation.link_types {
            self.link_type.execute(params![id, link.from.0, link.to.0, link_type])?;
        }
        for Rejected { range, label } in &doc.annotation.rejected {
            self.rejected.execute(params![id, range.start() as i64, range.end() as i64, label])?;
        }
        for (annotator, said) in &doc.layers {
            self.layer.execute(params![id, annotator.0, to_json(said)?])?;
        }
        for (comment_id, comment) in &doc.comments {
            self.comment.execute(params![id, comment_id.0, to_json(comment)?])?;
        }
        Ok(())
    }
}

/// Who labels, and how.
pub(super) fn write_team(database: &Connection, project: &Project) -> Result<()> {
    let annotators = to_json(&project.annotators())?;
    database.prepare_cached("UPDATE team SET annotators = ?1, guidelines = ?2")?.execute(params![annotators, project.guidelines()])?;
    Ok(())
}

/// The annotators and the guidelines. Only of a file that has [`TABLES_2`].
pub(super) fn read_team(database: &Connection) -> Result<(Vec<String>, String)> {
    database.query_row("SELECT annotators, guidelines FROM team", [], |row| Ok((json(row, 0)?, row.get(1)?)))
}

/// The lowest id, and one beyond all that are.
const ALL_IDS: (i64, i64) = (i64::MIN, i64::MAX);

/// The layers and comments of a file that has [`TABLES_2`].
pub(super) fn read_layers(database: &Connection, documents: &mut [Document]) -> Result<()> {
    let select = "SELECT doc, annotator, json FROM layers WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ALL_IDS, documents, |row, doc| {
        let said: Annotation = json(row, 2)?;
        if !said.spans.values().all(|span| span.range.fits(&doc.text)) {
            return Err(wrong(2, "a span of an annotator lies outside its text".to_owned()));
        }
        doc.layers.insert(AnnotatorId(row.get(1)?), said);
        Ok(())
    })?;
    let select = "SELECT doc, id, json FROM comments WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ALL_IDS, documents, |row, doc| {
        doc.comments.insert(CommentId(row.get(1)?), json(row, 2)?);
        Ok(())
    })
}

/// What is said beside answers and marks, of a file that has [`TABLES_3`].
pub(super) fn read_details(database: &Connection, documents: &mut [Document]) -> Result<()> {
    let select = "SELECT doc, span, json FROM attributes WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ALL_IDS, documents, |row, doc| {
        doc.annotation.attributes.insert(SpanId(row.get(1)?), json(row, 2)?);
        Ok(())
    })?;
    let select = "SELECT doc, from_span, to_span, type FROM link_types WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ALL_IDS, documents, |row, doc| {
        doc.annotation.link_types.insert(Link { from: SpanId(row.get(1)?), to: SpanId(row.get(2)?) }, row.get(3)?);
        Ok(())
    })?;
    let select = "SELECT doc, start, end, label FROM rejected WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ALL_IDS, documents, |row, doc| {
        let range = range(row, (1, 2), &doc.text)?;
        doc.annotation.rejected.insert(Rejected { range, label: row.get(3)? });
        Ok(())
    })
}

pub(super) fn append_journal(database: &Connection, seq: i64, kind: EntryKind, step: &Step) -> Result<()> {
    let kind = match kind {
        EntryKind::Do => "do",
        EntryKind::Undo => "undo",
        EntryKind::Redo => "redo",
    };
    database
        .prepare_cached("INSERT INTO journal(seq, kind, name, author, time_ms, edits, inverse) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![seq, kind, step.name, step.author, step.time_ms, to_json(&step.edits)?, to_json(&step.inverse)?])?;
    Ok(())
}

pub(super) fn read_journal(database: &Connection) -> Result<Vec<Entry>> {
    let mut select = database.prepare("SELECT kind, name, author, time_ms, edits, inverse FROM journal ORDER BY seq")?;
    let entries = select.query_map([], |row| {
        let kind = match text(row, 0)? {
            "do" => EntryKind::Do,
            "undo" => EntryKind::Undo,
            "redo" => EntryKind::Redo,
            other => return Err(wrong(0, format!("unknown journal entry {other:?}"))),
        };
        let step = Step { name: row.get(1)?, author: row.get(2)?, time_ms: row.get(3)?, edits: json(row, 4)?, inverse: json(row, 5)? };
        Ok(Entry { kind, step })
    })?;
    entries.collect()
}

pub(super) fn read_schema(database: &Connection) -> Result<Schema> {
    database.query_row("SELECT json FROM schema", [], |row| json(row, 0))
}

/// The documents of a file, in order of their ids, and their texts for searching them.
#[derive(Default)]
pub(super) struct Documents {
    pub documents: Vec<Document>,
    /// [`TextPack::TEXTS`] in each but the last; none where they were not wanted.
    pub texts: Vec<TextPack>,
}

/// All documents with all that was said about them. `helpers` are further connections to the same file: each reads a part
/// of it on a thread of its own.
pub(super) fn read_documents(database: &Connection, helpers: Vec<Connection>, pack: bool) -> Result<Documents> {
    let count: i64 = database.query_row("SELECT coalesce(max(id), -1) + 1 FROM documents", [], |row| row.get(0))?;
    let parts = helpers.len() as i64 + 1;
    let whole_packs = |id: i64| id.div_euclid(TextPack::TEXTS as i64) * TextPack::TEXTS as i64;
    // The outer parts reach beyond all ids: a row that belongs nowhere is found, not passed over.
    let cut = |at: i64| match at {
        0 => i64::MIN,
        at if at == parts => i64::MAX,
        at => whole_packs(count * at / parts),
    };
    // The first part is to hold them all in the end.
    let rooms = |at: i64| usize::try_from(if at == 0 { count } else { count / parts + 1 }).unwrap_or_default().min(MOST_ROOM);
    let read: Mutex<BTreeMap<i64, Result<Documents>>> = Mutex::default();
    let put = |at: i64, part: Result<Documents>| {
        if let Ok(mut read) = read.lock() {
            read.insert(at, part);
        }
    };
    rayon::in_place_scope(|scope| {
        for (at, database) in (1..).zip(helpers) {
            scope.spawn(move |_| put(at, read_part(&database, (cut(at), cut(at + 1)), rooms(at), pack)));
        }
        put(0, read_part(database, (cut(0), cut(1)), rooms(0), pack));
    });
    let read = read.into_inner().unwrap_or_default();
    if read.len() as i64 != parts {
        return Err(wrong(0, "a part of it could not be read".to_owned()));
    }
    let mut parts = read.into_values();
    let mut whole = parts.next().transpose()?.unwrap_or_default();
    for part in parts {
        let mut part = part?;
        whole.documents.append(&mut part.documents);
        whole.texts.append(&mut part.texts);
    }
    Ok(whole)
}

/// A file that says it has more documents than this gets room for them as they come.
const MOST_ROOM: usize = 10_000_000;

/// The documents with ids from the first of `ids` up to the second, in a list with room for `room` of them.
fn read_part(database: &Connection, ids: (i64, i64), room: usize, pack: bool) -> Result<Documents> {
    let mut part = Documents { documents: Vec::with_capacity(room), texts: Vec::new() };
    read_texts(database, ids, &mut part, pack)?;
    let documents = &mut part.documents;
    let select = "SELECT doc, question, value FROM answers WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    let mut answers = AnswerReader::default();
    each_mark(database, select, ids, documents, |row, doc| {
        doc.annotation.answers.insert(QuestionId(row.get(1)?), answers.read(text(row, 2)?)?);
        Ok(())
    })?;
    let select = "SELECT doc, id, start, end, label, polarity FROM spans WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ids, documents, |row, doc| {
        let range = range(row, (2, 3), &doc.text)?;
        let polarity = match row.get_ref(5)?.as_str_or_null()? {
            None => None,
            Some("negative") => Some(Polarity::Negative),
            Some("neutral") => Some(Polarity::Neutral),
            Some("positive") => Some(Polarity::Positive),
            Some(other) => return Err(wrong(5, format!("unknown polarity {other:?}"))),
        };
        doc.annotation.spans.insert(SpanId(row.get(1)?), Span { range, label: row.get(4)?, polarity });
        Ok(())
    })?;
    let select = "SELECT doc, from_span, to_span FROM links WHERE doc >= ?1 AND doc < ?2 ORDER BY doc";
    each_mark(database, select, ids, documents, |row, doc| {
        doc.annotation.links.insert(Link { from: SpanId(row.get(1)?), to: SpanId(row.get(2)?) });
        Ok(())
    })?;
    Ok(part)
}

/// Answers of their JSON. The last one is kept as it was read: classes come again and again.
#[derive(Default)]
struct AnswerReader {
    held: Vec<(String, Answer)>,
}

impl AnswerReader {
    /// More different answers than this are numbers or words.
    const MOST: usize = 16;

    fn read(&mut self, json: &str) -> Result<Answer> {
        if let Some((_, answer)) = self.held.iter().find(|(held, _)| held == json) {
            return Ok(answer.clone());
        }
        let answer: Answer = serde_json::from_str(json).map_err(|error| wrong(2, error.to_string()))?;
        if self.held.len() < Self::MOST {
            self.held.push((json.to_owned(), answer.clone()));
        }
        Ok(answer)
    }
}

/// The documents without their marks.
fn read_texts(database: &Connection, ids: (i64, i64), part: &mut Documents, pack: bool) -> Result<()> {
    let Documents { documents, texts } = part;
    // While they are near: a pass over all of them later would fetch each from memory again.
    let pack_of = |documents: &[Document]| TextPack::of(documents.iter().map(|doc| &*doc.text));
    let mut select =
        database.prepare("SELECT id, text, meta, split, present, state, flagged FROM documents WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let mut found = select.query([ids.0, ids.1])?;
    let mut metas = MetaReader::default();
    while let Some(row) = found.next()? {
        // Filled in where it stands: a document is large, and there may be a million.
        documents.push(Document::new(DocId(row.get(0)?), text(row, 1)?));
        let Some(doc) = documents.last_mut() else { continue };
        doc.split = match row.get_ref(3)?.as_bytes_or_null()? {
            None => None,
            Some(b"train") => Some(Split::Train),
            Some(b"dev") => Some(Split::Dev),
            Some(b"test") => Some(Split::Test),
            Some(other) => return Err(wrong(3, format!("unknown split {:?}", String::from_utf8_lossy(other)))),
        };
        doc.meta = metas.read(text(row, 2)?).map_err(|error| wrong(2, error.to_string()))?;
        doc.present = row.get(4)?;
        doc.annotation.flagged = row.get(6)?;
        doc.annotation.state = match text(row, 5)? {
            "todo" => State::Todo,
            "done" => State::Done,
            "skipped" => State::Skipped,
            other => match other.strip_prefix(SKIPPED_BECAUSE) {
                Some(reason) => {
                    reason.clone_into(&mut doc.annotation.skip_reason);
                    State::Skipped
                }
                None => return Err(wrong(5, format!("unknown state {other:?}"))),
            },
        };
        if pack && documents.len().is_multiple_of(TextPack::TEXTS) {
            texts.push(pack_of(&documents[documents.len() - TextPack::TEXTS..]));
        }
    }
    let rest = documents.len() % TextPack::TEXTS;
    if pack && rest > 0 {
        texts.push(pack_of(&documents[documents.len() - rest..]));
    }
    Ok(())
}

/// `documents` are those with the ids that `select` asks for.
fn each_mark(
    database: &Connection,
    select: &str,
    ids: (i64, i64),
    documents: &mut [Document],
    mut put: impl FnMut(&Row, &mut Document) -> Result<()>,
) -> Result<()> {
    let first = documents.first().map_or(0, |doc| i64::from(doc.id.0));
    let mut select = database.prepare(select)?;
    let mut found = select.query([ids.0, ids.1])?;
    while let Some(row) = found.next()? {
        let id: i64 = row.get(0)?;
        let at = usize::try_from(id - first).ok();
        let doc = at
            .and_then(|at| documents.get_mut(at))
            .ok_or_else(|| wrong(0, format!("a mark belongs to document {id}, which is missing")))?;
        put(row, doc)?;
    }
    Ok(())
}

/// Whether any document has something that [`check`] looks at.
pub(super) fn has_joins(database: &Connection, format: u32) -> Result<bool> {
    let tables: [(u32, &str); 4] = [(1, "links"), (2, "layers"), (3, "attributes"), (3, "link_types")];
    for (_, table) in tables.into_iter().filter(|(since, _)| *since <= format) {
        if database.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether links join spans that are there: every edit made sure of it, so it must hold for what is read.
/// (Answers and labels may point beyond a schema that was cut down later; readers ask the schema and get `None`.)
pub(super) fn check(documents: &[Document]) -> std::result::Result<(), String> {
    documents.par_chunks(1 << 14).try_for_each(check_part)
}

fn check_part(documents: &[Document]) -> std::result::Result<(), String> {
    let layers = documents.iter().flat_map(|doc| std::iter::once(&doc.annotation).chain(doc.layers.values()).map(|said| (doc.id, said)));
    for (id, Annotation { spans, links, attributes, link_types, .. }) in layers {
        if !links.iter().all(|link| link.from != link.to && spans.contains_key(&link.from) && spans.contains_key(&link.to)) {
            return Err(format!("a link of document {} has lost a span", id.0));
        }
        if !attributes.keys().all(|span| spans.contains_key(span)) || !link_types.keys().all(|link| links.contains(link)) {
            return Err(format!("an attribute or a type of document {} has lost its span or link", id.0));
        }
    }
    Ok(())
}

/// Stands before the reason in the column of states.
const SKIPPED_BECAUSE: &str = "skipped: ";

fn state_words(said: &Annotation) -> Cow<'_, str> {
    match &said.state {
        State::Skipped if !said.skip_reason.is_empty() => format!("{SKIPPED_BECAUSE}{}", said.skip_reason).into(),
        state => state_name(state).into(),
    }
}

fn state_name(state: &State) -> &'static str {
    match state {
        State::Todo => "todo",
        State::Done => "done",
        State::Skipped => "skipped",
    }
}

/// The bytes of `text` between the numbers of two columns.
fn range(row: &Row, columns: (usize, usize), text: &str) -> Result<TextRange> {
    let (start, end): (u32, u32) = (row.get(columns.0)?, row.get(columns.1)?);
    TextRange::new(text, start as usize..end as usize).ok_or_else(|| wrong(columns.0, "a span lies outside its text".to_owned()))
}

fn text<'a>(row: &'a Row, column: usize) -> Result<&'a str> {
    // Most of a large project's bytes go through here: looked at with vector instructions.
    let bytes = row.get_ref(column)?.as_bytes()?;
    simdutf8::basic::from_utf8(bytes).map_err(|error| wrong(column, error.to_string()))
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T> {
    serde_json::from_str(text(row, column)?).map_err(|error| wrong(column, error.to_string()))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn wrong(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}
