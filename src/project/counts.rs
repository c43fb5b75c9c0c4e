//! How often each answer and each label was given.

use super::{Annotation, Answer, Project};

/// How often each label was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelCounts {
    pub questions: Vec<QuestionCount>,
    pub spans: Vec<usize>,
}

/// The answers to one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuestionCount {
    /// Documents with an answer.
    pub answered: usize,
    /// Per class; a document with several counts for each. Empty for numbers and texts.
    pub classes: Vec<usize>,
}

impl LabelCounts {
    /// Counts the documents of a project; takes as long as there are documents.
    pub fn of(project: &Project) -> Self {
        // In every layer, as a change of the schema touches them.
        Self::count(project, project.documents().flat_map(|doc| std::iter::once(&doc.annotation).chain(doc.layers.values())))
    }

    /// The same for what trains and exports: the outcome alone.
    pub fn of_outcome(project: &Project) -> Self {
        Self::count(project, project.documents().map(|doc| &doc.annotation))
    }

    fn count<'a>(project: &Project, said: impl Iterator<Item = &'a Annotation>) -> Self {
        let schema = project.schema();
        let questions = schema.questions.iter().map(|asked| QuestionCount { answered: 0, classes: vec![0; asked.classes.len()] });
        let mut counts = Self { questions: questions.collect(), spans: vec![0; schema.span_labels.len()] };
        for said in said {
            for (id, answer) in &said.answers {
                if let Some(count) = counts.questions.get_mut(usize::from(id.0)) {
                    count.take(answer);
                }
            }
            for span in said.spans.values() {
                if let Some(count) = counts.spans.get_mut(usize::from(span.label)) {
                    *count += 1;
                }
            }
        }
        counts
    }
}

impl QuestionCount {
    /// Counts an answer.
    pub fn take(&mut self, answer: &Answer) {
        self.answered += 1;
        let mut given = |class: u16| {
            if let Some(count) = self.classes.get_mut(usize::from(class)) {
                *count += 1;
            }
        };
        match answer {
            Answer::Class(class) => given(*class),
            Answer::Classes(classes) => classes.iter().copied().for_each(given),
            Answer::Number(_) | Answer::Text(_) => {}
        }
    }
}
