//! Runs that are left and gone on with: the weights are those of a run that was not; files, window and command line.

use super::small;
use super::stage::{Stage, draw_until, tiny};
use super::train::{quick, toys, weights};
use gloss::desk::{Command, Phase, RunStatus};
use gloss::nn::ModelFiles;
use gloss::store::Runs;
use gloss::train::{
    OptimiserChoice, Outcome, Report, Resumable, SavedRun, Signal, TrainConfig, TrainData, TrainError, TrainEvent, Tuned, fit_from,
};
use gloss::ui::panes::train::TrainPane;
use std::cell::Cell;
use std::time::Duration;

/// How a part of a run ended, and what it told.
struct Part {
    files: Option<ModelFiles>,
    state: Option<Vec<u8>>,
    report: Option<Report>,
    steps: Vec<usize>,
    evaluations: Vec<(usize, bool)>,
}

/// Runs from a state until `leave` says so of an event.
fn part(data: &TrainData, config: &TrainConfig, from: Option<&[u8]>, leave: impl Fn(&TrainEvent) -> bool) -> Result<Part, TrainError> {
    let mut part = Part { files: None, state: None, report: None, steps: Vec::new(), evaluations: Vec::new() };
    let from = from.map(SavedRun::read).transpose()?;
    let left = Cell::new(false);
    let mut keep = |state: &gloss::nn::State| {
        if left.get() {
            let mut bytes = Vec::new();
            state.write(&mut bytes).unwrap();
            part.state = Some(bytes);
        }
        Signal::Continue
    };
    let mut sink = |event: TrainEvent| {
        left.set(left.get() || leave(&event));
        match event {
            TrainEvent::Step(step) => part.steps.push(step.step),
            TrainEvent::Evaluated(evaluation) => part.evaluations.push((evaluation.step, evaluation.is_best)),
            TrainEvent::Finished(report) => part.report = Some(report),
            _ => {}
        }
        if left.get() { Signal::Leave } else { Signal::Continue }
    };
    let resumable = Resumable { from, keep: &mut keep };
    match fit_from(data, config, small::files(), resumable, &|| Duration::from_millis(7), &mut sink)? {
        Outcome::Finished(files) => part.files = Some(*files),
        Outcome::Left => assert!(part.state.is_some()),
        Outcome::Cancelled => {}
    }
    Ok(part)
}

fn is_step(wanted: usize) -> impl Fn(&TrainEvent) -> bool {
    move |event| matches!(event, TrainEvent::Step(step) if step.step == wanted)
}

/// Left after each step of a run, and after each evaluation, then gone on with: nothing may differ.
/// Whether a run is left at an event.
type Way<'a> = Box<dyn Fn(&TrainEvent) -> bool + 'a>;

#[track_caller]
fn check_exact(name: &str, config: &TrainConfig) {
    let data = toys();
    let whole = part(&data, config, None, |_| false).unwrap();
    let wanted = weights(&whole.files.unwrap());
    let total = whole.steps.len();
    assert!(total >= 4, "{name}: {total} steps");
    for step in 1..=total {
        let after_evaluation = |event: &TrainEvent| matches!(event, TrainEvent::Evaluated(evaluation) if evaluation.step == step);
        let mut ways: Vec<Way> = vec![Box::new(is_step(step))];
        if whole.evaluations.iter().any(|(at, _)| *at == step) {
            ways.push(Box::new(after_evaluation));
        }
        for leave in ways {
            let first = part(&data, config, None, leave).unwrap();
            assert!(first.files.is_none() && first.steps.len() == step);
            let rest = part(&data, config, first.state.as_deref(), |_| false).unwrap();
            assert_eq!([first.steps, rest.steps].concat(), whole.steps, "{name}");
            assert_eq!([first.evaluations, rest.evaluations].concat(), whole.evaluations, "{name}, left after step {step}");
            assert!(weights(&rest.files.unwrap()) == wanted, "{name}: left after step {step} the weights differ");
            let (found, wanted) = (rest.report.unwrap(), whole.report.as_ref().unwrap());
            assert_eq!((&found.scores, &found.held_out, found.best_step), (&wanted.scores, &wanted.held_out, wanted.best_step), "{name}");
            assert_eq!((found.best_epoch, found.stopped_early), (wanted.best_epoch, wanted.stopped_early), "{name}");
        }
    }
}

/// Dropout, words that are not shown, parts of batches.
fn base() -> TrainConfig {
    TrainConfig { epochs: 2, dropout: 0.2, word_dropout: 0.1, tokens_at_once: 40, ..quick() }
}

#[test]
fn a_run_that_was_left_ends_with_the_same_weights() {
    check_exact("plain", &base());
}

