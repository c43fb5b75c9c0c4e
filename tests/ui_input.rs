//! Several keys and clicks in one frame, as a slow computer delivers them.

use crate::stage::desk_with;
use eframe::App as _;
use eframe::egui::{Event, Key, Modifiers, PointerButton, RawInput};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::project::{DocId, QuestionId, State};
use gloss::ui::App;
use std::path::Path;

const TEXTS: [&str; 3] = ["房间很干净，早餐一般。", "Battery life is awful.\r\nScreen: fine.", "cafe\u{301} 不错！👍🏻"];

fn window(folder: &Path) -> Harness<'static, App> {
    let desk = desk_with(folder, &TEXTS);
    let builder = Harness::builder().with_size([1280.0, 800.0]).with_max_steps(16).with_context_setup(gloss::ui::app::set_up);
    let mut window = builder.build_eframe(|_| App::for_test(desk));
    window.run();
    window
}

/// What the system sends when this key is pressed and let go.
fn stroke(key: Key, modifiers: Modifiers) -> Vec<Event> {
    let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
    let letter =
        (modifiers.is_none() && key.symbol_or_name().chars().count() == 1).then(|| Event::Text(key.symbol_or_name().to_lowercase()));
    [event(true)].into_iter().chain(letter).chain([event(false)]).collect()
}

fn strokes(keys: &[Key]) -> Vec<Event> {
    keys.iter().flat_map(|key| stroke(*key, Modifiers::NONE)).collect()
}

/// All of `events` arrive in one frame; then frames pass as the program asks for them.
fn arrive(window: &mut Harness<'static, App>, mut events: Vec<Event>) {
    for _ in 0..40 {
        let mut input = RawInput { events: std::mem::take(&mut events), ..RawInput::default() };
        let ctx = window.ctx.clone();
        window.state_mut().raw_input_hook(&ctx, &mut input);
        window.input_mut().events.extend(input.events);
        window.step();
    }
}

fn class_of(window: &Harness<'static, App>, doc: u32) -> Option<u16> {
    window.state().desk().project().unwrap().document(DocId(doc)).unwrap().annotation.class(QuestionId(0))
}

fn states(window: &Harness<'static, App>) -> Vec<State> {
    window.state().desk().project().unwrap().documents().map(|doc| doc.annotation.state.clone()).collect()
}

#[test]
fn letters_after_the_search_key_are_searched_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    arrive(&mut window, strokes(&[Key::Slash, Key::B, Key::A, Key::T, Key::O]));
    assert_eq!(window.state().desk().filter().search, "bato");
    let spans = window.state().desk().project().unwrap().documents().map(|doc| doc.annotation.spans.len()).sum::<usize>();
    assert_eq!(spans, 0, "no letter marked anything");
}

#[test]
fn answers_and_steps_in_one_frame_go_to_one_document_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    arrive(&mut window, strokes(&[Key::Num1, Key::Enter, Key::Num3, Key::Enter, Key::Num2]));
    assert_eq!([0, 1, 2].map(|doc| class_of(&window, doc)), [Some(0), Some(2), Some(1)]);
    assert_eq!(states(&window), [State::Done, State::Done, State::Todo]);
}

#[test]
fn a_digit_after_a_click_answers_what_was_clicked() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    let row = window.get_all_by_label_contains("cafe\u{301}").next().unwrap().rect().center();
    let button = |pressed| Event::PointerButton { pos: row, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    arrive(&mut window, vec![Event::PointerMoved(row)]);
    let mut events = vec![button(true), button(false)];
    events.extend(strokes(&[Key::Num3]));
    arrive(&mut window, events);
    assert_eq!([0, 1, 2].map(|doc| class_of(&window, doc)), [None, None, Some(2)]);
}

#[test]
fn a_held_key_does_not_go_on_after_it_was_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    let key = |repeat| Event::Key { key: Key::J, physical_key: None, pressed: true, repeat, modifiers: Modifiers::NONE };
    let mut events = vec![key(false), Event::Text("j".into())];
    events.extend((0..20).flat_map(|_| [key(true), Event::Text("j".into())]));
    arrive(&mut window, events);
    assert_eq!(window.state().desk().current(), Some(DocId(1)));
}

#[test]
fn a_word_typed_into_a_field_arrives_whole_in_one_frame() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(folder.path());
    arrive(&mut window, strokes(&[Key::Slash]));
    let mut input = RawInput { events: strokes(&[Key::F, Key::I, Key::N, Key::E]), ..RawInput::default() };
    let ctx = window.ctx.clone();
    window.state_mut().raw_input_hook(&ctx, &mut input);
    assert_eq!(input.events.len(), 12, "nothing waits while one types");
}
