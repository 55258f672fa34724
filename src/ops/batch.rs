//! One call of the network: systems, their edges and their three-neighbour centres. Positions are
//! not here: they are inputs.

/// Number of relation classes of an edge: 6 bond-graph distances (1, 2, 3, 4, further in the same
/// chain, other chain) × 5 residue-index differences (clipped to −2 … 2).
pub const RELATIONS: usize = 30;

/// Directed edges by receiving token: token `i` receives from `sender[start[i]..start[i + 1]]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edges {
    /// N + 1 offsets.
    pub start: Vec<u32>,
    /// Sending token of each edge, ascending within a receiver; never the receiver itself; of the
    /// same system.
    pub sender: Vec<u32>,
    /// Relation class of each edge, `< RELATIONS`.
    pub relation: Vec<u8>,
    /// Template distance of each edge, Å; 0 where the pair is not rigid (no 1-2, 1-3 or rigid 1-4
    /// pair).
    pub template: Vec<f32>,
}

/// A token with three bonded heavy neighbours: a stereo, prochiral or planar centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    /// The centre, then its neighbours; the order of the neighbours fixes the sign of the height.
    pub tokens: [u32; 4],
    /// Template of ((a1 − a0) · ((a2 − a1) × (a3 − a1))) / `area`, Å.
    pub height: f32,
    /// Template of |(a2 − a1) × (a3 − a1)|, Å².
    pub area: f32,
}

/// One or many systems, concatenated token by token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// First token of each system, and the number of tokens at the end.
    pub offsets: Vec<usize>,
    /// Per token the rows of the embedding tables: atom name, residue, place in the chain (see
    /// `network::tokens`).
    pub kinds: Vec<[u16; 3]>,
    /// Pairs that exchange messages.
    pub edges: Edges,
    /// Three-neighbour centres, grouped by system, in the order of `centre_offsets`.
    pub centres: Vec<Centre>,
    /// First centre of each system, and the number of centres at the end.
    pub centre_offsets: Vec<usize>,
    /// Per system the length that an answer of 1 stands for and that deviations from templates are
    /// seen in, Å (EDM's c_out; the scale of displacements; 0.1 Å for forces).
    pub scale: Vec<f64>,
}

impl Batch {
    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.kinds.len()
    }
    /// Number of systems.
    pub fn systems(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }
    /// Token range of a system.
    pub fn range(&self, system: usize) -> std::ops::Range<usize> {
        self.offsets[system]..self.offsets[system + 1]
    }
    /// The system of every token.
    pub fn system_of_tokens(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.systems()).flat_map(|system| std::iter::repeat_n(system, self.range(system).len()))
    }
}
