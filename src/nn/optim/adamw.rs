//! AdamW in one pass over each parameter: groups by name, clipping folded in. Of a table of embeddings only the rows
//! that a batch touched are stepped; the others catch up when they are next read.

use super::{Lists, Rates, on_values};
use crate::nn::kernels::{AdamStep, adam_step};
use crate::nn::params::RowsGrad;
use crate::nn::{Gradients, Numbers, Params};
use candle_core::{Error, Result, Tensor, Var};
use rayon::prelude::*;
use std::collections::BTreeMap;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// Numbers a thread takes at once.
const CHUNK: usize = 1 << 14;

/// First and second moments of one parameter.
#[derive(Clone, Debug, Default)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
    /// Both, once the parameter steps by candle's ops on its device; the lists are empty then.
    on_device: Option<(Tensor, Tensor)>,
    /// Steps this parameter has taken.
    steps: u32,
    /// Of a table whose rows step when they are touched.
    lag: Option<Lag>,
}

/// How far each row of a table has come. A row that no batch touches still decays and follows its first moment: these
/// steps are made up for, one by one, before the row is next read. The result is that of stepping all rows each time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Lag {
    /// Steps each row has taken.
    rows: Vec<u32>,
    /// The rules of the steps after step `first`.
    rules: Vec<AdamStep>,
    first: u32,
}

/// AdamW (Loshchilov and Hutter 2019, algorithm 2) with bias correction, betas 0.9 and 0.999.
pub struct AdamW {
    rates: Rates,
    state: BTreeMap<String, Moments>,
}

impl AdamW {
    pub fn new(weight_decay: f64, head_lr_factor: f64) -> Self {
        Self::with(Rates::new(weight_decay, head_lr_factor))
    }

    /// The same with rates of its own for each part of the model.
    pub fn with(rates: Rates) -> Self {
        Self { rates, state: BTreeMap::new() }
    }

