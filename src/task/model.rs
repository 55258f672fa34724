//! Model files: a network with its task.

use std::path::Path;

use super::Task;
use crate::engine::Engine;
use crate::error::Place;
use crate::network::{Architecture, File, Header, Network, PROTEIN, Program, Provenance, SHIPPED};
use crate::{Error, Result};

/// A model file on an engine.
pub struct Loaded<E: Engine> {
    /// Program and weights.
    pub network: Network<E>,
    /// What the network is for.
    pub task: Task,
    /// All that the file says of itself.
    pub header: Header,
}

/// Reads a model file.
///
/// # Errors
/// [`Error::Input`] naming the file where it is missing, cut short, of another schema, damaged (its
/// hash differs) or not one of this program's; [`Error::Device`] where the engine has no memory.
pub fn load<E: Engine>(path: &Path, engine: E) -> Result<Loaded<E>> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    from_bytes(&bytes, path, engine)
}

/// The model that is built into the program.
///
/// # Errors
/// [`Error::Device`] where the engine has no memory.
pub fn shipped<E: Engine>(engine: E) -> Result<Loaded<E>> {
    from_bytes(SHIPPED, Path::new("(built in)"), engine)
}

/// Reads a model file that is already in memory; `path` names it in errors.
///
/// # Errors
/// As [`load`].
pub fn from_bytes<E: Engine>(bytes: &[u8], path: &Path, engine: E) -> Result<Loaded<E>> {
    let file = File::parse(bytes, path)?;
    let unsound = |error: &dyn std::fmt::Display| {
        let what = format!("damaged: the header is unsound: {error}");
        Error::input(
            Place::file(path),
            what,
            "copy or download the model file again",
        )
    };
    let task = Task::of(&file.header).map_err(|error| unsound(&error))?;
    let architecture = &file.header.architecture;
    let interface = task.interface();
    architecture
        .check(&interface)
        .map_err(|error| unsound(&error))?;
    let program = architecture.build(&interface, file.vocabulary()?);
    Ok(Loaded {
        network: file.network(program, engine)?,
        task,
        header: file.header,
    })
}

impl Task {
    /// What a model file says that its network is for.
    ///
    /// # Errors
    /// [`Error::Usage`] for a task that this program does not know, or numbers that cannot be.
    pub fn of(header: &Header) -> Result<Task> {
        let task: Task = serde_json::from_value(header.task.clone()).map_err(|error| {
            let hint = "use the version of the program that made it";
            Error::usage(format!("its task cannot be understood: {error}"), hint)
        })?;
        task.check()?;
        Ok(task)
    }

    /// The program of a network of this architecture for this task.
    ///
    /// # Errors
    /// [`Error::Usage`] where its sizes cannot be, or it does not take what the task hands over.
    pub fn program(&self, architecture: &Architecture) -> Result<Program> {
        self.check()?;
        let interface = self.interface();
        architecture.check(&interface)?;
        Ok(architecture.build(&interface, &PROTEIN))
    }

    /// A network of this architecture with random weights.
    ///
    /// # Errors
    /// Those of [`Task::program`], and [`Error::Device`] where the engine has no memory.
    pub fn initial<E: Engine>(
        &self,
        architecture: &Architecture,
        engine: E,
        seed: u64,
    ) -> Result<Network<E>> {
        Network::initial(self.program(architecture)?, engine, seed)
    }
}

/// Writes a network of this architecture for this task; whole or not at all.
///
/// # Errors
/// [`Error::Output`] naming the file.
pub fn save<E: Engine>(
    path: &Path,
    network: &Network<E>,
    architecture: &Architecture,
    task: &Task,
    provenance: &Provenance,
) -> Result<()> {
    let header = Header::new(architecture.clone(), task.to_value()?, provenance.clone());
    File::write(&header, network, path)
}
