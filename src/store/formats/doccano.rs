//! doccano: JSON Lines or JSON with classes, spans, relations or classes and spans together; fastText's labelled lines.

use super::details::{DETAILS, Details};
use super::json::{self, Object, TextField};
use super::loss::Losses;
use super::offsets::Unit;
use super::raw::{NO_TEXT, Parsed, RawDoc, RawLink, RawSpan, polarity};
use super::source::Source;
use crate::project::State;
use crate::store::StoreError;
use crate::store::scan::{self, Record, Trouble};
use serde_json::Value;
use std::borrow::Cow;

/// Beside the text in files of our own: what their offsets count.
pub(in crate::store) const UNIT: &str = "offset_unit";

pub(super) fn parse(source: &mut Source) -> Result<Parsed, StoreError> {
    let beginning = source.pieces()?;
    if is_fast_text(beginning.rest()) {
        return fast_text(source);
    }
    if !beginning.rest().trim_start().starts_with(['{', '[']) {
        return csv(source);
    }
    json::parsed(source, document)
}

/// Where what stands in a CSV.
struct Columns {
    names: Vec<String>,
    text: usize,
    label: Option<usize>,
}

impl Columns {
    fn of(header: Record) -> Result<Self, String> {
        let names: Vec<String> = header.fields.into_iter().map(Cow::into_owned).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.trim()));
        let text = place(&["text", "data", "column_data"]).ok_or("its first row names no column \"text\" or \"data\"")?;
        let label = place(&["label", "column_label"]);
        Ok(Self { names, text, label })
    }

    fn document(&self, record: Record) -> Result<RawDoc, String> {
        if record.trouble == Trouble::OpenQuote {
            return Err("has a quote that is never closed".to_owned());
        }
        if record.fields.len() != self.names.len() {
            return Err(format!("has {} columns, the header has {}", record.fields.len(), self.names.len()));
        }
        let mut doc = RawDoc { row: record.row, ..RawDoc::default() };
        for (at, cell) in record.fields.into_iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            if at == self.text {
                doc.text = cell.into_owned();
            } else if Some(at) == self.label {
                doc.classes = cell.split('#').map(str::trim).filter(|class| !class.is_empty()).map(str::to_owned).collect();
                doc.state = State::Done;
            } else {
                doc.meta.insert(self.names[at].clone(), cell.into_owned());
            }
        }
        Ok(doc)
    }
}

/// doccano's CSV: `id,text,label`, with `#` between several labels of a text.
fn csv(source: &mut Source) -> Result<Parsed, StoreError> {
    let (mut parsed, mut columns) = (Parsed::default(), None);
    source.records(|record| {
        match (record, &columns) {
            (Err((row, reason)), _) => parsed.bad.push((row, reason.to_owned())),
            (Ok(header), None) => columns = Some(Columns::of(header)?),
            (Ok(record), Some(_)) if record.trouble == Trouble::Blank => parsed.blank += 1,
            (Ok(record), Some(columns)) => parsed.push(record.row, columns.document(record)),
        }
        Ok(())
    })?;
    Ok(parsed)
}

fn document(row: usize, mut object: Object, field: &TextField, losses: &mut Losses) -> Result<RawDoc, String> {
    let text = field.take(&mut object)?;
    let unit = object.get(UNIT).and_then(Value::as_str).and_then(Unit::parse);
    if unit.is_some() {
        object.remove(UNIT);
    }
    let mut doc = RawDoc { row, text, unit, ..RawDoc::default() };
    let mut classes = Vec::new();
    for name in ["label", "labels", "column_label", "entities", "cats"] {
        match object.remove(name) {
            Some(Value::Array(items)) => items.into_iter().for_each(|item| said(row, item, &mut doc, &mut classes, losses)),
            Some(Value::String(class)) => classes.push(class),
            Some(Value::Number(class)) => classes.push(class.to_string()),
            Some(other) => object.extend([(name.to_owned(), other)]),
            None => {}
        }
    }
    doc.classes = classes;
    match object.remove("relations") {
        Some(Value::Array(relations)) => relations.iter().for_each(|relation| link(row, relation, &mut doc, losses)),
        other => object.extend(other.map(|other| ("relations".to_owned(), other))),
    }
    if let Some(details) = object.get(DETAILS).and_then(Details::parse) {
        object.remove(DETAILS);
        details.say_of(&mut doc, losses);
    }
    // A column of the data may be called so too: then it is no list of comments, or stands beside the tool's own.
    let are_comments = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(|one| comment(one).is_some()));
    if let Some(name) = ["Comments", "comments"].into_iter().find(|name| object.get(*name).is_some_and(are_comments)) {
        let list = object.remove(name);
        let words: Vec<String> = list.iter().filter_map(Value::as_array).flatten().filter_map(comment).collect();
        let name = if object.contains_key("comments") { "Comments" } else { "comments" };
        doc.meta.extend(Some(words.join("\n")).filter(|words| !words.is_empty()).map(|words| (name.to_owned(), words)));
    }
    doc.meta.extend(json::meta(object));
    if !doc.classes.is_empty() || !doc.spans.is_empty() {
        doc.state = State::Done;
    }
    Ok(doc)
}

