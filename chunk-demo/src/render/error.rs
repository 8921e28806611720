//! Why nothing was drawn.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::harness::SettingsError;

/// Why nothing was drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// Neither a GPU nor a software renderer was found. The text is the graphics library's.
    #[error(
        "no graphics adapter was found ({0}). Without a GPU, install a software renderer: `apt-get install \
         mesa-vulkan-drivers` on Debian and Ubuntu, and run this again"
    )]
    NoAdapter(String),
    /// A setting makes no sense.
    #[error("{0}")]
    Settings(#[from] SettingsError),
    /// A file or folder could not be written.
    #[error("cannot write {path}: {1}", path = .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The renderer gave no picture within this many frames.
    #[error("the renderer gave no picture within {0} frames; a newer graphics driver may help")]
    NoPicture(u32),
    /// The stream had not come to rest within this many frames.
    #[error(
        "the world was not complete after {0} frames; a smaller --radius may help, or fewer --max-in-flight on a busy \
         machine"
    )]
    Unsettled(u32),
    /// There is no display for a window, or a library is missing that is needed to open one. The text is the window
    /// library's.
    #[error(
        "no window can be opened here ({0}). On Linux and BSD one needs an X11 display, which Wayland desktops offer \
         through Xwayland, and libX11, libxcb, libxkbcommon-x11, libXcursor and libXi; `--render DIR` draws to files \
         without any, and `xvfb-run` (Debian package xvfb) makes a virtual display"
    )]
    NoDisplay(String),
}

impl RenderError {
    /// The status that a program should end with: 3 where the machine cannot draw, 2 otherwise.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NoAdapter(_) | Self::NoDisplay(_) => 3,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_draw_is_told_what_to_install() {
        let error = RenderError::NoAdapter("nothing found".to_owned());
        assert!(error.to_string().contains("mesa-vulkan-drivers"));
        assert_eq!(error.exit_status(), 3);
        assert_eq!(RenderError::NoDisplay("none".to_owned()).exit_status(), 3);
        assert_eq!(RenderError::NoPicture(9).exit_status(), 2);
        assert_eq!(RenderError::Unsettled(9).exit_status(), 2);
    }
}
