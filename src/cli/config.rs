//! `--config FILE`: flags from a TOML file of the same names, as if they had been typed before all
//! others.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, Command, FromArgMatches};

use crate::error::Place;
use crate::{Error, Result};

/// Flags that exclude each other: one that is typed makes the file's other one void.
const EXCLUSIVE: [[&str; 2]; 3] = [
    ["steps", "time"],
    ["replicas", "replica-index"],
    ["verbose", "quiet"],
];

/// The flags of `command`, as if `words` had been typed behind its name.
///
/// # Errors
/// clap's own, for words that are no flags of it.
pub fn as_typed<A: Args + FromArgMatches>(
    command: &'static str,
    words: &[impl AsRef<str>],
) -> std::result::Result<A, clap::Error> {
    let words = words.iter().map(AsRef::as_ref);
    A::from_arg_matches(
        &A::augment_args(Command::new(command).no_binary_name(true)).try_get_matches_from(words)?,
    )
}

/// Reads `typed` (the words behind the subcommand's name) again, behind the flags of the file.
///
/// # Errors
/// [`Error::Input`] naming the file for what is no TOML, no flag of the command, or not a value of
/// one.
pub fn with_file<A: Args + FromArgMatches>(
    command: &'static str,
    file: &Path,
    typed: Vec<OsString>,
) -> Result<A> {
    let refuse = |what: String, hint: &str| Error::input(Place::file(file), what, hint);
    let text = std::fs::read_to_string(file).map_err(|source| Error::reading(file, &source))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        Error::input(
            Place::line(file, line),
            error.message().to_owned(),
            "write name = value, a name being that of a flag without its dashes",
        )
    })?;
    let all = A::augment_args(
        Command::new(command)
            .no_binary_name(true)
            .args_override_self(true),
    );
    let is_typed = |name: &str| {
        typed
            .iter()
            .any(|word| word.to_string_lossy().split('=').next() == Some(&format!("--{name}")))
    };
    let mut words: Vec<OsString> = Vec::new();
    for (name, value) in &table {
        let known = all.get_arguments().find(|known| {
            known.get_long() == Some(name)
                || (known.is_positional() && known.get_id() == name.as_str())
        });
        let Some(known) = known.filter(|known| known.get_long() != Some("config")) else {
            return Err(refuse(
                format!("`{name}` is no flag of {command}"),
                &format!("mdsurrogate {command} --help lists them"),
            ));
        };
        let partner = EXCLUSIVE
            .iter()
            .find(|pair| pair.contains(&name.as_str()))
            .map(|pair| if pair[0] == name { pair[1] } else { pair[0] });
        if partner.is_some_and(is_typed) {
            continue;
        }
        let plain = |value: &toml::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let value = match value {
            toml::Value::Boolean(true) => None,
            toml::Value::Boolean(false) => continue,
            toml::Value::Array(items) => {
                Some(items.iter().map(plain).collect::<Vec<_>>().join(","))
            }
            other => Some(plain(other)),
        };
        words.extend(known.get_long().map(|long| {
            OsString::from(
                value
                    .as_ref()
                    .map_or(format!("--{long}"), |value| format!("--{long}={value}")),
            )
        }));
        words.extend(value.filter(|_| known.is_positional()).map(OsString::from));
    }
    // a protein that is typed is the one that is meant
    let matches = all
        .clone()
        .try_get_matches_from(words.iter().chain(&typed))
        .or_else(|first| {
            let flags = words
                .iter()
                .filter(|word| word.to_string_lossy().starts_with('-'));
            all.try_get_matches_from(flags.chain(&typed))
                .map_err(|_| first)
        });
    let matches = matches.map_err(|error| match super::refused_value(&error) {
        Some((what, hint)) => refuse(what, &hint),
        None => {
            let words = error.to_string();
            let first = words.lines().next().unwrap_or_default();
            refuse(
                first.trim_start_matches("error: ").to_owned(),
                "see the flag's line in --help",
            )
        }
    })?;
    A::from_arg_matches(&matches).map_err(|error| refuse(error.to_string(), "see --help"))
}
