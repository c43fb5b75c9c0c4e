//! JSON objects of a file, however they are laid out: an array, one a line, or one after the other over many lines.

use super::loss::Losses;
use super::raw::{Parsed, RawDoc};
use super::source::{Source, with_first_line};
use crate::store::import::TEXT_NAMES;
use crate::store::pieces::{Line, MOST_ROW, Pieces, TOO_LONG};
use crate::store::{StoreError, json_array, scan};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

pub(super) type Object = Map<String, Value>;

/// A file of objects, each read by `document`, which takes the text from the field that was chosen for the file.
///
/// # Errors
/// The file can't be read, or is broken as a whole.
pub(super) fn parsed(
    source: &mut Source,
    document: impl Fn(usize, Object, &TextField, &mut Losses) -> Result<RawDoc, String>,
) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    let mut fields = TextFields::default();
    sample(source)?.iter().for_each(|object| fields.look_at(object, &[]));
    let field = fields.choose();
    each(source, |row, object| {
        let losses = &mut parsed.losses;
        let doc = object.and_then(|object| document(row, object, &field, losses));
        parsed.push(row, doc);
    })?;
    Ok(parsed)
}

/// Enough objects of a file to choose its field of texts by.
///
/// # Errors
/// The file can't be read.
pub(super) fn sample(source: &Source) -> Result<Vec<Object>, StoreError> {
    const MOST: usize = 1_000;
    /// Of a file whose rows are mostly broken no more is looked through.
    const MOST_ROWS: usize = 20_000;
    let (mut sample, mut rows) = (Vec::new(), 0);
    walk(source.pieces()?, &mut |_, _, object| {
        sample.extend(object);
        rows += 1;
        Ok(if sample.len() < MOST && rows < MOST_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(sample)
}

/// All objects of a file, one after the other, or what is wrong with a row; with the row: its line where each object has
/// one, else its number from 1.
///
/// # Errors
/// The file can't be read, or is an array that is broken somewhere.
pub(super) fn each(source: &mut Source, mut each: impl FnMut(usize, Result<Object, String>)) -> Result<(), StoreError> {
    let (pieces, mut rows) = (source.pieces()?, 0);
    let broken = walk(pieces, &mut |row, share, object| {
        if !source.goes_on(rows, share) {
            return Ok(ControlFlow::Break(()));
        }
        rows += 1;
        each(row, object);
        Ok(ControlFlow::Continue(()))
    })?;
    broken.map_or(Ok(()), |what| Err(source.broken(format!("it is broken JSON: {what}"))))
}

/// Hears a row, the share of the file behind it, and its object or what is wrong with it.
type Hear<'a> = &'a mut dyn FnMut(usize, f32, Result<Object, String>) -> Result<ControlFlow<()>, StoreError>;

/// What is wrong with an array as a whole, if anything.
fn walk(mut pieces: Pieces, hear: Hear) -> Result<Option<String>, StoreError> {
    with_first_line(&mut pieces)?;
    if scan::is_json_array(pieces.rest()) {
        let ended = json_array::each(pieces, &mut |number, share, value| hear(number, share, object(value)))?;
        return Ok(match ended {
            json_array::Ended::Broken(what) => Some(what),
            json_array::Ended::Whole | json_array::Ended::Stopped => None,
        });
    }
    let start = pieces.rest().trim_start();
    let is_cut = !start.starts_with('[') && serde_json::from_str::<IgnoredAny>(first_line(start)).is_err();
    if is_cut && begins_with_a_value(&mut pieces)? {
        values(pieces, hear)?;
        return Ok(None);
    }
    let lines = pieces.lines(|row, share, line| match line {
        Line::Text(line) if line.trim().is_empty() => Ok(ControlFlow::Continue(())),
        Line::Text(line) => hear(row, share, serde_json::from_str(line).map_err(|error| broken(&error)).and_then(object)),
        Line::TooLong => hear(row, share, Err(TOO_LONG.to_owned())),
    });
    lines.map(|_| None)
}

/// Whether a file begins with a value over many lines.
fn begins_with_a_value(pieces: &mut Pieces) -> Result<bool, StoreError> {
    loop {
        match serde_json::Deserializer::from_str(pieces.rest()).into_iter::<IgnoredAny>().next() {
            Some(Ok(_)) => return Ok(true),
            Some(Err(error)) if error.is_eof() && !pieces.is_last() && pieces.rest().len() < MOST_ROW => pieces.more()?,
            _ => return Ok(false),
        }
    }
}

/// One value after the other, over many lines each. The first that is broken ends them.
fn values(mut pieces: Pieces, hear: Hear) -> Result<(), StoreError> {
    const LAST: &str = "what comes after it was not read";
    let (mut number, mut lines) = (0, 0);
    loop {
        let (mut done, mut trouble) = (0, None);
        let mut values = serde_json::Deserializer::from_str(pieces.rest()).into_iter::<Value>();
        while let Some(value) = values.next() {
            match value {
                Ok(value) => {
                    number += 1;
                    done = values.byte_offset();
                    if hear(number, pieces.share(done), object(value))?.is_break() {
                        return Ok(());
                    }
                }
                Err(error) => trouble = Some(error),
            }
        }
        // What is wrong is told with the line of the file, not of what was read of it.
        let said = |error: &serde_json::Error, lines: usize| {
            let (here, there) = (format!("at line {} ", error.line()), format!("at line {} ", error.line() + lines));
            format!("is not valid JSON ({})", error.to_string().replace(&here, &there))
        };
        let before = lines;
        lines += memchr::memchr_iter(b'\n', &pieces.bytes()[..done]).count();
        pieces.take(done);
        let is_full = pieces.rest().len() >= MOST_ROW;
        match trouble {
            Some(error) if error.is_eof() && !pieces.is_last() && is_full => {
                return hear(number + 1, 1.0, Err(format!("{TOO_LONG}; {LAST}"))).map(drop);
            }
            Some(error) if error.is_eof() && !pieces.is_last() => {}
            Some(error) if error.is_eof() => return hear(number + 1, 1.0, Err(said(&error, before))).map(drop),
            Some(error) => return hear(number + 1, 1.0, Err(format!("{}; {LAST}", said(&error, before)))).map(drop),
            None => {}
        }
        if pieces.is_last() {
            return Ok(());
        }
        pieces.more()?;
    }
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

/// What the string fields of a file's objects hold, to choose the one with the texts by: chosen row by row, a long note
/// would be a text here and a field there.
#[derive(Default)]
pub(super) struct TextFields(BTreeMap<String, Seen>);

#[derive(Default)]
struct Seen {
    /// Stated words of spans that stand in it.
    words: usize,
    /// Characters in all, addresses not counted.
    length: usize,
    is_filled: bool,
}

impl TextFields {
    /// The fields of one object, and the words that its spans are said to have.
    pub(super) fn look_at<'a>(&mut self, fields: impl IntoIterator<Item = (&'a String, &'a Value)>, words: &[&str]) {
        for (name, text) in fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?))) {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), Seen::default());
            }
            let Some(seen) = self.0.get_mut(name) else { continue };
            seen.words += words.iter().filter(|words| text.contains(**words)).count();
            seen.is_filled |= !text.trim().is_empty();
            seen.length += if is_address(text) { 0 } else { text.chars().count() };
        }
    }

    /// The field in which the words of spans stand, else one of a usual name, else the longest in all.
    pub(super) fn choose(self) -> TextField {
        let worth = |(name, seen): &(String, Seen)| {
            // A column of comments is mostly empty; what tools call the text is it, even if it is empty.
            let usual = rank(name).filter(|rank| *rank < OF_TOOLS.len() || seen.is_filled).map(std::cmp::Reverse);
            (seen.words, usual, seen.length)
        };
        TextField(self.0.into_iter().max_by_key(worth).map(|(name, _)| name))
    }
}

