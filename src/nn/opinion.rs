//! What stands on marked spans: the polarity of each and its attributes, and which spans belong together with the polarity
//! of the pair.

use super::batch::Mode;
use super::heads::{HeadLoader, OFFSETS};
use super::{LoadError, LoadReport, ModelFiles, Params, plain};
use candle_core::{Error, Result, Tensor, bail};
use rand::rngs::StdRng;
use std::ops::Range;

/// Negative, neutral, positive.
pub const POLARITIES: usize = 3;

/// Width of a span's representation and of a pair's.
const WIDTH: usize = 192;

/// Upper ends of the distances, in pieces, that are told apart, as Xu et al. bucket them; the last is for all beyond.
const DISTANCES: [u32; 9] = [0, 1, 2, 3, 4, 7, 15, 31, 63];

/// Distances on either side.
const DISTANCE_ROWS: usize = 2 * (DISTANCES.len() + 1);

/// Width in which a span looks for what is said of it.
const KEY: usize = 64;

/// Other spans between two, of the label of either: none, one, more.
const CROWDS: usize = 3;

/// So many pairs are scored at once without a graph: bounds the memory for long texts full of spans.
const PAIRS_AT_ONCE: usize = 1024;

/// Which of the heads over spans a model has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpinionSizes {
    /// Span labels that are told apart.
    pub labels: usize,
    /// Polarity of a span by itself.
    pub polarity: bool,
    /// Whether that polarity looks at the text around the span too. Models of before do not.
    pub context: bool,
    /// Which spans belong together.
    pub links: bool,
    /// Polarity of two spans that belong together; only with `links`.
    pub link_polarity: bool,
    /// Values of all attributes together, such as categories, side by side.
    pub values: usize,
}

impl OpinionSizes {
    pub fn is_empty(self) -> bool {
        !(self.polarity || self.links || self.values > 0)
    }
}

/// One end of a span: the row of its piece in the hidden states, and its place in the piece (see [`super::UnitBatch`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanEdge {
    pub piece: u32,
    pub offset: u32,
}

/// Spans of a batch, those of a text one after another. They may overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanBatch {
    text: Vec<u32>,
    /// The rows of its text in the hidden states.
    rows: Vec<Range<usize>>,
    first: Vec<SpanEdge>,
    last: Vec<SpanEdge>,
    label: Vec<u32>,
}

/// Pairs of spans, by their places in a [`SpanBatch`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairBatch {
    pub from: Vec<u32>,
    pub to: Vec<u32>,
    /// How many others stand between the two that could be meant instead; see [`SpanBatch::pairs`].
    crowd: Vec<u32>,
}

impl SpanBatch {
    /// Adds a span of a text, whose hidden states are `rows`; the second edge is its last unit, not one beyond.
    pub fn push(&mut self, text: usize, rows: Range<usize>, [first, last]: [SpanEdge; 2], label: u16) {
        self.text.push(text as u32);
        self.rows.push(rows);
        self.first.push(first);
        self.last.push(last);
        self.label.push(u32::from(label));
    }

    pub fn len(&self) -> usize {
        self.label.len()
    }

    pub fn is_empty(&self) -> bool {
        self.label.is_empty()
    }

    /// Every pair of a span with a label of `from` and another of the same text with a label of `to`. Spans for which
    /// `takes_part` is false are in none.
    pub fn pairs(&self, from: &[u16], to: &[u16], takes_part: impl Fn(usize) -> bool) -> PairBatch {
        let mut pairs = PairBatch::default();
        let has = |labels: &[u16], span: usize| labels.iter().any(|label| u32::from(*label) == self.label[span]) && takes_part(span);
        let mut start = 0;
        for text in self.text.chunk_by(|a, b| a == b) {
            let spans = start..start + text.len();
            start = spans.end;
            let ends: Vec<usize> = spans.clone().filter(|span| has(to, *span)).collect();
            for one in spans.clone().filter(|span| has(from, *span)) {
                for other in ends.iter().copied().filter(|other| *other != one) {
                    let count = |label: u32| {
                        let inside = spans.clone().filter(|span| self.label[*span] == label && takes_part(*span));
                        inside.filter(|span| self.is_between(*span, one, other)).count().min(CROWDS - 1)
                    };
                    let crowd = CROWDS * count(self.label[one]) + count(self.label[other]);
                    pairs.from.push(one as u32);
                    pairs.to.push(other as u32);
                    pairs.crowd.push(crowd as u32);
                }
            }
        }
        pairs
    }

