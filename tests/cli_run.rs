//! `mdsurrogate run` and `predict` as a user meets them: files, exit codes, words.

mod clients;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mdsurrogate::engine::Cpu;
use mdsurrogate::network::{Architecture, GHyena, Provenance};
use mdsurrogate::structure::Frame;
use mdsurrogate::task::{Jump, Task, save};
use mdsurrogate::trajectory::Reader;
use serde_json::Value;

/// A folder with AKLE and a small untrained model, whose jumps break every molecule.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let task = Task::Jump(Jump {
            lag_time: 20.0,
            sigma_data: 1.0,
            lag_range: None,
            fold: false,
        });
        let architecture = Architecture::GHyena(GHyena {
            scalars: 16,
            vectors: 8,
            pair: 8,
            layers: 1,
            ..GHyena::default()
        });
        let network = task.initial(&architecture, Cpu::<f32>::new(), 3).unwrap();
        let provenance = Provenance {
            summary: "nothing".into(),
            temperature: Some(310.0),
            ..Provenance::default()
        };
        let file = folder.path().join("m.safetensors");
        save(&file, &network, &architecture, &task, &provenance).unwrap();
        std::fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb"),
            folder.path().join("akle.pdb"),
        )
        .unwrap();
        Bench { folder }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        // Mesa's Vulkan drivers complain on stderr where it is not set, as in a container
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }
    fn output(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }
    /// What stderr says; the command must end with this code.
    fn says(&self, words: &str, code: i32) -> String {
        let output = self.output(words);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}\n{text}");
        text
    }
    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| name != "akle.pdb" && name != "m.safetensors");
        names.sort();
        names
    }
}

