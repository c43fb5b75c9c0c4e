//! Attributes of spans, types of links and help through the real window: by keys, mouse and names, in both languages.

use crate::stage::{Bench, desk_with};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Language};
use gloss::project::{
    Attribute, AttributeChange, AttributeKind, AttributeValue, DocId, Link, LinkTypeChange, Number, QuestionId, Scale, SchemaChange,
    SpanId, TextRange,
};

const TEXT: &str = "屏幕很清晰，但是电池不耐用👨🏻‍🚒。";

/// A review with two aspects and two opinions marked; the given changes of the schema are made.
fn bench(changes: Vec<SchemaChange>) -> Bench {
    bench_in(Language::English, changes)
}

fn bench_in(language: Language, changes: Vec<SchemaChange>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with(folder.path(), &[TEXT, "第二条"]);
    desk.run(Command::SetLanguage(language));
    for (part, label) in [("屏幕", 0), ("很清晰", 1), ("电池", 0), ("不耐用", 1)] {
        let start = TEXT.find(part).unwrap();
        let range = TextRange::new(TEXT, start..start + part.len()).unwrap();
        desk.run(Command::AddSpan { doc: DocId(0), range, label });
    }
    changes.into_iter().for_each(|change| desk.run(Command::ChangeSchema(Box::new(change))));
    Bench::of(folder, desk, 1300.0)
}

fn category() -> SchemaChange {
    let kind = AttributeKind::Values(["硬件", "food", "price"].map(str::to_owned).to_vec());
    SchemaChange::Attribute { label: 0, change: AttributeChange::Add { name: "category".into(), kind } }
}

fn intensity() -> SchemaChange {
    let kind = AttributeKind::Number(Scale::default());
    SchemaChange::Attribute { label: 0, change: AttributeChange::Add { name: "强度".into(), kind } }
}

fn part_of() -> Vec<SchemaChange> {
    vec![
        SchemaChange::LinkType(LinkTypeChange::Add { name: "part of".into() }),
        SchemaChange::LinkType(LinkTypeChange::SetEnds { at: 1, from: Some(1), to: Some(1) }),
        SchemaChange::LinkType(LinkTypeChange::SetEnds { at: 0, from: Some(1), to: Some(0) }),
    ]
}

impl Bench {
    /// What is said of the first span.
    fn said(&self) -> Vec<Option<AttributeValue>> {
        let said = self.document(0).annotation;
        let attributes = said.attributes_of(SpanId(0));
        (0..2).map(|at| attributes.get(at)).collect()
    }

    fn attributes(&self, label: u16) -> Vec<Attribute> {
        self.schema().attributes(label).to_vec()
    }

    fn first_span(&mut self) {
        self.chord(Modifiers::COMMAND, Key::Home);
        self.key(Key::CloseBracket);
    }
}

fn number(value: f64) -> Option<AttributeValue> {
    Some(AttributeValue::Number(Number::new(value).unwrap()))
}

