//! Writes a contact sheet as PNG: `contact_sheet OUT.png [LOOK|FILE.toml|random|random-hard|all] [COUNT] [SEED]`.
//! `all` has a row of COUNT images for each built-in look. Standard output has the texts.

use std::error::Error;
use std::path::Path;

use captcha_synth::{FontSet, Generator, Look, Sample, Split};
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

/// Largest size of an image on the sheet, in pixels.
const CELL: [u32; 2] = [250, 90];
/// Pixels between images.
const GAP: u32 = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = args
        .next()
        .ok_or("usage: contact_sheet OUT.png [LOOK] [COUNT] [SEED]")?;
    let look = args.next().unwrap_or_else(|| "all".into());
    let count = args.next().map_or(Ok(6), |count| count.parse::<u64>())?;
    let seed = args.next().map_or(Ok(1), |seed| seed.parse())?;
    let of_look = |look| Generator::of_look(look, FontSet::Train, Split::Export, seed);
    let rows: Vec<Vec<Sample>> = match look.as_str() {
        "all" => {
            let looks = Look::names()
                .map(Look::named)
                .collect::<Result<Vec<_>, _>>()?;
            let generators = looks.into_iter().map(of_look);
            generators
                .map(|one| (0..count).map(|index| one.sample(index)).collect())
                .collect()
        }
        name => {
            let generator = match name {
                "random" => Generator::of_random_looks(1, FontSet::Train, Split::Export, seed),
                "random-hard" => Generator::of_hard_looks(1, FontSet::Train, Split::Export, seed),
                file if file.ends_with(".toml") => of_look(Look::from_toml(
                    file,
                    &std::fs::read_to_string(Path::new(file))?,
                )?),
                name => of_look(Look::named(name)?),
            };
            let samples: Vec<_> = (0..count).map(|index| generator.sample(index)).collect();
            samples.chunks(6).map(<[Sample]>::to_vec).collect()
        }
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let size = [
        columns * (CELL[0] + GAP),
        rows.len() as u32 * (CELL[1] + GAP),
    ];
    let mut sheet = RgbImage::from_pixel(size[0], size[1], Rgb([120, 140, 160]));
    for (row, samples) in rows.into_iter().enumerate() {
        let texts: Vec<_> = samples.iter().map(|sample| sample.text.as_str()).collect();
        println!("{row}: {}", texts.join(" "));
        for (column, sample) in samples.into_iter().enumerate() {
            let image = RgbImage::from_raw(sample.width, sample.height, sample.rgb)
                .ok_or("the buffer has the image's size")?;
            let place = [
                column as u32 * (CELL[0] + GAP),
                row as u32 * (CELL[1] + GAP),
            ];
            overlay(&mut sheet, &fitted(image), place[0].into(), place[1].into());
        }
    }
    sheet.save(out)?;
    Ok(())
}

/// An image made smaller to fit its cell, if need be.
fn fitted(image: RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let scale = (CELL[0] as f32 / width as f32).min(CELL[1] as f32 / height as f32);
    if scale >= 1.0 {
        return image;
    }
    let [width, height] = [width, height].map(|length| (scale * length as f32) as u32);
    resize(&image, width, height, FilterType::Triangle)
}
