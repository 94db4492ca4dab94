//! The table of embedded faces. Written by `fonts/fetch.py`; change it there.

use std::sync::OnceLock;

use super::{Face, FontSet::*, Kind::*};

macro_rules! face {
    ($name:literal, $family:literal, $kind:ident, $set:ident) => {
        Face {
            name: $name,
            family: $family,
            kind: $kind,
            set: $set,
            data: include_bytes!(concat!("../../fonts/", $name, ".ttf")),
            outlines: OnceLock::new(),
        }
    };
}

/// Every embedded face, ordered by kind, trained before held out.
pub(super) static FACES: [Face; 57] = [
    face!("brush-01", "Yesteryear", Brush, Trained),
    face!("brush-02", "Norican", Brush, Trained),
    face!("brush-03", "Damion", Brush, Trained),
    face!("brush-04", "Yellowtail", Brush, Trained),
    face!("brush-05", "Satisfy", Brush, Trained),
    face!("brush-06", "Kaushan Script", Brush, Trained),
    face!("brush-07", "Mr Dafoe", Brush, Trained),
    face!("brush-08", "Pacifico", Brush, Trained),
    face!("brush-09", "Courgette", Brush, Trained),
    face!("brush-10", "Dancing Script", Brush, Trained),
    face!("brush-11", "Grand Hotel", Brush, Trained),
    face!("brush-12", "Cookie", Brush, Trained),
    face!("brush-13", "Merienda", Brush, Trained),
    face!("brush-14", "Playball", Brush, HeldOut),
    face!("brush-15", "Marck Script", Brush, HeldOut),
    face!("marker-01", "Caveat Brush", Marker, Trained),
    face!("marker-02", "Covered By Your Grace", Marker, Trained),
    face!("marker-03", "Patrick Hand", Marker, Trained),
    face!("marker-04", "Gochi Hand", Marker, Trained),
    face!("marker-05", "Just Another Hand", Marker, Trained),
    face!("marker-06", "Mansalva", Marker, Trained),
    face!("marker-07", "Kalam", Marker, Trained),
    face!("marker-08", "Kalam", Marker, Trained),
    face!("marker-09", "Sriracha", Marker, Trained),
    face!("marker-10", "Neucha", Marker, Trained),
    face!("marker-11", "Shantell Sans", Marker, Trained),
    face!("marker-12", "Gloria Hallelujah", Marker, Trained),
    face!("marker-13", "Schoolbell", Marker, HeldOut),
    face!("pen-01", "Indie Flower", Pen, Trained),
    face!("pen-02", "Coming Soon", Pen, Trained),
    face!("pen-03", "Handlee", Pen, Trained),
    face!("pen-04", "Architects Daughter", Pen, Trained),
    face!("pen-05", "Delius", Pen, Trained),
    face!("pen-06", "Nanum Pen Script", Pen, Trained),
    face!("pen-07", "Reenie Beanie", Pen, Trained),
    face!("pen-08", "Nothing You Could Do", Pen, Trained),
    face!("pen-09", "Cedarville Cursive", Pen, Trained),
    face!("pen-10", "Homemade Apple", Pen, Trained),
    face!("pen-11", "Sue Ellen Francisco", Pen, Trained),
    face!("pen-12", "Caveat", Pen, Trained),
    face!("pen-13", "Shadows Into Light", Pen, HeldOut),
    face!("pen-14", "Bad Script", Pen, HeldOut),
    face!("sans-01", "Open Sans", Sans, Trained),
    face!("sans-02", "Open Sans", Sans, Trained),
    face!("sans-03", "Roboto", Sans, Trained),
    face!("sans-04", "Lato", Sans, Trained),
    face!("sans-05", "Lato", Sans, Trained),
    face!("sans-06", "PT Sans", Sans, Trained),
    face!("sans-07", "Inter", Sans, Trained),
    face!("sans-08", "Inter", Sans, Trained),
    face!("sans-09", "Source Sans 3", Sans, HeldOut),
    face!("sans-10", "Fira Sans", Sans, HeldOut),
    face!("serif-01", "Lora", Serif, Trained),
    face!("serif-02", "Merriweather", Serif, Trained),
    face!("serif-03", "PT Serif", Serif, Trained),
    face!("mono-01", "Courier Prime", Mono, Trained),
    face!("mono-02", "IBM Plex Mono", Mono, Trained),
];
