//! A layer's prefix on the kernels: rows of keys and values behind those of each text, forward and backward.

use super::Read;
use super::backward::Collect;
use crate::nn::batch::RaggedBatch;
use crate::nn::kernels::{Buf, Pool};
use crate::nn::prefix::{Prefix, lengthened};
use candle_core::Result;
use std::sync::Arc;

/// What the gradient of an attention with a prefix needs.
pub(super) struct Prefixed {
    /// Where each text starts with the prefix behind it.
    pub starts: Vec<usize>,
    /// What attention gave, rows of the prefix among it.
    pub context: Buf,
}

/// Queries, keys and values with those of the prefix behind each text's, and where each text starts then.
pub(super) fn with_prefix(qkv: &[f32], prefix: &Prefix, batch: &RaggedBatch, pool: &Arc<Pool>) -> Result<(Buf, Vec<usize>)> {
    let (rows, hidden) = prefix.keys.dims2()?;
    let (keys, values) = (Read::of(&prefix.keys)?, Read::of(&prefix.values)?);
    let longer = lengthened(batch, rows);
    let width = 3 * hidden;
    let mut all = pool.zeros(longer.tokens() * width);
    for text in 0..batch.texts() {
        let (own, at) = (batch.range(text), longer.starts[text]);
        let behind = (at + own.len()) * width;
        all[at * width..behind].copy_from_slice(&qkv[own.start * width..own.end * width]);
        for (row, (key, value)) in keys.chunks_exact(hidden).zip(values.chunks_exact(hidden)).enumerate() {
            let to = &mut all[behind + row * width..][..width];
            to[hidden..2 * hidden].copy_from_slice(key);
            to[2 * hidden..].copy_from_slice(value);
        }
    }
    Ok((all, longer.starts))
}

/// The rows of the texts themselves.
pub(super) fn own_rows(x: &[f32], starts: &[usize], batch: &RaggedBatch, width: usize, pool: &Arc<Pool>) -> Buf {
    let mut own = pool.take(batch.tokens() * width);
    for (text, start) in starts.iter().take(batch.texts()).enumerate() {
        let range = batch.range(text);
        own[range.start * width..range.end * width].copy_from_slice(&x[start * width..][..range.len() * width]);
    }
    own
}

/// The same rows back at their places, 0 at those of the prefix.
pub(super) fn at_their_places(x: &[f32], starts: &[usize], batch: &RaggedBatch, width: usize, pool: &Arc<Pool>) -> Buf {
    let mut all = pool.zeros(starts.last().copied().unwrap_or_default() * width);
    for (text, start) in starts.iter().take(batch.texts()).enumerate() {
        let range = batch.range(text);
        all[start * width..][..range.len() * width].copy_from_slice(&x[range.start * width..range.end * width]);
    }
    all
}

/// Gives the gradients of keys and values, sums over the texts, and what is left: that of the texts' own rows.
pub(super) fn prefix_backward(prefix: &Prefix, qkv_grad: &[f32], starts: &[usize], batch: &RaggedBatch, collect: &Collect) -> Result<Buf> {
    let ((rows, hidden), pool) = (prefix.keys.dims2()?, collect.pool);
    let width = 3 * hidden;
    let (mut keys, mut values) = (pool.zeros(rows * hidden), pool.zeros(rows * hidden));
    for (text, start) in starts.iter().take(batch.texts()).enumerate() {
        let first = start + batch.range(text).len();
        for row in 0..rows {
            let from = &qkv_grad[(first + row) * width..][..width];
            let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
            add(&mut keys[row * hidden..][..hidden], &from[hidden..2 * hidden]);
            add(&mut values[row * hidden..][..hidden], &from[2 * hidden..]);
        }
    }
    collect.give("attention.prefix.keys", &prefix.keys, keys);
    collect.give("attention.prefix.values", &prefix.values, values);
    Ok(own_rows(qkv_grad, starts, batch, width, pool))
}
