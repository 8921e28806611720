//! Every example of every crate is compiled and run; one that draws is compiled.

use xshell::cmd;

use crate::shell::build;
use crate::verdict::{Advise, Verdict};
use crate::workspace::{Workspace, folder};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    const ADVICE: &str = "Fix the example that does not compile.";
    let (sh, features) = (workspace.sh(), workspace.light_features());
    // All at once and with the features of the other steps, so that nothing is compiled twice.
    let programs = build(
        cmd!(sh, "cargo build --workspace --examples {features}"),
        ADVICE,
    )?;
    for package in workspace.packages() {
        for example in package.targets.iter().filter(|target| target.is_example()) {
            let program = programs.iter().find(|it| {
                let target = &it.target;
                it.package_id == package.id && target.is_example() && target.name == example.name
            });
            if let Some(program) = program.and_then(|it| it.executable.as_ref()) {
                let _folder = sh.push_dir(folder(package));
                let source = &example.src_path;
                let advice = format!("Fix {source}: an example ends by itself, with status 0.");
                cmd!(sh, "{program}").run().advise(advice)?;
            } else {
                // It needs a feature that was not asked for: it draws, and mostly on a display.
                let (package, name) = (&*package.name, &example.name);
                let features = example.required_features.join(",");
                let clippy = cmd!(sh, "cargo clippy --package {package} --example {name}");
                let clippy = clippy.args(["--features", &features, "--", "-D", "warnings"]);
                clippy.run().advise(ADVICE)?;
            }
        }
    }
    Ok(())
}
