//! The window, on a display that nobody sees.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chunk_demo::chart::{ChunkState, Color};
use image::RgbaImage;

/// A display of its own, which ends with the test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// `None` where there is no Xvfb.
    fn start() -> Option<Self> {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x720x24"])
            // The program connects several times in turn. By default a server that lost its last client starts anew, and
            // who connects meanwhile is refused.
            .args(["-noreset", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = server.ok()?;
        // It chooses a free number, and writes it once it answers.
        let mut number = String::new();
        let pipe = server.stdout.take().expect("it was asked for");
        BufReader::new(pipe)
            .read_line(&mut number)
            .expect("what it writes is text");
        assert_ne!(number, "", "Xvfb ended before it had a display");
        Some(Self {
            server,
            name: format!(":{}", number.trim()),
        })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Which part of a rectangle's pixels have a colour, give or take what rounding does.
fn share(image: &RgbaImage, x: Range<u32>, y: Range<u32>, is_so: impl Fn([u8; 3]) -> bool) -> f64 {
    let pixels = x.flat_map(|x| y.clone().map(move |y| (x, y)));
    let (mut all, mut hits) = (0.0, 0.0);
    for (x, y) in pixels {
        let [red, green, blue, _] = image.get_pixel(x, y).0;
        all += 1.0;
        hits += f64::from(u8::from(is_so([red, green, blue])));
    }
    hits / all
}

fn is_near(color: Color) -> impl Fn([u8; 3]) -> bool {
    move |pixel| (0..3).all(|channel| pixel[channel].abs_diff(color[channel]) <= 3)
}

fn is_sky([red, green, blue]: [u8; 3]) -> bool {
    blue > 150 && blue > green && green > red
}

fn is_letter(pixel: [u8; 3]) -> bool {
    pixel.iter().all(|channel| *channel > 150)
}

fn is_shade(pixel: [u8; 3]) -> bool {
    pixel.iter().all(|channel| *channel < 150)
}

#[test]
fn it_shows_the_city_under_figures_a_map_and_the_keys() {
    if !super::can_draw() {
        return;
    }
    let Some(display) = Display::start() else {
        super::missing(
            "there is no Xvfb: install it, on Debian and Ubuntu with `apt-get install xvfb`",
        );
        return;
    };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.png");
    let _ = std::fs::remove_file(&path);
    let output = Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(["--window", "--radius", "4", "--window-picture"])
        .arg(&path)
        .env("DISPLAY", &display.name)
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");

    let image = image::open(&path).expect("the picture was written");
    let image = image.into_rgba8();
    assert_eq!(image.dimensions(), (1280, 720));
    // The figures: light letters on a shade, and none of the shade beside it, where the sky is.
    let figures = |is_so: fn([u8; 3]) -> bool| share(&image, 20..300, 20..220, is_so);
    assert!(figures(is_letter) > 0.03, "{}", figures(is_letter));
    assert!(figures(is_shade) > 0.6, "{}", figures(is_shade));
    let sky = share(&image, 420..980, 0..100, is_sky);
    assert!(sky > 0.95, "{sky}");
    // The frame-time graph has bars within the budget.
    let bars = share(
        &image,
        12..372,
        234..330,
        is_near(image::Rgba([110, 200, 140, 255])),
    );
    assert!(bars > 0.001, "{bars}");
    // The minimap: 49 chunks are there and nothing else is.
    let map = |state: ChunkState| share(&image, 1020..1260, 20..250, is_near(state.color()));
    let applied = map(ChunkState::Applied);
    assert!((0.12..0.3).contains(&applied), "{applied}");
    for state in [ChunkState::Queued, ChunkState::InFlight, ChunkState::Failed] {
        assert!(map(state) < 0.01, "{state:?}: {}", map(state));
    }
    // The keys at the bottom.
    let keys = |is_so: fn([u8; 3]) -> bool| share(&image, 20..800, 600..700, is_so);
    assert!(keys(is_letter) > 0.03, "{}", keys(is_letter));
    assert!(keys(is_shade) > 0.6, "{}", keys(is_shade));
    // The city between them, in many colours.
    let mut colours: Vec<_> = (400..1000)
        .flat_map(|x| (300..560).map(move |y| (x, y)))
        .map(|(x, y)| image.get_pixel(x, y).0.map(|channel| channel >> 4))
        .collect();
    colours.sort_unstable();
    colours.dedup();
    assert!(colours.len() > 100, "{}", colours.len());
}
