//! How far the annotators agree, measured on the thread `gloss-agree`: chance levels are drawn hundreds of times.

use super::Desk;
use super::job::{Job, Reporter};
use crate::project::agreement::{Agreement, Comparison};

/// What the last measurement found, and the one under way.
#[derive(Default)]
pub(super) struct Agreeing {
    /// Of this revision.
    held: Option<(u64, Agreement)>,
    job: Option<(u64, Job<Option<Agreement>>)>,
}

impl Agreeing {
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Desk {
    /// Starts measuring unless what is held is still true. A measurement under way comes to its end first.
    pub(super) fn measure_agreement(&mut self) {
        let wake = self.surroundings.wake.clone();
        let Some(project) = self.project().filter(|_| self.agreeing.job.is_none()) else { return };
        let revision = project.revision();
        if self.agreeing.held.as_ref().is_some_and(|(of, _)| *of == revision) {
            return;
        }
        let comparison = Comparison::of(project);
        let work = move |reporter: &Reporter<Option<Agreement>>| reporter.tell(comparison.measured(&|| reporter.stopped()));
        let job = Job::start("gloss-agree", wake, work, |_| None);
        self.agreeing.job = job.ok().map(|job| (revision, job));
    }

    pub(super) fn poll_agreement(&mut self) {
        let Some((revision, news)) = self.agreeing.job.as_ref().and_then(|(of, job)| Some((*of, job.drain().pop()?))) else { return };
        self.agreeing.job = None;
        // What could not be measured is not tried again before something changes.
        self.agreeing.held = Some((revision, news.unwrap_or_default()));
    }

    /// What was measured last; of an earlier state of the project while a new measurement goes on.
    pub fn agreement(&self) -> Option<&Agreement> {
        self.agreeing.held.as_ref().map(|(_, agreement)| agreement)
    }

    /// Whether what was measured is true of the project as it is.
    pub fn is_agreement_fresh(&self) -> bool {
        let now = self.project().map(crate::project::Project::revision);
        now.is_some() && now == self.agreeing.held.as_ref().map(|(of, _)| *of)
    }
}
