//! What is searched for in the texts, and what a search has found: texts never change, so what was found stays true.

use super::filter::reason_of;
use super::{DocId, Project};
use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::ops::Range;

/// What is searched for.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    Everything,
    /// Words of a script without upper and lower case, or digits.
    Plain(Box<Finder<'static>>),
    /// Words without regard to case, or a pattern.
    Pattern(Regex),
    /// A pattern that can't be read, and why. Nothing matches it.
    Broken(String),
}

impl Needle {
    /// Words; what stands after a `/` at the beginning is a pattern.
    pub fn of(search: &str) -> Self {
        let has_case = |letter: char| letter.to_lowercase().ne([letter]) || letter.to_uppercase().ne([letter]);
        if !search.is_empty() && !search.starts_with('/') && !search.chars().any(has_case) {
            return Self::Plain(Box::new(Finder::new(search).into_owned()));
        }
        // Words are a pattern too: the matcher then looks for them with vector instructions, and copies no text.
        let words = || Cow::Owned(regex::escape(search));
        let pattern = search.strip_prefix('/').map_or_else(words, Cow::Borrowed);
        if pattern.is_empty() {
            return Self::Everything;
        }
        // The limit keeps a pattern like a{9999}{9999} from eating the memory.
        match RegexBuilder::new(&pattern).case_insensitive(true).size_limit(1 << 22).build() {
            Ok(pattern) => Self::Pattern(pattern),
            Err(regex::Error::CompiledTooBig(_)) => Self::Broken("the pattern is too large".to_owned()),
            Err(error) => Self::Broken(reason_of(&error)),
        }
    }

    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Plain(finder) => finder.find(text.as_bytes()).is_some(),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Broken(_) => false,
        }
    }
}

/// Stands after each text of a pack.
const BETWEEN: char = '\0';

/// Texts one after another in memory: a search reads on from one to the next without following a pointer to each.
#[derive(Debug, Default)]
pub struct TextPack {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl TextPack {
    /// Texts in each pack of a project but the last: what a thread searches between two pieces of news.
    pub const TEXTS: usize = 1 << 15;

    pub fn of<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Self {
        let mut pack = Self {
            text: String::with_capacity(texts.clone().map(|text| text.len() + 1).sum()),
            ends: Vec::with_capacity(texts.size_hint().0),
        };
        for text in texts {
            pack.text.push_str(text);
            pack.ends.push(pack.text.len());
            pack.text.push(BETWEEN);
        }
        pack
    }

    /// How many texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + BETWEEN.len_utf8())
    }

    fn get(&self, at: usize) -> &str {
        self.ends.get(at).and_then(|end| self.text.get(self.start(at)..*end)).unwrap_or_default()
    }

    /// Which of `texts` hold what `finder` looks for, which no text's end can be a part of. Reads them as one text.
    fn holding(&self, finder: &Finder, texts: Range<usize>) -> Vec<usize> {
        let bytes = &self.text.as_bytes()[..self.start(texts.end)];
        let (mut from, mut found) = (self.start(texts.start), Vec::new());
        while let Some(at) = bytes.get(from..).and_then(|rest| finder.find(rest)).map(|at| from + at) {
            let text = self.ends.partition_point(|end| *end < at);
            found.push(text);
            from = self.start(text + 1);
        }
        found
    }
}

/// What a search through the texts of a project has found so far.
#[derive(Clone, Debug)]
pub struct Found {
    needle: Needle,
    /// Ascending.
    ids: Vec<DocId>,
    /// Documents below this one have been searched.
    searched: usize,
    /// Whether the search has come to its end: documents behind it are looked at one by one.
    complete: bool,
}

impl Found {
    /// Nothing yet.
    pub fn nothing(search: &str) -> Self {
        Self { needle: Needle::of(search), ids: Vec::new(), searched: 0, complete: false }
    }

    /// Which of `texts` of a pack, whose first text is that of document `first`, hold what is searched for. Ascending.
    pub fn matches(&self, pack: &TextPack, texts: Range<usize>, first: usize) -> Vec<DocId> {
        let texts = texts.start.min(pack.len())..texts.end.min(pack.len());
        let found = match &self.needle {
            Needle::Plain(finder) if !finder.needle().contains(&(BETWEEN as u8)) => pack.holding(finder, texts),
            needle => texts.filter(|at| needle.is_in(pack.get(*at))).collect(),
        };
        found.into_iter().map(|at| DocId::from_index(first + at)).collect()
    }

    /// Takes in what the next `texts` texts gave.
    pub fn extend(&mut self, texts: usize, ids: &[DocId]) {
        self.searched += texts;
        self.ids.extend_from_slice(ids);
    }

    /// All texts there were have been searched.
    pub fn complete(&mut self) {
        self.complete = true;
    }

    pub(super) fn has(&self, project: &Project, id: DocId) -> bool {
        if id.index() < self.searched {
            return self.ids.binary_search(&id).is_ok();
        }
        self.complete && project.document(id).is_some_and(|doc| self.needle.is_in(&doc.text))
    }

    /// Ascending; documents that came after the search among them.
    pub(super) fn ids<'a>(&'a self, project: &'a Project) -> impl Iterator<Item = DocId> + 'a {
        let later = if self.complete { self.searched } else { usize::MAX };
        let later = project.all_documents().iter().skip(later).map(|doc| doc.id);
        self.ids.iter().copied().chain(later.filter(|id| self.has(project, *id)))
    }
}
