//! The simulation loop: the same bits whether a run is stopped, resumed or split, what guards do,
//! what is left on a full disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mdsurrogate::error::Error;
use mdsurrogate::forcefield::TemplateGeometry;
use mdsurrogate::geometry::noise;
use mdsurrogate::observe::{
    Console, CsvLog, EquivarianceMonitor, GeometryGuard, Journal, Moves, Observer, Probe, Record,
    Shape, TrajectoryWriter,
};
use mdsurrogate::simulate::checkpoint::{Checkpoint, files};
use mdsurrogate::simulate::{Clock, Motion, OnGuard, Rules, Simulation, Stepper, Stop};
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read};
use mdsurrogate::trajectory::Reader;
use nalgebra::{Rotation3, Vector3};
use serde_json::{Map, Value, json};

/// Steps of 0.5 ps that shake every atom a little about where it started, and may break the
/// molecule at a step.
struct Shake {
    home: Vec<Vector3<f64>>,
    attempt: u64,
    /// At this step, while fewer than so many rollbacks were made, atom 0 is thrown away by this.
    break_at: Option<(u64, u64, Vector3<f64>)>,
    equivariance: f64,
    /// Number of the first replica; only number 1 breaks where several are run.
    first_replica: u64,
    /// In the middle of this step a signal comes.
    interrupt_at: Option<u64>,
    stop: Stop,
}

impl Shake {
    fn shake(&self, frame: &mut Frame, replica: u64, attempt: u64) {
        let mut random = noise::generator(11, attempt, replica, frame.step);
        let moves = noise::centred(&mut random, self.home.len());
        for ((x, home), shake) in frame.positions.iter_mut().zip(&self.home).zip(moves) {
            *x = 0.5 * (*x + home) + 0.005 * shake;
        }
        frame.step += 1;
        frame.time = 0.5 * frame.step as f64;
        match self.break_at {
            Some((step, attempts, shift)) if step == frame.step && attempt < attempts => {
                frame.positions[0] += shift
            }
            _ => {}
        }
    }
}

impl Stepper for Shake {
    fn step(&mut self, replicas: &mut [Frame]) -> mdsurrogate::Result<()> {
        for (replica, frame) in (self.first_replica..).zip(replicas.iter_mut()) {
            self.shake(frame, replica, self.attempt);
        }
        if self.interrupt_at == Some(replicas[0].step) {
            self.stop.ask();
            return Err(Stop::interrupted(replicas[0].step));
        }
        Ok(())
    }
    fn heed(&mut self, stop: &Stop) {
        self.stop = stop.clone();
    }
    fn redraw(&mut self, replica: usize, draw: u64, frame: &mut Frame) -> mdsurrogate::Result<()> {
        self.shake(frame, self.first_replica + replica as u64, draw);
        Ok(())
    }
    fn clock(&self) -> Clock {
        Clock::Jumps(0.5)
    }
    fn motion(&self) -> Option<Motion> {
        None
    }
    fn identity(&self) -> Map<String, Value> {
        Map::new()
    }
    fn describe(&self) -> String {
        "shaking".into()
    }
    fn reseed(&mut self, attempt: u64) {
        self.attempt = attempt;
    }
    fn probe(&self) -> Option<&dyn Probe> {
        Some(self)
    }
}

impl Probe for Shake {
    fn equivariance(
        &self,
        _: &Frame,
        rotation: &Rotation3<f64>,
        _: &Vector3<f64>,
    ) -> mdsurrogate::Result<(f64, String)> {
        assert!((rotation.matrix().determinant() - 1.0).abs() <= 1e-12);
        Ok((self.equivariance, "gate 3".into()))
    }
}

/// One run of AKLE in a folder.
struct Case {
    folder: PathBuf,
    topology: Topology,
    start: Frame,
    replicas: usize,
    rules: Rules,
    break_at: Option<(u64, u64, Vector3<f64>)>,
    interrupt_at: Option<u64>,
    equivariance: f64,
}

