//! Runs as event files of TensorBoard: records of a length, a checksum and a message in protocol-buffer encoding
//! (tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto). Only writes; only plain numbers.

use super::{RunSummary, StoreError, write_atomically};
use crate::train::{Evaluation, LayerStats, Scores, StepEvent, TrainEvent};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a run's curves into a folder that TensorBoard can be pointed at; returns the file.
///
/// # Errors
/// The disk is full or read-only.
pub fn export(run: &RunSummary, events: &[TrainEvent], folder: &Path) -> Result<PathBuf, StoreError> {
    const DOING: &str = "Writing the event file";
    let folder = folder.join(&run.id);
    fs::create_dir_all(&folder).map_err(StoreError::io(DOING, &folder))?;
    let path = folder.join(format!("events.out.tfevents.{}.gloss", run.started_ms.max(0) / 1000));
    let seconds = run.report.as_ref().map_or(0.0, |report| report.seconds);
    write_atomically(&path, &event_file(events, run.started_ms, seconds)).map_err(StoreError::io(DOING, &path))?;
    Ok(path)
}

/// The content of an event file. Our events have no clock, so their times are spread evenly over the `seconds` that the
/// run took from `started_ms` on.
pub fn event_file(events: &[TrainEvent], started_ms: i64, seconds: f64) -> Vec<u8> {
    let start = started_ms as f64 / 1000.0;
    let step_of = |event: &TrainEvent| match event {
        TrainEvent::Step(step) => step.step,
        TrainEvent::Evaluated(evaluation) => evaluation.step,
        TrainEvent::Layers(layers) => layers.step,
        _ => 0,
    };
    let last = events.iter().map(step_of).max().unwrap_or(0).max(1);
    let mut version = time(start);
    field_bytes(&mut version, 3, b"brain.Event:2");
    let mut file = record(&version);
    for event in events {
        let values = values_of(event);
        if values.is_empty() {
            continue;
        }
        let step = step_of(event);
        let mut message = time(start + seconds * step as f64 / last as f64);
        field_varint(&mut message, 2, step as u64);
        let mut summary = Vec::new();
        for (tag, value) in values {
            let mut one = Vec::new();
            field_bytes(&mut one, 1, tag.as_bytes());
            one.push(2 << 3 | FIXED32);
            one.extend((value as f32).to_le_bytes());
            field_bytes(&mut summary, 1, &one);
        }
        field_bytes(&mut message, 5, &summary);
        file.extend(record(&message));
    }
    file
}

/// The numbers of an event by their tags; TensorBoard groups tags by what stands before the slash.
fn values_of(event: &TrainEvent) -> Vec<(String, f64)> {
    match event {
        TrainEvent::Step(step) => of_step(step),
        TrainEvent::Evaluated(evaluation) => of_evaluation(evaluation),
        TrainEvent::Layers(LayerStats { layers, .. }) => layers
            .iter()
            .flat_map(|layer| {
                [(format!("gradient_norms/{}", layer.name), layer.gradient), (format!("weight_norms/{}", layer.name), layer.weight)]
            })
            .collect(),
        TrainEvent::Started(_) | TrainEvent::Checkpoint { .. } | TrainEvent::Finished(_) => Vec::new(),
    }
}

fn of_step(step: &StepEvent) -> Vec<(String, f64)> {
    let losses = [
        ("class", step.class_loss),
        ("spans", step.span_loss),
        ("polarity", step.polarity_loss),
        ("links", step.link_loss),
        ("questions", step.question_loss),
    ];
    let losses = losses.into_iter().filter_map(|(name, loss)| Some((format!("train/loss_{name}"), loss?)));
    let always = [
        ("train/loss", step.loss),
        ("train/learning_rate", step.lr),
        ("train/gradient_norm", step.grad_norm),
        ("train/tokens_per_s", step.tokens_per_s),
    ];
    always.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(losses).collect()
}

fn of_evaluation(evaluation: &Evaluation) -> Vec<(String, f64)> {
    let Scores { loss, accuracy, macro_f1, per_class, span_f1, per_span_label, opinions, questions, .. } = &evaluation.scores;
    let named = [("loss", Some(*loss)), ("accuracy", *accuracy), ("macro_f1", *macro_f1), ("span_f1", *span_f1)];
    let named = named.into_iter().chain(opinions.named());
    let labels = |group: &'static str, scores: &[crate::train::LabelScore]| -> Vec<(String, f64)> {
        scores.iter().map(|label| (format!("{group}/{}", label.name), label.f1)).collect()
    };
    let mut values: Vec<(String, f64)> = named.filter_map(|(name, value)| Some((format!("dev/{name}"), value?))).collect();
    values.extend(labels("dev_class_f1", per_class));
    values.extend(labels("dev_span_f1", per_span_label));
    for question in questions {
        values.extend(question.named().map(|(name, value)| (format!("dev_question/{}/{name}", question.name), value)));
    }
    values
}

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// The start of every event: when it was, in seconds.
fn time(seconds: f64) -> Vec<u8> {
    let mut message = vec![1 << 3 | FIXED64];
    message.extend(seconds.to_le_bytes());
    message
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn field_varint(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | VARINT);
    varint(out, value);
}

fn field_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | BYTES);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(message);
    record.extend(masked(crc32c(message)).to_le_bytes());
    record
}

/// So that a checksum of data that holds checksums stays a good one (tensorflow/core/lib/hash/crc32c.h).
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), bit by bit: event files are small.
pub fn crc32c(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    let step = |crc: u32, _| (crc >> 1) ^ (REVERSED_POLYNOMIAL & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
