//! Aspects and opinions beyond tags: learnt transitions, spans that overlap, opinions without an aspect, documents that are
//! marked in part, other terms in the place of the marked ones, and the scores of parts of the held-out documents.

use crate::opinions::{linked, thorough};
use crate::train::{Told, quick, run, toys, weights};
use gloss::predict::{Predictor, most_likely};
use gloss::project::{Polarity, Split, TextRange};
use gloss::text::{Candidate, DecodedSpan, candidates, judged_or_tagged, likely_spans, words_in};
use gloss::train::{
    Example, HeldOut, LinkAnswer, OpinionAnswers, Roles, Slice, TrainConfig, TrainData, TrainingAspects, fit_alone, opinion_scores, slices,
};

const NEG: Option<Polarity> = Some(Polarity::Negative);
const POS: Option<Polarity> = Some(Polarity::Positive);

fn roles() -> Roles {
    Roles { aspects: vec![0], opinions: vec![1] }
}

fn link(from: u32, to: Option<u32>, polarity: Option<Polarity>) -> LinkAnswer {
    LinkAnswer { from, to, polarity, probability: 1.0 }
}

fn notes(told: &Told) -> String {
    told.started.as_ref().unwrap().notes.join("\n")
}

/// Every held-out answer, asked again of the finished model.
fn check_answers(data: &TrainData, told: Told) {
    let report = told.report.unwrap();
    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    for doc in &report.held_out {
        let example = data.examples.iter().find(|example| example.doc.0 == doc.doc).unwrap();
        let answer = predictor.predict(&example.text).unwrap();
        let spans: Vec<_> = answer.spans.iter().map(|span| (span.range.start() as u32, span.range.end() as u32, span.label)).collect();
        assert_eq!(spans, doc.spans, "{}", example.text);
        let mut links: Vec<_> =
            doc.opinions.links.iter().map(|link| (link.from as usize, link.to.map(|to| to as usize), link.polarity)).collect();
        links.sort();
        let said = |shares: Option<[f32; 3]>| shares.map(|shares| most_likely(shares).0);
        let mut triplets: Vec<_> = answer.triplets.iter().map(|each| (each.opinion, each.aspect, said(each.polarity))).collect();
        triplets.sort();
        assert_eq!(triplets, links, "{}", example.text);
        assert!(answer.triplets.iter().all(|each| (0.0..=1.0).contains(&each.probability) && (0.0..=1.0).contains(&each.link)));
        let sums = answer.units.iter().map(|unit| unit.probabilities.iter().sum::<f32>());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-3));
    }
}

// ---- learnt transitions ----

#[test]
fn tags_that_follow_each_other_are_learnt_and_answered_as_the_run_did() {
    let data = linked();
    let told = run(&data, &TrainConfig { crf: true, ..thorough() });
    assert!(told.report.as_ref().unwrap().scores.span_f1 > Some(0.8));
    assert!(weights(told.files.as_ref().unwrap()).contains_key("gloss.tag.transition"));
    check_answers(&data, told);
    let without = run(&toys(), &TrainConfig { epochs: 1, crf: false, ..quick() });
    assert!(!weights(&without.files.unwrap()).contains_key("gloss.tag.transition"));
}

#[test]
fn a_span_marked_up_to_the_middle_of_a_word_is_learnt_in_order_too() {
    let mut data = linked();
    let latin = |example: &&mut Example| example.split == Split::Train && example.text.is_ascii();
    let example = data.examples.iter_mut().find(latin).unwrap();
    let (range, _) = &mut example.spans.as_mut().unwrap()[0];
    *range = TextRange::new(&example.text, range.start()..range.end() - 1).unwrap();
    let told = run(&data, &TrainConfig { epochs: 1, crf: true, ..quick() });
    assert!(told.report.is_some() && told.steps.iter().all(|step| step.span_loss.is_some_and(f64::is_finite)));
}

