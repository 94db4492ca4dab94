//! `captcha-lens audit`

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use captcha_evaluation::audit::{
    AuditData, AuditFile, AuditFiles, AuditSummary, LabelMode, Pictures, Setup, Shard, audit,
    check_output, html, list_files, merge, to_json,
};
use captcha_evaluation::output::write_file;
use captcha_evaluation::wording::plural;
use captcha_model::{ModelConfig, Recognizer};
use clap::Args;

use crate::args::{NetworkArgs, print_notes};
use crate::learning_curve::{CurveSource, parse_curve_source};
use crate::progress::TerminalProgress;

/// Arguments of `audit`.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    network: NetworkArgs,
    /// The images, with labels from spec_train_val.txt, labels.csv, or file names (label.png,
    /// label_anything.png).
    folder: PathBuf,
    /// Use no labels: the report shows readings only.
    #[arg(long)]
    unlabelled: bool,
    /// Use file names as labels even if they do not look like labels.
    #[arg(long, conflicts_with = "unlabelled")]
    labelled: bool,
    /// Count a text as equal to its label if they differ only in case.
    #[arg(long)]
    ignore_case: bool,
    /// File of the report: one HTML file without external resources.
    #[arg(long, required_unless_present = "json")]
    report: Option<PathBuf>,
    /// Save the readings as JSON, for a comparison with another audit.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Compare with another folder of images, or with an audit saved by --json or by the page, for
    /// example with other weights.
    #[arg(long, value_name = "FOLDER|JSON")]
    compare: Option<PathBuf>,
    /// Also report how many labelled images an attacker needs: the JSON file that finetune
    /// --learning-curve wrote.
    #[arg(long, value_name = "JSON", value_parser = parse_curve_source)]
    learning_curve: Option<CurveSource>,
    /// Read one part of the images, such as 3/16, and save it with --json. --merge makes the report of
    /// all parts.
    #[arg(long, value_name = "K/N", requires = "json", conflicts_with_all = ["report", "compare", "learning_curve", "merge"])]
    shard: Option<Shard>,
    /// Make the audit of FOLDER from the files that --shard and --json wrote, one for each part, without
    /// reading all images again. Other options as for the parts.
    #[arg(long, value_name = "JSON", num_args = 1..)]
    merge: Vec<PathBuf>,
    /// Overwrite a file that is not a report.
    #[arg(long)]
    force: bool,
}

/// Gives `false` if no image could be read.
pub(crate) fn run(args: &AuditArgs) -> Result<bool> {
    let recognizer = args.network.recognizer()?;
    let config = recognizer.config();
    // Errors of arguments are found before all images are read.
    let files = list(args, &args.folder, config)?.files;
    let (second, saved) = match &args.compare {
        Some(path) if path.is_dir() => (Some((path, list(args, path, config)?.files)), None),
        Some(path) => (None, Some(AuditData::read(path)?)),
        None => (None, None),
    };
    let curve = args.learning_curve.as_ref();
    let curve = curve.map(CurveSource::read).transpose()?;
    let inputs = files
        .iter()
        .chain(second.iter().flat_map(|(_, files)| files));
    let mut inputs: Vec<&Path> = inputs.map(|(path, _)| path.as_path()).collect();
    inputs.extend(args.compare.as_deref());
    inputs.extend(args.merge.iter().map(PathBuf::as_path));
    if let Some(CurveSource::File(path)) = &args.learning_curve {
        inputs.push(path);
    }
    ensure!(
        args.report.is_none() || args.report != args.json,
        "--report and --json name the same file: name two different files"
    );
    for output in [&args.report, &args.json].into_iter().flatten() {
        check_output(output, &inputs, args.force)?;
    }

    let setup = setup(args);
    let progress = TerminalProgress::new();
    let (mut data, pictures) = read_or_merge(args, &recognizer, &files, &setup, &progress)?;
    data.learning_curve = curve;
    let compared = match second {
        Some((folder, files)) => Some(audit(&recognizer, folder, &files, &setup, &progress)?.0),
        // Both sides of a comparison count in the same way.
        None => saved.map(|saved| AuditData {
            ignore_case: args.ignore_case,
            ..saved
        }),
    };
    if let Some(path) = &args.report {
        let report = html(&data, compared.as_ref(), &pictures)?;
        write_file(path, report.as_bytes())?;
    }
    if let Some(path) = &args.json {
        write_file(path, to_json(&data)?.as_bytes())?;
    }
    print_summary(&data, compared.as_ref())?;
    for path in [&args.report, &args.json].into_iter().flatten() {
        writeln!(stdout(), "{}", path.display())?;
    }
    let (images, failed) = AuditSummary::of(&data).counts();
    Ok(failed < images)
}

/// The audit of the folder, of a part of it, or of all parts.
fn read_or_merge(
    args: &AuditArgs,
    recognizer: &Recognizer,
    files: &[AuditFile],
    setup: &Setup,
    progress: &TerminalProgress,
) -> Result<(AuditData, Pictures)> {
    if !args.merge.is_empty() {
        let config = recognizer.config();
        return merge(&args.folder, files, &args.merge, config, args.ignore_case);
    }
    let Some(shard) = args.shard else {
        return audit(recognizer, &args.folder, files, setup, progress);
    };
    let files = shard.select(files);
    ensure!(
        !files.is_empty(),
        "the folder has fewer images than parts: use fewer parts"
    );
    let (mut data, pictures) = audit(recognizer, &args.folder, &files, setup, progress)?;
    data.shard = Some(shard);
    Ok((data, pictures))
}

fn setup(args: &AuditArgs) -> Setup {
    let weights = args.network.weights.as_deref().and_then(Path::file_name);
    Setup {
        weights: weights.map(|name| name.to_string_lossy().into_owned()),
        device: args.network.device.device.to_string(),
        ignore_case: args.ignore_case,
    }
}

/// Lists a folder's images and prints the notes on them.
fn list(args: &AuditArgs, folder: &Path, config: &ModelConfig) -> Result<AuditFiles> {
    let mode = match (args.labelled, args.unlabelled) {
        (true, _) => LabelMode::Always,
        (_, true) => LabelMode::Never,
        _ => LabelMode::Detect,
    };
    let files = list_files(folder, mode, config)?;
    print_notes(files.skipped.iter().cloned());
    for note in &files.notes {
        writeln!(stdout(), "{note}")?;
    }
    Ok(files)
}

fn print_summary(data: &AuditData, compared: Option<&AuditData>) -> Result<()> {
    let summary = AuditSummary::of(data);
    for sentence in summary.sentences() {
        writeln!(stdout(), "{sentence}")?;
    }
    let (images, failed) = summary.counts();
    if failed > 0 {
        eprintln!(
            "{failed} of {images} {} could not be read; the report lists {}",
            plural(images, "file", "files"),
            plural(failed, "it", "them")
        );
    }
    if let Some(curve) = &data.learning_curve {
        writeln!(stdout(), "{curve}")?;
        for sentence in curve.sentences() {
            writeln!(stdout(), "{sentence}")?;
        }
    }
    if let Some(compared) = compared {
        writeln!(stdout(), "Compared with {}:", compared.name)?;
        for sentence in AuditSummary::of(compared).sentences() {
            writeln!(stdout(), "{sentence}")?;
        }
    }
    Ok(())
}
