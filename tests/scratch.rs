//! Networks without pretraining through a whole run: settings, learning, the model's files, answers, the command line.

use crate::train::{quick, toys, weights};
use gloss::desk::base_files;
use gloss::nn::ModelFiles;
use gloss::predict::{Asked, Predictor};
use gloss::store::model_folder;
use gloss::train::{
    EncoderChoice, ModelChoice, Outcome, Pooling, Report, Signal, Started, TrainConfig, TrainData, TrainEvent, VocabularyUnit, fit,
};
use std::time::Duration;

const SCRATCH: [ModelChoice; 4] = [ModelChoice::Lstm, ModelChoice::Gru, ModelChoice::Rnn, ModelChoice::Cnn];

/// A small network that learns sixteen texts by heart.
fn small(model: ModelChoice) -> TrainConfig {
    TrainConfig {
        epochs: 40,
        lr: 1e-2,
        batch_examples: 8,
        dropout: 0.0,
        embedding_size: 12,
        hidden_size: 10,
        vocabulary_min_count: 1,
        kernel_sizes: vec![2, 3],
        patience: 0,
        ..TrainConfig::of_model(model)
    }
}

struct Ran {
    started: Started,
    report: Report,
    files: ModelFiles,
}

fn run(data: &TrainData, config: &TrainConfig) -> Ran {
    let base = base_files(config, data).unwrap();
    let (mut started, mut report) = (None, None);
    let outcome = fit(data, config, &base, &|| Duration::from_millis(1), &mut |event| {
        match event {
            TrainEvent::Started(told) => started = Some(told),
            TrainEvent::Finished(told) => report = Some(told),
            _ => {}
        }
        Signal::Continue
    });
    let Outcome::Finished(files) = outcome.unwrap() else { panic!("cancelled") };
    Ran { started: started.unwrap(), report: report.unwrap(), files: *files }
}

#[test]
fn every_network_learns_classes_and_spans() {
    for model in SCRATCH {
        let Ran { started, report, files } = run(&toys(), &small(model));
        assert!(started.notes[0].starts_with(model.name()), "{:?}", started.notes);
        assert_eq!(report.scores.macro_f1, Some(1.0), "{model:?}: {:?}", report.scores);
        assert!(report.scores.span_f1 > Some(0.9), "{model:?}: {:?}", report.scores);
        // The model answers as the run did.
        let predictor = Predictor::new(&files).unwrap();
        for (doc, example) in report.held_out.iter().zip(toys().examples.iter().skip(16)) {
            let answer = predictor.predict(&example.text).unwrap();
            let best = answer.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            assert_eq!((Some(best as u16), doc.doc), (doc.class, example.doc.0));
            let spans: Vec<(u32, u32, u16)> =
                answer.spans.iter().map(|span| (span.range.start() as u32, span.range.end() as u32, span.label)).collect();
            assert_eq!(spans, doc.spans, "{model:?}: {}", example.text);
        }
    }
}

#[test]
fn transitions_and_every_pooling_are_learnt() {
    for pooling in [Pooling::Attention, Pooling::Last, Pooling::Mean, Pooling::Max] {
        let config = TrainConfig { pooling, crf: true, bidirectional: false, network_layers: 2, ..small(ModelChoice::Gru) };
        let config = TrainConfig { vocabulary: VocabularyUnit::Characters, ..config };
        let Ran { report, .. } = run(&toys(), &config);
        assert!(report.scores.macro_f1 > Some(0.8), "{pooling:?}: {:?}", report.scores);
    }
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let of = |seed| weights(&run(&toys(), &TrainConfig { seed, epochs: 2, dropout: 0.3, ..small(ModelChoice::Lstm) }).files);
    let first = of(3);
    assert!(first == of(3));
    assert!(first != of(4));
    assert!(first.contains_key("rnn.weight_hh_l0_reverse") && first.contains_key("pooling.context.weight"));
}

#[test]
fn texts_of_one_word_are_no_mistake() {
    let mut data = toys();
    for example in &mut data.examples {
        example.text = if example.class == Some(1) { "好".into() } else { "bad".into() };
        example.spans = None;
    }
    data.span_labels.clear();
    let Ran { report, .. } = run(&data, &TrainConfig { epochs: 20, ..small(ModelChoice::Lstm) });
    assert_eq!(report.scores.accuracy, Some(1.0));
}

#[test]
fn words_speak_for_an_answer() {
    let Ran { files, .. } = run(&toys(), &small(ModelChoice::Lstm));
    let predictor = Predictor::new(&files).unwrap();
    let text = "the staff was friendly";
    let answer = predictor.predict(text).unwrap();
    let class = u16::from(answer.probabilities[1] > answer.probabilities[0]);
    let reasons = predictor.why(text, &answer, Asked::Class(class)).unwrap();
    assert_eq!(reasons.iter().map(|reason| reason.range.of(text)).collect::<Vec<_>>(), ["the", "staff", "was", "friendly"]);
    // To first order: what a longer step along the reasons' direction would bring is their sum.
    assert!(reasons.iter().any(|reason| reason.weight.abs() > 1e-4), "{reasons:?}");
    assert!(predictor.why("", &predictor.predict("").unwrap(), Asked::Class(0)).unwrap().is_empty());
}

