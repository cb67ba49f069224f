//! Writes files of the site atomically, so that a half-written file is never visible.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::access::{AccessError, denied};

/// Replaces the file at `place` and keeps its permissions. If `place` is a symbolic link, its target is replaced.
///
/// # Errors
/// When the file can't be written; it is unchanged then.
pub fn replace(place: &Path, bytes: &[u8]) -> Result<(), AccessError> {
    let failed = denied("write", place);
    let target = place.canonicalize().map_err(&failed)?;
    let permissions = fs::metadata(&target).map_err(&failed)?.permissions();
    let file = beside(&target, bytes, Some(permissions)).map_err(&failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Creates a file at `place`. Returns false, and changes nothing, if the file exists.
///
/// # Errors
/// When the file can't be created; there is no file then.
pub fn create(place: &Path, bytes: &[u8]) -> Result<bool, AccessError> {
    let failed = denied("write", place);
    let file = beside(place, bytes, None).map_err(&failed)?;
    match file.persist_noclobber(place) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error.error)),
    }
}

/// A temporary file with these bytes in the same folder, under a name that no part of shelflife reads.
fn beside(place: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".shelflife-");
    #[cfg(unix)]
    if permissions.is_none() {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask applies, as to any other new file; without this, temporary files are private.
        builder.permissions(Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.md");
        assert!(create(&place, b"one").unwrap());
        assert!(!create(&place, b"two").unwrap());
        assert_eq!(fs::read(&place).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (place, link) = (folder.path().join("a.md"), folder.path().join("b.md"));
        fs::write(&place, "one").unwrap();
        fs::set_permissions(&place, Permissions::from_mode(0o640)).unwrap();
        symlink("a.md", &link).unwrap();
        replace(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&place).unwrap(), b"two");
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
