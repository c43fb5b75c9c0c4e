//! Questions of every kind: which answers fit, what becomes of answers when questions change, files in and out.

use super::desk::desk_in;
use gloss::desk::Command;
use gloss::project::{
    Answer, DocId, Document, Edit, EditError, History, Kind, LabelId, NewQuestion, Number, Project, Question, QuestionId, Scale, Schema,
    SchemaChange, SchemaError,
};
use gloss::store::export::{ExportFormat, export};
use gloss::store::import::{self, ImportOptions};
use proptest::prelude::*;

const SENTIMENT: QuestionId = QuestionId(0);
const EMOTIONS: QuestionId = QuestionId(1);
const INTENSITY: QuestionId = QuestionId(2);
const REMARK: QuestionId = QuestionId(3);

fn number(value: f64) -> Number {
    Number::new(value).unwrap()
}

fn scale(min: f64, max: f64, step: f64) -> Scale {
    Scale::new(number(min), number(max), number(step)).unwrap()
}

fn question(name: &str, kind: Kind, classes: &[&str]) -> NewQuestion {
    NewQuestion { name: name.to_owned(), kind, classes: classes.iter().map(|name| (*name).to_owned()).collect() }
}

/// One class, several labels, a number, a text.
fn schema() -> Schema {
    Schema::default().with_questions(&[
        question("emotions", Kind::Several, &["joy", "愤怒", "fear"]),
        question("intensity", Kind::Number(Scale::default()), &[]),
        question("备注", Kind::Text, &[]),
    ])
}

fn several(classes: &[u16]) -> Answer {
    Answer::Classes(classes.iter().copied().collect())
}

fn text(words: &str) -> Answer {
    Answer::Text(words.to_owned())
}

fn set(doc: u32, question: QuestionId, to: Answer) -> Edit {
    Edit::SetAnswer { doc: DocId(doc), question, to: Some(to) }
}

/// Three documents: all answered, two answers, none.
pub fn project() -> Project {
    let mut project = Project::new(schema());
    let documents = ["很好，但是贵！", "CRLF\r\nline 👨🏻‍🚒", "无"].iter().zip(0..).map(|(text, id)| Document::new(DocId(id), *text)).collect();
    for edit in [
        Edit::AddDocuments { first: DocId(0), count: 3, documents },
        set(0, SENTIMENT, Answer::Class(2)),
        set(0, EMOTIONS, several(&[0, 1])),
        set(0, INTENSITY, Answer::Number(number(0.7))),
        set(0, REMARK, text("嘲讽？“是”\nline two")),
        set(1, EMOTIONS, several(&[2])),
        set(1, INTENSITY, Answer::Number(number(-1.0))),
    ] {
        project.apply(edit).unwrap();
    }
    project
}

fn written(project: &Project) -> String {
    let documents: Vec<&Document> = project.documents().collect();
    serde_json::to_string(&(&**project.schema(), documents)).unwrap()
}

#[test]
fn an_answer_must_be_of_its_questions_kind_and_range() {
    let mut project = project();
    for (asked, answer, fits) in [
        (SENTIMENT, Answer::Class(0), true),
        (SENTIMENT, Answer::Class(3), false),
        (SENTIMENT, several(&[0]), false),
        (EMOTIONS, several(&[0, 2]), true),
        (EMOTIONS, several(&[3]), false),
        (EMOTIONS, several(&[]), false),
        (EMOTIONS, Answer::Class(0), false),
        (INTENSITY, Answer::Number(number(1.0)), true),
        (INTENSITY, Answer::Number(number(1.001)), false),
        (INTENSITY, text("0.5"), false),
        (REMARK, text("好"), true),
        (REMARK, text(" \u{3000}"), false),
        (QuestionId(4), text("x"), false),
    ] {
        let before = written(&project);
        let outcome = project.apply(set(2, asked, answer.clone()));
        assert_eq!(outcome.is_ok(), fits, "{asked:?} {answer:?}");
        assert!(fits || outcome == Err(EditError::NotInSchema) && written(&project) == before);
    }
}

