//! Gestures become steps: edits with an inverse, in the journal before the next frame.

use super::{Command, Desk, Notice, phrase::Phrases};
use crate::project::{Answer, DocId, Document, Edit, EntryKind, Link, QuestionId, Span, SpanId, State};

impl Desk {
    pub(super) fn annotate(&mut self, command: Command) {
        let Some(open) = &self.open else { return };
        let phrases = Phrases(self.settings.language);
        let project = &open.project;
        let layer = self.layer;
        let document = |id: DocId| project.document(id).map(|document| document.seen_in(layer));
        let marked = |doc: DocId, id: SpanId| {
            let document = document(doc)?;
            let span = *document.annotation.spans.get(&id)?;
            Some((document, span))
        };
        let class_name = |class: Option<u16>| {
            let question = project.schema().main_question()?.1;
            Some(question.classes.get(usize::from(class?))?.name.clone())
        };
        match command {
            Command::SetClass { doc, class } => {
                let name = phrases.class(class_name(class).as_deref());
                self.commit(name, vec![set_class(doc, class)]);
            }
            Command::SetClassOfQueue { class } => {
                let edits: Vec<Edit> = self.queue.ids().iter().map(|doc| set_class(*doc, class)).collect();
                let name = phrases.class_of_many(class_name(class).as_deref(), edits.len());
                self.commit(name, edits);
            }
            Command::SetState { doc, to } => self.commit(phrases.state(&to), vec![Edit::SetState { doc, to }]),
            Command::SetFlag { doc, to } => self.commit(phrases.flag(to), vec![Edit::SetFlag { doc, to }]),
            Command::Finish(doc) => self.finish(doc, State::Done),
            Command::Skip(doc) => self.finish(doc, State::Skipped),
            Command::AddSpan { .. } | Command::AddLinkedSpan { .. } => self.add_span(&command),
            Command::RemoveSpan { doc, id } => {
                let Some((document, span)) = marked(doc, id) else { return };
                let (name, edits) = (phrases.unmark(&document, span.range), without_span(&document, id));
                self.commit(name, edits);
            }
            Command::SetPolarity { doc, id, to } => {
                let Some((document, span)) = marked(doc, id) else { return };
                let name = phrases.polarity(&document, span.range, to);
                self.commit(name, vec![Edit::PutSpan { doc, id, span: Span { polarity: to, ..span } }]);
            }
            Command::ChangeSpan { doc, id, range, label } => {
                let Some((document, span)) = marked(doc, id) else { return };
                let keeps_polarity = project.schema().span_labels.get(usize::from(label)).is_some_and(|kind| kind.polarity);
                let polarity = span.polarity.filter(|_| keeps_polarity);
                let name = phrases.change(&document, range);
                self.commit(name, vec![Edit::PutSpan { doc, id, span: Span { range, label, polarity } }]);
            }
            Command::ToggleLink { doc, from, to } => {
                let Some(document) = document(doc) else { return };
                let (link, back) = (Link { from, to }, Link { from: to, to: from });
                let held = [link, back].into_iter().find(|link| document.annotation.links.contains(link));
                let edit = match held {
                    Some(link) => Edit::RemoveLink { doc, link },
                    None => Edit::PutLink { doc, link },
                };
                self.commit(phrases.link(held.is_none()), vec![edit]);
            }
            Command::AddDocument(text) => {
                if text.trim().is_empty() {
                    return;
                }
                let first = project.next_id();
                let documents = vec![Document::new(first, text)];
                self.commit(phrases.add(), vec![Edit::AddDocuments { first, count: 1, documents }]);
            }
            _ => {}
        }
    }

    fn add_span(&mut self, command: &Command) {
        let (doc, range, label, to) = match *command {
            Command::AddSpan { doc, range, label } => (doc, range, label, None),
            Command::AddLinkedSpan { doc, range, label, to } => (doc, range, label, Some(to)),
            _ => return,
        };
        let Some(project) = self.project() else { return };
        let Some(document) = project.document(doc).map(|document| document.seen_in(self.layer)) else { return };
        let Some(kind) = project.schema().span_labels.get(usize::from(label)) else { return };
        if document.annotation.spans.values().any(|span| span.range == range && span.label == label) {
            return;
        }
        let id = document.annotation.free_span_id();
        let name = Phrases(self.settings.language).mark(&document, range, &kind.name);
        let mut edits = vec![Edit::PutSpan { doc, id, span: Span { range, label, polarity: None } }];
        if let Some(to) = to.filter(|to| document.annotation.spans.contains_key(to)) {
            edits.push(Edit::PutLink { doc, link: Link { from: id, to } });
        }
        self.commit(name, edits);
    }

