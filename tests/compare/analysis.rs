//! The numbers of `analyze` against independent programs; `tests/data/analysis/make.py` wrote what
//! these read.

use std::path::PathBuf;

use mdsurrogate::compare::analysis::open::Run;
use mdsurrogate::compare::analysis::settling::settled;
use mdsurrogate::compare::analysis::{Analysis, Options, analyze};
use mdsurrogate::compare::gather::{Series, gather};
use mdsurrogate::compare::row::Looker;
use mdsurrogate::compare::secondary::Class;
use mdsurrogate::session::analyze::AnalyzeOptions;
use serde_json::Value;

use crate::data::{data, numbers, structure};

/// What independent programs read.
fn expected(molecule: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("tests/data/analysis/expected.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    all[molecule].clone()
}

struct Looked {
    analysis: Analysis,
    looker: Looker,
    series: Series,
}

fn look(trajectories: &[PathBuf], molecule: &str, options: Options) -> Looked {
    let asked = AnalyzeOptions {
        run: trajectories.to_vec(),
        top: Some(structure(molecule)),
        ..AnalyzeOptions::default()
    };
    let run: Run = asked.open().unwrap();
    let looker = run.looker();
    let series = gather(&run.sources, &looker, 1 << 28, &|_| ()).unwrap();
    Looked {
        analysis: analyze(&series, &looker, options),
        looker,
        series,
    }
}

fn of(molecule: &str) -> (Looked, Value) {
    let expected = expected(molecule);
    let name = match molecule {
        "trpcage" => "trpcage.xtc",
        _ => "akle_a.xtc",
    };
    let options = Options {
        cutoff: expected["cutoff"].as_f64(),
        lag: Some(250.0),
    };
    (look(&[data(name)], molecule, options), expected)
}

fn values<'a>(looked: &'a Looked, name: &str) -> &'a [f64] {
    let found = looked.analysis.quantities.iter();
    let mut found = found.filter(|quantity| quantity.meaning.name == name);
    &found.next().unwrap().values
}

