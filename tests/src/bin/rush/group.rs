//! A part of a processor: what stands for a board's.

use anyhow::Context as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Microseconds in which a group has its share.
const PERIOD_US: f64 = 20_000.0;

/// A control group with a part of one core; gone on drop, once nobody is in it.
pub struct Group(PathBuf);

impl Group {
    pub fn new(share: f64) -> anyhow::Result<Self> {
        let quota = (PERIOD_US * share).max(1_000.0).round();
        let old = Path::new("/sys/fs/cgroup/cpu");
        let root = if old.is_dir() { old } else { Path::new("/sys/fs/cgroup") };
        let group = Self(root.join(format!("rollcall-rush-{}", std::process::id())));
        fs::create_dir_all(&group.0).context("a control group cannot be made: run this as root")?;
        if old.is_dir() {
            fs::write(group.0.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
            fs::write(group.0.join("cpu.cfs_quota_us"), quota.to_string())?;
        } else {
            fs::write(group.0.join("cpu.max"), format!("{quota} {PERIOD_US}"))?;
        }
        Ok(group)
    }

    pub fn take(&self, process: u32) -> anyhow::Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), process.to_string())?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _still_in_use = fs::remove_dir(&self.0);
    }
}
