//! Values to rows.

use super::{SKIPPED_BECAUSE, to_json};
use crate::project::{Annotation, Document, Edit, EntryKind, Polarity, Project, Rejected, Span, Split, State, Step};
use crate::store::StoreError;
use rusqlite::{Connection, Result, Statement, params};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

/// What steps changed, each row to be written once however many steps touched it.
#[derive(Default)]
pub(in crate::store) struct Touched {
    added: Vec<Range<usize>>,
    presence: Vec<Range<usize>>,
    annotations: BTreeSet<usize>,
    schema: bool,
}

impl Touched {
    pub(in crate::store) fn by(entries: &[(EntryKind, &Step)]) -> Self {
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
pub(in crate::store) fn write_touched(database: &Connection, touched: &Touched, project: &Project, path: &Path) -> Result<(), StoreError> {
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
pub(in crate::store) fn insert_documents(database: &Connection, documents: &[Document]) -> Result<()> {
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
pub(in crate::store) fn write_team(database: &Connection, project: &Project) -> Result<()> {
    let annotators = to_json(&project.annotators())?;
    database.prepare_cached("UPDATE team SET annotators = ?1, guidelines = ?2")?.execute(params![annotators, project.guidelines()])?;
    Ok(())
}

pub(in crate::store) fn append_journal(database: &Connection, seq: i64, kind: EntryKind, step: &Step) -> Result<()> {
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
