//! What the training panel chooses beside the model: losses, imbalance, weights of tasks, questions with several labels or a
//! number, other wordings, teachers, the search for settings. Worked examples, and runs of a small encoder.

use super::nn::support::{generator, noise};
use super::small::{self, run};
use super::train::{Told, quick, run_from, toys, weights};
use gloss::desk::{Search, SearchNews, teach, training_data};
use gloss::nn::loss::{ClassLoss, class_loss, distillation, squared_error};
use gloss::nn::{Device, Tensor, Var};
use gloss::predict::Predictor;
use gloss::project::{DocId, Split, TextRange};
use gloss::store::{RunStatus, Runs, wordings};
use gloss::train::{
    AskedKind, AskedQuestion, Better, Example, Halving, HeldOut, NumberLoss, QuestionOutcome, Rewording, Sampling, Score, Side, Signal,
    TaskWeights, TaughtAnswer, TrainConfig, TrainData, Tuned, abstentions, calibrated, class_weights, compare, epoch_examples,
    fit_calibration, fit_label_thresholds, label_scores, number_scores, penalty, pretrain, reliability, scaled, trial_settings,
    uncertainty,
};
use std::cell::Cell;

#[track_caller]
fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-5 * wanted.abs().max(1.0), "{found}, not {wanted}");
}

fn number(tensor: &Tensor) -> f64 {
    f64::from(tensor.to_scalar::<f32>().unwrap())
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

// ---- losses ----

/// Two rows of three classes.
fn logits() -> Tensor {
    Tensor::new(&[[1f32, 2.0, 0.5], [0.2, -0.3, 1.5]], &Device::Cpu).unwrap()
}

/// The numbers are those of the formulas of the papers, computed in Python; PyTorch's `label_smoothing` is the same.
#[test]
fn class_losses_of_worked_examples() {
    let of = |weights: &[f32], smoothing, gamma| number(&class_loss(&logits(), &[1, 0], weights, ClassLoss { smoothing, gamma }).unwrap());
    close(of(&[1.0, 1.0], 0.0, 0.0), (0.464_368_78 + 1.663_135_5) / 2.0);
    close(of(&[1.0, 1.0], 0.1, 0.0), 1.092_085_478_6);
    close(of(&[3.0, 1.0], 0.1, 0.0), 0.819_893_798);
    close(of(&[1.0, 1.0], 0.0, 2.0), 0.578_245_251_6);
    for (targets, weights) in [(&[1u32, 3][..], &[1f32, 1.0][..]), (&[1], &[1.0, 1.0]), (&[0, 1], &[0.0, 0.0])] {
        assert!(class_loss(&logits(), targets, weights, ClassLoss { smoothing: 0.1, gamma: 1.0 }).is_err(), "{targets:?} {weights:?}");
    }
    // Whatever is certain: a finite loss and a finite gradient.
    let sure = Var::from_tensor(&Tensor::new(&[[200f32, -200.0]], &Device::Cpu).unwrap()).unwrap();
    let loss = class_loss(sure.as_tensor(), &[0], &[1.0], ClassLoss { smoothing: 0.0, gamma: 0.5 }).unwrap();
    let grads = loss.backward().unwrap();
    assert!(grads.get(&sure).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|value| value.is_finite()));
}

