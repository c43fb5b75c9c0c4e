//! Cross-entropy over rows of logits, each with a weight of its own, and its gradient in the same pass.

use super::math::{exp_fast, largest, sum};
use super::{BLOCK, simd};
use rayon::prelude::*;

/// The sum of `-weight ln softmax(row)[target]` over the rows of `logits`, as wide as there are classes; its gradient goes
/// into `grad`. Rows of weight 0 are not looked at, whatever they hold. Sums are taken in blocks of rows and added in order.
///
/// # Panics
/// When lengths differ, or a target is not a class.
pub fn cross_entropy(logits: &[f32], classes: usize, targets: &[u32], weights: &[f32], grad: &mut [f32]) -> f64 {
    assert!(logits.len() == targets.len() * classes && grad.len() == logits.len(), "a cross-entropy wants a target for each row");
    assert!(weights.len() == targets.len(), "a cross-entropy wants a weight for each row");
    if logits.is_empty() {
        return 0.0;
    }
    let size = classes * BLOCK;
    let rows = logits.par_chunks(size).zip(grad.par_chunks_mut(size));
    let wanted = targets.par_chunks(BLOCK).zip(weights.par_chunks(BLOCK));
    let sums: Vec<f64> =
        rows.zip(wanted).map(|((logits, grad), (targets, weights))| entropy_block(logits, grad, targets, weights, classes)).collect();
    sums.iter().sum()
}

simd! {
    fn entropy_block(logits: &[f32], grad: &mut [f32], targets: &[u32], weights: &[f32], classes: usize) -> f64 {
        let mut loss = 0.0;
        let rows = logits.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
        for ((row, grad), (target, weight)) in rows.zip(targets.iter().zip(weights)) {
            if *weight == 0.0 {
                grad.fill(0.0);
                continue;
            }
            let top = largest(row);
            grad.iter_mut().zip(row).for_each(|(grad, logit)| *grad = exp_fast::<FMA>(logit - top));
            let total = sum(grad);
            let target = *target as usize;
            loss += f64::from(*weight) * (f64::from(top - row[target]) + f64::from(total).ln());
            let share = weight / total;
            grad.iter_mut().for_each(|grad| *grad *= share);
            grad[target] -= weight;
        }
        loss
    }
}
