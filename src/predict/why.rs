//! Why a model says what it says: which words of the text speak for an answer, and which against it, by gradient times
//! input (Shrikumar et al. 2016, section 2; Denil, Demiraj and de Freitas 2014): the answer's score, differentiated by
//! the embedding of each piece, times that embedding. To first order it is what the score would lose without the piece.

use super::predictor::{Predictor, Turn, batch_of, compute, edges};
use super::{PredictError, PredictedSpan, Prediction};
use crate::nn::{CandidateBatch, Logits, Mode, Params, SpanBatch, Tensor, TensorResult};
use crate::project::TextRange;
use crate::text::{Candidate, Reading, candidates, units_under, word_joins};
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// An answer to be explained. Places are those in the [`Prediction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Why this class rather than the others.
    Class(u16),
    /// Why this span has its label rather than none.
    Span(usize),
    /// Why this span has its most probable polarity rather than another.
    Polarity(usize),
    /// Why the two spans of this triplet belong together.
    Link(usize),
}

/// What a word does for an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    pub range: TextRange,
    /// Above 0 it speaks for the answer, below 0 against it; in logits.
    pub weight: f32,
}

impl Predictor {
    /// What each word does for an answer in `prediction`, which must be this model's of `text`; in reading order. Empty when
    /// there is no such answer.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn why(&self, text: &str, prediction: &Prediction, asked: Asked) -> Result<Vec<Reason>, PredictError> {
        self.why_turn(Turn::alone(text), prediction, asked)
    }

    /// The same of a turn of a conversation; what earlier turns do for the answer is not said.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn why_turn(&self, turn: Turn, prediction: &Prediction, asked: Asked) -> Result<Vec<Reason>, PredictError> {
        let own = self.own_reasons(turn, prediction, asked)?;
        if self.others.is_empty() {
            return Ok(own);
        }
        // The mean of what a word does for each of the models.
        let mut sums: BTreeMap<(usize, usize), Reason> = BTreeMap::new();
        let mut add = |reasons: Vec<Reason>| {
            for reason in reasons {
                let share = reason.weight / (1 + self.others.len()) as f32;
                sums.entry((reason.range.start(), reason.range.end())).or_insert(Reason { weight: 0.0, ..reason }).weight += share;
            }
        };
        add(own);
        for other in &self.others {
            add(other.own_reasons(turn, prediction, asked)?);
        }
        Ok(sums.into_values().collect())
    }

    /// Those of this model alone.
    fn own_reasons(&self, turn: Turn, prediction: &Prediction, asked: Asked) -> Result<Vec<Reason>, PredictError> {
        let (text, reading) = (turn.text, self.read(turn)?);
        // Gradients gather in one place for all passes: one after the other.
        let params = self.params.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(score) = self.score_of(text, &reading, prediction, asked).map_err(compute)? else { return Ok(Vec::new()) };
        let grads = params.backward(&score).map_err(compute)?;
        self.model.network().free_memory();
        let grad = grads.whole(self.model.network().inputs_name()).map_err(compute)?;
        let Some(grad) = grad else { return Ok(Vec::new()) };
        let weights = self.times_input(&params, &reading, &grad).map_err(compute)?;
        Ok(by_word(text, &reading, &weights))
    }

    /// The answer's score as a scalar that knows where it comes from.
    fn score_of(&self, text: &str, reading: &Reading, prediction: &Prediction, asked: Asked) -> TensorResult<Option<Tensor>> {
        let (batch, units) = batch_of(&[reading]);
        let mut rng = super::predictor::no_draws();
        let mut mode = Mode::Train { rng: &mut rng, dropout: 0.0 };
        let logits = self.model.forward(&batch, &units, &mut mode)?;
        match asked {
            Asked::Class(class) => logits.class.map(|logits| lead(&logits, 0, usize::from(class))).transpose(),
            Asked::Span(at) => match prediction.spans.get(at) {
                Some(span) => self.span_score(text, reading, (&logits, &mut mode), span),
                None => Ok(None),
            },
            Asked::Polarity(at) => {
                let spans = self.span_batch(reading, prediction);
                let Some(shares) = prediction.spans.get(at).and_then(|span| span.polarity) else { return Ok(None) };
                let opinions = self.model.opinions(&logits.hidden, &spans, &Default::default(), &mut mode)?;
                let best = (0..3).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default();
                opinions.and_then(|opinions| opinions.polarity).map(|logits| lead(&logits, at, best)).transpose()
            }
            Asked::Link(at) => {
                let Some(triplet) = prediction.triplets.get(at) else { return Ok(None) };
                let spans = self.span_batch(reading, prediction);
                let pairs = self.pairs(&spans);
                let is_it =
                    |pair: &usize| pairs.from[*pair] as usize == triplet.opinion && Some(pairs.to[*pair] as usize) == triplet.aspect;
                let Some(pair) = (0..pairs.len()).find(is_it) else { return Ok(None) };
                let opinions = self.model.opinions(&logits.hidden, &spans, &pairs, &mut mode)?;
                opinions.and_then(|opinions| opinions.links).map(|logits| lead(&logits, pair, 1)).transpose()
            }
        }
    }

    /// How far a span's tags stand before none, in logits a unit; of a span that was judged by itself, how far it stands before
    /// being none.
    fn span_score(
        &self,
        text: &str,
        reading: &Reading,
        (logits, mode): (&Logits, &mut Mode),
        span: &PredictedSpan,
    ) -> TensorResult<Option<Tensor>> {
        let own = units_under(&reading.units, span.range);
        let places = || candidates(&word_joins(text, &reading.units), self.widest_span).into_iter();
        let judged = self.model.scorer().and_then(|scorer| Some((scorer, places().find(|place| place.units == own)?)));
        if let Some((scorer, Candidate { units, width })) = judged {
            let mut asked = CandidateBatch::default();
            asked.push(edges(0, reading, &units), width);
            let answers = scorer.forward(&logits.hidden, &asked, mode)?;
            return answers.narrow(1, usize::from(span.label), 1)?.sum_all().map(Some);
        }
        let Some(tags) = logits.tags.as_ref().filter(|_| !own.is_empty()) else { return Ok(None) };
        let begin = 1 + 2 * usize::from(span.label);
        let row = |unit: usize| {
            let row = tags.narrow(0, unit, 1)?;
            let tag = if unit == own.start { begin } else { begin + 1 };
            row.narrow(1, self.output_of(tag), 1)? - row.narrow(1, self.output_of(0), 1)?
        };
        let rows = own.clone().map(row).collect::<TensorResult<Vec<_>>>()?;
        Tensor::cat(&rows, 0)?.mean_all().map(Some)
    }

    fn span_batch(&self, reading: &Reading, prediction: &Prediction) -> SpanBatch {
        let mut spans = SpanBatch::default();
        for span in &prediction.spans {
            let edges = edges(0, reading, &units_under(&reading.units, span.range));
            spans.push(0, 0..reading.pieces.ids.len(), edges, span.label);
        }
        spans
    }

    /// Gradient times input of each piece.
    fn times_input(&self, params: &Params, reading: &Reading, grad: &[f32]) -> TensorResult<Vec<f32>> {
        let network = self.model.network();
        let table = params.get(network.table_name()).map_or_else(|| network.word_embedding(), Tensor::clone);
        let count = reading.pieces.ids.len();
        let ids = Tensor::from_slice(&reading.pieces.ids, count, table.device())?;
        let input = table.detach().index_select(&ids, 0)?.flatten_all()?.to_vec1::<f32>()?;
        let width = input.len() / count.max(1);
        let rows = input.chunks_exact(width.max(1)).zip(grad.chunks_exact(width.max(1)));
        Ok(rows.map(|(input, grad)| input.iter().zip(grad).map(|(input, grad)| input * grad).sum()).collect())
    }
}

