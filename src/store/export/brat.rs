//! brat's standoff: a folder with a text and what is said about it for each document. Offsets count code points.

use super::{No, Out};
use crate::project::{Document, State};
use crate::store::formats::{is_about_polarity, polarity};
use crate::store::import::DraftValue;
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
        let plain = joined(out, doc, "a span whose label", label);
        let words: String = span.range.of(&doc.text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        lines += &format!("T{}\t{plain} {} {}\t{words}\n", at + 1, range.start, range.end);
        if let Some(polarity) = span.polarity {
            attributes += 1;
            lines += &format!("A{attributes}\tPolarity T{} {}\n", at + 1, polarity.name());
        }
        for (name, said) in out.attributes(doc, id, |name, value| is_about_polarity(name) && polarity(value).is_some()) {
            let value = match said {
                DraftValue::Name(value) => value,
                DraftValue::Number(number) => number.to_string(),
            };
            let (name, value) =
                (joined(out, doc, "an attribute of a span that", &name), joined(out, doc, "an attribute of a span whose value", &value));
            attributes += 1;
            lines += &format!("A{attributes}\t{name} T{} {value}\n", at + 1);
        }
        names.insert(id, at + 1);
    }
    for (at, link) in said.links.iter().enumerate() {
        if let (Some(from), Some(to)) = (names.get(&link.from), names.get(&link.to)) {
            let name = joined(out, doc, "the type of a link", out.link_name(said, link));
            lines += &format!("R{}\t{name} Arg1:T{from} Arg2:T{to}\n", at + 1);
        }
    }
    let name = format!("{:07}", Out::number(doc));
    out.files.push((format!("{name}.txt"), doc.text.as_bytes().to_vec()));
    out.files.push((format!("{name}.ann"), lines.into_bytes()));
    out.documents += 1;
}

/// A name as one word.
fn joined(out: &mut Out, doc: &Document, what: &str, name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    if plain != name {
        out.note(doc, &format!("{what} has a space in its name, written as _"), name);
    }
    plain
}
