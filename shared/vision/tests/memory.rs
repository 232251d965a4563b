//! Maps take the memory of maps that are gone: a door that has seen one frame asks the system for
//! no more of it, however many follow.
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};
use vision::{Chip, DlibNet, Limits, Mtcnn, align, decode};

/// Bytes from which an allocation is a map; candidates and templates are smaller.
const LARGE: usize = 64 * 1024;

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

fn count(size: usize) {
    if size >= LARGE {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn folder(variable: &str, usual: &str) -> PathBuf {
    let models = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models"));
    let folder = std::env::var_os(variable).map_or_else(|| models.join(usual), PathBuf::from);
    assert!(folder.is_dir(), "{} is not there: run models/fetch", folder.display());
    folder
}

/// Large allocations while `work` is done.
fn large(work: impl FnOnce()) -> usize {
    let before = COUNT.load(Ordering::Relaxed);
    work();
    COUNT.load(Ordering::Relaxed) - before
}

#[test]
fn the_second_frame_needs_no_new_memory_for_maps() {
    let weights = folder("ROLLCALL_MODELS", "weights");
    let portrait = folder("ROLLCALL_PORTRAITS", "portraits").join("obama.jpg");
    let picture = decode(&std::fs::read(portrait).unwrap(), &Limits::default()).unwrap();
    let (detector, embedder) = (Mtcnn::load(&weights).unwrap(), DlibNet::load(&weights).unwrap());
    let face = detector.detect(&picture, 40.0).unwrap().remove(0);
    let chips = [align(&picture, &face.points)];
    let both: Vec<Chip> = chips.iter().flat_map(|c| [c.clone(), c.mirrored()]).collect();
    let frame = || {
        assert!(!detector.detect(&picture, 40.0).unwrap().is_empty());
        assert_eq!(embedder.raw(&both).unwrap().len(), 2);
    };
    // A thread that is new has no maps to take from.
    let first = std::thread::scope(|scope| scope.spawn(|| large(frame)).join().unwrap());
    assert!(first > 4, "the count sees maps: {first}");
    frame();
    assert_eq!(large(frame), 0);
}
