//! The head over candidate spans: gradients against finite differences, learning, company, and its loss.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{AdamW, CandidateBatch, Mode, Params, ScorerSizes, SpanEdge, SpanScorer, TagHead, UnitBatch, loss};

const HIDDEN: usize = 6;
const SIZES: ScorerSizes = ScorerSizes { labels: 2, widest: 3 };

fn candidates() -> CandidateBatch {
    let mut batch = CandidateBatch::default();
    let edge = |piece, offset| SpanEdge { piece, offset };
    for (first, last, width) in
        [(edge(0, 0), edge(0, 0), 1), (edge(0, 0), edge(1, 2), 2), (edge(1, 9), edge(3, 0), 3), (edge(2, 0), edge(3, 0), 2)]
    {
        batch.push([first, last], width);
    }
    batch
}

/// The second is nested in nothing and has both labels; the third holds the fourth.
const TARGETS: [f32; 8] = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0];

fn hidden() -> Tensor {
    Tensor::from_vec(noise(&mut generator(3), 4 * HIDDEN, 0.7), (4, HIDDEN), &Device::Cpu).unwrap()
}

fn scorer(params: &mut Params) -> SpanScorer {
    SpanScorer::new_or_load(None, HIDDEN, SIZES, params, &mut generator(5), true).unwrap().0
}

fn loss_of(scorer: &SpanScorer, hidden: &Tensor, mode: &mut Mode) -> Tensor {
    loss::binary_cross_entropy(&scorer.forward(hidden, &candidates(), mode).unwrap(), &TARGETS, &[1.0; 8], 4.0).unwrap()
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut params = Params::new();
    let scorer = scorer(&mut params);
    check_gradients(&params, &hidden(), |hidden| loss_of(&scorer, hidden, &mut Mode::Eval));
}

#[test]
fn nested_spans_are_learnt_by_heart_and_scored_alone_as_in_company() {
    let mut params = Params::new();
    let scorer = scorer(&mut params);
    let mut optimiser = AdamW::new(0.0, 1.0);
    let mut rng = generator(4);
    for _ in 0..300 {
        let total = loss_of(&scorer, &hidden(), &mut Mode::Train { rng: &mut rng, dropout: 0.05 });
        optimiser.step(&params, &params.backward(&total).unwrap(), 5e-3, 1.0).unwrap();
    }
    let together = scorer.score(&hidden(), &candidates()).unwrap();
    for (share, target) in together.iter().zip(TARGETS) {
        assert!((share - target).abs() < 0.3, "{together:?}");
    }
    let mut third = CandidateBatch::default();
    third.push([SpanEdge { piece: 1, offset: 9 }, SpanEdge { piece: 3, offset: 0 }], 3);
    assert_close("alone", &scorer.score(&hidden(), &third).unwrap(), &together[4..6], 1e-5);
    assert!(scorer.score(&hidden(), &CandidateBatch::default()).unwrap().is_empty());
}

#[test]
fn what_the_head_does_not_know_is_refused() {
    let mut params = Params::new();
    let scorer = scorer(&mut params);
    let mut wide = candidates();
    wide.push([SpanEdge { piece: 0, offset: 0 }, SpanEdge { piece: 3, offset: 0 }], 4);
    assert!(scorer.forward(&hidden(), &wide, &mut Mode::Eval).is_err());
    assert!(scorer.forward(&hidden(), &CandidateBatch::default(), &mut Mode::Eval).is_err());
}

#[test]
fn yes_and_no_far_out_stay_numbers() {
    let logits = Tensor::from_slice(&[200f32, -200.0, 0.0, 2.0], 4, &Device::Cpu).unwrap();
    let number = |targets: &[f32], weights: &[f32], total| {
        loss::binary_cross_entropy(&logits, targets, weights, total).unwrap().to_scalar::<f32>().unwrap()
    };
    assert!((number(&[1.0, 0.0, 1.0, 1.0], &[1.0; 4], 1.0) - (2f32.ln() + (1.0 + (-2f32).exp()).ln())).abs() < 1e-5);
    assert!((number(&[0.0, 0.0, 0.0, 0.0], &[1.0, 1.0, 0.0, 0.0], 2.0) - 100.0).abs() < 1e-3);
    assert!(loss::binary_cross_entropy(&logits, &[1.0; 3], &[1.0; 4], 1.0).is_err());
    assert!(loss::binary_cross_entropy(&logits, &[1.0; 4], &[1.0; 4], 0.0).is_err());
}

#[test]
fn at_first_a_place_is_hardly_ever_a_span() {
    let mut params = Params::new();
    let shares = scorer(&mut params).score(&hidden(), &candidates()).unwrap();
    assert!(shares.iter().all(|share| *share < 0.1), "{shares:?}");
    let mean = shares.iter().sum::<f32>() / shares.len() as f32;
    assert!((0.003..0.03).contains(&mean), "{mean}");
}

#[test]
fn fresh_tags_say_mostly_no_span_and_heads_pass_on_what_they_get() {
    const WIDTH: usize = 64;
    let hidden = Tensor::from_vec(noise(&mut generator(3), 500 * WIDTH, 1.0), (500, WIDTH), &Device::Cpu).unwrap();
    let units = UnitBatch { piece: (0..500).collect(), char_id: vec![0; 500], offset: vec![0; 500] };
    let mut params = Params::new();
    let (head, _) = TagHead::over_pieces(None, WIDTH, 5, &mut params, &mut generator(7), true).unwrap();
    let logits: Vec<Vec<f32>> = head.forward(&hidden, &units, &mut Mode::Eval).unwrap().to_vec2().unwrap();
    let outside = |row: &Vec<f32>| row[0].exp() / row.iter().map(|logit| logit.exp()).sum::<f32>();
    let mean = logits.iter().map(outside).sum::<f32>() / 500.0;
    assert!((0.7..0.95).contains(&mean), "{mean}");
    // Inputs have a variance of 1: so have outputs, about.
    let of_first: Vec<f32> = logits.iter().map(|row| row[0]).collect();
    let centre = of_first.iter().sum::<f32>() / 500.0;
    let variance = of_first.iter().map(|value| (value - centre).powi(2)).sum::<f32>() / 500.0;
    assert!((0.5..2.0).contains(&variance), "{variance}");
}
