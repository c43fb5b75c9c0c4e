//! Every kernel over buffers that end where their numbers do, at sizes that fit no tile: for AddressSanitizer, which sees
//! what is read or written beyond them. `sanitizer.sh` builds and runs it; values are the tests' business.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

#[path = "../../src/nn/batch.rs"]
pub mod batch;
#[path = "../../src/nn/kernels/mod.rs"]
pub mod kernels;

/// Where the kernels look for each other.
mod nn {
    pub use super::{batch, kernels};

    /// As in `src/nn/config.rs`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Activation {
        Gelu,
        GeluTanh,
        Relu,
    }
}

use nn::Activation;
use nn::batch::Dropout;
use nn::kernels::*;
use std::sync::Arc;

/// Numbers in a block of memory of their own, no longer than they are.
fn numbers(len: usize) -> Box<[f32]> {
    (0..len).map(|at| ((at * 37 % 101) as f32 - 50.0) / 40.0).collect()
}

fn products(rows: usize, inner: usize, cols: usize) {
    let (a, b) = (numbers(rows * inner), numbers(inner * cols));
    let left = [Mat::new(&a, rows, inner, inner), Mat::new(&a, inner, rows, rows).t()];
    let right = [Mat::new(&b, inner, cols, cols), Mat::new(&b, cols, inner, inner).t()];
    for (a, b, add, threads) in [(0, 0, false, false), (0, 1, true, true), (1, 0, true, false), (1, 1, false, true)] {
        let mut y = numbers(rows * cols);
        matmul(MatMut::new(&mut y, rows, cols, cols), left[a], right[b], add, threads);
        let panels = Packed::new(right[b]);
        matmul_packed(MatMut::new(&mut y, rows, cols, cols), left[0], &panels, add);
    }
}

fn linears(rows: usize, inputs: usize, outputs: usize, pool: &Arc<Pool>) {
    let (x, w, bias, mut y) = (numbers(rows * inputs), numbers(outputs * inputs), numbers(outputs), numbers(rows * outputs));
    linear(&mut y, outputs, &x, &w, Some(&bias), inputs);
    linear_weight_grad(&mut numbers(outputs * inputs), &y, outputs, &x, inputs);
    linear_input_grad(&mut numbers(rows * inputs), &y, outputs, &w, inputs, true);
    for kind in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        activate_forward(&mut y, &mut numbers(rows * outputs), &bias, kind);
        let (mut g, mut a) = (numbers(rows * outputs), numbers(rows * outputs));
        activate_backward(&y, &mut g, &mut a, &mut numbers(outputs), kind, pool);
    }
    column_sums(&y, &mut numbers(outputs), pool);
}

fn norms(rows: usize, cols: usize, dropout: Option<Dropout>, pool: &Arc<Pool>) {
    let (x, row) = (numbers(rows * cols), numbers(cols));
    let (mut y, mut centred, mut scale) = (numbers(rows * cols), numbers(rows * cols), numbers(rows));
    let input = NormInput { x: &x, bias: Some(&row), residual: Some(&x), dropout, gain: &row, shift: &row, eps: 1e-5 };
    norm_forward(input, NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale });
    let of = NormBackward { centred: &centred, scale: &scale, gain: &row, dropout };
    let (mut gain, mut shift, mut bias) = (numbers(cols), numbers(cols), numbers(cols));
    let grads = NormGrads { gain: &mut gain, shift: &mut shift, bias: &mut bias };
    norm_backward(of, &mut y, Some(&mut numbers(rows * cols)), grads, pool);
    let ids: Box<[u32]> = (0..rows as u32).map(|at| at % 7).collect();
    let (word, position) = (numbers(7 * cols), numbers(7 * cols));
    let of = Embedding {
        ids: &ids,
        places: &ids,
        word: &word,
        position: &position,
        types: &row,
        shift: Some(&x),
        gain: &row,
        bias: &row,
        eps: 1e-5,
        dropout,
    };
    embed_forward(&of, NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale });
    drop_rows(&mut y, cols, Dropout { share: 0.3, seed: 1 });
    let (targets, weights): (Box<[u32]>, Box<[f32]>) = ((0..rows as u32).map(|at| at % cols as u32).collect(), numbers(rows));
    cross_entropy(&x, cols, &targets, &weights, &mut numbers(rows * cols));
}

