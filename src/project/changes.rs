//! Which documents the last edits touched, so that what was computed from a project can be brought up to date instead
//! of being computed anew.

use std::collections::VecDeque;
use std::ops::Range;

/// Longer bulk edits are cheaper to compute anew.
const KEPT: usize = 64;

/// The last edits, one a revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// `None`: the edit concerned the whole project.
    last: VecDeque<Option<Range<usize>>>,
}

impl Changes {
    pub fn push(&mut self, touched: Option<Range<usize>>) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(touched);
    }

    /// What the last `edits` edits touched; `None` when that is not known any more, or everything.
    pub fn last(&self, edits: u64) -> Option<Vec<Range<usize>>> {
        let from = self.last.len().checked_sub(usize::try_from(edits).ok()?)?;
        self.last.range(from..).cloned().collect()
    }
}
