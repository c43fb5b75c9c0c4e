//! The conversations of the open project, found a part at a time so that no frame waits for a million documents.

use super::Desk;
use crate::project::{CONVERSATION, Conversations, DocId, Layer};
use std::path::PathBuf;

/// So many documents are looked at in a frame.
const AT_ONCE: usize = 50_000;

/// What is known so far.
#[derive(Default)]
pub(super) struct Talks {
    /// What it was looked for in: file, documents ever, documents there.
    of: Option<(PathBuf, usize, usize)>,
    looked_at: usize,
    found: Conversations,
}

impl Desk {
    /// Which documents are turns of conversations; empty until they are found.
    pub fn conversations(&self) -> &Conversations {
        &self.talks.found
    }

    /// The turns before a document's that a model may want to read, the newest last.
    pub(super) fn turns_before(&self, doc: DocId) -> Vec<String> {
        /// More than any model reads.
        const MOST: usize = 64;
        self.project().map(|project| project.turns_before(&self.talks.found, doc, MOST)).unwrap_or_default()
    }

    pub(super) fn poll_conversations(&mut self) {
        let Some(open) = &self.open else {
            self.talks = Talks::default();
            return;
        };
        let (all, there) = (open.project.all_documents(), open.project.tally(Layer::Outcome).documents);
        let is_same = |(path, ever, now): &(PathBuf, usize, usize)| *path == open.path && (*ever, *now) == (all.len(), there);
        if !self.talks.of.as_ref().is_some_and(is_same) {
            self.talks = Talks { of: Some((open.path.clone(), all.len(), there)), ..Talks::default() };
        }
        if self.talks.looked_at >= all.len() {
            return;
        }
        let until = (self.talks.looked_at + AT_ONCE).min(all.len());
        let any = all[self.talks.looked_at..until].iter().any(|doc| doc.present && doc.meta.get(CONVERSATION).is_some());
        self.talks.looked_at = until;
        if any {
            self.talks.found = Conversations::of(&open.project);
            self.talks.looked_at = all.len();
        } else if until < all.len() {
            (self.surroundings.wake)();
        }
    }
}
