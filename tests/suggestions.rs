//! Suggestions: words of a list and a model's guesses become ghosts; accepted ones are marks with a name that says so.

use super::desk::desk_in;
use super::stage::{desk_with, tiny};
use gloss::desk::{Command, Desk, Ghost, Notice};
use gloss::project::{
    Answer, DocId, Filter, LabelId, Order, Polarity, QuestionId, SchemaChange, SpanId, State, TextRange, View, What, WordMatcher, WordRule,
};
use gloss::store::words;
use std::time::{Duration, Instant};

const TEXT: &str = "电池不耐用，充电宝👍🏻也不行。Battery life: wifi很快, the batteryless wifi！";

fn add_words(desk: &mut Desk, words: &[(&str, u16)]) {
    let words = words.iter().map(|(pattern, label)| WordRule { pattern: (*pattern).to_owned(), label: *label }).collect();
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::AddWords { words })));
}

fn ghosts(desk: &Desk, doc: u32) -> Vec<(String, u16)> {
    let text = &desk.project().unwrap().document(DocId(doc)).unwrap().text;
    desk.ghosts(DocId(doc)).iter().map(|ghost| (ghost.range.of(text).to_owned(), ghost.label)).collect()
}

fn owned(wanted: &[(&str, u16)]) -> Vec<(String, u16)> {
    wanted.iter().map(|(words, label)| ((*words).to_owned(), *label)).collect()
}

#[test]
fn words_are_found_whole_in_letters_and_anywhere_in_chinese() {
    for (patterns, wanted) in [
        (vec![("电池", 0)], vec![("电池", 0)]),
        (vec![("battery", 0)], vec![("Battery", 0)]),
        (vec![("wifi", 0)], vec![("wifi", 0), ("wifi", 0)]),
        (vec![("充电", 0), ("充电宝", 0)], vec![("充电宝", 0)]),
        (vec![("电", 0), ("不\\w", 1)], vec![("电", 0), ("电", 0)]),
        (vec![("/不(耐用|行)", 1)], vec![("不耐用", 1), ("不行", 1)]),
        (vec![("👍🏻", 1)], vec![("👍🏻", 1)]),
        (vec![("/", 0), (" ", 0)], vec![]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = desk_with(folder.path(), &[TEXT]);
        add_words(&mut desk, &patterns);
        assert_eq!(ghosts(&desk, 0), owned(&wanted), "{patterns:?}");
    }
}

#[test]
fn a_broken_pattern_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT]);
    add_words(&mut desk, &[("/(", 0)]);
    assert!(desk.notices().any(|notice| matches!(notice, Notice::Failed(words) if words.contains("unclosed group"))));
    assert!(desk.project().unwrap().schema().words.is_empty());
}

#[test]
fn accepting_marks_and_says_where_it_came_from_and_rejecting_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT]);
    add_words(&mut desk, &[("电池", 0), ("/不(耐用|行)", 1)]);
    let Ghost { range, label, .. } = desk.ghosts(DocId(0))[0];
    desk.run(Command::AcceptSpan { doc: DocId(0), range, label });
    assert_eq!(ghosts(&desk, 0), owned(&[("不耐用", 1), ("不行", 1)]));
    assert_eq!(desk.history().unwrap().next_undo().unwrap().name, "accept suggestion: mark 电池 as aspect (word list)");
    let Ghost { range, label, .. } = desk.ghosts(DocId(0))[0];
    desk.run(Command::RejectSpan { doc: DocId(0), range, label });
    assert_eq!(ghosts(&desk, 0), owned(&[("不行", 1)]));
    assert_eq!(desk.history().unwrap().next_undo().unwrap().name, "reject suggestion: 不耐用 as opinion");
    desk.run(Command::AcceptAll(DocId(0)));
    let document = desk.project().unwrap().document(DocId(0)).unwrap();
    assert_eq!((document.annotation.spans.len(), &document.annotation.state), (2, &State::Done));
    desk.run(Command::Undo);
    let document = desk.project().unwrap().document(DocId(0)).unwrap();
    assert_eq!((document.annotation.spans.len(), &document.annotation.state), (1, &State::Todo), "all of it was one step");
    desk.run(Command::SetSuggestions(false));
    assert!(desk.ghosts(DocId(0)).is_empty());
}

