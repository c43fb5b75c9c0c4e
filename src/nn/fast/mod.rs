//! The encoder on our kernels, as one op of candle's graph: it runs all layers forward, keeps what the gradient needs
//! in buffers that are used again from step to step, and hands the gradients of its weights to [`Params::backward`]
//! directly. Equal to [`Encoder::forward_plain`](super::Encoder::forward_plain), dropout masks included.
//!
//! [`Params::backward`]: super::Params::backward

mod adapter;
mod backward;
mod forward;
mod frozen;
mod linear;
mod prefix;

pub(super) use backward::table_rows;

use super::batch::{Dropout, Mode, RaggedBatch};
use super::encoder::Core;
use super::kernels::{Buf, Pool, Precision, Stored};
use super::params::Sink;
use adapter::AdapterTape;
use candle_core::{CpuStorage, CustomOp1, Device, Error, Layout, Result, Shape, Storage, StorageRef, Tensor, Var};
use std::ops::{Deref, Range};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an encoder needs to run on the kernels, beside its weights.
#[derive(Debug)]
pub(super) struct Fast {
    pool: Arc<Pool>,
    sink: Sink,
    /// A leaf of candle's graph that stands for all weights of the encoder, so that the graph reaches the op.
    pub anchor: Var,
    pub input: Arc<Mutex<Input>>,
    /// The weights as prediction wants them.
    frozen: Option<frozen::Frozen>,
}

/// What is asked and told about the embedded pieces, `[tokens, embedding size]`.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// Added to them.
    pub shift: Option<Vec<f32>>,
    /// Whether their gradient is kept.
    pub watched: bool,
    pub gradient: Option<Vec<f32>>,
}

impl Fast {
    pub fn new(sink: Sink, device: &Device) -> Result<Self> {
        let anchor = Var::zeros(1, candle_core::DType::F32, device)?;
        Ok(Self { pool: Pool::new(), sink, anchor, input: Arc::default(), frozen: None })
    }

    /// Hidden states `[tokens, hidden]`, or `[texts, hidden]` of the texts' first tokens.
    pub fn run(&self, core: &Arc<Core>, batch: &RaggedBatch, reach: Reach, mode: &mut Mode) -> Result<Tensor> {
        if let (false, Some(frozen)) = (mode.is_train(), &self.frozen) {
            let values = in_pool(|| frozen::forward(core, frozen, batch, reach, &self.pool))?;
            let rows = values.len() / core.config.hidden_size;
            return Tensor::from_vec(values, (rows, core.config.hidden_size), &candle_core::Device::Cpu);
        }
        let masks = Masks::draw(core.layers.len(), mode);
        let (watched, shift) = {
            let input = self.input();
            (input.watched, input.shift.clone())
        };
        let first = match core.first_learning.load(Ordering::Relaxed) {
            _ if !mode.is_train() => None,
            // The gradient goes down to where they are.
            _ if watched => Some(0),
            first => (first < core.layers.len()).then_some(first),
        };
        let rows = if reach == Reach::First { batch.texts() } else { batch.tokens() };
        let shape = Shape::from((rows, core.config.hidden_size));
        // What a run says of held-out documents is what the model says later.
        let precision = if mode.is_train() { core.precision() } else { Precision::Float32 };
        let asked = forward::Asked { batch, masks: &masks, first, reach, shift: shift.as_deref(), watched, precision };
        let (values, tape) = in_pool(|| forward::forward(core, &asked, &self.pool))?;
        if first.is_none() {
            return Tensor::from_vec(values, shape, &Device::Cpu);
        }
        let op = EncoderOp {
            core: core.clone(),
            pool: self.pool.clone(),
            sink: self.sink.clone(),
            shape,
            values: Mutex::new(Some(values)),
            tape: Mutex::new(Some(tape)),
            input: watched.then(|| self.input.clone()),
        };
        self.anchor.as_tensor().apply_op1(op)
    }

    pub fn input(&self) -> MutexGuard<'_, Input> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays the weights out for passes without a gradient, which do not see later changes of them.
    pub fn freeze(&mut self, core: &Core, stored: Option<Stored>) -> Result<()> {
        self.frozen = stored.map(|stored| frozen::Frozen::new(core, stored)).transpose()?;
        Ok(())
    }

    /// How the weights for passes without a gradient are held; `None` as long as they follow those that learn.
    pub fn stored(&self) -> Option<Stored> {
        self.frozen.as_ref().map(|frozen| frozen.stored)
    }

    /// Gives memory kept for the next step back to the system.
    pub fn free_memory(&self) {
        self.pool.clear();
    }
}

