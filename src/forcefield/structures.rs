//! Preparing real structures: crystals, NMR models, homology models. They are not in the repository
//! (their packages' licences differ); `MDSURROGATE_STRUCTURES=FOLDER` names a folder of PDB or
//! mmCIF files, without which this says that it was skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{PrepareOptions, Prepared, System, prepare, template_geometry, template_geometry_at};
use crate::structure::{Element, ReadOptions, Structure, read};

fn files() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("MDSURROGATE_STRUCTURES") else {
        println!("skipped: MDSURROGATE_STRUCTURES names no folder of structures");
        return Vec::new();
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Every structure is prepared, or refused with an error that names the residue; what is prepared
/// has all its parameters, its heavy atoms unmoved.
#[test]
fn structures_are_prepared_or_refused_by_name() {
    println!(
        "{:24} {:>6} {:>6} {:>6} {:>6}  notes",
        "file", "atoms", "read", "+H", "built"
    );
    for path in files() {
        let structure = read(&path, &ReadOptions::default()).unwrap();
        let Structure {
            topology, frame, ..
        } = &structure;
        let plain = prepare(topology, frame, &PrepareOptions::default());
        let prepared = plain.or_else(|error| {
            let fixed = prepare(
                topology,
                frame,
                &PrepareOptions {
                    fix: true,
                    ..PrepareOptions::default()
                },
            );
            assert!(fixed.is_err() || error.hint().contains("--fix"), "{error}");
            fixed
        });
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                println!("{:24} refused: {error}; try: {}", name(&path), error.hint());
                assert!(error.exit_code() == 2 && !error.hint().is_empty());
                continue;
            }
        };
        let Prepared {
            hydrogens,
            built,
            notes,
            ..
        } = &prepared;
        println!(
            "{:24} {:6} {:6} {hydrogens:6} {:6}  {}",
            name(&path),
            prepared.topology.len(),
            topology.len(),
            built.len(),
            notes.join("; ")
        );
        System::build(&prepared.topology).unwrap();
        for (index, atom) in topology
            .atoms
            .iter()
            .enumerate()
            .filter(|(_, atom)| atom.element != Element::H)
        {
            let same = prepared
                .topology
                .atom_named(atom.residue, &atom.name)
                .unwrap();
            assert!(prepared.frame.positions[same] == frame.positions[index]);
        }
    }
}

/// Deviations of what is found from the template: sum, sum of squares, count.
#[derive(Default)]
struct Spread(f64, f64, f64);

impl Spread {
    fn add(&mut self, deviation: f64) {
        (self.0, self.1, self.2) = (
            self.0 + deviation,
            self.1 + deviation * deviation,
            self.2 + 1.0,
        );
    }
    fn mean(&self) -> f64 {
        self.0 / self.2
    }
    fn spread(&self) -> f64 {
        (self.1 / self.2 - self.mean().powi(2)).max(0.0).sqrt()
    }
}

/// Experimental structures are refined to other ideal values than ff14SB's; still no template of
/// any residue may be far from what they show, and no centre of another hand.
#[test]
fn templates_are_what_experiments_show() {
    let (mut heights, mut pairs) = (
        BTreeMap::<String, Spread>::new(),
        BTreeMap::<String, Spread>::new(),
    );
    for path in files() {
        let Structure {
            topology, frame, ..
        } = read(&path, &ReadOptions::default()).unwrap();
        let here = template_geometry_at(&topology, &frame.positions).unwrap();
        let residue = |atom: usize| topology.residue_of(atom).name.clone();
        let inverted = here
            .centres
            .iter()
            .zip(template_geometry(&topology).unwrap().centres)
            .filter(|(a, b)| a.1 != b.1);
        let inverted: Vec<_> = inverted
            .map(|(centre, _)| topology.atom_label(centre.0[0]))
            .collect();
        if !inverted.is_empty() {
            println!(
                "{}: of the other hand: {}",
                name(&path),
                inverted.join(", ")
            );
        }
        for ([a0, a1, a2, a3], height, _) in here.centres {
            let [x0, x1, x2, x3] = [a0, a1, a2, a3].map(|atom| frame.positions[atom]);
            let normal = (x2 - x1).cross(&(x3 - x1)).normalize();
            let sign = if height < 0.0 { -1.0 } else { 1.0 };
            let label = format!("{} {}", residue(a0), topology.atoms[a0].name);
            heights
                .entry(label)
                .or_default()
                .add(sign * ((x1 - x0).dot(&normal) - height));
        }
        for (i, j, distance) in here.pairs {
            let deviation = (frame.positions[i] - frame.positions[j]).norm() - distance;
            let [a, b] = [i, j].map(|atom| topology.atoms[atom].name.as_str());
            let label = if topology.atoms[i].residue == topology.atoms[j].residue {
                format!("{} {a}–{b}", residue(i))
            } else {
                format!(
                    "{a}–{} {b}",
                    if residue(j) == "PRO" { "PRO" } else { "next" }
                )
            };
            pairs.entry(label).or_default().add(deviation);
        }
    }
    for (what, table, limit) in [("height", &heights, 0.06), ("distance", &pairs, 0.12)] {
        let seen = table.iter().filter(|(_, spread)| spread.2 >= 20.0);
        let mut rows: Vec<_> = seen.collect();
        rows.sort_by(|a, b| b.1.mean().abs().total_cmp(&a.1.mean().abs()));
        for (label, spread) in rows.iter().take(20) {
            println!(
                "{what} {label:20} {:+.3} ± {:.3} Å over {}",
                spread.mean(),
                spread.spread(),
                spread.2
            );
        }
        for (label, spread) in rows {
            assert!(
                spread.mean().abs() <= limit,
                "{what} {label}: {:+.3} Å off",
                spread.mean()
            );
        }
    }
}
