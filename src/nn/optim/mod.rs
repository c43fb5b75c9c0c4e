//! Optimisers: a step from gradients, with rates and decay by the parts of a model. Knows no schedule: the rate of each
//! step is an argument. On a graphics card AdamW steps there; the others step here, on copies.

mod adafactor;
mod adamw;
mod sgd;

pub use adafactor::Adafactor;
pub use adamw::AdamW;
pub use sgd::Sgd;

use super::{Gradients, Numbers, Params};
use candle_core::{CpuStorage, Error, InplaceOp1, Layout, Result, Tensor, Var};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How fast each parameter learns and how strongly it is drawn towards 0. Matrices decay; biases and norms do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    pub weight_decay: f64,
    /// The rate of parameters outside the encoder is multiplied by this.
    pub head_lr_factor: f64,
    /// The rate of each layer of the encoder is that of the layer above it times this; the highest of `layers` learns at
    /// the full rate, the embeddings as if they were the layer below the lowest (Howard and Ruder 2018, section 3.2).
    pub layer_decay: f64,
    pub layers: usize,
}

impl Rates {
    /// All layers learn alike.
    pub fn new(weight_decay: f64, head_lr_factor: f64) -> Self {
        Self { weight_decay, head_lr_factor, layer_decay: 1.0, layers: 0 }
    }

    /// What the rate of a parameter is multiplied by.
    pub fn factor(&self, name: &str) -> f64 {
        if is_head(name) {
            return self.head_lr_factor;
        }
        let layer = name.strip_prefix("bert.encoder.layer.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let above = self.layers.saturating_sub(layer.map_or(0, |layer| layer + 1));
        self.layer_decay.powi(above as i32)
    }

    /// The weight decay of a parameter.
    pub fn decay(&self, name: &str) -> f64 {
        if (name.ends_with(".weight") || name.contains(".weight_")) && !name.contains("LayerNorm") { self.weight_decay } else { 0.0 }
    }
}

/// Whether a parameter belongs to a head: outside the encoder, or its pooler.
fn is_head(name: &str) -> bool {
    !name.starts_with("bert.") || name.starts_with("bert.pooler.")
}

/// One of the optimisers.
pub enum Optimiser {
    AdamW(AdamW),
    Sgd(Sgd),
    Adafactor(Adafactor),
}

impl Optimiser {
    /// Changes every trainable parameter that has a gradient, as if gradients were scaled down to the norm `clip`
    /// when theirs is larger. Returns the norm before clipping; when that is not finite nothing is changed.
    ///
    /// # Errors
    /// When a gradient does not have its parameter's shape.
    pub fn step(&mut self, params: &Params, grads: &Gradients, lr: f64, clip: f64) -> Result<f64> {
        match self {
            Self::AdamW(adamw) => adamw.step(params, grads, lr, clip),
            Self::Sgd(sgd) => sgd.step(params, grads, lr, clip),
            Self::Adafactor(adafactor) => adafactor.step(params, grads, lr, clip),
        }
    }

    /// Makes up for the steps that these rows of a table have missed. To be called before they are read.
    ///
    /// # Errors
    /// When the parameter can't be written.
    pub fn catch_up(&mut self, params: &Params, name: &str, rows: &[u32]) -> Result<()> {
        if let Self::AdamW(adamw) = self { adamw.catch_up(params, name, rows) } else { Ok(()) }
    }

    /// Makes up for all steps missed, in all tables. To be called before the weights are scored or kept.
    ///
    /// # Errors
    /// When a parameter can't be written.
    pub fn catch_up_all(&mut self, params: &Params) -> Result<()> {
        if let Self::AdamW(adamw) = self { adamw.catch_up_all(params) } else { Ok(()) }
    }

    /// What must be kept to go on exactly. Right after [`Optimiser::catch_up_all`] only.
    pub fn lists(&self) -> Lists<'_> {
        match self {
            Self::AdamW(adamw) => adamw.lists(),
            Self::Sgd(sgd) => sgd.lists(),
            Self::Adafactor(adafactor) => adafactor.lists(),
        }
    }

    /// Goes on where another one of its kind was. `take` gives a list that [`Optimiser::lists`] gave, by kind and parameter.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn restore(&mut self, take: &mut dyn FnMut(&str, &str) -> Result<Vec<f32>>, steps: &BTreeMap<String, u32>) -> Result<()> {
        match self {
            Self::AdamW(adamw) => adamw.restore(take, steps),
            Self::Sgd(sgd) => sgd.restore(take, steps),
            Self::Adafactor(adafactor) => adafactor.restore(take, steps),
        }
    }
}

/// An optimiser's state as lists of numbers.
#[derive(Debug, Default)]
pub struct Lists<'a> {
    /// Kind, parameter, numbers.
    pub lists: Vec<(&'static str, &'a str, Numbers<'a>)>,
    /// Steps that each parameter has taken.
    pub steps: BTreeMap<String, u32>,
}

impl<'a> Lists<'a> {
    fn put(&mut self, kind: &'static str, name: &'a str, list: &'a [f32]) {
        self.lists.push((kind, name, Numbers::List(list)));
    }
}

/// The factor by which gradients of this norm are scaled down to `clip`.
fn clip_scale(norm: f64, clip: f64) -> f32 {
    (if norm > clip { clip / norm } else { 1.0 }) as f32
}

/// A gradient that fits its parameter, rows without one as zeros.
fn whole_gradient(grads: &Gradients, name: &str, var: &Var) -> Result<Option<Vec<f32>>> {
    let Some(grad) = grads.whole(name)? else { return Ok(None) };
    if grad.len() != var.elem_count() {
        return Err(Error::Msg(format!("a gradient has {} numbers, its parameter {}", grad.len(), var.elem_count())).bt());
    }
    Ok(Some(grad))
}

/// Work on the numbers of a parameter, in place; of one on another device on a copy that is put back.
fn on_values(var: &Var, mut work: impl FnMut(&mut [f32]) -> Result<()>) -> Result<()> {
    if !var.device().is_cpu() {
        let mut values = var.as_tensor().detach().flatten_all()?.to_vec1::<f32>()?;
        work(&mut values)?;
        return var.set(&Tensor::from_vec(values, var.shape(), var.device())?);
    }
    var.as_tensor().inplace_op1(&OnValues(RefCell::new(work)))
}

struct OnValues<F>(RefCell<F>);

impl<F: FnMut(&mut [f32]) -> Result<()>> InplaceOp1 for OnValues<F> {
    fn name(&self) -> &'static str {
        "optimiser"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else { return Err(Error::Msg("an optimiser wants float32".to_owned()).bt()) };
        let Some((from, to)) = layout.contiguous_offsets() else {
            return Err(Error::Msg("an optimiser wants whole tensors".to_owned()).bt());
        };
        (self.0.borrow_mut())(&mut values[from..to])
    }
}
