//! Suggestions, filters and views in the real window: by keyboard and by mouse.

use super::desk::desk_in;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, Language};
use gloss::project::{DocId, SchemaChange, State, WordRule};
use gloss::ui::App;

struct Bench {
    window: Harness<'static, App>,
    _folder: tempfile::TempDir,
}

/// Three documents; 屏幕 and 电池 are suggested as aspects, 清晰 as an opinion.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::SetLanguage(Language::English));
    desk.run(Command::NewProject { path: folder.path().join("p.gloss"), classes: vec![], spans: vec![] });
    for text in ["屏幕很清晰，电池不行，屏幕好。", "电池好", "Great screen"] {
        desk.run(Command::AddDocument(text.to_owned()));
    }
    let words = [("屏幕", 0), ("电池", 0), ("清晰", 1)].map(|(pattern, label)| WordRule { pattern: pattern.to_owned(), label });
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::AddWords { words: words.into() })));
    desk.run(Command::Open(DocId(0)));
    let window = Harness::builder()
        .with_size(vec2(1280.0, 900.0))
        .with_max_steps(16)
        .with_context_setup(gloss::ui::app::set_up)
        .build_eframe(|_| App::for_test(desk));
    let mut bench = Bench { window, _folder: folder };
    bench.window.run();
    bench
}

impl Bench {
    fn desk(&self) -> &Desk {
        self.window.state().desk()
    }

    fn chord(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run();
    }

    fn click(&mut self, role: Role, name: &str) {
        self.window.get_by_role_and_label(role, name).click();
        self.window.run();
    }

    fn has(&self, name: &str) -> bool {
        self.window.query_by_label(name).is_some()
    }

    /// Texts of the spans of a document with their labels, in reading order.
    fn spans(&self, doc: u32) -> Vec<(String, u16)> {
        let document = self.desk().project().unwrap().document(DocId(doc)).unwrap();
        let spans = document.annotation.spans_in_order();
        spans.iter().map(|(_, span)| (span.range.of(&document.text).to_owned(), span.label)).collect()
    }

    fn state(&self, doc: u32) -> State {
        self.desk().project().unwrap().document(DocId(doc)).unwrap().annotation.state.clone()
    }
}

fn owned(wanted: &[(&str, u16)]) -> Vec<(String, u16)> {
    wanted.iter().map(|(words, label)| ((*words).to_owned(), *label)).collect()
}

#[test]
fn tab_accepts_shift_tab_rejects_ctrl_enter_accepts_all() {
    let mut bench = bench();
    bench.chord(Modifiers::NONE, Key::Tab);
    assert_eq!(bench.spans(0), owned(&[("屏幕", 0)]));
    bench.chord(Modifiers::SHIFT, Key::Tab);
    assert_eq!(bench.desk().ghosts(DocId(0)).len(), 2, "清晰 is rejected");
    bench.chord(Modifiers::COMMAND, Key::Enter);
    assert_eq!(bench.spans(0), owned(&[("屏幕", 0), ("电池", 0), ("屏幕", 0)]));
    assert_eq!((bench.state(0), bench.desk().current()), (State::Done, Some(DocId(1))));
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!((bench.spans(0), bench.state(0)), (owned(&[("屏幕", 0)]), State::Todo));
}

#[test]
fn buttons_accept_and_reject_what_was_clicked() {
    let mut bench = bench();
    assert!(bench.has("Suggested: 屏幕"));
    bench.window.get_by_label("opinion 清晰").click_accesskit();
    bench.window.run();
    assert!(bench.has("Suggested: 清晰"));
    bench.click(Role::Button, "Accept");
    assert_eq!(bench.spans(0), owned(&[("清晰", 1)]));
    bench.click(Role::Button, "Reject");
    assert!(!bench.desk().ghosts(DocId(0)).iter().any(|ghost| ghost.range.of("屏幕很清晰，电池不行，屏幕好。") == "电池"));
    bench.click(Role::Button, "Accept all, go on");
    assert_eq!(bench.spans(0), owned(&[("屏幕", 0), ("清晰", 1), ("屏幕", 0)]));
    assert_eq!(bench.desk().current(), Some(DocId(1)));
}

