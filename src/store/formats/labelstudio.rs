//! Label Studio: its JSON (a task with annotations) and JSON-MIN (a row with a key for each control).

use super::json::{self, Object, TextField, TextFields};
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawLink, RawSpan, is_about_polarity, polarity, value};
use super::source::Source;
use crate::project::{Number, State};
use crate::store::StoreError;
use crate::store::import::{DraftAnswer, DraftValue};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Columns of JSON-MIN that are neither data nor answers.
const OF_THE_TOOL: [&str; 6] = ["annotator", "annotation_id", "created_at", "updated_at", "lead_time", "id"];

pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    let field = field_of_texts(&json::sample(source)?);
    // Of rows of JSON-MIN: each is one person's.
    let mut people = BTreeMap::new();
    json::each(source, |row, object| {
        let losses = &mut parsed.losses;
        let doc = object.and_then(|object| match object.get("data") {
            Some(Value::Object(_)) => task(row, object, &field, losses),
            _ => {
                people.extend(object.get("annotator").and_then(person).map(|name| (row, name)));
                minimal(row, object, &field, losses)
            }
        });
        parsed.push(row, doc);
    })?;
    join_people(&mut parsed, &people);
    Ok(parsed)
}

/// The field of the data that was annotated; what it is called, the labeling config says, which no export holds.
fn field_of_texts(sample: &[Object]) -> TextField {
    let mut seen = TextFields::default();
    for object in sample {
        let Some(Value::Object(data)) = object.get("data") else {
            let regions = object.values().filter_map(Value::as_array).flatten();
            let words: Vec<&str> = regions.filter_map(|region| region["text"].as_str()).collect();
            let is_data = |name: &str| !OF_THE_TOOL.contains(&name) && !is_question(name);
            seen.look_at(object.iter().filter(|(name, _)| is_data(name)), &words);
            continue;
        };
        let lists = ["annotations", "completions"].into_iter().filter_map(|name| object.get(name)?.as_array()).flatten();
        let results = lists.filter_map(|one| one["result"].as_array()).flatten();
        let words: Vec<&str> = results.filter_map(|result| result["value"]["text"].as_str()).collect();
        seen.look_at(data, &words);
    }
    seen.choose()
}

/// Who made an annotation: a number, or an account.
fn person(by: &Value) -> Option<String> {
    json::key(by).or_else(|| by["email"].as_str().map(str::to_owned)).or_else(|| json::key(&by["id"]))
}

const SEVERAL_PEOPLE: &str = "several people annotated a text: each keeps their answers, and those of the first are the outcome too";
const SAME_PERSON: &str = "a second annotation by the same person was left out";

/// Rows of one text by several people become one document with what each of them says.
fn join_people(parsed: &mut Parsed, people: &BTreeMap<usize, String>) {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut docs: Vec<RawDoc> = Vec::new();
    let alone = |doc: &RawDoc| RawDoc { text: String::new(), meta: BTreeMap::new(), ..doc.clone() };
    for doc in std::mem::take(&mut parsed.docs) {
        let Some(name) = people.get(&doc.row) else {
            docs.push(doc);
            continue;
        };
        let Some(at) = first.get(&doc.text) else {
            first.insert(doc.text.clone(), docs.len());
            docs.push(doc);
            continue;
        };
        let into = &mut docs[*at];
        let before = people.get(&into.row).filter(|_| into.layers.is_empty());
        let is_again = before.is_some_and(|before| before == name) || into.layers.iter().any(|(held, _)| held == name);
        if is_again {
            parsed.repeated += 1;
            parsed.losses.note(SAME_PERSON, doc.row, name);
            continue;
        }
        if let Some(before) = before {
            let own = alone(into);
            into.layers.push((before.clone(), own));
            parsed.losses.note(SEVERAL_PEOPLE, into.row, &into.text);
        }
        parsed.joined += 1;
        into.layers.push((name.clone(), alone(&doc)));
    }
    parsed.docs = docs;
}

/// What a task says, while it is read.
#[derive(Default)]
struct Said {
    spans: Vec<RawSpan>,
    links: Vec<RawLink>,
    answers: BTreeMap<String, DraftAnswer>,
    /// What is said about a region: its id, the name of the control, and the answer.
    of_region: Vec<(String, String, DraftValue)>,
}

