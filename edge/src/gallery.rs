//! Who may be recognised at this door: as the hub wants it, checked, encrypted on disk, swapped
//! while the door works.

mod config;
mod curator;
mod files;
mod loaded;

pub use config::{Config, KeyPlace};
pub use curator::{Curator, Trouble};
pub use files::{GalleryFiles, Release};
pub use loaded::LoadedGallery;
