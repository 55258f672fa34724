//! Trajectories as other programs, killed runs and full disks leave them: what is read, said, left
//! out and refused. Inputs made after public reports lie in `tests/data/reports`; their siblings
//! are made here.

#[path = "../program/mod.rs"]
mod program;

mod damage;
mod forms;
mod layouts;
mod netcdf;
mod times;

use std::path::{Path, PathBuf};

use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::{Reader, Writer};
use program::{program, repository, words};
use serde_json::Value;

fn report(name: &str) -> PathBuf {
    repository("tests/data/reports").join(name)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What `compare` of two trajectories of `akle_run.pdb` says, its words and its measures.
struct Compared {
    words: String,
    measures: Vec<Value>,
}

impl Compared {
    fn measure(&self, name: &str) -> &Value {
        let found = self.measures.iter().find(|measure| measure["name"] == name);
        found.unwrap_or_else(|| panic!("no measure {name}"))
    }
    fn number(&self, name: &str, field: &str) -> f64 {
        let value = self.measure(name)[field].as_f64();
        value.unwrap_or_else(|| panic!("{name}: no {field}"))
    }
    fn verdicts(&self, verdict: &str) -> usize {
        let is = |measure: &&Value| measure["verdict"] == verdict;
        self.measures.iter().filter(is).count()
    }
}

fn compare_with(run: &Path, reference: &Path, flags: &[&str]) -> Compared {
    let folder = tempfile::tempdir().unwrap();
    let (run, reference) = (text(run), text(reference));
    let (run_top, reference_top) = (text(&report("akle_run.pdb")), text(&report("akle_ref.pdb")));
    let mut command = vec![
        "compare",
        &run,
        "--top",
        &run_top,
        "--reference",
        &reference,
    ];
    command.extend(["--reference-top", &reference_top, "-o", "rep", "--json"]);
    command.extend(flags);
    let output = program(folder.path(), &command, 0);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    Compared {
        words: words(&output),
        measures: found["metrics"]["measures"].as_array().unwrap().clone(),
    }
}

fn compare(run: &Path, reference: &Path) -> Compared {
    compare_with(run, reference, &[])
}

/// What `compare` says where it refuses.
fn refusal(run: &Path, reference: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (run, reference) = (text(run), text(reference));
    let top = text(&report("akle_run.pdb"));
    let command = ["compare", &run, "--top", &top, "--reference", &reference];
    words(&program(folder.path(), &command, 2))
}

/// All frames of a trajectory.
fn frames(path: &Path) -> Vec<Frame> {
    let mut reader = Reader::open(path, None).unwrap();
    (0..reader.len())
        .map(|index| {
            let mut frame = Frame::default();
            reader.read_at(index, &mut frame).unwrap();
            frame
        })
        .collect()
}

/// Writes frames 160 ps apart with the times that they have.
fn write(path: &Path, frames: &[Frame]) {
    let mut writer = Writer::create(path, frames[0].positions.len(), 160.0).unwrap();
    frames.iter().for_each(|frame| writer.write(frame).unwrap());
    writer.finish().unwrap();
}

fn assert_equal(left: &Compared, right: &Compared, tolerance: f64) {
    for (a, b) in left.measures.iter().zip(&right.measures) {
        for field in ["value", "floor"] {
            match (a[field].as_f64(), b[field].as_f64()) {
                (Some(x), Some(y)) => assert!((x - y).abs() <= tolerance, "{a}\n{b}"),
                (x, y) => assert_eq!(x, y, "{a}\n{b}"),
            }
        }
    }
    assert_eq!(left.measures.len(), right.measures.len());
}

/// Trains three updates of a small model on a trajectory.
fn train(
    folder: &Path,
    trajectory: &Path,
    top: &Path,
    more: &str,
    code: i32,
) -> std::process::Output {
    let config = format!(
        "[[data.systems]]\nname = \"own\"\ntopology = {top:?}\ntrajectories = [{trajectory:?}]\n\
         {more}\n[jump]\nlag = \"160ps\"\n\
         [model]\nlayers = 1\nscalars = 16\nvectors = 4\npair = 8\n[training]\nupdates = 3\n"
    );
    std::fs::write(folder.join("train.toml"), config).unwrap();
    let command = ["train", "train.toml", "-o", "t", "--overwrite", "--fresh"];
    program(folder, &command, code)
}
