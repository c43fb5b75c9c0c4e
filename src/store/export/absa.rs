//! Aspects with polarity as PyABSA and E2E have them: ATEPC's words with tags, APC's marked sentences, E2E's tagged words.

use super::{No, Out, flat, is_gap, words};
use crate::project::{Document, Polarity, Span, SpanId, State, TextRange};
use crate::store::formats::{ASPECT, MARK, join};
use std::collections::BTreeSet;
use std::ops::Range;

/// For an aspect without polarity, and in ATEPC for every other word.
const NONE: &str = "-999";
/// What stands in APC's lines beside the text.
const SIGNS: [&str; 5] = ["[B-ASP]", "[E-ASP]", "$LABEL$", "$T$", "!sent!"];

/// A word a line, its tag and its polarity; a blank line behind each document.
pub(super) fn atepc(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
        let Some((aspects, words)) = prepared(out, doc) else { continue };
        let text: Vec<&str> = words.iter().map(|word| &doc.text[word.clone()]).collect();
        if join(&text).0 != *doc.text {
            out.note(doc, "the spaces of a text, which words with spaces between do not bring back", &doc.text);
        }
        let mut lines: Vec<(&str, &str)> = vec![("O", NONE); words.len()];
        for (_, span) in &aspects {
            for (at, line) in inside(span, &words).enumerate() {
                lines[line] = (if at == 0 { "B-ASP" } else { "I-ASP" }, span.polarity.map_or(NONE, long_name));
            }
        }
        for (word, (tag, polarity)) in text.iter().zip(lines) {
            out.bytes.extend_from_slice(format!("{word} {tag} {polarity}\n").as_bytes());
        }
        out.bytes.push(b'\n');
        out.documents += 1;
    }
    None
}

/// `The [B-ASP]food[E-ASP] was good $LABEL$ Positive`, a line a document.
pub(super) fn apc(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
        if SIGNS.iter().any(|sign| doc.text.contains(sign)) {
            out.lacks(doc, &LACKING);
            out.note(doc, "a document whose text holds signs of the format", &doc.text);
            continue;
        }
        let Some((aspects, _)) = prepared(out, doc) else { continue };
        if aspects.is_empty() {
            out.note(doc, "a document without an aspect", &doc.text);
            continue;
        }
        let text = one_line(out, doc);
        if text.trim_end() != text {
            out.note(doc, "white space at the end of a text", &doc.text);
        }
        let (mut line, mut at) = (String::new(), 0);
        for (_, Span { range, .. }) in &aspects {
            line += &format!("{}[B-ASP]{}[E-ASP]", &text[at..range.start()], &text[range.bytes()]);
            at = range.end();
        }
        let labels: Vec<&str> = aspects.iter().map(|(_, span)| span.polarity.map_or(NONE, long_name)).collect();
        line += &format!("{} $LABEL$ {}\n", text[at..].trim_end(), labels.join(", "));
        out.bytes.extend_from_slice(line.as_bytes());
        out.documents += 1;
    }
    None
}

/// `text####The=O bread=T-POS`, a line a document.
pub(super) fn e2e(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
        let Some((aspects, words)) = prepared(out, doc) else { continue };
        let mut tags = vec!["O"; words.len()];
        let mut last: Option<(usize, Polarity)> = None;
        for (_, span) in &aspects {
            let Some(polarity) = span.polarity else {
                out.drop_span(doc, "without polarity", span);
                continue;
            };
            let own: Vec<usize> = inside(span, &words).collect();
            if own.first().is_some_and(|first| last == Some((*first, polarity))) {
                out.drop_span(doc, "that touches another of its polarity", span);
                continue;
            }
            let tag = match polarity {
                Polarity::Positive => "T-POS",
                Polarity::Neutral => "T-NEU",
                Polarity::Negative => "T-NEG",
            };
            own.iter().for_each(|at| tags[*at] = tag);
            last = own.last().map(|at| (at + 1, polarity));
        }
        let text = one_line(out, doc);
        let tagged: Vec<String> = words.iter().zip(tags).map(|(word, tag)| format!("{}={tag}", &text[word.clone()])).collect();
        out.bytes.extend_from_slice(format!("{text}{MARK}{}\n", tagged.join(" ")).as_bytes());
        out.documents += 1;
    }
    None
}

const LACKING: [No; 6] = [No::Answers, No::Links, No::Attributes, No::LinkTypes, No::States, No::Meta];

/// The aspects of a document, and its words.
type Prepared = (Vec<(SpanId, Span)>, Vec<Range<usize>>);

/// The aspects without overlap, with a word in each; `None` where the document has no words.
fn prepared(out: &mut Out, doc: &Document) -> Option<Prepared> {
    out.lacks(doc, &LACKING);
    let mut said = doc.annotation.clone();
    for (id, span) in &doc.annotation.spans {
        if !out.label(span).eq_ignore_ascii_case(ASPECT) {
            out.drop_span(doc, "that is no aspect", span);
            said.spans.remove(id);
        } else if span.range.of(&doc.text).chars().all(is_gap) {
            out.drop_span(doc, "of white space only", span);
            said.spans.remove(id);
        }
    }
    // Read back without the space at its edge, such a span would be taken for the one that is marked without it.
    for (id, span) in said.spans.clone() {
        let bare = bare(span.range, &doc.text);
        let is_marked = || said.spans.values().any(|other| other.range.bytes() == bare);
        if bare != span.range.bytes() && is_marked() {
            out.drop_span(doc, "that overlaps another", &span);
            said.spans.remove(&id);
        }
    }
    let (kept, left) = flat(&said);
    left.iter().for_each(|span| out.drop_span(doc, "that overlaps another", span));
    for (_, span) in &kept {
        let words = span.range.of(&doc.text);
        if words.starts_with(is_gap) || words.ends_with(is_gap) {
            out.note(doc, "white space at the edge of a span", words);
        }
    }
    let edges: BTreeSet<usize> = kept.iter().flat_map(|(_, span)| [span.range.start(), span.range.end()]).collect();
    let words = words(&doc.text, &edges);
    if words.is_empty() {
        out.note(doc, "a document without words", &doc.text);
        return None;
    }
    out.state_changes(doc, &State::Done);
    Some((kept, words))
}

/// A place without white space at its edges.
fn bare(range: TextRange, text: &str) -> Range<usize> {
    let words = range.of(text);
    let start = range.start() + words.len() - words.trim_start_matches(is_gap).len();
    start..start + words.trim_matches(is_gap).len()
}

/// The numbers of the words of a span.
fn inside<'a>(span: &'a Span, words: &'a [Range<usize>]) -> impl Iterator<Item = usize> + 'a {
    let is_in = |word: &Range<usize>| span.range.start() <= word.start && word.end <= span.range.end();
    words.iter().enumerate().filter(move |(_, word)| is_in(word)).map(|(at, _)| at)
}

/// The text with spaces, byte for byte, in the place of line ends.
fn one_line(out: &mut Out, doc: &Document) -> String {
    let text: String = doc.text.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }).collect();
    if text != *doc.text {
        out.note(doc, "the line ends of a text, written as spaces", &doc.text);
    }
    text
}

fn long_name(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Positive => "Positive",
        Polarity::Neutral => "Neutral",
        Polarity::Negative => "Negative",
    }
}
