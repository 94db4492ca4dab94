//! `captcha-lens audit`: reads a folder and writes the report that the page shows, as one file.

mod data;
mod labels;
mod page;
mod reading;
mod summary;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use captcha_model::{Recognizer, Vocabulary};
use chrono::Utc;

use self::data::Data;
use self::labels::Network;
use self::reading::Unread;
use self::summary::Summary;
use crate::cli::AuditArgs;
use crate::data::folder::{Labelled, image_files, labels_are_likely, listed_files, passed_over};
use crate::files::write_file;

/// Reads the images and writes the report; `false` if none of them could be read.
pub fn run(args: &AuditArgs, recognizer: &Recognizer) -> Result<bool> {
    let network = Network::from(recognizer.config());
    // Now rather than when all has been read.
    let files = unread(args, &args.folder, &network)?;
    let second = match &args.compare {
        Some(path) if path.is_dir() => Some((path, unread(args, path, &network)?)),
        _ => None,
    };
    let saved = match &args.compare {
        Some(path) if second.is_none() => Some(Data::read(path)?),
        _ => None,
    };
    let inputs = files
        .iter()
        .chain(second.iter().flat_map(|(_, files)| files));
    let mut inputs: Vec<&Path> = inputs.map(|(path, _)| path.as_path()).collect();
    inputs.extend(args.compare.as_deref());
    ensure!(
        args.report.is_none() || args.report != args.json,
        "--report and --json name the same file: give each its own"
    );
    for output in [&args.report, &args.json].into_iter().flatten() {
        check_output(output, &inputs, args.force)?;
    }

    let (data, mut pictures) = audit(args, recognizer, &args.folder, &files)?;
    let compared = match second {
        Some((folder, files)) => Some(audit(args, recognizer, folder, &files)?.0),
        None => saved,
    };
    if let Some(path) = &args.report {
        let html = page::html(&data, compared.as_ref(), &pictures)?;
        write(path, &html)?;
    }
    pictures.clear();
    if let Some(path) = &args.json {
        write(path, &data.to_json()?)?;
    }
    let summary = Summary::of(&data);
    for sentence in summary.sentences() {
        writeln!(stdout(), "{sentence}")?;
    }
    let (images, failed) = summary.counts();
    if failed > 0 {
        eprintln!("{failed} of {images} files could not be read; the report names them");
    }
    if let Some(compared) = &compared {
        writeln!(stdout(), "Compared with {}:", compared.name())?;
        for sentence in Summary::of(compared).sentences() {
            writeln!(stdout(), "{sentence}")?;
        }
    }
    for path in [&args.report, &args.json].into_iter().flatten() {
        writeln!(stdout(), "{}", path.display())?;
    }
    Ok(failed < images)
}

fn audit(
    args: &AuditArgs,
    recognizer: &Recognizer,
    folder: &Path,
    files: &[Unread],
) -> Result<(Data, HashMap<String, String>)> {
    let (items, pictures) = reading::read(recognizer, folder, files)?;
    let whole = folder.canonicalize();
    let name = whole.as_deref().ok().and_then(Path::file_name);
    let weights = args.network.weights.as_deref().and_then(Path::file_name);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let data = Data {
        name: name.map_or("images".into(), |name| name.to_string_lossy().into_owned()),
        about: vec![
            fact(
                "Program",
                format!("captcha-lens {}", env!("CARGO_PKG_VERSION")),
            ),
            fact(
                "Weights",
                weights.map_or("built-in".into(), |name| {
                    name.to_string_lossy().into_owned()
                }),
            ),
            fact("Device", args.network.device.to_string()),
            fact("Date", Utc::now().date_naive().to_string()),
        ],
        network: Network::from(recognizer.config()),
        items,
    };
    Ok((data, pictures))
}

/// All images of a folder, as the page takes them: those without a label, too.
fn unread(args: &AuditArgs, folder: &Path, network: &Network) -> Result<Vec<Unread>> {
    if folder
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"))
        && folder.is_file()
    {
        bail!(
            "{} is an archive: unpack it and name the folder, or give it to the audit page, which \
             reads archives",
            folder.display()
        );
    }
    let mut files = Vec::new();
    if !args.unlabelled {
        // As they are given: the report compares them in the network's case, and says so.
        let unfolded = Vocabulary::new("\0")?;
        let labelled = listed_files(folder, &unfolded)?.files;
        let likely = args.labelled || labels_are_likely(folder, &labelled, &network.vocabulary()?);
        if !likely {
            writeln!(
                stdout(),
                "the file names of {} do not look like labels, so the report holds readings only; \
                 --labelled takes them as labels all the same",
                folder.display()
            )?;
        }
        let label = |file: Labelled| (file.path, Some(file.text).filter(|_| likely));
        files.extend(labelled.into_iter().map(label));
    }
    let labelled = files.len();
    let known: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    let images = image_files(folder)?;
    let others = images.into_iter().filter(|path| !known.contains(path));
    files.extend(others.map(|path| (path, None)));
    ensure!(!files.is_empty(), "{} holds no image", folder.display());
    let (folders, others) = passed_over(folder)?;
    for (count, what) in [
        (folders, "folder(s) inside (audit them one by one)"),
        (
            others,
            "SVG, AVIF, HEIC, TIFF or zip file(s) (the audit page reads them)",
        ),
    ] {
        if count > 0 {
            eprintln!("note: {count} {what} of {} not read", folder.display());
        }
    }
    let unlabelled = files.len() - labelled;
    if unlabelled > 0 && !args.unlabelled {
        writeln!(
            stdout(),
            "{unlabelled} of {} images have no label, so they are read only",
            files.len()
        )?;
    }
    Ok(files)
}

/// Refuses a place where nothing can be written, or something is that is not ours to write over.
fn check_output(path: &Path, inputs: &[&Path], force: bool) -> Result<()> {
    let place = path.parent().filter(|place| *place != Path::new(""));
    ensure!(
        place.is_none_or(Path::is_dir) && !path.is_dir(),
        "the report cannot be written to {}: name a file in a folder that is there",
        path.display()
    );
    let Ok(own) = path.canonicalize() else {
        return Ok(());
    };
    let is_own = |input: &&Path| input.canonicalize().is_ok_and(|input| input == own);
    ensure!(
        !inputs.iter().any(is_own),
        "the report would overwrite {}, which this audit reads: name another file",
        path.display()
    );
    ensure!(
        force || is_report(path),
        "{} exists and is not a report of captcha-lens audit: name another file, or replace it with \
         --force",
        path.display()
    );
    Ok(())
}

/// Whether a file was written by an audit.
fn is_report(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else {
        return false;
    };
    let start: String = text.chars().take(200).collect();
    start.contains(page::MARK) || Data::read(path).is_ok()
}

fn write(path: &Path, text: &str) -> Result<()> {
    write_file(path, text.as_bytes())
}