/// Gradients against differences of the losses.
#[test]
fn gradients_of_losses_equal_finite_differences() {
    let values = noise(&mut generator(1), 6, 1.0);
    let at = |values: &[f32]| Tensor::from_slice(values, (2, 3), &Device::Cpu).unwrap();
    let losses: [&dyn Fn(&Tensor) -> Tensor; 4] = [
        &|x| class_loss(x, &[2, 0], &[1.0, 2.0], ClassLoss { smoothing: 0.2, gamma: 0.0 }).unwrap(),
        &|x| class_loss(x, &[2, 0], &[1.0, 2.0], ClassLoss { smoothing: 0.1, gamma: 1.5 }).unwrap(),
        &|x| distillation(x, &[0.1, -1.0, 0.4, 2.0, 0.0, 0.3], &[1.0, 0.5], 3.0, 2.0).unwrap(),
        &|x| squared_error(x, &[0.5; 6], &[1.0, 0.0, 1.0, 2.0, 1.0, 1.0], 4.0).unwrap(),
    ];
    for (which, loss) in losses.iter().enumerate() {
        let var = Var::from_tensor(&at(&values)).unwrap();
        let grads = loss(var.as_tensor()).backward().unwrap();
        let grads = grads.get(&var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for place in 0..values.len() {
            let moved = |by: f32| {
                let mut moved = values.clone();
                moved[place] += by;
                number(&loss(&at(&moved)))
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((slope - f64::from(grads[place])).abs() < 2e-3, "loss {which}, value {place}: {slope}, {}", grads[place]);
        }
    }
}

#[test]
fn a_teacher_is_learnt_from_as_hinton_says() {
    let first = logits().narrow(0, 0, 1).unwrap();
    close(number(&distillation(&first, &[0.0, 1.0, 2.0], &[1.0], 2.0, 1.0).unwrap()), 0.738_673_539_9);
    close(number(&distillation(&first, &[1.0, 2.0, 0.5], &[1.0], 2.0, 1.0).unwrap()), 0.0);
    // A row that counts for nothing, and half of the whole.
    close(number(&distillation(&logits(), &[0.0, 1.0, 2.0, 9.0, 9.0, 9.0], &[1.0, 0.0], 2.0, 2.0).unwrap()), 0.738_673_539_9 / 2.0);
    assert!(distillation(&first, &[0.0, 1.0], &[1.0], 2.0, 1.0).is_err());
}

#[test]
fn weights_of_tasks_by_uncertainty() {
    let tensor = |value: f32| Tensor::new(value, &Device::Cpu).unwrap();
    let s = Var::from_tensor(&Tensor::new(&[0.5f32], &Device::Cpu).unwrap()).unwrap();
    let of = |loss: f32| (scaled(&tensor(loss), s.as_tensor()).unwrap() + penalty(s.as_tensor()).unwrap()).unwrap();
    close(number(&of(2.0)), 1.213_061_319 + 0.25);
    // It is least where the variance is twice the loss: e^s = 2 · loss.
    let slope = |loss: f32| of(loss).backward().unwrap().get(&s).unwrap().to_vec1::<f32>().unwrap()[0];
    assert!(slope(0.5f32.exp() / 2.0).abs() < 1e-6 && slope(2.0) < 0.0 && slope(0.1) > 0.0);
}

// ---- imbalance ----

#[test]
fn class_weights_of_worked_examples() {
    let check = |counts: &[usize], beta: f64, wanted: &[f32]| {
        let found = class_weights(counts, beta);
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4 * b), "{counts:?}, {beta}: {found:?}");
    };
    check(&[10, 100, 1000], 0.0, &[37.0, 3.7, 0.37]);
    check(&[10, 100, 1000], 0.99, &[2.406_842, 0.363_011, 0.230_147]);
    check(&[10, 0, 10], 0.999, &[1.0, 1.0, 1.0]);
    check(&[0, 0], 0.9, &[1.0, 1.0]);
}

#[test]
fn classes_are_read_as_often_as_was_asked() {
    let classes: Vec<Option<u16>> = (0..12).map(|at| if at == 11 { None } else { Some(u16::from(at >= 8)) }).collect();
    let drawn = |sampling, seed| epoch_examples(&classes, sampling, &mut generator(seed));
    let count = |drawn: &[usize], class: Option<u16>| drawn.iter().filter(|at| classes[**at] == class).count();
    assert_eq!(drawn(Sampling::Off, 1), (0..12).collect::<Vec<_>>());
    let over = drawn(Sampling::Over, 1);
    assert_eq!((count(&over, Some(0)), count(&over, Some(1)), count(&over, None)), (8, 8, 1));
    assert!((8..11).all(|rare| over.iter().filter(|at| **at == rare).count() >= 2), "whole rounds come first: {over:?}");
    let under = drawn(Sampling::Under, 1);
    assert_eq!((count(&under, Some(0)), count(&under, Some(1)), count(&under, None)), (3, 3, 1));
    assert_eq!(under, drawn(Sampling::Under, 1));
    assert!((2..9).any(|seed| drawn(Sampling::Under, seed) != under), "other ones each time");
}

#[test]
fn a_run_reads_rare_classes_more_often() {
    let mut data = toys();
    let rare: Vec<u32> = data.examples.iter().filter(|e| e.split == Split::Train && e.class == Some(0)).map(|e| e.doc.0).take(6).collect();
    data.examples.retain(|example| !rare.contains(&example.doc.0));
    let steps = |sampling| run(&data, &TrainConfig { sampling, epochs: 1, batch_examples: 2, ..quick() }).steps.len();
    assert_eq!((steps(Sampling::Off), steps(Sampling::Over), steps(Sampling::Under)), (5, 8, 2));
}

// ---- scores of questions ----

#[test]
fn scores_of_several_labels() {
    let pairs: [(&[u16], &[u16]); 4] = [(&[0], &[0]), (&[0, 1], &[0]), (&[2], &[1]), (&[1], &[1])];
    let scores = label_scores(&names(&["joy", "fear", "怒", "never"]), &pairs);
    assert_eq!((scores.examples, scores.exact), (4, Some(0.5)));
    let f1: Vec<f64> = scores.per_label.iter().map(|label| label.f1).collect();
    assert_eq!(f1, [1.0, 0.5, 0.0, 0.0]);
    // The label that nobody gave and nobody said does not count; of all together 3 right, 5 given, 4 said.
    close(scores.macro_f1.unwrap(), 0.5);
    close(scores.micro_f1.unwrap(), 6.0 / 9.0);
    assert_eq!(label_scores(&names(&["a"]), &[]).macro_f1, None);
}

