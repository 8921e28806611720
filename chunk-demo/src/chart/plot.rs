//! Plots over the frames of a run, as SVG.

use core::error::Error;
use std::time::Duration;

use plotters::prelude::*;

use super::state::ChunkState;
use super::timeline::{Sample, Timeline};

const SIZE: (u32, u32) = (980, 300);

/// Plots for each frame, in milliseconds: the whole frame, the stream's main-thread time with its budget, and the time
/// of motion.
///
/// # Errors
///
/// If the plotting library cannot draw.
pub fn frame_times(
    timeline: &Timeline,
    budget: Option<Duration>,
) -> Result<String, Box<dyn Error>> {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let grey = RGBColor(170, 176, 186);
    let mut lines = vec![
        Line::new(timeline, "whole frame", grey, |sample| {
            ms(sample.whole_frame)
        }),
        Line::new(timeline, "stream", RGBColor(39, 110, 190), |sample| {
            ms(sample.main_thread)
        }),
        Line::new(timeline, "motion", RGBColor(230, 140, 40), |sample| {
            ms(sample.motion)
        }),
    ];
    let red = RGBColor(214, 69, 65);
    lines.extend(budget.map(|budget| Line::new(timeline, "budget", red, |_| ms(budget))));
    plot("time of a frame, ms", &lines)
}

/// Plots for each frame how many chunks were queued, in flight, in the backlog and applied.
///
/// # Errors
///
/// If the plotting library cannot draw.
pub fn depths(timeline: &Timeline) -> Result<String, Box<dyn Error>> {
    let line = |state: ChunkState, value: fn(&Sample) -> usize| {
        let [red, green, blue, _] = state.color().0;
        let color = RGBColor(red, green, blue);
        Line::new(timeline, state.name(), color, |sample| value(sample) as f64)
    };
    let lines = [
        line(ChunkState::Applied, |sample| sample.loaded),
        line(ChunkState::Queued, |sample| sample.queued),
        line(ChunkState::InFlight, |sample| sample.in_flight),
        line(ChunkState::Backlog, |sample| sample.backlog),
    ];
    plot("chunks", &lines)
}

/// One value over time.
struct Line {
    name: &'static str,
    color: RGBColor,
    /// Seconds since the start, and the value then.
    points: Vec<(f64, f64)>,
}

impl Line {
    fn new(
        timeline: &Timeline,
        name: &'static str,
        color: RGBColor,
        value: impl Fn(&Sample) -> f64,
    ) -> Self {
        let samples = timeline.samples.iter();
        let points = samples.map(|sample| (sample.seconds, value(sample)));
        Self {
            name,
            color,
            points: points.collect(),
        }
    }
}

fn plot(title: &str, lines: &[Line]) -> Result<String, Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let last = points().map(|point| point.0).fold(1e-3, f64::max);
    let highest = points().map(|point| point.1).fold(1e-3, f64::max);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..last, 0.0..highest * 1.08)?;
        chart
            .configure_mesh()
            .x_desc("seconds")
            .light_line_style(WHITE)
            .draw()?;
        for line in lines {
            let color = line.color;
            let points = line.points.iter().copied();
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(1)))?
                .label(line.name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}
