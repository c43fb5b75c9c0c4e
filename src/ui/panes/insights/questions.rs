//! A card for each question beside the main one: how often each label was given, how numbers are spread.

use super::{bar, card, open};
use crate::project::{Answer, DocId, Document, Filter, Kind, Number, QuestionCount, QuestionId, Scale, Schema, What};
use crate::ui::{Cx, theme};
use eframe::egui::{RichText, Ui};

/// So many bars show how numbers are spread; a scale with fewer steps has one for each.
const BINS: usize = 10;

/// What was answered to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionSummary {
    pub id: QuestionId,
    pub count: QuestionCount,
    /// Documents by number, the lowest bin first; empty for other kinds.
    pub bins: Vec<Bin>,
    /// Mean of the numbers.
    pub mean: Option<f64>,
}

/// Numbers from `from` to `to`, `to` belonging to the next bin unless it is the last; or one number alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    pub from: Number,
    pub to: Number,
    pub documents: Vec<DocId>,
}

impl QuestionSummary {
    /// All questions but the main one, which has a card of its own; nothing is counted yet.
    pub(super) fn others(schema: &Schema) -> Vec<Self> {
        let main = schema.main_question().map(|(id, _)| id);
        let others = schema.questions().filter(|(id, _)| Some(*id) != main);
        others
            .map(|(id, question)| {
                let count = QuestionCount { answered: 0, classes: vec![0; question.classes.len()] };
                let bins = if let Kind::Number(scale) = question.kind { bins_of(scale) } else { Vec::new() };
                Self { id, count, bins, mean: None }
            })
            .collect()
    }

    /// Counts a document. Until [`QuestionSummary::finish`] the mean is the sum.
    pub(super) fn take(&mut self, doc: &Document) {
        let Some(answer) = doc.annotation.answers.get(&self.id) else { return };
        self.count.take(answer);
        let Answer::Number(number) = answer else { return };
        self.mean = Some(self.mean.unwrap_or(0.0) + number.value());
        let at = self.bins.partition_point(|bin| bin.from <= *number);
        if let Some(bin) = self.bins.get_mut(at.saturating_sub(1)) {
            bin.documents.push(doc.id);
        }
    }

    pub(super) fn finish(&mut self) {
        self.mean = self.mean.map(|sum| sum / self.count.answered.max(1) as f64);
    }
}

fn bins_of(scale: Scale) -> Vec<Bin> {
    let width = scale.count().div_ceil(BINS + 1) as i32;
    let mut bins: Vec<Bin> = Vec::new();
    let mut from = scale.min;
    loop {
        // A step that stands alone is a bin from itself to itself; wider bins share their ends.
        let next = scale.stepped(Some(from), width);
        let to = if width == 1 { from } else { next };
        bins.push(Bin { from, to, documents: Vec::new() });
        let is_last = if width == 1 { from >= scale.max } else { next >= scale.max };
        if is_last || next <= from {
            return bins;
        }
        from = next;
    }
}

pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, summaries: &[QuestionSummary], all: usize) {
    let Some(schema) = cx.desk.project().map(|project| project.schema().clone()) else { return };
    let palette = theme::palette(ui);
    for QuestionSummary { id, count, bins, mean } in summaries {
        let Some(question) = schema.question(*id) else { continue };
        card(ui, &question.name, |ui| {
            for ((class, given), at) in question.classes.iter().zip(&count.classes).zip(0u16..) {
                if bar(ui, &class.name, palette.hue(class.hue), *given, all) {
                    open(cx, Filter::of(What::Class(*id, Some(at))));
                }
            }
            for (at, bin) in bins.iter().enumerate() {
                let is_last = at + 1 == bins.len();
                let name = match (bin.from == bin.to, is_last) {
                    (true, _) => bin.from.to_string(),
                    (false, true) => cx.tf("{} to {}", &[&bin.from, &bin.to]),
                    (false, false) => cx.tf("{} to below {}", &[&bin.from, &bin.to]),
                };
                if bar(ui, &name, palette.accent, bin.documents.len(), all) {
                    open(cx, Filter::only(bin.documents.as_slice()));
                }
            }
            if let Some(mean) = mean {
                let mean = format!("{mean:.2}");
                ui.label(RichText::new(cx.tf("Mean {} of {} answers", &[&mean, &count.answered])).color(palette.weak));
            }
            if question.kind == Kind::Text {
                ui.label(RichText::new(cx.tf("{} answered", &[&count.answered])).color(palette.weak));
            }
            if bar(ui, cx.t("not answered"), palette.line, all - count.answered.min(all), all) {
                open(cx, Filter::of(What::Class(*id, None)));
            }
        });
    }
}
