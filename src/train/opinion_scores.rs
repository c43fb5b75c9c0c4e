//! How well aspects, opinions, polarities and links of held-out documents were answered, as the field counts them:
//! a span is right with both ends and its label, a pair with both its spans, a triplet with the pair and its polarity.

use super::example::Roles;
use super::metrics::{Counts, SpanKey, class_scores};
use super::opinions::{POLARITIES, place_of};
use super::{HeldOut, LinkAnswer, OpinionAnswers};
use crate::project::Polarity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Scores of opinion mining; each is `None` where the held-out documents hold nothing to find or nothing was learnt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpinionScores {
    /// Exact F1 of aspect spans.
    pub aspect_f1: Option<f64>,
    /// Exact F1 of opinion spans.
    pub opinion_f1: Option<f64>,
    /// F1 of aspects with their polarity, end to end.
    pub aspect_polarity_f1: Option<f64>,
    /// Polarity of marked spans that have one: the share that is right, wherever the model would have found the span.
    pub polarity_accuracy: Option<f64>,
    /// The same, as the mean F1 of the polarities that occur.
    pub polarity_macro_f1: Option<f64>,
    /// F1 of (aspect, opinion); where opinions without an aspect are marked, "no aspect" is one to be found.
    pub pair_f1: Option<f64>,
    /// F1 of (aspect, opinion, polarity).
    pub triplet_f1: Option<f64>,
}

impl OpinionScores {
    /// Names and values, in the order in which they are shown.
    pub fn named(&self) -> [(&'static str, Option<f64>); 7] {
        [
            ("aspect_f1", self.aspect_f1),
            ("opinion_f1", self.opinion_f1),
            ("aspect_polarity_f1", self.aspect_polarity_f1),
            ("polarity_accuracy", self.polarity_accuracy),
            ("polarity_macro_f1", self.polarity_macro_f1),
            ("pair_f1", self.pair_f1),
            ("triplet_f1", self.triplet_f1),
        ]
    }

    /// One score for polarity and one for links, where they were learnt: what the best weights are chosen by.
    pub(super) fn tasks(&self) -> impl Iterator<Item = f64> {
        let polarity = self.aspect_polarity_f1.or(self.polarity_accuracy);
        let links = self.triplet_f1.or(self.pair_f1);
        polarity.into_iter().chain(links)
    }
}

/// Scores held-out documents. Documents whose spans, polarities or links nobody gave do not count for these.
pub fn opinion_scores(held_out: &[HeldOut], roles: &Roles) -> OpinionScores {
    let marked: Vec<(&[SpanKey], &HeldOut)> = held_out.iter().filter_map(|doc| Some((doc.gold_spans.as_deref()?, doc))).collect();
    let mut scores = OpinionScores {
        aspect_f1: spans_f1(&marked, &roles.aspects),
        opinion_f1: spans_f1(&marked, &roles.opinions),
        aspect_polarity_f1: aspect_polarity(&marked, &roles.aspects).micro_f1(),
        ..OpinionScores::default()
    };
    if let Some(polarity) = class_scores(&POLARITIES.map(|polarity| polarity.name().to_owned()), &polarities(&marked)) {
        scores.polarity_accuracy = Some(polarity.accuracy);
        scores.polarity_macro_f1 = Some(polarity.macro_f1);
    }
    let (pairs, triplets) = links(&marked);
    scores.pair_f1 = pairs.micro_f1();
    scores.triplet_f1 = triplets.micro_f1();
    scores
}

fn spans_f1(marked: &[(&[SpanKey], &HeldOut)], labels: &[u16]) -> Option<f64> {
    let mut counts = Counts::default();
    for (gold, doc) in marked {
        let of = |spans: &[SpanKey]| spans.iter().copied().filter(|span| labels.contains(&span.2)).collect::<BTreeSet<_>>();
        counts.compare(&of(gold), &of(&doc.spans));
    }
    counts.micro_f1()
}

/// A gold aspect whose polarity nobody gave is neither to be found nor wrong to find.
pub(super) fn aspect_polarity(marked: &[(&[SpanKey], &HeldOut)], aspects: &[u16]) -> Counts {
    let mut counts = Counts::default();
    for (gold, doc) in marked {
        let OpinionAnswers { gold_polarities, polarities, .. } = &doc.opinions;
        let pairs = |spans: &[SpanKey], polarities: &[Option<Polarity>]| {
            let aspects = spans.iter().zip(polarities).filter(|(span, _)| aspects.contains(&span.2));
            aspects.map(|(span, polarity)| (*span, *polarity)).collect::<Vec<_>>()
        };
        let gold = pairs(gold, gold_polarities);
        let open: BTreeSet<SpanKey> = gold.iter().filter(|(_, polarity)| polarity.is_none()).map(|(span, _)| *span).collect();
        let known = gold.into_iter().filter_map(|(span, polarity)| Some((span, polarity?))).collect();
        let found = pairs(&doc.spans, polarities).into_iter().filter(|(span, _)| !open.contains(span));
        counts.compare(&known, &found.filter_map(|(span, polarity)| Some((span, polarity?))).collect());
    }
    counts
}

/// `(gold, said)` of every marked span with a polarity that the model read.
pub(super) fn polarities(marked: &[(&[SpanKey], &HeldOut)]) -> Vec<(u16, u16)> {
    let of = |doc: &HeldOut| {
        let both = doc.opinions.gold_polarities.iter().zip(&doc.opinions.of_gold);
        both.filter_map(|(gold, said)| Some((place_of((*gold)?), place_of((*said)?)))).collect::<Vec<_>>()
    };
    marked.iter().flat_map(|(_, doc)| of(doc)).collect()
}

/// Counts of pairs and of triplets. A gold pair without a polarity takes no part in triplets.
pub(super) fn links(marked: &[(&[SpanKey], &HeldOut)]) -> (Counts, Counts) {
    let (mut pairs, mut triplets) = (Counts::default(), Counts::default());
    for (gold_spans, doc) in marked {
        let Some(gold_links) = &doc.opinions.gold_links else { continue };
        let gold = by_pair(gold_spans, gold_links);
        let found = by_pair(&doc.spans, &doc.opinions.links);
        pairs.compare(&gold.keys().copied().collect(), &found.keys().copied().collect());
        let open = |pair: &Pair| gold.get(pair).is_some_and(Option::is_none);
        let known = |links: &BTreeMap<Pair, Option<Polarity>>| {
            links.iter().filter(|(pair, _)| !open(pair)).filter_map(|(pair, polarity)| Some((*pair, (*polarity)?))).collect()
        };
        triplets.compare(&known(&gold), &known(&found));
    }
    (pairs, triplets)
}

/// An opinion and its aspect, `None` where that has no words.
type Pair = (SpanKey, Option<SpanKey>);

fn by_pair(spans: &[SpanKey], links: &[LinkAnswer]) -> BTreeMap<Pair, Option<Polarity>> {
    let pair = |link: &LinkAnswer| link.ends(spans).map(|ends| (ends, link.polarity));
    links.iter().filter_map(pair).collect()
}
