//! Continued pretraining on the project's own texts, labelled or not: some pieces are hidden, and the encoder learns to say
//! them (Devlin et al. 2019, section 3.1; Gururangan et al. 2020). What comes out is an encoder to train from.

use super::batching::epoch_batches;
use super::methods::optimiser;
use super::plan::{generator, step_generator};
use super::{TrainConfig, TrainError};
use crate::nn::{Encoder, LoadOptions, MaskedHead, Mode, ModelFiles, Params, RaggedBatch, Tensor, Weights, loss};
use crate::text::Tokenizer;
use rand::Rng;
use rand::rngs::StdRng;
use std::sync::Arc;

/// Share of the pieces that are to be said; of these, so many of ten are hidden, and one is another piece.
const ASKED: f64 = 0.15;
const HIDDEN_OF_TEN: u32 = 8;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PretrainStep {
    pub step: usize,
    pub steps: usize,
    pub loss: f64,
}

/// A text with what is to be said of it.
#[derive(Default)]
struct Asked {
    ids: Vec<u32>,
    /// Places in the batch, and the pieces that stood there.
    places: Vec<u32>,
    pieces: Vec<u32>,
}

/// The encoder after so many epochs over the texts; `None` when `sink` answers `false`. The same texts, settings and encoder
/// give the same weights.
///
/// # Errors
/// No text with a piece to hide, an encoder that can't be used, a loss that is not a number.
pub fn pretrain(
    files: &ModelFiles,
    texts: &[Arc<str>],
    config: &TrainConfig,
    sink: &mut dyn FnMut(PretrainStep) -> bool,
) -> Result<Option<ModelFiles>, TrainError> {
    config.check()?;
    let tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(TrainError::encoder)?;
    let mut params = Params::new();
    let options = LoadOptions { frozen_layers: config.freeze_layers, tune_embeddings: false, ..LoadOptions::TRAINABLE };
    let (encoder, _) = Encoder::load(files, config.layers, &mut params, options).map_err(TrainError::encoder)?;
    let head = MaskedHead::new_or_load(files, &encoder, &mut params, &mut generator(config.seed, 1)).map_err(TrainError::encoder)?;
    let max_length = config.max_length.min(encoder.max_tokens());
    let read = |text: &Arc<str>| tokenizer.read(text, max_length, false).map(|reading| reading.pieces);
    let pieces = texts.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(TrainError::encoder)?;
    let pieces: Vec<_> = pieces.into_iter().filter(|pieces| pieces.ranges.iter().any(|range| !range.is_empty())).collect();
    if pieces.is_empty() {
        return Err(TrainError::Data("no text has a piece to hide".to_owned()));
    }
    let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.ids.len()).collect();
    let mut order = generator(config.seed, 3);
    let batches: Vec<Vec<usize>> = (0..config.epochs).flat_map(|_| epoch_batches(&lengths, config, &mut order)).collect();
    let mut optimiser = optimiser(config, encoder.config().num_hidden_layers);
    let vocabulary = encoder.config().vocab_size as u32;
    for (at, batch) in batches.iter().enumerate() {
        let mut rng = step_generator(config.seed, at);
        let mut asked = Asked::default();
        let mut starts = Vec::with_capacity(batch.len());
        for text in batch {
            starts.push(asked.ids.len()..asked.ids.len() + lengths[*text]);
            let is_special = |place: usize| pieces[*text].ranges.get(place).is_none_or(|range| range.is_empty());
            asked.add(&pieces[*text].ids, is_special, (tokenizer.hidden_id(), vocabulary), &mut rng);
        }
        let ids: Vec<&[u32]> = starts.into_iter().map(|range| &asked.ids[range]).collect();
        let mut mode = Mode::Train { rng: &mut rng, dropout: config.dropout as f32 };
        let hidden = encoder.forward(&RaggedBatch::new(&ids), &mut mode).map_err(TrainError::compute)?;
        let logits = head.forward(&hidden, &asked.places).map_err(TrainError::compute)?;
        let mean = loss::cross_entropy(&logits, &asked.pieces, None).map_err(TrainError::compute)?;
        let lr = config.lr * config.schedule.factor(at, batches.len(), config.warmup);
        let value = take_step(&mean, (&params, &mut optimiser), lr, config.clip)?;
        if !value.is_finite() {
            return Err(TrainError::NotFinite { step: at + 1, lr });
        }
        if !sink(PretrainStep { step: at + 1, steps: batches.len(), loss: value }) {
            return Ok(None);
        }
    }
    let weights = params.to_safetensors().map_err(TrainError::compute)?;
    let config = serde_json::to_string_pretty(&encoder.config().to_bert_json()).map_err(TrainError::compute)?;
    Ok(Some(ModelFiles {
        config,
        tokenizer: files.tokenizer.clone(),
        weights: Weights::Safetensors(Arc::from(weights)),
        others: Vec::new(),
    }))
}

/// Gives the loss.
fn take_step(mean: &Tensor, (params, optimiser): (&Params, &mut crate::nn::Optimiser), lr: f64, clip: f64) -> Result<f64, TrainError> {
    let value = super::losses::number(mean)?;
    let grads = params.backward(mean).map_err(TrainError::compute)?;
    let norm = optimiser.step(params, &grads, lr, clip).map_err(TrainError::compute)?;
    Ok(if norm.is_finite() { value } else { f64::NAN })
}

impl Asked {
    /// Takes a text, hides some of its pieces, and one at least where none came to be hidden.
    fn add(&mut self, ids: &[u32], is_special: impl Fn(usize) -> bool, (hidden, vocabulary): (u32, u32), rng: &mut StdRng) {
        let open: Vec<usize> = (0..ids.len()).filter(|place| !is_special(*place)).collect();
        let mut chosen: Vec<usize> = open.iter().copied().filter(|_| rng.random::<f64>() < ASKED).collect();
        if chosen.is_empty() && !open.is_empty() {
            chosen.push(open[rng.random_range(0..open.len())]);
        }
        let start = self.ids.len();
        self.ids.extend(ids);
        for place in chosen {
            self.places.push((start + place) as u32);
            self.pieces.push(ids[place]);
            self.ids[start + place] = match rng.random_range(0..10u32) {
                roll if roll < HIDDEN_OF_TEN => hidden,
                HIDDEN_OF_TEN => rng.random_range(0..vocabulary),
                _ => ids[place],
            };
        }
    }
}
