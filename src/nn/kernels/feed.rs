//! Bias and activation between the two feed-forward layers, in one pass.

use super::math::{exp_fast, normal};
use super::{BLOCK, Buf, Pool, simd};
use crate::nn::Activation;
use rayon::prelude::*;
use std::sync::Arc;

/// `u += bias` and `a = activation(u)`, for rows as wide as `bias`.
pub fn activate_forward(u: &mut [f32], a: &mut [f32], bias: &[f32], kind: Activation) {
    let size = bias.len() * BLOCK;
    u.par_chunks_mut(size).zip(a.par_chunks_mut(size)).for_each(|(u, a)| match kind {
        Activation::Gelu => gelu(u, a, bias),
        Activation::GeluTanh => gelu_tanh(u, a, bias),
        Activation::Relu => relu(u, a, bias),
    });
}

/// From `u` (bias included) and the gradient `g` of the activation's output: `a = activation(u)` once more, `g`
/// becomes the gradient of `u`, and the bias's gradient is returned in `bias_grad`.
pub fn activate_backward(u: &[f32], g: &mut [f32], a: &mut [f32], bias_grad: &mut [f32], kind: Activation, pool: &Arc<Pool>) {
    let cols = bias_grad.len();
    let size = cols * BLOCK;
    let mut partial: Buf = pool.take(u.len().div_ceil(size) * cols);
    let outputs = g.par_chunks_mut(size).zip(a.par_chunks_mut(size)).zip(partial.par_chunks_mut(cols));
    u.par_chunks(size).zip(outputs).for_each(|(u, ((g, a), partial))| match kind {
        Activation::Gelu => gelu_grad(u, g, a, partial),
        Activation::GeluTanh => gelu_tanh_grad(u, g, a, partial),
        Activation::Relu => relu_grad(u, g, a, partial),
    });
    add_partials(&partial, bias_grad);
}

/// Adds up the partial sums of blocks, in order.
pub(super) fn add_partials(partial: &[f32], sum: &mut [f32]) {
    sum.fill(0.0);
    for block in partial.chunks_exact(sum.len()) {
        for (sum, part) in sum.iter_mut().zip(block) {
            *sum += part;
        }
    }
}

#[inline(always)]
fn each_forward(u: &mut [f32], a: &mut [f32], bias: &[f32], f: impl Fn(f32) -> f32) {
    for (u, a) in u.chunks_exact_mut(bias.len()).zip(a.chunks_exact_mut(bias.len())) {
        for ((u, a), bias) in u.iter_mut().zip(a).zip(bias) {
            *u += bias;
            *a = f(*u);
        }
    }
}

/// `f` gives value and slope.
#[inline(always)]
fn each_backward(u: &[f32], g: &mut [f32], a: &mut [f32], partial: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    partial.fill(0.0);
    let cols = partial.len();
    for ((u, g), a) in u.chunks_exact(cols).zip(g.chunks_exact_mut(cols)).zip(a.chunks_exact_mut(cols)) {
        for (((u, g), a), partial) in u.iter().zip(g).zip(a).zip(&mut *partial) {
            let (value, slope) = f(*u);
            *a = value;
            *g *= slope;
            *partial += *g;
        }
    }
}

#[inline(always)]
fn gelu_both<const FMA: bool>(x: f32) -> (f32, f32) {
    let (distribution, density) = normal::<FMA>(x);
    (x * distribution, distribution + x * density)
}

#[inline(always)]
fn gelu_tanh_both<const FMA: bool>(x: f32) -> (f32, f32) {
    const K: f32 = 0.797_884_6;
    let inner = K * (x + 0.044_715 * x * x * x);
    let tanh = 1.0 - 2.0 / (exp_fast::<FMA>(2.0 * inner) + 1.0);
    let slope = 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * K * (1.0 + 3.0 * 0.044_715 * x * x);
    (0.5 * x * (1.0 + tanh), slope)
}

simd! { fn gelu(u: &mut [f32], a: &mut [f32], bias: &[f32]) { each_forward(u, a, bias, |x| x * normal::<FMA>(x).0) } }
#[inline(always)]
pub(super) fn gelu_tanh_of<const FMA: bool>(x: f32) -> f32 {
    gelu_tanh_both::<FMA>(x).0
}

simd! { fn gelu_tanh(u: &mut [f32], a: &mut [f32], bias: &[f32]) { each_forward(u, a, bias, gelu_tanh_of::<FMA>) } }
simd! { fn relu(u: &mut [f32], a: &mut [f32], bias: &[f32]) { each_forward(u, a, bias, |x| x.max(0.0)) } }
simd! {
    fn gelu_grad(u: &[f32], g: &mut [f32], a: &mut [f32], partial: &mut [f32]) { each_backward(u, g, a, partial, gelu_both::<FMA>) }
}
simd! {
    fn gelu_tanh_grad(u: &[f32], g: &mut [f32], a: &mut [f32], partial: &mut [f32]) {
        each_backward(u, g, a, partial, gelu_tanh_both::<FMA>)
    }
}
simd! {
    fn relu_grad(u: &[f32], g: &mut [f32], a: &mut [f32], partial: &mut [f32]) {
        each_backward(u, g, a, partial, |x| if x > 0.0 { (x, 1.0) } else { (0.0, 0.0) })
    }
}