fn attentions(starts: &[usize], heads: usize, width: usize, dropout: Option<Dropout>, queries: usize, pool: &Arc<Pool>) {
    let (hidden, tokens) = (heads * width, starts[starts.len() - 1]);
    let of = Attention { starts, heads, hidden, dropout, queries, pool };
    let (qkv, mut context, mut logs) = (numbers(tokens * 3 * hidden), numbers(tokens * hidden), numbers(tokens * heads));
    attention_forward(&of, &qkv, &mut context, &mut logs);
    let grad = numbers(tokens * hidden);
    let saved = AttentionSaved { qkv: &qkv, context: &context, context_grad: &grad };
    attention_backward(&of, saved, &mut logs, &mut numbers(tokens * 3 * hidden));
}

fn recurrences(cell: Cell, steps: &[usize], h: usize) {
    let (rows, width) = (steps[steps.len() - 1], cell.gates() * h);
    let (u, c, mut gates, mut states) = (numbers(width * h), numbers(width), numbers(rows * width), numbers(rows * h));
    let mut extra = numbers(if cell.has_extra() { rows * h } else { 0 });
    let trace = Trace { hidden: h, steps, gates: &mut gates, extra: &mut extra, states: &mut states };
    recur_forward(cell, trace, &Packed::new(Mat::new(&u, width, h, h).t()), &c);
    let (mut of_states, mut behind) = (numbers(rows * h), numbers(if cell == Cell::Gru { rows * width } else { 0 }));
    let trace = Trace { hidden: h, steps, gates: &mut gates, extra: &mut extra, states: &mut of_states };
    recur_backward(cell, trace, &states, &mut behind, &Packed::new(Mat::new(&u, width, h, h)));
}

fn main() {
    let asked = std::env::args().nth(1).unwrap_or_default();
    narrow_to(&asked);
    let pool = Pool::new();
    let sizes = [0, 1, 2, 3, 5, 7, 11, 12, 13, 16, 17, 23, 31, 32, 33, 37, 48, 64, 65, 97, 130, 257];
    let mut done = 0;
    for rows in sizes {
        for inner in sizes.into_iter().skip(1).step_by(2) {
            for cols in sizes.into_iter().skip(1).step_by(3) {
                products(rows, inner, cols);
                linears(rows, inner, cols, &pool);
                done += 2;
            }
            for dropout in [None, Some(Dropout { share: 0.2, seed: 3 })] {
                norms(rows, inner, dropout, &pool);
                done += 1;
            }
        }
    }
    products(3, 2100, 70);
    for dropout in [None, Some(Dropout { share: 0.2, seed: 3 })] {
        for queries in [1, usize::MAX] {
            for (heads, width) in [(1, 1), (3, 6), (2, 32), (12, 32), (2, 17)] {
                for starts in [&[0, 1][..], &[0, 1, 3, 12], &[0, 64, 129, 192], &[0, 200], &[0, 512, 513]] {
                    attentions(starts, heads, width, dropout, queries, &pool);
                    done += 1;
                }
            }
        }
    }
    for cell in [Cell::Rnn, Cell::Lstm, Cell::Gru] {
        for h in [1, 5, 18, 37, 64] {
            for steps in [&[0, 1][..], &[0, 3], &[0, 4, 7, 9, 10], &[0, 33, 66, 98]] {
                recurrences(cell, steps, h);
                done += 1;
            }
        }
    }
    for len in sizes {
        let step = AdamStep { beta1: 0.9, beta2: 0.999, scale: 1.0, shrink: 0.99, rate: 0.1, root: 3.0, eps: 1e-8 };
        adam_step(step, &mut numbers(len), &numbers(len), &mut numbers(len), &mut numbers(len));
        sum_of_squares(&numbers(len));
    }
    println!("{done} shapes, nothing reads or writes beyond its buffers{}", if asked.is_empty() { String::new() } else { format!(" ({asked})") });
}
