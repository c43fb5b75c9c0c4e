//! Gestures of which the other tests of the window know only one way: each by keyboard, and by mouse.

use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, pos2};
use egui_kittest::kittest::Queryable;
use gloss::desk::Command;
use gloss::project::{DocId, Link, Order, QuestionId, SpanId, State, TextRange, What};

const SIZE: f32 = 20.0;
const TEXTS: [&str; 3] = ["屏幕很清晰，但是电池不耐用👨🏻‍🚒。", "Great screen\r\npoor battery", "cafe\u{301}"];
const REDO: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// The first review has an aspect and an opinion.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &TEXTS);
    desk.run(Command::SetTextSize(SIZE));
    for (part, label) in [("屏幕", 0), ("很清晰", 1)] {
        let start = TEXTS[0].find(part).unwrap();
        let range = TextRange::new(TEXTS[0], start..start + part.len()).unwrap();
        desk.run(Command::AddSpan { doc: DocId(0), range, label });
    }
    Bench::of(folder, desk, 900.0)
}

impl Bench {
    /// In the middle of the Chinese character `at` of the first line.
    fn character(&self, at: usize) -> Pos2 {
        let text = self.window.get_by_label("The document's text").rect();
        pos2(text.left() + 28.0 + SIZE * (at as f32 + 0.5), text.top() + SIZE * 1.3)
    }

    fn click_character(&mut self, at: usize) {
        let pos = self.character(at);
        let button = |pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        self.window.hover_at(pos);
        self.window.event(button(true));
        self.window.event(button(false));
        self.window.run();
    }

    fn labels(&self) -> Vec<u16> {
        self.document(0).annotation.spans_in_order().iter().map(|(_, span)| span.label).collect()
    }

    fn where_stands(&self, doc: u32) -> State {
        self.document(doc).annotation.state
    }

    fn link(&self) -> bool {
        self.document(0).annotation.links.contains(&Link { from: SpanId(1), to: SpanId(0) })
    }

    /// Opens a menu that has the focus by Enter, and takes the entry called so by Tab and Enter.
    fn choose_by_keys(&mut self, menu: &str, entry: &str) {
        self.window.get_by_role_and_label(Role::Button, menu).focus();
        self.window.run();
        self.key(Key::Enter);
        self.window.get_by_role_and_label(Role::Button, entry).focus();
        self.window.run();
        self.key(Key::Enter);
    }
}

#[test]
fn another_label() {
    let mut bench = bench();
    bench.key(Key::CloseBracket);
    bench.key(Key::O);
    assert_eq!(bench.labels(), [1, 1], "by keys");
    bench.chord(Modifiers::COMMAND, Key::Z);
    bench.click_character(0);
    bench.click("opinion");
    assert_eq!(bench.labels(), [1, 1], "by mouse");
}

#[test]
fn undo_and_redo() {
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.labels(), [0], "by keys");
    bench.chord(REDO, Key::Z);
    assert_eq!(bench.labels(), [0, 1]);
    bench.click("Undo: mark 很清晰 as opinion (Ctrl+Z)");
    assert_eq!(bench.labels(), [0], "by mouse");
    bench.click("Redo: mark 很清晰 as opinion (Ctrl+Shift+Z)");
    assert_eq!(bench.labels(), [0, 1]);
}

#[test]
fn linking_and_unlinking() {
    let mut bench = bench();
    for linked in [true, false] {
        bench.chord(Modifiers::COMMAND, Key::Home);
        bench.key(Key::CloseBracket);
        bench.key(Key::L);
        bench.key(Key::Enter);
        assert_eq!(bench.link(), linked, "by keys");
        bench.key(Key::Escape);
    }
    for linked in [true, false] {
        bench.click_character(3);
        bench.click("Link");
        bench.click_character(0);
        assert_eq!(bench.link(), linked, "by mouse");
    }
}

#[test]
fn back_to_do() {
    let mut bench = bench();
    bench.key(Key::Enter);
    bench.key(Key::K);
    assert_eq!(bench.where_stands(0), State::Done);
    bench.chord(Modifiers::SHIFT, Key::Enter);
    assert_eq!(bench.where_stands(0), State::Todo, "by keys");
    assert_eq!(bench.desk().history().unwrap().next_undo().unwrap().name, "back to to-do");
    bench.click("Skip");
    bench.click("Previous document");
    bench.click("State: Skipped");
    bench.click("To do");
    assert_eq!(bench.where_stands(0), State::Todo, "by mouse");
}

