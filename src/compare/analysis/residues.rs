//! What each residue does: fluctuations, secondary structure, contacts, hydrogen bonds, surface.

use std::collections::HashMap;

use super::Track;
use super::quantities::moments;
use crate::compare::gather::Series;
use crate::compare::hydrogen_bonds::Bond;
use crate::compare::row::{Looker, Row};
use crate::compare::secondary::Class;
use crate::compare::statistics::mean;

/// Windows of time that a trajectory is cut into.
const WINDOWS: usize = 100;
/// Hydrogen bonds that are followed over time.
pub const FOLLOWED: usize = 30;
/// A contact or hydrogen bond in a smaller share of frames is not listed.
const SELDOM: f64 = 0.01;

/// What is known of residues and of pairs of them.
#[derive(Debug, Clone, Default)]
pub struct Residues {
    /// RMSF of every trace atom about its mean position, superposed on the start structure, Å.
    pub rmsf: Vec<f64>,
    /// Share of helix, strand and coil of every residue.
    pub secondary: Vec<[f64; 3]>,
    /// Secondary structure over time, a map a trajectory.
    pub maps: Vec<Map>,
    /// Residue pairs in contact, with the share of frames in which they are; in the order of
    /// residues.
    pub contacts: Vec<(usize, usize, f64)>,
    /// Hydrogen bonds (donor and acceptor atom of the topology), with the share of frames in which
    /// they are; most first.
    pub hydrogen_bonds: Vec<(Bond, f64)>,
    /// The first [`FOLLOWED`] of them over time, a map a trajectory.
    pub bonds_over_time: Vec<Windows>,
    /// Mean accessible area of every side chain, Å²; NaN where none was computed.
    pub areas: Vec<f64>,
    /// Area of all side chains, Å², of the rows in which it was computed.
    pub area_over_time: Vec<(usize, f64)>,
}

/// Secondary structure of a trajectory.
#[derive(Debug, Clone)]
pub struct Map {
    /// Edges of the windows, in the times of the track.
    pub edges: Vec<f64>,
    /// The commonest class of each residue in each window, `[window][residue]`.
    pub classes: Vec<Vec<Class>>,
}

/// Shares of frames in windows of a trajectory.
#[derive(Debug, Clone)]
pub struct Windows {
    /// Edges of the windows, in the times of the track.
    pub edges: Vec<f64>,
    /// `[window][item]`.
    pub shares: Vec<Vec<f64>>,
}

const CLASSES: [Class; 3] = [Class::Helix, Class::Strand, Class::Coil];

pub(super) fn of(series: &Series, looker: &Looker, tracks: &[Track]) -> Residues {
    let residues = looker.topology.residues.len();
    let hydrogen_bonds = hydrogen_bonds(series);
    let followed: Vec<Bond> = hydrogen_bonds.iter().take(FOLLOWED).map(|b| b.0).collect();
    let total = |areas: &Vec<f32>| areas.iter().map(|&area| f64::from(area)).sum::<f64>();
    let over_time = series.rows.iter().enumerate();
    Residues {
        rmsf: moments(series, looker).rmsf(),
        secondary: secondary(series, residues),
        maps: tracks.iter().map(|track| map(series, track)).collect(),
        contacts: contacts(series, residues),
        bonds_over_time: tracks
            .iter()
            .map(|track| bonds_over_time(series, track, &followed))
            .collect(),
        hydrogen_bonds,
        areas: areas(series, residues),
        area_over_time: over_time
            .filter_map(|(place, row)| Some((place, row.surface.as_ref().map(total)?)))
            .collect(),
    }
}

fn secondary(series: &Series, residues: usize) -> Vec<[f64; 3]> {
    let mut counts = vec![[0.0; 3]; residues];
    for row in &series.rows {
        for (count, class) in counts.iter_mut().zip(&row.secondary) {
            count[place_of(*class)] += 1.0;
        }
    }
    let all = series.rows.len() as f64;
    let share = |count: [f64; 3]| count.map(|count| count / all);
    counts.into_iter().map(share).collect()
}

