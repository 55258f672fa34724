//! Structures as programs that predict them write them: AlphaFold DB, Boltz, OpenFold. No
//! hydrogens, a confidence in the place of the temperature factor, categories of ModelCIF around
//! the atoms.

use mdsurrogate::forcefield::{PrepareOptions, prepare};
use mdsurrogate::structure::{Element, ReadOptions, Structure, Topology, read};
use nalgebra::Vector3;

use super::read_bytes;

/// trp-cage without hydrogens: what a prediction of it would hold.
fn trpcage() -> (Topology, Vec<Vector3<f64>>) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/trpcage.pdb");
    let whole = read(&path, &ReadOptions::default()).unwrap();
    let heavy = whole.topology.heavy_atoms();
    let positions = heavy.iter().map(|&atom| whole.frame.positions[atom]);
    let positions = positions.collect();
    (whole.topology.select(&heavy), positions)
}

fn confidence(residue: usize) -> f64 {
    40.0 + 2.5 * residue as f64
}

/// As AlphaFold DB writes `AF-…-model_v4.cif`.
fn alphafold() -> String {
    let (topology, positions) = trpcage();
    let mut text =
        "data_AF-P00000-F1\n#\n_entry.id AF-P00000-F1\n#\nloop_\n_atom_type.symbol\nC \n\
                    N \nO \n#\nloop_\n_ma_qa_metric.id\n_ma_qa_metric.mode\n_ma_qa_metric.name\n\
                    _ma_qa_metric.software_group_id\n_ma_qa_metric.type\n1 global pLDDT 1 pLDDT \n\
                    2 local  pLDDT 1 pLDDT \n#\n_ma_qa_metric_global.metric_value 64.50\n#\n\
                    _struct.title\n;Predicted model of a 'small' protein\n;\n#\nloop_\n"
            .to_owned();
    for column in "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id \
                   label_asym_id label_entity_id label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y \
                   Cartn_z occupancy B_iso_or_equiv pdbx_formal_charge auth_seq_id auth_comp_id \
                   auth_asym_id auth_atom_id pdbx_PDB_model_num pdbx_sifts_xref_db_acc \
                   pdbx_sifts_xref_db_name pdbx_sifts_xref_db_num pdbx_sifts_xref_db_res"
        .split_whitespace()
    {
        text += &format!("_atom_site.{column}\n");
    }
    for (index, (atom, x)) in topology.atoms.iter().zip(&positions).enumerate() {
        let residue = &topology.residues[atom.residue];
        let number = atom.residue + 1;
        text += &format!(
            "ATOM {} {} {} . {} A 1 {number} ? {:.3} {:.3} {:.3} 1.0 {:.2} ? {number} {} A {} 1 \
             P00000 UNP {number} M\n",
            index + 1,
            atom.element.symbol(),
            atom.name,
            residue.name,
            x.x,
            x.y,
            x.z,
            confidence(atom.residue),
            residue.name,
            atom.name
        );
    }
    text + "#\n"
}

/// As Boltz writes it by way of python-modelcif: other columns in another order, a ligand, chains
/// of long names.
fn boltz() -> String {
    let (topology, positions) = trpcage();
    let mut text =
        "data_model\n_entry.id model\n_struct.entry_id model\n_struct.pdbx_model_details .\n\
                    _struct.title .\n#\nloop_\n_entity.id\n_entity.type\n_entity.src_method\n\
                    _entity.pdbx_description\n1 polymer man Model_subunit_AAA\n2 non-polymer man \
                    'Model subunit LIG'\n#\nloop_\n"
            .to_owned();
    for column in "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_seq_id \
                   auth_seq_id pdbx_PDB_ins_code label_asym_id Cartn_x Cartn_y Cartn_z occupancy \
                   label_entity_id auth_asym_id auth_comp_id B_iso_or_equiv pdbx_PDB_model_num"
        .split_whitespace()
    {
        text += &format!("_atom_site.{column}\n");
    }
    for (index, (atom, x)) in topology.atoms.iter().zip(&positions).enumerate() {
        let residue = &topology.residues[atom.residue];
        let number = atom.residue + 1;
        text += &format!(
            "ATOM {} {} {} . {} {number} {number} ? AAA {:.5} {:.5} {:.5} 1 1 AAA {} {:.3} 1\n",
            index + 1,
            atom.element.symbol(),
            atom.name,
            residue.name,
            x.x,
            x.y,
            x.z,
            residue.name,
            confidence(atom.residue)
        );
    }
    text += "HETATM 900 C C1 . LIG . 1 ? LIG 40.0 40.0 40.0 1 2 LIG LIG 71.2 1\n";
    text + "HETATM 901 O O1 . LIG . 1 ? LIG 41.2 40.0 40.0 1 2 LIG LIG 71.2 1\n#\n"
}

/// As OpenFold and ColabFold write PDB: MODEL and PARENT records, no cell, TER with no number.
fn openfold() -> String {
    let (topology, positions) = trpcage();
    let mut text = "MODEL     1\nPARENT N/A\n".to_owned();
    for (index, (atom, x)) in topology.atoms.iter().zip(&positions).enumerate() {
        let residue = &topology.residues[atom.residue];
        let name = format!(" {:<3}", atom.name);
        text += &format!(
            "ATOM  {:>5} {name} {:>3} A{:>4}    {:8.3}{:8.3}{:8.3}{:6.2}{:6.2}          {:>2}  \n",
            index + 1,
            residue.name,
            atom.residue + 1,
            x.x,
            x.y,
            x.z,
            1.0,
            confidence(atom.residue),
            atom.element.symbol()
        );
    }
    text + "TER\nENDMDL\nEND\n"
}

fn same(structure: &Structure) {
    let (topology, _) = trpcage();
    let names = |topology: &Topology| -> Vec<(String, usize)> {
        let atoms = topology.atoms.iter();
        let mut names: Vec<(String, usize)> = atoms
            .map(|atom| (atom.name.clone(), atom.residue))
            .collect();
        names.sort();
        names
    };
    let of = &structure.topology;
    assert_eq!(names(of), names(&topology));
    assert_eq!(of.bonds.len(), topology.bonds.len());
    assert!(structure.frame.cell.is_none());
    let options = PrepareOptions::default();
    let prepared = prepare(of, &structure.frame, &options).unwrap();
    let complete = &prepared.topology;
    let hydrogens = complete
        .atoms
        .iter()
        .filter(|atom| atom.element == Element::H);
    // 304 atoms with the hydrogens of pH 7
    assert_eq!((complete.len(), hydrogens.count()), (304, 150));
}

#[test]
fn predictions_are_read_and_completed_like_structures_that_were_measured() {
    let options = ReadOptions::default();
    let alphafold = read_bytes("AF-P00000-F1-model_v4.cif", alphafold(), &options).unwrap();
    same(&alphafold);
    assert_eq!(alphafold.topology.chains[0].id, "A");
    let boltz = read_bytes("input_model_0.cif", boltz(), &options).unwrap();
    same(&boltz);
    assert_eq!(boltz.topology.chains[0].id, "AAA");
    // the ligand is named among what was left out
    let report = serde_json::to_string(&boltz.report).unwrap();
    assert!(report.contains("LIG"), "{report}");
    same(&read_bytes("x_unrelaxed.pdb", openfold(), &options).unwrap());
}
