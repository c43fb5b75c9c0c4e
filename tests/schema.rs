//! Changes of the schema: what was answered follows its label, or goes with it and comes back; in memory and in the file.

use super::desk::desk_in;
use gloss::desk::{Command, Desk, Language, Notice};
use gloss::project::{
    Annotation, Answer, Condition, DocId, Document, Edit, Filter, History, KeyUse, LabelCounts, LabelId, Link, Polarity, Project,
    QuestionCount, QuestionId, Schema, SchemaChange, SchemaError, Span, SpanId, State, TextRange, What,
};
use proptest::prelude::*;
use std::path::Path;

const TEXT: &str = "屏幕很清晰，但是电池不耐用。👨🏻‍🚒";
const MAIN: QuestionId = QuestionId(0);

fn class(at: u16) -> LabelId {
    LabelId::Class(MAIN, at)
}

/// Three documents answered negative, positive and positive; the first has an aspect, an opinion about it, and a link.
fn project() -> Project {
    let mut project = Project::new(Schema::default());
    let documents = (0..4).map(|at| Document::new(DocId(at), TEXT)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 4, documents }).unwrap();
    for (doc, class) in [(0, 0), (1, 2), (2, 2)] {
        project.apply(Edit::SetAnswer { doc: DocId(doc), question: MAIN, to: Some(Answer::Class(class)) }).unwrap();
    }
    for (id, part, label, polarity) in [(0, "屏幕", 0, None), (1, "很清晰", 1, Some(Polarity::Positive)), (2, "电池", 0, None)] {
        project.apply(Edit::PutSpan { doc: DocId(0), id: SpanId(id), span: span(part, label, polarity) }).unwrap();
    }
    project.apply(Edit::PutLink { doc: DocId(0), link: Link { from: SpanId(1), to: SpanId(0) } }).unwrap();
    project
}

fn span(part: &str, label: u16, polarity: Option<Polarity>) -> Span {
    let start = TEXT.find(part).unwrap();
    Span { range: TextRange::new(TEXT, start..start + part.len()).unwrap(), label, polarity }
}

fn commit(project: &mut Project, history: &mut History, change: &SchemaChange) -> Result<(), SchemaError> {
    let plan = project.plan(change)?;
    history.commit(project, String::new(), String::new(), 0, plan.edits).expect("a plan fits its project");
    Ok(())
}

/// Every byte of a project that a file would hold.
fn written(project: &Project) -> String {
    let documents: Vec<&Document> = project.documents().collect();
    serde_json::to_string(&(&**project.schema(), documents)).unwrap()
}

fn said(project: &Project) -> (Vec<String>, Vec<Option<String>>, Vec<String>) {
    let schema = project.schema();
    let question = &schema.questions[0];
    let names = question.classes.iter().map(|class| class.name.clone()).collect();
    let answers = project.documents().map(|doc| Some(question.classes[usize::from(doc.annotation.class(MAIN)?)].name.clone())).collect();
    let doc = project.document(DocId(0)).unwrap();
    let spans = doc.annotation.spans.values();
    let spans = spans.map(|span| format!("{}:{}", span.range.of(TEXT), schema.span_labels[usize::from(span.label)].name)).collect();
    (names, answers, spans)
}

