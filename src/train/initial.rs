//! Weights that a training starts from, where they are not random: those of a model.

use std::fmt;
use std::path::Path;

use crate::engine::Cpu;
use crate::network::{Architecture, DataFile, PROTEIN, SHIPPED};
use crate::task::{self, Task};
use crate::{Error, Result};

/// What `training.initial` and provenances call the model that is built into the program.
pub const BUILT_IN: &str = "built-in";

/// The model that a training starts from.
#[derive(Clone, PartialEq)]
pub struct Initial {
    /// Its name without folders, and the hash of its file.
    pub file: DataFile,
    /// What it is made of.
    pub architecture: Architecture,
    /// What it was trained for.
    pub task: Task,
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
    /// Those of [`task::load`].
    pub fn named(name: &Path, beside: &Path) -> Result<Initial> {
        match name.to_str() {
            Some(BUILT_IN) => Initial::built_in(),
            _ => Initial::read(&beside.parent().unwrap_or(Path::new("")).join(name)),
        }
    }

    /// The model that is built into the program.
    ///
    /// # Errors
    /// Those of [`task::from_bytes`].
    pub fn built_in() -> Result<Initial> {
        Initial::of(SHIPPED, Path::new(BUILT_IN))
    }

    /// A model file.
    ///
    /// # Errors
    /// Those of [`task::load`].
    pub fn read(path: &Path) -> Result<Initial> {
        let bytes = std::fs::read(path).map_err(|source| Error::reading(path, &source))?;
        Initial::of(&bytes, path)
    }

    fn of(bytes: &[u8], path: &Path) -> Result<Initial> {
        let loaded = task::from_bytes(bytes, path, Cpu::<f32>::new())?;
        Ok(Initial {
            file: DataFile::of(path, bytes),
            values: loaded.network.parameters()?,
            architecture: loaded.header.architecture,
            task: loaded.task,
        })
    }

    /// All weights of a network of this architecture for this task, which starts from this model's
    /// answers ([`Architecture::grow`]).
    pub fn weights_for(&self, architecture: &Architecture, task: &Task) -> Vec<f64> {
        let old = self.architecture.build(&self.task.interface(), &PROTEIN);
        architecture.grow(&task.interface(), &PROTEIN, &old, &self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forcefield::template_geometry_at;
    use crate::network::{GHyena, Network, Tokens};
    use crate::structure::{ReadOptions, read};
    use crate::task::{Jump, JumpInput};

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
        // of a coarse network for one lag time
        let jump = Jump {
            lag_time: 20.0,
            sigma_data: 1.1,
            lag_range: None,
            fold: false,
        };
        let coarse = with(&sizes(14), &jump, None);
        let file = DataFile {
            name: "coarse".into(),
            sha256: String::new(),
        };
        let initial = Initial {
            file,
            architecture: sizes(14),
            task: Task::Jump(jump),
            values: coarse.parameters().unwrap(),
        };
        let answer = |network: &Network<Cpu<f64>>, jump: Jump, lag_time: f64| {
            let input = JumpInput {
                tokens: &tokens,
                condition: &condition,
                noisy: &noisy,
                sigma: 0.4,
                condition_noise: 0.05,
                fold: Some(&fold),
                lag_time,
            };
            let inputs = jump.inputs(network.program().neighbours, &[input]);
            Task::Jump(jump).predict(network, &inputs).unwrap()
        };
        let expected = answer(&coarse, jump, 20.0);
        let several = Some([20.0, 160.0]);
        for (radial, lag_range, fold) in [
            (27, None, false),
            (53, None, true),
            (14, several, true),
            (53, several, false),
        ] {
            let wanted = Jump {
                lag_range,
                fold,
                ..jump
            };
            let values = initial.weights_for(&sizes(radial), &Task::Jump(wanted));
            let fine = with(&sizes(radial), &wanted, Some(&values));
            for (a, b) in answer(&fine, wanted, 55.0).iter().zip(&expected) {
                assert!((a - b).norm() <= 1e-11, "{radial} {lag_range:?}: {a} {b}");
            }
        }
    }

    fn sizes(radial: usize) -> Architecture {
        Architecture::GHyena(GHyena {
            radial,
            ..GHyena::default()
        })
    }

    /// A network with these weights, or random ones: every weight counts.
    fn with(sizes: &Architecture, jump: &Jump, values: Option<&[f64]>) -> Network<Cpu<f64>> {
        let program = sizes.build(&Task::Jump(*jump).interface(), &PROTEIN);
        let engine = Cpu::<f64>::new();
        match values {
            Some(values) => Network::with_parameters(program, engine, values).unwrap(),
            None => Network::initial(program, engine, 3).unwrap(),
        }
    }
}
