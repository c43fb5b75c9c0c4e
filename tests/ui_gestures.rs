//! Gestures together: any of them in any order can be undone and redone exactly; overlaps, nesting, parts that belong
//! together; skipping with a reason; the strip of pieces.

use super::desk::desk_in;
use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, pos2};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, piece_tags};
use gloss::project::{DocId, Document, Link, SchemaChange, SpanId, State, TextRange, WordRule};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const SIZE: f32 = 20.0;
const TEXTS: [&str; 3] = ["屏幕很清晰，但是电池不耐用，屏幕👨🏻‍🚒好。", "Great screen, poor battery\r\nGreat cafe\u{301}", "“贵”！"];

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &TEXTS);
    desk.run(Command::SetTextSize(SIZE));
    Bench::of(folder, desk, 900.0)
}

impl Bench {
    fn times(&mut self, count: usize, modifiers: Modifiers, key: Key) {
        (0..count).for_each(|_| self.chord(modifiers, key));
    }

    /// Marks characters of the text by keys.
    fn mark(&mut self, chars: std::ops::Range<usize>, key: Key) {
        self.chord(Modifiers::COMMAND, Key::Home);
        self.times(chars.start, Modifiers::NONE, Key::ArrowRight);
        self.times(chars.len(), Modifiers::SHIFT, Key::ArrowRight);
        self.key(key);
    }

    fn spans(&self) -> Vec<String> {
        let document = self.document(0);
        document.annotation.spans_in_order().iter().map(|(_, span)| span.range.of(&document.text).to_owned()).collect()
    }

    /// In the middle of the Chinese character `at` of the first line.
    fn middle_of(&self, at: usize) -> Option<Pos2> {
        let text = self.window.query_by_label("The document's text")?.rect();
        Some(pos2(text.left() + 28.0 + SIZE * (at as f32 + 0.5), text.top() + SIZE * 1.3))
    }

    fn drag(&mut self, from: usize, to: usize, modifiers: Modifiers) {
        let (Some(from), Some(to)) = (self.middle_of(from), self.middle_of(to)) else { return };
        let button = |pos, pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
        self.window.event(Event::ModifiersChanged(modifiers));
        self.window.hover_at(from);
        self.window.event(button(from, true));
        self.window.hover_at(from.lerp(to, 0.5));
        self.window.hover_at(to);
        self.window.run();
        self.window.event(button(to, false));
        self.window.event(Event::ModifiersChanged(Modifiers::NONE));
        self.window.run();
    }

    /// Every byte of the project that its file would hold.
    fn written(&self) -> String {
        written(self.desk())
    }
}

fn written(desk: &Desk) -> String {
    let project = desk.project().unwrap();
    let documents: Vec<&Document> = project.documents().collect();
    serde_json::to_string(&(&**project.schema(), documents)).unwrap()
}

