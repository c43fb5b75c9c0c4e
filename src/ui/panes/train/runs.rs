//! The runs of the project, newest first.

use super::{TrainPane, group, run_name, short_scores};
use crate::desk::{Command, RunStatus, RunSummary};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, Role, Sense, WidgetInfo, vec2};

impl TrainPane {
    pub(super) fn run_list(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        group(ui, cx.t("Runs"));
        let desk = cx.desk;
        if desk.runs().is_empty() && desk.run_view().is_none() {
            ui.label(RichText::new(cx.t("None yet")).color(palette.weak));
            return;
        }
        for run in desk.runs().iter().rev() {
            ui.push_id(&run.id, |ui| self.run_row(ui, cx, run));
        }
    }

    fn run_row(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: &RunSummary) {
        let palette = theme::palette(ui);
        let shown = cx.desk.run_view().is_some_and(|view| view.id == run.id);
        let answers = cx.desk.tester().run() == Some(run.id.as_str());
        let name = run_name(cx, &run.id);
        let status = status(cx, run);
        let height = ui.text_style_height(&egui::TextStyle::Body) + ui.text_style_height(&egui::TextStyle::Small) + 14.0;
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, shown, format!("{name}: {status}")));
        let fill = match (shown, response.hovered()) {
            (true, _) => palette.accent.gamma_multiply(0.18),
            (false, true) => palette.raised,
            _ => egui::Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, 5.0, fill);
        if response.has_focus() {
            ui.painter().rect_stroke(rect, 5.0, egui::Stroke::new(2.0, palette.accent), egui::StrokeKind::Inside);
        }
        let inner = rect.shrink2(vec2(8.0, 4.0));
        let mut row = ui.new_child(egui::UiBuilder::new().max_rect(inner).layout(egui::Layout::top_down(egui::Align::Min)));
        row.spacing_mut().item_spacing.y = 2.0;
        row.spacing_mut().interact_size.y = 0.0;
        row.horizontal(|ui| {
            // The row answers to the pointer, not its words.
            ui.add(egui::Label::new(RichText::new(&name).strong()).selectable(false));
            ui.add(egui::Label::new(RichText::new(ago(cx, run.started_ms)).color(palette.weak).small()).selectable(false));
            if answers {
                ui.add(egui::Label::new(RichText::new(cx.t("answers")).color(palette.success).small()).selectable(false));
            }
        });
        let color = if matches!(run.status, RunStatus::Failed(_)) { palette.error } else { palette.weak };
        row.add(egui::Label::new(RichText::new(&status).color(color).small()).selectable(false).truncate());
        if response.clicked() {
            cx.send(Command::ShowRun(run.id.clone()));
        }
        let response = if cx.desk.is_training() && !shown {
            response.on_hover_text(cx.t("Can be looked at when the run going on has ended"))
        } else {
            response.on_hover_text(&status)
        };
        response.context_menu(|ui| self.menu(ui, cx, run));
    }

    fn menu(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: &RunSummary) {
        let finished = run.report.is_some();
        if ui.add_enabled(finished, egui::Button::new(cx.t("Use for predictions"))).clicked() {
            cx.send(Command::UseRun(Some(run.id.clone())));
            ui.close();
        }
        if ui.add_enabled(finished, egui::Button::new(cx.t("Export…"))).clicked() {
            cx.dialogs.open(Wish::ExportModel { run: run.id.clone() });
            ui.close();
        }
        if run.can_resume && resume_button(ui, cx).clicked() {
            cx.send(Command::ResumeTraining(run.id.clone()));
            ui.close();
        }
        if ui.add_enabled(run.status != RunStatus::Running, egui::Button::new(cx.t("Delete…"))).clicked() {
            self.deleting = Some(run.id.clone());
            ui.close();
        }
    }

    pub(super) fn ask_before_deleting(&mut self, ui: &egui::Ui, cx: &mut Cx<'_>) {
        let Some(run) = self.deleting.clone() else { return };
        let mut decided = false;
        let modal = theme::modal(ui.ctx(), "train-delete").show(ui.ctx(), |ui| {
            ui.set_max_width(380.0);
            ui.heading(cx.tf("Delete {}?", &[&run_name(cx, &run)]));
            ui.label(cx.t("Its weights, curves and predictions are removed from the disk. This can't be undone."));
            ui.add_space(10.0);
            ui.horizontal(|ui| {
                let words = RichText::new(cx.t("Delete")).color(theme::palette(ui).error);
                if ui.button(words).clicked() {
                    cx.send(Command::DeleteRun(run.clone()));
                    decided = true;
                }
                decided |= ui.button(cx.t("Keep")).clicked();
            });
        });
        if decided || modal.should_close() {
            self.deleting = None;
        }
    }
}

/// Goes on with a run that ended before its time; not while another one is going on.
pub(super) fn resume_button(ui: &mut egui::Ui, cx: &Cx<'_>) -> egui::Response {
    let button = ui.add_enabled(!cx.desk.is_training(), egui::Button::new(cx.t("Continue")));
    button.on_hover_text(cx.t("Goes on where the run was left, with its own reviews and settings"))
}

/// How the run stands, in a line.
fn status(cx: &Cx<'_>, run: &RunSummary) -> String {
    match (&run.status, &run.report) {
        (_, Some(report)) => short_scores(cx, &report.scores),
        (RunStatus::Failed(reason), _) if run.can_resume => cx.tf("failed, can be continued: {}", &[reason]),
        (RunStatus::Interrupted, _) if run.can_resume => cx.t("interrupted: can be continued").to_owned(),
        (RunStatus::Failed(reason), _) => cx.tf("failed: {}", &[reason]),
        (RunStatus::Running, _) => cx.t("going on").to_owned(),
        (RunStatus::Interrupted, _) => cx.t("interrupted: the program ended").to_owned(),
        (RunStatus::Cancelled | RunStatus::Finished, _) => cx.t("cancelled").to_owned(),
    }
}

/// How long ago, roughly.
fn ago(cx: &Cx<'_>, then_ms: i64) -> String {
    let minutes = (cx.desk.now() - then_ms).max(0) / 60_000;
    match minutes {
        0 => cx.t("just now").to_owned(),
        1..60 => cx.tf("{} min ago", &[&minutes]),
        60..1440 => cx.tf("{} h ago", &[&(minutes / 60)]),
        _ => cx.tf("{} days ago", &[&(minutes / 1440)]),
    }
}
