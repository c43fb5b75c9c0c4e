//! Several finished runs made into one that answers as their mean, judged by documents that none of them has learnt from.
//! Reads models, changes no project. For a thread that nobody waits for.

use super::BaseError;
use crate::predict::{PredictError, Prediction, Predictor, Turn, most_likely};
use crate::project::{Conversations, DocId, Project};
use crate::store::{RunSummary, Runs, StoreError};
use crate::train::{HeldOut, LinkAnswer, OpinionAnswers, QuestionOutcome, Report, Roles, TrainData, opinion_scores, scores_of_answers};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Texts answered together.
const TOGETHER: usize = 64;

/// What of a project it takes to judge runs that answer together: an owned copy, for a thread that sees no project.
pub struct JoinData {
    /// Texts with the turns before them, by document.
    texts: BTreeMap<u32, (Arc<str>, Vec<String>)>,
    roles: Roles,
}

impl JoinData {
    /// Of the documents that a run was judged by.
    pub fn of(project: &Project, report: Option<&Report>) -> Self {
        /// More than any model reads.
        const MOST: usize = 64;
        let conversations = Conversations::of(project);
        let docs = report.map_or(&[][..], |report| &report.held_out).iter().filter_map(|doc| project.document(DocId(doc.doc)));
        let texts = docs.map(|doc| (doc.id.0, (doc.text.clone(), project.turns_before(&conversations, doc.id, MOST)))).collect();
        Self { texts, roles: TrainData::of(project, 0, 0.0).roles }
    }
}

/// Makes the run, and gives its id. `data` is that of the first run by id.
///
/// # Errors
/// Fewer than two runs, one that has not finished, runs that answer other things, or a model that can't be used.
pub fn join_runs(runs: &Runs, ids: &[String], data: &JoinData, now_ms: i64) -> Result<String, BaseError> {
    let ids = in_order(ids);
    let members = ids.iter().map(|id| runs.summary(id)).collect::<Result<Vec<_>, _>>()?;
    let refused = |what: String| BaseError::from(StoreError::Run { what, path: runs.folder().to_owned() });
    let reports: Option<Vec<&Report>> = members.iter().map(|run| run.report.as_ref()).collect();
    let (Some(reports), Some(first)) = (reports.filter(|reports| reports.len() >= 2), members.first()) else {
        return Err(refused("at least two finished runs are needed to answer together".to_owned()));
    };
    if let Some(other) = members.iter().find(|run| (&run.classes, &run.span_labels) != (&first.classes, &first.span_labels)) {
        return Err(refused(format!("{} and {} answer other things", first.id, other.id)));
    }
    let mut files = runs.model(&first.id)?;
    for other in &members[1..] {
        files.others.push(runs.model(&other.id)?);
    }
    let predictor = Predictor::new(&files).map_err(|error| unusable(error, runs))?;
    let start = Instant::now();
    let held_out = answers(&predictor, &common(runs, &members, &reports)?, data).map_err(|error| unusable(error, runs))?;
    let mut scores = scores_of_answers(&held_out, predictor.classes(), predictor.span_labels(), predictor.questions());
    if !predictor.span_labels().is_empty() {
        scores.opinions = opinion_scores(&held_out, &data.roles);
    }
    let report = Report {
        scores,
        scored_on: reports[0].scored_on.clone(),
        slices: Vec::new(),
        examples: held_out.len(),
        aspects: reports[0].aspects.clone(),
        best_step: 0,
        best_epoch: 0.0,
        stopped_early: false,
        stopped_by_hand: false,
        seconds: reports.iter().map(|report| report.seconds).sum::<f64>() + start.elapsed().as_secs_f64(),
        real_tokens_per_s: 0.0,
        reliability: Vec::new(),
        eight_bits: None,
        held_out,
    };
    Ok(runs.join(&ids, &report, now_ms)?)
}

/// Each once, the oldest first.
pub fn in_order(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    ids
}

