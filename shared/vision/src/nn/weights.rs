//! Where weights lie: side by side, in large pages where the system has them.
//!
//! A network reads all of its weights once a face, some 30 MB in a row. In pages of 4 KiB every
//! thousandth number is the first of a page whose place must be looked up; in those of 2 MiB hardly
//! any is. `bench/vision` shows what that is worth.
#![expect(unsafe_code, reason = "parts of one mapping are written once each, then only read")]

use memmap2::{Advice, MmapMut, MmapRaw};
use std::{
    alloc::{Layout, handle_alloc_error},
    ops::Deref,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Bytes of a shelf at least. Of what is left of one, only the large page that was begun takes memory.
const SHELF: usize = 16 * 1024 * 1024;
/// Numbers of a cache line: weights begin with one, as whole vectors like it.
const LINE: usize = 16;

/// The newest shelf, as long as somebody's weights are on it, and how many numbers of it are taken.
static NEWEST: Mutex<(Weak<MmapRaw>, usize)> = Mutex::new((Weak::new(), 0));

/// Numbers that are written once.
pub(super) struct Weights {
    shelf: Arc<MmapRaw>,
    first: usize,
    count: usize,
}

impl Weights {
    /// These numbers, behind those that were put there before.
    pub(super) fn of(numbers: &[f32]) -> Self {
        let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        let (shelf, taken) = &mut *newest;
        let room = |shelf: &Arc<MmapRaw>| *taken + numbers.len() <= shelf.len() / size_of::<f32>();
        let shelf = shelf.upgrade().filter(room).unwrap_or_else(|| {
            let new = build(size_of_val(numbers));
            (*shelf, *taken) = (Arc::downgrade(&new), 0);
            new
        });
        let (first, count) = (*taken, numbers.len());
        *taken = (first + count).next_multiple_of(LINE);
        // SAFETY: there is room, nobody else has this part of the shelf, and zeros are numbers too.
        unsafe { place(&shelf, first).copy_from_nonoverlapping(numbers.as_ptr(), count) };
        Self { shelf, first, count }
    }
}

fn build(bytes: usize) -> Arc<MmapRaw> {
    let bytes = bytes.max(SHELF);
    let lacking =
        |_| handle_alloc_error(Layout::from_size_align(bytes, 1).unwrap_or(Layout::new::<f32>()));
    let shelf = MmapMut::map_anon(bytes).unwrap_or_else(lacking);
    // A wish: where there are no large pages it is as before.
    let _ = shelf.advise(Advice::HugePage);
    Arc::new(shelf.into())
}

/// Where the numbers from `first` on lie; mappings begin with a page, so that they are aligned.
fn place(shelf: &MmapRaw, first: usize) -> *mut f32 {
    shelf.as_mut_ptr().cast::<f32>().wrapping_add(first)
}

impl Deref for Weights {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: written by `of`, and by nobody since.
        unsafe { std::slice::from_raw_parts(place(&self.shelf, self.first), self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_lie_side_by_side_and_stay_what_they_are() {
        let all: Vec<(Vec<f32>, Weights)> = (1..200)
            .map(|n| vec![n as f32; n * 997])
            .map(|numbers| (numbers.clone(), Weights::of(&numbers)))
            .collect();
        assert!(all.iter().all(|(numbers, kept)| **kept == **numbers));
        assert!(all.iter().all(|(_, kept)| kept.as_ptr().align_offset(64) == 0));
        let shared = all.windows(2).filter(|two| Arc::ptr_eq(&two[0].1.shelf, &two[1].1.shelf));
        // Others may put theirs there meanwhile.
        assert!(shared.count() > 150);
        let large = vec![1.0; SHELF / size_of::<f32>() + 1];
        assert_eq!(*Weights::of(&large), large);
        assert!(Weights::of(&[]).is_empty());
    }
}
