//! Measures of single frames against mdtraj and scipy on real MD
//! (`tests/data/compare/expected.json`, made by `make.py` there).

use crate::data::{Trajectory, expected, numbers, topology};
use mdsurrogate::compare::contacts::Contacts;
use mdsurrogate::compare::fluctuation::Moments;
use mdsurrogate::compare::histogram::torsion_divergences;
use mdsurrogate::compare::relaxation::{autocorrelation, decorrelation_time};
use mdsurrogate::compare::sasa::{SPHERE_POINTS, Surface};
use mdsurrogate::compare::secondary::{Class, SecondaryStructure};
use mdsurrogate::forcefield::TemplateGeometry;
use mdsurrogate::geometry::superpose::{pick, radius_of_gyration, rmsd, superpose};
use mdsurrogate::geometry::torsion::{Torsion, torsion_series, torsions, wrap};
use mdsurrogate::geometry::validity::{
    Clashes, Validity, chiral_centres, inverted_centres, valid_share,
};
use mdsurrogate::structure::Topology;
use nalgebra::{Rotation3, Unit, Vector3};

/// mdtraj computes in f32: angles of a few 1e-6 rad, lengths of a few 1e-5 Å.
pub const SINGLE: f64 = 1e-4;

/// Our torsions in mdtraj's order, found by their atoms.
fn in_order_of(ours: &[Torsion], quads: &serde_json::Value) -> Vec<Torsion> {
    let quads: Vec<[usize; 4]> = serde_json::from_value(quads.clone()).unwrap();
    assert_eq!(quads.len(), ours.len());
    quads
        .iter()
        .map(|quad| {
            *ours
                .iter()
                .find(|ours| ours.atoms == *quad)
                .expect("mdtraj has it too")
        })
        .collect()
}

#[test]
fn torsions_and_their_divergence_are_those_of_mdtraj_and_scipy() {
    let (topology, expected) = (topology("akle"), expected("akle"));
    let list = in_order_of(&torsions(&topology), &expected["torsion_atoms"]);
    let (run, reference) = (
        Trajectory::read("akle_a.xtc"),
        Trajectory::read("akle_b.xtc"),
    );
    let (a, b) = (
        torsion_series(&list, run.frames()),
        torsion_series(&list, reference.frames()),
    );
    for (series, angle) in a.iter().zip(numbers(&expected["torsions_frame_17"])) {
        assert!(
            wrap(series[17] - angle).abs() <= SINGLE,
            "{} {angle}",
            series[17]
        );
    }
    // An angle at the edge of a bin may fall to the other side in f32: one of 400 frames moves a
    // divergence by about 1e-4.
    for (ours, theirs) in torsion_divergences(&a, &b)
        .iter()
        .zip(numbers(&expected["torsion_divergence"]))
    {
        assert!((ours - theirs).abs() <= 1e-9, "{ours} {theirs}");
    }
    for (series, theirs) in a.iter().zip(numbers(&expected["relaxation_ps"])) {
        let ours = decorrelation_time(&autocorrelation(&[series], 199), 50.0).unwrap();
        assert!((ours - theirs).abs() <= SINGLE * theirs, "{ours} {theirs}");
    }
}

#[test]
fn rmsd_rg_and_rmsf_are_those_of_mdtraj() {
    let (topology, expected) = (topology("akle"), expected("akle"));
    let heavy = topology.heavy_atoms();
    let masses: Vec<f64> = topology.atoms.iter().map(|atom| atom.mass).collect();
    let run = Trajectory::read("akle_a.xtc");
    let first = pick(run.frames().next().unwrap(), &heavy);
    let theirs = numbers(&expected["rmsd_heavy_to_first"]).zip(numbers(&expected["rg_all_mass"]));
    for (index, (frame, (their_rmsd, their_rg))) in run.frames().zip(theirs).enumerate() {
        let (rmsd, rg) = (
            rmsd(&pick(frame, &heavy), &first),
            radius_of_gyration(frame, &masses),
        );
        assert!(
            (rmsd - their_rmsd).abs() <= SINGLE,
            "frame {index}: {rmsd} {their_rmsd}"
        );
        // masses of the elements differ in the fifth digit between tables
        assert!(
            (rg - their_rg).abs() <= SINGLE,
            "frame {index}: {rg} {their_rg}"
        );
    }
    let mut moments = Moments::about(first.clone());
    for frame in run.frames() {
        let atoms = pick(frame, &heavy);
        let fit = superpose(&atoms, &first);
        moments.add(atoms.iter().map(|x| fit.apply(x)));
    }
    for (ours, theirs) in moments
        .rmsf()
        .iter()
        .zip(numbers(&expected["rmsf_heavy_to_first"]))
    {
        assert!((ours - theirs).abs() <= SINGLE, "{ours} {theirs}");
    }
}

