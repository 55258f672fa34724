//! `paper`: the published claims of G-Hyena (Moskalev et al., ICML 2025), each beside every
//! baseline, by one command each. What is measured is kept as lines of JSON in a folder of results;
//! a run that was interrupted goes on, one that is done is not done again; `paper tables` writes
//! docs/paper.md from them.

mod courses;
mod dynamics;
mod jump;
mod models;
mod recall;
mod results;
mod ridge;
mod rna;
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
    /// Where atoms are some frames later, beside what needs no network
    Dynamics(dynamics::Options),
    /// Architectures as models of jumps on one molecule, in equal time, judged by `compare`
    Jump(jump::Options),
    /// Numbers of every nucleotide of an RNA, from an idealised structure or the sequence
    Rna(rna::Options),
    /// Time and memory over the number of tokens
    Speed(speed::Options),
    /// Writes the page of all results
    Tables(tables::Options),
}

fn run(command: &Command) -> mdsurrogate::Result<()> {
    match command {
        Command::Recall(options) => recall::run(options),
        Command::Dynamics(options) => dynamics::run(options),
        Command::Jump(options) => jump::run(options),
        Command::Rna(options) => rna::run(options),
        Command::Speed(options) => speed::run(options),
        Command::Tables(options) => tables::run(options),
    }
}

fn main() -> ExitCode {
    let words = Words::parse();
    match run(&words.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", render(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Runs a command, in which `@` begins a path from the repository's root.
    fn paper(words: &str, folder: &Path) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut all = vec!["paper".to_owned()];
        all.extend(words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(path) => root.join(path).display().to_string(),
            None => word.to_owned(),
        }));
        for (flag, name) in [("--results", "results"), ("--work", "work")] {
            all.extend([flag.to_owned(), folder.join(name).display().to_string()]);
        }
        run(&Words::parse_from(all).command).unwrap();
    }

    /// Every command that trains, in small, and the page of what it came to.
    #[test]
    fn commands_train_and_the_page_holds_what_they_measured() {
        let folder = std::env::temp_dir().join(format!("paper-commands-{}", std::process::id()));
        paper(
            "recall --tokens 6 --words 1 --models transformer --hidden 24x8 --layers 1 --seeds 2 \
             --epochs 1 --batch 260",
            &folder,
        );
        paper(
            "rna --data @paper/tests/data/openvaccine_small.jsonl.gz --folds 0,1 --seeds 1 \
             --epochs 1 --batch 12 --models g-hyena,transformer",
            &folder,
        );
        paper(
            "dynamics --topology @data/structures/akle.pdb --lag 1 --seeds 1 --epochs 1 --batch 120 \
             --trajectory @tests/data/compare/akle_a.xtc --atoms backbone,all --models egnn,g-hyena",
            &folder,
        );
        let jump = "jump --topology @data/structures/akle.pdb --lag 50ps --minutes 0.01 --seeds 1 \
                    --trajectory @tests/data/compare/akle_a.xtc --chains 2 --jumps 4 --relax 0 \
                    --against @tests/data/compare/akle_b.xtc --models g-hyena,egnn";
        paper(jump, &folder);
        // what is done is not done again
        paper(jump, &folder);
        let page = folder.join("page.md");
        tables::run(&tables::Options {
            results: folder.join("results"),
            page: page.clone(),
        })
        .unwrap();
        let page = std::fs::read_to_string(page).unwrap();
        let rows = |start: &str| page.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(rows("| random | 1 | 6 | Transformer |"), 1);
        // two models of the backbone and the same two of letters, and two methods without network
        assert_eq!((rows("| backbone | "), rows("| letters | ")), (2, 4));
        // two kinds of atoms by two velocities
        assert_eq!(
            rows("| akle_a | backbone | 1 |") + rows("| akle_a | all | 1 |"),
            4
        );
        assert!(page.contains("**akle**, jumps of 50 ps, 0.01 min of training"));
        let jumps = &page[page.find("## Jumps").unwrap()..page.find("## Speed").unwrap()];
        assert_eq!(jumps.matches("\n| G-Hyena |").count(), 1, "{jumps}");
        assert_eq!(jumps.matches("\n| EGNN |").count(), 1, "{jumps}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
