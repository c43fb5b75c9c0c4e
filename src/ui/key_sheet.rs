//! The sheet of all keys, made from the table; there they can also be changed.

use super::icons::{self, Icon};
use super::keys::{self, Action, Chord, Group, KeyNames, Other, Row};
use super::palette::{class_key, part_of};
use super::{Cx, theme};
use crate::desk::Command;
use eframe::egui::{self, Align, Button, Event, Key, Layout, Modifiers, RichText, Ui, vec2};

/// Room for the keys of a line, in points.
const KEYS: f32 = 176.0;

/// The sheet of all keys.
#[derive(Default)]
pub struct KeySheet {
    open: bool,
    /// Lines have buttons.
    changes: bool,
    /// The action that waits for its new key.
    waiting: Option<Action>,
}

impl KeySheet {
    pub fn open(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn ui(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        if !self.open {
            return;
        }
        self.take_key(ctx, cx);
        let modal = theme::modal(ctx, "key sheet");
        let room = ctx.content_rect().size() - vec2(80.0, 120.0);
        let mut close = false;
        let shown = modal.show(ctx, |ui| {
            ui.set_width(room.x.min(920.0));
            ui.set_max_height(room.y + 60.0);
            ui.horizontal(|ui| {
                ui.heading(cx.t("All keys"));
                if ui.add(Button::new(cx.t("Change keys")).selected(self.changes)).clicked() {
                    self.changes = !self.changes;
                    self.waiting = None;
                }
                if self.changes && ui.add_enabled(!cx.desk.keys().is_empty(), Button::new(cx.t("All as they were"))).clicked() {
                    cx.send(Command::SetKeys(KeyNames::new()));
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    close = icons::icon_button(ui, Icon::Close, cx.t("Close"), true).clicked();
                });
            });
            if self.changes {
                let hint = match self.waiting {
                    Some(_) => cx.t("Press the new key. Delete leaves the command without one, Escape keeps the old one"),
                    None => cx.t("Click a key to change it. Keys of classes and span labels belong to the project: see Labels"),
                };
                ui.label(RichText::new(hint).color(theme::palette(ui).weak));
            }
            egui::ScrollArea::vertical().max_height(room.y).show(ui, |ui| {
                ui.columns(2, |columns| {
                    if let [left, right] = columns {
                        for group in [Group::Document, Group::Spans] {
                            self.group_ui(left, cx, group);
                        }
                        for group in [Group::Project, Group::Program] {
                            self.group_ui(right, cx, group);
                        }
                    }
                });
            });
        });
        if shown.should_close() || close {
            self.open = false;
        }
    }

    /// The next key pressed belongs to the action that waits.
    fn take_key(&mut self, ctx: &egui::Context, cx: &mut Cx<'_>) {
        let Some(action) = self.waiting else { return };
        let pressed = ctx.input_mut(|input| {
            let at = input.events.iter().position(|event| Chord::of_event(event).is_some())?;
            let chord = Chord::of_event(&input.events.remove(at));
            // Nothing else happens in this frame: no letter is typed, no button pressed.
            input.events.retain(|event| !matches!(event, Event::Key { .. } | Event::Text(_)));
            chord
        });
        let Some(chord) = pressed else { return };
        self.waiting = None;
        let plain = |key| Chord::of_event(&key_event(key));
        if Some(chord) == plain(Key::Escape) && action != Action::Deselect {
            return;
        }
        let mut names = cx.desk.keys().clone();
        let none = Some(chord) == plain(Key::Delete) && action != Action::DeleteSpan;
        names.insert(action.name(), if none { Vec::new() } else { vec![chord.name()] });
        cx.send(Command::SetKeys(names));
    }

    fn group_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, group: Group) {
        ui.add_space(8.0);
        ui.label(RichText::new(cx.t(group.words())).strong());
        ui.spacing_mut().item_spacing.y = 4.0;
        for row in keys::TABLE.iter().filter(|row| row.group == group) {
            let Some(part) = part_of(cx, row.action) else { continue };
            let words = super::i18n::fill(cx.t(row.words), &[&part]);
            let names: Vec<String> = row.keys().iter().map(|chord| chord.name()).collect();
            match self.changes && row.action.is_free() {
                true => self.change_ui(ui, cx, row, &words, &names.join("  ")),
                false if names.is_empty() => {}
                false => line_ui(ui, class_key(cx, row.action).unwrap_or_else(|| names.join("  ")), words),
            }
        }
        if group == Group::Spans
            && let Some(project) = cx.desk.project()
        {
            for label in &project.schema().span_labels {
                line_ui(ui, label.key.to_ascii_uppercase().to_string(), cx.tf("Mark the selection as {}", &[&label.name]));
            }
        }
    }

    /// A line whose key is a button, with what else has the same key, and the way back.
    fn change_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, row: &Row, words: &str, keys: &str) {
        let schema = cx.desk.project().map(|project| project.schema().clone());
        let others: Vec<Other> = row.keys().iter().flat_map(|chord| keys::conflicts(*chord, row.action, schema.as_deref())).collect();
        let is_waiting = self.waiting == Some(row.action);
        let palette = theme::palette(ui);
        ui.horizontal_top(|ui| {
            ui.allocate_ui_with_layout(vec2(KEYS, theme::ROW_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
                ui.set_width(KEYS);
                let shown = if is_waiting { "…" } else { keys };
                let ink = if others.is_empty() { palette.text } else { palette.warning };
                let button = Button::new(RichText::new(shown).monospace().color(ink)).selected(is_waiting).min_size(vec2(120.0, 0.0));
                if ui.add(button).accessible_name(cx.tf("Key of: {}", &[&words])).clicked() {
                    self.waiting = (!is_waiting).then_some(row.action);
                }
                if row.is_changed() && icons::icon_button(ui, Icon::Undo, &cx.tf("As it was: {}", &[&words]), true).clicked() {
                    let mut names = cx.desk.keys().clone();
                    names.remove(&row.action.name());
                    cx.send(Command::SetKeys(names));
                }
            });
            ui.vertical(|ui| {
                ui.add_space(5.0); // beside the middle of the button
                ui.add(egui::Label::new(words).wrap());
                for other in &others {
                    let name = match other {
                        Other::Action(words) => super::i18n::fill(cx.t(words), &[&""]),
                        Other::Label(name) => name.clone(),
                    };
                    ui.label(RichText::new(cx.tf("Also: {}", &[&name])).small().color(palette.warning));
                }
            });
        });
    }
}

fn key_event(key: Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

fn line_ui(ui: &mut Ui, keys: String, words: String) {
    let weak = theme::palette(ui).weak;
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(KEYS, 18.0), Layout::left_to_right(Align::Min), |ui| {
            ui.set_width(KEYS);
            ui.label(RichText::new(keys).monospace().color(weak));
        });
        ui.add(egui::Label::new(words).wrap());
    });
}
