//! Taking out who is meant before a project is shared: names of a list, phone numbers, mail addresses and what a person's
//! own patterns find. Marks move with their words. The key that brings all of it back is an answer, never a part of the
//! project.

use super::{Annotation, Answer, Document, Meta, Rejected, Span, SpanId, TextRange};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// What is replaced.
#[derive(Clone, Debug, Default)]
pub struct Private {
    pub names: Vec<String>,
    pub phones: bool,
    pub mails: bool,
    pub patterns: Vec<Regex>,
}

/// What stands now for which words: `[NAME-1]` for a name.
pub type PrivateKey = BTreeMap<String, String>;

/// Replaces words, and remembers what it replaced so that the same words have the same stand-in everywhere.
pub struct Anonymiser {
    finders: Vec<(&'static str, Regex)>,
    stand_ins: HashMap<String, String>,
    /// The last number of each kind.
    numbers: BTreeMap<&'static str, usize>,
    key: PrivateKey,
    counts: BTreeMap<&'static str, usize>,
    /// Whether stand-ins are put back: they are whole.
    restores: bool,
    widened: usize,
}

/// What was replaced, and what it cost.
pub struct Replaced {
    pub key: PrivateKey,
    /// How often what was replaced.
    pub counts: BTreeMap<&'static str, usize>,
    /// Marks that ended inside a stand-in when it was put back: they hold all of its words now.
    pub widened: usize,
}

/// What stand-ins are called.
const KINDS: [&str; 4] = ["MAIL", "ID", "PHONE", "NAME"];

/// Latin or Chinese full-width signs; at least seven digits in groups, with an optional country.
const PHONE: &str = r"(?:\+?\d{1,3}[-\s.]?)?(?:\(\d{2,4}\)[-\s.]?)?\d{2,4}(?:[-\s.]?\d{2,4}){1,4}";
const MAIL: &str = r"[\p{L}\p{N}._%+-]+[@＠][\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+";

impl Anonymiser {
    /// # Errors
    /// The list of names is too long to be searched for.
    pub fn new(private: &Private) -> Result<Self, regex::Error> {
        let mut finders = Vec::new();
        let compiled = |pattern: &str| Regex::new(pattern);
        if private.mails {
            finders.push(("MAIL", compiled(MAIL)?));
        }
        for pattern in &private.patterns {
            finders.push(("ID", pattern.clone()));
        }
        if private.phones {
            finders.push(("PHONE", compiled(PHONE)?));
        }
        // Longer names first, so that "Li Na" is not taken for "Li". Letters around make another word; Chinese has none.
        let mut names: Vec<&str> = private.names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        if !names.is_empty() {
            let bounded = |name: &&str| {
                let (first, last) =
                    (name.starts_with(|c: char| c.is_ascii_alphanumeric()), name.ends_with(|c: char| c.is_ascii_alphanumeric()));
                format!("{}{}{}", if first { r"\b" } else { "" }, regex::escape(name), if last { r"\b" } else { "" })
            };
            finders.push(("NAME", compiled(&format!("(?i:{})", names.iter().map(bounded).collect::<Vec<_>>().join("|")))?));
        }
        Ok(Self::with(finders, HashMap::new(), false))
    }

