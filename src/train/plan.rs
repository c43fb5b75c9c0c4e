//! The steps of a run, all known before the first: which documents, in which order, and what follows them.

use super::TrainConfig;
use super::batching::epoch_batches;
use super::imbalance::epoch_examples;
use super::task::{Item, Task};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// A step and its place in the run.
pub(super) struct Planned {
    /// What is read before the step, batch after batch: their gradients add up to that of one large batch.
    pub batches: Vec<Vec<usize>>,
    /// Epochs done after it.
    pub epoch: f64,
    pub evaluate: bool,
}

/// All steps of all epochs, each with whether the dev documents are scored after it.
pub(super) fn plan(task: &Task, config: &TrainConfig) -> Vec<Planned> {
    let own = task.read_in_an_epoch();
    let lengths: Vec<usize> = own.iter().map(Item::length).collect();
    let classes: Vec<Option<u16>> = own.iter().map(|item| item.class).collect();
    let (mut rng, mut variants) = (generator(config.seed, 3), generator(config.seed, 5));
    let mut plan = Vec::new();
    for epoch in 0..config.epochs {
        let read = epoch_examples(&classes, config.sampling, &mut rng);
        let chosen: Vec<usize> = read.iter().map(|at| lengths[*at]).collect();
        let mut batches = epoch_batches(&chosen, config, &mut rng);
        for at in batches.iter_mut().flatten() {
            *at = read[*at];
            let others = task.variants.get(*at).map_or(&[][..], Vec::as_slice);
            // Every other time as it was written.
            if let Some(other) = others.choose(&mut variants).copied().filter(|_| variants.random::<bool>()) {
                *at = other;
            }
        }
        let steps: Vec<&[Vec<usize>]> = batches.chunks(config.accumulate.max(1)).collect();
        let (count, evals) = (steps.len(), config.evals_per_epoch.clamp(1, steps.len().max(1)));
        let due = |done: usize| (1..=evals).any(|part| (part * count).div_ceil(evals) == done);
        plan.extend(steps.into_iter().zip(1..).map(|(batches, done)| Planned {
            batches: batches.to_vec(),
            epoch: epoch as f64 + done as f64 / count as f64,
            evaluate: due(done),
        }));
    }
    plan
}

/// Independent generators from one seed, so that a setting that draws more from one does not change the others.
pub(super) fn generator(seed: u64, purpose: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(purpose))
}

/// What a step draws from: made anew for each, so that a run can go on from any step.
pub(super) fn step_generator(seed: u64, step: usize) -> StdRng {
    generator(seed, 2 + ((step as u64 + 1) << 8))
}

impl Planned {
    /// The epoch that the step belongs to, from 0.
    pub fn epoch_index(&self) -> usize {
        (self.epoch.ceil() as usize).saturating_sub(1)
    }
}
