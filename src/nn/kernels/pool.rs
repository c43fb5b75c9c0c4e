//! Buffers that are used again: a step's activations take the memory of the step before, instead of fresh pages.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers of no more numbers are never freed to make room: biases and sums.
const SMALL: usize = 16_384;

/// Its buffers, lent and free, together hold no more than were lent at once at some time: those of shorter batches make room
/// for those of longer ones.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Shelf>);

/// All counts are of numbers.
#[derive(Debug, Default)]
struct Shelf {
    /// By capacity.
    free: BTreeMap<usize, Vec<Vec<f32>>>,
    held: usize,
    lent: usize,
    /// The most that was lent at once.
    most: usize,
}

impl Pool {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A buffer of `len` numbers of unknown content.
    pub fn take(self: &Arc<Self>, len: usize) -> Buf {
        let class = class(len);
        let mut shelf = self.shelf();
        let found = shelf.free.range_mut(class..=class.saturating_mul(2)).find_map(|(_, list)| list.pop());
        let size = found.as_ref().map_or(class, Vec::len);
        shelf.lent += size;
        shelf.most = shelf.most.max(shelf.lent);
        match &found {
            Some(_) => shelf.held -= size,
            None => shelf.make_room(class),
        }
        drop(shelf);
        Buf { data: found.unwrap_or_else(|| vec![0.0; class]), len, pool: Some(self.clone()) }
    }

    /// A buffer of zeros.
    pub fn zeros(self: &Arc<Self>, len: usize) -> Buf {
        let mut buf = self.take(len);
        buf.fill(0.0);
        buf
    }

    /// How many numbers its free buffers hold.
    pub fn held(&self) -> usize {
        self.shelf().held
    }

    /// Gives the free memory back to the system.
    pub fn clear(&self) {
        let mut shelf = self.shelf();
        shelf.free.clear();
        (shelf.held, shelf.most) = (0, shelf.lent);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Frees buffers until all hold no more than was lent at once; first those that are next to `class` in size, the smaller
    /// ones before the larger ones.
    fn make_room(&mut self, class: usize) {
        while self.held + self.lent > self.most {
            let least = class.max(SMALL + 1);
            let nearest = self.free.range(SMALL + 1..least).next_back().or_else(|| self.free.range(least..).next());
            let Some(size) = nearest.map(|(size, _)| *size) else { return };
            let Some(list) = self.free.get_mut(&size) else { return };
            if list.pop().is_some() {
                self.held -= size;
            }
            if list.is_empty() {
                self.free.remove(&size);
            }
        }
    }
}

/// Sizes in steps of a quarter of a power of two, so that batches of other lengths find the same buffers.
fn class(len: usize) -> usize {
    let step = (len.max(64).next_power_of_two() / 8).max(16);
    len.max(64).div_ceil(step) * step
}

/// A borrowed buffer; it goes back to its pool when dropped.
#[derive(Debug)]
pub struct Buf {
    data: Vec<f32>,
    len: usize,
    /// `None`: the memory is freed.
    pool: Option<Arc<Pool>>,
}

impl Buf {
    /// A buffer of its own, of no pool.
    pub fn of(data: Vec<f32>) -> Self {
        Self { len: data.len(), data, pool: None }
    }
}

impl Deref for Buf {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[..self.len]
    }
}

impl DerefMut for Buf {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[..self.len]
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        if let Some(pool) = &self.pool {
            let mut shelf = pool.shelf();
            shelf.lent -= data.len();
            shelf.held += data.len();
            shelf.free.entry(data.len()).or_default().push(data);
        }
    }
}