#[test]
fn a_run_writes_its_files_and_says_what_it_does() {
    let bench = Bench::new();
    let words = bench.says("run akle.pdb -m m.safetensors --steps 6 --guard warn", 0);
    for part in [
        "4 residues",
        "69 atoms (32 heavy)",
        "trained on nothing at 310 K",
        "extrapolation",
        "6 steps of 20 ps: 120 ps",
        "done: 6 steps",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let files = ["ckpt", "csv", "log", "pdb", "summary.json", "xtc"]
        .map(|ending| format!("akle_run.{ending}"));
    let names: Vec<String> = bench.names();
    assert!(
        files.iter().all(|file| names.contains(file))
            && names.contains(&"akle_run_final.pdb".to_owned()),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.contains(".part")),
        "{names:?}"
    );
    // what a plain write makes, and what is written whole or not at all, is for the same people to
    // read
    let mode = |name: &str| {
        std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(bench.path(name)).unwrap().permissions(),
        )
    };
    assert!(
        files.iter().all(|file| mode(file) == mode("akle_run.csv")),
        "the umask decides"
    );

    let mut reader = Reader::open(bench.path("akle_run.xtc"), None).unwrap();
    assert_eq!(
        (reader.len(), reader.n_atoms(), reader.time_step()),
        (7, 69, Some(20.0))
    );
    let mut frame = Frame::default();
    reader.read_at(6, &mut frame).unwrap();
    assert_eq!((frame.step, frame.time), (6, 120.0));

    let summary = bench.json("akle_run.summary.json");
    assert_eq!(
        (
            &summary["outcome"],
            &summary["results"]["steps"],
            &summary["results"]["replicas"][0]["trajectory"]["frames"]
        ),
        (&"done".into(), &6.into(), &7.into())
    );
    assert!(
        summary["guards"]["counts"]["guard"].as_u64().unwrap() >= 1,
        "an untrained model breaks bonds"
    );
    assert_eq!(
        summary["settings"]["model (hash of weights)"]
            .as_str()
            .unwrap()
            .len(),
        64
    );
    let csv = std::fs::read_to_string(bench.path("akle_run.csv")).unwrap();
    assert!(
        csv.starts_with("#\"Step\",\"Time (ps)\",\"Potential Energy (kJ/mole)\"")
            && csv.lines().count() == 8,
        "{csv}"
    );

    // the same command finds it complete; a new one needs --overwrite
    assert!(
        bench
            .says("run akle.pdb -m m.safetensors --steps 6 --guard warn", 0)
            .contains("complete already")
    );
    let words = bench.says(
        "run akle.pdb -m m.safetensors --steps 6 --guard warn --fresh",
        2,
    );
    assert!(
        words.contains("akle_run.pdb: exists already") && words.contains("--overwrite"),
        "{words}"
    );
    bench.says(
        "run akle.pdb -m m.safetensors --steps 3 --guard warn --fresh --overwrite",
        0,
    );
    assert_eq!(
        Reader::open(bench.path("akle_run.xtc"), None)
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn clients_read_topology_and_trajectory_together() {
    let bench = Bench::new();
    for format in ["xtc", "dcd"] {
        bench.says(
            &format!(
                "run akle.pdb -m m.safetensors --steps 3 --guard warn -o {format} \
                             --traj-format {format}"
            ),
            0,
        );
        let (top, trajectory) = (
            bench.path(&format!("{format}.pdb")),
            bench.path(&format!("{format}.{format}")),
        );
        let Some(read) = clients::read_back(&top, &trajectory) else {
            return;
        };
        let mut reader = Reader::open(&trajectory, None).unwrap();
        let mut frame = Frame::default();
        reader.read_at(3, &mut frame).unwrap();
        for client in ["MDAnalysis", "mdtraj"] {
            let read = &read[client];
            let last: Vec<[f64; 3]> = serde_json::from_value(read["positions"][3].clone()).unwrap();
            let errors = last
                .iter()
                .zip(&frame.positions)
                .map(|(a, b)| (nalgebra::Vector3::from(*a) - b).amax());
            assert!(
                errors.clone().all(|error| error <= 1e-5),
                "{client} {format}"
            );
            assert_eq!(
                (
                    errors.len(),
                    read["names"][0].as_str(),
                    read["names"][4].as_str()
                ),
                (69, Some("N"), Some("CA")),
                "{client}"
            );
            let times: Vec<Option<f64>> = serde_json::from_value(read["times"].clone()).unwrap();
            let expected = (0..).map(|frame| 20.0 * f64::from(frame));
            let mut known = times
                .iter()
                .zip(expected)
                .filter_map(|(t, e)| Some(((*t)?, e)));
            assert!(
                known.all(|(time, expected)| (time - expected).abs() <= 1e-4),
                "{client} {format} {times:?}"
            );
        }
    }
}

#[test]
fn a_guard_stops_the_run_with_exit_3() {
    let bench = Bench::new();
    let words = bench.says(
        "run akle.pdb -m m.safetensors --guard abort --equilibrate 0ps --steps 50 -o r",
        3,
    );
    assert!(
        words.contains("error: stopped at step 1:") && words.contains("try: --guard rollback"),
        "{words}"
    );
    assert_eq!(
        bench.json("r.summary.json")["outcome"],
        "stopped by a guard"
    );
    assert_eq!(Reader::open(bench.path("r.xtc"), None).unwrap().len(), 1);
    let words = bench.says(
        "run akle.pdb -m m.safetensors --equilibrate 0ps --steps 50 -o r --guard rollback \
         --max-rollbacks 2",
        3,
    );
    assert!(
        words.contains("back to step 0, attempt 2") && words.contains("--max-rollbacks reached"),
        "{words}"
    );
}

#[test]
fn interrupted_runs_go_on_to_the_same_bits() {
    let bench = Bench::new();
    // --maxh counts the equilibration too: a limit of no time would end the run in it
    let flags =
        "-m m.safetensors --steps 9 --guard warn --replicas 2 --traj-format dcd --equilibrate 0ps";
    bench.says(&format!("run akle.pdb {flags} -o whole"), 0);
    let words = bench.says(&format!("run akle.pdb {flags} -o cut --maxh 0"), 75);
    assert!(
        words.contains("interrupted at step 1; continue with the same command (cut.ckpt)"),
        "{words}"
    );
    assert_eq!(bench.json("cut.summary.json")["outcome"], "interrupted");
    bench.says(&format!("run akle.pdb {flags} -o cut --maxh 0"), 75);
    let words = bench.says(&format!("run akle.pdb {flags} -o cut --threads 1"), 0);
    assert!(words.contains("going on from step 2"), "{words}");
    for name in ["_r0.dcd", "_r1.dcd", "_r0_final.pdb", "_r1_final.pdb"] {
        let read = |prefix: &str| std::fs::read(bench.path(&format!("{prefix}{name}"))).unwrap();
        assert_eq!(read("whole"), read("cut"), "{name}");
    }
    // a replica by itself has the bits that it has among others
    bench.says(
        "run akle.pdb -m m.safetensors --steps 9 --guard warn --replica-index 1 \
                --traj-format dcd --equilibrate 0ps -o one",
        0,
    );
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_eq!(read("one_r1.dcd"), read("whole_r1.dcd"));
    // other settings are refused
    let words = bench.says(
        &format!("run akle.pdb {flags} -o cut --seed 2 --steps 12"),
        2,
    );
    assert!(
        words.contains("cut.ckpt was made with seed 1, this command says 2"),
        "{words}"
    );
}

#[test]
fn a_signal_ends_the_run_in_good_order() {
    let bench = Bench::new();
    let mut child = bench
        .command("run akle.pdb -m m.safetensors --steps 1000000 --guard warn -o r -q")
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while !bench.path("r.ckpt").exists() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // the shell's own kill: a bare Debian has no program of that name
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let steps = bench.json("r.summary.json")["results"]["steps"]
        .as_u64()
        .unwrap();
    assert_eq!(
        Reader::open(bench.path("r.xtc"), None).unwrap().len() as u64,
        steps + 1
    );
}

#[test]
fn events_are_json_lines_and_quiet_is_quiet() {
    let bench = Bench::new();
    let output =
        bench.output("run akle.pdb -m m.safetensors --steps 3 --relax 0 --guard warn --json -q");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let events: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((named("start"), named("row"), named("end")), (1, 4, 1));
    let row = events
        .iter()
        .rfind(|event| event["event"] == "row")
        .unwrap();
    assert!(
        row["Step"] == 3
            && row["RMSD (A)"].as_f64().unwrap() > 0.0
            && row["Temperature (K)"].is_null(),
        "{row}"
    );
    // without a corrector frames have no velocities, with one they do
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/models/akle-20ps.safetensors"
    );
    let relaxed = bench.output(&format!(
        "run akle.pdb -m {model} --steps 1 --relax 5 --guard warn --json -q -o r"
    ));
    let words = String::from_utf8(relaxed.stdout).unwrap();
    let row: Value = serde_json::from_str(
        words
            .lines()
            .rfind(|line| line.contains("\"row\""))
            .unwrap(),
    )
    .unwrap();
    assert!(
        row["Temperature (K)"]
            .as_f64()
            .is_some_and(|kelvin| (100.0..500.0).contains(&kelvin)),
        "{row}"
    );
    let silent = bench.output("run akle.pdb -m m.safetensors --steps 1 --guard warn -q -o q");
    assert!(silent.stdout.is_empty() && silent.stderr.is_empty());
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::new();
    let words = bench.says("run akle.pdb -m m.safetensors --dry-run -v", 0);
    assert!(
        words.contains("1000 steps of 20 ps: 20 ns")
            && words.contains("would write akle_run.xtc")
            && words.contains("nothing was written")
    );
    assert!(bench.names().is_empty());
}

