//! The place Test over a real desk.

use super::stage::{Stage, draw_until, tiny, train};
use eframe::egui::{Event, accesskit::Role, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use gloss::desk::Command;
use gloss::project::DocId;
use gloss::train::TrainConfig;
use gloss::ui::Place;
use gloss::ui::panes::test::TestPane;

fn place(config: Option<TrainConfig>) -> Harness<'static, Stage<TestPane>> {
    let mut harness = Stage::with_reviews(40).harness(TestPane::ui);
    harness.run_steps(2);
    if let Some(config) = config {
        train(&mut harness, config);
        draw_until(&mut harness, |stage| stage.desk.tester().is_ready());
    }
    harness
}

/// Types at the end of the text box, as a keyboard or an input method does, and waits for the answer.
fn type_text(harness: &mut Harness<'_, Stage<TestPane>>, text: &str) {
    harness.get_by_label("Text to try").focus();
    harness.run_steps(2);
    harness.event(Event::Text(text.to_owned()));
    harness.run_steps(2);
    answered(harness);
}

fn answered(harness: &mut Harness<'_, Stage<TestPane>>) {
    draw_until(harness, |stage| {
        let tester = stage.desk.tester();
        tester.answered().is_some_and(|answered| answered.text == tester.asked())
    });
}

#[test]
fn without_a_model_it_shows_the_way_to_one() {
    let mut harness = place(None);
    harness.get_by_label_contains("Train a model first");
    harness.get_by_label("Go to Train").click();
    harness.run_steps(2);
    assert_eq!(harness.state().goto, Some(Place::Train));
}

#[test]
fn it_answers_as_one_types() {
    let mut harness = place(Some(tiny()));
    harness.get_by_label("Type a text on the left");
    type_text(&mut harness, "房间很");
    assert_eq!(harness.state().desk.tester().asked(), "房间很");
    type_text(&mut harness, "干净 👨🏻‍🚒 but cafe\u{301} terrible");
    let tester = harness.state().desk.tester();
    assert_eq!(tester.asked(), "房间很干净 👨🏻‍🚒 but cafe\u{301} terrible");
    let prediction = tester.answered().unwrap().prediction.clone();
    let sum: f32 = prediction.probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-4);
    for name in ["negative", "neutral", "positive"] {
        assert!(harness.query_by_label_contains(&format!("{name}: ")).is_some(), "a bar for {name}");
    }
    let (best, _) = prediction.best_class().unwrap();
    let best = harness.state().desk.tester().classes()[usize::from(best)].clone();
    harness.get_by_label(&best);
}

#[test]
fn tags_show_on_hover() {
    let mut harness = place(Some(tiny()));
    type_text(&mut harness, "房间很干净");
    let document = harness.get_by_role(Role::Document).rect();
    // Inside the first character, below the room for captions.
    let units = harness.state().desk.tester().answered().unwrap().prediction.units.clone();
    let first = units[0].range.of("房间很干净").to_owned();
    let sure = &units[0].probabilities;
    let likeliest = (0..sure.len()).max_by(|a, b| sure[*a].total_cmp(&sure[*b])).unwrap();
    let likeliest = ["O", "B-aspect", "I-aspect", "B-opinion", "I-opinion"][likeliest];
    let mut seen = false;
    for down in (4..document.height() as usize).step_by(6) {
        harness.hover_at(document.left_top() + vec2(6.0, down as f32));
        harness.run_steps(3);
        std::thread::sleep(std::time::Duration::from_millis(1));
        seen |= harness.query_by_label(likeliest).is_some() && harness.query_all_by_label(&first).count() > 0;
    }
    assert!(seen, "no tags of {first:?} anywhere above the first character");
}

#[test]
fn a_text_can_be_kept_and_the_current_document_taken() {
    let mut harness = place(Some(tiny()));
    type_text(&mut harness, "值得留下的一句");
    let before = harness.state().desk.project().unwrap().documents().count();
    harness.get_by_label("Add to project").click();
    harness.run_steps(3);
    let desk = &harness.state().desk;
    assert_eq!(desk.project().unwrap().documents().count(), before + 1);
    assert_eq!(&*desk.project().unwrap().documents().next_back().unwrap().text, "值得留下的一句");

    harness.state_mut().desk.run(Command::Open(DocId(3)));
    harness.get_by_label("Use the current document").click();
    harness.run_steps(2);
    answered(&mut harness);
    let text = harness.state().desk.project().unwrap().document(DocId(3)).unwrap().text.clone();
    assert_eq!(harness.state().desk.tester().asked(), &*text);

    harness.get_by_label("Clear").click();
    harness.run_steps(3);
    harness.get_by_label("Type a text on the left");
    assert!(harness.get_by_label("Add to project").accesskit_node().is_disabled());
}

#[test]
fn a_text_beyond_the_models_length_is_said_to_be_cut() {
    let mut harness = place(Some(TrainConfig { max_length: 16, ..tiny() }));
    type_text(&mut harness, &"很长的一段话，没有尽头。".repeat(20));
    let answered = harness.state().desk.tester().answered().unwrap().clone();
    let unread = answered.text[answered.prediction.cut_at.unwrap()..].chars().count();
    harness.get_by_label(&format!("The text is longer than this model reads: its last {unread} characters were left out"));
}

#[test]
fn an_older_run_can_answer() {
    let mut harness = place(Some(tiny()));
    train(&mut harness, TrainConfig { epochs: 1, ..tiny() });
    draw_until(&mut harness, |stage| stage.desk.tester().run() == Some("run-0002") && stage.desk.tester().is_ready());
    harness.get_by_label("Model").click();
    harness.run_steps(3);
    harness.get_by_label_contains("Run 1  macro-F1").click();
    harness.run_steps(3);
    draw_until(&mut harness, |stage| stage.desk.tester().is_ready());
    assert_eq!(harness.state().desk.tester().run(), Some("run-0001"));
}

#[test]
fn it_says_which_words_speak_for_an_answer() {
    let mut harness = place(Some(tiny()));
    type_text(&mut harness, "房间 很干净，terrible 👨🏻‍🚒");
    let tester = harness.state().desk.tester();
    let (best, _) = tester.answered().unwrap().prediction.best_class().unwrap();
    let name = format!("Why {}?", tester.classes()[usize::from(best)]);
    harness.get_by_role_and_label(Role::Button, &name).click();
    harness.run_steps(2);
    draw_until(&mut harness, |stage| stage.desk.tester().why().is_some());
    harness.run_steps(2);
    let reasons = harness.state().desk.tester().why().unwrap().reasons.clone();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason.weight.is_finite()));
    harness.get_by_label_contains("Most: ");
    harness.get_by_label("Put away").click();
    harness.run_steps(2);
    assert!(harness.state().desk.tester().asked_why().is_none() && harness.query_by_label_contains("Most: ").is_none());
    // Another text puts the question away.
    harness.get_by_role_and_label(Role::Button, &name).click();
    harness.run_steps(2);
    type_text(&mut harness, "!");
    assert!(harness.state().desk.tester().asked_why().is_none());
}

#[test]
fn the_lattice_is_drawn_on_demand() {
    let mut harness = place(Some(tiny()));
    type_text(&mut harness, "房间很干净");
    assert!(harness.query_by_label("Tags of 5 characters").is_none());
    harness.get_by_label("Tags, character by character").click();
    harness.run_steps(20);
    harness.get_by_label("Tags of 5 characters");
}
