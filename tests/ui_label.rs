//! The Label place through the real window: every gesture by keyboard and by mouse, on a project file on disk.

use eframe::egui::{Event, Key, Modifiers, Pos2, Rect, accesskit::Role, pos2, vec2};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, Node};
use gloss::desk::{Command, Desk, Language, Surroundings};
use gloss::project::{DocId, Document, Link, Order, Polarity, Span, SpanId, State};
use gloss::ui::App;
use std::sync::Arc;

const CHINESE: &str = "屏幕很清晰，但是电池不耐用。";
const ENGLISH: &str = "Great screen, poor battery";
/// Size of the text in the tests: a Chinese character is as wide as this.
const SIZE: f32 = 20.0;
const ASPECT: u16 = 0;
const OPINION: u16 = 1;

struct Bench {
    window: Harness<'static, App>,
    _folder: tempfile::TempDir,
}

fn bench(texts: &[&str]) -> Bench {
    bench_after(texts, Vec::new())
}

/// A window on a project with these texts, after these commands.
fn bench_after(texts: &[&str], commands: Vec<Command>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let surroundings = Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 1_795_313_580_000),
        sample: folder.path().join("sample.gloss"),
        config: Some(folder.path().join("config")),
    };
    let mut desk = Desk::new(surroundings);
    desk.run(Command::SetLanguage(Language::English));
    desk.run(Command::SetTextSize(SIZE));
    desk.run(Command::NewProject { path: folder.path().join("test.gloss"), classes: Vec::new(), spans: Vec::new() });
    for text in texts {
        desk.run(Command::AddDocument((*text).to_owned()));
    }
    commands.into_iter().for_each(|command| desk.run(command));
    let window = Harness::builder()
        .with_size(vec2(1280.0, 800.0))
        .with_max_steps(12)
        .with_context_setup(gloss::ui::app::set_up)
        .build_eframe(|_| App::for_test(desk));
    Bench { window, _folder: folder }
}

impl Bench {
    fn document(&self, at: u32) -> Document {
        self.window.state().desk().project().unwrap().document(DocId(at)).unwrap().clone()
    }

    fn current(&self) -> Option<DocId> {
        self.window.state().desk().current()
    }

    /// Texts of the spans of the first document with their labels, in reading order.
    fn spans(&self) -> Vec<(String, u16)> {
        let document = self.document(0);
        let spans = document.annotation.spans_in_order();
        spans.iter().map(|(_, span)| (span.range.of(&document.text).to_owned(), span.label)).collect()
    }

    fn span(&self, words: &str) -> (SpanId, Span) {
        let document = self.document(0);
        document.annotation.spans_in_order().into_iter().find(|(_, span)| span.range.of(&document.text) == words).unwrap()
    }

    fn key(&mut self, key: Key) {
        self.chord(Modifiers::NONE, key);
    }

    fn chord(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run();
    }

    fn times(&mut self, count: usize, modifiers: Modifiers, key: Key) {
        for _ in 0..count {
            self.chord(modifiers, key);
        }
    }

