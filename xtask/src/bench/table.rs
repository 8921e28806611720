//! The figures as one Markdown table, with the machine that made them.

use core::fmt::Write;

use super::baseline::{Baseline, Change};
use super::figure::{Figure, Number};
use super::machine::Machine;

pub(super) fn render(figures: &[Figure], machine: &Machine, before: Option<&Baseline>) -> String {
    let mut text = format!("{machine}\n\n");
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
            let change = match before.change(figure, machine) {
                Change::Times(change) => format!("{change:.2}×"),
                Change::New => "new".to_owned(),
                Change::OtherMachine => "on another machine".to_owned(),
                Change::Nothing => "–".to_owned(),
            };
            let _ = write!(text, " {change} |");
        }
        text.push('\n');
    }
    text
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
        let text = render(&figures, &Machine::example("one"), None);
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
        let machine = Machine::example("one");
        let before = [Figure::example("x", 1.0, Some(10.0), None)];
        let before = Baseline::of(&before, &machine);
        let figures = [
            Figure::example("x", 1.0, Some(15.0), None),
            Figure::example("y", 1.0, None, None),
        ];
        let text = render(&figures, &machine, Some(&before));
        assert!(
            text.contains("| x | 1 us | 15 us | 15× |  |  | 1.50× |"),
            "{text}"
        );
        assert!(text.ends_with("| y | 1 us |  |  |  |  | new |\n"), "{text}");
    }
}
