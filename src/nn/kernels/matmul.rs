//! Matrix products over views with strides. The `gemm` crate, which this took the place of, packs with general strides:
//! for the few rows of a single text that cost twice as much as multiplying (`benches/README.md`).

use super::half::pair_along;
use super::pack::{Source, aligned, pack, pack_group};
use super::tile::{Left, Out, Tile};
use rayon::prelude::*;
use std::cell::Cell;
use std::ops::Range;

/// A matrix inside a slice: element (r, c) is at `r * row_step + c * col_step`.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_step: usize,
    pub(super) col_step: usize,
}

/// A matrix to write to, row after row, `row_step` apart.
pub struct MatMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_step: usize,
}

impl<'a> Mat<'a> {
    /// A view of `rows` rows of `cols` numbers, each `row_step` after the one before.
    ///
    /// # Panics
    /// When the view does not lie in `data`.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, row_step: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_step + cols <= data.len(), "a matrix lies outside of its slice");
        Self { data, rows, cols, row_step, col_step: 1 }
    }

    /// The transposed view.
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_step: self.col_step, col_step: self.row_step, ..self }
    }
}

impl<'a> MatMut<'a> {
    /// As [`Mat::new`].
    ///
    /// # Panics
    /// When the view does not lie in `data`, or rows overlap.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, row_step: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_step + cols <= data.len(), "a matrix lies outside of its slice");
        assert!(rows <= 1 || row_step >= cols, "rows of a matrix overlap");
        Self { data, rows, cols, row_step }
    }
}

impl<'a> Mat<'a> {
    /// Some rows of the matrix.
    pub(super) fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows, "rows lie outside of a matrix");
        Self { data: &self.data[first * self.row_step..], rows: count, ..self }
    }

    /// One row, of a matrix that is not transposed.
    pub(super) fn row(&self, at: usize) -> &'a [f32] {
        &self.data[at * self.row_step..][..self.cols]
    }
}

/// A matrix to write to that may share its rows, but no element, with matrices that other threads write to.
#[derive(Clone, Copy)]
pub(super) struct Target {
    start: *mut f32,
    len: usize,
    rows: usize,
    cols: usize,
    row_step: usize,
}

// SAFETY: a target is only an address with checked bounds; who writes where is argued at `matmul_to`.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// One row of all of `data`.
    pub fn new(data: &mut [f32]) -> Self {
        Self { start: data.as_mut_ptr(), len: data.len(), rows: 1, cols: data.len(), row_step: data.len() }
    }

    /// A matrix that starts `offset` after this one.
    pub fn part(self, offset: usize, rows: usize, cols: usize, row_step: usize) -> Self {
        assert!(rows > 0 && cols > 0 && offset + (rows - 1) * row_step + cols <= self.len, "a matrix lies outside of its slice");
        assert!(rows == 1 || row_step >= cols, "rows of a matrix overlap");
        Self { start: self.start.wrapping_add(offset), len: self.len - offset, rows, cols, row_step }
    }

    /// Some rows of the matrix.
    pub fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows, "rows lie outside of a matrix");
        self.part(first * self.row_step, count, self.cols, self.row_step)
    }
}

/// `dst = a b`, or `dst += a b` when `add` is set, on one thread or on all.
///
/// # Panics
/// When shapes do not fit.
pub fn matmul(dst: MatMut, a: Mat, b: Mat, add: bool, threads: bool) {
    if dst.rows == 0 || dst.cols == 0 {
        return;
    }
    let (rows, cols, row_step) = (dst.rows, dst.cols, dst.row_step);
    product(Tile::here(), Target::new(dst.data).part(0, rows, cols, row_step), a, b, add, threads);
}

/// As [`matmul`], on this thread, to a target.
///
/// # Safety
/// What `dst` was made of must still be borrowed mutably, `a` and `b` may not lie in it, and no other thread may
/// touch the elements of `dst` meanwhile (it may touch others between them).
pub(super) unsafe fn matmul_to(dst: Target, a: Mat, b: Mat, add: bool) {
    product(Tile::here(), dst, a, b, add, false);
}

