//! A linear-chain conditional random field over tags (Lafferty, McCallum and Pereira 2001): transition scores that are
//! learnt, moves that can't be made, and exact gradients by the forward-backward algorithm.
//!
//! A text's tags score the sum of their emissions and transitions. The loss is the negative log-likelihood of the tags
//! that are right; where several may be, of all of them together (Tsuboi et al. 2008, section 3), so that what
//! nobody looked at teaches nothing.

use super::heads::HeadLoader;
use super::{LoadError, LoadReport, ModelFiles, Params};
use candle_core::{CpuStorage, CustomOp2, Device, Error, Layout, Result, Shape, Tensor, bail};
use rand::rngs::StdRng;
use std::sync::Arc;

/// Which tag may follow which. Row by row the tag before; the last row is the beginning of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    pub tags: usize,
    /// `[tags + 1, tags]`
    pub apart: Vec<bool>,
    /// The same before a unit that goes on with the word of the unit before it.
    pub joined: Vec<bool>,
}

impl Moves {
    fn of(&self, joined: bool) -> &[bool] {
        if joined { &self.joined } else { &self.apart }
    }
}

/// The units of a batch as the loss wants them, those of a text one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainBatch {
    /// Where each text's units start, and at the end the number of units.
    pub starts: Vec<usize>,
    /// What each unit's emissions count: shares of a word piece, 1 for a character of its own.
    pub weights: Vec<f32>,
    /// Whether each unit goes on with the word of the unit before it.
    pub joined: Vec<bool>,
    /// Whether a tag may be a unit's, `[units, tags]`. A unit with every tag allowed teaches nothing.
    pub allowed: Vec<bool>,
}

/// The learnt transitions.
#[derive(Clone, Debug)]
pub struct Chain {
    moves: Arc<Moves>,
    /// `[tags + 1, tags]`
    scores: Tensor,
}

impl Chain {
    /// Reads the transitions where `files` has some of the right shape, and begins with none elsewhere.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        moves: Moves,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let scores = loader.zeros("gloss.tag.transition", &[moves.tags + 1, moves.tags])?;
        let report = loader.report;
        Ok((Self { moves: Arc::new(moves), scores }, report))
    }

    /// The loss of a batch: the negative log-likelihood of what is allowed, by the weight of the units that teach.
    /// `emissions` are tag scores `[units, tags]`.
    ///
    /// # Errors
    /// Lengths that differ, or a text whose allowed tags no path reaches.
    pub fn loss(&self, emissions: &Tensor, batch: &ChainBatch) -> Result<Tensor> {
        let (units, tags) = emissions.dims2()?;
        let fits = tags == self.moves.tags && batch.weights.len() == units && batch.joined.len() == units;
        if !fits || batch.allowed.len() != units * tags || batch.starts.last() != Some(&units) {
            bail!("a chain of {units} units wants weight, joint and allowed tags of each");
        }
        let weighted = emissions.broadcast_mul(&Tensor::from_slice(&batch.weights, (units, 1), emissions.device())?)?;
        let teaches = batch.allowed.chunks_exact(tags).zip(&batch.weights).filter(|(allowed, _)| allowed.contains(&false));
        let total: f32 = teaches.map(|(_, weight)| weight).sum();
        if total.is_nan() || total <= 0.0 {
            bail!("no unit of the chain teaches anything");
        }
        let op = LossOp { moves: self.moves.clone(), batch: Arc::new(batch.clone()), total: f64::from(total) };
        // The recurrence over a text's units runs on the processor, wherever the rest does.
        let (own, processor) = (emissions.device(), Device::Cpu);
        weighted.to_device(&processor)?.contiguous()?.apply_op2(&self.scores.to_device(&processor)?.contiguous()?, op)?.to_device(own)
    }

    /// The learnt transitions as plain numbers, `[tags + 1, tags]`, and which moves can be made.
    ///
    /// # Errors
    /// When the tensor can't be read.
    pub fn frozen(&self) -> Result<FrozenChain> {
        Ok(FrozenChain { moves: self.moves.clone(), scores: self.scores.detach().flatten_all()?.to_vec1::<f32>()? })
    }
}

