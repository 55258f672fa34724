//! Frames that are alike: clusters by RMSD, each with the frame in its middle.

use nalgebra::Vector3;
use rayon::prelude::*;

use crate::compare::gather::Series;
use crate::compare::row::Looker;
use crate::geometry::superpose::rmsd;

/// Frames that are compared pair by pair; the others join the cluster whose representative is
/// nearest.
const SAMPLES: usize = 500;
/// Clusters that are told apart; frames of further ones are left over.
pub const MOST: usize = 10;

/// Clusters by the RMSD of the trace atoms (Daura et al., Angew. Chem. Int. Ed. 38 (1999) 236; the
/// `gromos` method of `gmx cluster`): the frame with most neighbours and these are a cluster, of
/// the rest again the frame with most, and so on. The largest cluster is first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clusters {
    /// Largest RMSD of a frame to its representative, Å.
    pub cutoff: f64,
    /// Row of each representative.
    pub representatives: Vec<usize>,
    /// Rows in each cluster.
    pub sizes: Vec<usize>,
    /// Cluster of every row; none of those that are far from all representatives.
    pub assigned: Vec<Option<usize>>,
    /// Mean RMSD of all pairs of sampled frames, Å; NaN for one frame.
    pub pairwise: f64,
}

/// The cutoff where none is asked for, Å: 2 for Cα, 1 for all heavy atoms of small molecules.
pub fn cutoff(looker: &Looker) -> f64 {
    if looker.trace.len() == looker.topology.len() {
        1.0
    } else {
        2.0
    }
}

impl Clusters {
    /// Of all rows, by this cutoff, Å.
    pub fn of(series: &Series, cutoff: f64) -> Self {
        let rows = series.rows.len();
        let count = rows.min(SAMPLES);
        let sampled: Vec<usize> = (0..count).map(|sample| sample * rows / count).collect();
        let traces: Vec<Vec<Vector3<f64>>> = sampled
            .iter()
            .map(|&row| series.rows[row].trace_positions())
            .collect();
        let below = |j: usize| -> Vec<f64> {
            let pairs = traces[..j].iter();
            pairs.map(|trace| rmsd(trace, &traces[j])).collect()
        };
        let distances: Vec<Vec<f64>> = (0..count).into_par_iter().map(below).collect();
        let (centres, of_sample) = gromos(&distances, cutoff);
        let mut assigned: Vec<Option<usize>> = vec![None; rows];
        for (&row, &cluster) in sampled.iter().zip(&of_sample) {
            assigned[row] = cluster;
        }
        let representatives: Vec<usize> = centres.iter().map(|&sample| sampled[sample]).collect();
        if rows > count {
            let middles: Vec<&Vec<Vector3<f64>>> =
                centres.iter().map(|&sample| &traces[sample]).collect();
            let mut is_sampled = vec![false; rows];
            sampled.iter().for_each(|&row| is_sampled[row] = true);
            let rest = assigned.par_iter_mut().enumerate();
            rest.filter(|(row, _)| !is_sampled[*row])
                .for_each(|(row, cluster)| {
                    let trace = series.rows[row].trace_positions();
                    *cluster = nearest(&trace, &middles, cutoff);
                });
        }
        let mut sizes = vec![0; representatives.len()];
        for cluster in assigned.iter().flatten() {
            sizes[*cluster] += 1;
        }
        let all = distances.concat();
        Clusters {
            cutoff,
            representatives,
            sizes,
            assigned,
            pairwise: all.iter().sum::<f64>() / all.len() as f64,
        }
    }

    /// Share of all rows in each cluster.
    pub fn shares(&self) -> Vec<f64> {
        let all = self.assigned.len().max(1) as f64;
        self.sizes.iter().map(|&size| size as f64 / all).collect()
    }

    /// Share of all rows that are in none.
    pub fn left_over(&self) -> f64 {
        1.0 - self.shares().iter().sum::<f64>()
    }
}

/// The nearest of some traces, where it is nearer than the cutoff.
fn nearest(trace: &[Vector3<f64>], middles: &[&Vec<Vector3<f64>>], cutoff: f64) -> Option<usize> {
    let far = |(cluster, middle): (usize, &&Vec<Vector3<f64>>)| (rmsd(trace, middle), cluster);
    let found = middles.iter().enumerate().map(far);
    let (distance, cluster) = found.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (distance <= cutoff).then_some(cluster)
}

/// Representatives and the cluster of every frame, by distances between frames `[j][i]`, i < j. Of
/// frames with as many neighbours the first is taken.
fn gromos(distances: &[Vec<f64>], cutoff: f64) -> (Vec<usize>, Vec<Option<usize>>) {
    let count = distances.len();
    let near = |i: usize, j: usize| i == j || distances[i.max(j)][i.min(j)] <= cutoff;
    let mut assigned = vec![None; count];
    let mut free: Vec<usize> = (0..count).collect();
    let mut centres = Vec::new();
    while centres.len() < MOST && !free.is_empty() {
        let neighbours = |frame: &usize| free.iter().filter(|&&other| near(*frame, other)).count();
        let mut best = (0, 0);
        for &frame in &free {
            let count = neighbours(&frame);
            if count > best.0 {
                best = (count, frame);
            }
        }
        let centre = best.1;
        for &frame in free.iter().filter(|&&frame| near(centre, frame)) {
            assigned[frame] = Some(centres.len());
        }
        free.retain(|&frame| assigned[frame].is_none());
        centres.push(centre);
    }
    (centres, assigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_on_a_line_fall_into_the_clusters_that_the_eye_sees() {
        let places: [f64; 9] = [0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 9.0, 0.15];
        let distances: Vec<Vec<f64>> = (0..places.len())
            .map(|j| (0..j).map(|i| (places[i] - places[j]).abs()).collect())
            .collect();
        let (centres, assigned) = gromos(&distances, 0.16);
        // 0.15 has 0, 0.1, 0.2 and 0.3 within 0.16: most of all
        assert_eq!(centres, [8, 5, 7]);
        let expected = [0, 0, 0, 0, 1, 1, 1, 2, 0].map(Some);
        assert_eq!(assigned, expected);
        let none: (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
        assert_eq!(gromos(&[], 1.0), none);
    }
}
