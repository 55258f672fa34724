//! `mdsurrogate validate`: a model on a list of molecules, judged against reference MD; and its
//! model card.

use std::path::{Path, PathBuf};

use super::backend::Backend;
use super::config::as_typed;
use super::console::{eprint, eprintln, print, println};
use super::sampling::{Relax, Sampling};
use super::start_threads;
use crate::compare::report::{CaseReport, aligned, card, leaderboard, measures_of};
use crate::files::{file_name, refuse_existing, write_atomically};
use crate::session::validate::{Case, CaseList, Validation};
use crate::session::{Cutoff, Jumps, ModelSource};
use crate::task::Method;
use crate::{Error, Result};

/// Roll a model out on a list of molecules and compare with reference MD
///
/// Prints a leaderboard, a row a molecule, and below it every measure of every molecule: beside its
/// floor (the same measure between the halves of the reference), beside reference MD as long as the
/// rollouts, and beside a tenth of the reference.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model file
    model: PathBuf,
    /// List of molecules (TOML): [[case]] tables with name, topology, start, reference, chains,
    /// jumps, flags (of its jumps; those typed here come first), note
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
    /// Folder of the files named in the list; default: the list's own
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write a model card on one page (Markdown): what the model was trained on, what was measured,
    /// where it holds and where not; beside it FILE.measures.md with every measure of every
    /// molecule, and FILE.sha256 with hashes of weights and data
    #[arg(long, value_name = "FILE.md")]
    card: Option<PathBuf>,
    /// Allow a card that exists to be replaced
    #[arg(long)]
    overwrite: bool,
    /// Time between frames of reference files that hold no times
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    time_step: Option<f64>,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t)]
    backend: Backend,
    #[command(flatten)]
    sampling: Sampling,
    /// Seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object on stdout instead of the tables
    #[arg(long)]
    json: bool,
}

/// How the jumps of a case are made: by the flags that were typed, and its own where they say
/// nothing.
fn jumps_of(case: &Case, typed: &Sampling) -> Result<Jumps> {
    let Some(flags) = &case.flags else {
        return Ok(typed.into());
    };
    let words: Vec<&str> = flags.split_whitespace().collect();
    let own: Sampling = as_typed("case", &words).map_err(|error| {
        Error::usage(
            format!("case {}: flags: {}", case.name, error.to_string().trim()),
            "--lag 160ps --stir 0.3",
        )
    })?;
    Ok((&typed.or(&own)).into())
}

/// Runs all cases, prints the tables and writes the card.
///
/// # Errors
/// Those of the files, the model and the engine.
pub fn run(args: Args) -> Result<()> {
    let files = args.card.as_deref().map(card_files);
    refuse_existing(files.iter().flatten().map(PathBuf::as_path), args.overwrite)?;
    super::positive("--time-step", args.time_step)?;
    start_threads(None)?;
    let cases = CaseList::read(&args.cases)?.case;
    let beside = || args.cases.parent().map(Path::to_owned).unwrap_or_default();
    let validation = Validation {
        model: ModelSource::File(args.model.clone()),
        backend: args.backend.into(),
        folder: args.data.clone().unwrap_or_else(beside),
        time_step: args.time_step,
        seed: args.seed,
        ..Validation::default()
    };
    let model = validation.model.examine()?;
    let mut reports = Vec::new();
    for case in cases {
        eprintln!(
            "{}: {} rollouts × {} jumps",
            case.name, case.chains, case.jumps
        );
        let jumps = jumps_of(&case, &args.sampling)?;
        let report = validation.run(&case, &jumps, &mut |line| eprintln!("{line}"))?;
        // a list takes long: what is known is said
        eprint!("{}", aligned(&leaderboard(std::slice::from_ref(&report))));
        reports.push(report);
    }
    say(&args, &reports);
    if let Some(files) = &files {
        let parameters = model.network.parameter_count();
        let name = file_name(&args.model);
        let [_, measures, hashes] = files.each_ref().map(|path| file_name(path));
        let card = card(
            &name,
            (&model.header, parameters),
            &reports,
            &command(&args),
            [&measures, &hashes],
        );
        let texts = [card.page, card.measures, card.hashes];
        for (path, text) in files.iter().zip(texts) {
            write_atomically(path, |file| {
                std::io::Write::write_all(file, text.as_bytes())
            })?;
        }
        eprintln!("card: {}", files[0].display());
    }
    Ok(())
}

