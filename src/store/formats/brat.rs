//! brat's standoff: a `.txt` with the text and a `.ann` of the same name beside it with what is said about it.

use super::loss::Losses;
use super::raw::{PART_LINK, Parsed, RawDoc, RawLink, RawSpan, is_about_polarity, polarity, value};
use super::source::Tick;
use crate::project::State;
use crate::store::{Charset, StoreError, encoding, scan};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The `.ann` files of a folder by name, or the one that belongs to a file.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !path.is_dir() {
        return Ok(vec![path.with_extension("ann")]);
    }
    let entries = std::fs::read_dir(path).map_err(StoreError::io_read("Reading the folder", path))?;
    let is_ann = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "ann");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_ann).collect();
    files.sort();
    Ok(files)
}

/// What else stands in a folder with such files: texts that nobody annotated, and folders, which are not read.
fn others(folder: &Path) -> Result<(Vec<PathBuf>, Vec<String>), StoreError> {
    let entries = std::fs::read_dir(folder).map_err(StoreError::io_read("Reading the folder", folder))?;
    let (mut texts, mut folders) = (Vec::new(), Vec::new());
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') {
            folders.push(name);
        } else if path.extension().is_some_and(|extension| extension == "txt") && !path.with_extension("ann").exists() {
            texts.push(path);
        }
    }
    folders.sort();
    Ok((texts, folders))
}

/// Whether a file is one of a pair.
pub(super) fn is_pair(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("ann") => path.with_extension("txt").is_file(),
        Some("txt") => path.with_extension("ann").is_file(),
        _ => false,
    }
}

/// Reads `most` pairs, and says whether `tick` ended it. Rows are lines of the `.ann`; of many pairs, the places of the pairs.
pub(super) fn read(path: &Path, charset: Option<Charset>, most: usize, tick: Tick) -> Result<(Parsed, &'static str, bool), StoreError> {
    let mut files = files(path)?;
    if files.is_empty() {
        let what = "the folder holds no .ann file; name a file to import another format".to_owned();
        return Err(StoreError::Annotated { format: "brat", what, path: path.to_owned() });
    }
    let (mut parsed, mut encoding) = (Parsed::default(), "UTF-8");
    if path.is_dir() {
        let (texts, folders) = others(path)?;
        files.extend(texts);
        files.sort();
        folders.iter().for_each(|name| parsed.losses.note("a folder inside the folder was not read", 1, name));
    }
    for (at, file) in files.iter().enumerate().take(most) {
        if tick(at as f32 / files.len() as f32).is_break() {
            return Ok((parsed, encoding, true));
        }
        let open = |path: &Path| encoding::read_whole(path);
        let is_annotated = file.extension().is_some_and(|extension| extension == "ann");
        let said = if is_annotated { encoding::decode_in(&open(file)?, charset).text } else { String::new() };
        let words = file.with_extension("txt");
        let decoded = encoding::decode_in(&open(&words)?, charset);
        encoding = decoded.encoding;
        let mut doc = RawDoc { row: at + 1, text: decoded.text, ..RawDoc::default() };
        if files.len() > 1 {
            let name = words.file_name().unwrap_or_default().to_string_lossy().into_owned();
            doc.meta.insert("file".to_owned(), name);
        }
        annotate(&mut doc, &said, files.len() == 1, &mut parsed.losses);
        parsed.docs.push(doc);
    }
    Ok((parsed, encoding, false))
}

fn annotate(doc: &mut RawDoc, said: &str, by_line: bool, losses: &mut Losses) {
    let mut reading = Reading::default();
    // What is said of a span or an event may come before it.
    for pass in ["T", "E", ""] {
        for (at, line) in scan::lines(said).enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let kind = ["T", "E"].into_iter().find(|kind| line.starts_with(kind)).unwrap_or_default();
            if kind == pass {
                let row = if by_line { at + 1 } else { doc.row };
                reading.line(doc, line, row, losses);
            }
        }
    }
    for (from, name, to, row) in std::mem::take(&mut reading.arguments) {
        let link = RawLink::new(from, reading.span(&to)).named(Some(&name));
        if doc.spans.iter().any(|span| span.key == link.to) {
            doc.links.push(link);
        } else {
            losses.note("a part of an event that is no span was left out", row, format!("{name}:{to}"));
        }
    }
    if !reading.notes.is_empty() {
        doc.meta.insert("notes".to_owned(), reading.notes.join("\n"));
    }
    if !doc.spans.is_empty() {
        doc.state = State::Done;
    }
}

/// What lines say beside spans.
#[derive(Default)]
struct Reading {
    notes: Vec<String>,
    /// The span that stands for an event.
    events: BTreeMap<String, String>,
    /// Of an event: its span, the role, what has it, and the row.
    arguments: Vec<(String, String, String, usize)>,
}

impl Reading {
    /// The span that an id means, be it that of an event.
    fn span<'a>(&'a self, id: &'a str) -> &'a str {
        self.events.get(id).map_or(id, String::as_str)
    }