/// Correlations as scipy gives them.
#[test]
fn scores_of_numbers() {
    let scores = number_scores(&[(1.0, 1.2), (2.0, 1.9), (3.0, 3.5), (4.0, 3.5), (5.0, 4.0)]);
    close(scores.mae.unwrap(), 0.46);
    close(scores.pearson.unwrap(), 0.946_385_843);
    close(scores.spearman.unwrap(), 0.974_679_434);
    let flat = number_scores(&[(1.0, 2.0), (3.0, 2.0)]);
    assert_eq!((flat.pearson, flat.spearman, flat.selection()), (None, None, Some(0.0)));
}

#[test]
fn thresholds_stand_where_f1_is_highest() {
    let doc = |probability: f32, holds: bool| HeldOut {
        questions: vec![QuestionOutcome {
            gold: Some(TaughtAnswer::Labels(if holds { vec![0] } else { vec![1] })),
            probabilities: vec![probability, 0.9],
            ..QuestionOutcome::default()
        }],
        ..HeldOut::default()
    };
    // All that hold lie above 0.3, and one that does not.
    let mut docs: Vec<HeldOut> = (0..12).map(|at| doc(0.3 + 0.01 * at as f32, true)).collect();
    docs.extend((0..12).map(|at| doc(0.01 * at as f32, false)));
    docs.push(doc(0.35, false));
    let found = fit_label_thresholds(&docs, 0, 2);
    assert!(found[0] > 0.11 && found[0] < 0.3, "{found:?}");
    // Too few to tell.
    assert_eq!(fit_label_thresholds(&docs[..9], 0, 2), [0.5, 0.5]);
}

// ---- questions in a run ----

/// The toy reviews with feelings and a rating from 1 to 5 beside the class.
fn asked() -> TrainData {
    let mut data = toys();
    data.questions = vec![
        AskedQuestion { name: "feelings".to_owned(), kind: AskedKind::Labels(names(&["joy", "anger", "想再来"])) },
        AskedQuestion { name: "stars".to_owned(), kind: AskedKind::Number { min: 1.0, max: 5.0, step: 1.0 } },
    ];
    for example in &mut data.examples {
        let good = example.class == Some(1);
        let mut labels = vec![u16::from(!good)];
        if good {
            labels.push(2);
        }
        example.answers = vec![Some(TaughtAnswer::Labels(labels)), Some(TaughtAnswer::Number(if good { 5.0 } else { 2.0 }))];
        // Some answer one of them alone, or none.
        match example.doc.0 % 8 {
            3 => example.answers[1] = None,
            5 => example.answers.clear(),
            _ => {}
        }
    }
    data
}

/// Three things at once take an encoder of random weights longer.
fn by_heart_all() -> TrainConfig {
    TrainConfig { epochs: 150, lr: 5e-3, ..by_heart() }
}

/// Learnt by heart on the shipped encoder would take long: the small one gets many epochs.
fn by_heart() -> TrainConfig {
    TrainConfig { epochs: 40, lr: 3e-3, head_lr_factor: 1.0, dropout: 0.0, ..quick() }
}

/// What numbers must reach beside a class that says the same: the answers are 2 and 5.
const BESIDE_A_CLASS: (f64, f64) = (0.9, 0.6);
/// Alone: what chance reaches once in a hundred times (the correlation of twelve pairs whose t is 3.17), and half of how far
/// off the mean is.
const BEYOND_CHANCE: (f64, f64) = (0.708, 0.75);

fn check_questions(told: &Told, ordinal: bool, (follows, off): (f64, f64)) {
    let report = told.report.as_ref().unwrap();
    let [feelings, stars] = report.scores.questions.as_slice() else { panic!("{:?}", report.scores.questions) };
    assert_eq!((feelings.examples, stars.examples), (14, 12));
    assert!(feelings.macro_f1.unwrap() > 0.9 && feelings.exact.unwrap() > 0.6, "{feelings:?}");
    assert!(stars.pearson.unwrap() > follows && stars.mae.unwrap() < off, "{stars:?}");
    assert!(told.steps[0].question_loss.unwrap() > told.steps.last().unwrap().question_loss.unwrap());
    // What the run says, the model says.
    let predictor = Predictor::new(told.files.as_ref().unwrap()).unwrap();
    assert_eq!(predictor.questions().len(), 2);
    for doc in &report.held_out {
        let text = &asked().examples.into_iter().find(|example| example.doc.0 == doc.doc).unwrap().text;
        let answer = predictor.predict(text).unwrap();
        assert_eq!(answer.questions[0].labels, doc.questions[0].labels);
        let (said, own) = (answer.questions[1].number.unwrap(), doc.questions[1].number.unwrap());
        assert!((said - own).abs() < 1e-3 && (1.0..=5.0).contains(&said), "{said} {own}");
        assert_eq!(answer.questions[1].probabilities.len(), if ordinal { 4 } else { 0 });
    }
}

