//! The encoder: token ids to hidden states. Whatever the family, parameters stand in BERT's layout and names.
//! It runs on our kernels (`fast`), or on other devices by candle's ops (`by_ops`); the same from plain ops, one text after
//! the other, is the reference of both.

use super::adapter::Adapter;
use super::batch::{Mode, RaggedBatch};
use super::by_ops::{self, Around};
use super::fast::{Fast, Reach};
use super::kernels::{Precision, Stored};
use super::low_rank::{LowRank, LowRankTarget, Tuning};
use super::prefix::{Prefix, lengthened, with_rows, without_rows};
use super::weights::WeightFile;
use super::{EncoderConfig, LoadError, LoadReport, ModelFiles, Params, Place, plain};
use candle_core::{Tensor, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Which parts of a loaded encoder learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadOptions {
    /// So many layers from the bottom stay as they are, and with the first of them the embeddings.
    pub frozen_layers: usize,
    /// What learns in the layers above them.
    pub tuning: Tuning,
    /// Whether the table of word embeddings learns (slow). Positions, types and norm learn anyway.
    pub tune_embeddings: bool,
    /// `false`: nothing learns.
    pub trainable: bool,
}

impl LoadOptions {
    /// For prediction.
    pub const FROZEN: Self = Self { frozen_layers: 0, tuning: Tuning::Full, tune_embeddings: false, trainable: false };
    /// Everything but the table of word embeddings.
    pub const TRAINABLE: Self = Self { frozen_layers: 0, tuning: Tuning::Full, tune_embeddings: false, trainable: true };
}

/// Weight and bias of a linear layer, or gain and bias of a norm.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub weight: Tensor,
    pub bias: Tensor,
    /// What learns beside a weight that stays as it is.
    pub update: Option<LowRank>,
}

#[derive(Clone, Debug)]
pub(super) struct Embeddings {
    pub word: Tensor,
    pub position: Tensor,
    pub types: Tensor,
    pub norm: Pair,
    /// From the embeddings' width to the hidden size, where they differ.
    pub project: Option<Pair>,
}

impl Embeddings {
    /// Whether any of it learns.
    pub fn learn(&self) -> bool {
        let project = self.project.iter().flat_map(|project| [&project.weight, &project.bias]);
        [&self.word, &self.position, &self.types, &self.norm.weight, &self.norm.bias].into_iter().chain(project).any(Tensor::is_variable)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub query: Pair,
    pub key: Pair,
    pub value: Pair,
    /// What attention sees beside the text.
    pub prefix: Option<Prefix>,
    pub attended: Pair,
    /// Behind `attended`.
    pub attention_adapter: Option<Adapter>,
    pub attention_norm: Pair,
    pub up: Pair,
    pub down: Pair,
    /// Behind `down`.
    pub adapter: Option<Adapter>,
    pub norm: Pair,
}

/// An encoder of the BERT family. Its parameters are shared with the [`Params`] it was loaded into.
#[derive(Debug)]
pub struct Encoder {
    core: Arc<Core>,
    fast: Fast,
    place: Place,
}

/// Weights and which of them learn.
#[derive(Debug)]
pub(super) struct Core {
    pub config: EncoderConfig,
    pub embeddings: Embeddings,
    pub layers: Vec<Layer>,
    /// The lowest layer that learns in the next passes; as many as there are layers when none does. The embeddings learn
    /// when it is the first.
    pub first_learning: AtomicUsize,
    /// Whether products of linear layers take bfloat16 factors.
    pub bfloat16: AtomicBool,
}

impl Core {
    pub fn precision(&self) -> Precision {
        if self.bfloat16.load(Ordering::Relaxed) { Precision::BFloat16 } else { Precision::Float32 }
    }
}

/// Reads parameters one by one and keeps the report.
struct Loader<'a> {
    file: WeightFile<'a>,
    tuning: Tuning,
    params: &'a mut Params,
    report: LoadReport,
    missing: Vec<String>,
}