#[test]
fn a_rejection_outlives_the_session_and_goes_with_its_undo() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT]);
    add_words(&mut desk, &[("电池", 0), ("/不(耐用|行)", 1)]);
    let Ghost { range, label, .. } = desk.ghosts(DocId(0))[0];
    desk.run(Command::RejectSpan { doc: DocId(0), range, label });
    let left = ghosts(&desk, 0);
    let rows = folder.path().join("rows.jsonl");
    gloss::store::export_documents(desk.project().unwrap(), &rows).unwrap();
    let held = desk.project().unwrap().clone();
    drop(desk);
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert_eq!(*desk.project().unwrap().all_documents(), *held.all_documents());
    assert_eq!(ghosts(&desk, 0), left);
    desk.run(Command::Undo);
    assert_eq!(ghosts(&desk, 0).len(), left.len() + 1, "may be suggested again");

    // It goes along with the document, its place in code points.
    let written: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&rows).unwrap()).unwrap();
    let chars = range.chars(TEXT);
    assert_eq!(written["rejected"], serde_json::json!([{ "start": chars.start, "end": chars.end, "label": "aspect" }]));
    desk.run(Command::NewProject { path: folder.path().join("q.gloss"), classes: vec![], spans: vec![] });
    desk.run(Command::Import { path: rows, options: Box::default() });
    super::desk::poll_until(&mut desk, |desk| desk.project().unwrap().documents().count() == 1);
    let document = desk.project().unwrap().document(DocId(0)).unwrap();
    assert_eq!(document.annotation.rejected, held.document(DocId(0)).unwrap().annotation.rejected);
}

#[test]
fn a_marked_place_is_not_suggested_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &["屏幕屏幕"]);
    add_words(&mut desk, &[("屏幕", 0)]);
    let text = "屏幕屏幕";
    // Another label over more of the text leaves it open; the same label, or the very place, does not.
    desk.run(Command::AddSpan { doc: DocId(0), range: TextRange::new(text, 0..12).unwrap(), label: 1 });
    assert_eq!(desk.ghosts(DocId(0)).len(), 2);
    desk.run(Command::AddSpan { doc: DocId(0), range: TextRange::new(text, 0..3).unwrap(), label: 0 });
    assert_eq!(desk.ghosts(DocId(0)).len(), 1);
    desk.run(Command::AddSpan { doc: DocId(0), range: TextRange::new(text, 6..12).unwrap(), label: 1 });
    assert!(desk.ghosts(DocId(0)).is_empty());
}

#[test]
fn a_word_is_marked_in_the_whole_document_or_suggested_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["好，真好。/好/", "不好"];
    let mut desk = desk_with(folder.path(), &texts);
    desk.run(Command::AddSpan { doc: DocId(0), range: TextRange::new(texts[0], 0..3).unwrap(), label: 1 });
    desk.run(Command::SetPolarity { doc: DocId(0), id: SpanId(0), to: Some(Polarity::Positive) });
    desk.run(Command::MarkEverywhere { doc: DocId(0), id: SpanId(0) });
    let spans = |desk: &Desk| desk.project().unwrap().document(DocId(0)).unwrap().annotation.spans.clone();
    assert_eq!(spans(&desk).len(), 3);
    assert_eq!(spans(&desk)[&SpanId(1)].polarity, None, "what is said of one place is not said of another");
    assert_eq!(desk.history().unwrap().next_undo().unwrap().name, "mark 好 as opinion in 2 more places");
    desk.run(Command::Undo);
    assert_eq!(spans(&desk).len(), 1);
    desk.run(Command::SuggestEverywhere { doc: DocId(0), id: SpanId(0) });
    assert_eq!(ghosts(&desk, 0), owned(&[("好", 1), ("好", 1)]));
    desk.run(Command::Open(DocId(1)));
    assert_eq!(ghosts(&desk, 1), owned(&[("好", 1)]));
    // Words that begin with the sign of a pattern stay words.
    let range = TextRange::new(texts[0], texts[0].find('/').unwrap()..texts[0].len()).unwrap();
    desk.run(Command::AddSpan { doc: DocId(0), range, label: 0 });
    desk.run(Command::SuggestEverywhere { doc: DocId(0), id: SpanId(1) });
    let schema = desk.project().unwrap().schema();
    assert_eq!(WordMatcher::of(schema).find("又是/好/吧").iter().filter(|(_, label)| *label == 0).count(), 1);
}

#[test]
fn words_and_views_follow_their_labels_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT]);
    add_words(&mut desk, &[("电池", 0), ("不耐用", 1)]);
    let mut filter = Filter::of(What::Span(1));
    filter.add(What::Class(QuestionId(0), Some(2)));
    let view = View { name: " 好评 ".into(), filter, order: Order::Longest };
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::SaveView { view: Box::new(view) })));
    let before = desk.project().unwrap().schema().clone();
    assert_eq!(before.views[0].name, "好评");
    for change in [
        SchemaChange::Move { label: LabelId::Span(0), to: 1 },
        SchemaChange::Delete { label: LabelId::Class(QuestionId(0), 0) },
        SchemaChange::AddQuestion { name: "topic".into(), kind: gloss::project::Kind::Text },
        SchemaChange::MoveQuestion { question: QuestionId(0), to: 1 },
    ] {
        desk.run(Command::ChangeSchema(Box::new(change)));
    }
    let schema = desk.project().unwrap().schema().clone();
    assert_eq!(schema.words.iter().map(|rule| rule.label).collect::<Vec<_>>(), [1, 0]);
    let wanted = [What::Span(0), What::Class(QuestionId(1), Some(1))];
    assert_eq!(schema.views[0].filter.conditions.iter().map(|held| held.what.clone()).collect::<Vec<_>>(), wanted);
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::Delete { label: LabelId::Span(0) })));
    let cut = desk.project().unwrap().schema().clone();
    assert_eq!((cut.words.len(), cut.views[0].filter.conditions.len()), (1, 1), "they go with their label");
    drop(desk);
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert_eq!(*desk.project().unwrap().schema(), cut);
    (0..5).for_each(|_| desk.run(Command::Undo));
    assert_eq!(*desk.project().unwrap().schema(), before);
}

