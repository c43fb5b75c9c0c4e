//! Times the encoder's kernels and a whole training step on this machine, beside the best matrix rate measured in the
//! same run. `cargo bench --bench kernels`; with `-- quick` fewer repetitions, with `products`, `others`,
//! `attention`, `frozen`, `step` or `prediction` only these.
#![allow(clippy::unwrap_used)] // A bench that fails should stop.

use gloss::nn::kernels::*;
use gloss::nn::{Activation, AdamW, ClassHead, Dropout, Encoder, LoadOptions, Mode, ModelFiles, Params, RaggedBatch, loss};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::Instant;

const HIDDEN: usize = 384;
const INNER: usize = 1536;
const HEADS: usize = 12;
const LAYERS: usize = 12;

/// Median of the milliseconds of a few runs, after one to warm up.
fn median_ms(runs: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn noise(len: usize) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(len as u64);
    (0..len).map(|_| rng.random::<f32>() - 0.5).collect()
}

fn line(name: &str, ms: f64, flop: f64) {
    if flop > 0.0 {
        println!("{name:<44} {ms:>9.3} ms {:>8.1} GFLOP/s", flop / ms / 1e6);
    } else {
        println!("{name:<44} {ms:>9.3} ms");
    }
}

/// The matrix products of a layer; gives the best rate in GFLOP/s.
fn products(tokens: usize, runs: usize) -> f64 {
    let mut best = 0.0f64;
    for (inputs, outputs) in [(HIDDEN, HIDDEN), (HIDDEN, INNER), (INNER, HIDDEN)] {
        let (x, w, g) = (noise(tokens * inputs), noise(outputs * inputs), noise(tokens * outputs));
        let (mut y, mut dx, mut dw) = (vec![0.0; tokens * outputs], vec![0.0; tokens * inputs], vec![0.0; outputs * inputs]);
        let flop = 2.0 * (tokens * inputs * outputs) as f64;
        let forward = median_ms(runs, || linear(&mut y, outputs, &x, &w, None, inputs));
        let input = median_ms(runs, || linear_input_grad(&mut dx, &g, outputs, &w, inputs, false));
        let weight = median_ms(runs, || linear_weight_grad(&mut dw, &g, outputs, &x, inputs));
        for (name, ms) in [("y = x W^T", forward), ("dx = g W", input), ("dW = g^T x", weight)] {
            line(&format!("{name} {tokens} x {inputs} x {outputs}"), ms, flop);
            best = best.max(flop / ms / 1e6);
        }
        if !Precision::BFloat16.is_native() {
            continue;
        }
        let half = Precision::BFloat16;
        let forward = median_ms(runs, || half.linear(&mut y, outputs, &x, &w, None, inputs));
        let input = median_ms(runs, || half.input_grad(&mut dx, &g, outputs, &w, inputs, false));
        let weight = median_ms(runs, || half.weight_grad(&mut dw, &g, outputs, &x, inputs));
        for (name, ms) in [("y = x W^T", forward), ("dx = g W", input), ("dW = g^T x", weight)] {
            line(&format!("{name} {tokens} x {inputs} x {outputs}, bfloat16"), ms, flop);
        }
    }
    best
}

/// Products with weights that are laid out once, a block of rows on one thread.
fn frozen(rows: usize, runs: usize) {
    for (inputs, outputs) in [(HIDDEN, HIDDEN), (HIDDEN, INNER), (INNER, HIDDEN)] {
        let (x, w, mut y) = (noise(rows * inputs), noise(outputs * inputs), vec![0.0; rows * outputs]);
        for stored in [Stored::Float32, Stored::BFloat16, Stored::Int8].into_iter().filter(|stored| stored.is_native()) {
            let linear = FrozenLinear::new(&w, inputs, stored);
            let ms = median_ms(10 * runs, || linear.apply(&x, &mut y, outputs));
            line(&format!("laid out {rows} x {inputs} x {outputs}, {stored:?}"), ms, 2.0 * (rows * inputs * outputs) as f64);
        }
    }
}

