//! Counts all documents, a few thousand in a frame: none waits for a million of them.

use super::aspects::Terms;
use super::questions::QuestionSummary;
use super::{LabelCount, Summary};
use crate::project::{Layer, Project, QuestionId};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What was counted: a project by its file, at a revision, as whoever works in a layer sees it.
pub(super) type Of = (PathBuf, u64, Layer);

/// Documents counted in a frame.
const PIECE: usize = 8_192;

/// A count under way.
pub(super) struct Counting {
    pub of: Of,
    at: usize,
    summary: Summary,
    terms: Terms,
    /// Names of the columns that came with the documents.
    columns: BTreeSet<String>,
    main: Option<QuestionId>,
    aspect: Option<u16>,
}

impl Counting {
    pub fn new(project: &Project, of: Of) -> Self {
        let schema = project.schema();
        let question = schema.main_question();
        let summary = Summary {
            classes: vec![0; question.map_or(0, |(_, question)| question.classes.len())],
            questions: QuestionSummary::others(schema),
            labels: vec![LabelCount::default(); schema.span_labels.len()],
            ..Summary::default()
        };
        Self {
            of,
            at: 0,
            summary,
            terms: Terms::default(),
            columns: BTreeSet::new(),
            main: question.map(|(id, _)| id),
            aspect: schema.span_label("aspect").or_else(|| schema.span_label("方面")),
        }
    }

    /// The share of the documents that is counted.
    pub fn share(&self, project: &Project) -> f32 {
        self.at as f32 / project.all_documents().len().max(1) as f32
    }

    /// Counts the next documents; whether all are counted.
    pub fn go_on(&mut self, project: &Project) -> bool {
        let rest = project.all_documents().get(self.at..).unwrap_or_default();
        let piece = &rest[..rest.len().min(PIECE)];
        self.at += piece.len();
        for doc in piece.iter().filter(|doc| doc.present) {
            for (column, _) in doc.meta.iter() {
                if !self.columns.contains(column) {
                    self.columns.insert(column.to_owned());
                }
            }
            // Other questions are counted as they train: in the outcome.
            self.summary.questions.iter_mut().for_each(|question| question.take(doc));
            let seen = doc.seen_in(self.of.2);
            self.summary.take_answers(&seen, self.main);
            self.summary.take_spans(&seen.annotation);
            self.terms.take(&seen, self.aspect);
        }
        piece.len() == rest.len()
    }

    /// The counts, and the names of the columns.
    pub fn finish(mut self, project: &Project) -> (Summary, Vec<String>) {
        self.summary.questions.iter_mut().for_each(QuestionSummary::finish);
        self.summary.aspects = self.terms.aspects(&project.schema().term_groups);
        (self.summary, self.columns.into_iter().collect())
    }
}
