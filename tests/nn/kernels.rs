//! Each kernel against the same from candle's own ops: values and gradients, odd sizes, one row.

mod edges;

use super::support::*;
use candle_core::{Device, Tensor, Var};
use gloss::nn::kernels::*;
use gloss::nn::{Activation, Dropout, RaggedBatch, plain};

fn var(values: &[f32], shape: (usize, usize)) -> Var {
    Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu).unwrap()).unwrap()
}

fn row(values: &[f32]) -> Var {
    Var::from_tensor(&Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()).unwrap()
}

/// The sum of `y * weights`, as a scalar whose gradient with respect to `y` is `weights`.
fn weighed(y: &Tensor, weights: &[f32]) -> Tensor {
    (y * Tensor::from_slice(weights, y.shape(), &Device::Cpu).unwrap()).unwrap().sum_all().unwrap()
}

#[test]
fn exponential_and_error_function() {
    let mut worst = 0.0f64;
    for step in -8_700..=8_800 {
        let x = step as f32 / 100.0;
        worst = worst.max((f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs());
    }
    assert!(worst < 2e-7, "exp: {worst:e}");
    assert!(exp(-1e9) < 2e-38 && exp(1e9).is_finite() && exp(f32::NEG_INFINITY) < 2e-38);
    // Known values of erf.
    for (x, wanted) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (-1.0, -0.842_700_8), (2.0, 0.995_322_3), (6.0, 1.0)] {
        assert!((erf(x) - wanted).abs() < 4e-7, "erf({x}) = {}", erf(x));
    }
}

fn check_linear(rows: usize, inputs: usize, outputs: usize, extra: usize) {
    let mut rng = generator(1);
    let (x, w, b) = (noise(&mut rng, rows * inputs, 1.0), noise(&mut rng, outputs * inputs, 1.0), noise(&mut rng, outputs, 1.0));
    let step = outputs + extra;
    let g = noise(&mut rng, rows * step, 1.0);
    let (vx, vw, vb) = (var(&x, (rows, inputs)), var(&w, (outputs, inputs)), row(&b));
    let y = plain::linear(&vx, &vw, &vb).unwrap();
    let weights: Vec<f32> = g.chunks(step).flat_map(|row| row[..outputs].to_vec()).collect();
    let grads = weighed(&y, &weights).backward().unwrap();

    let mut found = vec![7.0; rows * step];
    linear(&mut found, step, &x, &w, Some(&b), inputs);
    let packed: Vec<f32> = found.chunks(step).flat_map(|row| row[..outputs].to_vec()).collect();
    assert_close("y", &packed, &values(&y), 1e-5);
    assert!(found.chunks(step).all(|row| row[outputs..].iter().all(|x| *x == 7.0)));
    let mut dw = vec![f32::NAN; outputs * inputs];
    linear_weight_grad(&mut dw, &g, step, &x, inputs);
    assert_close("dw", &dw, &values(grads.get(&vw).unwrap()), 1e-5);
    let mut dx = vec![f32::NAN; rows * inputs];
    linear_input_grad(&mut dx, &g, step, &w, inputs, false);
    assert_close("dx", &dx, &values(grads.get(&vx).unwrap()), 1e-5);
    linear_input_grad(&mut dx, &g, step, &w, inputs, true);
    let twice: Vec<f32> = values(grads.get(&vx).unwrap()).iter().map(|x| 2.0 * x).collect();
    assert_close("dx twice", &dx, &twice, 1e-5);
}

#[test]
fn linear_layers() {
    // Edges of tiles on every instruction set, a sum longer than one block, few rows (the transposed product).
    let sizes = [
        (1, 1, 1, 0),
        (1, 18, 37, 5),
        (5, 37, 18, 0),
        (33, 16, 64, 128),
        (130, 96, 48, 3),
        (12, 64, 32, 0),
        (13, 1700, 33, 1),
        (40, 300, 100, 0),
    ];
    for (rows, inputs, outputs, extra) in sizes {
        check_linear(rows, inputs, outputs, extra);
    }
}

#[test]
#[should_panic(expected = "outside of its slice")]
fn a_matrix_outside_of_its_slice_is_refused() {
    Mat::new(&[0.0; 11], 3, 4, 4);
}

