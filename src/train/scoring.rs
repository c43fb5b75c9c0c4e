//! Held-out documents through the model: scores, and every answer as evidence.

use super::attributes::{SpanValue, attribute_scores};
use super::batching::sorted_batches;
use super::metrics::{SpanKey, class_scores, span_scores};
use super::opinions::{POLARITIES, edges, gold_links};
use super::question_scores::{QuestionOutcome, question_scores, say_labels_anew};
use super::task::{Batch, Item, Targets, Task};
use super::{HeldOut, LinkAnswer, OpinionAnswers, Scores, TrainConfig, TrainError, opinion_scores};
use crate::nn::{
    CandidateBatch, Chain, JointModel, LogProbs, OpinionScores, PairBatch, QuestionForm, QuestionKind, RaggedBatch, SpanBatch, Tensor,
    value_places,
};
use crate::project::{Polarity, TextRange};
use crate::text::{DecodedSpan, candidates, decode_spans, judged_or_tagged, likely_spans, tag_count, units_under, viterbi, weighted};
use std::collections::BTreeSet;

/// Scores of a set of documents with the answers behind them.
#[derive(Clone)]
pub(super) struct Scored {
    pub scores: Scores,
    pub held_out: Vec<HeldOut>,
    /// Of each document all pairs that may be links.
    candidates: Vec<Vec<Candidate>>,
}

/// A pair of found spans.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    link: LinkAnswer,
    /// Probability that the two belong together.
    together: f32,
}

impl Scored {
    /// Leaves out the spans that are less likely, with all that is said of them. [`Scored::decide`] says the links anew.
    pub fn leave_out(&mut self, threshold: f32, task: &Task) {
        for (doc, candidates) in self.held_out.iter_mut().zip(&mut self.candidates) {
            let likely: Vec<bool> = doc.opinions.probabilities.iter().map(|probability| *probability >= threshold).collect();
            if likely.iter().all(|likely| *likely) {
                continue;
            }
            fn keep<T>(values: &mut Vec<T>, likely: &[bool]) {
                let mut at = 0..;
                values.retain(|_| at.next().and_then(|at: usize| likely.get(at)).is_none_or(|likely| *likely));
            }
            keep(&mut doc.spans, &likely);
            let OpinionAnswers { probabilities, polarities, polarity_shares, attributes, .. } = &mut doc.opinions;
            keep(probabilities, &likely);
            keep(polarities, &likely);
            keep(polarity_shares, &likely);
            keep(attributes, &likely);
            let place = |at: u32| likely.get(at as usize).filter(|likely| **likely).map(|_| left_before(&likely, at));
            let moved = |pair: &Candidate| {
                let (from, to) = (place(pair.link.from)?, place(pair.link.to?)?);
                Some(Candidate { link: LinkAnswer { from, to: Some(to), ..pair.link }, ..*pair })
            };
            *candidates = candidates.iter().filter_map(moved).collect();
        }
        self.scores = scores_of(&self.held_out, task, self.scores.loss);
    }

    /// Takes the pairs for links that are at least as likely as `least`, and opinions that nothing is linked to for opinions
    /// about nothing that has words where they are at least as likely as `least_alone`.
    pub fn decide(&mut self, least: f32, least_alone: f32, task: &Task) {
        if task.labels.is_empty() {
            return;
        }
        for (doc, candidates) in self.held_out.iter_mut().zip(&self.candidates) {
            let links: Vec<LinkAnswer> = candidates.iter().filter(|pair| pair.together >= least).map(|pair| pair.link).collect();
            let alone = if task.implicit { alone(doc, candidates, &links, task) } else { Vec::new() };
            let alone = alone.into_iter().filter(|link| link.probability >= least_alone);
            doc.opinions.links = links.into_iter().chain(alone).collect();
        }
        self.scores.opinions = opinion_scores(&self.held_out, task.roles);
    }

    /// Says the labels of the questions beside the main one by other thresholds.
    pub fn say_labels(&mut self, forms: &[QuestionForm]) {
        for (at, form) in forms.iter().enumerate() {
            if let QuestionKind::Labels { thresholds, .. } = &form.kind {
                say_labels_anew(&mut self.held_out, at, thresholds);
            }
        }
        self.scores.questions = question_scores(forms, &self.held_out);
    }

