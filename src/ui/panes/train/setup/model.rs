//! Settings of the network: which encoder, how much of it, what stands on top.

use super::encoder::encoder_ui;
use super::row::{Row, count, number, own, switch};

/// Always in sight.
pub(super) const MAIN: &[Row] = &[
    own(encoder_ui, |config, default| config.encoder != default.encoder),
    count(
        "Layers",
        "How many layers of the encoder are used, from the bottom. Fewer are faster and a little less exact.",
        (0, 64),
        |config| &mut config.layers,
    )
    .zero("all"),
];

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