#[test]
fn answers_follow_their_class_and_one_undo_brings_everything_back() {
    let (negative, neutral, positive) = ("negative", "neutral", "positive");
    // Change; classes, answers of the four documents, how many answers are touched.
    for (change, classes, answers, touched) in [
        (SchemaChange::Delete { label: class(1) }, vec![negative, positive], [Some(negative), Some(positive), Some(positive), None], 0),
        (SchemaChange::Delete { label: class(0) }, vec![neutral, positive], [None, Some(positive), Some(positive), None], 1),
        (SchemaChange::Delete { label: class(2) }, vec![negative, neutral], [Some(negative), None, None, None], 2),
        (
            SchemaChange::Move { label: class(2), to: 0 },
            vec![positive, negative, neutral],
            [Some(negative), Some(positive), Some(positive), None],
            0,
        ),
        (
            SchemaChange::Merge { label: class(0), into: 1 },
            vec![neutral, positive],
            [Some(neutral), Some(positive), Some(positive), None],
            1,
        ),
        (
            SchemaChange::Merge { label: class(2), into: 0 },
            vec![negative, neutral],
            [Some(negative), Some(negative), Some(negative), None],
            2,
        ),
        (
            SchemaChange::Rename { label: class(2), to: " 正面 ".into() },
            vec![negative, neutral, "正面"],
            [Some(negative), Some("正面"), Some("正面"), None],
            0,
        ),
        (
            SchemaChange::AddClass { question: MAIN, name: "mixed".into() },
            vec![negative, neutral, positive, "mixed"],
            [Some(negative), Some(positive), Some(positive), None],
            0,
        ),
    ] {
        let (mut project, mut history) = (project(), History::default());
        let before = written(&project);
        assert_eq!(project.plan(&change).unwrap().answers, touched, "{change:?}");
        commit(&mut project, &mut history, &change).unwrap();
        let (names, held, _) = said(&project);
        assert_eq!(names, classes, "{change:?}");
        assert_eq!(held.iter().map(Option::as_deref).collect::<Vec<_>>(), answers, "{change:?}");
        let after = written(&project);
        assert_eq!(history.done().len(), 1, "one step");
        history.undo(&mut project).unwrap().unwrap();
        assert_eq!(written(&project), before, "{change:?}");
        history.redo(&mut project).unwrap().unwrap();
        assert_eq!(written(&project), after, "{change:?}");
    }
}

#[test]
fn spans_follow_their_label_with_links_and_polarities() {
    let (aspect, opinion) = (LabelId::Span(0), LabelId::Span(1));
    for (change, spans, (touched, links, polarities)) in [
        (SchemaChange::Delete { label: aspect }, vec!["很清晰:opinion"], (2, 1, 0)),
        (SchemaChange::Delete { label: opinion }, vec!["屏幕:aspect", "电池:aspect"], (1, 1, 0)),
        (SchemaChange::Move { label: opinion, to: 0 }, vec!["屏幕:aspect", "很清晰:opinion", "电池:aspect"], (0, 0, 0)),
        (SchemaChange::Merge { label: opinion, into: 0 }, vec!["屏幕:aspect", "很清晰:aspect", "电池:aspect"], (1, 0, 1)),
        (SchemaChange::Merge { label: aspect, into: 1 }, vec!["屏幕:opinion", "很清晰:opinion", "电池:opinion"], (2, 0, 0)),
        (SchemaChange::SetPolarity { label: 1, to: false }, vec!["屏幕:aspect", "很清晰:opinion", "电池:aspect"], (0, 0, 1)),
        (SchemaChange::SetPolarity { label: 0, to: true }, vec!["屏幕:aspect", "很清晰:opinion", "电池:aspect"], (0, 0, 0)),
    ] {
        let (mut project, mut history) = (project(), History::default());
        let before = written(&project);
        let plan = project.plan(&change).unwrap();
        assert_eq!((plan.spans, plan.links, plan.polarities), (touched, links, polarities), "{change:?}");
        commit(&mut project, &mut history, &change).unwrap();
        assert_eq!(said(&project).2, spans, "{change:?}");
        history.undo(&mut project).unwrap().unwrap();
        assert_eq!(written(&project), before, "{change:?}");
    }
}

