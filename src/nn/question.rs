//! Further questions about a whole text: any of several labels, or a number. What a head over the text's vector gives,
//! and how its numbers are read.

use super::batch::{Mode, RaggedBatch};
use super::heads::HeadLoader;
use super::pooling::Pooler;
use super::{LoadError, LoadReport, ModelFiles, Network, Params, Pooling, plain};
use candle_core::{Result, Tensor};
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

/// A question with how its answers are read, as it is kept with the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionForm {
    pub name: String,
    #[serde(flatten)]
    pub kind: QuestionKind,
}

/// What a question wants to hear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum QuestionKind {
    /// Any of these labels: each that is at least as likely as its threshold, and the one nearest to its own where none is.
    Labels { labels: Vec<String>, thresholds: Vec<f32> },
    /// A number within a range; the network's output runs from 0 to 1 over it.
    Number { min: f64, max: f64 },
    /// One of `steps + 1` numbers from `min` on: the network says of each step how likely the answer lies beyond it, by one
    /// score and thresholds of their own (Cao, Mirjalili and Raschka 2020, section 3.3).
    Ordinal { min: f64, step: f64, steps: usize },
}

/// The answer to a question, and how likely it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuestionAnswer {
    /// Places of the labels that hold.
    pub labels: Vec<u16>,
    /// Of each label; of a number on steps, that it lies beyond each of them.
    pub probabilities: Vec<f32>,
    pub number: Option<f64>,
}

/// Sizes of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionSize {
    /// Scores that are computed of a text.
    pub scores: usize,
    /// Outputs: as many as scores, or more thresholds on one score.
    pub outputs: usize,
}

impl QuestionKind {
    pub fn size(&self) -> QuestionSize {
        match self {
            Self::Labels { labels, .. } => QuestionSize { scores: labels.len(), outputs: labels.len() },
            Self::Number { .. } => QuestionSize { scores: 1, outputs: 1 },
            Self::Ordinal { steps, .. } => QuestionSize { scores: 1, outputs: *steps },
        }
    }

    /// Reads the network's outputs for a text.
    pub fn answer(&self, outputs: &[f32]) -> QuestionAnswer {
        let likely = || outputs.iter().map(|output| 1.0 / (1.0 + (-output).exp())).collect::<Vec<f32>>();
        match self {
            Self::Labels { thresholds, .. } => {
                let probabilities = likely();
                QuestionAnswer { labels: labels_from(&probabilities, thresholds), probabilities, number: None }
            }
            Self::Number { min, max } => {
                let share = outputs.first().copied().map_or(0.5, f64::from).clamp(0.0, 1.0);
                QuestionAnswer { number: Some(min + share * (max - min)), ..QuestionAnswer::default() }
            }
            Self::Ordinal { min, step, .. } => {
                let probabilities = likely();
                let steps: f64 = probabilities.iter().copied().map(f64::from).sum();
                QuestionAnswer { number: Some(min + step * steps), labels: Vec::new(), probabilities }
            }
        }
    }
}

/// The labels that are at least as likely as their thresholds; where none is, the one that comes nearest (an answer has one
/// label at least).
pub fn labels_from(probabilities: &[f32], thresholds: &[f32]) -> Vec<u16> {
    let threshold = |at: usize| thresholds.get(at).copied().unwrap_or(0.5);
    let over: Vec<u16> = (0u16..).zip(probabilities).filter(|(at, p)| **p >= threshold(usize::from(*at))).map(|(at, _)| at).collect();
    if !over.is_empty() {
        return over;
    }
    let nearest = (0u16..).zip(probabilities).max_by(|a, b| {
        let share = |(at, p): &(u16, &f32)| **p / threshold(usize::from(*at)).max(1e-6);
        share(a).total_cmp(&share(b))
    });
    nearest.into_iter().map(|(at, _)| at).collect()
}

/// The heads of all questions over one vector of the text: on an encoder its first token's state, else the mean of all,
/// through a dense layer and tanh (on an encoder begun from its pooler).
#[derive(Debug)]
pub struct QuestionHeads {
    dense: (Tensor, Tensor),
    /// Where the first token does not stand for the text.
    mean: Option<Pooler>,
    outputs: Vec<(Tensor, Tensor)>,
}

impl QuestionHeads {
    /// Reads the heads where `files` has some of the right shape, and draws them anew elsewhere.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        network: &Network,
        sizes: &[QuestionSize],
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let hidden = network.hidden_size();
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let dense = loader.pair_from("gloss.question.dense", "pooler.dense", hidden, hidden)?;
        let mean = match network {
            Network::Encoder(_) => None,
            Network::Scratch(_) => Some(Pooler::load(&mut loader, Pooling::Mean, hidden, hidden)?),
        };
        let mut outputs = Vec::with_capacity(sizes.len());
        for (at, size) in sizes.iter().enumerate() {
            let weight = loader.matrix(&format!("gloss.question.{at}.weight"), [size.scores, hidden])?;
            outputs.push((weight, loader.zeros(&format!("gloss.question.{at}.bias"), &[size.outputs])?));
        }
        Ok((Self { dense, mean, outputs }, loader.report))
    }

    /// Outputs `[texts, outputs]` of each question from hidden states `[tokens, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn forward(&self, hidden: &Tensor, batch: &RaggedBatch, mode: &mut Mode) -> Result<Vec<Tensor>> {
        let texts = match &self.mean {
            Some(mean) => mean.forward(hidden, batch)?,
            None => {
                let first: Vec<u32> = batch.starts[..batch.texts()].iter().map(|start| *start as u32).collect();
                hidden.index_select(&Tensor::from_vec(first, batch.texts(), hidden.device())?, 0)?
            }
        };
        self.forward_texts(&texts, mode)
    }

    /// The same from one vector a text, `[texts, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn forward_texts(&self, texts: &Tensor, mode: &mut Mode) -> Result<Vec<Tensor>> {
        let vector = plain::dropout(&plain::linear(texts, &self.dense.0, &self.dense.1)?.tanh()?, mode.next_dropout())?;
        // One score and many thresholds: the score is laid under each of them.
        self.outputs.iter().map(|(weight, bias)| plain::linear(&vector, weight, bias)).collect()
    }
}
