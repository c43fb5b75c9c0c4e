//! Everything a person can ask of the desk that changes a project, in any order: answers, spans, attributes, links, bulk
//! edits, comments, the schema, several annotators, imports and merges. Undone step by step the project is what it was at
//! each of them, byte for byte; redone, the same again; and its file holds it.

use crate::desk::{desk_in, poll_until};
use gloss::desk::{Column, Command, Desk, ImportOptions, Importing, Merging};
use gloss::project::{
    AnnotatorId, Answer, AttributeChange, AttributeKind, AttributeValue, CommentId, DocId, Document, Filter, Kind, LabelId, Layer,
    LinkTypeChange, Number, Order, Polarity, QuestionId, Scale, SchemaChange, SpanId, State, TextRange, View, What, WordRule,
};
use proptest::prelude::*;
use std::path::Path;

const TEXTS: [&str; 4] =
    ["屏幕很清晰，电池不耐用，屏幕👨🏻‍🚒好。", "Great screen, poor battery\r\nGreat cafe\u{301}", "“贵”！", "电池好 screen ok"];

/// Every byte that the file would hold of the project itself.
fn written(desk: &Desk) -> String {
    let project = desk.project().unwrap();
    let documents: Vec<&Document> = project.documents().collect();
    serde_json::to_string(&(&**project.schema(), documents, project.annotators(), project.guidelines())).unwrap()
}

/// Numbers that choose.
type Dice = (u8, u8, u8, u8);

fn answer_to(kind: Kind, dice: u8) -> Option<Answer> {
    Some(match kind {
        _ if dice.is_multiple_of(5) => return None,
        Kind::One => Answer::Class(u16::from(dice % 3)),
        Kind::Several => Answer::Classes([u16::from(dice % 2), u16::from(dice % 3)].into()),
        Kind::Number(scale) => Answer::Number(scale.of_digit(dice % 9 + 1)?),
        Kind::Text => Answer::Text(format!("备注 {dice}👍")),
    })
}

fn a_document(desk: &Desk, dice: u8) -> Document {
    let documents: Vec<&Document> = desk.project().unwrap().documents().collect();
    let document = documents[usize::from(dice) % documents.len()];
    document.seen_in(desk.layer()).into_owned()
}

/// A few of the document's characters.
fn a_range(document: &Document, (a, b): (u8, u8)) -> Option<TextRange> {
    let starts: Vec<usize> = document.text.char_indices().map(|(at, _)| at).chain([document.text.len()]).collect();
    let from = usize::from(a) % (starts.len() - 1);
    let to = (from + 1 + usize::from(b % 4)).min(starts.len() - 1);
    TextRange::new(&document.text, starts[from]..starts[to])
}

fn a_span(document: &Document, dice: u8) -> SpanId {
    let ids: Vec<SpanId> = document.annotation.spans.keys().copied().collect();
    if ids.is_empty() { SpanId(0) } else { ids[usize::from(dice) % ids.len()] }
}

/// About one document.
fn about_a_document(desk: &Desk, (kind, at, a, b): Dice) -> Vec<Command> {
    let document = a_document(desk, at);
    let (doc, id, other) = (document.id, a_span(&document, a), a_span(&document, b));
    let label = u16::from(b % 2);
    let polarity = [None, Some(Polarity::Positive), Some(Polarity::Negative), Some(Polarity::Neutral)][usize::from(b % 4)];
    let schema = desk.project().unwrap().schema();
    let range = a_range(&document, (a, b));
    let ghost = desk.ghosts(doc).first().cloned();
    let one = match kind % 18 {
        0..=2 => range.map(|range| Command::AddSpan { doc, range, label }),
        3 => range.map(|range| Command::AddLinkedSpan { doc, range, label, to: id }),
        4 => range.map(|range| Command::ChangeSpan { doc, id, range, label }),
        5 => Some(Command::RemoveSpan { doc, id }),
        6 => Some(Command::SetPolarity { doc, id, to: polarity }),
        7 => Some(Command::ToggleLink { doc, from: id, to: other }),
        8 => Some(Command::LinkAs { doc, from: id, to: other, link_type: u16::from(a % 2) }),
        9 | 10 => {
            let number = AttributeValue::Number(Number::new(f64::from(b % 3) / 2.0).unwrap());
            let values = [None, Some(AttributeValue::Value(u16::from(b % 2))), Some(number)];
            Some(Command::SetAttribute { doc, id, attribute: u16::from(a % 2), to: values[usize::from(b % 3)] })
        }
        11 => {
            let question = QuestionId(u16::from(a) % schema.questions.len().max(1) as u16);
            schema.question(question).map(|asked| Command::SetAnswer { doc, question, to: answer_to(asked.kind, b) })
        }
        12 => Some(Command::SetFlag { doc, to: b % 2 == 0 }),
        13 => Some([Command::Finish(doc), Command::Skip(doc), Command::SkipBecause(doc, "广告".into())][usize::from(b % 3)].clone()),
        14 => Some(Command::SetState { doc, to: State::Todo }),
        15 => Some(Command::MarkEverywhere { doc, id }),
        16 => ghost.map(|ghost| match b % 2 {
            0 => Command::AcceptSpan { doc, range: ghost.range, label: ghost.label },
            _ => Command::RejectSpan { doc, range: ghost.range, label: ghost.label },
        }),
        _ => Some(Command::AcceptAll(doc)),
    };
    one.into_iter().collect()
}

