//! Aspects, opinions, polarity and links: scores by hand, learning from what there is, and answering as the run did.

use crate::train::{quick, run, toys, weights};
use gloss::nn::{Platt, at_temperature, fit_temperature};
use gloss::predict::{Prediction, Predictor, UnitTags, most_likely};
use gloss::project::{
    DocId, Document, Edit, Link, LinkTypeChange, Polarity, Project, Schema, SchemaChange, Span, SpanId, Split, State, TextRange,
};
use gloss::train::{
    HeldOut, LinkAnswer, OpinionAnswers, OpinionScores, Roles, Scores, SpanKey, TrainConfig, TrainData, bins, error_groups,
    fit_span_threshold, fit_spans, fit_threshold, opinion_scores, reliability,
};

const NEG: Option<Polarity> = Some(Polarity::Negative);
const NEU: Option<Polarity> = Some(Polarity::Neutral);
const POS: Option<Polarity> = Some(Polarity::Positive);

fn roles() -> Roles {
    Roles { aspects: vec![0], opinions: vec![1] }
}

fn link(from: u32, to: u32, polarity: Option<Polarity>) -> LinkAnswer {
    LinkAnswer { from, to: Some(to), polarity, probability: 1.0 }
}

// ---- scores ----

/// "The screen is great but the battery dies fast": two triplets, of which the model found one, and one pair wrongly.
fn screen_and_battery() -> HeldOut {
    let (screen, great, battery, dies) = ((4, 10, 0), (14, 19, 1), (28, 35, 0), (36, 45, 1));
    HeldOut {
        gold_spans: Some(vec![screen, great, battery, dies]),
        spans: vec![screen, great, battery, (36, 40, 1)],
        opinions: OpinionAnswers {
            gold_polarities: vec![None, POS, None, NEG],
            of_gold: vec![NEG, POS, NEG, NEU],
            polarities: vec![POS, POS, POS, NEG],
            gold_links: Some(vec![link(1, 0, POS), link(3, 2, NEG)]),
            links: vec![link(1, 0, POS), link(3, 2, NEG), link(1, 2, POS)],
            ..OpinionAnswers::default()
        },
        ..HeldOut::default()
    }
}

#[test]
fn opinion_scores_by_hand() {
    let scores = opinion_scores(&[screen_and_battery()], &roles());
    assert_eq!(scores.aspect_f1, Some(1.0));
    assert_eq!(scores.opinion_f1, Some(0.5));
    assert_eq!(scores.aspect_polarity_f1, None, "no aspect has a polarity of its own");
    assert_eq!(scores.polarity_accuracy, Some(0.5));
    // Positive 1; negative 0 of one; neutral, guessed once, 0.
    assert_eq!(scores.polarity_macro_f1, Some(1.0 / 3.0));
    // One of three found, one of two there: 2·1 / (3 + 2).
    assert_eq!(scores.pair_f1, Some(0.4));
    assert_eq!(scores.triplet_f1, Some(0.4));
}

#[test]
fn a_wrong_polarity_spoils_the_triplet_and_not_the_pair() {
    let mut doc = screen_and_battery();
    doc.opinions.links = vec![link(1, 0, NEG)];
    let scores = opinion_scores(&[doc.clone()], &roles());
    assert_eq!((scores.pair_f1, scores.triplet_f1), (Some(2.0 / 3.0), Some(0.0)));
    // A gold link whose polarity nobody said is in no triplet, found or not.
    doc.opinions.gold_links = Some(vec![link(1, 0, None), link(3, 2, NEG)]);
    let scores = opinion_scores(&[doc.clone()], &roles());
    assert_eq!((scores.pair_f1, scores.triplet_f1), (Some(2.0 / 3.0), Some(0.0)));
    doc.opinions.gold_links = Some(vec![link(1, 0, None)]);
    let scores = opinion_scores(&[doc], &roles());
    assert_eq!((scores.pair_f1, scores.triplet_f1), (Some(1.0), None));
}

