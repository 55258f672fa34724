//! `paper speed`: forward and training step of every architecture over the number of tokens: time
//! and peak memory, each case in a process of its own.

mod case;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use mdsurrogate::network::{Architecture, PROTEIN};
use mdsurrogate::task::{NextFrame, Task};
use mdsurrogate::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::models::{Model, parameters};
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
        if self.models.is_empty() {
            return Model::ARCHITECTURES.to_vec();
        }
        self.models.clone()
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

    /// Whether the case before foretells that this one takes too long, or too much memory.
    fn is_too_much(&self, before: Option<&Line>, case: &Case) -> Option<String> {
        let before = before?;
        let times = case.tokens as f64 / before.case.tokens as f64;
        let [time, memory] = growth(case.model);
        let seconds = before.measured.seconds * times.powf(time);
        let gib = before.measured.bytes as f64 / f64::from(1 << 30) * times.powf(memory);
        if seconds > self.longest {
            return Some(format!("about {}", duration(seconds)));
        }
        // of short systems the program itself is most of it
        (gib > self.memory && before.case.tokens >= 10_000).then(|| format!("about {gib:.0} GiB"))
    }
}

/// Measures what is not yet measured.
///
/// # Errors
/// Those of cases and files.
pub fn run(options: &Options) -> Result<()> {
    if let Some(text) = &options.case {
        return measure_here(text);
    }
    let file = options.results.join(FILE);
    let done: Vec<Line> = read(&file)?;
    for model in options.models() {
        for &step in &options.steps {
            let mut before: Option<Line> = None;
            for case in options.cases(model, step)? {
                let known = done.iter().find(|line| line.case == case).cloned();
                let line = match known {
                    Some(line) => line,
                    None => match options.is_too_much(before.as_ref(), &case) {
                        Some(why) => {
                            println!("{} {} tokens: left out, {why}", model.title(), case.tokens);
                            break;
                        }
                        None => {
                            let line = measure(&case)?;
                            append(&file, &line)?;
                            line
                        }
                    },
                };
                print_line(&line);
                before = Some(line);
            }
        }
    }
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
