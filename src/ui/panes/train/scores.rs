//! Scores of each label, and the confusion matrix whose cells open their documents.

use super::curves::open;
use super::progress::epoch;
use super::{TrainPane, group, slices, two_places};
use crate::desk::RunView;
use crate::train::{HeldOut, Interval, LabelScore, Report, Score, Scores};
use crate::ui::widgets::confusion::Confusion;
use crate::ui::{Cx, theme};
use eframe::egui::{self, Align, Layout, RichText};

impl TrainPane {
    pub(super) fn scores(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView) {
        let (scores, of): (&Scores, String) = match (&view.report, view.evaluations.last()) {
            (Some(report), _) => (&report.scores, cx.t("best weights").to_owned()),
            (None, Some(last)) => (&last.scores, cx.tf("after epoch {}", &[&epoch(last.epoch)])),
            (None, None) => return,
        };
        let report = view.report.as_ref();
        let sure = report.map(|report| self.uncertainty_of(view, report));
        let sure = |score: Score| sure.as_ref().and_then(|sure| sure.of(score));
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 28.0;
            ui.vertical(|ui| {
                if !scores.per_class.is_empty() {
                    table(ui, cx, "classes", &cx.tf("Classes ({})", &[&of]), &scores.per_class, |at| sure(Score::ClassF1(at)));
                    ui.add_space(12.0);
                }
                if !scores.per_span_label.is_empty() {
                    table(ui, cx, "spans", &cx.tf("Spans ({})", &[&of]), &scores.per_span_label, |at| sure(Score::SpanLabelF1(at)));
                }
            });
            if !scores.confusion.is_empty() {
                ui.vertical(|ui| confusion(ui, cx, scores, report));
            }
        });
        super::questions::ui(ui, cx, scores, &of, (report, &sure));
        self.opinions(ui, cx, (&view.id, scores, &of), report);
        super::opinions::attributes(ui, cx, scores, &of);
        if let Some(report) = report {
            self.examples(ui, cx, view, report);
            slices::ui(ui, cx, report);
        }
    }
}

/// `interval` is that of the F1 of the label at a place.
pub(super) fn table(
    ui: &mut egui::Ui,
    cx: &Cx<'_>,
    id: &str,
    title: &str,
    rows: &[LabelScore],
    interval: impl Fn(u16) -> Option<Interval>,
) {
    let palette = theme::palette(ui);
    group(ui, title);
    let heads = [
        (cx.t("Precision"), cx.t("Of what the model gave this label, the share that is right")),
        (cx.t("Recall"), cx.t("Of what really has this label, the share that the model found")),
        (cx.t("F1"), cx.t("The harmonic mean of precision and recall")),
        (cx.t("Count"), cx.t("How often the label really occurs in the held-out reviews")),
    ];
    egui::Grid::new(("scores", id)).striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        ui.label("");
        for (name, help) in heads {
            right(ui, |ui| ui.label(RichText::new(name).color(palette.weak).small()).on_hover_text(help));
        }
        ui.end_row();
        for (row, at) in rows.iter().zip(0..) {
            ui.label(&row.name);
            let figures = [two_places(row.precision), two_places(row.recall)];
            for figure in figures {
                right(ui, |ui| ui.label(figure));
            }
            right(ui, |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                // From right to left.
                if let Some(interval) = interval(at) {
                    let words = format!("± {}", two_places(interval.half_width()));
                    let help = cx.tf(
                        "95 % of redrawings of the held-out reviews lie between {} and {}",
                        &[&two_places(interval.low), &two_places(interval.high)],
                    );
                    ui.label(RichText::new(words).color(palette.weak).small()).on_hover_text(help);
                }
                ui.strong(two_places(row.f1))
            });
            right(ui, |ui| ui.label(row.support.to_string()));
            ui.end_row();
        }
    });
}

pub(super) fn right(ui: &mut egui::Ui, add: impl FnOnce(&mut egui::Ui) -> egui::Response) {
    ui.with_layout(Layout::right_to_left(Align::Center), add);
}

fn confusion(ui: &mut egui::Ui, cx: &mut Cx<'_>, scores: &Scores, report: Option<&Report>) {
    let palette = theme::palette(ui);
    group(ui, cx.t("Which class is taken for which"));
    let names: Vec<String> = scores.per_class.iter().map(|score| score.name.clone()).collect();
    let can_open = report.is_some_and(|report| !report.held_out.is_empty());
    let describe = |gold: &str, predicted: &str, count: u32| {
        let words = if gold == predicted {
            cx.tf("{} reviews are {} and were answered so", &[&count, &gold])
        } else {
            cx.tf("{} reviews are {}, the model said {}", &[&count, &gold, &predicted])
        };
        if can_open && count > 0 { format!("{words}\n{}", cx.t("Click to open them")) } else { words }
    };
    let matrix = Confusion {
        names: &names,
        counts: &scores.confusion,
        gold: cx.t("really"),
        predicted: cx.t("said by the model"),
        active: can_open,
        describe: &describe,
    };
    let scroll = egui::ScrollArea::horizontal().id_salt("confusion");
    let clicked = scroll.show(ui, |ui| matrix.show(ui)).inner;
    if can_open {
        ui.label(RichText::new(cx.t("A click on a cell opens its reviews")).color(palette.weak).small());
    }
    if let (Some((gold, predicted)), Some(report)) = (clicked, report) {
        open_documents(cx, &report.held_out, |doc| doc.gold_class == Some(gold) && doc.class == Some(predicted));
    }
}

/// Shows these held-out documents in the place where documents are labelled.
pub(super) fn open_documents(cx: &mut Cx<'_>, held_out: &[HeldOut], wanted: impl Fn(&HeldOut) -> bool) {
    let docs: Vec<u32> = held_out.iter().filter(|doc| wanted(doc)).map(|doc| doc.doc).collect();
    open(cx, &docs);
}
