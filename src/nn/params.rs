//! A model's parameters by name, and the gradients of a loss by the same names.

use super::Place;
use super::kernels::{self, Buf};
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

/// A gradient of a whole parameter, or of the rows of a table that a batch touched.
#[derive(Debug)]
pub(super) enum Grad {
    Whole(Buf),
    Rows(RowsGrad),
}

/// The gradient of a table that is 0 but for some rows.
#[derive(Debug)]
pub struct RowsGrad {
    /// Ascending, each once.
    pub(super) rows: Vec<u32>,
    /// `[rows, width]`
    pub(super) values: Buf,
    /// Rows of the whole table.
    pub(super) table_rows: usize,
}

impl RowsGrad {
    /// The rows that have a gradient, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    pub(super) fn width(&self) -> usize {
        self.values.len() / self.rows.len().max(1)
    }

    fn row(&self, row: u32) -> Option<&[f32]> {
        let at = self.rows.binary_search(&row).ok()?;
        self.values.get(at * self.width()..(at + 1) * self.width())
    }

    fn plus(&self, other: &Self) -> Self {
        let mut rows = [self.rows.as_slice(), &other.rows].concat();
        rows.sort_unstable();
        rows.dedup();
        let width = self.width().max(other.width());
        let mut values = vec![0.0; rows.len() * width];
        for (row, sum) in rows.iter().zip(values.chunks_exact_mut(width.max(1))) {
            for grad in [self.row(*row), other.row(*row)].into_iter().flatten() {
                sum.iter_mut().zip(grad).for_each(|(sum, grad)| *sum += grad);
            }
        }
        Self { rows, values: Buf::of(values), table_rows: self.table_rows }
    }

    fn whole(&self) -> Buf {
        let width = self.width();
        let mut whole = vec![0.0; self.table_rows * width];
        for (row, values) in self.rows.iter().zip(self.values.chunks_exact(width.max(1))) {
            whole[*row as usize * width..][..width].copy_from_slice(values);
        }
        Buf::of(whole)
    }
}

impl Grad {
    fn numbers(&self) -> &[f32] {
        match self {
            Self::Whole(values) => values,
            Self::Rows(rows) => &rows.values,
        }
    }

    fn into_whole(self) -> Buf {
        match self {
            Self::Whole(values) => values,
            Self::Rows(rows) => rows.whole(),
        }
    }
}

/// Gradients that fast ops computed beside candle's graph: see [`Params::backward`].
pub(super) type Sink = Arc<Mutex<BTreeMap<String, Grad>>>;

/// Adds a gradient to what the sink has under this name.
pub(super) fn accumulate(sink: &Sink, name: String, grad: Grad) {
    add(&mut sink.lock().unwrap_or_else(PoisonError::into_inner), name, grad);
}

fn add(sums: &mut BTreeMap<String, Grad>, name: String, grad: Grad) {
    let sum = match (sums.remove(&name), grad) {
        (None, grad) => grad,
        (Some(Grad::Rows(sum)), Grad::Rows(grad)) => Grad::Rows(sum.plus(&grad)),
        (Some(sum), grad) => {
            let (mut sum, grad) = (sum.into_whole(), grad.into_whole());
            sum.iter_mut().zip(&*grad).for_each(|(sum, grad)| *sum += grad);
            Grad::Whole(sum)
        }
    };
    sums.insert(name, sum);
}

/// All parameters of a model in the order of their names.
#[derive(Debug, Default)]
pub struct Params {
    map: BTreeMap<String, Param>,
    updates: Vec<LowRankUpdate>,
    sink: Sink,
    place: Place,
}

/// What learns beside a weight that stays as it is (LoRA): what is saved is `weight + scale * up down`.
#[derive(Clone, Debug)]
struct LowRankUpdate {
    weight: String,
    /// `[rank, inputs]`
    down: String,
    /// `[outputs, rank]`
    up: String,
    scale: f64,
}

