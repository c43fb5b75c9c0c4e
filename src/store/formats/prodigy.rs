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
use std::ops::Range;

/// A field of a span that holds its attributes.
pub(in crate::store) const ATTRIBUTES: &str = "attributes";

/// Fields of a span that Prodigy or spaCy writes itself.
const OF_A_SPAN: [&str; 13] =
    ["start", "end", "label", "text", "token_start", "token_end", "id", "type", "source", "pattern", "input_hash", "score", "answer"];

/// Which entry of a knowledge base a span is about.
const ENTRY: &str = "kb_id";

pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    json::each(source, |row, object| match object {
        Ok(object) => add(row, object, &mut parsed),
        Err(reason) => parsed.bad.push((row, reason)),
    })?;
    Ok(parsed)
}

/// Takes a field out where it is of a kind that is understood. What else is called so stays, to become metadata.
fn take(object: &mut Object, name: &str, is_known: impl Fn(&Value) -> bool) -> Option<Value> {
    if object.get(name).is_some_and(is_known) { object.remove(name) } else { None }
}

/// A text, or the paragraphs of one in spaCy's older training files.
fn add(row: usize, mut object: Object, parsed: &mut Parsed) {
    let has_text = object.contains_key("text");
    // Beside a text they may be anybody's.
    let is_one = |one: &Value| !has_text || one.get("sentences").is_some() || one.get("raw").is_some();
    let are_paragraphs = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_one));
    let Some(Value::Array(paragraphs)) = take(&mut object, "paragraphs", are_paragraphs) else {
        let doc = document(row, object, &mut parsed.losses);
        return parsed.push(row, doc);
    };
    for paragraph in paragraphs {
        let mut doc = paragraph_of(row, paragraph, &mut parsed.losses);
        if let Ok(doc) = &mut doc {
            add_meta(doc, object.clone(), &mut parsed.losses);
        }
        parsed.push(row, doc);
    }
}

/// A paragraph of spaCy's older training files: tokens of sentences with their tags, scores of classes.
fn paragraph_of(row: usize, paragraph: Value, losses: &mut Losses) -> Result<RawDoc, String> {
    const READ: [&str; 4] = ["id", "orth", "ner", "space"];
    let Value::Object(mut object) = paragraph else { return Err("has a paragraph that is no object".to_owned()) };
    let sentences = take(&mut object, "sentences", Value::is_array).unwrap_or_default();
    let tokens: Vec<&Value> = sentences.as_array().into_iter().flatten().filter_map(|one| one["tokens"].as_array()).flatten().collect();
    let words: Vec<&str> = tokens.iter().filter_map(|token| token["orth"].as_str()).collect();
    let tags: Vec<Value> = tokens.iter().map(|token| Value::from(token["ner"].as_str().unwrap_or("O"))).collect();
    let text = match take(&mut object, "raw", Value::is_string) {
        Some(Value::String(raw)) => raw,
        _ => super::tokens::join(&words).0,
    };
    if text.is_empty() {
        return Err("has a paragraph without words".to_owned());
    }
    let mut fields = tokens.iter().filter_map(|token| token.as_object()).flat_map(|token| token.keys());
    if fields.any(|name| !READ.contains(&name.as_str())) {
        losses.note("what is said of words beside their entities has no counterpart and was left out", row, &text);
    }
    object.insert("text".to_owned(), Value::from(text));
    if tags.iter().any(|tag| tag != "O") {
        object.insert("words".to_owned(), words.into());
        object.insert("entities".to_owned(), tags.into());
    }
    document(row, object, losses)
}

fn document(row: usize, mut object: Object, losses: &mut Losses) -> Result<RawDoc, String> {
    let Some(Value::String(text)) = object.remove("text") else { return Err("has no \"text\"".to_owned()) };
    let mut doc = RawDoc { row, text, ..RawDoc::default() };
    let is_answer = |value: &Value| value.as_str().is_some_and(|answer| matches!(answer, "" | "accept" | "reject" | "ignore"));
    let answer = take(&mut object, "answer", is_answer).and_then(|answer| json::cell(&answer)).unwrap_or_default();
    let tokens = take(&mut object, "tokens", Value::is_array).unwrap_or_default();
    match take(&mut object, "spans", are_spans) {
        Some(Value::Array(spans)) => spans.iter().for_each(|span| add_span(row, span, &mut doc, losses)),
        Some(Value::Object(groups)) => {
            for name in groups.keys().filter(|_| groups.len() > 1) {
                losses.note("a group of spans has a name, which has no counterpart; its spans came without", row, name);
            }
            groups.values().filter_map(Value::as_array).flatten().for_each(|span| add_span(row, span, &mut doc, losses));
        }
        _ => {}
    }
    if let Some(Value::Array(entities)) = take(&mut object, "entities", Value::is_array) {
        if entities.is_empty() || !entities.iter().all(Value::is_string) {
            entities.iter().for_each(|entity| add_span(row, entity, &mut doc, losses));
        } else {
            let words = take(&mut object, "words", |words| words.as_array().is_some_and(|all| all.iter().all(Value::is_string)));
            add_tags(&entities, &tokens, words, &mut doc, losses);
        }
    }
    if let Some(Value::Array(relations)) = take(&mut object, "relations", Value::is_array) {
        relations.iter().for_each(|relation| link(row, relation, &tokens, &mut doc, losses));
    }
    class(&answer, &mut object, &mut doc, losses);
    let has_work = !doc.classes.is_empty() || !doc.spans.is_empty() || answer == "accept";
    doc.state = match answer.as_str() {
        "ignore" => State::Skipped,
        "reject" if doc.classes.is_empty() => reject(row, &mut doc, losses),
        _ if has_work => State::Done,
        _ => State::Todo,
    };
    drop(take(&mut object, "options", Value::is_array));
    drop(take(&mut object, "config", Value::is_object));
    for of_the_tool in ["html", "_view_id", "_is_binary", "_timestamp"] {
        object.remove(of_the_tool);
    }
    add_meta(&mut doc, object, losses);
    Ok(doc)
}

