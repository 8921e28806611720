//! What must hold in every run, whatever its scenario.

use super::outcome::Outcome;
use super::settings::{Profile, Settings};

/// A sentence for each broken invariant of a run, which may have been interrupted.
pub(super) fn broken(outcome: &Outcome) -> Vec<String> {
    let (report, observed) = (&outcome.report, &outcome.observed);
    let (requested, entered, edits) = (report.requested, observed.entered, observed.edits);
    // A change of level is a request of its own, and may overtake one that is being made.
    let relevelled = if observed.has_levels {
        let shown = observed.levels_changed + observed.levels_changed_back;
        shown + observed.levels_failed + report.stale + report.cancelled
    } else {
        0
    };
    let any = |count: u64, what: &str| (count > 0).then(|| format!("{count} chunks {what}"));
    let broken = [
        (requested > entered + edits + relevelled).then(|| {
            format!(
                "{requested} chunks were requested, though only {entered} became wanted and {edits} were edited"
            )
        }),
        any(
            observed.vanished,
            "were unloaded while a viewer wanted them",
        ),
        any(observed.remade, "were made again, though they were loaded"),
        any(
            observed.broken_shown,
            "became visible, though their generator never succeeds",
        ),
        any(
            observed.wrong_attempts,
            "were given up after another number of attempts than they should have",
        ),
        any(
            observed.sound_given_up,
            "were given up, though a later attempt would have succeeded",
        ),
    ];
    broken.into_iter().flatten().collect()
}

/// A sentence if wanted chunks are missing in a world at rest, other than those whose generator never succeeds.
pub(super) fn missing_at_rest(outcome: &Outcome) -> Option<String> {
    let unexplained = outcome.missing_at_rest - outcome.broken_at_rest;
    (unexplained > 0).then(|| {
        format!(
            "{unexplained} of {} wanted chunks are missing in a world at rest",
            outcome.wanted_at_rest
        )
    })
}

/// A sentence if a chunk near a viewer was missing in a frame after the warm-up. Unpaced frames leave workers no time to
/// keep up, and two chunks a frame are too few for it, so neither is checked.
pub(super) fn falls_behind(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let observed = &outcome.observed;
    let must_keep_up = settings.profile != Profile::Original && !outcome.is_unpaced;
    (must_keep_up && observed.frames_near_missing > 0).then(|| {
        format!(
            "a chunk near a viewer was missing in {} frames from frame {} on, by which the world should have been there",
            observed.frames_near_missing,
            observed.warm_in_frame.unwrap_or_default(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Observed;
    use super::*;

    #[test]
    fn each_broken_invariant_has_its_sentence() {
        let mut outcome = Outcome::default();
        outcome.report.requested = 42;
        outcome.observed = Observed {
            entered: 40,
            edits: 2,
            ..Observed::default()
        };
        assert_eq!(broken(&outcome), [""; 0]);
        outcome.report.requested = 43;
        outcome.report.stale = 1;
        assert_eq!(broken(&outcome).len(), 1);
        outcome.observed.has_levels = true;
        assert_eq!(broken(&outcome), [""; 0]);
        outcome.report.requested = 46;
        assert_eq!(broken(&outcome).len(), 1);
        outcome.observed.levels_changed = 1;
        outcome.observed.levels_changed_back = 1;
        outcome.observed.levels_failed = 1;
        assert_eq!(broken(&outcome), [""; 0]);
        outcome.report.requested = 43;
        outcome.observed = Observed {
            has_levels: false,
            vanished: 1,
            remade: 2,
            broken_shown: 3,
            wrong_attempts: 4,
            sound_given_up: 5,
            ..outcome.observed
        };
        assert_eq!(
            broken(&outcome),
            [
                "43 chunks were requested, though only 40 became wanted and 2 were edited",
                "1 chunks were unloaded while a viewer wanted them",
                "2 chunks were made again, though they were loaded",
                "3 chunks became visible, though their generator never succeeds",
                "4 chunks were given up after another number of attempts than they should have",
                "5 chunks were given up, though a later attempt would have succeeded",
            ]
        );
    }
}
