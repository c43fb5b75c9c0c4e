//! Several people on one project: layers beside the outcome, in the file, in JSON Lines, in a merge, and at the desk.

use crate::desk::desk_in;
use gloss::desk::{Command, Desk, Merging, Notice};
use gloss::project::{
    Annotation, AnnotatorId, Answer, Class, Colleague, Comment, CommentId, DocId, Document, Edit, EntryKind, Filter, History, Kind, Layer,
    Link, MergeError, MergePlan, Number, Order, Polarity, Project, Question, QuestionId, Queue, Scale, Schema, SchemaChange, Sight, Span,
    SpanId, State, Step, TextRange, What,
};
use gloss::project::{LabelId, MergeReport};
use gloss::store::import::{self, Column, ImportOptions};
use gloss::store::{Opened, ProjectFile, export_jsonl, read_project};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

const TEXTS: [&str; 4] = ["屏幕很清晰，电池差。", "Great screen,\r\nbad battery 👍🏻", "cafe\u{301}：一般", "不好！"];
const MEI: AnnotatorId = AnnotatorId(0);
const JUN: AnnotatorId = AnnotatorId(1);

/// A project with its history.
#[derive(Clone, Default)]
struct Made {
    project: Project,
    history: History,
}

impl Made {
    fn new(texts: &[&str]) -> Self {
        let mut made = Self { project: Project::new(Schema::default()), history: History::default() };
        let documents = texts.iter().enumerate().map(|(at, text)| Document::new(DocId(at as u32), *text)).collect();
        made.run("import", vec![Edit::AddDocuments { first: DocId(0), count: texts.len() as u32, documents }]);
        made
    }

    fn with_team() -> Self {
        let mut made = Self::new(&TEXTS);
        made.run("梅", vec![Edit::SetAnnotators { to: vec!["梅".to_owned(), "Jun".to_owned()] }]);
        made
    }

    #[track_caller]
    fn run(&mut self, author: &str, edits: Vec<Edit>) -> Step {
        self.history.commit(&mut self.project, "步骤".to_owned(), author.to_owned(), 7, edits).unwrap()
    }

    fn doc(&self, at: u32) -> &Document {
        self.project.document(DocId(at)).unwrap()
    }
}

fn class(doc: u32, class: u16) -> Edit {
    Edit::SetAnswer { doc: DocId(doc), question: QuestionId(0), to: Some(Answer::Class(class)) }
}

fn span(doc: u32, id: u32, part: &str, label: u16) -> Edit {
    let text = TEXTS[doc as usize];
    let start = text.find(part).unwrap();
    let range = TextRange::new(text, start..start + part.len()).unwrap();
    let polarity = (label == 1).then_some(Polarity::Negative);
    Edit::PutSpan { doc: DocId(doc), id: SpanId(id), span: Span { range, label, polarity } }
}

fn comment(text: &str) -> Comment {
    Comment { author: "梅".to_owned(), time_ms: 5, text: text.to_owned(), resolved: false }
}

#[test]
fn a_layer_is_beside_the_outcome_and_leaves_no_trace_when_undone() {
    let mut made = Made::with_team();
    let before = made.project.clone();
    let steps = [class(0, 2).by(MEI), span(0, 0, "屏幕", 0).by(MEI), span(0, 1, "差", 1).by(MEI), class(0, 0).by(JUN)];
    made.run("梅", steps.to_vec());
    let link = Link { from: SpanId(1), to: SpanId(0) };
    made.run("梅", vec![Edit::PutLink { doc: DocId(0), link }.by(MEI)]);
    let doc = made.doc(0);
    assert_eq!(doc.annotation, Annotation::default(), "the outcome is untouched");
    assert_eq!(doc.seen_in(Layer::Own(MEI)).annotation.class(QuestionId(0)), Some(2));
    assert_eq!(doc.seen_in(Layer::Own(JUN)).annotation.class(QuestionId(0)), Some(0));
    assert!(doc.seen_in(Layer::Own(JUN)).layers.is_empty(), "who labels does not see what others said");
    made.history.undo(&mut made.project).unwrap().unwrap();
    made.history.undo(&mut made.project).unwrap().unwrap();
    assert_eq!(made.project.all_documents(), before.all_documents());
}

