//! The geometry guard: is the frame still the molecule that the run started from?
//!
//! Limits are those of [`crate::geometry::validity`], against template geometry: bonds ± 0.2 Å, 1-3
//! distances ± 0.5 Å, no contact of heavy atoms without a bond below 1.5 Å, no inverted centre; and
//! no bond may run through a ring, which no later step would put right.
//! What the start of the run breaks (crystal structures have strained bonds and close contacts) is
//! named once and may stay as it is until it has healed, but may not become worse. A peptide bond
//! that a jump turns cis is a fault like others: back it takes seconds, and no later jump knows the
//! way. Dynamics, hot and strained, may have its reasons: there it is counted and logged.

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::{Journal, Observer, Record};
use crate::forcefield::TemplateGeometry;
use crate::geometry::fault::Fault;
use crate::geometry::validity::{ANGLE_LIMIT, BOND_LIMIT, CONTACT_LIMIT, Findings, Validity};
use crate::structure::{Frame, Rings, Topology};
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

/// What a user may do about a frame that is no molecule: where a model made it, and where the force
/// field did.
const HINT_OF_MODEL: &str = "--guard rollback to go back and take another path, --guard warn to go \
                             on regardless; a model far from its training set does this";
const HINT_OF_PHYSICS: &str = "--guard warn to go on: at its temperature a bond is stretched so \
                               far once in a while; where it happens often or grows, a shorter \
                               --dt, or a longer --heat of a strained structure";

/// Faults of the start that are named; the log has all.
const NAMED: usize = 5;

/// Stops a run whose frame is not a molecule any more, naming the atoms, the value and its limit.
pub struct GeometryGuard {
    topology: Topology,
    validity: Validity,
    rings: Rings,
    hint: &'static str,
    /// Whether a peptide bond that has turned cis is a fault.
    cis_is_fault: bool,
    journal: Journal,
    /// What the start breaks, and whether it has healed since.
    excuses: Vec<(Fault, bool)>,
    checked: u64,
    broken: u64,
    /// Nitrogens whose peptide bonds are cis now, which have been reported.
    cis: Vec<usize>,
}

impl GeometryGuard {
    /// Guards a molecule that starts at `start`; says in the journal what that breaks.
    pub fn new(
        topology: &Topology,
        template: &TemplateGeometry,
        start: &[Vector3<f64>],
        journal: Journal,
    ) -> Self {
        let validity = Validity::new(topology, template).allowing_cis_of(start);
        let faults = validity.faults(&validity.check(start), start);
        let mut guard = GeometryGuard {
            topology: topology.clone(),
            validity,
            rings: Rings::of(topology),
            hint: HINT_OF_MODEL,
            cis_is_fault: false,
            journal,
            excuses: Vec::new(),
            checked: 0,
            broken: 0,
            cis: Vec::new(),
        };
        guard.name_faults_of_start(&faults, start);
        guard.excuses = faults.into_iter().map(|fault| (fault, false)).collect();
        guard
    }

    /// The frames are the force field's own, made by no model: what it says to try is another.
    #[must_use]
    pub fn of_physics(mut self) -> Self {
        self.hint = HINT_OF_PHYSICS;
        self
    }

    /// The frames are made by jumps: peptide bonds that have turned cis are faults too.
    #[must_use]
    pub fn of_jumps(mut self) -> Self {
        self.cis_is_fault = true;
        self
    }

    fn name_faults_of_start(&self, faults: &[Fault], start: &[Vector3<f64>]) {
        if faults.is_empty() {
            return;
        }
        self.journal.say(&format!(
            "warning: the structure that the run starts from breaks {} geometry limits; they may \
             not become worse, and hold again once they are kept:",
            faults.len()
        ));
        for (number, fault) in faults.iter().enumerate() {
            let words = format!("  {}", self.words(fault, start));
            if number < NAMED {
                self.journal.say(&words);
            } else {
                self.journal.detail(&words);
            }
        }
        if faults.len() > NAMED {
            let more = faults.len() - NAMED;
            self.journal.say(&format!("  and {more} more (in the log)"));
        }
    }

    /// A fault as the user knows its atoms.
    fn words(&self, fault: &Fault, positions: &[Vector3<f64>]) -> String {
        let label = |atom: usize| self.topology.atom_label(atom);
        let of_pair = |kind: &str, [i, j]: [usize; 2], off: f64, limit: f64| {
            let distance = (positions[i] - positions[j]).norm();
            format!(
                "{kind} {} – {} is {distance:.2} Å, {off:.2} Å from its template (limit {limit} Å)",
                label(i),
                label(j)
            )
        };
        match *fault {
            Fault::Bond { atoms, off } => of_pair("bond", atoms, off, BOND_LIMIT),
            Fault::Angle { atoms, off } => of_pair("1-3 distance", atoms, off, ANGLE_LIMIT),
            Fault::Contact {
                atoms: [i, j],
                distance,
            } => format!(
                "{} and {} are {distance:.2} Å apart without a bond (limit {CONTACT_LIMIT} Å)",
                label(i),
                label(j)
            ),
            Fault::Inverted { centre } => format!("centre {} is inverted", label(centre)),
            Fault::Cis { nitrogen } => {
                let residue = self.topology.atoms[nitrogen].residue;
                let label = self.topology.residue_label(residue);
                format!("the peptide bond before {label} has turned cis")
            }
        }
    }

