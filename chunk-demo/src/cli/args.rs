//! The command line, and the settings that it asks for.

use core::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use chunk_apply::{ApplyBudget, FrameTarget};
use chunk_demo::scenario::{self, Scenario};
use chunk_demo::{Profile, Settings, SettingsError, WorldKind};
use clap::Parser;

/// Streams a world around moving viewers, without a screen, and prints what it measured.
///
/// Exit status: 0 if everything held, 1 if not (the table and the JSON object say what), 2 if an option makes no sense,
/// 3 if this machine cannot draw what was asked for.
/// Ctrl-C ends the run at once, with the figures so far.
#[derive(Parser, Debug)]
#[command(name = "chunk-demo", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) play: Play,
}

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Runs the five stress tests: teleports, a long session, panics, frame times, 10,000 chunks
    ///
    /// `--only crash` runs another one, which is not among them: it kills a program 200 times while it saves, and looks whether
    /// all is there that was told to be durable.
    ///
    /// Exit status: 0 if all were played and everything held, 1 if not, 2 if an option makes no sense.
    Stress(Stress),
    /// Is killed by `stress --only crash`
    #[command(hide = true)]
    CrashChild(CrashChild),
    /// Makes a rectangle of the city ahead of time, into a store that many processes share
    ///
    /// What is there already is left as it is, so the same command goes on where an earlier one ended, and several may run at
    /// once. Exit status: 0 if all of its chunks are in the store, 1 if not, 2 if an option makes no sense.
    Bake(Baking),
    /// Plays a scenario and records what each thread did: a trace, and the costliest spans of a frame
    Profile(Box<Profiling>),
}

/// What `chunk-demo stress` takes.
#[derive(clap::Args, Debug)]
pub(crate) struct Stress {
    /// Runs each test for seconds instead of minutes, for CI
    #[arg(long)]
    pub(crate) quick: bool,

    /// Runs only the test or scenario of this name, or those whose names contain it; `crash` kills a program while it saves
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,

    /// The world that the tests run on
    #[arg(long, value_enum, default_value_t)]
    pub(crate) world: WorldKind,

    /// Which land, and which chunks have faults [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Writes what each run measured to this file, as a list of JSON objects
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What `chunk-demo bake` takes.
#[derive(clap::Args, Debug)]
pub(crate) struct Baking {
    /// Where they are kept: a folder, a file FILE.redb for one process at a time, or a URL such as s3://bucket/city
    #[arg(long, value_name = "PATH_OR_URL")]
    pub(crate) store: String,

    /// Which chunks: from the first corner up to and without the second, such as -8,-8..8,8
    #[arg(long, value_name = "X,Z..X,Z", allow_hyphen_values = true)]
    pub(crate) region: String,

    /// Which part of them, of several that other processes make: 2/8 is the second of eight [default: all]
    #[arg(long, value_name = "NUMBER/COUNT", allow_hyphen_values = true)]
    pub(crate) shard: Option<String>,

    /// Which city; every number is another one [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Entities in each chunk, 15 to 2000 [default: 120]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(crate) density: Option<u32>,

    /// The world, which must be the city
    #[arg(long, value_enum, default_value_t)]
    pub(crate) world: WorldKind,
}

/// What the program takes that the crash test kills.
#[derive(clap::Args, Debug)]
pub(crate) struct CrashChild {
    /// Where it saves
    #[arg(long)]
    pub(crate) file: PathBuf,

    /// What it does
    #[arg(long)]
    pub(crate) seed: u64,
}

/// What `chunk-demo profile` takes: all that `chunk-demo` takes, and the files to write.
#[derive(clap::Args, Debug)]
pub(crate) struct Profiling {
    #[command(flatten)]
    pub(crate) play: Play,

    /// Where the trace goes; https://ui.perfetto.dev and Tracy's import open it
    #[arg(long, value_name = "FILE", default_value = "trace.json")]
    pub(crate) trace: PathBuf,

    /// Draws a flame graph of the spans to this SVG file [default without FILE: flamegraph.svg]
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "flamegraph.svg")]
    pub(crate) flamegraph: Option<PathBuf>,
}

/// What `chunk-demo` takes without a subcommand.
#[derive(clap::Args, Debug)]
pub(crate) struct Play {
    /// What is streamed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) world: WorldKind,

