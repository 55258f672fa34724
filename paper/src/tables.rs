//! `paper tables`: docs/paper.md from the files of results, published numbers beside ours.

mod dynamics;
mod figure;
mod jump;
mod recall;
mod rna;
mod speed;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use mdsurrogate::{Result, files};

use crate::results::read;

/// What `paper tables` is told.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder of results
    #[arg(long, default_value = "paper/results")]
    pub results: PathBuf,
    /// The page; figures and tables of numbers get its name and an ending of theirs
    #[arg(long, default_value = "docs/paper.md")]
    pub page: PathBuf,
}

const HEAD: &str = "\
# The published claims, measured

Written by `paper tables` from the lines in `paper/results/`: not to be edited by hand. The claims are those of
Moskalev et al., *Geometric Hyena Networks for Large-scale Equivariant Learning* (ICML 2025, arXiv 2505.22560), and of
its predecessor *SE(3)-Hyena operator for scalable equivariant learning* (GRaM workshop at ICML 2024, arXiv 2407.01049);
no code of theirs was published. One command measures each claim, `make paper ARGS=\"recall\"`, `\"rna --data FILE\"`,
`\"dynamics --topology FILE --trajectory FILE\"`, `\"jump --topology FILE --trajectory FILE --against FILE\"` or `\"speed\"`; it first says how long it takes, goes on where it was interrupted,
and does not do again what is done. All models of a table have the same number of parameters within a tenth, the same trainer,
the same samples and the same number of updates, but for jumps, where time is the same, and recall, which says how many.
";

/// All results, and what is written of them.
struct Page {
    text: String,
    speed: Vec<crate::speed::Line>,
    results: usize,
}

/// The page of a folder of results.
fn page(folder: &Path) -> Result<Page> {
    let recall: Vec<crate::recall::Line> = read(&folder.join(crate::recall::FILE))?;
    let speed: Vec<crate::speed::Line> = read(&folder.join(crate::speed::FILE))?;
    let rna: Vec<crate::rna::Line> = read(&folder.join(crate::rna::FILE))?;
    let rna_plain: Vec<crate::rna::PlainLine> = read(&folder.join(crate::rna::PLAIN))?;
    let dynamics: Vec<crate::dynamics::Line> = read(&folder.join(crate::dynamics::FILE))?;
    let dynamics_plain: Vec<crate::dynamics::PlainLine> =
        read(&folder.join(crate::dynamics::PLAIN))?;
    let jump: Vec<crate::jump::Line> = read(&folder.join(crate::jump::FILE))?;
    let text = [
        HEAD,
        &recall::section(&recall),
        &rna::section(&rna, &rna_plain),
        &dynamics::section(&dynamics, &dynamics_plain),
        &jump::section(&jump),
        &speed::section(&speed),
    ]
    .concat();
    let trainings = recall.len() + rna.len() + dynamics.len() + jump.len();
    Ok(Page {
        text,
        results: trainings + rna_plain.len() + dynamics_plain.len() + speed.len(),
        speed,
    })
}

/// Writes the page.
///
/// # Errors
/// Those of files.
pub fn run(options: &Options) -> Result<()> {
    let page = page(&options.results)?;
    write(&options.page, &page.text)?;
    if !page.speed.is_empty() {
        let numbers = options.page.with_extension("speed.csv");
        write(&numbers, &speed::csv(&page.speed))?;
    }
    if let Some(figure) = speed::figure(&page.speed) {
        write(&options.page.with_extension("speed.svg"), &figure)?;
    }
    println!("{} results → {}", page.results, options.page.display());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    files::write_atomically(path, |file| file.write_all(text.as_bytes()))
}

/// Lines that are the same for a table together, in the order of the first of each.
fn grouped<T>(lines: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<Vec<&T>> {
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for line in lines {
        match groups.iter_mut().find(|group| same(group[0], line)) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups
}

/// Mean and standard deviation of a sample (n − 1), none of one number.
fn moments(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (
        mean,
        (values.len() > 1).then(|| (square / (n - 1.0)).sqrt()),
    )
}

/// Three digits.
fn number(x: f64) -> String {
    match x.abs() {
        size if size >= 100.0 => format!("{x:.0}"),
        size if size >= 10.0 => format!("{x:.1}"),
        size if size >= 1.0 => format!("{x:.2}"),
        size if size >= 0.1 => format!("{x:.3}"),
        _ => format!("{x:.4}"),
    }
}

/// `mean ± s.d. (n)`.
fn spread(values: &[f64]) -> String {
    let (mean, deviation) = moments(values);
    let deviation = deviation.map_or(String::new(), |d| format!(" ± {}", number(d)));
    format!("{}{deviation} ({})", number(mean), values.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the repository says is what its results say.
    #[test]
    fn the_page_is_that_of_the_results() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = page(&root.join("results")).unwrap();
        let written = std::fs::read_to_string(root.join("../docs/paper.md")).unwrap();
        assert!(written == page.text, "run `make paper ARGS=tables`");
        assert!(page.results >= 4);
    }

    #[test]
    fn spreads_are_those_of_a_sample() {
        assert_eq!(spread(&[1.0, 2.0, 3.0]), "2.00 ± 1.00 (3)");
        assert_eq!(spread(&[0.0123]), "0.0123 (1)");
    }
}