fn product(tile: Tile, dst: Target, a: Mat, b: Mat, add: bool, threads: bool) {
    assert!(a.rows == dst.rows && b.cols == dst.cols && a.cols == b.rows, "shapes of a matrix product do not fit");
    let depth = a.cols;
    let blocks = depth.div_ceil(DEPTH).max(1);
    let step = depth.div_ceil(blocks).max(1);
    for first in (0..depth.max(1)).step_by(step) {
        let count = step.min(depth - first);
        let (a, b) = (a.t().rows(first, count).t(), b.rows(first, count));
        let add = add || first > 0;
        // To pack a transposed right operand is slow; with few rows it pays to pack the left one instead and to make
        // the transposed product.
        if b.col_step != 1 && a.col_step == 1 && FEW_ROWS * a.rows <= depth {
            Product { tile, dst, left: Rows::of(b.t()), rows: b.cols, depth: count, cols: a.rows, add, transposed: true }
                .run(Source::of(a.t()), threads);
        } else {
            Product { tile, dst, left: Rows::of(a), rows: a.rows, depth: count, cols: b.cols, add, transposed: false }
                .run(Source::of(b), threads);
        }
    }
}

/// `dst = a b` or `dst += a b` with bfloat16 factors: they become pairs when they are packed, or, rows of an `a` that lie
/// along, right before they are multiplied.
pub(super) fn product_of_pairs(dst: MatMut, a: Mat, b: Mat, add: bool) {
    assert!(a.rows == dst.rows && b.cols == dst.cols && a.cols == b.rows, "shapes of a matrix product do not fit");
    if dst.rows == 0 || dst.cols == 0 {
        return;
    }
    let (rows, cols, row_step) = (dst.rows, dst.cols, dst.row_step);
    let (tile, dst) = (Tile::pairs(), Target::new(dst.data).part(0, rows, cols, row_step));
    // Sums over the tokens of a batch, which may be many.
    for first in (0..a.cols.max(1)).step_by(2 * DEPTH) {
        let count = (2 * DEPTH).min(a.cols - first);
        let (a, b) = (a.t().rows(first, count).t(), b.rows(first, count));
        let left = if a.col_step == 1 { Rows::Pairs(a) } else { Rows::Packed(Source::pairs(a.t())) };
        Product { tile, dst, left, rows, depth: count.div_ceil(2), cols, add: add || first > 0, transposed: false }
            .run(Source::pairs(b), true);
    }
}

/// A right operand that is packed once for many products, such as the weights that a recurrence goes over at each step.
pub struct Packed {
    tile: Tile,
    memory: Vec<f32>,
    /// Where the panels begin in `memory`, on a cache line.
    start: usize,
    depth: usize,
    cols: usize,
}

impl Packed {
    pub fn new(right: Mat) -> Self {
        Self::of(Tile::here(), right)
    }

    /// Of an operand that holds what `tile` multiplies.
    pub(super) fn of(tile: Tile, right: Mat) -> Self {
        let mut memory = Vec::new();
        let (panels, len) = {
            let packed = pack(&mut memory, Source::of(right), tile.cols, false);
            (packed.as_ptr() as usize, packed.len())
        };
        let start = (panels - memory.as_ptr() as usize) / size_of::<f32>();
        memory.truncate(start + len);
        Self { tile, memory, start, depth: right.rows, cols: right.cols }
    }
}

/// As [`matmul`], on this thread, with a right operand that was packed. The rows of `a` must lie along.
///
/// # Panics
/// When shapes do not fit, or `a` is transposed.
pub fn matmul_packed(dst: MatMut, a: Mat, b: &Packed, add: bool) {
    assert!(a.rows == dst.rows && b.cols == dst.cols && a.cols == b.depth, "shapes of a matrix product do not fit");
    assert!(a.col_step == 1, "the rows of a packed product's left operand must lie along");
    if dst.rows == 0 || dst.cols == 0 {
        return;
    }
    let (rows, cols, row_step) = (dst.rows, dst.cols, dst.row_step);
    let dst = Target::new(dst.data).part(0, rows, cols, row_step);
    let product = Product { tile: b.tile, dst, left: Rows::Along(a), rows, depth: b.depth, cols, add, transposed: false };
    product.part(0..rows.div_ceil(b.tile.rows), 0..cols.div_ceil(b.tile.cols), &b.memory[b.start..]);
}

