//! What a person can say about a file before it is read: how to read it, and what its columns are.

use super::{Column, Format};
use crate::project::Split;
use crate::store::Charset;
use crate::store::formats::Unit;
use std::collections::BTreeMap;

/// What to take from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    pub text: Column,
    pub label: Option<Column>,
    /// Labels of which several may hold, in one cell: they answer a question of that kind, called as the column is.
    pub labels: Option<Column>,
    /// Kept as the field `id`, by which a colleague's project is compared.
    pub id: Option<Column>,
    /// Kept as the field `date`.
    pub date: Option<Column>,
    /// Whose answer the label of a row is. A text may stand in a row for each of them.
    pub annotator: Option<Column>,
    /// The part in training: train, dev or test by their usual names.
    pub part: Option<Column>,
    /// Where rows are turns of conversations.
    pub turns: Option<Box<TurnColumns>>,
    /// Columns that are not kept.
    pub left_out: Vec<Column>,
    /// What the labels of the file are called here; nothing for "no label".
    pub values: BTreeMap<String, String>,
    /// Whether the first row names the columns (CSV, TSV and Excel).
    pub header: bool,
    /// Puts all documents on one side; `None` leaves it to the rows, then to chance.
    pub split: Option<Split>,
    /// What kind of file it is; `None` finds out from its name and content.
    pub format: Option<Format>,
    /// `None` finds out from the bytes.
    pub charset: Option<Charset>,
    /// Between the columns of CSV; `None` finds out.
    pub delimiter: Option<char>,
    /// Whether quotes enclose fields; otherwise they are letters.
    pub quoted: bool,
    /// Of a workbook; `None` is the first.
    pub sheet: Option<String>,
    /// What the offsets of an annotated file count; `None` finds out.
    pub unit: Option<Unit>,
}

/// What says of which conversation a row is a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnColumns {
    /// Kept as the field `conversation`.
    pub conversation: Column,
    /// The place of the turn in it, kept as the field `turn`; without it the rows stand in their order.
    pub turn: Option<Column>,
    /// Who speaks, kept as the field `speaker`.
    pub speaker: Option<Column>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            text: Column::Name("text".to_owned()),
            label: None,
            labels: None,
            id: None,
            date: None,
            annotator: None,
            part: None,
            turns: None,
            left_out: Vec::new(),
            values: BTreeMap::new(),
            header: true,
            split: None,
            format: None,
            charset: None,
            delimiter: None,
            quoted: true,
            sheet: None,
            unit: None,
        }
    }
}

impl ImportOptions {
    /// The part that concerns how the file is read.
    pub fn look(&self) -> Look {
        let Self { header, format, charset, delimiter, quoted, ref sheet, unit, .. } = *self;
        Look { header: Some(header), format, charset, delimiter, quoted, sheet: sheet.clone(), unit }
    }

    /// Takes over how the file is read.
    pub fn looked(self, look: &Look) -> Self {
        let Look { header, format, charset, delimiter, quoted, ref sheet, unit } = *look;
        Self { header: header.unwrap_or(self.header), format, charset, delimiter, quoted, sheet: sheet.clone(), unit, ..self }
    }
}

/// How to read a file. What is not said is found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub header: Option<bool>,
    pub format: Option<Format>,
    pub charset: Option<Charset>,
    pub delimiter: Option<char>,
    pub quoted: bool,
    pub sheet: Option<String>,
    pub unit: Option<Unit>,
}

impl Default for Look {
    fn default() -> Self {
        Self { header: None, format: None, charset: None, delimiter: None, quoted: true, sheet: None, unit: None }
    }
}
