//! The program under `mpirun`, on this machine: what processes share has the bits of what one does.
//!
//! `make mpi-test` runs them; OpenMPI must be there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const AKLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/structures/akle.pdb");
/// 400 frames of it, 50 ps apart (data/README.md).
const FRAMES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/compare/akle_a.xtc"
);

/// The program on so many processes, in a folder.
fn mpirun(folder: &Path, count: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    command
        .args([
            "-n",
            &count.to_string(),
            "--oversubscribe",
            "--allow-run-as-root",
        ])
        // a container may forbid reading another process's memory
        .args(["--mca", "btl_vader_single_copy_mechanism", "none"])
        .arg(env!("CARGO_BIN_EXE_mdsurrogate-mpi"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RAYON_NUM_THREADS");
    command
}

fn done(mut command: Command) -> Output {
    command
        .output()
        .expect("mpirun is there: install OpenMPI (Debian: openmpi-bin)")
}

/// Runs it to its end, which must be a good one.
fn well(folder: &Path, count: usize, arguments: &[&str]) {
    let output = done(mpirun(folder, count, arguments));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{count} processes, {arguments:?}: {words}"
    );
}

/// A run of AKLE without its equilibration, quick steps.
fn run<'a>(prefix: &'a str, replicas: &'a str, steps: &'a str) -> Vec<&'a str> {
    let quick = ["--as-is", "--relax", "20", "--backend", "cpu", "-q"];
    let own = [
        "run",
        AKLE,
        "-o",
        prefix,
        "--replicas",
        replicas,
        "--steps",
        steps,
    ];
    [&own[..], &quick[..]].concat()
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(folder: &Path, name: &str) -> serde_json::Value {
    serde_json::from_slice(&bytes(folder, name)).unwrap()
}

/// Asserts that trajectories and last frames of replicas are those of another run.
fn assert_same(folder: &Path, replicas: usize, [a, b]: [&str; 2]) {
    for replica in 0..replicas {
        for ending in [".xtc", "_final.pdb"] {
            let name = |prefix: &str| format!("{prefix}_r{replica}{ending}");
            let same = bytes(folder, &name(a)) == bytes(folder, &name(b));
            assert!(same, "{} and {} differ", name(a), name(b));
        }
    }
}

#[test]
fn replicas_are_those_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    well(here, 1, &run("one", "4", "6"));
    for (count, prefix) in [(2, "two"), (3, "three"), (4, "four")] {
        well(here, count, &run(prefix, "4", "6"));
        assert_same(here, 4, ["one", prefix]);
        let (one, all) = (
            json(here, "one.summary.json"),
            json(here, &format!("{prefix}.summary.json")),
        );
        assert_eq!(all["outcome"], "done");
        assert_eq!(all["ranks"].as_array().unwrap().len(), count);
        assert_eq!(all["threads"], count as f64);
        assert_eq!(all["settings"]["replicas"], 4);
        let results = |of: &serde_json::Value, key: &str| of["results"]["replicas"][3][key].clone();
        assert_eq!(results(&all, "energy"), results(&one, "energy"));
        assert_eq!(results(&all, "shape"), results(&one, "shape"));
        let topology = String::from_utf8(bytes(here, &format!("{prefix}.pdb"))).unwrap();
        let atoms = topology.lines().filter(|line| line.starts_with("ATOM"));
        assert_eq!(atoms.count(), 69);
    }
    // three processes share four replicas as 2, 1, 1
    assert_eq!(
        json(here, "three.summary.json")["ranks"][1]["replicas"],
        serde_json::json!([2, 2])
    );
    // a run that is done is let be, and taken as done
    well(here, 2, &run("two", "4", "6"));
    // another of its name is refused by all, once
    let refused = done(mpirun(here, 2, &run("one", "4", "7")));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert_eq!(
        words.matches("error: one.pdb: exists already").count(),
        1,
        "{words}"
    );
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (run("few", "2", "1"), "3 processes cannot share 2 replicas"),
        (
            vec!["check", AKLE],
            "3 processes were started, but `run` and `train` alone are shared",
        ),
        (
            vec!["run", "nothing.pdb", "--replicas", "3"],
            "nothing.pdb: cannot be read",
        ),
    ] {
        let output = done(mpirun(folder.path(), 3, &arguments));
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(expected), "{words}");
    }
}

