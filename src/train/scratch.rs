//! Networks without pretraining: which there are, the settings that suit each, and the files a run of one begins from: a
//! vocabulary learnt from the training texts, and word vectors where there are some.

use super::{ConfigError, TrainConfig, TrainData, TrainError};
use crate::nn::{
    Coverage, FRESH_VECTOR, LoadReport, ModelFiles, Network, Params, ScratchConfig, ScratchKind, Tensor, Weights, WordVectors,
};
use crate::project::Split;
use crate::text::Vocabulary;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What reads the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelChoice {
    /// A pretrained encoder of the BERT family.
    #[default]
    Encoder,
    Lstm,
    Gru,
    Rnn,
    Cnn,
}

impl ModelChoice {
    pub const ALL: [Self; 5] = [Self::Encoder, Self::Lstm, Self::Gru, Self::Rnn, Self::Cnn];

    /// As people call it.
    pub fn name(self) -> &'static str {
        self.kind().map_or("encoder", ScratchKind::name)
    }

    fn kind(self) -> Option<ScratchKind> {
        match self {
            Self::Encoder => None,
            Self::Lstm => Some(ScratchKind::Lstm),
            Self::Gru => Some(ScratchKind::Gru),
            Self::Rnn => Some(ScratchKind::Rnn),
            Self::Cnn => Some(ScratchKind::Cnn),
        }
    }
}

impl TrainConfig {
    /// The defaults of a model: small networks that start from nothing want a higher rate, larger batches, more epochs and
    /// more dropout than an encoder that is only tuned.
    pub fn of_model(model: ModelChoice) -> Self {
        let encoder = Self::default();
        if model == ModelChoice::Encoder {
            return encoder;
        }
        let recurrent = Self {
            model,
            epochs: 10,
            lr: 1e-3,
            head_lr_factor: 1.0,
            batch_examples: 32,
            batch_tokens: 16_384,
            tokens_at_once: 16_384,
            max_length: 512,
            dropout: 0.5,
            tune_embeddings: true,
            ..encoder
        };
        match model {
            ModelChoice::Cnn => Self { pooling: crate::nn::Pooling::Max, hidden_size: 100, ..recurrent },
            _ => recurrent,
        }
    }

    /// These settings for another model: those that follow the model take its defaults, all others stay.
    #[must_use]
    pub fn for_model(&self, model: ModelChoice) -> Self {
        let of = Self::of_model(model);
        Self {
            model,
            epochs: of.epochs,
            lr: of.lr,
            head_lr_factor: of.head_lr_factor,
            batch_examples: of.batch_examples,
            batch_tokens: of.batch_tokens,
            tokens_at_once: of.tokens_at_once,
            max_length: of.max_length,
            dropout: of.dropout,
            tune_embeddings: of.tune_embeddings,
            pooling: of.pooling,
            hidden_size: of.hidden_size,
            // What only an encoder has.
            tuned: of.tuned,
            unfreeze_every: of.unfreeze_every,
            adversarial: of.adversarial,
            masked_synonyms: of.masked_synonyms,
            ..self.clone()
        }
    }

    /// Whether the table of word embeddings learns: one that was drawn at random must.
    pub(super) fn table_learns(&self) -> bool {
        self.tune_embeddings || self.model != ModelChoice::Encoder && self.word_vectors.is_none()
    }

    /// Whether the sizes of a network without pretraining are possible.
    pub(super) fn check_sizes(&self) -> Result<(), ConfigError> {
        let rows = [
            ("vocabulary_size", self.vocabulary_size, 1, 1_000_000),
            ("vocabulary_min_count", self.vocabulary_min_count, 1, 1000),
            ("embedding_size", self.embedding_size, 1, 2048),
            ("hidden_size", self.hidden_size, 1, 1024),
            ("network_layers", self.network_layers, 1, 8),
        ];
        let widths = self.kernel_sizes.iter().map(|width| ("kernel_sizes", *width, 1, 15));
        let bad = |key: &str, value: String, reason: String| Err(ConfigError::BadValue { key: key.to_owned(), value, reason });
        for (key, value, low, high) in rows.into_iter().chain(widths) {
            if !(low..=high).contains(&value) {
                return bad(key, value.to_string(), format!("it must lie between {low} and {high}"));
            }
        }
        if self.kernel_sizes.is_empty() || self.kernel_sizes.len() > 8 {
            return bad("kernel_sizes", format!("{:?}", self.kernel_sizes), "one to eight widths are wanted".to_owned());
        }
        Ok(())
    }
}

