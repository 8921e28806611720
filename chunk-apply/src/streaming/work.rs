//! What the stream's work on the `World` costs, over all frames that had any.

use crate::report::ApplyReport;
use chunk_scheduler::{DurationRecorder, DurationSummary};

/// How long frames with work on the `World` took.
#[derive(Debug, Default)]
pub(crate) struct WorkTimes(Box<Recorders>);

#[derive(Debug, Default)]
struct Recorders {
    spent: DurationRecorder,
    overshoot: DurationRecorder,
}

impl WorkTimes {
    /// A frame that had work.
    pub(crate) fn frame(&self, report: &ApplyReport) {
        self.0.spent.record(report.spent);
        self.0.overshoot.record(report.overshoot);
    }

    /// How long the work took.
    pub(crate) fn spent(&self) -> DurationSummary {
        self.0.spent.summary()
    }

    /// How far the frame went over the budget.
    pub(crate) fn overshoot(&self) -> DurationSummary {
        self.0.overshoot.summary()
    }
}
