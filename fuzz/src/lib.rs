//! What is fuzzed: every reader of files that come from elsewhere. A target is a function of the
//! file's bytes; it fails by a panic, by running out of memory or by taking too long. Errors are
//! what readers are for.
//!
//! `tests/fuzz_findings.rs` includes this file, so that what was found once stays mended.

use std::io::Write;
use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::structure::{Frame, ReadOptions, read, read_models};
use mdsurrogate::task::from_bytes;
use mdsurrogate::train::config::Config;
use mdsurrogate::trajectory::Reader;

/// Calls `reader` with a file of these bytes whose name has this ending.
fn with_file(ending: &str, bytes: &[u8], reader: impl FnOnce(&Path)) {
    let mut builder = tempfile::Builder::new();
    builder.suffix(ending);
    // memory, where there is a folder of it: libFuzzer makes thousands of files a second
    let memory = Path::new("/dev/shm");
    let file = if memory.is_dir() {
        builder.tempfile_in(memory)
    } else {
        builder.tempfile()
    };
    let mut file = file.expect("a temporary file can be made");
    file.write_all(bytes).expect("it can be written");
    reader(file.path());
}

/// Structure text, PDB and mmCIF (told by content), plain or gzipped.
pub fn structure(bytes: &[u8]) {
    with_file(".pdb", bytes, |path| {
        let _ = read(path, &ReadOptions::default());
        let _ = read_models(path, &ReadOptions::default());
    });
}

fn trajectory(ending: &str, bytes: &[u8]) {
    with_file(ending, bytes, |path| {
        let Ok(mut reader) = Reader::open(path, None) else {
            return;
        };
        let mut frame = Frame::default();
        for index in 0..reader.len() {
            if reader.read_at(index, &mut frame).is_ok() {
                assert_eq!(frame.positions.len(), reader.n_atoms());
            }
        }
        assert_eq!(
            reader.times().map_or(reader.len(), <[f64]>::len),
            reader.len()
        );
    });
}

/// GROMACS XTC.
pub fn xtc(bytes: &[u8]) {
    trajectory(".xtc", bytes);
}

/// CHARMM and NAMD DCD.
pub fn dcd(bytes: &[u8]) {
    trajectory(".dcd", bytes);
}

/// GROMACS TRR.
pub fn trr(bytes: &[u8]) {
    trajectory(".trr", bytes);
}

/// Amber NetCDF.
pub fn netcdf(bytes: &[u8]) {
    trajectory(".nc", bytes);
}

/// PDB of many models as a trajectory.
pub fn pdb_trajectory(bytes: &[u8]) {
    trajectory(".pdb", bytes);
}

/// A model file; and the bytes as the header of one, which libFuzzer would hardly find the way to.
pub fn model_header(bytes: &[u8]) {
    let path = Path::new("m.safetensors");
    let _ = from_bytes(bytes, path, Cpu::<f32>::new());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = from_bytes(&safetensors_of(text), path, Cpu::<f32>::new());
    }
}

/// A safetensors file without tensors whose header is this text: eight bytes of length, then JSON.
fn safetensors_of(header: &str) -> Vec<u8> {
    let mut quoted = String::from("{\"__metadata__\":{\"mdsurrogate\":\"");
    for character in header.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' => quoted += &format!("\\u{:04x}", character as u32),
            _ => quoted.push(character),
        }
    }
    quoted += "\"}}";
    let mut file = (quoted.len() as u64).to_le_bytes().to_vec();
    file.extend(quoted.as_bytes());
    file
}

/// The checkpoint of a run.
pub fn run_checkpoint(bytes: &[u8]) {
    with_file(".ckpt", bytes, |path| {
        let _ = mdsurrogate::simulate::checkpoint::Checkpoint::read(path);
    });
}

/// The checkpoint of a training.
pub fn training_checkpoint(bytes: &[u8]) {
    with_file(".ckpt", bytes, |path| {
        let _ = mdsurrogate::train::checkpoint::Checkpoint::read(path);
    });
}

/// The configuration of a training (TOML), but for those that name a model to start from: its file
/// would be read, whatever it is.
pub fn training_config(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains("initial")
    {
        let config = Config::parse(text.to_owned(), Path::new("train.toml"));
        let _ = config.map(|config| config.check());
    }
}
