//! The settings of the next run: presets, a few main choices, the rest in groups that can be folded. Each has a sentence
//! of help. A setting is a row in the table of its group; the groups' files hold those tables.

mod data;
mod encoder;
mod evaluation;
mod loss;
mod model;
mod network;
mod row;
mod teacher;
mod tuning;

use super::group;
use crate::train::{EncoderChoice, ModelChoice, TrainConfig};
use crate::ui::Cx;
use eframe::egui;
use row::Row;

/// The settings being chosen.
#[derive(Default)]
pub(super) struct Setup {
    pub(super) config: TrainConfig,
}

/// Rows in sight without unfolding anything.
const MAIN: [&[Row]; 4] = [model::MAIN, network::MAIN, tuning::MAIN, data::MAIN];

/// Groups in the order of the panel.
const GROUPS: [(&str, &[Row]); 7] = [
    ("Model", model::ROWS),
    ("Network", network::ROWS),
    ("Loss and imbalance", loss::ROWS),
    ("Fine-tuning", tuning::ROWS),
    ("Data and batches", data::ROWS),
    ("Learning from a model", teacher::ROWS),
    ("Evaluation", evaluation::ROWS),
];

/// Every sentence of the tables of settings, for the test that each has its Chinese.
pub fn setting_words() -> impl Iterator<Item = &'static str> {
    let rows = MAIN.into_iter().chain(GROUPS.map(|(_, rows)| rows)).flatten().flat_map(Row::words);
    GROUPS.into_iter().map(|(name, _)| name).chain(rows)
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
        let default = TrainConfig::of_model(config.model);
        let (layers, epochs, lr, patience, evals_per_epoch) = match self {
            Self::Quick if config.model != ModelChoice::Encoder => (0, default.epochs / 2, default.lr, 0, 1),
            // Half of the encoder for twice as long learnt less in no less time (benches/README.md).
            Self::Quick => (0, 2, default.lr, 0, 1),
            Self::Balanced => (default.layers, default.epochs, default.lr, default.patience, default.evals_per_epoch),
            Self::Thorough => (0, 2 * default.epochs, default.lr, 5, 1),
        };
        TrainConfig { layers, epochs, lr, patience, evals_per_epoch, ..config.clone() }
    }

    fn words(self, cx: &Cx<'_>, model: ModelChoice) -> (&'static str, &'static str) {
        match self {
            Self::Quick if model != ModelChoice::Encoder => (cx.t("Quick"), cx.t("Half of the epochs: a first look in the shortest time")),
            Self::Balanced if model != ModelChoice::Encoder => (cx.t("Balanced"), cx.t("As many epochs as a small network needs")),
            Self::Quick => (
                cx.t("Quick"),
                cx.t("Two epochs: a first look in the shortest time. With fewer than 100 reviews take Balanced, which is soon done then"),
            ),
            Self::Balanced => (cx.t("Balanced"), cx.t("The whole encoder, as many epochs as a few hundred reviews need")),
            Self::Thorough => (cx.t("Thorough"), cx.t("Twice the epochs: can be a little better, takes twice as long")),
        }
    }
}

impl Setup {
    pub(super) fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        self.take_paths(cx);
        group(ui, cx.t("How to learn"));
        self.presets(ui, cx);
        ui.add_space(6.0);
        for row in MAIN.into_iter().flatten() {
            row.ui(ui, cx, &mut self.config);
        }
        ui.add_space(2.0);
        for (name, rows) in GROUPS {
            self.group_ui(ui, cx, name, rows);
        }
        let default = TrainConfig::of_model(self.config.model);
        if self.config != default && ui.button(cx.t("Back to the defaults")).clicked() {
            self.config = default;
        }
    }

    /// Paths that were chosen for settings.
    fn take_paths(&mut self, cx: &mut Cx<'_>) {
        let Some((key, path)) = cx.dialogs.take_setting() else { return };
        if key == encoder::ENCODER {
            self.config.encoder = EncoderChoice::Folder(path);
            return;
        }
        if key == teacher::TEACHER {
            let path = path.display().to_string();
            self.config.teacher = if self.config.teacher.is_empty() { path } else { format!("{},{path}", self.config.teacher) };
            return;
        }
        for row in MAIN.into_iter().chain(GROUPS.map(|(_, rows)| rows)).flatten() {
            row.take_path(key, &path, &mut self.config);
        }
    }

    fn presets(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        ui.columns_const(|columns: &mut [egui::Ui; 3]| {
            for (ui, preset) in columns.iter_mut().zip(Preset::ALL) {
                let (name, help) = preset.words(cx, self.config.model);
                let wanted = preset.applied(&self.config);
                let centred = (egui::Atom::grow(), name, egui::Atom::grow());
                let button = egui::Button::selectable(wanted == self.config, centred).gap(0.0).frame_when_inactive(true);
                if ui.add(button).on_hover_text(help).clicked() {
                    self.config = wanted;
                }
            }
        });
    }

    /// A group that can be folded; its heading says how many of its settings are not the defaults.
    fn group_ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, name: &'static str, rows: &[Row]) {
        if rows.iter().all(|row| !row.is_shown(&self.config)) {
            return;
        }
        let mut default = row::defaults(&self.config);
        let changed = rows.iter().filter(|row| row.differs(&mut self.config, &mut default)).count();
        let heading = match changed {
            0 => cx.t(name).to_owned(),
            _ => format!("{}  ·  {}", cx.t(name), cx.tf("{} changed", &[&changed])),
        };
        let header = egui::CollapsingHeader::new(heading).id_salt(("train-group", name));
        header.show_unindented(ui, |ui| {
            for row in rows {
                row.ui(ui, cx, &mut self.config);
            }
            ui.add_space(4.0);
        });
    }
}
