//! Models of `transformers` in and out: heads as it has them, and tags in whatever scheme. That its own classes compute the
//! same is checked by `tests/peers/classification.py`.

use crate::train::{quick, run, toys, weights};
use gloss::nn::{ModelFiles, PIECE_TAGS};
use gloss::predict::{Asked, PredictError, Prediction, Predictor};
use gloss::train::{Report, TrainConfig, TrainData};
use serde_json::{Value, json};
use std::sync::OnceLock;

const TEXTS: [&str; 4] = ["房间很干净，但是 breakfast was terrible 👨🏻‍🚒", "the soup was cold", " ", "cafe\u{301} 前台热情\r\n"];

/// A run that learns nothing but the tags of pieces.
fn tagging() -> &'static (ModelFiles, Report) {
    static TRAINED: OnceLock<(ModelFiles, Report)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let mut data = TrainData { classes: vec![], ..toys() };
        data.examples.iter_mut().for_each(|example| example.class = None);
        let told = run(&data, &TrainConfig { tag_pieces: true, epochs: 12, ..quick() });
        (told.files.unwrap(), told.report.unwrap())
    })
}

fn with_config(files: &ModelFiles, change: impl FnOnce(&mut Value)) -> ModelFiles {
    let mut config: Value = serde_json::from_str(&files.config).unwrap();
    change(&mut config);
    ModelFiles { config: config.to_string(), ..files.clone() }
}

/// The same as transformers would have saved it.
fn theirs(files: &ModelFiles) -> ModelFiles {
    with_config(files, |config| drop(config.as_object_mut().unwrap().remove("gloss")))
}

fn answers(files: &ModelFiles) -> Vec<Prediction> {
    let predictor = Predictor::new(files).unwrap();
    TEXTS.iter().map(|text| predictor.predict(text).unwrap()).collect()
}

#[track_caller]
fn same(one: &[Prediction], other: &[Prediction]) {
    let close = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    for (one, other) in one.iter().zip(other) {
        assert!(close(&one.probabilities, &other.probabilities), "{:?} {:?}", one.probabilities, other.probabilities);
        assert_eq!((one.spans.len(), one.units.len()), (other.spans.len(), other.units.len()));
        assert!(one.spans.iter().zip(&other.spans).all(|(a, b)| (a.range, a.label) == (b.range, b.label)));
        assert!(one.units.iter().zip(&other.units).all(|(a, b)| a.range == b.range && close(&a.probabilities, &b.probabilities)));
    }
}

#[test]
fn tags_of_pieces_are_kept_as_a_token_classification() {
    let (files, report) = tagging();
    let config: Value = serde_json::from_str(&files.config).unwrap();
    assert_eq!(config["architectures"], json!(["BertForTokenClassification"]));
    assert_eq!(config["id2label"], json!({"0": "O", "1": "B-aspect", "2": "I-aspect", "3": "B-opinion", "4": "I-opinion"}));
    assert_eq!(config["label2id"]["I-opinion"], 4);
    let names = weights(files);
    assert!(names.contains_key("classifier.weight") && !names.keys().any(|name| name.contains("gloss.") || name.contains("pooler")));
    // It answers as the run did, and learnt something.
    assert!(report.scores.span_f1 > Some(0.5), "{:?}", report.scores.span_f1);
    let predictor = Predictor::new(files).unwrap();
    for doc in &report.held_out {
        let example = toys().examples.into_iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        let spans: Vec<_> = answer.spans.iter().map(|span| (span.range.start() as u32, span.range.end() as u32, span.label)).collect();
        assert_eq!(spans, doc.spans, "{}", example.text);
        let reasons = |at| predictor.why(&example.text, &answer, Asked::Span(at)).unwrap();
        assert!((0..spans.len()).all(|at| reasons(at).iter().all(|reason| reason.weight.is_finite())));
    }
}

#[test]
fn a_token_classification_of_transformers_answers() {
    let (files, _) = tagging();
    let ours = answers(files);
    assert!(ours.iter().any(|answer| !answer.spans.is_empty()), "nothing to compare");
    same(&ours, &answers(&theirs(files)));
    // Other schemes: what means the same adds up, what is not told apart is shared.
    let named = |names: [&str; 5]| {
        let files = with_config(&theirs(files), |config| {
            let by_id = names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
            config["id2label"] = Value::Object(by_id);
        });
        let predictor = Predictor::new(&files).unwrap();
        (predictor.span_labels().to_vec(), TEXTS.map(|text| predictor.predict(text).unwrap()))
    };
    for (names, labels) in [
        (["O", "U-a", "B-a", "L-a", "I-a"], vec!["a"]),
        (["O", "S-a", "I-a", "I-b", "E-b"], vec!["a", "b"]),
        (["O", "PER", "LOC", "ORG", "MISC"], vec!["PER", "LOC", "ORG", "MISC"]),
        (["O", "I-a", "I-b", "B-c", "I-c"], vec!["a", "b", "c"]),
    ] {
        let (found, answered) = named(names);
        assert_eq!(found, labels);
        for (one, other) in ours.iter().zip(&answered) {
            assert_eq!(one.units.len(), other.units.len());
            for (one, other) in one.units.iter().zip(&other.units) {
                assert_eq!(other.probabilities.len(), 1 + 2 * labels.len());
                assert!((other.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{names:?}: {:?}", other.probabilities);
                assert!((one.probabilities[0] - other.probabilities[0]).abs() < 1e-4);
            }
        }
    }
    let refused = |change: &dyn Fn(&mut Value)| match Predictor::new(&with_config(&theirs(files), change)) {
        Err(PredictError::Model(why)) => why,
        _ => panic!("accepted"),
    };
    assert!(refused(&|config| config["id2label"]["0"] = json!("B-x")).contains("no tag O"));
    assert!(refused(&|config| config["id2label"] = json!({"0": "O", "7": "B-x"})).contains("no name for 1"));
    assert!(refused(&|config| config["architectures"] = json!(["BertModel"])).contains("an encoder to train from"));
}

#[test]
fn a_sequence_classification_of_transformers_answers() {
    let told = run(&TrainData { span_labels: vec![], ..toys() }, &TrainConfig { epochs: 4, ..quick() });
    let files = told.files.unwrap();
    let others = theirs(&files);
    same(&answers(&files), &answers(&others));
    assert_eq!(Predictor::new(&others).unwrap().classes(), ["negative", "positive"]);
    // transformers leaves out names that it made up itself.
    let nameless = with_config(&others, |config| drop(config.as_object_mut().unwrap().remove("id2label")));
    assert_eq!(Predictor::new(&nameless).unwrap().classes(), ["LABEL_0", "LABEL_1"]);
    let several = with_config(&others, |config| config["problem_type"] = json!("multi_label_classification"));
    assert!(matches!(Predictor::new(&several), Err(PredictError::Model(why)) if why.contains("each label of a text by itself")));
}

#[test]
fn classes_and_tags_of_pieces_are_learnt_together() {
    let told = run(&toys(), &TrainConfig { tag_pieces: true, epochs: 1, ..quick() });
    let files = told.files.unwrap();
    let names = weights(&files);
    assert!(names.contains_key("classifier.weight") && names.contains_key(&format!("{}.weight", PIECE_TAGS[0])));
    let answered = answers(&files);
    assert!(answered.iter().all(|answer| answer.probabilities.len() == 2 && answer.units.iter().all(|unit| unit.probabilities.len() == 5)));
}
