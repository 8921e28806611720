//! Puts what was measured into docs/measurements.md, so that no number there is copied by hand.

use std::fs;

use crate::failure::Failure;
use crate::workspace::Workspace;

const PAGE: &str = "docs/measurements.md";
const BEGIN: &str = "<!-- begin: cargo xtask bench -->";
const END: &str = "<!-- end: cargo xtask bench -->";

/// Replaces what stands between the marks of the page.
pub(super) fn update(workspace: &Workspace, measured: &str) -> Result<(), Failure> {
    let file = workspace.root().join(PAGE);
    let cannot = |what: String| {
        let advice = format!("Bring {PAGE} back with its two marks, {BEGIN} and {END}.");
        Failure::new(what, advice)
    };
    let text = fs::read_to_string(&file).map_err(|error| cannot(format!("{PAGE}: {error}.")))?;
    let text = replaced(&text, measured)
        .ok_or_else(|| cannot(format!("{PAGE} does not say where figures go.")))?;
    fs::write(&file, text).map_err(|error| cannot(format!("{PAGE}: {error}.")))?;
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
    fn only_what_is_between_the_marks_is_replaced() {
        let page = format!("# Title\n{BEGIN}\nold\n{END}\nthe end\n");
        let expected = format!("# Title\n{BEGIN}\n\nnew\n\n{END}\nthe end\n");
        assert_eq!(replaced(&page, "\nnew\n").as_deref(), Some(&*expected));
        assert_eq!(replaced(&expected, "new"), Some(expected));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