impl Params {
    /// For a model that computes on the processor.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a model that computes there: its parameters are put on the device as they are added.
    pub fn at(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    /// Where the model computes.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Adds a parameter that learns.
    ///
    /// # Errors
    /// When the tensor can't be copied.
    pub fn var(&mut self, name: &str, value: Tensor) -> Result<Tensor> {
        let var = Var::from_tensor(&value.to_device(self.place.device())?)?;
        let tensor = var.as_tensor().clone();
        self.map.insert(name.to_owned(), Param::Trainable(var));
        Ok(tensor)
    }

    /// Adds a parameter that stays as it is.
    ///
    /// # Errors
    /// When the tensor can't be copied.
    pub fn frozen(&mut self, name: &str, value: Tensor) -> Result<Tensor> {
        let value = value.detach().to_device(self.place.device())?;
        self.map.insert(name.to_owned(), Param::Frozen(value.clone()));
        Ok(value)
    }

    /// Adds a parameter of either kind.
    ///
    /// # Errors
    /// When the tensor can't be copied.
    pub fn add(&mut self, name: &str, value: Tensor, trainable: bool) -> Result<Tensor> {
        if trainable { self.var(name, value) } else { self.frozen(name, value) }
    }

    /// Says that two parameters are a low-rank update of a third, which is saved with it and they are not.
    pub(super) fn low_rank(&mut self, weight: String, down: String, up: String, scale: f64) {
        self.updates.push(LowRankUpdate { weight, down, up, scale });
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

    /// Deep copies of everything that learns, in the memory of the processor: the other values can't change.
    ///
    /// # Errors
    /// When a tensor can't be copied.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        let copy = |var: &Var| {
            let value = var.as_tensor().detach();
            if value.device().is_cpu() { value.copy() } else { value.to_device(&Device::Cpu) }
        };
        self.trainable().map(|(name, var)| Ok((name.to_owned(), copy(var)?))).collect()
    }

    /// Puts a snapshot's values back.
    ///
    /// # Errors
    /// A name that is not trainable here, or a shape that does not fit.
    pub fn restore(&self, snapshot: &BTreeMap<String, Tensor>) -> Result<()> {
        for (name, value) in snapshot {
            match self.map.get(name) {
                Some(Param::Trainable(var)) => var.set(&value.to_device(var.device())?)?,
                _ => return Err(Error::Msg(format!("{name} is not a trainable parameter")).bt()),
            }
        }
        Ok(())
    }

