//! Prodigy's JSON Lines (spans, a binary label, options, relations) and spaCy's training data.

use super::json::{self, Object};
use super::loss::Losses;
use super::raw::{Parsed, Place, RawDoc, RawLink, RawSpan, polarity};
use super::source::Source;
use crate::project::{Number, State};
use crate::store::StoreError;
use crate::store::import::DraftValue;
use serde_json::Value;
use std::collections::BTreeSet;

/// A field of a span that holds its attributes.
pub(in crate::store) const ATTRIBUTES: &str = "attributes";

/// Fields of a span that Prodigy or spaCy writes itself.
const OF_A_SPAN: [&str; 14] = [
    "start",
    "end",
    "label",
    "text",
    "token_start",
    "token_end",
    "id",
    "type",
    "source",
    "pattern",
    "input_hash",
    "score",
    "answer",
    "kb_id",
];

pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    json::each(source, |row, object| match object {
        Ok(mut object) => match object.remove("paragraphs") {
            Some(Value::Array(paragraphs)) => {
                for paragraph in paragraphs {
                    let doc = paragraph_of(row, paragraph, &mut parsed.losses);
                    parsed.push(row, doc);
                }
            }
            _ => {
                let doc = document(row, object, &mut parsed.losses);
                parsed.push(row, doc);
            }
        },
        Err(reason) => parsed.bad.push((row, reason)),
    })?;
    Ok(parsed)
}

/// A paragraph of spaCy's older training files: tokens of sentences with their tags, scores of classes.
fn paragraph_of(row: usize, paragraph: Value, losses: &mut Losses) -> Result<RawDoc, String> {
    let Value::Object(mut object) = paragraph else { return Err("has a paragraph that is no object".to_owned()) };
    let sentences = object.remove("sentences").unwrap_or_default();
    let tokens: Vec<&Value> = sentences.as_array().into_iter().flatten().filter_map(|one| one["tokens"].as_array()).flatten().collect();
    let words: Vec<&str> = tokens.iter().filter_map(|token| token["orth"].as_str()).collect();
    let tags: Vec<Value> = tokens.iter().map(|token| Value::from(token["ner"].as_str().unwrap_or("O"))).collect();
    let text = match object.remove("raw") {
        Some(Value::String(raw)) => raw,
        _ => super::tokens::join(&words).0,
    };
    if text.is_empty() {
        return Err("has a paragraph without words".to_owned());
    }
    object.insert("text".to_owned(), Value::from(text));
    if tags.iter().any(|tag| tag != "O") {
        object.insert("words".to_owned(), words.into());
        object.insert("entities".to_owned(), tags.into());
    }
    if let Some(Value::Array(cats)) = object.remove("cats") {
        let score = |cat: &Value| Some((cat["label"].as_str()?.to_owned(), cat["value"].clone()));
        object.insert("cats".to_owned(), Value::Object(cats.iter().filter_map(score).collect()));
    }
    document(row, object, losses)
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
        if entities.iter().all(Value::is_string) {
            add_tags(&entities, &tokens, object.remove("words"), &mut doc, losses);
        } else {
            entities.iter().for_each(|entity| add_span(row, entity, &mut doc, losses));
        }
    }
    if let Some(Value::Array(relations)) = object.remove("relations") {
        relations.iter().for_each(|relation| link(row, relation, &tokens, &mut doc, losses));
    }
    class(row, &answer, &mut object, &mut doc, losses);
    let has_work = !doc.classes.is_empty() || !doc.spans.is_empty() || answer == "accept";
    doc.state = match answer.as_str() {
        "ignore" => State::Skipped,
        "reject" if doc.classes.is_empty() => reject(row, &mut doc, losses),
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
    for link in std::mem::take(&mut doc.links) {
        losses.note("a link of a rejected row was left out", row, link.name.unwrap_or_default());
    }
    State::Todo
}

/// What people read at the options that were accepted; their ids may be mere numbers.
fn named(accepted: Vec<String>, options: Option<&Value>) -> Vec<String> {
    let options = options.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text =
        |option: &Value| Some((json::key(&option["id"])?, option["text"].as_str().filter(|text| !text.trim().is_empty())?.to_owned()));
    let Some(texts) = options.iter().map(text).collect::<Option<Vec<(String, String)>>>() else { return accepted };
    // Two options that read alike would be one class.
    let differ = texts.iter().map(|(_, text)| text).collect::<BTreeSet<_>>().len() == texts.len();
    let name = |key: String| texts.iter().find(|(id, _)| differ && *id == key).map_or(key, |(_, text)| text.clone());
    accepted.into_iter().map(name).collect()
}

