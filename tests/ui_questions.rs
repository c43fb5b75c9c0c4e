//! Questions of every kind in the real window: answered by keyboard and by mouse, made and changed in the window of labels.

use super::desk::desk_in;
use crate::stage::Bench;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Language};
use gloss::project::{Answer, DocId, Kind, NewQuestion, Number, QuestionId, Scale, Schema};

/// Two documents, asked for a class, several emotions, an intensity and a remark.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::SetLanguage(Language::English));
    let question = |name: &str, kind, classes: &[&str]| NewQuestion {
        name: name.to_owned(),
        kind,
        classes: classes.iter().map(|name| (*name).to_owned()).collect(),
    };
    let schema = Schema::default().with_questions(&[
        question("emotions", Kind::Several, &["joy", "愤怒", "fear"]),
        question("intensity", Kind::Number(Scale::default()), &[]),
        question("remark", Kind::Text, &[]),
    ]);
    desk.run(Command::NewProjectWith { path: folder.path().join("p.gloss"), schema: Box::new(schema) });
    for text in ["屏幕很清晰。", "电池不耐用。"] {
        desk.run(Command::AddDocument(text.to_owned()));
    }
    desk.run(Command::Open(DocId(0)));
    Bench::of(folder, desk, 1600.0)
}

impl Bench {
    fn answer(&self, doc: u32, question: u16) -> Option<Answer> {
        let project = self.window.state().desk().project().unwrap();
        project.document(DocId(doc)).unwrap().annotation.answers.get(&QuestionId(question)).cloned()
    }
}

fn several(classes: &[u16]) -> Option<Answer> {
    Some(Answer::Classes(classes.iter().copied().collect()))
}

fn number(value: f64) -> Option<Answer> {
    Some(Answer::Number(Number::new(value).unwrap()))
}

#[test]
fn digits_answer_the_question_one_is_at() {
    let mut bench = bench();
    bench.key(Key::Num3);
    assert_eq!(bench.answer(0, 0), Some(Answer::Class(2)));
    bench.chord(Modifiers::COMMAND, Key::ArrowDown);
    bench.key(Key::Num1);
    bench.key(Key::Num2);
    assert_eq!(bench.answer(0, 1), several(&[0, 1]));
    bench.key(Key::Num1);
    assert_eq!(bench.answer(0, 1), several(&[1]), "the digit takes it away again");
    assert_eq!(bench.answer(0, 0), Some(Answer::Class(2)));
    bench.key(Key::Backspace);
    assert_eq!(bench.answer(0, 1), None);
    bench.chord(Modifiers::COMMAND, Key::ArrowUp);
    bench.key(Key::Num1);
    assert_eq!(bench.answer(0, 0), Some(Answer::Class(0)));
}

#[test]
fn several_labels_by_click() {
    let mut bench = bench();
    bench.click_on(Role::Button, "joy");
    bench.click_on(Role::Button, "愤怒");
    assert_eq!(bench.answer(0, 1), several(&[0, 1]));
    bench.click_on(Role::Button, "joy");
    bench.click_on(Role::Button, "愤怒");
    assert_eq!(bench.answer(0, 1), None, "no label is no answer");
}

#[test]
fn a_number_by_keys() {
    let mut bench = bench();
    for _ in 0..2 {
        bench.chord(Modifiers::COMMAND, Key::ArrowDown);
    }
    bench.key(Key::Period);
    assert_eq!(bench.answer(0, 2), number(0.0), "the first step is the middle");
    bench.key(Key::Period);
    bench.key(Key::Period);
    bench.key(Key::Comma);
    assert_eq!(bench.answer(0, 2), number(0.1));
    bench.key(Key::Num9);
    assert_eq!(bench.answer(0, 2), number(1.0));
    bench.key(Key::Num1);
    assert_eq!(bench.answer(0, 2), number(-1.0));
    bench.key(Key::Backspace);
    assert_eq!(bench.answer(0, 2), None);
}

