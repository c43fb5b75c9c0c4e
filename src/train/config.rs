//! What a run does: every setting with its default, its help, and a parser that names near keys.

use super::ModelChoice;
use super::methods::{OptimiserChoice, PrecisionChoice, Schedule, Tuned, low_rank_targets};
use super::regularise::Adversarial;
use super::{Example, NumberLoss, Sampling, TaskWeights, TrainData};
use crate::nn::{DeviceChoice, Pooling};
use crate::project::Split;
use crate::text::VocabularyUnit;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the encoder comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderChoice {
    /// The bilingual encoder inside the program.
    #[default]
    Shipped,
    /// A folder in Hugging Face layout.
    Folder(PathBuf),
}

/// All settings of a run. The defaults are for a few hundred labelled reviews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// What reads the text. See [`TrainConfig::for_model`].
    pub model: ModelChoice,
    pub encoder: EncoderChoice,
    /// Go on from the model of this run of the project instead of an encoder; empty: from the encoder.
    pub continue_from: String,
    /// Of the documents that this run has learnt, so large a share is learnt again, so that they are not forgotten.
    pub replay: f64,
    /// Use only the first `n` layers of the encoder; 0 for all.
    pub layers: usize,
    pub epochs: usize,
    /// Peak learning rate, reached after the warm-up; 0: one that suits what is learnt ([`Self::rate_of`]).
    pub lr: f64,
    /// The heads start from nothing: their rate is `lr` times this.
    pub head_lr_factor: f64,
    /// At most so many texts in a batch.
    pub batch_examples: usize,
    /// Batches are made smaller where an encoder that learns spans would do so in fewer steps than this; 0: never.
    pub least_steps: usize,
    /// At most so many tokens in a batch.
    pub batch_tokens: usize,
    /// At most so many tokens go through the encoder at once; of a larger batch, parts one after the other, their
    /// gradients added up. Bounds the memory, changes nothing else.
    pub tokens_at_once: usize,
    /// Longer texts are cut after so many tokens.
    pub max_length: usize,
    /// A document that is a turn of a conversation is read with so many turns before it; 0: alone.
    pub turns_before: usize,
    pub dropout: f64,
    /// Share of all steps over which the rate rises from 0.
    pub warmup: f64,
    /// How the rate goes on after that.
    pub schedule: Schedule,
    pub optimiser: OptimiserChoice,
    /// Of SGD: how much of the running sum of gradients stays at each step.
    pub momentum: f64,
    /// So many batches are read before each step, their gradients added up: as one batch of them all, in less memory.
    pub accumulate: usize,
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Which weights learn.
    pub tuned: Tuned,
    /// Of LoRA: rows of the thin matrices.
    pub lora_rank: usize,
    /// Of LoRA: an update counts `lora_alpha / lora_rank` times.
    pub lora_alpha: f64,
    /// Of LoRA: which layers get updates, among query, key, value, output and feed.
    pub lora_targets: Vec<String>,
    /// Of adapters: numbers between their two layers.
    pub adapter_width: usize,
    /// Of prefixes: keys and values that each layer gets beside those of the text.
    pub prefix_rows: usize,
    /// Gradual unfreezing: the highest layer learns at first, one more after so many epochs each; 0: all from the start.
    pub unfreeze_every: usize,
    /// Layers, from the bottom, whose weights stay as they are.
    pub freeze_layers: usize,
    /// Each layer's rate is that of the layer above it times this; 1: all learn alike (Howard and Ruder 2018, section 3.2).
    pub layer_decay: f64,
    /// Whether the embedding table learns too.
    pub tune_embeddings: bool,
    /// Weigh rare classes up (inverse frequency).
    pub class_weights: bool,
    /// Of those weights: 0 by inverse frequency, else by the effective number of documents with this beta (0.99 to 0.9999).
    pub class_weight_beta: f64,
    /// Whether documents of rare classes are read more often, or those of common ones less.
    pub sampling: Sampling,
    /// Share of each target class that is spread over all classes.
    pub label_smoothing: f64,
    /// Focal loss: how much less what is answered rightly counts; 0: as much.
    pub focal_gamma: f64,
    /// Who weighs the tasks against each other.
    pub task_weights: TaskWeights,
    /// Weight of the questions beside the main one; 0 learns none of them.
    pub question_loss_weight: f64,
    /// How questions with a number are learnt.
    pub number_loss: NumberLoss,
    /// Runs of the project (one or, separated by commas, several) or a folder whose model teaches this one; empty: none.
    pub teacher: String,
    /// Weight of how far the classes are from the teacher's, beside the class loss.
    pub distil_weight: f64,
    /// How much teacher and model are softened before they are compared.
    pub distil_temperature: f64,
    /// Documents without a class that the teacher is at least so sure of are learnt as it answers them; 0: none are.
    pub pseudo_threshold: f64,
    /// Whether the teacher answers documents without a class too, all of which are then learnt from its probabilities.
    pub distil_unlabelled: bool,
    /// For each training document so many more in an epoch, with words changed.
    pub augment: f64,
    /// Of those: which share of the words is left out.
    pub word_deletion: f64,
    /// Of those: which share of the words changes places with another.
    pub word_swap: f64,
    /// Of those: which share of the words that have synonyms is changed for one.
    pub synonym_share: f64,
    /// A list of synonyms: a line each, separated by tabs or commas.
    pub synonyms: Option<PathBuf>,
    /// Of those: which share of the words is changed for what an encoder with a head for hidden words says in their place.
    pub masked_synonyms: f64,
    /// Other wordings of documents, by a translation there and back or by hand: a line each, the text, a tab, the wording.
    pub paraphrases: Option<PathBuf>,
    /// Weight of the span loss beside the class loss.
    pub span_loss_weight: f64,
    /// Learn how tags follow each other too (a conditional random field), rather than each tag by itself.
    #[serde(default)]
    pub crf: bool,
    /// Tag the encoder's pieces by one linear layer, as the token classification of transformers does, instead of characters:
    /// spans then begin and end between pieces.
    pub tag_pieces: bool,
    /// Judge every place that may be a span by itself, rather than by tags. Done anyway where marked spans overlap.
    pub span_scorer: bool,
    /// Span labels of which, in documents that are not done, only some places were marked: there unmarked is unknown.
    pub partly_marked: Vec<String>,
    /// Weight of the polarity of spans and of links, and of attributes of spans; 0 learns none.
    pub polarity_loss_weight: f64,
    /// Weight of the loss of which spans belong together; 0 learns no links.
    pub link_loss_weight: f64,
    /// For each training document so many more in an epoch, with spans changed for others of their label and polarity.
    pub span_swaps: f64,
    /// With fewer documents with marked spans to learn from than this, each is read with other terms in it every other time;
    /// 0: never. Runs of older programs did without.
    #[serde(default)]
    pub few_marked: usize,
    /// Share of the pieces that are not shown while learning.
    pub word_dropout: f64,
    /// Whether each batch is read again with its embedded pieces moved to where the loss is larger.
    pub adversarial: Adversarial,
    /// How far a text's embedded pieces are moved, all together (Euclidean).
    pub adversarial_size: f64,
    /// Of PGD: in so many steps.
    pub adversarial_steps: usize,
    /// R-Drop: each batch is read twice, and how far the answers are apart counts so much; 0: once.
    pub r_drop: f64,
    /// Scored and kept are moving averages of the weights, of which this share stays at each step; 0: the weights themselves.
    pub ema: f64,
    /// Scored and kept are means of the weights at so many last evaluations; 0 or 1: the weights themselves.
    pub average_last: usize,
    /// Share of the documents without a fixed split that is held out.
    pub dev_share: f64,
    /// Cross-validation: all documents but those for testing are dealt into so many parts, alike in their classes; 0 or 1:
    /// they are not.
    pub folds: usize,
    /// The part, from 0, that this run is judged by.
    pub fold: usize,
    pub evals_per_epoch: usize,
    /// Stop after so many evaluations without a new best; 0 never stops early.
    pub patience: usize,
    /// Tell norms of gradients and weights of every layer now and then.
    pub layer_stats: bool,
    /// How factors of the encoder's products are held while it learns.
    pub precision: PrecisionChoice,
    pub seed: u64,
    /// Decides which documents are held out, where several seeds shall be judged by the same ones; none: `seed` does.
    pub split_seed: Option<u64>,
    /// Where the run computes. A network without pretraining stays on the processor.
    pub device: DeviceChoice,
    /// What is a token of a network without pretraining.
    pub vocabulary: VocabularyUnit,
    /// At most so many tokens in its vocabulary.
    pub vocabulary_size: usize,
    /// A token stands in the training texts at least so often.
    pub vocabulary_min_count: usize,
    /// A file of pretrained word vectors: word2vec or GloVe text, or word2vec binary (.bin).
    pub word_vectors: Option<PathBuf>,
    /// Numbers of a word's vector; those of a file have their own.
    pub embedding_size: usize,
    /// Numbers of a recurrent network's state in each direction; of a CNN the filters of each width.
    pub hidden_size: usize,
    /// Recurrent or convolutional layers.
    pub network_layers: usize,
    /// Whether a recurrent network reads from right to left too.
    pub bidirectional: bool,
    /// How the tokens' states become the vector that the class is read from.
    pub pooling: Pooling,
    /// Tokens that a filter of a CNN sees at once, for each kind of filter.
    pub kernel_sizes: Vec<usize>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            model: ModelChoice::Encoder,
            encoder: EncoderChoice::Shipped,
            continue_from: String::new(),
            replay: 1.0,
            layers: 0,
            epochs: 6,
            lr: 0.0,
            head_lr_factor: 10.0,
            batch_examples: 8,
            least_steps: 160,
            batch_tokens: 4096,
            tokens_at_once: 4096,
            max_length: 256,
            turns_before: 3,
            dropout: 0.1,
            warmup: 0.1,
            schedule: Schedule::Linear,
            optimiser: OptimiserChoice::AdamW,
            momentum: 0.9,
            accumulate: 1,
            weight_decay: 0.01,
            clip: 1.0,
            tuned: Tuned::Full,
            lora_rank: 8,
            lora_alpha: 16.0,
            lora_targets: vec!["query".to_owned(), "value".to_owned()],
            adapter_width: 64,
            prefix_rows: 16,
            unfreeze_every: 0,
            freeze_layers: 0,
            layer_decay: 1.0,
            tune_embeddings: false,
            class_weights: false,
            class_weight_beta: 0.0,
            sampling: Sampling::Off,
            label_smoothing: 0.0,
            focal_gamma: 0.0,
            task_weights: TaskWeights::Fixed,
            question_loss_weight: 1.0,
            number_loss: NumberLoss::Squared,
            teacher: String::new(),
            distil_weight: 1.0,
            distil_temperature: 2.0,
            pseudo_threshold: 0.0,
            distil_unlabelled: false,
            augment: 0.0,
            word_deletion: 0.1,
            word_swap: 0.05,
            synonym_share: 0.2,
            synonyms: None,
            masked_synonyms: 0.0,
            paraphrases: None,
            span_loss_weight: 1.0,
            crf: true,
            tag_pieces: false,
            span_scorer: false,
            partly_marked: Vec::new(),
            polarity_loss_weight: 0.3,
            link_loss_weight: 0.3,
            span_swaps: 0.0,
            few_marked: 400,
            word_dropout: 0.0,
            adversarial: Adversarial::Off,
            adversarial_size: 1.0,
            adversarial_steps: 3,
            r_drop: 0.0,
            ema: 0.0,
            average_last: 0,
            dev_share: 0.2,
            folds: 0,
            fold: 0,
            evals_per_epoch: 1,
            patience: 4,
            layer_stats: false,
            precision: PrecisionChoice::default(),
            seed: 0,
            split_seed: None,
            device: DeviceChoice::Auto,
            vocabulary: VocabularyUnit::Words,
            vocabulary_size: 20_000,
            vocabulary_min_count: 2,
            word_vectors: None,
            embedding_size: 128,
            hidden_size: 128,
            network_layers: 1,
            bidirectional: true,
            pooling: Pooling::Attention,
            kernel_sizes: vec![3, 4, 5],
        }
    }
}

