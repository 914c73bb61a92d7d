//! A server's log: written by the supervisor, turned over by size, so that no log can fill the disk.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A log is turned over at this many bytes; one older log is kept.
const TURN_OVER_BYTES: u64 = 20 * 1024 * 1024;

/// An open log file and its size.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = append(path).map_err(|error| Error::io("open", path, error))?;
        let bytes = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    /// Appends; a log that cannot be written (a full disk) loses lines rather than stopping the server.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if self.bytes > TURN_OVER_BYTES {
            let _ = std::fs::rename(&self.path, older(&self.path));
            if let Ok(file) = append(&self.path) {
                self.file = file;
                self.bytes = 0;
            }
        }
        if self.file.write_all(bytes).is_ok() {
            self.bytes += bytes.len() as u64;
        }
    }
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("1.log")
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_turned_over_and_one_older_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kafka.log");
        let mut log = LogFile::open(&path).unwrap();
        log.append(&vec![b'x'; TURN_OVER_BYTES as usize + 1]);
        log.append(b"new\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"new\n");
        assert_eq!(std::fs::metadata(older(&path)).unwrap().len(), TURN_OVER_BYTES + 1);
    }
}
