//! Faults of known size, planted in MD.

use std::collections::HashSet;

use mdsurrogate::compare::row::Looker;
use mdsurrogate::geometry::torsion::{Kind, Torsion, wrap};
use mdsurrogate::structure::Topology;
use nalgebra::{Rotation3, Unit, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::Positions;

/// The torsion of that label.
pub fn named<'a>(looker: &'a Looker, label: &str) -> &'a Torsion {
    let found = looker
        .torsions
        .iter()
        .find(|torsion| torsion.label(&looker.topology) == label);
    found.unwrap_or_else(|| panic!("no torsion {label}"))
}

/// Atoms that turn with the last two of a torsion; none where its middle bond is part of a ring.
fn beyond(topology: &Topology, torsion: &Torsion) -> Option<Vec<usize>> {
    let [_, from, to, _] = torsion.atoms;
    let neighbours = topology.neighbours();
    let (mut found, mut open) = (HashSet::from([from, to]), vec![to]);
    while let Some(atom) = open.pop() {
        for &next in &neighbours[atom] {
            if atom != to && next == from {
                return None;
            }
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    let moving = found.into_iter().filter(|atom| ![from, to].contains(atom));
    Some(moving.collect())
}

/// Whether a torsion can be turned by itself.
pub fn turns(topology: &Topology, torsion: &Torsion) -> bool {
    beyond(topology, torsion).is_some()
}

/// Turns one torsion of every frame by what `change` says of its angle, rad, and the frame's
/// number.
pub fn turn(
    frames: &mut [Positions],
    topology: &Topology,
    torsion: &Torsion,
    mut change: impl FnMut(usize, f64) -> f64,
) {
    let moving = beyond(topology, torsion).expect("a torsion that is in no ring");
    let [_, from, to, _] = torsion.atoms;
    for (index, frame) in frames.iter_mut().enumerate() {
        let before = torsion.angle(frame);
        let angle = change(index, before);
        let (start, axis) = (frame[to], Unit::new_normalize(frame[to] - frame[from]));
        let rotation: Rotation3<f64> = Rotation3::from_axis_angle(&axis, angle);
        moving
            .iter()
            .for_each(|&atom| frame[atom] = start + rotation * (frame[atom] - start));
        assert!(wrap(torsion.angle(frame) - before - angle).abs() <= 1e-6);
    }
}

/// The well that a phase is in, as docs/measures.md has them: thirds of the turn for χ, the sign
/// of φ, a helical and an extended ψ, near ±90° or 0° for groups that half a turn leaves as they
/// are.
fn well(kind: Kind, phase: f64) -> usize {
    let degrees = phase.to_degrees();
    match kind {
        Kind::Phi => usize::from(degrees >= 0.0),
        Kind::Psi => usize::from((-120.0..60.0).contains(&degrees)),
        Kind::Omega | Kind::HalfTurn(_) => usize::from(degrees.abs() <= 90.0),
        Kind::Chi(_) => (degrees.rem_euclid(360.0) / 120.0).floor().min(2.0) as usize,
    }
}

/// Makes a torsion wider by a factor about the mean of the well that it is in.
pub fn widen(frames: &mut [Positions], topology: &Topology, torsion: &Torsion, factor: f64) {
    let (kind, fold) = (torsion.kind, torsion.kind.fold());
    let mut means = [(0.0, 0.0); 3];
    for frame in frames.iter() {
        let phase = torsion.phase(frame);
        let mean = &mut means[well(kind, phase)];
        *mean = (mean.0 + phase.cos(), mean.1 + phase.sin());
    }
    let means = means.map(|(cos, sin): (f64, f64)| sin.atan2(cos));
    turn(frames, topology, torsion, |_, angle| {
        let phase = wrap(fold * angle);
        (factor - 1.0) * wrap(phase - means[well(kind, phase)]) / fold
    });
}

/// Moves a share of all frames from the fullest well of a χ to the next one.
pub fn move_share(frames: &mut [Positions], topology: &Topology, torsion: &Torsion, share: f64) {
    let (kind, fold) = (torsion.kind, torsion.kind.fold());
    let next = match kind {
        Kind::HalfTurn(_) => std::f64::consts::FRAC_PI_2,
        _ => std::f64::consts::TAU / 3.0,
    };
    let mut counts = [0.0f64; 3];
    frames
        .iter()
        .for_each(|frame| counts[well(kind, torsion.phase(frame))] += 1.0);
    let fullest = (0..3)
        .max_by(|&a, &b| counts[a].total_cmp(&counts[b]))
        .unwrap();
    let chance = share * frames.len() as f64 / counts[fullest];
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    turn(frames, topology, torsion, |_, angle| {
        let inside = well(kind, wrap(fold * angle)) == fullest;
        let moves = inside && rng.random_range(0.0..1.0) < chance;
        f64::from(u8::from(moves)) * next
    });
}

/// Turns a torsion by a third of a turn in every second frame.
pub fn unfold(frames: &mut [Positions], topology: &Topology, torsion: &Torsion) {
    turn(frames, topology, torsion, |index, _| {
        f64::from(u8::from(index.is_multiple_of(2))) * std::f64::consts::TAU / 3.0
    });
}

/// Positions of the atoms that a looker compares, superposed or not.
pub fn picked(frame: &[Vector3<f64>], picks: &[usize]) -> Positions {
    picks.iter().map(|&atom| frame[atom]).collect()
}
