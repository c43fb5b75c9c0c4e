//! Going on from an earlier run's model with rehearsal, and cross-validation: the documents, the command line.

use super::small;
use super::stage::{Stage, tiny, train};
use super::train::toys;
use gloss::desk::{Command, RunStatus};
use gloss::project::{DocId, Split};
use gloss::store::Runs;
use gloss::train::{TrainConfig, TrainData};
use gloss::ui::panes::train::TrainPane;
use std::collections::BTreeSet;

fn docs(data: &TrainData, split: Split) -> BTreeSet<u32> {
    data.examples.iter().filter(|example| example.split == split).map(|example| example.doc.0).collect()
}

#[test]
fn a_share_of_what_was_learnt_is_learnt_again() {
    let learnt: BTreeSet<DocId> = (0..10).map(DocId).collect();
    let after = |share, seed| {
        let mut data = toys();
        let left_out = data.rehearse(&learnt, share, seed);
        assert_eq!(left_out, 32 - data.examples.len());
        assert_eq!(docs(&data, Split::Dev).len(), 16, "what it is judged by stays");
        docs(&data, Split::Train)
    };
    assert_eq!(after(1.0, 0), (0..16).collect());
    assert_eq!(after(0.0, 0), (10..16).collect());
    let some = after(0.5, 0);
    assert!(some.len() > 6 && some.len() < 16 && some.is_superset(&(10..16).collect()), "{some:?}");
    assert_eq!(some, after(0.5, 0));
    assert!((1..20).any(|seed| after(0.5, seed) != some));
}

#[test]
fn folds_are_alike_and_hold_every_document_once() {
    let mut data = toys();
    data.examples[20].split = Split::Test;
    let mut held_out = Vec::new();
    for fold in 0..4 {
        let mut dealt = data.clone();
        dealt.deal_folds(fold, 4, 7);
        assert_eq!(docs(&dealt, Split::Test).len(), 1, "a test document stays one");
        let dev: Vec<u16> = dealt.examples.iter().filter(|e| e.split == Split::Dev).filter_map(|e| e.class).collect();
        assert!((7..=8).contains(&dev.len()));
        let ones = dev.iter().filter(|class| **class == 1).count();
        assert!((3..=5).contains(&ones), "{dev:?}");
        held_out.extend(docs(&dealt, Split::Dev));
    }
    let unique: BTreeSet<u32> = held_out.iter().copied().collect();
    assert_eq!((held_out.len(), unique.len()), (31, 31));
    let fold = |seed| {
        let mut dealt = data.clone();
        dealt.deal_folds(0, 4, seed);
        docs(&dealt, Split::Dev)
    };
    assert_eq!(fold(1), fold(1));
    assert_ne!(fold(1), fold(2));
}

#[test]
fn a_run_goes_on_from_the_model_of_another() {
    let mut harness = Stage::with_reviews(40).harness(TrainPane::ui);
    harness.run_steps(3);
    let encoder = small::choice(harness.state().desk.path().unwrap().parent().unwrap());
    train(&mut harness, TrainConfig { encoder, epochs: 6, ..tiny() });
    let first = harness.state().desk.run_view().unwrap().report.clone().unwrap();
    let config = TrainConfig { layers: 0, epochs: 1, lr: 1e-9, continue_from: "run-0001".to_owned(), replay: 0.5, ..tiny() };
    train(&mut harness, config.clone());
    let view = harness.state().desk.run_view().unwrap().clone();
    let second = view.report.unwrap();
    // A rate that changes nothing: the model is the other one's.
    assert!((first.scores.loss - second.scores.loss).abs() < 1e-3, "{} then {}", first.scores.loss, second.scores.loss);
    let runs = Runs::of(harness.state().desk.path().unwrap());
    let (all, some) = (runs.learnt_from("run-0001").unwrap(), runs.learnt_from("run-0002").unwrap());
    assert!(some.is_subset(&all) && some.len() < all.len() && view.started.unwrap().train_examples == some.len());

    let unknown = TrainConfig { continue_from: "run-0009".to_owned(), ..config.clone() };
    harness.state_mut().desk.run(Command::StartTraining(Box::new(unknown)));
    assert!(!harness.state().desk.is_training());
    // Labels in another order would be taken for each other.
    let model = runs.folder().join("run-0001/model/config.json");
    let swapped = std::fs::read_to_string(&model).unwrap().replace("\"neutral\"", "\"中性\"");
    std::fs::write(&model, swapped).unwrap();
    train(&mut harness, config);
    let last = harness.state().desk.runs().last().unwrap().clone();
    let RunStatus::Failed(reason) = last.status else { panic!("{:?}", last.status) };
    assert!(reason.contains("train from the encoder instead"), "{reason}");
}

#[test]
fn cross_validation_on_the_command_line() {
    let mut harness = Stage::with_reviews(40).harness(TrainPane::ui);
    harness.run_steps(3);
    let path = harness.state().desk.path().unwrap().to_owned();
    harness.state_mut().desk.run(Command::CloseProject);
    let gloss::train::EncoderChoice::Folder(encoder) = small::choice(path.parent().unwrap()) else { panic!("no folder") };
    let arguments = ["--folds", "3", "--json", "--set", "layers=1", "--set", "epochs=1", "--set", "max_length=24"];
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_gloss"))
        .arg("train")
        .arg(&path)
        .arg("--encoder")
        .arg(encoder)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(program.status.code(), Some(0), "{}", String::from_utf8_lossy(&program.stderr));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(program.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let scores: Vec<f64> = lines.iter().filter(|line| line["event"] == "finished").map(|line| line["macro_f1"].as_f64().unwrap()).collect();
    assert_eq!(scores.len(), 3);
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["folds"]), (&"folds".into(), &3.into()));
    let mean = scores.iter().sum::<f64>() / 3.0;
    assert!((last["scores"]["macro_f1"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{last}");
    let deviation = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert!((last["scores"]["macro_f1"]["deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
    let runs = Runs::of(&path).list();
    assert_eq!(runs.iter().map(|run| (run.config.folds, run.config.fold)).collect::<Vec<_>>(), [(3, 0), (3, 1), (3, 2)]);
    let held_out: usize = runs.iter().map(|run| run.report.as_ref().unwrap().held_out.len()).sum();
    assert_eq!(held_out, 40);
}
