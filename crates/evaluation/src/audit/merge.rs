//! The audit of a folder from the saved audits of its parts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use captcha_model::ModelConfig;

use super::data::{AuditData, AuditEntry};
use super::entries::{self, Pictures};
use super::files::AuditFile;
use super::network::AuditNetwork;
use super::shard::Shard;
use crate::wording::plural;

/// The names of an audit's facts.
pub(super) const FACTS: [&str; 4] = ["Program", "Weights", "Device", "Date"];
/// Those that may differ between its parts; the merged audit names all values.
const OWN_FACTS: [&str; 2] = ["Device", "Date"];

/// The audit of all images from the saved audits of its parts, and the pictures of its report.
///
/// `files` are the images of the folder, listed for the network of `config` as each part has listed
/// them.
///
/// # Errors
///
/// If a part is missing or named twice, or the parts belong to different audits or to an audit with
/// other options.
pub fn merge(
    folder: &Path,
    files: &[AuditFile],
    saved: &[PathBuf],
    config: &ModelConfig,
    ignore_case: bool,
) -> Result<(AuditData, Pictures)> {
    let mut parts = Vec::with_capacity(saved.len());
    for path in saved {
        let data = AuditData::read(path)?;
        let shard = data.shard.with_context(|| {
            format!(
                "{} is the audit of a whole folder: name files that audit --shard wrote with --json",
                path.display()
            )
        })?;
        parts.push((path, shard, data));
    }
    parts.sort_by_key(|(_, shard, _)| shard.index);
    check_numbers(&parts)?;
    let Some((first_path, _, first)) = parts.first() else {
        bail!("name the files of all parts");
    };
    for (path, _, data) in &parts[1..] {
        ensure!(
            is_same_audit(first, data),
            "{} and {} are parts of different audits: their weights, programs, folders or \
             --ignore-case differ",
            first_path.display(),
            path.display()
        );
    }
    ensure!(
        first.network == AuditNetwork::from(config) && first.ignore_case == ignore_case,
        "{} was made with other options: give --merge the same --weights and --ignore-case",
        first_path.display()
    );
    let mut items: Vec<Option<AuditEntry>> = vec![None; files.len()];
    for (path, shard, data) in &parts {
        let places = (shard.index - 1..files.len()).step_by(shard.of);
        let matches = places.len() == data.items.len()
            && places.clone().zip(&data.items).all(|(place, item)| {
                let (path, label) = &files[place];
                item.path == entries::path_in(folder, path) && item.label == *label
            });
        ensure!(
            matches,
            "{} does not have the images and labels that {} has now: audit this part again",
            path.display(),
            folder.display()
        );
        for (place, item) in places.zip(&data.items) {
            items[place] = Some(item.clone());
        }
    }
    let merged = AuditData {
        about: merged_facts(&parts),
        items: items.into_iter().flatten().collect(),
        shard: None,
        ..first.clone()
    };
    let pictures = entries::pictures(files, &merged.items, merged.rules());
    Ok((merged, pictures))
}

type Part<'a> = (&'a PathBuf, Shard, AuditData);

/// Checks that each part is there once.
fn check_numbers(parts: &[Part<'_>]) -> Result<()> {
    let Some((_, Shard { of, .. }, _)) = parts.first() else {
        return Ok(());
    };
    for pair in parts.windows(2) {
        let [(a, first, _), (b, second, _)] = pair else {
            continue;
        };
        ensure!(
            second.of == *of,
            "{} is one of {of} parts and {} one of {}: name the parts of one audit",
            a.display(),
            b.display(),
            second.of
        );
        ensure!(
            first.index != second.index,
            "{} and {} are both part {}/{of}: name each part once",
            a.display(),
            b.display(),
            first.index
        );
    }
    let is_there = |index: &usize| parts.iter().any(|(_, shard, _)| shard.index == *index);
    let missing: Vec<String> = (1..=*of)
        .filter(|index| !is_there(index))
        .map(|index| format!("{index}/{of}"))
        .collect();
    ensure!(
        missing.is_empty(),
        "{} {} missing: audit {} with --shard first",
        plural(missing.len(), "part", "parts"),
        match missing.as_slice() {
            [one] => format!("{one} is"),
            [first, .., last] => format!("{first} to {last} ({} of them) are", missing.len()),
            [] => String::new(),
        },
        plural(missing.len(), "it", "them")
    );
    Ok(())
}

fn is_same_audit(a: &AuditData, b: &AuditData) -> bool {
    let common = |data: &AuditData| {
        let facts = data.about.iter();
        let common = facts.filter(|(name, _)| !OWN_FACTS.contains(&name.as_str()));
        common.cloned().collect::<Vec<_>>()
    };
    a.name == b.name
        && a.network == b.network
        && a.ignore_case == b.ignore_case
        && common(a) == common(b)
}

/// The facts of the parts, each with all its values. Saved audits do not keep their order.
fn merged_facts(parts: &[Part<'_>]) -> Vec<(String, String)> {
    let fact = |name: &str| {
        let mut values: Vec<&str> = Vec::new();
        for (_, _, data) in parts {
            for (other, value) in &data.about {
                if *other == name && !values.contains(&value.as_str()) {
                    values.push(value);
                }
            }
        }
        (name.to_owned(), values.join(", "))
    };
    FACTS.map(fact).into()
}
