//! Text files, compressed where their name ends in `.gz`, and never half written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::ClassicalError;

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

/// Opens `path` for reading.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, ClassicalError> {
    let file = File::open(path).map_err(|source| ClassicalError::io("open", path, source))?;
    let file = BufReader::with_capacity(1 << 16, file);
    Ok(if is_gzip(path) {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

/// Lets `write` fill a file under a temporary name beside `path`, flushes it to disk and renames.
pub(super) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ClassicalError> {
    let attempt = || -> io::Result<()> {
        // The parent of a bare file name is the empty path, which is no directory.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".writing-");
        #[cfg(unix)]
        {
            // Temporary files are private unless told; a model is not, as far as the umask allows.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(directory)?;
        let mut buffer = BufWriter::with_capacity(1 << 16, file.as_file());
        if is_gzip(path) {
            let mut encoder = GzEncoder::new(&mut buffer, Compression::default());
            write(&mut encoder)?;
            encoder.finish()?;
        } else {
            write(&mut buffer)?;
        }
        buffer.flush()?;
        drop(buffer);
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|source| ClassicalError::io("write", path, source))
}
