//! Fields of attributes and types of links in the window of labels: what is being typed, and what it asks for.

use super::row::problem_ui;
use crate::desk::Command;
use crate::project::{AttributeChange, AttributeKind, LinkTypeChange, Number, Project, Scale, Schema, SchemaChange, SchemaError};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{ROW_HEIGHT, palette};
use eframe::egui::{self, Key, TextEdit, Ui, vec2};
use std::collections::BTreeMap;

/// A field that is typed in. Attributes are named by the places of label and attribute, values and types by theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Name([u16; 2]),
    Help([u16; 2]),
    Min([u16; 2]),
    Max([u16; 2]),
    Step([u16; 2]),
    Value([u16; 2], u16),
    LinkName(u16),
    LinkHelp(u16),
    /// Of something that is not there yet.
    NewAttribute(u16),
    NewValue([u16; 2]),
    NewLinkType,
}

/// What stands in fields that were typed in and are not entered yet, and what is wrong with it.
#[derive(Default)]
pub(super) struct Details {
    typed: BTreeMap<Field, (String, Option<SchemaError>)>,
    /// The label that is getting a new attribute, and whether that will be a number.
    pub adding: Option<(u16, bool)>,
}

impl Details {
    /// Places have changed: what is being typed belongs to others now.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Enters everything that can be without asking; what would be new waits for its button.
    pub fn send_all(&mut self, cx: &mut Cx<'_>, project: &Project) {
        let is_new = |field: &Field| matches!(field, Field::NewAttribute(_) | Field::NewValue(_) | Field::NewLinkType);
        for (field, (text, _)) in std::mem::take(&mut self.typed).into_iter().filter(|(field, _)| !is_new(field)) {
            let change = change_of(project.schema(), field, &text, false);
            let safe = |change: &SchemaChange| project.plan(change).is_ok_and(|plan| !plan.changes_answers());
            change.ok().filter(safe).into_iter().for_each(|change| cx.send(Command::ChangeSchema(Box::new(change))));
        }
        self.adding = None;
    }

    /// A field over what the schema says; answers with the change when one leaves it.
    pub fn field(
        &mut self,
        ui: &mut Ui,
        project: &Project,
        field: Field,
        held: &str,
        (name, hint): (String, &str),
        width: f32,
    ) -> Option<SchemaChange> {
        let mut text = self.typed.get(&field).map_or_else(|| held.to_owned(), |(text, _)| text.clone());
        let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width - 8.0).align(egui::Align2::LEFT_CENTER);
        let response = ui.add_sized(vec2(width, ROW_HEIGHT), edit).accessible_name(name);
        if response.changed() {
            self.typed.insert(field, (text.clone(), None));
        }
        if !response.lost_focus() || !self.typed.contains_key(&field) {
            return None;
        }
        if text.trim() == held {
            self.typed.remove(&field);
            return None;
        }
        self.entered(project, field, text, false)
    }

    /// A field for something new with its button; answers with the change.
    pub fn fresh(
        &mut self,
        ui: &mut Ui,
        cx: &Cx<'_>,
        project: &Project,
        field: Field,
        (hint, button): (String, String),
        width: f32,
    ) -> Option<SchemaChange> {
        let (text, problem) = self.typed.entry(field).or_default();
        let edit = TextEdit::singleline(text).hint_text(hint.as_str()).desired_width(width - 8.0).align(egui::Align2::LEFT_CENTER);
        let response = ui.add_sized(vec2(width, ROW_HEIGHT), edit).accessible_name(hint);
        if response.changed() {
            *problem = None;
        }
        let pressed_enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let some = !text.trim().is_empty();
        let add = ui.add_enabled(some, egui::Button::new(cx.t("Add"))).accessible_name(button);
        if !(some && (pressed_enter || add.clicked())) {
            return None;
        }
        if pressed_enter {
            response.request_focus();
        }
        let text = text.clone();
        self.entered(project, field, text, self.adding.is_some_and(|(_, number)| number))
    }

    fn entered(&mut self, project: &Project, field: Field, text: String, number: bool) -> Option<SchemaChange> {
        match change_of(project.schema(), field, &text, number).and_then(|change| project.plan(&change).map(|_| change)) {
            Ok(change) => {
                self.typed.remove(&field);
                Some(change)
            }
            Err(error) => {
                self.typed.insert(field, (text, Some(error)));
                None
            }
        }
    }

    /// Says what is wrong with any of these fields.
    pub fn problems_ui(&self, ui: &mut Ui, cx: &Cx<'_>, fields: impl IntoIterator<Item = Field>) {
        for field in fields {
            if let Some((_, Some(error))) = self.typed.get(&field) {
                problem_ui(ui, cx, error);
            }
        }
    }
}

