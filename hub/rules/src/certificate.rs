//! How long certificates of doors are good.

/// A door's certificate is good this long.
pub const DEVICE_DAYS: i64 = 90;