/// About many documents at once, and the comments, guidelines and people.
fn about_many(desk: &Desk, (kind, at, a, b): Dice) -> Vec<Command> {
    let document = a_document(desk, at);
    let doc = document.id;
    let schema = desk.project().unwrap().schema();
    let question = QuestionId(u16::from(a) % schema.questions.len().max(1) as u16);
    let words = ["屏幕", "电池", "screen", "Great"][usize::from(b % 4)].to_owned();
    let comment = document.comments.keys().next().copied().unwrap_or(CommentId(0));
    let filters = [Filter::default(), Filter::of(What::Flagged), Filter { search: "屏".into(), ..Filter::default() }];
    let listed = Command::SetFilter(filters[usize::from(at % 3)].clone());
    let all = Command::SetFilter(Filter::default());
    let layers = [Layer::Outcome, Layer::Own(AnnotatorId(0)), Layer::Own(AnnotatorId(1))];
    match kind % 10 {
        0 | 1 => match schema.question(question) {
            Some(asked) => vec![listed, Command::AnswerQueue { question, to: answer_to(asked.kind, b) }, all],
            None => vec![],
        },
        2 => vec![listed, Command::MarkInQueue { words, label: u16::from(a % 2) }, all],
        3 => vec![Command::UnmarkInQueue { words, label: u16::from(a % 2) }],
        4 => vec![Command::AddComment { doc, text: format!("为什么 {a}？\r\n👍🏻") }],
        5 => vec![Command::ResolveComment { doc, id: comment, to: a % 2 == 0 }],
        6 => vec![Command::RemoveComment { doc, id: comment }],
        7 => vec![Command::SetGuidelines(format!("# 指南 {a}"))],
        8 => vec![Command::AddAnnotators { names: vec![format!("梅{}", a % 2)], takes_over: b % 2 == 0 }, Command::WorkIn(layers[1])],
        _ => match b % 3 {
            0 => vec![Command::WorkIn(layers[usize::from(a % 3)])],
            1 => vec![Command::Adopt { doc, from: AnnotatorId(u16::from(a % 2)) }],
            _ => vec![Command::AdoptAgreed],
        },
    }
}