#[test]
fn a_batch_in_parts_teaches_the_same_of_a_chain_and_of_candidates() {
    let losses = |config: &TrainConfig| run(&linked(), config).steps.iter().map(|step| (step.loss, step.grad_norm)).collect::<Vec<_>>();
    let whole = TrainConfig { epochs: 1, dropout: 0.0, crf: true, span_scorer: true, ..quick() };
    let parts = TrainConfig { tokens_at_once: 20, ..whole.clone() };
    for ((loss, norm), (other_loss, other_norm)) in losses(&whole).iter().zip(losses(&parts)) {
        assert!((loss - other_loss).abs() < 5e-4 * loss.abs(), "{loss} {other_loss}");
        assert!((norm - other_norm).abs() < 5e-3 * norm.abs(), "{norm} {other_norm}");
    }
}

// ---- spans that overlap ----

#[test]
fn places_that_may_be_spans() {
    // "a bc d" by letters: bc is one word.
    let joined = [false, false, true, false];
    let found: Vec<_> = candidates(&joined, 2).into_iter().map(|Candidate { units, width }| (units, width)).collect();
    assert_eq!(found, [(0..1, 1), (0..3, 2), (1..3, 1), (1..4, 2), (3..4, 1)]);
    assert!(candidates(&[], 3).is_empty() && candidates(&joined, 0).is_empty());
    assert_eq!((words_in(&joined, &(0..4)), words_in(&joined, &(2..3)), words_in(&joined, &(1..1))), (3, 1, 0));
    assert!(likely_spans("", &[], &[], &[], 2, 0.5).is_empty());
}

#[test]
fn tags_speak_where_nothing_was_judged_a_span() {
    let text = "电池👍🏽很不耐用 good";
    let span = |(bytes, label, probability): &(std::ops::Range<usize>, u16, f32)| DecodedSpan {
        range: TextRange::new(text, bytes.clone()).unwrap(),
        label: *label,
        probability: *probability,
    };
    type Spans<'a> = &'a [(std::ops::Range<usize>, u16, f32)];
    let check = |judged: Spans<'_>, tagged: Spans<'_>, wanted: Spans<'_>| {
        let [judged, tagged, wanted] = [judged, tagged, wanted].map(|spans| spans.iter().map(span).collect::<Vec<_>>());
        assert_eq!(judged_or_tagged(judged, tagged), wanted);
    };
    check(&[], &[(0..6, 0, 0.7), (14..26, 1, 0.4)], &[(0..6, 0, 0.7), (14..26, 1, 0.4)]);
    check(&[(14..26, 1, 0.9)], &[], &[(14..26, 1, 0.9)]);
    // A judged one of the label goes first, whatever its edges; of another label it takes nothing away.
    check(&[(17..26, 1, 0.6)], &[(14..26, 1, 0.9), (14..26, 0, 0.8)], &[(14..26, 0, 0.8), (17..26, 1, 0.6)]);
    // One that only touches stays; what overlaps among the judged stays too.
    check(
        &[(14..26, 1, 0.9), (17..26, 1, 0.6)],
        &[(0..14, 1, 0.5), (27..31, 1, 0.5)],
        &[(0..14, 1, 0.5), (14..26, 1, 0.9), (17..26, 1, 0.6), (27..31, 1, 0.5)],
    );
}

/// The toys with every opinion once more without its first character, under the same label.
fn nested() -> TrainData {
    let mut data = linked();
    for example in &mut data.examples {
        let spans = example.spans.as_mut().unwrap();
        let inner = |(range, label): &(TextRange, u16)| {
            let skip = range.of(&example.text).chars().next()?.len_utf8();
            let inner = TextRange::new(&example.text, range.start() + skip..range.end())?;
            (*label == 1 && !example.text.is_ascii()).then_some((inner, 1))
        };
        let more: Vec<_> = spans.iter().filter_map(inner).collect();
        example.polarities.extend(more.iter().map(|_| None));
        spans.extend(more);
    }
    data
}

