//! What is said of the selected span beside its polarity: a card in the details, and a chooser under the text whose digits
//! answer while it is open.

use super::marking::Marking;
use crate::desk::Command;
use crate::project::{Attribute, AttributeKind, AttributeValue, Document, Number, Scale, Schema, Span, SpanId};
use crate::ui::Cx;
use crate::ui::icons::{Icon, icon_button};
use crate::ui::keys::{self, Action};
use crate::ui::theme::{ROW_HEIGHT, card, palette};
use crate::ui::widgets::choice::Choice;
use eframe::egui::{self, RichText, Slider, Ui, vec2};

/// What a span is called where it is shown: its label, and what is said of it: "aspect · food".
pub(super) fn span_name(schema: &Schema, said: &crate::project::Annotation, id: SpanId, span: &Span) -> String {
    let label = schema.span_labels.get(usize::from(span.label)).map_or("", |label| label.name.as_str());
    let words = schema.attribute_words(span.label, said.attributes_of(id)).into_iter().map(|(_, words)| words);
    std::iter::once(label.to_owned()).chain(words).collect::<Vec<_>>().join(" · ")
}

/// Takes the keys of the chooser: digits and steps answer the attribute that is asked for.
pub(super) fn keys(ui: &Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    let own = marking.text_id();
    let Some((id, span)) = marking.selected_span(document) else {
        marking.choosing = None;
        return;
    };
    let asked = schema.attributes(span.label);
    marking.choosing = marking.choosing.filter(|(held, at)| *held == id && usize::from(*at) < asked.len());
    if keys::pressed_in(ui, Action::Attributes, own) {
        // Again: the next one, and after the last none.
        let next = marking.choosing.map_or(0, |(_, at)| at + 1);
        marking.choosing = (usize::from(next) < asked.len()).then_some((id, next));
    }
    let Some((attribute, at)) = marking.choosing.and_then(|(_, at)| Some((asked.get(usize::from(at))?, at))) else { return };
    let held = document.annotation.attributes_of(id).get(at);
    let mut send = |to| cx.send(Command::SetAttribute { doc: document.id, id, attribute: at, to });
    let digit = keys::digit_pressed(ui).and_then(|digit| value_of_digit(attribute, digit));
    if let Some(value) = digit {
        send(Some(value));
        let next = at + 1;
        marking.choosing = (usize::from(next) < asked.len()).then_some((id, next));
    }
    if let AttributeKind::Number(scale) = attribute.kind {
        for (action, by) in [(Action::NumberUp, 1), (Action::NumberDown, -1)] {
            if keys::pressed_in(ui, action, own) {
                send(Some(AttributeValue::Number(scale.stepped(number_of(held), by))));
            }
        }
    }
    if keys::pressed_in(ui, Action::ClearClass, own) && held.is_some() {
        send(None);
    }
    for action in [Action::Deselect, Action::Finish] {
        if keys::pressed_in(ui, action, own) {
            marking.choosing = None;
        }
    }
}

fn value_of_digit(attribute: &Attribute, digit: u8) -> Option<AttributeValue> {
    match &attribute.kind {
        AttributeKind::Values(_) => Some(AttributeValue::Value(u16::from(digit.checked_sub(1)?))).filter(|value| attribute.takes(*value)),
        AttributeKind::Number(scale) => scale.of_digit(digit).map(AttributeValue::Number),
    }
}

fn number_of(value: Option<AttributeValue>) -> Option<Number> {
    match value {
        Some(AttributeValue::Number(number)) => Some(number),
        _ => None,
    }
}

/// The attribute that digits answer now, under the line of the selected span.
pub(super) fn chooser_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking) {
    let Some((id, at)) = marking.choosing else { return };
    let Some(span) = document.annotation.spans.get(&id) else { return };
    let Some(attribute) = schema.attributes(span.label).get(usize::from(at)) else { return };
    let held = document.annotation.attributes_of(id).get(at);
    ui.horizontal_wrapped(|ui| {
        ui.set_min_height(ROW_HEIGHT);
        let name = ui.label(RichText::new(&attribute.name).strong().color(palette(ui).accent));
        if !attribute.help.is_empty() {
            name.on_hover_text(&attribute.help);
        }
        let key = |place: usize| if place < 9 { "123456789".get(place..=place).unwrap_or_default() } else { "" };
        match &attribute.kind {
            AttributeKind::Values(values) => {
                for (place, words) in values.iter().enumerate() {
                    let value = AttributeValue::Value(place as u16);
                    let choice =
                        Choice { name: words, key: key(place), hue: None, chosen: held == Some(value), is_radio: true, percent: None };
                    if choice.show(ui).accessible_name(cx.tf("Choose {}", &[words])).clicked() {
                        cx.send(Command::SetAttribute { doc: document.id, id, attribute: at, to: Some(value) });
                    }
                }
                if values.is_empty() {
                    ui.label(RichText::new(cx.t("It has no values yet: see Labels")).color(palette(ui).weak));
                }
            }
            AttributeKind::Number(scale) => {
                let held = number_of(held).map_or_else(|| "–".to_owned(), |number| number.to_string());
                ui.label(RichText::new(held).strong());
                let words = digits_words(cx, *scale);
                ui.label(RichText::new(words).color(palette(ui).weak));
            }
        }
    });
}

