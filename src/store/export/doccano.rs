//! doccano's JSON Lines with classes, spans and relations. Offsets count UTF-16 units, as its editor does; fields beside
//! the text, which doccano keeps as metadata, say so and hold what is said of spans, for which it has no other place.

use super::{No, Out};
use crate::project::{Document, State};
use crate::store::formats::{DETAILS, UNIT};
use serde_json::{Map, Value, json};

const NAME: &str = "UTF-16 units";
const TAKEN: [&str; 13] = [
    "text",
    "data",
    "column_data",
    "label",
    "labels",
    "column_label",
    "entities",
    "relations",
    "cats",
    "Comments",
    "comments",
    UNIT,
    DETAILS,
];

pub(super) fn write(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    for doc in out.each() {
        let row = row(out, doc);
        serde_json::to_writer(&mut out.bytes, &row)?;
        out.bytes.push(b'\n');
        out.documents += 1;
    }
    Ok(Some(NAME))
}

fn row(out: &mut Out, doc: &Document) -> Map<String, Value> {
    let said = &doc.annotation;
    out.lacks(doc, &[No::OtherAnswers, No::States]);
    let class = out.main_class(said);
    let is_empty = class.is_none() && said.spans.is_empty();
    out.state_changes(doc, if is_empty { &State::Todo } else { &State::Done });
    let mut row = Map::new();
    row.insert("text".to_owned(), json!(&*doc.text));
    let units = |byte: usize| doc.text[..byte].encode_utf16().count();
    let entity = |(id, span): (&crate::project::SpanId, &crate::project::Span)| {
        let (start, end) = (units(span.range.start()), units(span.range.end()));
        json!({"id": id.0, "label": out.label(span), "start_offset": start, "end_offset": end})
    };
    row.insert("entities".to_owned(), said.spans.iter().map(entity).collect());
    let relation = |(at, link): (usize, &crate::project::Link)| {
        let name = out.link_name(said, link);
        json!({"id": at, "from_id": link.from.0, "to_id": link.to.0, "type": name})
    };
    row.insert("relations".to_owned(), said.links.iter().enumerate().map(relation).collect());
    row.insert("cats".to_owned(), class.into_iter().collect());
    row.insert(UNIT.to_owned(), json!(NAME));
    let details = out.details(doc, |range| units(range.start())..units(range.end()), false);
    row.extend(details.map(|details| (DETAILS.to_owned(), json!(details))));
    for (name, value) in doc.meta.iter() {
        if TAKEN.contains(&name) {
            out.note(doc, "a field of metadata whose name the format uses itself", name);
        } else {
            row.insert(name.to_owned(), json!(value));
        }
    }
    row
}
