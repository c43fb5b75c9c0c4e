//! What each column of a table is: text, label, id, date, annotator, part in training, a field to keep, or nothing.

use super::{Column, Draft, DraftAnnotation, DraftAnswer, Intake};
use crate::project::{CONVERSATION, SPEAKER, Split, State, TURN};
use crate::store::StoreError;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The question that a label answers where an annotator is named: the first of the project, as for any label.
pub(super) const MAIN: &str = "label";

/// The columns of a table by their roles.
pub(in crate::store) struct Roles {
    text: usize,
    label: Option<usize>,
    labels: Option<usize>,
    /// Columns that are kept under a name that the program knows.
    named: [(&'static str, Option<usize>); 5],
    annotator: Option<usize>,
    part: Option<usize>,
    left_out: BTreeSet<usize>,
    fields: Vec<String>,
    /// Whether `fields` are names that a header gave.
    has_names: bool,
    values: BTreeMap<String, String>,
}

impl Roles {
    /// Finds the chosen columns among `names`; without a header these are numbers.
    ///
    /// # Errors
    /// [`StoreError::NoColumn`].
    pub(in crate::store) fn find(intake: &Intake, names: &[String], header: bool) -> Result<Self, StoreError> {
        let options = intake.options;
        let find = |column: &Option<Column>| column.as_ref().map(|column| intake.column(column, names)).transpose();
        let turns = options.turns.as_deref();
        Ok(Self {
            text: intake.column(&options.text, names)?,
            label: find(&options.label)?,
            labels: find(&options.labels)?,
            named: [
                ("id", find(&options.id)?),
                ("date", find(&options.date)?),
                (CONVERSATION, turns.map(|turns| intake.column(&turns.conversation, names)).transpose()?),
                (TURN, find(turns.map_or(&None, |turns| &turns.turn))?),
                (SPEAKER, find(turns.map_or(&None, |turns| &turns.speaker))?),
            ],
            annotator: find(&options.annotator)?,
            part: find(&options.part)?,
            left_out: options.left_out.iter().map(|column| intake.column(column, names)).collect::<Result<_, _>>()?,
            fields: fields(names, header),
            has_names: header,
            values: options.values.clone(),
        })
    }

    /// A row of cells as a draft.
    pub(in crate::store) fn draft<'a>(&self, intake: &mut Intake, row: usize, cells: impl Iterator<Item = (usize, Cow<'a, str>)>) -> Draft {
        let mut draft = Draft { row, ..Draft::default() };
        let (mut annotator, mut several) = (None, None);
        for (at, cell) in cells {
            let role = |column: Option<usize>| column == Some(at);
            if at == self.text {
                draft.text = cell.into_owned();
            } else if role(self.label) {
                draft.label = self.label(&cell);
            } else if role(self.labels) {
                several = Some(self.several(&cell)).filter(|labels| !labels.is_empty());
            } else if role(self.annotator) {
                annotator = Some(cell.trim().to_owned()).filter(|name| !name.is_empty());
            } else if role(self.part) {
                draft.split = part(&cell);
                if draft.split.is_none() && !cell.trim().is_empty() {
                    intake.remark(row, format!("names the part {cell:?}, which is neither train, dev nor test; it was left to chance"));
                }
            } else if !cell.is_empty() && !self.left_out.contains(&at) {
                let named = self.named.iter().find(|(_, column)| role(*column)).map(|(name, _)| *name);
                let name = named.unwrap_or_else(|| self.fields.get(at).map_or("", String::as_str));
                draft.meta.insert(name.to_owned(), cell.into_owned());
            }
        }
        let several = several.map(|labels| (self.question(), DraftAnswer::Classes(labels)));
        match annotator {
            Some(name) => {
                let label = draft.label.take().map(|label| (MAIN.to_owned(), DraftAnswer::Class(label.trim().to_owned())));
                let one_question = label.is_some();
                let answers: BTreeMap<String, DraftAnswer> = label.into_iter().chain(several).collect();
                if !answers.is_empty() {
                    let own = DraftAnnotation { answers, one_question, state: State::Done, ..DraftAnnotation::default() };
                    let layers = BTreeMap::from([(name, own)]);
                    draft.annotation = Some(DraftAnnotation { layers, ..DraftAnnotation::default() });
                }
            }
            None => {
                if let Some((question, labels)) = several {
                    count(intake, &labels);
                    draft.annotation.get_or_insert_default().answers.insert(question, labels);
                }
            }
        }
        draft
    }

