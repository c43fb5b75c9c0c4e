//! Above a document, where the list is about labels that look wrong: what a model says instead, and the keys that settle it.

use super::marking::Marking;
use super::text::excerpt;
use crate::desk::Command;
use crate::project::{Document, Order, Project, Schema, Span, SpanId, SpanSuspicion, What};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::keys::{self, Action};
use crate::ui::theme::palette;
use crate::ui::widgets::document::MarkedSpan;
use eframe::egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Ui};

/// Whether the list is about such suspicions; hidden suggestions say nothing here either.
fn asks(cx: &Cx<'_>, order: Order, what: &What) -> bool {
    cx.desk.suggests() && (cx.desk.order() == order || cx.desk.filter().has(what))
}

/// The span that a model is sure of in this document, while the list asks for such and nobody has settled it.
fn open_span(cx: &Cx<'_>, document: &Document) -> Option<SpanSuspicion> {
    let is_asked = asks(cx, Order::SuspectedSpans, &What::SuspectedSpan);
    let found = cx.desk.advice().span_suspects.get(&document.id).filter(|_| is_asked)?;
    found.is_open(&document.annotation).then(|| found.clone())
}

/// The mark that the model's span would take the place of.
fn instead(document: &Document, found: &SpanSuspicion) -> Option<(SpanId, Span)> {
    let mut spans = document.annotation.spans.iter().map(|(id, span)| (*id, *span));
    spans.find(|(_, span)| span.range == found.range || span.label == found.label && span.range.overlaps(found.range))
}

/// Whether there is a suspicion to accept or turn down.
pub(super) fn any(cx: &Cx<'_>, document: &Document) -> bool {
    open_span(cx, document).is_some()
}

/// Of no mark and of no suggestion.
const ID: u32 = u32::MAX;

/// The span as a model finds it, drawn like a suggestion.
pub(super) fn drawn<'a>(cx: &Cx<'_>, schema: &'a Schema, document: &Document) -> Option<MarkedSpan<'a>> {
    let found = open_span(cx, document)?;
    let label = schema.span_labels.get(usize::from(found.label))?;
    let (range, percent) = (found.range, Some(found.percent));
    Some(MarkedSpan { id: ID, range, label: &label.name, hue: label.hue, polarity: None, dashed: true, percent })
}

fn mark(cx: &mut Cx<'_>, document: &Document, found: &SpanSuspicion) {
    let SpanSuspicion { range, label, .. } = *found;
    let doc = document.id;
    cx.send(match instead(document, found) {
        Some((id, _)) => Command::ChangeSpan { doc, id, range, label },
        None => Command::AddSpan { doc, range, label },
    });
}

fn keep(cx: &mut Cx<'_>, document: &Document, found: &SpanSuspicion) {
    cx.send(Command::RejectSpan { doc: document.id, range: found.range, label: found.label });
}

/// A suspicion is accepted and rejected by the keys of suggestions, of which a finished document has none.
pub(super) fn keys(ui: &Ui, cx: &mut Cx<'_>, document: &Document, marking: &Marking) {
    let Some(found) = open_span(cx, document) else { return };
    let own = marking.text_id();
    if keys::pressed_in(ui, Action::AcceptNext, own) {
        mark(cx, document, &found);
    } else if keys::pressed_in(ui, Action::RejectNext, own) {
        keep(cx, document, &found);
    }
}

pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document) {
    class_ui(ui, cx, project, document);
    span_ui(ui, cx, project.schema(), document);
}

/// Why an answer is suspected.
fn class_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, document: &Document) {
    let is_asked = asks(cx, Order::SuspectedErrors, &What::Suspected);
    let Some((id, question)) = project.schema().main_question().filter(|_| is_asked) else { return };
    let found = cx.desk.advice().suspects.get(&document.id).filter(|found| found.suspected);
    let Some(found) = found.filter(|found| document.annotation.class(id) == Some(found.answer)) else { return };
    let Some(class) = question.classes.get(usize::from(found.says)) else { return };
    let words = match found.learnt {
        false => cx.tf("A model that had not learnt from this answer says {} ({} %)", &[&class.name, &found.percent]),
        true => cx.tf("A model that has learnt from this answer says {} all the same ({} %)", &[&class.name, &found.percent]),
    };
    bar(ui, "suspected", |ui| warning(ui, words));
}

fn span_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document) {
    let Some(found) = open_span(cx, document) else { return };
    let Some(label) = schema.span_labels.get(usize::from(found.label)) else { return };
    let said = excerpt(found.range.of(&document.text));
    let words = match instead(document, &found) {
        Some((_, span)) => {
            let held = schema.span_labels.get(usize::from(span.label)).map_or("", |label| label.name.as_str());
            let held = format!("{} · {held}", excerpt(span.range.of(&document.text)));
            cx.tf("A model finds {} as {} ({} %) instead of {}", &[&said, &label.name, &found.percent, &held])
        }
        None => cx.tf("A model finds {} as {} ({} %), which is not marked", &[&said, &label.name, &found.percent]),
    };
    bar(ui, "suspected span", |ui| {
        // The buttons at the right; the words have the rest.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(cx.t("Right as it is")).on_hover_text(keys::name_of(Action::RejectNext)).clicked() {
                keep(cx, document, &found);
            }
            if ui.button(cx.t("Mark it so")).on_hover_text(keys::name_of(Action::AcceptNext)).clicked() {
                mark(cx, document, &found);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| warning(ui, words));
        });
    });
}

fn bar(ui: &mut Ui, id: &'static str, content: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 6));
    Panel::top(id).frame(frame).show(ui, |ui| ui.horizontal(content));
}

fn warning(ui: &mut Ui, words: String) {
    icons::inline(ui, Icon::Warning, palette(ui).warning);
    let label = Label::new(RichText::new(&words).color(palette(ui).warning)).truncate();
    ui.add(label).on_hover_text(words);
}
