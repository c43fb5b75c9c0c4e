//! What all writers share: the documents one by one, what the project calls things, and what a format has no room for, so
//! that all formats name it alike.

use crate::project::{Annotation, Document, Link, Project, Schema, Span, SpanId, State, TextRange};
use crate::store::formats::{Detail, Details, Fate, Joined, Losses, PLAIN_LINK};
use crate::store::import::DraftValue;
use crate::store::jsonl;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// A file on its way.
pub(super) struct Out<'a> {
    pub project: &'a Project,
    /// Told how many documents are done; whether to go on.
    pub goes_on: &'a dyn Fn(usize) -> bool,
    pub bytes: Vec<u8>,
    /// Of a folder.
    pub files: Vec<(String, Vec<u8>)>,
    pub losses: Losses,
    pub documents: usize,
}

/// What a format has no room for, so that all formats name it alike.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum No {
    /// No question has room.
    Answers,
    /// Only the main question has.
    OtherAnswers,
    Polarity,
    Links,
    /// What is said of spans beside their polarity.
    Attributes,
    LinkTypes,
    States,
    Meta,
}

impl<'a> Out<'a> {
    /// The documents, as long as nobody ends the export.
    pub fn each(&self) -> impl Iterator<Item = &'a Document> + use<'a> {
        let goes_on = self.goes_on;
        self.project.documents().take_while(move |_| goes_on(1))
    }

    pub fn schema(&self) -> &'a Schema {
        self.project.schema()
    }

    /// Says which texts stand in the project more than once: reading a file back keeps the first of them.
    pub fn repeats(&mut self) {
        let mut seen = HashSet::new();
        for doc in self.project.documents() {
            if !seen.insert(&*doc.text) {
                self.note(doc, "a text that the project has twice, of which reading the file back keeps the first", &doc.text);
            }
        }
    }

    /// Number of a document in reports.
    pub fn number(doc: &Document) -> usize {
        doc.id.index() + 1
    }

    pub fn drop_span(&mut self, doc: &Document, why: &str, span: &Span) {
        let label = self.label(span);
        self.losses.add(Fate::Dropped, format!("a span {why}"), Self::number(doc), format!("{label}: {}", span.range.of(&doc.text)));
    }

    pub fn note(&mut self, doc: &Document, what: &str, example: &str) {
        self.losses.note(what, Self::number(doc), example);
    }

    pub fn label(&self, span: &Span) -> &'a str {
        self.schema().span_labels.get(usize::from(span.label)).map_or("span", |label| label.name.as_str())
    }

    /// What a link is called: the name of its type.
    pub fn link_name(&self, annotation: &Annotation, link: &Link) -> &'a str {
        self.schema().link_types().get(usize::from(annotation.link_type(link))).map_or(PLAIN_LINK, |held| held.name.as_str())
    }

    /// What is said of a span beside its polarity. What reads as a polarity elsewhere is named as lost.
    pub fn attributes(&mut self, doc: &Document, id: SpanId, reads_as_polarity: impl Fn(&str, &str) -> bool) -> Vec<(String, DraftValue)> {
        let Some(span) = doc.annotation.spans.get(&id) else { return Vec::new() };
        let all = jsonl::own_attributes(self.schema(), doc, id, span).into_iter();
        all.filter(|(name, value)| {
            let is_lost = matches!(value, DraftValue::Name(value) if reads_as_polarity(name, value));
            if is_lost {
                self.note(doc, "an attribute of a span that would read as its polarity", &format!("{}: {name}", span.range.of(&doc.text)));
            }
            !is_lost
        })
        .collect()
    }

    /// What is said of spans and, `with_links`, what joins them, for a format that has no place for it at a span; `None` where
    /// nothing is. `place` gives the offsets as the file has them.
    pub fn details(&self, doc: &Document, place: impl Fn(TextRange) -> Range<usize>, with_links: bool) -> Option<Details> {
        let said = &doc.annotation;
        let detail = |(id, span): (&SpanId, &Span)| {
            let (Range { start, end }, attributes) = (place(span.range), jsonl::own_attributes(self.schema(), doc, *id, span));
            Detail { start, end, label: self.label(span).to_owned(), polarity: span.polarity, attributes }
        };
        let spans: Vec<Detail> = said.spans.iter().map(detail).collect();
        let at = |id: SpanId| said.spans.keys().position(|held| *held == id);
        let joined = |link: &Link| Some(Joined { from: at(link.from)?, to: at(link.to)?, name: self.link_name(said, link).to_owned() });
        let links: Vec<Joined> = said.links.iter().filter(|_| with_links).filter_map(joined).collect();
        let is_said = !links.is_empty() || spans.iter().any(|span| span.polarity.is_some() || !span.attributes.is_empty());
        is_said.then_some(Details { spans, links })
    }

    /// The class of the main question.
    pub fn main_class(&self, annotation: &Annotation) -> Option<&'a str> {
        let (id, question) = self.schema().main_question()?;
        Some(question.classes.get(usize::from(annotation.class(id)?))?.name.as_str())
    }

    /// Counts what a document has and the format lacks.
    pub fn lacks(&mut self, doc: &Document, lacking: &[No]) {
        let said = &doc.annotation;
        for no in lacking {
            let (count, what) = match no {
                No::Answers => (said.answers.len(), "an answer to a question"),
                No::OtherAnswers => {
                    let main = self.main_class(said).map_or(0, |_| 1);
                    (said.answers.len() - main, "an answer to another question than the main one")
                }
                No::Polarity => (said.spans.values().filter(|span| span.polarity.is_some()).count(), "the polarity of a span"),
                No::Links => (said.links.len(), "a link between spans"),
                No::States => (usize::from(said.state == State::Skipped), "the mark \"skipped\""),
                No::Meta => (doc.meta.len(), "a field of metadata"),
                No::Attributes | No::LinkTypes => continue,
            };
            (0..count).for_each(|_| self.note(doc, what, &doc.text));
        }
        self.lacks_own(doc, lacking);
        if !said.skip_reason.is_empty() {
            self.note(doc, "the reason for skipping", &said.skip_reason);
        }
        if said.flagged {
            self.note(doc, "a flag", &doc.text);
        }
        if doc.split.is_some() {
            self.note(doc, "the fixed part in training (train, dev or test)", &doc.text);
        }
    }

    /// Counts what few formats have, attributes of spans and types of links, and what only ours has: the layers of
    /// annotators, comments, suggestions that were turned down.
    pub fn lacks_own(&mut self, doc: &Document, lacking: &[No]) {
        let said = &doc.annotation;
        for (id, span) in said.spans.iter().filter(|_| lacking.contains(&No::Attributes)) {
            for (name, value) in self.schema().attribute_words(span.label, said.attributes_of(*id)) {
                self.note(doc, "an attribute of a span", &format!("{}: {name} {value}", span.range.of(&doc.text)));
            }
        }
        for link_type in said.link_types.values().filter(|_| lacking.contains(&No::LinkTypes)) {
            let name = self.schema().link_types().get(usize::from(*link_type)).map_or("", |held| held.name.as_str());
            self.note(doc, "the type of a link", name);
        }
        for rejected in &said.rejected {
            let what = format!("{}: {}", rejected.label, rejected.range.of(&doc.text));
            self.note(doc, "a suggestion that was turned down", &what);
        }
        doc.layers.values().for_each(|_| self.note(doc, "the answers of one annotator (only the outcome is written)", &doc.text));
        doc.comments.values().for_each(|comment| self.note(doc, "a comment", &comment.text));
    }

    /// Says that a document comes back as done, or as to do, where the format can't tell.
    pub fn state_changes(&mut self, doc: &Document, comes_back: &State) {
        if doc.annotation.state != *comes_back && doc.annotation.state != State::Skipped {
            let what = match comes_back {
                State::Done => "a document to do that will read as done",
                _ => "a document done with nothing in it that will read as to do",
            };
            self.note(doc, what, &doc.text);
        }
    }
}

