//! The model of a project: places in a text, edits and their inverses, undo and redo, queues, splits, keys.

use gloss::project::{
    Annotation, Answer, ColumnCounts, Condition, DocId, Document, Edit, EditError, Entry, EntryKind, Filter, Guess, Guesses, History,
    Layer, Link, Order, Polarity, Project, Question, QuestionId, Queue, Schema, Script, Sight, Span, SpanId, Split, State, TextRange, What,
    assign_split, byte_to_char, char_to_byte,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

const FIREFIGHTER: &str = "👨🏻‍🚒 屏幕很好";
const TEXTS: [&str; 5] = [FIREFIGHTER, "房间很干净，前台热情。", "cafe\u{301} au lait\r\nvery good", "“好”手机！", "x"];

// Places in a text.

#[test]
fn the_offset_units_of_one_place() {
    let at = FIREFIGHTER.find("屏幕").unwrap();
    assert_eq!(at, 16);
    let range = TextRange::new(FIREFIGHTER, at..at + "屏幕".len()).unwrap();
    assert_eq!((range.start(), range.end()), (16, 22));
    assert_eq!(range.chars(FIREFIGHTER), 5..7);
    assert_eq!(range.of(FIREFIGHTER), "屏幕");
    assert_eq!(TextRange::from_chars(FIREFIGHTER, 5..7), Some(range));
    assert_eq!((FIREFIGHTER.chars().count(), FIREFIGHTER.len()), (9, 28));
}

#[test]
fn ranges_that_can_not_be() {
    for (text, bytes) in [
        ("屏幕", 0..0),
        ("屏幕", 0..1),
        ("屏幕", 1..3),
        ("屏幕", 3..7),
        ("屏幕", 6..9),
        ("", 0..0),
        ("", 0..1),
        ("e\u{301}", 2..3),
        (FIREFIGHTER, 0..5),
    ] {
        assert_eq!(TextRange::new(text, bytes.clone()), None, "{text:?} {bytes:?}");
    }
    let backwards = std::ops::Range { start: 6, end: 3 };
    assert_eq!(TextRange::new("屏幕很", backwards.clone()), None);
    assert_eq!(TextRange::from_chars("屏幕很", std::ops::Range { start: 2, end: 1 }), None);
    assert_eq!(TextRange::from_chars("屏幕很", 2..4), None);
    assert!(TextRange::from_chars("屏幕很", 2..3).is_some());
    // Another text that cuts it in half, or is too short.
    let range = TextRange::new("屏幕很", 3..6).unwrap();
    assert!(range.fits("屏幕很") && !range.fits("ab屏幕") && !range.fits("屏"));
    assert_eq!(range.of("ab屏幕"), "");
}

#[test]
fn trimmed_loses_space_and_punctuation_but_no_sign() {
    for (inside, wanted) in [
        ("屏幕", Some("屏幕")),
        ("，屏幕。", Some("屏幕")),
        ("（屏幕）！", Some("屏幕")),
        ("“屏幕”……", Some("屏幕")),
        ("《三体》", Some("三体")),
        ("\u{3000}屏幕\u{3000}", Some("屏幕")),
        ("  very good,\r\n", Some("very good")),
        ("don't", Some("don't")),
        ("很好👍🏻！", Some("很好👍🏻")),
        ("👨‍👩‍👧", Some("👨‍👩‍👧")),
        ("cafe\u{301}.", Some("cafe\u{301}")),
        ("$210", Some("$210")),
        ("C++", Some("C++")),
        ("30%，", Some("30%")),
        ("，。！ \r\n", None),
        ("～", None),
    ] {
        let text = format!("前{inside}后");
        let range = TextRange::new(&text, 3..3 + inside.len()).unwrap();
        assert_eq!(range.trimmed(&text).map(|range| range.of(&text)), wanted, "{inside:?}");
    }
}

#[test]
fn overlap_is_sharing_a_character() {
    let range = |bytes| TextRange::new("abcdef", bytes).unwrap();
    for (a, b, wanted) in [(0..2, 2..4, false), (0..3, 2..4, true), (0..6, 2..3, true), (4..5, 0..4, false)] {
        assert_eq!(range(a.clone()).overlaps(range(b.clone())), wanted, "{a:?} {b:?}");
        assert_eq!(range(b.clone()).overlaps(range(a.clone())), wanted, "{b:?} {a:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn characters_and_bytes_lead_back_to_each_other(text in "\\PC{0,20}", a in 0usize..24, b in 0usize..24) {
        let chars: Vec<char> = text.chars().collect();
        match TextRange::from_chars(&text, a..b) {
            Some(range) => {
                prop_assert!(a < b && b <= chars.len());
                prop_assert_eq!(range.chars(&text), a..b);
                prop_assert_eq!(range.of(&text), chars[a..b].iter().collect::<String>());
                prop_assert_eq!(TextRange::new(&text, range.bytes()), Some(range));
            }
            None => prop_assert!(a >= b || b > chars.len()),
        }
        for at in 0..=chars.len() {
            prop_assert_eq!(char_to_byte(&text, at).map(|byte| byte_to_char(&text, byte)), Some(at));
        }
        prop_assert_eq!(char_to_byte(&text, chars.len() + 1), None);
    }

    #[test]
    fn trimming_twice_is_trimming_once(text in "[ ，。！a屏👍\u{301}\r\n]{1,12}") {
        let range = TextRange::new(&text, 0..text.len()).unwrap();
        if let Some(trimmed) = range.trimmed(&text) {
            prop_assert_eq!(trimmed.trimmed(&text), Some(trimmed));
            prop_assert!(range.start() <= trimmed.start() && trimmed.end() <= range.end());
        }
    }
}

// Edits.

fn project() -> Project {
    let mut project = Project::new(Schema::default());
    let documents = TEXTS.iter().enumerate().map(|(at, text)| Document::new(DocId(at as u32), *text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: TEXTS.len() as u32, documents }).unwrap();
    project
}

fn span(text: &str, bytes: std::ops::Range<usize>, label: u16) -> Span {
    Span { range: TextRange::new(text, bytes).unwrap(), label, polarity: (label == 1).then_some(Polarity::Positive) }
}

/// What a person can see of a project: all but the revision and documents taken back.
fn visible(project: &Project) -> (Schema, Vec<Document>) {
    (Schema::clone(project.schema()), project.documents().cloned().collect())
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing() {
    let doc = DocId(0);
    let aspect = span(FIREFIGHTER, 16..22, 0);
    let with_span = |spans: &[u32], links: &[(u32, u32)]| {
        let mut project = project();
        for id in spans {
            project.apply(Edit::PutSpan { doc, id: SpanId(*id), span: aspect }).unwrap();
        }
        for (from, to) in links {
            project.apply(Edit::PutLink { doc, link: Link { from: SpanId(*from), to: SpanId(*to) } }).unwrap();
        }
        project
    };
    let link = |from, to| Edit::PutLink { doc, link: Link { from: SpanId(from), to: SpanId(to) } };
    let answer = |question, class| Edit::SetAnswer { doc, question: QuestionId(question), to: Some(Answer::Class(class)) };
    let gone = DocId(9);
    let bare = Schema::with_names(&["good"], &[] as &[&str]);
    for (project, edit, wanted) in [
        (project(), Edit::SetState { doc: gone, to: State::Done }, EditError::NoDocument(gone)),
        (project(), Edit::SetFlag { doc: gone, to: true }, EditError::NoDocument(gone)),
        (project(), answer(1, 0), EditError::NotInSchema),
        (project(), answer(0, 3), EditError::NotInSchema),
        (project(), Edit::PutSpan { doc, id: SpanId(0), span: Span { label: 2, ..aspect } }, EditError::NotInSchema),
        // A range of document 0 cuts a character of document 1 in half, and lies beyond the end of document 4.
        (project(), Edit::PutSpan { doc: DocId(1), id: SpanId(0), span: aspect }, EditError::OutOfText(DocId(1))),
        (project(), Edit::PutSpan { doc: DocId(4), id: SpanId(0), span: aspect }, EditError::OutOfText(DocId(4))),
        (project(), Edit::RemoveSpan { doc, id: SpanId(0) }, EditError::NoSpan(doc, SpanId(0))),
        (with_span(&[0, 1], &[(1, 0)]), Edit::RemoveSpan { doc, id: SpanId(0) }, EditError::Linked(doc, SpanId(0))),
        (with_span(&[0, 1], &[(1, 0)]), link(1, 0), EditError::BadLink(doc)),
        (with_span(&[0], &[]), link(0, 0), EditError::BadLink(doc)),
        (with_span(&[0], &[]), link(0, 1), EditError::BadLink(doc)),
        (with_span(&[0, 1], &[]), Edit::RemoveLink { doc, link: Link { from: SpanId(1), to: SpanId(0) } }, EditError::BadLink(doc)),
        (
            project(),
            Edit::AddDocuments { first: DocId(7), count: 1, documents: vec![Document::new(DocId(7), "x")] },
            EditError::IdGap { wanted: 5, found: DocId(7) },
        ),
        (
            project(),
            Edit::AddDocuments { first: DocId(5), count: 2, documents: Vec::new() },
            EditError::IdGap { wanted: 5, found: DocId(5) },
        ),
        (project(), Edit::SetPresent { first: doc, count: 9, to: false }, EditError::NoDocument(doc)),
        (project(), Edit::SetPresent { first: doc, count: 2, to: true }, EditError::NoDocument(doc)),
        (with_span(&[0], &[]), Edit::SetSchema { to: Box::new(bare) }, EditError::NotInSchema),
    ] {
        let mut after = project.clone();
        assert_eq!(after.apply(edit.clone()), Err(wanted), "{edit:?}");
        assert_eq!(after, project, "{edit:?}");
    }
}

#[test]
fn documents_that_contradict_themselves_stay_out() {
    let good = span("屏幕好", 0..6, 0);
    let mut said = [(); 3].map(|()| Annotation::default());
    said[0].answers.insert(QuestionId(0), Answer::Class(7));
    said[1].spans.insert(SpanId(0), Span { range: TextRange::new("a longer text", 8..13).unwrap(), ..good });
    said[2].spans.insert(SpanId(0), good);
    said[2].links.insert(Link { from: SpanId(1), to: SpanId(0) });
    for annotation in said {
        let before = project();
        let mut after = before.clone();
        let first = after.next_id();
        let documents = vec![Document { annotation: annotation.clone(), ..Document::new(first, "屏幕好") }];
        let added = after.apply(Edit::AddDocuments { first, count: 1, documents });
        assert_eq!(added, Err(EditError::NotInSchema), "{annotation:?}");
        assert_eq!(after, before);
    }
}

#[test]
fn an_undone_import_is_gone_and_comes_back_with_its_labels() {
    let (mut project, mut history) = (project(), History::default());
    let first = project.next_id();
    let mut commit = |project: &mut Project, edits| history.commit(project, String::new(), "me".into(), 1, edits).unwrap();
    commit(&mut project, vec![Edit::AddDocuments { first, count: 1, documents: vec![Document::new(first, "新的\r\n")] }]);
    let step = commit(&mut project, vec![Edit::SetFlag { doc: first, to: true }]);
    assert_eq!(step.edits, [Edit::SetFlag { doc: first, to: true }]);
    assert!(matches!(&history.done()[0].edits[0], Edit::AddDocuments { documents, .. } if documents.is_empty()), "texts stay out");
    history.undo(&mut project).unwrap().unwrap();
    history.undo(&mut project).unwrap().unwrap();
    assert!(project.document(first).is_none() && project.documents().count() == TEXTS.len());
    assert_eq!(project.next_id(), DocId(6), "an id is never used again");
    assert!(project.apply(Edit::SetFlag { doc: first, to: true }).is_err());
    history.redo(&mut project).unwrap().unwrap();
    history.redo(&mut project).unwrap().unwrap();
    assert!(project.document(first).is_some_and(|doc| doc.annotation.flagged && &*doc.text == "新的\r\n"));
}

#[test]
fn a_step_that_fails_half_way_is_rolled_back() {
    let (mut project, mut history) = (project(), History::default());
    let before = visible(&project);
    let edits = vec![Edit::SetFlag { doc: DocId(0), to: true }, Edit::SetFlag { doc: DocId(99), to: true }];
    let error = history.commit(&mut project, String::new(), String::new(), 0, edits).unwrap_err();
    assert_eq!(error, EditError::NoDocument(DocId(99)));
    assert_eq!(visible(&project), before);
    assert!(history.next_undo().is_none() && history.undo(&mut project).is_none());
}

/// Small numbers from which an edit is made that fits the project more often than not.
type Dice = (u8, u8, u8, u8, bool);

fn edit_of(project: &Project, (kind, a, b, c, yes): Dice) -> Edit {
    let doc = DocId(u32::from(a) % (project.all_documents().len() as u32 + 1));
    let text = project.all_documents().get(doc.index()).map_or("x", |doc| &*doc.text);
    let id = SpanId(u32::from(b % 4));
    let link = Link { from: id, to: SpanId(u32::from(c % 4)) };
    match kind % 10 {
        0 => Edit::SetAnswer { doc, question: QuestionId(0), to: yes.then_some(Answer::Class(u16::from(b % 4))) },
        1 => Edit::SetState { doc, to: [State::Todo, State::Done, State::Skipped][usize::from(b % 3)].clone() },
        2 => Edit::SetFlag { doc, to: yes },
        3 | 4 => {
            let chars = text.chars().count();
            let start = usize::from(b) % chars;
            let end = (start + 1 + usize::from(c) % 3).min(chars);
            let polarity = yes.then_some(Polarity::Negative);
            let range = TextRange::from_chars(text, start..end).unwrap();
            Edit::PutSpan { doc, id: SpanId(u32::from(c % 4)), span: Span { range, label: u16::from(b % 3), polarity } }
        }
        5 => Edit::RemoveSpan { doc, id },
        6 => Edit::PutLink { doc, link },
        7 => Edit::RemoveLink { doc, link },
        8 => {
            let first = project.next_id();
            let texts = (0..u32::from(b % 3)).map(|at| Document::new(DocId(first.0 + at), TEXTS[usize::from(c) % TEXTS.len()]));
            let documents: Vec<_> = texts.collect();
            Edit::AddDocuments { first, count: documents.len() as u32, documents }
        }
        _ => {
            let (classes, labels) = (1 + usize::from(b % 4), usize::from(c % 3));
            Edit::SetSchema {
                to: Box::new(Schema::with_names(&["bad", "so-so", "good", "odd"][..classes], &["aspect", "opinion"][..labels])),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_edit_is_taken_back_by_its_inverse(dice in prop::collection::vec(any::<Dice>(), 1..60)) {
        let mut project = project();
        for dice in dice {
            let edit = edit_of(&project, dice);
            let before = project.clone();
            match project.apply(edit.clone()) {
                Ok(inverse) => {
                    prop_assert!(project.revision() > before.revision());
                    let mut back = project.clone();
                    let again = back.apply(inverse.clone());
                    prop_assert!(again.is_ok(), "{:?} -> {:?}: {:?}", edit, inverse, again);
                    prop_assert_eq!(visible(&back), visible(&before), "{:?} -> {:?}", edit, inverse);
                }
                Err(_) => prop_assert_eq!(&project, &before, "{:?} failed and left a trace", edit),
            }
        }
    }

    #[test]
    fn undo_and_redo_walk_the_same_way(steps in prop::collection::vec(prop::collection::vec(any::<Dice>(), 1..4), 1..20)) {
        let (mut project, mut history) = (project(), History::default());
        let mut seen = vec![visible(&project)];
        for (time, dice) in steps.into_iter().enumerate() {
            let edits: Vec<_> = dice.into_iter().map(|dice| edit_of(&project, dice)).collect();
            match history.commit(&mut project, "step".into(), "me".into(), time as i64, edits) {
                Ok(_) => seen.push(visible(&project)),
                Err(_) => prop_assert_eq!(&visible(&project), &seen[seen.len() - 1], "a failed step left a trace"),
            }
        }
        prop_assert_eq!(history.done().len() + 1, seen.len());
        for wanted in seen.iter().rev().skip(1) {
            let undone = history.undo(&mut project);
            prop_assert!(matches!(undone, Some(Ok(_))), "{:?}", undone);
            prop_assert_eq!(&visible(&project), wanted);
        }
        prop_assert!(history.undo(&mut project).is_none());
        for wanted in seen.iter().skip(1) {
            let redone = history.redo(&mut project);
            prop_assert!(matches!(redone, Some(Ok(_))), "{:?}", redone);
            prop_assert_eq!(&visible(&project), wanted);
        }
        prop_assert!(history.redo(&mut project).is_none());
    }

    #[test]
    fn a_journal_gives_the_history_back(moves in prop::collection::vec((0u8..3, any::<Dice>()), 1..40)) {
        let (mut project, mut history) = (project(), History::default());
        let mut journal = Vec::new();
        for (time, (kind, dice)) in moves.into_iter().enumerate() {
            let (kind, step) = match kind {
                0 => {
                    let edits = vec![edit_of(&project, dice)];
                    (EntryKind::Do, history.commit(&mut project, "step".into(), "me".into(), time as i64, edits).ok())
                }
                1 => (EntryKind::Undo, history.undo(&mut project).map(Result::unwrap)),
                _ => (EntryKind::Redo, history.redo(&mut project).map(Result::unwrap)),
            };
            journal.extend(step.map(|step| Entry { kind, step }));
        }
        let replayed = History::replay(journal);
        prop_assert_eq!(replayed.done(), history.done());
        prop_assert_eq!(replayed.next_redo(), history.next_redo());
        // The rebuilt stacks do what the live ones would have done, to the last undo and redo.
        let (mut a, mut b) = ((project.clone(), history), (project, replayed));
        while a.1.undo(&mut a.0).is_some() {
            prop_assert!(matches!(b.1.undo(&mut b.0), Some(Ok(_))));
        }
        while a.1.redo(&mut a.0).is_some() {
            prop_assert!(matches!(b.1.redo(&mut b.0), Some(Ok(_))));
        }
        prop_assert_eq!(visible(&a.0), visible(&b.0));
        prop_assert_eq!(a.1.done(), b.1.done());
    }

    #[test]
    fn an_edit_survives_being_written_down(dice in any::<Dice>()) {
        let edit = edit_of(&project(), dice);
        let read: Edit = serde_json::from_str(&serde_json::to_string(&edit).unwrap()).unwrap();
        match (&read, &edit) {
            // By design: the documents of an import are stored once, outside the journal.
            (Edit::AddDocuments { first, count, documents }, Edit::AddDocuments { first: f, count: c, .. }) => {
                prop_assert!(first == f && count == c && documents.is_empty());
            }
            _ => prop_assert_eq!(read, edit),
        }
    }
}

#[test]
fn what_an_edit_touches() {
    let doc = DocId(3);
    for (edit, wanted) in [
        (Edit::SetFlag { doc, to: true }, Some(3..4)),
        (Edit::RemoveSpan { doc, id: SpanId(0) }, Some(3..4)),
        (Edit::SetPresent { first: doc, count: 4, to: false }, Some(3..7)),
        (Edit::AddDocuments { first: doc, count: 0, documents: Vec::new() }, Some(3..3)),
        (Edit::SetSchema { to: Box::default() }, None),
    ] {
        assert_eq!(edit.touches(), wanted, "{edit:?}");
    }
}

#[test]
fn stored_documents_must_be_numbered_in_order() {
    let docs = |ids: &[u32]| ids.iter().map(|id| Document::new(DocId(*id), "x")).collect::<Vec<_>>();
    assert!(Project::restore(Schema::default(), docs(&[0, 1, 2])).is_ok());
    let gap = Project::restore(Schema::default(), docs(&[0, 2]));
    assert_eq!(gap, Err(EditError::IdGap { wanted: 1, found: DocId(2) }));
}

#[test]
fn spans_in_reading_order_the_longer_first() {
    let text = "屏幕很清晰";
    let mut said = Annotation::default();
    assert_eq!(said.free_span_id(), SpanId(0));
    for (id, bytes) in [(4, 6..9), (1, 0..6), (2, 0..15), (3, 6..9)] {
        said.spans.insert(SpanId(id), span(text, bytes, 0));
    }
    let order: Vec<u32> = said.spans_in_order().into_iter().map(|(id, _)| id.0).collect();
    assert_eq!(order, [2, 1, 3, 4]);
    assert_eq!(said.free_span_id(), SpanId(5));
}

// Queues.

fn queue_project() -> Project {
    let mut project = project();
    let question = QuestionId(0);
    for edit in [
        Edit::SetState { doc: DocId(0), to: State::Done },
        Edit::SetAnswer { doc: DocId(0), question, to: Some(Answer::Class(2)) },
        Edit::SetFlag { doc: DocId(2), to: true },
        Edit::SetState { doc: DocId(3), to: State::Skipped },
        Edit::PutSpan { doc: DocId(1), id: SpanId(0), span: span(TEXTS[1], 0..6, 0) },
        Edit::PutSpan { doc: DocId(0), id: SpanId(0), span: span(TEXTS[0], 16..22, 1) },
    ] {
        project.apply(edit).unwrap();
    }
    project
}

fn ids(queue: &Queue) -> Vec<u32> {
    queue.ids().iter().map(|id| id.0).collect()
}

fn joined(any: bool, conditions: &[(bool, What)]) -> Filter {
    let conditions = conditions.iter().map(|(not, what)| Condition { not: *not, what: what.clone() }).collect();
    Filter { conditions, any, ..Filter::default() }
}

#[test]
fn filters() {
    let project = queue_project();
    let question = QuestionId(0);
    let search = |words: &str| Filter { search: words.into(), ..Filter::default() };
    for (filter, wanted) in [
        (Filter::default(), vec![0, 1, 2, 3, 4]),
        (search("屏幕"), vec![0]),
        (search("VERY Good"), vec![2]),
        (search("手机！"), vec![3]),
        (search("nothing like it"), vec![]),
        (search("/"), vec![0, 1, 2, 3, 4]),
        (search("/屏幕|^X$"), vec![0, 4]),
        (search("/very\\s+GOOD"), vec![2]),
        (search("/[。！]$"), vec![1, 3]),
        (search("/("), vec![]),
        (Filter::of(What::State(State::Todo)), vec![1, 2, 4]),
        (Filter::of(What::State(State::Skipped)), vec![3]),
        (Filter::of(What::Flagged), vec![2]),
        (Filter::of(What::Class(question, Some(2))), vec![0]),
        (Filter::of(What::Class(question, None)), vec![1, 2, 3, 4]),
        (Filter::of(What::Span(0)), vec![1]),
        (Filter::of(What::Span(1)), vec![0]),
        (Filter::of(What::Length(0, Some(3))), vec![4]),
        (Filter::of(What::Length(4, None)), vec![0, 1, 2, 3]),
        (Filter::of(What::Script(Script::Chinese)), vec![0, 1, 3]),
        (Filter::of(What::Script(Script::Latin)), vec![2, 4]),
        (Filter::only([DocId(3), DocId(77), DocId(1)]), vec![3, 1]),
        (Filter { only: Some(Arc::from([DocId(3), DocId(1)])), ..Filter::of(What::State(State::Todo)) }, vec![1]),
        // All, any, and not.
        (joined(false, &[(false, What::State(State::Todo)), (false, What::Flagged)]), vec![2]),
        (joined(true, &[(false, What::State(State::Skipped)), (false, What::Flagged)]), vec![2, 3]),
        (joined(false, &[(true, What::State(State::Todo))]), vec![0, 3]),
        (joined(false, &[(true, What::Flagged), (true, What::State(State::Done))]), vec![1, 3, 4]),
        (joined(true, &[(true, What::State(State::Todo)), (false, What::Flagged)]), vec![0, 2, 3]),
        (joined(true, &[]), vec![0, 1, 2, 3, 4]),
        (Filter { search: "好".into(), ..joined(true, &[(false, What::Flagged), (true, What::State(State::Done))]) }, vec![3]),
    ] {
        assert_eq!(ids(&Queue::of(&project, &filter, Order::Arrival)), wanted, "{filter:?}");
        assert_eq!(filter.is_empty(), Filter { any: false, ..filter.clone() } == Filter::default());
    }
}

#[test]
fn a_models_guesses_filter_and_order() {
    let project = queue_project();
    let guess = |class, probability| Guess { class, probability };
    let guesses: Guesses = [(0, guess(2, 0.9)), (1, guess(0, 0.4)), (3, guess(1, 0.6))].map(|(doc, guess)| (DocId(doc), guess)).into();
    let of =
        |filter: Filter, order| ids(&Queue::seen(&project, &filter, order, &Sight::new(&project, Layer::Outcome, Some(&guesses)), None));
    assert_eq!(of(Filter::default(), Order::LeastCertain), [1, 3, 0, 2, 4], "those without a guess come last, as imported");
    assert_eq!(of(Filter::of(What::Guess(1)), Order::Arrival), [3]);
    assert_eq!(of(Filter::of(What::Disagrees), Order::Arrival), [] as [u32; 0], "the only answer is the model's");
    let other: Guesses = [(DocId(0), guess(0, 0.9))].into();
    assert_eq!(
        ids(&Queue::seen(
            &project,
            &Filter::of(What::Disagrees),
            Order::Arrival,
            &Sight::new(&project, Layer::Outcome, Some(&other)),
            None
        )),
        [0]
    );
}

#[test]
fn a_filter_takes_the_place_of_one_that_it_rules_out() {
    let mut filter = Filter::of(What::State(State::Todo));
    filter.add(What::State(State::Done));
    filter.add(What::Flagged);
    filter.add(What::Flagged);
    let whats = |filter: &Filter| filter.conditions.iter().map(|condition| condition.what.clone()).collect::<Vec<_>>();
    assert_eq!(whats(&filter), [What::State(State::Done), What::Flagged]);
    filter.any = true;
    filter.add(What::State(State::Todo));
    assert_eq!(filter.conditions.len(), 3, "where one is enough, both make sense");
}

#[test]
fn what_a_text_is_written_in() {
    for (text, script) in [
        ("屏幕很清晰", Script::Chinese),
        ("wifi很快，酒店的位置也很好", Script::Chinese),
        ("Great screen", Script::Latin),
        ("cafe\u{301} 好 au lait, with more words", Script::Latin),
        ("这个 app 用起来很 nice", Script::Mixed),
        ("👨🏻‍🚒 5/5 ！", Script::Other),
        ("", Script::Other),
    ] {
        assert_eq!(Script::of(text), script, "{text:?}");
    }
}

#[test]
fn patterns_that_can_not_be_read_say_why() {
    for (search, wanted) in [
        ("(", None),
        ("/", None),
        ("/屏幕+", None),
        ("/(屏幕", Some("unclosed group")),
        ("/[a", Some("unclosed character class")),
        ("/*", Some("repetition operator missing expression")),
        ("/a{9999}{9999}", Some("the pattern is too large")),
    ] {
        assert_eq!(Filter::pattern_problem(search).as_deref(), wanted, "{search:?}");
    }
}

#[test]
fn imported_columns_filter_together_with_the_rest() {
    let mut project = Project::new(Schema::default());
    let rows = [("A 店", "5"), ("A 店", "1"), ("B 店", "5"), ("A 店", "5")];
    let document = |(at, (shop, stars)): (usize, (&str, &str))| {
        let meta = [("店", shop), ("stars", stars)].map(|(column, value)| (column.to_owned(), value.to_owned()));
        Document { meta: meta.into_iter().collect(), ..Document::new(DocId(at as u32), "不错") }
    };
    let documents = rows.into_iter().enumerate().map(document).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 4, documents }).unwrap();
    project.apply(Edit::SetFlag { doc: DocId(3), to: true }).unwrap();
    let column = |column: &str, value: &str| What::Column(column.to_owned(), value.to_owned());
    let of = |conditions: &[What]| {
        let conditions: Vec<(bool, What)> = conditions.iter().map(|what| (false, what.clone())).collect();
        ids(&Queue::of(&project, &joined(false, &conditions), Order::Arrival))
    };
    assert_eq!(of(&[column("店", "A 店")]), [0, 1, 3]);
    assert_eq!(of(&[column("店", "A 店"), column("stars", "5")]), [0, 3]);
    assert_eq!(of(&[column("店", "A 店"), column("stars", "5"), What::Flagged]), [3]);
    assert_eq!(of(&[column("nothing", "")]), [] as [u32; 0]);
    let mut counts = ColumnCounts::default();
    project.documents().for_each(|doc| counts.take(doc));
    let counted = counts.ranked(1);
    assert_eq!(counted["店"], [("A 店".to_owned(), 3)]);
    assert_eq!(counted["stars"], [("5".to_owned(), 3)]);
}

#[test]
fn a_document_of_an_undone_import_is_in_no_queue() {
    let mut project = queue_project();
    project.apply(Edit::SetPresent { first: DocId(1), count: 2, to: false }).unwrap();
    assert_eq!(ids(&Queue::of(&project, &Filter::default(), Order::Arrival)), [0, 3, 4]);
    let only = Filter { only: Some(Arc::from([DocId(1), DocId(3)])), ..Filter::default() };
    assert_eq!(ids(&Queue::of(&project, &only, Order::Arrival)), [3]);
}

#[test]
fn orders() {
    let project = queue_project();
    let of = |order| ids(&Queue::of(&project, &Filter::default(), order));
    assert_eq!(of(Order::Shortest), [4, 3, 2, 0, 1]);
    assert_eq!(of(Order::Longest), [1, 0, 2, 3, 4]);
    let shuffles: BTreeSet<Vec<u32>> = (0..20).map(|seed| of(Order::Random(seed))).collect();
    assert!(shuffles.len() > 10, "twenty seeds, {} orders", shuffles.len());
    assert_eq!(of(Order::Random(7)), of(Order::Random(7)));
    assert!(shuffles.iter().all(|order| order.iter().collect::<BTreeSet<_>>().len() == 5), "a shuffle loses nothing");
}

#[test]
fn steps_stop_at_the_ends() {
    let project = queue_project();
    let queue = Queue::of(&project, &Filter { only: Some(Arc::from([4, 2, 0].map(DocId))), ..Filter::default() }, Order::Arrival);
    for (from, by, wanted) in [
        (Some(4), 1, 2),
        (Some(4), -1, 4),
        (Some(0), 1, 0),
        (Some(2), isize::MAX, 0),
        (Some(2), isize::MIN, 4),
        (None, 1, 4),
        (Some(3), 1, 4),
    ] {
        assert_eq!(queue.step(from.map(DocId), by), Some(DocId(wanted)), "{from:?} {by}");
    }
    let empty = Queue::default();
    assert_eq!((empty.step(None, 1), empty.next_todo(&project, None), empty.len()), (None, None, 0));
}

#[test]
fn the_next_todo_is_found_round_the_end() {
    let project = queue_project();
    let queue = Queue::of(&project, &Filter::default(), Order::Arrival);
    for (from, wanted) in [(None, 1), (Some(0), 1), (Some(1), 2), (Some(2), 4), (Some(4), 1), (Some(77), 1)] {
        assert_eq!(queue.next_todo(&project, from.map(DocId)), Some(DocId(wanted)), "{from:?}");
    }
    let done = Queue::of(&project, &Filter::of(What::State(State::Done)), Order::Arrival);
    assert_eq!(done.next_todo(&project, Some(DocId(0))), None);
    // The only one left is the one that is open.
    let one = Queue::of(&project, &Filter { only: Some(Arc::from([DocId(4)])), ..Filter::default() }, Order::Arrival);
    assert_eq!(one.next_todo(&project, Some(DocId(4))), Some(DocId(4)));
}

// Splits and schemas.

#[test]
fn a_split_has_about_the_share_asked_for() {
    for (seed, share) in [(0, 0.2), (1, 0.2), (42, 0.1), (u64::MAX, 0.5)] {
        let dev = (0..10_000).filter(|id| assign_split(seed, DocId(*id), share) == Split::Dev).count();
        let wanted = share * 10_000.0;
        // Five standard deviations of a fair draw.
        assert!((dev as f64 - wanted).abs() < 5.0 * (wanted * (1.0 - share)).sqrt(), "seed {seed}, share {share}: {dev}");
    }
    assert!((0..1000).all(|id| assign_split(3, DocId(id), 0.0) == Split::Train));
    assert!((0..1000).all(|id| assign_split(3, DocId(id), 1.0) == Split::Dev));
}

/// The rule has no other input than seed and id, so a document stays where it is; a larger share only adds to dev.
#[test]
fn a_split_does_not_move_with_the_share_but_with_the_seed() {
    let dev = |seed, share| (0..500).filter(|id| assign_split(seed, DocId(*id), share) == Split::Dev).collect::<BTreeSet<u32>>();
    assert!(dev(5, 0.1).is_subset(&dev(5, 0.2)));
    assert_ne!(dev(5, 0.2), dev(6, 0.2));
    // Written down, so that a change of the hash (and with it of every stored split) does not go unnoticed.
    assert_eq!(dev(0, 0.05).into_iter().take(6).collect::<Vec<_>>(), [24, 28, 39, 44, 47, 70]);
}

#[test]
fn keys_of_a_schema() {
    for names in [
        &["aspect", "opinion"][..],
        &["aspect", "area", "age", "art", "apple"],
        &["方面", "观点", "情绪"],
        &["s", "sss", "flag"],
        &["aspect", "aspect"],
        &[],
    ] {
        let schema = Schema::with_names(&["bad", "good"], names);
        let keys: BTreeSet<char> = schema.span_labels.iter().map(|label| label.key).collect();
        assert_eq!(keys.len(), names.len(), "{names:?}: {keys:?}");
        assert!(keys.iter().all(|key| key.is_ascii_lowercase() && !"sfcljknh".contains(*key)), "{names:?}: {keys:?}");
    }
    let schema = Schema::default();
    let said: Vec<_> = schema.span_labels.iter().map(|label| (label.name.as_str(), label.key, label.polarity)).collect();
    assert_eq!(said, [("aspect", 'a', false), ("opinion", 'o', true)]);
    let (id, question) = schema.main_question().unwrap();
    assert_eq!((id, question.class("neutral"), question.class("Neutral")), (QuestionId(0), Some(1), None));
    assert_eq!((schema.span_label("opinion"), schema.span_label("")), (Some(1), None));
    assert_eq!(schema.question(QuestionId(1)).map(|question: &Question| &question.name), None);
}
