//! The window around the places: driven as a person would, by names, keys and clicks; no picture is drawn.

use eframe::egui::accesskit::Role;
use eframe::egui::{Color32, FontId, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, Importing, Language, Surroundings};
use gloss::project::{Edit, Polarity, Project, Schema, Span, SpanId, TextRange, What};
use gloss::ui::panes::insights::Summary;
use gloss::ui::theme::{Palette, style};
use gloss::ui::{App, Place, i18n, keys, palette};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn desk_in(folder: &Path) -> Desk {
    let mut desk = Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 1_700_000_000_000),
        sample: folder.join("first start").join("sample.gloss"),
        config: Some(folder.join("config")),
    });
    desk.run(Command::SetLanguage(Language::English));
    desk
}

pub fn window(desk: Desk) -> Harness<'static, App> {
    let builder = Harness::builder().with_size([1280.0, 800.0]).with_max_steps(16).with_context_setup(gloss::ui::app::set_up);
    builder.build_eframe(|_| App::for_test(desk))
}

/// A window on a project with three short documents.
pub fn with_project(folder: &Path) -> Harness<'static, App> {
    let mut desk = desk_in(folder);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (classes, spans) = (names(&["negative", "neutral", "positive"]), names(&["aspect", "opinion"]));
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes, spans });
    for text in ["房间很干净👨🏻‍🚒，早餐一般。", "Battery life is awful.\r\nScreen: fine.", "cafe\u{301} 不错！"] {
        desk.run(Command::AddDocument(text.to_owned()));
    }
    let mut window = window(desk);
    window.run();
    window
}

/// Draws frames until `done`; jobs run on other threads meanwhile.
pub fn run_until(window: &mut Harness<'_, App>, what: &str, done: impl Fn(&App) -> bool) {
    let start = Instant::now();
    while !done(window.state()) {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
        window.run_steps(1);
    }
    window.run();
}

pub fn type_in(window: &mut Harness<'_, App>, name: &str, text: &str) {
    let field = window.get_by_role_and_label(Role::TextInput, name);
    field.focus();
    window.run();
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::A]);
    window.get_by_role_and_label(Role::TextInput, name).type_text(text);
    window.run();
}

#[test]
fn the_welcome_opens_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(desk_in(folder.path()));
    window.run();
    window.get_by_label("Open the sample project").click();
    window.run();
    assert!(window.state().desk().project().is_some_and(|project| project.documents().count() >= 400));
    assert!(window.query_by_label("Open the sample project").is_none(), "the welcome is still there");
    assert!(folder.path().join("first start").join("sample.gloss").exists());
}

#[test]
fn every_place_is_drawn_and_reached_by_click_and_by_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenSample);
    let mut window = window(desk);
    window.run();
    for place in Place::ALL {
        window.get_by_role_and_label(Role::Button, place.word()).click();
        window.run_steps(3);
        assert_eq!(window.state().place(), place, "by click");
    }
    for (place, key) in Place::ALL.into_iter().zip([Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5]) {
        window.key_combination_modifiers(Modifiers::COMMAND, &[key]);
        window.run_steps(3);
        assert_eq!(window.state().place(), place, "by key");
    }
}

#[test]
fn every_place_is_drawn_in_chinese_and_dark() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::SetLanguage(Language::Chinese));
    desk.run(Command::SetTheme(gloss::desk::Theme::Dark));
    desk.run(Command::OpenSample);
    let mut window = window(desk);
    window.run_steps(3);
    for word in ["标注", "训练", "试用", "洞察", "数据"] {
        window.get_by_role_and_label(Role::Button, word).click();
        window.run_steps(3);
    }
    assert_eq!(window.state().place(), Place::Data);
}

#[test]
fn the_palette_finds_and_runs_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::K]);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Find a command").type_text("insi");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().place(), Place::Insights);
    assert!(window.query_by_role_and_label(Role::TextInput, "Find a command").is_none(), "the palette is still there");
}

#[test]
fn what_is_typed_into_a_field_is_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    let before = window.state().desk().project().unwrap().revision();
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::K]);
    window.run();
    for (key, letter) in [(Key::S, "s"), (Key::F, "f"), (Key::Num1, "1"), (Key::Num3, "3")] {
        window.key_press(key);
        window.get_by_role_and_label(Role::TextInput, "Find a command").type_text(letter);
    }
    window.run();
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Z]);
    window.run();
    assert_eq!(window.state().desk().project().unwrap().revision(), before);
}

#[test]
fn the_toggle_changes_the_language_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.get_by_label("中文").click();
    window.run();
    window.get_by_role_and_label(Role::Button, "洞察");
    window.get_by_label("English").click();
    window.run();
    window.get_by_role_and_label(Role::Button, "Insights");
}

