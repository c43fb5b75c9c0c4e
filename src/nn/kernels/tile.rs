//! The innermost part of a matrix product: a tile of the result in registers, and the order in which it wants its
//! operands. One version for each instruction set.
//!
//! The right operand is packed in panels: [`Tile::cols`] columns wide, row after row, zeros beyond the last column.
//! (Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008.)

use super::Level;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Most rows and columns of a tile on any instruction set.
const MAX_ROWS: usize = 12;
const MAX_COLS: usize = 32;

/// The size of a tile on this processor, and what it multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub rows: usize,
    pub cols: usize,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Floats(Level),
    /// Each number of the operands stands for two bfloat16 that follow each other in the sum: see [`super::half`].
    #[cfg(target_arch = "x86_64")]
    PairsAvx512,
    PairsBase,
    /// Each number of the left operand stands for four whole ones from 0 to 255, of the right one for four from -127 to
    /// 127, each result for a whole sum: see [`super::int8`].
    #[cfg(target_arch = "x86_64")]
    FoursAvx512,
    FoursBase,
}

impl Tile {
    pub fn here() -> Self {
        let level = super::level();
        let (rows, cols) = match level {
            // 24 of 32 registers hold the tile, two the row of the panel.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => (12, 32),
            // 12 of 16.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => (6, 16),
            Level::Base => (4, 16),
        };
        Self { rows, cols, version: Version::Floats(level) }
    }

    /// For operands of pairs.
    pub fn pairs() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::has_pairs() {
            return Self { rows: 12, cols: 32, version: Version::PairsAvx512 };
        }
        Self { rows: 4, cols: 16, version: Version::PairsBase }
    }

    /// For operands of fours.
    pub fn fours() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::has_fours() {
            return Self { rows: 12, cols: 32, version: Version::FoursAvx512 };
        }
        Self { rows: 4, cols: 16, version: Version::FoursBase }
    }

    /// `c = a b` or `c += a b` for one tile.
    ///
    /// # Safety
    /// All that `left`, `depth`, `panel` and `out` describe must lie in memory that may be read, and for `out` written
    /// by this thread alone; `out.rows` and `out.cols` are at most those of the tile, and not 0.
    #[inline]
    pub unsafe fn run(&self, left: Left, depth: usize, panel: *const f32, out: Out) {
        // SAFETY: the version says that the instructions are there; the rest is the caller's promise.
        unsafe {
            match self.version {
                #[cfg(target_arch = "x86_64")]
                Version::Floats(Level::Avx512) => avx512::run(left, depth, panel, out),
                #[cfg(target_arch = "x86_64")]
                Version::Floats(Level::Avx2) => avx2::run(left, depth, panel, out),
                Version::Floats(Level::Base) => base::run(left, depth, panel, out),
                #[cfg(target_arch = "x86_64")]
                Version::PairsAvx512 => pairs_avx512::run(left, depth, panel, out),
                Version::PairsBase => pairs_base::run(left, depth, panel, out),
                #[cfg(target_arch = "x86_64")]
                Version::FoursAvx512 => fours_avx512::run(left, depth, panel, out),
                Version::FoursBase => fours_base::run(left, depth, panel, out),
            }
        }
    }
}

/// The rows of the left operand that a tile needs: row `r` at depth `k` is at `start + r * row_step + k * step`.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub start: *const f32,
    pub row_step: usize,
    pub step: usize,
}

/// Where a tile goes.
#[derive(Clone, Copy)]
pub(super) struct Out {
    pub start: *mut f32,
    pub rows: usize,
    pub cols: usize,
    pub row_step: usize,
    pub add: bool,
    /// Store columns as rows: element (r, c) at `c * row_step + r`.
    pub transposed: bool,
}

