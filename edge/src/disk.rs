//! The disk.

/// Free space where the outbox lies, MiB; 0 if the system does not say.
#[must_use]
pub fn free_mb(folder: &std::path::Path) -> u32 {
    let free = rustix::fs::statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    free.map_or(0, |bytes| u32::try_from(bytes >> 20).unwrap_or(u32::MAX))
}
