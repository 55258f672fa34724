//! What happens to the frames of a step: they are shown to the observers, and drawn again where a
//! guard finds them bad and the rules say so.

use super::{OnGuard, Simulation};
use crate::observe::{CORRECTION, REDRAWN, Record, UNCORRECTED};
use crate::simulate::Clock;
use crate::simulate::checkpoint::Tally;
use crate::{Error, Result};

/// Draws of one jump after which a run stops.
pub const MOST_DRAWS: u64 = 10;

impl Simulation {
    /// Shows the frames to the observers whose turn it is; jumps that a guard finds bad are drawn
    /// again where the rules say so.
    pub(super) fn look(&mut self) -> Result<()> {
        for replica in 0..self.frames.len() {
            let mut draw = 0;
            loop {
                self.count_correction(replica);
                let mut record = Record::default();
                self.look_at_symmetry(replica, &mut record)?;
                let fault = match self.look_at(replica, record) {
                    Err(fault @ Error::Guard { .. })
                        if self.rules.on_guard == OnGuard::Redraw && self.step() > 0 =>
                    {
                        fault
                    }
                    looked => break looked?,
                };
                draw += 1;
                self.redraw(replica, draw, fault)?;
            }
        }
        Ok(())
    }

    /// Measures the symmetry of the network, where its turn is. In a run of one of many replicas
    /// the number stands in the summary only: in a run of all of them it is that of the first.
    fn look_at_symmetry(&mut self, replica: usize, record: &mut Record) -> Result<()> {
        let frame = &self.frames[replica];
        if let Some((every, monitor)) = &mut self.equivariance
            && replica == 0
            && frame.step.is_multiple_of(*every)
            && frame.is_finite()
            && let Some(probe) = self.stepper.probe()
        {
            let mut kept_back = Record::default();
            let to = if self.rules.first_replica == 0 {
                record
            } else {
                &mut kept_back
            };
            monitor.check(probe, frame, to)?;
        }
        Ok(())
    }

    /// Draws the last jump of a replica again, because of a fault.
    fn redraw(&mut self, replica: usize, draw: u64, fault: Error) -> Result<()> {
        let Error::Guard { step, what, hint } = fault else {
            return Err(fault);
        };
        if draw > MOST_DRAWS {
            return Err(Error::Guard {
                step,
                what: format!("{MOST_DRAWS} draws of one jump in a row were bad: {what}"),
                hint,
            });
        }
        self.tallies[replica].redrawn += 1;
        self.journal
            .warn(step, "redrawn", &format!("{what}; the jump is drawn again"));
        let frame = &mut self.frames[replica];
        frame.clone_from(&self.before[replica]);
        self.stepper.redraw(replica, draw, frame)
    }

    /// Counts what corrected the last step of a replica, and says what it left undone.
    fn count_correction(&mut self, replica: usize) {
        let step = self.frames[replica].step;
        // frames that were not made by a step now: the first, and those of a checkpoint
        if self.before.is_empty() {
            return;
        }
        if let Some(steps) = self.stepper.corrected(replica) {
            self.tallies[replica].corrected += 1;
            self.tallies[replica].correction += steps;
        }
        if let Some(shortfall) = self.stepper.shortfall(replica) {
            let words = format!("the jump is not corrected: {shortfall}");
            let words = of_replica(&words, self.rules.first_replica + replica as u64);
            self.journal.warn(step, "corrector", &words);
            self.tallies[replica].short += 1;
        }
    }

    /// Shows the frame of one replica to its observers.
    fn look_at(&mut self, replica: usize, mut record: Record) -> Result<()> {
        let tally = self.tallies[replica];
        let Tally { redrawn, short, .. } = tally;
        if matches!(self.stepper.clock(), Clock::Jumps(_)) {
            record.put(REDRAWN, Some(redrawn as f64));
            record.put(UNCORRECTED, Some(short as f64));
            record.put(CORRECTION, tally.mean_correction());
        }
        let frame = &self.frames[replica];
        for (_, observer) in self.observers[replica]
            .iter_mut()
            .filter(|(every, _)| frame.step.is_multiple_of(*every))
        {
            match observer.observe(frame, &mut record) {
                Err(Error::Guard { step, what, hint }) => {
                    let what = of_replica(&what, self.rules.first_replica + replica as u64);
                    if self.rules.on_guard != OnGuard::Warn {
                        return Err(Error::Guard { step, what, hint });
                    }
                    self.journal.warn(step, "guard", &what);
                }
                seen => seen?,
            }
        }
        Ok(())
    }
}

/// The first replica needs no name: most runs have one.
fn of_replica(what: &str, replica: u64) -> String {
    if replica == 0 {
        what.to_owned()
    } else {
        format!("replica {replica}: {what}")
    }
}
