//! Exporting documents: first what a format can't hold, then the file, then what reading it back shows. Everything runs on
//! the thread `gloss-io` over a copy of the project, so that labeling goes on.

use super::job::{Job, Reporter, seconds_left};
use super::{Command, Desk, Notice};
use crate::project::{History, Project};
use crate::store::export::{self, ExportFormat, Exported, Verified};
use crate::store::formats::Loss;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPlan {
    pub path: PathBuf,
    pub format: ExportFormat,
    /// Our own JSON Lines beside it, which hold all that the format can't.
    pub sidecar: bool,
    /// Reads the file back and compares.
    pub verify: bool,
}

/// What a format makes of the project.
#[derive(Clone, Debug)]
pub struct Planned {
    pub format: ExportFormat,
    pub documents: usize,
    /// What its offsets count.
    pub unit: Option<&'static str>,
    /// What it can't hold.
    pub losses: Vec<Loss>,
}

/// A file on its way.
#[derive(Clone, Debug)]
pub struct Writing {
    pub plan: ExportPlan,
    pub step: WritingStep,
    /// Of all steps, 0 to 1.
    pub share: f32,
    pub seconds_left: Option<f64>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WritingStep {
    File,
    Sidecar,
    ReadingBack,
}

/// A file that was written.
#[derive(Clone, Debug)]
pub struct Written {
    pub plan: ExportPlan,
    pub documents: usize,
    pub verified: Option<Verified>,
}

/// Where an export stands.
#[derive(Debug, Default)]
pub enum Exporting {
    #[default]
    Idle,
    /// The losses are being counted; how far that is (0 to 1).
    Planning(ExportFormat, f32),
    Planned(Planned),
    Writing(Writing),
    Written(Written),
    Failed {
        format: ExportFormat,
        reason: String,
    },
}

enum News {
    Planned(Planned),
    Progress(WritingStep, f32),
    Written(Box<Written>),
    /// Ended before anything was written.
    Cancelled,
    Failed(String),
}

#[derive(Default)]
pub(super) struct Exporter {
    view: Exporting,
    job: Option<Job<News>>,
    /// When that began.
    began: i64,
    /// Threads that are ending: another format may be asked for while a million documents are looked at.
    retired: Vec<Job<News>>,
}

impl Exporter {
    pub(super) fn view(&self) -> &Exporting {
        &self.view
    }

    pub(super) fn forget(&mut self) {
        self.become_idle_with(Exporting::Idle);
    }

    fn become_idle_with(&mut self, view: Exporting) {
        self.view = view;
        if let Some(job) = self.job.take() {
            job.request_stop();
            self.retired.push(job);
        }
    }
}

impl Desk {
    pub(super) fn export(&mut self, command: Command) {
        let Some((project, history)) = self.open.as_ref().map(|open| (&open.project, &open.history)) else { return };
        // A file that is being written is not given up for another one.
        let is_writing = matches!(self.exporting.view, Exporting::Writing(_));
        match command {
            Command::PlanExport(_) | Command::ExportAs(_) if is_writing => {}
            Command::PlanExport(format) => {
                let (project, history) = (project.clone(), history.clone());
                self.start_export(Exporting::Planning(format, 0.0), move |reporter| {
                    let mut watch = |share: f32| {
                        reporter.sample(News::Progress(WritingStep::File, share));
                        if reporter.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                    };
                    reporter.tell(match export::export_watched(&project, Some(&history), format, &mut watch) {
                        Ok(Some(Exported { documents, unit, losses, .. })) => News::Planned(Planned { format, documents, unit, losses }),
                        Ok(None) => News::Cancelled,
                        Err(error) => News::Failed(error.to_string()),
                    });
                });
            }
            Command::ExportAs(plan) => {
                let (project, history, to_do) = (project.clone(), history.clone(), (*plan).clone());
                let view = Writing { plan: *plan, step: WritingStep::File, share: 0.0, seconds_left: None };
                self.start_export(Exporting::Writing(view), move |reporter| {
                    reporter.tell(match write(&project, &history, to_do, reporter) {
                        Ok(Some(written)) => News::Written(Box::new(written)),
                        Ok(None) => News::Cancelled,
                        Err(reason) => News::Failed(reason),
                    });
                });
            }
            Command::SaveLossList(list) => self.save_losses(&list),
            // Whether something was written already, the thread tells.
            _ => match (&self.exporting.view, &self.exporting.job) {
                (Exporting::Writing(_), Some(job)) => job.request_stop(),
                _ => self.exporting.forget(),
            },
        }
    }

