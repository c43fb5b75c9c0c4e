//! Taking out who is meant before a project is shared: names of a list, phone numbers, mail addresses and what a person's
//! own patterns find. Marks move with their words. The key that brings all of it back is an answer, never a part of the
//! project.

use super::{Annotation, Answer, Document, Meta, Rejected, Span, SpanId, TextRange};
use regex::Regex;
use std::collections::{BTreeMap, HashMap};
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
    key: PrivateKey,
    counts: BTreeMap<&'static str, usize>,
}

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
        Ok(Self { finders, stand_ins: HashMap::new(), key: PrivateKey::new(), counts: BTreeMap::new() })
    }

    /// Puts back what a key holds.
    ///
    /// # Errors
    /// The key is too long to be searched for.
    pub fn restoring(key: &PrivateKey) -> Result<Self, regex::Error> {
        let all = key.keys().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
        let finders = if key.is_empty() { Vec::new() } else { vec![("", Regex::new(&all)?)] };
        let stand_ins = key.iter().map(|(word, original)| (word.clone(), original.clone())).collect();
        Ok(Self { finders, stand_ins, key: PrivateKey::new(), counts: BTreeMap::new() })
    }

    /// The key, and how often what was replaced.
    pub fn finish(self) -> (PrivateKey, BTreeMap<&'static str, usize>) {
        (self.key, self.counts)
    }

    fn found(&mut self, text: &str) -> Vec<(Range<usize>, String)> {
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
            let original = &text[range.clone()];
            *self.counts.entry(kind).or_default() += 1;
            let stand_in = match self.stand_ins.get(original) {
                Some(held) => held.clone(),
                None => {
                    let number = self.key.keys().filter(|word| word.starts_with(&format!("[{kind}-"))).count() + 1;
                    let stand_in = format!("[{kind}-{number}]");
                    self.stand_ins.insert(original.to_owned(), stand_in.clone());
                    self.key.insert(stand_in.clone(), original.to_owned());
                    stand_in
                }
            };
            replaced.push((range, stand_in));
        }
        replaced
    }

    fn words(&mut self, text: &str) -> String {
        let found = self.found(text);
        rewritten(text, &found)
    }

    /// The document with other words, its marks where they were.
    pub fn document(&mut self, doc: &Document) -> Document {
        let found = self.found(&doc.text);
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

    /// The same for words that are no document: names of annotators, guidelines.
    pub fn plain(&mut self, text: &str) -> String {
        self.words(text)
    }

    fn annotation(&mut self, said: &mut Annotation, found: &[(Range<usize>, String)], text: &str) {
        said.skip_reason = self.words(&said.skip_reason);
        for answer in said.answers.values_mut() {
            if let Answer::Text(words) = answer {
                *words = self.words(words);
            }
        }
        let moved = |range: TextRange| TextRange::new(text, moved(range.start(), found, false)..moved(range.end(), found, true));
        let span = |(id, span): (&SpanId, &Span)| Some((*id, Span { range: moved(span.range)?, ..*span }));
        said.spans = said.spans.iter().filter_map(span).collect();
        let rejected = std::mem::take(&mut said.rejected).into_iter();
        said.rejected = rejected.filter_map(|one| Some(Rejected { range: moved(one.range)?, ..one })).collect();
    }
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