    fn line(&mut self, doc: &mut RawDoc, line: &str, row: usize, losses: &mut Losses) {
        // What is stated last may hold tabs itself.
        let mut columns = line.splitn(3, '\t');
        let (id, said, words) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default(), columns.next());
        match id.chars().next() {
            Some('T') => {
                if !add_span(doc, id, said, words, row) {
                    losses.drop_span("can't be read", row, line);
                }
            }
            Some('A' | 'M') => self.attribute(doc, said, row, losses),
            Some('R') => {
                let mut parts = said.split_whitespace();
                let name = parts.next().unwrap_or_default();
                let mut ends = parts.filter_map(|part| part.split_once(':')).map(|(_, id)| self.span(id).to_owned());
                match (ends.next(), ends.next()) {
                    (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(Some(name))),
                    _ => losses.note("a relation names no spans and was left out", row, line),
                }
            }
            Some('E') => self.event(id, said, row, losses),
            // Spans said to be the same: each is linked to the next.
            Some('*') => {
                let mut parts = said.split_whitespace();
                let name = parts.next().unwrap_or_default();
                let same: Vec<&str> = parts.map(|id| self.span(id)).collect();
                doc.links.extend(same.windows(2).map(|pair| RawLink::new(pair[0], pair[1]).named(Some(name))));
            }
            Some('#') => self.notes.push(format!("{said} {}", words.unwrap_or_default().trim())),
            Some('N') => {
                self.notes.push(format!("{said} {}", words.unwrap_or_default().trim()));
                losses.note("a reference to a database is kept as metadata", row, line);
            }
            _ => losses.note("a line can't be read and was left out", row, line),
        }
    }

    /// `Polarity T1 positive`, or `Negated T1` for a flag.
    fn attribute(&self, doc: &mut RawDoc, said: &str, row: usize, losses: &mut Losses) {
        let mut parts = said.split_whitespace();
        let (name, of) = (parts.next().unwrap_or_default(), self.span(parts.next().unwrap_or_default()));
        let words = parts.collect::<Vec<_>>().join(" ");
        let found = match words.as_str() {
            "" => polarity(name).filter(|_| name.chars().all(char::is_alphabetic)),
            words => polarity(words).filter(|_| is_about_polarity(name)),
        };
        match doc.spans.iter_mut().find(|span| span.key == of) {
            Some(span) if found.is_some() => span.polarity = found,
            Some(span) => {
                let words = if words.is_empty() { FLAG } else { &words };
                span.attributes.insert(name.to_owned(), value(words));
            }
            None => losses.note(format!("an attribute {name:?} is about no span and was left out"), row, said),
        }
    }

    /// `Type:T1 Role:T2 Role:E2`: links from the words of the event to what has a role in it.
    fn event(&mut self, id: &str, said: &str, row: usize, losses: &mut Losses) {
        let mut parts = said.split_whitespace().filter_map(|part| part.split_once(':'));
        let Some((_, trigger)) = parts.next() else {
            return losses.note("an event names no span and was left out", row, said);
        };
        self.events.insert(id.to_owned(), trigger.to_owned());
        self.arguments.extend(parts.map(|(role, of)| (trigger.to_owned(), role.to_owned(), of.to_owned(), row)));
    }
}

/// The value of an attribute that has none.
const FLAG: &str = "true";

/// `ASP 4 10`, or in pieces `ASP 4 10;14 19`, each of which becomes a span that is linked to the first.
fn add_span(doc: &mut RawDoc, id: &str, said: &str, words: Option<&str>, row: usize) -> bool {
    let place = |piece: &str| {
        let (start, end) = piece.trim().split_once(' ')?;
        Some((start.trim().parse::<u64>().ok()?, end.trim().parse::<u64>().ok()?))
    };
    let Some((label, places)) = said.split_once(' ') else { return false };
    let Some(mut pieces) = places.split(';').map(place).collect::<Option<Vec<_>>>() else { return false };
    pieces.sort_unstable();
    // The editor breaks a span at the end of a line: with nothing else between, it is one.
    let is_line_end = |from: u64, to: u64| {
        let (skip, count) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(to - from).unwrap_or(usize::MAX));
        count <= 2 && doc.text.chars().skip(skip).take(count).all(|c| matches!(c, '\n' | '\r'))
    };
    pieces.dedup_by(|next, held| {
        let joins = next.0 >= held.1 && is_line_end(held.1, next.0);
        if joins {
            held.1 = next.1;
        }
        joins
    });
    let surface = words.filter(|_| pieces.len() == 1).map(str::to_owned);
    for (at, (start, end)) in pieces.into_iter().enumerate() {
        let key = if at == 0 { id.to_owned() } else { format!("{id} piece {at}") };
        if at > 0 {
            doc.links.push(RawLink::new(id, &key).named(Some(PART_LINK)));
        }
        doc.spans.push(RawSpan { surface: surface.clone(), row: Some(row), ..RawSpan::at_offsets(key, start, end, label) });
    }
    true
}
