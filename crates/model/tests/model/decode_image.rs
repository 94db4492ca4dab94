use std::io::Cursor;

use captcha_model::ModelError;
use captcha_model::image::{MAX_BYTES, MAX_SIDE, RgbImage, decode_image, image_from_rgba};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageEncoder, ImageFormat, Rgb, Rgba, RgbaImage};

use crate::support::code;

const RED: Rgb<u8> = Rgb([255, 0, 0]);
const BLUE: Rgb<u8> = Rgb([0, 0, 255]);

/// Red on the left, blue on the right: not square, and uniform enough for JPEG.
fn picture() -> RgbImage {
    RgbImage::from_fn(48, 16, |x, _| if x < 24 { RED } else { BLUE })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn indexed_png(palette: &[u8], transparency: &[u8], indices: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, indices.len() as u32, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_trns(transparency);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(indices)
        .unwrap();
    bytes
}

fn assert_close(actual: &RgbImage, expected: &RgbImage, tolerance: u8) {
    assert_eq!(actual.dimensions(), expected.dimensions());
    let far = actual
        .iter()
        .zip(expected.iter())
        .find(|(a, b)| a.abs_diff(**b) > tolerance);
    assert_eq!(far, None);
}

#[test]
fn decode_image_accepts_every_format() {
    let formats = [
        (ImageFormat::Png, 0),
        (ImageFormat::WebP, 0),
        (ImageFormat::Bmp, 0),
        (ImageFormat::Gif, 0),
        (ImageFormat::Jpeg, 40),
    ];
    for (format, tolerance) in formats {
        let image = decode_image(&encoded(picture(), format)).unwrap();
        assert_close(&image, &picture(), tolerance);
    }
}

#[test]
fn decode_image_converts_every_pixel_type_to_rgb() {
    let picture = DynamicImage::from(picture());
    let kinds = [
        picture.to_rgb16().into(),
        picture.to_rgba8().into(),
        DynamicImage::from(picture.to_rgba16()),
    ];
    for kind in kinds {
        assert_eq!(
            decode_image(&encoded(kind, ImageFormat::Png)).unwrap(),
            picture.to_rgb8()
        );
    }
    let grey = [
        picture.to_luma8().into(),
        DynamicImage::from(picture.to_luma16()),
    ];
    for kind in grey {
        assert_eq!(
            decode_image(&encoded(kind.clone(), ImageFormat::Png)).unwrap(),
            kind.to_rgb8()
        );
    }
    let palette = indexed_png(&[255, 0, 0, 0, 0, 255], &[], &[0, 1, 1]);
    assert_eq!(
        decode_image(&palette).unwrap().into_raw(),
        [255, 0, 0, 0, 0, 255, 0, 0, 255]
    );
}

#[test]
fn decode_image_lays_transparency_over_white() {
    let alphas = [0, 51, 128, 255];
    let image = RgbaImage::from_fn(4, 1, |x, _| Rgba([0, 100, 255, alphas[x as usize]]));
    let expected = [255, 255, 255, 204, 224, 255, 127, 177, 255, 0, 100, 255];
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(
            decode_image(&encoded(image.clone(), format))
                .unwrap()
                .into_raw(),
            expected
        );
    }
    assert_eq!(
        image_from_rgba(4, 1, image.into_raw()).unwrap().into_raw(),
        expected
    );
    let palette = indexed_png(&[9, 9, 9, 0, 0, 255], &[0], &[0, 1]);
    assert_eq!(
        decode_image(&palette).unwrap().into_raw(),
        [255, 255, 255, 0, 0, 255]
    );
}

/// A stripe, as the stem of a character, on a background.
fn stripe(ink: [u8; 4], paper: [u8; 4]) -> RgbaImage {
    RgbaImage::from_fn(12, 6, |x, _| {
        Rgba(if (5..7).contains(&x) { ink } else { paper })
    })
}

#[test]
fn decode_image_lays_transparency_over_a_background_that_shows_it() {
    let dark_on_light = |image: &RgbaImage| {
        let (width, height) = image.dimensions();
        let encoded = decode_image(&encoded(image.clone(), ImageFormat::Png)).unwrap();
        let pixels = image_from_rgba(width, height, image.clone().into_raw()).unwrap();
        assert_eq!(encoded, pixels);
        (encoded.get_pixel(5, 2).0, encoded.get_pixel(0, 0).0)
    };
    let clear = [255, 255, 255, 0];
    for (ink, paper, expected) in [
        // Hidden on white: becomes black on white.
        ([255, 255, 255, 255], clear, ([0; 3], [255; 3])),
        ([255, 255, 255, 255], [0; 4], ([0; 3], [255; 3])),
        ([250, 250, 250, 255], clear, ([5; 3], [255; 3])),
        ([255, 255, 255, 128], clear, ([127; 3], [255; 3])),
        // Visible on white.
        ([190, 190, 190, 255], clear, ([190; 3], [255; 3])),
        ([0, 0, 0, 255], clear, ([0; 3], [255; 3])),
        // The text is only in the alpha channel.
        ([0, 0, 0, 255], [0; 4], ([0; 3], [255; 3])),
        ([0, 0, 0, 128], [0; 4], ([127; 3], [255; 3])),
        // Nothing is visible on any background.
        ([255; 4], [255; 4], ([255; 3], [255; 3])),
        ([245, 245, 245, 255], [255; 4], ([245; 3], [255; 3])),
        (clear, clear, ([255; 3], [255; 3])),
        // Light on dark without transparency stays.
        ([255; 4], [0, 0, 0, 255], ([255; 3], [0; 3])),
    ] {
        let image = stripe(ink, paper);
        assert_eq!(dark_on_light(&image), expected, "{ink:?} on {paper:?}");
    }
}

