//! The words that are suggested as spans: a list to take from, and the way to a file of more.

use super::question::title_ui;
use crate::desk::Command;
use crate::project::{LabelId, Project, SchemaChange};
use crate::ui::Cx;
use crate::ui::dialogs::Wish;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{ROW_HEIGHT, palette};
use eframe::egui::{RichText, Ui, vec2};
use std::collections::BTreeSet;

/// So many are shown; a list from a file may be long.
const SHOWN: usize = 100;

/// Draws the section; `true` when the window should give way to the question for a file.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) -> bool {
    let schema = project.schema();
    title_ui(ui, cx, "Words that are suggested", "Wherever they stand, as spans to accept or reject");
    ui.horizontal_wrapped(|ui| {
        for (at, rule) in schema.words.iter().enumerate().take(SHOWN) {
            let hue = schema.span_labels.get(usize::from(rule.label)).map_or(0, |label| label.hue);
            let name = schema.name(LabelId::Span(rule.label)).unwrap_or_default();
            ui.allocate_ui_with_layout(vec2(0.0, ROW_HEIGHT), eframe::egui::Layout::left_to_right(eframe::egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                icons::dot(ui, palette(ui).hue(hue));
                ui.label(&rule.pattern);
                ui.label(RichText::new(name).small().color(palette(ui).weak));
                if icons::icon_button(ui, Icon::Close, &cx.tf("Stop suggesting {}", &[&rule.pattern]), true).clicked() {
                    send(cx, BTreeSet::from([at]));
                }
            });
        }
        if schema.words.len() > SHOWN {
            ui.label(RichText::new(cx.tf("and {} more", &[&(schema.words.len() - SHOWN)])).color(palette(ui).weak));
        }
    });
    let mut asks = false;
    ui.horizontal(|ui| {
        if ui.button(cx.t("Import a word list…")).clicked() {
            cx.dialogs.open(Wish::WordList);
            asks = true;
        }
        if !schema.words.is_empty() && ui.button(cx.t("Remove all words")).clicked() {
            send(cx, (0..schema.words.len()).collect());
        }
    });
    asks
}

fn send(cx: &mut Cx<'_>, places: BTreeSet<usize>) {
    cx.send(Command::ChangeSchema(Box::new(SchemaChange::RemoveWords { places })));
}
