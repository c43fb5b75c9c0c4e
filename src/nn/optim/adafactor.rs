//! Adafactor (Shazeer and Stern 2018, algorithm 4, without momentum), as `torch.optim.Adafactor`: of a matrix it keeps one
//! number for each row and column. The rate is relative to the size of a parameter's values.

use super::{Lists, Rates, clip_scale, on_values, whole_gradient};
use crate::nn::kernels::sum_of_squares;
use crate::nn::{Gradients, Params};
use candle_core::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// How the share of a step in the running means falls: step to the power of this.
const BETA2_DECAY: f64 = -0.8;
/// Least mean square of a row.
const EPS1: f32 = f32::EPSILON;
/// Values count as at least so large.
const EPS2: f64 = 1e-3;
/// An update whose root mean square is larger is scaled down to it.
const LARGEST_UPDATE: f64 = 1.0;
/// Numbers a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Running means of squared gradients: of rows and columns of a matrix, or of each number where there is no matrix.
#[derive(Default)]
struct Means {
    rows: Vec<f32>,
    columns: Vec<f32>,
    steps: u32,
}

/// Keeps next to nothing beside the weights.
pub struct Adafactor {
    rates: Rates,
    means: BTreeMap<String, Means>,
}

impl Adafactor {
    pub fn new(rates: Rates) -> Self {
        Self { rates, means: BTreeMap::new() }
    }

    pub(super) fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64> {
        let norm = grads.norm()?;
        if !norm.is_finite() {
            return Ok(norm);
        }
        let scale = clip_scale(norm, clip);
        for (name, var) in params.trainable() {
            let Some(mut grad) = whole_gradient(grads, name, var)? else { continue };
            grad.par_chunks_mut(CHUNK).for_each(|part| part.iter_mut().for_each(|grad| *grad *= scale));
            let columns = if var.rank() > 1 { var.dims().last().copied().filter(|columns| *columns > 0) } else { None };
            let means = self.means.entry(name.to_owned()).or_default();
            means.add(&grad, columns);
            let rate = lr * self.rates.factor(name);
            let shrink = (1.0 - rate * self.rates.decay(name)) as f32;
            let relative = rate.min(1.0 / f64::from(means.steps).sqrt());
            means.divide(&mut grad, columns);
            on_values(var, |values| {
                let count = values.len().max(1) as f64;
                let size = EPS2.max((sum_of_squares(values) / count).sqrt());
                let update = (sum_of_squares(&grad) / count).sqrt();
                let by = (size * relative / (update / LARGEST_UPDATE).max(1.0)) as f32;
                let parts = values.par_chunks_mut(CHUNK).zip(grad.par_chunks(CHUNK));
                parts.for_each(|(values, update)| {
                    values.iter_mut().zip(update).for_each(|(value, update)| *value = *value * shrink - by * update);
                });
                Ok(())
            })?;
        }
        Ok(norm)
    }

    pub(super) fn lists(&self) -> Lists<'_> {
        let mut lists = Lists::default();
        for (name, Means { rows, columns, steps }) in &self.means {
            lists.put("rows", name, rows);
            lists.put("columns", name, columns);
            lists.steps.insert(name.clone(), *steps);
        }
        lists
    }

    pub(super) fn restore(&mut self, take: &mut dyn FnMut(&str, &str) -> Result<Vec<f32>>, steps: &BTreeMap<String, u32>) -> Result<()> {
        for (name, steps) in steps {
            let (rows, columns) = (take("rows", name)?, take("columns", name)?);
            self.means.insert(name.clone(), Means { rows, columns, steps: *steps });
        }
        Ok(())
    }
}

impl Means {
    /// Takes a step's gradient in. `columns`: how many a matrix has.
    fn add(&mut self, grad: &[f32], columns: Option<usize>) {
        self.steps += 1;
        let share = f64::from(self.steps).powf(BETA2_DECAY) as f32;
        let mix = |mean: &mut f32, value: f32| *mean += share * (value - *mean);
        let Some(columns) = columns else {
            self.rows.resize(grad.len(), 0.0);
            self.rows.iter_mut().zip(grad).for_each(|(mean, grad)| mix(mean, grad * grad));
            return;
        };
        let count = grad.len() / columns;
        self.rows.resize(count, 0.0);
        self.columns.resize(columns, 0.0);
        let rows = self.rows.par_iter_mut().zip(grad.par_chunks_exact(columns));
        rows.for_each(|(mean, row)| mix(mean, (sum_of_squares(row) / columns as f64) as f32));
        let mut sums = vec![0.0f64; columns];
        for row in grad.chunks_exact(columns) {
            sums.iter_mut().zip(row).for_each(|(sum, grad)| *sum += f64::from(*grad) * f64::from(*grad));
        }
        self.columns.iter_mut().zip(sums).for_each(|(mean, sum)| mix(mean, (sum / count as f64) as f32));
    }

    /// Makes the update of the gradient: divides by the root of the mean square that rows and columns say.
    fn divide(&self, grad: &mut [f32], columns: Option<usize>) {
        let least = EPS1 * EPS1;
        let Some(columns) = columns else {
            grad.iter_mut().zip(&self.rows).for_each(|(grad, mean)| *grad /= mean.max(least).sqrt());
            return;
        };
        let overall = self.rows.iter().map(|mean| f64::from(*mean)).sum::<f64>() / self.rows.len().max(1) as f64;
        let overall = (overall as f32).max(EPS1);
        grad.par_chunks_exact_mut(columns).zip(&self.rows).for_each(|(row, mean)| {
            let share = mean / overall;
            row.iter_mut().zip(&self.columns).for_each(|(grad, column)| *grad /= (share * column).max(least).sqrt());
        });
    }
}
