//! The right column: triples, spans, columns and history of the document.

use super::attributes::{card_ui, span_name};
use super::comments::Comments;
use super::linking::type_menu;
use super::marking::Marking;
use super::text::{EXCERPT, excerpt, polarity_buttons, shortened};
use crate::desk::Command;
use crate::project::{DocId, Document, Layer, Link, Project, Schema, Span, SpanId, Step};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{GAP, ROW_HEIGHT, palette};
use crate::ui::widgets::document::mark_of;
use crate::ui::widgets::figures::date_time;
use eframe::egui::{Align, Button, Label, Layout, Rect, RichText, ScrollArea, TextStyle, Ui, vec2};

/// State of the column: what is costly to gather.
#[derive(Default)]
pub(super) struct Inspector {
    steps_key: Option<(DocId, u64, Layer)>,
    steps: Vec<PastStep>,
    pub comments: Comments,
}

struct PastStep {
    /// Steps done after it; `None` for the last one of all, after which one is now.
    after: Option<usize>,
    name: String,
    author: String,
    when: String,
}

impl Inspector {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: Option<&Document>, marking: &mut Marking) {
        let Some(document) = document else { return };
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            triples_ui(ui, cx, project.schema(), document, marking);
            spans_ui(ui, cx, project, document, marking);
            section(ui, cx.t("Comments"));
            self.comments.ui(ui, cx, document);
            columns_ui(ui, cx, document);
            self.history_ui(ui, cx, project, document);
        });
    }

    fn history_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document) {
        const SHOWN: usize = 40;
        let layer = cx.desk.layer();
        let key = (document.id, project.revision(), layer);
        if self.steps_key != Some(key) {
            let at = document.id.index();
            let steps = cx.desk.history().map(|history| history.done()).unwrap_or_default();
            let touches = |step: &Step| step.edits.iter().any(|edit| edit.touches().is_some_and(|docs| docs.contains(&at)));
            // What others said stays theirs while one labels.
            let touching = steps.iter().enumerate().rev().filter(|(_, step)| touches(step) && !step.is_of_another(project, layer));
            self.steps = touching
                .take(SHOWN)
                .map(|(place, step)| PastStep {
                    after: (place + 1 < steps.len()).then_some(place + 1),
                    name: step.name.clone(),
                    author: step.author.clone(),
                    when: date_time(step.time_ms),
                })
                .collect();
            self.steps_key = Some(key);
        }
        section(ui, cx.t("History"));
        if self.steps.is_empty() {
            weak(ui, cx.t("Nothing has been done yet"));
        }
        for (at, step) in self.steps.iter().enumerate() {
            ui.push_id(("step", at), |ui| past_step_ui(ui, cx, step));
        }
    }
}

/// What was done, by whom and when, and the way back to that moment.
fn past_step_ui(ui: &mut Ui, cx: &mut Cx<'_>, step: &PastStep) {
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.add(Label::new(&step.name).wrap());
    ui.horizontal(|ui| {
        let who = RichText::new(format!("{} · {}", step.author, step.when)).small().color(palette(ui).weak);
        let Some(after) = step.after else {
            ui.add(Label::new(who).truncate());
            return;
        };
        let room = vec2((ui.available_width() - 36.0).max(40.0), ROW_HEIGHT);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| ui.add(Label::new(who).truncate()));
        let words = cx.tf("Take back all that was done since: {}", &[&excerpt(&step.name)]);
        if icons::icon_button(ui, Icon::Undo, &words, true).clicked() {
            cx.send(Command::GoToStep(after));
        }
    });
}

fn triples_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    let annotation = &document.annotation;
    section(ui, cx.t("Links"));
    if annotation.links.is_empty() {
        weak(ui, cx.t("No links yet"));
    }
    let ends = |link: &Link| Some((annotation.spans.get(&link.from)?, annotation.spans.get(&link.to)?));
    let mut links: Vec<_> = annotation.links.iter().filter_map(|link| ends(link).map(|(from, to)| (*link, from, to))).collect();
    links.sort_by_key(|(_, from, to)| (to.range.start(), from.range.start()));
    for (link, from, to) in links {
        row_in_sight(ui, (link.from.0, link.to.0), |ui| triple_ui(ui, cx, schema, document, marking, (link, [from, to])));
    }
}