/// Rigid geometry as the input has it.
fn template(topology: &Topology, at: &[Vector3<f64>]) -> TemplateGeometry {
    let heavy = topology.heavy_atoms();
    let distances = topology.bond_distances(2);
    let pairs = heavy.iter().flat_map(|&i| {
        let near = distances[i]
            .iter()
            .filter(move |(j, _)| *j > i)
            .filter(|(j, _)| heavy.contains(j));
        near.map(move |&(j, _)| (i, j, (at[i] - at[j]).norm()))
    });
    let neighbours = topology.neighbours();
    let centres = heavy.iter().filter_map(|&centre| {
        let near: Vec<usize> = neighbours[centre]
            .iter()
            .copied()
            .filter(|atom| heavy.contains(atom))
            .collect();
        let &[a, b, c] = near.as_slice() else {
            return None;
        };
        let normal = (at[b] - at[a]).cross(&(at[c] - at[a]));
        Some((
            [centre, a, b, c],
            (at[a] - at[centre]).dot(&normal) / normal.norm(),
            normal.norm(),
        ))
    });
    TemplateGeometry {
        pairs: pairs.collect(),
        centres: centres.collect(),
    }
}

impl Case {
    fn new(folder: &Path, steps: u64) -> Self {
        let structure = read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb"),
            &ReadOptions::default(),
        )
        .unwrap();
        let rules = Rules {
            steps,
            on_guard: OnGuard::Abort,
            max_rollbacks: 3,
            checkpoint_every: 5,
            checkpoint_within: None,
            first_replica: 0,
            prefix: Some(folder.join("run")),
            settings: json!({ "seed": 11 }),
            stop: Stop::never(),
        };
        let (topology, start) = (structure.topology, structure.frame);
        Case {
            folder: folder.to_owned(),
            topology,
            start,
            replicas: 1,
            rules,
            break_at: None,
            interrupt_at: None,
            equivariance: 1e-7,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn simulation(&self) -> (Simulation, Journal) {
        let journal = Journal::new(Console::Quiet, false, false);
        let shake = Shake {
            home: self.start.positions.clone(),
            attempt: 0,
            break_at: self.break_at,
            equivariance: self.equivariance,
            first_replica: self.rules.first_replica,
            interrupt_at: self.interrupt_at,
            stop: Stop::never(),
        };
        let frames = vec![self.start.clone(); self.replicas];
        let mut simulation =
            Simulation::new(Box::new(shake), frames, self.rules.clone(), journal.clone());
        let template = template(&self.topology, &self.start.positions);
        for replica in 0..self.replicas {
            simulation.watch(replica, 1, Box::new(Moves::default()));
            simulation.watch(
                replica,
                1,
                Box::new(GeometryGuard::new(
                    &self.topology,
                    &template,
                    &self.start.positions,
                    journal.clone(),
                )),
            );
            simulation.watch(
                replica,
                2,
                Box::new(Shape::new(&self.topology, &self.start.positions)),
            );
            let ending = if replica == 0 { "xtc" } else { "dcd" };
            let path = self.file(&format!("run_r{replica}.{ending}"));
            simulation.watch(
                replica,
                2,
                Box::new(TrajectoryWriter::new(path, self.topology.len(), 1.0)),
            );
            simulation.watch(
                replica,
                2,
                Box::new(CsvLog::new(self.file(&format!("run_r{replica}.csv")))),
            );
        }
        simulation.watch_equivariance(4, EquivarianceMonitor::new(11, journal.clone()));
        (simulation, journal)
    }

    fn run(&self) -> mdsurrogate::Result<Simulation> {
        let (mut simulation, _) = self.simulation();
        if let Some((checkpoint, _)) = Checkpoint::load(self.rules.prefix.as_deref().unwrap())? {
            simulation.resume(checkpoint)?;
        }
        simulation.run().map(|()| simulation)
    }

    /// Trajectories as they are, logs without their speeds, final positions.
    fn outputs(&self, simulation: &Simulation) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for replica in 0..self.replicas {
            let ending = if replica == 0 { "xtc" } else { "dcd" };
            let trajectory = format!("run_r{replica}.{ending}");
            all.insert(
                trajectory.clone(),
                std::fs::read(self.file(&trajectory)).unwrap(),
            );
            let rows = csv(&self.file(&format!("run_r{replica}.csv")));
            all.insert(format!("{replica}.csv"), format!("{rows:?}").into_bytes());
            let positions = &simulation.frames()[replica].positions;
            all.insert(
                format!("{replica}"),
                positions
                    .iter()
                    .flatten()
                    .flat_map(|x| x.to_le_bytes())
                    .collect(),
            );
        }
        all
    }
}

