//! CoNLL in IOB2: a word and its tag a line, the text itself in a comment above, so that no space is lost.

use super::{No, Out, flat, is_gap, words};
use crate::project::{Document, Span, State};
use crate::store::formats::TEXT_COMMENT;
use std::collections::BTreeSet;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.each() {
        document(out, doc);
    }
    None
}

fn document(out: &mut Out, doc: &Document) {
    out.lacks(doc, &[No::Answers, No::Polarity, No::Links, No::Attributes, No::LinkTypes, No::States, No::Meta]);
    let (kept, left) = flat(&doc.annotation);
    for span in left {
        out.drop_span(doc, "that overlaps another", &span);
    }
    let edges: BTreeSet<usize> = kept.iter().flat_map(|(_, span)| [span.range.start(), span.range.end()]).collect();
    let words = words(&doc.text, &edges);
    if words.is_empty() {
        return out.note(doc, "a document without words", &doc.text);
    }
    out.state_changes(doc, &State::Done);
    let mut tags = vec!["O".to_owned(); words.len()];
    for (_, span) in &kept {
        tag(out, doc, span, &words, &mut tags);
    }
    out.documents += 1;
    let mut lines = format!("{TEXT_COMMENT}{}\n", stated(&doc.text));
    for (word, tag) in words.iter().zip(&tags) {
        lines += &format!("{}\t{tag}\n", &doc.text[word.clone()]);
    }
    out.bytes.extend_from_slice(lines.as_bytes());
    out.bytes.push(b'\n');
}

fn tag(out: &mut Out, doc: &Document, span: &Span, words: &[std::ops::Range<usize>], tags: &mut [String]) {
    let inside = |word: &std::ops::Range<usize>| span.range.start() <= word.start && word.end <= span.range.end();
    let Some(first) = words.iter().position(inside) else {
        return out.drop_span(doc, "of white space only", span);
    };
    let words_in = span.range.of(&doc.text);
    if words_in.starts_with(is_gap) || words_in.ends_with(is_gap) {
        out.note(doc, "white space at the edge of a span", words_in);
    }
    let label = out.label(span);
    let plain: String = label.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    if plain != label {
        out.note(doc, "white space in the name of a label, written as _", label);
    }
    let count = words[first..].iter().take_while(|word| inside(word)).count();
    for (at, tag) in tags[first..first + count].iter_mut().enumerate() {
        *tag = format!("{}-{plain}", if at == 0 { "B" } else { "I" });
    }
}

/// As JSON where a line would not bring it back.
fn stated(text: &str) -> String {
    let is_plain = text.trim() == text && !text.starts_with('"') && !text.contains(|c: char| c.is_control());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