    fn with(finders: Vec<(&'static str, Regex)>, stand_ins: HashMap<String, String>, restores: bool) -> Self {
        let (numbers, key, counts) = (BTreeMap::new(), PrivateKey::new(), BTreeMap::new());
        Self { finders, stand_ins, numbers, key, counts, restores, widened: 0 }
    }

    /// Documents, names of annotators and guidelines with other words.
    pub fn all(&mut self, documents: &[&Document], annotators: &[String], guidelines: &str) -> (Vec<Document>, Vec<String>, String) {
        documents.iter().for_each(|doc| self.look_at(doc));
        annotators.iter().for_each(|name| self.keep_numbers(name));
        self.keep_numbers(guidelines);
        let documents = documents.iter().map(|doc| self.document(doc)).collect();
        (documents, annotators.iter().map(|name| self.words(name)).collect(), self.words(guidelines))
    }

    fn look_at(&mut self, doc: &Document) {
        self.keep_numbers(&doc.text);
        doc.meta.iter().for_each(|(_, value)| self.keep_numbers(value));
        for comment in doc.comments.values() {
            self.keep_numbers(&comment.text);
            self.keep_numbers(&comment.author);
        }
        for said in std::iter::once(&doc.annotation).chain(doc.layers.values()) {
            self.keep_numbers(&said.skip_reason);
            for answer in said.answers.values() {
                if let Answer::Text(words) = answer {
                    self.keep_numbers(words);
                }
            }
        }
    }

    /// What already looks like a stand-in keeps its number to itself, as in a project that was anonymised before.
    fn keep_numbers(&mut self, text: &str) {
        for (at, _) in text.match_indices('[') {
            let named = KINDS.into_iter().find_map(|kind| Some((kind, text[at + 1..].strip_prefix(kind)?.strip_prefix('-')?)));
            let Some((kind, after)) = named else { continue };
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let last = self.numbers.entry(kind).or_default();
            // A number that nobody counts to is no stand-in.
            *last = (*last).max(after[..digits].parse::<u32>().map_or(0, |number| number as usize));
        }
    }

    /// Puts back what a key holds.
    ///
    /// # Errors
    /// The key is too long to be searched for.
    pub fn restoring(key: &PrivateKey) -> Result<Self, regex::Error> {
        let all = key.keys().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
        let finders = if key.is_empty() { Vec::new() } else { vec![("", Regex::new(&all)?)] };
        let stand_ins = key.iter().map(|(word, original)| (word.clone(), original.clone())).collect();
        Ok(Self::with(finders, stand_ins, true))
    }

    pub fn finish(self) -> Replaced {
        Replaced { key: self.key, counts: self.counts, widened: self.widened }
    }

    /// What is replaced by what. `cuts` are places where marks begin and end: one inside a name makes two parts of it, each
    /// with a stand-in of its own, so that no mark comes to hold more words than it did.
    fn found(&mut self, text: &str, cuts: &BTreeSet<usize>) -> Vec<(Range<usize>, String)> {
        let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
        for (kind, finder) in &self.finders {
            for hit in finder.find_iter(text).filter(|hit| !hit.is_empty()) {
                let is_phone = *kind != "PHONE" || is_phone(text, hit.range());
                if is_phone && !found.iter().any(|(other, _)| other.start < hit.end() && hit.start() < other.end) {
                    found.push((hit.range(), kind));
                }
            }
        }
        found.sort_by_key(|(range, _)| range.start);
        let mut replaced = Vec::with_capacity(found.len());
        for (range, kind) in found {
            *self.counts.entry(kind).or_default() += 1;
            let mut start = range.start;
            let inside = cuts.range(range.start + 1..range.end).copied().filter(|_| !self.restores);
            for end in inside.chain([range.end]).collect::<Vec<_>>() {
                replaced.push((start..end, self.stand_in(kind, &text[start..end])));
                start = end;
            }
        }
        replaced
    }

    fn stand_in(&mut self, kind: &'static str, original: &str) -> String {
        if let Some(held) = self.stand_ins.get(original) {
            return held.clone();
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        let stand_in = format!("[{kind}-{number}]");
        self.stand_ins.insert(original.to_owned(), stand_in.clone());
        self.key.insert(stand_in.clone(), original.to_owned());
        stand_in
    }

    fn words(&mut self, text: &str) -> String {
        let found = self.found(text, &BTreeSet::new());
        rewritten(text, &found)
    }

    /// The document with other words, its marks where they were.
    pub fn document(&mut self, doc: &Document) -> Document {
        let found = self.found(&doc.text, &edges(doc));
        let text = rewritten(&doc.text, &found);
        let mut other = doc.clone();
        self.annotation(&mut other.annotation, &found, &text);
        for own in other.layers.values_mut() {
            self.annotation(own, &found, &text);
        }
        other.comments.values_mut().for_each(|comment| {
            comment.text = self.words(&comment.text);
            comment.author = self.words(&comment.author);
        });
        let fields: Vec<(String, String)> = doc.meta.iter().map(|(name, value)| (name.to_owned(), self.words(value))).collect();
        other.meta = fields.into_iter().collect::<Meta>();
        other.text = text.into();
        other
    }

    fn annotation(&mut self, said: &mut Annotation, found: &[(Range<usize>, String)], text: &str) {
        said.skip_reason = self.words(&said.skip_reason);
        for answer in said.answers.values_mut() {
            if let Answer::Text(words) = answer {
                *words = self.words(words);
            }
        }
        let is_inside = |at: usize| found.iter().any(|(range, _)| range.start < at && at < range.end);
        let ranges = said.spans.values().map(|span| span.range).chain(said.rejected.iter().map(|one| one.range));
        self.widened += ranges.filter(|range| is_inside(range.start()) || is_inside(range.end())).count();
        let moved = |range: TextRange| TextRange::new(text, moved(range.start(), found, false)..moved(range.end(), found, true));
        let span = |(id, span): (&SpanId, &Span)| Some((*id, Span { range: moved(span.range)?, ..*span }));
        said.spans = said.spans.iter().filter_map(span).collect();
        let rejected = std::mem::take(&mut said.rejected).into_iter();
        said.rejected = rejected.filter_map(|one| Some(Rejected { range: moved(one.range)?, ..one })).collect();
    }
}

/// Where marks on a document begin and end, whoever made them.
fn edges(doc: &Document) -> BTreeSet<usize> {
    let said = std::iter::once(&doc.annotation).chain(doc.layers.values());
    let ranges = said.flat_map(|said| said.spans.values().map(|span| span.range).chain(said.rejected.iter().map(|one| one.range)));
    ranges.flat_map(|range| [range.start(), range.end()]).collect()
}

/// Enough digits, and no part of a longer number or word.
fn is_phone(text: &str, range: Range<usize>) -> bool {
    let digits = text[range.clone()].chars().filter(char::is_ascii_digit).count();
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    (7..=15).contains(&digits) && !joins(before) && !joins(after)
}

fn rewritten(text: &str, found: &[(Range<usize>, String)]) -> String {
    let mut other = String::with_capacity(text.len());
    let mut at = 0;
    for (range, stand_in) in found {
        other.push_str(&text[at..range.start]);
        other.push_str(stand_in);
        at = range.end;
    }
    other + &text[at..]
}

/// Where a byte place of the old text lies in the new one. Inside something replaced, it moves to its edge.
fn moved(at: usize, found: &[(Range<usize>, String)], is_end: bool) -> usize {
    let mut shift = 0isize;
    for (range, stand_in) in found {
        if range.end <= at {
            shift += stand_in.len() as isize - range.len() as isize;
        } else if range.start < at {
            let edge = if is_end { range.start + stand_in.len() } else { range.start };
            return (edge as isize + shift) as usize;
        } else {
            break;
        }
    }
    (at as isize + shift) as usize
}