/// The rows of a log by column name, without the speed.
fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines
        .next()
        .unwrap()
        .trim_start_matches('#')
        .split(',')
        .map(|name| name.trim_matches('"'))
        .collect();
    assert_eq!(
        names[..7].join("|"),
        "Step|Time (ps)|Potential Energy (kJ/mole)|Kinetic Energy (kJ/mole)|Total Energy \
         (kJ/mole)|Temperature (K)|Speed (ns/day)"
    );
    let row = |line: &str| {
        let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        assert_eq!(cells.len(), names.len(), "{line}");
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(cells)
            .filter(|(name, _)| name != "Speed (ns/day)")
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn a_run_that_is_stopped_and_resumed_gives_the_same_bits() {
    let whole = tempfile::tempdir().unwrap();
    let mut case = Case::new(whole.path(), 24);
    case.replicas = 2;
    let truth = case.outputs(&case.run().unwrap());

    // an orderly stop after the step in which it is asked for, three times over
    let stopped = tempfile::tempdir().unwrap();
    let mut case = Case {
        folder: stopped.path().to_owned(),
        ..case
    };
    case.rules.prefix = Some(stopped.path().join("run"));
    for step in 1..4 {
        case.rules.stop = Stop::never().after(Some(Duration::ZERO));
        let error = case.run().err().unwrap();
        assert_eq!(error.exit_code(), 75);
        assert!(
            matches!(&error, Error::Interrupted { step: at, checkpoint }
                if *at == step && checkpoint.ends_with("run.ckpt")),
            "{error}"
        );
    }
    case.rules.stop = Stop::never();
    assert_eq!(case.outputs(&case.run().unwrap()), truth);

    // a crash: the process is gone behind step 13, its last checkpoint is of step 10
    let crashed = tempfile::tempdir().unwrap();
    case.folder = crashed.path().to_owned();
    case.rules.prefix = Some(crashed.path().join("run"));
    case.rules.steps = 13;
    let (simulation, _) = case.simulation();
    let mut simulation = std::mem::ManuallyDrop::new(simulation);
    simulation.run().unwrap();
    let [now, before] = files(&crashed.path().join("run"));
    std::fs::rename(before, now).unwrap();
    case.rules.steps = 24;
    let resumed = case.run().unwrap();
    assert_eq!(case.outputs(&resumed), truth);
}

#[test]
fn a_finished_run_goes_on_to_a_later_end() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Case::new(folder.path(), 20);
    let truth = whole.outputs(&whole.run().unwrap());
    let other = tempfile::tempdir().unwrap();
    let mut case = Case::new(other.path(), 7);
    case.run().unwrap();
    case.rules.steps = 20;
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
    // and is left alone once it is there
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
}

#[test]
fn other_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 5);
    case.run().unwrap();
    case.rules.settings = json!({ "seed": 12 });
    let error = case.run().err().unwrap();
    assert!(
        error.exit_code() == 2 && error.to_string().contains("seed 11, this command says 12"),
        "{error}"
    );
}

#[test]
fn a_broken_bond_stops_the_run_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.break_at = Some((7, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let error = case.run().err().unwrap();
    assert_eq!(error.exit_code(), 3);
    let words = error.to_string();
    assert!(
        words.starts_with("stopped at step 7: bond ")
            && words.contains("ALA 1:N")
            && words.contains("limit 0.2 Å"),
        "{words}"
    );
    // the frames before it are there, that one is not
    let mut reader = Reader::open(case.file("run_r0.xtc"), Some(&case.topology)).unwrap();
    let mut frame = Frame::default();
    assert_eq!(reader.len(), 4);
    reader.read_at(3, &mut frame).unwrap();
    assert_eq!((frame.step, frame.time), (6, 3.0));
    assert_eq!(csv(&case.file("run_r0.csv")).len(), 4);
}

#[test]
fn a_position_that_is_no_number_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.break_at = Some((4, u64::MAX, Vector3::new(f64::NAN, 0.0, 0.0)));
    let error = case.run().err().unwrap();
    assert!(
        error.exit_code() == 3 && error.to_string().contains("is at no finite position"),
        "{error}"
    );
}

