//! What to label next and which labels look wrong: the rankings by hand, and through a real desk.

use crate::desk::{desk_in, poll_until};
use crate::made_runs::{add_run, add_span_run};
use gloss::advise::{Candidate, Judged, JudgedSpans, informative, span_suspects, suspects, uncertainty};
use gloss::desk::{Command, Desk};
use gloss::project::{Advice, DocId, Filter, Layer, Order, Project, Queue, Schema, Sight, Suspicion, TextRange, What};
use gloss::train::{HeldOut, OpinionAnswers, TrainConfig};
use std::collections::BTreeMap;

fn candidates(texts: &[(&str, f32)]) -> Vec<Candidate> {
    let candidate =
        |(at, (text, uncertainty)): (u32, &(&str, f32))| Candidate { doc: DocId(at), text: (*text).into(), uncertainty: *uncertainty };
    (0u32..).zip(texts).map(candidate).collect()
}

fn ranked(texts: &[(&str, f32)]) -> Vec<u32> {
    informative(&candidates(texts), &|| false).unwrap().into_iter().map(|doc| doc.0).collect()
}

#[test]
fn uncertainty_is_the_share_of_what_is_possible() {
    let about = |value: f32, wanted: f32| assert!((value - wanted).abs() < 1e-3, "{value} and not {wanted}");
    about(uncertainty(&[1.0, 0.0, 0.0], []), 0.0);
    about(uncertainty(&[1.0 / 3.0; 3], []), 1.0);
    about(uncertainty(&[0.5, 0.5, 0.0], []), 2f32.ln() / 3f32.ln());
    about(uncertainty(&[], [0.5, 1.0]), 0.5);
    about(uncertainty(&[1.0, 0.0], [0.5]), 0.5);
    about(uncertainty(&[], []), 0.0);
}

#[test]
fn what_a_model_is_unsure_of_comes_first() {
    assert_eq!(ranked(&[("房间很干净", 0.1), ("房间很干净吗", 0.9), ("房间干净", 0.5), ("", 1.0)])[0], 1);
}

#[test]
fn what_is_like_many_comes_before_what_is_like_none() {
    // Equally unsure; the fourth is like none of the others.
    let texts = [("battery life is short", 0.8), ("battery life is long", 0.8), ("the battery life", 0.8), ("喵", 0.8)];
    assert_eq!(*ranked(&texts).last().unwrap(), 3);
}

#[test]
fn the_first_ones_are_unlike_one_another() {
    // Three that say the same and one that says something else: it is the second.
    let texts = [
        ("屏幕很清晰，颜色好看", 0.9),
        ("屏幕很清晰，颜色好看。", 0.89),
        ("屏幕很清晰，颜色好看！", 0.88),
        ("快递太慢，屏幕碎了", 0.7),
        ("快递太慢了", 0.2),
    ];
    let order = ranked(&texts);
    assert!(order[0] < 3 && order[1] == 3, "{order:?}");
    let mut all = order.clone();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4], "each is there once");
}

#[test]
fn ranking_stops_when_it_is_told_to() {
    assert_eq!(informative(&candidates(&[("a", 1.0)]), &|| true), None);
    assert_eq!(informative(&[], &|| false), Some(vec![]));
}

fn judged(doc: u32, answer: u16, probabilities: [f32; 2]) -> Judged {
    Judged { doc: DocId(doc), answer, probabilities: probabilities.to_vec(), learnt: false }
}

/// Thresholds by hand: class 0 has (.9 + .8 + .2) / 3 = .633, class 1 has (.9 + .6 + .35) / 3 = .617.
#[test]
fn confident_learning_by_hand() {
    let all = [
        judged(0, 0, [0.9, 0.1]),
        judged(1, 0, [0.8, 0.2]),
        judged(2, 0, [0.2, 0.8]), // .8 of class 1 reaches its threshold: suspected
        judged(3, 1, [0.1, 0.9]),
        judged(4, 1, [0.4, 0.6]),
        judged(5, 1, [0.65, 0.35]), // .65 of class 0 reaches its threshold: suspected, less so
    ];
    let found = suspects(&all);
    let order: Vec<(u32, bool)> = found.iter().map(|(doc, found)| (doc.0, found.suspected)).collect();
    assert_eq!(order, [(2, true), (5, true), (4, false), (1, false), (0, false), (3, false)]);
    let (doc, first) = found[0];
    assert_eq!((doc, first), (DocId(2), Suspicion { place: 0, answer: 0, suspected: true, says: 1, percent: 80, learnt: false }));
}

