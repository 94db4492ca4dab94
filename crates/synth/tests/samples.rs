//! Properties of every sample. The style is `words` unless a test names another.

use std::collections::{BTreeMap, BTreeSet};

use captcha_synth::{
    CharacterBox, FontSet, Generator, Sample, SampleOverrides, Split, Style, SynthError,
    TextSource, fonts, listed_words,
};

fn generator(text: TextSource, fonts: FontSet, split: Split, seed: u64) -> Generator {
    Generator::new(Style::Words, text, fonts, split, seed)
}

fn samples(count: u64) -> impl Iterator<Item = Sample> {
    let generator = generator(TextSource::listed(), FontSet::Train, Split::Train, 11);
    (0..count).map(move |index| generator.sample(index))
}

fn distorted(count: u64) -> impl Iterator<Item = Sample> {
    let generator = generator(TextSource::listed(), FontSet::Train, Split::Train, 11);
    let generator = generator.with_distortion_share(1.0);
    (0..count).map(move |index| generator.sample(index))
}

fn waves(count: u64) -> impl Iterator<Item = Sample> {
    let text = TextSource::listed();
    let generator = Generator::new(Style::Waves, text, FontSet::Train, Split::Train, 11);
    let generator = generator.with_distortion_share(0.3).with_blank_share(0.05);
    (0..count).map(move |index| generator.sample(index))
}

fn pixel(sample: &Sample, x: u32, y: u32) -> [u8; 3] {
    let start = 3 * (y * sample.width + x) as usize;
    [
        sample.rgb[start],
        sample.rgb[start + 1],
        sample.rgb[start + 2],
    ]
}

const WHITE: [u8; 3] = [255; 3];

#[test]
fn sample_depends_only_on_index_seed_and_split() {
    let base = generator(TextSource::Random, FontSet::Train, Split::Train, 1);
    let sample = base.sample(5);
    base.sample(6);
    assert_eq!(sample, base.sample(5));
    assert_eq!(sample, base.clone().sample(5));
    let others = [
        base.sample(6),
        generator(TextSource::Random, FontSet::Train, Split::Train, 2).sample(5),
        generator(TextSource::Random, FontSet::Train, Split::Validation, 1).sample(5),
        generator(TextSource::Random, FontSet::Train, Split::Test, 1).sample(5),
        generator(TextSource::Random, FontSet::Train, Split::Export, 1).sample(5),
    ];
    for other in others {
        assert_ne!(sample.rgb, other.rgb);
    }
}

#[test]
fn generator_is_send_and_sync() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Generator>();
}

#[test]
fn sample_buffer_has_the_stated_size() {
    for sample in samples(5) {
        assert_eq!((sample.width, sample.height), (600, 320));
        assert_eq!(sample.rgb.len(), 3 * 600 * 320);
    }
}

#[test]
fn sample_text_comes_from_the_source() {
    let words: BTreeSet<_> = listed_words().iter().copied().collect();
    assert!(samples(200).all(|sample| words.contains(sample.text.as_str())));

    let random = generator(TextSource::Random, FontSet::Train, Split::Train, 1);
    let texts: Vec<String> = (0..200).map(|index| random.sample(index).text).collect();
    assert!(
        texts
            .iter()
            .all(|text| text.bytes().all(|byte| byte.is_ascii_lowercase()))
    );
    let lengths: BTreeSet<_> = texts.iter().map(String::len).collect();
    assert_eq!(lengths, BTreeSet::from([3, 4, 5]));
    assert!(texts.iter().collect::<BTreeSet<_>>().len() > 180);
}

#[test]
fn sample_font_comes_from_the_set() {
    for set in [FontSet::Train, FontSet::HeldOut] {
        let names: BTreeSet<_> = fonts(set).map(|font| font.name()).collect();
        let generator = generator(TextSource::listed(), set, Split::Test, 3);
        assert!((0..200).all(|index| names.contains(generator.sample(index).font)));
    }
}

#[cfg(feature = "extra-fonts")]
#[test]
fn extra_fonts_share_changes_only_that_share() {
    let plain = || generator(TextSource::listed(), FontSet::Train, Split::Train, 3);
    let mixed = plain().with_extra_fonts_share(0.3);
    let names: BTreeSet<_> = fonts(FontSet::Extra).map(|font| font.name()).collect();
    let more = (0..200).filter(|&index| {
        let (before, after) = (plain().sample(index), mixed.sample(index));
        let is_more = names.contains(after.font);
        assert_eq!(before.text, after.text);
        assert_eq!(before == after, !is_more, "{}", after.font);
        is_more
    });
    let more = more.count();
    assert!((40..80).contains(&more), "{more} of 200");
    let none = plain().with_extra_fonts_share(0.0);
    assert!((0..20).all(|index| none.sample(index) == plain().sample(index)));
}

