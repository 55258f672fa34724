//! Comparisons whose outcome is known beforehand.

use std::f64::consts::FRAC_PI_2;

use mdsurrogate::compare::measures::{Options, TorsionReport, measure};
use mdsurrogate::compare::row::Looker;
use mdsurrogate::compare::verdict::Verdict;
use mdsurrogate::geometry::torsion::{Kind, Torsion, torsions};
use nalgebra::{Rotation3, Unit, Vector3};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{
    Compared, Input, Positions, Trajectory, compare, stored, structure, topology, write,
};
use crate::faults::{move_share, named, widen};

const STEP: f64 = 50.0;

/// AKLE's first trajectory, changed, beside itself; DCD, which does not round as XTC does.
fn changed(change: impl FnOnce(&mut Vec<Positions>)) -> Compared {
    let folder = tempfile::tempdir().unwrap();
    let mut frames = Trajectory::read("akle_a.xtc").into_frames();
    let file = |name: &str| -> Input { (folder.path().join(name), structure("akle")) };
    write(&file("same.dcd").0, &frames, STEP, None);
    change(&mut frames);
    write(&file("changed.dcd").0, &frames, STEP, None);
    compare(&file("changed.dcd"), &file("same.dcd")).unwrap()
}

/// How far each measure is from "the same", with its name.
fn distances(compared: &Compared) -> Vec<(&str, f64)> {
    let higher = ["rmsf_r", "weak_contacts_j", "exposed_j"];
    let lack = |name: &str, value: f64| {
        if higher.contains(&name) {
            1.0 - value
        } else {
            value
        }
    };
    compared
        .findings
        .measures
        .iter()
        .map(|measure| {
            (
                measure.name.as_str(),
                lack(&measure.name, measure.value.unwrap()),
            )
        })
        .collect()
}

#[test]
fn a_trajectory_is_no_distance_from_itself() {
    let compared = changed(|_| ());
    for (name, distance) in distances(&compared) {
        assert!(distance.abs() <= 1e-12, "{name}: {distance}");
        assert_eq!(
            compared.measure(name).verdict,
            Some(Verdict::Within),
            "{name}"
        );
    }
    // all groups are there: geometry, shape, torsions, residues, landscape, dynamics
    assert!(
        compared.findings.measures.len() >= 20,
        "{}",
        compared.findings.measures.len()
    );
    assert!(
        compared.findings.notes.is_empty(),
        "{:?}",
        compared.findings.notes
    );
    assert_eq!(compared.measure("valid_fraction").run, Some(1.0));
}

#[test]
fn a_moved_and_turned_copy_is_the_same() {
    let compared = changed(|frames| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for frame in frames {
            let turn = Rotation3::new(Vector3::from_fn(|_, _| rng.random_range(-2.0..2.0)));
            let shift = Vector3::from_fn(|_, _| rng.random_range(-30.0..30.0));
            frame.iter_mut().for_each(|x| *x = turn * *x + shift);
        }
    });
    for (name, distance) in distances(&compared) {
        // f32 positions some 30 Å from the origin: 2e-6 Å; a frame at the edge of a bin, a contact
        // or a sphere point may change sides
        let counted = ["jsd", "contacts", "clashes", "side_chain_area"]
            .iter()
            .any(|word| name.contains(word));
        assert!(
            distance.abs() <= if counted { 5e-3 } else { 1e-4 },
            "{name}: {distance}"
        );
        assert_eq!(
            compared.measure(name).verdict,
            Some(Verdict::Within),
            "{name}"
        );
    }
}

#[test]
fn a_shuffled_copy_has_the_same_distributions_and_other_dynamics() {
    let compared = changed(|frames| frames.shuffle(&mut ChaCha8Rng::seed_from_u64(2)));
    let dynamic = ["transitions_jsd", "decorrelation", "pace"];
    for (name, distance) in distances(&compared) {
        // pairwise RMSD, principal plane and surfaces look at a sample of the frames
        let sampled = ["pairwise_rmsd", "pca_w2", "exposed_j", "side_chain_area"].contains(&name);
        if dynamic.contains(&name) {
            assert!(distance > 0.02, "{name}: {distance}");
        } else if !sampled {
            assert!(distance.abs() <= 1e-9, "{name}: {distance}");
        }
    }
    // shuffled frames forget within half a step; the slowest torsions took many
    assert_ne!(
        compared.measure("decorrelation").verdict,
        Some(Verdict::Within)
    );
    assert_ne!(
        compared.measure("transitions_jsd").verdict,
        Some(Verdict::Within)
    );
    assert!((compared.measure("decorrelation").run.unwrap() - 0.5 * STEP).abs() <= 0.1 * STEP);
}

