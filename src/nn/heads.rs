//! What stands on the encoder: a class of the text, and tags of its units.

use super::batch::{Mode, RaggedBatch, UnitBatch};
use super::pooling::Pooler;
use super::weights::WeightFile;
use super::{Bend, LoadError, LoadReport, ModelFiles, Params, ScratchConfig, TransformersHead, plain};
use candle_core::{Device, Error, Tensor, bail};
use rand::Rng;
use rand::rngs::StdRng;
use std::ops::Range;

/// Spread of the fresh rows of a lookup table.
const SPREAD: f64 = 0.02;

/// Spread of fresh weights: outputs vary as much as inputs do (LeCun et al. 1998, section 4.6). BERT's .02 for all is too
/// little for heads of two and three layers: what they pass on is next to nothing at first, and they learn late or never.
fn spread_of(inputs: usize) -> f64 {
    1.0 / (inputs.max(1) as f64).sqrt()
}

/// Width of the tagging head.
const TAG_WIDTH: usize = 128;

/// About such a share of the units lies in spans: what the tagging head begins with.
const IN_SPANS: f64 = 0.12;

/// Places of a unit in its piece that are told apart.
pub(super) const OFFSETS: usize = 8;

/// Reads a head's parameters from a folder, or draws them anew.
pub(super) struct HeadLoader<'a> {
    file: Option<WeightFile<'a>>,
    params: &'a mut Params,
    rng: &'a mut StdRng,
    trainable: bool,
    pub report: LoadReport,
}

impl<'a> HeadLoader<'a> {
    pub fn new(files: Option<&'a ModelFiles>, params: &'a mut Params, rng: &'a mut StdRng, trainable: bool) -> Result<Self, LoadError> {
        Ok(Self { file: files.map(WeightFile::open).transpose()?, params, rng, trainable, report: LoadReport::default() })
    }

    /// Reads what the file calls `theirs` as `ours`.
    pub fn call(&mut self, theirs: &str, ours: &str) {
        if let Some(file) = &mut self.file {
            file.call(theirs, ours);
        }
    }

    fn take(&mut self, name: &str, shape: &[usize], spread: f64) -> Result<Tensor, LoadError> {
        self.take_or(name, shape, |rng| normal(shape, spread, rng))
    }

    fn take_or(
        &mut self,
        name: &str,
        shape: &[usize],
        draw: impl FnOnce(&mut StdRng) -> candle_core::Result<Tensor>,
    ) -> Result<Tensor, LoadError> {
        // Names of the file stand without `bert.`.
        let in_file = name.strip_prefix("bert.").unwrap_or(name);
        let found = self.file.as_ref().map(|file| file.tensor(in_file)).transpose()?.flatten();
        let value = match found {
            Some(value) if value.dims() == shape => {
                self.report.loaded.push(name.to_owned());
                value
            }
            other => {
                let list = if other.is_some() { &mut self.report.wrong_shape } else { &mut self.report.fresh };
                list.push(name.to_owned());
                draw(self.rng).map_err(damaged)?
            }
        };
        self.params.add(name, value, self.trainable).map_err(damaged)
    }