/// aspect · opinion · polarity, with a cross that unlinks them. In a narrow column the polarity is only its sign.
fn triple_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    schema: &Schema,
    document: &Document,
    marking: &mut Marking,
    (link, [from, to]): (Link, [&Span; 2]),
) {
    const CROSS: f32 = 36.0;
    const POLARITIES: f32 = 3.0 * 30.0;
    const NARROW: f32 = 250.0;
    let is_selected = marking.selected == Some(link.from) || marking.selected == Some(link.to);
    let is_narrow = ui.available_width() < NARROW;
    let sign = from.polarity.filter(|_| is_narrow).map_or("", mark_of);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        type_menu(ui, cx, schema, document, link);
        let room = ui.available_width() - CROSS - if is_narrow { 0.0 } else { POLARITIES };
        let words = ends_in_room(ui, [to, from].map(|span| span.range.of(&document.text)), sign, room);
        let row = Button::selectable(is_selected, words).truncate();
        ui.allocate_ui_with_layout(vec2(room, 28.0), Layout::left_to_right(Align::Center), |ui| {
            if ui.add(row).clicked() {
                marking.deselect();
                marking.select_span(document, link.from);
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button(ui, Icon::Close, cx.t("Unlink"), true).clicked() {
                cx.send(Command::ToggleLink { doc: document.id, from: link.from, to: link.to });
            }
            if !is_narrow {
                let buttons = Layout::left_to_right(Align::Center);
                ui.allocate_ui_with_layout(vec2(POLARITIES, 28.0), buttons, |ui| {
                    polarity_buttons(ui, cx, document, link.from, from.polarity)
                });
            }
        });
    });
}

/// Both ends of a link, each so much shortened that the beginning of both is seen.
fn ends_in_room(ui: &Ui, ends: [&str; 2], sign: &str, room: f32) -> String {
    let font = TextStyle::Button.resolve(ui.style());
    let width = |words: &str| ui.painter().layout_no_wrap(words.to_owned(), font.clone(), palette(ui).text).size().x;
    let said = |shown: usize| format!("{} · {} {sign}", shortened(ends[0], shown), shortened(ends[1], shown)).trim_end().to_owned();
    let inside = room - 2.0 * ui.spacing().button_padding.x;
    let lengths = [EXCERPT, 16, 12, 9, 7, 5, 4, 3];
    lengths.into_iter().map(said).find(|words| width(words) <= inside).unwrap_or_else(|| said(2))
}

fn spans_ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document, marking: &mut Marking) {
    section(ui, cx.t("Spans"));
    let spans = document.annotation.spans_in_order();
    if spans.is_empty() {
        weak(ui, cx.t("No spans yet"));
    }
    for (id, span) in spans {
        let Some(label) = project.schema().span_labels.get(usize::from(span.label)) else { continue };
        let name = span_name(project.schema(), &document.annotation, id, &span);
        row_in_sight(ui, ("span", id.0), |ui| span_ui(ui, cx, document, marking, (id, &span), (&name, label.hue)));
        if marking.selected == Some(id) {
            card_ui(ui, cx, project.schema(), document, marking, (id, &span));
        }
    }
}

fn span_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    document: &Document,
    marking: &mut Marking,
    (id, span): (SpanId, &Span),
    (label, hue): (&str, u8),
) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        icons::dot(ui, palette(ui).hue(hue));
        let mark = span.polarity.map_or("", mark_of);
        let words = format!("{} · {label} {mark}", excerpt(span.range.of(&document.text)));
        let room = ui.available_width() - 36.0;
        ui.allocate_ui_with_layout(vec2(room, 28.0), Layout::left_to_right(Align::Center), |ui| {
            if ui.add(Button::selectable(marking.selected == Some(id), words.trim_end()).truncate()).clicked() {
                marking.deselect();
                marking.select_span(document, id);
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button(ui, Icon::Close, cx.t("Remove the span"), true).clicked() {
                cx.send(Command::RemoveSpan { doc: document.id, id });
            }
        });
    });
}

fn columns_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
    if document.meta.is_empty() {
        return;
    }
    section(ui, cx.t("Columns"));
    for (name, value) in document.meta.iter() {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(RichText::new(name).small().color(palette(ui).weak));
            ui.add(Label::new(value).wrap());
        });
    }
}

/// A row of the usual height; out of sight only its room is taken, so hundreds of them cost nothing.
fn row_in_sight(ui: &mut Ui, id: impl std::hash::Hash + std::fmt::Debug, content: impl FnOnce(&mut Ui)) {
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    if !ui.is_rect_visible(Rect::from_min_size(ui.cursor().min, size)) {
        ui.allocate_space(size);
        return;
    }
    ui.push_id(id, |ui| ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), content));
}

fn section(ui: &mut Ui, name: &str) {
    ui.add_space(GAP * 0.5);
    ui.label(RichText::new(name).strong());
}

fn weak(ui: &mut Ui, words: &str) {
    ui.label(RichText::new(words).color(palette(ui).weak));
}
