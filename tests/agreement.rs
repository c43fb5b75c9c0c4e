//! Agreement between annotators: the coefficients against published worked examples, and what is compared in a project.

use gloss::project::agreement::nominal::{Ratings, cohen_kappa, fleiss_kappa, krippendorff_alpha, raw_agreement};
use gloss::project::agreement::spans::{Mark, Matches, unitizing_alpha, unitizing_disagreement};
use gloss::project::agreement::{Agreement, Detail, only_in};
use gloss::project::{
    Annotation, AnnotatorId, Answer, DocId, Document, Edit, Link, LinkTypeChange, Polarity, Project, QuestionId, Schema, SchemaChange,
    Span, SpanId, State, TextRange,
};
use proptest::prelude::*;
use std::ops::Range;

#[track_caller]
fn close(found: Option<f64>, wanted: f64, tolerance: f64) {
    let found = found.expect("it is defined");
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted}");
}

/// A line an observer, a sign a thing; `.` is missing.
fn ratings(lines: &[&str]) -> Vec<Ratings> {
    let lines: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    let class = |sign: &str| sign.chars().next().filter(|c| *c != '.').map(|c| c as u16 - '0' as u16);
    (0..lines[0].len()).map(|thing| lines.iter().map(|line| class(line[thing])).collect()).collect()
}

