//! `paper speed`: forward and training step of every architecture over the number of tokens: time
//! and peak memory, each case in a process of its own.

mod case;
mod giant;

pub use case::processor_seconds;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use mdsurrogate::network::{Architecture, PROTEIN};
use mdsurrogate::task::{NextFrame, Task};
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::models::{Model, chosen, parameters};
use crate::results::{append, commit, duration, read};

/// What `paper speed` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Tokens of the system
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "100,300,1000,3000,10000,30000,100000"
    )]
    tokens: Vec<usize>,
    /// Architectures [default: all]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// What is measured [default: both]
    #[arg(long, value_delimiter = ',', default_value = "forward,training")]
    steps: Vec<Step>,
    /// Where it runs
    #[arg(long, value_enum, default_value_t = Engine::Cpu)]
    engine: Engine,
    /// Threads of the CPU
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds that a case may take, as the case before it foretells
    #[arg(long, default_value_t = 300.0)]
    longest: f64,
    /// GiB that a case may take, likewise
    #[arg(long, default_value_t = 12.0)]
    memory: f64,
    /// Instead, carries this structure through everything, step by step, on the CPU
    #[arg(long)]
    structure: Option<PathBuf>,
    /// Where the moved structure goes, as mmCIF
    #[arg(long, requires = "structure")]
    output: Option<PathBuf>,
    /// Say how long it takes, and end
    #[arg(long)]
    estimate: bool,
    /// Folder of results
    #[arg(long, default_value = "paper/results")]
    results: PathBuf,
    /// Measures one case, as JSON, in this process and prints what it came to
    #[arg(long, hide = true)]
    case: Option<String>,
}

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The answer alone
    Forward,
    /// Forward and backward
    Training,
}

/// Where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The CPU, f32
    Cpu,
    /// The best GPU there is
    Gpu,
}

/// Name of the file of results.
pub const FILE: &str = "speed.jsonl";

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Tokens.
    pub tokens: usize,
    /// Which.
    pub model: Model,
    /// Its sizes.
    pub architecture: Architecture,
    /// What is timed.
    pub step: Step,
    /// Where it runs.
    pub engine: Engine,
    /// Threads of the CPU.
    pub threads: usize,
}

/// What was measured of a case.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The fastest of some calls.
    pub seconds: f64,
    /// Processor seconds of a call, the mean of these; none where the kernel does not count them.
    pub processor: Option<f64>,
    /// Most memory of the process, bytes; on a GPU, of its buffers.
    pub bytes: u64,
}

/// A line of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The commit that measured it.
    pub commit: String,
    /// The processor or device.
    pub device: String,
    /// What was measured.
    pub case: Case,
    /// Number of parameters.
    pub parameters: usize,
    /// What it came to.
    pub measured: Measured,
}

/// The task whose networks are timed.
pub fn task() -> Task {
    Task::NextFrame(NextFrame {
        lag_time: 20.0,
        scale: 1.0,
    })
}

/// What a longer case takes by what a shorter one took: times as many tokens to this power.
fn growth(model: Model) -> [f64; 2] {
    match model {
        Model::Attention | Model::Transformer => [2.0, 1.0],
        _ => [1.1, 1.0],
    }
}

impl Options {
    fn models(&self) -> Vec<Model> {
        chosen(&self.models, &Model::ARCHITECTURES)
    }

    /// The cases of one model and step, from short to long.
    fn cases(&self, model: Model, step: Step) -> Result<Vec<Case>> {
        let architecture = model.working(&task().interface())?;
        let mut tokens = self.tokens.clone();
        tokens.sort_unstable();
        let cases = tokens.into_iter().map(|tokens| Case {
            tokens,
            model,
            architecture: architecture.clone(),
            step,
            engine: self.engine,
            threads: self.threads,
        });
        Ok(cases.collect())
    }

    /// The cases of every model and step.
    fn curves(&self) -> Result<Vec<Vec<Case>>> {
        let mut curves = Vec::new();
        for model in self.models() {
            for &step in &self.steps {
                curves.push(self.cases(model, step)?);
            }
        }
        Ok(curves)
    }

    /// Why this case is left out, as the one before it foretells: too long, or too much memory.
    fn is_too_much(&self, before: &Line, case: &Case) -> Option<String> {
        let (seconds, bytes) = foretold(before, case);
        let gib = bytes / f64::from(1 << 30);
        if seconds > self.longest {
            return Some(format!("about {}", duration(seconds)));
        }
        // of short systems the program itself is most of it
        (gib > self.memory && before.case.tokens >= 10_000).then(|| format!("about {gib:.0} GiB"))
    }

