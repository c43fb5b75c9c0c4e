//! Spans in bulk: the same words in every document of the queue, as one step.

use super::edits::without_span;
use super::{Command, Desk, phrase::Phrases};
use crate::project::{Edit, Span, SpanId, WordMarks};

impl Desk {
    pub(super) fn mark_in_queue(&mut self, command: &Command) {
        let (words, label, marks) = match command {
            Command::MarkInQueue { words, label } => (words, *label, true),
            Command::UnmarkInQueue { words, label } => (words, *label, false),
            _ => return,
        };
        let Some(project) = self.project() else { return };
        let Some(kind) = project.schema().span_labels.get(usize::from(label)) else { return };
        let (wanted, layer) = (WordMarks::new(words, label), self.layer);
        let (mut edits, mut places, mut documents) = (Vec::new(), 0, 0);
        for document in self.queue.ids().iter().filter_map(|id| project.document(*id)) {
            let before = places;
            if marks {
                let free = wanted.free(document, layer);
                places += free.len();
                let first = document.said_in(layer).map_or(SpanId(0), |said| said.free_span_id());
                let put =
                    |(range, id): (_, u32)| Edit::PutSpan { doc: document.id, id: SpanId(id), span: Span { range, label, polarity: None } };
                edits.extend(free.into_iter().zip(first.0..).map(put));
            } else {
                let held = wanted.marked(document, layer);
                places += held.len();
                if !held.is_empty() {
                    // A link between two of them must go once: each removal is planned on what the one before it leaves.
                    let mut seen = document.seen_in(layer).into_owned();
                    for id in held {
                        let removal = without_span(&seen, id);
                        seen.annotation.links.retain(|link| link.from != id && link.to != id);
                        edits.extend(removal);
                    }
                }
            }
            documents += usize::from(places > before);
        }
        let name = Phrases(self.settings.language).mark_in_many(marks, words, &kind.name, places, documents);
        self.commit(name, edits);
    }
}
