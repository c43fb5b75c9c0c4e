//! Suggestions for the document on the table and those ahead: a model's spans and classes, computed on the thread
//! `gloss-suggest`, and words that a list says are to be marked. Nothing is computed while suggestions are hidden.
//!
//! A suggestion is no part of the project until a person accepts it or turns it down.

use super::job::{Job, Reporter, Waker};
use super::{Desk, Notice, phrase::Phrases};
use crate::nn::{ModelFiles, Threads};
use crate::predict::{PredictedSpan, Predictor, SpanAttribute, Stored, most_likely};
use crate::project::{
    Annotation, AttributeValue, Attributes, DocId, Document, Edit, Guess, Guesses, Layer, Polarity, Project, QuestionId, Rejected, Schema,
    State, TextRange, WordMatcher,
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// So many documents after the current one are looked at ahead of time.
const AHEAD: usize = 24;
/// So many go to the model at once: news comes every few hundred milliseconds.
const BATCH: usize = 8;

/// A span that may be marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Ghost {
    pub range: TextRange,
    /// Place in the project's span labels.
    pub label: u16,
    /// `None` for a word of the list.
    pub probability: Option<f32>,
    /// Where spans of this label carry one, the likeliest.
    pub polarity: Option<Polarity>,
    /// The likeliest values of the attributes that the project has too.
    pub attributes: Attributes,
}

/// What a model said about one document, by the names it was trained with.
pub(super) struct Said {
    /// Probability of each class of the model.
    pub classes: Vec<f32>,
    pub spans: Vec<PredictedSpan>,
}

/// Which documents of a project the model is to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wanted {
    #[default]
    All,
    /// Those to do.
    Todo,
    /// Those whose main question is answered, or whose spans are marked.
    Answered,
}

impl Wanted {
    fn takes(self, document: &Document, layer: Layer, main: Option<QuestionId>) -> bool {
        let held = document.said_in(layer);
        match self {
            Self::All => true,
            Self::Todo => held.is_none_or(|held| held.state == State::Todo),
            Self::Answered => held.is_some_and(|held| main.is_some_and(|main| held.class(main).is_some()) || is_marked(held)),
        }
    }
}

/// Whether its spans can be judged: some are marked, or it is done, so that what is not marked is meant so.
pub(super) fn is_marked(said: &Annotation) -> bool {
    said.state == State::Done || !said.spans.is_empty()
}

type Texts = Vec<(DocId, Arc<str>)>;

enum News {
    Ready { classes: Vec<String>, span_labels: Vec<String>, attributes: Vec<SpanAttribute> },
    Said(Vec<(DocId, Said)>),
    Failed(String),
}

/// One model on its thread.
struct Worker {
    // Dropped before the job is joined, which frees a thread that waits for texts.
    texts: Sender<Vec<Asked>>,
    job: Job<News>,
}

impl Worker {
    /// Asks the thread to end, without waiting for what it is at.
    fn retire(self) -> Job<News> {
        self.job.request_stop();
        self.job
    }
}

/// Everything suggested since the run was chosen.
pub(super) struct Suggester {
    wake: Waker,
    worker: Option<Worker>,
    /// Threads that are ending.
    retired: Vec<Job<News>>,
    /// The run whose model answers; what it said is forgotten when another is chosen.
    run: Option<String>,
    classes: Vec<String>,
    span_labels: Vec<String>,
    attributes: Vec<SpanAttribute>,
    said: BTreeMap<DocId, Said>,
    /// So many documents were passed when many were wanted, which ones, and of how many.
    scanned: usize,
    scanned_for: (Wanted, usize),
    is_busy: bool,
    has_failed: bool,
    /// The likeliest class of each document, as places of the project's schema.
    guesses: Arc<Guesses>,
    guessed_for: Option<Arc<Schema>>,
    /// How many documents had been looked at when the guesses were gathered.
    guessed_of: usize,
    words: Words,
}

