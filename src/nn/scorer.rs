//! Scores of candidate spans, each by itself: for marked spans that overlap, which a tag for each unit can't say.

use super::batch::Mode;
use super::heads::{HeadLoader, OFFSETS};
use super::opinion::SpanEdge;
use super::{LoadError, LoadReport, ModelFiles, Params, plain};
use candle_core::{Result, Tensor, bail};
use rand::rngs::StdRng;

/// Width of a candidate's representation.
const WIDTH: usize = 192;

/// About so many candidates are spans: what the head begins with.
const SHARE: f64 = 0.01;

/// So many candidates are scored at once without a graph: bounds the memory for long texts.
const AT_ONCE: usize = 8192;

/// How many labels a candidate is asked about, and up to how many words wide it may be; 0 and 0 for no such head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScorerSizes {
    pub labels: usize,
    pub widest: usize,
}

/// Places that may be spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CandidateBatch {
    pub first: Vec<SpanEdge>,
    pub last: Vec<SpanEdge>,
    /// Words (characters, in Chinese) in each, from 1.
    pub width: Vec<u32>,
}

impl CandidateBatch {
    pub fn push(&mut self, [first, last]: [SpanEdge; 2], width: usize) {
        self.first.push(first);
        self.last.push(last);
        self.width.push(width as u32);
    }

    pub fn len(&self) -> usize {
        self.width.len()
    }

    pub fn is_empty(&self) -> bool {
        self.width.is_empty()
    }

    fn part(&self, start: usize, end: usize) -> Self {
        Self { first: self.first[start..end].to_vec(), last: self.last[start..end].to_vec(), width: self.width[start..end].to_vec() }
    }
}

/// A candidate is GELU(W_s h(first piece) + W_e h(last piece) + W_p (W_s h(first) ∘ W_e h(last)) + E(offsets) + E(width)):
/// ends and width as Lee et al. 2017 (section 4) and Eberts and Ulges 2020 (SpERT, section 3.1) represent spans, without
/// their attention and pooling, which would cost a row of pieces for each candidate. A linear layer gives one
/// logit for each label, which answers yes or no by itself: one place may have two labels.
#[derive(Debug)]
pub struct SpanScorer {
    widest: usize,
    first: (Tensor, Tensor),
    last: Tensor,
    product: Tensor,
    offset: Tensor,
    width: Tensor,
    output: (Tensor, Tensor),
}

impl SpanScorer {
    /// Reads the head where `files` has one of the right shape, and draws it anew elsewhere.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        hidden: usize,
        sizes: ScorerSizes,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let scorer = Self {
            widest: sizes.widest,
            first: loader.pair("gloss.scorer.first", WIDTH, hidden)?,
            last: loader.matrix("gloss.scorer.last.weight", [WIDTH, hidden])?,
            product: loader.matrix("gloss.scorer.product.weight", [WIDTH, WIDTH])?,
            offset: loader.table("gloss.scorer.offset.weight", &[2 * OFFSETS, WIDTH])?,
            width: loader.table("gloss.scorer.width.weight", &[sizes.widest, WIDTH])?,
            output: loader.rare_pair("gloss.scorer.output", sizes.labels, WIDTH, SHARE)?,
        };
        Ok((scorer, loader.report))
    }

    /// Logits `[candidates, labels]` from hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// No candidate, one wider than the head knows, or edges beyond the hidden states.
    pub fn forward(&self, hidden: &Tensor, candidates: &CandidateBatch, mode: &mut Mode) -> Result<Tensor> {
        let count = candidates.len();
        if count == 0 || candidates.width.iter().any(|width| *width == 0 || *width as usize > self.widest) {
            bail!("a span scorer wants candidates of 1 to {} words", self.widest);
        }
        let device = hidden.device();
        let index = |values: Vec<u32>| Tensor::from_vec(values, count, device);
        let rows = |edges: &[SpanEdge]| index(edges.iter().map(|edge| edge.piece).collect());
        let place = |edge: &SpanEdge| edge.offset.min(OFFSETS as u32 - 1);
        let hidden = plain::dropout(hidden, mode.next_dropout())?;
        // Projected before they are gathered: a piece begins and ends many candidates.
        let first = plain::linear(&hidden, &self.first.0, &self.first.1)?.index_select(&rows(&candidates.first)?, 0)?;
        let last = hidden.matmul(&self.last.t()?)?.index_select(&rows(&candidates.last)?, 0)?;
        let product = first.mul(&last)?.matmul(&self.product.t()?)?;
        let from = self.offset.index_select(&index(candidates.first.iter().map(place).collect())?, 0)?;
        let to = self.offset.index_select(&index(candidates.last.iter().map(|edge| place(edge) + OFFSETS as u32).collect())?, 0)?;
        let width = self.width.index_select(&index(candidates.width.iter().map(|width| width - 1).collect())?, 0)?;
        let states = (((((first + last)? + product)? + from)? + to)? + width)?.gelu_erf()?;
        plain::linear(&plain::dropout(&states, mode.next_dropout())?, &self.output.0, &self.output.1)
    }

    /// Probability that a candidate is a span of a label, `[candidates, labels]`; any number of candidates.
    ///
    /// # Errors
    /// As [`SpanScorer::forward`].
    pub fn score(&self, hidden: &Tensor, candidates: &CandidateBatch) -> Result<Vec<f32>> {
        let mut shares = Vec::new();
        for start in (0..candidates.len()).step_by(AT_ONCE) {
            let part = candidates.part(start, candidates.len().min(start + AT_ONCE));
            let logits = self.forward(hidden, &part, &mut Mode::Eval)?.detach().flatten_all()?.to_vec1::<f32>()?;
            shares.extend(logits.into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp())));
        }
        Ok(shares)
    }
}
