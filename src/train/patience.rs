//! Which evaluation is the best so far, and when to stop waiting for a better one.

/// What an evaluation means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Better than all before it.
    pub is_best: bool,
    /// So many evaluations in a row brought no new best that the run should end.
    pub exhausted: bool,
}

/// The rule: a new best must be strictly higher, so that ties keep the earlier weights; a score that is not a number
/// is never best and counts as one without improvement.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    limit: usize,
    best: Option<f64>,
    without: usize,
}

impl Patience {
    /// `limit` evaluations without a new best exhaust it; 0 never does.
    pub fn new(limit: usize) -> Self {
        Self { limit, best: None, without: 0 }
    }

    /// Goes on where another one was.
    pub fn resumed(limit: usize, best: Option<f64>, without: usize) -> Self {
        Self { limit, best, without }
    }

    pub fn observe(&mut self, score: f64) -> Verdict {
        let is_best = !score.is_nan() && self.best.is_none_or(|best| score > best);
        if is_best {
            self.best = Some(score);
            self.without = 0;
        } else {
            self.without += 1;
        }
        Verdict { is_best, exhausted: self.is_exhausted() }
    }

    /// Begins to count anew: what was evaluated says nothing about when to stop.
    pub fn wait(&mut self) {
        self.without = 0;
    }

    /// Whether the last evaluation was the last one to wait for.
    pub fn is_exhausted(&self) -> bool {
        self.limit > 0 && self.without >= self.limit
    }

    /// The best score so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Evaluations since the best one.
    pub fn without(&self) -> usize {
        self.without
    }
}
