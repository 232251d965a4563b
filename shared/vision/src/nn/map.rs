//! A map of numbers, and where its memory comes from.

use candle_core::{Result, bail};
use std::cell::RefCell;

/// Numbers that may be read and written beyond the end of a map, so that vectors need no end of
/// their own: as many as the longest one has.
pub(crate) const SLACK: usize = 16;

/// Buffers kept for the next map, on each thread. A network has few maps at a time.
const KEPT: usize = 16;

thread_local! {
    /// Memory of maps that are gone: a network that has run before asks the system for none, and
    /// nobody zeroes what is written over.
    static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// `[images, rows, columns, channels]` and as many numbers, in this order.
pub(crate) struct Map {
    /// Longer than the map, by `SLACK` at least.
    buffer: Vec<f32>,
    size: [usize; 4],
}

impl Map {
    /// A map whose numbers are still to be written: they are whatever lay in that memory before.
    pub(crate) fn unwritten(size: [usize; 4]) -> Self {
        let wanted = size.iter().product::<usize>() + SLACK;
        let mut buffer = SPARE.with_borrow_mut(|spare| take(spare, wanted)).unwrap_or_default();
        if buffer.len() < wanted {
            buffer.resize(wanted, 0.0);
        }
        Self { buffer, size }
    }

    /// A map of zeros.
    pub(crate) fn zeros(size: [usize; 4]) -> Self {
        let mut map = Self::unwritten(size);
        map.values_mut().fill(0.0);
        map
    }

    /// A map of these numbers.
    pub(crate) fn of(mut values: Vec<f32>, size: [usize; 4]) -> Result<Self> {
        if values.len() != size.iter().product::<usize>() {
            bail!("{} numbers are no map of {size:?}", values.len());
        }
        values.resize(values.len() + SLACK, 0.0);
        Ok(Self { buffer: values, size })
    }

    pub(crate) fn size(&self) -> [usize; 4] {
        self.size
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.buffer[..self.size.iter().product()]
    }

    /// The numbers and `SLACK` more that mean nothing.
    pub(crate) fn room(&self) -> &[f32] {
        &self.buffer[..self.size.iter().product::<usize>() + SLACK]
    }

    /// The same, to be written.
    pub(crate) fn room_mut(&mut self) -> &mut [f32] {
        let end = self.size.iter().product::<usize>() + SLACK;
        &mut self.buffer[..end]
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.size.iter().product()]
    }
}

/// The smallest buffer that is large enough, or the largest one.
fn take(spare: &mut Vec<Vec<f32>>, wanted: usize) -> Option<Vec<f32>> {
    let enough = |buffer: &&Vec<f32>| buffer.len() >= wanted;
    let fit = spare.iter().filter(enough).map(Vec::len).min();
    let length = fit.or_else(|| spare.iter().map(Vec::len).max())?;
    let at = spare.iter().position(|buffer| buffer.len() == length)?;
    Some(spare.swap_remove(at))
}

impl Clone for Map {
    fn clone(&self) -> Self {
        let mut copy = Self::unwritten(self.size);
        copy.values_mut().copy_from_slice(self.values());
        copy
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        // A thread that ends has no use for it.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT && !buffer.is_empty() {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_map_that_is_gone_serves_the_next_one() {
        let first = Map::zeros([1, 30, 40, 8]);
        let at = first.values().as_ptr();
        drop(first);
        assert_eq!(Map::unwritten([1, 30, 40, 8]).values().as_ptr(), at);
        assert_ne!(Map::unwritten([1, 30, 41, 80]).values().len(), 30 * 40 * 8);
    }

    #[test]
    fn the_smallest_buffer_that_is_large_enough_is_taken() {
        let lengths = |wanted| {
            let mut spare = vec![vec![0.0; 9], vec![0.0; 3], vec![0.0; 5]];
            take(&mut spare, wanted).map(|buffer| buffer.len())
        };
        assert_eq!([3, 4, 6, 99].map(lengths), [Some(3), Some(5), Some(9), Some(9)]);
        assert!(take(&mut Vec::new(), 1).is_none());
    }

    #[test]
    fn numbers_must_fit_the_size() {
        assert!(Map::of(vec![0.0; 5], [1, 1, 2, 3]).is_err());
        assert_eq!(Map::of(vec![1.0, 2.0], [1, 1, 2, 1]).unwrap().values(), [1.0, 2.0]);
    }
}
