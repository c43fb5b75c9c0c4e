//! Several annotators through the real window: who labels, comparing, comments, guidelines, journal, merge, agreement.

use crate::stage::{Bench, desk_with};
use crate::ui_frame::run_until;
use eframe::egui::{Event, Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, Language, Merging, Surroundings};
use gloss::project::{AnnotatorId, DocId, Filter, Layer, QuestionId, State, TextRange};
use gloss::ui::Place;
use gloss::ui::widgets::markdown::{Style, parts};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TEXTS: [&str; 3] = ["屏幕很清晰，但是电池不耐用。", "Great screen, poor battery 👍🏻", "一般\r\n还行"];
const MEI: AnnotatorId = AnnotatorId(0);
const JUN: AnnotatorId = AnnotatorId(1);

fn bench(commands: Vec<Command>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &TEXTS);
    commands.into_iter().for_each(|command| desk.run(command));
    Bench::of(folder, desk, 800.0)
}

fn answer(doc: u32, class: u16) -> [Command; 2] {
    let doc = DocId(doc);
    [Command::SetClass { doc, class: Some(class) }, Command::SetState { doc, to: State::Done }]
}

fn mark(doc: u32, part: &str, label: u16) -> Command {
    let text = TEXTS[doc as usize];
    let start = text.find(part).unwrap();
    Command::AddSpan { doc: DocId(doc), range: TextRange::new(text, start..start + part.len()).unwrap(), label }
}

/// 梅 and Jun differ on document 0 and agree on 1; whoever sits at the desk settles.
fn two_opinions() -> Vec<Command> {
    let mut commands = vec![Command::AddAnnotators { names: vec!["梅".to_owned(), "Jun".to_owned()], takes_over: true }];
    commands.extend(answer(0, 2));
    commands.extend([mark(0, "屏幕", 0), mark(0, "很清晰", 1)]);
    commands.extend(answer(1, 0));
    commands.push(Command::WorkIn(Layer::Own(JUN)));
    commands.extend(answer(0, 0));
    commands.extend([mark(0, "屏幕", 0), mark(0, "不耐用", 1)]);
    commands.extend(answer(1, 0));
    commands.extend([Command::WorkIn(Layer::Outcome), Command::Open(DocId(0))]);
    commands
}

impl Bench {
    fn class(&self, at: u32) -> Option<u16> {
        self.document(at).annotation.class(QuestionId(0))
    }

    fn write(&mut self, field: &str, text: &str) {
        let role = if field == "New comment" || field == "Text of the guidelines" { Role::MultilineTextInput } else { Role::TextInput };
        self.window.get_by_role_and_label(role, field).focus();
        self.window.run();
        self.window.event(Event::Text(text.to_owned()));
        self.window.run();
    }
}

#[test]
fn a_second_person_labels_without_seeing_the_first() {
    let mut bench = bench(answer(0, 2).to_vec());
    bench.chord(Modifiers::COMMAND, Key::U);
    assert!(bench.has("Who labels?"));
    bench.write("Name of the other", "Jun 君");
    bench.click("Label together");
    let me = bench.desk().project().unwrap().annotators()[0].clone();
    assert_eq!(bench.desk().project().unwrap().annotators()[1], "Jun 君");
    assert_eq!(bench.desk().layer(), Layer::Own(MEI));
    bench.click(&format!("Answers of {me}: click to change who labels"));
    bench.window.get_by_role_and_label(Role::RadioButton, "Jun 君").click();
    bench.window.run();
    assert_eq!(bench.desk().layer(), Layer::Own(JUN));
    let seen = |bench: &Bench, doc| bench.desk().seen(doc).unwrap().annotation.class(QuestionId(0));
    assert_eq!(seen(&bench, DocId(0)), None, "the first one's answer is not shown");
    bench.key(Key::Num1);
    let current = bench.desk().current().unwrap();
    let document = bench.document(current.0);
    assert_eq!(document.layers[&JUN].class(QuestionId(0)), Some(0));
    let history = bench.window.query_all_by_label("answer positive").count();
    assert_eq!(history, 0, "nor does the history tell");
}

