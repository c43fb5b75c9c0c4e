//! Conversations: which documents are turns of one, how they come in, what is read with a turn, what is held out, and what
//! the window shows.

use super::desk::poll_until;
use super::small;
use super::stage::{Bench, Stage, draw_until, tiny, train};
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk};
use gloss::nn::ModelFiles;
use gloss::predict::{Predictor, Turn};
use gloss::project::{Conversations, DocId, Document, Project, Schema, Split};
use gloss::store::import::{self, Column, ImportOptions, TurnColumns};
use gloss::text::Tokenizer;
use gloss::train::{Example, TrainConfig, TrainData};
use gloss::ui::panes::train::TrainPane;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

const CSV: &str = "id,dialogue,n,who,said,mood\n\
    1,a,2,客服,您好，请问有什么可以帮您？,neutral\n\
    2,a,1,customer,My parcel is lost 😡,negative\n\
    3,b,1,customer,ok,neutral\n\
    4,a,3,customer,ok,neutral\n\
    5,a,10,customer,Found it — 谢谢！,positive\n\
    6,,,,It has no conversation,neutral\n";

fn options(turn: bool) -> ImportOptions {
    let column = |name: &str| Some(Column::Name(name.to_owned()));
    ImportOptions {
        text: Column::Name("said".to_owned()),
        label: column("mood"),
        turns: Some(Box::new(TurnColumns {
            conversation: Column::Name("dialogue".to_owned()),
            turn: column("n").filter(|_| turn),
            speaker: column("who"),
        })),
        ..ImportOptions::default()
    }
}

