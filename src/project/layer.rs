//! Several annotators on one project: each has a layer of answers of their own beside the outcome, and all share the
//! comments on a document. The outcome ([`super::Document::annotation`]) is what trains and what exports.

use super::{Annotation, DocId, Document, Edit, EditError, Project, State, Step};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Someone who labels: a place in [`Project::annotators`]. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnnotatorId(pub u16);

/// Whose answers are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// What was settled in the end, and all there is while one person labels.
    #[default]
    Outcome,
    Own(AnnotatorId),
}

/// A remark of a document, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(pub u32);

/// Something said about a document to those who label it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    pub author: String,
    /// Milliseconds since 1970, given by the caller.
    pub time_ms: i64,
    pub text: String,
    #[serde(default)]
    pub resolved: bool,
}

impl Layer {
    /// The edits as they read in this layer: answers, spans, links and states become the annotator's own.
    pub fn edits(self, edits: Vec<Edit>) -> Vec<Edit> {
        let Self::Own(annotator) = self else { return edits };
        edits.into_iter().map(|edit| if edit.annotated().is_some() { edit.by(annotator) } else { edit }).collect()
    }
}

impl Step {
    /// Whether the step tells what another one said, in their layer or in the outcome, which whoever works in `layer`
    /// should not see.
    pub fn is_of_another(&self, project: &Project, layer: Layer) -> bool {
        let Layer::Own(own) = layer else { return false };
        let is_mine = project.annotators().get(usize::from(own.0)).is_some_and(|name| *name == self.author);
        self.edits.iter().any(|edit| match edit {
            Edit::ByAnnotator { annotator, .. } => *annotator != own,
            edit => !is_mine && edit.annotated().is_some(),
        })
    }
}

impl Edit {
    /// The same edit in the layer of an annotator.
    pub fn by(self, annotator: AnnotatorId) -> Self {
        Self::ByAnnotator { annotator, what: Box::new(self) }
    }

    /// The document whose annotation the edit changes, if that is what it does: such an edit may stand in a layer.
    pub fn annotated(&self) -> Option<DocId> {
        match self {
            Self::ByAnnotator { .. } | Self::PutComment { .. } | Self::RemoveComment { .. } => None,
            Self::AddDocuments { .. } | Self::SetPresent { .. } => None,
            // All others that name a document are about what is said of it.
            other => other.touches().map(|range| DocId::from_index(range.start)),
        }
    }
}

impl Document {
    /// What is said in a layer; `None` where nothing is.
    pub fn said_in(&self, layer: Layer) -> Option<&Annotation> {
        match layer {
            Layer::Outcome => Some(&self.annotation),
            Layer::Own(annotator) => self.layers.get(&annotator),
        }
    }

    /// The outcome, then every layer of an annotator.
    pub fn all_layers(&self) -> impl Iterator<Item = Layer> {
        std::iter::once(Layer::Outcome).chain(self.layers.keys().map(|annotator| Layer::Own(*annotator)))
    }

    /// The document as whoever works in `layer` sees it: with that layer's annotation, and without those of others.
    pub fn seen_in(&self, layer: Layer) -> Cow<'_, Self> {
        let Layer::Own(annotator) = layer else { return Cow::Borrowed(self) };
        let own = self.layers.get(&annotator);
        if own.unwrap_or(&Annotation::default()) == &self.annotation {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            id: self.id,
            text: self.text.clone(),
            meta: self.meta.clone(),
            split: self.split,
            present: self.present,
            annotation: own.cloned().unwrap_or_default(),
            layers: BTreeMap::new(),
            comments: self.comments.clone(),
        })
    }

    /// The layers that count when answers are compared: finished ones, and those with something in them.
    pub fn opinions(&self) -> impl Iterator<Item = (AnnotatorId, &Annotation)> {
        let counts = |said: &Annotation| said.state == State::Done || said.state == State::Todo && !said.is_blank();
        self.layers.iter().filter(move |(_, said)| counts(said)).map(|(annotator, said)| (*annotator, said))
    }

    /// Whether two annotators said different things.
    pub fn is_disputed(&self) -> bool {
        let mut opinions = self.opinions().map(|(_, said)| said);
        opinions.next().is_some_and(|first| opinions.any(|other| !first.says_the_same_as(other)))
    }

    /// What two or more annotators all said, if they did.
    pub fn consensus(&self) -> Option<&Annotation> {
        let mut opinions = self.opinions().map(|(_, said)| said);
        let first = opinions.next()?;
        let second = opinions.next()?;
        (first.says_the_same_as(second) && opinions.all(|other| first.says_the_same_as(other))).then_some(first)
    }

    /// A comment id that no comment of this document has.
    pub fn free_comment_id(&self) -> CommentId {
        CommentId(self.comments.keys().next_back().map_or(0, |last| last.0 + 1))
    }
}