    /// What is wrong with a frame, worst kind first, beyond what is excused.
    fn judge(&self, found: &Findings, positions: &[Vector3<f64>]) -> Vec<String> {
        let finite = |x: &Vector3<f64>| x.iter().all(|value| value.is_finite());
        if let Some(atom) = positions.iter().position(|x| !finite(x)) {
            let label = self.topology.atom_label(atom);
            return vec![format!("{label} is at no finite position")];
        }
        let excused = |fault: &Fault| {
            self.excuses.iter().any(|(excuse, healed)| {
                !healed && fault.is_at(excuse) && fault.is_no_worse_than(excuse)
            })
        };
        let mut faults = self.validity.faults(found, positions);
        let counts = |fault: &Fault| self.cis_is_fault || !matches!(fault, Fault::Cis { .. });
        faults.retain(|fault| counts(fault) && !excused(fault));
        // of each kind the largest first
        faults.sort_by(|a, b| match (a, b) {
            (Fault::Bond { off: a, .. }, Fault::Bond { off: b, .. })
            | (Fault::Angle { off: a, .. }, Fault::Angle { off: b, .. }) => b.total_cmp(a),
            _ => std::cmp::Ordering::Equal,
        });
        let pierced = self.rings.pierced(positions);
        let pierced = pierced.iter().map(|one| one.describe(&self.topology));
        let faults = faults.iter().map(|fault| self.words(fault, positions));
        pierced.chain(faults).collect()
    }

    /// Marks what has healed in a frame that is kept.
    fn heal(&mut self, positions: &[Vector3<f64>]) {
        for (excuse, healed) in self.excuses.iter_mut().filter(|(_, healed)| !healed) {
            // there is nothing at an inverted centre once it is right again
            let now = self.validity.at(excuse, positions);
            *healed = now.is_none_or(|now| now.is_healed());
        }
    }

    fn report_cis(&mut self, found: &Findings, step: u64) {
        for &atom in found.cis.iter().filter(|atom| !self.cis.contains(atom)) {
            let words = self.words(&Fault::Cis { nitrogen: atom }, &[]);
            self.journal.warn(step, "cis", &words);
        }
        self.cis.clone_from(&found.cis);
    }
}

impl Observer for GeometryGuard {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> Result<()> {
        let found = if frame.is_finite() {
            self.validity.check(&frame.positions)
        } else {
            Findings::default()
        };
        record.put(WORST_BOND, found.worst_bond_atoms.map(|_| found.worst_bond));
        if let Some([i, j]) = found.worst_bond_atoms {
            let [i, j] = [i, j].map(|atom| self.topology.atom_label(atom));
            record.say(WORST_BOND_ATOMS, format!("{i} – {j}"));
        }
        record.put(CLASHES, Some(found.contacts.len() as f64));
        record.put(FLIPS, Some(found.inverted.len() as f64));
        record.put(CIS, Some(found.cis.len() as f64));
        self.checked += 1;
        let faults = self.judge(&found, &frame.positions);
        let Some(what) = faults.first() else {
            self.report_cis(&found, frame.step);
            self.heal(&frame.positions);
            return Ok(());
        };
        self.broken += 1;
        let others = match faults.len() - 1 {
            0 => String::new(),
            more => format!(" ({more} more faults)"),
        };
        Err(Error::Guard {
            step: frame.step,
            what: format!("{what}{others}"),
            hint: self.hint.to_owned(),
        })
    }

    fn state(&mut self) -> Result<Value> {
        let open: Vec<usize> = (0..self.excuses.len())
            .filter(|&index| !self.excuses[index].1)
            .collect();
        Ok(json!([self.checked, self.broken, open]))
    }

    fn restore(&mut self, state: &Value, _frame: &Frame) -> Result<()> {
        // what was counted since then was taken back; the faults that caused it stay counted
        let count = |index: usize| state.get(index).and_then(Value::as_u64).unwrap_or(0);
        (self.checked, self.broken) = (count(0), self.broken.max(count(1)));
        // a checkpoint of before excuses ended has no list: all stand
        let open = state.get(2).and_then(Value::as_array);
        for (index, (_, healed)) in self.excuses.iter_mut().enumerate() {
            *healed = open.is_some_and(|open| !open.contains(&json!(index)));
        }
        self.cis.clear();
        Ok(())
    }

    fn results(&self) -> Option<(&'static str, Value)> {
        Some((
            "geometry",
            json!({
                "frames_checked": self.checked,
                "frames_broken": self.broken,
                "cis_flips_at_end": self.cis.len(),
            }),
        ))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
