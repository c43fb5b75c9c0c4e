//! Networks without pretraining: against PyTorch's numbers, each text by itself, with dropout against finite differences,
//! and whole models through their files.

use super::support::*;
use candle_core::{Device, Tensor};
use gloss::nn::kernels::{Mat, MatMut, Packed, matmul, matmul_packed};
use gloss::nn::{
    ClassHead, JointModel, JointSizes, LoadOptions, Mode, ModelFiles, Network, Params, Pooling, RaggedBatch, ScratchConfig, ScratchKind,
    ScratchNet, UnitBatch, Weights, unreached,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const VOCAB: usize = 7;
const WIDTH: usize = 4;
const HIDDEN: usize = 3;

fn reference() -> Value {
    serde_json::from_str(include_str!("../fixtures/network_reference.json")).unwrap()
}

fn list(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

/// The weights that the reference was made with.
fn numbers(name: &str, count: usize) -> Vec<f32> {
    let start = 0.1 * (name.bytes().map(u32::from).sum::<u32>() % 97) as f64;
    (0..count).map(|at| (0.4 * (1.3 * at as f64 + start).sin()) as f32).collect()
}

fn set_to_formula(params: &Params) {
    for (name, var) in params.trainable() {
        let values = numbers(name, var.elem_count());
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
}

/// The loss that the reference was made with.
fn loss_of(x: &Tensor) -> Tensor {
    let factors: Vec<f32> = (0..x.elem_count()).map(|at| (0.9 * at as f64).cos() as f32).collect();
    (x * Tensor::from_vec(factors, x.shape(), &Device::Cpu).unwrap()).unwrap().sum_all().unwrap()
}

fn shape(kind: ScratchKind, layers: usize, bidirectional: bool) -> ScratchConfig {
    ScratchConfig {
        kind,
        vocab_size: VOCAB,
        embedding_size: WIDTH,
        hidden_size: HIDDEN,
        num_layers: layers,
        bidirectional,
        kernel_sizes: vec![1, 2, 3, 4],
        pooling: Pooling::Attention,
        word_vectors: None,
    }
}

/// Files that hold no weights yet.
fn fresh(shape: &ScratchConfig) -> ModelFiles {
    files_of(serde_json::to_string(shape).unwrap(), Weights::Safetensors(Arc::from(Params::new().to_safetensors().unwrap())))
}

fn net(shape: &ScratchConfig) -> (ScratchNet, Params) {
    let mut params = Params::new();
    let (net, _) = ScratchNet::load(&fresh(shape), &mut params, ALL, &mut generator(3)).unwrap();
    (net, params)
}

const KINDS: [ScratchKind; 4] = [ScratchKind::Rnn, ScratchKind::Lstm, ScratchKind::Gru, ScratchKind::Cnn];

fn batch_from(texts: &Value) -> RaggedBatch {
    let texts: Vec<Vec<u32>> = serde_json::from_value(texts.clone()).unwrap();
    RaggedBatch::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn states_and_gradients_are_those_of_pytorch() {
    let reference = reference();
    let batch = batch_from(&reference["texts"]);
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let kind: ScratchKind = serde_json::from_value(case["kind"].clone()).unwrap();
        let shape = shape(kind, case["layers"].as_u64().unwrap() as usize, case["bidirectional"].as_bool().unwrap());
        let (net, params) = net(&shape);
        set_to_formula(&params);
        let name = format!("{} of {} layers", kind.name(), shape.num_layers);
        let states = net.forward(&batch, &mut Mode::Train { rng: &mut generator(1), dropout: 0.0 }).unwrap();
        assert_close(&name, &values(&states), &list(&case["states"]), 2e-6);
        assert_close(&name, &values(&net.forward(&batch, &mut Mode::Eval).unwrap()), &list(&case["states"]), 2e-6);
        let grads = params.backward(&loss_of(&states)).unwrap();
        assert_eq!(unreached(&params, &grads).unwrap(), Vec::<String>::new(), "{name}");
        let grads = grads.into_whole();
        let wanted: BTreeMap<String, Value> = serde_json::from_value(case["grads"].clone()).unwrap();
        assert_eq!(wanted.keys().map(String::as_str).collect::<Vec<_>>(), params.trainable().map(|(name, _)| name).collect::<Vec<_>>());
        for (param, wanted) in wanted {
            assert_close(&format!("{name}: {param}"), grads.get(&param).unwrap(), &list(&wanted), 1e-5);
        }
    }
}

fn class_head(pooling: Pooling) -> (ClassHead, Params) {
    let mut params = Params::new();
    let shape = ScratchConfig { pooling, ..shape(ScratchKind::Lstm, 1, true) };
    let (head, report) = ClassHead::pooled(None, &shape, 2, &mut params, &mut generator(4), true).unwrap();
    assert_eq!(report.fresh.len(), if pooling == Pooling::Attention { 5 } else { 2 });
    (head, params)
}

#[test]
fn pooled_class_scores_are_those_of_pytorch() {
    let reference = reference();
    let batch = batch_from(&reference["texts"]);
    for case in reference["poolings"].as_array().unwrap() {
        let pooling: Pooling = serde_json::from_value(case["pooling"].clone()).unwrap();
        let (head, params) = class_head(pooling);
        set_to_formula(&params);
        let shape = (batch.tokens(), 2 * HIDDEN);
        let states = Tensor::from_vec(numbers("states", shape.0 * shape.1), shape, &Device::Cpu).unwrap();
        let states = candle_core::Var::from_tensor(&states).unwrap();
        let scores = head.forward(states.as_tensor(), &batch, &mut Mode::Eval).unwrap();
        assert_close(&format!("{pooling:?}"), &values(&scores), &list(&case["scores"]), 2e-6);
        let store = loss_of(&scores).backward().unwrap();
        assert_close(&format!("{pooling:?}: states"), &values(store.get(&states).unwrap()), &list(&case["of_states"]), 1e-5);
    }
}

#[test]
fn gradients_of_pooling_are_those_of_finite_differences() {
    let batch = RaggedBatch::new(&[&[1, 2, 3], &[4], &[5, 6]]);
    for pooling in [Pooling::Attention, Pooling::Last, Pooling::Mean, Pooling::Max] {
        let (head, params) = class_head(pooling);
        let hidden = Tensor::from_vec(noise(&mut generator(8), 6 * 2 * HIDDEN, 0.8), (6, 2 * HIDDEN), &Device::Cpu).unwrap();
        check_gradients(&params, &hidden, |hidden| mixed(&head.forward(hidden, &batch, &mut Mode::Eval).unwrap(), 3));
    }
}

/// More texts than one thread takes at once, of every length.
fn many() -> RaggedBatch {
    let lengths: Vec<usize> = (0..37).map(|at| 1 + (at * 7) % 23).collect();
    batch_of(&lengths, VOCAB, 11)
}

#[test]
fn a_text_in_a_batch_is_the_text_alone() {
    let batch = many();
    for kind in KINDS {
        let (net, params) = net(&shape(kind, 2, true));
        let together = net.forward(&batch, &mut Mode::Eval).unwrap();
        let factors: Vec<f32> = noise(&mut generator(5), together.elem_count(), 1.0);
        let loss = |x: &Tensor, rows: std::ops::Range<usize>| {
            let width = x.dims2().unwrap().1;
            let own = factors[rows.start * width..rows.end * width].to_vec();
            (x * Tensor::from_vec(own, x.shape(), &Device::Cpu).unwrap()).unwrap().sum_all().unwrap()
        };
        let train = |batch: &RaggedBatch| net.forward(batch, &mut Mode::Train { rng: &mut generator(1), dropout: 0.0 }).unwrap();
        let whole = params.backward(&loss(&train(&batch), 0..batch.tokens())).unwrap().into_whole();
        let mut sum = gloss::nn::Gradients::default();
        for text in 0..batch.texts() {
            let rows = batch.range(text);
            let alone = RaggedBatch::new(&[&batch.ids[rows.clone()]]);
            let wanted = values(&net.forward(&alone, &mut Mode::Eval).unwrap());
            let found = values(&together.narrow(0, rows.start, rows.len()).unwrap());
            assert_close(&format!("{kind:?}, text {text}"), &found, &wanted, 1e-6);
            sum.add(params.backward(&loss(&train(&alone), rows)).unwrap()).unwrap();
        }
        let sum = sum.into_whole();
        for (name, _) in params.trainable() {
            assert_close(&format!("{kind:?}: {name}"), whole.get(name).unwrap(), sum.get(name).unwrap(), 1e-4);
        }
    }
}

#[test]
fn gradients_with_dropout_are_those_of_finite_differences() {
    let batch = batch_of(&[6, 2, 9], VOCAB, 12);
    // Those without a rectifier, whose corners a step would cross.
    for kind in [ScratchKind::Rnn, ScratchKind::Lstm, ScratchKind::Gru] {
        let (net, params) = net(&shape(kind, 2, true));
        set_to_formula(&params);
        let pass = || mixed(&net.forward(&batch, &mut Mode::Train { rng: &mut generator(6), dropout: 0.4 }).unwrap(), 7);
        let grads = params.backward(&pass()).unwrap().into_whole();
        for (name, var) in params.trainable() {
            let (start, found) = (values(var), grads.get(name).unwrap().to_vec());
            let mut order: Vec<usize> = (0..start.len()).collect();
            order.sort_by(|a, b| found[*b].abs().total_cmp(&found[*a].abs()));
            for at in order.into_iter().take(3) {
                let at_offset = |step: f32| {
                    let mut moved = start.clone();
                    moved[at] += step;
                    var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                    f64::from(pass().to_scalar::<f32>().unwrap())
                };
                let wanted = (at_offset(4e-3) - at_offset(-4e-3)) / 8e-3;
                at_offset(0.0);
                let difference = (f64::from(found[at]) - wanted).abs();
                assert!(difference < 2e-3 + 0.02 * wanted.abs(), "{kind:?} {name}[{at}]: {} found, {wanted} wanted", found[at]);
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_number() {
    let batch = many();
    let run = |kind, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (net, params) = net(&shape(kind, 2, true));
            let states = net.forward(&batch, &mut Mode::Train { rng: &mut generator(6), dropout: 0.3 }).unwrap();
            let grads = params.backward(&mixed(&states, 2)).unwrap();
            let grads: Vec<(String, Vec<f32>)> = grads.iter().map(|(name, grad)| (name.to_owned(), grad.to_vec())).collect();
            (values(&states), grads)
        })
    };
    for kind in KINDS {
        assert!(run(kind, 1) == run(kind, 3), "{kind:?}");
    }
}

#[test]
fn a_packed_product_is_the_product() {
    let mut rng = generator(9);
    for (rows, depth, cols) in [(1, 1, 1), (5, 3, 12), (13, 40, 70), (0, 4, 4), (2, 1700, 33)] {
        let (a, b) = (noise(&mut rng, rows * depth, 1.0), noise(&mut rng, cols * depth, 1.0));
        let start = noise(&mut rng, rows * cols, 1.0);
        for add in [false, true] {
            let (mut wanted, mut found) = (start.clone(), start.clone());
            let left = || Mat::new(&a, rows, depth, depth);
            let right = || Mat::new(&b, cols, depth, depth).t();
            matmul(MatMut::new(&mut wanted, rows, cols, cols), left(), right(), add, false);
            matmul_packed(MatMut::new(&mut found, rows, cols, cols), left(), &Packed::new(right()), add);
            assert_close("product", &found, &wanted, 1e-6);
        }
    }
}

#[test]
fn a_model_comes_back_from_its_files() {
    for kind in KINDS {
        let shape = shape(kind, 1, true);
        let sizes = || JointSizes { classes: 2, tags: 3, ..JointSizes::default() };
        let mut params = Params::new();
        let (model, report) = JointModel::load(&fresh(&shape), sizes(), &mut params, ALL, &mut generator(5)).unwrap();
        assert!(report.loaded.is_empty() && report.fresh.contains(&"word_embeddings.weight".to_owned()));
        let units = UnitBatch { piece: vec![0, 1, 1, 3], char_id: vec![1, 2, 3, 4], offset: vec![0, 0, 1, 0] };
        let batch = RaggedBatch::new(&[&[1, 2], &[3, 4, 5]]);
        let (wanted, hidden) = model.score(&batch, &units).unwrap();
        assert_eq!((wanted.class.len(), wanted.tags.len()), (4, 12));
        assert_eq!(hidden.dims(), [5, shape.output_size()]);
        let config = model.network().to_json().unwrap().to_string();
        assert!(ScratchConfig::is_one(&config));
        let files = files_of(config, Weights::Safetensors(Arc::from(params.to_safetensors().unwrap())));
        let mut params = Params::new();
        let (again, report) = JointModel::load(&files, sizes(), &mut params, LoadOptions::FROZEN, &mut generator(6)).unwrap();
        assert!(report.fresh.is_empty() && report.wrong_shape.is_empty(), "{report:?}");
        assert_eq!(again.score(&batch, &units).unwrap().0, wanted);
        assert_eq!(params.trainable().count(), 0);
        assert!(matches!(again.network(), Network::Scratch(_)));
    }
}

#[test]
fn batches_and_sizes_that_make_no_sense_are_errors() {
    let (net, _) = net(&shape(ScratchKind::Lstm, 1, true));
    let refused = |ids: &[u32], starts: &[usize]| {
        let batch = RaggedBatch { ids: ids.to_vec(), starts: starts.to_vec() };
        net.forward(&batch, &mut Mode::Eval).unwrap_err().to_string()
    };
    assert!(refused(&[1, VOCAB as u32], &[0, 2]).contains("beyond the vocabulary"));
    assert!(refused(&[1, 2], &[0, 0, 2]).contains("empty"));
    assert!(refused(&[1, 2], &[0, 1]).contains("starts"));
    let parse = |config: &ScratchConfig| ScratchConfig::parse(&serde_json::to_string(config).unwrap());
    let good = shape(ScratchKind::Cnn, 1, false);
    assert_eq!(parse(&good).unwrap(), good);
    assert!(parse(&ScratchConfig { hidden_size: 0, ..good.clone() }).is_err());
    assert!(parse(&ScratchConfig { kernel_sizes: vec![3, 0], ..good }).is_err());
    assert!(ScratchConfig::parse(r#"{"model_type":"gloss-transformer"}"#).is_err());
    assert!(!ScratchConfig::is_one(r#"{"model_type":"bert"}"#) && !ScratchConfig::is_one("[]") && !ScratchConfig::is_one("{"));
}