/// A list of spans, or spaCy's groups of them.
fn are_spans(value: &Value) -> bool {
    value.is_array() || value.as_object().is_some_and(|groups| groups.values().all(Value::is_array))
}

/// What is left of an object becomes metadata; what stands there already stays.
fn add_meta(doc: &mut RawDoc, mut object: Object, losses: &mut Losses) {
    let inner = match take(&mut object, "meta", Value::is_object) {
        Some(Value::Object(inner)) => inner,
        _ => Object::new(),
    };
    for (name, value) in json::meta(object).into_iter().chain(json::meta(inner)) {
        match doc.meta.get(&name) {
            Some(before) if *before != value => {
                losses.note("a field of metadata has two values; the first was kept", doc.row, format!("{name}: {value}"));
            }
            Some(_) => {}
            None => drop(doc.meta.insert(name, value)),
        }
    }
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

fn is_name(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

/// A name of a class, or a list of them.
fn are_names(value: &Value) -> bool {
    is_name(value) || value.as_array().is_some_and(|all| all.iter().all(is_name))
}

fn names(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(json::key).collect(),
        one => one.iter().filter_map(json::key).collect(),
    }
}

/// spaCy's scores by class, a list of objects with a score each, or a list of names.
fn are_scores(value: &Value) -> bool {
    let is_one = |one: &Value| is_name(one) || one["label"].is_string();
    value.is_object() || value.as_array().is_some_and(|all| all.iter().all(is_one))
}

/// The classes that reach a half.
fn scored(row: usize, scores: Option<Value>, losses: &mut Losses) -> Vec<String> {
    let of_list = |one: &Value| match json::key(one) {
        Some(name) => Some((name, Value::Bool(true))),
        None => Some((one["label"].as_str()?.to_owned(), one["value"].clone())),
    };
    let scores: Vec<(String, Value)> = match scores {
        Some(Value::Object(scores)) => scores.into_iter().collect(),
        Some(Value::Array(all)) => all.iter().filter_map(of_list).collect(),
        _ => Vec::new(),
    };
    let mut classes = Vec::new();
    for (name, score) in scores {
        match score {
            Value::Bool(true) => classes.push(name),
            Value::Number(score) if score.as_f64().is_some_and(|score| score >= 0.5) => classes.push(name),
            Value::Bool(false) | Value::Number(_) | Value::Null => {}
            other => losses.note("the score of a class is no number and was left out", row, format!("{name}: {other}")),
        }
    }
    classes
}

/// Classes from the choice among options, a binary label, or spaCy's scores.
fn class(answer: &str, object: &mut Object, doc: &mut RawDoc, losses: &mut Losses) {
    const LEFT_OUT: &str = "a class of a rejected or ignored row was left out";
    const ASKED: &str = "asked about";
    let row = doc.row;
    let accepted = names(take(object, "accept", are_names));
    let mut chosen = named(accepted, object.get("options"));
    chosen.extend(scored(row, take(object, "cats", are_scores), losses));
    let mut asked = names(take(object, "label", are_names));
    // Stated twice, a class would be two.
    for classes in [&mut chosen, &mut asked] {
        let mut seen = BTreeSet::new();
        classes.retain(|class| seen.insert(class.clone()));
    }
    if matches!(answer, "reject" | "ignore") {
        chosen.iter().for_each(|class| losses.note(LEFT_OUT, row, class));
    }
    match (answer, asked.as_slice()) {
        // "No" to the one label that was asked about is an answer too.
        ("reject", [label]) => {
            losses.note(format!("a rejected class became the class \"not {label}\""), row, "");
            doc.classes = vec![format!("not {label}")];
        }
        // Which of several is wrong is not known.
        ("reject", several) => several.iter().for_each(|label| losses.note(LEFT_OUT, row, label)),
        ("ignore", []) => {}
        ("ignore", _) => drop(doc.meta.insert(ASKED.to_owned(), asked.join(", "))),
        _ if chosen.is_empty() => doc.classes = asked,
        _ => {
            if asked.iter().any(|label| !chosen.contains(label)) {
                doc.meta.insert(ASKED.to_owned(), asked.join(", "));
            }
            doc.classes = chosen;
        }
    }
}

/// spaCy's list of a BILUO tag for each token. The tokens are stated, or else they are the words between spaces, or words and
/// signs, whichever are as many.
fn add_tags(tags: &[Value], tokens: &Value, words: Option<Value>, doc: &mut RawDoc, losses: &mut Losses) {
    let stated = tokens.as_array().and_then(|tokens| stated_places(&doc.text, tokens));
    let words = json::strings(words.as_ref().or(Some(tokens)));
    let mut words: Vec<&str> =
        if words.is_empty() { doc.text.split_whitespace().collect() } else { words.iter().map(String::as_str).collect() };
    if words.len() != tags.len() {
        words = super::tokens::words_and_signs(&doc.text);
    }
    let places = stated.filter(|places| places.len() == tags.len()).or_else(|| super::tokens::find(&doc.text, &words));
    let tags: Vec<&str> = tags.iter().filter_map(Value::as_str).collect();
    // "-" and "" are tokens of which nothing is known.
    if let Some(odd) = tags.iter().copied().find(|tag| !matches!(*tag, "-" | "") && !super::conll::is_tag(tag)) {
        losses.note("a tag has no part of a span (such as B-) and was left out", doc.row, odd);
    }
    let chunks = super::conll::decode(tags.iter().copied());
    let Some(places) = places.filter(|places| places.len() == tags.len()) else {
        for chunk in chunks {
            losses.drop_span("is a tag of a token, and the tokens of its text are not known", doc.row, tags[chunk.words.start]);
        }
        return;
    };
    for chunk in chunks {
        let bytes = places[chunk.words.start].start..places[chunk.words.end - 1].end;
        doc.spans.push(RawSpan::at_bytes(format!("tags {}", doc.spans.len()), bytes, chunk.label, None));
    }
}

/// Bytes of tokens that say which characters they hold. With one table for all of them: to count anew for each takes
/// minutes in a long text.
fn stated_places(text: &str, tokens: &[Value]) -> Option<Vec<Range<usize>>> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let byte = |chars: &Value| starts.get(usize::try_from(chars.as_u64()?).ok()?).copied();
    tokens.iter().map(|token| Some(byte(&token["start"])?..byte(&token["end"])?)).collect()
}

