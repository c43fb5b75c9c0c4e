//! From labelled documents to what the model is shown: pieces, units and targets, with notes on all that is lost.

use super::opinions::{self, Marks};
use super::{Example, Roles, TrainConfig, TrainData, TrainError};
use crate::nn::{JointSizes, OpinionSizes, RaggedBatch, UnitBatch};
use crate::project::Split;
use crate::text::{BioTags, LeftOut, Reading, Tokenizer, tag_count, tags_of_spans};

/// A document ready for the model.
pub(super) struct Item<'a> {
    pub example: &'a Example,
    pub reading: Reading,
    /// Class to learn or to compare with.
    pub class: Option<u16>,
    /// A tag for each unit; `None` where spans were not marked.
    pub tags: Option<Vec<u16>>,
    /// What it teaches of polarity and links.
    pub marks: Marks,
}

impl Item<'_> {
    pub fn length(&self) -> usize {
        self.reading.pieces.ids.len()
    }
}

/// What is learnt, and from what.
pub(super) struct Task<'a> {
    /// Names of the classes; empty when no class is learnt.
    pub classes: &'a [String],
    /// Names of the span labels; empty when no spans are learnt.
    pub labels: &'a [String],
    /// Which labels take part in links.
    pub roles: &'a Roles,
    /// What is learnt of polarity and links.
    pub opinions: OpinionSizes,
    pub train: Vec<Item<'a>>,
    pub dev: Vec<Item<'a>>,
    pub test: Vec<Item<'a>>,
    /// Texts are cut after so many pieces.
    pub max_length: usize,
    pub notes: Vec<String>,
}

impl<'a> Task<'a> {
    /// Reads every document.
    ///
    /// # Errors
    /// When there is nothing to learn or nothing to be judged by.
    pub fn prepare(data: &'a TrainData, config: &TrainConfig, max_length: usize, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let training = || data.examples.iter().filter(|example| example.split == Split::Train);
        let has_class = training().filter_map(|example| example.class).any(|class| usize::from(class) < data.classes.len());
        let learns_class = data.classes.len() >= 2 && has_class;
        let learns_spans =
            config.span_loss_weight > 0.0 && !data.span_labels.is_empty() && training().any(|example| example.spans.is_some());
        let mut task = Self {
            classes: if learns_class { &data.classes } else { &[] },
            labels: if learns_spans { &data.span_labels } else { &[] },
            roles: &data.roles,
            opinions: OpinionSizes::default(),
            train: Vec::new(),
            dev: Vec::new(),
            test: Vec::new(),
            max_length,
            notes: Vec::new(),
        };
        task.read_all(data, tokenizer)?;
        if task.train.is_empty() {
            return Err(TrainError::Data("no training document has a class among at least two, or marked spans".to_owned()));
        }
        if task.dev.is_empty() && task.test.is_empty() {
            return Err(TrainError::Data("no labelled document is held out, so nothing could be measured".to_owned()));
        }
        task.opinions = opinions::sizes(task.train.iter(), task.labels.len(), (config.polarity_loss_weight, config.link_loss_weight));
        task.note_classes();
        Ok(task)
    }

    fn read_all(&mut self, data: &'a TrainData, tokenizer: &Tokenizer) -> Result<(), TrainError> {
        let (mut left_out, mut cut) = (LeftOut::default(), 0);
        for example in &data.examples {
            let class = example.class.filter(|class| usize::from(*class) < self.classes.len());
            let spans = example.spans.as_ref().filter(|_| !self.labels.is_empty());
            if class.is_none() && spans.is_none() {
                continue;
            }
            let reading = tokenizer
                .read(&example.text, self.max_length, !self.labels.is_empty())
                .map_err(|error| TrainError::Encoder(error.to_string()))?;
            if class.is_none() && reading.units.is_empty() {
                continue;
            }
            cut += usize::from(reading.pieces.cut_at.is_some());
            let tags = spans.map(|spans| {
                let known: Vec<_> = spans.iter().copied().filter(|(_, label)| usize::from(*label) < self.labels.len()).collect();
                let BioTags { tags, left_out: lost } = tags_of_spans(&reading.units, &known, reading.pieces.cut_at);
                left_out += lost;
                tags
            });
            let marks = if spans.is_some() { Marks::of(example, &reading, self.labels.len()) } else { Marks::default() };
            let item = Item { example, reading, class, tags, marks };
            match example.split {
                Split::Train => self.train.push(item),
                Split::Dev => self.dev.push(item),
                Split::Test => self.test.push(item),
            }
        }
        self.note_losses(left_out, cut);
        Ok(())
    }

