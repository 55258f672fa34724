//! The report, as a user gets it from the command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::data::{Trajectory, data, structure, write};

fn command(folder: &Path, words: &[&str]) -> Output {
    command_of(Path::new(env!("CARGO_BIN_EXE_mdsurrogate")), folder, words)
}

fn command_of(program: &Path, folder: &Path, words: &[&str]) -> Output {
    Command::new(program)
        .arg("compare")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The words of a plain comparison of the two AKLE trajectories.
fn words() -> Vec<String> {
    let file = |path: PathBuf| path.display().to_string();
    vec![
        file(data("akle_a.xtc")),
        "--top".into(),
        file(structure("akle")),
        "--reference".into(),
        file(data("akle_b.xtc")),
    ]
}

#[test]
fn a_report_is_one_page_without_requests_and_files_that_programs_read() {
    let folder = tempfile::tempdir().unwrap();
    let plain = words();
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    // alone, without the viewer that `make viewer` puts beside it
    let alone = folder.path().join("mdsurrogate");
    std::fs::copy(env!("CARGO_BIN_EXE_mdsurrogate"), &alone).unwrap();
    let output = command_of(
        &alone,
        folder.path(),
        &[&plain[..], &["-o", "page"]].concat(),
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(
        table.contains("Torsions φ ψ χ, JSD") && table.contains("within"),
        "{table}"
    );

    let page = std::fs::read_to_string(folder.path().join("page/index.html")).unwrap();
    for request in [
        "http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link", "<iframe",
    ] {
        assert!(!page.contains(request), "the page holds {request}");
    }
    assert!(
        page.contains("prefers-color-scheme: dark")
            && page.contains("@media print")
            && page.contains("width=device-width")
    );
    assert!(
        page.matches("<figure").count() >= 12
            && page.matches("<svg").count() == page.matches("<figure").count() + 6
    );
    assert!(!page.contains("NaN"));
    // a verdict that a tolerance makes is explained
    assert!(page.contains("Tolerance: 0.002 Å."));

    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("page/metrics.json")).unwrap())
            .unwrap();
    let measures = json["measures"].as_array().unwrap();
    assert_eq!(json["provenance"]["sequence"], "AKLE");
    assert!(
        page.contains(json["sentence"].as_str().unwrap()),
        "{}",
        json["sentence"]
    );
    // figures lie beside the page, and say whose marks are whose
    let figure = |name: &str| {
        std::fs::read_to_string(folder.path().join("page/figures").join(name)).unwrap()
    };
    let svg = figure("radius-of-gyration.svg");
    assert!(svg.contains("xmlns") && svg.contains("\nrun\n") && svg.contains("\nreference\n"));
    assert!(figure("radius-of-gyration.csv").lines().count() > 300);
    assert!(figure("ramachandran-planes-difference.svg").contains("difference"));
    let lines = std::fs::read_to_string(folder.path().join("page/metrics.csv")).unwrap();
    assert_eq!(lines.lines().count(), measures.len() + 1);
    for measure in measures {
        for key in ["name", "value", "floor", "low", "high", "verdict", "source"] {
            assert!(!measure[key].is_null(), "{key} of {measure}");
        }
        assert!(
            page.contains(measure["label"].as_str().unwrap()),
            "{measure}"
        );
    }
    let torsions = std::fs::read_to_string(folder.path().join("page/torsions.csv")).unwrap();
    // 15 torsions with four measures, three ω with three
    assert_eq!(torsions.lines().count(), 15 * 4 + 3 * 3 + 1);

    // a second report does not replace the first
    let again = command(folder.path(), &[&plain[..], &["-o", "page"]].concat());
    assert_eq!(again.status.code(), Some(2));
    assert!(
        text(&again.stderr).contains("--overwrite"),
        "{}",
        text(&again.stderr)
    );
    let replaced = command(
        folder.path(),
        &[&plain[..], &["-o", "page", "--overwrite", "--json", "-q"]].concat(),
    );
    assert!(
        replaced.status.success() && replaced.stderr.is_empty(),
        "{}",
        text(&replaced.stderr)
    );
    let printed: serde_json::Value = serde_json::from_slice(&replaced.stdout).unwrap();
    assert_eq!(printed["metrics"]["measures"], json["measures"]);
}

