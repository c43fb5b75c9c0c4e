//! Queues and counts of projects too large to be counted at every gesture: kept up to date, they equal those made anew.

use crate::desk::{desk_in, poll_until};
use gloss::desk::{Column, Command, Desk, ImportOptions, Importing, Notice};
use gloss::project::{
    AnnotatorId, Answer, Condition, DocId, Document, Edit, Filter, Found, Guess, Guesses, Layer, Order, Polarity, Project, QuestionId,
    Queue, Schema, Sight, Span, SpanId, State, TextPack, TextRange, What, Within,
};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const TEXTS: [&str; 6] =
    ["👨🏻‍🚒 屏幕很好", "房间很干净，前台热情。", "cafe\u{301} au lait\r\nvery good", "“好”手机！", "x", "The SCREEN is good"];

fn project_of(count: usize) -> Project {
    let mut project = Project::new(Schema::default());
    let documents = (0..count).map(|at| Document::new(DocId::from_index(at), TEXTS[at % TEXTS.len()])).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: count as u32, documents }).unwrap();
    project.apply(Edit::SetAnnotators { to: vec!["Ann".into(), "李".into()] }).unwrap();
    project
}

const LAYERS: [Layer; 3] = [Layer::Outcome, Layer::Own(AnnotatorId(0)), Layer::Own(AnnotatorId(1))];

/// Edits of the outcome or of an annotator's layer; those that do not fit must change nothing.
fn edits(documents: u32) -> impl Strategy<Value = Edit> {
    (edits_of_outcome(documents), prop::option::of(0u16..3)).prop_map(|(edit, layer)| match layer {
        Some(layer) if edit.annotated().is_some() => edit.by(AnnotatorId(layer)),
        _ => edit,
    })
}

fn edits_of_outcome(documents: u32) -> impl Strategy<Value = Edit> {
    let doc = move || (0..documents).prop_map(DocId);
    let span = |(doc, id, label): (DocId, u32, u16)| {
        let range = TextRange::new("x", 0..1).unwrap();
        Edit::PutSpan { doc, id: SpanId(id), span: Span { range, label, polarity: Some(Polarity::Positive) } }
    };
    prop_oneof![
        (doc(), prop_oneof![Just(State::Todo), Just(State::Done), Just(State::Skipped)]).prop_map(|(doc, to)| Edit::SetState { doc, to }),
        (doc(), any::<bool>()).prop_map(|(doc, to)| Edit::SetFlag { doc, to }),
        (doc(), prop::option::of(0u16..4))
            .prop_map(|(doc, class)| { Edit::SetAnswer { doc, question: QuestionId(0), to: class.map(Answer::Class) } }),
        (doc(), 0u32..3, 0u16..3).prop_map(span),
        (doc(), 0u32..3).prop_map(|(doc, id)| Edit::RemoveSpan { doc, id: SpanId(id) }),
        (doc(), 1u32..5, any::<bool>()).prop_map(|(first, count, to)| Edit::SetPresent { first, count, to }),
        Just(Edit::SetSchema { to: Box::new(Schema::default()) }),
    ]
}

fn filters() -> Vec<Filter> {
    let search = |search: &str| Filter { search: search.to_owned(), ..Filter::default() };
    vec![
        Filter::default(),
        search("屏幕"),
        search("/good|热情"),
        Filter { search: "screen".to_owned(), ..Filter::of(What::State(State::Done)) },
        Filter::of(What::Class(QuestionId(0), Some(1))),
        Filter { any: true, conditions: [What::Class(QuestionId(0), None), What::Flagged].map(Condition::new).into(), ..Filter::default() },
        Filter::of(What::Span(1)),
        Filter::of(What::Guess(1)),
        Filter::of(What::Disputed),
        Filter { only: Some([5, 2, 0, 3].map(DocId).into()), ..Filter::default() },
    ]
}

/// What a search of its own thread would have found, in parts of seven texts.
fn found_in_parts(project: &Project, search: &str) -> Found {
    let mut found = Found::nothing(search);
    for (at, part) in project.all_documents().chunks(7).enumerate() {
        let pack = TextPack::of(part.iter().map(|doc| &*doc.text));
        let ids: Vec<_> = [0..3, 3..9].into_iter().flat_map(|texts| found.matches(&pack, texts, at * 7)).collect();
        found.extend(pack.len(), &ids);
    }
    found.complete();
    found
}

