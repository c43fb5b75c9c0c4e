//! Looking through the whole project before it trains or leaves the house: statistics, near-duplicates, and copies of a part
//! of it, anonymised or not. Runs on the thread `gloss-io` over a copy of the project, so that labeling goes on.

use super::job::{Job, Reporter};
use super::{Command, Desk, Notice, phrase::Phrases};
use crate::nn::ModelFiles;
use crate::project::{
    Anonymiser, Comment, Document, NearGroup, Private, Project, Settle, Statistics, assign_split, near_groups, near_pairs, settle,
};
use crate::store::{StoreError, copies};
use crate::text::Tokenizer;
use crate::train::TrainConfig;
use std::path::{Path, PathBuf};

/// Two texts with so many runs of characters in common are near-duplicates.
const LIKENESS: f64 = 0.7;

/// What was found.
#[derive(Clone, Debug)]
pub struct Examined {
    pub statistics: Statistics,
    pub groups: Vec<NearGroup>,
}

/// Where the looking stands.
#[derive(Debug, Default)]
pub enum Examining {
    #[default]
    Idle,
    Running,
    Done(Box<Examined>),
    Failed(String),
}

/// A new project of this one's documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharePlan {
    pub path: PathBuf,
    /// Only the documents that the filter leaves.
    pub only_list: bool,
    /// A name a line, to be replaced.
    pub names: String,
    pub phones: bool,
    pub mails: bool,
    /// A pattern a line for ids.
    pub patterns: String,
    /// Writes the key beside the copy, with which the words come back.
    pub with_key: bool,
}

impl SharePlan {
    /// What is to be replaced.
    ///
    /// # Errors
    /// The first pattern that can't be read, and why.
    pub fn private(&self) -> Result<Private, String> {
        let lines = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let patterns = lines(&self.patterns).iter().map(|pattern| regex::Regex::new(pattern)).collect::<Result<_, _>>();
        let patterns = patterns.map_err(|error| error.to_string())?;
        Ok(Private { names: lines(&self.names), phones: self.phones, mails: self.mails, patterns })
    }

    /// Whether anything is to be replaced.
    pub fn is_private(&self) -> bool {
        self.phones || self.mails || !self.names.trim().is_empty() || !self.patterns.trim().is_empty()
    }
}

enum News {
    Examined(Box<Examined>),
    Shared(PathBuf),
    /// Out of an archive.
    Unpacked(PathBuf),
    Failed(String),
}

#[derive(Default)]
pub(super) struct Examiner {
    view: Examining,
    job: Option<Job<News>>,
}

