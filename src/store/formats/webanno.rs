//! WebAnno's TSV 3, which INCEpTION writes: words with their places, a column for each feature of each layer. A file is a
//! document. Spans stand where their words are found in the text of their sentence; the places say what is left between two
//! sentences. They count UTF-16 units, as Java does, or code points where the words show it.

use super::loss::Losses;
use super::raw::{Parsed, RawDoc, RawLink, RawSpan, polarity, value};
use super::source::Tick;
use super::tokens;
use crate::project::State;
use crate::store::{Charset, StoreError, encoding, scan};
use std::collections::{BTreeMap, HashMap};
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

/// What stands in a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    entries
}

/// The TSV files of a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let is_tsv = |path: &PathBuf| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv")) && !path.is_dir();
    entries(folder).into_iter().filter(is_tsv).collect()
}

/// The names of the folders inside a folder, which are not read.
fn folders(folder: &Path) -> Vec<String> {
    let folders = entries(folder).into_iter().filter(|path| path.is_dir());
    let names = folders.map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Whether a file begins as such files do.
pub(super) fn is_one(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FORMAT.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == FORMAT.as_bytes()
}

/// Reads a file, or `most` of a folder, and says whether `tick` ended it. Rows are lines; of several files, their places.
pub(super) fn read(path: &Path, charset: Option<Charset>, most: usize, tick: Tick) -> Result<(Parsed, &'static str, bool), StoreError> {
    let (files, folders) = if path.is_dir() { (files(path), folders(path)) } else { (vec![path.to_owned()], Vec::new()) };
    let (mut parsed, mut encoding) = (Parsed::default(), "UTF-8");
    folders.iter().for_each(|name| parsed.losses.note("a folder inside the folder was not read", 1, name));
    for (at, file) in files.iter().enumerate().take(most) {
        if tick(at as f32 / files.len() as f32).is_break() {
            return Ok((parsed, encoding, true));
        }
        let bytes = encoding::read_whole(file)?;
        let decoded = encoding::decode_in(&bytes, charset);
        encoding = decoded.encoding;
        let doc = document(&decoded.text, at + 1, files.len() == 1, &mut parsed.losses);
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
    Ok((parsed, encoding, false))
}

/// A line of a word.
struct Word<'a> {
    row: usize,
    /// `1-2`, or `1-2.1` of a part of that word.
    id: &'a str,
    place: Range<usize>,
    word: String,
    cells: Vec<&'a str>,
}

impl<'a> Word<'a> {
    fn parse(line: &'a str, row: usize) -> Result<Self, String> {
        let mut columns = line.split('\t');
        let (Some(id), Some(place), Some(word)) = (columns.next(), columns.next(), columns.next()) else {
            return Err(format!("a line has fewer than three columns ({})", line.replace('\t', " ")));
        };
        let range = |place: &str| -> Option<Range<usize>> {
            let (start, end) = place.split_once('-')?;
            Some(start.parse().ok()?..end.parse().ok()?)
        };
        let range = range(place).ok_or_else(|| format!("a word has no place ({place:?})"))?;
        Ok(Self { row, id, place: range, word: unescaped(word), cells: columns.collect() })
    }

    fn is_part(&self) -> bool {
        self.id.contains('.')
    }
}

/// A span while its words are gathered.
struct Open {
    key: String,
    /// Of its first word.
    row: usize,
    layer: usize,
    bytes: Range<usize>,
    values: BTreeMap<String, String>,
    /// What has a role in it, by the name of the slot.
    slots: BTreeMap<String, Vec<String>>,
}

/// A relation while its spans are gathered.
struct Relation {
    row: usize,
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
    /// Whether places count code points rather than UTF-16 units.
    by_chars: bool,
    /// Where the last sentence ends, as places count.
    seen: usize,
    layers: Vec<Layer>,
    spans: Vec<Open>,
    /// Places in `spans` by layer and number; of those without a number, by layer and word.
    by_key: HashMap<String, usize>,
    relations: Vec<Relation>,
}

fn document(content: &str, place: usize, by_line: bool, losses: &mut Losses) -> Result<RawDoc, String> {
    if !content.trim_start().starts_with(FORMAT) {
        return Err(format!("it does not begin with {FORMAT}"));
    }
    let mut reading = Reading { by_chars: counts_chars(content), ..Reading::default() };
    let mut stated: Vec<String> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    for (at, line) in scan::lines(content).chain([""]).enumerate() {
        let row = if by_line { at + 1 } else { place };
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
            words.push(Word::parse(line, row)?);
        } else if line.is_empty() && !words.is_empty() {
            reading.sentence(&std::mem::take(&mut stated).join("\n"), &std::mem::take(&mut words), losses);
        }
    }
    if reading.text.is_empty() {
        return Err("it holds no words".to_owned());
    }
    let rest = stated.join("\n");
    if !rest.trim().is_empty() {
        losses.note("a text without words stands at the end and was left out", place, rest);
    }
    Ok(reading.finish(place, losses))
}