#[test]
fn word_vectors_begin_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.txt");
    std::fs::write(&path, "friendly 0.1 0.2 0.3\n冷漠 0.4 0.5 0.6\nabsent 1 1 1\n").unwrap();
    let config = TrainConfig { word_vectors: Some(path), tune_embeddings: false, epochs: 2, ..small(ModelChoice::Gru) };
    let Ran { started, files, .. } = run(&toys(), &config);
    assert!(started.notes.iter().any(|note| note.contains("2 of") && note.contains("vectors.txt")), "{:?}", started.notes);
    let json: serde_json::Value = serde_json::from_slice(&files.tokenizer).unwrap();
    let row = json["tokens"].as_array().unwrap().iter().position(|token| token == "冷漠").unwrap();
    let table = &weights(&files)["word_embeddings.weight"];
    let numbers: Vec<f32> = table[row * 12..][..12].chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(numbers, [0.4, 0.5, 0.6], "the dimension is the file's, and the table does not learn");
    let learning = run(&toys(), &TrainConfig { tune_embeddings: true, ..config });
    assert_ne!(&weights(&learning.files)["word_embeddings.weight"], table);
    let broken = TrainConfig { word_vectors: Some(folder.path().join("absent.bin")), ..small(ModelChoice::Gru) };
    assert!(base_files(&broken, &toys()).err().unwrap().to_string().contains("absent.bin"));
}

#[test]
fn settings_follow_the_model() {
    let mut config = TrainConfig { seed: 7, ..TrainConfig::default() };
    config.set("model", "lstm").unwrap();
    assert_eq!((config.model, config.seed, config.lr, config.head_lr_factor), (ModelChoice::Lstm, 7, 1e-3, 1.0));
    assert!(config.tune_embeddings && config.batch_examples > TrainConfig::default().batch_examples);
    config.set("model", "cnn").unwrap();
    assert_eq!(config.pooling, Pooling::Max);
    config.set("model", "encoder").unwrap();
    assert_eq!(config, TrainConfig { seed: 7, ..TrainConfig::default() });
    for model in ModelChoice::ALL {
        TrainConfig::of_model(model).check().unwrap();
        assert_eq!(TrainConfig::default().for_model(model), TrainConfig::of_model(model));
    }
    for (key, value) in [("vocabulary", "characters"), ("pooling", "mean"), ("kernel_sizes", "2,3，4"), ("word_vectors", "a b.bin")] {
        config.set(key, value).unwrap();
    }
    assert_eq!((config.vocabulary, config.pooling), (VocabularyUnit::Characters, Pooling::Mean));
    assert_eq!((config.kernel_sizes.as_slice(), config.word_vectors.as_deref()), (&[2, 3, 4][..], Some("a b.bin".as_ref())));
    config.set("word_vectors", "none").unwrap();
    assert_eq!(config.word_vectors, None);
    for (key, value, says) in [
        ("model", "transformer", "lstm"),
        ("pooling", "median", "attention"),
        ("kernel_sizes", "3,0", "between 1 and 15"),
        ("kernel_sizes", "", "one to eight"),
        ("kernel_sizes", "three", "number"),
        ("hidden_size", "0", "between 1 and 1024"),
        ("network_layers", "9", "between 1 and 8"),
    ] {
        let error = config.set(key, value).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    // Settings of a run from before there were other models.
    let old: TrainConfig = serde_json::from_str(r#"{"epochs":3,"encoder":"shipped"}"#).unwrap();
    assert_eq!((old.model, old.encoder), (ModelChoice::Encoder, EncoderChoice::Shipped));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |data: &TrainData, config: &TrainConfig, base: &ModelFiles| {
        fit(data, config, base, &|| Duration::ZERO, &mut |_| Signal::Continue).err().unwrap().to_string()
    };
    let data = toys();
    let lstm = base_files(&small(ModelChoice::Lstm), &data).unwrap();
    assert!(refused(&data, &quick(), &lstm).contains("the model encoder"));
    assert!(refused(&data, &small(ModelChoice::Cnn), &ModelFiles::shipped()).contains("the model CNN"));
    let rare = TrainConfig { vocabulary_min_count: 999, ..small(ModelChoice::Lstm) };
    assert!(base_files(&rare, &data).err().unwrap().to_string().contains("lower vocabulary_min_count"));
}

#[test]
fn the_folder_says_whose_form_it_has() {
    let Ran { files, .. } = run(&toys(), &TrainConfig { epochs: 1, ..small(ModelChoice::Cnn) });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("模型");
    model_folder::write(&path, &files).unwrap();
    let card = std::fs::read_to_string(path.join("README.md")).unwrap();
    assert!(card.contains("Gloss's own form") && !card.contains("AutoModel"), "{card}");
    assert!(!path.join("tokenizer_config.json").exists());
    let again = model_folder::read(&path).unwrap();
    let text = "服务很好, the staff was friendly 😀";
    assert_eq!(Predictor::new(&again).unwrap().predict(text).unwrap(), Predictor::new(&files).unwrap().predict(text).unwrap());
    assert!(weights(&files).contains_key("conv.0.1.weight"));
}
