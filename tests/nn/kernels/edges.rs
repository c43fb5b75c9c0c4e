//! Kernels that the tests above leave out, and all of them where there is nothing, one row, or a size that fits nothing.

use super::{row, var, weighed};
use crate::nn::support::*;
use candle_core::{Device, Tensor, Var};
use gloss::nn::kernels::*;
use gloss::nn::{Activation, Dropout, plain};

/// `[rows, cols]` of numbers, row after row, as the transposed list.
fn transposed(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols).flat_map(|col| (0..rows).map(move |row| x[row * cols + col])).collect()
}

#[test]
fn products_of_views() {
    let mut rng = generator(11);
    for (rows, inner, cols) in [(1, 1, 1), (1, 37, 5), (7, 1, 13), (33, 18, 65), (64, 130, 31), (100, 5, 1)] {
        let (a, b) = (noise(&mut rng, rows * inner, 1.0), noise(&mut rng, inner * cols, 1.0));
        let tensor = |x: &[f32], shape: (usize, usize)| Tensor::from_slice(x, shape, &Device::Cpu).unwrap();
        let wanted = values(&tensor(&a, (rows, inner)).matmul(&tensor(&b, (inner, cols))).unwrap());
        let (at, bt) = (transposed(&a, rows, inner), transposed(&b, inner, cols));
        let left = [Mat::new(&a, rows, inner, inner), Mat::new(&at, inner, rows, rows).t()];
        let right = [Mat::new(&b, inner, cols, cols), Mat::new(&bt, cols, inner, inner).t()];
        for (a, b, threads) in [(0, 0, false), (0, 1, true), (1, 0, true), (1, 1, false)] {
            let name = format!("{rows} x {inner} x {cols}, {a} {b}");
            // Rows further apart than they are long: what stands between is left alone.
            let step = cols + 3;
            let mut found = vec![7.0; rows * step];
            matmul(MatMut::new(&mut found, rows, cols, step), left[a], right[b], false, threads);
            let packed: Vec<f32> = found.chunks(step).flat_map(|row| row[..cols].to_vec()).collect();
            assert_close(&name, &packed, &wanted, 1e-5);
            assert!(found.chunks(step).all(|row| row[cols..].iter().all(|x| *x == 7.0)), "{name}");
            matmul(MatMut::new(&mut found, rows, cols, step), left[a], right[b], true, threads);
            let twice: Vec<f32> = wanted.iter().map(|x| 2.0 * x).collect();
            let packed: Vec<f32> = found.chunks(step).flat_map(|row| row[..cols].to_vec()).collect();
            assert_close(&name, &packed, &twice, 1e-5);
        }
        let panels = Packed::new(right[0]);
        let mut found = vec![1.0; rows * cols];
        matmul_packed(MatMut::new(&mut found, rows, cols, cols), left[0], &panels, true);
        let more: Vec<f32> = wanted.iter().map(|x| x + 1.0).collect();
        assert_close("packed", &found, &more, 1e-5);
    }
}

