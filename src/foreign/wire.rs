//! What helper and reader say to each other.
//!
//! The helper writes [`Message`]s to its stdout: the mark, the length of a JSON text (`u32`), the
//! number of numbers behind it (`u64`), the text, the numbers (`f64`); all little-endian. Libraries
//! may print between two messages, never within one: what stands before a mark is passed over. The
//! reader writes [`Request`]s to the helper's stdin, a line of JSON each.

use std::io::{Error, ErrorKind, Read, Result, Write};

use serde::{Deserialize, Serialize};

/// Eight bytes that no library prints.
const MARK: [u8; 8] = *b"\xf6mdsur\x00\x01";
/// Longest text, bytes, and most numbers of a message: a helper that has run wild must not make the
/// reader ask for all memory.
const MOST_TEXT: u32 = 1 << 28;
const MOST_NUMBERS: u64 = 1 << 28;

/// From the helper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// Another frame is there and whole: its number of atoms, time (ps) and title, where it has
    /// those. One for every frame, before anything is asked for.
    Frame {
        /// Atoms.
        atoms: usize,
        /// ps
        time: Option<f64>,
        /// What the file calls the frame.
        title: Option<String>,
    },
    /// All frames have been looked at.
    End,
    /// Something that a user should know of the file, to stand behind its name.
    Note(String),
    /// Positions of a frame (the numbers; x, y, z in Å), and edges (Å) and angles (degrees) of its
    /// cell.
    Positions {
        /// a, b, c, α, β, γ
        cell: Option<[f64; 6]>,
    },
    /// What the atoms of a frame are.
    Atoms(Vec<Atom>),
    /// It cannot be read.
    Refused {
        /// The frame, where it is one of them.
        frame: Option<usize>,
        /// Why.
        what: String,
    },
}

/// What a file says of an atom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Atom {
    /// Its name.
    pub name: String,
    /// Its alternative location.
    pub altloc: Option<char>,
    /// Number of its residue in the order of the file, from 0; none outside residues.
    pub residue: Option<usize>,
    /// What the file calls that residue.
    pub residue_name: String,
    /// The number that the file gives it.
    pub number: Option<i64>,
    /// Its insertion code.
    pub insertion: Option<char>,
    /// Its chain; may be empty.
    pub chain: String,
}

/// To the helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// [`Message::Positions`] of this frame.
    Positions(usize),
    /// [`Message::Atoms`] of this frame.
    Atoms(usize),
}

/// Writes a message.
///
/// # Errors
/// Those of the pipe.
pub fn send(out: &mut impl Write, message: &Message, numbers: &[f64]) -> Result<()> {
    let text = serde_json::to_vec(message)?;
    let mut bytes = MARK.to_vec();
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend((numbers.len() as u64).to_le_bytes());
    bytes.extend(text);
    for number in numbers {
        bytes.extend(number.to_le_bytes());
    }
    out.write_all(&bytes)?;
    out.flush()
}

/// Reads the next message.
///
/// # Errors
/// Those of the pipe, [`ErrorKind::UnexpectedEof`] at its end; [`ErrorKind::InvalidData`] for a
/// message that is none.
pub fn receive(from: &mut impl Read) -> Result<(Message, Vec<f64>)> {
    find_mark(from)?;
    let mut length = [0; 4];
    let mut count = [0; 8];
    from.read_exact(&mut length)?;
    from.read_exact(&mut count)?;
    let (length, count) = (u32::from_le_bytes(length), u64::from_le_bytes(count));
    if length > MOST_TEXT || count > MOST_NUMBERS {
        return Err(ErrorKind::InvalidData.into());
    }
    let text = exactly(from, u64::from(length))?;
    let message = serde_json::from_slice(&text)?;
    let numbers = exactly(from, 8 * count)?;
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("chunks of eight"));
    Ok((message, numbers.chunks_exact(8).map(number).collect()))
}

/// So many bytes; memory grows with what comes, not with what was said to come.
fn exactly(from: &mut impl Read, count: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(count).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < count {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Reads up to the end of the next mark.
fn find_mark(from: &mut impl Read) -> Result<()> {
    let mut last = [0; MARK.len()];
    from.read_exact(&mut last)?;
    while last != MARK {
        let mut next = [0];
        from.read_exact(&mut next)?;
        last.rotate_left(1);
        last[MARK.len() - 1] = next[0];
    }
    Ok(())
}

/// Reads a request; none at the end of the pipe.
///
/// # Errors
/// Those of the pipe; [`ErrorKind::InvalidData`] for a line that is none.
pub fn requested(from: &mut impl std::io::BufRead) -> Result<Option<Request>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    serde_json::from_str(&line).map(Some).map_err(Error::from)
}

/// Writes a request.
///
/// # Errors
/// Those of the pipe.
pub fn request(out: &mut impl Write, request: Request) -> Result<()> {
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_through_what_libraries_print() {
        let frame = Message::Frame {
            atoms: 3,
            time: Some(0.1),
            title: None,
        };
        let cell = Message::Positions {
            cell: Some([40.0, 41.0, 42.0, 80.0, 90.0, 100.5]),
        };
        let numbers = [1.0 / 3.0, -1e300, f64::MIN_POSITIVE];
        let mut pipe = b"gromacsplugin) opened\n\xf6mdsu".to_vec();
        send(&mut pipe, &frame, &[]).unwrap();
        pipe.extend(b"warning\n");
        send(&mut pipe, &cell, &numbers).unwrap();
        let mut pipe = &pipe[..];
        assert_eq!(receive(&mut pipe).unwrap(), (frame, vec![]));
        assert_eq!(receive(&mut pipe).unwrap(), (cell, numbers.to_vec()));
        let end = receive(&mut pipe).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_message_that_is_cut_or_wild_is_an_error() {
        let mut whole = Vec::new();
        send(&mut whole, &Message::End, &[1.0, 2.0]).unwrap();
        for length in 0..whole.len() {
            let kind = receive(&mut &whole[..length]).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::UnexpectedEof, "{length}");
        }
        // says that 2⁶⁴ − 1 numbers follow
        whole[12..20].fill(0xff);
        let kind = receive(&mut &whole[..]).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::InvalidData);
    }

    #[test]
    fn requests_come_through() {
        let mut pipe = Vec::new();
        for wanted in [Request::Positions(7), Request::Atoms(0)] {
            request(&mut pipe, wanted).unwrap();
        }
        let mut pipe = &pipe[..];
        assert_eq!(requested(&mut pipe).unwrap(), Some(Request::Positions(7)));
        assert_eq!(requested(&mut pipe).unwrap(), Some(Request::Atoms(0)));
        assert_eq!(requested(&mut pipe).unwrap(), None);
        assert!(requested(&mut &b"Positions\n"[..]).is_err());
    }
}