fn gif(frames: impl IntoIterator<Item = RgbImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = |image: RgbImage| Frame::new(DynamicImage::from(image).into_rgba8());
    GifEncoder::new(&mut bytes)
        .encode_frames(frames.into_iter().map(frame))
        .unwrap();
    bytes
}

#[test]
fn decode_image_of_a_gif_is_its_first_frame() {
    let bytes = gif([picture(), RgbImage::from_pixel(48, 16, BLUE)]);
    assert_eq!(decode_image(&bytes).unwrap(), picture());
}

#[test]
fn decode_image_of_a_gif_skips_blank_frames() {
    let blank = || RgbImage::from_pixel(48, 16, Rgb([255; 3]));
    let bytes = gif([
        blank(),
        blank(),
        picture(),
        RgbImage::from_pixel(48, 16, BLUE),
    ]);
    assert_eq!(decode_image(&bytes).unwrap(), picture());
    // The first of blank frames only; a truncated file gives the frames before the cut.
    assert_eq!(decode_image(&gif([blank(), blank()])).unwrap(), blank());
    let whole = gif([blank(), picture()]);
    assert_eq!(decode_image(&whole[..whole.len() - 20]).unwrap(), blank());
}

#[test]
fn decode_image_rotates_by_exif_orientation() {
    // A TIFF header with one entry: orientation 6, a quarter turn clockwise.
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.encode_image(&picture()).unwrap();
    assert_close(
        &decode_image(&bytes).unwrap(),
        &image::imageops::rotate90(&picture()),
        40,
    );
}

#[test]
fn decode_image_of_other_bytes_is_an_error() {
    let png = encoded(picture(), ImageFormat::Png);
    let mut flipped = png.clone();
    flipped[60] ^= 0xff;
    let cases: [&[u8]; 7] = [
        b"",
        b"this is a text that someone named captcha.png",
        b"\x89PNG\r\n\x1a\n",
        &png[..png.len() / 2],
        &png[..40],
        &flipped,
        &[0; 1000],
    ];
    for (i, bytes) in cases.into_iter().enumerate() {
        assert_eq!(code(decode_image(bytes)), "unreadable-image", "case {i}");
    }
    for format in [ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        let bytes = encoded(picture(), format);
        assert_eq!(
            code(decode_image(&bytes[..bytes.len() / 2])),
            "unreadable-image"
        );
    }
}

#[test]
fn decode_image_of_a_foreign_file_names_its_kind() {
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'/>";
    for (text, name) in [
        (svg.to_owned(), "SVG"),
        (format!("\u{feff}\n <?xml version='1.0'?>\n{svg}"), "SVG"),
        (format!("<!-- a comment -->{svg}"), "SVG"),
        (
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA".into(),
            "data URL",
        ),
        ("iVBORw0KGgoAAAANSUhEUgAA\n".into(), "base64"),
        ("/9j/4AAQSkZJRgABAQ==".into(), "base64"),
        ("<!DOCTYPE html><title>x</title>".into(), "web page"),
        ("%PDF-1.7\n".into(), "PDF"),
    ] {
        let error = decode_image(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "unreadable-image");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn decode_image_of_a_truncated_file_never_panics() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
    ] {
        let bytes = encoded(picture(), format);
        for end in 0..bytes.len() {
            if let Err(error) = decode_image(&bytes[..end]) {
                assert!(matches!(error, ModelError::UnreadableImage(_)), "{error}");
            }
        }
    }
}

/// The beginning of a PNG: signature and header chunk.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(RgbImage::new(1, 1), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[test]
fn decode_image_of_too_many_pixels_fails_at_the_header() {
    let huge = png_header(30_000, 30_000);
    assert_eq!(code(decode_image(&huge)), "image-too-large");
    assert_eq!(code(decode_image(&huge[..33])), "image-too-large");
    assert_eq!(
        code(decode_image(&png_header(u32::MAX, u32::MAX))),
        "image-too-large"
    );
    assert_eq!(
        code(image_from_rgba(30_000, 30_000, Vec::new())),
        "image-too-large"
    );

    let mut bmp = encoded(picture(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&30_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&30_000u32.to_le_bytes());
    assert_eq!(code(decode_image(&bmp)), "image-too-large");

    let mut gif = encoded(picture(), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(code(decode_image(&gif)), "image-too-large");
}

#[test]
fn decode_image_of_too_long_a_side_is_an_error() {
    for (width, height) in [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (40_000_000, 1)] {
        let error = decode_image(&png_header(width, height)).unwrap_err();
        assert_eq!(error.code(), "image-too-large");
        assert!(
            error.to_string().contains("65,535 pixels per side"),
            "{error}"
        );
    }
    let long = vec![0; 4 * MAX_SIDE as usize];
    assert!(image_from_rgba(MAX_SIDE, 1, long).is_ok());
}

#[test]
fn decode_image_of_too_large_a_file_is_an_error() {
    assert_eq!(MAX_BYTES, 20_000_000); // as in the message
    let error = decode_image(&vec![0; MAX_BYTES + 1]).unwrap_err();
    assert_eq!(error.code(), "image-too-large");
    assert!(error.to_string().contains("The limit is 20 MB"), "{error}");
}

#[test]
fn image_from_rgba_of_too_few_pixels_is_an_error() {
    assert_eq!(code(image_from_rgba(2, 2, vec![0; 15])), "unreadable-image");
    assert_eq!(code(image_from_rgba(0, 2, Vec::new())), "unreadable-image");
}