#[test]
fn numbers_are_read_as_people_write_them() {
    for (typed, read) in [
        ("0.5", Some(0.5)),
        (" -1 ", Some(-1.0)),
        ("0,25", Some(0.25)),
        ("－０．５", Some(-0.5)),
        ("＋3", Some(3.0)),
        ("1.23456", Some(1.235)),
        ("", None),
        ("五", None),
        ("nan", None),
        ("inf", None),
        ("9e9", None),
    ] {
        assert_eq!(Number::parse(typed).map(Number::value), read, "{typed:?}");
    }
}

#[test]
fn digits_and_steps_walk_along_a_scale() {
    let tenths = Scale::default();
    // Scale, digit, number.
    for (scale, digit, wanted) in [
        (tenths, 1, Some(-1.0)),
        (tenths, 5, Some(0.0)),
        (tenths, 9, Some(1.0)),
        (scale(1.0, 5.0, 1.0), 1, Some(1.0)),
        (scale(1.0, 5.0, 1.0), 5, Some(5.0)),
        (scale(1.0, 5.0, 1.0), 6, None),
        (scale(0.0, 100.0, 1.0), 2, Some(13.0)),
        (tenths, 0, None),
    ] {
        assert_eq!(scale.of_digit(digit).map(Number::value), wanted, "{scale:?} {digit}");
    }
    assert_eq!(tenths.stepped(None, 1), number(0.0), "the first step is the middle");
    assert_eq!(tenths.stepped(Some(number(0.95)), 1), number(1.0));
    assert_eq!(tenths.stepped(Some(number(1.0)), 1), number(1.0));
    assert_eq!(tenths.stepped(Some(number(0.0)), -3), number(-0.3));
    for (min, max, step) in [(0.0, 0.0, 1.0), (1.0, 0.0, 0.1), (0.0, 1.0, 0.0), (0.0, 1.0, 2.0), (0.0, 1.0, -0.1)] {
        assert_eq!(Scale::new(number(min), number(max), number(step)), None, "{min} to {max} by {step}");
    }
}

#[test]
fn files_of_older_programs_ask_for_one_class() {
    let old = r#"{"questions":[{"name":"sentiment","classes":[{"name":"好","hue":0}]}],"span_labels":[]}"#;
    let held: Schema = serde_json::from_str(old).unwrap();
    assert_eq!(held.questions[0].kind, Kind::One);
    assert_eq!(serde_json::to_string(&held).unwrap(), old, "and they are written as before");
    let old: Answer = serde_json::from_str(r#"{"class":2}"#).unwrap();
    assert_eq!(old, Answer::Class(2));
    for question in schema().questions {
        let json = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&json).unwrap(), question, "{json}");
    }
}

fn answers(project: &Project, doc: u32) -> Vec<(u16, Answer)> {
    let doc = project.document(DocId(doc)).unwrap();
    doc.annotation.answers.iter().map(|(id, answer)| (id.0, answer.clone())).collect()
}

