//! Scores as sums over documents: what each document adds is counted once, so that a score of any drawing of documents
//! is a matter of additions. Draws nothing at random.

use super::metrics::Counts;
use super::opinion_scores::{aspect_polarity, links, polarities};
use super::opinions::POLARITIES;
use super::{HeldOut, QuestionOutcome, SpanKey};
use std::collections::BTreeSet;

/// A score of held-out documents, in the order in which they are shown. Numbers are places of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Score {
    MacroF1,
    Accuracy,
    /// Exact boundaries and label, micro-averaged.
    SpanF1,
    /// Aspects with their polarity, end to end.
    AspectPolarityF1,
    /// Of marked spans.
    PolarityAccuracy,
    PolarityMacroF1,
    PairF1,
    TripletF1,
    /// Of a question with several labels beside the main one: the mean over them.
    LabelsF1(u16),
    ClassF1(u16),
    SpanLabelF1(u16),
    /// The question and its label.
    LabelF1(u16, u16),
}

impl Score {
    /// A name for files: "macro_f1", "class_f1:负面".
    pub fn name(self, classes: &[String], span_labels: &[String]) -> String {
        let of = |names: &[String], at: u16| names.get(usize::from(at)).cloned().unwrap_or_else(|| at.to_string());
        match self {
            Self::MacroF1 => "macro_f1".to_owned(),
            Self::Accuracy => "accuracy".to_owned(),
            Self::SpanF1 => "span_f1".to_owned(),
            Self::AspectPolarityF1 => "aspect_polarity_f1".to_owned(),
            Self::PolarityAccuracy => "polarity_accuracy".to_owned(),
            Self::PolarityMacroF1 => "polarity_macro_f1".to_owned(),
            Self::PairF1 => "pair_f1".to_owned(),
            Self::TripletF1 => "triplet_f1".to_owned(),
            Self::ClassF1(class) => format!("class_f1:{}", of(classes, class)),
            Self::SpanLabelF1(label) => format!("span_f1:{}", of(span_labels, label)),
            Self::LabelsF1(question) => format!("labels_f1:{question}"),
            Self::LabelF1(question, label) => format!("label_f1:{question}:{label}"),
        }
    }
}

/// What documents add to the scores: for each document the counters it raises, and by how much.
pub(super) struct Tallies {
    documents: Vec<Vec<(u32, u32)>>,
    places: Places,
}

/// Where the counters stand: the confusion of classes, that of polarities, then `[right, guessed, given]` of each kind, and of
/// each label of each question beside the main one.
struct Places {
    classes: usize,
    labels: usize,
    /// Labels of each question beside the main one; 0 of those without.
    questions: Vec<usize>,
}

/// Labels beyond are no labels of ours: a damaged file must not ask for all the memory.
const MOST: usize = 1024;
const SIDE: usize = POLARITIES.len();
const SPANS: usize = 0;
const ASPECTS: usize = 1;
const PAIRS: usize = 2;
const TRIPLETS: usize = 3;
/// The first of the span labels.
const LABELS: usize = 4;

impl Places {
    fn class(&self, gold: usize, said: usize) -> usize {
        gold * self.classes + said
    }

    fn polarity(&self, gold: usize, said: usize) -> usize {
        self.classes * self.classes + gold * SIDE + said
    }

    fn kind(&self, kind: usize) -> usize {
        self.classes * self.classes + SIDE * SIDE + 3 * kind
    }

    fn label(&self, question: usize, label: usize) -> usize {
        self.kind(LABELS + self.labels + self.questions[..question].iter().sum::<usize>() + label)
    }

    fn all(&self) -> usize {
        self.kind(LABELS + self.labels + self.questions.iter().sum::<usize>())
    }
}

impl Tallies {
    /// `aspects` are the span labels that are aspects.
    pub fn of(held_out: &[HeldOut], aspects: &[u16]) -> Self {
        let classes = held_out.iter().flat_map(|doc| doc.gold_class.into_iter().chain(doc.class));
        let spans = held_out.iter().flat_map(|doc| doc.spans.iter().chain(doc.gold_spans.iter().flatten()));
        let most = |places: Option<u16>| places.map_or(0, |most| (usize::from(most) + 1).min(MOST));
        let places = Places { classes: most(classes.max()), labels: most(spans.map(|span| span.2).max()), questions: questions(held_out) };
        Self { documents: held_out.iter().map(|doc| places.count(doc, aspects)).collect(), places }
    }

    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Every score of these documents, each as often as it is named; without those that nothing was there for.
    pub fn scores(&self, documents: impl IntoIterator<Item = usize>) -> Vec<(Score, f64)> {
        let mut sums = vec![0u64; self.places.all()];
        for document in documents {
            for (place, count) in &self.documents[document] {
                sums[*place as usize] += u64::from(*count);
            }
        }
        self.places.scores(&sums)
    }

    /// Every score of all documents.
    pub fn whole(&self) -> Vec<(Score, f64)> {
        self.scores(0..self.len())
    }
}

