//! A run under way: its steps. What stands between them and after them is in `judging`, their order in `plan`.

use super::attributes::attribute_loss;
use super::averaging::Averaging;
use super::batching::consecutive;
use super::fit::{Signal, TrainError};
use super::layer_stats::{LayerStats, is_due, layer_stats};
use super::losses::{
    BatchWeights, CLASS, HeadSet, LINK_POLARITY, LINKS, Losses, POLARITY, QUESTIONS, SPANS, VALUES, class_loss_of, head_of, loss_of,
    number, share_of, sum,
};
use super::methods::{PrecisionChoice, load_options, optimiser};
use super::opinions::Lesson;
use super::patience::Patience;
use super::plan::{Planned, generator, plan, step_generator};
use super::questions::question_loss;
use super::scoring::Scored;
use super::span_loss::span_loss;
use super::task::{Batch, Item, Task};
use super::weighting::{self, Taught, Variances};
use super::{
    ModelChoice, Started, StepEvent, TrainConfig, TrainEvent, Tuned, first_learning_layer, memory_bytes, scratch, scratch_memory_bytes,
};
use crate::nn::kernels::Precision;
use crate::nn::{
    DeviceChoice, Gradients, JointModel, LoadReport, Logits, Mode, ModelFiles, Network, Optimiser, Params, Place, State, Tensor, unreached,
};
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) type Sink<'s> = dyn FnMut(TrainEvent) -> Signal + 's;
pub(super) type Keep<'s> = dyn FnMut(&State) -> Signal + 's;

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    OutOfPatience,
    ByHand,
    Cancelled,
    /// To be gone on with.
    Left,
}

/// The best weights so far.
pub(super) struct Best {
    pub step: usize,
    pub epoch: f64,
    pub weights: BTreeMap<String, Tensor>,
    /// `None` when it was scored by a run that this one goes on with.
    pub scored: Option<Scored>,
}

/// What a batch taught.
#[derive(Default)]
struct Learnt {
    loss: f64,
    class_loss: Option<f64>,
    span_loss: Option<f64>,
    polarity_loss: Option<f64>,
    link_loss: Option<f64>,
    question_loss: Option<f64>,
    /// Tasks with what they count.
    tasks: Taught,
    heads: HeadSet,
    grads: Gradients,
    tokens: usize,
    /// Tokens of the longest text.
    longest: usize,
}

pub(super) struct Run<'a> {
    pub(super) config: &'a TrainConfig,
    pub(super) elapsed: &'a dyn Fn() -> Duration,
    pub(super) task: &'a Task<'a>,
    pub(super) model: JointModel,
    pub(super) params: Params,
    /// Where it computes, in a sentence, unless that goes without saying.
    pub(super) place_note: Option<String>,
    pub(super) loaded: LoadReport,
    pub(super) optimiser: Optimiser,
    pub(super) averaging: Averaging,
    pub(super) dropout: StdRng,
    pub(super) class_weights: Vec<f32>,
    /// Of the tasks, where they learn.
    pub(super) variances: Variances,
    pub(super) plan: Vec<Planned>,
    pub(super) patience: Patience,
    pub(super) best: Option<Best>,
    /// Heads whose every parameter was seen to learn.
    pub(super) seen: HeadSet,
    pub(super) steps_done: usize,
    /// Whether the evaluation that the plan wants after the last step is still to come.
    pub(super) evaluation_due: bool,
    pub(super) tokens: usize,
    pub(super) training_time: Duration,
    /// How long the run had gone on before it was left.
    pub(super) earlier: Duration,
    /// Measured at the last step, not told yet.
    pub(super) layers: Option<LayerStats>,
}

