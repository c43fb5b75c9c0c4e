//! Importing a file: a preview, then the reading on the thread `gloss-io`, then one step of the project. Our own lines with
//! a journal, read into a project to which nothing has happened yet, become that project, journal and all.

use super::job::{Job, Reporter, seconds_left};
use super::{Command, Desk, Notice, phrase::Phrases};
use crate::project::{DocId, History, Project};
use crate::store::import::{self, Ground, ImportOptions, ImportReport, Look, Plan, Preview};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Where an import stands.
#[derive(Debug, Default)]
pub enum Importing {
    #[default]
    Idle,
    /// The file's head is being read.
    Looking(PathBuf),
    /// Columns can be chosen.
    Preview {
        path: PathBuf,
        preview: Preview,
    },
    /// Rows are being read: share done (0 to 1) and rows so far.
    Running {
        path: PathBuf,
        share: f32,
        rows: usize,
        seconds_left: Option<f64>,
    },
    /// Read, and nothing changed: what would come in.
    Checked {
        path: PathBuf,
        options: Box<ImportOptions>,
        report: ImportReport,
    },
    /// Done; what came in and what did not.
    Report {
        path: PathBuf,
        report: ImportReport,
    },
    Failed {
        path: PathBuf,
        reason: String,
    },
}

enum News {
    Preview(Box<Preview>),
    Progress(f32, usize),
    Read(Box<Rows>),
    Cancelled,
    Failed(String),
}

/// What was read, for a project that is as it was when the reading began.
struct Rows {
    ground: Ground,
    plan: Plan,
    report: ImportReport,
    options: ImportOptions,
}

#[derive(Default)]
pub(super) struct Importer {
    view: Importing,
    job: Option<Job<News>>,
    /// When that began.
    began: i64,
    /// The import that is going on is a trial with these options.
    checks: Option<Box<ImportOptions>>,
    /// Threads that are ending: letting go of a million rows takes a while.
    retired: Vec<Job<News>>,
}

impl Importer {
    pub(super) fn view(&self) -> &Importing {
        &self.view
    }

    pub(super) fn forget(&mut self) {
        self.become_idle_with(Importing::Idle);
    }
}

impl Desk {
    pub(super) fn import(&mut self, command: Command) {
        match command {
            Command::PreviewImport { path, header } => self.look_at(path, Look { header, ..Look::default() }),
            Command::PreviewImportAs { path, look } => self.look_at(path, *look),
            Command::CheckImport { path, options } => {
                self.start_import(path, (*options).clone());
                self.importing.checks = self.importing.job.is_some().then_some(options);
            }
            Command::Import { path, options } => self.start_import(path, *options),
            Command::SaveImportList(list) => self.save_list(&list),
            _ => self.importing.forget(),
        }
    }

    fn look_at(&mut self, path: PathBuf, look: Look) {
        let target = path.clone();
        let work = move |reporter: &Reporter<News>| {
            reporter.tell(match import::preview_as(&target, &look) {
                Ok(preview) => News::Preview(Box::new(preview)),
                Err(error) => News::Failed(error.to_string()),
            });
        };
        self.start_io(Importing::Looking(path), work);
    }

    fn save_list(&mut self, list: &Path) {
        let (Importing::Report { report, .. } | Importing::Checked { report, .. }) = &self.importing.view else { return };
        match report.save_issues(list) {
            Ok(()) => self.notify(Notice::Exported(list.to_owned())),
            Err(error) => self.fail(error),
        }
    }

