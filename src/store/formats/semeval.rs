//! SemEval's XML: restaurants and laptops of 2014 (`aspectTerm`), reviews of 2015 and 2016 (`Opinion`).

use super::absa::ASPECT;
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawSpan, polarity};
use crate::project::State;
use crate::store::import::DraftValue;
use roxmltree::{Document, Node};
use std::collections::BTreeMap;

/// The attribute of an aspect that holds its category, or several.
pub(in crate::store) const CATEGORY: &str = "category";
pub(in crate::store) const BETWEEN: &str = "; ";

/// More than any honest file has: a damaged one must not exhaust the stack.
const MOST_NESTED: usize = 64;

pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    check_depth(text)?;
    let xml = Document::parse(text).map_err(|error| format!("it is broken XML: {error}"))?;
    let line_starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let row = |node: &Node| line_starts.partition_point(|start| *start <= node.range().start);
    let mut parsed = Parsed::default();
    // Place of the first sentence of each review.
    let mut first: BTreeMap<u32, usize> = BTreeMap::new();
    for node in xml.descendants().filter(|node| node.has_tag_name("sentence")) {
        let doc = sentence(row(&node), node, &mut parsed.losses);
        if let (Ok(_), Some(review)) = (&doc, review(node)) {
            first.entry(review).or_insert(parsed.docs.len());
        }
        parsed.push(row(&node), doc);
    }
    let is_alone = |node: &Node| is_opinion(node) && !node.ancestors().any(|outer| outer.has_tag_name("sentence"));
    for node in xml.descendants().filter(is_alone) {
        let at = review(node).and_then(|review| first.get(&review)).copied();
        of_whole(row(&node), node, at, &mut parsed);
    }
    if parsed.docs.is_empty() && parsed.bad.is_empty() {
        return Err("it holds no sentence".to_owned());
    }
    Ok(parsed)
}

fn is_opinion(node: &Node) -> bool {
    ["aspectTerm", "aspectCategory", "Opinion"].into_iter().any(|name| node.has_tag_name(name))
}

/// The review that an element stands in.
fn review(node: Node) -> Option<u32> {
    node.ancestors().find(|outer| outer.has_tag_name("Review")).map(|review| review.id().get())
}

/// An opinion on a review as a whole, which the project knows only by its sentences: metadata of the first of them.
fn of_whole(row: usize, node: Node, first: Option<usize>, parsed: &mut Parsed) {
    let part = |name: &str| node.attribute(name).unwrap_or_default();
    let said = format!("{} {}", part("category"), part("polarity")).trim().to_owned();
    match first.and_then(|at| parsed.docs.get_mut(at)) {
        Some(doc) => {
            parsed.losses.note("an opinion on a whole review is kept as metadata of its first sentence", row, &said);
            let held = doc.meta.entry(OF_REVIEW.to_owned()).or_default();
            *held = if held.is_empty() { said } else { format!("{held}{BETWEEN}{said}") };
        }
        None => parsed.losses.note("an opinion that stands with no sentence was left out", row, said),
    }
}

/// Fields of a sentence: what is said of its review as a whole, and that it was not to be annotated.
const OF_REVIEW: &str = "categories of the review";
const OUT_OF_SCOPE: &str = "OutOfScope";

fn check_depth(text: &str) -> Result<(), String> {
    let mut depth = 0usize;
    for (at, _) in text.match_indices('<') {
        let inside = &text[at + 1..];
        if inside.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !inside.starts_with(['!', '?']) {
            let close = inside.find('>').unwrap_or(inside.len());
            depth += usize::from(!inside[..close].ends_with('/'));
        }
        if depth > MOST_NESTED {
            return Err(format!("its elements are nested more than {MOST_NESTED} deep"));
        }
    }
    Ok(())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn sentence(row: usize, node: Node, losses: &mut Losses) -> Result<RawDoc, String> {
    let text = child(node, "text").and_then(|text| text.text()).ok_or("has no text")?.to_owned();
    let mut doc = RawDoc { row, text, state: State::Done, ..RawDoc::default() };
    doc.meta.extend(node.attribute("id").map(|id| ("id".to_owned(), id.to_owned())));
    if let Some(said) = node.attribute(OUT_OF_SCOPE).filter(|said| said.eq_ignore_ascii_case("true")) {
        doc.meta.insert(OUT_OF_SCOPE.to_owned(), said.to_owned());
        doc.state = State::Skipped;
        losses.note("a sentence is out of scope; it came in as skipped", row, &doc.text);
    }
    let mut kept = Vec::new();
    for term in node.descendants().filter(|node| node.has_tag_name("aspectTerm") || node.has_tag_name("Opinion")) {
        let target = term.attribute("term").or(term.attribute("target")).unwrap_or("NULL");
        let said = term.attribute("polarity").unwrap_or_default();
        if let Some(category) = term.attribute("category") {
            kept.push(format!("{target}: {category} {said}"));
        }
        if target == "NULL" {
            losses.note("an opinion without words has no place in the text; it is kept as metadata", row, &doc.text);
            continue;
        }
        add_aspect(&mut doc, term, target, said, losses);
    }
    for category in node.descendants().filter(|node| node.has_tag_name("aspectCategory")) {
        let name = category.attribute("category").unwrap_or_default();
        kept.push(format!("{name} {}", category.attribute("polarity").unwrap_or_default()));
        losses.note("a category of the whole sentence is kept as metadata", row, name);
    }
    if !kept.is_empty() {
        doc.meta.insert("categories".to_owned(), kept.join("; "));
    }
    Ok(doc)
}

fn add_aspect(doc: &mut RawDoc, term: Node, target: &str, said: &str, losses: &mut Losses) {
    let row = doc.row;
    let offset = |name: &str| term.attribute(name).and_then(|at| at.trim().parse::<u64>().ok());
    let found = polarity(said);
    if found.is_none() {
        losses.note(format!("an aspect has the polarity {said:?}, which has no counterpart; it came without"), row, target);
    }
    let category = term.attribute("category").map(|category| (CATEGORY.to_owned(), DraftValue::Name(category.to_owned())));
    let place = offset("from").zip(offset("to"));
    // Other words at the same place are another aspect, whose place is wrong.
    let key = place.map_or_else(|| target.to_owned(), |(start, end)| format!("{start} {end} {target}"));
    // The same words may stand there once for each category.
    if let Some(before) = doc.spans.iter_mut().find(|span| span.key == key) {
        let again = match category {
            Some(_) => "an aspect is stated again for another category; its span stands once, with both",
            None => "an aspect is stated again; its span stands once",
        };
        losses.note(again, row, target);
        if let (Some(DraftValue::Name(held)), Some((_, DraftValue::Name(other)))) = (before.attributes.get_mut(CATEGORY), category) {
            *held = format!("{held}{BETWEEN}{other}");
        }
        match (before.polarity, found) {
            (None, found) => before.polarity = found,
            (Some(first), Some(other)) if first != other => {
                losses.note("an aspect has two polarities; the first was kept", row, target);
            }
            _ => {}
        }
        return;
    }
    let span = match place {
        Some((start, end)) => RawSpan::at_offsets(key, start, end, ASPECT),
        None => RawSpan::at_words(key, target, ASPECT),
    };
    let attributes = category.into_iter().collect();
    doc.spans.push(RawSpan { polarity: found, attributes, surface: Some(target.to_owned()), ..span });
}