    /// How likely each pair was said to be a link, and whether it is one; and how many links there are.
    pub fn link_cases(&self) -> (Vec<(f32, bool)>, usize) {
        let (mut cases, mut all) = (Vec::new(), 0);
        for (doc, candidates) in self.held_out.iter().zip(&self.candidates) {
            let (Some(gold_spans), Some(gold_links)) = (&doc.gold_spans, &doc.opinions.gold_links) else { continue };
            let linked = gold_links.iter().filter(|link| link.to.is_some());
            let gold: BTreeSet<(SpanKey, Option<SpanKey>)> = linked.filter_map(|link| link.ends(gold_spans)).collect();
            all += gold.len();
            let is_gold = |pair: &Candidate| pair.link.ends(&doc.spans).is_some_and(|ends| gold.contains(&ends));
            cases.extend(candidates.iter().map(|pair| (pair.together, is_gold(pair))));
        }
        (cases, all)
    }
}

/// How many spans are left before this one.
fn left_before(likely: &[bool], at: u32) -> u32 {
    likely.iter().take(at as usize).map(|likely| u32::from(*likely)).sum()
}

/// Opinions that nothing was linked to.
fn alone(doc: &HeldOut, candidates: &[Candidate], links: &[LinkAnswer], task: &Task) -> Vec<LinkAnswer> {
    let OpinionAnswers { polarities, polarity_shares, probabilities, .. } = &doc.opinions;
    let opinions = (0u32..)
        .zip(&doc.spans)
        .filter(|(at, span)| task.roles.opinions.contains(&span.2) && !links.iter().any(|link| link.from == *at || link.to == Some(*at)));
    let alone = opinions.map(|(at, _)| {
        let apart: f32 = candidates.iter().filter(|pair| pair.link.from == at).map(|pair| 1.0 - pair.together).product();
        let sure = probabilities.get(at as usize).copied().unwrap_or(0.0) * polarity_shares.get(at as usize).copied().unwrap_or(1.0);
        LinkAnswer { from: at, to: None, polarity: polarities.get(at as usize).copied().flatten(), probability: sure * apart }
    });
    alone.collect()
}

/// Until the dev documents say something better.
const LIKELIER_THAN_NOT: f32 = 0.5;

/// Runs `items` through the model.
///
/// # Errors
/// When a tensor operation fails.
pub(super) fn score(model: &JointModel, task: &Task, items: &[Item], config: &TrainConfig) -> Result<Scored, TrainError> {
    let lengths: Vec<usize> = items.iter().map(Item::length).collect();
    let mut answers: Vec<Option<(HeldOut, Vec<Candidate>)>> = vec![None; items.len()];
    let (mut class_loss, mut span_loss) = (Mean::default(), Mean::default());
    for indices in sorted_batches(&lengths, config.batch_examples.max(32), config.batch_tokens) {
        let members: Vec<&Item> = indices.iter().map(|index| &items[*index]).collect();
        let batch = Batch::of(&members, &[], task.labels.len(), true);
        let (logs, hidden) = model.score(&batch.texts, &batch.units).map_err(TrainError::compute)?;
        class_loss.add(&logs.class, &batch.classes);
        span_loss.add(&logs.tags, &batch.tags);
        let tagged = decode(model, &members, &logs, task)?;
        let decoded = if task.widest > 0 {
            let judged = judge(model, &members, &batch, &hidden, task)?;
            judged.into_iter().zip(tagged).map(|(judged, tagged)| judged_or_tagged(judged, tagged)).collect()
        } else {
            tagged
        };
        let opinions = opinions_of(model, &members, &decoded, &hidden, &batch.texts, task)?;
        for ((row, index), (opinions, candidates)) in indices.iter().enumerate().zip(opinions) {
            answers[*index] = Some((answer_of(members[row], &logs, row, &decoded[row], opinions, task), candidates));
        }
    }
    let (held_out, candidates): (Vec<HeldOut>, Vec<_>) = answers.into_iter().flatten().unzip();
    let loss = class_loss.value() + config.span_loss_weight * span_loss.value();
    let mut scored = Scored { scores: scores_of(&held_out, task, loss), held_out, candidates };
    scored.decide(LIKELIER_THAN_NOT, 0.0, task);
    Ok(scored)
}

