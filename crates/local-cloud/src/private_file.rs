//! Files that are nobody else's on this machine: customers, e-mails, bank accounts, payments.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file that its owner alone may read, in place of one that is there.
///
/// # Errors
/// When it can't be written, or can't be kept from others.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(path, OpenOptions::new().write(true).truncate(true))?;
    file.write_all(bytes)
}

/// Makes a folder that its owner alone may enter; one that is there stays as it is.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a database's file if it is not there, and keeps others from it and from what SQLite puts
/// beside it, which it makes as open as the file itself.
pub(crate) fn prepare_database(path: &Path) -> io::Result<()> {
    open(path, OpenOptions::new().append(true))?;
    for ending in ["-wal", "-shm", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        match File::open(&beside) {
            Ok(file) => keep_private(&file)?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.create(true).open(path)?;
    keep_private(&file)?;
    Ok(file)
}

/// One that was there may be open to all. What is no file, as `/dev/stdout`, stays as it is.
fn keep_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(private)?;
    }
    Ok(())
}