#[test]
fn a_number_by_mouse() {
    let mut bench = bench();
    let slider = bench.window.get_by_role_and_label(Role::Slider, "intensity").rect();
    let press = |bench: &mut Bench, pos, pressed| {
        bench.window.event(eframe::egui::Event::PointerButton {
            pos,
            button: eframe::egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    };
    let (from, to) = (slider.center(), slider.right_center());
    bench.window.hover_at(from);
    press(&mut bench, from, true);
    bench.window.step();
    bench.window.hover_at(to);
    bench.window.step();
    press(&mut bench, to, false);
    bench.window.run();
    assert_eq!(bench.answer(0, 2), number(1.0));
    assert_eq!(bench.window.state().desk().history().unwrap().next_undo().unwrap().name, "intensity: 1", "a drag is one step");
    bench.click_on(Role::Button, "Take the answer to intensity away");
    assert_eq!(bench.answer(0, 2), None);
    // The middle is an answer too.
    bench.window.hover_at(from);
    press(&mut bench, from, true);
    bench.window.step();
    press(&mut bench, from, false);
    bench.window.run();
    assert_eq!(bench.answer(0, 2), number(0.0));
}

#[test]
fn words_are_typed_kept_by_enter_and_never_lost() {
    let mut bench = bench();
    for _ in 0..3 {
        bench.chord(Modifiers::COMMAND, Key::ArrowDown);
    }
    let typed = |bench: &mut Bench, text: &str| {
        bench.window.get_by_role_and_label(Role::MultilineTextInput, "remark").type_text(text);
        bench.window.run();
    };
    typed(&mut bench, "s3 嘲讽？");
    assert_eq!((bench.answer(0, 0), bench.window.state().desk().current()), (None, Some(DocId(0))), "no key fires while one types");
    bench.key(Key::Enter);
    assert_eq!(bench.answer(0, 3), Some(Answer::Text("s3 嘲讽？".to_owned())));
    assert_eq!(bench.window.state().desk().current(), Some(DocId(0)), "Enter keeps the words, it does not go on yet");
    // Typed, not entered, and off to another document.
    bench.window.get_by_role_and_label(Role::MultilineTextInput, "remark").focus();
    bench.window.run();
    typed(&mut bench, "!");
    bench.window.get_by_label("电池不耐用。 · To do").click();
    bench.window.run();
    assert_eq!(bench.window.state().desk().current(), Some(DocId(1)));
    assert!(matches!(bench.answer(0, 3), Some(Answer::Text(text)) if text.contains('!')));
    assert_eq!(bench.answer(1, 3), None);
    // And off to another place.
    bench.window.get_by_role_and_label(Role::MultilineTextInput, "remark").focus();
    bench.window.run();
    typed(&mut bench, "二");
    bench.chord(Modifiers::COMMAND, Key::Num2);
    bench.window.run();
    assert_eq!(bench.answer(1, 3), Some(Answer::Text("二".to_owned())));
}

#[test]
fn a_question_is_made_renamed_moved_and_deleted() {
    let mut bench = bench();
    bench.click_on(Role::RadioButton, "positive");
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click_on(Role::Button, "Answers to the new question");
    bench.click_on(Role::Button, "Several labels");
    bench.enter("New question", "话题");
    let made = bench.schema().questions[4].clone();
    assert_eq!((made.name.as_str(), made.kind), ("话题", Kind::Several));
    bench.enter("New class for 话题", "价格");
    bench.enter("Name of the question 话题", "主题");
    assert_eq!(bench.schema().questions[4].name, "主题");
    bench.enter("Name of the question 主题", "emotions");
    assert!(bench.has("There is already a question called emotions"));
    bench.click_on(Role::Button, "Move the question emotions up");
    assert_eq!(bench.schema().questions[0].name, "emotions");
    assert_eq!(bench.answer(0, 1), Some(Answer::Class(2)), "the answer went along");
    bench.click_on(Role::Button, "Delete the question sentiment");
    assert!(bench.has("1 answers are taken away"));
    bench.click_on(Role::Button, "Delete");
    assert_eq!(bench.schema().questions[1].name, "intensity");
    bench.click_on(Role::Button, "Undo");
    assert_eq!(bench.answer(0, 1), Some(Answer::Class(2)));
}

#[test]
fn a_range_is_typed_and_a_kind_chosen() {
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.enter("Highest number of intensity", "５");
    bench.enter("Step of intensity", "-1");
    assert!(bench.has("The range must go up, in steps that fit into it"));
    bench.enter("Step of intensity", "0.5");
    let scale = Scale::new(Number::new(-1.0).unwrap(), Number::new(5.0).unwrap(), Number::new(0.5).unwrap()).unwrap();
    assert_eq!(bench.schema().questions[2].kind, Kind::Number(scale));
    bench.click_on(Role::Button, "Answers to intensity");
    bench.click_on(Role::Button, "Free text");
    assert_eq!(bench.schema().questions[2].kind, Kind::Text);
}

#[test]
fn the_train_place_says_what_a_run_does_not_learn() {
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::Num2);
    assert!(bench.has("Not learnt by a run: emotions (Several labels), intensity (A number), remark (Free text)"));
}

#[test]
fn insights_count_every_question_and_open_its_documents() {
    let mut bench = bench();
    bench.click_on(Role::Button, "joy");
    bench.chord(Modifiers::COMMAND, Key::ArrowDown);
    bench.key(Key::Num9);
    bench.chord(Modifiers::COMMAND, Key::Num4);
    bench.click_on(Role::Button, "joy: 1 · 50 %");
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(0)]);
    bench.chord(Modifiers::COMMAND, Key::Num4);
    bench.click_on(Role::Button, "0.8 to 1: 1 · 50 %");
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(0)]);
}

