//! Agreement on questions: classes, several labels, numbers. Texts are not compared.

use super::graded::{self, interval, masi};
use super::nominal::{self, Ratings};
use super::{ClassAgreement, Compared, PairOnQuestion, QuestionAgreement};
use crate::project::{Annotation, AnnotatorId, Answer, DocId, Kind, Number, Question, QuestionId};
use std::collections::BTreeSet;

/// What the annotators said of one document, in order of the annotators.
type Said<T> = (DocId, Vec<Option<T>>);

/// `None` when nobody answered, and for texts.
pub(super) fn question_agreement(
    id: QuestionId,
    question: &Question,
    compared: &[Compared<'_>],
    annotators: &[AnnotatorId],
) -> Option<QuestionAgreement> {
    match question.kind {
        Kind::One => one_class(id, &said(compared, annotators, |said| said.class(id)), annotators),
        Kind::Several => several(id, question, &said(compared, annotators, |said| set_of(said.answers.get(&id)?)), annotators),
        Kind::Number(_) => numbers(id, &said(compared, annotators, |said| number_of(said.answers.get(&id)?)), annotators),
        Kind::Text => None,
    }
}

fn set_of(answer: &Answer) -> Option<BTreeSet<u16>> {
    match answer {
        Answer::Classes(classes) => Some(classes.clone()),
        _ => None,
    }
}

fn number_of(answer: &Answer) -> Option<Number> {
    match answer {
        Answer::Number(number) => Some(*number),
        _ => None,
    }
}

fn said<T>(compared: &[Compared<'_>], annotators: &[AnnotatorId], of: impl Fn(&Annotation) -> Option<T>) -> Vec<Said<T>> {
    let by = |one: &Compared<'_>, who: &AnnotatorId| of(one.said.iter().find(|(held, _)| held == who)?.1);
    compared.iter().map(|one| (one.doc.id, annotators.iter().map(|who| by(one, who)).collect())).collect()
}

/// What every kind of question has; `measure` answers with kappa, alpha and mean difference of two annotators.
fn common<T: Ord>(
    id: QuestionId,
    units: &[Said<T>],
    annotators: &[AnnotatorId],
    measure: impl Fn(&[(&T, &T)]) -> Measured,
) -> Option<QuestionAgreement> {
    let given = |unit: &Said<T>| unit.1.iter().flatten().count();
    units.iter().any(|unit| given(unit) > 0).then_some(())?;
    let differs = |unit: &&Said<T>| {
        let mut given = unit.1.iter().flatten();
        given.next().is_some_and(|first| given.any(|other| other != first))
    };
    let mut pairs = Vec::new();
    let (mut equal, mut all) = (0, 0);
    for (a, one) in annotators.iter().enumerate() {
        for (b, other) in annotators.iter().enumerate().skip(a + 1) {
            let both = units.iter().filter_map(|(doc, said)| Some((*doc, (said[a].as_ref()?, said[b].as_ref()?))));
            let both: Vec<(DocId, (&T, &T))> = both.collect();
            let said: Vec<(&T, &T)> = both.iter().map(|(_, said)| *said).collect();
            let same = said.iter().filter(|(a, b)| a == b).count();
            (equal, all) = (equal + same, all + said.len());
            let Measured { kappa, alpha, difference } = measure(&said);
            pairs.push(PairOnQuestion {
                who: [*one, *other],
                documents: both.len(),
                raw: share(same, said.len()),
                cohen: kappa,
                alpha,
                difference,
                differing: both.iter().filter(|(_, (a, b))| a != b).map(|(doc, _)| *doc).collect(),
            });
        }
    }
    Some(QuestionAgreement {
        question: id,
        documents: units.iter().filter(|unit| given(unit) > 1).count(),
        raw: share(equal, all),
        fleiss: None,
        alpha: None,
        difference: None,
        pairs,
        classes: Vec::new(),
        differing: units.iter().filter(differs).map(|(doc, _)| *doc).collect(),
    })
}

/// What is measured of two annotators.
#[derive(Default)]
struct Measured {
    kappa: Option<f64>,
    alpha: Option<f64>,
    difference: Option<f64>,
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn ratings<T: Clone>(units: &[Said<T>]) -> Vec<Vec<Option<T>>> {
    units.iter().map(|(_, said)| said.clone()).collect()
}

fn one_class(id: QuestionId, units: &[Said<u16>], annotators: &[AnnotatorId]) -> Option<QuestionAgreement> {
    let measure = |pairs: &[(&u16, &u16)]| {
        let pairs: Vec<(u16, u16)> = pairs.iter().map(|(a, b)| (**a, **b)).collect();
        Measured { kappa: nominal::cohen_kappa(&pairs), ..Measured::default() }
    };
    let held: Vec<Ratings> = ratings(units);
    Some(QuestionAgreement {
        fleiss: fleiss(&held, annotators.len()),
        alpha: nominal::krippendorff_alpha(&held),
        ..common(id, units, annotators, measure)?
    })
}

/// Fleiss' kappa over what all rated.
fn fleiss(ratings: &[Ratings], annotators: usize) -> Option<f64> {
    let classes = usize::from(ratings.iter().flatten().flatten().copied().max()?) + 1;
    let whole = ratings.iter().filter(|unit| unit.iter().flatten().count() == annotators);
    let count = |unit: &Ratings, class: usize| unit.iter().flatten().filter(|held| usize::from(**held) == class).count();
    let counts: Vec<Vec<usize>> = whole.map(|unit| (0..classes).map(|class| count(unit, class)).collect()).collect();
    nominal::fleiss_kappa(&counts)
}

fn several(id: QuestionId, question: &Question, units: &[Said<BTreeSet<u16>>], annotators: &[AnnotatorId]) -> Option<QuestionAgreement> {
    let measure = |pairs: &[(&BTreeSet<u16>, &BTreeSet<u16>)]| {
        let units: Vec<Vec<Option<&BTreeSet<u16>>>> = pairs.iter().map(|(a, b)| vec![Some(*a), Some(*b)]).collect();
        Measured { alpha: graded::alpha(&units, |a, b| masi(a, b)), ..Measured::default() }
    };
    let whole = common(id, units, annotators, measure)?;
    let class = |class: u16| {
        let has = |said: &Option<BTreeSet<u16>>| said.as_ref().map(|said| u16::from(said.contains(&class)));
        let held: Vec<Said<u16>> = units.iter().map(|(doc, said)| (*doc, said.iter().map(has).collect())).collect();
        let given = held.iter().flat_map(|(_, said)| said).flatten().filter(|has| **has == 1).count();
        let one = one_class(id, &held, annotators)?;
        // Of two annotators Cohen's kappa, of more Fleiss'.
        let kappa = if annotators.len() == 2 { one.pairs.first().and_then(|pair| pair.cohen) } else { one.fleiss };
        (given > 0).then_some(ClassAgreement { class, given, raw: one.raw, kappa, alpha: one.alpha, differing: one.differing })
    };
    Some(QuestionAgreement {
        alpha: graded::alpha(&ratings(units), masi),
        classes: (0..question.classes.len() as u16).filter_map(class).collect(),
        ..whole
    })
}

fn numbers(id: QuestionId, units: &[Said<Number>], annotators: &[AnnotatorId]) -> Option<QuestionAgreement> {
    let square = |a: &Number, b: &Number| interval(a.value(), b.value());
    let measure = |pairs: &[(&Number, &Number)]| {
        let units: Vec<Vec<Option<&Number>>> = pairs.iter().map(|(a, b)| vec![Some(*a), Some(*b)]).collect();
        let values: Vec<Vec<Option<f64>>> = pairs.iter().map(|(a, b)| vec![Some(a.value()), Some(b.value())]).collect();
        Measured { alpha: graded::alpha(&units, |a, b| square(a, b)), difference: graded::mean_difference(&values), kappa: None }
    };
    let whole = common(id, units, annotators, measure)?;
    let values: Vec<Vec<Option<f64>>> =
        units.iter().map(|(_, said)| said.iter().map(|number| number.map(Number::value)).collect()).collect();
    Some(QuestionAgreement { alpha: graded::alpha(&ratings(units), square), difference: graded::mean_difference(&values), ..whole })
}