#[test]
fn who_labels_is_asked_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &TEXTS);
    desk.run(Command::AddAnnotators { names: vec!["梅".to_owned(), "Jun".to_owned()], takes_over: false });
    drop(desk);
    let mut desk = Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 0),
        sample: folder.path().join("sample.gloss"),
        config: Some(folder.path().join("another person")),
    });
    desk.run(Command::SetLanguage(Language::English));
    desk.run(Command::OpenProject(folder.path().join("p.gloss")));
    let mut bench = Bench::of(folder, desk, 800.0);
    bench.key(Key::Num1);
    assert_eq!(bench.class(0), None, "nothing is labelled before it is said by whom");
    bench.write("Someone else", "李");
    bench.click("Add");
    assert_eq!(bench.desk().layer(), Layer::Own(AnnotatorId(2)));
    assert_eq!(bench.desk().settings().author, "李");
}

#[test]
fn a_or_b_becomes_the_outcome_by_key_and_by_mouse() {
    let mut bench = bench(two_opinions());
    assert!(bench.has("≠  2 annotators differ"));
    bench.chord(Modifiers::COMMAND, Key::B);
    assert!(bench.has("A · 梅") && bench.has("B · Jun") && bench.has("not settled yet"));
    assert!(bench.has("opinion 不耐用") && bench.has("opinion 很清晰"), "both texts have their spans");
    bench.key(Key::A);
    assert_eq!(bench.document(0).annotation.spans.len(), 0, "letters of labels mark nothing here");
    bench.chord(Modifiers::COMMAND, Key::OpenBracket);
    assert_eq!((bench.class(0), bench.document(0).annotation.state, bench.desk().current()), (Some(2), State::Done, Some(DocId(1))));
    bench.key(Key::K);
    assert!(bench.has("as A says"));
    bench.click("Take B");
    assert_eq!((bench.class(0), bench.document(0).annotation.spans.len()), (Some(0), 2));
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.class(0), Some(2));
    bench.chord(Modifiers::COMMAND, Key::CloseBracket);
    assert_eq!(bench.class(0), Some(0));
    bench.key(Key::K);
    bench.click("Edit the outcome");
    bench.key(Key::Num2);
    assert_eq!(bench.class(0), Some(1), "the outcome is edited like any document");
}

#[test]
fn where_all_agree_is_settled_at_once_after_asking() {
    let mut bench = bench(two_opinions());
    bench.click("Compare");
    bench.click("Settle where all agree…");
    assert!(bench.has("Settle 1 documents on which all agree?"));
    bench.click("Cancel");
    assert_eq!(bench.class(1), None);
    bench.click("Settle where all agree…");
    bench.click("Settle");
    assert_eq!((bench.class(0), bench.class(1)), (None, Some(0)));
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.class(1), None, "one undo");
}

#[test]
fn where_nothing_can_be_compared_it_says_so_and_shows_the_way() {
    let mut bench = bench(two_opinions());
    let fewer = "Fewer than two have labelled this document: there is nothing to compare";
    bench.key(Key::J);
    bench.key(Key::J);
    assert_eq!(bench.desk().current(), Some(DocId(2)));
    bench.chord(Modifiers::COMMAND, Key::B);
    assert!(bench.has(fewer));
    bench.key(Key::K);
    assert!(!bench.has(fewer) && bench.has("A · 梅"), "it compares wherever there is something");
    bench.chord(Modifiers::COMMAND, Key::B);
    bench.key(Key::J);
    bench.chord(Modifiers::COMMAND, Key::B);
    bench.click("Show those that differ");
    assert_eq!((bench.desk().queue().ids(), bench.desk().current()), (&[DocId(0)][..], Some(DocId(0))));
    bench.chord(Modifiers::COMMAND, Key::B);
    // In one's own layer the others are not to be seen.
    bench.window.state_mut().run(Command::WorkIn(Layer::Own(JUN)));
    bench.window.run();
    bench.chord(Modifiers::COMMAND, Key::B);
    bench.click("To the outcome");
    assert_eq!(bench.desk().layer(), Layer::Outcome);
}