/// An opinion on the very place of an aspect becomes the same span when the labels join, and hands its links on.
#[test]
fn a_split_takes_what_some_documents_have() {
    let mut project = project();
    let mut history = History::default();
    let before = written(&project);
    let docs = [DocId(0), DocId(2)].into();
    commit(&mut project, &mut history, &SchemaChange::Split { label: class(2), to: "delighted".into(), docs }).unwrap();
    let (names, answers, _) = said(&project);
    assert_eq!(names, ["negative", "neutral", "positive", "delighted"]);
    assert_eq!(answers, [Some("negative".into()), Some("positive".into()), Some("delighted".into()), None]);

    // Span, polarity and link stay; the new label asks what the old one asks.
    let split = |label, to: &str| SchemaChange::Split { label: LabelId::Span(label), to: to.into(), docs: [DocId(0)].into() };
    assert_eq!(project.plan(&split(1, "形容")).unwrap().spans, 1);
    commit(&mut project, &mut history, &split(1, "形容")).unwrap();
    assert_eq!(said(&project).2, ["屏幕:aspect", "很清晰:形容", "电池:aspect"]);
    let doc = project.document(DocId(0)).unwrap();
    assert_eq!((doc.annotation.spans[&SpanId(1)].polarity, doc.annotation.links.len()), (Some(Polarity::Positive), 1));
    assert!(project.schema().span_labels[2].polarity);

    assert_eq!(project.plan(&split(0, "aspect")), Err(SchemaError::NameTaken("aspect".into())));
    assert_eq!(project.plan(&split(9, "x")), Err(SchemaError::NoSuchLabel));
    (0..2).for_each(|_| history.undo(&mut project).unwrap().map(|_| ()).unwrap());
    assert_eq!(written(&project), before);
}

#[test]
fn twins_become_one_when_labels_join() {
    let (mut project, mut history) = (project(), History::default());
    let doc = DocId(0);
    for edit in [
        Edit::PutSpan { doc, id: SpanId(3), span: span("屏幕", 1, Some(Polarity::Negative)) },
        Edit::PutLink { doc, link: Link { from: SpanId(3), to: SpanId(2) } },
        Edit::PutLink { doc, link: Link { from: SpanId(3), to: SpanId(0) } },
    ] {
        project.apply(edit).unwrap();
    }
    let before = written(&project);
    commit(&mut project, &mut history, &SchemaChange::Merge { label: LabelId::Span(1), into: 0 }).unwrap();
    let Annotation { spans, links, .. } = &project.document(doc).unwrap().annotation;
    assert_eq!(spans.keys().map(|id| id.0).collect::<Vec<_>>(), [0, 1, 2]);
    let links: Vec<_> = links.iter().map(|link| (link.from.0, link.to.0)).collect();
    assert_eq!(links, [(0, 2), (1, 0)], "the link of the twin to itself is gone, the other one moved");
    history.undo(&mut project).unwrap().unwrap();
    assert_eq!(written(&project), before);
}

#[test]
fn what_can_not_be_says_why() {
    let (aspect, opinion) = (LabelId::Span(0), LabelId::Span(1));
    let key = |label, to| SchemaChange::SetKey { label, to: Some(to) };
    let taken = |key, name: &str| SchemaError::KeyTaken { key, by: KeyUse::Label(name.into()) };
    for (change, wanted) in [
        (SchemaChange::AddClass { question: MAIN, name: "  ".into() }, SchemaError::NoName),
        (SchemaChange::AddClass { question: MAIN, name: "neutral ".into() }, SchemaError::NameTaken("neutral".into())),
        (SchemaChange::AddClass { question: QuestionId(1), name: "x".into() }, SchemaError::NoSuchLabel),
        (SchemaChange::AddSpanLabel { name: "aspect".into() }, SchemaError::NameTaken("aspect".into())),
        (SchemaChange::Rename { label: class(0), to: "positive".into() }, SchemaError::NameTaken("positive".into())),
        (SchemaChange::Rename { label: class(9), to: "x".into() }, SchemaError::NoSuchLabel),
        (SchemaChange::Delete { label: LabelId::Span(2) }, SchemaError::NoSuchLabel),
        (SchemaChange::Merge { label: aspect, into: 0 }, SchemaError::IntoItself),
        (SchemaChange::Merge { label: aspect, into: 2 }, SchemaError::NoSuchLabel),
        (key(aspect, 'O'), taken('O', "opinion")),
        (key(opinion, '2'), taken('2', "neutral")),
        (key(class(0), 'a'), taken('A', "aspect")),
        (key(class(0), '3'), taken('3', "positive")),
        (key(class(0), 's'), SchemaError::KeyTaken { key: 'S', by: KeyUse::Program }),
        (key(aspect, '0'), SchemaError::KeyTaken { key: '0', by: KeyUse::Program }),
        (key(aspect, '好'), SchemaError::NotAKey('好')),
        (key(aspect, ' '), SchemaError::NotAKey(' ')),
    ] {
        assert_eq!(project().plan(&change), Err(wanted), "{change:?}");
    }
    let sentence = project().plan(&key(class(0), 'a')).unwrap_err().to_string();
    assert_eq!(sentence, "the key A is taken by aspect");
}