#[test]
fn nothing_gives_nothing() {
    let pool = Pool::new();
    generator(0);
    let (weights, bias) = ([1.0; 12], [5.0; 3]);
    linear(&mut [], 3, &[], &weights, Some(&bias), 4);
    let mut dw = [f32::NAN; 12];
    linear_weight_grad(&mut dw, &[], 3, &[], 4);
    assert_eq!(dw, [0.0; 12]);
    linear_input_grad(&mut [], &[], 3, &weights, 4, false);
    activate_forward(&mut [], &mut [], &bias, Activation::Gelu);
    let mut sums = [f32::NAN; 3];
    activate_backward(&[], &mut [], &mut [], &mut sums, Activation::Gelu, &pool);
    assert_eq!(sums, [0.0; 3]);
    let (one, none) = ([1.0; 3], [0f32; 0]);
    let input = NormInput { x: &none, bias: Some(&one), residual: None, dropout: None, gain: &one, shift: &one, eps: 1e-5 };
    norm_forward(input, NormOutput { y: &mut [], centred: &mut [], scale: &mut [] });
    let (mut gain, mut shift, mut bias) = ([f32::NAN; 3], [f32::NAN; 3], [f32::NAN; 3]);
    let of = NormBackward { centred: &none, scale: &none, gain: &one, dropout: None };
    norm_backward(of, &mut [], None, NormGrads { gain: &mut gain, shift: &mut shift, bias: &mut bias }, &pool);
    assert_eq!([gain, shift, bias], [[0.0; 3]; 3]);
    let mut sums = [f32::NAN; 3];
    column_sums(&none, &mut sums, &pool);
    assert_eq!(sums, [0.0; 3]);
    drop_rows(&mut [], 3, Dropout { share: 0.5, seed: 1 });
    let of = Attention { starts: &[0], heads: 2, hidden: 6, dropout: None, queries: usize::MAX, pool: &pool };
    attention_forward(&of, &none, &mut [], &mut []);
    attention_backward(&of, AttentionSaved { qkv: &none, context: &none, context_grad: &none }, &mut [], &mut []);
    assert_eq!(cross_entropy(&none, 3, &[], &none, &mut []), 0.0);
    assert_eq!(sum_of_squares(&none), 0.0);
    let of = embedding(&[], &[], &one, &one, None);
    embed_forward(&of, NormOutput { y: &mut [], centred: &mut [], scale: &mut [] });
}

#[test]
fn sums() {
    let pool = Pool::new();
    let mut rng = generator(12);
    for (rows, cols) in [(1, 1), (1, 37), (31, 18), (32, 64), (100, 7)] {
        let x = noise(&mut rng, rows * cols, 1.0);
        let wanted = values(&Tensor::from_slice(&x, (rows, cols), &Device::Cpu).unwrap().sum(0).unwrap());
        let mut found = vec![f32::NAN; cols];
        column_sums(&x, &mut found, &pool);
        assert_close("columns", &found, &wanted, 1e-5);
    }
    for len in [1, 63, 64, 65, 40_000] {
        let x = noise(&mut rng, len, 1.0);
        let wanted: f64 = x.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!((sum_of_squares(&x) / wanted - 1.0).abs() < 1e-6, "{len}");
    }
}

#[test]
fn rows_are_dropped_by_the_mask() {
    let mut rng = generator(13);
    let dropout = Dropout { share: 0.3, seed: 9 };
    for (rows, cols) in [(1, 1), (1, 37), (33, 18), (70, 64)] {
        let mut x = noise(&mut rng, rows * cols, 1.0);
        let wanted: Vec<f32> = x.iter().zip(dropout.mask(rows, cols)).map(|(x, kept)| x * kept).collect();
        drop_rows(&mut x, cols, dropout);
        assert_eq!(x, wanted);
    }
}

/// `word` is the only table; every row gets the first position of zeros.
fn embedding<'a>(ids: &'a [u32], places: &'a [u32], word: &'a [f32], ones: &'a [f32], dropout: Option<Dropout>) -> Embedding<'a> {
    Embedding { ids, places, word, position: ones, types: ones, shift: None, gain: ones, bias: ones, eps: 1e-12, dropout }
}