#[test]
fn krippendorffs_alpha_of_his_own_examples() {
    // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": sections A, B and C.
    let binary = ratings(&["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]);
    close(krippendorff_alpha(&binary), 0.095, 0.0005);
    let nominal = ratings(&["1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4"]);
    close(krippendorff_alpha(&nominal), 0.692, 0.0005);
    let missing = ratings(&[
        "1 2 3 3 2 1 4 1 2 . . .", //
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]);
    close(krippendorff_alpha(&missing), 0.743, 0.0005);
    assert_eq!(krippendorff_alpha(&ratings(&["1 1 1", "1 1 1"])), None, "one class only: nothing is expected to differ");
    assert_eq!(krippendorff_alpha(&ratings(&["1 . 2", ". 1 ."])), None, "nothing was rated twice");
    assert_eq!((krippendorff_alpha(&[]), raw_agreement(&[]), cohen_kappa(&[])), (None, None, None));
}

#[test]
fn cohens_kappa_of_the_worked_tables() {
    // Wikipedia, "Cohen's kappa": both yes, first alone, second alone, both no.
    for ([both, first, second, neither], kappa) in
        [([20, 5, 10, 15], 0.4), ([45, 15, 25, 15], 0.1304), ([25, 35, 5, 35], 0.2593), ([0, 5, 5, 0], -1.0)]
    {
        let pairs = [((1, 1), both), ((1, 0), first), ((0, 1), second), ((0, 0), neither)];
        let pairs: Vec<(u16, u16)> = pairs.into_iter().flat_map(|(pair, count)| std::iter::repeat_n(pair, count)).collect();
        close(cohen_kappa(&pairs), kappa, 0.0001);
    }
    assert_eq!(cohen_kappa(&[(3, 3), (3, 3)]), None, "agreement by chance is certain");
}

#[test]
fn fleiss_kappa_of_the_worked_table() {
    // Fourteen raters, ten things, five classes: Wikipedia, "Fleiss' kappa".
    let counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ];
    let counts: Vec<Vec<usize>> = counts.into_iter().map(Vec::from).collect();
    close(fleiss_kappa(&counts), 0.210, 0.0005);
    let mut short = counts.clone();
    short[3][1] -= 1;
    assert_eq!(fleiss_kappa(&short), None, "every thing needs the same number of raters");
    assert_eq!(fleiss_kappa(&[vec![3, 0], vec![3, 0]]), None);
}

#[test]
fn unitizing_alpha_of_krippendorffs_example() {
    // Krippendorff 2004, "Measuring the Reliability of Qualitative Text Analysis Data": two observers, two categories, a
    // continuum from 150 to 450; here from 0.
    let section = |start: usize, length: usize| start - 150..start - 150 + length;
    let c = [vec![section(225, 70), section(370, 30)], vec![section(220, 80), section(355, 20), section(400, 20)]];
    let k = [vec![section(180, 60), section(300, 50)], vec![section(180, 60), section(300, 50)]];
    let (of_c, of_k) = (unitizing_disagreement(&c, 300), unitizing_disagreement(&k, 300));
    close(Some(of_c.observed), 0.0144, 0.0001);
    close(Some(of_c.expected), 0.0532, 0.0001);
    close(Some(of_k.expected), 0.0490, 0.0001);
    assert_eq!(of_k.observed, 0.0);
    close(of_c.alpha(), 0.7285, 0.0002);
    close(of_k.alpha(), 1.0, 0.0);
    close([of_c, of_k].into_iter().sum::<gloss::project::agreement::spans::Disagreement>().alpha(), 0.8587, 0.0002);
    assert_eq!(unitizing_alpha(&[vec![], vec![]], 100), None, "nothing was marked");
}

/// The same by the formula as it is printed, section by section and gap by gap.
fn expected_as_printed(observers: &[Vec<Range<usize>>], length: usize) -> f64 {
    let (m, l) = (observers.len() as f64, length as f64);
    let gaps: Vec<usize> = observers
        .iter()
        .flat_map(|sections| {
            let starts = std::iter::once(0).chain(sections.iter().map(|s| s.end));
            starts.zip(sections.iter().map(|s| s.start).chain([length])).map(|(a, b)| b - a).filter(|gap| *gap > 0).collect::<Vec<_>>()
        })
        .collect();
    let n: f64 = observers.iter().map(Vec::len).sum::<usize>() as f64;
    let (mut sum, mut within) = (0.0, 0.0);
    for len in observers.iter().flatten().map(ExactSizeIterator::len) {
        let x = len as f64;
        let room: f64 = gaps.iter().filter(|gap| **gap >= len).map(|gap| (*gap - len + 1) as f64).sum();
        sum += (n - 1.0) / 3.0 * (2.0 * x * x * x - 3.0 * x * x + x) + x * x * room;
        within += x * (x - 1.0);
    }
    2.0 / l * sum / (m * l * (m * l - 1.0) - within)
}

fn sections() -> impl Strategy<Value = Vec<Range<usize>>> {
    proptest::collection::vec((1usize..9, 1usize..7), 0..8).prop_map(|steps| {
        let mut at = 0;
        steps
            .into_iter()
            .map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn unitizing_keeps_its_laws(one in sections(), other in sections(), third in sections()) {
        let length = 150;
        let observers = [one.clone(), other.clone(), third];
        let found = unitizing_disagreement(&observers, length);
        let mut turned = observers.clone();
        turned.rotate_left(1);
        let again = unitizing_disagreement(&turned, length);
        prop_assert!((found.observed - again.observed).abs() < 1e-12, "the order of observers means nothing");
        if observers.iter().any(|sections| !sections.is_empty()) {
            prop_assert!((found.expected - expected_as_printed(&observers, length)).abs() < 1e-12);
        }
        let same = unitizing_disagreement(&[one.clone(), one.clone()], length);
        prop_assert_eq!(same.observed, 0.0);
        let pair = |a: &[Range<usize>]| a.iter().map(|place| Mark::from((0, place.clone()))).collect::<Vec<_>>();
        let (a, b) = (Matches::between(&pair(&one), &pair(&other)), Matches::between(&pair(&other), &pair(&one)));
        prop_assert_eq!((a.exact_f1(), a.overlap_f1()), (b.exact_f1(), b.overlap_f1()));
        prop_assert!(a.exact_f1() <= a.overlap_f1());
    }
}

#[test]
fn span_f1_by_hand() {
    let place = |label: u16, range: Range<usize>| Mark::from((label, range));
    let one = [place(0, 0..2), place(0, 5..9), place(1, 10..12)];
    let other = [place(0, 0..2), place(0, 6..8), place(0, 10..12), place(1, 20..21)];
    let matches = Matches::between(&one, &other);
    assert_eq!((matches.exact, matches.met, matches.all), (1, [2, 2], [3, 4]));
    close(matches.exact_f1(), 2.0 / 7.0, 1e-12);
    close(matches.overlap_f1(), 2.0 * (2.0 / 3.0) * 0.5 / (2.0 / 3.0 + 0.5), 1e-12);
    assert_eq!(Matches::between(&[], &[]).exact_f1(), None);
    close(Matches::between(&one, &[]).overlap_f1(), 0.0, 0.0);
}

const TEXTS: [&str; 5] = ["屏幕很清晰，电池差。", "Great screen 👍🏻", "一般", "不好", "谁都没看"];

/// Document, annotator, class (9 for none) and spans as label and part of the text.
type Said<'a> = (u32, u16, u16, &'a [(u16, &'a str)]);

/// A project with three annotators.
fn labelled(said: &[Said<'_>]) -> Project {
    let mut project = Project::new(Schema::default());
    let documents: Vec<Document> = TEXTS.iter().enumerate().map(|(at, text)| Document::new(DocId(at as u32), *text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: TEXTS.len() as u32, documents }).unwrap();
    project.apply(Edit::SetAnnotators { to: ["小梅", "Jun", "José"].map(str::to_owned).to_vec() }).unwrap();
    for (doc, who, class, spans) in said {
        let text = TEXTS[*doc as usize];
        let mut to = Annotation { state: State::Done, ..Annotation::default() };
        if *class < 9 {
            to.answers.insert(QuestionId(0), Answer::Class(*class));
        }
        for ((label, part), id) in spans.iter().zip(0..) {
            let start = text.find(part).unwrap();
            let range = TextRange::new(text, start..start + part.len()).unwrap();
            to.spans.insert(SpanId(id), Span { range, label: *label, polarity: None });
        }
        project.apply(Edit::SetAnnotation { doc: DocId(*doc), to: Box::new(to) }.by(AnnotatorId(*who))).unwrap();
    }
    project
}

#[test]
fn a_project_is_compared_document_by_document() {
    let project = labelled(&[
        (0, 0, 2, &[(0, "屏幕"), (1, "很清晰")]),
        (0, 1, 2, &[(1, "清晰"), (0, "屏幕")]),
        (1, 0, 2, &[(0, "screen")]),
        (1, 1, 0, &[(0, "screen")]),
        (1, 2, 2, &[]),
        (2, 0, 1, &[]),
        (2, 1, 1, &[]),
        (3, 0, 0, &[]),
    ]);
    let found = Agreement::of(&project);
    assert_eq!(found.documents, 3, "what one alone labelled is not compared");
    assert_eq!(found.annotators, [0, 1, 2].map(AnnotatorId));
    assert_eq!(&*found.disputed, [DocId(0), DocId(1)]);
    let question = &found.questions[0];
    assert_eq!((question.documents, &*question.differing), (3, &[DocId(1)][..]));
    close(question.raw, 3.0 / 5.0, 1e-12);
    let pair = question.pairs.iter().find(|pair| pair.who == [AnnotatorId(0), AnnotatorId(1)]).unwrap();
    assert_eq!((pair.documents, &*pair.differing), (3, &[DocId(1)][..]));
    close(pair.raw, 2.0 / 3.0, 1e-12);
    assert_eq!(found.labels.len(), 2);
    let (aspects, opinions) = (&found.labels[0], &found.labels[1]);
    assert_eq!((aspects.label, aspects.spans, &*aspects.differing), (Some(0), 4, &[DocId(1)][..]), "José marked none");
    assert_eq!(&*opinions.differing, [DocId(0)]);
    close(opinions.exact_f1, 0.0, 0.0);
    close(opinions.overlap_f1, 1.0, 0.0);
    assert_eq!(found.all_labels.as_ref().unwrap().spans, 6);
    assert_eq!(Agreement::of(&labelled(&[])), Agreement::default());
}

#[test]
fn parts_that_are_one_are_equal_where_every_part_is() {
    let whole = |places: &[Range<usize>]| Mark { label: 1, places: places.to_vec() };
    let mark = |place: Range<usize>| Mark::from((1, place));
    let one = [whole(&[0..2, 5..9]), mark(20..21)];
    for (other, exact, met) in [
        (vec![whole(&[0..2, 5..9]), mark(20..21)], 2, [2, 2]),
        (vec![mark(0..2), mark(5..9), mark(20..21)], 1, [2, 3]),
        (vec![mark(2..5)], 0, [0, 0]),
        (vec![mark(8..12)], 0, [1, 1]),
    ] {
        let found = Matches::between(&one, &other);
        assert_eq!((found.exact, found.met, found.all), (exact, met, [2, other.len()]), "{other:?}");
    }
}

#[test]
fn parts_of_an_opinion_count_as_one_mark() {
    let texts = ["不是很干净的房间，也贵", "not what I would call clean 👍🏻"];
    let mut project = Project::new(Schema::default());
    let documents: Vec<Document> = (0..).zip(texts).map(|(at, text)| Document::new(DocId(at), text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 2, documents }).unwrap();
    project.apply(Edit::SetAnnotators { to: ["梅", "Jun"].map(str::to_owned).to_vec() }).unwrap();
    for change in [LinkTypeChange::Add { name: "part of".into() }, LinkTypeChange::SetParts { at: 1, to: true }] {
        let plan = project.plan(&SchemaChange::LinkType(change)).unwrap();
        plan.edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    }
    let said = |doc: u32, parts: &[&str], joined: bool, polarity: Polarity| {
        let text = texts[doc as usize];
        let mut said = Annotation { state: State::Done, ..Annotation::default() };
        for (part, id) in parts.iter().zip(0..) {
            let start = text.find(part).unwrap();
            let range = TextRange::new(text, start..start + part.len()).unwrap();
            // The polarity stands on the last part alone.
            let polarity = (id + 1 == parts.len() as u32).then_some(polarity);
            said.spans.insert(SpanId(id), Span { range, label: 1, polarity });
            if joined && id > 0 {
                let link = Link { from: SpanId(id), to: SpanId(id - 1) };
                said.links.insert(link);
                said.link_types.insert(link, 1);
            }
        }
        said
    };
    let mut set = |doc: u32, who: u16, to: Annotation| {
        project.apply(Edit::SetAnnotation { doc: DocId(doc), to: Box::new(to) }.by(AnnotatorId(who))).unwrap();
        project.clone()
    };
    set(0, 0, said(0, &["不是", "干净"], true, Polarity::Negative));
    set(0, 1, said(0, &["不是", "干净"], true, Polarity::Neutral));
    set(1, 0, said(1, &["not", "clean"], true, Polarity::Negative));
    let found = Agreement::of(&set(1, 1, said(1, &["not", "clean"], true, Polarity::Negative)));
    let opinions = &found.labels[0];
    assert_eq!((opinions.label, opinions.spans), (Some(1), 4), "four opinions, eight parts");
    close(opinions.exact_f1, 1.0, 0.0);
    let polarity = found.details.iter().find(|held| held.what == Detail::Polarity).unwrap();
    assert_eq!((polarity.spans, &*polarity.differing), (2, &[DocId(0)][..]));
    close(polarity.raw, 0.5, 0.0);
    // Two opinions where the other saw one in two parts: one of three is equal, of both.
    let found = Agreement::of(&set(1, 1, said(1, &["not", "clean"], false, Polarity::Negative)));
    let opinions = &found.labels[0];
    assert_eq!((opinions.spans, &*opinions.differing), (5, &[DocId(1)][..]));
    close(opinions.exact_f1, 2.0 * 0.5 * (1.0 / 3.0) / (0.5 + 1.0 / 3.0), 1e-12);
    close(opinions.overlap_f1, 1.0, 0.0);
    assert_eq!(opinions.alpha, Some(1.0), "the places marked are the same");
}

#[test]
fn gamma_is_of_all_annotators_where_they_share_documents() {
    let project = labelled(&[
        (0, 0, 2, &[(0, "屏幕"), (1, "很清晰"), (0, "电池")]),
        (0, 1, 2, &[(0, "屏幕"), (1, "很清晰"), (0, "电池")]),
        (0, 2, 2, &[(0, "屏幕"), (1, "很清晰"), (0, "电池")]),
    ]);
    let all = Agreement::of(&project).all_labels.unwrap();
    assert!(all.gamma_of_all && all.gamma.unwrap().exact);
    close(all.gamma.map(|gamma| gamma.value), 1.0, 1e-12);
    // Three who share no document in threes.
    let project = labelled(&[
        (0, 0, 2, &[(0, "屏幕"), (1, "差")]),
        (0, 1, 2, &[(0, "屏幕"), (1, "差")]),
        (1, 1, 2, &[(0, "screen"), (1, "Great")]),
        (1, 2, 2, &[(0, "screen"), (1, "Great")]),
    ]);
    let all = Agreement::of(&project).all_labels.unwrap();
    assert!(!all.gamma_of_all);
    close(all.gamma.map(|gamma| gamma.value), 1.0, 1e-12);
}

#[test]
fn what_only_one_of_two_said() {
    let project = labelled(&[(0, 0, 2, &[(0, "屏幕"), (1, "很清晰")]), (0, 1, 2, &[(1, "清晰"), (0, "屏幕")])]);
    let doc = project.document(DocId(0)).unwrap();
    let said = |who: u16| &doc.layers[&AnnotatorId(who)];
    assert_eq!(only_in(said(0), said(1)), [SpanId(1)]);
    assert_eq!(only_in(said(1), said(0)), [SpanId(0)]);
    assert!(doc.is_disputed() && doc.consensus().is_none());
    assert_eq!(only_in(said(0), said(0)), []);
}
