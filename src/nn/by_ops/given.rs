//! An op of candle's graph whose values were computed outside of it, with a gradient of its own, on any device.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp2, Error, Layout, MetalStorage, Result, Shape, Storage, Tensor};

/// `values` as if they were made of the op's (first) argument; `back` brings their gradient to that of the argument.
pub(super) struct Given<F> {
    values: Tensor,
    back: F,
}

impl<F: Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static> Given<F> {
    /// `values` is contiguous, from its first number on, and on the device of the argument.
    pub fn new(values: Tensor, back: F) -> Self {
        Self { values, back }
    }

    fn copy<S>(&self, copied: impl Fn(&Storage, &Layout) -> Option<Result<S>>) -> Result<(S, Shape)> {
        let (storage, layout) = self.values.storage_and_layout();
        let copy = copied(&storage, layout).ok_or_else(|| Error::Msg("given values are on another device".to_owned()).bt())?;
        Ok((copy?, self.values.shape().clone()))
    }

    fn cpu(&self) -> Result<(CpuStorage, Shape)> {
        self.copy(|storage, layout| match storage {
            Storage::Cpu(own) => Some(own.try_clone(layout)),
            _ => None,
        })
    }

    fn cuda(&self) -> Result<(CudaStorage, Shape)> {
        self.copy(|storage, layout| match storage {
            Storage::Cuda(own) => Some(own.try_clone(layout)),
            _ => None,
        })
    }

    fn metal(&self) -> Result<(MetalStorage, Shape)> {
        self.copy(|storage, layout| match storage {
            Storage::Metal(own) => Some(own.try_clone(layout)),
            _ => None,
        })
    }
}

impl<F: Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static> CustomOp1 for Given<F> {
    fn name(&self) -> &'static str {
        "given"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.cuda()
    }

    fn metal_fwd(&self, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.metal()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        (self.back)(grad).map(Some)
    }
}

impl<F: Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static> CustomOp2 for Given<F> {
    fn name(&self) -> &'static str {
        "given"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.cuda()
    }

    fn metal_fwd(&self, _: &MetalStorage, _: &Layout, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.metal()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some((self.back)(grad)?), None))
    }
}
