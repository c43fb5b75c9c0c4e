//! Several people on one project: who labels, what becomes the outcome, comments and guidelines.

use super::{Command, Desk, Notice, phrase::Phrases};
use crate::project::{Annotation, AnnotatorId, Comment, DocId, Document, Edit, Layer, State};
use std::borrow::Cow;

impl Desk {
    /// Whose answers are shown and given.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// A document as whoever is at work sees it.
    pub fn seen(&self, doc: DocId) -> Option<Cow<'_, Document>> {
        Some(self.project()?.document(doc)?.seen_in(self.layer))
    }

    /// Whether several label and the person at the desk is none of them: then it has to be asked who they are.
    pub fn is_author_unknown(&self) -> bool {
        self.project().is_some_and(|project| !project.annotators().is_empty() && project.annotator(&self.settings.author).is_none())
    }

    /// The layer of the person that the settings name.
    pub(super) fn layer_of_author(&self) -> Layer {
        let own = self.project().and_then(|project| project.annotator(&self.settings.author));
        own.map_or(Layer::Outcome, Layer::Own)
    }

    /// A layer ends with its annotator, as when their coming is undone.
    pub(super) fn follow_team(&mut self) {
        let known = self.project().map_or(0, |project| project.annotators().len());
        if let Layer::Own(annotator) = self.layer
            && usize::from(annotator.0) >= known
        {
            self.layer = Layer::Outcome;
        }
    }

    pub(super) fn team(&mut self, command: Command) {
        let phrases = Phrases(self.settings.language);
        match command {
            Command::AddAnnotators { names, takes_over } => self.add_annotators(&names, takes_over),
            Command::WorkIn(layer) => self.work_in(layer),
            Command::Adopt { doc, from } => self.adopt(doc, from),
            Command::AdoptAgreed => self.adopt_agreed(),
            Command::AddComment { doc, text } => {
                let Some(document) = self.project().and_then(|project| project.document(doc)) else { return };
                let text = text.trim().to_owned();
                if text.is_empty() {
                    return;
                }
                let (id, name) = (document.free_comment_id(), phrases.comment(&text));
                let comment = Comment { author: self.settings.author.clone(), time_ms: self.now(), text, resolved: false };
                self.commit_as_is(name, vec![Edit::PutComment { doc, id, comment }]);
            }
            Command::ResolveComment { doc, id, to } => {
                let Some(document) = self.project().and_then(|project| project.document(doc)) else { return };
                let Some(comment) = document.comments.get(&id).filter(|comment| comment.resolved != to) else { return };
                let (name, comment) = (phrases.resolve(&comment.text, to), Comment { resolved: to, ..comment.clone() });
                self.commit_as_is(name, vec![Edit::PutComment { doc, id, comment }]);
            }
            Command::RemoveComment { doc, id } => {
                let Some(document) = self.project().and_then(|project| project.document(doc)) else { return };
                let Some(comment) = document.comments.get(&id) else { return };
                self.commit_as_is(phrases.uncomment(&comment.text), vec![Edit::RemoveComment { doc, id }]);
            }
            Command::SetGuidelines(to) => {
                let is_other = self.project().is_some_and(|project| project.guidelines() != to);
                let edits = if is_other { vec![Edit::SetGuidelines { to }] } else { Vec::new() };
                self.commit_as_is(phrases.guidelines(), edits);
            }
            _ => {}
        }
    }

    fn add_annotators(&mut self, names: &[String], takes_over: bool) {
        let Some(project) = self.project() else { return };
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let Some(first) = names.first() else { return };
        let was_alone = project.annotators().is_empty();
        let taken = self.history().filter(|_| takes_over).map(|history| project.own_work(history)).unwrap_or_default();
        let mut edits = project.with_annotator(first, &taken);
        let to = project.annotators().iter().chain(&names).cloned().collect();
        edits[0] = Edit::SetAnnotators { to };
        self.commit_as_is(Phrases(self.settings.language).annotators(&names), edits);
        // Whoever shared their project goes on in a layer of their own, not in the outcome.
        if was_alone && let Some(own) = self.project().and_then(|project| project.annotator(first)) {
            self.work_in(Layer::Own(own));
        }
    }

    fn work_in(&mut self, layer: Layer) {
        let Some(project) = self.project() else { return };
        if let Layer::Own(annotator) = layer {
            let Some(name) = project.annotators().get(usize::from(annotator.0)).cloned() else { return };
            self.change_settings(|settings| settings.author = name);
        }
        self.layer = layer;
    }

    fn adopt(&mut self, doc: DocId, from: AnnotatorId) {
        let Some(project) = self.project() else { return };
        let Some(document) = project.document(doc) else { return };
        let Some(said) = document.layers.get(&from) else { return };
        let name = project.annotators().get(usize::from(from.0)).map_or("", String::as_str);
        let name = Phrases(self.settings.language).adopt(name);
        if let Some(edit) = settled(document, said) {
            self.commit_as_is(name, vec![edit]);
        }
        self.refresh_queue();
        self.step(1);
    }

    fn adopt_agreed(&mut self) {
        let Some(project) = self.project() else { return };
        let agreed = |doc: &DocId| project.document(*doc).and_then(|document| settled(document, document.consensus()?));
        let edits: Vec<Edit> = self.queue.ids().iter().filter_map(agreed).collect();
        let count = edits.len();
        self.commit_as_is(Phrases(self.settings.language).adopt_agreed(count), edits);
        self.notify(Notice::Adopted(count));
    }

    /// How many documents of the queue [`Command::AdoptAgreed`] would settle. Takes as long as the queue is.
    pub fn agreed(&self) -> usize {
        let Some(project) = self.project() else { return 0 };
        let is_agreed = |doc: &&DocId| {
            project.document(**doc).is_some_and(|document| document.consensus().is_some_and(|said| settled(document, said).is_some()))
        };
        self.queue.ids().iter().filter(is_agreed).count()
    }
}

/// The edit that makes what was said the outcome and the document done; `None` if it is so already.
fn settled(document: &Document, said: &Annotation) -> Option<Edit> {
    let to = Annotation { state: State::Done, flagged: document.annotation.flagged, ..said.clone() };
    let is_so = document.annotation.state == State::Done && document.annotation.says_the_same_as(said);
    (!is_so).then(|| Edit::SetAnnotation { doc: document.id, to: Box::new(to) })
}
