//! Template geometry: the rigid distances and heights of heavy atoms, from the force field's
//! relaxed residue templates.

use nalgebra::Vector3;

use super::TemplateGeometry;
use super::forms::{Links, ranked};
use super::parameters::{Parameters, ResidueParameters, TemplateAtom, parameters};
use crate::error::Place;
use crate::structure::{Element, Topology};
use crate::{Error, Result};

/// Templates of planar centres are exactly 0; relaxed geometry leaves less than this, Å, and no
/// tetrahedral centre is so flat.
const FLAT: f64 = 0.1;

/// Rigid pairs and signed heights of all heavy atoms of `topology`, which may have hydrogens or
/// not.
///
/// Distances and heights are measured in the geometry of ff14SB's residue templates, relaxed in
/// bonds, angles and torsions. Peptide bonds are trans. A bond does not turn where ff14SB gives it
/// a high twofold planar torsion: amides, aromatic rings, guanidinium.
///
/// # Errors
/// [`crate::Error::Input`] naming the residue or atom for which there is no template.
pub fn template_geometry(topology: &Topology) -> Result<TemplateGeometry> {
    let shapes = Shapes::of(topology)?;
    let heavy = |atom: &usize| topology.atoms[*atom].element != Element::H;
    let mut neighbours = topology.neighbours();
    neighbours.iter_mut().for_each(|list| list.retain(heavy));

    let mut geometry = TemplateGeometry::default();
    for (i, list) in topology
        .bond_distances(3)
        .into_iter()
        .enumerate()
        .filter(|(i, _)| heavy(i))
    {
        for (j, bonds) in list.into_iter().filter(|&(j, _)| j > i && heavy(&j)) {
            if bonds < 3 || shapes.is_rigid(&neighbours, i, j)? {
                geometry
                    .pairs
                    .push((i, j, shapes.distance(&neighbours, i, j)?));
            }
        }
    }
    for (centre, list) in neighbours
        .iter()
        .enumerate()
        .filter(|(centre, _)| heavy(centre))
    {
        if let &[a, b, c] = list.as_slice() {
            let (height, area) = shapes.height([centre, a, b, c])?;
            geometry.centres.push(([centre, a, b, c], height, area));
        }
    }
    Ok(geometry)
}

/// The template geometry of a molecule as it stands at `positions` (Å): as [`template_geometry`],
/// with the handedness that its centres have there. A chiral centre never changes in a trajectory,
/// and files do hold D residues and prochiral atoms whose names are exchanged.
///
/// # Errors
/// As [`template_geometry`].
pub fn template_geometry_at(
    topology: &Topology,
    positions: &[Vector3<f64>],
) -> Result<TemplateGeometry> {
    let mut geometry = template_geometry(topology)?;
    geometry.take_handedness(positions);
    Ok(geometry)
}

impl TemplateGeometry {
    /// Gives every centre the handedness that it has at `positions` (Å), and returns the centres
    /// whose sign this changed: D residues, or prochiral atoms whose names are exchanged.
    pub fn take_handedness(&mut self, positions: &[Vector3<f64>]) -> Vec<usize> {
        let mut changed = Vec::new();
        for ([a0, a1, a2, a3], height, _) in &mut self.centres {
            let [a0_at, a1, a2, a3] = [*a0, *a1, *a2, *a3].map(|atom| positions[atom]);
            let height_at = (a1 - a0_at).dot(&(a2 - a1).cross(&(a3 - a1)));
            if height_at * *height < 0.0 {
                *height = -*height;
                changed.push(*a0);
            }
        }
        changed
    }
}

/// The relaxed templates that a topology's residues take their shape from.
struct Shapes<'a> {
    topology: &'a Topology,
    links: Links,
    /// For every residue its forms, the likeliest first; later ones serve atoms that the first
    /// lacks.
    forms: Vec<Vec<&'static ResidueParameters>>,
    parameters: &'static Parameters,
}

impl<'a> Shapes<'a> {
    fn of(topology: &'a Topology) -> Result<Self> {
        let links = Links::of(topology);
        let parameters = parameters();
        let forms_of = |residue: usize| {
            let forms: Vec<_> = ranked(topology, &links, residue, "HIE")
                .iter()
                .map(|form| &parameters.residues[form.name.as_str()])
                .collect();
            if forms.is_empty() {
                let hint = "leave the residue out, or rename it to the standard residue that it is \
                            a form of";
                let what = format!(
                    "no template for residue {}",
                    topology.residues[residue].name
                );
                return Err(Error::input(
                    Place::atom(topology.residue_label(residue)),
                    what,
                    hint,
                ));
            }
            Ok(forms)
        };
        let forms = (0..topology.residues.len())
            .map(forms_of)
            .collect::<Result<_>>()?;
        Ok(Shapes {
            topology,
            links,
            forms,
            parameters,
        })
    }

