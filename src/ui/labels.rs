//! The window of labels: classes and span labels with their colours, keys and help; new ones, templates, merging and
//! deleting. Each change is a command of its own, so it is in the project file at once and one undo takes it back.

mod asking;
mod row;

use super::i18n::Template;
use super::icons::{self, Icon};
use super::{Cx, theme};
use crate::desk::Command;
use crate::project::{LabelCounts, LabelId, Project, QuestionId, SchemaChange, SchemaError};
use asking::Asking;
use eframe::egui::{self, Align, Key, Layout, Modifiers, RichText, TextEdit, Ui, vec2};
use row::{Drafts, Row};
use std::path::PathBuf;

/// The state of the window.
#[derive(Default)]
pub struct LabelsWindow {
    open: bool,
    drafts: Drafts,
    /// Names being typed for a new class and a new span label.
    fresh: [String; 2],
    /// What is wrong with them.
    problems: [Option<SchemaError>; 2],
    asking: Option<Asking>,
    counted: Option<(PathBuf, u64, LabelCounts)>,
    /// Of the last frame.
    size: egui::Vec2,
}

impl LabelsWindow {
    pub fn open(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Draws it if it is open.
    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let Some(project) = cx.desk.project().filter(|_| self.open) else {
            self.open = false;
            return;
        };
        let counts = self.counts(cx, project);
        let modal = theme::modal(ctx, "labels");
        let room = ctx.content_rect().size() - vec2(64.0, 96.0);
        let mut close = false;
        let shown = modal.show(ctx, |ui| {
            ui.set_width(room.x.min(900.0));
            close = header_ui(ui, cx);
            ui.add_space(4.0);
            egui::ScrollArea::vertical().max_height(room.y - 96.0).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 6.0;
                self.section_ui(ui, cx, project, &counts, true);
                ui.add_space(16.0);
                self.section_ui(ui, cx, project, &counts, false);
            });
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                templates_ui(ui, cx);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    close |= ui.add(theme::primary_button(ui, cx.t("Finish"))).clicked();
                });
            });
        });
        // It is centred by the size it had a frame ago.
        if std::mem::replace(&mut self.size, shown.response.rect.size()) != self.size {
            ctx.request_repaint();
        }
        let was_asking = self.asking.is_some();
        self.asking_ui(ctx, cx);
        if !was_asking && (shown.should_close() || close) {
            // What still stands in a field counts as entered.
            self.drafts.send_all(cx, project);
            self.open = false;
        }
    }

    fn counts(&mut self, cx: &Cx<'_>, project: &Project) -> LabelCounts {
        let path = cx.desk.path().unwrap_or_else(|| std::path::Path::new(""));
        let held = self.counted.take().filter(|(of, at, _)| of == path && *at == project.revision());
        let (_, _, counts) = self.counted.insert(held.unwrap_or_else(|| (path.to_owned(), project.revision(), LabelCounts::of(project))));
        counts.clone()
    }

    /// One of the two lists, and the field for a new label.
    fn section_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, counts: &LabelCounts, classes: bool) {
        let schema = project.schema();
        let (title, hint) = match classes {
            true => ("Classes", "Each document gets one of these"),
            false => ("Span labels", "Places in the text are marked with these"),
        };
        ui.horizontal(|ui| {
            ui.label(RichText::new(cx.t(title)).strong());
            ui.label(RichText::new(cx.t(hint)).color(theme::palette(ui).weak));
        });
        let (question, len) = match classes {
            true => schema.main_question().map_or((QuestionId(0), 0), |(id, question)| (id, question.classes.len())),
            false => (QuestionId(0), schema.span_labels.len()),
        };
        if len > 0 {
            row::head_ui(ui, cx, classes);
        } else {
            ui.label(RichText::new(cx.t("There are none yet")).color(theme::palette(ui).weak));
        }
        for at in 0..len {
            let label = if classes { LabelId::Class(question, at as u16) } else { LabelId::Span(at as u16) };
            let given = if classes { &counts.classes } else { &counts.spans }.get(at).copied().unwrap_or_default();
            let row = Row { label, at, len, given };
            if let Some(change) = ui.push_id(label, |ui| row.ui(ui, cx, project, &mut self.drafts)).inner {
                self.ask_or_send(cx, project, change);
            }
        }
        self.fresh_ui(ui, cx, project, question, classes);
    }

    /// The field for a new label.
    fn fresh_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, question: QuestionId, classes: bool) {
        let at = usize::from(!classes);
        let (hint, button) = if classes { ("New class", "Add the class") } else { ("New span label", "Add the span label") };
        let added = ui.horizontal(|ui| {
            ui.add_space(row::SWATCH + ui.spacing().item_spacing.x);
            let field = TextEdit::singleline(&mut self.fresh[at]).hint_text(cx.t(hint)).align(egui::Align2::LEFT_CENTER);
            let field = ui.add_sized(vec2(row::NAME, theme::ROW_HEIGHT), field).accessible_name(cx.t(hint));
            if field.changed() {
                self.problems[at] = None;
            }
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let some = !self.fresh[at].trim().is_empty();
            let add = ui.add_enabled(some, egui::Button::new(cx.t("Add"))).accessible_name(cx.t(button));
            if entered && some {
                field.request_focus();
            }
            (entered || add.clicked()) && some
        });
        if added.inner {
            let name = self.fresh[at].clone();
            let change = if classes { SchemaChange::AddClass { question, name } } else { SchemaChange::AddSpanLabel { name } };
            match project.plan(&change) {
                Ok(_) => {
                    cx.send(Command::ChangeSchema(Box::new(change)));
                    self.fresh[at].clear();
                }
                Err(error) => self.problems[at] = Some(error),
            }
        }
        if let Some(error) = &self.problems[at] {
            row::problem_ui(ui, cx, error);
        }
    }

    /// Sends a change at once, or asks first when it would touch what people said.
    fn ask_or_send(&mut self, cx: &mut Cx<'_>, project: &Project, change: SchemaChange) {
        let Ok(plan) = project.plan(&change) else { return };
        let moves = matches!(change, SchemaChange::Move { .. } | SchemaChange::Merge { .. } | SchemaChange::Delete { .. });
        if moves {
            // Places change: what is being typed belongs to other rows then.
            self.drafts.clear();
        }
        if plan.changes_answers() {
            self.asking = Some(Asking::new(change, &plan));
        } else {
            cx.send(Command::ChangeSchema(Box::new(change)));
        }
    }

    fn asking_ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let Some(asking) = &self.asking else { return };
        match asking.ui(ctx, cx) {
            None => {}
            Some(false) => self.asking = None,
            Some(true) => {
                cx.send(Command::ChangeSchema(Box::new(asking.change.clone())));
                self.asking = None;
            }
        }
    }
}

