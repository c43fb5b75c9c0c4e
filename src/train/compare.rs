//! Two runs side by side: how far their scores differ on the documents that both were judged by, and whether that can be
//! more than chance. Pure: the generator is seeded.

use super::interval::{draw, middle};
use super::tally::{Score, Tallies};
use super::wrong::tasks_right;
use super::{HeldOut, Interval, Report, SpanKey, TaughtAnswer};
use std::collections::BTreeMap;

/// What a run says, with the names of its labels: two runs may have learnt from different schemas.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub report: &'a Report,
    pub classes: &'a [String],
    pub span_labels: &'a [String],
}

/// What tells the second run from the first. Both are judged by what the second took for right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Held-out documents of both.
    pub documents: usize,
    /// Held-out documents that only one of them was judged by: they count for nothing here.
    pub only_first: usize,
    pub only_second: usize,
    /// Documents among those of both whose answer a person has changed between the runs.
    pub regraded: usize,
    /// In the order of [`Score`].
    pub scores: Vec<Difference>,
    /// Ids of documents of which the second answers something rightly that the first does not, and nothing the other way round.
    pub better: Vec<u32>,
    /// Ids of documents of which the first does.
    pub worse: Vec<u32>,
    /// Ids of documents that are answered differently without one being the better: class, spans and links are judged each
    /// as a whole.
    pub otherwise: Vec<u32>,
}

/// A score of both runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    pub score: Score,
    pub first: f64,
    pub second: f64,
    /// Of the second minus the first, over paired drawings of the documents.
    pub difference: Interval,
}

/// What the interval of a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    First,
    Second,
    /// 0 lies within the interval.
    CannotBeTold,
}

impl Difference {
    pub fn better(&self) -> Better {
        match self.difference {
            Interval { low, .. } if low > 0.0 => Better::Second,
            Interval { high, .. } if high < 0.0 => Better::First,
            _ => Better::CannotBeTold,
        }
    }
}

impl Comparison {
    /// The score that speaks for the whole: the first there is.
    pub fn main(&self) -> Option<&Difference> {
        self.scores.first()
    }
}

/// Compares two runs by a paired percentile bootstrap over the documents that both were judged by (Efron and Tibshirani
/// 1993, section 13.3; Berg-Kirkpatrick et al. 2012, section 2, for pairs of systems). The same reports and seed give the
/// same answer.
pub fn compare(first: Side<'_>, second: Side<'_>, seed: u64) -> Comparison {
    let classes = mapping(first.classes, second.classes);
    let labels = mapping(first.span_labels, second.span_labels);
    let of_first: BTreeMap<u32, &HeldOut> = first.report.held_out.iter().map(|doc| (doc.doc, doc)).collect();
    let (mut ours, mut theirs, mut comparison) = (Vec::new(), Vec::new(), Comparison::default());
    for doc in &second.report.held_out {
        let Some(other) = of_first.get(&doc.doc) else { continue };
        let other = renamed(other, &classes, &labels);
        comparison.regraded += usize::from(!same_gold(&other, doc));
        let other = judged_by(other, doc);
        let tasks = tasks_right(&other).into_iter().zip(tasks_right(doc));
        let (gained, lost) = tasks.fold((false, false), |(gained, lost), tasks| match tasks {
            (Some(false), Some(true)) => (true, lost),
            (Some(true), Some(false)) => (gained, true),
            _ => (gained, lost),
        });
        match (gained, lost) {
            (true, false) => comparison.better.push(doc.doc),
            (false, true) => comparison.worse.push(doc.doc),
            _ if answers_differ(&other, doc) => comparison.otherwise.push(doc.doc),
            _ => {}
        }
        ours.push(other);
        theirs.push(doc.clone());
    }
    comparison.documents = theirs.len();
    comparison.only_first = first.report.held_out.len() - theirs.len();
    comparison.only_second = second.report.held_out.len() - theirs.len();
    comparison.scores = differences(&ours, &theirs, &second.report.aspects, seed);
    comparison
}

