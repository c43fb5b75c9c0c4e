//! bfloat16: a float32 of which the upper sixteen bits are kept, rounded. Two that follow each other in a sum stand
//! together in the place of one float32, a pair: so packing, panels and tiles of products are those of float32, and only
//! the innermost instruction is another one (`vdpbf16ps`), which adds both products of two pairs to a float32.

#[cfg(target_arch = "x86_64")]
use super::has_pairs;
use super::matmul::Mat;
use super::simd;

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
pub(super) fn along<'m>(memory: &'m mut Vec<f32>, from: Mat) -> Pairs<'m> {
    let (rows, cols) = (from.rows, from.cols.div_ceil(2));
    if memory.len() < rows * cols {
        memory.resize(rows * cols, 0.0);
    }
    let data = &mut memory[..rows * cols];
    for (row, to) in data.chunks_exact_mut(cols.max(1)).enumerate() {
        pair_along(to, from.row(row));
    }
    Pairs { data, rows, cols }
}

/// Pairs of what follows each other.
pub(super) fn pair_along(to: &mut [f32], from: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if has_pairs() {
        // SAFETY: the instructions were just found.
        return unsafe { native::pair_along(to, from) };
    }
    pair_along_by_rule(to, from);
}

simd! {
    fn pair_along_by_rule(to: &mut [f32], from: &[f32]) {
        let (pairs, last) = from.as_chunks::<2>();
        for (to, [first, second]) in to.iter_mut().zip(pairs) {
            *to = pair(*first, *second);
        }
        if let ([last], Some(to)) = (last, to.last_mut()) {
            *to = pair(*last, 0.0);
        }
    }
}

/// Pairs by the processor's own instruction, which rounds as the rule above but takes denormal numbers as 0, as the products
/// of pairs do.
#[cfg(target_arch = "x86_64")]
pub(super) mod native {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub fn pair_along(to: &mut [f32], from: &[f32]) {
        let (blocks, rest) = from.as_chunks::<32>();
        let (to_blocks, to_rest) = to.split_at_mut(16 * blocks.len());
        for (to, from) in to_blocks.as_chunks_mut::<16>().0.iter_mut().zip(blocks) {
            // SAFETY: both lie in the arrays.
            unsafe {
                let (first, second) = (_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from.as_ptr().add(16)));
                _mm512_storeu_ps(to.as_mut_ptr(), as_floats(_mm512_cvtne2ps_pbh(second, first)));
            }
        }
        super::pair_along_by_rule(to_rest, rest);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub fn pair_across(to: &mut [f32], upper: &[f32], lower: &[f32]) {
        assert!(upper.len() == to.len() && lower.len() == to.len(), "rows of different lengths");
        for first in (0..to.len()).step_by(16) {
            let mask = if to.len() - first >= 16 { !0 } else { (1u16 << (to.len() - first)) - 1 };
            // SAFETY: the mask leaves what lies beyond the slices alone.
            unsafe {
                let upper = _mm512_maskz_loadu_ps(mask, upper.as_ptr().add(first));
                let lower = _mm512_maskz_loadu_ps(mask, lower.as_ptr().add(first));
                _mm512_mask_storeu_ps(to.as_mut_ptr().add(first), mask, interleaved(_mm512_cvtne2ps_pbh(lower, upper)));
            }
        }
    }

    /// Of sixteen and sixteen, the first with the first, and so on.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn interleaved(both: __m512bh) -> __m512 {
        const PLACES: [u16; 32] = {
            let mut places = [0; 32];
            let mut at = 0;
            while at < 32 {
                places[at] = (at / 2 + at % 2 * 16) as u16;
                at += 1;
            }
            places
        };
        // SAFETY: both are 64 bytes of which every pattern is a value.
        let (places, words) =
            unsafe { (std::mem::transmute::<[u16; 32], __m512i>(PLACES), std::mem::transmute::<__m512bh, __m512i>(both)) };
        _mm512_castsi512_ps(_mm512_permutexvar_epi16(places, words))
    }

    #[inline]
    fn as_floats(pairs: __m512bh) -> __m512 {
        // SAFETY: as above.
        unsafe { std::mem::transmute(pairs) }
    }
}

/// Pairs of what stands under each other.
#[inline(always)]
pub(super) fn pair_across(to: &mut [f32], upper: &[f32], lower: &[f32]) {
    for ((to, upper), lower) in to.iter_mut().zip(upper).zip(lower) {
        *to = pair(*upper, *lower);
    }
}

/// The same where no row is under it.
#[inline(always)]
pub(super) fn pair_over_nothing(to: &mut [f32], upper: &[f32]) {
    for (to, upper) in to.iter_mut().zip(upper) {
        *to = pair(*upper, 0.0);
    }
}
