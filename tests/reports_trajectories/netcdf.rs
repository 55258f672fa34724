//! NetCDF of 64 bits (CDF-5), whose counts are wider.

use mdsurrogate::structure::Frame;
use nalgebra::Vector3;

use crate::forms::open_bytes;

/// A NetCDF file of version 5, whose counts have 64 bits: two frames of two atoms, 20 ps apart.
fn netcdf_of_64_bits() -> Vec<u8> {
    let mut out = b"CDF\x05".to_vec();
    let long = |out: &mut Vec<u8>, value: u64| out.extend(value.to_be_bytes());
    let short = |out: &mut Vec<u8>, value: u32| out.extend(value.to_be_bytes());
    let name = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u64).to_be_bytes());
        out.extend(text.as_bytes());
        out.resize(out.len().next_multiple_of(4), 0);
    };
    long(&mut out, 2);
    short(&mut out, 10);
    long(&mut out, 3);
    for (text, length) in [("frame", 0), ("spatial", 3), ("atom", 2)] {
        name(&mut out, text);
        long(&mut out, length);
    }
    short(&mut out, 12);
    long(&mut out, 1);
    name(&mut out, "Conventions");
    short(&mut out, 2);
    name(&mut out, "AMBER");
    short(&mut out, 11);
    long(&mut out, 2);
    let mut begins = Vec::new();
    for (text, dimensions, size) in [("time", &[0u64][..], 4), ("coordinates", &[0, 2, 1], 24)] {
        name(&mut out, text);
        long(&mut out, dimensions.len() as u64);
        dimensions
            .iter()
            .for_each(|&dimension| long(&mut out, dimension));
        short(&mut out, 0);
        long(&mut out, 0);
        short(&mut out, 5);
        long(&mut out, size);
        begins.push(out.len());
        long(&mut out, 0);
    }
    let begin = out.len() as u64;
    for (place, begin) in begins.into_iter().zip([begin, begin + 4]) {
        out[place..place + 8].copy_from_slice(&begin.to_be_bytes());
    }
    for value in [
        10.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 30.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
    ] {
        out.extend(value.to_be_bytes());
    }
    out
}

#[test]
fn netcdf_of_64_bits_is_read_and_broken_counts_are_refused() {
    let whole = netcdf_of_64_bits();
    let mut reader = open_bytes("a.nc", &whole).unwrap();
    assert_eq!(
        (reader.len(), reader.n_atoms(), reader.time_step()),
        (2, 2, Some(20.0))
    );
    let mut frame = Frame::default();
    reader.read_at(1, &mut frame).unwrap();
    assert_eq!(
        frame.positions,
        [Vector3::new(7.0, 8.0, 9.0), Vector3::new(10.0, 11.0, 12.0)]
    );
    // any byte of the header may be wrong: an error or other frames, and nothing worse
    for place in 4..whole.len() - 56 {
        let mut broken = whole.clone();
        broken[place] = 0xff;
        if let Ok(mut reader) = open_bytes("a.nc", &broken) {
            let _ = reader.read_at(0, &mut frame);
        }
    }
}
