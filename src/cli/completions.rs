//! `mdsurrogate completions SHELL` and `mdsurrogate man`: what shells and `man` need to know.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::CommandLine;
use super::console::{print, println};
use crate::{Error, Result, files};

/// Print the completion script of a shell, or put it where the shell looks
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell [default: with --install, yours]
    #[arg(required_unless_present = "install")]
    pub shell: Option<Shell>,
    /// Write the script into your own folder of bash, zsh or fish instead of printing it
    #[arg(long)]
    pub install: bool,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write mdsurrogate.1, mdsurrogate-run.1, … into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints or installs the script.
///
/// # Errors
/// [`Error::Usage`] for a shell whose folder is not known, [`Error::Output`] where the script
/// cannot be written.
pub fn run(args: Args) -> Result<()> {
    let shell = args.shell.or_else(Shell::from_env).ok_or_else(|| {
        let what = "SHELL does not name a shell that there is a script for";
        Error::usage(what, "mdsurrogate completions bash --install")
    })?;
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut CommandLine::command(),
        "mdsurrogate",
        &mut script,
    );
    if !args.install {
        print!("{}", String::from_utf8_lossy(&script));
        return Ok(());
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = place(shell, &variable)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|source| Error::writing(folder, &source))?;
    files::write_atomically(&file, |out| out.write_all(&script))?;
    println!("wrote {}", file.display());
    if shell == Shell::Zsh {
        println!(
            "in ~/.zshrc, before compinit: fpath=({} $fpath)",
            folder.display()
        );
    }
    println!("new shells complete its commands and flags");
    Ok(())
}

/// Where a shell looks for a user's own scripts.
fn place(shell: Shell, variable: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Result<PathBuf> {
    let home = variable("HOME").map(PathBuf::from).ok_or_else(|| {
        let hint = format!("mdsurrogate completions {shell} > FILE");
        Error::usage("HOME is not set", hint)
    })?;
    let folder =
        |name: &str, usual: &str| variable(name).map_or_else(|| home.join(usual), PathBuf::from);
    let data = || folder("XDG_DATA_HOME", ".local/share");
    match shell {
        Shell::Bash => Ok(data().join("bash-completion/completions/mdsurrogate")),
        Shell::Zsh => Ok(data().join("zsh/site-functions/_mdsurrogate")),
        Shell::Fish => {
            let configuration = folder("XDG_CONFIG_HOME", ".config");
            Ok(configuration.join("fish/completions/mdsurrogate.fish"))
        }
        other => Err(Error::usage(
            format!("it is not known where {other} looks for scripts"),
            format!("mdsurrogate completions {other} > FILE, for your profile to read"),
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_go_where_shells_look() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/me".into()),
            "XDG_CONFIG_HOME" => Some("/else".into()),
            _ => None,
        };
        for (shell, path) in [
            (
                Shell::Bash,
                "/home/me/.local/share/bash-completion/completions/mdsurrogate",
            ),
            (
                Shell::Zsh,
                "/home/me/.local/share/zsh/site-functions/_mdsurrogate",
            ),
            (Shell::Fish, "/else/fish/completions/mdsurrogate.fish"),
        ] {
            assert_eq!(place(shell, &variable).unwrap(), Path::new(path));
        }
        let error = place(Shell::PowerShell, &variable).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(place(Shell::Bash, &|_| None).is_err());
    }
}
