//! Which tool made a file, from its content.

use super::json::Object;
use super::{Kind, brat, conll, doccano, json};
use crate::store::scan;
use serde_json::Value;
use std::path::Path;

/// The tool behind a file; `None` for tables, plain text, and our own files. `text` is the beginning of the file.
pub(in crate::store) fn detect(path: &Path, text: &str) -> Option<Kind> {
    if brat::is_pair(path) {
        return Some(Kind::Brat);
    }
    let start = text.trim_start();
    if start.starts_with('<') {
        return xml(start);
    }
    if start.starts_with(['{', '[']) {
        let objects = json::first(start, 20);
        if let Some(kind) = objects.iter().find_map(of_object) {
            return Some(kind).filter(|_| !objects.iter().any(is_own));
        }
        if let Some(kind) = of_cut(start).filter(|_| objects.is_empty()) {
            return Some(kind);
        }
    }
    if text.starts_with(super::webanno::FORMAT) {
        return Some(Kind::WebAnno);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    if matches!(extension.as_str(), "csv" | "json" | "jsonl" | "ndjson") {
        return None;
    }
    if doccano::is_fast_text(text) {
        return Some(Kind::FastText);
    }
    lines(text)
}

/// The tool behind a file whose first object is cut off or longer than its beginning, by the names in it.
fn of_cut(text: &str) -> Option<Kind> {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    if has("data") && ["annotations", "completions", "from_name"].into_iter().any(has) {
        return Some(Kind::LabelStudio);
    }
    if has("fields") && (has("responses") || has("suggestions")) {
        return Some(Kind::Argilla);
    }
    let is_prodigy = has("_task_hash") || has("paragraphs") && has("ner");
    is_prodigy.then_some(Kind::Prodigy)
}

fn xml(text: &str) -> Option<Kind> {
    let opinions = text.contains("<Reviews") || text.contains("<Opinion");
    let sentences = text.contains("<sentences") || text.contains("<aspectTerm");
    if opinions { Some(Kind::SemEval16) } else { sentences.then_some(Kind::SemEval14) }
}

/// Files of our own have spans too.
fn is_own(object: &Object) -> bool {
    object.get("answers").is_some_and(Value::is_object) || object.contains_key("flagged") && object.contains_key("spans")
}

fn of_object(object: &Object) -> Option<Kind> {
    let is_list = |name: &str| object.get(name).is_some_and(Value::is_array);
    let has = |name: &str| object.contains_key(name);
    if super::argilla::is_record(object) {
        return Some(Kind::Argilla);
    }
    let paragraphs = object.get("paragraphs").and_then(|paragraphs| paragraphs.get(0));
    if paragraphs.is_some_and(|first| first.get("sentences").is_some()) {
        return Some(Kind::Prodigy);
    }
    let is_tags =
        |value: &Value| value.as_array().is_some_and(|tags| !tags.is_empty() && tags.iter().all(|tag| tag.is_string() || tag.is_u64()));
    let tagged = ["ner_tags", "tags", "bio_tags"].into_iter().any(|name| object.get(name).is_some_and(is_tags));
    if tagged && (is_list("tokens") || is_list("words")) {
        return Some(Kind::HuggingFace);
    }
    if has("text") && object.get("entities").and_then(|tags| tags.get(0)).is_some_and(Value::is_string) {
        return Some(Kind::Prodigy);
    }
    if has(doccano::UNIT) {
        return Some(Kind::Doccano);
    }
    let is_task = object.get("data").is_some_and(Value::is_object);
    if is_task && ["annotations", "completions", "predictions"].into_iter().any(is_list) || has("annotation_id") && has("annotator") {
        return Some(Kind::LabelStudio);
    }
    let answered = object.get("answer").and_then(Value::as_str).is_some_and(|answer| matches!(answer, "accept" | "reject" | "ignore"));
    let scored = object.get("cats").is_some_and(Value::is_object);
    if has("text") && (has("_input_hash") || has("_task_hash") || answered || scored || is_list("spans") && is_list("tokens")) {
        return Some(Kind::Prodigy);
    }
    let annotated = ["label", "labels", "column_label"].into_iter().any(|name| object.get(name).is_some_and(is_annotation));
    if annotated || is_list("entities") || is_list("cats") {
        return Some(Kind::Doccano);
    }
    None
}

/// A list of classes, or of `[start, end, label]`.
fn is_annotation(value: &Value) -> bool {
    let is_span = |item: &Value| item.as_array().is_some_and(|parts| parts.len() == 3 && parts[0].is_number() && parts[2].is_string());
    value.as_array().is_some_and(|items| items.iter().all(|item| item.is_string() || is_span(item)))
}

/// Told by almost every line, so that a review that mentions such a sign changes nothing.
fn lines(text: &str) -> Option<Kind> {
    let lines: Vec<&str> = scan::lines(text).filter(|line| !line.trim().is_empty()).take(300).collect();
    let most = |is: &dyn Fn(&str) -> bool| !lines.is_empty() && lines.iter().filter(|line| is(line)).count() * 100 >= lines.len() * 95;
    let behind = |line: &str, is: &dyn Fn(&str) -> bool| line.rsplit_once("####").is_some_and(|(_, after)| is(after.trim()));
    if most(&|line| behind(line, &|after| after.starts_with("[(") || after == "[]")) {
        return Some(Kind::Aste);
    }
    if most(&|line| behind(line, &|after| after.split_whitespace().all(|word| word.contains('=')))) {
        return Some(Kind::E2e);
    }
    if most(&|line| line.contains("[B-ASP]") && line.contains("[E-ASP]")) {
        return Some(Kind::Apc);
    }
    let marked = lines.iter().step_by(3).filter(|line| line.contains("$T$")).count();
    if lines.len() >= 3 && marked * 100 >= lines.len().div_ceil(3) * 95 {
        return Some(Kind::Apc);
    }
    match conll::looks_like(text)? {
        true => Some(Kind::Atepc),
        false => Some(Kind::Conll),
    }
}
