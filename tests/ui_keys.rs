//! Keys that a person chose: in a file, in the sheet of keys, in force everywhere, and never while one types.

use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, ImeEvent, Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::project::{DocId, State};
use gloss::ui::keys::{self, Action, TABLE};
use std::path::Path;

fn bench(prepare: impl FnOnce(&Path)) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let desk = desk_with(folder.path(), &["屏幕很清晰", "电池好"]);
    Bench::of(folder, desk, 1400.0)
}

impl Bench {
    fn flagged(&self) -> bool {
        self.window.state().desk().project().unwrap().document(DocId(0)).unwrap().annotation.flagged
    }

    fn state(&self) -> State {
        self.window.state().desk().project().unwrap().document(DocId(0)).unwrap().annotation.state.clone()
    }

    /// Opens the sheet and makes its keys buttons.
    fn change_keys(&mut self) {
        self.key(Key::F1);
        self.click("Change keys");
    }

    fn in_file(&self) -> serde_json::Value {
        let bytes = std::fs::read(self.folder.path().join("config").join("keys.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

#[test]
fn every_key_of_the_table_is_read_as_it_is_written() {
    for row in TABLE {
        for chord in row.chords {
            assert_eq!(keys::Chord::parse(&chord.name()), Some(*chord), "{}", chord.name());
        }
    }
    for nonsense in ["", "Ctrl+", "Hyper+A", "好", "Ctrl+Shift"] {
        assert_eq!(keys::Chord::parse(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn no_two_commands_have_the_same_key_from_the_start() {
    for row in TABLE.iter().filter(|row| row.action.is_free()) {
        for chord in row.chords {
            assert_eq!(keys::conflicts(*chord, row.action, None), [], "{}", row.words);
        }
    }
}

#[test]
fn a_key_is_changed_in_the_sheet_works_is_kept_and_shown() {
    let mut bench = bench(|_| {});
    bench.change_keys();
    bench.click("Key of: Flag or take the flag away");
    bench.chord(Modifiers::ALT, Key::G);
    assert_eq!(bench.in_file(), serde_json::json!({"Flag": ["Alt+G"]}));
    bench.key(Key::Escape);
    bench.key(Key::F);
    assert!(!bench.flagged(), "the old key does nothing");
    bench.chord(Modifiers::ALT, Key::G);
    assert!(bench.flagged());
    bench.key(Key::F1);
    assert!(bench.has("Alt+G"));
    bench.click("Change keys");
    bench.click("As it was: Flag or take the flag away");
    bench.key(Key::Escape);
    bench.key(Key::F);
    assert!(!bench.flagged());
    assert_eq!(bench.in_file(), serde_json::json!({}));
}

#[test]
fn escape_keeps_the_old_key_and_delete_leaves_none() {
    let mut bench = bench(|_| {});
    bench.change_keys();
    bench.click("Key of: Flag or take the flag away");
    bench.key(Key::Escape);
    assert!(bench.has("Change keys"), "the sheet stays");
    assert!(bench.window.state().desk().keys().is_empty());
    bench.click("Key of: Flag or take the flag away");
    bench.key(Key::Delete);
    bench.key(Key::Escape);
    bench.key(Key::F);
    assert!(!bench.flagged());
    bench.change_keys();
    bench.click("All as they were");
    bench.key(Key::Escape);
    bench.key(Key::F);
    assert!(bench.flagged());
}

#[test]
fn a_conflict_is_said_by_name() {
    let mut bench = bench(|_| {});
    bench.change_keys();
    bench.click("Key of: Flag or take the flag away");
    bench.key(Key::S);
    assert!(bench.has("Also: Skip, go on") && bench.has("Also: Flag or take the flag away"));
    bench.click("Key of: Flag or take the flag away");
    bench.key(Key::A);
    assert!(bench.has("Also: aspect"), "a label of the project has it");
}

#[test]
fn a_file_that_makes_no_sense_is_in_nobodys_way() {
    let write = |text: &'static str| {
        move |folder: &Path| {
            std::fs::create_dir_all(folder.join("config")).unwrap();
            std::fs::write(folder.join("config").join("keys.json"), text).unwrap();
        }
    };
    let mut damaged = bench(write("{\"Flag\": "));
    damaged.key(Key::F);
    assert!(damaged.flagged());
    let mut strange = bench(write("{\"Flag\": [\"Ctrl+好\", \"W\"], \"Nobody\": [\"F\"]}"));
    strange.key(Key::F);
    assert!(!strange.flagged());
    strange.key(Key::W);
    assert!(strange.flagged(), "what can be read counts");
}

#[test]
fn no_key_fires_while_one_types_or_an_input_method_composes() {
    let mut bench = bench(|_| {});
    bench.key(Key::Slash);
    let field = |bench: &Bench| bench.window.get_by_role_and_label(Role::TextInput, "Search the documents").value();
    for letter in ["f", "s", "a", "1", "n"] {
        let key = Key::from_name(letter).unwrap();
        let events = &mut bench.window.input_mut().events;
        events.push(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE });
        events.push(Event::Text(letter.to_owned()));
        bench.window.run();
    }
    assert_eq!(field(&bench).as_deref(), Some("fsa1n"));
    let nothing_said = |bench: &Bench| {
        let document = bench.window.state().desk().project().unwrap().document(DocId(0)).unwrap();
        document.annotation == gloss::project::Annotation::default()
    };
    assert!(nothing_said(&bench));
    bench.window.state();
    bench.key(Key::Escape);
    bench.click("Clear the search");
    // Pinyin is being composed over the document: its letters are no commands.
    bench.window.get_by_label("The document's text").focus();
    bench.window.run();
    for key in [Key::F, Key::S, Key::A] {
        let events = &mut bench.window.input_mut().events;
        events.push(Event::Ime(ImeEvent::Preedit { text: "fang".to_owned(), active_range_chars: None }));
        events.push(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE });
        bench.window.run();
    }
    assert!(nothing_said(&bench));
    assert_eq!(bench.state(), State::Todo);
}

#[test]
fn actions_have_names_of_their_own() {
    let mut names: Vec<String> = TABLE.iter().map(|row| row.action.name()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!(Action::SpanNext.name(), "SpanNext");
}
