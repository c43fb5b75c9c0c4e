//! bfloat16: a float32 of which the upper sixteen bits are kept, rounded. Two that follow each other in a sum stand
//! together in the place of one float32, a pair: so packing, panels and tiles of products are those of float32, and only
//! the innermost instruction is another one (`vdpbf16ps`), which adds both products of two pairs to a float32.

use super::matmul::Mat;
use super::{BLOCK, simd};
use rayon::prelude::*;

/// Rounded to the nearest bfloat16, ties to even; what is not a number stays so. Bits of a float32.
#[inline(always)]
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let up = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    (if x.is_nan() { 0x7fc0_0000 } else { up }) & 0xffff_0000
}

/// The number as bfloat16 holds it.
pub fn to_bfloat16(x: f32) -> f32 {
    f32::from_bits(rounded(x))
}

#[inline(always)]
fn pair(first: f32, second: f32) -> f32 {
    f32::from_bits(rounded(first) >> 16 | rounded(second))
}

/// A matrix of pairs, its rows one after another.
pub(super) struct Pairs<'a> {
    pub data: &'a [f32],
    pub rows: usize,
    pub cols: usize,
}

impl<'a> Pairs<'a> {
    pub fn view(&self) -> Mat<'a> {
        Mat::new(self.data, self.rows, self.cols, self.cols)
    }
}

/// Pairs of what follows each other in a row of `from`, whose rows lie along: half as many columns.
pub(super) fn along<'m>(memory: &'m mut Vec<f32>, from: Mat, threads: bool) -> Pairs<'m> {
    let (rows, cols) = (from.row_count(), from.col_count().div_ceil(2));
    let data = sized(memory, rows * cols);
    each(data, cols, threads, |first, block| {
        for (at, to) in block.chunks_exact_mut(cols).enumerate() {
            pair_along(to, from.row(first + at));
        }
    });
    Pairs { data, rows, cols }
}

/// Pairs of what stands under each other in two rows of `from`, whose rows lie along: half as many rows.
pub(super) fn across<'m>(memory: &'m mut Vec<f32>, from: Mat, threads: bool) -> Pairs<'m> {
    let (rows, cols) = (from.row_count().div_ceil(2), from.col_count());
    let data = sized(memory, rows * cols);
    each(data, cols, threads, |first, block| {
        for (at, to) in block.chunks_exact_mut(cols).enumerate() {
            let upper = 2 * (first + at);
            match upper + 1 < from.row_count() {
                true => pair_across(to, from.row(upper), from.row(upper + 1)),
                false => pair_over_nothing(to, from.row(upper)),
            }
        }
    });
    Pairs { data, rows, cols }
}

fn sized(memory: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if memory.len() < len {
        memory.resize(len, 0.0);
    }
    &mut memory[..len]
}

/// Blocks of rows with the number of their first one, on all threads where asked.
fn each(data: &mut [f32], cols: usize, threads: bool, work: impl Fn(usize, &mut [f32]) + Sync) {
    if data.is_empty() {
        return;
    }
    if threads {
        data.par_chunks_mut(cols * BLOCK).enumerate().for_each(|(at, block)| work(at * BLOCK, block));
    } else {
        work(0, data);
    }
}

simd! {
    fn pair_along(to: &mut [f32], from: &[f32]) {
        let (pairs, last) = from.as_chunks::<2>();
        for (to, [first, second]) in to.iter_mut().zip(pairs) {
            *to = pair(*first, *second);
        }
        if let ([last], Some(to)) = (last, to.last_mut()) {
            *to = pair(*last, 0.0);
        }
    }
}

simd! {
    fn pair_across(to: &mut [f32], upper: &[f32], lower: &[f32]) {
        for ((to, upper), lower) in to.iter_mut().zip(upper).zip(lower) {
            *to = pair(*upper, *lower);
        }
    }
}

simd! {
    fn pair_over_nothing(to: &mut [f32], upper: &[f32]) {
        for (to, upper) in to.iter_mut().zip(upper) {
            *to = pair(*upper, 0.0);
        }
    }
}
