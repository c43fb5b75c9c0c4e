//! What spans and links say besides place, label and polarity: attributes and types. Through changes of the schema, the
//! file (old and new), JSON Lines both ways, and the merge with a colleague.

use crate::desk::desk_in;
use gloss::desk::Command;
use gloss::project::{
    Annotation, AnnotatorId, AttributeChange, AttributeKind, AttributeValue, Attributes, Colleague, DocId, Document, Edit, EditError,
    Filter, History, LabelId, Link, LinkTypeChange, Number, Order, Polarity, Project, QuestionId, Queue, Scale, Schema, SchemaChange,
    SchemaError, Span, SpanId, TextRange, View, What,
};
use gloss::store::export::{ExportFormat, export};
use gloss::store::import::{self, Column, ImportOptions};
use gloss::store::{Opened, ProjectFile, export_jsonl};
use proptest::prelude::*;
use std::collections::HashSet;
use std::ops::ControlFlow;

const TEXTS: [&str; 2] = ["屏幕很清晰，电池差；服务好👨🏻‍🚒。", "Great cafe\u{301},\r\nbad service"];
const DOC: DocId = DocId(0);

fn number(value: f64) -> Number {
    Number::new(value).unwrap()
}

fn value(at: u16) -> AttributeValue {
    AttributeValue::Value(at)
}

fn values(names: &[&str]) -> AttributeKind {
    AttributeKind::Values(names.iter().map(|name| (*name).to_owned()).collect())
}

fn attribute(label: u16, change: AttributeChange) -> SchemaChange {
    SchemaChange::Attribute { label, change }
}

fn span(doc: u32, part: &str, label: u16) -> Span {
    let text = TEXTS[doc as usize];
    let start = text.find(part).unwrap();
    Span { range: TextRange::new(text, start..start + part.len()).unwrap(), label, polarity: None }
}

fn link(from: u32, to: u32) -> Link {
    Link { from: SpanId(from), to: SpanId(to) }
}

/// A project with its history.
#[derive(Clone, Default)]
struct Made {
    project: Project,
    history: History,
}

impl Made {
    /// Aspects have a category and an intensity, opinions a tone; links are about something or part of something. The
    /// first document has two aspects and three opinions, of which most is said.
    fn new() -> Self {
        let mut made = Self::bare();
        for change in [
            attribute(0, AttributeChange::Add { name: "类别".into(), kind: values(&["hardware", "服务", "price"]) }),
            attribute(0, AttributeChange::Add { name: "intensity".into(), kind: AttributeKind::Number(Scale::default()) }),
            attribute(1, AttributeChange::Add { name: "类别".into(), kind: values(&["服务"]) }),
            SchemaChange::LinkType(LinkTypeChange::Add { name: "part of".into() }),
            SchemaChange::LinkType(LinkTypeChange::Add { name: "因为".into() }),
        ] {
            made.change(&change).unwrap();
        }
        let with = |id: u32, part: &str, label, said: &[(u16, AttributeValue)]| Edit::PutSpanWith {
            doc: DOC,
            id: SpanId(id),
            span: span(0, part, label),
            attributes: said.iter().copied().collect(),
        };
        made.run(vec![
            with(0, "屏幕", 0, &[(0, value(0)), (1, AttributeValue::Number(number(0.3)))]),
            with(1, "服务", 0, &[(0, value(1))]),
            with(2, "很清晰", 1, &[(0, value(0))]),
            with(3, "差", 1, &[]),
            with(4, "好", 1, &[]),
            Edit::PutLink { doc: DOC, link: link(2, 0) },
            Edit::PutLinkAs { doc: DOC, link: link(3, 4), link_type: 1 },
            Edit::PutLinkAs { doc: DOC, link: link(4, 1), link_type: 2 },
        ]);
        made
    }

    /// Without any of this.
    fn bare() -> Self {
        let mut made = Self { project: Project::new(Schema::default()), history: History::default() };
        let documents = TEXTS.iter().zip(0..).map(|(text, id)| Document::new(DocId(id), *text)).collect();
        made.run(vec![Edit::AddDocuments { first: DOC, count: 2, documents }]);
        made
    }

    #[track_caller]
    fn run(&mut self, edits: Vec<Edit>) {
        self.try_run(edits).unwrap();
    }

    fn try_run(&mut self, edits: Vec<Edit>) -> Result<(), EditError> {
        self.history.commit(&mut self.project, String::new(), "梅".into(), 1, edits).map(|_| ())
    }

    fn change(&mut self, change: &SchemaChange) -> Result<(), SchemaError> {
        let edits = self.project.plan(change)?.edits;
        self.try_run(edits).unwrap_or_else(|error| panic!("a plan fits its project: {change:?}: {error}"));
        Ok(())
    }

