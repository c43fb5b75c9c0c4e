//! Trying a model out: a thread that answers only the newest question.

use super::Desk;
use super::job::Waker;
use crate::nn::ModelFiles;
use crate::predict::{Asked, Prediction, Predictor, QuestionForm, Reason, SpanAttribute, Stored, Turn};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Instant;

/// An answer with the question it belongs to.
#[derive(Clone, Debug)]
pub struct Answered {
    pub text: String,
    pub prediction: Prediction,
    /// Where each line was a turn of a conversation: the turns before the text, with the probabilities of their classes.
    pub turns: Vec<(String, Vec<f32>)>,
    /// Time the model took, in milliseconds.
    pub took_ms: f64,
}

/// Why the model answered so.
#[derive(Clone, Debug)]
pub struct Why {
    pub asked: Asked,
    /// In reading order of the text of the answer.
    pub reasons: Vec<Reason>,
}

type Source = Box<dyn FnOnce() -> Result<ModelFiles, String> + Send>;

enum Request {
    Load {
        run: String,
        source: Source,
        precision: Stored,
    },
    Predict {
        text: String,
        by_turns: bool,
    },
    /// Of the text last predicted.
    Why {
        text: String,
        before: Vec<String>,
        asked: Asked,
    },
}

enum News {
    Loaded {
        run: String,
        classes: Vec<String>,
        span_labels: Vec<String>,
        attributes: Vec<SpanAttribute>,
        questions: Vec<QuestionForm>,
        turns_before: usize,
    },
    Answered(Box<Answered>),
    Explained {
        text: String,
        why: Why,
    },
    Failed(String),
}

/// The state of the test pane.
pub struct Tester {
    wake: Waker,
    worker: Option<Worker>,
    run: Option<String>,
    pinned: bool,
    ready: bool,
    asked: String,
    /// Whether each line of a text is a turn of a conversation.
    by_turns: bool,
    /// So many turns before one are read with it by the model.
    turns_before: usize,
    classes: Vec<String>,
    span_labels: Vec<String>,
    attributes: Vec<SpanAttribute>,
    questions: Vec<QuestionForm>,
    answered: Option<Answered>,
    /// What was last asked about the answer, and the reasons once they are there.
    asked_why: Option<Asked>,
    why: Option<Why>,
    error: Option<String>,
}

