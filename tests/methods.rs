//! Methods of fine-tuning through `fit`: which weights learn, schedules, averages, accumulation.

use super::small::run;
use super::train::{quick, run_from, toys, weights};
use gloss::nn::ModelFiles;
use gloss::train::{OptimiserChoice, Schedule, Signal, TrainConfig, Tuned, first_learning_layer};
use std::collections::{BTreeMap, BTreeSet};

/// No dropout, so that the same batch teaches the same.
fn base() -> TrainConfig {
    TrainConfig { layers: 2, epochs: 2, dropout: 0.0, ..quick() }
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

/// Names of the parameters that are not what they were before the run.
fn moved(config: &TrainConfig) -> BTreeSet<String> {
    let start = weights(&run(&toys(), &TrainConfig { lr: 1e-9, weight_decay: 0.0, ..base() }).files.unwrap());
    let end = weights(&run(&toys(), &TrainConfig { weight_decay: 0.0, ..config.clone() }).files.unwrap());
    assert_eq!(start.keys().collect::<Vec<_>>(), end.keys().collect::<Vec<_>>(), "the model is a plain encoder with heads");
    let far = |name: &&String| numbers(&start[*name]).iter().zip(numbers(&end[*name])).any(|(a, b)| (a - b).abs() > 1e-5);
    start.keys().filter(far).cloned().collect()
}

fn of_encoder(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().map(String::as_str).filter(|name| name.starts_with("bert.") && !name.starts_with("bert.pooler.")).collect()
}

#[test]
fn rates_of_worked_examples() {
    let check = |schedule: Schedule, step: usize, warmup: f64, wanted: f64| {
        let found = schedule.factor(step, 10, warmup);
        assert!((found - wanted).abs() < 1e-12, "{schedule:?} at step {step}: {found}, not {wanted}");
    };
    for schedule in Schedule::ALL {
        check(schedule, 0, 0.2, 0.5);
        check(schedule, 1, 0.2, 1.0);
        check(schedule, 2, 0.2, 1.0);
        check(schedule, 0, 0.0, 1.0);
        assert!(schedule.factor(0, 0, 0.1).is_finite());
    }
    // Half of the way down from step 2 of 10.
    check(Schedule::Linear, 6, 0.2, 0.5);
    check(Schedule::Cosine, 6, 0.2, 0.5);
    // A quarter: (1 + cos(π/4)) / 2.
    check(Schedule::Linear, 4, 0.2, 0.75);
    check(Schedule::Cosine, 4, 0.2, (1.0 + std::f64::consts::FRAC_1_SQRT_2) / 2.0);
    check(Schedule::Constant, 9, 0.2, 1.0);
}

#[test]
fn what_is_chosen_learns_and_nothing_else() {
    let rate = 2e-3;
    let heads = moved(&TrainConfig { tuned: Tuned::Head, lr: rate, ..base() });
    assert!(of_encoder(&heads).is_empty(), "{heads:?}");
    assert!(heads.contains("classifier.weight") && heads.contains("gloss.tag.output.weight"));

    let biases = moved(&TrainConfig { tuned: Tuned::Bitfit, lr: rate, ..base() });
    assert!(of_encoder(&biases).iter().all(|name| name.ends_with(".bias")), "{biases:?}");
    assert!(biases.contains("bert.encoder.layer.0.output.dense.bias") && biases.contains("bert.embeddings.LayerNorm.bias"));

    let updated = moved(&TrainConfig { tuned: Tuned::Lora, lr: rate, ..base() });
    let wanted: BTreeSet<String> = (0..2)
        .flat_map(|layer| ["query", "value"].map(|part| format!("bert.encoder.layer.{layer}.attention.self.{part}.weight")))
        .collect();
    assert_eq!(of_encoder(&updated), wanted.iter().map(String::as_str).collect());
    let upper = TrainConfig { freeze_layers: 1, lora_targets: vec!["feed".to_owned()], ..base() };
    let updated = moved(&TrainConfig { tuned: Tuned::Lora, lr: rate, ..upper });
    let wanted = ["bert.encoder.layer.1.intermediate.dense.weight", "bert.encoder.layer.1.output.dense.weight"];
    assert_eq!(of_encoder(&updated), BTreeSet::from(wanted));
}

#[test]
fn few_numbers_learn_where_few_shall() {
    let learning = |tuned| run(&toys(), &TrainConfig { tuned, epochs: 1, ..base() }).started.unwrap();
    let (full, heads) = (learning(Tuned::Full).parameters, learning(Tuned::Head).parameters);
    let lora = learning(Tuned::Lora);
    // Two layers, two matrices each of rank 8 on both sides of 24.
    assert_eq!(lora.parameters - heads, 2 * 2 * 2 * 8 * 24);
    assert!(lora.notes.iter().any(|note| note.contains("numbers learn")), "{:?}", lora.notes);
    assert!(learning(Tuned::Bitfit).parameters < full && lora.parameters < full);
}

#[test]
fn low_rank_updates_learn_and_are_in_the_saved_model() {
    let config = TrainConfig { tuned: Tuned::Lora, lr: 1e-2, head_lr_factor: 1.0, epochs: 16, ..base() };
    let told = run(&toys(), &config);
    assert!(told.steps.last().unwrap().loss < told.steps[0].loss * 0.8);
    let (loss, again) = (told.report.unwrap().scores.loss, scored_anew(told.files.unwrap()));
    assert!((loss - again).abs() < 1e-3, "{loss} then {again}");
}

/// The loss on the dev documents that a saved model has, read by a run that changes nothing.
fn scored_anew(model: ModelFiles) -> f64 {
    let config = TrainConfig { lr: 1e-9, epochs: 1, layers: 0, ..quick() };
    let told = run_from(&model, &toys(), &config, &mut |_| Signal::Continue).unwrap();
    told.evaluations[0].scores.loss
}

#[test]
fn layers_thaw_from_the_top() {
    let of = |epoch, unfreeze_every, freeze_layers| {
        first_learning_layer(6, epoch, &TrainConfig { unfreeze_every, freeze_layers, ..TrainConfig::default() })
    };
    assert_eq!((0..8).map(|epoch| of(epoch, 1, 0)).collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0, 0, 0]);
    assert_eq!((0..6).map(|epoch| of(epoch, 2, 4)).collect::<Vec<_>>(), [5, 5, 4, 4, 4, 4]);
    assert_eq!((of(0, 0, 0), of(3, 0, 2), of(0, 1, 9)), (0, 2, 6));

    let first = moved(&TrainConfig { unfreeze_every: 1, epochs: 1, ..base() });
    assert!(of_encoder(&first).iter().all(|name| name.contains("layer.1.")), "{first:?}");
    let all = moved(&TrainConfig { unfreeze_every: 1, epochs: 3, evals_per_epoch: 1, ..base() });
    assert!(all.contains("bert.encoder.layer.0.output.dense.weight") || run_was_best_early(), "{all:?}");
}

