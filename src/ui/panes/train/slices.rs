//! Scores of parts of the held-out reviews: by length, by number of aspects, by whether an aspect was ever learnt. Each part
//! opens its reviews.

use super::scores::{open_documents, right};
use super::{group, two_places};
use crate::train::{Report, Slice};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};

/// One score of a part.
type Figure = fn(&Slice) -> Option<f64>;

pub(super) fn ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, report: &Report) {
    let all: [(&str, &str, Figure); 4] = [
        (cx.t("Classes"), cx.t("Macro-F1 of the classes"), |slice| slice.macro_f1),
        (cx.t("Spans"), cx.t("F1 of spans; in the last two rows of aspects alone"), |slice| slice.span_f1.or(slice.opinions.aspect_f1)),
        (cx.t("With polarity"), cx.t("Right boundaries and right polarity, end to end"), |slice| slice.opinions.aspect_polarity_f1),
        (cx.t("Triplets"), cx.t("Pairs with the right polarity"), |slice| slice.opinions.triplet_f1.or(slice.opinions.pair_f1)),
    ];
    let columns: Vec<_> = all.into_iter().filter(|(_, _, figure)| report.slices.iter().any(|slice| figure(slice).is_some())).collect();
    if report.slices.is_empty() || columns.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(12.0);
    group(ui, cx.t("By kind of review"));
    let mut chosen = None;
    egui::Grid::new("slices").striped(true).spacing(egui::vec2(14.0, 5.0)).min_col_width(46.0).show(ui, |ui| {
        ui.label("");
        for (name, help, _) in &columns {
            right(ui, |ui| ui.label(RichText::new(*name).color(palette.weak).small()).on_hover_text(*help));
        }
        right(ui, |ui| ui.label(RichText::new(cx.t("Reviews")).color(palette.weak).small()));
        ui.end_row();
        for slice in &report.slices {
            let (name, help) = words(cx, slice);
            ui.label(&name).on_hover_text(help);
            for (_, _, figure) in &columns {
                right(ui, |ui| ui.label(figure(slice).map_or_else(String::new, two_places)));
            }
            right(ui, |ui| {
                let button = egui::Button::new(slice.docs.len().to_string()).frame_when_inactive(false);
                let response = ui.add(button).accessible_name(format!("{name}: {}", slice.docs.len()));
                let response = response.on_hover_text(cx.t("Click to open them"));
                if response.clicked() {
                    chosen = Some(slice);
                }
                response
            });
            ui.end_row();
        }
    });
    if let Some(slice) = chosen {
        open_documents(cx, &report.held_out, |doc| slice.docs.binary_search(&doc.doc).is_ok());
    }
}

/// The name of a part, and what is in it.
fn words(cx: &Cx<'_>, slice: &Slice) -> (String, &'static str) {
    let by_length = cx.t("A third of the held-out reviews by their number of characters");
    let characters = |name: &str| match slice.characters {
        Some((shortest, longest)) => cx.tf("{}, {} to {} characters", &[&name, &shortest, &longest]),
        None => name.to_owned(),
    };
    match slice.of.as_str() {
        "short" => (characters(cx.t("Short")), by_length),
        "medium" => (characters(cx.t("Medium")), by_length),
        "long" => (characters(cx.t("Long")), by_length),
        "one_aspect" => (cx.t("One aspect").to_owned(), cx.t("Reviews with one marked aspect")),
        "several_aspects" => (cx.t("Several aspects").to_owned(), cx.t("Reviews with more than one marked aspect")),
        "seen_aspects" => (cx.t("Aspects it learnt").to_owned(), cx.t("Aspects whose words are marked in a training review too")),
        "unseen_aspects" => (cx.t("New aspects").to_owned(), cx.t("Aspects whose words are marked in no training review")),
        other => (other.to_owned(), ""),
    }
}