/// Why a setting was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no setting {key:?}; near ones: {near}")]
    UnknownKey { key: String, near: String },
    #[error("{key} can't be {value:?}: {reason}")]
    BadValue { key: String, value: String, reason: String },
}

/// A setting that two runs have different values of, as `--set` writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingDifference {
    pub key: String,
    pub first: String,
    pub second: String,
}

impl TrainConfig {
    /// The settings that differ, in the order of their names.
    pub fn differences(&self, other: &Self) -> Vec<SettingDifference> {
        let fields = |config: &Self| match serde_json::to_value(config) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let said = |value: Option<&serde_json::Value>| match value {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let (first, second) = (fields(self), fields(other));
        let mut keys: Vec<&String> = first.keys().chain(second.keys()).collect();
        keys.sort();
        keys.dedup();
        let differ = keys.into_iter().filter(|key| first.get(*key) != second.get(*key));
        differ.map(|key| SettingDifference { key: key.clone(), first: said(first.get(key)), second: said(second.get(key)) }).collect()
    }

    /// Sets one value by its name, as `--set key=value` does. `model` takes the settings that follow the model with it.
    ///
    /// # Errors
    /// An unknown key (naming near ones), or a value that does not parse or is out of range.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let bad = |reason: String| ConfigError::BadValue { key: key.to_owned(), value: value.to_owned(), reason };
        let mut fields = match serde_json::to_value(&*self) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => return Err(bad("the settings could not be read".to_owned())),
        };
        if key == "encoder" {
            self.encoder = if value == "shipped" { EncoderChoice::Shipped } else { EncoderChoice::Folder(value.into()) };
            return Ok(());
        }
        if !fields.contains_key(key) {
            return Err(ConfigError::UnknownKey { key: key.to_owned(), near: near(key, fields.keys()) });
        }
        let parsed = parsed(key, fields.get(key), value).ok_or_else(|| bad("a number, true or false is wanted".to_owned()))?;
        fields.insert(key.to_owned(), parsed);
        let changed: Self = serde_json::from_value(fields.into()).map_err(|error| bad(error.to_string()))?;
        changed.check()?;
        *self = if key == "model" { self.for_model(changed.model) } else { changed };
        Ok(())
    }

    /// The seed by which documents are held out or dealt into parts.
    pub fn dealing_seed(&self) -> u64 {
        self.split_seed.unwrap_or(self.seed)
    }

    /// Whether models answer something before the first step: a teacher, or the encoder for other words.
    pub fn asks_models(&self) -> bool {
        !self.teacher.is_empty() || self.proposes_words()
    }

    /// Whether the encoder puts words in place of others in new wordings.
    pub fn proposes_words(&self) -> bool {
        self.masked_synonyms > 0.0 && self.augment > 0.0
    }

    /// Whether a run of these documents learns spans.
    pub fn learns_spans(&self, data: &TrainData) -> bool {
        let marked = |example: &Example| example.split == Split::Train && example.spans.is_some();
        self.span_loss_weight > 0.0 && !data.span_labels.is_empty() && data.examples.iter().any(marked)
    }

    /// The rate of a run that learns spans, or does not: what the settings say, or by itself. Measured in `benches/README.md`:
    /// classes want a lower one than spans.
    pub fn rate_of(&self, learns_spans: bool) -> f64 {
        match self.lr {
            0.0 if learns_spans => 1e-4,
            0.0 => 5e-5,
            lr => lr,
        }
    }

    /// Whether documents are read with other terms in them where so many have marked spans.
    pub fn is_few(&self, marked: usize) -> bool {
        (1..self.few_marked).contains(&marked)
    }

    /// Texts in a batch when a run learns from so many: halved, down to two, until there are steps enough.
    pub fn batch_for(&self, texts: usize) -> usize {
        const SMALLEST: usize = 2;
        let steps = |batch: usize| self.epochs * texts.div_ceil(batch) / self.accumulate.max(1);
        let mut batch = self.batch_examples;
        while batch > SMALLEST && steps(batch) < self.least_steps {
            batch = (batch / 2).max(SMALLEST);
        }
        batch
    }

    /// Whether the values make sense together.
    ///
    /// # Errors
    /// The first value out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rows: &[(&str, f64, f64, f64)] = &[
            ("epochs", self.epochs as f64, 1.0, 10_000.0),
            ("lr", self.lr, 0.0, 1.0),
            ("head_lr_factor", self.head_lr_factor, 1e-3, 1e3),
            ("batch_examples", self.batch_examples as f64, 1.0, 4096.0),
            ("least_steps", self.least_steps as f64, 0.0, 1e6),
            ("batch_tokens", self.batch_tokens as f64, 8.0, 1_048_576.0),
            ("tokens_at_once", self.tokens_at_once as f64, 8.0, 1_048_576.0),
            ("max_length", self.max_length as f64, 8.0, 8192.0),
            ("dropout", self.dropout, 0.0, 0.9),
            ("warmup", self.warmup, 0.0, 1.0),
            ("momentum", self.momentum, 0.0, 0.999),
            ("accumulate", self.accumulate as f64, 1.0, 1024.0),
            ("lora_rank", self.lora_rank as f64, 1.0, 256.0),
            ("lora_alpha", self.lora_alpha, 1e-3, 1e4),
            ("adapter_width", self.adapter_width as f64, 1.0, 4096.0),
            ("prefix_rows", self.prefix_rows as f64, 1.0, 256.0),
            ("turns_before", self.turns_before as f64, 0.0, 64.0),
            ("replay", self.replay, 0.0, 1.0),
            ("folds", self.folds as f64, 0.0, 100.0),
            ("fold", self.fold as f64, 0.0, self.folds.max(1) as f64 - 1.0),
            ("adversarial_size", self.adversarial_size, 1e-6, 1e3),
            ("adversarial_steps", self.adversarial_steps as f64, 1.0, 20.0),
            ("r_drop", self.r_drop, 0.0, 100.0),
            ("ema", self.ema, 0.0, 0.999_999),
            ("average_last", self.average_last as f64, 0.0, 100.0),
            ("weight_decay", self.weight_decay, 0.0, 1.0),
            ("clip", self.clip, 1e-3, 1e6),
            ("span_loss_weight", self.span_loss_weight, 0.0, 1e3),
            ("polarity_loss_weight", self.polarity_loss_weight, 0.0, 1e3),
            ("link_loss_weight", self.link_loss_weight, 0.0, 1e3),
            ("layer_decay", self.layer_decay, 0.1, 1.0),
            ("class_weight_beta", self.class_weight_beta, 0.0, 0.999_999),
            ("label_smoothing", self.label_smoothing, 0.0, 0.9),
            ("focal_gamma", self.focal_gamma, 0.0, 10.0),
            ("question_loss_weight", self.question_loss_weight, 0.0, 1e3),
            ("distil_weight", self.distil_weight, 0.0, 1e3),
            ("distil_temperature", self.distil_temperature, 0.1, 100.0),
            ("pseudo_threshold", self.pseudo_threshold, 0.0, 1.0),
            ("augment", self.augment, 0.0, 10.0),
            ("word_deletion", self.word_deletion, 0.0, 0.9),
            ("word_swap", self.word_swap, 0.0, 0.9),
            ("synonym_share", self.synonym_share, 0.0, 1.0),
            ("masked_synonyms", self.masked_synonyms, 0.0, 0.9),
            ("span_swaps", self.span_swaps, 0.0, 10.0),
            ("few_marked", self.few_marked as f64, 0.0, 1e9),
            ("word_dropout", self.word_dropout, 0.0, 0.9),
            ("dev_share", self.dev_share, 0.0, 0.9),
            ("evals_per_epoch", self.evals_per_epoch as f64, 1.0, 100.0),
        ];
        for (key, value, low, high) in rows {
            if !(*low..=*high).contains(value) {
                let reason = format!("it must lie between {low} and {high}");
                return Err(ConfigError::BadValue { key: (*key).to_owned(), value: value.to_string(), reason });
            }
        }
        // Only an encoder has layers, biases and embedded pieces of these names.
        let of_encoders = [
            ("tuned", self.tuned != Tuned::Full),
            ("adversarial", self.adversarial != Adversarial::Off),
            ("unfreeze_every", self.unfreeze_every > 0),
            ("masked_synonyms", self.masked_synonyms > 0.0),
        ];
        if let Some((key, _)) = of_encoders.iter().find(|(_, set)| *set && self.model != ModelChoice::Encoder) {
            let reason = format!("the model {} is no pretrained encoder", self.model.name());
            return Err(ConfigError::BadValue { key: (*key).to_owned(), value: "so".to_owned(), reason });
        }
        let known = low_rank_targets(&self.lora_targets).count();
        if known < self.lora_targets.len() || known == 0 {
            let reason = "it must name some of query, key, value, output and feed, each once".to_owned();
            return Err(ConfigError::BadValue { key: "lora_targets".to_owned(), value: self.lora_targets.join(","), reason });
        }
        self.check_sizes()
    }
}

