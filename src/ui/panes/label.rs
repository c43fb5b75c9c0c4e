//! Label: the queue at the left, the document and its questions in the middle, the inspector at the right.
//!
//! Changes nothing by itself: gestures and keys become commands. What stands here is only where the caret is, what is
//! selected, and what is folded away.

mod answer_all;
mod answers;
mod attributes;
mod bulk;
mod caret;
mod columns;
mod comments;
mod compare;
mod conversation;
mod filters;
mod inspector;
mod jump;
mod linking;
mod marking;
mod pieces;
mod queue;
mod skip;
mod suggested;
mod suspected;
mod text;
mod within;

use crate::desk::Command;
use crate::project::{Document, Filter, Project, Schema, State};
use crate::ui::Cx;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{GAP, palette};
use columns::NARROWEST;
use eframe::egui::{CentralPanel, Frame, Margin, Panel, RichText, Ui, UiBuilder};
use marking::Marking;
use std::sync::Arc;

/// The state of the place.
#[derive(Default)]
pub struct LabelPane {
    queue: queue::QueueColumn,
    marking: Marking,
    answers: answers::Answers,
    inspector: inspector::Inspector,
    compare: compare::Compare,
    columns: columns::Columns,
    /// The question what the whole queue is to be answered.
    answer_all: Option<answer_all::AnswerAll>,
    /// The question what becomes of the same words in the whole queue.
    words: Option<bulk::WordsInQueue>,
    /// The labels of the last frame.
    schema: Option<Arc<Schema>>,
    /// The question for a document to go to.
    jump: Option<jump::Jump>,
    /// The question why a document is skipped.
    skip: Option<skip::SkipReason>,
}

