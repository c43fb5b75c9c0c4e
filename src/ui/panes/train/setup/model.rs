//! Settings of the network: which encoder, how much of it, what stands on top.

use super::encoder::encoder_ui;
use super::row::{Pick, Row, choice, count, number, own, switch};
use crate::train::{ModelChoice, TrainConfig};

/// Always in sight.
pub(super) const MAIN: &[Row] = &[
    choice("Model", "What reads the text. The settings that suit it come with it.", MODELS),
    own(encoder_ui, |config, default| config.encoder != default.encoder).when(is_encoder),
    count(
        "Layers",
        "How many layers of the encoder are used, from the bottom. Fewer are faster and a little less exact.",
        (0, 64),
        |config| &mut config.layers,
    )
    .zero("all")
    .when(is_encoder),
];

/// A choice brings the defaults of its model along.
macro_rules! model {
    ($name:literal, $help:literal, $model:ident) => {
        Pick::new(
            $name,
            $help,
            |config| config.model == ModelChoice::$model,
            |config| {
                if config.model != ModelChoice::$model {
                    *config = config.for_model(ModelChoice::$model);
                }
            },
        )
    };
}

const MODELS: &[Pick] = &[
    model!("Pretrained encoder", "Knows both languages before it reads your reviews: the best scores, and the slowest", Encoder),
    model!("LSTM", "Reads word by word with a memory, and learns from your reviews alone: fast, wants a few thousand of them", Lstm),
    model!("GRU", "As the LSTM with a simpler memory: a little faster, about as good", Gru),
    model!("RNN", "The plain recurrent network: the simplest, for comparison", Rnn),
    model!("CNN", "Looks for patterns of a few words, wherever they stand: the fastest, good for classes", Cnn),
];

pub(super) fn is_encoder(config: &TrainConfig) -> bool {
    config.model == ModelChoice::Encoder
}

pub(super) const ROWS: &[Row] = &[
    number(
        "Dropout",
        "Share of the signals that are left out at random while learning, against learning by heart",
        (0.0, 0.9),
        2,
        |config| &mut config.dropout,
    ),
    switch("Order of tags", "Learns which tag follows which too (a conditional random field), not each tag by itself", |config| {
        &mut config.crf
    }),
    switch(
        "Judge each place by itself",
        "Every place that may be a span is judged by itself, so that spans can overlap. Done anyway where more than one span in a hundred overlaps another.",
        |config| &mut config.span_scorer,
    ),
];