#[test]
fn aspects_with_their_polarity_end_to_end() {
    let (food, staff, wine) = ((0, 4, 0), (8, 13, 0), (20, 24, 0));
    type Aspects<'a> = &'a [(SpanKey, Option<Polarity>)];
    let doc = |gold: Aspects, said: Aspects| HeldOut {
        gold_spans: Some(gold.iter().map(|(span, _)| *span).collect()),
        spans: said.iter().map(|(span, _)| *span).collect(),
        opinions: OpinionAnswers {
            gold_polarities: gold.iter().map(|(_, polarity)| *polarity).collect(),
            polarities: said.iter().map(|(_, polarity)| *polarity).collect(),
            ..OpinionAnswers::default()
        },
        ..HeldOut::default()
    };
    let check = |docs: &[HeldOut], wanted: Option<f64>| assert_eq!(opinion_scores(docs, &roles()).aspect_polarity_f1, wanted);
    // Right span, wrong polarity; right both; invented: 2·1 / (2 + 3).
    check(&[doc(&[(food, POS), (staff, NEG)], &[(food, NEG), (staff, NEG), (wine, POS)])], Some(0.4));
    // Whose polarity nobody gave is neither to be found nor wrong to find.
    check(&[doc(&[(food, POS), (wine, None)], &[(food, POS), (wine, NEG)])], Some(1.0));
    check(&[doc(&[(wine, None)], &[(wine, NEG)])], None);
    check(&[doc(&[(food, POS)], &[]), doc(&[], &[(food, POS)])], Some(0.0));
}

#[test]
fn what_nobody_marked_is_not_scored() {
    let unmarked = HeldOut { gold_spans: None, spans: vec![(0, 4, 0)], ..screen_and_battery() };
    assert_eq!(opinion_scores(&[unmarked], &roles()), OpinionScores::default());
    let mut unlinked = screen_and_battery();
    unlinked.opinions.gold_links = None;
    let scores = opinion_scores(&[unlinked], &roles());
    assert_eq!((scores.pair_f1, scores.triplet_f1, scores.aspect_f1), (None, None, Some(1.0)));
    assert_eq!(opinion_scores(&[], &roles()), OpinionScores::default());
}

#[test]
fn the_best_weights_are_chosen_over_what_was_learnt() {
    let check = |scores: Scores, wanted: f64| assert!((scores.selection() - wanted).abs() < 1e-12, "{scores:?}");
    let opinions = |aspect_polarity_f1, polarity_accuracy, pair_f1, triplet_f1| OpinionScores {
        aspect_f1: Some(0.1),
        aspect_polarity_f1,
        polarity_accuracy,
        pair_f1,
        triplet_f1,
        ..OpinionScores::default()
    };
    let base = Scores { macro_f1: Some(0.9), span_f1: Some(0.7), ..Scores::default() };
    check(base.clone(), 0.8);
    check(Scores { opinions: opinions(None, Some(0.6), Some(0.9), Some(0.2)), ..base.clone() }, 0.6);
    check(Scores { opinions: opinions(Some(0.5), Some(0.9), None, None), ..base.clone() }, 0.7);
    check(Scores { macro_f1: None, opinions: opinions(None, None, Some(0.3), None), ..base }, 0.5);
    assert!(Scores::default().selection().is_nan());
}

// ---- what a project teaches ----

