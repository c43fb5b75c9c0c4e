//! What a run does with its weights between and after the steps: scores them, keeps the best, reports them.

use super::fit::{Outcome, Signal, TrainError};
use super::output::model_files;
use super::patience::blur;
use super::run::{Best, End, Run, Sink};
use super::scoring::{Scored, score};
use super::task::{Item, Task};
use super::{
    EightBits, Evaluation, HeldOut, Report, Scores, Slice, TrainEvent, TrainingAspects, Tuned, calibrated, fit_alone, fit_calibration,
    fit_label_thresholds, fit_span_threshold, fit_spans, fit_threshold, reliability, slices, wrong_documents,
};
use crate::nn::kernels::Stored;
use crate::nn::{Calibration, ModelFiles, QuestionForm, QuestionKind, Tensor};
use std::collections::BTreeMap;

impl Run<'_> {
    /// Scores the dev documents and keeps the weights if they are the best so far. Gives what the listener wants then.
    pub(super) fn evaluate(&mut self, sink: &mut Sink) -> Result<Signal, TrainError> {
        self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
        self.averaging.at_evaluation(&self.params)?;
        if self.task.dev.is_empty() {
            return Ok(Signal::Continue);
        }
        let averaged = self.averaging.weights(&self.params)?;
        let own = averaged.is_some().then(|| self.params.snapshot()).transpose().map_err(TrainError::compute)?;
        self.put(averaged.as_ref())?;
        let scored = score(&self.model, self.task, &self.task.dev, self.config)?;
        let selection = scored.scores.selection();
        let verdict = self.patience.observe(selection, blur(selection, self.task.dev.len()));
        // With few documents no span is found for a while, and what is scored meanwhile hardly moves.
        if scored.scores.span_f1 == Some(0.0) {
            self.patience.wait();
        }
        let (step, epoch) = (self.steps_done, self.epochs_done());
        let (scores, wrong) = (scored.scores.clone(), wrong_documents(&scored.held_out));
        let event = Evaluation { step, epoch, scores, is_best: verdict.is_best, wrong };
        if verdict.is_best {
            let weights = averaged.map_or_else(|| self.params.snapshot(), Ok).map_err(TrainError::compute)?;
            self.best = Some(Best { step, epoch, weights, scored: Some(scored) });
        }
        self.put(own.as_ref())?;
        let mut wish = sink(TrainEvent::Evaluated(event));
        if verdict.is_best && wish != Signal::Cancel {
            wish = wish.max(sink(TrainEvent::Checkpoint { step }));
        }
        Ok(wish)
    }

    fn put(&self, weights: Option<&BTreeMap<String, Tensor>>) -> Result<(), TrainError> {
        weights.map_or(Ok(()), |weights| self.params.restore(weights)).map_err(TrainError::compute)
    }

    /// What the dev documents say about how likely things are. They are scored anew with it.
    fn calibrate(&self, dev: &mut Scored) -> Calibration {
        let spans = fit_spans(&dev.held_out);
        let span = fit_span_threshold(&dev.held_out, spans);
        let mut link = Calibration::default().link;
        dev.leave_out(span, self.task);
        if self.task.opinions.links {
            let (cases, all) = dev.link_cases();
            link = fit_threshold(&cases, all);
        }
        dev.decide(link, 0.0, self.task);
        let alone = if self.task.implicit { fit_alone(&dev.held_out) } else { 0.0 };
        dev.decide(link, alone, self.task);
        Calibration { link, span, alone, spans, ..fit_calibration(&dev.held_out) }
    }

    /// The questions beside the main one, with the thresholds that are best on the dev documents.
    fn with_thresholds(&self, dev: Option<&Scored>) -> Vec<QuestionForm> {
        let mut forms = self.task.questions.clone();
        for (at, form) in forms.iter_mut().enumerate() {
            if let (QuestionKind::Labels { labels, thresholds }, Some(dev)) = (&mut form.kind, dev) {
                *thresholds = fit_label_thresholds(&dev.held_out, at, labels.len());
            }
        }
        forms
    }

    /// What the weights as whole numbers of eight bits answer to documents that float32 answered as `raw`.
    fn eight_bits(&mut self, held_out: &[Item], raw: &[HeldOut], calibration: Calibration) -> Result<Option<EightBits>, TrainError> {
        if held_out.is_empty() || self.model.encoder().is_none() || self.config.tuned == Tuned::Lora || !Stored::Int8.is_native() {
            return Ok(None);
        }
        self.model.freeze(Some(Stored::Int8)).map_err(TrainError::compute)?;
        // Not every encoder can be held so.
        if self.model.encoder().is_none_or(|encoder| encoder.stored().is_none()) {
            return Ok(None);
        }
        let scored = score(&self.model, self.task, held_out, self.config);
        self.model.freeze(None).map_err(TrainError::compute)?;
        let mut scored = scored?;
        scored.leave_out(calibration.span, self.task);
        scored.decide(calibration.link, calibration.alone, self.task);
        let changed = scored.held_out.iter().zip(raw).filter(|(own, other)| own.class != other.class || own.spans != other.spans);
        let changed = changed.count();
        let Scores { accuracy, macro_f1, span_f1, opinions, .. } = scored.scores;
        Ok(Some(EightBits { accuracy, macro_f1, span_f1, triplet_f1: opinions.triplet_f1, changed }))
    }

    /// The report of the best weights, and the model.
    pub fn finish(mut self, end: End, encoder: &ModelFiles, sink: &mut Sink) -> Result<Outcome, TrainError> {
        self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
        // Stopped before the first evaluation: the weights as they are.
        if self.best.is_none() && !self.task.dev.is_empty() && self.evaluate(sink)? == Signal::Cancel {
            return Ok(Outcome::Cancelled);
        }
        let (mut best_step, mut best_epoch, mut scored) = (self.steps_done, self.epochs_done(), None);
        if let Some(best) = self.best.take() {
            self.put(Some(&best.weights))?;
            let again = || score(&self.model, self.task, &self.task.dev, self.config);
            (best_step, best_epoch, scored) = (best.step, best.epoch, Some(best.scored.map_or_else(again, Ok)?));
        } else {
            self.put(self.averaging.weights(&self.params)?.as_ref())?;
        }
        let on_test = !self.task.test.is_empty();
        let held_out = if on_test { &self.task.test } else { &self.task.dev };
        let calibration = scored.as_mut().map_or_else(Calibration::default, |dev| self.calibrate(dev));
        let forms = self.with_thresholds(scored.as_ref());
        if let Some(dev) = scored.as_mut().filter(|_| !forms.is_empty()) {
            dev.say_labels(&forms);
        }
        let Scored { scores, held_out: raw, .. } = match scored.filter(|_| !on_test) {
            Some(scored) => scored,
            None => {
                let mut scored = score(&self.model, self.task, held_out, self.config)?;
                scored.leave_out(calibration.span, self.task);
                scored.decide(calibration.link, calibration.alone, self.task);
                if !forms.is_empty() {
                    scored.say_labels(&forms);
                }
                scored
            }
        };
        let eight_bits = self.eight_bits(held_out, &raw, calibration)?;
        let held_out = calibrated(calibration, &raw);
        let slices = sliced(self.task, &held_out);
        let files = model_files(self.task, (&self.model, &self.params), encoder, calibration, &forms)?;
        sink(TrainEvent::Finished(Report {
            scores,
            scored_on: if on_test { "test" } else { "dev" }.to_owned(),
            slices,
            examples: held_out.len(),
            best_step,
            best_epoch,
            stopped_early: end == End::OutOfPatience,
            stopped_by_hand: end == End::ByHand,
            seconds: self.whole_time().as_secs_f64(),
            real_tokens_per_s: self.tokens_per_s(),
            reliability: reliability(&raw, &held_out),
            eight_bits,
            aspects: self.task.roles.aspects.clone(),
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
