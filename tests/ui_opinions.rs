//! Triplets, polarity, mistakes and reliability in the places Test and Train, over a real desk.

use super::stage::{Stage, draw_until, tiny, train};
use eframe::egui::Event;
use egui_kittest::kittest::{NodeT, Queryable};
use gloss::desk::{Command, Language};
use gloss::predict::most_likely;
use gloss::project::{DocId, Polarity};
use gloss::train::{ErrorKind, TrainConfig, error_groups};
use gloss::ui::Place;
use gloss::ui::panes::test::TestPane;
use gloss::ui::panes::train::TrainPane;

/// The stage's reviews, each with its opinion linked to its aspect and a polarity.
fn linked<P: Default + 'static>(count: usize) -> Stage<P> {
    let mut stage = Stage::with_reviews(count);
    for at in 0..count {
        let doc = DocId::from_index(at);
        let document = stage.desk.project().unwrap().document(doc).unwrap();
        let positive = document.annotation.class(gloss::project::QuestionId(0)) == Some(2);
        let spans = document.annotation.spans_in_order();
        let id = |label: u16| spans.iter().find(|(_, span)| span.label == label).unwrap().0;
        let (aspect, opinion) = (id(0), id(1));
        stage.desk.run(Command::ToggleLink { doc, from: opinion, to: aspect });
        let to = Some(if positive { Polarity::Positive } else { Polarity::Negative });
        stage.desk.run(Command::SetPolarity { doc, id: opinion, to });
    }
    stage
}

fn learning() -> TrainConfig {
    TrainConfig { epochs: 20, layers: 2, lr: 5e-4, dropout: 0.0, ..tiny() }
}

#[test]
fn test_shows_what_is_said_about_what() {
    let mut harness = linked(40).harness(TestPane::ui);
    harness.run_steps(2);
    train(&mut harness, learning());
    draw_until(&mut harness, |stage| stage.desk.tester().is_ready());
    harness.get_by_label("Text to try").focus();
    harness.run_steps(2);
    harness.event(Event::Text("房间 很干净，第3次".to_owned()));
    harness.run_steps(2);
    draw_until(&mut harness, |stage| stage.desk.tester().answered().is_some_and(|answered| answered.text == stage.desk.tester().asked()));
    let prediction = harness.state().desk.tester().answered().unwrap().prediction.clone();
    let triplet = prediction.triplets.first().expect("a triplet");
    harness.get_by_label("What is said about what");
    let polarity = most_likely(triplet.polarity.unwrap()).0;
    assert_eq!(polarity, Polarity::Positive, "{triplet:?}");
    harness.get_by_label("＋ Positive");
    // In the text the opinion wears its polarity, the aspect, whose label has none, does not.
    assert!(harness.query_all_by_label_contains("opinion ＋").count() > 0);
    assert_eq!(harness.query_all_by_label_contains("aspect ＋").count(), 0);
    harness.state_mut().desk.run(Command::SetLanguage(Language::Chinese));
    harness.run_steps(3);
    harness.get_by_label("对什么说了什么");
    harness.get_by_label("＋ 正面");
}

#[test]
fn train_shows_scores_and_a_kind_of_mistake_opens_its_reviews() {
    let mut harness = linked(60).harness(TrainPane::ui);
    harness.run_steps(2);
    train(&mut harness, TrainConfig { epochs: 3, least_steps: 0, ..tiny() });
    let report = harness.state().desk.run_view().unwrap().report.clone().unwrap();
    assert!(report.scores.opinions.pair_f1.is_some() && report.scores.opinions.polarity_accuracy.is_some());
    for name in ["Polarity, accuracy", "Pairs, F1", "Triplets, F1"] {
        harness.get_by_label(name);
    }
    let group = error_groups(&report.held_out).into_iter().max_by_key(|group| group.count).unwrap();
    assert!(group.count > 0, "a model this small makes mistakes");
    let name = match group.kind {
        ErrorKind::Missed => "Missed",
        ErrorKind::Invented => "Invented",
        ErrorKind::Boundary => "Wrong ends",
        ErrorKind::Label => "Wrong label",
        ErrorKind::Polarity => "Wrong polarity",
        ErrorKind::Attribute => "Wrong attribute",
        ErrorKind::Link => "Wrong link",
    };
    harness.get_by_label(&format!("{name}: {}", group.count)).click();
    harness.run_steps(3);
    assert_eq!(harness.state().goto, Some(Place::Label));
    let opened: Vec<u32> = harness.state().desk.queue().ids().iter().map(|doc| doc.0).collect();
    assert_eq!(opened.len(), group.docs.len());
    assert!(opened.iter().all(|doc| group.docs.contains(doc)));
    // A kind without mistakes can't be opened.
    if let Some(none) = error_groups(&report.held_out).iter().find(|group| group.count == 0 && group.kind == ErrorKind::Label) {
        assert!(harness.get_by_label(&format!("Wrong label: {}", none.count)).accesskit_node().is_disabled());
    }
}
