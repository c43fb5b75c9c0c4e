//! A run under way: steps, evaluations, the best weights so far, the report.

use super::batching::{consecutive, epoch_batches, rate_factor};
use super::fit::{Outcome, Signal, TrainError};
use super::layer_stats::{LayerStats, is_due, layer_stats};
use super::losses::{BatchWeights, CLASS, HeadSet, LINK_POLARITY, LINKS, Losses, POLARITY, SPANS, head_of, loss_of, number, share_of, sum};
use super::opinions::Lesson;
use super::output::model_files;
use super::patience::Patience;
use super::scoring::{Scored, score};
use super::span_loss::span_loss;
use super::task::{Batch, Item, Task};
use super::{
    Evaluation, HeldOut, ModelChoice, Report, Slice, Started, StepEvent, TrainConfig, TrainEvent, TrainingAspects, calibrated,
    fit_calibration, fit_threshold, memory_bytes, reliability, scratch, scratch_memory_bytes, slices, wrong_documents,
};
use crate::nn::{AdamW, Calibration, Gradients, JointModel, LoadOptions, LoadReport, Mode, ModelFiles, Network, Params, Tensor, unreached};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::time::Duration;

type Sink<'s> = dyn FnMut(TrainEvent) -> Signal + 's;

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    OutOfPatience,
    ByHand,
    Cancelled,
}

/// The best weights so far.
struct Best {
    step: usize,
    epoch: f64,
    weights: BTreeMap<String, Tensor>,
    scored: Scored,
}

/// A batch and its place in the run.
struct Planned {
    items: Vec<usize>,
    /// Epochs done after it.
    epoch: f64,
    evaluate: bool,
}

/// What a batch taught.
#[derive(Default)]
struct Learnt {
    loss: f64,
    class_loss: Option<f64>,
    span_loss: Option<f64>,
    polarity_loss: Option<f64>,
    link_loss: Option<f64>,
    heads: HeadSet,
    grads: Gradients,
    tokens: usize,
    /// Tokens of the longest text.
    longest: usize,
}

pub(super) struct Run<'a> {
    config: &'a TrainConfig,
    elapsed: &'a dyn Fn() -> Duration,
    task: &'a Task<'a>,
    model: JointModel,
    params: Params,
    loaded: LoadReport,
    optimiser: AdamW,
    dropout: StdRng,
    class_weights: Vec<f32>,
    plan: Vec<Planned>,
    patience: Patience,
    best: Option<Best>,
    /// Heads whose every parameter was seen to learn.
    seen: HeadSet,
    steps_done: usize,
    tokens: usize,
    training_time: Duration,
    /// Measured at the last step, not told yet.
    layers: Option<LayerStats>,
}

/// Independent generators from one seed, so that a setting that draws more from one does not change the others.
fn generator(seed: u64, purpose: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(purpose))
}

impl<'a> Run<'a> {
    pub fn new(
        task: &'a Task<'a>,
        config: &'a TrainConfig,
        encoder: &ModelFiles,
        elapsed: &'a dyn Fn() -> Duration,
    ) -> Result<Self, TrainError> {
        let mut params = Params::new();
        let options = LoadOptions { frozen_layers: config.freeze_layers, tune_embeddings: config.table_learns(), ..LoadOptions::TRAINABLE };
        let (model, loaded) = JointModel::load(encoder, task.sizes(config), &mut params, options, &mut generator(config.seed, 1))
            .map_err(TrainError::encoder)?;
        let optimiser = AdamW::new(config.weight_decay, config.head_lr_factor);
        Ok(Self {
            config,
            elapsed,
            task,
            params,
            loaded,
            optimiser: optimiser.with_layer_decay(config.layer_decay, model.network().encoder_layers()),
            model,
            dropout: generator(config.seed, 2),
            class_weights: task.class_weights(config),
            plan: plan(task, config),
            patience: Patience::new(config.patience),
            best: None,
            seen: HeadSet::new(),
            steps_done: 0,
            tokens: 0,
            training_time: Duration::ZERO,
            layers: None,
        })
    }

    fn started(&self) -> Started {
        let network = self.model.network();
        let bytes = match network {
            Network::Encoder(encoder) => memory_bytes(encoder.config(), self.config),
            Network::Scratch(net) => scratch_memory_bytes(net.config(), self.config),
        };
        let mut notes = scratch::notes(network, &self.loaded);
        notes.push(format!("memory: up to {} MB", bytes / 1_000_000));
        if !self.loaded.unused.is_empty() {
            notes.push(format!(
                "{} parameters of the encoder's file are not used, among them {}",
                self.loaded.unused.len(),
                self.loaded.unused[0]
            ));
        }
        if self.config.model == ModelChoice::Encoder && self.config.tune_embeddings && self.config.freeze_layers > 0 {
            notes.push("the embedding table stays as it is, because layers above it are frozen".to_owned());
        }
        notes.extend(self.task.notes.iter().cloned());
        Started {
            train_examples: self.task.train.len(),
            dev_examples: self.task.dev.len(),
            test_examples: self.task.test.len(),
            steps_total: self.plan.len(),
            parameters: self.params.trainable_numbers(),
            notes,
        }
    }

