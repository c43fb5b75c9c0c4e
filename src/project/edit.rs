//! The only way to change a project. Applying an edit answers with its inverse, so undo can't drift from do.

use super::{Annotation, Answer, DocId, Document, Link, Project, QuestionId, Schema, Span, SpanId, State};
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
    PutSpan {
        doc: DocId,
        id: SpanId,
        span: Span,
    },
    /// Fails while a link holds the span: remove the links first.
    RemoveSpan {
        doc: DocId,
        id: SpanId,
    },
    PutLink {
        doc: DocId,
        link: Link,
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
    #[error("the schema has no such question, class or label, or the answer is of another kind")]
    NotInSchema,
    #[error("documents must be numbered in order: {wanted} was due, {found:?} came")]
    IdGap { wanted: usize, found: DocId },
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
            | Self::RemoveSpan { doc, .. }
            | Self::PutLink { doc, .. }
            | Self::RemoveLink { doc, .. } => Some(doc.index()..doc.index() + 1),
            Self::AddDocuments { first, count, .. } | Self::SetPresent { first, count, .. } => {
                Some(first.index()..first.index() + *count as usize)
            }
            Self::SetSchema { .. } => None,
        }
    }
}

impl Project {
    fn doc_mut(&mut self, id: DocId) -> Result<&mut Document, EditError> {
        self.documents.get_mut(id.index()).filter(|doc| doc.present).ok_or(EditError::NoDocument(id))
    }

    /// Makes one change and returns its inverse.
    ///
    /// # Errors
    /// When the edit does not fit the project; the project is then as before.
    pub fn apply(&mut self, edit: Edit) -> Result<Edit, EditError> {
        let inverse = match edit {
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
            Edit::PutSpan { doc, id, span } => self.put_span(doc, id, span)?,
            Edit::RemoveSpan { doc, id } => {
                let annotation = &mut self.doc_mut(doc)?.annotation;
                if annotation.links.iter().any(|link| link.from == id || link.to == id) {
                    return Err(EditError::Linked(doc, id));
                }
                let span = annotation.spans.remove(&id).ok_or(EditError::NoSpan(doc, id))?;
                Edit::PutSpan { doc, id, span }
            }
            Edit::PutLink { doc, link } => {
                let annotation = &mut self.doc_mut(doc)?.annotation;
                let known = |id| annotation.spans.contains_key(&id);
                if link.from == link.to || !known(link.from) || !known(link.to) || !annotation.links.insert(link) {
                    return Err(EditError::BadLink(doc));
                }
                Edit::RemoveLink { doc, link }
            }
            Edit::RemoveLink { doc, link } => {
                if !self.doc_mut(doc)?.annotation.links.remove(&link) {
                    return Err(EditError::BadLink(doc));
                }
                Edit::PutLink { doc, link }
            }
            Edit::AddDocuments { first, count, documents } => self.add_documents(first, count, documents)?,
            Edit::SetPresent { first, count, to } => {
                let range = first.index()..first.index() + count as usize;
                let docs = self.documents.get_mut(range).ok_or(EditError::NoDocument(first))?;
                // Otherwise the inverse would take more away than came.
                if docs.iter().any(|doc| doc.present == to) {
                    return Err(EditError::NoDocument(first));
                }
                if to && !docs.iter().all(|doc| fits(doc, &self.schema)) {
                    return Err(EditError::NotInSchema);
                }
                docs.iter_mut().for_each(|doc| doc.present = to);
                Edit::SetPresent { first, count, to: !to }
            }
            Edit::SetSchema { to } => {
                // Otherwise taking back what was said under the old schema could fail later.
                if !self.documents().all(|doc| fits(doc, &to)) {
                    return Err(EditError::NotInSchema);
                }
                let old = std::mem::replace(&mut self.schema, Arc::new(*to));
                Edit::SetSchema { to: Box::new(Arc::unwrap_or_clone(old)) }
            }
        };
        self.revision += 1;
        Ok(inverse)
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

    fn put_span(&mut self, doc: DocId, id: SpanId, span: Span) -> Result<Edit, EditError> {
        if usize::from(span.label) >= self.schema.span_labels.len() {
            return Err(EditError::NotInSchema);
        }
        let document = self.doc_mut(doc)?;
        if !span.range.fits(&document.text) {
            return Err(EditError::OutOfText(doc));
        }
        Ok(match document.annotation.spans.insert(id, span) {
            Some(span) => Edit::PutSpan { doc, id, span },
            None => Edit::RemoveSpan { doc, id },
        })
    }

    fn add_documents(&mut self, first: DocId, count: u32, documents: Vec<Document>) -> Result<Edit, EditError> {
        if documents.is_empty() && first.index() + count as usize <= self.documents.len() {
            // Read back from a journal: the documents are already here.
            return self.apply(Edit::SetPresent { first, count, to: true });
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
        if !documents.iter().all(|doc| doc.present && fits(doc, &self.schema)) {
            return Err(EditError::NotInSchema);
        }
        self.documents.extend(documents);
        Ok(Edit::SetPresent { first, count, to: false })
    }
}

/// Whether all that is said about a document lies in its text and in the schema.
fn fits(doc: &Document, schema: &Schema) -> bool {
    let Annotation { answers, spans, links, .. } = &doc.annotation;
    let answer_fits = |(question, answer): (&QuestionId, &Answer)| schema.question(*question).is_some_and(|asked| asked.takes(answer));
    answers.iter().all(answer_fits)
        && spans.values().all(|span| usize::from(span.label) < schema.span_labels.len() && span.range.fits(&doc.text))
        && links.iter().all(|link| link.from != link.to && spans.contains_key(&link.from) && spans.contains_key(&link.to))
}
