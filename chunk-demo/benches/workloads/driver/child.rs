//! A process that plays one workload on one contestant and says what it measured, so that memory and threads are the
//! contestant's own.

use super::contestant::{Contestant, Maker};
use super::play::play;
use super::work::Work;
use super::workload::Workload;

/// The first argument of such a process. The others: the contestant, the workload's name, the rounds of work that one
/// chunk costs, and `full` or `quick`.
pub(crate) const PLAY: &str = "--play";

/// How the line begins in which it answers.
pub(crate) const MEASURED: &str = "measured ";

/// Plays, if that is what this process was started for; `make` makes a contestant by its name. Returns whether it
/// did.
///
/// # Errors
///
/// If there is no such contestant or workload.
pub(crate) fn play_if_asked(
    make: impl FnOnce(&str, &Workload, &Maker) -> Option<Box<dyn Contestant>>,
) -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [first, contestant, workload, rounds, length] = args.as_slice() else {
        return Ok(false);
    };
    if first != PLAY {
        return Ok(false);
    }
    let named = Workload::ALL.into_iter().find(|it| it.name == workload);
    let named = named.ok_or_else(|| format!("there is no workload {workload}"))?;
    let workload = if length == "quick" {
        named.quick()
    } else {
        named
    };
    let rounds = rounds
        .parse()
        .map_err(|_| format!("{rounds} is no number"))?;
    let maker = Maker::new(Work { rounds });
    let mut contestant = make(contestant, &workload, &maker)
        .ok_or_else(|| format!("there is no contestant {contestant}"))?;
    let measured = play(&workload, contestant.as_mut(), &maker);
    println!("{MEASURED}{}", measured.line());
    Ok(true)
}