#[test]
fn texts_in_a_pack_are_found_one_by_one() {
    // What stands at the end of one text and the beginning of the next is in neither.
    let texts = ["", "屏幕很", "好", "12", "3 屏幕", "\0", "very\0good", "", "屏幕 屏幕", "GOOD"];
    let pack = TextPack::of(texts.into_iter());
    assert_eq!((pack.len(), pack.is_empty(), TextPack::default().is_empty()), (10, false, true));
    for (search, wanted) in [
        ("屏幕", &[1, 4, 8][..]),
        ("很好", &[]),
        ("123", &[]),
        ("2", &[3]),
        ("\0", &[5, 6]),
        ("very\0good", &[6]),
        ("good", &[6, 9]),
        ("/^$", &[0, 7]),
        ("/屏幕$", &[4, 8]),
        ("", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        let found = Found::nothing(search);
        let ids = |texts| found.matches(&pack, texts, 100).into_iter().map(|id| id.0 - 100).collect::<Vec<_>>();
        assert_eq!(ids(0..10), wanted, "{search:?}");
        let apart: Vec<u32> = (0..5).flat_map(|at| ids(3 * at..3 * at + 3)).collect();
        assert_eq!(apart, wanted, "{search:?} in parts");
    }
}

#[test]
fn numbers_are_filtered_by_their_bounds() {
    let parsed = |from: &str, to: &str| Within::parse(from, to);
    assert_eq!([parsed("", " "), parsed("x", "1"), parsed("2", "1"), parsed("1", "两")], [None; 4]);
    let mut project = project_of(6);
    for (at, stars) in ["5", "4.5", "３", "five", "", "-1"].into_iter().enumerate() {
        let meta = [("stars", stars.to_owned())].into_iter().collect();
        let doc = Document { meta, ..project.all_documents()[at].clone() };
        project = Project::restore(
            Schema::clone(project.schema()),
            project.all_documents().iter().cloned().map(|held| if held.id == doc.id { doc.clone() } else { held }).collect(),
        )
        .unwrap();
    }
    for (from, to, wanted) in [("4", "", &[0, 1][..]), ("", "3", &[2, 5]), ("3", "4.5", &[1, 2]), ("4,5", "４．５", &[1]), ("6", "", &[])]
    {
        let filter = Filter::of(What::ColumnNumber("stars".into(), parsed(from, to).unwrap()));
        let ids: Vec<u32> = Queue::of(&project, &filter, Order::Arrival).ids().iter().map(|id| id.0).collect();
        assert_eq!(ids, wanted, "{from:?} to {to:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn kept_up_to_date_equals_made_anew(edits in prop::collection::vec(edits(20), 1..30)) {
        let mut project = project_of(18);
        let orders = [Order::Arrival, Order::Random(3), Order::Shortest, Order::Longest, Order::LeastCertain];
        let guesses: Guesses = (0..9).map(|at| (DocId(at * 2), Guess { class: at as u16 % 3, probability: 0.3 + at as f32 / 20.0 })).collect();
        let sights = LAYERS.map(|layer| Sight::new(&project, layer, Some(&guesses)));
        let lists: Vec<(Filter, Order, Sight<'_>)> = filters()
            .into_iter()
            .flat_map(|filter| orders.map(|order| (filter.clone(), order)))
            .flat_map(|(filter, order)| sights.map(|sight| (filter.clone(), order, sight)))
            .collect();
        let found: Vec<Found> = lists.iter().map(|(filter, ..)| found_in_parts(&project, &filter.search)).collect();
        let mut queues: Vec<Queue> = lists.iter().map(|(filter, order, sight)| Queue::seen(&project, filter, *order, sight, None)).collect();
        let mut seen = project.revision();
        for (at, edit) in edits.into_iter().enumerate() {
            project.apply(edit).ok();
            let anew = Project::restore(Schema::default(), project.all_documents().to_vec()).unwrap();
            for layer in LAYERS {
                prop_assert_eq!(project.tally(layer), anew.tally(layer), "{:?}", layer);
            }
            if at % 3 == 0 {
                continue; // several edits are taken in at once
            }
            let changed = project.changed_since(seen);
            seen = project.revision();
            for (((filter, order, sight), found), queue) in lists.iter().zip(&found).zip(&mut queues) {
                let anew = Queue::seen(&project, filter, *order, sight, None);
                let (as_found, mut by_found) = (Queue::seen(&project, filter, *order, sight, Some(found)), queue.clone());
                prop_assert_eq!(as_found.ids(), anew.ids(), "{:?} {:?}", filter, order);
                if let Some(changed) = &changed
                    && queue.update(&project, filter, sight, None, changed)
                {
                    prop_assert_eq!(queue.ids(), anew.ids(), "{:?} {:?}", filter, order);
                    prop_assert!(by_found.update(&project, filter, sight, Some(found), changed));
                    prop_assert_eq!(by_found.ids(), anew.ids(), "{:?} {:?}", filter, order);
                }
                for id in anew.ids() {
                    prop_assert_eq!(anew.position(*id), anew.ids().iter().position(|held| held == id));
                }
                *queue = anew;
            }
        }
    }
}

#[test]
fn what_changed_is_known_for_a_while_and_not_across_schemas() {
    let mut project = project_of(3);
    let flag = |doc: u32, to| Edit::SetFlag { doc: DocId(doc), to };
    let start = project.revision();
    project.apply(flag(2, true)).unwrap();
    project.apply(flag(0, true)).unwrap();
    assert!(project.apply(flag(7, true)).is_err());
    assert_eq!(project.changed_since(start), Some(vec![2..3, 0..1]));
    assert_eq!(project.changed_since(start + 1), Some(std::iter::once(0..1).collect()));
    assert_eq!(project.changed_since(start + 2), Some(vec![]));
    project.apply(Edit::SetSchema { to: Box::new(Schema::default()) }).unwrap();
    assert_eq!(project.changed_since(start), None, "a schema concerns every document");
    assert_eq!(project.changed_since(start + 9), None);
    let late = project.revision();
    (0..100).for_each(|at| drop(project.apply(flag(1, at % 2 == 0))));
    assert_eq!(project.changed_since(late), None, "too long ago");
    assert_eq!(project.changed_since(late + 90).map(|changed| changed.len()), Some(10));
}

#[test]
fn a_document_that_came_after_the_search_is_found() {
    let mut project = project_of(6);
    let found = found_in_parts(&project, "屏幕");
    let documents = vec![Document::new(DocId(6), "新的屏幕"), Document::new(DocId(7), "别的")];
    project.apply(Edit::AddDocuments { first: DocId(6), count: 2, documents }).unwrap();
    let filter = Filter { search: "屏幕".to_owned(), ..Filter::default() };
    assert_eq!(
        Queue::seen(&project, &filter, Order::Arrival, &Sight::new(&project, Layer::Outcome, None), Some(&found)).ids(),
        [DocId(0), DocId(6)]
    );
}

/// More reviews than are searched at once, in a file that is not opened at once.
fn large(folder: &Path) -> Desk {
    const ROWS: usize = 24_000;
    let rows: String = (0..ROWS).map(|row| format!("第{row}条：{}。{}\n", TEXTS[row % 2], "很长的评论，".repeat(50))).collect();
    std::fs::write(folder.join("many.txt"), rows).unwrap();
    let mut desk = desk_in(folder);
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    let options = ImportOptions { text: Column::Number(1), header: false, ..ImportOptions::default() };
    desk.run(Command::Import { path: folder.join("many.txt"), options: Box::new(options) });
    poll_until(&mut desk, |desk| matches!(desk.importing(), Importing::Report { .. }) && !desk.is_unsaved());
    desk
}

/// The path of a large project whose file was changed like this, its bytes, and a desk that is opening it.
fn opening_damaged(folder: &Path, damage: impl Fn(&mut [u8])) -> (PathBuf, Vec<u8>, Desk) {
    drop(large(folder));
    let path = folder.join("p.gloss");
    let mut bytes = std::fs::read(&path).unwrap();
    damage(&mut bytes);
    std::fs::write(&path, &bytes).unwrap();
    let mut desk = desk_in(folder);
    desk.run(Command::OpenProject(path.clone()));
    (path, bytes, desk)
}

#[test]
fn a_large_project_opens_and_is_searched_beside_the_window() {
    let folder = tempfile::tempdir().unwrap();
    drop(large(folder.path()));
    let path = folder.path().join("p.gloss");
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(path.clone()));
    assert_eq!((desk.opening(), desk.project().is_none()), (Some(path.as_path()), true));
    poll_until(&mut desk, |desk| desk.project().is_some());
    assert_eq!((desk.opening(), desk.queue().len()), (None, 24_000));

    let search = |search: &str, state: Option<State>| {
        let conditions = state.into_iter().map(|state| Condition::new(What::State(state))).collect();
        Filter { search: search.to_owned(), conditions, ..Filter::default() }
    };
    desk.run(Command::SetFilter(search("/第\\d+7条：房间", None)));
    assert!(desk.is_searching());
    poll_until(&mut desk, |desk| !desk.is_searching());
    let wanted = |search: &str, desk: &Desk| {
        let filter = Filter { search: search.to_owned(), ..Filter::default() };
        Queue::of(desk.project().unwrap(), &filter, Order::Arrival)
    };
    assert_eq!(desk.queue().ids(), wanted("/第\\d+7条：房间", &desk).ids());
    assert_eq!(desk.queue().len(), 2_400 - 1, "every tenth row, one figure alone is too short");

    // What is said about one of them does not need another search.
    let first = desk.queue().ids()[0];
    desk.run(Command::SetFilter(search("/第\\d+7条：房间", Some(State::Todo))));
    assert!(!desk.is_searching());
    desk.run(Command::Finish(first));
    assert_eq!((desk.queue().len(), desk.queue().position(first)), (2_398, None));
    desk.run(Command::Undo);
    assert_eq!(desk.queue().position(first), Some(0));

    // Another search while one is going on takes its place.
    desk.run(Command::SetFilter(search("很长", None)));
    desk.run(Command::SetFilter(search("屏幕", None)));
    poll_until(&mut desk, |desk| !desk.is_searching());
    assert_eq!(desk.queue().ids(), wanted("屏幕", &desk).ids());
    desk.run(Command::SetFilter(Filter::default()));
    assert_eq!(desk.queue().len(), 24_000);
}

#[test]
fn a_project_on_its_way_gives_way_to_another_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(large(folder.path()));
    let path = folder.path().join("p.gloss");
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(path.clone()));
    desk.run(Command::NewProject { path: folder.path().join("other.gloss"), classes: vec![], spans: vec![] });
    assert_eq!(desk.opening(), None);
    // Its lock is given up when it has been read.
    let start = std::time::Instant::now();
    while desk.path() != Some(path.as_path()) {
        assert!(start.elapsed() < std::time::Duration::from_secs(60));
        std::thread::sleep(std::time::Duration::from_millis(5));
        desk.poll();
        assert!(desk.path().is_some_and(|open| open.ends_with("other.gloss")) || desk.opening().is_none());
        if desk.opening().is_none() {
            desk.run(Command::OpenProject(path.clone()));
        }
    }
    assert_eq!(desk.project().unwrap().documents().count(), 24_000);
}

