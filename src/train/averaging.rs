//! Which weights are scored and kept, if not the last ones: a moving average over steps, or the mean of the last
//! evaluations' weights.

use super::{TrainConfig, TrainError};
use crate::nn::{MovingAverage, Numbers, Params, Tensor, mean_of};
use std::collections::{BTreeMap, VecDeque};

type Weights = BTreeMap<String, Tensor>;

#[derive(Default)]
pub(super) struct Averaging {
    /// Share of the moving average that stays at each step; 0: there is none.
    decay: f64,
    /// So many last evaluations are averaged; 0 or 1: only the weights themselves.
    last: usize,
    moving: MovingAverage,
    checkpoints: VecDeque<Weights>,
}

impl Averaging {
    pub fn new(config: &TrainConfig) -> Self {
        Self { decay: config.ema, last: config.average_last, ..Self::default() }
    }

    /// Whether the weights are wanted, all rows of them, after each step.
    pub fn follows_steps(&self) -> bool {
        self.decay > 0.0
    }

    pub fn after_step(&mut self, params: &Params) -> Result<(), TrainError> {
        if self.follows_steps() { self.moving.add(params, self.decay).map_err(TrainError::compute) } else { Ok(()) }
    }

    /// Keeps the weights (or their moving average) of an evaluation, and as many before it as are wanted.
    pub fn at_evaluation(&mut self, params: &Params) -> Result<(), TrainError> {
        if self.last < 2 {
            return Ok(());
        }
        let now = if self.moving.is_empty() { params.snapshot() } else { self.moving.weights(params) };
        self.checkpoints.push_back(now.map_err(TrainError::compute)?);
        while self.checkpoints.len() > self.last {
            self.checkpoints.pop_front();
        }
        Ok(())
    }

    /// The weights to score and keep; `None`: the last ones.
    pub fn weights(&self, params: &Params) -> Result<Option<Weights>, TrainError> {
        if !self.checkpoints.is_empty() {
            return mean_of(self.checkpoints.iter()).map(Some).map_err(TrainError::compute);
        }
        let wanted = !self.moving.is_empty();
        wanted.then(|| self.moving.weights(params)).transpose().map_err(TrainError::compute)
    }

    /// What must be kept to go on exactly, by name.
    pub fn lists(&self) -> Vec<(String, Numbers<'_>)> {
        let moving = self.moving.lists().map(|(name, list)| (format!("moving/{name}"), Numbers::List(list)));
        let kept = self.checkpoints.iter().enumerate();
        let kept =
            kept.flat_map(|(at, weights)| weights.iter().map(move |(name, value)| (format!("kept{at}/{name}"), Numbers::Tensor(value))));
        moving.chain(kept).collect()
    }

    /// How many evaluations' weights it holds.
    pub fn checkpoints(&self) -> usize {
        self.checkpoints.len()
    }

    /// Goes on with lists that another one gave, which held so many evaluations' weights.
    pub fn restore(
        &mut self,
        params: &Params,
        checkpoints: usize,
        has_moving: bool,
        take: &mut dyn FnMut(&str) -> Result<Vec<f32>, TrainError>,
    ) -> Result<(), TrainError> {
        if has_moving {
            let lists = params.trainable().map(|(name, _)| Ok((name.to_owned(), take(&format!("moving/{name}"))?)));
            self.moving.restore(lists.collect::<Result<_, TrainError>>()?);
        }
        for at in 0..checkpoints {
            self.checkpoints.push_back(shaped(params, &format!("kept{at}/"), take)?);
        }
        Ok(())
    }
}

/// Weights of what learns from lists whose names begin so.
pub(super) fn shaped(
    params: &Params,
    prefix: &str,
    take: &mut dyn FnMut(&str) -> Result<Vec<f32>, TrainError>,
) -> Result<Weights, TrainError> {
    let mut lists = BTreeMap::new();
    for (name, _) in params.trainable() {
        lists.insert(name.to_owned(), take(&format!("{prefix}{name}"))?);
    }
    params.shaped(|name| Ok(lists.remove(name).unwrap_or_default())).map_err(TrainError::compute)
}
