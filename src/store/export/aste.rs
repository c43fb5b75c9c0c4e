//! ASTE: a text of words with spaces between, and triplets of aspect, opinion and polarity by the numbers of words.

use super::{No, Out, words};
use crate::project::{Document, Polarity, Span, State};
use crate::store::formats::{MARK, join};
use std::collections::BTreeSet;
use std::ops::Range;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.project.documents() {
        document(out, doc);
    }
    None
}

fn document(out: &mut Out, doc: &Document) {
    out.lacks(doc, &[No::Answers, No::States, No::Meta]);
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
    for link in &said.links {
        let (Some(from), Some(to)) = (said.spans.get(&link.from), said.spans.get(&link.to)) else { continue };
        let names = [out.label(to), out.label(from)].map(str::to_lowercase);
        let places = (numbers(out, doc, to, &words), numbers(out, doc, from, &words));
        match (names.each_ref().map(String::as_str), from.polarity, places) {
            (["aspect", "opinion"], Some(polarity), (Some(aspect), Some(opinion))) => {
                held.extend([link.from, link.to]);
                triplets.push(format!("({aspect:?}, {opinion:?}, '{}')", sign(polarity)));
            }
            (["aspect", "opinion"], None, _) => out.note(doc, "a link from an opinion without polarity", &doc.text),
            _ => out.note(doc, "a link that does not go from an opinion to an aspect", &doc.text),
        }
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

fn numbers(out: &mut Out, doc: &Document, span: &Span, words: &[Range<usize>]) -> Option<Vec<usize>> {
    let inside = |word: &Range<usize>| span.range.start() <= word.start && word.end <= span.range.end();
    let numbers: Vec<usize> = words.iter().enumerate().filter(|(_, word)| inside(word)).map(|(at, _)| at).collect();
    let (first, last) = (words.get(*numbers.first()?)?, words.get(*numbers.last()?)?);
    if first.start != span.range.start() || last.end != span.range.end() {
        out.note(doc, "white space at the edge of a span", span.range.of(&doc.text));
    }
    Some(numbers)
}
