//! An encoder on its way from a hub, on the thread `gloss-fetch`: how far it is, how long it will take, and where it is
//! in the end. Nothing is fetched that nobody asked for.

use super::Desk;
use super::job::{Job, Reporter};
use crate::store::Settings;
use crate::store::hub::{self, Hub, HubError};
use std::path::PathBuf;

/// Where the fetching of an encoder stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fetching {
    #[default]
    Idle,
    Running {
        name: String,
        /// Bytes; 0 of 0 until the hub has said how many.
        done: u64,
        total: u64,
        seconds_left: Option<f64>,
    },
    /// Why it is not here; what has come so far is kept.
    Failed {
        name: String,
        reason: String,
    },
    Here {
        name: String,
        folder: PathBuf,
    },
}

enum News {
    Progress(hub::Progress),
    End(Result<PathBuf, String>),
    Stopped,
}

#[derive(Default)]
pub(super) struct Fetcher {
    view: Fetching,
    job: Option<Job<News>>,
    /// When the first bytes came, and how many were there then.
    began: Option<(i64, u64)>,
    /// The encoders that are here, once somebody asked.
    here: Option<Vec<PathBuf>>,
}

impl Desk {
    pub fn fetching(&self) -> &Fetching {
        &self.fetcher.view
    }

    /// The folders of the encoders that were fetched.
    pub fn encoders(&self) -> &[PathBuf] {
        self.fetcher.here.as_deref().unwrap_or_default()
    }

    /// Starts to fetch `name` from the hub at `endpoint`; without one, from the one that the system names.
    pub(super) fn fetch_encoder(&mut self, name: String, endpoint: &str) {
        if matches!(self.fetcher.view, Fetching::Running { .. }) {
            return;
        }
        let endpoint = endpoint.trim().to_owned();
        self.change_settings(|settings| settings.hub.clone_from(&endpoint));
        let name = name.trim().to_owned();
        let encoders = self.surroundings.config.as_deref().map(Settings::encoders_of);
        let hub = Hub::of_system(Some(endpoint.as_str()).filter(|named| !named.is_empty()));
        let (hub, encoders) = match (hub, encoders) {
            (Ok(hub), Some(encoders)) => (hub, encoders),
            (Err(error), _) => return self.fetch_failed(name, error.to_string()),
            (_, None) => return self.fetch_failed(name, "there is no folder for encoders here".to_owned()),
        };
        let wanted = name.clone();
        let work = move |reporter: &Reporter<News>| {
            let folder = hub::folder_of(&encoders, &wanted);
            let mut tell = |progress| {
                reporter.sample(News::Progress(progress));
                !reporter.stopped()
            };
            reporter.tell(match hub.download(&wanted, "main", &folder, &mut tell) {
                Ok(()) => News::End(Ok(folder)),
                Err(HubError::Stopped) => News::Stopped,
                Err(error) => News::End(Err(error.to_string())),
            });
        };
        match Job::start("gloss-fetch", self.surroundings.wake.clone(), work, |reason| News::End(Err(reason))) {
            Ok(job) => {
                self.fetcher.view = Fetching::Running { name, done: 0, total: 0, seconds_left: None };
                self.fetcher.began = None;
                self.fetcher.job = Some(job);
            }
            Err(error) => self.fetch_failed(name, error.to_string()),
        }
    }

    fn fetch_failed(&mut self, name: String, reason: String) {
        self.fetcher.view = Fetching::Failed { name, reason };
    }

    /// Stops what is under way (it goes on from there the next time), or puts the outcome away.
    pub(super) fn dismiss_fetch(&mut self) {
        match &self.fetcher.job {
            Some(job) => job.request_stop(),
            None => self.fetcher.view = Fetching::Idle,
        }
    }

    pub(super) fn poll_fetch(&mut self) {
        if self.fetcher.here.is_none() {
            self.fetcher.here =
                Some(self.surroundings.config.as_deref().map(|folder| hub::held(&Settings::encoders_of(folder))).unwrap_or_default());
        }
        let now = self.now();
        let Some(news) = self.fetcher.job.as_ref().map(Job::drain) else { return };
        let Fetching::Running { name, done, total, seconds_left } = &mut self.fetcher.view else { return };
        let mut end = None;
        for news in news {
            match news {
                News::Progress(progress) => {
                    (*done, *total) = (progress.done, progress.total);
                    let (since, before) = *self.fetcher.began.get_or_insert((now, progress.done));
                    let (seconds, come) = ((now - since) as f64 / 1e3, (progress.done - before.min(progress.done)) as f64);
                    *seconds_left = (seconds > 1.0 && come > 0.0).then(|| (progress.total - progress.done) as f64 * seconds / come);
                }
                News::Stopped => end = Some(Fetching::Idle),
                News::End(Ok(folder)) => end = Some(Fetching::Here { name: name.clone(), folder }),
                News::End(Err(reason)) => end = Some(Fetching::Failed { name: name.clone(), reason }),
            }
        }
        if let Some(end) = end {
            self.fetcher.view = end;
            self.fetcher.job = None;
            self.fetcher.here = None;
        }
    }
}