#[test]
fn a_new_project_is_made_with_all_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::SetLanguage(Language::English));
    let mut bench = Bench::of(folder, desk, 800.0);
    bench.click_on(Role::Button, "New project…");
    let path = bench.folder.path().join("all").display().to_string();
    bench.click_on(Role::Button, "All together");
    assert!(bench.has("It also asks: emotions (Several labels), intensity (A number), remark (Free text)"));
    bench.enter("Path of the file", &path);
    let schema = bench.schema();
    let names: Vec<&str> = schema.questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, ["sentiment", "emotions", "intensity", "remark"]);
    assert_eq!(bench.schema().questions[1].classes.len(), 8);
}

#[test]
fn numbers_and_texts_are_answered_for_the_whole_queue_too() {
    let mut bench = bench();
    let count = bench.desk().queue().len() as u32;
    assert!(count > 1);
    let answers = |bench: &Bench, question: QuestionId| -> Vec<Option<Answer>> {
        (0..count).map(|at| bench.document(at).annotation.answers.get(&question).cloned()).collect()
    };
    let of_kind = |bench: &Bench, is: fn(&Kind) -> bool| {
        bench.schema().questions().find(|(_, question)| is(&question.kind)).map(|(id, question)| (id, question.name.clone())).unwrap()
    };
    let (number, name) = of_kind(&bench, |kind| matches!(kind, Kind::Number(_)));
    bench.chord(Modifiers::COMMAND, Key::A);
    bench.window.get_by_role_and_label(Role::ComboBox, "Question").click();
    bench.window.run();
    bench.window.get_all_by_label(&name).last().unwrap().click();
    bench.window.run();
    bench.key(Key::Num1);
    assert_eq!(answers(&bench, number), vec![None; count as usize], "asked first");
    bench.key(Key::Enter);
    let given = answers(&bench, number);
    assert!(given.iter().all(|answer| matches!(answer, Some(Answer::Number(_))) && *answer == given[0]), "{given:?}");
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(answers(&bench, number), vec![None; count as usize], "one undo");

    let (words, name) = of_kind(&bench, |kind| matches!(kind, Kind::Text));
    let answer_with = |bench: &mut Bench| {
        bench.chord(Modifiers::COMMAND, Key::A);
        bench.window.get_by_role_and_label(Role::ComboBox, "Question").click();
        bench.window.run();
        bench.window.get_all_by_label(&name).last().unwrap().click();
        bench.window.run();
    };
    answer_with(&mut bench);
    bench.window.get_all_by_role_and_label(Role::TextInput, &name).last().unwrap().type_text("很好 👍🏻");
    bench.window.run();
    bench.click("Answer with these words");
    assert_eq!(answers(&bench, words), vec![Some(Answer::Text("很好 👍🏻".to_owned())); count as usize]);
    answer_with(&mut bench);
    bench.click(&format!("Take the answer to {name} away"));
    assert_eq!(answers(&bench, words), vec![None; count as usize]);
}