struct Worker {
    requests: Option<Sender<Request>>,
    news: Receiver<News>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.requests = None;
        self.news = crossbeam_channel::never();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Tester {
    pub(super) fn new(wake: Waker) -> Self {
        Self {
            wake,
            worker: None,
            run: None,
            pinned: false,
            ready: false,
            asked: String::new(),
            by_turns: false,
            turns_before: 0,
            classes: Vec::new(),
            span_labels: Vec::new(),
            attributes: Vec::new(),
            questions: Vec::new(),
            answered: None,
            asked_why: None,
            why: None,
            error: None,
        }
    }

    pub(super) fn forget(&mut self) {
        let (asked, by_turns) = (std::mem::take(&mut self.asked), self.by_turns);
        *self = Self::new(self.wake.clone());
        (self.asked, self.by_turns) = (asked, by_turns);
    }

    /// The run whose model answers; `None` before there is one.
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    /// Whether a person chose the run; otherwise it is the newest finished one.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// Whether the model is loaded.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// The text last asked about.
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The newest answer. It may belong to an older text than [`Tester::asked`] while the model computes.
    pub fn answered(&self) -> Option<&Answered> {
        self.answered.as_ref()
    }

    /// Which part of the answer is being explained.
    pub fn asked_why(&self) -> Option<Asked> {
        self.asked_why
    }

    /// The reasons for it; `None` until they are computed.
    pub fn why(&self) -> Option<&Why> {
        self.why.as_ref().filter(|why| self.asked_why == Some(why.asked))
    }

    /// Whether each line of a text is read as a turn of a conversation.
    pub fn by_turns(&self) -> bool {
        self.by_turns
    }

    /// So many turns before one are read with it by the model; 0 of a model that learnt none.
    pub fn turns_before(&self) -> usize {
        self.turns_before
    }

    pub(super) fn set_by_turns(&mut self, on: bool) {
        self.by_turns = on;
        self.ask(self.asked.clone());
    }

    /// Names of the classes in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Names of the labels of predicted spans.
    pub fn span_labels(&self) -> &[String] {
        &self.span_labels
    }

    /// What the model says of spans beside their polarity.
    pub fn attributes(&self) -> &[SpanAttribute] {
        &self.attributes
    }

    /// Questions beside the main one, in the order of their answers.
    pub fn questions(&self) -> &[QuestionForm] {
        &self.questions
    }

    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(super) fn ask(&mut self, text: String) {
        (self.asked_why, self.why) = (None, None);
        self.asked = text;
        if self.asked.trim().is_empty() {
            self.answered = None;
        } else if self.ready {
            self.send(Request::Predict { text: self.asked.clone(), by_turns: self.by_turns });
        }
    }

    /// Asks for the reasons of a part of the answer; `None` puts them away.
    pub(super) fn explain(&mut self, asked: Option<Asked>) {
        (self.asked_why, self.why) = (asked, None);
        let answered = self.answered.as_ref().filter(|_| self.ready);
        let of = answered.map(|answered| (answered.text.clone(), answered.turns.iter().map(|(turn, _)| turn.clone()).collect()));
        if let (Some(asked), Some((text, before))) = (asked, of) {
            self.send(Request::Why { text, before, asked });
        }
    }

    pub(super) fn load(&mut self, run: String, pinned: bool, precision: Stored, source: Source) {
        self.run = Some(run.clone());
        self.pinned = pinned;
        self.ready = false;
        self.error = None;
        self.send(Request::Load { run, source, precision });
    }

    fn send(&mut self, request: Request) {
        if self.worker.is_none() {
            match start(self.wake.clone()) {
                Ok(worker) => self.worker = Some(worker),
                Err(error) => self.error = Some(error.to_string()),
            }
        }
        // The worker empties its queue as it goes; only a thread that died leaves it full.
        let sent = self.worker.as_ref().and_then(|worker| worker.requests.as_ref()).map(|requests| requests.try_send(request));
        if !matches!(sent, Some(Ok(()))) {
            self.error = Some("the prediction thread does not answer; reopen the project".to_owned());
        }
    }

    pub(super) fn poll(&mut self) {
        let news: Vec<News> = self.worker.iter().flat_map(|worker| worker.news.try_iter()).collect();
        for news in news {
            match news {
                News::Loaded { run, classes, span_labels, attributes, questions, turns_before } if self.run.as_deref() == Some(&run) => {
                    (self.ready, self.error, self.turns_before) = (true, None, turns_before);
                    (self.classes, self.span_labels, self.questions) = (classes, span_labels, questions);
                    self.attributes = attributes;
                    self.ask(self.asked.clone());
                }
                News::Loaded { .. } => {}
                News::Answered(answered) if !self.asked.trim().is_empty() => self.answered = Some(*answered),
                News::Answered(_) => {}
                News::Explained { text, why } => {
                    if self.answered.as_ref().is_some_and(|answered| answered.text == text) {
                        self.why = Some(why);
                    }
                }
                News::Failed(reason) => self.error = Some(reason),
            }
        }
    }
}

fn start(wake: Waker) -> std::io::Result<Worker> {
    // Requests are small and drained at once; news wait only for the next frame.
    let (requests, inbox) = bounded::<Request>(1024);
    let (outbox, news) = bounded(64);
    let thread = std::thread::Builder::new().name("gloss-predict".to_owned()).spawn(move || {
        let tell = |news| {
            outbox.send(news).ok();
            wake();
        };
        let mut predictor = None;
        while let Ok(first) = inbox.recv() {
            let (mut text, mut why) = (None, None);
            for request in std::iter::once(first).chain(inbox.try_iter()) {
                match request {
                    Request::Load { run, source, precision } => {
                        match guarded(|| Predictor::stored_as(&source()?, precision).map_err(|e| e.to_string())) {
                            Ok(loaded) => {
                                let (classes, span_labels) = (loaded.classes().to_vec(), loaded.span_labels().to_vec());
                                let (attributes, questions) = (loaded.attributes().to_vec(), loaded.questions().to_vec());
                                let turns_before = loaded.turns_before();
                                predictor = Some(loaded);
                                tell(News::Loaded { run, classes, span_labels, attributes, questions, turns_before });
                            }
                            Err(reason) => tell(News::Failed(reason)),
                        }
                    }
                    Request::Predict { text: newest, by_turns } => text = Some((newest, by_turns)),
                    Request::Why { text, before, asked } => why = Some((text, before, asked)),
                }
            }
            if let (Some((text, by_turns)), Some(predictor)) = (text, &predictor) {
                let start = Instant::now();
                match guarded(|| answered(predictor, text, by_turns)) {
                    Ok(answered) => {
                        let took_ms = start.elapsed().as_secs_f64() * 1e3;
                        tell(News::Answered(Box::new(Answered { took_ms, ..answered })));
                    }
                    Err(reason) => tell(News::Failed(reason)),
                }
            }
            if let (Some((text, before, asked)), Some(predictor)) = (why, &predictor) {
                match guarded(|| explained(predictor, Turn { text: &text, before: &before }, asked)) {
                    Ok(reasons) => tell(News::Explained { text, why: Why { asked, reasons } }),
                    Err(reason) => tell(News::Failed(reason)),
                }
            }
        }
    })?;
    Ok(Worker { requests: Some(requests), news, thread: Some(thread) })
}

/// The answer to a text, or to the last of its lines in the light of those before.
fn answered(predictor: &Predictor, text: String, by_turns: bool) -> Result<Answered, String> {
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if !by_turns || lines.is_empty() {
        let prediction = predictor.predict(&text).map_err(|error| error.to_string())?;
        return Ok(Answered { text, prediction, turns: Vec::new(), took_ms: 0.0 });
    }
    let turns: Vec<Turn> = lines.iter().enumerate().map(|(at, line)| Turn { text: line, before: &lines[..at] }).collect();
    let mut predictions = predictor.predict_turns(&turns).map_err(|error| error.to_string())?;
    let prediction = predictions.pop().unwrap_or_default();
    let text = lines.last().cloned().unwrap_or_default();
    let turns = lines.into_iter().zip(predictions.into_iter().map(|prediction| prediction.probabilities)).collect();
    Ok(Answered { text, prediction, turns, took_ms: 0.0 })
}

fn explained(predictor: &Predictor, turn: Turn, asked: Asked) -> Result<Vec<Reason>, String> {
    let prediction = predictor.predict_turns(&[turn]).map_err(|error| error.to_string())?.pop().unwrap_or_default();
    predictor.why_turn(turn, &prediction, asked).map_err(|error| error.to_string())
}

/// A panic becomes a sentence.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the model failed inside; the log has the details".to_owned()))
}

impl Desk {
    /// Predicts with this run from now on; `None` follows the newest finished one.
    pub(super) fn use_run(&mut self, id: Option<String>) {
        let newest = || self.runs().iter().rev().find(|run| run.report.is_some()).map(|run| run.id.clone());
        let pinned = id.is_some();
        let Some(run) = id.or_else(newest) else { return };
        if let Some(source) = self.model_source(&run) {
            self.tester.load(run, pinned, self.settings.precision, Box::new(move || source().map_err(|error| error.to_string())));
        }
    }
}
