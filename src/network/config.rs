//! Everything that fixes a network and what it was made for; stored in the header of its weights.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fft::Convolution;
use crate::{Error, Result};

/// Which long convolution mixes the tokens; the paper ablates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongRange {
    /// Scalars and vectors together ([`crate::ops::geometric_conv`]).
    Geometric,
    /// Scalars only.
    Scalar,
    /// Vectors only.
    Vector,
    /// None: messages between neighbours are all.
    None,
}

/// How the network makes forces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// It answers with them: one evaluation, and no energy that they conserve.
    #[default]
    Direct,
    /// It answers with one energy a system, of which they are the negative gradient: the backward
    /// pass gives them.
    Conservative,
}

/// Length that the network of a new force model sees deviations from templates in, Å: about what a
/// stiff bond of 300 K deviates by.
const DEVIATION: f64 = 0.1;

/// What the network answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Regime {
    /// Denoised positions one lag time later, for sampling (EDM, Karras et al. 2022).
    Jump {
        /// Physical time of one step, ps, where no other is asked for.
        lag_time: f64,
        /// Standard deviation of the displacement over the lag times of the training, Å.
        sigma_data: f64,
        /// Shortest and longest lag time of the training, ps, of a network that is told the lag
        /// time; none: it knows `lag_time` alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lag_range: Option<[f64; 2]>,
    },
    /// Mean positions one lag time later.
    NextFrame {
        /// Physical time of one step, ps.
        lag_time: f64,
        /// RMS displacement over the lag time, Å: the scale of the answer.
        scale: f64,
    },
    /// Forces.
    Force {
        /// RMS force, kJ/mol/Å: the scale of the answer.
        scale: f64,
        /// Whether the network answers with forces or with an energy.
        #[serde(default)]
        form: Form,
        /// Length that the network sees deviations from templates in and answers in, Å: 1 of its
        /// answers is `scale` (direct) or `scale` · this (conservative). None, in models from
        /// before it was there: the number that `scale` is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deviation: Option<f64>,
    },
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regime::Jump {
                lag_time,
                sigma_data,
                lag_range,
            } => {
                let range = lag_range.map_or(String::new(), |[shortest, longest]| {
                    format!(", or {shortest} to {longest} ps")
                });
                write!(
                    f,
                    "jump: samples positions {lag_time} ps{range} later (data: {sigma_data:.4} Å)"
                )
            }
            Regime::NextFrame { lag_time, scale } => write!(
                f,
                "next frame: mean positions {lag_time} ps later (data: {scale:.4} Å)"
            ),
            Regime::Force {
                scale,
                form: Form::Direct,
                ..
            } => write!(f, "force: forces in kJ/mol/Å (data: {scale:.4})"),
            Regime::Force { scale, .. } => write!(
                f,
                "force: an energy and its gradient, forces in kJ/mol/Å (data: {scale:.4})"
            ),
        }
    }
}

impl Regime {
    /// Forces of this RMS, kJ/mol/Å, in this form.
    pub fn force(scale: f64, form: Form) -> Self {
        Regime::Force {
            scale,
            form,
            deviation: Some(DEVIATION),
        }
    }

    /// Whether forces are the gradient of an energy.
    pub fn is_conservative(&self) -> bool {
        matches!(
            self,
            Regime::Force {
                form: Form::Conservative,
                ..
            }
        )
    }

    /// What the network's ops are told as the scale of a system in the regimes without noise
    /// levels, Å; 1 where every system has its own.
    pub fn system_scale(&self) -> f64 {
        match *self {
            Regime::Jump { .. } => 1.0,
            Regime::NextFrame { scale, .. } => scale,
            Regime::Force {
                scale, deviation, ..
            } => deviation.unwrap_or(scale),
        }
    }

    /// What 1 Å of the network's answer stands for: 1 Å where positions are the answer, else
    /// kJ/mol/Å (direct) or kJ/mol (conservative).
    pub fn answer_unit(&self) -> f64 {
        match *self {
            Regime::Force {
                scale,
                form: Form::Direct,
                ..
            } => scale / self.system_scale(),
            Regime::Force { scale, .. } => scale,
            _ => 1.0,
        }
    }