/// What a person may do next, drawn from numbers.
fn gesture(bench: &mut Bench, (kind, a, b): (u8, u8, u8)) {
    const ALT_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::ALT };
    const REDO: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
    let keys: [(Modifiers, Key); 32] = [
        (Modifiers::NONE, Key::A),
        (Modifiers::NONE, Key::O),
        (Modifiers::SHIFT, Key::ArrowRight),
        (Modifiers::SHIFT, Key::ArrowLeft),
        (Modifiers::COMMAND, Key::ArrowRight),
        (Modifiers::NONE, Key::ArrowRight),
        (Modifiers::NONE, Key::CloseBracket),
        (Modifiers::NONE, Key::OpenBracket),
        (Modifiers::NONE, Key::Plus),
        (Modifiers::NONE, Key::Minus),
        (Modifiers::NONE, Key::Num0),
        (Modifiers::NONE, Key::L),
        (Modifiers::NONE, Key::Enter),
        (Modifiers::ALT, Key::ArrowRight),
        (Modifiers::ALT, Key::ArrowLeft),
        (ALT_SHIFT, Key::ArrowRight),
        (ALT_SHIFT, Key::ArrowLeft),
        (Modifiers::NONE, Key::Delete),
        (Modifiers::NONE, Key::Num1),
        (Modifiers::NONE, Key::Num3),
        (Modifiers::NONE, Key::Backspace),
        (Modifiers::NONE, Key::F),
        (Modifiers::NONE, Key::S),
        (Modifiers::NONE, Key::K),
        (Modifiers::NONE, Key::J),
        (Modifiers::COMMAND, Key::Z),
        (REDO, Key::Z),
        (Modifiers::NONE, Key::Tab),
        (Modifiers::SHIFT, Key::Tab),
        (Modifiers::COMMAND, Key::D),
        (Modifiers::COMMAND, Key::Enter),
        (Modifiers::NONE, Key::Escape),
    ];
    match kind % 6 {
        0..=3 => {
            let (modifiers, key) = keys[usize::from(a) % keys.len()];
            bench.times(1 + usize::from(b % 2), modifiers, key);
        }
        4 => {
            let modifiers = [Modifiers::NONE, Modifiers::ALT, Modifiers::COMMAND][usize::from(b) % 3];
            bench.drag(usize::from(a % 12), usize::from(b % 12), modifiers);
            bench.key([Key::A, Key::O, Key::Escape][usize::from(a) % 3]);
        }
        _ => bench.mark(usize::from(a % 8)..usize::from(a % 8) + 1 + usize::from(b % 4), [Key::A, Key::O][usize::from(b) % 2]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, rng_seed: proptest::test_runner::RngSeed::Fixed(1), max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_of_gestures_is_undone_and_redone_byte_for_byte(dice in prop::collection::vec(any::<(u8, u8, u8)>(), 5..30)) {
        let mut bench = bench();
        let words = [("电池", 0), ("Great", 1)].map(|(pattern, label)| WordRule { pattern: pattern.to_owned(), label });
        let path = bench.desk().path().unwrap().to_owned();
        for wish in dice {
            gesture(&mut bench, wish);
        }
        let after = bench.written();
        let steps = bench.desk().history().unwrap().done().len();
        let folder = bench.folder;
        drop(bench.window);
        let mut desk = desk_in(folder.path());
        desk.run(Command::OpenProject(path));
        prop_assert_eq!(&written(&desk), &after, "the file has it all");
        // A change of the schema on top is undone with the rest.
        desk.run(Command::ChangeSchema(Box::new(SchemaChange::AddWords { words: words.into() })));
        let mut seen = vec![written(&desk)];
        for _ in 0..=steps {
            desk.run(Command::Undo);
            seen.push(written(&desk));
        }
        prop_assert_eq!(desk.project().unwrap().documents().count(), 0, "back at the very beginning");
        for wanted in seen.iter().rev().skip(1) {
            desk.run(Command::Redo);
            prop_assert_eq!(&written(&desk), wanted);
        }
    }
}

#[test]
fn spans_overlap_and_nest_and_each_is_reached() {
    let mut bench = bench();
    bench.mark(0..5, Key::O);
    bench.mark(0..2, Key::A);
    bench.mark(1..4, Key::A);
    assert_eq!(bench.spans(), ["屏幕很清晰", "屏幕", "幕很清"]);
    let mut met = Vec::new();
    bench.key(Key::Escape);
    bench.chord(Modifiers::COMMAND, Key::Home);
    for _ in 0..3 {
        bench.key(Key::CloseBracket);
        bench.key(Key::Plus);
        bench.key(Key::Escape);
        bench.key(Key::CloseBracket);
        met.push(bench.document(0).annotation.spans.values().filter(|span| span.polarity.is_some()).count());
    }
    assert!(met.contains(&1), "the opinion among them took its polarity: {met:?}");
    bench.chord(Modifiers::COMMAND, Key::Home);
    bench.key(Key::Escape);
    bench.key(Key::OpenBracket);
    bench.key(Key::Delete);
    assert_eq!(bench.spans().len(), 2);
}

#[test]
fn a_discontinuous_opinion_is_two_linked_parts() {
    let mut bench = bench();
    // 很 … 耐用, both parts of one opinion about 电池.
    bench.mark(8..10, Key::A);
    bench.mark(2..3, Key::O);
    bench.mark(11..13, Key::O);
    bench.key(Key::L);
    // The likeliest partner is the aspect: link it, then the other part.
    bench.key(Key::Enter);
    bench.key(Key::L);
    for _ in 0..3 {
        bench.key(Key::CloseBracket);
        if bench.has("Link 耐用 with 很") {
            break;
        }
    }
    assert!(bench.has("Link 耐用 with 很"));
    bench.key(Key::Enter);
    let links: Vec<Link> = bench.document(0).annotation.links.into_iter().collect();
    let link = |from, to| Link { from: SpanId(from), to: SpanId(to) };
    assert_eq!(links, [link(2, 0), link(2, 1)]);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.document(0).annotation.links.len(), 1);
}