#[test]
fn keys_help_and_hues() {
    let (mut project, mut history) = (project(), History::default());
    let keys = |project: &Project| (0..3).map(|at| project.schema().key(class(at))).collect::<Vec<_>>();
    assert_eq!(keys(&project), [Some('1'), Some('2'), Some('3')]);
    let bare = written(&project);
    for change in [
        SchemaChange::SetKey { label: class(2), to: Some('P') },
        SchemaChange::SetHelp { label: class(2), to: " 明确的好评 ".into() },
        SchemaChange::SetHue { label: class(2), to: 5 },
        SchemaChange::SetKey { label: LabelId::Span(0), to: Some('3') },
        SchemaChange::Move { label: class(2), to: 0 },
    ] {
        commit(&mut project, &mut history, &change).unwrap();
    }
    // The key and the help went along; the third digit belongs to the span label now.
    assert_eq!(keys(&project), [Some('p'), Some('2'), None]);
    assert_eq!((project.schema().help(class(0)), project.schema().help(class(2))), ("明确的好评", ""));
    assert_eq!(project.schema().questions[0].classes[0].hue, 5);
    let stored = serde_json::to_string(&**project.schema()).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&stored).unwrap(), **project.schema());
    while let Some(undone) = history.undo(&mut project) {
        undone.unwrap();
    }
    assert_eq!(written(&project), bare);
}

/// What a project of the first program holds.
#[test]
fn an_older_schema_is_read_and_written_as_it_was() {
    let old = r#"{"questions":[{"name":"sentiment","classes":[{"name":"bad","hue":0}]}],"span_labels":[{"name":"方面","key":"a","hue":3,"polarity":false}]}"#;
    let schema: Schema = serde_json::from_str(old).unwrap();
    assert_eq!((schema.help(class(0)), schema.key(class(0)), schema.key(LabelId::Span(0))), ("", Some('1'), Some('a')));
    assert_eq!(serde_json::to_string(&schema).unwrap(), old);
}

#[test]
fn templates_add_what_is_missing() {
    let (mut project, mut history) = (project(), History::default());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let change =
        SchemaChange::AddAll { classes: names(&["neutral", "喜悦"]), questions: vec![], spans: names(&["方面", "观点", "aspect"]) };
    commit(&mut project, &mut history, &change).unwrap();
    let schema = project.schema();
    let classes: Vec<&str> = schema.questions[0].classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(classes, ["negative", "neutral", "positive", "喜悦"]);
    let spans: Vec<_> = schema.span_labels.iter().map(|label| (label.name.as_str(), label.key, label.polarity)).collect();
    assert_eq!(spans, [("aspect", 'a', false), ("opinion", 'o', true), ("方面", 'b', false), ("观点", 'd', true)]);
    assert_eq!(
        LabelCounts::of(&project),
        LabelCounts { questions: vec![QuestionCount { answered: 3, classes: vec![1, 0, 2, 0] }], spans: vec![2, 1, 0, 0] }
    );
}

/// Small numbers from which a change is made.
type Dice = (u8, u8, u8, bool);