#[test]
fn a_project_teaches_polarity_and_links() {
    let mut project = Project::new(Schema::default());
    let text = "房间很大，早餐难吃";
    let documents = (0..4).map(|id| Document::new(DocId(id), text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 4, documents }).unwrap();
    let mut put = |doc: u32, id: u32, bytes: std::ops::Range<usize>, label, polarity| {
        let span = Span { range: TextRange::new(text, bytes).unwrap(), label, polarity };
        project.apply(Edit::PutSpan { doc: DocId(doc), id: SpanId(id), span }).unwrap();
    };
    // Ids are not in reading order.
    put(0, 7, 0..6, 0, None);
    put(0, 2, 6..12, 1, POS);
    put(0, 3, 15..21, 0, None);
    put(1, 0, 0..6, 0, None);
    for edit in
        [Edit::PutLink { doc: DocId(0), link: Link { from: SpanId(2), to: SpanId(7) } }, Edit::SetState { doc: DocId(2), to: State::Done }]
    {
        project.apply(edit).unwrap();
    }
    let data = TrainData::of(&project, 0, 0.5);
    assert_eq!(data.roles, roles());
    let rows: Vec<_> = data.examples.iter().map(|e| (e.doc.0, e.polarities.clone(), e.links.clone())).collect();
    assert_eq!(
        rows,
        [
            (0, vec![None, POS, None], Some(vec![(1, 0)])),
            // Under way and without a link: whether there is one is not known.
            (1, vec![None], None),
            (2, vec![], Some(vec![])),
        ]
    );
}

// ---- runs ----

/// The toy reviews with what they say: an opinion has the polarity of its review, and belongs to the aspect next to it.
pub fn linked() -> TrainData {
    let mut data = toys();
    for example in &mut data.examples {
        let class = example.class.unwrap();
        let spans = example.spans.as_mut().unwrap();
        spans.sort();
        example.polarities = spans.iter().map(|(_, label)| if *label == 1 { if class == 1 { POS } else { NEG } } else { None }).collect();
        let of = |wanted: u16| spans.iter().zip(0u32..).filter(move |((_, label), _)| *label == wanted).map(|(_, at)| at);
        example.links = Some(of(1).zip(of(0)).collect());
    }
    data
}

pub fn thorough() -> TrainConfig {
    let weights = TrainConfig { polarity_loss_weight: 1.0, link_loss_weight: 1.0, ..quick() };
    TrainConfig { epochs: 24, layers: 4, lr: 3e-4, dropout: 0.0, batch_examples: 4, ..weights }
}

#[test]
fn triplets_are_learnt_and_answered_as_the_run_did() {
    let data = linked();
    let told = run(&data, &thorough());
    let report = told.report.unwrap();
    let scores = &report.scores.opinions;
    assert!(scores.pair_f1 > Some(0.5) && scores.triplet_f1 > Some(0.5), "{scores:?}");
    assert!(scores.polarity_accuracy > Some(0.8) && scores.aspect_polarity_f1.is_none(), "{scores:?}");
    assert!(told.steps.iter().all(|step| step.polarity_loss.is_some() && step.link_loss.is_some()));
    assert!(told.steps.last().unwrap().link_loss < told.steps[0].link_loss);

    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    let mut compared = 0;
    for doc in &report.held_out {
        let example = data.examples.iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        let polarities: Vec<_> = answer.spans.iter().map(|span| span.polarity.map(|shares| most_likely(shares).0)).collect();
        assert_eq!(polarities, doc.opinions.polarities);
        let mut links: Vec<_> =
            doc.opinions.links.iter().map(|link| (link.to.map(|to| to as usize), link.from as usize, link.polarity)).collect();
        links.sort_by_key(|(aspect, opinion, _)| (*aspect, *opinion));
        let triplets: Vec<_> =
            answer.triplets.iter().map(|each| (each.aspect, each.opinion, each.polarity.map(|shares| most_likely(shares).0))).collect();
        assert_eq!(triplets, links, "{}", example.text);
        compared += triplets.len();
        for triplet in &answer.triplets {
            assert!(triplet.link >= 0.2 && triplet.probability > 0.0 && triplet.probability <= 1.0);
        }
    }
    assert!(compared > 4, "{compared} triplets");
    // In company and alone, in any order of texts.
    let texts: Vec<&str> = data.examples.iter().map(|example| &*example.text).chain(["", "好"]).collect();
    for (text, together) in texts.iter().zip(predictor.predict_many(&texts).unwrap()) {
        let alone = predictor.predict(text).unwrap();
        assert_eq!(alone.triplets.len(), together.triplets.len(), "{text}");
        for (one, other) in alone.triplets.iter().zip(&together.triplets) {
            assert!((one.aspect, one.opinion) == (other.aspect, other.opinion) && (one.link - other.link).abs() < 1e-4);
        }
    }
}