#[test]
fn a_notice_appears_and_is_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Z]);
    window.run();
    window.get_by_label("Undone: add a document");
    window.get_by_label("Put this message away").click();
    window.run();
    assert!(window.query_by_label("Undone: add a document").is_none());
    window.get_by_label("Messages").click();
    window.run();
    window.get_by_label("Undone: add a document");
    window.get_by_label("Put all away").click();
    window.run();
    assert_eq!(window.state().desk().notices().count(), 0);
}

#[test]
fn undo_and_redo_say_what_they_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.get_by_label("Undo: add a document (Ctrl+Z)").click();
    window.run();
    assert_eq!(window.state().desk().project().unwrap().documents().count(), 2);
    window.get_by_label("Redo: add a document (Ctrl+Shift+Z)").click();
    window.run();
    assert_eq!(window.state().desk().project().unwrap().documents().count(), 3);
}

#[test]
fn the_key_sheet_opens_and_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.key_press_modifiers(Modifiers::SHIFT, Key::Questionmark);
    window.run();
    window.get_by_label("All keys");
    let before = window.state().desk().project().unwrap().revision();
    window.key_press(Key::S);
    window.run();
    assert_eq!(window.state().desk().project().unwrap().revision(), before, "a key went through the sheet");
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("All keys").is_none());
}

#[test]
fn a_file_is_imported_from_a_typed_path_to_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("评论.csv");
    let rows = "text,label\r\n\"房间干净，早餐一般\",neutral\r\nGreat screen,positive\r\nGreat screen,positive\r\nx,y,z\r\n";
    std::fs::write(&file, rows).unwrap();
    let mut window = with_project(folder.path());
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::I]);
    window.run();
    type_in(&mut window, "Path of the file", &file.display().to_string());
    window.key_press(Key::Enter);
    window.run_steps(2);
    run_until(&mut window, "the preview", |app| matches!(app.desk().importing(), Importing::Preview { .. }));
    assert_eq!(window.state().place(), Place::Data);
    window.get_by_role_and_label(Role::Button, "Import").click();
    run_until(&mut window, "the report", |app| matches!(app.desk().importing(), Importing::Report { .. }));
    window.get_by_label("评论.csv was imported");
    window.get_by_label("twice in the file");
    window.get_by_label_contains("Row 5 of 评论.csv");
    assert_eq!(window.state().desk().project().unwrap().documents().count(), 5);
    window.get_by_label("Label them").click();
    window.run();
    assert_eq!(window.state().place(), Place::Label);
    assert!(matches!(window.state().desk().importing(), Importing::Idle));
}

#[test]
fn a_project_is_made_in_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(desk_in(folder.path()));
    window.run();
    window.get_by_label("New project…").click();
    window.run();
    let path = folder.path().join("stars");
    type_in(&mut window, "Path of the file", &path.display().to_string());
    window.get_by_label("Sentiment, 5 classes").click();
    window.run();
    window.get_by_label("Create").click();
    window.run();
    let schema = window.state().desk().project().expect("the project is open").schema().clone();
    assert_eq!(schema.main_question().unwrap().1.classes.len(), 5);
    assert_eq!(schema.span_labels.len(), 2);
    assert!(path.with_extension("gloss").exists());
}

#[test]
fn a_form_with_one_class_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(desk_in(folder.path()));
    window.run();
    window.get_by_label("New project…").click();
    window.run();
    type_in(&mut window, "Classes, with commas between them: each review gets one", "好，");
    window.get_by_label("One class leaves nothing to choose: give two or more, or none");
    window.get_by_label("Create").click();
    window.run();
    assert!(window.state().desk().project().is_none());
}

#[test]
fn a_bar_of_insights_opens_its_documents() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Num4]);
    window.run();
    window.get_by_label("flagged: 0 · 0 %").click();
    window.run();
    assert_eq!(window.state().place(), Place::Label);
    assert!(window.state().desk().filter().has(&What::Flagged));
    assert_eq!(window.state().desk().queue().len(), 0);
}

