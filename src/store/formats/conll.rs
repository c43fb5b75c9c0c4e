//! Words with tags, one a line: CoNLL in its schemes, and PyABSA's ATEPC with a polarity behind the tag.

use super::loss::Losses;
use super::raw::{NO_TEXT, Parsed, RawDoc, RawSpan, polarity};
use super::source::Source;
use super::tokens;
use crate::project::{Polarity, State};
use crate::store::pieces::{MOST_ROW, TOO_LONG};
use crate::store::{StoreError, scan};
use std::ops::Range;

/// Before the text a group of words was taken from, so that its spaces are not lost.
pub(in crate::store) const TEXT_COMMENT: &str = "# text = ";

/// A word of a sentence.
struct Word<'a> {
    row: usize,
    word: &'a str,
    tag: &'a str,
    polarity: Option<Polarity>,
}

/// What stands between two blank lines.
#[derive(Default)]
struct Sentence<'a> {
    /// With its row.
    text: Option<(usize, String)>,
    words: Vec<Word<'a>>,
}

/// Whether the lines hold words with tags: `Some(true)` with a polarity behind. Looks at the first lines only.
pub(super) fn looks_like(text: &str) -> Option<bool> {
    let mut counts = [0usize; 3];
    let mut has_sure_tag = false;
    for line in scan::lines(text).filter(|line| !line.trim().is_empty() && !line.starts_with('#')).take(300) {
        let columns = columns(line);
        let last = columns.last().copied().unwrap_or_default();
        let before = columns.len().checked_sub(2).map_or("", |at| columns[at]);
        has_sure_tag |= columns.len() > 1 && (last == "O" || last.len() > 2 && is_tag(last)) || is_polarity(last);
        counts[0] += 1;
        counts[1] += usize::from(columns.len() <= 5 && (is_tag(last) && columns.len() > 1 || last == "O"));
        counts[2] += usize::from(columns.len() == 3 && is_tag(before) && is_polarity(last));
    }
    let [all, tags, polarities] = counts;
    // A single line that ends in such a letter is a review.
    let most = |count: usize| all > 1 && has_sure_tag && count * 100 >= all * 95;
    if most(polarities) { Some(true) } else { most(tags).then_some(false) }
}

fn columns(line: &str) -> Vec<&str> {
    line.split([' ', '\t']).filter(|column| !column.is_empty()).collect()
}

pub(super) fn is_tag(tag: &str) -> bool {
    matches!(tag, "O" | "B" | "I" | "E" | "S") || split_tag(tag).is_some()
}

/// What stands behind a word that is no aspect.
const NO_POLARITY: [&str; 4] = ["-100", "-999", "-1", "_"];

fn is_polarity(word: &str) -> bool {
    polarity(word).is_some() || matches!(word, "-100" | "-999") || word.eq_ignore_ascii_case("conflict")
}

/// Part and label of a tag such as `B-ASP`; a bare `B` marks a span.
fn split_tag(tag: &str) -> Option<(char, &str)> {
    let part = tag.chars().next().filter(|part| "BIEOSMLUW".contains(*part))?;
    match tag[1..].chars().next() {
        None if part != 'O' => Some((part, "span")),
        Some('-' | '_') if tag.len() > 2 && part != 'O' => Some((part, &tag[2..])),
        _ => None,
    }
}

/// # Errors
/// The file can't be read, is no text, or holds no words with tags.
pub(super) fn parse(source: &mut Source, with_polarity: bool) -> Result<Parsed, StoreError> {
    if !source.is_text()? {
        return Err(source.broken(NO_TEXT));
    }
    let mut parsed = Parsed::default();
    let mut held = Held::default();
    source.lines(|row, line| match line {
        Err(reason) => parsed.bad.push((row, reason.to_owned())),
        Ok(line) if line.trim_matches([' ', '\t']).is_empty() => std::mem::take(&mut held).read(with_polarity, &mut parsed),
        Ok(line) => held.push(row, line),
    })?;
    held.read(with_polarity, &mut parsed);
    if parsed.docs.is_empty() && !source.is_cancelled {
        return Err(source.broken("it holds no words with tags"));
    }
    Ok(parsed)
}

/// The lines since the last blank one, one after the other, with row and end of each.
#[derive(Default)]
struct Held {
    text: String,
    lines: Vec<(usize, usize)>,
}

impl Held {
    /// What is longer is no sentence any more, and not kept.
    fn push(&mut self, row: usize, line: &str) {
        if self.text.len() <= MOST_ROW {
            self.text.push_str(line);
            self.lines.push((row, self.text.len()));
        }
    }

    fn read(self, with_polarity: bool, parsed: &mut Parsed) {
        let Some((first, _)) = self.lines.first() else { return };
        if self.text.len() > MOST_ROW {
            return parsed.bad.push((*first, TOO_LONG.to_owned()));
        }
        let (mut sentence, mut start) = (Sentence::default(), 0);
        for (row, end) in self.lines {
            let line = &self.text[start..end];
            start = end;
            if let Some(stated) = line.strip_prefix(TEXT_COMMENT) {
                sentence.text = Some((row, stated_text(stated)));
            } else if let Some(word) = word(row, line, with_polarity, &mut parsed.losses) {
                sentence.words.push(word);
            }
        }
        take(sentence, with_polarity, parsed);
    }
}