#[test]
fn overlapping_spans_are_judged_one_by_one() {
    let data = nested();
    let told = run(&data, &TrainConfig { epochs: 40, head_lr_factor: 10.0, ..thorough() });
    assert!(notes(&told).contains("judged one by one"), "{}", notes(&told));
    let report = told.report.as_ref().unwrap();
    let overlaps = |doc: &&HeldOut| doc.spans.iter().any(|a| doc.spans.iter().any(|b| a != b && a.0 < b.1 && b.0 < a.1));
    assert!(report.held_out.iter().filter(overlaps).count() > 3, "overlapping spans are found");
    assert!(report.scores.span_f1 > Some(0.7), "{:?}", report.scores.span_f1);
    check_answers(&data, told);
}

#[test]
fn tags_say_the_spans_where_nothing_overlaps() {
    let names = |data: &TrainData, config: &TrainConfig| weights(&run(data, config).files.unwrap()).into_keys().collect::<Vec<_>>();
    let has = |names: Vec<String>| names.iter().any(|name| name.starts_with("gloss.scorer."));
    let brief = TrainConfig { epochs: 1, ..quick() };
    assert!(!has(names(&linked(), &brief)));
    assert!(has(names(&linked(), &TrainConfig { span_scorer: true, ..brief })));
}

// ---- opinions without an aspect ----

/// The toys; in those of the second class no opinion is linked.
fn half_linked() -> TrainData {
    let mut data = linked();
    for example in data.examples.iter_mut().filter(|example| example.class == Some(1)) {
        example.links = Some(Vec::new());
    }
    data
}

#[test]
fn an_opinion_that_is_linked_to_nothing_is_a_triplet_where_such_are_marked() {
    let data = half_linked();
    let told = run(&data, &thorough());
    let report = told.report.as_ref().unwrap();
    let gold = |doc: &HeldOut| doc.opinions.gold_links.iter().flatten().filter(|link| link.to.is_none()).count();
    assert!(report.held_out.iter().map(gold).sum::<usize>() > 3);
    assert!(report.held_out.iter().any(|doc| doc.opinions.links.iter().any(|link| link.to.is_none())));
    check_answers(&data, told);

    // Where every opinion is linked, none is invented.
    let told = run(&linked(), &TrainConfig { epochs: 2, ..thorough() });
    let report = told.report.unwrap();
    assert!(report.held_out.iter().all(|doc| doc.opinions.links.iter().all(|link| link.to.is_some())));
    let predictor = Predictor::new(&told.files.unwrap()).unwrap();
    for example in &linked().examples {
        assert!(predictor.predict(&example.text).unwrap().triplets.iter().all(|triplet| triplet.aspect.is_some()));
    }
}

#[test]
fn triplets_without_an_aspect_by_hand() {
    // "Great! The soup is bad": "great" is about the whole.
    let doc = |links: Vec<LinkAnswer>| HeldOut {
        gold_spans: Some(vec![(0, 5, 1), (11, 15, 0), (19, 22, 1)]),
        spans: vec![(0, 5, 1), (11, 15, 0), (19, 22, 1)],
        opinions: OpinionAnswers { gold_links: Some(vec![link(0, None, POS), link(2, Some(1), NEG)]), links, ..OpinionAnswers::default() },
        ..HeldOut::default()
    };
    let check = |links: Vec<LinkAnswer>, pair: f64, triplet: f64| {
        let scores = opinion_scores(&[doc(links)], &roles());
        assert_eq!((scores.pair_f1, scores.triplet_f1), (Some(pair), Some(triplet)));
    };
    check(vec![link(0, None, POS), link(2, Some(1), NEG)], 1.0, 1.0);
    check(vec![link(0, None, NEG), link(2, Some(1), NEG)], 1.0, 0.5);
    // Linked to the soup, which nobody did.
    check(vec![link(0, Some(1), POS), link(2, Some(1), NEG)], 0.5, 0.5);
    check(vec![link(2, Some(1), NEG)], 2.0 / 3.0, 2.0 / 3.0);
}