impl Loader<'_> {
    /// The rows from `skip` on of the parameter `name`, which must have the shape `shape` after that.
    fn take(&mut self, name: &str, skip: usize, shape: &[usize], trainable: bool) -> Result<Tensor, LoadError> {
        let ours = format!("bert.{name}");
        let Some(mut value) = self.file.tensor(name)? else {
            self.missing.push(ours);
            let nothing = Tensor::zeros(shape, candle_core::DType::F32, &candle_core::Device::Cpu);
            return nothing.map_err(|error| LoadError::Damaged(error.to_string()));
        };
        let damaged = |error: candle_core::Error| LoadError::Damaged(format!("{ours}: {error}"));
        if skip > 0 && value.rank() == 2 && value.dims()[0] > skip {
            value = value.narrow(0, skip, value.dims()[0] - skip).and_then(|rows| rows.copy()).map_err(damaged)?;
        }
        if value.dims() != shape {
            return Err(LoadError::Shape { name: ours, wanted: shape.to_vec(), found: value.dims().to_vec() });
        }
        let tensor = self.params.add(&ours, value, trainable).map_err(damaged)?;
        self.report.loaded.push(ours);
        Ok(tensor)
    }

    fn pair(&mut self, name: &str, weight: &[usize], trainable: bool) -> Result<Pair, LoadError> {
        let (weights, biases) = match self.tuning {
            Tuning::Full => (true, true),
            Tuning::Biases => (false, true),
            Tuning::LowRank(_) | Tuning::Prefix(_) => (false, false),
            Tuning::Adapters(_) => {
                let is_norm = name.starts_with("encoder.layer.") && name.ends_with("LayerNorm");
                (is_norm, is_norm)
            }
        };
        Ok(Pair {
            weight: self.take(&format!("{name}.weight"), 0, weight, trainable && weights)?,
            bias: self.take(&format!("{name}.bias"), 0, &weight[..1], trainable && biases)?,
            update: None,
        })
    }

    /// A linear layer that gets a low-rank update where one is wanted of its `kind`.
    fn linear(&mut self, name: &str, kind: LowRankTarget, shape: &[usize; 2], trainable: bool) -> Result<Pair, LoadError> {
        let mut pair = self.pair(name, shape, trainable)?;
        if let Tuning::LowRank(sizes) = self.tuning
            && trainable
            && sizes.targets.contains(kind)
        {
            let name = format!("bert.{name}");
            pair.update = Some(LowRank::new(&name, *shape, sizes, self.params).map_err(|error| LoadError::Damaged(error.to_string()))?);
        }
        Ok(pair)
    }

    /// The adapter behind a layer, where the files have one or one is wanted.
    fn adapter(&mut self, name: &str, hidden: usize, trainable: bool) -> Result<Option<Adapter>, LoadError> {
        let (sizes, learns) = match self.tuning {
            Tuning::Adapters(sizes) => (Some(sizes).filter(|_| trainable), true),
            Tuning::Full => (None, true),
            Tuning::Biases | Tuning::LowRank(_) | Tuning::Prefix(_) => (None, false),
        };
        let adapter = Adapter::load(name, hidden, (&self.file, &mut *self.params), sizes, trainable && learns)?;
        if adapter.is_some() {
            self.report.loaded.push(format!("bert.{name}"));
        }
        Ok(adapter)
    }

    /// What attention of a layer sees beside the text, where the files have it or it is wanted.
    fn prefix(&mut self, name: &str, hidden: usize, trainable: bool) -> Result<Option<Prefix>, LoadError> {
        let (sizes, learns) = match self.tuning {
            Tuning::Prefix(sizes) => (Some(sizes).filter(|_| trainable), true),
            Tuning::Full => (None, true),
            Tuning::Biases | Tuning::LowRank(_) | Tuning::Adapters(_) => (None, false),
        };
        let prefix = Prefix::load(name, hidden, (&self.file, &mut *self.params), sizes, trainable && learns)?;
        if prefix.is_some() {
            self.report.loaded.push(format!("bert.{name}"));
        }
        Ok(prefix)
    }

    fn embeddings(&mut self, config: &EncoderConfig, trainable: bool, tune: bool) -> Result<Embeddings, LoadError> {
        let (width, hidden) = (config.embedding_size, config.hidden_size);
        let norms = trainable;
        let trainable = trainable && self.tuning == Tuning::Full;
        let word = self.take("embeddings.word_embeddings.weight", 0, &[config.vocab_size, width], trainable && tune)?;
        let skip = config.position_offset;
        let position = self.take("embeddings.position_embeddings.weight", skip, &[config.max_position_embeddings, width], trainable)?;
        let types = if config.type_vocab_size > 0 {
            self.take("embeddings.token_type_embeddings.weight", 0, &[config.type_vocab_size, width], trainable)?
        } else {
            let none = Tensor::zeros((1, width), candle_core::DType::F32, &candle_core::Device::Cpu);
            let none = none.map_err(|error| LoadError::Damaged(error.to_string()))?;
            let name = "bert.embeddings.token_type_embeddings.weight";
            self.params.frozen(name, none).map_err(|error| LoadError::Damaged(error.to_string()))?
        };
        let norm = self.pair("embeddings.LayerNorm", &[width], norms)?;
        let project = if width == hidden { None } else { Some(self.pair("embeddings_project", &[hidden, width], norms)?) };
        Ok(Embeddings { word, position, types, norm, project })
    }

    fn layer(&mut self, config: &EncoderConfig, at: usize, trainable: bool) -> Result<Layer, LoadError> {
        let (h, f) = (config.hidden_size, config.intermediate_size);
        let name = |name: &str| format!("encoder.layer.{at}.{name}");
        let mut linear = |part: &str, kind, shape: [usize; 2]| self.linear(&name(part), kind, &shape, trainable);
        let (query, key, value, attended, up, down) = (
            linear("attention.self.query", LowRankTarget::Query, [h, h])?,
            linear("attention.self.key", LowRankTarget::Key, [h, h])?,
            linear("attention.self.value", LowRankTarget::Value, [h, h])?,
            linear("attention.output.dense", LowRankTarget::Output, [h, h])?,
            linear("intermediate.dense", LowRankTarget::Feed, [f, h])?,
            linear("output.dense", LowRankTarget::Feed, [h, f])?,
        );
        let prefix = self.prefix(&name("attention.prefix"), h, trainable)?;
        let attention_adapter = self.adapter(&name("attention.output.adapter"), h, trainable)?;
        let adapter = self.adapter(&name("output.adapter"), h, trainable)?;
        let attention_norm = self.pair(&name("attention.output.LayerNorm"), &[h], trainable)?;
        let norm = self.pair(&name("output.LayerNorm"), &[h], trainable)?;
        Ok(Layer { query, key, value, prefix, attended, attention_adapter, attention_norm, up, down, adapter, norm })
    }

    /// Names of the file that nothing here reads: not a head's, not a layer left out on purpose.
    fn unused(&self) -> Vec<String> {
        let expected = |name: &str| {
            ["encoder.layer.", "pooler.", "classifier.", "gloss."].iter().any(|start| name.starts_with(start))
                || name == "embeddings.position_ids"
                || self.params.get(&format!("bert.{name}")).is_some()
        };
        let names = self.file.names().iter().filter(|(name, _)| !expected(name));
        names.map(|(_, own)| own.clone()).collect()
    }
}

