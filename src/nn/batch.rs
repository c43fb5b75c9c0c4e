//! Texts of a batch one after another, without padding, and the mode in which a network runs over them.

use rand::Rng;
use rand::rngs::StdRng;
use std::ops::Range;

/// Token ids of several texts, one after another. A text may not be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaggedBatch {
    pub ids: Vec<u32>,
    /// Where each text starts, and at the end the number of tokens: texts + 1 entries.
    pub starts: Vec<usize>,
}

impl RaggedBatch {
    pub fn new(texts: &[&[u32]]) -> Self {
        let mut starts = Vec::with_capacity(texts.len() + 1);
        let mut ids = Vec::with_capacity(texts.iter().map(|text| text.len()).sum());
        starts.push(0);
        for text in texts {
            ids.extend_from_slice(text);
            starts.push(ids.len());
        }
        Self { ids, starts }
    }

    pub fn texts(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Rows of text `i` in the hidden states.
    pub fn range(&self, i: usize) -> Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    /// Length of the longest text.
    pub fn longest(&self) -> usize {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }
}

/// Tagging units of a batch: each is a part of one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitBatch {
    /// Row of the unit's piece in the hidden states.
    pub piece: Vec<u32>,
    /// Id of the single-character piece that stands for the unit (the unknown piece where there is none).
    pub char_id: Vec<u32>,
    /// Place of the unit in its piece, from 0; larger than 7 counts as 7.
    pub offset: Vec<u32>,
}

/// How a network runs.
pub enum Mode<'a> {
    /// Records what the gradient needs. `dropout` is the share of values dropped; masks come from `rng` alone,
    /// whatever the number of threads.
    Train { rng: &'a mut StdRng, dropout: f32 },
    /// No dropout, and nothing is recorded: gradients do not pass through the encoder.
    Eval,
}

impl Mode<'_> {
    /// The dropout of the next op: share and seed of its mask. `None` when nothing is dropped.
    pub fn next_dropout(&mut self) -> Option<Dropout> {
        match self {
            Mode::Train { rng, dropout } if *dropout > 0.0 => Some(Dropout { share: *dropout, seed: rng.random() }),
            _ => None,
        }
    }

    pub fn is_train(&self) -> bool {
        matches!(self, Mode::Train { .. })
    }
}

/// One op's dropout. The mask is a function of seed and place, so that it can be made again for the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// In 0..1.
    pub share: f32,
    pub seed: u64,
}

impl Dropout {
    /// The factor of kept values.
    pub fn scale(self) -> f32 {
        1.0 / (1.0 - self.share)
    }

    /// Key of a row of the mask.
    #[inline]
    pub fn row_key(self, row: u64) -> u32 {
        let mut z = self.seed.wrapping_add(row.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as u32
    }

    /// Values whose 31-bit hash lies below are dropped.
    #[inline]
    pub fn threshold(self) -> i32 {
        (f64::from(self.share) * 2_147_483_648.0) as i32
    }

    /// 31 random bits of column `col` in the row of `key`.
    #[inline(always)]
    pub fn bits(key: u32, col: u32) -> i32 {
        let mut h = key ^ col.wrapping_mul(0x9E37_79B1);
        h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
        h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
        ((h ^ (h >> 16)) >> 1) as i32
    }

    /// The mask of `rows` rows of `cols`: 0 or [`Dropout::scale`].
    pub fn mask(self, rows: usize, cols: usize) -> Vec<f32> {
        let (threshold, scale) = (self.threshold(), self.scale());
        let row = |row: usize| {
            let key = self.row_key(row as u64);
            (0..cols as u32).map(move |col| if Self::bits(key, col) < threshold { 0.0 } else { scale })
        };
        (0..rows).flat_map(row).collect()
    }
}