#[test]
fn what_fits_no_layer_is_refused_and_changes_nothing() {
    let mut made = Made::with_team();
    let before = made.project.clone();
    let doc = DocId(0);
    let refused = [
        class(0, 1).by(AnnotatorId(2)),
        class(0, 9).by(MEI),
        Edit::SetGuidelines { to: "x".to_owned() }.by(MEI),
        class(0, 1).by(MEI).by(JUN),
        Edit::RemoveSpan { doc, id: SpanId(0) }.by(MEI),
        Edit::SetAnnotators { to: vec!["梅".to_owned(), "梅".to_owned()] },
        Edit::SetAnnotators { to: vec![" ".to_owned()] },
        Edit::RemoveComment { doc, id: CommentId(0) },
    ];
    for edit in refused {
        assert!(made.project.apply(edit.clone()).is_err(), "{edit:?}");
        assert_eq!(made.project.all_documents(), before.all_documents(), "{edit:?}");
    }
    made.run("梅", vec![class(0, 1).by(JUN)]);
    assert!(made.project.apply(Edit::SetAnnotators { to: vec!["梅".to_owned()] }).is_err(), "a layer would lose its annotator");
}

#[test]
fn labels_that_move_or_go_do_so_in_every_layer() {
    let mut made = Made::with_team();
    made.run("梅", vec![class(0, 2), class(0, 0).by(MEI), class(0, 2).by(JUN), span(0, 0, "屏幕", 0).by(JUN), span(0, 1, "差", 1).by(JUN)]);
    let before = made.project.clone();
    let change = SchemaChange::Delete { label: LabelId::Class(QuestionId(0), 0) };
    let plan = made.project.plan(&change).unwrap();
    assert_eq!(plan.answers, 1, "梅's");
    made.run("梅", plan.edits);
    let seen = |made: &Made, layer| made.doc(0).seen_in(layer).annotation.class(QuestionId(0));
    assert_eq!([Layer::Outcome, Layer::Own(MEI), Layer::Own(JUN)].map(|layer| seen(&made, layer)), [Some(1), None, Some(1)]);
    let plan = made.project.plan(&SchemaChange::Merge { label: LabelId::Span(1), into: 0 }).unwrap();
    made.run("梅", plan.edits);
    assert!(made.doc(0).layers[&JUN].spans.values().all(|span| span.label == 0 && span.polarity.is_none()));
    made.history.undo(&mut made.project).unwrap().unwrap();
    made.history.undo(&mut made.project).unwrap().unwrap();
    assert_eq!((made.project.all_documents(), made.project.schema()), (before.all_documents(), before.schema()));
}