impl Encoder {
    /// Reads the first `layers` layers (0: all) into `params`, under BERT's names.
    ///
    /// # Errors
    /// A config that is not supported, a damaged file, parameters that are missing or of another shape.
    /// `params` then holds a part of them and is of no further use.
    pub fn load(files: &ModelFiles, layers: usize, params: &mut Params, options: LoadOptions) -> Result<(Self, LoadReport), LoadError> {
        let mut config = EncoderConfig::parse(&files.config)?;
        if layers > config.num_hidden_layers {
            return Err(LoadError::TooManyLayers { wanted: layers, found: config.num_hidden_layers });
        }
        if layers > 0 {
            config.num_hidden_layers = layers;
        }
        let file = WeightFile::open(files)?;
        let mut loader = Loader { file, tuning: options.tuning, params, report: LoadReport::default(), missing: Vec::new() };
        let embeddings = loader.embeddings(&config, options.trainable && options.frozen_layers == 0, options.tune_embeddings)?;
        let read = |at| loader.layer(&config, at, options.trainable && at >= options.frozen_layers);
        let layers = (0..config.num_hidden_layers).map(read).collect::<Result<Vec<_>, LoadError>>()?;
        if !loader.missing.is_empty() {
            return Err(LoadError::Missing(loader.missing));
        }
        let mut report = std::mem::take(&mut loader.report);
        report.unused = loader.unused();
        config.position_offset = 0;
        let first_learning = AtomicUsize::new(if options.trainable { options.frozen_layers.min(layers.len()) } else { layers.len() });
        let place = params.place().clone();
        let fast = Fast::new(params.share_sink(), place.device()).map_err(|error| LoadError::Damaged(error.to_string()))?;
        let core = Core { config, embeddings, layers, first_learning, bfloat16: AtomicBool::new(false) };
        Ok((Self { core: Arc::new(core), fast, place }, report))
    }

