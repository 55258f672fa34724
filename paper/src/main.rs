//! `paper`: the published claims of G-Hyena (Moskalev et al., ICML 2025), each beside every
//! baseline, by one command each. What is measured is kept as lines of JSON in a folder of results;
//! a run that was interrupted goes on, one that is done is not done again; `paper tables` writes
//! docs/paper.md from them.

mod models;
mod recall;
mod results;
mod speed;
mod tables;
mod training;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mdsurrogate::cli::render;

/// The published claims of G-Hyena, each beside every baseline.
#[derive(Debug, Parser)]
#[command(name = "paper", version, about)]
struct Words {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Geometric associative recall: one value out of a long sequence of words
    Recall(recall::Options),
    /// Time and memory over the number of tokens
    Speed(speed::Options),
    /// Writes the page of all results
    Tables(tables::Options),
}

fn main() -> ExitCode {
    let words = Words::parse();
    let done = match &words.command {
        Command::Recall(options) => recall::run(options),
        Command::Speed(options) => speed::run(options),
        Command::Tables(options) => tables::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", render(&error));
            ExitCode::from(error.exit_code())
        }
    }
}