    /// Drawn evenly between `-bound` and `bound` where the files lack it, as PyTorch does; 1 in the places of `ones`.
    pub fn uniform(&mut self, name: &str, shape: &[usize], bound: f64, ones: Range<usize>) -> Result<Tensor, LoadError> {
        let draw = |rng: &mut StdRng| {
            let mut values: Vec<f32> = (0..shape.iter().product()).map(|_| ((2.0 * rng.random::<f64>() - 1.0) * bound) as f32).collect();
            values[ones].fill(1.0);
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        self.take_or(name, shape, draw)
    }

    /// The weights of a linear layer, `[outputs, inputs]`.
    pub fn matrix(&mut self, name: &str, [outputs, inputs]: [usize; 2]) -> Result<Tensor, LoadError> {
        self.take(name, &[outputs, inputs], spread_of(inputs))
    }

    /// A lookup table, `[entries, width]`.
    pub fn table(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        self.take(name, shape, SPREAD)
    }

    /// Begins with zeros.
    pub fn zeros(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        self.take(name, shape, 0.0)
    }

    /// A linear layer that begins, where the files lack it, as their layer `from`; anew where they lack that too.
    pub fn pair_from(&mut self, name: &str, from: &str, outputs: usize, inputs: usize) -> Result<(Tensor, Tensor), LoadError> {
        let mut part = |part: &str, shape: &[usize], spread: f64| {
            let other = self.file.as_ref().map(|file| file.tensor(&format!("{from}.{part}"))).transpose()?.flatten();
            let other = other.filter(|value| value.dims() == shape);
            self.take_or(&format!("{name}.{part}"), shape, |rng| other.map_or_else(|| normal(shape, spread, rng), Ok))
        };
        Ok((part("weight", &[outputs, inputs], spread_of(inputs))?, part("bias", &[outputs], 0.0)?))
    }

    /// A linear layer for questions of which few are answered with yes: anew, each output begins at this share (Lin et al. 2017,
    /// section 3.3). Else the first steps go into learning that nearly all are no, and swell what Adam divides by.
    pub fn rare_pair(&mut self, name: &str, outputs: usize, inputs: usize, share: f64) -> Result<(Tensor, Tensor), LoadError> {
        let logit = (share / (1.0 - share)).ln() as f32;
        let weight = self.matrix(&format!("{name}.weight"), [outputs, inputs])?;
        Ok((weight, self.take_or(&format!("{name}.bias"), &[outputs], |_| Tensor::full(logit, outputs, &Device::Cpu))?))
    }

    /// A linear layer for tags, of which the first, for what lies in no span, is by far the most frequent: anew, it begins as
    /// likely as that, for the reason told at [`Self::rare_pair`].
    fn tag_pair(&mut self, name: &str, tags: usize, inputs: usize) -> Result<(Tensor, Tensor), LoadError> {
        let others = tags.saturating_sub(1).max(1) as f64;
        let logit = (IN_SPANS / others / (1.0 - IN_SPANS)).ln() as f32;
        let weight = self.matrix(&format!("{name}.weight"), [tags, inputs])?;
        let bias = |_: &mut StdRng| Tensor::from_vec((0..tags).map(|tag| if tag == 0 { 0.0 } else { logit }).collect(), tags, &Device::Cpu);
        Ok((weight, self.take_or(&format!("{name}.bias"), &[tags], bias)?))
    }

    pub fn pair(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<(Tensor, Tensor), LoadError> {
        Ok((self.matrix(&format!("{name}.weight"), [outputs, inputs])?, self.take(&format!("{name}.bias"), &[outputs], 0.0)?))
    }
}

fn damaged(error: Error) -> LoadError {
    LoadError::Damaged(error.to_string())
}

/// Normally distributed values by Box and Muller, from our generator alone.
fn normal(shape: &[usize], spread: f64, rng: &mut StdRng) -> candle_core::Result<Tensor> {
    let mut draw = || {
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        ((-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos() * spread) as f32
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| if spread > 0.0 { draw() } else { 0.0 }).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// A class of the text. On an encoder: pooler (dense and tanh on the first token) and classifier, as transformers'
/// `BertForSequenceClassification`; other families bend otherwise between the two. On a network without pretraining: one
/// linear layer over the pooled states.
#[derive(Debug)]
pub struct ClassHead {
    vector: TextVector,
    classifier: (Tensor, Tensor),
}

/// The one vector of a text.
#[derive(Debug)]
enum TextVector {
    First { dense: (Tensor, Tensor), bend: Bend },
    Pooled(Pooler),
}

impl ClassHead {
    /// Reads the head where `files` has one of the right shape, and draws it anew elsewhere.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        hidden: usize,
        classes: usize,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> Result<(Self, LoadReport), LoadError> {
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let dense = loader.pair("bert.pooler.dense", hidden, hidden)?;
        let classifier = loader.pair("classifier", classes, hidden)?;
        Ok((Self { vector: TextVector::First { dense, bend: Bend::Tanh }, classifier }, loader.report))
    }

    /// The same head of another family.
    #[must_use]
    pub fn bent(self, bend: Bend) -> Self {
        match self.vector {
            TextVector::First { dense, .. } => Self { vector: TextVector::First { dense, bend }, ..self },
            TextVector::Pooled(_) => self,
        }
    }

    /// The same on a network without pretraining.
    ///
    /// # Errors
    /// A damaged file.
    pub fn pooled(
        files: Option<&ModelFiles>,
        network: &ScratchConfig,
        classes: usize,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> Result<(Self, LoadReport), LoadError> {
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let hidden = network.output_size();
        // Only of a recurrent network does half of a state come from the right.
        let forward = if network.kind.cell().is_some() { network.hidden_size } else { hidden };
        let pooler = Pooler::load(&mut loader, network.pooling, hidden, forward)?;
        let classifier = loader.pair("classifier", classes, hidden)?;
        Ok((Self { vector: TextVector::Pooled(pooler), classifier }, loader.report))
    }

    /// Logits `[texts, classes]` from hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn forward(&self, hidden: &Tensor, batch: &RaggedBatch, mode: &mut Mode) -> candle_core::Result<Tensor> {
        if let TextVector::Pooled(pooler) = &self.vector {
            return self.classify(&pooler.forward(hidden, batch)?, mode);
        }
        let first: Vec<u32> = batch.starts[..batch.texts()].iter().map(|start| *start as u32).collect();
        self.forward_first(&hidden.index_select(&Tensor::from_vec(first, batch.texts(), hidden.device())?, 0)?, mode)
    }

    /// Logits `[texts, classes]` from the hidden states `[texts, hidden]` of the texts' first tokens, for a head on an
    /// encoder.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn forward_first(&self, first: &Tensor, mode: &mut Mode) -> candle_core::Result<Tensor> {
        match &self.vector {
            TextVector::First { dense, bend } => {
                let dense = plain::linear(first, &dense.0, &dense.1)?;
                let bent = match bend {
                    Bend::Tanh => dense.tanh(),
                    Bend::Relu => dense.relu(),
                    Bend::Gelu => dense.gelu_erf(),
                };
                self.classify(&bent?, mode)
            }
            TextVector::Pooled(_) => bail!("this class head reads all tokens of a text"),
        }
    }

    fn classify(&self, pooled: &Tensor, mode: &mut Mode) -> candle_core::Result<Tensor> {
        plain::linear(&plain::dropout(pooled, mode.next_dropout())?, &self.classifier.0, &self.classifier.1)
    }
}

/// Tags of units. Characters under pieces: a unit is GELU(W_h h(piece) + W_c e(character) + E(offset)), and a linear layer
/// gives its tags; the offset says which part of its piece a unit is, the character which one it is. Or pieces themselves:
/// one linear layer over their states, as transformers' `BertForTokenClassification`.
#[derive(Debug)]
pub struct TagHead(Tagging);

#[derive(Debug)]
enum Tagging {
    Characters { piece: (Tensor, Tensor), character: Tensor, offset: Tensor, output: (Tensor, Tensor), word_embedding: Tensor },
    Pieces { output: (Tensor, Tensor) },
}

/// The linear layer over pieces, under a name of ours, and as transformers calls it.
pub const PIECE_TAGS: [&str; 2] = ["gloss.tag.pieces", "classifier"];

impl TagHead {
    /// Reads the head over characters where `files` has one of the right shape, and draws it anew elsewhere.
    /// `word_embedding` is the encoder's table, which gives e(character) and never learns through this head.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        hidden: usize,
        tags: usize,
        word_embedding: &Tensor,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> Result<(Self, LoadReport), LoadError> {
        let width = word_embedding.dims().get(1).copied().unwrap_or(hidden);
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let piece = loader.pair("gloss.tag.piece", TAG_WIDTH, hidden)?;
        let character = loader.matrix("gloss.tag.character.weight", [TAG_WIDTH, width])?;
        let offset = loader.table("gloss.tag.offset.weight", &[OFFSETS, TAG_WIDTH])?;
        let output = loader.tag_pair("gloss.tag.output", tags, TAG_WIDTH)?;
        let report = loader.report;
        Ok((Self(Tagging::Characters { piece, character, offset, output, word_embedding: word_embedding.detach() }), report))
    }

    /// The same over pieces.
    ///
    /// # Errors
    /// A damaged file.
    pub fn over_pieces(
        files: Option<&ModelFiles>,
        hidden: usize,
        tags: usize,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> Result<(Self, LoadReport), LoadError> {
        let [ours, theirs] = PIECE_TAGS;
        let classifies_tokens = files.is_some_and(|files| TransformersHead::of(&files.config) == Some(TransformersHead::Tokens));
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        if classifies_tokens {
            loader.call(theirs, ours);
        }
        let output = loader.tag_pair(ours, tags, hidden)?;
        let report = loader.report;
        Ok((Self(Tagging::Pieces { output }), report))
    }

    /// Tag logits `[units, tags]` from hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// No unit, or indices out of range.
    pub fn forward(&self, hidden: &Tensor, units: &UnitBatch, mode: &mut Mode) -> candle_core::Result<Tensor> {
        let count = units.piece.len();
        if count == 0 || units.char_id.len() != count || units.offset.len() != count {
            bail!("a tagging head wants one unit at least, and piece, character and offset of each");
        }
        let device = hidden.device();
        let index = |values: Vec<u32>| Tensor::from_vec(values, count, device);
        let hidden = plain::dropout(hidden, mode.next_dropout())?;
        let places = index(units.piece.clone())?;
        match &self.0 {
            Tagging::Pieces { output } => plain::linear(&hidden.index_select(&places, 0)?, &output.0, &output.1),
            Tagging::Characters { piece, character, offset, output, word_embedding } => {
                let pieces = plain::linear(&hidden, &piece.0, &piece.1)?.index_select(&places, 0)?;
                let characters = word_embedding.index_select(&index(units.char_id.clone())?, 0)?.matmul(&character.t()?)?;
                let offsets = units.offset.iter().map(|offset| (*offset).min(OFFSETS as u32 - 1)).collect();
                let unit = (pieces + characters)?.add(&offset.index_select(&index(offsets)?, 0)?)?.gelu_erf()?;
                plain::linear(&plain::dropout(&unit, mode.next_dropout())?, &output.0, &output.1)
            }
        }
    }
}
