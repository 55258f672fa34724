//! The reader's end: starts a helper, asks it, and outlives it.

use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::Kind;
use super::wire::{Atom, Message, Request, receive, request};
use crate::error::Place;
use crate::{Error, Result};

/// The program whose hidden subcommand is the helper.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says which program has the helper in it: `mdsurrogate` itself, as it says of itself when it
/// starts. Whoever uses the library from another program names an `mdsurrogate` that was built with
/// chemfiles. The first word counts.
pub fn use_program(program: impl Into<PathBuf>) {
    PROGRAM.get_or_init(|| program.into());
}

/// Time in which the helper must have said something, beside what a large file takes to be looked
/// through.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a file that the slowest of its formats is looked through a second, packed or not.
const BYTES_A_SECOND: u64 = 1 << 20;

/// What to do about a file that chemfiles could not cope with.
const HINT: &str = "copy the file again, or convert it with the program that wrote it: structures \
                    to PDB, trajectories to XTC";

/// What a file holds, all frames looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// Atoms of each frame.
    pub atoms: usize,
    /// Time of each frame, ps, where the file has it.
    pub times: Vec<Option<f64>>,
    /// Title of each frame.
    pub titles: Vec<Option<String>>,
    /// What a user should know, a line each, to stand behind the file's name.
    pub notes: Vec<String>,
}

/// A file that a helper has open.
pub struct Reader {
    path: PathBuf,
    helper: Child,
    asked: Option<ChildStdin>,
    answers: Receiver<std::io::Result<(Message, Vec<f64>)>>,
    patience: Duration,
}

impl Reader {
    /// Starts a helper for a file, and waits until it has looked at all frames.
    ///
    /// # Errors
    /// [`Error::Usage`] where the program with the helper is not known, [`Error::Input`] naming
    /// file and frame: not readable, damaged, of frames of unlike size, or the end of the helper.
    pub fn open(path: &Path, kind: &Kind) -> Result<(Self, Contents)> {
        let meta = std::fs::metadata(path).map_err(|source| Error::reading(path, &source))?;
        let program = PROGRAM.get().ok_or_else(|| {
            Error::usage(
                format!("{} is {}, which a helper reads", path.display(), kind.name),
                "name an mdsurrogate with chemfiles: mdsurrogate::foreign::use_program",
            )
        })?;
        let mut helper = Command::new(program);
        helper.arg("read-foreign").arg(kind.for_chemfiles(path));
        // a name that begins with - is no flag
        helper.arg("--").arg(path);
        let patience = PATIENCE + Duration::from_secs(meta.len() / BYTES_A_SECOND);
        Reader::start(helper, path, patience)
    }

