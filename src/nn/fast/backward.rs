//! All learning layers backward. A layer's tape is freed as soon as its gradients are made.

use super::adapter::{AdapterTape, adapter_backward};
use super::linear::{input_gradient, weight_gradients};
use super::prefix::{Prefixed, at_their_places, prefix_backward};
use super::{EmbeddingTape, FirstRows, LayerTape, Read, Tape};
use crate::nn::adapter::Adapter;
use crate::nn::batch::{Dropout, RaggedBatch};
use crate::nn::encoder::{Core, Layer, Pair};
use crate::nn::kernels::{
    Attention, AttentionSaved, Buf, NormBackward, NormGrads, Pool, Precision, activate_backward, attention_backward, column_sums,
    drop_rows, norm_backward,
};
use crate::nn::params::{Grad, RowsGrad, Sink, accumulate};
use candle_core::{Result, Tensor};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Collects gradients of one group of parameters under its prefix.
pub(super) struct Collect<'a> {
    prefix: String,
    /// Whether these parameters learn in this step.
    learns: bool,
    pub pool: &'a Arc<Pool>,
    /// Of the products of linear layers.
    pub precision: Precision,
    sink: &'a Sink,
}

impl Collect<'_> {
    pub fn wants(&self, parameter: &Tensor) -> bool {
        self.learns && parameter.is_variable()
    }

    /// The gradient of `parameter`, which is dropped if that does not learn.
    pub fn give(&self, name: &str, parameter: &Tensor, grad: Buf) {
        if self.wants(parameter) {
            accumulate(self.sink, format!("{}{name}", self.prefix), Grad::Whole(grad));
        }
    }
}

/// From the gradient of the hidden states to those of all learning weights, into `sink`; gives that of the embedded pieces
/// where they stand on the tape.
pub(super) fn backward(core: &Core, tape: Tape, grad: &[f32], pool: &Arc<Pool>, sink: &Sink) -> Result<Option<Vec<f32>>> {
    let Tape { batch, embeddings, mut layers, first } = tape;
    // The tape may reach further down than what learns.
    let learning = core.first_learning.load(Ordering::Relaxed);
    let precision = core.precision();
    let mut g = pool.take(grad.len());
    g.copy_from_slice(grad);
    while let Some(layer) = layers.pop() {
        let at = first + layers.len();
        let collect = Collect { prefix: format!("bert.encoder.layer.{at}."), learns: at >= learning, pool, precision, sink };
        let wanted = !layers.is_empty() || embeddings.is_some();
        g = layer_backward(core, &core.layers[at], &batch, layer, g, &collect, wanted)?;
    }
    let Some(tape) = embeddings else { return Ok(None) };
    let collect = Collect { prefix: "bert.embeddings".to_owned(), learns: learning == 0, pool, precision, sink };
    Ok(Some(embeddings_backward(core, &batch, tape, g, &collect)?.to_vec()))
}

/// Through one norm and what stands before it; gives the gradient of the residual (in `g`) and of the linear layer.
fn norm_step(
    of: NormBackward,
    g: &mut Buf,
    collect: &Collect,
    (norm, to): (&str, &Pair),
    (dense, from): (&str, &Pair),
    adapter: Option<(&str, &Adapter, AdapterTape)>,
) -> Result<Buf> {
    let (len, cols, pool) = (g.len(), of.gain.len(), collect.pool);
    let mut inner = pool.take(len);
    let (mut gain, mut shift, mut bias) = (pool.take(cols), pool.take(cols), pool.take(cols));
    norm_backward(of, g, Some(&mut inner), NormGrads { gain: &mut gain, shift: &mut shift, bias: &mut bias }, pool);
    collect.give(&format!("{norm}.weight"), &to.weight, gain);
    collect.give(&format!("{norm}.bias"), &to.bias, shift);
    // With an adapter between them the bias is the adapter's to tell.
    if let Some((name, adapter, tape)) = adapter {
        return adapter_backward(name, adapter, tape, inner, (dense, from), collect);
    }
    collect.give(&format!("{dense}.bias"), &from.bias, bias);
    Ok(inner)
}

