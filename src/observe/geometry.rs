//! The geometry guard: is the frame still the molecule that the run started from?
//!
//! Limits are those of [`crate::geometry::validity`], against template geometry: bonds ± 0.2 Å, 1-3
//! distances ± 0.5 Å, no contact of heavy atoms without a bond below 1.5 Å, no inverted centre.
//! What the input itself breaks (crystal structures have strained bonds and close contacts) is
//! reported once and not held against the run. Peptide bonds that turn cis are counted and logged,
//! but do not stop it.

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::{Journal, Observer, Record};
use crate::forcefield::TemplateGeometry;
use crate::geometry::validity::{ANGLE_LIMIT, BOND_LIMIT, CONTACT_LIMIT, Findings, Validity};
use crate::structure::{Frame, Topology};
use crate::{Error, Result};

/// Largest deviation of a bond of heavy atoms from its template, Å.
pub const WORST_BOND: &str = "Worst bond (A)";
/// The atoms of that bond.
pub const WORST_BOND_ATOMS: &str = "Worst bond atoms";
/// Pairs of heavy atoms without a bond closer than 1.5 Å.
pub const CLASHES: &str = "Clashes";
/// Inverted centres.
pub const FLIPS: &str = "Chirality flips";
/// Peptide bonds that are cis and were trans.
pub const CIS: &str = "Cis flips";

/// Stops a run whose frame is not a molecule any more, naming the atoms, the value and its limit.
pub struct GeometryGuard {
    topology: Topology,
    validity: Validity,
    journal: Journal,
    /// Of the last frame seen.
    findings: Findings,
    checked: u64,
    broken: u64,
    /// Nitrogens whose peptide bonds have been reported as cis.
    cis: Vec<usize>,
}

impl GeometryGuard {
    /// Guards a molecule that starts at `input`; says in the journal what the input itself breaks.
    pub fn new(
        topology: &Topology,
        template: &TemplateGeometry,
        input: &[Vector3<f64>],
        journal: Journal,
    ) -> Self {
        let (validity, excused) = Validity::new(topology, template).allowing(input);
        let mut guard = GeometryGuard {
            topology: topology.clone(),
            validity,
            journal,
            findings: excused,
            checked: 0,
            broken: 0,
            cis: Vec::new(),
        };
        if let Some((what, more)) = guard.fault(input) {
            let others = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            guard.journal.say(&format!("the input itself breaks the geometry limits: {what}{others}; these are not held against the run"));
        }
        guard.findings = Findings::default();
        guard
    }

    /// What is wrong with the frame of the last findings, worst kind first, and how many more
    /// faults there are.
    fn fault(&self, positions: &[Vector3<f64>]) -> Option<(String, usize)> {
        let found = &self.findings;
        let label = |atom: usize| self.topology.atom_label(atom);
        let mut faults = Vec::new();
        if let Some(atom) = positions
            .iter()
            .position(|x| !x.iter().all(|value| value.is_finite()))
        {
            faults.push(format!("{} is at no finite position", label(atom)));
        }
        for (kind, worst, atoms, limit) in [
            ("bond", found.worst_bond, found.worst_bond_atoms, BOND_LIMIT),
            (
                "1-3 distance",
                found.worst_angle,
                found.worst_angle_atoms,
                ANGLE_LIMIT,
            ),
        ] {
            if let Some([i, j]) = atoms.filter(|_| worst > limit) {
                let distance = (positions[i] - positions[j]).norm();
                let (i, j) = (label(i), label(j));
                faults.push(format!("{kind} {i} – {j} is {distance:.2} Å, {worst:.2} Å from its template (limit {limit} Å)"));
            }
        }
        for &[i, j] in &found.contacts {
            let distance = (positions[i] - positions[j]).norm();
            faults.push(format!(
                "{} and {} are {distance:.2} Å apart without a bond (limit {CONTACT_LIMIT} Å)",
                label(i),
                label(j)
            ));
        }
        faults.extend(
            found
                .inverted
                .iter()
                .map(|&centre| format!("centre {} is inverted", label(centre))),
        );
        let more = faults.len().saturating_sub(1);
        faults.into_iter().next().map(|fault| (fault, more))
    }

    fn report_cis(&mut self, step: u64) {
        for &atom in self
            .findings
            .cis
            .iter()
            .filter(|atom| !self.cis.contains(atom))
        {
            self.journal.warn(
                step,
                "cis",
                &format!(
                    "the peptide bond before {} has turned cis",
                    self.topology
                        .residue_label(self.topology.atoms[atom].residue)
                ),
            );
        }
        self.cis.clone_from(&self.findings.cis);
    }
}

impl Observer for GeometryGuard {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        let finite = frame
            .positions
            .iter()
            .all(|position| position.iter().all(|x| x.is_finite()));
        self.findings = if finite {
            self.validity.check(&frame.positions)
        } else {
            Findings::default()
        };
        let found = &self.findings;
        record.put(WORST_BOND, found.worst_bond_atoms.map(|_| found.worst_bond));
        if let Some([i, j]) = found.worst_bond_atoms {
            record.say(
                WORST_BOND_ATOMS,
                format!(
                    "{} – {}",
                    self.topology.atom_label(i),
                    self.topology.atom_label(j)
                ),
            );
        }
        record.put(CLASHES, Some(found.contacts.len() as f64));
        record.put(FLIPS, Some(found.inverted.len() as f64));
        record.put(CIS, Some(found.cis.len() as f64));
        self.report_cis(frame.step);
        self.checked += 1;
        let Some((what, more)) = self.fault(&frame.positions) else {
            return Ok(());
        };
        self.broken += 1;
        let others = if more > 0 {
            format!(" ({more} more faults)")
        } else {
            String::new()
        };
        let hint = "--guard rollback to go back and take another path, --guard warn to go on regardless; \
                    a model far from its training set does this";
        Err(Error::Guard {
            step: frame.step,
            what: format!("{what}{others}"),
            hint: hint.to_owned(),
        })
    }

    fn state(&mut self) -> Result<Value> {
        Ok(json!([self.checked, self.broken]))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        // what was counted since then was taken back; the faults that caused it stay counted
        let count = |index: usize| state.get(index).and_then(Value::as_u64).unwrap_or(0);
        (self.checked, self.broken) = (count(0), self.broken.max(count(1)));
        self.cis.clear();
        Ok(())
    }

    fn results(&self) -> Option<(&'static str, Value)> {
        Some((
            "geometry",
            json!({ "frames_checked": self.checked, "frames_broken": self.broken, "cis_flips_at_end": self.cis.len() }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
