//! Label Studio's JSON: tasks with one annotation each. Offsets count code points.

use super::Out;
use crate::project::{Answer, Document, SpanId, State};
use crate::store::formats::polarity;
use crate::store::import::DraftValue;
use serde_json::{Map, Value, json};

/// Where our text stands among the data of a task.
const TEXT: &str = "text";

pub(super) fn write(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    out.bytes.push(b'[');
    for doc in out.each() {
        let task = task(out, doc);
        out.bytes.extend_from_slice(if out.documents == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut out.bytes, &task)?;
        out.documents += 1;
    }
    out.bytes.extend_from_slice(b"\n]\n");
    Ok(Some("code points"))
}

fn task(out: &mut Out, doc: &Document) -> Value {
    let said = &doc.annotation;
    out.lacks(doc, &[]);
    let has_work = said.state != State::Todo || !said.answers.is_empty() || !said.spans.is_empty();
    out.state_changes(doc, if has_work { &State::Done } else { &State::Todo });
    let mut data = Map::new();
    data.insert(TEXT.to_owned(), json!(&*doc.text));
    for (name, value) in doc.meta.iter() {
        if name == TEXT {
            out.note(doc, "a field of metadata whose name the format uses itself", name);
        } else {
            data.insert(name.to_owned(), json!(value));
        }
    }
    let annotations = if has_work {
        let cancelled = said.state == State::Skipped;
        vec![json!({"was_cancelled": cancelled, "ground_truth": false, "result": results(out, doc)})]
    } else {
        Vec::new()
    };
    json!({"id": doc.id.index() + 1, "data": data, "annotations": annotations})
}

fn results(out: &mut Out, doc: &Document) -> Vec<Value> {
    let said = &doc.annotation;
    let id = |id: SpanId| format!("s{}", id.0);
    let mut results = Vec::new();
    for (at, (id, answer)) in said.answers.iter().enumerate() {
        let Some(question) = out.schema().question(*id) else { continue };
        let name = |class: &u16| question.classes.get(usize::from(*class)).map_or("", |class| class.name.as_str());
        let (kind, value) = match answer {
            Answer::Class(class) => ("choices", json!({"choices": [name(class)]})),
            Answer::Classes(classes) => ("choices", json!({"choices": classes.iter().map(name).collect::<Vec<_>>()})),
            Answer::Number(number) => ("number", json!({"number": number})),
            Answer::Text(text) => ("textarea", json!({"text": [text]})),
        };
        results.push(json!({"id": format!("c{at}"), "from_name": question.name, "to_name": TEXT, "type": kind, "value": value}));
    }
    for (span_id, span) in &said.spans {
        let chars = span.range.chars(&doc.text);
        let words = span.range.of(&doc.text);
        let value = json!({"start": chars.start, "end": chars.end, "text": words, "labels": [out.label(span)]});
        results.push(json!({"id": id(*span_id), "from_name": "label", "to_name": TEXT, "type": "labels", "value": value}));
        if let Some(polarity) = span.polarity {
            let value = json!({"start": chars.start, "end": chars.end, "choices": [polarity.name()]});
            results.push(json!({"id": id(*span_id), "from_name": "polarity", "to_name": TEXT, "type": "choices", "value": value}));
        }
        for (name, said) in out.attributes(doc, *span_id, |_, value| polarity(value).is_some()) {
            let (kind, value) = match said {
                DraftValue::Name(value) => ("choices", json!({"start": chars.start, "end": chars.end, "choices": [value]})),
                DraftValue::Number(number) => ("number", json!({"start": chars.start, "end": chars.end, "number": number})),
            };
            results.push(json!({"id": id(*span_id), "from_name": name, "to_name": TEXT, "type": kind, "value": value}));
        }
    }
    for link in &said.links {
        let (from, to) = (id(link.from), id(link.to));
        results
            .push(json!({"from_id": from, "to_id": to, "type": "relation", "direction": "right", "labels": [out.link_name(said, link)]}));
    }
    results
}
