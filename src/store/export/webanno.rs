//! WebAnno's TSV 3.3: a folder with a file for each document, one sentence in each. Places count UTF-16 units, as Java does.
//! Spans are of one layer with the features label and polarity; INCEpTION needs a layer of this name to read them.

use super::{No, Out, is_gap, words};
use crate::project::{Document, Span, SpanId, State};
use crate::store::import::DraftValue;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    let features = features(out);
    let more: String = features.values().map(|feature| format!("|{feature}")).collect();
    let head = format!(
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|label|polarity{more}\n#T_RL=webanno.custom.Link|kind|BT_webanno.custom.Span\n\n\n"
    );
    for doc in out.each() {
        document(out, doc, &head, &features);
    }
    Some("UTF-16 units")
}

/// Names of attributes, and of the features that hold them: letters, digits and _, none twice.
fn features(out: &Out) -> BTreeMap<String, String> {
    let schema = out.schema();
    let names = (0..schema.span_labels.len() as u16).flat_map(|label| schema.attributes(label)).map(|held| held.name.clone());
    let mut taken: BTreeSet<String> = ["label", "value", "polarity", "sentiment", "valence", "kind", ""].map(str::to_owned).into();
    let names: BTreeSet<String> = names.collect();
    let feature = |name: String| {
        let mut feature: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        while !taken.insert(feature.to_lowercase()) {
            feature.push('_');
        }
        (name, feature)
    };
    names.into_iter().map(feature).collect()
}

/// A span with its number and its words.
struct Placed {
    id: SpanId,
    span: Span,
    words: Range<usize>,
    attributes: BTreeMap<String, String>,
}

fn document(out: &mut Out, doc: &Document, head: &str, features: &BTreeMap<String, String>) {
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
        let attributes = attributes(out, doc, id, features);
        placed.push(Placed { id, span, words: first..first + count, attributes });
    }
    out.state_changes(doc, if placed.is_empty() { &State::Todo } else { &State::Done });
    let mut lines = format!("{head}#Text={}\n", escaped(&doc.text, false));
    let units = |byte: usize| doc.text[..byte].encode_utf16().count();
    for (at, word) in words.iter().enumerate() {
        let here: Vec<(usize, &Placed)> = placed.iter().enumerate().filter(|(_, one)| one.words.contains(&at)).collect();
        let cell = |value: &dyn Fn(&Placed) -> String| match here.is_empty() {
            true => "_".to_owned(),
            false => here.iter().map(|(number, one)| format!("{}[{}]", value(one), number + 1)).collect::<Vec<_>>().join("|"),
        };
        let label = cell(&|one| escaped(out.label(&one.span), true));
        let polarity = cell(&|one| one.span.polarity.map_or("*", |polarity| polarity.name()).to_owned());
        let more: String = features
            .keys()
            .map(|name| cell(&|one| one.attributes.get(name).map_or_else(|| "*".to_owned(), |said| escaped(said, true))) + "\t")
            .collect();
        let links = said.links.iter().map(|link| (link.from, link.to, out.link_name(said, link)));
        let (kinds, sources) = relations(links, &placed, at);
        let place = (units(word.start), units(word.end));
        let word = escaped(&doc.text[word.clone()], true);
        lines += &format!("1-{}\t{}-{}\t{word}\t{label}\t{polarity}\t{more}{kinds}\t{sources}\t\n", at + 1, place.0, place.1);
    }
    out.files.push((format!("{:07}.tsv", Out::number(doc)), lines.into_bytes()));
    out.documents += 1;
}

/// The links that end in a span which begins with this word: their names, and where they come from.
fn relations<'a>(links: impl Iterator<Item = (SpanId, SpanId, &'a str)>, placed: &[Placed], at: usize) -> (String, String) {
    let find = |id: SpanId| placed.iter().position(|one| one.id == id);
    let ends: Vec<(usize, usize, &str)> = links
        .filter_map(|(from, to, name)| Some((find(from)?, find(to)?, name)))
        .filter(|(_, to, _)| placed[*to].words.start == at)
        .collect();
    if ends.is_empty() {
        return ("_".to_owned(), "_".to_owned());
    }
    let kinds = ends.iter().map(|(.., name)| escaped(name, true)).collect::<Vec<_>>().join("|");
    let source = |(from, to, _): &(usize, usize, &str)| format!("1-{}[{}_{}]", placed[*from].words.start + 1, from + 1, to + 1);
    (kinds, ends.iter().map(source).collect::<Vec<_>>().join("|"))
}

/// What is said of a span, by the names of attributes.
fn attributes(out: &mut Out, doc: &Document, id: SpanId, features: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let said = out.attributes(doc, id, |_, _| false);
    let said: BTreeMap<String, String> = said
        .into_iter()
        .map(|(name, value)| match value {
            DraftValue::Name(value) => (name, value),
            DraftValue::Number(number) => (name, number.to_string()),
        })
        .collect();
    for name in said.keys().filter(|name| features.get(*name) != Some(name)) {
        out.note(doc, "an attribute of a span under another name: names of features are of letters and digits", name);
    }
    said
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
