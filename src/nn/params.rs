//! A model's parameters by name, and the gradients of a loss by the same names.

use super::kernels::{self, Buf};
use candle_core::{DType, Device, Error, Result, Tensor, Var};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

/// One parameter.
#[derive(Clone, Debug)]
pub enum Param {
    /// Learns.
    Trainable(Var),
    /// Stays as it is, and is never part of a graph.
    Frozen(Tensor),
}

impl Param {
    pub fn tensor(&self) -> &Tensor {
        match self {
            Self::Trainable(var) => var.as_tensor(),
            Self::Frozen(tensor) => tensor,
        }
    }
}

/// Gradients that fast ops computed beside candle's graph: see [`Params::backward`].
pub(super) type Sink = Arc<Mutex<BTreeMap<String, Buf>>>;

/// Adds a gradient to what the sink has under this name.
pub(super) fn accumulate(sink: &Sink, name: String, grad: Buf) {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    match sink.entry(name) {
        Entry::Vacant(place) => {
            place.insert(grad);
        }
        Entry::Occupied(mut sum) => sum.get_mut().iter_mut().zip(&*grad).for_each(|(sum, grad)| *sum += grad),
    }
}

/// All parameters of a model in the order of their names.
#[derive(Debug, Default)]
pub struct Params {
    map: BTreeMap<String, Param>,
    sink: Sink,
}

impl Params {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter that learns.
    ///
    /// # Errors
    /// When the tensor can't be copied.
    pub fn var(&mut self, name: &str, value: Tensor) -> Result<Tensor> {
        let var = Var::from_tensor(&value)?;
        let tensor = var.as_tensor().clone();
        self.map.insert(name.to_owned(), Param::Trainable(var));
        Ok(tensor)
    }

    /// Adds a parameter that stays as it is.
    pub fn frozen(&mut self, name: &str, value: Tensor) -> Tensor {
        let value = value.detach();
        self.map.insert(name.to_owned(), Param::Frozen(value.clone()));
        value
    }

    /// Adds a parameter of either kind.
    ///
    /// # Errors
    /// When the tensor can't be copied.
    pub fn add(&mut self, name: &str, value: Tensor, trainable: bool) -> Result<Tensor> {
        if trainable { self.var(name, value) } else { Ok(self.frozen(name, value)) }
    }

    /// The live value: it changes with every step. Copy it (`Tensor::copy`) to keep a moment.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.map.get(name).map(Param::tensor)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.map.iter().map(|(name, param)| (name.as_str(), param))
    }

    /// The parameters that learn, in the order of their names.
    pub fn trainable(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.map.iter().filter_map(|(name, param)| match param {
            Param::Trainable(var) => Some((name.as_str(), var)),
            Param::Frozen(_) => None,
        })
    }

    /// How many numbers learn.
    pub fn trainable_numbers(&self) -> usize {
        self.trainable().map(|(_, var)| var.elem_count()).sum()
    }

    /// How many numbers there are.
    pub fn numbers(&self) -> usize {
        self.map.values().map(|param| param.tensor().elem_count()).sum()
    }

    /// Deep copies of everything that learns: the other values can't change.
    ///
    /// # Errors
    /// When a tensor can't be copied.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        self.trainable().map(|(name, var)| Ok((name.to_owned(), var.as_tensor().detach().copy()?))).collect()
    }

    /// Puts a snapshot's values back.
    ///
    /// # Errors
    /// A name that is not trainable here, or a shape that does not fit.
    pub fn restore(&self, snapshot: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, value) in snapshot {
            match self.map.get(name) {
                Some(Param::Trainable(var)) => var.set(value)?,
                _ => return Err(Error::Msg(format!("{name} is not a trainable parameter")).bt()),
            }
        }
        Ok(())
    }

    /// All values as a safetensors file, names as transformers' `BertForSequenceClassification` has them.
    ///
    /// # Errors
    /// When a tensor can't be read.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let tensors: Vec<(&str, Tensor)> = self
            .map
            .iter()
            .map(|(name, param)| Ok((name.as_str(), param.tensor().detach().to_dtype(DType::F32)?.contiguous()?.to_device(&Device::Cpu)?)))
            .collect::<Result<_>>()?;
        let meta = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(tensors, Some(meta)).map_err(|error| Error::Msg(error.to_string()).bt())
    }

    /// The gradient of a scalar loss for every trainable parameter it depends on.
    ///
    /// Use this rather than candle's `loss.backward()`: the fast ops hand the gradients of their weights over
    /// directly, so that no zeros are allocated and added for each.
    ///
    /// # Errors
    /// When an op fails, or a forward pass is asked for its gradient a second time.
    pub fn backward(&self, loss: &Tensor) -> Result<Gradients> {
        self.sink().clear();
        let store = loss.backward()?;
        for (name, var) in self.trainable() {
            if let Some(grad) = store.get(var) {
                let grad = Buf::of(grad.flatten_all()?.to_vec1::<f32>()?);
                accumulate(&self.sink, name.to_owned(), grad);
            }
        }
        Ok(Gradients { by_name: std::mem::take(&mut *self.sink()) })
    }

    pub(super) fn share_sink(&self) -> Sink {
        self.sink.clone()
    }

    fn sink(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Buf>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gradients by parameter name, each as many numbers as its parameter.
#[derive(Debug, Default)]
pub struct Gradients {
    by_name: BTreeMap<String, Buf>,
}

impl Gradients {
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.by_name.get(name).map(|grad| &**grad)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.by_name.iter().map(|(name, grad)| (name.as_str(), &**grad))
    }

    /// The norm of all gradients together. Sums are taken in blocks of fixed size, so threads do not change it.
    pub fn norm(&self) -> f64 {
        self.iter().map(|(_, grad)| kernels::sum_of_squares(grad)).sum::<f64>().sqrt()
    }
}

/// Trainable parameters that the loss did not reach: no gradient, all zeros, or not finite. Empty is what one wants.
///
/// # Errors
/// None so far.
pub fn unreached(params: &Params, grads: &Gradients) -> Result<Vec<String>> {
    let reached = |name: &str| {
        grads.get(name).is_some_and(|grad| {
            let size = kernels::sum_of_squares(grad);
            size > 0.0 && size.is_finite()
        })
    };
    Ok(params.trainable().map(|(name, _)| name).filter(|name| !reached(name)).map(str::to_owned).collect())
}
