//! The run going on: its thread, its news, and what the training pane shows of it.

use super::hunt::{HuntNews, SearchView, hunt};
use super::job::{Job, Reporter};
use super::starting::{starting_model, training_data};
use super::teaching::teach;
use super::trials::SearchError;
use super::{Curve, Desk, Notice};
use crate::nn::State;
use crate::store::{ResumedRun, RunSummary, RunWriter, Runs};
use crate::train::{
    Evaluation, LayerStats, Outcome, Report, Resumable, SavedRun, Signal, Started, StepEvent, TrainConfig, TrainData, TrainEvent, fit_from,
};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

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
    fn new(id: String, config: TrainConfig, phase: Phase) -> Self {
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

    fn take(&mut self, event: TrainEvent) {
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

enum News {
    Event(Box<TrainEvent>, f64),
    Finished,
    Cancelled,
    /// Its state is kept.
    Left,
    Failed(String),
    Hunt(HuntNews),
    /// The search has found this run.
    Found(String),
}

const GO: u8 = 0;
const PAUSE: u8 = 1;
const STOP_AND_KEEP_BEST: u8 = 2;
const CANCEL: u8 = 3;

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

pub(super) fn stored_view(summary: &RunSummary, events: Vec<TrainEvent>) -> RunView {
    use crate::store::RunStatus;
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

/// A run to be made.
struct Order {
    runs: Runs,
    writer: RunWriter,
    data: TrainData,
    config: TrainConfig,
    /// Where it goes on.
    state: Option<SavedRun>,
}

/// The whole run, on its own thread.
fn work(reporter: &Reporter<News>, order: Order, wish: &AtomicU8) {
    let Order { runs, mut writer, mut data, config, state } = order;
    if state.is_none() && !config.teacher.is_empty() {
        let goes_on = || !reporter.stopped() && wish.load(Ordering::Relaxed) != CANCEL;
        match teach(&runs, &config, &mut data, &goes_on) {
            Ok(true) => {}
            // Without the teacher's answers there is nothing yet to go on from.
            Ok(false) => {
                writer.cancelled().ok();
                return reporter.tell(News::Cancelled);
            }
            Err(error) => return fail(reporter, &mut writer, error.to_string()),
        }
        if let Err(error) = writer.learns_from(&data) {
            return fail(reporter, &mut writer, error.to_string());
        }
    }
    let writer = RefCell::new(writer);
    let encoder = match starting_model(&runs, &config, &data) {
        Ok(files) => files,
        Err(error) => return fail(reporter, &mut writer.borrow_mut(), error.to_string()),
    };
    let earlier = state.as_ref().map_or(Duration::ZERO, SavedRun::elapsed);
    let began = Instant::now();
    let paused = Cell::new(Duration::ZERO);
    let elapsed = || began.elapsed().saturating_sub(paused.get());
    let disk_error = RefCell::new(None);
    let mut report = None;
    let mut sink = |event: TrainEvent| {
        if let Err(error) = writer.borrow_mut().event(&event) {
            disk_error.replace(Some(error.to_string()));
            return Signal::Cancel;
        }
        if let TrainEvent::Finished(finished) = &event {
            report = Some(finished.clone());
        }
        let seconds = (earlier + elapsed()).as_secs_f64();
        match event {
            // Every step is a sample of a curve; all other events must arrive.
            TrainEvent::Step(_) | TrainEvent::Layers(_) => reporter.sample(News::Event(Box::new(event), seconds)),
            _ => reporter.tell(News::Event(Box::new(event), seconds)),
        }
        wished(reporter, wish)
    };
    let mut pace = KeepingPace::new();
    let mut keep = |state: &State| {
        if matches!(wished(reporter, wish), Signal::Keep | Signal::Leave) || pace.is_due() {
            if let Err(error) = writer.borrow_mut().keep(state, &data) {
                disk_error.replace(Some(error.to_string()));
                return Signal::Cancel;
            }
            pace.kept();
        }
        wait_while_paused(reporter, wish, &paused)
    };
    let outcome = fit_from(&data, &config, &encoder, Resumable { from: state, keep: &mut keep }, &elapsed, &mut sink);
    let mut writer = writer.into_inner();
    match (disk_error.into_inner(), outcome, report) {
        (Some(error), ..) => fail(reporter, &mut writer, error),
        (None, Ok(Outcome::Finished(files)), Some(report)) => match writer.finish(&files, &report) {
            Ok(()) => reporter.tell(News::Finished),
            Err(error) => fail(reporter, &mut writer, error.to_string()),
        },
        (None, Ok(Outcome::Finished(_)), None) => fail(reporter, &mut writer, "the run ended without a report".to_owned()),
        (None, Ok(Outcome::Cancelled), _) => {
            writer.cancelled().ok();
            reporter.tell(News::Cancelled);
        }
        (None, Ok(Outcome::Left), _) => reporter.tell(News::Left),
        (None, Err(error), _) => fail(reporter, &mut writer, error.to_string()),
    }
}

/// The whole search, on its own thread.
fn search_work(
    reporter: &Reporter<News>,
    (runs, mut data, config, trials): (&Runs, TrainData, &TrainConfig, usize),
    wish: &AtomicU8,
    now: &dyn Fn() -> i64,
) {
    let goes_on = || !reporter.stopped() && wish.load(Ordering::Relaxed) != CANCEL;
    match teach(runs, config, &mut data, &goes_on) {
        Ok(true) => {}
        Ok(false) => return reporter.tell(News::Cancelled),
        Err(error) => return reporter.tell(News::Failed(error.to_string())),
    }
    let began = Cell::new(Instant::now());
    let paused = Cell::new(Duration::ZERO);
    let mut tell = |news: Result<HuntNews, Box<TrainEvent>>| {
        match news {
            Ok(news) => {
                if matches!(news, HuntNews::Trial { .. }) {
                    began.set(Instant::now());
                    paused.set(Duration::ZERO);
                }
                reporter.tell(News::Hunt(news));
            }
            Err(event) => {
                let seconds = began.get().elapsed().saturating_sub(paused.get()).as_secs_f64();
                match *event {
                    TrainEvent::Step(_) | TrainEvent::Layers(_) => reporter.sample(News::Event(event, seconds)),
                    _ => reporter.tell(News::Event(event, seconds)),
                }
            }
        }
        wished(reporter, wish)
    };
    let wait = || wait_while_paused(reporter, wish, &paused);
    match hunt((runs, &data, config, trials), now, &wait, &mut tell) {
        Ok(best) => reporter.tell(News::Found(best)),
        Err(SearchError::Cancelled) => reporter.tell(News::Cancelled),
        Err(SearchError::Left) => reporter.tell(News::Left),
        Err(error) => reporter.tell(News::Failed(error.to_string())),
    }
}

/// How often a run keeps its state without being asked: what a crash costs at most, beside the way to the next evaluation.
pub struct KeepingPace(Instant);

impl KeepingPace {
    const EVERY: Duration = Duration::from_secs(30);

    pub fn new() -> Self {
        Self(Instant::now())
    }

    pub fn is_due(&self) -> bool {
        self.0.elapsed() >= Self::EVERY
    }

    pub fn kept(&mut self) {
        self.0 = Instant::now();
    }
}

impl Default for KeepingPace {
    fn default() -> Self {
        Self::new()
    }
}

/// What a person wants of the run now. To pause it, its state is kept first.
fn wished(reporter: &Reporter<News>, wish: &AtomicU8) -> Signal {
    match wish.load(Ordering::Relaxed) {
        STOP_AND_KEEP_BEST => Signal::StopAndKeepBest,
        CANCEL => Signal::Cancel,
        _ if reporter.stopped() => Signal::Leave,
        PAUSE => Signal::Keep,
        _ => Signal::Continue,
    }
}

fn wait_while_paused(reporter: &Reporter<News>, wish: &AtomicU8, paused: &Cell<Duration>) -> Signal {
    let since = Instant::now();
    loop {
        match wished(reporter, wish) {
            Signal::Keep => std::thread::sleep(Duration::from_millis(50)),
            signal => {
                if since.elapsed() > Duration::from_millis(40) {
                    paused.set(paused.get() + since.elapsed());
                }
                return signal;
            }
        }
    }
}

fn fail(reporter: &Reporter<News>, writer: &mut RunWriter, reason: String) {
    // The disk may be what failed: the person is told in any case.
    writer.fail(&reason).ok();
    reporter.tell(News::Failed(reason));
}
