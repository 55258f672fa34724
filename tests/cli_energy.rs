//! `mdsurrogate energy`, `minimize` and `reference` as a user meets them.

mod clients;
mod program;

use std::path::Path;

use flate2::read::GzDecoder;
use mdsurrogate::structure::{ReadOptions, read};
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;
use program::{program, repository, words};
use serde_json::Value;

#[test]
fn energy_prints_the_golden_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let golden = repository("tests/data/forcefield/golden");
    let json = GzDecoder::new(std::fs::File::open(golden.join("trpcage.json.gz")).unwrap());
    let golden_json: Value = serde_json::from_reader(json).unwrap();
    let file = golden.join("trpcage.pdb.gz");
    let file = file.to_str().unwrap();
    for (precision, tolerance) in [("f64", 1e-6), ("f32", 1e-4)] {
        let output = program(
            folder.path(),
            &[
                "energy",
                file,
                "--json",
                "--forces",
                "f.csv",
                "--precision",
                precision,
            ],
            0,
        );
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["atoms"], 304);
        let energy = |term: &str| found["energy_kj_mol"][term].as_f64().unwrap();
        for (term, got) in [
            ("HarmonicBondForce", energy("bond")),
            ("HarmonicAngleForce", energy("angle")),
            ("PeriodicTorsionForce", energy("torsion")),
            ("NonbondedForce", energy("nonbonded")),
            ("obc2_ace", energy("obc2") + energy("surface")),
            ("total", energy("total")),
        ] {
            let expected = golden_json["energy_kJ_mol"][term].as_f64().unwrap();
            assert!(
                (got - expected).abs() <= tolerance * expected.abs(),
                "{precision} {term}: {got} {expected}"
            );
        }
        let text = std::fs::read_to_string(folder.path().join("f.csv")).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("serial,fx,fy,fz"));
        let (mut difference, mut size, mut largest) = (0.0, 0.0, 0.0f64);
        for (row, expected) in lines.zip(golden_json["force_kJ_mol_nm"].as_array().unwrap()) {
            let numbers: Vec<f64> = row.split(',').map(|cell| cell.parse().unwrap()).collect();
            let expected: [f64; 3] = serde_json::from_value(expected.clone()).unwrap();
            let expected = Vector3::from(expected) / 10.0;
            difference +=
                (Vector3::new(numbers[1], numbers[2], numbers[3]) - expected).norm_squared();
            size += expected.norm_squared();
            largest = largest.max(expected.norm());
        }
        assert!((difference / size).sqrt() <= tolerance, "{precision}");
        let reported = found["largest_force"]["kj_mol_angstrom"].as_f64().unwrap();
        assert!((reported - largest).abs() <= 1e-3 * largest);
        std::fs::remove_file(folder.path().join("f.csv")).unwrap();
    }
    let text = String::from_utf8(program(folder.path(), &["energy", file], 0).stdout).unwrap();
    for expected in [
        "304 atoms, 20 residues",
        "nonbonded",
        "largest force",
        "strain",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn minimize_completes_and_relaxes_a_crystal_structure() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("tests/data/structures/1yjp.cif.gz");
    let arguments = ["minimize", file.to_str().unwrap(), "-o", "out.pdb"];
    let output = program(folder.path(), &arguments, 0);
    assert!(
        words(&output).contains("hydrogens added"),
        "{}",
        words(&output)
    );
    let relaxed = read(&folder.path().join("out.pdb"), &ReadOptions::default()).unwrap();
    let before = read(&file, &ReadOptions::default()).unwrap();
    assert_eq!(
        relaxed.topology.heavy_atoms().len(),
        before.topology.heavy_atoms().len()
    );
    let found = program(folder.path(), &["energy", "out.pdb", "--json"], 0);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    // coordinates of a PDB are rounded to 0.001 Å, which bonds of 3000 kJ/mol/Å² feel as a few
    // kJ/mol/Å
    let force = found["largest_force"]["kj_mol_angstrom"].as_f64().unwrap();
    assert!(force <= 20.0, "{force}");
    assert!(
        found["energy_kj_mol"]["bond"].as_f64().unwrap() <= 50.0,
        "{found}"
    );
    let refused = program(folder.path(), &arguments, 2);
    assert!(
        words(&refused).contains("exists already"),
        "{}",
        words(&refused)
    );
}