/// The best weights may be those of an epoch in which the lower layer did not learn yet.
fn run_was_best_early() -> bool {
    run(&toys(), &TrainConfig { unfreeze_every: 1, epochs: 3, ..base() }).report.unwrap().best_epoch < 2.0
}

/// Two batches of four a step teach what one of eight does.
#[test]
fn batches_add_up_to_a_larger_one() {
    let steps = |config: &TrainConfig| run(&toys(), config).steps;
    let config = TrainConfig { epochs: 1, batch_examples: 16, ..base() };
    let whole = steps(&config);
    let parts = steps(&TrainConfig { batch_examples: 4, accumulate: 4, ..config.clone() });
    assert_eq!((whole.len(), parts.len()), (1, 1), "all toys in one step");
    assert!((whole[0].loss - parts[0].loss).abs() < 2e-4 * whole[0].loss, "{} {}", whole[0].loss, parts[0].loss);
    assert!((whole[0].grad_norm - parts[0].grad_norm).abs() < 2e-3 * whole[0].grad_norm);
    // A last step of fewer batches.
    let uneven = steps(&TrainConfig { batch_examples: 4, accumulate: 3, epochs: 2, ..config });
    assert_eq!(uneven.iter().map(|step| step.epoch).collect::<Vec<_>>(), [0.5, 1.0, 1.5, 2.0]);
}

#[test]
fn every_optimiser_learns() {
    for (optimiser, lr) in [(OptimiserChoice::AdamW, 5e-3), (OptimiserChoice::Sgd, 5e-2), (OptimiserChoice::Adafactor, 2e-2)] {
        let config = TrainConfig { optimiser, lr, epochs: 12, clip: 5.0, tune_embeddings: true, ..base() };
        let steps = run(&toys(), &config).steps;
        assert!(steps.last().unwrap().loss < steps[0].loss * 0.95, "{optimiser:?}: {} to {}", steps[0].loss, steps.last().unwrap().loss);
    }
}

