//! Exporting documents: first what a format can't hold, then the file, then what reading it back shows. Everything runs on
//! the thread `gloss-io` over a copy of the project, so that labeling goes on.

use super::job::{Job, Reporter};
use super::{Command, Desk, Notice};
use crate::project::{History, Project};
use crate::store::export::{self, ExportFormat, Exported, Verified};
use crate::store::formats::Loss;
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
    /// The losses are being counted.
    Planning(ExportFormat),
    Planned(Planned),
    Writing(ExportPlan),
    Written(Written),
    Failed {
        format: ExportFormat,
        reason: String,
    },
}

enum News {
    Planned(Planned),
    Written(Box<Written>),
    Failed(String),
}

#[derive(Default)]
pub(super) struct Exporter {
    view: Exporting,
    job: Option<Job<News>>,
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
        match command {
            Command::PlanExport(format) => {
                let (project, history) = (project.clone(), history.clone());
                self.start_export(Exporting::Planning(format), move |reporter| {
                    reporter.tell(match export::export_with(&project, Some(&history), format) {
                        Ok(Exported { documents, unit, losses, .. }) => News::Planned(Planned { format, documents, unit, losses }),
                        Err(error) => News::Failed(error.to_string()),
                    });
                });
            }
            Command::ExportAs(plan) => {
                let (project, history, to_do) = (project.clone(), history.clone(), (*plan).clone());
                self.start_export(Exporting::Writing(*plan), move |reporter| {
                    reporter.tell(match write(&project, &history, to_do) {
                        Ok(written) => News::Written(Box::new(written)),
                        Err(reason) => News::Failed(reason),
                    });
                });
            }
            Command::SaveLossList(list) => self.save_losses(&list),
            _ => self.exporting.forget(),
        }
    }

    fn start_export(&mut self, view: Exporting, work: impl FnOnce(&Reporter<News>) + Send + 'static) {
        self.exporting.forget();
        match Job::start("gloss-io", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => (self.exporting.view, self.exporting.job) = (view, Some(job)),
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
        self.exporting.retired.retain(|job| !job.is_finished());
        let Some(news) = self.exporting.job.as_ref().and_then(|job| job.drain().pop()) else { return };
        let format = match &self.exporting.view {
            Exporting::Writing(plan) => plan.format,
            Exporting::Planning(format) => *format,
            _ => return,
        };
        let view = match news {
            News::Planned(planned) => Exporting::Planned(planned),
            News::Written(written) => {
                self.notify(Notice::Exported(written.plan.path.clone()));
                Exporting::Written(*written)
            }
            News::Failed(reason) => Exporting::Failed { format, reason },
        };
        self.exporting.become_idle_with(view);
    }
}

/// Writes the file, then the side-car, then reads the file back, as far as was asked for.
fn write(project: &Project, history: &History, plan: ExportPlan) -> Result<Written, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let exported = export::export_with(project, Some(history), plan.format).map_err(|error| said(&error))?;
    exported.write(&plan.path).map_err(|error| said(&error))?;
    if plan.sidecar {
        let whole = export::export_with(project, Some(history), ExportFormat::Jsonl).map_err(|error| said(&error))?;
        whole.write(&Exported::sidecar(&plan.path)).map_err(|error| said(&error))?;
    }
    let verify = || export::verify(project, plan.format, &plan.path, &exported.losses);
    let verified = plan.verify.then(verify).transpose().map_err(|error| said(&error))?;
    Ok(Written { documents: exported.documents, verified, plan })
}
