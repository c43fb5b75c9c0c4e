//! Under the text: a row for each question with what answers it, and what to do with the document.
//!
//! One question is the active one: digits answer it. What is being typed or dragged stays here until it is entered.

use super::state_word;
use crate::desk::Command;
use crate::project::{Answer, DocId, Document, Kind, LabelId, Number, Question, QuestionId, Scale, Schema, State};
use crate::ui::Cx;
use crate::ui::icons::{Icon, icon_button};
use crate::ui::keys::{self, Action};
use crate::ui::theme::{ROW_HEIGHT, palette, primary_button};
use crate::ui::widgets::choice::Choice;
use crate::ui::widgets::queue_list::{flag, state_mark};
use eframe::egui::{
    self, Align, Button, Key, KeyboardShortcut, Layout, Modifiers, RichText, Role, ScrollArea, Slider, TextEdit, Ui, WidgetInfo, vec2,
};

/// Room for the names of questions, in points.
const NAMES: f32 = 92.0;

/// Where one is among the questions, and what is not entered yet.
#[derive(Default)]
pub(super) struct Answers {
    active: QuestionId,
    typed: Option<(DocId, QuestionId, String)>,
    dragged: Option<(DocId, QuestionId, Number)>,
    /// The field of the active question is to get the focus.
    wants_focus: bool,
}

impl Answers {
    /// The question that digits answer: the first one when the schema has become shorter.
    pub fn active(&self, schema: &Schema) -> QuestionId {
        if schema.question(self.active).is_some() { self.active } else { QuestionId::default() }
    }