impl Examiner {
    pub(super) fn view(&self) -> &Examining {
        &self.view
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Desk {
    pub(super) fn examine(&mut self, command: Command) {
        match command {
            Command::Examine => {
                let Some(project) = self.project().cloned() else { return };
                self.start_examining(move |reporter| {
                    reporter.tell(match examined(&project) {
                        Ok(examined) => News::Examined(Box::new(examined)),
                        Err(reason) => News::Failed(reason),
                    });
                });
            }
            Command::SettleDuplicates(what) => self.settle_duplicates(what),
            Command::ShareCopy(plan) => self.share(*plan),
            Command::CopyWhole { to, packed } => self.copy_whole(to, packed),
            _ => self.examining.forget(),
        }
    }

    fn start_examining(&mut self, work: impl FnOnce(&Reporter<News>) + Send + 'static) {
        self.examining.forget();
        match Job::start("gloss-io", self.surroundings.wake.clone(), work, News::Failed) {
            Ok(job) => self.examining = Examiner { view: Examining::Running, job: Some(job) },
            Err(error) => self.fail(error),
        }
    }

    fn settle_duplicates(&mut self, what: Settle) {
        let Examining::Done(examined) = &self.examining.view else { return };
        let Some(project) = self.project() else { return };
        let (phrases, author, time_ms) = (Phrases(self.settings.language), self.settings.author.clone(), self.now());
        let comment = |like: usize| Comment { author: author.clone(), time_ms, text: phrases.is_like(like), resolved: false };
        let edits = settle(project, &examined.groups, what, comment);
        let name = phrases.near_duplicates(what, edits.len());
        self.commit_as_is(name, edits);
        self.examining.forget();
    }

    /// The project with its journal and its runs, as another project or in one file.
    fn copy_whole(&mut self, to: PathBuf, packed: bool) {
        // What waits to be written belongs to it.
        self.finish_saving();
        let (Some(path), Some(open)) = (self.path().map(Path::to_owned), &self.open) else { return };
        let entries = open.history.entries().map(|(kind, step)| (kind, step.clone())).collect();
        let held = copies::Held { path, project: open.project.clone(), entries };
        self.start_examining(move |reporter| {
            let copied = if packed { copies::archive_open(&held, &to, true).map(drop) } else { copies::duplicate_open(&held, &to) };
            reporter.tell(match copied {
                Ok(()) => News::Shared(to),
                Err(error) => News::Failed(error.to_string()),
            });
        });
    }

    /// Takes a project out of an archive, beside it, and opens it.
    pub(super) fn open_archive(&mut self, archive: PathBuf) {
        self.start_examining(move |reporter| {
            let free = |name: &PathBuf| !name.exists() && !name.with_extension("runs").exists();
            let stem = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let names = (1..).map(|at| if at == 1 { format!("{stem}.gloss") } else { format!("{stem} ({at}).gloss") });
            let Some(to) = names.map(|name| archive.with_file_name(name)).find(free) else { return };
            reporter.tell(match copies::unarchive(&archive, &to) {
                Ok(()) => News::Unpacked(to),
                Err(error) => News::Failed(error.to_string()),
            });
        });
    }

    fn share(&mut self, plan: SharePlan) {
        let Some(project) = self.project().cloned() else { return };
        let documents: Vec<Document> = match plan.only_list {
            true => self.queue().ids().iter().filter_map(|id| project.document(*id).cloned()).collect(),
            false => project.documents().cloned().collect(),
        };
        let step = (Phrases(self.settings.language).shared(documents.len()), self.settings.author.clone(), self.now());
        self.start_examining(move |reporter| {
            reporter.tell(match shared(&project, documents, &plan, step) {
                Ok(()) => News::Shared(plan.path),
                Err(reason) => News::Failed(reason),
            });
        });
    }

    pub(super) fn poll_examining(&mut self) {
        let Some(news) = self.examining.job.as_ref().and_then(|job| job.drain().pop()) else { return };
        let view = match news {
            News::Examined(examined) => Examining::Done(examined),
            News::Shared(path) => {
                self.notify(Notice::Exported(path));
                Examining::Idle
            }
            News::Unpacked(path) => {
                self.examining.forget();
                return self.open_project(&path);
            }
            // Without a project there is no place that shows it.
            News::Failed(reason) if self.path().is_none() => {
                self.fail(reason);
                Examining::Idle
            }
            News::Failed(reason) => Examining::Failed(reason),
        };
        self.examining = Examiner { view, job: None };
    }
}

fn examined(project: &Project) -> Result<Examined, String> {
    /// As many pieces as are counted of a text.
    const MOST_PIECES: usize = 1 << 20;
    let tokenizer = Tokenizer::from_bytes(&ModelFiles::shipped().tokenizer).map_err(|error| error.to_string())?;
    let pieces = |text: &str| tokenizer.encode(text, MOST_PIECES).map(|pieces| pieces.ids).unwrap_or_default();
    let statistics = Statistics::of(project, TrainConfig::default().max_length, pieces);
    let pairs = near_pairs(project.documents(), LIKENESS);
    let config = TrainConfig::default();
    let part = |doc: &Document| doc.split.unwrap_or_else(|| assign_split(config.seed, doc.id, config.dev_share));
    let groups = near_groups(&pairs, |id| project.document(id).map(part));
    Ok(Examined { statistics, groups })
}

fn shared(project: &Project, documents: Vec<Document>, plan: &SharePlan, step: (String, String, i64)) -> Result<(), String> {
    let said = |error: StoreError| error.to_string();
    let key_file = Some(key_path(&plan.path)).filter(|_| plan.with_key);
    if let Some(path) = key_file.clone().filter(|path| path.exists()) {
        return Err(said(StoreError::Exists { path }));
    }
    let mut anonymiser = Anonymiser::new(&plan.private()?).map_err(|error| error.to_string())?;
    let documents: Vec<&Document> = documents.iter().collect();
    let (documents, annotators, guidelines) = anonymiser.all(&documents, project.annotators(), project.guidelines());
    copies::new_with(&plan.path, project.schema(), (&annotators, &guidelines), documents, step).map_err(said)?;
    let key = anonymiser.finish().key;
    if let Some(file) = key_file.filter(|_| !key.is_empty()) {
        copies::write_key_of(&file, &key, &plan.path).map_err(said)?;
    }
    Ok(())
}

/// Where the key of an anonymised copy stands.
fn key_path(copy: &Path) -> PathBuf {
    copy.with_extension("key.json")
}
