//! An encoder that reads the project's own reviews, labelled or not, before anything is learnt from labels: on the thread
//! `gloss-pretrain`, with how far it is. What comes out is a folder beside the runs, to train from.

use super::job::{Job, Reporter};
use super::{Desk, encoder_files};
use crate::project::Split;
use crate::store::{Runs, model_folder};
use crate::train::{TrainConfig, pretrain, rough_length};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the reading stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Pretraining {
    #[default]
    Idle,
    Running {
        step: usize,
        /// 0 until the encoder is read.
        steps: usize,
        /// Of hidden pieces, smoothed.
        loss: f64,
        seconds_left: Option<f64>,
    },
    /// Why there is no encoder.
    Failed(String),
    /// The encoder, and the loss of hidden pieces over its first and its last steps.
    Done { folder: PathBuf, first: f64, last: f64 },
}

/// What reading would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingPlan {
    pub reviews: usize,
    /// About so many pieces.
    pub pieces: usize,
}

enum News {
    Step { step: usize, steps: usize, loss: f64 },
    End(Result<Option<(PathBuf, f64, f64)>, String>),
}

#[derive(Default)]
pub(super) struct Reader {
    view: Pretraining,
    job: Option<Job<News>>,
    began_ms: i64,
    /// Encoders made before, of the project with this path.
    made: Option<(PathBuf, Vec<PathBuf>)>,
}

/// Steps over which a loss is averaged at most; of few steps, a quarter.
const SMOOTH: usize = 20;
const NAME: &str = "encoder-";

impl Desk {
    pub fn pretraining(&self) -> &Pretraining {
        &self.reader.view
    }

    /// Encoders that have read this project's reviews.
    pub fn own_encoders(&self) -> &[PathBuf] {
        self.reader.made.as_ref().map_or(&[], |(_, made)| made)
    }

    /// What there is to read: everything but what a model is judged by at the end.
    pub fn reading_plan(&self) -> ReadingPlan {
        let texts = self.texts_to_read();
        ReadingPlan { reviews: texts.len(), pieces: texts.iter().map(|text| rough_length(text)).sum() }
    }

    fn texts_to_read(&self) -> Vec<Arc<str>> {
        let documents = self.project().into_iter().flat_map(|project| project.documents());
        documents.filter(|doc| doc.split != Some(Split::Test) && !doc.text.trim().is_empty()).map(|doc| doc.text.clone()).collect()
    }

    /// Has the encoder of these settings read the reviews.
    pub(super) fn start_pretraining(&mut self, config: TrainConfig) {
        if self.reader.job.is_some() || self.training.is_busy() {
            return;
        }
        let Some(open) = &self.open else { return };
        let (texts, folder) = (self.texts_to_read(), Runs::of(&open.path).folder().to_owned());
        let threads = self.threads.of(self.settings.threads);
        let work = move |reporter: &Reporter<News>| {
            let made = threads.run(|| read(reporter, &texts, &config, &folder));
            reporter.tell(News::End(made));
        };
        match Job::start("gloss-pretrain", self.surroundings.wake.clone(), work, |reason| News::End(Err(reason))) {
            Ok(job) => {
                self.reader.view = Pretraining::Running { step: 0, steps: 0, loss: 0.0, seconds_left: None };
                (self.reader.job, self.reader.began_ms) = (Some(job), self.now());
            }
            Err(error) => self.reader.view = Pretraining::Failed(error.to_string()),
        }
    }

    /// Stops what is under way, of which nothing is kept, or puts the outcome away.
    pub(super) fn dismiss_pretraining(&mut self) {
        match &self.reader.job {
            Some(job) => job.request_stop(),
            None => self.reader.view = Pretraining::Idle,
        }
    }

    pub(super) fn poll_pretraining(&mut self) {
        self.find_own_encoders();
        let now = self.now();
        let Some(news) = self.reader.job.as_ref().map(Job::drain) else { return };
        for news in news {
            match news {
                News::Step { step, steps, loss } => {
                    let seconds = (now - self.reader.began_ms) as f64 / 1e3;
                    let left = (seconds > 1.0).then(|| seconds / step.max(1) as f64 * (steps - step.min(steps)) as f64);
                    self.reader.view = Pretraining::Running { step, steps, loss, seconds_left: left };
                }
                News::End(end) => {
                    (self.reader.job, self.reader.made) = (None, None);
                    self.reader.view = match end {
                        Ok(Some((folder, first, last))) => Pretraining::Done { folder, first, last },
                        Ok(None) => Pretraining::Idle,
                        Err(reason) => Pretraining::Failed(reason),
                    };
                }
            }
        }
        self.find_own_encoders();
    }

    /// Looks for them once a project.
    fn find_own_encoders(&mut self) {
        let path = self.open.as_ref().map(|open| open.path.clone());
        match (&path, &self.reader.made) {
            (Some(path), Some((of, _))) if of == path => {}
            (Some(path), _) => self.reader.made = Some((path.clone(), model_folder::list(Runs::of(path).folder(), NAME))),
            (None, _) => self.reader.made = None,
        }
    }
}

/// Gives the folder and both losses; `None` when it was stopped.
fn read(reporter: &Reporter<News>, texts: &[Arc<str>], config: &TrainConfig, folder: &Path) -> Result<Option<(PathBuf, f64, f64)>, String> {
    let files = encoder_files(&config.encoder).map_err(|error| error.to_string())?;
    let (mut first, mut count, mut last) = (0.0, 0, 0.0);
    let made = pretrain(&files, texts, config, &mut |step| {
        let smooth = SMOOTH.min(step.steps.div_ceil(4));
        if count < smooth {
            first = (first * count as f64 + step.loss) / (count + 1) as f64;
        }
        count += 1;
        last += (step.loss - last) / count.min(smooth) as f64;
        reporter.sample(News::Step { step: step.step, steps: step.steps, loss: last });
        !reporter.stopped()
    });
    let Some(made) = made.map_err(|error| error.to_string())? else { return Ok(None) };
    let to = model_folder::next(folder, NAME);
    model_folder::write(&to, &made).map_err(|error| error.to_string())?;
    Ok(Some((to, first, last)))
}
