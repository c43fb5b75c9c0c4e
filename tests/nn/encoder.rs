//! The encoder on kernels: equal to candle's ops, right by finite differences, each text by itself.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{Encoder, Gradients, LoadOptions, Mode, Params, RaggedBatch, unreached};
use std::collections::BTreeMap;

/// Hidden states by one of the two ways.
fn hidden(encoder: &Encoder, batch: &RaggedBatch, mode: &mut Mode, plain: bool) -> Tensor {
    if plain { encoder.forward_plain(batch, mode) } else { encoder.forward(batch, mode) }.unwrap()
}

/// Those of the texts' first tokens.
fn first_hidden(encoder: &Encoder, batch: &RaggedBatch, mode: &mut Mode, plain: bool) -> Tensor {
    if !plain {
        return encoder.forward_first(batch, mode).unwrap();
    }
    let first: Vec<u32> = batch.starts[..batch.texts()].iter().map(|start| *start as u32).collect();
    let first = Tensor::from_vec(first, batch.texts(), &Device::Cpu).unwrap();
    hidden(encoder, batch, mode, true).index_select(&first, 0).unwrap()
}

type Way = fn(&Encoder, &RaggedBatch, &mut Mode, bool) -> Tensor;

/// Gradients of `mixed(hidden)` by one of the two ways.
fn gradients_by(way: Way, encoder: &Encoder, params: &Params, batch: &RaggedBatch, dropout: f32, plain: bool) -> (Vec<f32>, Gradients) {
    let mut rng = generator(5);
    let hidden = way(encoder, batch, &mut Mode::Train { rng: &mut rng, dropout }, plain);
    let grads = params.backward(&mixed(&hidden, 9)).unwrap().into_whole();
    (values(&hidden), grads)
}

fn gradients(encoder: &Encoder, params: &Params, batch: &RaggedBatch, dropout: f32, plain: bool) -> (Vec<f32>, Gradients) {
    gradients_by(hidden, encoder, params, batch, dropout, plain)
}

fn check_equal(sizes: Sizes, activation: &str, lengths: &[usize], dropout: f32, options: LoadOptions) {
    check_equal_by(hidden, sizes, activation, lengths, dropout, options);
}

fn check_equal_by(way: Way, sizes: Sizes, activation: &str, lengths: &[usize], dropout: f32, options: LoadOptions) {
    let (encoder, params) = load(&small_files(sizes, activation, 1), options);
    let batch = batch_of(lengths, sizes.vocab, 3);
    let (fast, fast_grads) = gradients_by(way, &encoder, &params, &batch, dropout, false);
    let (plain, plain_grads) = gradients_by(way, &encoder, &params, &batch, dropout, true);
    assert_close("hidden", &fast, &plain, 2e-5);
    let names: Vec<&str> = fast_grads.iter().map(|(name, _)| name).collect();
    assert_eq!(names, plain_grads.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(names.len(), params.trainable().count());
    for (name, wanted) in plain_grads.iter() {
        // The gradient of a key's bias is 0 but for rounding: softmax does not see what all its scores share. So are
        // those of queries and keys where a text has one token.
        let size = match name {
            name if name.ends_with("key.bias") => 1.0,
            name if name.contains("self.query") || name.contains("self.key") => 0.02,
            _ => 0.0,
        };
        let found = fast_grads.get(name).unwrap();
        let pad = |x: &[f32]| x.iter().copied().chain([size]).collect::<Vec<f32>>();
        assert_close(name, &pad(found), &pad(wanted), 1e-4);
    }
}

#[test]
fn first_tokens_alone_equal_those_rows_of_plain_ops() {
    let one_layer = Sizes { layers: 1, ..SMALL };
    let top = LoadOptions { frozen_layers: 1, ..ALL };
    for (sizes, lengths, options) in [
        (SMALL, &[7usize, 1, 30, 2][..], ALL),
        (SMALL, &[1], ALL),
        (SMALL, &[1, 1, 1], ALL),
        (SMALL, &[130, 65], ALL),
        (one_layer, &[5, 9, 1], ALL),
        (SMALL, &[6, 4], LoadOptions::TRAINABLE),
        (SMALL, &[6, 4], top),
    ] {
        check_equal_by(first_hidden, sizes, "gelu", lengths, 0.0, options);
    }
    // Buffers are used again, and what stands in them must not matter; nor is anything left of a longer batch.
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), ALL);
    let (long, short) = (batch_of(&[40, 22], SMALL.vocab, 4), batch_of(&[3, 8], SMALL.vocab, 5));
    let alone = gradients_by(first_hidden, &encoder, &params, &short, 0.2, false);
    gradients(&encoder, &params, &long, 0.2, false);
    let again = gradients_by(first_hidden, &encoder, &params, &short, 0.2, false);
    assert_eq!(alone.0, again.0);
    alone.1.iter().for_each(|(name, grad)| assert_eq!(Some(grad), again.1.get(name), "{name}"));
    // Without a graph the same numbers.
    let eval = first_hidden(&encoder, &short, &mut Mode::Eval, false);
    assert_close("hidden", &values(&eval), &values(&first_hidden(&encoder, &short, &mut Mode::Eval, true)), 2e-5);
}