fn check_embedding(tokens: usize, cols: usize, shifted: bool, dropout: Option<Dropout>) {
    let mut rng = generator(14);
    let (vocab, longest) = (19, 7);
    let ids: Vec<u32> = (0..tokens as u32).map(|at| at * 5 % vocab as u32).collect();
    let places: Vec<u32> = (0..tokens as u32).map(|at| at % longest as u32).collect();
    let (word, position) = (noise(&mut rng, vocab * cols, 1.0), noise(&mut rng, longest * cols, 1.0));
    let (types, gain, bias) = (noise(&mut rng, cols, 1.0), noise(&mut rng, cols, 1.0), noise(&mut rng, cols, 1.0));
    let (shift, g) = (noise(&mut rng, tokens * cols, 1.0), noise(&mut rng, tokens * cols, 1.0));
    let index = |rows: &[u32]| Tensor::from_slice(rows, rows.len(), &Device::Cpu).unwrap();
    let (vw, vp, vt, vg, vb) = (var(&word, (vocab, cols)), var(&position, (longest, cols)), row(&types), row(&gain), row(&bias));
    let mut sum = (vw.index_select(&index(&ids), 0).unwrap() + vp.index_select(&index(&places), 0).unwrap()).unwrap();
    if shifted {
        sum = (sum + Tensor::from_slice(&shift, (tokens, cols), &Device::Cpu).unwrap()).unwrap();
    }
    // A leaf in its place, whose gradient is that of the sum.
    let leaf = Var::from_tensor(&sum.broadcast_add(&vt).unwrap().detach()).unwrap();
    let y = plain::dropout(&plain::layer_norm(&leaf, &vg, &vb, 1e-5).unwrap(), dropout).unwrap();
    let grads = weighed(&y, &g).backward().unwrap();

    let (mut found, mut centred, mut scale) = (vec![f32::NAN; tokens * cols], vec![f32::NAN; tokens * cols], vec![f32::NAN; tokens]);
    let of = Embedding {
        ids: &ids,
        places: &places,
        word: &word,
        position: &position,
        types: &types,
        shift: shifted.then_some(&shift),
        gain: &gain,
        bias: &bias,
        eps: 1e-5,
        dropout,
    };
    embed_forward(&of, NormOutput { y: &mut found, centred: &mut centred, scale: &mut scale });
    assert_close("y", &found, &values(&y), 1e-5);
    let mut dx = g;
    if let Some(dropout) = dropout {
        drop_rows(&mut dx, cols, dropout);
    }
    let (mut dg, mut db, mut dt) = (vec![f32::NAN; cols], vec![f32::NAN; cols], vec![f32::NAN; cols]);
    let of = NormBackward { centred: &centred, scale: &scale, gain: &gain, dropout: None };
    norm_backward(of, &mut dx, None, NormGrads { gain: &mut dg, shift: &mut db, bias: &mut dt }, &Pool::new());
    let of_sum = grads.get(&leaf).unwrap();
    for (name, found, wanted) in [
        ("dx", &dx, of_sum.clone()),
        ("dgain", &dg, grads.get(&vg).unwrap().clone()),
        ("dbias", &db, grads.get(&vb).unwrap().clone()),
        ("dtypes", &dt, of_sum.sum(0).unwrap()),
    ] {
        assert_close(name, found, &values(&wanted), 3e-5);
    }
}

#[test]
fn embeddings() {
    for (shifted, dropout) in [(false, None), (true, None), (false, Some(Dropout { share: 0.25, seed: 5 }))] {
        for (tokens, cols) in [(1, 18), (3, 64), (33, 37), (70, 130)] {
            check_embedding(tokens, cols, shifted, dropout);
        }
    }
}

#[test]
#[should_panic]
fn an_id_beyond_the_table_is_refused() {
    let ones = [1.0; 3];
    let (mut y, mut centred, mut scale) = ([0.0; 3], [0.0; 3], [0.0; 1]);
    embed_forward(&embedding(&[1], &[0], &ones, &ones, None), NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale });
}

fn check_cross_entropy(rows: usize, classes: usize, spread: f32) {
    let mut rng = generator(15);
    let logits = noise(&mut rng, rows * classes, spread);
    let targets: Vec<u32> = (0..rows as u32).map(|row| row * 3 % classes as u32).collect();
    // Every third row is not looked at.
    let weights: Vec<f32> = (0..rows).map(|row| if row % 3 == 1 { 0.0 } else { 0.25 + row as f32 / rows as f32 }).collect();
    let leaf = var(&logits, (rows, classes));
    let wanted = plain::cross_entropy(&leaf, &targets, &weights).unwrap();
    let grads = wanted.backward().unwrap();
    let mut grad = vec![f32::NAN; logits.len()];
    let found = cross_entropy(&logits, classes, &targets, &weights, &mut grad);
    assert_close("loss", &[found as f32], &values(&wanted), 1e-5);
    assert_close("dlogits", &grad, &values(grads.get(&leaf).unwrap()), 1e-5);
    // What a row of weight 0 holds changes nothing.
    let mut broken = logits;
    for (row, _) in weights.iter().enumerate().filter(|(_, weight)| **weight == 0.0) {
        broken[row * classes..(row + 1) * classes].fill(f32::NAN);
    }
    let mut again = vec![f32::NAN; broken.len()];
    assert_eq!(cross_entropy(&broken, classes, &targets, &weights, &mut again), found);
    assert_eq!(again, grad);
}

