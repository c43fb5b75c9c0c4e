//! Two runs side by side: differences with their intervals, examples that changed, settings that differ; documents that
//! were answered wrongly.

use gloss::train::{Better, Comparison, HeldOut, LinkAnswer, Report, Score, Scores, Side, TrainConfig, compare, wrong_documents};

fn report(held_out: Vec<HeldOut>) -> Report {
    Report {
        scores: Scores::default(),
        scored_on: "dev".to_owned(),
        slices: Vec::new(),
        examples: held_out.len(),
        aspects: vec![0],
        best_step: 1,
        best_epoch: 1.0,
        stopped_early: false,
        stopped_by_hand: false,
        seconds: 1.0,
        real_tokens_per_s: 1.0,
        reliability: Vec::new(),
        eight_bits: None,
        held_out,
    }
}

fn doc(doc: u32, gold: u16, class: u16) -> HeldOut {
    HeldOut { doc, gold_class: Some(gold), class: Some(class), ..HeldOut::default() }
}

/// `right` of `all` documents answered rightly, from the first on.
fn right_of(right: u32, all: u32) -> Vec<HeldOut> {
    (0..all).map(|at| doc(at, (at % 2) as u16, if at < right { at % 2 } else { 1 - at % 2 } as u16)).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn compared(first: Vec<HeldOut>, second: Vec<HeldOut>) -> Comparison {
    let classes = names(&["负面", "正面"]);
    let (first, second) = (report(first), report(second));
    let side = |report| Side { report, classes: &classes, span_labels: &[] };
    compare(side(&first), side(&second), 7)
}

#[test]
fn a_run_is_not_better_than_itself() {
    let same = compared(right_of(30, 40), right_of(30, 40));
    assert_eq!((same.documents, same.only_first, same.only_second, same.regraded), (40, 0, 0, 0));
    assert!(same.better.is_empty() && same.worse.is_empty() && same.otherwise.is_empty());
    for difference in &same.scores {
        assert_eq!((difference.difference.low, difference.difference.high), (0.0, 0.0), "{difference:?}");
        assert_eq!(difference.better(), Better::CannotBeTold);
    }
    assert_eq!(same.main().unwrap().score, Score::MacroF1);
}

/// The interval of a paired difference is that of the few documents that changed: here 20 of 400 turned right, so that
/// the standard deviation of a document's difference is sqrt(0.05 * 0.95).
#[test]
fn pairs_make_small_differences_visible() {
    let found = compared(right_of(300, 400), right_of(320, 400));
    let accuracy = found.scores.iter().find(|difference| difference.score == Score::Accuracy).unwrap();
    let expected = 1.96 * (0.05f64 * 0.95 / 400.0).sqrt();
    assert!((accuracy.difference.score - 0.05).abs() < 1e-12 && (accuracy.first, accuracy.second) == (0.75, 0.8), "{accuracy:?}");
    assert!((accuracy.difference.half_width() - expected).abs() < 0.15 * expected, "{accuracy:?}, expected ±{expected}");
    assert_eq!(accuracy.better(), Better::Second);
    assert_eq!(found.better, (300..320).collect::<Vec<u32>>());
    assert!(found.worse.is_empty());
    let back = compared(right_of(320, 400), right_of(300, 400));
    assert_eq!(back.main().unwrap().better(), Better::First);
    assert_eq!(back.worse, found.better);
}

#[test]
fn few_documents_cannot_tell() {
    let found = compared(right_of(15, 20), right_of(16, 20));
    assert_eq!(found.main().unwrap().better(), Better::CannotBeTold);
    assert_eq!(found, compared(right_of(15, 20), right_of(16, 20)), "the same seed gives the same answer");
}

#[test]
fn only_documents_of_both_count_and_the_second_says_what_is_right() {
    let first = vec![doc(1, 0, 0), doc(2, 0, 1), doc(3, 1, 1)];
    // 2 was relabelled since: what the first said of it was right after all.
    let second = vec![doc(2, 1, 0), doc(3, 1, 0), doc(4, 0, 0), doc(5, 0, 0)];
    let found = compared(first, second);
    assert_eq!((found.documents, found.only_first, found.only_second, found.regraded), (2, 1, 2, 1));
    assert_eq!((found.better, found.worse), (vec![], vec![2, 3]));
    let nothing = compared(vec![doc(1, 0, 0)], vec![doc(2, 0, 0)]);
    assert_eq!((nothing.documents, nothing.main()), (0, None));
}

#[test]
fn labels_go_by_their_names() {
    let (ours, theirs) = (names(&["bad", "good"]), names(&["good", "so-so", "bad"]));
    let (first, second) = (report(vec![doc(1, 0, 0), doc(2, 1, 0)]), report(vec![doc(1, 2, 2), doc(2, 0, 0)]));
    let found =
        compare(Side { report: &first, classes: &ours, span_labels: &[] }, Side { report: &second, classes: &theirs, span_labels: &[] }, 0);
    assert_eq!((found.regraded, found.better, found.worse), (0, vec![2], vec![]));
}

#[test]
fn spans_are_compared_too() {
    let spans = |found: &[(u32, u32, u16)]| HeldOut {
        doc: 1,
        gold_spans: Some(vec![(0, 6, 0), (9, 12, 1)]),
        spans: found.to_vec(),
        ..HeldOut::default()
    };
    let found = compared(vec![spans(&[(0, 6, 0)])], vec![spans(&[(0, 6, 0), (9, 12, 1)])]);
    let of = |score| found.scores.iter().find(|difference| difference.score == score).copied();
    let all = of(Score::SpanF1).unwrap();
    assert!((all.first - 2.0 / 3.0).abs() < 1e-12 && all.second == 1.0, "{all:?}");
    assert_eq!(of(Score::SpanLabelF1(0)).map(|label| (label.first, label.second)), Some((1.0, 1.0)));
    assert_eq!(of(Score::SpanLabelF1(1)).map(|label| (label.first, label.second)), Some((0.0, 1.0)));
    assert_eq!(found.better, [1]);
}

#[test]
fn wrong_documents_by_task() {
    let link = |to| LinkAnswer { from: 1, to: Some(to), polarity: None, probability: 1.0 };
    let mut linked = doc(7, 0, 0);
    linked.gold_spans = Some(vec![(0, 2, 0), (3, 5, 1)]);
    linked.spans = vec![(0, 2, 0), (3, 5, 1)];
    linked.opinions.gold_links = Some(vec![link(0)]);
    let mut unlinked = HeldOut { doc: 8, ..linked.clone() };
    linked.opinions.links = vec![link(0)];
    unlinked.spans.push((6, 8, 1));
    let nothing_given = HeldOut { doc: 9, class: Some(1), spans: vec![(0, 1, 0)], ..HeldOut::default() };
    let found = wrong_documents(&[doc(3, 1, 0), doc(1, 0, 1), doc(2, 1, 1), linked, unlinked, nothing_given]);
    let expected = [("class", vec![1, 3]), ("links", vec![8]), ("spans", vec![8])].map(|(task, docs)| (task.to_owned(), docs));
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn settings_that_differ() {
    let first = TrainConfig { lr: 5e-5, crf: false, ..TrainConfig::default() };
    let second = TrainConfig { encoder: gloss::train::EncoderChoice::Folder("模型".into()), ..TrainConfig::default() };
    let found: Vec<(String, String, String)> =
        first.differences(&second).into_iter().map(|setting| (setting.key, setting.first, setting.second)).collect();
    let expected = [("crf", "false", "true"), ("encoder", "shipped", "{\"folder\":\"模型\"}"), ("lr", "0.00005", "0.0")];
    let same = |(found, expected): (&(String, String, String), &(&str, &str, &str))| {
        found.0 == expected.0 && (found.0 == "lr" || (&*found.1, &*found.2) == (expected.1, expected.2))
    };
    assert!(found.len() == 3 && found.iter().zip(&expected).all(same), "{found:?}");
    assert!(first.differences(&first).is_empty());
}
