//! Every step of the project, newest first, with a search and the way back to any of them.

use super::icons::{self, Icon};
use super::theme::{self, palette};
use super::widgets::figures::date_time;
use super::{Cx, widgets::queue_list::first_words};
use crate::desk::Command;
use crate::project::{History, Layer, Project, Step};
use eframe::egui::{self, Align, Label, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

/// The window.
#[derive(Default)]
pub struct JournalWindow {
    open: bool,
    fresh: bool,
    search: String,
    /// Steps that the search leaves, newest first, by revision and search.
    found: Option<((u64, String), Vec<usize>)>,
}

/// Height of a line in points.
const LINE: f32 = 44.0;

impl JournalWindow {
    pub fn open(&mut self) {
        *self = Self { open: true, fresh: true, ..Self::default() };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let (Some(history), Some(project)) = (cx.desk.history().filter(|_| self.open), cx.desk.project()) else {
            self.open = false;
            return;
        };
        let room = ctx.content_rect().size() - vec2(80.0, 140.0);
        let mut close = false;
        let shown = theme::modal(ctx, "journal").show(ctx, |ui| {
            ui.set_width(room.x.min(760.0));
            ui.set_height(room.y);
            ui.horizontal(|ui| {
                ui.heading(cx.t("Journal"));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    close = icons::icon_button(ui, Icon::Close, cx.t("Close"), true).clicked();
                });
            });
            let field =
                TextEdit::singleline(&mut self.search).desired_width(f32::INFINITY).hint_text(cx.t("What was done, by whom, or when"));
            let field = ui.add(field).accessible_name(cx.t("Search the journal"));
            if std::mem::take(&mut self.fresh) {
                field.request_focus();
            }
            let key = (project.revision(), self.search.clone());
            if self.found.as_ref().is_none_or(|(held, _)| *held != key) {
                let found = search(project, history, &self.search, cx.desk.layer());
                self.found = Some((key, found));
            }
            let found = self.found.as_ref().map_or(&[][..], |(_, found)| found);
            ui.label(RichText::new(cx.tf("{} steps", &[&found.len()])).color(palette(ui).weak));
            ui.spacing_mut().item_spacing.y = 0.0;
            let area = ScrollArea::vertical().auto_shrink(false);
            // One line more: the beginning, before the first step.
            area.show_rows(ui, LINE, found.len() + 1, |ui, lines| {
                for at in lines {
                    match found.get(at) {
                        Some(step) => line_ui(ui, cx, history, *step),
                        None => beginning_ui(ui, cx, history),
                    }
                }
            });
        });
        if shown.should_close() || close {
            self.open = false;
        }
    }
}

/// Step `at` of all, the undone ones after those that are done.
fn step_at(history: &History, at: usize) -> Option<&Step> {
    let done = history.done().len();
    history.done().get(at).or_else(|| history.undone().iter().rev().nth(at.checked_sub(done)?))
}

fn search(project: &Project, history: &History, words: &str, layer: Layer) -> Vec<usize> {
    let words = words.to_lowercase();
    let all = history.done().len() + history.undone().len();
    let has = |step: &Step| {
        let name = if step.is_of_another(project, layer) { "" } else { step.name.as_str() };
        words.is_empty() || [name, &step.author, &date_time(step.time_ms)].iter().any(|text| text.to_lowercase().contains(&words))
    };
    (0..all).rev().filter(|at| step_at(history, *at).is_some_and(has)).collect()
}

fn line_ui(ui: &mut Ui, cx: &mut Cx<'_>, history: &History, at: usize) {
    let Some(step) = step_at(history, at) else { return };
    let done = history.done().len();
    let colours = palette(ui);
    let (ink, note) = if at < done { (colours.text, "") } else { (colours.weak, cx.t("undone")) };
    let name = if cx.desk.project().is_some_and(|project| step.is_of_another(project, cx.desk.layer())) {
        cx.t("a step of another annotator").to_owned()
    } else {
        first_words(&step.name)
    };
    row(ui, at, |ui| {
        let words = if at < done { cx.t("Go back to here") } else { cx.t("Go forward to here") };
        if at + 1 == done {
            ui.label(RichText::new(cx.t("now")).color(colours.accent));
        } else if ui.button(words).accessible_name(format!("{words}: {name}")).clicked() {
            cx.send(Command::GoToStep(at + 1));
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(4.0);
            ui.add(Label::new(RichText::new(&name).color(ink)).truncate());
            let mut who = format!("{} · {}", step.author, date_time(step.time_ms));
            if !note.is_empty() {
                who = format!("{who} · {note}");
            }
            ui.add(Label::new(RichText::new(who).small().color(colours.weak)).truncate());
        });
    });
}

fn beginning_ui(ui: &mut Ui, cx: &mut Cx<'_>, history: &History) {
    row(ui, usize::MAX, |ui| {
        let words = cx.t("Go back to the beginning");
        if ui.add_enabled(!history.done().is_empty(), egui::Button::new(words)).clicked() {
            cx.send(Command::GoToStep(0));
        }
    });
}

/// A line of the usual height, filled from the right.
fn row(ui: &mut Ui, at: usize, content: impl FnOnce(&mut Ui)) {
    let size = vec2(ui.available_width() - 8.0, LINE);
    ui.push_id(at, |ui| ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), content));
}