    /// Whether a span lies between two others without touching their pieces.
    fn is_between(&self, span: usize, one: usize, other: usize) -> bool {
        let (left, right) = if self.first[one].piece <= self.first[other].piece { (one, other) } else { (other, one) };
        self.first[span].piece > self.last[left].piece && self.last[span].piece < self.first[right].piece
    }

    /// Rows from one span's inner edge to the other's, both included, and the bucket of their signed distance.
    fn between(&self, from: usize, to: usize) -> (Range<usize>, u32) {
        let is_before = self.first[from].piece <= self.first[to].piece;
        let (left, right) = if is_before { (from, to) } else { (to, from) };
        let (end, start) = (self.last[left].piece, self.first[right].piece);
        let distance = start.saturating_sub(end);
        let bucket = DISTANCES.partition_point(|limit| *limit < distance) as u32;
        let bucket = if is_before { bucket } else { bucket + DISTANCES.len() as u32 + 1 };
        (end.min(start) as usize..end.max(start) as usize + 1, bucket)
    }
}

impl PairBatch {
    pub fn len(&self) -> usize {
        self.from.len()
    }

    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    fn part(&self, start: usize, end: usize) -> Self {
        let part = |list: &[u32]| list[start..end].to_vec();
        Self { from: part(&self.from), to: part(&self.to), crowd: part(&self.crowd) }
    }
}

/// What the heads over spans answer: `[spans, 3]`, `[pairs, 2]` (apart, together), `[pairs, 3]`, `[spans, values]`.
pub struct OpinionLogits {
    pub polarity: Option<Tensor>,
    pub links: Option<Tensor>,
    pub link_polarity: Option<Tensor>,
    pub values: Option<Tensor>,
}

type Pair = (Tensor, Tensor);

/// A span is s = GELU(W [h(first piece); h(last piece); mean h] + E(offsets of its ends) + E(label)). Its polarity is
/// linear in GELU(W_o s + W_c c), where c is what s attends to in its text, near and far apart (one head of scaled
/// products, as Wang et al. 2016, ATAE-LSTM, section 3.3, attend by aspect). A pair is GELU(W_f s_f + W_t s_t + W_p (s_f ∘ s_t) + W_b mean h(from one to the other) + E(distance) +
/// E(other spans between));
/// whether it is a link, and its polarity, are linear in that. Values of attributes are linear in s.
///
/// Span and distance features are those of Xu, Chia and Bing 2021 (Span-ASTE, section 3.2), the pieces between of Eberts
/// and Ulges 2020 (SpERT, section 3.2), the product is the diagonal of a biaffine scorer (Dozat and Manning 2017,
/// section 3.2). Link and polarity are separate answers, so that a link whose polarity nobody said teaches too.
#[derive(Debug)]
pub struct OpinionHead {
    input: Pair,
    offset: Tensor,
    label: Tensor,
    polarity: Option<Pair>,
    context: Option<Context>,
    values: Option<Pair>,
    pairs: Option<PairHead>,
}

/// What a span attends to in its text.
#[derive(Debug)]
struct Context {
    query: Tensor,
    key: Tensor,
    distance: Tensor,
    own: Pair,
    context: Tensor,
}

#[derive(Debug)]
struct PairHead {
    from: Pair,
    to: Tensor,
    product: Tensor,
    between: Tensor,
    distance: Tensor,
    crowd: Tensor,
    link: Pair,
    polarity: Option<Pair>,
}

