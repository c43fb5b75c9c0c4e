//! brat's standoff: a `.txt` with the text and a `.ann` of the same name beside it with what is said about it.

use super::labelstudio::PLAIN_LINK;
use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawSpan, polarity};
use crate::project::State;
use crate::store::{Charset, StoreError, encoding, scan};
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

/// Whether a file is one of a pair.
pub(super) fn is_pair(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("ann") => path.with_extension("txt").is_file(),
        Some("txt") => path.with_extension("ann").is_file(),
        _ => false,
    }
}

/// Reads all pairs. Rows are lines of the `.ann`; of many pairs, the places of the pairs.
pub(super) fn read(path: &Path, charset: Option<Charset>) -> Result<(Parsed, &'static str), StoreError> {
    let files = files(path)?;
    if files.is_empty() {
        let what = "the folder holds no .ann file; name a file to import another format".to_owned();
        return Err(StoreError::Annotated { format: "brat", what, path: path.to_owned() });
    }
    let (mut parsed, mut encoding) = (Parsed::default(), "UTF-8");
    for (at, file) in files.iter().enumerate() {
        let open = |path: &Path| std::fs::read(path).map_err(StoreError::io_read("Reading the file", path));
        let said = encoding::decode_in(&open(file)?, charset).text;
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
    Ok((parsed, encoding))
}

fn annotate(doc: &mut RawDoc, said: &str, by_line: bool, losses: &mut Losses) {
    let mut notes = Vec::new();
    // Attributes may come before what they are about.
    for about_spans in [true, false] {
        for (at, line) in scan::lines(said).enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            if line.starts_with('T') == about_spans {
                let row = if by_line { at + 1 } else { doc.row };
                read_line(doc, line, row, &mut notes, losses);
            }
        }
    }
    if !notes.is_empty() {
        doc.meta.insert("notes".to_owned(), notes.join("\n"));
    }
    if !doc.spans.is_empty() {
        doc.state = State::Done;
    }
}

fn read_line(doc: &mut RawDoc, line: &str, row: usize, notes: &mut Vec<String>, losses: &mut Losses) {
    let mut columns = line.split('\t');
    let (id, said, words) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default(), columns.next());
    match id.chars().next() {
        Some('T') => match span(id, said, words, row, losses) {
            Some(span) => doc.spans.push(span),
            None => losses.drop_span("can't be read", row, line),
        },
        Some('A' | 'M') => {
            let mut parts = said.split_whitespace();
            let (name, of, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
            let found = polarity(value.unwrap_or(name)).filter(|_| value.is_none() || is_about_polarity(name));
            match doc.spans.iter_mut().find(|span| span.key == of).filter(|_| found.is_some()) {
                Some(span) => span.polarity = found,
                None => losses.note(format!("an attribute {name:?} has no counterpart and was left out"), row, said),
            }
        }
        Some('R') => {
            let mut parts = said.split_whitespace();
            let name = parts.next().unwrap_or_default();
            let mut ends = parts.filter_map(|part| part.split_once(':')).map(|(_, id)| id.to_owned());
            match (ends.next(), ends.next()) {
                (Some(from), Some(to)) => {
                    doc.links.push((from, to));
                    if name != PLAIN_LINK {
                        losses.note(format!("a link came over without its name {name:?}"), row, "");
                    }
                }
                _ => losses.note("a relation names no spans and was left out", row, line),
            }
        }
        Some('#') => notes.push(format!("{said} {}", words.unwrap_or_default().trim())),
        Some('E') => losses.note("an event has no counterpart and was left out", row, line),
        Some('*') => losses.note("spans said to be the same have no counterpart: left out", row, line),
        Some('N') => losses.note("a reference to a database has no counterpart and was left out", row, line),
        _ => losses.note("a line can't be read and was left out", row, line),
    }
}

/// The value "Pos" of another attribute may be a degree of comparison.
fn is_about_polarity(name: &str) -> bool {
    let name = name.to_lowercase();
    ["polarity", "sentiment", "valence", "opinion", "极性", "情感"].iter().any(|word| name.contains(word))
}

/// `ASP 4 10`, or in pieces `ASP 4 10;14 19`, which become one span from the first to the last.
fn span(id: &str, said: &str, words: Option<&str>, row: usize, losses: &mut Losses) -> Option<RawSpan> {
    let (label, places) = said.split_once(' ')?;
    let mut numbers = Vec::new();
    for piece in places.split(';') {
        let (start, end) = piece.trim().split_once(' ')?;
        numbers.extend([start.trim().parse::<u64>().ok()?, end.trim().parse::<u64>().ok()?]);
    }
    let (start, end) = (*numbers.iter().min()?, *numbers.iter().max()?);
    let mut surface = words.map(str::to_owned);
    if numbers.len() > 2 {
        losses.note("a span in pieces became one, with the words between", row, words.unwrap_or_default());
        surface = None;
    }
    Some(RawSpan { surface, row: Some(row), ..RawSpan::at_offsets(id, start, end, label) })
}
