//! Settings of how the weights move: epochs, rates, what stays frozen.

use super::row::{Row, count, learning_rate, number, switch};

/// Always in sight.
pub(super) const MAIN: &[Row] = &[
    count(
        "Epochs",
        "How often the run reads all training reviews. More can learn more, until it learns them by heart.",
        (1, 1000),
        |config| &mut config.epochs,
    ),
    learning_rate(
        "Learning rate",
        "How far each step changes the weights. Too high and the loss jumps; too low and nothing is learnt.",
        |config| &mut config.lr,
    ),
];

pub(super) const ROWS: &[Row] = &[
    number("Warm-up", "Share of all steps over which the rate rises from zero", (0.0, 1.0), 2, |config| &mut config.warmup),
    number("Weight decay", "How strongly weights are drawn towards zero at each step", (0.0, 1.0), 3, |config| &mut config.weight_decay),
    number("Largest gradient", "A gradient whose norm is larger is scaled down to this", (0.001, 1000.0), 3, |config| &mut config.clip),
    number(
        "Rate of the heads",
        "The small networks on top start from nothing: their rate is the learning rate times this",
        (0.001, 1000.0),
        2,
        |config| &mut config.head_lr_factor,
    ),
    number(
        "Rate from layer to layer",
        "The rate of each layer is that of the layer above it times this; 1: all alike",
        (0.1, 1.0),
        2,
        |config| &mut config.layer_decay,
    ),
    count(
        "Frozen layers",
        "Layers from the bottom whose weights stay as they are: faster, and safer with few reviews",
        (0, 64),
        |config| &mut config.freeze_layers,
    ),
    switch("Tune embeddings", "The table of word pieces learns too: slower, and of use only with many reviews", |config| {
        &mut config.tune_embeddings
    }),
];