fn place_of(class: Class) -> usize {
    CLASSES
        .iter()
        .position(|known| *known == class)
        .unwrap_or(2)
}

/// Rows of each window, and the edges between windows.
fn windows(track: &Track) -> (Vec<&[usize]>, Vec<f64>) {
    let count = track.rows.len().min(WINDOWS);
    let edge = |window: usize| window * track.rows.len() / count;
    let rows = (0..count).map(|window| &track.rows[edge(window)..edge(window + 1)]);
    let step = match track.times[..] {
        [first, second, ..] => second - first,
        _ => 1.0,
    };
    let last = track.times.last().copied().unwrap_or(0.0) + step;
    let time = |window: usize| track.times.get(edge(window)).copied().unwrap_or(last);
    (rows.collect(), (0..=count).map(time).collect())
}

fn map(series: &Series, track: &Track) -> Map {
    let (rows, edges) = windows(track);
    let commonest = |rows: &&[usize]| -> Vec<Class> {
        let residues = series.rows[rows[0]].secondary.len();
        let mut counts = vec![[0usize; 3]; residues];
        for &row in *rows {
            for (count, class) in counts.iter_mut().zip(&series.rows[row].secondary) {
                count[place_of(*class)] += 1;
            }
        }
        let most = |count: [usize; 3]| {
            let places = (0..3).rev();
            CLASSES[places.max_by_key(|&place| count[place]).unwrap_or(2)]
        };
        counts.into_iter().map(most).collect()
    };
    Map {
        classes: rows.iter().map(commonest).collect(),
        edges,
    }
}

fn contacts(series: &Series, residues: usize) -> Vec<(usize, usize, f64)> {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for pair in series.rows.iter().flat_map(|row| &row.contacts) {
        *counts.entry(*pair).or_default() += 1;
    }
    let all = series.rows.len() as f64;
    let mut found: Vec<(usize, usize, f64)> = counts
        .into_iter()
        .map(|(pair, count)| {
            let pair = pair as usize;
            (pair / residues, pair % residues, count as f64 / all)
        })
        .filter(|(.., share)| *share >= SELDOM)
        .collect();
    found.sort_by_key(|&(i, j, _)| (i, j));
    found
}

fn hydrogen_bonds(series: &Series) -> Vec<(Bond, f64)> {
    let mut counts: HashMap<Bond, usize> = HashMap::new();
    for bond in series.rows.iter().flat_map(|row| &row.hydrogen_bonds) {
        *counts.entry(*bond).or_default() += 1;
    }
    let all = series.rows.len() as f64;
    let share = |(bond, count): (Bond, usize)| (bond, count as f64 / all);
    let mut found: Vec<(Bond, f64)> = counts.into_iter().map(share).collect();
    found.retain(|(_, share)| *share >= SELDOM);
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

fn bonds_over_time(series: &Series, track: &Track, followed: &[Bond]) -> Windows {
    let (rows, edges) = windows(track);
    let has = |row: &Row, bond: &Bond| row.hydrogen_bonds.binary_search(bond).is_ok();
    let shares = |rows: &&[usize]| -> Vec<f64> {
        let share = |bond: &Bond| {
            let there = rows.iter().filter(|&&row| has(&series.rows[row], bond));
            there.count() as f64 / rows.len() as f64
        };
        followed.iter().map(share).collect()
    };
    Windows {
        shares: rows.iter().map(shares).collect(),
        edges,
    }
}

fn areas(series: &Series, residues: usize) -> Vec<f64> {
    let known: Vec<&Vec<f32>> = series
        .rows
        .iter()
        .filter_map(|row| row.surface.as_ref())
        .collect();
    let of = |residue: usize| {
        let values: Vec<f64> = known
            .iter()
            .map(|areas| f64::from(areas[residue]))
            .collect();
        mean(&values)
    };
    (0..residues).map(of).collect()
}