impl Project {
    /// The names of those who label, by [`AnnotatorId`]; empty while one person labels straight into the outcome.
    pub fn annotators(&self) -> &[String] {
        &self.annotators
    }

    /// The annotator of this name.
    pub fn annotator(&self, name: &str) -> Option<AnnotatorId> {
        self.annotators.iter().position(|held| held == name).map(|at| AnnotatorId(at as u16))
    }

    /// How to label, in Markdown; empty for nothing.
    pub fn guidelines(&self) -> &str {
        &self.guidelines
    }

    /// Puts in what was stored beside schema and documents.
    ///
    /// # Errors
    /// [`EditError::NoAnnotator`] for a layer of someone without a name.
    pub fn with_team(mut self, annotators: Vec<String>, guidelines: String) -> Result<Self, EditError> {
        self.apply(Edit::SetAnnotators { to: annotators })?;
        self.guidelines = guidelines;
        self.revision = 0;
        Ok(self)
    }

    /// The edits that add an annotator, who takes over the outcome of these documents as answers of their own.
    pub fn with_annotator(&self, name: &str, taken: &BTreeSet<DocId>) -> Vec<Edit> {
        let annotator = AnnotatorId(self.annotators.len() as u16);
        let to = self.annotators.iter().cloned().chain([name.to_owned()]).collect();
        let taken = taken.iter().filter_map(|doc| self.document(*doc));
        let layer = taken.map(|doc| Edit::SetAnnotation { doc: doc.id, to: Box::new(doc.annotation.clone()) }.by(annotator));
        std::iter::once(Edit::SetAnnotators { to }).chain(layer).collect()
    }

    pub(super) fn set_annotators(&mut self, to: Vec<String>) -> Result<Edit, EditError> {
        let known = |annotator: &AnnotatorId| usize::from(annotator.0) < to.len();
        let twice = to.iter().enumerate().any(|(at, name)| name.trim().is_empty() || to[..at].contains(name));
        if twice || to.len() > usize::from(u16::MAX) || !self.tallies.annotators().all(known) {
            return Err(EditError::NoAnnotator);
        }
        Ok(Edit::SetAnnotators { to: std::mem::replace(&mut self.annotators, to) })
    }

    /// Makes a change in an annotator's layer and answers with its inverse there.
    pub(super) fn change_in_layer(&mut self, annotator: AnnotatorId, what: Edit) -> Result<Edit, EditError> {
        if usize::from(annotator.0) >= self.annotators.len() {
            return Err(EditError::NoAnnotator);
        }
        let doc = what.annotated().ok_or(EditError::NotInALayer)?;
        // While the layer lies in the outcome's place every edit is made by the same rules.
        self.swap_layer(doc, annotator)?;
        let outcome = self.change(what);
        self.swap_layer(doc, annotator)?;
        Ok(outcome?.by(annotator))
    }

    fn swap_layer(&mut self, doc: DocId, annotator: AnnotatorId) -> Result<(), EditError> {
        let doc = self.doc_mut(doc)?;
        let own = doc.layers.entry(annotator).or_default();
        std::mem::swap(&mut doc.annotation, own);
        // A layer that says nothing is none, so that undo leaves no trace.
        if *own == Annotation::default() {
            doc.layers.remove(&annotator);
        }
        Ok(())
    }

    pub(super) fn put_comment(&mut self, doc: DocId, id: CommentId, comment: Comment) -> Result<Edit, EditError> {
        Ok(match self.doc_mut(doc)?.comments.insert(id, comment) {
            Some(comment) => Edit::PutComment { doc, id, comment },
            None => Edit::RemoveComment { doc, id },
        })
    }

    pub(super) fn remove_comment(&mut self, doc: DocId, id: CommentId) -> Result<Edit, EditError> {
        let comment = self.doc_mut(doc)?.comments.remove(&id).ok_or(EditError::NoComment(doc))?;
        Ok(Edit::PutComment { doc, id, comment })
    }
}
