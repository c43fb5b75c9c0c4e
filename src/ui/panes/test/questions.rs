//! Answers to the questions beside the main one: a bar for each label, or a place on a scale.

use super::percent;
use crate::desk::{Answered, Tester};
use crate::predict::{QuestionAnswer, QuestionForm, QuestionKind};
use crate::project::Schema;
use crate::ui::widgets::bars::{Bar, bar};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText};

pub(super) fn ui(ui: &mut egui::Ui, cx: &Cx<'_>, tester: &Tester, answered: &Answered, schema: &Schema) {
    for (form, answer) in tester.questions().iter().zip(&answered.prediction.questions) {
        ui.add_space(12.0);
        ui.label(RichText::new(&form.name).strong());
        ui.add_space(2.0);
        match &form.kind {
            QuestionKind::Labels { labels, .. } => labels_ui(ui, schema, (form, labels), answer),
            QuestionKind::Number { min, max } => number_ui(ui, cx, answer.number, (*min, *max)),
            QuestionKind::Ordinal { min, step, steps } => number_ui(ui, cx, answer.number, (*min, min + step * *steps as f64)),
        }
    }
}

/// Those that are said stand out.
fn labels_ui(ui: &mut egui::Ui, schema: &Schema, (form, labels): (&QuestionForm, &[String]), answer: &QuestionAnswer) {
    let palette = theme::palette(ui);
    let question = schema.questions().map(|(_, question)| question).find(|question| question.name == form.name);
    for ((at, name), probability) in (0u16..).zip(labels).zip(&answer.probabilities) {
        let known = question.and_then(|question| question.classes.iter().find(|class| class.name == *name));
        let hue = palette.hue(known.map_or(at as u8, |class| class.hue));
        bar(ui, 110.0, &Bar { name, share: *probability, figure: &percent(*probability), hue, strong: answer.labels.contains(&at) });
    }
}

fn number_ui(ui: &mut egui::Ui, cx: &Cx<'_>, number: Option<f64>, (min, max): (f64, f64)) {
    let Some(number) = number else { return };
    let palette = theme::palette(ui);
    let name = cx.tf("{} to {}", &[&min, &max]);
    let share = ((number - min) / (max - min)) as f32;
    bar(ui, 110.0, &Bar { name: &name, share, figure: &format!("{number:.2}"), hue: palette.accent, strong: true });
}