#[test]
fn a_document_without_one_kind_teaches_the_others() {
    let mut data = linked();
    for example in data.examples.iter_mut().filter(|example| example.split == Split::Train) {
        match example.doc.0 % 4 {
            0 => example.links = None,
            1 => example.polarities.fill(None),
            2 => example.class = None,
            _ => (example.spans, example.links, example.polarities) = (None, None, Vec::new()),
        }
    }
    let told = run(&data, &TrainConfig { batch_examples: 1, epochs: 2, ..quick() });
    let has = |of: fn(&gloss::train::StepEvent) -> Option<f64>, wanted: usize| {
        assert_eq!(told.steps.iter().filter(|step| of(step).is_some()).count(), wanted);
    };
    has(|step| step.class_loss, 24);
    has(|step| step.span_loss, 24);
    has(|step| step.polarity_loss, 16);
    has(|step| step.link_loss, 16);
    let scores = told.report.unwrap().scores;
    assert!(scores.opinions.pair_f1.is_some() && scores.opinions.polarity_accuracy.is_some());
}

#[test]
fn only_what_is_taught_becomes_a_head() {
    let heads = |data: &TrainData, config: &TrainConfig| {
        let names = weights(&run(data, config).files.unwrap()).into_keys();
        let heads: std::collections::BTreeSet<String> =
            names.filter(|name| name.starts_with("gloss.")).map(|name| name.split('.').take(3).collect::<Vec<_>>().join(".")).collect();
        ["gloss.span.input", "gloss.span.polarity", "gloss.pair.link", "gloss.pair.polarity"].map(|head| heads.contains(head))
    };
    let brief = TrainConfig { epochs: 1, ..quick() };
    assert_eq!(heads(&linked(), &brief), [true, true, true, true]);
    assert_eq!(heads(&toys(), &brief), [false, false, false, false]);
    assert_eq!(heads(&linked(), &TrainConfig { link_loss_weight: 0.0, ..brief.clone() }), [true, true, false, false]);
    assert_eq!(heads(&linked(), &TrainConfig { polarity_loss_weight: 0.0, ..brief.clone() }), [true, false, true, false]);
    let mut without = linked();
    without.examples.iter_mut().for_each(|example| example.polarities.clear());
    assert_eq!(heads(&without, &brief), [true, false, true, false]);
}

#[test]
fn overlapping_spans_still_teach_polarity_and_links() {
    let mut data = linked();
    // "很干净" with "干净" inside it: the tags can say only one of them.
    let example = data.examples.iter_mut().find(|example| &*example.text == "房间很干净").unwrap();
    let range = |bytes| TextRange::new(&example.text, bytes).unwrap();
    example.spans = Some(vec![(range(0..6), 0), (range(6..15), 1), (range(9..15), 1)]);
    example.polarities = vec![None, POS, POS];
    example.links = Some(vec![(1, 0), (2, 0)]);
    let told = run(&data, &TrainConfig { epochs: 1, ..quick() });
    assert!(told.started.unwrap().notes.iter().any(|note| note.contains("overlap")));
    assert!(told.steps[0].link_loss.is_some());
}

/// A batch that is too large for one pass is taken in parts, with the gradient of the whole.
#[test]
fn a_batch_in_parts_teaches_the_same_of_opinions() {
    let whole = TrainConfig { epochs: 1, dropout: 0.0, ..quick() };
    let parts = TrainConfig { tokens_at_once: 20, ..whole.clone() };
    let losses = |config: &TrainConfig| run(&linked(), config).steps.iter().map(|step| (step.loss, step.grad_norm)).collect::<Vec<_>>();
    for ((loss, norm), (other_loss, other_norm)) in losses(&whole).iter().zip(losses(&parts)) {
        assert!((loss - other_loss).abs() < 5e-4 * loss.abs(), "{loss} {other_loss}");
        assert!((norm - other_norm).abs() < 5e-3 * norm.abs(), "{norm} {other_norm}");
    }
}

