//! `mdsurrogate check` as a user calls it: text, JSON and exit status.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn check(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mdsurrogate"))
        .arg("check")
        .args(arguments)
        .arg(file)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_good_file_is_described_and_accepted() {
    let output = check(&[], &shipped("data/structures/1ubi.pdb.gz"));
    let words = text(&output.stdout);
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), ""),
        "{words}"
    );
    let lines: Vec<&str> = words.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "chain A: 76 residues, MET 1 to GLY 76, 602 atoms",
            "602 atoms: 602 heavy, no hydrogens; 608 bonds",
            "cell 50.84 × 42.77 × 28.95 Å, 90° 90° 90°",
            "left out: 81 waters",
            "to be added: 629 hydrogens",
            "taken as HIE: A:HIS 68",
            "run accepts it: 76 residues, 602 tokens (the heavy atoms)",
        ]
    );
    assert!(
        words
            .lines()
            .next()
            .unwrap()
            .ends_with("1ubi.pdb.gz: PDB, gzipped, model 1 of 1"),
        "{words}"
    );
}

#[test]
fn json_is_one_object() {
    let output = check(
        &["--json", "--chains", "B"],
        &shipped("tests/data/structures/7etn.cif.gz"),
    );
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        (&found["accepted"], &found["format"], &found["atoms"]),
        (&true.into(), &"mmCIF".into(), &75.into())
    );
    assert_eq!(
        found["chains"],
        serde_json::json!([{"id": "B", "residues": 4, "atoms": 75, "ends": ["PRO 1", "ILE 4"]}])
    );
}

#[test]
fn an_incomplete_file_is_refused_unless_it_is_to_be_fixed() {
    let file = shipped("tests/data/structures/1i8nA.pdb.gz");
    let output = check(&[], &file);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).contains("incomplete: A:LYS 73 misses CD, CE, NZ\nrun refuses it"),
        "{}",
        text(&output.stdout)
    );
    assert!(
        text(&output.stderr)
            .contains("A:GLU 44: misses CB, CG, CD, OE1, OE2; 1 more incomplete\n  try: --fix"),
        "{}",
        text(&output.stderr)
    );
    let output = check(&["--fix"], &file);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).contains("misses CD, CE, NZ (run --fix builds them)\n")
            && text(&output.stdout).contains("to be built: A:GLU 44:CB, ")
            && text(&output.stdout).contains("run accepts it"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_bad_file_says_why_in_words_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.pdb");
    std::fs::write(
        &file,
        "ATOM      1  N   GLY A   1       0.000   0.000     nan\n",
    )
    .unwrap();
    let output = check(&[], &file);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    assert!(
        text(&output.stderr).contains("x.pdb:1, A:GLY 1:N: z is NaN\n  try: check columns"),
        "{}",
        text(&output.stderr)
    );
    let output = check(&["--json"], &file);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &found["accepted"]),
        (Some(2), &false.into())
    );
    assert!(
        found["error"]
            .as_str()
            .unwrap()
            .ends_with("x.pdb:1, A:GLY 1:N: z is NaN"),
        "{found}"
    );
}

#[test]
fn the_doctor_tries_the_engines_and_names_what_mends() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"));
        let output = command.arg("doctor").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let found: serde_json::Value = serde_json::from_str(&run(&["--json"])).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let of = |what: &str| findings.iter().find(|found| found["what"] == what).unwrap();
    let cpu = of("CPU engine")["found"].as_str().unwrap();
    assert!(cpu.starts_with("works: a bare jump"), "{cpu}");
    assert_eq!(of("folder")["verdict"], "good");
    let words = run(&["/nowhere"]);
    let place = words
        .lines()
        .position(|line| line.contains("/nowhere cannot be written"));
    let mend = words.lines().nth(place.unwrap() + 1).unwrap();
    assert!(mend.contains("try: -o PREFIX"), "{mend}");
}
