//! The run going on: who started it, its news, and what is wanted of it.

use super::hunt::{HuntNews, SearchView};
use super::job::{Job, Reporter};
use super::run_view::{Phase, RunView, stored_view};
use super::starting::training_data;
use super::training_work::{CANCEL, GO, News, Order, PAUSE, STOP_AND_KEEP_BEST, search_work, work};
use super::{Desk, Notice};
use crate::store::{ResumedRun, Runs};
use crate::train::TrainConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

#[derive(Default)]
pub(super) struct Trainer {
    view: Option<RunView>,
    search: Option<SearchView>,
    job: Option<Job<News>>,
    wish: Arc<AtomicU8>,
}

impl Trainer {
    pub(super) fn view(&self) -> Option<&RunView> {
        self.view.as_ref()
    }

    pub(super) fn search(&self) -> Option<&SearchView> {
        self.search.as_ref()
    }

    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    pub(super) fn pause(&mut self, on: bool) {
        if let (Some(view), Some(_)) = (&mut self.view, &self.job)
            && matches!(view.phase, Phase::Running | Phase::Paused)
        {
            view.phase = if on { Phase::Paused } else { Phase::Running };
            self.wish.store(if on { PAUSE } else { GO }, Ordering::Relaxed);
        }
    }

    pub(super) fn stop_and_keep_best(&mut self) {
        self.end_with(STOP_AND_KEEP_BEST);
    }

    pub(super) fn cancel(&mut self) {
        self.end_with(CANCEL);
    }

    fn end_with(&mut self, wish: u8) {
        if let (Some(view), Some(_)) = (&mut self.view, &self.job) {
            view.phase = Phase::Stopping;
            self.wish.store(wish, Ordering::Relaxed);
        }
    }

    /// Leaves what is going on, which keeps its state to be continued, and waits for its thread.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Desk {
    pub(super) fn start_training(&mut self, config: TrainConfig) {
        if self.training.is_busy() {
            return;
        }
        let now = self.now();
        let Some(open) = &self.open else { return };
        if let Err(error) = config.check() {
            return self.fail(error);
        }
        let runs = Runs::of(&open.path);
        let started = training_data(&open.project, &runs, &config).and_then(|data| Ok((runs.start(&config, &data, now)?, data)));
        let (writer, data) = match started {
            Ok(started) => started,
            Err(error) => return self.fail(error),
        };
        let view = RunView::new(writer.id().to_owned(), config.clone(), Phase::Loading);
        self.launch(view, Order { runs, writer, data, config, state: None });
    }

    /// Goes on with a run that ended before its time.
    pub(super) fn resume_training(&mut self, id: &str) {
        if self.training.is_busy() {
            return;
        }
        let Some(open) = &self.open else { return };
        let runs = Runs::of(&open.path);
        let ResumedRun { writer, config, data, state, events } = match runs.resume(id) {
            Ok(resumed) => resumed,
            Err(error) => return self.fail(error),
        };
        let mut view = RunView::new(id.to_owned(), config.clone(), Phase::Loading);
        events.into_iter().for_each(|event| view.take(event));
        view.seconds = state.elapsed().as_secs_f64();
        self.launch(view, Order { runs, writer, data, config, state: Some(state) });
    }

    fn launch(&mut self, view: RunView, order: Order) {
        let wish = Arc::new(AtomicU8::new(GO));
        let worker_wish = wish.clone();
        let threads = self.threads.of(self.settings.threads);
        let work = move |reporter: &Reporter<News>| threads.run(|| work(reporter, order, &worker_wish));
        match Job::start("gloss-train", self.surroundings.wake.clone(), work, |panic| {
            News::Failed(format!("the program failed inside: {panic}"))
        }) {
            Ok(job) => self.training = Trainer { view: Some(view), search: None, job: Some(job), wish },
            Err(error) => self.fail(error),
        }
    }

