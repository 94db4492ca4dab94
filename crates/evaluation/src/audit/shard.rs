//! Parts of an audit of very many images, which any batch system can run.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::files::AuditFile;

/// One of several parts of an audit: every `of`-th image, so that a part has images of the whole
/// folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Number of the part, from 1.
    pub index: usize,
    /// Number of parts.
    pub of: usize,
}

impl Shard {
    /// The files of this part.
    pub fn select(self, files: &[AuditFile]) -> Vec<AuditFile> {
        let files = files.iter().skip(self.index - 1);
        files.step_by(self.of).cloned().collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("a part is its number and the number of parts, such as 3/16".into()),
        }
    }
}
