//! Terminals: what files may not send to them, and trainings that outlive theirs.
#![cfg(unix)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod program;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use program::repository;

/// Runs a line of the shell, in which `$P` is the program.
fn run(folder: &Path, line: &str) -> Output {
    Command::new("bash")
        .args(["-c", line])
        .env("P", env!("CARGO_BIN_EXE_mdsurrogate"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The configuration of a very short training on a system of this name.
fn training(name: &str) -> String {
    format!(
        "[data]\nfolder = {:?}\n[[data.systems]]\nname = \"{name}\"\ntopology = {:?}\n\
         trajectories = [\"akle_a.xtc\"]\n[jump]\nlag = \"50ps\"\n\
         [model]\nscalars = 16\nvectors = 8\npair = 8\nlayers = 1\n\
         [training]\nupdates = 1\nbatch = 1\nvalidation_samples = 1\n",
        repository("tests/data/compare").to_str().unwrap(),
        repository("data/structures/akle.pdb").to_str().unwrap()
    )
}

#[test]
fn a_training_goes_on_without_those_who_read_its_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.toml"), training("akle")).unwrap();
    for redirection in ["2>&1 | true", "2>/dev/full", "2>&-"] {
        let train = "set -o pipefail; $P train t.toml --backend cpu -o t --fresh --overwrite";
        let output = run(folder.path(), &format!("{train} {redirection}"));
        assert_eq!(output.status.code(), Some(0), "{redirection}");
        let model = folder.path().join("t.safetensors");
        assert!(model.is_file(), "{redirection}");
        std::fs::remove_file(model).unwrap();
    }
}

/// A terminal obeys what it is sent: names out of files are shown, not sent.
#[test]
fn files_give_no_orders_to_terminals() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = std::fs::read_to_string(repository("data/structures/akle.pdb")).unwrap();
    std::fs::write(path("akle.pdb"), &text).unwrap();
    let ligand =
        "HETATM 9001  C1  \u{1b}[2 B   1      60.000  60.000  60.000  1.00  0.00           C";
    std::fs::write(path("esc.pdb"), format!("{ligand}\n{text}")).unwrap();
    std::fs::write(path("\u{1b}]0;x\u{7}.pdb"), &text).unwrap();
    for line in [
        "$P check esc.pdb",
        "$P energy esc.pdb",
        "$P run esc.pdb --backend cpu --dry-run --steps 1",
        "$P check *x*.pdb",
        "$P check *x*.none",
        "$P energy --forces $'\\e[2J/f' akle.pdb",
    ] {
        let output = run(folder.path(), line);
        for bytes in [&output.stdout, &output.stderr] {
            let orders = bytes.iter().filter(|byte| **byte < 32);
            let orders: Vec<u8> = orders.copied().filter(|byte| *byte != b'\n').collect();
            assert!(orders.is_empty(), "{line}: {orders:?}");
        }
    }
    // a model's summary names its systems
    std::fs::write(path("t.toml"), training("a\\u001b[2Jb")).unwrap();
    let said = run(folder.path(), "$P train t.toml --backend cpu -o t");
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("a\u{fffd}[2Jb: 32 heavy atoms"), "{said}");
    let info = run(folder.path(), "$P model info t.safetensors");
    let info = String::from_utf8(info.stdout).unwrap();
    assert!(
        info.contains("a\u{fffd}[2Jb") && !info.contains('\u{1b}'),
        "{info}"
    );
}
