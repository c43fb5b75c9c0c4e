//! Scores of the questions beside the main one: a table of labels with their thresholds, or how near numbers come.

use super::scores::{open_documents, right, table};
use super::{group, two_places};
use crate::train::{Interval, QuestionScores, Report, Score, Scores};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};

/// `of`: of which weights the scores are.
pub(super) fn ui(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    scores: &Scores,
    of: &str,
    (report, sure): (Option<&Report>, &dyn Fn(Score) -> Option<Interval>),
) {
    for (at, question) in scores.questions.iter().enumerate().filter(|(_, question)| question.examples > 0) {
        ui.add_space(12.0);
        ui.push_id(("question-scores", at), |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 28.0;
                let title = format!("{} ({of})", question.name);
                if !question.per_label.is_empty() {
                    ui.vertical(|ui| table(ui, cx, "labels", &title, &question.per_label, |label| sure(Score::LabelF1(at as u16, label))));
                }
                ui.vertical(|ui| {
                    group(ui, if question.per_label.is_empty() { &title } else { cx.t("All labels together") });
                    figures(ui, cx, question);
                    if let Some(report) = report {
                        open_wrong(ui, cx, at, question, report);
                    }
                });
            });
        });
    }
}

/// Name, help and value of each score.
fn rows(cx: &Cx<'_>, question: &QuestionScores) -> [(&'static str, &'static str, Option<f64>); 6] {
    [
        (cx.t("macro-F1"), cx.t("The mean F1 of the labels that occur"), question.macro_f1),
        (cx.t("micro-F1"), cx.t("F1 of all answers together: common labels count for more"), question.micro_f1),
        (cx.t("All right"), cx.t("Share of the reviews with exactly the right labels"), question.exact),
        (
            cx.t("Correlation (Pearson)"),
            cx.t("1: the numbers rise and fall with the right ones, in a line; 0: they do not"),
            question.pearson,
        ),
        (cx.t("Correlation of ranks (Spearman)"), cx.t("1: the order is right, whatever the distances"), question.spearman),
        (cx.t("Mean distance"), cx.t("How far a number is from the right one, on average"), question.mae),
    ]
}

fn figures(ui: &mut egui::Ui, cx: &Cx<'_>, question: &QuestionScores) {
    let palette = theme::palette(ui);
    egui::Grid::new("figures").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        for (name, help, value) in rows(cx, question) {
            let Some(value) = value else { continue };
            ui.label(name).on_hover_text(help);
            right(ui, |ui| ui.strong(two_places(value)).on_hover_text(help));
            ui.end_row();
        }
        ui.label(RichText::new(cx.t("Reviews")).color(palette.weak));
        right(ui, |ui| ui.label(question.examples.to_string()));
        ui.end_row();
        let tuned: Vec<String> =
            question.per_label.iter().zip(&question.thresholds).map(|(label, from)| format!("{} {from:.2}", label.name)).collect();
        if question.thresholds.iter().any(|threshold| *threshold != 0.5) {
            ui.label(RichText::new(cx.t("Thresholds")).color(palette.weak))
                .on_hover_text(cx.t("A label is said from this probability on: where its F1 on the dev reviews was highest"));
            right(ui, |ui| ui.label(RichText::new(cx.t("on hover")).color(palette.weak).small()).on_hover_text(tuned.join("\n")));
            ui.end_row();
        }
    });
}

/// The way to the reviews whose labels are not all right.
fn open_wrong(ui: &mut egui::Ui, cx: &mut Cx<'_>, at: usize, question: &QuestionScores, report: &Report) {
    let is_wrong = |doc: &crate::train::HeldOut| doc.questions.get(at).and_then(|outcome| outcome.is_right()) == Some(false);
    let count = report.held_out.iter().filter(|doc| is_wrong(doc)).count();
    if question.per_label.is_empty() || count == 0 {
        return;
    }
    ui.add_space(4.0);
    if ui.button(cx.tf("Open the {} with a wrong label", &[&count])).clicked() {
        open_documents(cx, &report.held_out, is_wrong);
    }
}
