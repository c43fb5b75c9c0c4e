//! The parts of training as tables, and short runs of the shipped encoder's first layer through `fit`.

use gloss::nn::{EncoderConfig, ModelFiles, Weights};
use gloss::project::{DocId, Split, TextRange};
use gloss::train::{
    Evaluation, Example, LayerStats, Outcome, Patience, Report, Roles, Signal, Started, StepEvent, TrainConfig, TrainData, TrainError,
    TrainEvent, Verdict, blur, class_scores, epoch_batches, estimate_seconds, fit, memory_bytes, rate_factor, rough_length, span_scores,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

// ---- scores ----

#[test]
fn class_scores_of_worked_examples() {
    let check = |pairs: &[(u16, u16)], accuracy: f64, macro_f1: f64| {
        let scores = class_scores(&names(&["neg", "neu", "pos"]), pairs).unwrap();
        assert!((scores.accuracy - accuracy).abs() < 1e-9, "{pairs:?}: accuracy {}", scores.accuracy);
        assert!((scores.macro_f1 - macro_f1).abs() < 1e-9, "{pairs:?}: macro-F1 {}", scores.macro_f1);
    };
    check(&[(0, 0), (1, 1), (2, 2)], 1.0, 1.0);
    // The class that nobody gave and nobody guessed does not count.
    check(&[(0, 0), (2, 2)], 1.0, 1.0);
    // neg: P 1/2, R 1, F 2/3. pos: P 1, R 1/2, F 2/3.
    check(&[(0, 0), (2, 0), (2, 2)], 2.0 / 3.0, 2.0 / 3.0);
    // A class that is guessed and never right counts with 0: neg 2·1/(1+2), neu 0, pos none.
    check(&[(0, 0), (0, 1)], 0.5, (2.0 / 3.0) / 2.0);
    check(&[(0, 2), (2, 0)], 0.0, 0.0);
    assert_eq!(class_scores(&names(&["a", "b"]), &[]), None);
    assert_eq!(class_scores(&names(&["a", "b"]), &[(7, 0)]), None, "a class that is not in the schema");
}

#[test]
fn class_scores_in_detail() {
    let scores = class_scores(&names(&["neg", "pos"]), &[(0, 0), (0, 1), (0, 1), (1, 1)]).unwrap();
    assert_eq!(scores.confusion, [[1, 2], [0, 1]]);
    let row = |at: usize| {
        let each = &scores.per_class[at];
        (each.name.as_str(), each.precision, each.recall, each.f1, each.support)
    };
    assert_eq!(row(0), ("neg", 1.0, 1.0 / 3.0, 0.5, 3));
    assert_eq!(row(1), ("pos", 1.0 / 3.0, 1.0, 0.5, 1));
}

#[test]
fn span_scores_want_both_ends_and_the_label() {
    type Spans<'a> = &'a [(u32, u32, u16)];
    let check = |documents: &[(Spans, Spans)], wanted: Option<f64>| {
        let (micro, _) = span_scores(&names(&["aspect", "opinion"]), documents.iter().copied());
        assert_eq!(micro, wanted, "{documents:?}");
    };
    check(&[(&[(0, 6, 0)], &[(0, 6, 0)])], Some(1.0));
    check(&[(&[(0, 6, 0)], &[(0, 5, 0)])], Some(0.0));
    check(&[(&[(0, 6, 0)], &[(0, 6, 1)])], Some(0.0));
    check(&[(&[(0, 6, 0)], &[])], Some(0.0));
    // The same place in another document is another span: 2·1 / (2 + 1).
    check(&[(&[(0, 6, 0)], &[]), (&[(0, 6, 0)], &[(0, 6, 0)])], Some(2.0 / 3.0));
    check(&[(&[(0, 6, 0), (0, 6, 0)], &[(0, 6, 0)])], Some(1.0));
    check(&[(&[], &[])], None);
    check(&[(&[], &[(0, 1, 0)])], None);
    let (_, labels) = span_scores(&names(&["aspect", "opinion"]), [(&[(0, 2, 0), (3, 5, 1)][..], &[(0, 2, 0), (6, 8, 0)][..])]);
    assert_eq!((labels[0].precision, labels[0].recall, labels[0].support), (0.5, 1.0, 1));
    assert_eq!((labels[1].precision, labels[1].recall, labels[1].support), (0.0, 0.0, 1));
}

// ---- patience ----

#[test]
fn patience_of_worked_examples() {
    let blurred = |scores: &[f64], limit: usize, blur: f64, best: &[usize], exhausted_at: Option<usize>| {
        let mut patience = Patience::new(limit);
        let verdicts: Vec<Verdict> = scores.iter().map(|score| patience.observe(*score, blur)).collect();
        let bests: Vec<usize> = (0..scores.len()).filter(|at| verdicts[*at].is_best).collect();
        assert_eq!((bests.as_slice(), verdicts.iter().position(|v| v.exhausted)), (best, exhausted_at), "{scores:?}");
    };
    let check = |scores: &[f64], limit, best: &[usize], exhausted_at| blurred(scores, limit, 0.0, best, exhausted_at);
    check(&[0.1, 0.2, 0.3], 1, &[0, 1, 2], None);
    check(&[0.1, 0.3, 0.3, 0.2], 2, &[0, 1], Some(3));
    check(&[0.3, 0.2, 0.4, 0.1, 0.1], 2, &[0, 2], Some(4));
    check(&[0.1, f64::NAN, f64::NAN], 2, &[0], Some(2));
    check(&[f64::NAN, 0.0], 2, &[1], None);
    check(&[0.5; 9], 0, &[0], None);
    // What can't be told apart: the later one is kept, and waiting goes on; many small steps down are no way down.
    blurred(&[0.76, 0.73, 0.755, 0.74], 3, 0.01, &[0, 2], Some(3));
    blurred(&[0.80, 0.795, 0.79, 0.785], 0, 0.008, &[0, 1], None);
    blurred(&[0.2, f64::NAN, 0.2], 0, 0.01, &[0, 2], None);
}

#[test]
fn blur_is_half_a_standard_error() {
    assert_eq!(blur(0.5, 100), 0.025);
    assert_eq!((blur(0.0, 9), blur(1.0, 9), blur(-0.3, 9)), (0.0, 0.0, 0.0));
    assert!(blur(f64::NAN, 9).is_nan());
    assert_eq!(blur(0.5, 0), 0.25);
}

// ---- batches and rate ----

#[test]
fn every_example_is_in_one_batch_within_the_limits() {
    let lengths: Vec<usize> = (0..1000).map(|at| 5 + (at * 37) % 200).collect();
    let config = TrainConfig { batch_examples: 16, batch_tokens: 1000, ..TrainConfig::default() };
    let batches = epoch_batches(&lengths, &config, &mut StdRng::seed_from_u64(1));
    let mut all: Vec<usize> = batches.concat();
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    for batch in &batches {
        let tokens: usize = batch.iter().map(|index| lengths[*index]).sum();
        assert!(batch.len() <= 16 && (tokens <= 1000 || batch.len() == 1));
        let (low, high) = batch.iter().fold((999, 0), |(low, high), index| (low.min(lengths[*index]), high.max(lengths[*index])));
        assert!(high - low < 40, "a batch of lengths {low} to {high}");
    }
    assert_eq!(batches, epoch_batches(&lengths, &config, &mut StdRng::seed_from_u64(1)));
    assert_ne!(batches, epoch_batches(&lengths, &config, &mut StdRng::seed_from_u64(2)));
}

#[test]
fn a_text_longer_than_the_token_limit_goes_alone() {
    let config = TrainConfig { batch_examples: 4, batch_tokens: 10, ..TrainConfig::default() };
    let mut batches = epoch_batches(&[50, 4, 60, 5], &config, &mut StdRng::seed_from_u64(0));
    batches.sort();
    assert_eq!(batches, [vec![0], vec![1, 3], vec![2]]);
}

#[test]
fn the_rate_rises_then_falls_in_a_line() {
    let rates: Vec<f64> = (0..20).map(|step| rate_factor(step, 20, 0.1)).collect();
    assert_eq!(rates[..3], [0.5, 1.0, 1.0]);
    assert!(rates[2..].windows(2).all(|pair| pair[1] < pair[0]) && rates[19] > 0.0);
    assert!((rates[19] - 1.0 / 18.0).abs() < 1e-12);
    assert_eq!(rate_factor(0, 4, 0.0), 1.0);
    assert_eq!(rate_factor(1, 4, 1.0), 0.5);
    assert!(rate_factor(0, 0, 0.1).is_finite());
}

#[test]
fn the_estimate_counts_epochs_and_scorings() {
    let config = TrainConfig { epochs: 3, evals_per_epoch: 1, max_length: 100, ..TrainConfig::default() };
    assert_eq!(estimate_seconds(&[100, 200], &[30], &config, 10.0), (600.0 + 30.0 * 4.0 / 3.0) / 10.0);
    let text = "房间很干净，服务态度也不错，早餐一般 but the view was wonderful";
    let tokenizer = gloss::text::Tokenizer::from_bytes(&ModelFiles::shipped().tokenizer).unwrap();
    let real = tokenizer.encode(text, 512).unwrap().ids.len() as f64;
    assert!((rough_length(text) as f64 / real - 1.0).abs() < 0.35, "{} guessed, {real} counted", rough_length(text));
}

// ---- runs ----

const TOYS: [(&str, u16); 16] = [
    ("[房间]很{干净}", 1),
    ("[早餐]{难吃}死了", 0),
    ("[服务]{热情}，[位置]{方便}！", 1),
    ("[屏幕]{模糊}，要退货", 0),
    ("[电池]{耐用}👍", 1),
    ("[物流]{太慢}了", 0),
    ("[味道]{鲜美}", 1),
    ("[前台]{冷漠}……", 0),
    ("the [staff] was {friendly}", 1),
    ("the [soup] was {cold}", 0),
    ("{lovely} [rooms] and {tasty} [food]", 1),
    ("a {noisy} [fan]", 0),
    ("[battery life] is {excellent}", 1),
    ("[delivery] came {late}", 0),
    ("[plot] {gripping}", 1),
    ("{bland} [noodles]", 0),
];

/// A text with its marks: `[..]` is label 0, `{..}` label 1.
fn example(id: u32, source: &str, class: u16, split: Split) -> Example {
    let (mut text, mut open, mut places) = (String::new(), 0, Vec::new());
    for c in source.chars() {
        match c {
            '[' | '{' => open = text.len(),
            ']' | '}' => places.push((open..text.len(), u16::from(c == '}'))),
            c => text.push(c),
        }
    }
    let spans = places.into_iter().map(|(bytes, label)| (TextRange::new(&text, bytes).unwrap(), label)).collect();
    Example { doc: DocId(id), text: text.into(), class: Some(class), spans: Some(spans), split, ..Example::default() }
}

/// The toy reviews to learn from, and the same again to be scored on.
pub fn toys() -> TrainData {
    let of = |split, first: u32| TOYS.iter().zip(first..).map(move |((source, class), id)| example(id, source, *class, split));
    TrainData {
        revision: 1,
        classes: names(&["negative", "positive"]),
        span_labels: names(&["aspect", "opinion"]),
        roles: Roles { aspects: vec![0], opinions: vec![1] },
        examples: of(Split::Train, 0).chain(of(Split::Dev, 100)).collect(),
        underway: BTreeSet::new(),
        ..TrainData::default()
    }
}

pub fn quick() -> TrainConfig {
    TrainConfig {
        layers: 1,
        epochs: 2,
        lr: 5e-4,
        head_lr_factor: 3.0,
        batch_examples: 8,
        least_steps: 0,
        few_marked: 0,
        patience: 0,
        evals_per_epoch: 1,
        dropout: 0.1,
        ..TrainConfig::default()
    }
}

/// What a run told and what it returned.
#[derive(Default)]
pub struct Told {
    pub started: Option<Started>,
    pub steps: Vec<StepEvent>,
    pub evaluations: Vec<Evaluation>,
    pub checkpoints: Vec<usize>,
    pub layers: Vec<LayerStats>,
    pub report: Option<Report>,
    pub files: Option<ModelFiles>,
}

pub fn run_until(data: &TrainData, config: &TrainConfig, mut answer: impl FnMut(&TrainEvent) -> Signal) -> Result<Told, TrainError> {
    run_from(&ModelFiles::shipped(), data, config, &mut answer)
}

pub fn run_from(
    encoder: &ModelFiles,
    data: &TrainData,
    config: &TrainConfig,
    answer: &mut dyn FnMut(&TrainEvent) -> Signal,
) -> Result<Told, TrainError> {
    let mut told = Told::default();
    let clock = Cell::new(0);
    let elapsed = || {
        clock.set(clock.get() + 1);
        Duration::from_millis(clock.get())
    };
    let outcome = fit(data, config, encoder, &elapsed, &mut |event| {
        let signal = answer(&event);
        match event {
            TrainEvent::Started(started) => told.started = Some(started),
            TrainEvent::Step(step) => told.steps.push(step),
            TrainEvent::Evaluated(evaluation) => told.evaluations.push(evaluation),
            TrainEvent::Checkpoint { step } => told.checkpoints.push(step),
            TrainEvent::Layers(layers) => told.layers.push(layers),
            TrainEvent::Finished(report) => told.report = Some(report),
        }
        signal
    })?;
    if let Outcome::Finished(files) = outcome {
        told.files = Some(*files);
    }
    Ok(told)
}

pub fn run(data: &TrainData, config: &TrainConfig) -> Told {
    run_until(data, config, |_| Signal::Continue).unwrap()
}

/// The parameters of a model by name.
pub fn weights(files: &ModelFiles) -> BTreeMap<String, Vec<u8>> {
    let Weights::Safetensors(bytes) = &files.weights else { panic!("not safetensors") };
    let read = safetensors::SafeTensors::deserialize(bytes).unwrap();
    read.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect()
}

#[test]
fn toy_reviews_are_learnt_by_heart() {
    // A class is read off the first piece, which knows little of the others below the fourth layer.
    let told = run(&toys(), &TrainConfig { epochs: 16, layers: 4, lr: 3e-4, dropout: 0.0, ..quick() });
    let report = told.report.unwrap();
    assert_eq!(report.scores.macro_f1, Some(1.0), "{:?}", report.scores);
    assert!(report.scores.span_f1 > Some(0.95), "{:?}", report.scores);
    assert_eq!((report.scored_on.as_str(), report.examples, report.held_out.len()), ("dev", 16, 16));
    let (first, last) = (told.steps[0], told.steps[31]);
    assert!(last.loss < first.loss / 4.0, "{} to {}", first.loss, last.loss);
    assert!(first.grad_norm > 0.0 && first.class_loss.is_some() && first.span_loss.is_some());
    assert_eq!((told.steps.len(), last.step, last.epoch), (32, 32, 16.0));
    assert!(report.real_tokens_per_s > 0.0 && report.seconds > 0.0);
}

#[test]
fn news_come_in_order_and_agree() {
    let told = run(&toys(), &TrainConfig { epochs: 3, evals_per_epoch: 2, ..quick() });
    let (started, report) = (told.started.unwrap(), told.report.unwrap());
    assert_eq!((started.train_examples, started.dev_examples, started.test_examples, started.steps_total), (16, 16, 0, 6));
    assert!(started.parameters > 1_000_000);
    assert_eq!(told.evaluations.iter().map(|e| e.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let best: Vec<usize> = told.evaluations.iter().filter(|e| e.is_best).map(|e| e.step).collect();
    assert_eq!(told.checkpoints, best);
    assert_eq!(report.best_step, *best.last().unwrap());
    let kept = told.evaluations.iter().find(|e| e.step == report.best_step).unwrap();
    assert_eq!(kept.scores, report.scores);
    let (kept, highest) = (kept.scores.selection(), told.evaluations.iter().map(|e| e.scores.selection()).fold(0.0, f64::max));
    assert!(kept > highest - blur(kept, 16), "{kept} of at most {highest}");
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let weights_of = |seed| weights(&run(&toys(), &TrainConfig { seed, ..quick() }).files.unwrap());
    let first = weights_of(3);
    assert!(first == weights_of(3));
    assert!(first != weights_of(4));
}

#[test]
fn cancel_leaves_nothing() {
    let check = |at: fn(&TrainEvent) -> bool| {
        let told = run_until(&toys(), &quick(), |event| if at(event) { Signal::Cancel } else { Signal::Continue }).unwrap();
        assert!(told.files.is_none() && told.report.is_none());
        told.steps.len()
    };
    assert_eq!(check(|event| matches!(event, TrainEvent::Started(_))), 0);
    assert_eq!(check(|event| matches!(event, TrainEvent::Step(step) if step.step == 3)), 3);
    assert_eq!(check(|event| matches!(event, TrainEvent::Evaluated(_))), 2);
    assert_eq!(check(|event| matches!(event, TrainEvent::Checkpoint { .. })), 2);
}

#[test]
fn stop_keeps_the_best_so_far() {
    let config = TrainConfig { epochs: 9, ..quick() };
    let stop_at = |wanted: usize| {
        let told = run_until(&toys(), &config, |event| match event {
            TrainEvent::Step(step) if step.step == wanted => Signal::StopAndKeepBest,
            _ => Signal::Continue,
        });
        told.unwrap()
    };
    let early = stop_at(1);
    let report = early.report.unwrap();
    assert!(early.files.is_some() && report.stopped_by_hand && !report.stopped_early);
    assert_eq!((early.steps.len(), early.evaluations.len(), report.best_step, report.held_out.len()), (1, 1, 1, 16));
    let later = stop_at(5);
    let report = later.report.unwrap();
    assert_eq!((later.steps.len(), later.evaluations.len()), (5, 2));
    assert_eq!(Some(report.best_step), later.checkpoints.last().copied());
}

#[test]
fn patience_ends_a_run_that_does_not_get_better() {
    // So low a rate changes no answer. No span is found, and until one is nothing would count: so classes alone.
    let told = run(&toys(), &TrainConfig { epochs: 9, lr: 1e-9, patience: 2, span_loss_weight: 0.0, ..quick() });
    let report = told.report.unwrap();
    assert!(report.stopped_early && !report.stopped_by_hand);
    // Of equal ones the last is kept.
    assert_eq!((told.evaluations.len(), report.best_step), (3, 6));
}

#[test]
fn a_loss_that_is_not_a_number_ends_the_run() {
    let mut files = run(&toys(), &quick()).files.unwrap();
    let Weights::Safetensors(bytes) = &files.weights else { panic!("not safetensors") };
    let read = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let bias = read.tensor("gloss.tag.output.bias").unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize;
    let mut bytes = bytes.to_vec();
    bytes[bias..bias + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    files.weights = Weights::Safetensors(bytes.into());
    let failed = run_from(&files, &toys(), &quick(), &mut |_| Signal::Continue);
    assert!(matches!(failed, Err(TrainError::NotFinite { step: 1, .. })), "{:?}", failed.err());
}

#[test]
fn documents_without_one_kind_of_label_teach_the_other() {
    let mut data = toys();
    for (at, example) in data.examples.iter_mut().enumerate() {
        // Never both; the scored half keeps everything.
        match (example.split, at % 4 < 2) {
            (Split::Train, true) => example.class = None,
            (Split::Train, false) => example.spans = None,
            _ => {}
        }
    }
    let told = run(&data, &TrainConfig { epochs: 16, layers: 4, lr: 3e-4, dropout: 0.0, batch_examples: 4, ..quick() });
    assert!(told.steps.iter().any(|step| step.class_loss.is_some()) && told.steps.iter().any(|step| step.span_loss.is_some()));
    let scores = told.report.unwrap().scores;
    assert!(scores.accuracy > Some(0.6), "{scores:?}");
    assert!(scores.span_f1 > Some(0.4), "{scores:?}");
}

#[test]
fn one_kind_of_label_alone_makes_one_head() {
    let mut data = toys();
    data.examples.iter_mut().for_each(|example| example.spans = None);
    let told = run(&data, &quick());
    let names: Vec<String> = weights(&told.files.unwrap()).into_keys().collect();
    assert!(names.iter().any(|name| name == "classifier.weight") && !names.iter().any(|name| name.starts_with("gloss.")));
    let scores = told.report.unwrap().scores;
    assert!(scores.span_f1.is_none() && scores.per_span_label.is_empty() && scores.macro_f1.is_some());

    let mut data = toys();
    data.examples.iter_mut().for_each(|example| example.class = None);
    let told = run(&data, &quick());
    let files = told.files.unwrap();
    assert!(!weights(&files).contains_key("classifier.weight"));
    assert!(files.config.contains("\"BertModel\""));
    let report = told.report.unwrap();
    assert!(report.scores.macro_f1.is_none() && report.scores.span_f1.is_some() && report.held_out[0].class.is_none());
}

#[test]
fn test_documents_give_the_score_and_never_choose() {
    let mut data = toys();
    for example in data.examples.iter_mut().filter(|example| example.doc.0 >= 108) {
        example.split = Split::Test;
    }
    let told = run(&data, &quick());
    let report = told.report.unwrap();
    assert_eq!((report.scored_on.as_str(), report.examples), ("test", 8));
    assert!(report.held_out.iter().all(|doc| doc.doc >= 108));
    assert!(!told.evaluations.is_empty());

    data.examples.retain(|example| example.split != Split::Dev);
    let told = run(&data, &quick());
    let report = told.report.unwrap();
    assert!(told.evaluations.is_empty() && told.checkpoints.is_empty());
    assert_eq!((report.scored_on.as_str(), report.best_step, report.best_epoch), ("test", 4, 2.0));
    assert!(told.started.unwrap().notes.iter().any(|note| note.contains("last weights")));
}

#[test]
fn what_is_lost_or_missing_is_said() {
    let mut data = toys();
    data.classes.push("neutral".to_owned());
    data.span_labels.push("place".to_owned());
    let mut crossing = example(50, "[客房{服务]很好}", 1, Split::Train);
    crossing.spans.as_mut().unwrap().sort();
    data.examples.push(crossing);
    data.examples.push(example(51, &format!("{} [房间]", "好 ".repeat(200)), 1, Split::Train));
    let long = "这家的房间很干净，早餐也不错，服务员态度很好，下次还会再来住几天";
    data.examples.push(example(60, long, 1, Split::Train));
    data.examples.push(example(61, &format!("{long}！"), 1, Split::Dev));
    let told = run(&data, &TrainConfig { max_length: 64, epochs: 1, ..quick() });
    let notes = told.started.unwrap().notes.join("\n");
    for wanted in [
        "(such as document 62 and document 61, which is learnt from)",
        "overlap a longer or earlier one: 1",
        "limit of 64 pieces: 1",
        "spans beyond that limit, wholly or in part: 1",
        "\"neutral\" has no training document",
        "\"place\" has no training span",
    ] {
        assert!(notes.contains(wanted), "{wanted:?} is not in:\n{notes}");
    }
}

#[test]
fn data_that_can_not_be_learnt_from_is_refused() {
    let check = |change: fn(&mut TrainData)| {
        let mut data = toys();
        change(&mut data);
        let failed = run_until(&data, &quick(), |_| Signal::Continue);
        assert!(matches!(failed, Err(TrainError::Data(_))), "{:?}", failed.err());
    };
    check(|data| data.examples.clear());
    check(|data| data.examples.retain(|example| example.split == Split::Train));
    check(|data| data.examples.retain(|example| example.split == Split::Dev));
    let broken = ModelFiles { config: "{}".to_owned(), ..ModelFiles::shipped() };
    assert!(matches!(run_from(&broken, &toys(), &quick(), &mut |_| Signal::Continue), Err(TrainError::Encoder(_))));
    let bad = TrainConfig { lr: f64::NAN, ..quick() };
    assert!(matches!(run_until(&toys(), &bad, |_| Signal::Continue), Err(TrainError::Config(_))));
}

/// A batch that is too large for one pass is taken in parts, with the gradient of the whole.
#[test]
fn a_batch_in_parts_teaches_the_same() {
    for class_weights in [false, true] {
        let whole = TrainConfig { epochs: 1, layers: 1, dropout: 0.0, class_weights, batch_examples: 8, tune_embeddings: true, ..quick() };
        let parts = TrainConfig { tokens_at_once: 20, ..whole.clone() };
        let losses = |config: &TrainConfig| run(&toys(), config).steps.iter().map(|step| (step.loss, step.grad_norm)).collect::<Vec<_>>();
        let (whole, parts) = (losses(&whole), losses(&parts));
        assert_eq!(whole.len(), parts.len());
        for ((loss, norm), (other_loss, other_norm)) in whole.iter().zip(&parts) {
            assert!((loss - other_loss).abs() < 2e-4 * loss.abs(), "{loss} {other_loss}");
            assert!((norm - other_norm).abs() < 2e-3 * norm.abs(), "{norm} {other_norm}");
        }
    }
}

#[test]
fn memory_grows_with_what_is_kept() {
    let encoder = EncoderConfig::parse(&ModelFiles::shipped().config).unwrap();
    let bytes = |change: fn(&mut TrainConfig)| {
        let mut config = TrainConfig { batch_examples: 4096, ..TrainConfig::default() };
        change(&mut config);
        memory_bytes(&encoder, &config)
    };
    let plain = bytes(|_| {});
    // 4,096 tokens of twelve layers: about 1 GB kept, 0.5 GB of weights and moments, the rest copies and the program.
    assert!((1_700_000_000..2_100_000_000).contains(&plain), "{plain}");
    assert!(bytes(|config| config.tokens_at_once = 1024) < plain - 600_000_000);
    assert!(bytes(|config| config.freeze_layers = 6) < plain - 400_000_000);
    assert!(bytes(|config| config.layers = 4) < plain / 2);
    assert!(bytes(|config| config.tune_embeddings = true) > plain);
    assert_eq!(bytes(|config| config.batch_tokens = 1 << 20), plain, "a larger batch is taken in parts");
}

#[test]
fn every_setting_acts() {
    let base = TrainConfig { epochs: 1, layers: 2, dropout: 0.0, ..quick() };
    let mut uneven = toys();
    uneven.examples.retain(|example| example.class == Some(1) || example.doc.0 % 4 == 1 || example.split == Split::Dev);
    let files_of = |config: &TrainConfig| run(&uneven, config).files.unwrap();
    let plain = weights(&files_of(&base));
    let changed: [(&str, TrainConfig); 11] = [
        ("dropout", TrainConfig { dropout: 0.3, ..base.clone() }),
        ("lr", TrainConfig { lr: 1e-4, ..base.clone() }),
        ("head_lr_factor", TrainConfig { head_lr_factor: 1.0, ..base.clone() }),
        ("batch_examples", TrainConfig { batch_examples: 4, ..base.clone() }),
        ("batch_tokens", TrainConfig { batch_tokens: 30, ..base.clone() }),
        ("max_length", TrainConfig { max_length: 8, ..base.clone() }),
        ("warmup", TrainConfig { warmup: 1.0, ..base.clone() }),
        ("weight_decay", TrainConfig { weight_decay: 0.5, ..base.clone() }),
        ("clip", TrainConfig { clip: 0.001, ..base.clone() }),
        ("class_weights", TrainConfig { class_weights: true, ..base.clone() }),
        ("span_loss_weight", TrainConfig { span_loss_weight: 0.1, ..base.clone() }),
    ];
    for (setting, config) in changed {
        assert!(weights(&files_of(&config)) != plain, "{setting} changes nothing");
    }

    let start = weights(&run(&uneven, &TrainConfig { lr: 1e-9, ..base.clone() }).files.unwrap());
    let moved = |config: &TrainConfig, name: &str| {
        let read = |bytes: &[u8]| bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect::<Vec<_>>();
        let end = weights(&files_of(config));
        read(&end[name]).iter().zip(read(&start[name])).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) > 1e-5
    };
    let (first, second) = ("bert.encoder.layer.0.output.dense.weight", "bert.encoder.layer.1.output.dense.weight");
    let table = "bert.embeddings.word_embeddings.weight";
    assert!(moved(&base, first) && moved(&base, second) && !moved(&base, table));
    let frozen = TrainConfig { freeze_layers: 1, ..base.clone() };
    assert!(!moved(&frozen, first) && moved(&frozen, second) && !moved(&frozen, "bert.embeddings.LayerNorm.weight"));
    assert!(moved(&TrainConfig { tune_embeddings: true, ..base.clone() }, table));
    assert!(!weights(&files_of(&TrainConfig { layers: 1, ..base.clone() })).contains_key(second));
    assert!(!weights(&files_of(&TrainConfig { span_loss_weight: 0.0, ..base })).contains_key("gloss.tag.output.weight"));
}

#[test]
fn the_model_says_what_it_is() {
    let files = run(&toys(), &quick()).files.unwrap();
    let config: serde_json::Value = serde_json::from_str(&files.config).unwrap();
    assert_eq!(config["architectures"][0], "BertForSequenceClassification");
    assert_eq!((config["num_hidden_layers"].as_u64(), config["hidden_size"].as_u64()), (Some(1), Some(384)));
    assert_eq!((&config["id2label"]["1"], &config["label2id"]["positive"]), (&"positive".into(), &1.into()));
    assert_eq!(config["gloss"]["span_labels"], serde_json::json!(["aspect", "opinion"]));
    assert_eq!(config["gloss"]["max_length"], 256);
    assert!(files.tokenizer == ModelFiles::shipped().tokenizer);
}

#[test]
fn a_trained_model_can_be_trained_on() {
    let first = run(&toys(), &TrainConfig { epochs: 10, ..quick() });
    let again =
        run_from(&first.files.unwrap(), &toys(), &TrainConfig { layers: 0, epochs: 1, lr: 1e-9, ..quick() }, &mut |_| Signal::Continue);
    let (first, again) = (first.report.unwrap(), again.unwrap().report.unwrap());
    assert!((first.scores.loss - again.scores.loss).abs() < 1e-3, "{} then {}", first.scores.loss, again.scores.loss);
}

// ---- what a project teaches ----

#[test]
fn a_project_teaches_what_was_answered_in_it() {
    use gloss::project::{Answer, Document, Edit, Project, QuestionId, Schema, Span, SpanId, State};
    let mut project = Project::new(Schema::default());
    let texts = ["房间很大", "fine", "", "ok", "bad", "skipped"];
    let documents: Vec<Document> = texts.iter().zip(0..).map(|(text, id)| Document::new(DocId(id), *text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 6, documents }).unwrap();
    let class = |doc, class| Edit::SetAnswer { doc: DocId(doc), question: QuestionId(0), to: Some(Answer::Class(class)) };
    for edit in [class(0, 2), class(1, 1), class(2, 0), class(5, 0)] {
        project.apply(edit).unwrap();
    }
    let taught = TrainData::of(&project, 0, 0.5);
    assert!(taught.span_labels.is_empty(), "nobody marked a span");
    assert_eq!(
        taught.examples.iter().map(|e| (e.doc.0, e.class, e.spans.is_some())).collect::<Vec<_>>(),
        [(0, Some(2), false), (1, Some(1), false), (5, Some(0), false)]
    );

    let span = Span { range: TextRange::new("房间很大", 0..6).unwrap(), label: 0, polarity: None };
    for edit in [
        Edit::PutSpan { doc: DocId(0), id: SpanId(0), span },
        Edit::SetState { doc: DocId(3), to: State::Done },
        Edit::SetState { doc: DocId(5), to: State::Skipped },
    ] {
        project.apply(edit).unwrap();
    }
    let taught = TrainData::of(&project, 0, 0.5);
    let rows: Vec<_> = taught.examples.iter().map(|e| (e.doc.0, e.class, e.spans.as_ref().map(Vec::len))).collect();
    assert_eq!(rows, [(0, Some(2), Some(1)), (1, Some(1), None), (3, None, Some(0))], "done without spans teaches that there are none");
    let ready = taught.readiness();
    assert_eq!(ready.train + ready.held_out, 3);
    assert!(!ready.can_start());
    assert!(toys().readiness().can_start());
}

#[test]
fn an_unknown_setting_names_its_neighbours() {
    let mut config = TrainConfig::default();
    let check = |config: &mut TrainConfig, key: &str, value: &str, wanted: &str| {
        let error = config.set(key, value).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    };
    check(&mut config, "epoch", "3", "epochs");
    check(&mut config, "learning", "3", "near");
    check(&mut config, "epochs", "0", "between 1");
    check(&mut config, "epochs", "many", "number");
    check(&mut config, "lr", "2", "between");
    assert_eq!(config, TrainConfig::default());
    config.set("epochs", "3").unwrap();
    config.set("tune_embeddings", "true").unwrap();
    assert_eq!((config.epochs, config.tune_embeddings), (3, true));
}