#[test]
fn equals_plain_ops() {
    check_equal(SMALL, "gelu", &[7, 1, 30, 2], 0.0, ALL);
}

#[test]
fn equals_plain_ops_one_row() {
    check_equal(SMALL, "gelu", &[1], 0.0, ALL);
}

#[test]
fn equals_plain_ops_with_dropout() {
    check_equal(SMALL, "gelu", &[7, 1, 30, 2], 0.3, ALL);
}

#[test]
fn equals_plain_ops_more_than_a_tile() {
    check_equal(SMALL, "gelu", &[65, 130, 64], 0.1, ALL);
}

#[test]
fn equals_plain_ops_other_activations() {
    check_equal(SMALL, "gelu_new", &[5, 9], 0.0, ALL);
    check_equal(SMALL, "relu", &[5, 9], 0.0, ALL);
}

#[test]
fn equals_plain_ops_wide() {
    let sizes = Sizes { hidden: 128, heads: 2, inner: 512, layers: 1, vocab: 40, positions: 40 };
    check_equal(sizes, "gelu", &[33, 40, 17], 0.1, ALL);
}

#[test]
fn frozen_parts_get_no_gradient_and_the_rest_the_same() {
    check_equal(SMALL, "gelu", &[6, 4], 0.0, LoadOptions::TRAINABLE);
    check_equal(SMALL, "gelu", &[6, 4], 0.0, LoadOptions { frozen_layers: 1, ..ALL });
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), LoadOptions { frozen_layers: 1, ..ALL });
    let (_, grads) = gradients(&encoder, &params, &batch_of(&[6, 4], SMALL.vocab, 3), 0.0, false);
    assert_eq!(grads.iter().count(), 16);
    assert!(grads.iter().all(|(name, _)| name.starts_with("bert.encoder.layer.1.")));
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (encoder, params) = load(&small_files(SMALL, "gelu", 2), ALL);
    let batch = batch_of(&[5, 1, 9], SMALL.vocab, 4);
    let (_, grads) = gradients(&encoder, &params, &batch, 0.2, false);
    let weights = noise(&mut generator(9), batch.tokens() * SMALL.hidden, 0.5);
    // The same sum as `mixed`, but added up in double precision.
    let loss = || {
        let mut rng = generator(5);
        let hidden = encoder.forward(&batch, &mut Mode::Train { rng: &mut rng, dropout: 0.2 }).unwrap();
        values(&hidden).iter().zip(&weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>()
    };
    let start = params.snapshot().unwrap();
    for (name, grad) in grads.iter() {
        let shape = start[name].shape().clone();
        // Half along the gradient, half at random: a wrong part shows either way.
        let size = grad.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
        let mut direction = noise(&mut generator(11), grad.len(), 0.5 / (grad.len() as f32).sqrt());
        direction.iter_mut().zip(grad).for_each(|(d, g)| *d += g / size);
        let slope: f64 = direction.iter().zip(grad).map(|(d, g)| f64::from(*d) * f64::from(*g)).sum();
        let step = 4e-3;
        let moved = |by: f32| {
            let values: Vec<f32> = values(&start[name]).iter().zip(&direction).map(|(x, d)| x + by * d).collect();
            let tensor = candle_core::Tensor::from_vec(values, shape.clone(), &candle_core::Device::Cpu).unwrap();
            params.restore(&BTreeMap::from([(name.to_owned(), tensor)])).unwrap();
            loss()
        };
        let measured = (moved(step) - moved(-step)) / f64::from(2.0 * step);
        params.restore(&start).unwrap();
        assert!((measured - slope).abs() <= 0.01 * slope.abs() + 2e-3, "{name}: {slope} computed, {measured} measured");
    }
}

