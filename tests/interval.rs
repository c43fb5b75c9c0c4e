//! How far scores might lie from the truth.

use gloss::train::{HeldOut, Score, Uncertainty, class_scores, uncertainty};

fn doc(gold: u16, class: u16) -> HeldOut {
    HeldOut { gold_class: Some(gold), class: Some(class), ..HeldOut::default() }
}

/// `right` of `all` documents answered rightly, over two classes.
fn documents(right: usize, all: usize) -> Vec<HeldOut> {
    (0..all).map(|at| if at < right { doc((at % 2) as u16, (at % 2) as u16) } else { doc((at % 2) as u16, 1 - (at % 2) as u16) }).collect()
}

#[test]
fn accuracy_is_as_wide_as_the_binomial_says() {
    let found = uncertainty(&documents(320, 400), &[], 7).of(Score::Accuracy).unwrap();
    let expected = 1.96 * (0.8f64 * 0.2 / 400.0).sqrt();
    assert!((found.half_width() - expected).abs() < 0.1 * expected, "{found:?}, expected ±{expected}");
    assert!(found.low < 0.8 && 0.8 < found.high);
}

#[test]
fn few_documents_say_less() {
    let few = uncertainty(&documents(16, 20), &[], 7).of(Score::MacroF1).unwrap();
    let many = uncertainty(&documents(1600, 2000), &[], 7).of(Score::MacroF1).unwrap();
    assert!(few.half_width() > 5.0 * many.half_width(), "{few:?} {many:?}");
}

#[test]
fn same_seed_same_answer() {
    let documents = documents(30, 50);
    assert_eq!(uncertainty(&documents, &[], 3), uncertainty(&documents, &[], 3));
    assert_ne!(uncertainty(&documents, &[], 3), uncertainty(&documents, &[], 4));
}

#[test]
fn scores_are_those_of_the_report() {
    let documents: Vec<HeldOut> = [(0, 0), (0, 1), (1, 1), (2, 0), (2, 2), (1, 1)].map(|(gold, class)| doc(gold, class)).into();
    let names = ["a", "b", "c", "d"].map(str::to_owned);
    let pairs: Vec<(u16, u16)> = documents.iter().filter_map(|doc| doc.gold_class.zip(doc.class)).collect();
    let expected = class_scores(&names, &pairs).unwrap();
    let found = uncertainty(&documents, &[], 1);
    assert!((found.of(Score::Accuracy).unwrap().score - expected.accuracy).abs() < 1e-12);
    assert!((found.of(Score::MacroF1).unwrap().score - expected.macro_f1).abs() < 1e-12);
    assert_eq!(found.of(Score::SpanF1), None);
}

#[test]
fn spans_count_only_where_they_were_marked() {
    let mut marked = doc(0, 0);
    marked.gold_spans = Some(vec![(0, 3, 0), (4, 6, 1)]);
    marked.spans = vec![(0, 3, 0), (4, 6, 0)];
    let mut unmarked = doc(0, 0);
    unmarked.spans = vec![(0, 3, 0)];
    assert_eq!(uncertainty(&[marked, unmarked], &[], 1).of(Score::SpanF1).unwrap().score, 0.5);
}

#[test]
fn nothing_held_out() {
    assert_eq!(uncertainty(&[], &[], 0), Uncertainty::default());
}
