//! `mdsurrogate completions SHELL` and `mdsurrogate man`: what shells and `man` need to know.

use std::path::PathBuf;

use clap::CommandFactory;

use super::CommandLine;
use super::console::print;
use crate::{Error, Result};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write mdsurrogate.1, mdsurrogate-run.1, … into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints the script.
///
/// # Errors
/// None.
pub fn run(args: Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut CommandLine::command(),
        "mdsurrogate",
        &mut script,
    );
    print!("{}", String::from_utf8_lossy(&script));
    Ok(())
}

/// Prints or writes manual pages.
///
/// # Errors
/// [`Error::Output`] where a file cannot be written.
pub fn man(args: ManArgs) -> Result<()> {
    let root = CommandLine::command();
    let Some(folder) = args.dir else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(root).render(&mut page);
        print!("{}", String::from_utf8_lossy(&page));
        return rendered.map_err(|source| Error::writing("stdout", &source));
    };
    std::fs::create_dir_all(&folder).map_err(|source| Error::writing(&folder, &source))?;
    clap_mangen::generate_to(root, &folder).map_err(|source| Error::writing(&folder, &source))
}