/// The vocabulary of the training texts; texts that are held out add nothing to it.
///
/// # Errors
/// When no token stands in them often enough.
pub fn learn_vocabulary(data: &TrainData, config: &TrainConfig) -> Result<Vocabulary, TrainError> {
    let texts = data.examples.iter().filter(|example| example.split == Split::Train).map(|example| &*example.text);
    let vocabulary = Vocabulary::learn(texts, config.vocabulary, config.vocabulary_size, config.vocabulary_min_count);
    if vocabulary.is_empty() {
        let least = config.vocabulary_min_count;
        return Err(TrainError::Data(format!("no word stands in the training texts {least} times; lower vocabulary_min_count")));
    }
    Ok(vocabulary)
}

/// The files that a run of a network without pretraining begins from. Words that `vectors` lack are drawn by the seed.
///
/// # Errors
/// When the settings choose an encoder, or a tensor can't be made.
pub fn scratch_files(config: &TrainConfig, vocabulary: &Vocabulary, vectors: Option<&WordVectors>) -> Result<ModelFiles, TrainError> {
    let Some(kind) = config.model.kind() else {
        return Err(TrainError::Encoder("an encoder does not begin from nothing".to_owned()));
    };
    let words = vocabulary.words().count();
    let shape = ScratchConfig {
        kind,
        vocab_size: vocabulary.len(),
        embedding_size: vectors.map_or(config.embedding_size, |vectors| vectors.dimension),
        hidden_size: config.hidden_size,
        num_layers: config.network_layers,
        bidirectional: config.bidirectional,
        kernel_sizes: config.kernel_sizes.clone(),
        pooling: config.pooling,
        word_vectors: vectors.map(|vectors| Coverage { file: vectors.file.clone(), found: vectors.rows.len(), of: words }),
    };
    let mut params = Params::new();
    if let Some(vectors) = vectors {
        let table = table(vocabulary, vectors, config.seed);
        let table = Tensor::from_vec(table, (vocabulary.len(), vectors.dimension), &crate::nn::Device::Cpu).map_err(TrainError::compute)?;
        params.frozen(crate::nn::WORD_TABLE, table).map_err(TrainError::compute)?;
    }
    Ok(ModelFiles {
        config: serde_json::to_string_pretty(&shape).map_err(TrainError::compute)?,
        tokenizer: Arc::from(vocabulary.to_json()),
        weights: Weights::Safetensors(Arc::from(params.to_safetensors().map_err(TrainError::compute)?)),
        others: Vec::new(),
    })
}

/// A row for each token: its vector, or one drawn evenly (Kim 2014, section 3.1); zeros for padding.
fn table(vocabulary: &Vocabulary, vectors: &WordVectors, seed: u64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed.wrapping_add(0xf00d));
    let mut table = vec![0.0; vocabulary.len() * vectors.dimension];
    let rows = table.chunks_exact_mut(vectors.dimension.max(1)).zip(vocabulary.tokens()).skip(1);
    for (row, token) in rows {
        match vectors.rows.get(token) {
            Some(vector) => row.copy_from_slice(vector),
            None => row.iter_mut().for_each(|value| *value = ((2.0 * rng.random::<f64>() - 1.0) * FRESH_VECTOR) as f32),
        }
    }
    table
}

/// What a network is, in sentences for the notes of its run.
pub(super) fn notes(network: &Network, loaded: &LoadReport) -> Vec<String> {
    let shape = match network {
        Network::Encoder(encoder) => {
            let layers = encoder.config().num_hidden_layers;
            let (read, fresh) = (loaded.loaded.len(), loaded.fresh.len());
            return vec![format!("encoder: {layers} layers, {read} parameters read, {fresh} started anew")];
        }
        Network::Scratch(net) => net.config(),
    };
    let size = match shape.kind {
        ScratchKind::Cnn => format!("{} filters of each of the widths {:?}", shape.hidden_size, shape.kernel_sizes),
        _ if shape.bidirectional => format!("hidden size {} in each of two directions", shape.hidden_size),
        _ => format!("hidden size {}", shape.hidden_size),
    };
    let layers = if shape.num_layers == 1 { "1 layer".to_owned() } else { format!("{} layers", shape.num_layers) };
    let mut notes = vec![format!(
        "{}: {layers}, {size}; a vocabulary of {} words, learnt from the training texts",
        shape.kind.name(),
        shape.vocab_size
    )];
    if let Some(Coverage { file, found, of }) = &shape.word_vectors {
        notes.push(format!("word vectors: {found} of {of} words found in {file}, the others started anew"));
    }
    notes
}
