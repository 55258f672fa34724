//! The compressed coordinates of XTC: integers of 1/precision, packed into as few bits as their
//! range asks for.
//!
//! The first atom of a group is stored in the bits that the frame's whole range needs; up to eight
//! atoms behind it as small differences, each from the atom before it. A group starts with a bit
//! that says whether a 5-bit number follows: three times the count of differences, plus 0, 1 or 2
//! for a step down, none or up in the table of small ranges. The first two atoms of a group with
//! differences change places (so that the oxygen of a water is the middle of its differences).
//! Source: the format as GROMACS' xdrfile defines it.

/// Ranges of small differences: entry i holds three numbers below it in i bits, about 2^(i/3).
const RANGES: [u32; 73] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 101, 128, 161, 203, 256,
    322, 406, 512, 645, 812, 1024, 1290, 1625, 2048, 2580, 3250, 4096, 5060, 6501, 8192, 10321,
    13003, 16384, 20642, 26007, 32768, 41285, 52015, 65536, 82570, 104031, 131072, 165140, 208063,
    262144, 330280, 416127, 524287, 660561, 832255, 1048576, 1321122, 1664510, 2097152, 2642245,
    3329021, 4194304, 5284491, 6658042, 8388607, 10568983, 13316085, 16777216,
];
/// The smallest entry in use.
const FIRST: usize = 9;
/// Differences of a group at most.
const RUN: usize = 8;

/// Numbers above this are not multiplied into one.
const PACKED_BELOW: u32 = 1 << 24;

/// What precedes the bits: lowest and highest coordinates and the first small range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub low: [i32; 3],
    pub high: [i32; 3],
    pub small: usize,
}

impl Bounds {
    /// Whether a file may hold these.
    pub fn possible(&self) -> bool {
        let ordered = |(low, high): (&i32, &i32)| {
            high.checked_sub(*low)
                .is_some_and(|range| (0..i32::MAX - 2).contains(&range))
        };
        self.low.iter().zip(&self.high).all(ordered) && (FIRST..RANGES.len()).contains(&self.small)
    }
    fn layout(&self) -> Layout {
        let sizes = [0, 1, 2].map(|axis| (self.high[axis] - self.low[axis]) as u32 + 1);
        let length = |value: u128| 128 - value.leading_zeros();
        if sizes.iter().any(|&size| size >= PACKED_BELOW) {
            Layout::Apart(sizes.map(|size| length(u128::from(size))))
        } else {
            Layout::Packed(
                sizes,
                length(sizes.iter().map(|&size| u128::from(size)).product()),
            )
        }
    }
}

/// How a whole coordinate is stored.
enum Layout {
    /// Three numbers of so many bits.
    Apart([u32; 3]),
    /// Three numbers below sizes, as one number of so many bits.
    Packed([u32; 3], u32),
}

/// Bytes behind the last, so that a read of 16 may begin at any of a frame's.
const PADDING: usize = 16;

/// Reads bits, the highest of each byte first. Reading past the end gives zeros: ask
/// [`Bits::whole`] at the end.
struct Bits {
    /// The frame's bytes and [`PADDING`] zeros.
    bytes: Vec<u8>,
    place: usize,
}

impl Bits {
    fn new(bytes: &[u8]) -> Self {
        Bits {
            bytes: [bytes, &[0; PADDING]].concat(),
            place: 0,
        }
    }
    /// Whether everything read was there.
    fn whole(&self) -> bool {
        self.place <= 8 * (self.bytes.len() - PADDING)
    }
    /// The next bits at the top of a number: 57 of 64 at least, or 121 of 128.
    fn ahead<const N: usize>(&self) -> [u8; N] {
        let start = self.place / 8;
        self.bytes
            .get(start..start + N)
            .map_or([0; N], |window| window.try_into().expect("N bytes"))
    }
    /// The next `count` bits, 1 to 32.
    fn take(&mut self, count: u32) -> u32 {
        let window = u64::from_be_bytes(self.ahead()) << (self.place % 8);
        self.place += count as usize;
        (window >> (64 - count)) as u32
    }
    /// Three numbers below `sizes` from one number of `count` bits, 1 to 72, stored lowest byte
    /// first.
    fn unpack(&mut self, count: u32, sizes: &Sizes) -> [i32; 3] {
        let (bytes, rest) = (count / 8, count % 8);
        if count > 57 {
            let window = u128::from_be_bytes(self.ahead()) << (self.place % 8);
            self.place += count as usize;
            let low = window.swap_bytes() & ((1 << (8 * bytes)) - 1);
            let high = window >> (128 - count) & ((1 << rest) - 1);
            return sizes.split_wide(low | high << (8 * bytes));
        }
        let window = u64::from_be_bytes(self.ahead()) << (self.place % 8);
        self.place += count as usize;
        let low = window.swap_bytes() & ((1 << (8 * bytes)) - 1);
        let high = window >> (64 - count) & ((1 << rest) - 1);
        sizes.split(low | high << (8 * bytes))
    }
}

