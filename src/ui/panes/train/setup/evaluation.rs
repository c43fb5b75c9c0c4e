//! Settings of how a run is judged, and when it ends.

use super::row::{Row, count, number, seed, switch};

pub(super) const ROWS: &[Row] = &[
    number(
        "Held-out share",
        "Share of the labelled reviews that is kept to judge by, for those whose part was not fixed at import",
        (0.05, 0.5),
        2,
        |config| &mut config.dev_share,
    ),
    count("Evaluations an epoch", "How often the held-out reviews are scored in each epoch", (1, 20), |config| &mut config.evals_per_epoch),
    count("Patience", "The run stops after so many evaluations without a new best; 0 never stops early", (0, 100), |config| {
        &mut config.patience
    }),
    switch(
        "Watch the layers",
        "Keeps how large gradients and weights of each layer are, now and then: shows a layer that learns nothing, or too much",
        |config| &mut config.layer_stats,
    ),
    seed("Seed", "Decides initial weights, dropout, order and the held-out reviews: the same seed gives the same run", |config| {
        &mut config.seed
    }),
    count(
        "Parts of a cross-validation",
        "All reviews but those for testing are dealt into so many parts, alike in their classes; each run is judged by one of them",
        (0, 100),
        |config| &mut config.folds,
    )
    .zero("off"),
    count(
        "Judged by part",
        "The part, from 0, that is held out; one run for each part says how much a score depends on chance",
        (0, 99),
        |config| &mut config.fold,
    )
    .when(|config| config.folds > 1),
];
