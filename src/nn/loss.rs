//! Losses: scalars whose gradient reaches the logits. No padding, so nothing to ignore but by weight.

use super::{kernels, plain};
use candle_core::{CpuStorage, CustomOp1, D, Error, Layout, Result, Shape, Tensor, bail};
use plain::log_softmax;
use std::sync::{Mutex, PoisonError};

/// Weighted mean of the cross-entropy of `logits` `[n, classes]` with class indices `targets`.
/// `weights` has one weight a row, 0 for rows that are not looked at; without it all rows count alike.
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
    let shares: Vec<f32> = (0..rows).map(|row| weights.map_or(1.0, |w| w[row]) / total).collect();
    if !logits.device().is_cpu() {
        return plain::cross_entropy(logits, targets, &shares);
    }
    logits.contiguous()?.apply_op1(CrossEntropy { targets: targets.to_vec(), shares, gradient: Mutex::default() })
}

/// The loss as an op of candle's graph. Its gradient is made in the same pass.
struct CrossEntropy {
    targets: Vec<u32>,
    shares: Vec<f32>,
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let wanted = || Error::Msg("a cross-entropy wants contiguous logits".to_owned()).bt();
        let (from, to) = layout.contiguous_offsets().ok_or_else(wanted)?;
        let logits = &storage.as_slice::<f32>()?[from..to];
        let mut gradient = vec![0.0; logits.len()];
        let classes = layout.dims().last().copied().unwrap_or(1);
        let loss = kernels::cross_entropy(logits, classes, &self.targets, &self.shares, &mut gradient);
        *self.gradient.lock().unwrap_or_else(PoisonError::into_inner) = gradient;
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let by = grad.to_scalar::<f32>()?;
        let mut gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner).clone();
        gradient.iter_mut().for_each(|value| *value *= by);
        Tensor::from_vec(gradient, logits.shape(), logits.device()).map(Some)
    }
}

/// How a class loss differs from plain cross-entropy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassLoss {
    /// This share of each target is spread over all classes (label smoothing: Szegedy et al. 2016, section 7).
    pub smoothing: f64,
    /// What is answered rightly counts less: the loss of a row is multiplied by (1 - p)^gamma of the right class (focal
    /// loss: Lin et al. 2017, equation 4). The gradient passes through that factor too.
    pub gamma: f64,
}

/// As [`cross_entropy`] with one weight a row, and what `kind` says.
///
/// # Errors
/// As [`cross_entropy`].
pub fn class_loss(logits: &Tensor, targets: &[u32], weights: &[f32], kind: ClassLoss) -> Result<Tensor> {
    if kind == ClassLoss::default() {
        return cross_entropy(logits, targets, Some(weights));
    }
    let (rows, classes) = logits.dims2()?;
    let total: f32 = weights.iter().sum();
    if rows == 0 || targets.len() != rows || weights.len() != rows || total.is_nan() || total <= 0.0 {
        bail!("a class loss of {rows} rows wants as many targets and weights that add up to more than 0");
    }
    if let Some(target) = targets.iter().find(|target| **target as usize >= classes) {
        bail!("target {target} is not one of {classes} classes");
    }
    let device = logits.device();
    let logs = log_softmax(logits)?;
    let right = logs.gather(&Tensor::from_slice(targets, (rows, 1), device)?, D::Minus1)?.squeeze(D::Minus1)?;
    let mut loss = right.neg()?;
    if kind.smoothing > 0.0 {
        let spread = (logs.mean(D::Minus1)? * -kind.smoothing)?;
        loss = ((loss * (1.0 - kind.smoothing))? + spread)?;
    }
    if kind.gamma > 0.0 {
        // At least a little, so that the power has a gradient where the answer is certain.
        let missing = (1.0 - right.exp()?)?.clamp(1e-6, 1.0)?;
        loss = loss.mul(&missing.powf(kind.gamma)?)?;
    }
    let share: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    loss.mul(&Tensor::from_vec(share, rows, device)?)?.sum_all()
}

/// Weighted sum of the squared differences of `values` and `targets`, over `total`.
///
/// # Errors
/// Lengths that differ, or a total that is not above 0.
pub fn squared_error(values: &Tensor, targets: &[f32], weights: &[f32], total: f64) -> Result<Tensor> {
    let values = values.flatten_all()?;
    let count = values.elem_count();
    if targets.len() != count || weights.len() != count || total.is_nan() || total <= 0.0 {
        bail!("a squared error of {count} numbers wants as many targets and weights, and a total above 0");
    }
    let share: Vec<f32> = weights.iter().map(|weight| (f64::from(*weight) / total) as f32).collect();
    let apart = values.sub(&Tensor::from_slice(targets, count, values.device())?)?;
    apart.sqr()?.mul(&Tensor::from_vec(share, count, values.device())?)?.sum_all()
}

