//! Under the text: the question with its classes, and what to do with the document.

use super::state_word;
use crate::desk::Command;
use crate::project::{Document, LabelId, Schema, State};
use crate::ui::Cx;
use crate::ui::keys::{self, Action};
use crate::ui::theme::{palette, primary_button};
use crate::ui::widgets::choice::Choice;
use crate::ui::widgets::queue_list::{flag, state_mark};
use eframe::egui::{Align, Button, Layout, RichText, Role, Ui, WidgetInfo, vec2};

pub(super) fn answers_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document) {
    ui.horizontal_wrapped(|ui| {
        let held = schema.main_question().and_then(|(id, _)| document.annotation.class(id));
        if let Some(class) = class_buttons(ui, schema, held) {
            answer(cx, schema, document, (held != Some(class)).then_some(class));
        }
        let words = cx.t("Edit the labels…");
        let button = ui.add(Button::new(RichText::new(cx.t("Labels…")).color(palette(ui).weak)).frame_when_inactive(false));
        if button.accessible_name(words).on_hover_text(format!("{words} ({})", keys::name_of(Action::Labels))).clicked() {
            keys::wish(ui, Action::Labels);
        }
    });
    ui.horizontal(|ui| {
        state_ui(ui, cx, document);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| steps_ui(ui, cx, document));
    });
}

/// Gives the main question this answer, if it is another one.
pub(super) fn answer(cx: &mut Cx<'_>, schema: &Schema, document: &Document, class: Option<u16>) {
    let Some((id, question)) = schema.main_question() else { return };
    let is_known = class.is_none_or(|class| usize::from(class) < question.classes.len());
    if is_known && document.annotation.class(id) != class {
        cx.send(Command::SetClass { doc: document.id, class });
    }
}

/// A button for each class; answers with the one clicked.
pub(super) fn class_buttons(ui: &mut Ui, schema: &Schema, held: Option<u16>) -> Option<u16> {
    let (id, question) = schema.main_question()?;
    let mut clicked = None;
    for (class, at) in question.classes.iter().zip(0u16..) {
        let key = keys::class_key(schema, at);
        let choice = Choice { name: &class.name, key: &key, hue: Some(class.hue), chosen: held == Some(at), is_radio: true };
        let mut button = choice.show(ui);
        let help = schema.help(LabelId::Class(id, at));
        if !help.is_empty() {
            button = button.on_hover_text(help);
        }
        if button.clicked() {
            clicked = Some(at);
        }
    }
    clicked
}

/// Room for a mark in front of a button's words.
const SPACE: &str = "      ";

/// Where the document stands, and the flag.
fn state_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
    let annotation = &document.annotation;
    let word = cx.t(state_word(&annotation.state));
    let menu = ui.menu_button(format!("{SPACE}{word}"), |ui| {
        for state in [State::Todo, State::Done, State::Skipped] {
            if ui.selectable_label(annotation.state == state, cx.t(state_word(&state))).clicked() && annotation.state != state {
                cx.send(Command::SetState { doc: document.id, to: state });
            }
        }
    });
    let menu = menu.response.accessible_name(cx.tf("State: {}", &[&word]));
    state_mark(ui, menu.rect.left_center() + vec2(15.0, 0.0), &annotation.state, false);
    let name = cx.t(if annotation.flagged { "Flagged" } else { "Flag" });
    let button = ui.add(eframe::egui::Button::new(format!("{SPACE}{name}")).selected(annotation.flagged));
    button.widget_info(|| WidgetInfo::selected(Role::Button, true, annotation.flagged, cx.t("Flag")));
    flag(ui, button.rect.left_center() + vec2(13.0, 0.0));
    if button.on_hover_text(keys::name_of(Action::Flag)).clicked() {
        cx.send(Command::SetFlag { doc: document.id, to: !annotation.flagged });
    }
}

/// Done, skip, back; from the right.
fn steps_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
    let doc = document.id;
    let done = ui.add(primary_button(ui, cx.t("Done, go on")));
    if done.on_hover_text(keys::name_of(Action::Finish)).clicked() {
        cx.send(Command::Finish(doc));
    }
    if ui.button(cx.t("Skip")).on_hover_text(keys::name_of(Action::Skip)).clicked() {
        cx.send(Command::Skip(doc));
    }
}
