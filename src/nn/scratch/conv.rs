//! A layer of one-dimensional convolutions of several widths over a ragged batch (Kim 2014), each followed by a rectifier.
//! Texts are padded with zeros as PyTorch's `padding="same"` does, so that every token has a state of its own and a text
//! may be shorter than the widest filter.

use super::{Collect, Read};
use crate::nn::LoadError;
use crate::nn::batch::RaggedBatch;
use crate::nn::heads::HeadLoader;
use crate::nn::kernels::{BLOCK, Buf, Pool, linear, linear_input_grad};
use candle_core::{Result, Tensor};
use rayon::prelude::*;
use std::sync::Arc;

/// The filters of one width.
#[derive(Debug)]
struct Filters {
    name: String,
    width: usize,
    /// `[filters, width * inputs]`: PyTorch's `[filters, inputs, width]` with the last two exchanged.
    weight: Tensor,
    bias: Tensor,
}

/// A layer; the states of the widths stand beside each other.
#[derive(Debug)]
pub(super) struct ConvLayer {
    inputs: usize,
    filters: usize,
    widths: Vec<Filters>,
}

/// What a layer leaves for its gradient.
pub(super) struct ConvTape {
    input: Buf,
    /// Behind the rectifier: where it is 0 no gradient passes.
    output: Buf,
}

impl ConvLayer {
    /// Reads the layer's weights, or draws them as PyTorch does (uniform up to one over the root of what a filter reads).
    pub fn load(
        loader: &mut HeadLoader,
        layer: usize,
        inputs: usize,
        filters: usize,
        widths: &[usize],
    ) -> std::result::Result<Self, LoadError> {
        let read = |(at, width): (usize, &usize)| {
            let name = format!("conv.{layer}.{at}");
            let bound = 1.0 / ((width * inputs) as f64).sqrt();
            let weight = loader.uniform(&format!("{name}.weight"), &[filters, width * inputs], bound, 0..0)?;
            let bias = loader.uniform(&format!("{name}.bias"), &[filters], bound, 0..0)?;
            Ok(Filters { name, width: *width, weight, bias })
        };
        let widths = widths.iter().enumerate().map(read).collect::<std::result::Result<_, LoadError>>()?;
        Ok(Self { inputs, filters, widths })
    }

    fn outputs(&self) -> usize {
        self.filters * self.widths.len()
    }

    /// States `[tokens, widths * filters]` of `input` `[tokens, inputs]`.
    pub fn forward(&self, input: Buf, batch: &RaggedBatch, pool: &Arc<Pool>) -> Result<(Buf, ConvTape)> {
        let outputs = self.outputs();
        let mut output = pool.take(batch.tokens() * outputs);
        for (at, filters) in self.widths.iter().enumerate() {
            let windows = self.windows(filters.width, &input, batch, pool);
            let (weight, bias) = (Read::of(&filters.weight)?, Read::of(&filters.bias)?);
            linear(&mut output[at * self.filters..], outputs, &windows, &weight, Some(&bias), filters.width * self.inputs);
        }
        output.par_chunks_mut(outputs * BLOCK).for_each(|rows| rows.iter_mut().for_each(|value| *value = value.max(0.0)));
        let mut kept = pool.take(output.len());
        kept.copy_from_slice(&output);
        Ok((output, ConvTape { input, output: kept }))
    }

    /// From the gradient of the states to that of the input; those of the weights go to `collect`.
    pub fn backward(&self, tape: ConvTape, grad: &[f32], batch: &RaggedBatch, collect: &Collect) -> Result<Buf> {
        let (outputs, pool) = (self.outputs(), collect.pool);
        let ConvTape { input, output } = tape;
        let mut of_input = pool.zeros(input.len());
        for (at, filters) in self.widths.iter().enumerate() {
            let inputs = filters.width * self.inputs;
            let mut of_output = pool.take(batch.tokens() * self.filters);
            let rows = of_output.chunks_exact_mut(self.filters).zip(grad.chunks_exact(outputs).zip(output.chunks_exact(outputs)));
            for (row, (grad, output)) in rows {
                let own = at * self.filters..(at + 1) * self.filters;
                for ((value, grad), output) in row.iter_mut().zip(&grad[own.clone()]).zip(&output[own]) {
                    *value = if *output > 0.0 { *grad } else { 0.0 };
                }
            }
            let mut windows = self.windows(filters.width, &input, batch, pool);
            collect.weight(format!("{}.weight", filters.name), &of_output, &windows, (self.filters, inputs));
            collect.bias(format!("{}.bias", filters.name), &of_output, self.filters);
            linear_input_grad(&mut windows, &of_output, self.filters, &Read::of(&filters.weight)?, inputs, false);
            for (token, range) in tokens(batch) {
                let window = &windows[token * inputs..][..inputs];
                for (place, grad) in window.chunks_exact(self.inputs).enumerate() {
                    let Some(from) = seen(token, place, filters.width, &range) else { continue };
                    let sum = &mut of_input[from * self.inputs..][..self.inputs];
                    sum.iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad);
                }
            }
        }
        Ok(of_input)
    }

    /// What a filter sees around each token, `[tokens, width * inputs]`, zeros beyond the text.
    fn windows(&self, width: usize, input: &[f32], batch: &RaggedBatch, pool: &Arc<Pool>) -> Buf {
        let mut windows = pool.zeros(batch.tokens() * width * self.inputs);
        for (window, (token, range)) in windows.chunks_exact_mut(width * self.inputs).zip(tokens(batch)) {
            for (place, part) in window.chunks_exact_mut(self.inputs).enumerate() {
                if let Some(from) = seen(token, place, width, &range) {
                    part.copy_from_slice(&input[from * self.inputs..][..self.inputs]);
                }
            }
        }
        windows
    }
}

/// All rows of a batch with the rows of their texts.
fn tokens(batch: &RaggedBatch) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let texts = (0..batch.texts()).map(|text| batch.range(text));
    texts.flat_map(|range| range.clone().map(move |token| (token, range.clone())))
}

/// The row that stands at a place of the window around `token`; none beyond the text. An even window reaches one further
/// to the right.
fn seen(token: usize, place: usize, width: usize, text: &std::ops::Range<usize>) -> Option<usize> {
    (token + place).checked_sub((width - 1) / 2).filter(|row| text.contains(row))
}