fn others(texts: usize, length: usize, runs: usize) {
    let (tokens, pool) = (texts * length, Pool::new());
    let dropout = Some(Dropout { share: 0.1, seed: 1 });
    let (bias, mut u, mut a, mut bias_grad) = (noise(INNER), noise(tokens * INNER), noise(tokens * INNER), noise(INNER));
    line("bias + GELU", median_ms(runs, || activate_forward(&mut u, &mut a, &bias, Activation::Gelu)), 0.0);
    // A gradient that is multiplied again and again would end in denormal numbers, which are slow.
    let (start, mut g) = (noise(tokens * INNER), noise(tokens * INNER));
    let copy = median_ms(runs, || g.copy_from_slice(&start));
    let both = median_ms(runs, || {
        g.copy_from_slice(&start);
        activate_backward(&u, &mut g, &mut a, &mut bias_grad, Activation::Gelu, &pool);
    });
    line("bias + GELU backward", both - copy, 0.0);

    let (x, residual, gain, mut y) = (noise(tokens * HIDDEN), noise(tokens * HIDDEN), noise(HIDDEN), noise(tokens * HIDDEN));
    let (mut centred, mut scale) = (noise(tokens * HIDDEN), noise(tokens));
    let input = NormInput { x: &x, bias: Some(&gain), residual: Some(&residual), dropout, gain: &gain, shift: &gain, eps: 1e-12 };
    let forward = median_ms(runs, || norm_forward(input, NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale }));
    line("bias + dropout + residual + norm", forward, 0.0);
    let (mut g, mut inner) = (noise(tokens * HIDDEN), noise(tokens * HIDDEN));
    let (mut dg, mut ds, mut db) = (noise(HIDDEN), noise(HIDDEN), noise(HIDDEN));
    let of = NormBackward { centred: &centred, scale: &scale, gain: &gain, dropout };
    let backward = median_ms(runs, || {
        norm_backward(of, &mut g, Some(&mut inner), NormGrads { gain: &mut dg, shift: &mut ds, bias: &mut db }, &pool);
    });
    line("bias + dropout + residual + norm backward", backward, 0.0);
}

fn attention(texts: usize, length: usize, runs: usize) {
    let (tokens, pool) = (texts * length, Pool::new());
    let dropout = Some(Dropout { share: 0.1, seed: 1 });
    let starts: Vec<usize> = (0..=texts).map(|text| text * length).collect();
    let (qkv, mut context, mut logs) = (noise(3 * tokens * HIDDEN), noise(tokens * HIDDEN), noise(tokens * HEADS));
    let of = Attention { starts: &starts, heads: HEADS, hidden: HIDDEN, dropout, queries: usize::MAX, pool: &pool };
    let flop = 4.0 * (tokens * length * HIDDEN) as f64;
    line("attention", median_ms(runs, || attention_forward(&of, &qkv, &mut context, &mut logs)), flop);
    let (grad, mut qkv_grad) = (noise(tokens * HIDDEN), noise(3 * tokens * HIDDEN));
    let saved = AttentionSaved { qkv: &qkv, context: &context, context_grad: &grad };
    line("attention backward", median_ms(runs, || attention_backward(&of, saved, &mut logs, &mut qkv_grad)), 2.5 * flop);
}

