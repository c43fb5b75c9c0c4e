//! The encoder's own pieces of the document on the table, made on the thread `gloss-pieces` while they are shown: by the
//! tokenizer or the vocabulary, and up to the length, of the run in use; without a run, of the shipped encoder.

use super::job::{Job, Reporter, Waker};
use super::{Desk, Notice, encoder_files};
use crate::nn::ModelFiles;
use crate::project::DocId;
use crate::store::{Runs, StoreError};
use crate::text::{Pieces, Tokenizer};
use crate::train::{EncoderChoice, ModelChoice, TrainConfig};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::PathBuf;
use std::sync::Arc;

/// What reads the text.
#[derive(Clone, Debug, PartialEq)]
struct Reader {
    tokenizer: Source,
    max_length: usize,
}

/// Where its tokenizer stands.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    Encoder(EncoderChoice),
    /// The vocabulary that a run of this project learnt.
    Run(PathBuf, String),
}

impl Source {
    fn files(&self) -> Result<ModelFiles, StoreError> {
        match self {
            Self::Encoder(choice) => encoder_files(choice),
            Self::Run(project, id) => Runs::of(project).model(id),
        }
    }
}

enum News {
    Read(DocId, Pieces),
    Failed(String),
}

struct Worker {
    // Dropped before the job is joined, which frees a thread that waits for texts.
    texts: Sender<(DocId, Arc<str>)>,
    job: Job<News>,
}

/// The pieces shown, and what makes them.
#[derive(Default)]
pub(super) struct PieceStrip {
    reader: Option<Reader>,
    worker: Option<Worker>,
    /// Threads that are ending.
    retired: Vec<Job<News>>,
    asked: Option<DocId>,
    read: Option<(DocId, Pieces)>,
    has_failed: bool,
}

impl PieceStrip {
    /// Forgets everything; a thread that is still at work ends by itself.
    pub fn clear(&mut self) {
        self.retired.retain(|job| !job.is_finished());
        if let Some(Worker { texts, job }) = self.worker.take() {
            drop(texts);
            job.request_stop();
            self.retired.push(job);
        }
        *self = Self { retired: std::mem::take(&mut self.retired), ..Self::default() };
    }

    fn start(&mut self, reader: Reader, wake: Waker) {
        let (texts, inbox) = bounded(64);
        let of = reader.clone();
        let work = move |reporter: &Reporter<News>| read_texts(&of, &inbox, reporter);
        self.clear();
        self.reader = Some(reader);
        match Job::start("gloss-pieces", wake, work, News::Failed) {
            Ok(job) => self.worker = Some(Worker { texts, job }),
            Err(error) => log::warn!("no thread for pieces: {error}"),
        }
    }
}

fn read_texts(reader: &Reader, inbox: &Receiver<(DocId, Arc<str>)>, reporter: &Reporter<News>) {
    let files = reader.tokenizer.files().map_err(|error| error.to_string());
    let tokenizer = match files.and_then(|files| Tokenizer::from_bytes(&files.tokenizer).map_err(|error| error.to_string())) {
        Ok(tokenizer) => tokenizer,
        Err(reason) => return reporter.tell(News::Failed(reason)),
    };
    while let Ok(asked) = inbox.recv() {
        // Only the newest document is looked at.
        let (doc, text) = inbox.try_iter().last().unwrap_or(asked);
        match tokenizer.encode(&text, reader.max_length) {
            Ok(pieces) => reporter.tell(News::Read(doc, pieces)),
            Err(error) => return reporter.tell(News::Failed(error.to_string())),
        }
    }
}

impl Desk {
    /// Whether the strip of pieces is shown.
    pub fn shows_pieces(&self) -> bool {
        self.settings.pieces
    }

    /// The pieces of a document; `None` while they are not shown or not made yet.
    pub fn pieces(&self, doc: DocId) -> Option<&Pieces> {
        self.strip.read.as_ref().filter(|(of, _)| *of == doc && self.shows_pieces()).map(|(_, pieces)| pieces)
    }

    pub(super) fn poll_pieces(&mut self) {
        if !self.shows_pieces() || self.open.is_none() {
            self.strip.clear();
            return;
        }
        let run = self.tester.run().and_then(|id| self.runs().iter().find(|run| run.id == id));
        let config = run.map_or_else(TrainConfig::default, |run| run.config.clone());
        let learnt = run.filter(|run| run.config.model != ModelChoice::Encoder).zip(self.path());
        let tokenizer = match learnt {
            Some((run, project)) => Source::Run(project.to_owned(), run.id.clone()),
            None => Source::Encoder(config.encoder),
        };
        let reader = Reader { tokenizer, max_length: config.max_length };
        if self.strip.reader.as_ref() != Some(&reader) {
            self.strip.start(reader, self.surroundings.wake.clone());
        }
        for news in self.strip.worker.as_ref().map(|worker| worker.job.drain()).unwrap_or_default() {
            match news {
                News::Read(doc, pieces) => self.strip.read = Some((doc, pieces)),
                News::Failed(reason) if !self.strip.has_failed => {
                    self.strip.has_failed = true;
                    self.notify(Notice::Failed(format!("The pieces can't be shown: {reason}")));
                }
                News::Failed(_) => {}
            }
        }
        let document = self.current.filter(|doc| self.strip.asked != Some(*doc));
        let text = document.and_then(|doc| Some((doc, self.project()?.document(doc)?.text.clone())));
        if let (Some((doc, text)), Some(worker)) = (text, &self.strip.worker)
            && !self.strip.has_failed
            && worker.texts.try_send((doc, text)).is_ok()
        {
            self.strip.asked = Some(doc);
        }
    }
}