// ---- mistakes ----

#[test]
fn mistakes_by_kind() {
    let groups =
        |docs: &[HeldOut]| -> Vec<(usize, Vec<u32>)> { error_groups(docs).into_iter().map(|group| (group.count, group.docs)).collect() };
    let marked = |doc: u32, gold: &[(u32, u32, u16)], found: &[(u32, u32, u16)]| HeldOut {
        doc,
        gold_spans: Some(gold.to_vec()),
        spans: found.to_vec(),
        ..HeldOut::default()
    };
    let none = || (0, vec![]);
    let docs = [
        marked(3, &[(0, 4, 0), (10, 14, 1)], &[(0, 4, 0)]),
        marked(5, &[(0, 4, 0)], &[(0, 5, 0), (6, 9, 1), (7, 9, 1)]),
        marked(9, &[(0, 4, 0)], &[(0, 4, 1)]),
        // Touches an aspect and an opinion: the ends are wrong, not the label.
        marked(11, &[(0, 4, 0), (4, 8, 1)], &[(2, 8, 1)]),
        HeldOut { gold_spans: None, ..marked(12, &[], &[(0, 1, 0)]) },
    ];
    assert_eq!(groups(&docs), [(1, vec![3]), (2, vec![5]), (2, vec![5, 11]), (1, vec![9]), none(), none(), none()]);
    // In the example above the second opinion has a wrong end, and one link joins what does not belong together.
    let mut doc = screen_and_battery();
    assert_eq!(groups(&[doc.clone()]), [none(), none(), (1, vec![0]), none(), none(), none(), (1, vec![0])]);
    doc.opinions.links.clear();
    doc.opinions.polarities = vec![None, NEG, None, None];
    assert_eq!(groups(&[doc]), [none(), none(), (1, vec![0]), none(), (1, vec![0]), none(), (1, vec![0])]);
    assert_eq!(groups(&[]), vec![none(); 7]);
}

// ---- calibration ----

#[test]
fn platt_scaling_finds_what_was_meant() {
    // Said 0.9, right in 60 of 100; said 0.6, right in 30 of 100; said 0.2, in 5 of 100.
    let cases: Vec<(f32, bool)> =
        [(0.9f32, 60), (0.6, 30), (0.2, 5)].iter().flat_map(|(p, right)| (0..100).map(move |at| (*p, at < *right))).collect();
    let fitted = Platt::fit(&cases);
    for (p, wanted) in [(0.9, 0.6), (0.6, 0.25), (0.2, 0.05)] {
        assert!((fitted.apply(p) - wanted).abs() < 0.07, "{p} became {}", fitted.apply(p));
    }
    // The mean of what is said is the share that is right.
    let mean = cases.iter().map(|(p, _)| fitted.apply(*p)).sum::<f32>() / 300.0;
    assert!((mean - 95.0 / 300.0).abs() < 0.01, "{mean}");
    // What means what it says stays as it is.
    let honest: Vec<(f32, bool)> =
        [(0.9f32, 90), (0.5, 50), (0.1, 10)].iter().flat_map(|(p, right)| (0..100).map(move |at| (*p, at < *right))).collect();
    let fitted = Platt::fit(&honest);
    assert!((fitted.slope - 1.0).abs() < 0.05 && fitted.offset.abs() < 0.05, "{fitted:?}");
    // Too little to tell: no change.
    assert_eq!(Platt::fit(&cases[..40]), Platt::default());
    assert_eq!(Platt::fit(&vec![(0.7, true); 200]), Platt::default());
    let inverse: Vec<(f32, bool)> = cases.iter().map(|(p, right)| (*p, !right)).collect();
    // Surer answers are righter nowhere here: nearly the same for all, in the order as it was.
    let fitted = Platt::fit(&inverse);
    assert!(fitted.apply(0.9) > fitted.apply(0.2) && (fitted.apply(0.6) - 205.0 / 300.0).abs() < 0.03, "{fitted:?}");
    assert_eq!(Platt::default().apply(0.123), 0.123);
    assert!(Platt::fit(&cases).apply(0.0) >= 0.0 && Platt::fit(&cases).apply(1.0) <= 1.0);
}

