//! Some words in many documents: where they could be marked, and where they are.

use super::{DocId, Document, Layer, Project, SpanId, TextRange, WordMatcher, WordRule};

/// Words with the label that they have or are to get. They stand for themselves as in a word list: without regard to case,
/// and letters not inside longer words.
pub struct WordMarks {
    words: WordMatcher,
    label: u16,
}

/// How often the words of a [`WordMarks`] stand in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordCount {
    /// Places that no span of the label touches, and the documents they are in.
    pub free: usize,
    pub free_documents: usize,
    /// Spans of the label that are just these words, and their documents.
    pub marked: usize,
    pub marked_documents: usize,
}

impl WordMarks {
    pub fn new(words: &str, label: u16) -> Self {
        Self { words: WordMatcher::of_rules(&[WordRule::plain(words, label)]), label }
    }

    /// Places of the words that no span of the label touches, for whoever works in `layer`.
    pub fn free(&self, document: &Document, layer: Layer) -> Vec<TextRange> {
        let mut places: Vec<TextRange> = self.words.find(&document.text).into_iter().map(|(range, _)| range).collect();
        if let (Some(said), false) = (document.said_in(layer), places.is_empty()) {
            places.retain(|range| !said.spans.values().any(|held| held.label == self.label && held.range.overlaps(*range)));
        }
        places
    }

    /// Spans of the label that are just these words.
    pub fn marked(&self, document: &Document, layer: Layer) -> Vec<SpanId> {
        let Some(said) = document.said_in(layer).filter(|said| !said.spans.is_empty()) else { return Vec::new() };
        let places: Vec<TextRange> = self.words.find(&document.text).into_iter().map(|(range, _)| range).collect();
        let is_one = |range: &TextRange| places.contains(range);
        said.spans.iter().filter(|(_, span)| span.label == self.label && is_one(&span.range)).map(|(id, _)| *id).collect()
    }

    /// Counts on with further documents.
    pub fn count(&self, project: &Project, layer: Layer, ids: &[DocId], so_far: WordCount) -> WordCount {
        let documents = ids.iter().filter_map(|id| project.document(*id));
        documents.fold(so_far, |count, document| {
            let (free, marked) = (self.free(document, layer).len(), self.marked(document, layer).len());
            WordCount {
                free: count.free + free,
                free_documents: count.free_documents + usize::from(free > 0),
                marked: count.marked + marked,
                marked_documents: count.marked_documents + usize::from(marked > 0),
            }
        })
    }
}
