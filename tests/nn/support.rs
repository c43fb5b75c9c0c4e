//! Small encoders made in memory, batches, and comparisons.

use candle_core::{DType, Device, Tensor, Var};
use gloss::nn::{Encoder, LoadOptions, ModelFiles, Params, RaggedBatch, Weights, unreached};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;

/// Sizes of a small encoder. Odd on purpose.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub hidden: usize,
    pub heads: usize,
    pub inner: usize,
    pub layers: usize,
    pub vocab: usize,
    pub positions: usize,
}

pub const SMALL: Sizes = Sizes { hidden: 18, heads: 3, inner: 37, layers: 2, vocab: 23, positions: 160 };

pub fn generator(seed: u64) -> StdRng {
    // For `narrower_instruction_sets_agree`; every test of a kernel begins here.
    if let Ok(asked) = std::env::var("GLOSS_SIMD") {
        gloss::nn::kernels::narrow_to(&asked);
    }
    StdRng::seed_from_u64(seed)
}

/// Values of about `spread`, without regard to any distribution's name.
pub fn noise(rng: &mut StdRng, len: usize, spread: f32) -> Vec<f32> {
    (0..len).map(|_| (0..3).map(|_| rng.random::<f32>() * 2.0 - 1.0).sum::<f32>() * spread).collect()
}

/// Parameters of a BERT with their names (without prefix) and shapes.
pub fn bert_shapes(sizes: Sizes) -> Vec<(String, Vec<usize>)> {
    let Sizes { hidden: h, inner: f, vocab, positions, .. } = sizes;
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![vocab, h]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![positions, h]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, h]),
        ("embeddings.LayerNorm.weight".to_owned(), vec![h]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![h]),
    ];
    for layer in 0..sizes.layers {
        for (name, rows, cols) in [
            ("attention.self.query", h, h),
            ("attention.self.key", h, h),
            ("attention.self.value", h, h),
            ("attention.output.dense", h, h),
            ("attention.output.LayerNorm", h, 0),
            ("intermediate.dense", f, h),
            ("output.dense", h, f),
            ("output.LayerNorm", h, 0),
        ] {
            let weight = if cols == 0 { vec![rows] } else { vec![rows, cols] };
            shapes.push((format!("encoder.layer.{layer}.{name}.weight"), weight));
            shapes.push((format!("encoder.layer.{layer}.{name}.bias"), vec![rows]));
        }
    }
    shapes
}

/// Random tensors of these names; norms' gains are about 1.
pub fn random_tensors(shapes: &[(String, Vec<usize>)], seed: u64) -> Vec<(String, Tensor)> {
    let mut rng = generator(seed);
    let make = |(name, shape): &(String, Vec<usize>)| {
        let len = shape.iter().product();
        let mut values = noise(&mut rng, len, 0.2);
        if name.ends_with("LayerNorm.weight") {
            values.iter_mut().for_each(|value| *value += 1.0);
        }
        (name.clone(), Tensor::from_vec(values, shape.as_slice(), &Device::Cpu).unwrap())
    };
    shapes.iter().map(make).collect()
}

pub fn safetensors_of(tensors: &[(String, Tensor)]) -> Weights {
    let views: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    Weights::Safetensors(Arc::from(safetensors::serialize(views, None).unwrap()))
}

pub fn bert_config(sizes: Sizes, activation: &str) -> String {
    serde_json::json!({
        "model_type": "bert", "hidden_size": sizes.hidden, "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads, "intermediate_size": sizes.inner,
        "max_position_embeddings": sizes.positions, "vocab_size": sizes.vocab, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "hidden_act": activation, "pad_token_id": 0,
    })
    .to_string()
}

pub fn files_of(config: String, weights: Weights) -> ModelFiles {
    ModelFiles { config, tokenizer: Arc::from(&b""[..]), weights, others: Vec::new() }
}

