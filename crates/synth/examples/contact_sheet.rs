//! Writes images as PNG: `contact_sheet OUT_DIR [COUNT] [train|held-out] [SEED] [STYLE]`.

use std::error::Error;
use std::path::PathBuf;

use captcha_synth::{FontSet, Generator, Split, Style, TextSource};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = PathBuf::from(
        args.next()
            .ok_or("usage: contact_sheet OUT_DIR [COUNT] [FONTS] [SEED] [STYLE]")?,
    );
    let count = args.next().map_or(Ok(24), |count| count.parse())?;
    let fonts: FontSet = args.next().as_deref().unwrap_or("train").parse()?;
    let seed = args.next().map_or(Ok(1), |seed| seed.parse())?;
    let style: Style = args.next().as_deref().unwrap_or("words").parse()?;
    let generator = Generator::new(style, TextSource::listed(), fonts, Split::Test, seed);
    std::fs::create_dir_all(&out)?;
    for index in 0..count {
        let sample = generator.sample(index);
        let name = format!("{index:04}_{}_{}.png", sample.text, sample.font);
        let image = image::RgbImage::from_raw(sample.width, sample.height, sample.rgb)
            .ok_or("the buffer has the image's size")?;
        image.save(out.join(name))?;
    }
    Ok(())
}
