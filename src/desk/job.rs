//! A worker with a name, a way to stop, bounded news, and an owner who waits for it.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Called after news was sent, to have it looked at.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The worker's end: where it tells its news and looks whether it should stop.
pub struct Reporter<E> {
    news: Sender<E>,
    stop: Arc<AtomicBool>,
    wake: Waker,
}

impl<E> Reporter<E> {
    /// For events that must arrive: waits for room. Nobody listening any more is no error.
    pub fn tell(&self, event: E) {
        self.news.send(event).ok();
        (self.wake)();
    }

    /// For samples of a curve: dropped when the listener is behind.
    pub fn sample(&self, event: E) {
        self.news.try_send(event).ok();
        (self.wake)();
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The owner's end. Dropping it stops the worker and waits for its thread.
pub struct Job<E> {
    news: Receiver<E>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Send + 'static> Job<E> {
    /// Starts `work` on a thread called `name`. A panic in it becomes the event `on_panic` makes of its message.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &str,
        wake: Waker,
        work: impl FnOnce(&Reporter<E>) + Send + 'static,
        on_panic: impl FnOnce(String) -> E + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, news) = bounded(256);
        let stop = Arc::new(AtomicBool::new(false));
        let reporter = Reporter { news: sender, stop: stop.clone(), wake };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&reporter))) {
                reporter.tell(on_panic(panic_message(panic.as_ref())));
            }
        })?;
        Ok(Self { news, stop, thread: Some(thread) })
    }

    /// Events that have arrived.
    pub fn drain(&self) -> Vec<E> {
        self.news.try_iter().collect()
    }

    /// Waits for the next event; `None` when the worker has ended and all was read.
    pub fn wait(&self) -> Option<E> {
        self.news.recv().ok()
    }

    /// Whether the thread has ended: dropping the job does not wait then.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl<E> Drop for Job<E> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.news = crossbeam_channel::never(); // frees a worker that waits in `tell`
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Seconds that work of an even pace still takes, by the milliseconds in which it did a share (0 to 1); not told before it
/// can be known.
pub fn seconds_left(milliseconds: i64, share: f32) -> Option<f64> {
    const TOO_EARLY: f32 = 0.02;
    (milliseconds >= 1_000 && share > TOO_EARLY).then(|| milliseconds as f64 / 1e3 * f64::from((1.0 - share).max(0.0) / share))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "an internal error without a message".to_owned())
}