#[test]
fn cross_entropies() {
    for (rows, classes) in [(1, 1), (1, 2), (2, 3), (33, 5), (100, 37), (64, 130)] {
        for spread in [1.0, 30.0] {
            check_cross_entropy(rows, classes, spread);
        }
    }
}

#[test]
fn a_step_of_adamw() {
    let mut rng = generator(16);
    let step = AdamStep { beta1: 0.9, beta2: 0.999, scale: 0.5, shrink: 0.99, rate: 0.1, root: 3.0, eps: 1e-8 };
    for len in [0, 1, 15, 64, 1000] {
        let (mut x, g, mut m) = (noise(&mut rng, len, 1.0), noise(&mut rng, len, 1.0), noise(&mut rng, len, 1.0));
        let mut v: Vec<f32> = noise(&mut rng, len, 1.0).iter().map(|x| x.abs()).collect();
        let wanted: Vec<[f32; 3]> = (0..len)
            .map(|at| {
                let g = f64::from(g[at]) * 0.5;
                let (m, v) = (0.9 * f64::from(m[at]) + 0.1 * g, 0.999 * f64::from(v[at]) + 0.001 * g * g);
                [(f64::from(x[at]) * 0.99 - 0.1 * m / (v.sqrt() * 3.0 + 1e-8)) as f32, m as f32, v as f32]
            })
            .collect();
        adam_step(step, &mut x, &g, &mut m, &mut v);
        for (at, (name, found)) in [("value", &x), ("first moment", &m), ("second moment", &v)].into_iter().enumerate() {
            assert_close(name, found, &wanted.iter().map(|wanted| wanted[at]).collect::<Vec<_>>(), 1e-5);
        }
    }
}

/// A group of texts through a cell, as plain ops step by step: states, and gradients of gates, recurrent weights and bias.
fn plain_recurrence(cell: Cell, steps: &[usize], gates: &Var, weights: &Var, bias: &Var, h: usize) -> Tensor {
    let zeros = |count: usize| Tensor::zeros((count, h), candle_core::DType::F32, &Device::Cpu).unwrap();
    let first = |x: &Tensor, count: usize| x.narrow(0, 0, count).unwrap();
    let part = |x: &Tensor, at: usize| x.narrow(1, at * h, h).unwrap();
    let sigmoid = |x: Tensor| ((x.neg().unwrap().exp().unwrap() + 1.0).unwrap()).recip().unwrap();
    let (mut state, mut inner) = (zeros(steps[1]), zeros(steps[1]));
    let mut states = Vec::new();
    for pair in steps.windows(2) {
        let count = pair[1] - pair[0];
        let (before, memory) = (first(&state, count), first(&inner, count));
        let x = gates.narrow(0, pair[0], count).unwrap();
        let u = before.matmul(&weights.t().unwrap()).unwrap();
        state = match cell {
            Cell::Rnn => (x + u).unwrap().tanh().unwrap(),
            Cell::Lstm => {
                let a = (x + u).unwrap();
                let (i, f, o) = (sigmoid(part(&a, 0)), sigmoid(part(&a, 1)), sigmoid(part(&a, 3)));
                inner = ((f * memory).unwrap() + (i * part(&a, 2).tanh().unwrap()).unwrap()).unwrap();
                (o * inner.tanh().unwrap()).unwrap()
            }
            Cell::Gru => {
                let u = u.broadcast_add(bias).unwrap();
                let r = sigmoid((part(&x, 0) + part(&u, 0)).unwrap());
                let z = sigmoid((part(&x, 1) + part(&u, 1)).unwrap());
                let n = (part(&x, 2) + (r * part(&u, 2)).unwrap()).unwrap().tanh().unwrap();
                (&n + (z * (before - &n).unwrap()).unwrap()).unwrap()
            }
        };
        states.push(state.clone());
    }
    Tensor::cat(&states, 0).unwrap()
}

