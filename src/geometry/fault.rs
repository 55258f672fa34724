//! What is wrong with a frame, one limit of [`super::validity`] at a time.

/// Most that a bond may deviate, Å.
pub const BOND_LIMIT: f64 = 0.2;
/// Most that a 1-3 distance may deviate, Å.
pub const ANGLE_LIMIT: f64 = 0.5;
/// Least distance of two heavy atoms that are not bonded, Å.
pub const CONTACT_LIMIT: f64 = 1.5;
/// How much closer than in the input two atoms may come that are too close there, Å; and how much
/// farther apart than the limit they are when that is mended.
const CLOSER: f64 = 0.3;

/// One limit that a frame breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// A bond that deviates from its template by `off` Å.
    Bond {
        /// Its atoms.
        atoms: [usize; 2],
        /// By how much, Å.
        off: f64,
    },
    /// A 1-3 distance that deviates from its template by `off` Å.
    Angle {
        /// Its outer atoms.
        atoms: [usize; 2],
        /// By how much, Å.
        off: f64,
    },
    /// Two heavy atoms without a bond that are too close.
    Contact {
        /// The atoms.
        atoms: [usize; 2],
        /// Their distance, Å.
        distance: f64,
    },
    /// A centre that is inverted.
    Inverted {
        /// The atom.
        centre: usize,
    },
    /// A peptide bond that is cis.
    Cis {
        /// Its nitrogen.
        nitrogen: usize,
    },
}

impl Fault {
    /// Whether both are of one kind at the same atoms.
    pub fn is_at(&self, other: &Fault) -> bool {
        match (self, other) {
            (Fault::Bond { atoms: a, .. }, Fault::Bond { atoms: b, .. })
            | (Fault::Angle { atoms: a, .. }, Fault::Angle { atoms: b, .. })
            | (Fault::Contact { atoms: a, .. }, Fault::Contact { atoms: b, .. }) => a == b,
            (Fault::Inverted { centre: a }, Fault::Inverted { centre: b })
            | (Fault::Cis { nitrogen: a }, Fault::Cis { nitrogen: b }) => a == b,
            _ => false,
        }
    }

    /// Whether this is no worse than `other`, of the same kind, by more than half of the kind's
    /// limit, which is as much as a thermal vibration adds.
    pub fn is_no_worse_than(&self, other: &Fault) -> bool {
        match (self, other) {
            (Fault::Bond { off: now, .. }, Fault::Bond { off: then, .. }) => {
                *now <= then + 0.5 * BOND_LIMIT
            }
            (Fault::Angle { off: now, .. }, Fault::Angle { off: then, .. }) => {
                *now <= then + 0.5 * ANGLE_LIMIT
            }
            (Fault::Contact { distance: now, .. }, Fault::Contact { distance: then, .. }) => {
                *now >= then - CLOSER
            }
            _ => true,
        }
    }

    /// Whether a deviation of this size is well within its limit: not there by chance for a moment.
    pub fn is_healed(&self) -> bool {
        match *self {
            Fault::Bond { off, .. } => off <= 0.5 * BOND_LIMIT,
            Fault::Angle { off, .. } => off <= 0.5 * ANGLE_LIMIT,
            Fault::Contact { distance, .. } => distance >= CONTACT_LIMIT + CLOSER,
            Fault::Inverted { .. } | Fault::Cis { .. } => false,
        }
    }
}
