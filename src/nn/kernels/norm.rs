//! Bias, dropout, residual and layer normalisation in one pass, forward and backward.

use super::feed::add_partials;
use super::math::{fma, sum, sum_pairs};
use super::{BLOCK, Pool, simd};
use crate::nn::batch::Dropout;
use rayon::prelude::*;
use std::sync::Arc;

/// What goes into `layer_norm(residual + dropout(x + bias))`.
#[derive(Clone, Copy)]
pub struct NormInput<'a> {
    /// `[rows, cols]`
    pub x: &'a [f32],
    /// Nothing is added where there is none.
    pub bias: Option<&'a [f32]>,
    pub residual: Option<&'a [f32]>,
    pub dropout: Option<Dropout>,
    pub gain: &'a [f32],
    pub shift: &'a [f32],
    pub eps: f32,
}

/// Where the results go. `centred` (the normalised rows before gain and shift) and `scale` (one over the standard
/// deviation of each row) are what the gradient needs.
pub struct NormOutput<'a> {
    pub y: &'a mut [f32],
    pub centred: &'a mut [f32],
    pub scale: &'a mut [f32],
}

/// Runs the forward pass.
pub fn norm_forward(input: NormInput, output: NormOutput) {
    let cols = input.gain.len();
    let size = cols * BLOCK;
    let results = output.y.par_chunks_mut(size).zip(output.centred.par_chunks_mut(size)).zip(output.scale.par_chunks_mut(BLOCK));
    results.enumerate().for_each(|(block, ((y, centred), scale))| forward_block(&input, block * BLOCK, y, centred, scale));
}

simd! {
    fn forward_block(input: &NormInput, first_row: usize, y: &mut [f32], centred: &mut [f32], scale: &mut [f32]) {
        let cols = input.gain.len();
        let rows = y.chunks_exact_mut(cols).zip(centred.chunks_exact_mut(cols)).zip(scale);
        for (row, ((y, centred), scale)) in (first_row..).zip(rows) {
            let at = row * cols..(row + 1) * cols;
            centred.copy_from_slice(&input.x[at.clone()]);
            if let Some(bias) = input.bias {
                centred.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
            if let Some(dropout) = input.dropout {
                drop_row(centred, dropout, row as u64);
            }
            if let Some(residual) = input.residual {
                centred.iter_mut().zip(&residual[at]).for_each(|(value, residual)| *value += residual);
            }
            *scale = normalise::<FMA>(centred, y, input.gain, input.shift, input.eps);
        }
    }
}

/// Normalises a row in place and writes `y`; gives one over the standard deviation.
#[inline(always)]
pub(super) fn normalise<const FMA: bool>(row: &mut [f32], y: &mut [f32], gain: &[f32], shift: &[f32], eps: f32) -> f32 {
    let cols = row.len() as f32;
    let mean = sum(row) / cols;
    row.iter_mut().for_each(|value| *value -= mean);
    let variance = sum_pairs(row, row, |a, b| a * b) / cols;
    let inverse = 1.0 / (variance + eps).sqrt();
    for (((y, value), gain), shift) in y.iter_mut().zip(row).zip(gain).zip(shift) {
        *value *= inverse;
        *y = fma::<FMA>(*value, *gain, *shift);
    }
    inverse
}

/// Drops values of one row of the mask.
#[inline(always)]
pub(super) fn drop_row(values: &mut [f32], dropout: Dropout, row: u64) {
    let (key, threshold, scale) = (dropout.row_key(row), dropout.threshold(), dropout.scale());
    for (col, value) in values.iter_mut().enumerate() {
        let kept = if Dropout::bits(key, col as u32) < threshold { 0.0 } else { scale };
        *value *= kept;
    }
}

/// What the backward pass goes back over.
#[derive(Clone, Copy)]
pub struct NormBackward<'a> {
    pub centred: &'a [f32],
    pub scale: &'a [f32],
    pub gain: &'a [f32],
    pub dropout: Option<Dropout>,
}

/// Gradients of the norm's own parameters, and of the bias (the sum over rows of the gradient behind the dropout).
pub struct NormGrads<'a> {
    pub gain: &'a mut [f32],
    pub shift: &'a mut [f32],
    pub bias: &'a mut [f32],
}

