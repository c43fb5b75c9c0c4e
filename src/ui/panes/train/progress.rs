//! The head of the run shown: how far it is, how it can be paused or ended, and what it has learnt.

use super::{TrainPane, duration, has_steps, question_score, run_name, short_scores, two_places};
use crate::desk::{Command, Phase, RunView};
use crate::train::{Interval, Report, Score, Uncertainty, uncertainty};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};
use std::sync::Arc;

impl TrainPane {
    pub(super) fn header(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        let palette = theme::palette(ui);
        ui.horizontal(|ui| {
            ui.label(RichText::new(run_name(cx, &view.id)).heading());
            let (words, color) = match &view.phase {
                Phase::Loading => (cx.t("reading the encoder"), palette.accent),
                Phase::Running => (cx.t("training"), palette.accent),
                Phase::Paused => (cx.t("paused"), palette.warning),
                Phase::Stopping => (cx.t("stopping"), palette.warning),
                Phase::Finished => (cx.t("finished"), palette.success),
                Phase::Cancelled => (cx.t("cancelled"), palette.weak),
                Phase::Interrupted => (cx.t("interrupted"), palette.warning),
                Phase::Failed(_) => (cx.t("failed"), palette.error),
            };
            pill(ui, words, color);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| self.actions(ui, cx, view));
        });
        match &view.phase {
            Phase::Failed(reason) => {
                ui.label(RichText::new(cx.said(reason)).color(palette.error));
            }
            _ if view.is_going_on() => going_on(ui, cx, view),
            _ => {}
        }
        if let Some(report) = &view.report {
            let sure = self.uncertainty_of(view, report);
            ui.label(RichText::new(sentence(cx, report, &sure)).size(16.0));
            ui.label(RichText::new(facts(cx, view, report)).color(palette.weak).small());
        }
        notes(ui, cx, view);
        if let Some(report) = &view.report {
            let sure = self.uncertainty_of(view, report);
            too_few(ui, cx, report, &sure);
        }
    }

    /// What can be done with the run.
    fn actions(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        if view.is_going_on() {
            let can = view.phase != Phase::Stopping;
            let cancel = ui.add_enabled(can, egui::Button::new(cx.t("Cancel")));
            if cancel.on_hover_text(cx.t("End the run and keep nothing")).clicked() {
                cx.send(Command::CancelTraining);
            }
            let has_best = view.best().is_some();
            let stop = ui.add_enabled(can && has_best, egui::Button::new(cx.t("Stop and keep the best")));
            let stop = stop.on_hover_text(cx.t("End the run now with the best weights so far"));
            if stop.on_disabled_hover_text(cx.t("There is nothing to keep before the first evaluation")).clicked() {
                cx.send(Command::StopTraining);
            }
            let paused = view.phase == Phase::Paused;
            let words = if paused { cx.t("Resume") } else { cx.t("Pause") };
            if ui.add_enabled(matches!(view.phase, Phase::Running | Phase::Paused), egui::Button::new(words)).clicked() {
                cx.send(Command::PauseTraining(!paused));
            }
            return;
        }
        if ui.button(cx.t("Delete…")).clicked() {
            self.deleting = Some(view.id.clone());
        }
        let run = cx.desk.runs().iter().find(|run| run.id == view.id);
        if run.is_some_and(|run| run.can_resume) && super::runs::resume_button(ui, cx).clicked() {
            cx.send(Command::ResumeTraining(view.id.clone()));
        }
        if view.report.is_none() || view.phase != Phase::Finished {
            return;
        }
        if ui
            .button(cx.t("Export…"))
            .on_hover_text(cx.t("Write the model as a folder in Hugging Face layout, or as an ONNX file if its name ends in .onnx"))
            .clicked()
        {
            cx.dialogs.open(Wish::ExportModel { run: view.id.clone() });
        }
        // The newest of the other finished runs: what a person wants to know first.
        let other = cx.desk.runs().iter().rev().find(|run| run.id != view.id && run.report.is_some()).map(|run| run.id.clone());
        if let Some(other) = other {
            let help = cx.tf("Says whether it differs from {} by more than chance", &[&run_name(cx, &other)]);
            if ui.button(cx.tf("Compare with {}", &[&run_name(cx, &other)])).on_hover_text(help).clicked() {
                let (first, second) = if other < view.id { (other, view.id.clone()) } else { (view.id.clone(), other) };
                self.compare(cx, first, second);
            }
        }
        let answers = cx.desk.tester().run() == Some(view.id.as_str());
        if answers {
            ui.label(RichText::new(cx.t("used for predictions")).color(theme::palette(ui).success));
        } else if ui.button(cx.t("Use for predictions")).clicked() {
            cx.send(Command::UseRun(Some(view.id.clone())));
        }
    }

    /// Computed once for a report: it takes some milliseconds.
    pub(super) fn uncertainty_of(&mut self, view: &RunView, report: &Report) -> Arc<Uncertainty> {
        match &self.uncertainty {
            Some((id, sure)) if *id == view.id => sure.clone(),
            _ => {
                let sure = Arc::new(uncertainty(&report.held_out, &report.aspects, view.config.seed));
                self.uncertainty = Some((view.id.clone(), sure.clone()));
                sure
            }
        }
    }
}

/// A word on its colour.
pub(super) fn pill(ui: &mut egui::Ui, words: &str, color: egui::Color32) {
    let frame = egui::Frame::NONE.fill(color.gamma_multiply(0.16)).corner_radius(9.0).inner_margin(egui::Margin::symmetric(8, 1));
    frame.show(ui, |ui| ui.label(RichText::new(words).color(color).small()));
}

