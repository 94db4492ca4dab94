//! Files that are written whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// SHA-256 of a file's content: the same on every machine and in every version.
pub type Hash = [u8; 32];

/// Hashes bytes.
pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A hash as text.
pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file by way of a temporary one beside it, so that neither a full disk nor a crash
/// leaves half a file or costs what was there.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> Result<()> {
        // A link stays one: its target is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            // A pipe or a device is written to, not replaced.
            return Ok(std::fs::write(&path, bytes)?);
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
        // Without it a power failure may undo the renaming; not every file system can.
        #[cfg(unix)]
        let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A temporary file that others may read, as they may any new file: those of the library are
/// private.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

/// Bytes that may still be written where `path` is or will be; none where that is not known.
pub fn free_space(path: &Path) -> Option<u64> {
    let path: PathBuf = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|path| path.is_dir())?;
    fs4::available_space(there).ok()
}

/// Checks that so many bytes have room where `path` is or will be.
pub fn check_space(path: &Path, needed: u64) -> Result<()> {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    if let Some(free) = free_space(path).filter(|&free| free < needed) {
        bail!(
            "up to {:.0} MB will be written, but {} has room for {:.0} MB: make room, or name a \
             folder on another disk",
            megabytes(needed).ceil(),
            path.display(),
            megabytes(free).floor()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
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
    fn a_new_file_is_as_private_as_any_and_an_old_one_as_it_was() {
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
    fn room_is_looked_for_where_a_folder_will_be() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("not/yet");
        assert!(free_space(&path).expect("it is known") > 0);
        assert!(check_space(&path, 1).is_ok());
        let error = check_space(&path, u64::MAX)
            .expect_err("too much")
            .to_string();
        assert!(error.contains("make room"), "{error}");
    }
}
