//! ASTE: a text of words with spaces between, and triplets of aspect, opinion and polarity by the numbers of words.

use super::{No, Out, words};
use crate::project::{Document, Polarity, Span, SpanId, State};
use crate::store::formats::{MARK, join};
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
        document(out, doc);
    }
    None
}

fn document(out: &mut Out, doc: &Document) {
    out.lacks(doc, &[No::Answers, No::Attributes, No::LinkTypes, No::States, No::Meta]);
    let said = &doc.annotation;
    let edges: BTreeSet<usize> = said.spans.values().flat_map(|span| [span.range.start(), span.range.end()]).collect();
    let words = words(&doc.text, &edges);
    if words.is_empty() {
        return out.note(doc, "a document without words", &doc.text);
    }
    out.state_changes(doc, &State::Done);
    let text: Vec<&str> = words.iter().map(|word| &doc.text[word.clone()]).collect();
    if join(&text).0 != *doc.text {
        out.note(doc, "the spaces of a text, which words with spaces between do not bring back", &doc.text);
    }
    let (mut triplets, mut held) = (Vec::new(), BTreeSet::new());
    // What is linked through several of its parts is one triplet all the same.
    let mut known = BTreeSet::new();
    for link in said.main_links() {
        let (Some(from), Some(to)) = (said.spans.get(&link.from), said.spans.get(&link.to)) else { continue };
        let names = [out.label(to), out.label(from)].map(str::to_lowercase);
        let parts = [link.to, link.from].map(|id| said.whole(out.schema(), id));
        if !known.insert(parts.clone()) {
            continue;
        }
        let part_polarity = || parts[1].iter().find_map(|id| said.spans.get(id)?.polarity);
        let polarity = from.polarity.or_else(part_polarity);
        let places = (all_numbers(out, doc, &parts[0], &words), all_numbers(out, doc, &parts[1], &words));
        match (names.each_ref().map(String::as_str), polarity, places) {
            (["aspect", "opinion"], Some(polarity), (Some(aspect), Some(opinion))) => {
                held.extend(parts.into_iter().flatten());
                triplets.push(format!("({aspect:?}, {opinion:?}, '{}')", sign(polarity)));
            }
            (["aspect", "opinion"], None, _) => out.note(doc, "a link from an opinion without polarity", &doc.text),
            _ => out.note(doc, "a link that does not go from an opinion to an aspect", &doc.text),
        }
    }
    let schema = out.schema();
    for link in said.links.iter().filter(|link| said.link_type(link) > 0 && !said.joins_parts(schema, link)) {
        let from = said.spans.get(&link.from).map_or("", |span| span.range.of(&doc.text));
        out.note(doc, "a link of another type than the first", from);
    }
    for (id, span) in &said.spans {
        if !held.contains(id) {
            out.drop_span(doc, "that is part of no triplet", span);
        } else if span.polarity.is_some() && out.label(span).eq_ignore_ascii_case("aspect") {
            out.note(doc, "the polarity of an aspect", span.range.of(&doc.text));
        }
    }
    out.documents += 1;
    out.bytes.extend_from_slice(format!("{}{MARK}[{}]\n", text.join(" "), triplets.join(", ")).as_bytes());
}

fn sign(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "POS",
        Polarity::Neutral => "NEU",
        Polarity::Negative => "NEG",
    }
}

/// The words of all parts of one thing, in order.
fn all_numbers(out: &mut Out, doc: &Document, parts: &[SpanId], words: &[Range<usize>]) -> Option<Vec<usize>> {
    let mut all = BTreeSet::new();
    for span in parts.iter().filter_map(|id| doc.annotation.spans.get(id)) {
        all.extend(numbers(out, doc, span, words)?);
    }
    Some(all.into_iter().collect())
}

fn numbers(out: &mut Out, doc: &Document, span: &Span, words: &[Range<usize>]) -> Option<Vec<usize>> {
    let inside = |word: &Range<usize>| span.range.start() <= word.start && word.end <= span.range.end();
    let numbers: Vec<usize> = words.iter().enumerate().filter(|(_, word)| inside(word)).map(|(at, _)| at).collect();
    let (first, last) = (words.get(*numbers.first()?)?, words.get(*numbers.last()?)?);
    if first.start != span.range.start() || last.end != span.range.end() {
        out.note(doc, "white space at the edge of a span", span.range.of(&doc.text));
    }
    Some(numbers)
}
