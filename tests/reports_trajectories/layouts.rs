//! Which atoms of a structure the frames of a trajectory hold: of solvated files broken over their
//! box, of what programs strip from them, and of chains that hold what no force field here has.

use std::path::Path;

use mdsurrogate::structure::{Atom, Cell, Element, Frame, Molecules, Topology};
use nalgebra::Vector3;
use serde_json::Value;

use super::{frames, program, report, text, words, write};

const EDGE: f64 = 22.0;

/// An atom record: `ATOM` to the residue's number, and a position, Å.
fn record(head: &str, at: &Vector3<f64>) -> String {
    format!(
        "{head:<30}{:8.3}{:8.3}{:8.3}  1.00  0.00\n",
        at.x, at.y, at.z
    )
}

fn wrapped(at: Vector3<f64>) -> Vector3<f64> {
    at.map(|x| x - EDGE * (x / EDGE).floor())
}

/// AKLE with an ion before it and a water behind, everything wrapped into a cell whose border runs
/// through the peptide.
struct System {
    /// ATOM to the residue's number of every record.
    heads: Vec<String>,
    all: Vec<Frame>,
}

impl System {
    fn new() -> Self {
        let text = std::fs::read_to_string(report("akle_run.pdb")).unwrap();
        let protein = text.lines().filter(|line| line.starts_with("ATOM"));
        let mut heads = vec!["HETATM    1 NA    NA B   9".to_owned()];
        heads.extend(protein.map(|line| line[..30].to_owned()));
        for name in ["OW ", "HW1", "HW2"] {
            heads.push(format!("HETATM   99  {name} SOL C  24"));
        }
        let mut all = frames(&report("akle_run.xtc"));
        for frame in &mut all {
            let extra = |i: usize| Vector3::new(3.0 * i as f64, 1.0, 2.0);
            frame.positions.insert(0, extra(1));
            frame.positions.extend([extra(2), extra(3), extra(4)]);
            let corner = Vector3::repeat(EDGE) - frame.positions[20];
            for position in &mut frame.positions {
                *position = wrapped(*position + corner);
            }
            frame.cell = Some(Cell {
                lengths: [EDGE; 3],
                angles: [90.0; 3],
            });
        }
        System { heads, all }
    }

    fn pdb(&self) -> String {
        let cell = format!("CRYST1{EDGE:9.3}{EDGE:9.3}{EDGE:9.3}  90.00  90.00  90.00 P 1\n");
        let records = self.heads.iter().zip(&self.all[0].positions);
        let records: String = records.map(|(head, at)| record(head, at)).collect();
        format!("{cell}{records}END\n")
    }

    fn mmcif(&self) -> String {
        let mut out = format!(
            "data_x\n_cell.length_a {EDGE}\n_cell.length_b {EDGE}\n_cell.length_c {EDGE}\n\
             _cell.angle_alpha 90\n_cell.angle_beta 90\n_cell.angle_gamma 90\nloop_\n"
        );
        for key in [
            "group_PDB",
            "id",
            "label_atom_id",
            "label_comp_id",
            "label_asym_id",
            "auth_seq_id",
            "Cartn_x",
            "Cartn_y",
            "Cartn_z",
        ] {
            out.push_str(&format!("_atom_site.{key}\n"));
        }
        for (id, (head, at)) in self.heads.iter().zip(&self.all[0].positions).enumerate() {
            let column = |range: std::ops::Range<usize>| head[range].trim().to_owned();
            out.push_str(&format!(
                "{} {} {} {} {} {} {:.3} {:.3} {:.3}\n",
                column(0..6),
                id + 1,
                column(12..16),
                column(17..20),
                column(21..22),
                column(22..26),
                at.x,
                at.y,
                at.z
            ));
        }
        out
    }

    /// Frames of the records that are kept.
    fn kept(&self, keep: impl Fn(usize, &str) -> bool) -> Vec<Frame> {
        let kept: Vec<usize> = (0..self.heads.len())
            .filter(|&index| keep(index, self.heads[index][12..16].trim()))
            .collect();
        let mut all = self.all.clone();
        for frame in &mut all {
            frame.positions = kept.iter().map(|&index| frame.positions[index]).collect();
        }
        all
    }
}