/// How far the answers `logits` `[n, classes]` are from those of a teacher, `taught` `[n, classes]` logits or logarithms of
/// probabilities, both softened by a temperature: T² times the cross-entropy (Hinton, Vinyals and Dean 2015, section 2) less
/// the teacher's own entropy, which learns nothing, so that 0 is equal. Weighted, over `total`.
///
/// # Errors
/// Lengths that differ, or a total that is not above 0.
pub fn distillation(logits: &Tensor, taught: &[f32], weights: &[f32], temperature: f64, total: f64) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if taught.len() != rows * classes || weights.len() != rows || total.is_nan() || total <= 0.0 {
        bail!("a distillation of {rows} rows wants as many of a teacher's and weights, and a total above 0");
    }
    let taught = log_softmax(&(Tensor::from_slice(taught, (rows, classes), logits.device())? / temperature)?)?;
    let own = log_softmax(&(logits / temperature)?)?;
    let apart = (taught.exp()? * (taught - own)?)?.sum(D::Minus1)?;
    let share: Vec<f32> = weights.iter().map(|weight| (f64::from(*weight) * temperature * temperature / total) as f32).collect();
    apart.mul(&Tensor::from_vec(share, rows, logits.device())?)?.sum_all()
}

/// Weighted sum of the negative logarithm of the probability that all `allowed` tags of a row have together, over the sum of
/// the weights: what is learnt where only a part of the classes can be ruled out (Tsuboi et al. 2008, section 3, for
/// one unit). `allowed` is `[n, classes]`; a row where all are allowed teaches nothing and has weight 0.
///
/// # Errors
/// As [`cross_entropy`], and a row where nothing is allowed.
pub fn marginal_cross_entropy(logits: &Tensor, allowed: &[bool], weights: &[f32]) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    let total: f32 = weights.iter().sum();
    if rows == 0 || allowed.len() != rows * classes || weights.len() != rows || total.is_nan() || total <= 0.0 {
        bail!("a marginal cross-entropy of {rows} rows wants what is allowed in each, and weights that add up to more than 0");
    }
    if allowed.chunks_exact(classes).any(|row| !row.contains(&true)) {
        bail!("a row allows no class");
    }
    // Large and finite: a row of minus infinities would be no number after the logarithm.
    let mask: Vec<f32> = allowed.iter().map(|allowed| if *allowed { 0.0 } else { -1e9 }).collect();
    let kept = logits.add(&Tensor::from_vec(mask, (rows, classes), logits.device())?)?;
    let difference = (log_sum_exp(logits)? - log_sum_exp(&kept)?)?;
    let share: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    difference.mul(&Tensor::from_vec(share, rows, logits.device())?)?.sum_all()
}

/// Weighted sum of the binary cross-entropy of `logits` with `targets` 0 or 1, over `total`. All three lists are as long
/// as the logits are many.
///
/// # Errors
/// Lengths that differ, or a total that is not above 0.
pub fn binary_cross_entropy(logits: &Tensor, targets: &[f32], weights: &[f32], total: f64) -> Result<Tensor> {
    let logits = logits.flatten_all()?;
    let count = logits.elem_count();
    if targets.len() != count || weights.len() != count || total.is_nan() || total <= 0.0 {
        bail!("a binary cross-entropy of {count} answers wants as many targets and weights, and a total above 0");
    }
    let device = logits.device();
    // max(x, 0) - x y + ln(1 + e^-|x|) is right for any x.
    let softened = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let loss = ((logits.relu()? - logits.mul(&Tensor::from_slice(targets, count, device)?)?)? + softened)?;
    let share: Vec<f32> = weights.iter().map(|weight| (f64::from(*weight) / total) as f32).collect();
    loss.mul(&Tensor::from_vec(share, count, device)?)?.sum_all()
}

/// How far the probabilities of two lists of `logits` `[n, classes]` are apart: of each row the mean of both
/// Kullback-Leibler divergences, weighted, over `total` (Liang et al. 2021, equation 2). Gradients pass through both.
///
/// # Errors
/// Shapes that differ, or a total that is not above 0.
pub fn symmetric_divergence(first: &Tensor, second: &Tensor, weights: &[f32], total: f64) -> Result<Tensor> {
    let (rows, _) = first.dims2()?;
    if second.dims() != first.dims() || weights.len() != rows || total.is_nan() || total <= 0.0 {
        bail!("a divergence of {rows} rows wants as many others and weights, and a total above 0");
    }
    let (first, second) = (log_softmax(first)?, log_softmax(second)?);
    // KL(p, q) + KL(q, p) = sum of (p - q)(ln p - ln q).
    let apart = ((first.exp()? - second.exp()?)? * (first - second)?)?.sum(D::Minus1)?;
    let share: Vec<f32> = weights.iter().map(|weight| (f64::from(*weight) / total / 2.0) as f32).collect();
    apart.mul(&Tensor::from_vec(share, rows, apart.device())?)?.sum_all()
}

/// `[n]`
fn log_sum_exp(logits: &Tensor) -> Result<Tensor> {
    let top = logits.max_keepdim(D::Minus1)?.detach();
    (logits.broadcast_sub(&top)?.exp()?.sum_keepdim(D::Minus1)?.log()? + top)?.squeeze(D::Minus1)
}