fn going_on(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView) {
    let palette = theme::palette(ui);
    let share = view.progress();
    let bar = egui::ProgressBar::new(share).fill(palette.accent).desired_height(8.0).corner_radius(4.0);
    ui.scope(|ui| {
        // What is left must be seen on a white ground too.
        ui.visuals_mut().extreme_bg_color = palette.line;
        ui.add(bar).accessible_name(cx.tf("{} % done", &[&format!("{:.0}", share * 100.0)]));
    });
    let mut parts = vec![cx.tf("{} %", &[&format!("{:.0}", share * 100.0)])];
    if let Some(step) = &view.last_step {
        parts.push(cx.tf("epoch {} of {}", &[&format!("{:.1}", step.epoch), &view.config.epochs]));
        parts.push(cx.tf("loss {}", &[&two_places(step.loss)]));
        parts.push(cx.tf("{} tokens/s", &[&format!("{:.0}", step.tokens_per_s)]));
    }
    parts.extend(view.seconds_left().map(|left| cx.tf("{} left", &[&duration(cx, left)])));
    if let Some(best) = view.best() {
        parts.push(cx.tf("best so far: {} after epoch {}", &[&short_scores(cx, &best.scores), &epoch(best.epoch)]));
    }
    ui.label(RichText::new(parts.join("  ·  ")).color(palette.weak).small());
}

/// What the run has learnt, with its uncertainty.
fn sentence(cx: &Cx<'_>, report: &Report, sure: &Uncertainty) -> String {
    let with = |score: f64, interval: Option<Interval>| match interval {
        Some(interval) => format!("{} ± {}", two_places(score), two_places(interval.half_width())),
        None => two_places(score),
    };
    let class = report.scores.macro_f1.map(|f1| cx.tf("macro-F1 {}", &[&with(f1, sure.of(Score::MacroF1))]));
    let spans = report.scores.span_f1.map(|f1| cx.tf("span F1 {}", &[&with(f1, sure.of(Score::SpanF1))]));
    let questions = report
        .scores
        .questions
        .iter()
        .zip(0u16..)
        .filter_map(|(question, at)| question_score(cx, question, |score| with(score, sure.of(Score::LabelsF1(at)))));
    let scores = class.into_iter().chain(spans).chain(questions).collect::<Vec<_>>().join(cx.t(", "));
    // Runs that answer together have no epochs of their own.
    if report.examples == 0 {
        return cx.t("No review was held out by all of these runs: nothing judges them together").to_owned();
    }
    if report.best_step == 0 {
        return cx.tf("{} on {} held-out reviews", &[&scores, &report.examples]);
    }
    cx.tf("{} on {} held-out reviews; best after epoch {}", &[&scores, &report.examples, &epoch(report.best_epoch)])
}

/// The small print below the sentence.
fn facts(cx: &Cx<'_>, view: &RunView, report: &Report) -> String {
    let mut parts = Vec::new();
    parts.extend(report.scores.accuracy.map(|accuracy| cx.tf("accuracy {}", &[&two_places(accuracy)])));
    parts.push(cx.tf("took {}", &[&duration(cx, report.seconds)]));
    if report.real_tokens_per_s > 0.0 {
        parts.push(cx.tf("{} tokens/s", &[&format!("{:.0}", report.real_tokens_per_s)]));
    }
    if let Some(started) = &view.started {
        parts.push(cx.tf("learnt from {} reviews", &[&started.train_examples]));
    }
    if report.scored_on == "test" {
        parts.push(cx.t("judged on the test reviews").to_owned());
    }
    if report.stopped_early {
        parts.push(cx.t("stopped early: no better for a while").to_owned());
    }
    if report.stopped_by_hand {
        parts.push(cx.t("stopped by hand").to_owned());
    }
    parts.push(cx.t("± covers 95 % of redrawings of the held-out reviews").to_owned());
    parts.join("  ·  ")
}

/// Warns where the held-out reviews are so few that most differences between runs are chance.
fn too_few(ui: &mut egui::Ui, cx: &Cx<'_>, report: &Report, sure: &Uncertainty) {
    /// A half width from which on people draw wrong conclusions.
    const WIDE: f64 = 0.04;
    let main = sure.of(Score::MacroF1).or_else(|| sure.of(Score::SpanF1)).or_else(|| sure.of(Score::LabelsF1(0)));
    let Some(half) = main.map(Interval::half_width).filter(|half| *half > WIDE) else { return };
    // Two independent runs differ by more than this in 5 of 100 cases by chance.
    let least = two_places(half * std::f64::consts::SQRT_2);
    let words = cx.tf(
        "Only {} held-out reviews: runs whose scores differ by less than about {} can't be told apart by them",
        &[&report.examples, &least],
    );
    ui.label(RichText::new(words).color(theme::palette(ui).warning).small());
}

/// What the run said of its encoder and data.
fn notes(ui: &mut egui::Ui, cx: &Cx<'_>, view: &RunView) {
    let notes = view.started.as_ref().map_or(&[][..], |started| &started.notes);
    if notes.is_empty() {
        if view.is_going_on() && !has_steps(view) {
            ui.label(RichText::new(cx.t("Curves appear with the first steps")).weak().small());
        }
        return;
    }
    let header = egui::CollapsingHeader::new(RichText::new(cx.tf("Notes ({})", &[&notes.len()])).small()).id_salt("train-notes");
    header.show(ui, |ui| {
        for note in notes {
            ui.label(RichText::new(note).small());
        }
    });
}

/// "4", "2.5".
pub(super) fn epoch(epoch: f64) -> String {
    if (epoch - epoch.round()).abs() < 0.005 { format!("{epoch:.0}") } else { format!("{epoch:.1}") }
}