/// Any edit of a document, in any layer.
fn any_edit() -> impl Strategy<Value = Edit> {
    let plain = prop_oneof![
        (0u32..4, 0u16..4).prop_map(|(doc, to)| class(doc, to)),
        (0u32..4).prop_map(|doc| Edit::SetAnswer { doc: DocId(doc), question: QuestionId(0), to: None }),
        (0u32..4, 0usize..3)
            .prop_map(|(doc, to)| Edit::SetState { doc: DocId(doc), to: [State::Todo, State::Done, State::Skipped][to].clone() }),
        (0u32..4, any::<bool>()).prop_map(|(doc, to)| Edit::SetFlag { doc: DocId(doc), to }),
        (0u32..4, 0u32..3, 0usize..3, 0u16..2).prop_map(|(doc, id, at, label)| {
            let text = TEXTS[doc as usize];
            let part: String = text.chars().skip(at).take(1).collect();
            span(doc, id, &part, label)
        }),
        (0u32..4, 0u32..3).prop_map(|(doc, id)| Edit::RemoveSpan { doc: DocId(doc), id: SpanId(id) }),
        (0u32..4, 0u32..3, 0u32..3)
            .prop_map(|(doc, from, to)| Edit::PutLink { doc: DocId(doc), link: Link { from: SpanId(from), to: SpanId(to) } }),
    ];
    let whole = (0u32..4, 0u16..3).prop_map(|(doc, to)| {
        let mut said = Annotation { state: State::Done, ..Annotation::default() };
        said.answers.insert(QuestionId(0), Answer::Class(to));
        Edit::SetAnnotation { doc: DocId(doc), to: Box::new(said) }
    });
    let spoken = (prop_oneof![3 => plain, 1 => whole], 0u16..3).prop_map(|(edit, who)| match who {
        2 => edit,
        who => edit.by(AnnotatorId(who)),
    });
    let commented = (0u32..4, 0u32..2, "[a好]{1,3}").prop_map(|(doc, id, text)| Edit::PutComment {
        doc: DocId(doc),
        id: CommentId(id),
        comment: comment(&text),
    });
    let uncommented = (0u32..4, 0u32..2).prop_map(|(doc, id)| Edit::RemoveComment { doc: DocId(doc), id: CommentId(id) });
    let guided = "[#好 ]{0,4}".prop_map(|to| Edit::SetGuidelines { to });
    prop_oneof![6 => spoken, 1 => commented, 1 => uncommented, 1 => guided]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]
    #[test]
    fn any_steps_undo_to_the_beginning_and_are_in_the_file(edits in proptest::collection::vec(any_edit(), 1..30)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.gloss");
        let mut made = Made::with_team();
        let first: Vec<Step> = made.history.done().to_vec();
        let mut file = ProjectFile::create_filled(&path, &made.project, &first).unwrap();
        let before = made.project.clone();
        for edit in edits {
            // Edits that do not fit are refused whole; the others are steps.
            if let Ok(step) = made.history.commit(&mut made.project, "s".into(), "梅".into(), 1, vec![edit]) {
                file.record(EntryKind::Do, &step, &made.project).unwrap();
            }
        }
        let after = made.project.clone();
        drop(file);
        let Opened { project, mut history, mut file, .. } = ProjectFile::open(&path).unwrap();
        prop_assert_eq!(project.all_documents(), after.all_documents());
        prop_assert_eq!((project.annotators(), project.guidelines()), (after.annotators(), after.guidelines()));
        prop_assert_eq!(history.done(), made.history.done());
        let mut project = project;
        while history.done().len() > first.len() {
            let step = history.undo(&mut project).unwrap().unwrap();
            file.record(EntryKind::Undo, &step, &project).unwrap();
        }
        prop_assert_eq!(project.all_documents(), before.all_documents());
        prop_assert_eq!(project.guidelines(), before.guidelines());
        while let Some(step) = history.redo(&mut project) {
            file.record(EntryKind::Redo, &step.unwrap(), &project).unwrap();
        }
        drop(file);
        let again = ProjectFile::open(&path).unwrap().project;
        prop_assert_eq!(again.all_documents(), after.all_documents());
    }
}

/// The tables of format 1, as the first Gloss made them, with two documents, a step and its undo.
const FORMAT_1: &str = r#"
PRAGMA application_id = 0x476c6f73; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;
CREATE TABLE schema(id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL) STRICT;
CREATE TABLE documents(id INTEGER PRIMARY KEY, text TEXT NOT NULL, meta TEXT NOT NULL, split TEXT,
    present INTEGER NOT NULL, state TEXT NOT NULL, flagged INTEGER NOT NULL) STRICT;
CREATE TABLE answers(doc INTEGER NOT NULL, question INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (doc, question)) STRICT, WITHOUT ROWID;
CREATE TABLE spans(doc INTEGER NOT NULL, id INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    label INTEGER NOT NULL, polarity TEXT, PRIMARY KEY (doc, id)) STRICT, WITHOUT ROWID;
CREATE TABLE links(doc INTEGER NOT NULL, from_span INTEGER NOT NULL, to_span INTEGER NOT NULL,
    PRIMARY KEY (doc, from_span, to_span)) STRICT, WITHOUT ROWID;
CREATE TABLE journal(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, author TEXT NOT NULL,
    time_ms INTEGER NOT NULL, edits TEXT NOT NULL, inverse TEXT NOT NULL) STRICT;