#[test]
fn a_switch_hides_suggestions() {
    let mut bench = bench();
    bench.click(Role::Button, "Suggestions");
    assert!(bench.desk().ghosts(DocId(0)).is_empty() && !bench.has("Suggested: 屏幕"));
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::G);
    assert!(bench.has("Suggested: 屏幕"));
}

#[test]
fn a_repeated_word_is_marked_by_key_and_by_button() {
    for by_key in [true, false] {
        let mut bench = bench();
        bench.chord(Modifiers::NONE, Key::Tab);
        bench.chord(Modifiers::NONE, Key::OpenBracket);
        assert!(bench.has("Mark 1 more"));
        match by_key {
            true => bench.chord(Modifiers::COMMAND, Key::D),
            false => bench.click(Role::Button, "Mark 1 more"),
        }
        assert_eq!(bench.spans(0), owned(&[("屏幕", 0), ("屏幕", 0)]));
        assert!(!bench.has("Mark 1 more"));
    }
}

#[test]
fn words_of_a_span_are_suggested_everywhere_and_can_be_taken_from_the_list() {
    let mut bench = bench();
    bench.chord(Modifiers::COMMAND, Key::End);
    // Before the full stop.
    bench.chord(Modifiers::NONE, Key::ArrowLeft);
    bench.window.key_press(Key::O);
    bench.window.run();
    assert_eq!(bench.spans(0), owned(&[("好", 1)]));
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::D);
    bench.chord(Modifiers::NONE, Key::J);
    assert_eq!(bench.desk().ghosts(DocId(1)).len(), 2);
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.window.get_by_label("Stop suggesting 好").click_accesskit();
    bench.window.run();
    assert_eq!(bench.desk().project().unwrap().schema().words.len(), 3);
}

#[test]
fn chips_turn_round_join_and_go() {
    let mut bench = bench();
    bench.chord(Modifiers::NONE, Key::F);
    bench.click(Role::Button, "State");
    bench.click(Role::Button, "Flagged");
    bench.chord(Modifiers::NONE, Key::Escape);
    assert_eq!(bench.desk().queue().ids(), [DocId(0)]);
    assert!(bench.has("1 of 3 documents"));
    bench.click(Role::Button, "Turn the filter Flagged round");
    assert_eq!(bench.desk().queue().ids(), [DocId(1), DocId(2)]);
    bench.click(Role::Button, "Text");
    bench.click(Role::Button, "Latin letters");
    bench.chord(Modifiers::NONE, Key::Escape);
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
    bench.click(Role::Button, "Turn the filter Flagged round");
    assert_eq!(bench.desk().queue().len(), 0);
    bench.click(Role::Button, "All of these");
    assert_eq!(bench.desk().queue().ids(), [DocId(0), DocId(2)]);
    bench.click(Role::Button, "Remove the filter Flagged");
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
}

#[test]
fn a_view_is_kept_found_again_and_deleted() {
    let mut bench = bench();
    bench.click(Role::Button, "Text");
    bench.click(Role::Button, "Latin letters");
    bench.chord(Modifiers::NONE, Key::Escape);
    bench.click(Role::Button, "Views");
    bench.window.get_by_role_and_label(Role::TextInput, "Name of the view").focus();
    bench.window.run();
    bench.window.get_by_role_and_label(Role::TextInput, "Name of the view").type_text("英文");
    bench.window.run();
    bench.click(Role::Button, "Keep this view");
    assert_eq!(bench.desk().project().unwrap().schema().views[0].name, "英文");
    bench.click(Role::Button, "Remove the filter Latin letters");
    assert_eq!(bench.desk().queue().len(), 3);
    bench.click(Role::Button, "Views");
    bench.click(Role::Button, "英文");
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
    bench.click(Role::Button, "Views");
    bench.click(Role::Button, "Delete the view 英文");
    assert!(bench.desk().project().unwrap().schema().views.is_empty());
    bench.chord(Modifiers::NONE, Key::Escape);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.desk().project().unwrap().schema().views.len(), 1, "one undo brings it back");
}
