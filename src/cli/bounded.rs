//! The files that flags name, read within a bound: a device or a pipe may never end.

use std::{
    fs::File,
    io::{Error, ErrorKind, Read, Result},
    path::Path,
};

/// Manifests, a bundle of roots, a keyring and a configuration are smaller.
pub(super) const LONGEST: u64 = 16 << 20;

/// All of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    whole(File::open(path)?)
}

fn whole(reader: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_is_refused_with_the_bound() {
        let said = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(said, "it is larger than 16 MiB");
        assert_eq!(read(Path::new("/dev/null")).unwrap(), b"");
        assert!(whole(std::io::repeat(b'a').take(LONGEST)).is_ok_and(|bytes| bytes.len() as u64 == LONGEST));
    }
}
