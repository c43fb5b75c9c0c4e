//! Linear layers forward and backward at a precision that is chosen: float32, or bfloat16 factors whose products are
//! summed up in float32. What comes in and goes out is float32 either way.

use super::half::{Pairs, across, along};
use super::matmul::{Mat, MatMut, multiply};
use super::tile::Tile;
use super::{linear, linear_input_grad, linear_weight_grad};
use std::cell::Cell;

/// How factors of a matrix product are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    #[default]
    Float32,
    /// Eight bits of precision instead of 24, at twice the speed where the processor has an instruction for it.
    BFloat16,
}

thread_local! {
    /// Memory for operands in pairs; taken out while in use, so that a thread that steals work meanwhile gets its own.
    static PAIRS: Cell<(Vec<f32>, Vec<f32>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// A product of two operands that are made into pairs first.
fn in_pairs(
    dst: MatMut,
    add: bool,
    left: impl FnOnce(&mut Vec<f32>) -> Pairs<'_>,
    right: impl FnOnce(&mut Vec<f32>) -> Pairs<'_>,
    views: impl FnOnce(Mat<'_>, Mat<'_>, MatMut, bool),
) {
    let (mut left_memory, mut right_memory) = PAIRS.take();
    views(left(&mut left_memory).view(), right(&mut right_memory).view(), dst, add);
    PAIRS.set((left_memory, right_memory));
}

impl Precision {
    /// Whether this processor has an instruction for it: without one, bfloat16 is slower than float32.
    pub fn is_native(self) -> bool {
        match self {
            Self::Float32 => true,
            Self::BFloat16 => super::has_pairs(),
        }
    }

    /// As [`linear`].
    pub fn linear(self, y: &mut [f32], row_step: usize, x: &[f32], weight: &[f32], bias: Option<&[f32]>, inputs: usize) {
        if self == Self::Float32 {
            return linear(y, row_step, x, weight, bias, inputs);
        }
        let (rows, outputs) = (x.len() / inputs, weight.len() / inputs);
        if let Some(bias) = bias {
            super::matmul::begin_with(y, row_step, bias);
        }
        let product = MatMut::new(y, rows, outputs, row_step);
        let (x, weight) = (Mat::new(x, rows, inputs, inputs), Mat::new(weight, outputs, inputs, inputs));
        in_pairs(
            product,
            bias.is_some(),
            |m| along(m, x, true),
            |m| along(m, weight, true),
            |x, weight, dst, add| {
                multiply(Tile::pairs(), dst, x, weight.t(), add, true);
            },
        );
    }

    /// As [`linear_input_grad`].
    pub fn input_grad(self, dx: &mut [f32], g: &[f32], row_step: usize, weight: &[f32], inputs: usize, add: bool) {
        if self == Self::Float32 {
            return linear_input_grad(dx, g, row_step, weight, inputs, add);
        }
        let (rows, outputs) = (dx.len() / inputs, weight.len() / inputs);
        let product = MatMut::new(dx, rows, inputs, inputs);
        let (g, weight) = (Mat::new(g, rows, outputs, row_step), Mat::new(weight, outputs, inputs, inputs));
        in_pairs(
            product,
            add,
            |m| along(m, g, true),
            |m| across(m, weight, true),
            |g, weight, dst, add| {
                multiply(Tile::pairs(), dst, g, weight, add, true);
            },
        );
    }

    /// As [`linear_weight_grad`].
    pub fn weight_grad(self, dw: &mut [f32], g: &[f32], row_step: usize, x: &[f32], inputs: usize) {
        if self == Self::Float32 {
            return linear_weight_grad(dw, g, row_step, x, inputs);
        }
        let (rows, outputs) = (x.len() / inputs, dw.len() / inputs);
        let product = MatMut::new(dw, outputs, inputs, inputs);
        let (g, x) = (Mat::new(g, rows, outputs, row_step), Mat::new(x, rows, inputs, inputs));
        in_pairs(
            product,
            false,
            |m| across(m, g, true),
            |m| across(m, x, true),
            |g, x, dst, add| {
                multiply(Tile::pairs(), dst, g.t(), x, add, true);
            },
        );
    }
}
