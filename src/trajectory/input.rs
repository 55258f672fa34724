//! A binary file read from front to back, with its place known.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use nalgebra::Vector3;

use crate::error::Place;
use crate::{Error, Result};

pub(super) struct Input {
    reader: BufReader<File>,
    /// Bytes from the start of the file.
    pub position: u64,
    /// Length of the file when it was opened, bytes.
    pub size: u64,
    /// Byte order of the numbers; big-endian unless a format's reader finds otherwise.
    pub big_endian: bool,
}

/// The file ended before a value, or cannot be read further.
#[derive(Debug)]
pub(super) struct Ended;

impl From<Ended> for String {
    fn from(_: Ended) -> String {
        "ends before its last value".to_owned()
    }
}

impl Input {
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> std::io::Result<Self> {
            let file = File::open(path)?;
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Err(std::io::ErrorKind::IsADirectory.into());
            }
            Ok(Input {
                reader: BufReader::with_capacity(1 << 14, file),
                position: 0,
                size: meta.len(),
                big_endian: true,
            })
        };
        let input = open().map_err(|source| Error::reading(path, &source))?;
        if input.size == 0 {
            return Err(Error::input(
                Place::file(path),
                "is empty",
                "copy or write the file again",
            ));
        }
        Ok(input)
    }
    /// Bytes that are left.
    pub fn rest(&self) -> u64 {
        self.size - self.position
    }
    /// Whether nothing but zeros is left, as where a disk was lost before the bytes were on it.
    /// Reads to the end.
    pub fn only_zeros_left(&mut self) -> bool {
        let mut buffer = Vec::new();
        while !self.at_end() {
            let some = self.rest().min(1 << 16);
            if self.fill(some, &mut buffer).is_err() || buffer.iter().any(|&byte| byte != 0) {
                return false;
            }
        }
        true
    }
    pub fn at_end(&self) -> bool {
        self.position >= self.size
    }
    pub fn go_to(&mut self, position: u64) -> Result<(), Ended> {
        let offset =
            i64::try_from(i128::from(position) - i128::from(self.position)).map_err(|_| Ended)?;
        if position > self.size {
            return Err(Ended);
        }
        self.reader.seek_relative(offset).map_err(|_| Ended)?;
        self.position = position;
        Ok(())
    }
    pub fn skip(&mut self, bytes: u64) -> Result<(), Ended> {
        self.go_to(self.position.checked_add(bytes).ok_or(Ended)?)
    }
    /// The next `count` bytes, in `buffer`.
    pub fn fill(&mut self, count: u64, buffer: &mut Vec<u8>) -> Result<(), Ended> {
        // a broken count must not ask for more memory than the file has bytes
        if count > self.size - self.position {
            return Err(Ended);
        }
        buffer.resize(count as usize, 0);
        self.reader.read_exact(buffer).map_err(|_| Ended)?;
        self.position += count;
        Ok(())
    }
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Ended> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|_| Ended)?;
        self.position += N as u64;
        Ok(bytes)
    }
    pub fn u32(&mut self) -> Result<u32, Ended> {
        let bytes = self.bytes()?;
        Ok(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
    pub fn u64(&mut self) -> Result<u64, Ended> {
        let bytes = self.bytes()?;
        Ok(if self.big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }
    pub fn i32(&mut self) -> Result<i32, Ended> {
        self.u32().map(u32::cast_signed)
    }
    pub fn f32(&mut self) -> Result<f32, Ended> {
        self.u32().map(f32::from_bits)
    }
    pub fn f64(&mut self) -> Result<f64, Ended> {
        self.u64().map(f64::from_bits)
    }
    /// A number of 4 or 8 bytes.
    pub fn real(&mut self, double: bool) -> Result<f64, Ended> {
        if double {
            self.f64()
        } else {
            self.f32().map(f64::from)
        }
    }
    /// `count` vectors times `scale`, into `out`.
    pub fn vectors(
        &mut self,
        count: usize,
        double: bool,
        scale: f64,
        out: &mut Vec<Vector3<f64>>,
    ) -> Result<(), Ended> {
        let width = if double { 24 } else { 12 };
        if count as u64 * width > self.size - self.position {
            return Err(Ended);
        }
        out.clear();
        for _ in 0..count {
            let vector = Vector3::new(self.real(double)?, self.real(double)?, self.real(double)?);
            out.push(vector * scale);
        }
        Ok(())
    }
}
