//! WebAnno's TSV 3, which INCEpTION writes: words with their places, a column for each feature of each layer. A file is a
//! document. Places come from the words, so that it does not matter what the file's offsets count.

use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawLink, RawSpan, polarity, value};
use super::tokens;
use crate::project::State;
use crate::store::{Charset, StoreError, encoding, scan};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(super) const FORMAT: &str = "#FORMAT=WebAnno TSV 3";

/// Layers of words that are no marks of a reader: parts of speech and the like would be a span a word.
const OF_WORDS: [&str; 5] = ["POS", "Lemma", "MorphologicalFeatures", "Stem", "Dependency"];

/// A layer, and what its columns are.
struct Layer {
    /// `webanno.custom.Aspect`, as relations call it.
    full: String,
    name: String,
    features: Vec<String>,
    is_relation: bool,
}

impl Layer {
    /// `webanno.custom.Aspect|polarity`.
    fn parse(line: &str, is_relation: bool) -> Self {
        let mut parts = line.split('|');
        let full = parts.next().unwrap_or_default().to_owned();
        let name = full.rsplit('.').next().unwrap_or_default().to_owned();
        Self { full, name, features: parts.map(str::to_owned).collect(), is_relation }
    }

    fn columns(&self) -> usize {
        self.features.len().max(1)
    }

    /// The slot that a column is about, or names the fillers of: `ROLE_webanno.custom.Frame:seller_webanno.custom.FrameLink`
    /// holds roles, and the column after it their words.
    fn slot(&self, column: usize) -> Option<Slot<'_>> {
        let role = |at: usize| self.features.get(at).and_then(|feature| feature.strip_prefix("ROLE_"));
        match role(column) {
            Some(role) => {
                let name = role.split_once(':').map_or(role, |(_, name)| name);
                Some(Slot::Roles(name.split_once('_').map_or(name, |(name, _)| name)))
            }
            None => column.checked_sub(1).and_then(role).map(|_| Slot::Fillers),
        }
    }
}

/// What a column of a slot holds.
enum Slot<'a> {
    /// Of the slot of this name.
    Roles(&'a str),
    Fillers,
}

/// The TSV files of a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "tsv")).collect();
    files.sort();
    files
}

/// Whether a file begins as such files do.
pub(super) fn is_one(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FORMAT.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == FORMAT.as_bytes()
}

/// Reads a file, or all of a folder. Rows are lines; of a folder, the places of the files.
pub(super) fn read(path: &Path, charset: Option<Charset>) -> Result<(Parsed, &'static str), StoreError> {
    let files = if path.is_dir() { files(path) } else { vec![path.to_owned()] };
    let (mut parsed, mut encoding) = (Parsed::default(), "UTF-8");
    for (at, file) in files.iter().enumerate() {
        let bytes = encoding::read_whole(file)?;
        let decoded = encoding::decode_in(&bytes, charset);
        encoding = decoded.encoding;
        let doc = document(&decoded.text, at + 1, &mut parsed.losses);
        let doc = doc.map(|mut doc| {
            if files.len() > 1 {
                doc.meta.insert("file".to_owned(), file.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
            doc
        });
        match doc {
            Err(what) if files.len() == 1 => return Err(StoreError::Annotated { format: "WebAnno", what, path: path.to_owned() }),
            doc => parsed.push(at + 1, doc),
        }
    }
    Ok((parsed, encoding))
}

/// A span while its words are gathered.
#[derive(Clone)]
struct Open {
    layer: usize,
    bytes: Range<usize>,
    values: BTreeMap<String, String>,
    /// What has a role in it, by the name of the slot.
    slots: BTreeMap<String, Vec<String>>,
}

/// A relation while its spans are gathered.
struct Relation {
    /// The layer of the spans, where the file has it.
    layer: Option<usize>,
    /// Places or numbers of the spans in that layer.
    from: String,
    to: String,
    name: Option<String>,
}

#[derive(Default)]
struct Reading {
    text: String,
    /// UTF-16 units of `text`, which is what places count.
    units: usize,
    layers: Vec<Layer>,
    /// Spans by layer and number; those without a number by their word.
    spans: Vec<(String, Open)>,
    relations: Vec<Relation>,
}

fn document(content: &str, row: usize, losses: &mut Losses) -> Result<RawDoc, String> {
    if !content.trim_start().starts_with(FORMAT) {
        return Err(format!("it does not begin with {FORMAT}"));
    }
    let mut reading = Reading::default();
    let mut stated: Vec<String> = Vec::new();
    let mut lines: Vec<Vec<&str>> = Vec::new();
    for line in scan::lines(content).chain([""]) {
        if let Some(layer) = line.strip_prefix("#T_SP=") {
            reading.layers.push(Layer::parse(layer, false));
        } else if let Some(layer) = line.strip_prefix("#T_RL=") {
            reading.layers.push(Layer::parse(layer, true));
        } else if let Some(layer) = line.strip_prefix("#T_CH=") {
            reading.layers.push(Layer::parse(layer, true));
            losses.note("a layer of chains has no counterpart and was left out", row, layer);
        } else if let Some(text) = line.strip_prefix("#Text=") {
            stated.push(unescaped(text));
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            lines.push(line.split('\t').collect());
        } else if line.is_empty() && !lines.is_empty() {
            reading.sentence(&std::mem::take(&mut stated).join("\n"), &std::mem::take(&mut lines), row, losses)?;
        }
    }
    if reading.text.is_empty() {
        return Err("it holds no words".to_owned());
    }
    Ok(reading.finish(row, losses))
}

/// What tabs and line ends are written as.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('t') => plain.push('\t'),
                Some('b') => plain.push('\u{8}'),
                Some('f') => plain.push('\u{c}'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (c, false) => plain.push(c),
        }
    }
    plain
}