    fn start_export(&mut self, view: Exporting, work: impl FnOnce(&Reporter<News>) + Send + 'static) {
        self.exporting.forget();
        match Job::start("gloss-io", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => (self.exporting.view, self.exporting.job, self.exporting.began) = (view, Some(job), self.now()),
            Err(error) => self.fail(error),
        }
    }

    fn save_losses(&mut self, list: &Path) {
        let Exporting::Planned(planned) = &self.exporting.view else { return };
        match export::save_losses(&planned.losses, list) {
            Ok(()) => self.notify(Notice::Exported(list.to_owned())),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn poll_export(&mut self) {
        let late: Vec<News> = self.exporting.retired.iter().flat_map(Job::drain).collect();
        self.exporting.retired.retain(|job| !job.is_finished());
        // The project was left meanwhile; the file is there all the same.
        for news in late {
            if let News::Written(written) = news {
                self.notify(Notice::Exported(written.plan.path));
            }
        }
        let now = self.now();
        let news = self.exporting.job.as_ref().map(Job::drain).unwrap_or_default();
        for news in news {
            let format = match &self.exporting.view {
                Exporting::Writing(writing) => writing.plan.format,
                Exporting::Planning(format, _) => *format,
                _ => return,
            };
            let view = match news {
                News::Progress(step, share) => {
                    match &mut self.exporting.view {
                        Exporting::Writing(writing) => {
                            let seconds_left = seconds_left(now - self.exporting.began, share);
                            *writing = Writing { plan: writing.plan.clone(), step, share, seconds_left };
                        }
                        Exporting::Planning(_, so_far) => *so_far = share,
                        _ => {}
                    }
                    continue;
                }
                News::Planned(planned) => Exporting::Planned(planned),
                News::Written(written) => {
                    self.notify(Notice::Exported(written.plan.path.clone()));
                    Exporting::Written(*written)
                }
                News::Cancelled => Exporting::Idle,
                News::Failed(reason) => Exporting::Failed { format, reason },
            };
            self.exporting.become_idle_with(view);
        }
    }
}

/// Writes the file, then the side-car, then reads the file back, as far as was asked for. `None` when it was ended before
/// anything was written; what was written stays, and is not read back then.
fn write(project: &Project, history: &History, plan: ExportPlan, reporter: &Reporter<News>) -> Result<Option<Written>, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let steps: Vec<WritingStep> =
        [(WritingStep::File, true), (WritingStep::Sidecar, plan.sidecar), (WritingStep::ReadingBack, plan.verify)]
            .into_iter()
            .filter_map(|(step, is_wanted)| is_wanted.then_some(step))
            .collect();
    let watch = |step: WritingStep| {
        let before = steps.iter().position(|held| *held == step).unwrap_or(0);
        let all = steps.len() as f32;
        move |share: f32| {
            reporter.sample(News::Progress(step, (before as f32 + share) / all));
            if reporter.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let made = |format, step| export::export_watched(project, Some(history), format, &mut watch(step)).map_err(|error| said(&error));
    let made_file = made(plan.format, WritingStep::File)?.filter(|_| !reporter.stopped());
    let Some(exported) = made_file else { return Ok(None) };
    exported.write(&plan.path).map_err(|error| said(&error))?;
    let mut plan = plan;
    if plan.sidecar {
        match made(ExportFormat::Jsonl, WritingStep::Sidecar)?.filter(|_| !reporter.stopped()) {
            Some(whole) => whole.write(&Exported::sidecar(&plan.path)).map_err(|error| said(&error))?,
            None => plan.sidecar = false,
        }
    }
    let mut read_back = watch(WritingStep::ReadingBack);
    let verified = match plan.verify && !reporter.stopped() {
        true => export::verify_watched(project, plan.format, &plan.path, &exported.losses, &mut read_back).map_err(|error| said(&error))?,
        false => None,
    };
    Ok(Some(Written { documents: exported.documents, verified, plan }))
}
