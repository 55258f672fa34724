//! Weights that a training starts from, where they are not random: those of a model.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::config::Config;
use crate::engine::Cpu;
use crate::error::Place;
use crate::network::{self, DataFile, Model, Network, Regime, SHIPPED};
use crate::{Error, Result};

/// What `training.initial` and provenances call the model that is built into the program.
pub const BUILT_IN: &str = "built-in";

/// The model that a training starts from.
#[derive(Clone, PartialEq)]
pub struct Initial {
    /// Its name without folders, and the hash of its file.
    pub file: DataFile,
    /// The network.
    pub config: network::Config,
    /// All weights, in the order of the network's program.
    pub values: Vec<f64>,
}

impl fmt::Debug for Initial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.file) // not a hundred thousand weights
    }
}

impl Initial {
    /// The model that the configuration file `beside` names: a path relative to it, or
    /// [`BUILT_IN`].
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn named(name: &Path, beside: &Path) -> Result<Initial> {
        match name.to_str() {
            Some(BUILT_IN) => Initial::built_in(),
            _ => Initial::read(&beside.parent().unwrap_or(Path::new("")).join(name)),
        }
    }

    /// The model that is built into the program.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`].
    pub fn built_in() -> Result<Initial> {
        Initial::of(SHIPPED, Path::new(BUILT_IN))
    }

    /// A model file.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn read(path: &Path) -> Result<Initial> {
        let bytes = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        Initial::of(&bytes, path)
    }

    fn of(bytes: &[u8], path: &Path) -> Result<Initial> {
        let (model, header) = Model::from_bytes(bytes, path, Cpu::<f32>::new())?;
        Ok(Initial {
            file: DataFile::of(path, bytes),
            config: header.config,
            values: model.parameters()?,
        })
    }

    /// The scale of its answers, Å, where they are over all of `lags`, ps: a training for these lag
    /// times keeps it, so that it starts from the very answers that the model gives. None of
    /// forces, whose regime is kept as a whole.
    pub fn scale(&self, lags: &[f64]) -> Option<f64> {
        let [shortest, longest] = self.config.regime.lag_times()?;
        let (Regime::Jump {
            sigma_data: scale, ..
        }
        | Regime::NextFrame { scale, .. }
        | Regime::Force { scale, .. }) = self.config.regime;
        (shortest <= *lags.first()? && *lags.last()? <= longest).then_some(scale)
    }

    /// All weights for the network `wanted`, which starts from this one's answers. Where it takes
    /// several lag times and this one knows its own only, what it is told of them has no weight to
    /// begin with, nor has the fold where this one is given none; where its radial splines are
    /// finer, they sum up to the same functions.
    pub fn weights_for(&self, wanted: &network::Config) -> Vec<f64> {
        let mut rest = self.values.as_slice();
        let mut values = Vec::with_capacity(rest.len());
        for (name, shape) in Network::new(&self.config).program.params {
            let (own, others) = rest.split_at(shape.size[0] * shape.size[1]);
            rest = others;
            let is_radial = name.ends_with(".radial") || name.ends_with(".radial_condition");
            match halvings(self.config.radial, wanted.radial) {
                Some(times) if is_radial => values
                    .extend((0..times).fold(own.to_vec(), |rows, _| refined(&rows, shape.size[1]))),
                _ => values.extend_from_slice(own),
            }
            if name == "conditioning.0.weight" {
                let more = wanted
                    .conditioning()
                    .saturating_sub(self.config.conditioning());
                values.resize(values.len() + more * shape.size[1], 0.0);
            }
            if name == "vectors.weight_1" && wanted.fold && !self.config.fold {
                values.resize(values.len() + shape.size[1], 0.0);
            }
        }
        values
    }

    /// Name of the objective that its answers are for.
    fn objective(&self) -> &'static str {
        match self.config.regime {
            Regime::Jump { .. } => "jump",
            Regime::NextFrame { .. } => "displacement",
            Regime::Force { .. } => "force",
        }
    }
}

impl Config {
    /// Makes the training start from this model: its sizes are the network's.
    ///
    /// # Errors
    /// [`Error::Input`] where the table `[model]` asks for another network, or the objective for
    /// other answers.
    pub fn start_from(&mut self, initial: Initial) -> Result<()> {
        let refuse =
            |what: String, hint: &str| Err(Error::input(Place::file(&self.path), what, hint));
        let name = &initial.file.name;
        let objective = [
            (self.jump.is_some(), "jump"),
            (self.displacement.is_some(), "displacement"),
            (self.force.is_some(), "force"),
        ];
        let answers = initial.objective();
        if let Some((_, wanted)) = objective
            .into_iter()
            .find(|&(present, table)| present && table != answers)
        {
            let what = format!(
                "training.initial: {name} was trained for [{answers}], this training is for [{wanted}]"
            );
            return refuse(
                what,
                &format!("start from a model trained for [{wanted}], or leave `initial` out"),
            );
        }
        if let (Some(force), Regime::Force { form, .. }) = (self.force, initial.config.regime)
            && force.form != form
        {
            let what = format!(
                "training.initial: {name} is of the {form:?} form of forces, this training is for the {:?} one",
                force.form
            );
            return refuse(
                what,
                "set `form` in [force] to the model's, or leave `initial` out",
            );
        }
        // what may differ: finer splines are a refinement of the model's, and a fold can be given
        // to a model that had none
        let typed = typed_sizes(&self.text);
        let finer = typed.contains_key("radial")
            && halvings(initial.config.radial, self.model.radial).is_some();
        let radial = if finer {
            self.model.radial
        } else {
            initial.config.radial
        };
        let fold = initial.config.fold || self.model.fold;
        let wanted = network::Config {
            radial,
            fold,
            ..initial.config.clone()
        };
        if let Some((key, value)) = contradiction(&typed, &wanted) {
            let what = format!("model.{key}: {name}, which the training starts from, has {value}");
            return refuse(
                what,
                "leave the key out: the sizes are those of `training.initial`; or leave `initial` out",
            );
        }
        self.model = network::Config {
            regime: network::Config::default().regime,
            ..wanted
        };
        self.initial = Some(initial);
        Ok(())
    }
}

