//! A search for good settings as the window sees it: which trials there are, how far they are, which is the best.

use super::trials::{Search, SearchError, SearchNews};
use crate::store::Runs;
use crate::train::{SettingDifference, Signal, TrainConfig, TrainData, TrainEvent};

/// A search that goes on, or the last one.
#[derive(Clone, Debug, Default)]
pub struct SearchView {
    /// Trials that have begun.
    pub trials: Vec<TrialView>,
    /// How many there will be.
    pub wanted: usize,
    /// The settings that all others are changes of.
    pub base: TrainConfig,
    pub is_going_on: bool,
    /// The run with the best settings, at the end.
    pub best: Option<String>,
}

/// One trial.
#[derive(Clone, Debug)]
pub struct TrialView {
    pub run: String,
    /// What is different from the settings that were given.
    pub settings: Vec<SettingDifference>,
    /// The best on the dev documents so far; not a number before the first.
    pub score: f64,
    pub epochs: f64,
    pub of_epochs: usize,
    pub state: TrialState,
}

/// Where a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialState {
    Learning,
    /// Waits for the others of its rung.
    Waiting,
    /// Given up for better ones.
    Ended,
    /// Learnt to its end.
    Finished,
}

/// News that a view takes in, without borrows.
pub(super) enum HuntNews {
    Trial { at: usize, run: String, config: Box<TrainConfig>, before: Vec<TrainEvent> },
    Stands { at: usize, score: f64, epochs: f64, finished: bool },
    Ended(Vec<usize>),
}

impl SearchView {
    pub(super) fn new(base: TrainConfig, wanted: usize) -> Self {
        Self { base, wanted, is_going_on: true, ..Self::default() }
    }

    pub(super) fn take(&mut self, news: &HuntNews) {
        match news {
            HuntNews::Trial { at, run, config, .. } => {
                let settings = self.base.differences(config);
                let begun = TrialView {
                    run: run.clone(),
                    settings,
                    score: f64::NAN,
                    epochs: 0.0,
                    of_epochs: config.epochs,
                    state: TrialState::Learning,
                };
                match self.trials.get_mut(*at) {
                    Some(trial) => trial.state = TrialState::Learning,
                    None => self.trials.push(begun),
                }
            }
            HuntNews::Stands { at, score, epochs, finished } => {
                if let Some(trial) = self.trials.get_mut(*at) {
                    (trial.score, trial.epochs) = (*score, *epochs);
                    trial.state = if *finished { TrialState::Finished } else { TrialState::Waiting };
                }
            }
            HuntNews::Ended(ended) => {
                for at in ended {
                    if let Some(trial) = self.trials.get_mut(*at).filter(|trial| trial.state != TrialState::Finished) {
                        trial.state = TrialState::Ended;
                    }
                }
            }
        }
    }
}

/// Makes the search; gives the id of the best run.
pub(super) fn hunt(
    (runs, data, base, trials): (&Runs, &TrainData, &TrainConfig, usize),
    now: &dyn Fn() -> i64,
    wait: &dyn Fn() -> Signal,
    tell: &mut dyn FnMut(Result<HuntNews, Box<TrainEvent>>) -> Signal,
) -> Result<String, SearchError> {
    let search = Search { runs, data, base, trials, now, wait };
    let (trials, best) = search.run(&mut |news| {
        tell(match news {
            SearchNews::Trial { at, run, config, before } => {
                Ok(HuntNews::Trial { at, run: run.to_owned(), config: Box::new(config.clone()), before })
            }
            SearchNews::Event(event) => Err(event),
            SearchNews::Stands { at, score, epochs, finished } => Ok(HuntNews::Stands { at, score, epochs, finished }),
            SearchNews::Ended(ended) => Ok(HuntNews::Ended(ended.to_vec())),
        })
    })?;
    Ok(trials[best].run.clone())
}
