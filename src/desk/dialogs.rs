//! Waiting for a dialog of the system without stopping the window: the future is polled on a thread of its own.

use super::Desk;
use super::job::{Job, Reporter};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker as TaskWaker};
use std::thread::Thread;
use std::time::Duration;

/// A dialog as the window made it: a path, or `None` when the person thought better of it.
pub type Choosing = Pin<Box<dyn Future<Output = Option<PathBuf>> + Send>>;

/// What came of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    Path(PathBuf),
    Nothing,
    /// The system has no dialog to show.
    Failed(String),
}

/// A dialog that is open. Dropping it stops the waiting; the dialog itself is up to the system.
pub struct Asked(Job<Chosen>);

impl Asked {
    /// The answer, once it is there.
    pub fn answer(&self) -> Option<Chosen> {
        self.0.drain().pop()
    }
}

impl Desk {
    /// Waits for a dialog on the thread `gloss-dialog`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn await_dialog(&self, choosing: Choosing) -> std::io::Result<Asked> {
        let work = |reporter: &Reporter<Chosen>| {
            if let Some(answer) = block_on(choosing, || reporter.stopped()) {
                reporter.tell(answer.map_or(Chosen::Nothing, Chosen::Path));
            }
        };
        Job::start("gloss-dialog", self.surroundings.wake.clone(), work, Chosen::Failed).map(Asked)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until the future is ready or `stopped` says so.
fn block_on<T>(mut future: Pin<Box<dyn Future<Output = T> + Send>>, stopped: impl Fn() -> bool) -> Option<T> {
    const LOOK_UP: Duration = Duration::from_millis(50);
    let waker = TaskWaker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return Some(value),
            Poll::Pending if stopped() => return None,
            Poll::Pending => std::thread::park_timeout(LOOK_UP),
        }
    }
}