    /// A key that types: the press and its letter come in one frame, as from a keyboard.
    fn letter(&mut self, letter: char) {
        let key = Key::from_name(&letter.to_ascii_uppercase().to_string()).unwrap();
        let events = &mut self.window.input_mut().events;
        events.push(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE });
        events.push(Event::Text(letter.to_string()));
        self.window.run();
        self.window.key_up(key);
        self.window.run();
    }

    fn button<'a>(&'a self, name: &'a str) -> Node<'a> {
        self.window.get_by_role_and_label(Role::Button, name)
    }

    fn click(&mut self, name: &str) {
        self.button(name).click();
        self.window.run();
    }

    fn class(&mut self, name: &str) {
        self.window.get_by_role_and_label(Role::RadioButton, name).click();
        self.window.run();
    }

    fn has(&self, name: &str) -> bool {
        self.window.query_by_label(name).is_some()
    }

    /// Where the left edge of the Chinese character `at` of the first line is drawn.
    fn edge_of(&self, at: usize) -> Pos2 {
        let text = self.window.get_by_label("The document's text").rect();
        pos2(text.left() + 28.0 + SIZE * at as f32, text.top() + SIZE * 1.3)
    }

    fn middle_of(&self, at: usize) -> Pos2 {
        self.edge_of(at) + vec2(SIZE * 0.5, 0.0)
    }

    fn drag(&mut self, from: Pos2, to: Pos2, modifiers: Modifiers) {
        self.window.event(Event::ModifiersChanged(modifiers));
        self.window.hover_at(from);
        self.window.drag_at(from);
        self.window.hover_at(from.lerp(to, 0.5));
        self.window.hover_at(to);
        self.window.run();
        let release = Event::PointerButton { pos: to, button: eframe::egui::PointerButton::Primary, pressed: false, modifiers };
        self.window.event(release);
        self.window.event(Event::ModifiersChanged(Modifiers::NONE));
        self.window.run();
    }

    fn click_at(&mut self, at: Pos2) {
        self.window.hover_at(at);
        self.window.drag_at(at);
        self.window.event(Event::PointerButton {
            pos: at,
            button: eframe::egui::PointerButton::Primary,
            pressed: false,
            modifiers: Modifiers::NONE,
        });
        self.window.run();
    }

    fn double_click_at(&mut self, at: Pos2) {
        // A click in each frame: the harness lets a quarter of a second pass between frames.
        self.window.hover_at(at);
        self.window.run();
        let button =
            |pressed| Event::PointerButton { pos: at, button: eframe::egui::PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        for _ in 0..2 {
            self.window.input_mut().events.extend([button(true), button(false)]);
            self.window.step();
        }
        self.window.run();
    }

    /// Marks the characters `range` of the first line by keys.
    fn mark_by_keys(&mut self, range: std::ops::Range<usize>, letter: char) {
        self.chord(Modifiers::COMMAND, Key::Home);
        self.times(range.start, Modifiers::NONE, Key::ArrowRight);
        self.times(range.len(), Modifiers::SHIFT, Key::ArrowRight);
        self.letter(letter);
    }
}

#[test]
fn class_by_digit_and_by_click() {
    let mut bench = bench(&[CHINESE]);
    let class = |bench: &Bench| bench.document(0).annotation.class(gloss::project::QuestionId(0));
    bench.key(Key::Num3);
    assert_eq!(class(&bench), Some(2));
    bench.class("negative");
    assert_eq!(class(&bench), Some(0));
    bench.class("negative");
    assert_eq!(class(&bench), None, "a click on the answer takes it away");
    bench.key(Key::Num2);
    bench.key(Key::Backspace);
    assert_eq!(class(&bench), None);
    bench.key(Key::Num9);
    assert_eq!(class(&bench), None, "there are three classes");
}

#[test]
fn span_by_letter_in_chinese() {
    let mut bench = bench(&[CHINESE]);
    bench.letter('a');
    assert_eq!(bench.spans(), [("屏幕".to_owned(), ASPECT)], "the word at the caret");
    bench.mark_by_keys(8..10, 'a');
    bench.mark_by_keys(2..5, 'o');
    assert_eq!(bench.spans(), [("屏幕".to_owned(), ASPECT), ("很清晰".to_owned(), OPINION), ("电池".to_owned(), ASPECT)]);
    assert!(bench.has("aspect 电池") && bench.has("opinion 很清晰"), "spans have names for a screen reader");
}

#[test]
fn span_by_letter_in_english() {
    let mut bench = bench(&[ENGLISH]);
    bench.chord(Modifiers::COMMAND, Key::ArrowRight);
    bench.chord(Modifiers::COMMAND, Key::ArrowRight);
    bench.letter('a');
    assert_eq!(bench.spans(), [("screen".to_owned(), ASPECT)], "the word before the caret");
    bench.key(Key::Home);
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::ArrowRight);
    bench.letter('o');
    assert_eq!(bench.spans(), [("Great".to_owned(), OPINION), ("screen".to_owned(), ASPECT)]);
}

