//! The pair kernel: Lennard-Jones, Coulomb and generalised Born energy of a row of pairs, with
//! forces.
//!
//! Still, Tempczyk, Hawley, Hendrickson, J. Am. Chem. Soc. 112, 6127 (1990), eq. 4, for the
//! generalised Born function.

use super::born::separations;
use super::lanes::{Atoms, PairReal, Sums, add_to};
use super::tiles::{Codes, TileKernel};
use super::vector::Vector;
use crate::numeric::Eight;

/// Second sweep: forces into [`Sums`], B·∂E/∂B of the pairs into [`Sums::scalar`], energies
/// (Lennard-Jones + Coulomb, and generalised Born) into the sweep's energies.
///
/// With `CUT`, the energy of a pair is multiplied by S(t) = t²(3 − 2t), where t falls from 1 to 0
/// over the squared distances between the start and the end of the switch.
pub(super) struct PairForces<T, const CUT: bool> {
    /// 1/(4πε₀), kJ·Å/mol/e².
    pub coulomb: T,
    /// k(1/ε_solute − 1/ε_solvent), kJ·Å/mol/e².
    pub solvation: T,
    /// Squared distance at which the switch ends, Å².
    pub end: T,
    /// 1/(end − start) of the switch, 1/Å².
    pub steepness: T,
}

/// Sums of one row over its tiles.
pub(super) struct RowSums<T: PairReal> {
    force: [T::Eight; 3],
    scalar: T::Eight,
    energy: [T::Eight; 2],
}

/// What a pair feels: force over distance, B·∂E/∂B (the same for both atoms), and the two energies.
struct Felt<T: PairReal> {
    push: T::Eight,
    d_born: T::Eight,
    energy: [T::Eight; 2],
}

impl<T: PairReal, const CUT: bool> PairForces<T, CUT> {
    #[inline(always)]
    fn felt<const MASKED: bool>(
        &self,
        row: &Atoms<T>,
        block: &Atoms<T>,
        codes: Codes,
        r2: T::Eight,
    ) -> Felt<T> {
        let all = |value: f64| T::Eight::all(T::of(value));
        let fma = T::Eight::fma;
        // generalised Born: f² = r² + B_i B_j e^(−a), a = r²/(4 B_i B_j)
        let product = row.born * block.born;
        let a = r2 * (all(0.25) * row.inverse_born) * block.inverse_born;
        let smeared = a.decay();
        let f2 = fma(product, smeared, r2);
        // one division and two roots for 1/r and 1/f
        let both = (r2 * f2).inverse();
        let (inverse_r2, inverse_f2) = (both * f2, both * r2);
        let (inverse_r, inverse_f) = (inverse_r2.root(), inverse_f2.root());
        let mut solvation = (row.charge * T::Eight::all(self.solvation)) * block.charge * inverse_f;
        let mut depth = row.root_epsilon * block.root_epsilon;
        let mut electric = (row.charge * T::Eight::all(self.coulomb)) * block.charge * inverse_r;
        if MASKED {
            let full = T::Eight::mask(codes.full);
            (depth, electric) = (depth.kept(full), electric.kept(full));
            solvation = solvation.kept(T::Eight::mask(codes.pair));
        }
        let slope = solvation * inverse_f2;
        // Lennard-Jones and Coulomb
        let sigma = row.half_sigma + block.half_sigma;
        let u = sigma * sigma * inverse_r2;
        let u3 = u * u * u;
        let depth = depth * u3;
        let push = fma(depth, fma(all(12.0), u3, all(-6.0)), electric);
        let smeared_slope = slope * smeared;
        Felt {
            push: fma(push, inverse_r2, fma(all(0.25), smeared_slope, -slope)),
            d_born: smeared_slope * product * fma(all(0.5), a, all(0.5)),
            energy: [fma(depth, u3, electric - depth), -solvation],
        }
    }

    /// The same with the switch of a cutoff.
    #[inline(always)]
    fn switched(&self, felt: Felt<T>, r2: T::Eight) -> Felt<T> {
        let all = |value: f64| T::Eight::all(T::of(value));
        let steepness = T::Eight::all(self.steepness);
        let t = ((T::Eight::all(self.end) - r2) * steepness)
            .greater(all(0.0))
            .lesser(all(1.0));
        let switch = t * t * T::Eight::fma(all(-2.0), t, all(3.0));
        // −2 ∂S/∂r²
        let slope = all(12.0) * t * (all(1.0) - t) * steepness;
        Felt {
            push: T::Eight::fma(switch, felt.push, slope * (felt.energy[0] + felt.energy[1])),
            d_born: felt.d_born * switch,
            energy: felt.energy.map(|energy| energy * switch),
        }
    }
}

impl<T: PairReal, const CUT: bool> TileKernel<T> for PairForces<T, CUT> {
    type Row = RowSums<T>;

    #[inline(always)]
    fn start() -> RowSums<T> {
        let zero = T::Eight::all(T::zero());
        RowSums {
            force: [zero; 3],
            scalar: zero,
            energy: [zero; 2],
        }
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(
        &self,
        row: &Atoms<T>,
        block: &Atoms<T>,
        codes: Codes,
        sum: &mut RowSums<T>,
        out: &mut Sums<T>,
    ) -> u8 {
        let (delta, r2) = separations::<T, MASKED>(row, block, codes);
        let mut felt = self.felt::<MASKED>(row, block, codes, r2);
        if CUT {
            felt = self.switched(felt, r2);
        }
        for (axis, delta) in delta.into_iter().enumerate() {
            let force = felt.push * delta;
            sum.force[axis] = sum.force[axis] + force;
            add_to(&mut out.force[axis], -force);
        }
        sum.scalar = sum.scalar + felt.d_born;
        add_to(&mut out.scalar, felt.d_born);
        sum.energy = [
            sum.energy[0] + felt.energy[0],
            sum.energy[1] + felt.energy[1],
        ];
        0
    }

    #[inline(always)]
    fn finish(sum: &RowSums<T>, lane: usize, out: &mut Sums<T>, energies: &mut [f64; 2]) {
        for (axis, lanes) in sum.force.iter().enumerate() {
            out.force[axis][lane] += lanes.sum();
        }
        out.scalar[lane] += sum.scalar.sum();
        for (energy, lanes) in energies.iter_mut().zip(&sum.energy) {
            *energy += lanes.values().iter().map(|value| value.wide()).sum::<f64>();
        }
    }
}
