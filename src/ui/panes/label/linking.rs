//! Links under way and links that are there: which type they are of, and which way round they go.

use super::marking::{Linking, Marking};
use super::text::excerpt;
use crate::desk::Command;
use crate::project::{Annotation, Document, Link, Schema, SpanId};
use crate::ui::Cx;
use crate::ui::keys;
use crate::ui::theme::palette;
use crate::ui::widgets::choice::Choice;
use crate::ui::widgets::document::{LinkLook, MarkedLink};
use eframe::egui::{self, RichText, Ui, containers::menu::MenuButton, vec2};

/// The links of an annotation as the document shows them: each in the look of its type, where there are several.
pub(super) fn marked_links<'a>(schema: &'a Schema, said: &Annotation) -> Vec<MarkedLink<'a>> {
    let types = schema.link_types();
    let look = |link: &Link| {
        let held = types.get(usize::from(said.link_type(link))).filter(|_| types.len() > 1)?;
        Some(LinkLook { name: &held.name, hue: held.hue })
    };
    said.links.iter().map(|link| MarkedLink::new(link.from.0, link.to.0).with_look(look(link))).collect()
}

/// The direction in which a type can join two spans: as given if it can, else the other way round.
fn way(schema: &Schema, document: &Document, link_type: u16, (a, b): (SpanId, SpanId)) -> Option<(SpanId, SpanId)> {
    let held = schema.link_types().get(usize::from(link_type))?;
    let label = |id: SpanId| document.annotation.spans.get(&id).map(|span| span.label);
    let joins = |(from, to): &(SpanId, SpanId)| matches!((label(*from), label(*to)), (Some(from), Some(to)) if held.joins(from, to));
    [(a, b), (b, a)].into_iter().find(joins)
}

/// The type of the link under way: the one chosen, else the one that the spans have, else the first that can join them.
fn type_of(schema: &Schema, document: &Document, linking: &Linking, pair: (SpanId, SpanId)) -> Option<u16> {
    let can = |link_type: &u16| way(schema, document, *link_type, pair).is_some();
    let (a, b) = pair;
    let held = [Link { from: a, to: b }, Link { from: b, to: a }].into_iter().find(|link| document.annotation.links.contains(link));
    let held = held.map(|link| document.annotation.link_type(&link));
    let count = schema.link_types().len() as u16;
    linking.link_type.filter(can).or(held).or_else(|| (0..count).find(can))
}

impl Marking {
    /// Links the two spans chosen, the opinion to the aspect, or takes their link away.
    pub fn link(&mut self, cx: &mut Cx<'_>, schema: &Schema, document: &Document) {
        let Some(linking @ Linking { from, to: Some(to), .. }) = self.linking.take() else { return };
        let pair = super::marking::oriented(schema, document, from, to);
        let doc = document.id;
        if schema.link_types().len() == 1 && way(schema, document, 0, pair).is_some() {
            let (from, to) = way(schema, document, 0, pair).unwrap_or(pair);
            cx.send(Command::ToggleLink { doc, from, to });
        } else if let Some(link_type) = type_of(schema, document, &linking, pair)
            && let Some((from, to)) = way(schema, document, link_type, pair)
        {
            cx.send(Command::LinkAs { doc, from, to, link_type });
        }
    }
}

/// While a link is under way digits choose its type.
pub(super) fn keys(ui: &Ui, schema: &Schema, document: &Document, marking: &mut Marking) {
    let Some(linking) = &mut marking.linking else { return };
    let types = schema.link_types().len();
    if types < 2 {
        return;
    }
    let Some(link_type) = keys::digit_pressed(ui).map(|digit| u16::from(digit) - 1).filter(|at| usize::from(*at) < types) else { return };
    let fits = linking.to.is_none_or(|to| way(schema, document, link_type, (linking.from, to)).is_some());
    if fits {
        linking.link_type = Some(link_type);
    }
}

/// The line about the link under way.
pub(super) fn linking_ui(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, marking: &mut Marking, linking: Linking) {
    let words = |id: SpanId| document.annotation.spans.get(&id).map(|span| excerpt(span.range.of(&document.text))).unwrap_or_default();
    let to = linking.to.map_or_else(|| "…".to_owned(), words);
    ui.label(RichText::new(cx.tf("Link {} with {}", &[&words(linking.from), &to])).strong());
    let pair = linking.to.map(|to| super::marking::oriented(schema, document, linking.from, to));
    let chosen = pair.and_then(|pair| type_of(schema, document, &linking, pair));
    let types = schema.link_types();
    if types.len() > 1 {
        for (held, at) in types.iter().zip(0u16..) {
            let can = pair.is_none_or(|pair| way(schema, document, at, pair).is_some());
            let place = usize::from(at);
            let key = if place < 9 { "123456789".get(place..=place).unwrap_or_default() } else { "" };
            let choice = Choice { name: &held.name, key, hue: Some(held.hue), chosen: chosen == Some(at), is_radio: true, percent: None };
            let mut button = ui.add_enabled_ui(can, |ui| choice.show(ui)).inner;
            if !can {
                button = button.on_disabled_hover_text(cx.t("This type does not join spans of these labels"));
            } else if !held.help.is_empty() {
                button = button.on_hover_text(&held.help);
            }
            if button.clicked()
                && let Some(linking) = &mut marking.linking
            {
                linking.link_type = Some(at);
            }
        }
    }
    let link = crate::ui::theme::primary_button(ui, cx.t("Link"));
    if ui.add_enabled(chosen.is_some(), link).clicked() {
        marking.link(cx, schema, document);
    }
    if ui.button(cx.t("Cancel")).clicked() {
        marking.linking = None;
    }
    let hint = if linking.to.is_some() && chosen.is_none() {
        cx.t("No type of link joins spans of these labels: see Labels")
    } else {
        cx.t("Click the other span, or choose it with [ and ] and press Enter")
    };
    ui.add(egui::Label::new(RichText::new(hint).color(palette(ui).weak)).truncate());
}

/// A dot of a link's type, which opens the others; nothing where there is only one.
pub(super) fn type_menu(ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, document: &Document, link: Link) {
    const WIDTH: f32 = 24.0;
    let types = schema.link_types();
    let at = document.annotation.link_type(&link);
    let Some(held) = types.get(usize::from(at)).filter(|_| types.len() > 1) else { return };
    let button = egui::Button::new("").min_size(vec2(WIDTH, 24.0)).frame_when_inactive(false);
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        for (other, link_type) in types.iter().zip(0u16..) {
            let ends = way(schema, document, link_type, (link.from, link.to));
            let entry = ui.add_enabled(ends.is_some(), egui::Button::selectable(link_type == at, &other.name));
            if let (Some((from, to)), true) = (ends, entry.clicked() && link_type != at) {
                cx.send(Command::LinkAs { doc: document.id, from, to, link_type });
                ui.close();
            }
        }
    });
    ui.painter().circle_filled(response.rect.center(), 5.0, palette(ui).hue(held.hue));
    let words = cx.tf("Type of the link: {}", &[&held.name]);
    response.accessible_name(&words).on_hover_text(words);
}