#[test]
fn an_opinion_about_nothing_is_said_where_that_pays_by_hand() {
    // Each document: an aspect, its opinion, and an opinion that nothing was linked to, right or not, said at `p`.
    let doc = |p: f32, is_right: bool| {
        let alone = LinkAnswer { probability: p, ..link(2, None, POS) };
        let mut gold = vec![link(0, Some(1), POS)];
        gold.extend(is_right.then(|| link(2, None, POS)));
        let spans = vec![(0, 5, 1), (11, 15, 0), (19, 22, 1)];
        let opinions = OpinionAnswers { gold_links: Some(gold), links: vec![link(0, Some(1), POS), alone], ..OpinionAnswers::default() };
        HeldOut { gold_spans: Some(spans.clone()), spans, opinions, ..HeldOut::default() }
    };
    let docs = |rows: &[(f32, bool, usize)]| -> Vec<HeldOut> {
        rows.iter().flat_map(|(p, is_right, count)| (0..*count).map(|_| doc(*p, *is_right))).collect()
    };
    // Without those at .4 it is 2·38 / (38 + 40) instead of 2·40 / (60 + 40).
    let threshold = fit_alone(&docs(&[(0.8, true, 8), (0.4, true, 2), (0.4, false, 20)]));
    assert!(threshold > 0.4 && threshold <= 0.8, "{threshold}");
    let threshold = fit_alone(&docs(&[(0.8, true, 8), (0.4, true, 20), (0.3, false, 2)]));
    assert!(threshold > 0.3 && threshold < 0.32, "{threshold}");
    assert_eq!(fit_alone(&docs(&[(0.9, true, 30)])), 0.0, "all right, all said");
    assert!(fit_alone(&docs(&[(1.0, false, 30)])) > 1.0, "none right, none said");
    assert_eq!(fit_alone(&docs(&[(0.4, false, 19)])), 0.0, "too few to tell");
    assert_eq!(fit_alone(&[]), 0.0);
}

// ---- marked in part ----

#[test]
fn unmarked_is_unknown_in_documents_that_are_not_done() {
    let mut data = toys();
    // Of the training documents only the aspects were marked so far.
    for example in data.examples.iter_mut().filter(|example| example.doc.0 < 100) {
        example.spans.as_mut().unwrap().retain(|(_, label)| *label == 0);
        data.underway.insert(example.doc);
    }
    let config = TrainConfig { epochs: 1, dropout: 0.0, ..quick() };
    let partly = TrainConfig { partly_marked: vec!["opinion".to_owned()], ..config.clone() };
    let first = |data: &TrainData, config: &TrainConfig| run(data, config).steps[0].span_loss.unwrap();
    // "opinion or nothing" surprises less than "nothing", however spans are said.
    for how in [TrainConfig { crf: false, ..config.clone() }, config.clone(), TrainConfig { span_scorer: true, ..config.clone() }] {
        let open = TrainConfig { partly_marked: partly.partly_marked.clone(), ..how.clone() };
        assert!(first(&data, &open) < first(&data, &how) - 0.015);
    }
    // Documents that are done are taken at their word, and so are other labels.
    let done = TrainData { underway: Default::default(), ..data.clone() };
    assert_eq!(first(&done, &partly), first(&done, &config));
    let told = run(&data, &TrainConfig { partly_marked: vec!["opinoin".to_owned()], ..config });
    assert!(notes(&told).contains("opinoin"));
}

#[test]
fn names_of_labels_are_set_as_a_list() {
    let mut config = TrainConfig::default();
    config.set("partly_marked", "aspect， 观点").unwrap();
    assert_eq!(config.partly_marked, ["aspect", "观点"]);
    config.set("partly_marked", "").unwrap();
    assert!(config.partly_marked.is_empty());
    config.set("crf", "false").unwrap();
    assert!(!config.crf && config.set("layer_decay", "1.5").is_err() && config.set("span_swaps", "-1").is_err());
}

