//! The settings of the next run: presets, a few main choices, the rest under "More". Each has a sentence of help.

use super::group;
use crate::train::{EncoderChoice, TrainConfig};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui::{self, DragValue};
use std::fmt::Display;

/// The settings being chosen.
#[derive(Default)]
pub(super) struct Setup {
    pub(super) config: TrainConfig,
    more: bool,
}

/// Values that belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Preset {
    Quick,
    Balanced,
    Thorough,
}

impl Preset {
    const ALL: [Self; 3] = [Self::Quick, Self::Balanced, Self::Thorough];

    /// `config` with this preset's values; what no preset names stays.
    fn applied(self, config: &TrainConfig) -> TrainConfig {
        let default = TrainConfig::default();
        let (layers, epochs, lr, patience, evals_per_epoch) = match self {
            Self::Quick => (6, 4, default.lr, 0, 1),
            Self::Balanced => (default.layers, default.epochs, default.lr, default.patience, default.evals_per_epoch),
            Self::Thorough => (0, 12, default.lr * 0.6, 5, 1),
        };
        TrainConfig { layers, epochs, lr, patience, evals_per_epoch, ..config.clone() }
    }

    fn words(self, cx: &Cx<'_>) -> (&'static str, &'static str) {
        match self {
            Self::Quick => (cx.t("Quick"), cx.t("Half of the encoder, few epochs: a first look in the shortest time")),
            Self::Balanced => (cx.t("Balanced"), cx.t("The whole encoder, as many epochs as a few hundred reviews need")),
            Self::Thorough => (cx.t("Thorough"), cx.t("Twice the epochs at a lower rate: a little better, takes twice as long")),
        }
    }
}

