//! The figures as one Markdown table, with the machine that made them.

use core::fmt::Write;
use std::{fs, thread};

use super::baseline::Baseline;
use super::figure::{Figure, Number};

pub(super) fn render(figures: &[Figure], before: Option<&Baseline>) -> String {
    let mut text = format!("{}\n\n", machine());
    let (head, rule) = match before {
        Some(_) => (" before |", "---:|"),
        None => ("", ""),
    };
    text += &format!("| bench | value | yardstick | ratio | target | |{head}\n");
    text += &format!("|---|---:|---:|---:|---:|---|{rule}\n");
    for figure in figures {
        let unit = &figure.unit;
        let number = |value| format!("{} {unit}", Number(value)).trim_end().to_owned();
        let yardstick = figure.yardstick.map(number).unwrap_or_default();
        let ratio = figure.ratio.map(|ratio| format!("{}×", Number(ratio)));
        let verdict = match (figure.target, figure.ok) {
            (_, false) => "MISSED",
            (Some(_), true) => "kept",
            (None, true) => "",
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "| {} | {} | {yardstick} | {} | {} | {verdict} |",
            figure.bench,
            number(figure.value),
            ratio.unwrap_or_default(),
            figure.bound(),
        );
        if let Some(before) = before {
            let change = before.change(figure);
            let change = change.map_or("new".to_owned(), |it| format!("{it:.2}×"));
            let _ = write!(text, " {change} |");
        }
        text.push('\n');
    }
    text
}

/// Processor, cores, system and compiler's target, as far as they are known.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| model(&text))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let system = std::env::consts::OS;
    format!("Machine: {processor}, {cores} cores, {system}.")
}

fn model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_row() {
        let figures = [
            Figure::example("ratio", 2.0, Some(30.0), Some(20.0)),
            Figure::example("value", 4.0, None, Some(3.0)),
        ];
        let text = render(&figures, None);
        let rows: Vec<_> = text.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "| ratio | 2 us | 60 us | 30× | ≥ 20× | kept |",
                "| value | 4 us |  |  | ≤ 3 us | MISSED |",
            ]
        );
    }

    #[test]
    fn a_comparison_has_a_column_more() {
        let before = Baseline::of(vec![Figure::example("x", 1.0, Some(10.0), None)]);
        let figures = [
            Figure::example("x", 1.0, Some(15.0), None),
            Figure::example("y", 1.0, None, None),
        ];
        let text = render(&figures, Some(&before));
        assert!(
            text.contains("| x | 1 us | 15 us | 15× |  |  | 1.50× |"),
            "{text}"
        );
        assert!(text.ends_with("| y | 1 us |  |  |  |  | new |\n"), "{text}");
    }

    #[test]
    fn the_processor_is_read_from_its_line() {
        let text = "processor : 0\nmodel name\t: A Fast One @ 3 GHz\nflags : x";
        assert_eq!(model(text).as_deref(), Some("A Fast One @ 3 GHz"));
    }
}
