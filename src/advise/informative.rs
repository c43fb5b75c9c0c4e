//! What to label next: documents that a model is unsure of, that are like many others, and unlike one another.
//!
//! A document's worth is its uncertainty times its mean likeness to all candidates (information density: Settles and Craven
//! 2008, section 3.4). The first ones are then chosen one after another, each by its worth times how unlike the nearest
//! one chosen before it is, so that they do not all ask the same (the three criteria of Shen et al. 2004, section 3, chosen
//! greedily as Carbonell and Goldstein 1998 do). Likeness is the cosine of pairs of characters weighed by how rare they are,
//! hashed into few numbers (Weinberger et al. 2009): the mean likeness to all is the product with the mean vector, so that
//! the whole takes as long as reading the texts three times.

use crate::project::DocId;
use std::sync::Arc;

/// A document that nobody has labelled.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub doc: DocId,
    pub text: Arc<str>,
    /// From 0 to 1: see [`uncertainty`].
    pub uncertainty: f32,
}

/// Numbers of a vector.
const WIDTH: usize = 256;
/// Pairs of characters that are told apart when their rareness is counted.
const PAIRS: usize = 1 << 16;
/// So many of the worthiest are chosen from…
const POOL: usize = 1_000;
/// …and so many are chosen one after another.
const CHOSEN: usize = 200;
/// Characters of a text that are read.
const READ: usize = 2_000;
/// Texts between two looks at whether to stop.
const PIECE: usize = 1_024;

/// How unsure a model is, from 0 to 1: the entropy of its classes and the mean entropy of the spans it found, each as a
/// share of what is possible; the mean of both where there are both.
pub fn uncertainty(classes: &[f32], spans: impl IntoIterator<Item = f32>) -> f32 {
    let part = |p: f32| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let mut shares = Vec::new();
    if classes.len() > 1 {
        shares.push(classes.iter().copied().map(part).sum::<f32>() / (classes.len() as f32).ln());
    }
    let (mut sum, mut count) = (0.0, 0);
    for p in spans {
        sum += (part(p) + part(1.0 - p)) / 2f32.ln();
        count += 1;
    }
    if count > 0 {
        shares.push(sum / count as f32);
    }
    if shares.is_empty() { 0.0 } else { shares.iter().sum::<f32>() / shares.len() as f32 }
}

/// The candidates, those first whose labels would teach most; `None` when it was told to stop.
pub fn informative(candidates: &[Candidate], stopped: &dyn Fn() -> bool) -> Option<Vec<DocId>> {
    let weights = weights(candidates, stopped)?;
    let mut mean = vec![0.0; WIDTH];
    for part in candidates.chunks(PIECE) {
        if stopped() {
            return None;
        }
        for candidate in part {
            mean.iter_mut().zip(vector(&candidate.text, &weights)).for_each(|(sum, value)| *sum += value);
        }
    }
    mean.iter_mut().for_each(|value| *value /= candidates.len().max(1) as f32);
    let mut ranked: Vec<(f32, usize)> = Vec::with_capacity(candidates.len());
    for (at, candidate) in candidates.iter().enumerate() {
        if at.is_multiple_of(PIECE) && stopped() {
            return None;
        }
        let density = dot(&vector(&candidate.text, &weights), &mean).max(0.0);
        ranked.push((candidate.uncertainty * density, at));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(candidates[a.1].doc.cmp(&candidates[b.1].doc)));
    choose(&mut ranked, |at| vector(&candidates[at].text, &weights));
    Some(ranked.into_iter().map(|(_, at)| candidates[at].doc).collect())
}

/// Brings the chosen ones of the pool to the front.
fn choose(ranked: &mut [(f32, usize)], vector: impl Fn(usize) -> Vec<f32>) {
    let pool = ranked.len().min(POOL);
    let mut vectors: Vec<Vec<f32>> = ranked[..pool].iter().map(|(_, at)| vector(*at)).collect();
    let mut nearest = vec![0f32; pool];
    for place in 0..pool.min(CHOSEN) {
        let worth = |at: usize| ranked[at].0 * (1.0 - nearest[at].clamp(0.0, 1.0));
        let best = (place..pool).reduce(|best, at| if worth(at) > worth(best) { at } else { best });
        let Some(best) = best else { return };
        // Those before it move back by one place: they stay in the order of their worth.
        ranked[place..=best].rotate_right(1);
        vectors[place..=best].rotate_right(1);
        nearest[place..=best].rotate_right(1);
        let (chosen, rest) = vectors.split_at(place + 1);
        for (near, other) in nearest[place + 1..].iter_mut().zip(rest) {
            *near = near.max(dot(&chosen[place], other));
        }
    }
}

/// How rare each pair of characters is: the logarithm of the share of documents without it (Spärck Jones 1972).
fn weights(candidates: &[Candidate], stopped: &dyn Fn() -> bool) -> Option<Vec<f32>> {
    let mut documents = vec![0u32; PAIRS];
    let mut seen = vec![u32::MAX; PAIRS];
    for (number, candidate) in (0u32..).zip(candidates) {
        if (number as usize).is_multiple_of(PIECE) && stopped() {
            return None;
        }
        for pair in pairs(&candidate.text) {
            let at = pair as usize % PAIRS;
            if seen[at] != number {
                seen[at] = number;
                documents[at] += 1;
            }
        }
    }
    let all = candidates.len() as f32;
    Some(documents.into_iter().map(|count| ((1.0 + all) / (1.0 + count as f32)).ln()).collect())
}

/// A text as a vector of length 1; of zeros where it has no pair of characters that not all texts have.
fn vector(text: &str, weights: &[f32]) -> Vec<f32> {
    let mut vector = vec![0.0; WIDTH];
    for pair in pairs(text) {
        let sign = if pair & (1 << 63) == 0 { 1.0 } else { -1.0 };
        vector[(pair >> 32) as usize % WIDTH] += sign * weights[pair as usize % PAIRS];
    }
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

/// Neighbouring characters without regard to case, as numbers; spaces are passed over.
fn pairs(text: &str) -> impl Iterator<Item = u64> {
    let signs = text.chars().take(READ).filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase);
    let mut before = '\0';
    signs.map(move |sign| {
        let pair = (u64::from(u32::from(before)) << 32) | u64::from(u32::from(sign));
        before = sign;
        crate::project::mixed(pair)
    })
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