#[test]
fn predictions_stand_beside_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let frames = Trajectory::read("akle_a.xtc").into_frames();
    // every predicted frame is 0.1 Å off along x: MSE .01/3 Å² a coordinate
    let shifted: Vec<_> = frames
        .iter()
        .map(|frame| {
            frame
                .iter()
                .map(|x| x + nalgebra::Vector3::new(0.1, 0.0, 0.0))
                .collect()
        })
        .collect();
    write(&folder.path().join("predicted.dcd"), &shifted, 50.0, None);
    write(&folder.path().join("true.dcd"), &frames, 50.0, None);
    let top = structure("akle").display().to_string();
    let output = command(
        folder.path(),
        &[
            "predicted.dcd",
            "--top",
            &top,
            "--reference",
            "true.dcd",
            "--paired",
            "--json",
            "-q",
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let measure = &printed["metrics"]["measures"][0];
    assert_eq!(measure["name"], "next_frame_mse");
    let value = measure["value"].as_f64().unwrap();
    assert!((value - 0.01 / 3.0).abs() <= 1e-7, "{value}");
    let heavy: Vec<usize> = crate::data::topology("akle").heavy_atoms();
    let square = |index: usize| {
        heavy
            .iter()
            .map(|&atom| (frames[index][atom] - frames[index - 1][atom]).norm_squared())
            .sum::<f64>()
    };
    let copy =
        (1..frames.len()).map(square).sum::<f64>() / (3 * heavy.len() * (frames.len() - 1)) as f64;
    assert!(
        (measure["floor"].as_f64().unwrap() / copy - 1.0).abs() <= 1e-6,
        "{measure} {copy}"
    );
    assert_eq!(measure["verdict"], "within");
}

#[test]
fn bad_input_exits_2_with_what_to_try_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b, top) = (data("akle_a.xtc"), data("akle_b.xtc"), structure("akle"));
    let [a, b, top] = [&a, &b, &top].map(|path| path.display().to_string());
    let one = Trajectory::read("akle_a.xtc").into_frames();
    write(&folder.path().join("one.dcd"), &one[..1], 50.0, None);
    let cases: [(&[&str], &str); 7] = [
        (&["one.dcd", "--top", &top, "--reference", &b], "1 frame"),
        (&[&a, "--top", &top, "--reference", "one.dcd"], "1 frame"),
        (
            &["absent.xtc", "--top", &top, "--reference", &b],
            "absent.xtc",
        ),
        (
            &[&a, "--top", &top, "--reference", &b, "--lag", "100"],
            "unit",
        ),
        (
            &[&a, "--top", &top, "--reference", &top, "--paired"],
            "1 frame",
        ),
        (
            &[&a, "--top", &top, "--reference", &b, "--lag", "0ps"],
            "a time apart",
        ),
        (
            &[&a, "--top", &top, "--reference", &b, "-o", "one.dcd/report"],
            "one.dcd: is a file",
        ),
    ];
    for (words, said) in cases {
        let output = command(folder.path(), words);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(
            words.contains(said) && (words.contains("try:") || words.contains("--lag")),
            "{words}"
        );
        assert!(!folder.path().join("report").exists());
    }
}

#[test]
fn replicas_find_their_structure_their_log_and_their_cost_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for replica in 0..2 {
        std::fs::copy(data("akle_a.xtc"), path(&format!("demo_r{replica}.xtc"))).unwrap();
    }
    std::fs::copy(structure("akle"), path("demo.pdb")).unwrap();
    let log = "Step,Time (ps),Temperature (K)\n1,20,300\n2,40,301\n";
    std::fs::write(path("demo.csv"), log).unwrap();
    let summary = r#"{"version": "0.1.0", "wall_seconds": 1800.0, "threads": 2,
                      "settings": {"seed": 7, "model (hash of weights)": "abc"}}"#;
    std::fs::write(path("demo.summary.json"), summary).unwrap();
    std::fs::copy(data("akle_b.xtc"), path("md.xtc")).unwrap();
    let cost = r#"{"wall_seconds": 72000.0, "threads": 4}"#;
    std::fs::write(path("md.summary.json"), cost).unwrap();
    let reference = "md.xtc".to_owned();
    let viewer = path("viewer.js");
    std::fs::write(&viewer, "/* BSD */ var $3Dmol = '</script>';").unwrap();
    let words = [
        "demo_r0.xtc",
        "demo_r1.xtc",
        "--reference",
        &reference,
        "--reference-top",
        "demo.pdb",
        "-q",
        "--viewer",
        "viewer.js",
    ];
    let output = command(folder.path(), &words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(path("report/index.html")).unwrap();
    // seed and model, the log, both replicas, the viewer with its licence and no early end
    let parts = [
        "seed 7",
        "weights abc",
        "Temperature",
        "2 replicas",
        "/* BSD */",
        "MODEL",
    ];
    for part in parts.into_iter().chain(["'<\\/script>'"]) {
        assert!(page.contains(part), "{part}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path("report/metrics.json")).unwrap()).unwrap();
    let effort = &json["provenance"]["run"]["effort"];
    // an hour of processors for twice 399 steps of 50 ps
    assert_eq!(effort["speed"], 39.9, "{effort}");
    let samples = json["sampling"]["run"]["median"].as_f64().unwrap();
    let speed = effort["effective_speed"].as_f64().unwrap();
    assert!((speed / samples - 1.0).abs() <= 1e-12);
    // 399 steps of 250 ps of MD in 20 h of four threads
    let md = &json["provenance"]["reference"]["effort"];
    assert!(
        (md["speed"].as_f64().unwrap() - 399.0 * 0.25 / 80.0).abs() <= 1e-12,
        "{md}"
    );
    let samples = json["sampling"]["reference"]["median"].as_f64().unwrap();
    let of_md = md["effective_speed"].as_f64().unwrap();
    assert!((of_md * 80.0 / samples - 1.0).abs() <= 1e-12, "{md}");
    // what a user decides by stands in words beside the table
    let gain = format!("{:.1} times as many independent samples", speed / of_md);
    assert!(
        (10.0..100.0).contains(&(speed / of_md)) && page.contains(&gain),
        "{gain}"
    );
    std::fs::write(&viewer, "alert(1)").unwrap();
    let output = command(folder.path(), &[&words[..], &["--overwrite"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("make viewer"),
        "{}",
        text(&output.stderr)
    );
}
