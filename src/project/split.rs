//! Which documents a model learns from and which it is judged by. Decided by a hash of (seed, document),
//! so that adding documents never moves one from one side to the other.

use super::DocId;
use serde::{Deserialize, Serialize};

/// The part a document plays in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    Train,
    Dev,
    Test,
}

impl Split {
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}

/// Train or dev for a document without a fixed split: dev with probability `dev_share`.
pub fn assign_split(seed: u64, doc: DocId, dev_share: f64) -> Split {
    let unit = (draw(seed, doc) >> 11) as f64 / (1u64 << 53) as f64;
    if unit < dev_share { Split::Dev } else { Split::Train }
}

/// An even draw for a document: the same for the same seed, whatever other documents there are.
pub fn draw(seed: u64, doc: DocId) -> u64 {
    mix(seed ^ mix(u64::from(doc.0) + 1))
}

/// Every number as another one, far from those of its neighbours: for hashing.
pub fn mixed(number: u64) -> u64 {
    mix(number)
}

/// SplitMix64's finaliser (Steele, Lea and Flood 2014, fig. 17).
pub(super) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