impl Input {
    /// Adds the gradient of one pass to those of others over the same batch.
    pub fn add(&mut self, gradient: Option<Vec<f32>>) {
        match (&mut self.gradient, gradient) {
            (Some(sum), Some(more)) if sum.len() == more.len() => sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more),
            (sum, more) => *sum = more,
        }
    }
}

/// Does a whole pass on a thread of the pool. From outside of it each of the hundreds of parallel loops in a pass would be
/// handed over and waited for, which took a tenth of the time of a step.
fn in_pool<R: Send>(pass: impl FnOnce() -> R + Send) -> R {
    rayon::join(pass, || ()).0
}

/// Which tokens the last layer answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    /// The first of each text, which is all that a class of the text asks for.
    First,
}

/// The dropouts of a pass, drawn in the order in which the plain encoder draws them.
pub(super) struct Masks {
    pub embeddings: Option<Dropout>,
    pub layers: Vec<LayerMasks>,
}

#[derive(Clone, Copy)]
pub(super) struct LayerMasks {
    pub attention: Option<Dropout>,
    pub attended: Option<Dropout>,
    pub fed: Option<Dropout>,
}

impl Masks {
    pub fn draw(layers: usize, mode: &mut Mode) -> Self {
        let embeddings = mode.next_dropout();
        let layer = |_| LayerMasks { attention: mode.next_dropout(), attended: mode.next_dropout(), fed: mode.next_dropout() };
        Self { embeddings, layers: (0..layers).map(layer).collect() }
    }
}

/// What the forward pass leaves for the gradient.
struct Tape {
    batch: RaggedBatch,
    /// Only when the embeddings learn, or the gradient of what they give is asked for.
    embeddings: Option<EmbeddingTape>,
    /// The learning layers, the last one last; the first is layer `first`.
    layers: Vec<LayerTape>,
    first: usize,
}

struct EmbeddingTape {
    centred: Buf,
    scale: Buf,
    /// Behind norm and dropout, before the projection; empty when there is none.
    output: Option<Buf>,
    dropout: Option<Dropout>,
}

struct LayerTape {
    input: Buf,
    /// Queries, keys and values beside each other.
    qkv: Buf,
    logs: Buf,
    context: Buf,
    /// What was taken of `input` and `context` where only first tokens were asked about; all below is of those then.
    first: Option<FirstRows>,
    centred1: Buf,
    scale1: Buf,
    /// Between attention and feed-forward.
    middle: Buf,
    /// Before the activation.
    inner: Buf,
    centred2: Buf,
    scale2: Buf,
    masks: LayerMasks,
    /// Behind attention, and behind the feed-forward part.
    adapters: [Option<AdapterTape>; 2],
    /// Where attention saw a prefix; `qkv` and `logs` have its rows then, `context` has not.
    prefixed: Option<prefix::Prefixed>,
}

/// Rows of the texts' first tokens, `[texts, hidden]`.
struct FirstRows {
    input: Buf,
    context: Buf,
}

/// The numbers of a contiguous float32 tensor on the processor, locked for reading.
pub(in crate::nn) struct Read<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

impl<'a> Read<'a> {
    pub fn of(tensor: &'a Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let fits = matches!(&*storage, Storage::Cpu(CpuStorage::F32(_)));
        match layout.contiguous_offsets() {
            Some((from, to)) if fits => Ok(Self { storage, range: from..to }),
            _ => Err(Error::Msg("the kernels want contiguous float32 tensors on the processor".to_owned()).bt()),
        }
    }
}

impl Deref for Read<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.range.clone()],
            _ => &[],
        }
    }
}

/// One forward pass in candle's graph. Its gradient can be taken once: the tape is used up by it.
struct EncoderOp {
    core: Arc<Core>,
    pool: Arc<Pool>,
    sink: Sink,
    shape: Shape,
    values: Mutex<Option<Vec<f32>>>,
    tape: Mutex<Option<Tape>>,
    /// Where the gradient of the embedded pieces goes, if it is asked for.
    input: Option<Arc<Mutex<Input>>>,
}

impl CustomOp1 for EncoderOp {
    fn name(&self) -> &'static str {
        "encoder"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner).take();
        let values = values.ok_or_else(|| Error::Msg("an encoder's pass can't be run twice".to_owned()).bt())?;
        Ok((CpuStorage::F32(values), self.shape.clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tape = tape.ok_or_else(|| Error::Msg("the gradient of an encoder's pass can be taken once".to_owned()).bt())?;
        let grad = grad.contiguous()?;
        let gradient = in_pool(|| backward::backward(&self.core, tape, &Read::of(&grad)?, &self.pool, &self.sink))?;
        if let Some(input) = &self.input {
            input.lock().unwrap_or_else(PoisonError::into_inner).add(gradient);
        }
        Ok(None)
    }
}
