//! Properties of the images of every look, and errors of look files.

use std::collections::BTreeSet;

use captcha_synth::{
    FontSet, Generator, LONGEST_TEXT, Look, Sample, SampleOverrides, Split, SynthError, TextSource,
};

/// The built-in looks that are drawn from their data alone.
fn drawn_looks() -> Vec<Look> {
    let names = Look::names().filter(|name| !["words", "waves"].contains(name));
    names
        .map(|name| Look::named(name).expect("a look"))
        .collect()
}

fn generator(look: Look) -> Generator {
    Generator::of_look(look, FontSet::Train, Split::Test, 5)
}

fn random_looks(split: Split) -> Generator {
    Generator::of_random_looks(1, FontSet::Train, split, 5)
}

/// Difference of the brightest and the darkest pixel of an area, 0 to 255.
fn contrast(sample: &Sample, [left, top, right, bottom]: [usize; 4]) -> i32 {
    let lumas = (top..bottom).flat_map(|y| {
        (left..right).map(move |x| {
            let place = 3 * (y * sample.width as usize + x);
            let [r, g, b] = [0, 1, 2].map(|i| i32::from(sample.rgb[place + i]));
            (299 * r + 587 * g + 114 * b) / 1000
        })
    });
    let (darkest, brightest) = lumas.fold((255, 0), |(low, high): (i32, i32), luma| {
        (low.min(luma), high.max(luma))
    });
    brightest - darkest
}

/// Checks that each character is inside of the image, in order, and differs from the ground.
fn check(look: &Look, sample: &Sample, least_contrast: i32) {
    let name = look.name();
    let (width, height) = (sample.width as f32, sample.height as f32);
    assert_eq!(sample.rgb.len(), (3.0 * width * height) as usize, "{name}");
    let (shortest, longest) = look.lengths();
    assert!((shortest..=longest).contains(&sample.text.len()), "{name}");
    let alphabet = look.alphabet();
    assert!(
        sample.text.chars().all(|one| alphabet.contains(one)),
        "{name}"
    );
    let characters: String = sample.characters.iter().map(|one| one.character).collect();
    assert_eq!(characters, sample.text, "{name}");
    for one in &sample.characters {
        let (right, bottom) = (one.x + one.width, one.y + one.height);
        assert!(
            one.x >= 0.0 && one.y >= 0.0 && right <= width && bottom <= height,
            "{name}: {one:?} is not inside {width} x {height}"
        );
        // The character, and the ground around it.
        let [left, top] = [one.x - 2.0, one.y - 2.0].map(|place| place.max(0.0) as usize);
        let area = [
            left,
            top,
            (right + 2.0).min(width) as usize,
            (bottom + 2.0).min(height) as usize,
        ];
        assert!(
            contrast(sample, area) > least_contrast,
            "{name}: {one:?} of {} cannot be seen",
            sample.text
        );
    }
    let across = |one: &captcha_synth::CharacterBox| one.x + 0.5 * one.width;
    let sorted = sample.characters.is_sorted_by(|a, b| across(a) < across(b));
    assert!(sorted, "{name}: {}", sample.text);
}

#[test]
fn named_looks_draw_visible_characters_inside_the_image() {
    let looks = drawn_looks();
    assert!(looks.len() >= 20);
    for look in looks {
        let generator = generator(look.clone());
        (0..12).for_each(|index| check(&look, &generator.sample(index), 45));
    }
}

#[test]
fn random_looks_draw_visible_characters_inside_the_image() {
    let generator = random_looks(Split::Train);
    for index in 0..150 {
        check(&generator.look(index), &generator.sample(index), 45);
    }
}

#[test]
fn hard_looks_draw_visible_characters_inside_the_image() {
    let generator = Generator::of_hard_looks(1, FontSet::Train, Split::Train, 5);
    for index in 0..300 {
        check(&generator.look(index), &generator.sample(index), 20);
    }
}