#[test]
fn atoms_at_one_place_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(repository("data/structures/akle.pdb")).unwrap();
    // CB of the first residue onto its CA, but for 0.0001 Å that the format rounds away: what
    // reading refuses comes first
    let coordinates = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with("ATOM") && line[12..16].trim() == name)
            .unwrap();
        line[30..54].to_owned()
    };
    let (ca, cb) = (coordinates("CA"), coordinates("CB"));
    std::fs::write(folder.path().join("clash.pdb"), text.replacen(&cb, &ca, 1)).unwrap();
    let output = program(folder.path(), &["energy", "clash.pdb"], 2);
    assert!(
        words(&output).contains("CA") && words(&output).contains("CB"),
        "{}",
        words(&output)
    );
}

#[test]
fn a_cutoff_carries_a_unit_and_is_not_too_short() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("data/structures/akle.pdb");
    for (cutoff, expected) in [("20", "no unit"), ("3A", "too short")] {
        let output = program(
            folder.path(),
            &["energy", file.to_str().unwrap(), "--cutoff", cutoff],
            2,
        );
        assert!(words(&output).contains(expected), "{}", words(&output));
    }
}

/// Rows of a CSV log by column.
fn column(csv: &Path, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(csv).unwrap();
    let header: Vec<&str> = text
        .lines()
        .next()
        .unwrap()
        .trim_start_matches('#')
        .split(',')
        .map(|cell| cell.trim_matches('"'))
        .collect();
    let index = header.iter().position(|&cell| cell == name).unwrap();
    text.lines()
        .skip(1)
        .map(|line| line.split(',').nth(index).unwrap().parse().unwrap())
        .collect()
}

/// `run` logs the energy of what the network stepped: a file without hydrogens is completed first,
/// as `energy` does it.
#[test]
fn a_run_of_a_crystal_structure_knows_its_energy() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("tests/data/structures/1yjp.cif.gz");
    let run = [
        "run",
        file.to_str().unwrap(),
        "--steps",
        "2",
        "--guard",
        "warn",
    ];
    let output = program(
        folder.path(),
        &[&run[..], &["-o", "whole", "--equilibrate", "0ps"]].concat(),
        0,
    );
    assert!(
        words(&output).contains("hydrogens added") && !words(&output).contains("no energies"),
        "{}",
        words(&output)
    );
    let found = program(
        folder.path(),
        &[
            "energy",
            file.to_str().unwrap(),
            "--json",
            "--precision",
            "f64",
        ],
        0,
    );
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let potential = column(
        &folder.path().join("whole.csv"),
        "Potential Energy (kJ/mole)",
    );
    let expected = found["energy_kj_mol"]["total"].as_f64().unwrap();
    assert!(
        (potential[0] - expected).abs() <= 1e-6 * expected.abs(),
        "{potential:?} {expected}"
    );
    assert!(
        potential.len() == 3
            && potential[1] != potential[0]
            && potential.iter().all(|energy| energy.is_finite()),
        "{potential:?}"
    );
    let whole = read(
        &folder.path().join("whole_final.pdb"),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(Value::from(whole.topology.len()), found["atoms"]);

    let output = program(
        folder.path(),
        &[&run[..], &["-o", "bare", "--as-is"]].concat(),
        0,
    );
    assert!(
        words(&output).contains("no energies: A:GLY 1: misses"),
        "{}",
        words(&output)
    );
    let csv = std::fs::read_to_string(folder.path().join("bare.csv")).unwrap();
    assert!(
        csv.lines()
            .skip(1)
            .all(|row| row.split(',').nth(2) == Some("n/a")),
        "{csv}"
    );
    let bare = read(
        &folder.path().join("bare_final.pdb"),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(bare.topology.len(), bare.topology.heavy_atoms().len());
}

/// A run of a protein whose side chain is cut off builds it where that is asked for.
#[test]
fn a_run_builds_missing_side_chains() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(repository("data/structures/akle.pdb")).unwrap();
    let backbone = ["N", "CA", "C", "O", "CB", "OXT"];
    let kept = text
        .lines()
        .filter(|line| !line.starts_with("ATOM") || backbone.contains(&line[12..16].trim()));
    std::fs::write(
        folder.path().join("cut.pdb"),
        kept.map(|line| format!("{line}\n")).collect::<String>(),
    )
    .unwrap();
    let refused = program(folder.path(), &["run", "cut.pdb"], 2);
    assert!(words(&refused).contains("--fix"), "{}", words(&refused));
    let output = program(
        folder.path(),
        &[
            "run", "cut.pdb", "--fix", "--steps", "1", "--guard", "warn", "-o", "fixed",
        ],
        0,
    );
    assert!(
        words(&output).contains("built: A:LYS 2:CG"),
        "{}",
        words(&output)
    );
    let fixed = read(&folder.path().join("fixed.pdb"), &ReadOptions::default()).unwrap();
    assert_eq!(
        (fixed.topology.len(), fixed.topology.heavy_atoms().len()),
        (69, 32)
    );
    assert!(
        column(
            &folder.path().join("fixed.csv"),
            "Potential Energy (kJ/mole)"
        )[0]
        .is_finite()
    );
}