impl OpinionHead {
    /// Reads the head where `files` has one of the right shape, and draws it anew elsewhere.
    ///
    /// # Errors
    /// A damaged file.
    pub fn new_or_load(
        files: Option<&ModelFiles>,
        hidden: usize,
        sizes: OpinionSizes,
        params: &mut Params,
        rng: &mut StdRng,
        trainable: bool,
    ) -> std::result::Result<(Self, LoadReport), LoadError> {
        let mut loader = HeadLoader::new(files, params, rng, trainable)?;
        let input = loader.pair("gloss.span.input", WIDTH, 3 * hidden)?;
        let offset = loader.table("gloss.span.offset.weight", &[2 * OFFSETS, WIDTH])?;
        let label = loader.table("gloss.span.label.weight", &[sizes.labels.max(1), WIDTH])?;
        let polarity = if sizes.polarity { Some(loader.pair("gloss.span.polarity", POLARITIES, WIDTH)?) } else { None };
        let mut context = None;
        if sizes.polarity && sizes.context {
            context = Some(Context {
                query: loader.matrix("gloss.span.polarity.query.weight", [KEY, WIDTH])?,
                key: loader.matrix("gloss.span.polarity.key.weight", [KEY, hidden])?,
                distance: loader.table("gloss.span.polarity.distance.weight", &[DISTANCE_ROWS, 1])?,
                own: loader.pair("gloss.span.polarity.own", WIDTH, WIDTH)?,
                context: loader.matrix("gloss.span.polarity.context.weight", [WIDTH, hidden])?,
            });
        }
        let values = if sizes.values > 0 { Some(loader.pair("gloss.span.value", sizes.values, WIDTH)?) } else { None };
        let mut pairs = None;
        if sizes.links {
            pairs = Some(PairHead {
                from: loader.pair("gloss.pair.from", WIDTH, WIDTH)?,
                to: loader.matrix("gloss.pair.to.weight", [WIDTH, WIDTH])?,
                product: loader.matrix("gloss.pair.product.weight", [WIDTH, WIDTH])?,
                between: loader.matrix("gloss.pair.between.weight", [WIDTH, hidden])?,
                distance: loader.table("gloss.pair.distance.weight", &[DISTANCE_ROWS, WIDTH])?,
                crowd: loader.table("gloss.pair.crowd.weight", &[CROWDS * CROWDS, WIDTH])?,
                link: loader.pair("gloss.pair.link", 2, WIDTH)?,
                polarity: if sizes.link_polarity { Some(loader.pair("gloss.pair.polarity", POLARITIES, WIDTH)?) } else { None },
            });
        }
        let report = loader.report;
        Ok((Self { input, offset, label, polarity, context, values, pairs }, report))
    }

    /// Logits from hidden states `[tokens, hidden]`. Answers about what there is none of are `None`.
    ///
    /// # Errors
    /// Edges beyond the hidden states, or pairs of spans that are not there.
    pub fn forward(&self, hidden: &Tensor, spans: &SpanBatch, pairs: &PairBatch, mode: &mut Mode) -> Result<OpinionLogits> {
        let mut logits = OpinionLogits { polarity: None, links: None, link_polarity: None, values: None };
        if spans.is_empty() {
            return Ok(logits);
        }
        let hidden = plain::dropout(hidden, mode.next_dropout())?;
        let states = self.spans(&hidden, spans, mode)?;
        if let Some((w, b)) = &self.polarity {
            let seen = self.context.as_ref().map(|context| context.states(&hidden, &states, spans, mode)).transpose()?;
            logits.polarity = Some(plain::linear(seen.as_ref().unwrap_or(&states), w, b)?);
        }
        logits.values = self.values.as_ref().map(|(w, b)| plain::linear(&states, w, b)).transpose()?;
        if let Some(head) = self.pairs.as_ref().filter(|_| !pairs.is_empty()) {
            let states = head.states(&hidden, &states, spans, pairs, mode)?;
            logits.links = Some(plain::linear(&states, &head.link.0, &head.link.1)?);
            logits.link_polarity = head.polarity.as_ref().map(|(w, b)| plain::linear(&states, w, b)).transpose()?;
        }
        Ok(logits)
    }

    /// The logits without dropout, as plain numbers; any number of pairs.
    ///
    /// # Errors
    /// As [`OpinionHead::forward`].
    pub fn score(&self, hidden: &Tensor, spans: &SpanBatch, pairs: &PairBatch) -> Result<OpinionScores> {
        let numbers = |logits: Option<Tensor>| logits.map_or(Ok(Vec::new()), |logits| logits.flatten_all()?.to_vec1::<f32>());
        let mut scores = OpinionScores::default();
        let parts = pairs.len().div_ceil(PAIRS_AT_ONCE).max(1);
        for part in 0..parts {
            let end = pairs.len().min((part + 1) * PAIRS_AT_ONCE);
            let logits = self.forward(hidden, spans, &pairs.part(part * PAIRS_AT_ONCE, end), &mut Mode::Eval)?;
            if part == 0 {
                scores.polarity = numbers(logits.polarity)?;
                scores.width = self.values.as_ref().map_or(Ok(0), |(weights, _)| weights.dim(0))?;
                scores.values = numbers(logits.values)?;
            }
            scores.links.extend(numbers(logits.links)?);
            scores.link_polarity.extend(numbers(logits.link_polarity)?);
        }
        Ok(scores)
    }

