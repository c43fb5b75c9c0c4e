//! All layers forward.

use super::{EmbeddingTape, FirstRows, LayerMasks, LayerTape, Masks, Reach, Read, Tape};
use crate::nn::batch::RaggedBatch;
use crate::nn::encoder::{Core, Layer};
use crate::nn::kernels::{
    Attention, BLOCK, Buf, NormInput, NormOutput, Pool, activate_forward, attention_forward, drop_rows, linear, norm_forward,
};
use candle_core::Result;
use rayon::prelude::*;
use std::sync::Arc;

/// Hidden states of the last layer, and the tape from layer `first` on (`None`: no tape is kept).
pub(super) fn forward(
    core: &Core,
    batch: &RaggedBatch,
    masks: &Masks,
    first: Option<usize>,
    reach: Reach,
    pool: &Arc<Pool>,
) -> Result<(Vec<f32>, Tape)> {
    let (mut x, embeddings) = embed(core, batch, masks, pool)?;
    let keep = first.unwrap_or(usize::MAX);
    let embeddings = (keep == 0).then_some(embeddings);
    let mut layers = Vec::new();
    let last = core.layers.len().saturating_sub(1);
    for (at, (layer, masks)) in core.layers.iter().zip(&masks.layers).enumerate() {
        // Below the last layer every token is asked about.
        let reach = if at == last { reach } else { Reach::All };
        let (output, tape) = run_layer(core, layer, batch, *masks, x, reach, pool)?;
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

fn embed(core: &Core, batch: &RaggedBatch, masks: &Masks, pool: &Arc<Pool>) -> Result<(Buf, EmbeddingTape)> {
    let (tokens, width) = (batch.tokens(), core.config.embedding_size);
    let e = &core.embeddings;
    let (word, position, types) = (Read::of(&e.word)?, Read::of(&e.position)?, Read::of(&e.types)?);
    let (word, position): (&[f32], &[f32]) = (&word, &position);
    let places: Vec<usize> = (0..batch.texts()).flat_map(|text| 0..batch.range(text).len()).collect();
    let mut sum = pool.take(tokens * width);
    let rows = sum.par_chunks_mut(width * BLOCK).zip(batch.ids.par_chunks(BLOCK)).zip(places.par_chunks(BLOCK));
    rows.for_each(|((sum, ids), places)| {
        for ((sum, id), place) in sum.chunks_exact_mut(width).zip(ids).zip(places) {
            let word = &word[*id as usize * width..][..width];
            let position = &position[place * width..][..width];
            for ((sum, word), position) in sum.iter_mut().zip(word).zip(position) {
                *sum = word + position;
            }
        }
    });
    let (gain, shift) = (Read::of(&e.norm.weight)?, Read::of(&e.norm.bias)?);
    let (mut y, mut centred, mut scale) = (pool.take(tokens * width), pool.take(tokens * width), pool.take(tokens));
    let input = NormInput {
        x: &sum,
        bias: Some(&types[..width]),
        residual: None,
        dropout: None,
        gain: &gain,
        shift: &shift,
        eps: core.config.layer_norm_eps as f32,
    };
    norm_forward(input, NormOutput { y: &mut y, centred: &mut centred, scale: &mut scale });
    if let Some(dropout) = masks.embeddings {
        drop_rows(&mut y, width, dropout);
    }
    let mut output = None;
    if let Some(project) = &e.project {
        let hidden = core.config.hidden_size;
        let mut projected = pool.take(tokens * hidden);
        linear(&mut projected, hidden, &y, &Read::of(&project.weight)?, Some(&*Read::of(&project.bias)?), width);
        output = Some(std::mem::replace(&mut y, projected));
    }
    Ok((y, EmbeddingTape { centred, scale, output, dropout: masks.embeddings }))
}

fn run_layer(
    core: &Core,
    layer: &Layer,
    batch: &RaggedBatch,
    masks: LayerMasks,
    x: Buf,
    reach: Reach,
    pool: &Arc<Pool>,
) -> Result<(Buf, LayerTape)> {
    let (tokens, h, f) = (batch.tokens(), core.config.hidden_size, core.config.intermediate_size);
    let eps = core.config.layer_norm_eps as f32;
    let mut qkv = pool.take(tokens * 3 * h);
    let first = (reach == Reach::First).then(|| gather(&x, batch, h, pool));
    for (part, pair) in [&layer.query, &layer.key, &layer.value].into_iter().enumerate() {
        let (weight, bias) = (Read::of(&pair.weight)?, Read::of(&pair.bias)?);
        match &first {
            Some(first) if part == 0 => {
                let mut queries = pool.take(batch.texts() * h);
                linear(&mut queries, h, first, &weight, Some(&*bias), h);
                for (query, start) in queries.chunks_exact(h).zip(&batch.starts) {
                    qkv[start * 3 * h..][..h].copy_from_slice(query);
                }
            }
            _ => linear(&mut qkv[part * h..], 3 * h, &x, &weight, Some(&*bias), h),
        }
    }
    let heads = core.config.num_attention_heads;
    let (mut context, mut logs) = (pool.take(tokens * h), pool.take(tokens * heads));
    let queries = if first.is_some() { 1 } else { usize::MAX };
    let attention = Attention { starts: &batch.starts, heads, hidden: h, dropout: masks.attention, queries, pool };
    attention_forward(&attention, &qkv, &mut context, &mut logs);
    let first = first.map(|input| FirstRows { input, context: gather(&context, batch, h, pool) });

    // From here on rows do not look at one another: those nobody asks about are left out.
    let tokens = if first.is_some() { batch.texts() } else { tokens };
    let (residual, attended) = first.as_ref().map_or((&x, &context), |first| (&first.input, &first.context));
    let mut out = pool.take(tokens * h);
    linear(&mut out, h, attended, &Read::of(&layer.attended.weight)?, None, h);
    let (mut middle, mut centred1, mut scale1) = (pool.take(tokens * h), pool.take(tokens * h), pool.take(tokens));
    let input = NormInput {
        x: &out,
        bias: Some(&*Read::of(&layer.attended.bias)?),
        residual: Some(residual),
        dropout: masks.attended,
        gain: &Read::of(&layer.attention_norm.weight)?,
        shift: &Read::of(&layer.attention_norm.bias)?,
        eps,
    };
    norm_forward(input, NormOutput { y: &mut middle, centred: &mut centred1, scale: &mut scale1 });

    let (mut inner, mut active) = (pool.take(tokens * f), pool.take(tokens * f));
    linear(&mut inner, f, &middle, &Read::of(&layer.up.weight)?, None, h);
    activate_forward(&mut inner, &mut active, &Read::of(&layer.up.bias)?, core.config.hidden_act);
    linear(&mut out, h, &active, &Read::of(&layer.down.weight)?, None, f);
    drop(active);
    let (mut y, mut centred2, mut scale2) = (pool.take(tokens * h), pool.take(tokens * h), pool.take(tokens));
    let input = NormInput {
        x: &out,
        bias: Some(&*Read::of(&layer.down.bias)?),
        residual: Some(&middle),
        dropout: masks.fed,
        gain: &Read::of(&layer.norm.weight)?,
        shift: &Read::of(&layer.norm.bias)?,
        eps,
    };
    norm_forward(input, NormOutput { y: &mut y, centred: &mut centred2, scale: &mut scale2 });
    Ok((y, LayerTape { input: x, qkv, logs, context, first, centred1, scale1, middle, inner, centred2, scale2, masks }))
}
