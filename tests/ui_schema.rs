//! The window of labels through the real window: by names, keys and clicks, on a project file on disk.

use crate::stage::Bench;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, Language, Surroundings};
use gloss::project::{DocId, Kind, SpanId, TextRange};
use gloss::ui::i18n::{self, Template};
use std::sync::Arc;

/// A window on three documents: one negative, two positive with a marked aspect each. The window of labels is open.
fn bench(language: Language) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 1_795_313_580_000),
        sample: folder.path().join("sample.gloss"),
        config: Some(folder.path().join("config")),
    });
    desk.run(Command::SetLanguage(language));
    desk.run(Command::NewProject { path: folder.path().join("test.gloss"), classes: Vec::new(), spans: Vec::new() });
    for (at, (text, class)) in [("太差了", 0), ("屏幕很清晰", 2), ("屏幕不错", 2)].into_iter().enumerate() {
        desk.run(Command::AddDocument(text.to_owned()));
        let doc = DocId::from_index(at);
        desk.run(Command::SetClass { doc, class: Some(class) });
        if class == 2 {
            desk.run(Command::AddSpan { doc, range: TextRange::new(text, 0.."屏幕".len()).unwrap(), label: 0 });
        }
    }
    let mut bench = Bench::of(folder, desk, 800.0);
    bench.open();
    bench
}

impl Bench {
    fn open(&mut self) {
        self.chord(Modifiers::COMMAND, Key::L);
    }

    fn classes(&self) -> Vec<String> {
        self.schema().questions[0].classes.iter().map(|class| class.name.clone()).collect()
    }

    fn answers(&self) -> Vec<Option<String>> {
        let classes = self.classes();
        let project = self.window.state().desk().project().unwrap();
        let class = |at: Option<u16>| Some(classes[usize::from(at?)].clone());
        project.documents().map(|doc| class(doc.annotation.class(gloss::project::QuestionId(0)))).collect()
    }
}

#[test]
fn a_class_is_added_renamed_and_given_a_key_and_help() {
    let mut bench = bench(Language::English);
    bench.enter("New class", "mixed");
    assert_eq!(bench.classes(), ["negative", "neutral", "positive", "mixed"]);
    bench.enter("Name of mixed", "好坏参半");
    assert_eq!(bench.classes()[3], "好坏参半");
    bench.enter("Key of 好坏参半", "m");
    bench.enter("Help for 好坏参半", "有褒有贬");
    let label = gloss::project::LabelId::Class(gloss::project::QuestionId(0), 3);
    assert_eq!((bench.schema().key(label), bench.schema().help(label)), (Some('m'), "有褒有贬"));
    bench.chord(Modifiers::NONE, Key::Escape);
    assert!(!bench.has("Span labels"), "the window is closed");
    // The new key answers.
    bench.chord(Modifiers::NONE, Key::M);
    assert!(bench.answers().contains(&Some("好坏参半".to_owned())));
}

#[test]
fn a_name_or_key_that_is_taken_is_said_in_words_and_changes_nothing() {
    let mut bench = bench(Language::English);
    let before = bench.schema();
    bench.enter("New class", "neutral");
    assert!(bench.has("There is already a label called neutral"));
    bench.enter("Key of aspect", "o");
    assert!(bench.has("The key O already belongs to opinion"));
    bench.enter("Key of opinion", "s");
    assert!(bench.has("The key S already means something else where you label"));
    bench.enter("Key of opinion", "好");
    assert!(bench.has("A key is one letter from A to Z or one digit"));
    bench.enter("Name of negative", " ");
    assert!(bench.has("A label needs a name"));
    bench.click("Finish");
    assert_eq!(bench.schema(), before);
}

#[test]
fn deleting_a_class_in_use_asks_and_is_one_undo() {
    let mut bench = bench(Language::English);
    bench.click("Delete neutral");
    assert_eq!(bench.classes(), ["negative", "positive"], "nobody answered it: nothing is asked");
    bench.click("Delete positive");
    assert!(bench.has("2 answers are taken away"));
    bench.click("Keep");
    assert_eq!(bench.classes(), ["negative", "positive"]);
    bench.click("Delete positive");
    bench.click("Delete");
    assert_eq!(bench.answers(), [Some("negative".to_owned()), None, None]);
    bench.click("Finish");
    bench.chord(Modifiers::COMMAND, Key::Z);
    let positive = Some("positive".to_owned());
    assert_eq!(bench.answers(), [Some("negative".to_owned()), positive.clone(), positive]);
    bench.click("Undo: delete class neutral: 0 answers (Ctrl+Z)");
    assert_eq!(bench.classes(), ["negative", "neutral", "positive"]);
}

#[test]
fn merging_moves_answers_and_the_window_undoes_it_too() {
    let mut bench = bench(Language::English);
    bench.click("Merge positive into another label, or split it");
    bench.click("into negative");
    assert!(bench.has("2 answers change"));
    bench.click("Merge");
    assert_eq!(bench.answers(), vec![Some("negative".to_owned()); 3]);
    bench.click("Undo");
    assert_eq!(bench.classes(), ["negative", "neutral", "positive"]);
    bench.chord(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(bench.classes(), ["negative", "neutral"]);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.answers()[1].as_deref(), Some("positive"));
}

