//! Prodigy's JSON Lines (spans, a binary label, options, relations) and spaCy's training data.

use super::json::{self, Object};
use super::loss::Losses;
use super::raw::{Parsed, Place, RawDoc, RawSpan};
use crate::project::State;
use serde_json::Value;

pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    json::parsed(text, document)
}

fn document(row: usize, mut object: Object, losses: &mut Losses) -> Result<RawDoc, String> {
    let text = match object.remove("text") {
        Some(Value::String(text)) => text,
        _ => return Err("has no \"text\"".to_owned()),
    };
    let mut doc = RawDoc { row, text, ..RawDoc::default() };
    let answer = object.remove("answer").and_then(|answer| json::cell(&answer)).unwrap_or_default();
    let tokens = object.remove("tokens").unwrap_or_default();
    match object.remove("spans") {
        Some(Value::Array(spans)) => spans.iter().for_each(|span| add_span(row, span, &mut doc, losses)),
        // spaCy's groups of spans.
        Some(Value::Object(groups)) => {
            groups.values().filter_map(Value::as_array).flatten().for_each(|span| add_span(row, span, &mut doc, losses));
        }
        _ => {}
    }
    if let Some(Value::Array(entities)) = object.remove("entities") {
        entities.iter().for_each(|entity| add_span(row, entity, &mut doc, losses));
    }
    if let Some(Value::Array(relations)) = object.remove("relations") {
        relations.iter().for_each(|relation| link(row, relation, &tokens, &mut doc, losses));
    }
    class(row, &answer, &mut object, &mut doc, losses);
    let has_work = doc.label.is_some() || !doc.spans.is_empty() || answer == "accept";
    doc.state = match answer.as_str() {
        "ignore" => State::Skipped,
        "reject" if doc.label.is_none() => reject(row, &mut doc, losses),
        _ if has_work => State::Done,
        _ => State::Todo,
    };
    if let Some(Value::Object(inner)) = object.remove("meta") {
        doc.meta.extend(json::meta(inner));
    }
    for of_the_tool in ["options", "config", "html", "_view_id", "_is_binary", "_timestamp"] {
        object.remove(of_the_tool);
    }
    doc.meta.extend(json::meta(object));
    Ok(doc)
}

/// What was rejected is known to be wrong, and what would be right is not.
fn reject(row: usize, doc: &mut RawDoc, losses: &mut Losses) -> State {
    for span in std::mem::take(&mut doc.spans) {
        losses.drop_span("was rejected", row, span.label);
    }
    doc.links.clear();
    State::Todo
}

/// A class from the choice among options, a binary label, or spaCy's scores.
fn class(row: usize, answer: &str, object: &mut Object, doc: &mut RawDoc, losses: &mut Losses) {
    let accepted = match object.remove("accept") {
        Some(Value::Array(keys)) => keys.iter().filter_map(json::key).collect(),
        _ => Vec::new(),
    };
    let binary = object.remove("label").and_then(|label| label.as_str().map(str::to_owned));
    let scores = match object.remove("cats") {
        Some(Value::Object(scores)) => scores,
        _ => Object::new(),
    };
    let scored = scores.iter().filter(|(_, score)| score.as_f64().is_some_and(|score| score >= 0.5) || **score == Value::Bool(true));
    let classes: Vec<String> = accepted.into_iter().chain(scored.map(|(name, _)| name.clone())).collect();
    if classes.len() > 1 {
        losses.note("a second class was left out: a question has one answer", row, classes[1..].join(", "));
    }
    doc.label = match (classes.into_iter().next(), binary) {
        (Some(class), _) if answer != "reject" && answer != "ignore" => Some(class),
        // "No" to the one label that was asked about is an answer too.
        (_, Some(label)) if answer == "reject" => {
            losses.note(format!("a rejected class became the class \"not {label}\""), row, "");
            Some(format!("not {label}"))
        }
        (_, Some(label)) if answer != "ignore" => Some(label),
        (Some(class), _) => {
            losses.note("a class of a rejected or ignored row was left out", row, class);
            None
        }
        (None, Some(label)) => {
            doc.meta.insert("asked about".to_owned(), label);
            None
        }
        (None, None) => None,
    };
}

/// `{"start", "end", "label"}` or spaCy's `[start, end, label]`.
fn add_span(row: usize, span: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let part = |at: usize, name: &str| span.get(at).or_else(|| span.get(name)).unwrap_or(&Value::Null);
    let (start, end) = (part(0, "start").as_u64(), part(1, "end").as_u64());
    match (start, end, part(2, "label").as_str()) {
        (Some(start), Some(end), Some(label)) => {
            let surface = span["text"].as_str().map(str::to_owned);
            doc.spans.push(RawSpan { surface, ..RawSpan::at_offsets(key(start, end), start, end, label) });
        }
        _ => losses.drop_span("has no offsets or label that make sense", row, span.to_string()),
    }
}

fn key(start: u64, end: u64) -> String {
    format!("{start} {end}")
}

/// A relation from its head to its child, each a span stated with it, or one that holds the word of that number.
fn link(row: usize, relation: &Value, tokens: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let end = |span: &str, token: &str| {
        let stated = &relation[span];
        if let (Some(start), Some(end)) = (stated["start"].as_u64(), stated["end"].as_u64()) {
            return Some(key(start, end)).filter(|key| doc.spans.iter().any(|span| span.key == *key));
        }
        let token = tokens.get(usize::try_from(relation[token].as_u64()?).ok()?)?;
        let at = usize::try_from(token["start"].as_u64()?).ok()?;
        let holds = |span: &&RawSpan| matches!(span.place, Place::Offsets(start, end) if (start..end).contains(&at));
        doc.spans.iter().find(holds).map(|span| span.key.clone())
    };
    match (end("head_span", "head"), end("child_span", "child")) {
        (Some(from), Some(to)) => {
            doc.links.push((from, to));
            if let Some(name) = relation["label"].as_str() {
                losses.note(format!("a link came over without its name {name:?}"), row, "");
            }
        }
        _ => losses.note("a relation joins words that are no spans and was left out", row, relation["label"].as_str().unwrap_or_default()),
    }
}