fn task(row: usize, mut object: Object, field: &TextField, losses: &mut Losses) -> Result<RawDoc, String> {
    let Some(Value::Object(mut data)) = object.remove("data") else { return Err("has no data".to_owned()) };
    let text = field.take(&mut data)?;
    let list = |name: &str| object.get(name).and_then(Value::as_array).cloned();
    let annotations = list("annotations").or_else(|| list("completions")).unwrap_or_default();
    let chosen = annotations.iter().find(|one| !is_cancelled(one)).or(annotations.first());
    let layers = layers(row, &annotations, chosen, losses);
    if layers.is_empty() {
        for _ in annotations.iter().skip(1) {
            losses.note("a second annotation of the same text was left out; the first one was taken", row, &text);
        }
    } else {
        losses.note(SEVERAL_PEOPLE, row, &text);
    }
    if chosen.is_none() && list("predictions").is_some_and(|predictions| !predictions.is_empty()) {
        losses.note("predictions of a model were left out: they are no annotation", row, &text);
    }
    let state = match chosen {
        None => State::Todo,
        Some(one) if is_cancelled(one) => State::Skipped,
        Some(_) => State::Done,
    };
    let said = chosen.map(|one| results(row, one, losses)).unwrap_or_default();
    Ok(RawDoc { layers, ..finish(row, text, data, said, state, losses) })
}

fn is_cancelled(annotation: &Value) -> bool {
    annotation["was_cancelled"].as_bool() == Some(true)
}

fn results(row: usize, annotation: &Value, losses: &mut Losses) -> Said {
    let mut said = Said::default();
    for result in annotation["result"].as_array().into_iter().flatten() {
        read_result(row, result, &mut said, losses);
    }
    said
}

/// The annotations by who made them, where there are several people: of each the first one that is not cancelled.
fn layers(row: usize, annotations: &[Value], chosen: Option<&Value>, losses: &mut Losses) -> Vec<(String, RawDoc)> {
    let mut taken: Vec<(String, &Value)> = Vec::new();
    let mut again: Vec<String> = Vec::new();
    for one in annotations {
        let Some(name) = person(&one["completed_by"]) else { return Vec::new() };
        match taken.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => {
                if is_cancelled(held) && !is_cancelled(one) {
                    *held = one;
                }
                again.push(name);
            }
            None => taken.push((name, one)),
        }
    }
    if taken.len() < 2 {
        return Vec::new();
    }
    again.iter().for_each(|name| losses.note(SAME_PERSON, row, name));
    let layer = |(name, one): (String, &Value)| {
        // What the results of the outcome lose is told there; here for those beside it.
        let mut own = Losses::default();
        let said = results(row, one, &mut own);
        let state = if is_cancelled(one) { State::Skipped } else { State::Done };
        let doc = finish(row, String::new(), Object::new(), said, state, &mut own);
        if !chosen.is_some_and(|chosen| std::ptr::eq(chosen, one)) {
            losses.join(own);
        }
        (name, doc)
    };
    taken.into_iter().map(layer).collect()
}

/// One choice, or several.
fn class(mut choices: Vec<String>) -> DraftAnswer {
    if choices.len() == 1 { DraftAnswer::Class(choices.remove(0)) } else { DraftAnswer::Classes(choices) }
}

fn finish(row: usize, text: String, data: Object, mut said: Said, state: State, losses: &mut Losses) -> RawDoc {
    for (id, name, answer) in said.of_region {
        let mut of_region = said.spans.iter_mut().filter(|span| region(&span.key) == id).peekable();
        if of_region.peek().is_none() {
            losses.note(format!("an answer to {name:?} is about no region with a label and was left out"), row, id);
            continue;
        }
        let found = match &answer {
            DraftValue::Name(word) if is_about_polarity(&name) || word.chars().all(char::is_alphabetic) => polarity(word),
            _ => None,
        };
        for span in of_region {
            match found {
                Some(_) => span.polarity = found,
                None => drop(span.attributes.insert(name.clone(), answer.clone())),
            }
        }
    }
    let Said { spans, links, answers, .. } = said;
    RawDoc { row, text, answers, meta: json::meta(data), spans, links, state, ..RawDoc::default() }
}

/// The id of the region a span was made of: a region with two labels makes two spans.
fn region(key: &str) -> &str {
    key.split_once('\u{1f}').map_or(key, |(id, _)| id)
}