#[test]
fn several_labels_and_a_number_are_learnt_beside_the_class() {
    for number_loss in [NumberLoss::Squared, NumberLoss::Ordinal] {
        let told = run(&asked(), &TrainConfig { number_loss, ..by_heart_all() });
        assert!(told.report.as_ref().unwrap().scores.macro_f1.is_some());
        check_questions(&told, number_loss == NumberLoss::Ordinal, BESIDE_A_CLASS);
    }
}

#[test]
fn labels_have_intervals_and_are_compared() {
    let doc = |id: u32, gold: &[u16], said: &[u16]| HeldOut {
        doc: id,
        questions: vec![QuestionOutcome {
            gold: Some(TaughtAnswer::Labels(gold.to_vec())),
            labels: said.to_vec(),
            probabilities: vec![0.5; 2],
            number: None,
        }],
        ..HeldOut::default()
    };
    // Label 0: 20 right of 30 given; label 1: 30 right, and 10 too many.
    let docs: Vec<HeldOut> = (0..60)
        .map(|at| match at {
            0..20 => doc(at, &[0], &[0]),
            20..30 => doc(at, &[0], &[1]),
            _ => doc(at, &[1], &[1]),
        })
        .collect();
    let sure = uncertainty(&docs, &[], 1);
    let macro_f1 = sure.of(Score::LabelsF1(0)).unwrap();
    close(macro_f1.score, (40.0 / 50.0 + 60.0 / 70.0) / 2.0);
    assert!(macro_f1.low < macro_f1.score && macro_f1.score < macro_f1.high && macro_f1.half_width() < 0.2);
    close(sure.of(Score::LabelF1(0, 1)).unwrap().score, 60.0 / 70.0);
    // Beside a run that has all right.
    let right: Vec<HeldOut> = docs
        .iter()
        .map(|old| {
            let mut new = old.clone();
            let Some(TaughtAnswer::Labels(gold)) = &old.questions[0].gold else { panic!() };
            new.questions[0].labels.clone_from(gold);
            new
        })
        .collect();
    let mut first = run(&toys(), &TrainConfig { epochs: 1, ..quick() }).report.unwrap();
    let mut second = first.clone();
    (first.held_out, second.held_out) = (docs, right);
    let side = |report| Side { classes: &[], span_labels: &[], report };
    let found = compare(side(&first), side(&second), 1);
    let main = found.main().unwrap();
    assert_eq!((main.score, main.better(), found.better.len()), (Score::LabelsF1(0), Better::Second, 10));
}

#[test]
fn questions_are_learnt_alone_and_left_out() {
    let mut data = asked();
    data.classes.clear();
    data.span_labels.clear();
    for example in &mut data.examples {
        (example.class, example.spans) = (None, None);
    }
    assert!(data.readiness().can_start());
    check_questions(&run(&data, &by_heart_all()), false, BEYOND_CHANCE);
    let without = run(&asked(), &TrainConfig { question_loss_weight: 0.0, ..quick() });
    assert!(without.report.unwrap().scores.questions.is_empty());
    let plain = run(&toys(), &quick());
    assert_eq!(weights(&without.files.unwrap()), weights(&plain.files.unwrap()), "nothing else has changed");
}

#[test]
fn a_batch_in_parts_teaches_the_same_of_questions_and_variances() {
    let of = |tokens_at_once| {
        let config = TrainConfig {
            epochs: 1,
            dropout: 0.0,
            tokens_at_once,
            task_weights: TaskWeights::Uncertainty,
            label_smoothing: 0.1,
            ..quick()
        };
        run(&asked(), &config)
    };
    let (whole, parts) = (of(4096), of(40));
    for (a, b) in whole.steps.iter().zip(&parts.steps) {
        assert!((a.loss - b.loss).abs() < 1e-4 && (a.grad_norm - b.grad_norm).abs() < 2e-3 * a.grad_norm, "{a:?} {b:?}");
    }
}

#[test]
fn tasks_learn_what_they_count() {
    let config = TrainConfig { task_weights: TaskWeights::Uncertainty, lr: 3e-3, head_lr_factor: 3.0, epochs: 6, ..quick() };
    let told = run(&asked(), &config);
    let found = weights(told.files.as_ref().unwrap());
    let value = |task: &str| f32::from_le_bytes(found[&format!("gloss.variance.{task}")][..4].try_into().unwrap());
    let values = ["class", "span", "question0", "question1"].map(value);
    assert!(values.iter().all(|value| value.abs() > 1e-3 && value.is_finite()), "{values:?}");
    // A model with them predicts.
    assert!(Predictor::new(told.files.as_ref().unwrap()).is_ok());
}

// ---- other wordings ----

