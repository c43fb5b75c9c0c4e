//! Parts of an encoder that learn while the rest stays: low-rank updates, biases, upper layers; and the embedded pieces.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::{
    AdapterSizes, Encoder, LoadOptions, LowRankSizes, LowRankTarget, LowRankTargets, Mode, Params, PrefixSizes, RaggedBatch, Tuning,
    Weights,
};
use std::collections::BTreeSet;

fn low_rank(targets: &[LowRankTarget]) -> LoadOptions {
    let sizes = LowRankSizes { rank: 3, alpha: 5.0, targets: LowRankTargets::of(targets.iter().copied()), seed: 1 };
    LoadOptions { tuning: Tuning::LowRank(sizes), ..LoadOptions::TRAINABLE }
}

/// Low-rank updates are given values that are not 0.
fn loaded(options: LoadOptions) -> (Encoder, Params) {
    let (encoder, params) = load(&small_files(SMALL, "gelu", 1), options);
    let mut rng = generator(6);
    for (_, var) in params.trainable().filter(|(name, _)| name.contains(".lora_B.") || name.contains(".adapter.")) {
        var.set(&Tensor::from_vec(noise(&mut rng, var.elem_count(), 0.2), var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
    (encoder, params)
}

fn hidden(encoder: &Encoder, batch: &RaggedBatch, dropout: f32, plain: bool) -> Tensor {
    let mut rng = generator(5);
    let mut mode = Mode::Train { rng: &mut rng, dropout };
    if plain { encoder.forward_plain(batch, &mut mode) } else { encoder.forward(batch, &mut mode) }.unwrap()
}

fn names(params: &Params) -> BTreeSet<String> {
    params.trainable().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn kernels_equal_plain_ops_whatever_learns() {
    let biases = LoadOptions { tuning: Tuning::Biases, ..LoadOptions::TRAINABLE };
    let upper = LoadOptions { frozen_layers: 1, ..low_rank(&LowRankTarget::ALL) };
    let few = low_rank(&[LowRankTarget::Query, LowRankTarget::Value]);
    let adapters = LoadOptions { tuning: Tuning::Adapters(AdapterSizes { width: 5, seed: 1 }), ..LoadOptions::TRAINABLE };
    let upper_adapters = LoadOptions { frozen_layers: 1, ..adapters };
    let prefixes = LoadOptions { tuning: Tuning::Prefix(PrefixSizes { rows: 3, seed: 1 }), ..LoadOptions::TRAINABLE };
    let upper_prefixes = LoadOptions { frozen_layers: 1, ..prefixes };
    let few_and_many = [(prefixes, 0.0), (prefixes, 0.2), (upper_prefixes, 0.1)];
    let low_ranks = [(low_rank(&LowRankTarget::ALL), 0.0), (low_rank(&LowRankTarget::ALL), 0.2), (few, 0.1), (upper, 0.0)];
    for (options, dropout) in
        low_ranks.into_iter().chain([(biases, 0.1), (adapters, 0.0), (adapters, 0.2), (upper_adapters, 0.1)]).chain(few_and_many)
    {
        let (encoder, params) = loaded(options);
        let batch = batch_of(&[7, 1, 30, 2], SMALL.vocab, 3);
        let of = |plain| {
            let hidden = hidden(&encoder, &batch, dropout, plain);
            (values(&hidden), params.backward(&mixed(&hidden, 9)).unwrap())
        };
        let ((fast, fast_grads), (plain, plain_grads)) = (of(false), of(true));
        assert_close("hidden", &fast, &plain, 2e-5);
        let found: BTreeSet<String> = fast_grads.iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(found, names(&params), "gradients of what learns, and of nothing else");
        for (name, wanted) in plain_grads.iter().filter(|(name, _)| !name.ends_with("key.bias")) {
            // Softmax sees little of queries and keys.
            let tolerance =
                if name.contains("self.query") || name.contains("self.key") || name.contains("prefix.keys") { 2e-3 } else { 1e-4 };
            assert_close(name, fast_grads.get(name).unwrap(), wanted, tolerance);
        }
        // A class reads the first tokens only.
        let mut rng = generator(5);
        let first = encoder.forward_first(&batch, &mut Mode::Train { rng: &mut rng, dropout: 0.0 }).unwrap();
        let all = hidden(&encoder, &batch, 0.0, false);
        let rows: Vec<u32> = batch.starts[..4].iter().map(|start| *start as u32).collect();
        let wanted = all.index_select(&Tensor::new(rows, &Device::Cpu).unwrap(), 0).unwrap();
        assert_close("first", &values(&first), &values(&wanted), 2e-5);
    }
}

#[test]
fn fresh_updates_change_nothing_and_few_numbers_learn() {
    let files = small_files(SMALL, "gelu", 1);
    let (plain, _) = load(&files, LoadOptions::FROZEN);
    let (encoder, params) = load(&files, low_rank(&[LowRankTarget::Query]));
    let batch = batch_of(&[5, 9], SMALL.vocab, 3);
    let eval = |encoder: &Encoder| values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    assert_eq!(eval(&plain), eval(&encoder));
    assert_eq!(params.trainable_numbers(), SMALL.layers * 2 * 3 * SMALL.hidden);
    let (_, others) = load(&files, low_rank(&LowRankTarget::ALL));
    let name = "bert.encoder.layer.1.attention.self.query.lora_A.weight";
    assert_eq!(values(params.get(name).unwrap()), values(others.get(name).unwrap()), "first values do not depend on other targets");
}

/// What is saved is a plain encoder that answers as the one with updates does.
#[test]
fn updates_are_merged_when_saved() {
    let (encoder, params) = loaded(low_rank(&LowRankTarget::ALL));
    let weights = Weights::Safetensors(params.to_safetensors().unwrap().into());
    let files = files_of(encoder.config().to_bert_json().to_string(), weights);
    let (merged, merged_params) = load(&files, LoadOptions::FROZEN);
    assert!(merged_params.iter().all(|(name, _)| !name.contains("lora")));
    let batch = batch_of(&[5, 9, 1], SMALL.vocab, 3);
    let eval = |encoder: &Encoder| values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    assert_close("hidden", &eval(&merged), &eval(&encoder), 2e-5);
    let plain = load(&small_files(SMALL, "gelu", 1), LoadOptions::FROZEN).0;
    assert!(eval(&plain).iter().zip(eval(&encoder)).any(|(a, b)| (a - b).abs() > 1e-2), "the updates do something");
}

#[test]
fn biases_learn_and_nothing_else() {
    let (_, params) = loaded(LoadOptions { tuning: Tuning::Biases, frozen_layers: 1, ..LoadOptions::TRAINABLE });
    let wanted: BTreeSet<String> = bert_shapes(SMALL)
        .into_iter()
        .map(|(name, _)| format!("bert.{name}"))
        .filter(|name| name.contains("layer.1.") && name.ends_with(".bias"))
        .collect();
    assert_eq!(names(&params), wanted);
    let (_, params) = loaded(LoadOptions { tuning: Tuning::Biases, ..LoadOptions::TRAINABLE });
    assert!(names(&params).contains("bert.embeddings.LayerNorm.bias"));
    assert!(names(&params).iter().all(|name| name.ends_with(".bias")));
}

#[test]
fn layers_learn_from_where_they_are_told_to() {
    let (encoder, params) = loaded(ALL);
    let batch = batch_of(&[5, 9], SMALL.vocab, 3);
    let reached = |first: usize| {
        encoder.learn_from(first);
        let grads = params.backward(&mixed(&hidden(&encoder, &batch, 0.0, false), 9)).unwrap();
        grads.iter().map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(reached(0), names(&params));
    let upper: BTreeSet<String> = names(&params).into_iter().filter(|name| name.contains("layer.1.")).collect();
    assert_eq!(reached(1), upper);
    assert!(reached(2).is_empty() && reached(9).is_empty());
    assert_eq!(reached(0), names(&params), "and down again");
}

/// The gradient of the embedded pieces against finite differences, whatever learns; and what is watched for leaves the
/// gradients of the weights as they are.
#[test]
fn the_gradient_of_the_embedded_pieces() {
    let frozen = LoadOptions { frozen_layers: 9, ..LoadOptions::TRAINABLE };
    for options in [ALL, low_rank(&[LowRankTarget::Value]), LoadOptions { frozen_layers: 1, ..LoadOptions::TRAINABLE }, frozen] {
        let (encoder, params) = loaded(options);
        let batch = batch_of(&[4, 3], SMALL.vocab, 3);
        let loss = || mixed(&hidden(&encoder, &batch, 0.0, false), 9);
        let grads_of = |loss: &Tensor| {
            let grads = params.backward(loss).unwrap();
            grads.iter().map(|(name, list)| (name.to_owned(), list.to_vec())).collect::<Vec<_>>()
        };
        let unwatched = if options == frozen { Vec::new() } else { grads_of(&loss()) };
        assert!(encoder.take_input_gradient().is_none());
        encoder.watch_input(true);
        assert_eq!(grads_of(&loss()), unwatched);
        let gradient = encoder.take_input_gradient().unwrap();
        encoder.watch_input(false);
        assert_eq!(gradient.len(), batch.tokens() * SMALL.hidden);
        let mut order: Vec<usize> = (0..gradient.len()).collect();
        order.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
        for at in order.into_iter().take(5) {
            let at_offset = |step: f32| {
                let mut shift = vec![0.0; gradient.len()];
                shift[at] = step;
                encoder.shift_input(Some(shift));
                let number = f64::from(loss().to_scalar::<f32>().unwrap());
                encoder.shift_input(None);
                number
            };
            let step = 1e-2;
            let wanted = (at_offset(step) - at_offset(-step)) / (2.0 * f64::from(step));
            assert!(
                (f64::from(gradient[at]) - wanted).abs() < 5e-3 + 0.03 * wanted.abs(),
                "[{at}]: {} found, {wanted} wanted",
                gradient[at]
            );
        }
    }
    let (encoder, _) = loaded(ALL);
    encoder.shift_input(Some(vec![0.0; 7]));
    assert!(encoder.forward(&batch_of(&[4], SMALL.vocab, 3), &mut Mode::Eval).is_err(), "a shift of another batch");
}

/// A model with adapters goes on with all of it, adapters too; what is read has them, fresh ones change next to nothing.
#[test]
fn adapters_are_saved_and_learn_on() {
    let adapters = LoadOptions { tuning: Tuning::Adapters(AdapterSizes { width: 5, seed: 1 }), ..LoadOptions::TRAINABLE };
    let files = small_files(SMALL, "gelu", 1);
    let batch = batch_of(&[5, 9, 1], SMALL.vocab, 3);
    let eval = |encoder: &Encoder| values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    let (fresh, params) = load(&files, adapters);
    let (h, width) = (SMALL.hidden, 5);
    assert_eq!(params.trainable_numbers(), SMALL.layers * (2 * (2 * h * width + width + h) + 4 * h));
    assert_close("fresh", &eval(&fresh), &eval(&load(&files, LoadOptions::FROZEN).0), 0.05);
    let (encoder, params) = loaded(adapters);
    let weights = Weights::Safetensors(params.to_safetensors().unwrap().into());
    let files = files_of(encoder.config().to_bert_json().to_string(), weights);
    let (again, params) = load(&files, LoadOptions::TRAINABLE);
    assert_close("hidden", &eval(&again), &eval(&encoder), 2e-5);
    assert!(names(&params).iter().any(|name| name.ends_with("output.adapter.up.weight")));
    // All learns: the biases before the adapters get the gradients that plain ops give.
    let of = |plain| params.backward(&mixed(&hidden(&again, &batch, 0.1, plain), 9)).unwrap();
    let (fast, plain) = (of(false), of(true));
    for (name, wanted) in plain.iter().filter(|(name, _)| name.contains("dense.bias") || name.contains("adapter")) {
        assert_close(name, fast.get(name).unwrap(), wanted, 1e-4);
    }
}

/// The gradients of a prefix against finite differences; what is saved has it and answers alike, without it the encoder is
/// what it was.
#[test]
fn prefixes_learn_and_are_saved() {
    let prefixes = LoadOptions { tuning: Tuning::Prefix(PrefixSizes { rows: 3, seed: 1 }), ..LoadOptions::TRAINABLE };
    let files = small_files(SMALL, "gelu", 1);
    let (encoder, params) = load(&files, prefixes);
    assert_eq!(params.trainable_numbers(), SMALL.layers * 2 * 3 * SMALL.hidden);
    let batch = batch_of(&[7, 1, 20], SMALL.vocab, 3);
    let loss = || mixed(&hidden(&encoder, &batch, 0.0, false), 9);
    let grads = params.backward(&loss()).unwrap();
    for (name, var) in params.trainable() {
        let gradient = grads.get(name).unwrap().to_vec();
        let before = values(var.as_tensor());
        let at = (0..gradient.len()).max_by(|a, b| gradient[*a].abs().total_cmp(&gradient[*b].abs())).unwrap();
        let moved = |step: f32| {
            let mut numbers = before.clone();
            numbers[at] += step;
            var.set(&Tensor::from_vec(numbers, var.shape(), &Device::Cpu).unwrap()).unwrap();
            f64::from(loss().to_scalar::<f32>().unwrap())
        };
        let step = 1e-2;
        let wanted = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
        moved(0.0);
        assert!((f64::from(gradient[at]) - wanted).abs() < 5e-3 + 0.03 * wanted.abs(), "{name}: {} found, {wanted} wanted", gradient[at]);
    }
    let eval = |encoder: &Encoder| values(&encoder.forward(&batch, &mut Mode::Eval).unwrap());
    let plain = load(&files, LoadOptions::FROZEN).0;
    assert!(eval(&plain).iter().zip(eval(&encoder)).any(|(a, b)| (a - b).abs() > 1e-2), "the prefix does something");
    let weights = Weights::Safetensors(params.to_safetensors().unwrap().into());
    let files = files_of(encoder.config().to_bert_json().to_string(), weights);
    let (again, all) = load(&files, LoadOptions::TRAINABLE);
    assert_close("hidden", &eval(&again), &eval(&encoder), 2e-5);
    assert!(names(&all).contains("bert.encoder.layer.0.attention.prefix.keys"), "with everything else it learns on");
    let refused = gloss::nn::to_onnx(&files).err().unwrap().to_string();
    assert!(refused.contains("prefixes"), "{refused}");
}