/// Words found in the document on the table.
#[derive(Default)]
struct Words {
    matcher: Option<(Arc<Schema>, WordMatcher)>,
    doc: Option<DocId>,
    found: Vec<Ghost>,
}

impl Suggester {
    pub fn new(wake: Waker) -> Self {
        Self {
            wake,
            worker: None,
            retired: Vec::new(),
            run: None,
            classes: Vec::new(),
            span_labels: Vec::new(),
            attributes: Vec::new(),
            said: BTreeMap::new(),
            scanned: 0,
            scanned_for: (Wanted::All, 0),
            is_busy: false,
            has_failed: false,
            guesses: Arc::default(),
            guessed_for: None,
            guessed_of: 0,
            words: Words::default(),
        }
    }

    pub fn forget(&mut self) {
        let mut retired = std::mem::take(&mut self.retired);
        retired.extend(self.worker.take().map(Worker::retire));
        *self = Self { retired, ..Self::new(self.wake.clone()) };
    }

    /// What was said about the documents from one on.
    pub fn said_from(&self, from: Bound<DocId>) -> impl Iterator<Item = (&DocId, &Said)> {
        self.said.range((from, Bound::Unbounded))
    }

    /// Names of the model's classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Names of the model's span labels.
    pub fn span_labels(&self) -> &[String] {
        &self.span_labels
    }

    /// How many documents had been looked at when guesses were last gathered, which is not done for each batch.
    pub fn gathered(&self) -> usize {
        self.guessed_of
    }

    /// The likeliest class of each document looked at so far.
    pub fn guesses(&self) -> &Arc<Guesses> {
        &self.guesses
    }

    fn choose(&mut self, run: Option<&str>) {
        if self.run.as_deref() != run {
            self.forget();
            self.run = run.map(str::to_owned);
        }
    }

    fn start(&mut self, threads: Threads, precision: Stored, source: impl FnOnce() -> Result<ModelFiles, String> + Send + 'static) {
        let (texts, inbox) = bounded::<Vec<Asked>>(2);
        let work = move |reporter: &Reporter<News>| answer((source, precision), &threads, &inbox, reporter);
        match Job::start("gloss-suggest", self.wake.clone(), work, News::Failed) {
            Ok(job) => self.worker = Some(Worker { texts, job }),
            Err(error) => log::warn!("no thread for suggestions: {error}"),
        }
    }

    /// Sends the texts if the thread is free.
    fn ask(&mut self, texts: Vec<Asked>) {
        if let Some(worker) = &self.worker {
            self.is_busy = worker.texts.try_send(texts).is_ok();
        }
    }

    /// Takes in what the thread has to say; answers with a failure.
    fn drain(&mut self) -> Option<String> {
        self.retired.retain(|job| !job.is_finished());
        let news = self.worker.as_ref().map(|worker| worker.job.drain()).unwrap_or_default();
        let mut failure = None;
        for news in news {
            match news {
                News::Ready { classes, span_labels, attributes } => {
                    (self.classes, self.span_labels, self.attributes) = (classes, span_labels, attributes);
                }
                News::Said(said) => {
                    self.is_busy = false;
                    self.said.extend(said);
                }
                News::Failed(reason) => {
                    self.has_failed = true;
                    failure = Some(reason);
                }
            }
        }
        if failure.is_some() {
            self.worker = None;
        }
        failure
    }

    /// Classes of the model as places in the main question; `None` for those the project does not have.
    fn class_places(&self, schema: &Schema) -> Vec<Option<u16>> {
        let question = schema.main_question().map(|(_, question)| question);
        self.classes.iter().map(|name| question?.class(name)).collect()
    }

