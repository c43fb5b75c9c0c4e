//! Lines of aspect-based sentiment analysis: ASTE's triplets, E2E's tagged words, PyABSA's APC.

use super::conll;
use super::loss::{Losses, short};
use super::raw::{Parsed, RawDoc, RawLink, RawSpan, polarity};
use super::source::Source;
use super::tokens;
use crate::project::State;
use crate::store::StoreError;
use std::ops::Range;

pub(in crate::store) const ASPECT: &str = "aspect";
const OPINION: &str = "opinion";

/// Between the text and what is said about it.
pub(in crate::store) const MARK: &str = "####";

fn each_line(source: &mut Source, mut read: impl FnMut(usize, &str, &mut Losses) -> Result<RawDoc, String>) -> Result<Parsed, StoreError> {
    let mut parsed = Parsed::default();
    source.lines(|row, line| match line {
        Ok(line) if line.trim().is_empty() => parsed.blank += 1,
        Ok(line) => {
            let doc = read(row, line, &mut parsed.losses);
            parsed.push(row, doc);
        }
        Err(reason) => parsed.bad.push((row, reason.to_owned())),
    })?;
    Ok(parsed)
}

/// `text####[([0, 1], [3], 'POS')]`: numbers of words. Pairs in round brackets are a first and a last word.
pub(super) fn aste(source: &mut Source) -> Result<Parsed, StoreError> {
    each_line(source, |row, line, losses| {
        let (sentence, triplets) = line.rsplit_once(MARK).ok_or_else(|| format!("has no {MARK}"))?;
        let words: Vec<&str> = sentence.split_whitespace().collect();
        let (text, places) = tokens::join(&words);
        let mut doc = RawDoc { row, text, state: State::Done, ..RawDoc::default() };
        for triplet in self::triplets(triplets)? {
            add_triplet(&mut doc, &triplet, &places, losses);
        }
        Ok(doc)
    })
}

/// Numbers of words, not necessarily side by side, and a polarity as written.
struct Triplet {
    aspect: Vec<usize>,
    opinion: Vec<usize>,
    polarity: String,
}

fn add_triplet(doc: &mut RawDoc, triplet: &Triplet, places: &[Range<usize>], losses: &mut Losses) {
    let row = doc.row;
    let found = polarity(&triplet.polarity);
    if found.is_none() {
        losses.note(
            format!("a triplet has the polarity {:?}, which has no counterpart; it came without", triplet.polarity),
            row,
            &doc.text,
        );
    }
    let aspect = add_words(doc, &triplet.aspect, ASPECT, places, losses);
    let opinion = add_words(doc, &triplet.opinion, OPINION, places, losses);
    if let Some(at) = opinion {
        let span = &mut doc.spans[at];
        match span.polarity {
            Some(before) if found.is_some_and(|found| found != before) => {
                losses.note("an opinion has two polarities; the first was kept", row, &doc.text);
            }
            Some(_) => {}
            None => span.polarity = found,
        }
    }
    if let (Some(aspect), Some(opinion)) = (aspect, opinion) {
        let link = RawLink::new(&doc.spans[opinion].key, &doc.spans[aspect].key);
        if !doc.links.contains(&link) {
            doc.links.push(link);
        }
    }
}

/// Place of the span of these words among the document's, which is made if it is not there.
fn add_words(doc: &mut RawDoc, words: &[usize], label: &str, places: &[Range<usize>], losses: &mut Losses) -> Option<usize> {
    let (Some(first), Some(last)) = (words.iter().min(), words.iter().max()) else {
        losses.note(format!("an {label} without words has no place in the text and was left out"), doc.row, &doc.text);
        return None;
    };
    let key = format!("{label} {first} {last}");
    if let Some(at) = doc.spans.iter().position(|span| span.key == key) {
        return Some(at);
    }
    let (Some(start), Some(end)) = (places.get(*first), places.get(*last)) else {
        losses.drop_span("of a triplet names words that its text does not have", doc.row, format!("{key} of {}", places.len()));
        return None;
    };
    if last - first >= words.len() {
        losses.note("a span in pieces became one, with the words between", doc.row, &doc.text[start.start..end.end]);
    }
    doc.spans.push(RawSpan::at_bytes(key, start.start..end.end, label, None));
    Some(doc.spans.len() - 1)
}