/// `{"start", "end", "label"}` or spaCy's `[start, end, label]`.
fn add_span(row: usize, span: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let part = |at: usize, name: &str| span.get(at).or_else(|| span.get(name)).unwrap_or(&Value::Null);
    let (start, end) = (part(0, "start").as_u64(), part(1, "end").as_u64());
    let (Some(start), Some(end), Some(label)) = (start, end, part(2, "label").as_str()) else {
        return losses.drop_span("has no offsets or label that make sense", row, span.to_string());
    };
    match json::cell(&span["answer"]).as_deref() {
        None | Some("" | "accept") => {}
        Some("reject") => return losses.drop_span("was rejected", row, label),
        Some(answer) => losses.note(format!("a span has the answer {answer:?}, which has no counterpart; it came without"), row, label),
    }
    for more in span.as_array().into_iter().flatten().skip(3).filter(|more| !more.is_null()) {
        losses.note("what stands behind the label of a span was left out", row, more.to_string());
    }
    let surface = span["text"].as_str().map(str::to_owned);
    let mut own = RawSpan { surface, ..RawSpan::at_offsets(key(start, end, label), start, end, label) };
    for (name, value) in span.as_object().into_iter().flatten().filter(|(name, _)| !OF_A_SPAN.contains(&name.as_str())) {
        say_of(row, &mut own, name, value, losses);
    }
    doc.spans.push(own);
}

/// What else a recipe of one's own, or Gloss, says of a span.
fn say_of(row: usize, span: &mut RawSpan, name: &str, value: &Value, losses: &mut Losses) {
    match value {
        Value::String(words) if name == "polarity" && polarity(words).is_some() => span.polarity = polarity(words),
        Value::Object(all) if name == ATTRIBUTES => all.iter().for_each(|(name, value)| attribute(row, span, name, value, losses)),
        // Nobody counts with it.
        Value::Number(entry) if name == ENTRY => attribute(row, span, name, &Value::from(entry.to_string()), losses),
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