    fn said(&self) -> &Annotation {
        &self.project.document(DOC).unwrap().annotation
    }

    /// "屏幕 aspect 类别=hardware intensity=0.3" for each span, then "很清晰 > 屏幕 about" for each link.
    fn words(&self) -> Vec<String> {
        let (said, schema) = (self.said(), self.project.schema());
        let text = |id: SpanId| said.spans[&id].range.of(TEXTS[0]);
        let span = |(id, span): (&SpanId, &Span)| {
            let attributes = schema.attribute_words(span.label, said.attributes_of(*id));
            let attributes: String = attributes.into_iter().map(|(name, words)| format!(" {name}={words}")).collect();
            format!("{} {}{attributes}", text(*id), schema.span_labels[usize::from(span.label)].name)
        };
        let spans = said.spans.iter().map(span);
        let name = |link: &Link| schema.link_types()[usize::from(said.link_type(link))].name.clone();
        let links = said.links.iter().map(|link| format!("{} > {} {}", text(link.from), text(link.to), name(link)));
        spans.chain(links).collect()
    }
}

fn written(project: &Project) -> String {
    let documents: Vec<&Document> = project.documents().collect();
    serde_json::to_string(&(&**project.schema(), documents)).unwrap()
}

const ALL: [&str; 8] = [
    "屏幕 aspect 类别=hardware intensity=0.3",
    "服务 aspect 类别=服务",
    "很清晰 opinion 类别=服务",
    "差 opinion",
    "好 opinion",
    "很清晰 > 屏幕 about",
    "差 > 好 part of",
    "好 > 服务 因为",
];

