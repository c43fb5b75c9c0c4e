//! Agreement on numbers, on several labels, and on what is said of spans that two marked alike.

use gloss::project::agreement::graded::{alpha, interval, masi, mean_difference};
use gloss::project::agreement::{Agreement, Detail};
use gloss::project::{
    Annotation, AnnotatorId, Answer, AttributeChange, AttributeKind, AttributeValue, Attributes, DocId, Document, Edit, Kind, NewQuestion,
    Number, Polarity, Project, QuestionId, Scale, Schema, SchemaChange, Span, SpanId, State, TextRange,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[track_caller]
fn close(found: Option<f64>, wanted: f64, tolerance: f64) {
    let found = found.expect("it is defined");
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted}");
}

/// A line an observer, a number a thing; `.` is missing.
fn numbers(lines: &[&str]) -> Vec<Vec<Option<i32>>> {
    let lines: Vec<Vec<Option<i32>>> = lines.iter().map(|line| line.split_whitespace().map(|word| word.parse().ok()).collect()).collect();
    (0..lines[0].len()).map(|thing| lines.iter().map(|line| line[thing]).collect()).collect()
}

fn squares(units: &[Vec<Option<i32>>]) -> Option<f64> {
    alpha(units, |a, b| interval(f64::from(*a), f64::from(*b)))
}

#[test]
fn krippendorffs_alpha_for_intervals_of_his_own_example() {
    // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections C (nominal) and E (interval).
    let units = numbers(&[
        "1 2 3 3 2 1 4 1 2 . . .", //
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]);
    close(squares(&units), 0.849, 0.0005);
    close(alpha(&units, |a, b| if a == b { 0.0 } else { 1.0 }), 0.743, 0.0005);
    assert_eq!(squares(&numbers(&["1 1", "1 1"])), None, "one number only");
    assert_eq!(squares(&numbers(&["1 .", ". 2"])), None, "nothing was rated twice");
}

fn set(words: &str) -> BTreeSet<&str> {
    words.split_whitespace().collect()
}

