//! What the system says about this process and thread; all 0 where it does not tell.

/// How the threads that generate are called; the system takes their cores away all the time, which delays no frame.
pub(crate) const GENERATING: &str = "Async Compute";

/// How often the threads on which frames run had to give way to something else: the main thread, and those that the
/// engine runs systems on.
pub(crate) fn interruptions() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let statuses = tasks.flatten().filter_map(|task| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        let is_generating = value(&status, "Name:")?.starts_with(GENERATING);
        (!is_generating).then_some(status)
    });
    statuses
        .filter_map(|status| number(&status, "nonvoluntary_ctxt_switches:"))
        .sum()
}

/// The memory that the process holds, in kilobytes.
pub(crate) fn memory() -> u64 {
    own("VmRSS:")
}

/// The most memory that the process ever held, in kilobytes.
pub(crate) fn peak_memory() -> u64 {
    own("VmHWM:")
}

fn own(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    number(&status, name).unwrap_or(0)
}

fn number(status: &str, name: &str) -> Option<u64> {
    value(status, name)?.split_whitespace().next()?.parse().ok()
}

fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.map(str::trim)
}
