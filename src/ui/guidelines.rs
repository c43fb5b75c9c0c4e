//! The guidelines of a project beside the work: one page of Markdown, and below it the help of each label.

use super::Cx;
use super::theme::{self, GAP};
use super::widgets::markdown::markdown_ui;
use crate::desk::Command;
use crate::project::{LabelId, Schema};
use eframe::egui::{self, Id, RichText, ScrollArea, TextEdit, Ui, vec2};

/// The window, which does not stop the labeling behind it.
#[derive(Default)]
pub struct GuidelinesWindow {
    open: bool,
    /// What is being written; `None` while it is read.
    draft: Option<String>,
}

impl GuidelinesWindow {
    /// Opens it, or puts it away.
    pub fn toggle(&mut self) {
        self.open = !self.open;
    }

    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let Some(project) = cx.desk.project() else {
            *self = Self::default();
            return;
        };
        if !self.open {
            return;
        }
        let mut open = true;
        let room = ctx.content_rect();
        let window = egui::Window::new(cx.t("Guidelines")).id(Id::unique("guidelines")).open(&mut open).collapsible(false);
        let window = window.default_size([400.0, room.height() - 220.0]).min_size([280.0, 200.0]);
        let window = window.default_pos(room.right_top() + vec2(-436.0, 96.0));
        window.show(ctx, |ui| match &mut self.draft {
            Some(draft) => {
                if let Some(is_kept) = edit_ui(ui, cx, draft) {
                    if is_kept {
                        cx.send(Command::SetGuidelines(std::mem::take(draft)));
                    }
                    self.draft = None;
                }
            }
            None => {
                if ui.button(cx.t("Edit…")).clicked() {
                    self.draft = Some(project.guidelines().to_owned());
                }
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| page_ui(ui, cx, project.guidelines(), project.schema()));
            }
        });
        // Closing while one writes keeps what was written.
        if !open && let Some(draft) = self.draft.take() {
            cx.send(Command::SetGuidelines(draft));
        }
        self.open &= open;
    }
}

/// Whether the draft is kept; `None` while it is written.
fn edit_ui(ui: &mut Ui, cx: &Cx<'_>, draft: &mut String) -> Option<bool> {
    let mut answer = None;
    ui.horizontal(|ui| {
        if ui.add(theme::primary_button(ui, cx.t("Keep"))).clicked() {
            answer = Some(true);
        }
        if ui.button(cx.t("Cancel")).clicked() {
            answer = Some(false);
        }
    });
    let hint = cx.t("Markdown: # heading, - list, **bold**, *italic*, > quote");
    ui.label(RichText::new(hint).small().color(theme::palette(ui).weak));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let field = TextEdit::multiline(draft).desired_width(f32::INFINITY).desired_rows(16).font(egui::TextStyle::Body);
        ui.add(field).accessible_name(cx.t("Text of the guidelines"));
    });
    answer
}

fn page_ui(ui: &mut Ui, cx: &Cx<'_>, source: &str, schema: &Schema) {
    let weak = theme::palette(ui).weak;
    if source.trim().is_empty() {
        let words = cx.t("Nothing is written yet. Say here what each label means and how doubtful cases are decided");
        ui.add(egui::Label::new(RichText::new(words).color(weak)).wrap());
    }
    markdown_ui(ui, source);
    let entries = entries_of(schema);
    if entries.is_empty() {
        return;
    }
    ui.add_space(GAP);
    ui.separator();
    ui.label(RichText::new(cx.t("Questions and labels")).strong());
    for Entry { name, hue, help } in entries {
        ui.horizontal(|ui| {
            if let Some(hue) = hue {
                super::icons::dot(ui, theme::palette(ui).hue(hue));
            }
            ui.label(RichText::new(name).strong());
        });
        markdown_ui(ui, help);
    }
}

/// Something with a help text.
struct Entry<'a> {
    name: String,
    hue: Option<u8>,
    help: &'a str,
}

/// All that the schema helps with, in its order: questions and their classes, span labels and their attributes, types of
/// links.
fn entries_of(schema: &Schema) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut add = |name: String, hue: Option<u8>, help| entries.push(Entry { name, hue, help });
    for (id, question) in schema.questions() {
        add(question.name.clone(), None, schema.question_help(id));
        for (class, at) in question.classes.iter().zip(0u16..) {
            add(class.name.clone(), Some(class.hue), schema.help(LabelId::Class(id, at)));
        }
    }
    for (label, at) in schema.span_labels.iter().zip(0u16..) {
        add(label.name.clone(), Some(label.hue), schema.help(LabelId::Span(at)));
        for attribute in schema.attributes(at) {
            add(format!("{} · {}", label.name, attribute.name), Some(label.hue), &attribute.help);
        }
    }
    for held in schema.link_types() {
        add(held.name.clone(), Some(held.hue), &held.help);
    }
    entries.retain(|entry| !entry.help.is_empty());
    entries
}