fn change_of(project: &Project, (kind, a, b, on): Dice) -> SchemaChange {
    const NAMES: [&str; 6] = ["good", "坏", "neutral", "aspect", "观点", "其他"];
    let name = NAMES[usize::from(b) % NAMES.len()].to_owned();
    let schema = project.schema();
    let at = |len: usize, dice: u8| (usize::from(dice) % (len + 1)) as u16;
    let (len, label) = match on {
        true => (schema.questions[0].classes.len(), class(at(schema.questions[0].classes.len(), a))),
        false => (schema.span_labels.len(), LabelId::Span(at(schema.span_labels.len(), a))),
    };
    match kind % 12 {
        0 => SchemaChange::AddClass { question: MAIN, name },
        1 => SchemaChange::AddSpanLabel { name },
        2 => SchemaChange::Rename { label, to: name },
        3 => SchemaChange::SetHue { label, to: b },
        4 => SchemaChange::SetKey { label, to: (b % 4 > 0).then(|| char::from(b'1' + b % 60)) },
        5 => SchemaChange::SetHelp { label, to: if b % 3 == 0 { String::new() } else { name } },
        6 => SchemaChange::SetPolarity { label: at(schema.span_labels.len(), a), to: b % 2 == 0 },
        7 => SchemaChange::Move { label, to: at(len, b) },
        8 => SchemaChange::Merge { label, into: at(len, b) },
        9 => SchemaChange::Delete { label },
        10 => SchemaChange::Split { label, to: name, docs: [a, b].map(|doc| DocId(u32::from(doc % 4))).into() },
        _ => SchemaChange::AddAll { classes: vec![name.clone()], questions: vec![], spans: vec![name] },
    }
}

/// An answer, a span or a link, drawn from the same numbers.
fn edit_of(project: &Project, (kind, a, b, on): Dice) -> Edit {
    let doc = DocId(u32::from(a % 4));
    let schema = project.schema();
    match kind % 4 {
        0 => Edit::SetAnswer {
            doc,
            question: MAIN,
            to: on.then(|| Answer::Class(u16::from(b) % (schema.questions[0].classes.len() as u16 + 1))),
        },
        1 | 2 => {
            let start = usize::from(b) % 6;
            let range = TextRange::from_chars(TEXT, start..start + 2).unwrap();
            let label = u16::from(b) % (schema.span_labels.len() as u16 + 1);
            Edit::PutSpan { doc, id: SpanId(u32::from(b % 5)), span: Span { range, label, polarity: on.then_some(Polarity::Neutral) } }
        }
        _ => Edit::PutLink { doc, link: Link { from: SpanId(u32::from(b % 5)), to: SpanId(u32::from(b / 5 % 5)) } },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_is_undone_and_redone_exactly(moves in prop::collection::vec((any::<bool>(), any::<Dice>()), 1..40)) {
        let (mut project, mut history) = (project(), History::default());
        let mut seen = vec![written(&project)];
        for (labels, dice) in moves {
            let edits = match labels {
                true => match project.plan(&change_of(&project, dice)) {
                    Ok(plan) => plan.edits,
                    Err(_) => continue,
                },
                false => vec![edit_of(&project, dice)],
            };
            if edits.is_empty() {
                continue;
            }
            let outcome = history.commit(&mut project, String::new(), String::new(), 0, edits);
            prop_assert!(!labels || outcome.is_ok(), "a planned change did not fit: {outcome:?}");
            if outcome.is_ok() {
                seen.push(written(&project));
            }
            let schema = project.schema();
            for label in (0..schema.questions[0].classes.len() as u16).map(class).chain((0..schema.span_labels.len() as u16).map(LabelId::Span)) {
                let twice = schema.key(label).and_then(|key| schema.key_use(key, label));
                prop_assert_eq!(twice, None, "{:?}", label);
            }
        }
        for wanted in seen.iter().rev().skip(1) {
            let undone = history.undo(&mut project);
            prop_assert!(matches!(undone, Some(Ok(_))), "{undone:?}");
            prop_assert_eq!(&written(&project), wanted);
        }
        for wanted in seen.iter().skip(1) {
            let redone = history.redo(&mut project);
            prop_assert!(matches!(redone, Some(Ok(_))), "{redone:?}");
            prop_assert_eq!(&written(&project), wanted);
        }
    }
}

// The desk and its file.

fn labelled(folder: &Path) -> Desk {
    let mut desk = desk_in(folder);
    desk.run(Command::SetLanguage(Language::English));
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    for class in [0, 1, 2, 2] {
        desk.run(Command::AddDocument(TEXT.to_owned()));
        let doc = DocId::from_index(desk.project().unwrap().documents().count() - 1);
        desk.run(Command::SetClass { doc, class: Some(class) });
        desk.run(Command::AddSpan { doc, range: span("屏幕", 0, None).range, label: 0 });
        desk.run(Command::AddLinkedSpan { doc, range: span("很清晰", 1, None).range, label: 1, to: SpanId(0) });
        desk.run(Command::SetState { doc, to: State::Done });
    }
    desk
}

fn change(desk: &mut Desk, change: SchemaChange) {
    desk.run(Command::ChangeSchema(Box::new(change)));
}

#[test]
fn merging_and_deleting_survive_a_restart_and_are_undone_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = labelled(folder.path());
    let mut seen = vec![written(desk.project().unwrap())];
    for wish in [
        SchemaChange::Merge { label: class(2), into: 0 },
        SchemaChange::Delete { label: LabelId::Span(0) },
        SchemaChange::SetHelp { label: class(0), to: "差评".into() },
        SchemaChange::Move { label: class(1), to: 0 },
        SchemaChange::Delete { label: class(0) },
    ] {
        change(&mut desk, wish);
        seen.push(written(desk.project().unwrap()));
    }
    let reopened = |desk: Desk| {
        drop(desk);
        let mut desk = desk_in(folder.path());
        desk.run(Command::OpenProject(folder.path().join("p.gloss")));
        desk
    };
    desk = reopened(desk);
    assert_eq!(Some(&written(desk.project().unwrap())), seen.last());
    for wanted in seen.iter().rev().skip(1) {
        desk.run(Command::Undo);
        assert_eq!(&written(desk.project().unwrap()), wanted);
        desk = reopened(desk);
        assert_eq!(&written(desk.project().unwrap()), wanted, "after closing and opening");
    }
    for wanted in seen.iter().skip(1) {
        desk.run(Command::Redo);
        assert_eq!(&written(desk.project().unwrap()), wanted);
    }
}

