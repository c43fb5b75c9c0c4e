//! A pass computed beside candle's graph, as one op of it: its values, and what takes its gradient, once.

use crate::nn::fast::Read;
use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};
use std::sync::{Mutex, PoisonError};

type Backward = Box<dyn FnOnce(&[f32]) -> Result<()> + Send>;

/// Applied to a leaf of the graph, it gives the values of a pass. The gradient of the leaf is of no interest.
pub(super) struct TapeOp {
    name: &'static str,
    values: Mutex<Option<Vec<f32>>>,
    shape: Shape,
    backward: Mutex<Option<Backward>>,
}

impl TapeOp {
    pub fn new(name: &'static str, values: Vec<f32>, shape: Shape, backward: impl FnOnce(&[f32]) -> Result<()> + Send + 'static) -> Self {
        Self { name, values: Mutex::new(Some(values)), shape, backward: Mutex::new(Some(Box::new(backward))) }
    }
}

/// What stands in a cell; an error the second time.
fn once<T>(cell: &Mutex<Option<T>>, name: &str) -> Result<T> {
    let taken = cell.lock().unwrap_or_else(PoisonError::into_inner).take();
    taken.ok_or_else(|| Error::Msg(format!("a pass of the {name} can be used once")).bt())
}

impl CustomOp1 for TapeOp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(once(&self.values, self.name)?), self.shape.clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let backward = once(&self.backward, self.name)?;
        let grad = grad.contiguous()?;
        backward(&Read::of(&grad)?)?;
        Ok(None)
    }
}