    /// All steps with the evaluations between them, until something ends it.
    pub fn train(&mut self, sink: &mut Sink) -> Result<End, TrainError> {
        if let Some(end) = asked_to_end(sink(TrainEvent::Started(self.started()))) {
            return Ok(end);
        }
        for at in 0..self.plan.len() {
            let event = self.step(at)?;
            if let Some(end) = asked_to_end(sink(TrainEvent::Step(event))) {
                return Ok(end);
            }
            if let Some(layers) = self.layers.take()
                && let Some(end) = asked_to_end(sink(TrainEvent::Layers(layers)))
            {
                return Ok(end);
            }
            if self.plan[at].evaluate
                && let Some(end) = self.evaluate(sink)?
            {
                return Ok(end);
            }
        }
        Ok(End::Complete)
    }

    fn step(&mut self, at: usize) -> Result<StepEvent, TrainError> {
        let began = (self.elapsed)();
        let epoch = self.plan[at].epoch;
        let (step, lr) = (at + 1, self.config.lr * rate_factor(at, self.plan.len(), self.config.warmup));
        let Learnt { loss, class_loss, span_loss, polarity_loss, link_loss, heads, grads, tokens, longest } = self.gradients(at)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite { step, lr });
        }
        if self.config.layer_stats && is_due(step, self.plan.len()) {
            self.layers = Some(layer_stats(step, &self.params, &grads).map_err(TrainError::compute)?);
        }
        let grad_norm = self.optimiser.step(&self.params, &grads, lr, self.config.clip).map_err(TrainError::compute)?;
        if !grad_norm.is_finite() {
            return Err(TrainError::NotFinite { step, lr });
        }
        let event = StepEvent { step, epoch, loss, class_loss, span_loss, polarity_loss, link_loss, lr, grad_norm, tokens_per_s: 0.0 };
        // A recurrence is learnt from the second token on.
        if longest > 1 {
            self.check_reached(&grads, &heads)?;
        }
        self.steps_done = step;
        self.tokens += tokens;
        self.training_time += (self.elapsed)().saturating_sub(began);
        Ok(StepEvent { tokens_per_s: self.tokens_per_s(), ..event })
    }

    /// Losses and gradients of a planned batch, taken in parts where it is too large for one. Each part's mean loss
    /// counts by its share of the batch's weights, so that the sum is the mean of the whole.
    fn gradients(&mut self, at: usize) -> Result<Learnt, TrainError> {
        let task = self.task;
        let lengths = |index: usize| task.train[index].length();
        let parts = consecutive(&self.plan[at].items, lengths, self.config.tokens_at_once);
        let parts: Vec<(Vec<&Item>, Batch)> = parts
            .into_iter()
            .map(|items| {
                let members: Vec<&Item> = items.iter().map(|index| &task.train[*index]).collect();
                let mut batch = Batch::of(&members, &self.class_weights, task.labels.len(), false);
                if self.config.word_dropout > 0.0 {
                    batch.drop_words(&members, task.hidden_id, self.config.word_dropout, &mut self.dropout);
                }
                (members, batch)
            })
            .collect();
        if self.config.table_learns() {
            let read = |batch: &Batch| batch.texts.ids.iter().chain(&batch.units.char_id).copied().collect::<Vec<u32>>();
            let rows: Vec<u32> = parts.iter().flat_map(|(_, batch)| read(batch)).collect();
            self.optimiser.catch_up(&self.params, self.model.network().table_name(), &rows).map_err(TrainError::compute)?;
        }
        let mut whole = BatchWeights::default();
        parts.iter().for_each(|(members, batch)| whole.add(members, batch, task.opinions));
        let mut learnt = Learnt::default();
        for (members, part) in &parts {
            learnt.tokens += part.texts.tokens();
            learnt.longest = learnt.longest.max(part.texts.longest());
            let losses = self.losses(members, part, &whole)?;
            let Some(total) = losses.total(self.config)? else { continue };
            learnt.loss += number(&total)?;
            let sums = [
                (&mut learnt.class_loss, &losses.class),
                (&mut learnt.span_loss, &losses.span),
                (&mut learnt.polarity_loss, &losses.polarity),
                (&mut learnt.link_loss, &losses.link),
            ];
            for (sum, loss) in sums {
                if let Some(loss) = loss {
                    *sum = Some(sum.unwrap_or(0.0) + number(loss)?);
                }
            }
            learnt.heads.extend(losses.heads);
            learnt.grads.add(self.params.backward(&total).map_err(TrainError::compute)?);
        }
        if learnt.heads.is_empty() {
            return Err(TrainError::Compute("a batch teaches nothing".to_owned()));
        }
        Ok(learnt)
    }

    /// The losses of a part of a batch: of classes and tags, then, with what the tags propose, of polarity and links.
    fn losses(&mut self, members: &[&Item], part: &Batch, whole: &BatchWeights) -> Result<Losses, TrainError> {
        let mut mode = Mode::Train { rng: &mut self.dropout, dropout: self.config.dropout as f32 };
        let logits = self.model.forward(&part.texts, &part.units, &mut mode).map_err(TrainError::compute)?;
        let mut losses = Losses {
            class: share_of(loss_of(logits.class.as_ref(), &part.classes)?, part.classes.weight() / whole.classes)?,
            ..Losses::default()
        };
        if losses.class.is_some() {
            losses.heads.insert(CLASS);
        }
        let sizes = (self.task.labels.len(), self.task.widest);
        let learning = (&mut mode, &mut losses.heads);
        losses.span = span_loss(&self.model, &logits, members, (part, whole), sizes, self.config, learning)?;
        if self.task.opinions.is_empty() {
            return Ok(losses);
        }
        let numbers = |tags: &Tensor| tags.detach().flatten_all()?.to_vec1::<f32>();
        let tags = logits.tags.as_ref().map_or(Ok(Vec::new()), numbers).map_err(TrainError::compute)?;
        let lesson = Lesson::of(members, &part.texts, &tags, self.task.labels.len(), self.task.roles);
        let opinions = self.model.opinions(&logits.hidden, &lesson.spans, &lesson.pairs, &mut mode).map_err(TrainError::compute)?;
        let Some(opinions) = opinions else { return Ok(losses) };
        let spans =
            share_of(loss_of(opinions.polarity.as_ref(), &lesson.polarity)?, lesson.polarity.weight() / whole.opinions.polarity.max(1.0))?;
        let pairs = share_of(
            loss_of(opinions.link_polarity.as_ref(), &lesson.link_polarity)?,
            lesson.link_polarity.weight() / whole.opinions.link_polarity.max(1.0),
        )?;
        losses.link = share_of(loss_of(opinions.links.as_ref(), &lesson.links)?, lesson.links.weight() / whole.opinions.links.max(1.0))?;
        let taught = [
            (SPANS, spans.is_some() || losses.link.is_some()),
            (POLARITY, spans.is_some()),
            (LINKS, losses.link.is_some()),
            (LINK_POLARITY, pairs.is_some()),
        ];
        losses.heads.extend(taught.into_iter().filter(|(_, taught)| *taught).map(|(head, _)| head));
        losses.polarity = sum([spans, pairs].into_iter().flatten())?;
        Ok(losses)
    }

    /// Refuses to go on when the first batch that teaches a head leaves a parameter without gradient: it would never
    /// learn, and nothing else would say so.
    fn check_reached(&mut self, grads: &Gradients, taught: &HeadSet) -> Result<(), TrainError> {
        if taught.is_subset(&self.seen) {
            return Ok(());
        }
        let mut names = unreached(&self.params, grads).map_err(TrainError::compute)?;
        names.retain(|name| head_of(name).is_none_or(|head| taught.contains(head)));
        if let Some(first) = names.first() {
            return Err(TrainError::Compute(format!("{} parameters do not learn, among them {first}", names.len())));
        }
        self.seen.extend(taught);
        Ok(())
    }

    /// 0 while no time has passed.
    fn tokens_per_s(&self) -> f64 {
        let seconds = self.training_time.as_secs_f64();
        if seconds > 0.0 { self.tokens as f64 / seconds } else { 0.0 }
    }

    fn epochs_done(&self) -> f64 {
        self.steps_done.checked_sub(1).map_or(0.0, |last| self.plan[last].epoch)
    }

    /// Scores the dev documents and keeps the weights if they are the best so far.
    fn evaluate(&mut self, sink: &mut Sink) -> Result<Option<End>, TrainError> {
        if self.task.dev.is_empty() {
            return Ok(None);
        }
        self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
        let scored = score(&self.model, self.task, &self.task.dev, self.config)?;
        let verdict = self.patience.observe(scored.scores.selection());
        let (step, epoch) = (self.steps_done, self.epochs_done());
        let event =
            Evaluation { step, epoch, scores: scored.scores.clone(), is_best: verdict.is_best, wrong: wrong_documents(&scored.held_out) };
        if verdict.is_best {
            let weights = self.params.snapshot().map_err(TrainError::compute)?;
            self.best = Some(Best { step, epoch, weights, scored });
        }
        let mut end = asked_to_end(sink(TrainEvent::Evaluated(event)));
        if verdict.is_best && end != Some(End::Cancelled) {
            end = asked_to_end(sink(TrainEvent::Checkpoint { step })).or(end);
        }
        Ok(end.or(verdict.exhausted.then_some(End::OutOfPatience)))
    }

    /// What the dev documents say about how likely things are. They are scored anew with it.
    fn calibrate(&self, dev: &mut Scored) -> Calibration {
        let mut link = Calibration::default().link;
        if self.task.opinions.links {
            let (cases, all) = dev.link_cases();
            link = fit_threshold(&cases, all);
            dev.decide(link, self.task);
        }
        Calibration { link, ..fit_calibration(&dev.held_out) }
    }

    /// The report of the best weights, and the model.
    pub fn finish(mut self, end: End, encoder: &ModelFiles, sink: &mut Sink) -> Result<Outcome, TrainError> {
        self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
        // Stopped before the first evaluation: the weights as they are.
        if self.best.is_none() && self.evaluate(sink)? == Some(End::Cancelled) {
            return Ok(Outcome::Cancelled);
        }
        let (mut best_step, mut best_epoch, mut scored) = (self.steps_done, self.epochs_done(), None);
        if let Some(best) = self.best.take() {
            self.params.restore(&best.weights).map_err(TrainError::compute)?;
            (best_step, best_epoch, scored) = (best.step, best.epoch, Some(best.scored));
        }
        let on_test = !self.task.test.is_empty();
        let held_out = if on_test { &self.task.test } else { &self.task.dev };
        let calibration = scored.as_mut().map_or_else(Calibration::default, |dev| self.calibrate(dev));
        let Scored { scores, held_out: raw, .. } = match scored.filter(|_| !on_test) {
            Some(scored) => scored,
            None => {
                let mut scored = score(&self.model, self.task, held_out, self.config)?;
                if self.task.opinions.links {
                    scored.decide(calibration.link, self.task);
                }
                scored
            }
        };
        let held_out = calibrated(calibration, &raw);
        let slices = sliced(self.task, &held_out);
        let files = model_files(self.task, &self.model, &self.params, encoder, calibration)?;
        sink(TrainEvent::Finished(Report {
            scores,
            scored_on: if on_test { "test" } else { "dev" }.to_owned(),
            slices,
            examples: held_out.len(),
            aspects: self.task.roles.aspects.clone(),
            best_step,
            best_epoch,
            stopped_early: end == End::OutOfPatience,
            stopped_by_hand: end == End::ByHand,
            seconds: (self.elapsed)().as_secs_f64(),
            real_tokens_per_s: self.tokens_per_s(),
            reliability: reliability(&raw, &held_out),
            held_out,
        }));
        Ok(Outcome::Finished(Box::new(files)))
    }
}