/// The spans of each document by the most probable tags.
fn decode(model: &JointModel, members: &[&Item], logs: &LogProbs, task: &Task) -> Result<Vec<Vec<DecodedSpan>>, TrainError> {
    let tags = tag_count(task.labels.len());
    let chain = model.chain().map(Chain::frozen).transpose().map_err(TrainError::compute)?;
    let mut first_unit = 0;
    let spans = members.iter().map(|item| {
        let units = &item.reading.units;
        let own = logs.tags.get(first_unit * tags..(first_unit + units.len()) * tags).unwrap_or_default();
        first_unit += units.len();
        let text = &item.example.text;
        let Some(chain) = &chain else {
            let likely: Vec<f32> = own.iter().map(|log| log.exp()).collect();
            return decode_spans(text, units, &viterbi(own, tags, &item.joined, &[]), &likely);
        };
        let weighted = weighted(own, tags, units);
        let likely = chain.marginals(&weighted, &item.joined);
        decode_spans(text, units, &viterbi(&weighted, tags, &item.joined, chain.scores()), &likely)
    });
    Ok(spans.collect())
}

/// The spans of each document by judging every place that may be one.
fn judge(model: &JointModel, members: &[&Item], batch: &Batch, hidden: &Tensor, task: &Task) -> Result<Vec<Vec<DecodedSpan>>, TrainError> {
    let Some(scorer) = model.scorer() else { return Ok(vec![Vec::new(); members.len()]) };
    let mut spans = Vec::new();
    for (text, item) in members.iter().enumerate() {
        let places = candidates(&item.joined, task.widest);
        let mut asked = CandidateBatch::default();
        let first_row = batch.texts.range(text).start;
        places.iter().for_each(|place| asked.push(edges(first_row, &item.reading, &place.units), place.width));
        let shares = scorer.score(hidden, &asked).map_err(TrainError::compute)?;
        spans.push(likely_spans(&item.example.text, &item.reading.units, &places, &shares, task.labels.len(), LIKELIER_THAN_NOT));
    }
    Ok(spans)
}

fn answer_of(item: &Item, logs: &LogProbs, row: usize, spans: &[DecodedSpan], opinions: OpinionAnswers, task: &Task) -> HeldOut {
    let classes = task.classes.len();
    let probabilities: Vec<f32> = logs.class.iter().skip(row * classes).take(classes).map(|log| log.exp()).collect();
    let class = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class as u16);
    let key = |range: TextRange, label| (range.start() as u32, range.end() as u32, label);
    let gold = item.example.spans.as_ref().filter(|_| item.tags.is_some());
    HeldOut {
        doc: item.example.doc.0,
        gold_class: item.class,
        class,
        probabilities,
        gold_spans: gold.map(|spans| spans.iter().map(|(range, label)| key(*range, *label)).collect()),
        spans: spans.iter().map(|span| key(span.range, span.label)).collect(),
        opinions,
        questions: task.questions.iter().enumerate().map(|(at, form)| outcome_of(item, logs, row, (at, form))).collect(),
    }
}

/// The answer to a question beside the main one.
fn outcome_of(item: &Item, logs: &LogProbs, row: usize, (at, form): (usize, &QuestionForm)) -> QuestionOutcome {
    let width = form.kind.size().outputs;
    let own = logs.questions.get(at).and_then(|outputs| outputs.get(row * width..(row + 1) * width)).unwrap_or_default();
    QuestionOutcome::of(item.example.answers.get(at).cloned().flatten(), form.kind.answer(own))
}