    fn refresh_guesses(&mut self, schema: &Arc<Schema>) {
        // Gathering takes as long as there are guesses: not for each batch, and the list should not dance.
        let grown = self.said.len() - self.guessed_of;
        let is_due = grown > 0 && (grown * 4 >= self.guessed_of || !self.is_busy);
        if !is_due && self.guessed_for.as_ref().is_some_and(|of| Arc::ptr_eq(of, schema)) {
            return;
        }
        self.guessed_of = self.said.len();
        let places = self.class_places(schema);
        let best = |said: &Said| {
            let known = places.iter().zip(&said.classes).filter_map(|(place, probability)| Some(((*place)?, *probability)));
            known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(class, probability)| Guess { class, probability })
        };
        self.guesses = Arc::new(self.said.iter().filter_map(|(doc, said)| Some((*doc, best(said)?))).collect());
        self.guessed_for = Some(schema.clone());
    }

    /// The next documents of the whole project, for a list that is ordered or filtered by what the model says. Each is looked
    /// at once; those of undone imports too, which may come back. They come scattered: what is known of the first thousand
    /// speaks for all. Few are passed at a time, so `true` where there may be more.
    fn next_of_all(&mut self, project: &Project, wanted: Wanted, layer: Layer) -> (Texts, bool) {
        /// A prime: steps of it meet each document once.
        const STRIDE: u64 = 2_147_483_647;
        const PASSED: usize = 4_096;
        let documents = project.all_documents();
        if self.scanned_for != (wanted, documents.len()) {
            (self.scanned_for, self.scanned) = ((wanted, documents.len()), 0);
        }
        let main = project.schema().main_question().map(|(id, _)| id);
        let mut texts = Texts::new();
        let until = documents.len().min(self.scanned + PASSED);
        while self.scanned < until && texts.len() < BATCH {
            let place = self.scanned as u64 * STRIDE % documents.len() as u64;
            self.scanned += 1;
            let doc = &documents[place as usize];
            if wanted.takes(doc, layer, main) && !self.said.contains_key(&doc.id) {
                texts.push((doc.id, doc.text.clone()));
            }
        }
        (texts, self.scanned < documents.len())
    }

    fn refresh_words(&mut self, schema: &Arc<Schema>, document: Option<&Document>) {
        let Words { matcher, doc, found } = &mut self.words;
        let is_same = matcher.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, schema));
        if is_same && *doc == document.map(|document| document.id) {
            return;
        }
        if !is_same {
            *matcher = Some((schema.clone(), WordMatcher::of(schema)));
        }
        *doc = document.map(|document| document.id);
        let matches = matcher.as_ref().zip(document).map(|((_, matcher), document)| matcher.find(&document.text));
        let ghost = |(range, label)| Ghost { range, label, probability: None, polarity: None, attributes: Attributes::default() };
        *found = matches.unwrap_or_default().into_iter().map(ghost).collect();
    }

    /// A span of the model under the names of the project; `None` where that has no such label.
    fn ghost(&self, schema: &Schema, span: &PredictedSpan) -> Option<Ghost> {
        let label = schema.span_label(self.span_labels.get(usize::from(span.label))?)?;
        let carries = schema.span_labels[usize::from(label)].polarity;
        let polarity = span.polarity.filter(|_| carries).map(|shares| most_likely(shares).0);
        let value = |said: &crate::predict::PredictedAttribute| {
            let own = self.attributes.get(usize::from(said.attribute))?;
            let at = schema.attributes(label).iter().position(|asked| asked.name == own.name)?;
            let name = own.values.get(usize::from(said.best().0))?;
            let value = schema.attributes(label)[at].values().iter().position(|other| other == name)?;
            Some((at as u16, AttributeValue::Value(value as u16)))
        };
        let attributes = span.attributes.iter().filter_map(value).collect();
        Some(Ghost { range: span.range, label, probability: Some(span.probability), polarity, attributes })
    }

    /// What is still to be decided about a document, in reading order. A place that has been marked already, or
    /// rejected, is not suggested again.
    fn ghosts(&self, schema: &Schema, document: &Document) -> Vec<Ghost> {
        let of_model = self.said.get(&document.id).into_iter().flat_map(|said| &said.spans);
        let of_model = of_model.filter_map(|span| self.ghost(schema, span));
        let of_words = self.words.found.iter().filter(|_| self.words.doc == Some(document.id)).cloned();
        let mut ghosts: Vec<Ghost> = Vec::new();
        for ghost in of_model.chain(of_words) {
            let settled = document
                .annotation
                .spans
                .values()
                .any(|span| span.range == ghost.range || span.label == ghost.label && span.range.overlaps(ghost.range));
            let twice = ghosts.iter().any(|other| other.label == ghost.label && other.range.overlaps(ghost.range));
            let rejected = document
                .annotation
                .rejected
                .iter()
                .any(|one| one.range == ghost.range && schema.span_label(&one.label) == Some(ghost.label));
            if !settled && !twice && !rejected {
                ghosts.push(ghost);
            }
        }
        ghosts.sort_by_key(|ghost| (ghost.range.start(), ghost.range.end(), ghost.label));
        ghosts
    }
}

