//! Runs and trainings that are killed, stopped and damaged: the same command goes on, and what
//! comes out is what comes out of one that nothing happened to, byte for byte.
//!
//! `scripts/crash_campaign.sh` kills a hundred times; here every kind of run is killed once.

mod program;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::Reader;
use program::{program, repository, words};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Kills in all: so many as the environment says, or one a case.
const KILLS: &str = "MDSURROGATE_KILLS";

/// A command that writes files of the prefix `p`.
struct Case {
    name: &'static str,
    words: Vec<String>,
    /// What must come out the same.
    outputs: &'static [&'static str],
}

fn case(name: &'static str, words: &str, outputs: &'static [&'static str]) -> Case {
    let repository = repository("");
    let words = words.replace("REPO/", &format!("{}/", repository.display()));
    Case {
        name,
        words: words.split_whitespace().map(str::to_owned).collect(),
        outputs,
    }
}

/// Every stepper, format and training, and a fine-tuning.
fn cases() -> Vec<Case> {
    let akle = "REPO/data/structures/akle.pdb --backend cpu --seed 3 -o p";
    let forces = format!("run {akle} -m ../force.safetensors --steps 60 --checkpoint-every 6");
    let forces = format!("{forces} --traj-every 5 --log-every 10 --dt 1fs --guard warn");
    let reference = "reference REPO/data/structures/akle.pdb --seed 3 -o p --dt 4fs";
    let reference = format!("{reference} --hold-hydrogens --heat 1ps --time 6ps");
    let reference = format!("{reference} --traj-every 100fs --checkpoint-every 200");
    let one: &[&str] = &["p.xtc", "p.csv", "p.pdb", "p_final.pdb"];
    vec![
        case(
            "jumps, two replicas",
            &format!("run {akle} --steps 6 --replicas 2 --equilibrate 1ps --checkpoint-every 1"),
            &["p_r0.xtc", "p_r1.xtc", "p_r0.csv", "p_r1.csv", "p.pdb"],
        ),
        case(
            "jumps without corrector, DCD",
            &format!(
                "run {akle} --steps 10 --relax 0 --equilibrate 1ps --traj-format dcd \
                 --checkpoint-every 2"
            ),
            &["p.dcd", "p.csv", "p.pdb", "p_final.pdb"],
        ),
        case(
            "forces, Langevin",
            &format!("{forces} --ensemble langevin"),
            one,
        ),
        case("forces, CSVR", &format!("{forces} --ensemble csvr"), one),
        case("forces, NVE", &format!("{forces} --ensemble nve"), one),
        case("reference, Langevin", &reference, one),
        case(
            "reference, CSVR, with forces",
            &format!("{reference} --ensemble csvr --forces"),
            &["p.xtc", "p.trr", "p.csv", "p.pdb"],
        ),
        case(
            "reference, NVE, DCD",
            &format!("{reference} --ensemble nve --traj-format dcd"),
            &["p.dcd", "p.csv", "p.pdb"],
        ),
        case(
            "training of jumps",
            "train ../jump.toml -o p",
            &["p.safetensors", "p.train.csv"],
        ),
        case(
            "training of forces",
            "train ../force.toml -o p",
            &["p.safetensors", "p.train.csv"],
        ),
        case(
            // its training lasts for minutes, not for updates: its model is another every time
            "finetuning: the reference MD and the lists",
            "finetune REPO/data/structures/akle.pdb -o p --backend cpu --seed 3 --time 160ps \
             --minutes 0.02",
            &[
                "p_reference_r0.xtc",
                "p_reference_r1.xtc",
                "p_reference_r0.csv",
                "p_reference_r1.csv",
                "p_reference.pdb",
                "p.toml",
                "p_cases.toml",
            ],
        ),
    ]
}

/// The configuration of a short training that makes a checkpoint at every update.
fn training(task: &str) -> String {
    let root = repository("");
    let root = root.display();
    format!(
        "[data]\nfolder = \"{root}/tests/data/compare\"\ntemperature = \"300K\"\n\
         [[data.systems]]\ntopology = \"{root}/data/structures/akle.pdb\"\n\
         trajectories = [\"akle_a.xtc\"]\n{task}\n\
         [model]\nscalars = 16\nvectors = 8\npair = 8\nlayers = 2\n\
         [training]\nseed = 2\nupdates = 60\nbatch = 4\nvalidation_samples = 8\n\
         validate_every = 20\ncheckpoint_minutes = 0.001\n"
    )
}

fn spawn(folder: &Path, words: &[String]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .args(words)
        .current_dir(folder)
        .env("XDG_RUNTIME_DIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn as_strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// What came out: logs without their clocks.
fn outputs(folder: &Path, names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let read = |name: &&str| {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|error| {
            panic!("{name}: {error}");
        });
        let clocks: &[&str] = match *name {
            "p.train.csv" => &["Time (min)"],
            name if name.ends_with(".csv") => &["Speed (ns/day)"],
            _ => return ((*name).to_owned(), bytes),
        };
        let text = String::from_utf8(bytes).unwrap();
        let heads: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let of_clock = |column: usize| {
            let head = heads[column].trim_start_matches('#').trim_matches('"');
            clocks.contains(&head)
        };
        let rows = text.lines().map(|line| {
            let cells = line.split(',').enumerate();
            let kept = cells.filter(|(column, _)| !of_clock(*column));
            kept.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
        });
        let rows: Vec<String> = rows.collect();
        ((*name).to_owned(), rows.join("\n").into_bytes())
    };
    names.iter().map(read).collect()
}

/// Names of files that only a writing process has a use for.
fn leftovers(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".part")).collect()
}