const REFERENCE: &[&str] = &[
    "-o",
    "md",
    "--time",
    "2ps",
    "--heat",
    "1ps",
    "--traj-every",
    "0.1ps",
    "--checkpoint-every",
    "0.5ps",
    "--forces",
];

#[test]
fn reference_writes_a_run_whose_forces_and_energies_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("data/structures/akle.pdb");
    let arguments = [&["reference", file.to_str().unwrap()], REFERENCE].concat();
    let output = program(folder.path(), &arguments, 0);
    assert!(words(&output).contains("heated over"), "{}", words(&output));
    let frames = Reader::open(folder.path().join("md.xtc"), None).unwrap();
    assert_eq!(
        (
            frames.len(),
            frames.time_step().map(|time| (time * 1e3).round())
        ),
        (21, Some(100.0))
    );
    let csv = folder.path().join("md.csv");
    let temperatures = column(&csv, "Temperature (K)");
    // 204 degrees of freedom: 300 K · √(2/204) = 30 K a frame, less in the mean of 21 correlated
    // ones
    let mean = temperatures.iter().sum::<f64>() / temperatures.len() as f64;
    assert!((mean - 300.0).abs() <= 60.0, "{temperatures:?}");
    let conserved = column(&csv, "Conserved (kJ/mole)");
    let total = column(&csv, "Total Energy (kJ/mole)");
    let swing = |values: &[f64]| {
        values
            .iter()
            .fold(0.0f64, |worst, value| worst.max((value - values[0]).abs()))
    };
    assert!(
        swing(&conserved) <= 10.0 && swing(&conserved) <= 0.5 * swing(&total),
        "{conserved:?}\n{total:?}"
    );
    let Some(read) =
        clients::read_back(&folder.path().join("md.pdb"), &folder.path().join("md.trr"))
    else {
        return;
    };
    // the last frame's forces, by `energy` of that frame
    program(
        folder.path(),
        &["energy", "md_final.pdb", "--forces", "f.csv"],
        0,
    );
    let forces: Vec<[f64; 3]> =
        serde_json::from_value(read["MDAnalysis"]["forces"][20].clone()).unwrap();
    let axes = ["fx", "fy", "fz"].map(|axis| column(&folder.path().join("f.csv"), axis));
    let (mut difference, mut size) = (0.0, 0.0);
    for (atom, force) in forces.iter().enumerate() {
        let expected = Vector3::new(axes[0][atom], axes[1][atom], axes[2][atom]);
        difference += (Vector3::from(*force) - expected).norm_squared();
        size += expected.norm_squared();
    }
    // positions of the PDB are rounded to 0.001 Å
    assert!(
        (difference / size).sqrt() <= 0.05,
        "{}",
        (difference / size).sqrt()
    );
    assert!(read["MDAnalysis"]["velocities"][20].is_array());
}