/// A chain that answers.
#[derive(Clone, Debug)]
pub struct FrozenChain {
    moves: Arc<Moves>,
    scores: Vec<f32>,
}

impl FrozenChain {
    pub fn new(moves: Moves, scores: Vec<f32>) -> Self {
        Self { moves: Arc::new(moves), scores }
    }

    /// `[tags + 1, tags]`; the last row is the beginning of a text.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Probability of each tag of each unit of one text, `[units, tags]`, over all well-formed tags.
    pub fn marginals(&self, emissions: &[f32], joined: &[bool]) -> Vec<f32> {
        let lattice = Lattice { moves: &self.moves, scores: &self.scores, emissions, joined, allowed: &[] };
        let (_, marginals, _) = lattice.sums();
        marginals.into_iter().map(|value| value as f32).collect()
    }

    /// Logarithm of the sum over all well-formed tags of one text of the exponentials of their scores; over those of
    /// `allowed` alone where it is not empty.
    pub fn log_partition(&self, emissions: &[f32], joined: &[bool], allowed: &[bool]) -> f64 {
        Lattice { moves: &self.moves, scores: &self.scores, emissions, joined, allowed }.sums().0
    }
}

/// One text's scores.
struct Lattice<'a> {
    moves: &'a Moves,
    scores: &'a [f32],
    emissions: &'a [f32],
    joined: &'a [bool],
    /// Empty: all.
    allowed: &'a [bool],
}

const NEVER: f64 = f64::NEG_INFINITY;

impl Lattice<'_> {
    fn units(&self) -> usize {
        self.emissions.len() / self.moves.tags.max(1)
    }

    fn emission(&self, unit: usize, tag: usize) -> f64 {
        let at = unit * self.moves.tags + tag;
        if self.allowed.get(at).is_some_and(|allowed| !*allowed) { NEVER } else { f64::from(self.emissions[at]) }
    }

    /// Score of the move to `tag` of `unit`; `before` is the number of tags at the beginning of a text.
    fn step(&self, before: usize, tag: usize, unit: usize) -> f64 {
        let at = before * self.moves.tags + tag;
        let joined = unit > 0 && self.joined.get(unit).is_some_and(|joined| *joined);
        if self.moves.of(joined)[at] { f64::from(self.scores[at]) } else { NEVER }
    }

    /// Log-partition, marginals of the tags `[units, tags]` and expected number of each move `[tags + 1, tags]`
    /// (Rabiner 1989, section III, in logarithms). Zeros where no path is allowed.
    fn sums(&self) -> (f64, Vec<f64>, Vec<f64>) {
        let (tags, units) = (self.moves.tags, self.units());
        let mut marginals = vec![0.0; units * tags];
        let mut moves = vec![0.0; (tags + 1) * tags];
        if units == 0 || tags == 0 {
            return (0.0, marginals, moves);
        }
        let mut ahead = vec![NEVER; units * tags];
        let mut terms = vec![NEVER; tags];
        for unit in 0..units {
            for tag in 0..tags {
                let so_far = if unit == 0 {
                    self.step(tags, tag, 0)
                } else {
                    for (before, term) in terms.iter_mut().enumerate() {
                        *term = ahead[(unit - 1) * tags + before] + self.step(before, tag, unit);
                    }
                    log_sum(&terms)
                };
                ahead[unit * tags + tag] = so_far + self.emission(unit, tag);
            }
        }
        let total = log_sum(&ahead[(units - 1) * tags..]);
        if !total.is_finite() {
            return (total, marginals, moves);
        }
        let mut behind = vec![0.0; tags];
        for unit in (0..units).rev() {
            for tag in 0..tags {
                marginals[unit * tags + tag] = (ahead[unit * tags + tag] + behind[tag] - total).exp();
            }
            if unit == 0 {
                break;
            }
            let onward: Vec<f64> = (0..tags).map(|tag| self.emission(unit, tag) + behind[tag]).collect();
            let mut before_it = vec![NEVER; tags];
            for (before, sum) in before_it.iter_mut().enumerate() {
                for tag in 0..tags {
                    terms[tag] = self.step(before, tag, unit) + onward[tag];
                    moves[before * tags + tag] += (ahead[(unit - 1) * tags + before] + terms[tag] - total).exp();
                }
                *sum = log_sum(&terms);
            }
            behind = before_it;
        }
        moves[tags * tags..].copy_from_slice(&marginals[..tags]);
        (total, marginals, moves)
    }
}

