//! Rollouts of a jump model from reference frames, judged against reference MD: the numbers of a model card.

use std::time::Instant;

use nalgebra::Vector3;
use serde::Serialize;

use super::relaxation::{autocorrelation, decorrelation_time};
use super::statistics::{mean, median};
use super::torsion::{torsion_series, torsions};
use super::validity::{BOND_LIMIT, Validity};
use super::{histogram::torsion_divergences, superpose::radius_of_gyration};
use crate::simulate::Stepper;
use crate::structure::{Frame, Topology};
use crate::{Error, Result};

/// Positions of all atoms in one frame, Å.
type Positions = Vec<Vector3<f64>>;

/// What a rollout is judged against: frames of reference MD, a fixed time apart.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The frames.
    pub frames: &'a [Positions],
    /// Time between them, ps.
    pub time_step: f64,
}

/// The numbers of one model on one molecule. `floor` is the same number between the halves of the reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Independent rollouts.
    pub chains: usize,
    /// Jumps of each.
    pub jumps: usize,
    /// Share of frames that are valid (see [`Validity`]).
    pub valid: f64,
    /// The same share in each fifth of the rollouts.
    pub valid_by_fifth: Vec<f64>,
    /// Share of frames with an inverted centre.
    pub inverted: f64,
    /// Share of frames with two heavy atoms closer than 1.5 Å.
    pub clashes: f64,
    /// Share of frames with a bond more than 0.2 Å off.
    pub bad_bonds: f64,
    /// RMS deviation of bonds from their templates, Å: model, reference.
    pub bond_deviation: [f64; 2],
    /// Largest deviation of a bond, Å.
    pub worst_bond: f64,
    /// Torsion divergence of the second half of the rollouts from the reference: mean over torsions, natural log, 100 bins.
    pub torsion_divergence: f64,
    /// The same between the halves of the reference.
    pub torsion_divergence_floor: f64,
    /// The same of reference MD of the rollouts' own number of frames, evenly spaced.
    pub torsion_divergence_same_size: f64,
    /// Divergence of each torsion.
    pub torsions: Vec<(String, f64)>,
    /// Median over torsions of decorrelation time, model over reference; where both are known.
    pub decorrelation_ratio: Option<f64>,
    /// Radius of gyration, Å: model, reference.
    pub radius_of_gyration: [f64; 2],
    /// Simulated time per wall time, ns/day, all chains together.
    pub ns_per_day: f64,
}

/// Rolls out `chains` replicas from evenly spaced frames of `starts` and judges them against `reference`.
///
/// # Errors
/// What the stepper reports; [`Error::Usage`] where there is no frame to start from or to judge against.
pub fn score(
    stepper: &mut dyn Stepper,
    topology: &Topology,
    validity: &Validity,
    starts: &[Positions],
    reference: Reference<'_>,
    [chains, jumps]: [usize; 2],
) -> Result<Scores> {
    if starts.is_empty() || reference.frames.len() < 4 || chains == 0 || jumps < 2 {
        return Err(Error::usage("too few frames to judge a rollout", "give start and reference trajectories, chains ≥ 1 and jumps ≥ 2"));
    }
    let first = |chain: usize| Frame::at_rest(starts[chain * starts.len() / chains].clone());
    let mut frames: Vec<Frame> = (0..chains).map(first).collect();
    let mut rollouts: Vec<Vec<Positions>> = vec![Vec::with_capacity(jumps); chains];
    let clock = Instant::now();
    for _ in 0..jumps {
        stepper.step(&mut frames)?;
        rollouts.iter_mut().zip(&frames).for_each(|(rollout, frame)| rollout.push(frame.positions.clone()));
    }
    let days = clock.elapsed().as_secs_f64() / 86_400.0;
    let mut scores = Scores { chains, jumps, ns_per_day: stepper.time_step() * 1e-3 * (chains * jumps) as f64 / days, ..Scores::default() };
    geometry(&mut scores, validity, &rollouts, reference.frames);
    distributions(&mut scores, topology, &rollouts, reference, stepper.time_step());
    Ok(scores)
}

