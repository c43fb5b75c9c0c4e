//! Suggestions become marks, one step each, whose name says where they came from; and words become suggestions.

use super::{Command, Desk, Ghost, Notice, phrase::Phrases};
use crate::project::{Answer, DocId, Edit, SchemaChange, Span, SpanId, State, WordRule};
use crate::store::words::{self, WordLine};
use std::path::Path;

/// What is accepted along with spans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Also {
    Nothing,
    Class,
    ClassAndDone,
}

impl Desk {
    pub(super) fn suggestions(&mut self, command: Command) {
        match command {
            Command::AcceptSpan { doc, range, label } => {
                self.accept(doc, |ghost| (ghost.range, ghost.label) == (range, label), Also::Nothing)
            }
            Command::AcceptClass { doc } => self.accept(doc, |_| false, Also::Class),
            Command::AcceptAll(doc) => {
                self.accept(doc, |_| true, Also::ClassAndDone);
                self.refresh_queue();
                self.step(1);
            }
            Command::RejectSpan { doc, range, label } => self.reject(doc, range, label),
            Command::SetSuggestions(on) => self.change_settings(|settings| settings.suggestions = on),
            Command::MarkEverywhere { doc, id } => self.mark_everywhere(doc, id),
            Command::SuggestEverywhere { doc, id } => self.suggest_everywhere(doc, id),
            Command::ImportWords(path) => self.import_words(&path),
            _ => {}
        }
    }

    /// Marks the ghosts chosen, and what else is wanted: the likeliest class where none was answered, and that it is done.
    fn accept(&mut self, doc: DocId, chosen: impl Fn(&Ghost) -> bool, also: Also) {
        let ghosts: Vec<Ghost> = self.ghosts(doc).into_iter().filter(chosen).collect();
        let guess = self.guess(doc).filter(|_| also != Also::Nothing);
        let phrases = Phrases(self.settings.language);
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?.seen_in(self.layer))))
        else {
            return;
        };
        let schema = project.schema();
        let mut edits = Vec::new();
        let mut names = Vec::new();
        let first = document.annotation.free_span_id();
        for (ghost, at) in ghosts.iter().zip(0u32..) {
            let id = SpanId(first.0 + at);
            let span = Span { range: ghost.range, label: ghost.label, polarity: ghost.polarity };
            edits.push(if ghost.attributes.is_empty() {
                Edit::PutSpan { doc, id, span }
            } else {
                Edit::PutSpanWith { doc, id, span, attributes: ghost.attributes.clone() }
            });
            let label = schema.span_labels.get(usize::from(ghost.label)).map_or("", |label| label.name.as_str());
            names.push(phrases.mark(&document, ghost.range, label));
        }
        let unanswered = schema.main_question().filter(|(id, _)| !document.annotation.answers.contains_key(id));
        let guess = unanswered.zip(guess);
        if let Some(((question, asked), guess)) = guess {
            let to = Answer::Class(guess.class);
            names.push(phrases.answer(asked, None, Some(&to)));
            edits.push(Edit::SetAnswer { doc, question, to: Some(to) });
        }
        // The certainty of what was accepted belongs to the record.
        let of_model = ghosts.iter().filter_map(|ghost| ghost.probability);
        let least = of_model.chain(guess.map(|(_, guess)| guess.probability)).reduce(f32::min);
        let run = least.and(self.suggesting_run().map(str::to_owned));
        let is_open = document.annotation.state != State::Done;
        let name = if names.is_empty() { phrases.state(&State::Done) } else { phrases.accepted(&names, run.as_deref(), least) };
        if also == Also::ClassAndDone && is_open {
            if !document.annotation.skip_reason.is_empty() {
                edits.push(Edit::SetSkipReason { doc, to: String::new() });
            }
            edits.push(Edit::SetState { doc, to: State::Done });
        }
        self.commit(name, edits);
    }

    /// Marks every other place of the document with the same words.
    fn mark_everywhere(&mut self, doc: DocId, id: SpanId) {
        let phrases = Phrases(self.settings.language);
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?.seen_in(self.layer))))
        else {
            return;
        };
        let Some(span) = document.annotation.spans.get(&id) else { return };
        let Some(kind) = project.schema().span_labels.get(usize::from(span.label)) else { return };
        let first = document.annotation.free_span_id();
        let places = document.unmarked_repeats(span);
        let edits: Vec<Edit> = places
            .iter()
            .zip(first.0..)
            .map(|(range, id)| Edit::PutSpan { doc, id: SpanId(id), span: Span { range: *range, polarity: None, ..*span } })
            .collect();
        let name = phrases.mark_many(&document, span.range, &kind.name, edits.len());
        self.commit(name, edits);
    }

    /// Suggests the words of a span wherever they stand, in every document.
    fn suggest_everywhere(&mut self, doc: DocId, id: SpanId) {
        let Some(document) = self.project().and_then(|project| project.document(doc)).map(|document| document.seen_in(self.layer)) else {
            return;
        };
        let Some(span) = document.annotation.spans.get(&id) else { return };
        let words = vec![WordRule::plain(span.range.of(&document.text), span.label)];
        self.change_schema(&SchemaChange::AddWords { words });
    }

    fn import_words(&mut self, path: &Path) {
        let lines = match words::read(path) {
            Ok(lines) => lines,
            Err(error) => return self.fail(error),
        };
        let Some(project) = self.project() else { return };
        let schema = project.schema();
        let mut rules = Vec::new();
        let mut problems = Vec::new();
        for WordLine { number, pattern, label } in lines {
            let known = schema.span_labels.iter().zip(0u16..).find(|(held, _)| held.name.eq_ignore_ascii_case(&label)).map(|(_, at)| at);
            let rule = known.map(|label| WordRule { pattern, label });
            match rule {
                None => problems.push(format!("line {number} names the span label {label:?}, which the project does not have")),
                Some(rule) => match rule.problem() {
                    Some(reason) => problems.push(format!("line {number} can't be searched for: {reason}")),
                    None => rules.push(rule),
                },
            }
        }
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let before = schema.words.len();
        if !rules.is_empty() {
            self.change_schema(&SchemaChange::AddWords { words: rules });
        }
        let added = self.project().map_or(0, |project| project.schema().words.len() - before);
        self.notify(Notice::WordsImported { file, added, left_out: problems.len(), problem: problems.into_iter().next() });
    }
}
