//! Matrix products by the `gemm` crate, over views with strides: nothing is transposed by copying.

use rayon::prelude::*;

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
    product(Target::new(dst.data).part(0, rows, cols, row_step), a, b, add, threads);
}

/// As [`matmul`], on this thread, to a target.
///
/// # Safety
/// What `dst` was made of must still be borrowed mutably, `a` and `b` may not lie in it, and no other thread may
/// touch the elements of `dst` meanwhile (it may touch others between them).
pub(super) unsafe fn matmul_to(dst: Target, a: Mat, b: Mat, add: bool) {
    product(dst, a, b, add, false);
}

fn product(dst: Target, a: Mat, b: Mat, add: bool, threads: bool) {
    assert!(a.rows == dst.rows && b.cols == dst.cols && a.cols == b.rows, "shapes of a matrix product do not fit");
    let parallelism = if threads { gemm::Parallelism::Rayon(0) } else { gemm::Parallelism::None };
    // SAFETY: the views were checked to lie in their slices when they were made (transposing keeps that), their shapes
    // fit, and no other thread touches what `dst` covers: `matmul` has it borrowed, for `matmul_to` see there.
    unsafe {
        gemm::gemm(
            dst.rows,
            dst.cols,
            a.cols,
            dst.start,
            1,
            dst.row_step as isize,
            add,
            a.data.as_ptr(),
            a.col_step as isize,
            a.row_step as isize,
            b.data.as_ptr(),
            b.col_step as isize,
            b.row_step as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// `y = x W^T`, and `+ bias` where there is one: `x` `[n, inputs]`, `weight` `[outputs, inputs]`; rows of `y` are
/// `row_step` apart.
pub fn linear(y: &mut [f32], row_step: usize, x: &[f32], weight: &[f32], bias: Option<&[f32]>, inputs: usize) {
    let (rows, outputs) = (x.len() / inputs, weight.len() / inputs);
    if let Some(bias) = bias {
        y.par_chunks_mut(row_step * super::BLOCK).for_each(|block| {
            for row in block.chunks_mut(row_step) {
                row[..outputs].copy_from_slice(bias);
            }
        });
    }
    let product = MatMut::new(y, rows, outputs, row_step);
    matmul(product, Mat::new(x, rows, inputs, inputs), Mat::new(weight, outputs, inputs, inputs).t(), bias.is_some(), true);
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