#[test]
fn an_l_peptide_has_no_inverted_centre_and_its_mirror_image_has_all() {
    let topology = topology("akle");
    let centres = chiral_centres(&topology);
    assert_eq!(centres.len(), 4);
    for frame in Trajectory::read("akle_a.xtc").frames() {
        let mirror: Vec<_> = frame.iter().map(|x| Vector3::new(x.x, -x.y, x.z)).collect();
        assert_eq!(inverted_centres(&centres, frame), [0usize; 0]);
        assert_eq!(inverted_centres(&centres, &mirror).len(), 4);
    }
}

/// Mean distances and heights of a trajectory's heavy atoms as the template, so that the test
/// stands on MD alone.
fn template_of(topology: &Topology, trajectory: &Trajectory) -> TemplateGeometry {
    let heavy = topology.heavy_atoms();
    let count = trajectory.frames().count() as f64;
    let distances = topology.bond_distances(2);
    let mean = |value: &dyn Fn(&[Vector3<f64>]) -> f64| {
        trajectory.frames().map(value).sum::<f64>() / count
    };
    let mut template = TemplateGeometry::default();
    let neighbours = topology.neighbours();
    for &i in &heavy {
        for &(j, _) in distances[i]
            .iter()
            .filter(|(j, _)| *j > i && heavy.contains(j))
        {
            template.pairs.push((i, j, mean(&|x| (x[i] - x[j]).norm())));
        }
        let around: Vec<usize> = neighbours[i]
            .iter()
            .copied()
            .filter(|atom| heavy.contains(atom))
            .collect();
        if let [a, b, c] = around[..] {
            let normal = move |x: &[Vector3<f64>]| (x[b] - x[a]).cross(&(x[c] - x[a]));
            let area = mean(&|x| normal(x).norm());
            template.centres.push((
                [i, a, b, c],
                mean(&|x| (x[a] - x[i]).dot(&normal(x)) / area),
                area,
            ));
        }
    }
    template
}

