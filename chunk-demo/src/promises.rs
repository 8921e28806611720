//! What must hold in every run, whatever its scenario.

use crate::outcome::Outcome;

/// A sentence for each promise that was broken.
pub(crate) fn broken(outcome: &Outcome) -> Vec<String> {
    let (report, seen) = (&outcome.report, &outcome.witnessed);
    let most_requests = seen.entered + seen.edits;
    let checks = [
        (
            report.requested.saturating_sub(most_requests),
            format!(
                "{} chunks were asked for, though only {} came to be wanted and {} were edited",
                report.requested, seen.entered, seen.edits
            ),
        ),
        (
            seen.vanished,
            format!(
                "{} chunks went away while a viewer looked at them",
                seen.vanished
            ),
        ),
        (
            seen.remade,
            format!(
                "{} chunks were made again, though they were there",
                seen.remade
            ),
        ),
        (
            seen.broken_shown,
            format!(
                "{} chunks became visible, though their generator never succeeds",
                seen.broken_shown
            ),
        ),
        (
            seen.wrong_attempts,
            format!(
                "{} chunks were given up after another number of attempts than they should have",
                seen.wrong_attempts
            ),
        ),
        (
            seen.sound_given_up,
            format!(
                "{} chunks were given up, though a later attempt would have succeeded",
                seen.sound_given_up
            ),
        ),
    ];
    let broken = checks.into_iter().filter(|(count, _)| *count > 0);
    broken.map(|(_, sentence)| sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::Witnessed;

    #[test]
    fn each_broken_promise_has_its_sentence() {
        let good = Witnessed {
            entered: 40,
            edits: 2,
            ..Witnessed::default()
        };
        let sentences = |requested, witnessed| {
            let mut outcome = Outcome {
                witnessed,
                ..Outcome::default()
            };
            outcome.report.requested = requested;
            broken(&outcome)
        };
        assert_eq!(sentences(42, good), [""; 0]);
        for (requested, witnessed, sentence) in [
            (
                43,
                good,
                "43 chunks were asked for, though only 40 came to be wanted and 2 were edited",
            ),
            (
                1,
                Witnessed {
                    vanished: 3,
                    ..good
                },
                "3 chunks went away while a viewer looked at them",
            ),
            (
                1,
                Witnessed { remade: 3, ..good },
                "3 chunks were made again, though they were there",
            ),
            (
                1,
                Witnessed {
                    broken_shown: 3,
                    ..good
                },
                "3 chunks became visible, though their generator never succeeds",
            ),
            (
                1,
                Witnessed {
                    wrong_attempts: 3,
                    ..good
                },
                "3 chunks were given up after another number of attempts than they should have",
            ),
            (
                1,
                Witnessed {
                    sound_given_up: 3,
                    ..good
                },
                "3 chunks were given up, though a later attempt would have succeeded",
            ),
        ] {
            assert_eq!(sentences(requested, witnessed), [sentence]);
        }
    }
}