impl Places {
    fn count(&self, doc: &HeldOut, aspects: &[u16]) -> Vec<(u32, u32)> {
        let mut counted = Vec::new();
        let mut add = |place: usize, count: usize| {
            if count > 0 {
                counted.push((place as u32, count as u32));
            }
        };
        if let (Some(gold), Some(said)) = (doc.gold_class.map(usize::from), doc.class.map(usize::from))
            && gold.max(said) < self.classes
        {
            add(self.class(gold, said), 1);
        }
        for (question, labels) in self.questions.iter().enumerate() {
            let Some((gold, said)) = doc.questions.get(question).and_then(QuestionOutcome::labels) else { continue };
            for label in 0..*labels {
                let (given, guessed) = (gold.contains(&(label as u16)), said.contains(&(label as u16)));
                let counts = [given && guessed, guessed, given];
                counts.into_iter().enumerate().for_each(|(at, holds)| add(self.label(question, label) + at, usize::from(holds)));
            }
        }
        let Some(gold) = doc.gold_spans.as_deref() else { return counted };
        let mut kind = |kind: usize, Counts { right, guessed, given }: Counts| {
            [right, guessed, given].into_iter().enumerate().for_each(|(at, count)| add(self.kind(kind) + at, count));
        };
        let of_label = |spans: &[SpanKey], label: usize| -> BTreeSet<SpanKey> {
            spans.iter().copied().filter(|span| label == usize::MAX || usize::from(span.2) == label).collect()
        };
        for (place, label) in [(SPANS, usize::MAX)].into_iter().chain((0..self.labels).map(|label| (LABELS + label, label))) {
            let mut counts = Counts::default();
            counts.compare(&of_label(gold, label), &of_label(&doc.spans, label));
            kind(place, counts);
        }
        let alone = [(gold, doc)];
        kind(ASPECTS, aspect_polarity(&alone, aspects));
        let (pairs, triplets) = links(&alone);
        kind(PAIRS, pairs);
        kind(TRIPLETS, triplets);
        for (gold, said) in polarities(&alone) {
            add(self.polarity(usize::from(gold), usize::from(said)), 1);
        }
        counted
    }

    fn scores(&self, sums: &[u64]) -> Vec<(Score, f64)> {
        let mut scores = Vec::new();
        let classes = Confusion { cells: &sums[..self.classes * self.classes], side: self.classes };
        scores.extend(classes.macro_f1().map(|f1| (Score::MacroF1, f1)));
        scores.extend(classes.accuracy().map(|share| (Score::Accuracy, share)));
        let micro = |kind: usize| {
            let [right, guessed, given] = [0, 1, 2].map(|at| sums[self.kind(kind) + at]);
            (given > 0).then(|| 2.0 * right as f64 / (guessed + given) as f64)
        };
        scores.extend(micro(SPANS).map(|f1| (Score::SpanF1, f1)));
        scores.extend(micro(ASPECTS).map(|f1| (Score::AspectPolarityF1, f1)));
        let polarity = Confusion { cells: &sums[self.polarity(0, 0)..self.kind(0)], side: SIDE };
        scores.extend(polarity.accuracy().map(|share| (Score::PolarityAccuracy, share)));
        scores.extend(polarity.macro_f1().map(|f1| (Score::PolarityMacroF1, f1)));
        scores.extend(micro(PAIRS).map(|f1| (Score::PairF1, f1)));
        scores.extend(micro(TRIPLETS).map(|f1| (Score::TripletF1, f1)));
        scores.extend((0..self.classes).filter_map(|class| Some((Score::ClassF1(class as u16), classes.f1(class)?))));
        scores.extend((0..self.labels).filter_map(|label| Some((Score::SpanLabelF1(label as u16), micro(LABELS + label)?))));
        for (question, labels) in self.questions.iter().enumerate() {
            let of = |label: usize| {
                let [right, guessed, given] = [0, 1, 2].map(|at| sums[self.label(question, label) + at]);
                (guessed + given > 0)
                    .then(|| (Score::LabelF1(question as u16, label as u16), 2.0 * right as f64 / (guessed + given) as f64))
            };
            let found: Vec<(Score, f64)> = (0..*labels).filter_map(of).collect();
            if !found.is_empty() {
                scores.push((Score::LabelsF1(question as u16), found.iter().map(|(_, f1)| f1).sum::<f64>() / found.len() as f64));
            }
            scores.extend(found);
        }
        scores
    }
}

/// Labels of each question beside the main one.
fn questions(held_out: &[HeldOut]) -> Vec<usize> {
    let count = held_out.iter().map(|doc| doc.questions.len()).max().unwrap_or(0).min(MOST);
    let labels = |at: usize| {
        let asked = held_out.iter().filter_map(|doc| doc.questions.get(at).filter(|outcome| outcome.labels().is_some()));
        asked.map(|outcome| outcome.probabilities.len().min(MOST)).max().unwrap_or(0)
    };
    (0..count).map(labels).collect()
}

/// `cells[gold * side + said]`
struct Confusion<'a> {
    cells: &'a [u64],
    side: usize,
}

impl Confusion<'_> {
    fn cell(&self, gold: usize, said: usize) -> u64 {
        self.cells[gold * self.side + said]
    }

    fn accuracy(&self) -> Option<f64> {
        let total: u64 = self.cells.iter().sum();
        let right: u64 = (0..self.side).map(|class| self.cell(class, class)).sum();
        (total > 0).then(|| right as f64 / total as f64)
    }

    /// `None` for a class that nobody gave and nobody guessed.
    fn f1(&self, class: usize) -> Option<f64> {
        let both: u64 = (0..self.side).map(|other| self.cell(class, other) + self.cell(other, class)).sum();
        (both > 0).then(|| 2.0 * self.cell(class, class) as f64 / both as f64)
    }

    /// Over the classes that occur.
    fn macro_f1(&self) -> Option<f64> {
        let (count, sum) = (0..self.side).filter_map(|class| self.f1(class)).fold((0u32, 0.0), |(count, sum), f1| (count + 1, sum + f1));
        (count > 0).then(|| sum / f64::from(count))
    }
}