#[test]
fn so_do_tables_whose_rows_lag_behind() {
    check_exact("embeddings", &TrainConfig { tune_embeddings: true, weight_decay: 0.1, ..base() });
}

#[test]
fn so_do_averages_and_low_rank_updates() {
    check_exact("averages", &TrainConfig { ema: 0.7, average_last: 2, evals_per_epoch: 2, tuned: Tuned::Lora, lr: 2e-3, ..base() });
}

#[test]
fn so_do_other_optimisers_and_thawing_layers() {
    let config = TrainConfig { layers: 2, unfreeze_every: 1, ..base() };
    check_exact("momentum", &TrainConfig { optimiser: OptimiserChoice::Sgd, lr: 1e-2, ..config.clone() });
    check_exact("Adafactor", &TrainConfig { optimiser: OptimiserChoice::Adafactor, lr: 1e-3, accumulate: 1, ..config });
}

#[test]
fn patience_goes_on_where_it_was() {
    // So low a rate changes no answer: the second evaluation without a better one ends the run.
    check_exact("patience", &TrainConfig { epochs: 9, lr: 1e-9, patience: 2, ..base() });
}

#[test]
fn leaving_twice_is_as_good_as_once() {
    let (data, config) = (toys(), base());
    let wanted = weights(&part(&data, &config, None, |_| false).unwrap().files.unwrap());
    let first = part(&data, &config, None, is_step(1)).unwrap();
    let second = part(&data, &config, first.state.as_deref(), is_step(3)).unwrap();
    let third = part(&data, &config, second.state.as_deref(), |_| false).unwrap();
    assert!(weights(&third.files.unwrap()) == wanted);
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let (data, config) = (toys(), base());
    let state = part(&data, &config, None, is_step(3)).unwrap().state.unwrap();
    let refused = |bytes: &[u8], config: &TrainConfig| {
        let failed = part(&data, config, Some(bytes), |_| false).err();
        assert!(matches!(failed, Some(TrainError::Saved(_))), "{failed:?}");
    };
    refused(&state[..state.len() - 1], &config);
    refused(b"", &config);
    refused(&state, &TrainConfig { layers: 2, ..config.clone() });
    refused(&state, &TrainConfig { epochs: 1, ..config.clone() });
    refused(&state, &TrainConfig { optimiser: OptimiserChoice::Sgd, ..config.clone() });
}

// ---- in the window ----

