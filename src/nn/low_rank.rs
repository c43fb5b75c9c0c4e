//! Low-rank updates (LoRA: Hu et al. 2021, section 4.1): beside a weight W that stays as it is, two thin matrices learn, and
//! the layer computes x Wᵀ + scale · (x downᵀ) upᵀ. Saved as one weight, so that nothing else knows of them.

use super::{AdapterSizes, Params, PrefixSizes};
use candle_core::{Device, Result, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What learns in those layers of an encoder that are not frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tuning {
    /// Everything.
    Full,
    /// Biases, those of norms among them (BitFit: Ben Zaken, Goldberg and Ravfogel 2022).
    Biases,
    /// Low-rank updates of some of the weights.
    LowRank(LowRankSizes),
    /// Adapters, and the norms.
    Adapters(AdapterSizes),
    /// Prefixes of keys and values.
    Prefix(PrefixSizes),
}

/// Which updates, and how large they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowRankSizes {
    pub rank: usize,
    /// The update counts `alpha / rank` times.
    pub alpha: f64,
    pub targets: LowRankTargets,
    /// Of the first values.
    pub seed: u64,
}

/// A linear layer by the part it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowRankTarget {
    Query,
    Key,
    Value,
    /// What follows attention.
    Output,
    /// Both layers of the feed-forward part.
    Feed,
}

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowRankTargets(u8);

impl LowRankTarget {
    pub const ALL: [Self; 5] = [Self::Query, Self::Key, Self::Value, Self::Output, Self::Feed];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::Output => "output",
            Self::Feed => "feed",
        }
    }
}

impl LowRankTargets {
    pub fn of(targets: impl IntoIterator<Item = LowRankTarget>) -> Self {
        Self(targets.into_iter().fold(0, |set, target| set | 1 << target as u8))
    }

    pub fn contains(self, target: LowRankTarget) -> bool {
        self.0 & (1 << target as u8) != 0
    }
}

/// The update of one weight.
#[derive(Clone, Debug)]
pub(super) struct LowRank {
    /// `[rank, inputs]`
    pub down: Tensor,
    /// `[outputs, rank]`
    pub up: Tensor,
    pub scale: f32,
}

impl LowRank {
    /// An update that changes nothing yet: `up` begins with zeros, `down` evenly within ±1/√inputs, as the authors' code
    /// and PEFT do. `layer` is the name of the layer whose weight is `[outputs, inputs]`.
    pub fn new(layer: &str, [outputs, inputs]: [usize; 2], sizes: LowRankSizes, params: &mut Params) -> Result<Self> {
        let rank = sizes.rank.clamp(1, outputs.min(inputs));
        let scale = sizes.alpha / rank as f64;
        // By the layer's name, so that no layer's values depend on which others have an update.
        let own = layer.bytes().fold(sizes.seed, |seed, byte| seed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
        let mut rng = StdRng::seed_from_u64(own);
        let bound = 1.0 / (inputs as f32).sqrt();
        let values: Vec<f32> = (0..rank * inputs).map(|_| (rng.random::<f32>() * 2.0 - 1.0) * bound).collect();
        let (down, up) = (format!("{layer}.lora_A.weight"), format!("{layer}.lora_B.weight"));
        let update = Self {
            down: params.var(&down, Tensor::from_vec(values, (rank, inputs), &Device::Cpu)?)?,
            up: params.var(&up, Tensor::zeros((outputs, rank), candle_core::DType::F32, &Device::Cpu)?)?,
            scale: scale as f32,
        };
        params.low_rank(format!("{layer}.weight"), down, up, scale);
        Ok(update)
    }
}
