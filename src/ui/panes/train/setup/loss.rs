//! Settings of what counts as a mistake, and how much: weights of the tasks, losses, rare classes.

use super::row::{Row, number, switch};

pub(super) const ROWS: &[Row] = &[
    switch("Weigh rare classes up", "Mistakes on rare classes count for more. Helps when one class has most of the reviews.", |config| {
        &mut config.class_weights
    }),
    number("Weight of spans", "How much the span loss counts beside the class loss", (0.0, 10.0), 2, |config| &mut config.span_loss_weight),
    number(
        "Weight of polarity",
        "How much the polarity of spans and links counts beside the class loss; 0 learns none",
        (0.0, 10.0),
        2,
        |config| &mut config.polarity_loss_weight,
    ),
    number("Weight of links", "How much it counts which opinion belongs to which aspect; 0 learns none", (0.0, 10.0), 2, |config| {
        &mut config.link_loss_weight
    }),
];
