//! How much memory a run will take, before it starts. Counts what the encoder's kernels keep; pure arithmetic.

use super::TrainConfig;
use super::methods::{OptimiserChoice, Tuned, low_rank_targets};
use crate::nn::{EncoderConfig, LowRankTarget, ScratchConfig};

/// The program with its fonts and the encoder it holds, in bytes.
const PROGRAM: usize = 110_000_000;

/// Bytes that the process takes at most with these settings: weights, gradients, both moments and the best weights so far
/// of what learns, what a batch leaves for its gradient in each learning layer, and the copies made while the encoder is
/// read and the model written. Within about a tenth of what was measured (`benches/README.md`).
pub fn memory_bytes(encoder: &EncoderConfig, config: &TrainConfig) -> u64 {
    let (h, f, heads) = (encoder.hidden_size, encoder.intermediate_size, encoder.num_attention_heads);
    let layers = if config.layers == 0 { encoder.num_hidden_layers } else { config.layers.min(encoder.num_hidden_layers) };
    let learning = if config.tuned == Tuned::Head { 0 } else { layers.saturating_sub(config.freeze_layers) };
    let layer = 4 * h * h + 2 * h * f + 9 * h + f;
    let table = encoder.vocab_size * encoder.embedding_size;
    // Of each number that learns: gradient, what the optimiser keeps, best value; averages and where they are kept.
    let moments = match config.optimiser {
        OptimiserChoice::AdamW => 2,
        // Both make a copy of the gradient of one parameter at a time; Adafactor keeps next to nothing.
        OptimiserChoice::Sgd => 1,
        OptimiserChoice::Adafactor => 0,
    };
    let copies = 2 + moments + 2 * usize::from(config.ema > 0.0) + if config.average_last > 1 { config.average_last + 1 } else { 0 };
    let tuned = match config.tuned {
        Tuned::Full => layer,
        Tuned::Head => 0,
        Tuned::Bitfit => 7 * h + f,
        // Two an encoder's layer, weights and biases, and the norms.
        Tuned::Adapters => 2 * (2 * h * config.adapter_width + config.adapter_width + h) + 4 * h,
        Tuned::Prefix => 2 * h * config.prefix_rows,
        Tuned::Lora => low_rank_targets(&config.lora_targets).map(|target| low_rank_numbers(target, h, f, config.lora_rank)).sum(),
    };
    // Its gradient is kept for the rows of a batch alone.
    let tuned_table =
        if config.tune_embeddings && config.freeze_layers == 0 && config.tuned == Tuned::Full { (copies - 1) * table } else { 0 };
    let all = layers * layer + table;
    // The file as it was read and the weights; what stands beside the encoder is merged into a third copy.
    let read = if config.tuned == Tuned::Full { 2 } else { 3 };
    let weights = read * all + copies * learning * tuned + tuned_table;
    let tokens = config.tokens_at_once.min(config.batch_tokens).min(config.batch_examples * config.max_length);
    // Input, queries, keys, values, context, both norms and what stands between them; the inner layer before its activation.
    let kept = learning * (8 * h + f + heads + 2);
    let passing = 8 * h + 3 * f;
    // Buffers are used again by batches of other lengths: they are up to a quarter larger than what they hold, and some fit
    // no buffer of the batch at hand. Measured: three tenths.
    let buffers = tokens * (kept + passing) * 13 / 10;
    (PROGRAM + 4 * (weights + buffers)) as u64
}

/// Numbers of the low-rank updates of a layer.
fn low_rank_numbers(target: LowRankTarget, h: usize, f: usize, rank: usize) -> usize {
    match target {
        LowRankTarget::Feed => 2 * rank * (h + f),
        _ => 2 * rank * h,
    }
}

/// The same for a network without pretraining, whose table of words learns.
pub fn scratch_memory_bytes(network: &ScratchConfig, config: &TrainConfig) -> u64 {
    let (h, out) = (network.hidden_size, network.output_size());
    let table = network.vocab_size * network.embedding_size;
    let directions = out / h.max(1);
    let tokens = config.tokens_at_once.min(config.batch_tokens).min(config.batch_examples * config.max_length);
    let (mut weights, mut kept) = (table, network.embedding_size);
    for layer in 0..network.num_layers {
        let inputs = if layer == 0 { network.embedding_size } else { out };
        let (own, states) = match network.kind.cell() {
            // Gates, states, cells, their gradients; the input in the order of each direction.
            Some(cell) => (cell.gates() * h * (inputs + h + 2) * directions, directions * (2 * cell.gates() * h + 3 * h + inputs)),
            None => {
                let widths: usize = network.kernel_sizes.iter().sum();
                (widths * inputs * h, 3 * out + 2 * inputs * network.kernel_sizes.iter().copied().max().unwrap_or(1))
            }
        };
        weights += own;
        kept += states + inputs + out;
    }
    // Value, gradient, two moments, best value, and the copies made while the model is written.
    (PROGRAM + 4 * (8 * weights + tokens * kept)) as u64
}
