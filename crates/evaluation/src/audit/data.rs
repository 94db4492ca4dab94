//! An audit as it is saved: by `captcha-lens audit --json`, and by the page.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::labels::Network;
use super::summary::Summary;
use crate::data::folder::read_text;

/// `AuditItem` of the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) path: String,
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// `AuditData` of the page's `types.d.ts`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Data {
    pub(super) name: String,
    pub(super) about: Vec<(String, String)>,
    pub(super) network: Network,
    pub(super) items: Vec<Item>,
}

/// As it is in a file.
#[derive(Deserialize)]
struct Saved {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    about: Map<String, Value>,
    network: Network,
    items: Vec<Item>,
}

impl Data {
    /// Reads what the page, or `--json`, saved.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let saved: Saved = serde_json::from_str(&read_text(path)?).with_context(|| {
            format!(
                "{} is no saved audit: name a folder of images, or a JSON file that \
                 captcha-lens audit --json or the audit page wrote",
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
            items: saved.items,
        })
    }

    /// Of what was read.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the page saves, too.
    pub(super) fn to_json(&self) -> Result<String> {
        let about: Map<String, Value> = self
            .about
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        Ok(serde_json::to_string_pretty(&json!({
            "name": self.name,
            "about": about,
            "network": self.network,
            "summary": Summary::of(self),
            "items": self.items,
        }))?)
    }
}
