//! Argilla's records as JSON, which its `Dataset.records.from_json` reads: an answer to each question, spans as the answer
//! to a question of that name. Its metadata holds what is said of spans and links. Offsets count code points.

use super::Out;
use crate::project::{Answer, Document, State};
use crate::store::formats::{DETAILS, UNIT};
use serde_json::{Map, Value, json};

/// Argilla wants an id for whoever answered; the outcome is nobody's.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
const SPANS: &str = "spans";
const NAME: &str = "code points";

pub(super) fn write(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    out.bytes.push(b'[');
    for doc in out.each() {
        let record = record(out, doc);
        out.bytes.extend_from_slice(if out.documents == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut out.bytes, &record)?;
        out.documents += 1;
    }
    out.bytes.extend_from_slice(b"\n]\n");
    Ok(Some(NAME))
}

fn record(out: &mut Out, doc: &Document) -> Value {
    let said = &doc.annotation;
    out.lacks(doc, &[]);
    let mut responses = Map::new();
    let mut respond = |name: &str, value: Value| {
        responses.insert(name.to_owned(), json!([{"value": value, "user_id": NOBODY}]));
    };
    for (id, answer) in &said.answers {
        let Some(question) = out.schema().question(*id) else { continue };
        let name = |class: &u16| question.classes.get(usize::from(*class)).map_or("", |class| class.name.as_str());
        let value = match answer {
            Answer::Class(class) => json!(name(class)),
            Answer::Classes(classes) => json!(classes.iter().map(name).collect::<Vec<_>>()),
            Answer::Number(number) => json!(number),
            Answer::Text(text) => json!(text),
        };
        respond(&question.name, value);
    }
    if !said.spans.is_empty() {
        let span = |span: &crate::project::Span| {
            let range = span.range.chars(&doc.text);
            json!({"start": range.start, "end": range.end, "label": out.label(span)})
        };
        respond(SPANS, said.spans.values().map(span).collect());
    }
    let has_work = !responses.is_empty();
    let comes_back = if has_work && said.state != State::Todo { State::Done } else { State::Todo };
    out.state_changes(doc, &comes_back);
    let status = match said.state {
        State::Todo => "pending",
        State::Done => "completed",
        State::Skipped => "discarded",
    };
    let mut meta = Map::new();
    for (name, value) in doc.meta.iter().filter(|(name, _)| *name != "id") {
        if [UNIT, DETAILS].contains(&name) {
            out.note(doc, "a field of metadata whose name the format uses itself", name);
        } else {
            meta.insert(name.to_owned(), json!(value));
        }
    }
    if !doc.text.is_ascii() && !said.spans.is_empty() {
        // Argilla's own editor has counted otherwise.
        meta.insert(UNIT.to_owned(), json!(NAME));
    }
    // Metadata of Argilla are words and numbers.
    let details = out.details(doc, |range| range.chars(&doc.text), true);
    let details = details.and_then(|details| serde_json::to_string(&details).ok());
    meta.extend(details.map(|details| (DETAILS.to_owned(), json!(details))));
    let number = Out::number(doc).to_string();
    let id = doc.meta.get("id").unwrap_or(&number);
    json!({"id": id, "status": status, "fields": {"text": &*doc.text}, "metadata": meta, "suggestions": {}, "responses": responses, "vectors": {}})
}