#[test]
fn character_boxes_are_in_order_and_mostly_inside() {
    for sample in samples(200).chain(distorted(200)).chain(waves(200)) {
        let characters: String = sample.characters.iter().map(|b| b.character).collect();
        assert_eq!(characters, sample.text);
        let center = |b: &CharacterBox| b.x + 0.5 * b.width;
        assert!(
            sample.characters.is_sorted_by(|a, b| center(a) < center(b)),
            "{}",
            sample.text
        );
        for b in &sample.characters {
            let across = (b.x + b.width).min(600.0) - b.x.max(0.0);
            let down = (b.y + b.height).min(320.0) - b.y.max(0.0);
            let shown = across.max(0.0) * down.max(0.0) / (b.width * b.height);
            assert!(
                shown > 0.65,
                "{:.2} of the {} of {} shows",
                shown,
                b.character,
                sample.text
            );
        }
    }
}

/// Nearly every row of a character box has ink. The gap below the dot of i and j has none.
#[test]
fn character_boxes_contain_ink() {
    let (mut found, mut rows) = (0, 0);
    for sample in samples(100).chain(distorted(100)) {
        for b in &sample.characters {
            let (left, right) = (b.x.max(0.0) as u32, (b.x + b.width).min(600.0) as u32);
            let (top, bottom) = (b.y.max(0.0) as u32, (b.y + b.height).min(320.0) as u32);
            let inked = |y| (left..right).any(|x| pixel(&sample, x, y) != WHITE);
            found += (top..bottom).filter(|&y| inked(y)).count();
            rows += (bottom - top) as usize;
        }
    }
    assert!(
        found as f32 > 0.97 * rows as f32,
        "ink in {found} of {rows} rows"
    );
}

#[test]
fn waves_has_exactly_two_colors() {
    for sample in waves(50) {
        let mut colors: BTreeMap<[u8; 3], usize> = BTreeMap::new();
        for rgb in sample.rgb.as_chunks().0 {
            *colors.entry(*rgb).or_default() += 1;
        }
        let [(_, inked), (_, ground)] = colors.into_iter().collect::<Vec<_>>()[..] else {
            panic!("{} has more or fewer than two colours", sample.text);
        };
        assert!(
            0 < inked && inked < ground,
            "{inked} of ink, {ground} of ground"
        );
    }
}

#[test]
fn distorted_font_changes_only_the_outlines() {
    let sizes = |sample: &Sample| -> Vec<[f32; 2]> {
        sample
            .characters
            .iter()
            .map(|b| [b.width, b.height])
            .collect()
    };
    for (plain, distorted) in samples(50).zip(distorted(50)) {
        assert_eq!((&plain.text, plain.font), (&distorted.text, distorted.font));
        assert_ne!(sizes(&plain), sizes(&distorted));
    }
}

#[test]
fn distortion_share_is_kept() {
    let generator = generator(TextSource::listed(), FontSet::Train, Split::Train, 11);
    let some = generator.clone().with_distortion_share(0.0);
    assert!((0..20).all(|index| some.sample(index) == generator.sample(index)));
    let (half, all) = (
        generator.clone().with_distortion_share(0.5),
        generator.with_distortion_share(1.0),
    );
    let distorted = (0..400).filter(|&index| half.sample(index) == all.sample(index));
    assert!((160..240).contains(&distorted.count()));
}

#[test]
fn noise_covers_about_three_quarters_of_a_percent() {
    let (mut specks, mut ground) = (0, 0);
    for sample in samples(60) {
        for y in 1..sample.height - 1 {
            for x in 1..sample.width - 1 {
                let around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
                if around.iter().all(|&(x, y)| pixel(&sample, x, y) == WHITE) {
                    ground += 1;
                    specks += usize::from(pixel(&sample, x, y) != WHITE);
                }
            }
        }
    }
    let share = specks as f32 / ground as f32;
    assert!((0.006..0.010).contains(&share), "{:.2} %", 100.0 * share);
}

#[test]
fn stroke_count_matches_the_style() {
    let counts: Vec<u32> = samples(200).map(|sample| sample.strokes).collect();
    assert!(counts.iter().all(|count| (6..=32).contains(count)));
    let mean = counts.iter().sum::<u32>() as f32 / counts.len() as f32;
    assert!((17.0..21.0).contains(&mean), "{mean} strokes on average");
}

#[test]
#[should_panic(expected = "the word list is empty")]
fn empty_word_list_panics() {
    generator(
        TextSource::Words(Vec::new()),
        FontSet::Train,
        Split::Train,
        1,
    );
}