    /// `[spans, WIDTH]`
    fn spans(&self, hidden: &Tensor, spans: &SpanBatch, mode: &mut Mode) -> Result<Tensor> {
        let device = hidden.device();
        let count = spans.len();
        let index = |values: Vec<u32>| Tensor::from_vec(values, count, device);
        let rows = |edges: &[SpanEdge]| index(edges.iter().map(|edge| edge.piece).collect());
        let first = hidden.index_select(&rows(&spans.first)?, 0)?;
        let last = hidden.index_select(&rows(&spans.last)?, 0)?;
        let inside = spans.first.iter().zip(&spans.last).map(|(first, last)| first.piece as usize..last.piece as usize + 1);
        let mean = means(hidden, inside.collect())?;
        let place = |edge: &SpanEdge| edge.offset.min(OFFSETS as u32 - 1);
        let first_offset = self.offset.index_select(&index(spans.first.iter().map(place).collect())?, 0)?;
        let last_offset = self.offset.index_select(&index(spans.last.iter().map(|edge| place(edge) + OFFSETS as u32).collect())?, 0)?;
        let label = self.label.index_select(&index(spans.label.clone())?, 0)?;
        let input = plain::linear(&Tensor::cat(&[first, last, mean], 1)?, &self.input.0, &self.input.1)?;
        let states = (((input + first_offset)? + last_offset)? + label)?.gelu_erf()?;
        plain::dropout(&states, mode.next_dropout())
    }
}

impl Context {
    /// `[spans, WIDTH]`
    fn states(&self, hidden: &Tensor, states: &Tensor, spans: &SpanBatch, mode: &mut Mode) -> Result<Tensor> {
        /// What keeps a span from looking into other texts.
        const ELSEWHERE: f32 = -1e9;
        let (tokens, _) = hidden.dims2()?;
        let count = spans.len();
        let (mut elsewhere, mut buckets) = (vec![ELSEWHERE; count * tokens], vec![0u32; count * tokens]);
        for (span, rows) in spans.rows.iter().enumerate() {
            let (first, last) = (spans.first[span].piece as usize, spans.last[span].piece as usize);
            if rows.is_empty() || rows.end > tokens {
                bail!("a text reaches from row {} to {}, there are {tokens}", rows.start, rows.end);
            }
            for row in rows.clone() {
                let (before, distance) = if row < first { (0, first - row) } else { (1, row.saturating_sub(last)) };
                let bucket = DISTANCES.partition_point(|limit| (*limit as usize) < distance);
                elsewhere[span * tokens + row] = 0.0;
                buckets[span * tokens + row] = (before * (DISTANCES.len() + 1) + bucket) as u32;
            }
        }
        let device = hidden.device();
        let near = self.distance.index_select(&Tensor::from_vec(buckets, count * tokens, device)?, 0)?.reshape((count, tokens))?;
        let scores = (states.matmul(&self.query.t()?)?.matmul(&hidden.matmul(&self.key.t()?)?.t()?)? / (KEY as f64).sqrt())?;
        let scores = ((scores + near)? + Tensor::from_vec(elsewhere, (count, tokens), device)?)?;
        let raised = scores.broadcast_sub(&scores.max_keepdim(1)?.detach())?.exp()?;
        let shares = raised.broadcast_div(&raised.sum_keepdim(1)?)?;
        let seen = shares.matmul(hidden)?.matmul(&self.context.t()?)?;
        plain::dropout(&(plain::linear(states, &self.own.0, &self.own.1)? + seen)?.gelu_erf()?, mode.next_dropout())
    }
}

