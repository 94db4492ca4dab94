use std::io::Cursor;

use captcha_model::ModelError;
use captcha_model::image::{MAX_BYTES, RgbImage, decode_image, image_from_rgba};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageEncoder, ImageFormat, Rgb, Rgba, RgbaImage};

use crate::support::code;

const RED: Rgb<u8> = Rgb([255, 0, 0]);
const BLUE: Rgb<u8> = Rgb([0, 0, 255]);

/// Red on the left, blue on the right; not as high as wide, and flat enough to survive JPEG.
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
fn every_format_is_read() {
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
fn every_kind_of_pixel_becomes_rgb() {
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
fn transparency_lies_over_white() {
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

#[test]
fn a_gif_is_its_first_frame() {
    let mut bytes = Vec::new();
    let frame = |image: RgbImage| Frame::new(DynamicImage::from(image).into_rgba8());
    GifEncoder::new(&mut bytes)
        .encode_frames([frame(picture()), frame(RgbImage::from_pixel(48, 16, BLUE))])
        .unwrap();
    assert_eq!(decode_image(&bytes).unwrap(), picture());
}

#[test]
fn a_photo_stands_upright() {
    // A TIFF header, one entry: orientation 6, to be turned by a quarter clockwise.
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
fn what_is_no_image_is_refused() {
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
fn no_cut_makes_it_panic() {
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

/// The start of a PNG: signature and header chunk.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(RgbImage::new(1, 1), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

#[test]
fn a_picture_too_large_is_refused_by_its_header() {
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
fn a_file_too_large_is_refused() {
    assert_eq!(
        code(decode_image(&vec![0; MAX_BYTES + 1])),
        "image-too-large"
    );
}

#[test]
fn pixels_that_do_not_fill_their_size_are_refused() {
    assert_eq!(code(image_from_rgba(2, 2, vec![0; 15])), "unreadable-image");
    assert_eq!(code(image_from_rgba(0, 2, Vec::new())), "unreadable-image");
}