#[test]
fn one_turned_side_chain_is_found_and_named() {
    let topology = topology("akle");
    let leucine = topology
        .residues
        .iter()
        .position(|residue| residue.name == "LEU")
        .unwrap();
    let atom = |name: &str| topology.atom_named(leucine, name).unwrap();
    let (alpha, beta) = (atom("CA"), atom("CB"));
    let backbone = ["N", "H", "CA", "HA", "C", "O"].map(atom);
    let turned: Vec<usize> = topology.residues[leucine]
        .atoms
        .clone()
        .filter(|atom| !backbone.contains(atom))
        .collect();
    let compared = changed(|frames| {
        for frame in frames {
            let (start, axis) = (
                frame[alpha],
                Unit::new_normalize(frame[beta] - frame[alpha]),
            );
            let turn = Rotation3::from_axis_angle(&axis, std::f64::consts::FRAC_PI_3);
            turned
                .iter()
                .for_each(|&atom| frame[atom] = start + turn * (frame[atom] - start));
        }
    });
    for torsion in &compared.findings.angles.torsions {
        let is_turned = torsion.residue == leucine && torsion.kind == Kind::Chi(1);
        let (value, verdict) = (torsion.measure.value.unwrap(), torsion.measure.verdict);
        if is_turned {
            assert_eq!(torsion.label, "A:LEU 3 chi1");
            // staggered wells moved onto barriers hardly overlap
            assert!(value > 0.4 && verdict == Some(Verdict::Outside), "{value}");
        } else {
            assert!(
                value <= 5e-3 && verdict == Some(Verdict::Within),
                "{}: {value}",
                torsion.label
            );
        }
    }
    // the mean over the nine χ of the molecule holds it, diluted; the backbone does not
    let side_chains: Vec<f64> = compared
        .findings
        .angles
        .torsions
        .iter()
        .filter(|t| t.kind.is_side_chain())
        .map(|t| t.measure.value.unwrap())
        .collect();
    let mean = side_chains.iter().sum::<f64>() / side_chains.len() as f64;
    assert!(
        (compared.measure("side_chain_jsd").value.unwrap() - mean).abs() <= 1e-12 && mean > 0.04,
        "{mean}"
    );
    assert!(compared.measure("backbone_jsd").value.unwrap() <= 5e-3);
}

/// The same shape, whichever oxygen of a carboxylate is called the first.
#[test]
fn exchanged_names_of_a_symmetric_group_are_no_difference() {
    let topology = topology("akle");
    let glutamate = topology
        .residues
        .iter()
        .position(|residue| residue.name == "GLU")
        .unwrap();
    let all = torsions(&topology);
    let own = |torsion: &&Torsion| torsion.residue == glutamate && torsion.kind.place() == 5.0;
    let torsion = all.iter().find(own).unwrap();
    let other = topology.atom_named(glutamate, "OE2").unwrap();
    let compared = changed(|frames| {
        // the first oxygen is the one below 90°, which changes names in half of the frames
        for frame in frames {
            if torsion.angle(frame).abs() > FRAC_PI_2 {
                frame.swap(torsion.atoms[3], other);
            }
        }
    });
    let torsions = &compared.findings.angles.torsions;
    let own = |torsion: &&TorsionReport| torsion.kind == Kind::HalfTurn(3);
    let turned = torsions.iter().find(own).unwrap();
    assert_eq!(turned.label, "A:GLU 4 chi3");
    for torsion in torsions {
        // a carboxylate is not quite flat: its oxygens are half a turn and a few degrees apart
        let own = torsion.label == turned.label;
        let bound = |name: &str| match name {
            "torsion_jsd" | "well_share" => 0.06, // 0.24 where names are believed
            _ => 0.2,
        };
        for measure in torsion.measures() {
            let (name, value) = (measure.name.as_str(), measure.value.unwrap());
            let bound = if own { bound(name) } else { 1e-9 };
            assert!(value <= bound, "{}, {name}: {value}", torsion.label);
            let verdict = measure.verdict;
            assert_eq!(verdict, Some(Verdict::Within), "{}, {name}", torsion.label);
        }
    }
}

