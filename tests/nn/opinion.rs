//! The heads over spans: gradients against finite differences, learning, company, and what is saved.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{AdamW, LoadOptions, Mode, OpinionHead, OpinionSizes, PairBatch, Params, SpanBatch, SpanEdge, Weights, loss};

const EVERYTHING: OpinionSizes = OpinionSizes { labels: 2, polarity: true, context: true, links: true, link_polarity: true, values: 5 };

const HIDDEN: usize = 6;

/// `(text, first piece, its offset, last piece, its offset, label)`
const SPANS: [(usize, u32, u32, u32, u32, u16); 7] = [
    (0, 1, 0, 1, 0, 0),
    (0, 3, 0, 4, 1, 1),
    (0, 3, 1, 3, 2, 0),
    (1, 7, 0, 9, 9, 1),
    (1, 8, 0, 8, 0, 0), // inside the one before
    (2, 10, 0, 10, 0, 1),
    (2, 11, 0, 12, 0, 1),
];

/// Rows of the texts.
const TEXTS: [std::ops::Range<usize>; 3] = [0..7, 7..10, 10..13];

fn spans(which: impl Iterator<Item = (usize, u32, u32, u32, u32, u16)>) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for (text, first, first_offset, last, last_offset, label) in which {
        let edge = |piece, offset| SpanEdge { piece, offset };
        let rows = TEXTS[text].clone();
        // One long text in place of three.
        let rows = if rows.end > last as usize { rows } else { 0..13 };
        batch.push(text, rows, [edge(first, first_offset), edge(last, last_offset)], label);
    }
    batch
}

fn all() -> (SpanBatch, PairBatch) {
    let spans = spans(SPANS.into_iter());
    let pairs = spans.pairs(&[1], &[0], |_| true);
    (spans, pairs)
}

fn hidden(seed: u64) -> Tensor {
    Tensor::from_vec(noise(&mut generator(seed), 13 * HIDDEN, 0.7), (13, HIDDEN), &Device::Cpu).unwrap()
}

fn head(sizes: OpinionSizes, params: &mut Params) -> OpinionHead {
    OpinionHead::new_or_load(None, HIDDEN, sizes, params, &mut generator(5), true).unwrap().0
}

#[test]
fn pairs_stay_within_a_text_and_join_two_labels() {
    let (spans, pairs) = all();
    let list = |pairs: &PairBatch| pairs.from.iter().copied().zip(pairs.to.iter().copied()).collect::<Vec<_>>();
    assert_eq!(list(&pairs), [(1, 0), (1, 2), (3, 4)]);
    assert_eq!(list(&spans.pairs(&[1], &[0], |span| span != 2)), [(1, 0), (3, 4)]);
    assert_eq!(list(&spans.pairs(&[1], &[1], |_| true)), [(5, 6), (6, 5)], "never with itself");
    assert!(spans.pairs(&[], &[0], |_| true).is_empty() && spans.pairs(&[7], &[0], |_| true).is_empty());
}

/// The loss of fixed targets; in evaluation the same numbers without dropout.
fn loss_of(head: &OpinionHead, hidden: &Tensor, mode: &mut Mode) -> Tensor {
    let (spans, pairs) = all();
    let logits = head.forward(hidden, &spans, &pairs, mode).unwrap();
    let term = |logits: Option<Tensor>, targets: &[u32]| loss::cross_entropy(&logits.unwrap(), targets, None).unwrap();
    let polarity = term(logits.polarity, &[0, 1, 2, 0, 2, 1, 0]);
    let links = term(logits.links, &[1, 0, 1]);
    let link_polarity = term(logits.link_polarity, &[2, 0, 1]);
    // Two attributes, of three and of two values.
    let values = logits.values.unwrap();
    let category = term(Some(values.narrow(1, 0, 3).unwrap()), &[0, 1, 2, 0, 2, 1, 0]);
    let strength = term(Some(values.narrow(1, 3, 2).unwrap()), &[1, 1, 0, 0, 1, 0, 1]);
    ((((polarity + links).unwrap() + link_polarity).unwrap() + category).unwrap() + strength).unwrap()
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut params = Params::new();
    let head = head(EVERYTHING, &mut params);
    check_gradients(&params, &hidden(3), |hidden| loss_of(&head, hidden, &mut Mode::Eval));
}

