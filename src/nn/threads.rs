//! The processor threads of background work: learning and suggesting, which go on while a person works. There are as many
//! as one asks for, and they give way: the window, and what one waits for (Test, opening, searching, on all threads), get the
//! processor whenever they want it. Knows no project.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// The threads of background work, made when the first work needs them.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    asked: usize,
    pool: Option<Arc<ThreadPool>>,
}

/// Below the usual 50 of 0 to 99: niceness 9 on Linux, "below normal" on Windows. Low enough that the window is never waited
/// for, and not so low that other programs at work bring a run to a stop (`benches/README.md`).
const BACKGROUND: u8 = 25;

/// Lowers the priority of the thread that calls it.
fn give_way(_: usize) {
    let lowered = ThreadPriorityValue::try_from(BACKGROUND).map_err(|error| error.to_string());
    let lowered =
        lowered.and_then(|value| set_current_thread_priority(ThreadPriority::Crossplatform(value)).map_err(|error| format!("{error:?}")));
    if let Err(error) = lowered {
        log::warn!("background work does not give way to the window: {error}");
    }
}

impl Threads {
    /// For work that starts now; 0 asks for all threads there are.
    pub fn of(&mut self, asked: usize) -> Self {
        if self.asked != asked || self.pool.is_none() {
            self.asked = asked;
            // As many as the program's own pool has, which is not the processor's number where that was set.
            let count = if asked > 0 { asked } else { rayon::current_num_threads() };
            let pool = ThreadPoolBuilder::new().num_threads(count).thread_name(|at| format!("gloss-back-{at}")).start_handler(give_way);
            self.pool = match pool.build() {
                Ok(pool) => Some(Arc::new(pool)),
                Err(error) => {
                    log::warn!("computing on the program's own threads: {error}");
                    None
                }
            };
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