/// The ranges of three numbers x, y, z that were multiplied into one, (x·Y + y)·Z + z.
struct Sizes {
    y: Divisor,
    z: Divisor,
}

impl Sizes {
    fn new(sizes: [u32; 3]) -> Self {
        Sizes {
            y: Divisor::new(sizes[1]),
            z: Divisor::new(sizes[2]),
        }
    }
    fn split(&self, value: u64) -> [i32; 3] {
        let (rest, z) = self.z.divide(value);
        let (x, y) = self.y.divide(rest);
        [x as i32, y as i32, z as i32]
    }
    fn split_wide(&self, value: u128) -> [i32; 3] {
        let (y, z) = (u128::from(self.y.by), u128::from(self.z.by));
        [
            (value / z / y) as i32,
            (value / z % y) as i32,
            (value % z) as i32,
        ]
    }
}

/// Division by one number many times: by its reciprocal, which is several times as fast as a
/// division.
struct Divisor {
    by: u64,
    /// ⌊(2⁶⁴ − 1)/by⌋.
    reciprocal: u64,
}

impl Divisor {
    fn new(by: u32) -> Self {
        let by = u64::from(by.max(1));
        Divisor {
            by,
            reciprocal: u64::MAX / by,
        }
    }
    /// Quotient and remainder of a value below 2⁶³. 2⁶⁴/by is larger than the reciprocal by 2 at
    /// most, so the first quotient is too small by one at most.
    fn divide(&self, value: u64) -> (u64, u64) {
        let quotient = ((u128::from(value) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = value - quotient * self.by;
        if rest >= self.by {
            (quotient + 1, rest - self.by)
        } else {
            (quotient, rest)
        }
    }
}

/// Unpacks `atoms` coordinates; none where the bits are not what an XTC frame can hold.
pub(super) fn decode(bytes: &[u8], bounds: &Bounds, atoms: usize) -> Option<Vec<[i32; 3]>> {
    // two bits an atom at least: a broken count must not ask for more memory than that
    if atoms > 4 * bytes.len() {
        return None;
    }
    let mut bits = Bits::new(bytes);
    let layout = bounds.layout();
    let packed = if let Layout::Packed(sizes, _) = layout {
        Sizes::new(sizes)
    } else {
        Sizes::new([1; 3])
    };
    let mut small = bounds.small;
    let mut run = 0;
    let mut range = Sizes::new([RANGES[small]; 3]);
    let mut out: Vec<[i32; 3]> = Vec::with_capacity(atoms);
    while out.len() < atoms {
        let whole = match layout {
            Layout::Apart(lengths) => lengths.map(|length| bits.take(length) as i32),
            Layout::Packed(_, length) => bits.unpack(length, &packed),
        };
        let leader = add(whole, bounds.low);
        let mut change = 1;
        if bits.take(1) == 1 {
            let code = bits.take(5) as usize;
            (run, change) = (code / 3, code % 3);
        }
        if out.len() + run >= atoms {
            return None;
        }
        let half = (RANGES[small] / 2) as i32;
        let mut last = leader;
        for difference in 0..run {
            last = add(add(bits.unpack(small as u32, &range), last), [-half; 3]);
            out.push(last);
            if difference == 0 {
                out.push(leader);
            }
        }
        if run == 0 {
            out.push(leader);
        }
        if change != 1 {
            small = (small + change)
                .checked_sub(1)
                .filter(|small| (FIRST..RANGES.len()).contains(small))?;
            range = Sizes::new([RANGES[small]; 3]);
        }
    }
    bits.whole().then_some(out)
}

fn add(a: [i32; 3], b: [i32; 3]) -> [i32; 3] {
    [0, 1, 2].map(|axis| a[axis].wrapping_add(b[axis]))
}

/// Writes bits, the highest of each byte first.
#[derive(Default)]
struct Packer {
    bytes: Vec<u8>,
    /// The last `held` bits, fewer than 8 between calls, are not in `bytes` yet.
    bits: u64,
    held: u32,
}

impl Packer {
    fn put(&mut self, count: u32, value: u32) {
        self.bits = self.bits << count | u64::from(value);
        self.held += count;
        while self.held >= 8 {
            self.held -= 8;
            self.bytes.push((self.bits >> self.held) as u8);
        }
    }
    fn finish(mut self) -> Vec<u8> {
        if self.held > 0 {
            self.bytes.push((self.bits << (8 - self.held)) as u8);
        }
        self.bytes
    }
    fn pack(&mut self, count: u32, sizes: [u32; 3], values: [u32; 3]) {
        let [_, y, z] = sizes.map(u128::from);
        let number =
            (u128::from(values[0]) * y + u128::from(values[1])) * z + u128::from(values[2]);
        for shift in (0..count).step_by(8) {
            let bits = 8.min(count - shift);
            self.put(bits, (number >> shift & 0xff) as u32);
        }
    }
}

fn near(a: &[i32; 3], b: &[i32; 3], half: u32) -> bool {
    [0, 1, 2]
        .iter()
        .all(|&axis| a[axis].abs_diff(b[axis]) < half)
}

/// Packs coordinates with one small range for the whole frame.
fn encode_with(points: &[[i32; 3]], bounds: &Bounds) -> Vec<u8> {
    let mut packer = Packer::default();
    let layout = bounds.layout();
    let (range, half) = (RANGES[bounds.small], RANGES[bounds.small] / 2);
    let (mut start, mut last_run) = (0, 0);
    while start < points.len() {
        // differences: second atom to first (they change places), third to first, fourth to third,
        // …
        let mut run = 0;
        while run < RUN && start + run + 1 < points.len() {
            let (from, to) = if run == 0 {
                (start + 1, start)
            } else {
                (if run == 1 { start } else { start + run }, start + run + 1)
            };
            if !near(&points[from], &points[to], half) {
                break;
            }
            run += 1;
        }
        let leader = points[if run > 0 { start + 1 } else { start }];
        let whole = [0, 1, 2].map(|axis| (leader[axis] - bounds.low[axis]) as u32);
        match layout {
            Layout::Apart(lengths) => {
                (0..3).for_each(|axis| packer.put(lengths[axis], whole[axis]));
            }
            Layout::Packed(sizes, length) => packer.pack(length, sizes, whole),
        }
        packer.put(1, u32::from(run != last_run));
        if run != last_run {
            packer.put(5, 3 * run as u32 + 1);
            last_run = run;
        }
        let mut last = leader;
        for difference in 0..run {
            let point = points[if difference == 0 {
                start
            } else {
                start + difference + 1
            }];
            packer.pack(
                bounds.small as u32,
                [range; 3],
                [0, 1, 2].map(|axis| (point[axis] - last[axis] + half as i32) as u32),
            );
            last = point;
        }
        start += run + 1;
    }
    packer.finish()
}

/// Packs coordinates; of a few small ranges that differences of neighbours suggest, the one that
/// takes the fewest bytes.
pub(super) fn encode(points: &[[i32; 3]]) -> (Bounds, Vec<u8>) {
    let mut bounds = Bounds {
        low: [i32::MAX; 3],
        high: [i32::MIN; 3],
        small: FIRST,
    };
    for point in points {
        bounds.low = [0, 1, 2].map(|axis| bounds.low[axis].min(point[axis]));
        bounds.high = [0, 1, 2].map(|axis| bounds.high[axis].max(point[axis]));
    }
    let distance = |pair: &[[i32; 3]]| {
        (0..3)
            .map(|axis| pair[0][axis].abs_diff(pair[1][axis]))
            .max()
            .unwrap_or(0)
    };
    let mut distances: Vec<u32> = points.windows(2).map(distance).collect();
    distances.sort_unstable();
    let mut smalls: Vec<usize> = [5, 7, 8, 9]
        .iter()
        .filter_map(|tenths| distances.get(distances.len() * tenths / 10))
        .map(|&distance| {
            RANGES
                .iter()
                .position(|&range| range / 2 > distance)
                .unwrap_or(RANGES.len() - 1)
                .max(FIRST)
        })
        .collect();
    smalls.dedup();
    let candidates = smalls.into_iter().map(|small| {
        let bounds = Bounds { small, ..bounds };
        (bounds, encode_with(points, &bounds))
    });
    candidates
        .min_by_key(|(_, bytes)| bytes.len())
        .unwrap_or_else(|| (bounds, encode_with(points, &bounds)))
}

#[cfg(test)]
mod tests;
