//! The same words marked and unmarked in all documents of the list, through the window: by keys and by mouse.

use crate::stage::{Bench, desk_with};
use eframe::egui::{Key, Modifiers};
use gloss::desk::{Command, Language};
use gloss::project::{DocId, Filter, Layer, SpanId, TextRange, WordCount, WordMarks};

const TEXTS: [&str; 5] = ["电池好，电池耐用👨🏻‍🚒", "Battery ok, batteryless no.\r\nBATTERY!", "没有电池", "cafe\u{301} 的电池", "nothing"];

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &TEXTS);
    desk.run(Command::AddSpan { doc: DocId(0), range: TextRange::new(TEXTS[0], 0..6).unwrap(), label: 0 });
    Bench::of(folder, desk, 900.0)
}

impl Bench {
    fn marked_words(&self) -> Vec<Vec<String>> {
        let texts = |at: u32| {
            let document = self.document(at);
            document.annotation.spans_in_order().iter().map(|(_, span)| span.range.of(&document.text).to_owned()).collect()
        };
        (0..TEXTS.len() as u32).map(texts).collect()
    }

    fn take_first(&mut self) {
        self.chord(Modifiers::COMMAND, Key::Home);
        self.key(Key::CloseBracket);
    }
}

#[test]
fn words_are_counted_as_word_lists_find_them() {
    let bench = bench();
    let project = bench.desk().project().unwrap();
    let ids: Vec<DocId> = project.documents().map(|doc| doc.id).collect();
    let count = |words: &str, label: u16| WordMarks::new(words, label).count(project, Layer::Outcome, &ids, WordCount::default());
    for (words, label, wanted) in [
        ("电池", 0, [3, 3, 1, 1]),
        ("电池", 1, [4, 3, 0, 0]),
        ("battery", 0, [2, 1, 0, 0]),
        ("👨🏻‍🚒", 0, [1, 1, 0, 0]),
        ("cafe\u{301}", 1, [1, 1, 0, 0]),
        ("/电池", 0, [0, 0, 0, 0]),
    ] {
        let found = count(words, label);
        assert_eq!([found.free, found.free_documents, found.marked, found.marked_documents], wanted, "{words}");
    }
}

#[test]
fn by_keys_all_places_in_the_list_are_marked_and_one_undo_takes_them_back() {
    let mut bench = bench();
    let before = bench.marked_words();
    bench.take_first();
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::A);
    assert!(bench.has("Not marked as aspect: 3 places in 3 documents"));
    assert!(bench.has("Marked as aspect: 1 places in 1 documents"));
    bench.key(Key::Enter);
    assert_eq!(bench.marked_words()[..4], [vec!["电池", "电池"], vec![], vec!["电池"], vec!["电池"]]);
    let names: Vec<String> = bench.desk().history().unwrap().done().iter().map(|step| step.name.clone()).collect();
    assert_eq!(names.last().unwrap(), "mark 电池 as aspect in 3 places (3 documents)");
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.marked_words(), before);
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(bench.marked_words()[3], ["电池"]);
}

#[test]
fn by_mouse_marks_are_taken_away_with_their_links_where_the_filter_leaves_documents() {
    let mut bench = bench();
    let doc = DocId(0);
    let range = TextRange::new(TEXTS[0], 12..18).unwrap();
    let mut desk_runs = |command| {
        bench.window.state_mut().run(command);
        bench.window.run();
    };
    // A second one, linked with the first.
    desk_runs(Command::AddSpan { doc, range, label: 0 });
    desk_runs(Command::ToggleLink { doc, from: SpanId(0), to: SpanId(1) });
    desk_runs(Command::AddSpan { doc: DocId(2), range: TextRange::new(TEXTS[2], 6..12).unwrap(), label: 0 });
    desk_runs(Command::SetFilter(Filter { search: "耐用".to_owned(), ..Filter::default() }));
    let before = bench.document(0).annotation;
    assert_eq!(before.links.len(), 1);
    bench.take_first();
    bench.click("Mark in the list…");
    bench.click("Unmark 2 places");
    assert_eq!(bench.marked_words()[0], Vec::<String>::new());
    assert_eq!(bench.marked_words()[2], ["电池"], "the filter did not leave it");
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.document(0).annotation, before);
    bench.take_first();
    bench.click("Mark in the list…");
    bench.click("Cancel");
    assert_eq!(bench.document(0).annotation, before);
}

#[test]
fn whoever_works_in_a_layer_marks_in_it() {
    let mut bench = bench();
    bench.window.state_mut().run(Command::AddAnnotators { names: vec!["梅".to_owned()], takes_over: false });
    bench.window.state_mut().run(Command::MarkInQueue { words: "电池".to_owned(), label: 1 });
    bench.window.run();
    let layer = bench.desk().layer();
    let spans = |at: u32| bench.document(at).said_in(layer).map_or(0, |said| said.spans.values().filter(|span| span.label == 1).count());
    assert_eq!([spans(0), spans(2), spans(3), spans(4)], [2, 1, 1, 0]);
    if layer != Layer::Outcome {
        assert!(bench.document(2).annotation.spans.is_empty(), "the outcome is untouched");
    }
}

#[test]
fn it_speaks_chinese() {
    let mut bench = bench();
    bench.window.state_mut().run(Command::SetLanguage(Language::Chinese));
    bench.window.run();
    bench.take_first();
    bench.click("在列表中标注…");
    assert!(bench.has("「电池」：列表的全部 5 条文本"));
    bench.click("标注 3 处");
    assert_eq!(bench.marked_words()[2], ["电池"]);
    let history = bench.desk().history().unwrap();
    assert_eq!(history.next_undo().unwrap().name, "将 3 处「电池」标为aspect（3 条）");
}
