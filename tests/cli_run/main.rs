//! `mdsurrogate run` and `predict` as a user meets them: files, exit codes, words.

mod bench;
#[path = "../clients/mod.rs"]
mod clients;
mod endings;
mod outputs;
mod refusals;

use std::path::Path;

use bench::Bench;
use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::Reader;
use serde_json::Value;

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

/// Of a repository the one that HEAD is at, unless git keeps no log of that; of an archive that git
/// made the one that it says.
#[test]
fn the_version_names_the_commit() {
    let bench = Bench::new();
    let said = String::from_utf8(bench.output("--version").stdout).unwrap();
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        let output = command.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = output.output().ok().filter(|done| done.status.success())?;
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let commit = if git(&["rev-parse", "--show-prefix"]).as_deref() == Some("") {
        let log = git(&["reflog", "-n1"]).filter(|log| !log.is_empty());
        log.and_then(|_| git(&["rev-parse", "HEAD"]))
    } else {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("COMMIT")).ok()
    };
    let whole = commit.filter(|name| name.starts_with(|letter: char| letter.is_ascii_hexdigit()));
    let named = whole.map_or_else(String::new, |name| format!(" ({})", &name[..9]));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(said, format!("mdsurrogate {version}{named}\n"));
}
