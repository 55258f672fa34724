//! `train` as a command, and what its models do in other commands.

use std::path::Path;

/// Runs the program in `folder`: exit status, stdout, stderr.
fn program(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

const AKLE: &str = "
[data]
temperature = \"310K\"
systems = [{ topology = \"../../../data/structures/akle.pdb\", trajectories = [\"akle_a.xtc\"] }]
[jump]
lag = \"50ps\"
[model]
scalars = 16
vectors = 8
pair = 8
layers = 1
[training]
updates = 10
batch = 2
validation_samples = 4
validate_every = 4
";

/// Data of the command's tests: 400 frames of AKLE, 50 ps apart (see data/README.md).
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/compare");

#[test]
fn the_command_trains_continues_and_describes_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("akle.toml"), AKLE).unwrap();
    let (code, _, words) = program(
        here,
        &["train", "akle.toml", "--data", DATA, "--updates", "6"],
    );
    assert_eq!(code, 0, "{words}");
    assert!(
        words.contains("32 heavy atoms, 400 frames") && words.contains("update 4, "),
        "{words}"
    );
    // the same command with the configuration's own, larger budget goes on
    let (code, _, words) = program(here, &["train", "akle.toml", "--data", DATA]);
    assert!(code == 0 && words.contains("at update 6"), "{words}");
    let table = std::fs::read_to_string(here.join("akle.train.csv")).unwrap();
    let column: Vec<_> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(column, ["4", "6", "8", "10"]);

    let (code, json, words) = program(here, &["model", "info", "akle.safetensors", "--json"]);
    assert_eq!(code, 0, "{words}");
    let info: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(info["task"]["lag_time"], 50.0);
    assert_eq!(info["provenance"]["updates"], 10);
    assert_eq!(info["provenance"]["temperature"], 310.0);
    assert_eq!(info["provenance"]["configuration"], AKLE);
    assert_eq!(info["provenance"]["data"][1]["name"], "akle_a.xtc");
    // the standard deviation that the same formulas in NumPy give for these frames, with the noise
    // on the condition added
    let sigma = info["task"]["sigma_data"].as_f64().unwrap();
    assert!((sigma - SIGMA_50).abs() <= 1e-4, "{sigma}");
    let (code, text, _) = program(here, &["model", "info", "akle.safetensors"]);
    assert!(
        code == 0 && text.contains("jump: samples positions 50 ps later") && text.contains("310 K"),
        "{text}"
    );

    // a damaged model is refused, a finished one is not overwritten by another training
    let bytes = std::fs::read(here.join("akle.safetensors")).unwrap();
    std::fs::write(here.join("cut.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    let (code, _, words) = program(here, &["model", "info", "cut.safetensors"]);
    assert!(code == 2 && words.contains("cut.safetensors"), "{words}");
    let (code, _, words) = program(here, &["train", "akle.toml", "--data", DATA, "--fresh"]);
    assert!(
        code == 2 && words.contains("--overwrite") && words.contains("akle.safetensors"),
        "{words}"
    );
}

/// √(mean squared displacement over 50 ps of the first 359 superposed pairs + 0.1²/3), Å:
/// tests/data/train_sigma.py.
const SIGMA_50: f64 = 1.166_252_08;

#[test]
fn what_cannot_be_trained_is_refused_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (text, named) in [
        (
            AKLE.replace("50ps", "20ps"),
            vec!["akle_a.xtc", "50 ps", "20 ps"],
        ),
        (AKLE.replace("akle_a.xtc", "none.xtc"), vec!["none.xtc"]),
        (
            AKLE.replace("batch", "bacth"),
            vec!["bad.toml:14", "bacth", "`batch`"],
        ),
        (
            format!("{AKLE}initial = \"none.safetensors\"\n"),
            vec!["none.safetensors"],
        ),
        (
            format!("{AKLE}initial = \"built-in\"\n"),
            vec!["bad.toml", "model.", "built-in"],
        ),
        (
            AKLE.replace("\"akle_a.xtc\"] }", "\"akle_a.xtc\"], weight = 0.0 }"),
            vec!["data.systems.weight"],
        ),
        (AKLE.replace("pair = 8", "pair = 9"), vec!["`pair`"]),
        (
            AKLE.replace("layers = 1", "regime = { kind = \"force\", scale = 1.0 }"),
            vec!["bad.toml", "model.regime"],
        ),
        (
            format!("{AKLE}[split]\nvalidation_systems = [\"akle2\"]\n"),
            vec!["validation_systems", "akle2"],
        ),
        (
            format!("{AKLE}[split]\nvalidation_systems = [\"akle\"]\n"),
            vec!["no pair of frames"],
        ),
    ] {
        std::fs::write(here.join("bad.toml"), &text).unwrap();
        let (code, out, words) = program(here, &["train", "bad.toml", "--data", DATA]);
        assert!(
            code == 2 && out.is_empty() && named.iter().all(|name| words.contains(name)),
            "{named:?}: {code} {words}"
        );
    }
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 1);
}

/// A model of means: trained on one run of AKLE whose frames are 250 ps apart, judged on another
/// beside the copy baseline, and run.
#[test]
fn next_frames_are_trained_predicted_and_run_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = AKLE
        .replace("[jump]", "[next-frame]")
        .replace("akle_a.xtc", "akle_b.xtc")
        .replace("50ps", "250ps")
        .replace("[model]", "[model]\narchitecture = \"egnn\"")
        .replace("vectors = 8\n", "")
        .replace("updates = 10", "updates = 60")
        .replace("batch = 2", "batch = 8")
        + "[optimizer]\nlearning_rate = 3e-3\nwarmup = 10\naverage = 0.9\n";
    std::fs::write(here.join("mean.toml"), text).unwrap();
    let (code, _, words) = program(here, &["train", "mean.toml", "--data", DATA]);
    assert!(
        code == 0 && words.contains("EGNN") && words.contains("next frame after 250 ps"),
        "{words}"
    );
    let (code, text, _) = program(here, &["model", "info", "mean.safetensors"]);
    assert!(
        code == 0 && text.contains("next frame: mean positions 250 ps later"),
        "{text}"
    );

    let akle = concat!(env!("CARGO_MANIFEST_DIR"), "/data/structures/akle.pdb");
    // 50 ps apart: every fifth frame later is the true one
    let frames = format!("{DATA}/akle_a.xtc");
    let predict = [
        "predict",
        &frames,
        "--top",
        akle,
        "-m",
        "mean.safetensors",
        "--json",
        "--every",
        "4",
    ];
    let (code, json, words) = program(here, &[&predict[..], &["--backend", "cpu"]].concat());
    assert_eq!(code, 0, "{words}");
    let judged: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mse = |of: &str| {
        judged[of]["mse_angstrom2"]
            .as_f64()
            .unwrap_or_else(|| panic!("{judged} {words}"))
    };
    println!("{judged}");
    // over 250 ps a tetrapeptide forgets: its mean is nearer to what comes than what was
    assert!(mse("prediction") < 0.95 * mse("copy"), "{judged}");
    assert!(judged["frames_judged"].as_u64().unwrap() == 99, "{judged}");

    let run = [
        "run",
        akle,
        "-m",
        "mean.safetensors",
        "--as-is",
        "--steps",
        "2",
        "--backend",
        "cpu",
        "-o",
        "means",
    ];
    let (_, _, words) = program(here, &run);
    assert!(words.contains("means, not dynamics"), "{words}");
    let (code, _, words) = program(here, &[&run[..], &["--relax", "3"]].concat());
    assert!(code == 2 && words.contains("--relax"), "{words}");
}