/// What `analyze` finds: every quantity's mean, and what it said.
fn analyzed(folder: &Path, trajectory: &str, top: &str) -> (Vec<f64>, String) {
    let command = [
        "analyze",
        trajectory,
        "--top",
        top,
        "-o",
        "a",
        "--overwrite",
        "--json",
    ];
    let output = program(folder, &command, 0);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let quantities = &found["metrics"]["quantities"];
    let means = ["rmsd", "rmsd_to_mean", "radius_of_gyration"];
    let means = means.map(|name| quantities[name]["mean"].as_f64().unwrap());
    (means.to_vec(), words(&output))
}

#[test]
fn a_solvated_structure_broken_over_its_box_goes_with_all_that_is_stripped_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::new();
    std::fs::write(folder.path().join("top.pdb"), system.pdb()).unwrap();
    std::fs::write(folder.path().join("top.cif"), system.mmcif()).unwrap();
    let (run, top) = (text(&report("akle_run.xtc")), text(&report("akle_run.pdb")));
    let (mut truth, _) = analyzed(folder.path(), &run, &top);
    truth.remove(0);
    let water = system.heads.len() - 3;
    let kept: [(&str, Vec<Frame>); 5] = [
        ("all", system.kept(|_, _| true)),
        ("dry", system.kept(|index, _| index < water)),
        (
            "protein",
            system.kept(|index, _| index > 0 && index < water),
        ),
        (
            "heavy",
            system.kept(|index, name| index > 0 && index < water && !name.starts_with('H')),
        ),
        ("no-ion", system.kept(|index, _| index > 0)),
    ];
    for (name, frames) in kept {
        let file = format!("{name}.xtc");
        write(&folder.path().join(&file), &frames);
        for top in ["top.pdb", "top.cif"] {
            if name == "no-ion" {
                let command = ["analyze", &file, "--top", top, "-o", "a", "--overwrite"];
                let said = words(&program(folder.path(), &command, 2));
                let numbers = "72 atoms a frame; of top";
                assert!(
                    said.contains(numbers) && said.contains("73 (all its atoms), 70 (all but"),
                    "{said}"
                );
                continue;
            }
            let (found, said) = analyzed(folder.path(), &file, top);
            assert!(said.contains("were made whole"), "{name}: {said}");
            for (found, truth) in found[1..].iter().zip(&truth) {
                // XTC and PDB round positions to 0.01 and 0.001 Å
                assert!(
                    (found - truth).abs() <= 0.005,
                    "{name} {top}: {found} {truth}"
                );
            }
        }
    }
}

#[test]
fn a_residue_without_template_is_left_out_of_what_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let top = std::fs::read_to_string(report("phosphoserine.pdb")).unwrap();
    let atoms = top
        .lines()
        .filter(|line| line.starts_with("ATOM") || line.starts_with("HETATM"));
    let position = |line: &str| {
        Vector3::from([30, 38, 46].map(|at| line[at..at + 8].trim().parse::<f64>().unwrap()))
    };
    let frame = Frame::at_rest(atoms.map(position).collect());
    let moved = |by: f64| {
        let mut frame = frame.clone();
        frame.time = 160.0 * by;
        frame
            .positions
            .iter_mut()
            .for_each(|x| x.y += by * 0.1 * x.x.sin());
        frame
    };
    let all: Vec<Frame> = (0..5).map(|index| moved(f64::from(index))).collect();
    let path = folder.path().join("run.xtc");
    write(&path, &all);
    let top = text(&report("phosphoserine.pdb"));
    let (_, said) = analyzed(folder.path(), "run.xtc", &top);
    assert!(
        said.contains("SEP 13: a residue without template is left out"),
        "{said}"
    );
    let command = [
        "compare",
        "run.xtc",
        "--top",
        &top,
        "--reference",
        "run.xtc",
    ];
    let said = words(&program(folder.path(), &command, 0));
    assert!(
        said.contains("SEP 13: a residue without template is left out"),
        "{said}"
    );
    // a prediction needs the whole chain
    let command = ["predict", "run.xtc", "--top", &top, "--lag", "160ps"];
    let said = words(&program(folder.path(), &command, 2));
    assert!(said.contains("rename the residue to SER"), "{said}");
}

