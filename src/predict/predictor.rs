//! The frozen model.

use super::ensemble::joined;
use super::foreign::TagMap;
use super::{PredictedAttribute, PredictedSpan, PredictedTriplet, Prediction, UnitTags, most_likely};
use crate::nn::kernels::Stored;
use crate::nn::{
    Bend, Calibration, CandidateBatch, Chain, DeviceChoice, Encoder, FrozenChain, JointModel, JointSizes, LoadOptions, LogProbs,
    ModelFiles, Moves, OpinionScores, OpinionSizes, PairBatch, Params, Place, QuestionForm, RaggedBatch, ScorerSizes, ScratchConfig,
    SpanAttribute, SpanBatch, SpanEdge, Tensor, TransformersHead, UnitBatch, at_temperature, set_temperature, value_places,
};
use crate::text::{
    DecodedSpan, Reading, Tokenizer, candidates, decode_spans, judged_or_tagged, likely_spans, moves, tag_count, units_under, viterbi,
    weighted, word_joins,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;
use serde::Deserialize;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Mutex;

/// So many pieces go through the network at once.
const BATCH_TOKENS: usize = 2048;

/// From here on a place is taken for a span, where spans are judged one by one.
const LIKELIER_THAN_NOT: f32 = 0.5;

/// Why a model can't predict.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    #[error("the model can't be used: {0}")]
    Model(String),
    #[error("computation failed: {0}")]
    Compute(String),
}

/// What `config.json` says under `gloss`.
#[derive(Default, Deserialize)]
struct Facts {
    classes: Vec<String>,
    span_labels: Vec<String>,
    max_length: usize,
    /// Turns of a conversation that are read with the one after them; models of older versions read none.
    #[serde(default)]
    turns_before: usize,
    /// Tags follow each other with learnt scores. Models of older versions have none, nor the next two.
    #[serde(default)]
    tag_transitions: bool,
    /// Tags are those of pieces, not of characters.
    #[serde(default)]
    tags_of_pieces: bool,
    /// Spans are judged one by one, up to so many words; 0: the tags say them.
    #[serde(default)]
    widest_span: usize,
    #[serde(default)]
    opinions: Opinions,
    /// Questions beside the main one; models of older versions have none.
    #[serde(default)]
    questions: Vec<QuestionForm>,
}

/// What the heads over spans learnt, and which labels a link goes from and to.
#[derive(Default, Deserialize)]
struct Opinions {
    polarity: bool,
    /// Whether polarity looks at the text around a span; models of older versions do not.
    #[serde(default)]
    context: bool,
    links: bool,
    link_polarity: bool,
    link_from: Vec<u16>,
    link_to: Vec<u16>,
    /// An opinion that is linked to nothing is a triplet without an aspect.
    #[serde(default)]
    implicit: bool,
    /// What is said of spans beside their polarity.
    #[serde(default)]
    attributes: Vec<SpanAttribute>,
    /// Models of older versions have none.
    #[serde(default)]
    calibration: Calibration,
}

#[derive(Deserialize)]
struct Config {
    gloss: Option<Facts>,
}

/// A text with the turns that came before it in its conversation, the newest last; none where it stands alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn<'a> {
    pub text: &'a str,
    pub before: &'a [String],
}

impl<'a> Turn<'a> {
    pub fn alone(text: &'a str) -> Self {
        Self { text, before: &[] }
    }
}

/// A model with frozen weights. Cheap to share between threads by `Arc`.
pub struct Predictor {
    classes: Vec<String>,
    span_labels: Vec<String>,
    opinions: Opinions,
    questions: Vec<QuestionForm>,
    max_length: usize,
    turns_before: usize,
    of_pieces: bool,
    /// Of a model that transformers trained.
    tag_map: Option<TagMap>,
    pub(super) widest_span: usize,
    chain: Option<FrozenChain>,
    tokenizer: Tokenizer,
    pub(super) model: JointModel,
    /// The model's own, for gradients.
    pub(super) params: Mutex<Params>,
    /// Models that answer together with this one.
    pub(super) others: Vec<Predictor>,
}

