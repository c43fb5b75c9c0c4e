//! Scores of parts of the held-out documents: short and long ones, with one aspect and with several, aspects that the
//! training documents mark and those they don't.

use super::example::Roles;
use super::metrics::{SpanKey, class_scores, span_scores};
use super::{Example, HeldOut, LinkAnswer, OpinionScores, opinion_scores};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A part of the held-out documents and how well it was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// "short", "medium", "long", "one_aspect", "several_aspects", "seen_aspects" or "unseen_aspects".
    pub of: String,
    /// Characters of the shortest and the longest text; only of the slices by length.
    pub characters: Option<(usize, usize)>,
    /// Ids of the documents, ascending.
    pub docs: Vec<u32>,
    pub accuracy: Option<f64>,
    pub macro_f1: Option<f64>,
    pub span_f1: Option<f64>,
    pub opinions: OpinionScores,
}

/// What the training documents mark as aspects, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrainingAspects(BTreeSet<String>);

impl TrainingAspects {
    pub fn of<'e>(examples: impl IntoIterator<Item = &'e Example>, roles: &Roles) -> Self {
        let terms = |example: &Example| {
            let aspects = example.spans.iter().flatten().filter(|(_, label)| roles.aspects.contains(label));
            aspects.map(|(range, _)| term(range.of(&example.text))).collect::<Vec<_>>()
        };
        Self(examples.into_iter().flat_map(terms).collect())
    }

    fn has(&self, text: &str, span: &SpanKey) -> bool {
        text.get(span.0 as usize..span.1 as usize).is_some_and(|words| self.0.contains(&term(words)))
    }
}

fn term(words: &str) -> String {
    words.trim().to_lowercase()
}

/// The slices that say something: by length from nine documents on, by aspects where some are marked. `texts` are those
/// of the documents.
pub fn slices(
    held_out: &[HeldOut],
    texts: &[&str],
    training: &TrainingAspects,
    names: (&[String], &[String]),
    roles: &Roles,
) -> Vec<Slice> {
    let mut found = by_length(held_out, texts, names, roles);
    let aspects = |doc: &HeldOut| {
        let gold: Option<BTreeSet<&SpanKey>> = doc.gold_spans.as_ref().map(|gold| gold.iter().collect());
        gold.map_or(0, |gold| gold.iter().filter(|span| roles.aspects.contains(&span.2)).count())
    };
    if held_out.iter().all(|doc| aspects(doc) == 0) {
        return found;
    }
    let counts: [(&str, &dyn Fn(usize) -> bool); 2] = [("one_aspect", &|count| count == 1), ("several_aspects", &|count| count > 1)];
    for (of, wanted) in counts {
        let docs: Vec<HeldOut> = held_out.iter().filter(|doc| wanted(aspects(doc))).cloned().collect();
        found.push(Slice { of: of.to_owned(), ..scored(&docs, names, roles) });
    }
    for (of, seen) in [("seen_aspects", true), ("unseen_aspects", false)] {
        let keep = |text: &str, span: &SpanKey| training.has(text, span) == seen;
        let docs: Vec<HeldOut> = held_out.iter().zip(texts).map(|(doc, text)| only_aspects(doc, roles, |span| keep(text, span))).collect();
        let docs: Vec<HeldOut> = docs.into_iter().filter(|doc| aspects(doc) > 0 || !doc.spans.is_empty()).collect();
        let all = opinion_scores(&docs, roles);
        let opinions = OpinionScores { opinion_f1: None, polarity_accuracy: None, polarity_macro_f1: None, ..all };
        let with_gold = docs.iter().filter(|doc| aspects(doc) > 0).map(|doc| doc.doc);
        found.push(Slice { of: of.to_owned(), docs: ids(with_gold), opinions, ..Slice::default() });
    }
    found.retain(|slice| !slice.docs.is_empty());
    found
}

