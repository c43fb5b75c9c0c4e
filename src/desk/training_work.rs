//! A run or a search on its own thread: computes, keeps, tells, and does what a person wants of it meanwhile.

use super::hunt::{HuntNews, hunt};
use super::job::Reporter;
use super::starting::starting_model;
use super::teaching::ask_models;
use super::trials::SearchError;
use crate::nn::State;
use crate::store::{RunWriter, Runs};
use crate::train::{Outcome, Resumable, SavedRun, Signal, TrainConfig, TrainData, TrainEvent, fit_from};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// What the thread of a run tells.
pub(super) enum News {
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

pub(super) const GO: u8 = 0;
pub(super) const PAUSE: u8 = 1;
pub(super) const STOP_AND_KEEP_BEST: u8 = 2;
pub(super) const CANCEL: u8 = 3;

/// A run to be made.
pub(super) struct Order {
    pub runs: Runs,
    pub writer: RunWriter,
    pub data: TrainData,
    pub config: TrainConfig,
    /// Where it goes on.
    pub state: Option<SavedRun>,
}

/// The whole run, on its own thread.
pub(super) fn work(reporter: &Reporter<News>, order: Order, wish: &AtomicU8) {
    let Order { runs, mut writer, mut data, config, state } = order;
    // A run that goes on has kept what models answered.
    if state.is_none() && config.asks_models() {
        let goes_on = || !reporter.stopped() && wish.load(Ordering::Relaxed) != CANCEL;
        match ask_models(&runs, &config, &mut data, &goes_on) {
            Ok(true) => {}
            // Without their answers there is nothing yet to go on from.
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
pub(super) fn search_work(
    reporter: &Reporter<News>,
    (runs, mut data, config, trials): (&Runs, TrainData, &TrainConfig, usize),
    wish: &AtomicU8,
    now: &dyn Fn() -> i64,
) {
    let goes_on = || !reporter.stopped() && wish.load(Ordering::Relaxed) != CANCEL;
    match ask_models(runs, config, &mut data, &goes_on) {
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