/// A small random BERT.
pub fn small_files(sizes: Sizes, activation: &str, seed: u64) -> ModelFiles {
    files_of(bert_config(sizes, activation), safetensors_of(&random_tensors(&bert_shapes(sizes), seed)))
}

pub fn load(files: &ModelFiles, options: LoadOptions) -> (Encoder, Params) {
    let mut params = Params::new();
    let (encoder, _) = Encoder::load(files, 0, &mut params, options).unwrap();
    (encoder, params)
}

/// Everything learns, the table of words too.
pub const ALL: LoadOptions = LoadOptions { tune_embeddings: true, ..LoadOptions::TRAINABLE };

/// Random texts of these lengths.
pub fn batch_of(lengths: &[usize], vocab: usize, seed: u64) -> RaggedBatch {
    let mut rng = generator(seed);
    let texts: Vec<Vec<u32>> = lengths.iter().map(|len| (0..*len).map(|_| rng.random_range(0..vocab as u32)).collect()).collect();
    RaggedBatch::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A scalar that depends on every value of `x` in its own way.
pub fn mixed(x: &Tensor, seed: u64) -> Tensor {
    let weights = noise(&mut generator(seed), x.elem_count(), 0.5);
    let weights = Tensor::from_vec(weights, x.shape(), &Device::Cpu).unwrap();
    (x * weights).unwrap().sum_all().unwrap()
}

pub fn values(x: &Tensor) -> Vec<f32> {
    x.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts that two lists agree up to `tolerance` times the size of the larger one's largest value.
#[track_caller]
pub fn assert_close(name: &str, found: &[f32], wanted: &[f32], tolerance: f32) {
    assert_eq!(found.len(), wanted.len(), "{name}: lengths differ");
    let size = wanted.iter().fold(1e-3f32, |max, x| max.max(x.abs()));
    for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= tolerance * size, "{name}[{at}]: {found} found, {wanted} wanted (largest {size})");
    }
}

/// Holds the gradients that a loss gives to all parameters and to its input against finite differences.
pub fn check_gradients(params: &Params, input: &Tensor, loss_of: impl Fn(&Tensor) -> Tensor) {
    // Larger than at the start, so that nothing is nearly linear.
    let mut rng = generator(2);
    for (_, var) in params.trainable() {
        let shape = var.shape().clone();
        var.set(&Tensor::from_vec(noise(&mut rng, shape.elem_count(), 0.15), shape, &Device::Cpu).unwrap()).unwrap();
    }
    let input = Var::from_tensor(input).unwrap();
    let number = || f64::from(loss_of(&input.as_tensor().detach()).to_scalar::<f32>().unwrap());
    let total = loss_of(input.as_tensor());
    let grads = params.backward(&total).unwrap();
    assert_eq!(unreached(params, &grads).unwrap(), Vec::<String>::new());
    let of_input = values(total.backward().unwrap().get(&input).unwrap());
    let mut vars: Vec<(String, Var, Vec<f32>)> =
        params.trainable().map(|(name, var)| (name.to_owned(), var.clone(), grads.get(name).unwrap().to_vec())).collect();
    vars.push(("hidden".to_owned(), input.clone(), of_input));
    for (name, var, found) in &vars {
        let start = values(var);
        // Those whose gradient is largest: there float32 shows a difference.
        let mut order: Vec<usize> = (0..start.len()).collect();
        order.sort_by(|a, b| found[*b].abs().total_cmp(&found[*a].abs()));
        for at in order.into_iter().take(4) {
            let at_offset = |step: f32| {
                let mut moved = start.clone();
                moved[at] += step;
                var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                number()
            };
            let step = 5e-3;
            let wanted = (at_offset(step) - at_offset(-step)) / (2.0 * f64::from(step));
            at_offset(0.0);
            let difference = (f64::from(found[at]) - wanted).abs();
            assert!(difference < 2e-3 + 0.03 * wanted.abs(), "{name}[{at}]: {} found, {wanted} wanted", found[at]);
        }
    }
}
