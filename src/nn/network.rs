//! What reads the tokens, whichever kind it is: the encoder, or a network without pretraining. Heads stand on either.

use super::batch::{Mode, RaggedBatch};
use super::scratch::{INPUTS, WORD_TABLE};
use super::{Encoder, LoadError, LoadOptions, LoadReport, ModelFiles, Params, ScratchConfig, ScratchNet};
use candle_core::{Result, Tensor};
use rand::rngs::StdRng;
use serde_json::Value;

/// A network that gives states `[tokens, hidden]` over a ragged batch.
#[derive(Debug)]
pub enum Network {
    Encoder(Encoder),
    Scratch(ScratchNet),
}

impl Network {
    /// Reads the network that `config.json` describes. `layers` counts for an encoder alone (0: all); what a network without
    /// pretraining does not find in the files is drawn by `rng`.
    ///
    /// # Errors
    /// As [`Encoder::load`] and [`ScratchNet::load`].
    pub fn load(
        files: &ModelFiles,
        layers: usize,
        params: &mut Params,
        options: LoadOptions,
        rng: &mut StdRng,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        if ScratchConfig::is_one(&files.config) {
            let (net, report) = ScratchNet::load(files, params, options, rng)?;
            return Ok((Self::Scratch(net), report));
        }
        let (encoder, report) = Encoder::load(files, layers, params, options)?;
        Ok((Self::Encoder(encoder), report))
    }

    /// Numbers of a token's state.
    pub fn hidden_size(&self) -> usize {
        match self {
            Self::Encoder(encoder) => encoder.config().hidden_size,
            Self::Scratch(net) => net.config().output_size(),
        }
    }

    /// Layers of an encoder, whose rates may differ; 0 for a network without pretraining.
    pub fn encoder_layers(&self) -> usize {
        match self {
            Self::Encoder(encoder) => encoder.config().num_hidden_layers,
            Self::Scratch(_) => 0,
        }
    }

    /// The longest text that can be read, in tokens.
    pub fn max_tokens(&self) -> usize {
        match self {
            Self::Encoder(encoder) => encoder.max_tokens(),
            Self::Scratch(_) => usize::MAX,
        }
    }

    /// Gives memory that is kept from batch to batch back to the system.
    pub fn free_memory(&self) {
        match self {
            Self::Encoder(encoder) => encoder.free_memory(),
            Self::Scratch(net) => net.free_memory(),
        }
    }

    /// The table of word embeddings `[vocab, embedding size]`, outside any graph; it sees later steps.
    pub fn word_embedding(&self) -> Tensor {
        match self {
            Self::Encoder(encoder) => encoder.word_embedding(),
            Self::Scratch(net) => net.word_embedding(),
        }
    }

    /// The name of that table's parameter.
    pub fn table_name(&self) -> &'static str {
        match self {
            Self::Encoder(_) => "bert.embeddings.word_embeddings.weight",
            Self::Scratch(_) => WORD_TABLE,
        }
    }

    /// The name under which the gradient of each token's embedding comes, `[tokens, embedding size]`, of a batch of one
    /// text. What an encoder's position adds to a piece is added to nothing else: the gradient of the position is that of
    /// the piece that stands there. A network without pretraining must be [`ScratchNet::with_gradients_of_tokens`].
    pub fn inputs_name(&self) -> &'static str {
        match self {
            Self::Encoder(_) => "bert.embeddings.position_embeddings.weight",
            Self::Scratch(_) => INPUTS,
        }
    }

    /// The configuration it is kept under: of an encoder, that of transformers' `BertForSequenceClassification`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        match self {
            Self::Encoder(encoder) => Ok(encoder.config().to_bert_json()),
            Self::Scratch(net) => serde_json::to_value(net.config()),
        }
    }

    /// Hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// A text that is empty or too long, or an id beyond the vocabulary.
    pub fn forward(&self, batch: &RaggedBatch, mode: &mut Mode) -> Result<Tensor> {
        match self {
            Self::Encoder(encoder) => encoder.forward(batch, mode),
            Self::Scratch(net) => net.forward(batch, mode),
        }
    }
}
