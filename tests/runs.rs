//! Runs, model folders and settings on the disk.

use gloss::nn::{ModelFiles, Weights};
use gloss::store::{Language, RunStatus, RunWriter, Runs, Settings, StoreError, Theme, model_folder};
use gloss::train::{Report, Scores, StepEvent, TrainConfig, TrainData, TrainEvent};
use std::fs;
use std::path::Path;

fn report() -> Report {
    Report {
        scores: Scores { accuracy: Some(0.9), macro_f1: Some(0.8), ..Scores::default() },
        scored_on: "dev".to_owned(),
        slices: Vec::new(),
        examples: 10,
        aspects: Vec::new(),
        best_step: 3,
        best_epoch: 1.0,
        stopped_early: false,
        stopped_by_hand: false,
        seconds: 1.5,
        real_tokens_per_s: 100.0,
        reliability: Vec::new(),
        eight_bits: None,
        held_out: Vec::new(),
    }
}

fn step(step: usize) -> TrainEvent {
    TrainEvent::Step(StepEvent {
        step,
        epoch: 0.1,
        loss: 0.5,
        class_loss: None,
        span_loss: None,
        polarity_loss: None,
        link_loss: None,
        question_loss: None,
        lr: 1e-4,
        grad_norm: 1.0,
        tokens_per_s: 9.0,
    })
}

fn data() -> TrainData {
    TrainData { revision: 7, classes: vec!["负面".to_owned(), "正面".to_owned()], ..TrainData::default() }
}

fn start(runs: &Runs) -> RunWriter {
    runs.start(&TrainConfig::default(), &data(), 42).unwrap()
}

/// A model whose weights are a well-formed safetensors file of one number.
pub fn small_model() -> ModelFiles {
    let header = br#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &1f32.to_le_bytes()].concat();
    let config = r#"{"model_type":"bert","max_position_embeddings":512,"id2label":{"0":"负面","1":"正面"},"gloss":{"version":1}}"#;
    ModelFiles { config: config.to_owned(), weights: Weights::Safetensors(bytes.into()), ..ModelFiles::shipped() }
}

fn weights(files: &ModelFiles) -> Vec<u8> {
    match &files.weights {
        Weights::Safetensors(bytes) => bytes.to_vec(),
        Weights::Gguf(bytes) => bytes.to_vec(),
    }
}

#[test]
fn a_run_keeps_its_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("评论.gloss"));
    assert!(runs.list().is_empty() && runs.newest_finished().is_none());
    let mut run = start(&runs);
    assert_eq!(run.id(), "run-0001");
    assert_eq!(runs.list()[0].status, RunStatus::Running);
    let events = [step(1), step(2), TrainEvent::Checkpoint { step: 2 }, TrainEvent::Finished(report())];
    events.iter().for_each(|event| run.event(event).unwrap());
    run.finish(&small_model(), &report()).unwrap();
    drop(run);
    let summary = &runs.list()[0];
    assert_eq!((summary.status.clone(), summary.started_ms, summary.revision), (RunStatus::Finished, 42, 7));
    assert_eq!((&summary.report, &summary.config, &summary.classes), (&Some(report()), &TrainConfig::default(), &data().classes));
    assert_eq!(runs.events("run-0001").unwrap(), events);
    assert_eq!(weights(&runs.model("run-0001").unwrap()), weights(&small_model()));
    assert_eq!(runs.newest_finished().as_ref(), Some(summary));
    assert!(folder.path().join("评论.runs/run-0001/model/model.safetensors").exists());
}

#[test]
fn endings() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    start(&runs).fail("the loss is not a number").unwrap();
    start(&runs).cancelled().unwrap();
    drop(start(&runs));
    let alive = start(&runs);
    let ended: Vec<RunStatus> = runs.list().into_iter().map(|run| run.status).collect();
    let failed = RunStatus::Failed("the loss is not a number".to_owned());
    assert_eq!(ended, [failed, RunStatus::Cancelled, RunStatus::Interrupted, RunStatus::Running]);
    assert!(matches!(runs.model("run-0003"), Err(StoreError::Run { .. })));
    assert!(runs.delete("run-0004").is_err(), "it is still running");
    drop(alive);
    runs.delete("run-0004").unwrap();
    runs.delete("run-0002").unwrap();
    let left: Vec<String> = runs.list().into_iter().map(|run| run.id).collect();
    assert_eq!(left, ["run-0001", "run-0003"]);
    assert_eq!(start(&runs).id(), "run-0004");
    for id in ["../run-0001", "run-0002", "", "run-1", "/"] {
        assert!(runs.events(id).is_err() && runs.delete(id).is_err() && runs.model(id).is_err(), "{id:?}");
    }
}

#[test]
fn the_hash_tells_data_apart() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    let other = TrainData { classes: vec!["负面正面".to_owned()], ..data() };
    for data in [data(), data(), other] {
        runs.start(&TrainConfig::default(), &data, 0).unwrap();
    }
    let hashes: Vec<String> = runs.list().into_iter().map(|run| run.data_hash).collect();
    assert!(hashes[0] == hashes[1] && hashes[0] != hashes[2] && hashes[0].len() == 64, "{hashes:?}");
}

