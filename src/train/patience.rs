//! Which evaluation is the best so far, and when to stop waiting for a better one.

/// What an evaluation means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its weights are the ones to keep: better than all before it, or as good as can be told.
    pub is_best: bool,
    /// So many evaluations in a row brought no new best that the run should end.
    pub exhausted: bool,
}

/// The rule: of scores that can't be told apart the later one is kept, since its weights were learnt at lower rates from
/// more steps, while the higher of a few noisy scores is often the luckier. How long to wait counts from the highest score.
/// A score that is not a number is never best and counts as one without improvement.
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

    /// `blur`: scores that are closer than this can't be told apart; 0: all can, and the first of equal ones is kept.
    pub fn observe(&mut self, score: f64, blur: f64) -> Verdict {
        let is_higher = !score.is_nan() && self.best.is_none_or(|best| score > best);
        let is_best = is_higher || self.best.is_some_and(|best| score > best - blur);
        if is_higher {
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

    /// The highest score so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Evaluations since the highest one.
    pub fn without(&self) -> usize {
        self.without
    }
}

/// Half a standard error of a share that was counted over so many documents: what is closer is taken for equal, a careful
/// form of the one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees, section 3.4.3).
pub fn blur(score: f64, documents: usize) -> f64 {
    let share = score.clamp(0.0, 1.0);
    0.5 * (share * (1.0 - share) / documents.max(1) as f64).sqrt()
}
