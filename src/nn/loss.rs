//! Losses: scalars whose gradient reaches the logits. No padding, so nothing to ignore but by weight.

use candle_core::{D, Result, Tensor, bail};

/// Weighted mean of the cross-entropy of `logits` `[n, classes]` with class indices `targets`.
/// `weights` has one weight a row; without it all rows count alike.
///
/// # Errors
/// No rows, lengths that differ, a target out of range, or weights that do not add up to more than 0.
pub fn cross_entropy(logits: &Tensor, targets: &[u32], weights: Option<&[f32]>) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if rows == 0 || targets.len() != rows || weights.is_some_and(|w| w.len() != rows) {
        bail!("cross-entropy of {rows} rows wants as many targets and weights, {} targets came", targets.len());
    }
    if let Some(target) = targets.iter().find(|target| **target as usize >= classes) {
        bail!("target {target} is not one of {classes} classes");
    }
    let total: f32 = weights.map_or(rows as f32, |w| w.iter().sum());
    if total.is_nan() || total <= 0.0 {
        bail!("the weights of the loss add up to {total}");
    }
    let device = logits.device();
    let index = Tensor::from_slice(targets, (rows, 1), device)?;
    let picked = log_softmax(logits)?.gather(&index, D::Minus1)?.squeeze(D::Minus1)?;
    let share: Vec<f32> = (0..rows).map(|row| -weights.map_or(1.0, |w| w[row]) / total).collect();
    picked.mul(&Tensor::from_vec(share, rows, device)?)?.sum_all()
}

fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let centred = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    centred.broadcast_sub(&centred.exp()?.sum_keepdim(D::Minus1)?.log()?)
}
