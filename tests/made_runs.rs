//! Runs as a training would leave them, made without one: settings, steps, evaluations, held-out answers. For what
//! shows and compares runs.

use crate::runs::small_model;
use gloss::store::{ProjectFile, RunWriter, Runs};
use gloss::train::{
    Evaluation, HeldOut, LayerNorms, LayerStats, Report, Scores, Started, StepEvent, TrainConfig, TrainData, TrainEvent, class_scores,
    wrong_documents,
};
use std::path::Path;

/// Steps between two evaluations.
const STEPS: usize = 5;

/// Adds a finished run to the runs of `project`, whose held-out documents `0..held_out` are answered wrongly from `right`
/// on; two evaluations, the second the better one. Returns its id.
pub fn add_run(project: &Path, config: &TrainConfig, started_ms: i64, (right, held_out): (u32, u32)) -> String {
    let classes = ["negative", "neutral", "positive"].map(str::to_owned);
    let data = TrainData { revision: 7, classes: classes.to_vec(), ..TrainData::default() };
    let runs = Runs::of(project);
    let mut run = runs.start(config, &data, started_ms).unwrap();
    let answers = |right: u32| -> Vec<HeldOut> {
        (0..held_out)
            .map(|doc| {
                let gold = (doc % 2 * 2) as u16;
                let class = if doc < right { gold } else { 2 - gold };
                let mut probabilities = vec![0.1; 3];
                probabilities[usize::from(class)] = 0.6 + 0.3 * doc as f32 / held_out as f32;
                HeldOut { doc, gold_class: Some(gold), class: Some(class), probabilities, ..HeldOut::default() }
            })
            .collect()
    };
    let started = Started {
        train_examples: 20,
        dev_examples: held_out as usize,
        test_examples: 0,
        steps_total: 2 * STEPS,
        parameters: 1000,
        notes: vec!["encoder: 1 layers".to_owned()],
    };
    run.event(&TrainEvent::Started(started)).unwrap();
    for (epoch, right) in [(1, right.saturating_sub(2)), (2, right)] {
        for step in (epoch - 1) * STEPS + 1..=epoch * STEPS {
            run.event(&TrainEvent::Step(step_event(step))).unwrap();
            if config.layer_stats {
                let layers = [("embeddings", 0.5), ("layer 1", 1.0), ("class_head", 2.0)];
                let norms =
                    |(name, norm): (&str, f64)| LayerNorms { name: name.to_owned(), gradient: norm / step as f64, weight: 10.0 * norm };
                run.event(&TrainEvent::Layers(LayerStats { step, layers: layers.map(norms).into() })).unwrap();
            }
        }
        let held_out = answers(right);
        let evaluation = Evaluation {
            step: epoch * STEPS,
            epoch: epoch as f64,
            scores: scores(&held_out),
            is_best: true,
            wrong: wrong_documents(&held_out),
        };
        run.event(&TrainEvent::Evaluated(evaluation)).unwrap();
    }
    finished(run, answers(right))
}

/// Adds a finished run that held these documents out, in which it was to find spans of these labels. Returns its id.
pub fn add_span_run(project: &Path, span_labels: &[&str], held_out: Vec<HeldOut>) -> String {
    let span_labels = span_labels.iter().map(|name| (*name).to_owned()).collect();
    let data = TrainData { revision: 7, span_labels, ..TrainData::default() };
    finished(Runs::of(project).start(&TrainConfig::default(), &data, 5).unwrap(), held_out)
}

fn finished(mut run: RunWriter, held_out: Vec<HeldOut>) -> String {
    let report = Report {
        scores: scores(&held_out),
        scored_on: "dev".to_owned(),
        slices: Vec::new(),
        examples: held_out.len(),
        aspects: vec![0],
        best_step: 2 * STEPS,
        best_epoch: 2.0,
        stopped_early: false,
        stopped_by_hand: false,
        seconds: 12.0,
        real_tokens_per_s: 100.0,
        reliability: Vec::new(),
        eight_bits: None,
        held_out,
    };
    run.event(&TrainEvent::Finished(report.clone())).unwrap();
    run.finish(&small_model(), &report).unwrap();
    run.id().to_owned()
}

fn step_event(step: usize) -> StepEvent {
    StepEvent {
        step,
        epoch: step as f64 / STEPS as f64,
        loss: 1.0 / step as f64,
        class_loss: Some(1.0 / step as f64),
        span_loss: None,
        polarity_loss: None,
        link_loss: None,
        question_loss: None,
        lr: 1e-4,
        grad_norm: 1.5,
        tokens_per_s: 100.0,
    }
}

fn scores(held_out: &[HeldOut]) -> Scores {
    let names = ["negative", "neutral", "positive"].map(str::to_owned);
    let pairs: Vec<(u16, u16)> = held_out.iter().filter_map(|doc| doc.gold_class.zip(doc.class)).collect();
    let Some(found) = class_scores(&names, &pairs) else { return Scores::default() };
    Scores {
        loss: 0.5,
        accuracy: Some(found.accuracy),
        macro_f1: Some(found.macro_f1),
        per_class: found.per_class,
        confusion: found.confusion,
        ..Scores::default()
    }
}

/// An empty project file, for what reads only its runs.
pub fn empty_project(path: &Path) {
    drop(ProjectFile::create(path, &gloss::project::Schema::default()).unwrap());
}
