//! Our own rows out.

use super::own::{OwnAnswer, OwnEntry, OwnLayer, OwnLink, OwnProject, OwnRejected, OwnRow, OwnSpan, TakenOut};
use crate::project::{Answer, AttributeValue, Document, History, Layer, Project, Rejected, Schema, Span, SpanId};
use crate::store::import::DraftValue;
use crate::store::{StoreError, write_atomically};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes every document of a project as a line of our own format, which [`crate::store::import`] reads back without loss.
///
/// # Errors
/// When the writer fails.
pub fn export_jsonl(project: &Project, writer: &mut dyn Write) -> io::Result<()> {
    export_watched(project, &|_| true, writer)
}

/// [`export_jsonl`] of the documents until `goes_on`, which is told how many are done, has enough.
pub(in crate::store) fn export_watched(project: &Project, goes_on: &dyn Fn(usize) -> bool, writer: &mut dyn Write) -> io::Result<()> {
    write_rows(project, own_head(project), goes_on, writer)
}

/// [`export_watched`] with the journal in the first row. Whether it had room there.
pub(in crate::store) fn export_with_journal(
    project: &Project,
    history: &History,
    goes_on: &dyn Fn(usize) -> bool,
    writer: &mut dyn Write,
) -> io::Result<bool> {
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
    write_rows(project, head, goes_on, writer)?;
    Ok(fits)
}

fn own_head(project: &Project) -> OwnProject {
    let (annotators, guidelines) = (project.annotators().to_vec(), project.guidelines().to_owned());
    OwnProject { schema: (**project.schema()).clone(), annotators, guidelines, journal: Vec::new(), taken_out: Vec::new() }
}

fn write_rows(project: &Project, head: OwnProject, goes_on: &dyn Fn(usize) -> bool, writer: &mut dyn Write) -> io::Result<()> {
    let mut head = Some(head);
    for doc in project.documents().take_while(|_| goes_on(1)) {
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
    written.and_then(|bytes| write_atomically(path, &bytes)).map_err(StoreError::io("Exporting", path))
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

pub(in crate::store) fn own_attributes(schema: &Schema, doc: &Document, id: SpanId, span: &Span) -> BTreeMap<String, DraftValue> {
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
