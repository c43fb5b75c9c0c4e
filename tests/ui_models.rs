//! Choosing what reads the text, in the place Train: a choice brings its settings, hides those of others, and its model
//! learns and answers.

use super::stage::{Bench, Stage, desk_with, draw_until};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Language, Phase};
use gloss::train::{ModelChoice, TrainConfig};
use gloss::ui::panes::train::TrainPane;

type Window = Harness<'static, Stage<TrainPane>>;

fn place(reviews: usize) -> Window {
    let mut harness = Stage::with_reviews(reviews).harness(TrainPane::ui);
    harness.run_steps(3);
    harness
}

#[track_caller]
fn click(harness: &mut Window, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

#[test]
fn a_model_is_chosen_with_its_settings_and_learns() {
    let mut harness = place(40);
    harness.get_by_label("Encoder");
    assert!(harness.query_by_label("Read by: Words").is_none() && harness.query_by_label("Network").is_none());
    click(&mut harness, "Model: Pretrained encoder");
    click(&mut harness, "LSTM");
    harness.get_by_label("Model: LSTM");
    assert!(harness.query_by_label("Encoder").is_none(), "an LSTM has none");
    click(&mut harness, "Read by: Words");
    click(&mut harness, "Characters");
    click(&mut harness, "Network");
    harness.get_by_label("Both directions");
    assert!(harness.query_by_label("Widths of filters: 3, 4, 5").is_none());
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
    for (from, to, shown) in [
        ("Pretrained encoder", "CNN", "Read by: Words"),
        ("CNN", "GRU", "Read by: Words"),
        ("GRU", "Pretrained encoder", "Encoder"),
        ("Pretrained encoder", "RNN", "Read by: Words"),
    ] {
        click(&mut harness, &format!("Model: {from}"));
        click(&mut harness, to);
        harness.get_by_label(shown);
    }
    click(&mut harness, "Back to the defaults");
}

#[test]
fn the_models_have_their_chinese() {
    let mut harness = place(30);
    harness.state_mut().desk.run(Command::SetLanguage(Language::Chinese));
    harness.run_steps(3);
    click(&mut harness, "模型: 预训练编码器");
    click(&mut harness, "CNN（卷积网络）");
    harness.get_by_label("阅读单位: 词");
    harness.get_by_label("词向量: 选择…");
}

#[test]
fn a_file_of_word_vectors_is_chosen_and_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with(folder.path(), &["房间很干净"]);
    let mut bench = Bench::of(folder, desk, 1400.0);
    bench.click("Train");
    bench.window.get_by_label("Model: Pretrained encoder").click();
    bench.window.run();
    bench.window.get_by_label("GRU").click();
    bench.window.run();
    bench.click("Word vectors: Choose…");
    bench.enter("Path of the file", "/somewhere/sgns.weibo.bin");
    assert!(bench.has("sgns.weibo.bin"));
    bench.click("Word vectors: Without");
    assert!(!bench.has("sgns.weibo.bin"));
}