#[test]
fn a_change_that_touches_answers_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = labelled(folder.path());
    let said = |desk: &Desk, words: &str| desk.notices().any(|notice| *notice == Notice::SchemaChanged(words.to_owned()));
    change(&mut desk, SchemaChange::Delete { label: class(2) });
    assert!(said(&desk, "delete class positive: 2 answers"), "{:?}", desk.notices().collect::<Vec<_>>());
    assert_eq!(desk.history().unwrap().next_undo().unwrap().name, "delete class positive: 2 answers");
    desk.run(Command::SetLanguage(Language::Chinese));
    change(&mut desk, SchemaChange::Delete { label: LabelId::Span(1) });
    assert!(said(&desk, "删除片段标签「opinion」：4 个片段，4 个连接"));
    let notices = desk.notified();
    change(&mut desk, SchemaChange::Rename { label: class(0), to: "差评".into() });
    change(&mut desk, SchemaChange::Rename { label: class(0), to: "差评".into() });
    assert_eq!(desk.notified(), notices, "a name touches no answer");
    assert_eq!(desk.history().unwrap().next_undo().unwrap().name, "将类别「negative」改名为「差评」");
    change(&mut desk, SchemaChange::Delete { label: class(7) });
    assert!(matches!(desk.notices().last(), Some(Notice::Failed(_))));
}

#[test]
fn a_filter_follows_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = labelled(folder.path());
    let both = |class, label| vec![Condition::new(What::Class(MAIN, Some(class))), Condition::new(What::Span(label))];
    desk.run(Command::SetFilter(Filter { conditions: both(2, 1), ..Filter::default() }));
    assert_eq!(desk.queue().len(), 2);
    change(&mut desk, SchemaChange::Move { label: class(2), to: 0 });
    change(&mut desk, SchemaChange::Rename { label: class(0), to: "好".into() });
    change(&mut desk, SchemaChange::Delete { label: LabelId::Span(0) });
    assert_eq!(desk.filter().conditions, both(0, 0));
    assert_eq!(desk.queue().len(), 2, "the same documents");
    for _ in 0..3 {
        desk.run(Command::Undo);
    }
    assert_eq!(desk.filter().conditions, both(2, 1));
    change(&mut desk, SchemaChange::Delete { label: class(2) });
    assert_eq!((desk.filter().conditions.as_slice(), desk.queue().len()), (&[Condition::new(What::Span(1))][..], 4));
}
