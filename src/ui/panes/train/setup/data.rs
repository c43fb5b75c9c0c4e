//! Settings of what is read, how it is dealt out, and what computes: batches, lengths, changed copies, device, threads.

use super::model::is_encoder;
use super::row::{Pick, Row, Setting, choice, count, file, number, own, pick, zero_as};
use crate::desk::Command;
use crate::train::{DeviceChoice, TrainConfig};
use crate::ui::Cx;
use eframe::egui::{self, DragValue};

/// Always in sight.
pub(super) const MAIN: &[Row] = &[count("Batch", "Reviews read together before each step", (1, 512), |config| &mut config.batch_examples)];

const DEVICES: &[Pick] = &[
    pick!("Automatic", "A graphics card where Gloss was built for one and one is there, else the processor", device = DeviceChoice::Auto),
    pick!("Processor", "Runs anywhere", device = DeviceChoice::Cpu),
    pick!("CUDA", "A graphics card by NVIDIA", device = DeviceChoice::Cuda),
    pick!("Metal", "The graphics card of a Mac", device = DeviceChoice::Metal),
];

pub(super) const ROWS: &[Row] = &[
    count("Longest text", "Tokens of a review that are read; what lies beyond is cut", (8, 512), |config| &mut config.max_length),
    own(turns_ui, |config, default| config.turns_before != default.turns_before),
    count("Tokens in a batch", "A batch ends before it holds more tokens than this", (64, 262_144), |config| &mut config.batch_tokens),
    count(
        "Least steps",
        "Spans want some hundred steps: with few reviews batches are made smaller until there are so many",
        (0, 10_000),
        |config| &mut config.least_steps,
    )
    .zero("off"),
    count(
        "Tokens at once",
        "A larger batch is taken in parts, one after the other: less memory, the same result",
        (64, 262_144),
        |config| &mut config.tokens_at_once,
    ),
    number(
        "Other terms",
        "For each review so many more with other marked terms in their place, of the same label and polarity",
        (0.0, 10.0),
        2,
        |config| &mut config.span_swaps,
    ),
    count(
        "Other terms below",
        "With fewer reviews with marked spans than this, each is read with other terms in it every other time: it finds more spans, and takes no longer",
        (0, 100_000),
        |config| &mut config.few_marked,
    )
    .zero("off"),
    number(
        "Other wordings",
        "For each review so many more with words changed, left out or in another place, marked places as they are: pays with few reviews",
        (0.0, 10.0),
        2,
        |config| &mut config.augment,
    ),
    file("Synonyms", "A list of words that may stand for each other: a line each, between tabs or commas", "synonyms", |config| {
        &mut config.synonyms
    })
    .when(|config| config.augment > 0.0),
    number("Changed for synonyms", "Share of the words with synonyms that is changed for one", (0.0, 1.0), 2, |config| {
        &mut config.synonym_share
    })
    .when(|config| config.augment > 0.0 && config.synonyms.is_some()),
    number(
        "Words by the encoder",
        "Share of the words of other wordings that is changed for what the encoder says where they are hidden: pays with few reviews, but it may turn good into bad. Only an encoder made for hidden words can; the built-in one once it has read the reviews",
        (0.0, 0.9),
        2,
        |config| &mut config.masked_synonyms,
    )
    .when(|config| config.augment > 0.0 && is_encoder(config)),
    number("Words left out", "Share of the words of other wordings that is left out", (0.0, 0.9), 2, |config| &mut config.word_deletion)
        .when(|config| config.augment > 0.0),
    number("Words in other places", "Share of the words of other wordings that changes places", (0.0, 0.9), 2, |config| {
        &mut config.word_swap
    })
    .when(|config| config.augment > 0.0),
    file(
        "Translated back",
        "Reviews in other wordings, by a translation there and back: a line each, the review, a tab, the wording",
        "paraphrases",
        |config| &mut config.paraphrases,
    ),
    number("Hidden words", "Share of the word pieces that are not shown while learning", (0.0, 0.9), 2, |config| &mut config.word_dropout),
    own(partly_marked_ui, |config, default| config.partly_marked != default.partly_marked),
    choice("Device", "Where the run computes. Without such a graphics card it computes on the processor, and its notes say so", DEVICES)
        .when(is_encoder),
    own(threads_ui, |_, _| false),
];

/// Only where the project has conversations.
fn turns_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    if cx.desk.conversations().is_empty() {
        return;
    }
    let usual = TrainConfig::default().turns_before;
    let help = cx.t("A turn of a conversation is read with so many turns before it, as far as there is room; 0 reads it alone");
    let row = Setting { name: cx.t("Turns before"), help, default: &usual.to_string(), differs: config.turns_before != usual };
    row.ui(ui, cx, |ui| ui.add(DragValue::new(&mut config.turns_before).range(0..=64).speed(0.05)));
}

/// One row for each span label of the project.
fn partly_marked_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, config: &mut TrainConfig) {
    let Some(project) = cx.desk.project() else { return };
    let help = cx.t("In reviews that are not done, an unmarked place of this label teaches nothing: only some were marked");
    for label in &project.schema().span_labels {
        let was = config.partly_marked.contains(&label.name);
        let mut unknown = was;
        let name = format!("{}: {}", cx.t("Unmarked is unknown"), label.name);
        let row = Setting { name: &name, help, default: cx.t("off"), differs: was };
        row.ui(ui, cx, |ui| ui.add(egui::Checkbox::without_text(&mut unknown)));
        if unknown != was {
            config.partly_marked.retain(|other| *other != label.name);
            if unknown {
                config.partly_marked.push(label.name.clone());
            }
        }
    }
}

/// A setting of the program, not of a run.
fn threads_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, _: &mut TrainConfig) {
    let (all, cores) = (cx.t("all"), crate::desk::processor_threads());
    let help =
        cx.t("How many processor threads learning and suggestions take, from the next run on. One fewer leaves room for other programs");
    let was = cx.desk.settings().threads.min(cores);
    let mut threads = was;
    let row = Setting { name: cx.t("Threads"), help, default: all, differs: false };
    row.ui(ui, cx, |ui| ui.add(zero_as(DragValue::new(&mut threads).range(0..=cores).speed(0.05), all)));
    if threads != was {
        cx.send(Command::SetThreads(threads));
    }
}