/// A class from the choice among options, a binary label, or spaCy's scores.
fn class(row: usize, answer: &str, object: &mut Object, doc: &mut RawDoc, losses: &mut Losses) {
    let accepted = match object.remove("accept") {
        Some(Value::Array(keys)) => named(keys.iter().filter_map(json::key).collect(), object.get("options")),
        _ => Vec::new(),
    };
    let binary = object.remove("label").and_then(|label| label.as_str().map(str::to_owned));
    let scores = match object.remove("cats") {
        Some(Value::Object(scores)) => scores,
        _ => Object::new(),
    };
    let scored = scores.iter().filter(|(_, score)| score.as_f64().is_some_and(|score| score >= 0.5) || **score == Value::Bool(true));
    let classes: Vec<String> = accepted.into_iter().chain(scored.map(|(name, _)| name.clone())).collect();
    let one = match (classes.first().cloned(), binary) {
        (Some(_), _) if answer != "reject" && answer != "ignore" => {
            doc.classes = classes;
            return;
        }
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
    doc.classes = one.into_iter().collect();
}

/// spaCy's list of a BILUO tag for each token. The tokens are stated, or else they are the words between spaces, or words and
/// signs, whichever are as many.
fn add_tags(tags: &[Value], tokens: &Value, words: Option<Value>, doc: &mut RawDoc, losses: &mut Losses) {
    let offsets = |token: &Value| Some(char_start(&doc.text, token["start"].as_u64()?)?..char_start(&doc.text, token["end"].as_u64()?)?);
    let stated: Option<Vec<_>> = tokens.as_array().map(|tokens| tokens.iter().map(offsets).collect()).unwrap_or_default();
    let words = json::strings(words.as_ref());
    let mut words: Vec<&str> =
        if words.is_empty() { doc.text.split_whitespace().collect() } else { words.iter().map(String::as_str).collect() };
    if words.len() != tags.len() {
        words = super::tokens::words_and_signs(&doc.text);
    }
    let places = stated.filter(|places| places.len() == tags.len()).or_else(|| super::tokens::find(&doc.text, &words));
    let tags: Vec<&str> = tags.iter().filter_map(Value::as_str).collect();
    let Some(places) = places.filter(|places| places.len() == tags.len()) else {
        for tag in tags.iter().filter(|tag| tag.starts_with(['B', 'U', 'S'])) {
            losses.drop_span("is a tag of a token, and the tokens of its text are not known", doc.row, tag);
        }
        return;
    };
    for chunk in super::conll::decode(tags.into_iter()) {
        let bytes = places[chunk.words.start].start..places[chunk.words.end - 1].end;
        doc.spans.push(RawSpan::at_bytes(format!("tags {}", doc.spans.len()), bytes, chunk.label, None));
    }
}

/// Byte place of a character.
fn char_start(text: &str, chars: u64) -> Option<usize> {
    let chars = usize::try_from(chars).ok()?;
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars)
}

/// `{"start", "end", "label"}` or spaCy's `[start, end, label]`.
fn add_span(row: usize, span: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let part = |at: usize, name: &str| span.get(at).or_else(|| span.get(name)).unwrap_or(&Value::Null);
    let (start, end) = (part(0, "start").as_u64(), part(1, "end").as_u64());
    match (start, end, part(2, "label").as_str()) {
        (Some(start), Some(end), Some(label)) => {
            let surface = span["text"].as_str().map(str::to_owned);
            let mut own = RawSpan { surface, ..RawSpan::at_offsets(key(start, end, label), start, end, label) };
            for (name, value) in span.as_object().into_iter().flatten().filter(|(name, _)| !OF_A_SPAN.contains(&name.as_str())) {
                say_of(row, &mut own, name, value, losses);
            }
            doc.spans.push(own);
        }
        _ => losses.drop_span("has no offsets or label that make sense", row, span.to_string()),
    }
}

/// What else a recipe of one's own, or Gloss, says of a span.
fn say_of(row: usize, span: &mut RawSpan, name: &str, value: &Value, losses: &mut Losses) {
    match value {
        Value::String(words) if name == "polarity" && polarity(words).is_some() => span.polarity = polarity(words),
        Value::Object(all) if name == ATTRIBUTES => all.iter().for_each(|(name, value)| attribute(row, span, name, value, losses)),
        _ => attribute(row, span, name, value, losses),
    }
}

fn attribute(row: usize, span: &mut RawSpan, name: &str, value: &Value, losses: &mut Losses) {
    match value {
        Value::String(words) if !words.is_empty() => drop(span.attributes.insert(name.to_owned(), DraftValue::Name(words.clone()))),
        Value::Bool(is) => drop(span.attributes.insert(name.to_owned(), DraftValue::Name(is.to_string()))),
        Value::Number(number) => match number.as_f64().and_then(Number::new) {
            Some(number) => drop(span.attributes.insert(name.to_owned(), DraftValue::Number(number))),
            None => losses.note("a number is too large and was left out", row, name),
        },
        Value::Null | Value::String(_) => {}
        _ => losses.note(format!("a field of a span ({name}) is of a kind without counterpart and was left out"), row, value.to_string()),
    }
}

fn key(start: u64, end: u64, label: &str) -> String {
    format!("{start} {end} {label}")
}

/// A relation from its head to its child, each a span stated with it, or one that holds the word of that number.
fn link(row: usize, relation: &Value, tokens: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let end = |span: &str, token: &str| {
        let stated = &relation[span];
        if let (Some(start), Some(end)) = (stated["start"].as_u64(), stated["end"].as_u64()) {
            // Several may stand there.
            let own = key(start, end, stated["label"].as_str().unwrap_or_default());
            let here = || doc.spans.iter().filter(|span| span.key.starts_with(&key(start, end, "")));
            return here().find(|span| span.key == own).or_else(|| here().next()).map(|span| span.key.clone());
        }
        let token = tokens.get(usize::try_from(relation[token].as_u64()?).ok()?)?;
        let at = usize::try_from(token["start"].as_u64()?).ok()?;
        let holds = |span: &&RawSpan| matches!(span.place, Place::Offsets(start, end) if (start..end).contains(&at));
        doc.spans.iter().find(holds).map(|span| span.key.clone())
    };
    match (end("head_span", "head"), end("child_span", "child")) {
        (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(relation["label"].as_str())),
        _ => losses.note("a relation joins words that are no spans and was left out", row, relation["label"].as_str().unwrap_or_default()),
    }
}