#[test]
fn a_class_that_is_said_with_little_certainty_needs_little_to_be_suspected() {
    // The model never says class 1 with more than .45; those labelled so have .4 in the mean.
    let all = [judged(0, 0, [0.95, 0.05]), judged(1, 0, [0.55, 0.45]), judged(2, 1, [0.6, 0.4]), judged(3, 1, [0.6, 0.4])];
    let suspected: Vec<u32> = suspects(&all).iter().filter(|(_, found)| found.suspected).map(|(doc, _)| doc.0).collect();
    assert_eq!(suspected, [1], "an argmax would suspect 2 and 3 instead");
}

#[test]
fn what_a_model_had_learnt_comes_after_what_it_had_not() {
    let learnt = Judged { learnt: true, ..judged(9, 0, [0.0, 1.0]) };
    let others = Judged { learnt: true, ..judged(8, 1, [0.1, 0.9]) };
    let found = suspects(&[learnt, others, judged(0, 0, [0.3, 0.7]), judged(1, 1, [0.4, 0.6]), judged(2, 0, [0.9, 0.1])]);
    let suspected: Vec<u32> = found.iter().filter(|(_, found)| found.suspected).map(|(doc, _)| doc.0).collect();
    assert_eq!(suspected, [0, 9]);
    assert_eq!(suspects(&[]), []);
    assert_eq!(suspects(&[judged(0, 7, [0.5, 0.5])]), [], "a class that the model does not know is not judged");
}

type Marks<'a> = &'a [(std::ops::Range<usize>, u16)];
type Finds<'a> = &'a [(std::ops::Range<usize>, u16, f32)];

fn doubts(judged: &[JudgedSpans]) -> Vec<(DocId, gloss::project::SpanSuspicion)> {
    span_suspects(judged, &["aspect".to_owned(), "opinion".to_owned()])
}

fn judged_spans(doc: u32, text: &str, marked: Marks<'_>, found: Finds<'_>) -> JudgedSpans {
    let range = |range: &std::ops::Range<usize>| TextRange::new(text, range.clone()).unwrap();
    JudgedSpans {
        doc: DocId(doc),
        marked: marked.iter().map(|(at, label)| (range(at), *label)).collect(),
        found: found.iter().map(|(at, label, sure)| (range(at), *label, *sure)).collect(),
        learnt: false,
    }
}

/// Thresholds by hand: label 0 has (.9 + .7) / 2 = .8, label 1 has .6.
#[test]
fn spans_that_a_model_is_sure_of_and_nobody_marked() {
    let text = "电池不耐用，屏幕👍🏽清晰";
    let all = [
        judged_spans(0, text, &[(0..6, 0)], &[(0..6, 0, 0.9), (6..15, 1, 0.61)]), // .61 reaches .6: suspected
        judged_spans(1, text, &[(0..6, 0), (6..15, 1)], &[(0..6, 0, 0.7), (6..15, 1, 0.6)]),
        judged_spans(2, text, &[(0..6, 0)], &[(18..24, 0, 0.79)]), // below .8: not
        judged_spans(3, text, &[(0..15, 0)], &[(0..6, 0, 0.85), (6..15, 1, 0.95)]), // both; the surest counts
        judged_spans(4, text, &[(0..6, 0)], &[]),                  // what a model does not find, it says nothing of
    ];
    let found = doubts(&all);
    let brief: Vec<_> = found.iter().map(|(doc, found)| (doc.0, found.place, found.range.bytes(), found.label, found.percent)).collect();
    assert_eq!(brief, [(3, 0, 6..15, 1, 95), (0, 1, 6..15, 1, 61)]);
    // A model that has learnt from the marks has thresholds of its own, and comes last.
    let learnt = JudgedSpans { learnt: true, ..judged_spans(7, text, &[(0..6, 0)], &[(0..6, 0, 0.99), (18..24, 0, 0.99)]) };
    let order: Vec<u32> = doubts(&[learnt, all[0].clone(), all[1].clone()]).iter().map(|(doc, _)| doc.0).collect();
    assert_eq!(order, [0, 7]);
    // Where no mark was found, nothing is sure.
    assert_eq!(doubts(&[judged_spans(0, text, &[], &[(0..6, 0, 1.0)])]), []);
}

