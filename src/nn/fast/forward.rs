//! All layers forward.

use super::adapter::adapt;
use super::linear::forward_linear;
use super::prefix::{Prefixed, own_rows, with_prefix};
use super::{EmbeddingTape, FirstRows, LayerMasks, LayerTape, Masks, Reach, Read, Tape};
use crate::nn::batch::RaggedBatch;
use crate::nn::encoder::{Core, Layer};
use crate::nn::kernels::{
    Attention, Buf, Embedding, NormInput, NormOutput, Pool, Precision, activate_forward, attention_forward, embed_forward, norm_forward,
};
use candle_core::{Result, bail};
use std::sync::Arc;

/// A pass as it is asked for.
pub(super) struct Asked<'a> {
    pub batch: &'a RaggedBatch,
    pub masks: &'a Masks,
    /// The lowest layer whose tape is kept; `None`: no tape is.
    pub first: Option<usize>,
    pub reach: Reach,
    /// Added to the embedded pieces.
    pub shift: Option<&'a [f32]>,
    /// Whether the gradient of the embedded pieces is asked for.
    pub watched: bool,
    /// Of the products of linear layers.
    pub precision: Precision,
}

/// Hidden states of the last layer, and the tape.
pub(super) fn forward(core: &Core, asked: &Asked, pool: &Arc<Pool>) -> Result<(Vec<f32>, Tape)> {
    let Asked { batch, masks, first, reach, precision, .. } = *asked;
    let (mut x, embeddings) = embed(core, asked, pool)?;
    let keep = first.unwrap_or(usize::MAX);
    let embeddings = (keep == 0 && (asked.watched || core.embeddings.learn())).then_some(embeddings);
    let mut layers = Vec::new();
    let last = core.layers.len().saturating_sub(1);
    for (at, (layer, masks)) in core.layers.iter().zip(&masks.layers).enumerate() {
        // Below the last layer every token is asked about.
        let reach = if at == last { reach } else { Reach::All };
        let (output, tape) = run_layer(core, layer, batch, *masks, x, reach, (precision, pool))?;
        x = output;
        if at >= keep {
            layers.push(tape);
        }
    }
    if core.layers.is_empty() && reach == Reach::First {
        x = gather(&x, batch, core.config.hidden_size, pool);
    }
    let batch = if first.is_some() { batch.clone() } else { RaggedBatch::default() };
    Ok((x.to_vec(), Tape { batch, embeddings, layers, first: keep }))
}

/// The rows of the texts' first tokens.
pub(super) fn gather(x: &[f32], batch: &RaggedBatch, width: usize, pool: &Arc<Pool>) -> Buf {
    let mut rows = pool.take(batch.texts() * width);
    for (row, start) in rows.chunks_exact_mut(width).zip(&batch.starts) {
        row.copy_from_slice(&x[start * width..][..width]);
    }
    rows
}

pub(super) fn embed(core: &Core, asked: &Asked, pool: &Arc<Pool>) -> Result<(Buf, EmbeddingTape)> {
    let (batch, masks) = (asked.batch, asked.masks);
    let (tokens, width) = (batch.tokens(), core.config.embedding_size);
    let e = &core.embeddings;
    let (word, position, types) = (Read::of(&e.word)?, Read::of(&e.position)?, Read::of(&e.types)?);
    let (gain, bias) = (Read::of(&e.norm.weight)?, Read::of(&e.norm.bias)?);
    if let Some(shift) = asked.shift.filter(|shift| shift.len() != tokens * width) {
        bail!("a shift of {} numbers does not fit {} embedded ones", shift.len(), tokens * width);
    }
    let places: Vec<u32> = (0..batch.texts()).flat_map(|text| 0..batch.range(text).len() as u32).collect();
    let (mut y, mut centred, mut scale) = (pool.take(tokens * width), pool.take(tokens * width), pool.take(tokens));
    let of = Embedding {
        ids: &batch.ids,
        places: &places,
        word: &word,
        position: &position,
        types: &types[..width],
        shift: asked.shift,
        gain: &gain,
        bias: &bias,
        eps: core.config.layer_norm_eps as f32,
        dropout: masks.embeddings,
    };
    embed_forward(&of, NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale });
    let mut output = None;
    if let Some(project) = &e.project {
        let hidden = core.config.hidden_size;
        let mut projected = pool.take(tokens * hidden);
        forward_linear(project, &mut projected, hidden, &y, true, (asked.precision, pool))?;
        output = Some(std::mem::replace(&mut y, projected));
    }
    Ok((y, EmbeddingTape { centred, scale, output, dropout: masks.embeddings }))
}

/// What an attention took and gave.
struct Attended {
    qkv: Buf,
    context: Buf,
    logs: Buf,
    prefixed: Option<Prefixed>,
}