/// How often the spacing of `from` radial splines is halved to give `to`; none where that does not
/// give it.
fn halvings(from: usize, to: usize) -> Option<u32> {
    (0..8).find(|&times| (from - 1) << times == to - 1)
}

/// The coefficients of a function of cubic B-splines on a grid of half the spacing (two-scale
/// relation: B is the sum of five B-splines of half the width, (1, 4, 6, 4, 1)/8). Rows of `width`,
/// a row a spline; the last stands for all further ones (see `ops::message`).
fn refined(rows: &[f64], width: usize) -> Vec<f64> {
    const SHARES: [f64; 5] = [0.125, 0.5, 0.75, 0.5, 0.125];
    let count = rows.len() / width;
    let row = |spline: usize| &rows[spline.min(count - 1) * width..][..width];
    let mut fine = vec![0.0; (2 * count - 1) * width];
    for (index, to) in fine.chunks_exact_mut(width).enumerate() {
        // spline k is made of the fine ones 2k − 3 … 2k + 1
        for (k, share) in SHARES
            .iter()
            .enumerate()
            .filter_map(|(i, share)| Some(((index + 3).checked_sub(i)?, share)))
        {
            if k % 2 == 0 {
                to.iter_mut()
                    .zip(row(k / 2))
                    .for_each(|(to, from)| *to += share * from);
            }
        }
    }
    fine
}

/// The table `[model]` in `text`, empty where there is none.
fn typed_sizes(text: &str) -> toml::Table {
    let whole: toml::Table = toml::from_str(text).unwrap_or_default();
    whole
        .get("model")
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default()
}

/// The first of the keys `typed` that is not as `has` has it, and what `has` has.
fn contradiction(typed: &toml::Table, has: &network::Config) -> Option<(String, Value)> {
    let own = serde_json::to_value(has).ok()?;
    let differs = |key: &str, value: &toml::Value| {
        // a key at a time over the model's own, so that 11 and 11.0 are the same
        let mut other = own.clone();
        other[key] = serde_json::to_value(value).unwrap_or_default();
        serde_json::from_value::<network::Config>(other)
            .ok()
            .as_ref()
            != Some(has)
    };
    let (key, _) = typed.iter().find(|(key, value)| differs(key, value))?;
    Some((key.clone(), own[key].clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forcefield::template_geometry_at;
    use crate::network::{Inputs, JumpInput, Tokens};
    use crate::structure::{ReadOptions, read};

    #[test]
    fn finer_splines_untold_lag_times_and_a_new_fold_change_no_answer() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb");
        let structure = read(&file, &ReadOptions::default()).unwrap();
        let positions = &structure.frame.positions;
        let tokens = Tokens::new(
            &structure.topology,
            &template_geometry_at(&structure.topology, positions).unwrap(),
        )
        .unwrap();
        let condition = tokens.positions(positions);
        let noisy: Vec<_> = condition
            .iter()
            .map(|x| x + nalgebra::Vector3::new(x.y.sin(), x.z.sin(), x.x.sin()))
            .collect();
        let fold: Vec<_> = condition.iter().map(|x| 1.1 * x).collect();
        // random weights of a coarse network for one lag time: every weight counts
        let regime = Regime::Jump {
            lag_time: 20.0,
            sigma_data: 1.1,
            lag_range: None,
        };
        let config = network::Config {
            regime,
            radial: 14,
            ..network::Config::default()
        };
        let coarse = Model::initial(config.clone(), Cpu::<f64>::new(), 3).unwrap();
        let file = DataFile {
            name: "coarse".into(),
            sha256: String::new(),
        };
        let initial = Initial {
            file,
            config: config.clone(),
            values: coarse.parameters().unwrap(),
        };
        let answer = |model: &Model<Cpu<f64>>, lag_time: f64| {
            let input = JumpInput {
                tokens: &tokens,
                condition: &condition,
                noisy: &noisy,
                sigma: 0.4,
                condition_noise: 0.05,
                fold: Some(&fold),
                lag_time,
            };
            model
                .predict(&Inputs::jump(model.config(), &[input]))
                .unwrap()
        };
        let expected = answer(&coarse, 20.0);
        let several = Some([20.0, 160.0]);
        for (radial, lag_range, fold) in [
            (27, None, false),
            (53, None, true),
            (14, several, true),
            (53, several, false),
        ] {
            let wanted = network::Config {
                radial,
                fold,
                regime: Regime::Jump {
                    lag_time: 20.0,
                    sigma_data: 1.1,
                    lag_range,
                },
                ..config.clone()
            };
            let fine = Model::with_parameters(
                wanted.clone(),
                Cpu::<f64>::new(),
                &initial.weights_for(&wanted),
            )
            .unwrap();
            for (a, b) in answer(&fine, 55.0).iter().zip(&expected) {
                assert!((a - b).norm() <= 1e-11, "{radial} {lag_range:?}: {a} {b}");
            }
        }
        assert_eq!(
            [
                halvings(14, 14),
                halvings(14, 53),
                halvings(14, 28),
                halvings(27, 14)
            ],
            [Some(0), Some(2), None, None]
        );
    }
}