    fn start_import(&mut self, path: PathBuf, options: ImportOptions) {
        let Some(project) = self.project() else { return };
        let ground = Ground::of(project);
        let unused = self.unused_project().cloned();
        let held: Vec<_> = project.documents().map(|doc| (doc.text.clone(), doc.meta.clone())).collect();
        let target = path.clone();
        let work = move |reporter: &Reporter<News>| {
            let existing: HashSet<u64> = held.into_iter().map(|(text, meta)| import::hash_of(&text, &meta)).collect();
            let mut progress = |share: f32, rows: usize| {
                reporter.sample(News::Progress(share, rows));
                if reporter.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            reporter.tell(match import::read(&target, &options, &existing, &mut progress) {
                Ok(Some(imported)) => {
                    let (plan, report) = match &unused {
                        Some(project) => import::plan(project, &History::default(), imported),
                        None => ground.plan(imported),
                    };
                    News::Read(Box::new(Rows { ground, plan, report, options }))
                }
                Ok(None) => News::Cancelled,
                Err(error) => News::Failed(error.to_string()),
            });
        };
        self.start_io(Importing::Running { path, share: 0.0, rows: 0, seconds_left: None }, work);
    }

    /// The project, if nothing has happened to it yet.
    fn unused_project(&self) -> Option<&Project> {
        let open = self.open.as_ref()?;
        let is_unused = open.history.done().is_empty() && open.history.undone().is_empty();
        Some(&open.project).filter(|project| is_unused && project.next_id() == DocId::from_index(0))
    }

    fn start_io(&mut self, view: Importing, work: impl FnOnce(&Reporter<News>) + Send + 'static) {
        self.importing.forget();
        match Job::start("gloss-io", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => (self.importing.view, self.importing.job, self.importing.began) = (view, Some(job), self.now()),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn poll_import(&mut self) {
        self.importing.retired.retain(|job| {
            drop(job.drain()); // or it would wait for room to tell its news
            !job.is_finished()
        });
        let now = self.now();
        let Some(job) = &self.importing.job else { return };
        for news in job.drain() {
            let path = self.importing.path().unwrap_or_default();
            match news {
                News::Preview(preview) => self.importing.end(Importing::Preview { path, preview: *preview }),
                News::Progress(share, rows) => {
                    let seconds_left = seconds_left(now - self.importing.began, share);
                    self.importing.view = Importing::Running { path, share, rows, seconds_left };
                }
                News::Read(imported) => self.take_in(path, *imported),
                News::Cancelled => self.importing.forget(),
                News::Failed(reason) => self.importing.end(Importing::Failed { path, reason }),
            }
        }
    }

    fn take_in(&mut self, path: PathBuf, rows: Rows) {
        let Rows { ground, plan, report, options } = rows;
        let Some(project) = self.project() else { return };
        let replaces = matches!(plan, Plan::Restore(_));
        if Ground::of(project) != ground || (replaces && self.unused_project().is_none()) {
            // Labels or documents came meanwhile.
            let checks = self.importing.checks.take();
            self.start_import(path, options);
            self.importing.checks = checks;
            return;
        }
        if let Some(options) = self.importing.checks.take() {
            return self.importing.end(Importing::Checked { path, options, report });
        }
        match plan {
            Plan::Restore(restored) => self.become_project(*restored),
            Plan::Edits(edits) => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let name = Phrases(self.settings.language).import(&name, report.imported);
                self.commit(name, edits);
            }
        }
        self.notify(Notice::Imported { documents: report.imported, skipped: report.rows.saturating_sub(report.imported) });
        self.importing.end(Importing::Report { path, report });
    }
}

impl Importer {
    fn end(&mut self, view: Importing) {
        self.become_idle_with(view);
    }

    fn become_idle_with(&mut self, view: Importing) {
        if let Some(job) = self.job.take() {
            job.request_stop();
            self.retired.push(job);
        }
        (self.view, self.checks) = (view, None);
    }

    fn path(&self) -> Option<PathBuf> {
        let path: &Path = match &self.view {
            Importing::Idle => return None,
            Importing::Looking(path)
            | Importing::Preview { path, .. }
            | Importing::Running { path, .. }
            | Importing::Checked { path, .. }
            | Importing::Report { path, .. }
            | Importing::Failed { path, .. } => path,
        };
        Some(path.to_owned())
    }
}
