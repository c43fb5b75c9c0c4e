//! Stored runs beside the one shown: their curves laid over it, two of them compared, notes, event files. Whatever reads
//! or writes many bytes runs on a thread of its own.

use super::job::Job;
use super::joining::{JoinData, in_order, join_runs};
use super::run_view::{RunView, stored_view};
use super::{Command, Desk, Notice};
use crate::store::{RunSummary, Runs, tensorboard};
use crate::train::{Comparison, SettingDifference, Side, compare};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Two runs and what tells them apart.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Ids.
    pub first: String,
    pub second: String,
    pub comparison: Comparison,
    pub settings: Vec<SettingDifference>,
    /// Whether both learnt from equal data.
    pub same_data: bool,
}

/// Where a comparison stands.
#[derive(Clone, Debug, Default)]
pub enum Comparing {
    #[default]
    Idle,
    /// Ids of the two.
    Working(String, String),
    Done(Arc<Compared>),
    /// Why, as a sentence.
    Failed(String),
}

enum News {
    View(Box<RunView>),
    Compared(Box<Compared>),
    NotCompared(String),
    Wrote(PathBuf),
    /// Those of the disk.
    Stored(Vec<RunSummary>),
    /// Runs were made one that answers as their mean.
    Joined(String),
    Kept,
    Failed(String),
}

/// Work on stored runs.
#[derive(Default)]
pub(super) struct RunShelf {
    /// Ids of the runs whose curves are laid over the one shown, in the order they were asked for.
    wanted: Vec<String>,
    views: BTreeMap<String, RunView>,
    reading: Option<Job<News>>,
    comparing: Comparing,
    /// Dropped when another comparison is asked for.
    comparison: Option<Job<News>>,
    writing: Vec<Job<News>>,
    /// Reads which runs there are; dropped when something changes them meanwhile.
    looking: Option<Job<News>>,
    joining: bool,
}

impl RunShelf {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Forgets what is known of a run that is gone.
    pub(super) fn drop_run(&mut self, id: &str) {
        self.looking = None;
        self.wanted.retain(|wanted| wanted != id);
        self.views.remove(id);
        let concerned = match &self.comparing {
            Comparing::Working(first, second) => first == id || second == id,
            Comparing::Done(compared) => compared.first == id || compared.second == id,
            Comparing::Idle | Comparing::Failed(_) => false,
        };
        if concerned {
            (self.comparing, self.comparison) = (Comparing::Idle, None);
        }
    }
}

impl Desk {
    /// The runs laid over the one shown, as far as they are read, in the order they were asked for.
    pub fn overlaid(&self) -> impl Iterator<Item = &RunView> {
        self.shelf.wanted.iter().filter_map(|id| self.shelf.views.get(id))
    }

    /// Ids of the runs that are to be laid over the one shown.
    pub fn overlay(&self) -> &[String] {
        &self.shelf.wanted
    }

    pub fn comparing(&self) -> &Comparing {
        &self.shelf.comparing
    }

    pub(super) fn run_shelf(&mut self, command: Command) {
        match command {
            Command::OverlayRuns(ids) => {
                self.shelf.wanted = ids;
                self.read_overlaid();
            }
            Command::CompareRuns(Some((first, second))) => self.compare_runs(first, second),
            Command::CompareRuns(None) => (self.shelf.comparing, self.shelf.comparison) = (Comparing::Idle, None),
            Command::LookForRuns => {
                let Some(runs) = self.open.as_ref().map(|open| Runs::of(&open.path)) else { return };
                let work = move |reporter: &super::job::Reporter<News>| reporter.tell(News::Stored(runs.list()));
                self.shelf.looking = Job::start("gloss-runs", self.surroundings.wake.clone(), work, News::Failed).ok();
            }
            Command::JoinRuns(ids) => self.join_ticked(&ids),
            Command::SetRunNotes { run, notes } => self.set_run_notes(&run, notes),
            Command::ExportTensorBoard { run, folder } => {
                let Some((runs, summary)) = self.stored(&run) else { return };
                self.write(move || {
                    let events = runs.events(&summary.id).map_err(|error| error.to_string())?;
                    tensorboard::export(&summary, &events, &folder).map(News::Wrote).map_err(|error| error.to_string())
                });
            }
            Command::WriteFile { path, content } => self.write(move || {
                let written = crate::store::write_file(&path, &content);
                written.map(|()| News::Wrote(path)).map_err(|error| error.to_string())
            }),
            _ => {}
        }
    }

    fn stored(&self, id: &str) -> Option<(Runs, RunSummary)> {
        let open = self.open.as_ref()?;
        let summary = open.runs.iter().find(|run| run.id == id)?;
        Some((Runs::of(&open.path), summary.clone()))
    }

    fn join_ticked(&mut self, ids: &[String]) {
        let ids = in_order(ids);
        let Some((runs, first)) = ids.first().and_then(|id| self.stored(id)) else { return };
        let Some(project) = self.project() else { return };
        let (data, now) = (JoinData::of(project, first.report.as_ref()), self.now());
        let threads = self.threads.of(self.settings.threads);
        self.write(move || threads.run(|| join_runs(&runs, &ids, &data, now)).map(News::Joined).map_err(|error| error.to_string()));
        self.shelf.joining = true;
    }

