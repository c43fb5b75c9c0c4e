//! Which piece stood where one is hidden: the head of masked-language models, as transformers' `BertForMaskedLM` has it.
//! The last layer is the table of word embeddings.

use super::heads::HeadLoader;
use super::{Encoder, LoadError, ModelFiles, Params, plain};
use candle_core::{Tensor, bail};
use rand::rngs::StdRng;

/// A dense layer, GELU and a norm; the table; a bias for each piece.
#[derive(Debug)]
pub struct MaskedHead {
    dense: (Tensor, Tensor),
    norm: (Tensor, Tensor),
    bias: Tensor,
    table: Tensor,
    eps: f64,
}

impl MaskedHead {
    /// Reads the head where `files` has one, and draws it anew elsewhere.
    ///
    /// # Errors
    /// A damaged file, or an encoder whose embeddings are not as wide as its states.
    pub fn new_or_load(files: &ModelFiles, encoder: &Encoder, params: &mut Params, rng: &mut StdRng) -> Result<Self, LoadError> {
        let config = encoder.config();
        let hidden = config.hidden_size;
        if config.embedding_size != hidden {
            return Err(LoadError::Config("its embeddings are not as wide as its states, so no piece can be read from them".to_owned()));
        }
        let mut loader = HeadLoader::new(Some(files), params, rng, true)?;
        let dense = loader.pair_from("gloss.masked.dense", "cls.predictions.transform.dense", hidden, hidden)?;
        let gain = loader.uniform("gloss.masked.LayerNorm.weight", &[hidden], 0.0, 0..hidden)?;
        let shift = loader.zeros("gloss.masked.LayerNorm.bias", &[hidden])?;
        let bias = loader.zeros("gloss.masked.bias", &[config.vocab_size])?;
        Ok(Self { dense, norm: (gain, shift), bias, table: encoder.word_embedding(), eps: config.layer_norm_eps })
    }

    /// Logits `[places, vocabulary]` of the pieces at these rows of the hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// No place, or one that is not there.
    pub fn forward(&self, hidden: &Tensor, places: &[u32]) -> candle_core::Result<Tensor> {
        if places.is_empty() {
            bail!("no piece is hidden");
        }
        let rows = hidden.index_select(&Tensor::from_slice(places, places.len(), hidden.device())?, 0)?;
        let inner = plain::linear(&rows, &self.dense.0, &self.dense.1)?.gelu_erf()?;
        let normed = plain::layer_norm(&inner, &self.norm.0, &self.norm.1, self.eps)?;
        plain::linear(&normed, &self.table, &self.bias)
    }
}
