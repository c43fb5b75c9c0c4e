//! How many processor threads background work takes: learning and suggesting, which go on while a person works. What
//! one waits for (Test, opening, searching) has all of them. Knows no project.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;

/// The threads of background work, made when the first work needs them.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    asked: usize,
    pool: Option<Arc<ThreadPool>>,
}

impl Threads {
    /// For work that starts now; 0 asks for all threads there are.
    pub fn of(&mut self, asked: usize) -> Self {
        if self.asked != asked || (asked > 0 && self.pool.is_none()) {
            self.asked = asked;
            self.pool = None;
            if asked > 0 {
                let pool = ThreadPoolBuilder::new().num_threads(asked).thread_name(|at| format!("gloss-back-{at}")).build();
                match pool {
                    Ok(pool) => self.pool = Some(Arc::new(pool)),
                    Err(error) => log::warn!("computing on all threads: {error}"),
                }
            }
        }
        self.clone()
    }

    /// Does the work with these threads, and waits for it.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