fn log_sum(terms: &[f64]) -> f64 {
    let top = terms.iter().copied().fold(NEVER, f64::max);
    if top == NEVER { NEVER } else { top + terms.iter().map(|term| (term - top).exp()).sum::<f64>().ln() }
}

/// The loss as an op of candle's graph.
struct LossOp {
    moves: Arc<Moves>,
    batch: Arc<ChainBatch>,
    total: f64,
}

impl LossOp {
    /// The loss and its gradient by emissions and by transitions.
    fn run(&self, emissions: &[f32], scores: &[f32]) -> Result<(f64, Vec<f32>, Vec<f32>)> {
        if emissions.iter().chain(scores).any(|score| score.is_nan()) {
            // The greatest of several passes over what is not a number, so it would be lost in the sums.
            return Ok((f64::NAN, vec![f32::NAN; emissions.len()], vec![f32::NAN; scores.len()]));
        }
        let tags = self.moves.tags;
        let mut loss = 0.0;
        let mut by_emission = vec![0f32; emissions.len()];
        let mut by_score = vec![0f64; scores.len()];
        for pair in self.batch.starts.windows(2) {
            let (units, cells) = (pair[0]..pair[1], pair[0] * tags..pair[1] * tags);
            let allowed = &self.batch.allowed[cells.clone()];
            if !allowed.contains(&false) {
                continue;
            }
            let all = Lattice {
                moves: &self.moves,
                scores,
                emissions: &emissions[cells.clone()],
                joined: &self.batch.joined[units],
                allowed: &[],
            };
            let (free, expected, moves) = all.sums();
            let (right, observed, made) = Lattice { allowed, ..all }.sums();
            if right == NEVER {
                return Err(Error::Msg("no well-formed tags are among those allowed".to_owned()).bt());
            }
            loss += free - right;
            for ((sum, expected), observed) in by_emission[cells].iter_mut().zip(expected).zip(observed) {
                *sum = ((expected - observed) / self.total) as f32;
            }
            by_score.iter_mut().zip(moves.iter().zip(&made)).for_each(|(sum, (expected, made))| *sum += (expected - made) / self.total);
        }
        Ok((loss / self.total, by_emission, by_score.into_iter().map(|value| value as f32).collect()))
    }
}

impl CustomOp2 for LossOp {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn cpu_fwd(&self, emissions: &CpuStorage, at: &Layout, scores: &CpuStorage, from: &Layout) -> Result<(CpuStorage, Shape)> {
        let part = |values: &CpuStorage, layout: &Layout| -> Result<Vec<f32>> {
            let (start, end) = layout.contiguous_offsets().ok_or_else(|| Error::Msg("a chain wants contiguous tensors".to_owned()).bt())?;
            Ok(values.as_slice::<f32>()?[start..end].to_vec())
        };
        let (loss, ..) = self.run(&part(emissions, at)?, &part(scores, from)?)?;
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, emissions: &Tensor, scores: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let numbers = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let (_, by_emission, by_score) = self.run(&numbers(emissions)?, &numbers(scores)?)?;
        let scaled = |values: Vec<f32>, of: &Tensor| Tensor::from_vec(values, of.shape(), of.device())?.broadcast_mul(grad);
        Ok((Some(scaled(by_emission, emissions)?), Some(scaled(by_score, scores)?)))
    }
}