INSERT INTO schema VALUES (1, '{"questions":[{"name":"sentiment","classes":[{"name":"negative","hue":0},{"name":"positive","hue":2}]}],"span_labels":[{"name":"aspect","key":"a","hue":3,"polarity":false}]}');
INSERT INTO documents VALUES (0, '屏幕好', '{"id":"7"}', NULL, 1, 'done', 1), (1, 'fine 👍🏻', '{}', 'dev', 1, 'todo', 0);
INSERT INTO answers VALUES (0, 0, '{"class":1}');
INSERT INTO spans VALUES (0, 0, 0, 6, 0, NULL);
INSERT INTO journal VALUES
 (1, 'do', 'import', '我', 1, '[{"edit":"add_documents","first":0,"count":2}]', '[{"edit":"set_present","first":0,"count":2,"to":false}]'),
 (2, 'do', 'mark', '我', 2, '[{"edit":"set_answer","doc":0,"question":0,"to":{"class":1}},{"edit":"put_span","doc":0,"id":0,"span":{"range":{"start":0,"end":6},"label":0,"polarity":null}}]', '[{"edit":"remove_span","doc":0,"id":0},{"edit":"set_answer","doc":0,"question":0,"to":null}]'),
 (3, 'do', 'flag', '我', 3, '[{"edit":"set_flag","doc":1,"to":true}]', '[{"edit":"set_flag","doc":1,"to":false}]'),
 (4, 'undo', 'flag', '我', 4, '[{"edit":"set_flag","doc":1,"to":true}]', '[{"edit":"set_flag","doc":1,"to":false}]');
"#;

#[test]
fn a_file_of_the_first_format_opens_with_its_history_and_takes_layers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("旧.gloss");
    rusqlite::Connection::open(&path).unwrap().execute_batch(FORMAT_1).unwrap();
    let Opened { mut project, mut history, mut file, .. } = ProjectFile::open(&path).unwrap();
    let doc = project.document(DocId(0)).unwrap();
    assert_eq!((doc.annotation.class(QuestionId(0)), doc.annotation.spans.len(), doc.meta.get("id")), (Some(1), 1, Some("7")));
    assert_eq!((history.done().len(), history.undone().len()), (2, 1));
    assert!(project.annotators().is_empty() && project.guidelines().is_empty());
    let edits = vec![
        Edit::SetAnnotators { to: vec!["梅".to_owned()] },
        class(1, 0).by(MEI),
        Edit::SetGuidelines { to: "# 指南".to_owned() },
        Edit::PutComment { doc: DocId(1), id: CommentId(0), comment: comment("？") },
    ];
    let step = history.commit(&mut project, "team".into(), "梅".into(), 5, edits).unwrap();
    file.record(EntryKind::Do, &step, &project).unwrap();
    drop(file);
    let again = ProjectFile::open(&path).unwrap();
    assert_eq!(again.project.all_documents(), project.all_documents());
    assert_eq!((again.project.annotators(), again.project.guidelines()), (project.annotators(), "# 指南"));
    let (mut project, mut history) = (again.project, again.history);
    while let Some(step) = history.undo(&mut project) {
        step.unwrap();
    }
    assert_eq!(project.documents().count(), 0, "the steps of the old file undo as well");
}

