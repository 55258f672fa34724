//! Whole comparisons against independent programs: from the files to the numbers of the report
//! (`tests/data/compare/pipeline.json`, made by `pipeline.py` there with mdtraj, MDAnalysis,
//! deeptime, pymbar, scipy and numpy).

use crate::data::{Compared, Trajectory, compare, data, stored, structure, write};

const AGREEMENT: f64 = 1e-4;

/// Holds every measure of the list to what it is by other programs.
fn held_to(found: &Compared, molecule: &str, count: usize) {
    let all: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data("pipeline.json")).unwrap()).unwrap();
    let expected = all[molecule].as_object().unwrap();
    assert_eq!(expected.len(), count);
    for (name, theirs) in expected
        .iter()
        .filter(|(name, _)| !name.starts_with("samples"))
    {
        let (ours, theirs) = (found.measure(name).value.unwrap(), theirs.as_f64().unwrap());
        // in f32, as mdtraj computes, a few of six million points on spheres, each of half an Å²,
        // change sides
        let tolerance = if name == "side_chain_area" {
            2e-3
        } else {
            AGREEMENT
        };
        assert!(
            (ours - theirs).abs() <= tolerance,
            "{molecule} {name}: {ours} {theirs}"
        );
    }
}

#[test]
fn a_peptide_against_a_longer_trajectory() {
    let found = compare(&stored("akle_a.xtc", "akle"), &stored("akle_b.xtc", "akle")).unwrap();
    held_to(&found, "akle", 21);
    // effective samples by pymbar
    let all: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data("pipeline.json")).unwrap()).unwrap();
    let labels = [
        ("samples_rmsd", "RMSD to the start structure"),
        ("samples_radius_of_gyration", "radius of gyration"),
    ];
    for (name, label) in labels {
        let mut quantities = found.findings.sampling[0].quantities.iter();
        let ours = quantities
            .find(|quantity| quantity.label == label)
            .unwrap()
            .samples;
        let theirs = all["akle"][name].as_f64().unwrap();
        assert!(
            (ours / theirs - 1.0).abs() <= AGREEMENT,
            "{name}: {ours} {theirs}"
        );
    }
}

/// The first half of a stored trajectory against the second.
fn halves(molecule: &str) -> Compared {
    let folder = tempfile::tempdir().unwrap();
    let frames = Trajectory::read(&format!("{molecule}.xtc")).into_frames();
    let half = |name: &str, frames: &[Vec<nalgebra::Vector3<f64>>]| {
        let path = folder.path().join(name);
        write(&path, frames, 33.0, None);
        (path, structure(molecule))
    };
    let (first, second) = frames.split_at(frames.len() / 2);
    compare(&half("first.xtc", first), &half("second.xtc", second)).unwrap()
}

#[test]
fn a_protein_against_its_other_half() {
    held_to(&halves("trpcage"), "trpcage", 12);
}

#[test]
fn a_larger_protein_with_buried_side_chains() {
    held_to(&halves("ubiquitin"), "ubiquitin", 12);
}

#[test]
fn thread_count_changes_no_bit() {
    let inputs = (stored("akle_a.xtc", "akle"), stored("akle_b.xtc", "akle"));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| compare(&inputs.0, &inputs.1).unwrap().findings.measures)
    };
    assert_eq!(with(1), with(3));
}
