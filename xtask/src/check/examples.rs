//! Every example of every crate is compiled and run; one that draws is compiled.

use std::process::Command;

use cargo_metadata::{Package, Target};

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::{HEAVY_FEATURES, Workspace, folder};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    // All at once and with the features of the other steps, so that nothing is compiled twice.
    let mut build = shell::cargo(workspace);
    build
        .args(["build", "--workspace", "--examples"])
        .args(workspace.light_features());
    let programs = shell::build(&mut build, "Mend the example that does not compile.")?;
    for package in workspace.packages() {
        let examples = package.targets.iter().filter(|target| target.is_example());
        for example in examples {
            let program = programs.iter().find(|program| {
                program.is_example && program.name == example.name && program.package == package.id
            });
            let advice = format!(
                "Mend {}: an example ends by itself, with status 0.",
                example.src_path
            );
            match program {
                Some(program) => {
                    let mut command = Command::new(&program.path);
                    command.current_dir(folder(package));
                    shell::run(&mut command, &advice)?;
                }
                None => compile_only(workspace, package, example)?,
            }
        }
    }
    Ok(Outcome::Done)
}

/// An example that cargo left out needs a feature that was not asked for, and mostly a display.
fn compile_only(
    workspace: &Workspace,
    package: &Package,
    example: &Target,
) -> Result<(), crate::failure::Failure> {
    debug_assert!(
        example
            .required_features
            .iter()
            .any(|feature| HEAVY_FEATURES.contains(&feature.as_str()))
    );
    let mut command = shell::cargo(workspace);
    command
        .args([
            "clippy",
            "--package",
            &package.name,
            "--example",
            &example.name,
        ])
        .args(["--features", &example.required_features.join(",")])
        .args(["--", "-D", "warnings"]);
    shell::run(&mut command, "Mend the example that does not compile.")
}
