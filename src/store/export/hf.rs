//! A data set of Hugging Face: Parquet for each part, a README with the features and the names of the classes, which the
//! library `datasets` loads as it is; and a few notes of ours about the columns. Offsets count code points.

use super::Out;
use crate::project::{Answer, Document, Kind, QuestionId, Split};
use crate::store::formats::OWN_NOTES;
use crate::store::jsonl::own_attributes;
use crate::store::table::{Cells, parquet};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// In the order of a README; documents without a part train.
const PARTS: [(Split, &str); 3] = [(Split::Train, "train"), (Split::Dev, "validation"), (Split::Test, "test")];

/// So many documents in a file.
const A_FILE: usize = 100_000;

/// So many in a group of rows, whose columns are made in memory.
const A_GROUP: usize = 8_192;

/// Columns of our own that no field may take.
const TAKEN: [&str; 7] = ["text", "spans", "links", "state", "split", "tokens", "words"];

pub(super) fn write(out: &mut Out) -> std::io::Result<Option<&'static str>> {
    let is_split = out.project.documents().any(|doc| doc.split.is_some());
    let columns = Columns::of(out);
    let mut parts = Vec::new();
    for (split, name) in PARTS {
        let docs: Vec<&Document> = out.project.documents().filter(|doc| doc.split.unwrap_or(Split::Train) == split).collect();
        if docs.is_empty() && !(split == Split::Train && out.documents == 0 && !is_split) {
            continue;
        }
        for doc in &docs {
            out.lacks(doc, &[]);
            if is_split && doc.split.is_none() {
                out.note(doc, "that the part in training is left to chance (the document is written to train)", &doc.text);
            }
        }
        let (count, mut size) = (docs.len().div_ceil(A_FILE).max(1), 0);
        for at in 0..count {
            let own = &docs[at * A_FILE..docs.len().min((at + 1) * A_FILE)];
            // No documents are a group too: it has the columns.
            let groups = std::iter::once(&own[..own.len().min(A_GROUP)]).chain(own.chunks(A_GROUP).skip(1));
            let groups = groups.take_while(|group| (out.goes_on)(group.len()));
            let bytes = parquet(groups.map(|group| columns.cells(out, group)))?;
            size += bytes.len();
            out.files.push((format!("data/{name}-{at:05}-of-{count:05}.parquet"), bytes));
        }
        parts.push((name, docs.len(), size));
        out.documents += docs.len();
    }
    let readme = columns.readme(out, &parts);
    out.files.push(("README.md".to_owned(), readme.into_bytes()));
    let mut questions = Map::new();
    for (id, name) in &columns.questions {
        let kind = match out.schema().question(*id).map(|question| question.kind) {
            Some(Kind::Number(_)) => "number",
            Some(Kind::Text) => "text",
            Some(Kind::Several) => "several",
            _ => "one",
        };
        questions.insert(name.clone(), json!(kind));
    }
    let notes = json!({"questions": questions, "parts": is_split});
    out.files.push((OWN_NOTES.to_owned(), format!("{notes:#}\n").into_bytes()));
    Ok(Some("code points"))
}

/// Names of the columns.
struct Columns {
    questions: Vec<(QuestionId, String)>,
    /// A field of metadata and its column.
    fields: Vec<(String, String)>,
}

impl Columns {
    fn of(out: &mut Out) -> Self {
        let mut taken: BTreeSet<String> = TAKEN.map(str::to_owned).into();
        let mut unique = |name: &str| {
            let mut name = name.to_owned();
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            name
        };
        let questions = out.schema().questions().map(|(id, question)| (id, unique(&question.name))).collect();
        let fields: BTreeSet<&str> = out.project.documents().flat_map(|doc| doc.meta.iter().map(|(name, _)| name)).collect();
        let fields = fields.into_iter().map(|name| (name.to_owned(), unique(name))).collect();
        let columns = Self { questions, fields };
        for doc in out.project.documents() {
            let renamed = columns.fields.iter().filter(|(field, column)| field != column && doc.meta.get(field).is_some());
            renamed.for_each(|(field, _)| out.note(doc, "a field of metadata whose name the format uses itself", field));
        }
        columns
    }

    fn cells(&self, out: &Out, docs: &[&Document]) -> Vec<(String, Cells)> {
        let mut columns = vec![("text".to_owned(), Cells::Text(docs.iter().map(|doc| Some(doc.text.to_string())).collect()))];
        for (id, name) in &self.questions {
            let answers = docs.iter().map(|doc| doc.annotation.answers.get(id));
            let cells = match out.schema().question(*id).map(|question| question.kind) {
                Some(Kind::Number(_)) => Cells::Float(answers.map(|answer| number(answer?)).collect()),
                Some(Kind::Text) => Cells::Text(answers.map(|answer| text(answer?)).collect()),
                Some(Kind::Several) => Cells::Ints(answers.map(classes).collect()),
                _ => Cells::Int(answers.map(|answer| class(answer?)).collect()),
            };
            columns.push((name.clone(), cells));
        }
        let spans = docs.iter().map(|doc| spans(out, doc)).collect();
        columns.push(("spans".to_owned(), Cells::Structs(SPAN.map(|(name, _)| name).to_vec(), spans)));
        let links = docs.iter().map(|doc| {
            let ends = |end: &dyn Fn(&crate::project::Link) -> u32| {
                Cells::Int(doc.annotation.links.iter().map(|link| Some(i64::from(end(link)))).collect())
            };
            let said = &doc.annotation;
            let name = |link: &crate::project::Link| Some(out.link_name(said, link).to_owned()).filter(|_| said.link_type(link) > 0);
            vec![ends(&|link| link.from.0), ends(&|link| link.to.0), Cells::Text(said.links.iter().map(name).collect())]
        });
        columns.push(("links".to_owned(), Cells::Structs(LINK.map(|(name, _)| name).to_vec(), links.collect())));
        let state = |doc: &&Document| serde_json::to_value(&doc.annotation.state).ok()?.as_str().map(str::to_owned);
        columns.push(("state".to_owned(), Cells::Text(docs.iter().map(state).collect())));
        for (field, name) in &self.fields {
            columns.push((name.clone(), Cells::Text(docs.iter().map(|doc| doc.meta.get(field).map(str::to_owned)).collect())));
        }
        columns
    }

