//! Which examples go together, in which order, at which learning rate. Pure functions of lengths and a generator.

use super::TrainConfig;
use rand::Rng;
use rand::seq::SliceRandom;

/// Examples are sorted by length within windows of so many batches: little padding, still well mixed.
const WINDOW_BATCHES: usize = 32;

/// One epoch: every index of `lengths` once, in batches of similar length, the batches in random order.
/// A batch holds at most `batch_examples` texts and, unless it is a single text, at most `batch_tokens` pieces.
pub fn epoch_batches(lengths: &[usize], config: &TrainConfig, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(rng);
    for window in order.chunks_mut(config.batch_examples.max(1) * WINDOW_BATCHES) {
        window.sort_by_key(|index| lengths[*index]);
    }
    let mut batches = Vec::new();
    for window in order.chunks(config.batch_examples.max(1) * WINDOW_BATCHES) {
        batches.extend(fill(window.iter().copied(), lengths, config.batch_examples, config.batch_tokens));
    }
    batches.shuffle(rng);
    batches
}

/// All indices sorted by length, for scoring. Deterministic.
pub fn sorted_batches(lengths: &[usize], examples: usize, tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| lengths[*index]);
    fill(order.into_iter(), lengths, examples, tokens)
}

/// A batch in parts of at most `tokens` pieces, or of a single text.
pub fn consecutive(batch: &[usize], length: impl Fn(usize) -> usize, tokens: usize) -> Vec<&[usize]> {
    let mut held = 0;
    let mut starts = vec![0];
    for (at, index) in batch.iter().enumerate() {
        let more = length(*index);
        if held > 0 && held + more > tokens {
            starts.push(at);
            held = 0;
        }
        held += more;
    }
    let ends = starts[1..].iter().copied().chain([batch.len()]);
    starts.iter().zip(ends).map(|(start, end)| &batch[*start..end]).filter(|part| !part.is_empty()).collect()
}

fn fill(order: impl Iterator<Item = usize>, lengths: &[usize], examples: usize, tokens: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut held = 0;
    for index in order {
        let length = lengths[index];
        match batches.last_mut() {
            Some(batch) if batch.len() < examples && held + length <= tokens => {
                batch.push(index);
                held += length;
            }
            _ => {
                batches.push(vec![index]);
                held = length;
            }
        }
    }
    batches
}

/// Share of the peak rate at a step (from 0) of `total`: up over the warm-up, then down in a line towards 0.
pub fn rate_factor(step: usize, total: usize, warmup: f64) -> f64 {
    let total = total.max(1) as f64;
    let up = if warmup > 0.0 { (step + 1) as f64 / (warmup * total) } else { 1.0 };
    let down = if warmup < 1.0 { (total - step as f64) / ((1.0 - warmup) * total) } else { 1.0 };
    up.min(down).clamp(0.0, 1.0)
}

/// Seconds a run will take at `tokens_per_s` of training; scoring reads about three times as fast.
/// Lengths are in pieces ([`rough_length`] guesses them without a tokenizer).
pub fn estimate_seconds(train_lengths: &[usize], held_out_lengths: &[usize], config: &TrainConfig, tokens_per_s: f64) -> f64 {
    let pieces = |lengths: &[usize]| lengths.iter().map(|length| (*length).min(config.max_length)).sum::<usize>() as f64;
    let epochs = config.epochs as f64;
    // One more scoring at the end, for the report.
    let scorings = epochs * config.evals_per_epoch as f64 + 1.0;
    (pieces(train_lengths) * epochs + pieces(held_out_lengths) * scorings / 3.0) / tokens_per_s.max(1.0)
}

/// About how many pieces the shipped encoder reads a text as.
pub fn rough_length(text: &str) -> usize {
    let wide = text.chars().filter(|c| crate::text::is_cjk(*c)).count();
    let narrow = text.chars().filter(|c| !crate::text::is_cjk(*c) && !c.is_whitespace()).count();
    2 + (wide as f64 * 0.7 + narrow as f64 * 0.3).ceil() as usize
}
