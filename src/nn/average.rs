//! Means of weights over time: they often answer better than the last weights do.

use super::Params;
use super::fast::Read;
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Numbers a thread takes at once.
const CHUNK: usize = 1 << 14;

/// A mean in which a step counts less the longer ago it is (Polyak and Juditsky 1992 with exponential weights, as
/// `torch.optim.swa_utils` computes it).
#[derive(Debug, Default)]
pub struct MovingAverage {
    values: BTreeMap<String, Vec<f32>>,
}

impl MovingAverage {
    /// Takes the weights as they are in: `decay` of the mean stays. The first ones are the mean.
    ///
    /// # Errors
    /// When a parameter can't be read.
    pub fn add(&mut self, params: &Params, decay: f64) -> Result<()> {
        let share = (1.0 - decay) as f32;
        for (name, tensor) in params.lists() {
            let tensor = tensor.to_device(&Device::Cpu)?;
            let now = Read::of(&tensor)?;
            match self.values.get_mut(name) {
                Some(mean) => mean.par_chunks_mut(CHUNK).zip(now.par_chunks(CHUNK)).for_each(|(mean, now)| {
                    mean.iter_mut().zip(now).for_each(|(mean, now)| *mean += share * (now - *mean));
                }),
                None => _ = self.values.insert(name.to_owned(), now.to_vec()),
            }
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub fn lists(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.values.iter().map(|(name, list)| (name.as_str(), list.as_slice()))
    }

    /// Goes on from a mean that [`MovingAverage::lists`] gave.
    pub fn restore(&mut self, values: BTreeMap<String, Vec<f32>>) {
        self.values = values;
    }

    /// The mean, in the shapes of the parameters.
    ///
    /// # Errors
    /// Parameters that it was not made of.
    pub fn weights(&self, params: &Params) -> Result<BTreeMap<String, Tensor>> {
        params.shaped(|name| Ok(self.values.get(name).cloned().unwrap_or_default()))
    }
}

/// The mean of snapshots of the same parameters; empty of none.
///
/// # Errors
/// Snapshots that do not fit each other.
pub fn mean_of<'s>(snapshots: impl ExactSizeIterator<Item = &'s BTreeMap<String, Tensor>>) -> Result<BTreeMap<String, Tensor>> {
    let share = 1.0 / snapshots.len().max(1) as f64;
    let mut sums: BTreeMap<String, Tensor> = BTreeMap::new();
    for snapshot in snapshots {
        for (name, value) in snapshot {
            let sum = match sums.get(name) {
                Some(sum) => (sum + value)?,
                None => value.clone(),
            };
            sums.insert(name.clone(), sum);
        }
    }
    sums.into_iter().map(|(name, sum)| Ok((name, (sum * share)?))).collect()
}