#[test]
fn a_span_that_was_marked_or_turned_down_is_not_suspected() {
    use gloss::project::{Document, Edit, Rejected, Span, SpanId, SpanSuspicion};
    let mut project = Project::new(Schema::with_names(&[] as &[&str], &["aspect", "opinion"]));
    let documents: Vec<Document> = (0..3).map(|at| Document::new(DocId(at), "屏幕很清晰".to_owned())).collect();
    let range = |bytes| TextRange::new("屏幕很清晰", bytes).unwrap();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 3, documents }).unwrap();
    let suspicion = |place| SpanSuspicion { place, range: range(0..6), label: 0, name: "aspect".into(), percent: 90, learnt: false };
    let span_suspects = (0..3).map(|doc| (DocId(doc), suspicion(2 - doc))).collect();
    let advice = Advice { span_suspects, ..Advice::default() };
    let ids = |project: &Project, filter: Filter, order| -> Vec<u32> {
        let sight = Sight::new(project, Layer::Outcome, None).advised(Some(&advice));
        Queue::seen(project, &filter, order, &sight, None).ids().iter().map(|doc| doc.0).collect()
    };
    assert_eq!(ids(&project, Filter::default(), Order::SuspectedSpans), [2, 1, 0]);
    let mark = |doc, range, label| Edit::PutSpan { doc: DocId(doc), id: SpanId(0), span: Span { range, label, polarity: None } };
    project.apply(mark(0, range(0..6), 1)).unwrap();
    assert_eq!(ids(&project, Filter::of(What::SuspectedSpan), Order::Arrival), [0, 1, 2], "another label is not it");
    project.apply(mark(1, range(0..6), 0)).unwrap();
    let what = Rejected { range: range(0..6), label: "aspect".to_owned() };
    project.apply(Edit::SetRejected { doc: DocId(2), what, to: true }).unwrap();
    assert_eq!(ids(&project, Filter::of(What::SuspectedSpan), Order::Arrival), [0]);
    assert_eq!(ids(&project, Filter::default(), Order::SuspectedSpans), [2, 1, 0], "the list does not jump");
}

#[test]
fn lists_follow_advice_and_a_corrected_answer_is_not_suspected() {
    use gloss::project::{Answer, Document, Edit, QuestionId};
    let mut project = Project::new(Schema::with_names(&["no", "yes"], &[] as &[&str]));
    let documents = (0..4).map(|at| Document::new(DocId(at), format!("第{at}条"))).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 4, documents }).unwrap();
    let answer = |doc, to| Edit::SetAnswer { doc: DocId(doc), question: QuestionId(0), to: Some(Answer::Class(to)) };
    project.apply(answer(1, 0)).unwrap();
    project.apply(answer(2, 1)).unwrap();
    let suspicion = |place, answer, suspected| Suspicion { place, answer, suspected, says: 1 - answer, percent: 90, learnt: false };
    let advice = Advice {
        informative: BTreeMap::from([(DocId(3), 0), (DocId(0), Advice::MOST)]),
        suspects: BTreeMap::from([(DocId(2), suspicion(0, 1, true)), (DocId(1), suspicion(1, 0, false))]),
        ..Advice::default()
    };
    let ids = |project: &Project, filter: Filter, order| -> Vec<u32> {
        let sight = Sight::new(project, Layer::Outcome, None).advised(Some(&advice));
        Queue::seen(project, &filter, order, &sight, None).ids().iter().map(|doc| doc.0).collect()
    };
    assert_eq!(ids(&project, Filter::default(), Order::MostInformative), [3, 0, 1, 2], "what is not ranked comes last");
    assert_eq!(ids(&project, Filter::default(), Order::SuspectedErrors), [2, 1, 0, 3]);
    assert_eq!(ids(&project, Filter::of(What::Informative), Order::Arrival), [3], "one more than the most is none of them");
    assert_eq!(ids(&project, Filter::of(What::Suspected), Order::Arrival), [2]);
    project.apply(answer(2, 0)).unwrap();
    assert_eq!(ids(&project, Filter::of(What::Suspected), Order::Arrival), [] as [u32; 0]);
    assert_eq!(ids(&project, Filter::default(), Order::SuspectedErrors), [2, 1, 0, 3], "the list does not jump");
}

/// Forty reviews of which five are answered wrongly, and a run that held all of them out.
pub fn with_errors(folder: &std::path::Path) -> Desk {
    let mut desk = desk_in(folder);
    let path = folder.join("p.gloss");
    desk.run(Command::NewProject { path: path.clone(), classes: vec![], spans: vec![] });
    for doc in 0..40u32 {
        desk.run(Command::AddDocument(format!("第{doc}条评论，{}", if doc % 2 == 0 { "不好" } else { "很好" })));
        // What the run says of those from 35 on is another class.
        desk.run(Command::SetClass { doc: DocId(doc), class: Some((doc % 2 * 2) as u16) });
    }
    desk.run(Command::AddDocument("没有答案的一条👨🏻‍🚒".to_owned()));
    desk.run(Command::CloseProject);
    add_run(&path, &TrainConfig::default(), 5, (35, 40));
    desk.run(Command::OpenProject(path));
    desk
}

