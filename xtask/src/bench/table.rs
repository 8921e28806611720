//! The figures as one Markdown table, and its place in docs/measurements.md.

use core::fmt::Write;
use std::fs;

use super::baseline::change;
use super::figure::{Figure, digits};
use super::machine::Machine;
use crate::verdict::{Advise, Verdict};
use crate::workspace::Workspace;

pub(super) fn render(figures: &[Figure], machine: &Machine, before: Option<&[Figure]>) -> String {
    let (head, rule) = before.map_or(("", ""), |_| (" before |", "---:|"));
    let mut text = format!(
        "{machine}\n\n| bench | value | yardstick | ratio | target | |{head}\n|---|---:|---:|---:|---:|---|{rule}\n"
    );
    for figure in figures {
        let unit = &figure.unit;
        let number = |value| format!("{} {unit}", digits(value)).trim_end().to_owned();
        let ratio = figure.ratio.map(|ratio| format!("{}×", digits(ratio)));
        let verdict = match (figure.target, figure.is_ok()) {
            (_, false) => "MISSED",
            (Some(_), true) => "kept",
            (None, true) => "",
        };
        let change = before.map(|before| match change(figure, before) {
            Ok(times) => format!(" {times:.2}× |"),
            Err(why) => format!(" {why} |"),
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {verdict} |{}",
            figure.bench,
            number(figure.value),
            figure.yardstick.map(number).unwrap_or_default(),
            ratio.unwrap_or_default(),
            figure.bound(),
            change.unwrap_or_default(),
        );
    }
    text
}

const PAGE: &str = "docs/measurements.md";
const BEGIN: &str = "<!-- begin: cargo xtask bench -->";
const END: &str = "<!-- end: cargo xtask bench -->";

/// Replaces the text between the marks of the page, so that no number there is copied by hand.
pub(super) fn update_page(workspace: &Workspace, measured: &str) -> Verdict {
    let file = workspace.root().join(PAGE);
    let advice = format!("Bring {PAGE} back with its two marks, {BEGIN} and {END}.");
    let text = fs::read_to_string(&file).advise(&advice)?;
    let text = replaced(&text, measured).ok_or(format!("{PAGE} lacks a mark"));
    fs::write(&file, text.advise(&advice)?).advise(advice)?;
    eprintln!("wrote {PAGE}");
    Ok(())
}

fn replaced(text: &str, measured: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let measured = measured.trim();
    Some(format!("{before}{BEGIN}\n\n{measured}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_row_and_a_comparison_a_column_more() {
        let figures = [
            Figure::example("ratio", 2.0, Some(30.0), Some(20.0)),
            Figure::example("value", 4.0, None, Some(3.0)),
        ];
        let rows = [
            "| ratio | 2 us | 60 us | 30× | ≥ 20× | kept |",
            "| value | 4 us |  |  | ≤ 3 us | MISSED |",
        ];
        let machine = Machine::example("one");
        let text = render(&figures, &machine, None);
        assert_eq!(text.lines().skip(4).collect::<Vec<_>>(), rows);
        let before = [Figure::example("ratio", 1.0, Some(20.0), None)];
        let text = render(&figures, &machine, Some(&before));
        let rows = [format!("{} 1.50× |", rows[0]), format!("{} new |", rows[1])];
        assert_eq!(text.lines().skip(4).collect::<Vec<_>>(), rows);
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("# Title\n{BEGIN}\nold\n{END}\nthe end\n");
        let expected = format!("# Title\n{BEGIN}\n\nnew\n\n{END}\nthe end\n");
        assert_eq!(replaced(&page, "\nnew\n").as_deref(), Some(&*expected));
        assert_eq!(replaced(&expected, "new"), Some(expected));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