/// Weights of the run after each step, by settings that keep the last weights.
fn last_weights(config: &TrainConfig) -> BTreeMap<String, Vec<u8>> {
    let mut data = toys();
    // Without dev documents the last weights are kept.
    data.examples.iter_mut().filter(|e| e.split == gloss::project::Split::Dev).for_each(|e| e.split = gloss::project::Split::Test);
    weights(&run(&data, config).files.unwrap())
}

#[test]
fn averages_are_those_of_the_weights() {
    // A constant rate, so that a run of one epoch takes the very steps of the first epoch of a longer one.
    let config = TrainConfig { epochs: 1, batch_examples: 16, schedule: Schedule::Constant, warmup: 0.0, ..base() };
    let after = |epochs: usize| last_weights(&TrainConfig { epochs, ..config.clone() });
    let single = [after(1), after(2), after(3)];
    let name = "bert.encoder.layer.0.output.dense.weight";
    let check = |found: &BTreeMap<String, Vec<u8>>, shares: [f32; 3]| {
        let lists: Vec<Vec<f32>> = single.iter().map(|weights| numbers(&weights[name])).collect();
        let far = numbers(&found[name]).iter().enumerate().fold(0f32, |far, (at, found)| {
            let wanted: f32 = lists.iter().zip(shares).map(|(list, share)| list[at] * share).sum();
            far.max((found - wanted).abs())
        });
        assert!(far < 1e-6, "{far}");
    };
    assert_ne!(single[0][name], single[2][name]);
    // The first step's weights begin the mean: 0.6² of them stay, then 0.4 · 0.6, then 0.4.
    check(&last_weights(&TrainConfig { epochs: 3, ema: 0.6, ..config.clone() }), [0.36, 0.24, 0.4]);
    check(&last_weights(&TrainConfig { epochs: 3, average_last: 2, ..config.clone() }), [0.0, 0.5, 0.5]);
    check(&last_weights(&TrainConfig { epochs: 3, average_last: 9, ..config.clone() }), [1.0 / 3.0; 3]);
    check(&last_weights(&TrainConfig { epochs: 3, average_last: 1, ..config.clone() }), [0.0, 0.0, 1.0]);
}

/// What is scored is what is kept.
#[test]
fn an_average_that_was_best_is_the_model() {
    let told = run(&toys(), &TrainConfig { epochs: 4, ema: 0.5, average_last: 2, lr: 5e-3, ..base() });
    let (loss, again) = (told.report.unwrap().scores.loss, scored_anew(told.files.unwrap()));
    assert!((loss - again).abs() < 1e-3, "{loss} then {again}");
}

#[test]
fn settings_of_methods_are_checked() {
    let mut config = TrainConfig::default();
    for (key, value, words) in [
        ("schedule", "square", "expected one of"),
        ("optimiser", "adam", "expected one of"),
        ("tuned", "some", "expected one of"),
        ("lora_targets", "query,banana", "query, key, value, output and feed"),
        ("lora_targets", "", "query, key, value, output and feed"),
        ("lora_rank", "0", "between 1"),
        ("accumulate", "0", "between 1"),
        ("ema", "1", "between 0"),
        ("momentum", "1.5", "between 0"),
    ] {
        let error = config.set(key, value).unwrap_err().to_string();
        assert!(error.contains(words), "{key}={value}: {error}");
    }
    assert_eq!(config, TrainConfig::default());
    for (key, value) in
        [("schedule", "cosine"), ("optimiser", "adafactor"), ("tuned", "lora"), ("lora_targets", "query, feed"), ("ema", "0.99")]
    {
        config.set(key, value).unwrap();
    }
    assert_eq!((config.schedule, config.optimiser, config.tuned), (Schedule::Cosine, OptimiserChoice::Adafactor, Tuned::Lora));
    assert_eq!(config.lora_targets, ["query", "feed"]);
    // What an older Gloss wrote has none of these settings.
    let old: TrainConfig = serde_json::from_str(r#"{"epochs":3,"lr":0.0001}"#).unwrap();
    assert_eq!(old, TrainConfig { epochs: 3, lr: 1e-4, few_marked: 0, crf: false, ..TrainConfig::default() }, "its runs did without");
}
