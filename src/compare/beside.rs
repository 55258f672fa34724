//! The files that stand beside a trajectory of one run: its topology, its log, its summary.

use std::path::{Path, PathBuf};

/// The file of a run with this ending, beside one of its trajectories: `PREFIX.csv` for
/// `PREFIX.xtc`, its part `PREFIX.part.xtc`, `PREFIX_trajectory.pdb`, and for `PREFIX_r0.xtc`,
/// where `PREFIX_r0.csv` does not exist.
pub fn beside(trajectory: &Path, ending: &str) -> Option<PathBuf> {
    let stem = trajectory.file_stem()?.to_str()?;
    let stem = stem.strip_suffix(".part").unwrap_or(stem);
    let stem = stem.strip_suffix("_trajectory").unwrap_or(stem);
    let whole = replica_prefix(stem);
    let names = [Some(stem), whole].into_iter().flatten();
    names
        .map(|name| trajectory.with_file_name(format!("{name}.{ending}")))
        .find(|path| path.is_file())
}

/// `PREFIX` of `PREFIX_r0`.
pub fn replica_prefix(stem: &str) -> Option<&str> {
    let (prefix, number) = stem.rsplit_once("_r")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(prefix)
}