/// `a[1]|b[2]` as values with their numbers; a sign after a backslash is a letter.
fn values(cell: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let (mut value, mut number, mut in_number) = (String::new(), String::new(), false);
    let mut chars = cell.chars();
    loop {
        let c = chars.next();
        match c {
            None | Some('|') => {
                let number = std::mem::take(&mut number);
                found.push((std::mem::take(&mut value), (!number.is_empty()).then_some(number)));
                in_number = false;
                if c.is_none() {
                    return found;
                }
            }
            Some('\\') => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                other => value.extend(other),
            },
            Some('[') => in_number = true,
            Some(']') => in_number = false,
            Some(c) if in_number => number.push(c),
            Some(c) => value.push(c),
        }
    }
}

impl Reading {
    /// A sentence: its text, and its words with their columns.
    fn sentence(&mut self, stated: &str, lines: &[Vec<&str>], row: usize, losses: &mut Losses) -> Result<(), String> {
        let numbers = |cell: &str| {
            let (start, end) = cell.split_once('-')?;
            Some((start.parse::<usize>().ok()?, end.parse::<usize>().ok()?))
        };
        let mut words = Vec::new();
        for line in lines {
            let [id, place, word, ..] = line.as_slice() else {
                return Err(format!("a line has fewer than three columns ({})", line.join(" ")));
            };
            let place = numbers(place).ok_or_else(|| format!("a word has no place ({place:?})"))?;
            words.push((*id, place, unescaped(word)));
        }
        let whole: Vec<&str> = words.iter().filter(|(id, ..)| !id.contains('.')).map(|(.., word)| word.as_str()).collect();
        let found = tokens::find(stated, &whole).map(|places| (stated.to_owned(), places));
        let (text, places) = found.unwrap_or_else(|| tokens::join(&whole));
        // Between two sentences stands what the places leave: mostly one line end.
        let first = words.first().map_or(self.units, |(_, place, _)| place.0);
        let lead = places.first().map_or(0, |place| text[..place.start].encode_utf16().count());
        let gap = first.saturating_sub(lead).saturating_sub(self.units).min(16);
        let gap = if self.text.is_empty() { 0 } else { gap };
        self.text.extend(std::iter::repeat_n('\n', gap.min(1)).chain(std::iter::repeat_n(' ', gap.saturating_sub(1))));
        let base = self.text.len();
        self.text.push_str(&text);
        self.units = self.text.encode_utf16().count().max(self.units + gap);
        let mut places = places.into_iter();
        let mut current = (0, base..base);
        for (line, (id, place, word)) in lines.iter().zip(&words) {
            let bytes = if id.contains('.') {
                // A part of the word before.
                let inside = &self.text[current.1.clone()];
                let offset = place.0.saturating_sub(current.0);
                let skip: usize =
                    inside.char_indices().map(|(at, _)| at).find(|at| inside[..*at].encode_utf16().count() >= offset).unwrap_or(0);
                let start = current.1.start + inside[skip..].find(word.as_str()).map_or(skip, |at| skip + at);
                start..(start + word.len()).min(current.1.end)
            } else {
                let place_in = places.next().unwrap_or(0..0);
                current = (place.0, base + place_in.start..base + place_in.end);
                current.1.clone()
            };
            self.cells(id, &line[3..], &bytes, row, losses);
        }
        Ok(())
    }

    fn cells(&mut self, id: &str, cells: &[&str], bytes: &Range<usize>, row: usize, losses: &mut Losses) {
        let mut at = 0;
        for layer in 0..self.layers.len() {
            let columns = self.layers[layer].columns();
            let own: Vec<&str> = cells.iter().skip(at).take(columns).copied().collect();
            at += columns;
            if own.iter().all(|cell| matches!(*cell, "_" | "")) {
                continue;
            }
            if self.layers[layer].is_relation {
                self.relation(layer, id, &own, row, losses);
            } else {
                self.span(layer, id, &own, bytes, row, losses);
            }
        }
    }

