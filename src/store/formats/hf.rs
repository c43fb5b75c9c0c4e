//! Data sets of Hugging Face: a folder of Parquet, Arrow, JSON Lines or CSV files with the names of classes in its README
//! or beside the data, what `Dataset.save_to_disk` writes, and single files with words and tags.

mod about;

use super::json::{self, Object, TextField, TextFields};
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawLink, RawSpan, polarity};
use super::source::{Source, Tick};
use super::{Kind, argilla, conll, tokens};
use crate::project::{Number, Split, State};
use crate::store::import::{DraftAnswer, part};
use crate::store::scan::{Record, Scanner, Trouble};
use crate::store::{StoreError, table};
use about::{About, of_json};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Beside the README in folders of our own: which columns are questions, and of which kind.
pub(in crate::store) const OWN_NOTES: &str = "gloss.json";

const KINDS: [&str; 6] = ["parquet", "arrow", "jsonl", "ndjson", "json", "csv"];

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The files of data in a folder and its folders, two levels deep. Links out of it are not followed.
fn files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    const NOTES: [&str; 5] = ["dataset_info.json", "dataset_dict.json", "dataset_infos.json", "state.json", OWN_NOTES];
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<(PathBuf, std::fs::FileType)> = entries.filter_map(|entry| Some((entry.path(), entry.file_type().ok()?))).collect();
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut found = Vec::new();
    for (path, kind) in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if kind.is_dir() && depth > 0 && !name.starts_with('.') {
            found.extend(files(&path, depth - 1));
        } else if kind.is_file() && KINDS.contains(&extension(&path).as_str()) && !NOTES.contains(&name.as_str()) {
            found.push(path);
        }
    }
    found
}

/// Whether a folder holds such a data set.
pub(super) fn is_folder(folder: &Path) -> bool {
    !files(folder, 2).is_empty()
}

/// Whether a single table holds words with tags, spans, or classes by number.
pub(in crate::store) fn is_annotated_table(path: &Path) -> bool {
    let Ok((columns, features)) = table::describe(path) else { return false };
    let has = |name: &str| columns.iter().any(|column| column == name);
    let nested = |name: &str| has(name) && table::objects(path, 1).is_ok_and(|objects| objects.rows.iter().any(|row| row[name].is_array()));
    let argilla = columns.iter().any(|name| name.ends_with(".suggestion") || name.ends_with(".responses"));
    let classes = features.is_some_and(|features| !of_json(&features).is_empty());
    argilla || classes || nested("tokens") || nested("spans")
}

/// The part in training that a file belongs to: `train-00000-of-00001.parquet`, `validation/data.arrow`.
fn split_of(path: &Path) -> Option<Split> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let word = |name: &str| name.split(['-', '_', '.']).next().and_then(part);
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    word(&stem).or_else(|| folder.and_then(|name| word(&name)))
}

/// Reads a folder, or one file. Rows are counted through all files. Also whether somebody ended it.
///
/// # Errors
/// A file can't be read, or they hold no rows.
pub(super) fn read(path: &Path, most: usize, tick: Tick) -> Result<(Parsed, bool), StoreError> {
    let is_folder = path.is_dir();
    let files = if is_folder { files(path, 2) } else { vec![path.to_owned()] };
    let mut about = About::default();
    if is_folder {
        about.read_notes(path);
    }
    let (mut parsed, mut rows, mut is_cancelled) = (Parsed::default(), 0, false);
    for (at, file) in files.iter().enumerate() {
        if is_cancelled || rows == most {
            break;
        }
        let split = split_of(file).filter(|_| is_folder && !about.has_no_parts);
        let mut share = |share: f32| tick((at as f32 + share) / files.len() as f32);
        let mut source = open(file, most - rows, &mut share)?;
        let reader = reader(&mut source, &mut about, &mut parsed.losses)?;
        each(&mut source, |object| {
            rows += 1;
            let doc = object.and_then(|object| match &reader {
                Reader::Argilla(reader) => reader.document(rows, object, &mut parsed.losses),
                Reader::Plain(field) => document(rows, object, &about, field, &mut parsed.losses),
            });
            parsed.push(rows, doc.map(|doc| RawDoc { split: doc.split.or(split), ..doc }));
        })?;
        is_cancelled = source.is_cancelled;
    }
    if parsed.docs.is_empty() && parsed.bad.is_empty() && !is_cancelled {
        return Err(StoreError::Annotated { format: "Hugging Face", what: "it holds no rows".to_owned(), path: path.to_owned() });
    }
    Ok((parsed, is_cancelled))
}