/// Eight reviews marked alike but for two: 2 lacks its aspect, 5 has it too long. A run that held all of them out finds it in
/// each, in these two with more certainty than elsewhere.
pub fn with_span_errors(folder: &std::path::Path) -> Desk {
    let mut desk = desk_in(folder);
    let path = folder.join("p.gloss");
    let text = "屏幕很清晰👍🏽，快递慢";
    desk.run(Command::NewProject { path: path.clone(), classes: vec![], spans: vec!["aspect".to_owned(), "opinion".to_owned()] });
    let range = |end| TextRange::new(text, 0..end).unwrap();
    for doc in (0..8).map(DocId) {
        desk.run(Command::AddDocument(text.to_owned()));
        match doc.0 {
            2 => desk.run(Command::AddSpan { doc, range: TextRange::new(text, 9..15).unwrap(), label: 1 }),
            5 => desk.run(Command::AddSpan { doc, range: range(9), label: 0 }),
            _ => desk.run(Command::AddSpan { doc, range: range(6), label: 0 }),
        }
        desk.run(Command::SetState { doc, to: gloss::project::State::Done });
    }
    desk.run(Command::CloseProject);
    let held_out = (0..8u32).map(|doc| {
        let sure = if doc == 2 || doc == 5 { 0.9 + doc as f32 / 100.0 } else { 0.8 };
        let opinions = OpinionAnswers { probabilities: vec![sure], ..OpinionAnswers::default() };
        // The run has the labels in another order.
        HeldOut { doc, spans: vec![(0, 6, 1)], opinions, ..HeldOut::default() }
    });
    add_span_run(&path, &["opinion", "aspect"], held_out.collect());
    desk.run(Command::OpenProject(path));
    desk
}

#[test]
fn spans_that_a_run_found_in_what_it_held_out_show_span_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_span_errors(folder.path());
    desk.run(Command::SetSuggestions(true));
    desk.run(Command::SetFilter(Filter::of(What::SuspectedSpan)));
    desk.run(Command::SetOrder(Order::SuspectedSpans));
    poll_until(&mut desk, |desk| !desk.is_advising() && desk.advice().judged_spans > 0);
    assert_eq!((desk.advice().judged_spans, desk.advice().judged_spans_learnt), (8, 0));
    let shown: Vec<u32> = desk.queue().ids().iter().map(|doc| doc.0).collect();
    assert_eq!(shown, [5, 2], "the surest first");
    let found = desk.advice().span_suspects[&DocId(2)].clone();
    assert_eq!((found.range.bytes(), &*found.name, found.percent, found.learnt), (0..6, "aspect", 92, false));
    desk.run(Command::RejectSpan { doc: DocId(2), range: found.range, label: found.label });
    assert_eq!(desk.queue().len(), 1, "it is right as it is");
    desk.run(Command::Undo);
    assert_eq!(desk.queue().len(), 2);
}

#[test]
fn held_out_answers_of_a_run_show_label_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_errors(folder.path());
    desk.run(Command::SetSuggestions(true));
    desk.run(Command::SetFilter(Filter::of(What::Suspected)));
    desk.run(Command::SetOrder(Order::SuspectedErrors));
    poll_until(&mut desk, |desk| !desk.is_advising() && desk.advice().judged > 0);
    assert_eq!(desk.advice().judged, 40, "each by a model that had not learnt from it");
    let shown: Vec<u32> = desk.queue().ids().iter().map(|doc| doc.0).collect();
    assert_eq!(shown, [39, 38, 37, 36, 35], "the surest first");
    // One is put right: it leaves the list, and comes back with its undo.
    desk.run(Command::SetClass { doc: DocId(39), class: Some(0) });
    assert_eq!(desk.queue().len(), 4);
    desk.run(Command::Undo);
    assert_eq!(desk.queue().len(), 5);
    // Hidden suggestions say nothing, not by a list either.
    desk.run(Command::SetSuggestions(false));
    desk.poll();
    assert_eq!(desk.queue().len(), 0);
}

/// `cargo test --release -- --ignored --nocapture advise::times`
#[test]
#[ignore = "measures"]
fn times() {
    let text = |at: u32| format!("第{at}条：房间{}，早餐一般，battery {} ok, {}", at % 97, at % 31, at % 13);
    for count in [10_000, 100_000, 1_000_000] {
        let all: Vec<Candidate> =
            (0..count).map(|at| Candidate { doc: DocId(at), text: text(at).into(), uncertainty: (at % 101) as f32 / 100.0 }).collect();
        let start = std::time::Instant::now();
        let ranked = informative(&all, &|| false).unwrap();
        println!("{count} documents ranked in {:.2} s", start.elapsed().as_secs_f64());
        assert_eq!(ranked.len(), all.len());
    }
}
