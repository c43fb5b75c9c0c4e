//! Linear layers forward and backward at a precision that is chosen: float32, or bfloat16 factors whose products are
//! summed up in float32. What comes in and goes out is float32 either way.

use super::matmul::{Mat, MatMut, product_of_pairs};
use super::{linear, linear_input_grad, linear_weight_grad};

/// How factors of a matrix product are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    #[default]
    Float32,
    /// Eight bits of precision instead of 24, at twice the speed where the processor has an instruction for it.
    BFloat16,
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
        product_of_pairs(product, x, weight.t(), bias.is_some());
    }

    /// As [`linear_input_grad`].
    pub fn input_grad(self, dx: &mut [f32], g: &[f32], row_step: usize, weight: &[f32], inputs: usize, add: bool) {
        if self == Self::Float32 {
            return linear_input_grad(dx, g, row_step, weight, inputs, add);
        }
        let (rows, outputs) = (dx.len() / inputs, weight.len() / inputs);
        let product = MatMut::new(dx, rows, inputs, inputs);
        let (g, weight) = (Mat::new(g, rows, outputs, row_step), Mat::new(weight, outputs, inputs, inputs));
        product_of_pairs(product, g, weight, add);
    }

    /// As [`linear_weight_grad`].
    pub fn weight_grad(self, dw: &mut [f32], g: &[f32], row_step: usize, x: &[f32], inputs: usize) {
        if self == Self::Float32 {
            return linear_weight_grad(dw, g, row_step, x, inputs);
        }
        let (rows, outputs) = (x.len() / inputs, dw.len() / inputs);
        let product = MatMut::new(dw, outputs, inputs, inputs);
        let (g, x) = (Mat::new(g, rows, outputs, row_step), Mat::new(x, rows, inputs, inputs));
        product_of_pairs(product, g.t(), x, false);
    }
}
