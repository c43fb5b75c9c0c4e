//! AdamW in one pass over each parameter: groups by name, clipping folded in.

use super::kernels::{AdamStep, adam_step};
use super::{Gradients, Params};
use candle_core::{CpuStorage, Error, InplaceOp1, Layout, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// Numbers a thread takes at once.
const CHUNK: usize = 1 << 14;

/// First and second moments of one parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    /// Steps this parameter has taken.
    pub steps: u32,
}

/// What must be kept to go on exactly, by parameter name.
pub type AdamWState = BTreeMap<String, Moments>;

/// AdamW with bias correction, betas 0.9 and 0.999. Matrices decay; biases and norms do not.
pub struct AdamW {
    pub weight_decay: f64,
    /// The rate of parameters outside the encoder is multiplied by this.
    pub head_lr_factor: f64,
    state: AdamWState,
}

impl AdamW {
    pub fn new(weight_decay: f64, head_lr_factor: f64) -> Self {
        Self { weight_decay, head_lr_factor, state: BTreeMap::new() }
    }

    pub fn state(&self) -> &AdamWState {
        &self.state
    }

    pub fn set_state(&mut self, state: AdamWState) {
        self.state = state;
    }

    /// Whether a parameter belongs to a head: outside the encoder, or its pooler.
    pub fn is_head(name: &str) -> bool {
        !name.starts_with("bert.") || name.starts_with("bert.pooler.")
    }

    /// Whether a parameter decays: matrices and tables, not biases and norms.
    pub fn decays(name: &str) -> bool {
        name.ends_with(".weight") && !name.contains("LayerNorm")
    }

    /// Changes every trainable parameter that has a gradient, as if gradients were scaled down to the norm `clip`
    /// when theirs is larger. Returns the norm before clipping; when that is not finite nothing is changed.
    ///
    /// # Errors
    /// When a gradient does not have its parameter's shape.
    pub fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64> {
        let norm = grads.norm();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = if norm > clip { clip / norm } else { 1.0 };
        for (name, var) in params.trainable() {
            let Some(grad) = grads.get(name) else { continue };
            let moments = self.state.entry(name.to_owned()).or_default();
            moments.steps += 1;
            let rate = if Self::is_head(name) { lr * self.head_lr_factor } else { lr };
            let decay = if Self::decays(name) { self.weight_decay } else { 0.0 };
            let update = Update { step: rule(rate, decay, scale, moments.steps), grad, moments: Mutex::new(moments) };
            var.as_tensor().inplace_op1(&update)?;
        }
        Ok(norm)
    }
}

/// The numbers of one step, moments corrected for their start at 0.
fn rule(lr: f64, decay: f64, scale: f64, step: u32) -> AdamStep {
    AdamStep {
        beta1: BETA1 as f32,
        beta2: BETA2 as f32,
        scale: scale as f32,
        shrink: (1.0 - lr * decay) as f32,
        rate: (lr / (1.0 - BETA1.powi(step as i32))) as f32,
        root: (1.0 / (1.0 - BETA2.powi(step as i32))).sqrt() as f32,
        eps: EPS as f32,
    }
}

struct Update<'a> {
    step: AdamStep,
    grad: &'a [f32],
    moments: Mutex<&'a mut Moments>,
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else { return Err(Error::Msg("AdamW wants float32".to_owned()).bt()) };
        let Some((from, to)) = layout.contiguous_offsets() else { return Err(Error::Msg("AdamW wants whole tensors".to_owned()).bt()) };
        let values = &mut values[from..to];
        let grad = self.grad;
        if grad.len() != values.len() {
            return Err(Error::Msg(format!("a gradient has {} numbers, its parameter {}", grad.len(), values.len())).bt());
        }
        let mut moments = self.moments.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Moments { first, second, .. } = &mut **moments;
        first.resize(values.len(), 0.0);
        second.resize(values.len(), 0.0);
        let state = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        let step = self.step;
        values
            .par_chunks_mut(CHUNK)
            .zip(grad.par_chunks(CHUNK))
            .zip(state)
            .for_each(|((value, grad), (m, v))| adam_step(step, value, grad, m, v));
        Ok(())
    }
}
