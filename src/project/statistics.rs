//! What a project holds, before anything is trained on it: lengths, scripts, answers, marks, and what is longer than a
//! model reads.

use super::{LabelCounts, Project, Script, Split};
use std::collections::BTreeMap;

/// How long texts are, in some unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lengths {
    pub shortest: usize,
    pub mean: f64,
    pub median: usize,
    /// Of a hundred texts, five are longer.
    pub p95: usize,
    pub longest: usize,
}

impl Lengths {
    /// All zero where there is none.
    pub fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        let at =
            |share: f64| lengths.get(((lengths.len() as f64 * share) as usize).min(lengths.len().saturating_sub(1))).copied().unwrap_or(0);
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64;
        Self { shortest: at(0.0), mean, median: at(0.5), p95: at(0.95), longest: at(1.0) }
    }
}

/// What was answered to a question: its name, documents with an answer, each class with its count.
pub type Answered = (String, usize, Vec<(String, usize)>);

/// What a project holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    pub documents: usize,
    pub characters: Lengths,
    /// Pieces of the encoder that will read them, special ones included.
    pub pieces: Lengths,
    /// Different pieces.
    pub vocabulary: usize,
    /// Texts with more pieces than a model is given, and how many that is.
    pub beyond: usize,
    pub limit: usize,
    pub scripts: BTreeMap<Script, usize>,
    pub questions: Vec<Answered>,
    /// By name of the label.
    pub spans: Vec<(String, usize)>,
    /// Documents whose part in training is fixed.
    pub parts: BTreeMap<Split, usize>,
}

impl Statistics {
    /// `pieces` answers the ids of a text's pieces, all of them.
    pub fn of(project: &Project, limit: usize, pieces: impl Fn(&str) -> Vec<u32>) -> Self {
        let (mut characters, mut lengths, mut vocabulary) = (Vec::new(), Vec::new(), std::collections::HashSet::new());
        let mut statistics = Self { limit, ..Self::default() };
        for doc in project.documents() {
            let ids = pieces(&doc.text);
            characters.push(doc.text.chars().count());
            statistics.beyond += usize::from(ids.len() > limit);
            lengths.push(ids.len());
            vocabulary.extend(ids);
            *statistics.scripts.entry(Script::of(&doc.text)).or_default() += 1;
            if let Some(part) = doc.split {
                *statistics.parts.entry(part).or_default() += 1;
            }
        }
        let counts = LabelCounts::of_outcome(project);
        let schema = project.schema();
        let question = |(asked, count): (&super::Question, super::QuestionCount)| {
            let classes = asked.classes.iter().map(|class| class.name.clone()).zip(count.classes).collect();
            (asked.name.clone(), count.answered, classes)
        };
        statistics.questions = schema.questions.iter().zip(counts.questions).map(question).collect();
        statistics.spans = schema.span_labels.iter().map(|label| label.name.clone()).zip(counts.spans).collect();
        Self {
            documents: characters.len(),
            characters: Lengths::of(characters),
            pieces: Lengths::of(lengths),
            vocabulary: vocabulary.len(),
            ..statistics
        }
    }
}
