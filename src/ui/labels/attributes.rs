//! The attributes of a span label, under its row: names, kinds, values, ranges, help; new ones and their end.

use super::details::{Details, Field, choice_menu};
use super::row::{NAME, SWATCH};
use crate::project::{Attribute, AttributeChange, AttributeKind, LabelId, Project, Scale, SchemaChange};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::palette;
use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{self, Align, Layout, RichText, Ui, vec2};

const KIND: f32 = 150.0;
const BOUND: f32 = 52.0;
const VALUE: f32 = 104.0;

/// The words for the kinds of attributes.
pub(in crate::ui) const KINDS: [&str; 2] = ["One of several values", "A number"];

/// Draws the attributes of a label; answers with a change that may have to be asked about.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, details: &mut Details, label: u16) -> Option<SchemaChange> {
    let mut asked = None;
    let name = project.schema().name(LabelId::Span(label)).unwrap_or_default();
    ui.horizontal_top(|ui| {
        ui.add_space(SWATCH + ui.spacing().item_spacing.x);
        ui.vertical(|ui| {
            for (attribute, at) in project.schema().attributes(label).iter().zip(0u16..) {
                ui.push_id(("attribute", label, at), |ui| {
                    asked = attribute_ui(ui, cx, project, details, [label, at], attribute).or(asked.take());
                });
            }
            asked = fresh_ui(ui, cx, project, details, label, name).or(asked.take());
        });
    });
    asked
}

fn attribute_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    project: &Project,
    details: &mut Details,
    place: [u16; 2],
    attribute: &Attribute,
) -> Option<SchemaChange> {
    let [label, at] = place;
    let name = &attribute.name;
    let of = |change| SchemaChange::Attribute { label, change };
    let mut asked = None;
    ui.horizontal(|ui| {
        let words = (cx.tf("Name of the attribute {}", &[name]), "");
        asked = details.field(ui, project, Field::Name(place), name, words, NAME);
        let is_number = matches!(attribute.kind, AttributeKind::Number(_));
        if let Some(kind) = choice_menu(ui, &KINDS.map(|words| cx.t(words)), usize::from(is_number), &cx.tf("Kind of {}", &[name]), KIND) {
            let to = if kind == 1 { AttributeKind::Number(Scale::default()) } else { AttributeKind::Values(Vec::new()) };
            asked = Some(of(AttributeChange::SetKind { attribute: at, to }));
        }
        if let AttributeKind::Number(scale) = attribute.kind {
            for (words, whole, field, held) in [
                ("from", "Lowest number of {}", Field::Min(place), scale.min),
                ("to", "Highest number of {}", Field::Max(place), scale.max),
                ("in steps of", "Step of {}", Field::Step(place), scale.step),
            ] {
                ui.label(RichText::new(cx.t(words)).color(palette(ui).weak));
                let words = (cx.tf(whole, &[name]), "");
                asked = details.field(ui, project, field, &held.to_string(), words, BOUND).or(asked.take());
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button(ui, Icon::Delete, &cx.tf("Delete the attribute {}", &[name]), true).clicked() {
                asked = Some(of(AttributeChange::Delete { attribute: at }));
            }
            ui.spacing_mut().item_spacing.x = 4.0;
            let last = project.schema().attributes(label).len().saturating_sub(1);
            if let Some(to) = moves(ui, cx, name, at, last) {
                asked = Some(of(AttributeChange::Move { attribute: at, to }));
            }
            let words = (cx.tf("Help for {}", &[name]), cx.t("When to choose it, and when not"));
            let rest = ui.available_width();
            asked = details.field(ui, project, Field::Help(place), &attribute.help, words, rest).or(asked.take());
        });
    });
    if let AttributeKind::Values(values) = &attribute.kind {
        ui.horizontal_wrapped(|ui| {
            for number in 0..values.len() as u16 {
                ui.push_id(number, |ui| {
                    asked = value_ui(ui, cx, project, details, place, number, values).or(asked.take());
                });
            }
            let words = (cx.tf("New value of {}", &[name]), cx.tf("Add the value to {}", &[name]));
            asked = details.fresh(ui, cx, project, Field::NewValue(place), words, VALUE + 28.0).or(asked.take());
        });
        details.problems_ui(ui, cx, (0..values.len() as u16).map(|value| Field::Value(place, value)).chain([Field::NewValue(place)]));
    }
    let fields = [Field::Name(place), Field::Help(place), Field::Min(place), Field::Max(place), Field::Step(place)];
    details.problems_ui(ui, cx, fields);
    asked
}