#[test]
fn answers_follow_their_question_and_one_undo_brings_everything_back() {
    let set_kind = |question, to| SchemaChange::SetKind { question, to };
    let all = answers(&project(), 0);
    let without = |at: u16| all.iter().filter(|(id, _)| *id != at).cloned().collect::<Vec<_>>();
    let with =
        |at: u16, answer: Answer| all.iter().map(|(id, held)| (*id, if *id == at { answer.clone() } else { held.clone() })).collect();
    let at = |places: [u16; 4]| {
        let mut moved: Vec<(u16, Answer)> = all.iter().map(|(id, held)| (places[usize::from(*id)], held.clone())).collect();
        moved.sort_by_key(|(id, _)| *id);
        moved
    };
    // Change, answers of the first document, how many answers are lost in all.
    for (change, wanted, lost) in [
        (SchemaChange::RenameQuestion { question: EMOTIONS, to: " 情绪 ".into() }, all.clone(), 0),
        (SchemaChange::AddQuestion { name: "topic".into(), kind: Kind::One }, all.clone(), 0),
        (SchemaChange::MoveQuestion { question: REMARK, to: 0 }, at([1, 2, 3, 0]), 0),
        (SchemaChange::MoveQuestion { question: SENTIMENT, to: 2 }, at([2, 0, 1, 3]), 0),
        (SchemaChange::DeleteQuestion { question: INTENSITY }, at([0, 1, 9, 2]).into_iter().filter(|(id, _)| *id != 9).collect(), 2),
        (set_kind(SENTIMENT, Kind::Several), with(0, several(&[2])), 0),
        // Two labels are no single class; one is.
        (set_kind(EMOTIONS, Kind::One), without(1), 1),
        (set_kind(EMOTIONS, Kind::Text), with(1, text("joy, 愤怒")), 0),
        (set_kind(INTENSITY, Kind::Number(scale(0.0, 1.0, 0.1))), all.clone(), 1),
        (set_kind(INTENSITY, Kind::Text), with(2, text("0.7")), 0),
        (set_kind(REMARK, Kind::One), without(3), 1),
        (SchemaChange::Delete { label: LabelId::Class(EMOTIONS, 1) }, with(1, several(&[0])), 1),
        (SchemaChange::Merge { label: LabelId::Class(EMOTIONS, 1), into: 0 }, with(1, several(&[0])), 1),
        (SchemaChange::Move { label: LabelId::Class(EMOTIONS, 0), to: 2 }, with(1, several(&[0, 2])), 0),
    ] {
        let (mut project, mut history) = (project(), History::default());
        let before = written(&project);
        let plan = project.plan(&change).unwrap();
        assert_eq!(plan.answers, lost, "{change:?}");
        history.commit(&mut project, String::new(), String::new(), 0, plan.edits).unwrap();
        assert_eq!(answers(&project, 0), wanted, "{change:?}");
        let after = written(&project);
        history.undo(&mut project).unwrap().unwrap();
        assert_eq!(written(&project), before, "{change:?}");
        history.redo(&mut project).unwrap().unwrap();
        assert_eq!(written(&project), after, "{change:?}");
    }
}

#[test]
fn what_can_not_be_is_said() {
    let project = project();
    for (change, error) in [
        (SchemaChange::AddQuestion { name: " ".into(), kind: Kind::Text }, SchemaError::NoQuestionName),
        (SchemaChange::AddQuestion { name: "emotions".into(), kind: Kind::One }, SchemaError::QuestionNameTaken("emotions".into())),
        (SchemaChange::RenameQuestion { question: REMARK, to: "intensity".into() }, SchemaError::QuestionNameTaken("intensity".into())),
        (SchemaChange::DeleteQuestion { question: QuestionId(4) }, SchemaError::NoSuchQuestion),
        (SchemaChange::AddClass { question: INTENSITY, name: "x".into() }, SchemaError::NoSuchLabel),
    ] {
        assert_eq!(project.plan(&change), Err(error), "{change:?}");
    }
}

#[test]
fn digits_belong_to_each_question_and_letters_to_all() {
    let mut project = project();
    let schema = project.schema().clone();
    assert_eq!(schema.key(LabelId::Class(SENTIMENT, 1)), Some('2'));
    assert_eq!(schema.key(LabelId::Class(EMOTIONS, 1)), Some('2'));
    let plan = project.plan(&SchemaChange::SetKey { label: LabelId::Class(EMOTIONS, 1), to: Some('w') }).unwrap();
    plan.edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let taken = project.plan(&SchemaChange::SetKey { label: LabelId::Class(SENTIMENT, 1), to: Some('w') });
    assert!(matches!(taken, Err(SchemaError::KeyTaken { key: 'W', .. })), "{taken:?}");
}

/// A change of questions, drawn from numbers.
fn change_of((kind, a, b): (u8, u8, u8), schema: &Schema) -> SchemaChange {
    let kinds = [Kind::One, Kind::Several, Kind::Number(Scale::default()), Kind::Number(scale(0.0, 5.0, 1.0)), Kind::Text];
    let question = QuestionId(u16::from(a) % (schema.questions.len() as u16 + 1));
    let kind_of = kinds[usize::from(b) % kinds.len()];
    match kind % 7 {
        0 => SchemaChange::AddQuestion { name: format!("q{a}"), kind: kind_of },
        1 => SchemaChange::RenameQuestion { question, to: format!("问{b}") },
        2 | 3 => SchemaChange::SetKind { question, to: kind_of },
        4 => SchemaChange::MoveQuestion { question, to: u16::from(b) % 5 },
        5 => SchemaChange::AddClass { question, name: ["joy", "3", "新"][usize::from(b) % 3].to_owned() },
        _ => SchemaChange::DeleteQuestion { question },
    }
}

