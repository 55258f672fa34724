//! Looking through files of frames that each have a header (XTC, TRR).

use super::input::{Ended, Input};
use super::times::known;
use super::{Contents, Fault};

/// What the header of a frame tells.
pub(super) trait FrameHeader: Sized {
    /// The format's name.
    const NAME: &str;
    /// Reads a header; the outer error: the file ended; the inner: what is wrong with it.
    fn read(input: &mut Input) -> Result<Result<Self, String>, Ended>;
    /// Bytes behind the header.
    fn body(&self) -> u64;
    /// Atoms of the frame.
    fn atoms(&self) -> usize;
    /// ps
    fn time(&self) -> f64;
    /// Whether there are positions.
    fn has_positions(&self) -> bool;
}

/// What is at a place where a frame may start.
enum Found<H> {
    Frame(H),
    /// A frame that the file ends in.
    Cut,
    /// Zeros to the end: a frame that never came to the disk.
    Zeros,
}

fn next<H: FrameHeader>(input: &mut Input, index: usize) -> Result<Found<H>, Fault> {
    let start = input.position;
    match H::read(input) {
        Ok(Ok(header)) => Ok(match input.skip(header.body()) {
            Ok(()) => Found::Frame(header),
            Err(Ended) => Found::Cut,
        }),
        Ok(Err(what)) if index == 0 => Err(Fault::header(format!(
            "is no {} trajectory: {what}",
            H::NAME
        ))),
        Ok(Err(what)) => {
            if input.go_to(start).is_ok() && input.only_zeros_left() {
                Ok(Found::Zeros)
            } else {
                Err(Fault::frame(index, format!("is broken: {what}")))
            }
        }
        Err(Ended) => Ok(Found::Cut),
    }
}

/// Finds where the frames with positions are.
pub(super) fn scan<H: FrameHeader>(input: &mut Input) -> Result<(Contents, Vec<u64>), Fault> {
    let mut offsets = Vec::new();
    let mut times = Vec::new();
    let mut contents = Contents::default();
    let mut atoms = None;
    let mut largest = 0;
    let mut without = 0;
    while !input.at_end() {
        let index = offsets.len();
        let start = input.position;
        match next::<H>(input, index + without)? {
            Found::Frame(header) if *atoms.get_or_insert(header.atoms()) == header.atoms() => {
                contents.atoms = header.atoms();
                largest = largest.max(input.position - start);
                if header.has_positions() {
                    offsets.push(start);
                    times.push(header.time());
                } else {
                    without += 1;
                }
            }
            Found::Frame(header) => {
                let other = header.atoms();
                let first = contents.atoms;
                let what = format!("holds {other} atoms, the first frame {first}");
                return Err(Fault::frame(index, what));
            }
            // a damaged length reaches beyond the end too, but from far before it
            Found::Cut if index > 0 && input.size - start <= 2 * largest => {
                contents.notes.push(Fault::cut_note(index));
                break;
            }
            Found::Cut => return Err(Fault::cut(index)),
            Found::Zeros if index > 0 => {
                contents.notes.push(format!(
                    "holds nothing but zeros behind frame {}; its {index} whole frames are read",
                    index - 1
                ));
                break;
            }
            Found::Zeros => return Err(Fault::frame(index, "holds nothing but zeros")),
        }
    }
    if without > 0 {
        if offsets.is_empty() {
            return Err(Fault::header("holds no positions in any of its frames"));
        }
        contents.notes.push(format!(
            "holds {without} frames without positions, which are passed over"
        ));
    }
    contents.frames = offsets.len();
    contents.times = known(times);
    Ok((contents, offsets))
}
