//! How often true MD passes, and which faults are found: the numbers of `docs/measures.md`.
//!
//! `MDSURROGATE_REFERENCE=DIR cargo test --release --test compare study -- --ignored --nocapture`
//! with `akle.xtc`, `akle_long.xtc` and `trpcage.xtc` in that folder (data/README.md). With
//! MDSURROGATE_FAULT=NAME only the faults whose names contain it, as they stand in [`FAULTS`].

use std::collections::BTreeMap;

use mdsurrogate::compare::floor::Measure;
use mdsurrogate::compare::gather::{Segment, Series};
use mdsurrogate::compare::measures::{Findings, Options, measure};
use mdsurrogate::compare::report::{Report, Side};
use mdsurrogate::compare::row::{Looker, Row};
use mdsurrogate::compare::verdict::Verdict;
use mdsurrogate::geometry::torsion::{Kind, Torsion};
use mdsurrogate::structure::{ReadOptions, read};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::{Positions, reference, structure};
use crate::faults::{move_share, picked, turns, unfold, widen};

/// Draws of MD as it is, and of MD with each fault: every draw plants it in another place.
const DRAWS: u64 = 20;
const FAULTY: u64 = 10;

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
            "{title}: {} of {total} measures within ({:.1} %), near {}, outside {}; \
             of {torsions} of single torsions {:.1} %, outside {}; \
             {} of {} runs with nothing outside",
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
        if self.runs == DRAWS as usize {
            println!("    single torsions outside: {:?}", self.singles);
        }
        share
    }
}

/// A fault that is planted in MD.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// A torsion, in turn each φ, ψ and χ, wider by a factor within its wells.
    Wide(f64),
    /// A share of the frames, from one rotamer of a χ to another.
    Moved(f64),
    /// The ψ of one residue turned by 120° in every second frame.
    Unfolded,
    /// Radius of gyration times a factor.
    Large(f64),
    /// Half the steps of the same MD in the same time.
    Slow,
}

/// What the table calls them.
const FAULTS: [(Fault, &str); 6] = [
    (Fault::None, "none"),
    (Fault::Wide(1.2), "one torsion 1.2 times as wide"),
    (Fault::Moved(0.1), "10 % of the frames to another rotamer"),
    (
        Fault::Unfolded,
        "one residue unfolded in half of the frames",
    ),
    (Fault::Large(1.02), "Rg + 2 %"),
    (Fault::Slow, "everything twice as slow"),
];

impl Fault {
    /// Plants it, and says by which name it is to be found: that of a torsion or a measure.
    fn plant(self, case: &Case, frames: &mut [Positions], draw: usize) -> Option<String> {
        let looker = &case.looker;
        let turning = |wanted: fn(Kind) -> bool| -> &Torsion {
            let all = looker
                .torsions
                .iter()
                .filter(|torsion| wanted(torsion.kind) && turns(&looker.topology, torsion));
            let all: Vec<&Torsion> = all.collect();
            all[(7 * draw + 3) % all.len()]
        };
        let topology = &looker.topology;
        let torsion = match self {
            Fault::Wide(factor) => {
                let torsion = turning(|kind| kind != Kind::Omega);
                widen(frames, topology, torsion, factor);
                torsion
            }
            Fault::Moved(share) => {
                let torsion = turning(|kind| kind.is_side_chain());
                move_share(frames, topology, torsion, share);
                torsion
            }
            Fault::Unfolded => {
                let torsion = turning(|kind| kind == Kind::Psi);
                unfold(frames, topology, torsion);
                torsion
            }
            Fault::Large(_) => return Some("Radius of gyration".into()),
            Fault::Slow => return Some("Pace".into()),
            Fault::None => return None,
        };
        Some(torsion.label(topology))
    }
}

/// How often a fault is found, of [`FAULTY`].
#[derive(Debug, Default)]
struct Power {
    /// Anything at all is outside.
    any: usize,
    /// What it was planted in is outside, and farther than 97.5 % of MD.
    outside: usize,
    not_within: usize,
    /// The sentence of the report names it.
    named: usize,
}

impl Power {
    fn add(&mut self, case: &Case, found: &Findings, planted: Option<&str>) {
        let torsions = &found.angles.torsions;
        let torsions = torsions.iter().flat_map(|torsion| torsion.measures());
        let all: Vec<&Measure> = found.measures.iter().chain(torsions).collect();
        let is = |measure: &&&Measure| planted.is_some_and(|name| measure.label.starts_with(name));
        let worst = all.iter().filter(is).filter_map(|measure| measure.verdict);
        let worst = worst.map(count).max().unwrap_or(0);
        self.any += usize::from(all.iter().any(|m| m.verdict == Some(Verdict::Outside)));
        self.outside += usize::from(worst == 2);
        self.not_within += usize::from(worst >= 1);
        let sentence = sentence(case, found);
        self.named += usize::from(planted.is_some_and(|name| sentence.contains(name)));
    }
}