impl Predictor {
    /// Builds a predictor from a folder's files. It computes on the processor.
    ///
    /// # Errors
    /// When the files are damaged or are not a model trained here.
    pub fn new(files: &ModelFiles) -> Result<Self, PredictError> {
        Self::stored_as(files, Stored::Float32)
    }

    /// The same with the encoder's weights held as `stored`; reasons are always given by float32. A network without
    /// pretraining stays as it is.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn stored_as(files: &ModelFiles, stored: Stored) -> Result<Self, PredictError> {
        Self::on(files, DeviceChoice::Cpu, stored).map(|(predictor, _)| predictor)
    }

    /// The same where it was asked for, or else on the processor, as networks without pretraining always do; and a sentence
    /// where a person should know which it is.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn on(files: &ModelFiles, device: DeviceChoice, stored: Stored) -> Result<(Self, Option<String>), PredictError> {
        if ScratchConfig::is_one(&files.config) {
            return Self::at(files, Place::processor(), stored).map(|predictor| (predictor, None));
        }
        let (place, note) = Place::find(device);
        Self::at(files, place, stored).map(|predictor| (predictor, note))
    }

    fn at(files: &ModelFiles, place: Place, stored: Stored) -> Result<Self, PredictError> {
        let mut first = Self::one_at(files, place.clone(), stored)?;
        for other in &files.others {
            let is_scratch = ScratchConfig::is_one(&other.config);
            let other = Self::one_at(other, if is_scratch { Place::processor() } else { place.clone() }, stored)?;
            let names = |of: &Self| of.questions.iter().map(|form| form.name.clone()).collect::<Vec<_>>();
            let asked = |of: &Self| (of.classes.clone(), of.span_labels.clone(), of.attributes().to_vec(), names(of));
            if asked(&other) != asked(&first) {
                return Err(PredictError::Model("the models that are to answer together answer other things".to_owned()));
            }
            first.others.push(other);
        }
        Ok(first)
    }

    fn one_at(files: &ModelFiles, place: Place, stored: Stored) -> Result<Self, PredictError> {
        let model = |error: &dyn std::fmt::Display| PredictError::Model(error.to_string());
        let config: Config = serde_json::from_str(&files.config).map_err(|error| model(&error))?;
        let (facts, tag_map, bend) = match config.gloss {
            Some(facts) => (facts, None, Bend::Tanh),
            None => foreign(&files.config).map_err(PredictError::Model)?,
        };
        let Facts { classes, span_labels, max_length, turns_before, tag_transitions, tags_of_pieces, widest_span, opinions, questions } =
            facts;
        if classes.is_empty() && span_labels.is_empty() && questions.is_empty() {
            return Err(PredictError::Model("it has neither classes nor span labels nor other questions".to_owned()));
        }
        let tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| model(&error))?;
        let ours = if span_labels.is_empty() { 0 } else { tag_count(span_labels.len()) };
        let tags = tag_map.as_ref().map_or(ours, |map| map.outputs);
        let over_spans = OpinionSizes {
            labels: span_labels.len(),
            polarity: opinions.polarity,
            context: opinions.context,
            links: opinions.links,
            link_polarity: opinions.link_polarity,
            values: opinions.attributes.iter().map(|attribute| attribute.values.len()).sum(),
        };
        let chain = tag_transitions.then(|| Moves { tags, apart: moves(tags, false), joined: moves(tags, true) });
        let scorer = ScorerSizes { labels: if widest_span > 0 { span_labels.len() } else { 0 }, widest: widest_span };
        let forms = questions.iter().map(|form| form.kind.size()).collect();
        let (classes_wanted, of_pieces) = (classes.len(), tags_of_pieces);
        let sizes =
            JointSizes { layers: 0, classes: classes_wanted, tags, of_pieces, bend, chain, scorer, opinions: over_spans, questions: forms };
        // Nothing is drawn: a head that is not in the file is an error.
        let (mut rng, mut params) = (no_draws(), Params::at(place));
        // Nothing learns, but why it answers so is asked of its gradients.
        let (joint, report) =
            JointModel::load(files, sizes, &mut params, LoadOptions::TRAINABLE, &mut rng).map_err(|error| model(&error))?;
        if let Some(name) = report.fresh.iter().chain(&report.wrong_shape).next() {
            return Err(PredictError::Model(format!("the weights file has no fitting {name}")));
        }
        let mut joint = joint.with_gradients_of_tokens();
        joint.freeze(Some(stored)).map_err(compute)?;
        let max_length = max_length.min(joint.network().max_tokens());
        let chain = joint.chain().map(Chain::frozen).transpose().map_err(compute)?;
        let params = Mutex::new(params);
        Ok(Self {
            classes,
            span_labels,
            opinions,
            questions,
            max_length,
            turns_before,
            of_pieces,
            tag_map,
            widest_span,
            chain,
            tokenizer,
            model: joint,
            params,
            others: Vec::new(),
        })
    }

    /// How the encoder's weights are held; `None` of a network without pretraining.
    pub fn stored(&self) -> Option<Stored> {
        self.model.encoder().and_then(Encoder::stored)
    }

    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    pub fn span_labels(&self) -> &[String] {
        &self.span_labels
    }

    /// Questions beside the main one, in the order of [`Prediction::questions`].
    pub fn questions(&self) -> &[QuestionForm] {
        &self.questions
    }

    /// Attributes of spans, by which [`PredictedAttribute`] numbers them.
    pub fn attributes(&self) -> &[SpanAttribute] {
        &self.opinions.attributes
    }

    /// Texts are read up to so many pieces.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Turns of a conversation that are read with the one after them.
    pub fn turns_before(&self) -> usize {
        self.others.iter().map(|other| other.turns_before).fold(self.turns_before, usize::max)
    }

    /// # Errors
    /// When a tensor operation fails.
    pub fn predict(&self, text: &str) -> Result<Prediction, PredictError> {
        Ok(self.predict_many(&[text])?.pop().unwrap_or_default())
    }

    /// Many texts at once, answered in order; faster than one by one.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict_many(&self, texts: &[&str]) -> Result<Vec<Prediction>, PredictError> {
        self.predict_turns(&texts.iter().map(|text| Turn::alone(text)).collect::<Vec<_>>())
    }

    /// The same of turns of conversations, each in the light of those before it, as far as the model learnt to.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict_turns(&self, turns: &[Turn]) -> Result<Vec<Prediction>, PredictError> {
        if self.others.is_empty() {
            return self.own_answers(turns);
        }
        let models = || std::iter::once(self).chain(&self.others);
        let forms: Vec<&[QuestionForm]> = models().map(Self::questions).collect();
        let mut answers = models().map(|model| Ok(model.own_answers(turns)?.into_iter())).collect::<Result<Vec<_>, PredictError>>()?;
        Ok(turns.iter().map(|_| joined(answers.iter_mut().filter_map(Iterator::next).collect(), &forms)).collect())
    }

    /// The answers of this model alone.
    fn own_answers(&self, turns: &[Turn]) -> Result<Vec<Prediction>, PredictError> {
        let texts: Vec<&str> = turns.iter().map(|turn| turn.text).collect();
        let texts = texts.as_slice();
        let readings: Vec<Reading> = turns.par_iter().map(|turn| self.read(*turn)).collect::<Result<_, _>>()?;
        let length = |index: &usize| readings[*index].pieces.ids.len();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(length);
        let mut answers = vec![Prediction::default(); texts.len()];
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut tokens = 0;
            let fitting = rest.iter().take_while(|index| {
                tokens += length(index);
                tokens <= BATCH_TOKENS
            });
            let (now, later) = rest.split_at(fitting.count().max(1));
            let members: Vec<&Reading> = now.iter().map(|index| &readings[*index]).collect();
            let (batch, units) = batch_of(&members);
            let (logs, hidden) = self.model.score(&batch, &units).map_err(compute)?;
            let mut first_unit = 0;
            for (row, index) in now.iter().enumerate() {
                answers[*index] = self.answer(texts[*index], &readings[*index], &logs, row, first_unit);
                first_unit += readings[*index].units.len();
            }
            if self.widest_span > 0 {
                self.judge_spans(now, texts, &readings, (&batch, &hidden), &mut answers)?;
            }
            let least = self.opinions.calibration.span;
            now.iter().for_each(|index| answers[*index].spans.retain(|span| span.probability >= least));
            if self.opinions.polarity || self.opinions.links || !self.opinions.attributes.is_empty() {
                self.add_opinions(now, &readings, &batch, &hidden, &mut answers)?;
            }
            now.iter().for_each(|index| calibrate(&mut answers[*index], self.opinions.calibration));
            rest = later;
        }
        Ok(answers)
    }

    pub(super) fn read(&self, Turn { text, before }: Turn) -> Result<Reading, PredictError> {
        let before = &before[before.len().saturating_sub(self.turns_before)..];
        let read = match self.of_pieces {
            true => self.tokenizer.read_pieces(before, text, self.max_length),
            false => self.tokenizer.read_turn(before, text, self.max_length, !self.span_labels.is_empty()),
        };
        read.map_err(compute)
    }

    /// The network's output that says a tag of ours.
    pub(super) fn output_of(&self, tag: usize) -> usize {
        self.tag_map.as_ref().map_or(tag, |map| map.output(tag))
    }

    /// The pairs of spans that may belong together.
    pub(super) fn pairs(&self, spans: &SpanBatch) -> PairBatch {
        let Opinions { link_from, link_to, links, .. } = &self.opinions;
        if *links { spans.pairs(link_from, link_to, |_| true) } else { PairBatch::default() }
    }

    /// Spans by judging every place that may be one, before what the tags say.
    fn judge_spans(
        &self,
        members: &[usize],
        texts: &[&str],
        readings: &[Reading],
        (batch, hidden): (&RaggedBatch, &Tensor),
        answers: &mut [Prediction],
    ) -> Result<(), PredictError> {
        let Some(scorer) = self.model.scorer() else { return Ok(()) };
        for (row, index) in members.iter().enumerate() {
            let (text, reading) = (texts[*index], &readings[*index]);
            let places = candidates(&word_joins(text, &reading.units), self.widest_span);
            let mut asked = CandidateBatch::default();
            for place in &places {
                asked.push(edges(batch.range(row).start, reading, &place.units), place.width);
            }
            let shares = scorer.score(hidden, &asked).map_err(compute)?;
            let spans = likely_spans(text, &reading.units, &places, &shares, self.span_labels.len(), LIKELIER_THAN_NOT);
            let tagged = std::mem::take(&mut answers[*index].spans).into_iter();
            let tagged = tagged.map(|span| DecodedSpan { range: span.range, label: span.label, probability: span.probability });
            answers[*index].spans = judged_or_tagged(spans, tagged.collect()).into_iter().map(predicted).collect();
        }
        Ok(())
    }

    /// Polarities and links of the spans that the answers to `members` hold.
    fn add_opinions(
        &self,
        members: &[usize],
        readings: &[Reading],
        batch: &RaggedBatch,
        hidden: &Tensor,
        answers: &mut [Prediction],
    ) -> Result<(), PredictError> {
        let mut spans = SpanBatch::default();
        for (row, index) in members.iter().enumerate() {
            for span in &answers[*index].spans {
                let reading = &readings[*index];
                let rows = batch.range(row);
                spans.push(row, rows.clone(), edges(rows.start, reading, &units_under(&reading.units, span.range)), span.label);
            }
        }
        let pairs = self.pairs(&spans);
        let scores = self.model.score_opinions(hidden, &spans, &pairs).map_err(compute)?;
        let mut first = 0;
        for index in members {
            let prediction = &mut answers[*index];
            for (at, span) in prediction.spans.iter_mut().enumerate() {
                span.polarity = scores.polarity(first + at);
                span.attributes = attributes_of(&self.opinions.attributes, &scores, first + at, span.label);
            }
            add_triplets(prediction, first, (&scores, &pairs), &self.opinions);
            first += prediction.spans.len();
        }
        Ok(())
    }

    fn answer(&self, text: &str, reading: &Reading, logs: &LogProbs, row: usize, first_unit: usize) -> Prediction {
        let classes = self.classes.len();
        let probabilities = logs.class.iter().skip(row * classes).take(classes).map(|log| log.exp()).collect();
        let width = tag_count(self.span_labels.len());
        let outputs = self.tag_map.as_ref().map_or(width, |map| map.outputs);
        let own = logs.tags.get(first_unit * outputs..(first_unit + reading.units.len()) * outputs).unwrap_or_default();
        let own = self.tag_map.as_ref().map_or(Cow::Borrowed(own), |map| map.ours(own).into());
        let own = &*own;
        let joined = word_joins(text, &reading.units);
        let (tags, likely) = match &self.chain {
            Some(chain) => {
                let weighted = weighted(own, width, &reading.units);
                (viterbi(&weighted, width, &joined, chain.scores()), chain.marginals(&weighted, &joined))
            }
            None => (viterbi(own, width, &joined, &[]), own.iter().map(|log| log.exp()).collect()),
        };
        let spans = decode_spans(text, &reading.units, &tags, &likely);
        let rows = reading.units.iter().zip(&tags).zip(likely.chunks_exact(width));
        let question = |(at, form): (usize, &QuestionForm)| {
            let width = form.kind.size().outputs;
            let outputs = logs.questions.get(at).and_then(|outputs| outputs.get(row * width..(row + 1) * width));
            form.kind.answer(outputs.unwrap_or_default())
        };
        Prediction {
            probabilities,
            questions: self.questions.iter().enumerate().map(question).collect(),
            spans: spans.into_iter().map(predicted).collect(),
            triplets: Vec::new(),
            units: rows.map(|((unit, tag), row)| UnitTags { range: unit.range, probabilities: row.to_vec(), tag: *tag }).collect(),
            cut_at: reading.pieces.cut_at,
        }
    }
}