/// The held-out documents in parts.
fn sliced(task: &Task, held_out: &[HeldOut]) -> Vec<Slice> {
    let texts: BTreeMap<u32, &str> = task.dev.iter().chain(&task.test).map(|item| (item.example.doc.0, &*item.example.text)).collect();
    let texts: Vec<&str> = held_out.iter().map(|doc| texts.get(&doc.doc).copied().unwrap_or_default()).collect();
    let training = TrainingAspects::of(task.train.iter().map(|item| &*item.example), task.roles);
    slices(held_out, &texts, &training, (task.classes, task.labels), task.roles)
}

/// All batches of all epochs, each with whether the dev documents are scored after it.
fn plan(task: &Task, config: &TrainConfig) -> Vec<Planned> {
    let lengths: Vec<usize> = task.train.iter().map(Item::length).collect();
    let mut rng = generator(config.seed, 3);
    let mut plan = Vec::new();
    for epoch in 0..config.epochs {
        let batches = epoch_batches(&lengths, config, &mut rng);
        let (count, evals) = (batches.len(), config.evals_per_epoch.clamp(1, batches.len().max(1)));
        let due = |done: usize| (1..=evals).any(|part| (part * count).div_ceil(evals) == done);
        plan.extend(batches.into_iter().zip(1..).map(|(items, done)| Planned {
            items,
            epoch: epoch as f64 + done as f64 / count as f64,
            evaluate: due(done),
        }));
    }
    plan
}

fn asked_to_end(signal: Signal) -> Option<End> {
    match signal {
        Signal::Continue => None,
        Signal::StopAndKeepBest => Some(End::ByHand),
        Signal::Cancel => Some(End::Cancelled),
    }
}
