//! A model's parameters by name, and the gradients of a loss by the same names.

use candle_core::{DType, Device, Error, Result, Tensor, Var};
use std::collections::BTreeMap;
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
pub(super) type Sink = Arc<Mutex<BTreeMap<String, Tensor>>>;

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
        let mut by_name = std::mem::take(&mut *self.sink());
        for (name, var) in self.trainable() {
            let Some(grad) = store.get(var) else { continue };
            let sum = match by_name.get(name) {
                Some(other) => other.add(grad)?,
                None => grad.contiguous()?,
            };
            by_name.insert(name.to_owned(), sum);
        }
        Ok(Gradients { by_name })
    }

    fn sink(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Tensor>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gradients by parameter name, each of its parameter's shape.
#[derive(Debug, Default)]
pub struct Gradients {
    by_name: BTreeMap<String, Tensor>,
}

impl Gradients {
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.by_name.iter().map(|(name, grad)| (name.as_str(), grad))
    }
}

/// Trainable parameters that the loss did not reach: no gradient, all zeros, or not finite. Empty is what one wants.
///
/// # Errors
/// When a tensor operation fails.
pub fn unreached(params: &Params, grads: &Gradients) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, _) in params.trainable() {
        let size = match grads.get(name) {
            Some(grad) => grad.abs()?.sum_all()?.to_scalar::<f32>()?,
            None => 0.0,
        };
        if !(size > 0.0 && size.is_finite()) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