#[test]
fn json_lines_keep_layers_and_comments() {
    let mut made = Made::with_team();
    made.run("梅", vec![class(0, 1), class(0, 2).by(JUN), span(0, 0, "差", 1).by(JUN), class(1, 0).by(MEI)]);
    made.run("梅", vec![Edit::PutComment { doc: DocId(3), id: CommentId(0), comment: comment("太短？") }]);
    let mut bytes = Vec::new();
    export_jsonl(&made.project, &mut bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    fs::write(&path, &bytes).unwrap();
    let options = ImportOptions { text: Column::Name("text".to_owned()), ..ImportOptions::default() };
    let imported = import::read(&path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    let mut project = Project::new(Schema::default());
    let (edits, issues) = import::edits(&project, imported.drafts);
    assert_eq!(issues, []);
    edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let named = |project: &Project| -> Vec<Vec<(String, Annotation)>> {
        let name = |who: &AnnotatorId| project.annotators()[usize::from(who.0)].clone();
        project.documents().map(|doc| doc.layers.iter().map(|(who, said)| (name(who), said.clone())).collect()).collect()
    };
    let sorted = |mut layers: Vec<Vec<(String, Annotation)>>| {
        layers.iter_mut().for_each(|layers| layers.sort_by(|a, b| a.0.cmp(&b.0)));
        layers
    };
    assert_eq!(sorted(named(&project)), sorted(named(&made.project)));
    let comments = |project: &Project| project.documents().map(|doc| doc.comments.clone()).collect::<Vec<_>>();
    assert_eq!(comments(&project), comments(&made.project));
    let plain = String::from_utf8(bytes).unwrap();
    assert!(!plain.lines().nth(2).unwrap().contains("layers"), "a document that one person labelled reads as ever");
}

#[test]
fn the_queue_is_that_of_whoever_labels() {
    let mut made = Made::with_team();
    let done = |doc: u32| Edit::SetState { doc: DocId(doc), to: State::Done };
    made.run("梅", vec![class(0, 2).by(MEI), done(0).by(MEI), class(0, 0).by(JUN), class(1, 0).by(JUN), done(1).by(JUN)]);
    made.run("梅", vec![Edit::PutComment { doc: DocId(2), id: CommentId(0), comment: comment("？") }]);
    let ids = |filter: &Filter, layer| -> Vec<u32> {
        Queue::seen(&made.project, filter, Order::Arrival, &Sight::new(&made.project, layer, None), None)
            .ids()
            .iter()
            .map(|id| id.0)
            .collect()
    };
    let negative = Filter::of(What::Class(QuestionId(0), Some(0)));
    assert_eq!([Layer::Outcome, Layer::Own(MEI), Layer::Own(JUN)].map(|layer| ids(&negative, layer)), [vec![], vec![], vec![0, 1]]);
    assert_eq!(ids(&Filter::of(What::Disputed), Layer::Outcome), [0]);
    assert_eq!(ids(&Filter::of(What::Commented), Layer::Own(MEI)), [2]);
    let queue = Queue::of(&made.project, &Filter::default(), Order::Arrival);
    let next = |layer| queue.next_todo_in(&made.project, None, layer).unwrap().0;
    assert_eq!([Layer::Outcome, Layer::Own(MEI), Layer::Own(JUN)].map(next), [0, 1, 0]);
}

/// The colleague's copy: documents 0 to 2 of ours with answers, and one that we lack.
fn colleague() -> Made {
    let mut made = Made::new(&[TEXTS[2], TEXTS[0], "只有他们有 👍🏻"]);
    let schema = Schema::with_names(&["positive", "negative", "讽刺"], &["opinion", "缺点"]);
    made.run("Jun", vec![Edit::SetSchema { to: Box::new(schema) }]);
    let text = TEXTS[0];
    let at = text.find("差").unwrap();
    let range = TextRange::new(text, at..at + "差".len()).unwrap();
    let opinion = Span { range, label: 0, polarity: Some(Polarity::Negative) };
    made.run("Jun", vec![class(0, 2), class(1, 0), class(2, 1), Edit::PutSpan { doc: DocId(1), id: SpanId(4), span: opinion }]);
    made
}

#[track_caller]
fn plan(ours: &Made, theirs: &Made, name: &str) -> MergePlan {
    let colleague = Colleague { project: &theirs.project, history: &theirs.history, name };
    ours.project.plan_merge(&ours.history, "梅", &colleague).unwrap()
}

#[test]
fn a_colleagues_answers_become_a_layer_of_theirs() {
    let mut ours = Made::new(&TEXTS);
    ours.run("梅", vec![class(0, 0), class(3, 1)]);
    let (before, theirs) = (ours.project.clone(), colleague());
    let MergePlan { edits, report } = plan(&ours, &theirs, "Jun");
    assert_eq!((report.matched, report.added, &report.new_labels[..]), (2, 1, &["讽刺".to_owned(), "缺点".to_owned()][..]));
    assert_eq!(report.layers["Jun"].new, 3);
    ours.run("梅", edits);
    assert_eq!(ours.project.annotators(), ["梅", "Jun"]);
    let said = |doc: u32, who| ours.doc(doc).layers.get(&who).and_then(|said| said.class(QuestionId(0)));
    assert_eq!((said(0, MEI), said(0, JUN)), (Some(0), Some(2)), "their class 0 is our class 2: positive");
    assert_eq!((said(2, MEI), said(2, JUN)), (None, Some(3)), "irony is new in our schema");
    assert_eq!((said(3, MEI), said(3, JUN)), (Some(1), None));
    let opinion = ours.doc(0).layers[&JUN].spans[&SpanId(4)];
    assert_eq!((opinion.label, opinion.range.of(TEXTS[0])), (1, "差"), "their label 0 is our label 1");
    assert_eq!((&*ours.doc(4).text, said(4, JUN)), ("只有他们有 👍🏻", Some(0)));
    assert_eq!(ours.doc(0).annotation.class(QuestionId(0)), Some(0), "the outcome stays");
    let again = plan(&ours, &theirs, "Jun");
    assert_eq!((again.edits, again.report.layers["Jun"].same), (vec![], 3), "the same file a second time brings nothing");
    ours.history.undo(&mut ours.project).unwrap().unwrap();
    assert_eq!(ours.project.schema(), before.schema());
    assert!(ours.project.documents().eq(before.documents()) && ours.project.annotators().is_empty());
}

#[test]
fn a_newer_copy_changes_their_layer_but_never_ours() {
    let mut ours = Made::with_team();
    ours.run("梅", vec![class(0, 0).by(MEI), class(0, 0).by(JUN), class(1, 2).by(JUN)]);
    let mut theirs = ours.clone();
    theirs.run("Jun", vec![class(0, 1).by(JUN), class(0, 2).by(MEI), class(2, 2)]);
    let MergePlan { edits, report } = plan(&ours, &theirs, "unused");
    let (mei, jun) = (report.layers["梅"], report.layers["Jun"]);
    assert_eq!((mei.kept, mei.changed, jun.changed, jun.same, report.outcomes_left_out), (1, 0, 1, 1, 1));
    assert_eq!(edits.len(), 1);
    ours.run("梅", edits);
    let said = |who| ours.doc(0).layers[&who].class(QuestionId(0));
    assert_eq!((said(MEI), said(JUN)), (Some(0), Some(1)));
}

#[test]
fn documents_are_matched_by_text_and_external_id() {
    let with_id = |at: usize, text: &str, id: &str| {
        let meta = [("id", id)].into_iter().collect();
        Document { meta, ..Document::new(DocId(at as u32), text) }
    };
    let made = |rows: &[(&str, &str)]| {
        let mut made = Made::new(&[]);
        let documents: Vec<_> = rows.iter().enumerate().map(|(at, (text, id))| with_id(at, text, id)).collect();
        made.run("import", vec![Edit::AddDocuments { first: DocId(0), count: rows.len() as u32, documents }]);
        made
    };
    let mut ours = made(&[("好", "1"), ("好", "2"), ("差", "3")]);
    let mut theirs = made(&[("好", "2"), ("很差", "3"), ("新", "9")]);
    theirs.run("Jun", (0..3).map(|doc| class(doc, 1)).collect());
    let MergePlan { edits, report } = plan(&ours, &theirs, "Jun");
    assert_eq!((report.matched, report.added, &report.other_texts[..]), (1, 1, &["3".to_owned()][..]));
    ours.run("梅", edits);
    let labelled: Vec<u32> = ours.project.documents().filter(|doc| !doc.layers.is_empty()).map(|doc| doc.id.0).collect();
    assert_eq!(labelled, [1, 3], "of two equal texts the one with the same id");
}

#[test]
fn answers_of_every_kind_find_their_question_and_their_classes() {
    let number = |value: f64| Number::new(value).unwrap();
    let scale = |min: f64, max: f64| Kind::Number(Scale::new(number(min), number(max), number(0.1)).unwrap());
    let asked = |name: &str, kind, classes: &[&str]| {
        let classes = classes.iter().map(|name| Class { name: (*name).to_owned(), hue: 0 }).collect();
        Question { name: name.to_owned(), classes, kind }
    };
    let with = |questions: Vec<Question>| {
        let mut made = Made::new(&TEXTS);
        let mut schema = Schema::clone(made.project.schema());
        schema.questions = questions;
        made.run("梅", vec![Edit::SetSchema { to: Box::new(schema) }]);
        made
    };
    let mut ours = with(vec![
        asked("情绪", Kind::Several, &["joy", "anger", "fear"]),
        asked("intensity", scale(0.0, 1.0), &[]),
        asked("topic", Kind::One, &["food"]),
    ]);
    let mut theirs = with(vec![
        asked("topic", Kind::Text, &[]),
        asked("Intensity", scale(-1.0, 0.5), &[]),
        asked("情绪", Kind::Several, &["fear", "surprise", "joy"]),
    ]);
    let answer = |question: u16, to: Answer| Edit::SetAnswer { doc: DocId(0), question: QuestionId(question), to: Some(to) };
    let given = [Answer::Text("早餐 🥐".into()), Answer::Number(number(-0.7)), Answer::Classes([0, 1].into())];
    theirs.run("Jun", (0..).zip(given.clone()).map(|(question, to)| answer(question, to)).collect());
    let MergePlan { edits, report } = plan(&ours, &theirs, "Jun");
    assert_eq!(report.new_labels, ["topic (2)", "surprise"]);
    ours.run("梅", edits);
    let said = &ours.doc(0).layers.values().next().unwrap().answers;
    let [text, below, emotions] = given;
    let wanted = [(QuestionId(0), Answer::Classes([2, 3].into())), (QuestionId(1), below), (QuestionId(3), text)];
    assert_eq!(*said, wanted.into(), "not {emotions:?}, which are places in their schema");
}

#[test]
fn two_people_need_two_names() {
    let (ours, theirs) = (Made::new(&TEXTS), colleague());
    let merge = |name| {
        let colleague = Colleague { project: &theirs.project, history: &theirs.history, name };
        ours.project.plan_merge(&ours.history, "梅", &colleague).map(|_| ())
    };
    assert_eq!(merge("梅"), Err(MergeError::SameName("梅".to_owned())));
    assert_eq!(merge("  "), Err(MergeError::NoName));
    assert_eq!(theirs.history.main_author(), Some("Jun"));
    assert_eq!(
        plan(&ours, &ours.clone(), "Jun"),
        MergePlan { edits: vec![], report: MergeReport { matched: 4, ..MergeReport::default() } }
    );
    assert_eq!(theirs.project.own_work(&theirs.history), BTreeSet::from([0, 1, 2].map(DocId)));
}

fn desk_with_reviews(folder: &Path) -> Desk {
    let mut desk = desk_in(folder);
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    TEXTS.iter().for_each(|text| desk.run(Command::AddDocument((*text).to_owned())));
    desk
}

fn class_of(desk: &Desk, doc: u32) -> Option<u16> {
    desk.seen(DocId(doc)).unwrap().annotation.class(QuestionId(0))
}

fn answer(desk: &mut Desk, doc: u32, class: u16) {
    desk.run(Command::SetClass { doc: DocId(doc), class: Some(class) });
    desk.run(Command::SetState { doc: DocId(doc), to: State::Done });
}

#[test]
fn each_labels_without_seeing_the_other_and_the_outcome_is_settled_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with_reviews(folder.path());
    answer(&mut desk, 0, 2);
    desk.run(Command::AddAnnotators { names: vec!["梅".to_owned(), " Jun ".to_owned()], takes_over: true });
    assert_eq!((desk.layer(), class_of(&desk, 0)), (Layer::Own(MEI), Some(2)), "what was labelled alone is now hers");
    answer(&mut desk, 1, 0);
    desk.run(Command::WorkIn(Layer::Own(JUN)));
    assert_eq!([0, 1].map(|doc| class_of(&desk, doc)), [None, None]);
    assert_eq!(desk.settings().author, "Jun");
    answer(&mut desk, 0, 2);
    answer(&mut desk, 1, 1);
    let range = TextRange::new(TEXTS[1], 0..5).unwrap();
    desk.run(Command::AddSpan { doc: DocId(1), range, label: 0 });
    assert_eq!(desk.project().unwrap().document(DocId(1)).unwrap().annotation, Annotation::default());
    assert_eq!(desk.history().unwrap().done().last().unwrap().author, "Jun");

    drop(desk);
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert_eq!((desk.layer(), class_of(&desk, 1)), (Layer::Own(JUN), Some(1)), "the next start goes on as the same person");
    desk.run(Command::WorkIn(Layer::Outcome));
    desk.run(Command::SetFilter(Filter::of(What::Disputed)));
    assert_eq!(desk.queue().ids(), [DocId(1)]);
    desk.run(Command::SetFilter(Filter::default()));
    assert_eq!(desk.agreed(), 0, "document 0 is settled as both say");
    desk.run(Command::SetState { doc: DocId(0), to: State::Todo });
    assert_eq!(desk.agreed(), 1);
    desk.run(Command::AdoptAgreed);
    assert_eq!(desk.project().unwrap().document(DocId(0)).unwrap().annotation.state, State::Done);
    desk.run(Command::Open(DocId(1)));
    desk.run(Command::Adopt { doc: DocId(1), from: JUN });
    let outcome = desk.project().unwrap().document(DocId(1)).unwrap().annotation.clone();
    assert_eq!((outcome.class(QuestionId(0)), outcome.state, outcome.spans.len()), (Some(1), State::Done, 1));
    assert_eq!(desk.current(), Some(DocId(2)), "and on to the next");
}

#[test]
fn a_layer_ends_when_the_coming_of_its_annotator_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with_reviews(folder.path());
    desk.run(Command::AddAnnotators { names: vec!["梅".to_owned(), "Jun".to_owned()], takes_over: true });
    desk.run(Command::WorkIn(Layer::Own(JUN)));
    answer(&mut desk, 0, 1);
    let steps = desk.history().unwrap().done().len();
    desk.run(Command::GoToStep(steps - 3));
    assert_eq!((desk.layer(), desk.project().unwrap().annotators().len()), (Layer::Outcome, 0));
    assert!(desk.notices().any(|notice| *notice == Notice::WentTo { steps: 3 }));
    desk.run(Command::GoToStep(usize::MAX));
    assert_eq!(desk.history().unwrap().done().len(), steps);
    drop(desk);
    let again = ProjectFile::open(&folder.path().join("p.gloss")).unwrap();
    assert_eq!(again.history.done().len(), steps, "the way there and back is in the file");
    assert_eq!(again.project.document(DocId(0)).unwrap().layers[&JUN].class(QuestionId(0)), Some(1));
}

