//! Suggestions, filters and views in the real window: by keyboard and by mouse.

use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::desk::Command;
use gloss::project::{DocId, SchemaChange, State, WordRule};

/// Three documents; 屏幕 and 电池 are suggested as aspects, 清晰 as an opinion.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &["屏幕很清晰，电池不行，屏幕好。", "电池好", "Great screen"]);
    let words = [("屏幕", 0), ("电池", 0), ("清晰", 1)].map(|(pattern, label)| WordRule { pattern: pattern.to_owned(), label });
    desk.run(Command::ChangeSchema(Box::new(SchemaChange::AddWords { words: words.into() })));
    Bench::of(folder, desk, 900.0)
}

impl Bench {
    /// Texts of the spans of a document with their labels, in reading order.
    fn spans_of(&self, doc: u32) -> Vec<(String, u16)> {
        let document = self.desk().project().unwrap().document(DocId(doc)).unwrap();
        let spans = document.annotation.spans_in_order();
        spans.iter().map(|(_, span)| (span.range.of(&document.text).to_owned(), span.label)).collect()
    }

    fn state_of(&self, doc: u32) -> State {
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
    assert_eq!(bench.spans_of(0), owned(&[("屏幕", 0)]));
    bench.chord(Modifiers::SHIFT, Key::Tab);
    assert_eq!(bench.desk().ghosts(DocId(0)).len(), 2, "清晰 is rejected");
    bench.chord(Modifiers::COMMAND, Key::Enter);
    assert_eq!(bench.spans_of(0), owned(&[("屏幕", 0), ("电池", 0), ("屏幕", 0)]));
    assert_eq!((bench.state_of(0), bench.desk().current()), (State::Done, Some(DocId(1))));
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!((bench.spans_of(0), bench.state_of(0)), (owned(&[("屏幕", 0)]), State::Todo));
}

#[test]
fn buttons_accept_and_reject_what_was_clicked() {
    let mut bench = bench();
    assert!(bench.has("Suggested: 屏幕"));
    bench.window.get_by_label("opinion 清晰").click_accesskit();
    bench.window.run();
    assert!(bench.has("Suggested: 清晰"));
    bench.click_on(Role::Button, "Accept");
    assert_eq!(bench.spans_of(0), owned(&[("清晰", 1)]));
    bench.click_on(Role::Button, "Reject");
    assert!(!bench.desk().ghosts(DocId(0)).iter().any(|ghost| ghost.range.of("屏幕很清晰，电池不行，屏幕好。") == "电池"));
    bench.click_on(Role::Button, "Accept all, go on");
    assert_eq!(bench.spans_of(0), owned(&[("屏幕", 0), ("清晰", 1), ("屏幕", 0)]));
    assert_eq!(bench.desk().current(), Some(DocId(1)));
}

#[test]
fn a_switch_hides_suggestions() {
    let mut bench = bench();
    bench.click_on(Role::Button, "Suggestions");
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
            false => bench.click_on(Role::Button, "Mark 1 more"),
        }
        assert_eq!(bench.spans_of(0), owned(&[("屏幕", 0), ("屏幕", 0)]));
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
    assert_eq!(bench.spans_of(0), owned(&[("好", 1)]));
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
    bench.click_on(Role::Button, "State");
    bench.click_on(Role::Button, "Flagged");
    bench.chord(Modifiers::NONE, Key::Escape);
    assert_eq!(bench.desk().queue().ids(), [DocId(0)]);
    assert!(bench.has("1 of 3 documents"));
    bench.click_on(Role::Button, "Turn the filter Flagged round");
    assert_eq!(bench.desk().queue().ids(), [DocId(1), DocId(2)]);
    bench.click_on(Role::Button, "Text");
    bench.click_on(Role::Button, "Latin letters");
    bench.chord(Modifiers::NONE, Key::Escape);
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
    bench.click_on(Role::Button, "Turn the filter Flagged round");
    assert_eq!(bench.desk().queue().len(), 0);
    bench.click_on(Role::Button, "All of these");
    assert_eq!(bench.desk().queue().ids(), [DocId(0), DocId(2)]);
    bench.click_on(Role::Button, "Remove the filter Flagged");
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
}

#[test]
fn a_view_is_kept_found_again_and_deleted() {
    let mut bench = bench();
    bench.click_on(Role::Button, "Text");
    bench.click_on(Role::Button, "Latin letters");
    bench.chord(Modifiers::NONE, Key::Escape);
    bench.click_on(Role::Button, "Views");
    bench.window.get_by_role_and_label(Role::TextInput, "Name of the view").focus();
    bench.window.run();
    bench.window.get_by_role_and_label(Role::TextInput, "Name of the view").type_text("英文");
    bench.window.run();
    bench.click_on(Role::Button, "Keep this view");
    assert_eq!(bench.desk().project().unwrap().schema().views[0].name, "英文");
    bench.click_on(Role::Button, "Remove the filter Latin letters");
    assert_eq!(bench.desk().queue().len(), 3);
    bench.click_on(Role::Button, "Views");
    bench.click_on(Role::Button, "英文");
    assert_eq!(bench.desk().queue().ids(), [DocId(2)]);
    bench.click_on(Role::Button, "Views");
    bench.click_on(Role::Button, "Delete the view 英文");
    assert!(bench.desk().project().unwrap().schema().views.is_empty());
    bench.chord(Modifiers::NONE, Key::Escape);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.desk().project().unwrap().schema().views.len(), 1, "one undo brings it back");
}