#[test]
fn skipping_asks_for_a_reason_by_key_and_by_mouse_and_offers_it_again() {
    let mut bench = bench();
    bench.chord(Modifiers::SHIFT, Key::S);
    let hint = "The reason, for those who come back to it";
    bench.window.get_by_role_and_label(Role::TextInput, hint).type_text("广告，not a review");
    bench.window.run();
    bench.key(Key::Enter);
    let document = bench.document(0);
    assert_eq!((document.annotation.state, document.annotation.skip_reason.as_str()), (State::Skipped, "广告，not a review"));
    assert_eq!(bench.desk().history().unwrap().next_undo().unwrap().name, "skip: 广告，not a review");
    assert_eq!(bench.desk().current(), Some(DocId(1)));
    bench.click("Skip because…");
    bench.click("广告，not a review");
    assert_eq!(bench.document(1).annotation.skip_reason, "广告，not a review");
    // It is in the file, and goes when the document is taken up again.
    let path = bench.desk().path().unwrap().to_owned();
    let (folder, before) = (bench.folder, written(bench.window.state().desk()));
    drop(bench.window);
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(path));
    assert_eq!(written(&desk), before);
    desk.run(Command::Finish(DocId(0)));
    let said = |desk: &Desk| desk.project().unwrap().document(DocId(0)).unwrap().annotation.clone();
    assert_eq!((said(&desk).state, said(&desk).skip_reason.as_str()), (State::Done, ""));
    desk.run(Command::Undo);
    assert_eq!((said(&desk).state, said(&desk).skip_reason.as_str()), (State::Skipped, "广告，not a review"));
}

#[test]
fn pieces_have_the_tags_that_training_gives_them() {
    let text = "battery life好";
    let range = |bytes: std::ops::Range<usize>| TextRange::new(text, bytes).unwrap();
    let pieces = [0..0, 0..3, 3..7, 8..12, 12..15, 0..0];
    let tags = |spans: &[(TextRange, u16)]| {
        let tag = |tag: gloss::desk::PieceTag| match tag.label {
            None => format!("O{}", if tag.is_cut { "!" } else { "" }),
            Some((label, begins)) => format!("{}{label}{}", if begins { "B" } else { "I" }, if tag.is_cut { "!" } else { "" }),
        };
        piece_tags(&pieces, spans).into_iter().map(tag).collect::<Vec<_>>().join(" ")
    };
    for (spans, wanted) in [
        (vec![], "O O O O O O"),
        (vec![(range(0..12), 0), (range(12..15), 1)], "O B0 I0 I0 B1 O"),
        (vec![(range(0..7), 0), (range(0..12), 1)], "O B1 I1 I1 O O"),
        (vec![(range(1..7), 0)], "O B0! I0 O O O"),
        (vec![(range(4..9), 0)], "O O B0! I0! O O"),
    ] {
        assert_eq!(tags(&spans), wanted, "{spans:?}");
    }
}

#[test]
fn the_strip_shows_the_pieces_with_their_tags_and_is_off_at_first() {
    let mut bench = bench();
    assert!(!bench.desk().shows_pieces());
    bench.mark(0..2, Key::A);
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    let start = Instant::now();
    while bench.desk().pieces(DocId(0)).is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "the tokenizer never came");
        std::thread::sleep(Duration::from_millis(5));
        bench.window.step();
    }
    bench.window.run();
    bench.window.get_by_label_contains("屏幕 B-aspect, ");
    // What comes after the limit is known; a short review has none.
    assert_eq!(bench.desk().pieces(DocId(0)).unwrap().cut_at, None);
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    assert!(bench.desk().pieces(DocId(0)).is_none());
}
