//! A linear layer with its low-rank update, forward and backward. Of a weight that does not learn no gradient is made:
//! only the two thin products of its update.

use super::Read;
use super::backward::Collect;
use crate::nn::encoder::Pair;
use crate::nn::kernels::{Buf, Mat, MatMut, Pool, Precision, linear, linear_input_grad, linear_weight_grad, matmul};
use crate::nn::low_rank::LowRank;
use candle_core::Result;
use std::sync::Arc;

/// `y = x Wᵀ`, and the bias where it is asked for; rows of `y` are `row_step` apart.
pub(super) fn forward_linear(
    pair: &Pair,
    y: &mut [f32],
    row_step: usize,
    x: &[f32],
    with_bias: bool,
    (precision, pool): (Precision, &Arc<Pool>),
) -> Result<()> {
    let (outputs, inputs) = pair.weight.dims2()?;
    let bias = if with_bias { Some(Read::of(&pair.bias)?) } else { None };
    precision.linear(y, row_step, x, &Read::of(&pair.weight)?, bias.as_deref(), inputs);
    let Some(update) = &pair.update else { return Ok(()) };
    let inner = down(update, x, pool)?;
    let (rows, rank) = (x.len() / inputs, update.down.dims()[0]);
    let up = Read::of(&update.up)?;
    matmul(MatMut::new(y, rows, outputs, row_step), Mat::new(&inner, rows, rank, rank), Mat::new(&up, outputs, rank, rank).t(), true, true);
    Ok(())
}

/// Gradients of the weight of the layer called `name`, and of its update, as far as they learn: from that of the output
/// `g`, rows `row_step` apart, and the input `x`.
pub(super) fn weight_gradients(name: &str, pair: &Pair, g: &[f32], row_step: usize, x: &[f32], collect: &Collect) -> Result<()> {
    let ((outputs, inputs), pool) = (pair.weight.dims2()?, collect.pool);
    if collect.wants(&pair.weight) {
        let mut grad = pool.take(outputs * inputs);
        collect.precision.weight_grad(&mut grad, g, row_step, x, inputs);
        collect.give(&format!("{name}.weight"), &pair.weight, grad);
    }
    let Some(update) = pair.update.as_ref().filter(|update| collect.wants(&update.up)) else { return Ok(()) };
    let (rows, rank) = (x.len() / inputs, update.down.dims()[0]);
    let mut grad = pool.take(outputs * rank);
    linear_weight_grad(&mut grad, g, row_step, &down(update, x, pool)?, rank);
    collect.give(&format!("{name}.lora_B.weight"), &update.up, grad);
    let mut grad = pool.take(rank * inputs);
    linear_weight_grad(&mut grad, &inner_gradient(update, rows, g, row_step, pool)?, rank, x, inputs);
    collect.give(&format!("{name}.lora_A.weight"), &update.down, grad);
    Ok(())
}

/// The gradient of the input, added to `dx` when `add` is set.
pub(super) fn input_gradient(pair: &Pair, dx: &mut [f32], g: &[f32], row_step: usize, add: bool, collect: &Collect) -> Result<()> {
    let (_, inputs) = pair.weight.dims2()?;
    collect.precision.input_grad(dx, g, row_step, &Read::of(&pair.weight)?, inputs, add);
    let Some(update) = &pair.update else { return Ok(()) };
    let inner = inner_gradient(update, dx.len() / inputs, g, row_step, collect.pool)?;
    linear_input_grad(dx, &inner, update.down.dims()[0], &Read::of(&update.down)?, inputs, true);
    Ok(())
}

/// `scale · x downᵀ`, `[rows, rank]`.
fn down(update: &LowRank, x: &[f32], pool: &Arc<Pool>) -> Result<Buf> {
    let (rank, inputs) = update.down.dims2()?;
    let mut inner = pool.take(x.len() / inputs * rank);
    linear(&mut inner, rank, x, &Read::of(&update.down)?, None, inputs);
    inner.iter_mut().for_each(|value| *value *= update.scale);
    Ok(inner)
}

/// The gradient of `x downᵀ`, `[rows, rank]`.
fn inner_gradient(update: &LowRank, rows: usize, g: &[f32], row_step: usize, pool: &Arc<Pool>) -> Result<Buf> {
    let (_, rank) = update.up.dims2()?;
    let mut inner = pool.take(rows * rank);
    linear_input_grad(&mut inner, g, row_step, &Read::of(&update.up)?, rank, false);
    inner.iter_mut().for_each(|value| *value *= update.scale);
    Ok(inner)
}
