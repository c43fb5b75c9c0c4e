//! Tags that follow each other: against brute force over all sequences, values and gradients; and losses of what is
//! known in part.

use super::support::*;
use candle_core::{Device, Tensor, Var};
use gloss::nn::{AdamW, Chain, ChainBatch, FrozenChain, Moves, Params, loss};
use gloss::text::{may_follow, moves, viterbi};

const LABELS: usize = 1;
const TAGS: usize = 1 + 2 * LABELS;

fn bio() -> Moves {
    Moves { tags: TAGS, apart: moves(TAGS, false), joined: moves(TAGS, true) }
}

/// Every sequence of so many tags, well formed or not.
fn sequences(units: usize) -> Vec<Vec<u16>> {
    let mut all = vec![Vec::new()];
    for _ in 0..units {
        all = all.into_iter().flat_map(|before| (0..TAGS as u16).map(move |tag| [before.clone(), vec![tag]].concat())).collect();
    }
    all
}

/// The score of a sequence, `None` when it is not well formed.
fn score(sequence: &[u16], emissions: &[f32], scores: &[f32], joined: &[bool]) -> Option<f64> {
    let mut sum = 0.0;
    for (unit, tag) in sequence.iter().enumerate() {
        let before = unit.checked_sub(1).map(|before| sequence[before]);
        if !may_follow(before, *tag, unit > 0 && joined[unit]) {
            return None;
        }
        let row = before.map_or(TAGS, usize::from);
        sum += f64::from(emissions[unit * TAGS + usize::from(*tag)]) + f64::from(scores[row * TAGS + usize::from(*tag)]);
    }
    Some(sum)
}

/// Texts of some units each, with scores drawn from `seed`.
struct Case {
    emissions: Vec<f32>,
    scores: Vec<f32>,
    joined: Vec<bool>,
}

fn case(units: usize, joined: &[usize], seed: u64) -> Case {
    let mut rng = generator(seed);
    let (emissions, scores) = (noise(&mut rng, units * TAGS, 0.8), noise(&mut rng, (TAGS + 1) * TAGS, 0.8));
    Case { emissions, scores, joined: (0..units).map(|unit| joined.contains(&unit)).collect() }
}

#[test]
fn a_move_is_possible_or_not() {
    // Rows: what may follow O, B, I and the beginning; columns O, B, I.
    let (yes, no) = (true, false);
    assert_eq!(moves(TAGS, false), [[yes, yes, no], [yes, yes, yes], [yes, yes, yes], [yes, yes, no]].concat());
    assert_eq!(moves(TAGS, true), [[yes, no, no], [no, no, yes], [no, no, yes], [yes, yes, no]].concat());
    assert!(may_follow(Some(3), 4, false) && !may_follow(Some(1), 4, false), "a span goes on with its own label");
}

#[test]
fn sums_are_those_over_all_sequences() {
    for (units, joined, seed) in [(1, &[][..], 1), (2, &[1], 2), (3, &[], 3), (5, &[2, 3], 4), (6, &[0, 5], 5)] {
        let Case { emissions, scores, joined } = case(units, joined, seed);
        let chain = FrozenChain::new(bio(), scores.clone());
        let all: Vec<(Vec<u16>, f64)> =
            sequences(units).into_iter().filter_map(|tags| Some((tags.clone(), score(&tags, &emissions, &scores, &joined)?))).collect();
        let total = all.iter().map(|(_, score)| score.exp()).sum::<f64>();
        assert!((chain.log_partition(&emissions, &joined, &[]) - total.ln()).abs() < 1e-9);
        let marginals = chain.marginals(&emissions, &joined);
        for unit in 0..units {
            for tag in 0..TAGS {
                let wanted: f64 = all.iter().filter(|(tags, _)| usize::from(tags[unit]) == tag).map(|(_, score)| score.exp()).sum();
                assert!((f64::from(marginals[unit * TAGS + tag]) - wanted / total).abs() < 1e-6, "unit {unit}, tag {tag}");
            }
        }
        // Some tags ruled out.
        let allowed: Vec<bool> = (0..units * TAGS).map(|at| at % TAGS == 0 || at % 4 != 1).collect();
        let within = |tags: &[u16]| tags.iter().enumerate().all(|(unit, tag)| allowed[unit * TAGS + usize::from(*tag)]);
        let some: f64 = all.iter().filter(|(tags, _)| within(tags)).map(|(_, score)| score.exp()).sum();
        assert!((chain.log_partition(&emissions, &joined, &allowed) - some.ln()).abs() < 1e-9);
        // The best of all.
        let best = all.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert_eq!(viterbi(&emissions, TAGS, &joined, &scores), best.0);
    }
    let chain = FrozenChain::new(bio(), vec![0.0; (TAGS + 1) * TAGS]);
    assert!(chain.marginals(&[], &[]).is_empty());
    assert!(chain.marginals(&[f32::MAX, -f32::MAX, 0.0], &[]).iter().all(|share| (0.0..=1.0).contains(share)));
}