    /// Shortest and longest physical time of one step, ps; none for forces.
    pub fn lag_times(&self) -> Option<[f64; 2]> {
        match *self {
            Regime::Jump {
                lag_range: Some(range),
                ..
            } => Some(range),
            Regime::Jump { lag_time, .. } | Regime::NextFrame { lag_time, .. } => {
                Some([lag_time; 2])
            }
            Regime::Force { .. } => None,
        }
    }

    /// Whether the network is told the lag time.
    pub fn is_told_lags(&self) -> bool {
        matches!(
            self,
            Regime::Jump {
                lag_range: Some(_),
                ..
            }
        )
    }
}

/// Sizes and choices of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Scalar channels C of a token.
    pub scalars: usize,
    /// Vector channels K of a token; scalar and vector channel k make one tuple in the long
    /// convolution.
    pub vectors: usize,
    /// Channels P of a pair message: 8, 16, 32 or 64.
    pub pair: usize,
    /// Blocks.
    pub layers: usize,
    /// B-splines of the pair distance.
    pub radial: usize,
    /// Distance at which the radial features end, Å.
    pub reach: f64,
    /// Nearest neighbours that a token receives messages from, beside its template pairs.
    pub neighbours: usize,
    /// The long convolution.
    pub long_range: LongRange,
    /// Its conventions.
    pub convolution: Convolution,
    /// Whether every block moves the candidate positions and the next recomputes its pair geometry
    /// from them. Forces move nothing.
    pub refine: bool,
    /// Whether template distances and signed heights are seen.
    pub templates: bool,
    /// Whether the network is also given the fold that a protein keeps to (regime `jump`;
    /// [`crate::network::JumpInput::fold`]).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fold: bool,
    /// What the answer is.
    pub regime: Regime,
}

impl Default for Config {
    /// The working model of the jump regime, without its lag time and scale.
    fn default() -> Self {
        Config {
            scalars: 64,
            vectors: 16,
            pair: 32,
            layers: 4,
            radial: 14,
            reach: 11.0,
            neighbours: 32,
            long_range: LongRange::Geometric,
            convolution: Convolution::WORKING,
            refine: true,
            templates: true,
            fold: false,
            regime: Regime::Jump {
                lag_time: 0.0,
                sigma_data: 0.0,
                lag_range: None,
            },
        }
    }
}

impl Config {
    /// As published (spec g-hyena.md): one vector channel, circular convolution scaled by 1/N, no
    /// templates, no refinement.
    pub fn paper(regime: Regime) -> Self {
        Config {
            vectors: 1,
            convolution: Convolution::PAPER,
            refine: false,
            templates: false,
            regime,
            ..Config::default()
        }
    }

    /// Refuses sizes that the ops cannot run.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the field and what is allowed.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, allowed: &str| {
            Err(Error::usage(
                format!("model: `{field}` is out of range"),
                format!("use {allowed}"),
            ))
        };
        if ![8, 16, 32, 64].contains(&self.pair) {
            return refuse("pair", "8, 16, 32 or 64");
        }
        for (field, value, max) in [
            ("scalars", self.scalars, 4096),
            ("vectors", self.vectors, 1024),
            ("layers", self.layers, 64),
            ("neighbours", self.neighbours, 4096),
        ] {
            if value == 0 || value > max {
                return refuse(field, &format!("1 to {max}"));
            }
        }
        if !(4..=256).contains(&self.radial) {
            return refuse("radial", "4 to 256");
        }
        if !(self.reach > 0.0 && self.reach <= 1000.0) {
            return refuse("reach", "a distance above 0, in Å");
        }
        if self.fold && !matches!(self.regime, Regime::Jump { .. }) {
            return refuse("fold", "it in the regime `jump` alone");
        }
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let sound = match self.regime {
            Regime::Jump {
                lag_time,
                sigma_data,
                lag_range,
            } => {
                let [shortest, longest] = lag_range.unwrap_or([lag_time; 2]);
                positive(shortest)
                    && longest.is_finite()
                    && shortest <= lag_time
                    && lag_time <= longest
                    && positive(sigma_data)
            }
            Regime::NextFrame { lag_time, scale } => positive(lag_time) && positive(scale),
            Regime::Force {
                scale, deviation, ..
            } => positive(scale) && deviation.is_none_or(positive),
        };
        if !sound {
            return refuse("regime", "positive times and scales");
        }
        Ok(())
    }
}
