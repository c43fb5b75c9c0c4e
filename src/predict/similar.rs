//! Terms that mean nearly the same, by the encoder: each is the mean of its pieces' last hidden states wherever it stands.

use super::PredictError;
use super::predictor::{Predictor, Turn, batch_of, compute};
use crate::project::TextRange;
use crate::text::units_under;

impl Predictor {
    /// A vector for each place in a text: the mean of the hidden states under it; empty where the model did not read it.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn vectors(&self, text: &str, places: &[TextRange]) -> Result<Vec<Vec<f32>>, PredictError> {
        let reading = self.read(Turn::alone(text))?;
        if reading.pieces.ids.is_empty() {
            return Ok(vec![Vec::new(); places.len()]);
        }
        let (batch, units) = batch_of(&[&reading]);
        let (_, hidden) = self.model.score(&batch, &units).map_err(compute)?;
        let rows = hidden.to_vec2::<f32>().map_err(compute)?;
        let vector = |place: &TextRange| {
            let inside = units_under(&reading.units, *place);
            let pieces = reading.units.get(inside).unwrap_or_default().iter().map(|unit| unit.piece as usize);
            let pieces: std::collections::BTreeSet<usize> = pieces.filter(|piece| *piece < rows.len()).collect();
            mean(pieces.iter().map(|piece| rows[*piece].as_slice()))
        };
        Ok(places.iter().map(vector).collect())
    }
}

/// The mean of vectors; empty of none.
pub fn mean<'v>(vectors: impl Iterator<Item = &'v [f32]>) -> Vec<f32> {
    let (mut sum, mut count): (Vec<f32>, usize) = (Vec::new(), 0);
    for vector in vectors.filter(|vector| !vector.is_empty()) {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        count += 1;
    }
    sum.iter_mut().for_each(|value| *value /= count as f32);
    sum
}

/// Groups of two or more whose mean cosine is at least `threshold`, by agglomeration with average linkage (Sokal and
/// Michener 1958). What all vectors have in common is taken off first: hidden states lie in a narrow cone (Ethayarajh
/// 2019, section 4). Places in `vectors`, the tightest group first.
pub fn similar(vectors: &[Vec<f32>], threshold: f32) -> Vec<Vec<usize>> {
    let common = mean(vectors.iter().map(Vec::as_slice));
    let centred: Vec<Vec<f32>> =
        vectors.iter().map(|vector| vector.iter().zip(&common).map(|(value, mean)| value - mean).collect()).collect();
    let cosines: Vec<Vec<f32>> = centred.iter().map(|a| centred.iter().map(|b| cosine(a, b)).collect()).collect();
    let mut groups: Vec<Vec<usize>> = (0..vectors.len()).filter(|at| !vectors[*at].is_empty()).map(|at| vec![at]).collect();
    let linkage = |a: &[usize], b: &[usize]| {
        let sum: f32 = a.iter().flat_map(|a| b.iter().map(|b| cosines[*a][*b])).sum();
        sum / (a.len() * b.len()) as f32
    };
    loop {
        let mut best = (threshold, None);
        for (at, a) in groups.iter().enumerate() {
            for (other, b) in groups.iter().enumerate().skip(at + 1) {
                let likeness = linkage(a, b);
                if likeness > best.0 || best.1.is_none() && likeness >= best.0 {
                    best = (likeness, Some((at, other)));
                }
            }
        }
        let Some((at, other)) = best.1 else { break };
        let taken = groups.remove(other);
        groups[at].extend(taken);
    }
    let mut found: Vec<(f32, Vec<usize>)> =
        groups.into_iter().filter(|group| group.len() > 1).map(|group| (linkage(&group, &group), group)).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, group)| group).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm > 0.0 { dot(a, b) / norm } else { 0.0 }
}
