//! One step of AdamW over a part of a parameter.

use super::math::fma;
use super::simd;

/// The numbers of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    pub beta1: f32,
    pub beta2: f32,
    /// Factor of the gradient: clipping.
    pub scale: f32,
    /// Factor of the value: weight decay.
    pub shrink: f32,
    /// Learning rate over the first moment's correction.
    pub rate: f32,
    /// Square root of one over the second moment's correction.
    pub root: f32,
    pub eps: f32,
}

simd! {
    /// Changes values and moments, all of one length.
    pub fn adam_step(step: AdamStep, values: &mut [f32], grads: &[f32], first: &mut [f32], second: &mut [f32]) {
        let moments = first.iter_mut().zip(second.iter_mut());
        for ((value, grad), (first, second)) in values.iter_mut().zip(grads).zip(moments) {
            let grad = grad * step.scale;
            *first = fma::<FMA>(step.beta1, *first, (1.0 - step.beta1) * grad);
            *second = fma::<FMA>(step.beta2, *second, (1.0 - step.beta2) * grad * grad);
            *value = *value * step.shrink - step.rate * *first / fma::<FMA>(second.sqrt(), step.root, step.eps);
        }
    }
}
