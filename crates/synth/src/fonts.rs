//! The embedded faces and how one is chosen.

mod faces;
mod outline;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::error::SynthError;
use crate::random::Random;
use faces::FACES;
pub(crate) use outline::Outlines;

/// Which faces an image may be set in. No family is in two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FontSet {
    /// The faces to train on.
    Trained,
    /// The faces to test on: how well does a model read type it has not seen?
    HeldOut,
    /// More faces to train on, which no test is set in: known type says little of how a model reads
    /// other type, but the more it knows, the better it does.
    #[cfg(feature = "more-faces")]
    More,
}

impl FromStr for FontSet {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, SynthError> {
        match name {
            "trained" => Ok(Self::Trained),
            "held-out" => Ok(Self::HeldOut),
            #[cfg(feature = "more-faces")]
            "more" => Ok(Self::More),
            _ => Err(SynthError::UnknownFontSet(name.to_owned())),
        }
    }
}

impl fmt::Display for FontSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trained => "trained",
            Self::HeldOut => "held-out",
            #[cfg(feature = "more-faces")]
            Self::More => "more",
        })
    }
}

/// What a face looks like, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Joined-up layout, as with a brush.
    Brush,
    /// A hand with a felt pen.
    Marker,
    /// A hand with a thin pen.
    Pen,
    /// Print without serifs.
    Sans,
    /// Print with serifs.
    Serif,
    /// Typewriter.
    Mono,
}

/// How often each kind is drawn, of 100. The first four are what the paper's set holds, in
/// about equal parts.
const KINDS: [(Kind, usize); 6] = [
    (Kind::Brush, 27),
    (Kind::Marker, 24),
    (Kind::Pen, 21),
    (Kind::Sans, 20),
    (Kind::Serif, 5),
    (Kind::Mono, 3),
];

/// One embedded face.
#[derive(Debug)]
pub struct Face {
    name: &'static str,
    family: &'static str,
    kind: Kind,
    set: FontSet,
    /// A TrueType file.
    data: &'static [u8],
    outlines: OnceLock<Outlines>,
}

impl Face {
    /// The name [`crate::Sample::font`] gives, that of the file without its ending.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The family its outlines come from.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// What it may be used for.
    pub fn set(&self) -> FontSet {
        self.set
    }

    /// What it looks like.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its characters, read from the file when first asked for.
    pub(crate) fn outlines(&self) -> &Outlines {
        self.outlines.get_or_init(|| Outlines::parse(self.data))
    }
}

/// The faces of a set.
pub fn faces(set: FontSet) -> impl Iterator<Item = &'static Face> + Clone {
    all().filter(move |face| face.set == set)
}

/// The face of that name, of any set.
pub(crate) fn face(name: &str) -> Option<&'static Face> {
    all().find(|face| face.name == name)
}

fn all() -> impl Iterator<Item = &'static Face> + Clone {
    let faces = FACES.iter();
    #[cfg(feature = "more-faces")]
    let faces = faces.chain(&faces::MORE);
    faces
}

/// A face of a set: first a kind by its weight, then any of that kind.
pub(crate) fn draw_face(set: FontSet, random: &mut Random) -> &'static Face {
    let of_kind = |kind| faces(set).filter(move |face| face.kind == kind);
    let present = KINDS
        .iter()
        .filter(|&&(kind, _)| of_kind(kind).next().is_some());
    let mut ticket = random.below(present.clone().map(|&(_, weight)| weight).sum());
    for &(kind, weight) in present {
        if ticket < weight {
            let number = random.below(of_kind(kind).count());
            return of_kind(kind)
                .nth(number)
                .expect("number is below the count");
        }
        ticket -= weight;
    }
    unreachable!("a ticket is below the sum of the weights")
}

/// All the sets there are.
#[cfg(test)]
pub(crate) fn sets() -> Vec<FontSet> {
    vec![
        FontSet::Trained,
        FontSet::HeldOut,
        #[cfg(feature = "more-faces")]
        FontSet::More,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_enough_faces_of_each_kind() {
        assert!(faces(FontSet::Trained).count() >= 36);
        assert!(faces(FontSet::HeldOut).count() >= 6);
        for set in [FontSet::Trained, FontSet::HeldOut] {
            for kind in [Kind::Brush, Kind::Marker, Kind::Pen, Kind::Sans] {
                assert!(
                    faces(set).any(|face| face.kind() == kind),
                    "no {kind:?} is {set}"
                );
            }
        }
        let bytes: usize = FACES.iter().map(|face| face.data.len()).sum();
        assert!(bytes < 600_000, "{bytes} bytes of fonts");
    }

    #[test]
    fn no_name_repeats_and_no_family_is_in_two_sets() {
        let names: BTreeSet<_> = all().map(Face::name).collect();
        assert_eq!(names.len(), all().count());
        let families = |set| faces(set).map(Face::family).collect::<BTreeSet<_>>();
        assert!(families(FontSet::Trained).is_disjoint(&families(FontSet::HeldOut)));
        #[cfg(feature = "more-faces")]
        for set in [FontSet::Trained, FontSet::HeldOut] {
            assert!(families(FontSet::More).is_disjoint(&families(set)), "{set}");
        }
    }

    #[test]
    fn every_face_of_a_set_gets_drawn_and_no_other() {
        for set in [FontSet::Trained, FontSet::HeldOut] {
            let mut random = Random::keyed(0, 0, 0, 0);
            let drawn: BTreeSet<_> = (0..5_000)
                .map(|_| draw_face(set, &mut random).name())
                .collect();
            assert_eq!(drawn, faces(set).map(Face::name).collect());
        }
    }

    #[test]
    fn set_names_round_trip() {
        for set in sets() {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        assert_eq!(
            "x".parse::<FontSet>(),
            Err(SynthError::UnknownFontSet("x".into()))
        );
    }
}
