//! Why nothing was drawn.

use core::error::Error;
use core::fmt;
use std::io;
use std::path::PathBuf;

use crate::harness::SettingsError;

/// Why nothing was drawn.
#[derive(Debug)]
#[non_exhaustive]
pub enum RenderError {
    /// Neither a GPU nor a software renderer was found; the text is what the graphics library said.
    NoAdapter(String),
    /// A setting makes no sense.
    Settings(SettingsError),
    /// A file or folder could not be written.
    Write(PathBuf, io::Error),
    /// The renderer gave no picture within this many frames.
    NoPicture(u32),
    /// The stream had not come to rest within this many frames.
    Unsettled(u32),
    /// There is no screen for a window, or what is needed to open one is not installed; the text is what the window
    /// library said.
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

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdapter(reason) => write!(
                f,
                "no graphics adapter was found ({reason}). Without a GPU, install a software \
                 renderer: `apt-get install mesa-vulkan-drivers` on Debian and Ubuntu, and run \
                 this again"
            ),
            Self::Settings(error) => error.fmt(f),
            Self::Write(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::NoPicture(frames) => write!(
                f,
                "the renderer gave no picture within {frames} frames; a newer graphics driver may help"
            ),
            Self::Unsettled(frames) => write!(
                f,
                "the world was not whole after {frames} frames; a smaller --radius may help, or fewer --max-in-flight \
                 on a busy machine"
            ),
            Self::NoDisplay(reason) => write!(
                f,
                "no window can be opened here ({reason}). On Linux and BSD one needs an X11 display, which Wayland \
                 desktops offer through Xwayland, and libX11, libxcb, libxkbcommon-x11, libXcursor and libXi; \
                 `--render DIR` draws to files without any, and `xvfb-run` (Debian package xvfb) makes a display that \
                 nobody sees"
            ),
        }
    }
}

impl Error for RenderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Settings(error) => Some(error),
            Self::Write(_, error) => Some(error),
            _ => None,
        }
    }
}

impl From<SettingsError> for RenderError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
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
