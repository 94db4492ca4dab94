//! The data of an audit, as the page and `captcha-lens audit --json` save it.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::{AuditNetwork, LabelRules};
use super::shard::Shard;
use crate::files::read_text;
use crate::learning_curve::LearningCurve;

/// An image file with its label and its reading; `AuditItem` in the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Path in the folder.
    pub path: String,
    #[serde(default)]
    /// Label, if known.
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Recognized text; `None` after an error.
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Confidence of the text.
    pub confidence: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Why the file could not be read.
    pub error: Option<String>,
}

/// A whole audit; `AuditData` in the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize)]
pub struct AuditData {
    /// Name of the folder.
    pub name: String,
    /// How the audit was made, as names and values.
    pub about: Vec<(String, String)>,
    /// The texts that the network can write.
    pub network: AuditNetwork,
    /// Whether texts that differ from their labels only in case count as equal.
    #[serde(rename = "ignoreCase")]
    pub ignore_case: bool,
    /// One entry for each file.
    pub items: Vec<AuditEntry>,
    /// How many labelled images training takes on such images, if it was measured.
    #[serde(rename = "learningCurve", skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<LearningCurve>,
    /// Which part of the folder was read, if not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// An audit in a file.
#[derive(Deserialize)]
struct Saved {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    about: Map<String, Value>,
    network: AuditNetwork,
    #[serde(default, rename = "ignoreCase")]
    ignore_case: bool,
    items: Vec<AuditEntry>,
    #[serde(default, rename = "learningCurve")]
    learning_curve: Option<LearningCurve>,
    #[serde(default)]
    shard: Option<Shard>,
}

impl AuditData {
    /// How labels are compared.
    pub(super) fn rules(&self) -> LabelRules<'_> {
        LabelRules {
            network: &self.network,
            ignore_case: self.ignore_case,
        }
    }

    /// Reads an audit that the page or `--json` saved.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a saved audit.
    pub fn read(path: &Path) -> Result<Self> {
        let saved: Saved = serde_json::from_str(&read_text(path)?).with_context(|| {
            format!(
                "{} is not a saved audit: name a folder of images, or a JSON file that captcha-lens \
                 audit --json or the audit page wrote",
                path.display()
            )
        })?;
        let value = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let about = saved.about.into_iter();
        Ok(Self {
            name: saved.name.unwrap_or_else(|| {
                path.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into()
            }),
            about: about.map(|(name, fact)| (name, value(fact))).collect(),
            network: saved.network,
            ignore_case: saved.ignore_case,
            items: saved.items,
            learning_curve: saved.learning_curve,
            shard: saved.shard,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn read_of_an_audit_with_earlier_field_names_gives_its_network() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("audit.json");
        let saved = r#"{"network": {"alphabet": "abc", "maxLetters": 4}, "items": []}"#;
        std::fs::write(&path, saved).unwrap();
        let audit = AuditData::read(&path).unwrap();
        assert_eq!(audit.network.describe(), "a to c, 1 to 4 characters");
    }
}
