//! How a verb ends.

use core::error::Error;
use core::fmt;

/// The end of a verb or of one step of it.
pub(crate) type Verdict = Result<Outcome, Failure>;

/// A verb that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did all it had to do.
    Done,
    /// This machine cannot do it; the sentence says what is missing. No failure.
    Skipped(String),
}

/// What happened, and a sentence that says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    what: String,
    advice: String,
}

impl Failure {
    /// `what` is a sentence or a list of lines; `advice` tells the reader what to do next.
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        let (what, advice) = (what.into(), advice.into());
        Self { what, advice }
    }

    /// Fails with one line for each finding, or not at all when there is none.
    pub(crate) fn unless_empty(findings: &[String], advice: &str) -> Result<(), Self> {
        if findings.is_empty() {
            return Ok(());
        }
        Err(Self::new(findings.join("\n       "), advice))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.advice)
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_ends_with_what_to_do() {
        let findings = ["one".to_owned(), "two".to_owned()];
        let failure = Failure::unless_empty(&findings, "Mend both.").unwrap_err();
        assert_eq!(failure.to_string(), "one\n       two\nMend both.");
        assert_eq!(Failure::unless_empty(&[], "Nothing."), Ok(()));
    }
}