    /// Places of several atoms in one frame: of the likeliest form, of the last of their residues,
    /// that knows them all.
    fn places<const N: usize>(&self, atoms: [usize; N]) -> Option<[Vector3<f64>; N]> {
        let mut residues = atoms.map(|atom| self.topology.atoms[atom].residue);
        residues.sort_unstable_by(|a, b| b.cmp(a));
        let frames = residues
            .iter()
            .flat_map(|&residue| self.forms[residue].iter().map(move |form| (residue, form)));
        frames.into_iter().find_map(|(residue, form)| {
            let places = atoms.map(|atom| self.links.place(self.topology, residue, form, atom));
            places
                .iter()
                .all(Option::is_some)
                .then(|| places.map(Option::unwrap_or_default))
        })
    }

    fn atom(&self, atom: usize) -> Result<&TemplateAtom> {
        let entry = &self.topology.atoms[atom];
        let found = self.forms[entry.residue]
            .iter()
            .find_map(|form| form.atoms.get(entry.name.as_str()));
        found.ok_or_else(|| self.unknown(&[atom], "is in no template of its residue"))
    }

    fn distance(&self, neighbours: &[Vec<usize>], i: usize, j: usize) -> Result<f64> {
        if let Some([a, b]) = self.places([i, j]) {
            return Ok((a - b).norm());
        }
        // A bond between residues that is no peptide bond (S–S) is in no template: lengths and
        // angle at equilibrium.
        if neighbours[i].contains(&j) {
            return self.length(i, j);
        }
        let middle = neighbours[i]
            .iter()
            .find(|middle| neighbours[j].contains(middle));
        let &middle =
            middle.ok_or_else(|| self.unknown(&[i, j], "have no place in one template"))?;
        let (a, b) = (self.length(i, middle)?, self.length(middle, j)?);
        let kinds = [
            self.atom(i)?.kind,
            self.atom(middle)?.kind,
            self.atom(j)?.kind,
        ];
        let (angle, _) = self
            .parameters
            .angle(kinds)
            .ok_or_else(|| self.unknown(&[i, middle, j], "have no angle in ff14SB"))?;
        Ok((a * a + b * b - 2.0 * a * b * angle.cos()).sqrt())
    }

    /// Equilibrium length of a bond, Å.
    fn length(&self, i: usize, j: usize) -> Result<f64> {
        let bond = self
            .parameters
            .bond([self.atom(i)?.kind, self.atom(j)?.kind]);
        bond.map(|(length, _)| length)
            .ok_or_else(|| self.unknown(&[i, j], "have no bond in ff14SB"))
    }