#[test]
fn a_large_file_that_is_damaged_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes, mut desk) = opening_damaged(folder.path(), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40_000].fill(0xa5);
    });
    poll_until(&mut desk, |desk| desk.opening().is_none());
    assert!(desk.project().is_none());
    assert!(desk.notices().any(|notice| matches!(notice, Notice::Failed(words) if words.contains("p.gloss"))));
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it was");
}

#[test]
fn damage_that_no_document_shows_is_found_beside_the_window_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    // So many pages are said to be free; none is.
    let (path, bytes, mut desk) = opening_damaged(folder.path(), |bytes| bytes[39] = 7);
    poll_until(&mut desk, |desk| desk.project().is_some());
    let failed = |desk: &Desk| desk.notices().any(|notice| matches!(notice, Notice::Failed(words) if words.contains("p.gloss")));
    poll_until(&mut desk, failed);
    desk.run(Command::Finish(DocId(3)));
    assert!(desk.is_unsaved() && !desk.is_saving());
    assert!(desk.notices().any(|notice| matches!(notice, Notice::Unsaved(_))));
    // What is on the desk can be rescued.
    gloss::store::export_documents(desk.project().unwrap(), &folder.path().join("rescued.jsonl")).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("rescued.jsonl")).unwrap().lines().count(), 24_000);
    drop(desk);
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it was");
}