fn is_text(kind: &str) -> bool {
    matches!(kind, "jsonl" | "ndjson" | "json" | "csv")
}

fn open<'a>(file: &'a Path, most: usize, tick: Tick<'a>) -> Result<Source<'a>, StoreError> {
    match is_text(&extension(file)) {
        true => Source::open(Kind::HuggingFace, file, None, most, tick),
        false => Ok(Source::of_table(Kind::HuggingFace, file, most, tick)),
    }
}

/// What has to be known to read a file's rows.
enum Reader {
    /// They have the columns of Argilla's export.
    Argilla(argilla::Reader),
    Plain(TextField),
}

/// Looks through a file for how it is to be read.
fn reader(source: &mut Source, about: &mut About, losses: &mut Losses) -> Result<Reader, StoreError> {
    let sample = sample(source, about, losses)?;
    if sample.iter().any(argilla::is_flat) {
        let mut survey = argilla::Survey::default();
        source.covers(0.0..0.5);
        each(source, |object| object.into_iter().for_each(|object| survey.look_at(object)))?;
        source.covers(0.5..1.0);
        return Ok(Reader::Argilla(survey.finish()));
    }
    let mut seen = TextFields::default();
    for object in &sample {
        let spans = object.get("spans").map(structures).unwrap_or_default();
        let words: Vec<&str> = spans.iter().filter_map(|span| span.get("text")?.as_str()).collect();
        seen.look_at(object, &words);
    }
    Ok(Reader::Plain(seen.choose()))
}

/// The first objects of a file. What a table says of its columns goes to what is known.
fn sample(source: &Source, about: &mut About, losses: &mut Losses) -> Result<Vec<Object>, StoreError> {
    const MOST: usize = 1_000;
    match extension(source.path).as_str() {
        "csv" => {
            let beginning = source.pieces()?;
            let mut records = Scanner::new(beginning.rest(), b',').filter(|record| record.trouble != Trouble::Blank);
            let names = records.next().map(names).unwrap_or_default();
            Ok(records.filter_map(|record| object_of(&names, record).ok()).take(MOST).collect())
        }
        kind if is_text(kind) => json::sample(source),
        _ => {
            let table::Objects { rows, features, left_out } = table::objects(source.path, MOST)?;
            for (column, names) in features.map(|features| of_json(&features)).unwrap_or_default() {
                about.classes.entry(column).or_insert(names);
            }
            for column in left_out {
                let what = format!("the column {column:?} can't be read and was left out");
                losses.note(what, 1, super::loss::short(&source.path.display().to_string()));
            }
            Ok(rows)
        }
    }
}

/// All objects of a file, or what is wrong with a row.
fn each(source: &mut Source, mut each: impl FnMut(Result<Object, String>)) -> Result<(), StoreError> {
    match extension(source.path).as_str() {
        "csv" => {
            let mut header = None;
            source.records(|record| {
                match (record, &header) {
                    (Err((_, reason)), _) => each(Err(reason.to_owned())),
                    (Ok(record), _) if record.trouble == Trouble::Blank => {}
                    (Ok(record), None) => header = Some(names(record)),
                    (Ok(record), Some(header)) => each(object_of(header, record)),
                }
                Ok(())
            })
        }
        kind if is_text(kind) => json::each(source, |_, object| each(object)),
        _ => {
            let mut rows = 0;
            table::each_object(source.path, |share, object| {
                if !source.goes_on(rows, share) {
                    return ControlFlow::Break(());
                }
                rows += 1;
                each(Ok(object));
                ControlFlow::Continue(())
            })
        }
    }
}