    /// Digits, letters and the keys of the rows.
    pub fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, own: Option<egui::Id>) {
        let active = self.active(schema);
        let last = schema.questions.len().saturating_sub(1) as u16;
        for (action, to) in [(Action::QuestionNext, (active.0 + 1).min(last)), (Action::QuestionPrevious, active.0.saturating_sub(1))] {
            if keys::pressed_in(ui, action, own) {
                self.active = QuestionId(to);
                self.wants_focus = true;
            }
        }
        if let Some((question, class)) = keys::class_pressed(ui, schema, active) {
            self.active = question;
            choose(cx, schema, document, question, class, false);
        }
        if let Some((scale, held)) = schema.question(active).and_then(|question| scale_of(question, document, active)) {
            if let Some(to) = keys::digit_pressed(ui).and_then(|digit| scale.of_digit(digit)) {
                send(cx, document.id, active, Some(Answer::Number(to)));
            }
            for (action, by) in [(Action::NumberUp, 1), (Action::NumberDown, -1)] {
                if keys::pressed_in(ui, action, own) {
                    send(cx, document.id, active, Some(Answer::Number(scale.stepped(held, by))));
                }
            }
        }
        if keys::pressed_in(ui, Action::ClearClass, own) && document.annotation.answers.contains_key(&active) {
            send(cx, document.id, active, None);
        }
    }

    /// Enters what was typed, when another document or place is turned to.
    pub fn flush(&mut self, cx: &mut Cx<'_>, still: Option<DocId>) {
        if let Some((doc, question, text)) = self.typed.take_if(|(doc, ..)| Some(*doc) != still) {
            send(cx, doc, question, text_answer(&text));
        }
        self.dragged = None.or(self.dragged.filter(|(doc, ..)| Some(*doc) == still));
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document) {
        // Many questions scroll: the text keeps most of the window.
        let most = (ui.ctx().content_rect().height() * 0.32).max(3.0 * ROW_HEIGHT);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            for (id, question) in schema.questions() {
                ui.push_id(id.0, |ui| self.row_ui(ui, cx, schema, document, (id, question)));
            }
        });
        // Room for both halves of the line, with a reason beside the state.
        let is_narrow = ui.available_width() < 540.0;
        let rest = |ui: &mut Ui, cx: &mut Cx<'_>| {
            let size = vec2(ui.available_width(), ROW_HEIGHT);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| steps_ui(ui, cx, document));
        };
        ui.horizontal(|ui| {
            state_ui(ui, cx, document);
            let words = cx.t("Edit the labels…");
            let button = ui.add(Button::new(RichText::new(cx.t("Labels…")).color(palette(ui).weak)).frame_when_inactive(false));
            if button.accessible_name(words).on_hover_text(format!("{words} ({})", keys::name_of(Action::Labels))).clicked() {
                keys::wish(ui, Action::Labels);
            }
            if !is_narrow {
                rest(ui, cx);
            }
        });
        if is_narrow {
            rest(ui, cx);
        }
        self.wants_focus = false;
    }

    fn row_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, (id, question): (QuestionId, &Question)) {
        let is_active = self.active(schema) == id;
        let named = schema.questions.len() > 1 || !question.kind.has_classes() || !schema.question_help(id).is_empty();
        ui.horizontal_top(|ui| {
            if named {
                self.name_ui(ui, schema, (id, question), is_active);
            }
            ui.vertical(|ui| match question.kind {
                Kind::One | Kind::Several => {
                    ui.horizontal_wrapped(|ui| {
                        let held = |class| document.annotation.has_class(id, class);
                        let said = cx.desk.class_probabilities(document.id);
                        let is_main = schema.main_question().is_some_and(|(main, _)| main == id);
                        let said = if is_main { said.as_slice() } else { &[] };
                        if let Some(class) = class_buttons(ui, schema, (id, question), is_active, said, held) {
                            self.active = id;
                            choose(cx, schema, document, id, class, true);
                        }
                    });
                }
                Kind::Number(scale) => self.number_ui(ui, cx, document, (id, question), scale),
                Kind::Text => self.text_ui(ui, cx, document, (id, question), is_active),
            });
        });
    }

    /// The name of a question; a click makes it the active one.
    fn name_ui(&mut self, ui: &mut Ui, schema: &Schema, (id, question): (QuestionId, &Question), is_active: bool) {
        let colours = palette(ui);
        let ink = if is_active { colours.accent } else { colours.weak };
        let text = RichText::new(&question.name).color(ink);
        let button = Button::new(if is_active { text.strong() } else { text }).frame(false).truncate();
        let size = vec2(NAMES, ROW_HEIGHT);
        let response = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_width(NAMES);
            ui.add(button)
        });
        let response = response.inner;
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_active, &question.name));
        let help = schema.question_help(id);
        let response = if help.is_empty() { response } else { response.on_hover_text(help) };
        if response.clicked() {
            self.active = id;
            self.wants_focus = true;
        }
    }

    /// A slider that says nothing until it is touched, the number, and a cross that takes it away.
    fn number_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, (id, question): (QuestionId, &Question), scale: Scale) {
        let held = scale_of(question, document, id).and_then(|(_, held)| held);
        let dragged = self.dragged.filter(|(doc, asked, _)| (*doc, *asked) == (document.id, id)).map(|(.., number)| number);
        let shown = dragged.or(held);
        let mut value = shown.unwrap_or_else(|| scale.stepped(None, 0)).value();
        ui.horizontal(|ui| {
            ui.set_min_height(ROW_HEIGHT);
            // Beside it stand the ends of the scale, the number and the cross.
            ui.spacing_mut().slider_width = (ui.available_width() - 150.0).clamp(60.0, 240.0);
            let weak = palette(ui).weak;
            ui.label(RichText::new(scale.min.to_string()).small().color(weak));
            let slider = Slider::new(&mut value, scale.min.value()..=scale.max.value()).step_by(scale.step.value());
            let response = ui.add(slider.show_value(false).trailing_fill(shown.is_some())).accessible_name(&question.name);
            ui.label(RichText::new(scale.max.to_string()).small().color(weak));
            let to = Number::new(value).map(|number| scale.nearest(number));
            if response.drag_stopped() {
                self.dragged = None;
                self.active = id;
                send(cx, document.id, id, to.map(Answer::Number));
            } else if response.dragged() {
                self.dragged = to.map(|number| (document.id, id, number));
            } else if response.changed() && to.is_some_and(|to| shown.unwrap_or_else(|| scale.stepped(None, 0)) != to) {
                // By arrow keys, or from a screen reader. (The slider also puts numbers right that lie between its steps.)
                send(cx, document.id, id, to.map(Answer::Number));
            }
            let words = shown.map_or_else(|| "–".to_owned(), |number| number.to_string());
            let words = RichText::new(words).strong().color(if shown.is_some() { palette(ui).text } else { weak });
            ui.add_sized(vec2(44.0, ROW_HEIGHT), egui::Label::new(words));
            let clear = cx.tf("Take the answer to {} away", &[&question.name]);
            if held.is_some() && icon_button(ui, Icon::Close, &clear, true).clicked() {
                send(cx, document.id, id, None);
            }
        });
    }

    fn text_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, (id, question): (QuestionId, &Question), is_active: bool) {
        let held = match document.annotation.answers.get(&id) {
            Some(Answer::Text(text)) => text.as_str(),
            _ => "",
        };
        let typed = self.typed.as_ref().filter(|(doc, asked, _)| (*doc, *asked) == (document.id, id));
        let mut text = typed.map_or_else(|| held.to_owned(), |(.., text)| text.clone());
        let line_break = KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter);
        let field = TextEdit::multiline(&mut text).desired_rows(1).desired_width(f32::INFINITY).return_key(line_break);
        let field = field.id_salt(("answer", id.0)).hint_text(cx.t("Your words; Enter keeps them, Shift+Enter begins a line"));
        let response = ui.add(field).accessible_name(&question.name);
        if is_active && self.wants_focus {
            response.request_focus();
        }
        if response.gained_focus() {
            self.active = id;
        }
        if response.changed() {
            self.typed = Some((document.id, id, text));
        }
        let entered = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.shift);
        if entered {
            response.surrender_focus();
        }
        if (entered || response.lost_focus())
            && let Some((doc, asked, text)) = self.typed.take_if(|(doc, asked, _)| (*doc, *asked) == (document.id, id))
        {
            send(cx, doc, asked, text_answer(&text));
        }
    }
}

