//! The encoder as candle's ops with their gradients: the way on graphics cards. Ragged like the kernels' way, and equal to
//! it: the same rows are left out, the same dropouts drawn, the same layers learn; large products are of numbers rounded as
//! the [`Place`] says, all sums are float32. Unlike [`Encoder::forward_plain`](super::Encoder::forward_plain), which takes
//! one text after the other, attention takes texts of about one length together.

mod blocks;
mod given;

use super::adapter::Adapter;
use super::batch::{Mode, RaggedBatch};
use super::encoder::{Core, Layer, Pair};
use super::fast::{Input, LayerMasks, Masks, Reach};
use super::low_rank::LowRank;
use super::place::Place;
use super::plain;
use super::prefix::{lengthened, with_rows, without_rows};
use blocks::Blocks;
use candle_core::{Result, Tensor, Var, bail};
use given::Given;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// What a pass needs beside weights and texts.
pub(super) struct Around<'a> {
    pub place: &'a Place,
    pub input: &'a Arc<Mutex<Input>>,
    /// A leaf of the graph, so that it reaches what is watched where nothing below learns.
    pub anchor: &'a Var,
}

/// A pass over a batch.
struct Pass<'a> {
    core: &'a Core,
    place: &'a Place,
    batch: &'a RaggedBatch,
    blocks: Blocks,
    /// The lowest layer whose weights are part of the graph.
    first: usize,
}

/// Hidden states `[tokens, hidden]`, or `[texts, hidden]` of the texts' first tokens.
pub(super) fn forward(core: &Core, around: &Around, batch: &RaggedBatch, reach: Reach, mode: &mut Mode) -> Result<Tensor> {
    let masks = Masks::draw(core.layers.len(), mode);
    if let Some(dropout) = masks.embeddings.filter(|_| !around.place.device().is_cpu()) {
        around.place.device().set_seed(dropout.seed)?;
    }
    let first = if mode.is_train() { core.first_learning.load(Ordering::Relaxed) } else { usize::MAX };
    let blocks = Blocks::of(batch, around.place.device(), mode.is_train())?;
    let pass = Pass { core, place: around.place, batch, blocks, first };
    let mut x = pass.embed(around, &masks, mode.is_train())?;
    let last = core.layers.len().saturating_sub(1);
    for (at, (layer, masks)) in core.layers.iter().zip(&masks.layers).enumerate() {
        // Below the last layer every token is asked about.
        let reach = if at == last { reach } else { Reach::All };
        x = pass.layer(layer, at >= first, *masks, &x, reach)?;
    }
    if core.layers.is_empty() && reach == Reach::First { pass.first_rows(&x) } else { Ok(x) }
}

/// A parameter as part of the graph, or not.
fn part(tensor: &Tensor, learns: bool) -> Tensor {
    if learns { tensor.clone() } else { tensor.detach() }
}

