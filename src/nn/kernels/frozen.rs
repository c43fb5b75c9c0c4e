//! Linear layers whose weights stay as they are, laid out once for the products of prediction: as float32, bfloat16 or
//! whole numbers of eight bits. Each call works on this thread, over a block of rows that stays in the cache from one
//! layer to the next; and what stands between such layers, without what only a gradient needs.

use super::half::along;
use super::int8::{Fours, fours, fours_to_row, row_to_fours};
use super::math::{normal, sum, sum_pairs};
use super::matmul::{Mat, MatMut, Packed, matmul_packed};
use super::simd;
use super::tile::Tile;
use crate::nn::Activation;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// How weights that stay are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    #[default]
    Float32,
    /// Half the memory; activations are rounded too. Sums are float32.
    BFloat16,
    /// A quarter of the memory: a scale for each row of weights, and one measured for each row of activations.
    Int8,
}

impl Stored {
    pub const ALL: [Self; 3] = [Self::Float32, Self::BFloat16, Self::Int8];

    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::BFloat16 => "bfloat16",
            Self::Int8 => "int8",
        }
    }

    /// Whether this processor has an instruction for it.
    pub fn is_native(self) -> bool {
        match self {
            Self::Float32 => true,
            Self::BFloat16 => super::has_pairs(),
            Self::Int8 => super::has_fours(),
        }
    }
}

/// The weights of a linear layer, packed.
pub struct FrozenLinear {
    packed: Packed,
    /// Scales and sums of rows, where the weights are whole numbers.
    whole: Option<(Vec<f32>, Vec<f32>)>,
    stored: Stored,
    pub inputs: usize,
    pub outputs: usize,
}

/// Rows as an operand of the product.
#[derive(Default)]
struct Operand {
    memory: Vec<f32>,
    /// Scale and zero of each row.
    scales: Vec<(f32, f32)>,
}

thread_local! {
    static OPERAND: Cell<Operand> = const { Cell::new(Operand { memory: Vec::new(), scales: Vec::new() }) };
}

impl FrozenLinear {
    /// From `weight` `[outputs, inputs]`.
    pub fn new(weight: &[f32], inputs: usize, stored: Stored) -> Self {
        let outputs = weight.len() / inputs;
        let floats = Mat::new(weight, outputs, inputs, inputs);
        let mut memory = Vec::new();
        let (packed, whole) = match stored {
            Stored::Float32 => (Packed::new(floats.t()), None),
            Stored::BFloat16 => (Packed::of(Tile::pairs(), along(&mut memory, floats).view().t()), None),
            Stored::Int8 => {
                let Fours { data, scale, sums } = Fours::new(weight, inputs);
                let width = fours(inputs);
                (Packed::of(Tile::fours(), Mat::new(&data, outputs, width, width).t()), Some((scale, sums)))
            }
        };
        Self { packed, whole, stored, inputs, outputs }
    }

    /// `y = x W^T` for rows of `x` that stand one after another; rows of `y` are `row_step` apart.
    pub fn apply(&self, x: &[f32], y: &mut [f32], row_step: usize) {
        let mut operand = OPERAND.take();
        self.multiply(x, y, row_step, &mut operand);
        OPERAND.set(operand);
    }

    fn multiply(&self, x: &[f32], y: &mut [f32], row_step: usize, operand: &mut Operand) {
        let rows = x.len() / self.inputs;
        let dst = MatMut::new(y, rows, self.outputs, row_step);
        let floats = Mat::new(x, rows, self.inputs, self.inputs);
        match self.stored {
            Stored::Float32 => matmul_packed(dst, floats, &self.packed, false),
            Stored::BFloat16 => matmul_packed(dst, along(&mut operand.memory, floats).view(), &self.packed, false),
            Stored::Int8 => {
                let Some((scales, sums)) = &self.whole else { return };
                let width = fours(self.inputs);
                operand.memory.resize(rows * width, 0.0);
                operand.scales.clear();
                for (to, from) in operand.memory.chunks_exact_mut(width).zip(x.chunks_exact(self.inputs)) {
                    operand.scales.push(row_to_fours(to, from));
                }
                matmul_packed(dst, Mat::new(&operand.memory, rows, width, width), &self.packed, false);
                for (row, (scale, zero)) in y.chunks_mut(row_step).zip(&operand.scales) {
                    fours_to_row(&mut row[..self.outputs], *scale, *zero, scales, sums);
                }
            }
        }
    }
}

/// `x = activation(x + bias)`, for rows as wide as `bias`.
pub fn activate_rows(x: &mut [f32], bias: &[f32], kind: Activation) {
    match kind {
        Activation::Gelu => gelu_rows(x, bias),
        Activation::GeluTanh => gelu_tanh_rows(x, bias),
        Activation::Relu => relu_rows(x, bias),
    }
}

#[inline(always)]
fn each(x: &mut [f32], bias: &[f32], f: impl Fn(f32) -> f32) {
    for row in x.chunks_exact_mut(bias.len()) {
        for (x, bias) in row.iter_mut().zip(bias) {
            *x = f(*x + bias);
        }
    }
}

simd! { fn gelu_rows(x: &mut [f32], bias: &[f32]) { each(x, bias, |x| x * normal::<FMA>(x).0) } }
simd! { fn gelu_tanh_rows(x: &mut [f32], bias: &[f32]) { each(x, bias, super::feed::gelu_tanh_of::<FMA>) } }
simd! { fn relu_rows(x: &mut [f32], bias: &[f32]) { each(x, bias, |x| x.max(0.0)) } }

/// Gain, shift and smallest variance of a norm.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    pub gain: &'a [f32],
    pub shift: &'a [f32],
    pub eps: f32,
}

simd! {
    /// `y = norm(x + bias + residual)`, into `x`.
    pub fn norm_rows(x: &mut [f32], bias: &[f32], residual: &[f32], norm: Norm) {
        let width = bias.len();
        for (x, residual) in x.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
            for ((x, bias), residual) in x.iter_mut().zip(bias).zip(residual) {
                *x += bias + residual;
            }
            let mean = sum(x) / width as f32;
            x.iter_mut().for_each(|x| *x -= mean);
            let variance = sum_pairs(x, x, |a, b| a * b) / width as f32;
            let scale = 1.0 / (variance + norm.eps).sqrt();
            for ((x, gain), shift) in x.iter_mut().zip(norm.gain).zip(norm.shift) {
                *x = super::math::fma::<FMA>(*x * scale, *gain, *shift);
            }
        }
    }
}

simd! {
    /// Adds `bias` to each row; rows are `row_step` apart.
    pub fn add_to_rows(x: &mut [f32], row_step: usize, bias: &[f32]) {
        for row in x.chunks_mut(row_step) {
            row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
    }
}
