//! One error type, divided by what the user can do about it.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in the user's input something went wrong. Empty parts are left out of the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Option<PathBuf>,
    /// Line in that file, from 1.
    pub line: Option<usize>,
    /// Frame of a trajectory, from 0.
    pub frame: Option<usize>,
    /// Chain, residue and atom as the user knows them: `A:LYS 27:CG`.
    pub atom: Option<String>,
}

impl Place {
    /// A whole file.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Place {
            file: Some(path.as_ref().to_owned()),
            ..Place::default()
        }
    }
    /// A line (from 1) of a file.
    pub fn line(path: impl AsRef<Path>, line: usize) -> Self {
        Place {
            line: Some(line),
            ..Place::file(path)
        }
    }
    /// An atom or residue, named as the user knows it.
    pub fn atom(label: impl Into<String>) -> Self {
        Place {
            atom: Some(label.into()),
            ..Place::default()
        }
    }
    /// The same place, inside this file.
    pub fn in_file(self, path: impl AsRef<Path>) -> Self {
        Place {
            file: Some(path.as_ref().to_owned()),
            ..self
        }
    }
    /// The same place, at this frame (from 0).
    pub fn at_frame(self, frame: usize) -> Self {
        Place {
            frame: Some(frame),
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (&self.file, self.line) {
            (Some(file), Some(line)) => parts.push(format!("{}:{line}", file.display())),
            (Some(file), None) => parts.push(file.display().to_string()),
            (None, Some(line)) => parts.push(format!("line {line}")),
            (None, None) => {}
        }
        parts.extend(self.frame.map(|frame| format!("frame {frame}")));
        parts.extend(self.atom.clone());
        f.write_str(&parts.join(", "))
    }
}

/// Everything that can go wrong, by what the user can do about it.
///
/// Every variant carries `hint`: the next thing to try. [`Error::exit_code`] is the program's exit
/// status.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or configuration asks for something that cannot be done.
    #[error("{what}")]
    Usage {
        /// What was asked for and why it cannot be done.
        what: String,
        /// The next thing to try.
        hint: String,
    },
    /// A structure, trajectory, configuration or model file cannot be used.
    #[error("{place}: {what}")]
    Input {
        /// File, line, frame, atom.
        place: Box<Place>,
        /// What is wrong there.
        what: String,
        /// The next thing to try.
        hint: String,
    },
    /// A result cannot be written.
    #[error("{}: {what}", path.display())]
    Output {
        /// The file that cannot be written.
        path: PathBuf,
        /// Why.
        what: String,
        /// The next thing to try.
        hint: String,
    },
    /// A monitor stopped the run: the trajectory is no longer physical.
    #[error("stopped at step {step}: {what}")]
    Guard {
        /// The step at which the guard tripped.
        step: u64,
        /// Which limit, by how much, at which atoms.
        what: String,
        /// The next thing to try.
        hint: String,
    },
    /// The compute device or its memory failed.
    #[error("{what}")]
    Device {
        /// What was asked of the device.
        what: String,
        /// What would fit, or the next thing to try.
        hint: String,
    },
    /// The user or the time limit interrupted; the state is on disk.
    #[error("{}", interrupted(*step, checkpoint))]
    Interrupted {
        /// The last completed step.
        step: u64,
        /// The checkpoint that the same command continues from; empty before there is one.
        checkpoint: PathBuf,
    },
}

fn interrupted(step: u64, checkpoint: &Path) -> String {
    if checkpoint.as_os_str().is_empty() {
        return "interrupted before the first checkpoint; the same command starts over".to_owned();
    }
    format!(
        "interrupted at step {step}; continue with the same command ({})",
        checkpoint.display()
    )
}

impl Error {
    /// The command line asks for something that cannot be done.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Usage {
            what: what.into(),
            hint: hint.into(),
        }
    }
    /// An input file cannot be used.
    pub fn input(place: Place, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::Input {
            place: Box::new(place),
            what: what.into(),
            hint: hint.into(),
        }
    }
    /// The same error, in this file where it names none.
    pub fn in_file(mut self, path: impl AsRef<Path>) -> Self {
        if let Error::Input { place, .. } = &mut self {
            place.file.get_or_insert_with(|| path.as_ref().to_owned());
        }
        self
    }
    /// A file cannot be written.
    pub fn output(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Error::Output {
            path: path.as_ref().to_owned(),
            what: what.into(),
            hint: hint.into(),
        }
    }
    /// An I/O error while reading `path`.
    pub fn reading(path: impl AsRef<Path>, source: &std::io::Error) -> Self {
        let place = Place::file(&path);
        if path.as_ref().is_dir() {
            return Error::input(place, "is a folder", "give a file");
        }
        let hint = match source.kind() {
            std::io::ErrorKind::NotFound => {
                "check the path; relative paths start at the current folder"
            }
            std::io::ErrorKind::PermissionDenied => "make the file readable",
            _ => "check that the file is complete and the disk is healthy",
        };
        Error::input(place, format!("cannot be read: {source}"), hint)
    }
    /// An I/O error while writing `path`.
    pub fn writing(path: impl AsRef<Path>, source: &std::io::Error) -> Self {
        let folder = path.as_ref().parent().unwrap_or(Path::new(""));
        if !folder.as_os_str().is_empty() && !folder.is_dir() {
            let what = format!("there is no folder {}", folder.display());
            return Error::output(path, what, "make it, or choose another place");
        }
        if path.as_ref().is_dir() {
            return Error::output(path, "is a folder", "name a file in it");
        }
        let hint = match source.kind() {
            std::io::ErrorKind::PermissionDenied => "choose a place that you may write to",
            _ => "free disk space, or choose another place",
        };
        Error::output(path, format!("cannot be written: {source}"), hint)
    }

    /// The next thing to try; may be empty.
    pub fn hint(&self) -> &str {
        match self {
            Error::Usage { hint, .. }
            | Error::Input { hint, .. }
            | Error::Output { hint, .. }
            | Error::Guard { hint, .. }
            | Error::Device { hint, .. } => hint,
            Error::Interrupted { .. } => "",
        }
    }

    /// The exit status of the program: 2 usage, input or output, 3 physics guard, 4 device or
    /// memory, 75 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage { .. } | Error::Input { .. } | Error::Output { .. } => 2,
            Error::Guard { .. } => 3,
            Error::Device { .. } => 4,
            Error::Interrupted { .. } => 75,
        }
    }
}

/// Words as they may reach a terminal. Names of residues, a model's summary, a file's own name are
/// text of others: escape sequences among them would be obeyed, and marks that turn the direction
/// of writing would hide what stands there. Each such character becomes `\u{fffd}`.
pub fn printable(words: &str) -> Cow<'_, str> {
    let is_order = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || c.is_control() && !matches!(c, '\n' | '\t')
    };
    if words.contains(is_order) {
        Cow::Owned(words.replace(is_order, "\u{fffd}"))
    } else {
        Cow::Borrowed(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_orders_from_files() {
        for (words, shown) in [
            ("Å – ±\tσ\n", "Å – ±\tσ\n"),
            (
                "\u{1b}[2J\u{1b}]0;title\u{7}",
                "\u{fffd}[2J\u{fffd}]0;title\u{fffd}",
            ),
            ("a\rb\u{9b}31m", "a\u{fffd}b\u{fffd}31m"),
            ("a\u{202e}bdp.exe", "a\u{fffd}bdp.exe"),
        ] {
            assert_eq!(printable(words), shown);
        }
    }
}