fn names(header: Record) -> Vec<String> {
    header.fields.into_iter().map(Cow::into_owned).collect()
}

fn object_of(names: &[String], record: Record) -> Result<Object, String> {
    match record.trouble {
        Trouble::OpenQuote => Err("has a quote that is never closed".to_owned()),
        _ if record.fields.len() != names.len() => Err(format!("has {} columns, the header has {}", record.fields.len(), names.len())),
        _ => Ok(names.iter().cloned().zip(record.fields.into_iter().map(|cell| Value::from(cell.into_owned()))).collect()),
    }
}

fn document(row: usize, mut object: Object, about: &About, field: &TextField, losses: &mut Losses) -> Result<RawDoc, String> {
    let mut doc = RawDoc { row, ..RawDoc::default() };
    words(&mut object, about, &mut doc, losses)?;
    if doc.text.is_empty() {
        doc.text = field.take(&mut object)?;
    }
    for span in taken(&mut object, "spans") {
        add_span(&span, about, &mut doc, losses);
    }
    for link in taken(&mut object, "links") {
        match (link.get("from").and_then(json::key), link.get("to").and_then(json::key)) {
            (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(link.get("type").and_then(Value::as_str))),
            _ => losses.note("a link names no spans and was left out", row, Value::Object(link).to_string()),
        }
    }
    // A column of another meaning may be called so too.
    let stated = object.get("state").and_then(|state| serde_json::from_value::<State>(state.clone()).ok());
    if stated.is_some() {
        object.remove("state");
    }
    doc.split = object.get("split").and_then(Value::as_str).and_then(part);
    if doc.split.is_some() {
        object.remove("split");
    }
    answers(&mut object, about, &mut doc, losses);
    doc.meta = json::meta(object);
    let has_work = !doc.classes.is_empty() || !doc.answers.is_empty() || !doc.spans.is_empty();
    doc.state = stated.unwrap_or(if has_work { State::Done } else { State::Todo });
    Ok(doc)
}

/// Columns that answer questions: those said to, those of classes, and one of the usual name.
fn answers(object: &mut Object, about: &About, doc: &mut RawDoc, losses: &mut Losses) {
    const USUAL: [&str; 3] = ["label", "target", "sentiment"];
    let row = doc.row;
    let classes: BTreeSet<&str> = about.classes.keys().map(String::as_str).filter(|name| object.contains_key(*name)).collect();
    let usual = USUAL.into_iter().find(|name| object.get(*name).is_some_and(|value| value.is_string() || value.is_i64()));
    let mut columns: BTreeSet<String> = about.questions.keys().cloned().chain(classes.iter().map(|name| (*name).to_owned())).collect();
    columns.extend(usual.filter(|_| columns.is_empty()).map(str::to_owned));
    if columns.is_empty() && object.get("labels").is_some_and(Value::is_array) {
        columns.insert("labels".to_owned());
    }
    let only = columns.len() == 1 && about.questions.is_empty();
    for column in columns {
        let Some(value) = object.remove(&column).filter(|value| !value.is_null()) else { continue };
        let answer = match (about.questions.get(&column).map(String::as_str), &value) {
            (Some("number"), Value::Number(number)) => number.as_f64().and_then(Number::new).map(DraftAnswer::Number),
            (Some("text"), Value::String(text)) => Some(DraftAnswer::Text(text.clone())),
            (_, Value::Array(items)) => {
                let classes: Vec<String> = items.iter().filter_map(|item| about.class(&column, item)).collect();
                let nameless = items.iter().filter(|item| !classes.is_empty() && about.class(&column, item).is_none() && **item != -1);
                nameless.for_each(|item| losses.note(nameless_class(&column), row, item.to_string()));
                (!classes.is_empty()).then_some(DraftAnswer::Classes(classes))
            }
            (_, value) => about.class(&column, value).map(DraftAnswer::Class),
        };
        match answer {
            Some(DraftAnswer::Class(class)) if only => doc.classes.push(class),
            Some(DraftAnswer::Classes(classes)) if only => doc.classes = classes,
            Some(answer) => {
                doc.answers.insert(column, answer);
            }
            None if value == Value::Array(Vec::new()) || value == -1 => {}
            None => losses.note(nameless_class(&column), row, value.to_string()),
        }
    }
}

