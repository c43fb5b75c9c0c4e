//! The frozen model.

use super::{PredictedSpan, Prediction, UnitTags};
use crate::nn::{JointModel, JointSizes, LoadOptions, LogProbs, ModelFiles, Params, RaggedBatch, UnitBatch};
use crate::text::{Reading, Tokenizer, decode_spans, tag_count, viterbi};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;

/// So many pieces go through the network at once.
const BATCH_TOKENS: usize = 2048;

/// Why a model can't predict.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    #[error("the model can't be used: {0}")]
    Model(String),
    #[error("computation failed: {0}")]
    Compute(String),
}

/// What `config.json` says under `gloss`.
#[derive(Deserialize)]
struct Facts {
    classes: Vec<String>,
    span_labels: Vec<String>,
    max_length: usize,
}

#[derive(Deserialize)]
struct Config {
    gloss: Option<Facts>,
}

/// A model with frozen weights. Cheap to share between threads by `Arc`.
pub struct Predictor {
    classes: Vec<String>,
    span_labels: Vec<String>,
    max_length: usize,
    tokenizer: Tokenizer,
    model: JointModel,
}

impl Predictor {
    /// Builds a predictor from a folder's files.
    ///
    /// # Errors
    /// When the files are damaged or are not a model trained here.
    pub fn new(files: &ModelFiles) -> Result<Self, PredictError> {
        let model = |error: &dyn std::fmt::Display| PredictError::Model(error.to_string());
        let config: Config = serde_json::from_str(&files.config).map_err(|error| model(&error))?;
        let Some(Facts { classes, span_labels, max_length }) = config.gloss else {
            return Err(PredictError::Model("config.json has no key \"gloss\": it was not trained here".to_owned()));
        };
        if classes.is_empty() && span_labels.is_empty() {
            return Err(PredictError::Model("it has neither classes nor span labels".to_owned()));
        }
        let tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| model(&error))?;
        let tags = if span_labels.is_empty() { 0 } else { tag_count(span_labels.len()) };
        let sizes = JointSizes { layers: 0, classes: classes.len(), tags };
        // Nothing is drawn: a head that is not in the file is an error.
        let mut rng = StdRng::seed_from_u64(0);
        let (joint, report) =
            JointModel::load(files, sizes, &mut Params::new(), LoadOptions::FROZEN, &mut rng).map_err(|error| model(&error))?;
        if let Some(name) = report.fresh.iter().chain(&report.wrong_shape).next() {
            return Err(PredictError::Model(format!("the weights file has no fitting {name}")));
        }
        let max_length = max_length.min(joint.encoder().max_tokens());
        Ok(Self { classes, span_labels, max_length, tokenizer, model: joint })
    }

    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    pub fn span_labels(&self) -> &[String] {
        &self.span_labels
    }

    /// Texts are read up to so many pieces.
    pub fn max_length(&self) -> usize {
        self.max_length
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
        let readings = texts.iter().map(|text| self.tokenizer.read(text, self.max_length, !self.span_labels.is_empty()));
        let readings: Vec<Reading> = readings.collect::<Result<_, _>>().map_err(|error| PredictError::Compute(error.to_string()))?;
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
            let logs = self.model.score(&batch, &units).map_err(|error| PredictError::Compute(error.to_string()))?;
            let mut first_unit = 0;
            for (row, index) in now.iter().enumerate() {
                answers[*index] = self.answer(texts[*index], &readings[*index], &logs, row, first_unit);
                first_unit += readings[*index].units.len();
            }
            rest = later;
        }
        Ok(answers)
    }

    fn answer(&self, text: &str, reading: &Reading, logs: &LogProbs, row: usize, first_unit: usize) -> Prediction {
        let classes = self.classes.len();
        let probabilities = logs.class.iter().skip(row * classes).take(classes).map(|log| log.exp()).collect();
        let width = tag_count(self.span_labels.len());
        let own = logs.tags.get(first_unit * width..(first_unit + reading.units.len()) * width).unwrap_or_default();
        let likely: Vec<f32> = own.iter().map(|log| log.exp()).collect();
        let tags = viterbi(own, width);
        let spans = decode_spans(text, &reading.units, &tags, &likely);
        let rows = reading.units.iter().zip(&tags).zip(likely.chunks_exact(width));
        Prediction {
            probabilities,
            spans: spans.iter().map(|span| PredictedSpan { range: span.range, label: span.label, probability: span.probability }).collect(),
            units: rows.map(|((unit, tag), row)| UnitTags { range: unit.range, probabilities: row.to_vec(), tag: *tag }).collect(),
            cut_at: reading.pieces.cut_at,
        }
    }
}

fn batch_of(members: &[&Reading]) -> (RaggedBatch, UnitBatch) {
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
