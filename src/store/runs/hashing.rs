//! What a run learns from as one number, so that two runs can be known to have learnt from the same.

use crate::train::{TaughtAnswer, TrainData};
use sha2::{Digest, Sha256};

/// SHA-256, in hexadecimal, of everything that is learnt from, in order and with its lengths.
pub(super) fn data_hash(data: &TrainData) -> String {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for name in data.classes.iter().chain(&data.span_labels) {
        put(name.as_bytes());
    }
    for example in &data.examples {
        put(&example.doc.0.to_le_bytes());
        put(example.text.as_bytes());
        // Only where there are some: data of older runs keeps its hash.
        example.before.iter().for_each(|turn| put(turn.as_bytes()));
        put(example.split.name().as_bytes());
        put(&example.class.map_or(-1i32, i32::from).to_le_bytes());
        put(&example.spans.as_ref().map_or(-1i64, |spans| spans.len() as i64).to_le_bytes());
        for (range, label) in example.spans.iter().flatten() {
            put(&(range.start() as u64).to_le_bytes());
            put(&(range.end() as u64).to_le_bytes());
            put(&label.to_le_bytes());
        }
        for polarity in &example.polarities {
            put(polarity.map_or("", |polarity| polarity.name()).as_bytes());
        }
        // Only where there are some: data of older runs keeps its hash.
        for (at, attribute, value) in
            (0u64..).zip(&example.attributes).flat_map(|(at, said)| said.iter().map(move |(attribute, value)| (at, attribute, value)))
        {
            put(&at.to_le_bytes());
            put(&attribute.to_le_bytes());
            put(&value.to_le_bytes());
        }
        put(&example.links.as_ref().map_or(-1i64, |links| links.len() as i64).to_le_bytes());
        for (from, to) in example.links.iter().flatten() {
            put(&from.to_le_bytes());
            put(&to.to_le_bytes());
        }
        // Only where there are some: data of older runs keeps its hash.
        for (at, answer) in example.answers.iter().enumerate().filter_map(|(at, answer)| Some((at, answer.as_ref()?))) {
            put(&(at as u64).to_le_bytes());
            match answer {
                TaughtAnswer::Labels(labels) => labels.iter().for_each(|label| put(&label.to_le_bytes())),
                TaughtAnswer::Number(number) => put(&number.to_le_bytes()),
            }
        }
    }
    for attribute in &data.attributes {
        put(&attribute.label.to_le_bytes());
        std::iter::once(&attribute.name).chain(&attribute.values).for_each(|name| put(name.as_bytes()));
    }
    for question in &data.questions {
        put(question.name.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
