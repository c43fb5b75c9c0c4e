//! Buffers that are used again: a step's activations take the memory of the step before, instead of fresh pages.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers of no more numbers are never freed to make room: biases and sums.
const SMALL: usize = 16_384;

/// Free buffers by capacity.
#[derive(Debug, Default)]
pub struct Pool {
    free: Mutex<BTreeMap<usize, Vec<Vec<f32>>>>,
}

impl Pool {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A buffer of `len` numbers of unknown content.
    pub fn take(self: &Arc<Self>, len: usize) -> Buf {
        let class = class(len);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let found = free.range_mut(class..=class.saturating_mul(2)).find_map(|(_, list)| list.pop());
        if found.is_none() && class > SMALL {
            make_room(&mut free, class);
        }
        drop(free);
        Buf { data: found.unwrap_or_else(|| vec![0.0; class]), len, pool: Some(self.clone()) }
    }

    /// A buffer of zeros.
    pub fn zeros(self: &Arc<Self>, len: usize) -> Buf {
        let mut buf = self.take(len);
        buf.fill(0.0);
        buf
    }

    /// Gives the free memory back to the system.
    pub fn clear(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Frees buffers that do not fit, as many numbers as are asked for: batches of many lengths together hold no more than the
/// largest of them does. Those of shorter batches go first.
fn make_room(free: &mut BTreeMap<usize, Vec<Vec<f32>>>, mut wanted: usize) {
    while let Some(class) =
        free.range(SMALL..wanted.max(SMALL)).next_back().or_else(|| free.range(wanted..).next()).map(|(class, _)| *class)
    {
        let Some(list) = free.get_mut(&class) else { return };
        list.pop();
        if list.is_empty() {
            free.remove(&class);
        }
        match wanted.checked_sub(class) {
            Some(left) if left > 0 => wanted = left,
            _ => return,
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
            let mut free = pool.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.entry(data.len()).or_default().push(data);
        }
    }
}
