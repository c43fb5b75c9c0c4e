//! Merging a colleague's project: their file is read and the merge planned on the thread `gloss-merge`, then it is one
//! step of the project, once the person has seen the report.

use super::job::{Job, Reporter};
use super::{Command, Desk, Notice, phrase::Phrases};
use crate::project::{Colleague, MergePlan, MergeReport};
use crate::store;
use std::path::{Path, PathBuf};

/// Where a merge stands.
#[derive(Debug, Default)]
pub enum Merging {
    #[default]
    Idle,
    Looking(PathBuf),
    /// What it comes to. `name` is whose answers their file holds, where they labelled alone.
    Ready {
        path: PathBuf,
        name: Option<String>,
        report: MergeReport,
    },
    Failed {
        path: PathBuf,
        /// Proposed for their answers.
        name: Option<String>,
        reason: String,
    },
}

struct News {
    /// `None` where their file names its annotators.
    name: Option<String>,
    plan: Result<MergePlan, String>,
}

#[derive(Default)]
pub(super) struct Merger {
    view: Merging,
    job: Option<Job<News>>,
    /// The plan and the revision of the project that it is for.
    plan: Option<(u64, MergePlan)>,
    /// The revision that the job looks at.
    revision: u64,
    /// To be made as soon as it is planned anew.
    goes_on: bool,
}

impl Merger {
    pub(super) fn view(&self) -> &Merging {
        &self.view
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Desk {
    pub(super) fn merge(&mut self, command: Command) {
        match command {
            Command::PreviewMerge { path, name } => self.look_into(path, name),
            Command::Merge => self.make_merge(),
            _ => self.merging.forget(),
        }
    }

    fn look_into(&mut self, path: PathBuf, name: Option<String>) {
        let Some(open) = &self.open else { return };
        self.merging.forget();
        if open.path == path {
            let reason = "This is the project that is open. Choose the file of a colleague".to_owned();
            self.merging.view = Merging::Failed { path, name: None, reason };
            return;
        }
        let (ours, history, author) = (open.project.clone(), open.history.clone(), self.settings.author.clone());
        let revision = ours.revision();
        let target = path.clone();
        let work = move |reporter: &Reporter<News>| {
            let (theirs, their_history) = match store::read_project(&target) {
                Ok(read) => read,
                Err(error) => return reporter.tell(News { name, plan: Err(error.to_string()) }),
            };
            let name = name.or_else(|| their_history.main_author().map(str::to_owned)).unwrap_or_default();
            let colleague = Colleague { project: &theirs, history: &their_history, name: &name };
            let plan = ours.plan_merge(&history, &author, &colleague).map_err(|error| sentence(&error.to_string()));
            let is_alone = theirs.annotators().is_empty();
            reporter.tell(News { name: is_alone.then_some(name), plan });
        };
        let on_panic = |reason| News { name: None, plan: Err(reason) };
        match Job::start("gloss-merge", self.surroundings.wake.clone(), work, on_panic) {
            Ok(job) => {
                self.merging.view = Merging::Looking(path);
                self.merging.revision = revision;
                self.merging.job = Some(job);
            }
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn poll_merge(&mut self) {
        let Some(News { name, plan }) = self.merging.job.as_ref().and_then(|job| job.drain().pop()) else { return };
        self.merging.job = None;
        let Merging::Looking(path) = &self.merging.view else { return };
        let path = path.clone();
        match plan {
            Ok(plan) => {
                self.merging.view = Merging::Ready { path, name, report: plan.report.clone() };
                self.merging.plan = Some((self.merging.revision, plan));
                if std::mem::take(&mut self.merging.goes_on) {
                    self.make_merge();
                }
            }
            Err(reason) => self.merging.view = Merging::Failed { path, name, reason },
        }
    }

    fn make_merge(&mut self) {
        let Merging::Ready { path, name, .. } = &self.merging.view else { return };
        let (path, name) = (path.clone(), name.clone());
        let Some((revision, plan)) = self.merging.plan.take() else { return };
        if self.project().is_none_or(|project| project.revision() != revision) {
            // Something was labelled meanwhile: the plan is made again, then carried out.
            self.look_into(path, name);
            self.merging.goes_on = true;
            return;
        }
        let MergePlan { edits, report } = plan;
        let was_alone = self.project().is_some_and(|project| project.annotators().is_empty());
        self.commit_as_is(Phrases(self.settings.language).merge(&file_name(&path)), edits);
        if was_alone {
            self.layer = self.layer_of_author();
        }
        self.notify(Notice::Merged { matched: report.matched, added: report.added });
        self.merging.forget();
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// With a capital letter.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