#[test]
fn a_temperature_cools_what_is_too_sure() {
    let sure = [0.02f32, 0.03, 0.95];
    let cases: Vec<([f32; 3], usize)> = (0..100).map(|at| (sure, if at < 60 { 2 } else { at % 2 })).collect();
    let temperature = fit_temperature(&cases);
    let cooled = at_temperature(sure, temperature);
    assert!(temperature > 1.5 && (cooled[2] - 0.6).abs() < 0.02, "{temperature} {cooled:?}");
    assert!((cooled.iter().sum::<f32>() - 1.0).abs() < 1e-5 && cooled[1] > cooled[0]);
    assert_eq!(at_temperature(sure, 1.0), sure);
    assert_eq!(fit_temperature(&cases[..10]), 1.0);
    assert!(at_temperature([0.0, 0.0, 1.0], 3.0).iter().all(|share| share.is_finite()));
}

#[test]
fn the_threshold_of_links_by_hand() {
    // Of 100 links 60 were said at 0.9, 30 at 0.4 with 10 others, none of the rest; 40 more at 0.25 are none.
    let mut cases = vec![(0.9, true); 60];
    cases.extend(vec![(0.4, true); 30]);
    cases.extend(vec![(0.4, false); 10]);
    cases.extend(vec![(0.25, false); 40]);
    let threshold = fit_threshold(&cases, 100);
    // From 0.26 to 0.4 all alike: 2·90 / (100 + 100) instead of 2·60 / (60 + 100).
    assert!((0.25..0.4).contains(&threshold), "{threshold}");
    cases.extend(vec![(0.4, false); 200]);
    assert_eq!(fit_threshold(&cases, 100), 0.5, "no better, no change");
    assert_eq!(fit_threshold(&cases[..90], 40), 0.5, "too few to tell");
    assert_eq!(fit_threshold(&[], 0), 0.5);
}

#[test]
fn the_threshold_of_spans_by_hand() {
    // A document a row: of the spans said at `p` so many are right; `missed` were not found at all.
    let documents = |rows: &[(f32, usize, usize)], missed: usize| -> Vec<HeldOut> {
        let span = |at: usize| (at as u32, at as u32 + 1, 0u16);
        let said = rows.iter().map(|(p, count, right)| HeldOut {
            gold_spans: Some((0..*right).map(span).collect()),
            spans: (0..*count).map(span).collect(),
            opinions: OpinionAnswers { probabilities: vec![*p; *count], ..OpinionAnswers::default() },
            ..HeldOut::default()
        });
        said.chain([HeldOut { gold_spans: Some((0..missed).map(span).collect()), ..HeldOut::default() }]).collect()
    };
    let threshold = |rows: &[(f32, usize, usize)], missed| {
        let dev = documents(rows, missed);
        fit_span_threshold(&dev, fit_spans(&dev))
    };
    // F1 goes from 2·100 / (200 + 130) to 2·80 / (100 + 130) without those that are right one time in five.
    let found = threshold(&[(0.9, 100, 80), (0.5, 100, 20)], 30);
    assert!((0.5..0.9).contains(&found), "{found}");
    // Half of them right: worth saying, though the network is less sure of them.
    let found = threshold(&[(0.9, 100, 80), (0.5, 100, 50)], 30);
    assert!(found < 0.5, "{found}");
    // Where little is found, little is asked for.
    let found = threshold(&[(0.9, 100, 30), (0.5, 100, 15)], 400);
    assert!(found < 0.5, "{found}");
    assert_eq!(threshold(&[(0.9, 20, 15), (0.5, 20, 2)], 10), 0.0, "too few to tell");
    assert_eq!(threshold(&[], 0), 0.0);
    let dev = documents(&[(0.9, 100, 80), (0.5, 100, 20)], 30);
    let meant = fit_spans(&dev);
    for p in [0.01, 0.3, 0.5, 0.9, 0.99] {
        assert!((meant.before(meant.apply(p)) - p).abs() < 1e-4 && Platt::default().before(p) == p);
    }
}

