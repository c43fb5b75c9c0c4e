//! From the states of a text's tokens to one vector of the text: the last state, the mean, the largest values, or a mean
//! with learnt weights. Ops of candle's graph over a ragged batch.

use super::batch::RaggedBatch;
use super::heads::HeadLoader;
use super::{LoadError, Pooling, plain};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor};
use std::ops::Range;

/// Width of the layer that says which tokens count.
const ATTENTION_WIDTH: usize = 128;

/// A way of pooling, with its weights where it has some.
#[derive(Debug)]
pub(super) struct Pooler {
    kind: Pooling,
    /// Numbers of a state that come from reading from left to right; the others come from right to left.
    forward: usize,
    attention: Option<Attention>,
}

/// Weights of u = tanh(W h + b) and the vector that u is compared with (Yang et al. 2016, section 2.2).
#[derive(Debug)]
struct Attention {
    dense: (Tensor, Tensor),
    context: Tensor,
}

impl Pooler {
    pub fn load(loader: &mut HeadLoader, kind: Pooling, hidden: usize, forward: usize) -> std::result::Result<Self, LoadError> {
        let mut attention = None;
        if kind == Pooling::Attention {
            let bound = 1.0 / (hidden as f64).sqrt();
            let weight = loader.uniform("pooling.dense.weight", &[ATTENTION_WIDTH, hidden], bound, 0..0)?;
            let bias = loader.zeros("pooling.dense.bias", &[ATTENTION_WIDTH])?;
            let context = loader.uniform("pooling.context.weight", &[1, ATTENTION_WIDTH], 0.1, 0..0)?;
            attention = Some(Attention { dense: (weight, bias), context });
        }
        Ok(Self { kind, forward, attention })
    }

    /// `[texts, hidden]` from `[tokens, hidden]`.
    pub fn forward(&self, hidden: &Tensor, batch: &RaggedBatch) -> Result<Tensor> {
        let texts: Vec<Range<usize>> = (0..batch.texts()).map(|text| batch.range(text)).collect();
        let hidden = hidden.contiguous()?;
        match &self.attention {
            Some(Attention { dense, context }) => {
                let scores = plain::linear(&hidden, &dense.0, &dense.1)?.tanh()?.matmul(&context.t()?)?;
                hidden.apply_op2(&scores.contiguous()?, WeightedMean { texts })
            }
            None => hidden.apply_op1(Pool { texts, kind: self.kind, forward: self.forward }),
        }
    }
}

fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (from, to) =
        layout.contiguous_offsets().ok_or_else(|| Error::Msg("pooling wants contiguous tensors on the processor".to_owned()).bt())?;
    Ok(&storage.as_slice::<f32>()?[from..to])
}

fn numbers_of(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}

/// The last states, the mean or the largest values.
struct Pool {
    texts: Vec<Range<usize>>,
    kind: Pooling,
    forward: usize,
}

impl Pool {
    /// Row of a text that a column of [`Pooling::Last`] or [`Pooling::Max`] comes from.
    fn source(&self, x: &[f32], width: usize, text: &Range<usize>, col: usize) -> usize {
        match self.kind {
            Pooling::Max => {
                let mut best = text.start;
                for row in text.clone() {
                    if x[row * width + col] > x[best * width + col] {
                        best = row;
                    }
                }
                best
            }
            _ if col < self.forward => text.end - 1,
            _ => text.start,
        }
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let width = layout.dims().last().copied().unwrap_or(1);
        let mut pooled = vec![0.0; self.texts.len() * width];
        for (text, sum) in self.texts.iter().zip(pooled.chunks_exact_mut(width)) {
            if self.kind == Pooling::Mean {
                for row in text.clone() {
                    sum.iter_mut().zip(&x[row * width..][..width]).for_each(|(sum, value)| *sum += value / text.len() as f32);
                }
            } else {
                sum.iter_mut().enumerate().for_each(|(col, value)| *value = x[self.source(x, width, text, col) * width + col]);
            }
        }
        Ok((CpuStorage::F32(pooled), Shape::from((self.texts.len(), width))))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, width) = x.dims2()?;
        let (numbers, grad) = (numbers_of(x)?, numbers_of(grad)?);
        let mut of_x = vec![0.0; numbers.len()];
        for (text, grad) in self.texts.iter().zip(grad.chunks_exact(width)) {
            if self.kind == Pooling::Mean {
                for row in text.clone() {
                    of_x[row * width..][..width].iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad / text.len() as f32);
                }
            } else {
                for (col, grad) in grad.iter().enumerate() {
                    of_x[self.source(&numbers, width, text, col) * width + col] += grad;
                }
            }
        }
        Ok(Some(Tensor::from_vec(of_x, x.shape(), x.device())?))
    }
}

/// The mean of a text's states, weighted by the softmax of their scores `[tokens, 1]` within the text.
struct WeightedMean {
    texts: Vec<Range<usize>>,
}

impl WeightedMean {
    /// Weights of all tokens, those of a text adding up to 1.
    fn weights(&self, scores: &[f32]) -> Vec<f32> {
        let mut weights = scores.to_vec();
        for text in &self.texts {
            let own = &mut weights[text.clone()];
            let top = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            own.iter_mut().for_each(|weight| *weight = (*weight - top).exp());
            let total: f32 = own.iter().sum();
            own.iter_mut().for_each(|weight| *weight /= total);
        }
        weights
    }
}

impl CustomOp2 for WeightedMean {
    fn name(&self) -> &'static str {
        "weighted mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout, scores: &CpuStorage, of_scores: &Layout) -> Result<(CpuStorage, Shape)> {
        let width = of_x.dims().last().copied().unwrap_or(1);
        let (x, weights) = (numbers(x, of_x)?, self.weights(numbers(scores, of_scores)?));
        let mut pooled = vec![0.0; self.texts.len() * width];
        for (text, sum) in self.texts.iter().zip(pooled.chunks_exact_mut(width)) {
            for row in text.clone() {
                sum.iter_mut().zip(&x[row * width..][..width]).for_each(|(sum, value)| *sum += weights[row] * value);
            }
        }
        Ok((CpuStorage::F32(pooled), Shape::from((self.texts.len(), width))))
    }

    fn bwd(&self, x: &Tensor, scores: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (_, width) = x.dims2()?;
        let (numbers, weights, grad) = (numbers_of(x)?, self.weights(&numbers_of(scores)?), numbers_of(grad)?);
        let (mut of_x, mut of_scores) = (vec![0.0; numbers.len()], vec![0.0; weights.len()]);
        for (text, grad) in self.texts.iter().zip(grad.chunks_exact(width)) {
            for row in text.clone() {
                let at = row * width..(row + 1) * width;
                of_x[at.clone()].iter_mut().zip(grad).for_each(|(sum, grad)| *sum = weights[row] * grad);
                of_scores[row] = numbers[at].iter().zip(grad).map(|(value, grad)| value * grad).sum();
            }
            // The softmax: what all tokens have in common changes nothing.
            let mean: f32 = text.clone().map(|row| weights[row] * of_scores[row]).sum();
            text.clone().for_each(|row| of_scores[row] = weights[row] * (of_scores[row] - mean));
        }
        let of_x = Tensor::from_vec(of_x, x.shape(), x.device())?;
        Ok((Some(of_x), Some(Tensor::from_vec(of_scores, scores.shape(), scores.device())?)))
    }
}
