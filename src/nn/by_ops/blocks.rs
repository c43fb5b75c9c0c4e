//! Attention over a ragged batch by ops that want rectangles: texts whose lengths are within a quarter of each other stand
//! together in a block, padded to its longest. However the lengths are mixed, no text is padded by more than that, and
//! there are as many products as kinds of lengths, not as texts.

use super::given::Given;
use crate::nn::batch::{Dropout, RaggedBatch};
use crate::nn::place::Place;
use crate::nn::plain::drawn_mask;
use candle_core::{D, DType, Device, Result, Tensor};

/// Texts up to so long stand together whatever their lengths are.
const SHORT: usize = 16;

/// What a key beyond its text's end scores.
const BEYOND: f32 = -1e9;

/// Texts that are padded to one length.
struct Block {
    texts: Vec<usize>,
    longest: usize,
    /// Its first row among those of all blocks.
    start: usize,
    /// `[texts, 1, 1, longest]`: 0, and [`BEYOND`] at padding. `None` without padding.
    beyond: Option<Tensor>,
}

/// How the rows of a batch stand in blocks and come back.
pub(super) struct Blocks {
    blocks: Vec<Block>,
    /// Where each text starts in the batch, and its length.
    texts: Vec<(usize, usize)>,
    tokens: usize,
    /// Of each row of the blocks the token there; 0 at padding.
    there: Tensor,
    /// The same with one beyond the last token at padding.
    there_or_none: Tensor,
    /// Of each token its row in the blocks.
    back: Tensor,
    is_train: bool,
}

/// The texts in order of length, cut where the next is more than a quarter longer than the first of its block.
fn grouped(lengths: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|text| lengths[*text].1);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut most = 0;
    for text in order {
        let length = lengths[text].1;
        match groups.last_mut() {
            Some(group) if length <= most => group.push(text),
            _ => {
                most = (length + length / 4).max(SHORT);
                groups.push(vec![text]);
            }
        }
    }
    groups
}

impl Blocks {
    pub fn of(batch: &RaggedBatch, device: &Device, is_train: bool) -> Result<Self> {
        let texts: Vec<(usize, usize)> = (0..batch.texts()).map(|text| (batch.range(text).start, batch.range(text).len())).collect();
        let tokens = batch.tokens();
        let (mut blocks, mut there, mut back) = (Vec::new(), Vec::new(), vec![0u32; tokens]);
        for group in grouped(&texts) {
            let longest = group.iter().map(|text| texts[*text].1).max().unwrap_or(0);
            let start = there.len();
            let mut beyond = vec![0f32; group.len() * longest];
            for (row, text) in group.iter().enumerate() {
                let (first, length) = texts[*text];
                for place in 0..longest {
                    if place < length {
                        back[first + place] = there.len() as u32;
                        there.push((first + place) as u32);
                    } else {
                        beyond[row * longest + place] = BEYOND;
                        there.push(tokens as u32);
                    }
                }
            }
            let padded = beyond.contains(&BEYOND);
            let beyond = padded.then(|| Tensor::from_vec(beyond, (group.len(), 1, 1, longest), device)).transpose()?;
            blocks.push(Block { texts: group, longest, start, beyond });
        }
        let rows = there.len();
        let or_first: Vec<u32> = there.iter().map(|row| if *row as usize == tokens { 0 } else { *row }).collect();
        Ok(Self {
            blocks,
            texts,
            tokens,
            there: Tensor::from_vec(or_first, rows, device)?,
            there_or_none: Tensor::from_vec(there, rows, device)?,
            back: Tensor::from_vec(back, tokens, device)?,
            is_train,
        })
    }

    /// `[rows, width]` from `[tokens, width]`. Padding gets some token's row: nothing looks at it.
    fn spread(&self, x: &Tensor) -> Result<Tensor> {
        let spread = x.detach().index_select(&self.there, 0)?;
        if !self.is_train {
            return Ok(spread);
        }
        // The gradient is gathered too: candle's own scatters, which graphics cards do slowly. None comes from padding.
        let back = self.back.clone();
        x.apply_op1(Given::new(spread, move |grad: &Tensor| grad.contiguous()?.index_select(&back, 0)))
    }

    /// `[tokens, width]` from `[rows, width]`.
    fn gather(&self, x: &Tensor) -> Result<Tensor> {
        let gathered = x.detach().index_select(&self.back, 0)?;
        if !self.is_train {
            return Ok(gathered);
        }
        let there = self.there_or_none.clone();
        let back = move |grad: &Tensor| {
            let nothing = Tensor::zeros((1, grad.dims2()?.1), grad.dtype(), grad.device())?;
            Tensor::cat(&[grad, &nothing], 0)?.index_select(&there, 0)
        };
        x.apply_op1(Given::new(gathered, back))
    }

    /// Attention of `heads` heads within each text: `[tokens, hidden]` from queries, keys and values beside each other,
    /// `[tokens, 3 * hidden]`. The dropout is that of [`plain::attention`](crate::nn::plain::attention).
    pub fn attention(&self, qkv: &Tensor, heads: usize, dropout: Option<Dropout>, place: &Place) -> Result<Tensor> {
        let spread = self.spread(qkv)?;
        let width = qkv.dims2()?.1 / 3 / heads;
        let contexts = self.blocks.iter().map(|block| {
            let (texts, longest) = (block.texts.len(), block.longest);
            let own = spread.narrow(0, block.start, texts * longest)?.reshape((texts, longest, 3, heads, width))?;
            let part = |at: usize| place.rounded(&own.narrow(2, at, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?);
            let (q, k, v) = (part(0)?, part(1)?, part(2)?);
            let mut scores = (q.matmul(&k.t()?)?.to_dtype(DType::F32)? * (1.0 / (width as f64).sqrt()))?;
            if let Some(beyond) = &block.beyond {
                scores = scores.broadcast_add(beyond)?;
            }
            let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
            let mut weights = scores.broadcast_div(&scores.sum_keepdim(D::Minus1)?)?;
            if let Some(dropout) = dropout {
                weights = weights.mul(&self.mask(block, heads, dropout, place.device())?)?;
            }
            let context = place.rounded(&weights)?.matmul(&v)?.to_dtype(DType::F32)?;
            context.transpose(1, 2)?.reshape((texts * longest, heads * width))
        });
        self.gather(&Tensor::cat(&contexts.collect::<Result<Vec<_>>>()?, 0)?)
    }

    /// `[texts, heads, longest, longest]`
    fn mask(&self, block: &Block, heads: usize, dropout: Dropout, device: &Device) -> Result<Tensor> {
        let shape = (block.texts.len(), heads, block.longest, block.longest);
        if !device.is_cpu() {
            return drawn_mask(&shape.into(), dropout, device);
        }
        let (threshold, kept) = (dropout.threshold(), dropout.scale());
        let mut mask = Vec::with_capacity(block.texts.len() * heads * block.longest * block.longest);
        for text in &block.texts {
            let start = self.texts[*text].0;
            for (head, row) in (0..heads).flat_map(|head| (0..block.longest).map(move |row| (head, row))) {
                let key = dropout.row_key((head * self.tokens + start + row) as u64);
                mask.extend((0..block.longest as u32).map(|col| if Dropout::bits(key, col) < threshold { 0.0 } else { kept }));
            }
        }
        Tensor::from_vec(mask, shape, device)
    }
}
