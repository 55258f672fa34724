//! Numbers of a frame that are followed over time.

use nalgebra::Vector3;
use rayon::prelude::*;
use serde::Serialize;

use crate::compare::contacts::Contacts;
use crate::compare::fluctuation::Moments;
use crate::compare::gather::Series;
use crate::compare::row::{Looker, Row};
use crate::compare::secondary::Class;
use crate::geometry::superpose::rmsd;

/// What a number of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Meaning {
    /// For programs: `rmsd`.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// Å, or nothing.
    pub unit: &'static str,
    /// How it is defined.
    pub source: &'static str,
}

/// A number of every frame.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// What it is.
    pub meaning: Meaning,
    /// A value a row.
    pub values: Vec<f64>,
}

const RMSD: Meaning = Meaning {
    name: "rmsd",
    label: "RMSD to the start structure",
    unit: "Å",
    source: "root mean square deviation of the trace atoms (Cα, or all heavy atoms of molecules of \
             fewer than ten residues) after the best superposition",
};
const TO_MEAN: Meaning = Meaning {
    name: "rmsd_to_mean",
    label: "RMSD to the mean structure",
    unit: "Å",
    source: "the same to the mean of the trace atoms over all frames, superposed on the start \
             structure",
};
const GYRATION: Meaning = Meaning {
    name: "radius_of_gyration",
    label: "Radius of gyration",
    unit: "Å",
    source: "mass-weighted, of the heavy atoms",
};
const CONTACTS: Meaning = Meaning {
    name: "contacts",
    label: "Contacts",
    unit: "",
    source: "pairs of residues three or more apart whose closest heavy atoms are nearer than 4.5 Å",
};
const KEPT: Meaning = Meaning {
    name: "kept_contacts",
    label: "Contacts of the start structure that are kept",
    unit: "",
    source: "share of the start structure’s contacts that the frame has",
};
const BONDS: Meaning = Meaning {
    name: "hydrogen_bonds",
    label: "Hydrogen bonds",
    unit: "",
    source: "pairs of donor and acceptor; for the definition see the table of hydrogen bonds",
};
const HELIX: Meaning = Meaning {
    name: "helix",
    label: "Residues in helices",
    unit: "",
    source: "share of residues that are α, 3₁₀ or π helix by their hydrogen bonds (Kabsch & Sander \
             1983)",
};
const STRAND: Meaning = Meaning {
    name: "strand",
    label: "Residues in strands",
    unit: "",
    source: "share of residues in strands or bridges, likewise",
};

/// All of them, in the order of the page.
pub(super) fn of(series: &Series, looker: &Looker) -> Vec<Quantity> {
    let rows = &series.rows;
    let read = |meaning: Meaning, value: fn(&Row) -> f64| Quantity {
        meaning,
        values: rows.iter().map(value).collect(),
    };
    let mean = mean_trace(series, looker);
    let to_mean = rows.par_iter();
    let to_mean = to_mean.map(|row| rmsd(&row.trace_positions(), &mean));
    let mut found = vec![
        read(RMSD, |row| f64::from(row.rmsd)),
        Quantity {
            meaning: TO_MEAN,
            values: to_mean.collect(),
        },
        read(GYRATION, |row| f64::from(row.gyration)),
        read(CONTACTS, |row| row.contacts.len() as f64),
    ];
    let start = start_contacts(looker);
    if !start.is_empty() {
        let kept = |row: &Row| {
            let there = start.iter().filter(|pair| has(row, **pair)).count();
            there as f64 / start.len() as f64
        };
        found.push(Quantity {
            meaning: KEPT,
            values: rows.iter().map(kept).collect(),
        });
    }
    found.push(read(BONDS, |row| row.hydrogen_bonds.len() as f64));
    found.push(read(HELIX, |row| share(row, Class::Helix)));
    found.push(read(STRAND, |row| share(row, Class::Strand)));
    found
}

fn has(row: &Row, pair: u32) -> bool {
    row.contacts.binary_search(&pair).is_ok()
}

fn share(row: &Row, class: Class) -> f64 {
    let so = row.secondary.iter().filter(|known| **known == class);
    so.count() as f64 / row.secondary.len().max(1) as f64
}

/// Mean of the trace atoms over all rows, superposed on the start structure, Å.
pub fn mean_trace(series: &Series, looker: &Looker) -> Vec<Vector3<f64>> {
    moments(series, looker).mean()
}

/// Sums from which mean and fluctuations of the trace atoms follow.
pub(super) fn moments(series: &Series, looker: &Looker) -> Moments {
    let mut moments = Moments::about(looker.start.clone());
    for row in &series.rows {
        moments.add(row.trace_positions());
    }
    moments
}

/// Contacts of the start structure, as rows have them.
fn start_contacts(looker: &Looker) -> Vec<u32> {
    let residues = looker.topology.residues.len() as u32;
    let pairs = Contacts::new(&looker.topology).heavy(&looker.structure);
    pairs.into_iter().map(|(i, j)| i * residues + j).collect()
}
