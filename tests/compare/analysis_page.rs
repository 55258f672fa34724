//! `analyze` as a user types it: pages, lists, awkward input.

use std::path::Path;
use std::process::{Command, Output};

use mdsurrogate::structure::{ReadOptions, read, read_models};
use serde_json::Value;

use crate::data::{Trajectory, data, structure, write};

fn analyze(folder: &Path, words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .arg("analyze")
        .args(words)
        .current_dir(folder)
        .output();
    output.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it and reads what it says as JSON.
fn numbers(folder: &Path, words: &[&str]) -> Value {
    let output = analyze(folder, &[words, &["--json", "-q", "--overwrite"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["metrics"].clone()
}

#[test]
fn a_run_by_its_prefix_is_a_page_lists_and_structures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(data("trpcage.xtc"), path("demo_r0.xtc")).unwrap();
    std::fs::copy(data("trpcage.xtc"), path("demo_r1.part.xtc")).unwrap();
    std::fs::copy(structure("trpcage"), path("demo.pdb")).unwrap();
    let log = "Step,Time (ps),Temperature (K)\n1,20,300\n2,40,301\n";
    std::fs::write(path("demo.csv"), log).unwrap();
    let viewer = path("viewer.js");
    std::fs::write(&viewer, "/* BSD */ var $3Dmol = '</script>';").unwrap();
    let output = analyze(folder.path(), &["demo", "--viewer", "viewer.js"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("Radius of gyration, Å") && said.contains("200 frames"),
        "{said}"
    );

    let page = std::fs::read_to_string(path("analysis/index.html")).unwrap();
    for request in [
        "http:", "https:", "src=", "href=", "url(", "@import", "<link", "<iframe",
    ] {
        assert!(!page.contains(request), "the page holds {request}");
    }
    assert!(!page.contains("NaN"));
    for part in [
        "Secondary structure over time",
        "trajectory 2",
        "Hydrogen bonds over time",
        "Principal components",
        "Clusters over time",
        "Temperature",
        "middles of clusters",
        "MODEL",
        "/* BSD */",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let json: Value =
        serde_json::from_slice(&std::fs::read(path("analysis/metrics.json")).unwrap()).unwrap();
    assert_eq!(json["quantities"]["rmsd"]["unit"], "Å");
    assert!(page.contains(json["sentence"].as_str().unwrap()));
    let lines = |name: &str| {
        let text = std::fs::read_to_string(path("analysis").join(name)).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(lines("frames.csv").len(), 201);
    assert_eq!(lines("residues.csv").len(), 21);
    assert_eq!(lines("metrics.csv").len(), 9);
    assert_eq!(
        lines("figures/secondary-structure-over-time.svg")[0]
            .split(' ')
            .next(),
        Some("<svg")
    );
    assert!(path("analysis/figures/secondary-structure-over-time-2.csv").exists());

    // the structures hold all atoms; temperature factors are those of the list
    let (first, models) =
        read_models(&path("analysis/clusters.pdb"), &ReadOptions::default()).unwrap();
    assert_eq!(first.topology.len(), 304);
    let shares = json["clusters"]["shares"].as_array().unwrap();
    assert_eq!(models.len(), shares.len().max(1));
    let factor = json["residues"][0]["b_factor_A2"].as_f64().unwrap();
    let pdb = lines("rmsf.pdb");
    let atom = pdb.iter().find(|line| line.starts_with("ATOM")).unwrap();
    let written: f64 = atom[60..66].trim().parse().unwrap();
    assert!((written - factor).abs() <= 0.005 && written > 0.1, "{atom}");
    assert!(
        pdb.iter()
            .any(|line| line.starts_with("REMARK   6 THE FRAME NEAREST"))
    );

    let again = analyze(folder.path(), &["demo"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("--overwrite"));
}

#[test]
fn what_still_drifts_is_said_with_the_flag_that_leaves_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drifts.dcd");
    // the molecule swells by 20 % for the first third, then is what it was
    let mut frames = Trajectory::read("akle_a.xtc").into_frames();
    for (index, frame) in frames.iter_mut().enumerate().take(150) {
        let scale = 1.0 + 0.2 * (1.0 - index as f64 / 150.0);
        frame.iter_mut().for_each(|x| *x *= scale);
    }
    write(&path, &frames, 50.0, None);
    let top = structure("akle").display().to_string();
    let found = numbers(folder.path(), &["drifts.dcd", "--top", &top]);
    let sentence = found["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("still drift") && sentence.contains("--skip"),
        "{sentence}"
    );
    assert!(sentence.contains("Radius of gyration"), "{sentence}");
    let share = found["quantities"]["radius_of_gyration"]["drift"][1]["share"]
        .as_f64()
        .unwrap();
    assert!((0.15..0.5).contains(&share), "{share}");
    let kept = numbers(
        folder.path(),
        &["drifts.dcd", "--top", &top, "--skip", "40%"],
    );
    let sentence = kept["sentence"].as_str().unwrap();
    assert!(!sentence.contains("still drift"), "{sentence}");
    assert_eq!(kept["provenance"]["run"]["frames"], 240);
}

#[test]
fn skip_and_stride_leave_out_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let (file, top) = (data("akle_a.xtc"), structure("akle"));
    let [file, top] = [&file, &top].map(|path| path.display().to_string());
    let read = |more: &[&str]| {
        numbers(
            folder.path(),
            &[&[&file, "--topology", &top], more].concat(),
        );
        let text = std::fs::read_to_string(folder.path().join("analysis/frames.csv")).unwrap();
        text.lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    let all = read(&[]);
    assert_eq!(all.len(), 400);
    let some = read(&["--skip", "5ns", "--stride", "3"]);
    assert_eq!(some.len(), 100);
    // RMSD and Rg of frame 103 are those of line 1; the mean is another
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<String>>();
    let (one, whole) = (cells(&some[1]), cells(&all[103]));
    assert_eq!(one[1], "5150");
    assert_eq!(
        (&one[1], &one[2], &one[4]),
        (&whole[1], &whole[2], &whole[4])
    );
}

#[test]
fn awkward_trajectories_work_or_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let top = structure("akle").display().to_string();
    let frames = Trajectory::read("akle_a.xtc").into_frames();
    // a damaged frame, frames that repeat, and too few to say anything of
    let mut broken = frames[..60].to_vec();
    broken[7].iter_mut().for_each(|x| *x *= 0.0);
    write(&path("broken.dcd"), &broken, 50.0, None);
    let found = numbers(folder.path(), &["broken.dcd", "--top", &top]);
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("frame 7") || notes.contains("frame 8"),
        "{notes}"
    );
    assert_eq!(found["sampling"]["frames"], 59);
    let same = vec![frames[0].clone(); 30];
    write(&path("same.xtc"), &same, 50.0, None);
    let found = numbers(folder.path(), &["same.xtc", "--top", &top]);
    assert!(
        found["notes"].to_string().contains("repeat"),
        "{}",
        found["notes"]
    );
    assert!(found["quantities"]["rmsd"]["estimate"].is_null());
    write(&path("few.dcd"), &frames[..3], 50.0, None);
    let found = numbers(folder.path(), &["few.dcd", "--top", &top]);
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.contains("3 frames are too few"), "{sentence}");
    // models without times: everything but slow motions
    let models = "models.pdb";
    let structure = read(Path::new(&top), &ReadOptions::default()).unwrap();
    let at_rest = mdsurrogate::structure::Frame::at_rest;
    let list: Vec<_> = frames[..40].iter().cloned().map(at_rest).collect();
    mdsurrogate::structure::write_pdb(&path(models), &structure.topology, &list).unwrap();
    let found = numbers(folder.path(), &[models]);
    assert!(found["slow_components"].is_null());
    assert!(
        found["notes"].to_string().contains("--time-step"),
        "{}",
        found["notes"]
    );
    // heavy atoms alone: hydrogen bonds of the backbone
    let heavy = structure.topology.heavy_atoms();
    let bare = frames[..40].iter();
    let bare: Vec<Vec<_>> = bare
        .map(|frame| heavy.iter().map(|&atom| frame[atom]).collect())
        .collect();
    write(&path("bare.dcd"), &bare, 50.0, None);
    let found = numbers(folder.path(), &["bare.dcd", "--top", &top]);
    let definition = found["hydrogen_bonds"]["definition"].to_string();
    assert!(definition.contains("no hydrogens"), "{definition}");
}

#[test]
fn what_cannot_be_analyzed_exits_2_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (a, top) = (data("akle_a.xtc"), structure("akle"));
    let [a, top] = [&a, &top].map(|path| path.display().to_string());
    let one = Trajectory::read("akle_a.xtc").into_frames();
    write(&folder.path().join("one.dcd"), &one[..1], 50.0, None);
    let cases: [(&[&str], &str); 9] = [
        (&["one.dcd", "--top", &top], "mdsurrogate check"),
        (&["absent"], "absent_r0.xtc"),
        (&["."], "is a folder"),
        (&["one.dcd"], "--top"),
        (&[&a, "--top", &top, "--skip", "120%"], "30%"),
        (&[&a, "--top", &top, "--skip", "399"], "leaves nothing"),
        (&[&a, "--top", &top, "--lag", "0ps"], "a time apart"),
        (&[&a, "--top", &top, "--cutoff", "2"], "unit"),
        (&[&a, "--top", &top, "-o", "one.dcd/report"], "is a file"),
    ];
    for (words, said) in cases {
        let output = analyze(folder.path(), words);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?} {told}");
        assert!(told.contains(said), "{words:?} {told}");
        assert!(!folder.path().join("analysis").exists());
    }
}