/// Polarities and links of the decoded spans, and the polarities of the marked ones.
fn opinions_of(
    model: &JointModel,
    members: &[&Item],
    decoded: &[Vec<DecodedSpan>],
    hidden: &Tensor,
    texts: &RaggedBatch,
    task: &Task,
) -> Result<Vec<(OpinionAnswers, Vec<Candidate>)>, TrainError> {
    if task.opinions.is_empty() {
        let sure = |spans: &Vec<DecodedSpan>| spans.iter().map(|span| span.probability).collect();
        let alone = |spans| (OpinionAnswers { probabilities: sure(spans), ..OpinionAnswers::default() }, Vec::new());
        return Ok(decoded.iter().map(alone).collect());
    }
    // Of each text first the decoded spans, then the marked ones, which take part in no pair.
    let mut spans = SpanBatch::default();
    let mut is_decoded = Vec::new();
    for (text, item) in members.iter().enumerate() {
        let rows = texts.range(text);
        let own = decoded[text].iter().map(|span| (units_under(&item.reading.units, span.range), span.label, true));
        let marked = item.marks.spans.iter().map(|mark| (mark.units.clone(), mark.label, false));
        for (units, label, decoded) in own.chain(marked) {
            spans.push(text, rows.clone(), edges(rows.start, &item.reading, &units), label);
            is_decoded.push(decoded);
        }
    }
    let pairs = if task.opinions.links {
        spans.pairs(&task.roles.opinions, &task.roles.aspects, |span| is_decoded[span])
    } else {
        PairBatch::default()
    };
    let scores = model.score_opinions(hidden, &spans, &pairs).map_err(TrainError::compute)?;
    let mut first = 0;
    let answers = members.iter().zip(decoded).map(|(item, decoded)| {
        let answer = opinion_answers(item, decoded, first, (&scores, &pairs), task);
        first += decoded.len() + item.marks.spans.len();
        answer
    });
    Ok(answers.collect())
}

/// `first`: the document's first span among those scored.
fn opinion_answers(
    item: &Item,
    decoded: &[DecodedSpan],
    first: usize,
    (scores, pairs): (&OpinionScores, &PairBatch),
    task: &Task,
) -> (OpinionAnswers, Vec<Candidate>) {
    let best = |span: usize| scores.polarity(span).map(|shares| most_likely(shares).0);
    let spans = first..first + decoded.len();
    let polarities = if task.opinions.polarity { spans.clone().map(best).collect() } else { Vec::new() };
    let marked = |at: usize| item.marks.spans.iter().position(|mark| mark.at == at);
    let count = item.example.spans.as_ref().map_or(0, Vec::len);
    let gold_shares: Vec<_> = (0..count).map(|at| scores.polarity(spans.end + marked(at)?)).collect();
    let gold_links = gold_links(&item.example, task.roles, task.implicit).filter(|_| task.opinions.links);
    let sure = |span: usize| scores.polarity(span).map_or(1.0, |shares| most_likely(shares).1);
    let polarity_shares = if task.opinions.polarity { spans.clone().map(sure).collect() } else { Vec::new() };
    let attributes = Said { scores, task };
    let answers = OpinionAnswers {
        probabilities: decoded.iter().map(|span| span.probability).collect(),
        polarities,
        polarity_shares,
        gold_polarities: (0..count).map(|at| item.example.polarities.get(at).copied().flatten()).collect(),
        of_gold: gold_shares.iter().map(|shares| shares.map(|shares| most_likely(shares).0)).collect(),
        gold_shares,
        attributes: attributes.of(spans.clone().zip(decoded.iter().map(|span| span.label)).map(Some)),
        gold_attributes: if task.attributes.is_empty() { Vec::new() } else { (0..count).map(|at| gold_values(item, at)).collect() },
        attributes_of_gold: attributes.of((0..count).map(|at| Some((spans.end + marked(at)?, item.marks.spans[marked(at)?].label)))),
        gold_values: attributes.shares_of_gold(item, spans.end),
        links: Vec::new(),
        gold_links,
    };
    (answers, candidates_of(decoded, spans, scores, pairs))
}

/// What is marked of a span beside its polarity.
fn gold_values(item: &Item, at: usize) -> Vec<SpanValue> {
    item.example.attributes.get(at).cloned().unwrap_or_default()
}

/// Attributes as the model says them.
struct Said<'a> {
    scores: &'a OpinionScores,
    task: &'a Task<'a>,
}