/// A card, and the files of all measures and of hashes that go with it.
fn card_files(card: &Path) -> [PathBuf; 3] {
    let beside = |ending| card.with_extension(ending);
    [card.to_owned(), beside("measures.md"), beside("sha256")]
}

/// Prints what was found.
fn say(args: &Args, reports: &[CaseReport]) {
    if args.json {
        println!(
            "{:#}",
            serde_json::json!({ "model": args.model, "seed": args.seed, "cases": reports })
        );
        return;
    }
    print!("{}", aligned(&leaderboard(reports)));
    for report in reports {
        print!("\n{}\n{}", report.name, aligned(&measures_of(report)));
    }
}

/// The command that makes the same numbers, without folders.
fn command(args: &Args) -> String {
    let (model, cases, sampling) = (
        file_name(&args.model),
        file_name(&args.cases),
        &args.sampling,
    );
    let given = |flag: &str, value: Option<String>| {
        value.map_or(String::new(), |value| format!(" {flag} {value}"))
    };
    let lag = given("--lag", sampling.lag.map(|lag| format!("{lag}ps")));
    let relax = given("--relax", sampling.relax.map(Relax::words));
    let cutoff = given(
        "--cutoff",
        sampling.cutoff.and_then(|cutoff| match cutoff {
            Cutoff::Auto => None,
            Cutoff::Off => Some("none".to_owned()),
            Cutoff::At(length) => Some(format!("{length}A")),
        }),
    );
    let method = given("--method", sampling.method.map(Method::word));
    let stir = given("--stir", sampling.stir.map(|stir| stir.to_string()));
    let levels = given("--levels", sampling.levels.map(|levels| levels.to_string()));
    let lowest = given(
        "--lowest",
        sampling.lowest.map(|lowest| format!("{lowest}A")),
    );
    let fold = given("--fold", sampling.fold.map(|fold| fold.to_string()));
    let strength = sampling.fold_strength.map(|strength| strength.to_string());
    let strength = given("--fold-strength", strength);
    format!(
        "mdsurrogate validate {model} --cases {cases}{lag}{relax}{cutoff}{fold}{strength}{levels}\
         {lowest}{stir}{method} --seed {}",
        args.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(flags: &str) -> Case {
        let text =
            format!("name = \"a\"\ntopology = \"a.pdb\"\nstart = []\nreference = []\n{flags}");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_case_has_flags_of_its_own() {
        let typed: Sampling = as_typed("validate", &["--relax", "7"]).unwrap();
        assert_eq!(jumps_of(&case(""), &typed).unwrap().relax, Some(7));
        let own = jumps_of(&case("flags = \"--lag 160ps --stir 0.3\""), &typed).unwrap();
        assert_eq!(
            (own.lag, own.stir, own.relax),
            (Some(160.0), Some(0.3), Some(7))
        );
        // what is typed comes first
        let typed: Sampling = as_typed("validate", &["--lag", "20ps"]).unwrap();
        let own = jumps_of(&case("flags = \"--lag 160ps --stir 0.3\""), &typed).unwrap();
        assert_eq!((own.lag, own.stir), (Some(20.0), Some(0.3)));
        let error = jumps_of(&case("flags = \"--stirr 0.3\""), &typed).unwrap_err();
        assert!(
            error.exit_code() == 2
                && error.to_string().contains("case a")
                && error.to_string().contains("--stirr"),
            "{error}"
        );
    }
}
