//! The three steps, one after the other.

use super::Finetune;
use crate::compare::report::CaseReport;
use crate::observe::{Console, Journal};
use crate::session::train::train;
use crate::session::{Jumps, RunOptions};
use crate::simulate::Stop;
use crate::train::report::Reporter;
use crate::{Error, Result};

impl Finetune {
    /// Makes what is not made yet of the three steps, and comes back with what the model does
    /// beside the reference MD. `say` is told which step begins, and what there is to know of the
    /// validation; the other two tell stderr how far they are, unless it is to be `quiet`.
    /// `command_line` stands in the files of the reference MD.
    ///
    /// # Errors
    /// Those of [`crate::session::Session::run`], [`train`] and
    /// [`crate::session::validate::Validation::run`]; [`Error::Interrupted`] where `stop` was
    /// asked for.
    pub fn make(
        &self,
        stop: &Stop,
        command_line: Vec<String>,
        quiet: bool,
        say: &mut dyn FnMut(&str),
    ) -> Result<CaseReport> {
        say("\n1 of 3: reference MD");
        let (session, run) = self.reference()?;
        let run = RunOptions {
            stop: stop.clone(),
            command_line,
            ..run
        };
        session.run(&run, &Journal::new(Console::suited(quiet), false, false))?;

        say("\n2 of 3: training");
        let (config, options) = self.training()?;
        let reporter = Reporter::new(config.training.budget(), quiet);
        train(config, &options, &reporter, stop)?;

        say("\n3 of 3: validation: rollouts beside the reference MD that it was trained on");
        let (mut validation, case) = self.validation()?;
        validation.stop = stop.clone();
        let report = validation.run(&case, &Jumps::default(), say);
        report.map_err(|error| match error {
            // what is kept is the training; the rollouts begin anew
            Error::Interrupted { step, .. } => Error::Interrupted {
                step,
                checkpoint: self.files.checkpoint.clone(),
            },
            error => error,
        })
    }
}