#[test]
fn spans_and_pairs_are_learnt_by_heart() {
    let mut params = Params::new();
    let head = head(EVERYTHING, &mut params);
    let mut optimiser = AdamW::new(0.0, 1.0);
    let mut rng = generator(4);
    for _ in 0..200 {
        let total = loss_of(&head, &hidden(3), &mut Mode::Train { rng: &mut rng, dropout: 0.1 });
        let grads = params.backward(&total).unwrap();
        optimiser.step(&params, &grads, 5e-3, 1.0).unwrap();
    }
    let last = loss_of(&head, &hidden(3), &mut Mode::Eval).to_scalar::<f32>().unwrap();
    assert!(last < 0.1, "{last}");
    let (spans, pairs) = all();
    let scores = head.score(&hidden(3), &spans, &pairs).unwrap();
    assert!(scores.link(0) > Some(0.9) && scores.link(1) < Some(0.1) && scores.link(3).is_none());
    let polarity = scores.polarity(2).unwrap();
    assert!(polarity[2] > 0.9 && (polarity.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{polarity:?}");
    let (category, strength) = (scores.attribute(2, 0..3).unwrap(), scores.attribute(2, 3..5).unwrap());
    assert!(category[2] > 0.9 && (category.iter().sum::<f32>() - 1.0).abs() < 1e-5 && strength[0] > 0.9, "{category:?} {strength:?}");
    assert!(scores.attribute(7, 0..3).is_none() && scores.attribute(2, 4..6).is_none());
}

#[test]
fn a_span_is_scored_the_same_in_any_company() {
    let mut params = Params::new();
    let head = head(EVERYTHING, &mut params);
    let (spans, pairs) = all();
    let together = head.score(&hidden(3), &spans, &pairs).unwrap();
    for (at, span) in SPANS.into_iter().enumerate() {
        let alone = head.score(&hidden(3), &self::spans([span].into_iter()), &PairBatch::default()).unwrap();
        assert_close("polarity", &alone.polarity, &together.polarity[3 * at..3 * at + 3], 1e-5);
        assert!(alone.links.is_empty());
    }
    let second = self::spans(SPANS[3..5].iter().copied());
    let alone = head.score(&hidden(3), &second, &second.pairs(&[1], &[0], |_| true)).unwrap();
    assert_close("links", &alone.links, &together.links[4..6], 1e-5);
    // More pairs than are taken at once.
    let many: Vec<_> = (0..40).map(|at| (0, at % 13, 0, at % 13, 0, u16::from(at % 2 == 0))).collect();
    let many = self::spans(many.iter().chain(&many).chain(&many).copied());
    let pairs = many.pairs(&[1], &[0], |_| true);
    let scores = head.score(&hidden(3), &many, &pairs).unwrap();
    assert_eq!((pairs.len(), scores.links.len(), scores.polarity.len()), (3600, 7200, 360));
    assert!(scores.links.iter().all(|logit| logit.is_finite()));
    // The text stands there three times over: pairs of its parts are scored alike, wherever they stand.
    let (from, to) = (pairs.from[0], pairs.to[0]);
    let again = (0..pairs.len()).find(|at| pairs.from[*at] == from + 80 && pairs.to[*at] == to + 80).unwrap();
    assert!(again > 1024);
    assert_close("one of many", &scores.links[2 * again..2 * again + 2], &scores.links[..2], 1e-5);
}

#[test]
fn polarity_looks_at_its_own_text_and_no_other() {
    let mut params = Params::new();
    let head = head(EVERYTHING, &mut params);
    let polarity = |hidden: &Tensor| head.score(hidden, &spans(SPANS.into_iter()), &PairBatch::default()).unwrap().polarity;
    let before = polarity(&hidden(3));
    // Row 5 is in the first text, in no span.
    let mut rows = hidden(3).to_vec2::<f32>().unwrap();
    rows[5].iter_mut().for_each(|value| *value += 1.0);
    let after = polarity(&Tensor::new(rows, &Device::Cpu).unwrap());
    let moved = |span: usize| before[3 * span..3 * span + 3].iter().zip(&after[3 * span..]).any(|(a, b)| (a - b).abs() > 1e-6);
    assert_eq!((0..SPANS.len()).map(moved).collect::<Vec<_>>(), [true, true, true, false, false, false, false]);
}

#[test]
fn nothing_in_nothing_out() {
    let mut params = Params::new();
    let head = head(EVERYTHING, &mut params);
    let none = head.score(&hidden(3), &SpanBatch::default(), &PairBatch::default()).unwrap();
    assert!(none.polarity.is_empty() && none.links.is_empty() && none.polarity(0).is_none());
    let (spans, _) = all();
    let fewer = self::spans(SPANS[..3].iter().copied());
    assert!(head.score(&hidden(3), &fewer, &spans.pairs(&[1], &[0], |_| true)).is_err(), "pairs of other spans");
    let beyond = self::spans([(0, 12, 0, 13, 0, 0)].into_iter());
    assert!(head.score(&hidden(3), &beyond, &PairBatch::default()).is_err());
}

#[test]
fn only_the_heads_asked_for_are_there_and_load_again() {
    for (sizes, wanted) in [
        (OpinionSizes { links: false, link_polarity: false, context: false, values: 0, ..EVERYTHING }, 6),
        (OpinionSizes { links: false, link_polarity: false, values: 0, ..EVERYTHING }, 12),
        (OpinionSizes { polarity: false, link_polarity: false, values: 0, ..EVERYTHING }, 13),
        (OpinionSizes { labels: 2, values: 4, ..OpinionSizes::default() }, 6),
        (EVERYTHING, 25),
    ] {
        let mut params = Params::new();
        let head = head(sizes, &mut params);
        assert_eq!(params.trainable().count(), wanted, "{sizes:?}");
        let weights = Weights::Safetensors(params.to_safetensors().unwrap().into());
        let files = files_of(bert_config(SMALL, "gelu"), weights);
        let mut again = Params::new();
        let (other, report) =
            OpinionHead::new_or_load(Some(&files), HIDDEN, sizes, &mut again, &mut generator(77), LoadOptions::FROZEN.trainable).unwrap();
        assert_eq!((report.loaded.len(), report.fresh.len(), again.trainable().count()), (wanted, 0, 0));
        let (spans, pairs) = all();
        assert_eq!(head.score(&hidden(3), &spans, &pairs).unwrap(), other.score(&hidden(3), &spans, &pairs).unwrap());
    }
}