#[test]
fn attributes_by_keys() {
    let mut bench = bench(vec![category(), intensity()]);
    let answers = bench.document(0).annotation.answers;
    bench.first_span();
    bench.key(Key::Semicolon);
    assert!(bench.has("Choose food"));
    bench.key(Key::Num2);
    assert_eq!(bench.said(), [Some(AttributeValue::Value(1)), None]);
    // On to the number: a digit of nine, then a step down.
    bench.key(Key::Num9);
    assert_eq!(bench.said()[1], number(1.0));
    assert!(!bench.has("Choose food"), "after the last one it is closed");
    bench.key(Key::Semicolon);
    bench.key(Key::Semicolon);
    bench.key(Key::Comma);
    assert_eq!(bench.said()[1], number(0.9));
    bench.key(Key::Backspace);
    assert_eq!(bench.said()[1], None);
    bench.key(Key::Escape);
    // Digits answer the question again.
    assert_eq!(bench.document(0).annotation.answers, answers);
    bench.key(Key::Num1);
    assert_eq!(bench.document(0).annotation.class(QuestionId(0)), Some(0));
    assert_eq!(bench.said(), [Some(AttributeValue::Value(1)), None]);
    for _ in 0..4 {
        bench.chord(Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(bench.said(), [Some(AttributeValue::Value(1)), None]);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.said(), [None, None]);
}

#[test]
fn attributes_by_mouse() {
    let mut bench = bench(vec![category(), intensity()]);
    bench.first_span();
    bench.click_on(Role::RadioButton, "category: 硬件");
    assert_eq!(bench.said()[0], Some(AttributeValue::Value(0)));
    assert!(bench.window.query_by_role_and_label(Role::Mark, "aspect · 硬件 屏幕").is_some(), "it is read with the span");
    bench.click_on(Role::RadioButton, "category: price");
    assert_eq!(bench.said()[0], Some(AttributeValue::Value(2)));
    bench.click_on(Role::RadioButton, "category: price");
    assert_eq!(bench.said()[0], None, "the same again takes it away");
    bench.click("Attributes…");
    bench.click_on(Role::RadioButton, "Choose food");
    assert_eq!(bench.said()[0], Some(AttributeValue::Value(1)));
    // The slider by arrow keys, as a screen reader would move it.
    bench.window.get_by_role_and_label(Role::Slider, "强度").focus();
    bench.window.run();
    bench.key(Key::ArrowRight);
    assert_eq!(bench.said()[1], number(0.1));
    bench.click("Take 强度 away");
    assert_eq!(bench.said()[1], None);
}

#[test]
fn attributes_are_made_and_changed_in_the_window_of_labels() {
    let mut bench = bench(vec![]);
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click("Add an attribute to aspect");
    bench.enter("New attribute of aspect", "类别");
    bench.enter("New value of 类别", "food");
    bench.enter("New value of 类别", "服务");
    bench.enter("New value of 类别", "food");
    assert!(bench.has("There is already one called food"));
    bench.enter("New value of 类别", "price");
    assert_eq!(bench.attributes(0)[0].values(), ["food", "服务", "price"]);
    bench.enter("Name of the value price", "价格");
    bench.enter("Name of the attribute 类别", "category");
    bench.enter("Help for category", "说的是哪一类");
    bench.click("Move, merge or delete 价格");
    bench.click("Move forward");
    assert_eq!(bench.attributes(0)[0].values(), ["food", "价格", "服务"]);
    bench.click("Move, merge or delete 价格");
    bench.click("Move back");
    let held = &bench.attributes(0)[0];
    assert_eq!((held.name.as_str(), held.help.as_str(), held.values()[2].as_str()), ("category", "说的是哪一类", "价格"));
    bench.click("Finish");
    bench.first_span();
    bench.click_on(Role::RadioButton, "category: 服务");
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click("Move, merge or delete 服务");
    bench.click("Merge into 价格");
    assert!(bench.has("1 attributes of spans change"));
    bench.click("Merge");
    assert_eq!(bench.said()[0], Some(AttributeValue::Value(1)));
    bench.click("Delete the attribute category");
    assert!(bench.has("1 attributes of spans are taken away"));
    bench.click("Delete");
    assert!(bench.attributes(0).is_empty() && bench.said()[0].is_none());
    bench.click("Undo");
    assert_eq!((bench.attributes(0).len(), bench.said()[0]), (1, Some(AttributeValue::Value(1))));
    // A number, with a range of its own.
    bench.click("Add an attribute to opinion");
    bench.click("Kind of the new attribute of opinion");
    bench.click("A number");
    bench.enter("New attribute of opinion", "强度");
    bench.enter("Lowest number of 强度", "0");
    bench.enter("Highest number of 强度", "-2");
    assert!(bench.has("The range must go up, in steps that fit into it"));
    bench.enter("Highest number of 强度", "5");
    let scale = match bench.attributes(1)[0].kind {
        AttributeKind::Number(scale) => (scale.min.value(), scale.max.value()),
        _ => (9.0, 9.0),
    };
    assert_eq!(scale, (0.0, 5.0));
}

#[test]
fn types_of_links_are_made_in_the_window_and_chosen_by_key() {
    let mut bench = bench(part_of());
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.enter("New link type", "因为");
    bench.click("part of goes out from");
    bench.click("any span");
    let held = bench.schema().link_types()[1].clone();
    assert_eq!((held.name.as_str(), held.from, held.to), ("part of", None, Some(1)));
    bench.window.get_by_role_and_label(Role::CheckBox, "part of joins parts").click();
    bench.window.run();
    assert!(bench.schema().link_types()[1].parts && !bench.schema().link_types()[2].parts);
    bench.click("Finish");
    // From the first opinion to the second.
    bench.first_span();
    bench.key(Key::CloseBracket);
    bench.key(Key::L);
    for _ in 0..4 {
        if bench.has("Link 很清晰 with 不耐用") {
            break;
        }
        bench.key(Key::CloseBracket);
    }
    bench.key(Key::Num2);
    bench.key(Key::Enter);
    let link = Link { from: SpanId(1), to: SpanId(3) };
    let said = bench.document(0).annotation;
    assert!(said.links.contains(&link), "{:?}", said.links);
    assert_eq!(said.link_type(&link), 1);
    assert_eq!(bench.document(0).annotation.class(QuestionId(0)), None, "the digit chose the type");
    // By the menu beside the link it becomes another.
    bench.click("Type of the link: part of");
    bench.click("因为");
    assert_eq!(bench.document(0).annotation.link_type(&link), 2);
    bench.chord(Modifiers::COMMAND, Key::Z);
    assert_eq!(bench.document(0).annotation.link_type(&link), 1);
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click("Delete the link type part of");
    assert!(bench.has("1 links are taken away"));
    bench.click("Delete");
    assert!(bench.document(0).annotation.links.is_empty());
    assert_eq!(bench.schema().link_types().len(), 2);
}

#[test]
fn attributes_and_types_of_links_are_moved_by_mouse_and_by_keys() {
    let mut bench = bench(vec![category(), intensity()].into_iter().chain(part_of()).collect());
    bench.first_span();
    bench.click_on(Role::RadioButton, "category: food");
    let names = |bench: &Bench| -> (Vec<String>, Vec<String>) {
        let types = bench.schema().link_types().iter().map(|held| held.name.clone()).collect();
        (bench.attributes(0).iter().map(|held| held.name.clone()).collect(), types)
    };
    let by_key = |bench: &mut Bench, button: &str| {
        bench.window.get_by_role_and_label(Role::Button, button).focus();
        bench.window.run();
        bench.key(Key::Enter);
    };
    let before = names(&bench);
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click("Move category down");
    bench.click("Move part of up");
    let after = names(&bench);
    assert_eq!(after, (vec!["强度".to_owned(), "category".to_owned()], vec!["part of".to_owned(), "about".to_owned()]), "by mouse");
    assert_eq!(bench.said()[1], Some(AttributeValue::Value(1)), "what was said follows");
    by_key(&mut bench, "Move category up");
    by_key(&mut bench, "Move about up");
    assert_eq!(names(&bench), before, "by keys");
    assert_eq!(bench.said()[0], Some(AttributeValue::Value(1)));
    // Each was one step.
    for _ in 0..4 {
        by_key(&mut bench, "Undo");
    }
    assert_eq!(names(&bench), before);
}

#[test]
fn a_type_that_does_not_fit_is_not_taken() {
    let mut bench = bench(part_of());
    bench.first_span();
    bench.key(Key::L);
    // The likeliest partner is the opinion beside it; "part of" joins opinions only.
    assert!(bench.has("Link 屏幕 with 很清晰"));
    bench.key(Key::Num2);
    bench.key(Key::Enter);
    let link = Link { from: SpanId(1), to: SpanId(0) };
    let said = bench.document(0).annotation;
    assert_eq!((said.links.contains(&link), said.link_type(&link)), (true, 0), "{:?}", said.links);
    // Two aspects: nothing joins them.
    bench.key(Key::L);
    bench.window.get_by_role_and_label(Role::Mark, "aspect 电池").click_accesskit();
    bench.window.run();
    assert_eq!(bench.document(0).annotation.links.len(), 1);
}

#[test]
fn the_list_is_filtered_by_an_attribute() {
    let mut bench = bench(vec![category()]);
    bench.first_span();
    bench.key(Key::Semicolon);
    bench.key(Key::Num3);
    assert_eq!(bench.desk().queue().len(), 2);
    bench.click("Span");
    bench.click("aspect · category");
    bench.click("price");
    assert_eq!(bench.desk().queue().ids(), [DocId(0)]);
    bench.click("Remove the filter aspect · category = price");
    assert_eq!(bench.desk().queue().len(), 2);
}

#[test]
fn the_list_is_filtered_by_a_number() {
    let mut bench = bench(vec![intensity()]);
    bench.first_span();
    bench.key(Key::Semicolon);
    bench.key(Key::Num9);
    assert_eq!(bench.said()[0], number(1.0));
    for (from, left) in [("0.5", 1), ("1.5", 0)] {
        bench.click("Span");
        bench.click("aspect · 强度");
        bench.enter("aspect · 强度: from", from);
        assert_eq!(bench.desk().queue().len(), left, "{from}");
        bench.click(&format!("Remove the filter aspect · 强度 ≥ {from}"));
        assert_eq!(bench.desk().queue().len(), 2);
    }
    // The other bound, and the button.
    bench.click("Span");
    bench.click("aspect · 强度");
    let field = "aspect · 强度: to";
    bench.window.get_by_role_and_label(Role::TextInput, field).focus();
    bench.window.run();
    bench.window.get_by_role_and_label(Role::TextInput, field).type_text("-0,5");
    bench.window.run();
    bench.click("Filter by aspect · 强度");
    assert!(bench.has("Remove the filter aspect · 强度 ≤ -0.5"));
    assert_eq!(bench.desk().queue().len(), 0);
}

#[test]
fn help_of_questions_labels_and_attributes_stands_in_the_guidelines() {
    let mut bench = bench(vec![category()]);
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.enter("Help for the question sentiment", "整体的态度");
    bench.enter("Help for category", "看名词属于哪一类");
    bench.enter("Help for about", "观点指向方面");
    bench.click("Finish");
    assert_eq!(bench.schema().question_help(QuestionId(0)), "整体的态度");
    bench.key(Key::H);
    for words in ["Questions and labels", "整体的态度", "aspect · category", "看名词属于哪一类", "观点指向方面"] {
        assert!(bench.has(words), "{words}");
    }
}

#[test]
fn the_window_speaks_chinese() {
    let mut bench = bench_in(Language::Chinese, vec![category()]);
    bench.first_span();
    bench.key(Key::Semicolon);
    assert!(bench.has("选「food」"));
    bench.chord(Modifiers::COMMAND, Key::L);
    bench.click("为「opinion」添加属性");
    bench.enter("「opinion」的新属性", "强度");
    assert_eq!(bench.attributes(1)[0].name, "强度");
    bench.click("删除属性「category」");
    bench.enter("新连接类型", "属于");
    assert_eq!(bench.schema().link_types()[1].name, "属于");
}
