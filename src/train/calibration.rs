//! How sure the model may say it is: fitted on the dev documents, shown by how often answers of each sureness are right.

use super::opinions::place_of;
use super::{HeldOut, LinkAnswer};
use crate::nn::{Calibration, Platt, at_temperature, fit_temperature, set_temperature};
use crate::project::Polarity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often answers of a kind were right, by how sure the model was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// "class", "spans", "polarity", "attributes" or "triplets".
    pub of: String,
    pub bins: Vec<ReliabilityBin>,
    /// Mean distance between sureness and share of right answers over ten bins (Guo et al. 2017, section 2), before and
    /// after calibration.
    pub error_before: f64,
    pub error: f64,
}

/// Answers whose calibrated probability lies within a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean probability.
    pub said: f64,
    /// Share that was right.
    pub right: f64,
    pub count: usize,
}

const BINS: usize = 10;

/// The probability from which pairs are best taken for links: where F1 is highest on these cases, of `all` links that are
/// there to be found. One half is rarely it: the best is near half of the F1 that can be reached (Lipton, Elkan and
/// Naryanaswamy 2014, theorem 1). One half for too few cases.
pub fn fit_threshold(cases: &[(f32, bool)], all: usize) -> f32 {
    const FEWEST: usize = 50;
    const LOWEST: f32 = 0.2;
    let mut best = (0.5, f1_from(cases, 0.5, all));
    if all < FEWEST {
        return best.0;
    }
    for step in 0..=60u8 {
        let threshold = LOWEST + f32::from(step) * 0.01;
        let f1 = f1_from(cases, threshold, all);
        if f1 > best.1 {
            best = (threshold, f1);
        }
    }
    best.0
}

/// The probability, as the network gives it, from which spans are best said: what means half of the F1 that is reached
/// (Lipton, Elkan and Naryanaswamy 2014, theorem 1). Of the likeliest tags alone more spans are wrong than are missed, where
/// few documents were learnt from. 0, which leaves none out, with too few spans to tell.
pub fn fit_span_threshold(dev: &[HeldOut], meant: Platt) -> f32 {
    /// The threshold moves F1, and F1 the threshold: it settles at once.
    const ROUNDS: usize = 3;
    let cases = span_cases(dev);
    let all = dev.iter().filter_map(|doc| doc.gold_spans.as_ref()).map(Vec::len).sum();
    if meant == Platt::default() {
        return 0.0;
    }
    (0..ROUNDS).fold(0.0, |threshold, _| meant.before((f1_from(&cases, threshold, all) / 2.0) as f32))
}

/// The probability from which an opinion that nothing is linked to is best said to be about nothing that has words: where F1
/// of all triplets is highest, the other links as they were decided. Most such opinions are links that were missed, where few
/// documents were learnt from. 0, which leaves none out, with too few of them to tell; above 1 none is said.
pub fn fit_alone(dev: &[HeldOut]) -> f32 {
    const FEWEST: usize = 20;
    let (alone, linked): (Vec<_>, Vec<_>) = answered_links(dev).into_iter().partition(|(link, _)| link.to.is_none());
    if alone.len() < FEWEST {
        return 0.0;
    }
    let gold: usize =
        dev.iter().filter(|doc| doc.gold_spans.is_some()).filter_map(|doc| doc.opinions.gold_links.as_ref()).map(Vec::len).sum();
    let f1 = |threshold: f32| {
        let said: Vec<bool> =
            linked.iter().chain(alone.iter().filter(|(link, _)| link.probability >= threshold)).map(|(_, right)| *right).collect();
        2.0 * said.iter().filter(|right| **right).count() as f64 / (said.len() + gold).max(1) as f64
    };
    let mut best = (0.0, f1(0.0));
    for step in 1..=101u8 {
        let threshold = f32::from(step) * 0.01;
        let f1 = f1(threshold);
        if f1 > best.1 {
            best = (threshold, f1);
        }
    }
    best.0
}

fn f1_from(cases: &[(f32, bool)], threshold: f32, all: usize) -> f64 {
    let taken = cases.iter().filter(|(p, _)| *p >= threshold);
    let (right, guessed) = taken.fold((0, 0), |(right, guessed), (_, is_link)| (right + usize::from(*is_link), guessed + 1));
    2.0 * right as f64 / (guessed + all).max(1) as f64
}

/// What the probabilities of spans mean; of answers with probabilities as the network gives them.
pub fn fit_spans(dev: &[HeldOut]) -> Platt {
    Platt::fit(&span_cases(dev))
}

/// Fitted to answers with probabilities as the network gives them.
pub fn fit_calibration(dev: &[HeldOut]) -> Calibration {
    let polarity = fit_temperature(&polarity_cases(dev));
    let class = fit_temperature(&class_shares(dev));
    Calibration {
        class,
        spans: fit_spans(dev),
        triplets: Platt::fit(&triplet_cases(dev)),
        polarity,
        values: fit_temperature(&value_cases(dev)),
        ..Calibration::default()
    }
}

/// The answers with calibrated probabilities.
pub fn calibrated(calibration: Calibration, raw: &[HeldOut]) -> Vec<HeldOut> {
    let mut held_out = raw.to_vec();
    held_out.iter_mut().for_each(|doc| set_temperature(&mut doc.probabilities, calibration.class));
    for opinions in held_out.iter_mut().map(|doc| &mut doc.opinions) {
        opinions.probabilities.iter_mut().for_each(|p| *p = calibration.spans.apply(*p));
        opinions.links.iter_mut().for_each(|link| link.probability = calibration.triplets.apply(link.probability));
        opinions.gold_shares.iter_mut().flatten().for_each(|shares| *shares = at_temperature(*shares, calibration.polarity));
        opinions.gold_values.iter_mut().for_each(|(shares, _)| set_temperature(shares, calibration.values));
    }
    held_out
}