    fn readme(&self, out: &Out, parts: &[(&str, usize, usize)]) -> String {
        let mut yaml = "---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n".to_owned();
        for (id, name) in &self.questions {
            let Some(question) = out.schema().question(*id) else { continue };
            let names: String =
                question.classes.iter().enumerate().map(|(at, class)| format!("          '{at}': {}\n", quoted(&class.name))).collect();
            yaml += &format!("  - name: {}\n", quoted(name));
            yaml += &match question.kind {
                Kind::Number(_) => "    dtype: float64\n".to_owned(),
                Kind::Text => "    dtype: string\n".to_owned(),
                Kind::Several => format!("    list:\n      class_label:\n        names:\n{names}"),
                Kind::One => format!("    dtype:\n      class_label:\n        names:\n{names}"),
            };
        }
        for (name, fields) in [("spans", &SPAN[..]), ("links", &LINK[..])] {
            yaml += &format!("  - name: {name}\n    list:\n");
            fields.iter().for_each(|(field, kind)| yaml += &format!("    - name: {field}\n      dtype: {kind}\n"));
        }
        for name in std::iter::once("state").chain(self.fields.iter().map(|(_, name)| name.as_str())) {
            yaml += &format!("  - name: {}\n    dtype: string\n", quoted(name));
        }
        yaml += "  splits:\n";
        parts
            .iter()
            .for_each(|(name, rows, bytes)| yaml += &format!("  - name: {name}\n    num_bytes: {bytes}\n    num_examples: {rows}\n"));
        yaml += "configs:\n- config_name: default\n  data_files:\n";
        parts.iter().for_each(|(name, ..)| yaml += &format!("  - split: {name}\n    path: data/{name}-*\n"));
        yaml + "---\n\nDocuments of a Gloss project. `spans` count Unicode code points, `end` is exclusive; `links` join spans by their `id`.\n"
    }
}

/// Attributes are a JSON object: each label has others.
const SPAN: [(&str, &str); 7] = [
    ("id", "int64"),
    ("start", "int64"),
    ("end", "int64"),
    ("text", "string"),
    ("label", "string"),
    ("polarity", "string"),
    ("attributes", "string"),
];
/// The type is nothing for the first one.
const LINK: [(&str, &str); 3] = [("from", "int64"), ("to", "int64"), ("type", "string")];

/// A string of YAML: JSON's are.
fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

fn number(answer: &Answer) -> Option<f64> {
    if let Answer::Number(number) = answer { Some(number.value()) } else { None }
}

fn text(answer: &Answer) -> Option<String> {
    if let Answer::Text(text) = answer { Some(text.clone()) } else { None }
}

fn class(answer: &Answer) -> Option<i64> {
    if let Answer::Class(class) = answer { Some(i64::from(*class)) } else { None }
}

fn classes(answer: Option<&Answer>) -> Vec<i64> {
    if let Some(Answer::Classes(classes)) = answer { classes.iter().map(|class| i64::from(*class)).collect() } else { Vec::new() }
}

fn spans(out: &Out, doc: &Document) -> Vec<Cells> {
    let all = || doc.annotation.spans.iter();
    let attributes = |(id, span): (&crate::project::SpanId, &crate::project::Span)| {
        let said = own_attributes(out.schema(), doc, *id, span);
        serde_json::to_string(&said).ok().filter(|_| !said.is_empty())
    };
    let places: Vec<std::ops::Range<usize>> = all().map(|(_, span)| span.range.chars(&doc.text)).collect();
    vec![
        Cells::Int(all().map(|(id, _)| Some(i64::from(id.0))).collect()),
        Cells::Int(places.iter().map(|place| Some(place.start as i64)).collect()),
        Cells::Int(places.iter().map(|place| Some(place.end as i64)).collect()),
        Cells::Text(all().map(|(_, span)| Some(span.range.of(&doc.text).to_owned())).collect()),
        Cells::Text(all().map(|(_, span)| Some(out.label(span).to_owned())).collect()),
        Cells::Text(all().map(|(_, span)| span.polarity.map(|polarity| polarity.name().to_owned())).collect()),
        Cells::Text(all().map(attributes).collect()),
    ]
}
