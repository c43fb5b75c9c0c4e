//! Held-out documents through the model: scores, and every answer as evidence.

use super::batching::sorted_batches;
use super::metrics::{SpanKey, class_scores, span_scores};
use super::task::{Batch, Item, Targets, Task};
use super::{HeldOut, Scores, TrainConfig, TrainError};
use crate::nn::{JointModel, LogProbs};
use crate::text::{decode_spans, tag_count, viterbi};

/// Scores of a set of documents with the answers behind them.
#[derive(Clone)]
pub(super) struct Scored {
    pub scores: Scores,
    pub held_out: Vec<HeldOut>,
}

/// Runs `items` through the model.
///
/// # Errors
/// When a tensor operation fails.
pub(super) fn score(model: &JointModel, task: &Task, items: &[Item], config: &TrainConfig) -> Result<Scored, TrainError> {
    let lengths: Vec<usize> = items.iter().map(Item::length).collect();
    let mut answers: Vec<Option<HeldOut>> = vec![None; items.len()];
    let (mut class_loss, mut span_loss) = (Mean::default(), Mean::default());
    for indices in sorted_batches(&lengths, config.batch_examples.max(32), config.batch_tokens) {
        let members: Vec<&Item> = indices.iter().map(|index| &items[*index]).collect();
        let batch = Batch::of(&members, &[], true);
        let logs = model.score(&batch.texts, &batch.units).map_err(TrainError::compute)?;
        class_loss.add(&logs.class, &batch.classes);
        span_loss.add(&logs.tags, &batch.tags);
        for (index, answer) in indices.iter().zip(answers_of(&members, &logs, task)) {
            answers[*index] = Some(answer);
        }
    }
    let held_out: Vec<HeldOut> = answers.into_iter().flatten().collect();
    let loss = class_loss.value() + config.span_loss_weight * span_loss.value();
    Ok(Scored { scores: scores_of(&held_out, task, loss), held_out })
}

fn answers_of(members: &[&Item], logs: &LogProbs, task: &Task) -> Vec<HeldOut> {
    let (classes, tags) = (task.classes.len(), tag_count(task.labels.len()));
    let mut first_unit = 0;
    let mut answers = Vec::with_capacity(members.len());
    for (row, item) in members.iter().enumerate() {
        let probabilities: Vec<f32> = logs.class.iter().skip(row * classes).take(classes).map(|log| log.exp()).collect();
        let class = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class as u16);
        let units = &item.reading.units;
        let own = logs.tags.get(first_unit * tags..(first_unit + units.len()) * tags).unwrap_or_default();
        first_unit += units.len();
        let likely: Vec<f32> = own.iter().map(|log| log.exp()).collect();
        let spans = decode_spans(&item.example.text, units, &viterbi(own, tags), &likely);
        let key = |range: crate::project::TextRange, label| (range.start() as u32, range.end() as u32, label);
        let gold = item.example.spans.as_ref().filter(|_| item.tags.is_some());
        answers.push(HeldOut {
            doc: item.example.doc.0,
            gold_class: item.class,
            class,
            probabilities,
            gold_spans: gold.map(|spans| spans.iter().map(|(range, label)| key(*range, *label)).collect()),
            spans: spans.iter().map(|span| key(span.range, span.label)).collect(),
        });
    }
    answers
}

fn scores_of(held_out: &[HeldOut], task: &Task, loss: f64) -> Scores {
    let pairs: Vec<(u16, u16)> = held_out.iter().filter_map(|doc| Some((doc.gold_class?, doc.class?))).collect();
    let mut scores = Scores { loss, ..Scores::default() };
    if let Some(class) = class_scores(task.classes, &pairs) {
        scores.accuracy = Some(class.accuracy);
        scores.macro_f1 = Some(class.macro_f1);
        scores.per_class = class.per_class;
        scores.confusion = class.confusion;
    }
    let marked = held_out.iter().filter_map(|doc| Some((doc.gold_spans.as_deref()?, doc.spans.as_slice())));
    let marked: Vec<(&[SpanKey], &[SpanKey])> = marked.collect();
    if !marked.is_empty() {
        (scores.span_f1, scores.per_span_label) = span_scores(task.labels, marked);
    }
    scores
}

/// A weighted mean of losses.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, log_probs: &[f32], targets: &Targets) {
        let Some(width) = log_probs.len().checked_div(targets.targets.len()).filter(|width| *width > 0) else { return };
        for ((row, target), weight) in log_probs.chunks_exact(width).zip(&targets.targets).zip(&targets.weights) {
            self.sum -= f64::from(row[*target as usize]) * f64::from(*weight);
            self.weight += f64::from(*weight);
        }
    }

    fn value(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}
