//! SemEval's XML: restaurants and laptops of 2014 (`aspectTerm`), reviews of 2015 and 2016 (`Opinion`).

use super::absa::ASPECT;
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawSpan, polarity};
use super::source::Source;
use super::xml::{self, Element};
use crate::project::State;
use crate::store::StoreError;
use crate::store::import::DraftValue;
use std::collections::BTreeMap;

/// The attribute of an aspect that holds its category, or several.
pub(in crate::store) const CATEGORY: &str = "category";
pub(in crate::store) const BETWEEN: &str = "; ";

const OPINIONS: [&str; 3] = ["aspectTerm", "aspectCategory", "Opinion"];
const SENTENCE: &str = "sentence";
const REVIEW: &str = "Review";

/// # Errors
/// The file can't be read, is broken XML, or holds no sentence.
pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    // Place of the first sentence of each review, and the opinions that stand outside of sentences.
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let mut alone: Vec<Element> = Vec::new();
    let wanted: Vec<&str> = std::iter::once(SENTENCE).chain(OPINIONS).collect();
    xml::each(source, &wanted, REVIEW, |element| {
        if element.name != SENTENCE {
            return alone.push(element);
        }
        let doc = sentence(&element, &mut parsed.losses);
        if let (Ok(_), Some(review)) = (&doc, element.group) {
            first.entry(review).or_insert(parsed.docs.len());
        }
        parsed.push(element.row, doc);
    })?;
    for element in alone {
        let at = element.group.and_then(|review| first.get(&review)).copied();
        of_whole(&element, at, &mut parsed);
    }
    if parsed.docs.is_empty() && parsed.bad.is_empty() && !source.is_cancelled {
        return Err(source.broken("it holds no sentence"));
    }
    Ok(parsed)
}

/// An opinion on a review as a whole, which the project knows only by its sentences: metadata of the first of them.
fn of_whole(opinion: &Element, first: Option<usize>, parsed: &mut Parsed) {
    let row = opinion.row;
    let part = |name: &str| opinion.attribute(name).unwrap_or_default();
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

fn sentence(node: &Element, losses: &mut Losses) -> Result<RawDoc, String> {
    let row = node.row;
    let text = node.children.iter().find(|child| child.name == "text").and_then(|text| text.text.clone()).ok_or("has no text")?;
    let mut doc = RawDoc { row, text, state: State::Done, ..RawDoc::default() };
    doc.meta.extend(node.attribute("id").map(|id| ("id".to_owned(), id.to_owned())));
    if let Some(said) = node.attribute(OUT_OF_SCOPE).filter(|said| said.eq_ignore_ascii_case("true")) {
        doc.meta.insert(OUT_OF_SCOPE.to_owned(), said.to_owned());
        doc.state = State::Skipped;
        losses.note("a sentence is out of scope; it came in as skipped", row, &doc.text);
    }
    let mut kept = Vec::new();
    for term in node.inside().filter(|inner| matches!(inner.name.as_str(), "aspectTerm" | "Opinion")) {
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
    for category in node.inside().filter(|inner| inner.name == "aspectCategory") {
        let name = category.attribute("category").unwrap_or_default();
        kept.push(format!("{name} {}", category.attribute("polarity").unwrap_or_default()));
        losses.note("a category of the whole sentence is kept as metadata", row, name);
    }
    if !kept.is_empty() {
        doc.meta.insert("categories".to_owned(), kept.join("; "));
    }
    Ok(doc)
}

fn add_aspect(doc: &mut RawDoc, term: &Element, target: &str, said: &str, losses: &mut Losses) {
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
