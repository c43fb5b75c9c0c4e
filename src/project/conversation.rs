//! Conversations: documents that are turns of one talk, by fields that came with the import. A turn is answered in the light
//! of those before it.

use super::{DocId, Document, Project};
use std::collections::BTreeMap;

/// The field that says which conversation a document is a turn of.
pub const CONVERSATION: &str = "conversation";
/// The field with its place there; turns without a number stand in the order of the file, behind those that have one.
pub const TURN: &str = "turn";
/// The field of who speaks.
pub const SPEAKER: &str = "speaker";

/// The conversations of a project. Skipped turns and those without an answer belong to them too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversations {
    talks: Vec<Vec<DocId>>,
    /// Which of the talks, and the place in it.
    places: BTreeMap<DocId, (usize, usize)>,
}

impl Conversations {
    pub fn of(project: &Project) -> Self {
        let mut by_name: BTreeMap<&str, Vec<(f64, DocId)>> = BTreeMap::new();
        for doc in project.documents() {
            if let Some(name) = name_of(doc) {
                let turn = doc.meta.get(TURN).and_then(|turn| turn.trim().parse::<f64>().ok()).filter(|turn| turn.is_finite());
                by_name.entry(name).or_default().push((turn.unwrap_or(f64::INFINITY), doc.id));
            }
        }
        let mut conversations = Self::default();
        for mut turns in by_name.into_values() {
            turns.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let talk: Vec<DocId> = turns.into_iter().map(|(_, doc)| doc).collect();
            let at = conversations.talks.len();
            conversations.places.extend(talk.iter().enumerate().map(|(place, doc)| (*doc, (at, place))));
            conversations.talks.push(talk);
        }
        conversations
    }

    pub fn is_empty(&self) -> bool {
        self.talks.is_empty()
    }

    pub fn len(&self) -> usize {
        self.talks.len()
    }

    /// All turns of the conversation that a document belongs to, in order; empty where it belongs to none.
    pub fn around(&self, doc: DocId) -> &[DocId] {
        self.places.get(&doc).map_or(&[], |(talk, _)| &self.talks[*talk])
    }

    /// The turns before a document's, the newest last.
    pub fn before(&self, doc: DocId) -> &[DocId] {
        self.places.get(&doc).map_or(&[], |(talk, place)| &self.talks[*talk][..*place])
    }
}

/// The conversation that a document is a turn of.
fn name_of(doc: &Document) -> Option<&str> {
    doc.meta.get(CONVERSATION).map(str::trim).filter(|name| !name.is_empty())
}

impl Project {
    /// The `most` turns before a document's, the newest last, each as "speaker: text" where the speaker is known.
    pub fn turns_before(&self, conversations: &Conversations, doc: DocId, most: usize) -> Vec<String> {
        let before = conversations.before(doc);
        let newest = before[before.len().saturating_sub(most)..].iter();
        newest.filter_map(|turn| self.document(*turn)).map(|turn| turn.as_turn()).collect()
    }
}

impl Document {
    /// The text with who says it.
    pub fn as_turn(&self) -> String {
        match self.meta.get(SPEAKER).map(str::trim).filter(|speaker| !speaker.is_empty()) {
            Some(speaker) => format!("{speaker}: {}", self.text),
            None => self.text.to_string(),
        }
    }
}