fn read_result(row: usize, result: &Value, said: &mut Said, losses: &mut Losses) {
    let kind = result["type"].as_str().unwrap_or_default();
    let value = &result["value"];
    let id = json::key(&result["id"]).unwrap_or_else(|| format!("span {}", said.spans.len()));
    let control = |usual: &str| result["from_name"].as_str().unwrap_or(usual).to_owned();
    match kind {
        "relation" => {
            let (Some(from), Some(to)) = (json::key(&result["from_id"]), json::key(&result["to_id"])) else {
                return losses.note("a relation names no regions and was left out", row, "");
            };
            let names = json::strings(result.get("labels"));
            if names.len() > 1 {
                losses.note("a second name of a link was left out", row, names[1..].join(", "));
            }
            let link = if result["direction"] == "left" { RawLink::new(to, from) } else { RawLink::new(from, to) };
            said.links.push(link.named(names.first().map(String::as_str)));
        }
        "choices" => {
            let choices = json::strings(value.get("choices"));
            let Some(first) = choices.first() else { return };
            if value.get("start").is_some() {
                if choices.len() > 1 {
                    losses.note("a second choice about a region was left out", row, choices[1..].join(", "));
                }
                return said.of_region.push((id, control("polarity"), self::value(first)));
            }
            let question = result["from_name"].as_str().unwrap_or("sentiment");
            said.answers.insert(question.to_owned(), class(choices));
        }
        "rating" | "number" => {
            let number = value.get(kind).and_then(Value::as_f64).and_then(Number::new);
            match number {
                Some(number) if value.get("start").is_some() => said.of_region.push((id, control(kind), DraftValue::Number(number))),
                Some(number) => drop(said.answers.insert(control(kind), DraftAnswer::Number(number))),
                None => losses.note(format!("a result of the kind {kind:?} was left out"), row, value.to_string()),
            }
        }
        "textarea" if value.get("start").is_none() => {
            let text = json::strings(value.get("text")).join("\n");
            if !text.trim().is_empty() {
                said.answers.insert(result["from_name"].as_str().unwrap_or(kind).to_owned(), DraftAnswer::Text(text));
            }
        }
        // A text or a taxonomy about a region is none itself.
        _ if LABELS.iter().all(|labels| kind != *labels && value.get(*labels).is_none()) => {
            losses.note(format!("a result of the kind {kind:?} was left out"), row, value.to_string());
        }
        _ => match spans(value, &id) {
            Some(spans) if !spans.is_empty() => said.spans.extend(spans),
            Some(_) => losses.drop_span("has no label", row, value["text"].as_str().unwrap_or_default()),
            None => losses.drop_span("has no offsets or label that make sense", row, value.to_string()),
        },
    }
}

/// What regions of a text are called, and where their labels stand.
const LABELS: [&str; 3] = ["labels", "hypertextlabels", "paragraphlabels"];

/// The spans of a region, one for each of its labels. `None` if it is no region of a text.
fn spans(value: &Value, id: &str) -> Option<Vec<RawSpan>> {
    let (start, end) = (number(&value["start"])?, number(&value["end"])?);
    let labels = LABELS.iter().find_map(|name| value.get(*name));
    let span = |(at, label): (usize, String)| {
        let key = if at == 0 { id.to_owned() } else { format!("{id}\u{1f}{at}") };
        let surface = value["text"].as_str().map(str::to_owned);
        RawSpan { surface, ..RawSpan::at_offsets(key, start, end, label) }
    };
    Some(json::strings(labels).into_iter().enumerate().map(span).collect())
}

/// Some versions write offsets as strings.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A row of JSON-MIN: columns of the data and controls stand side by side.
fn minimal(row: usize, mut object: Object, field: &TextField, losses: &mut Losses) -> Result<RawDoc, String> {
    let mut said = Said::default();
    let names: Vec<String> = object.keys().cloned().collect();
    for name in names {
        let is_control = match &object[&name] {
            Value::Array(regions) if regions.first().is_some_and(|one| one.get("start").is_some()) => {
                for (at, value) in regions.iter().enumerate() {
                    match spans(value, &format!("{name} {at}")) {
                        Some(spans) if !spans.is_empty() => said.spans.extend(spans),
                        _ => losses.drop_span("has no place or label", row, value.to_string()),
                    }
                }
                true
            }
            Value::Object(choices) if choices.contains_key("choices") => {
                let choices = json::strings(choices.get("choices"));
                if !choices.is_empty() {
                    said.answers.insert(name.clone(), class(choices));
                }
                true
            }
            Value::Number(number) if is_question(&name) || ["rating", "stars", "score"].contains(&name.to_lowercase().as_str()) => {
                said.answers.extend(number.as_f64().and_then(Number::new).map(|number| (name.clone(), DraftAnswer::Number(number))));
                true
            }
            Value::String(choice) if is_question(&name) => {
                said.answers.insert(name.clone(), DraftAnswer::Class(choice.clone()));
                true
            }
            _ => false,
        };
        if is_control || OF_THE_TOOL.contains(&name.as_str()) {
            object.remove(&name);
        }
    }
    let text = field.take(&mut object)?;
    Ok(finish(row, text, object, said, State::Done, losses))
}

/// A lone choice is a plain string like any column: told by its name.
fn is_question(name: &str) -> bool {
    let name = name.to_lowercase();
    ["sentiment", "label", "class", "choice", "choices", "polarity", "category", "情感", "标签", "类别"].contains(&name.as_str())
}
