//! Label Studio: its JSON (a task with annotations) and JSON-MIN (a row with a key for each control).

use super::json::{self, Object};
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawSpan, polarity};
use crate::project::State;
use serde_json::Value;
use std::collections::BTreeMap;

/// The name that our own export gives to links: it says nothing, so nothing is lost with it.
pub(in crate::store) const PLAIN_LINK: &str = "about";

pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    for (row, object) in json::rows(text)? {
        let losses = &mut parsed.losses;
        let doc = object.and_then(|object| match object.get("data") {
            Some(Value::Object(_)) => task(row, object, losses),
            _ => minimal(row, object, losses),
        });
        parsed.push(row, doc);
    }
    Ok(parsed)
}

/// What a task says, while it is read.
#[derive(Default)]
struct Said {
    spans: Vec<RawSpan>,
    links: Vec<(String, String)>,
    answers: BTreeMap<String, String>,
    /// Words said about a region, by its id: polarities, perhaps.
    of_region: Vec<(String, String)>,
}

fn task(row: usize, mut object: Object, losses: &mut Losses) -> Result<RawDoc, String> {
    let Some(Value::Object(mut data)) = object.remove("data") else { return Err("has no data".to_owned()) };
    let text = json::take_text(&mut data)?;
    let list = |name: &str| object.get(name).and_then(Value::as_array).cloned();
    let annotations = list("annotations").or_else(|| list("completions")).unwrap_or_default();
    let is_cancelled = |annotation: &&Value| annotation["was_cancelled"].as_bool() == Some(true);
    let chosen = annotations.iter().find(|one| !is_cancelled(one)).or(annotations.first());
    if annotations.len() > 1 {
        losses.note("a second annotation of the same text was left out; the first one was taken", row, &text);
    }
    if chosen.is_none() && list("predictions").is_some_and(|predictions| !predictions.is_empty()) {
        losses.note("predictions of a model were left out: they are no annotation", row, &text);
    }
    let state = match chosen {
        None => State::Todo,
        Some(one) if is_cancelled(&one) => State::Skipped,
        Some(_) => State::Done,
    };
    let mut said = Said::default();
    for result in chosen.and_then(|one| one["result"].as_array()).into_iter().flatten() {
        read_result(row, result, &mut said, losses);
    }
    Ok(finish(row, text, data, said, state, losses))
}

fn finish(row: usize, text: String, data: Object, mut said: Said, state: State, losses: &mut Losses) -> RawDoc {
    for (id, word) in said.of_region {
        match polarity(&word) {
            Some(found) => said.spans.iter_mut().filter(|span| region(&span.key) == id).for_each(|span| span.polarity = Some(found)),
            None => losses.note("a choice about a region is no polarity and was left out", row, word),
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
    match kind {
        "relation" => {
            let (Some(from), Some(to)) = (json::key(&result["from_id"]), json::key(&result["to_id"])) else {
                return losses.note("a relation names no regions and was left out", row, "");
            };
            for name in json::strings(result.get("labels")).into_iter().filter(|name| name != PLAIN_LINK) {
                losses.note(format!("a link came over without its name {name:?}"), row, "");
            }
            said.links.push(if result["direction"] == "left" { (to, from) } else { (from, to) });
        }
        "choices" => {
            let choices = json::strings(value.get("choices"));
            let Some(first) = choices.first() else { return };
            if choices.len() > 1 {
                losses.note("a second choice was left out: a question has one answer", row, choices[1..].join(", "));
            }
            if value.get("start").is_some() {
                return said.of_region.push((id, first.clone()));
            }
            let question = result["from_name"].as_str().unwrap_or("sentiment");
            said.answers.insert(question.to_owned(), first.clone());
        }
        _ => match spans(value, &id) {
            Some(spans) if !spans.is_empty() => said.spans.extend(spans),
            Some(_) => losses.drop_span("has no label", row, value["text"].as_str().unwrap_or_default()),
            None => losses.note(format!("a result of the kind {kind:?} was left out"), row, value.to_string()),
        },
    }
}

/// The spans of a region, one for each of its labels. `None` if it is no region of a text.
fn spans(value: &Value, id: &str) -> Option<Vec<RawSpan>> {
    let (start, end) = (number(&value["start"])?, number(&value["end"])?);
    let labels = ["labels", "hypertextlabels", "paragraphlabels"].iter().find_map(|name| value.get(*name));
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
fn minimal(row: usize, mut object: Object, losses: &mut Losses) -> Result<RawDoc, String> {
    const OF_THE_TOOL: [&str; 6] = ["annotator", "annotation_id", "created_at", "updated_at", "lead_time", "id"];
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
                if choices.len() > 1 {
                    losses.note("a second choice was left out: a question has one answer", row, choices[1..].join(", "));
                }
                said.answers.extend(choices.into_iter().next().map(|first| (name.clone(), first)));
                true
            }
            Value::String(choice) if is_question(&name) => {
                said.answers.insert(name.clone(), choice.clone());
                true
            }
            _ => false,
        };
        if is_control || OF_THE_TOOL.contains(&name.as_str()) {
            object.remove(&name);
        }
    }
    let text = json::take_text(&mut object)?;
    Ok(finish(row, text, object, said, State::Done, losses))
}

/// A lone choice is a plain string like any column: told by its name.
fn is_question(name: &str) -> bool {
    let name = name.to_lowercase();
    ["sentiment", "label", "class", "choice", "choices", "polarity", "category", "情感", "标签", "类别"].contains(&name.as_str())
}