    /// Whether runs are being made one.
    pub fn is_joining(&self) -> bool {
        self.shelf.joining
    }

    fn set_run_notes(&mut self, id: &str, notes: String) {
        let Some((runs, summary)) = self.stored(id).filter(|(_, run)| run.notes != notes) else { return };
        if let Some(run) = self.open.as_mut().and_then(|open| open.runs.iter_mut().find(|run| run.id == id)) {
            run.notes.clone_from(&notes);
        }
        self.shelf.looking = None;
        self.write(move || runs.set_notes(&summary.id, &notes).map(|()| News::Kept).map_err(|error| error.to_string()));
    }

    fn write(&mut self, work: impl FnOnce() -> Result<News, String> + Send + 'static) {
        let work = move |reporter: &super::job::Reporter<News>| reporter.tell(work().unwrap_or_else(News::Failed));
        match Job::start("gloss-io", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => self.shelf.writing.push(job),
            Err(error) => self.fail(error),
        }
    }

    /// Reads the next run that is wanted and not read yet, one after the other.
    fn read_overlaid(&mut self) {
        if self.shelf.reading.is_some() {
            return;
        }
        let next = self.shelf.wanted.iter().find(|id| !self.shelf.views.contains_key(*id)).cloned();
        let Some((runs, summary)) = next.as_deref().and_then(|id| self.stored(id)) else { return };
        let work = move |reporter: &super::job::Reporter<News>| {
            reporter.tell(match runs.events(&summary.id) {
                Ok(events) => News::View(Box::new(stored_view(&summary, events))),
                Err(error) => News::Failed(error.to_string()),
            });
        };
        match Job::start("gloss-runs", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => self.shelf.reading = Some(job),
            Err(error) => self.fail(error),
        }
    }

    fn compare_runs(&mut self, first: String, second: String) {
        let (Some((_, ours)), Some((_, theirs))) = (self.stored(&first), self.stored(&second)) else { return };
        let work = move |reporter: &super::job::Reporter<News>| {
            reporter.tell(match compared(&ours, &theirs) {
                Some(compared) => News::Compared(Box::new(compared)),
                None => News::NotCompared("a run that did not finish has no answers to compare".to_owned()),
            });
        };
        match Job::start("gloss-compare", self.surroundings.wake.clone(), work, News::NotCompared) {
            Ok(job) => (self.shelf.comparing, self.shelf.comparison) = (Comparing::Working(first, second), Some(job)),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn poll_shelf(&mut self) {
        let shelf = &mut self.shelf;
        let mut news = Vec::new();
        news.extend(shelf.reading.as_ref().and_then(|job| job.drain().pop()));
        if !news.is_empty() {
            shelf.reading = None;
        }
        if let Some(told) = shelf.comparison.as_ref().and_then(|job| job.drain().pop()) {
            shelf.comparison = None;
            news.push(told);
        }
        if let Some(told) = shelf.looking.as_ref().and_then(|job| job.drain().pop()) {
            shelf.looking = None;
            news.push(told);
        }
        shelf.writing.retain(|job| {
            // Looked at before its news is taken: what it tells at its end is not lost.
            let ended = job.is_finished();
            news.extend(job.drain());
            !ended
        });
        for told in news {
            self.take_shelf_news(told);
        }
        self.read_overlaid();
    }

    fn take_shelf_news(&mut self, news: News) {
        match news {
            News::View(view) => {
                self.shelf.views.insert(view.id.clone(), *view);
            }
            News::Compared(compared) => self.shelf.comparing = Comparing::Done(Arc::new(*compared)),
            News::NotCompared(reason) => self.shelf.comparing = Comparing::Failed(reason),
            News::Wrote(path) => self.notify(Notice::Exported(path)),
            News::Joined(run) => {
                self.shelf.joining = false;
                self.reread_runs();
                self.show_run(&run);
                self.notify(Notice::RunFinished(run));
                if !self.tester.is_pinned() {
                    self.use_run(None);
                }
            }
            News::Stored(runs) => {
                if let Some(open) = &mut self.open {
                    open.runs = runs;
                }
            }
            News::Kept => {}
            News::Failed(reason) => {
                self.shelf.joining = false;
                // What can't be read is not asked for again.
                let views = &self.shelf.views;
                self.shelf.wanted.retain(|id| views.contains_key(id));
                self.fail(reason);
            }
        }
    }
}

fn compared(first: &RunSummary, second: &RunSummary) -> Option<Compared> {
    Some(Compared {
        first: first.id.clone(),
        second: second.id.clone(),
        comparison: compare(side(first)?, side(second)?, second.config.seed),
        settings: first.config.differences(&second.config),
        same_data: first.data_hash == second.data_hash,
    })
}

fn side(run: &RunSummary) -> Option<Side<'_>> {
    Some(Side { report: run.report.as_ref()?, classes: &run.classes, span_labels: &run.span_labels })
}
