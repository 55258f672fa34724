//! What the fuzzer found once: files that made a reader panic, hang or take memory without bound.
//! They lie in `tests/data/fuzz`, a folder for every target of `fuzz/`.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

#[test]
fn what_was_found_once_stays_mended() {
    type Target = fn(&[u8]);
    let targets: [(&str, Target); 10] = [
        ("structure", fuzz::structure),
        ("xtc", fuzz::xtc),
        ("dcd", fuzz::dcd),
        ("trr", fuzz::trr),
        ("netcdf", fuzz::netcdf),
        ("pdb_trajectory", fuzz::pdb_trajectory),
        ("model_header", fuzz::model_header),
        ("run_checkpoint", fuzz::run_checkpoint),
        ("training_checkpoint", fuzz::training_checkpoint),
        ("training_config", fuzz::training_config),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut read = 0;
    for folder in std::fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let target = targets.iter().find(|(target, _)| *target == name);
        let (_, target) = target.unwrap_or_else(|| panic!("no target {name}"));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            read += 1;
        }
    }
    assert!(read > 0);
}
