//! The bytes of DCD files that are written: CHARMM's dialect, little-endian.

use crate::structure::{Cell, Frame};
use crate::units::PS_PER_AKMA;

/// Where the header holds the number of frames.
pub(super) const COUNT_AT: u64 = 8;

/// Bytes of the header that [`header_bytes`] makes: three records.
pub(super) const HEADER: u64 = (8 + 84) + (8 + 84) + (8 + 4);

/// The header of a file whose frames are `interval` ps apart, the first at the time of `frame`; it
/// counts no frames yet.
///
/// CHARMM's dialect, little-endian, as VMD, MDAnalysis and mdtraj read it: the interval is one step
/// of that many AKMA units.
pub(super) fn header_bytes(frame: &Frame, interval: f64) -> Vec<u8> {
    let mut control = [0u32; 20];
    control[1] = ((frame.time / interval).round() as i32).cast_unsigned();
    control[2] = 1;
    control[9] = ((interval / PS_PER_AKMA) as f32).to_bits();
    control[10] = u32::from(frame.cell.is_some());
    control[19] = 24;
    let mut title =
        *b"made by mdsurrogate                                                             ";
    title[20..32].copy_from_slice(b"units A, ps ");
    let mut out = Vec::new();
    append(
        &mut out,
        b"CORD"
            .iter()
            .copied()
            .chain(control.iter().flat_map(|value| value.to_le_bytes())),
    );
    append(&mut out, 1u32.to_le_bytes().into_iter().chain(title));
    append(&mut out, (frame.positions.len() as u32).to_le_bytes());
    out
}

/// Appends a frame's records.
///
/// # Errors
/// The first atom whose position is not a number that f32 can hold.
pub(super) fn frame_bytes(frame: &Frame, out: &mut Vec<u8>) -> Result<(), usize> {
    if let Some(atom) = frame
        .positions
        .iter()
        .position(|position| !position.iter().all(|&x| (x as f32).is_finite()))
    {
        return Err(atom);
    }
    if let Some(Cell {
        lengths: [a, b, c],
        angles: [alpha, beta, gamma],
    }) = frame.cell
    {
        append(
            out,
            [a, gamma, b, beta, alpha, c]
                .into_iter()
                .flat_map(f64::to_le_bytes),
        );
    }
    for axis in 0..3 {
        append(
            out,
            frame
                .positions
                .iter()
                .flat_map(|position| (position[axis] as f32).to_le_bytes()),
        );
    }
    Ok(())
}

/// Appends a record between its two markers.
fn append(out: &mut Vec<u8>, bytes: impl IntoIterator<Item = u8>) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(bytes);
    let length = ((out.len() - start - 4) as u32).to_le_bytes();
    out[start..start + 4].copy_from_slice(&length);
    out.extend(length);
}
