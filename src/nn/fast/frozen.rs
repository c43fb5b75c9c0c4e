//! The encoder for prediction: weights laid out once, nothing kept for a gradient. Between two attentions a block of rows
//! goes through all products, activation and norms on one thread while it stays in that core's cache.

use super::forward::{Asked, embed, gather};
use super::{Masks, Reach, Read};
use crate::nn::batch::{Mode, RaggedBatch};
use crate::nn::encoder::{Core, Layer, Pair};
use crate::nn::kernels::{
    Attention, Buf, FrozenLinear, Norm, Pool, Precision, Stored, activate_rows, add_to_rows, attention_forward, norm_rows,
};
use candle_core::{Result, bail};
use rayon::prelude::*;
use std::sync::Arc;

/// All layers' weights, laid out for products.
pub(super) struct Frozen {
    pub stored: Stored,
    layers: Vec<FrozenLayer>,
}

impl std::fmt::Debug for Frozen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} layers as {:?}", self.layers.len(), self.stored)
    }
}

struct FrozenLayer {
    /// Queries, keys and values beside each other.
    qkv: FrozenLinear,
    qkv_bias: Vec<f32>,
    attended: FrozenLinear,
    up: FrozenLinear,
    down: FrozenLinear,
}

/// Most rows that go through a layer at once: their states stay in the second cache.
const MOST_ROWS: usize = 96;

/// Rows of a tile on the widest instruction set.
const TILE: usize = 12;

impl Frozen {
    pub fn new(core: &Core, stored: Stored) -> Result<Self> {
        let layers = core.layers.par_iter().map(|layer| FrozenLayer::new(layer, stored)).collect::<Result<_>>()?;
        Ok(Self { stored, layers })
    }
}

impl FrozenLayer {
    fn new(layer: &Layer, stored: Stored) -> Result<Self> {
        let one = |pair: &Pair| -> Result<FrozenLinear> {
            if pair.update.is_some() {
                bail!("a weight with a low-rank update beside it does not stay as it is");
            }
            Ok(FrozenLinear::new(&Read::of(&pair.weight)?, pair.weight.dims2()?.1, stored))
        };
        let parts = [&layer.query, &layer.key, &layer.value];
        let (mut weight, mut qkv_bias) = (Vec::new(), Vec::new());
        for part in parts {
            weight.extend_from_slice(&Read::of(&part.weight)?);
            qkv_bias.extend_from_slice(&Read::of(&part.bias)?);
        }
        if parts.iter().any(|part| part.update.is_some()) {
            bail!("a weight with a low-rank update beside it does not stay as it is");
        }
        let qkv = FrozenLinear::new(&weight, layer.query.weight.dims2()?.1, stored);
        Ok(Self { qkv, qkv_bias, attended: one(&layer.attended)?, up: one(&layer.up)?, down: one(&layer.down)? })
    }
}

/// Rows of a block, so that every thread has one, and none too many.
fn block_rows(rows: usize) -> usize {
    let share = rows.div_ceil(rayon::current_num_threads());
    (share.div_ceil(TILE) * TILE).clamp(TILE, MOST_ROWS)
}

/// Hidden states of the last layer, `[tokens, hidden]` or `[texts, hidden]`.
pub(super) fn forward(core: &Core, frozen: &Frozen, batch: &RaggedBatch, reach: Reach, pool: &Arc<Pool>) -> Result<Vec<f32>> {
    let masks = Masks::draw(core.layers.len(), &mut Mode::Eval);
    let asked = Asked { batch, masks: &masks, first: None, reach, shift: None, watched: false, precision: Precision::Float32 };
    let (mut x, _) = embed(core, &asked, pool)?;
    let (heads, h, tokens) = (core.config.num_attention_heads, core.config.hidden_size, batch.tokens());
    let last = core.layers.len().saturating_sub(1);
    let (mut qkv, mut context, mut logs) = (pool.take(tokens * 3 * h), pool.take(tokens * h), pool.take(tokens * heads));
    for (at, (own, packed)) in core.layers.iter().zip(&frozen.layers).enumerate() {
        let rows = block_rows(tokens);
        qkv.par_chunks_mut(3 * h * rows).zip(x.par_chunks(h * rows)).for_each(|(qkv, x)| {
            packed.qkv.apply(x, qkv, 3 * h);
            add_to_rows(qkv, 3 * h, &packed.qkv_bias);
        });
        let first = at == last && reach == Reach::First;
        let queries = if first { 1 } else { usize::MAX };
        let of = Attention { starts: &batch.starts, heads, hidden: h, dropout: None, queries, pool };
        attention_forward(&of, &qkv, &mut context, &mut logs);
        if first {
            // From here on rows do not look at one another: those nobody asks about are left out.
            (x, context) = (gather(&x, batch, h, pool), gather(&context, batch, h, pool));
        }
        feed(core, own, packed, &mut x, &context, pool)?;
    }
    if core.layers.is_empty() && reach == Reach::First {
        x = gather(&x, batch, h, pool);
    }
    Ok(x.to_vec())
}

/// What follows an attention, in place of `x`, which is what went into it.
fn feed(core: &Core, own: &Layer, packed: &FrozenLayer, x: &mut Buf, context: &[f32], pool: &Arc<Pool>) -> Result<()> {
    let (h, f, eps) = (core.config.hidden_size, core.config.intermediate_size, core.config.layer_norm_eps as f32);
    let rows = block_rows(x.len() / h);
    let read = |pair: &Pair| -> Result<(Vec<f32>, Vec<f32>)> { Ok((Read::of(&pair.weight)?.to_vec(), Read::of(&pair.bias)?.to_vec())) };
    let (norm1, norm2) = (read(&own.attention_norm)?, read(&own.norm)?);
    let bias = |pair: &Pair| -> Result<Vec<f32>> { Ok(Read::of(&pair.bias)?.to_vec()) };
    let (attended_bias, up_bias, down_bias) = (bias(&own.attended)?, bias(&own.up)?, bias(&own.down)?);
    x.par_chunks_mut(h * rows).zip(context.par_chunks(h * rows)).for_each(|(x, context)| {
        let count = x.len() / h;
        let (mut middle, mut inner) = (pool.take(count * h), pool.take(count * f));
        packed.attended.apply(context, &mut middle, h);
        norm_rows(&mut middle, &attended_bias, x, Norm { gain: &norm1.0, shift: &norm1.1, eps });
        packed.up.apply(&middle, &mut inner, f);
        activate_rows(&mut inner, &up_bias, core.config.hidden_act);
        packed.down.apply(&inner, x, h);
        norm_rows(x, &down_bias, &middle, Norm { gain: &norm2.0, shift: &norm2.1, eps });
    });
    Ok(())
}