    /// Tries settings around these.
    pub(super) fn start_search(&mut self, config: TrainConfig, trials: usize) {
        if self.training.is_busy() {
            return;
        }
        let Some(open) = &self.open else { return };
        if let Err(error) = config.check() {
            return self.fail(error);
        }
        let runs = Runs::of(&open.path);
        let data = match training_data(&open.project, &runs, &config) {
            Ok(data) => data,
            Err(error) => return self.fail(error),
        };
        let wish = Arc::new(AtomicU8::new(GO));
        let (worker_wish, clock) = (wish.clone(), self.surroundings.clock.clone());
        let threads = self.threads.of(self.settings.threads);
        let search = SearchView::new(config.clone(), trials);
        let work = move |reporter: &Reporter<News>| {
            threads.run(|| search_work(reporter, (&runs, data, &config, trials), &worker_wish, &*clock));
        };
        match Job::start("gloss-search", self.surroundings.wake.clone(), work, |panic| {
            News::Failed(format!("the program failed inside: {panic}"))
        }) {
            Ok(job) => self.training = Trainer { view: None, search: Some(search), job: Some(job), wish },
            Err(error) => self.fail(error),
        }
    }

    fn take_hunt(&mut self, news: HuntNews) {
        if let Some(search) = &mut self.training.search {
            search.take(&news);
        }
        if let HuntNews::Trial { run, config, before, .. } = news {
            let mut view = RunView::new(run, *config, Phase::Loading);
            before.into_iter().for_each(|event| view.take(event));
            self.training.view = Some(view);
            self.reread_runs();
        }
    }

    pub(super) fn poll_training(&mut self) {
        let Some(job) = &self.training.job else { return };
        for news in job.drain() {
            self.take_news(news);
        }
    }

    fn take_news(&mut self, news: News) {
        let news = match news {
            News::Hunt(news) => return self.take_hunt(news),
            News::Found(run) => {
                self.end_run();
                if let Some(search) = &mut self.training.search {
                    search.best = Some(run.clone());
                }
                self.show_run(&run);
                self.notify(Notice::RunFinished(run));
                if !self.tester.is_pinned() {
                    self.use_run(None);
                }
                return;
            }
            News::Failed(reason) if self.training.view.is_none() => {
                self.end_run();
                return self.fail(reason);
            }
            news => news,
        };
        let Some(view) = &mut self.training.view else { return self.end_run_unseen(&news) };
        let id = view.id.clone();
        match news {
            News::Event(event, seconds) => {
                if view.phase == Phase::Loading {
                    view.phase = Phase::Running;
                }
                view.seconds = seconds;
                view.take(*event);
            }
            News::Finished => {
                view.phase = Phase::Finished;
                self.end_run();
                self.notify(Notice::RunFinished(id));
                if !self.tester.is_pinned() {
                    self.use_run(None);
                }
            }
            News::Left => {
                view.phase = Phase::Interrupted;
                self.end_run();
            }
            News::Cancelled => {
                view.phase = Phase::Cancelled;
                self.end_run();
                self.notify(Notice::RunCancelled(id));
            }
            News::Failed(reason) => {
                view.phase = Phase::Failed(reason.clone());
                self.end_run();
                self.notify(Notice::RunFailed { run: id, reason });
            }
            News::Hunt(_) | News::Found(_) => {}
        }
    }

    /// A search that ended before its first trial.
    fn end_run_unseen(&mut self, news: &News) {
        if matches!(news, News::Cancelled | News::Left) {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if let Some(search) = &mut self.training.search {
            search.is_going_on = false;
        }
        self.training.job = None;
        self.reread_runs();
    }

    /// Shows the curves of a stored run; does nothing while one is going on.
    pub(super) fn show_run(&mut self, id: &str) {
        if self.training.is_busy() {
            return;
        }
        let Some(open) = &self.open else { return };
        let Some(summary) = open.runs.iter().find(|run| run.id == id) else { return };
        match Runs::of(&open.path).events(id) {
            Ok(events) => self.training.view = Some(stored_view(summary, events)),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn delete_run(&mut self, id: &str) {
        let is_shown = self.run_view().is_some_and(|view| view.id == id);
        if is_shown && self.training.is_busy() {
            return;
        }
        let Some(open) = &self.open else { return };
        if let Err(error) = Runs::of(&open.path).delete(id) {
            return self.fail(error);
        }
        if is_shown {
            self.training.view = None;
        }
        self.shelf.drop_run(id);
        self.reread_runs();
        if self.tester.run() == Some(id) {
            self.tester.forget();
            self.use_run(None);
        }
    }
}