    /// What the viewers do [default: flight]; `--scenario help` lists them
    #[arg(
        long,
        value_name = "NAME",
        default_value = "flight",
        hide_default_value = true
    )]
    pub(crate) scenario: String,

    /// How long the scenario lasts, in seconds at 60 frames each [default: 15, or the scenario's own]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) seconds: Option<f64>,

    /// Which city or land; every number is another one [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// How many viewers there are [default: 1, or the scenario's own]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(crate) viewers: Option<u32>,

    /// How far each viewer sees, in chunks, of 200 m in the city and 32 m elsewhere [default: 12, or the scenario's own]
    #[arg(long, value_name = "CHUNKS", allow_negative_numbers = true)]
    pub(crate) radius: Option<u32>,

    /// Beyond this distance chunks are unloaded, in chunks [default: 2 more than the radius]
    #[arg(long, value_name = "CHUNKS", allow_negative_numbers = true)]
    pub(crate) unload_radius: Option<u32>,

    /// Entities in each chunk of the city, 15 to 2000 [default: 120, or the scenario's own]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(crate) density: Option<u32>,

    /// Streams every chunk of the city in full detail; otherwise far chunks are outlines
    #[arg(long)]
    pub(crate) full_detail: bool,

    /// The limits to start from; the options below change them one by one
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: Profile,

    /// Chunks being generated at the same time [default: 3]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(crate) max_in_flight: Option<usize>,

    /// Main-thread time a frame may spend on the world, in milliseconds [default: 2; with the original profile no limit]
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub(crate) apply_budget_ms: Option<f64>,

    /// Streaming takes what the rest of a frame leaves of so many milliseconds, such as 16.6; a quarter of it at most, or what --apply-budget-ms says
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub(crate) frame_target_ms: Option<f64>,

    /// Chunks a frame may complete [default: no limit; with the original profile 2]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    pub(crate) chunks_per_frame: Option<u32>,

    /// Plays frames as fast as they go instead of 60 a second; workers then get less time for each
    #[arg(long)]
    pub(crate) unpaced: bool,

    /// Writes what was measured to this file, as one flat JSON object
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes a page with a chunk map, plots and all figures to this folder; it opens without a network
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,

    /// Streams the city from a store, and keeps there what it makes; see `bake --help`
    #[arg(long, value_name = "PATH_OR_URL")]
    pub(crate) store: Option<String>,

    /// Serves the stream's figures to Prometheus at this address while the run lasts; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = ["render", "window"])]
    pub(crate) metrics_addr: Option<String>,

    #[command(flatten)]
    pub(crate) drawing: Drawing,
}

/// The options that draw. They need a build with the feature `render`.
#[derive(clap::Args, Debug)]
pub(crate) struct Drawing {
    /// Draws the scenario's key moments to PNG files in this folder, on a GPU or in software
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "report", "unpaced"])]
    pub(crate) render: Option<PathBuf>,

    /// Opens a window to fly through the world; the keys are listed in it
    #[arg(long, conflicts_with_all = ["json", "report", "unpaced"])]
    pub(crate) window: bool,

    /// With --window: draws the window to this PNG file once the world is loaded, and closes it
    #[arg(long, value_name = "FILE", requires = "window")]
    pub(crate) window_picture: Option<PathBuf>,

    /// With --window: loads what was dug and built in the world of voxels from this file, and saves it there
    #[arg(long, value_name = "FILE", requires = "window")]
    pub(crate) save: Option<PathBuf>,

    /// The size of the pictures, in pixels
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = size)]
    pub(crate) size: [u32; 2],
}

impl Drawing {
    /// Whether anything is to be drawn.
    pub(crate) fn is_given(&self) -> bool {
        self.render.is_some() || self.window
    }
}

/// The narrowest and widest side of a picture.
const SIDES: RangeInclusive<u32> = 64..=8192;

fn size(text: &str) -> Result<[u32; 2], String> {
    let side = |side: &str| side.parse().ok().filter(|side| SIDES.contains(side));
    let sides = text.split_once('x');
    let size = sides.and_then(|(width, height)| Some([side(width)?, side(height)?]));
    size.ok_or_else(|| {
        let (least, most) = SIDES.into_inner();
        format!("a size is two numbers from {least} to {most}, such as 1280x720")
    })
}

