//! An adapter on the kernels, forward and backward.

use super::Read;
use super::backward::Collect;
use super::linear::{forward_linear, input_gradient, weight_gradients};
use crate::nn::Activation;
use crate::nn::adapter::Adapter;
use crate::nn::encoder::Pair;
use crate::nn::kernels::{Buf, Pool, Precision, activate_backward, activate_forward, column_sums};
use candle_core::Result;
use std::sync::Arc;

/// What the gradient of an adapter needs.
pub(super) struct AdapterTape {
    input: Buf,
    /// Before the activation.
    inner: Buf,
}

/// Sends `out`, the product of the layer `dense` without its bias, through the adapter behind it: with the bias, and what the
/// adapter adds. `None`, and nothing done, without an adapter.
pub(super) fn adapt(
    adapter: Option<&Adapter>,
    dense: &Pair,
    out: &mut Buf,
    (precision, pool): (Precision, &Arc<Pool>),
) -> Result<Option<AdapterTape>> {
    let Some(adapter) = adapter else { return Ok(None) };
    let (width, hidden) = adapter.down.weight.dims2()?;
    let bias = Read::of(&dense.bias)?;
    for row in out.chunks_exact_mut(hidden) {
        row.iter_mut().zip(bias.iter()).for_each(|(value, bias)| *value += bias);
    }
    let rows = out.len() / hidden;
    let (mut inner, mut active) = (pool.take(rows * width), pool.take(rows * width));
    forward_linear(&adapter.down, &mut inner, width, out, false, (precision, pool))?;
    activate_forward(&mut inner, &mut active, &Read::of(&adapter.down.bias)?, Activation::Gelu);
    let mut added = pool.take(out.len());
    forward_linear(&adapter.up, &mut added, hidden, &active, true, (precision, pool))?;
    let mut input = pool.take(out.len());
    input.copy_from_slice(out);
    out.iter_mut().zip(added.iter()).for_each(|(value, added)| *value += added);
    Ok(Some(AdapterTape { input, inner }))
}

/// From the gradient `g` of what [`adapt`] gave to that of the product, with those of the adapter called `name` and of the
/// bias of the layer before it.
pub(super) fn adapter_backward(
    name: &str,
    adapter: &Adapter,
    tape: AdapterTape,
    mut g: Buf,
    (dense, before): (&str, &Pair),
    collect: &Collect,
) -> Result<Buf> {
    let ((width, hidden), pool) = (adapter.down.weight.dims2()?, collect.pool);
    let rows = g.len() / hidden;
    let mut bias = pool.take(hidden);
    column_sums(&g, &mut bias, pool);
    collect.give(&format!("{name}.up.bias"), &adapter.up.bias, bias);
    let (mut inner, mut active, mut bias) = (pool.take(rows * width), pool.take(rows * width), pool.take(width));
    input_gradient(&adapter.up, &mut inner, &g, hidden, false, collect)?;
    activate_backward(&tape.inner, &mut inner, &mut active, &mut bias, Activation::Gelu, pool);
    collect.give(&format!("{name}.down.bias"), &adapter.down.bias, bias);
    weight_gradients(&format!("{name}.up"), &adapter.up, &g, hidden, &active, collect)?;
    weight_gradients(&format!("{name}.down"), &adapter.down, &inner, width, &tape.input, collect)?;
    input_gradient(&adapter.down, &mut g, &inner, width, true, collect)?;
    let mut bias = pool.take(hidden);
    column_sums(&g, &mut bias, pool);
    collect.give(&format!("{dense}.bias"), &before.bias, bias);
    Ok(g)
}
