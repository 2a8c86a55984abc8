//! A small function's share of a processor: Lambda gives one of 128 MB 7.2 % of one, from its
//! first invocation on. A control group with 1.44 ms in every 20 ms stands in for that.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// What 128 MB get of 1,769, which get one processor.
const QUOTA_MICROS: u32 = 1_440;
const PERIOD_MICROS: u32 = 20_000;

/// A control group for one process, gone with this value.
pub(crate) struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// A group of its own; why there is none where the machine gives none.
    pub(crate) fn new() -> Result<Self> {
        let name = format!("orangery-bench-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/cpu");
        let (folder, files) = if first.join("cpu.cfs_quota_us").exists() {
            let quota = [
                ("cpu.cfs_period_us", PERIOD_MICROS.to_string()),
                ("cpu.cfs_quota_us", QUOTA_MICROS.to_string()),
            ];
            (first.join(name), quota.to_vec())
        } else {
            let quota = [("cpu.max", format!("{QUOTA_MICROS} {PERIOD_MICROS}"))];
            (Path::new("/sys/fs/cgroup").join(name), quota.to_vec())
        };
        std::fs::create_dir_all(&folder).context("no control group can be made here")?;
        let group = Self { folder };
        for (file, value) in files {
            let file = group.folder.join(file);
            std::fs::write(file, value).context("a control group here takes no quota")?;
        }
        Ok(group)
    }

    /// From now on this process has no more than its share.
    pub(crate) fn add_process(&self, id: u32) -> Result<()> {
        let procs = self.folder.join("cgroup.procs");
        std::fs::write(procs, id.to_string()).context("a process can't be put into its group")
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}
