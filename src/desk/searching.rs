//! Searching the texts of a large project, on the thread `gloss-search`: the queue fills while it goes on. Small projects
//! are searched at once, where the queue is made.

use super::Desk;
use super::job::{Job, Reporter, Waker};
use crate::project::{DocId, Document, Found, Project, TextPack};
use std::sync::Arc;

/// Projects larger than this are searched beside the window: below, a search takes a few milliseconds.
const LARGE: usize = 20_000;
/// Texts between two looks at the stop flag.
const PIECE: usize = 2_048;
/// Texts in a pack.
const PART: usize = TextPack::TEXTS;

/// The texts of a project in order of ids, [`PART`] in each pack but the last.
#[derive(Clone)]
pub(super) struct Texts {
    packs: Arc<[TextPack]>,
    len: usize,
}

impl Texts {
    /// Packs as a project file gives them.
    pub fn of_packs(packs: Vec<TextPack>) -> Self {
        Self { len: packs.iter().map(TextPack::len).sum(), packs: packs.into() }
    }
}

/// A copy of the texts of all documents, made by all processors.
pub(super) fn texts_of(project: &Project) -> Texts {
    let documents = project.all_documents();
    let packs = |documents: &[Document]| -> Vec<TextPack> {
        documents.chunks(PART).map(|part| TextPack::of(part.iter().map(|doc| &*doc.text))).collect()
    };
    let share = documents.len().div_ceil(processors()).next_multiple_of(PART).max(1);
    let packs = std::thread::scope(|scope| {
        let packs = &packs;
        let shares: Vec<_> = documents.chunks(share).map(|share| scope.spawn(move || packs(share))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    Texts { packs: packs.into(), len: documents.len() }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What the search tells.
enum Part {
    /// So many texts were searched, and these documents found.
    Of(usize, Vec<DocId>),
    End,
}

/// Searches, and remembers what the last search has found.
#[derive(Default)]
pub(super) struct Searcher {
    /// Texts of the open project in order of ids: no edit changes them, imports add to them.
    texts: Option<Texts>,
    found: Option<(String, Found)>,
    job: Option<Job<Part>>,
}

impl Searcher {
    /// Another project is on the desk, with these texts where somebody has gathered them.
    pub fn start_over(&mut self, texts: Option<Texts>) {
        *self = Self { texts, ..Self::default() };
    }

    pub fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// What was found for `search`; `None` where the queue searches by itself.
    pub fn found(&self, search: &str) -> Option<&Found> {
        self.found.as_ref().filter(|(of, _)| of == search).map(|(_, found)| found)
    }

    fn search_for(&mut self, search: &str, project: &Project, wake: Waker) {
        if self.found(search).is_some() {
            return;
        }
        self.job = None;
        self.found = None;
        let documents = project.all_documents();
        if documents.len() <= LARGE || search.is_empty() {
            return;
        }
        let known = self.texts.take().filter(|texts| texts.len == documents.len());
        let texts = known.unwrap_or_else(|| texts_of(project));
        self.texts = Some(texts.clone());
        let found = Found::nothing(search);
        self.found = Some((search.to_owned(), found.clone()));
        let work = move |reporter: &Reporter<Part>| search_all(&texts, &found, reporter);
        self.job = Job::start("gloss-search", wake, work, |_| Part::End).ok();
        if self.job.is_none() {
            self.found = None; // without a thread the queue searches by itself
        }
    }

    /// Takes in the news; whether there was any.
    fn poll(&mut self) -> bool {
        let (Some(job), Some((_, found))) = (&self.job, &mut self.found) else { return false };
        let news = job.drain();
        let any = !news.is_empty();
        let mut ended = false;
        for part in news {
            match part {
                Part::Of(texts, ids) => found.extend(texts, &ids),
                Part::End => {
                    found.complete();
                    ended = true;
                }
            }
        }
        if ended {
            self.job = None;
        }
        any
    }
}

/// A pack for each processor at a time; stops between two pieces when it is told to.
fn search_all(texts: &Texts, found: &Found, reporter: &Reporter<Part>) {
    let threads = processors();
    for (turn, packs) in texts.packs.chunks(threads).enumerate() {
        let matches = |at: usize, pack: &TextPack| {
            let pieces = (0..pack.len()).step_by(PIECE).take_while(|_| !reporter.stopped());
            pieces.flat_map(|from| found.matches(pack, from..from + PIECE, (turn * threads + at) * PART)).collect::<Vec<_>>()
        };
        let ids = std::thread::scope(|scope| {
            let matches = &matches;
            let parts = packs.iter().enumerate().map(|(at, pack)| scope.spawn(move || matches(at, pack)));
            let parts: Vec<_> = parts.collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect::<Vec<_>>()
        });
        if reporter.stopped() {
            return;
        }
        reporter.tell(Part::Of(packs.iter().map(TextPack::len).sum(), ids));
    }
    reporter.tell(Part::End);
}

impl Desk {
    /// Starts the search that the filter asks for, if it is not the one that ran last.
    pub(super) fn search_texts(&mut self) {
        let wake = self.surroundings.wake.clone();
        if let Some(open) = &self.open {
            self.searcher.search_for(&self.filter.search, &open.project, wake);
        }
    }

    pub(super) fn poll_search(&mut self) {
        if self.searcher.poll() {
            self.queue_key = None;
        }
    }
}
