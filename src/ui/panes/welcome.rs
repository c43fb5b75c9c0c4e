//! Welcome: what there is to open when nothing is.

use crate::desk::Command;
use crate::ui::keys::Action;
use crate::ui::{Cx, theme};
use eframe::egui::{self, Align, Layout, RichText, Ui, vec2};
use std::path::PathBuf;

/// Draws the welcome; answers what was clicked.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) -> Option<Action> {
    let mut asked = None;
    let palette = theme::palette(ui);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let width = 520.0_f32.min(ui.available_width() - 48.0);
        ui.add_space((ui.available_height() * 0.16).clamp(24.0, 200.0));
        ui.horizontal(|ui| {
            ui.add_space(((ui.available_width() - width) / 2.0).max(24.0));
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(width);
                ui.label(RichText::new("Gloss").size(32.0).strong());
                let words = cx.t("Label reviews by hand, train a model on them, see what it learned");
                ui.label(RichText::new(words).size(16.0).color(palette.weak));
                ui.add_space(16.0);
                ui.horizontal_wrapped(|ui| {
                    let size = vec2(0.0, 36.0);
                    if ui.add(theme::primary_button(ui, cx.t("Open the sample project")).min_size(size)).clicked() {
                        asked = Some(Action::OpenSample);
                    }
                    if ui.add(egui::Button::new(cx.t("New project…")).min_size(size)).clicked() {
                        asked = Some(Action::NewProject);
                    }
                    if ui.add(egui::Button::new(cx.t("Open…")).min_size(size)).clicked() {
                        asked = Some(Action::OpenProject);
                    }
                });
                ui.add_space(8.0);
                ui.label(
                    RichText::new(cx.t("Or drop a table of reviews here: CSV, TSV, JSON Lines, Parquet or plain text")).color(palette.weak),
                );
                recent_ui(ui, cx);
            });
        });
        ui.add_space(24.0);
    });
    asked
}

fn recent_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let recent: Vec<PathBuf> = cx.desk.settings().recent.iter().take(8).cloned().collect();
    if recent.is_empty() {
        return;
    }
    ui.add_space(24.0);
    ui.label(RichText::new(cx.t("Recent projects")).strong());
    ui.spacing_mut().item_spacing.y = 2.0;
    for path in recent {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let weak = theme::palette(ui).weak;
        let text = (name, RichText::new(folder).small().color(weak));
        let button = egui::Button::new(text).frame_when_inactive(false).truncate().min_size(vec2(ui.available_width(), 32.0));
        if ui.add(button).on_hover_text(path.display().to_string()).clicked() {
            cx.send(Command::OpenProject(path));
        }
    }
}