#[test]
fn one_answer_for_all_and_going_to_a_document() {
    let answers = |bench: &Bench| (0..3).map(|at| bench.document(at).annotation.class(QuestionId(0))).collect::<Vec<_>>();
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::A);
    bench.key(Key::Num3);
    assert_eq!(answers(&bench), [Some(2); 3], "by keys");
    bench.chord(Modifiers::COMMAND, Key::Z);
    bench.click("3 documents");
    bench.click("Answer for all documents in the list…");
    bench.window.get_all_by_role_and_label(Role::RadioButton, "negative").last().unwrap().click();
    bench.window.run();
    assert_eq!(answers(&bench), [Some(0); 3], "by mouse");
    bench.click("3 documents");
    bench.click("Go to a document…");
    let hint = "Its number in the list (1 to 3), or its id";
    bench.window.get_by_role_and_label(Role::TextInput, hint).type_text("3");
    bench.window.run();
    bench.click("Go");
    assert_eq!(bench.desk().current(), Some(DocId(2)));
}

#[test]
fn filters_order_and_the_way_back() {
    let mut bench = bench();
    bench.choose_by_keys("State", "To do");
    assert!(bench.desk().filter().has(&What::State(State::Todo)), "by keys");
    bench.window.get_by_role_and_label(Role::Button, "Remove the filter To do").focus();
    bench.window.run();
    bench.key(Key::Enter);
    assert!(bench.desk().filter().is_empty());
    bench.choose_by_keys("As imported", "Longest first");
    assert_eq!(bench.desk().order(), Order::Longest);
    bench.click("Longest first");
    bench.click("As imported");
    bench.click("State");
    bench.click("To do");
    assert!(bench.desk().filter().has(&What::State(State::Todo)), "by mouse");
    bench.click("3 documents");
    bench.click("Show all documents");
    assert!(bench.desk().filter().is_empty());
}

#[test]
fn the_journal_and_the_guidelines_open() {
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::J);
    assert!(bench.has("Journal"), "by keys");
    bench.key(Key::Escape);
    let guidelines = |bench: &Bench| bench.window.query_all_by_label("Guidelines").count() > 0;
    bench.key(Key::H);
    assert!(guidelines(&bench));
    bench.key(Key::H);
    assert!(!guidelines(&bench));
    bench.click("p");
    bench.click("Show or hide the guidelines H");
    assert!(guidelines(&bench), "by mouse");
}

#[test]
fn the_history_of_a_document_leads_back_to_any_of_its_moments() {
    let start = || {
        let mut bench = bench();
        bench.key(Key::F);
        bench.key(Key::Num1);
        bench
    };
    let back = "Take back all that was done since: mark 很清晰 as opinion";
    let held = |bench: &Bench| (bench.document(0).annotation.flagged, bench.labels().len());
    let mut by_keys = start();
    by_keys.window.get_by_role_and_label(Role::Button, back).focus();
    by_keys.window.run();
    by_keys.key(Key::Enter);
    assert_eq!(held(&by_keys), (false, 2), "by keys");
    let mut by_mouse = start();
    by_mouse.click(back);
    assert_eq!(held(&by_mouse), (false, 2), "by mouse");
    by_mouse.chord(REDO, Key::Z);
    assert_eq!(held(&by_mouse), (true, 2), "and forward again");
}

fn advised_bench(project: fn(&std::path::Path) -> gloss::desk::Desk) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = project(folder.path());
    desk.run(Command::SetLanguage(gloss::desk::Language::English));
    Bench::of(folder, desk, 1100.0)
}

/// Draws frames until the list is ranked.
fn advised(bench: &mut Bench) {
    let begin = std::time::Instant::now();
    while bench.desk().is_advising() || bench.desk().advice().judged + bench.desk().advice().judged_spans == 0 {
        assert!(begin.elapsed() < std::time::Duration::from_secs(60), "nothing was ranked");
        std::thread::sleep(std::time::Duration::from_millis(5));
        bench.window.step();
    }
    bench.window.run_steps(3);
}

