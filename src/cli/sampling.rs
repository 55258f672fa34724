//! How jumps are sampled and corrected: the flags of every command that makes some.

use crate::session::{Cutoff, Fold, Jumps};
use crate::task::Method;
use crate::{Error, Result};

/// Sampler and corrector.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Jumps")]
pub struct Sampling {
    /// Physical time of a jump, of a model that takes several [default: what the model says of
    /// molecules of this size (built in: 160ps from 2 to 200 residues), else its own]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub lag: Option<f64>,
    /// After every jump, up to N steps of minimisation, behind those that bring forces down to
    /// thermal ones, and N steps of 4 fs in the force field; 0: the bare network; auto: one of
    /// minimisation for each heavy atom, 100 to 400, and as many of dynamics at most, 50 at least,
    /// until the frame has settled. A frame that they throw apart gets as many again from nearer to
    /// a minimum [default: auto]
    #[arg(long, value_name = "N|auto", value_parser = relax)]
    pub relax: Option<Relax>,
    /// The corrector leaves out pairs beyond this distance; none: no pair; auto: none below 2000
    /// atoms, 16A above (see the manual for its error) [default: auto]
    #[arg(long, value_name = "LENGTH|none|auto", value_parser = cutoff)]
    pub cutoff: Option<Cutoff>,
    /// Noise levels of the sampler [default: 6 with a corrector, 10 without]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1000))]
    pub levels: Option<u64>,
    /// How it steps through them [default: with a corrector what the model says of molecules of
    /// this size (built in: multistep below 10 residues), else euler; heun without]
    #[arg(long, value_enum)]
    pub method: Option<Method>,
    /// Whether jumps keep to the fold that the input has: to its backbone, as MD of about a
    /// nanosecond does. keep, or free: not, for disordered chains; folded proteins then come apart
    /// faster than in MD. TIME: the fold follows the frames, as their running mean over so long, a
    /// jump at least. auto: keep where a chain has ten residues or more, else free [default: auto]
    #[arg(long, value_name = "auto|keep|free|TIME")]
    pub fold: Option<Fold>,
    /// How strongly jumps keep to that fold: 1 as the model has learnt, 0 not at all, above 1 more
    /// strongly, below less; all but 1 take the network twice as long [default: 2 with a corrector
    /// and 30 residues or more, else 1]
    #[arg(long, value_name = "S")]
    pub fold_strength: Option<f64>,
    /// Smallest noise level [default: 0.01A]
    #[arg(long, value_name = "LENGTH", value_parser = super::length)]
    pub lowest: Option<f64>,
    /// Noise added before each step of the sampler, as a share of its noise level [default: with a
    /// corrector what the model says of molecules of this size (built in: 0.3 below 10 residues),
    /// else 0]
    #[arg(long, value_name = "SHARE")]
    pub stir: Option<f64>,
}

/// Steps of the corrector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relax {
    /// Until the frame has settled.
    Auto,
    /// So many.
    Steps(usize),
}

impl Relax {
    /// As it is typed.
    pub fn words(self) -> String {
        match self {
            Relax::Auto => "auto".to_owned(),
            Relax::Steps(steps) => steps.to_string(),
        }
    }
}

fn relax(text: &str) -> Result<Relax> {
    match text {
        "auto" => Ok(Relax::Auto),
        number => number.parse().map(Relax::Steps).map_err(|_| {
            let what = format!("{number} is neither a number of steps nor auto");
            Error::usage(what, "auto, 100, or 0 for the bare network")
        }),
    }
}

fn cutoff(text: &str) -> Result<Cutoff> {
    match text {
        "auto" => Ok(Cutoff::Auto),
        "none" => Ok(Cutoff::Off),
        length => super::protein::cutoff(length).map(Cutoff::At),
    }
}

impl From<&Sampling> for Jumps {
    fn from(typed: &Sampling) -> Self {
        Jumps {
            lag: typed.lag,
            relax: typed.relax.and_then(|relax| match relax {
                Relax::Auto => None,
                Relax::Steps(steps) => Some(steps),
            }),
            cutoff: typed.cutoff.unwrap_or_default(),
            levels: typed.levels.map(|levels| levels as usize),
            method: typed.method,
            fold: typed.fold.unwrap_or_default(),
            fold_strength: typed.fold_strength,
            lowest: typed.lowest.unwrap_or(Jumps::default().lowest),
            stir: typed.stir,
        }
    }
}

impl Sampling {
    /// These flags, and `others` where there are none of these.
    #[must_use]
    pub fn or(&self, others: &Sampling) -> Sampling {
        Sampling {
            lag: self.lag.or(others.lag),
            relax: self.relax.or(others.relax),
            cutoff: self.cutoff.or(others.cutoff),
            levels: self.levels.or(others.levels),
            method: self.method.or(others.method),
            fold: self.fold.or(others.fold),
            fold_strength: self.fold_strength.or(others.fold_strength),
            lowest: self.lowest.or(others.lowest),
            stir: self.stir.or(others.stir),
        }
    }

    /// The first flag that is not at its default.
    pub fn changed(&self) -> Option<&'static str> {
        let (typed, default) = (Jumps::from(self), Jumps::default());
        let flags = [
            ("--lag", typed.lag == default.lag),
            ("--relax", typed.relax == default.relax),
            ("--cutoff", typed.cutoff == default.cutoff),
            ("--levels", typed.levels == default.levels),
            ("--method", typed.method == default.method),
            ("--fold", typed.fold == default.fold),
            (
                "--fold-strength",
                typed.fold_strength == default.fold_strength,
            ),
            ("--lowest", typed.lowest == default.lowest),
            ("--stir", typed.stir == default.stir),
        ];
        let changed = flags.into_iter().find(|(_, same)| !same);
        changed.map(|(flag, _)| flag)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::as_typed;
    use super::*;

    #[test]
    fn nothing_typed_is_the_default() {
        let nothing: Sampling = as_typed("validate", &[""; 0]).unwrap();
        assert_eq!(Jumps::from(&nothing), Jumps::default());
        assert_eq!(nothing.changed(), None);
        let some: Sampling = as_typed("validate", &["--relax", "0", "--lag", "1ns"]).unwrap();
        assert_eq!(
            (some.lag, some.relax, some.changed()),
            (Some(1000.0), Some(Relax::Steps(0)), Some("--lag"))
        );
        let auto: Sampling =
            as_typed("validate", &["--relax", "auto", "--cutoff", "auto"]).unwrap();
        assert_eq!(auto.changed(), None);
        for (typed, cutoff) in [("none", Cutoff::Off), ("12A", Cutoff::At(12.0))] {
            let some: Sampling = as_typed("validate", &["--cutoff", typed]).unwrap();
            assert_eq!(
                (Jumps::from(&some).cutoff, some.changed()),
                (cutoff, Some("--cutoff"))
            );
        }
        for wrong in [["--relax", "-1"], ["--relax", "some"], ["--cutoff", "7A"]] {
            assert!(
                as_typed::<Sampling>("validate", &wrong).is_err(),
                "{wrong:?}"
            );
        }
    }
}
