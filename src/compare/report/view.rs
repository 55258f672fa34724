//! A view of ensembles in three dimensions, on the page itself.
//!
//! The viewer is 3Dmol.js (Rego & Koes, Bioinformatics 31 (2015) 1322; BSD-3-Clause), an npm
//! package that `make viewer` fetches: half a megabyte of somebody else's code is neither kept in
//! this repository nor fetched by a build. It is written into the page whole, licence first, so
//! that the page needs no network; without it the page has everything else.

use std::fmt::Write;

use nalgebra::Vector3;

use super::Report;
use crate::compare::row::Looker;
use crate::compare::source::Source;
use crate::geometry::superpose::{pick, superpose};
use crate::structure::{Frame, Molecules};
use crate::trajectory::Reader;
use crate::{Error, Result};

/// Frames of a side that are shown at most.
const FRAMES: usize = 10;
/// Atoms in all frames of a side that are shown, at most: 80 bytes each.
const ATOMS: usize = 8000;

/// Evenly spaced frames of all trajectories of a side, superposed on the start structure, Å.
///
/// # Errors
/// What reading reports.
pub fn ensemble(sources: &[Source], looker: &Looker) -> Result<Vec<Vec<Vector3<f64>>>> {
    let frames: usize = sources.iter().map(Source::looked_at).sum();
    let most = (ATOMS / looker.topology.len().max(1))
        .clamp(1, FRAMES)
        .min(frames);
    let molecules = Molecules::new(&looker.topology);
    let mut found = Vec::with_capacity(most);
    for number in 0..most {
        let mut place = (2 * number + 1) * frames / (2 * most);
        let source = sources.iter().find(|source| {
            let inside = place < source.looked_at();
            place -= if inside { 0 } else { source.looked_at() };
            inside
        });
        let Some(source) = source else { continue };
        let mut frame = Frame::default();
        Reader::open(&source.path, None)?.read_at(source.first + place, &mut frame)?;
        let mut positions: Vec<Vector3<f64>> = pick(&frame.positions, &source.picks);
        if let Some(cell) = &frame.cell {
            molecules.make_whole(&mut positions, cell);
            molecules.bring_together(&mut positions, cell);
        }
        superpose(&pick(&positions, &looker.trace), &looker.start).apply_all(&mut positions);
        found.push(positions);
    }
    Ok(found)
}

/// The viewer beside the program, where `make viewer` puts it.
pub fn viewer_beside() -> Option<std::path::PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name("3Dmol-min.js");
    path.is_file().then_some(path)
}

/// A viewer as it stands in a page.
///
/// # Errors
/// [`Error::Input`] where the file cannot be read or is not 3Dmol.js.
pub fn load_viewer(path: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::reading(path, &source))?;
    if text.contains("$3Dmol") || text.contains("3Dmol") {
        // the end of a script is not to be seen before its end
        return Ok(text.replace("</script", "<\\/script"));
    }
    Err(Error::input(
        crate::error::Place::file(path),
        "is not the viewer that the page is written for",
        "give 3Dmol-min.js of the npm package 3dmol, or `make viewer`",
    ))
}

/// Frames that can be chosen to be seen.
pub(super) struct Shown<'a> {
    /// For the script and the style sheet.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// Å, superposed.
    pub frames: &'a [Vec<Vector3<f64>>],
    /// RMSF of every trace atom, Å.
    pub rmsf: &'a [f64],
    /// Whether each frame has a colour of its own, rather than that of its atoms' RMSF.
    pub each: bool,
}

/// The section of a comparison; nothing without a viewer.
pub(super) fn section(report: &Report) -> String {
    let Some(viewer) = &report.viewer else {
        return String::new();
    };
    let rmsf = &report.findings.shape.rmsf;
    let side = |place: usize, name: &'static str| Shown {
        name,
        label: name,
        frames: &report.ensembles[place],
        rmsf: &rmsf[place],
        each: false,
    };
    let words = format!(
        "{} evenly spaced frames of each side, superposed on the start structure.",
        report.ensembles[0].len()
    );
    let both = "<label><input type=\"radio\" name=\"side\" value=\"both\" checked> both</label>";
    let sides = [side(0, "run"), side(1, "reference")];
    scene(viewer, report.looker, &words, both, &sides)
}