fn text_answer(text: &str) -> Option<Answer> {
    let text = text.trim();
    (!text.is_empty()).then(|| Answer::Text(text.to_owned()))
}

/// The scale of a question of numbers, and the number answered.
fn scale_of(question: &Question, document: &Document, id: QuestionId) -> Option<(Scale, Option<Number>)> {
    let Kind::Number(scale) = question.kind else { return None };
    let held = match document.annotation.answers.get(&id) {
        Some(Answer::Number(number)) => Some(*number),
        _ => None,
    };
    Some((scale, held))
}

fn send(cx: &mut Cx<'_>, doc: DocId, question: QuestionId, to: Option<Answer>) {
    cx.send(Command::SetAnswer { doc, question, to });
}

/// Gives a class, or with several labels adds it or takes it away. `again_clears`: a click on the one class that holds
/// takes it away; its key only says the same again.
fn choose(cx: &mut Cx<'_>, schema: &Schema, document: &Document, question: QuestionId, class: u16, again_clears: bool) {
    let Some(asked) = schema.question(question) else { return };
    let held = document.annotation.answers.get(&question);
    let to = match (asked.kind, held) {
        (Kind::Several, Some(Answer::Classes(classes))) => {
            let mut classes = classes.clone();
            if !classes.remove(&class) {
                classes.insert(class);
            }
            (!classes.is_empty()).then_some(Answer::Classes(classes))
        }
        (Kind::Several, _) => Some(Answer::Classes([class].into())),
        (_, Some(Answer::Class(held))) if *held == class && again_clears => None,
        _ => Some(Answer::Class(class)),
    };
    if held != to.as_ref() {
        send(cx, document.id, question, to);
    }
}

/// A button for each class, with the probability a model gives it; answers with the one clicked. Digits are shown only
/// where they work.
pub(super) fn class_buttons(
    ui: &mut Ui,
    schema: &Schema,
    (id, question): (QuestionId, &Question),
    is_active: bool,
    said: &[(u16, f32)],
    held: impl Fn(u16) -> bool,
) -> Option<u16> {
    let mut clicked = None;
    for (class, at) in question.classes.iter().zip(0u16..) {
        let key = keys::class_key(schema, id, at);
        let works = is_active || key.chars().all(|key| !key.is_ascii_digit());
        let key = if works { key.as_str() } else { "" };
        let is_radio = question.kind == Kind::One;
        let percent = said.iter().find(|(class, _)| *class == at).map(|(_, probability)| (probability * 100.0).round() as u8);
        let choice = Choice { name: &class.name, key, hue: Some(class.hue), chosen: held(at), is_radio, percent };
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
    let why = &annotation.skip_reason;
    let shown = if why.is_empty() { word.to_owned() } else { format!("{word}: {}", super::text::excerpt(why)) };
    let menu = ui.menu_button(format!("{SPACE}{shown}"), |ui| {
        for state in [State::Todo, State::Done, State::Skipped] {
            if ui.selectable_label(annotation.state == state, cx.t(state_word(&state))).clicked() && annotation.state != state {
                cx.send(Command::SetState { doc: document.id, to: state });
            }
        }
    });
    let menu = menu.response.accessible_name(cx.tf("State: {}", &[&shown]));
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
    if ui.button(cx.t("Skip because…")).on_hover_text(keys::name_of(Action::SkipBecause)).clicked() {
        keys::wish(ui, Action::SkipBecause);
    }
    if ui.button(cx.t("Skip")).on_hover_text(keys::name_of(Action::Skip)).clicked() {
        cx.send(Command::Skip(doc));
    }
}