    fn note_losses(&mut self, left_out: LeftOut, cut: usize) {
        let rows = [
            (cut, format!("documents read only up to the limit of {} pieces", self.max_length)),
            (left_out.beyond, "spans beyond that limit, wholly or in part".to_owned()),
            (left_out.overlapping, "spans that the tags don't learn because they overlap a longer or earlier one".to_owned()),
            (left_out.reshaped, "spans learnt with other ends, because they begin or end on white space or inside a character".to_owned()),
            (left_out.blank, "spans not learnt because they hold only white space".to_owned()),
        ];
        self.notes.extend(rows.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")));
    }

    fn note_classes(&mut self) {
        for (class, name) in self.classes.iter().enumerate() {
            let count = |items: &[Item]| items.iter().filter(|item| item.class == Some(class as u16)).count();
            let held_out = count(&self.dev) + count(&self.test);
            if count(&self.train) == 0 {
                self.notes.push(format!("class {name:?} has no training document: the model can't learn it"));
            } else if held_out == 0 {
                self.notes.push(format!("class {name:?} has no held-out document: its score says nothing"));
            }
        }
        for (label, name) in self.labels.iter().enumerate() {
            let tag = 1 + 2 * label as u16;
            if !self.train.iter().flat_map(|item| item.tags.iter().flatten()).any(|each| *each == tag) {
                self.notes.push(format!("span label {name:?} has no training span: the model can't learn it"));
            }
        }
        if self.dev.is_empty() {
            self.notes.push("no document is held out for development: the last weights are kept, without early stopping".to_owned());
        }
    }

    pub fn sizes(&self, config: &TrainConfig) -> JointSizes {
        let tags = if self.labels.is_empty() { 0 } else { tag_count(self.labels.len()) };
        JointSizes { layers: config.layers, classes: self.classes.len(), tags, opinions: self.opinions }
    }

    /// Weight of each class in the loss: 1, or its inverse frequency (1 on average over the documents).
    pub fn class_weights(&self, config: &TrainConfig) -> Vec<f32> {
        let mut counts = vec![0usize; self.classes.len()];
        for class in self.train.iter().filter_map(|item| item.class) {
            counts[usize::from(class)] += 1;
        }
        let present = counts.iter().filter(|count| **count > 0).count();
        let total: usize = counts.iter().sum();
        let weight = |count: usize| if config.class_weights && count > 0 { total as f32 / (present * count) as f32 } else { 1.0 };
        counts.into_iter().map(weight).collect()
    }
}

/// A batch as the network takes it, with the targets of those that have some.
#[derive(Default)]
pub(super) struct Batch {
    pub texts: RaggedBatch,
    pub units: UnitBatch,
    /// One row a text; weight 0 where there is no class.
    pub classes: Targets,
    /// One row a unit.
    pub tags: Targets,
}

#[derive(Default)]
pub(super) struct Targets {
    pub targets: Vec<u32>,
    pub weights: Vec<f32>,
}

impl Targets {
    pub fn push(&mut self, target: u16, weight: f32) {
        self.targets.push(u32::from(target));
        self.weights.push(weight);
    }

    /// What they weigh together.
    pub fn weight(&self) -> f64 {
        self.weights.iter().map(|weight| f64::from(*weight)).sum()
    }

    /// Whether anything is to be learnt from them.
    pub fn teach(&self) -> bool {
        self.weights.iter().any(|weight| *weight > 0.0)
    }
}

impl Batch {
    /// `all_units`: those of documents without marked spans too, to have them tagged.
    pub fn of(items: &[&Item], class_weights: &[f32], all_units: bool) -> Self {
        let ids: Vec<&[u32]> = items.iter().map(|item| item.reading.pieces.ids.as_slice()).collect();
        let mut batch = Self { texts: RaggedBatch::new(&ids), ..Self::default() };
        for (text, item) in items.iter().enumerate() {
            let weight = item.class.map_or(0.0, |class| class_weights.get(usize::from(class)).copied().unwrap_or(1.0));
            batch.classes.push(item.class.unwrap_or(0), weight);
            if item.tags.is_none() && !all_units {
                continue;
            }
            let first = batch.texts.range(text).start as u32;
            for (at, unit) in item.reading.units.iter().enumerate() {
                batch.units.piece.push(first + unit.piece);
                batch.units.char_id.push(unit.char_id);
                batch.units.offset.push(unit.offset);
                match &item.tags {
                    Some(tags) => batch.tags.push(tags[at], unit.weight),
                    None => batch.tags.push(0, 0.0),
                }
            }
        }
        batch
    }
}