/// A view of frames, one choice at a time.
pub(super) fn scene(
    viewer: &str,
    looker: &Looker,
    words: &str,
    first_choice: &str,
    shown: &[Shown],
) -> String {
    let rmsf = shown.iter().flat_map(|side| side.rmsf).copied();
    let most = rmsf.fold(0.0, f64::max).max(0.1);
    let (mut choices, mut models) = (first_choice.to_owned(), String::new());
    for (place, side) in shown.iter().enumerate() {
        let Shown { name, label, .. } = side;
        let checked = if place == 0 && first_choice.is_empty() {
            " checked"
        } else {
            ""
        };
        let colours = if side.each { "each" } else { "rmsf" };
        write!(
            choices,
            "<label><input type=\"radio\" name=\"side\" value=\"{name}\"{checked}> \
             <span class=\"{name}\">{label}</span></label>"
        )
        .expect("writing to memory");
        let values = by_atom(looker, side.rmsf);
        let frames = side.frames.iter().enumerate();
        let frames: String = frames
            .map(|(k, frame)| model(looker, k, frame, &values))
            .collect();
        write!(
            models,
            "<script type=\"text/plain\" class=\"models\" data-side=\"{name}\" \
             data-colours=\"{colours}\">\n{frames}</script>\n"
        )
        .expect("writing to memory");
    }
    let script = include_str!("view.js").replace("RMSF_MOST", &format!("{most:.3}"));
    format!(
        "<h2>Structures in three dimensions</h2>\n\
         <p class=\"soft\">{words} Drag to turn, pinch or scroll to come nearer.</p>\n\
         <div class=\"sides\">{choices}\
         <span class=\"scale\">RMSF 0 <i></i> {most:.1} Å</span></div>\n\
         <div id=\"view\" class=\"view\" role=\"img\" aria-label=\"structures that can be \
         turned\"></div>\n{models}\
         <script>\n{viewer}\n</script>\n<script>\n{script}</script>\n"
    )
}

/// RMSF of every atom, Å: its own, or that of its residue's Cα.
fn by_atom(looker: &Looker, rmsf: &[f64]) -> Vec<f64> {
    let topology = &looker.topology;
    let mut of_residue = vec![0.0; topology.residues.len()];
    let mut of_atom = vec![f64::NAN; topology.len()];
    for (&atom, &value) in looker.trace.iter().zip(rmsf) {
        of_residue[topology.atoms[atom].residue] = value;
        of_atom[atom] = value;
    }
    let known = |(atom, value): (usize, f64)| {
        if value.is_nan() {
            of_residue[topology.atoms[atom].residue]
        } else {
            value
        }
    };
    of_atom.into_iter().enumerate().map(known).collect()
}

/// A frame as a model of a PDB file, with RMSF as temperature factors.
fn model(looker: &Looker, number: usize, frame: &[Vector3<f64>], rmsf: &[f64]) -> String {
    let topology = &looker.topology;
    let mut text = format!("MODEL {:>8}\n", number + 1);
    for (index, ((atom, x), value)) in topology.atoms.iter().zip(frame).zip(rmsf).enumerate() {
        let residue = &topology.residues[atom.residue];
        let chain = topology.chains[residue.chain]
            .id
            .chars()
            .next()
            .unwrap_or('A');
        let name = if atom.name.len() < 4 {
            format!(" {}", atom.name)
        } else {
            atom.name.clone()
        };
        writeln!(
            text,
            "ATOM  {:>5} {name:<4} {:>3.3} {chain}{:>4}    {:8.3}{:8.3}{:8.3}{:6.2}{:6.2}          \
             {:>2}",
            (index + 1) % 100_000,
            residue.name,
            residue.number.rem_euclid(10_000),
            x.x,
            x.y,
            x.z,
            1.0,
            value.min(99.0),
            atom.element.symbol()
        )
        .expect("writing to memory");
    }
    text + "ENDMDL\n"
}
