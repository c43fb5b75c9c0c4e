//! Matrix products over views with strides. The `gemm` crate, which this took the place of, packs with general strides:
//! for the few rows of a single text that cost twice as much as multiplying (`benches/README.md`).

use super::tile::{Left, Out, Tile, pack_panel};
use rayon::prelude::*;
use std::cell::Cell;
use std::ops::Range;

/// A matrix inside a slice: element (r, c) is at `r * row_step + c * col_step`.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
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

    pub(super) fn row_count(self) -> usize {
        self.rows
    }

    pub(super) fn col_count(self) -> usize {
        self.cols
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
    multiply(Tile::here(), dst, a, b, add, threads);
}

/// `dst = a b`, where the operands hold what `tile` multiplies.
pub(super) fn multiply(tile: Tile, dst: MatMut, a: Mat, b: Mat, add: bool, threads: bool) {
    if dst.rows == 0 || dst.cols == 0 {
        return;
    }
    let (rows, cols, row_step) = (dst.rows, dst.cols, dst.row_step);
    product(tile, Target::new(dst.data).part(0, rows, cols, row_step), a, b, add, threads);
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
            Product { tile, dst, a: b.t(), b: a.t(), add, transposed: true }.run(threads);
        } else {
            Product { tile, dst, a, b, add, transposed: false }.run(threads);
        }
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
            let packed = pack(&mut memory, right, tile.cols, false);
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
    // The panels stand for the right operand: its own numbers are not looked at any more.
    let right = Mat { data: &[], rows: b.depth, cols: b.cols, row_step: b.cols, col_step: 1 };
    let product = Product { tile: b.tile, dst: Target::new(dst.data).part(0, rows, cols, row_step), a, b: right, add, transposed: false };
    product.part(0..rows.div_ceil(b.tile.rows), 0..cols.div_ceil(b.tile.cols), None, &b.memory[b.start..]);
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

/// One product with its right operand to be packed.
struct Product<'a> {
    tile: Tile,
    dst: Target,
    a: Mat<'a>,
    b: Mat<'a>,
    add: bool,
    /// `dst` is the transposed result.
    transposed: bool,
}

/// A slice that begins on a cache line.
fn aligned(memory: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if memory.len() < len + 16 {
        memory.resize(len + 16, 0.0);
    }
    let offset = memory.as_ptr().align_offset(64).min(16);
    &mut memory[offset..offset + len]
}

thread_local! {
    /// Memory for packed operands; taken out while in use, so that a thread that steals work meanwhile gets its own.
    static PACKED: Cell<(Vec<f32>, Vec<f32>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

impl Product<'_> {
    fn run(&self, threads: bool) {
        let threads = threads && self.a.rows * self.b.cols * self.a.cols >= WORTH_A_THREAD && rayon::current_num_threads() > 1;
        let (mut memory, mut left_memory) = PACKED.take();
        let right = pack(&mut memory, self.b, self.tile.cols, threads);
        // Rows that lie along are read where they are.
        let left = (self.a.col_step != 1).then(|| pack(&mut left_memory, self.a.t(), self.tile.rows, threads));
        let panels = self.b.cols.div_ceil(self.tile.cols);
        let tile_rows = self.a.rows.div_ceil(self.tile.rows);
        let chunk = (LEFT_NUMBERS / self.a.cols.max(1) / self.tile.rows).max(1);
        if !threads {
            for first in (0..tile_rows).step_by(chunk) {
                self.part(first..tile_rows.min(first + chunk), 0..panels, left, right);
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
                self.part(rows, column * group..panels.min((column + 1) * group), left, right);
            });
        }
        PACKED.set((memory, left_memory));
    }

    /// The tiles of some rows of tiles in some panels.
    fn part(&self, rows: Range<usize>, panels: Range<usize>, left: Option<&[f32]>, right: &[f32]) {
        let (tile, depth) = (self.tile, self.a.cols);
        for panel in panels {
            let packed = &right[panel * depth * tile.cols..][..depth * tile.cols];
            let col = panel * tile.cols;
            let cols = tile.cols.min(self.b.cols - col);
            for at in rows.clone() {
                let row = at * tile.rows;
                let count = tile.rows.min(self.a.rows - row);
                let from = match left {
                    Some(left) => {
                        Left { start: left[at * depth * tile.rows..][..depth * tile.rows].as_ptr(), row_step: 1, step: tile.rows }
                    }
                    None => Left { start: self.a.rows(row, count).data.as_ptr(), row_step: self.a.row_step, step: 1 },
                };
                let place = if self.transposed { col * self.dst.row_step + row } else { row * self.dst.row_step + col };
                let (down, across) = if self.transposed { (cols, count) } else { (count, cols) };
                let start = self.dst.part(place, down, across, self.dst.row_step).start;
                let out = Out { start, rows: count, cols, row_step: self.dst.row_step, add: self.add, transposed: self.transposed };
                // SAFETY: the views were checked to lie in their slices when they were made, their rows and the part of
                // `dst` just now; panels and packed rows are slices of the size that the tile reads. No other thread
                // touches this part of `dst`: parts do not overlap, and `matmul` has it borrowed, for `matmul_to` see
                // there.
                unsafe { tile.run(from, depth, packed.as_ptr(), out) };
            }
        }
    }
}

/// All panels of a matrix, one after the other.
fn pack<'m>(memory: &'m mut Vec<f32>, from: Mat, cols: usize, threads: bool) -> &'m [f32] {
    let panels = from.cols.div_ceil(cols);
    let size = from.rows * cols;
    let packed = aligned(memory, panels * size);
    if size > 0 {
        let one = |(at, panel): (usize, &mut [f32])| {
            pack_panel(panel, cols, from.data, (from.row_step, from.col_step), at * cols, from.cols);
        };
        if threads {
            packed.par_chunks_exact_mut(size).enumerate().for_each(one);
        } else {
            packed.chunks_exact_mut(size).enumerate().for_each(one);
        }
    }
    packed
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
