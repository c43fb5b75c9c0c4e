//! CSV: a row a document, a column for each question and field of metadata. Several labels stand with "; " between
//! them. Spans and links have no room.

use super::Out;
use crate::project::{Answer, QuestionId, State};
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
        out.lacks_own(doc);
        let cell = |(id, question): (QuestionId, &crate::project::Question)| match said.answers.get(&id) {
            Some(Answer::Classes(classes)) => {
                let names = classes.iter().filter_map(|class| question.classes.get(usize::from(*class)));
                names.map(|class| class.name.as_str()).collect::<Vec<_>>().join("; ")
            }
            Some(answer) => question.words(answer),
            None => String::new(),
        };
        let state = match said.state {
            State::Todo => "todo",
            State::Done => "done",
            State::Skipped => "skipped",
        };
        let answers: Vec<String> = schema.questions().map(cell).collect();
        let rest = [state, if said.flagged { "true" } else { "false" }, doc.split.map_or("", |split| split.name())];
        let meta = fields.iter().map(|name| doc.meta.get(name).unwrap_or_default());
        line(&mut out.bytes, std::iter::once(&*doc.text).chain(answers.iter().map(String::as_str)).chain(rest).chain(meta));
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
