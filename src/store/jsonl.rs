//! JSON Lines: anyone's, and our own with answers, spans and links. Offsets in files are code points.
//!
//! Read line by line with serde_json, because the reader of polars answers for a whole file: a broken line or a value
//! of another type than the first rows have ends the import or becomes null, without saying which line it was.

use super::StoreError;
use super::import::{Draft, Intake, Roles};
use super::json_array::{self, Ended};
use super::pieces::{Line, MOST_ROW, Pieces, TOO_LONG};
use super::{Charset, encoding::Decoded, scan};
use read_own::{is_own, own_draft};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::ops::ControlFlow;
use std::path::Path;

mod own;
mod read_own;
mod write;

pub use own::OwnProject;
pub(super) use own::{OwnEntry, TakenOut};
pub(super) use read_own::rows;
pub use write::{export_documents, export_jsonl};
pub(super) use write::{export_watched, export_with_journal, own_attributes};

type Object = Map<String, Value>;

/// A line with something in it, or an element of a JSON array.
struct Row {
    /// From 1.
    number: usize,
    parsed: Result<Object, String>,
}

fn object(value: Value) -> Result<Object, String> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err("holds no JSON object".to_owned()),
    }
}

fn objects(text: &str) -> Box<dyn Iterator<Item = Row> + '_> {
    if scan::is_json_array(text) {
        let row = move |(at, value): (usize, serde_json::Result<Value>)| {
            let parsed = value.map_err(|error| format!("is not valid JSON ({error})")).and_then(object);
            Row { number: at + 1, parsed }
        };
        return Box::new(scan::elements(text).enumerate().map(row));
    }
    let row = move |(at, line): (usize, &str)| (!line.trim().is_empty()).then(|| Row { number: at + 1, parsed: object_of(line) });
    Box::new(scan::lines(text).enumerate().filter_map(row))
}

/// The object of a line.
fn object_of(line: &str) -> Result<Object, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("holds no JSON object".to_owned()),
        Err(error) => Err(format!("is not valid JSON ({})", without_line(&error))),
    }
}

/// serde_json's message names "line 1" of the one line it was given.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", " at column")
}

/// The first rows as a table: names in order of appearance, cells as text.
pub(super) fn head(text: &str, rows: usize) -> (Vec<String>, Vec<Vec<String>>) {
    let objects: Vec<Object> = objects(text).filter_map(|row| row.parsed.ok()).take(rows).collect();
    let columns = names(objects.iter());
    let cell = |object: &Object, name: &String| object.get(name).and_then(cell).unwrap_or_default();
    let rows = objects.iter().map(|object| columns.iter().map(|name| cell(object, name)).collect()).collect();
    (columns, rows)
}

/// The first rows of a file of ours, as they would come in; `None` of another one.
pub(super) fn own_head(text: &str, rows: usize) -> Option<Vec<Draft>> {
    let mut objects = objects(text).filter_map(|row| Some((row.number, row.parsed.ok()?))).peekable();
    let is_ours = objects.peek().is_some_and(|(_, first)| is_own(first));
    is_ours.then(|| objects.take(rows).filter_map(|(number, object)| own_draft(number, object).ok()).collect())
}

/// The beginning of a file up to a row that is an object, where the first is longer than what is usually looked at.
///
/// # Errors
/// [`StoreError::Unreadable`] where no row is an object, [`StoreError::Annotated`] where an array is broken.
pub(super) fn far_text(path: &Path, charset: Option<Charset>) -> Result<Decoded, StoreError> {
    let mut pieces = Pieces::open(path, charset)?;
    check_array(&pieces, path)?;
    read_an_object(&mut pieces, path)?;
    Ok(Decoded { text: pieces.rest().to_owned(), encoding: pieces.encoding })
}

pub(super) fn no_object(path: &Path) -> StoreError {
    StoreError::Unreadable { what: "no row of it is a JSON object".to_owned(), path: path.to_owned() }
}