#[test]
fn rewording_leaves_marked_places_alone() {
    let config = TrainConfig { synonym_share: 1.0, word_deletion: 0.0, word_swap: 0.0, ..TrainConfig::default() };
    let synonyms = vec![names(&["good", "fine"]), names(&["酒店", "宾馆"])];
    let text = "A good 👍 room, 酒店 good";
    let start = text.rfind("good").unwrap();
    let example = Example {
        text: text.into(),
        class: Some(1),
        spans: Some(vec![(TextRange::new(text, start..start + 4).unwrap(), 0)]),
        ..Example::default()
    };
    let changed = Rewording::new(&synonyms, &config).reworded(&example, &mut generator(1)).unwrap();
    assert_eq!(&*changed.text, "A fine 👍 room, 宾馆 good");
    let (range, label) = changed.spans.as_ref().unwrap()[0];
    assert_eq!((range.of(&changed.text), label, changed.class), ("good", 0, Some(1)));
    // Nothing to change: no copy.
    assert!(Rewording::new(&[], &config).reworded(&example, &mut generator(1)).is_none());
    // Something is always left, and what is marked is.
    let all = TrainConfig { word_deletion: 0.9, word_swap: 0.9, ..TrainConfig::default() };
    for seed in 0..40 {
        let Some(changed) = Rewording::new(&synonyms, &all).reworded(&example, &mut generator(seed)) else { continue };
        let (range, _) = changed.spans.as_ref().unwrap()[0];
        assert_eq!(range.of(&changed.text), "good", "{:?}", changed.text);
        let alone = Example { spans: None, ..example.clone() };
        let changed = Rewording::new(&synonyms, &all).reworded(&alone, &mut generator(seed));
        assert!(changed.is_none_or(|changed| changed.text.contains(|c: char| c.is_alphabetic() || c == '👍')));
    }
}

#[test]
fn a_run_learns_other_wordings() {
    let data = TrainData { synonyms: vec![names(&["the", "this"])], ..toys() };
    let told = run(&data, &TrainConfig { augment: 1.0, epochs: 1, batch_examples: 4, ..quick() });
    let note = told.started.as_ref().unwrap().notes.iter().find(|note| note.contains("in other words")).cloned();
    let more: usize = note.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(more > 0, "{more}");
    assert_eq!(told.steps.len(), (16 + more).div_ceil(4));
}

#[test]
fn lists_of_words_and_wordings_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let lists = wordings::synonyms(&path("s.txt", "# a comment\r\ngood, fine\r\n酒店\t宾馆\t旅馆\n\nalone\nbig large\n")).unwrap();
    assert_eq!(lists, [names(&["good", "fine"]), names(&["酒店", "宾馆", "旅馆"]), names(&["big", "large"])]);
    let pairs = wordings::paraphrases(&path("p.tsv", "很好\t非常好\n\n the room \t this room\r\n")).unwrap();
    assert_eq!(pairs, [("很好".to_owned(), "非常好".to_owned()), ("the room".to_owned(), "this room".to_owned())]);
    let error = wordings::paraphrases(&path("q.tsv", "a\tb\nno tab\n")).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("q.tsv"), "{error}");
    let mut data = toys();
    let text = data.examples[1].text.to_string();
    assert_eq!(data.add_wordings(&[(text.clone(), "早饭不好吃".to_owned()), ("unknown".to_owned(), "x".to_owned())]), 1);
    let added = data.examples.last().unwrap();
    assert_eq!(
        (&*added.text, added.class, added.doc, added.split, added.spans.is_none()),
        ("早饭不好吃", Some(0), DocId(1), Split::Train, true)
    );
}

// ---- teachers ----

/// A project's runs with one run of the small encoder that has learnt the toys' classes.
fn with_teacher(folder: &std::path::Path) -> (Runs, String) {
    let runs = Runs::of(&folder.join("p.gloss"));
    let config = TrainConfig { span_loss_weight: 0.0, ..by_heart() };
    let told = run(&toys(), &config);
    let mut writer = runs.start(&config, &toys(), 1).unwrap();
    writer.finish(told.files.as_ref().unwrap(), told.report.as_ref().unwrap()).unwrap();
    (runs, writer.id().to_owned())
}