#[test]
fn md_is_valid_and_every_kind_of_damage_is_found_and_named() {
    let topology = topology("akle");
    let template = template_of(&topology, &Trajectory::read("akle_b.xtc"));
    let validity = Validity::new(&topology, &template);
    // 31 heavy bonds of a molecule without rings
    assert_eq!((validity.bonds(), topology.heavy_atoms().len()), (31, 32));
    let run = Trajectory::read("akle_a.xtc");
    assert_eq!(valid_share(&validity, run.frames()), 1.0);
    let whole = run.frames().nth(3).unwrap().to_vec();
    let atom = |residue: usize, name: &str| topology.atom_named(residue, name).unwrap();
    let damaged = |damage: &dyn Fn(&mut Vec<Vector3<f64>>)| {
        let mut frame = whole.clone();
        damage(&mut frame);
        let found = validity.check(&frame);
        assert!(!found.valid(), "{found:?}");
        found
    };
    let (zeta, epsilon) = (atom(1, "NZ"), atom(1, "CE"));
    let stretched = damaged(&|x| x[zeta] = x[epsilon] + (x[zeta] - x[epsilon]) * 1.3);
    assert_eq!(
        stretched.worst_bond_atoms,
        Some([epsilon.min(zeta), epsilon.max(zeta)])
    );
    assert!(
        stretched.worst_bond > 0.3 && stretched.worst_bond < 0.6,
        "{}",
        stretched.worst_bond
    );
    let mirrored = damaged(&|x| x.iter_mut().for_each(|x| x.z = -x.z));
    assert!(
        (0..4).all(|residue| mirrored.inverted.contains(&atom(residue, "CA"))),
        "{:?}",
        mirrored.inverted
    );
    assert!(mirrored.worst_bond <= 0.2 && mirrored.cis.is_empty() && mirrored.contacts.is_empty());
    let (oxygen, far) = (atom(3, "OE1"), atom(0, "CB"));
    let touching = damaged(&|x| x[far] = x[oxygen] + Vector3::new(0.8, 0.6, 0.0));
    assert!(
        touching
            .contacts
            .contains(&[far.min(oxygen), far.max(oxygen)])
    );
    // turn all before the second peptide bond by half a turn about it
    let (carbon, nitrogen) = (atom(1, "C"), atom(2, "N"));
    let turned = damaged(&|x| {
        let (start, axis) = (x[carbon], Unit::new_normalize(x[nitrogen] - x[carbon]));
        let turn = Rotation3::from_axis_angle(&axis, std::f64::consts::PI);
        let last = topology.residues[1].atoms.end;
        x[..last]
            .iter_mut()
            .for_each(|x| *x = start + turn * (*x - start));
    });
    assert_eq!(turned.cis, [nitrogen]);
    assert!(damaged(&|x| x[5].y = f64::NAN).not_finite);
    assert!(Clashes::new(&topology).find(&whole).is_empty());
    let mut clashing = whole.clone();
    clashing[far] = clashing[oxygen] + Vector3::new(0.0, 1.65, 0.0);
    // C and O: 1.7 + 1.52 − 1.5 = 1.72 Å
    assert!(
        Clashes::new(&topology)
            .find(&clashing)
            .contains(&[far.min(oxygen), far.max(oxygen)])
    );
}

#[test]
fn contacts_surface_and_secondary_structure_are_those_of_mdtraj() {
    for name in ["trpcage", "ubiquitin"] {
        let (topology, expected, trajectory) = (
            topology(name),
            expected(name),
            Trajectory::read(&format!("{name}.xtc")),
        );
        let contacts = Contacts::new(&topology);
        let mut found = std::collections::BTreeMap::new();
        trajectory
            .frames()
            .flat_map(|frame| contacts.heavy(frame))
            .for_each(|pair| *found.entry(pair).or_insert(0u64) += 1);
        let theirs: Vec<(u32, u32, u64)> =
            serde_json::from_value(expected["contacts"].clone()).unwrap();
        let ours: Vec<(u32, u32, u64)> = found
            .into_iter()
            .map(|((i, j), count)| (i, j, count))
            .collect();
        assert_eq!(ours, theirs, "{name}");

        let heavy = topology.heavy_atoms();
        let areas = Surface::new(&topology, SPHERE_POINTS).areas(trajectory.frame(0));
        for (&atom, theirs) in heavy.iter().zip(numbers(&expected["surface_frame_0"])) {
            // in f32 one point of an atom's sphere may fall on the other side of a neighbour's
            let point = 4.0 * std::f64::consts::PI * 3.2 * 3.2 / SPHERE_POINTS as f64;
            assert!(
                (areas[atom] - theirs).abs() <= point,
                "{}: {} {theirs}",
                topology.atom_label(atom),
                areas[atom]
            );
        }
        let (ours, theirs): (f64, f64) = (
            areas.iter().sum(),
            numbers(&expected["surface_frame_0"]).sum(),
        );
        assert!((ours / theirs - 1.0).abs() <= SINGLE, "{ours} {theirs}");

        let secondary = SecondaryStructure::new(&topology);
        let letter = |class: &Class| match class {
            Class::Helix => 'H',
            Class::Strand => 'E',
            Class::Coil => 'C',
        };
        for (index, theirs) in expected["secondary"].as_array().unwrap().iter().enumerate() {
            let ours: String = secondary
                .assign(trajectory.frame(index))
                .iter()
                .map(letter)
                .collect();
            assert_eq!(ours, theirs.as_str().unwrap(), "{name} frame {index}");
        }
    }
}
