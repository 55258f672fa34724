//! What is refused, and that nothing panics.

use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use mdsurrogate::structure::{ReadOptions, read};
use rand::{RngExt, SeedableRng};

use super::{backbone, error_of, line, read_bytes, read_text, refused};

#[test]
fn bad_files_are_refused_by_name_with_the_next_thing_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let none = ReadOptions::default();
    refused(
        read(&folder.path().join("none.pdb"), &none),
        &["none.pdb", "cannot be read"],
    );
    refused(read(folder.path(), &none), &["is a folder", "give a file"]);
    refused(read_text(""), &["x.pdb: is empty", "again"]);
    refused(read_text(" \n\n"), &["is empty"]);
    refused(
        read_text("Dear reader,\nthis is a letter.\n"),
        &["holds no atoms", "PDB or mmCIF"],
    );
    refused(read_text([0, 1, 2, 3]), &["is not a text file"]);
    refused(read_text("data_x\n_entry.id x\n"), &["holds no atoms"]);
    let whole =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/1ubi.pdb.gz"))
            .unwrap();
    refused(
        read_bytes("x.pdb.gz", &whole[..whole.len() / 2], &none),
        &["x.pdb.gz: is cut short", "again"],
    );
    let mut damaged = whole;
    damaged[5000..5010].fill(0xff);
    refused(read_bytes("x.pdb.gz", damaged, &none), &["gzip"]);
}

#[test]
fn bad_atoms_are_refused_by_line_and_name() {
    let good = backbone("GLY", "A   1 ", 0);
    let next = |text: &str| read_text(format!("REMARK\n{good}{text}"));
    let atom = line("ATOM", "5", "N", " GLY", "A   2 ", [3.8, 0.0, 0.0], "");
    refused(
        next(&atom.replace("   3.800", "     nan")),
        &["x.pdb:6, A:GLY 2:N: x is NaN"],
    );
    refused(
        next(&atom.replace("   3.800", "     inf")),
        &["x.pdb:6, A:GLY 2:N: x is inf, out of range"],
    );
    refused(
        next(&atom.replace("   3.800", "********")),
        &["x.pdb:6, A:GLY 2:N: x is `********`", "columns"],
    );
    refused(
        next(&atom.replace("   3.800", "   3.8x0")),
        &["x is `3.8x0`, not a number"],
    );
    refused(
        next(&atom[..50]),
        &["x.pdb:6: ", "ends at column 50", "cut short"],
    );
    refused(
        next(&atom.replace("A   2 ", "A     ")),
        &["x.pdb:6: ", "no residue number"],
    );
    refused(
        next(&atom.replace(" N  ", "    ")),
        &["x.pdb:6: ", "without a name"],
    );
    let twin = line("ATOM", "5", "N", " GLY", "A   2 ", [2.5, 0.25, 0.05], "");
    refused(
        next(&twin),
        &[
            "x.pdb:6, A:GLY 2:N: lies 0.071 Å from A:GLY 1:C (line 4)",
            "delete one",
        ],
    );
}

#[test]
fn what_is_no_protein_is_refused() {
    let sep = backbone("GLY", "A   1 ", 0)
        + &backbone("SEP", "A   2 ", 1)
        + &backbone("GLY", "A   3 ", 2);
    refused(
        read_text(&sep),
        &[
            "x.pdb:",
            "A:SEP 2: the chain holds SEP, a residue without template",
            "rename the residue to SER",
        ],
    );
    refused(
        read_text(sep.replace("SEP", "ZZZ")),
        &["A:ZZZ 2", "--chains"],
    );
    refused(
        read_text(line("ATOM", "1", "P", "  DA", "A   1 ", [0.0; 3], "")),
        &["holds no protein (left out: 1 DA)"],
    );
    refused(
        read_text(line("HETATM", "1", "O", " HOH", "A   1 ", [0.0; 3], "")),
        &["holds no protein (left out: 1 water)"],
    );
    let only = |chain: &str| ReadOptions {
        chains: Some(vec![chain.into()]),
        ..ReadOptions::default()
    };
    refused(
        read_bytes("x.pdb", backbone("GLY", "A   1 ", 0), &only("B")),
        &["no chain `B`", "--chains with some of A"],
    );
    // a chain left out may hold what it likes
    let other = backbone("GLY", "B   1 ", 20);
    assert_eq!(
        read_bytes("x.pdb", sep + &other, &only("B"))
            .unwrap()
            .report
            .atoms,
        4
    );
}

/// Plain bytes of a small real file of each kind.
fn real_files() -> Vec<(&'static str, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/structures");
    let unpacked = |name: &str| {
        let mut bytes = Vec::new();
        std::io::copy(
            &mut GzDecoder::new(std::fs::File::open(folder.join(name)).unwrap()),
            &mut bytes,
        )
        .unwrap();
        bytes
    };
    vec![
        ("x.pdb", unpacked("2xdgA.pdb.gz")),
        ("x.cif", unpacked("1yjp.cif.gz")),
    ]
}

/// Either a structure, or an error that says what to do.
fn survives(name: &str, bytes: &[u8]) -> bool {
    match read_bytes(name, bytes, &ReadOptions::default()) {
        Ok(structure) => {
            assert!(
                structure
                    .frame
                    .positions
                    .iter()
                    .all(|position| position.iter().all(|value| value.is_finite()))
            );
            true
        }
        Err(error) => {
            error_of(Err(error));
            false
        }
    }
}

#[test]
fn cut_files_never_panic() {
    for (name, bytes) in real_files() {
        let whole = survives(name, &bytes);
        let cuts = (0..bytes.len()).step_by(97);
        let accepted = cuts
            .map(|length| survives(name, &bytes[..length]))
            .filter(|accepted| *accepted)
            .count();
        assert!(
            whole && accepted > 0 && accepted < bytes.len() / 97,
            "{name}: {accepted}"
        );
    }
}

#[test]
fn mutated_files_never_panic() {
    const SIGNS: &[u8] = b"\n\r \t'\";#_.?-0*";
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for (name, bytes) in real_files() {
        for round in 0..400 {
            let mut mutated = bytes.clone();
            for _ in 0..1 << (round % 8) {
                let at = rng.random_range(0..mutated.len());
                match rng.random_range(0..4) {
                    0 => mutated[at] = rng.random(),
                    1 => mutated[at] = SIGNS[rng.random_range(0..SIGNS.len())],
                    2 => drop(mutated.drain(at..(at + rng.random_range(1..40)).min(mutated.len()))),
                    _ => mutated.insert(at, rng.random()),
                }
            }
            survives(name, &mutated);
        }
    }
}
