//! How much memory a run will take, before it starts. Counts what the encoder's kernels keep; pure arithmetic.

use super::TrainConfig;
use crate::nn::EncoderConfig;

/// The program with its fonts and the encoder it holds, in bytes.
const PROGRAM: usize = 110_000_000;

/// Bytes that the process takes at most with these settings: weights, gradients, both moments and the best weights so far
/// of what learns, what a batch leaves for its gradient in each learning layer, and the copies made while the encoder is
/// read and the model written. Within about a tenth of what was measured (`benches/README.md`).
pub fn memory_bytes(encoder: &EncoderConfig, config: &TrainConfig) -> u64 {
    let (h, f, heads) = (encoder.hidden_size, encoder.intermediate_size, encoder.num_attention_heads);
    let layers = if config.layers == 0 { encoder.num_hidden_layers } else { config.layers.min(encoder.num_hidden_layers) };
    let learning = layers.saturating_sub(config.freeze_layers);
    let layer = 4 * h * h + 2 * h * f + 9 * h + f;
    let table = encoder.vocab_size * encoder.embedding_size;
    // Value, gradient, two moments, best value.
    let tuned_table = if config.tune_embeddings && config.freeze_layers == 0 { 4 * table } else { 0 };
    let all = layers * layer + table;
    let weights = 3 * all + 4 * learning * layer + tuned_table;
    let tokens = config.tokens_at_once.min(config.batch_tokens).min(config.batch_examples * config.max_length);
    // Input, queries, keys, values, context, both norms and what stands between them; the inner layer before its activation.
    let kept = learning * (8 * h + f + heads + 2);
    let passing = 8 * h + 3 * f;
    (PROGRAM + 4 * (weights + tokens * (kept + passing))) as u64
}