/// What a typed text asks for. `number`: whether a new attribute is to be a number.
fn change_of(schema: &Schema, field: Field, text: &str, number: bool) -> Result<SchemaChange, SchemaError> {
    use AttributeChange as A;
    let text = text.trim().to_owned();
    let of = |label: u16, change| Ok(SchemaChange::Attribute { label, change });
    match field {
        Field::Name([label, attribute]) => of(label, A::Rename { attribute, to: text }),
        Field::Help([label, attribute]) => of(label, A::SetHelp { attribute, to: text }),
        Field::Value([label, attribute], value) => of(label, A::RenameValue { attribute, value, to: text }),
        Field::NewValue([label, attribute]) => of(label, A::AddValue { attribute, name: text }),
        Field::NewAttribute(label) => {
            let kind = if number { AttributeKind::Number(Scale::default()) } else { AttributeKind::Values(Vec::new()) };
            of(label, A::Add { name: text, kind })
        }
        Field::LinkName(at) => Ok(SchemaChange::LinkType(LinkTypeChange::Rename { at, to: text })),
        Field::LinkHelp(at) => Ok(SchemaChange::LinkType(LinkTypeChange::SetHelp { at, to: text })),
        Field::NewLinkType => Ok(SchemaChange::LinkType(LinkTypeChange::Add { name: text })),
        Field::Min([label, attribute]) | Field::Max([label, attribute]) | Field::Step([label, attribute]) => {
            let asked = schema.attributes(label).get(usize::from(attribute)).ok_or(SchemaError::NoSuchAttribute)?;
            let (AttributeKind::Number(scale), Some(number)) = (&asked.kind, Number::parse(&text)) else {
                return Err(SchemaError::BadRange);
            };
            let scale = match field {
                Field::Min(_) => Scale::new(number, scale.max, scale.step),
                Field::Max(_) => Scale::new(scale.min, number, scale.step),
                _ => Scale::new(scale.min, scale.max, number),
            };
            of(label, A::SetKind { attribute, to: AttributeKind::Number(scale.ok_or(SchemaError::BadRange)?) })
        }
    }
}

/// A menu whose button shows what holds; answers with the place of what was chosen instead.
pub(super) fn choice_menu(ui: &mut Ui, choices: &[&str], held: usize, name: &str, width: f32) -> Option<usize> {
    let mut chosen = None;
    let words = choices.get(held).copied().unwrap_or_default();
    let button = egui::Button::new(format!("{words}     ")).min_size(vec2(width, ROW_HEIGHT)).truncate();
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        for (at, words) in choices.iter().enumerate() {
            if ui.selectable_label(at == held, *words).clicked() {
                chosen = (at != held).then_some(at);
                ui.close();
            }
        }
    });
    chevron(ui, &response);
    response.accessible_name(name).on_hover_text(name);
    chosen
}

/// The sign of a menu, at the end of its button.
pub(super) fn chevron(ui: &Ui, response: &egui::Response) {
    let sign = egui::Rect::from_center_size(response.rect.right_center() - vec2(14.0, 0.0), vec2(11.0, 11.0));
    icons::paint(ui.painter(), sign, Icon::Down, palette(ui).weak);
}