const TRAINING: &str = "
[data]
temperature = \"310K\"
systems = [{ topology = \"AKLE\", trajectories = [\"FRAMES\"] }]
[jump]
lag = \"50ps\"
[model]
scalars = 16
vectors = 8
pair = 8
layers = 1
[training]
updates = 6
batch = 8
micro_batch_tokens = 64
validation_samples = 6
validate_every = 3
";

#[test]
fn a_training_is_that_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = TRAINING.replace("AKLE", AKLE).replace("FRAMES", FRAMES);
    std::fs::write(here.join("akle.toml"), text).unwrap();
    let train = |count, prefix| {
        let rest = ["train", "akle.toml", "--backend", "cpu", "-q", "-o", prefix];
        well(here, count, &rest);
    };
    // losses of update, training and validation; not the minutes
    let losses = |prefix: &str| -> Vec<Vec<String>> {
        let table = String::from_utf8(bytes(here, &format!("{prefix}.train.csv"))).unwrap();
        let columns = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut rows: Vec<Vec<String>> = table.lines().map(columns).collect();
        rows.iter_mut().for_each(|row| drop(row.remove(1)));
        rows
    };
    train(1, "one");
    assert_eq!(losses("one").len(), 3);
    for (count, prefix) in [(2, "two"), (4, "four")] {
        train(count, prefix);
        assert_eq!(losses(prefix), losses("one"));
        let model = |prefix: &str| bytes(here, &format!("{prefix}.safetensors"));
        assert!(
            model(prefix) == model("one"),
            "{count} processes made another model"
        );
    }
}

/// Processes of the program that were started with a word, with their ranks.
fn processes(word: &str) -> Vec<(usize, i32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let read = |name: &str| {
            let bytes = std::fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let environment = read("environ");
        let rank = environment
            .split('\0')
            .find_map(|line| line.strip_prefix("OMPI_COMM_WORLD_RANK="));
        if let Some(rank) = rank.and_then(|rank| rank.parse().ok())
            && read("cmdline").split('\0').any(|argument| argument == word)
        {
            found.push((rank, id));
        }
    }
    found
}

/// Waits until files are there.
fn wait_for(files: &[PathBuf], child: &mut Child) {
    let begin = Instant::now();
    while !files.iter().all(|file| file.is_file()) {
        assert!(begin.elapsed() < Duration::from_secs(300), "{files:?}");
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before {files:?} were there"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, process: u32) {
    let kill = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Steps of a run that is stopped on its way: seconds.
const LONG: &str = "300";

#[test]
fn a_process_that_dies_leaves_the_files_of_others_whole() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // a word that no other test's processes have
    let prefix = here.join("dies").to_str().unwrap().to_owned();
    let mut arguments = run(&prefix, "2", LONG);
    arguments.extend(["--checkpoint-every", "10"]);
    let mut started = mpirun(here, 2, &arguments);
    let mut child = started.stderr(Stdio::null()).spawn().unwrap();
    let checkpoints = ["dies_r0-0.ckpt", "dies_r1-1.ckpt"].map(|name| here.join(name));
    wait_for(&checkpoints, &mut child);
    let (_, second) = *processes(&prefix)
        .iter()
        .find(|(rank, _)| *rank == 1)
        .unwrap();
    signal("-KILL", second as u32);
    assert!(!child.wait().unwrap().success());
    assert!(!here.join("dies.summary.json").exists());
    // both go on from what they have, to the bits of a run that nothing stopped
    well(here, 2, &arguments);
    let log = String::from_utf8(bytes(here, "dies_r0-0.log")).unwrap();
    assert!(log.contains("going on from step"), "{log}");
    well(here, 1, &run("whole", "2", LONG));
    assert_same(here, 2, ["dies", "whole"]);
}

#[test]
fn a_signal_to_mpirun_stops_all_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let prefix = here.join("stops").to_str().unwrap().to_owned();
    let mut arguments = run(&prefix, "2", "1000000");
    arguments.extend(["--checkpoint-every", "10"]);
    let mut started = mpirun(here, 2, &arguments);
    let mut child = started.stderr(Stdio::null()).spawn().unwrap();
    let checkpoints = ["stops_r0-0.ckpt", "stops_r1-1.ckpt"].map(|name| here.join(name));
    wait_for(&checkpoints, &mut child);
    signal("-USR1", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let summary = json(here, "stops.summary.json");
    assert_eq!(summary["outcome"], "interrupted");
    for rank in 0..2 {
        assert_eq!(summary["ranks"][rank]["outcome"], "interrupted");
    }
}