fn comment(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["comment"].as_str()).map(str::to_owned)
}

/// An item of a list of labels: a class, `[start, end, label]`, or an object with offsets.
fn said(row: usize, item: Value, doc: &mut RawDoc, classes: &mut Vec<String>, losses: &mut Losses) {
    let at = doc.spans.len();
    let span = match &item {
        Value::String(class) => return classes.push(class.clone()),
        Value::Array(parts) => match parts.as_slice() {
            [start, end, label, ..] => offsets(start, end, label).map(|span| (format!("span {at}"), span)),
            _ => None,
        },
        Value::Object(parts) => {
            let part = |names: [&str; 2]| names.iter().find_map(|name| parts.get(*name)).unwrap_or(&Value::Null);
            let id = parts.get("id").and_then(json::key).unwrap_or_else(|| format!("span {at}"));
            offsets(part(["start_offset", "start"]), part(["end_offset", "end"]), part(["label", "label"])).map(|span| (id, span))
        }
        _ => None,
    };
    match span {
        Some((key, span)) => {
            let stated = item["polarity"].as_str().filter(|stated| !stated.trim().is_empty());
            let found = stated.and_then(polarity);
            if let Some(stated) = stated.filter(|_| found.is_none()) {
                losses.note(format!("a span has the polarity {stated:?}, which has no counterpart; it came without"), row, &span.label);
            }
            for more in item.as_array().into_iter().flatten().skip(3).filter(|more| !more.is_null()) {
                losses.note("what stands behind the label of a span was left out", row, more.to_string());
            }
            doc.spans.push(RawSpan { key, polarity: found, ..span });
        }
        None => losses.drop_span("has no offsets or label that make sense", row, item.to_string()),
    }
}

fn offsets(start: &Value, end: &Value, label: &Value) -> Option<RawSpan> {
    Some(RawSpan::at_offsets("", start.as_u64()?, end.as_u64()?, label.as_str()?))
}

fn link(row: usize, relation: &Value, doc: &mut RawDoc, losses: &mut Losses) {
    let (Some(from), Some(to)) = (json::key(&relation["from_id"]), json::key(&relation["to_id"])) else {
        return losses.note("a relation names no spans and was left out", row, relation.to_string());
    };
    doc.links.push(RawLink::new(from, to).named(relation["type"].as_str()));
}

/// Before the name of a class.
pub(in crate::store) const FAST: &str = "__label__";

/// Whether every line begins as fastText's do.
pub(super) fn is_fast_text(text: &str) -> bool {
    let mut lines = scan::lines(text).filter(|line| !line.trim().is_empty()).take(20).peekable();
    lines.peek().is_some() && lines.all(|line| line.trim_start_matches('"').starts_with(FAST))
}

/// Lines such as `__label__positive Great price.`; some were quoted by the tool because they hold a comma.
///
/// # Errors
/// The file can't be read, or is no text.
pub(super) fn fast_text(source: &mut Source) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    if !source.is_text()? {
        return Err(source.broken(NO_TEXT));
    }
    source.lines(|row, line| match line {
        Err(reason) => parsed.bad.push((row, reason.to_owned())),
        Ok(line) if line.trim().is_empty() => parsed.blank += 1,
        Ok(line) => {
            let doc = fast_line(row, line, &mut parsed.losses);
            parsed.docs.push(doc);
        }
    })?;
    Ok(parsed)
}

fn fast_line(row: usize, line: &str, losses: &mut Losses) -> RawDoc {
    let quoted = line.trim_end().strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
    let line = quoted.filter(|inside| inside.starts_with(FAST)).map_or(line.to_owned(), |inside| inside.replace("\"\"", "\""));
    let mut rest = line.as_str();
    let mut classes = Vec::new();
    while let Some(after) = rest.strip_prefix(FAST) {
        let (class, text) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        classes.push(class.to_owned());
        // The white space before a text is the text's own, but for the one sign between.
        rest = Some(text.trim_start()).filter(|text| text.starts_with(FAST)).unwrap_or(text);
    }
    for word in rest.split_whitespace().filter(|word| word.starts_with(FAST)) {
        losses.note("a label stands within its text and was left there", row, word);
    }
    let state = if classes.is_empty() { State::Todo } else { State::Done };
    RawDoc { row, text: rest.to_owned(), classes, state, ..RawDoc::default() }
}