#[test]
fn a_file_that_is_given_twice_or_to_both_sides_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (run, other) = (text(&report("akle_run.xtc")), text(&report("akle_ref.xtc")));
    let top = text(&report("akle_run.pdb"));
    let both = ["compare", &run, "--top", &top, "--reference", &other, &run];
    let said = words(&program(folder.path(), &both, 0));
    assert!(
        said.contains("akle_run.xtc is in the run and in the reference"),
        "{said}"
    );
    std::fs::copy(&run, folder.path().join("a.xtc")).unwrap();
    let twice = ["analyze", "a.xtc", "./a.xtc", "--top", &top];
    let said = words(&program(folder.path(), &twice, 2));
    assert!(said.contains("a.xtc is given twice"), "{said}");
}

#[test]
fn true_frames_are_those_of_the_input_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (run, top) = (text(&report("akle_run.xtc")), text(&report("akle_run.pdb")));
    write(
        &folder.path().join("few.xtc"),
        &frames(&report("akle_ref.xtc"))[..7],
    );
    let few = [
        "predict", &run, "--top", &top, "--truth", "few.xtc", "--relax", "0",
    ];
    let said = words(&program(folder.path(), &few, 2));
    assert!(said.contains("holds 7 frames, the input 121"), "{said}");
    // as many atoms, and two of them under each other's names
    let swap = |line: &str| {
        let name = match &line[12..line.len().min(16)] {
            name if !line.contains("LEU") => name.to_owned(),
            name if name.contains("D1") => name.replace("D1", "D2"),
            name => name.replace("D2", "D1"),
        };
        format!("{}{name}{}\n", &line[..12], &line[line.len().min(16)..])
    };
    let original = std::fs::read_to_string(&top).unwrap();
    let atoms = original.lines().filter(|line| line.starts_with("ATOM"));
    let swapped: String = atoms.map(swap).collect();
    std::fs::write(folder.path().join("swapped.pdb"), swapped).unwrap();
    let other = ["predict", &top, "--truth", "swapped.pdb", "--relax", "0"];
    let said = words(&program(folder.path(), &other, 2));
    assert!(
        said.contains("LEU 3:CD2 where the input holds") && said.contains(":CD1"),
        "{said}"
    );
    let nowhere = ["predict", &top, "-o", "no/where/p"];
    let said = words(&program(folder.path(), &nowhere, 2));
    assert!(said.contains("there is no folder no/where"), "{said}");
}

/// A topology of atoms of one residue with these bonds.
fn bonded(atoms: usize, bonds: Vec<[usize; 2]>) -> Topology {
    let atom = |index: usize| Atom {
        name: format!("C{index}"),
        element: Element::C,
        residue: 0,
        serial: index,
        mass: 12.0,
    };
    Topology {
        atoms: (0..atoms).map(atom).collect(),
        bonds,
        ..Topology::default()
    }
}

/// A trace of Cα alone, and a fibril, both longer than half of their cell: the ends are nearer
/// to an image of the first molecule.
#[test]
fn molecules_are_brought_beside_their_neighbours_not_the_first_one() {
    let cell = Cell {
        lengths: [40.0, 30.0, 30.0],
        angles: [90.0, 90.0, 60.0],
    };
    let rows = cell.vectors();
    let (trace, fibril) = (bonded(9, Vec::new()), {
        let bonds = (0..14).filter(|i| i % 2 == 0).map(|i| [i, i + 1]);
        bonded(14, bonds.collect())
    });
    for (topology, each, apart) in [(trace, 1, 3.8), (fibril, 2, 4.8)] {
        let molecules = Molecules::new(&topology);
        let still: Vec<Vector3<f64>> = (0..topology.len())
            .map(|i| Vector3::new(apart * (i / each) as f64, 1.2 * (i % each) as f64, 0.0))
            .collect();
        assert!(still.last().unwrap().x > 20.0);
        let mut same = still.clone();
        assert_eq!(molecules.bring_together(&mut same, &cell), 0);
        assert_eq!(same, still);
        let mut wrapped = still.clone();
        for (index, position) in wrapped.iter_mut().enumerate().skip(each) {
            let turns = Vector3::new(-1.0, (index / each % 3) as f64, 1.0);
            *position += rows.transpose() * turns;
        }
        assert_eq!(molecules.make_whole(&mut wrapped, &cell), 0);
        let others = topology.len() / each - 1;
        assert_eq!(molecules.bring_together(&mut wrapped, &cell), others);
        for (a, b) in wrapped.iter().zip(&still) {
            assert!((a - b).norm() <= 1e-12, "{a} {b}");
        }
    }
}