/// Thirds by the number of characters.
fn by_length(held_out: &[HeldOut], texts: &[&str], names: (&[String], &[String]), roles: &Roles) -> Vec<Slice> {
    const FEWEST: usize = 9;
    let lengths: Vec<usize> = texts.iter().map(|text| text.chars().count()).collect();
    let mut sorted = lengths.clone();
    sorted.sort_unstable();
    if sorted.len() < FEWEST {
        return Vec::new();
    }
    let (short, medium) = (sorted[sorted.len() / 3 - 1], sorted[sorted.len() * 2 / 3 - 1]);
    let part = |of: &str, wanted: &dyn Fn(usize) -> bool| {
        let inside = || lengths.iter().copied().filter(|length| wanted(*length));
        let docs: Vec<HeldOut> = held_out.iter().zip(&lengths).filter(|(_, length)| wanted(**length)).map(|(doc, _)| doc.clone()).collect();
        Slice { of: of.to_owned(), characters: inside().min().zip(inside().max()), ..scored(&docs, names, roles) }
    };
    let mut found = vec![
        part("short", &|length| length <= short),
        part("medium", &|length| length > short && length <= medium),
        part("long", &|length| length > medium),
    ];
    found.retain(|slice| !slice.docs.is_empty());
    found
}

fn ids(docs: impl Iterator<Item = u32>) -> Vec<u32> {
    docs.collect::<BTreeSet<u32>>().into_iter().collect()
}

/// `names`: of the classes and of the span labels.
fn scored(docs: &[HeldOut], (classes, labels): (&[String], &[String]), roles: &Roles) -> Slice {
    let pairs: Vec<(u16, u16)> = docs.iter().filter_map(|doc| Some((doc.gold_class?, doc.class?))).collect();
    let class = class_scores(classes, &pairs);
    let marked = docs.iter().filter_map(|doc| Some((doc.gold_spans.as_deref()?, doc.spans.as_slice())));
    Slice {
        docs: ids(docs.iter().map(|doc| doc.doc)),
        accuracy: class.as_ref().map(|class| class.accuracy),
        macro_f1: class.map(|class| class.macro_f1),
        span_f1: span_scores(labels, marked).0,
        opinions: opinion_scores(docs, roles),
        ..Slice::default()
    }
}

/// The document with those aspects alone that are wanted, marked and found, and the links to them.
fn only_aspects(doc: &HeldOut, roles: &Roles, wanted: impl Fn(&SpanKey) -> bool) -> HeldOut {
    let keeps = |span: &SpanKey| !roles.aspects.contains(&span.2) || wanted(span);
    let mut kept = doc.clone();
    let said = places(&doc.spans, keeps);
    let answers = &doc.opinions;
    kept.spans = at_places(&doc.spans, &said);
    kept.opinions.probabilities = at_places(&answers.probabilities, &said);
    kept.opinions.polarities = at_places(&answers.polarities, &said);
    kept.opinions.polarity_shares = at_places(&answers.polarity_shares, &said);
    kept.opinions.attributes = at_places(&answers.attributes, &said);
    kept.opinions.links = links_within(&answers.links, &said);
    if let Some(gold_spans) = &doc.gold_spans {
        let gold = places(gold_spans, keeps);
        kept.gold_spans = Some(at_places(gold_spans, &gold));
        kept.opinions.gold_polarities = at_places(&answers.gold_polarities, &gold);
        kept.opinions.of_gold = at_places(&answers.of_gold, &gold);
        kept.opinions.gold_shares = at_places(&answers.gold_shares, &gold);
        kept.opinions.gold_attributes = at_places(&answers.gold_attributes, &gold);
        kept.opinions.attributes_of_gold = at_places(&answers.attributes_of_gold, &gold);
        kept.opinions.gold_links = answers.gold_links.as_ref().map(|links| links_within(links, &gold));
    }
    kept
}

fn places(spans: &[SpanKey], keeps: impl Fn(&SpanKey) -> bool) -> Vec<usize> {
    spans.iter().enumerate().filter(|(_, span)| keeps(span)).map(|(at, _)| at).collect()
}

fn at_places<T: Clone>(list: &[T], places: &[usize]) -> Vec<T> {
    places.iter().filter_map(|at| list.get(*at).cloned()).collect()
}

/// Links both of whose ends are kept, by their new places. An implicit aspect is neither seen nor unseen.
fn links_within(links: &[LinkAnswer], places: &[usize]) -> Vec<LinkAnswer> {
    let new: BTreeMap<usize, u32> = places.iter().copied().zip(0u32..).collect();
    let moved = |link: &LinkAnswer| {
        let (from, to) = (new.get(&(link.from as usize))?, new.get(&(link.to? as usize))?);
        Some(LinkAnswer { from: *from, to: Some(*to), ..*link })
    };
    links.iter().filter_map(moved).collect()
}