/// Starts a command and sends it SIGTERM once the file is there; its exit code.
fn stop_at(file: &Path, folder: &Path, arguments: &[&str]) -> Option<i32> {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .args(arguments)
        .current_dir(folder)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while !file.exists() {
        assert!(started.elapsed().as_secs() < 120, "no {}", file.display());
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let signal = format!("kill -TERM {}", child.id());
    let sent = std::process::Command::new("sh")
        .args(["-c", &signal])
        .status()
        .unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

#[test]
fn an_interrupted_reference_goes_on_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("data/structures/akle.pdb");
    let mut whole = [&["reference", file.to_str().unwrap()], REFERENCE].concat();
    let time = whole.iter().position(|word| *word == "2ps").unwrap();
    whole[time] = "20ps";
    program(folder.path(), &whole, 0);
    let stopped = folder.path().join("stopped");
    // stopped once its first checkpoint is there, one part in forty of the way; all of it takes
    // less than a second on a fast machine, so that a busy one may wake this test too late: again
    for attempt in 1.. {
        std::fs::create_dir(&stopped).unwrap();
        match stop_at(&stopped.join("md.ckpt"), &stopped, &whole) {
            Some(75) => break,
            code => assert!(code == Some(0) && attempt < 5, "{code:?}"),
        }
        std::fs::remove_dir_all(&stopped).unwrap();
    }
    let output = program(&stopped, &whole, 0);
    let said = words(&output);
    let from = said.split("going on from step ").nth(1);
    let from = from.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    assert!(
        from.is_some_and(|step| (1..10_000).contains(&step)) && !said.contains("heated over"),
        "{said}"
    );
    for name in ["md.xtc", "md.trr", "md_final.pdb", "md.pdb"] {
        assert!(
            std::fs::read(stopped.join(name)).unwrap()
                == std::fs::read(folder.path().join(name)).unwrap(),
            "{name} differs"
        );
    }
}

#[test]
fn what_cannot_be_integrated_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = repository("data/structures/akle.pdb");
    for (arguments, expected) in [
        (["--dt", "0fs"], &["time step", "try: "][..]),
        (
            ["--temp", "300"],
            &["error: --temp `300` has no unit", "try: --temp 300K"],
        ),
        (["--hydrogen-mass", "9"], &["--hydrogen-mass", "try: "]),
        (["--friction", "0/ps"], &["friction", "try: "]),
        (
            ["--friction", "1"],
            &["--friction `1` has no unit", "try: --friction 1/ps"],
        ),
        (
            ["--heat", "5"],
            &["--heat `5` has no unit", "try: --heat 5ps"],
        ),
        (["--cutoff", "20"], &["try: --cutoff 20A (or nm)"]),
        (["--cutoff", "1A"], &["too short", "try: --cutoff 20A"]),
        (
            ["--time", "1"],
            &["has no unit", "try: --time 1ps (or fs, ns, us)"],
        ),
        (
            ["--traj-every", "2.5"],
            &["--traj-every: `2.5` is no stride", "try: write steps (10)"],
        ),
    ] {
        let output = program(
            folder.path(),
            &[
                &["reference", file.to_str().unwrap(), "-o", "x"][..],
                &arguments,
            ]
            .concat(),
            2,
        );
        for part in expected {
            assert!(words(&output).contains(part), "{}", words(&output));
        }
    }
}