/// Two texts of 3 and 2 units. Of the second text's last unit nobody knows more than that it is not O.
fn batch() -> ChainBatch {
    let only = |tag: usize| (0..TAGS).map(|other| other == tag).collect::<Vec<_>>();
    ChainBatch {
        starts: vec![0, 3, 5],
        weights: vec![1.0, 0.5, 0.5, 1.0, 1.0],
        joined: vec![false, false, true, false, false],
        allowed: [only(0), only(1), only(2), only(1), vec![false, true, true]].concat(),
    }
}

fn chain(params: &mut Params, seed: u64) -> Chain {
    let (chain, report) = Chain::new_or_load(None, bio(), params, &mut generator(1), true).unwrap();
    assert_eq!(report.fresh, ["gloss.tag.transition"]);
    let (_, var) = params.trainable().next().unwrap();
    var.set(&Tensor::from_vec(noise(&mut generator(seed), (TAGS + 1) * TAGS, 0.7), (TAGS + 1, TAGS), &Device::Cpu).unwrap()).unwrap();
    chain
}

#[test]
fn the_loss_is_the_surprise_by_brute_force() {
    let mut params = Params::new();
    let chain = chain(&mut params, 7);
    let scores = chain.frozen().unwrap().scores().to_vec();
    let emissions = noise(&mut generator(8), 5 * TAGS, 1.0);
    let batch = batch();
    let mut wanted = 0.0;
    for (start, end) in [(0, 3), (3, 5)] {
        let own: Vec<f32> = (start * TAGS..end * TAGS).map(|at| emissions[at] * batch.weights[at / TAGS]).collect();
        let (mut all, mut right) = (0.0, 0.0);
        for tags in sequences(end - start) {
            let Some(score) = score(&tags, &own, &scores, &batch.joined[start..end]) else { continue };
            all += score.exp();
            if tags.iter().enumerate().all(|(unit, tag)| batch.allowed[(start + unit) * TAGS + usize::from(*tag)]) {
                right += score.exp();
            }
        }
        wanted += all.ln() - right.ln();
    }
    let found = chain.loss(&Tensor::from_vec(emissions, (5, TAGS), &Device::Cpu).unwrap(), &batch).unwrap();
    assert!((f64::from(found.to_scalar::<f32>().unwrap()) - wanted / 4.0).abs() < 1e-6);
}

/// The gradients of `number` by `vars` as found, against steps in each place.
fn check_gradients(vars: &[(&str, Var, Vec<f32>)], number: &dyn Fn() -> f64) {
    for (name, var, found) in vars {
        let start = values(var);
        for (at, found) in found.iter().enumerate() {
            let at_offset = |step: f32| {
                let mut moved = start.clone();
                moved[at] += step;
                var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                number()
            };
            let step = 1e-2;
            let wanted = (at_offset(step) - at_offset(-step)) / (2.0 * f64::from(step));
            at_offset(0.0);
            assert!((f64::from(*found) - wanted).abs() < 5e-4, "{name}[{at}]: {found} found, {wanted} wanted");
        }
    }
}

