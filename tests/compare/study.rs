//! How often true MD passes, and which faults are found: the numbers of `docs/measures.md`.
//!
//! `MDSURROGATE_REFERENCE=FOLDER cargo test --release --test compare study -- --ignored
//! --nocapture` with `akle.xtc`, `akle_long.xtc` and `trpcage.xtc` in that folder (data/README.md).

use std::collections::BTreeMap;

use mdsurrogate::compare::floor::Measure;
use mdsurrogate::compare::gather::{Segment, Series};
use mdsurrogate::compare::measures::{Findings, Options, measure};
use mdsurrogate::compare::row::{Looker, Row};
use mdsurrogate::compare::verdict::{Verdict, excess};
use mdsurrogate::structure::{ReadOptions, read};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::{Positions, reference, structure};
use crate::faults::{move_share, named, picked, unfold, widen};

/// Draws of MD as it is, and of MD with each fault.
const DRAWS: [u64; 2] = [20, 5];

/// A molecule, and frames of it.
struct Case {
    looker: Looker,
    /// Frames that runs are drawn from, heavy atoms.
    frames: Vec<Positions>,
    /// Time between them, ps.
    spacing: f64,
}

impl Case {
    fn new(molecule: &str, file: &str, spacing: f64) -> Self {
        let whole = read(&structure(molecule), &ReadOptions::default()).unwrap();
        let heavy = whole.topology.heavy_atoms();
        let topology = whole.topology.select(&heavy);
        let looker = Looker::new(&topology, &picked(&whole.frame.positions, &heavy));
        let trajectory = reference(file).expect("MDSURROGATE_REFERENCE with the trajectories");
        let frames = trajectory
            .frames()
            .map(|frame| picked(frame, &heavy))
            .collect();
        Case {
            looker,
            frames,
            spacing,
        }
    }

    fn rows(&self, frames: &[Positions]) -> Vec<Row> {
        let every = frames.len().div_ceil(500);
        let look = |(index, frame): (usize, &Positions)| {
            self.looker
                .look(&mut frame.clone(), None, index.is_multiple_of(every))
                .0
        };
        frames.par_iter().enumerate().map(look).collect()
    }

    /// Frames of replicas of `count` frames, `step` apart, that do not overlap.
    fn draw(&self, [replicas, count, step]: [usize; 3], seed: u64) -> (Vec<Positions>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let span = count * step;
        let free = self.frames.len() - replicas * span;
        let mut gaps: Vec<usize> = (0..replicas).map(|_| rng.random_range(0..=free)).collect();
        gaps.sort_unstable();
        let starts: Vec<usize> = (0..replicas).map(|k| gaps[k] + k * span).collect();
        let frame =
            |place: usize| self.frames[starts[place / count] + place % count * step].clone();
        ((0..replicas * count).map(frame).collect(), starts)
    }
}

fn series(rows: Vec<Row>, lengths: &[usize], time_step: f64) -> Series {
    let mut series = Series {
        frames: rows.len(),
        stride: 1,
        rows,
        ..Series::default()
    };
    let mut start = 0;
    for &length in lengths {
        series.segments.push(Segment {
            rows: start..start + length,
            time_step: Some(time_step),
        });
        start += length;
    }
    series
}

/// How many measures got which verdict, of the table and of the torsions.
#[derive(Default)]
struct Tally {
    measures: BTreeMap<String, [usize; 3]>,
    torsions: [usize; 3],
    /// How often each measure of each torsion was outside.
    singles: BTreeMap<String, usize>,
    clean: usize,
    runs: usize,
}

fn count(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Within => 0,
        Verdict::Near => 1,
        Verdict::Outside => 2,
    }
}

impl Tally {
    fn add(&mut self, found: &Findings) {
        let mut outside = 0;
        for measure in &found.measures {
            let place = count(
                measure
                    .verdict
                    .unwrap_or_else(|| panic!("{}", measure.name)),
            );
            self.measures.entry(measure.name.clone()).or_default()[place] += 1;
            outside += usize::from(place == 2);
        }
        for measure in found
            .angles
            .torsions
            .iter()
            .flat_map(|torsion| torsion.measures())
        {
            if let Some(verdict) = measure.verdict {
                self.torsions[count(verdict)] += 1;
                if verdict == Verdict::Outside {
                    outside += 1;
                    let name = format!("{} {}", measure.label, measure.name);
                    *self.singles.entry(name).or_default() += 1;
                }
            }
        }
        self.clean += usize::from(outside == 0);
        self.runs += 1;
    }

    fn report(&self, title: &str) -> f64 {
        let mut all = [0; 3];
        for counts in self.measures.values() {
            (0..3).for_each(|place| all[place] += counts[place]);
        }
        let total: usize = all.iter().sum();
        let share = all[0] as f64 / total as f64;
        let torsions: usize = self.torsions.iter().sum();
        println!(
            "{title}: {} of {total} measures within ({:.1} %), near {}, outside {}; of {torsions} \
             of single torsions {:.1} %, outside {}; {} of {} runs with nothing outside",
            all[0],
            100.0 * share,
            all[1],
            all[2],
            100.0 * self.torsions[0] as f64 / torsions as f64,
            self.torsions[2],
            self.clean,
            self.runs
        );
        for (name, counts) in self
            .measures
            .iter()
            .filter(|(_, counts)| counts[0] < self.runs)
        {
            println!("    {name}: {counts:?}");
        }
        if self.runs == DRAWS[0] as usize {
            println!("    single torsions outside: {:?}", self.singles);
        }
        share
    }
}