impl Pass<'_> {
    fn embed(&self, around: &Around, masks: &Masks, is_train: bool) -> Result<Tensor> {
        let (batch, e, learns) = (self.batch, &self.core.embeddings, self.first == 0);
        let device = self.place.device();
        let ids = Tensor::from_slice(&batch.ids, batch.tokens(), device)?;
        let places: Vec<u32> = (0..batch.texts()).flat_map(|text| 0..batch.range(text).len() as u32).collect();
        let places = Tensor::from_vec(places, batch.tokens(), device)?;
        let mut sum = (part(&e.word, learns).index_select(&ids, 0)? + part(&e.position, learns).index_select(&places, 0)?)?;
        let (watched, shift) = {
            let input = around.input.lock().unwrap_or_else(PoisonError::into_inner);
            (input.watched && is_train, input.shift.clone())
        };
        if let Some(shift) = shift {
            if shift.len() != sum.elem_count() {
                bail!("a shift of {} numbers does not fit {} embedded ones", shift.len(), sum.elem_count());
            }
            sum = (&sum + Tensor::from_vec(shift, sum.shape(), device)?)?;
        }
        if watched {
            sum = watch(&sum, around)?;
        }
        let sum = sum.broadcast_add(&part(&e.types, learns).narrow(0, 0, 1)?)?;
        let x = plain::dropout(&self.norm(&sum, &e.norm, learns)?, masks.embeddings)?;
        match &e.project {
            Some(project) => self.linear(&x, project, learns),
            None => Ok(x),
        }
    }

    fn layer(&self, layer: &Layer, learns: bool, masks: LayerMasks, x: &Tensor, reach: Reach) -> Result<Tensor> {
        // Rounded once for all three.
        let rounded = self.place.rounded(x)?;
        let parts = [&layer.query, &layer.key, &layer.value].map(|pair| self.linear_of(&rounded, pair, learns));
        let [query, key, value] = parts;
        let qkv = Tensor::cat(&[query?, key?, value?], 1)?;
        let heads = self.core.config.num_attention_heads;
        let mut context = match &layer.prefix {
            None => self.blocks.attention(&qkv, heads, masks.attention, self.place)?,
            Some(prefix) => {
                let (keys, values) = (part(&prefix.keys, learns), part(&prefix.values, learns));
                let rows = Tensor::cat(&[&keys.zeros_like()?, &keys, &values], 1)?;
                let longer = lengthened(self.batch, prefix.rows());
                let blocks = Blocks::of(&longer, self.place.device(), learns)?;
                let all = blocks.attention(&with_rows(&qkv, &rows, self.batch)?, heads, masks.attention, self.place)?;
                without_rows(&all, prefix.rows(), self.batch)?
            }
        };
        let mut residual = x.clone();
        if reach == Reach::First {
            // From here on rows do not look at one another: those nobody asks about are left out.
            (context, residual) = (self.first_rows(&context)?, self.first_rows(x)?);
        }
        let adapted = |x: Tensor, adapter: Option<&Adapter>| match adapter {
            Some(adapter) => adapter.forward_plain(&x, &|tensor| part(tensor, learns)),
            None => Ok(x),
        };
        let attended = adapted(self.linear(&context, &layer.attended, learns)?, layer.attention_adapter.as_ref())?;
        let attended = plain::dropout(&attended, masks.attended)?;
        let middle = self.norm(&(residual + attended)?, &layer.attention_norm, learns)?;
        let inner = plain::activate(&self.linear(&middle, &layer.up, learns)?, self.core.config.hidden_act)?;
        let fed = plain::dropout(&adapted(self.linear(&inner, &layer.down, learns)?, layer.adapter.as_ref())?, masks.fed)?;
        self.norm(&(middle + fed)?, &layer.norm, learns)
    }

    /// The rows of the texts' first tokens.
    fn first_rows(&self, x: &Tensor) -> Result<Tensor> {
        let first: Vec<u32> = self.batch.starts[..self.batch.texts()].iter().map(|start| *start as u32).collect();
        x.index_select(&Tensor::from_vec(first, self.batch.texts(), x.device())?, 0)
    }

    fn norm(&self, x: &Tensor, pair: &Pair, learns: bool) -> Result<Tensor> {
        plain::layer_norm(x, &part(&pair.weight, learns), &part(&pair.bias, learns), self.core.config.layer_norm_eps)
    }

    fn linear(&self, x: &Tensor, pair: &Pair, learns: bool) -> Result<Tensor> {
        self.linear_of(&self.place.rounded(x)?, pair, learns)
    }

    /// The same of an input that is rounded already.
    fn linear_of(&self, x: &Tensor, pair: &Pair, learns: bool) -> Result<Tensor> {
        let product = |x: &Tensor, weight: &Tensor| x.matmul(&self.place.rounded(&part(weight, learns))?.t()?);
        let float = candle_core::DType::F32;
        let y = product(x, &pair.weight)?.to_dtype(float)?.broadcast_add(&part(&pair.bias, learns))?;
        let Some(LowRank { down, up, scale }) = &pair.update else { return Ok(y) };
        y + (product(&product(x, down)?, up)?.to_dtype(float)? * f64::from(*scale))?
    }
}

/// Has the gradient of the embedded pieces kept when it passes.
fn watch(sum: &Tensor, around: &Around) -> Result<Tensor> {
    let input = around.input.clone();
    let keep = move |grad: &Tensor| {
        let gradient = grad.flatten_all()?.to_vec1::<f32>()?;
        input.lock().unwrap_or_else(PoisonError::into_inner).add(Some(gradient));
        Ok(grad.clone())
    };
    sum.apply_op2(around.anchor.as_tensor(), Given::new(sum.detach(), keep))
}
