//! The simulation loop: the same bits whether a run is stopped, resumed or split, what guards do,
//! what is left on a full disk.

mod case;
mod guards;
mod resume;

use case::{Case, csv};

#[test]
fn a_full_disk_ends_the_run_with_the_file_named() {
    for name in ["run_r0.xtc", "run_r0.csv"] {
        let folder = tempfile::tempdir().unwrap();
        let case = Case::new(folder.path(), 5);
        std::os::unix::fs::symlink("/dev/full", case.file(name)).unwrap();
        let error = case.run().err().unwrap();
        assert!(
            error.exit_code() == 2
                && error.to_string().contains(name)
                && error.to_string().contains("No space left"),
            "{error}"
        );
    }
}

#[test]
fn what_is_not_known_is_not_zero() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), 2);
    case.run().unwrap();
    let rows = csv(&case.file("run_r0.csv"));
    for name in [
        "Potential Energy (kJ/mole)",
        "Temperature (K)",
        "Conserved (kJ/mole)",
        "Drift (kJ/mol/ps/atom)",
    ] {
        assert_eq!(rows[1][name], "n/a");
    }
    assert_eq!(
        (
            rows[0]["Max |dx| (A)"].as_str(),
            rows[0]["Equivariance error"].as_str()
        ),
        ("n/a", "0.0000001")
    );
    assert!(rows[0]["RMSD (A)"].parse::<f64>().unwrap() <= 1e-6);
}
