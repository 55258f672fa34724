//! Several models, and the grammar of mmCIF.

use mdsurrogate::structure::{ReadOptions, read_models};

use super::{backbone, read_bytes, refused};

#[test]
fn a_model_can_be_chosen_and_must_exist() {
    let model = |number: usize, index| {
        format!(
            "MODEL     {number:>4}\n{}TER\nENDMDL\n",
            backbone("GLY", "A   1 ", index)
        )
    };
    let text = model(3, 0) + &model(5, 1) + "END\n";
    let chosen = |model_number| {
        read_bytes(
            "x.pdb",
            &text,
            &ReadOptions {
                model_number,
                ..ReadOptions::default()
            },
        )
    };
    let first = chosen(None).unwrap();
    assert_eq!((first.report.model, first.report.models), (3, 2));
    assert!(
        first.report.warnings[0].contains("2 models"),
        "{:?}",
        first.report.warnings
    );
    assert_eq!(chosen(Some(5)).unwrap().frame.positions[0].x, 3.8);
    refused(
        chosen(Some(4)),
        &["no model 4", "--model-number 3", "2 models, 3 to 5"],
    );
    let differing =
        text.clone() + &format!("MODEL        7\n{}ENDMDL\n", backbone("ALA", "A   1 ", 0));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.pdb"), differing).unwrap();
    let error = read_models(&folder.path().join("x.pdb"), &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("frame 2: model 7 differs from model 3: A:ALA 1:N instead of A:GLY 1:N"),
        "{error}"
    );
}

#[test]
fn mmcif_values_may_be_quoted_missing_or_uncertain() {
    let header = "data_x\n_cell.length_a 10.5(2)\n_cell.length_b 20\n_cell.length_c 30\n\
                  _cell.angle_alpha 90\n_cell.angle_beta 91.5\n_cell.angle_gamma 90\n\
                  loop_\n_other.id\n_other.text\n1 'it's'\n2\n;a\ntext\n;\n\
                  loop_\n_atom_site.label_atom_id\n_atom_site.label_comp_id\n\
                  _atom_site.auth_asym_id\n_atom_site.label_asym_id\n_atom_site.auth_seq_id\n\
                  _atom_site.pdbx_PDB_ins_code\n\
                  _atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n";
    let rows = "N GLY 1 A 7 ? 0.5 0 -1e0\n\"CA\" 'GLY' '1' A 7 ? 2.0(3) 0 0\nC GLY 1 A 7 .\n 3 1 0 \
                O GLY 1 A 7 ? 4 1 0\n";
    let structure =
        read_bytes("x.cif", format!("{header}{rows}"), &ReadOptions::default()).unwrap();
    assert_eq!(
        (
            structure.topology.residue_label(0),
            structure.topology.bonds.len()
        ),
        ("1:GLY 7".into(), 3)
    );
    assert_eq!(structure.frame.positions[0].z, -1.0);
    assert_eq!(
        structure.report.cell,
        Some([10.5, 20.0, 30.0, 90.0, 91.5, 90.0])
    );
    refused(
        read_bytes(
            "x.cif",
            format!("{header}{rows}N GLY 1 A"),
            &ReadOptions::default(),
        ),
        &["x.cif:30: ", "4 of 9 values"],
    );
    refused(
        read_bytes(
            "x.cif",
            header.to_owned() + &rows.replace("4 1 0", "4 ? 0"),
            &ReadOptions::default(),
        ),
        &["x.cif:29, 1:GLY 7:O", "y is `?`"],
    );
    refused(
        read_bytes(
            "x.cif",
            header.replace("Cartn_z", "other_z") + rows,
            &ReadOptions::default(),
        ),
        &["no column _atom_site.cartn_z"],
    );
}
