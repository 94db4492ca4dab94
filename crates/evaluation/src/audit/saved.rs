//! The saved form of an audit.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::data::AuditData;
use super::summary::AuditSummary;

/// An audit with its summary as JSON, in the page's format. [`AuditData::read`] reads it.
///
/// # Errors
///
/// If it cannot be written as JSON.
pub fn to_json(data: &AuditData) -> Result<String> {
    let about: Map<String, Value> = data
        .about
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    let mut content = json!({
        "name": data.name,
        "about": about,
        "network": data.network,
        "ignoreCase": data.ignore_case,
        "summary": AuditSummary::of(data),
        "items": data.items,
    });
    if let Some(curve) = &data.learning_curve {
        content["learningCurve"] = serde_json::to_value(curve)?;
    }
    if let Some(shard) = data.shard {
        content["shard"] = serde_json::to_value(shard)?;
    }
    Ok(serde_json::to_string_pretty(&content)?)
}
