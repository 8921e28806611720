//! The figures, what each is compared with, and what it has to reach.

use crate::Asked;
use crate::contestants::{BARE, ORIGINAL, OURS};
use crate::driver::{Measured, Workload};
use crate::frame_ms;
use crate::lineup::{Lineup, Outcome, PEER};
use crate::print::Figure;

/// One figure before it is measured.
#[derive(Clone, Debug)]
struct Spec {
    what: String,
    unit: &'static str,
    value: fn(&Measured) -> f64,
    aim: Aim,
}

/// What the value is judged by.
#[derive(Clone, Copy, Debug)]
enum Aim {
    /// Nothing.
    None,
    /// It is at most this.
    AtMost(f64),
    /// It is at most 1.05 times what bare threads took, and a frame.
    NearlyBare,
    /// So many times as little as the contestant's, or nothing asked.
    LessThan(&'static str, Option<f64>),
    /// Not more places are unfilled than by bare threads.
    WhereBareCould,
}

impl Aim {
    fn against(self) -> Option<&'static str> {
        match self {
            Self::None | Self::AtMost(_) => None,
            Self::NearlyBare | Self::WhereBareCould => Some(BARE),
            Self::LessThan(name, _) => Some(name),
        }
    }
}

fn specs(workload: &Workload) -> Vec<Spec> {
    let spec = |what: &str, unit, value, aim| Spec {
        what: what.to_owned(),
        unit,
        value,
        aim,
    };
    let unfilled: fn(&Measured) -> f64 = |it| it.jumps - it.jumps_filled;
    let mut specs = match workload.name {
        "fill free" => vec![
            spec("frames", "frames", |it| it.fill_frames, Aim::AtMost(5.0)),
            spec("time", "ms", |it| it.fill_ms, Aim::LessThan(BARE, None)),
        ],
        "fill 200 us" => vec![spec("time", "ms", |it| it.fill_ms, Aim::NearlyBare)],
        "flight" => vec![
            spec(
                "absent",
                "%",
                |it| (1.0 - it.coverage) * 100.0,
                Aim::AtMost(1.0),
            ),
            spec("never shown", "chunks", |it| it.missed, Aim::AtMost(0.0)),
            spec(
                "wanted to shown, p99",
                "frames",
                |it| it.latency_frames_p99,
                Aim::AtMost(1.0),
            ),
        ],
        _ => vec![spec(
            "places not filled where bare threads could",
            "places",
            unfilled,
            Aim::WhereBareCould,
        )],
    };
    let is_fill = workload.name.starts_with("fill");
    for (what, name, least) in [
        ("against the original", ORIGINAL, None),
        ("against bevy_voxel_world", PEER, Some(1.0)),
    ] {
        let mut against = |figure: &str, unit, value: fn(&Measured) -> f64| {
            let what = format!("{figure} {what}");
            specs.push(spec(&what, unit, value, Aim::LessThan(name, least)));
        };
        if is_fill {
            against("time", "ms", |it| it.fill_ms);
        } else {
            against("wanted to shown, p50,", "ms", |it| it.latency_ms_p50);
        }
        if name == PEER {
            against("main thread, p99,", "ms", |it| it.main_ms_p99);
            against("main thread, max,", "ms", |it| it.main_ms_max);
        }
        against("memory", "MB", |it| it.memory_mb);
    }
    specs.extend([
        spec(
            "main thread, p99",
            "ms",
            |it| it.main_ms_p99,
            Aim::AtMost(2.1),
        ),
        spec("main thread, max", "ms", |it| it.main_ms_max, Aim::None),
        spec("late frames", "frames", |it| it.late, Aim::AtMost(0.0)),
        spec("made in vain", "chunks", |it| it.wasted, Aim::None),
        spec(
            "entities leaked",
            "entities",
            |it| it.leaked,
            Aim::AtMost(0.0),
        ),
    ]);
    specs
}

/// The figures that were asked for.
#[derive(Debug)]
pub(crate) struct Specs {
    specs: Vec<(Workload, Spec)>,
    is_quick: bool,
    is_filtered: bool,
    has_peer: bool,
}

impl Specs {
    pub(crate) fn wanted(asked: &Asked, lineup: &Lineup) -> Self {
        let all = Workload::ALL.into_iter();
        let all = all.flat_map(|it| specs(&it).into_iter().map(move |spec| (it, spec)));
        let is_wanted = |(workload, spec): &(Workload, Spec)| {
            let name = name(workload.name, &spec.what, asked.is_quick);
            let is_there = spec.aim.against().is_none_or(|against| lineup.has(against));
            name.contains(&asked.filter) && is_there
        };
        Self {
            specs: all.filter(is_wanted).collect(),
            is_quick: asked.is_quick,
            is_filtered: !asked.filter.is_empty(),
            has_peer: lineup.has(PEER),
        }
    }

    /// Who has to play a workload; nobody if no figure of it was asked for.
    pub(crate) fn contestants(&self, workload: &str) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .of(workload)
            .flat_map(|spec| [Some(OURS), spec.aim.against()])
            .flatten()
            .collect();
        if !self.is_filtered && !names.is_empty() {
            names.extend([BARE, ORIGINAL]);
            names.extend(self.has_peer.then_some(PEER));
        }
        names
    }

    /// The figures of one workload.
    pub(crate) fn figures(&self, workload: &str, outcomes: &[Outcome]) -> Vec<Figure> {
        let of = |name: &str| {
            let outcome = outcomes.iter().find(|outcome| outcome.name == name);
            outcome.map(|outcome| &outcome.measured)
        };
        let Some(ours) = of(OURS) else {
            return Vec::new();
        };
        self.of(workload)
            .map(|spec| {
                let value = (spec.value)(ours);
                let other = spec.aim.against().and_then(of).map(spec.value);
                let (yardstick, target) = match spec.aim {
                    Aim::None => (None, None),
                    Aim::AtMost(most) => (None, Some(most)),
                    Aim::NearlyBare => (None, other.map(|bare| bare * 1.05 + frame_ms())),
                    Aim::WhereBareCould => (None, other),
                    Aim::LessThan(_, least) => (other, least),
                };
                Figure {
                    bench: name(workload, &spec.what, self.is_quick),
                    value,
                    unit: spec.unit,
                    yardstick,
                    ratio: yardstick.map(|yardstick| yardstick / value.max(1e-3)),
                    target: target.filter(|_| !self.is_quick),
                    ok: None,
                }
            })
            .collect()
    }

    fn of(&self, workload: &str) -> impl Iterator<Item = &Spec> {
        let specs = self.specs.iter();
        specs.filter_map(move |(it, spec)| (it.name == workload).then_some(spec))
    }
}

fn name(workload: &str, what: &str, is_quick: bool) -> String {
    let quick = if is_quick { " quick" } else { "" };
    format!("workloads{quick}/{workload}: {what}")
}
