//! What a figure was measured on: times of two machines say nothing about each other.

use core::fmt;
use std::process::Command;
use std::{env, fs, thread};

use serde::{Deserialize, Serialize};

/// A machine and its compiler, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    /// 0 where the system does not say.
    memory_gb: u64,
    os: String,
    rustc: String,
}

impl Machine {
    /// The one that this program runs on.
    pub(super) fn this() -> Self {
        let text = |file| fs::read_to_string(file).unwrap_or_default();
        let read = |file, name, sign| value(&text(file), name, sign);
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let rustc = Command::new(rustc).arg("--version").output();
        let rustc = rustc.map_or_else(|_| Vec::new(), |output| output.stdout);
        let memory = read("/proc/meminfo", "MemTotal", ':').unwrap_or_default();
        let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        let os = read("/etc/os-release", "PRETTY_NAME", '=');
        let (os, arch) = (os.as_deref().unwrap_or(env::consts::OS), env::consts::ARCH);
        Self {
            cpu: read("/proc/cpuinfo", "model name", ':').unwrap_or_else(|| arch.to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gb: (kilobytes + (1 << 19)) >> 20,
            os: format!("{} ({arch})", os.trim_matches('"')),
            rustc: String::from_utf8_lossy(&rustc).trim().to_owned(),
        }
    }

    /// Whether the same program runs the same instructions here and there.
    pub(super) fn runs_the_code_of(&self, other: &Self) -> bool {
        (&self.os, &self.rustc) == (&other.os, &other.rustc)
    }

    #[cfg(test)]
    pub(super) fn example(cpu: &str) -> Self {
        Self {
            cpu: cpu.to_owned(),
            cores: 2,
            memory_gb: 24,
            os: "an OS (x86_64)".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cores,
            memory_gb,
            os,
            rustc,
        } = self;
        write!(f, "Machine: {cpu}, {cores} cores, ")?;
        if *memory_gb > 0 {
            write!(f, "{memory_gb} GB, ")?;
        }
        write!(f, "{os}, {rustc}.")
    }
}

/// The value behind `name` and the sign, in the first line that begins with the name.
fn value(text: &str, name: &str, sign: char) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(sign)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_system_says_of_itself_is_read_by_name() {
        let cpuinfo = "processor : 0\nmodel name\t: A Fast One @ 3 GHz\nflags : x";
        let cpu = value(cpuinfo, "model name", ':');
        assert_eq!(cpu.as_deref(), Some("A Fast One @ 3 GHz"));
        assert_eq!(value(cpuinfo, "no such", ':'), None);
    }

    #[test]
    fn a_machine_is_told_in_one_line() {
        assert_eq!(
            Machine::example("A Fast One").to_string(),
            "Machine: A Fast One, 2 cores, 24 GB, an OS (x86_64), rustc 1.95.0."
        );
    }

    #[test]
    fn another_processor_runs_the_same_instructions_and_another_compiler_makes_others() {
        let (one, other) = (Machine::example("one"), Machine::example("other"));
        assert!(one.runs_the_code_of(&other));
        let newer = Machine {
            rustc: "rustc 1.96.0".to_owned(),
            ..one.clone()
        };
        assert!(!one.runs_the_code_of(&newer));
    }
}
