//! What jumps are worth: rollouts from frames of the trajectory that was trained on, compared with
//! reference MD of another seed, as `mdsurrogate validate` does.

use std::fmt;
use std::time::Instant;

use mdsurrogate::Result;
use mdsurrogate::compare::rollout::Outcome;
use mdsurrogate::compare::verdict::Verdict;
use mdsurrogate::session::validate::{Case, Validation};
use mdsurrogate::session::{Backend, Jumps, ModelSource};
use serde::{Deserialize, Serialize};

use super::Options;

/// How many frames are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollouts {
    /// Numbers of the corrector's steps.
    pub relax: Vec<usize>,
    /// Rollouts.
    pub chains: usize,
    /// Jumps of each.
    pub jumps: usize,
}

/// Rollouts as `compare` sees them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Steps of the corrector behind a jump.
    pub relax: usize,
    /// Share of all frames that are valid; none without template geometry.
    pub valid: Option<f64>,
    /// Rollouts that left finite numbers.
    pub lost: usize,
    /// Simulated time per wall time, ns/day.
    pub rate: f64,
    /// Measures that are within what MD gives, near it and outside.
    pub verdicts: [usize; 3],
    /// The measures of [`MEASURES`] that could be computed.
    pub measures: Vec<Found>,
}

/// A measure of `compare`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its name there.
    pub name: String,
    /// Between rollouts and reference.
    pub value: f64,
    /// What MD as long as the rollouts gives.
    pub floor: Option<f64>,
}

/// What is kept of the measures.
pub const MEASURES: [&str; 4] = [
    "torsion_jsd",
    "ramachandran_jsd",
    "tica_jsd",
    "decorrelation",
];

impl Judged {
    fn of(relax: usize, outcome: &Outcome) -> Judged {
        let verdicts = [Verdict::Within, Verdict::Near, Verdict::Outside].map(|verdict| {
            let own = outcome.measures.iter();
            own.filter(|measure| measure.verdict == Some(verdict))
                .count()
        });
        let found = |name: &str| {
            let measure = outcome
                .measures
                .iter()
                .find(|measure| measure.name == name)?;
            Some(Found {
                name: name.to_owned(),
                value: measure.value?,
                floor: measure.floor,
            })
        };
        let valid = outcome.valid_by_fifth.iter().sum::<f64>() / 5.0;
        Judged {
            relax,
            valid: valid.is_finite().then_some(valid),
            lost: outcome.lost,
            rate: outcome.ns_per_day,
            verdicts,
            measures: MEASURES.into_iter().filter_map(found).collect(),
        }
    }

    /// One of [`MEASURES`].
    pub fn measure(&self, name: &str) -> Option<&Found> {
        self.measures.iter().find(|found| found.name == name)
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let valid = self.valid.unwrap_or(f64::NAN);
        let [within, near, outside] = self.verdicts;
        write!(
            f,
            "corrector {}: {:.2} % valid, {} lost",
            self.relax,
            100.0 * valid,
            self.lost
        )?;
        for found in &self.measures {
            let floor = found.floor.unwrap_or(f64::NAN);
            write!(f, ", {} {:.4} (floor {floor:.4})", found.name, found.value)?;
        }
        write!(f, "; {within} within, {near} near, {outside} outside")
    }
}

/// Rolls a model out and judges it.
///
/// # Errors
/// Those of [`Validation::run`].
pub fn judge(options: &Options, model: &ModelSource, relax: usize, seed: u64) -> Result<Judged> {
    let outcome = roll_out(options, model, relax, seed, [options.chains, options.jumps])?;
    Ok(Judged::of(relax, &outcome))
}

fn roll_out(
    options: &Options,
    model: &ModelSource,
    relax: usize,
    seed: u64,
    [chains, jumps]: [usize; 2],
) -> Result<Outcome> {
    let validation = Validation {
        model: model.clone(),
        backend: Backend::Cpu,
        seed,
        keeps_faults: true,
        ..Validation::default()
    };
    let case = Case {
        name: String::new(),
        note: String::new(),
        topology: options.topology.clone(),
        start: vec![options.trajectory.clone()],
        reference: vec![options.against.clone()],
        chains,
        jumps,
        flags: None,
    };
    let how = Jumps {
        relax: Some(relax),
        ..Jumps::default()
    };
    let report = validation.run(&case, &how, &mut |line| eprintln!("{line}"))?;
    Ok(report.outcome)
}

/// Seconds that the rollouts of one model take at most: measured on some jumps of the model that
/// comes with the program, whose network is larger than those here.
///
/// # Errors
/// Those of [`Validation::run`].
pub fn seconds(options: &Options) -> Result<f64> {
    const FEW: [usize; 2] = [2, 4];
    let mut sum = 0.0;
    for &relax in &options.relax {
        let begin = Instant::now();
        let outcome = roll_out(options, &ModelSource::default(), relax, 1, FEW)?;
        let jump = outcome.lag_time * 1e-3 / outcome.ns_per_day * 86_400.0;
        let made = FEW[0] * FEW[1];
        let judging = (begin.elapsed().as_secs_f64() - made as f64 * jump).max(0.0);
        sum += judging + (options.chains * options.jumps) as f64 * jump;
    }
    Ok(sum)
}
