//! Which held-out documents were answered wrongly, by task: what a person opens from a point of a curve.

use super::{HeldOut, QuestionOutcome};
use std::collections::{BTreeMap, BTreeSet};

/// Whether class, spans, links and the labels of other questions are answered rightly; `None` where there is nothing to judge
/// by.
pub(super) fn tasks_right(doc: &HeldOut) -> [Option<bool>; 4] {
    [class_is_right(doc), spans_are_right(doc), links_are_right(doc), questions_are_right(doc)]
}

/// Ids of the documents answered wrongly, ascending, by task: "class", "spans", "links", "questions". Tasks that nothing was wrong in
/// are left out.
pub fn wrong_documents(held_out: &[HeldOut]) -> BTreeMap<String, Vec<u32>> {
    let wrong = |task: usize| -> Vec<u32> {
        let docs: BTreeSet<u32> = held_out.iter().filter(|doc| tasks_right(doc)[task] == Some(false)).map(|doc| doc.doc).collect();
        docs.into_iter().collect()
    };
    let tasks = ["class", "spans", "links", "questions"].into_iter().enumerate().map(|(at, task)| (task.to_owned(), wrong(at)));
    tasks.filter(|(_, docs)| !docs.is_empty()).collect()
}

fn class_is_right(doc: &HeldOut) -> Option<bool> {
    Some(doc.gold_class? == doc.class?)
}

/// All labels; numbers are rarely equal.
fn questions_are_right(doc: &HeldOut) -> Option<bool> {
    doc.questions.iter().filter_map(QuestionOutcome::is_right).reduce(|all, right| all && right)
}

fn spans_are_right(doc: &HeldOut) -> Option<bool> {
    let gold: BTreeSet<_> = doc.gold_spans.as_ref()?.iter().collect();
    Some(gold == doc.spans.iter().collect())
}

/// The same pairs, and where a person gave a polarity the same polarity.
fn links_are_right(doc: &HeldOut) -> Option<bool> {
    let (gold_spans, gold) = (doc.gold_spans.as_ref()?, doc.opinions.gold_links.as_ref()?);
    let found: BTreeMap<_, _> = doc.opinions.links.iter().filter_map(|link| Some((link.ends(&doc.spans)?, link.polarity))).collect();
    let gold: BTreeMap<_, _> = gold.iter().filter_map(|link| Some((link.ends(gold_spans)?, link.polarity))).collect();
    let same = |(ends, polarity): (&_, &Option<_>)| found.get(ends).is_some_and(|found| polarity.is_none() || found == polarity);
    Some(gold.len() == found.len() && gold.iter().all(same))
}
