//! brat's standoff: a folder with a text and what is said about it for each document. Offsets count code points.

use super::{No, Out};
use crate::project::{Document, State};
use crate::store::formats::PLAIN_LINK;
use std::collections::BTreeMap;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.project.documents() {
        document(out, doc);
    }
    Some("code points")
}

fn document(out: &mut Out, doc: &Document) {
    let said = &doc.annotation;
    out.lacks(doc, &[No::Answers, No::States, No::Meta]);
    out.state_changes(doc, if said.spans.is_empty() { &State::Todo } else { &State::Done });
    let mut lines = String::new();
    let mut names = BTreeMap::new();
    let mut attributes = 0;
    for (at, (id, span)) in said.spans_in_order().into_iter().enumerate() {
        let range = span.range.chars(&doc.text);
        let label = out.label(&span);
        let plain: String = label.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
        if plain != label {
            out.note(doc, "a span whose label has a space in its name, written as _", label);
        }
        let words: String = span.range.of(&doc.text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        lines += &format!("T{}\t{plain} {} {}\t{words}\n", at + 1, range.start, range.end);
        if let Some(polarity) = span.polarity {
            attributes += 1;
            lines += &format!("A{attributes}\tPolarity T{} {}\n", at + 1, polarity.name());
        }
        names.insert(id, at + 1);
    }
    for (at, link) in said.links.iter().enumerate() {
        if let (Some(from), Some(to)) = (names.get(&link.from), names.get(&link.to)) {
            lines += &format!("R{}\t{PLAIN_LINK} Arg1:T{from} Arg2:T{to}\n", at + 1);
        }
    }
    let name = format!("{:07}", Out::number(doc));
    out.files.push((format!("{name}.txt"), doc.text.as_bytes().to_vec()));
    out.files.push((format!("{name}.ann"), lines.into_bytes()));
    out.documents += 1;
}
