//! Rows to values.

use super::{SKIPPED_BECAUSE, json, text, wrong};
use crate::project::{
    Annotation, AnnotatorId, Answer, CommentId, DocId, Document, Entry, EntryKind, Link, Polarity, QuestionId, Rejected, Schema, Span,
    SpanId, Split, State, Step, TextPack, TextRange,
};
use crate::store::metas::MetaReader;
use rayon::prelude::*;
use rusqlite::{Connection, Result, Row};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The annotators and the guidelines. Only of a file that has [`TABLES_2`].
pub(in crate::store) fn read_team(database: &Connection) -> Result<(Vec<String>, String)> {
    database.query_row("SELECT annotators, guidelines FROM team", [], |row| Ok((json(row, 0)?, row.get(1)?)))
}

/// The lowest id, and one beyond all that are.
const ALL_IDS: (i64, i64) = (i64::MIN, i64::MAX);

/// The layers and comments of a file that has [`TABLES_2`].
pub(in crate::store) fn read_layers(database: &Connection, documents: &mut [Document]) -> Result<()> {
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
pub(in crate::store) fn read_details(database: &Connection, documents: &mut [Document]) -> Result<()> {
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

pub(in crate::store) fn read_journal(database: &Connection) -> Result<Vec<Entry>> {
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

pub(in crate::store) fn read_schema(database: &Connection) -> Result<Schema> {
    database.query_row("SELECT json FROM schema", [], |row| json(row, 0))
}

/// The documents of a file, in order of their ids, and their texts for searching them.
#[derive(Default)]
pub(in crate::store) struct Documents {
    pub documents: Vec<Document>,
    /// [`TextPack::TEXTS`] in each but the last; none where they were not wanted.
    pub texts: Vec<TextPack>,
}

/// All documents with all that was said about them. `helpers` are further connections to the same file: each reads a part
/// of it on a thread of its own.
pub(in crate::store) fn read_documents(database: &Connection, helpers: Vec<Connection>, pack: bool) -> Result<Documents> {
    let count: i64 = database.query_row("SELECT coalesce(max(id), -1) + 1 FROM documents", [], |row| row.get(0))?;
    let parts = helpers.len() as i64 + 1;
    let whole_packs = |id: i64| id.div_euclid(TextPack::TEXTS as i64) * TextPack::TEXTS as i64;
    // The outer parts reach beyond all ids: a row that belongs nowhere is found, not passed over.
    let cut = |at: i64| match at {
        0 => i64::MIN,
        at if at == parts => i64::MAX,
        at => whole_packs(count * at / parts),
    };
    // A document takes bytes of the file, whatever a damaged one says of its number.
    let bytes: i64 = database.query_row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", [], |row| row.get(0))?;
    let most = usize::try_from(bytes / LEAST_BYTES).unwrap_or_default();
    // The first part is to hold them all in the end.
    let rooms = |at: i64| usize::try_from(if at == 0 { count } else { count / parts + 1 }).unwrap_or_default().min(most);
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

/// The row of a document is longer than this.
const LEAST_BYTES: i64 = 16;

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
pub(in crate::store) fn has_joins(database: &Connection, format: u32) -> Result<bool> {
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
pub(in crate::store) fn check(documents: &[Document]) -> std::result::Result<(), String> {
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

/// The bytes of `text` between the numbers of two columns.
fn range(row: &Row, columns: (usize, usize), text: &str) -> Result<TextRange> {
    let (start, end): (u32, u32) = (row.get(columns.0)?, row.get(columns.1)?);
    TextRange::new(text, start as usize..end as usize).ok_or_else(|| wrong(columns.0, "a span lies outside its text".to_owned()))
}
