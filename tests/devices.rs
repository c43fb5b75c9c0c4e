//! Runs and predictions where graphics cards compute, on the processor (device=reference): they tell, score and answer
//! what the kernels do.

use super::opinions::linked;
use super::small;
use super::train::{quick, toys, weights};
use gloss::predict::{Asked, Predictor, Stored};
use gloss::train::{Adversarial, DeviceChoice, ModelChoice, OptimiserChoice, TrainConfig, TrainData, Tuned};

fn there(config: &TrainConfig) -> TrainConfig {
    TrainConfig { device: DeviceChoice::Reference, ..config.clone() }
}

/// The same run here and there.
#[track_caller]
fn check(name: &str, data: &TrainData, config: &TrainConfig) {
    let (here, there) = (small::run(data, config), small::run(data, &there(config)));
    let notes = there.started.unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("graphics card")), "{name}: {notes:?}");
    assert_eq!(here.steps.len(), there.steps.len());
    for (wanted, found) in here.steps.iter().zip(&there.steps) {
        let near = |wanted: f64, found: f64, by: f64| (wanted - found).abs() <= by * wanted.abs().max(0.1);
        assert!(near(wanted.loss, found.loss, 2e-3), "{name}, step {}: loss {} and {}", wanted.step, wanted.loss, found.loss);
        assert!(
            near(wanted.grad_norm, found.grad_norm, 2e-2),
            "{name}, step {}: norm {} and {}",
            wanted.step,
            wanted.grad_norm,
            found.grad_norm
        );
        assert_eq!(
            [wanted.class_loss, wanted.span_loss, wanted.polarity_loss, wanted.link_loss].map(|loss| loss.is_some()),
            [found.class_loss, found.span_loss, found.polarity_loss, found.link_loss].map(|loss| loss.is_some()),
        );
    }
    let (wanted, found) = (weights(&here.files.unwrap()), weights(&there.files.unwrap()));
    assert_eq!(wanted.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
}

fn base() -> TrainConfig {
    TrainConfig { epochs: 1, ..quick() }
}

#[test]
fn runs_with_every_head() {
    check("class and spans", &toys(), &base());
    check("polarity and links", &linked(), &base());
    check("order of tags", &toys(), &TrainConfig { crf: true, ..base() });
    check("each place by itself", &toys(), &TrainConfig { span_scorer: true, ..base() });
}

#[test]
fn runs_with_every_method() {
    let parts = TrainConfig { tokens_at_once: 60, accumulate: 2, ..base() };
    check("in parts", &toys(), &parts);
    check("the table learns", &toys(), &TrainConfig { tune_embeddings: true, ..base() });
    check("moving averages", &toys(), &TrainConfig { ema: 0.9, average_last: 2, evals_per_epoch: 2, ..base() });
    check("attacks", &toys(), &TrainConfig { adversarial: Adversarial::Fgm, dropout: 0.0, ..base() });
    check("two passes", &toys(), &TrainConfig { r_drop: 1.0, ..base() });
    for tuned in [Tuned::Head, Tuned::Lora, Tuned::Bitfit] {
        check("a part learns", &toys(), &TrainConfig { tuned, ..base() });
    }
    for optimiser in [OptimiserChoice::Sgd, OptimiserChoice::Adafactor] {
        check("another optimiser", &toys(), &TrainConfig { optimiser, ..base() });
    }
    check("unfreezing", &toys(), &TrainConfig { unfreeze_every: 1, epochs: 2, layers: 2, ..base() });
}

#[test]
fn the_same_seed_gives_the_same_weights_there() {
    let of = || weights(&small::run(&toys(), &there(&base())).files.unwrap());
    assert_eq!(of(), of());
}

#[test]
fn predictions_and_their_reasons_are_the_same() {
    let files = small::run(&linked(), &TrainConfig { epochs: 3, lr: 2e-3, ..quick() }).files.unwrap();
    let (here, note) = Predictor::on(&files, DeviceChoice::Cpu, Stored::Float32).unwrap();
    let (there, told) = Predictor::on(&files, DeviceChoice::Reference, Stored::Float32).unwrap();
    assert!(note.is_none() && told.is_some());
    let texts = ["房间很干净，但是早餐很差😀", "Great screen", "", "é\r\n“好”", "The staff were friendly and the room was dirty."];
    let (wanted, found) = (here.predict_many(&texts).unwrap(), there.predict_many(&texts).unwrap());
    for ((text, wanted), found) in texts.iter().zip(&wanted).zip(&found) {
        assert!(wanted.probabilities.iter().zip(&found.probabilities).all(|(a, b)| (a - b).abs() < 1e-4), "{text}");
        let spans =
            |prediction: &gloss::predict::Prediction| prediction.spans.iter().map(|span| (span.range, span.label)).collect::<Vec<_>>();
        assert_eq!(spans(wanted), spans(found), "{text}");
        let Some((class, _)) = wanted.best_class() else { continue };
        let why = |predictor: &Predictor, prediction| predictor.why(text, prediction, Asked::Class(class)).unwrap();
        for (wanted, found) in why(&here, wanted).iter().zip(why(&there, found)) {
            assert_eq!(wanted.range, found.range);
            assert!(
                (wanted.weight - found.weight).abs() < 1e-3 * wanted.weight.abs().max(0.1),
                "{text}: {} and {}",
                wanted.weight,
                found.weight
            );
        }
    }
}

#[test]
fn a_network_without_pretraining_says_that_it_stays_here() {
    let config = TrainConfig { device: DeviceChoice::Cuda, vocabulary_min_count: 1, epochs: 1, ..TrainConfig::of_model(ModelChoice::Cnn) };
    let data = toys();
    let vocabulary = gloss::train::learn_vocabulary(&data, &config).unwrap();
    let files = gloss::train::scratch_files(&config, &vocabulary, None).unwrap();
    let told = super::train::run_from(&files, &data, &config, &mut |_| gloss::train::Signal::Continue).unwrap();
    let notes = told.started.unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("computes on the processor")), "{notes:?}");
}

#[test]
fn the_setting_has_its_names() {
    let mut config = TrainConfig::default();
    assert_eq!(config.device, DeviceChoice::Auto);
    for choice in DeviceChoice::ALL {
        config.set("device", choice.name()).unwrap();
        assert_eq!(config.device, choice);
    }
    let error = config.set("device", "gpu").unwrap_err().to_string();
    assert!(error.contains("device") && error.contains("cuda"), "{error}");
    // Runs of before have no device in their settings.
    let mut old = serde_json::to_value(TrainConfig::default()).unwrap();
    old.as_object_mut().unwrap().remove("device");
    assert_eq!(serde_json::from_value::<TrainConfig>(old).unwrap(), TrainConfig::default());
}