    fn span(&mut self, layer: usize, id: &str, cells: &[&str], bytes: &Range<usize>, row: usize, losses: &mut Losses) {
        let Layer { name, features, .. } = &self.layers[layer];
        if OF_WORDS.contains(&name.as_str()) {
            return losses.note(format!("the layer {name} is about single words and was left out"), row, *cells.first().unwrap_or(&""));
        }
        let features = features.clone();
        for (column, cell) in cells.iter().enumerate() {
            let slot = match self.layers[layer].slot(column) {
                Some(Slot::Fillers) => continue,
                Some(Slot::Roles(name)) => Some(name.to_owned()),
                None => None,
            };
            for (value, number) in values(cell) {
                let key = number.map_or_else(|| format!("{layer} at {id}"), |number| format!("{layer} #{number}"));
                let open = match self.spans.iter().position(|(held, _)| *held == key) {
                    Some(at) => &mut self.spans[at].1,
                    None => {
                        let open = Open { layer, bytes: bytes.clone(), values: BTreeMap::new(), slots: BTreeMap::new() };
                        self.spans.push((key, open));
                        let last = self.spans.len() - 1;
                        &mut self.spans[last].1
                    }
                };
                open.bytes = open.bytes.start.min(bytes.start)..open.bytes.end.max(bytes.end);
                if matches!(value.as_str(), "*" | "_" | "") {
                    continue;
                }
                match (&slot, features.get(column)) {
                    (Some(slot), _) => open.slots.entry(slot.clone()).or_default().push(value),
                    (None, Some(feature)) => drop(open.values.insert(feature.clone(), value)),
                    (None, None) => {}
                }
            }
        }
    }

    /// A relation stands at its target; its last column names the source word, and the numbers of both where words have
    /// several spans.
    fn relation(&mut self, layer: usize, id: &str, cells: &[&str], row: usize, losses: &mut Losses) {
        let Layer { name, features, .. } = &self.layers[layer];
        if OF_WORDS.contains(&name.as_str()) {
            return;
        }
        let base = |feature: &String| feature.strip_prefix("BT_").map(str::to_owned);
        let sources = features.iter().enumerate().find_map(|(at, feature)| Some((base(feature)?, cells.get(at)?)));
        let Some((base, sources)) = sources else {
            return losses.note(format!("an entry of the layer {name} was left out"), row, cells.join(" "));
        };
        let named = cells.iter().zip(features).find(|(_, feature)| !feature.starts_with("BT_"));
        let mut names = named.map(|(cell, _)| values(cell)).unwrap_or_default().into_iter().map(|(name, _)| name);
        let of_spans = self.layers.iter().position(|layer| !layer.is_relation && layer.full == base);
        for (source, numbers) in values(sources) {
            let (from, to) = numbers.as_deref().and_then(|numbers| numbers.split_once('_')).unwrap_or(("0", "0"));
            let end = |word: &str, number: &str| if number == "0" { format!("at {word}") } else { format!("#{number}") };
            let name = names.next().filter(|name| !matches!(name.as_str(), "*" | "_" | ""));
            self.relations.push(Relation { layer: of_spans, from: end(&source, from), to: end(id, to), name });
        }
        let others = cells.iter().zip(features).filter(|(_, feature)| !feature.starts_with("BT_")).skip(1);
        for (cell, feature) in others.filter(|(cell, _)| !matches!(**cell, "*" | "_" | "")) {
            losses.note(format!("the feature {feature:?} of a link has no counterpart and was left out"), row, cell);
        }
    }

    fn finish(self, row: usize, losses: &mut Losses) -> RawDoc {
        let mut doc = RawDoc { row, ..RawDoc::default() };
        for (key, Open { layer, bytes, values, slots }) in &self.spans {
            let take = |values: &mut BTreeMap<String, String>, names: &[&str]| names.iter().find_map(|name| values.remove(*name));
            let mut values = values.clone();
            let label = take(&mut values, &["label", "value", "Label", "Value"]).unwrap_or_else(|| self.layers[*layer].name.clone());
            let said = take(&mut values, &["polarity", "Polarity", "sentiment", "Sentiment", "valence"]);
            let found = said.as_deref().and_then(polarity);
            if let Some(said) = said.filter(|_| found.is_none()) {
                losses.note(format!("an aspect has the polarity {said:?}, which has no counterpart; it came without"), row, &label);
            }
            for (slot, roles) in slots {
                losses.note(format!("the slot {slot:?} of a span has no counterpart and was left out"), row, roles.join(", "));
            }
            let attributes = values.iter().map(|(feature, said)| (feature.clone(), value(said))).collect();
            doc.spans.push(RawSpan { attributes, ..RawSpan::at_bytes(key.as_str(), bytes.clone(), &label, found) });
        }
        // Keys of spans begin with the number of their layer.
        let key = |layer: &Option<usize>, end: &str| {
            let is_it = |span: &&RawSpan| {
                let parts = span.key.split_once(' ');
                parts.is_some_and(|(of, place)| place == end && layer.is_none_or(|layer| of == layer.to_string()))
            };
            doc.spans.iter().find(is_it).map(|span| span.key.clone())
        };
        for Relation { layer, from, to, name } in &self.relations {
            match (key(layer, from), key(layer, to)) {
                (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(name.as_deref())),
                _ => losses.note("a relation joins words that are no spans and was left out", row, format!("{from} {to}")),
            }
        }
        doc.text = self.text;
        if !doc.spans.is_empty() {
            doc.state = State::Done;
        }
        doc
    }
}