/// Longest sum taken at once: a panel of it stays in the second cache.
const DEPTH: usize = 1536;

/// The transposed product is made where the sums are so many times longer than the left operand has rows: its results
/// are stored one by one, which costs about so much more than to pack a number.
const FEW_ROWS: usize = 3;

/// Numbers of the left operand that a thread goes over again and again: half of a usual second cache.
const LEFT_NUMBERS: usize = 96 * 1024;

/// Multiplications from which a second thread pays.
const WORTH_A_THREAD: usize = 1 << 21;

/// The left operand. What is not read where it is becomes so a few rows at a time, by the thread that multiplies them
/// next: they are in its cache then, and no thread waits for another one.
#[derive(Clone, Copy)]
enum Rows<'a> {
    /// Read where it is.
    Along(Mat<'a>),
    /// To be packed; its rows are the columns of the source.
    Packed(Source<'a>),
    /// Rows that lie along, to become pairs.
    Pairs(Mat<'a>),
}

impl<'a> Rows<'a> {
    fn of(mat: Mat<'a>) -> Self {
        if mat.col_step == 1 { Self::Along(mat) } else { Self::Packed(Source::of(mat.t())) }
    }
}

/// One product with its right operand to be packed.
struct Product<'a> {
    tile: Tile,
    dst: Target,
    left: Rows<'a>,
    rows: usize,
    /// What the tile multiplies, along the sums.
    depth: usize,
    cols: usize,
    add: bool,
    /// `dst` is the transposed result.
    transposed: bool,
}

thread_local! {
    /// Memory for a packed right operand; taken out while in use, so that a thread that steals work meanwhile gets its own.
    static RIGHT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    /// Memory for some rows of the left one.
    static LEFT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl Product<'_> {
    fn run(&self, right: Source, threads: bool) {
        let threads = threads && self.rows * self.cols * self.depth >= WORTH_A_THREAD && rayon::current_num_threads() > 1;
        let mut memory = RIGHT.take();
        let right = pack(&mut memory, right, self.tile.cols, threads);
        let panels = self.cols.div_ceil(self.tile.cols);
        let tile_rows = self.rows.div_ceil(self.tile.rows);
        let chunk = (LEFT_NUMBERS / self.depth.max(1) / self.tile.rows).max(1);
        if !threads {
            for first in (0..tile_rows).step_by(chunk) {
                self.part(first..tile_rows.min(first + chunk), 0..panels, right);
            }
        } else {
            // Rows are split first, since panels are shared; pieces enough for every thread to find a last one.
            let wanted = 4 * rayon::current_num_threads();
            let chunk = chunk.min(tile_rows.div_ceil(wanted).max(4));
            let rows = tile_rows.div_ceil(chunk);
            let groups = wanted.div_ceil(rows).min(panels).max(1);
            let group = panels.div_ceil(groups);
            let groups = panels.div_ceil(group);
            (0..rows * groups).into_par_iter().for_each(|task| {
                let (row, column) = (task / groups, task % groups);
                let rows = row * chunk..tile_rows.min((row + 1) * chunk);
                self.part(rows, column * group..panels.min((column + 1) * group), right);
            });
        }
        RIGHT.set(memory);
    }

    /// The tiles of some rows of tiles in some panels.
    fn part(&self, rows: Range<usize>, panels: Range<usize>, right: &[f32]) {
        let (height, depth) = (self.tile.rows, self.depth);
        let first = rows.start * height;
        let count = (rows.end * height).min(self.rows) - first;
        match self.left {
            Rows::Along(mat) => {
                let mat = mat.rows(first, count);
                self.tiles((first, count), panels, right, &|row| Left {
                    start: mat.rows(row, height.min(count - row)).data.as_ptr(),
                    row_step: mat.row_step,
                    step: 1,
                });
            }
            Rows::Packed(source) => {
                let mut memory = LEFT.take();
                let packed = aligned(&mut memory, rows.len() * depth * height);
                if depth > 0 {
                    pack_group(packed, first, source, height);
                }
                let packed = &*packed;
                self.tiles((first, count), panels, right, &|row| Left {
                    start: packed[row * depth..][..depth * height].as_ptr(),
                    row_step: 1,
                    step: height,
                });
                LEFT.set(memory);
            }
            Rows::Pairs(mat) => {
                let mut memory = LEFT.take();
                let pairs = aligned(&mut memory, count * depth);
                if depth > 0 {
                    pairs.chunks_exact_mut(depth).zip(first..).for_each(|(to, row)| pair_along(to, mat.row(row)));
                }
                let pairs = Mat::new(pairs, count, depth, depth);
                self.tiles((first, count), panels, right, &|row| Left {
                    start: pairs.rows(row, height.min(count - row)).data.as_ptr(),
                    row_step: depth,
                    step: 1,
                });
                LEFT.set(memory);
            }
        }
    }

    /// The same with rows that are ready: `left` finds those of a tile, its first row counted from `first`.
    fn tiles(&self, (first, count): (usize, usize), panels: Range<usize>, right: &[f32], left: &dyn Fn(usize) -> Left) {
        let (tile, depth) = (self.tile, self.depth);
        for panel in panels {
            let packed = &right[panel * depth * tile.cols..][..depth * tile.cols];
            let col = panel * tile.cols;
            let cols = tile.cols.min(self.cols - col);
            for at in (0..count).step_by(tile.rows) {
                let (row, rows) = (first + at, tile.rows.min(count - at));
                let place = if self.transposed { col * self.dst.row_step + row } else { row * self.dst.row_step + col };
                let (down, across) = if self.transposed { (cols, rows) } else { (rows, cols) };
                let start = self.dst.part(place, down, across, self.dst.row_step).start;
                let out = Out { start, rows, cols, row_step: self.dst.row_step, add: self.add, transposed: self.transposed };
                // SAFETY: the views were checked to lie in their slices when they were made, their rows and the part of
                // `dst` just now; panels and packed rows are slices of the size that the tile reads. No other thread
                // touches this part of `dst`: parts do not overlap, and `matmul` has it borrowed, for `matmul_to` see
                // there.
                unsafe { tile.run(left(at), depth, packed.as_ptr(), out) };
            }
        }
    }
}

/// `y = x W^T`, and `+ bias` where there is one: `x` `[n, inputs]`, `weight` `[outputs, inputs]`; rows of `y` are
/// `row_step` apart.
pub fn linear(y: &mut [f32], row_step: usize, x: &[f32], weight: &[f32], bias: Option<&[f32]>, inputs: usize) {
    let (rows, outputs) = (x.len() / inputs, weight.len() / inputs);
    if let Some(bias) = bias {
        begin_with(y, row_step, bias);
    }
    let product = MatMut::new(y, rows, outputs, row_step);
    matmul(product, Mat::new(x, rows, inputs, inputs), Mat::new(weight, outputs, inputs, inputs).t(), bias.is_some(), true);
}

/// Has every row, `row_step` after the one before, begin with `bias`.
pub(super) fn begin_with(y: &mut [f32], row_step: usize, bias: &[f32]) {
    y.par_chunks_mut(row_step * super::BLOCK).for_each(|block| {
        for row in block.chunks_mut(row_step) {
            row[..bias.len()].copy_from_slice(bias);
        }
    });
}

/// The gradient of a linear layer's input: `dx = g W`, added when `add` is set. Rows of `g` are `row_step` apart.
pub fn linear_input_grad(dx: &mut [f32], g: &[f32], row_step: usize, weight: &[f32], inputs: usize, add: bool) {
    let (rows, outputs) = (dx.len() / inputs, weight.len() / inputs);
    let product = MatMut::new(dx, rows, inputs, inputs);
    matmul(product, Mat::new(g, rows, outputs, row_step), Mat::new(weight, outputs, inputs, inputs), add, true);
}

/// The gradient of a linear layer's weight: `dw = g^T x`. Rows of `g` are `row_step` apart.
pub fn linear_weight_grad(dw: &mut [f32], g: &[f32], row_step: usize, x: &[f32], inputs: usize) {
    let (rows, outputs) = (x.len() / inputs, dw.len() / inputs);
    let product = MatMut::new(dw, outputs, inputs, inputs);
    matmul(product, Mat::new(g, rows, outputs, row_step).t(), Mat::new(x, rows, inputs, inputs), false, true);
}
