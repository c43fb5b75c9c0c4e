//! Words of the interface. English sentences are the keys; each table holds the Chinese of one part of the window.
//! A test checks that every `t("…")` and `tf("…")` in this room has its row.

mod data;
mod errors;
mod frame;
mod label;
mod labels;
mod panel;
mod remarks;
mod runs;
mod team;
mod templates;
mod train;
mod tuning;

pub use errors::said;
pub use remarks::remark;
pub use templates::Template;

use crate::desk::Language;
use std::collections::HashMap;
use std::sync::LazyLock;

// Where two tables have a sentence, the frame's words win, so that a command has one name everywhere.
static CHINESE: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let tables = [panel::ROWS, runs::ROWS, data::ROWS, train::ROWS, tuning::ROWS, label::ROWS, labels::ROWS, team::ROWS, frame::ROWS];
    tables.into_iter().flatten().copied().collect()
});

/// The words for an English sentence; English itself where there is no translation.
pub fn translate(language: Language, english: &'static str) -> &'static str {
    match language {
        Language::English => english,
        Language::Chinese => CHINESE.get(english).copied().unwrap_or(english),
    }
}

/// The words for a sentence that comes from below this room; itself where there is no translation.
pub fn translate_said(language: Language, english: &str) -> &str {
    match language {
        Language::English => english,
        Language::Chinese => CHINESE.get(english).copied().unwrap_or(english),
    }
}

/// Whether a sentence has a Chinese row.
pub fn is_translated(english: &str) -> bool {
    CHINESE.contains_key(english)
}

/// Replaces each `{}` by the next part.
pub fn fill(sentence: &str, parts: &[&dyn std::fmt::Display]) -> String {
    let mut parts = parts.iter();
    let mut filled = String::with_capacity(sentence.len() + 16);
    for (at, piece) in sentence.split("{}").enumerate() {
        if at > 0
            && let Some(part) = parts.next()
        {
            filled.push_str(&part.to_string());
        }
        filled.push_str(piece);
    }
    filled
}
