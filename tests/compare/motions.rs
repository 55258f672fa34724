//! Motions and distributions of whole trajectories against deeptime, numpy and scipy on real MD
//! (`tests/data/compare/expected.json`, made by `make.py` there).

use mdsurrogate::compare::histogram::torsion_divergences;
use mdsurrogate::compare::states::transition_counts;
use mdsurrogate::compare::tica::{LaggedCovariance, pca, tica};
use mdsurrogate::compare::transport::wasserstein2;
use mdsurrogate::geometry::superpose::{pick, superpose};
use mdsurrogate::geometry::torsion::{Kind, Torsion, torsion_series, torsions};
use mdsurrogate::structure::Topology;
use nalgebra::DMatrix;

use crate::data::{Trajectory, expected, numbers, reference, topology};
use crate::measures::SINGLE;

/// Frames between the ends of a pair in the tests of dynamics.
const LAG: usize = 5;

/// Our torsions that have the atoms listed, in that order.
fn torsions_of(topology: &Topology, quads: &serde_json::Value) -> Vec<Torsion> {
    let all = torsions(topology);
    let quads: Vec<[usize; 4]> = serde_json::from_value(quads.clone()).unwrap();
    quads
        .iter()
        .map(|quad| *all.iter().find(|torsion| torsion.atoms == *quad).unwrap())
        .collect()
}

#[test]
fn slow_components_are_those_of_deeptime() {
    let (topology, expected) = (topology("akle"), expected("akle"));
    let series = torsion_series(
        &torsions_of(&topology, &expected["tica_atoms"]),
        Trajectory::read("akle_a.xtc").frames(),
    );
    let count = series.len();
    let feature = |row: usize, frame: usize| match row < count {
        true => series[row][frame].cos(),
        false => series[row - count][frame].sin(),
    };
    let features = DMatrix::from_fn(2 * count, series[0].len(), feature);
    let mut covariance = LaggedCovariance::new(2 * count);
    covariance.add(&features, LAG);
    let projection = tica(&covariance, 4).unwrap();
    for (ours, theirs) in projection
        .values
        .iter()
        .zip(numbers(&expected["tica_values"]))
    {
        assert!((ours - theirs).abs() <= SINGLE, "{ours} {theirs}");
    }
    let found = projection.apply(&features);
    for (component, theirs) in numbers(&expected["tica_frames_17_23"]).enumerate() {
        let ours = (found[(component, 17)] - found[(component, 23)]).abs();
        assert!((ours - theirs).abs() <= SINGLE, "{ours} {theirs}");
    }
    let well = torsions_of(&topology, &serde_json::json!([expected["well_atoms"]]));
    let third = std::f64::consts::TAU / 3.0;
    let wells: Vec<usize> = torsion_series(&well, Trajectory::read("akle_a.xtc").frames())[0]
        .iter()
        .map(|angle| (((angle + std::f64::consts::PI) / third) as usize).min(2))
        .collect();
    let theirs: Vec<Vec<f64>> = serde_json::from_value(expected["well_counts"].clone()).unwrap();
    assert_eq!(
        transition_counts(&wells, 3, LAG),
        DMatrix::from_row_iterator(3, 3, theirs.into_iter().flatten())
    );
}

#[test]
fn principal_components_and_transport_are_those_of_numpy_and_scipy() {
    let (topology, expected) = (topology("akle"), expected("akle"));
    let (run, reference) = (
        Trajectory::read("akle_a.xtc"),
        Trajectory::read("akle_b.xtc"),
    );
    let heavy = topology.heavy_atoms();
    let first = pick(run.frame(0), &heavy);
    let coordinates = run.frames().flat_map(|frame| {
        let atoms = pick(frame, &heavy);
        let fit = superpose(&atoms, &first);
        atoms.into_iter().flat_map(move |x| fit.apply(&x).data.0[0])
    });
    let features = DMatrix::from_iterator(3 * heavy.len(), 400, coordinates);
    let projection = pca(&features, 5).unwrap();
    let found = projection.apply(&features);
    let theirs = numbers(&expected["pca_values"]).zip(numbers(&expected["pca_frame_17"]));
    for (component, (value, place)) in theirs.enumerate() {
        assert!(
            (projection.values[component] - value).abs() <= SINGLE * value,
            "{} {value}",
            projection.values[component]
        );
        // a component's direction is as uncertain as f32 positions over the gap to the next one's
        // variance
        assert!(
            (found[(component, 17)].abs() - place).abs() <= 10.0 * SINGLE,
            "{} {place}",
            found[(component, 17)]
        );
    }
    let pair = torsions_of(&topology, &expected["transport_atoms"]);
    let points = |trajectory: &Trajectory| -> Vec<[f64; 2]> {
        let series = torsion_series(&pair, trajectory.frames().take(200));
        series[0]
            .iter()
            .zip(&series[1])
            .map(|(&x, &y)| [x, y])
            .collect()
    };
    let (ours, theirs) = (
        wasserstein2(&points(&run), &points(&reference)),
        expected["transport"].as_f64().unwrap(),
    );
    assert!((ours - theirs).abs() <= SINGLE, "{ours} {theirs}");
}

/// Numbers that `scipy.spatial.distance.jensenshannon` gives for the full trajectories, which are
/// not in the repository.
#[test]
fn torsion_divergences_of_the_long_references() {
    let Some((run, long)) = reference("akle.xtc").zip(reference("akle_long.xtc")) else {
        println!(
            "skipped: set MDSURROGATE_REFERENCE to the folder of the full AKLE trajectories \
             (data/README.md)"
        );
        return;
    };
    let list: Vec<Torsion> = torsions(&topology("akle"))
        .into_iter()
        .filter(|torsion| torsion.kind != Kind::Omega)
        .collect();
    let (run, long) = (
        torsion_series(&list, run.frames()),
        torsion_series(&list, long.frames()),
    );
    let mean =
        |a: &[Vec<f64>], b: &[Vec<f64>]| torsion_divergences(a, b).iter().sum::<f64>() / 15.0;
    let piece = |all: &[Vec<f64>], from: usize, to: usize| -> Vec<Vec<f64>> {
        all.iter().map(|series| series[from..to].to_vec()).collect()
    };
    let whole = mean(&run, &long);
    assert!((whole - 0.007_695_30).abs() <= 1e-6, "{whole}");
    let halves = mean(&piece(&long, 0, 5000), &piece(&long, 5000, 10_000));
    assert!((halves - 0.008_722_01).abs() <= 1e-6, "{halves}");
    // pieces of 2, 5 and 10 ns of the training trajectory
    for (frames, theirs) in [
        (2000, 0.035_301_4),
        (5000, 0.021_424_5),
        (10_000, 0.013_401_2),
    ] {
        let count = 20_000 / frames;
        let sum: f64 = (0..count)
            .map(|k| mean(&piece(&run, k * frames, (k + 1) * frames), &long))
            .sum();
        assert!(
            (sum / count as f64 - theirs).abs() <= 1e-6,
            "{frames}: {}",
            sum / count as f64
        );
    }
}