impl Setup {
    pub(super) fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        if let Some(folder) = cx.dialogs.take_encoder_folder() {
            self.config.encoder = EncoderChoice::Folder(folder);
        }
        group(ui, cx.t("How to learn"));
        self.presets(ui, cx);
        ui.add_space(6.0);
        self.encoder(ui, cx);
        let default = TrainConfig::default();
        let config = &mut self.config;
        let shipped = config.encoder == EncoderChoice::Shipped;
        let all = cx.t("all");
        row(
            ui,
            cx,
            cx.t("Layers"),
            cx.t("How many layers of the encoder are used, from the bottom. Fewer are faster and a little less exact."),
            &all,
            |ui| {
                let words = move |value: f64, _| if value < 0.5 { all.to_owned() } else { format!("{value:.0}") };
                let parse = move |text: &str| if text.trim() == all { Some(0.0) } else { text.trim().parse().ok() };
                let most = if shipped { 12 } else { 64 };
                ui.add(DragValue::new(&mut config.layers).range(0..=most).speed(0.05).custom_formatter(words).custom_parser(parse))
            },
        );
        row(
            ui,
            cx,
            cx.t("Epochs"),
            cx.t("How often the run reads all training reviews. More can learn more, until it learns them by heart."),
            &default.epochs,
            |ui| ui.add(DragValue::new(&mut config.epochs).range(1..=1000).speed(0.05)),
        );
        row(
            ui,
            cx,
            cx.t("Learning rate"),
            cx.t("How far each step changes the weights. Too high and the loss jumps; too low and nothing is learnt."),
            &rate(default.lr),
            |ui| {
                let speed = config.lr * 0.02;
                let value = DragValue::new(&mut config.lr).range(1e-7..=1e-2).speed(speed);
                ui.add(value.custom_formatter(|value, _| rate(value)).custom_parser(|text| text.trim().parse().ok()))
            },
        );
        row(ui, cx, cx.t("Batch"), cx.t("Reviews read together before each step"), &default.batch_examples, |ui| {
            ui.add(DragValue::new(&mut config.batch_examples).range(1..=512).speed(0.1))
        });
        ui.add_space(2.0);
        let arrow = egui::CollapsingHeader::new(cx.t("More")).id_salt("train-more").default_open(self.more);
        let shown = arrow.show_unindented(ui, |ui| {
            self.rest(ui, cx);
        });
        self.more = shown.fully_open();
    }

    fn presets(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        ui.columns_const(|columns: &mut [egui::Ui; 3]| {
            for (ui, preset) in columns.iter_mut().zip(Preset::ALL) {
                let (name, help) = preset.words(cx);
                let wanted = preset.applied(&self.config);
                let centred = (egui::Atom::grow(), name, egui::Atom::grow());
                let button = egui::Button::selectable(wanted == self.config, centred).gap(0.0).frame_when_inactive(true);
                if ui.add(button).on_hover_text(help).clicked() {
                    self.config = wanted;
                }
            }
        });
    }

    fn encoder(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        let name = match &self.config.encoder {
            EncoderChoice::Shipped => cx.t("Chinese and English (built in)").to_owned(),
            EncoderChoice::Folder(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
        };
        let help =
            cx.t("The pretrained network that reads the text. Any folder of the BERT family in Hugging Face layout can take its place.");
        ui.horizontal(|ui| {
            ui.label(cx.t("Encoder")).on_hover_text(help);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let menu = egui::ComboBox::from_id_salt("train-encoder").selected_text(&name).width(182.0).truncate();
                let mut pick = false;
                let shown = menu.show_ui(ui, |ui| {
                    if ui.selectable_label(self.config.encoder == EncoderChoice::Shipped, cx.t("Chinese and English (built in)")).clicked()
                    {
                        self.config.encoder = EncoderChoice::Shipped;
                    }
                    pick = ui.selectable_label(false, cx.t("Another, from a folder…")).clicked();
                });
                let response = shown.response.accessible_name(cx.t("Encoder"));
                match &self.config.encoder {
                    EncoderChoice::Shipped => response.on_hover_text(help),
                    EncoderChoice::Folder(folder) => response.on_hover_text(folder.display().to_string()),
                };
                if pick {
                    cx.dialogs.open(Wish::EncoderFolder);
                }
            });
        });
        if let EncoderChoice::Folder(folder) = &self.config.encoder {
            ui.label(egui::RichText::new(folder.display().to_string()).color(palette.weak).small());
        }
    }

    fn rest(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        let default = TrainConfig::default();
        let config = &mut self.config;
        row(ui, cx, cx.t("Longest text"), cx.t("Tokens of a review that are read; what lies beyond is cut"), &default.max_length, |ui| {
            ui.add(DragValue::new(&mut config.max_length).range(8..=512).speed(1.0))
        });
        row(ui, cx, cx.t("Tokens in a batch"), cx.t("A batch ends before it holds more tokens than this"), &default.batch_tokens, |ui| {
            ui.add(DragValue::new(&mut config.batch_tokens).range(64..=262_144).speed(16.0))
        });
        row(
            ui,
            cx,
            cx.t("Tokens at once"),
            cx.t("A larger batch is taken in parts, one after the other: less memory, the same result"),
            &default.tokens_at_once,
            |ui| ui.add(DragValue::new(&mut config.tokens_at_once).range(64..=262_144).speed(16.0)),
        );
        row(
            ui,
            cx,
            cx.t("Dropout"),
            cx.t("Share of the signals that are left out at random while learning, against learning by heart"),
            &default.dropout,
            |ui| ui.add(DragValue::new(&mut config.dropout).range(0.0..=0.9).speed(0.005).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Patience"),
            cx.t("The run stops after so many evaluations without a new best; 0 never stops early"),
            &default.patience,
            |ui| ui.add(DragValue::new(&mut config.patience).range(0..=100).speed(0.05)),
        );
        row(
            ui,
            cx,
            cx.t("Evaluations an epoch"),
            cx.t("How often the held-out reviews are scored in each epoch"),
            &default.evals_per_epoch,
            |ui| ui.add(DragValue::new(&mut config.evals_per_epoch).range(1..=20).speed(0.05)),
        );
        row(
            ui,
            cx,
            cx.t("Held-out share"),
            cx.t("Share of the labelled reviews that is kept to judge by, for those whose part was not fixed at import"),
            &default.dev_share,
            |ui| ui.add(DragValue::new(&mut config.dev_share).range(0.05..=0.5).speed(0.005).max_decimals(2)),
        );
        row(ui, cx, cx.t("Warm-up"), cx.t("Share of all steps over which the rate rises from zero"), &default.warmup, |ui| {
            ui.add(DragValue::new(&mut config.warmup).range(0.0..=1.0).speed(0.005).max_decimals(2))
        });
        row(ui, cx, cx.t("Weight decay"), cx.t("How strongly weights are drawn towards zero at each step"), &default.weight_decay, |ui| {
            ui.add(DragValue::new(&mut config.weight_decay).range(0.0..=1.0).speed(0.001).max_decimals(3))
        });
        row(ui, cx, cx.t("Largest gradient"), cx.t("A gradient whose norm is larger is scaled down to this"), &default.clip, |ui| {
            ui.add(DragValue::new(&mut config.clip).range(0.001..=1000.0).speed(0.01).max_decimals(3))
        });
        row(
            ui,
            cx,
            cx.t("Rate of the heads"),
            cx.t("The small networks on top start from nothing: their rate is the learning rate times this"),
            &default.head_lr_factor,
            |ui| ui.add(DragValue::new(&mut config.head_lr_factor).range(0.001..=1000.0).speed(0.05).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Weight of spans"),
            cx.t("How much the span loss counts beside the class loss"),
            &default.span_loss_weight,
            |ui| ui.add(DragValue::new(&mut config.span_loss_weight).range(0.0..=10.0).speed(0.01).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Weight of polarity"),
            cx.t("How much the polarity of spans and links counts beside the class loss; 0 learns none"),
            &default.polarity_loss_weight,
            |ui| ui.add(DragValue::new(&mut config.polarity_loss_weight).range(0.0..=10.0).speed(0.01).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Weight of links"),
            cx.t("How much it counts which opinion belongs to which aspect; 0 learns none"),
            &default.link_loss_weight,
            |ui| ui.add(DragValue::new(&mut config.link_loss_weight).range(0.0..=10.0).speed(0.01).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Frozen layers"),
            cx.t("Layers from the bottom whose weights stay as they are: faster, and safer with few reviews"),
            &default.freeze_layers,
            |ui| ui.add(DragValue::new(&mut config.freeze_layers).range(0..=64).speed(0.05)),
        );
        row(
            ui,
            cx,
            cx.t("Seed"),
            cx.t("Decides initial weights, dropout, order and the held-out reviews: the same seed gives the same run"),
            &default.seed,
            |ui| ui.add(DragValue::new(&mut config.seed).speed(0.05)),
        );
        let off = cx.t("off");
        row(
            ui,
            cx,
            cx.t("Weigh rare classes up"),
            cx.t("Mistakes on rare classes count for more. Helps when one class has most of the reviews."),
            &off,
            |ui| ui.add(egui::Checkbox::without_text(&mut config.class_weights)),
        );
        row(
            ui,
            cx,
            cx.t("Tune embeddings"),
            cx.t("The table of word pieces learns too: slower, and of use only with many reviews"),
            &off,
            |ui| ui.add(egui::Checkbox::without_text(&mut config.tune_embeddings)),
        );
        self.spans(ui, cx);
        let config = &mut self.config;
        if *config != TrainConfig::default() && ui.button(cx.t("Back to the defaults")).clicked() {
            *config = TrainConfig::default();
        }
    }
}

impl Setup {
    /// How spans are learnt.
    fn spans(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        let (default, off) = (TrainConfig::default(), cx.t("off"));
        let config = &mut self.config;
        row(
            ui,
            cx,
            cx.t("Rate from layer to layer"),
            cx.t("The rate of each layer is that of the layer above it times this; 1: all alike"),
            &default.layer_decay,
            |ui| ui.add(DragValue::new(&mut config.layer_decay).range(0.1..=1.0).speed(0.005).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Other terms"),
            cx.t("For each review so many more with other marked terms in their place, of the same label and polarity"),
            &default.span_swaps,
            |ui| ui.add(DragValue::new(&mut config.span_swaps).range(0.0..=10.0).speed(0.01).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Hidden words"),
            cx.t("Share of the word pieces that are not shown while learning"),
            &default.word_dropout,
            |ui| ui.add(DragValue::new(&mut config.word_dropout).range(0.0..=0.9).speed(0.005).max_decimals(2)),
        );
        row(
            ui,
            cx,
            cx.t("Order of tags"),
            cx.t("Learns which tag follows which too (a conditional random field), not each tag by itself"),
            &off,
            |ui| ui.add(egui::Checkbox::without_text(&mut config.crf)),
        );
        let help = cx.t(
            "Every place that may be a span is judged by itself, so that spans can overlap. Done anyway where more than one span in a hundred overlaps another.",
        );
        row(ui, cx, cx.t("Judge each place by itself"), help, &off, |ui| ui.add(egui::Checkbox::without_text(&mut config.span_scorer)));
        let Some(project) = cx.desk.project() else { return };
        for label in &project.schema().span_labels {
            let mut unknown = config.partly_marked.contains(&label.name);
            let help = cx.t("In reviews that are not done, an unmarked place of this label teaches nothing: only some were marked");
            let name = format!("{}: {}", cx.t("Unmarked is unknown"), label.name);
            let mut changed = false;
            row(ui, cx, &name, help, &off, |ui| {
                let response = ui.add(egui::Checkbox::without_text(&mut unknown));
                changed = response.changed();
                response
            });
            if changed {
                config.partly_marked.retain(|other| *other != label.name);
                if unknown {
                    config.partly_marked.push(label.name.clone());
                }
            }
        }
    }
}

/// A setting: its name on the left, its value on the right, help and default on hover.
fn row(ui: &mut egui::Ui, cx: &Cx<'_>, name: &str, help: &str, default: &dyn Display, value: impl FnOnce(&mut egui::Ui) -> egui::Response) {
    let help = format!("{help}\n{}", cx.tf("Default: {}", &[default]));
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.horizontal(|ui| {
        let label = ui.label(name).on_hover_text(&help);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().interact_size.x = 64.0;
            value(ui).labelled_by(label.id).on_hover_text(&help);
        });
    });
}

/// A learning rate: "5e-5", "1.5e-4".
fn rate(value: f64) -> String {
    let text = format!("{value:.1e}");
    text.replace(".0e", "e")
}
