//! The memory of a process, as the kernel counts it.

use std::fs;

/// A field of `/proc/PROCESS/status` in bytes: `VmRSS` is what it has now, `VmHWM` the most that it had. `None` once it has ended.
pub fn memory(process: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// `12.3 MiB`.
pub fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, (bytes % (1 << 20) * 10) >> 20)
}
