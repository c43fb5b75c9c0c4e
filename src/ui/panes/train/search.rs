//! The search for good settings: how it is started, and its trials as a table while it goes on and after.

use super::scores::right;
use super::{TrainPane, run_name, two_places};
use crate::desk::{Command, SearchView, TrialState, TrialView};
use crate::ui::{Cx, theme};
use eframe::egui::{self, DragValue, RichText};

/// How many settings are tried.
pub(super) struct Wanted(usize);

impl Default for Wanted {
    fn default() -> Self {
        Self(9)
    }
}

impl TrainPane {
    /// Below the button that starts a run. `can`: whether one could start now.
    pub(super) fn search_start(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, can: bool) {
        ui.horizontal(|ui| {
            let help = cx.t(
                "Tries learning rates, epochs and frozen layers around these settings as so many runs; the worse ones are given up early",
            );
            if ui.add_enabled(can, egui::Button::new(cx.t("Search for settings"))).on_hover_text(help).clicked() {
                cx.send(Command::StartSearch { config: Box::new(self.setup.config.clone()), trials: self.wanted.0 });
                self.page = super::Page::Run;
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let label = ui.label(RichText::new(cx.t("trials")).color(theme::palette(ui).weak).small());
                ui.add(DragValue::new(&mut self.wanted.0).range(2..=50).speed(0.05)).labelled_by(label.id).on_hover_text(help);
            });
        });
    }
}

/// The trials, the best first at the end.
pub(super) fn ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, search: &SearchView) {
    let palette = theme::palette(ui);
    let begun = search.trials.len();
    let title = match (&search.best, search.is_going_on) {
        (Some(best), _) => cx.tf("Search ended: {} has the best settings", &[&run_name(cx, best)]),
        (None, true) => cx.tf("Search: trial {} of {}", &[&begun, &search.wanted]),
        (None, false) => cx.t("Search ended before its time").to_owned(),
    };
    egui::CollapsingHeader::new(RichText::new(title).strong()).id_salt("train-search").default_open(true).show(ui, |ui| {
        egui::Grid::new("search-trials").striped(true).spacing(egui::vec2(14.0, 4.0)).show(ui, |ui| {
            for (name, is_figure) in
                [(cx.t("Run"), false), (cx.t("Settings"), false), (cx.t("Epochs"), true), (cx.t("Dev"), true), ("", false)]
            {
                let name = RichText::new(name).color(palette.weak).small();
                if is_figure { right(ui, |ui| ui.label(name)) } else { _ = ui.label(name) }
            }
            ui.end_row();
            for trial in &search.trials {
                row(ui, cx, search, trial);
            }
        });
    });
    ui.add_space(8.0);
}

fn row(ui: &mut egui::Ui, cx: &mut Cx<'_>, search: &SearchView, trial: &TrialView) {
    let palette = theme::palette(ui);
    let is_best = search.best.as_ref() == Some(&trial.run);
    let name = RichText::new(run_name(cx, &trial.run));
    let button = egui::Button::new(if is_best { name.strong() } else { name }).frame_when_inactive(false);
    if ui.add_enabled(!search.is_going_on, button).clicked() {
        cx.send(Command::ShowRun(trial.run.clone()));
    }
    let settings: Vec<String> = trial.settings.iter().map(|setting| format!("{} {}", setting.key, setting.second)).collect();
    ui.label(if settings.is_empty() { cx.t("as given").to_owned() } else { settings.join(", ") });
    right(ui, |ui| ui.label(cx.tf("{} of {}", &[&super::progress::epoch(trial.epochs), &trial.of_epochs])));
    right(ui, |ui| ui.label(if trial.score.is_nan() { "–".to_owned() } else { two_places(trial.score) }));
    let (words, color) = match trial.state {
        _ if is_best => (cx.t("best"), palette.success),
        TrialState::Learning => (cx.t("training"), palette.accent),
        TrialState::Waiting => (cx.t("waits for the others"), palette.weak),
        TrialState::Ended => (cx.t("given up"), palette.weak),
        TrialState::Finished => (cx.t("finished"), palette.success),
    };
    ui.label(RichText::new(words).color(color).small());
    ui.end_row();
}
