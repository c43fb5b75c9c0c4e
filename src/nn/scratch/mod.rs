//! Networks that are trained without pretraining: a table of word vectors, then recurrent layers or convolutions. They
//! give states `[tokens, output size]` as the encoder does, so the same heads stand on them. Their parameters have names
//! of their own; they run on the processor alone.

mod config;
mod conv;
mod recurrent;
mod tape;

pub use config::{Coverage, Pooling, ScratchConfig, ScratchKind};

use super::batch::{Dropout, Mode, RaggedBatch};
use super::fast::{Read, table_rows};
use super::heads::HeadLoader;
use super::kernels::{BLOCK, Buf, Pool, column_sums, drop_rows, linear_weight_grad};
use super::params::{Grad, Sink, accumulate};
use super::{LoadError, LoadOptions, LoadReport, ModelFiles, Params};
use candle_core::{DType, Device, Result, Shape, Tensor, Var, bail};
use conv::{ConvLayer, ConvTape};
use rand::rngs::StdRng;
use rayon::prelude::*;
use recurrent::{Order, RecurrentLayer, RecurrentTape};
use std::sync::Arc;
use tape::TapeOp;

/// Name of the table of word vectors.
pub const WORD_TABLE: &str = "word_embeddings.weight";

/// Name under which the gradient of each token's vector comes, where it is asked for.
pub(super) const INPUTS: &str = "word_embeddings.of_tokens";

/// Fresh word vectors are drawn evenly between this and its negative (Kim 2014, section 3.1).
pub const FRESH_VECTOR: f64 = 0.25;

/// A network without pretraining. Its parameters are shared with the [`Params`] it was loaded into.
#[derive(Debug)]
pub struct ScratchNet {
    core: Arc<Core>,
    pool: Arc<Pool>,
    sink: Sink,
    /// A leaf of candle's graph that stands for all weights, so that the graph reaches the op.
    anchor: Var,
    learns: bool,
}

#[derive(Debug)]
struct Core {
    config: ScratchConfig,
    table: Tensor,
    table_learns: bool,
    /// Hands over the gradient of each token's vector.
    of_tokens: bool,
    layers: Layers,
}

#[derive(Debug)]
enum Layers {
    Recurrent(Vec<RecurrentLayer>),
    Convolutional(Vec<ConvLayer>),
}

enum LayerTape {
    Recurrent(RecurrentTape),
    Convolutional(ConvTape),
}

/// What the forward pass leaves for the gradient.
struct Tape {
    batch: RaggedBatch,
    order: Order,
    /// Of the input of each layer.
    dropouts: Vec<Option<Dropout>>,
    layers: Vec<LayerTape>,
}

/// Where the gradients of weights go.
pub(super) struct Collect<'a> {
    pool: &'a Arc<Pool>,
    sink: &'a Sink,
}

impl Collect<'_> {
    /// Of a linear layer's weight `[outputs, inputs]`, from the gradient of its output and its input.
    fn weight(&self, name: String, g: &[f32], x: &[f32], (outputs, inputs): (usize, usize)) {
        let mut grad = self.pool.take(outputs * inputs);
        linear_weight_grad(&mut grad, g, outputs, x, inputs);
        accumulate(self.sink, name, Grad::Whole(grad));
    }

    /// Of its bias.
    fn bias(&self, name: String, g: &[f32], outputs: usize) {
        let mut grad = self.pool.take(outputs);
        column_sums(g, &mut grad, self.pool);
        accumulate(self.sink, name, Grad::Whole(grad));
    }
}

fn damaged(error: candle_core::Error) -> LoadError {
    LoadError::Damaged(error.to_string())
}

impl ScratchNet {
    /// Reads what the files hold into `params` and draws the rest by `rng`. The table of word vectors learns when the options
    /// tune embeddings; frozen layers are the encoder's alone.
    ///
    /// # Errors
    /// A config that is not supported, or a damaged file.
    pub fn load(
        files: &ModelFiles,
        params: &mut Params,
        options: LoadOptions,
        rng: &mut StdRng,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let config = ScratchConfig::parse(&files.config)?;
        let table_learns = options.trainable && options.tune_embeddings;
        let shape = [config.vocab_size, config.embedding_size];
        let mut loader = HeadLoader::new(Some(files), params, rng, table_learns)?;
        let table = loader.uniform(WORD_TABLE, &shape, FRESH_VECTOR, 0..0)?;
        let mut report = std::mem::take(&mut loader.report);
        let mut loader = HeadLoader::new(Some(files), params, rng, options.trainable)?;
        let layers = match config.kind.cell() {
            Some(cell) => {
                let directions = config.directions();
                let read = |at| RecurrentLayer::load(&mut loader, cell, at, config.input_size(at), config.hidden_size, directions);
                Layers::Recurrent((0..config.num_layers).map(read).collect::<std::result::Result<_, LoadError>>()?)
            }
            None => {
                let read = |at| ConvLayer::load(&mut loader, at, config.input_size(at), config.hidden_size, &config.kernel_sizes);
                Layers::Convolutional((0..config.num_layers).map(read).collect::<std::result::Result<_, LoadError>>()?)
            }
        };
        report.merge(std::mem::take(&mut loader.report));
        let sink = params.share_sink();
        let anchor = Tensor::zeros(1, DType::F32, &Device::Cpu).and_then(|zero| Var::from_tensor(&zero)).map_err(damaged)?;
        let core = Core { config, table, table_learns, of_tokens: false, layers };
        Ok((Self { core: Arc::new(core), pool: Pool::new(), sink, anchor, learns: options.trainable }, report))
    }

