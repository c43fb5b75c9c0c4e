//! Choosing what reads the text, in the place Train: a choice brings its settings, hides those of others, and its model
//! learns and answers.

use super::stage::{Bench, Stage, desk_with, draw_until};
use eframe::egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Comparing, Language, Phase};
use gloss::train::{ModelChoice, TrainConfig};
use gloss::ui::panes::train::TrainPane;

type Window = Harness<'static, Stage<TrainPane>>;

fn place(reviews: usize) -> Window {
    let mut harness = Stage::with_reviews(reviews).harness(TrainPane::ui);
    harness.run_steps(3);
    harness
}

/// Opens a setting's values and takes one.
#[track_caller]
fn choose(harness: &mut Window, setting: &str, value: &str) {
    harness.get_by_role_and_label(Role::ComboBox, setting).click();
    harness.run_steps(3);
    click(harness, value);
}

fn is_shown(harness: &Window, role: Role, name: &str) -> bool {
    harness.query_by_role_and_label(role, name).is_some()
}

#[track_caller]
fn value_of(harness: &Window, setting: &str) -> String {
    harness.get_by_role_and_label(Role::ComboBox, setting).value().unwrap_or_default()
}

#[track_caller]
fn click(harness: &mut Window, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

#[test]
fn a_model_is_chosen_with_its_settings_and_learns() {
    let mut harness = place(40);
    assert!(is_shown(&harness, Role::ComboBox, "Encoder") && !is_shown(&harness, Role::ComboBox, "Read by"));
    choose(&mut harness, "Model", "LSTM");
    assert_eq!(value_of(&harness, "Model"), "LSTM");
    assert!(!is_shown(&harness, Role::ComboBox, "Encoder"), "an LSTM has none");
    choose(&mut harness, "Read by", "Characters");
    click(&mut harness, "Network");
    assert!(is_shown(&harness, Role::CheckBox, "Both directions") && !is_shown(&harness, Role::ComboBox, "Widths of filters"));
    click(&mut harness, "Quick");
    click(&mut harness, "Start training");
    let config = harness.state().desk.run_view().unwrap().config.clone();
    let wanted = TrainConfig::of_model(ModelChoice::Lstm);
    assert_eq!((config.model, config.lr, config.epochs), (ModelChoice::Lstm, wanted.lr, wanted.epochs / 2));
    assert_eq!(config.vocabulary, gloss::train::VocabularyUnit::Characters);
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    let view = harness.state().desk.run_view().unwrap();
    assert_eq!(view.phase, Phase::Finished);
    assert!(view.started.as_ref().unwrap().notes[0].starts_with("LSTM: 1 layer,"), "{:?}", view.started);
    // The model answers in Test, and its own words are shown under a document.
    harness.state_mut().desk.run(Command::Predict("房间特别好".to_owned()));
    draw_until(&mut harness, |stage| stage.desk.tester().answered().is_some());
}

#[test]
fn going_from_model_to_model_keeps_what_is_not_theirs() {
    let mut harness = place(30);
    for (model, shown) in [("CNN", "Read by"), ("GRU", "Read by"), ("Pretrained encoder", "Encoder"), ("RNN", "Read by")] {
        choose(&mut harness, "Model", model);
        assert_eq!(value_of(&harness, "Model"), model);
        assert!(is_shown(&harness, Role::ComboBox, shown), "{model}");
    }
    choose(&mut harness, "Read by", "Characters");
    click(&mut harness, "Back to the defaults");
    assert_eq!((value_of(&harness, "Model").as_str(), value_of(&harness, "Read by").as_str()), ("RNN", "Words"));
}

#[test]
fn the_models_have_their_chinese() {
    let mut harness = place(30);
    harness.state_mut().desk.run(Command::SetLanguage(Language::Chinese));
    harness.run_steps(3);
    choose(&mut harness, "模型", "CNN（卷积网络）");
    assert_eq!(value_of(&harness, "阅读单位"), "词");
    assert!(is_shown(&harness, Role::Button, "词向量"));
}

#[test]
fn a_file_of_word_vectors_is_chosen_and_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with(folder.path(), &["房间很干净"]);
    let mut bench = Bench::of(folder, desk, 1400.0);
    bench.click("Train");
    bench.window.get_by_role_and_label(Role::ComboBox, "Model").click();
    bench.window.run();
    bench.window.get_by_label("GRU").click();
    bench.window.run();
    bench.click("Word vectors");
    bench.enter("Path of the file", "/somewhere/sgns.weibo.bin");
    assert!(bench.has("sgns.weibo.bin"));
    bench.click("Word vectors: Without");
    assert!(!bench.has("sgns.weibo.bin"));
}

/// From the sample to a finished comparison of the encoder and an LSTM, with every click counted. (Quick only for the test's
/// sake: without it there is one click fewer.)
#[test]
fn an_lstm_and_the_encoder_are_compared_in_under_eight_clicks() {
    let mut harness = place(40);
    // The rail, which this stage does not have.
    let mut clicks = 1;
    let mut press = |harness: &mut Window, label: &str| {
        clicks += 1;
        click(harness, label);
    };
    press(&mut harness, "Quick");
    press(&mut harness, "Start training");
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    harness.get_by_role_and_label(Role::ComboBox, "Model").click();
    harness.run_steps(3);
    press(&mut harness, "LSTM");
    press(&mut harness, "Start training");
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    press(&mut harness, "Compare with Run 1");
    clicks += 1; // The list of models.
    draw_until(&mut harness, |stage| matches!(stage.desk.comparing(), Comparing::Done(_)));
    let Comparing::Done(compared) = harness.state().desk.comparing().clone() else { unreachable!() };
    assert!(compared.comparison.documents > 0 && compared.settings.iter().any(|setting| setting.key == "model"));
    assert!(harness.get_all_by_label_contains("reviews").count() > 0);
    assert!(clicks < 8, "{clicks}");
}