#[test]
fn differences_are_a_filter_of_those_who_settle() {
    let mut bench = bench(two_opinions());
    bench.click("State");
    bench.click("Annotators differ");
    assert_eq!(bench.desk().queue().ids(), [DocId(0)]);
    bench.click("Remove the filter Annotators differ");
    assert_eq!(bench.desk().queue().len(), 3);
}

#[test]
fn the_list_is_filtered_by_who_labelled() {
    let mut commands = two_opinions();
    commands.push(Command::WorkIn(Layer::Own(MEI)));
    commands.extend(answer(2, 1));
    commands.push(Command::WorkIn(Layer::Outcome));
    let mut bench = bench(commands);
    bench.click("Annotator");
    bench.click("梅");
    assert_eq!(bench.desk().queue().ids(), [DocId(0), DocId(1), DocId(2)]);
    bench.click("Turn the filter Labelled by 梅 round");
    bench.click("Remove the filter Labelled by 梅");
    bench.click("Annotator");
    bench.click("Jun");
    assert_eq!(bench.desk().queue().ids(), [DocId(0), DocId(1)]);
}

#[test]
fn a_number_of_agreement_opens_its_documents() {
    let mut bench = bench(two_opinions());
    // Frames are asked for while it is being measured, however long that takes.
    bench.window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    let is_measured = |app: &gloss::ui::App| app.place() == Place::Insights && app.desk().is_agreement_fresh();
    run_until(&mut bench.window, "the measurement", is_measured);
    assert!(bench.has("2 documents labelled by two or more, 1 with a difference"));
    bench.click("梅 – Jun, raw agreement: 0.50");
    assert_eq!((bench.window.state().place(), bench.desk().queue().ids()), (Place::Label, &[DocId(0)][..]));
    bench.window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    run_until(&mut bench.window, "the measurement", is_measured);
    assert!(bench.has("aspect, F1 of equal spans: 1.00") && bench.has("opinion, F1 of overlapping spans: 0.00"));
    bench.click("Open the differences");
    assert_eq!(bench.desk().filter(), &Filter { only: Some(Arc::from([DocId(0)])), ..Filter::default() });
}

#[test]
fn a_comment_is_written_resolved_and_removed() {
    let mut bench = bench(vec![Command::Open(DocId(0))]);
    bench.key(Key::C);
    bench.window.event(Event::Text("讽刺吗？".to_owned()));
    bench.window.run();
    bench.chord(Modifiers::COMMAND, Key::Enter);
    let comment = |bench: &Bench| bench.document(0).comments.values().next().cloned();
    assert_eq!(comment(&bench).unwrap().text, "讽刺吗？");
    assert!(bench.has("讽刺吗？"));
    bench.write("New comment", "second");
    bench.click("Add the comment");
    assert_eq!(bench.document(0).comments.len(), 2);
    bench.window.get_all_by_label("Resolved").next().unwrap().click();
    bench.window.run();
    assert!(comment(&bench).unwrap().resolved);
    bench.window.get_all_by_label("Remove the comment").next().unwrap().click();
    bench.window.run();
    assert_eq!(comment(&bench).unwrap().text, "second");
    bench.click("State");
    bench.click("Open comments");
    assert_eq!(bench.desk().queue().ids(), [DocId(0)]);
}

#[test]
fn guidelines_are_written_and_read_beside_the_work() {
    let mut bench = bench(vec![]);
    bench.key(Key::H);
    bench.click("Edit…");
    bench.write("Text of the guidelines", "# 正面\n- 明确的**好评**\n> 例：很好！");
    bench.click("Keep");
    assert_eq!(bench.desk().project().unwrap().guidelines(), "# 正面\n- 明确的**好评**\n> 例：很好！");
    assert!(bench.has("正面") && bench.has("明确的好评") && bench.has("例：很好！"), "marks are not shown");
    bench.key(Key::Num1);
    assert_eq!(bench.class(bench.desk().current().unwrap().0), Some(0), "the work goes on behind it");
    bench.key(Key::H);
    assert!(!bench.has("明确的好评"));
}