#[test]
fn a_gesture_made_before_damage_is_found_waits_in_the_log_and_stays_visible_as_unsaved() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes, mut desk) = opening_damaged(folder.path(), |bytes| bytes[39] = 7);
    poll_until(&mut desk, |desk| desk.project().is_some());
    // What the look has found is taken in by the next poll, not by a command.
    desk.run(Command::Finish(DocId(3)));
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file itself is not touched");
    let failed = |desk: &Desk| desk.notices().any(|notice| matches!(notice, Notice::Failed(words) if words.contains("p.gloss")));
    poll_until(&mut desk, failed);
    assert!(desk.is_unsaved() && !desk.is_saving());
    assert!(desk.notices().any(|notice| matches!(notice, Notice::Unsaved(_))));
    assert_eq!(desk.project().unwrap().document(DocId(3)).unwrap().annotation.state, State::Done);
    drop(desk);
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it was");
    assert!(!folder.path().join("p.gloss-wal").exists(), "no log that would be read into a copy put in its place");
}

#[test]
fn steps_recorded_while_a_file_is_looked_at_are_in_its_log_until_it_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    drop(large(folder.path()));
    let path = folder.path().join("p.gloss");
    let bytes = std::fs::read(&path).unwrap();
    let state_of = |file: &Path| {
        let opened = gloss::store::ProjectFile::open(file).unwrap();
        opened.project.document(DocId(3)).unwrap().annotation.state.clone()
    };
    let finish = |opened: &mut gloss::store::Opened| {
        let edits = vec![Edit::SetState { doc: DocId(3), to: State::Done }];
        let step = opened.history.commit(&mut opened.project, "完成".into(), "梅".into(), 5, edits).unwrap();
        opened.file.record(gloss::project::EntryKind::Do, &step, &opened.project).unwrap();
    };
    let mut opened = gloss::store::ProjectFile::open_unchecked(&path).unwrap();
    assert_eq!(opened.texts.iter().map(TextPack::len).sum::<usize>(), 24_000);
    let checker = opened.file.checker().unwrap();
    finish(&mut opened);
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file is as it was");
    // A copy of both, as after a kill: the step is there, and the log has to be looked at with the file.
    let copy = folder.path().join("copy.gloss");
    for end in ["", "-wal"] {
        std::fs::copy(format!("{}{end}", path.display()), format!("{}{end}", copy.display())).unwrap();
    }
    let killed = gloss::store::ProjectFile::open_unchecked(&copy).unwrap();
    assert!(killed.file.checker().is_none());
    drop(killed);
    assert_eq!(state_of(&copy), State::Done);
    std::thread::scope(|scope| scope.spawn(|| checker.run()).join()).unwrap().unwrap();
    opened.file.trust().unwrap();
    drop(opened);
    assert!(!folder.path().join("p.gloss-wal").exists(), "closing brings the log into the file");
    assert_eq!(state_of(&path), State::Done);

    // Found damaged, the log is set aside instead.
    std::fs::write(&path, &bytes).unwrap();
    let mut opened = gloss::store::ProjectFile::open_unchecked(&path).unwrap();
    let checker = opened.file.checker().unwrap();
    finish(&mut opened);
    drop(checker);
    opened.file.abandon();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(!folder.path().join("p.gloss-wal").exists() && folder.path().join("p.gloss-wal.old").exists());
    assert_eq!(state_of(&path), State::Todo);
}