/// What a model answers that transformers trained.
fn foreign(config: &str) -> Result<(Facts, Option<TagMap>, Bend), String> {
    let facts = Facts { max_length: usize::MAX, ..Facts::default() };
    match TransformersHead::of(config) {
        Some(TransformersHead::Texts) => {
            let classes = TransformersHead::labels(config)?;
            if classes.len() < 2 || TransformersHead::is_no_choice(config) {
                return Err(
                    "it tells each label of a text by itself, or a number: such heads are read only of models trained here".to_owned()
                );
            }
            Ok((Facts { classes, ..facts }, None, Bend::of(config)))
        }
        Some(TransformersHead::Tokens) => {
            let map = TagMap::of(&TransformersHead::labels(config)?)?;
            Ok((Facts { span_labels: map.labels.clone(), tags_of_pieces: true, ..facts }, Some(map), Bend::Tanh))
        }
        None => {
            Err("config.json has no key \"gloss\" and names no classification of texts or tokens: it is an encoder to train from"
                .to_owned())
        }
    }
}

/// The probabilities as the run found them to be meant on its dev documents.
fn calibrate(prediction: &mut Prediction, calibration: Calibration) {
    set_temperature(&mut prediction.probabilities, calibration.class);
    for span in &mut prediction.spans {
        span.probability = calibration.spans.apply(span.probability);
        span.polarity = span.polarity.map(|shares| at_temperature(shares, calibration.polarity));
        span.attributes.iter_mut().for_each(|said| set_temperature(&mut said.shares, calibration.values));
    }
    prediction.triplets.iter_mut().for_each(|triplet| triplet.probability = calibration.triplets.apply(triplet.probability));
}

