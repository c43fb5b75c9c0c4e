//! Rows of the project file's tables to values and back. Knows SQL and the model; opens, locks and checks nothing.

use rusqlite::types::Type;
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

mod read;
mod tables;
mod write;

pub(super) use read::{check, has_joins, read_details, read_documents, read_journal, read_layers, read_schema, read_team};
pub(super) use tables::{TABLES, TABLES_2, TABLES_3};
pub(super) use write::{Touched, append_journal, insert_documents, write_team, write_touched};

/// Stands before the reason in the column of states.
const SKIPPED_BECAUSE: &str = "skipped: ";

fn text<'a>(row: &'a Row, column: usize) -> Result<&'a str> {
    // Most of a large project's bytes go through here: looked at with vector instructions.
    let bytes = row.get_ref(column)?.as_bytes()?;
    simdutf8::basic::from_utf8(bytes).map_err(|error| wrong(column, error.to_string()))
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T> {
    serde_json::from_str(text(row, column)?).map_err(|error| wrong(column, error.to_string()))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn wrong(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}