#[test]
fn a_gesture_right_after_a_large_project_opened_is_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    drop(large(folder.path()));
    let path = folder.path().join("p.gloss");
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(path.clone()));
    poll_until(&mut desk, |desk| desk.project().is_some());
    desk.run(Command::Finish(DocId(3)));
    assert!(!desk.is_unsaved());
    drop(desk);
    let opened = gloss::store::ProjectFile::open(&path).unwrap();
    assert_eq!(opened.project.document(DocId(3)).unwrap().annotation.state, State::Done);
}

#[test]
fn words_without_case_and_with_it_are_found_alike() {
    let texts = ["屏幕 100% 好。", "SCREEN straße ÉTÉ", "Ǆ 👍🏻 cafe\u{301}", "ŉ ß K ſ"];
    let documents = (0..).zip(texts).map(|(at, text)| Document::new(DocId(at), text)).collect();
    let project = Project::restore(Schema::default(), documents).unwrap();
    for (search, wanted) in [
        ("屏幕", vec![0]),
        ("100%", vec![0]),
        ("screen", vec![1]),
        ("été", vec![1]),
        ("ǅ", vec![2]),
        ("👍🏻", vec![2]),
        ("e\u{301}", vec![2]),
        ("s", vec![1, 3]),
        ("k", vec![3]),
        ("。", vec![0]),
        (" ", vec![0, 1, 2, 3]),
    ] {
        let queue = Queue::of(&project, &Filter { search: search.to_owned(), ..Filter::default() }, Order::Arrival);
        assert_eq!(queue.ids().iter().map(|id| id.0).collect::<Vec<_>>(), wanted, "{search:?}");
    }
}