#[test]
fn reliability_by_hand() {
    let found = bins(&[(0.95, true), (0.97, false), (0.31, false), (1.0, true), (0.0, false)]);
    let rows: Vec<(f64, usize)> = found.iter().map(|bin| (bin.right, bin.count)).collect();
    assert_eq!(rows, [(0.0, 1), (0.0, 1), (2.0 / 3.0, 3)]);
    assert!((found[2].said - 2.92 / 3.0).abs() < 1e-6);
    let mut doc = screen_and_battery();
    doc.opinions.probabilities = vec![0.9, 0.9, 0.9, 0.9];
    doc.opinions.links.iter_mut().for_each(|link| link.probability = 0.5);
    doc.opinions.gold_shares = vec![None, Some([0.1, 0.1, 0.8]), None, Some([0.2, 0.6, 0.2])];
    let shown = reliability(&[doc.clone()], &[doc]);
    let rows: Vec<_> =
        shown.iter().map(|each| (each.of.as_str(), each.bins.iter().map(|bin| bin.count).sum::<usize>(), each.error)).collect();
    assert_eq!((rows[0].0, rows[0].1), ("spans", 4));
    assert!((rows[0].2 - 0.15).abs() < 1e-6, "three of four right, 0.9 said");
    // 0.8 and right, 0.6 and wrong: (0.2 + 0.6) / 2.
    assert!(rows[1].0 == "polarity" && (rows[1].2 - 0.4).abs() < 1e-6, "{rows:?}");
    assert!(rows[2].0 == "triplets" && (rows[2].2 - (0.5 - 1.0 / 3.0)).abs() < 1e-6, "{rows:?}");
    assert!(reliability(&[], &[]).is_empty());
}

#[test]
fn a_run_is_calibrated_on_dev_and_answers_so() {
    let mut data = linked();
    // Enough cases to tell: each dev review four times, half of them with their marks taken away.
    let dev: Vec<_> = data.examples.iter().filter(|example| example.split == Split::Dev).cloned().collect();
    for (copy, id) in [(1, 200), (2, 300), (3, 400)] {
        data.examples.extend(dev.iter().map(|example| {
            let mut example = example.clone();
            example.doc = DocId(id + example.doc.0);
            if copy == 3 {
                (example.spans, example.polarities, example.links) = (Some(vec![]), vec![], Some(vec![]));
            }
            example
        }));
    }
    let told = run(&data, &thorough());
    let report = told.report.unwrap();
    let spans = report.reliability.iter().find(|each| each.of == "spans").unwrap();
    assert!(spans.error < 0.5 * spans.error_before, "{spans:?}");
    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    for doc in &report.held_out {
        let example = data.examples.iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        assert_eq!(answer.spans.len(), doc.opinions.probabilities.len());
        for (span, told) in answer.spans.iter().zip(&doc.opinions.probabilities) {
            assert!((span.probability - told).abs() < 1e-4);
        }
    }
}