#[test]
fn flags_may_stand_in_a_file() {
    let bench = Bench::new();
    let config = "protein = \"akle.pdb\"\nmodel = \"m.safetensors\"\nsteps = 5\nguard = \"warn\"\n\
                  overwrite = true\nfresh = false\nchains = [\"A\"]\n";
    std::fs::write(bench.path("c.toml"), config).unwrap();
    let words = bench.says("run --config c.toml --time 40ps -o c", 0);
    assert!(words.contains("2 steps of 20 ps: 40 ps"), "{words}");
    for (text, part) in [
        ("stepz = 5", "c.toml: `stepz` is no flag of run"),
        (
            "steps = \"many\"",
            "c.toml: invalid value 'many' for '--steps <N>'",
        ),
        ("steps = ", "c.toml:1: "),
    ] {
        std::fs::write(bench.path("c.toml"), text).unwrap();
        let words = bench.says("run akle.pdb --config c.toml", 2);
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn wrong_input_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("cut.safetensors"),
        &std::fs::read(bench.path("m.safetensors")).unwrap()[..2000],
    )
    .unwrap();
    std::fs::write(bench.path("text.pdb"), "this is no structure\n").unwrap();
    for (words, part) in [
        ("run", "required arguments were not provided"),
        (
            "run missing.pdb -m m.safetensors",
            "missing.pdb: cannot be read",
        ),
        ("run text.pdb -m m.safetensors", "text.pdb"),
        (
            "run akle.pdb -m missing.safetensors",
            "missing.safetensors: cannot be read",
        ),
        ("run akle.pdb -m cut.safetensors", "cut.safetensors"),
        ("run akle.pdb -m akle.pdb", "akle.pdb"),
        (
            "run akle.pdb -m m.safetensors --time 300",
            "`300` has no unit",
        ),
        (
            "run akle.pdb -m m.safetensors --time 30ps",
            "no whole number of steps",
        ),
        (
            "run akle.pdb -m m.safetensors --steps 5 --time 1ns",
            "cannot be used with",
        ),
        (
            "run akle.pdb -m m.safetensors --maxh never",
            "invalid value 'never'",
        ),
        (
            "run akle.pdb -m m.safetensors --guard maybe",
            "[possible values: abort, redraw, rollback, warn]",
        ),
        (
            "run akle.pdb -m m.safetensors -o no/such/folder/x",
            "there is no folder no/such/folder",
        ),
        (
            "run akle.pdb -m m.safetensors -o akle",
            "would replace the input",
        ),
        ("run akle.pdb -m m.safetensors --chains Z", "Z"),
        (
            "run akle.pdb -m m.safetensors --check-equivariance-every often",
            "--check-equivariance-every",
        ),
    ] {
        let said = bench.says(words, 2);
        assert!(said.contains(part), "{words}: {said}");
    }
    let names = bench.names();
    assert!(names == ["cut.safetensors", "text.pdb"], "{names:?}");
}