pub(super) fn compute(error: impl std::fmt::Display) -> PredictError {
    PredictError::Compute(error.to_string())
}

/// For where a generator is wanted and nothing is drawn.
pub(super) fn no_draws() -> StdRng {
    StdRng::seed_from_u64(0)
}

fn predicted(span: DecodedSpan) -> PredictedSpan {
    PredictedSpan { range: span.range, label: span.label, probability: span.probability, polarity: None, attributes: Vec::new() }
}

/// The edges of a span of units, for the network.
pub(super) fn edges(first_row: usize, reading: &Reading, units: &Range<usize>) -> [SpanEdge; 2] {
    let edge = |unit: usize| SpanEdge { piece: first_row as u32 + reading.units[unit].piece, offset: reading.units[unit].offset };
    [edge(units.start), edge(units.end - 1)]
}

fn attributes_of(attributes: &[SpanAttribute], scores: &OpinionScores, span: usize, label: u16) -> Vec<PredictedAttribute> {
    let asked = attributes.iter().zip(value_places(attributes)).zip(0u16..).filter(|((attribute, _), _)| attribute.label == label);
    asked.filter_map(|((_, which), attribute)| Some(PredictedAttribute { attribute, shares: scores.attribute(span, which)? })).collect()
}

fn add_triplets(prediction: &mut Prediction, first: usize, (scores, pairs): (&OpinionScores, &PairBatch), learnt: &Opinions) {
    let spans = first..first + prediction.spans.len();
    let own = |pair: &usize| spans.contains(&(pairs.from[*pair] as usize));
    let found = (0..pairs.len()).filter(own).filter_map(|pair| {
        let link = scores.link(pair).filter(|link| *link >= learnt.calibration.link)?;
        let (opinion, aspect) = (pairs.from[pair] as usize - first, pairs.to[pair] as usize - first);
        let polarity = scores.link_polarity(pair);
        let ends = prediction.spans[opinion].probability * prediction.spans[aspect].probability;
        let probability = ends * link * polarity.map_or(1.0, |shares| most_likely(shares).1);
        Some(PredictedTriplet { aspect: Some(aspect), opinion, polarity, link, probability })
    });
    let mut triplets: Vec<PredictedTriplet> = found.collect();
    if learnt.implicit {
        for (at, span) in prediction.spans.iter().enumerate().filter(|(_, span)| learnt.link_from.contains(&span.label)) {
            if triplets.iter().any(|triplet| triplet.opinion == at || triplet.aspect == Some(at)) {
                continue;
            }
            let links = (0..pairs.len()).filter(|pair| pairs.from[*pair] as usize == first + at).filter_map(|pair| scores.link(pair));
            let link: f32 = links.map(|link| 1.0 - link).product();
            let probability = span.probability * link * span.polarity.map_or(1.0, |shares| most_likely(shares).1);
            if probability < learnt.calibration.alone {
                continue;
            }
            triplets.push(PredictedTriplet { aspect: None, opinion: at, polarity: span.polarity, link, probability });
        }
    }
    // Those without an aspect come last.
    triplets.sort_by_key(|triplet| (triplet.aspect.is_none(), triplet.aspect, triplet.opinion));
    prediction.triplets = triplets;
}

pub(super) fn batch_of(members: &[&Reading]) -> (RaggedBatch, UnitBatch) {
    let ids: Vec<&[u32]> = members.iter().map(|reading| reading.pieces.ids.as_slice()).collect();
    let batch = RaggedBatch::new(&ids);
    let mut units = UnitBatch::default();
    for (text, reading) in members.iter().enumerate() {
        let first = batch.range(text).start as u32;
        for unit in &reading.units {
            units.piece.push(first + unit.piece);
            units.char_id.push(unit.char_id);
            units.offset.push(unit.offset);
        }
    }
    (batch, units)
}