/// Reads `[([4], [5], 'POS'), …]`.
fn triplets(list: &str) -> Result<Vec<Triplet>, String> {
    let wrong = || format!("has triplets that can't be read ({})", short(list.trim()));
    let mut rest = list.trim().strip_prefix('[').and_then(|list| list.strip_suffix(']')).ok_or_else(wrong)?.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('(').ok_or_else(wrong)?.trim_start();
        let (aspect, after) = numbers(inside).ok_or_else(wrong)?;
        let (opinion, after) = numbers(after.trim_start_matches([',', ' '])).ok_or_else(wrong)?;
        let (polarity, after) = after.trim_start_matches([',', ' ']).split_once(')').ok_or_else(wrong)?;
        found.push(Triplet { aspect, opinion, polarity: polarity.trim().trim_matches(['\'', '"']).to_owned() });
        rest = after.trim_start_matches([',', ' ']);
    }
    Ok(found)
}

/// `[1, 2]` lists words, `(1, 3)` goes from a first to a last one; negative numbers stand for no words. With what comes after.
fn numbers(text: &str) -> Option<(Vec<usize>, &str)> {
    const MOST: i64 = 10_000;
    let is_list = text.starts_with('[');
    let close = if is_list { ']' } else { ')' };
    let (inside, after) = text.strip_prefix(['[', '('])?.split_once(close)?;
    let parse = |number: &str| number.trim().parse::<i64>().ok().filter(|number| (-1..MOST).contains(number));
    let numbers: Vec<i64> = inside.split(',').filter(|part| !part.trim().is_empty()).map(parse).collect::<Option<_>>()?;
    let words: Vec<i64> = match (is_list, numbers.as_slice()) {
        (true, _) => numbers,
        (false, [first, last]) if first <= last => (*first..=*last).collect(),
        (false, _) => return None,
    };
    let words = if words.iter().any(|word| *word < 0) { Vec::new() } else { words };
    Some((words.into_iter().filter_map(|word| usize::try_from(word).ok()).collect(), after))
}

/// `text####The=O bread=T-POS …`: the words stand in the text, `T` marks those of an aspect.
pub(super) fn e2e(source: &mut Source) -> Result<Parsed, StoreError> {
    each_line(source, |row, line, losses| {
        let (sentence, pairs) = halves(line)?;
        let words: Vec<&str> = pairs.iter().map(|(word, _)| *word).collect();
        let (text, places) = match words_in(sentence, &words) {
            Some(places) => (sentence.to_owned(), places),
            None => {
                losses.note("the words do not stand in the text; the text was made of the words", row, sentence);
                tokens::join(&words)
            }
        };
        let mut doc = RawDoc { row, text, state: State::Done, ..RawDoc::default() };
        // `T-POS` goes on like `I-POS`.
        let tags = pairs.iter().map(|(_, tag)| tag.replacen("T-", "I-", 1)).collect::<Vec<_>>();
        for (word, tag) in pairs.iter().filter(|(_, tag)| !conll::is_tag(&tag.replacen("T-", "I-", 1))) {
            losses.note("a tag has no part of a span (such as T-) and was left out", row, format!("{word}={tag}"));
        }
        for chunk in conll::decode(tags.iter().map(String::as_str)) {
            let bytes = places[chunk.words.start].start..places[chunk.words.end - 1].end;
            let found = polarity(chunk.label);
            if found.is_none() {
                losses.note(
                    format!("an aspect has the polarity {:?}, which has no counterpart; it came without", chunk.label),
                    row,
                    sentence,
                );
            }
            doc.spans.push(RawSpan::at_bytes(format!("span {}", doc.spans.len()), bytes, ASPECT, found));
        }
        Ok(doc)
    })
}

/// Words with their tags.
type Tagged<'a> = Vec<(&'a str, &'a str)>;

/// A sentence and its words with their tags. The mark between them may go on with a sign of the sentence or of its first
/// word: it stands where the words are those of the sentence, or else where it comes last.
fn halves(line: &str) -> Result<(&str, Tagged<'_>), String> {
    fn pairs(tagged: &str) -> Option<Tagged<'_>> {
        tagged.split_whitespace().map(|item| item.rsplit_once('=')).collect()
    }
    /// A line of nothing but marks is no work.
    const MOST: usize = 32;
    let starts = (0..line.len()).filter(|at| line.as_bytes()[*at..].starts_with(MARK.as_bytes()));
    let mut last = None;
    for at in starts.take(MOST).chain(line.rfind(MARK)) {
        let (sentence, tagged) = (&line[..at], &line[at + MARK.len()..]);
        let Some(pairs) = pairs(tagged) else { continue };
        let words: Vec<&str> = pairs.iter().map(|(word, _)| *word).collect();
        if words_in(sentence, &words).is_some() {
            return Ok((sentence, pairs));
        }
        last = Some((sentence, pairs));
    }
    let without = if line.contains(MARK) { "has a word without a tag (word=TAG is wanted)".to_owned() } else { format!("has no {MARK}") };
    last.ok_or(without)
}