impl LabelPane {
    /// Draws the place.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let desk = cx.desk;
        let Some(project) = desk.project() else { return };
        let held = desk.current().and_then(|id| project.document(id));
        let seen = held.map(|document| document.seen_in(desk.layer()));
        let document = seen.as_deref();
        self.marking.turn_to(document);
        self.answers.flush(cx, desk.current());
        // Labels may stand elsewhere now, so none stays armed.
        if self.schema.as_ref().is_none_or(|held| !Arc::ptr_eq(held, project.schema())) {
            self.schema = Some(project.schema().clone());
            self.marking.armed = None;
        }
        let compares = self.compare.keys(ui, cx, held);
        if let Some(asking) = &mut self.answer_all {
            if asking.ui(ui, cx, project.schema()) {
                self.answer_all = None;
            }
        } else if let Some(words) = &mut self.words {
            if words.ui(ui, cx, project) {
                self.words = None;
            }
        } else if let Some(jump) = &mut self.jump {
            if jump.ui(ui, cx, project) {
                self.jump = None;
            }
        } else if let Some(skip) = &mut self.skip {
            if skip.ui(ui, cx) {
                self.skip = None;
            }
        } else {
            // Beside each other nothing is marked: the keys of marking sleep.
            self.keys(ui, cx, project, document.filter(|_| !compares));
        }
        self.columns.fit(ui.available_width());
        let [widest_queue, widest_inspector] = self.columns.widest(ui.available_width());
        let column = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(8, 8));
        let queue = Panel::left("queue").default_size(320.0).size_range(NARROWEST..=widest_queue).frame(column);
        queue.show_collapsible(ui, &mut self.columns.queue, |ui| self.queue.ui(ui, cx, project));
        let inspector = Panel::right("inspector").default_size(280.0).size_range(NARROWEST..=widest_inspector).frame(column);
        inspector.show_collapsible(ui, &mut self.columns.inspector, |ui| {
            self.inspector.ui(ui, cx, project, document, &mut self.marking);
        });
        let centre = Frame::new().fill(palette(ui).ground);
        CentralPanel::default().frame(centre).show(ui, |ui| match document {
            Some(document) if compares => {
                let folds = [&mut self.columns.queue, &mut self.columns.inspector];
                self.compare.ui(ui, cx, project, document, folds);
            }
            Some(document) => self.document_ui(ui, cx, project, document),
            None => nothing_ui(ui, cx, project),
        });
    }

    /// Enters what is still being typed: another place is shown, or the window closes.
    pub fn leave(&mut self, cx: &mut Cx<'_>) {
        self.answers.flush(cx, None);
    }

    fn document_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document) {
        self.compare.hint_ui(ui, cx, document);
        suspected::ui(ui, cx, project, document);
        let bar = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 6));
        Panel::top("labels").frame(bar).show(ui, |ui| {
            let folds = [&mut self.columns.queue, &mut self.columns.inspector];
            text::toolbar(ui, cx, project.schema(), document, &mut self.marking, folds);
        });
        conversation::ui(ui, cx, project, document);
        let answers = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 8));
        Panel::bottom("answers").frame(answers).show(ui, |ui| {
            // Under the text, not at the edge of a wide window.
            let side = text::side(ui.available_width(), cx.desk.settings().text_size) - 12.0;
            let mut rect = ui.available_rect_before_wrap();
            (rect.min.x, rect.max.x) = (rect.min.x + side, rect.max.x - side);
            let mut column = ui.new_child(UiBuilder::new().max_rect(rect));
            text::span_bar(&mut column, cx, project.schema(), document, &mut self.marking);
            attributes::chooser_ui(&mut column, cx, project.schema(), document, &mut self.marking);
            self.answers.ui(&mut column, cx, project.schema(), document);
            ui.advance_cursor_after_rect(column.min_rect());
        });
        if cx.desk.shows_pieces() {
            let strip = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 6));
            Panel::bottom("pieces").frame(strip).show(ui, |ui| pieces::ui(ui, cx, project.schema(), document));
        }
        let inside = Frame::new().fill(palette(ui).ground);
        CentralPanel::default().frame(inside).show(ui, |ui| text::text_ui(ui, cx, project.schema(), document, &mut self.marking));
    }

    fn keys(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: Option<&Document>) {
        let pressed = |action| keys::pressed_in(ui, action, self.marking.text_id());
        if pressed(Action::Search) {
            self.columns.queue = true;
            self.queue.focus_search();
        }
        if pressed(Action::ShowAll) {
            cx.send(Command::SetFilter(Filter::default()));
        }
        if let Some(document) = document {
            suspected::keys(ui, cx, document, &self.marking);
            suggested::keys(ui, cx, document, &mut self.marking);
            attributes::keys(ui, cx, project.schema(), document, &mut self.marking);
            linking::keys(ui, project.schema(), document, &mut self.marking);
            caret::keys(ui, cx, project.schema(), document, &mut self.marking);
            self.answers.keys(ui, cx, project.schema(), document, self.marking.text_id());
        }
        let pressed = |action| keys::pressed_in(ui, action, self.marking.text_id());
        if let Some(document) = document {
            let doc = document.id;
            if let Some((_, span)) = self.marking.selected_span(document)
                && pressed(Action::MarkInQueue)
            {
                self.words = Some(bulk::WordsInQueue::new(document, &span));
            }
            if pressed(Action::Finish) {
                cx.send(Command::Finish(doc));
            }
            if pressed(Action::Skip) {
                cx.send(Command::Skip(doc));
            }
            if pressed(Action::SkipBecause) {
                self.skip = Some(skip::SkipReason::new(project, doc));
            }
            if pressed(Action::BackToTodo) && document.annotation.state != State::Todo {
                cx.send(Command::SetState { doc, to: State::Todo });
            }
            if pressed(Action::Flag) {
                cx.send(Command::SetFlag { doc, to: !document.annotation.flagged });
            }
        }
        if pressed(Action::Comment) {
            self.columns.inspector = true;
            self.inspector.comments.focus();
        }
        if pressed(Action::Next) {
            cx.send(Command::Step(1));
        }
        if pressed(Action::Previous) {
            cx.send(Command::Step(-1));
        }
        if pressed(Action::NextTodo) {
            cx.send(Command::NextTodo);
        }
        if pressed(Action::GoTo) {
            self.jump = Some(jump::Jump::default());
        }
        if pressed(Action::ClassOfQueue) && !cx.desk.queue().is_empty() {
            let question = self.answers.active(project.schema());
            self.answer_all = Some(answer_all::AnswerAll::new(question));
        }
    }
}

/// Says why there is no document, and the way out.
fn nothing_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.32);
        if project.documents().next().is_none() {
            ui.heading(cx.t("This project has no documents yet"));
            ui.label(
                RichText::new(cx.t("Import a file of reviews to start labeling: CSV, TSV, JSONL, Parquet or plain text"))
                    .color(palette(ui).weak),
            );
            ui.add_space(GAP);
            if ui.add(crate::ui::theme::primary_button(ui, cx.t("Go to Data"))).clicked() {
                cx.goto(crate::ui::Place::Data);
            }
        } else {
            ui.heading(cx.t("The filter leaves no document"));
            ui.add_space(GAP);
            if ui.add(crate::ui::theme::primary_button(ui, cx.t("Clear filters"))).clicked() {
                cx.send(Command::SetFilter(Filter::default()));
            }
        }
    });
}

/// Words for a state.
fn state_word(state: &State) -> &'static str {
    match state {
        State::Todo => "To do",
        State::Done => "Done",
        State::Skipped => "Skipped",
    }
}
