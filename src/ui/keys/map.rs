//! The keys a person chose instead of those of the table. The desk keeps them in a file; here they get their meaning.
//!
//! Which keys are in force belongs to the thread that draws: the window sets them before each frame, and every key that
//! is asked for or named afterwards follows them. A key that a file names in a way that can't be read counts as none.

use super::{Action, Chord, Row, TABLE, is_sign, row_of};
use crate::project::{LabelId, Schema};
use eframe::egui::{Event, Key, Modifiers};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// Keys by the name of their action, as the file has them; actions that are not named keep the keys of the table.
pub type KeyNames = BTreeMap<String, Vec<String>>;

#[derive(Default)]
struct InForce {
    names: KeyNames,
    chords: HashMap<Action, Vec<Chord>>,
}

thread_local! {
    static IN_FORCE: RefCell<InForce> = RefCell::default();
}

/// Puts these keys in force on this thread.
pub fn use_keys(names: &KeyNames) {
    IN_FORCE.with_borrow_mut(|held| {
        if held.names == *names {
            return;
        }
        let chosen = TABLE.iter().filter_map(|row| Some((row.action, names.get(&row.action.name())?)));
        let read = |keys: &Vec<String>| keys.iter().filter_map(|key| Chord::parse(key)).collect();
        *held = InForce { chords: chosen.map(|(action, keys)| (action, read(keys))).collect(), names: names.clone() };
    });
}

impl Action {
    /// As the file of keys names it: like in the source, "Skip" or "SpanNext".
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Whether its keys can be changed here. Those of classes and labels belong to the project.
    pub fn is_free(self) -> bool {
        !matches!(self, Self::Class(_) | Self::Mark(_))
    }
}

impl Row {
    /// The keys in force.
    pub fn keys(&self) -> Vec<Chord> {
        IN_FORCE.with_borrow(|held| held.chords.get(&self.action).cloned()).unwrap_or_else(|| self.chords.to_vec())
    }

    /// Whether a person chose them.
    pub fn is_changed(&self) -> bool {
        IN_FORCE.with_borrow(|held| held.chords.contains_key(&self.action))
    }
}

impl Chord {
    /// Reads what [`Chord::name`] writes: "Ctrl+Shift+Z", "Alt++", "?".
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = Modifiers::NONE;
        let mut rest = text.trim();
        loop {
            let (held, after) = match rest.split_once('+') {
                Some((word, after)) if !after.is_empty() => (word.trim(), after),
                _ => break,
            };
            match held.to_ascii_lowercase().as_str() {
                "ctrl" | "cmd" => modifiers |= Modifiers::COMMAND,
                "alt" => modifiers |= Modifiers::ALT,
                "shift" => modifiers |= Modifiers::SHIFT,
                _ => return None,
            }
            rest = after;
        }
        Some(Self { modifiers, key: Key::from_name(rest.trim())? })
    }

    /// The chord of a key that was pressed; `None` for other events.
    pub fn of_event(event: &Event) -> Option<Self> {
        let Event::Key { key, pressed: true, modifiers: held, .. } = event else { return None };
        let command = if held.command || held.ctrl { Modifiers::COMMAND } else { Modifiers::NONE };
        let shift = held.shift && !is_sign(*key);
        Some(Self { modifiers: Modifiers { alt: held.alt, shift, ..command }, key: *key })
    }
}

/// What else a chord does where one labels; empty when it does nothing else.
pub fn conflicts(chord: Chord, action: Action, schema: Option<&Schema>) -> Vec<Other> {
    let rows = TABLE.iter().filter(|row| row.action != action && row.action.is_free());
    let mut found: Vec<Other> = rows.filter(|row| row.keys().contains(&chord)).map(|row| Other::Action(row.words)).collect();
    let Some(schema) = schema.filter(|_| row_of(action).is_some() && chord.modifiers == Modifiers::NONE) else { return found };
    let classes = schema.questions().flat_map(|(id, question)| (0..question.classes.len() as u16).map(move |at| LabelId::Class(id, at)));
    let spans = (0..schema.span_labels.len() as u16).map(LabelId::Span);
    for label in classes.chain(spans) {
        if schema.key(label).is_some_and(|key| Key::from_name(&key.to_ascii_uppercase().to_string()) == Some(chord.key)) {
            found.extend(schema.name(label).map(|name| Other::Label(name.to_owned())));
        }
    }
    found
}

/// Who has the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// A sentence for [`crate::ui::i18n`].
    Action(&'static str),
    /// A class or span label of the project.
    Label(String),
}