/// As [`tokens::find`]; a full stop added behind the last word is no harm.
fn words_in(sentence: &str, words: &[&str]) -> Option<Vec<Range<usize>>> {
    tokens::find(sentence, words).or_else(|| {
        let (_, before) = words.split_last().filter(|(last, _)| **last == ".")?;
        let mut places = tokens::find(sentence, before)?;
        places.push(sentence.len()..sentence.len());
        Some(places)
    })
}

/// PyABSA's APC: `$T$` for the aspect on one line, the aspect on the next, its polarity on a third; or all on one line.
pub(super) fn apc(source: &mut Source) -> Result<Parsed, StoreError> {
    if !source.pieces()?.rest().contains("$T$") {
        return each_line(source, inline);
    }
    let mut parsed = Parsed::default();
    // The lines of an aspect that came so far.
    let mut held: Vec<(usize, String)> = Vec::new();
    source.lines(|row, line| match line {
        Err(reason) => parsed.bad.push((row, reason.to_owned())),
        Ok(line) if line.trim().is_empty() => {}
        Ok(line) if held.is_empty() && !line.contains("$T$") => {
            parsed.bad.push((row, "has no $T$ where the aspect stands".to_owned()));
        }
        Ok(line) => {
            held.push((row, line.to_owned()));
            if let [(row, sentence), (_, aspect), (_, said)] = held.as_slice() {
                let doc = of_three(*row, sentence, aspect.trim(), said.trim(), &mut parsed.losses);
                parsed.docs.push(doc);
                held.clear();
            }
        }
    })?;
    if let Some((row, _)) = held.first().filter(|_| !source.is_cancelled) {
        parsed.bad.push((*row, "is not followed by an aspect and its polarity".to_owned()));
    }
    Ok(parsed)
}

fn of_three(row: usize, sentence: &str, aspect: &str, said: &str, losses: &mut Losses) -> RawDoc {
    let (before, after) = sentence.split_once("$T$").unwrap_or((sentence, ""));
    let text = format!("{before}{aspect}{}", after.replace("$T$", aspect));
    let found = known_polarity(said, row, &text, losses);
    let bytes = before.len()..before.len() + aspect.len();
    let spans = vec![RawSpan::at_bytes("aspect", bytes, ASPECT, found)];
    RawDoc { row, text, spans, state: State::Done, ..RawDoc::default() }
}

fn known_polarity(said: &str, row: usize, text: &str, losses: &mut Losses) -> Option<crate::project::Polarity> {
    let found = polarity(said);
    if found.is_none() {
        losses.note(format!("an aspect has the polarity {said:?}, which has no counterpart; it came without"), row, text);
    }
    found
}

/// `The [B-ASP]food[E-ASP] was good $LABEL$ Positive`, a label for each aspect.
fn inline(row: usize, line: &str, losses: &mut Losses) -> Result<RawDoc, String> {
    const OPEN: &str = "[B-ASP]";
    const CLOSE: &str = "[E-ASP]";
    let (sentence, labels) = line.split_once("$LABEL$").or_else(|| line.split_once("!sent!")).unwrap_or((line, ""));
    let mut labels = labels.split([',', ' ']).map(str::trim).filter(|label| !label.is_empty()).peekable();
    // Without any, the line is one to be labelled.
    let (is_labelled, mut lacks) = (labels.peek().is_some(), 0);
    let mut doc = RawDoc { row, state: State::Done, ..RawDoc::default() };
    let mut rest = sentence.trim_end();
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (aspect, after) = after.split_once(CLOSE).ok_or_else(|| format!("has {OPEN} without {CLOSE}"))?;
        doc.text.push_str(before);
        let start = doc.text.len();
        doc.text.push_str(aspect);
        let label = labels.next();
        lacks += usize::from(label.is_none());
        let found = label.and_then(|label| known_polarity(label, row, sentence, losses));
        let key = format!("span {}", doc.spans.len());
        doc.spans.push(RawSpan::at_bytes(key, start..doc.text.len(), ASPECT, found));
        rest = after;
    }
    doc.text.push_str(rest);
    if doc.spans.is_empty() {
        return Err(format!("has no aspect between {OPEN} and {CLOSE}"));
    }
    for _ in (0..lacks).filter(|_| is_labelled) {
        losses.note("an aspect has no label in its line; it came without polarity", row, sentence);
    }
    for label in labels {
        losses.note("a label is one too many for the aspects of its line and was left out", row, label);
    }
    Ok(doc)
}