fn differences(first: &[HeldOut], second: &[HeldOut], aspects: &[u16], seed: u64) -> Vec<Difference> {
    let (first, second) = (Tallies::of(first, aspects), Tallies::of(second, aspects));
    let mut drawn: BTreeMap<Score, Vec<f64>> = BTreeMap::new();
    draw(second.len(), seed, |documents| {
        let ours: BTreeMap<Score, f64> = first.scores(documents.iter().copied()).into_iter().collect();
        for (score, theirs) in second.scores(documents.iter().copied()) {
            if let Some(ours) = ours.get(&score) {
                drawn.entry(score).or_default().push(theirs - ours);
            }
        }
    });
    let ours: BTreeMap<Score, f64> = first.whole().into_iter().collect();
    let difference = |(score, theirs): (Score, f64)| {
        let ours = *ours.get(&score)?;
        let difference = middle(theirs - ours, drawn.remove(&score)?)?;
        Some(Difference { score, first: ours, second: theirs, difference })
    };
    let mut found: Vec<Difference> = second.whole().into_iter().filter_map(difference).collect();
    found.sort_by_key(|difference| difference.score);
    found
}

/// Where each name of the first stands in the second; those it lacks come after its own.
fn mapping(from: &[String], to: &[String]) -> Vec<u16> {
    let mut next = to.len();
    let place = |name: &String| {
        to.iter().position(|other| other == name).unwrap_or_else(|| {
            next += 1;
            next - 1
        })
    };
    from.iter().map(place).map(|place| u16::try_from(place).unwrap_or(u16::MAX)).collect()
}

fn renamed(doc: &HeldOut, classes: &[u16], labels: &[u16]) -> HeldOut {
    let class = |class: Option<u16>| class.and_then(|class| classes.get(usize::from(class)).copied());
    let spans = |spans: &[SpanKey]| -> Vec<SpanKey> {
        spans.iter().map(|(start, end, label)| (*start, *end, labels.get(usize::from(*label)).copied().unwrap_or(*label))).collect()
    };
    HeldOut {
        gold_class: class(doc.gold_class),
        class: class(doc.class),
        gold_spans: doc.gold_spans.as_deref().map(spans),
        spans: spans(&doc.spans),
        ..doc.clone()
    }
}

fn same_gold(a: &HeldOut, b: &HeldOut) -> bool {
    a.gold_class == b.gold_class
        && a.gold_spans == b.gold_spans
        && a.opinions.gold_links == b.opinions.gold_links
        && gold_of(a).eq(gold_of(b))
}

fn gold_of(doc: &HeldOut) -> impl Iterator<Item = &Option<TaughtAnswer>> {
    doc.questions.iter().map(|outcome| &outcome.gold)
}

/// The same answers, judged by what `judge` takes for right.
fn judged_by(mut doc: HeldOut, judge: &HeldOut) -> HeldOut {
    doc.gold_class = judge.gold_class;
    if doc.gold_spans != judge.gold_spans {
        // How a span's polarity was answered is known only of the spans that were marked then.
        doc.opinions.of_gold = vec![None; judge.opinions.gold_polarities.len()];
        doc.gold_spans.clone_from(&judge.gold_spans);
    }
    doc.opinions.gold_polarities.clone_from(&judge.opinions.gold_polarities);
    doc.opinions.gold_links.clone_from(&judge.opinions.gold_links);
    // Questions are told apart by their places alone: where there are others, none is compared.
    if doc.questions.len() == judge.questions.len() {
        doc.questions.iter_mut().zip(&judge.questions).for_each(|(own, judge)| own.gold.clone_from(&judge.gold));
    } else {
        doc.questions.clear();
    }
    doc
}

fn answers_differ(a: &HeldOut, b: &HeldOut) -> bool {
    let labels = |doc: &HeldOut| doc.questions.iter().map(|outcome| outcome.labels.clone()).collect::<Vec<_>>();
    a.class != b.class || a.spans != b.spans || labels(a) != labels(b)
}
