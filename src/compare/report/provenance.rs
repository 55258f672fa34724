//! Where a report comes from: program, date, command, sequence, and how each side was made.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Report, Side, molecule};
use crate::structure::Topology;

/// Settings of a run that the page names, with what it calls them.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("model", "model", ""),
    ("model (hash of weights)", "SHA-256 of its weights", ""),
    ("seed", "seed", ""),
    ("temperature (K)", "temperature", " K"),
    ("time step (ps)", "time step", " ps"),
];

/// The time now: `2026-01-31T12:00:00Z`.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// One letter a residue, a line a chain; X for what is no amino acid.
pub(super) fn sequence(topology: &Topology) -> String {
    let of_chain = |chain: &crate::structure::Chain| -> String {
        topology.residues[chain.residues.clone()]
            .iter()
            .map(|residue| letter(&residue.name))
            .collect()
    };
    topology
        .chains
        .iter()
        .map(of_chain)
        .collect::<Vec<_>>()
        .join(" ")
}

fn letter(name: &str) -> char {
    match name {
        "ALA" => 'A',
        "ARG" => 'R',
        "ASN" => 'N',
        "ASP" | "ASH" => 'D',
        "CYS" | "CYX" | "CYM" => 'C',
        "GLN" => 'Q',
        "GLU" | "GLH" => 'E',
        "GLY" => 'G',
        "HIS" | "HID" | "HIE" | "HIP" => 'H',
        "ILE" => 'I',
        "LEU" => 'L',
        "LYS" | "LYN" => 'K',
        "MET" => 'M',
        "PHE" => 'F',
        "PRO" => 'P',
        "SER" => 'S',
        "THR" => 'T',
        "TRP" => 'W',
        "TYR" => 'Y',
        "VAL" => 'V',
        _ => 'X',
    }
}

/// How a side was made, in words, from the summaries beside its trajectories.
pub(super) fn made(side: &Side) -> Option<String> {
    let made = side.made.iter().flatten().next()?;
    let version = made
        .version
        .iter()
        .map(|version| format!("mdsurrogate {version}"));
    let settings = SETTINGS.iter().filter_map(|(key, name, unit)| {
        let value = made.setting(key)?;
        Some(format!("{name} {}{unit}", value.trim_end_matches(".0")))
    });
    let words: Vec<String> = version.chain(made.engine.clone()).chain(settings).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// A side, for programs.
pub(super) fn side(side: &Side) -> Value {
    json!({
        "files": side.files,
        "frames": side.frames,
        "every": side.stride,
        "time_step_ps": side.time_step,
        "time_ps": side.time,
        "made": side.made,
        "effort": side.effort,
    })
}

/// All of it, for `metrics.json`.
pub(super) fn provenance(report: &Report) -> Value {
    json!({
        "program": "mdsurrogate",
        "version": env!("CARGO_PKG_VERSION"),
        "date": report.date,
        "command": report.command,
        "sequence": sequence(&report.looker.topology),
        "molecule": molecule(report.looker),
        "run": side(&report.run),
        "reference": side(&report.reference),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_and_unknown_residues_x() {
        let date = now();
        assert!(
            date.ends_with('Z') && date.len() == 20 && &date[10..11] == "T",
            "{date}"
        );
        let letters: String = ["ALA", "HIE", "CYX", "NME"].map(letter).iter().collect();
        assert_eq!(letters, "AHCX");
    }
}