fn project_of(csv: &str, options: &ImportOptions) -> Project {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.csv");
    std::fs::write(&path, csv).unwrap();
    let mut project = Project::new(Schema::with_names(&["negative", "neutral", "positive"], &[] as &[&str]));
    let imported = import::read(&path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    // The same file brings nothing new.
    let existing = project.documents().map(import::document_hash).collect();
    let again = import::read(&path, options, &existing, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_eq!(again.report.imported, 0, "{:?}", again.report);
    project
}

#[test]
fn turns_stand_in_the_order_of_their_numbers() {
    let project = project_of(CSV, &options(true));
    assert_eq!(project.documents().count(), 6, "an equal text in another place of a conversation is another turn");
    let talks = Conversations::of(&project);
    assert_eq!(talks.len(), 2);
    let order: Vec<u32> = talks.around(DocId(0)).iter().map(|doc| doc.0).collect();
    assert_eq!(order, [1, 0, 3, 4], "10 stands behind 3");
    assert_eq!(talks.before(DocId(3)), [DocId(1), DocId(0)]);
    assert!(talks.around(DocId(5)).is_empty() && talks.before(DocId(1)).is_empty());
    assert_eq!(project.turns_before(&talks, DocId(4), 2), ["客服: 您好，请问有什么可以帮您？", "customer: ok"]);
    assert!(project.turns_before(&talks, DocId(5), 9).is_empty());
}

#[test]
fn turns_without_a_number_stand_in_the_order_of_the_rows() {
    let project = project_of(CSV, &options(false));
    let talks = Conversations::of(&project);
    assert_eq!(talks.around(DocId(4)).iter().map(|doc| doc.0).collect::<Vec<_>>(), [0, 1, 3, 4]);
    assert_eq!(project.document(DocId(3)).unwrap().meta.get("turn"), Some("3"));
    assert_eq!(project.document(DocId(0)).unwrap().meta.get("n"), Some("2"), "the column itself is kept");
}

#[test]
fn earlier_turns_are_read_before_a_text_and_cut_from_the_oldest() {
    let tokenizer = Tokenizer::from_bytes(&ModelFiles::shipped().tokenizer).unwrap();
    let turns = ["first 第一句话".to_owned(), "second 👨🏻‍🚒 cafe\u{301}".to_owned()];
    let text = "又好\r\nnow";
    let alone = tokenizer.read(text, 64, true).unwrap();
    let both = tokenizer.read_turn(&turns, text, 64, true).unwrap();
    let more = both.pieces.ids.len() - alone.pieces.ids.len();
    assert!(more > 8);
    assert_eq!(both.pieces.ids[0], alone.pieces.ids[0], "the piece that stands for the text stays the first");
    assert_eq!(both.pieces.ids[1 + more..], alone.pieces.ids[1..]);
    assert!(both.pieces.ranges[..1 + more].iter().all(|range| range.is_empty()));
    assert_eq!(both.pieces.ranges[1 + more..], alone.pieces.ranges[1..]);
    let separator = *alone.pieces.ids.last().unwrap();
    assert_eq!(both.pieces.ids[1..=more].iter().filter(|id| **id == separator).count(), 2, "one behind each turn");
    for (with, own) in both.units.iter().zip(&alone.units) {
        assert_eq!((with.range, with.piece), (own.range, own.piece + more as u32));
    }
    // The newest turn fits, of the one before it only the end.
    let newest = tokenizer.read_turn(&turns[1..], text, 64, true).unwrap().pieces.ids.len();
    let tight = tokenizer.read_turn(&turns, text, newest + 3, true).unwrap().pieces;
    assert_eq!(tight.ids.len(), newest + 3);
    assert_eq!(tight.ids[1..4], both.pieces.ids[1 + more - (newest - alone.pieces.ids.len()) - 3..][..3]);
    // A text that fills the limit is read alone, and a text without turns as ever.
    assert_eq!(tokenizer.read_turn(&turns, text, alone.pieces.ids.len(), true).unwrap(), alone);
    assert_eq!(tokenizer.read_turn(&[], text, 64, true).unwrap(), alone);
}

#[test]
fn a_conversation_is_held_out_as_a_whole() {
    let rows: String = (0..60).map(|at| format!("{at},talk {},{},customer,turn {at} 好,neutral\n", at / 6, at % 6)).collect();
    let project = project_of(&format!("id,dialogue,n,who,said,mood\n{rows}"), &options(true));
    let mut data = TrainData::of(&project, 3, 0.4);
    data.join_conversations(&project, 2, (3, 0.4));
    let split = |talk: usize| data.examples[talk * 6..talk * 6 + 6].iter().map(|example| example.split).collect::<HashSet<_>>();
    assert!((0..10).all(|talk| split(talk).len() == 1));
    let held_out = data.examples.iter().filter(|example| example.split == Split::Dev).count();
    assert!((6..=54).contains(&held_out), "{held_out}");
    let mut dealt = data.clone();
    dealt.deal_folds(1, 5, 3);
    let parts: Vec<_> =
        (0..10).map(|talk| dealt.examples[talk * 6..talk * 6 + 6].iter().map(|example| example.split).collect::<HashSet<_>>()).collect();
    assert!(parts.iter().all(|parts| parts.len() == 1), "folds too");
    assert_eq!(parts.iter().filter(|parts| parts.contains(&Split::Dev)).count(), 2, "two of ten in a fifth");
    assert_eq!(data.examples[5].before, ["customer: turn 3 好", "customer: turn 4 好"]);
    assert!(data.examples[6].before.is_empty() && data.notes[0].contains("50"), "{:?}", data.notes);
}

/// Answers that only the turn before tells: "again" is good after praise and bad after blame.
fn echoes() -> TrainData {
    let example = |at: u32| {
        let good = at.is_multiple_of(2);
        let before = vec![if good { "customer: wonderful 很好" } else { "customer: terrible 糟糕" }.to_owned()];
        let split = if at < 24 { Split::Train } else { Split::Dev };
        Example {
            doc: DocId(at),
            text: format!("again 再来 {}", at / 8).into(),
            before,
            class: Some(u16::from(good)),
            split,
            ..Example::default()
        }
    };
    TrainData { classes: vec!["bad".to_owned(), "good".to_owned()], examples: (0..40).map(example).collect(), ..TrainData::default() }
}

#[test]
fn a_model_learns_from_the_turns_before() {
    let config = TrainConfig { epochs: 60, lr: 3e-3, head_lr_factor: 1.0, dropout: 0.0, max_length: 40, ..TrainConfig::default() };
    let told = small::run(&echoes(), &config);
    assert!(told.report.as_ref().unwrap().scores.accuracy.unwrap() > 0.9, "{:?}", told.report.unwrap().scores);
    let files = told.files.unwrap();
    let predictor = Predictor::new(&files).unwrap();
    assert_eq!(predictor.turns_before(), 3);
    let [praise, blame] = ["customer: wonderful 很好", "customer: terrible 糟糕"].map(|turn| vec![turn.to_owned()]);
    let text = "again 再来 1";
    let turns = [Turn { text, before: &praise }, Turn { text, before: &blame }, Turn::alone(text)];
    let said: Vec<u16> = predictor.predict_turns(&turns).unwrap().iter().map(|answer| answer.best_class().unwrap().0).collect();
    assert_eq!(said[..2], [1, 0]);
    let many = predictor.predict_many(&[text]).unwrap();
    assert_eq!(many[0], predictor.predict_turns(&turns[2..]).unwrap()[0], "a text alone is a turn without others");
    // Only as many turns count as the model has learnt with.
    let long: Vec<String> =
        std::iter::repeat_n(blame[0].clone(), 5).chain([praise[0].clone(), praise[0].clone(), praise[0].clone()]).collect();
    let short = long[5..].to_vec();
    let two = predictor.predict_turns(&[Turn { text, before: &long }, Turn { text, before: &short }]).unwrap();
    assert!(two[0].probabilities.iter().zip(&two[1].probabilities).all(|(a, b)| (a - b).abs() < 1e-5));
    // Without conversations nothing of the kind is written.
    let mut plain = echoes();
    plain.examples.iter_mut().for_each(|example| example.before.clear());
    let plain = small::run(&plain, &TrainConfig { epochs: 1, ..config });
    assert_eq!(Predictor::new(&plain.files.unwrap()).unwrap().turns_before(), 0);
}

/// A project with 8 conversations of 5 turns.
fn open_talks(desk: &mut Desk, folder: &Path) {
    let mood =
        |at: usize| if (at / 5 + at).is_multiple_of(2) { ("很糟糕 terrible", "negative") } else { ("很好 wonderful", "positive") };
    let row = |at: usize| {
        format!(
            "{at},talk {},{},{},{} {at},{}\n",
            at / 5,
            at % 5 + 1,
            if at.is_multiple_of(2) { "customer" } else { "客服" },
            mood(at).0,
            mood(at).1
        )
    };
    let path = folder.join("talks.csv");
    std::fs::write(&path, format!("id,dialogue,n,who,said,mood\n{}", (0..40).map(row).collect::<String>())).unwrap();
    desk.run(Command::Import { path, options: Box::new(options(true)) });
}

#[test]
fn label_shows_the_mood_and_opens_a_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = super::stage::desk_with(folder.path(), &[]);
    open_talks(&mut desk, folder.path());
    poll_until(&mut desk, |desk| desk.project().unwrap().documents().count() == 40);
    desk.run(Command::Open(DocId(12)));
    let mut bench = Bench::of(folder, desk, 800.0);
    bench.window.run_steps(4);
    assert!(bench.has("Turn 3 of 5"));
    bench.window.get_by_label_contains("customer: 很糟糕 terrible 10");
    bench.click_on(Role::Button, "Turn 5: negative");
    assert_eq!(bench.desk().current(), Some(DocId(14)));
    assert!(bench.has("Turn 5 of 5"));
}

#[test]
fn a_run_of_the_window_reads_turns_and_test_follows_the_mood() {
    let stage = Stage::<TrainPane>::with_reviews(0);
    let mut harness = stage.harness(TrainPane::ui);
    let folder = harness.state().desk.path().unwrap().parent().unwrap().to_owned();
    open_talks(&mut harness.state_mut().desk, &folder);
    draw_until(&mut harness, |stage| stage.desk.project().unwrap().documents().count() == 40 && !stage.desk.conversations().is_empty());
    let encoder = small::choice(&folder);
    train(&mut harness, TrainConfig { encoder, layers: 0, max_length: 60, ..tiny() });
    let view = harness.state().desk.run_view().unwrap();
    assert!(view.started.as_ref().unwrap().notes.iter().any(|note| note.contains("turns of conversations")), "{:?}", view.phase);
    draw_until(&mut harness, |stage| stage.desk.tester().is_ready());
    assert_eq!(harness.state().desk.tester().turns_before(), 3);
    harness.state_mut().desk.run(Command::PredictByTurns(true));
    harness.state_mut().desk.run(Command::Predict("很好\r\n\n  terrible  \n再来".to_owned()));
    draw_until(&mut harness, |stage| stage.desk.tester().answered().is_some_and(|answered| !answered.turns.is_empty()));
    let answered = harness.state().desk.tester().answered().unwrap();
    assert_eq!(answered.text, "再来");
    assert_eq!(answered.turns.iter().map(|(turn, _)| turn.as_str()).collect::<Vec<_>>(), ["很好", "terrible"]);
    assert!(answered.turns.iter().all(|(_, shares)| shares.len() == 3));
}

/// A document of a conversation, for cases.
#[test]
fn who_speaks_stands_before_the_words() {
    let mut doc = Document::new(DocId(0), "好的👍");
    assert_eq!(doc.as_turn(), "好的👍");
    doc.meta = [("speaker", " 客服 ")].into_iter().collect();
    assert_eq!(doc.as_turn(), "客服: 好的👍");
    doc.meta = [("speaker", "  ")].into_iter().collect();
    assert_eq!(doc.as_turn(), "好的👍");
}