#[test]
fn damaged_runs_are_left_out_and_the_others_shown() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    for _ in 0..3 {
        let mut run = start(&runs);
        run.event(&step(1)).unwrap();
        run.finish(&small_model(), &report()).unwrap();
    }
    fs::write(runs.folder().join("run-0001/run.json"), "{").unwrap();
    fs::remove_file(runs.folder().join("run-0002/report.json")).unwrap();
    fs::create_dir(runs.folder().join("run-0009")).unwrap();
    fs::write(runs.folder().join("notes.txt"), "mine").unwrap();
    let events = runs.folder().join("run-0003/events.jsonl");
    let whole = fs::read_to_string(&events).unwrap();
    fs::write(&events, whole.clone() + &whole[..whole.len() / 2]).unwrap();
    let left: Vec<String> = runs.list().into_iter().map(|run| run.id).collect();
    assert_eq!(left, ["run-0003"]);
    assert_eq!(runs.events("run-0003").unwrap(), [step(1)], "a line cut short is left out");
}

/// The folder must be refused with these words.
#[track_caller]
fn refused(folder: &Path, words: &str) {
    let said = model_folder::read(folder).err().unwrap().to_string();
    assert!(said.contains(words), "{said}");
}

#[test]
fn model_folders_name_what_is_missing_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    refused(&path, "There is no such file");
    model_folder::write(&path, &small_model()).unwrap();
    let read = model_folder::read(&path).unwrap();
    assert_eq!((read.config, &read.tokenizer), (small_model().config, &small_model().tokenizer));
    assert!(matches!(model_folder::write(&path, &small_model()), Err(StoreError::Exists { .. })));

    let damage = |name: &str, content: &[u8], words: &str| {
        let whole = fs::read(path.join(name)).unwrap();
        fs::write(path.join(name), content).unwrap();
        refused(&path, words);
        fs::remove_file(path.join(name)).unwrap();
        refused(&path, &format!("{name} is missing"));
        fs::write(path.join(name), whole).unwrap();
    };
    let cut = weights(&small_model());
    damage("config.json", b"{\"model_type\":", "config.json is damaged");
    damage("config.json", b"[]", "config.json is damaged");
    damage("tokenizer.json", b"{", "tokenizer.json is damaged");
    damage("model.safetensors", &cut[..cut.len() - 1], "model.safetensors is damaged");
    damage("model.safetensors", b"", "model.safetensors is damaged");
    fs::rename(path.join("model.safetensors"), path.join("pytorch_model.bin")).unwrap();
    refused(&path, "pytorch_model.bin");
    fs::write(path.join("encoder.gguf"), "GGUF of someone else").unwrap();
    refused(&path, "encoder.gguf is not the encoder of this Gloss");
}

#[test]
fn a_model_is_written_as_the_name_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("模型.onnx");
    let files = small_model();
    // Twice: a file is replaced, unlike a folder.
    for _ in 0..2 {
        // The small model of these tests has no weights to make a graph of.
        let said = model_folder::export(&path, &files).unwrap_err().to_string();
        assert!(said.contains("模型.onnx"), "{said}");
        assert!(!path.exists());
    }
    model_folder::export(&path, &ModelFiles::shipped()).unwrap();
    model_folder::export(&path, &ModelFiles::shipped()).unwrap();
    let model = std::fs::read(&path).unwrap();
    assert!(model.len() > 100_000_000, "{}", model.len());
    assert_eq!(&std::fs::read(folder.path().join("模型.tokenizer.json")).unwrap()[..], &ModelFiles::shipped().tokenizer[..]);
    model_folder::export(&folder.path().join("folder"), &files).unwrap();
    assert!(folder.path().join("folder/config.json").exists());
}

#[test]
fn model_folders_are_what_transformers_expects() {
    let folder = tempfile::tempdir().unwrap();
    model_folder::write(folder.path(), &small_model()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join("tokenizer_config.json")).unwrap()).unwrap();
    let shipped: serde_json::Value = serde_json::from_str(include_str!("../assets/encoder/tokenizer_config.json")).unwrap();
    for key in ["tokenizer_class", "model_max_length", "cls_token", "sep_token", "pad_token", "unk_token", "mask_token"] {
        assert_eq!(json[key], shipped[key], "{key}");
    }
    let card = fs::read_to_string(folder.path().join("README.md")).unwrap();
    assert!(card.contains("- 0: 负面\n- 1: 正面\n"), "{card}");
}

#[test]
fn the_shipped_encoder_can_be_written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    model_folder::write(folder.path(), &ModelFiles::shipped()).unwrap();
    let read = model_folder::read(folder.path()).unwrap();
    assert!(matches!(read.weights, Weights::Gguf(_)) && weights(&read) == weights(&ModelFiles::shipped()));
}

#[test]
fn settings_are_kept_and_never_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("not there yet");
    assert_eq!(Settings::load_from(&config), Settings::default());
    let mut settings = Settings { language: Language::Chinese, theme: Theme::Dark, author: "王".to_owned(), ..Settings::default() };
    for name in ["a", "b", "a", "c"] {
        settings.remember(Path::new(name));
    }
    assert_eq!(settings.recent, [Path::new("c"), Path::new("a"), Path::new("b")]);
    settings.forget(Path::new("c"));
    assert_eq!((settings.recent.len(), &settings.last_project), (2, &None));
    settings.save_to(&config).unwrap();
    assert_eq!(Settings::load_from(&config), settings);
    let file = config.join("settings.json");
    let changed = fs::read_to_string(&file).unwrap().replace("\"dark\"", "\"sepia\"").replacen('{', "{\"later\": 1,", 1);
    fs::write(&file, changed).unwrap();
    assert_eq!(Settings::load_from(&config), Settings { theme: Theme::default(), ..settings }, "one unknown value costs only itself");
    for broken in ["", "{", "[]", "\u{0}\u{0}"] {
        fs::write(&file, broken).unwrap();
        assert_eq!(Settings::load_from(&config), Settings::default());
    }
}
