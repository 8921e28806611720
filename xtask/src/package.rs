//! `cargo xtask package`: the package of each library crate as it would be published.

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also compiles each package from what is in it, against the packages of its siblings (slow)
    #[arg(long)]
    verify: bool,
    /// Packages what is in the working tree, committed or not
    #[arg(long)]
    allow_dirty: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    complete(workspace)?;
    // All at once: cargo then resolves siblings among the packages themselves, published or not.
    let mut command = shell::cargo(workspace);
    command.arg("package");
    for library in workspace.libraries() {
        command.args(["--package", &library.name]);
    }
    if !args.verify {
        command.arg("--no-verify");
    }
    if args.allow_dirty {
        command.arg("--allow-dirty");
    }
    shell::run(
        &mut command,
        "Commit or ignore the files it names, or complete the crate's Cargo.toml.",
    )?;
    Ok(Outcome::Done)
}

/// What crates.io asks for or a reader of it misses.
fn complete(workspace: &Workspace) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        let fields = [
            ("description", library.description.is_none()),
            ("license", library.license.is_none()),
            ("readme", library.readme.is_none()),
            ("rust-version", library.rust_version.is_none()),
            ("keywords", library.keywords.is_empty()),
            ("categories", library.categories.is_empty()),
            (
                "package.metadata.docs.rs",
                library.metadata["docs"]["rs"].is_null(),
            ),
        ];
        let missing = fields.iter().filter(|(_, is_missing)| *is_missing);
        findings.extend(missing.map(|(field, _)| format!("{} has no {field}.", library.name)));
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !crate::workspace::folder(library).join(licence).is_file() {
                findings.push(format!("{}/{licence} is missing.", library.name));
            }
        }
    }
    Failure::unless_empty(
        &findings,
        "Add what is missing to the crate's Cargo.toml, and link the licences of the root into its folder.",
    )
}