    /// Seconds that the cases of a curve take which are not measured yet, those that will be left
    /// out not counted, from what one of them took.
    fn foretell(&self, known: &Line, curve: &[Case], done: &[Line]) -> f64 {
        // calls are repeated for some seconds, and a process begins with building its system
        const AT_LEAST: f64 = 3.0;
        let open = |case: &&Case| find(done, case).is_none();
        let left = curve.iter().filter(open);
        let allowed = left.filter(|case| self.is_too_much(known, case).is_none());
        allowed
            .map(|case| (2.0 * foretold(known, case).0).max(AT_LEAST))
            .sum()
    }
}

/// Seconds and bytes of a case as another of its curve foretells.
fn foretold(known: &Line, case: &Case) -> (f64, f64) {
    let times = case.tokens as f64 / known.case.tokens as f64;
    let [time, memory] = growth(case.model);
    let bytes = known.measured.bytes as f64 * times.powf(memory);
    (known.measured.seconds * times.powf(time), bytes)
}

fn find(done: &[Line], case: &Case) -> Option<Line> {
    done.iter().find(|line| line.case == *case).cloned()
}

/// Results so far, in memory and in their file.
struct Results {
    file: PathBuf,
    done: Vec<Line>,
}

impl Results {
    /// What a case took, measured where it is not yet.
    fn of(&mut self, case: &Case) -> Result<Line> {
        if let Some(known) = find(&self.done, case) {
            return Ok(known);
        }
        let line = measure(case)?;
        append(&self.file, &line)?;
        self.done.push(line.clone());
        Ok(line)
    }
}

/// Measures what is not yet measured: one short case of every curve, which foretells how long the
/// others take, then those.
///
/// # Errors
/// Those of cases and files.
pub fn run(options: &Options) -> Result<()> {
    if let Some(text) = &options.case {
        return measure_here(text);
    }
    if let Some(structure) = &options.structure {
        return giant::run(structure, options.output.as_deref(), options.threads);
    }
    let file = options.results.join(FILE);
    let mut results = Results {
        done: read(&file)?,
        file,
    };
    let curves = options.curves()?;
    let mut seconds = 0.0;
    for curve in &curves {
        let short = curve.iter().rfind(|case| case.tokens <= 1000);
        if let Some(case) = short.or(curve.first()) {
            let known = results.of(case)?;
            seconds += options.foretell(&known, curve, &results.done);
        }
    }
    eprintln!("all of it: about {}", duration(seconds));
    if options.estimate {
        return Ok(());
    }
    let bar = ProgressBar::new(curves.iter().map(|curve| curve.len() as u64).sum());
    for curve in &curves {
        let mut before: Option<Line> = None;
        for case in curve {
            let (title, tokens) = (case.model.title(), case.tokens);
            bar.set_message(format!("{title}, {tokens} tokens"));
            let too_much = before
                .as_ref()
                .and_then(|line| options.is_too_much(line, case));
            if let Some(why) = too_much.filter(|_| find(&results.done, case).is_none()) {
                bar.suspend(|| println!("{title} {tokens} tokens: left out, {why}"));
                break;
            }
            let line = results.of(case)?;
            bar.suspend(|| print_line(&line));
            bar.inc(1);
            before = Some(line);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn print_line(line: &Line) {
    let case = &line.case;
    println!(
        "{:<24} {:<8} {:>9} tokens {:>10.2} ms {:>9.1} MiB",
        case.model.title(),
        format!("{:?}", case.step).to_lowercase(),
        case.tokens,
        1000.0 * line.measured.seconds,
        line.measured.bytes as f64 / f64::from(1 << 20)
    );
}

/// Measures a case in a process of its own, whose memory is the case's.
fn measure(case: &Case) -> Result<Line> {
    let failed = |what: String| {
        let (model, tokens) = (case.model.title(), case.tokens);
        Error::usage(
            format!("{model}, {tokens} tokens: {what}"),
            "leave the case out with --tokens or --models, or give it more memory",
        )
    };
    let text = serde_json::to_string(case).map_err(|error| failed(error.to_string()))?;
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let output = Command::new(program)
        .args(["speed", "--case", &text])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// Measures a case in this process and prints its line.
fn measure_here(text: &str) -> Result<()> {
    let wrong = |error: serde_json::Error| Error::usage(error.to_string(), "leave --case out");
    let case: Case = serde_json::from_str(text).map_err(wrong)?;
    let line = Line {
        commit: commit(),
        device: case::device(case.engine)?,
        parameters: parameters(&case.architecture, &task().interface(), &PROTEIN),
        measured: case::measure(&case)?,
        case,
    };
    println!("{}", serde_json::to_string(&line).map_err(wrong)?);
    Ok(())
}
