//! Every scenario, by its name.

use super::dense::Dense;
use super::edits::Edits;
use super::flight::Flight;
use super::long::Long;
use super::orbit::Orbit;
use super::oscillate::Oscillate;
use super::panicking::Panicking;
use super::rest::Rest;
use super::scenario_trait::Scenario;
use super::slow::Slow;
use super::sprint::Sprint;
use super::teleport::Teleport;

/// Every scenario, in the order in which they are listed to the user.
pub const ALL: [&dyn Scenario; 13] = [
    &Flight,
    &Rest,
    &Sprint,
    &Teleport,
    &Oscillate,
    &Orbit,
    &Dense::HUNDREDS,
    &Dense::THOUSANDS,
    &Panicking::RARE,
    &Panicking::HALF,
    &Slow,
    &Edits,
    &Long,
];

/// The scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Scenario> {
    ALL.into_iter().find(|scenario| scenario.name() == name)
}

/// The names of all scenarios, for a sentence.
#[must_use]
pub fn names() -> String {
    ALL.map(Scenario::name).join(", ")
}

/// The names of all scenarios and what each proves, a line each.
#[must_use]
pub fn list() -> String {
    let widest = ALL.map(|scenario| scenario.name().len());
    let width = widest.into_iter().max().unwrap_or_default();
    let line =
        |scenario: &dyn Scenario| format!("{:width$}  {}", scenario.name(), scenario.proves());
    ALL.map(line).join("\n")
}