#[test]
fn comments_and_guidelines_are_steps() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_with_reviews(folder.path());
    let (doc, id) = (DocId(2), CommentId(0));
    desk.run(Command::AddComment { doc, text: "  讽刺？\n还是认真的 ".to_owned() });
    desk.run(Command::AddComment { doc, text: " ".to_owned() });
    let held = |desk: &Desk| desk.project().unwrap().document(doc).unwrap().comments.clone();
    assert_eq!((held(&desk).len(), &held(&desk)[&id].text[..]), (1, "讽刺？\n还是认真的"));
    desk.run(Command::ResolveComment { doc, id, to: true });
    assert!(held(&desk)[&id].resolved);
    desk.run(Command::RemoveComment { doc, id });
    assert!(held(&desk).is_empty());
    desk.run(Command::Undo);
    assert!(held(&desk)[&id].resolved);
    desk.run(Command::SetGuidelines("# 指南\n- 好".to_owned()));
    let steps = desk.history().unwrap().done().len();
    desk.run(Command::SetGuidelines("# 指南\n- 好".to_owned()));
    assert_eq!(desk.history().unwrap().done().len(), steps, "the same again is no step");
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().guidelines(), "");
}

#[track_caller]
fn poll_until(desk: &mut Desk, done: impl Fn(&Desk) -> bool) {
    let start = Instant::now();
    while !done(desk) {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happened: {:?}", desk.merging());
        std::thread::sleep(Duration::from_millis(5));
        desk.poll();
    }
}

