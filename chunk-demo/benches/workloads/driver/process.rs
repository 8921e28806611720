//! What the system says about this process and thread; all 0 where it does not tell.

/// How often this thread had to give way to something else.
pub(super) fn interruptions() -> u64 {
    field("/proc/thread-self/status", "nonvoluntary_ctxt_switches:")
}

/// The memory that the process holds, in kilobytes.
pub(super) fn memory() -> u64 {
    field("/proc/self/status", "VmRSS:")
}

/// The most memory that the process ever held, in kilobytes.
pub(super) fn peak_memory() -> u64 {
    field("/proc/self/status", "VmHWM:")
}

fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