    /// The same, which hands over the gradient of each token's vector too: `[tokens, embedding size]`.
    #[must_use]
    pub fn with_gradients_of_tokens(mut self) -> Self {
        if let Some(core) = Arc::get_mut(&mut self.core) {
            core.of_tokens = true;
        }
        self
    }

    pub fn config(&self) -> &ScratchConfig {
        &self.core.config
    }

    /// Gives memory that is kept from batch to batch back to the system.
    pub fn free_memory(&self) {
        self.pool.clear();
    }

    /// The table of word vectors `[vocab, embedding size]`, outside any graph; it sees later steps.
    pub fn word_embedding(&self) -> Tensor {
        self.core.table.detach()
    }

    /// States `[tokens, output size]`.
    ///
    /// # Errors
    /// A text that is empty, or an id beyond the vocabulary.
    pub fn forward(&self, batch: &RaggedBatch, mode: &mut Mode) -> Result<Tensor> {
        self.check(batch)?;
        let (values, tape) = self.core.forward(batch, mode, &self.pool)?;
        let shape = Shape::from((batch.tokens(), self.core.config.output_size()));
        if !(self.learns && mode.is_train()) {
            return Tensor::from_vec(values, shape, &Device::Cpu);
        }
        let (core, pool, sink) = (self.core.clone(), self.pool.clone(), self.sink.clone());
        let backward = move |grad: &[f32]| core.backward(tape, grad, &Collect { pool: &pool, sink: &sink });
        self.anchor.as_tensor().apply_op1(TapeOp::new("network", values, shape, backward))
    }

    fn check(&self, batch: &RaggedBatch) -> Result<()> {
        if batch.texts() == 0 || batch.starts[0] != 0 || batch.starts[batch.texts()] != batch.tokens() {
            bail!("a batch wants one text at least, and starts that run from 0 to its {} tokens", batch.tokens());
        }
        if batch.starts.windows(2).any(|pair| pair[1] <= pair[0]) {
            bail!("a text of the batch is empty");
        }
        if let Some(id) = batch.ids.iter().find(|id| **id as usize >= self.core.config.vocab_size) {
            bail!("token {id} is beyond the vocabulary of {}", self.core.config.vocab_size);
        }
        Ok(())
    }
}

impl Core {
    fn layers(&self) -> usize {
        match &self.layers {
            Layers::Recurrent(layers) => layers.len(),
            Layers::Convolutional(layers) => layers.len(),
        }
    }

    fn forward(&self, batch: &RaggedBatch, mode: &mut Mode, pool: &Arc<Pool>) -> Result<(Vec<f32>, Tape)> {
        let order = Order::of(batch);
        let dropouts: Vec<Option<Dropout>> = (0..self.layers()).map(|_| mode.next_dropout()).collect();
        let mut x = self.embed(batch, pool)?;
        let mut layers = Vec::new();
        for (at, dropout) in dropouts.iter().enumerate() {
            if let Some(dropout) = dropout {
                drop_rows(&mut x, self.config.input_size(at), *dropout);
            }
            let (states, tape) = match &self.layers {
                Layers::Recurrent(own) => own[at].forward(x, &order, pool).map(|(states, tape)| (states, LayerTape::Recurrent(tape)))?,
                Layers::Convolutional(own) => {
                    own[at].forward(x, batch, pool).map(|(states, tape)| (states, LayerTape::Convolutional(tape)))?
                }
            };
            x = states;
            layers.push(tape);
        }
        Ok((x.to_vec(), Tape { batch: batch.clone(), order, dropouts, layers }))
    }

    fn embed(&self, batch: &RaggedBatch, pool: &Arc<Pool>) -> Result<Buf> {
        let width = self.config.embedding_size;
        let table = Read::of(&self.table)?;
        let table: &[f32] = &table;
        let mut x = pool.take(batch.tokens() * width);
        x.par_chunks_mut(width * BLOCK).zip(batch.ids.par_chunks(BLOCK)).for_each(|(rows, ids)| {
            for (row, id) in rows.chunks_exact_mut(width).zip(ids) {
                row.copy_from_slice(&table[*id as usize * width..][..width]);
            }
        });
        Ok(x)
    }

    /// From the gradient of the states to those of all weights.
    fn backward(&self, tape: Tape, grad: &[f32], collect: &Collect) -> Result<()> {
        let Tape { batch, order, dropouts, layers } = tape;
        let mut g = collect.pool.take(grad.len());
        g.copy_from_slice(grad);
        for (at, (dropout, tape)) in dropouts.iter().zip(layers).enumerate().rev() {
            g = match (&self.layers, tape) {
                (Layers::Recurrent(own), LayerTape::Recurrent(tape)) => own[at].backward(tape, &g, &order, collect)?,
                (Layers::Convolutional(own), LayerTape::Convolutional(tape)) => own[at].backward(tape, &g, &batch, collect)?,
                _ => bail!("a layer's tape is of another kind"),
            };
            if let Some(dropout) = dropout {
                drop_rows(&mut g, self.config.input_size(at), *dropout);
            }
        }
        let width = self.config.embedding_size;
        if self.table_learns {
            let rows = table_rows(&batch.ids, &g, width, self.config.vocab_size, collect.pool);
            accumulate(collect.sink, WORD_TABLE.to_owned(), Grad::Rows(rows));
        }
        if self.of_tokens {
            accumulate(collect.sink, INPUTS.to_owned(), Grad::Whole(g));
        }
        Ok(())
    }
}