impl<'a> Run<'a> {
    pub fn new(
        task: &'a Task<'a>,
        config: &'a TrainConfig,
        encoder: &ModelFiles,
        elapsed: &'a dyn Fn() -> Duration,
    ) -> Result<Self, TrainError> {
        let (place, place_note) = place(config);
        let mut params = Params::at(place);
        let options = load_options(config);
        let (model, loaded) = JointModel::load(encoder, task.sizes(config), &mut params, options, &mut generator(config.seed, 1))
            .map_err(TrainError::encoder)?;
        let tasks = ["class", "span", "polarity", "link"].map(str::to_owned).into_iter();
        let variances = Variances::new(config, tasks.chain((0..task.questions.len()).map(weighting::question)), &mut params)?;
        if let Some(encoder) = model.encoder() {
            encoder.set_precision(config.precision.here());
        }
        Ok(Self {
            config,
            elapsed,
            task,
            params,
            place_note,
            variances,
            loaded,
            optimiser: optimiser(config, model.network().encoder_layers()),
            averaging: Averaging::new(config),
            model,
            dropout: step_generator(config.seed, 0),
            class_weights: task.class_weights(config),
            plan: plan(task, config),
            patience: Patience::new(config.patience),
            best: None,
            seen: HeadSet::new(),
            steps_done: 0,
            evaluation_due: false,
            tokens: 0,
            training_time: Duration::ZERO,
            earlier: Duration::ZERO,
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
        notes.extend(self.place_note.clone());
        notes.push(format!("memory: up to {} MB", bytes / 1_000_000));
        if self.config.tuned != Tuned::Full || self.config.freeze_layers > 0 {
            let (learning, all) = (self.params.trainable_numbers(), self.params.numbers());
            notes.push(format!("{learning} of {all} numbers learn, {:.2} %", learning as f64 * 100.0 / all.max(1) as f64));
        }
        if self.model.encoder().is_some() {
            notes.extend(match (self.config.precision.here(), self.config.precision) {
                (Precision::BFloat16, _) => Some("products take bfloat16 factors; weights and sums are float32".to_owned()),
                (_, PrecisionChoice::BFloat16) => Some("this processor does not multiply bfloat16: products take float32".to_owned()),
                _ => None,
            });
        }
        if self.steps_done > 0 {
            notes.push(format!("goes on after step {}", self.steps_done));
        }
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
            train_examples: self.task.read_in_an_epoch().len(),
            dev_examples: self.task.dev.len(),
            test_examples: self.task.test.len(),
            steps_total: self.plan.len(),
            parameters: self.params.trainable_numbers(),
            notes,
        }
    }

    /// All steps that are left with the evaluations between them, until something ends it. `keep` takes the state.
    pub fn train(&mut self, sink: &mut Sink, keep: &mut Keep) -> Result<End, TrainError> {
        let started = sink(TrainEvent::Started(self.started()));
        if let Some(end) = self.obey(started, keep)? {
            return Ok(end);
        }
        loop {
            if self.evaluation_due {
                let wish = self.evaluate(sink)?;
                self.evaluation_due = false;
                if let Some(end) = self.obey(wish, keep)? {
                    return Ok(end);
                }
                if wish == Signal::Continue && !self.patience.is_exhausted() {
                    let answer = keep(&self.state()?);
                    if let Some(end) = self.obey(answer, keep)? {
                        return Ok(end);
                    }
                }
            }
            // A run may have been left right here.
            if self.patience.is_exhausted() {
                return Ok(End::OutOfPatience);
            }
            let at = self.steps_done;
            if at == self.plan.len() {
                return Ok(End::Complete);
            }
            let event = self.step(at)?;
            self.evaluation_due = self.plan[at].evaluate;
            let mut wish = sink(TrainEvent::Step(event));
            if let Some(layers) = self.layers.take() {
                wish = wish.max(sink(TrainEvent::Layers(layers)));
            }
            if let Some(end) = self.obey(wish, keep)? {
                return Ok(end);
            }
        }
    }

    /// Does what the listener wants; `Some` when the run shall end.
    fn obey(&mut self, mut wish: Signal, keep: &mut Keep) -> Result<Option<End>, TrainError> {
        loop {
            wish = match wish {
                Signal::Continue => return Ok(None),
                Signal::StopAndKeepBest => return Ok(Some(End::ByHand)),
                Signal::Cancel => return Ok(Some(End::Cancelled)),
                Signal::Keep => keep(&self.state()?),
                Signal::Leave => {
                    let answer = keep(&self.state()?);
                    return Ok(Some(if answer == Signal::Cancel { End::Cancelled } else { End::Left }));
                }
            }
        }
    }

    fn step(&mut self, at: usize) -> Result<StepEvent, TrainError> {
        let began = (self.elapsed)();
        let epoch = self.plan[at].epoch;
        let (step, lr) = (at + 1, self.config.lr * self.config.schedule.factor(at, self.plan.len(), self.config.warmup));
        self.dropout = step_generator(self.config.seed, at);
        if let Some(encoder) = self.model.encoder() {
            encoder.learn_from(self.first_learning(at));
        }
        let Learnt { loss, class_loss, span_loss, polarity_loss, link_loss, question_loss, heads, grads, tokens, longest, .. } =
            self.gradients(at)?;
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
        if self.averaging.follows_steps() {
            self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
            self.averaging.after_step(&self.params)?;
        }
        let event = StepEvent {
            step,
            epoch,
            loss,
            class_loss,
            span_loss,
            polarity_loss,
            link_loss,
            question_loss,
            lr,
            grad_norm,
            tokens_per_s: 0.0,
        };
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
        let batches = self.plan[at].batches.iter();
        let parts: Vec<(Vec<&Item>, Batch)> = batches
            .flat_map(|batch| consecutive(batch, lengths, self.config.tokens_at_once))
            .map(|items| {
                let members: Vec<&Item> = items.iter().map(|index| &task.train[*index]).collect();
                let mut batch = Batch::of(&members, &self.class_weights, task.labels.len(), false);
                batch.ask(&members, task);
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
            self.watch_for_attacks();
            let (losses, answers) = self.losses(members, part, &whole)?;
            let Some(total) = self.variances.total(&losses, self.config, &mut learnt.tasks)? else { continue };
            let total = self.with_second_pass((total, &answers), members, part, &whole)?;
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
            for loss in losses.questions.iter().flatten() {
                learnt.question_loss = Some(learnt.question_loss.unwrap_or(0.0) + number(loss)?);
            }
            learnt.heads.extend(losses.heads);
            let grads = self.params.backward(&total).map_err(TrainError::compute)?;
            learnt.grads.add(grads).map_err(TrainError::compute)?;
            if let Some(grads) = self.attacked(members, part, &whole)? {
                learnt.grads.add(grads).map_err(TrainError::compute)?;
            }
        }
        if let Some(penalty) = self.variances.penalty(&learnt.tasks)? {
            learnt.loss += number(&penalty)?;
            learnt.grads.add(self.params.backward(&penalty).map_err(TrainError::compute)?).map_err(TrainError::compute)?;
        }
        if learnt.tasks.is_empty() {
            return Err(TrainError::Compute("a batch teaches nothing".to_owned()));
        }
        Ok(learnt)
    }

    /// The losses of a part of a batch, and the answers behind them: of classes and tags, then, with what the tags propose, of polarity and links.
    pub(super) fn losses(&mut self, members: &[&Item], part: &Batch, whole: &BatchWeights) -> Result<(Losses, Logits), TrainError> {
        let mut mode = Mode::Train { rng: &mut self.dropout, dropout: self.config.dropout as f32 };
        let logits = self.model.forward(&part.texts, &part.units, &mut mode).map_err(TrainError::compute)?;
        let mut losses = Losses {
            class: share_of(class_loss_of(logits.class.as_ref(), &part.classes, self.config)?, part.classes.weight() / whole.classes)?,
            distilled: part.taught.loss(logits.class.as_ref(), whole.distilled, self.config)?,
            ..Losses::default()
        };
        if losses.class.is_some() || losses.distilled.is_some() {
            losses.heads.insert(CLASS);
        }
        for (at, form) in self.task.questions.iter().enumerate() {
            losses.questions.push(question_loss(&form.kind, &logits.questions[at], &part.questions[at], whole.questions[at])?);
        }
        // They share a layer, so that all of it learns only where all are taught.
        if !losses.questions.is_empty() && losses.questions.iter().all(Option::is_some) {
            losses.heads.insert(QUESTIONS);
        }
        let sizes = (self.task.labels.len(), self.task.widest);
        let learning = (&mut mode, &mut losses.heads);
        losses.span = span_loss(&self.model, &logits, members, (part, whole), sizes, self.config, learning)?;
        if self.task.opinions.is_empty() {
            return Ok((losses, logits));
        }
        let numbers = |tags: &Tensor| tags.detach().flatten_all()?.to_vec1::<f32>();
        let tags = logits.tags.as_ref().map_or(Ok(Vec::new()), numbers).map_err(TrainError::compute)?;
        let lesson = Lesson::of(members, &part.texts, &tags, self.task);
        let opinions = self.model.opinions(&logits.hidden, &lesson.spans, &lesson.pairs, &mut mode).map_err(TrainError::compute)?;
        let Some(opinions) = opinions else { return Ok((losses, logits)) };
        let spans =
            share_of(loss_of(opinions.polarity.as_ref(), &lesson.polarity)?, lesson.polarity.weight() / whole.opinions.polarity.max(1.0))?;
        let pairs = share_of(
            loss_of(opinions.link_polarity.as_ref(), &lesson.link_polarity)?,
            lesson.link_polarity.weight() / whole.opinions.link_polarity.max(1.0),
        )?;
        losses.link = share_of(loss_of(opinions.links.as_ref(), &lesson.links)?, lesson.links.weight() / whole.opinions.links.max(1.0))?;
        let values = attribute_loss(opinions.values.as_ref(), &lesson.values, self.task.attributes, whole.opinions.values)?;
        let taught = [
            (SPANS, spans.is_some() || values.is_some() || losses.link.is_some()),
            (VALUES, values.is_some()),
            (POLARITY, spans.is_some()),
            (LINKS, losses.link.is_some()),
            (LINK_POLARITY, pairs.is_some()),
        ];
        losses.heads.extend(taught.into_iter().filter(|(_, taught)| *taught).map(|(head, _)| head));
        losses.polarity = sum([spans, pairs, values].into_iter().flatten())?;
        Ok((losses, logits))
    }

    /// Refuses to go on when the first batch that teaches a head leaves a parameter without gradient: it would never
    /// learn, and nothing else would say so.
    fn check_reached(&mut self, grads: &Gradients, taught: &HeadSet) -> Result<(), TrainError> {
        if taught.is_subset(&self.seen) {
            return Ok(());
        }
        let mut names = unreached(&self.params, grads).map_err(TrainError::compute)?;
        let first = self.first_learning(self.steps_done);
        names.retain(|name| match head_of(name) {
            Some(head) => taught.contains(head),
            None => learns_from(name, first),
        });
        if let Some(first) = names.first() {
            return Err(TrainError::Compute(format!("{} parameters do not learn, among them {first}", names.len())));
        }
        self.seen.extend(taught);
        Ok(())
    }

    /// The lowest layer that learns in a step.
    fn first_learning(&self, at: usize) -> usize {
        first_learning_layer(self.model.network().encoder_layers(), self.plan.get(at).map_or(0, Planned::epoch_index), self.config)
    }

    /// How long the run has gone on, pauses left out.
    pub(super) fn whole_time(&self) -> Duration {
        self.earlier + (self.elapsed)()
    }

    /// 0 while no time has passed.
    pub(super) fn tokens_per_s(&self) -> f64 {
        let seconds = self.training_time.as_secs_f64();
        if seconds > 0.0 { self.tokens as f64 / seconds } else { 0.0 }
    }

    pub(super) fn epochs_done(&self) -> f64 {
        self.steps_done.checked_sub(1).map_or(0.0, |last| self.plan[last].epoch)
    }
}

/// Where a run computes, and what to say of it.
fn place(config: &TrainConfig) -> (Place, Option<String>) {
    if config.model == ModelChoice::Encoder {
        return Place::find(config.device);
    }
    let asked = !matches!(config.device, DeviceChoice::Auto | DeviceChoice::Cpu);
    let note = asked.then(|| format!("computes on the processor: a {} has no way to compute elsewhere", config.model.name()));
    (Place::processor(), note)
}

/// Whether a parameter of the encoder gets a gradient when layers learn from `first` on. Those that low-rank updates begin
/// from get none before the zeros they are multiplied with have changed.
fn learns_from(name: &str, first: usize) -> bool {
    let layer = name.strip_prefix("bert.encoder.layer.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
    layer.unwrap_or(0) >= first && !name.contains(".lora_A.")
}