#[test]
fn what_else_was_considered() {
    let text = "房间很大👍";
    let places = [0..3, 3..6, 6..9, 9..12, 12..16];
    // O, B-aspect, I-aspect, B-opinion, I-opinion
    let rows: [([f32; 5], u16); 5] = [
        ([0.1, 0.7, 0.1, 0.1, 0.0], 1),
        ([0.1, 0.1, 0.6, 0.05, 0.15], 2),
        ([0.8, 0.0, 0.0, 0.2, 0.0], 0),
        ([0.6, 0.0, 0.0, 0.1, 0.3], 0),
        ([0.5, 0.0, 0.0, 0.3, 0.2], 0),
    ];
    let unit = |(bytes, (shares, tag)): (std::ops::Range<usize>, ([f32; 5], u16))| UnitTags {
        range: TextRange::new(text, bytes).unwrap(),
        probabilities: shares.to_vec(),
        tag,
    };
    let prediction = Prediction { units: places.into_iter().zip(rows).map(unit).collect(), ..Prediction::default() };
    let found: Vec<_> = prediction.considered().into_iter().map(|each| (&text[each.bytes], each.label, each.probability)).collect();
    // The emoji begins a run of its own; the marked aspect counts only as the opinion it might have been.
    assert_eq!(found, [("👍", 1, 0.5), ("很大", 1, 0.2), ("房间", 1, 0.1)]);
    assert!(Prediction::default().considered().is_empty());
}

/// "很…不耐用" about 电池 in two parts, only the first of which is linked and has a polarity.
#[test]
fn parts_of_an_opinion_learn_what_is_said_of_the_whole() {
    let text = "电池很呀不耐用，屏幕好👨🏻‍🚒";
    let mut project = Project::new(Schema::default());
    for change in [LinkTypeChange::Add { name: "part of".into() }, LinkTypeChange::SetParts { at: 1, to: true }] {
        let plan = project.plan(&SchemaChange::LinkType(change)).unwrap();
        plan.edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    }
    let documents = vec![Document::new(DocId(0), text)];
    project.apply(Edit::AddDocuments { first: DocId(0), count: 1, documents }).unwrap();
    for (id, (words, label)) in (0u32..).zip([("电池", 0), ("很", 1), ("不耐用", 1), ("屏幕", 0), ("好", 1)]) {
        let start = text.find(words).unwrap();
        let range = TextRange::new(text, start..start + words.len()).unwrap();
        let polarity = [None, NEG, None, None, POS][id as usize];
        project.apply(Edit::PutSpan { doc: DocId(0), id: SpanId(id), span: Span { range, label, polarity } }).unwrap();
    }
    let joined = |from, to| Link { from: SpanId(from), to: SpanId(to) };
    for (link, link_type) in [(joined(1, 0), 0), (joined(2, 1), 1), (joined(4, 3), 0)] {
        project.apply(Edit::PutLinkAs { doc: DocId(0), link, link_type }).unwrap();
    }
    project.apply(Edit::SetState { doc: DocId(0), to: State::Done }).unwrap();
    let data = TrainData::of(&project, 0, 0.0);
    let example = &data.examples[0];
    assert_eq!(example.spans.as_ref().unwrap().len(), 5, "each part is a span of its own");
    assert_eq!(example.polarities, [None, NEG, NEG, None, POS], "with the polarity of the whole");
    assert_eq!(example.links.as_ref().unwrap(), &[(1, 0), (2, 0), (4, 3)], "and its link: no part is an opinion about nothing");
    // The scores count what is learnt: gold is the same for parts as for spans that two links join.
    let marked = example.spans.as_ref().unwrap().iter().map(|(range, label)| (range.start() as u32, range.end() as u32, *label));
    let gold: Vec<SpanKey> = marked.collect();
    let opinions = OpinionAnswers {
        gold_polarities: example.polarities.clone(),
        gold_links: Some(vec![link(1, 0, NEG), link(2, 0, NEG), link(4, 3, POS)]),
        links: vec![link(1, 0, NEG), link(4, 3, POS)],
        ..OpinionAnswers::default()
    };
    let held_out = HeldOut { gold_spans: Some(gold.clone()), spans: gold, opinions, ..HeldOut::default() };
    assert_eq!(opinion_scores(&[held_out], &roles()).triplet_f1, Some(0.8), "2 of 3 found, none too many");
}
