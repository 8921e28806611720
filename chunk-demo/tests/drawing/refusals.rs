//! Where the program cannot draw, it says why in a sentence and ends with 3.

use std::path::Path;
use std::process::{Command, Output};

fn demo() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
}

/// The last line, which is the program's; drivers may have said something before.
fn sentence(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("panicked"), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn without_an_adapter_it_says_which_package_to_install() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-adapter");
    for args in [&["--window"][..], &["--render", &folder.to_string_lossy()]] {
        let output = demo()
            .args(args)
            .env("WGPU_BACKEND", "vulkan")
            .env("VK_ICD_FILENAMES", "/no/such/driver.json")
            .env("VK_DRIVER_FILES", "/no/such/driver.json")
            .output()
            .expect("the program starts");
        let sentence = sentence(&output);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {sentence}");
        assert!(
            sentence.starts_with("error: no graphics adapter was found")
                && sentence.contains("mesa-vulkan-drivers"),
            "{args:?}: {sentence}"
        );
        assert!(output.stdout.is_empty(), "{args:?} drew");
    }
    assert!(!folder.exists(), "nothing was to be written");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_that_answers_it_says_what_a_window_needs() {
    if !super::can_draw() {
        return;
    }
    for display in ["", ":4095"] {
        let output = demo()
            .arg("--window")
            .env("DISPLAY", display)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .output()
            .expect("the program starts");
        let sentence = sentence(&output);
        assert_eq!(output.status.code(), Some(3), "{display:?}: {sentence}");
        assert!(
            sentence.starts_with("error: no window can be opened here")
                && sentence.contains("xvfb-run"),
            "{display:?}: {sentence}"
        );
    }
}

#[test]
fn what_only_a_run_without_a_screen_has_is_refused() {
    for args in [
        ["--window", "--json", "f.json"],
        ["--window", "--report", "folder"],
        ["--render=pictures", "--report", "folder"],
    ] {
        let output = demo().args(args).output().expect("the program starts");
        let sentence = sentence(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {sentence}");
        assert!(sentence.contains("cannot be used with"), "{sentence}");
    }
}
