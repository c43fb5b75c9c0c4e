//! The shape of a network that is trained without pretraining, as it stands in its `config.json`.

use crate::nn::LoadError;
use crate::nn::kernels::Cell;
use serde::{Deserialize, Serialize};

/// What reads the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScratchKind {
    #[serde(rename = "gloss-rnn")]
    Rnn,
    #[serde(rename = "gloss-lstm")]
    Lstm,
    #[serde(rename = "gloss-gru")]
    Gru,
    #[serde(rename = "gloss-cnn")]
    Cnn,
}

impl ScratchKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rnn => "RNN",
            Self::Lstm => "LSTM",
            Self::Gru => "GRU",
            Self::Cnn => "CNN",
        }
    }

    /// The recurrent cell; none in a CNN.
    pub fn cell(self) -> Option<Cell> {
        match self {
            Self::Rnn => Some(Cell::Rnn),
            Self::Lstm => Some(Cell::Lstm),
            Self::Gru => Some(Cell::Gru),
            Self::Cnn => None,
        }
    }
}

/// How the states of a text's tokens become the one vector that its class is read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// A weighted mean whose weights are learnt (Yang et al. 2016, section 2.2).
    #[default]
    Attention,
    /// The state at the end of the text; of what reads from right to left, at its beginning.
    Last,
    Mean,
    /// The largest value of each number (Collobert et al. 2011; Kim 2014).
    Max,
}

/// Pretrained word vectors behind the table: how many words of the vocabulary had one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Name of the file.
    pub file: String,
    pub found: usize,
    /// Words that were looked for.
    pub of: usize,
}

/// Sizes of a network without pretraining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScratchConfig {
    #[serde(rename = "model_type")]
    pub kind: ScratchKind,
    pub vocab_size: usize,
    pub embedding_size: usize,
    /// Of each direction; of a CNN the filters of each width.
    pub hidden_size: usize,
    pub num_layers: usize,
    /// Whether texts are read from right to left too. Of no meaning to a CNN.
    pub bidirectional: bool,
    /// Tokens that a filter of a CNN sees at once.
    pub kernel_sizes: Vec<usize>,
    pub pooling: Pooling,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_vectors: Option<Coverage>,
}

impl ScratchConfig {
    /// Whether a `config.json` describes such a network rather than an encoder of the BERT family.
    pub fn is_one(config: &str) -> bool {
        #[derive(Deserialize)]
        struct Kind {
            model_type: Option<String>,
        }
        let kind = serde_json::from_str::<Kind>(config).ok().and_then(|read| read.model_type);
        kind.is_some_and(|kind| kind.starts_with("gloss-"))
    }

    /// # Errors
    /// Text that is not JSON, a kind that is not known, or a size that is missing or not possible.
    pub fn parse(config: &str) -> Result<Self, LoadError> {
        let read: Self = serde_json::from_str(config).map_err(|error| LoadError::Config(error.to_string()))?;
        let widths = &read.kernel_sizes;
        let sizes = [read.vocab_size, read.embedding_size, read.hidden_size, read.num_layers];
        if sizes.contains(&0) || read.kind == ScratchKind::Cnn && (widths.is_empty() || widths.contains(&0)) {
            return Err(LoadError::Config("a size of the network is 0".to_owned()));
        }
        Ok(read)
    }

    /// Numbers of a token's state.
    pub fn output_size(&self) -> usize {
        match self.kind {
            ScratchKind::Cnn => self.hidden_size * self.kernel_sizes.len(),
            _ => self.hidden_size * self.directions(),
        }
    }

    pub(super) fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional && self.kind != ScratchKind::Cnn)
    }

    /// Numbers that a layer reads of each token.
    pub(super) fn input_size(&self, layer: usize) -> usize {
        if layer == 0 { self.embedding_size } else { self.output_size() }
    }
}