    fn finish(&mut self, doc: DocId, to: State) {
        let phrases = Phrases(self.settings.language);
        let said = self.project().and_then(|project| project.document(doc)).and_then(|document| document.said_in(self.layer));
        let is_there = said.is_some_and(|said| said.state == to);
        if !is_there {
            self.commit(phrases.state(&to), vec![Edit::SetState { doc, to }]);
        }
        self.refresh_queue();
        self.step(1);
    }

    /// Makes one step of the edits, in memory and in the file. What they say is said in the layer at work.
    pub(super) fn commit(&mut self, name: String, edits: Vec<Edit>) {
        self.commit_as_is(name, self.layer.edits(edits));
    }

    /// [`Desk::commit`] for edits that name their layers.
    pub(super) fn commit_as_is(&mut self, name: String, edits: Vec<Edit>) {
        if edits.is_empty() {
            return;
        }
        let (time, author) = (self.now(), self.settings.author.clone());
        let Some(open) = &mut self.open else { return };
        match open.history.commit(&mut open.project, name, author, time, edits) {
            Ok(step) => self.save(EntryKind::Do, step),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn undo(&mut self) {
        let Some(open) = &mut self.open else { return };
        let schema = open.project.schema().clone();
        match open.history.undo(&mut open.project) {
            None => self.notify(Notice::NothingToUndo),
            Some(Err(error)) => self.fail(error),
            Some(Ok(step)) => {
                self.notify(Notice::Undone(step.name.clone()));
                self.follow_schema(&schema);
                self.show_touched(&step.inverse);
                self.save(EntryKind::Undo, step);
            }
        }
    }

    /// Undoes or redoes until `wanted` steps are done; all goes into the file at once.
    pub(super) fn go_to_step(&mut self, wanted: usize) {
        let Some(open) = &mut self.open else { return };
        let schema = open.project.schema().clone();
        let mut problem = None;
        let mut moved = Vec::new();
        let done = |history: &crate::project::History| history.done().len();
        while problem.is_none() && done(&open.history) != wanted {
            let is_back = done(&open.history) > wanted;
            let outcome = if is_back { open.history.undo(&mut open.project) } else { open.history.redo(&mut open.project) };
            match outcome {
                None => break,
                Some(Ok(step)) => moved.push((if is_back { EntryKind::Undo } else { EntryKind::Redo }, step)),
                Some(Err(error)) => problem = Some(error),
            }
        }
        let count = moved.len();
        self.save_all(moved);
        self.follow_schema(&schema);
        match problem {
            Some(error) => self.fail(error),
            None if count > 0 => self.notify(Notice::WentTo { steps: count }),
            None => {}
        }
    }

    pub(super) fn redo(&mut self) {
        let Some(open) = &mut self.open else { return };
        let schema = open.project.schema().clone();
        match open.history.redo(&mut open.project) {
            None => self.notify(Notice::NothingToRedo),
            Some(Err(error)) => self.fail(error),
            Some(Ok(step)) => {
                self.notify(Notice::Redone(step.name.clone()));
                self.follow_schema(&schema);
                self.show_touched(&step.edits);
                self.save(EntryKind::Redo, step);
            }
        }
    }

    /// Puts the document that a step changed on the table, so that undo is seen.
    fn show_touched(&mut self, edits: &[Edit]) {
        let mut touched = edits.iter().filter_map(Edit::touches);
        if let (Some(range), None) = (touched.next(), touched.next())
            && range.len() == 1
        {
            let doc = DocId::from_index(range.start);
            if self.project().is_some_and(|project| project.document(doc).is_some()) {
                self.current = Some(doc);
            }
        }
    }
}

fn set_class(doc: DocId, class: Option<u16>) -> Edit {
    Edit::SetAnswer { doc, question: QuestionId(0), to: class.map(Answer::Class) }
}

/// Removes a span and the links that hold it.
fn without_span(document: &Document, id: SpanId) -> Vec<Edit> {
    let doc = document.id;
    let links = document.annotation.links.iter().filter(|link| link.from == id || link.to == id);
    let mut edits: Vec<Edit> = links.map(|link| Edit::RemoveLink { doc, link: *link }).collect();
    edits.push(Edit::RemoveSpan { doc, id });
    edits
}