/// Settings that name a file or a folder.
const PATHS: [&str; 3] = ["word_vectors", "synonyms", "paraphrases"];
/// Settings that may have no value: nothing, or "none", is none.
const OPTIONS: [&str; 4] = ["word_vectors", "synonyms", "paraphrases", "split_seed"];

/// A value as the settings' JSON has it, by the value there is.
fn parsed(key: &str, now: Option<&serde_json::Value>, value: &str) -> Option<serde_json::Value> {
    use serde_json::Value;
    let names = || value.split([',', '，']).map(str::trim).filter(|name| !name.is_empty());
    if OPTIONS.contains(&key) && matches!(value, "" | "none") {
        return Some(Value::Null);
    }
    if PATHS.contains(&key) {
        return Some(value.into());
    }
    match now {
        Some(Value::Array(list)) if list.first().is_some_and(Value::is_number) => {
            names().map(|number| serde_json::from_str(number).ok()).collect::<Option<Vec<Value>>>().map(Value::from)
        }
        Some(Value::Array(_)) => Some(names().map(Value::from).collect()),
        Some(Value::String(_)) => Some(value.into()),
        _ => serde_json::from_str(value).ok(),
    }
}

/// The known keys that share most with `key`, nearest first.
fn near<'a>(key: &str, known: impl Iterator<Item = &'a String>) -> String {
    let mut ranked: Vec<(usize, &str)> = known.map(|name| (distance(key, name), name.as_str())).collect();
    ranked.sort();
    ranked.iter().take(3).map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// Levenshtein distance, but a key that contains the other counts as near.
fn distance(a: &str, b: &str) -> usize {
    if b.contains(a) || a.contains(b) {
        return 1;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let cost = corner + usize::from(left != *right);
            corner = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