#[test]
fn acceptance_vector_of_bytes() {
    let mut bench = bench(&["👨🏻‍🚒 屏幕很好"]);
    bench.key(Key::ArrowRight); // over the fire fighter: one character
    bench.key(Key::ArrowRight);
    bench.times(2, Modifiers::SHIFT, Key::ArrowRight);
    bench.letter('a');
    let (_, span) = bench.span("屏幕");
    assert_eq!(span.range.bytes(), 16..22);
}

#[test]
fn double_click_marks_a_chinese_word() {
    let mut bench = bench(&[CHINESE]);
    bench.double_click_at(bench.middle_of(9));
    assert!(bench.has("Mark as aspect"), "the palette asks for a label");
    bench.click("Mark as aspect");
    assert_eq!(bench.spans(), [("电池".to_owned(), ASPECT)]);
}

#[test]
fn double_click_with_a_label_armed_does_not_ask() {
    let mut bench = bench(&[CHINESE]);
    bench.click("aspect");
    bench.double_click_at(bench.middle_of(0));
    assert_eq!(bench.spans(), [("屏幕".to_owned(), ASPECT)]);
    assert!(!bench.has("Mark as aspect"));
}

#[test]
fn drag_takes_whole_words_without_punctuation() {
    let mut bench = bench(&[CHINESE]);
    // From inside 清晰 past the comma.
    bench.drag(bench.middle_of(4) - vec2(4.0, 0.0), bench.edge_of(6), Modifiers::NONE);
    bench.letter('o');
    assert_eq!(bench.spans(), [("清晰".to_owned(), OPINION)]);
    let mut backwards = self::bench(&[CHINESE]);
    backwards.drag(backwards.edge_of(10), backwards.edge_of(8), Modifiers::NONE);
    backwards.click("Mark as aspect");
    assert_eq!(backwards.spans(), [("电池".to_owned(), ASPECT)]);
}

#[test]
fn alt_drag_takes_characters() {
    let mut bench = bench(&[CHINESE]);
    bench.drag(bench.edge_of(3), bench.edge_of(4), Modifiers::ALT);
    bench.letter('o');
    assert_eq!(bench.spans(), [("清".to_owned(), OPINION)]);
}

#[test]
fn drag_never_cuts_an_emoji() {
    let mut bench = bench(&["👨🏻‍🚒很好"]);
    let text = bench.edge_of(0);
    bench.drag(text, text + vec2(12.0, 0.0), Modifiers::ALT);
    bench.letter('a');
    for (words, _) in bench.spans() {
        assert!(words.starts_with("👨🏻‍🚒"), "{words}");
    }
}

#[test]
fn ctrl_drag_makes_a_linked_pair() {
    let mut bench = bench(&[CHINESE]);
    bench.drag(bench.edge_of(0), bench.edge_of(2), Modifiers::COMMAND);
    bench.drag(bench.edge_of(2), bench.edge_of(5), Modifiers::COMMAND);
    assert_eq!(bench.spans(), [("屏幕".to_owned(), ASPECT), ("很清晰".to_owned(), OPINION)]);
    let (aspect, opinion) = (bench.span("屏幕").0, bench.span("很清晰").0);
    assert!(bench.document(0).annotation.links.contains(&Link { from: opinion, to: aspect }));
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.spans(), [("屏幕".to_owned(), ASPECT)], "an opinion and its link are one step");
    assert!(bench.document(0).annotation.links.is_empty());
}