#[test]
fn a_rollback_takes_another_path_and_leaves_no_trace_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.rules.on_guard = OnGuard::Rollback;
    case.break_at = Some((13, 2, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!(simulation.rollbacks(), 2);
    let warnings = journal.warnings();
    assert_eq!(warnings["counts"]["rollback"], 2);
    assert!(
        warnings["first"][0]["what"]
            .as_str()
            .unwrap()
            .contains("back to step 10, attempt 1"),
        "{warnings}"
    );
    let mut reader = Reader::open(case.file("run_r0.xtc"), Some(&case.topology)).unwrap();
    assert_eq!((reader.len(), reader.time_step()), (11, Some(1.0)));
    let mut frame = Frame::default();
    while reader.read(&mut frame).unwrap() {
        assert!((frame.positions[0] - case.start.positions[0]).norm() <= 1.0);
    }
    let steps: Vec<String> = csv(&case.file("run_r0.csv"))
        .iter()
        .map(|row| row["Step"].clone())
        .collect();
    assert_eq!(
        steps,
        (0..=20)
            .step_by(2)
            .map(|step| step.to_string())
            .collect::<Vec<_>>()
    );

    // the same up to the checkpoint, another path behind it
    let other = tempfile::tempdir().unwrap();
    let plain = Case::new(other.path(), 20);
    plain.run().unwrap();
    let rmsd = |case: &Case, row: usize| csv(&case.file("run_r0.csv"))[row]["RMSD (A)"].clone();
    assert!(rmsd(&case, 5) == rmsd(&plain, 5) && rmsd(&case, 6) != rmsd(&plain, 6));
}

/// A run whose replica 1 breaks at step 13 in its first two draws.
fn redrawing(folder: &Path) -> Case {
    let mut case = Case::new(folder, 20);
    case.rules.on_guard = OnGuard::Redraw;
    case.break_at = Some((13, 3, Vector3::new(3.0, 0.0, 0.0)));
    case.replicas = 2;
    case
}

#[test]
fn a_bad_jump_is_drawn_again() {
    let folder = tempfile::tempdir().unwrap();
    let case = redrawing(folder.path());
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!((simulation.step(), simulation.rollbacks()), (20, 0));
    // the first draw of either and two more are bad
    assert_eq!(journal.warnings()["counts"]["redrawn"], 6);
    assert_eq!(simulation.results()["jumps_drawn_again"], json!([3, 3]));
    for (replica, ending) in [(0, "xtc"), (1, "dcd")] {
        let file = case.file(&format!("run_r{replica}.{ending}"));
        let mut reader = Reader::open(file, Some(&case.topology)).unwrap();
        assert_eq!(reader.len(), 11);
        let mut frame = Frame::default();
        while reader.read(&mut frame).unwrap() {
            assert!((frame.positions[0] - case.start.positions[0]).norm() <= 1.0);
        }
        let rows = csv(&case.file(&format!("run_r{replica}.csv")));
        let redrawn = |row: usize| rows[row]["Jumps drawn again"].clone();
        assert_eq!((redrawn(6), redrawn(7)), ("0".to_owned(), "3".to_owned()));
        // the move is that from the frame before, not from the one that was dropped
        assert!(rows[7]["Max |dx| (A)"].parse::<f64>().unwrap() <= 0.2);
    }
    let truth = case.outputs(&simulation);

    // stopped and gone on with around that step, and a crash behind it
    let stopped = tempfile::tempdir().unwrap();
    let mut case = redrawing(stopped.path());
    for steps in [12, 13, 14, 20] {
        case.rules.steps = steps;
        case.run().unwrap();
    }
    assert_eq!(case.outputs(&case.run().unwrap()), truth);

    // one replica alone has its bits and its rows
    let alone = tempfile::tempdir().unwrap();
    let mut case = redrawing(alone.path());
    (case.replicas, case.rules.first_replica) = (1, 1);
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    let words = journal.warnings()["first"][0]["what"].to_string();
    assert!(words.contains("replica 1: bond"), "{words}");
    let own = case.outputs(&simulation);
    assert_eq!(own["0"], truth["1"]);
    assert_eq!(own["0.csv"], truth["1.csv"]);
}

#[test]
fn jumps_that_stay_bad_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = redrawing(folder.path());
    case.break_at = Some((13, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    let error = simulation.run().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error
            .to_string()
            .contains("10 draws of one jump in a row were bad: bond"),
        "{error}"
    );
    assert_eq!(journal.warnings()["counts"]["redrawn"], 10);
}

#[test]
fn a_signal_in_the_middle_of_a_step_drops_the_step() {
    let whole = tempfile::tempdir().unwrap();
    let mut case = Case::new(whole.path(), 20);
    case.replicas = 2;
    let truth = case.outputs(&case.run().unwrap());
    let stopped = tempfile::tempdir().unwrap();
    case.folder = stopped.path().to_owned();
    case.rules.prefix = Some(stopped.path().join("run"));
    case.interrupt_at = Some(13);
    let error = case.run().err().unwrap();
    assert!(
        matches!(&error, Error::Interrupted { step: 12, .. }),
        "{error}"
    );
    case.rules.stop = Stop::never();
    case.interrupt_at = None;
    assert_eq!(case.outputs(&case.run().unwrap()), truth);
}

#[test]
fn a_checkpoint_is_made_when_its_time_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 13);
    case.rules.checkpoint_every = 1000;
    case.rules.checkpoint_within = Some(Duration::ZERO);
    case.run().unwrap();
    let [now, before] = files(case.rules.prefix.as_deref().unwrap());
    let step = |file: &Path| Checkpoint::read(file).unwrap().step();
    assert_eq!((step(&now), step(&before)), (13, 12));
    // but where a rolled-back run goes to may not hang on the clock
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case {
        folder: folder.path().to_owned(),
        ..case
    };
    case.rules.prefix = Some(folder.path().join("run"));
    case.rules.on_guard = OnGuard::Rollback;
    case.run().unwrap();
    let [_, before] = files(case.rules.prefix.as_deref().unwrap());
    assert_eq!(step(&before), 0);
}

