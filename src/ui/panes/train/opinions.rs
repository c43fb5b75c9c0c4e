//! Scores of polarity and links, and mistakes by kind, each of which opens its documents.

use super::scores::{open_documents, right};
use super::{TrainPane, group, two_places};
use crate::train::{AttributeScores, ErrorGroup, ErrorKind, LabelScore, OpinionScores, Report, Scores, error_groups};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};

impl TrainPane {
    /// `run` is its id, its scores, and of which weights they are.
    pub(super) fn opinions(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: (&str, &Scores, &str), report: Option<&Report>) {
        /// With less room there are two rows of tables.
        const ONE_ROW: f32 = 1100.0;
        let (id, scores, of) = run;
        let is_wide = ui.available_width() >= ONE_ROW;
        ui.add_space(12.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 28.0;
            if rows(cx, &scores.opinions).iter().any(|(.., score)| score.is_some()) {
                ui.vertical(|ui| table(ui, cx, &cx.tf("Polarity and links ({})", &[&of]), &scores.opinions));
            }
            let Some(report) = report else { return };
            if self.errors.as_ref().is_none_or(|(of, _)| of != id) {
                self.errors = Some((id.to_owned(), error_groups(&report.held_out)));
            }
            if let Some((_, groups)) = &self.errors
                && groups.iter().any(|group| group.count > 0)
            {
                ui.vertical(|ui| errors(ui, cx, groups, report));
            }
            if is_wide {
                trust(ui, cx, report);
            }
        });
        if let Some(report) = report.filter(|_| !is_wide) {
            ui.add_space(12.0);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 28.0;
                trust(ui, cx, report);
            });
        }
    }
}

/// What the probabilities are worth, side by side.
fn trust(ui: &mut egui::Ui, cx: &Cx<'_>, report: &Report) {
    if !report.reliability.is_empty() {
        ui.vertical(|ui| super::trust::reliability(ui, cx, &report.reliability));
    }
    ui.vertical(|ui| super::trust::abstaining(ui, cx, report));
}

/// Name, help and score; the scores of each label stand in a table of their own.
fn rows(cx: &Cx<'_>, scores: &OpinionScores) -> [(&'static str, &'static str, Option<f64>); 5] {
    [
        (cx.t("Aspects with polarity, F1"), cx.t("Right boundaries and right polarity, end to end"), scores.aspect_polarity_f1),
        (
            cx.t("Polarity, accuracy"),
            cx.t("Of marked spans with a polarity, the share whose polarity the model says rightly"),
            scores.polarity_accuracy,
        ),
        (cx.t("Polarity, macro-F1"), cx.t("The mean F1 of the polarities that occur"), scores.polarity_macro_f1),
        (cx.t("Pairs, F1"), cx.t("Aspect and opinion with right boundaries, rightly linked"), scores.pair_f1),
        (cx.t("Triplets, F1"), cx.t("Pairs with the right polarity"), scores.triplet_f1),
    ]
}

fn table(ui: &mut egui::Ui, cx: &Cx<'_>, title: &str, scores: &OpinionScores) {
    group(ui, title);
    egui::Grid::new("opinion-scores").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        for (name, help, score) in rows(cx, scores) {
            let Some(score) = score else { continue };
            ui.label(name).on_hover_text(help);
            right(ui, |ui| ui.strong(two_places(score)).on_hover_text(help));
            ui.end_row();
        }
    });
}

/// Attributes of spans, such as categories: a table of the values of each.
pub(super) fn attributes(ui: &mut egui::Ui, cx: &Cx<'_>, scores: &Scores, of: &str) {
    for (at, attribute) in scores.attributes.iter().enumerate() {
        ui.add_space(12.0);
        ui.push_id(("attribute-scores", at), |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 28.0;
                let title = format!("{} · {} ({of})", attribute.label, attribute.name);
                let used: Vec<LabelScore> = attribute.per_value.iter().filter(|value| value.support > 0).cloned().collect();
                ui.vertical(|ui| super::scores::table(ui, cx, "values", &title, &used, |_| None));
                ui.vertical(|ui| values(ui, cx, attribute));
            });
        });
    }
}

fn values(ui: &mut egui::Ui, cx: &Cx<'_>, attribute: &AttributeScores) {
    group(ui, cx.t("All values together"));
    let rows = [
        (
            cx.t("Accuracy"),
            cx.t("Of marked spans that have a value, the share whose value the model says rightly"),
            Some(attribute.accuracy),
        ),
        (cx.t("Macro-F1"), cx.t("The mean F1 of the values that occur"), Some(attribute.macro_f1)),
        (cx.t("Spans with it, F1"), cx.t("Right boundaries and right value, end to end"), attribute.f1),
    ];
    egui::Grid::new("values-together").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        for (name, help, score) in rows {
            let Some(score) = score else { continue };
            ui.label(name).on_hover_text(help);
            right(ui, |ui| ui.strong(two_places(score)).on_hover_text(help));
            ui.end_row();
        }
    });
}

/// Counts of mistakes; a click opens the reviews they stand in.
fn errors(ui: &mut egui::Ui, cx: &mut Cx<'_>, groups: &[ErrorGroup], report: &Report) {
    let palette = theme::palette(ui);
    group(ui, cx.t("Mistakes in spans and links"));
    let mut chosen = None;
    egui::Grid::new("mistakes").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        for each in groups {
            let (name, help) = error_words(cx, each.kind);
            ui.label(name).on_hover_text(help);
            right(ui, |ui| {
                let figure = cx.tf("{} in {} reviews", &[&each.count, &each.docs.len()]);
                let button = egui::Button::new(figure).frame_when_inactive(false);
                let words = format!("{name}: {}", each.count);
                let response = ui.add_enabled(each.count > 0, button).accessible_name(words).on_hover_text(cx.t("Click to open them"));
                if response.clicked() {
                    chosen = Some(each);
                }
                response
            });
            ui.end_row();
        }
    });
    ui.label(RichText::new(cx.t("A click opens the reviews")).color(palette.weak).small());
    if let Some(chosen) = chosen {
        open_documents(cx, &report.held_out, |doc| chosen.docs.binary_search(&doc.doc).is_ok());
    }
}

fn error_words(cx: &Cx<'_>, kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::Missed => (cx.t("Missed"), cx.t("Marked spans that nothing found touches")),
        ErrorKind::Invented => (cx.t("Invented"), cx.t("Found spans that touch nothing marked")),
        ErrorKind::Boundary => (cx.t("Wrong ends"), cx.t("Found spans that touch a marked one of the same label and have other ends")),
        ErrorKind::Label => (cx.t("Wrong label"), cx.t("Found spans that touch only marked ones of other labels")),
        ErrorKind::Polarity => (cx.t("Wrong polarity"), cx.t("Spans found rightly whose polarity was said wrongly")),
        ErrorKind::Attribute => {
            (cx.t("Wrong attribute"), cx.t("Spans found rightly of which another value was said, such as another category"))
        }
        ErrorKind::Link => (cx.t("Wrong link"), cx.t("Two spans, both found rightly, that were linked wrongly or not at all")),
    }
}
