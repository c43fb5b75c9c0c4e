//! One network with the heads it was asked for: a class of the text, tags of its units, polarity and links of its spans.

use super::kernels::Stored;
use super::{
    Bend, Chain, ClassHead, Encoder, LoadError, LoadOptions, LoadReport, Mode, ModelFiles, Moves, Network, OpinionHead, OpinionLogits,
    OpinionScores, OpinionSizes, PairBatch, Params, QuestionHeads, QuestionSize, RaggedBatch, ScorerSizes, SpanBatch, SpanScorer, TagHead,
    UnitBatch,
};
use candle_core::{DType, Result, Tensor};
use rand::rngs::StdRng;

/// What a joint model is made of. 0 classes or tags: no such head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JointSizes {
    /// Layers of the encoder in use; 0 for all.
    pub layers: usize,
    pub classes: usize,
    pub tags: usize,
    /// The tags are those of pieces, not of characters.
    pub of_pieces: bool,
    /// What bends the class head of an encoder.
    pub bend: Bend,
    /// Tags follow each other with learnt scores; which moves can be made.
    pub chain: Option<Moves>,
    pub scorer: ScorerSizes,
    pub opinions: OpinionSizes,
    /// Further questions about the whole text.
    pub questions: Vec<QuestionSize>,
}

/// An encoder, or another network, and its heads.
#[derive(Debug)]
pub struct JointModel {
    network: Network,
    class_head: Option<ClassHead>,
    tag_head: Option<TagHead>,
    chain: Option<Chain>,
    scorer: Option<SpanScorer>,
    opinion_head: Option<OpinionHead>,
    questions: Option<QuestionHeads>,
}

/// What the heads over texts and units answer, `[texts, classes]` and `[units, tags]`, and what they read.
pub struct Logits {
    /// `[tokens, hidden]`, for [`JointModel::opinions`]; `[texts, hidden]` of a model that only gives classes.
    pub hidden: Tensor,
    pub class: Option<Tensor>,
    pub tags: Option<Tensor>,
    /// Of each further question `[texts, outputs]`.
    pub questions: Vec<Tensor>,
}

/// Natural logarithms of probabilities, row after row; empty without the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogProbs {
    /// `[texts, classes]`
    pub class: Vec<f32>,
    /// `[units, tags]`
    pub tags: Vec<f32>,
    /// Of each further question `[texts, outputs]`, as the network gives them.
    pub questions: Vec<Vec<f32>>,
}

