//! Attention within each text of a ragged batch: scores, softmax, dropout and weighted sum for a tile of rows at a
//! time. The backward pass makes the probabilities again from the stored logarithm of each row's sum.

use super::math::{exp_fast, largest, sum, sum_pairs};
use super::matmul::{Mat, MatMut, Target, matmul, matmul_to};
use super::{Buf, Pool, simd};
use crate::nn::batch::Dropout;
use rayon::prelude::*;
use std::sync::Arc;

/// Numbers of a tile of scores: it stays in the second cache beside what it is made of.
const TILE: usize = 32 * 1024;

/// Rows of queries handled at once in a text of `len` tokens: all of a short one, whole tiles of a product else.
fn tile_rows(len: usize) -> usize {
    (TILE / len / 12 * 12).clamp(24, len.max(24)).min(len)
}

/// The shape of an attention. Queries, keys and values stand beside each other in rows of `3 * hidden`.
#[derive(Clone, Copy)]
pub struct Attention<'a> {
    /// Where each text starts, and the number of tokens.
    pub starts: &'a [usize],
    pub heads: usize,
    pub hidden: usize,
    /// Row `r` of head `h` takes row `h * tokens + r` of the mask.
    pub dropout: Option<Dropout>,
    /// So many tokens of each text ask, from its first on; `usize::MAX` for all. Rows of those that don't are left alone.
    pub queries: usize,
    pub pool: &'a Arc<Pool>,
}

/// One head of one text.
struct Task<'a> {
    start: usize,
    len: usize,
    head: usize,
    /// Logarithm of the sum of exponentials of each row.
    logs: &'a mut [f32],
}

impl Attention<'_> {
    fn width(&self) -> usize {
        self.hidden / self.heads
    }

    fn tokens(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Every head of every text, with its part of `logs` (`[tokens * heads]`, text by text, head by head).
    fn tasks<'l>(&self, mut logs: &'l mut [f32]) -> Vec<Task<'l>> {
        let mut tasks = Vec::with_capacity((self.starts.len() - 1) * self.heads);
        for pair in self.starts.windows(2) {
            let len = pair[1] - pair[0];
            for head in 0..self.heads {
                let (own, rest) = logs.split_at_mut(len);
                logs = rest;
                tasks.push(Task { start: pair[0], len, head, logs: own });
            }
        }
        tasks
    }

    /// The columns of `task`'s head in `x`, whose rows hold `parts` times the hidden size; `part` says which of them.
    fn view<'x>(&self, task: &Task, x: &'x [f32], parts: usize, part: usize) -> Mat<'x> {
        let step = parts * self.hidden;
        let offset = task.start * step + part * self.hidden + task.head * self.width();
        Mat::new(&x[offset..], task.len, self.width(), step)
    }

    /// As `view`, to write to.
    fn target(&self, task: &Task, x: Target, parts: usize, part: usize) -> Target {
        let step = parts * self.hidden;
        x.part(task.start * step + part * self.hidden + task.head * self.width(), task.len, self.width(), step)
    }

    /// Tokens of the text that ask.
    fn asking(&self, task: &Task) -> usize {
        task.len.min(self.queries)
    }

    fn rows(&self, task: &Task, first: usize) -> Rows {
        let scale = 1.0 / (self.width() as f32).sqrt();
        let mask_row = (task.head * self.tokens() + task.start + first) as u64;
        Rows { len: task.len, scale, dropout: self.dropout, mask_row }
    }
}

/// What the element-wise passes over a tile of scores need.
#[derive(Clone, Copy)]
struct Rows {
    len: usize,
    scale: f32,
    dropout: Option<Dropout>,
    mask_row: u64,
}

/// `context` `[tokens, hidden]` from `qkv` `[tokens, 3 * hidden]`; `logs` `[tokens * heads]` is kept for the gradient.
pub fn attention_forward(of: &Attention, qkv: &[f32], context: &mut [f32], logs: &mut [f32]) {
    assert!(qkv.len() == 3 * context.len() && context.len() == of.tokens() * of.hidden, "shapes of an attention do not fit");
    let context = Target::new(context);
    of.tasks(logs).into_par_iter().for_each(|task| {
        let (q, k, v) = (of.view(&task, qkv, 3, 0), of.view(&task, qkv, 3, 1), of.view(&task, qkv, 3, 2));
        let out = of.target(&task, context, 1, 0);
        let (asking, rows) = (of.asking(&task), tile_rows(task.len));
        let mut scores: Buf = of.pool.take(rows.min(asking) * task.len);
        for first in (0..asking).step_by(rows) {
            let count = rows.min(asking - first);
            let scores = &mut scores[..count * task.len];
            matmul(MatMut::new(scores, count, task.len, task.len), q.rows(first, count), k.t(), false, false);
            softmax_rows(scores, of.rows(&task, first), &mut task.logs[first..first + count]);
            // SAFETY: `context` is borrowed mutably by this function, and only this task writes to the columns of its
            // head in the rows of its text.
            unsafe { matmul_to(out.rows(first, count), Mat::new(scores, count, task.len, task.len), v, false) };
        }
    });
}

