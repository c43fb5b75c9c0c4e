//! The encoder's arithmetic from candle's own differentiable ops: slow, obvious, and right on any device.
//! The kernels are tested against it, and other devices take their steps from it.

use super::Activation;
use super::batch::{Dropout, RaggedBatch};
use candle_core::{D, DType, Device, Result, Shape, Tensor};

/// `x W^T + b` for `x` `[n, inputs]`, `w` `[outputs, inputs]`.
///
/// # Errors
/// When shapes do not fit.
pub fn linear(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    x.matmul(&w.t()?)?.broadcast_add(b)
}

/// Layer normalisation over the last dimension from primitive ops (candle-nn's fused one has no gradient).
///
/// # Errors
/// When shapes do not fit.
pub fn layer_norm(x: &Tensor, gain: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + eps)?.sqrt()?)?.broadcast_mul(gain)?.broadcast_add(bias)
}

/// # Errors
/// When the op fails.
pub fn activate(x: &Tensor, kind: Activation) -> Result<Tensor> {
    match kind {
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::Relu => x.relu(),
    }
}

/// Drops values of `x` `[rows, cols]` by the mask of `dropout`, rows numbered from 0.
///
/// # Errors
/// When shapes do not fit.
pub fn dropout(x: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
    let Some(dropout) = dropout else { return Ok(x.clone()) };
    let (rows, cols) = x.dims2()?;
    if !x.device().is_cpu() {
        return x.mul(&drawn_mask(x.shape(), dropout, x.device())?);
    }
    x.mul(&Tensor::from_vec(dropout.mask(rows, cols), (rows, cols), x.device())?)
}

/// A mask from the generator of a device, which is quicker there than to make it here and send it. What it draws depends on
/// what it drew before: the encoder seeds it at the start of a pass.
pub(super) fn drawn_mask(shape: &Shape, dropout: Dropout, device: &Device) -> Result<Tensor> {
    Tensor::rand(0f32, 1f32, shape, device)?.ge(dropout.share)?.to_dtype(DType::F32)? * f64::from(dropout.scale())
}

/// Logarithms of the probabilities of each row of `logits`.
pub(super) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let centred = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    centred.broadcast_sub(&centred.exp()?.sum_keepdim(D::Minus1)?.log()?)
}

/// The sum of `-weight ln softmax(row)[target]` over the rows of `logits` `[n, classes]`.
///
/// # Errors
/// When shapes do not fit.
pub fn cross_entropy(logits: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    let (rows, device) = (targets.len(), logits.device());
    let index = Tensor::from_slice(targets, (rows, 1), device)?;
    let picked = log_softmax(logits)?.gather(&index, D::Minus1)?.squeeze(D::Minus1)?;
    picked.mul(&Tensor::from_slice(weights, rows, device)?)?.sum_all()?.neg()
}

/// Attention of `heads` heads within each text. `q`, `k`, `v` are `[tokens, hidden]`. Row `r` of head `h` takes row
/// `h * tokens + r` of the dropout mask; its column is the place of the key in its text.
///
/// # Errors
/// When shapes do not fit.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, batch: &RaggedBatch, heads: usize, dropout: Option<Dropout>) -> Result<Tensor> {
    let (tokens, hidden) = q.dims2()?;
    let width = hidden / heads;
    let scale = 1.0 / (width as f64).sqrt();
    let mut texts = Vec::with_capacity(batch.texts());
    for range in (0..batch.texts()).map(|text| batch.range(text)) {
        let (start, len) = (range.start, range.len());
        let part = |x: &Tensor| x.narrow(0, start, len)?.reshape((len, heads, width))?.transpose(0, 1)?.contiguous();
        let (q, k, v) = (part(q)?, part(k)?, part(v)?);
        let scores = (q.matmul(&k.t()?)? * scale)?;
        let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
        let mut weights = scores.broadcast_div(&scores.sum_keepdim(D::Minus1)?)?;
        if let Some(dropout) = dropout {
            let (threshold, kept) = (dropout.threshold(), dropout.scale());
            let mut mask = Vec::with_capacity(heads * len * len);
            for (head, row) in (0..heads).flat_map(|head| (start..start + len).map(move |row| (head, row))) {
                let key = dropout.row_key((head * tokens + row) as u64);
                mask.extend((0..len as u32).map(|col| if Dropout::bits(key, col) < threshold { 0.0 } else { kept }));
            }
            weights = weights.mul(&Tensor::from_vec(mask, (heads, len, len), weights.device())?)?;
        }
        texts.push(weights.matmul(&v)?.transpose(0, 1)?.reshape((len, hidden))?);
    }
    Tensor::cat(&texts, 0)
}