/// Spans without overlap, in reading order, the longer one first; and those that had to give way.
pub(super) fn flat(annotation: &Annotation) -> (Vec<(SpanId, Span)>, Vec<Span>) {
    let (mut kept, mut left) = (Vec::<(SpanId, Span)>::new(), Vec::new());
    for (id, span) in annotation.spans_in_order() {
        match kept.last() {
            Some((_, last)) if last.range.overlaps(span.range) => left.push(span),
            _ => kept.push((id, span)),
        }
    }
    (kept, left)
}

/// Words of a text as byte ranges: single characters of Chinese, runs of letters and digits, single signs. White space is
/// left out. A word ends where a span starts or ends.
pub(super) fn words(text: &str, edges: &BTreeSet<usize>) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    let mut in_run = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if is_gap(c) {
            in_run = false;
            continue;
        }
        let joins = in_run && !edges.contains(&at) && (c.is_alphanumeric() || is_mark(c)) && !crate::store::formats::is_wide(c);
        match words.last_mut().filter(|_| joins) {
            Some(word) => word.end = end,
            None => words.push(at..end),
        }
        in_run = !crate::store::formats::is_wide(c) && (c.is_alphanumeric() || in_run && is_mark(c)) || is_mark(c) && joins;
    }
    words
}

/// What never stands in a word of a file of lines and columns.
pub(super) fn is_gap(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Goes with the letter before it.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}')
}