#[test]
fn aspects_are_judged_by_the_opinions_linked_to_them() {
    let mut project = Project::new(Schema::default());
    let text = "屏幕很亮，电池太差，Screen 屏幕";
    let doc = gloss::project::Document::new(project.next_id(), text);
    let id = doc.id;
    project.apply(Edit::AddDocuments { first: id, count: 1, documents: vec![doc] }).unwrap();
    let range = |what: &str| {
        let at = text.find(what).unwrap();
        TextRange::new(text, at..at + what.len()).unwrap()
    };
    let spans = [("屏幕", 0, None), ("很亮", 1, Some(Polarity::Positive)), ("电池", 0, None), ("太差", 1, Some(Polarity::Negative))];
    for ((what, label, polarity), at) in spans.into_iter().zip(0..) {
        project.apply(Edit::PutSpan { doc: id, id: SpanId(at), span: Span { range: range(what), label, polarity } }).unwrap();
    }
    for (from, to) in [(1, 0), (3, 2)] {
        project.apply(Edit::PutLink { doc: id, link: gloss::project::Link { from: SpanId(from), to: SpanId(to) } }).unwrap();
    }
    let summary = Summary::of(&project);
    let found: Vec<_> = summary.aspects.iter().map(|aspect| (aspect.term.as_str(), aspect.count, aspect.net())).collect();
    assert_eq!(found, [("屏幕", 1, 1.0), ("电池", 1, -1.0)]);
    assert_eq!((summary.todo, summary.unanswered), (1, 1));
}

#[test]
fn fuzzy_search_prefers_beginnings_and_neighbours() {
    let better = |query: &str, good: &str, bad: &str| {
        assert!(palette::fuzzy(good, query) > palette::fuzzy(bad, query), "{query}: {good} should come before {bad}");
    };
    better("und", "Undo", "Show all keys and bands");
    better("gd", "Go to Data", "Larger document text");
    better("训练", "转到训练", "训了练");
    assert_eq!(palette::fuzzy("Undo", "undx"), None);
    assert!(palette::fuzzy("Undo", "").is_some());
}

#[test]
fn no_key_means_two_things() {
    let mut seen = BTreeSet::new();
    for row in keys::TABLE {
        for chord in row.chords {
            assert!(seen.insert(chord.name()), "{} is given twice, again for {:?}", chord.name(), row.action);
        }
    }
    let schema = Schema::with_names(&["a", "b"], &["aspect", "opinion", "skip", "flag", "链接", "next"]);
    for label in &schema.span_labels {
        let letter = label.key.to_ascii_uppercase().to_string();
        assert!(seen.insert(letter), "the letter {} of span label {} has another meaning", label.key, label.name);
    }
}