fn stage_at(phase: &'static str, config: TrainConfig) -> egui_kittest::Harness<'static, Stage<TrainPane>> {
    let mut harness = Stage::with_reviews(40).harness(TrainPane::ui);
    harness.run_steps(3);
    let encoder = small::choice(harness.state().desk.path().unwrap().parent().unwrap());
    harness.state_mut().desk.run(Command::StartTraining(Box::new(TrainConfig { encoder, ..config })));
    draw_until(&mut harness, |stage| stage.desk.run_view().is_some_and(|view| view.last_step.is_some()));
    if phase == "paused" {
        harness.state_mut().desk.run(Command::PauseTraining(true));
        let path = |stage: &Stage<TrainPane>| Runs::of(stage.desk.path().unwrap()).folder().join("run-0001/state.safetensors");
        draw_until(&mut harness, |stage| path(stage).is_file());
    }
    harness
}

fn long() -> TrainConfig {
    TrainConfig { epochs: 2000, patience: 0, ..tiny() }
}

fn reopen(harness: &mut egui_kittest::Harness<'static, Stage<TrainPane>>) {
    let path = harness.state().desk.path().unwrap().to_owned();
    harness.state_mut().desk.run(Command::CloseProject);
    harness.state_mut().desk.run(Command::OpenProject(path));
    draw_until(harness, |stage| stage.desk.project().is_some());
}

#[test]
fn a_run_that_is_paused_or_closed_can_be_continued_by_its_button() {
    use egui_kittest::kittest::Queryable;
    for phase in ["paused", "going on"] {
        let mut harness = stage_at(phase, long());
        let before = harness.state().desk.run_view().unwrap().last_step.unwrap().step;
        reopen(&mut harness);
        let runs = harness.state().desk.runs().to_vec();
        assert_eq!((runs[0].status.clone(), runs[0].can_resume), (RunStatus::Interrupted, true), "{phase}");
        harness.get_by_label_contains("Run 1: interrupted: can be continued").click();
        harness.run_steps(3);
        assert_eq!(harness.state().desk.run_view().unwrap().phase, Phase::Interrupted);
        // What is labelled meanwhile changes nothing for it.
        harness.state_mut().desk.run(Command::AddDocument("后来添加的评论😀".to_owned()));
        harness.get_by_label("Continue").click();
        draw_until(&mut harness, |stage| stage.desk.run_view().is_some_and(|view| view.last_step.is_some_and(|step| step.step > before)));
        harness.state_mut().desk.run(Command::StopTraining);
        draw_until(&mut harness, |stage| !stage.desk.is_training());
        let stage = harness.state();
        assert_eq!(stage.desk.run_view().unwrap().phase, Phase::Finished, "{phase}");
        let runs = Runs::of(stage.desk.path().unwrap());
        let steps: Vec<usize> = runs
            .events("run-0001")
            .unwrap()
            .iter()
            .filter_map(|event| if let TrainEvent::Step(step) = event { Some(step.step) } else { None })
            .collect();
        assert_eq!(steps, (1..=steps.len()).collect::<Vec<_>>(), "{phase}: each step was told once");
        for name in ["state.safetensors", "data.json"] {
            assert!(!runs.folder().join("run-0001").join(name).exists(), "{name} is of no use any more");
        }
        assert!(!stage.desk.runs()[0].can_resume);
    }
}

#[test]
fn a_finished_or_cancelled_run_can_not_be_continued() {
    let mut harness = stage_at("paused", long());
    let runs = Runs::of(harness.state().desk.path().unwrap());
    assert!(runs.resume("run-0001").err().unwrap().to_string().contains("still running"));
    harness.state_mut().desk.run(Command::CancelTraining);
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    assert!(!harness.state().desk.runs()[0].can_resume);
    assert!(runs.resume("run-0001").err().unwrap().to_string().contains("kept nothing"));
    assert!(!runs.folder().join("run-0001/state.safetensors").exists());
}

/// Settings with fractions that text would round come back to the last bit.
#[test]
fn settings_come_back_exactly() {
    let lr = 0.1 + 0.2 + 1e-16;
    let mut harness = stage_at("paused", TrainConfig { lr: lr * 1e-3, weight_decay: 1.0 / 3.0, ..long() });
    let path = harness.state().desk.path().unwrap().to_owned();
    harness.state_mut().desk.run(Command::CloseProject);
    let resumed = Runs::of(&path).resume("run-0001").unwrap();
    let encoder = resumed.config.encoder.clone();
    assert_eq!(resumed.config, TrainConfig { encoder, lr: lr * 1e-3, weight_decay: 1.0 / 3.0, ..long() });
    assert_eq!(resumed.data.examples.len(), 40);
}

#[test]
fn damaged_files_of_a_left_run_are_said() {
    let mut harness = stage_at("paused", long());
    let path = harness.state().desk.path().unwrap().to_owned();
    harness.state_mut().desk.run(Command::CloseProject);
    let runs = Runs::of(&path);
    let folder = runs.folder().join("run-0001");
    let refused = |name: &str, content: &str, words: &str| {
        let whole = std::fs::read(folder.join(name)).unwrap();
        std::fs::write(folder.join(name), content).unwrap();
        let said = runs.resume("run-0001").err().unwrap().to_string();
        assert!(said.contains(words), "{said}");
        std::fs::write(folder.join(name), whole).unwrap();
    };
    refused("state.safetensors", "x", "can't be continued");
    refused("data.json", "{", "data.json is damaged");
    let data = std::fs::read_to_string(folder.join("data.json")).unwrap();
    refused("data.json", &data.replacen("wonderful", "terrible", 1), "not what it learnt from");
    assert!(runs.resume("run-0001").is_ok());
}

#[test]
fn the_command_line_goes_on_with_a_run_of_the_window() {
    let mut harness = stage_at("paused", TrainConfig { epochs: 30, patience: 0, ..tiny() });
    let path = harness.state().desk.path().unwrap().to_owned();
    harness.state_mut().desk.run(Command::CloseProject);
    let gloss = |arguments: &[&str]| {
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_gloss")).arg("train").arg(&path).args(arguments).output().unwrap();
        (program.status.code(), String::from_utf8(program.stdout).unwrap(), String::from_utf8(program.stderr).unwrap())
    };
    let (code, out, said) = gloss(&["--resume", "run-0001", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines.last().unwrap()["run"]), (&"started".into(), &"run-0001".into()));
    assert!(lines[0]["notes"].to_string().contains("goes on after step"));
    assert_eq!(Runs::of(&path).summary("run-0001").unwrap().status, RunStatus::Finished);
    assert!(gloss(&["--resume", "run-0001"]).2.contains("kept nothing to go on from"));
    assert!(gloss(&["--resume", "run-0009"]).2.contains("there is no run"));
    assert_eq!(gloss(&["--resume", "run-0001", "--set", "lr=1e-3"]).0, Some(2));
}
