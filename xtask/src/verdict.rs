//! How a verb or a step of `check` ends: it holds, it fails with advice, or this machine cannot do it.
//!
//! What is skipped on a laptop fails in CI, unless the workflow allows it: a laptop that lacks a tool should not be told
//! that something is broken, and in CI the same silence would hide that nothing ran.

use core::fmt::{self, Display};
use std::env;

/// The end of a verb or of a step, or a value on the way to it.
pub(crate) type Verdict<T = ()> = Result<T, Stop>;

/// Why a verb or a step did not do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// What happened, and what the reader should do about it.
    Failed { what: String, advice: String },
    /// This machine cannot do it; the sentence says what is missing. No failure on a laptop.
    Skipped(String),
}

impl Stop {
    /// `what` is a sentence or a list of lines; `advice` tells the reader what to do next.
    pub(crate) fn failed(what: impl Into<String>, advice: impl Into<String>) -> Self {
        let (what, advice) = (what.into(), advice.into());
        Self::Failed { what, advice }
    }

    /// Fails with one line for each finding, or not at all when there is none.
    pub(crate) fn unless_empty(findings: &[String], advice: &str) -> Verdict {
        if findings.is_empty() {
            return Ok(());
        }
        Err(Self::failed(findings.join("\n       "), advice))
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { what, advice } => write!(f, "error: {what}\n{advice}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

/// Adds to an error the advice that each failure ends with.
pub(crate) trait Advise<T> {
    fn advise(self, advice: impl Into<String>) -> Verdict<T>;
}

impl<T, E: Display> Advise<T> for Result<T, E> {
    fn advise(self, advice: impl Into<String>) -> Verdict<T> {
        self.map_err(|error| Stop::failed(format!("{error}."), advice))
    }
}

/// Names verbs and steps that may be skipped in CI, with commas between them.
const MAY_SKIP: &str = "XTASK_MAY_SKIP";

/// The verdict on the verb or step `name`, as it counts on this machine: where `CI` is set, which every CI does, only what
/// `XTASK_MAY_SKIP` names may be skipped.
pub(crate) fn judge(name: &str, verdict: Verdict) -> Verdict {
    let is_ci = env::var("CI").is_ok_and(|ci| is_yes(&ci));
    let allowed = env::var(MAY_SKIP).unwrap_or_default();
    judge_with(is_ci, &allowed, name, verdict)
}

fn judge_with(is_ci: bool, allowed: &str, name: &str, verdict: Verdict) -> Verdict {
    let is_allowed = allowed.split(',').any(|it| it.trim() == name);
    match verdict {
        Err(Stop::Skipped(why)) if is_ci && !is_allowed => Err(Stop::failed(
            format!("`{name}` was skipped in CI: {why}"),
            format!("Let the workflow install it, or set {MAY_SKIP}={name} where it cannot."),
        )),
        verdict => verdict,
    }
}

fn is_yes(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_ends_with_what_to_do() {
        let findings = ["one".to_owned(), "two".to_owned()];
        let stop = Stop::unless_empty(&findings, "Fix both.").unwrap_err();
        assert_eq!(stop.to_string(), "error: one\n       two\nFix both.");
        assert_eq!(Stop::unless_empty(&[], "Nothing."), Ok(()));
        let stop = Err::<(), _>("it broke").advise("Fix it.").unwrap_err();
        assert_eq!(stop, Stop::failed("it broke.", "Fix it."));
    }

    #[test]
    fn a_laptop_and_a_workflow_that_says_so_may_skip() {
        let skipped = || Err(Stop::Skipped("there is no tool.".to_owned()));
        let judge = |is_ci, allowed| judge_with(is_ci, allowed, "miri", skipped());
        assert_eq!(judge(false, ""), skipped());
        assert_eq!(judge(true, "pictures, miri"), skipped());
        let text = judge(true, "pictures").unwrap_err().to_string();
        assert!(text.contains("there is no tool."), "{text}");
        assert!(text.contains("XTASK_MAY_SKIP=miri"), "{text}");
    }

    #[test]
    fn what_ran_is_judged_as_it_is() {
        for ran in [Ok(()), Err(Stop::failed("It broke.", "Fix it."))] {
            assert_eq!(judge_with(true, "", "fmt", ran.clone()), ran);
        }
    }

    #[test]
    fn an_empty_or_false_ci_is_none() {
        assert!(is_yes("true") && is_yes("1"));
        assert!(!is_yes("") && !is_yes("false") && !is_yes("0"));
    }
}