/// What the report says first.
fn sentence(case: &Case, findings: &Findings) -> String {
    let report = Report {
        run: Side::default(),
        reference: Side::default(),
        notes: Vec::new(),
        findings,
        looker: &case.looker,
        log: None,
        command: String::new(),
        date: String::new(),
        viewer: None,
        ensembles: Default::default(),
    };
    report.sentence()
}

/// Verdicts on a case with each fault; `against` makes the reference of a draw's starts. Gives the
/// share of measures of MD as it is that are within.
fn power(
    title: &str,
    case: &Case,
    shape: [usize; 3],
    against: &dyn Fn(&[usize]) -> Series,
) -> Option<f64> {
    let wanted = std::env::var("MDSURROGATE_FAULT").unwrap_or_default();
    let mut passed = None;
    let [replicas, count, step] = shape;
    let mut table =
        String::from("| fault | anything outside | it is outside | not within | named |\n");
    for (fault, name) in FAULTS
        .into_iter()
        .filter(|(_, name)| name.contains(&wanted))
    {
        let (mut tally, mut power) = (Tally::default(), Power::default());
        let draws = if fault == Fault::None { DRAWS } else { FAULTY };
        for seed in 0..draws {
            // with twice as many frames between the same times, everything is twice as slow
            let slow = if fault == Fault::Slow { 2 } else { 1 };
            let (mut frames, starts) = case.draw([replicas, count, step / slow], seed);
            let planted = fault.plant(case, &mut frames, seed as usize);
            let lengths = vec![count; replicas];
            let mut run = series(case.rows(&frames), &lengths, step as f64 * case.spacing);
            if let Fault::Large(factor) = fault {
                run.rows
                    .iter_mut()
                    .for_each(|row| row.gyration *= factor as f32);
            }
            let found = measure(&run, &against(&starts), &case.looker, Options::default());
            tally.add(&found);
            power.add(case, &found, planted.as_deref());
            let with = |verdict| {
                let all = found.measures.iter();
                let with = all.filter(|measure| measure.verdict == Some(verdict));
                with.map(|measure| measure.name.as_str())
                    .collect::<Vec<_>>()
            };
            let (near, outside) = (with(Verdict::Near), with(Verdict::Outside));
            println!("    {seed}: near {near:?}, outside {outside:?}");
            if seed == 0 {
                println!("    {planted:?}: {}", sentence(case, &found));
            }
        }
        let share = tally.report(&format!("{title}, {name}"));
        let Power {
            any,
            outside,
            not_within,
            named,
        } = power;
        table += &format!("| {name} | {any} | {outside} | {not_within} | {named} |\n");
        if fault == Fault::None {
            passed = Some(share);
        }
    }
    println!("{title}, of {FAULTY} (none: {DRAWS}):\n{table}");
    passed
}

#[test]
#[ignore = "minutes, and needs the full references"]
fn study_of_akle() {
    let case = Case::new("akle", "akle_long.xtc", 10.0);
    let short = Case::new("akle", "akle.xtc", 1.0);
    let reference = series(short.rows(&short.frames), &[short.frames.len()], 1.0);
    let against = |_: &[usize]| reference.clone();
    let passed = power("404 frames of AKLE", &case, [4, 101, 16], &against);
    assert!(passed.is_none_or(|share| share >= 0.95), "{passed:?}");
}

#[test]
#[ignore = "minutes, and needs the full references"]
fn study_of_trpcage() {
    let case = Case::new("trpcage", "trpcage.xtc", 1.0);
    let rows = case.rows(&case.frames);
    // against what is left of the trajectory
    let against = |starts: &[usize]| {
        let (start, end) = (starts[0], (starts[0] + 1000).min(rows.len()));
        let rest = [&rows[..start], &rows[end..]].concat();
        let lengths: Vec<usize> = [start, rows.len() - end]
            .into_iter()
            .filter(|&n| n > 0)
            .collect();
        series(rest, &lengths, 1.0)
    };
    let passed = power("100 frames of trp-cage", &case, [1, 100, 10], &against);
    assert!(passed.is_none_or(|share| share >= 0.95), "{passed:?}");
}