#[test]
fn a_label_is_split_by_what_the_list_shows() {
    let mut bench = bench(Language::English);
    bench.chord(Modifiers::NONE, Key::Escape);
    let filter = gloss::project::Filter { search: "不错".to_owned(), ..Default::default() };
    bench.window.state_mut().run(Command::SetFilter(filter));
    bench.window.run();
    bench.open();
    bench.click("Merge positive into another label, or split it");
    assert!(bench.has("Split off what the 1 documents in the list have"));
    let field = bench.window.get_by_label("Name of what is split off positive");
    field.focus();
    field.type_text("delighted");
    bench.window.run();
    bench.click("Split off");
    assert!(bench.has("Split delighted off positive?"));
    assert!(bench.has("1 answers change"));
    bench.click("Split");
    let (negative, positive) = (Some("negative".to_owned()), Some("positive".to_owned()));
    assert_eq!(bench.answers(), [negative.clone(), positive.clone(), Some("delighted".to_owned())]);
    bench.click("Undo");
    assert_eq!(bench.answers(), [negative, positive.clone(), positive]);
}

#[test]
fn labels_move_change_colour_and_lose_their_polarity() {
    let mut bench = bench(Language::English);
    bench.click("Move positive up");
    assert_eq!(bench.classes(), ["negative", "positive", "neutral"]);
    assert_eq!(bench.answers()[1].as_deref(), Some("positive"));
    bench.click("Colour of neutral");
    bench.click("Colour 8");
    assert_eq!(bench.schema().questions[0].classes[2].hue, 7);
    bench.window.get_by_role_and_label(Role::CheckBox, "Polarity of opinion").click();
    bench.window.run();
    assert!(!bench.schema().span_labels[1].polarity, "no span has one: nothing is asked");
    bench.enter("New span label", "holder");
    assert_eq!(bench.schema().span_labels[2].name, "holder");
    bench.click("Delete aspect");
    assert!(bench.has("2 spans are taken away"));
    bench.click("Delete");
    let project = bench.window.state().desk().project().unwrap();
    assert!(project.documents().all(|doc| !doc.annotation.spans.contains_key(&SpanId(0))));
}

#[test]
fn the_window_speaks_chinese_and_templates_follow_the_language() {
    let mut bench = bench(Language::Chinese);
    bench.click("从模板添加");
    bench.click("情绪（埃克曼）");
    let emotions = &bench.schema().questions[1];
    assert_eq!((emotions.name.as_str(), emotions.kind), ("情绪", Kind::Several));
    let names: Vec<&str> = emotions.classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["愤怒", "厌恶", "恐惧", "喜悦", "悲伤", "惊讶", "中性"]);
    bench.click("从模板添加");
    bench.click("方面与观点");
    let spans: Vec<_> = bench.schema().span_labels.iter().map(|label| (label.name.clone(), label.polarity)).collect();
    assert_eq!(spans[2..], [("方面".to_owned(), false), ("观点".to_owned(), true)]);
    bench.enter("「喜悦」的名称", "开心");
    bench.click("删除「positive」");
    assert!(bench.has("将去掉 2 个答案"));
    bench.click("删除");
    assert!(!bench.classes().contains(&"positive".to_owned()) && bench.schema().questions[1].class("开心") == Some(3));
}

#[test]
fn every_template_has_words_and_as_many_names_in_both_languages() {
    for template in Template::ALL {
        assert!(i18n::is_translated(template.words()), "{template:?}");
        let (english, chinese) = (Language::English, Language::Chinese);
        assert_eq!(template.classes(english).len(), template.classes(chinese).len());
        assert_eq!(template.questions(english).len(), template.questions(chinese).len());
        assert_eq!(template.spans(english).len(), template.spans(chinese).len());
    }
    for what in ["answers", "spans", "attributes of spans", "links"] {
        for becomes in ["are taken away", "change"] {
            assert!(i18n::is_translated(&format!("{{}} {what} {becomes}")), "{what} {becomes}");
        }
    }
}

#[test]
fn the_window_opens_from_the_button_and_from_the_palette() {
    let mut bench = bench(Language::English);
    bench.click("Finish");
    assert!(!bench.has("New span label"));
    bench.click("Edit the labels…");
    assert!(bench.has("New span label"));
    bench.chord(Modifiers::NONE, Key::Escape);
    bench.chord(Modifiers::COMMAND, Key::K);
    bench.window.get_by_role_and_label(Role::TextInput, "Find a command").type_text("edit the lab");
    bench.window.run();
    bench.chord(Modifiers::NONE, Key::Enter);
    assert!(bench.has("New span label"));
}

#[test]
fn a_pattern_finds_and_a_broken_one_is_said_and_leaves_the_list() {
    let mut bench = bench(Language::English);
    bench.click("Finish");
    bench.enter("Search the documents", "/屏幕.*(清晰|差)");
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(1)]);
    bench.enter("Search the documents", "/屏幕(");
    assert!(bench.has("The pattern can't be read: a bracket ( is not closed"));
    assert_eq!(bench.window.state().desk().queue().ids(), [DocId(1)]);
    bench.enter("Search the documents", "屏幕");
    assert_eq!(bench.window.state().desk().queue().len(), 2);
}

#[test]
fn a_document_is_gone_to_by_its_number() {
    let mut bench = bench(Language::English);
    bench.click("Finish");
    bench.chord(Modifiers::COMMAND, Key::G);
    bench.enter("Its number in the list (1 to 3), or its id", "9");
    assert!(bench.has("There is no such document in the list"));
    bench.enter("Its number in the list (1 to 3), or its id", "3");
    assert_eq!(bench.window.state().desk().current(), Some(DocId(2)));
    assert!(!bench.has("Go to a document"));
}