#[test]
fn a_teacher_answers_what_nobody_labelled() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, teacher) = with_teacher(folder.path());
    let mut data = toys();
    // Of half of the documents nobody said the class.
    data.examples.retain(|example| example.split == Split::Dev || example.doc.0 < 8);
    for (at, example) in toys().examples.into_iter().enumerate().filter(|(at, _)| (8..16).contains(at)) {
        data.unlabelled.push((DocId(at as u32), example.text));
    }
    let mut taught = data.clone();
    let config = TrainConfig { teacher: teacher.clone(), pseudo_threshold: 0.5, ..by_heart() };
    teach(&runs, &config, &mut taught, &|| true).unwrap();
    let learnt: Vec<&Example> = taught.examples.iter().filter(|example| example.split == Split::Train).collect();
    assert_eq!(learnt.len(), 16);
    assert!(learnt[..8].iter().all(|example| example.taught.len() == 2));
    let right = learnt[8..].iter().filter(|example| example.class == toys().examples[example.doc.0 as usize].class).count();
    assert!(right >= 7, "{right} of 8: the teacher knows them by heart");
    let sums = learnt[..8].iter().map(|example| example.taught.iter().map(|log| log.exp()).sum::<f32>());
    assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-4));
    // Sure of nothing: no labels, and without them all of it as probabilities.
    let mut none = data.clone();
    teach(&runs, &TrainConfig { pseudo_threshold: 1.0, distil_weight: 0.0, ..config.clone() }, &mut none, &|| true).unwrap();
    assert!(none.examples.iter().filter(|example| example.split == Split::Train).count() <= 16);
    let mut soft = data.clone();
    let all = TrainConfig { pseudo_threshold: 0.0, distil_unlabelled: true, ..config.clone() };
    teach(&runs, &all, &mut soft, &|| true).unwrap();
    assert!(soft.examples.iter().filter(|example| example.split == Split::Train).all(|example| example.taught.len() == 2));
    assert_eq!(soft.examples.iter().filter(|example| example.class.is_none() && !example.taught.is_empty()).count(), 8);
    let told = run(&soft, &TrainConfig { span_loss_weight: 0.0, ..all });
    assert!(told.report.unwrap().scores.accuracy.unwrap() > 0.9, "what the teacher knows the pupil learns");
    // Other classes, no such run, nobody waits.
    let other = TrainData { classes: names(&["bad", "good"]), ..data.clone() };
    assert!(teach(&runs, &config, &mut other.clone(), &|| true).unwrap_err().to_string().contains("good"));
    assert!(teach(&runs, &TrainConfig { teacher: "run-0099".to_owned(), ..config.clone() }, &mut data.clone(), &|| true).is_err());
    let mut left = data.clone();
    teach(&runs, &config, &mut left, &|| false).unwrap();
    assert_eq!(left.examples.len(), data.examples.len());
}

#[test]
fn the_mean_of_teachers_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, teacher) = with_teacher(folder.path());
    let answers = |teacher: String| {
        let mut data = toys();
        teach(&runs, &TrainConfig { teacher, ..by_heart() }, &mut data, &|| true).unwrap();
        data.examples[0].taught.clone()
    };
    let one = answers(teacher.clone());
    let twice = answers(format!("{teacher}, {teacher}"));
    assert!(one.iter().zip(&twice).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} {twice:?}");
}

// ---- how far it can be trusted ----

/// Classes said with `sure`, of which every fifth is wrong.
fn said(sure: f32, count: u32) -> Vec<HeldOut> {
    let doc = |at: u32| HeldOut {
        doc: at,
        gold_class: Some(u16::from(at.is_multiple_of(5))),
        class: Some(0),
        probabilities: vec![sure, 1.0 - sure],
        ..HeldOut::default()
    };
    (0..count).map(doc).collect()
}

#[test]
fn classes_are_cooled_to_how_often_they_are_right() {
    let calibration = fit_calibration(&said(0.99, 200));
    // σ(logit(0.99) / T) = 0.8.
    assert!((calibration.class - 99f64.ln() / 4f64.ln()).abs() < 0.01, "{}", calibration.class);
    let cooled = calibrated(calibration, &said(0.99, 200));
    assert!((cooled[0].probabilities[0] - 0.8).abs() < 1e-3 && cooled[0].class == Some(0));
    let found = reliability(&said(0.99, 200), &cooled);
    assert_eq!(found[0].of, "class");
    assert!((found[0].error_before - 0.19).abs() < 1e-3 && found[0].error < 1e-3, "{found:?}");
    // Too few to tell.
    close(fit_calibration(&said(0.99, 20)).class, 1.0);
}

#[test]
fn what_is_answered_only_when_sure() {
    let mut docs = said(0.9, 10);
    docs.extend(said(0.6, 10).into_iter().map(|doc| HeldOut { class: Some(1), probabilities: vec![0.4, 0.6], ..doc }));
    docs.push(HeldOut::default());
    let found = abstentions(&docs, &[1.0, 0.5, 0.3]);
    // Of the sure ones 2 of 10 are wrong; of the others those that are 0, 8 of 10.
    let rows: Vec<(f32, f64, f64)> = found.iter().map(|row| (row.threshold, row.coverage, row.risk)).collect();
    assert_eq!(rows, [(0.6, 1.0, 0.5), (0.9, 0.5, 0.2), (0.9, 0.5, 0.2)]);
    assert!(abstentions(&docs[20..], &[1.0]).is_empty());
}

// ---- adapters and prefixes ----

