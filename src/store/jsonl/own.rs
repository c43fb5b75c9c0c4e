//! Our own rows, as they stand in a file.

use super::Object;
use super::read_own::own_draft;
use crate::project::{Comment, EntryKind, Meta, Number, Polarity, Schema, Split, State, Step};
use crate::store::import::{Draft, DraftValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Our own row, as written. Order of the fields is the order in the file.
#[derive(Serialize)]
pub(super) struct OwnRow<'a> {
    pub text: &'a str,
    #[serde(flatten)]
    pub said: OwnLayer<'a>,
    pub split: Option<Split>,
    pub meta: &'a Meta,
    /// What each annotator said, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub layers: BTreeMap<&'a str, OwnLayer<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<&'a Comment>,
    /// In the first row only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<OwnProject>,
}

/// What the first row of a file of ours says of the project as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnProject {
    /// Questions, labels, colours, keys, help, types of links, words and views.
    pub(in crate::store) schema: Schema,
    #[serde(default)]
    pub(in crate::store) annotators: Vec<String>,
    #[serde(default)]
    pub(in crate::store) guidelines: String,
    /// Every step that led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) journal: Vec<OwnEntry>,
    /// Documents that were taken out, of which the journal still speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) taken_out: Vec<TakenOut>,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct OwnEntry {
    pub kind: EntryKind,
    pub step: Step,
}

/// A document that was taken out, by its place among all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct TakenOut {
    pub id: u32,
    pub row: Object,
}

impl TakenOut {
    /// The document itself.
    pub fn draft(&self) -> Option<Draft> {
        own_draft(0, self.row.clone()).ok()
    }
}

/// What is said about a document, in the outcome or by an annotator.
#[derive(Serialize)]
pub(super) struct OwnLayer<'a> {
    pub answers: BTreeMap<&'a str, OwnAnswer<'a>>,
    pub spans: Vec<OwnSpan>,
    pub links: Vec<OwnLink>,
    /// Suggestions that were turned down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<OwnRejected>,
    pub state: &'a State,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub skip_reason: &'a str,
    pub flagged: bool,
}

/// An answer as written: a name, a list of names, a number, or an object with a text, so that texts are no classes.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum OwnAnswer<'a> {
    Class(&'a str),
    Classes(Vec<&'a str>),
    Number(Number),
    Text { text: &'a str },
}

#[derive(Serialize, Deserialize)]
pub(super) struct OwnSpan {
    #[serde(default)]
    pub id: Option<u32>,
    pub start: usize,
    pub end: usize,
    pub label: String,
    #[serde(default)]
    pub polarity: Option<Polarity>,
    /// What is said beside the polarity: the name of a value, or a number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, DraftValue>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OwnRejected {
    pub start: usize,
    pub end: usize,
    pub label: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OwnLink {
    pub from: u32,
    pub to: u32,
    /// Left out for the schema's first type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub link_type: Option<String>,
}
