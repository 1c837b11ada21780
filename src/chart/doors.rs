//! A door for the targets of `fuzz/`, with the feature `fuzzing` alone: the files of a chart without an archive around them.

use super::{ChartContent, ChartError, archive::Contents, folder::Place};

/// Reads a chart that has one file, for example `Chart.yaml`.
///
/// # Errors
/// Those of [`super::read`] that have to do with the text of a file.
pub fn file(path: &str, text: &[u8]) -> Result<ChartContent, ChartError> {
    let mut contents = Contents { files: vec![path.to_owned()], ..Contents::default() };
    if let Place::Text(folder, name) = contents.root.place(path, 1)? {
        folder.take(name, path, text.to_vec(), None)?;
    }
    super::content(contents)
}
