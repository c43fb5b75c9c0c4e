//! Argilla: the records of a data set (`records.json` of its folder, or exported as JSON), and the columns that its export
//! to a Hugging Face data set has.

use super::details::{DETAILS, Details};
use super::doccano::UNIT;
use super::json::{self, Object, TextField, TextFields};
use super::loss::Losses;
use super::offsets::Unit;
use super::raw::{Parsed, RawDoc, RawSpan, polarity};
use super::source::Source;
use crate::project::{Number, State};
use crate::store::import::DraftAnswer;
use crate::store::{StoreError, encoding};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file of records in a folder of `Dataset.to_disk`.
pub(super) fn records_file(folder: &Path) -> Option<PathBuf> {
    let known = [folder.join("records.json"), folder.join(".argilla").join("records.json")];
    known.into_iter().find(|path| path.is_file())
}

/// The file that is read: one of records, or that of a folder.
///
/// # Errors
/// The folder holds none.
pub(super) fn file(path: &Path) -> Result<PathBuf, StoreError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let broken = |what: &str| StoreError::Annotated { format: "Argilla", what: what.to_owned(), path: path.to_owned() };
    records_file(path).ok_or_else(|| broken("the folder holds no records.json"))
}

/// Reads a file of records.
///
/// # Errors
/// The file can't be read, or is broken as a whole.
pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut survey = Survey { kinds: kinds_beside(source.path)?, ..Survey::default() };
    source.covers(0.0..0.5);
    json::each(source, |_, object| object.into_iter().for_each(|object| survey.look_at(object)))?;
    let (reader, mut parsed) = (survey.finish(), Parsed::default());
    source.covers(0.5..1.0);
    json::each(source, |row, object| {
        let doc = object.and_then(|object| reader.document(row, object, &mut parsed.losses));
        parsed.push(row, doc);
    })?;
    Ok(parsed)
}

/// What the settings in the folder of a file of records say about its questions: the kind of each.
fn kinds_beside(file: &Path) -> Result<BTreeMap<String, String>, StoreError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let settings = [folder.join("settings.json"), folder.join(".argilla").join("settings.json")].into_iter().find(|path| path.is_file());
    let Some(settings) = settings else { return Ok(BTreeMap::new()) };
    let settings: Value = serde_json::from_slice(&encoding::read_whole(&settings)?).unwrap_or_default();
    let questions = settings["questions"].as_array().into_iter().flatten();
    let kind = |question: &Value| question["settings"]["type"].as_str().or_else(|| question["type"].as_str()).map(str::to_owned);
    Ok(questions.filter_map(|question| Some((question["name"].as_str()?.to_owned(), kind(question)?))).collect())
}

/// Whether an object is a record, or a row of the export to Hugging Face.
pub(super) fn is_record(object: &Object) -> bool {
    let is_object = |name: &str| object.get(name).is_some_and(Value::is_object);
    let is_list = |name: &str| object.get(name).and_then(Value::as_array).is_some_and(|list| list.iter().all(Value::is_object));
    let has = |name: &str| is_object(name) || is_list(name);
    is_object("fields") && (has("responses") || has("suggestions")) || is_flat(object)
}

pub(super) fn is_flat(object: &Object) -> bool {
    object.keys().any(|name| name.ends_with(".suggestion") || name.ends_with(".responses") || name.contains(".response."))
}

/// What all records of a file tell of its fields and questions, looked at before they are read.
#[derive(Default)]
pub(super) struct Survey {
    /// Kind of question, where settings say it.
    kinds: BTreeMap<String, String>,
    fields: TextFields,
    /// Answers of each question that are words; not all, where there are many.
    answers: BTreeMap<String, BTreeSet<String>>,
}

impl Survey {
    const MOST_CLASSES: usize = 50;
    const LONGEST_CLASS: usize = 60;

    pub(super) fn look_at(&mut self, object: Object) {
        let object = alike(object);
        let responses = || object.get("responses").and_then(Value::as_object).into_iter().flatten();
        let spans = responses().filter_map(|(_, given)| given.as_array()).flatten().filter_map(|one| one["value"].as_array()).flatten();
        let words: Vec<&str> = spans.filter_map(|span| span["text"].as_str()).collect();
        self.fields.look_at(object.get("fields").and_then(Value::as_object).into_iter().flatten(), &words);
        for (question, given) in responses() {
            let seen = self.answers.entry(question.clone()).or_default();
            for value in given.as_array().into_iter().flatten().filter_map(|one| one["value"].as_str()) {
                // One more than classes may be tells as much as all of them.
                if seen.len() <= Self::MOST_CLASSES {
                    seen.insert(value.to_owned());
                }
            }
        }
    }