    pub fn config(&self) -> &EncoderConfig {
        &self.core.config
    }

    /// Gives memory that is kept from batch to batch back to the system.
    pub fn free_memory(&self) {
        self.fast.free_memory();
    }

    /// Lays the weights out for passes in [`Mode::Eval`], which from now on do not see changes of them: for prediction.
    /// `None` undoes that. Without effect where it computes by candle's ops, and on an encoder with adapters or prefixes.
    ///
    /// # Errors
    /// When a weight has a low-rank update beside it.
    pub fn freeze(&mut self, stored: Option<Stored>) -> candle_core::Result<()> {
        let is_more = |layer: &Layer| layer.adapter.is_some() || layer.attention_adapter.is_some() || layer.prefix.is_some();
        let has_more = self.core.layers.iter().any(is_more);
        let stored = stored.filter(|_| !self.place.by_ops() && !has_more);
        self.fast.freeze(&self.core, stored)
    }

    /// How the weights for passes in [`Mode::Eval`] are held; `None` as long as they follow those that learn.
    pub fn stored(&self) -> Option<Stored> {
        self.fast.stored()
    }

    /// How factors of the products of linear layers are held in the next passes; sums and weights are float32 always.
    pub fn set_precision(&self, precision: Precision) {
        self.core.bfloat16.store(precision == Precision::BFloat16, Ordering::Relaxed);
    }

    /// Has only the layers from this one on learn in the next passes: gradual unfreezing. What was loaded not to learn
    /// does not.
    pub fn learn_from(&self, layer: usize) {
        self.core.first_learning.store(layer.min(self.core.layers.len()), Ordering::Relaxed);
    }

    /// Says whether the gradient of the embedded pieces is kept from the next passes, and forgets that of earlier ones: see
    /// [`Encoder::take_input_gradient`].
    pub fn watch_input(&self, on: bool) {
        let mut input = self.fast.input();
        (input.watched, input.gradient) = (on, None);
    }

    /// The gradient of the embedded pieces `[tokens, embedding size]` that backward passes left, added up; `None` when it was
    /// not watched for.
    pub fn take_input_gradient(&self) -> Option<Vec<f32>> {
        self.fast.input().gradient.take()
    }

    /// Adds to the embedded pieces `[tokens, embedding size]` in the next passes, all over batches of so many tokens.
    pub fn shift_input(&self, shift: Option<Vec<f32>>) {
        self.fast.input().shift = shift;
    }

    /// The longest text that can be read, in tokens.
    pub fn max_tokens(&self) -> usize {
        self.core.config.max_position_embeddings
    }

    /// The table of word embeddings `[vocab, embedding size]`, outside any graph; it sees later steps.
    pub fn word_embedding(&self) -> Tensor {
        self.core.embeddings.word.detach()
    }

    /// Hidden states `[tokens, hidden]` of the last layer.
    ///
    /// # Errors
    /// A text that is empty or too long, or an id beyond the vocabulary.
    pub fn forward(&self, batch: &RaggedBatch, mode: &mut Mode) -> candle_core::Result<Tensor> {
        self.check(batch)?;
        self.run(batch, Reach::All, mode)
    }

