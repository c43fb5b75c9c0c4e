//! Settings of how the weights move: epochs, rates, what stays frozen.

use super::model::is_encoder;
use super::row::{Pick, Row, Setting, choice, count, learning_rate, number, own, pick, switch};
use crate::train::{Adversarial, OptimiserChoice, PrecisionChoice, Schedule, TrainConfig, Tuned};
use crate::ui::Cx;
use eframe::egui;

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
        "How far each step changes the weights. Too high and the loss jumps; too low and nothing is learnt. Automatic: 1e-4 where spans are learnt, else 5e-5.",
        |config| &mut config.lr,
    ),
];

const SCHEDULES: &[Pick] = &[
    pick!("Down in a line", "The usual choice", schedule = Schedule::Linear),
    pick!("Down by a cosine", "Stays high for longer, then falls faster; pays in long runs", schedule = Schedule::Cosine),
    pick!("Constant", "For short runs, and together with averaged weights", schedule = Schedule::Constant),
];

const OPTIMISERS: &[Pick] = &[
    pick!("AdamW", "Right for nearly everything", optimiser = OptimiserChoice::AdamW),
    pick!(
        "SGD",
        "Plain steps with momentum: half the memory, wants a rate about a hundred times as high",
        optimiser = OptimiserChoice::Sgd
    ),
    pick!(
        "Adafactor",
        "Next to no memory of its own, for encoders that hardly fit; wants a rate of about 1e-3",
        optimiser = OptimiserChoice::Adafactor
    ),
];

const PRECISIONS: &[Pick] = &[
    pick!(
        "What is fastest",
        "Half where the processor has an instruction for it, else exact: scores differed by chance at most",
        precision = PrecisionChoice::Auto
    ),
    pick!("Exact (float32)", "For numbers that do not depend on the processor", precision = PrecisionChoice::Float32),
    pick!(
        "Half (bfloat16)",
        "Products take rounded factors, weights stay exact: up to half as fast again where the processor has an instruction for it",
        precision = PrecisionChoice::BFloat16
    ),
];

const ADVERSARIAL: &[Pick] = &[
    pick!("off", "", adversarial = Adversarial::Off),
    pick!("One step (FGM)", "The usual choice", adversarial = Adversarial::Fgm),
    pick!("Several steps (PGD)", "Finds worse changes, and takes as many times as long", adversarial = Adversarial::Pgd),
];

const TUNED: &[Pick] = &[
    pick!("Everything", "Learns most, and with thousands of reviews best", tuned = Tuned::Full),
    pick!(
        "Heads only",
        "The encoder stays as it is: by far the fastest, less exact; a first look, or very few reviews",
        tuned = Tuned::Head
    ),
    pick!(
        "Low-rank updates (LoRA)",
        "Small matrices beside the weights learn: less memory, nearly as exact; wants a rate about five times as high",
        tuned = Tuned::Lora
    ),
    pick!(
        "Biases (BitFit)",
        "Only the biases of the encoder learn: little memory, good with few reviews; wants a higher rate",
        tuned = Tuned::Bitfit
    ),
    pick!(
        "Adapters",
        "Small layers put into the encoder learn, and its norms: little memory, nearly as exact; wants a rate about five times as high. The model is read by Gloss alone",
        tuned = Tuned::Adapters
    ),
    pick!(
        "Prefixes",
        "A few keys and values that each layer sees beside the review learn: fewest numbers of all, slow to learn; wants a rate of about 5e-3. The model is read by Gloss alone",
        tuned = Tuned::Prefix
    ),
];

