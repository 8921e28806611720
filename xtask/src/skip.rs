//! What is skipped on a laptop fails in CI, unless the workflow says that it may be skipped there.
//!
//! A laptop that lacks a tool should not be told that something is broken. In CI the same silence
//! would be a green light for what nobody ran.

use std::env;

use crate::failure::{Failure, Outcome, Verdict};

/// Names verbs and steps that may be skipped in CI, with commas between them.
const MAY_SKIP: &str = "XTASK_MAY_SKIP";

/// Who may skip what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skips {
    is_ci: bool,
    allowed: Vec<String>,
}

impl Skips {
    /// What the environment says: `CI`, which every CI sets, and `XTASK_MAY_SKIP`.
    pub(crate) fn from_env() -> Self {
        let is_ci = env::var("CI").is_ok_and(|ci| is_yes(&ci));
        Self::new(is_ci, &env::var(MAY_SKIP).unwrap_or_default())
    }

    fn new(is_ci: bool, allowed: &str) -> Self {
        let names = allowed.split(',').map(str::trim);
        Self {
            is_ci,
            allowed: names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The verdict on the verb or step `name`, as this machine has to see it.
    pub(crate) fn judge(&self, name: &str, verdict: Verdict) -> Verdict {
        let Ok(Outcome::Skipped(why)) = &verdict else {
            return verdict;
        };
        if !self.is_ci || self.allowed.iter().any(|allowed| allowed == name) {
            return verdict;
        }
        Err(Failure::new(
            format!("`{name}` was skipped in CI: {why}"),
            format!(
                "Let the workflow install what is missing, or set {MAY_SKIP}={name} where it cannot."
            ),
        ))
    }
}

fn is_yes(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped() -> Verdict {
        Ok(Outcome::Skipped("there is no tool.".to_owned()))
    }

    #[test]
    fn a_laptop_may_skip_anything() {
        assert_eq!(Skips::new(false, "").judge("miri", skipped()), skipped());
    }

    #[test]
    fn in_ci_a_skipped_verb_fails_and_says_why() {
        let failure = Skips::new(true, "pictures")
            .judge("miri", skipped())
            .unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("there is no tool."), "{text}");
        assert!(text.contains("XTASK_MAY_SKIP=miri"), "{text}");
    }

    #[test]
    fn in_ci_what_the_workflow_names_may_be_skipped() {
        let skips = Skips::new(true, "pictures, miri");
        assert_eq!(skips.judge("miri", skipped()), skipped());
    }

    #[test]
    fn what_ran_is_judged_as_it_is() {
        let skips = Skips::new(true, "");
        assert_eq!(skips.judge("fmt", Ok(Outcome::Done)), Ok(Outcome::Done));
        let failed = Err(Failure::new("It broke.", "Mend it."));
        assert_eq!(skips.judge("fmt", failed.clone()), failed);
    }

    #[test]
    fn an_empty_or_false_ci_is_none() {
        assert!(is_yes("true") && is_yes("1"));
        assert!(!is_yes("") && !is_yes("false") && !is_yes("0"));
    }
}