#[test]
fn named_looks_cover_sizes_alphabets_and_lengths() {
    let looks = drawn_looks();
    let has = |alphabet: &str, text: &str| text.chars().any(|one| alphabet.contains(one));
    let kinds: BTreeSet<[bool; 3]> = looks
        .iter()
        .map(|look| ["0123456789", "QX", "qx"].map(|kind| has(kind, &look.alphabet())))
        .collect();
    for kind in [
        [true, false, false],
        [false, true, false],
        [false, false, true],
        [true; 3],
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let lengths: BTreeSet<usize> = looks
        .iter()
        .flat_map(|look| look.lengths().0..=look.lengths().1)
        .collect();
    assert!(
        [4, 5, 6, 7, 8, 10, 16]
            .iter()
            .all(|length| lengths.contains(length))
    );
    let sizes: BTreeSet<[u32; 2]> = looks
        .into_iter()
        .map(|look| generator(look).sample(0))
        .map(|sample| [sample.width, sample.height])
        .collect();
    for size in [[72, 24], [250, 50], [200, 50], [160, 60], [320, 40]] {
        assert!(sizes.contains(&size), "{size:?}");
    }
}

#[test]
fn look_sample_depends_only_on_index_seed_split_and_look() {
    let look = |name| Look::named(name).expect("a look");
    let base = generator(look("php-gregwar"));
    let sample = base.sample(3);
    base.sample(4);
    assert_eq!(sample, base.clone().sample(3));
    let of = |split, seed| {
        Generator::of_look(look("php-gregwar"), FontSet::Train, split, seed).sample(3)
    };
    for other in [
        of(Split::Train, 5),
        of(Split::Test, 6),
        generator(look("java-easy")).sample(3),
    ] {
        assert_ne!(sample.text, other.text);
    }
}

#[test]
fn random_look_depends_on_seed_and_split() {
    let mut looks = Vec::new();
    for split in [Split::Train, Split::Validation, Split::Test, Split::Export] {
        for seed in 0..50 {
            for draw in [Look::random, Look::random_hard] {
                let look = draw(split, seed);
                assert_eq!(look, draw(split, seed));
                assert!(!looks.contains(&look), "{split:?} {seed}");
                looks.push(look);
            }
        }
    }
}

#[test]
fn random_looks_series_changes_the_look_after_each_block() {
    let blocks = Generator::of_random_looks(4, FontSet::Train, Split::Train, 5);
    for index in 0..12 {
        assert_eq!(
            blocks.look(index) == blocks.look(index + 1),
            index % 4 != 3,
            "{index}"
        );
    }
    assert_eq!(*blocks.look(0), Look::random(Split::Train, 5));
    let texts: BTreeSet<_> = (0..4).map(|index| blocks.sample(index).text).collect();
    assert_eq!(texts.len(), 4);
}

#[test]
fn look_written_as_a_file_reads_back() {
    let random = (0..40).map(|seed| Look::random(Split::Test, seed));
    let hard = (0..100).map(|seed| Look::random_hard(Split::Test, seed));
    for look in drawn_looks().into_iter().chain(random).chain(hard) {
        let file = look.to_toml();
        assert_eq!(Look::from_toml(look.name(), &file), Ok(look), "{file}");
    }
}

#[test]
fn texts_of_another_alphabet_are_drawn_in_any_look() {
    for (alphabet, lengths) in [("0-9A-F", 6..=6), ("A-Z", 1..=3), ("0-9A-Za-z", 9..=16)] {
        let texts = TextSource::characters(alphabet, lengths.clone()).expect("possible");
        for name in Look::names() {
            let look = Look::named(name).expect("a look");
            let generator = generator(look).with_texts(texts.clone());
            for index in 0..4 {
                let sample = generator.sample(index);
                assert!(lengths.contains(&sample.text.len()), "{name}");
                let known = sample
                    .text
                    .chars()
                    .all(|one| texts.alphabet().contains(one));
                assert!(
                    known && sample.characters.len() == sample.text.len(),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn texts_out_of_range_are_errors() {
    for alphabet in ["", "0-9 ", "ä-z", "9-0"] {
        let error = TextSource::characters(alphabet, 1..=4).expect_err("no alphabet");
        assert_eq!(error, SynthError::BadAlphabet(alphabet.into()));
    }
    for (shortest, longest) in [(0, 4), (5, 4), (1, LONGEST_TEXT + 1)] {
        let error = TextSource::characters("a-z", shortest..=longest).expect_err("no length");
        assert_eq!(error, SynthError::BadLengths { shortest, longest });
    }
}

#[test]
fn overrides_of_a_look_change_only_what_they_name() {
    for look in drawn_looks() {
        let name = look.name().to_owned();
        let generator = generator(look);
        let plain = generator.sample(1);
        let with = |overrides: SampleOverrides| {
            generator
                .sample_with(1, &overrides)
                .unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        assert_eq!(with(SampleOverrides::default()), plain, "{name}");
        for strokes in [0, 1, 7, SampleOverrides::MAX_STROKES] {
            let drawn = with(SampleOverrides {
                strokes: Some(strokes),
                ..Default::default()
            });
            assert_eq!(drawn.strokes as usize, strokes, "{name}");
            assert_eq!(drawn.characters, plain.characters, "{name}");
        }
        let bare = with(SampleOverrides {
            noise: Some(0.0),
            ..Default::default()
        });
        let noisy = with(SampleOverrides {
            noise: Some(0.2),
            ..Default::default()
        });
        assert_eq!(bare.characters, noisy.characters, "{name}");
        assert_ne!(bare.rgb, noisy.rgb, "{name}");
        let font = with(SampleOverrides {
            font: Some("sans-01".into()),
            ..Default::default()
        });
        assert_eq!((font.font, &font.text), ("sans-01", &plain.text), "{name}");
        let reversed: String = plain.text.chars().rev().collect();
        let text = with(SampleOverrides {
            text: Some(reversed.clone()),
            ..Default::default()
        });
        assert_eq!((text.text, text.font), (reversed, plain.font), "{name}");
    }
}

#[test]
fn overrides_that_a_look_cannot_draw_are_errors() {
    let generator = generator(Look::named("digits-plain").expect("a look"));
    let with = |overrides: SampleOverrides| generator.sample_with(0, &overrides);
    for text in ["", "12a", "0123456789012345678"] {
        let error = with(SampleOverrides {
            text: Some(text.into()),
            ..Default::default()
        })
        .expect_err("no text")
        .to_string();
        assert!(
            error.contains("1 to 16 of the characters 0123456789"),
            "{error}"
        );
    }
    let error = with(SampleOverrides {
        font: Some("brush-01".into()),
        ..Default::default()
    });
    let font = "brush-01".into();
    assert_eq!(error, Err(SynthError::IncompleteFont { font }));
}

/// A look file with one line more or other than a usable one.
fn file(line: &str) -> String {
    format!("title = \"t\"\n[text]\nalphabet = \"0-9\"\nlength = 4\n{line}\n")
}

#[test]
fn bad_look_file_is_an_error_that_names_the_field() {
    assert!(Look::from_toml("mine", &file("")).is_ok());
    for (line, complaint) in [
        ("colour = 1", "unknown field `colour`"),
        ("[layuot]\nsize = 1", "unknown field `layuot`"),
        (
            "[layout]\nsize = [0.6, 0.4]",
            "layout.size: the lowest value comes first",
        ),
        (
            "[layout]\nsize = 3",
            "layout.size: 3 is not within 0.05 and 1",
        ),
        ("[layout]\nsize = \"big\"", "a number or [lowest, highest]"),
        (
            "[layout]\nsize = [1, 2, 3]",
            "a number or [lowest, highest]",
        ),
        ("[layout]\nsize = nan", "layout.size"),
        ("[layout]\nplace = \"top\"", "unknown variant `top`"),
        ("[image]\nwidth = 4000", "image.width: 4000 is not within"),
        (
            "[ink]\npalette = { colors = [\"red\"] }",
            "write \"#rrggbb\"",
        ),
        (
            "[[clutter]]\nkind = \"dot\"\ncount = [-1, 3]",
            "clutter 1: count",
        ),
        (
            "[[clutter]]\nkind = \"specks\"\ncount = 5",
            "clutter 1: count: 5 is not within",
        ),
        ("words = true", "text.words"),
        ("[finish]\njpeg = 2", "finish.jpeg: 2 is not within 0 and 1"),
    ] {
        let error = Look::from_toml("mine", &file(line))
            .expect_err(line)
            .to_string();
        assert!(
            error.contains("\"mine\"") && error.contains(complaint),
            "{line}: {error}"
        );
    }
    let pen = file("[layout]\nsize = 0.6").replace("title", "pen = \"waves\"\ntitle");
    let error = Look::from_toml("mine", &pen)
        .expect_err("other section")
        .to_string();
    assert!(error.contains("leave out all sections but text"), "{error}");
    for alphabet in ["", "0-", "é"] {
        let file = file("").replace("0-9", alphabet);
        let error = Look::from_toml("mine", &file)
            .expect_err(alphabet)
            .to_string();
        assert!(error.contains("is not an alphabet"), "{error}");
    }
}

#[test]
fn unknown_look_names_the_known_ones() {
    let error = Look::named("clouds").expect_err("no such look").to_string();
    assert!(
        error.starts_with("unknown look \"clouds\"; the looks are words, waves, "),
        "{error}"
    );
}