    /// Questions whose answers are texts are told by the settings, or by answers that are long or all different.
    pub(super) fn finish(self) -> Reader {
        let Self { kinds, fields, answers } = self;
        let is_text = |(question, values): &(String, BTreeSet<String>)| match kinds.get(question).map(String::as_str) {
            Some(kind) => kind == "text",
            None => values.len() > Self::MOST_CLASSES || values.iter().any(|value| value.chars().count() > Self::LONGEST_CLASS),
        };
        let texts = answers.into_iter().filter(is_text).map(|(question, _)| question).collect();
        Reader { field: fields.choose(), texts }
    }
}

/// What has to be known to read a record.
pub(super) struct Reader {
    field: TextField,
    /// Questions whose answers are texts.
    texts: BTreeSet<String>,
}

impl Reader {
    pub(super) fn document(&self, row: usize, object: Object, losses: &mut Losses) -> Result<RawDoc, String> {
        record(row, alike(object), &self.field, &self.texts, losses)
    }
}

/// Records of all versions, and rows of the export to Hugging Face, as records of Argilla 2.
fn alike(object: Object) -> Object {
    if is_flat(&object) { nested(object) } else { of_version_2(object) }
}

/// A record of Argilla 1, where each person's response answers all questions and a suggestion names its question, as one of
/// Argilla 2, where each question has its responses.
fn of_version_2(mut object: Object) -> Object {
    if let Some(Value::Array(given)) = object.get("responses") {
        let is_discarded = |one: &Value| one["status"] == "discarded";
        let all_discarded = !given.is_empty() && given.iter().all(is_discarded);
        let mut responses = Object::new();
        for one in given {
            for (question, said) in one["values"].as_object().into_iter().flatten() {
                let value = said.get("value").unwrap_or(said);
                let held = responses.entry(question.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(held) = held {
                    held.push(serde_json::json!({"value": value, "user_id": one["user_id"], "status": one["status"]}));
                }
            }
        }
        object.insert("responses".to_owned(), Value::Object(responses));
        // A record of its own status has none of those of its responses.
        if all_discarded && !object.contains_key("status") {
            object.insert("status".to_owned(), Value::from("discarded"));
        }
    }
    if let Some(Value::Array(given)) = object.get("suggestions") {
        let named = |one: &Value| Some((one["question_name"].as_str()?.to_owned(), serde_json::json!({"value": one["value"]})));
        let suggestions: Object = given.iter().filter_map(named).collect();
        object.insert("suggestions".to_owned(), Value::Object(suggestions));
    }
    object
}

/// A row of columns such as `sentiment.responses` and `sentiment.responses.users` as a record.
fn nested(object: Object) -> Object {
    let (mut fields, mut responses, mut suggestions, mut record) = (Object::new(), Object::new(), Object::new(), Object::new());
    let beside = |what: &str| -> BTreeMap<String, Value> {
        object.iter().filter_map(|(name, value)| Some((name.strip_suffix(what)?.to_owned(), value.clone()))).collect()
    };
    let (users, statuses) = (beside(".responses.users"), beside(".responses.status"));
    for (name, value) in object {
        if let Some(question) = name.strip_suffix(".responses") {
            let of = |all: &BTreeMap<String, Value>, at: usize| all.get(question).and_then(|all| all.get(at)).cloned().unwrap_or_default();
            let list = value.as_array().cloned().unwrap_or_default();
            let one = |(at, value)| serde_json::json!({"value": value, "user_id": of(&users, at), "status": of(&statuses, at)});
            let given = list.into_iter().enumerate().map(one);
            responses.insert(question.to_owned(), given.collect());
        } else if let Some((question, user)) = name.split_once(".response.") {
            let given = responses.entry(question).or_insert_with(|| Value::Array(Vec::new()));
            if let Some(given) = given.as_array_mut().filter(|_| !value.is_null()) {
                given.push(serde_json::json!({"value": value, "user_id": user}));
            }
        } else if let Some(question) = name.strip_suffix(".suggestion") {
            suggestions.insert(question.to_owned(), serde_json::json!({"value": value}));
        } else if name.contains(".suggestion.") || name.contains(".responses.") {
            continue; // who and how sure: beside the value
        } else if matches!(name.as_str(), "id" | "external_id" | "status" | "_server_id") {
            record.insert(name, value);
        } else {
            fields.insert(name, value);
        }
    }
    let parts = [("fields", fields), ("responses", responses), ("suggestions", suggestions)];
    record.extend(parts.map(|(name, part)| (name.to_owned(), Value::Object(part))));
    record
}

/// What each person says of a record, the first one first. What somebody discarded or has not yet sent is no answer.
fn responses(row: usize, object: &Object, texts: &BTreeSet<String>, losses: &mut Losses) -> Vec<(String, RawDoc)> {
    let mut by_user: Vec<(String, RawDoc)> = Vec::new();
    for (question, given) in object.get("responses").and_then(Value::as_object).into_iter().flatten() {
        for (place, one) in given.as_array().into_iter().flatten().enumerate().filter(|(_, one)| !one["value"].is_null()) {
            if let Some(status) = one["status"].as_str().filter(|status| matches!(*status, "discarded" | "draft")) {
                losses.note(format!("a response with the status {status:?} is no answer and was left out"), row, one["value"].to_string());
                continue;
            }
            // Several people without a name are told apart by their place.
            let user = json::key(&one["user_id"]).filter(|user| !user.is_empty()).unwrap_or_else(|| format!("unknown {}", place + 1));
            let at = by_user.iter().position(|(held, _)| *held == user).unwrap_or_else(|| {
                by_user.push((user, RawDoc { row, ..RawDoc::default() }));
                by_user.len() - 1
            });
            answer(row, question, &one["value"], texts.contains(question), &mut by_user[at].1, losses);
        }
    }
    by_user
}

fn record(row: usize, mut object: Object, field: &TextField, texts: &BTreeSet<String>, losses: &mut Losses) -> Result<RawDoc, String> {
    let Some(Value::Object(mut fields)) = object.remove("fields") else { return Err("has no fields".to_owned()) };
    let text = field.take(&mut fields)?;
    let mut by_user = responses(row, &object, texts, losses);
    let suggested =
        object.get("suggestions").and_then(Value::as_object).is_some_and(|given| given.values().any(|one| !one["value"].is_null()));
    if suggested && by_user.is_empty() {
        losses.note("suggestions without an answer were left out: they are no annotation", row, &text);
    }
    let state = match object.get("status").and_then(Value::as_str) {
        Some("discarded") => State::Skipped,
        _ if by_user.is_empty() => State::Todo,
        Some("pending" | "draft") => State::Todo,
        _ => State::Done,
    };
    let mut doc = by_user.first().map(|(_, first)| first.clone()).unwrap_or_default();
    if by_user.len() > 1 {
        losses.note("several people answered: each keeps their answers, and those of the first are the outcome too", row, &text);
        by_user.iter_mut().for_each(|(_, own)| own.state = State::Done);
        doc.layers = by_user;
    }
    doc.meta.extend(json::meta(fields));
    if let Some(Value::Object(mut inner)) = object.remove("metadata") {
        doc.unit = inner.get(UNIT).and_then(Value::as_str).and_then(Unit::parse);
        if doc.unit.is_some() {
            inner.remove(UNIT);
        }
        if let Some(details) = inner.get(DETAILS).and_then(Details::parse) {
            inner.remove(DETAILS);
            doc.row = row;
            details.say_of(&mut doc, losses);
        }
        doc.meta.extend(json::meta(inner));
    }
    // The id that the data came with; Argilla 1 gives one of its own beside it.
    let id = ["external_id", "id"].into_iter().find_map(|name| object.get(name).and_then(json::key));
    doc.meta.extend(id.map(|id| ("id".to_owned(), id)));
    if object.get("vectors").and_then(Value::as_object).is_some_and(|vectors| !vectors.is_empty()) {
        losses.note("vectors were left out", row, "");
    }
    Ok(RawDoc { row, text, state, ..doc })
}

fn answer(row: usize, question: &str, value: &Value, is_text: bool, doc: &mut RawDoc, losses: &mut Losses) {
    let answer = match value {
        Value::String(text) if is_text => DraftAnswer::Text(text.clone()),
        Value::String(class) => DraftAnswer::Class(class.clone()),
        Value::Number(number) => match number.as_f64().and_then(Number::new) {
            Some(number) => DraftAnswer::Number(number),
            None => return losses.note("a number is too large and was left out", row, value.to_string()),
        },
        Value::Array(items) if items.is_empty() => return,
        Value::Array(items) if items.iter().all(Value::is_string) => DraftAnswer::Classes(json::strings(Some(value))),
        Value::Array(items) if items.iter().all(|item| item.get("start").is_some()) => {
            for item in items {
                span(row, item, doc, losses);
            }
            return;
        }
        _ => {
            return losses.note(
                format!("an answer to {question:?} is of a kind without counterpart and was left out"),
                row,
                value.to_string(),
            );
        }
    };
    doc.answers.insert(question.to_owned(), answer);
}

fn span(row: usize, item: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    match (item["start"].as_u64(), item["end"].as_u64(), item["label"].as_str()) {
        (Some(start), Some(end), Some(label)) => {
            let said = item["polarity"].as_str().filter(|said| !said.is_empty());
            let polarity = said.and_then(polarity);
            if let Some(said) = said.filter(|_| polarity.is_none()) {
                losses.note(format!("a span has the polarity {said:?}, which has no counterpart; it came without"), doc.row, label);
            }
            let surface = item["text"].as_str().map(str::to_owned);
            let key = format!("span {}", doc.spans.len());
            doc.spans.push(RawSpan { polarity, surface, ..RawSpan::at_offsets(key, start, end, label) });
        }
        _ => losses.drop_span("has no offsets or label that make sense", row, item.to_string()),
    }
}