#[test]
fn marks_inside_a_line() {
    use Style::{Bold, Code, Italic, Plain};
    for (line, wanted) in [
        ("plain 文字", &[(Plain, "plain 文字")][..]),
        ("a **好** b", &[(Plain, "a "), (Bold, "好"), (Plain, " b")]),
        ("*x* `y*z`", &[(Italic, "x"), (Plain, " "), (Code, "y*z")]),
        ("2 * 3 = 6 ** ", &[(Plain, "2 * 3 = 6 ** ")]),
        ("**", &[(Plain, "**")]),
        ("`👍🏻", &[(Plain, "`👍🏻")]),
        ("", &[]),
    ] {
        assert_eq!(parts(line), wanted, "{line}");
    }
}

#[test]
fn the_journal_is_searched_and_leads_back() {
    let mut commands = answer(0, 2).to_vec();
    commands.push(mark(0, "电池", 0));
    let mut bench = bench(commands);
    let steps = bench.desk().history().unwrap().done().len();
    bench.chord(Modifiers::COMMAND, Key::J);
    let marks = |bench: &Bench| bench.window.query_all_by_label("mark 电池 as aspect").count();
    let beside = 1; // the history of the document behind the window
    assert!(bench.has(&format!("{steps} steps")) && marks(&bench) == 1 + beside);
    bench.window.event(Event::Text("answer".to_owned()));
    bench.window.run();
    assert!(bench.has("1 steps") && marks(&bench) == beside);
    bench.click("Go back to here: answer positive");
    assert_eq!(bench.desk().history().unwrap().done().len(), steps - 2);
    assert!(bench.document(0).annotation.spans.is_empty() && bench.class(0) == Some(2));
    bench.window.get_by_role_and_label(Role::TextInput, "Search the journal").focus();
    bench.window.run();
    bench.chord(Modifiers::COMMAND, Key::A);
    bench.window.event(Event::Text("mark 电池".to_owned()));
    bench.window.run();
    bench.click("Go forward to here: mark 电池 as aspect");
    assert_eq!(bench.desk().history().unwrap().done().len(), steps);
    assert_eq!(bench.document(0).annotation.spans.len(), 1);
}

#[test]
fn a_colleagues_file_is_merged_in_data() {
    let mut bench = bench(answer(0, 2).to_vec());
    let path = bench.folder.path().join("colleague.gloss");
    let mut other = Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 5),
        sample: bench.folder.path().join("sample.gloss"),
        config: None,
    });
    other.run(Command::NewProject { path: path.clone(), classes: vec![], spans: vec![] });
    other.run(Command::AddDocument(TEXTS[0].to_owned()));
    answer(0, 0).into_iter().for_each(|command| other.run(command));
    drop(other);
    bench.chord(Modifiers::COMMAND, Key::Num5);
    bench.click("Merge a colleague's project…");
    bench.write("Path of the file", &path.display().to_string());
    bench.click("Open");
    wait(&mut bench, |desk| matches!(desk.merging(), Merging::Failed { .. }));
    // Both worked under one name on this machine.
    bench.write("The answers are those of", "2");
    bench.click("Use this name");
    wait(&mut bench, |desk| matches!(desk.merging(), Merging::Ready { .. }));
    assert!(bench.has("1 documents found here, 0 new ones"));
    bench.click("Merge");
    wait(&mut bench, |desk| matches!(desk.merging(), Merging::Idle));
    assert_eq!(bench.desk().project().unwrap().annotators().len(), 2);
    assert!(bench.document(0).is_disputed());
}

#[track_caller]
fn wait(bench: &mut Bench, done: impl Fn(&Desk) -> bool) {
    let start = Instant::now();
    while !done(bench.desk()) {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happened: {:?}", bench.desk().merging());
        std::thread::sleep(Duration::from_millis(5));
        bench.window.step();
    }
    bench.window.run();
}
