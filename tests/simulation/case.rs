//! A run of AKLE with a stepper that shakes it, and what it leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mdsurrogate::forcefield::TemplateGeometry;
use mdsurrogate::geometry::noise;
use mdsurrogate::observe::{
    Console, CsvLog, EquivarianceMonitor, GeometryGuard, Journal, Moves, Probe, Shape,
    TrajectoryWriter,
};
use mdsurrogate::simulate::checkpoint::Checkpoint;
use mdsurrogate::simulate::{Clock, Motion, OnGuard, Rules, Simulation, Stepper, Stop};
use mdsurrogate::structure::{Frame, ReadOptions, Topology, read};
use nalgebra::{Rotation3, Vector3};
use serde_json::{Map, Value, json};

/// Steps of 0.5 ps that shake every atom a little about where it started, and may break the
/// molecule at a step.
pub struct Shake {
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
                frame.positions[0] += shift;
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
pub struct Case {
    pub folder: PathBuf,
    pub topology: Topology,
    pub start: Frame,
    pub replicas: usize,
    pub rules: Rules,
    pub break_at: Option<(u64, u64, Vector3<f64>)>,
    pub interrupt_at: Option<u64>,
    pub equivariance: f64,
}

/// Rigid geometry as the input has it.
pub fn template(topology: &Topology, at: &[Vector3<f64>]) -> TemplateGeometry {
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
    pub fn new(folder: &Path, steps: u64) -> Self {
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

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn simulation(&self) -> (Simulation, Journal) {
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

    pub fn run(&self) -> mdsurrogate::Result<Simulation> {
        let (mut simulation, _) = self.simulation();
        if let Some((checkpoint, _)) = Checkpoint::load(self.rules.prefix.as_deref().unwrap())? {
            simulation.resume(checkpoint)?;
        }
        simulation.run().map(|()| simulation)
    }

    /// Trajectories as they are, logs without their speeds, final positions.
    pub fn outputs(&self, simulation: &Simulation) -> BTreeMap<String, Vec<u8>> {
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
pub fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
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