/// Gives the gradient of the layer's input; without content when it is not `wanted`.
fn layer_backward(
    core: &Core,
    layer: &Layer,
    batch: &RaggedBatch,
    tape: LayerTape,
    mut g: Buf,
    collect: &Collect,
    wanted: bool,
) -> Result<Buf> {
    let (tokens, h, f, pool) = (batch.tokens(), core.config.hidden_size, core.config.intermediate_size, collect.pool);
    let LayerTape { input, qkv, logs, context, first, centred1, scale1, middle, inner, centred2, scale2, masks, adapters, prefixed } = tape;
    let [adapted1, adapted2] = adapters;

    let rows = if first.is_some() { batch.texts() } else { tokens };
    let gain = Read::of(&layer.norm.weight)?;
    let of = NormBackward { centred: &centred2, scale: &scale2, gain: &gain, dropout: masks.fed };
    let adapter = layer.adapter.as_ref().zip(adapted2).map(|(adapter, tape)| ("output.adapter", adapter, tape));
    let fed = norm_step(of, &mut g, collect, ("output.LayerNorm", &layer.norm), ("output.dense", &layer.down), adapter)?;
    drop((centred2, scale2));
    let (mut inner_grad, mut active) = (pool.take(rows * f), pool.take(rows * f));
    input_gradient(&layer.down, &mut inner_grad, &fed, h, false, collect)?;
    let mut bias = pool.take(f);
    activate_backward(&inner, &mut inner_grad, &mut active, &mut bias, core.config.hidden_act, pool);
    collect.give("intermediate.dense.bias", &layer.up.bias, bias);
    weight_gradients("output.dense", &layer.down, &fed, h, &active, collect)?;
    drop((active, inner, fed));
    weight_gradients("intermediate.dense", &layer.up, &inner_grad, f, &middle, collect)?;
    input_gradient(&layer.up, &mut g, &inner_grad, f, true, collect)?;
    drop((inner_grad, middle));

    let gain = Read::of(&layer.attention_norm.weight)?;
    let of = NormBackward { centred: &centred1, scale: &scale1, gain: &gain, dropout: masks.attended };
    let norm = ("attention.output.LayerNorm", &layer.attention_norm);
    let adapter = layer.attention_adapter.as_ref().zip(adapted1).map(|(adapter, tape)| ("attention.output.adapter", adapter, tape));
    let attended = norm_step(of, &mut g, collect, norm, ("attention.output.dense", &layer.attended), adapter)?;
    let taken = first.as_ref().map_or(&context, |first| &first.context);
    weight_gradients("attention.output.dense", &layer.attended, &attended, h, taken, collect)?;
    let mut context_grad = pool.take(rows * h);
    input_gradient(&layer.attended, &mut context_grad, &attended, h, false, collect)?;
    drop((attended, centred1, scale1));
    if first.is_some() {
        let mut all = pool.take(tokens * h);
        for (row, start) in context_grad.chunks_exact(h).zip(&batch.starts) {
            all[start * h..][..h].copy_from_slice(row);
        }
        context_grad = all;
    }

    let queries = if first.is_some() { 1 } else { usize::MAX };
    let seen = Seen { qkv, logs, context, context_grad, prefixed };
    let qkv_grad = attend_backward(core, layer, batch, (seen, queries), masks.attention, collect)?;
    if let Some(first) = first {
        g = queries_backward(layer, batch, &first, &qkv_grad, g, collect, wanted)?;
    }
    let mut biases = pool.take(3 * h);
    column_sums(&qkv_grad, &mut biases, pool);
    let parts = [("query", &layer.query), ("key", &layer.key), ("value", &layer.value)].into_iter().enumerate();
    for (part, (name, pair)) in parts.skip(usize::from(queries == 1)) {
        let grad = &qkv_grad[part * h..];
        let mut bias = pool.take(h);
        bias.copy_from_slice(&biases[part * h..][..h]);
        collect.give(&format!("attention.self.{name}.bias"), &pair.bias, bias);
        weight_gradients(&format!("attention.self.{name}"), pair, grad, 3 * h, &input, collect)?;
        if wanted {
            input_gradient(pair, &mut g, grad, 3 * h, true, collect)?;
        }
    }
    Ok(g)
}

/// What an attention took and gave, and the gradient of what it gave.
struct Seen {
    qkv: Buf,
    logs: Buf,
    context: Buf,
    context_grad: Buf,
    prefixed: Option<Prefixed>,
}

/// The gradient of queries, keys and values; those of a prefix are given.
fn attend_backward(
    core: &Core,
    layer: &Layer,
    batch: &RaggedBatch,
    (seen, queries): (Seen, usize),
    dropout: Option<Dropout>,
    collect: &Collect,
) -> Result<Buf> {
    let (heads, hidden, pool) = (core.config.num_attention_heads, core.config.hidden_size, collect.pool);
    let Seen { qkv, mut logs, mut context, mut context_grad, prefixed } = seen;
    let mut longer = None;
    if let Some(Prefixed { starts, context: whole }) = prefixed {
        context = whole;
        context_grad = at_their_places(&context_grad, &starts, batch, hidden, pool);
        longer = Some(starts);
    }
    let starts = longer.as_ref().unwrap_or(&batch.starts);
    let mut qkv_grad = pool.take(qkv.len());
    let of = Attention { starts, heads, hidden, dropout, queries, pool };
    attention_backward(&of, AttentionSaved { qkv: &qkv, context: &context, context_grad: &context_grad }, &mut logs, &mut qkv_grad);
    match layer.prefix.as_ref().zip(longer) {
        Some((prefix, starts)) => prefix_backward(prefix, &qkv_grad, &starts, batch, collect),
        None => Ok(qkv_grad),
    }
}