/// A whole step of the shipped encoder with a class head.
fn step(texts: usize, length: usize, runs: usize, best: f64, precision: Precision) {
    let files = ModelFiles::shipped();
    let mut params = Params::new();
    let (encoder, _) = Encoder::load(&files, 0, &mut params, LoadOptions::TRAINABLE).unwrap();
    encoder.set_precision(precision);
    let mut rng = StdRng::seed_from_u64(1);
    let (head, _) = ClassHead::new_or_load(None, HIDDEN, 3, &mut params, &mut rng, true).unwrap();
    let ids: Vec<Vec<u32>> = (0..texts).map(|_| (0..length).map(|_| rng.random_range(10..30_000)).collect()).collect();
    let batch = RaggedBatch::new(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let targets: Vec<u32> = (0..texts as u32).map(|text| text % 3).collect();
    let mut optimiser = AdamW::new(0.01, 1.0);
    let (mut forward, mut backward, mut update) = (Vec::new(), Vec::new(), Vec::new());
    let whole = median_ms(runs, || {
        let start = Instant::now();
        let mut mode = Mode::Train { rng: &mut rng, dropout: 0.1 };
        let hidden = encoder.forward(&batch, &mut mode).unwrap();
        let logits = head.forward(&hidden, &batch, &mut mode).unwrap();
        let loss = loss::cross_entropy(&logits, &targets, None).unwrap();
        forward.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let grads = params.backward(&loss).unwrap();
        backward.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        optimiser.step(&params, &grads, 1e-5, 1.0).unwrap();
        update.push(start.elapsed().as_secs_f64() * 1e3);
    });
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (forward, backward, update) = (middle(&mut forward), middle(&mut backward), middle(&mut update));
    let tokens = texts * length;
    let per_layer = 6.0 * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER) as f64 + 12.0 * (length * HIDDEN) as f64;
    let flop = (LAYERS * tokens) as f64 * per_layer;
    let rate = flop / whole / 1e6;
    println!(
        "step {texts} x {length}, {precision:?}: {whole:.0} ms (forward {forward:.0}, backward {backward:.0}, AdamW {update:.0}), {:.0} tokens/s, \
         {rate:.0} GFLOP/s, {:.0} % of the best matrix rate",
        tokens as f64 / whole * 1e3,
        100.0 * rate / best,
    );
}

/// The shipped encoder without a gradient: a batch, and one text.
fn prediction(texts: usize, length: usize, runs: usize) {
    let mut rng = StdRng::seed_from_u64(1);
    let ids: Vec<Vec<u32>> = (0..texts).map(|_| (0..length).map(|_| rng.random_range(10..30_000)).collect()).collect();
    let batch = RaggedBatch::new(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let one = RaggedBatch::new(&[&ids[0]]);
    for stored in [Stored::Float32, Stored::BFloat16, Stored::Int8].into_iter().filter(|stored| stored.is_native()) {
        let (mut encoder, _) = Encoder::load(&ModelFiles::shipped(), 0, &mut Params::new(), LoadOptions::FROZEN).unwrap();
        encoder.freeze(Some(stored)).unwrap();
        let many = median_ms(runs, || drop(encoder.forward_first(&batch, &mut Mode::Eval).unwrap()));
        let alone = median_ms(runs * 3, || drop(encoder.forward_first(&one, &mut Mode::Eval).unwrap()));
        let rate = (texts * length) as f64 / many * 1e3;
        println!("prediction {texts} x {length}, {stored:?}: {many:.0} ms, {rate:.0} tokens/s; one text: {alone:.1} ms");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let runs = if args.iter().any(|arg| arg == "quick") { 5 } else { 15 };
    let parts: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "quick").collect();
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    println!("{} threads", rayon::current_num_threads());
    let mut best = 0.0f64;
    if wanted("products") || wanted("step") {
        for tokens in [1024, 2048] {
            best = best.max(products(tokens, runs));
        }
        println!("best matrix rate: {best:.0} GFLOP/s");
    }
    for length in [64, 128] {
        if wanted("others") {
            others(16, length, runs);
        }
        if wanted("attention") {
            attention(16, length, runs);
        }
        if wanted("frozen") {
            frozen(length, runs);
        }
        if wanted("step") {
            step(16, length, runs, best, Precision::Float32);
            if Precision::BFloat16.is_native() {
                step(16, length, runs, best, Precision::BFloat16);
            }
        }
        if wanted("prediction") {
            prediction(16, length, runs);
        }
    }
}
