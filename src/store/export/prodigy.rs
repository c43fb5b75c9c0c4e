//! Prodigy's JSON Lines, which spaCy reads too: spans with polarity and attributes, relations, and the class as the option
//! that was accepted. Offsets count code points.

use super::{No, Out, words};
use crate::project::{Document, Span, SpanId, State};
use crate::store::formats::ATTRIBUTES;
use crate::store::jsonl::own_attributes;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) fn write(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    for doc in out.each() {
        let row = row(out, doc);
        serde_json::to_writer(&mut out.bytes, &row)?;
        out.bytes.push(b'\n');
        out.documents += 1;
    }
    Ok(Some("code points"))
}

fn row(out: &mut Out, doc: &Document) -> Map<String, Value> {
    let said = &doc.annotation;
    out.lacks(doc, &[No::OtherAnswers]);
    let mut row = Map::new();
    row.insert("text".to_owned(), json!(&*doc.text));
    let meta: Map<String, Value> = doc.meta.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if !meta.is_empty() {
        row.insert("meta".to_owned(), Value::Object(meta));
    }
    let edges: BTreeSet<usize> = said.spans.values().flat_map(|span| [span.range.start(), span.range.end()]).collect();
    let words = words(&doc.text, &edges);
    let chars = |byte: usize| doc.text[..byte].chars().count();
    let token = |(id, word): (usize, &std::ops::Range<usize>)| {
        let ws = doc.text[word.end..].starts_with(' ');
        json!({"text": &doc.text[word.clone()], "start": chars(word.start), "end": chars(word.end), "id": id, "ws": ws})
    };
    row.insert("tokens".to_owned(), words.iter().enumerate().map(token).collect());
    let place = |span: &Span| {
        let range = span.range.chars(&doc.text);
        json!({"start": range.start, "end": range.end, "label": out.label(span), "text": span.range.of(&doc.text)})
    };
    // Prodigy leaves further fields of a span alone.
    let own = |(id, span): (&SpanId, &Span)| {
        let mut field = place(span);
        let attributes = own_attributes(out.schema(), doc, *id, span);
        if let (Some(polarity), Value::Object(field)) = (span.polarity, &mut field) {
            field.insert("polarity".to_owned(), json!(polarity.name()));
        }
        if let (false, Value::Object(field)) = (attributes.is_empty(), &mut field) {
            field.insert(ATTRIBUTES.to_owned(), json!(attributes));
        }
        field
    };
    row.insert("spans".to_owned(), said.spans.iter().map(own).collect());
    if let Some(class) = out.main_class(said).filter(|_| said.state != State::Skipped) {
        row.insert("accept".to_owned(), json!([class]));
    }
    let mut relations = Vec::new();
    for link in &said.links {
        let (Some(from), Some(to)) = (said.spans.get(&link.from), said.spans.get(&link.to)) else { continue };
        let word = |span: &Span| words.iter().position(|word| word.start >= span.range.start());
        relations
            .push(json!({"head": word(from), "child": word(to), "label": out.link_name(said, link), "head_span": place(from), "child_span": place(to)}));
    }
    row.insert("relations".to_owned(), Value::Array(relations));
    let answer = match said.state {
        State::Done => Some("accept"),
        State::Skipped => Some("ignore"),
        State::Todo => None,
    };
    row.extend(answer.map(|answer| ("answer".to_owned(), json!(answer))));
    if said.state == State::Skipped && out.main_class(said).is_some() {
        out.note(doc, "an answer to the main question of a skipped document", &doc.text);
    }
    if said.state == State::Todo && (out.main_class(said).is_some() || !said.spans.is_empty()) {
        out.state_changes(doc, &State::Done);
    }
    let is_alike = |span: &Span, other: &Span| (other.range, other.label) == (span.range, span.label);
    let at_one_place = |span: &Span| said.spans.values().filter(|other| is_alike(span, other)).count() > 1;
    for _ in said.links.iter().filter(|link| [link.from, link.to].iter().any(|id| said.spans.get(id).is_some_and(at_one_place))) {
        out.note(doc, "which of two spans at one place a link between spans joins", &doc.text);
    }
    row
}
