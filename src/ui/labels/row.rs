//! One label of the window: colour, name, key, help, polarity, count, and what can be done to it.

use crate::desk::Command;
use crate::project::{KeyUse, LabelId, Project, Schema, SchemaChange, SchemaError};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, ROW_HEIGHT, palette};
use eframe::egui::{self, Align, Layout, RichText, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, vec2};
use std::collections::BTreeMap;

pub(super) const SWATCH: f32 = ROW_HEIGHT;
pub(super) const NAME: f32 = 168.0;
const KEY: f32 = 40.0;
const POLARITY: f32 = 64.0;
const COUNT: f32 = 60.0;
const MERGE: f32 = 112.0;

/// A field of a row that is typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Name,
    Key,
    Help,
}

/// What stands in fields that were typed in and are not entered yet, and what is wrong with it.
#[derive(Default)]
pub(super) struct Drafts(BTreeMap<(LabelId, Field), (String, Option<SchemaError>)>);

impl Drafts {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Enters everything that can be.
    pub fn send_all(&mut self, cx: &mut Cx<'_>, project: &Project) {
        for ((label, field), (text, _)) in std::mem::take(&mut self.0) {
            let change = change_of(label, field, &text);
            if change.as_ref().is_ok_and(|change| project.plan(change).is_ok()) {
                change.into_iter().for_each(|change| cx.send(Command::ChangeSchema(Box::new(change))));
            }
        }
    }
}

/// What a typed text asks for.
fn change_of(label: LabelId, field: Field, text: &str) -> Result<SchemaChange, SchemaError> {
    let text = text.trim();
    Ok(match field {
        Field::Name => SchemaChange::Rename { label, to: text.to_owned() },
        Field::Help => SchemaChange::SetHelp { label, to: text.to_owned() },
        Field::Key => {
            let mut letters = text.chars();
            let to = letters.next();
            if let Some(more) = letters.next() {
                return Err(SchemaError::NotAKey(more));
            }
            SchemaChange::SetKey { label, to }
        }
    })
}

/// Where a label stands and how often it was given.
pub(super) struct Row {
    pub label: LabelId,
    pub at: usize,
    pub len: usize,
    pub given: usize,
}

/// The words above the columns.
pub(super) fn head_ui(ui: &mut Ui, cx: &Cx<'_>, classes: bool) {
    let weak = palette(ui).weak;
    ui.horizontal(|ui| {
        ui.add_space(SWATCH + ui.spacing().item_spacing.x);
        let mut cell = |words: &'static str, width: f32| {
            let layout = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(vec2(width, 16.0), layout, |ui| {
                ui.set_width(width);
                ui.label(RichText::new(cx.t(words)).small().color(weak));
            });
        };
        cell("Name", NAME);
        cell("Key", KEY);
        if !classes {
            cell("Polarity", POLARITY);
        }
        cell("Help for those who label", 150.0);
    });
}

/// Says what is wrong, under the field.
pub(super) fn problem_ui(ui: &mut Ui, cx: &Cx<'_>, error: &SchemaError) {
    let words = match error {
        SchemaError::NoQuestionName => cx.t("A question needs a name").to_owned(),
        SchemaError::QuestionNameTaken(name) => cx.tf("There is already a question called {}", &[name]),
        SchemaError::NoName => cx.t("A label needs a name").to_owned(),
        SchemaError::NameTaken(name) => cx.tf("There is already a label called {}", &[name]),
        SchemaError::NotAKey(_) => cx.t("A key is one letter from A to Z or one digit").to_owned(),
        SchemaError::KeyTaken { key, by: KeyUse::Program } => cx.tf("The key {} already means something else where you label", &[key]),
        SchemaError::KeyTaken { key, by: KeyUse::Label(name) } => cx.tf("The key {} already belongs to {}", &[key, name]),
        SchemaError::NoViewName => cx.t("A view needs a name").to_owned(),
        SchemaError::BadPattern { pattern, reason } => cx.tf("{} can't be searched for: {}", &[pattern, reason]),
        SchemaError::TooMany => cx.t("There is no room for more labels").to_owned(),
        SchemaError::Nameless => cx.t("A name is needed").to_owned(),
        SchemaError::Taken(name) => cx.tf("There is already one called {}", &[name]),
        SchemaError::BadRange => cx.t("The range must go up, in steps that fit into it").to_owned(),
        SchemaError::NoSuchLabel
        | SchemaError::NoSuchQuestion
        | SchemaError::NoSuchAttribute
        | SchemaError::NoSuchLinkType
        | SchemaError::OnlyLinkType
        | SchemaError::IntoItself => error.to_string(),
    };
    ui.horizontal(|ui| {
        ui.add_space(SWATCH + ui.spacing().item_spacing.x);
        ui.colored_label(palette(ui).error, words);
    });
}

