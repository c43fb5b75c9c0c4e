//! Operands of matrix products in panels: some columns wide, row after row, zeros beyond the last column; as they are, or
//! in pairs of bfloat16.

#[cfg(target_arch = "x86_64")]
use super::half::native;
use super::half::{pair_across, pair_along, pair_over_nothing};
use super::matmul::Mat;
use super::simd;
#[cfg(target_arch = "x86_64")]
use super::{Level, has_pairs, level};
use rayon::prelude::*;

/// A matrix to be packed; its columns go into panels. One of its steps is 1.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    mat: Mat<'a>,
    /// Each two rows become one of pairs.
    pairs: bool,
}

/// Rows that are packed at once into a group of panels: they are read along, and what is not needed for this panel is still
/// in the nearest cache for the next.
const ROWS: usize = 8;

impl<'a> Source<'a> {
    pub fn of(mat: Mat<'a>) -> Self {
        Self { mat, pairs: false }
    }

    pub fn pairs(mat: Mat<'a>) -> Self {
        Self { mat, pairs: true }
    }

    /// Rows of a panel.
    fn depth(self) -> usize {
        if self.pairs { self.mat.rows.div_ceil(2) } else { self.mat.rows }
    }
}

/// A slice that begins on a cache line.
pub(super) fn aligned(memory: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if memory.len() < len + 16 {
        memory.resize(len + 16, 0.0);
    }
    let offset = memory.as_ptr().align_offset(64).min(16);
    &mut memory[offset..offset + len]
}

/// All panels of a matrix, one after the other, `cols` wide.
pub(super) fn pack<'m>(memory: &'m mut Vec<f32>, from: Source, cols: usize, threads: bool) -> &'m [f32] {
    let panels = from.mat.cols.div_ceil(cols);
    let size = from.depth() * cols;
    let packed = aligned(memory, panels * size);
    if size > 0 {
        let wanted = if threads { 2 * rayon::current_num_threads() } else { 1 };
        let group = panels.div_ceil(wanted);
        let one = |(at, panels): (usize, &mut [f32])| pack_group(panels, at * group * cols, from, cols);
        if threads {
            packed.par_chunks_mut(group * size).enumerate().for_each(one);
        } else {
            packed.chunks_mut(group * size).enumerate().for_each(one);
        }
    }
    packed
}

/// Panels beside each other, the first of which begins with column `first`.
pub(super) fn pack_group(panels: &mut [f32], first: usize, from: Source, cols: usize) {
    if from.mat.col_step == 1 {
        return pack_rows(panels, first, from, cols);
    }
    let mut pairs = Vec::new();
    for (at, panel) in panels.chunks_exact_mut(from.depth() * cols).enumerate() {
        pack_transposed(panel, first + at * cols, from, cols, &mut pairs);
    }
}

/// The same where the rows lie along.
fn pack_rows(panels: &mut [f32], first: usize, from: Source, cols: usize) {
    #[cfg(target_arch = "x86_64")]
    if from.pairs && has_pairs() {
        // SAFETY: the instructions were just found.
        return unsafe { pack_rows_native(panels, first, from, cols) };
    }
    pack_rows_by_rule(panels, first, from, cols);
}

