//! Words that a masked-language model would put in place of others (Kobayashi 2018, without the labels): what it says where
//! a word is hidden, for new wordings. Marked places are never hidden.

use super::plan::generator;
use super::reword::free_words;
use super::{Example, TrainConfig, TrainError};
use crate::nn::{Encoder, LoadOptions, MaskedHead, Mode, ModelFiles, Params, RaggedBatch};
use crate::project::{TextRange, draw};
use crate::text::{Pieces, Tokenizer, is_cjk, normalised_word};
use rand::Rng;

/// So many likely pieces are looked at for each hidden word, and so many of their words are kept.
const LOOKED_AT: usize = 40;
const KEPT: usize = 8;
/// What is less likely than this is not proposed.
const LEAST: f32 = 0.005;

/// An encoder that proposes words.
pub struct Proposer {
    tokenizer: Tokenizer,
    encoder: Encoder,
    head: MaskedHead,
    max_length: usize,
    share: f64,
    seed: u64,
}

/// A hidden word: its row in the batch, the example it is of, its place there.
struct Hidden {
    row: u32,
    example: usize,
    place: TextRange,
    /// Whether its piece carries the mark of a word's start.
    marked: bool,
}

impl Proposer {
    /// # Errors
    /// A model that can't say hidden words.
    pub fn new(files: &ModelFiles, config: &TrainConfig) -> Result<Self, TrainError> {
        let lacks = "it has no head for hidden words, so it proposes none: take an encoder that has read the reviews first, or a \
                     folder of a masked-language model, or bring a list of synonyms and set masked_synonyms to 0";
        if !MaskedHead::is_in(files).map_err(TrainError::encoder)? {
            return Err(TrainError::encoder(lacks));
        }
        let tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(TrainError::encoder)?;
        let mut params = Params::new();
        // All layers: the head reads what the last one says.
        let (encoder, _) = Encoder::load(files, 0, &mut params, LoadOptions::FROZEN).map_err(TrainError::encoder)?;
        let head = MaskedHead::new_or_load(files, &encoder, &mut params, &mut generator(0, 0)).map_err(TrainError::encoder)?;
        let max_length = config.max_length.min(encoder.max_tokens());
        Ok(Self { tokenizer, encoder, head, max_length, share: config.masked_synonyms, seed: config.seed })
    }

    /// Hides a share of the words of each example that lie in no span, and keeps with the example what would stand there.
    ///
    /// # Errors
    /// A text that can't be read.
    pub fn propose(&self, examples: &mut [&mut Example]) -> Result<(), TrainError> {
        let (mut ids, mut hidden): (Vec<Vec<u32>>, Vec<Hidden>) = (Vec::new(), Vec::new());
        let mut start = 0;
        for (at, example) in examples.iter().enumerate() {
            let mut pieces = self.tokenizer.encode(&example.text, self.max_length).map_err(TrainError::encoder)?;
            for (piece, place) in self.chosen(example, &pieces) {
                let marked = self.tokenizer.written(pieces.ids[piece]).is_some_and(|(_, marked)| marked);
                hidden.push(Hidden { row: (start + piece) as u32, example: at, place, marked });
                pieces.ids[piece] = self.tokenizer.hidden_id();
            }
            start += pieces.ids.len();
            ids.push(pieces.ids);
        }
        if hidden.is_empty() {
            return Ok(());
        }
        let texts: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let states = self.encoder.forward(&RaggedBatch::new(&texts), &mut Mode::Eval).map_err(TrainError::compute)?;
        let rows: Vec<u32> = hidden.iter().map(|hidden| hidden.row).collect();
        let logits = self.head.forward(&states, &rows).and_then(|logits| logits.to_vec2::<f32>()).map_err(TrainError::compute)?;
        for (Hidden { example, place, marked, .. }, logits) in hidden.iter().zip(&logits) {
            let words = self.likely(logits, place.of(&examples[*example].text), *marked);
            if !words.is_empty() {
                examples[*example].proposed.push((*place, words));
            }
        }
        Ok(())
    }

    /// Words to hide, with their pieces. Only those of letters and of one piece: what one piece says can't stand for several.
    fn chosen(&self, example: &Example, pieces: &Pieces) -> Vec<(usize, TextRange)> {
        let mut rng = generator(self.seed ^ draw(self.seed, example.doc), 0x6d61_736b);
        let piece_of = |word: &TextRange| pieces.ranges.iter().position(|range| *range == word.bytes());
        let is_word = |word: &TextRange| word.of(&example.text).chars().all(char::is_alphanumeric);
        let free = free_words(example).into_iter().filter(|_| rng.random::<f64>() < self.share);
        free.filter(is_word).filter_map(|word| Some((piece_of(&word)?, word))).collect()
    }

    /// The likeliest other words of the same kind of letters.
    fn likely(&self, logits: &[f32], word: &str, marked: bool) -> Vec<String> {
        let is_written = |text: &str| text.chars().all(char::is_alphanumeric) && text.contains(is_cjk) == word.contains(is_cjk);
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
        if order.len() > LOOKED_AT {
            order.select_nth_unstable_by(LOOKED_AT, by_logit);
            order.truncate(LOOKED_AT);
        }
        order.sort_by(by_logit);
        let likely = order.into_iter().take_while(|id| (logits[*id as usize] - most).exp() / sum >= LEAST);
        // Where pieces are marked, one without the mark goes on with the word before it.
        let words = likely.filter_map(|id| self.tokenizer.written(id)).filter(|(_, other)| *other == marked).map(|(text, _)| text);
        words.filter(|text| is_written(text) && normalised_word(text) != normalised_word(word)).take(KEPT).collect()
    }
}