/// About what is asked.
fn about_the_schema(desk: &Desk, (kind, at, a, b): Dice) -> SchemaChange {
    use AttributeChange as A;
    use SchemaChange as S;
    let question = QuestionId(u16::from(at % 3));
    let label = match at % 2 {
        0 => LabelId::Class(QuestionId(0), u16::from(a % 3)),
        _ => LabelId::Span(u16::from(a % 3)),
    };
    let name = format!("名 {a}");
    let attribute = u16::from(a % 2);
    let change = |change| S::Attribute { label: 0, change };
    let link = |change| S::LinkType(change);
    let docs = desk.project().unwrap().documents().map(|doc| doc.id).take(2).collect();
    match kind % 27 {
        0 => S::AddClass { question: QuestionId(0), name },
        1 => S::AddSpanLabel { name },
        2 => S::Rename { label, to: name },
        3 => S::Merge { label, into: u16::from(b % 3) },
        4 => S::Split { label, to: name, docs },
        5 => S::Delete { label },
        6 => S::Move { label, to: u16::from(b % 3) },
        7 => S::SetHue { label, to: b % 8 },
        8 => S::SetKey { label, to: Some('x') },
        9 => S::SetHelp { label, to: name },
        10 => S::SetPolarity { label: u16::from(a % 2), to: b % 2 == 0 },
        11 => S::AddQuestion { name, kind: [Kind::One, Kind::Several, Kind::Number(Scale::default()), Kind::Text][usize::from(b % 4)] },
        12 => S::SetKind { question, to: [Kind::One, Kind::Several, Kind::Number(Scale::default()), Kind::Text][usize::from(b % 4)] },
        13 => S::MoveQuestion { question, to: u16::from(b % 3) },
        14 => S::DeleteQuestion { question: QuestionId(1 + u16::from(a % 2)) },
        15 => change(A::Add { name, kind: AttributeKind::Values(vec!["硬件".into(), "food".into()]) }),
        16 => change(A::Add { name, kind: AttributeKind::Number(Scale::default()) }),
        17 => change(A::Move { attribute, to: u16::from(b % 2) }),
        18 => change(A::Delete { attribute }),
        19 => change(A::MergeValue { attribute, value: 0, into: 1 }),
        20 => change(A::DeleteValue { attribute, value: u16::from(b % 2) }),
        21 => link(LinkTypeChange::Add { name }),
        22 => link(LinkTypeChange::Move { at: u16::from(a % 2), to: u16::from(b % 2) }),
        23 => link(LinkTypeChange::Merge { at: 1, into: 0 }),
        24 => link(LinkTypeChange::Delete { at: u16::from(a % 2) }),
        25 => S::AddWords { words: vec![WordRule { pattern: "耐用".into(), label: 1 }] },
        _ => {
            let view = View { name, filter: Filter::of(What::Class(QuestionId(0), Some(u16::from(b % 3)))), order: Order::Longest };
            S::SaveView { view: Box::new(view) }
        }
    }
}

fn import(desk: &mut Desk, folder: &Path, dice: u8) {
    let path = folder.join(format!("r{}.csv", dice % 3));
    let rows = format!(
        "text,class,店\r\n新的一条 {dice}👍,positive,A\r\n\"a, \"\"b\"\"\",mixed {},\"B 店\"\r\n{},negative,\r\n",
        dice % 2,
        "“贵”！"
    );
    std::fs::write(&path, rows).unwrap();
    let by_name = |name: &str| Column::parse(name);
    let options = ImportOptions { text: by_name("text"), label: Some(by_name("class")), header: true, ..ImportOptions::default() };
    desk.run(Command::Import { path, options: Box::new(options) });
    poll_until(desk, |desk| matches!(desk.importing(), Importing::Report { .. } | Importing::Failed { .. }));
    desk.run(Command::DismissImport);
}

fn merge(desk: &mut Desk, colleague: &Path) {
    desk.run(Command::PreviewMerge { path: colleague.to_owned(), name: Some("Jun 君".to_owned()) });
    poll_until(desk, |desk| matches!(desk.merging(), Merging::Ready { .. } | Merging::Failed { .. }));
    desk.run(Command::Merge);
    poll_until(desk, |desk| matches!(desk.merging(), Merging::Idle | Merging::Failed { .. }));
    desk.run(Command::DismissMerge);
}

/// A colleague's project of some of these reviews and one of their own.
fn colleague(folder: &Path) {
    let mut desk = desk_in(&folder.join("theirs"));
    desk.run(Command::NewProject { path: folder.join("theirs.gloss"), classes: vec![], spans: vec![] });
    for (at, text) in [TEXTS[1], "只有他们有的一条", TEXTS[0]].into_iter().enumerate() {
        desk.run(Command::AddDocument(text.to_owned()));
        let doc = DocId::from_index(at);
        desk.run(Command::SetClass { doc, class: Some(at as u16) });
        let range = TextRange::new(text, 0..text.chars().next().unwrap().len_utf8()).unwrap();
        desk.run(Command::AddSpan { doc, range, label: 0 });
        desk.run(Command::Finish(doc));
    }
}

/// What a person may ask for next, drawn from numbers.
fn ask(desk: &mut Desk, folder: &Path, (kind, dice): (u8, Dice)) {
    if desk.project().unwrap().documents().next().is_none() {
        return;
    }
    match kind % 16 {
        0..=7 => about_a_document(desk, dice).into_iter().for_each(|command| desk.run(command)),
        8..=10 => about_many(desk, dice).into_iter().for_each(|command| desk.run(command)),
        11 | 12 => {
            let change = about_the_schema(desk, dice);
            desk.run(Command::ChangeSchema(Box::new(change)));
        }
        13 => import(desk, folder, dice.0),
        14 => merge(desk, &folder.join("theirs.gloss")),
        _ => desk.run(if dice.0 % 3 == 0 { Command::Redo } else { Command::Undo }),
    }
}

