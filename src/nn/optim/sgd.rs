//! Stochastic gradient descent with momentum, as `torch.optim.SGD` without dampening: the decay is part of the gradient.

use super::{Lists, Rates, clip_scale, on_values, whole_gradient};
use crate::nn::{Gradients, Params};
use candle_core::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Numbers a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Keeps one number for each that learns, where AdamW keeps two.
pub struct Sgd {
    rates: Rates,
    momentum: f32,
    /// The running sum of gradients of each parameter.
    velocity: BTreeMap<String, Vec<f32>>,
}

impl Sgd {
    /// Momentum 0 keeps nothing.
    pub fn new(rates: Rates, momentum: f64) -> Self {
        Self { rates, momentum: momentum as f32, velocity: BTreeMap::new() }
    }

    pub(super) fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64> {
        let norm = grads.norm()?;
        if !norm.is_finite() {
            return Ok(norm);
        }
        let (scale, momentum) = (clip_scale(norm, clip), self.momentum);
        for (name, var) in params.trainable() {
            let Some(grad) = whole_gradient(grads, name, var)? else { continue };
            let (rate, decay) = ((lr * self.rates.factor(name)) as f32, self.rates.decay(name) as f32);
            let velocity = self.velocity.entry(name.to_owned()).or_insert_with(|| vec![0.0; grad.len()]);
            on_values(var, |values| {
                let parts = values.par_chunks_mut(CHUNK).zip(velocity.par_chunks_mut(CHUNK)).zip(grad.par_chunks(CHUNK));
                parts.for_each(|((values, velocity), grad)| {
                    for ((value, velocity), grad) in values.iter_mut().zip(velocity).zip(grad) {
                        // From 0 the first sum is the gradient itself, as in torch.
                        *velocity = momentum * *velocity + (grad * scale + decay * *value);
                        *value -= rate * *velocity;
                    }
                });
                Ok(())
            })?;
        }
        Ok(norm)
    }

    pub(super) fn lists(&self) -> Lists<'_> {
        let mut lists = Lists::default();
        for (name, velocity) in &self.velocity {
            lists.put("velocity", name, velocity);
            lists.steps.insert(name.clone(), 0);
        }
        lists
    }

    pub(super) fn restore(&mut self, take: &mut dyn FnMut(&str, &str) -> Result<Vec<f32>>, steps: &BTreeMap<String, u32>) -> Result<()> {
        for name in steps.keys() {
            self.velocity.insert(name.clone(), take("velocity", name)?);
        }
        Ok(())
    }
}
