//! Our own rows in.

use super::own::{OwnLink, OwnRejected, OwnSpan};
use super::{Object, Row, cell, objects};
use crate::project::{Number, Rejected, TextRange};
use crate::store::formats::short;
use crate::store::import::{Draft, DraftAnnotation, DraftAnswer, DraftSpan};
use serde_json::Value;
use std::collections::BTreeMap;

/// The rows of a file of our own.
pub(in crate::store) fn rows(text: &str) -> impl Iterator<Item = (usize, Result<Draft, String>)> {
    objects(text).map(|Row { number, parsed, .. }| (number, parsed.and_then(|object| own_draft(number, object))))
}

/// A row that [`is_own`].
pub(super) fn own_draft(row: usize, mut object: Object) -> Result<Draft, String> {
    let text = object.remove("text").as_ref().and_then(cell).ok_or("has no \"text\"")?;
    let annotation = Some(annotation(&text, &mut object)?);
    let split = field(&mut object, "split")?;
    // Anyone's rows may have a field of this name.
    let project = object.get("project").filter(|project| project["schema"].is_object());
    let project = project.and_then(|project| serde_json::from_value(project.clone()).ok());
    if project.is_some() {
        object.remove("project");
    }
    if let Some(Value::Object(inner)) = object.remove("meta") {
        object.extend(inner);
    }
    let meta = object.iter().filter_map(|(name, value)| Some((name.clone(), cell(value)?))).collect();
    Ok(Draft { row, text, label: None, meta, split, annotation, project })
}

/// Whether an object is of our own making, rather than one that happens to have a field of the same name. One with all our
/// fields is, whatever is in them: what is wrong there is said of its row.
pub(super) fn is_own(object: &Object) -> bool {
    if ["answers", "spans", "links", "state"].iter().all(|name| object.contains_key(*name)) {
        return true;
    }
    let is_span = |value: &Value| ["start", "end"].iter().all(|key| value[*key].is_u64()) && value["label"].is_string();
    let spans = object.get("spans").map(|spans| spans.as_array().is_some_and(|spans| spans.iter().all(is_span)));
    let answers = object
        .get("answers")
        .map(|answers| answers.as_object().is_some_and(|answers| answers.values().all(|value| is_none(value) || answer(value).is_some())));
    match (spans, answers) {
        (None, None) => false,
        (spans, answers) => spans.unwrap_or(true) && answers.unwrap_or(true),
    }
}

fn annotation(text: &str, object: &mut Object) -> Result<DraftAnnotation, String> {
    let (mut spans, mut attributes) = (Vec::new(), BTreeMap::new());
    for (at, span) in field::<Vec<OwnSpan>>(object, "spans")?.unwrap_or_default().into_iter().enumerate() {
        let OwnSpan { id, start, end, label, polarity, attributes: said } = span;
        let range =
            TextRange::from_chars(text, start..end).ok_or_else(|| format!("has a span {start} to {end} that does not lie in its text"))?;
        let id = id.unwrap_or(at as u32);
        if spans.iter().any(|span: &DraftSpan| span.id == id) {
            return Err(format!("has two spans with the id {id}"));
        }
        spans.push(DraftSpan { id, range, label, polarity });
        if !said.is_empty() {
            attributes.insert(id, said);
        }
    }
    let given: Vec<OwnLink> = field(object, "links")?.unwrap_or_default();
    let links: Vec<(u32, u32)> = given.iter().map(|link| (link.from, link.to)).collect();
    let link_types = given.into_iter().filter_map(|link| Some(((link.from, link.to), link.link_type?))).collect();
    let known = |id: u32| spans.iter().any(|span| span.id == id);
    if let Some((from, to)) = links.iter().find(|(from, to)| from == to || !known(*from) || !known(*to)) {
        return Err(format!("has a link from span {from} to span {to}, which do not both exist"));
    }
    let turned_down = |OwnRejected { start, end, label }: OwnRejected| match TextRange::from_chars(text, start..end) {
        Some(range) => Ok(Rejected { range, label }),
        None => Err(format!("has a rejected suggestion {start} to {end} that does not lie in its text")),
    };
    let rejected = field::<Vec<OwnRejected>>(object, "rejected")?.unwrap_or_default().into_iter().map(turned_down);
    let rejected = rejected.collect::<Result<_, _>>()?;
    let layers: BTreeMap<String, Object> = field(object, "layers")?.unwrap_or_default();
    let layer = |(name, mut own): (String, Object)| match annotation(text, &mut own) {
        Ok(said) => Ok((name, said)),
        Err(reason) => Err(format!("{reason} (in the layer of {name})")),
    };
    Ok(DraftAnnotation {
        layers: layers.into_iter().map(layer).collect::<Result<_, _>>()?,
        comments: field(object, "comments")?.unwrap_or_default(),
        answers: answers(object)?,
        spans,
        links,
        rejected,
        attributes,
        link_types,
        state: field(object, "state")?.unwrap_or_default(),
        skip_reason: field(object, "skip_reason")?.unwrap_or_default(),
        flagged: field(object, "flagged")?.unwrap_or_default(),
        ..DraftAnnotation::default()
    })
}

fn answers(object: &mut Object) -> Result<BTreeMap<String, DraftAnswer>, String> {
    let given: Object = field(object, "answers")?.unwrap_or_default();
    let given = given.into_iter().filter(|(_, value)| !is_none(value));
    let read = given.map(|(question, value)| {
        let said = answer(&value).ok_or_else(|| format!("has an answer to {question:?} that is none ({})", short(&value.to_string())))?;
        Ok((question, said))
    });
    read.collect()
}

/// Whether nothing is answered.
fn is_none(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// An answer as [`OwnAnswer`] writes it; `None` for anything else.
fn answer(value: &Value) -> Option<DraftAnswer> {
    Some(match value {
        Value::String(name) => DraftAnswer::Class(name.clone()),
        Value::Number(number) => DraftAnswer::Number(Number::new(number.as_f64()?)?),
        Value::Array(names) => DraftAnswer::Classes(names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?),
        Value::Object(object) if object.len() == 1 => DraftAnswer::Text(object.get("text")?.as_str()?.to_owned()),
        _ => return None,
    })
}

fn field<T: serde::de::DeserializeOwned>(object: &mut Object, name: &str) -> Result<Option<T>, String> {
    let value = object.remove(name).filter(|value| !value.is_null());
    value.map(|value| serde_json::from_value(value).map_err(|error| format!("has a {name:?} that makes no sense ({error})"))).transpose()
}
