//! How large gradients and weights of each layer are: whether every layer learns, and whether one runs away.

use crate::nn::{Gradients, Params, TensorResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Norms of every layer before a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerStats {
    /// The step that these gradients made.
    pub step: usize,
    /// From the bottom up; heads come last.
    pub layers: Vec<LayerNorms>,
}

/// Norms over all parameters of a layer that learn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerNorms {
    /// "embeddings", "layer 3", or the name of a head.
    pub name: String,
    /// Of the gradient, before clipping.
    pub gradient: f64,
    pub weight: f64,
}

/// So many measurements a run at most: reading all weights costs about as much as a step of the optimiser.
const MOST: usize = 200;

/// Whether a step is measured.
pub(super) fn is_due(step: usize, steps_total: usize) -> bool {
    step == 1 || step.is_multiple_of(steps_total.div_ceil(MOST).max(1))
}

/// Measures the parameters that learn.
///
/// # Errors
/// When a parameter can't be read.
pub(super) fn layer_stats(step: usize, params: &Params, grads: &Gradients) -> TensorResult<LayerStats> {
    let mut sums: BTreeMap<Layer, (f64, f64)> = BTreeMap::new();
    let squares = |values: &[f32]| values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>();
    for (name, var) in params.trainable() {
        let (_, weight) = sums.entry(Layer::of(name)).or_default();
        *weight += squares(&var.flatten_all()?.to_vec1::<f32>()?);
    }
    for (name, square) in grads.squares()? {
        if let Some((gradient, _)) = sums.get_mut(&Layer::of(name)) {
            *gradient += square;
        }
    }
    let norms = |(layer, (gradient, weight)): (Layer, (f64, f64))| LayerNorms {
        name: layer.name(),
        gradient: gradient.sqrt(),
        weight: weight.sqrt(),
    };
    Ok(LayerStats { step, layers: sums.into_iter().map(norms).collect() })
}

/// In the order of the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Embeddings,
    Numbered(usize),
    Head(String),
}

impl Layer {
    fn of(parameter: &str) -> Self {
        let inner = parameter.strip_prefix("bert.").unwrap_or(parameter);
        let numbered = inner.strip_prefix("encoder.layer.").and_then(|rest| rest.split('.').next()?.parse().ok());
        match (numbered, inner.split('.').next().unwrap_or(inner)) {
            (Some(number), _) => Self::Numbered(number),
            (None, "embeddings") => Self::Embeddings,
            (None, head) => Self::Head(head.to_owned()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Embeddings => "embeddings".to_owned(),
            Self::Numbered(number) => format!("layer {}", number + 1),
            Self::Head(name) => name.clone(),
        }
    }
}