#[test]
fn files_that_are_not_as_the_run_left_them_are_not_gone_on_with() {
    for name in ["run_r0.xtc", "run_r1.dcd", "run_r0.csv"] {
        let folder = tempfile::tempdir().unwrap();
        let mut case = Case::new(folder.path(), 10);
        case.replicas = 2;
        case.run().unwrap();
        let whole = std::fs::read(case.file(name)).unwrap();
        let mut damaged = whole.clone();
        damaged[whole.len() / 3] ^= 1;
        std::fs::write(case.file(name), damaged).unwrap();
        case.rules.steps = 12;
        let error = case.run().err().unwrap();
        assert!(
            error.exit_code() == 2
                && error
                    .to_string()
                    .contains(&format!("{name}: is not as the run left it"))
                && error.hint().contains("--fresh"),
            "{error}"
        );
        // put back, it is; what another program has put behind is cut off
        std::fs::write(case.file(name), [whole, b"more".to_vec()].concat()).unwrap();
        case.run().unwrap();
    }
}

#[test]
fn rollbacks_are_counted_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.rules.on_guard = OnGuard::Rollback;
    case.break_at = Some((13, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    let error = simulation.run().unwrap_err();
    assert_eq!((error.exit_code(), simulation.rollbacks()), (3, 3));
    assert_eq!(journal.warnings()["counts"]["rollback"], 3);
}

#[test]
fn warnings_let_the_run_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 10);
    case.rules.on_guard = OnGuard::Warn;
    case.break_at = Some((4, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!(simulation.step(), 10);
    // 3 Å off at step 4, 1.5, 0.75, … Å later: the bond's limit is 0.2 Å
    assert!((2..=5).contains(&journal.warnings()["counts"]["guard"].as_u64().unwrap()));
    let row = &csv(&case.file("run_r0.csv"))[2];
    assert!(
        row["Worst bond (A)"].parse::<f64>().unwrap() > 0.5
            && row["Max |dx| (A)"].parse::<f64>().unwrap() > 2.9,
        "{row:?}"
    );
    assert!(row["Worst bond atoms"].contains("ALA 1:N"));
}

#[test]
fn what_the_start_breaks_may_stay_until_it_has_healed_but_not_become_worse() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), 3);
    let mut template = template(&case.topology, &case.start.positions);
    // a bond that the start has 0.5 Å too short, and a centre that it has inverted
    let [(i, j, length), other] = [template.pairs[0], template.pairs[5]];
    assert!(case.topology.bonds.contains(&[i, j]), "N–CA of ALA 1");
    template.pairs[0].2 += 0.5;
    let (centre, height, area) = template.centres[0];
    template.centres[0] = (centre, -height, area);
    let journal = Journal::new(Console::Quiet, false, false);
    let log = case.file("input.log");
    journal.log_to(&log, false).unwrap();
    let mut guard = GeometryGuard::new(&case.topology, &template, &case.start.positions, journal);
    let words = std::fs::read_to_string(log).unwrap();
    for part in ["breaks 2 geometry limits", "bond ", "is inverted"] {
        assert!(words.contains(part), "{words}");
    }
    // atom `i` along its bond, so that it is `off` shorter than its template
    let with_bond = |off: f64| {
        let mut frame = case.start.clone();
        let along = (frame.positions[j] - frame.positions[i]) / length;
        frame.positions[i] = frame.positions[j] - along * (length + 0.5 - off);
        frame
    };
    let see = |guard: &mut GeometryGuard, frame: &Frame| {
        let mut record = Record::default();
        let seen = guard.observe(frame, &mut record);
        (seen, record)
    };
    let (seen, record) = see(&mut guard, &case.start);
    seen.unwrap();
    // also in the log: what is excused is not hidden
    assert!((record.get("Worst bond (A)").unwrap() - 0.5).abs() <= 1e-9);
    see(&mut guard, &with_bond(0.55)).0.unwrap();
    let error = see(&mut guard, &with_bond(0.65)).0.unwrap_err();
    assert!(
        error.to_string().contains("0.65 Å from its template"),
        "{error}"
    );
    // all the rest is held to its limits as ever
    let mut broken = case.start.clone();
    broken.positions[other.0] = broken.positions[other.1];
    assert!(see(&mut guard, &broken).0.is_err());
    // nearly right is not healed, right is; from then on its limit holds
    see(&mut guard, &with_bond(0.15)).0.unwrap();
    see(&mut guard, &with_bond(0.45)).0.unwrap();
    see(&mut guard, &with_bond(0.05)).0.unwrap();
    assert!(see(&mut guard, &with_bond(0.45)).0.is_err());
    // and a run that goes on knows
    let state = guard.state().unwrap();
    let journal = || Journal::new(Console::Quiet, false, false);
    let anew = || GeometryGuard::new(&case.topology, &template, &case.start.positions, journal());
    let mut resumed = anew();
    resumed.restore(&state, &case.start).unwrap();
    assert!(see(&mut resumed, &with_bond(0.45)).0.is_err());
    // a checkpoint of before excuses ended excuses all
    let mut old = anew();
    old.restore(&json!([7, 0]), &case.start).unwrap();
    see(&mut old, &with_bond(0.45)).0.unwrap();
}

