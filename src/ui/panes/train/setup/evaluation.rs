//! Settings of how a run is judged, and when it ends.

use super::row::{Row, Setting, count, number, own, seed, switch};
use crate::train::TrainConfig;
use crate::ui::Cx;
use eframe::egui::{self, DragValue};

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
    own(split_seed_ui, |config, default| config.split_seed != default.split_seed),
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

/// A seed, or a word for none.
fn split_seed_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let word = cx.t("as the seed");
    let help = cx.t(
        "Decides which reviews are held out. Of its own, so that runs of several seeds are judged by the same ones and can answer together",
    );
    let row = Setting { name: cx.t("Seed of the parts"), help, default: word, differs: config.split_seed.is_some() };
    let was = config.split_seed.and_then(|seed| i64::try_from(seed).ok()).unwrap_or(-1);
    let mut seed = was;
    row.ui(ui, cx, |ui| {
        let said = move |value: f64, _| if value < 0.0 { word.to_owned() } else { format!("{value:.0}") };
        let read = move |text: &str| if text.trim() == word { Some(-1.0) } else { text.trim().parse().ok() };
        ui.add(DragValue::new(&mut seed).range(-1..=i64::MAX).speed(0.05).custom_formatter(said).custom_parser(read))
    });
    if seed != was {
        config.split_seed = u64::try_from(seed).ok();
    }
}