/// From the right: one place down, one place up. Answers with the new place.
pub(super) fn moves(ui: &mut Ui, cx: &Cx<'_>, name: &str, at: u16, last: usize) -> Option<u16> {
    let down = icons::icon_button(ui, Icon::Down, &cx.tf("Move {} down", &[&name]), usize::from(at) < last).clicked();
    let up = icons::icon_button(ui, Icon::Up, &cx.tf("Move {} up", &[&name]), at > 0).clicked();
    match (down, up) {
        (true, _) => Some(at + 1),
        (_, true) => Some(at - 1),
        _ => None,
    }
}

/// A value: its name, and a menu to move, merge or delete it.
fn value_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    project: &Project,
    details: &mut Details,
    place: [u16; 2],
    value: u16,
    values: &[String],
) -> Option<SchemaChange> {
    let [label, attribute] = place;
    let of = |change| SchemaChange::Attribute { label, change };
    let name = &values[usize::from(value)];
    let mut asked = None;
    // On one line together, however the row wraps.
    ui.allocate_ui_with_layout(vec2(VALUE + 28.0, crate::ui::theme::ROW_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let words = (cx.tf("Name of the value {}", &[name]), "");
        asked = details.field(ui, project, Field::Value(place, value), name, words, VALUE);
        let button = egui::Button::new("").min_size(vec2(24.0, crate::ui::theme::ROW_HEIGHT)).frame_when_inactive(false);
        let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
            let last = values.len() as u16 - 1;
            for (words, to) in [("Move forward", value.checked_sub(1)), ("Move back", Some(value + 1).filter(|to| *to <= last))] {
                if let Some(to) = to
                    && ui.button(cx.t(words)).clicked()
                {
                    asked = Some(of(AttributeChange::MoveValue { attribute, value, to }));
                    ui.close();
                }
            }
            for (other, into) in values.iter().zip(0u16..).filter(|(_, into)| *into != value) {
                if ui.button(cx.tf("Merge into {}", &[other])).clicked() {
                    asked = Some(of(AttributeChange::MergeValue { attribute, value, into }));
                    ui.close();
                }
            }
            if ui.button(cx.tf("Delete {}", &[name])).clicked() {
                asked = Some(of(AttributeChange::DeleteValue { attribute, value }));
                ui.close();
            }
        });
        let sign = egui::Rect::from_center_size(response.rect.center(), vec2(11.0, 11.0));
        icons::paint(ui.painter(), sign, Icon::Down, palette(ui).weak);
        let words = cx.tf("Move, merge or delete {}", &[name]);
        response.accessible_name(&words).on_hover_text(words);
    });
    asked
}

/// A quiet button that becomes a line for a new attribute.
fn fresh_ui(ui: &mut Ui, cx: &Cx<'_>, project: &Project, details: &mut Details, label: u16, name: &str) -> Option<SchemaChange> {
    let mut asked = None;
    match details.adding.filter(|(held, _)| *held == label) {
        None => {
            let words = RichText::new(format!("+ {}", cx.t("Attribute"))).small().color(palette(ui).weak);
            let button = ui.add(egui::Button::new(words).frame_when_inactive(false));
            let words = cx.tf("Add an attribute to {}", &[&name]);
            if button.accessible_name(&words).on_hover_text(words).clicked() {
                details.adding = Some((label, false));
            }
        }
        Some((_, number)) => {
            ui.horizontal(|ui| {
                let words = cx.tf("Kind of the new attribute of {}", &[&name]);
                if let Some(kind) = choice_menu(ui, &KINDS.map(|words| cx.t(words)), usize::from(number), &words, KIND) {
                    details.adding = Some((label, kind == 1));
                }
                let words = (cx.tf("New attribute of {}", &[&name]), cx.tf("Add the attribute to {}", &[&name]));
                asked = details.fresh(ui, cx, project, Field::NewAttribute(label), words, NAME);
                if ui.button(cx.t("Cancel")).clicked() {
                    details.adding = None;
                }
            });
            details.problems_ui(ui, cx, [Field::NewAttribute(label)]);
            if asked.is_some() {
                details.adding = None;
            }
        }
    }
    asked
}
