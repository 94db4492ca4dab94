//! Output files: atomic writes, folders and free disk space.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use tempfile::NamedTempFile;

/// Replaces a file atomically through a temporary file in the same folder: a full disk or a crash
/// leaves either the old file or the new one.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> Result<()> {
        // A link is kept and its target replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            // A pipe or a device cannot be replaced.
            return Ok(fs::write(&path, bytes)?);
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut fresh = temporary(folder)?;
        fresh.write_all(bytes)?;
        if let Ok(old) = path.metadata() {
            fresh.as_file().set_permissions(old.permissions())?;
        }
        fresh.as_file().sync_all()?;
        fresh.persist(&path)?;
        // Makes the renaming survive a power failure, where the file system supports it.
        #[cfg(unix)]
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A temporary file with the permissions of any new file; by default, it would be private.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

/// Makes a folder, or accepts an empty one, so that nothing is overwritten.
///
/// # Errors
///
/// If the folder contains files or cannot be made.
pub fn new_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut files =
        fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        files.next().is_none(),
        "{} already contains files; name another folder",
        path.display()
    );
    Ok(())
}

/// Free bytes on the disk that `path` is or will be on; `None` if unknown.
pub fn free_space(path: &Path) -> Option<u64> {
    let path: PathBuf = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|path| path.is_dir())?;
    fs4::available_space(there).ok()
}

/// Checks that `needed` bytes are free on the disk that `path` is or will be on.
///
/// # Errors
///
/// If too few bytes are free.
pub fn check_space(path: &Path, needed: u64) -> Result<()> {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    if let Some(free) = free_space(path).filter(|&free| free < needed) {
        bail!(
            "up to {:.0} MB will be written, but {} has {:.0} MB of free space: delete files, or name \
             a folder on another disk",
            megabytes(needed).ceil(),
            path.display(),
            megabytes(free).floor()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn write_file_replaces_atomically() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("a");
        write_file(&path, b"old").expect("it is written");
        write_file(&path, b"new").expect("it is replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
        fs::create_dir(folder.path().join("b")).expect("a folder");
        assert!(write_file(&folder.path().join("b"), b"x").is_err());
        assert!(write_file(&folder.path().join("none/c"), b"x").is_err());
        let names = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(names, 2, "no temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn write_file_keeps_the_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().expect("a folder");
        let [new, usual] = ["new", "usual"].map(|name| folder.path().join(name));
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        fs::write(&usual, "").expect("it is written");
        write_file(&new, b"").expect("it is written");
        assert_eq!(mode(&new), mode(&usual));
        fs::set_permissions(&new, fs::Permissions::from_mode(0o640)).expect("it is mine");
        write_file(&new, b"more").expect("it is written");
        assert_eq!(mode(&new) & 0o777, 0o640);
    }

    #[test]
    fn free_space_accepts_a_folder_that_does_not_exist_yet() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("not/yet");
        assert!(free_space(&path).expect("it is known") > 0);
        assert!(check_space(&path, 1).is_ok());
        let error = check_space(&path, u64::MAX)
            .expect_err("too much")
            .to_string();
        assert!(error.contains("delete files"), "{error}");
    }
}
