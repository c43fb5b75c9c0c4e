//! Prefixes (Li and Liang 2021, section 4; as keys and values that learn by themselves in each layer: Liu et al. 2022): before
//! attention each layer gets a few more keys and values, which every text sees beside its own, while the encoder stays. They
//! can't be merged into other weights: a model that has them is saved with them.
//!
//! They stand as rows behind those of each text. Their queries are zeros whose answers nobody takes.

use super::batch::RaggedBatch;
use super::weights::WeightFile;
use super::{LoadError, Params};
use candle_core::{Device, Result, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Which prefixes are made where the files have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixSizes {
    /// Rows of each layer.
    pub rows: usize,
    /// Of the first values.
    pub seed: u64,
}

/// What a layer's attention sees beside the text.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    /// `[rows, hidden]`
    pub keys: Tensor,
    /// `[rows, hidden]`
    pub values: Tensor,
}

/// Half the width of the first values.
const SPREAD: f32 = 0.5;

impl Prefix {
    /// The prefix called `name` (without `bert.`) of the files, or a fresh one where `sizes` wants it.
    pub fn load(
        name: &str,
        hidden: usize,
        (file, params): (&WeightFile, &mut Params),
        sizes: Option<PrefixSizes>,
        trainable: bool,
    ) -> std::result::Result<Option<Self>, LoadError> {
        let damaged = |error: candle_core::Error| LoadError::Damaged(error.to_string());
        let found = file.tensor(&format!("{name}.keys"))?;
        let rows = match (&found, sizes) {
            (Some(keys), _) => keys.dims().first().copied().unwrap_or_default(),
            (None, Some(sizes)) => sizes.rows.max(1),
            (None, None) => return Ok(None),
        };
        let own = name.bytes().fold(sizes.map_or(0, |sizes| sizes.seed), |seed, byte| seed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
        let mut rng = StdRng::seed_from_u64(own);
        let mut take = |part: &str| -> std::result::Result<Tensor, LoadError> {
            let name = format!("{name}.{part}");
            let shape = [rows, hidden];
            let value = match file.tensor(&name)? {
                Some(value) if value.dims() == shape => value,
                Some(value) => return Err(LoadError::Shape { name, wanted: shape.to_vec(), found: value.dims().to_vec() }),
                None => {
                    let values: Vec<f32> = (0..rows * hidden).map(|_| (rng.random::<f32>() * 2.0 - 1.0) * SPREAD).collect();
                    Tensor::from_vec(values, (rows, hidden), &Device::Cpu).map_err(damaged)?
                }
            };
            params.add(&format!("bert.{name}"), value, trainable).map_err(damaged)
        };
        Ok(Some(Self { keys: take("keys")?, values: take("values")? }))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.keys.dims().first().copied().unwrap_or_default()
    }
}

/// A batch with so many rows more behind each text; their ids mean nothing.
pub(super) fn lengthened(batch: &RaggedBatch, rows: usize) -> RaggedBatch {
    let starts: Vec<usize> = batch.starts.iter().enumerate().map(|(text, start)| start + text * rows).collect();
    RaggedBatch { ids: vec![0; starts.last().copied().unwrap_or_default()], starts }
}

/// The rows `x` of a batch with those of `more` behind each text, by candle's ops.
pub(super) fn with_rows(x: &Tensor, more: &Tensor, batch: &RaggedBatch) -> Result<Tensor> {
    let (own, rows) = (batch.tokens() as u32, more.dims2()?.0 as u32);
    let mut order = Vec::with_capacity(batch.tokens() + batch.texts() * rows as usize);
    for range in (0..batch.texts()).map(|text| batch.range(text)) {
        order.extend(range.start as u32..range.end as u32);
        order.extend(own..own + rows);
    }
    let order = Tensor::from_vec(order.clone(), order.len(), x.device())?;
    Tensor::cat(&[x, more], 0)?.index_select(&order, 0)
}

/// The rows of the texts themselves, of what has `rows` more behind each, by candle's ops.
pub(super) fn without_rows(x: &Tensor, rows: usize, batch: &RaggedBatch) -> Result<Tensor> {
    let longer = lengthened(batch, rows);
    let own = |text: usize| longer.starts[text] as u32..(longer.starts[text] + batch.range(text).len()) as u32;
    let order: Vec<u32> = (0..batch.texts()).flat_map(own).collect();
    x.index_select(&Tensor::from_vec(order, batch.tokens(), x.device())?, 0)
}