/// What is put into the encoder learns and stays with the model, which ONNX refuses by its name.
fn check_put_in(config: &TrainConfig, (parameter, name): (&str, &str)) {
    let told = run(&toys(), config);
    let full = run(&toys(), &TrainConfig { epochs: 1, layers: 2, ..quick() }).started.unwrap().parameters;
    assert!(told.started.as_ref().unwrap().parameters < full);
    assert!(told.steps.last().unwrap().loss < told.steps[0].loss * 0.5);
    let files = told.files.as_ref().unwrap();
    assert!(weights(files).keys().any(|name| name.ends_with(parameter)));
    let predictor = Predictor::new(files).unwrap();
    let report = told.report.as_ref().unwrap();
    for doc in &report.held_out {
        let text = &toys().examples.into_iter().find(|example| example.doc.0 == doc.doc).unwrap().text;
        let own = predictor.predict(text).unwrap().probabilities;
        assert!(own.iter().zip(&doc.probabilities).all(|(a, b)| (a - b).abs() < 1e-4), "{own:?} {:?}", doc.probabilities);
    }
    assert!(gloss::nn::to_onnx(files).unwrap_err().to_string().contains(name));
}

#[test]
fn adapters_learn_and_stay_with_the_model() {
    let config = TrainConfig { tuned: Tuned::Adapters, adapter_width: 4, layers: 2, ..by_heart() };
    check_put_in(&config, ("encoder.layer.1.output.adapter.up.weight", "adapters"));
}

#[test]
fn prefixes_learn_and_stay_with_the_model() {
    let config = TrainConfig { tuned: Tuned::Prefix, prefix_rows: 4, layers: 2, epochs: 60, lr: 1e-2, ..by_heart() };
    check_put_in(&config, ("encoder.layer.1.attention.prefix.values", "prefixes"));
}

// ---- the search ----

#[test]
fn halving_of_worked_examples() {
    let mut halving = Halving::new(&[6; 9]);
    assert_eq!((halving.epochs(), halving.rungs()), (Some(1), 3));
    let scores = [0.1, 0.9, 0.3, 0.9, 0.2, f64::NAN, 0.5, 0.4, 0.0];
    assert_eq!(halving.judge(|trial| scores[trial]), [7, 2, 4, 0, 8, 5]);
    assert_eq!((halving.alive(), halving.epochs()), (&[1usize, 3, 6][..], Some(2)));
    // Of equal ones the first stays.
    assert_eq!(halving.judge(|trial| scores[trial]), [3, 6]);
    assert_eq!((halving.alive(), halving.epochs()), (&[1usize][..], Some(6)));
    assert!(halving.judge(|_| 0.0).is_empty());
    assert_eq!((halving.alive(), halving.epochs()), (&[1usize][..], None));
    // So short that all are learnt to their ends: one comes out.
    let mut short = Halving::new(&[1, 1, 1]);
    assert_eq!(short.rungs(), 1);
    assert_eq!(short.judge(|trial| trial as f64), [1, 0]);
    assert_eq!(short.alive(), [2]);
}

#[test]
fn what_is_tried_lies_around_what_was_given() {
    let base = TrainConfig { epochs: 6, lr: 1e-4, ..TrainConfig::default() };
    let tried = trial_settings(&base, 12, 12, 3);
    assert_eq!((tried.len(), &tried[0]), (12, &base));
    assert_eq!(tried, trial_settings(&base, 12, 12, 3));
    assert_ne!(tried, trial_settings(&base, 12, 12, 4));
    for config in &tried {
        assert!((2.5e-5..=4e-4).contains(&config.lr) && [3, 6, 12].contains(&config.epochs) && [0, 4, 6].contains(&config.freeze_layers));
        config.check().unwrap();
    }
    let lora = trial_settings(&TrainConfig { tuned: Tuned::Lora, ..base }, 8, 12, 3);
    assert!(lora.iter().all(|config| config.freeze_layers == 0));
}

#[test]
fn a_search_keeps_the_best_and_gives_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    let base = TrainConfig { encoder: small::choice(folder.path()), epochs: 6, lr: 1e-3, ..quick() };
    let data = toys();
    let (events, judged) = (Cell::new(0), Cell::new(0));
    let search = Search { runs: &runs, data: &data, base: &base, trials: 4, now: &|| 5, wait: &|| Signal::Continue };
    let mut listen = |news: SearchNews| {
        match news {
            SearchNews::Event(_) => events.set(events.get() + 1),
            SearchNews::Ended(_) => judged.set(judged.get() + 1),
            _ => {}
        }
        Signal::Continue
    };
    let (trials, best) = search.run(&mut listen).unwrap();
    assert!(events.get() > 20 && judged.get() >= 2);
    assert_eq!((trials.len(), runs.list().len()), (4, 4));
    let best_run = runs.summary(&trials[best].run).unwrap();
    assert_eq!(best_run.status, RunStatus::Finished);
    assert!(trials.iter().filter(|trial| trial.finished).all(|trial| trial.score <= trials[best].score));
    for trial in trials.iter().filter(|trial| !trial.finished) {
        let run = runs.summary(&trial.run).unwrap();
        assert_eq!((run.status, run.can_resume), (RunStatus::Cancelled, false));
        assert!(run.notes.contains("Search: trial"), "{}", run.notes);
        assert!(trial.epochs < trial.config.epochs as f64);
    }
    // Left and gone on with, a trial ends as a run that never stood still.
    let alone = run_from(small::files(), &data, &trials[best].config, &mut |_| Signal::Continue).unwrap();
    assert_eq!(weights(&runs.model(&trials[best].run).unwrap()), weights(alone.files.as_ref().unwrap()));
}