impl PairHead {
    /// `[pairs, WIDTH]`
    fn states(&self, hidden: &Tensor, spans: &Tensor, of: &SpanBatch, pairs: &PairBatch, mode: &mut Mode) -> Result<Tensor> {
        let device = hidden.device();
        let index = |values: Vec<u32>| Tensor::from_vec(values, pairs.len(), device);
        if pairs.from.iter().chain(&pairs.to).any(|span| *span as usize >= of.len()) {
            bail!("a pair names a span that is not among the {}", of.len());
        }
        let (from, to) = (index(pairs.from.clone())?, index(pairs.to.clone())?);
        let places = pairs.from.iter().zip(&pairs.to).map(|(from, to)| of.between(*from as usize, *to as usize));
        let (between, distances): (Vec<_>, Vec<u32>) = places.unzip();
        // Projected before they are gathered: a span stands in many pairs.
        let one = plain::linear(spans, &self.from.0, &self.from.1)?.index_select(&from, 0)?;
        let other = spans.matmul(&self.to.t()?)?.index_select(&to, 0)?;
        let product = spans.index_select(&from, 0)?.mul(&spans.index_select(&to, 0)?)?.matmul(&self.product.t()?)?;
        let between = means(hidden, between)?.matmul(&self.between.t()?)?;
        let distance = self.distance.index_select(&index(distances)?, 0)?;
        let crowd = self.crowd.index_select(&index(pairs.crowd.clone())?, 0)?;
        let states = (((((one + other)? + product)? + between)? + distance)? + crowd)?.gelu_erf()?;
        plain::dropout(&states, mode.next_dropout())
    }
}

/// Plain numbers of [`OpinionLogits`], row after row; empty where there is no such answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpinionScores {
    /// `[spans, 3]`
    pub polarity: Vec<f32>,
    /// `[pairs, 2]`
    pub links: Vec<f32>,
    /// `[pairs, 3]`
    pub link_polarity: Vec<f32>,
    /// `[spans, width]`: values of all attributes.
    pub values: Vec<f32>,
    pub width: usize,
}

impl OpinionScores {
    /// Probability of each polarity of a span; `None` without that head.
    pub fn polarity(&self, span: usize) -> Option<[f32; POLARITIES]> {
        softmax(&self.polarity, span)
    }

    /// Probability of each value of an attribute of a span, whose values are `which` of all; `None` without that head.
    pub fn attribute(&self, span: usize, which: Range<usize>) -> Option<Vec<f32>> {
        let row = self.values.get(span * self.width..(span + 1) * self.width)?.get(which).filter(|row| !row.is_empty())?;
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let raised: Vec<f32> = row.iter().map(|logit| (logit - top).exp()).collect();
        let sum: f32 = raised.iter().sum();
        Some(raised.into_iter().map(|share| share / sum).collect())
    }

    /// Probability that a pair belongs together; `None` without that head.
    pub fn link(&self, pair: usize) -> Option<f32> {
        softmax::<2>(&self.links, pair).map(|[_, together]| together)
    }

    /// Probability of each polarity of a pair, if it belongs together; `None` without that head.
    pub fn link_polarity(&self, pair: usize) -> Option<[f32; POLARITIES]> {
        softmax(&self.link_polarity, pair)
    }
}

fn softmax<const WIDE: usize>(logits: &[f32], row: usize) -> Option<[f32; WIDE]> {
    let row: [f32; WIDE] = logits.get(WIDE * row..WIDE * (row + 1))?.try_into().ok()?;
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares = row.map(|logit| (logit - top).exp());
    let sum: f32 = shares.iter().sum();
    Some(shares.map(|share| share / sum))
}

/// Mean of each range of rows, as a product with a matrix of shares.
fn means(hidden: &Tensor, ranges: Vec<Range<usize>>) -> Result<Tensor> {
    let (tokens, _) = hidden.dims2()?;
    let mut shares = vec![0f32; ranges.len() * tokens];
    for (row, range) in shares.chunks_exact_mut(tokens.max(1)).zip(&ranges) {
        let share = 1.0 / range.len().max(1) as f32;
        let inside = row.get_mut(range.clone()).ok_or_else(|| Error::Msg(format!("a span reaches beyond {tokens} pieces")).bt())?;
        inside.fill(share);
    }
    Tensor::from_vec(shares, (ranges.len(), tokens), hidden.device())?.matmul(hidden)
}