    /// Hidden states `[texts, hidden]` of the texts' first tokens in the last layer: what a class of the text asks for.
    /// Equal to those rows of [`Encoder::forward`], but for the places of dropout, and cheaper by most of a layer.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    pub fn forward_first(&self, batch: &RaggedBatch, mode: &mut Mode) -> candle_core::Result<Tensor> {
        self.check(batch)?;
        self.run(batch, Reach::First, mode)
    }

    fn run(&self, batch: &RaggedBatch, reach: Reach, mode: &mut Mode) -> candle_core::Result<Tensor> {
        if !self.place.by_ops() {
            return self.fast.run(&self.core, batch, reach, mode);
        }
        let around = Around { place: &self.place, input: &self.fast.input, anchor: &self.fast.anchor };
        by_ops::forward(&self.core, &around, batch, reach, mode)
    }

    fn check(&self, batch: &RaggedBatch) -> candle_core::Result<()> {
        let max = self.max_tokens();
        if batch.texts() == 0 || batch.starts[0] != 0 || batch.starts[batch.texts()] != batch.tokens() {
            bail!("a batch wants one text at least, and starts that run from 0 to its {} tokens", batch.tokens());
        }
        if let Some(pair) = batch.starts.windows(2).find(|pair| pair[1] <= pair[0] || pair[1] - pair[0] > max) {
            bail!("a text has {} tokens, 1 to {max} are possible", pair[1] as i64 - pair[0] as i64);
        }
        if let Some(id) = batch.ids.iter().find(|id| **id as usize >= self.core.config.vocab_size) {
            bail!("token {id} is beyond the vocabulary of {}", self.core.config.vocab_size);
        }
        Ok(())
    }

    /// The same as [`Encoder::forward`] from candle's own ops, one text after the other (see [`plain`]): the reference.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    pub fn forward_plain(&self, batch: &RaggedBatch, mode: &mut Mode) -> candle_core::Result<Tensor> {
        self.check(batch)?;
        let train = mode.is_train();
        let of = |tensor: &Tensor| if train { tensor.clone() } else { tensor.detach() };
        let linear = |x: &Tensor, pair: &Pair| {
            let y = plain::linear(x, &of(&pair.weight), &of(&pair.bias))?;
            let Some(LowRank { down, up, scale }) = &pair.update else { return Ok(y) };
            y + (x.matmul(&of(down).t()?)?.matmul(&of(up).t()?)? * f64::from(*scale))?
        };
        let norm = |x: &Tensor, pair: &Pair| plain::layer_norm(x, &of(&pair.weight), &of(&pair.bias), self.core.config.layer_norm_eps);
        let adapted = |x: Tensor, adapter: Option<&Adapter>| adapter.map_or(Ok(x.clone()), |adapter| adapter.forward_plain(&x, &of));
        let device = self.core.embeddings.word.device();
        let ids = Tensor::from_slice(&batch.ids, batch.tokens(), device)?;
        let places: Vec<u32> = (0..batch.texts()).flat_map(|text| 0..batch.range(text).len() as u32).collect();
        let places = Tensor::from_vec(places, batch.tokens(), device)?;
        let e = &self.core.embeddings;
        let sum = (of(&e.word).index_select(&ids, 0)? + of(&e.position).index_select(&places, 0)?)?;
        let mut x = norm(&sum.broadcast_add(&of(&e.types).narrow(0, 0, 1)?)?, &e.norm)?;
        x = plain::dropout(&x, mode.next_dropout())?;
        if let Some(project) = &e.project {
            x = linear(&x, project)?;
        }
        for layer in &self.core.layers {
            let (q, k, v) = (linear(&x, &layer.query)?, linear(&x, &layer.key)?, linear(&x, &layer.value)?);
            let heads = self.core.config.num_attention_heads;
            let context = match &layer.prefix {
                None => plain::attention(&q, &k, &v, batch, heads, mode.next_dropout())?,
                Some(prefix) => {
                    let longer = lengthened(batch, prefix.rows());
                    let with = |x: &Tensor, more: &Tensor| with_rows(x, more, batch);
                    let q = with(&q, &prefix.keys.zeros_like()?)?;
                    let (k, v) = (with(&k, &of(&prefix.keys))?, with(&v, &of(&prefix.values))?);
                    without_rows(&plain::attention(&q, &k, &v, &longer, heads, mode.next_dropout())?, prefix.rows(), batch)?
                }
            };
            let attended = adapted(linear(&context, &layer.attended)?, layer.attention_adapter.as_ref())?;
            let attended = plain::dropout(&attended, mode.next_dropout())?;
            x = norm(&(x + attended)?, &layer.attention_norm)?;
            let inner = plain::activate(&linear(&x, &layer.up)?, self.core.config.hidden_act)?;
            let fed = plain::dropout(&adapted(linear(&inner, &layer.down)?, layer.adapter.as_ref())?, mode.next_dropout())?;
            x = norm(&(x + fed)?, &layer.norm)?;
        }
        Ok(x)
    }
}