impl Row {
    /// Draws it. Typed texts are sent from here; changes that may have to be asked about are the answer.
    pub fn ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, drafts: &mut Drafts) -> Option<SchemaChange> {
        let schema = project.schema();
        let name = schema.name(self.label)?.to_owned();
        let mut asked = None;
        ui.horizontal(|ui| {
            self.swatch_ui(ui, cx, schema, &name);
            self.field_ui(ui, cx, project, drafts, Field::Name, (&name, NAME));
            self.field_ui(ui, cx, project, drafts, Field::Key, (&name, KEY));
            if let LabelId::Span(label) = self.label {
                let mut on = schema.span_labels.get(usize::from(label)).is_some_and(|label| label.polarity);
                ui.allocate_ui_with_layout(vec2(POLARITY, ROW_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
                    ui.set_width(POLARITY);
                    ui.add_space(8.0);
                    let words = cx.tf("Polarity of {}", &[&name]);
                    if ui.checkbox(&mut on, "").accessible_name(words).changed() {
                        asked = Some(SchemaChange::SetPolarity { label, to: on });
                    }
                });
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                asked = self.ends_ui(ui, cx, schema, &name).or_else(|| asked.take());
                let rest = ui.available_width();
                self.field_ui(ui, cx, project, drafts, Field::Help, (&name, rest));
            });
        });
        for field in [Field::Name, Field::Key, Field::Help] {
            if let Some((_, Some(error))) = drafts.0.get(&(self.label, field)) {
                problem_ui(ui, cx, error);
            }
        }
        // An import may have brought a label whose letter was given away.
        if !drafts.0.contains_key(&(self.label, Field::Key))
            && let Some(key) = schema.key(self.label)
            && let Some(by) = schema.key_use(key, self.label)
        {
            problem_ui(ui, cx, &SchemaError::KeyTaken { key: key.to_ascii_uppercase(), by });
        }
        asked
    }

    /// A dot of the label's hue; opens the eight to choose from.
    fn swatch_ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, schema: &Schema, name: &str) {
        let held = match self.label {
            LabelId::Class(question, at) => {
                schema.question(question).and_then(|asked| asked.classes.get(usize::from(at))).map(|class| class.hue)
            }
            LabelId::Span(at) => schema.span_labels.get(usize::from(at)).map(|label| label.hue),
        };
        if let Some(hue) = swatch_ui(ui, cx, held.unwrap_or_default(), name) {
            cx.send(Command::ChangeSchema(Box::new(SchemaChange::SetHue { label: self.label, to: hue })));
        }
    }

    /// A field over what the schema says; entered when one leaves it.
    fn field_ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, drafts: &mut Drafts, field: Field, (name, width): (&str, f32)) {
        let place = (self.label, field);
        let schema = project.schema();
        let held = match field {
            Field::Name => name.to_owned(),
            Field::Key => schema.key(self.label).map(|key| key.to_ascii_uppercase().to_string()).unwrap_or_default(),
            Field::Help => schema.help(self.label).to_owned(),
        };
        let mut text = drafts.0.get(&place).map_or_else(|| held.clone(), |(text, _)| text.clone());
        let (words, hint) = match field {
            Field::Name => (cx.tf("Name of {}", &[&name]), ""),
            Field::Key => (cx.tf("Key of {}", &[&name]), ""),
            Field::Help => (cx.tf("Help for {}", &[&name]), cx.t("When to choose it, and when not")),
        };
        let align = if field == Field::Key { egui::Align2::CENTER_CENTER } else { egui::Align2::LEFT_CENTER };
        let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width - 8.0).align(align);
        let response = ui.add_sized(vec2(width, ROW_HEIGHT), edit).accessible_name(words);
        if response.changed() {
            drafts.0.insert(place, (text.clone(), None));
        }
        if !response.lost_focus() || !drafts.0.contains_key(&place) {
            return;
        }
        let change = change_of(self.label, field, &text).and_then(|change| project.plan(&change).map(|_| change));
        match change {
            Ok(change) => {
                drafts.0.remove(&place);
                if text.trim() != held {
                    cx.send(Command::ChangeSchema(Box::new(change)));
                }
            }
            Err(error) => {
                drafts.0.insert(place, (text, Some(error)));
            }
        }
    }

    /// From the right: delete, merge, down, up, and how often the label was given.
    fn ends_ui(&self, ui: &mut Ui, cx: &Cx<'_>, schema: &Schema, name: &str) -> Option<SchemaChange> {
        let label = self.label;
        let mut asked = None;
        ui.spacing_mut().item_spacing.x = 4.0;
        if icons::icon_button(ui, Icon::Delete, &cx.tf("Delete {}", &[&name]), true).clicked() {
            asked = Some(SchemaChange::Delete { label });
        }
        ui.allocate_ui_with_layout(vec2(MERGE, ROW_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
            ui.set_width(MERGE);
            {
                let menu = ui.menu_button(format!("{}     ", cx.t("Merge, split")), |ui| {
                    for at in (0..self.len as u16).filter(|at| usize::from(*at) != self.at) {
                        let goal = match label {
                            LabelId::Class(question, _) => LabelId::Class(question, at),
                            LabelId::Span(_) => LabelId::Span(at),
                        };
                        if ui.button(cx.tf("into {}", &[&schema.name(goal).unwrap_or_default()])).clicked() {
                            asked = Some(SchemaChange::Merge { label, into: at });
                            ui.close();
                        }
                    }
                    ui.separator();
                    if let Some(split) = split_ui(ui, cx, label, name) {
                        asked = Some(split);
                        ui.close();
                    }
                });
                let sign = menu.response.rect.right_center() - vec2(14.0, 0.0);
                let sign = egui::Rect::from_center_size(sign, vec2(11.0, 11.0));
                icons::paint(ui.painter(), sign, Icon::Down, palette(ui).weak);
                let words = cx.tf("Merge {} into another label, or split it", &[&name]);
                menu.response.accessible_name(&words).on_hover_text(words);
            }
        });
        let down = icons::icon_button(ui, Icon::Down, &cx.tf("Move {} down", &[&name]), self.at + 1 < self.len);
        if down.clicked() {
            asked = Some(SchemaChange::Move { label, to: self.at as u16 + 1 });
        }
        let up = icons::icon_button(ui, Icon::Up, &cx.tf("Move {} up", &[&name]), self.at > 0);
        if up.clicked() {
            asked = Some(SchemaChange::Move { label, to: self.at as u16 - 1 });
        }
        ui.allocate_ui_with_layout(vec2(COUNT, ROW_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
            ui.set_width(COUNT);
            ui.label(RichText::new(cx.tf("{} times", &[&self.given])).small().color(theme::palette(ui).weak));
        });
        asked
    }
}

