//! WebAnno's TSV 3.3: a folder with a file for each document, one sentence in each. Places count UTF-16 units, as Java does.
//! Spans are of one layer with the features label and polarity; INCEpTION needs a layer of this name to read them.

use super::{No, Out, is_gap, words};
use crate::project::{Document, Span, SpanId, State};
use crate::store::formats::PLAIN_LINK;
use std::collections::BTreeSet;
use std::ops::Range;

const HEAD: &str =
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|label|polarity\n#T_RL=webanno.custom.Link|kind|BT_webanno.custom.Span\n\n\n";

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.project.documents() {
        document(out, doc);
    }
    Some("UTF-16 units")
}

/// A span with its number and its words.
struct Placed {
    id: SpanId,
    span: Span,
    words: Range<usize>,
}

fn document(out: &mut Out, doc: &Document) {
    let said = &doc.annotation;
    out.lacks(doc, &[No::Answers, No::States, No::Meta]);
    let edges: BTreeSet<usize> = said.spans.values().flat_map(|span| [span.range.start(), span.range.end()]).collect();
    let words = words(&doc.text, &edges);
    if words.is_empty() {
        return out.note(doc, "a document without words", &doc.text);
    }
    let mut placed = Vec::new();
    for (id, span) in said.spans_in_order() {
        let inside = |word: &Range<usize>| span.range.start() <= word.start && word.end <= span.range.end();
        let Some(first) = words.iter().position(inside) else {
            out.drop_span(doc, "of white space only", &span);
            continue;
        };
        let count = words[first..].iter().take_while(|word| inside(word)).count();
        let stated = span.range.of(&doc.text);
        if stated.starts_with(is_gap) || stated.ends_with(is_gap) {
            out.note(doc, "white space at the edge of a span", stated);
        }
        placed.push(Placed { id, span, words: first..first + count });
    }
    out.state_changes(doc, if placed.is_empty() { &State::Todo } else { &State::Done });
    let mut lines = format!("{HEAD}#Text={}\n", escaped(&doc.text, false));
    let units = |byte: usize| doc.text[..byte].encode_utf16().count();
    for (at, word) in words.iter().enumerate() {
        let here: Vec<(usize, &Placed)> = placed.iter().enumerate().filter(|(_, one)| one.words.contains(&at)).collect();
        let cell = |value: &dyn Fn(&Placed) -> String| match here.is_empty() {
            true => "_".to_owned(),
            false => here.iter().map(|(number, one)| format!("{}[{}]", value(one), number + 1)).collect::<Vec<_>>().join("|"),
        };
        let label = cell(&|one| escaped(out.label(&one.span), true));
        let polarity = cell(&|one| one.span.polarity.map_or("*", |polarity| polarity.name()).to_owned());
        let (kinds, sources) = relations(said.links.iter().map(|link| (link.from, link.to)), &placed, at);
        let place = (units(word.start), units(word.end));
        let word = escaped(&doc.text[word.clone()], true);
        lines += &format!("1-{}\t{}-{}\t{word}\t{label}\t{polarity}\t{kinds}\t{sources}\t\n", at + 1, place.0, place.1);
    }
    out.files.push((format!("{:07}.tsv", Out::number(doc)), lines.into_bytes()));
    out.documents += 1;
}

/// The links that end in a span which begins with this word: their names, and where they come from.
fn relations(links: impl Iterator<Item = (SpanId, SpanId)>, placed: &[Placed], at: usize) -> (String, String) {
    let find = |id: SpanId| placed.iter().position(|one| one.id == id);
    let ends: Vec<(usize, usize)> =
        links.filter_map(|(from, to)| Some((find(from)?, find(to)?))).filter(|(_, to)| placed[*to].words.start == at).collect();
    if ends.is_empty() {
        return ("_".to_owned(), "_".to_owned());
    }
    let kinds = vec![PLAIN_LINK; ends.len()].join("|");
    let source = |(from, to): &(usize, usize)| format!("1-{}[{}_{}]", placed[*from].words.start + 1, from + 1, to + 1);
    (kinds, ends.iter().map(source).collect::<Vec<_>>().join("|"))
}

/// With a backslash before signs that mean something; line ends and tabs by letters.
fn escaped(text: &str, in_cell: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' => plain.push_str("\\t"),
            '\\' => plain.push_str("\\\\"),
            '[' | ']' | '|' | '_' | '*' | ';' if in_cell => plain.extend(['\\', c]),
            c => plain.push(c),
        }
    }
    plain
}