/// The farthest measures of a comparison, with how far they are.
fn farthest(found: &Findings) -> String {
    let torsions = found
        .angles
        .torsions
        .iter()
        .flat_map(|torsion| torsion.measures());
    let mut all: Vec<(f64, &Measure)> = found
        .measures
        .iter()
        .chain(torsions)
        .filter(|measure| measure.verdict == Some(Verdict::Outside))
        .map(|measure| (excess(measure).unwrap_or(0.0), measure))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let word =
        |(far, measure): &(f64, &Measure)| format!("{} {} {far:.1}", measure.name, measure.label);
    all.iter().take(4).map(word).collect::<Vec<_>>().join("; ")
}

type Fault = (&'static str, Box<dyn Fn(&Case, &mut Vec<Positions>)>);

fn faults(torsion: &'static str, backbone: &'static str) -> Vec<Fault> {
    vec![
        ("none", Box::new(|_, _| ())),
        (
            "one torsion 1.2 times as wide",
            Box::new(move |case, frames| {
                widen(
                    frames,
                    &case.looker.topology,
                    named(&case.looker, torsion),
                    1.2,
                );
            }),
        ),
        (
            "10 % of one rotamer moved",
            Box::new(move |case, frames| {
                move_share(
                    frames,
                    &case.looker.topology,
                    named(&case.looker, torsion),
                    0.1,
                );
            }),
        ),
        (
            "one residue unfolded in half of the frames",
            Box::new(move |case, frames| {
                unfold(frames, &case.looker.topology, named(&case.looker, backbone));
            }),
        ),
        ("Rg + 2 %", Box::new(|_, _| ())),
        ("everything twice as slow", Box::new(|_, _| ())),
    ]
}

/// Verdicts on a case with each fault; `against` makes the reference of a draw's starts.
fn power(
    title: &str,
    case: &Case,
    shape: [usize; 3],
    faults: &[Fault],
    against: &dyn Fn(&[usize]) -> Series,
) -> f64 {
    let mut passed = 0.0;
    let lengths = vec![shape[1]; shape[0]];
    for (name, plant) in faults {
        let mut tally = Tally::default();
        let (mut caught, mut words) = (0, String::new());
        let draws = DRAWS[usize::from(*name != "none")];
        for seed in 0..draws {
            // with twice as many frames between the same times, everything is twice as slow
            let slow = if name.ends_with("slow") { 2 } else { 1 };
            let [replicas, count, step] = shape;
            let (mut frames, starts) = case.draw([replicas, count, step / slow], seed);
            plant(case, &mut frames);
            let mut run = series(case.rows(&frames), &lengths, step as f64 * case.spacing);
            if name.starts_with("Rg") {
                run.rows.iter_mut().for_each(|row| row.gyration *= 1.02);
            }
            let found = measure(&run, &against(&starts), &case.looker, Options::default());
            tally.add(&found);
            let far = farthest(&found);
            caught += usize::from(!far.is_empty());
            if seed == 0 {
                words = far;
            }
        }
        let share = tally.report(&format!("{title}, {name}"));
        println!("    found in {caught} of {draws}; first: {words}");
        if name == &"none" {
            passed = share;
        }
    }
    passed
}

#[test]
#[ignore = "minutes, and needs the full references"]
fn study_of_akle() {
    let case = Case::new("akle", "akle_long.xtc", 10.0);
    let short = Case::new("akle", "akle.xtc", 1.0);
    let reference = series(short.rows(&short.frames), &[short.frames.len()], 1.0);
    let faults = faults("A:LEU 3 chi1", "A:LYS 2 psi");
    let against = |_: &[usize]| reference.clone();
    let passed = power("404 frames of AKLE", &case, [4, 101, 16], &faults, &against);
    assert!(passed >= 0.95, "{passed}");
}

#[test]
#[ignore = "minutes, and needs the full references"]
fn study_of_trpcage() {
    let case = Case::new("trpcage", "trpcage.xtc", 1.0);
    let rows = case.rows(&case.frames);
    let faults = faults("A:LYS 8 chi1", "A:LEU 7 psi");
    // against what is left of the trajectory
    let against = |starts: &[usize]| {
        let (start, end) = (starts[0], starts[0] + 1000);
        let rest = [&rows[..start], &rows[end..]].concat();
        let lengths: Vec<usize> = [start, rows.len() - end]
            .into_iter()
            .filter(|&n| n > 0)
            .collect();
        series(rest, &lengths, 1.0)
    };
    let passed = power(
        "100 frames of trp-cage",
        &case,
        [1, 100, 10],
        &faults,
        &against,
    );
    assert!(passed >= 0.95, "{passed}");
}
