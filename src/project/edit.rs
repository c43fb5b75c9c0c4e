//! The only way to change a project. Applying an edit answers with its inverse, so undo can't drift from do.

use super::{
    Annotation, AnnotatorId, Answer, Attributes, Comment, CommentId, DocId, Document, Link, Project, QuestionId, Schema, Span, SpanId,
    State,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One change. A gesture is a list of them (see [`super::Step`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    SetAnswer {
        doc: DocId,
        question: QuestionId,
        to: Option<Answer>,
    },
    SetState {
        doc: DocId,
        to: State,
    },
    SetFlag {
        doc: DocId,
        to: bool,
    },
    /// Why the document is skipped.
    SetSkipReason {
        doc: DocId,
        to: String,
    },
    /// A span that is there already keeps its attributes, unless it gets another label.
    PutSpan {
        doc: DocId,
        id: SpanId,
        span: Span,
    },
    /// A span with just these attributes.
    PutSpanWith {
        doc: DocId,
        id: SpanId,
        span: Span,
        attributes: Attributes,
    },
    /// Fails while a link holds the span: remove the links first.
    RemoveSpan {
        doc: DocId,
        id: SpanId,
    },
    /// Of the first type.
    PutLink {
        doc: DocId,
        link: Link,
    },
    /// Of any type, by its place in the schema.
    PutLinkAs {
        doc: DocId,
        link: Link,
        link_type: u16,
    },
    RemoveLink {
        doc: DocId,
        link: Link,
    },
    /// New documents, with the next free ids in order. The journal keeps only their ids: the store holds the rest.
    AddDocuments {
        first: DocId,
        count: u32,
        #[serde(skip)]
        documents: Vec<Document>,
    },
    /// Takes documents out of the project, or brings them back: the undo and redo of an import.
    SetPresent {
        first: DocId,
        count: u32,
        to: bool,
    },
    SetSchema {
        to: Box<Schema>,
    },
    /// Everything said about a document at once: the outcome of a comparison, or a layer that comes from elsewhere.
    SetAnnotation {
        doc: DocId,
        to: Box<Annotation>,
    },
    /// An edit of an annotation, made in the layer of an annotator instead of the outcome.
    ByAnnotator {
        annotator: AnnotatorId,
        what: Box<Edit>,
    },
    /// The names of all annotators. Fails if a layer would lose its annotator.
    SetAnnotators {
        to: Vec<String>,
    },
    PutComment {
        doc: DocId,
        id: CommentId,
        comment: Comment,
    },
    RemoveComment {
        doc: DocId,
        id: CommentId,
    },
    SetGuidelines {
        to: String,
    },
}

/// Why an edit can't be made. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("document {0:?} is not in the project")]
    NoDocument(DocId),
    #[error("document {0:?} has no span {1:?}")]
    NoSpan(DocId, SpanId),
    #[error("the span does not lie in the text of document {0:?}")]
    OutOfText(DocId),
    #[error("span {1:?} of document {0:?} is linked")]
    Linked(DocId, SpanId),
    #[error("the link of document {0:?} is missing, already there, or joins a span to itself")]
    BadLink(DocId),
    #[error("the schema has no such question, class, label, attribute or type of link, or the answer is of another kind")]
    NotInSchema,
    #[error("documents must be numbered in order: {wanted} was due, {found:?} came")]
    IdGap { wanted: usize, found: DocId },
    #[error("the project has no such annotator, or two annotators would have one name")]
    NoAnnotator,
    #[error("only what is said about a document can be said by an annotator")]
    NotInALayer,
    #[error("document {0:?} has no such comment")]
    NoComment(DocId),
}

impl Edit {
    /// The documents an edit touches, as `first..first + count`; `None` when it concerns the whole project.
    pub fn touches(&self) -> Option<std::ops::Range<usize>> {
        match self {
            Self::SetAnswer { doc, .. }
            | Self::SetState { doc, .. }
            | Self::SetFlag { doc, .. }
            | Self::SetSkipReason { doc, .. }
            | Self::PutSpan { doc, .. }
            | Self::PutSpanWith { doc, .. }
            | Self::RemoveSpan { doc, .. }
            | Self::PutLink { doc, .. }
            | Self::PutLinkAs { doc, .. }
            | Self::RemoveLink { doc, .. }
            | Self::SetAnnotation { doc, .. }
            | Self::PutComment { doc, .. }
            | Self::RemoveComment { doc, .. } => Some(doc.index()..doc.index() + 1),
            Self::AddDocuments { first, count, .. } | Self::SetPresent { first, count, .. } => {
                Some(first.index()..first.index() + *count as usize)
            }
            Self::ByAnnotator { what, .. } => what.touches(),
            Self::SetSchema { .. } | Self::SetAnnotators { .. } | Self::SetGuidelines { .. } => None,
        }
    }
}

impl Project {
    pub(super) fn doc_mut(&mut self, id: DocId) -> Result<&mut Document, EditError> {
        self.documents.get_mut(id.index()).filter(|doc| doc.present).ok_or(EditError::NoDocument(id))
    }

    /// Makes one change and returns its inverse.
    ///
    /// # Errors
    /// When the edit does not fit the project; the project is then as before.
    pub fn apply(&mut self, edit: Edit) -> Result<Edit, EditError> {
        let touched = edit.touches();
        let known = self.documents.len();
        let range = touched.clone().map_or(0..0, |range| range.start.min(known)..range.end.min(known));
        self.documents[range.clone()].iter().for_each(|doc| self.tallies.remove(doc));
        let inverse = self.change(edit);
        // Documents that an edit brought are behind those it found.
        let range = if inverse.is_ok() { range.start..touched.clone().map_or(0, |range| range.end) } else { range };
        let there = self.documents.get(range).unwrap_or_default();
        there.iter().for_each(|doc| self.tallies.add(doc));
        if inverse.is_ok() {
            self.changes.push(touched);
            self.revision += 1;
        }
        inverse
    }

    /// Without keeping counts and revision.
    pub(super) fn change(&mut self, edit: Edit) -> Result<Edit, EditError> {
        Ok(match edit {
            Edit::SetAnswer { doc, question, to } => self.set_answer(doc, question, to)?,
            Edit::SetState { doc, to } => {
                let slot = &mut self.doc_mut(doc)?.annotation.state;
                Edit::SetState { doc, to: std::mem::replace(slot, to) }
            }
            Edit::SetFlag { doc, to } => {
                let slot = &mut self.doc_mut(doc)?.annotation.flagged;
                Edit::SetFlag { doc, to: std::mem::replace(slot, to) }
            }
            Edit::SetSkipReason { doc, to } => {
                let slot = &mut self.doc_mut(doc)?.annotation.skip_reason;
                Edit::SetSkipReason { doc, to: std::mem::replace(slot, to) }
            }
            Edit::PutSpan { doc, id, span } => self.put_span(doc, id, span, None)?,
            Edit::PutSpanWith { doc, id, span, attributes } => self.put_span(doc, id, span, Some(attributes))?,
            Edit::RemoveSpan { doc, id } => {
                let annotation = &mut self.doc_mut(doc)?.annotation;
                if annotation.links.iter().any(|link| link.from == id || link.to == id) {
                    return Err(EditError::Linked(doc, id));
                }
                let span = annotation.spans.remove(&id).ok_or(EditError::NoSpan(doc, id))?;
                match annotation.attributes.remove(&id) {
                    Some(attributes) => Edit::PutSpanWith { doc, id, span, attributes },
                    None => Edit::PutSpan { doc, id, span },
                }
            }
            Edit::PutLink { doc, link } => self.put_link(doc, link, 0)?,
            Edit::PutLinkAs { doc, link, link_type } => self.put_link(doc, link, link_type)?,
            Edit::RemoveLink { doc, link } => {
                let annotation = &mut self.doc_mut(doc)?.annotation;
                if !annotation.links.remove(&link) {
                    return Err(EditError::BadLink(doc));
                }
                match annotation.link_types.remove(&link) {
                    Some(link_type) => Edit::PutLinkAs { doc, link, link_type },
                    None => Edit::PutLink { doc, link },
                }
            }
            Edit::AddDocuments { first, count, documents } => self.add_documents(first, count, documents)?,
            Edit::SetPresent { first, count, to } => {
                let range = first.index()..first.index() + count as usize;
                let docs = self.documents.get_mut(range).ok_or(EditError::NoDocument(first))?;
                // Otherwise the inverse would take more away than came.
                if docs.iter().any(|doc| doc.present == to) {
                    return Err(EditError::NoDocument(first));
                }
                if to && !docs.iter().all(|doc| all_fits(doc, &self.schema)) {
                    return Err(EditError::NotInSchema);
                }
                let known = |annotator: &AnnotatorId| usize::from(annotator.0) < self.annotators.len();
                if to && !docs.iter().all(|doc| doc.layers.keys().all(known)) {
                    return Err(EditError::NoAnnotator);
                }
                docs.iter_mut().for_each(|doc| doc.present = to);
                Edit::SetPresent { first, count, to: !to }
            }
            Edit::SetSchema { to } => {
                // Otherwise taking back what was said under the old schema could fail later.
                if !self.documents().all(|doc| all_fits(doc, &to)) {
                    return Err(EditError::NotInSchema);
                }
                let old = std::mem::replace(&mut self.schema, Arc::new(*to));
                Edit::SetSchema { to: Box::new(Arc::unwrap_or_clone(old)) }
            }
            Edit::SetAnnotation { doc, to } => self.set_annotation(doc, *to)?,
            Edit::ByAnnotator { annotator, what } => self.change_in_layer(annotator, *what)?,
            Edit::SetAnnotators { to } => self.set_annotators(to)?,
            Edit::PutComment { doc, id, comment } => self.put_comment(doc, id, comment)?,
            Edit::RemoveComment { doc, id } => self.remove_comment(doc, id)?,
            Edit::SetGuidelines { to } => Edit::SetGuidelines { to: std::mem::replace(&mut self.guidelines, to) },
        })
    }

    fn set_annotation(&mut self, doc: DocId, to: Annotation) -> Result<Edit, EditError> {
        let schema = self.schema.clone();
        let document = self.doc_mut(doc)?;
        let old = std::mem::replace(&mut document.annotation, to);
        if !fits(document, &schema) {
            document.annotation = old;
            return Err(EditError::NotInSchema);
        }
        Ok(Edit::SetAnnotation { doc, to: Box::new(old) })
    }

    fn set_answer(&mut self, doc: DocId, question: QuestionId, to: Option<Answer>) -> Result<Edit, EditError> {
        let asked = self.schema.question(question).ok_or(EditError::NotInSchema)?;
        if to.as_ref().is_some_and(|answer| !asked.takes(answer)) {
            return Err(EditError::NotInSchema);
        }
        let answers = &mut self.doc_mut(doc)?.annotation.answers;
        let old = match to {
            Some(answer) => answers.insert(question, answer),
            None => answers.remove(&question),
        };
        Ok(Edit::SetAnswer { doc, question, to: old })
    }

    fn put_span(&mut self, doc: DocId, id: SpanId, span: Span, attributes: Option<Attributes>) -> Result<Edit, EditError> {
        let fits = attributes.as_ref().is_none_or(|said| self.schema.takes_attributes(span.label, said));
        if usize::from(span.label) >= self.schema.span_labels.len() || !fits {
            return Err(EditError::NotInSchema);
        }
        let document = self.doc_mut(doc)?;
        if !span.range.fits(&document.text) {
            return Err(EditError::OutOfText(doc));
        }
        let annotation = &mut document.annotation;
        let (Some(old), held) = (annotation.spans.insert(id, span), annotation.attributes.remove(&id).unwrap_or_default()) else {
            attributes.filter(|said| !said.is_empty()).map(|said| annotation.attributes.insert(id, said));
            return Ok(Edit::RemoveSpan { doc, id });
        };
        let to = attributes.unwrap_or_else(|| if old.label == span.label { held.clone() } else { Attributes::default() });
        let plain = to == held && (held.is_empty() || old.label == span.label);
        if !to.is_empty() {
            annotation.attributes.insert(id, to);
        }
        Ok(match plain {
            true => Edit::PutSpan { doc, id, span: old },
            false => Edit::PutSpanWith { doc, id, span: old, attributes: held },
        })
    }

    fn put_link(&mut self, doc: DocId, link: Link, link_type: u16) -> Result<Edit, EditError> {
        let known_type = usize::from(link_type) < self.schema.link_types().len();
        let annotation = &mut self.doc_mut(doc)?.annotation;
        if !known_type {
            return Err(EditError::NotInSchema);
        }
        let known = |id| annotation.spans.contains_key(&id);
        if link.from == link.to || !known(link.from) || !known(link.to) || !annotation.links.insert(link) {
            return Err(EditError::BadLink(doc));
        }
        if link_type > 0 {
            annotation.link_types.insert(link, link_type);
        }
        Ok(Edit::RemoveLink { doc, link })
    }

    fn add_documents(&mut self, first: DocId, count: u32, documents: Vec<Document>) -> Result<Edit, EditError> {
        if documents.is_empty() && first.index() + count as usize <= self.documents.len() {
            // Read back from a journal: the documents are already here.
            return self.change(Edit::SetPresent { first, count, to: true });
        }
        if count as usize != documents.len() {
            return Err(EditError::IdGap { wanted: self.documents.len(), found: first });
        }
        for (at, doc) in documents.iter().enumerate() {
            let wanted = self.documents.len() + at;
            if doc.id.index() != wanted || first != self.next_id() {
                return Err(EditError::IdGap { wanted, found: doc.id });
            }
        }
        if !documents.iter().all(|doc| doc.present && all_fits(doc, &self.schema)) {
            return Err(EditError::NotInSchema);
        }
        let known = |annotator: &AnnotatorId| usize::from(annotator.0) < self.annotators.len();
        if !documents.iter().all(|doc| doc.layers.keys().all(known)) {
            return Err(EditError::NoAnnotator);
        }
        self.documents.extend(documents);
        Ok(Edit::SetPresent { first, count, to: false })
    }
}

/// Whether what is said about a document in every layer lies in its text and in the schema.
fn all_fits(doc: &Document, schema: &Schema) -> bool {
    fits(doc, schema) && doc.layers.keys().all(|annotator| fits(&doc.seen_in(super::Layer::Own(*annotator)), schema))
}

/// Whether all that is said about a document lies in its text and in the schema.
fn fits(doc: &Document, schema: &Schema) -> bool {
    let Annotation { answers, spans, links, attributes, link_types, .. } = &doc.annotation;
    // Attributes are kept where there are some, types where they are not the first: one way to say a thing.
    let attributes_fit = |(id, said): (&SpanId, &Attributes)| {
        !said.is_empty() && spans.get(id).is_some_and(|span| schema.takes_attributes(span.label, said))
    };
    let type_fits =
        |(link, link_type): (&Link, &u16)| *link_type > 0 && usize::from(*link_type) < schema.link_types().len() && links.contains(link);
    let answer_fits = |(question, answer): (&QuestionId, &Answer)| schema.question(*question).is_some_and(|asked| asked.takes(answer));
    answers.iter().all(answer_fits)
        && spans.values().all(|span| usize::from(span.label) < schema.span_labels.len() && span.range.fits(&doc.text))
        && links.iter().all(|link| link.from != link.to && spans.contains_key(&link.from) && spans.contains_key(&link.to))
        && attributes.iter().all(attributes_fit)
        && link_types.iter().all(type_fits)
}
