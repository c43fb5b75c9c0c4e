//! Aspects, opinions, polarity and links: scores by hand, learning from what there is, and answering as the run did.

use crate::train::{quick, run, toys, weights};
use gloss::predict::{Predictor, most_likely};
use gloss::project::{DocId, Document, Edit, Link, Polarity, Project, Schema, Span, SpanId, Split, State, TextRange};
use gloss::train::{HeldOut, LinkAnswer, OpinionAnswers, OpinionScores, Roles, Scores, TrainConfig, TrainData, opinion_scores};

const NEG: Option<Polarity> = Some(Polarity::Negative);
const NEU: Option<Polarity> = Some(Polarity::Neutral);
const POS: Option<Polarity> = Some(Polarity::Positive);

fn roles() -> Roles {
    Roles { aspects: vec![0], opinions: vec![1] }
}

fn link(from: u32, to: u32, polarity: Option<Polarity>) -> LinkAnswer {
    LinkAnswer { from, to, polarity, probability: 1.0 }
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
    let doc = |gold: &[((u32, u32, u16), Option<Polarity>)], said: &[((u32, u32, u16), Option<Polarity>)]| HeldOut {
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
    for edit in [
        Edit::PutLink { doc: DocId(0), link: Link { from: SpanId(2), to: SpanId(7) } },
        Edit::SetState { doc: DocId(2), to: State::Done },
    ] {
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
fn linked() -> TrainData {
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

fn thorough() -> TrainConfig {
    TrainConfig { epochs: 24, layers: 4, lr: 3e-4, dropout: 0.0, batch_examples: 4, ..quick() }
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
        let mut links: Vec<_> = doc.opinions.links.iter().map(|link| (link.to as usize, link.from as usize, link.polarity)).collect();
        links.sort_by_key(|(aspect, opinion, _)| (*aspect, *opinion));
        let triplets: Vec<_> = answer
            .triplets
            .iter()
            .map(|each| (each.aspect, each.opinion, each.polarity.map(|shares| most_likely(shares).0)))
            .collect();
        assert_eq!(triplets, links, "{}", example.text);
        compared += triplets.len();
        for triplet in &answer.triplets {
            assert!(triplet.link > 0.5 && triplet.probability > 0.0 && triplet.probability <= triplet.link);
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
