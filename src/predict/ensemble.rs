//! Several models that answer as one: probabilities and numbers are means, spans and triplets hold where at least half of
//! the models say them (a mean over models of one kind: Hansen and Salamon 1990; a vote where they mark places).

use super::{PredictedAttribute, PredictedSpan, PredictedTriplet, Prediction, QuestionForm, QuestionKind};
use crate::nn::{QuestionAnswer, labels_from};
use crate::project::TextRange;
use std::collections::BTreeMap;

/// A span without what was said of it.
type Place = (usize, usize, u16);

/// One answer of the answers of all models to one text. `forms` are the questions beside the main one as each model has them.
pub(super) fn joined(answers: Vec<Prediction>, forms: &[&[QuestionForm]]) -> Prediction {
    let share = 1.0 / answers.len().max(1) as f32;
    let mut mean = Prediction { cut_at: answers.iter().filter_map(|answer| answer.cut_at).min(), ..Prediction::default() };
    mean.probabilities = means(answers.iter().map(|answer| answer.probabilities.as_slice()), share);
    mean.questions = (0..forms.first().map_or(0, |forms| forms.len())).map(|at| question(&answers, forms, at)).collect();
    mean.spans = spans(&answers);
    mean.triplets = triplets(&answers, &mean.spans);
    mean.units = units(&answers, share);
    mean
}

/// The mean of rows of one length; those of another length are left out.
fn means<'a>(rows: impl Iterator<Item = &'a [f32]>, share: f32) -> Vec<f32> {
    let mut sums: Vec<f32> = Vec::new();
    for row in rows {
        if sums.is_empty() {
            sums = vec![0.0; row.len()];
        }
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * share);
    }
    sums
}

fn question(answers: &[Prediction], forms: &[&[QuestionForm]], at: usize) -> QuestionAnswer {
    let share = 1.0 / answers.len().max(1) as f32;
    let own: Vec<&QuestionAnswer> = answers.iter().filter_map(|answer| answer.questions.get(at)).collect();
    let probabilities = means(own.iter().map(|answer| answer.probabilities.as_slice()), share);
    let numbers: Vec<f64> = own.iter().filter_map(|answer| answer.number).collect();
    let number = (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64);
    let thresholds = |forms: &&[QuestionForm]| match forms.get(at).map(|form| &form.kind) {
        Some(QuestionKind::Labels { thresholds, .. }) => thresholds.clone(),
        _ => Vec::new(),
    };
    let thresholds: Vec<Vec<f32>> = forms.iter().map(thresholds).collect();
    let thresholds = means(thresholds.iter().map(Vec::as_slice), share);
    let labels = if thresholds.is_empty() { Vec::new() } else { labels_from(&probabilities, &thresholds) };
    QuestionAnswer { labels, probabilities, number }
}

fn place(span: &PredictedSpan) -> Place {
    (span.range.start(), span.range.end(), span.label)
}

/// Those that at least half of the models mark. Of two that overlap under one label the one that is surer stays.
fn spans(answers: &[Prediction]) -> Vec<PredictedSpan> {
    let mut found: BTreeMap<Place, Vec<&PredictedSpan>> = BTreeMap::new();
    for answer in answers {
        answer.spans.iter().for_each(|span| found.entry(place(span)).or_default().push(span));
    }
    let mean = |own: &Vec<&PredictedSpan>| {
        let polarities: Vec<[f32; 3]> = own.iter().filter_map(|span| span.polarity).collect();
        let polarity = means(polarities.iter().map(<[f32; 3]>::as_slice), 1.0 / polarities.len().max(1) as f32);
        PredictedSpan {
            probability: own.iter().map(|span| span.probability).sum::<f32>() / answers.len() as f32,
            polarity: polarity.try_into().ok(),
            attributes: attributes(own),
            ..own[0].clone()
        }
    };
    let mut agreed: Vec<PredictedSpan> = found.values().filter(|own| own.len() * 2 >= answers.len()).map(mean).collect();
    agreed.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(place(a).cmp(&place(b))));
    let mut kept: Vec<PredictedSpan> = Vec::new();
    let may_overlap = |a: TextRange, b: TextRange| answers.iter().any(|answer| both(answer, a, b));
    for span in agreed {
        let clashes =
            |other: &PredictedSpan| other.label == span.label && other.range.overlaps(span.range) && !may_overlap(other.range, span.range);
        if !kept.iter().any(clashes) {
            kept.push(span);
        }
    }
    kept.sort_by_key(place);
    kept
}

