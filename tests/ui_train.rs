//! The place Train over a real desk.

use super::stage::{Stage, draw_until, tiny, train};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use gloss::desk::{Command, Language, Phase};
use gloss::project::DocId;
use gloss::train::{EncoderChoice, TrainConfig};
use gloss::ui::Place;
use gloss::ui::panes::train::TrainPane;

fn place(reviews: usize) -> Harness<'static, Stage<TrainPane>> {
    let mut harness = Stage::with_reviews(reviews).harness(TrainPane::ui);
    harness.run_steps(3);
    harness
}

fn phase(stage: &Stage<TrainPane>) -> Option<&Phase> {
    stage.desk.run_view().map(|view| &view.phase)
}

#[track_caller]
fn click(harness: &mut Harness<'_, Stage<TrainPane>>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

#[test]
fn it_says_what_is_missing_and_does_not_start() {
    let mut harness = place(5);
    let start = harness.get_by_label("Start training");
    assert!(start.accesskit_node().is_disabled());
    harness.get_by_label_contains("labelled reviews; 16 are needed; neutral has none");
    click(&mut harness, "Start training");
    assert!(!harness.state().desk.is_training());
    harness.get_by_label("No run yet");
}

#[test]
fn the_counts_are_those_of_the_project_and_follow_it() {
    let mut harness = place(30);
    let ready = |harness: &Harness<'_, Stage<TrainPane>>| {
        let project = harness.state().desk.project().unwrap();
        gloss::train::TrainData::of(project, 0, TrainConfig::default().dev_share).readiness()
    };
    let before = ready(&harness);
    assert!(before.can_start() && before.per_class[0] > 0);
    harness.get_by_label(&format!("negative: {}", before.per_class[0]));
    harness.get_by_label(&format!("aspect: {}", before.per_span_label[0]));
    let doc = DocId(0);
    harness.state_mut().desk.run(Command::SetClass { doc, class: Some(1) });
    harness.run_steps(2);
    let after = ready(&harness);
    assert_ne!(before, after);
    harness.get_by_label(&format!("neutral: {}", after.per_class[1]));
    assert!(!harness.get_by_label("Start training").accesskit_node().is_disabled());
}

#[test]
fn a_run_shows_its_curves_and_scores_and_a_cell_opens_its_reviews() {
    let mut harness = place(40);
    train(&mut harness, tiny());
    assert_eq!(phase(harness.state()), Some(&Phase::Finished));
    let view = harness.state().desk.run_view().unwrap().clone();
    let report = view.report.clone().unwrap();
    let newest = view.loss.points().last().unwrap()[1];
    harness.get_by_label_contains(&format!("each step {newest:.3}"));
    let class_f1 = view.evaluations.last().unwrap().scores.macro_f1.unwrap();
    harness.get_by_label_contains(&format!("class, macro-F1 {class_f1:.2}"));
    let sentence = format!("on {} held-out reviews; best after epoch", report.examples);
    let said = harness.get_by_label_contains(&sentence).value().unwrap();
    assert!(said.contains(&format!("macro-F1 {:.2} ± ", report.scores.macro_f1.unwrap())), "{said}");

    let confusion = &report.scores.confusion;
    let (gold, predicted) =
        (0..3).flat_map(|gold| (0..3).map(move |predicted| (gold, predicted))).max_by_key(|(g, p)| confusion[*g][*p]).unwrap();
    let names = ["negative", "neutral", "positive"];
    let count = confusion[gold][predicted];
    let cell = match gold == predicted {
        true => format!("{count} reviews are {} and were answered so\nClick to open them", names[gold]),
        false => format!("{count} reviews are {}, the model said {}\nClick to open them", names[gold], names[predicted]),
    };
    click(&mut harness, &cell);
    let stage = harness.state();
    assert_eq!(stage.goto, Some(Place::Label));
    assert_eq!(stage.desk.queue().len(), count as usize);
    for doc in stage.desk.queue().ids() {
        let held_out = report.held_out.iter().find(|held_out| held_out.doc == doc.0).unwrap();
        assert_eq!((held_out.gold_class, held_out.class), (Some(gold as u16), Some(predicted as u16)));
    }
}

#[test]
fn start_pause_resume_cancel_by_their_buttons() {
    let mut harness = place(40);
    click(&mut harness, "Quick");
    click(&mut harness, "Start training");
    assert!(harness.state().desk.is_training());
    let config = harness.state().desk.run_view().unwrap().config.clone();
    assert_eq!((config.layers, config.epochs), (0, 2), "what the preset says");
    assert!(harness.get_by_label("Start training").accesskit_node().is_disabled(), "one run at a time");
    draw_until(&mut harness, |stage| phase(stage) == Some(&Phase::Running));
    click(&mut harness, "Pause");
    assert_eq!(phase(harness.state()), Some(&Phase::Paused));
    click(&mut harness, "Resume");
    assert_eq!(phase(harness.state()), Some(&Phase::Running));
    click(&mut harness, "Cancel");
    draw_until(&mut harness, |stage| phase(stage) == Some(&Phase::Cancelled));
    assert!(!harness.state().desk.is_training());
}

#[test]
fn a_failed_run_says_why() {
    let mut harness = place(30);
    let config = TrainConfig { encoder: EncoderChoice::Folder("/nowhere/at-all".into()), ..tiny() };
    train(&mut harness, config);
    let Some(Phase::Failed(reason)) = phase(harness.state()).cloned() else { panic!("{:?}", phase(harness.state())) };
    assert!(reason.contains("/nowhere/at-all"), "{reason}");
    assert!(harness.get_all_by_label(&reason).count() >= 1);
    assert!(!harness.get_by_label("Start training").accesskit_node().is_disabled(), "one can try again");
}

#[test]
fn it_speaks_chinese() {
    let mut harness = place(5);
    harness.state_mut().desk.run(Command::SetLanguage(Language::Chinese));
    harness.run_steps(3);
    harness.get_by_label("开始训练");
    harness.get_by_label_contains("至少需要 16 条；neutral 一条也没有");
}

#[test]
fn without_a_project_it_says_so() {
    let mut harness = place(1);
    harness.state_mut().desk.run(Command::CloseProject);
    harness.run_steps(3);
    harness.get_by_label("Open a project to train a model");
}
