//! brat's standoff: a folder with a text and what is said about it for each document. Offsets count code points.

use super::{No, Out};
use crate::project::{Document, Link, SpanId, State, TextRange};
use crate::store::formats::{PART_LINK, is_about_polarity, polarity};
use crate::store::import::DraftValue;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
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
    let pieces = pieces(out, doc);
    let whole = said.spans_in_order().into_iter().filter(|(id, _)| !pieces.inner.contains(id));
    for (at, (id, span)) in whole.enumerate() {
        let label = out.label(&span);
        let plain = joined(out, doc, "a span whose label", label);
        let parts: Vec<TextRange> = pieces.of.get(&id).cloned().unwrap_or_else(|| vec![span.range]);
        let place = |part: &TextRange| {
            let range = part.chars(&doc.text);
            format!("{} {}", range.start, range.end)
        };
        let places = parts.iter().map(place).collect::<Vec<_>>().join(";");
        let words = parts.iter().map(|part| part.of(&doc.text)).collect::<Vec<_>>().join(" ");
        let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        lines += &format!("T{}\t{plain} {places}\t{words}\n", at + 1);
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

/// Spans in pieces: those that a span is the first piece of, and the ids of all further pieces.
#[derive(Default)]
struct Pieces {
    of: BTreeMap<SpanId, Vec<TextRange>>,
    inner: BTreeSet<SpanId>,
}

/// Finds spans that are linked as parts of their first one, and of which nothing else is said.
fn pieces(out: &Out, doc: &Document) -> Pieces {
    let (said, schema) = (&doc.annotation, out.schema());
    let mut found = Pieces::default();
    for (id, span) in said.spans_in_order() {
        let whole = said.whole(schema, id);
        if whole.len() < 2 || whole[0] != id {
            continue;
        }
        let is_part = |link: &&Link| said.joins_parts(schema, link) && out.link_name(said, link) == PART_LINK;
        let inner: BTreeSet<SpanId> = whole[1..].iter().copied().collect();
        let mut end = span.range.end();
        let mut is_plain = |inner: &SpanId| {
            let Some(piece) = said.spans.get(inner) else { return false };
            let mut links = said.links.iter().filter(|link| link.from == *inner || link.to == *inner);
            let is_linked = links.next().is_some_and(|link| is_part(&link) && link.from == id) && links.next().is_none();
            // With a gap between that is more than a line's end, or reading makes one of them.
            let between = doc.text.get(end..piece.range.start()).unwrap_or_default();
            let is_apart = piece.range.start() > end && !between.chars().all(|c| matches!(c, '\n' | '\r'));
            end = piece.range.end();
            piece.label == span.label && piece.polarity.is_none() && said.attributes_of(*inner).is_empty() && is_linked && is_apart
        };
        if whole[1..].iter().all(&mut is_plain) {
            let ranges = whole.iter().filter_map(|id| said.spans.get(id)).map(|span| span.range);
            found.of.insert(id, ranges.collect());
            found.inner.extend(inner);
        }
    }
    found
}

/// A name as one word.
fn joined(out: &mut Out, doc: &Document, what: &str, name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    if plain != name {
        out.note(doc, &format!("{what} has a space in its name, written as _"), name);
    }
    plain
}
