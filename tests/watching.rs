//! What a run keeps for being looked at: documents answered wrongly at each evaluation, norms of each layer, notes, sizes,
//! event files for TensorBoard.

use crate::train::{quick, run_until, toys};
use gloss::store::{Runs, tensorboard};
use gloss::train::{
    Evaluation, LabelScore, LayerNorms, LayerStats, Scores, Signal, StepEvent, TrainConfig, TrainData, TrainEvent, wrong_documents,
};
use std::collections::BTreeMap;

#[test]
fn a_run_tells_of_its_layers_only_when_asked() {
    let told = run_until(&toys(), &TrainConfig { layer_stats: true, layers: 2, ..quick() }, |_| Signal::Continue).unwrap();
    assert_eq!(told.layers.iter().map(|layers| layers.step).collect::<Vec<_>>(), [1, 2, 3, 4], "a short run tells of each step");
    let LayerStats { layers, .. } = &told.layers[0];
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(&names[..3], ["embeddings", "layer 1", "layer 2"], "{names:?}");
    assert!(names.len() > 3, "heads come last: {names:?}");
    assert!(layers.iter().all(|layer| layer.gradient > 0.0 && layer.weight > 0.0), "{layers:?}");
    let whole = layers.iter().map(|layer| layer.gradient.powi(2)).sum::<f64>().sqrt();
    assert!((whole / told.steps[0].grad_norm - 1.0).abs() < 1e-4, "{whole}, all together {}", told.steps[0].grad_norm);

    let quiet = run_until(&toys(), &TrainConfig { layers: 2, ..quick() }, |_| Signal::Continue).unwrap();
    assert!(quiet.layers.is_empty());
    let without_time = |steps: &[StepEvent]| steps.iter().map(|step| (step.loss, step.grad_norm)).collect::<Vec<_>>();
    assert_eq!(without_time(&quiet.steps), without_time(&told.steps), "looking changes nothing");
    let report = told.report.unwrap();
    let last = told.evaluations.iter().find(|evaluation| evaluation.step == report.best_step).unwrap();
    assert_eq!(last.wrong.get("class"), wrong_documents(&report.held_out).get("class"));
}

#[test]
fn evaluations_of_old_runs_are_read() {
    let old = r#"{"event":"evaluated","step":3,"epoch":1.0,"scores":{"loss":0.5,"accuracy":null,"macro_f1":null,"per_class":[],"confusion":[],"span_f1":null,"per_span_label":[]},"is_best":true}"#;
    let TrainEvent::Evaluated(read) = serde_json::from_str(old).unwrap() else { panic!() };
    assert!(read.wrong.is_empty());
    let wrong = BTreeMap::from([("class".to_owned(), vec![1, 9])]);
    let event = TrainEvent::Evaluated(Evaluation { wrong, ..read });
    assert_eq!(serde_json::from_str::<TrainEvent>(&serde_json::to_string(&event).unwrap()).unwrap(), event);
}

#[test]
fn notes_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    drop(runs.start(&TrainConfig::default(), &TrainData::default(), 0).unwrap());
    let before = runs.summary("run-0001").unwrap();
    assert!(before.notes.is_empty() && before.bytes > 0);
    let notes = "标注改过之后的第一次 🎯\nrate too high?";
    runs.set_notes("run-0001", notes).unwrap();
    let after = runs.summary("run-0001").unwrap();
    assert_eq!((after.notes.as_str(), after.bytes), (notes, before.bytes + notes.len() as u64));
    runs.set_notes("run-0001", "").unwrap();
    runs.set_notes("run-0001", "").unwrap();
    assert_eq!(runs.summary("run-0001").unwrap(), before);
    assert!(runs.set_notes("run-0002", "x").is_err() && runs.set_notes("../run-0001", "x").is_err());
}

#[test]
fn checksums_are_those_of_the_standard() {
    // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
    assert_eq!(tensorboard::crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(tensorboard::crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(tensorboard::crc32c(&[0xff; 32]), 0x62a8_ab43);
}

/// A message's fields: number, and the bytes or number in it.
fn fields(mut message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let varint = |message: &mut &[u8]| {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = message[0];
            *message = &message[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => {
                let value = varint(&mut message);
                found.push(((key >> 3) as u8, value.to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        found.push(((key >> 3) as u8, message[..length].to_vec()));
        message = &message[length..];
    }
    found
}

/// Messages of a file of records, their checksums looked at.
fn records(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let check = |bytes: &[u8], said: &[u8]| {
        let crc = tensorboard::crc32c(bytes);
        let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked.to_le_bytes(), said);
    };
    while !file.is_empty() {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        check(&file[..8], &file[8..12]);
        check(&file[12..12 + length], &file[12 + length..16 + length]);
        found.push(file[12..12 + length].to_vec());
        file = &file[16 + length..];
    }
    found
}

#[test]
fn tensorboard_reads_what_is_written() {
    let step = StepEvent {
        step: 300,
        epoch: 1.0,
        loss: 0.5,
        class_loss: Some(0.25),
        span_loss: None,
        polarity_loss: None,
        link_loss: None,
        question_loss: None,
        lr: 1e-4,
        grad_norm: 2.0,
        tokens_per_s: 9.0,
    };
    let label = LabelScore { name: "负面".to_owned(), precision: 1.0, recall: 0.5, f1: 0.75, support: 4 };
    let scores = Scores { loss: 0.125, macro_f1: Some(0.5), per_class: vec![label], ..Scores::default() };
    let norms = LayerNorms { name: "layer 1".to_owned(), gradient: 3.0, weight: 8.0 };
    let events = [
        TrainEvent::Step(step),
        TrainEvent::Layers(LayerStats { step: 300, layers: vec![norms] }),
        TrainEvent::Evaluated(Evaluation { step: 300, epoch: 1.0, scores, is_best: true, wrong: BTreeMap::new() }),
        TrainEvent::Checkpoint { step: 300 },
    ];
    let messages = records(&tensorboard::event_file(&events, 5_000, 60.0));
    assert_eq!(messages.len(), 4, "the version, and one for each event with numbers");
    let version = fields(&messages[0]);
    assert_eq!(version, [(1, 5f64.to_le_bytes().to_vec()), (3, b"brain.Event:2".to_vec())]);
    let mut values = BTreeMap::new();
    for message in &messages[1..] {
        let of_event = fields(message);
        assert_eq!(of_event[0], (1, 65f64.to_le_bytes().to_vec()));
        assert_eq!(of_event[1], (2, 300u64.to_le_bytes().to_vec()));
        for (_, value) in fields(&of_event[2].1) {
            let value = fields(&value);
            values.insert(String::from_utf8(value[0].1.clone()).unwrap(), f32::from_le_bytes(value[1].1.clone().try_into().unwrap()));
        }
    }
    let expected = [
        ("train/loss", 0.5),
        ("train/loss_class", 0.25),
        ("train/learning_rate", 1e-4),
        ("train/gradient_norm", 2.0),
        ("dev/loss", 0.125),
        ("dev/macro_f1", 0.5),
        ("dev_class_f1/负面", 0.75),
        ("gradient_norms/layer 1", 3.0),
        ("weight_norms/layer 1", 8.0),
    ];
    for (tag, value) in expected {
        assert_eq!(values.get(tag), Some(&value), "{tag} of {values:?}");
    }
    assert_eq!(values.len(), expected.len() + 1, "and tokens a second");
}
