//! Rare classes: what their mistakes weigh, and how often their documents are read.

use super::TrainConfig;
use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// Whether some documents are read more often, or less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Every document once an epoch.
    #[default]
    Off,
    /// Documents of rare classes as often as those of the commonest.
    Over,
    /// Of each class as many documents an epoch as the rarest has, others each time.
    Under,
}

/// Weights of classes that so many training documents have: with `beta` 0 by inverse frequency (1 on average over the
/// documents), else by the effective number of documents (1 - beta^n) / (1 - beta), adding up to the number of classes that
/// occur (Cui et al. 2019, equation 2 and section 4.1). Classes without a document weigh 1.
pub fn class_weights(counts: &[usize], beta: f64) -> Vec<f32> {
    let present = counts.iter().filter(|count| **count > 0).count();
    let total: usize = counts.iter().sum();
    let effective = |count: usize| (1.0 - beta) / (1.0 - beta.powf(count as f64));
    let sum: f64 = counts.iter().filter(|count| **count > 0).map(|count| effective(*count)).sum();
    let weight = |count: usize| match count {
        0 => 1.0,
        _ if beta > 0.0 => (effective(count) * present as f64 / sum) as f32,
        _ => total as f32 / (present * count) as f32,
    };
    counts.iter().map(|count| weight(*count)).collect()
}

/// Which documents an epoch reads, by the class of each; those without a class are read once. Ascending.
pub fn epoch_examples(classes: &[Option<u16>], sampling: Sampling, rng: &mut impl Rng) -> Vec<usize> {
    if sampling == Sampling::Off {
        return (0..classes.len()).collect();
    }
    let of = |wanted: Option<u16>| -> Vec<usize> { (0..classes.len()).filter(|at| classes[*at] == wanted).collect() };
    let mut named: Vec<u16> = classes.iter().flatten().copied().collect();
    named.sort_unstable();
    named.dedup();
    let groups: Vec<Vec<usize>> = named.into_iter().map(|class| of(Some(class))).collect();
    let size = match sampling {
        Sampling::Under => groups.iter().map(Vec::len).min(),
        Sampling::Over | Sampling::Off => groups.iter().map(Vec::len).max(),
    };
    let mut chosen = of(None);
    for mut group in groups {
        let size = size.unwrap_or(group.len());
        // Whole rounds, then some of them drawn at random.
        (0..size / group.len()).for_each(|_| chosen.extend(&group));
        group.shuffle(rng);
        chosen.extend(&group[..size % group.len()]);
    }
    chosen.sort_unstable();
    chosen
}

impl TrainConfig {
    /// Weights of classes that so many training documents have, by these settings.
    pub(super) fn weights_of_classes(&self, counts: &[usize]) -> Vec<f32> {
        if self.class_weights { class_weights(counts, self.class_weight_beta) } else { vec![1.0; counts.len()] }
    }
}
