//! Merging a colleague's project: what it comes to, whose answers it holds, yes or no.

use crate::desk::{Command, Merging};
use crate::project::MergeReport;
use crate::ui::{Cx, bars, theme};
use eframe::egui::{self, RichText, TextEdit, Ui};
use std::path::Path;

/// What is typed.
#[derive(Default)]
pub(super) struct MergeCard {
    /// The name for the colleague's answers, once it was changed here.
    name: Option<String>,
}

impl MergeCard {
    /// Draws where a merge stands; nothing while there is none.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        match cx.desk.merging() {
            Merging::Idle => self.name = None,
            Merging::Looking(path) => {
                ui.label(cx.tf("Reading {} and comparing it with this project", &[&bars::file_name(path)]));
                if ui.button(cx.t("Cancel")).clicked() {
                    cx.send(Command::DismissMerge);
                }
            }
            Merging::Ready { path, name, report } => card(ui, |ui| {
                ui.label(RichText::new(cx.tf("Merge {}", &[&bars::file_name(path)])).strong());
                let is_named = self.name_ui(ui, cx, path, name.as_deref());
                report_ui(ui, cx, report);
                ui.horizontal(|ui| {
                    if ui.add_enabled(is_named, theme::primary_button(ui, cx.t("Merge"))).clicked() {
                        cx.send(Command::Merge);
                    }
                    cancel_ui(ui, cx);
                });
            }),
            Merging::Failed { path, name, reason } => card(ui, |ui| {
                ui.label(RichText::new(cx.tf("{} could not be merged", &[&bars::file_name(path)])).strong());
                ui.add(egui::Label::new(RichText::new(cx.said(reason)).color(theme::palette(ui).error)).wrap().selectable(true));
                self.name_ui(ui, cx, path, name.as_deref());
                ui.horizontal(|ui| cancel_ui(ui, cx));
            }),
        }
    }

    /// Whose answers they are, where their project does not say. Whether the name is the one of the report.
    fn name_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, held: Option<&str>) -> bool {
        let Some(held) = held else { return true };
        let name = self.name.get_or_insert_with(|| held.to_owned());
        let mut again = false;
        ui.horizontal(|ui| {
            let label = ui.label(cx.t("The answers are those of"));
            let field = ui.add(TextEdit::singleline(name).desired_width(200.0)).labelled_by(label.id);
            let is_new = !name.trim().is_empty() && name.trim() != held;
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            again = is_new && (ui.button(cx.t("Use this name")).clicked() || entered);
        });
        if again {
            cx.send(Command::PreviewMerge { path: path.to_owned(), name: Some(name.trim().to_owned()) });
        }
        name.trim() == held
    }
}

fn card(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    theme::card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width().min(720.0));
        contents(ui);
    });
}

fn cancel_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    if ui.button(cx.t("Cancel")).clicked() {
        cx.send(Command::DismissMerge);
    }
}

fn report_ui(ui: &mut Ui, cx: &Cx<'_>, report: &MergeReport) {
    let mut lines = vec![cx.tf("{} documents found here, {} new ones", &[&report.matched, &report.added])];
    for (name, layer) in &report.layers {
        lines.push(cx.tf("Answers of {}: {} new, {} changed, {} the same", &[name, &layer.new, &layer.changed, &layer.same]));
        if layer.kept > 0 {
            lines.push(cx.tf("{} of your answers are others there; yours stay", &[&layer.kept]));
        }
    }
    if report.outcomes_left_out > 0 {
        lines.push(cx.tf("{} outcomes stay out: they are settled in one project only", &[&report.outcomes_left_out]));
    }
    if report.comments > 0 {
        lines.push(cx.tf("{} comments come in", &[&report.comments]));
    }
    if !report.new_labels.is_empty() {
        lines.push(cx.tf("New in the schema: {}", &[&report.new_labels.join(", ")]));
    }
    for line in lines {
        ui.add(egui::Label::new(line).wrap());
    }
    let mut conflicts = Vec::new();
    conflicts.extend(report.polarity_differs.iter().map(|label| cx.tf("{} carries a polarity in one of the projects only", &[label])));
    if !report.other_texts.is_empty() {
        let ids: Vec<&str> = report.other_texts.iter().take(5).map(String::as_str).collect();
        conflicts
            .push(cx.tf("{} documents have the id of another text here and stay out: {}", &[&report.other_texts.len(), &ids.join(", ")]));
    }
    if report.guidelines_differ {
        conflicts.push(cx.t("The guidelines differ; yours stay").to_owned());
    }
    for line in conflicts {
        ui.add(egui::Label::new(RichText::new(line).color(theme::palette(ui).warning)).wrap());
    }
}
