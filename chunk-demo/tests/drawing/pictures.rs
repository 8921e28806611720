//! The pictures show what they should: sky, houses, trees and streets in their colours, and not one flat colour.

use std::path::Path;

use chunk_demo::city::CityChunk;
use chunk_demo::render::pictures;
use chunk_demo::scenario::Flight;
use chunk_demo::{Settings, SettingsError, Workload};
use image::RgbaImage;

const SIZE: [u32; 2] = [480, 270];

fn city(settings: &Settings) -> Workload<CityChunk> {
    Workload::city(settings.city()).expect("the settings make a city")
}

/// Which part of the pixels of some rows are so.
fn share(image: &RgbaImage, rows: core::ops::Range<u32>, is_so: impl Fn([i32; 3]) -> bool) -> f64 {
    let mut pixels = 0.0;
    let mut hits = 0.0;
    for y in rows {
        for x in 0..image.width() {
            let [red, green, blue, _] = image.get_pixel(x, y).0;
            pixels += 1.0;
            hits += f64::from(u8::from(is_so([red, green, blue].map(i32::from))));
        }
    }
    hits / pixels
}

fn is_sky([red, green, blue]: [i32; 3]) -> bool {
    blue > 150 && blue >= green && green >= red && blue - red > 15
}

/// Where a shader is missing or broken, Bevy shows magenta.
fn is_pink([red, green, blue]: [i32; 3]) -> bool {
    red > 180 && blue > 180 && green < 100
}

fn is_brick([red, green, blue]: [i32; 3]) -> bool {
    red > green && green >= blue && red - blue > 35
}

/// The towers in the middle of the city are of bluish glass and concrete.
fn is_glass([red, green, blue]: [i32; 3]) -> bool {
    blue > green && green >= red && blue - red > 12
}

fn is_leaf([red, green, blue]: [i32; 3]) -> bool {
    green > red + 6 && green > blue + 18
}

fn is_asphalt([red, green, blue]: [i32; 3]) -> bool {
    (30..115).contains(&green) && (red - green).abs() < 12 && (blue - green).abs() < 16
}

/// Colours that are told apart with four bits a channel.
fn colours(image: &RgbaImage) -> usize {
    let pixels = image.pixels().map(|pixel| pixel.0);
    let mut colours: Vec<_> = pixels
        .map(|[red, green, blue, _]| [red, green, blue].map(|channel| channel >> 4))
        .collect();
    colours.sort_unstable();
    colours.dedup();
    colours.len()
}

/// How many pixels of some rows differ clearly from their right neighbour: the edges of houses.
fn edges(image: &RgbaImage, rows: core::ops::Range<u32>) -> f64 {
    let mut edges = 0.0;
    let mut pixels = 0.0;
    for y in rows {
        for x in 1..image.width() {
            let [here, left] = [x, x - 1].map(|x| image.get_pixel(x, y).0);
            pixels += 1.0;
            edges += f64::from(u8::from((0..3).any(|c| here[c].abs_diff(left[c]) > 24)));
        }
    }
    edges / pixels
}

/// The checks that every picture of the city passes. `bricks` is the least share of brick in its lower half.
fn check(name: &str, image: &RgbaImage, bricks: f64) {
    let height = image.height();
    let (top, bottom) = (0..height / 20, height / 2..height);
    assert_eq!([image.width(), height], SIZE);
    let figures = [
        (
            "sky at the top",
            share(image, top.clone(), is_sky),
            0.8,
            1.0,
        ),
        ("pink", share(image, 0..height, is_pink), 0.0, 0.001),
        (
            "brick below",
            share(image, bottom.clone(), is_brick),
            bricks,
            0.8,
        ),
        (
            "walls below",
            share(image, bottom.clone(), |pixel| {
                is_brick(pixel) || is_glass(pixel)
            }),
            0.1,
            0.9,
        ),
        (
            "leaves below",
            share(image, bottom.clone(), is_leaf),
            0.003,
            0.6,
        ),
        (
            "asphalt below",
            share(image, bottom.clone(), is_asphalt),
            0.01,
            0.6,
        ),
        ("edges at the top", edges(image, top), 0.0, 0.01),
        ("edges below", edges(image, bottom), 0.04, 0.6),
    ];
    for (what, share, least, most) in figures {
        assert!(
            (least..=most).contains(&share),
            "{name}: {share:.4} of {what}, where {least} to {most} was expected\n{figures:?}"
        );
    }
    let colours = colours(image);
    assert!(colours > 120, "{name}: only {colours} colours");
}

#[test]
fn the_key_moments_show_the_city() {
    if !super::can_draw() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    let settings = Settings {
        radius: 7,
        unload_radius: 8,
        ..Settings::default()
    };
    let taken = pictures::take(&folder, SIZE, &settings, &Flight, &city(&settings))
        .expect("there is an adapter");
    let names: Vec<_> = taken
        .iter()
        .map(|picture| picture.path.file_name().expect("a file").to_owned())
        .collect();
    assert_eq!(
        names,
        ["start.png", "flight.png", "teleport.png", "overview.png"]
    );

    let images: Vec<_> = taken
        .iter()
        .map(|picture| {
            let image = image::open(&picture.path).expect("the file was written");
            image.into_rgba8()
        })
        .collect();
    for (picture, image) in taken.iter().zip(&images) {
        // In the middle of the flight the camera is among towers of glass.
        let is_among_towers = picture.path.ends_with("flight.png");
        check(
            &picture.to_string(),
            image,
            if is_among_towers { 0.005 } else { 0.02 },
        );
    }
    // All buildings are one batch and all trees one; the others are ground, sky and sun.
    for picture in &taken {
        assert!(picture.entities > 3_000, "{picture}");
        assert!((2..=5).contains(&picture.batches.opaque), "{picture}");
        // A few for each of the three cascades, and not one for each house.
        assert!((3..=15).contains(&picture.batches.shadows), "{picture}");
        assert_eq!(picture.batches.single, 0, "{picture}");
    }
    // The first was taken while the world was still filling, the others when it was complete.
    assert!(taken[0].chunks < taken[3].chunks, "{taken:?}");
    assert_eq!(taken[2].chunks, taken[3].chunks, "{taken:?}");
    for (a, first) in images.iter().enumerate() {
        for second in &images[..a] {
            assert_ne!(first, second, "two pictures are the same");
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let settings = Settings {
        radius: 0,
        ..Settings::default()
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("none");
    let error =
        pictures::take(&folder, SIZE, &settings, &Flight, &city(&settings)).expect_err("no radius");
    let expected: SettingsError = settings.validate().expect_err("no radius");
    assert_eq!(error.to_string(), expected.to_string());
}
