//! Frames that stand for many, as PDB files.

use std::path::Path;

use nalgebra::Vector3;
use serde_json::{Value, json};

use crate::Result;
use crate::compare::analysis::clusters::MOST;
use crate::compare::analysis::open::Run;
use crate::compare::analysis::quantities::mean_trace;
use crate::compare::analysis::{Analysis, Track};
use crate::compare::fluctuation::temperature_factors;
use crate::compare::gather::{Origin, Series};
use crate::compare::row::Looker;
use crate::geometry::superpose::{pick, rmsd, superpose};
use crate::structure::{Annotations, Frame, Topology, write_pdb_with};

/// The frame nearest to the mean structure, and the middle of each cluster, all atoms.
#[derive(Debug, Clone, Default)]
pub struct Representatives {
    /// Atoms of the frames, hydrogens where the trajectories hold them.
    topology: Topology,
    /// Nearest to the mean, then clusters in their order; superposed on the start structure, Å.
    frames: Vec<Frame>,
    /// Where they come from.
    origins: Vec<Origin>,
    /// Time of each in its trajectory, ps, where it is known.
    times: Vec<Option<f64>>,
    /// For every atom of a looker its atom in these frames.
    heavy: Vec<usize>,
}

impl Representatives {
    /// Finds and reads them.
    ///
    /// # Errors
    /// Those of reading the frames.
    pub fn of(run: &Run, series: &Series, looker: &Looker, analysis: &Analysis) -> Result<Self> {
        let mean = mean_trace(series, looker);
        let mut nearest = (f64::INFINITY, 0);
        for (place, row) in series.rows.iter().enumerate() {
            let far = rmsd(&row.trace_positions(), &mean);
            if far < nearest.0 {
                nearest = (far, place);
            }
        }
        let clusters = analysis.clusters.representatives.iter().take(MOST);
        let rows: Vec<usize> = std::iter::once(nearest.1)
            .chain(clusters.copied())
            .collect();
        let origins: Vec<Origin> = rows.iter().map(|&row| series.origins[row]).collect();
        let (topology, mut frames) = run.frames(&origins)?;
        let heavy: Vec<usize> = (0..looker.topology.len())
            .filter_map(|atom| same_atom(&looker.topology, atom, &topology))
            .collect();
        for frame in &mut frames {
            let trace: Vec<usize> = looker.trace.iter().map(|&atom| heavy[atom]).collect();
            let fit = superpose(&pick(&frame.positions, &trace), &looker.start);
            fit.apply_all(&mut frame.positions);
        }
        let known = series.time_step().is_some();
        let time = |row: &usize| time_of(&analysis.tracks, *row).filter(|_| known);
        Ok(Representatives {
            times: rows.iter().map(time).collect(),
            topology,
            frames,
            origins,
            heavy,
        })
    }

    /// Heavy atoms of the clusters' frames, Å.
    pub fn of_clusters(&self) -> Vec<Vec<Vector3<f64>>> {
        let frames = self.frames.iter().skip(1);
        frames
            .map(|frame| pick(&frame.positions, &self.heavy))
            .collect()
    }

    /// Trajectory (from 1), frame (from 0) and time of each, ps, that nearest to the mean first.
    pub fn places(&self) -> Vec<Value> {
        let place = |(origin, time): (&Origin, &Option<f64>)| {
            json!({
                "trajectory": origin.trajectory + 1,
                "frame": origin.frame,
                "time_ps": time,
            })
        };
        self.origins.iter().zip(&self.times).map(place).collect()
    }

    /// `frame 12 of trajectory 1, 24 ns`, of the `place`-th.
    pub fn words(&self, place: usize) -> String {
        let origin = self.origins[place];
        let time = self.times[place].map(crate::compare::report::table::duration);
        let time = time.map_or(String::new(), |time| format!(", {time}"));
        format!(
            "frame {} of trajectory {}{time}",
            origin.frame,
            origin.trajectory + 1
        )
    }

    /// Writes the frame nearest to the mean with temperature factors, and the clusters' as models.
    ///
    /// # Errors
    /// [`crate::Error::Output`] where one cannot be written.
    pub(super) fn write(
        &self,
        mean: &Path,
        clusters: &Path,
        analysis: &Analysis,
        looker: &Looker,
    ) -> Result<()> {
        let factors = self.factors(&analysis.residues.rmsf, looker);
        let remarks = vec![
            format!("MDSURROGATE {} ANALYZE", env!("CARGO_PKG_VERSION")),
            format!(
                "THE FRAME NEAREST TO THE MEAN: {}",
                self.words(0).to_uppercase()
            ),
            "B FACTORS: 8 PI^2/3 RMSF^2, OF EACH RESIDUE'S CA (OF EACH ATOM OF SMALL".into(),
            "MOLECULES); 999.99 STANDS FOR MORE".into(),
        ];
        let notes = Annotations {
            remarks,
            temperature_factors: factors,
        };
        write_pdb_with(mean, &self.topology, self.frames.first(), &notes)?;
        let share = analysis.clusters.shares();
        let mut remarks = vec![format!(
            "MDSURROGATE {} ANALYZE: CLUSTERS BY RMSD, CUTOFF {} A",
            env!("CARGO_PKG_VERSION"),
            analysis.clusters.cutoff
        )];
        for (cluster, share) in share.iter().enumerate() {
            remarks.push(format!(
                "MODEL {}: {:.1} % OF FRAMES; {}",
                cluster + 1,
                100.0 * share,
                self.words(cluster + 1).to_uppercase()
            ));
        }
        let notes = Annotations {
            remarks,
            ..Annotations::default()
        };
        write_pdb_with(clusters, &self.topology, self.frames.iter().skip(1), &notes)
    }

    fn factors(&self, rmsf: &[f64], looker: &Looker) -> Vec<f64> {
        let trace: Vec<usize> = looker.trace.iter().map(|&atom| self.heavy[atom]).collect();
        temperature_factors(&self.topology, &trace, rmsf)
    }
}

/// The atom of another topology that has the same chain, residue and name.
fn same_atom(one: &Topology, atom: usize, other: &Topology) -> Option<usize> {
    let label = one.atom_label(atom);
    let name = &one.atoms[atom].name;
    // both are parts of one structure: its residues stand in the same order
    let residue = one.atoms[atom].residue;
    let places = [residue].into_iter().chain(0..other.residues.len());
    let mut found = places
        .filter(|&place| place < other.residues.len())
        .filter_map(|place| other.atom_named(place, name));
    found.find(|&place| other.atom_label(place) == label)
}

/// Time of a row in its trajectory.
fn time_of(tracks: &[Track], row: usize) -> Option<f64> {
    tracks.iter().find_map(|track| {
        let place = track.rows.binary_search(&row).ok()?;
        Some(track.times[place])
    })
}