/// A document on its way to the model, with the turns before it where it is one of a conversation.
struct Asked {
    doc: DocId,
    text: Arc<str>,
    before: Vec<String>,
}

/// The thread: loads the model, then answers until nobody asks any more.
fn answer(
    (source, precision): (impl FnOnce() -> Result<ModelFiles, String>, Stored),
    threads: &Threads,
    inbox: &Receiver<Vec<Asked>>,
    reporter: &Reporter<News>,
) {
    let loaded = source().and_then(|files| Predictor::stored_as(&files, precision).map_err(|error| error.to_string()));
    let predictor = match loaded {
        Ok(predictor) => predictor,
        Err(reason) => return reporter.tell(News::Failed(reason)),
    };
    reporter.tell(News::Ready {
        classes: predictor.classes().to_vec(),
        span_labels: predictor.span_labels().to_vec(),
        attributes: predictor.attributes().to_vec(),
    });
    while let Ok(texts) = inbox.recv() {
        if reporter.stopped() {
            return;
        }
        let turns: Vec<_> = texts.iter().map(|asked| crate::predict::Turn { text: &asked.text, before: &asked.before }).collect();
        match threads.run(|| predictor.predict_turns(&turns)) {
            Ok(predictions) => {
                let said = texts.iter().zip(predictions);
                let said = said.map(|(asked, prediction)| (asked.doc, Said { classes: prediction.probabilities, spans: prediction.spans }));
                reporter.tell(News::Said(said.collect()));
            }
            Err(error) => return reporter.tell(News::Failed(error.to_string())),
        }
    }
}

impl Desk {
    /// Whether suggestions are shown, and made.
    pub fn suggests(&self) -> bool {
        self.settings.suggestions
    }