simd! {
    /// Scores to probabilities, dropped ones 0.
    fn softmax_rows(scores: &mut [f32], rows: Rows, logs: &mut [f32]) {
        for (at, (row, log)) in scores.chunks_exact_mut(rows.len).zip(logs).enumerate() {
            let max = largest(row) * rows.scale;
            row.iter_mut().for_each(|score| *score = exp_fast::<FMA>(*score * rows.scale - max));
            let total = sum(row);
            *log = max + total.ln();
            let inverse = 1.0 / total;
            match rows.dropout {
                None => row.iter_mut().for_each(|score| *score *= inverse),
                Some(dropout) => {
                    let (key, threshold) = (dropout.row_key(rows.mask_row + at as u64), dropout.threshold());
                    let kept = inverse * dropout.scale();
                    for (col, score) in row.iter_mut().enumerate() {
                        *score *= if Dropout::bits(key, col as u32) < threshold { 0.0 } else { kept };
                    }
                }
            }
        }
    }
}

/// What the forward pass of an attention took and gave, and the gradient of what it gave.
#[derive(Clone, Copy)]
pub struct AttentionSaved<'a> {
    pub qkv: &'a [f32],
    pub context: &'a [f32],
    pub context_grad: &'a [f32],
}

/// The gradient of `qkv`, into `qkv_grad`. `logs` is only read.
pub fn attention_backward(of: &Attention, saved: AttentionSaved, logs: &mut [f32], qkv_grad: &mut [f32]) {
    let AttentionSaved { qkv, context, context_grad } = saved;
    assert!(qkv.len() == qkv_grad.len() && qkv.len() == 3 * of.tokens() * of.hidden, "shapes of an attention do not fit");
    assert!(context.len() * 3 == qkv.len() && context_grad.len() == context.len(), "shapes of an attention do not fit");
    let target = Target::new(qkv_grad);
    of.tasks(logs).into_par_iter().for_each(|task| {
        let (q, k, v) = (of.view(&task, qkv, 3, 0), of.view(&task, qkv, 3, 1), of.view(&task, qkv, 3, 2));
        let (out, grad) = (of.view(&task, context, 1, 0), of.view(&task, context_grad, 1, 0));
        let (dq, dk, dv) = (of.target(&task, target, 3, 0), of.target(&task, target, 3, 1), of.target(&task, target, 3, 2));
        let (asking, tile) = (of.asking(&task), tile_rows(task.len));
        let size = tile.min(asking) * task.len;
        let (mut probs, mut slopes) = (of.pool.take(size), of.pool.take(size));
        for first in (0..asking).step_by(tile) {
            let count = tile.min(asking - first);
            let (probs, slopes) = (&mut probs[..count * task.len], &mut slopes[..count * task.len]);
            matmul(MatMut::new(probs, count, task.len, task.len), q.rows(first, count), k.t(), false, false);
            matmul(MatMut::new(slopes, count, task.len, task.len), grad.rows(first, count), v.t(), false, false);
            let rows = of.rows(&task, first);
            softmax_grad_rows(probs, slopes, rows, &task.logs[first..first + count], out.rows(first, count), grad.rows(first, count));
            let (probs, slopes) = (Mat::new(probs, count, task.len, task.len), Mat::new(slopes, count, task.len, task.len));
            // SAFETY: `qkv_grad` is borrowed mutably by this function, and only this task writes to the columns of its
            // head, in each of the three parts, in the rows of its text.
            unsafe {
                matmul_to(dv, probs.t(), grad.rows(first, count), first > 0);
                matmul_to(dq.rows(first, count), slopes, k, false);
                matmul_to(dk, slopes.t(), q.rows(first, count), first > 0);
            }
        }
    });
}

simd! {
    /// From scores and the gradient of the dropped probabilities: the dropped probabilities, and the gradient of the
    /// unscaled scores.
    fn softmax_grad_rows(probs: &mut [f32], slopes: &mut [f32], rows: Rows, logs: &[f32], out: Mat, grad: Mat) {
        let both = probs.chunks_exact_mut(rows.len).zip(slopes.chunks_exact_mut(rows.len));
        for (at, ((probs, slopes), log)) in both.zip(logs).enumerate() {
            let along = sum_pairs(out.row(at), grad.row(at), |out, grad| out * grad);
            match rows.dropout {
                None => {
                    for (prob, slope) in probs.iter_mut().zip(slopes) {
                        *prob = exp_fast::<FMA>(*prob * rows.scale - log);
                        *slope = *prob * (*slope - along) * rows.scale;
                    }
                }
                Some(dropout) => {
                    let (key, threshold) = (dropout.row_key(rows.mask_row + at as u64), dropout.threshold());
                    let kept = dropout.scale();
                    for (col, (prob, slope)) in probs.iter_mut().zip(slopes).enumerate() {
                        let mask = if Dropout::bits(key, col as u32) < threshold { 0.0 } else { kept };
                        let whole = exp_fast::<FMA>(*prob * rows.scale - log);
                        *slope = whole * (*slope * mask - along) * rows.scale;
                        *prob = whole * mask;
                    }
                }
            }
        }
    }
}
