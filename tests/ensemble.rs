//! Several runs that answer as one: means and votes, the run they make, what is refused.

use super::made_runs::{add_run, empty_project};
use super::small;
use super::stage::{Stage, draw_until, tiny, train};
use super::train::toys;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, JoinData, join_runs};
use gloss::nn::ModelFiles;
use gloss::predict::{Asked, Predictor};
use gloss::store::{RunStatus, Runs, model_folder};
use gloss::train::TrainConfig;
use gloss::ui::panes::train::TrainPane;

/// Models of two seeds, alone and together.
fn three() -> (Vec<ModelFiles>, ModelFiles) {
    let files = |seed| {
        let config = TrainConfig { seed, epochs: 12, lr: 3e-3, head_lr_factor: 1.0, dropout: 0.0, ..super::train::quick() };
        small::run(&toys(), &config).files.unwrap()
    };
    let own: Vec<ModelFiles> = (0..3).map(files).collect();
    let together = ModelFiles { others: own[1..].to_vec(), ..own[0].clone() };
    (own, together)
}

#[test]
fn probabilities_are_means_and_spans_a_vote() {
    let (own, together) = three();
    let own: Vec<Predictor> = own.iter().map(|files| Predictor::new(files).unwrap()).collect();
    let together = Predictor::new(&together).unwrap();
    let texts: Vec<String> = toys().examples.iter().map(|example| example.text.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).chain(["", "😀 和 cafe\u{301}"]).collect();
    let alone: Vec<_> = own.iter().map(|model| model.predict_many(&texts).unwrap()).collect();
    let joined = together.predict_many(&texts).unwrap();
    assert_eq!(joined.len(), texts.len());
    let (mut votes, mut kept) = (0, 0);
    for (at, answer) in joined.iter().enumerate() {
        for (class, share) in answer.probabilities.iter().enumerate() {
            let mean: f32 = alone.iter().map(|answers| answers[at].probabilities[class]).sum::<f32>() / 3.0;
            assert!((mean - share).abs() < 1e-5, "{mean} {share}");
        }
        let saying =
            |range, label| alone.iter().filter(|own| own[at].spans.iter().any(|span| (span.range, span.label) == (range, label))).count();
        for span in &answer.spans {
            kept += 1;
            assert!(saying(span.range, span.label) >= 2, "two of three mark what stays");
        }
        for span in alone.iter().flat_map(|own| &own[at].spans) {
            votes += usize::from(saying(span.range, span.label) == 1);
        }
    }
    assert!(kept > 0, "and {votes} were marked by one alone");
    // Reasons are a mean too.
    let class = joined[0].best_class().unwrap().0;
    let reasons = together.why(texts[0], &joined[0], Asked::Class(class)).unwrap();
    let first: f32 = own.iter().map(|model| model.why(texts[0], &joined[0], Asked::Class(class)).unwrap()[0].weight).sum::<f32>() / 3.0;
    assert!((reasons[0].weight - first).abs() < 1e-5);
}

#[test]
fn models_that_answer_other_things_are_refused_and_nothing_writes_several() {
    let (own, together) = three();
    let other = ModelFiles { config: own[1].config.replace("\"opinion\"", "\"观点\""), ..own[1].clone() };
    let error = Predictor::new(&ModelFiles { others: vec![other], ..own[0].clone() }).err().unwrap().to_string();
    assert!(error.contains("other things"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    for name in ["model", "model.onnx"] {
        let error = model_folder::export(&folder.path().join(name), &together).unwrap_err().to_string();
        assert!(error.contains("answer together"), "{error}");
        assert!(!folder.path().join(name).exists());
    }
}

#[test]
fn runs_of_two_seeds_become_one() {
    let mut harness = Stage::<TrainPane>::with_reviews(40).harness(TrainPane::ui);
    harness.run_steps(3);
    let encoder = small::choice(harness.state().desk.path().unwrap().parent().unwrap());
    // The same documents are held out: the seed deals them, so another rate it is.
    for lr in [3e-3, 1e-3] {
        train(&mut harness, TrainConfig { encoder: encoder.clone(), layers: 0, epochs: 6, lr, ..tiny() });
    }
    harness.state_mut().desk.run(Command::JoinRuns(vec!["run-0002".to_owned(), "run-0001".to_owned()]));
    assert!(harness.state().desk.is_joining());
    draw_until(&mut harness, |stage| !stage.desk.is_joining());
    let joined = harness.state().desk.runs().iter().find(|run| run.id == "run-0003").unwrap().clone();
    assert_eq!((&joined.status, joined.members.len()), (&RunStatus::Finished, 2));
    let report = joined.report.unwrap();
    let first = harness.state().desk.runs()[0].report.clone().unwrap();
    assert_eq!((report.examples, &report.scored_on), (first.examples, &first.scored_on));
    assert!(report.scores.macro_f1.is_some() && report.scores.span_f1.is_some());
    // It answers in Test, as their mean; the sentence is honest about epochs.
    draw_until(&mut harness, |stage| stage.desk.tester().is_ready());
    assert_eq!(harness.state().desk.tester().run(), Some("run-0003"));
    harness.get_by_label_contains(&format!("on {} held-out reviews", report.examples));
    let path = harness.state().desk.path().unwrap().to_owned();
    let runs = Runs::of(&path);
    assert_eq!(runs.model("run-0003").unwrap().others.len(), 1);
    let error = runs.delete("run-0001").unwrap_err().to_string();
    assert!(error.contains("run-0003 answers by it"), "{error}");
    harness.get_by_label("All runs (3)").click();
    harness.run_steps(3);
    harness.get_by_label_contains("Run 1, Run 2 together");
    runs.delete("run-0003").unwrap();
    runs.delete("run-0001").unwrap();
}

#[test]
fn what_can_not_be_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.gloss");
    empty_project(&path);
    let run = add_run(&path, &TrainConfig::default(), 0, (10, 20));
    let runs = Runs::of(&path);
    let data = JoinData::of(&gloss::project::Project::default(), None);
    let refused = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        join_runs(&runs, &ids, &data, 0).err().unwrap().to_string()
    };
    assert!(refused(&[]).contains("at least two"));
    assert!(refused(&[&run, &run]).contains("at least two"), "a run is no second one of itself");
    assert!(refused(&[&run, "run-0009"]).contains("no run"));
    let writer = runs.start(&TrainConfig::default(), &toys(), 5).unwrap();
    assert!(refused(&[&run, writer.id()]).contains("at least two finished"));
}
