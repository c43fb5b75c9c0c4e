//! Looking for good settings: which are tried, and which trials go on (successive halving: Jamieson and Talwalkar 2016,
//! section 3). Only decides; trains nothing.

use super::{ModelChoice, TrainConfig, Tuned};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// One trial in so many goes on from rung to rung.
const KEPT_OF: usize = 3;

/// Settings to try: those of `base`, and so many others around them, of rate, epochs and, of an encoder of `layers` layers all
/// of whose weights learn, frozen layers. The same seed gives the same trials.
pub fn trial_settings(base: &TrainConfig, trials: usize, layers: usize, seed: u64) -> Vec<TrainConfig> {
    const PURPOSE: u64 = 0x7365_6172_6368;
    let mut rng = StdRng::seed_from_u64(seed ^ PURPOSE);
    let layers = if base.layers == 0 { layers } else { base.layers.min(layers) };
    let freezes = base.model == ModelChoice::Encoder && base.tuned == Tuned::Full;
    let other = |rng: &mut StdRng| {
        // A factor of four to either side, evenly by its logarithm.
        let lr = two_digits(base.lr * 4f64.powf(2.0 * rng.random::<f64>() - 1.0));
        let epochs = *[base.epochs.div_ceil(2), base.epochs, base.epochs * 2].choose(rng).unwrap_or(&base.epochs);
        let frozen = *[0, layers / 3, layers / 2].choose(rng).unwrap_or(&0);
        TrainConfig { lr, epochs, freeze_layers: if freezes { frozen } else { base.freeze_layers }, ..base.clone() }
    };
    let mut settings = vec![base.clone()];
    // The same drawn twice is left out, where the drawing allows.
    for _ in 0..trials.saturating_mul(8) {
        if settings.len() >= trials {
            break;
        }
        let drawn = other(&mut rng);
        if !settings.contains(&drawn) {
            settings.push(drawn);
        }
    }
    settings
}

/// So that settings can be said: 1.7e-4.
fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// Which trials go on, and how far.
#[derive(Clone, Debug, PartialEq)]
pub struct Halving {
    /// Trials that go on, by place.
    alive: Vec<usize>,
    /// Epochs up to which trials are learnt, rung by rung; the last is the longest of all.
    rungs: Vec<usize>,
    rung: usize,
}

impl Halving {
    /// For trials of so many epochs each.
    pub fn new(epochs: &[usize]) -> Self {
        let most = epochs.iter().copied().max().unwrap_or(1).max(1);
        let mut rungs = vec![most];
        let mut left = epochs.len();
        while left > 1 {
            left = left.div_ceil(KEPT_OF);
            rungs.push(rungs.last().map_or(1, |longest| longest.div_ceil(KEPT_OF)));
        }
        rungs.reverse();
        // The last one goes to its end: of two rungs of the same length one is enough.
        rungs.dedup();
        Self { alive: (0..epochs.len()).collect(), rungs, rung: 0 }
    }

    /// The trials that go on now.
    pub fn alive(&self) -> &[usize] {
        &self.alive
    }

    /// Epochs up to which they are to be learnt now; `None` at the end.
    pub fn epochs(&self) -> Option<usize> {
        self.rungs.get(self.rung).copied()
    }

    pub fn rung(&self) -> usize {
        self.rung
    }

    pub fn rungs(&self) -> usize {
        self.rungs.len()
    }

    /// Takes the scores of the trials that went on, and gives those that end here: of equal scores the later ones. After the
    /// last rung one is left.
    pub fn judge(&mut self, score: impl Fn(usize) -> f64) -> Vec<usize> {
        self.rung += 1;
        let kept = if self.rung == self.rungs.len() { 1 } else { self.alive.len().div_ceil(KEPT_OF) };
        let value = |trial: usize| if score(trial).is_nan() { f64::NEG_INFINITY } else { score(trial) };
        let mut order = self.alive.clone();
        order.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
        let ended = order.split_off(kept.min(order.len()));
        order.sort_unstable();
        self.alive = order;
        ended
    }
}
