//! What is talked about, counted: aspects with what was said about them, under one name where they mean the same.

use crate::project::{DocId, Document, Link, Polarity, Span, SpanId, TermGroups, group_names, term_of};
use std::collections::{BTreeMap, BTreeSet};

/// A term, or a group of terms that mean the same, and what was said about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aspect {
    pub term: String,
    pub count: usize,
    pub positive: usize,
    pub negative: usize,
    pub neutral: usize,
    pub documents: Vec<DocId>,
    /// The terms of the group with how often each occurs, the most frequent first.
    pub members: Vec<(String, usize)>,
    /// The words of opinions about it with how often each was said, the most frequent first.
    pub said: Vec<(String, Option<Polarity>, usize)>,
    /// Every place where it is marked.
    pub mentions: Vec<Mention>,
}

/// A place where an aspect is marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    pub doc: DocId,
    /// Place of the aspect in the document's spans, for the quote.
    pub span: SpanId,
    pub polarities: Vec<Polarity>,
    /// Small letters of the opinions linked to it.
    pub opinions: Vec<String>,
}

impl Aspect {
    /// From -1, only bad, to 1, only good.
    pub fn net(&self) -> f32 {
        let judged = self.positive + self.negative + self.neutral;
        if judged == 0 { 0.0 } else { (self.positive as f32 - self.negative as f32) / judged as f32 }
    }

    fn judge(&mut self, polarity: Polarity) {
        match polarity {
            Polarity::Positive => self.positive += 1,
            Polarity::Negative => self.negative += 1,
            Polarity::Neutral => self.neutral += 1,
        }
    }

    /// Takes a mention in; those of a document come one after another.
    fn add(&mut self, mention: Mention) {
        self.count += 1;
        if self.documents.last() != Some(&mention.doc) {
            self.documents.push(mention.doc);
        }
        mention.polarities.iter().for_each(|polarity| self.judge(*polarity));
        self.mentions.push(mention);
    }

    /// The mentions in documents of which `of` says something, counted by what it says.
    pub fn by(&self, of: impl Fn(DocId) -> Option<String>) -> BTreeMap<String, Self> {
        let mut parts: BTreeMap<String, Self> = BTreeMap::new();
        for mention in &self.mentions {
            if let Some(value) = of(mention.doc) {
                parts.entry(value.clone()).or_insert_with(|| Self { term: value, ..Self::default() }).add(mention.clone());
            }
        }
        parts
    }

    /// Typical mentions: those whose opinion is said most often, of different documents, the shortest texts first among
    /// equals.
    pub fn typical(&self, most: usize, length: impl Fn(DocId) -> usize) -> Vec<&Mention> {
        let rank = |mention: &Mention| {
            let how_often = |words: &String| self.said.iter().find(|(said, ..)| said == words).map_or(0, |(.., count)| *count);
            mention.opinions.iter().map(how_often).max().unwrap_or(0)
        };
        let mut order: Vec<&Mention> = self.mentions.iter().collect();
        order.sort_by_key(|mention| (std::cmp::Reverse(rank(mention)), length(mention.doc), mention.doc));
        let mut seen = BTreeSet::new();
        order.into_iter().filter(|mention| seen.insert(mention.doc)).take(most).collect()
    }
}

/// Terms of a group with their counts, and all their mentions.
type Parts = (Vec<(String, usize)>, Vec<Mention>);

/// Mentions by term, document after document.
#[derive(Default)]
pub(super) struct Terms {
    mentions: BTreeMap<String, Vec<Mention>>,
    /// Polarity of opinions by their words.
    judged: BTreeMap<(String, String), Option<Polarity>>,
}