    /// Whether every bond path of three bonds between `i` and `j` has a middle bond that does not
    /// turn.
    fn is_rigid(&self, neighbours: &[Vec<usize>], i: usize, j: usize) -> Result<bool> {
        for &b in &neighbours[i] {
            for &c in neighbours[j].iter().filter(|c| neighbours[b].contains(c)) {
                if self
                    .parameters
                    .turns([self.atom(b)?.kind, self.atom(c)?.kind])
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Height (Å) of a centre over the plane of its neighbours and the plane's area (Å²); see
    /// [`crate::ops::heights`].
    fn height(&self, atoms: [usize; 4]) -> Result<(f64, f64)> {
        let [a0, a1, a2, a3] = self
            .places(atoms)
            .ok_or_else(|| self.unknown(&atoms, "have no place in one template"))?;
        let normal = (a2 - a1).cross(&(a3 - a1));
        let area = normal.norm();
        let height = (a1 - a0).dot(&normal) / area;
        Ok((if height.abs() < FLAT { 0.0 } else { height }, area))
    }

    fn unknown(&self, atoms: &[usize], what: &str) -> Error {
        let labels: Vec<_> = atoms
            .iter()
            .map(|&atom| self.topology.atom_label(atom))
            .collect();
        Error::input(
            Place::atom(labels.join(", ")),
            what,
            "check the atom names against the standard residue, or leave the residue out",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::structure::{ReadOptions, Structure, read};

    /// Means and s.d. of distances and heights in reference MD; made by `scripts/md_geometry.py`.
    #[derive(serde::Deserialize)]
    struct Reference {
        pairs: Vec<(usize, usize, usize, f64, f64)>,
        heights: Vec<(usize, usize, usize, usize, f64, f64, f64)>,
    }

    fn load(name: &str) -> (Structure, Reference) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forcefield");
        let structure = read(
            &folder.join(format!("{name}.pdb.gz")),
            &ReadOptions::default(),
        )
        .unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        (structure, serde_json::from_str(&text).unwrap())
    }

    /// Mean and worst |template − MD mean| of one to three bonds (Å), and the worst MD s.d. of
    /// rigid 1-4 pairs.
    fn pairs_against_md(
        topology: &Topology,
        reference: &Reference,
        geometry: &TemplateGeometry,
    ) -> ([f64; 3], [f64; 3], f64) {
        let template: BTreeMap<_, _> = geometry
            .pairs
            .iter()
            .map(|&(i, j, d)| ([i, j], d))
            .collect();
        let (mut sum, mut count, mut worst, mut softest) =
            ([0.0; 3], [0.0; 3], [0.0f64; 3], 0.0f64);
        for &(i, j, bonds, mean, sd) in &reference.pairs {
            let Some(distance) = template.get(&[i, j]) else {
                assert!(
                    bonds == 3,
                    "{} {}",
                    topology.atom_label(i),
                    topology.atom_label(j)
                );
                continue;
            };
            let error = (distance - mean).abs();
            if error > 0.03 * bonds as f64 {
                println!(
                    "{} {}: {distance:.3}, MD {mean:.3} ± {sd:.3}",
                    topology.atom_label(i),
                    topology.atom_label(j)
                );
            }
            sum[bonds - 1] += error;
            count[bonds - 1] += 1.0;
            worst[bonds - 1] = worst[bonds - 1].max(error);
            softest = softest.max(if bonds == 3 { sd } else { 0.0 });
        }
        ([0, 1, 2].map(|at| sum[at] / count[at]), worst, softest)
    }

    #[test]
    fn templates_are_what_md_shows() {
        for (name, inverted) in [("akle", ["A:LEU 3:CG"]), ("trpcage", ["A:ASP 9:CA"])] {
            let (
                Structure {
                    topology, frame, ..
                },
                reference,
            ) = load(name);
            let mut geometry = template_geometry(&topology).unwrap();
            let (mean, worst, softest) = pairs_against_md(&topology, &reference, &geometry);
            println!("{name}: mean {mean:.3?}, worst {worst:.3?}, softest rigid {softest:.3}");
            for (at, limit) in [0.05, 0.15, 0.17].into_iter().enumerate() {
                assert!(worst[at] <= limit, "{name}: {worst:?}");
            }
            assert!(softest <= 0.12);
            // The reference AKLE has CD1 and CD2 of its leucine exchanged, the reference trp-cage
            // has a D aspartate.
            let changed: Vec<_> = geometry
                .take_handedness(&frame.positions)
                .into_iter()
                .map(|atom| topology.atom_label(atom))
                .collect();
            assert_eq!(changed, inverted);
            assert_eq!(geometry.centres.len(), reference.heights.len());
            for (&(atoms, height, area), &(c, i, j, k, mean, _, mean_area)) in
                geometry.centres.iter().zip(&reference.heights)
            {
                assert_eq!(atoms, [c, i, j, k]);
                assert!(
                    (height - mean).abs() <= 0.08,
                    "{}: {height:.3}, MD {mean:.3}",
                    topology.atom_label(c)
                );
                assert!(
                    (area / mean_area - 1.0).abs() <= 0.08,
                    "{}: {area:.3}, MD {mean_area:.3}",
                    topology.atom_label(c)
                );
            }
        }
    }

    #[test]
    fn hydrogens_do_not_matter() {
        let (structure, _) = load("trpcage");
        let heavy = structure.topology.heavy_atoms();
        let (all, bare) = (
            template_geometry(&structure.topology).unwrap(),
            template_geometry(&structure.topology.select(&heavy)).unwrap(),
        );
        let pairs: Vec<_> = bare
            .pairs
            .iter()
            .map(|&(i, j, d)| (heavy[i], heavy[j], d))
            .collect();
        assert_eq!(pairs, all.pairs);
        let centres: Vec<_> = bare
            .centres
            .iter()
            .map(|&(atoms, h, a)| (atoms.map(|atom| heavy[atom]), h, a))
            .collect();
        assert_eq!(centres, all.centres);
    }
}
