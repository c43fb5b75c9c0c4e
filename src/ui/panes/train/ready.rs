//! What there is to learn from: counts of each label, what is missing, and how long a run will take.

use super::{duration, group};
use crate::desk::Desk;
use crate::project::{Question, Schema, Split};
use crate::train::{ModelChoice, Readiness, TrainConfig, TrainData, estimate_seconds, rough_length};
use crate::ui::labels::question::kind_words;
use crate::ui::widgets::bars::{Bar, bar};
use crate::ui::{Cx, theme};
use eframe::egui;

/// Counts of one revision of the project.
#[derive(Default)]
pub(super) struct Ready {
    key: Option<Key>,
    counts: Readiness,
    /// Whether any document carries a span: otherwise spans are not taught.
    teaches_spans: bool,
    /// Questions beside the main one that somebody answered.
    asked: Vec<String>,
    train_lengths: Vec<usize>,
    held_out_lengths: Vec<usize>,
}

#[derive(PartialEq)]
struct Key {
    project: std::path::PathBuf,
    revision: u64,
    seed: u64,
    dev_share: f64,
}

/// What two cores manage with the shipped encoder's twelve layers and short reviews, in tokens a second, before a run has
/// told (`benches/README.md`).
const FIRST_GUESS: f64 = 600.0;
/// What two cores manage with a network without pretraining of the default size, in words a second.
const FIRST_GUESS_SCRATCH: f64 = 15_000.0;
/// A class with fewer training reviews than this is pointed out.
const FEW: usize = 8;
const SHIPPED_LAYERS: f64 = 12.0;

impl Ready {
    /// Counts anew when the project or the split has changed.
    pub(super) fn refresh(&mut self, desk: &Desk, config: &TrainConfig) {
        let (Some(project), Some(path)) = (desk.project(), desk.path()) else { return };
        let key = Key { project: path.to_owned(), revision: project.revision(), seed: config.dealing_seed(), dev_share: config.dev_share };
        if self.key.as_ref() == Some(&key) {
            return;
        }
        let mut data = TrainData::of(project, config.dealing_seed(), config.dev_share);
        if !desk.conversations().is_empty() {
            // They are held out as a whole.
            data.join_conversations(project, 0, (config.dealing_seed(), config.dev_share));
        }
        let lengths = |of_train: bool| {
            let chosen = data.examples.iter().filter(|example| (example.split == Split::Train) == of_train);
            chosen.map(|example| rough_length(&example.text)).collect()
        };
        (self.train_lengths, self.held_out_lengths) = (lengths(true), lengths(false));
        self.teaches_spans = !data.span_labels.is_empty();
        self.asked = data.questions.iter().map(|question| question.name.clone()).collect();
        self.counts = data.readiness();
        self.key = Some(key);
    }

    /// Counts of each class and span label.
    pub(super) fn ui(&self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        ui.scope(|ui| self.counts_ui(ui, cx));
    }

    fn counts_ui(&self, ui: &mut egui::Ui, cx: &Cx<'_>) {
        let Some(project) = cx.desk.project() else { return };
        let palette = theme::palette(ui);
        let schema = project.schema();
        group(ui, cx.t("What there is to learn from"));
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.label(
            egui::RichText::new(cx.tf("{} labelled reviews, {} more held out to judge by", &[&self.counts.train, &self.counts.held_out]))
                .color(palette.weak)
                .small(),
        );
        ui.add_space(2.0);
        let most = self.counts.per_class.iter().max().copied().unwrap_or(0);
        if let Some((_, question)) = schema.main_question() {
            for (class, count) in question.classes.iter().zip(&self.counts.per_class) {
                count_bar(ui, &class.name, *count, most, palette.hue(class.hue));
            }
            let rarest = question.classes.iter().zip(&self.counts.per_class).min_by_key(|(_, count)| **count);
            if let Some((class, count)) = rarest.filter(|(_, count)| self.counts.can_start() && **count < FEW) {
                let words = if *count == 0 {
                    cx.tf("{} has none: the model will never answer it", &[&class.name])
                } else {
                    cx.tf("{} has only {}: it will hardly be learnt", &[&class.name, count])
                };
                ui.label(egui::RichText::new(words).color(palette.warning).small());
            }
        }
        for (name, count) in self.asked.iter().zip(&self.counts.per_question) {
            ui.label(egui::RichText::new(cx.tf("{}: {} answers", &[name, count])).color(palette.weak).small());
        }
        left_out_ui(ui, cx, schema, &self.asked);
        if !self.teaches_spans {
            if !schema.span_labels.is_empty() && self.asked.is_empty() {
                ui.label(egui::RichText::new(cx.t("No spans are marked: the run learns classes only")).color(palette.weak).small());
            }
            return;
        }
        ui.add_space(4.0);
        let most = self.counts.per_span_label.iter().max().copied().unwrap_or(0);
        for (label, count) in schema.span_labels.iter().zip(&self.counts.per_span_label) {
            count_bar(ui, &label.name, *count, most, palette.hue(label.hue));
        }
    }