fn answer_of((kind, a, b): (u8, u8, u8)) -> Edit {
    let answer = match kind % 5 {
        0 => None,
        1 => Some(Answer::Class(u16::from(b) % 4)),
        2 => Some(several(&[u16::from(b) % 4, u16::from(b) / 4 % 4])),
        3 => Some(Answer::Number(number(f64::from(b) / 64.0 - 1.0))),
        _ => Some(text(["好", "3", "0.5", "joy"][usize::from(b) % 4])),
    };
    Edit::SetAnswer { doc: DocId(u32::from(a) % 3), question: QuestionId(u16::from(a) / 3 % 5), to: answer }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_is_undone_and_redone_exactly(moves in prop::collection::vec((any::<bool>(), any::<(u8, u8, u8)>()), 1..40)) {
        let (mut project, mut history) = (project(), History::default());
        let mut seen = vec![written(&project)];
        for (questions, dice) in moves {
            let edits = match questions {
                true => match project.plan(&change_of(dice, project.schema())) {
                    Ok(plan) => plan.edits,
                    Err(_) => continue,
                },
                false => vec![answer_of(dice)],
            };
            if edits.is_empty() {
                continue;
            }
            let outcome = history.commit(&mut project, String::new(), String::new(), 0, edits);
            prop_assert!(!questions || outcome.is_ok(), "a planned change did not fit: {outcome:?}");
            if outcome.is_ok() {
                seen.push(written(&project));
            }
        }
        for wanted in seen.iter().rev().skip(1) {
            history.undo(&mut project).unwrap().unwrap();
            prop_assert_eq!(&written(&project), wanted);
        }
        for wanted in seen.iter().skip(1) {
            history.redo(&mut project).unwrap().unwrap();
            prop_assert_eq!(&written(&project), wanted);
        }
    }
}

fn exported(project: &Project, format: ExportFormat) -> String {
    String::from_utf8(export(project, format).unwrap().bytes).unwrap()
}

fn imported(name: &str, file: &str, schema: Schema) -> (Project, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, file).unwrap();
    let known = Project::new(schema);
    let read =
        import::read(&path, &ImportOptions::default(), &std::collections::HashSet::new(), &mut |_, _| std::ops::ControlFlow::Continue(()));
    let mut project = known;
    let (edits, remarks) = import::edits(&project, read.unwrap().unwrap().drafts);
    History::default().commit(&mut project, String::new(), String::new(), 0, edits).unwrap();
    (project, remarks.into_iter().map(|issue| issue.reason).collect())
}