/// Title, undo, redo, close; answers whether it should close.
fn header_ui(ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
    let (undo, redo) = cx.desk.history().map_or((false, false), |history| (history.next_undo().is_some(), history.next_redo().is_some()));
    // The keys of the places sleep while this window is open.
    let typing = super::keys::is_typing(ui);
    let pressed = |modifiers, key| !typing && ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) || pressed(Modifiers::COMMAND, Key::Y) {
        cx.send(Command::Redo);
    } else if pressed(Modifiers::COMMAND, Key::Z) {
        cx.send(Command::Undo);
    }
    ui.horizontal(|ui| {
        ui.heading(cx.t("Labels"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = icons::icon_button(ui, Icon::Close, cx.t("Close"), true).clicked();
            if icons::icon_button(ui, Icon::Redo, cx.t("Redo"), redo).clicked() {
                cx.send(Command::Redo);
            }
            if icons::icon_button(ui, Icon::Undo, cx.t("Undo"), undo).clicked() {
                cx.send(Command::Undo);
            }
            close
        })
        .inner
    })
    .inner
}

fn templates_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let language = cx.language();
    ui.menu_button(cx.t("Add from a template"), |ui| {
        for template in Template::ALL {
            let (classes, spans) = (template.classes(language), template.spans(language));
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let hint = [classes, spans].concat().join(" · ");
            if ui.button(cx.t(template.words())).on_hover_text(hint).clicked() {
                let change = SchemaChange::AddAll { classes: names(classes), spans: names(spans) };
                cx.send(Command::ChangeSchema(Box::new(change)));
                ui.close(); // a screen reader's click is no click of the pointer, which would close it
            }
        }
    });
}