impl Out {
    /// Puts a whole tile, held in `rows` of `MAX_COLS`, where this says.
    unsafe fn put(&self, tile: &[[f32; MAX_COLS]; MAX_ROWS]) {
        let (row_step, col_step) = if self.transposed { (1, self.row_step) } else { (self.row_step, 1) };
        for col in 0..self.cols {
            for (row, values) in tile.iter().enumerate().take(self.rows) {
                // SAFETY: the caller's promise.
                unsafe {
                    let place = self.start.add(row * row_step + col * col_step);
                    *place = if self.add { *place + values[col] } else { values[col] };
                }
            }
        }
    }
}

/// Steps of the sum in one round of the innermost loop.
const UNROLL: usize = 4;

/// Groups of three rows in the largest tile.
const GROUPS: usize = MAX_ROWS / 3;

/// The same pointer, but the compiler forgets how it came about and keeps it in a register of its own.
#[inline(always)]
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[allow(clippy::pointers_in_nomem_asm_block)] // Nothing is read through it here.
fn apart(mut pointer: *const f32) -> *const f32 {
    // SAFETY: no instruction at all; the value stays what it was.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
    pointer
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn apart(pointer: *const f32) -> *const f32 {
    pointer
}

/// Makes the versions for one instruction set; a tile is up to `$count` rows of `VECTORS` times `LANES`.
macro_rules! tiles {
    ($module:ident, $vectors:literal, $lanes:literal, $vec:ty, [$($count:literal)*],
     $zero:ident, $load:ident, $spread:ident, $fma:ident, $add:ident, $store:ident $(, $feature:literal)?) => {
        mod $module {
            use super::*;
            const LANES: usize = $lanes;
            const VECTORS: usize = $vectors;

            /// # Safety
            /// See `Tile::run`; and the instructions must be there.
            $(#[target_feature(enable = $feature)])?
            pub unsafe fn run(left: Left, depth: usize, panel: *const f32, out: Out) {
                // SAFETY: the caller's promise.
                unsafe {
                    match (out.rows, left.step == 1) {
                        $(($count, true) => tile::<$count, true>(left, depth, panel, out),
                          ($count, false) => tile::<$count, false>(left, depth, panel, out),)*
                        _ => {}
                    }
                }
            }

            /// `ALONG`: the left operand's rows are contiguous; otherwise it is packed, a step's rows beside each other.
            $(#[target_feature(enable = $feature)])?
            unsafe fn tile<const R: usize, const ALONG: bool>(left: Left, depth: usize, panel: *const f32, out: Out) {
                // SAFETY: the caller's promise; rows, columns and depth stay within what it covers.
                unsafe {
                    let mut sums: [[$vec; VECTORS]; R] = [[$zero(); VECTORS]; R];
                    let mut panel = panel;
                    let mut at = left.start;
                    // One pointer for three rows: more would not fit into the registers, fewer cost additions.
                    let mut groups = [left.start; GROUPS];
                    for (g, group) in groups.iter_mut().enumerate() {
                        *group = apart(left.start.wrapping_add(3 * g * left.row_step));
                    }
                    let mut step = |offset: usize| {
                        let mut values: [$vec; VECTORS] = [$zero(); VECTORS];
                        for (v, value) in values.iter_mut().enumerate() {
                            *value = $load(panel.add(v * LANES));
                        }
                        for r in 0..R {
                            let from = if ALONG { groups[r / 3].wrapping_add(r % 3 * left.row_step + offset) } else { at.wrapping_add(r) };
                            let factor = $spread(*from);
                            for v in 0..VECTORS {
                                sums[r][v] = $fma(factor, values[v], sums[r][v]);
                            }
                        }
                        panel = panel.add(VECTORS * LANES);
                        if ALONG && offset == UNROLL - 1 {
                            for group in &mut groups {
                                *group = group.wrapping_add(UNROLL);
                            }
                        } else if !ALONG {
                            at = at.wrapping_add(left.step);
                        }
                    };
                    for _ in 0..depth / UNROLL {
                        for offset in 0..UNROLL {
                            step(offset);
                        }
                    }
                    for offset in 0..depth % UNROLL {
                        step(offset);
                    }
                    if out.cols == VECTORS * LANES && !out.transposed {
                        for (r, sums) in sums.iter().enumerate() {
                            for (v, sum) in sums.iter().enumerate() {
                                let place = out.start.add(r * out.row_step + v * LANES);
                                $store(place, if out.add { $add($load(place), *sum) } else { *sum });
                            }
                        }
                        return;
                    }
                    let mut whole = [[0.0f32; MAX_COLS]; MAX_ROWS];
                    for (row, sums) in whole.iter_mut().zip(&sums) {
                        for (v, sum) in sums.iter().enumerate() {
                            $store(row.as_mut_ptr().add(v * LANES), *sum);
                        }
                    }
                    out.put(&whole);
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles!(
    avx512, 2, 16, __m512, [1 2 3 4 5 6 7 8 9 10 11 12],
    _mm512_setzero_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps, _mm512_storeu_ps,
    "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
);
#[cfg(target_arch = "x86_64")]
tiles!(
    avx2, 2, 8, __m256, [1 2 3 4 5 6],
    _mm256_setzero_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps, _mm256_storeu_ps, "avx2,fma"
);
tiles!(base, 2, 8, Eight, [1 2 3 4], zero, load, spread, multiply_add, sum, store);
#[cfg(target_arch = "x86_64")]
tiles!(
    pairs_avx512, 2, 16, __m512, [1 2 3 4 5 6 7 8 9 10 11 12],
    _mm512_setzero_ps, _mm512_loadu_ps, _mm512_set1_ps, multiply_add_pairs_512, _mm512_add_ps, _mm512_storeu_ps,
    "avx512f,avx512vl,avx512dq,avx512bw,avx512bf16,avx2,fma"
);
tiles!(pairs_base, 2, 8, Eight, [1 2 3 4], zero, load, spread, multiply_add_pairs, sum, store);

#[cfg(target_arch = "x86_64")]
tiles!(
    fours_avx512, 2, 16, __m512, [1 2 3 4 5 6 7 8 9 10 11 12],
    _mm512_setzero_ps, _mm512_loadu_ps, _mm512_set1_ps, multiply_add_fours_512, add_whole_512, _mm512_storeu_ps,
    "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma"
);
tiles!(fours_base, 2, 8, Eight, [1 2 3 4], zero, load, spread, multiply_add_fours, add_whole, store);

/// `c` and all four products of each four.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn multiply_add_fours_512(a: __m512, b: __m512, c: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_dpbusd_epi32(_mm512_castps_si512(c), _mm512_castps_si512(a), _mm512_castps_si512(b)))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn add_whole_512(a: __m512, b: __m512) -> __m512 {
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
}

/// `c` and both products of each pair.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn multiply_add_pairs_512(a: __m512, b: __m512, c: __m512) -> __m512 {
    // SAFETY: both are 64 bytes of which every pattern is a value.
    let (a, b) = unsafe { (std::mem::transmute::<__m512, __m512bh>(a), std::mem::transmute::<__m512, __m512bh>(b)) };
    _mm512_dpbf16_ps(c, a, b)
}

/// Eight numbers that the compiler may keep in vectors of whatever width there is.
#[derive(Clone, Copy)]
struct Eight([f32; 8]);

#[inline(always)]
fn zero() -> Eight {
    Eight([0.0; 8])
}

#[inline(always)]
unsafe fn load(from: *const f32) -> Eight {
    // SAFETY: the caller's promise; an array of numbers has no stricter alignment than a number.
    Eight(unsafe { *from.cast::<[f32; 8]>() })
}

#[inline(always)]
fn spread(x: f32) -> Eight {
    Eight([x; 8])
}

#[inline(always)]
fn multiply_add(a: Eight, b: Eight, c: Eight) -> Eight {
    Eight(std::array::from_fn(|at| super::math::fma::<{ cfg!(target_arch = "aarch64") }>(a.0[at], b.0[at], c.0[at])))
}

/// As `multiply_add_fours_512`.
#[inline(always)]
fn multiply_add_fours(a: Eight, b: Eight, c: Eight) -> Eight {
    Eight(std::array::from_fn(|at| {
        let (bytes, factors) = (a.0[at].to_bits().to_le_bytes(), b.0[at].to_bits().to_le_bytes());
        let products = bytes.into_iter().zip(factors).map(|(byte, factor)| i32::from(byte) * i32::from(factor.cast_signed()));
        f32::from_bits(c.0[at].to_bits().wrapping_add(products.sum::<i32>().cast_unsigned()))
    }))
}

#[inline(always)]
fn add_whole(a: Eight, b: Eight) -> Eight {
    Eight(std::array::from_fn(|at| f32::from_bits(a.0[at].to_bits().wrapping_add(b.0[at].to_bits()))))
}

/// As `multiply_add_pairs_512`, in two roundings.
#[inline(always)]
fn multiply_add_pairs(a: Eight, b: Eight, c: Eight) -> Eight {
    let first = |x: f32| f32::from_bits(x.to_bits() << 16);
    let second = |x: f32| f32::from_bits(x.to_bits() & 0xffff_0000);
    Eight(std::array::from_fn(|at| c.0[at] + first(a.0[at]) * first(b.0[at]) + second(a.0[at]) * second(b.0[at])))
}

#[inline(always)]
fn sum(a: Eight, b: Eight) -> Eight {
    Eight(std::array::from_fn(|at| a.0[at] + b.0[at]))
}

#[inline(always)]
unsafe fn store(to: *mut f32, x: Eight) {
    // SAFETY: as for `load`.
    unsafe { *to.cast::<[f32; 8]>() = x.0 };
}

/// Packs columns `first..` of a matrix, as many as fit, into one panel: `cols` numbers for each of `depth` rows, zeros
/// beyond the last column. Element (k, c) of the matrix is at `k * row_step + c * col_step`; one of the steps is 1.
pub(super) fn pack_panel(panel: &mut [f32], cols: usize, data: &[f32], (row_step, col_step): (usize, usize), first: usize, last: usize) {
    let width = cols.min(last - first);
    if width < cols {
        panel.fill(0.0);
    }
    if col_step == 1 {
        let from = &data[first..];
        match (cols, width == cols) {
            (32, true) => copy_rows::<32>(panel, from, row_step),
            (16, true) => copy_rows::<16>(panel, from, row_step),
            (12, true) => copy_rows::<12>(panel, from, row_step),
            _ => panel.chunks_exact_mut(cols).enumerate().for_each(|(k, to)| to[..width].copy_from_slice(&from[k * row_step..][..width])),
        }
        return;
    }
    // In blocks that stay in the nearest cache.
    for (block, to) in panel.chunks_mut(cols * 32).enumerate() {
        let rows = to.len() / cols;
        #[cfg(target_arch = "x86_64")]
        if rows == 32 && width == cols && cols.is_multiple_of(8) && super::level() != Level::Base {
            for c in (0..cols).step_by(8) {
                let from = &data[(first + c) * col_step + block * 32..][..7 * col_step + 32];
                // SAFETY: `level` found the instructions; eight rows of 32 numbers, `col_step` apart, were just cut
                // out, and `to` holds 32 rows of `cols` numbers.
                unsafe { transpose_8_32(from.as_ptr(), col_step, to.as_mut_ptr().add(c), cols) };
            }
            continue;
        }
        for c in 0..width {
            let from = &data[(first + c) * col_step + block * 32..][..rows];
            for (to, from) in to.iter_mut().skip(c).step_by(cols).zip(from) {
                *to = *from;
            }
        }
    }
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

fn copy_rows<const COLS: usize>(panel: &mut [f32], from: &[f32], row_step: usize) {
    for (to, from) in panel.as_chunks_mut::<COLS>().0.iter_mut().zip(from.chunks(row_step)) {
        if let Some(from) = from.first_chunk::<COLS>() {
            *to = *from;
        }
    }
}
