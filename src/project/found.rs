//! What is searched for in the texts, and what a search has found: texts never change, so what was found stays true.

use super::filter::reason_of;
use super::{DocId, Project};
use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::sync::Arc;

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

    /// Which of `texts`, the first of them that of document `first`, hold what is searched for. Ascending.
    pub fn matches(&self, texts: &[Arc<str>], first: usize) -> Vec<DocId> {
        let found = texts.iter().enumerate().filter(|(_, text)| self.needle.is_in(text));
        found.map(|(at, _)| DocId::from_index(first + at)).collect()
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