#[test]
fn every_sentence_has_its_chinese() {
    let mut missing = BTreeSet::new();
    let literal = regex::Regex::new(r#"(?:\b(?:t|tf)\(|translate\(\s*[\w.]+(?:\(\))?,)\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    let mut found = 0;
    for (path, source) in ui_sources().into_iter().filter(|(path, _)| !path.contains("i18n")) {
        for sentence in literal.captures_iter(&source) {
            found += 1;
            if !i18n::is_translated(&sentence[1]) {
                missing.insert(format!("{path}: {}", &sentence[1]));
            }
        }
    }
    assert!(found > 100, "the search finds nothing any more");
    let words = keys::TABLE.iter().map(|row| row.words).chain(Place::ALL.map(Place::word)).chain(keys::Group::ALL.map(keys::Group::words));
    let words = words.chain(gloss::ui::panes::train::setting_words());
    missing.extend(words.filter(|words| !i18n::is_translated(words)).map(|words| format!("tables: {words}")));
    assert!(missing.is_empty(), "without Chinese:\n{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Sentences of errors are made below the window, with names in them: each is found by its words.
#[test]
fn every_error_has_its_chinese() {
    let attribute = regex::Regex::new(r##"#\[error\("((?:[^"\\]|\\.)*)""##).unwrap();
    let place = regex::Regex::new(r"\{[^}]*\}").unwrap();
    let doing = regex::Regex::new(r#"StoreError::(?:io|io_read|sql)\("([^"]+)""#).unwrap();
    let chinese = |words: &str| words.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c));
    let said = |sentence: &str| i18n::said(Language::Chinese, sentence);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut missing) = (0, BTreeSet::new());
    for room in ["project", "text", "nn", "train", "predict", "store", "desk"] {
        for entry in sources_in(&root.join(room)) {
            let source = std::fs::read_to_string(entry).unwrap();
            for sentence in attribute.captures_iter(&source).filter(|sentence| !place.replace_all(&sentence[1], "").is_empty()) {
                let mut number = 0;
                let sentence = place.replace_all(&sentence[1], |_: &regex::Captures<'_>| {
                    number += 1;
                    format!("X{number}")
                });
                found += 1;
                let words = said(&sentence);
                if !chinese(&words) || (1..=number).any(|number| !words.contains(&format!("X{number}"))) {
                    missing.insert(format!("{sentence} → {words}"));
                }
            }
            let named = doing.captures_iter(&source).filter(|doing| &doing[1] != "Testing");
            missing.extend(named.filter(|doing| !chinese(&said(&doing[1]))).map(|doing| doing[1].to_owned()));
        }
    }
    assert!(found > 50, "the search finds nothing any more");
    assert!(missing.is_empty(), "without Chinese:\n{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
    let damaged = "This project is damaged (the file is empty). Restore it from a backup; the file was not touched: /家/a (b): c.gloss";
    assert_eq!(said(damaged), "此项目已损坏（文件为空），请从备份恢复；文件未作改动：/家/a (b): c.gloss");
    assert_eq!(said("The answers in the colleague's file need a name"), "同事文件中的答案需要一个名字");
    assert_eq!(said("there is already a label called Done"), "已有名为「Done」的标签", "a name is no word of the interface");
    assert_eq!(said("no such sentence"), "no such sentence");
    assert_eq!(i18n::said(Language::English, damaged), damaged);
}

#[test]
fn the_shipped_fonts_have_every_sign_of_the_interface() {
    let mut signs: BTreeSet<char> = BTreeSet::new();
    let literal = regex::Regex::new(r#""((?:[^"\\]|\\.)*)""#).unwrap();
    for (_, source) in ui_sources() {
        signs.extend(literal.captures_iter(&source).flat_map(|text| text[1].chars().collect::<Vec<_>>()).filter(|c| !c.is_ascii()));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(desk_in(folder.path()));
    window.run();
    for font in [FontId::proportional(14.0), FontId::monospace(14.0)] {
        let missing: Vec<char> =
            window.ctx.fonts_mut(|fonts| signs.iter().copied().filter(|sign| !fonts.has_glyph(&font, *sign)).collect());
        assert!(missing.is_empty(), "no glyph in {:?} for {missing:?}", font.family);
    }
}

fn ui_sources() -> Vec<(String, String)> {
    let files = sources_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui"));
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// All files in a folder and in those in it.
fn sources_in(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Contrast after WCAG 2.2.
fn contrast(a: Color32, b: Color32) -> f32 {
    let channel = |c: u8| {
        let c = f32::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |c: Color32| 0.2126 * channel(c.r()) + 0.7152 * channel(c.g()) + 0.0722 * channel(c.b());
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    if a > b { a / b } else { b / a }
}

#[test]
fn text_is_readable_in_both_themes() {
    for dark in [false, true] {
        let palette = Palette::of(dark);
        let visuals = style(dark).visuals;
        let grounds = [("ground", palette.ground), ("panel", palette.panel), ("raised", palette.raised), ("field", palette.field())];
        for (name, ground) in grounds {
            for (what, color) in [
                ("text", palette.text),
                ("weak", palette.weak),
                ("accent", palette.accent),
                ("error", palette.error),
                ("warning", palette.warning),
                ("success", palette.success),
            ] {
                let ratio = contrast(color, ground);
                assert!(ratio >= 4.5, "{what} on {name}, dark {dark}: {ratio:.2}");
            }
            let edge = contrast(palette.edge(), ground);
            assert!(edge >= 2.0, "edge on {name}, dark {dark}: {edge:.2}");
        }
        let pairs = [
            ("on accent", palette.on_accent, palette.accent),
            ("chosen", palette.accent, palette.accent_ground()),
            ("hovered", palette.text, visuals.widgets.hovered.weak_bg_fill),
            ("pressed", palette.text, visuals.widgets.active.weak_bg_fill),
        ];
        for (what, color, ground) in pairs {
            let ratio = contrast(color, ground);
            assert!(ratio >= 4.5, "{what}, dark {dark}: {ratio:.2}");
        }
        for (at, hue) in palette.hues.into_iter().enumerate() {
            let ratio = contrast(hue, palette.ground);
            assert!(ratio >= 4.5, "hue {at}, dark {dark}: {ratio:.2}");
        }
    }
}

/// Pictures, compared with the ones beside the tests.
#[cfg(feature = "snapshots")]
mod snapshots {
    use super::*;
    use egui_kittest::SnapshotResults;
    use gloss::desk::Theme;

    fn small(desk: Desk) -> Harness<'static, App> {
        let builder = Harness::builder().with_size([1024.0, 700.0]).with_max_steps(16).with_context_setup(gloss::ui::app::set_up);
        builder.build_eframe(|_| App::for_test(desk))
    }

    #[test]
    fn the_frame() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = SnapshotResults::new();
        let mut desk = desk_in(folder.path());
        desk.run(Command::SetTheme(Theme::Light));
        let mut window = small(desk);
        window.run();
        results.add(window.try_snapshot("frame_welcome"));

        let mut desk = desk_in(folder.path());
        desk.run(Command::SetLanguage(Language::Chinese));
        desk.run(Command::SetTheme(Theme::Dark));
        desk.run(Command::OpenSample);
        let mut window = small(desk);
        window.run_steps(3);
        window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Num4]);
        window.run();
        results.add(window.try_snapshot("frame_insights"));
    }
}