#[test]
fn polarity_by_keys_and_by_click() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(2..5, 'o');
    bench.key(Key::Plus);
    assert_eq!(bench.span("很清晰").1.polarity, Some(Polarity::Positive));
    bench.key(Key::Minus);
    assert_eq!(bench.span("很清晰").1.polarity, Some(Polarity::Negative));
    bench.key(Key::Num0);
    assert_eq!(bench.span("很清晰").1.polarity, Some(Polarity::Neutral));
    bench.click("Positive");
    assert_eq!(bench.span("很清晰").1.polarity, Some(Polarity::Positive));
}

#[test]
fn link_by_keys() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.mark_by_keys(8..10, 'a');
    bench.mark_by_keys(2..5, 'o');
    bench.letter('l'); // 屏幕 is the nearest
    bench.key(Key::CloseBracket); // on to 电池
    bench.key(Key::Enter);
    let (battery, opinion) = (bench.span("电池").0, bench.span("很清晰").0);
    assert_eq!(bench.document(0).annotation.links.iter().copied().collect::<Vec<_>>(), [Link { from: opinion, to: battery }]);
    assert_eq!(bench.document(0).annotation.state, State::Todo, "Enter linked, it did not finish");
    bench.letter('l');
    bench.key(Key::Escape);
    assert_eq!(bench.document(0).annotation.links.len(), 1);
}

#[test]
fn link_by_mouse() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.mark_by_keys(2..5, 'o');
    bench.click_at(bench.middle_of(0));
    bench.click("Link");
    bench.click_at(bench.middle_of(3));
    let (aspect, opinion) = (bench.span("屏幕").0, bench.span("很清晰").0);
    assert!(bench.document(0).annotation.links.contains(&Link { from: opinion, to: aspect }), "from the opinion, whichever came first");
    bench.click("Unlink");
    assert!(bench.document(0).annotation.links.is_empty());
}

#[test]
fn remove_by_key_and_by_click_and_undo() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.key(Key::Delete);
    assert!(bench.spans().is_empty());
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.spans().len(), 1);
    bench.click_at(bench.middle_of(1));
    bench.click("Remove");
    assert!(bench.spans().is_empty());
    bench.chord(Modifiers::COMMAND, Key::Z);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert!(bench.spans().is_empty(), "the mark itself is undone");
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(bench.spans().len(), 1);
}

#[test]
fn edges_by_keys() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(3..5, 'o'); // 清晰
    bench.chord(Modifiers::ALT | Modifiers::SHIFT, Key::ArrowLeft);
    assert_eq!(bench.spans(), [("很清晰".to_owned(), OPINION)]);
    bench.chord(Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(bench.spans(), [("很清".to_owned(), OPINION)]);
    bench.times(2, Modifiers::ALT, Key::ArrowRight);
    assert_eq!(bench.spans(), [("很清晰，但".to_owned(), OPINION)], "the comma is no end, so it is passed over");
}

#[test]
fn edge_by_mouse() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(3..5, 'o');
    bench.click_at(bench.middle_of(3));
    bench.drag(bench.edge_of(3), bench.edge_of(2), Modifiers::NONE);
    assert_eq!(bench.spans(), [("很清晰".to_owned(), OPINION)]);
}

#[test]
fn spans_are_stepped_through_and_relabelled() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.mark_by_keys(8..10, 'a');
    bench.key(Key::Escape);
    bench.key(Key::OpenBracket);
    bench.letter('o');
    assert_eq!(bench.span("电池").1.label, OPINION);
    bench.key(Key::CloseBracket);
    bench.letter('o');
    assert_eq!(bench.span("屏幕").1.label, OPINION, "round the end to the first");
}

#[test]
fn through_the_queue_by_keys() {
    let mut bench = bench(&["一", "二", "三"]);
    bench.letter('j');
    assert_eq!(bench.current(), Some(DocId(1)));
    bench.key(Key::ArrowUp);
    assert_eq!(bench.current(), Some(DocId(0)));
    bench.key(Key::Enter);
    assert_eq!(bench.document(0).annotation.state, State::Done);
    assert_eq!(bench.current(), Some(DocId(1)));
    bench.letter('s');
    assert_eq!(bench.document(1).annotation.state, State::Skipped);
    bench.letter('f');
    assert!(bench.document(2).annotation.flagged);
    bench.key(Key::ArrowUp);
    bench.key(Key::ArrowUp);
    bench.letter('n');
    assert_eq!(bench.current(), Some(DocId(2)), "the next one to do");
}