/// `g` is the gradient of the output and becomes the gradient of the residual. `inner` gets the gradient of `x`
/// behind the dropout; without dropout it is the same and may be left out.
pub fn norm_backward(of: NormBackward, g: &mut [f32], inner: Option<&mut [f32]>, grads: NormGrads, pool: &Arc<Pool>) {
    let cols = of.gain.len();
    let size = cols * BLOCK;
    let blocks = g.len().div_ceil(size);
    let mut partial = pool.take(3 * blocks * cols);
    match inner {
        Some(inner) => {
            let rows = g.par_chunks_mut(size).zip(inner.par_chunks_mut(size)).zip(partial.par_chunks_mut(3 * cols));
            rows.enumerate().for_each(|(block, ((g, inner), partial))| backward_block(&of, block * BLOCK, g, inner, partial));
        }
        None => {
            let rows = g.par_chunks_mut(size).zip(partial.par_chunks_mut(3 * cols));
            rows.enumerate().for_each(|(block, (g, partial))| backward_block(&of, block * BLOCK, g, &mut [], partial));
        }
    }
    let mut sums = pool.take(3 * cols);
    add_partials(&partial, &mut sums);
    grads.gain.copy_from_slice(&sums[..cols]);
    grads.shift.copy_from_slice(&sums[cols..2 * cols]);
    grads.bias.copy_from_slice(&sums[2 * cols..]);
}

simd! {
    fn backward_block(of: &NormBackward, first_row: usize, g: &mut [f32], inner: &mut [f32], partial: &mut [f32]) {
        let cols = of.gain.len();
        partial.fill(0.0);
        let (gain_sum, rest) = partial.split_at_mut(cols);
        let (shift_sum, bias_sum) = rest.split_at_mut(cols);
        for (at, g) in g.chunks_exact_mut(cols).enumerate() {
            let row = first_row + at;
            let centred = &of.centred[row * cols..(row + 1) * cols];
            for (((g, centred), gain_sum), shift_sum) in g.iter().zip(centred).zip(&mut *gain_sum).zip(&mut *shift_sum) {
                *gain_sum = fma::<FMA>(*g, *centred, *gain_sum);
                *shift_sum += g;
            }
            g.iter_mut().zip(of.gain).for_each(|(g, gain)| *g *= gain);
            let mean = sum(g) / cols as f32;
            let along = sum_pairs(g, centred, |g, centred| g * centred) / cols as f32;
            let scale = of.scale[row];
            for (g, centred) in g.iter_mut().zip(centred) {
                *g = (*g - mean - centred * along) * scale;
            }
            if inner.is_empty() {
                bias_sum.iter_mut().zip(&*g).for_each(|(sum, g)| *sum += g);
            } else {
                let inner = &mut inner[at * cols..(at + 1) * cols];
                inner.copy_from_slice(g);
                if let Some(dropout) = of.dropout {
                    drop_row(inner, dropout, row as u64);
                }
                bias_sum.iter_mut().zip(&*inner).for_each(|(sum, g)| *sum += g);
            }
        }
    }
}

/// Sums of the columns of `[rows, cols]`.
pub fn column_sums(x: &[f32], sums: &mut [f32], pool: &Arc<Pool>) {
    let cols = sums.len();
    let size = cols * BLOCK;
    let mut partial = pool.take(x.len().div_ceil(size) * cols);
    x.par_chunks(size).zip(partial.par_chunks_mut(cols)).for_each(|(x, partial)| column_block(x, partial));
    add_partials(&partial, sums);
}

simd! {
    fn column_block(x: &[f32], partial: &mut [f32]) {
        partial.fill(0.0);
        for row in x.chunks_exact(partial.len()) {
            partial.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// Drops values of `[rows, cols]` by the mask, rows numbered from 0.
pub fn drop_rows(x: &mut [f32], cols: usize, dropout: Dropout) {
    x.par_chunks_mut(cols * BLOCK).enumerate().for_each(|(block, x)| drop_block(x, cols, dropout, block * BLOCK));
}

simd! {
    fn drop_block(x: &mut [f32], cols: usize, dropout: Dropout, first_row: usize) {
        for (row, x) in (first_row..).zip(x.chunks_exact_mut(cols)) {
            drop_row(x, dropout, row as u64);
        }
    }
}