/// Where only first tokens asked: the gradient of what made their queries. `g` `[texts, hidden]`, the gradient of the
/// residual, comes back as that of all tokens.
fn queries_backward(
    layer: &Layer,
    batch: &RaggedBatch,
    first: &FirstRows,
    qkv_grad: &[f32],
    mut g: Buf,
    collect: &Collect,
    wanted: bool,
) -> Result<Buf> {
    let (pool, h) = (collect.pool, first.input.len() / batch.texts());
    let mut grad = pool.take(batch.texts() * h);
    for (row, start) in grad.chunks_exact_mut(h).zip(&batch.starts) {
        row.copy_from_slice(&qkv_grad[start * 3 * h..][..h]);
    }
    let mut bias = pool.take(h);
    column_sums(&grad, &mut bias, pool);
    collect.give("attention.self.query.bias", &layer.query.bias, bias);
    weight_gradients("attention.self.query", &layer.query, &grad, h, &first.input, collect)?;
    if !wanted {
        return Ok(g);
    }
    input_gradient(&layer.query, &mut g, &grad, h, true, collect)?;
    let mut all = pool.zeros(batch.tokens() * h);
    for (row, start) in g.chunks_exact(h).zip(&batch.starts) {
        all[start * h..][..h].copy_from_slice(row);
    }
    Ok(all)
}

/// Gives the gradient of the embedded pieces.
fn embeddings_backward(core: &Core, batch: &RaggedBatch, tape: EmbeddingTape, mut g: Buf, collect: &Collect) -> Result<Buf> {
    let (width, hidden, pool, e) = (core.config.embedding_size, core.config.hidden_size, collect.pool, &core.embeddings);
    if let (Some(project), Some(output)) = (&e.project, &tape.output) {
        let mut bias = pool.take(hidden);
        column_sums(&g, &mut bias, pool);
        collect.give("_project.bias", &project.bias, bias);
        weight_gradients("_project", project, &g, hidden, output, collect)?;
        let mut before = pool.take(batch.tokens() * width);
        input_gradient(project, &mut before, &g, hidden, false, collect)?;
        g = before;
    }
    if let Some(dropout) = tape.dropout {
        drop_rows(&mut g, width, dropout);
    }
    let (mut gain, mut shift, mut types) = (pool.take(width), pool.take(width), pool.zeros(e.types.elem_count()));
    let weight = Read::of(&e.norm.weight)?;
    let of = NormBackward { centred: &tape.centred, scale: &tape.scale, gain: &weight, dropout: None };
    norm_backward(of, &mut g, None, NormGrads { gain: &mut gain, shift: &mut shift, bias: &mut types[..width] }, pool);
    collect.give(".LayerNorm.weight", &e.norm.weight, gain);
    collect.give(".LayerNorm.bias", &e.norm.bias, shift);
    collect.give(".token_type_embeddings.weight", &e.types, types);
    if collect.wants(&e.position) {
        collect.give(".position_embeddings.weight", &e.position, position_sums(batch, &g, width, e.position.elem_count(), pool));
    }
    if collect.wants(&e.word) {
        let grad = table_rows(&batch.ids, &g, width, core.config.vocab_size, pool);
        accumulate(collect.sink, format!("{}.word_embeddings.weight", collect.prefix), Grad::Rows(grad));
    }
    Ok(g)
}

/// Sums up the rows of `g` `[tokens, width]` by place in the text.
fn position_sums(batch: &RaggedBatch, g: &[f32], width: usize, numbers: usize, pool: &Arc<Pool>) -> Buf {
    let mut position = pool.zeros(numbers);
    position.par_chunks_mut(width).take(batch.longest()).enumerate().for_each(|(place, sum)| {
        for range in (0..batch.texts()).map(|text| batch.range(text)).filter(|range| place < range.len()) {
            let row = &g[(range.start + place) * width..][..width];
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    });
    position
}

/// Sums up the rows of `g` `[tokens, width]` by token.
pub(in crate::nn) fn table_rows(ids: &[u32], g: &[f32], width: usize, table_rows: usize, pool: &Arc<Pool>) -> RowsGrad {
    let mut rows = ids.to_vec();
    rows.sort_unstable();
    rows.dedup();
    let mut values = pool.zeros(rows.len() * width);
    for (id, row) in ids.iter().zip(g.chunks_exact(width)) {
        let at = rows.partition_point(|other| other < id);
        values[at * width..][..width].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    RowsGrad { rows, values, table_rows }
}