#[test]
fn gradients_of_the_chain_are_those_of_finite_differences() {
    let mut params = Params::new();
    let chain = chain(&mut params, 9);
    let emissions =
        Var::from_tensor(&Tensor::from_vec(noise(&mut generator(10), 5 * TAGS, 1.0), (5, TAGS), &Device::Cpu).unwrap()).unwrap();
    let loss = || chain.loss(emissions.as_tensor(), &batch()).unwrap();
    // Twice the loss: what comes after the op reaches its gradient.
    let total = loss().affine(2.0, 0.0).unwrap();
    let of_emissions = values(total.backward().unwrap().get(&emissions).unwrap());
    let grads = params.backward(&total).unwrap();
    let (name, var) = params.trainable().next().unwrap();
    let vars = [("emissions", emissions.clone(), of_emissions), (name, var.clone(), grads.get(name).unwrap().to_vec())];
    check_gradients(&vars, &|| 2.0 * f64::from(loss().to_scalar::<f32>().unwrap()));
}

#[test]
fn transitions_are_learnt() {
    // The emissions say nothing: only what follows what can tell.
    let mut params = Params::new();
    let (chain, _) = Chain::new_or_load(None, bio(), &mut params, &mut generator(1), true).unwrap();
    let emissions = Tensor::zeros((4, TAGS), candle_core::DType::F32, &Device::Cpu).unwrap();
    let tags = [0, 1, 2, 0];
    let batch = ChainBatch {
        starts: vec![0, 4],
        weights: vec![1.0; 4],
        joined: vec![false; 4],
        allowed: tags.iter().flat_map(|tag| (0..TAGS).map(move |other| other == *tag)).collect(),
    };
    let mut optimiser = AdamW::new(0.0, 1.0);
    for _ in 0..200 {
        let grads = params.backward(&chain.loss(&emissions, &batch).unwrap()).unwrap();
        optimiser.step(&params, &grads, 0.05, 10.0).unwrap();
    }
    let scores = chain.frozen().unwrap().scores().to_vec();
    assert_eq!(viterbi(&[0.0; 4 * TAGS], TAGS, &[], &scores), [0, 1, 2, 0]);
}

#[test]
fn what_nobody_knows_teaches_nothing() {
    let mut params = Params::new();
    let chain = chain(&mut params, 3);
    let emissions = Tensor::from_vec(noise(&mut generator(4), 5 * TAGS, 1.0), (5, TAGS), &Device::Cpu).unwrap();
    let loss = |batch: &ChainBatch| chain.loss(&emissions, batch);
    let open = ChainBatch { allowed: vec![true; 5 * TAGS], ..batch() };
    assert!(loss(&open).is_err(), "no unit teaches");
    // I can't begin a text.
    let mut broken = batch();
    broken.allowed[..TAGS].copy_from_slice(&[false, false, true]);
    assert!(loss(&broken).is_err());
    assert!(loss(&ChainBatch { weights: vec![1.0; 4], ..batch() }).is_err());

    let logits = Tensor::from_vec(noise(&mut generator(5), 2 * TAGS, 1.0), (2, TAGS), &Device::Cpu).unwrap();
    let number = |tensor: candle_core::Result<Tensor>| tensor.unwrap().to_scalar::<f32>().unwrap();
    let one = number(loss::cross_entropy(&logits, &[2, 0], Some(&[1.0, 3.0])));
    let same = loss::marginal_cross_entropy(&logits, &[false, false, true, true, false, false], &[1.0, 3.0]);
    assert!((number(same) - one).abs() < 1e-6, "one class allowed: cross-entropy");
    let nothing = loss::marginal_cross_entropy(&logits, &[true; 2 * TAGS], &[1.0, 1.0]);
    assert!(number(nothing).abs() < 1e-6, "everything allowed");
    assert!(loss::marginal_cross_entropy(&logits, &[true, true, true, false, false, false], &[1.0, 1.0]).is_err());
    let shares = number(loss::marginal_cross_entropy(&logits.narrow(0, 0, 1).unwrap(), &[true, false, true], &[1.0]));
    let row: Vec<f32> = values(&logits)[..TAGS].iter().map(|logit| logit.exp()).collect();
    assert!((shares + ((row[0] + row[2]) / row.iter().sum::<f32>()).ln()).abs() < 1e-6);
}
