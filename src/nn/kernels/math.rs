//! Functions of one number, free of branches so that loops over them vectorise.

use super::simd;
use rayon::prelude::*;

/// `a * b + c`, fused where that is one instruction.
#[inline(always)]
pub(super) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The exponential function; relative error below 2e-7 from -87 to 88, beyond that the value at the border.
#[inline(always)]
pub(super) fn exp_fast<const FMA: bool>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to a whole number in the low bits
    let x = if x > -87.0 { x } else { -87.0 };
    let x = if x < 88.0 { x } else { 88.0 };
    let shifted = fma::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts, the first with few digits so that n times it is exact.
    let r = fma::<FMA>(n, -0.693_359_4, x);
    let r = fma::<FMA>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    p = fma::<FMA>(p, r, 1.398_199_9e-3);
    p = fma::<FMA>(p, r, 8.333_452e-3);
    p = fma::<FMA>(p, r, 4.166_579_6e-2);
    p = fma::<FMA>(p, r, 1.666_666_5e-1);
    p = fma::<FMA>(p, r, 0.5);
    let value = fma::<FMA>(p * r, r, r) + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_shl(23);
    f32::from_bits(value.to_bits().wrapping_add(exponent))
}

/// Distribution function and density of the standard normal distribution; absolute error below 3e-7.
/// (Abramowitz and Stegun 7.1.26; both share one exponential.)
#[inline(always)]
pub(super) fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let bell = exp_fast::<FMA>(-z * z);
    let t = 1.0 / fma::<FMA>(0.327_591_1, z, 1.0);
    let mut p = 1.061_405_4;
    p = fma::<FMA>(p, t, -1.453_152);
    p = fma::<FMA>(p, t, 1.421_413_7);
    p = fma::<FMA>(p, t, -0.284_496_74);
    p = fma::<FMA>(p, t, 0.254_829_6);
    let tail = 0.5 * p * t * bell;
    let distribution = if x < 0.0 { tail } else { 1.0 - tail };
    (distribution, bell * 0.398_942_3)
}

/// [`exp_fast`] for callers outside a kernel.
pub fn exp(x: f32) -> f32 {
    exp_fast::<false>(x)
}

/// The error function by the kernels' formula.
pub fn erf(x: f32) -> f32 {
    2.0 * normal::<false>(x * std::f32::consts::SQRT_2).0 - 1.0
}

const LANES: usize = 64;

/// Sum of a function over paired values, in an order that does not depend on the instruction set.
#[inline(always)]
pub(super) fn sum_pairs(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (head_a, head_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (tail_a, tail_b) = (head_a.remainder(), head_b.remainder());
    for (x, y) in head_a.zip(head_b) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f(*x, *y);
        }
    }
    for ((lane, x), y) in lanes.iter_mut().zip(tail_a).zip(tail_b) {
        *lane += f(*x, *y);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}

/// Sum of values.
#[inline(always)]
pub(super) fn sum(a: &[f32]) -> f32 {
    sum_pairs(a, a, |x, _| x)
}

/// Largest value; negative infinity of none.
#[inline(always)]
pub(super) fn largest(a: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    let chunks = a.chunks_exact(16);
    let tail = chunks.remainder();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    tail.iter().chain(&lanes).fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max })
}

/// Sum of squares, in blocks of fixed size that are added in order.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let blocks: Vec<f32> = values.par_chunks(1 << 14).map(squares).collect();
    blocks.into_iter().map(f64::from).sum()
}

simd! { fn squares(values: &[f32]) -> f32 { sum_pairs(values, values, |a, b| a * b) } }