    /// Why a run can't start, in words; `None` when it can.
    pub(super) fn missing(&self, cx: &Cx<'_>) -> Option<String> {
        if self.counts.can_start() {
            return None;
        }
        let Readiness { per_class, train, held_out, .. } = &self.counts;
        let mut parts = Vec::new();
        let project = cx.desk.project();
        let own = project.map_or(0, |project| project.documents().filter(|doc| !doc.layers.is_empty()).count());
        if *train == 0 && own > 0 {
            // What annotators said one by one is not what trains.
            return Some(cx.tf(
                "{} documents have answers of annotators, but none is settled: compare them in Label ({})",
                &[&own, &crate::ui::keys::name_of(crate::ui::keys::Action::Compare)],
            ));
        }
        if *train < Readiness::MIN_TRAIN {
            parts.push(cx.tf("{} labelled reviews; {} are needed", &[train, &Readiness::MIN_TRAIN]));
        } else if *held_out == 0 {
            parts.push(cx.t("no review is held out to judge by: label a few more").to_owned());
        } else {
            parts.push(cx.t("all reviews have the same class: label a second one").to_owned());
        }
        if let Some((_, question)) = cx.desk.project().and_then(|project| project.schema().main_question()) {
            let empty: Vec<&str> =
                question.classes.iter().zip(per_class).filter(|(_, n)| **n == 0).map(|(class, _)| class.name.as_str()).collect();
            match empty.as_slice() {
                [] => {}
                [one] => parts.push(cx.tf("{} has none", &[one])),
                many => parts.push(cx.tf("{} have none", &[&many.join(", ")])),
            }
        }
        Some(parts.join(cx.t("; ")))
    }

    /// How long a run with these settings will take.
    pub(super) fn estimate(&self, cx: &Cx<'_>, config: &TrainConfig) -> String {
        let is_scratch = config.model != ModelChoice::Encoder;
        let layers = |n: usize| {
            if is_scratch {
                1.0
            } else if n == 0 {
                SHIPPED_LAYERS
            } else {
                n as f64
            }
        };
        let alike = |run: &TrainConfig| run.model == config.model && (is_scratch || run.encoder == config.encoder);
        let measured = cx.desk.runs().iter().rev().find_map(|run| {
            let report = run.report.as_ref().filter(|_| alike(&run.config))?;
            Some(report.real_tokens_per_s * layers(run.config.layers))
        });
        let guess = if is_scratch { FIRST_GUESS_SCRATCH } else { FIRST_GUESS * SHIPPED_LAYERS };
        let pace = measured.unwrap_or(guess) / layers(config.layers);
        // Reviews with other terms or words in them are read like others.
        let read = 1.0 + config.augment + if self.teaches_spans { config.span_swaps } else { 0.0 };
        let seconds = estimate_seconds(&self.train_lengths, &self.held_out_lengths, config, pace / read);
        cx.tf("Takes about {}; you can go on labeling", &[&duration(cx, seconds)])
    }
}

/// Says which questions a run does not learn: texts, a second one with one class, and what nobody answered.
fn left_out_ui(ui: &mut egui::Ui, cx: &Cx<'_>, schema: &Schema, asked: &[String]) {
    let main = schema.main_question().map(|(id, _)| id);
    let others = schema.questions().filter(|(id, question)| Some(*id) != main && !asked.contains(&question.name));
    let named = |(_, question): (_, &Question)| format!("{} ({})", question.name, cx.t(kind_words(question.kind)));
    let names: Vec<String> = others.map(named).collect();
    if !names.is_empty() {
        ui.add_space(2.0);
        let words = cx.tf("Not learnt by a run: {}", &[&names.join(", ")]);
        ui.label(egui::RichText::new(words).color(theme::palette(ui).warning).small());
    }
}

fn count_bar(ui: &mut egui::Ui, name: &str, count: usize, most: usize, hue: egui::Color32) {
    let share = if most == 0 { 0.0 } else { count as f32 / most as f32 };
    bar(ui, 104.0, &Bar { name, share, figure: &count.to_string(), hue, strong: count > 0 });
}