/// Cells are right to so much of 1, which is what their gates reach up to.
#[track_caller]
fn assert_near(name: &str, found: &[f32], wanted: &[f32]) {
    let with_one = |list: &[f32]| list.iter().copied().chain([1.0]).collect::<Vec<_>>();
    assert_close(name, &with_one(found), &with_one(wanted), 3e-5);
}

fn check_recurrence(cell: Cell, lengths: &[usize], h: usize) {
    let mut rng = generator(17);
    let mut steps = vec![0];
    for step in 0..lengths[0] {
        steps.push(steps[step] + lengths.iter().filter(|len| **len > step).count());
    }
    let (rows, width) = (steps[lengths[0]], cell.gates() * h);
    let (x, u) = (noise(&mut rng, rows * width, 0.5), noise(&mut rng, width * h, 0.3));
    let c = if cell == Cell::Gru { noise(&mut rng, width, 0.3) } else { vec![0.0; width] };
    let g = noise(&mut rng, rows * h, 1.0);
    let (vx, vu, vc) = (var(&x, (rows, width)), var(&u, (width, h)), row(&c));
    let wanted = plain_recurrence(cell, &steps, &vx, &vu, &vc, h);
    let grads = weighed(&wanted, &g).backward().unwrap();

    let (mut gates, mut states) = (x, vec![f32::NAN; rows * h]);
    let mut extra = vec![f32::NAN; if cell.has_extra() { rows * h } else { 0 }];
    let by_inputs = Packed::new(Mat::new(&u, width, h, h).t());
    let trace = Trace { hidden: h, steps: &steps, gates: &mut gates, extra: &mut extra, states: &mut states };
    recur_forward(cell, trace, &by_inputs, &c);
    assert_near("states", &states, &values(&wanted));
    let mut of_states = g;
    let mut behind = vec![f32::NAN; if cell == Cell::Gru { rows * width } else { 0 }];
    let back = Packed::new(Mat::new(&u, width, h, h));
    let trace = Trace { hidden: h, steps: &steps, gates: &mut gates, extra: &mut extra, states: &mut of_states };
    recur_backward(cell, trace, &states, &mut behind, &back);
    assert_near("dgates", &gates, &values(grads.get(&vx).unwrap()));
    // The gradient of U h + c: its sum is that of c, its product with the states before that of U.
    let of_product = if cell == Cell::Gru { &behind } else { &gates };
    let mut before = vec![0.0; rows * h];
    for (step, pair) in steps.windows(2).enumerate().skip(1) {
        let from = steps[step - 1] * h;
        before[pair[0] * h..pair[1] * h].copy_from_slice(&states[from..from + (pair[1] - pair[0]) * h]);
    }
    let mut du = vec![f32::NAN; width * h];
    linear_weight_grad(&mut du, of_product, width, &before, h);
    if lengths[0] > 1 {
        assert_near("du", &du, &values(grads.get(&vu).unwrap()));
    }
    if cell == Cell::Gru {
        let mut dc = vec![f32::NAN; width];
        column_sums(of_product, &mut dc, &Pool::new());
        assert_near("dc", &dc, &values(grads.get(&vc).unwrap()));
    }
}

#[test]
fn recurrences() {
    for cell in [Cell::Rnn, Cell::Lstm, Cell::Gru] {
        for (lengths, h) in [(&[1][..], 1), (&[1, 1, 1], 5), (&[9], 18), (&[13, 7, 7, 1], 37), (&[5, 4, 3, 2, 1], 64)] {
            check_recurrence(cell, lengths, h);
        }
    }
}
