//! A flame graph of the spans: how the time of each thread is divided among them.

use std::io::Write;

use super::span_costs::SpanCosts;

/// Whether this build can draw flame graphs.
pub(crate) const IS_AVAILABLE: bool = cfg!(feature = "flamegraph");

/// Writes an SVG that a browser opens, in which a click enlarges a span. Without the feature it writes nothing.
#[cfg_attr(
    not(feature = "flamegraph"),
    expect(unused_variables, reason = "nothing draws them")
)]
pub(crate) fn draw(costs: &SpanCosts, out: &mut impl Write) -> Result<(), String> {
    #[cfg(feature = "flamegraph")]
    {
        let mut options = inferno::flamegraph::Options::default();
        "chunk-demo: where the time of each thread went".clone_into(&mut options.title);
        "ns".clone_into(&mut options.count_name);
        let stacks = costs.folded();
        inferno::flamegraph::from_lines(&mut options, stacks.iter().map(String::as_str), out)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(all(test, feature = "flamegraph"))]
mod tests {
    use super::super::span_costs::tests::two_frames;
    use super::*;

    #[test]
    fn the_spans_are_drawn_with_their_times() {
        let mut svg = Vec::new();
        draw(&two_frames(), &mut svg).expect("memory takes it");
        let svg = String::from_utf8_lossy(&svg);
        assert!(
            svg.contains("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        assert!(svg.contains("inner (120,000 ns, 60.00%)"), "{svg}");
    }
}
