//! The window of labels: questions with their classes, and span labels, with their colours, keys and help; new ones,
//! templates, merging and deleting. Each change is a command of its own, so it is in the project file at once and one undo takes it back.

mod asking;
mod attributes;
mod details;
mod link_types;
pub(in crate::ui) mod question;
mod row;
mod words;

use super::i18n::Template;
use super::icons::{self, Icon};
use super::{Cx, theme};
use crate::desk::Command;
use crate::project::{
    AttributeChange, LabelCounts, LabelId, LinkTypeChange, Project, QuestionCount, QuestionId, SchemaChange, SchemaError,
};
use asking::Asking;
use details::Details;
use eframe::egui::{self, Align, Key, Layout, Modifiers, RichText, TextEdit, Ui, vec2};
use question::QuestionDrafts;
use row::{Drafts, Row};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The state of the window.
#[derive(Default)]
pub struct LabelsWindow {
    open: bool,
    drafts: Drafts,
    questions: QuestionDrafts,
    details: Details,
    /// Names being typed for a new class of each question and for a new span label, and what is wrong with them.
    fresh: BTreeMap<Option<QuestionId>, (String, Option<SchemaError>)>,
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
                question::title_ui(ui, cx, "Questions", "Each document is asked these");
                let none = QuestionCount::default();
                for at in 0..project.schema().questions.len() {
                    let count = counts.questions.get(at).unwrap_or(&none);
                    let id = QuestionId(at as u16);
                    theme::card(ui).show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        ui.push_id(("question", at), |ui| self.question_ui(ui, cx, project, id, count));
                    });
                }
                question::fresh_ui(ui, cx, project, &mut self.questions);
                ui.add_space(16.0);
                question::title_ui(ui, cx, "Span labels", "Places in the text are marked with these");
                let labels: Vec<LabelId> = (0..project.schema().span_labels.len() as u16).map(LabelId::Span).collect();
                self.list_ui(ui, cx, project, &labels, &counts.spans);
                self.fresh_ui(ui, cx, project, None);
                ui.add_space(16.0);
                if let Some(change) = link_types::ui(ui, cx, project, &mut self.details) {
                    self.ask_or_send(cx, project, change);
                }
                ui.add_space(16.0);
                close |= words::ui(ui, cx, project);
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
            self.questions.send_all(cx, project);
            self.details.send_all(cx, project);
            self.open = false;
        }
    }

    fn counts(&mut self, cx: &Cx<'_>, project: &Project) -> LabelCounts {
        let path = cx.desk.path().unwrap_or_else(|| std::path::Path::new(""));
        let held = self.counted.take().filter(|(of, at, _)| of == path && *at == project.revision());
        let (_, _, counts) = self.counted.insert(held.unwrap_or_else(|| (path.to_owned(), project.revision(), LabelCounts::of(project))));
        counts.clone()
    }

    /// A question: its head, its classes, and the field for a new one.
    fn question_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, id: QuestionId, count: &QuestionCount) {
        let Some(asked) = project.schema().question(id) else { return };
        let change = question::head_ui(ui, cx, project, &mut self.questions, id, count.answered);
        if asked.kind.has_classes() {
            let labels: Vec<LabelId> = (0..asked.classes.len() as u16).map(|at| LabelId::Class(id, at)).collect();
            self.list_ui(ui, cx, project, &labels, &count.classes);
            self.fresh_ui(ui, cx, project, Some(id));
        }
        if let Some(change) = change {
            self.ask_or_send(cx, project, change);
        }
    }

    /// Rows of labels.
    fn list_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, labels: &[LabelId], given: &[usize]) {
        if labels.is_empty() {
            ui.label(RichText::new(cx.t("There are none yet")).color(theme::palette(ui).weak));
        } else {
            row::head_ui(ui, cx, matches!(labels[0], LabelId::Class(..)));
        }
        for (at, label) in labels.iter().enumerate() {
            let given = given.get(at).copied().unwrap_or_default();
            let row = Row { label: *label, at, len: labels.len(), given };
            if let Some(change) = ui.push_id(label, |ui| row.ui(ui, cx, project, &mut self.drafts)).inner {
                self.ask_or_send(cx, project, change);
            }
            if let LabelId::Span(label) = label
                && let Some(change) = attributes::ui(ui, cx, project, &mut self.details, *label)
            {
                self.ask_or_send(cx, project, change);
            }
        }
    }

    /// The field for a new class of a question, or without one for a new span label.
    fn fresh_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, question: Option<QuestionId>) {
        let schema = project.schema();
        let several = schema.questions.iter().filter(|asked| asked.kind.has_classes()).count() > 1;
        let name = question.and_then(|id| schema.question(id)).map_or("", |asked| asked.name.as_str());
        let (hint, button) = match question {
            None => (cx.t("New span label").to_owned(), cx.t("Add the span label").to_owned()),
            Some(_) if several => (cx.tf("New class for {}", &[&name]), cx.tf("Add the class to {}", &[&name])),
            Some(_) => (cx.t("New class").to_owned(), cx.t("Add the class").to_owned()),
        };
        let (text, problem) = self.fresh.entry(question).or_default();
        let added = ui.horizontal(|ui| {
            ui.add_space(row::SWATCH + ui.spacing().item_spacing.x);
            let field = TextEdit::singleline(text).hint_text(hint.as_str()).align(egui::Align2::LEFT_CENTER);
            let field = ui.add_sized(vec2(row::NAME, theme::ROW_HEIGHT), field).accessible_name(hint);
            if field.changed() {
                *problem = None;
            }
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let some = !text.trim().is_empty();
            let add = ui.add_enabled(some, egui::Button::new(cx.t("Add"))).accessible_name(button);
            if entered && some {
                field.request_focus();
            }
            (entered || add.clicked()) && some
        });
        if added.inner {
            let name = text.clone();
            let change = match question {
                Some(question) => SchemaChange::AddClass { question, name },
                None => SchemaChange::AddSpanLabel { name },
            };
            match project.plan(&change) {
                Ok(_) => {
                    cx.send(Command::ChangeSchema(Box::new(change)));
                    text.clear();
                }
                Err(error) => *problem = Some(error),
            }
        }
        if let Some(error) = problem {
            row::problem_ui(ui, cx, error);
        }
    }

    /// Sends a change at once, or asks first when it would touch what people said.
    fn ask_or_send(&mut self, cx: &mut Cx<'_>, project: &Project, change: SchemaChange) {
        let Ok(plan) = project.plan(&change) else { return };
        use SchemaChange as C;
        let moves = matches!(
            change,
            C::Move { .. }
                | C::Merge { .. }
                | C::Delete { .. }
                | C::MoveQuestion { .. }
                | C::DeleteQuestion { .. }
                | C::SetKind { .. }
                | C::Attribute {
                    change: AttributeChange::Move { .. }
                        | AttributeChange::Delete { .. }
                        | AttributeChange::MoveValue { .. }
                        | AttributeChange::DeleteValue { .. }
                        | AttributeChange::MergeValue { .. },
                    ..
                }
                | C::LinkType(LinkTypeChange::Move { .. } | LinkTypeChange::Delete { .. } | LinkTypeChange::Merge { .. })
        );
        if moves {
            // Places change: what is being typed belongs to other rows then.
            self.drafts.clear();
            self.questions.clear();
            self.details.clear();
            self.fresh.clear();
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
            if ui.button(cx.t(template.words())).on_hover_text(template.hint(language)).clicked() {
                let change = template.change(language);
                cx.send(Command::ChangeSchema(Box::new(change)));
                ui.close(); // a screen reader's click is no click of the pointer, which would close it
            }
        }
    });
}