#[test]
fn a_file_is_merged_at_the_desk_after_a_report_and_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = colleague();
    let path = folder.path().join("同事.gloss");
    drop(ProjectFile::create_filled(&path, &theirs.project, theirs.history.done()).unwrap());
    let bytes = fs::read(&path).unwrap();
    let mut desk = desk_with_reviews(folder.path());
    desk.run(Command::PreviewMerge { path: folder.path().join("p.gloss"), name: None });
    assert!(matches!(desk.merging(), Merging::Failed { .. }), "one's own project is no colleague's");
    desk.run(Command::PreviewMerge { path: path.clone(), name: None });
    poll_until(&mut desk, |desk| matches!(desk.merging(), Merging::Ready { .. }));
    let Merging::Ready { name, report, .. } = desk.merging() else { unreachable!() };
    assert_eq!((name.as_deref(), report.matched, report.added), (Some("Jun"), 2, 1));
    // Something is labelled between the report and the yes: the plan is made again.
    answer(&mut desk, 1, 1);
    desk.run(Command::Merge);
    poll_until(&mut desk, |desk| matches!(desk.merging(), Merging::Idle));
    let project = desk.project().unwrap();
    assert_eq!((project.annotators().len(), project.documents().count()), (2, 5));
    assert_eq!(desk.layer(), Layer::Own(MEI), "whoever labelled alone goes on for themselves");
    assert_eq!(class_of(&desk, 1), Some(1));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(
        fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "lock"))
            .count(),
        1
    );
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().documents().count(), 4);
    assert!(read_project(&folder.path().join("missing.gloss")).is_err());
    assert!(read_project(&folder.path().join("p.gloss")).is_err(), "a project that is open elsewhere is not read half");
}