/// In two of eight reviews a run that had held them out finds the aspect elsewhere.
#[test]
fn suspected_spans_are_settled_by_keys_and_by_mouse() {
    let start = || advised_bench(crate::advise::with_span_errors);
    let spans = |bench: &Bench, doc| -> Vec<(std::ops::Range<usize>, u16)> {
        let document = bench.desk().project().unwrap().document(DocId(doc)).unwrap();
        document.annotation.spans_in_order().iter().map(|(_, span)| (span.range.bytes(), span.label)).collect()
    };
    let ids = |bench: &Bench| bench.desk().queue().ids().to_vec();
    let longer = "A model finds 屏幕 as aspect (95 %) instead of 屏幕很 · aspect";
    let missing = "A model finds 屏幕 as aspect (92 %), which is not marked";
    let mut by_keys = start();
    by_keys.choose_by_keys("Model", "Suspected span errors");
    // Out of the menu, and off its button.
    by_keys.key(Key::Escape);
    by_keys.key(Key::Escape);
    advised(&mut by_keys);
    assert_eq!(ids(&by_keys), [DocId(2), DocId(5)]);
    assert!(by_keys.has("Marks of 8 documents judged, each by a model that had not learnt from them"));
    assert!(by_keys.has(missing));
    by_keys.key(Key::Tab);
    assert_eq!(spans(&by_keys, 2), [(0..6, 0), (9..15, 1)], "marked by a key");
    by_keys.key(Key::J);
    assert!(by_keys.has(longer));
    by_keys.chord(Modifiers::SHIFT, Key::Tab);
    assert_eq!((spans(&by_keys, 5), ids(&by_keys)), (vec![(0..9, 0)], vec![]), "kept by a key");
    let mut by_mouse = start();
    by_mouse.click("As imported");
    by_mouse.click("Suspected span errors first");
    by_mouse.click("Model");
    by_mouse.click("Suspected span errors");
    by_mouse.key(Key::Escape);
    advised(&mut by_mouse);
    assert_eq!(ids(&by_mouse), [DocId(5), DocId(2)], "by mouse");
    while by_mouse.desk().current() != Some(DocId(5)) {
        by_mouse.click("Previous document");
    }
    assert!(by_mouse.has(longer));
    // Who hides suggestions sees no suspicion either.
    let hide = Modifiers::COMMAND | Modifiers::SHIFT;
    by_mouse.chord(hide, Key::G);
    assert!(!by_mouse.has(longer));
    by_mouse.chord(hide, Key::G);
    advised(&mut by_mouse);
    while by_mouse.desk().current() != Some(DocId(5)) {
        by_mouse.click("Previous document");
    }
    by_mouse.click("Mark it so");
    assert_eq!(spans(&by_mouse, 5), [(0..6, 0)], "the mark is put right");
    by_mouse.click("Next document");
    by_mouse.click("Right as it is");
    assert_eq!((spans(&by_mouse, 2), ids(&by_mouse)), (vec![(9..15, 1)], vec![]));
}

/// Five of forty answers look wrong to a run that had held them out.
#[test]
fn suspected_errors_and_informative_documents_by_keys_and_by_mouse() {
    let start = || advised_bench(crate::advise::with_errors);
    let first = |bench: &Bench| bench.desk().queue().ids()[0];
    let mut by_keys = start();
    by_keys.choose_by_keys("As imported", "Suspected label errors first");
    advised(&mut by_keys);
    assert_eq!(first(&by_keys), DocId(39), "by keys");
    by_keys.chord(Modifiers::COMMAND, Key::G);
    let hint = "Its number in the list (1 to 41), or its id";
    by_keys.window.get_by_role_and_label(Role::TextInput, hint).type_text("1");
    by_keys.window.run();
    by_keys.key(Key::Enter);
    assert_eq!(by_keys.desk().current(), Some(DocId(39)));
    assert!(by_keys.has("A model that had not learnt from this answer says negative (89 %)"));
    assert!(by_keys.has("40 answers judged, each by a model that had not learnt from it"));
    by_keys.choose_by_keys("Model", "Suspected label errors");
    by_keys.window.run_steps(3);
    assert_eq!(by_keys.desk().queue().len(), 5);
    let mut by_mouse = start();
    by_mouse.click("Model");
    by_mouse.click("Suspected label errors");
    by_mouse.key(Key::Escape);
    advised(&mut by_mouse);
    assert!(by_mouse.has("5 of 41 documents"), "by mouse");
    by_mouse.click("Remove the filter Suspected label errors");
    by_mouse.click("As imported");
    by_mouse.click("Most informative first");
    assert_eq!(by_mouse.desk().order(), Order::MostInformative);
    by_mouse.click("Model");
    by_mouse.click("The 100 most informative");
    by_mouse.key(Key::Escape);
    assert!(by_mouse.desk().filter().has(&What::Informative));
    // Insights lead there too.
    by_mouse.chord(Modifiers::COMMAND, Key::Num4);
    by_mouse.click("Suspected label errors");
    advised(&mut by_mouse);
    assert_eq!((by_mouse.desk().queue().len(), first(&by_mouse)), (5, DocId(39)));
}