#[test]
fn sets_are_as_far_apart_as_masi_says() {
    // Jaccard times monotonicity: Passonneau 2006, section 4.
    for (one, other, wanted) in [
        ("a b", "a b", 0.0),
        ("a b", "c", 1.0),
        ("a", "a b", 1.0 - 1.0 / 2.0 * 2.0 / 3.0),
        ("a b c", "b c", 1.0 - 2.0 / 3.0 * 2.0 / 3.0),
        ("a b", "b c", 1.0 - 1.0 / 3.0 * 1.0 / 3.0),
        ("", "", 0.0),
        ("", "a", 1.0),
    ] {
        let far = masi(&set(one), &set(other));
        assert!((far - wanted).abs() < 1e-12, "{one} | {other}: {far}");
        assert_eq!(far, masi(&set(other), &set(one)));
    }
    // Three coders, two texts; with Jaccard's distance NLTK's documentation and its users print 0.75.
    let units = vec![vec![Some(set("love gifts")); 3], vec![Some(set("slime gaming")), Some(set("slime")), Some(set("slime gaming"))]];
    let jaccard = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| 1.0 - a.intersection(b).count() as f64 / a.union(b).count() as f64;
    close(alpha(&units, jaccard), 0.75, 1e-12);
    close(alpha(&units, masi), 1.0 - 5.0 * (4.0 / 3.0) / (18.0 + 8.0 / 3.0), 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// The same by the sum over all pairs of ratings.
    #[test]
    fn alpha_is_what_its_definition_says(units in prop::collection::vec(prop::collection::vec(prop::option::of(0i32..6), 3), 1..12)) {
        let pairable: Vec<Vec<i32>> =
            units.iter().map(|unit| unit.iter().flatten().copied().collect()).filter(|unit: &Vec<i32>| unit.len() > 1).collect();
        let all: Vec<i32> = pairable.iter().flatten().copied().collect();
        let sum = |values: &[i32]| -> f64 { values.iter().flat_map(|a| values.iter().map(move |b| f64::from(a - b).powi(2))).sum() };
        let observed: f64 = pairable.iter().map(|unit| sum(unit) / (unit.len() - 1) as f64).sum::<f64>() / all.len() as f64;
        let expected = sum(&all) / (all.len() as f64 * (all.len() as f64 - 1.0));
        match squares(&units) {
            Some(found) => prop_assert!((found - (1.0 - observed / expected)).abs() < 1e-9),
            None => prop_assert!(all.is_empty() || expected == 0.0),
        }
    }
}

const TEXT: &str = "屏幕很清晰，电池差👨🏻‍🚒。";
const EMOTIONS: QuestionId = QuestionId(1);
const INTENSITY: QuestionId = QuestionId(2);

fn number(value: f64) -> Number {
    Number::new(value).unwrap()
}

/// What one annotator says: labels, number, polarity and category of "很清晰", intensity of it.
type Said = (&'static [u16], Option<f64>, Option<Polarity>, Option<u16>, Option<f64>);

/// A project of documents, each with what every annotator says of it.
fn project(documents: &[&[Said]]) -> Project {
    let question = |name: &str, kind, classes: &[&str]| NewQuestion {
        name: name.to_owned(),
        kind,
        classes: classes.iter().map(|class| (*class).to_owned()).collect(),
    };
    let mut project = Project::new(Schema::default().with_questions(&[
        question("情绪", Kind::Several, &["joy", "anger", "fear"]),
        question("intensity", Kind::Number(Scale::default()), &[]),
        question("note", Kind::Text, &[]),
    ]));
    for (name, kind) in
        [("category", AttributeKind::Values(vec!["a".into(), "b".into()])), ("强度", AttributeKind::Number(Scale::default()))]
    {
        let change = SchemaChange::Attribute { label: 1, change: AttributeChange::Add { name: name.into(), kind } };
        project.plan(&change).unwrap().edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    }
    let texts = (0..documents.len() as u32).map(|id| Document::new(DocId(id), TEXT)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents: texts }).unwrap();
    project.apply(Edit::SetAnnotators { to: ["小梅", "Jun", "José"].map(str::to_owned).to_vec() }).unwrap();
    for (doc, said) in documents.iter().enumerate() {
        for (who, (labels, value, polarity, category, strength)) in said.iter().enumerate() {
            let mut to = Annotation { state: State::Done, ..Annotation::default() };
            if !labels.is_empty() {
                to.answers.insert(EMOTIONS, Answer::Classes(labels.iter().copied().collect()));
            }
            to.answers.extend(value.map(|value| (INTENSITY, Answer::Number(number(value)))));
            let start = TEXT.find("很清晰").unwrap();
            let range = TextRange::new(TEXT, start..start + "很清晰".len()).unwrap();
            to.spans.insert(SpanId(who as u32), Span { range, label: 1, polarity: *polarity });
            let attributes = Attributes::default()
                .with(0, category.map(AttributeValue::Value))
                .with(1, strength.map(|value| AttributeValue::Number(number(value))));
            if !attributes.is_empty() {
                to.attributes.insert(SpanId(who as u32), attributes);
            }
            project.apply(Edit::SetAnnotation { doc: DocId(doc as u32), to: Box::new(to) }.by(AnnotatorId(who as u16))).unwrap();
        }
    }
    project
}

#[test]
fn numbers_and_several_labels_are_compared_in_a_project() {
    let plain: Option<Polarity> = None;
    let found = Agreement::of(&project(&[
        &[(&[0, 1], Some(0.5), plain, None, None), (&[0], Some(0.3), plain, None, None)],
        &[(&[2], Some(-1.0), plain, None, None), (&[2], Some(-1.0), plain, None, None)],
        &[(&[1], None, plain, None, None), (&[1], Some(0.0), plain, None, None)],
    ]));
    let of = |id: QuestionId| found.questions.iter().find(|asked| asked.question == id).unwrap();
    let numbers = of(INTENSITY);
    assert_eq!((numbers.documents, &*numbers.differing), (2, &[DocId(0)][..]));
    close(numbers.raw, 0.5, 1e-12);
    close(numbers.difference, 0.1, 1e-12);
    // (0.5, 0.3) and (-1, -1): 2 × 0.04 seen; of six pairs of different numbers 2 × (0.04 + 2 × 2.25 + 2 × 1.69) could be.
    close(numbers.alpha, 1.0 - 3.0 * 0.08 / (2.0 * (0.04 + 2.0 * 2.25 + 2.0 * 1.69)), 1e-12);
    close(numbers.pairs[0].alpha, numbers.alpha.unwrap(), 1e-12);
    let labels = of(EMOTIONS);
    assert_eq!((labels.documents, &*labels.differing), (3, &[DocId(0)][..]));
    close(labels.raw, 2.0 / 3.0, 1e-12);
    let (far, apart) = (2.0 / 3.0, 1.0);
    let expected = 2.0 * (far + (2.0 + 2.0) * apart + 2.0 * far + 2.0 * apart + 4.0 * apart);
    close(labels.alpha, 1.0 - 5.0 * 2.0 * far / expected, 1e-12);
    // Each label for itself: joy given twice by both; anger three times, once alone.
    let classes: Vec<(u16, usize, Vec<DocId>)> =
        labels.classes.iter().map(|held| (held.class, held.given, held.differing.to_vec())).collect();
    assert_eq!(classes, [(0, 2, vec![]), (1, 3, vec![DocId(0)]), (2, 2, vec![])]);
    close(labels.classes[0].kappa, 1.0, 1e-12);
    // Two of three agree; by chance 2/3 × 1/3 + 1/3 × 2/3.
    close(labels.classes[1].kappa, (2.0 / 3.0 - 4.0 / 9.0) / (1.0 - 4.0 / 9.0), 1e-12);
    assert!(found.questions.iter().all(|asked| asked.question != QuestionId(3)), "texts are not compared");
}

#[test]
fn polarity_and_attributes_of_spans_marked_alike_are_compared() {
    let (good, bad) = (Some(Polarity::Positive), Some(Polarity::Negative));
    let found = Agreement::of(&project(&[
        &[(&[], None, good, Some(0), Some(0.5)), (&[], None, good, Some(1), Some(0.1))],
        &[(&[], None, bad, Some(1), Some(-0.5)), (&[], None, good, Some(1), None)],
        &[(&[], None, None, Some(0), None), (&[], None, good, None, Some(0.2))],
        &[(&[], None, bad, None, Some(1.0)), (&[], None, bad, None, Some(1.0)), (&[], None, bad, None, Some(0.7))],
    ]));
    let rows: Vec<_> = found.details.iter().map(|held| (held.label, held.what, held.spans, held.differing.to_vec())).collect();
    assert_eq!(
        rows,
        [
            (1, Detail::Polarity, 3, vec![DocId(1)]),
            (1, Detail::Attribute(0), 2, vec![DocId(0)]),
            (1, Detail::Attribute(1), 2, vec![DocId(0), DocId(3)]),
        ]
    );
    // One pair, one pair that differs, three pairs of one place.
    close(found.details[0].raw, 4.0 / 5.0, 1e-12);
    close(found.details[1].raw, 1.0 / 2.0, 1e-12);
    close(found.details[2].difference, (0.4 + 0.0 + 0.3 + 0.3) / 4.0, 1e-9);
    assert!(found.details[2].alpha.is_some_and(|alpha| alpha > 0.0 && alpha < 1.0));
    assert!(found.disputed.contains(&DocId(0)), "spans with other attributes are no agreement");
    // In numbers the same as from the ratings themselves.
    let units = vec![vec![Some(0.5), Some(0.1)], vec![Some(1.0), Some(1.0), Some(0.7)]];
    close(found.details[2].difference, mean_difference(&units).unwrap(), 1e-9);
}
