//! A score as text.

use std::fmt;

use super::tally::share;
use super::{RepeatedAnswer, Score};
use crate::wording::plural;

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "images                  {}", self.images)?;
        if self.unreadable > 0 {
            writeln!(f, "left out                {}", self.unreadable)?;
        }
        if self.unsupported > 0 {
            let all = self.images + self.unsupported;
            writeln!(
                f,
                "unsupported             {} of {all} labels",
                self.unsupported
            )?;
        }
        let (Some(accuracy), Some((low, high))) = (self.accuracy, self.interval) else {
            return write!(
                f,
                "There is no result: this network writes {}, and no label is such a text. Use \
                 weights that were trained on images of this kind.",
                self.writes
            );
        };
        writeln!(
            f,
            "exact matches           {} ({:.3}%; 95% interval {:.2}% to {:.2}%){}",
            self.exact_matches,
            100.0 * accuracy,
            100.0 * low,
            100.0 * high,
            if self.ignore_case {
                ", case ignored"
            } else {
                ""
            }
        )?;
        if self.matches_with_case != self.matches_ignoring_case {
            let other = match self.ignore_case {
                true => ("with case", self.matches_with_case),
                false => ("case ignored", self.matches_ignoring_case),
            };
            let share = 100.0 * share(other.1, self.images);
            writeln!(f, "{:<24}{} ({share:.3}%)", other.0, other.1)?;
        }
        if let Some(share) = self.character_accuracy {
            writeln!(f, "character accuracy      {:.3}%", 100.0 * share)?;
        }
        if let Some(share) = self.attention_on_character {
            writeln!(f, "attention on character  {:.3}%", 100.0 * share)?;
        }
        if let Some(share) = self.attention_in_box {
            writeln!(f, "attention in box        {:.3}%", 100.0 * share)?;
        }
        if let Some(share) = self.attention_near_box {
            writeln!(f, "attention near box      {:.3}%", 100.0 * share)?;
        }
        if let Some(cells) = self.attention_spread {
            writeln!(f, "attention spread        {cells:.1} cells (median)")?;
        }
        if let Some(accuracy) = self.lexicon_accuracy {
            writeln!(f, "with the lexicon        {:.3}%", 100.0 * accuracy)?;
        }
        if let Some(error) = self.calibration_error {
            writeln!(f, "calibration error       {:.3}%", 100.0 * error)?;
        }
        for (characters, tally) in &self.by_length {
            let (share, images) = (100.0 * tally.accuracy(), tally.images);
            let noun = plural(*characters, "character", "characters");
            let length = format!("{characters} {noun}");
            writeln!(f, "{length:<24}{share:.3}% of {images}")?;
        }
        if self.by_place.len() > 1 {
            for tally in &self.by_place {
                let place = format!("at place {}", tally.place);
                let (share, characters) = (100.0 * tally.accuracy(), tally.characters);
                writeln!(f, "{place:<24}{share:.3}% of {characters} characters")?;
            }
        }
        write!(f, "images per second       {:.1}", self.images_per_second)?;
        if self.unsupported > 0 {
            write!(
                f,
                "\nnote: the network writes {}. The result says nothing about the {} images with \
                 other labels.",
                self.writes, self.unsupported
            )?;
        }
        if let Some(RepeatedAnswer { text, share, .. }) = &self.repeated_answer {
            write!(
                f,
                "\nwarning: {:.0}% of the answers are {text:?}, although the labels differ: the \
                 network hardly uses the images. Train it longer, or on more images.",
                100.0 * share
            )?;
        }
        Ok(())
    }
}