/// Reads on until the rest has a row that is an object.
fn read_an_object(pieces: &mut Pieces, path: &Path) -> Result<(), StoreError> {
    let unreadable = |what: String| StoreError::Unreadable { what, path: path.to_owned() };
    loop {
        // The last row of what was read may go on: what is wrong is said once all is.
        let mut trouble = None;
        for row in objects(pieces.rest()) {
            match row.parsed {
                Ok(_) => return Ok(()),
                Err(reason) => _ = trouble.get_or_insert((row.number, reason)),
            }
        }
        if pieces.is_last() {
            let Some((number, reason)) = trouble else { return Err(no_object(path)) };
            return Err(unreadable(format!("no row of it is a JSON object; row {number} {reason}")));
        }
        if pieces.rest().len() >= MOST_ROW {
            return Err(unreadable("none of its first 64 MB is a row".to_owned()));
        }
        pieces.more()?;
    }
}

fn names<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in objects.flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// An array that stands there as a whole and can't be read is no file of lines either.
///
/// # Errors
/// [`StoreError::Annotated`] with the place where it breaks.
fn check_array(pieces: &Pieces, path: &Path) -> Result<(), StoreError> {
    if !pieces.is_last() || !scan::is_json_array(pieces.rest()) {
        return Ok(());
    }
    serde_json::from_str::<Vec<IgnoredAny>>(pieces.rest()).map(drop).map_err(|error| broken(error, path))
}

fn broken(what: impl ToString, path: &Path) -> StoreError {
    StoreError::Annotated { format: "JSON", what: format!("it is broken JSON: {}", what.to_string()), path: path.to_owned() }
}

/// Reads all rows of a file: elements of an array, or lines.
pub(super) fn read(mut pieces: Pieces, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    const LOOKED_AT: usize = 1000;
    let path = intake.path;
    let look = |text: &str, intake: &Intake| {
        let columns = names(objects(text).filter_map(|row| row.parsed.ok()).take(LOOKED_AT).collect::<Vec<_>>().iter());
        Reader::new(columns, intake)
    };
    if scan::is_json_array(pieces.rest()) {
        check_array(&pieces, path)?;
        read_an_object(&mut pieces, path)?;
        let reader = look(pieces.rest(), intake)?;
        let ended = json_array::each(pieces, &mut |number, share, value| {
            if intake.tick(share).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            reader.take(number, object(value), intake)?;
            Ok(ControlFlow::Continue(()))
        })?;
        return match ended {
            Ended::Whole => Ok(ControlFlow::Continue(())),
            Ended::Stopped => Ok(ControlFlow::Break(())),
            Ended::Broken(what) => Err(broken(what, path)),
        };
    }
    read_an_object(&mut pieces, path)?;
    let reader = look(pieces.rest(), intake)?;
    pieces.lines(|number, share, line| {
        if intake.tick(share).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match line {
            Line::TooLong => intake.skip(number, TOO_LONG),
            Line::Text(line) if line.trim().is_empty() => {}
            Line::Text(line) => reader.take(number, object_of(line), intake)?,
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// What is known of the fields.
struct Reader {
    columns: Vec<String>,
    text: String,
    roles: Roles,
}

impl Reader {
    fn new(columns: Vec<String>, intake: &Intake) -> Result<Self, StoreError> {
        if columns.is_empty() {
            return Err(no_object(intake.path));
        }
        let text = intake.column(&intake.options.text, &columns).map(|at| columns[at].clone())?;
        let roles = Roles::find(intake, &columns, true)?;
        Ok(Self { columns, text, roles })
    }

    fn take(&self, number: usize, parsed: Result<Object, String>, intake: &mut Intake) -> Result<(), StoreError> {
        let draft = parsed.and_then(|object| match self.text == "text" && is_own(&object) {
            true => own_draft(number, object),
            false if object.get(&self.text).and_then(cell).is_none() => Err(format!("has no {:?}", self.text)),
            false => {
                let place = |name: &String| self.columns.iter().position(|column| column == name);
                // Fields that only later rows have are kept as well.
                let late: Vec<(String, String)> = object
                    .iter()
                    .filter(|(name, _)| place(name).is_none())
                    .filter_map(|(name, value)| Some((name.clone(), cell(value)?)))
                    .collect();
                let cells = object.iter().filter_map(|(name, value)| Some((place(name)?, cell(value)?.into())));
                let mut draft = self.roles.draft(intake, number, cells);
                draft.meta.extend(late);
                Ok(draft)
            }
        });
        match draft {
            Ok(draft) => intake.take(draft).map(drop),
            Err(reason) => {
                intake.skip(number, reason);
                Ok(())
            }
        }
    }
}