impl Terms {
    /// Spans that opinions point to, and spans of the label "aspect"; judged by the polarity of what is linked to them.
    pub fn take(&mut self, doc: &Document, aspect_label: Option<u16>) {
        let spans = &doc.annotation.spans;
        // Links of other types join parts of one thing, or what the schema says: they judge nothing.
        let links: Vec<&Link> = doc.annotation.main_links().collect();
        let is_aspect = |id: &SpanId, span: &Span| Some(span.label) == aspect_label || links.iter().any(|link| link.to == *id);
        for (id, span) in spans.iter().filter(|(id, span)| is_aspect(id, span)) {
            let other = |link: &Link| match (link.from == *id, link.to == *id) {
                (true, _) => spans.get(&link.to),
                (_, true) => spans.get(&link.from),
                _ => None,
            };
            let linked: Vec<&Span> = links.iter().copied().filter_map(other).collect();
            let term = term_of(span.range.of(&doc.text));
            let opinions: Vec<String> = linked.iter().map(|span| term_of(span.range.of(&doc.text))).collect();
            for (opinion, span) in opinions.iter().zip(&linked) {
                self.judged.insert((term.clone(), opinion.clone()), span.polarity);
            }
            let polarities = linked.iter().filter_map(|span| span.polarity).chain(span.polarity).collect();
            self.mentions.entry(term).or_default().push(Mention { doc: doc.id, span: *id, polarities, opinions });
        }
    }

    /// The aspects, the most frequent first.
    pub fn aspects(self, groups: &TermGroups) -> Vec<Aspect> {
        let counts: BTreeMap<String, usize> = self.mentions.iter().map(|(term, mentions)| (term.clone(), mentions.len())).collect();
        let names = group_names(&counts, groups);
        let mut by_name: BTreeMap<String, Parts> = BTreeMap::new();
        let mut said: BTreeMap<String, BTreeMap<String, (Option<Polarity>, usize)>> = BTreeMap::new();
        for (term, mentions) in self.mentions {
            let name = names.get(&term).unwrap_or(&term).clone();
            for words in mentions.iter().flat_map(|mention| &mention.opinions) {
                let polarity = self.judged.get(&(term.clone(), words.clone())).copied().flatten();
                let entry = said.entry(name.clone()).or_default().entry(words.clone()).or_insert((polarity, 0));
                entry.1 += 1;
            }
            let (members, all) = by_name.entry(name).or_default();
            members.push((term, mentions.len()));
            all.extend(mentions);
        }
        let mut aspects: Vec<Aspect> = by_name.into_iter().map(|(term, parts)| group(term, parts, &mut said)).collect();
        aspects.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.term.cmp(&b.term)));
        aspects
    }
}

fn group(
    term: String,
    (mut members, mut mentions): Parts,
    said: &mut BTreeMap<String, BTreeMap<String, (Option<Polarity>, usize)>>,
) -> Aspect {
    members.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    mentions.sort_by_key(|mention| (mention.doc, mention.span));
    let said = said.remove(&term).unwrap_or_default();
    let mut said: Vec<_> = said.into_iter().map(|(words, (polarity, count))| (words, polarity, count)).collect();
    said.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    let mut aspect = Aspect { term, members, said, ..Aspect::default() };
    mentions.into_iter().for_each(|mention| aspect.add(mention));
    aspect
}

/// The month of a date that begins with its year, as "2025-02"; `None` for other words.
pub fn month(value: &str) -> Option<String> {
    let mut parts = value.trim().split(|c: char| !c.is_ascii_digit());
    let (year, month) = (parts.next()?, parts.next()?);
    let number: u32 = month.parse().ok()?;
    (year.len() == 4 && month.len() <= 2 && (1..=12).contains(&number)).then(|| format!("{year}-{number:02}"))
}

/// The words around a place: the text from so many characters before it to so many after it, on one line.
pub fn quote(text: &str, start: usize, end: usize, around: usize) -> String {
    let before: Vec<char> = text.get(..start).unwrap_or_default().chars().rev().take(around + 1).collect();
    let after: Vec<char> = text.get(end..).unwrap_or_default().chars().take(around + 1).collect();
    let (cut_before, cut_after) = (before.len() > around, after.len() > around);
    let before: String = before.into_iter().take(around).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = after.into_iter().take(around).collect();
    let middle = text.get(start..end).unwrap_or_default();
    let words = format!("{}{before}{middle}{after}{}", if cut_before { "…" } else { "" }, if cut_after { "…" } else { "" });
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
