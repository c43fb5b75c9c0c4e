//! Sum of the embeddings of a token, layer normalisation and dropout in one pass: the sum is written nowhere.

use super::norm::{NormOutput, drop_row, normalise};
use super::{BLOCK, simd};
use crate::nn::batch::Dropout;
use rayon::prelude::*;

/// What goes into `dropout(layer_norm(word + position + shift + types))`, for rows as wide as `gain`.
#[derive(Clone, Copy)]
pub struct Embedding<'a> {
    /// The row of each token in `word`, and of its place in `position`.
    pub ids: &'a [u32],
    pub places: &'a [u32],
    pub word: &'a [f32],
    pub position: &'a [f32],
    /// Added to every row.
    pub types: &'a [f32],
    /// Added to each row its own, `[tokens, cols]`.
    pub shift: Option<&'a [f32]>,
    pub gain: &'a [f32],
    pub bias: &'a [f32],
    pub eps: f32,
    pub dropout: Option<Dropout>,
}

/// Runs the forward pass. Going back, the dropout comes first ([`drop_rows`](super::drop_rows)), then
/// [`norm_backward`](super::norm_backward).
///
/// # Panics
/// When an id or a place is beyond its table.
pub fn embed_forward(of: &Embedding, output: NormOutput) {
    let size = of.gain.len() * BLOCK;
    let results = output.y.par_chunks_mut(size).zip(output.centred.par_chunks_mut(size)).zip(output.scale.par_chunks_mut(BLOCK));
    results.enumerate().for_each(|(block, ((y, centred), scale))| embed_block(of, block * BLOCK, y, centred, scale));
}

simd! {
    fn embed_block(of: &Embedding, first_row: usize, y: &mut [f32], centred: &mut [f32], scale: &mut [f32]) {
        let cols = of.gain.len();
        let rows = y.chunks_exact_mut(cols).zip(centred.chunks_exact_mut(cols)).zip(scale);
        for (row, ((y, centred), scale)) in (first_row..).zip(rows) {
            let word = &of.word[of.ids[row] as usize * cols..][..cols];
            let position = &of.position[of.places[row] as usize * cols..][..cols];
            for ((value, word), position) in centred.iter_mut().zip(word).zip(position) {
                *value = word + position;
            }
            if let Some(shift) = of.shift {
                centred.iter_mut().zip(&shift[row * cols..][..cols]).for_each(|(value, shift)| *value += shift);
            }
            centred.iter_mut().zip(of.types).for_each(|(value, types)| *value += types);
            *scale = normalise::<FMA>(centred, y, of.gain, of.bias, of.eps);
            if let Some(dropout) = of.dropout {
                drop_row(y, dropout, row as u64);
            }
        }
    }
}