#[test]
fn lost_symmetry_stops_the_run_and_names_the_op() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 10);
    for (error, code) in [
        (2e-3, Some(3)),
        (f64::NAN, Some(3)),
        (5e-4, None),
        (1e-6, None),
    ] {
        case.equivariance = error;
        let (mut simulation, journal) = case.simulation();
        let outcome = simulation.run();
        assert_eq!(
            outcome.as_ref().err().map(Error::exit_code),
            code,
            "{error}"
        );
        if let Err(stopped) = outcome {
            assert!(stopped.to_string().contains("gate 3"), "{stopped}");
        } else {
            let warned = journal.warnings()["counts"]
                .get("equivariance")
                .and_then(Value::as_u64);
            assert_eq!(warned, (error > 1e-5).then_some(3), "steps 0, 4 and 8");
            assert_eq!(simulation.results()["equivariance"]["largest_error"], error);
        }
    }
}

#[test]
fn a_full_disk_ends_the_run_with_the_file_named() {
    for name in ["run_r0.xtc", "run_r0.csv"] {
        let folder = tempfile::tempdir().unwrap();
        let case = Case::new(folder.path(), 5);
        std::os::unix::fs::symlink("/dev/full", case.file(name)).unwrap();
        let error = case.run().err().unwrap();
        assert!(
            error.exit_code() == 2
                && error.to_string().contains(name)
                && error.to_string().contains("No space left"),
            "{error}"
        );
    }
}

#[test]
fn what_is_not_known_is_not_zero() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), 2);
    case.run().unwrap();
    let rows = csv(&case.file("run_r0.csv"));
    for name in [
        "Potential Energy (kJ/mole)",
        "Temperature (K)",
        "Conserved (kJ/mole)",
        "Drift (kJ/mol/ps/atom)",
    ] {
        assert_eq!(rows[1][name], "n/a");
    }
    assert_eq!(
        (
            rows[0]["Max |dx| (A)"].as_str(),
            rows[0]["Equivariance error"].as_str()
        ),
        ("n/a", "0.0000001")
    );
    assert!(rows[0]["RMSD (A)"].parse::<f64>().unwrap() <= 1e-6);
}