#[test]
fn buffers_of_shorter_batches_make_room_for_longer_ones() {
    let pool = Pool::new();
    // A batch of ten buffers, then one of twice and one of eight times as many tokens, and the first again.
    for (tokens, held) in [(40_960, 409_600), (81_920, 819_200), (327_680, 3_276_800)] {
        let batch: Vec<Buf> = (0..10).map(|_| pool.take(tokens)).collect();
        assert!(batch.iter().all(|buffer| buffer.len() == tokens));
        drop(batch);
        assert_eq!(pool.held(), held, "no more than the longest batch");
    }
    drop((0..10).map(|_| pool.take(40_960)).collect::<Vec<_>>());
    // Two of the largest were freed for them, not one each.
    assert_eq!(pool.held(), 8 * 327_680 + 409_600);
    // Those that fit are taken again, and small ones are left alone.
    let pool = Pool::new();
    drop((pool.take(1_024), pool.take(20_480)));
    drop(pool.take(65_536));
    assert_eq!(pool.held(), 1_024 + 65_536, "the first of the three is never freed");
    drop(pool.take(60_000));
    assert_eq!(pool.held(), 1_024 + 65_536);
    pool.clear();
    assert_eq!(pool.held(), 0);
}

fn check_activation(rows: usize, cols: usize, kind: Activation) {
    let pool = Pool::new();
    let mut rng = generator(2);
    let (x, bias, g) = (noise(&mut rng, rows * cols, 2.0), noise(&mut rng, cols, 1.0), noise(&mut rng, rows * cols, 1.0));
    let (vx, vb) = (var(&x, (rows, cols)), row(&bias));
    let y = plain::activate(&vx.broadcast_add(&vb).unwrap(), kind).unwrap();
    let grads = weighed(&y, &g).backward().unwrap();
    let (mut u, mut a) = (x, vec![f32::NAN; rows * cols]);
    activate_forward(&mut u, &mut a, &bias, kind);
    assert_close("y", &a, &values(&y), 1e-5);
    let (mut du, mut again, mut db) = (g, vec![f32::NAN; rows * cols], vec![f32::NAN; cols]);
    activate_backward(&u, &mut du, &mut again, &mut db, kind, &pool);
    assert_eq!(a, again);
    assert_close("du", &du, &values(grads.get(&vx).unwrap()), 1e-5);
    assert_close("db", &db, &values(grads.get(&vb).unwrap()), 1e-5);
}

#[test]
fn activations() {
    for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        for (rows, cols) in [(1, 1), (1, 37), (65, 18), (100, 64)] {
            check_activation(rows, cols, kind);
        }
    }
}

fn check_norm(rows: usize, cols: usize, dropout: Option<Dropout>) {
    let pool = Pool::new();
    let mut rng = generator(3);
    let (x, residual, g) = (noise(&mut rng, rows * cols, 1.0), noise(&mut rng, rows * cols, 1.0), noise(&mut rng, rows * cols, 1.0));
    let (bias, gain, shift) = (noise(&mut rng, cols, 1.0), noise(&mut rng, cols, 1.0), noise(&mut rng, cols, 1.0));
    let (vx, vr, vb, vg, vs) = (var(&x, (rows, cols)), var(&residual, (rows, cols)), row(&bias), row(&gain), row(&shift));
    let inner = plain::dropout(&vx.broadcast_add(&vb).unwrap(), dropout).unwrap();
    let y = plain::layer_norm(&(inner + vr.as_tensor()).unwrap(), &vg, &vs, 1e-5).unwrap();
    let grads = weighed(&y, &g).backward().unwrap();
    let (mut found, mut centred, mut scale) = (vec![f32::NAN; rows * cols], vec![f32::NAN; rows * cols], vec![f32::NAN; rows]);
    let input = NormInput { x: &x, bias: Some(&bias), residual: Some(&residual), dropout, gain: &gain, shift: &shift, eps: 1e-5 };
    norm_forward(input, NormOutput { y: &mut found, centred: &mut centred, scale: &mut scale });
    assert_close("y", &found, &values(&y), 1e-5);
    let (mut dr, mut dx) = (g, vec![f32::NAN; rows * cols]);
    let (mut dg, mut ds, mut db) = (vec![f32::NAN; cols], vec![f32::NAN; cols], vec![f32::NAN; cols]);
    let of = NormBackward { centred: &centred, scale: &scale, gain: &gain, dropout };
    norm_backward(of, &mut dr, Some(&mut dx), NormGrads { gain: &mut dg, shift: &mut ds, bias: &mut db }, &pool);
    for (name, found, var) in [("dr", &dr, &vr), ("dx", &dx, &vx), ("dgain", &dg, &vg), ("dshift", &ds, &vs), ("dbias", &db, &vb)] {
        assert_close(name, found, &values(grads.get(var).unwrap()), 3e-5);
    }
}