#[test]
fn every_kind_of_answer_goes_out_and_comes_in_again() {
    let project = project();
    let lines = exported(&project, ExportFormat::Jsonl);
    assert!(
        lines.contains(r#""emotions":["joy","愤怒"],"intensity":0.7,"sentiment":"positive","备注":{"text":"嘲讽？“是”\nline two"}"#),
        "{lines}"
    );
    let (again, remarks) = imported("a.jsonl", &lines, schema());
    assert_eq!(again.all_documents(), project.all_documents());
    assert!(remarks.is_empty(), "{remarks:?}");
    // A project without these questions gets them, each of its kind.
    let (fresh, _) = imported("a.jsonl", &lines, Schema::default());
    let kinds: Vec<(&str, Kind)> = fresh.schema().questions.iter().map(|question| (question.name.as_str(), question.kind)).collect();
    let number = Kind::Number(Scale::default());
    assert_eq!(kinds, [("sentiment", Kind::One), ("emotions", Kind::Several), ("intensity", number), ("备注", Kind::Text)]);
    assert_eq!(exported(&fresh, ExportFormat::Jsonl), lines);
}

#[test]
fn answers_that_do_not_fit_the_question_are_left_out_and_said() {
    let line = r#"{"text":"好","answers":{"emotions":"joy","intensity":7,"sentiment":["positive","negative"],"备注":3},"spans":[]}"#;
    let (project, remarks) = imported("a.jsonl", line, schema());
    assert_eq!(answers(&project, 0), [(1, several(&[0])), (3, text("3"))]);
    let wanted = |name: &str| format!("answers {name:?} in a way that the question does not take; the answer was left out");
    assert_eq!(remarks, [wanted("intensity"), wanted("sentiment")]);
    // A new question of numbers grows as far as the file needs.
    let (fresh, _) = imported("a.jsonl", r#"{"text":"好","answers":{"stars":4.5},"spans":[]}"#, Schema::default());
    assert_eq!(fresh.schema().questions[1].kind, Kind::Number(scale(-1.0, 5.0, 0.1)));
    // Somebody else's "answers" are columns.
    let (other, _) = imported("a.jsonl", r#"{"text":"q","answers":{"text":[],"answer_start":[]}}"#, Schema::default());
    assert_eq!(other.schema().questions.len(), 1);
}

#[test]
fn csv_has_a_column_for_each_question_and_other_formats_count_what_they_lose() {
    let project = project();
    let csv = exported(&project, ExportFormat::Csv);
    assert!(csv.starts_with("text,sentiment,emotions,intensity,备注,state,flagged,split\n"), "{csv}");
    assert!(csv.contains("很好，但是贵！,positive,joy; 愤怒,0.7,\"嘲讽？“是”\nline two\",todo"), "{csv}");
    let losses = |format| export(&project, format).unwrap().sentences().join("\n");
    let wanted = "2 × a document to do that will read as done, first in document 1 (很好，但是贵！), then in 2";
    assert_eq!(losses(ExportFormat::LabelStudio), wanted);
    assert!(losses(ExportFormat::Doccano).contains("an answer to another question"), "{}", losses(ExportFormat::Doccano));
}

#[test]
fn a_project_with_every_kind_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.gloss");
    let mut desk = desk_in(folder.path());
    desk.run(Command::NewProjectWith { path: path.clone(), schema: Box::new(schema()) });
    desk.run(Command::AddDocument("贵".to_owned()));
    let answer = |question, to| Command::SetAnswer { doc: DocId(0), question, to: Some(to) };
    let given =
        [(SENTIMENT, Answer::Class(0)), (EMOTIONS, several(&[1])), (INTENSITY, Answer::Number(number(-0.3))), (REMARK, text("太贵\n👎🏽"))];
    for (question, to) in given.clone() {
        desk.run(answer(question, to));
    }
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::MoveQuestion { question: REMARK, to: 0 })));
    let wanted = written(desk.project().unwrap());
    drop(desk);
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(path));
    assert_eq!(written(desk.project().unwrap()), wanted);
    (0..5).for_each(|_| desk.run(Command::Undo));
    assert!(desk.project().unwrap().document(DocId(0)).unwrap().annotation.answers.is_empty());
    (0..5).for_each(|_| desk.run(Command::Redo));
    assert_eq!(written(desk.project().unwrap()), wanted);
}

#[test]
fn steps_are_named_after_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::SetLanguage(gloss::desk::Language::English));
    desk.run(Command::NewProjectWith { path: folder.path().join("p.gloss"), schema: Box::new(schema()) });
    desk.run(Command::AddDocument("贵".to_owned()));
    for (question, to, name) in [
        (EMOTIONS, Some(several(&[1])), "add 愤怒 to emotions"),
        (EMOTIONS, Some(several(&[0, 1])), "add joy to emotions"),
        (EMOTIONS, Some(several(&[0])), "take 愤怒 from emotions"),
        (INTENSITY, Some(Answer::Number(number(0.5))), "intensity: 0.5"),
        (SENTIMENT, Some(Answer::Class(2)), "answer positive"),
        (REMARK, Some(text("好")), "备注: 好"),
        (REMARK, None, "clear the answer"),
    ] {
        desk.run(Command::SetAnswer { doc: DocId(0), question, to });
        assert_eq!(desk.history().unwrap().next_undo().unwrap().name, name);
    }
    desk.run(Command::AddDocument("好".to_owned()));
    desk.run(Command::AnswerQueue { question: EMOTIONS, to: Some(several(&[2])) });
    assert_eq!(answers(desk.project().unwrap(), 0), [(0, Answer::Class(2)), (1, several(&[0, 2])), (2, Answer::Number(number(0.5)))]);
    assert_eq!(answers(desk.project().unwrap(), 1), [(1, several(&[2]))]);
}