#[test]
fn through_the_queue_by_mouse() {
    let mut bench = bench(&["first words", "second words", "third words"]);
    bench.window.get_by_label("second words · To do").click();
    bench.window.run();
    assert_eq!(bench.current(), Some(DocId(1)));
    bench.click("Done, go on");
    assert_eq!(bench.document(1).annotation.state, State::Done);
    assert_eq!(bench.current(), Some(DocId(2)));
    bench.click("Flag");
    assert!(bench.document(2).annotation.flagged);
    bench.click("Skip");
    assert_eq!(bench.document(2).annotation.state, State::Skipped);
    bench.click("State: Skipped");
    bench.click("To do");
    assert_eq!(bench.document(2).annotation.state, State::Todo);
}

#[test]
fn search_filters_and_letters_in_it_do_not_label() {
    let mut bench = bench(&["apples and oranges", "屏幕很好", "a bad one"]);
    bench.letter_slash();
    for letter in ['a', 'o', 's'] {
        bench.window.input_mut().events.push(Event::Key {
            key: Key::from_name(&letter.to_ascii_uppercase().to_string()).unwrap(),
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
        bench.window.input_mut().events.push(Event::Text(letter.to_string()));
        bench.window.run();
    }
    assert_eq!(bench.window.state().desk().filter().search, "aos", "not even the slash");
    assert!(bench.spans().is_empty());
    assert_eq!(bench.document(0).annotation.state, State::Todo);
    assert!(bench.has("The filter leaves no document"));
    bench.click("Clear filters");
    assert_eq!(bench.window.state().desk().queue().len(), 3);
    bench.letter_slash();
    bench.window.input_mut().events.push(Event::Text("屏幕".to_owned()));
    bench.window.run();
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(1)]);
    assert_eq!(bench.current(), Some(DocId(1)));
}

impl Bench {
    fn letter_slash(&mut self) {
        let events = &mut self.window.input_mut().events;
        events.push(Event::Key { key: Key::Slash, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE });
        events.push(Event::Text("/".to_owned()));
        self.window.run();
        self.window.key_up(Key::Slash);
        self.window.run();
    }
}

#[test]
fn filters_and_order_by_mouse() {
    let mut bench = bench(&["long text of the first", "short", "middling text"]);
    bench.key(Key::Num1);
    bench.click("State");
    bench.click("Flagged");
    assert!(bench.has("The filter leaves no document"));
    bench.click("Remove the filter Flagged");
    bench.click("Class");
    bench.click("No class yet");
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(1), DocId(2)]);
    bench.click("Remove the filter No class yet");
    bench.click("As imported");
    bench.click("Shortest first");
    assert_eq!(bench.window.state().desk().order(), Order::Shortest);
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(1), DocId(2), DocId(0)]);
}

#[test]
fn one_answer_for_the_whole_queue() {
    let mut bench = bench(&["一", "二", "三"]);
    bench.chord(Modifiers::COMMAND, Key::A);
    bench.key(Key::Escape);
    assert!(!bench.has("Answer for all 3 documents in the list"));
    bench.chord(Modifiers::COMMAND, Key::A);
    assert!(bench.has("Answer for all 3 documents in the list"));
    bench.key(Key::Num2);
    let classes: Vec<_> = (0..3).map(|at| bench.document(at).annotation.class(gloss::project::QuestionId(0))).collect();
    assert_eq!(classes, [Some(1); 3]);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.document(1).annotation.class(gloss::project::QuestionId(0)), None, "one undo");
}

