//! Train: what a run will do on the left; how the run shown goes on the right.

mod compare;
mod curves;
mod examples;
mod export;
mod opinions;
mod plot;
mod progress;
mod questions;
mod ready;
mod runs;
mod scores;
mod search;
mod setup;
mod slices;
mod trust;

pub use export::RunFile;
pub use setup::setting_words;

use crate::desk::RunView;
use crate::train::{ErrorGroup, Uncertainty};
use crate::ui::{Cx, theme};
use eframe::egui;
use std::sync::Arc;

/// The state of the place.
#[derive(Default)]
pub struct TrainPane {
    setup: setup::Setup,
    ready: ready::Ready,
    page: Page,
    wanted: search::Wanted,
    curves: curves::Chosen,
    table: runs::Table,
    examples: examples::Examples,
    /// The run that a person is asked about before it is deleted.
    deleting: Option<String>,
    /// Of the report of the run with this id.
    uncertainty: Option<(String, Arc<Uncertainty>)>,
    /// Likewise.
    errors: Option<(String, Vec<ErrorGroup>)>,
}

/// What stands on the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    /// The run shown.
    #[default]
    Run,
    /// All runs.
    Runs,
    /// Two runs side by side.
    Compare,
}

const SETUP_WIDTH: f32 = 324.0;

impl TrainPane {
    pub fn ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        if cx.desk.project().is_none() {
            ui.centered_and_justified(|ui| ui.weak(cx.t("Open a project to train a model")));
            return;
        }
        self.ready.refresh(cx.desk, &self.setup.config);
        let palette = theme::palette(ui);
        let side = egui::Frame::NONE.fill(palette.panel).inner_margin(egui::Margin::symmetric(14, 10));
        egui::Panel::left("train-setup").exact_size(SETUP_WIDTH).resizable(false).frame(side).show(ui, |ui| self.left(ui, cx));
        let ground = egui::Frame::NONE.fill(palette.ground).inner_margin(egui::Margin::symmetric(18, 12));
        egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| self.right(ui, cx));
        self.ask_before_deleting(ui, cx);
    }

    fn left(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        // The button stays in sight however long the column is.
        egui::Panel::bottom("train-start")
            .resizable(false)
            .frame(egui::Frame::NONE.inner_margin(egui::Margin { top: 8, ..Default::default() }))
            .show(ui, |ui| self.start(ui, cx));
        egui::CentralPanel::no_frame().show(ui, |ui| {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - 10.0);
                self.ready.ui(ui, cx);
                ui.add_space(12.0);
                self.setup.ui(ui, cx);
            });
        });
    }

    fn start(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        let busy = cx.desk.is_training();
        let missing = self.ready.missing(cx);
        let reason = if busy { Some(cx.t("A run is going on").to_owned()) } else { missing };
        let hint = match &reason {
            Some(reason) => reason.clone(),
            None => self.ready.estimate(cx, &self.setup.config),
        };
        let color = if reason.is_some() && !busy { palette.warning } else { palette.weak };
        ui.label(egui::RichText::new(&hint).color(color).small());
        ui.add_space(4.0);
        let words = egui::RichText::new(cx.t("Start training")).color(palette.on_accent).strong();
        let button = egui::Button::new((egui::Atom::grow(), words, egui::Atom::grow()))
            .fill(palette.accent)
            .min_size(egui::vec2(ui.available_width(), 36.0));
        let response = ui.add_enabled(reason.is_none(), button);
        if response.on_disabled_hover_text(&hint).clicked() {
            cx.send(crate::desk::Command::StartTraining(Box::new(self.setup.config.clone())));
            self.page = Page::Run;
        }
        self.search_start(ui, cx, reason.is_none());
        ui.add_space(4.0);
    }

    fn right(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let desk = cx.desk;
        if desk.runs().is_empty() && desk.run_view().is_none() {
            return self.nothing_yet(ui, cx);
        }
        self.pages(ui, cx);
        match (self.page, desk.run_view()) {
            (Page::Run, Some(view)) => self.run_page(ui, cx, view),
            (Page::Compare, _) => self.compare_page(ui, cx),
            (Page::Run, None) | (Page::Runs, _) => self.runs_page(ui, cx),
        }
    }

    /// The tabs above what is shown.
    fn pages(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.horizontal(|ui| {
            if let Some(view) = cx.desk.run_view() {
                ui.selectable_value(&mut self.page, Page::Run, run_name(cx, &view.id));
            }
            let count = cx.desk.runs().len();
            if ui.selectable_value(&mut self.page, Page::Runs, cx.tf("All runs ({})", &[&count])).clicked() {
                cx.send(crate::desk::Command::LookForRuns);
            }
            if !matches!(cx.desk.comparing(), crate::desk::Comparing::Idle) || self.page == Page::Compare {
                ui.selectable_value(&mut self.page, Page::Compare, cx.t("Comparison"));
            }
        });
        ui.add_space(8.0);
    }

    fn run_page(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        egui::ScrollArea::vertical().id_salt("run-page").auto_shrink(false).show(ui, |ui| {
            // Room for the bar.
            ui.set_max_width(ui.available_width() - 10.0);
            if let Some(search) = cx.desk.search() {
                search::ui(ui, cx, search);
            }
            self.header(ui, cx, view);
            ui.add_space(10.0);
            self.curves(ui, cx, view);
            ui.add_space(14.0);
            self.scores(ui, cx, view);
        });
    }

    fn nothing_yet(&self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        let palette = theme::palette(ui);
        ui.vertical_centered(|ui| {
            ui.add_space(ui.available_height() * 0.3);
            ui.heading(cx.t("No run yet"));
            ui.add_space(6.0);
            ui.set_max_width(440.0);
            let how = cx.t("A run learns from the reviews you labelled and is judged by some that it does not see. Its curves and scores appear here while it goes; labeling can go on.");
            ui.label(egui::RichText::new(how).color(palette.weak));
        });
    }
}

