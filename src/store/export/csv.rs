//! CSV and Excel: a row a document, a column for each question and field of metadata. Several labels stand with "; "
//! between them. Spans and links have no room.

use super::{No, Out};
use crate::project::{Answer, Document, Question, QuestionId, State};
use crate::store::import::parts_of;
use rust_xlsxwriter::{Workbook, XlsxError};
use std::collections::BTreeSet;

/// Names of the columns, and the fields of metadata among them.
fn columns<'a>(out: &mut Out<'a>) -> (Vec<String>, Vec<&'a str>) {
    let fields: BTreeSet<&str> = out.project.documents().flat_map(|doc| doc.meta.iter().map(|(name, _)| name)).collect();
    let questions = out.schema().questions.iter().map(|question| question.name.as_str());
    let mut names: Vec<String> = Vec::new();
    let header = ["text"].into_iter().chain(questions).chain(["state", "flagged", "split"]).chain(fields.iter().copied());
    for name in header {
        let mut name = name.to_owned();
        while names.contains(&name) || name.is_empty() {
            name.push_str(" (2)");
        }
        names.push(name);
    }
    let of_fields = &names[names.len() - fields.len()..];
    let renamed: Vec<&str> = fields.iter().zip(of_fields).filter(|(field, name)| *field != name).map(|(field, _)| *field).collect();
    for doc in out.project.documents() {
        let held = renamed.iter().filter(|field| doc.meta.get(field).is_some());
        held.for_each(|field| out.note(doc, "a field of metadata whose name the format uses itself", field));
    }
    (names, fields.into_iter().collect())
}

fn row(out: &mut Out, doc: &Document, fields: &[&str]) -> Vec<String> {
    let said = &doc.annotation;
    let spans = [(said.spans.len(), "a span"), (said.links.len(), "a link between spans")];
    spans.into_iter().for_each(|(count, what)| (0..count).for_each(|_| out.note(doc, what, &doc.text)));
    out.lacks_own(doc, &[No::Attributes, No::LinkTypes]);
    if !said.skip_reason.is_empty() {
        out.note(doc, "the reason for skipping", &said.skip_reason);
    }
    let named = |question: &Question, classes: &BTreeSet<u16>| -> Vec<String> {
        classes.iter().filter_map(|class| Some(question.classes.get(usize::from(*class))?.name.clone())).collect()
    };
    for (id, answer) in &said.answers {
        if let (Answer::Classes(classes), Some(question)) = (answer, out.schema().question(*id)) {
            // What stands between two labels can't stand within one.
            let parted = named(question, classes).into_iter().filter(|name| !parts_of(name).eq([name.as_str()]));
            parted.for_each(|name| out.note(doc, "an answer whose class has a sign in its name that parts classes", &name));
        }
    }
    let cell = |(id, question): (QuestionId, &Question)| match said.answers.get(&id) {
        Some(Answer::Classes(classes)) => named(question, classes).join("; "),
        Some(answer) => question.words(answer),
        None => String::new(),
    };
    let state = match said.state {
        State::Todo => "todo",
        State::Done => "done",
        State::Skipped => "skipped",
    };
    let mut cells = vec![doc.text.to_string()];
    cells.extend(out.schema().questions().map(cell));
    let rest = [state, if said.flagged { "true" } else { "false" }, doc.split.map_or("", |split| split.name())];
    cells.extend(rest.into_iter().chain(fields.iter().map(|name| doc.meta.get(name).unwrap_or_default())).map(str::to_owned));
    out.documents += 1;
    cells
}

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    let (names, fields) = columns(out);
    line(&mut out.bytes, names.iter().map(String::as_str));
    for doc in out.each() {
        let cells = row(out, doc, &fields);
        line(&mut out.bytes, cells.iter().map(String::as_str));
    }
    None
}

/// The same table as a workbook with one sheet.
pub(super) fn write_workbook(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    /// Of a sheet, the header among them.
    const MOST_ROWS: usize = 1_048_576;
    /// Of a cell.
    const MOST_UNITS: usize = 32_767;
    let wrong = |error: XlsxError| std::io::Error::other(error.to_string());
    let (names, fields) = columns(out);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, name) in names.iter().enumerate() {
        sheet.write_string(0, at as u16, name).map_err(wrong)?;
    }
    for doc in out.each() {
        if out.documents + 1 >= MOST_ROWS {
            out.note(doc, "a document beyond the last row of a sheet", &doc.text);
            continue;
        }
        let cells = row(out, doc, &fields);
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let fits = cell.encode_utf16().count() <= MOST_UNITS;
            let kept = if fits { cell.clone() } else { cell.chars().take(MOST_UNITS / 2).collect() };
            if !fits {
                out.note(doc, "the end of a text that is longer than a cell can hold (32,767)", cell);
            }
            sheet.write_string(out.documents as u32, at as u16, kept).map_err(wrong)?;
        }
    }
    if !(out.goes_on)(0) {
        return Ok(None);
    }
    out.bytes = book.save_to_buffer().map_err(wrong)?;
    Ok(None)
}

fn line<'a>(bytes: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        if cell.contains([',', '"', '\n', '\r']) || cell.trim() != cell {
            bytes.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            bytes.extend_from_slice(cell.as_bytes());
        }
    }
    bytes.push(b'\n');
}
