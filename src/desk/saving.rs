//! Steps go into the project file: a gesture at once, before the next picture; an import or another large step on the
//! thread `gloss-save`, so that one can look around meanwhile. A gesture made before that has ended waits for it: it is
//! in the file before the next picture like any other. While a large file that was just opened is still being looked at,
//! steps go into its log alone: they are safe there, and the file stays as it was should it turn out damaged.

use super::job::{Job, Reporter, Waker};
use super::{Desk, Notice, OpenProject};
use crate::project::{Edit, EntryKind, Step};
use crate::store::{ProjectFile, StoreError};
use std::path::Path;

/// A step that touches more documents than this is written beside the window: about 50 ms of writing.
const LARGE: usize = 5_000;

/// The file comes back with what became of the step.
pub(super) enum Saved {
    Done(Box<ProjectFile>, Result<(), StoreError>),
    /// The whole project was written.
    Whole(Result<Box<ProjectFile>, StoreError>),
    /// A large project was opened and its file looked at.
    Checked(Box<ProjectFile>, Result<(), StoreError>),
    /// The thread ended with a panic, and the file was closed.
    Lost(String),
}

/// A large file is being looked at page by page. Steps recorded meanwhile are in the log beside it.
pub(super) struct Checking {
    job: Job<Result<(), String>>,
    /// What the job found, while the file is elsewhere.
    verdict: Option<Result<(), String>>,
    /// Recorded meanwhile: what is not saved any more if the file is damaged.
    recorded: Vec<(EntryKind, Step)>,
}

/// Where the project file is.
pub(super) enum FilePlace {
    Here(Box<ProjectFile>),
    /// The oldest step that waits or the whole project is being written, or the file is being checked.
    Away(Job<Saved>),
    /// What was read made sense, but the file can't be trusted with a change, for this reason.
    Damaged(String),
    /// It could not be opened again; what is not saved yet stays in memory.
    Lost,
}

fn is_large(step: &Step) -> bool {
    let documents = |edit: &Edit| edit.touches().map_or(1, |range| range.len());
    step.edits.iter().map(documents).sum::<usize>() > LARGE
}

impl Desk {
    pub(super) fn save(&mut self, kind: EntryKind, step: Step) {
        self.save_all(vec![(kind, step)]);
    }

    /// [`Desk::save`] for several steps, oldest first.
    pub(super) fn save_all(&mut self, steps: Vec<(EntryKind, Step)>) {
        let Some(open) = &mut self.open else { return };
        let waiting = !open.unsaved.is_empty();
        let is_gesture = !steps.iter().any(|(_, step)| is_large(step));
        open.unsaved.extend(steps);
        if is_gesture {
            self.finish_saving();
        }
        self.retry_saving();
        if !waiting && let Some(reason) = self.saving_error.take() {
            self.notify(Notice::Unsaved(reason));
        }
    }

    /// Writes what is not in the file yet, oldest first, up to a large step, which goes on by itself.
    pub(super) fn retry_saving(&mut self) {
        self.saving_tried_ms = self.now();
        let wake = self.surroundings.wake.clone();
        let Some(open) = &mut self.open else { return };
        let had = open.is_unsaved() && self.saving_failed;
        if matches!(open.file, FilePlace::Lost) {
            open.file = reopened(&open.path);
        }
        if let (FilePlace::Damaged(reason), true) = (&open.file, open.is_unsaved()) {
            self.saving_failed = true;
            self.saving_error = Some(reason.clone());
        }
        if open.unsaved_whole {
            if matches!(open.file, FilePlace::Here(_))
                && let Err(error) = send_whole_away(open, wake)
            {
                self.saving_failed = true;
                self.saving_error = Some(error.to_string());
            }
            return;
        }
        while let Some((_, step)) = open.unsaved.front() {
            let FilePlace::Here(file) = &mut open.file else { return };
            if is_large(step) {
                match send_away(open, wake) {
                    Ok(()) => return,
                    Err(error) => {
                        self.saving_failed = true;
                        self.saving_error = Some(error.to_string());
                        return;
                    }
                }
            }
            // Neighbours go in one transaction: all wait for the disk once.
            let batch: Vec<_> = open.unsaved.iter().take_while(|(_, step)| !is_large(step)).map(|(kind, step)| (*kind, step)).collect();
            let written = batch.len();
            match file.record_all(&batch, &open.project) {
                Ok(()) => {
                    let steps = open.unsaved.drain(..written);
                    match &mut open.checking {
                        Some(checking) => checking.recorded.extend(steps),
                        None => drop(steps),
                    }
                }
                Err(error) => {
                    self.saving_failed = true;
                    self.saving_error = Some(error.to_string());
                    return;
                }
            }
        }
        self.saving_failed = false;
        if had {
            self.notify(Notice::SavedAgain);
        }
    }

