//! JSON objects of a file, however they are laid out: an array, one a line, or one after the other over many lines.

use super::loss::Losses;
use super::raw::{Parsed, RawDoc};
use crate::store::scan;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) type Object = Map<String, Value>;

/// An object with its row: its line where each has one, else its number from 1.
pub(super) type Row = (usize, Result<Object, String>);

/// A file of objects, each read by `document`.
pub(super) fn parsed(text: &str, document: impl Fn(usize, Object, &mut Losses) -> Result<RawDoc, String>) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    for row in rows(text) {
        let (row, object) = row?;
        let losses = &mut parsed.losses;
        let doc = object.and_then(|object| document(row, object, losses));
        parsed.push(row, doc);
    }
    Ok(parsed)
}

/// All objects of a file, one after the other. Where the file as a whole is broken, what is wrong ends it.
pub(super) fn rows(text: &str) -> Box<dyn Iterator<Item = Result<Row, String>> + '_> {
    let start = text.trim_start();
    if scan::is_json_array(text) {
        let whole = serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).map(drop);
        if let Err(error) = whole {
            return Box::new(std::iter::once(Err(format!("it is broken JSON: {error}"))));
        }
        let row = |(at, (value, _)): (usize, (serde_json::Result<Value>, usize))| match value {
            Ok(value) => Ok((at + 1, object(value))),
            Err(error) => Err(format!("it is broken JSON: {error}")),
        };
        return Box::new(scan::elements(text).enumerate().map(row));
    }
    if !start.starts_with('[') && serde_json::from_str::<Value>(first_line(start)).is_err() {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>().peekable();
        if values.peek().is_some_and(Result::is_ok) {
            let read = |value: Result<Value, serde_json::Error>| value.map_err(|error| broken(&error)).and_then(object);
            return Box::new(values.enumerate().map(move |(at, value)| Ok((at + 1, read(value)))));
        }
    }
    let line = |(at, line): (usize, &str)| {
        let read = || serde_json::from_str(line).map_err(|error| broken(&error)).and_then(object);
        (!line.trim().is_empty()).then(|| Ok((at + 1, read())))
    };
    Box::new(scan::lines(text).enumerate().filter_map(line))
}

/// The first objects of a file's beginning, whatever comes after.
pub(super) fn first(text: &str, most: usize) -> Vec<Object> {
    let mut rest = text.trim_start();
    rest = rest.strip_prefix('[').filter(|inside| !inside.trim_start().starts_with('"')).unwrap_or(rest);
    let (mut found, mut broken) = (Vec::new(), 0);
    while found.len() < most {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let read = values.byte_offset();
                rest = rest.get(read..).unwrap_or_default().trim_start().trim_start_matches(',');
                found.extend(object(value));
            }
            // A broken row among many: the next one stands on the next line.
            Some(Err(_)) if broken < most => match rest.split_once('\n').filter(|(_, next)| next.starts_with('{')) {
                Some((_, next)) => (rest, broken) = (next, broken + 1),
                None => break,
            },
            _ => break,
        }
    }
    found
}

fn first_line(text: &str) -> &str {
    scan::lines(text).next().unwrap_or_default()
}

fn broken(error: &serde_json::Error) -> String {
    format!("is not valid JSON ({})", error.to_string().replace(" at line 1 column", " at column"))
}

/// spaCy's pairs of a text and what is said about it become objects too.
fn object(value: Value) -> Result<Object, String> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([text @ Value::String(_), Value::Object(mut said)]) => {
                said.insert("text".to_owned(), text);
                Ok(said)
            }
            _ => Err("holds no JSON object".to_owned()),
        },
        _ => Err("holds no JSON object".to_owned()),
    }
}

/// A value as text; `None` for null.
pub(super) fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What is left of an object, as metadata.
pub(super) fn meta(object: Object) -> BTreeMap<String, String> {
    object.into_iter().filter_map(|(name, value)| Some((name, cell(&value)?))).collect()
}

/// Takes the text out of an object: under a usual name, else the longest string.
pub(super) fn take_text(object: &mut Object) -> Result<String, String> {
    const USUAL: [&str; 7] = ["text", "data", "column_data", "review", "content", "sentence", "comment"];
    let usual = USUAL.iter().find(|name| object.get(**name).is_some_and(Value::is_string)).map(|name| (*name).to_owned());
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let longest =
        || object.iter().filter(|(_, value)| value.is_string()).max_by_key(|(_, value)| length(value)).map(|(name, _)| name.clone());
    match usual.or_else(longest).and_then(|name| object.remove(&name)) {
        Some(Value::String(text)) => Ok(text),
        _ => Err("has no text".to_owned()),
    }
}

/// The strings of an array; a lone string is an array of one.
pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// An id as text, whether the file has it as a number or a string.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Number(_) => cell(value),
        _ => None,
    }
}
