//! Which figures the command line asks for.

/// Selects the figures whose names contain a text, or all.
pub(crate) struct Filter(Option<String>);

/// Criterion's options that are followed by a value.
const VALUED: [&str; 12] = [
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--confidence-level",
    "--load-baseline",
    "--measurement-time",
    "--nresamples",
    "--noise-threshold",
    "--output-format",
    "--profile-time",
    "--sample-size",
    "--save-baseline",
];

impl Filter {
    pub(crate) fn from_args() -> Self {
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            if VALUED.contains(&arg.as_str()) {
                args.next();
            } else if !arg.starts_with('-') {
                return Self(Some(arg.to_lowercase()));
            }
        }
        Self(None)
    }

    /// Whether any of these figures is to be measured.
    pub(crate) fn any_of(&self, figures: &[&str]) -> bool {
        let Some(text) = &self.0 else { return true };
        let mut names = figures.iter().map(|figure| figure.to_lowercase());
        names.any(|name| name.contains(text.as_str()))
    }
}