simd! {
    fn pack_rows_by_rule(panels: &mut [f32], first: usize, from: Source, cols: usize) {
        all_rows::<false>(panels, first, from, cols);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx2,fma")]
fn pack_rows_native(panels: &mut [f32], first: usize, from: Source, cols: usize) {
    all_rows::<true>(panels, first, from, cols);
}

/// `NATIVE` only where the instructions for pairs are there.
#[inline(always)]
fn all_rows<const NATIVE: bool>(panels: &mut [f32], first: usize, from: Source, cols: usize) {
    let (mat, size) = (from.mat, from.depth() * cols);
    let last = (mat.cols - first).min(panels.len() / size * cols);
    if !last.is_multiple_of(cols)
        && let Some(panel) = panels.chunks_exact_mut(size).last()
    {
        panel.fill(0.0);
    }
    for row in (0..from.depth()).step_by(ROWS) {
        let rows = ROWS.min(from.depth() - row);
        for (at, panel) in panels.chunks_exact_mut(size).enumerate() {
            let (col, width) = (first + at * cols, cols.min(last - at * cols));
            let panel = &mut panel[row * cols..][..rows * cols];
            // Widths that are known are taken in a few instructions.
            match (cols, width == cols) {
                (32, true) => some_rows::<NATIVE, 32>(panel, from, row, col),
                (12, true) => some_rows::<NATIVE, 12>(panel, from, row, col),
                _ => panel.chunks_exact_mut(cols).zip(row..).for_each(|(to, row)| one_row::<NATIVE>(&mut to[..width], from, row, col)),
            }
        }
    }
}

#[inline(always)]
fn some_rows<const NATIVE: bool, const COLS: usize>(panel: &mut [f32], from: Source, row: usize, col: usize) {
    for (to, row) in panel.as_chunks_mut::<COLS>().0.iter_mut().zip(row..) {
        one_row::<NATIVE>(to, from, row, col);
    }
}

/// One row of a panel, from a column on.
#[inline(always)]
fn one_row<const NATIVE: bool>(to: &mut [f32], from: Source, row: usize, col: usize) {
    let mat = from.mat;
    let line = |row: usize| &mat.data[row * mat.row_step + col..][..to.len()];
    match (from.pairs, 2 * row + 1 < mat.rows) {
        (false, _) => to.copy_from_slice(line(row)),
        (true, true) => {
            let (upper, lower) = (line(2 * row), line(2 * row + 1));
            #[cfg(target_arch = "x86_64")]
            if NATIVE {
                // SAFETY: the promise of `all_rows`.
                return unsafe { native::pair_across(to, upper, lower) };
            }
            pair_across(to, upper, lower);
        }
        (true, false) => {
            let upper = line(2 * row);
            pair_over_nothing(to, upper);
        }
    }
}

/// One panel of a matrix whose columns lie along.
fn pack_transposed(panel: &mut [f32], first: usize, from: Source, cols: usize, pairs: &mut Vec<f32>) {
    let (mat, depth) = (from.mat, from.depth());
    let width = cols.min(mat.cols - first);
    if width < cols {
        panel.fill(0.0);
    }
    if !from.pairs {
        transpose(panel, &mat.data[first * mat.col_step..], mat.col_step, (width, depth), cols);
        return;
    }
    pairs.resize(width * depth, 0.0);
    for (to, col) in pairs.chunks_exact_mut(depth).zip(first..) {
        pair_along(to, &mat.data[col * mat.col_step..][..mat.rows]);
    }
    transpose(panel, pairs, depth, (width, depth), cols);
}

/// `width` rows of `depth` numbers, `step` apart, become the columns of a panel.
fn transpose(panel: &mut [f32], from: &[f32], step: usize, (width, depth): (usize, usize), cols: usize) {
    // In blocks that stay in the nearest cache.
    for (block, to) in panel.chunks_mut(cols * 32).enumerate() {
        let rows = to.len() / cols;
        #[cfg(target_arch = "x86_64")]
        if rows == 32 && width == cols && cols.is_multiple_of(8) && level() != Level::Base {
            for c in (0..cols).step_by(8) {
                let from = &from[c * step + block * 32..][..7 * step + 32];
                // SAFETY: `level` found the instructions; eight rows of 32 numbers, `step` apart, were just cut out, and
                // `to` holds 32 rows of `cols` numbers.
                unsafe { transpose_8_32(from.as_ptr(), step, to.as_mut_ptr().add(c), cols) };
            }
            continue;
        }
        for c in 0..width {
            let from = &from[c * step + block * 32..][..rows];
            for (to, from) in to.iter_mut().skip(c).step_by(cols).zip(from) {
                *to = *from;
            }
        }
    }
    debug_assert!(panel.len() == depth * cols);
}

/// Eight rows of 32 numbers, `from_step` apart, become 32 rows of eight, `to_step` apart.
///
/// # Safety
/// Both must lie in memory that may be read and written; the instructions must be there.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn transpose_8_32(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
    use std::arch::x86_64::*;
    for block in 0..4 {
        // SAFETY: the caller's promise: row and column stay below 8 and 32.
        unsafe {
            let row = |r: usize| _mm256_loadu_ps(from.add(r * from_step + 8 * block));
            let pair = |r: usize| (_mm256_unpacklo_ps(row(r), row(r + 1)), _mm256_unpackhi_ps(row(r), row(r + 1)));
            // Columns 0, 4; 1, 5; 2, 6; 3, 7 of four rows.
            let four = |r: usize| {
                let ((low0, high0), (low1, high1)) = (pair(r), pair(r + 2));
                [
                    _mm256_shuffle_ps::<0x44>(low0, low1),
                    _mm256_shuffle_ps::<0xee>(low0, low1),
                    _mm256_shuffle_ps::<0x44>(high0, high1),
                    _mm256_shuffle_ps::<0xee>(high0, high1),
                ]
            };
            let (upper, lower) = (four(0), four(4));
            for c in 0..4 {
                let to = to.add((8 * block + c) * to_step);
                _mm256_storeu_ps(to, _mm256_permute2f128_ps::<0x20>(upper[c], lower[c]));
                _mm256_storeu_ps(to.add(4 * to_step), _mm256_permute2f128_ps::<0x31>(upper[c], lower[c]));
            }
        }
    }
}