    /// Has a thread look at every page of the file of a large project that was just opened.
    pub(super) fn check_file(&mut self) {
        let wake = self.surroundings.wake.clone();
        let Some(open) = &mut self.open else { return };
        let beside = match &open.file {
            FilePlace::Here(file) => file.checker(),
            _ => None,
        };
        if let Some(checker) = beside {
            let look = move |reporter: &Reporter<_>| reporter.tell(checker.run().map_err(|error| error.to_string()));
            if let Ok(job) = Job::start("gloss-check", wake.clone(), look, Err) {
                open.checking = Some(Checking { job, verdict: None, recorded: Vec::new() });
                return;
            }
        }
        // Its log holds something, or its tables are old: nothing is written before it was looked at.
        let look = |mut file: Box<ProjectFile>| {
            let result = file.check();
            Saved::Checked(file, result)
        };
        if lend(&mut open.file, "gloss-check", wake, look).is_err()
            && let FilePlace::Here(file) = std::mem::replace(&mut open.file, FilePlace::Lost)
        {
            self.take_file_back(look(file));
        }
    }

    /// Takes the file back when a large step has been written, and takes in what the look at it found.
    pub(super) fn poll_saving(&mut self) {
        if let Some(OpenProject { file: FilePlace::Away(job), .. }) = &self.open
            && let Some(saved) = job.drain().pop()
        {
            self.take_file_back(saved);
        }
        if let Some(OpenProject { checking: Some(checking), .. }) = &mut self.open {
            checking.verdict = checking.verdict.take().or_else(|| checking.job.drain().pop());
            self.take_verdict();
        }
    }

    /// Waits until a large file has been looked at: at the end of a project.
    pub(super) fn finish_checking(&mut self) {
        if let Some(OpenProject { checking: Some(checking), .. }) = &mut self.open {
            checking.verdict = checking.verdict.take().or_else(|| checking.job.wait());
            self.take_verdict();
        }
    }

    fn take_verdict(&mut self) {
        let Some(open) = &mut self.open else { return };
        let is_here = matches!(open.file, FilePlace::Here(_));
        let Some(checking) = open.checking.take_if(|checking| is_here && checking.verdict.is_some()) else { return };
        let FilePlace::Here(file) = &mut open.file else { return };
        let verdict = checking.verdict.unwrap_or(Ok(())).and_then(|()| file.trust().map_err(|error| error.to_string()));
        let Err(reason) = verdict else { return };
        if let FilePlace::Here(file) = std::mem::replace(&mut open.file, FilePlace::Damaged(reason.clone())) {
            file.abandon();
        }
        for step in checking.recorded.into_iter().rev() {
            open.unsaved.push_front(step);
        }
        self.fail(reason);
        self.retry_saving();
        if let Some(reason) = self.saving_error.take() {
            self.notify(Notice::Unsaved(reason));
        }
    }

    /// Waits until no step is on its way: at the end of a project, and for a gesture behind a large step.
    pub(super) fn finish_saving(&mut self) {
        while let Some(OpenProject { file: FilePlace::Away(job), .. }) = &self.open {
            let saved = job.wait().unwrap_or_else(|| Saved::Lost("the thread ended".to_owned()));
            self.take_file_back(saved);
            if self.saving_failed {
                return;
            }
        }
    }