#[test]
fn columns_fold_away_and_come_back() {
    let mut bench = bench(&["first words"]);
    let text = |bench: &Bench| -> Rect { bench.window.get_by_label("The document's text").rect() };
    let narrow = text(&bench).width();
    bench.click("Show or hide the documents");
    bench.click("Show or hide the details");
    assert!(text(&bench).width() > narrow + 150.0);
    assert!(!bench.has("first words · To do"));
    bench.click("Show or hide the documents");
    assert!(bench.has("first words · To do"));
}

#[test]
fn empty_project_says_what_to_do() {
    let bench = bench(&[]);
    assert!(bench.has("This project has no documents yet"));
}

#[test]
fn many_documents_are_drawn_by_rows_in_sight_only() {
    let texts: Vec<String> = (0..300).map(|at| format!("review {at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut bench = bench(&texts);
    let rows = bench.window.get_all_by_role(Role::ListBoxOption).count();
    assert!(rows < 40, "{rows} rows for one screen");
    bench.times(3, Modifiers::NONE, Key::ArrowDown);
    assert!(bench.has("review 3 · To do"));
}

#[test]
fn difficult_texts_are_drawn() {
    let long = "好".repeat(10_000);
    let lines = "第一行\r\n第二行：e\u{301}\tTab 👨🏻‍🚒\r\n\r\n末行".to_owned();
    let huge = "一行不长的评论，写了很多遍。\n".repeat(2_000);
    for text in [long, lines, huge, " ".to_owned() + "x"] {
        let mut bench = bench(&[&text]);
        bench.chord(Modifiers::COMMAND, Key::End);
        bench.key(Key::ArrowLeft);
        bench.key(Key::Home);
        bench.letter('a');
        for (words, _) in bench.spans() {
            assert!(!words.contains('\n'));
        }
    }
}

/// `cargo test --release -- --ignored --nocapture ui_label::frame_times`: what a frame of a hard document takes, without the graphics card.
#[test]
#[ignore = "a measurement, for a quiet machine"]
fn frame_times() {
    let sentence = "屏幕很清晰，电池不耐用，";
    let text = sentence.repeat(25_000 / sentence.len());
    let per = sentence.chars().count();
    let count = text.chars().count() / per;
    let mark = |chars: std::ops::Range<usize>, label| {
        let range = gloss::project::TextRange::from_chars(&text, chars).unwrap();
        Command::AddSpan { doc: DocId(0), range, label }
    };
    let pairs = (0..250).map(|at| (at % count) * per + if at < count { 0 } else { 6 });
    let marks = pairs.flat_map(|start| [mark(start..start + 2, ASPECT), mark(start + 2..start + 5, OPINION)]);
    let links = (0..250).map(|at| Command::ToggleLink { doc: DocId(0), from: SpanId(2 * at + 1), to: SpanId(2 * at) });
    let mut bench = bench_after(&[&text], marks.chain(links).collect());
    let mut frames: Vec<f64> = (0..60)
        .map(|_| {
            let start = std::time::Instant::now();
            bench.window.step();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    frames.sort_by(f64::total_cmp);
    let links = bench.document(0).annotation.links.len();
    println!("{} spans, {links} links, {} bytes: median {:.1} ms, worst {:.1} ms", bench.spans().len(), text.len(), frames[30], frames[59]);
}

#[test]
fn the_palette_closes_with_escape_and_by_a_click_elsewhere() {
    let mut bench = bench(&[CHINESE]);
    bench.drag(bench.edge_of(0), bench.edge_of(2), Modifiers::NONE);
    assert!(bench.has("Mark as opinion"));
    bench.key(Key::Escape);
    assert!(!bench.has("Mark as opinion"));
    bench.drag(bench.edge_of(8), bench.edge_of(10), Modifiers::NONE);
    bench.click_at(bench.middle_of(4));
    assert!(!bench.has("Mark as opinion") && bench.spans().is_empty());
}

#[test]
fn the_inspector_shows_and_changes_what_was_done() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.mark_by_keys(2..5, 'o');
    bench.letter('l');
    bench.key(Key::Enter);
    bench.key(Key::Escape);
    assert!(bench.has("mark 屏幕 as aspect") && bench.has("link spans"), "the history names every step");
    bench.click("屏幕 · 很清晰");
    assert!(bench.has("opinion 很清晰"));
    bench.key(Key::Escape);
    bench.click("Negative");
    assert_eq!(bench.span("很清晰").1.polarity, Some(Polarity::Negative));
    assert!(bench.has("很清晰 · opinion －"));
    bench.window.get_all_by_role_and_label(Role::Button, "Remove the span").next().unwrap().click();
    bench.window.run();
    assert_eq!(bench.spans(), [("很清晰".to_owned(), OPINION)], "its link went with it");
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.document(0).annotation.links.len(), 1, "and both come back at once");
}

#[test]
fn a_screen_reader_can_choose_a_span() {
    let mut bench = bench(&[CHINESE]);
    bench.mark_by_keys(0..2, 'a');
    bench.mark_by_keys(2..5, 'o');
    bench.window.get_by_label("aspect 屏幕").click_accesskit();
    bench.window.run();
    bench.key(Key::Delete);
    assert_eq!(bench.spans(), [("很清晰".to_owned(), OPINION)]);
}

/// The window at 100, 125, 150 and 200 % of 1280 by 800, at 1024 by 700 and very large.
const SIZES: [(f32, f32); 6] = [(1280.0, 800.0), (1024.0, 640.0), (1024.0, 700.0), (853.0, 533.0), (640.0, 400.0), (2560.0, 1440.0)];

#[test]
fn at_every_size_what_one_works_with_is_whole_and_apart() {
    for (width, height) in SIZES {
        let mut bench = bench(&["屏幕很清晰，但是电池不耐用。The screen is great but the battery dies fast.", "好", "café 👨🏻‍🚒"]);
        bench.window.set_size(vec2(width, height));
        (0..6).for_each(|_| bench.window.step());
        let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height));
        let rect = |name: &str| -> Rect { bench.window.get_by_label(name).rect() };
        let parts = ["Done, go on", "Skip", "Show or hide the documents", "Show or hide the details", "Next document", "positive"];
        let parts: Vec<Rect> = parts.map(rect).into();
        for (at, part) in parts.iter().enumerate() {
            assert!(window.contains_rect(*part), "part {at} of {width}: {part:?}");
            parts[..at]
                .iter()
                .for_each(|other| assert!(!other.shrink(1.0).intersects(part.shrink(1.0)), "{other:?} and {part:?} of {width}"));
        }
        let text: Rect = bench.window.get_by_label("The document's text").rect();
        assert!(text.width() > 0.35 * width && window.contains_rect(text), "{text:?} of {width}");
        parts.iter().for_each(|part| assert!(!part.shrink(1.0).intersects(text.shrink(1.0)), "{part:?} and the text {text:?} of {width}"));
    }
}

#[test]
fn columns_give_way_in_a_narrow_window_and_come_back() {
    let mut bench = bench(&["first words"]);
    let at = |bench: &mut Bench, width: f32| {
        bench.window.set_size(vec2(width, 700.0));
        (0..4).for_each(|_| bench.window.step());
        (bench.has("1 documents") || bench.has("1 document"), bench.has("New comment"))
    };
    let wide = at(&mut bench, 1280.0);
    assert_eq!(wide, (true, true));
    assert_eq!(at(&mut bench, 800.0), (true, false));
    bench.click("Show or hide the details");
    assert_eq!(at(&mut bench, 800.0), (false, true), "one of the two");
    assert_eq!(at(&mut bench, 640.0), (false, false));
    assert_eq!(at(&mut bench, 1280.0), wide);
}