/// [`ALL`] with some lines otherwise, and some gone.
fn all_but(other: &[(usize, &str)]) -> Vec<String> {
    let line =
        |(at, line): (usize, &&str)| other.iter().find(|(held, _)| *held == at).map_or((*line).to_owned(), |(_, line)| (*line).into());
    ALL.iter().enumerate().map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn what_was_said_follows_changes_of_the_schema_and_comes_back() {
    use AttributeChange as A;
    use LinkTypeChange as L;
    let rename = |to: &str| A::RenameValue { attribute: 0, value: 0, to: to.into() };
    let narrow = AttributeKind::Number(Scale::new(number(0.5), number(1.0), number(0.5)).unwrap());
    // Change; spans and links afterwards; attributes and links that change or go.
    let cases: Vec<(SchemaChange, Vec<String>, (usize, usize))> = vec![
        (attribute(0, A::Delete { attribute: 0 }), all_but(&[(0, "屏幕 aspect intensity=0.3"), (1, "服务 aspect")]), (2, 0)),
        (attribute(0, A::Delete { attribute: 1 }), all_but(&[(0, "屏幕 aspect 类别=hardware")]), (1, 0)),
        (attribute(0, A::DeleteValue { attribute: 0, value: 0 }), all_but(&[(0, "屏幕 aspect intensity=0.3")]), (1, 0)),
        (attribute(0, A::DeleteValue { attribute: 0, value: 2 }), all_but(&[]), (0, 0)),
        (attribute(0, A::MergeValue { attribute: 0, value: 0, into: 1 }), all_but(&[(0, "屏幕 aspect 类别=服务 intensity=0.3")]), (1, 0)),
        (attribute(0, A::MergeValue { attribute: 0, value: 1, into: 2 }), all_but(&[(1, "服务 aspect 类别=price")]), (1, 0)),
        (attribute(0, rename(" 硬件 ")), all_but(&[(0, "屏幕 aspect 类别=硬件 intensity=0.3")]), (0, 0)),
        (attribute(0, A::SetKind { attribute: 1, to: narrow }), all_but(&[(0, "屏幕 aspect 类别=hardware")]), (1, 0)),
        (attribute(0, A::SetKind { attribute: 1, to: values(&["0.3", "x"]) }), all_but(&[]), (0, 0)),
        (
            attribute(0, A::SetKind { attribute: 0, to: AttributeKind::Number(Scale::default()) }),
            all_but(&[(0, "屏幕 aspect intensity=0.3"), (1, "服务 aspect")]),
            (2, 0),
        ),
        (SchemaChange::LinkType(L::Delete { at: 1 }), all_but(&[(6, "")]), (0, 1)),
        (SchemaChange::LinkType(L::Delete { at: 0 }), all_but(&[(5, "")]), (0, 1)),
        (SchemaChange::LinkType(L::Merge { at: 2, into: 0 }), all_but(&[(7, "好 > 服务 about")]), (0, 1)),
        (SchemaChange::LinkType(L::Merge { at: 0, into: 2 }), all_but(&[(5, "很清晰 > 屏幕 因为")]), (0, 1)),
        (SchemaChange::LinkType(L::Move { at: 2, to: 0 }), all_but(&[]), (0, 0)),
        (SchemaChange::LinkType(L::Move { at: 0, to: 9 }), all_but(&[]), (0, 0)),
        (attribute(0, A::Move { attribute: 1, to: 0 }), all_but(&[(0, "屏幕 aspect intensity=0.3 类别=hardware")]), (0, 0)),
        (attribute(0, A::MoveValue { attribute: 0, value: 0, to: 2 }), all_but(&[]), (0, 0)),
        (SchemaChange::LinkType(L::Rename { at: 1, to: "续".into() }), all_but(&[(6, "差 > 好 续")]), (0, 0)),
        // A label's attributes go where it goes; where labels join, those of the same name and value are kept.
        (SchemaChange::Move { label: LabelId::Span(0), to: 1 }, all_but(&[]), (0, 0)),
        (SchemaChange::Merge { label: LabelId::Span(0), into: 1 }, all_but(&[(0, "屏幕 opinion"), (1, "服务 opinion 类别=服务")]), (2, 0)),
        (
            SchemaChange::Merge { label: LabelId::Span(1), into: 0 },
            all_but(&[(2, "很清晰 aspect 类别=服务"), (3, "差 aspect"), (4, "好 aspect")]),
            (0, 0),
        ),
    ];
    for (change, wanted, touched) in cases {
        let mut made = Made::new();
        let before = written(&made.project);
        let plan = made.project.plan(&change).unwrap();
        assert_eq!((plan.attributes, plan.links), touched, "{change:?}");
        made.change(&change).unwrap();
        assert_eq!(made.words(), wanted, "{change:?}");
        let after = written(&made.project);
        made.history.undo(&mut made.project).unwrap().unwrap();
        assert_eq!(written(&made.project), before, "{change:?}");
        made.history.redo(&mut made.project).unwrap().unwrap();
        assert_eq!(written(&made.project), after, "{change:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    use AttributeChange as A;
    let made = Made::new();
    for (change, error) in [
        (attribute(0, A::Add { name: " ".into(), kind: values(&[]) }), SchemaError::Nameless),
        (attribute(0, A::Add { name: "类别".into(), kind: values(&[]) }), SchemaError::Taken("类别".into())),
        (attribute(0, A::RenameValue { attribute: 0, value: 0, to: "price".into() }), SchemaError::Taken("price".into())),
        (attribute(0, A::AddValue { attribute: 1, name: "x".into() }), SchemaError::NoSuchAttribute),
        (attribute(0, A::MergeValue { attribute: 0, value: 1, into: 1 }), SchemaError::IntoItself),
        (attribute(7, A::Delete { attribute: 0 }), SchemaError::NoSuchLabel),
        (attribute(0, A::Move { attribute: 2, to: 0 }), SchemaError::NoSuchAttribute),
        (attribute(0, A::MoveValue { attribute: 0, value: 3, to: 0 }), SchemaError::NoSuchAttribute),
        (SchemaChange::LinkType(LinkTypeChange::Move { at: 3, to: 0 }), SchemaError::NoSuchLinkType),
        (SchemaChange::LinkType(LinkTypeChange::Add { name: "about".into() }), SchemaError::Taken("about".into())),
        (SchemaChange::LinkType(LinkTypeChange::Delete { at: 9 }), SchemaError::NoSuchLinkType),
    ] {
        assert_eq!(made.project.plan(&change).unwrap_err(), error, "{change:?}");
    }
    let only = Made::bare().project.plan(&SchemaChange::LinkType(LinkTypeChange::Delete { at: 0 }));
    assert_eq!(only.unwrap_err(), SchemaError::OnlyLinkType);
    let with = |said: &[(u16, AttributeValue)]| Edit::PutSpanWith {
        doc: DOC,
        id: SpanId(0),
        span: span(0, "屏幕", 0),
        attributes: said.iter().copied().collect(),
    };
    for edit in [
        with(&[(2, value(0))]),
        with(&[(0, value(3))]),
        with(&[(1, value(0))]),
        with(&[(1, AttributeValue::Number(number(1.5)))]),
        Edit::PutLinkAs { doc: DOC, link: link(0, 1), link_type: 3 },
    ] {
        let mut project = made.project.clone();
        assert_eq!(project.apply(edit.clone()).unwrap_err(), EditError::NotInSchema, "{edit:?}");
        assert_eq!(written(&project), written(&made.project));
    }
}

#[test]
fn a_span_keeps_its_attributes_until_its_label_changes() {
    let mut made = Made::new();
    let moved = Span { range: TextRange::new(TEXTS[0], 0..3).unwrap(), polarity: Some(Polarity::Neutral), ..span(0, "屏幕", 0) };
    made.run(vec![Edit::PutSpan { doc: DOC, id: SpanId(0), span: moved }]);
    assert_eq!(made.said().attributes_of(SpanId(0)).len(), 2);
    made.run(vec![Edit::PutSpan { doc: DOC, id: SpanId(0), span: Span { label: 1, ..moved } }]);
    assert!(made.said().attributes_of(SpanId(0)).is_empty());
    for _ in 0..2 {
        made.history.undo(&mut made.project).unwrap().unwrap();
    }
    assert_eq!(made.words(), ALL);
    // The same spans with another value are not the same answer.
    let (one, mut other) = (made.said().clone(), made.said().clone());
    assert!(one.says_the_same_as(&other));
    other.attributes.insert(SpanId(1), Attributes::default().with(0, Some(value(2))));
    assert!(!one.says_the_same_as(&other));
    let mut other = one.clone();
    other.link_types.remove(&link(3, 4));
    assert!(!one.says_the_same_as(&other));
    assert_eq!(one.main_links().copied().collect::<Vec<_>>(), [link(2, 0)]);
}

#[test]
fn the_file_keeps_everything_and_older_files_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("属性.gloss");
    let mut made = Made::new();
    made.run(vec![
        Edit::SetAnnotators { to: vec!["梅".into()] },
        Edit::SetAnnotation { doc: DOC, to: Box::new(made.said().clone()) }.by(AnnotatorId(0)),
    ]);
    drop(ProjectFile::create_filled(&path, &made.project, made.history.done()).unwrap());
    let Opened { mut file, mut project, mut history, .. } = ProjectFile::open(&path).unwrap();
    assert_eq!((project.all_documents(), project.schema()), (made.project.all_documents(), made.project.schema()));
    let edits = vec![
        Edit::RemoveLink { doc: DOC, link: link(3, 4) },
        Edit::PutSpanWith { doc: DOC, id: SpanId(3), span: span(0, "差", 1), attributes: Attributes::default().with(0, Some(value(0))) },
    ];
    let step = history.commit(&mut project, "x".into(), "梅".into(), 2, edits).unwrap();
    file.record(gloss::project::EntryKind::Do, &step, &project).unwrap();
    drop(file);
    let again = ProjectFile::open(&path).unwrap();
    assert_eq!(again.project.all_documents(), project.all_documents());
    let (mut project, mut history) = (again.project, again.history);
    drop(again.file);
    history.undo(&mut project).unwrap().unwrap();
    assert_eq!(written(&project), written(&made.project), "from the journal alone");

    // A file of format 2 has none of these tables.
    let old = folder.path().join("old.gloss");
    let bare = Made::bare();
    drop(ProjectFile::create_filled(&old, &bare.project, bare.history.done()).unwrap());
    let database = rusqlite::Connection::open(&old).unwrap();
    database.execute_batch("DROP TABLE attributes; DROP TABLE link_types; DROP TABLE rejected; PRAGMA user_version = 2;").unwrap();
    drop(database);
    let Opened { mut file, mut project, mut history, .. } = ProjectFile::open(&old).unwrap();
    assert_eq!(project.schema().link_types().len(), 1);
    let plan = project.plan(&attribute(0, AttributeChange::Add { name: "a".into(), kind: values(&["x"]) })).unwrap();
    let mut edits = plan.edits;
    edits.push(Edit::PutSpanWith {
        doc: DOC,
        id: SpanId(0),
        span: span(0, "屏幕", 0),
        attributes: Attributes::default().with(0, Some(value(0))),
    });
    let step = history.commit(&mut project, "x".into(), "梅".into(), 2, edits).unwrap();
    file.record(gloss::project::EntryKind::Do, &step, &project).unwrap();
    drop(file);
    assert_eq!(ProjectFile::open(&old).unwrap().project.all_documents(), project.all_documents());
}

/// Reads a file of ours into a project.
fn imported(into: &Project, lines: &[u8]) -> (Project, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    std::fs::write(&path, lines).unwrap();
    let options = ImportOptions { text: Column::Name("text".into()), ..ImportOptions::default() };
    let read = import::read(&path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert!(read.report.issues.is_empty(), "{:?}", read.report.issues);
    let (edits, remarks) = import::edits(into, read.drafts);
    let mut project = into.clone();
    edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    (project, remarks.into_iter().map(|remark| remark.reason).collect())
}

#[test]
fn json_lines_bring_everything_back_into_an_empty_project_too() {
    let made = Made::new();
    let mut lines = Vec::new();
    export_jsonl(&made.project, &mut lines).unwrap();
    let text = String::from_utf8(lines.clone()).unwrap();
    assert!(text.contains(r#""attributes":{"intensity":0.3,"类别":"hardware"}"#), "{text}");
    assert!(text.contains(r#"{"from":3,"to":4,"type":"part of"}"#) && text.contains(r#"{"from":2,"to":0}"#), "{text}");
    let empty = Project::new(Schema::clone(made.project.schema()));
    let (same, remarks) = imported(&empty, &lines);
    assert_eq!((written(&same), remarks), (written(&made.project), vec![]));
    let (other, remarks) = imported(&Project::new(Schema::with_names(&["odd"], &["aspect"])), &lines);
    let again = Made { project: other, history: History::default() };
    let (mut words, mut wanted) = (again.words(), ALL.map(str::to_owned).to_vec());
    // Attributes stand in the order in which the file brought them.
    for line in words.iter_mut().chain(&mut wanted) {
        let mut parts: Vec<&str> = line.split(' ').collect();
        parts.sort_unstable();
        *line = parts.join(" ");
    }
    assert_eq!(words, wanted);
    assert!(remarks.iter().any(|remark| remark.contains("attribute \"intensity\"")), "{remarks:?}");
    assert!(remarks.iter().any(|remark| remark.contains("type of link \"因为\"")), "{remarks:?}");
}

#[test]
fn formats_without_room_say_what_they_lose() {
    let made = Made::new();
    for format in ExportFormat::ALL {
        let lost = export(&made.project, format).unwrap().sentences().join("\n");
        let says = |words: &str| lost.contains(words);
        use ExportFormat as F;
        let attributes =
            [F::Jsonl, F::LabelStudio, F::Brat, F::WebAnno, F::HuggingFace, F::Prodigy, F::Doccano, F::Argilla].contains(&format);
        let types = attributes;
        let under_another_name = says("a span under another name") || says("written as _");
        assert!(says("an attribute of a span") != attributes || under_another_name, "{format:?}: {lost}");
        assert!(says("the type of a link") != types || under_another_name, "{format:?}: {lost}");
    }
}

#[test]
fn parts_of_an_opinion_are_one_in_aste() {
    let mut made = Made::new();
    made.change(&SchemaChange::LinkType(LinkTypeChange::SetParts { at: 1, to: true })).unwrap();
    let opinion = Span { polarity: Some(Polarity::Negative), ..span(0, "很清晰", 1) };
    made.run(vec![
        Edit::PutSpan { doc: DOC, id: SpanId(2), span: opinion },
        Edit::PutLinkAs { doc: DOC, link: link(3, 2), link_type: 1 },
        // Both parts are linked with the aspect: still one triplet.
        Edit::PutLink { doc: DOC, link: link(4, 0) },
    ]);
    let (said, schema) = (made.said().clone(), made.project.schema().clone());
    assert_eq!(said.whole(&schema, SpanId(4)), [2, 3, 4].map(SpanId));
    assert_eq!(said.whole(&schema, SpanId(0)), [SpanId(0)]);
    let exported = export(&made.project, ExportFormat::Aste).unwrap();
    let text = String::from_utf8(exported.bytes.clone()).unwrap();
    assert!(text.lines().next().unwrap().ends_with("[([0, 1], [2, 3, 4, 8, 12], 'NEG')]"), "{text}");
    let lost = exported.sentences().join("\n");
    assert!(lost.contains("a link of another type than the first"), "{lost}");
}

#[test]
fn a_colleagues_attributes_and_types_find_ours_by_name() {
    let mut ours = Made::bare();
    for change in [
        attribute(
            0,
            AttributeChange::Add {
                name: "intensity".into(),
                kind: AttributeKind::Number(Scale::new(number(0.0), number(0.1), number(0.1)).unwrap()),
            },
        ),
        attribute(0, AttributeChange::Add { name: "类别".into(), kind: values(&["服务", "food"]) }),
        attribute(1, AttributeChange::Add { name: "类别".into(), kind: AttributeKind::Number(Scale::default()) }),
        SchemaChange::LinkType(LinkTypeChange::Add { name: "因为".into() }),
    ] {
        ours.change(&change).unwrap();
    }
    let theirs = Made::new();
    let colleague = Colleague { project: &theirs.project, history: &theirs.history, name: "Jun" };
    let plan = ours.project.plan_merge(&ours.history, "梅", &colleague).unwrap();
    assert_eq!(plan.report.new_labels, ["hardware", "price", "类别 (2)", "part of"]);
    let before = written(&ours.project);
    ours.run(plan.edits);
    let said = ours.project.document(DOC).unwrap().layers[&AnnotatorId(1)].clone();
    ours.run(vec![Edit::SetAnnotation { doc: DOC, to: Box::new(said) }]);
    let wanted = all_but(&[(0, "屏幕 aspect intensity=0.3 类别=hardware"), (2, "很清晰 opinion 类别 (2)=服务")]);
    assert_eq!(ours.words(), wanted);
    let plan = ours.project.plan_merge(&ours.history, "梅", &colleague).unwrap();
    assert_eq!((plan.edits, plan.report.layers["Jun"].same), (vec![], 1), "a second time it brings nothing");
    for _ in 0..2 {
        ours.history.undo(&mut ours.project).unwrap().unwrap();
    }
    assert_eq!(written(&ours.project), before);
}

#[test]
fn gestures_set_attributes_and_types_with_names_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::NewProject { path: folder.path().join("p.gloss"), classes: vec![], spans: vec![] });
    desk.run(Command::AddDocument(TEXTS[0].to_owned()));
    let plans = [
        attribute(0, AttributeChange::Add { name: "category".into(), kind: values(&["food", "price"]) }),
        attribute(1, AttributeChange::Add { name: "category".into(), kind: values(&["price"]) }),
        SchemaChange::LinkType(LinkTypeChange::Add { name: "part of".into() }),
        SchemaChange::LinkType(LinkTypeChange::SetEnds { at: 0, from: Some(1), to: Some(0) }),
    ];
    plans.into_iter().for_each(|change| desk.run(Command::ChangeSchema(Box::new(change))));
    let range = |part: &str, label| span(0, part, label).range;
    for (part, label) in [("屏幕", 0), ("很清晰", 1), ("差", 1)] {
        desk.run(Command::AddSpan { doc: DOC, range: range(part, label), label });
    }
    let (aspect, opinion, other) = (SpanId(0), SpanId(1), SpanId(2));
    let last = |desk: &gloss::desk::Desk| desk.history().unwrap().next_undo().unwrap().name.clone();
    desk.run(Command::SetAttribute { doc: DOC, id: aspect, attribute: 0, to: Some(value(1)) });
    assert_eq!(last(&desk), "category of 屏幕: price");
    let steps = desk.history().unwrap().done().len();
    desk.run(Command::SetAttribute { doc: DOC, id: aspect, attribute: 0, to: Some(value(1)) });
    desk.run(Command::SetAttribute { doc: DOC, id: aspect, attribute: 4, to: Some(value(1)) });
    assert_eq!(desk.history().unwrap().done().len(), steps, "nothing new, nothing known");
    let said = |desk: &gloss::desk::Desk| desk.project().unwrap().document(DOC).unwrap().annotation.clone();
    // Another label that knows the value by name.
    desk.run(Command::ChangeSpan { doc: DOC, id: aspect, range: range("屏幕", 0), label: 1 });
    assert_eq!(said(&desk).attributes_of(aspect).get(0), Some(value(0)));
    desk.run(Command::Undo);
    // The type that may join the labels, then another, then the same again.
    desk.run(Command::ToggleLink { doc: DOC, from: opinion, to: other });
    assert_eq!((last(&desk).as_str(), said(&desk).link_type(&link(1, 2))), ("link spans: part of", 1));
    desk.run(Command::LinkAs { doc: DOC, from: opinion, to: other, link_type: 0 });
    assert_eq!((said(&desk).links.len(), said(&desk).link_type(&link(1, 2))), (1, 0));
    desk.run(Command::LinkAs { doc: DOC, from: opinion, to: other, link_type: 0 });
    assert!(said(&desk).links.is_empty());
    desk.run(Command::AddLinkedSpan { doc: DOC, range: range("好", 1), label: 1, to: aspect });
    assert_eq!(said(&desk).link_type(&link(3, 0)), 0);
    desk.run(Command::RemoveSpan { doc: DOC, id: aspect });
    assert!(said(&desk).attributes.is_empty() && said(&desk).links.is_empty());
    desk.run(Command::Undo);
    assert_eq!(said(&desk).attributes_of(aspect).get(0), Some(value(1)));
    desk.run(Command::SetAttribute { doc: DOC, id: aspect, attribute: 0, to: None });
    assert_eq!(last(&desk), "no category of 屏幕");
}

#[test]
fn a_filter_asks_for_a_value_and_follows_it() {
    let made = Made::new();
    let wanted = Filter::of(What::Attribute(0, 0, 1));
    let found = |project: &Project, filter: &Filter| Queue::of(project, filter, Order::Arrival).ids().to_vec();
    assert_eq!(found(&made.project, &wanted), [DOC]);
    assert_eq!(found(&made.project, &Filter::of(What::Attribute(0, 0, 2))), []);
    let kept = |change: SchemaChange| {
        let mut made = made.clone();
        let view = Box::new(View { name: "服务".into(), filter: wanted.clone(), order: Order::Arrival });
        made.change(&SchemaChange::SaveView { view }).unwrap();
        made.change(&change).unwrap();
        let filter = made.project.schema().views[0].filter.clone();
        (filter.conditions.first().map(|held| held.what.clone()), found(&made.project, &filter).len())
    };
    use AttributeChange as A;
    for (change, what) in [
        (attribute(0, A::DeleteValue { attribute: 0, value: 0 }), Some(What::Attribute(0, 0, 0))),
        (attribute(0, A::RenameValue { attribute: 0, value: 1, to: "service".into() }), Some(What::Attribute(0, 0, 1))),
        (attribute(0, A::Rename { attribute: 0, to: "category".into() }), Some(What::Attribute(0, 0, 1))),
        (SchemaChange::Move { label: LabelId::Span(0), to: 1 }, Some(What::Attribute(1, 0, 1))),
        (SchemaChange::Rename { label: LabelId::Span(0), to: "方面".into() }, Some(What::Attribute(0, 0, 1))),
        (attribute(0, A::MoveValue { attribute: 0, value: 1, to: 0 }), Some(What::Attribute(0, 0, 0))),
        (attribute(0, A::Move { attribute: 0, to: 1 }), Some(What::Attribute(0, 1, 1))),
        (attribute(0, A::DeleteValue { attribute: 0, value: 1 }), None),
        (attribute(0, A::Delete { attribute: 0 }), None),
        (SchemaChange::Delete { label: LabelId::Span(0) }, None),
    ] {
        let (held, count) = kept(change.clone());
        assert_eq!(held, what, "{change:?}");
        // Without a condition everything is found.
        assert_eq!(count, if what.is_some() { 1 } else { 2 }, "{change:?}");
    }
}

#[test]
fn a_filter_by_numbers_follows_question_and_attribute() {
    let mut made = Made::new();
    made.change(&SchemaChange::AddQuestion { name: "强度".into(), kind: gloss::project::Kind::Number(Scale::default()) }).unwrap();
    let within = |from: &str, to: &str| gloss::project::Within::parse(from, to).unwrap();
    let answer = Edit::SetAnswer { doc: DOC, question: QuestionId(1), to: Some(gloss::project::Answer::Number(number(-0.4))) };
    made.history.commit(&mut made.project, "a".into(), "b".into(), 0, vec![answer]).unwrap();
    let found = |project: &Project, what: &What| Queue::of(project, &Filter::of(what.clone()), Order::Arrival).ids().to_vec();
    for (what, wanted) in [
        (What::Number(QuestionId(1), within("-0.5", "-0.4")), true),
        (What::Number(QuestionId(1), within("-0.3", "")), false),
        (What::Number(QuestionId(0), within("-1", "")), false),
        (What::AttributeNumber(0, 1, within("0.3", "0.3")), true),
        (What::AttributeNumber(0, 1, within("", "0.2")), false),
        (What::AttributeNumber(0, 0, within("0", "1")), false),
        (What::AttributeNumber(1, 1, within("0", "1")), false),
    ] {
        assert_eq!(!found(&made.project, &what).is_empty(), wanted, "{what:?}");
    }
    let conditions = [What::Number(QuestionId(1), within("-1", "")), What::AttributeNumber(0, 1, within("0", ""))];
    let filter = Filter { conditions: conditions.map(gloss::project::Condition::new).into(), ..Filter::default() };
    let view = Box::new(View { name: "v".into(), filter, order: Order::Arrival });
    made.change(&SchemaChange::SaveView { view }).unwrap();
    made.change(&SchemaChange::MoveQuestion { question: QuestionId(1), to: 0 }).unwrap();
    made.change(&attribute(0, AttributeChange::Move { attribute: 1, to: 0 })).unwrap();
    made.change(&SchemaChange::Move { label: LabelId::Span(0), to: 1 }).unwrap();
    let held: Vec<What> = made.project.schema().views[0].filter.conditions.iter().map(|held| held.what.clone()).collect();
    assert_eq!(held, [What::Number(QuestionId(0), within("-1", "")), What::AttributeNumber(1, 0, within("0", ""))]);
    made.change(&SchemaChange::DeleteQuestion { question: QuestionId(0) }).unwrap();
    made.change(&attribute(1, AttributeChange::Delete { attribute: 0 })).unwrap();
    assert_eq!(made.project.schema().views[0].filter.conditions, []);
}

#[test]
fn help_of_a_question_goes_where_it_goes() {
    let mut made = Made::bare();
    made.change(&SchemaChange::AddQuestion { name: "强度".into(), kind: gloss::project::Kind::Number(Scale::default()) }).unwrap();
    made.change(&SchemaChange::SetQuestionHelp { question: QuestionId(1), to: " 有多强烈？ ".into() }).unwrap();
    made.change(&SchemaChange::MoveQuestion { question: QuestionId(1), to: 0 }).unwrap();
    let help = |made: &Made| [0, 1].map(|at| made.project.schema().question_help(QuestionId(at)).to_owned());
    assert_eq!(help(&made), ["有多强烈？", ""]);
    made.change(&SchemaChange::DeleteQuestion { question: QuestionId(0) }).unwrap();
    assert_eq!(help(&made), ["", ""]);
    made.history.undo(&mut made.project).unwrap().unwrap();
    assert_eq!(help(&made), ["有多强烈？", ""]);
}

type Dice = (u8, u8, u8, u8);

fn schema_change((kind, a, b, c): Dice) -> SchemaChange {
    use AttributeChange as A;
    use LinkTypeChange as L;
    let name = ["x", "服务", "类别", "0.5", "about"][usize::from(c) % 5].to_owned();
    let (label, attribute, at, into) = (u16::from(a % 3), u16::from(b % 3), u16::from(c % 4), u16::from(b % 4));
    let kind_of = match c % 3 {
        0 => AttributeKind::Number(Scale::default()),
        1 => values(&["0.5", "服务"]),
        _ => values(&[]),
    };
    let change = match kind % 19 {
        0 => A::Add { name, kind: kind_of },
        1 => A::Rename { attribute, to: name },
        2 => A::SetKind { attribute, to: kind_of },
        3 => A::Delete { attribute },
        4 => A::AddValue { attribute, name },
        5 => A::DeleteValue { attribute, value: at },
        6 => A::MergeValue { attribute, value: at, into },
        7 => A::SetHelp { attribute, to: name },
        16 => A::Move { attribute, to: at },
        17 => A::MoveValue { attribute, value: at, to: into },
        18 => return SchemaChange::LinkType(L::Move { at, to: into }),
        8 => return SchemaChange::LinkType(L::Add { name }),
        9 => return SchemaChange::LinkType(L::Delete { at }),
        10 => return SchemaChange::LinkType(L::Merge { at, into }),
        11 => return SchemaChange::LinkType(L::SetEnds { at, from: Some(label), to: None }),
        12 => return SchemaChange::Move { label: LabelId::Span(label), to: at },
        13 => return SchemaChange::Merge { label: LabelId::Span(label), into },
        14 => return SchemaChange::Delete { label: LabelId::Span(label) },
        _ => return SchemaChange::AddSpanLabel { name },
    };
    SchemaChange::Attribute { label, change }
}

fn edit((kind, a, b, c): Dice) -> Edit {
    let id = SpanId(u32::from(a % 5));
    let start = usize::from(b % 6);
    let range = TextRange::from_chars(TEXTS[0], start..start + 2).unwrap();
    let span = Span { range, label: u16::from(c % 3), polarity: None };
    let said = match c % 4 {
        0 => Attributes::default(),
        1 => Attributes::default().with(u16::from(b % 2), Some(AttributeValue::Number(number(0.5)))),
        _ => Attributes::default().with(u16::from(b % 2), Some(value(u16::from(a % 3)))),
    };
    let link = link(u32::from(a % 5), u32::from(b % 5));
    match kind % 5 {
        0 => Edit::PutSpan { doc: DOC, id, span },
        1 => Edit::PutSpanWith { doc: DOC, id, span, attributes: said },
        2 => Edit::RemoveSpan { doc: DOC, id },
        3 => Edit::PutLinkAs { doc: DOC, link, link_type: u16::from(c % 4) },
        _ => Edit::RemoveLink { doc: DOC, link },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_is_undone_and_redone_exactly(moves in prop::collection::vec((any::<bool>(), any::<bool>(), any::<Dice>()), 1..40)) {
        let mut made = Made::new();
        made.run(vec![Edit::SetAnnotators { to: vec!["梅".into()] }]);
        let mut seen = vec![written(&made.project)];
        for (changes_schema, own, dice) in moves {
            let edits = match changes_schema {
                true => match made.project.plan(&schema_change(dice)) {
                    Ok(plan) => plan.edits,
                    Err(_) => continue,
                },
                false if own => vec![edit(dice).by(AnnotatorId(0))],
                false => vec![edit(dice)],
            };
            // As the journal writes them.
            let edits: Vec<Edit> = serde_json::from_str(&serde_json::to_string(&edits).unwrap()).unwrap();
            let outcome = if edits.is_empty() { continue } else { made.try_run(edits) };
            prop_assert!(!changes_schema || outcome.is_ok(), "a planned change did not fit: {outcome:?}");
            if outcome.is_ok() {
                seen.push(written(&made.project));
            }
        }
        for wanted in seen.iter().rev().skip(1) {
            made.history.undo(&mut made.project).unwrap().unwrap();
            prop_assert_eq!(&written(&made.project), wanted);
        }
        for wanted in seen.iter().skip(1) {
            made.history.redo(&mut made.project).unwrap().unwrap();
            prop_assert_eq!(&written(&made.project), wanted);
        }
    }
}