fn start(folder: &Path) -> Desk {
    std::fs::create_dir_all(folder.join("theirs")).unwrap();
    colleague(folder);
    let mut desk = desk_in(folder);
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    TEXTS.iter().for_each(|text| desk.run(Command::AddDocument((*text).to_owned())));
    let words = [("电池", 0), ("Great", 1)].map(|(pattern, label)| WordRule { pattern: pattern.to_owned(), label });
    for change in [
        SchemaChange::AddQuestion { name: "intensity".into(), kind: Kind::Number(Scale::default()) },
        SchemaChange::Attribute {
            label: 0,
            change: AttributeChange::Add { name: "category".into(), kind: AttributeKind::Values(vec!["硬件".into(), "food".into()]) },
        },
        SchemaChange::Attribute {
            label: 0,
            change: AttributeChange::Add { name: "强度".into(), kind: AttributeKind::Number(Scale::default()) },
        },
        SchemaChange::LinkType(LinkTypeChange::Add { name: "part of".into() }),
        SchemaChange::AddWords { words: words.into() },
    ] {
        desk.run(Command::ChangeSchema(Box::new(change)));
    }
    for (text, at) in TEXTS.iter().zip(0u32..) {
        let first = text.chars().next().unwrap().len_utf8();
        desk.run(Command::AddSpan { doc: DocId(at), range: TextRange::new(text, 0..first).unwrap(), label: 0 });
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: proptest::test_runner::RngSeed::Fixed(1), max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_was_asked_is_undone_and_redone_byte_for_byte(
        wishes in prop::collection::vec((any::<u8>(), any::<(u8, u8, u8, u8)>()), 10..50)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = start(folder.path());
        // What the project was after each number of steps, as long as no step was made over.
        let mut was: Vec<(usize, String)> = Vec::new();
        for wish in wishes {
            ask(&mut desk, folder.path(), wish);
            let done = desk.history().unwrap().done().len();
            was.retain(|(steps, _)| *steps < done);
            was.push((done, written(&desk)));
        }
        let path = desk.path().unwrap().to_owned();
        let after = written(&desk);
        desk.run(Command::WorkIn(Layer::Outcome));
        drop(desk);
        let mut desk = desk_in(folder.path());
        desk.run(Command::OpenProject(path));
        prop_assert_eq!(&written(&desk), &after, "the file has it all");
        let steps = desk.history().unwrap().done().len();
        let mut seen = vec![written(&desk)];
        for left in (0..steps).rev() {
            desk.run(Command::Undo);
            seen.push(written(&desk));
            if let Some((_, wanted)) = was.iter().find(|(done, _)| *done == left) {
                prop_assert_eq!(seen.last().unwrap(), wanted, "undone to {} steps", left);
            }
        }
        prop_assert_eq!(desk.project().unwrap().documents().count(), 0, "back at the very beginning");
        for wanted in seen.iter().rev().skip(1) {
            desk.run(Command::Redo);
            prop_assert_eq!(&written(&desk), wanted);
        }
    }
}

/// The draws reach every kind of step that is named at the top, so that the property speaks about each.
#[test]
fn the_draws_reach_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = start(folder.path());
    let before = desk.history().unwrap().done().len();
    for (kind, dice) in [
        (0, (9, 0, 0, 1)),  // an attribute
        (8, (0, 0, 0, 1)),  // one answer for the list
        (8, (2, 0, 1, 1)),  // words of the list as spans
        (8, (4, 0, 0, 0)),  // a comment
        (8, (5, 0, 0, 0)),  // which is resolved
        (11, (5, 1, 0, 0)), // a label goes
        (13, (0, 0, 0, 0)), // a file comes in
        (14, (0, 0, 0, 0)), // a colleague's project comes in
    ] {
        let held = desk.history().unwrap().done().len();
        ask(&mut desk, folder.path(), (kind, dice));
        assert!(desk.history().unwrap().done().len() > held, "{kind} {dice:?}: {:?}", desk.notices().last());
    }
    assert_eq!(desk.history().unwrap().done().len(), before + 8);
}