#[test]
fn a_search_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::of(&folder.path().join("p.gloss"));
    let base = TrainConfig { encoder: small::choice(folder.path()), epochs: 6, ..quick() };
    let search = Search { runs: &runs, data: &toys(), base: &base, trials: 4, now: &|| 5, wait: &|| Signal::Continue };
    let evaluations = Cell::new(0);
    let mut listen = |news: SearchNews| {
        if matches!(&news, SearchNews::Event(event) if matches!(**event, gloss::train::TrainEvent::Evaluated(_))) {
            evaluations.set(evaluations.get() + 1);
        }
        if evaluations.get() >= 2 { Signal::StopAndKeepBest } else { Signal::Continue }
    };
    let (trials, best) = search.run(&mut listen).unwrap();
    assert!(trials[best].finished && trials.iter().any(|trial| trial.run.is_empty()), "{trials:?}");
    let cancelled = Search { runs: &runs, data: &toys(), base: &base, trials: 4, now: &|| 5, wait: &|| Signal::Continue };
    assert!(cancelled.run(&mut |_| Signal::Cancel).is_err());
    assert!(runs.list().iter().any(|run| run.status == RunStatus::Cancelled));
}

// ---- continued pretraining ----

#[test]
fn an_encoder_learns_to_say_hidden_pieces_and_trains_on() {
    let texts: Vec<std::sync::Arc<str>> = toys().examples.into_iter().map(|example| example.text).take(16).collect();
    let config = TrainConfig { epochs: 30, lr: 3e-3, head_lr_factor: 1.0, dropout: 0.0, layers: 2, ..quick() };
    let mut losses = Vec::new();
    let made = pretrain(small::files(), &texts, &config, &mut |step| {
        assert_eq!(step.steps, 60);
        losses.push(step.loss);
        true
    });
    let made = made.unwrap().unwrap();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&losses[..6]), mean(&losses[54..]));
    assert!(first > 10.0 && last < first - 1.0, "guessing among 38,679 pieces costs 10.6: {first}, {last}");
    // The table stays, the layers have learnt, and a run begins from it.
    let (before, after) = (weights(small::files()), weights(&made));
    let of = |weights: &std::collections::BTreeMap<String, Vec<u8>>, name: &str| {
        weights.get(name).or_else(|| weights.get(&format!("bert.{name}"))).unwrap().clone()
    };
    assert_eq!(of(&before, "embeddings.word_embeddings.weight"), of(&after, "embeddings.word_embeddings.weight"));
    assert_ne!(of(&before, "encoder.layer.0.output.dense.weight"), of(&after, "encoder.layer.0.output.dense.weight"));
    assert!(run_from(&made, &toys(), &quick(), &mut |_| Signal::Continue).unwrap().report.is_some());
    let again = pretrain(small::files(), &texts, &config, &mut |_| true).unwrap().unwrap();
    assert_eq!(weights(&again), after, "the same seed, the same encoder");
    assert!(pretrain(small::files(), &texts, &config, &mut |_| false).unwrap().is_none());
    assert!(pretrain(small::files(), &["".into()], &config, &mut |_| true).is_err());
}

// ---- from a project ----

#[test]
fn answers_and_open_documents_come_from_the_project() {
    let project = super::questions::project();
    let data = TrainData::of(&project, 0, 0.0);
    let asked: Vec<(&str, bool)> =
        data.questions.iter().map(|question| (question.name.as_str(), matches!(question.kind, AskedKind::Labels(_)))).collect();
    assert_eq!(asked, [("emotions", true), ("intensity", false)], "what nobody can learn is not asked");
    let first = data.examples.iter().find(|example| example.doc == DocId(0)).unwrap();
    assert_eq!(first.answers, [Some(TaughtAnswer::Labels(vec![0, 1])), Some(TaughtAnswer::Number(0.7))]);
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig { teacher: "run-0001".to_owned(), dev_share: 0.0, ..TrainConfig::default() };
    let data = training_data(&project, &Runs::of(&folder.path().join("q.gloss")), &config).unwrap();
    let known: Vec<DocId> = data.examples.iter().map(|example| example.doc).collect();
    let all: Vec<DocId> = project.documents().map(|doc| doc.id).collect();
    assert_eq!(data.unlabelled.len() + known.len(), all.len());
    assert!(data.unlabelled.iter().all(|(doc, _)| !known.contains(doc)));
}