impl Said<'_> {
    /// Of spans by their place among those scored, with their label; `None` of one that was not read.
    fn of(&self, spans: impl Iterator<Item = Option<(usize, u16)>>) -> Vec<Vec<SpanValue>> {
        let likeliest = |shares: Vec<f32>| shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(value, _)| value as u16);
        let of = |(span, label): (usize, u16)| {
            let asked = self.task.attributes.iter().zip(value_places(self.task.attributes)).zip(0u16..);
            let own = asked.filter(|((attribute, _), _)| attribute.label == label);
            own.filter_map(|((_, which), at)| Some((at, likeliest(self.scores.attribute(span, which)?)?))).collect()
        };
        if self.task.attributes.is_empty() { Vec::new() } else { spans.map(|span| span.map_or_else(Vec::new, of)).collect() }
    }

    /// `first`: the document's first marked span among those scored.
    fn shares_of_gold(&self, item: &Item, first: usize) -> Vec<(Vec<f32>, usize)> {
        let places: Vec<_> = value_places(self.task.attributes).collect();
        let marks = item.marks.spans.iter().enumerate();
        let known = marks.flat_map(|(at, mark)| mark.attributes.iter().map(move |value| (first + at, *value)));
        known
            .filter_map(|(span, (at, value))| {
                Some((self.scores.attribute(span, places.get(usize::from(at))?.clone())?, usize::from(value)))
            })
            .collect()
    }
}

/// The pairs of a document.
fn candidates_of(decoded: &[DecodedSpan], spans: std::ops::Range<usize>, scores: &OpinionScores, pairs: &PairBatch) -> Vec<Candidate> {
    let candidate = |pair: usize| {
        let (from, to) = (pairs.from[pair] as usize, pairs.to[pair] as usize);
        let together = scores.link(pair).filter(|_| spans.contains(&from))?;
        let (from, to) = (from - spans.start, to - spans.start);
        let polarity = scores.link_polarity(pair).map(most_likely);
        let probability = decoded[from].probability * decoded[to].probability * together * polarity.map_or(1.0, |(_, p)| p);
        let link = LinkAnswer { from: from as u32, to: Some(to as u32), polarity: polarity.map(|(polarity, _)| polarity), probability };
        Some(Candidate { link, together })
    };
    (0..pairs.len()).filter_map(candidate).collect()
}

/// The most probable polarity.
fn most_likely(shares: [f32; 3]) -> (Polarity, f32) {
    let best = if shares[0] >= shares[1] && shares[0] >= shares[2] { 0 } else { 1 + usize::from(shares[2] > shares[1]) };
    (POLARITIES[best], shares[best])
}

fn scores_of(held_out: &[HeldOut], task: &Task, loss: f64) -> Scores {
    let attributes = attribute_scores(task.attributes, task.labels, held_out);
    Scores { loss, attributes, ..scores_of_answers(held_out, task.classes, task.labels, &task.questions) }
}

/// Scores of class, spans and other questions, by the names of what was asked. Polarities and links are for [`opinion_scores`].
pub fn scores_of_answers(held_out: &[HeldOut], classes: &[String], labels: &[String], questions: &[QuestionForm]) -> Scores {
    let pairs: Vec<(u16, u16)> = held_out.iter().filter_map(|doc| Some((doc.gold_class?, doc.class?))).collect();
    let mut scores = Scores { questions: question_scores(questions, held_out), ..Scores::default() };
    if let Some(class) = class_scores(classes, &pairs) {
        scores.accuracy = Some(class.accuracy);
        scores.macro_f1 = Some(class.macro_f1);
        scores.per_class = class.per_class;
        scores.confusion = class.confusion;
    }
    let marked = held_out.iter().filter_map(|doc| Some((doc.gold_spans.as_deref()?, doc.spans.as_slice())));
    let marked: Vec<(&[SpanKey], &[SpanKey])> = marked.collect();
    if !marked.is_empty() {
        (scores.span_f1, scores.per_span_label) = span_scores(labels, marked);
    }
    scores
}

/// A weighted mean of losses.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, log_probs: &[f32], targets: &Targets) {
        let Some(width) = log_probs.len().checked_div(targets.targets.len()).filter(|width| *width > 0) else { return };
        for ((row, target), weight) in log_probs.chunks_exact(width).zip(&targets.targets).zip(&targets.weights) {
            self.sum -= f64::from(row[*target as usize]) * f64::from(*weight);
            self.weight += f64::from(*weight);
        }
    }

    fn value(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}