impl JointModel {
    /// Reads the network and the heads. Heads that the files lack, or have in another shape, are drawn anew by `rng`.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load(
        files: &ModelFiles,
        sizes: JointSizes,
        params: &mut Params,
        options: LoadOptions,
        rng: &mut StdRng,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let (network, mut report) = Network::load(files, sizes.layers, params, options, rng)?;
        let hidden = network.hidden_size();
        let mut class_head = None;
        if sizes.classes > 0 {
            let (head, heads) = match &network {
                Network::Encoder(_) => ClassHead::new_or_load(Some(files), hidden, sizes.classes, params, rng, options.trainable)?,
                Network::Scratch(net) => ClassHead::pooled(Some(files), net.config(), sizes.classes, params, rng, options.trainable)?,
            };
            report.merge(heads);
            class_head = Some(head.bent(sizes.bend));
        }
        let mut tag_head = None;
        if sizes.tags > 0 {
            let (head, heads) = if sizes.of_pieces {
                TagHead::over_pieces(Some(files), hidden, sizes.tags, params, rng, options.trainable)?
            } else {
                let table = network.word_embedding();
                TagHead::new_or_load(Some(files), hidden, sizes.tags, &table, params, rng, options.trainable)?
            };
            report.merge(heads);
            tag_head = Some(head);
        }
        let mut chain = None;
        if let Some(moves) = sizes.chain.filter(|_| sizes.tags > 0) {
            let (transitions, heads) = Chain::new_or_load(Some(files), moves, params, rng, options.trainable)?;
            report.merge(heads);
            chain = Some(transitions);
        }
        let mut scorer = None;
        if sizes.scorer.labels > 0 && sizes.scorer.widest > 0 {
            let (head, heads) = SpanScorer::new_or_load(Some(files), hidden, sizes.scorer, params, rng, options.trainable)?;
            report.merge(heads);
            scorer = Some(head);
        }
        let mut opinion_head = None;
        if !sizes.opinions.is_empty() {
            let (head, heads) = OpinionHead::new_or_load(Some(files), hidden, sizes.opinions, params, rng, options.trainable)?;
            report.merge(heads);
            opinion_head = Some(head);
        }
        let mut questions = None;
        if !sizes.questions.is_empty() {
            let (heads, loaded) = QuestionHeads::new_or_load(Some(files), &network, &sizes.questions, params, rng, options.trainable)?;
            report.merge(loaded);
            questions = Some(heads);
        }
        Ok((Self { network, class_head, tag_head, chain, scorer, opinion_head, questions }, report))
    }

    /// The encoder; `None` of a network without pretraining.
    pub fn encoder(&self) -> Option<&Encoder> {
        match &self.network {
            Network::Encoder(encoder) => Some(encoder),
            Network::Scratch(_) => None,
        }
    }

    /// Lays an encoder's weights out for answers without a graph, which from now on do not see changes of them; `None` undoes
    /// that. See [`Encoder::freeze`].
    ///
    /// # Errors
    /// As [`Encoder::freeze`].
    pub fn freeze(&mut self, stored: Option<Stored>) -> Result<()> {
        match &mut self.network {
            Network::Encoder(encoder) => encoder.freeze(stored),
            Network::Scratch(_) => Ok(()),
        }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same, which hands over the gradient of each token's embedding too, under [`Network::inputs_name`].
    #[must_use]
    pub fn with_gradients_of_tokens(self) -> Self {
        match self.network {
            Network::Encoder(_) => self,
            Network::Scratch(net) => Self { network: Network::Scratch(net.with_gradients_of_tokens()), ..self },
        }
    }

    /// Runs the network, the class head and, where there are units, the tagging head.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn forward(&self, batch: &RaggedBatch, units: &UnitBatch, mode: &mut Mode) -> Result<Logits> {
        let is_about_texts = self.class_head.is_some() || self.questions.is_some();
        if let (Network::Encoder(encoder), None, None, true) = (&self.network, &self.tag_head, &self.opinion_head, is_about_texts) {
            let hidden = encoder.forward_first(batch, mode)?;
            let class = self.class_head.as_ref().map(|head| head.forward_first(&hidden, mode)).transpose()?;
            let questions = self.questions.as_ref().map_or(Ok(Vec::new()), |heads| heads.forward_texts(&hidden, mode))?;
            return Ok(Logits { class, tags: None, hidden, questions });
        }
        let hidden = self.network.forward(batch, mode)?;
        let class = self.class_head.as_ref().map(|head| head.forward(&hidden, batch, mode)).transpose()?;
        let tags = match &self.tag_head {
            Some(head) if !units.piece.is_empty() => Some(head.forward(&hidden, units, mode)?),
            _ => None,
        };
        let questions = self.questions.as_ref().map_or(Ok(Vec::new()), |heads| heads.forward(&hidden, batch, mode))?;
        Ok(Logits { hidden, class, tags, questions })
    }

    /// The transitions between tags; `None` when there are none.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The head over candidate spans; `None` when tags say the spans.
    pub fn scorer(&self) -> Option<&SpanScorer> {
        self.scorer.as_ref()
    }

    /// Polarity and links of spans of texts that were read as `hidden`. `None` when the model has no such head.
    ///
    /// # Errors
    /// As [`OpinionHead::forward`].
    pub fn opinions(&self, hidden: &Tensor, spans: &SpanBatch, pairs: &PairBatch, mode: &mut Mode) -> Result<Option<OpinionLogits>> {
        self.opinion_head.as_ref().map(|head| head.forward(hidden, spans, pairs, mode)).transpose()
    }

    /// The same without dropout, as plain numbers; all empty when the model has no such head.
    ///
    /// # Errors
    /// As [`OpinionHead::forward`].
    pub fn score_opinions(&self, hidden: &Tensor, spans: &SpanBatch, pairs: &PairBatch) -> Result<OpinionScores> {
        self.opinion_head.as_ref().map_or_else(|| Ok(OpinionScores::default()), |head| head.score(hidden, spans, pairs))
    }

    /// The answers without dropout and without a graph, as plain numbers, and the hidden states behind them.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn score(&self, batch: &RaggedBatch, units: &UnitBatch) -> Result<(LogProbs, Tensor)> {
        let logits = self.forward(batch, units, &mut Mode::Eval)?;
        let questions = logits.questions.iter().map(|outputs| outputs.detach().flatten_all()?.to_vec1::<f32>());
        let logs = LogProbs {
            class: log_softmax(logits.class.as_ref())?,
            tags: log_softmax(logits.tags.as_ref())?,
            questions: questions.collect::<Result<_>>()?,
        };
        Ok((logs, logits.hidden.detach()))
    }
}

fn log_softmax(logits: Option<&Tensor>) -> Result<Vec<f32>> {
    let Some(logits) = logits else { return Ok(Vec::new()) };
    let (_, width) = logits.dims2()?;
    let mut values = logits.detach().to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    for row in values.chunks_exact_mut(width) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|value| (value - top).exp()).sum();
        let shift = top + sum.ln();
        row.iter_mut().for_each(|value| *value -= shift);
    }
    Ok(values)
}