#[test]
fn overrides_change_only_what_they_name() {
    for style in Style::ALL {
        let text = TextSource::listed();
        check_overrides(&Generator::new(style, text, FontSet::Train, Split::Test, 3));
    }
}

fn check_overrides(generator: &Generator) {
    for index in 0..10 {
        let plain = generator.sample(index);
        let with = |overrides: &SampleOverrides| {
            generator.sample_with(index, overrides).expect("possible")
        };
        assert_eq!(with(&SampleOverrides::default()), plain);

        let text = with(&SampleOverrides {
            text: Some("thus".into()),
            ..SampleOverrides::default()
        });
        assert_eq!((text.text.as_str(), text.characters.len()), ("thus", 4));
        assert_eq!(text.font, plain.font);

        for length in 3..=5 {
            let drawn = with(&SampleOverrides {
                length: Some(length),
                ..SampleOverrides::default()
            });
            assert_eq!((drawn.text.len(), drawn.font), (length, plain.font));
            assert!(length != plain.text.len() || drawn == plain);
        }

        for strokes in [0, 3, 40, SampleOverrides::MAX_STROKES] {
            let drawn = with(&SampleOverrides {
                strokes: Some(strokes),
                ..SampleOverrides::default()
            });
            assert_eq!(drawn.strokes as usize, strokes);
            assert_eq!(
                (&drawn.text, drawn.font, &drawn.characters),
                (&plain.text, plain.font, &plain.characters)
            );
        }

        let distorted = with(&SampleOverrides {
            distorted: Some(true),
            ..SampleOverrides::default()
        });
        assert_eq!(
            (&distorted.text, distorted.font, distorted.strokes),
            (&plain.text, plain.font, plain.strokes)
        );
        assert_ne!(distorted.characters, plain.characters);

        let held_out = fonts(FontSet::HeldOut).next().expect("a font").name();
        let font = with(&SampleOverrides {
            font: Some(held_out.into()),
            ..SampleOverrides::default()
        });
        assert_eq!((font.font, &font.text), (held_out, &plain.text));

        let bare = with(&SampleOverrides {
            strokes: Some(0),
            noise: Some(0.0),
            ..SampleOverrides::default()
        });
        let noisy = with(&SampleOverrides {
            strokes: Some(0),
            noise: Some(0.1),
            ..SampleOverrides::default()
        });
        let pixels = bare.rgb.chunks_exact(3).zip(noisy.rgb.chunks_exact(3));
        let dotted = pixels.filter(|(bare, noisy)| bare != noisy).count();
        // Dots fall on the word and on one another, too.
        let share = dotted as f32 / (600.0 * 320.0);
        assert!((0.07..0.101).contains(&share), "{share}");
    }
}

#[test]
fn overrides_out_of_range_are_errors() {
    let generator = generator(TextSource::Random, FontSet::Train, Split::Test, 3);
    for text in ["", "Thus", "toolong", "a b", "ü"] {
        let overrides = SampleOverrides {
            text: Some(text.into()),
            ..SampleOverrides::default()
        };
        let error = generator.sample_with(0, &overrides).expect_err("no text");
        assert_eq!(error, SynthError::BadText(text.into()));
    }
    for length in [0, 2, 6, usize::MAX] {
        let overrides = SampleOverrides {
            length: Some(length),
            ..SampleOverrides::default()
        };
        let error = generator
            .sample_with(0, &overrides)
            .expect_err("no such text");
        let lengths = vec![3, 4, 5];
        assert_eq!(error, SynthError::NoTextOfLength { length, lengths });
    }
    for (words, lengths) in [
        (&["a", "of", "it"][..], "1 or 2"),
        (&["toe"], "3"),
        (&["a", "of", "toe"], "1, 2 or 3"),
    ] {
        let words = TextSource::Words(words.iter().map(|&word| word.to_owned()).collect());
        let of_four = SampleOverrides {
            length: Some(4),
            ..SampleOverrides::default()
        };
        let generator = self::generator(words, FontSet::Train, Split::Test, 3);
        let error = generator
            .sample_with(0, &of_four)
            .expect_err("no such word")
            .to_string();
        assert_eq!(
            error,
            format!("no text has 4 characters; the texts have {lengths}")
        );
    }
    let font = SampleOverrides {
        font: Some("comic".into()),
        ..SampleOverrides::default()
    };
    assert!(matches!(
        generator.sample_with(0, &font),
        Err(SynthError::UnknownFont(_))
    ));
    for (strokes, noise) in [(Some(101), None), (None, Some(0.5)), (None, Some(f32::NAN))] {
        let overrides = SampleOverrides {
            strokes,
            noise,
            ..SampleOverrides::default()
        };
        assert!(matches!(
            generator.sample_with(0, &overrides),
            Err(SynthError::TooMuchClutter { .. })
        ));
    }
}