impl Play {
    /// The scenario that was named.
    pub(crate) fn scenario(&self) -> Result<&'static dyn Scenario, SettingsError> {
        scenario::named(&self.scenario).ok_or_else(|| {
            let demand = format!("one of {}", scenario::names());
            SettingsError::new("scenario", &format_args!("`{}`", self.scenario), &demand)
        })
    }

    /// The profile's settings, as the scenario and then the options change them.
    pub(crate) fn settings(&self, scenario: &dyn Scenario) -> Result<Settings, SettingsError> {
        let mut settings = Settings::of(self.profile);
        scenario.adjust(&mut settings);
        self.world.adjust(&mut settings);
        if let (Some(density), true) = (self.density, self.world != WorldKind::City) {
            let demand = "left out, because only the city has so many entities in a chunk";
            return Err(SettingsError::new("density", &density, demand));
        }
        if self.full_detail && self.world != WorldKind::City {
            let demand = "left out, because only the city can do without levels of detail";
            return Err(SettingsError::new("full-detail", &true, demand));
        }
        settings.full_detail = self.full_detail;
        let set = |field: &mut u32, option: Option<u32>| *field = option.unwrap_or(*field);
        set(&mut settings.viewers, self.viewers);
        set(&mut settings.density, self.density);
        if let Some(radius) = self.radius {
            settings.radius = radius;
            settings.unload_radius = radius.saturating_add(2);
        }
        set(&mut settings.unload_radius, self.unload_radius);
        settings.seconds = self.seconds.unwrap_or(settings.seconds);
        settings.seed = self.seed.unwrap_or(settings.seed);
        settings.max_in_flight = self.max_in_flight.unwrap_or(settings.max_in_flight);
        if let Some(ms) = self.frame_target_ms {
            let target = FrameTarget::time(milliseconds("frame-target-ms", ms)?);
            settings.budget = ApplyBudget {
                chunks: settings.budget.chunks,
                ..ApplyBudget::following(target)
            };
        }
        if let Some(ms) = self.apply_budget_ms {
            settings.budget.time = Some(milliseconds("apply-budget-ms", ms)?);
        }
        settings.budget.chunks = self.chunks_per_frame.or(settings.budget.chunks);
        if settings.viewers == 0 {
            return Err(SettingsError::new("viewers", &0, "at least 1"));
        }
        settings.validate()?;
        Ok(settings)
    }
}

fn milliseconds(option: &'static str, ms: f64) -> Result<Duration, SettingsError> {
    const MOST: f64 = 60_000.0;
    if ms > 0.0 && ms <= MOST {
        return Ok(Duration::from_secs_f64(ms / 1e3));
    }
    let demand = format!("more than 0 and at most {MOST}");
    Err(SettingsError::new(option, &ms, &demand))
}

/// clap's message about the command line as one sentence, where clap has several lines.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn settings(line: &str) -> Result<Settings, String> {
        let args = Args::try_parse_from(line.split(' ')).map_err(|error| sentence(&error))?;
        let scenario = args.play.scenario().map_err(|error| error.to_string())?;
        args.play
            .settings(scenario)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_other_options_a_profile_is_its_defaults() {
        assert_eq!(settings("chunk-demo"), Ok(Settings::default()));
        let original = Settings::of(Profile::Original);
        assert_eq!(settings("chunk-demo --profile original"), Ok(original));
    }

    #[test]
    fn every_option_reaches_the_settings() {
        let line = "chunk-demo --seconds 1.5 --seed 7 --viewers 2 --radius 5 --unload-radius 9 --density 60 \
                    --profile original --max-in-flight 4 --apply-budget-ms 0.5 --chunks-per-frame 6 --full-detail";
        let settings = settings(line).expect("all of it makes sense");
        assert_eq!(settings.seconds, 1.5);
        assert_eq!((settings.seed, settings.viewers), (7, 2));
        assert_eq!((settings.radius, settings.unload_radius), (5, 9));
        assert_eq!((settings.density, settings.max_in_flight), (60, 4));
        assert!(settings.full_detail);
        assert_eq!(settings.profile, Profile::Original);
        assert_eq!(settings.budget.time, Some(Duration::from_micros(500)));
        assert_eq!(settings.budget.chunks, Some(6));
    }

    #[test]
    fn a_target_makes_a_budget_that_follows_the_frame() {
        let budget = |options: &str| -> Result<_, String> {
            let budget = settings(&format!("chunk-demo {options}"))?.budget;
            Ok((
                budget.frame.map(|target| target.time.as_micros()),
                budget.time,
            ))
        };
        assert_eq!(
            budget("--frame-target-ms 8.3"),
            Ok((Some(8_300), Some(Duration::from_micros(2_075))))
        );
        assert_eq!(
            budget("--frame-target-ms 8.3 --apply-budget-ms 2"),
            Ok((Some(8_300), Some(Duration::from_millis(2))))
        );
        for wrong in ["0", "-1", "NaN", "1e9"] {
            let refused = budget(&format!("--frame-target-ms {wrong}"));
            assert!(
                refused.is_err_and(|error| error.contains("--frame-target-ms cannot be")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_world_has_chunks_of_its_own() {
        let voxels = settings("chunk-demo --world voxels --radius 5").expect("it makes sense");
        assert_eq!((voxels.chunk_size, voxels.half_height), (32.0, 3));
        assert_eq!((voxels.radius, voxels.unload_radius), (5, 7));
        assert_eq!(
            settings("chunk-demo --world voxels --density 60"),
            Err("--density cannot be 60: it must be left out, because only the city has so many entities in a chunk".to_owned())
        );
    }

    #[test]
    fn the_unload_radius_follows_the_radius() {
        let follows = settings("chunk-demo --radius 20").map(|settings| settings.unload_radius);
        assert_eq!(follows, Ok(22));
    }

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(size("640x360"), Ok([640, 360]));
        for text in ["", "640", "640x", "x360", "0x0", "640x9000", "-1x7"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
