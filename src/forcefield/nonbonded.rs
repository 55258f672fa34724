//! The pair kernel: Lennard-Jones, Coulomb and generalised Born energy of a row of pairs, with forces.
//!
//! Still, Tempczyk, Hawley, Hendrickson, J. Am. Chem. Soc. 112, 6127 (1990), eq. 4, for the generalised Born function.

use super::born::separations;
use super::lanes::{Block, LANES, Lane, PairReal, Row, Sums, add_to, take_from};
use super::tiles::{FULL, NOT_A_PAIR, TileKernel};

/// Second sweep: forces into [`Sums`], B·∂E/∂B of the pairs into [`Sums::scalar`], energies (Lennard-Jones + Coulomb, and
/// generalised Born) into the sweep's energies.
///
/// With `CUT`, the energy of a pair is multiplied by S(t) = t²(3 − 2t), where t falls from 1 to 0 over the squared distances
/// between the start and the end of the switch.
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
pub(super) struct RowSums<T> {
    force: [Lane<T>; 3],
    scalar: Lane<T>,
    energy: [Lane<T>; 2],
}

impl<T: PairReal, const CUT: bool> TileKernel<T> for PairForces<T, CUT> {
    type Row = RowSums<T>;

    #[inline(always)]
    fn start() -> RowSums<T> {
        let zero = [T::zero(); LANES];
        RowSums { force: [zero; 3], scalar: zero, energy: [zero; 2] }
    }

    #[inline(always)]
    fn tile<const MASKED: bool>(&self, row: &Row<T>, block: &Block<T>, codes: &[u8; LANES], sum: &mut RowSums<T>, out: &mut Sums<T>) {
        let [dx, dy, dz, r2] = separations::<T, MASKED>(row, block, codes);
        let row_coulomb = row.charge * self.coulomb;
        let row_solvation = row.charge * self.solvation;
        let quarter = T::of(0.25) * row.inverse_born;
        let mut pulls = [T::zero(); LANES];
        let mut d_borns = [T::zero(); LANES];
        let mut energies = [[T::zero(); LANES]; 2];
        for k in 0..LANES {
            // generalised Born: f² = r² + B_i B_j e^(−a), a = r²/(4 B_i B_j)
            let product = row.born * block.born[k];
            let a = r2[k] * quarter * block.inverse_born[k];
            let smeared = (-a).exp_fast();
            let f2 = T::fma(product, smeared, r2[k]);
            // one division and two roots for 1/r and 1/f
            let both = (r2[k] * f2).recip();
            let (inverse_r2, inverse_f2) = (both * f2, both * r2[k]);
            let (inverse_r, inverse_f) = (inverse_r2.sqrt(), inverse_f2.sqrt());
            let pair = if MASKED && codes[k] == NOT_A_PAIR { T::zero() } else { T::one() };
            let solvation = pair * row_solvation * block.charge[k] * inverse_f;
            let slope = solvation * inverse_f2;
            // Lennard-Jones and Coulomb
            let full = if MASKED && codes[k] != FULL { T::zero() } else { T::one() };
            let sigma = row.half_sigma + block.half_sigma[k];
            let u = sigma * sigma * inverse_r2;
            let u3 = u * u * u;
            let depth = full * row.root_epsilon * block.root_epsilon[k] * u3;
            let electric = full * row_coulomb * block.charge[k] * inverse_r;
            let push = T::fma(depth, T::fma(T::of(12.0), u3, T::of(-6.0)), electric);
            pulls[k] = push * inverse_r2 - slope * T::fma(T::of(-0.25), smeared, T::one());
            d_borns[k] = T::of(0.5) * slope * product * smeared * (T::one() + a);
            energies[0][k] = T::fma(depth, u3 - T::one(), electric);
            energies[1][k] = -solvation;
            if CUT {
                let t = ((self.end - r2[k]) * self.steepness).max(T::zero()).min(T::one());
                let switch = t * t * T::fma(T::of(-2.0), t, T::of(3.0));
                // −2 ∂S/∂r²
                let slope = T::of(12.0) * t * (T::one() - t) * self.steepness;
                pulls[k] = T::fma(switch, pulls[k], slope * (energies[0][k] + energies[1][k]));
                d_borns[k] *= switch;
                energies[0][k] *= switch;
                energies[1][k] *= switch;
            }
        }
        for (axis, delta) in [dx, dy, dz].iter().enumerate() {
            let mut force = [T::zero(); LANES];
            for k in 0..LANES {
                force[k] = pulls[k] * delta[k];
            }
            add_to(&mut sum.force[axis], &force);
            take_from(&mut out.force[axis], &force);
        }
        add_to(&mut sum.scalar, &d_borns);
        add_to(&mut out.scalar, &d_borns);
        add_to(&mut sum.energy[0], &energies[0]);
        add_to(&mut sum.energy[1], &energies[1]);
    }

    #[inline(always)]
    fn finish(sum: &RowSums<T>, lane: usize, out: &mut Sums<T>, energies: &mut [f64; 2]) {
        let total = |lanes: &Lane<T>| lanes.iter().copied().sum::<T>();
        for (axis, lanes) in sum.force.iter().enumerate() {
            out.force[axis][lane] += total(lanes);
        }
        out.scalar[lane] += total(&sum.scalar);
        for (energy, lanes) in energies.iter_mut().zip(&sum.energy) {
            *energy += lanes.iter().map(|value| value.wide()).sum::<f64>();
        }
    }
}