    /// What must be kept to go on exactly. Right after [`AdamW::catch_up_all`] only.
    pub(super) fn lists(&self) -> Lists<'_> {
        let mut lists = Lists::default();
        for (name, Moments { first, second, on_device, steps, .. }) in &self.state {
            match on_device {
                Some((first, second)) => {
                    lists.lists.push(("first", name, Numbers::Tensor(first)));
                    lists.lists.push(("second", name, Numbers::Tensor(second)));
                }
                None => {
                    lists.put("first", name, first);
                    lists.put("second", name, second);
                }
            }
            lists.steps.insert(name.clone(), *steps);
        }
        lists
    }

    pub(super) fn restore(&mut self, take: &mut dyn FnMut(&str, &str) -> Result<Vec<f32>>, steps: &BTreeMap<String, u32>) -> Result<()> {
        for (name, steps) in steps {
            let (first, second) = (take("first", name)?, take("second", name)?);
            self.state.insert(name.clone(), Moments { first, second, on_device: None, steps: *steps, lag: None });
        }
        Ok(())
    }

    /// Changes every trainable parameter that has a gradient, as if gradients were scaled down to the norm `clip`
    /// when theirs is larger. Returns the norm before clipping; when that is not finite nothing is changed.
    ///
    /// # Errors
    /// When a gradient does not have its parameter's shape.
    pub fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64> {
        let norm = grads.norm()?;
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = if norm > clip { clip / norm } else { 1.0 };
        for (name, var) in params.trainable() {
            let (rate, decay) = (lr * self.rates.factor(name), self.rates.decay(name));
            let rule = |step: u32| rule(rate, decay, scale, step);
            if let Some(grad) = grads.on_device(name) {
                let moments = self.state.entry(name.to_owned()).or_default();
                moments.step_by_ops(var, grad, rule)?;
            } else if let Some(grad) = grads.rows(name) {
                let moments = self.state.entry(name.to_owned()).or_default();
                on_values(var, |values| moments.step_rows(values, grad, rule))?;
            } else if let Some(grad) = grads.get(name) {
                let moments = self.state.entry(name.to_owned()).or_default();
                on_values(var, |values| moments.step_whole(values, grad, rule))?;
            }
        }
        Ok(norm)
    }

    /// Makes up for the steps that these rows of a table have missed (rows in any order, each as often as one likes).
    /// To be called before they are read.
    ///
    /// # Errors
    /// When the parameter can't be written.
    pub fn catch_up(&mut self, params: &Params, name: &str, rows: &[u32]) -> Result<()> {
        let Some(moments) = self.state.get_mut(name).filter(|moments| moments.lag.is_some()) else { return Ok(()) };
        let Some((_, var)) = params.trainable().find(|(own, _)| *own == name) else { return Ok(()) };
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        on_values(var, |values| {
            moments.catch_up(values, |row| rows.binary_search(&row).is_ok());
            Ok(())
        })
    }

    /// Makes up for all steps missed, in all tables. To be called before the weights are scored or kept.
    ///
    /// # Errors
    /// When a parameter can't be written.
    pub fn catch_up_all(&mut self, params: &Params) -> Result<()> {
        for (name, var) in params.trainable() {
            if let Some(moments) = self.state.get_mut(name) {
                on_values(var, |values| {
                    moments.catch_up_all(values);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

impl Moments {
    /// A step on the device of the parameter. All rows of a table step each time: there that costs little.
    fn step_by_ops(&mut self, var: &Var, grad: &Tensor, rule: impl Fn(u32) -> AdamStep) -> Result<()> {
        let (first, second) = match self.on_device.take() {
            Some(moments) => moments,
            None => {
                self.make_room(var.elem_count());
                let moved = |list: &mut Vec<f32>| Tensor::from_vec(std::mem::take(list), var.shape(), var.device());
                (moved(&mut self.first)?, moved(&mut self.second)?)
            }
        };
        self.steps += 1;
        let AdamStep { beta1, beta2, scale, shrink, rate, root, eps } = rule(self.steps);
        let [beta1, beta2, scale, shrink, rate, root, eps] = [beta1, beta2, scale, shrink, rate, root, eps].map(f64::from);
        let grad = (grad * scale)?;
        let first = ((first * beta1)? + (&grad * (1.0 - beta1))?)?;
        let second = ((second * beta2)? + (grad.sqr()? * (1.0 - beta2))?)?;
        let divisor = second.sqrt()?.affine(root, eps)?;
        var.set(&((var.as_tensor().detach() * shrink)? - (first.div(&divisor)? * rate)?)?)?;
        self.on_device = Some((first, second));
        Ok(())
    }

    fn make_room(&mut self, len: usize) {
        self.first.resize(len, 0.0);
        self.second.resize(len, 0.0);
    }

    fn step_whole(&mut self, values: &mut [f32], grad: &[f32], rule: impl Fn(u32) -> AdamStep) -> Result<()> {
        if grad.len() != values.len() {
            return Err(Error::Msg(format!("a gradient has {} numbers, its parameter {}", grad.len(), values.len())).bt());
        }
        self.make_room(values.len());
        self.catch_up_all(values);
        self.lag = None;
        self.steps += 1;
        let step = rule(self.steps);
        let state = self.first.par_chunks_mut(CHUNK).zip(self.second.par_chunks_mut(CHUNK));
        let parts = values.par_chunks_mut(CHUNK).zip(grad.par_chunks(CHUNK)).zip(state);
        parts.for_each(|((value, grad), (m, v))| adam_step(step, value, grad, m, v));
        Ok(())
    }

    fn step_rows(&mut self, values: &mut [f32], grad: &RowsGrad, rule: impl Fn(u32) -> AdamStep) -> Result<()> {
        let width = grad.width();
        if grad.table_rows * width != values.len() || grad.rows.last().is_some_and(|last| *last as usize >= grad.table_rows) {
            return Err(Error::Msg(format!("a gradient's rows of {width} do not fit a table of {} numbers", values.len())).bt());
        }
        self.make_room(values.len());
        let before = self.steps;
        let lag = self.lag.get_or_insert_with(|| Lag { rows: vec![before; grad.table_rows], rules: Vec::new(), first: before });
        self.steps += 1;
        let (now, step) = (self.steps, rule(self.steps));
        let missed = |row_steps: u32| &lag.rules[(row_steps - lag.first) as usize..];
        let state = self.first.par_chunks_mut(width).zip(self.second.par_chunks_mut(width));
        let rows = values.par_chunks_mut(width).zip(state).zip(lag.rows.par_iter_mut()).enumerate();
        rows.with_min_len(64).for_each(|(row, ((value, (m, v)), row_steps))| {
            let Ok(at) = grad.rows.binary_search(&(row as u32)) else { return };
            make_up(missed(*row_steps), value, m, v);
            adam_step(step, value, &grad.values[at * width..][..width], m, v);
            *row_steps = now;
        });
        lag.rules.push(step);
        Ok(())
    }

    fn catch_up(&mut self, values: &mut [f32], wanted: impl Fn(u32) -> bool + Sync) {
        let Some(lag) = &mut self.lag else { return };
        let width = values.len() / lag.rows.len().max(1);
        let (now, rules, first) = (self.steps, &lag.rules, lag.first);
        let state = self.first.par_chunks_mut(width).zip(self.second.par_chunks_mut(width));
        let rows = values.par_chunks_mut(width).zip(state).zip(lag.rows.par_iter_mut()).enumerate();
        rows.with_min_len(64).for_each(|(row, ((value, (m, v)), row_steps))| {
            if *row_steps < now && wanted(row as u32) {
                make_up(&rules[(*row_steps - first) as usize..], value, m, v);
                *row_steps = now;
            }
        });
    }

    fn catch_up_all(&mut self, values: &mut [f32]) {
        self.catch_up(values, |_| true);
        if let Some(lag) = &mut self.lag {
            lag.rules.clear();
            lag.first = self.steps;
        }
    }
}

/// The steps of a row that had no gradient.
fn make_up(rules: &[AdamStep], value: &mut [f32], first: &mut [f32], second: &mut [f32]) {
    // A row that never had one only decays.
    let is_fresh = first.iter().chain(&*second).all(|moment| *moment == 0.0);
    let nothing = if is_fresh { Vec::new() } else { vec![0.0; value.len()] };
    for rule in rules {
        if is_fresh {
            value.iter_mut().for_each(|value| *value *= rule.shrink);
        } else {
            adam_step(*rule, value, &nothing, first, second);
        }
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