fn unusable(error: PredictError, runs: &Runs) -> BaseError {
    StoreError::Run { what: error.to_string(), path: PathBuf::from(runs.folder()) }.into()
}

/// Documents that all runs were judged by and none has learnt from, as the first has them.
fn common<'a>(runs: &Runs, members: &[RunSummary], reports: &[&'a Report]) -> Result<Vec<&'a HeldOut>, StoreError> {
    let mut learnt = BTreeSet::new();
    for run in members {
        learnt.extend(runs.learnt_from(&run.id)?.into_iter().map(|doc| doc.0));
    }
    let of = |report: &Report| report.held_out.iter().map(|doc| doc.doc).collect::<BTreeSet<u32>>();
    let others: Vec<BTreeSet<u32>> = reports.iter().skip(1).map(|report| of(report)).collect();
    let is_common = |doc: &&HeldOut| !learnt.contains(&doc.doc) && others.iter().all(|other| other.contains(&doc.doc));
    Ok(reports.first().map_or(&[][..], |report| &report.held_out).iter().filter(is_common).collect())
}

fn answers(predictor: &Predictor, asked: &[&HeldOut], data: &JoinData) -> Result<Vec<HeldOut>, PredictError> {
    let found: Vec<_> = asked.iter().filter_map(|doc| Some((*doc, data.texts.get(&doc.doc)?))).collect();
    let mut answered = Vec::with_capacity(found.len());
    for docs in found.chunks(TOGETHER) {
        let turns: Vec<Turn> = docs.iter().map(|(_, (text, before))| Turn { text, before }).collect();
        let predictions = predictor.predict_turns(&turns)?;
        answered.extend(docs.iter().zip(predictions).map(|((doc, _), prediction)| held_out(doc, &prediction)));
    }
    Ok(answered)
}

/// A document with the new answers, and what is right of the old ones.
fn held_out(gold: &HeldOut, said: &Prediction) -> HeldOut {
    let polarity = |at: usize| said.spans[at].polarity.map(most_likely);
    let places = 0..said.spans.len();
    let link = |triplet: &crate::predict::PredictedTriplet| LinkAnswer {
        from: triplet.opinion as u32,
        to: triplet.aspect.map(|aspect| aspect as u32),
        polarity: triplet.polarity.map(|shares| most_likely(shares).0),
        probability: triplet.probability,
    };
    let question = |(old, new): (&QuestionOutcome, &crate::predict::QuestionAnswer)| QuestionOutcome {
        gold: old.gold.clone(),
        labels: new.labels.clone(),
        probabilities: new.probabilities.clone(),
        number: new.number,
    };
    HeldOut {
        doc: gold.doc,
        gold_class: gold.gold_class,
        class: said.best_class().map(|(class, _)| class),
        probabilities: said.probabilities.clone(),
        gold_spans: gold.gold_spans.clone(),
        spans: said.spans.iter().map(|span| (span.range.start() as u32, span.range.end() as u32, span.label)).collect(),
        opinions: OpinionAnswers {
            probabilities: said.spans.iter().map(|span| span.probability).collect(),
            polarities: places.clone().map(|at| polarity(at).map(|(polarity, _)| polarity)).collect(),
            polarity_shares: places.map(|at| polarity(at).map_or(1.0, |(_, share)| share)).collect(),
            gold_polarities: gold.opinions.gold_polarities.clone(),
            of_gold: vec![None; gold.opinions.gold_polarities.len()],
            gold_shares: vec![None; gold.opinions.gold_polarities.len()],
            attributes: said
                .spans
                .iter()
                .map(|span| span.attributes.iter().map(|said| (said.attribute, said.best().0)).collect())
                .collect(),
            gold_attributes: gold.opinions.gold_attributes.clone(),
            attributes_of_gold: vec![Vec::new(); gold.opinions.gold_attributes.len()],
            gold_values: Vec::new(),
            links: said.triplets.iter().map(link).collect(),
            gold_links: gold.opinions.gold_links.clone(),
        },
        questions: gold.questions.iter().zip(&said.questions).map(question).collect(),
    }
}