    /// The question that several labels of a cell answer.
    fn question(&self) -> String {
        let name = self.labels.and_then(|at| self.fields.get(at)).filter(|_| self.has_names);
        name.map_or_else(|| "labels".to_owned(), String::clone)
    }

    /// The labels of a cell: "joy, fear", "3|4", or a list of JSON.
    fn several(&self, cell: &str) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for label in parts_of(cell).filter_map(|part| self.label(part)) {
            let label = label.trim().to_owned();
            if !label.is_empty() && !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    fn label(&self, cell: &str) -> Option<String> {
        let label = self.values.get(cell.trim()).map_or(cell, String::as_str);
        Some(label.to_owned()).filter(|label| !label.is_empty())
    }
}

fn count(intake: &mut Intake, answer: &DraftAnswer) {
    if let DraftAnswer::Classes(labels) = answer {
        labels.iter().for_each(|label| intake.count_label(label));
    }
}

/// What stands between commas, semicolons and bars of a cell, without brackets and quotes around it.
pub(in crate::store) fn parts_of(cell: &str) -> impl Iterator<Item = &str> {
    let parts = cell.split([',', ';', '|', '，', '；', '、']);
    parts
        .map(|part| part.trim_matches(|sign: char| sign.is_whitespace() || matches!(sign, '[' | ']' | '"' | '\'')))
        .filter(|part| !part.is_empty())
}

/// The part in training by the names it has in data sets.
pub(in crate::store) fn part(name: &str) -> Option<Split> {
    Some(match name.trim().to_lowercase().as_str() {
        "train" | "training" | "训练" | "训练集" => Split::Train,
        "dev" | "valid" | "validation" | "val" | "eval" | "验证" | "验证集" => Split::Dev,
        "test" | "testing" | "测试" | "测试集" => Split::Test,
        _ => return None,
    })
}

/// Names under which columns are kept as fields: never empty, never twice.
fn fields(names: &[String], header: bool) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |(at, name): (usize, &String)| {
        let mut name = if header && !name.trim().is_empty() { name.trim().to_owned() } else { format!("column {}", at + 1) };
        while !taken.insert(name.clone()) {
            name.push_str(" (2)");
        }
        name
    };
    names.iter().enumerate().map(unique).collect()
}

/// Another annotator's answer to a text that came before. Of two answers of one person the first holds.
pub(super) fn join(into: &mut Draft, layers: BTreeMap<String, DraftAnnotation>) {
    let held = &mut into.annotation.get_or_insert_default().layers;
    for (name, said) in layers {
        held.entry(name).or_insert(said);
    }
}

/// What all annotators of a text say alike is its label; where a column names them (`of_table`), its labels too.
pub(super) fn settle(drafts: &mut [Draft], counts: &mut BTreeMap<String, usize>, of_table: bool) {
    for draft in drafts.iter_mut().filter(|draft| draft.label.is_none()) {
        let Some(said) = draft.annotation.as_mut().filter(|said| said.answers.is_empty() && said.spans.is_empty()) else { continue };
        let Some(first) = said.layers.values().next().map(|own| own.answers.clone()) else { continue };
        for (name, answer) in first {
            // A label without a question of its own is for the main one alone.
            let is_main = name == MAIN && said.layers.values().all(|own| own.one_question);
            if !said.layers.values().all(|own| own.answers.get(&name) == Some(&answer)) {
                continue;
            }
            match &answer {
                DraftAnswer::Class(label) if is_main => {
                    *counts.entry(label.clone()).or_default() += 1;
                    draft.label = Some(label.clone());
                }
                DraftAnswer::Classes(labels) if of_table => {
                    labels.iter().for_each(|label| *counts.entry(label.clone()).or_default() += 1);
                    said.answers.insert(name, answer);
                }
                _ => {}
            }
        }
    }
}
