//! SemEval's XML: aspects with their polarity. Offsets count code points.

use super::{No, Out};
use crate::project::{Document, SpanId, State};
use crate::store::formats::{BETWEEN, CATEGORY};
use crate::store::import::DraftValue;
use std::collections::BTreeSet;

/// `reviews`: in the shape of 2015 and 2016, a review a document.
pub(super) fn write(out: &mut Out, reviews: bool) -> Option<&'static str> {
    let root = if reviews { "Reviews" } else { "sentences" };
    out.bytes.extend_from_slice(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>\n").as_bytes());
    for doc in out.each() {
        document(out, doc, reviews);
    }
    out.bytes.extend_from_slice(format!("</{root}>\n").as_bytes());
    Some("code points")
}

fn document(out: &mut Out, doc: &Document, reviews: bool) {
    let said = &doc.annotation;
    out.lacks(doc, &[No::Answers, No::Links, No::LinkTypes, No::States]);
    out.state_changes(doc, &State::Done);
    for (name, value) in doc.meta.iter().filter(|(name, _)| *name != "id") {
        out.note(doc, "a field of metadata", &format!("{name} {value}"));
    }
    if doc.text.chars().any(|c| !is_allowed(c)) {
        return out.note(doc, "a document with signs that XML can't hold", &doc.text);
    }
    let number = Out::number(doc).to_string();
    let id = escaped(doc.meta.get("id").filter(|id| id.chars().all(is_allowed)).unwrap_or(&number));
    let mut terms = String::new();
    let mut taken = BTreeSet::new();
    for (id, span) in said.spans_in_order() {
        let categories = categories(out, doc, id, reviews);
        let range = span.range.chars(&doc.text);
        if !out.label(&span).eq_ignore_ascii_case("aspect") {
            out.drop_span(doc, "that is no aspect", &span);
            continue;
        }
        if range_is_null(span.range.of(&doc.text)) {
            out.drop_span(doc, "whose words are those of an aspect without words", &span);
            continue;
        }
        if !taken.insert((range.start, range.end)) {
            out.drop_span(doc, "at the place of another", &span);
            continue;
        }
        let (tag, term) = if reviews { ("Opinion", "target") } else { ("aspectTerm", "term") };
        let polarity = span.polarity.map_or_else(String::new, |polarity| format!(" polarity=\"{}\"", polarity.name()));
        let words = escaped(span.range.of(&doc.text));
        for category in categories {
            terms += &format!("<{tag} {term}=\"{words}\"{category}{polarity} from=\"{}\" to=\"{}\"/>", range.start, range.end);
        }
    }
    let list = if reviews { "Opinions" } else { "aspectTerms" };
    let list = if terms.is_empty() { String::new() } else { format!("<{list}>{terms}</{list}>") };
    let sentence = format!("<sentence id=\"{id}\"><text>{}</text>{list}</sentence>", escaped(&doc.text));
    let whole = if reviews { format!("<Review rid=\"{id}\"><sentences>{sentence}</sentences></Review>\n") } else { sentence + "\n" };
    out.bytes.extend_from_slice(whole.as_bytes());
    out.documents += 1;
}

/// What stands for an aspect that no words name.
fn range_is_null(words: &str) -> bool {
    words == "NULL"
}

/// The categories of an aspect as they are written, one of them nothing where there are none.
fn categories(out: &mut Out, doc: &Document, id: SpanId, reviews: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in out.attributes(doc, id, |_, _| false) {
        match value {
            DraftValue::Name(words) if reviews && name == CATEGORY && words.chars().all(is_allowed) => {
                found.extend(words.split(BETWEEN).map(|one| format!(" category=\"{}\"", escaped(one))));
            }
            _ => out.note(doc, "an attribute of a span", &name),
        }
    }
    if found.is_empty() { vec![String::new()] } else { found }
}

/// Whether XML 1.0 may hold a character.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Line ends and tabs as numbers, because XML reads them as others.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '"' => plain.push_str("&quot;"),
            '\t' | '\n' | '\r' => plain.push_str(&format!("&#{};", u32::from(c))),
            c => plain.push(c),
        }
    }
    plain
}
