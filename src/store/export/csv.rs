//! CSV: a row a document, a column for each question and field of metadata. Spans and links have no room.

use super::Out;
use crate::project::{QuestionId, State};
use std::collections::BTreeSet;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    let schema = out.schema();
    let fields: BTreeSet<&str> = out.project.documents().flat_map(|doc| doc.meta.iter().map(|(name, _)| name)).collect();
    let questions = schema.questions.iter().map(|question| question.name.as_str());
    let mut names: Vec<String> = Vec::new();
    let header = ["text"].into_iter().chain(questions).chain(["state", "flagged", "split"]).chain(fields.iter().copied());
    for name in header {
        let mut name = name.to_owned();
        while names.contains(&name) || name.is_empty() {
            name.push_str(" (2)");
        }
        names.push(name);
    }
    line(&mut out.bytes, names.iter().map(String::as_str));
    for doc in out.project.documents() {
        let said = &doc.annotation;
        let spans = [(said.spans.len(), "a span"), (said.links.len(), "a link between spans")];
        spans.into_iter().for_each(|(count, what)| (0..count).for_each(|_| out.note(doc, what, &doc.text)));
        out.lacks_team(doc);
        let class = |at: usize| {
            let id = QuestionId(at as u16);
            said.class(id).and_then(|class| schema.question(id)?.classes.get(usize::from(class))).map_or("", |class| class.name.as_str())
        };
        let state = match said.state {
            State::Todo => "todo",
            State::Done => "done",
            State::Skipped => "skipped",
        };
        let answers = (0..schema.questions.len()).map(class);
        let rest = [state, if said.flagged { "true" } else { "false" }, doc.split.map_or("", |split| split.name())];
        let meta = fields.iter().map(|name| doc.meta.get(name).unwrap_or_default());
        line(&mut out.bytes, std::iter::once(&*doc.text).chain(answers).chain(rest).chain(meta));
        out.documents += 1;
    }
    None
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
