//! Plots over the frames of a run, as SVG.

use core::error::Error;
use std::time::Duration;

use plotters::prelude::*;

use super::film::{Film, Moment};
use super::state::ChunkState;

const SIZE: (u32, u32) = (980, 300);

type Line<'a> = (&'a str, RGBColor, Box<dyn Fn(&Moment) -> f64 + 'a>);

/// Time of each frame: the whole of it, the stream's part on the main thread against its budget, and motion's. In
/// milliseconds.
///
/// # Errors
///
/// If the plotting library cannot draw.
pub fn frame_times(film: &Film, budget: Option<Duration>) -> Result<String, Box<dyn Error>> {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let mut lines: Vec<Line<'_>> = vec![
        (
            "whole frame",
            RGBColor(170, 176, 186),
            Box::new(move |moment| ms(moment.whole)),
        ),
        (
            "stream",
            RGBColor(39, 110, 190),
            Box::new(move |moment| ms(moment.main_thread)),
        ),
        (
            "motion",
            RGBColor(230, 140, 40),
            Box::new(move |moment| ms(moment.motion)),
        ),
    ];
    if let Some(budget) = budget {
        lines.push((
            "budget",
            RGBColor(214, 69, 65),
            Box::new(move |_| ms(budget)),
        ));
    }
    plot(film, "time of a frame, ms", &lines)
}

/// Chunks queued, in flight, in the backlog and there, in each frame.
///
/// # Errors
///
/// If the plotting library cannot draw.
pub fn depths(film: &Film) -> Result<String, Box<dyn Error>> {
    let colour = |state: ChunkState| {
        let [red, green, blue, _] = state.colour();
        RGBColor(red, green, blue)
    };
    let lines: Vec<Line<'_>> = vec![
        (
            "applied",
            colour(ChunkState::Applied),
            Box::new(|moment| moment.loaded as f64),
        ),
        (
            "queued",
            colour(ChunkState::Queued),
            Box::new(|moment| moment.queued as f64),
        ),
        (
            "in flight",
            colour(ChunkState::InFlight),
            Box::new(|moment| moment.in_flight as f64),
        ),
        (
            "backlog",
            colour(ChunkState::Backlog),
            Box::new(|moment| moment.backlog as f64),
        ),
    ];
    plot(film, "chunks", &lines)
}

fn plot(film: &Film, title: &str, lines: &[Line<'_>]) -> Result<String, Box<dyn Error>> {
    let last = film.moments.last().map_or(1.0, |moment| moment.seconds);
    let values = lines
        .iter()
        .flat_map(|(_, _, value)| film.moments.iter().map(value));
    let highest = values.fold(0.0, f64::max).max(1e-3);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 16))
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..last.max(1e-3), 0.0..highest * 1.08)?;
        chart
            .configure_mesh()
            .x_desc("seconds")
            .light_line_style(WHITE)
            .draw()?;
        for (name, colour, value) in lines {
            let colour = *colour;
            let points = film
                .moments
                .iter()
                .map(|moment| (moment.seconds, value(moment)));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(1)))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
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