/// The name of a label that takes over what the documents in the list of Label have of this one.
fn split_ui(ui: &mut Ui, cx: &Cx<'_>, label: LabelId, name: &str) -> Option<SchemaChange> {
    let queue = cx.desk.queue();
    ui.label(cx.tf("Split off what the {} documents in the list have", &[&queue.len()]));
    ui.label(RichText::new(cx.t("Its filter in Label decides which these are")).small().color(palette(ui).weak));
    let place = ui.scope_id().with(("split", label));
    let mut to: String = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    let field = TextEdit::singleline(&mut to).hint_text(cx.t("Name of the new label")).desired_width(180.0);
    let field = ui.add(field).accessible_name(cx.tf("Name of what is split off {}", &[&name]));
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let button = ui.add_enabled(!to.trim().is_empty(), egui::Button::new(cx.t("Split off")));
    let wanted = (button.clicked() || entered) && !to.trim().is_empty();
    ui.data_mut(|data| data.insert_temp(place, if wanted { String::new() } else { to.clone() }));
    wanted.then(|| SchemaChange::Split { label, to, docs: queue.ids().iter().copied().collect() })
}

/// A dot of a hue; opens the eight to choose from and answers with another one that was chosen.
pub(super) fn swatch_ui(ui: &mut Ui, cx: &Cx<'_>, held: u8, name: &str) -> Option<u8> {
    let held = held % 8;
    let mut chosen = None;
    let button = egui::Button::new("").min_size(vec2(SWATCH, ROW_HEIGHT));
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        ui.horizontal(|ui| {
            for hue in 0..8u8 {
                let (rect, response) = ui.allocate_exact_size(vec2(ROW_HEIGHT, ROW_HEIGHT), Sense::click());
                let words = cx.tf("Colour {}", &[&(hue + 1)]);
                response.widget_info(|| WidgetInfo::selected(Role::Button, true, hue == held, &words));
                let palette = palette(ui);
                ui.painter().circle_filled(rect.center(), 9.0, palette.hue(hue));
                if hue == held || response.hovered() || response.has_focus() {
                    let edge = if response.has_focus() { palette.accent } else { palette.text };
                    ui.painter().circle_stroke(rect.center(), 12.0, Stroke::new(1.5, edge));
                }
                if response.clicked() && hue != held {
                    chosen = Some(hue);
                    ui.close();
                }
            }
        });
    });
    ui.painter().circle_filled(response.rect.center(), 7.0, palette(ui).hue(held));
    let words = cx.tf("Colour of {}", &[&name]);
    response.accessible_name(&words).on_hover_text(words);
    chosen
}