#[test]
fn every_parameter_is_reached() {
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), ALL);
    let (_, grads) = gradients(&encoder, &params, &batch_of(&[12, 30], SMALL.vocab, 3), 0.1, false);
    assert_eq!(unreached(&params, &grads).unwrap(), Vec::<String>::new());
}

#[test]
fn candles_own_backward_is_noticed() {
    // Who forgets `Params::backward` is told by `unreached`, not by silence.
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), ALL);
    assert_eq!(unreached(&params, &Gradients::default()).unwrap().len(), params.trainable().count());
    let mut rng = generator(1);
    let hidden = encoder.forward(&batch_of(&[3], SMALL.vocab, 3), &mut Mode::Train { rng: &mut rng, dropout: 0.0 }).unwrap();
    let loss = mixed(&hidden, 1);
    params.backward(&loss).unwrap();
    let again = params.backward(&loss).unwrap_err().to_string();
    assert!(again.contains("once"), "{again}");
}

#[test]
fn a_row_of_a_batch_equals_the_same_text_alone() {
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), ALL);
    for lengths in [vec![1, 5, 2, 40, 1], vec![40, 1, 3], vec![64, 65, 63, 128, 129]] {
        let batch = batch_of(&lengths, SMALL.vocab, 7);
        let together = values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
        let weights = noise(&mut generator(21), together.len(), 0.5);
        let mut sums: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let mut run = |batch: &RaggedBatch, weights: &[f32], add: bool| {
            let mut rng = generator(1);
            let hidden = encoder.forward(batch, &mut Mode::Train { rng: &mut rng, dropout: 0.0 }).unwrap();
            let weights = candle_core::Tensor::from_slice(weights, hidden.shape(), hidden.device()).unwrap();
            let grads = params.backward(&(hidden * weights).unwrap().sum_all().unwrap()).unwrap().into_whole();
            for (name, grad) in grads.iter() {
                let sum = sums.entry(name.to_owned()).or_insert_with(|| vec![0.0; grad.len()]);
                let sign = if add { 1.0 } else { -1.0 };
                sum.iter_mut().zip(grad).for_each(|(sum, g)| *sum += sign * g);
            }
            grads.norm().unwrap()
        };
        let size = run(&batch, &weights, true);
        for text in 0..batch.texts() {
            let rows = batch.range(text).start * SMALL.hidden..batch.range(text).end * SMALL.hidden;
            let alone = RaggedBatch::new(&[&batch.ids[batch.range(text)]]);
            let hidden = values(&encoder.forward(&alone, &mut Mode::Eval).unwrap());
            assert_close("hidden", &together[rows.clone()], &hidden, 1e-5);
            run(&alone, &weights[rows], false);
        }
        for (name, rest) in sums {
            let largest = rest.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            assert!(f64::from(largest) < 1e-5 * size, "{name}: {largest} of {size} left");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (encoder, params) = load(&small_files(SMALL, "gelu", 1), ALL);
            let (hidden, grads) = gradients(&encoder, &params, &batch_of(&[50, 90, 3, 20], SMALL.vocab, 3), 0.2, false);
            (hidden, grads.iter().map(|(name, grad)| (name.to_owned(), grad.to_vec())).collect::<Vec<_>>())
        })
    };
    assert!(run(1) == run(3));
}

#[test]
fn impossible_batches_are_refused() {
    let (encoder, _) = load(&small_files(SMALL, "gelu", 1), LoadOptions::FROZEN);
    let refused = |batch: RaggedBatch| encoder.forward(&batch, &mut Mode::Eval).unwrap_err().to_string();
    assert!(refused(RaggedBatch::new(&[])).contains("one text"));
    assert!(refused(RaggedBatch::new(&[&[1], &[]])).contains("0 tokens"));
    assert!(refused(RaggedBatch::new(&[&[1; 161]])).contains("161 tokens"));
    assert!(refused(RaggedBatch::new(&[&[23]])).contains("beyond the vocabulary"));
}