fn nameless_class(column: &str) -> String {
    format!("the column {column:?} holds a class without a name, which was left out")
}

/// `tokens` with a list of tags beside it.
fn words(object: &mut Object, about: &About, doc: &mut RawDoc, losses: &mut Losses) -> Result<(), String> {
    let Some(column) = ["tokens", "words"].into_iter().find(|name| object.get(*name).is_some_and(Value::is_array)) else { return Ok(()) };
    let words = json::strings(object.get(column));
    let is_tags = |(name, value): &(&String, &Value)| *name != column && value.as_array().is_some_and(|tags| tags.len() == words.len());
    let likely = |name: &str| ["ner_tags", "tags", "labels", "bio_tags"].contains(&name);
    let tags = object.iter().filter(is_tags).max_by_key(|(name, _)| (likely(name), name.ends_with("tags"))).map(|(name, _)| name.clone());
    object.remove(column);
    if words.is_empty() {
        return Err("has no words".to_owned());
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let stated = object.get("text").and_then(Value::as_str).and_then(|text| Some((text.to_owned(), tokens::find(text, &words)?)));
    let (text, places) = match stated {
        Some((text, places)) => {
            object.remove("text");
            (text, places)
        }
        None => tokens::join(&words),
    };
    doc.text = text;
    let given = tags.as_ref().and_then(|name| object.remove(name));
    other_tags(object, words.len(), about, doc, losses);
    let (Some(name), Some(Value::Array(given))) = (tags, given) else { return Ok(()) };
    let tags: Vec<String> = given.iter().map(|tag| self::tag(&name, tag, about, doc, losses)).collect();
    if tags.iter().all(|tag| tag.parse::<i64>().is_ok()) {
        losses.note(format!("the tags of {name:?} are numbers, and no file says what they mean; they were left out"), doc.row, &doc.text);
        return Ok(());
    }
    let is_bare = |tag: &&String| !conll::is_tag(tag);
    let bare = tags.iter().filter(is_bare).count();
    let has_parts = tags.iter().any(|tag| tag != "O" && conll::is_tag(tag));
    // A list about the words that names no tags: parts of speech, lemmas.
    if bare > 0 && !has_parts && !likely(&name) && !name.ends_with("tags") && !about.classes.contains_key(&name) {
        object.insert(name, Value::Array(given));
        return Ok(());
    }
    let chunks = match (bare, has_parts) {
        (0, _) => conll::decode(tags.iter().map(String::as_str)),
        (_, true) => {
            losses.note(
                "a tag has no part of a span (such as B-) and was left out",
                doc.row,
                tags.iter().find(is_bare).cloned().unwrap_or_default(),
            );
            conll::decode(tags.iter().map(String::as_str))
        }
        (_, false) => {
            let what = format!("the tags of {name:?} have no part of a span (such as B-): words side by side of one tag became one span");
            losses.note(what, doc.row, &doc.text);
            conll::runs(tags.iter().map(String::as_str))
        }
    };
    for chunk in chunks {
        let bytes = places[chunk.words.start].start..places[chunk.words.end - 1].end;
        doc.spans.push(RawSpan::at_bytes(format!("tags {}", doc.spans.len()), bytes, chunk.label, None));
    }
    doc.state = State::Done;
    Ok(())
}

/// A tag of a word; outside of spans where there is none.
fn tag(column: &str, tag: &Value, about: &About, doc: &RawDoc, losses: &mut Losses) -> String {
    // What data sets write where a word has no tag.
    let is_none = tag.is_null() || *tag == "" || *tag == -1 || *tag == -100;
    let found = about.class(column, tag).filter(|_| !is_none);
    if found.is_none() && !is_none {
        losses.note(nameless_class(column), doc.row, tag.to_string());
    }
    found.unwrap_or_else(|| "O".to_owned())
}

/// Lists of tags beside the one that was read are no answers to a question about the text.
fn other_tags(object: &mut Object, words: usize, about: &About, doc: &RawDoc, losses: &mut Losses) {
    let is_tags =
        |name: &str| ["ner_tags", "tags", "bio_tags"].contains(&name) || name.ends_with("_tags") && about.classes.contains_key(name);
    let lists: Vec<(String, usize)> =
        object.iter().filter(|(name, _)| is_tags(name)).filter_map(|(name, list)| Some((name.clone(), list.as_array()?.len()))).collect();
    for (name, count) in lists {
        let why = if count == words { "are a second list about the same words" } else { "are not as many as the words" };
        losses.note(format!("the tags of {name:?} {why} and were left out"), doc.row, format!("{count} of {words}"));
        object.remove(&name);
    }
}

/// A list of structures, or a structure of lists, as older versions of `datasets` write it.
fn structures(value: &Value) -> Vec<Object> {
    match value {
        Value::Array(items) => items.iter().filter_map(|item| item.as_object().cloned()).collect(),
        Value::Object(columns) => {
            let length = columns.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
            let at = |at: usize| columns.iter().filter_map(|(name, list)| Some((name.clone(), list.get(at)?.clone()))).collect();
            (0..length).map(at).collect()
        }
        _ => Vec::new(),
    }
}

/// The structures of a column, taken out; a column that holds something else stays.
fn taken(object: &mut Object, column: &str) -> Vec<Object> {
    /// As other tools write a span.
    const PARTS: [&str; 3] = ["start", "end", "label"];
    let Some(value) = object.remove(column) else { return Vec::new() };
    let listed = |item: &Value| -> Option<Object> {
        let parts = item.as_array().filter(|parts| parts.len() >= PARTS.len() && parts[0].is_u64() && parts[1].is_u64())?;
        Some(PARTS.iter().zip(parts).map(|(name, part)| ((*name).to_owned(), part.clone())).collect())
    };
    let found = match &value {
        Value::Array(items) if column == "spans" && items.iter().any(|item| listed(item).is_some()) => {
            items.iter().map(|item| listed(item).or_else(|| item.as_object().cloned())).collect::<Option<Vec<Object>>>()
        }
        Value::Array(items) => items.iter().all(Value::is_object).then(|| structures(&value)),
        Value::Object(columns) => columns.values().all(Value::is_array).then(|| structures(&value)),
        _ => None,
    };
    found.unwrap_or_else(|| {
        object.insert(column.to_owned(), value);
        Vec::new()
    })
}

fn add_span(span: &Object, about: &About, doc: &mut RawDoc, losses: &mut Losses) {
    let number = |name: &str| span.get(name).and_then(Value::as_u64);
    let label = span.get("label").and_then(|label| about.class("spans.label", label));
    match (number("start"), number("end"), label) {
        (Some(start), Some(end), Some(label)) => {
            let key = span.get("id").and_then(json::key).unwrap_or_else(|| format!("span {}", doc.spans.len()));
            let said = span.get("polarity").and_then(Value::as_str).filter(|said| !said.is_empty());
            let polarity = said.and_then(polarity);
            if let Some(said) = said.filter(|_| polarity.is_none()) {
                losses.note(format!("a span has the polarity {said:?}, which has no counterpart; it came without"), doc.row, &label);
            }
            let surface = span.get("text").and_then(Value::as_str).map(str::to_owned);
            let said = span.get("attributes").filter(|said| !said.is_null());
            let attributes = said.and_then(Value::as_str).map(serde_json::from_str).and_then(Result::ok);
            if let Some(said) = said.filter(|_| attributes.is_none()) {
                losses.note("what is said of a span can't be read and was left out", doc.row, said.to_string());
            }
            let attributes = attributes.unwrap_or_default();
            doc.spans.push(RawSpan { polarity, surface, attributes, ..RawSpan::at_offsets(key, start, end, label) });
        }
        _ => losses.drop_span("has no offsets or label that make sense", doc.row, Value::Object(span.clone()).to_string()),
    }
}