// ---- more from little ----

#[test]
fn other_terms_take_the_place_of_marked_ones() {
    let config = TrainConfig { epochs: 1, span_swaps: 1.0, ..quick() };
    let told = run(&linked(), &config);
    let plain = run(&linked(), &TrainConfig { span_swaps: 0.0, ..config.clone() });
    assert!(notes(&told).contains("other terms"));
    assert!(told.steps.len() > plain.steps.len(), "more to read in an epoch");
    let again = run(&linked(), &config);
    assert_eq!(weights(&again.files.unwrap()), weights(&told.files.unwrap()), "the same seed, the same terms");
}

#[test]
fn few_marked_documents_are_read_with_other_terms_and_no_more_of_them() {
    let config = TrainConfig { epochs: 4, dropout: 0.0, ..quick() };
    let losses = |told: &Told| told.steps.iter().map(|step| step.loss).collect::<Vec<_>>();
    let plain = run(&linked(), &config);
    let few = run(&linked(), &TrainConfig { few_marked: 400, ..config.clone() });
    assert!(notes(&few).contains("with other terms in them now and then") && !notes(&plain).contains("other terms"));
    assert_eq!(few.steps.len(), plain.steps.len(), "nothing more is read");
    assert_eq!(few.started.as_ref().unwrap().train_examples, plain.started.as_ref().unwrap().train_examples);
    assert_ne!(losses(&few), losses(&plain));
    assert_eq!(losses(&few), losses(&run(&linked(), &TrainConfig { few_marked: 400, ..config.clone() })), "the same seed, the same terms");
    let enough = run(&linked(), &TrainConfig { few_marked: 2, ..config });
    assert_eq!(losses(&enough), losses(&plain));
}

#[test]
fn words_are_left_out_by_the_seed() {
    let config = TrainConfig { epochs: 1, word_dropout: 0.3, dropout: 0.0, ..quick() };
    let losses = |config: &TrainConfig| run(&toys(), config).steps.iter().map(|step| step.loss).collect::<Vec<_>>();
    let some = losses(&config);
    assert_eq!(some, losses(&config));
    assert_ne!(some, losses(&TrainConfig { word_dropout: 0.0, ..config }));
}

#[test]
fn lower_layers_learn_more_slowly() {
    let rates = gloss::nn::Rates { layer_decay: 0.5, layers: 4, ..gloss::nn::Rates::new(0.0, 10.0) };
    for (name, factor) in [
        ("bert.encoder.layer.3.output.dense.weight", 1.0),
        ("bert.encoder.layer.0.output.dense.weight", 0.125),
        ("bert.embeddings.LayerNorm.bias", 0.0625),
        ("gloss.tag.output.weight", 10.0),
        ("bert.pooler.dense.weight", 10.0),
    ] {
        assert_eq!(rates.factor(name), factor, "{name}");
    }
}

// ---- parts of the held-out documents ----