/// Written as JSON where a line can't hold it.
fn stated_text(stated: &str) -> String {
    stated.starts_with('"').then(|| serde_json::from_str(stated).ok()).flatten().unwrap_or_else(|| stated.to_owned())
}

fn word<'a>(row: usize, line: &'a str, with_polarity: bool, losses: &mut Losses) -> Option<Word<'a>> {
    let mut columns = columns(line);
    let said = if with_polarity && columns.len() > 2 { columns.pop() } else { None };
    let tag = columns.last().copied().filter(|tag| is_tag(tag));
    let word = columns.first().copied().unwrap_or_default();
    if word == "-DOCSTART-" || line.starts_with('#') && tag.is_none() {
        return None;
    }
    if let Some(tag) = tag {
        // What other tools make of a word; signs that stand for nothing are no loss.
        let between = columns.get(1..columns.len() - 1).unwrap_or_default();
        if between.iter().any(|column| !matches!(*column, "_" | "-" | "O" | "-X-")) {
            losses.note("a column between a word and its tag was left out", row, line);
        }
        if let Some(said) = said.filter(|said| tag != "O" && polarity(said).is_none() && !NO_POLARITY.contains(said)) {
            losses.note(format!("a word has the polarity {said:?}, which has no counterpart; it came without"), row, line);
        }
    }
    match tag {
        Some(tag) if columns.len() > 1 => Some(Word { row, word, tag, polarity: said.and_then(polarity) }),
        // The word was a space.
        Some(_) => {
            losses.note("a line holds a tag and no word", row, line);
            None
        }
        None => {
            losses.note("a word has no tag and was taken as outside of spans", row, line);
            Some(Word { row, word, tag: "O", polarity: None })
        }
    }
}

fn take(sentence: Sentence, with_polarity: bool, parsed: &mut Parsed) {
    let Some(first) = sentence.words.first() else {
        if let Some((row, text)) = sentence.text.filter(|(_, text)| !text.trim().is_empty()) {
            parsed.bad.push((row, format!("states the text {:?} and no words", super::loss::short(&text))));
        }
        return;
    };
    let row = first.row;
    let words: Vec<&str> = sentence.words.iter().map(|word| word.word).collect();
    let stated = sentence.text.map(|(row, text)| (row, tokens::find(&text, &words), text));
    let (text, places) = match stated {
        Some((_, Some(places), text)) => (text, places),
        Some((row, None, text)) => {
            parsed.losses.note("the words do not stand in the text; the text was made of the words", row, super::loss::short(&text));
            tokens::join(&words)
        }
        None => tokens::join(&words),
    };
    let mut doc = RawDoc { row, text, state: State::Done, ..RawDoc::default() };
    for chunk in chunks(&sentence.words) {
        let words = &sentence.words[chunk.words.clone()];
        let bytes = places[chunk.words.start].start..places[chunk.words.end - 1].end;
        let label = if with_polarity && matches!(chunk.label, "ASP" | "span") { "aspect" } else { chunk.label };
        let polarity = words.iter().find_map(|word| word.polarity);
        if words.iter().any(|word| word.polarity.is_some() && word.polarity != polarity) {
            parsed.losses.note("an aspect has two polarities; the first was kept", words[0].row, &doc.text);
        }
        doc.spans.push(RawSpan::at_bytes(format!("span {}", doc.spans.len()), bytes, label, polarity));
    }
    parsed.docs.push(doc);
}

/// Words that make one span.
pub(super) struct Chunk<'a> {
    pub words: Range<usize>,
    pub label: &'a str,
}

fn chunks<'a>(words: &[Word<'a>]) -> Vec<Chunk<'a>> {
    decode(words.iter().map(|word| word.tag))
}

/// Words side by side of the same label, in lists that name a label without the part of a span; "O" is outside.
pub(super) fn runs<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<Chunk<'a>> {
    let mut runs: Vec<Chunk<'a>> = Vec::new();
    for (at, label) in labels.enumerate().filter(|(_, label)| *label != "O") {
        match runs.last_mut().filter(|last| last.words.end == at && last.label == label) {
            Some(last) => last.words.end = at + 1,
            None => runs.push(Chunk { words: at..at + 1, label }),
        }
    }
    runs
}

/// Reads tags of all schemes alike. In IOB1 a span starts with `I`, in IOB2 with `B`, in IOE2 it ends with `E`,
/// in IOBES and BILOU `S` and `U` stand alone: no rule of one contradicts another.
pub(super) fn decode<'a>(tags: impl Iterator<Item = &'a str>) -> Vec<Chunk<'a>> {
    let mut chunks: Vec<Chunk<'a>> = Vec::new();
    let mut is_open = false;
    for (at, tag) in tags.enumerate() {
        let Some((part, label)) = split_tag(tag) else {
            is_open = false;
            continue;
        };
        let goes_on = is_open && "IMEL".contains(part) && chunks.last().is_some_and(|last| last.label == label);
        match chunks.last_mut().filter(|_| goes_on) {
            Some(last) => last.words.end = at + 1,
            None => chunks.push(Chunk { words: at..at + 1, label }),
        }
        is_open = "BIM".contains(part);
    }
    chunks
}