pub(super) const ROWS: &[Row] = &[
    own(continue_ui, |config, default| config.continue_from != default.continue_from),
    number(
        "Learnt reviews again",
        "Share of the reviews which that run has learnt that are learnt again: fewer are faster, none lets them be forgotten",
        (0.0, 1.0),
        2,
        |config| &mut config.replay,
    )
    .when(|config| !config.continue_from.is_empty()),
    choice("What learns", "Which weights change while learning; the small networks on top always do", TUNED).when(is_encoder),
    count("Rank", "Rows of the small matrices: more can learn more, 4 to 16 are usual", (1, 256), |config| &mut config.lora_rank)
        .when(|config| config.tuned == Tuned::Lora),
    number("Strength of updates", "An update counts this over the rank times; twice the rank is usual", (0.1, 1000.0), 1, |config| {
        &mut config.lora_alpha
    })
    .when(|config| config.tuned == Tuned::Lora),
    own(low_rank_ui, |config, default| config.lora_targets != default.lora_targets).when(|config| config.tuned == Tuned::Lora),
    count(
        "Width of adapters",
        "Numbers between the two layers of an adapter: more can learn more, 16 to 64 are usual",
        (1, 1024),
        |config| &mut config.adapter_width,
    )
    .when(|config| config.tuned == Tuned::Adapters),
    count("Length of prefixes", "Keys and values that each layer gets: more can learn more, 10 to 30 are usual", (1, 256), |config| {
        &mut config.prefix_rows
    })
    .when(|config| config.tuned == Tuned::Prefix),
    choice("Rate over the run", "How the rate goes on after the warm-up", SCHEDULES),
    choice("Optimiser", "What makes a step of a gradient", OPTIMISERS),
    number("Momentum", "How much of the steps before goes into each step", (0.0, 0.999), 3, |config| &mut config.momentum)
        .when(|config| config.optimiser == OptimiserChoice::Sgd),
    choice("Precision of products", "How exactly the encoder multiplies while it learns", PRECISIONS).when(is_encoder),
    choice(
        "Adversarial",
        "Each batch is read again, slightly changed where it hurts most: often a little better with few reviews, twice the time",
        ADVERSARIAL,
    )
    .when(is_encoder),
    number("Size of the change", "How far a review's embedded pieces are moved, all together", (0.001, 1000.0), 3, |config| {
        &mut config.adversarial_size
    })
    .when(|config| is_encoder(config) && config.adversarial != Adversarial::Off),
    count("Steps of the change", "More find a worse place, and take longer", (1, 20), |config| &mut config.adversarial_steps)
        .when(|config| config.adversarial == Adversarial::Pgd),
    number(
        "R-Drop",
        "Each batch is read twice with other dropouts, and how far the answers are apart counts so much: steadier answers, twice the time; 0 is off, 0.5 to 5 are usual",
        (0.0, 100.0),
        2,
        |config| &mut config.r_drop,
    ),
    count("Batches a step", "So many batches are read before each step: a larger batch in the same memory", (1, 1024), |config| {
        &mut config.accumulate
    }),
    count(
        "Unfreeze a layer every",
        "The highest layer learns first, one more after so many epochs each: safer with few reviews",
        (0, 1000),
        |config| &mut config.unfreeze_every,
    )
    .zero("off")
    .when(is_encoder),
    number(
        "Average over steps",
        "Share of a moving average of the weights that stays at each step; the average is judged and kept. 0.99 to 0.999 smooth runs whose scores jump; 0 is off",
        (0.0, 0.999_999),
        6,
        |config| &mut config.ema,
    ),
    count(
        "Average over evaluations",
        "The mean of the weights at so many last evaluations is judged and kept: pays when scores jump",
        (0, 100),
        |config| &mut config.average_last,
    )
    .zero("off"),
    number("Warm-up", "Share of all steps over which the rate rises from zero", (0.0, 1.0), 2, |config| &mut config.warmup),
    number("Weight decay", "How strongly weights are drawn towards zero at each step", (0.0, 1.0), 3, |config| &mut config.weight_decay),
    number("Largest gradient", "A gradient whose norm is larger is scaled down to this", (0.001, 1000.0), 3, |config| &mut config.clip),
    number(
        "Rate of the heads",
        "The small networks on top start from nothing: their rate is the learning rate times this",
        (0.001, 1000.0),
        2,
        |config| &mut config.head_lr_factor,
    )
    .when(is_encoder),
    number(
        "Rate from layer to layer",
        "The rate of each layer is that of the layer above it times this; 1: all alike",
        (0.1, 1.0),
        2,
        |config| &mut config.layer_decay,
    )
    .when(is_encoder),
    count(
        "Frozen layers",
        "Layers from the bottom whose weights stay as they are: faster, and safer with few reviews",
        (0, 64),
        |config| &mut config.freeze_layers,
    )
    .when(is_encoder),
    switch("Tune embeddings", "The table of word pieces learns too: slower, and of use only with many reviews", |config| {
        &mut config.tune_embeddings
    })
    .when(|config| is_encoder(config) || config.word_vectors.is_some()),
];

/// The run whose model a run goes on from.
fn continue_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let runs: Vec<&str> = cx.desk.runs().iter().filter(|run| run.report.is_some()).map(|run| run.id.as_str()).collect();
    let name = cx.t("Go on from");
    let help = cx.t("An earlier run's model instead of the encoder: fast where only a few reviews were added");
    let words = |id: &str| if id.is_empty() { cx.t("the encoder").to_owned() } else { super::super::run_name(cx, id) };
    let row = Setting { name, help, default: cx.t("the encoder"), differs: !config.continue_from.is_empty() };
    row.ui(ui, cx, |ui| {
        let chosen = words(&config.continue_from);
        let menu = egui::ComboBox::from_id_salt("train-continue-from").selected_text(&chosen).width(150.0).truncate();
        let shown = menu.show_ui(ui, |ui| {
            for id in std::iter::once("").chain(runs.iter().rev().copied()) {
                if ui.selectable_label(config.continue_from == id, words(id)).clicked() {
                    config.continue_from = id.to_owned();
                }
            }
        });
        shown.response.accessible_name(format!("{name}: {chosen}"))
    });
}

/// Which layers get low-rank updates.
fn low_rank_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let default = TrainConfig::default().lora_targets;
    let help = cx.t("The parts of each layer that get small matrices: queries and values are usual, all of them learn most");
    for (target, name) in LOW_RANK_TARGETS {
        let was = config.lora_targets.iter().any(|other| other == target);
        let mut wanted = was;
        let usual = default.iter().any(|other| other == target);
        let row = Setting { name: cx.t(name), help, default: cx.t(if usual { "on" } else { "off" }), differs: was != usual };
        // One at least has to stay.
        row.ui(ui, cx, |ui| ui.add_enabled(!was || config.lora_targets.len() > 1, egui::Checkbox::without_text(&mut wanted)));
        if wanted != was {
            config.lora_targets.retain(|other| other != target);
            if wanted {
                config.lora_targets.push((*target).to_owned());
            }
        }
    }
}

/// Names in settings, and in words.
const LOW_RANK_TARGETS: &[(&str, &str)] = &[
    ("query", "Updates of queries"),
    ("key", "Updates of keys"),
    ("value", "Updates of values"),
    ("output", "Updates after attention"),
    ("feed", "Updates of the feed-forward part"),
];