    fn take_file_back(&mut self, saved: Saved) {
        let Some(open) = &mut self.open else { return };
        let problem = match saved {
            Saved::Checked(file, Ok(())) => {
                open.file = FilePlace::Here(file);
                None
            }
            Saved::Checked(_, Err(error)) => {
                open.file = FilePlace::Damaged(error.to_string());
                self.fail(error);
                return;
            }
            Saved::Done(file, result) => {
                open.file = FilePlace::Here(file);
                let written = if result.is_ok() { open.unsaved.pop_front() } else { None };
                if let (Some(checking), Some(step)) = (&mut open.checking, written) {
                    checking.recorded.push(step);
                }
                result.err().map(|error| error.to_string())
            }
            Saved::Whole(Ok(file)) => {
                open.file = FilePlace::Here(file);
                open.unsaved_whole = false;
                None
            }
            Saved::Whole(Err(error)) => {
                open.file = reopened(&open.path);
                Some(error.to_string())
            }
            Saved::Lost(reason) => {
                // The step was one transaction: the file is as before it, and looked at anew.
                open.checking = None;
                open.file = reopened(&open.path);
                Some(reason)
            }
        };
        match problem {
            None => {
                if std::mem::take(&mut self.saving_failed) {
                    self.notify(Notice::SavedAgain);
                }
                self.retry_saving();
            }
            Some(reason) => {
                self.saving_tried_ms = self.now();
                self.saving_failed = true;
                self.notify(Notice::Unsaved(reason));
            }
        }
    }
}

fn reopened(path: &Path) -> FilePlace {
    ProjectFile::open(path).map_or(FilePlace::Lost, |opened| FilePlace::Here(Box::new(opened.file)))
}

/// Hands the file and the oldest step to a thread. What it needs of the project is copied.
fn send_away(open: &mut OpenProject, wake: Waker) -> std::io::Result<()> {
    let Some((kind, step)) = open.unsaved.front().cloned() else { return Ok(()) };
    let project = open.project.clone();
    lend(&mut open.file, "gloss-save", wake, move |mut file| {
        let result = file.record(kind, &step, &project);
        Saved::Done(file, result)
    })
}

/// Hands the file to a thread that writes the project as it is now in its place, with all steps so far.
fn send_whole_away(open: &mut OpenProject, wake: Waker) -> std::io::Result<()> {
    let (project, history) = (open.project.clone(), open.history.clone());
    lend(&mut open.file, "gloss-save", wake, move |file| {
        let entries: Vec<_> = history.entries().collect();
        Saved::Whole(file.replace(&project, &entries).map(Box::new))
    })?;
    open.unsaved.clear();
    Ok(())
}

/// Gives the file to a thread for this work; it stays where it is when the system gives no thread.
fn lend(
    place: &mut FilePlace,
    thread: &str,
    wake: Waker,
    work: impl FnOnce(Box<ProjectFile>) -> Saved + Send + 'static,
) -> std::io::Result<()> {
    let file = match std::mem::replace(place, FilePlace::Lost) {
        FilePlace::Here(file) => file,
        other => {
            *place = other;
            return Ok(());
        }
    };
    // Kept aside, so that the file is not lost when there is no thread.
    let slot = std::sync::Arc::new(std::sync::Mutex::new(Some(file)));
    let taken = slot.clone();
    let job = Job::start(
        thread,
        wake,
        move |reporter: &Reporter<Saved>| {
            let file = taken.lock().ok().and_then(|mut file| file.take());
            file.map(work).into_iter().for_each(|saved| reporter.tell(saved));
        },
        Saved::Lost,
    );
    match job {
        Ok(job) => {
            *place = FilePlace::Away(job);
            Ok(())
        }
        Err(error) => {
            if let Some(file) = slot.lock().ok().and_then(|mut file| file.take()) {
                *place = FilePlace::Here(file);
            }
            Err(error)
        }
    }
}