#[test]
fn a_full_disk_ends_the_run_with_exit_2() {
    for name in [
        "r.xtc",
        "r.csv",
        "r.log",
        "r.pdb",
        "r_final.pdb",
        "r.summary.json",
        "r.ckpt",
    ] {
        let bench = Bench::new();
        std::os::unix::fs::symlink("/dev/full", bench.path(name)).unwrap();
        let words = bench.says(
            "run akle.pdb -m m.safetensors --steps 2 --guard warn -o r",
            2,
        );
        assert!(
            words.contains(name) && words.contains("No space left"),
            "{name}: {words}"
        );
    }
}

#[test]
fn predictions_stand_beside_the_copy_baseline() {
    let bench = Bench::new();
    let output = bench.output("predict akle.pdb -m m.safetensors --truth akle.pdb --json");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    // the truth is the input: the copy is right, the untrained model is not
    let of = |kind: &str, name: &str| found[kind][name].as_f64().unwrap();
    assert!(
        of("copy", "mse_angstrom2") <= 1e-12
            && of("copy", "rmsd_angstrom") <= 1e-5
            && of("prediction", "mse_angstrom2") > 0.01,
        "{found}"
    );
    assert!(bench.path("akle_next.pdb").exists());

    let trajectory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compare/akle_a.xtc");
    std::fs::copy(trajectory, bench.path("a.xtc")).unwrap();
    // frames 50 ps apart hold no truth at 20 ps
    let output = bench.output("predict a.xtc --top akle.pdb -m m.safetensors --every 40");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("no true frames"),
        "{text}"
    );
    assert_eq!(
        Reader::open(bench.path("a_next.xtc"), None).unwrap().len(),
        10
    );
    // with a truth: mean squared move of a copy, computed here
    let output = bench.output(
        "predict a.xtc --top akle.pdb -m m.safetensors --truth a.xtc --every 40 --json --overwrite",
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        found["frames_judged"] == 10 && found["copy"]["rmsd_angstrom"].as_f64().unwrap() <= 1e-5,
        "{found}"
    );
    let words = bench.says("predict a.xtc -m m.safetensors", 2);
    assert!(words.contains("--top"), "{words}");
}

#[test]
fn completions_and_manual_pages_name_the_commands() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = bench.output(&format!("completions {shell}"));
        assert!(
            output.status.success()
                && String::from_utf8(output.stdout)
                    .unwrap()
                    .contains("check-equivariance-every"),
            "{shell}"
        );
    }
    assert!(
        String::from_utf8(bench.output("man").stdout)
            .unwrap()
            .starts_with(".ie")
    );
    bench.says("man --dir man", 0);
    assert!(
        std::fs::read_to_string(bench.path("man/mdsurrogate-run.1"))
            .unwrap()
            .contains("max\\-rollbacks")
    );
}
