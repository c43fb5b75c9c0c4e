//! Undo and redo without limit. A [`Step`] is one gesture; the history is rebuilt from the journal's entries.

use super::{Edit, EditError, Project};
use serde::{Deserialize, Serialize};

/// One gesture: what it did and how to take it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What a person reads: "mark 电池 as aspect".
    pub name: String,
    pub author: String,
    /// Milliseconds since 1970, given by the caller.
    pub time_ms: i64,
    pub edits: Vec<Edit>,
    /// In the order in which they must be applied.
    pub inverse: Vec<Edit>,
}

/// What happened, as the journal keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    Do,
    Undo,
    Redo,
}

/// A line of the journal. Undo and redo carry the step they concern.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub kind: EntryKind,
    pub step: Step,
}

/// Steps done, and steps undone that can be redone.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Step>,
    undone: Vec<Step>,
}

impl History {
    /// Applies the edits of a gesture as one step and returns it; half-failed steps are rolled back.
    ///
    /// # Errors
    /// The first edit that does not fit; the project is then as before.
    pub fn commit(
        &mut self,
        project: &mut Project,
        name: String,
        author: String,
        time_ms: i64,
        edits: Vec<Edit>,
    ) -> Result<Step, EditError> {
        let kept = edits.iter().map(without_documents).collect();
        let inverse = apply_all(project, edits)?;
        let step = Step { name, author, time_ms, edits: kept, inverse };
        self.done.push(step.clone());
        self.undone.clear();
        Ok(step)
    }

    /// Takes the last step back. `None` when there is none.
    pub fn undo(&mut self, project: &mut Project) -> Option<Result<Step, EditError>> {
        let step = self.done.pop()?;
        let outcome = apply_all(project, step.inverse.clone());
        Some(self.moved(outcome, step, true))
    }

    /// Makes the last undone step again. `None` when there is none.
    pub fn redo(&mut self, project: &mut Project) -> Option<Result<Step, EditError>> {
        let step = self.undone.pop()?;
        let outcome = apply_all(project, step.edits.clone());
        Some(self.moved(outcome, step, false))
    }

    fn moved(&mut self, outcome: Result<Vec<Edit>, EditError>, step: Step, undone: bool) -> Result<Step, EditError> {
        let ok = outcome.is_ok();
        if undone == ok {
            self.undone.push(step.clone())
        } else {
            self.done.push(step.clone())
        }
        outcome.map(|_| step)
    }

    /// Rebuilds the stacks from a journal, oldest entry first. The project itself is stored, not replayed.
    pub fn replay(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut history = Self::default();
        for Entry { kind, step } in entries {
            match kind {
                EntryKind::Do => {
                    history.done.push(step);
                    history.undone.clear();
                }
                EntryKind::Undo => history.undone.extend(history.done.pop()),
                EntryKind::Redo => history.done.extend(history.undone.pop()),
            }
        }
        history
    }

    /// A journal that [`History::replay`] makes this history of.
    pub fn entries(&self) -> impl Iterator<Item = (EntryKind, &Step)> {
        let done = self.done.iter().chain(self.undone.iter().rev()).map(|step| (EntryKind::Do, step));
        done.chain(self.undone.iter().map(|step| (EntryKind::Undo, step)))
    }

    /// The step that undo would take back.
    pub fn next_undo(&self) -> Option<&Step> {
        self.done.last()
    }

    /// The step that redo would make again.
    pub fn next_redo(&self) -> Option<&Step> {
        self.undone.last()
    }

    /// Steps undone that can be redone, the next one last.
    pub fn undone(&self) -> &[Step] {
        &self.undone
    }

    /// Steps done, oldest first.
    pub fn done(&self) -> &[Step] {
        &self.done
    }
}

/// A journal does not hold imported texts twice.
fn without_documents(edit: &Edit) -> Edit {
    match edit {
        Edit::AddDocuments { first, count, .. } => Edit::AddDocuments { first: *first, count: *count, documents: Vec::new() },
        other => other.clone(),
    }
}

/// Applies in order and returns the inverses in the order in which *they* must be applied.
fn apply_all(project: &mut Project, edits: Vec<Edit>) -> Result<Vec<Edit>, EditError> {
    let mut inverse = Vec::with_capacity(edits.len());
    let known = project.documents.len();
    for edit in edits {
        match project.apply(edit) {
            Ok(back) => inverse.push(back),
            Err(error) => {
                for back in inverse.into_iter().rev() {
                    project.apply(back).map_err(|_| error.clone())?;
                }
                // Documents of a step that never was leave no gap in the ids: the file has never seen them.
                project.documents.truncate(known);
                return Err(error);
            }
        }
    }
    inverse.reverse();
    Ok(inverse)
}