#[test]
fn a_word_list_is_read_line_by_line() {
    let lines = words::parse("\u{feff}# a list\r\n电池\taspect\n\nbattery life, aspect\r\n/不(耐用|行)=opinion\n好，opinion\nlonely\n");
    let read: Vec<(usize, &str, &str)> = lines.iter().map(|line| (line.number, &*line.pattern, &*line.label)).collect();
    let wanted =
        [(2, "电池", "aspect"), (4, "battery life", "aspect"), (5, "/不(耐用|行)", "opinion"), (6, "好", "opinion"), (7, "lonely", "")];
    assert_eq!(read, wanted);
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT]);
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "电池\tAspect\n充电宝\tholder\n/(\taspect\n电池\taspect\n").unwrap();
    desk.run(Command::ImportWords(list.clone()));
    let problem = Some("line 2 names the span label \"holder\", which the project does not have".to_owned());
    let said = Notice::WordsImported { file: "list.txt".into(), added: 1, left_out: 2, problem };
    assert!(desk.notices().any(|notice| *notice == said), "{:?}", desk.notices().collect::<Vec<_>>());
    assert_eq!(ghosts(&desk, 0), owned(&[("电池", 0)]));
    desk.run(Command::ImportWords(folder.path().join("none.txt")));
    assert!(matches!(desk.notices().last(), Some(Notice::Failed(_))));
}

pub fn wait_until(desk: &mut Desk, done: impl Fn(&Desk) -> bool) {
    let start = Instant::now();
    while !done(desk) {
        assert!(start.elapsed() < Duration::from_secs(120), "nothing happened; {:?}", desk.notices().collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(5));
        desk.poll();
    }
}

#[test]
fn a_model_suggests_in_the_background_and_only_while_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[]);
    for at in 0..40 {
        let (text, class) = if at % 2 == 0 { (format!("房间很糟糕{at}"), 0) } else { (format!("服务很好，房间好{at}"), 2) };
        desk.run(Command::AddDocument(text));
        desk.run(Command::SetClass { doc: DocId::from_index(at), class: Some(class) });
    }
    desk.run(Command::AddDocument("早餐很好，👍🏻".to_owned()));
    desk.run(Command::AddDocument("再来一次，糟糕".to_owned()));
    desk.run(Command::SetSuggestions(false));
    desk.run(Command::Open(DocId(40)));
    desk.run(Command::StartTraining(Box::new(tiny())));
    wait_until(&mut desk, |desk| !desk.is_training());
    wait_until(&mut desk, |desk| desk.tester().is_ready());
    assert_eq!((desk.looked_at(), desk.guess(DocId(40))), (None, None), "nothing is made while suggestions are hidden");
    desk.run(Command::SetSuggestions(true));
    wait_until(&mut desk, |desk| desk.guess(DocId(41)).is_some());
    let probabilities = desk.class_probabilities(DocId(40));
    assert_eq!(probabilities.len(), 3);
    assert!((probabilities.iter().map(|(_, probability)| probability).sum::<f32>() - 1.0).abs() < 1e-3);
    // The current document and those ahead were enough so far; an order by certainty needs all.
    desk.run(Command::SetOrder(Order::LeastCertain));
    wait_until(&mut desk, |desk| desk.looked_at() == Some(42) && desk.guess(DocId(0)).is_some());
    desk.poll();
    let certainty: Vec<f32> = desk.queue().ids().iter().map(|doc| desk.guess(*doc).unwrap().probability).collect();
    assert!(certainty.is_sorted(), "{certainty:?}");
    // Accepted, the class is an answer whose step names the run and its certainty.
    desk.run(Command::AcceptClass { doc: DocId(40) });
    let name = desk.history().unwrap().next_undo().unwrap().name.clone();
    assert!(name.starts_with("accept suggestion: answer ") && name.contains("(run "), "{name}");
    let guess = desk.guess(DocId(40)).unwrap();
    assert_eq!(desk.project().unwrap().document(DocId(40)).unwrap().annotation.answers[&QuestionId(0)], Answer::Class(guess.class));
    // The filter and what is shown say the same.
    desk.run(Command::SetFilter(Filter::of(What::Disagrees)));
    let project = desk.project().unwrap();
    let differ = |doc: &DocId| {
        let held = project.document(*doc).unwrap().annotation.class(QuestionId(0));
        held.is_some_and(|held| held != desk.guess(*doc).unwrap().class)
    };
    let wanted: Vec<DocId> = (0..42).map(DocId).filter(differ).collect();
    let mut shown = desk.queue().ids().to_vec();
    shown.sort();
    assert_eq!(shown, wanted);
}