#[test]
fn scores_of_parts_by_hand() {
    let texts = ["汤好喝", "soup ok", "The SOUP was good but the waiter was rude"];
    let doc = |id: u32, gold: &[(u32, u32, u16)], found: &[(u32, u32, u16)], polarity: &[Option<Polarity>]| HeldOut {
        doc: id,
        gold_spans: Some(gold.to_vec()),
        spans: found.to_vec(),
        opinions: OpinionAnswers {
            gold_polarities: gold.iter().map(|_| POS).collect(),
            polarities: polarity.to_vec(),
            ..OpinionAnswers::default()
        },
        ..HeldOut::default()
    };
    let mut held_out = vec![
        doc(1, &[(0, 3, 0)], &[], &[]),
        doc(2, &[(0, 4, 0)], &[(0, 4, 0)], &[POS]),
        // Of soup (seen) and waiter (not seen) the soup is found, and "rude" is taken for an aspect.
        doc(3, &[(4, 8, 0), (26, 32, 0), (12, 16, 1)], &[(4, 8, 0), (37, 41, 0)], &[NEG, POS]),
    ];
    held_out[2].opinions.gold_links = Some(vec![link(2, Some(0), POS), link(2, Some(1), POS)]);
    held_out[2].opinions.links = vec![link(1, Some(0), POS)];
    let mut train = toys().examples.into_iter().next().unwrap();
    train.text = "Soup".into();
    train.spans = Some(vec![(TextRange::new("Soup", 0..4).unwrap(), 0)]);
    let training = TrainingAspects::of([&train], &roles());
    let labels = ["aspect", "opinion"].map(str::to_owned);
    let found = slices(&held_out, &texts, &training, (&[], &labels), &roles());
    let by_name = |of: &str| found.iter().find(|slice| slice.of == of).unwrap();
    let check = |of: &str, docs: &[u32], aspects: Option<f64>, with_polarity: Option<f64>| {
        let Slice { docs: found, opinions, .. } = by_name(of);
        assert_eq!((found.as_slice(), opinions.aspect_f1, opinions.aspect_polarity_f1), (docs, aspects, with_polarity), "{of}");
    };
    assert_eq!(found.len(), 4, "three documents have no thirds");
    check("one_aspect", &[1, 2], Some(2.0 / 3.0), Some(2.0 / 3.0));
    check("several_aspects", &[3], Some(0.5), Some(0.0));
    // Both soups, one of them with the wrong polarity.
    check("seen_aspects", &[2, 3], Some(1.0), Some(0.5));
    // The Chinese soup and the waiter missed, "rude" invented.
    check("unseen_aspects", &[1, 3], Some(0.0), Some(0.0));
    assert_eq!(by_name("seen_aspects").opinions.pair_f1, Some(0.0), "of its two pairs the one to the soup");
    assert_eq!(by_name("several_aspects").span_f1, Some(0.4));
    assert_eq!(by_name("seen_aspects").span_f1, None);
}

#[test]
fn thirds_by_length() {
    let texts: Vec<String> = (1..=10).map(|length| "好".repeat(length)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let answered = |doc: u32, class: u16| HeldOut { doc, gold_class: Some(0), class: Some(class), ..HeldOut::default() };
    let held_out: Vec<HeldOut> = (0..10).map(|doc| answered(doc, u16::from(doc >= 8))).collect();
    let names = ["a", "b"].map(str::to_owned);
    let found = slices(&held_out, &texts, &TrainingAspects::default(), (&names, &[]), &Roles::default());
    let rows: Vec<_> = found.iter().map(|slice| (slice.of.as_str(), slice.characters.unwrap(), slice.docs.len(), slice.accuracy)).collect();
    assert_eq!(rows, [("short", (1, 3), 3, Some(1.0)), ("medium", (4, 6), 3, Some(1.0)), ("long", (7, 10), 4, Some(0.5))]);
    assert!(slices(&held_out[..8], &texts[..8], &TrainingAspects::default(), (&names, &[]), &Roles::default()).is_empty());
}

#[test]
fn a_report_holds_its_parts() {
    let told = run(&linked(), &TrainConfig { epochs: 1, ..quick() });
    let report = told.report.unwrap();
    let names: Vec<&str> = report.slices.iter().map(|slice| slice.of.as_str()).collect();
    // The held-out toys are those to learn from: no aspect is new.
    assert_eq!(names[..3], ["short", "medium", "long"]);
    assert!(names.contains(&"one_aspect") && names.contains(&"seen_aspects"));
    let mut ids: Vec<u32> = report.slices[..3].iter().flat_map(|slice| slice.docs.clone()).collect();
    ids.sort_unstable();
    assert_eq!(ids, report.held_out.iter().map(|doc| doc.doc).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>());
}
