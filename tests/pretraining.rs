//! Having an encoder read the project's reviews first, in the window: asked with what it comes to, watched, stopped, chosen.

use super::small;
use super::stage::{Stage, draw_until};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Pretraining};
use gloss::store::model_folder;
use gloss::train::{EncoderChoice, TrainConfig};
use gloss::ui::panes::train::TrainPane;

fn place(reviews: usize) -> (Harness<'static, Stage<TrainPane>>, EncoderChoice) {
    let mut harness = Stage::<TrainPane>::with_reviews(reviews).harness(TrainPane::ui);
    harness.run_steps(3);
    let encoder = small::choice(harness.state().desk.path().unwrap().parent().unwrap());
    (harness, encoder)
}

fn start(harness: &mut Harness<'_, Stage<TrainPane>>, encoder: EncoderChoice, epochs: usize) {
    let config = TrainConfig { encoder, epochs, lr: 2e-3, max_length: 40, ..TrainConfig::default() };
    harness.state_mut().desk.run(Command::StartPretraining(Box::new(config)));
}

fn idle(stage: &Stage<TrainPane>) -> bool {
    !matches!(stage.desk.pretraining(), Pretraining::Running { .. })
}

#[test]
fn it_asks_first_and_takes_no_for_an_answer() {
    let (mut harness, _) = place(40);
    harness.get_by_label("Read the reviews first…").click();
    harness.run_steps(3);
    harness.get_by_label_contains("Reads 40 reviews once, which takes about");
    harness.get_by_label("Not now").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Start reading").is_none() && idle(harness.state()));
}

#[test]
fn what_was_read_is_an_encoder_that_is_chosen_and_listed() {
    let (mut harness, encoder) = place(40);
    start(&mut harness, encoder.clone(), 20);
    harness.run_steps(2);
    draw_until(&mut harness, idle);
    let Pretraining::Done { folder, first, last } = harness.state().desk.pretraining().clone() else {
        panic!("{:?}", harness.state().desk.pretraining())
    };
    assert!(last < first, "{first} then {last}");
    harness.get_by_label_contains("Has read the reviews: loss of hidden pieces");
    assert_eq!(harness.state().desk.own_encoders(), std::slice::from_ref(&folder));
    assert!(folder.ends_with("p.runs/encoder-0001"));
    model_folder::read(&folder).unwrap();
    assert!(harness.state().desk.runs().is_empty(), "an encoder is no run");
    harness.get_by_label("Close").click();
    harness.run_steps(3);
    harness.get_by_label("Read the reviews first…");
    // Another one gets a name of its own.
    start(&mut harness, encoder, 1);
    draw_until(&mut harness, idle);
    assert_eq!(harness.state().desk.own_encoders().len(), 2);
}

#[test]
fn stopped_it_leaves_nothing_and_trouble_is_a_sentence() {
    let (mut harness, encoder) = place(40);
    start(&mut harness, encoder, 10_000);
    draw_until(&mut harness, |stage| matches!(stage.desk.pretraining(), Pretraining::Running { step: 1.., .. }));
    assert!(harness.query_all_by_label_contains("Reading: loss of hidden pieces").count() > 0);
    harness.get_by_label("Stop reading").click();
    draw_until(&mut harness, idle);
    assert_eq!(harness.state().desk.pretraining(), &Pretraining::Idle);
    assert!(harness.state().desk.own_encoders().is_empty());
    start(&mut harness, EncoderChoice::Folder("/nowhere/at-all".into()), 1);
    draw_until(&mut harness, idle);
    harness.get_by_label_contains("/nowhere/at-all");
}
