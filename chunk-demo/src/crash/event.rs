//! What a program that will be killed tells on its standard output, a line each.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use chunk_coord::ChunkCoord;

/// What a program tells, before or after it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It has opened the file.
    Started,
    /// A chunk is loaded with so many edits.
    Loaded(ChunkCoord, u64),
    /// A chunk is about to be edited for the so-manieth time, so long after the start.
    Edit(ChunkCoord, u64, Duration),
    /// So many edits of a chunk are durable, as the archive says.
    Durable(ChunkCoord, u64),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Loaded(coord, edits) => write!(f, "loaded {coord} {edits}"),
            Self::Edit(coord, edits, at) => write!(f, "edit {coord} {edits} {}", at.as_micros()),
            Self::Durable(coord, edits) => write!(f, "durable {coord} {edits}"),
        }
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let event = match words.as_slice() {
            ["started"] => Some(Self::Started),
            [what, coord, numbers @ ..] => {
                let coord = coord.parse().ok();
                let numbers: Result<Vec<u64>, _> =
                    numbers.iter().map(|number| number.parse()).collect();
                match (*what, coord, numbers.as_deref()) {
                    ("loaded", Some(coord), Ok([edits])) => Some(Self::Loaded(coord, *edits)),
                    ("edit", Some(coord), Ok([edits, micros])) => {
                        let at = Duration::from_micros(*micros);
                        Some(Self::Edit(coord, *edits, at))
                    }
                    ("durable", Some(coord), Ok([edits])) => Some(Self::Durable(coord, *edits)),
                    _ => None,
                }
            }
            _ => None,
        };
        event.ok_or_else(|| format!("the program said `{line}`, which means nothing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let here = ChunkCoord::planar(-3, 4);
        for event in [
            Event::Started,
            Event::Loaded(here, 7),
            Event::Edit(here, 8, Duration::from_micros(1_234)),
            Event::Durable(here, 8),
        ] {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        for line in [
            "",
            "begun",
            "edit 1,2,3 4",
            "durable here 4",
            "loaded 1,2,3 4 5",
        ] {
            assert!(line.parse::<Event>().is_err(), "{line}");
        }
    }
}