/// The field that holds the texts of a file.
pub(super) struct TextField(Option<String>);

impl TextField {
    /// Takes the text out of an object: from the file's field, or where it is missing from one of a usual name.
    pub(super) fn take(&self, object: &mut Object) -> Result<String, String> {
        let chosen = self.0.as_deref().filter(|name| object.get(*name).is_some_and(Value::is_string)).map(str::to_owned);
        let usual = || {
            let named = object.iter().filter(|(_, value)| value.is_string()).filter_map(|(name, _)| Some((rank(name)?, name)));
            named.min().map(|(_, name)| name.clone())
        };
        match chosen.or_else(usual).and_then(|name| object.remove(&name)) {
            Some(Value::String(text)) => Ok(text),
            _ => Err("has no text".to_owned()),
        }
    }
}

/// What tools call the text.
const OF_TOOLS: [&str; 3] = ["text", "data", "column_data"];

/// How usual a name of a field of texts is: the lower the better.
fn rank(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    OF_TOOLS.iter().chain(&TEXT_NAMES).position(|usual| *usual == name)
}

/// Whether a value only says where something is to be found.
fn is_address(text: &str) -> bool {
    const BEGINNINGS: [&str; 7] = ["http://", "https://", "www.", "s3://", "gs://", "data:", "/data/"];
    let text = text.trim();
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) && !text.contains(char::is_whitespace)
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