    /// Starts `helper` and reads what it says of all frames.
    fn start(mut helper: Command, path: &Path, patience: Duration) -> Result<(Self, Contents)> {
        let mut helper = helper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // what libraries say there is no help to users
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Device {
                what: format!(
                    "the helper that reads {} cannot start: {error}",
                    path.display()
                ),
                hint: "free memory or processes; the program's file must still be in its place"
                    .into(),
            })?;
        let asked = helper.stdin.take();
        let pipe = helper.stdout.take().expect("it was piped");
        // a bound, so that a helper is not much ahead of what was taken in
        let (sender, answers) = sync_channel(64);
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            loop {
                let message = receive(&mut pipe);
                let ended = message.is_err();
                if sender.send(message).is_err() || ended {
                    return;
                }
            }
        });
        let mut reader = Reader {
            path: path.to_owned(),
            helper,
            asked,
            answers,
            patience,
        };
        let contents = reader.contents()?;
        Ok((reader, contents))
    }

    fn contents(&mut self) -> Result<Contents> {
        let mut contents = Contents::default();
        loop {
            let frame = contents.times.len();
            let (message, _) = self.next().map_err(|what| self.error(Some(frame), what))?;
            match message {
                Message::Frame { atoms, time, title } => {
                    if frame > 0 && atoms != contents.atoms {
                        let what =
                            format!("holds {atoms} atoms, the first frame {}", contents.atoms);
                        return Err(self.error(Some(frame), what));
                    }
                    contents.atoms = atoms;
                    contents.times.push(time);
                    contents.titles.push(title);
                }
                Message::Note(words) => contents.notes.push(words),
                Message::End => return Ok(contents),
                Message::Refused { frame, what } => return Err(self.error(frame, what)),
                other => return Err(self.error(Some(frame), out_of_turn(&other))),
            }
        }
    }

    fn error(&self, frame: Option<usize>, what: String) -> Error {
        let place = Place::file(&self.path);
        let place = match frame {
            Some(frame) => place.at_frame(frame),
            None => place,
        };
        Error::input(place, what, HINT)
    }

    /// What to try where a frame cannot be read.
    pub fn hint(&self) -> &'static str {
        HINT
    }

    /// Positions (Å) of frame `index`, and edges (Å) and angles (degrees) of its cell.
    ///
    /// # Errors
    /// What is wrong with the frame, or what became of the helper, in words.
    pub fn positions(&mut self, index: usize) -> Result<(Vec<f64>, Option<[f64; 6]>), String> {
        match self.ask(Request::Positions(index))? {
            (Message::Positions { cell }, numbers) => Ok((numbers, cell)),
            (other, _) => Err(out_of_turn(&other)),
        }
    }

    /// What the atoms of frame `index` are.
    ///
    /// # Errors
    /// Those of [`Reader::positions`].
    pub fn atoms(&mut self, index: usize) -> Result<Vec<Atom>, String> {
        match self.ask(Request::Atoms(index))? {
            (Message::Atoms(atoms), _) => Ok(atoms),
            (other, _) => Err(out_of_turn(&other)),
        }
    }

    fn ask(&mut self, wanted: Request) -> Result<(Message, Vec<f64>), String> {
        // a pipe that is closed has a helper behind it that has ended: the answer says how
        if let Some(asked) = &mut self.asked {
            let _ = request(asked, wanted);
        }
        match self.next()? {
            (Message::Refused { what, .. }, _) => Err(what),
            answer => Ok(answer),
        }
    }

    /// What the helper says next, or what became of it, in words.
    fn next(&mut self) -> Result<(Message, Vec<f64>), String> {
        match self.answers.recv_timeout(self.patience) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => {
                self.end();
                Err(format!(
                    "chemfiles, which reads this format, failed: {error}"
                ))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(format!(
                    "chemfiles, which reads this format, gave no answer for {} s",
                    self.patience.as_secs()
                ))
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                self.asked = None;
                let how = self
                    .helper
                    .wait()
                    .map_or_else(|error| error.to_string(), ending);
                Err(format!(
                    "chemfiles, which reads this format, crashed: {how}"
                ))
            }
        }
    }

    /// Ends the helper, whatever it does.
    fn end(&mut self) {
        self.asked = None;
        let _ = self.helper.kill();
        let _ = self.helper.wait();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

fn out_of_turn(message: &Message) -> String {
    format!("the helper answered out of turn: {message:?}")
}

/// How a process ended, in words.
fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (illegal instruction)",
            6 => " (abort)",
            7 => " (bus error)",
            8 => " (arithmetic)",
            9 => " (killed, perhaps for want of memory)",
            11 => " (segmentation fault)",
            _ => "",
        };
        return format!("signal {signal}{name}");
    }
    status.to_string()
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::super::wire::send;
    use super::*;

    /// A helper that says these messages, then does what a shell is told.
    fn helper(said: &[Message], then: &str, patience: Duration) -> Result<(Reader, Contents)> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for message in said {
            send(&mut file, message, &[1.0, 2.0, 3.0]).unwrap();
        }
        file.flush().unwrap();
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("cat {}; {then}", file.path().display()));
        Reader::start(shell, Path::new("run.tng"), patience)
    }

    fn one_frame(atoms: usize) -> Message {
        Message::Frame {
            atoms,
            time: None,
            title: None,
        }
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_helper_that_dies_is_an_error_with_file_and_frame() {
        let died = helper(&[one_frame(1), one_frame(1)], "kill -SEGV $$", LONG);
        let error = died.err().unwrap();
        assert_eq!(error.exit_code(), 2);
        let words = error.to_string();
        assert!(words.starts_with("run.tng, frame 2: chemfiles"), "{words}");
        assert!(words.contains("signal 11 (segmentation fault)"), "{words}");
        assert!(error.hint().contains("convert it"), "{}", error.hint());

        let (mut reader, contents) = helper(&[one_frame(1), Message::End], "exit 7", LONG).unwrap();
        assert_eq!((contents.atoms, contents.times), (1, vec![None]));
        let words = reader.positions(0).unwrap_err();
        assert!(words.contains("crashed: exit status: 7"), "{words}");
    }

    #[test]
    fn a_helper_that_says_nothing_is_ended() {
        let clock = Instant::now();
        let patience = Duration::from_secs(1);
        let words = helper(&[], "exec sleep 600", patience)
            .err()
            .unwrap()
            .to_string();
        assert!(
            words.contains("frame 0: chemfiles, which reads this format, gave no answer for 1 s"),
            "{words}"
        );
        let took = clock.elapsed();
        assert!(
            took >= patience && took < Duration::from_secs(20),
            "{took:?}"
        );
    }

    #[test]
    fn frames_of_unlike_size_and_answers_out_of_turn_are_refused() {
        let unlike = helper(&[one_frame(2), one_frame(3)], "cat", LONG);
        let words = unlike.err().unwrap().to_string();
        assert_eq!(words, "run.tng, frame 1: holds 3 atoms, the first frame 2");
        let early = helper(&[Message::Atoms(Vec::new())], "cat", LONG);
        let words = early.err().unwrap().to_string();
        assert!(words.contains("out of turn"), "{words}");
    }

    #[test]
    fn answers_are_positions_and_cell() {
        let cell = Some([10.0, 11.0, 12.0, 80.0, 90.0, 100.0]);
        let said = [one_frame(1), Message::End, Message::Positions { cell }];
        let (mut reader, _) = helper(&said, "cat >/dev/null", LONG).unwrap();
        assert_eq!(reader.positions(0).unwrap(), (vec![1.0, 2.0, 3.0], cell));
    }
}