/// The largest difference.
fn apart(found: &[f64], expected: &Value) -> f64 {
    let expected: Vec<f64> = numbers(expected).collect();
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn sizes_and_fluctuations_are_those_of_mdtraj_and_mdanalysis() {
    for molecule in ["trpcage", "akle"] {
        let (looked, expected) = of(molecule);
        for (name, tolerance) in [
            ("rmsd", 2e-4),
            ("rmsd_to_mean", 5e-4),
            ("radius_of_gyration", 1e-4),
        ] {
            let apart = apart(values(&looked, name), &expected[name]);
            assert!(apart <= tolerance, "{molecule} {name}: {apart}");
        }
        let apart = apart(&looked.analysis.residues.rmsf, &expected["rmsf"]);
        assert!(apart <= 5e-4, "{molecule} RMSF: {apart}");
    }
}

#[test]
fn hydrogen_bonds_are_those_of_baker_and_hubbard_in_mdtraj() {
    for molecule in ["trpcage", "akle"] {
        let (looked, expected) = of(molecule);
        let topology = &looked.looker.topology;
        let atom = |of: &Value| {
            let residue = of[0].as_u64().unwrap() as usize;
            let name = of[1].as_str().unwrap();
            topology.atom_named(residue, name).unwrap() as u32
        };
        let mut theirs = 0;
        for bond in expected["hydrogen_bonds"].as_array().unwrap() {
            let pair = [atom(&bond[0]), atom(&bond[1])];
            for frame in numbers(&bond[2]) {
                let row = &looked.series.rows[frame as usize];
                let there = row.hydrogen_bonds.contains(&pair);
                assert!(there, "{molecule}: {pair:?} in frame {frame}");
                theirs += 1;
            }
        }
        let ours = looked.series.rows.iter();
        let ours: usize = ours.map(|row| row.hydrogen_bonds.len()).sum();
        assert!(
            theirs > 100 && ours == theirs,
            "{molecule}: {ours} of {theirs}"
        );
        // the share of the commonest
        let most = expected["hydrogen_bonds"].as_array().unwrap().iter();
        let most = most.map(|bond| bond[2].as_array().unwrap().len()).max();
        let share = most.unwrap() as f64 / looked.series.rows.len() as f64;
        let found = looked.analysis.residues.hydrogen_bonds[0].1;
        assert!((found - share).abs() <= 1e-12, "{found} {share}");
    }
}

#[test]
fn secondary_structure_over_time_is_that_of_dssp() {
    let (looked, expected) = of("trpcage");
    // 100 frames in 100 windows: the map is every frame's
    let map = &looked.analysis.residues.maps[0];
    let letter = |class: &Class| match class {
        Class::Helix => 'H',
        Class::Strand => 'E',
        Class::Coil => 'C',
    };
    let frames = expected["secondary"].as_array().unwrap();
    assert_eq!(map.classes.len(), frames.len());
    for (classes, letters) in map.classes.iter().zip(frames) {
        let ours: String = classes.iter().map(letter).collect();
        assert_eq!(ours, letters.as_str().unwrap());
    }
    let helix: f64 = frames
        .iter()
        .map(|letters| letters.as_str().unwrap().matches('H').count() as f64 / 20.0)
        .sum();
    let quantity = values(&looked, "helix").iter().sum::<f64>();
    assert!((quantity - helix).abs() <= 1e-9, "{quantity} {helix}");
}

#[test]
fn largest_motions_are_those_of_scikit_learn_and_slowest_those_of_deeptime() {
    for molecule in ["trpcage", "akle"] {
        let (looked, expected) = of(molecule);
        let found = looked.analysis.principal.unwrap();
        let apart = apart(&found.shares, &expected["component_shares"]);
        assert!(apart <= 1e-4, "{molecule}: {apart}");
        let expected: Vec<f64> = numbers(&expected["point_17"]).collect();
        for axis in [0, 1] {
            let off = (found.points[17][axis].abs() - expected[axis]).abs();
            assert!(off <= 2e-3, "{molecule} {axis}: {off}");
        }
    }
    let (looked, expected) = of("akle");
    let slow = looked.analysis.slow.unwrap();
    assert_eq!(slow.lag, 250.0);
    let off = apart(&slow.eigenvalues, &expected["slow"]["values"]);
    assert!(off <= 2e-4, "{off}");
    for (time, exact) in slow
        .times
        .iter()
        .zip(numbers(&expected["slow"]["timescales"]))
    {
        let ratio = time.unwrap() / exact;
        assert!((ratio - 1.0).abs() <= 2e-3, "{time:?} {exact}");
    }
    let moved = numbers(&expected["slow"]["apart_17_23"]);
    for (axis, exact) in moved.enumerate() {
        let found = (slow.points[17][axis] - slow.points[23][axis]).abs();
        assert!((found - exact).abs() <= 2e-3, "{axis}: {found} {exact}");
    }
}

#[test]
fn clusters_are_those_of_the_algorithm_on_rmsd_of_mdtraj() {
    for molecule in ["trpcage", "akle"] {
        let (looked, expected) = of(molecule);
        let found = &looked.analysis.clusters;
        let list = |place: usize| -> Vec<usize> {
            let list = numbers(&expected["clusters"][place]);
            list.map(|number| number as usize).collect()
        };
        assert_eq!(found.representatives, list(0), "{molecule}");
        assert_eq!(found.sizes, list(1), "{molecule}");
        let mean = expected["mean_pairwise"].as_f64().unwrap();
        assert!((found.pairwise - mean).abs() <= 1e-4, "{molecule}");
    }
}

#[test]
fn the_start_that_is_left_out_is_that_of_pymbar() {
    for molecule in ["trpcage", "akle"] {
        let expected = expected(molecule);
        let series: Vec<f64> = numbers(&expected["rmsd"]).collect();
        let exact: Vec<f64> = numbers(&expected["settled"]).collect();
        let found = settled(&series, 1).unwrap();
        let ours = [found.start as f64, found.inefficiency, found.samples];
        for (ours, exact) in ours.iter().zip(&exact) {
            assert!(
                (ours - exact).abs() <= 1e-6 * exact.max(1.0),
                "{ours} {exact}"
            );
        }
    }
}

#[test]
fn replicas_are_tracks_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let files = [data("akle_a.xtc"), folder.path().join("twin.xtc")];
    std::fs::copy(&files[0], &files[1]).unwrap();
    let looked = look(&files, "akle", Options::default());
    let tracks = &looked.analysis.tracks;
    assert_eq!(tracks.len(), 2);
    assert_eq!(tracks[1].rows, (400..800).collect::<Vec<_>>());
    assert_eq!(tracks[1].times[3], 150.0);
    // twins agree as well as can be: the variance of their means is 0
    let first = &looked.analysis.convergence.quantities[0];
    let exact = (399.0f64 / 400.0).sqrt();
    assert!((first.scale_reduction.unwrap() - exact).abs() <= 1e-12);
}