/// How far a choice stands before the mean of the others, in logits.
fn lead(logits: &Tensor, row: usize, choice: usize) -> TensorResult<Tensor> {
    let row = logits.narrow(0, row, 1)?;
    let others = row.dims2()?.1.saturating_sub(1).max(1) as f64;
    let own = row.narrow(1, choice, 1)?.sum_all()?;
    own.affine(1.0 + 1.0 / others, 0.0)? - row.sum_all()?.affine(1.0 / others, 0.0)?
}

/// Pieces of a word together.
fn by_word(text: &str, reading: &Reading, weights: &[f32]) -> Vec<Reason> {
    let joined = word_joins(text, &reading.units);
    let goes_on = |start: usize| {
        let unit = reading.units.partition_point(|unit| unit.range.start() < start);
        joined.get(unit).is_some_and(|joined| *joined) && reading.units[unit].range.start() == start
    };
    let mut reasons: Vec<Reason> = Vec::new();
    for (bytes, weight) in reading.pieces.ranges.iter().zip(weights) {
        let Some(range) = TextRange::new(text, bytes.clone()) else { continue };
        let last = reasons.last_mut();
        match last {
            Some(last) if last.range.end() > range.start() || last.range.end() == range.start() && goes_on(range.start()) => {
                last.weight += weight;
                let whole = last.range.start()..range.end().max(last.range.end());
                last.range = TextRange::new(text, whole).unwrap_or(last.range);
            }
            _ => reasons.push(Reason { range, weight: *weight }),
        }
    }
    reasons
}