/// Attention of the first `queries` tokens of each text over the text and the layer's prefix.
fn attend(
    core: &Core,
    layer: &Layer,
    batch: &RaggedBatch,
    (mut qkv, queries): (Buf, usize),
    masks: LayerMasks,
    pool: &Arc<Pool>,
) -> Result<Attended> {
    let (hidden, heads) = (core.config.hidden_size, core.config.num_attention_heads);
    let mut longer = None;
    if let Some(prefix) = &layer.prefix {
        let (all, starts) = with_prefix(&qkv, prefix, batch, pool)?;
        qkv = all;
        longer = Some(starts);
    }
    let starts = longer.as_ref().unwrap_or(&batch.starts);
    let rows = starts.last().copied().unwrap_or_default();
    let (mut context, mut logs) = (pool.take(rows * hidden), pool.take(rows * heads));
    let attention = Attention { starts, heads, hidden, dropout: masks.attention, queries, pool };
    attention_forward(&attention, &qkv, &mut context, &mut logs);
    let Some(starts) = longer else { return Ok(Attended { qkv, context, logs, prefixed: None }) };
    let own = own_rows(&context, &starts, batch, hidden, pool);
    Ok(Attended { qkv, context: own, logs, prefixed: Some(Prefixed { starts, context }) })
}

fn run_layer(
    core: &Core,
    layer: &Layer,
    batch: &RaggedBatch,
    masks: LayerMasks,
    x: Buf,
    reach: Reach,
    (precision, pool): (Precision, &Arc<Pool>),
) -> Result<(Buf, LayerTape)> {
    let (tokens, h, f) = (batch.tokens(), core.config.hidden_size, core.config.intermediate_size);
    let eps = core.config.layer_norm_eps as f32;
    let mut qkv = pool.take(tokens * 3 * h);
    let first = (reach == Reach::First).then(|| gather(&x, batch, h, pool));
    for (part, pair) in [&layer.query, &layer.key, &layer.value].into_iter().enumerate() {
        match &first {
            Some(first) if part == 0 => {
                let mut queries = pool.take(batch.texts() * h);
                forward_linear(pair, &mut queries, h, first, true, (precision, pool))?;
                for (query, start) in queries.chunks_exact(h).zip(&batch.starts) {
                    qkv[start * 3 * h..][..h].copy_from_slice(query);
                }
            }
            _ => forward_linear(pair, &mut qkv[part * h..], 3 * h, &x, true, (precision, pool))?,
        }
    }
    let queries = if first.is_some() { 1 } else { usize::MAX };
    let Attended { qkv, context, logs, prefixed } = attend(core, layer, batch, (qkv, queries), masks, pool)?;
    let first = first.map(|input| FirstRows { input, context: gather(&context, batch, h, pool) });

    // From here on rows do not look at one another: those nobody asks about are left out.
    let tokens = if first.is_some() { batch.texts() } else { tokens };
    let (residual, attended) = first.as_ref().map_or((&x, &context), |first| (&first.input, &first.context));
    let mut out = pool.take(tokens * h);
    forward_linear(&layer.attended, &mut out, h, attended, false, (precision, pool))?;
    let adapted1 = adapt(layer.attention_adapter.as_ref(), &layer.attended, &mut out, (precision, pool))?;
    let (mut middle, mut centred1, mut scale1) = (pool.take(tokens * h), pool.take(tokens * h), pool.take(tokens));
    let input = NormInput {
        x: &out,
        bias: if adapted1.is_some() { None } else { Some(&*Read::of(&layer.attended.bias)?) },
        residual: Some(residual),
        dropout: masks.attended,
        gain: &Read::of(&layer.attention_norm.weight)?,
        shift: &Read::of(&layer.attention_norm.bias)?,
        eps,
    };
    norm_forward(input, NormOutput { y: &mut middle, centred: &mut centred1, scale: &mut scale1 });

    let (mut inner, mut active) = (pool.take(tokens * f), pool.take(tokens * f));
    forward_linear(&layer.up, &mut inner, f, &middle, false, (precision, pool))?;
    activate_forward(&mut inner, &mut active, &Read::of(&layer.up.bias)?, core.config.hidden_act);
    forward_linear(&layer.down, &mut out, h, &active, false, (precision, pool))?;
    let adapted2 = adapt(layer.adapter.as_ref(), &layer.down, &mut out, (precision, pool))?;
    drop(active);
    let (mut y, mut centred2, mut scale2) = (pool.take(tokens * h), pool.take(tokens * h), pool.take(tokens));
    let input = NormInput {
        x: &out,
        bias: if adapted2.is_some() { None } else { Some(&*Read::of(&layer.down.bias)?) },
        residual: Some(&middle),
        dropout: masks.fed,
        gain: &Read::of(&layer.norm.weight)?,
        shift: &Read::of(&layer.norm.bias)?,
        eps,
    };
    norm_forward(input, NormOutput { y: &mut y, centred: &mut centred2, scale: &mut scale2 });
    let adapters = [adapted1, adapted2];
    let tape =
        LayerTape { input: x, qkv, logs, context, first, centred1, scale1, middle, inner, centred2, scale2, masks, adapters, prefixed };
    Ok((y, tape))
}
