//! How weights are changed: which of them learn, by which optimiser, at which rate over the run.

use super::TrainConfig;
use crate::nn::kernels::Precision;
use crate::nn::{
    Adafactor, AdamW, AdapterSizes, LoadOptions, LowRankSizes, LowRankTarget, LowRankTargets, Optimiser, PrefixSizes, Rates, Sgd, Tuning,
};
use serde::{Deserialize, Serialize};

/// How the rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Down to 0 in a line.
    #[default]
    Linear,
    /// Down to 0 by half a cosine (Loshchilov and Hutter 2017, without restarts).
    Cosine,
    Constant,
}

impl Schedule {
    pub const ALL: [Self; 3] = [Self::Linear, Self::Cosine, Self::Constant];

    /// Share of the peak rate at a step (from 0) of `total`, of which the share `warmup` goes up in a line.
    pub fn factor(self, step: usize, total: usize, warmup: f64) -> f64 {
        let total = total.max(1) as f64;
        let up = if warmup > 0.0 { (step + 1) as f64 / (warmup * total) } else { 1.0 };
        let left = if warmup < 1.0 { ((total - step as f64) / ((1.0 - warmup) * total)).min(1.0) } else { 1.0 };
        let down = match self {
            Self::Linear => left,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * (1.0 - left)).cos()),
            Self::Constant => 1.0,
        };
        up.min(down).clamp(0.0, 1.0)
    }
}

/// Which weights learn; heads always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tuned {
    /// All that are not frozen.
    #[default]
    Full,
    /// The heads only.
    Head,
    /// The heads and low-rank updates of the encoder (Hu et al. 2021).
    Lora,
    /// The heads and the encoder's biases (Ben Zaken, Goldberg and Ravfogel 2022).
    Bitfit,
    /// The heads, and small layers put behind attention and feed-forward parts, with the norms (Houlsby et al. 2019).
    Adapters,
    /// The heads, and a few keys and values that each layer sees beside the text (Li and Liang 2021).
    Prefix,
}

impl Tuned {
    pub const ALL: [Self; 6] = [Self::Full, Self::Head, Self::Lora, Self::Bitfit, Self::Adapters, Self::Prefix];
}

/// What makes a step of a gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserChoice {
    #[default]
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
    Adafactor,
}

impl OptimiserChoice {
    pub const ALL: [Self; 3] = [Self::AdamW, Self::Sgd, Self::Adafactor];
}

/// How factors of an encoder's products are held while it learns. Weights, sums and steps are float32 always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionChoice {
    /// bfloat16 where the processor has an instruction for it, which is faster at scores that differ by chance at most (`benches/README.md`).
    #[default]
    Auto,
    Float32,
    /// As `Auto`; a run says so where the processor has no such instruction.
    BFloat16,
}

impl PrecisionChoice {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Float32, Self::BFloat16];

    /// What this processor makes of it.
    pub(super) fn here(self) -> Precision {
        match self {
            Self::Auto | Self::BFloat16 if Precision::BFloat16.is_native() => Precision::BFloat16,
            _ => Precision::Float32,
        }
    }
}

/// What of an encoder learns by these settings.
pub(super) fn load_options(config: &TrainConfig) -> LoadOptions {
    let tuning = match config.tuned {
        Tuned::Full | Tuned::Head => Tuning::Full,
        Tuned::Bitfit => Tuning::Biases,
        Tuned::Adapters => Tuning::Adapters(AdapterSizes { width: config.adapter_width, seed: config.seed }),
        Tuned::Prefix => Tuning::Prefix(PrefixSizes { rows: config.prefix_rows, seed: config.seed }),
        Tuned::Lora => Tuning::LowRank(LowRankSizes {
            rank: config.lora_rank,
            alpha: config.lora_alpha,
            targets: LowRankTargets::of(low_rank_targets(&config.lora_targets)),
            seed: config.seed,
        }),
    };
    LoadOptions {
        frozen_layers: if config.tuned == Tuned::Head { usize::MAX } else { config.freeze_layers },
        tuning,
        tune_embeddings: config.table_learns() && config.tuned == Tuned::Full,
        ..LoadOptions::TRAINABLE
    }
}

/// Those of the names that name one.
pub(super) fn low_rank_targets(names: &[String]) -> impl Iterator<Item = LowRankTarget> {
    LowRankTarget::ALL.into_iter().filter(|target| names.iter().any(|name| name == target.name()))
}

/// The lowest of `layers` layers that learns in an epoch (from 0): with gradual unfreezing the highest at first, and one
/// more every `unfreeze_every` epochs (Howard and Ruder 2018, section 3.3).
pub fn first_learning_layer(layers: usize, epoch: usize, config: &TrainConfig) -> usize {
    let frozen = if config.tuned == Tuned::Head { layers } else { config.freeze_layers.min(layers) };
    match epoch.checked_div(config.unfreeze_every) {
        Some(thawed) => layers.saturating_sub(1 + thawed).max(frozen),
        None => frozen,
    }
}

/// The optimiser of these settings for an encoder of so many layers.
pub(super) fn optimiser(config: &TrainConfig, layers: usize) -> Optimiser {
    let rates = Rates { layer_decay: config.layer_decay, layers, ..Rates::new(config.weight_decay, config.head_lr_factor) };
    match config.optimiser {
        OptimiserChoice::AdamW => Optimiser::AdamW(AdamW::with(rates)),
        OptimiserChoice::Sgd => Optimiser::Sgd(Sgd::new(rates, config.momentum)),
        OptimiserChoice::Adafactor => Optimiser::Adafactor(Adafactor::new(rates)),
    }
}