/// The second trajectory of AKLE (400 frames 250 ps apart), changed, against the first, which is
/// independent of it and has frames oftener (every 50 ps), so that runs of as many frames can be
/// drawn from it.
fn faulty(change: impl FnOnce(&mut [Positions], &Looker)) -> Compared {
    let folder = tempfile::tempdir().unwrap();
    let mut frames = Trajectory::read("akle_b.xtc").into_frames();
    let whole = topology("akle");
    let start = frames[0].clone();
    change(&mut frames, &Looker::new(&whole, &start));
    let run: Input = (folder.path().join("run.dcd"), structure("akle"));
    write(&run.0, &frames, 5.0 * STEP, None);
    compare(&run, &stored("akle_a.xtc", "akle")).unwrap()
}

/// What is known of one torsion.
fn on<'a>(compared: &'a Compared, label: &str) -> &'a TorsionReport {
    let mut torsions = compared.findings.angles.torsions.iter();
    torsions.find(|torsion| torsion.label == label).unwrap()
}

#[test]
fn a_torsion_that_is_too_wide_is_found_and_named() {
    let label = "A:GLU 4 phi";
    let plain = faulty(|_, _| ());
    let compared = faulty(|frames, looker| {
        widen(frames, &looker.topology, named(looker, label), 1.2);
    });
    let [before, after] = [&plain, &compared].map(|found| &on(found, label).width);
    assert_eq!(before.verdict, Some(Verdict::Within), "{before:?}");
    assert_eq!(after.verdict, Some(Verdict::Outside), "{after:?}");
    let ratio = after.run.unwrap() / before.run.unwrap();
    assert!((ratio - 1.2).abs() <= 0.02, "{ratio}");
}

#[test]
fn rotamers_in_the_wrong_well_are_found_and_named() {
    let label = "A:LEU 3 chi2";
    let compared = faulty(|frames, looker| {
        move_share(frames, &looker.topology, named(looker, label), 0.3);
    });
    let share = &on(&compared, label).share;
    assert_eq!(share.verdict, Some(Verdict::Outside), "{share:?}");
    let moved = share.value.unwrap();
    assert!((0.2..0.45).contains(&moved), "{moved}");
}

#[test]
fn a_molecule_that_is_too_large_is_found() {
    let plain = faulty(|_, _| ());
    let mut run = plain.run.clone();
    run.rows.iter_mut().for_each(|row| row.gyration *= 1.05);
    let found = measure(&run, &plain.reference, &plain.looker, Options::default());
    let size = found
        .measures
        .iter()
        .find(|measure| measure.name == "radius_of_gyration")
        .unwrap();
    assert_eq!(size.verdict, Some(Verdict::Outside), "{size:?}");
}

#[test]
fn inverted_centres_are_named() {
    let compared = changed(|frames| {
        frames.iter_mut().flatten().for_each(|x| x.z = -x.z);
    });
    assert_eq!(compared.measure("chirality").run, Some(4.0));
    let found: Vec<(&str, usize)> = compared
        .findings
        .inverted
        .iter()
        .map(|(label, frames)| (label.as_str(), *frames))
        .collect();
    let all = ["A:ALA 1:CA", "A:LYS 2:CA", "A:LEU 3:CA", "A:GLU 4:CA"];
    assert_eq!(found, all.map(|label| (label, 400)));
}

/// Two trajectories of one molecule: every measure stands between the same and the wholly
/// different, beside a floor.
#[test]
fn independent_md_is_near_its_reference() {
    let compared = compare(&stored("akle_a.xtc", "akle"), &stored("akle_b.xtc", "akle")).unwrap();
    for measure in &compared.findings.measures {
        let (value, floor, low, high) = (
            measure.value.unwrap(),
            measure.floor.unwrap(),
            measure.low.unwrap(),
            measure.high.unwrap(),
        );
        assert!(
            low <= floor && floor <= high,
            "{}: {low} {floor} {high}",
            measure.name
        );
        assert!(
            !measure.name.ends_with("_jsd") || value <= 2f64.ln(),
            "{}: {value}",
            measure.name
        );
    }
    let outside = compared
        .findings
        .measures
        .iter()
        .filter(|measure| measure.verdict == Some(Verdict::Outside))
        .count();
    assert!(outside <= 2, "{:?}", compared.findings.measures);
    // 50 ps and 250 ps apart: the clock ticks every 250 ps
    assert_eq!(
        compared.findings.landscape.as_ref().unwrap().lag % 250.0,
        0.0
    );
}
