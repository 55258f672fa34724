//! What is done to the input of a run of jumps before its first.

use super::{EQUILIBRATION, Session};
use crate::forcefield::{ForceField, Precision, System};
use crate::simulate::{Equilibrated, Equilibration};

impl Session {
    /// Lets the run begin with the input equilibrated over `time` ps, where the force field knows
    /// the molecule; pairs beyond `cutoff`, Å, are left out, as the corrector leaves them out.
    pub(super) fn equilibrate_first(&mut self, time: f64, cutoff: Option<f64>) {
        if time != EQUILIBRATION {
            // the usual time is not said, as in checkpoints of before there was one
            let name = "equilibration (ps)".to_owned();
            self.identity.insert(name, time.into());
        }
        if time <= 0.0 {
            return;
        }
        let topology = self.structure.topology.clone();
        let system = match System::build(&topology) {
            Ok(system) => system,
            Err(error) => {
                let words = format!("warning: the input is not equilibrated: {error}");
                self.words.push(words);
                return;
            }
        };
        let equilibration = Equilibration {
            time,
            temperature: self.temperature,
            seed: self.seed,
        };
        self.words.push(format!(
            "first the input is equilibrated: minimised, then {time} ps of dynamics at {} K \
             (--as-is: not)",
            self.temperature
        ));
        self.begins_there = true;
        self.start_forces = equilibration.evaluations();
        self.start = Some(Box::new(move |mut frames, journal, stop| {
            let field = ForceField::with_cutoff(system, Precision::F32, cutoff);
            let Equilibrated {
                frame,
                minimised: [before, after],
                moved,
            } = equilibration.run(&topology, field, &frames[0], stop)?;
            journal.say(&format!(
                "equilibrated: {before:.0} to {after:.0} kJ/mol by minimisation; heavy atoms are \
                 {moved:.2} Å (RMSD) from the input"
            ));
            frames.fill(frame);
            Ok(frames)
        }));
    }
}
