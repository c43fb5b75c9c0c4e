//! Ctrl+A: one answer for every document in the list, after asking; to any question, or its answers taken away.

use super::answers::class_buttons;
use crate::desk::Command;
use crate::project::{Answer, Kind, Number, Question, QuestionId, Scale, Schema};
use crate::ui::Cx;
use crate::ui::keys;
use crate::ui::theme::{GAP, palette, primary_button};
use eframe::egui::{ComboBox, Key, RichText, Slider, TextEdit, Ui};

/// The question what to answer, while it is open.
pub(super) struct AnswerAll {
    question: QuestionId,
    number: Option<Number>,
    text: String,
    asked: bool,
}

impl AnswerAll {
    pub fn new(question: QuestionId) -> Self {
        Self { question, number: None, text: String::new(), asked: false }
    }

    /// Draws it; answers whether it is done.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema) -> bool {
        let Some(question) = schema.question(self.question) else { return true };
        // The answer, or that answers are taken away.
        let mut chosen = self.key(ui, schema).map(Some);
        let count = cx.desk.queue().len();
        let mut is_cancelled = false;
        let modal = crate::ui::theme::modal(ui.ctx(), "answer for all").show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            ui.heading(cx.tf("Answer for all {} documents in the list", &[&count]));
            ui.label(RichText::new(cx.t("Answers they have are replaced. One undo takes it back")).color(palette(ui).weak));
            ui.add_space(GAP);
            if schema.questions.len() > 1 {
                self.question_ui(ui, cx, schema);
            }
            if let Some(to) = self.answer_ui(ui, cx, schema, question) {
                chosen = Some(Some(to));
            }
            ui.add_space(GAP);
            ui.horizontal(|ui| {
                is_cancelled = ui.button(cx.t("Cancel")).clicked();
                let words = cx.tf("Take the answer to {} away", &[&question.name]);
                if ui.button(words).clicked() {
                    chosen = Some(None);
                }
            });
        });
        let done = chosen.is_some();
        if let Some(to) = chosen {
            cx.send(Command::AnswerQueue { question: self.question, to });
        }
        done || is_cancelled || modal.should_close()
    }

    /// The class whose key was pressed.
    fn key(&self, ui: &Ui, schema: &Schema) -> Option<Answer> {
        let (asked, class) = keys::class_pressed(ui, schema, self.question)?;
        (asked == self.question).then(|| class_answer(schema, asked, class))?
    }

    fn question_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, schema: &Schema) {
        let name = |id: QuestionId| schema.question(id).map_or("", |question| question.name.as_str());
        ui.horizontal(|ui| {
            let label = ui.label(cx.t("Question"));
            let list = ComboBox::from_id_salt("question for all").selected_text(name(self.question)).width(220.0);
            let list = list.show_ui(ui, |ui| {
                for (id, question) in schema.questions() {
                    if ui.selectable_label(id == self.question, &question.name).clicked() && id != self.question {
                        *self = Self::new(id);
                    }
                }
            });
            list.response.labelled_by(label.id);
        });
        ui.add_space(GAP);
    }

    fn answer_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, question: &Question) -> Option<Answer> {
        match question.kind {
            Kind::One | Kind::Several => {
                let classes = |ui: &mut Ui| class_buttons(ui, schema, (self.question, question), true, &[], |_| false);
                let clicked = ui.horizontal_wrapped(classes).inner;
                clicked.and_then(|class| class_answer(schema, self.question, class))
            }
            Kind::Number(scale) => self.number_ui(ui, cx, question, scale),
            Kind::Text => self.text_ui(ui, cx, question),
        }
    }

    fn number_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, question: &Question, scale: Scale) -> Option<Answer> {
        if let Some(digit) = keys::digit_pressed(ui).and_then(|digit| scale.of_digit(digit)) {
            self.number = Some(digit);
        }
        let number = self.number.unwrap_or_else(|| scale.stepped(None, 0));
        let mut value = number.value();
        ui.horizontal(|ui| {
            let slider = Slider::new(&mut value, scale.min.value()..=scale.max.value()).step_by(scale.step.value());
            if ui.add(slider.show_value(false)).accessible_name(&question.name).changed() {
                self.number = Number::new(value).map(|number| scale.nearest(number));
            }
            ui.label(RichText::new(number.to_string()).strong());
            let entered = ui.input(|input| input.key_pressed(Key::Enter));
            let words = cx.tf("Answer {}", &[&number]);
            (ui.add(primary_button(ui, &words)).clicked() || entered).then_some(Answer::Number(number))
        })
        .inner
    }

    fn text_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, question: &Question) -> Option<Answer> {
        let field = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY)).accessible_name(&question.name);
        if !std::mem::replace(&mut self.asked, true) {
            field.request_focus();
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.add_space(GAP);
        let text = self.text.trim();
        let button = ui.add_enabled(!text.is_empty(), primary_button(ui, cx.t("Answer with these words")));
        ((button.clicked() || entered) && !text.is_empty()).then(|| Answer::Text(text.to_owned()))
    }
}

fn class_answer(schema: &Schema, question: QuestionId, class: u16) -> Option<Answer> {
    Some(match schema.question(question)?.kind {
        Kind::Several => Answer::Classes([class].into()),
        _ => Answer::Class(class),
    })
}