/// "run-0007" as a person reads it.
pub(super) fn run_name(cx: &Cx<'_>, id: &str) -> String {
    match id.rsplit('-').next().and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => cx.tf("Run {}", &[&number]),
        None => id.to_owned(),
    }
}

/// A length of time in words: "45 s", "3 min", "1 h 20 min".
fn duration(cx: &Cx<'_>, seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { 0 };
    match seconds {
        0..100 => cx.tf("{} s", &[&seconds]),
        100..5400 => cx.tf("{} min", &[&((seconds + 30) / 60)]),
        _ => cx.tf("{} h {} min", &[&(seconds / 3600), &(seconds % 3600 / 60)]),
    }
}

/// A score with two places: "0.87".
fn two_places(score: f64) -> String {
    format!("{score:.2}")
}

/// The best of a run in a few words: "macro-F1 0.87 · span F1 0.55".
pub(super) fn short_scores(cx: &Cx<'_>, scores: &crate::train::Scores) -> String {
    let class = scores.macro_f1.map(|f1| cx.tf("macro-F1 {}", &[&two_places(f1)]));
    let spans = scores.span_f1.map(|f1| cx.tf("span F1 {}", &[&two_places(f1)]));
    let triplets = scores.opinions.triplet_f1.map(|f1| cx.tf("triplets {}", &[&two_places(f1)]));
    let aspects = scores.opinions.aspect_polarity_f1.map(|f1| cx.tf("aspects with polarity {}", &[&two_places(f1)]));
    let questions = scores.questions.iter().filter_map(|question| question_score(cx, question, two_places));
    class.into_iter().chain(spans).chain(aspects).chain(triplets).chain(questions).collect::<Vec<_>>().join(" · ")
}

/// The score of a question beside the main one, and what kind it is.
pub(super) fn question_score(cx: &Cx<'_>, question: &crate::train::QuestionScores, said: impl Fn(f64) -> String) -> Option<String> {
    Some(match (question.main(), question.mae) {
        (Some(score), Some(_)) => cx.tf("{}: correlation {}", &[&question.name, &said(score)]),
        (None, Some(mae)) => cx.tf("{}: mean distance {}", &[&question.name, &two_places(mae)]),
        (score, None) => cx.tf("{}: macro-F1 {}", &[&question.name, &said(score?)]),
    })
}

/// The text of a small heading above a group.
fn group(ui: &mut egui::Ui, words: &str) {
    ui.label(egui::RichText::new(words).strong());
    ui.add_space(2.0);
}

/// Whether anything can be shown of a run yet.
fn has_steps(view: &RunView) -> bool {
    view.last_step.is_some() || !view.evaluations.is_empty()
}