/// Whether places count code points: words tell that hold signs of two UTF-16 units.
fn counts_chars(content: &str) -> bool {
    let mut balance = 0i64;
    for line in scan::lines(content).filter(|line| !line.starts_with('#') && line.contains(|c: char| c.len_utf16() > 1)) {
        let Ok(Word { place, word, .. }) = Word::parse(line, 0) else { continue };
        let (width, chars, units) = (place.end.saturating_sub(place.start), word.chars().count(), word.encode_utf16().count());
        if chars != units {
            balance += i64::from(width == chars) - i64::from(width == units);
        }
    }
    balance > 0
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
    /// How much of a text places count.
    fn measured(&self, text: &str) -> usize {
        if self.by_chars { text.chars().count() } else { text.encode_utf16().count() }
    }

    /// A sentence: its text, and its words with their columns.
    fn sentence(&mut self, stated: &str, words: &[Word], losses: &mut Losses) {
        let row = words.first().map_or(1, |word| word.row);
        let whole: Vec<&Word> = words.iter().filter(|word| !word.is_part()).collect();
        let names: Vec<&str> = whole.iter().map(|word| word.word.as_str()).collect();
        let found = tokens::find(stated, &names).map(|places| (stated.to_owned(), places));
        let (text, places) = found.unwrap_or_else(|| {
            let example = if stated.is_empty() { names.join(" ") } else { stated.to_owned() };
            losses.note("the words do not stand in the text; the text was made of the words", row, example);
            tokens::join(&names)
        });
        // The text goes beyond its first and its last word.
        let lead = self.measured(&text[..places.first().map_or(0, |place| place.start)]);
        let trail = self.measured(&text[places.last().map_or(0, |place| place.end)..]);
        let begins = whole.first().map_or(self.seen, |word| word.place.start.saturating_sub(lead));
        let ends = whole.last().map_or(begins, |word| word.place.end).saturating_add(trail);
        self.gap(begins, row, &text, losses);
        let base = self.text.len();
        self.text.push_str(&text);
        self.seen = ends;
        let mut places = places.into_iter();
        let mut current = (0, base..base);
        for word in words {
            let bytes = if word.is_part() {
                self.part(word, current.0, &current.1)
            } else {
                let place = places.next().unwrap_or(0..0);
                current = (word.place.start, base + place.start..base + place.end);
                current.1.clone()
            };
            self.cells(word, &bytes, losses);
        }
    }

    /// Between two sentences stands what the places leave: mostly one line end.
    fn gap(&mut self, begins: usize, row: usize, sentence: &str, losses: &mut Losses) {
        /// So much white space at most: places may say anything.
        const MOST: usize = 16;
        let gap = begins.saturating_sub(self.seen);
        if self.text.is_empty() {
            if gap > 0 {
                losses.note("what stands before the first sentence is not in the file and was left out", row, sentence);
            }
            return;
        }
        if begins < self.seen {
            losses.note("a sentence begins before the end of the one before; a line end was put between them", row, sentence);
            self.text.push('\n');
            return;
        }
        if gap > MOST {
            losses.note(format!("a gap between two sentences was cut to {MOST} signs"), row, format!("{gap} before {sentence}"));
        }
        let gap = gap.min(MOST);
        self.text.extend(std::iter::repeat_n('\n', gap.min(1)).chain(std::iter::repeat_n(' ', gap.saturating_sub(1))));
    }

    /// The bytes of a part of the word before, which begins at this place and has these bytes.
    fn part(&self, word: &Word, start: usize, whole: &Range<usize>) -> Range<usize> {
        let inside = &self.text[whole.clone()];
        let offset = word.place.start.saturating_sub(start);
        let mut before = 0;
        let is_there = |c: char| {
            let here = before;
            before += if self.by_chars { 1 } else { c.len_utf16() };
            here >= offset
        };
        let skip = inside.find(is_there).unwrap_or(0);
        let start = whole.start + inside[skip..].find(word.word.as_str()).map_or(skip, |at| skip + at);
        start..(start + word.word.len()).min(whole.end)
    }

    fn cells(&mut self, word: &Word, bytes: &Range<usize>, losses: &mut Losses) {
        let mut rest = word.cells.as_slice();
        for layer in 0..self.layers.len() {
            let (own, after) = rest.split_at(self.layers[layer].columns().min(rest.len()));
            rest = after;
            if own.iter().all(|cell| matches!(*cell, "_" | "")) {
                continue;
            }
            let Layer { name, is_relation, .. } = &self.layers[layer];
            if OF_WORDS.contains(&name.as_str()) {
                losses.note(format!("the layer {name} is about single words and was left out"), word.row, own[0]);
            } else if *is_relation {
                self.relation(layer, word, own, losses);
            } else {
                self.span(layer, word, own, bytes);
            }
        }
    }

    fn span(&mut self, layer: usize, word: &Word, cells: &[&str], bytes: &Range<usize>) {
        for (column, cell) in cells.iter().enumerate() {
            let slot = match self.layers[layer].slot(column) {
                Some(Slot::Fillers) => continue,
                Some(Slot::Roles(name)) => Some(name),
                None => None,
            };
            for (value, number) in values(cell) {
                let key = number.map_or_else(|| format!("{layer} at {}", word.id), |number| format!("{layer} #{number}"));
                let next = self.spans.len();
                let at = *self.by_key.entry(key.clone()).or_insert(next);
                if at == next {
                    let (values, slots) = (BTreeMap::new(), BTreeMap::new());
                    self.spans.push(Open { key, row: word.row, layer, bytes: bytes.clone(), values, slots });
                }
                let open = &mut self.spans[at];
                open.bytes = open.bytes.start.min(bytes.start)..open.bytes.end.max(bytes.end);
                if matches!(value.as_str(), "*" | "_" | "") {
                    continue;
                }
                match (slot, self.layers[layer].features.get(column)) {
                    (Some(slot), _) => open.slots.entry(slot.to_owned()).or_default().push(value),
                    (None, Some(feature)) => drop(open.values.insert(feature.clone(), value)),
                    (None, None) => {}
                }
            }
        }
    }

    /// A relation stands at its target; its last column names the source word, and the numbers of both where words have
    /// several spans.
    fn relation(&mut self, layer: usize, word: &Word, cells: &[&str], losses: &mut Losses) {
        let (id, row) = (word.id, word.row);
        let Layer { name, features, .. } = &self.layers[layer];
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
            self.relations.push(Relation { row, layer: of_spans, from: end(&source, from), to: end(id, to), name });
        }
        let others = cells.iter().zip(features).filter(|(_, feature)| !feature.starts_with("BT_")).skip(1);
        for (cell, feature) in others.filter(|(cell, _)| !matches!(**cell, "*" | "_" | "")) {
            losses.note(format!("the feature {feature:?} of a link has no counterpart and was left out"), row, cell);
        }
    }

    fn finish(self, place: usize, losses: &mut Losses) -> RawDoc {
        let Self { text, layers, spans, by_key, relations, .. } = self;
        let mut doc = RawDoc { row: place, text, ..RawDoc::default() };
        for Open { key, row, layer, bytes, mut values, slots } in spans {
            let mut take = |names: &[&str]| names.iter().find_map(|name| values.remove(*name));
            let label = take(&["label", "value", "Label", "Value"]).unwrap_or_else(|| layers[layer].name.clone());
            let said = take(&["polarity", "Polarity", "sentiment", "Sentiment", "valence"]);
            let found = said.as_deref().and_then(polarity);
            if let Some(said) = said.filter(|_| found.is_none()) {
                losses.note(format!("an aspect has the polarity {said:?}, which has no counterpart; it came without"), row, &label);
            }
            for (slot, roles) in slots {
                losses.note(format!("the slot {slot:?} of a span has no counterpart and was left out"), row, roles.join(", "));
            }
            let attributes = values.into_iter().map(|(feature, said)| (feature, value(&said))).collect();
            doc.spans.push(RawSpan { attributes, row: Some(row), ..RawSpan::at_bytes(key, bytes, &label, found) });
        }
        // Where the file lacks the layer of a relation's spans, the first span of that word or number is meant.
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (at, span) in doc.spans.iter().enumerate() {
            if let Some((_, end)) = span.key.split_once(' ') {
                first.entry(end).or_insert(at);
            }
        }
        let key = |layer: Option<usize>, end: &str| {
            let at = match layer {
                Some(layer) => by_key.get(&format!("{layer} {end}")),
                None => first.get(end),
            };
            at.map(|at| doc.spans[*at].key.clone())
        };
        for Relation { row, layer, from, to, name } in relations {
            match (key(layer, &from), key(layer, &to)) {
                (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(name.as_deref())),
                _ => losses.note("a relation joins words that are no spans and was left out", row, format!("{from} {to}")),
            }
        }
        if !doc.spans.is_empty() {
            doc.state = State::Done;
        }
        doc
    }
}
