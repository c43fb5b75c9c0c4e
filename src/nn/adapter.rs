//! Adapters (Houlsby et al. 2019, section 2.1): two small layers with GELU between them and a way around, behind attention
//! and behind the feed-forward part of each layer, before what is added to the layer's input. They and the norms learn while
//! the rest of the encoder stays. They can't be merged into other weights: a model that has them is saved with them.

use super::Params;
use super::encoder::Pair;
use super::weights::WeightFile;
use super::{LoadError, plain};
use candle_core::{Device, Result, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Which adapters are made where the files have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdapterSizes {
    /// Width between the two layers.
    pub width: usize,
    /// Of the first values.
    pub seed: u64,
}

/// One adapter: x + W_up GELU(W_down x + b_down) + b_up.
#[derive(Clone, Debug)]
pub(super) struct Adapter {
    /// `[width, hidden]`
    pub down: Pair,
    /// `[hidden, width]`
    pub up: Pair,
}

/// Spread of the first values: close to changing nothing.
const SPREAD: f32 = 0.01;

impl Adapter {
    /// The adapter called `name` (without `bert.`) of the files, or a fresh one where `sizes` wants it.
    pub fn load(
        name: &str,
        hidden: usize,
        (file, params): (&WeightFile, &mut Params),
        sizes: Option<AdapterSizes>,
        trainable: bool,
    ) -> std::result::Result<Option<Self>, LoadError> {
        let damaged = |error: candle_core::Error| LoadError::Damaged(error.to_string());
        let found = file.tensor(&format!("{name}.down.weight"))?;
        let width = match (&found, sizes) {
            (Some(weight), _) => weight.dims().first().copied().unwrap_or_default(),
            (None, Some(sizes)) => sizes.width.max(1),
            (None, None) => return Ok(None),
        };
        let own = name.bytes().fold(sizes.map_or(0, |sizes| sizes.seed), |seed, byte| seed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
        let mut rng = StdRng::seed_from_u64(own);
        let mut take = |part: &str, shape: &[usize], is_weight: bool| -> std::result::Result<Tensor, LoadError> {
            let name = format!("{name}.{part}");
            let value = match file.tensor(&name)? {
                Some(value) if value.dims() == shape => value,
                Some(value) => return Err(LoadError::Shape { name, wanted: shape.to_vec(), found: value.dims().to_vec() }),
                None => fresh(shape, is_weight, &mut rng).map_err(damaged)?,
            };
            params.add(&format!("bert.{name}"), value, trainable).map_err(damaged)
        };
        let mut pair = |part: &str, shape: [usize; 2]| -> std::result::Result<Pair, LoadError> {
            let weight = take(&format!("{part}.weight"), &shape, true)?;
            Ok(Pair { weight, bias: take(&format!("{part}.bias"), &shape[..1], false)?, update: None })
        };
        Ok(Some(Self { down: pair("down", [width, hidden])?, up: pair("up", [hidden, width])? }))
    }

    /// From candle's own ops: the reference. `of` gives a parameter as it takes part in a graph.
    pub fn forward_plain(&self, x: &Tensor, of: &dyn Fn(&Tensor) -> Tensor) -> Result<Tensor> {
        let inner = plain::linear(x, &of(&self.down.weight), &of(&self.down.bias))?.gelu_erf()?;
        x + plain::linear(&inner, &of(&self.up.weight), &of(&self.up.bias))?
    }
}

/// Normally distributed weights (sums of twelve even ones are close enough), biases of 0.
fn fresh(shape: &[usize], is_weight: bool, rng: &mut StdRng) -> Result<Tensor> {
    let mut draw = || if is_weight { ((0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0) * SPREAD } else { 0.0 };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}
