//! What a data set of Hugging Face says of its columns: names of classes in its README, beside its data or in the notes of a
//! table, and in folders of our own which columns are questions.

use super::OWN_NOTES;
use crate::store::formats::json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of classes by column; a column inside others as `spans.label`.
pub(super) type ClassNames = BTreeMap<String, Vec<String>>;

/// What is known of the columns of a data set.
#[derive(Default)]
pub(super) struct About {
    pub classes: ClassNames,
    /// Kind of question by column, where [`OWN_NOTES`] says.
    pub questions: BTreeMap<String, String>,
    /// Whether they say that no document has a fixed part.
    pub has_no_parts: bool,
}

impl About {
    pub fn read_notes(&mut self, folder: &Path) {
        let read = |path: PathBuf| std::fs::read_to_string(path).ok();
        let inside =
            std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
        for place in std::iter::once(folder.to_owned()).chain(inside) {
            if let Some(info) = read(place.join("dataset_info.json")) {
                self.classes.extend(of_json(&info));
            }
        }
        if let Some(readme) = read(folder.join("README.md")) {
            for (column, names) in of_readme(&readme) {
                self.classes.entry(column).or_insert(names);
            }
        }
        let notes: Value = read(folder.join(OWN_NOTES)).and_then(|notes| serde_json::from_str(&notes).ok()).unwrap_or_default();
        self.has_no_parts = notes["parts"] == false;
        let kinds = notes["questions"].as_object().into_iter().flatten();
        self.questions.extend(kinds.filter_map(|(name, kind)| Some((name.clone(), kind.as_str()?.to_owned()))));
    }

    /// The name of a class given by number or by name.
    pub fn class(&self, column: &str, value: &Value) -> Option<String> {
        let names = self.classes.get(column);
        match value {
            Value::String(name) => Some(name.clone()).filter(|name| !name.is_empty()),
            Value::Number(number) => match (names, number.as_i64()) {
                (_, Some(-1)) => None, // "no label", as in the hidden parts of public data sets
                (Some(names), Some(at)) => usize::try_from(at).ok().and_then(|at| names.get(at).cloned()),
                _ => Some(number.to_string()),
            },
            _ => None,
        }
    }
}

/// Names of classes from what `datasets` writes about features, in a file of its own or in the notes of a table.
pub(super) fn of_json(features: &str) -> ClassNames {
    fn walk(path: &str, value: &Value, depth: usize, found: &mut ClassNames) {
        const DEEPEST: usize = 16;
        if depth > DEEPEST {
            return;
        }
        if value["_type"] == "ClassLabel" {
            found.insert(path.to_owned(), json::strings(value.get("names")));
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(path, item, depth + 1, found)),
            Value::Object(fields) => {
                for (name, inner) in fields.iter().filter(|(_, inner)| inner.is_object() || inner.is_array()) {
                    let deeper = if name == "feature" { path.to_owned() } else { join(path, name) };
                    walk(&deeper, inner, depth + 1, found);
                }
            }
            _ => {}
        }
    }
    let value: Value = serde_json::from_str(features).unwrap_or_default();
    let features = [&value["info"]["features"], &value["features"]].into_iter().find(|features| features.is_object());
    let mut found = ClassNames::new();
    walk("", features.unwrap_or(&Value::Null), 0, &mut found);
    found
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Names of classes from the head of a README: the few lines of YAML that `datasets` writes, by their indentation.
fn of_readme(readme: &str) -> ClassNames {
    let mut found = ClassNames::new();
    let Some((head, _)) = readme.trim_start().strip_prefix("---").and_then(|rest| rest.split_once("\n---")) else { return found };
    // Names of columns with the indentation of their line, from the outside in.
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut names_at = None;
    for line in head.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let word = line.trim();
        if names_at.is_some_and(|at| indent > at) {
            let column = open.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(".");
            if let Some((_, name)) = word.split_once(": ").or_else(|| word.split_once("- ")) {
                found.entry(column).or_default().push(unquoted(name));
            }
            continue;
        }
        names_at = None;
        if let Some(name) = word.strip_prefix("- name:") {
            open.retain(|(at, _)| *at < indent);
            open.push((indent, unquoted(name)));
        } else if word == "names:" {
            names_at = Some(indent);
        } else if word == "splits:" || word == "configs:" {
            open.clear();
        }
    }
    found
}

fn unquoted(word: &str) -> String {
    let word = word.trim();
    let inside = |quote: char| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (inside('\''), inside('"')) {
        (Some(single), _) => single.replace("''", "'"),
        (_, Some(_)) => serde_json::from_str(word).unwrap_or_else(|_| word.trim_matches('"').to_owned()),
        _ => word.to_owned(),
    }
}