/// What the digits stand for on a scale.
fn digits_words(cx: &Cx<'_>, scale: Scale) -> String {
    let last = scale.count().min(9);
    let (up, down) = (keys::name_of(Action::NumberUp), keys::name_of(Action::NumberDown));
    cx.tf("Keys 1 to {} run from {} to {}; a step: {} or {}", &[&last, &scale.min, &scale.max, &down, &up])
}

/// All attributes of the selected span, for the mouse.
pub(super) fn card_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    schema: &Schema,
    document: &Document,
    marking: &mut Marking,
    (id, span): (SpanId, &Span),
) {
    let asked = schema.attributes(span.label);
    if asked.is_empty() {
        return;
    }
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (attribute, at) in asked.iter().zip(0u16..) {
            ui.push_id(("attribute", at), |ui| attribute_ui(ui, cx, document, marking, id, (attribute, at)));
        }
    });
}

fn attribute_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, marking: &mut Marking, id: SpanId, (attribute, at): (&Attribute, u16)) {
    let held = document.annotation.attributes_of(id).get(at);
    let is_asked = marking.choosing == Some((id, at));
    let ink = if is_asked { palette(ui).accent } else { palette(ui).weak };
    let name = ui.label(RichText::new(&attribute.name).small().color(ink));
    let mut hint = keys::name_of(Action::Attributes);
    if !attribute.help.is_empty() {
        hint = format!("{}\n{hint}", attribute.help);
    }
    name.on_hover_text(hint);
    let doc = document.id;
    match &attribute.kind {
        AttributeKind::Values(values) => {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
                for (words, place) in values.iter().zip(0u16..) {
                    let value = AttributeValue::Value(place);
                    let chosen = held == Some(value);
                    let choice = Choice { name: words, key: "", hue: None, chosen, is_radio: true, percent: None };
                    if choice.show(ui).accessible_name(format!("{}: {words}", attribute.name)).clicked() {
                        // The one that holds, clicked again, goes.
                        cx.send(Command::SetAttribute { doc, id, attribute: at, to: (!chosen).then_some(value) });
                    }
                }
            });
        }
        AttributeKind::Number(scale) => number_ui(ui, cx, document, marking, id, (attribute, at, *scale, number_of(held))),
    }
}

/// A slider that says nothing until it is touched, the number, and a cross that takes it away.
fn number_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    document: &Document,
    marking: &mut Marking,
    id: SpanId,
    (attribute, at, scale, held): (&Attribute, u16, Scale, Option<Number>),
) {
    let dragged = marking.dragged.filter(|(span, held, _)| (*span, *held) == (id, at)).map(|(.., number)| number);
    let shown = dragged.or(held);
    let start = shown.unwrap_or_else(|| scale.stepped(None, 0));
    let mut value = start.value();
    let mut sent = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 88.0).max(60.0);
        let slider = Slider::new(&mut value, scale.min.value()..=scale.max.value()).step_by(scale.step.value());
        let response = ui.add(slider.show_value(false).trailing_fill(shown.is_some())).accessible_name(&attribute.name);
        let to = Number::new(value).map(|number| scale.nearest(number));
        if response.drag_stopped() {
            marking.dragged = None;
            sent = to.map(|to| Some(AttributeValue::Number(to)));
        } else if response.dragged() {
            marking.dragged = to.map(|number| (id, at, number));
        } else if response.changed() && to.is_some_and(|to| to != start) {
            sent = to.map(|to| Some(AttributeValue::Number(to)));
        }
        let words = shown.map_or_else(|| "–".to_owned(), |number| number.to_string());
        ui.add_sized(vec2(36.0, ROW_HEIGHT), egui::Label::new(RichText::new(words).strong()));
        let clear = cx.tf("Take {} away", &[&attribute.name]);
        if held.is_some() && icon_button(ui, Icon::Close, &clear, true).clicked() {
            sent = Some(None);
        }
    });
    if let Some(to) = sent {
        cx.send(Command::SetAttribute { doc: document.id, id, attribute: at, to });
    }
}