/// What all models that mark a span say of it. They have the same attributes, or none ([`Predictor::attributes`]).
///
/// [`Predictor::attributes`]: super::Predictor::attributes
fn attributes(own: &[&PredictedSpan]) -> Vec<PredictedAttribute> {
    let of = |first: &PredictedAttribute| {
        let same = |said: &&PredictedAttribute| said.attribute == first.attribute && said.shares.len() == first.shares.len();
        let all: Vec<&[f32]> = own.iter().filter_map(|span| span.attributes.iter().find(same)).map(|said| said.shares.as_slice()).collect();
        PredictedAttribute { attribute: first.attribute, shares: means(all.iter().copied(), 1.0 / all.len() as f32) }
    };
    own.first().map_or_else(Vec::new, |span| span.attributes.iter().map(of).collect())
}

/// Whether one model marks both places.
fn both(answer: &Prediction, a: TextRange, b: TextRange) -> bool {
    let marks = |range: TextRange| answer.spans.iter().any(|span| span.range == range);
    marks(a) && marks(b)
}

/// Those that at least half of the models find, over the spans that stay.
fn triplets(answers: &[Prediction], spans: &[PredictedSpan]) -> Vec<PredictedTriplet> {
    let mut found: BTreeMap<(Option<Place>, Place), Vec<PredictedTriplet>> = BTreeMap::new();
    for answer in answers {
        for triplet in &answer.triplets {
            let at = |span: usize| answer.spans.get(span).map(place);
            let Some(opinion) = at(triplet.opinion) else { continue };
            found.entry((triplet.aspect.and_then(at), opinion)).or_default().push(*triplet);
        }
    }
    let of = |wanted: Place| spans.iter().position(|span| place(span) == wanted);
    let mean = |((aspect, opinion), own): (&(Option<Place>, Place), &Vec<PredictedTriplet>)| {
        let aspect = match aspect {
            Some(aspect) => Some(of(*aspect)?),
            None => None,
        };
        let polarities: Vec<[f32; 3]> = own.iter().filter_map(|triplet| triplet.polarity).collect();
        let polarity = means(polarities.iter().map(<[f32; 3]>::as_slice), 1.0 / polarities.len().max(1) as f32);
        let sum = |of: fn(&PredictedTriplet) -> f32| own.iter().map(of).sum::<f32>() / answers.len() as f32;
        Some(PredictedTriplet {
            aspect,
            opinion: of(*opinion)?,
            polarity: polarity.try_into().ok(),
            link: sum(|triplet| triplet.link),
            probability: sum(|triplet| triplet.probability),
        })
    };
    let mut agreed: Vec<PredictedTriplet> = found.iter().filter(|(_, own)| own.len() * 2 >= answers.len()).filter_map(mean).collect();
    agreed.sort_by_key(|triplet| (triplet.aspect.is_none(), triplet.aspect, triplet.opinion));
    agreed
}

/// The tags, where all models have the same units.
fn units(answers: &[Prediction], share: f32) -> Vec<super::UnitTags> {
    let Some(first) = answers.first() else { return Vec::new() };
    let fits = |answer: &Prediction| {
        answer.units.len() == first.units.len() && answer.units.iter().zip(&first.units).all(|(a, b)| a.range == b.range)
    };
    if !answers.iter().all(fits) {
        return first.units.clone();
    }
    let unit = |at: usize| super::UnitTags {
        probabilities: means(answers.iter().map(|answer| answer.units[at].probabilities.as_slice()), share),
        ..first.units[at].clone()
    };
    (0..first.units.len()).map(unit).collect()
}
