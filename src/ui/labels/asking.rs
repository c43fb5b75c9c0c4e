//! Asks before a change touches what people said, with the numbers.

use crate::project::{LabelId, Plan, SchemaChange};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, vec2};

/// A change that waits for a yes.
pub(super) struct Asking {
    pub change: SchemaChange,
    answers: usize,
    spans: usize,
    links: usize,
    polarities: usize,
}

impl Asking {
    pub fn new(change: SchemaChange, plan: &Plan) -> Self {
        let Plan { answers, spans, links, polarities, .. } = *plan;
        Self { change, answers, spans, links, polarities }
    }

    /// Draws the question; yes, no, or nothing yet.
    pub fn ui(&self, ctx: &egui::Context, cx: &Cx<'_>) -> Option<bool> {
        let schema = cx.desk.project()?.schema();
        let name = |label: LabelId| schema.name(label).unwrap_or_default();
        let (title, yes) = match &self.change {
            SchemaChange::Merge { label, into } => {
                let goal = match label {
                    LabelId::Class(question, _) => LabelId::Class(*question, *into),
                    LabelId::Span(_) => LabelId::Span(*into),
                };
                (cx.tf("Merge {} into {}?", &[&name(*label), &name(goal)]), cx.t("Merge"))
            }
            SchemaChange::SetPolarity { label, .. } => {
                (cx.tf("Take the polarity from {}?", &[&name(LabelId::Span(*label))]), cx.t("Take away"))
            }
            SchemaChange::DeleteQuestion { question } => {
                let name = schema.question(*question).map_or("", |asked| asked.name.as_str());
                (cx.tf("Delete the question {}?", &[&name]), cx.t("Delete"))
            }
            SchemaChange::SetKind { question, .. } => {
                let name = schema.question(*question).map_or("", |asked| asked.name.as_str());
                (cx.tf("Change what answers {}?", &[&name]), cx.t("Change"))
            }
            SchemaChange::Delete { label } => (cx.tf("Delete {}?", &[&name(*label)]), cx.t("Delete")),
            _ => return Some(true),
        };
        let palette = theme::Palette::of(ctx.global_style().visuals.dark_mode);
        let modal = theme::modal(ctx, "change of labels");
        let mut answer = None;
        let shown = modal.show(ctx, |ui| {
            ui.set_width(400.0);
            ui.heading(title);
            for line in self.lines(cx) {
                ui.label(line);
            }
            ui.label(RichText::new(cx.t("One undo brings everything back")).color(palette.weak));
            ui.add_space(8.0);
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), theme::ROW_HEIGHT),
                egui::Layout::right_to_left(egui::Align::Center),
                |ui| {
                    let button = ui.add(theme::primary_button(ui, yes));
                    if button.clicked() {
                        answer = Some(true);
                    }
                    if ui.button(cx.t("Keep")).clicked() {
                        answer = Some(false);
                    }
                },
            );
        });
        answer.or_else(|| shown.should_close().then_some(false))
    }

    fn lines(&self, cx: &Cx<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if self.answers + self.spans > 0 {
            let words = match self.change {
                SchemaChange::Delete { .. } | SchemaChange::DeleteQuestion { .. } | SchemaChange::SetKind { .. } => {
                    "{} answers and {} spans are taken away"
                }
                _ => "{} answers and {} spans change",
            };
            lines.push(cx.tf(words, &[&self.answers, &self.spans]));
        }
        if self.links > 0 {
            lines.push(cx.tf("{} links go with them", &[&self.links]));
        }
        if self.polarities > 0 {
            lines.push(cx.tf("{} polarities are taken away", &[&self.polarities]));
        }
        lines
    }
}
