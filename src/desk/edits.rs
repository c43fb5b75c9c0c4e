//! Gestures become steps: edits with an inverse, in the journal before the next frame.

use super::{Command, Desk, Notice, phrase::Phrases};
use crate::project::{
    Answer, AttributeValue, DocId, Document, Edit, EntryKind, Layer, Link, Project, QuestionId, Schema, Span, SpanId, State, TextRange,
    carried,
};

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
        match command {
            Command::SetClass { doc, class } => {
                let Some((question, _)) = project.schema().main_question() else { return };
                self.answer(doc, question, class.map(Answer::Class));
            }
            Command::SetAnswer { doc, question, to } => self.answer(doc, question, to),
            Command::AnswerQueue { question, to } => {
                let edits = answer_for_all(project, self.layer, self.queue.ids(), question, to.as_ref());
                let Some(asked) = project.schema().question(question) else { return };
                let name = phrases.answer_of_many(asked, to.as_ref(), edits.len());
                self.commit(name, edits);
            }
            Command::SetState { doc, to } => {
                let edits = document(doc).map(|document| turned(&document, to.clone(), "")).unwrap_or_default();
                self.commit(phrases.state(&to), edits);
            }
            Command::SetFlag { doc, to } => self.commit(phrases.flag(to), vec![Edit::SetFlag { doc, to }]),
            Command::Finish(doc) => self.finish(doc, State::Done, ""),
            Command::Skip(doc) => self.finish(doc, State::Skipped, ""),
            Command::SkipBecause(doc, reason) => self.finish(doc, State::Skipped, reason.trim()),
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
                let edit = relabelled(project.schema(), &document, (id, span), range, label);
                let name = phrases.change(&document, range);
                self.commit(name, vec![edit]);
            }
            Command::ToggleLink { .. } | Command::LinkAs { .. } => self.link(&command),
            Command::SetAttribute { doc, id, attribute, to } => self.set_attribute(doc, id, attribute, to),
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

    /// One answer of any kind; nothing happens when it is there already.
    fn answer(&mut self, doc: DocId, question: QuestionId, to: Option<Answer>) {
        let Some(project) = self.project() else { return };
        let (Some(document), Some(asked)) = (project.document(doc), project.schema().question(question)) else { return };
        let held = document.said_in(self.layer).and_then(|said| said.answers.get(&question));
        if held == to.as_ref() {
            return;
        }
        let name = Phrases(self.settings.language).answer(asked, held, to.as_ref());
        self.commit(name, vec![Edit::SetAnswer { doc, question, to }]);
    }

    fn link(&mut self, command: &Command) {
        let (doc, from, to, wanted) = match *command {
            Command::ToggleLink { doc, from, to } => (doc, from, to, None),
            Command::LinkAs { doc, from, to, link_type } => (doc, from, to, Some(link_type)),
            _ => return,
        };
        let Some(project) = self.project() else { return };
        let Some(document) = project.document(doc).map(|document| document.seen_in(self.layer)) else { return };
        let said = &document.annotation;
        let link = Link { from, to };
        let label = |id: SpanId| said.spans.get(&id).map(|span| span.label);
        let usual = || project.schema().link_type_for(label(from)?, label(to)?);
        let link_type = wanted.or_else(usual).unwrap_or_default();
        let held = [link, Link { from: to, to: from }].into_iter().find(|link| said.links.contains(link));
        let is_there = held.is_some_and(|held| wanted.is_none() || held == link && said.link_type(&held) == link_type);
        let mut edits: Vec<Edit> = held.into_iter().map(|link| Edit::RemoveLink { doc, link }).collect();
        if !is_there {
            edits.push(put_link(doc, link, link_type));
        }
        let types = project.schema().link_types();
        let named = types.get(usize::from(link_type)).filter(|_| types.len() > 1).map(|held| held.name.as_str());
        self.commit(Phrases(self.settings.language).link(!is_there, named), edits);
    }

    fn set_attribute(&mut self, doc: DocId, id: SpanId, attribute: u16, to: Option<AttributeValue>) {
        let Some(project) = self.project() else { return };
        let Some(document) = project.document(doc).map(|document| document.seen_in(self.layer)) else { return };
        let Some(span) = document.annotation.spans.get(&id).copied() else { return };
        let held = document.annotation.attributes_of(id);
        let Some(asked) = project.schema().attributes(span.label).get(usize::from(attribute)).filter(|_| held.get(attribute) != to) else {
            return;
        };
        let words = to.map(|value| asked.words(value));
        let name = Phrases(self.settings.language).attribute(&document, span.range, &asked.name, words.as_deref());
        let attributes = held.clone().with(attribute, to);
        self.commit(name, vec![Edit::PutSpanWith { doc, id, span, attributes }]);
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
            let goal = document.annotation.spans.get(&to).map_or(label, |span| span.label);
            let link_type = project.schema().link_type_for(label, goal).unwrap_or_default();
            edits.push(put_link(doc, Link { from: id, to }, link_type));
        }
        self.commit(name, edits);
    }

    fn finish(&mut self, doc: DocId, to: State, reason: &str) {
        let phrases = Phrases(self.settings.language);
        let document = self.project().and_then(|project| project.document(doc)).map(|document| document.seen_in(self.layer));
        let edits = document.map(|document| turned(&document, to.clone(), reason)).unwrap_or_default();
        let name = if reason.is_empty() { phrases.state(&to) } else { phrases.skip(reason) };
        self.commit(name, edits);
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

/// The edits that give every document this answer; those that have it are left alone.
fn answer_for_all(project: &Project, layer: Layer, docs: &[DocId], question: QuestionId, to: Option<&Answer>) -> Vec<Edit> {
    let edit = |doc: &DocId| {
        let held = project.document(*doc)?.said_in(layer).and_then(|said| said.answers.get(&question));
        let to = match (to, held) {
            (Some(Answer::Classes(new)), Some(Answer::Classes(held))) => Some(Answer::Classes(held | new)),
            _ => to.cloned(),
        };
        (held != to.as_ref()).then_some(Edit::SetAnswer { doc: *doc, question, to })
    };
    docs.iter().filter_map(edit).collect()
}

/// The edits that put a document into another state; a reason to skip it goes when it is not skipped any more.
fn turned(document: &Document, to: State, reason: &str) -> Vec<Edit> {
    let doc = document.id;
    let said = &document.annotation;
    let mut edits = Vec::new();
    // Skipped again without saying why, it keeps the reason it has.
    let stays = to == State::Skipped && said.state == to && reason.is_empty();
    if said.skip_reason != reason && !stays {
        edits.push(Edit::SetSkipReason { doc, to: reason.to_owned() });
    }
    if said.state != to {
        edits.push(Edit::SetState { doc, to });
    }
    edits
}

fn put_link(doc: DocId, link: Link, link_type: u16) -> Edit {
    match link_type {
        0 => Edit::PutLink { doc, link },
        link_type => Edit::PutLinkAs { doc, link, link_type },
    }
}

/// Another place or label for a span, which keeps what the label has room for.
fn relabelled(schema: &Schema, document: &Document, (id, span): (SpanId, Span), range: TextRange, label: u16) -> Edit {
    let doc = document.id;
    let keeps_polarity = schema.span_labels.get(usize::from(label)).is_some_and(|kind| kind.polarity);
    let to = Span { range, label, polarity: span.polarity.filter(|_| keeps_polarity) };
    let held = document.annotation.attributes_of(id);
    if held.is_empty() || label == span.label {
        return Edit::PutSpan { doc, id, span: to };
    }
    let attributes = carried(held, schema.attributes(span.label), schema.attributes(label));
    Edit::PutSpanWith { doc, id, span: to, attributes }
}

/// Removes a span and the links that hold it.
pub(super) fn without_span(document: &Document, id: SpanId) -> Vec<Edit> {
    let doc = document.id;
    let links = document.annotation.links.iter().filter(|link| link.from == id || link.to == id);
    let mut edits: Vec<Edit> = links.map(|link| Edit::RemoveLink { doc, link: *link }).collect();
    edits.push(Edit::RemoveSpan { doc, id });
    edits
}
