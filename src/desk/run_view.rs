//! What the training pane shows of a run, whether it goes on or has ended.

use super::Curve;
use crate::store::{RunStatus, RunSummary};
use crate::train::{Evaluation, LayerStats, Report, Started, StepEvent, TrainConfig, TrainEvent};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading the encoder.
    Loading,
    Running,
    Paused,
    /// Asked to stop or cancel; the step under way is being finished.
    Stopping,
    Finished,
    Cancelled,
    /// Its program ended before it did.
    Interrupted,
    Failed(String),
}

/// Everything the training pane shows of one run.
#[derive(Clone, Debug)]
pub struct RunView {
    pub id: String,
    pub config: TrainConfig,
    pub phase: Phase,
    pub started: Option<Started>,
    /// x is the step.
    pub loss: Curve,
    pub lr: Curve,
    pub grad_norm: Curve,
    pub last_step: Option<StepEvent>,
    pub evaluations: Vec<Evaluation>,
    /// Norms of each layer, where the settings asked for them.
    pub layers: Vec<LayerStats>,
    pub report: Option<Report>,
    /// Training time so far in seconds, pauses left out.
    pub seconds: f64,
}

impl RunView {
    pub(super) fn new(id: String, config: TrainConfig, phase: Phase) -> Self {
        Self {
            id,
            config,
            phase,
            started: None,
            loss: Curve::default(),
            lr: Curve::default(),
            grad_norm: Curve::default(),
            last_step: None,
            evaluations: Vec::new(),
            layers: Vec::new(),
            report: None,
            seconds: 0.0,
        }
    }

    pub(super) fn take(&mut self, event: TrainEvent) {
        match event {
            TrainEvent::Started(started) => self.started = Some(started),
            TrainEvent::Step(step) => {
                let x = step.step as f64;
                self.loss.push(x, step.loss);
                self.lr.push(x, step.lr);
                self.grad_norm.push(x, step.grad_norm);
                self.last_step = Some(step);
            }
            TrainEvent::Evaluated(evaluation) => self.evaluations.push(evaluation),
            TrainEvent::Checkpoint { .. } => {}
            TrainEvent::Layers(layers) => self.layers.push(layers),
            TrainEvent::Finished(report) => self.report = Some(report),
        }
    }

    /// Share of the steps done, 0 to 1.
    pub fn progress(&self) -> f32 {
        match (&self.started, &self.last_step) {
            (Some(started), Some(last)) if started.steps_total > 0 => last.step as f32 / started.steps_total as f32,
            _ => 0.0,
        }
    }

    /// Seconds left at the speed so far; `None` before the first steps.
    pub fn seconds_left(&self) -> Option<f64> {
        let share = f64::from(self.progress());
        (share > 0.0 && self.seconds > 1.0).then(|| self.seconds / share * (1.0 - share))
    }

    /// The evaluation with the best weights so far.
    pub fn best(&self) -> Option<&Evaluation> {
        self.evaluations.iter().rfind(|evaluation| evaluation.is_best)
    }

    pub fn is_going_on(&self) -> bool {
        matches!(self.phase, Phase::Loading | Phase::Running | Phase::Paused | Phase::Stopping)
    }
}

pub(super) fn stored_view(summary: &RunSummary, events: Vec<TrainEvent>) -> RunView {
    let phase = match &summary.status {
        RunStatus::Finished => Phase::Finished,
        RunStatus::Failed(reason) => Phase::Failed(reason.clone()),
        RunStatus::Running | RunStatus::Interrupted => Phase::Interrupted,
        RunStatus::Cancelled => Phase::Cancelled,
    };
    let mut view = RunView::new(summary.id.clone(), summary.config.clone(), phase);
    events.into_iter().for_each(|event| view.take(event));
    view.report = summary.report.clone().or(view.report);
    view.seconds = view.report.as_ref().map_or(0.0, |report| report.seconds);
    view
}