#[test]
fn norms() {
    for dropout in [None, Some(Dropout { share: 0.25, seed: 77 })] {
        for (rows, cols) in [(1, 18), (3, 64), (33, 37), (70, 130)] {
            check_norm(rows, cols, dropout);
        }
    }
}

fn check_attention(lengths: &[usize], heads: usize, width: usize, dropout: Option<Dropout>) {
    let pool = Pool::new();
    let hidden = heads * width;
    let batch: RaggedBatch = batch_of(lengths, 10, 1);
    let tokens = batch.tokens();
    let mut rng = generator(4);
    let part = |rng: &mut _| noise(rng, tokens * hidden, 1.0);
    let parts = [part(&mut rng), part(&mut rng), part(&mut rng)];
    let g = part(&mut rng);
    let vars = parts.each_ref().map(|part| var(part, (tokens, hidden)));
    let y = plain::attention(&vars[0], &vars[1], &vars[2], &batch, heads, dropout).unwrap();
    let grads = weighed(&y, &g).backward().unwrap();

    let side_by_side = |parts: &[Vec<f32>; 3]| -> Vec<f32> {
        (0..tokens).flat_map(|row| parts.iter().flat_map(move |part| part[row * hidden..][..hidden].to_vec())).collect()
    };
    let qkv = side_by_side(&parts);
    let (mut context, mut logs, mut dqkv) = (vec![f32::NAN; tokens * hidden], vec![f32::NAN; tokens * heads], vec![f32::NAN; qkv.len()]);
    let of = Attention { starts: &batch.starts, heads, hidden, dropout, queries: usize::MAX, pool: &pool };
    attention_forward(&of, &qkv, &mut context, &mut logs);
    assert_close("context", &context, &values(&y), 1e-5);
    attention_backward(&of, AttentionSaved { qkv: &qkv, context: &context, context_grad: &g }, &mut logs, &mut dqkv);
    let wanted = side_by_side(&vars.each_ref().map(|var| values(grads.get(var).unwrap())));
    assert_close("dqkv", &dqkv, &wanted, 3e-5);
}

#[test]
fn attentions() {
    for dropout in [None, Some(Dropout { share: 0.4, seed: 5 })] {
        for (lengths, heads, width) in [(&[1][..], 1, 1), (&[1, 2, 9], 3, 6), (&[64, 65, 63], 2, 32), (&[200], 2, 16), (&[512, 1], 1, 8)] {
            check_attention(lengths, heads, width, dropout);
        }
    }
}

#[test]
fn large_scores_stay_finite() {
    let pool = Pool::new();
    let qkv: Vec<f32> = (0..4 * 6).map(|at| if at % 6 < 4 { 300.0 * (at as f32 - 12.0) } else { 1.0 }).collect();
    let (mut context, mut logs) = (vec![0.0; 8], vec![0.0; 4]);
    attention_forward(
        &Attention { starts: &[0, 4], heads: 1, hidden: 2, dropout: None, queries: usize::MAX, pool: &pool },
        &qkv,
        &mut context,
        &mut logs,
    );
    assert_close("context", &context, &[1.0; 8], 1e-6);
}

#[test]
fn dropout_keeps_its_share_and_its_mean() {
    let mask = Dropout { share: 0.1, seed: 3 }.mask(500, 384);
    let kept = mask.iter().filter(|x| **x > 0.0).count() as f64 / mask.len() as f64;
    assert!((kept - 0.9).abs() < 0.003, "{kept}");
    assert_ne!(mask, Dropout { share: 0.1, seed: 4 }.mask(500, 384));
    // Neighbouring columns and rows are not dropped together.
    let dropped = |at: usize| f64::from(u8::from(mask[at] == 0.0));
    for step in [1, 384] {
        let both = (0..mask.len() - step).map(|at| dropped(at) * dropped(at + step)).sum::<f64>() / mask.len() as f64;
        assert!((both - 0.01).abs() < 0.002, "{both}");
    }
}

#[test]
fn buffers_are_used_again() {
    let pool = Pool::new();
    let first = pool.take(1000).as_ptr();
    let second = pool.take(990);
    assert_eq!((second.as_ptr(), second.len()), (first, 990));
    assert!(pool.zeros(1000).iter().all(|x| *x == 0.0));
}

/// The tests of this file once more, on the instruction sets that were not chosen here.
#[test]
fn narrower_instruction_sets_agree() {
    if std::env::var_os("GLOSS_SIMD").is_some() {
        return;
    }
    for narrower in ["avx2", "base"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let done = child.args(["nn::kernels::", "nn::precision::", "--test-threads=2"]).env("GLOSS_SIMD", narrower).output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && !told.contains(" 0 passed"), "{narrower}:\n{told}");
    }
}