/// Kills the command at a random moment, perhaps twice, and lets it end.
fn kill(case: &Case, folder: &Path, duration: Duration, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..3) {
        let mut child = spawn(folder, &case.words);
        std::thread::sleep(duration.mul_f64(random.random_range(0.0..1.1)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    program(folder, &as_strs(&case.words), 0);
}

#[test]
fn killed_at_any_moment_the_same_command_gives_the_same_bytes() {
    let work = tempfile::tempdir().unwrap();
    for (name, task) in [
        ("jump", "[jump]\nlag = \"50ps\""),
        ("force", "[force]\nform = \"direct\""),
    ] {
        std::fs::write(work.path().join(format!("{name}.toml")), training(task)).unwrap();
        program(work.path(), &["train", &format!("{name}.toml"), "-q"], 0);
    }
    let cases = cases();
    let kills = std::env::var(KILLS).map_or(cases.len(), |text| text.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(kills as u64);
    for (number, case) in cases.iter().enumerate() {
        let of_case = kills / cases.len() + usize::from(number < kills % cases.len());
        let folder = |trial: usize| {
            let path = work.path().join(format!("{number}_{trial}"));
            std::fs::create_dir(&path).unwrap();
            path
        };
        let whole = folder(0);
        let start = Instant::now();
        program(&whole, &as_strs(&case.words), 0);
        let duration = start.elapsed();
        let truth = outputs(&whole, case.outputs);
        for trial in 1..=of_case {
            let here = folder(trial);
            kill(case, &here, duration, &mut random);
            let found = outputs(&here, case.outputs);
            for (name, bytes) in &truth {
                assert!(bytes == &found[name], "{}, kill {trial}: {name}", case.name);
            }
            assert_eq!(leftovers(&here), [""; 0], "{}", case.name);
            std::fs::remove_dir_all(here).unwrap();
        }
        println!("{}: {of_case} of {of_case} byte-identical", case.name);
    }
}

/// Waits until a file is there, and a moment more.
fn wait_for(file: &Path) {
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed().as_secs() < 120, "no {}", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
}

/// Sends SIGTERM; the exit code, and the time until then.
fn terminate(mut child: Child) -> (Option<i32>, Duration) {
    // the shell's own kill: a bare Debian has no program of that name
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
    assert!(kill.unwrap().success());
    let start = Instant::now();
    (child.wait().unwrap().code(), start.elapsed())
}

fn split(line: &str) -> Vec<String> {
    let root = repository("");
    let line = line.replace("REPO/", &format!("{}/", root.display()));
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_signal_is_heard_in_the_middle_of_a_corrector() {
    let folder = tempfile::tempdir().unwrap();
    let line = "run REPO/data/structures/trpcage.pdb --backend cpu -o p --steps 3";
    // a day of corrector after the first jump
    let line = split(&format!("{line} --relax 10000000 --equilibrate 0ps"));
    let child = spawn(folder.path(), &line);
    wait_for(&folder.path().join("p.ckpt"));
    std::thread::sleep(Duration::from_secs(3));
    let (code, after) = terminate(child);
    assert_eq!(code, Some(75));
    assert!(after <= Duration::from_secs(5), "{after:?}");
    let log = std::fs::read_to_string(folder.path().join("p.log")).unwrap();
    assert!(
        log.contains("interrupted by a signal at step 0 of 3"),
        "{log}"
    );
    assert_eq!(leftovers(folder.path()), [""; 0]);
}

#[test]
fn before_the_first_checkpoint_a_run_is_stopped_and_started_over() {
    let folder = tempfile::tempdir().unwrap();
    let line = "reference REPO/data/structures/trpcage.pdb -o p --time 20fs --heat";
    let long = split(&format!("{line} 100ns"));
    // a signal while it is heated
    let child = spawn(folder.path(), &long);
    wait_for(&folder.path().join("p.log"));
    let (code, after) = terminate(child);
    assert_eq!(code, Some(75));
    assert!(after <= Duration::from_secs(5), "{after:?}");
    // the time limit counts heating
    let limited = [&long[..], &split("--maxh 0.0003")].concat();
    let said = words(&program(folder.path(), &as_strs(&limited), 75));
    for part in [
        "of a run that ended before its first checkpoint is replaced",
        "interrupted before the first checkpoint; the same command starts over",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // a kill
    let mut child = spawn(folder.path(), &long);
    wait_for(&folder.path().join("p.log"));
    child.kill().unwrap();
    child.wait().unwrap();
    let short = split(&format!("{line} 40fs"));
    program(folder.path(), &as_strs(&short), 0);
    assert!(folder.path().join("p.xtc").exists());
    // what a run has ended with is as safe as ever, also when its checkpoint is gone
    std::fs::remove_file(folder.path().join("p.ckpt")).unwrap();
    std::fs::remove_file(folder.path().join("p_prev.ckpt")).unwrap();
    let said = words(&program(folder.path(), &as_strs(&short), 2));
    assert!(said.contains("exists already"), "{said}");
}

#[test]
fn files_of_others_are_not_taken_for_those_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let line = split("run REPO/data/structures/akle.pdb --backend cpu --steps 1 -o p");
    for (name, text) in [("p.log", "my own notes\n"), ("p.pdb", "")] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let said = words(&program(folder.path(), &as_strs(&line), 2));
        assert!(said.contains(&format!("{name}: exists already")), "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_run_that_was_killed_while_it_closed_its_files_closes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let line = "run REPO/data/structures/akle.pdb --backend cpu --relax 0 --equilibrate 0ps";
    let line = split(&format!("{line} --steps 3 --replicas 2 -o p"));
    program(folder.path(), &as_strs(&line), 0);
    let names = ["p_r0.xtc", "p_r1.xtc", "p_r0_final.pdb", "p_r1_final.pdb"];
    let truth = outputs(folder.path(), &names);
    // as a kill between the last checkpoint and the end leaves it
    std::fs::rename(path("p_r1.xtc"), path("p_r1.part.xtc")).unwrap();
    for name in ["p_r0_final.pdb", "p_r1_final.pdb", "p.summary.json"] {
        std::fs::remove_file(path(name)).unwrap();
    }
    std::fs::write(path(".p.ckpt-a1B2c3.part"), b"half").unwrap();
    program(folder.path(), &as_strs(&line), 0);
    assert_eq!(outputs(folder.path(), &names), truth);
    assert!(path("p.summary.json").exists());
    assert_eq!(leftovers(folder.path()), [""; 0]);
    let said = words(&program(folder.path(), &as_strs(&line), 0));
    assert!(said.contains("complete already"), "{said}");
}

#[test]
fn a_replaced_topology_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let line = "run REPO/data/structures/akle.pdb --backend cpu --relax 0 --equilibrate 0ps -o p";
    program(
        folder.path(),
        &as_strs(&split(&format!("{line} --steps 2"))),
        0,
    );
    let top = folder.path().join("p.pdb");
    let text = std::fs::read_to_string(&top).unwrap();
    std::fs::write(&top, text.replace("LYS", "ARG")).unwrap();
    let longer = split(&format!("{line} --steps 4"));
    let said = words(&program(folder.path(), &as_strs(&longer), 2));
    assert!(said.contains("p.pdb: is not as the run wrote it"), "{said}");
    std::fs::write(&top, text).unwrap();
    program(folder.path(), &as_strs(&longer), 0);
}

#[test]
fn the_cell_of_a_crystal_is_none_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let input: PathBuf = repository("tests/data/structures/1yjp.cif.gz");
    assert!(input.is_file());
    for command in [
        "run FILE --backend cpu --relax 0 --equilibrate 1ps --steps 2 -o p",
        "reference FILE --time 20fs --traj-every 10fs --heat 0ps -o p --traj-format dcd --fresh \
         --overwrite",
    ] {
        let line = split(&command.replace("FILE", input.to_str().unwrap()));
        program(folder.path(), &as_strs(&line), 0);
        for name in ["p.pdb", "p_final.pdb"] {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(!text.contains("CRYST1"), "{command} {name}");
        }
        let ending = if command.starts_with("run") {
            "xtc"
        } else {
            "dcd"
        };
        let file = folder.path().join(format!("p.{ending}"));
        let mut reader = Reader::open(file, None).unwrap();
        let mut frame = Frame::default();
        while reader.read(&mut frame).unwrap() {
            assert_eq!(frame.cell, None, "{command}");
        }
    }
}

#[test]
fn the_input_is_equilibrated_and_jumps_begin_there() {
    let folder = tempfile::tempdir().unwrap();
    let line = "run REPO/data/structures/trpcage.pdb --backend cpu --relax 20";
    let said = |words_of: &str| {
        let line = split(&format!("{line} --steps 1 {words_of}"));
        words(&program(folder.path(), &as_strs(&line), 0))
    };
    let row = |prefix: &str, step: usize| -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(folder.path().join(format!("{prefix}.csv"))).unwrap();
        let cells = |line: &str| -> Vec<String> {
            let cells = line.trim_start_matches('#').split(',');
            cells
                .map(|cell| cell.trim_matches('"').to_owned())
                .collect()
        };
        let mut lines = text.lines().map(cells);
        let heads = lines.next().unwrap();
        heads.into_iter().zip(lines.nth(step).unwrap()).collect()
    };
    let usual = said("--equilibrate 1ps -o a");
    for part in [
        "minimised, then 1 ps of dynamics at 300 K",
        "equilibrated: ",
    ] {
        assert!(usual.contains(part), "{usual}");
    }
    // frame 0 is what RMSDs are to, has velocities, and is not the input
    let first = row("a", 0);
    assert!(first["RMSD (A)"].parse::<f64>().unwrap() <= 1e-6);
    let kelvin: f64 = first["Temperature (K)"].parse().unwrap();
    assert!((100.0..400.0).contains(&kelvin), "{first:?}");
    // the input is at a minimum: 754 degrees of freedom are to take up energy
    let of_input = {
        assert!(!said("--as-is -o b").contains("equilibrated: "));
        row("b", 0)
    };
    assert_eq!(of_input["Temperature (K)"], "n/a");
    let potential = |row: &BTreeMap<String, String>| -> f64 {
        row["Potential Energy (kJ/mole)"].parse().unwrap()
    };
    assert!(potential(&first) >= potential(&of_input) + 200.0);
    // gone on with, jumps keep to the fold of that start, or to one that follows: as in one go
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    for (part, whole, fold) in [("a", "c", "auto"), ("d", "e", "40ps")] {
        let steps = |name: &str, steps: u64| {
            let flags = format!("--equilibrate 1ps --fold {fold} -o {name} --steps {steps}");
            let line = split(&format!("{line} {flags}"));
            program(folder.path(), &as_strs(&line), 0);
        };
        steps(part, 1);
        steps(part, 3);
        steps(whole, 3);
        assert!(read(&format!("{part}.xtc")) == read(&format!("{whole}.xtc")));
    }
    assert!(read("c.xtc") != read("e.xtc"));
}