/// Reliability of each kind of answer there is; `calibrated` are the same answers after [`calibrated`].
pub fn reliability(raw: &[HeldOut], calibrated: &[HeldOut]) -> Vec<Reliability> {
    let best = |docs: &[HeldOut]| -> Vec<(f32, bool)> {
        let most = |(shares, right): ([f32; 3], usize)| {
            let top = shares.iter().copied().fold(0.0, f32::max);
            (top, shares[right] >= top)
        };
        polarity_cases(docs).into_iter().map(most).collect()
    };
    let kinds = [
        ("class", class_cases(raw), class_cases(calibrated)),
        ("spans", span_cases(raw), span_cases(calibrated)),
        ("polarity", best(raw), best(calibrated)),
        ("attributes", best_value(raw), best_value(calibrated)),
        ("triplets", triplet_cases(raw), triplet_cases(calibrated)),
    ];
    let shown = kinds.into_iter().filter(|(_, cases, _)| !cases.is_empty()).map(|(of, before, after)| Reliability {
        of: of.to_owned(),
        error_before: error_of(&bins(&before)),
        error: error_of(&bins(&after)),
        bins: bins(&after),
    });
    shown.collect()
}

/// Bins of equal width with the answers that fall into each; empty ones are left out.
pub fn bins(cases: &[(f32, bool)]) -> Vec<ReliabilityBin> {
    let mut bins = [ReliabilityBin::default(); BINS];
    for (p, right) in cases {
        let bin = &mut bins[((f64::from(*p) * BINS as f64) as usize).min(BINS - 1)];
        bin.said += f64::from(*p);
        bin.right += f64::from(u8::from(*right));
        bin.count += 1;
    }
    let mean = |bin: ReliabilityBin| ReliabilityBin { said: bin.said / bin.count as f64, right: bin.right / bin.count as f64, ..bin };
    bins.into_iter().filter(|bin| bin.count > 0).map(mean).collect()
}

fn error_of(bins: &[ReliabilityBin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(|bin| (bin.said - bin.right).abs() * bin.count as f64).sum::<f64>() / all.max(1) as f64
}

/// Probabilities with the right class.
fn class_shares(docs: &[HeldOut]) -> Vec<(&[f32], usize)> {
    let of = |doc: &'_ HeldOut| doc.gold_class.map(usize::from).filter(|gold| *gold < doc.probabilities.len());
    docs.iter().filter_map(|doc| Some((doc.probabilities.as_slice(), of(doc)?))).collect()
}

/// How sure of the class that was said, and whether it is right.
fn class_cases(docs: &[HeldOut]) -> Vec<(f32, bool)> {
    let best = |(shares, gold): (&[f32], usize)| {
        let top = shares.iter().copied().fold(0.0, f32::max);
        (top, shares[gold] >= top)
    };
    class_shares(docs).into_iter().map(best).collect()
}

fn span_cases(docs: &[HeldOut]) -> Vec<(f32, bool)> {
    let of = |doc: &HeldOut| {
        let gold = doc.gold_spans.clone().unwrap_or_default();
        let spans = doc.spans.iter().zip(&doc.opinions.probabilities);
        spans.map(|(span, p)| (*p, gold.contains(span))).collect::<Vec<_>>()
    };
    docs.iter().filter(|doc| doc.gold_spans.is_some()).flat_map(of).collect()
}

fn polarity_cases(docs: &[HeldOut]) -> Vec<([f32; 3], usize)> {
    let of = |doc: &HeldOut| {
        let both = doc.opinions.gold_polarities.iter().zip(&doc.opinions.gold_shares);
        both.filter_map(|(gold, shares)| Some(((*shares)?, usize::from(place_of((*gold)?))))).collect::<Vec<_>>()
    };
    docs.iter().flat_map(of).collect()
}

/// Shares of the values of attributes, with the place of the right one.
fn value_cases(docs: &[HeldOut]) -> Vec<(&[f32], usize)> {
    docs.iter().flat_map(|doc| doc.opinions.gold_values.iter().map(|(shares, right)| (shares.as_slice(), *right))).collect()
}

fn best_value(docs: &[HeldOut]) -> Vec<(f32, bool)> {
    let best = |(shares, right): (&[f32], usize)| {
        let top = shares.iter().copied().fold(0.0, f32::max);
        (top, shares.get(right).is_some_and(|share| *share >= top))
    };
    value_cases(docs).into_iter().map(best).collect()
}

/// A triplet is right with both spans, the link and, where it is known, the polarity.
fn triplet_cases(docs: &[HeldOut]) -> Vec<(f32, bool)> {
    answered_links(docs).into_iter().map(|(link, right)| (link.probability, right)).collect()
}

/// Every link that was said of documents whose links are known, and whether it is right with its polarity.
fn answered_links(docs: &[HeldOut]) -> Vec<(LinkAnswer, bool)> {
    let mut answered = Vec::new();
    for doc in docs {
        let (Some(gold_spans), Some(gold_links)) = (&doc.gold_spans, &doc.opinions.gold_links) else { continue };
        let gold: BTreeMap<_, Option<Polarity>> =
            gold_links.iter().filter_map(|link| Some((link.ends(gold_spans)?, link.polarity))).collect();
        for link in &doc.opinions.links {
            let known = link.ends(&doc.spans).and_then(|ends| gold.get(&ends));
            let right = known.is_some_and(|known| known.is_none() || link.polarity.is_none() || *known == link.polarity);
            answered.push((*link, right));
        }
    }
    answered
}
