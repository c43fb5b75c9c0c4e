//! Which piece stood where one is hidden: the head of masked-language models, as transformers' `BertForMaskedLM` has it.
//! The last layer is the table of word embeddings.

use super::heads::HeadLoader;
use super::weights::WeightFile;
use super::{Encoder, LoadError, ModelFiles, Params, plain};
use candle_core::{Tensor, bail};
use rand::rngs::StdRng;

/// What BERT, RoBERTa and DistilBERT call the head's layers.
const NAMES: [(&str, &str); 9] = [
    ("cls.predictions.transform.dense", DENSE),
    ("cls.predictions.transform.LayerNorm", NORM),
    ("cls.predictions", HEAD),
    ("lm_head.dense", DENSE),
    ("lm_head.layer_norm", NORM),
    ("lm_head", HEAD),
    ("vocab_transform", DENSE),
    ("vocab_layer_norm", NORM),
    ("vocab_projector", HEAD),
];
const HEAD: &str = "gloss.masked";
const DENSE: &str = "gloss.masked.dense";
const NORM: &str = "gloss.masked.LayerNorm";

/// A dense layer, the encoder's activation and a norm; the table; a bias for each piece.
#[derive(Debug)]
pub struct MaskedHead {
    dense: (Tensor, Tensor),
    norm: (Tensor, Tensor),
    bias: Tensor,
    table: Tensor,
    eps: f64,
    act: super::Activation,
}

impl MaskedHead {
    /// Whether `files` hold all of the head.
    ///
    /// # Errors
    /// A damaged file.
    pub fn is_in(files: &ModelFiles) -> Result<bool, LoadError> {
        let mut file = WeightFile::open(files)?;
        NAMES.iter().for_each(|(theirs, ours)| file.call(theirs, ours));
        let layers = [DENSE, NORM].into_iter().flat_map(|layer| ["weight", "bias"].map(|part| format!("{layer}.{part}")));
        Ok(layers.chain([format!("{HEAD}.bias")]).all(|name| file.names().contains_key(&name)))
    }

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
        NAMES.iter().for_each(|(theirs, ours)| loader.call(theirs, ours));
        // As BERT draws it; a norm follows, so that its scale does not matter.
        let dense = (loader.table(&format!("{DENSE}.weight"), &[hidden, hidden])?, loader.zeros(&format!("{DENSE}.bias"), &[hidden])?);
        let gain = loader.uniform(&format!("{NORM}.weight"), &[hidden], 0.0, 0..hidden)?;
        let shift = loader.zeros(&format!("{NORM}.bias"), &[hidden])?;
        let bias = loader.zeros(&format!("{HEAD}.bias"), &[config.vocab_size])?;
        let (eps, act) = (config.layer_norm_eps, config.hidden_act);
        Ok(Self { dense, norm: (gain, shift), bias, table: encoder.word_embedding(), eps, act })
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
        let inner = plain::activate(&plain::linear(&rows, &self.dense.0, &self.dense.1)?, self.act)?;
        let normed = plain::layer_norm(&inner, &self.norm.0, &self.norm.1, self.eps)?;
        plain::linear(&normed, &self.table, &self.bias)
    }
}