    /// Spans that may be marked in a document that is to do, in reading order; empty while suggestions are hidden.
    pub fn ghosts(&self, doc: DocId) -> Vec<Ghost> {
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?.seen_in(self.layer))))
        else {
            return Vec::new();
        };
        if !self.suggests() || document.annotation.state != State::Todo {
            return Vec::new();
        }
        self.suggester.ghosts(project.schema(), &document)
    }

    /// The likeliest class of the main question for a document; `None` while suggestions are hidden.
    pub fn guess(&self, doc: DocId) -> Option<Guess> {
        let likeliest = self.class_probabilities(doc).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        likeliest.map(|(class, probability)| Guess { class, probability })
    }

    /// Probability of each class of the main question; empty while suggestions are hidden or not yet made.
    pub fn class_probabilities(&self, doc: DocId) -> Vec<(u16, f32)> {
        let said = self.suggester.said.get(&doc).filter(|_| self.suggests());
        let Some((project, said)) = self.project().zip(said) else { return Vec::new() };
        let places = self.suggester.class_places(project.schema());
        places.into_iter().zip(&said.classes).filter_map(|(place, probability)| Some((place?, *probability))).collect()
    }

    /// How many documents the model has looked at; `None` when there is no model or suggestions are hidden.
    pub fn looked_at(&self) -> Option<usize> {
        (self.suggests() && self.suggester.run.is_some()).then_some(self.suggester.said.len())
    }

    /// Takes in what has been computed and asks for what comes next. Costs little when there is nothing to do.
    pub(super) fn poll_suggestions(&mut self) {
        let run = self.tester.run().map(str::to_owned).filter(|_| self.suggests() && self.open.is_some());
        self.suggester.choose(run.as_deref());
        if let Some(reason) = self.suggester.drain() {
            let reason = format!("Suggestions can't be made with the run {}: {reason}", run.as_deref().unwrap_or_default());
            self.notify(Notice::Failed(reason));
        }
        let Some(open) = &self.open else { return };
        let schema = open.project.schema().clone();
        let document = self.current.filter(|_| self.suggests()).and_then(|doc| open.project.document(doc));
        self.suggester.refresh_words(&schema, document);
        if run.is_some() && !self.suggester.is_busy && !self.suggester.has_failed {
            self.ask_for_next(run);
        }
        self.suggester.refresh_guesses(&schema);
    }

    fn ask_for_next(&mut self, run: Option<String>) {
        let Some(open) = &self.open else { return };
        let mut texts = self.next_texts(&open.project);
        let (wanted, layer) = (self.wanted_guesses(), self.layer);
        if let Some(wanted) = wanted.filter(|_| texts.is_empty()) {
            let more;
            (texts, more) = self.suggester.next_of_all(&open.project, wanted, layer);
            if texts.is_empty() && more {
                (self.surroundings.wake)();
            }
        }
        if texts.is_empty() {
            return;
        }
        if self.suggester.worker.is_none()
            && let Some(run) = run
            && let Some(source) = self.model_source(&run)
        {
            let threads = self.threads.of(self.settings.threads);
            let precision = self.settings.precision;
            self.suggester.start(threads, precision, move || source().map_err(|error| error.to_string()));
        }
        let asked = texts.into_iter().map(|(doc, text)| Asked { doc, text, before: self.turns_before(doc) }).collect();
        self.suggester.ask(asked);
    }

    /// The current document first, then those ahead.
    fn next_texts(&self, project: &Project) -> Texts {
        let unknown = |doc: &DocId| !self.suggester.said.contains_key(doc);
        let ids = self.queue.ids();
        let ahead = ids.iter().skip(self.position).take(AHEAD).copied();
        let near = self.current.into_iter().chain(ahead);
        let mut wanted: Vec<DocId> = Vec::new();
        for doc in near.filter(unknown) {
            if !wanted.contains(&doc) {
                wanted.push(doc);
            }
        }
        wanted.truncate(BATCH);
        wanted.into_iter().filter_map(|id| Some((id, project.document(id)?.text.clone()))).collect()
    }

    /// For runs that start from now on, and for suggestions at once.
    pub(super) fn set_threads(&mut self, threads: usize) {
        self.change_settings(|settings| settings.threads = threads);
        self.suggester.forget();
    }

    /// For Test and for suggestions.
    pub(super) fn set_precision(&mut self, precision: Stored) {
        self.change_settings(|settings| settings.precision = precision);
        self.suggester.forget();
        let pinned = self.tester.run().filter(|_| self.tester.is_pinned()).map(str::to_owned);
        self.use_run(pinned);
    }

    pub(super) fn reject(&mut self, doc: DocId, range: TextRange, label: u16) {
        let phrases = Phrases(self.settings.language);
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?))) else { return };
        let Some(label) = project.schema().span_labels.get(usize::from(label)) else { return };
        let name = phrases.reject(document, range, &label.name);
        let what = Rejected { range, label: label.name.clone() };
        self.commit(name, vec![Edit::SetRejected { doc, what, to: true }]);
    }

    /// The name of the run whose model suggests.
    pub(super) fn suggesting_run(&self) -> Option<&str> {
        self.suggester.run.as_deref()
    }
}
