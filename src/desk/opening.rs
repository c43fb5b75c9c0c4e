//! Opening a project: a small file at once, a large one on the thread `gloss-open`, while the one before stays usable.
//! Of a large file the documents come first; whether each of its pages is sound is looked at on the thread `gloss-check`.
//! What is done before that has ended is in the log beside the file at once, and in the file itself when it is sound.

use super::job::Job;
use super::saving::FilePlace;
use super::searching::Texts;
use super::{Desk, Notice, OpenProject};
use crate::store::{Opened, ProjectFile};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Files larger than this take longer than a few frames to read.
const LARGE_BYTES: u64 = 16 << 20;

/// What the thread brings: the project and its texts, for searching them, or a sentence that says why not.
type Outcome = Result<Box<(OpenProject, Texts)>, String>;

/// A large project on its way to the desk.
pub(super) struct Opening {
    path: PathBuf,
    job: Job<Outcome>,
    /// `false` after something else was opened meanwhile.
    wanted: bool,
}

fn desk_of(opened: Opened) -> OpenProject {
    OpenProject {
        runs: opened.file.runs().list(),
        project: opened.project,
        history: opened.history,
        path: opened.file.path().to_owned(),
        file: FilePlace::Here(Box::new(opened.file)),
        unsaved: VecDeque::new(),
        unsaved_whole: false,
        checking: None,
    }
}

impl Desk {
    pub(super) fn open_project(&mut self, path: &Path) {
        if self.path().is_some_and(|open| open == path) {
            return;
        }
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
            return self.open_archive(path.to_owned());
        }
        if let Some(opening) = &mut self.opening {
            // One at a time: a second reader of a large file would only slow the first one down.
            opening.wanted |= opening.path == path;
            let busy = opening.path.clone();
            if busy != path {
                self.notify(Notice::StillOpening(busy));
            }
            return;
        }
        let is_large = path.metadata().is_ok_and(|meta| meta.len() > LARGE_BYTES);
        if is_large && self.open_beside(path).is_ok() {
            return;
        }
        match ProjectFile::open(path) {
            Ok(opened) => self.put_on_desk(desk_of(opened)),
            Err(error) => self.fail(error),
        }
    }

    fn open_beside(&mut self, path: &Path) -> std::io::Result<()> {
        let wake = self.surroundings.wake.clone();
        let file = path.to_owned();
        let work = move |reporter: &super::job::Reporter<Outcome>| {
            let opened = ProjectFile::open_unchecked(&file).map(|mut opened| {
                let texts = Texts::of_packs(std::mem::take(&mut opened.texts));
                Box::new((desk_of(opened), texts))
            });
            reporter.tell(opened.map_err(|error| error.to_string()));
        };
        let job = Job::start("gloss-open", wake, work, Err)?;
        self.opening = Some(Opening { path: path.to_owned(), job, wanted: true });
        Ok(())
    }

    pub(super) fn poll_opening(&mut self) {
        let Some(outcome) = self.opening.as_ref().and_then(|opening| opening.job.drain().pop()) else { return };
        let wanted = self.opening.take().is_some_and(|opening| opening.wanted);
        match outcome {
            Ok(opened) if wanted => {
                let (open, texts) = *opened;
                self.put_on_desk(open);
                self.searcher.start_over(Some(texts));
                self.check_file();
            }
            Ok(_) => {}
            Err(reason) => self.fail(reason),
        }
    }

    /// The large project that is being read.
    pub fn opening(&self) -> Option<&Path> {
        self.opening.as_ref().filter(|opening| opening.wanted).map(|opening| opening.path.as_path())
    }

    /// Something else was put on the desk.
    pub(super) fn forget_opening(&mut self) {
        if let Some(opening) = &mut self.opening {
            opening.wanted = false;
        }
    }
}