fn geometry(scores: &mut Scores, validity: &Validity, rollouts: &[Vec<Positions>], reference: &[Positions]) {
    let frames = || rollouts.iter().flatten();
    let findings: Vec<_> = frames().map(|positions| validity.check(positions)).collect();
    let share =
        |holds: &dyn Fn(&super::validity::Findings) -> bool| findings.iter().filter(|f| holds(f)).count() as f64 / findings.len() as f64;
    scores.valid = share(&|f| f.valid());
    scores.inverted = share(&|f| !f.inverted.is_empty());
    scores.clashes = share(&|f| !f.contacts.is_empty());
    scores.bad_bonds = share(&|f| f.not_finite || f.worst_bond > BOND_LIMIT);
    scores.worst_bond = findings.iter().map(|f| f.worst_bond).fold(0.0, f64::max);
    let jumps = rollouts[0].len();
    let fifth = |part: usize| {
        let range = part * jumps / 5..(part + 1) * jumps / 5;
        let inside: Vec<f64> =
            findings.chunks(jumps).flat_map(|chain| &chain[range.clone()]).map(|f| f64::from(u8::from(f.valid()))).collect();
        mean(&inside)
    };
    scores.valid_by_fifth = (0..5).map(fifth).collect();
    let deviation = |squares: f64, frames: usize| (squares / (frames * validity.bonds()).max(1) as f64).sqrt();
    let sample: Vec<f64> = reference.iter().step_by(reference.len().div_ceil(2000)).map(|x| validity.check(x).bond_squares).collect();
    let model: f64 = findings.iter().map(|f| f.bond_squares).sum();
    scores.bond_deviation = [deviation(model, findings.len()), deviation(sample.iter().sum(), sample.len())];
}

fn distributions(scores: &mut Scores, topology: &Topology, rollouts: &[Vec<Positions>], reference: Reference<'_>, lag_time: f64) {
    let list = torsions(topology);
    let slices = |frames: &[Positions]| torsion_series(&list, frames.iter().map(Vec::as_slice));
    let jumps = rollouts[0].len();
    let second: Vec<Positions> = rollouts.iter().flat_map(|rollout| rollout[jumps / 2..].iter().cloned()).collect();
    let expected = slices(reference.frames);
    let divergences = torsion_divergences(&slices(&second), &expected);
    scores.torsion_divergence = mean(&divergences);
    scores.torsions = list.iter().map(|torsion| torsion.label(topology)).zip(divergences).collect();
    let half = reference.frames.len() / 2;
    let halves = torsion_divergences(&slices(&reference.frames[..half]), &slices(&reference.frames[half..]));
    scores.torsion_divergence_floor = mean(&halves);
    let stride = (reference.frames.len() / second.len().max(1)).max(1);
    let few: Vec<Positions> = reference.frames.iter().step_by(stride).cloned().collect();
    scores.torsion_divergence_same_size = mean(&torsion_divergences(&slices(&few), &expected));

    let per_chain: Vec<Vec<Vec<f64>>> = rollouts.iter().map(|rollout| slices(rollout)).collect();
    let ratio = |torsion: usize| {
        let segments: Vec<&[f64]> = per_chain.iter().map(|chain| chain[torsion].as_slice()).collect();
        let model = decorrelation_time(&autocorrelation(&segments, jumps / 2), lag_time)?;
        let longest = (jumps as f64 / 2.0 * lag_time / reference.time_step) as usize;
        Some(model / decorrelation_time(&autocorrelation(&[&expected[torsion]], longest), reference.time_step)?)
    };
    let ratios: Vec<f64> = (0..list.len()).filter_map(ratio).collect();
    scores.decorrelation_ratio = (!ratios.is_empty()).then(|| median(&ratios));
    let masses: Vec<f64> = topology.atoms.iter().map(|atom| atom.mass).collect();
    let radius = |frames: &[Positions]| mean(&frames.iter().map(|x| radius_of_gyration(x, &masses)).collect::<Vec<_>>());
    scores.radius_of_gyration = [radius(&second), radius(reference.frames)];
}