    /// The numbers of everything that learns, in the order of their names.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.trainable().map(|(name, var)| (name, var.as_tensor()))
    }

    /// Tensors in the shapes of what learns, from lists of their numbers.
    ///
    /// # Errors
    /// A parameter without a list, or one of another length.
    pub fn shaped(&self, mut list: impl FnMut(&str) -> Result<Vec<f32>>) -> Result<BTreeMap<String, Tensor>> {
        let shaped = |(name, var): (&str, &Var)| Ok((name.to_owned(), Tensor::from_vec(list(name)?, var.shape(), &Device::Cpu)?));
        self.trainable().map(shaped).collect()
    }

    /// All values as a safetensors file, names as transformers' `BertForSequenceClassification` has them. Low-rank updates
    /// are merged into the weights they belong to.
    ///
    /// # Errors
    /// When a tensor can't be read.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        self.to_safetensors_as(str::to_owned)
    }

    /// The same with parameters of other names.
    ///
    /// # Errors
    /// As [`Params::to_safetensors`].
    pub fn to_safetensors_as(&self, named: impl Fn(&str) -> String) -> Result<Vec<u8>> {
        let tensors: Vec<(String, Tensor)> = self
            .map
            .iter()
            .filter(|(name, _)| !self.updates.iter().any(|update| update.down == **name || update.up == **name))
            .map(|(name, param)| Ok((named(name), self.merged(name, param)?.to_dtype(DType::F32)?.contiguous()?.to_device(&Device::Cpu)?)))
            .collect::<Result<_>>()?;
        let meta = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(tensors, Some(meta)).map_err(|error| Error::Msg(error.to_string()).bt())
    }

    /// A parameter with its low-rank update, if it has one.
    fn merged(&self, name: &str, param: &Param) -> Result<Tensor> {
        let value = param.tensor().detach();
        let Some(update) = self.updates.iter().find(|update| update.weight == name) else { return Ok(value) };
        let (Some(down), Some(up)) = (self.get(&update.down), self.get(&update.up)) else { return Ok(value) };
        value + (up.detach().matmul(&down.detach())? * update.scale)?
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
        let mut store = loss.backward()?;
        let mut by_ops = BTreeMap::new();
        for (name, var) in self.trainable() {
            match store.remove(var) {
                Some(grad) if self.place.by_ops() => _ = by_ops.insert(name.to_owned(), grad),
                Some(grad) => {
                    let grad = Buf::of(grad.flatten_all()?.to_vec1::<f32>()?);
                    accumulate(&self.sink, name.to_owned(), Grad::Whole(grad));
                }
                None => {}
            }
        }
        Ok(Gradients { by_name: std::mem::take(&mut *self.sink()), by_ops })
    }

    pub(super) fn share_sink(&self) -> Sink {
        self.sink.clone()
    }

    fn sink(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Grad>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gradients by parameter name.
#[derive(Debug, Default)]
pub struct Gradients {
    by_name: BTreeMap<String, Grad>,
    /// Those of a model that runs as candle's ops: they stay on its device, where its optimiser steps.
    by_ops: BTreeMap<String, Tensor>,
}

impl Gradients {
    /// The gradient of a whole parameter; `None` also where only rows of it have one, and where it is on a device.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        match self.by_name.get(name)? {
            Grad::Whole(values) => Some(values),
            Grad::Rows(_) => None,
        }
    }

    /// A parameter's gradient, with zeros where a table's rows have none, wherever it is.
    ///
    /// # Errors
    /// When it can't be read from its device.
    pub fn whole(&self, name: &str) -> Result<Option<Vec<f32>>> {
        if let Some(grad) = self.by_ops.get(name) {
            return grad.flatten_all()?.to_vec1::<f32>().map(Some);
        }
        Ok(self.by_name.get(name).map(|grad| match grad {
            Grad::Whole(values) => values.to_vec(),
            Grad::Rows(rows) => rows.whole().to_vec(),
        }))
    }

    /// The gradient of a table of which only some rows have one.
    pub fn rows(&self, name: &str) -> Option<&RowsGrad> {
        match self.by_name.get(name)? {
            Grad::Whole(_) => None,
            Grad::Rows(rows) => Some(rows),
        }
    }

    /// The gradient of a parameter of a model that runs as candle's ops.
    pub(super) fn on_device(&self, name: &str) -> Option<&Tensor> {
        self.by_ops.get(name)
    }

    /// Every gradient's numbers; of a table only those of the rows that have one. None of those on a device: see
    /// [`Gradients::to_processor`].
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.by_name.iter().map(|(name, grad)| (name.as_str(), grad.numbers()))
    }

    /// The same in the memory of the processor.
    ///
    /// # Errors
    /// When one can't be read from its device.
    pub fn to_processor(self) -> Result<Self> {
        let Self { mut by_name, by_ops } = self;
        for (name, grad) in by_ops {
            by_name.insert(name, Grad::Whole(Buf::of(grad.flatten_all()?.to_vec1::<f32>()?)));
        }
        Ok(Self { by_name, by_ops: BTreeMap::new() })
    }

    /// The same with zeros where a table's rows have no gradient: each as many numbers as its parameter.
    pub fn into_whole(self) -> Self {
        let by_name = self.by_name.into_iter().map(|(name, grad)| (name, Grad::Whole(grad.into_whole()))).collect();
        Self { by_name, by_ops: self.by_ops }
    }

    /// Adds the gradients of another part of a batch.
    ///
    /// # Errors
    /// When two on a device can't be added.
    pub fn add(&mut self, other: Self) -> Result<()> {
        for (name, grad) in other.by_name {
            add(&mut self.by_name, name, grad);
        }
        for (name, grad) in other.by_ops {
            let sum = match self.by_ops.get(&name) {
                Some(sum) => (sum + grad)?,
                None => grad,
            };
            self.by_ops.insert(name, sum);
        }
        Ok(())
    }

    /// The sum of squares of each gradient.
    ///
    /// # Errors
    /// When one can't be read from its device.
    pub fn squares(&self) -> Result<BTreeMap<&str, f64>> {
        let mut squares: BTreeMap<&str, f64> = self.iter().map(|(name, grad)| (name, kernels::sum_of_squares(grad))).collect();
        if !self.by_ops.is_empty() {
            // One answer of the device for all: each would have it wait.
            let sums = self.by_ops.values().map(|grad| grad.sqr()?.sum_all()).collect::<Result<Vec<_>>>()?;
            squares
                .extend(self.by_ops.keys().map(String::as_str).zip(Tensor::stack(&sums, 0)?.to_vec1::<f32>()?.into_iter().map(f64::from)));
        }
        Ok(squares)
    }

    /// The norm of all gradients together. Sums are taken in blocks of fixed size, so threads do not change it.
    ///
    /// # Errors
    /// When a gradient can't be read from its device.
    pub fn norm(&self) -> Result<f64> {
        Ok(self.squares()?.values().sum::<f64>().sqrt())
    }
}

/// Trainable parameters that the loss did not reach: no gradient, all zeros, or not finite. Empty is what one wants.
///
/// # Errors
/// When a gradient can't be read from its device.
pub fn unreached(params: &Params, grads: &Gradients) -> Result<Vec<String>> {
    let squares = grads.squares()?;
    let reached = |name: &str| squares.get(name).is_some_and(|size| *size > 0.0 && size.is_finite());
    Ok(params.trainable().map(|(name, _)| name).filter(|name| !reached(name)).map(str::to_owned).collect())
}
