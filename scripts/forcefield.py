"""Writes data/forcefield/ff14sb.json: ff14SB parameters, residue templates and their relaxed
geometry.

    pip install openmm==8.6.1 && python scripts/forcefield.py data/forcefield/ff14sb.json

Parameters: amber14/protein.ff14SB.xml of the PyPI wheel `openmm` (MIT; Maier et al. 2015, JCTC 11,
3696). Radii and screening: the rules of implicit/obc2.xml (mbondi2, Amber igb=5). Units: A, rad,
kJ/mol, e, Da.

Geometry: every residue template, capped (ACE-X-NME, X-NME, ACE-X), is embedded from random
coordinates with the handedness that IUPAC names prescribe and relaxed in bonds, angles and torsions
alone: the local geometry in which no nonbonded contact takes part.
"""

import itertools
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import openmm as mm
from openmm import app, unit

FOLDER = Path(app.__file__).parent / "data"
# Signed volume (a-c).((b-c)x(d-c)) > 0 for "c a b d": L amino acids, (2S,3S)-Ile, (2S,3R)-Thr,
# (4R)-Hyp, and IUPAC's prochiral names (Markley et al. 1998, Pure Appl. Chem. 70, 117): seen from
# the main chain, next atom, H2, H3 run clockwise.
HANDED = {
    "*": ["CA N C CB"],
    "ILE": ["CB CA CG1 CG2"],
    "THR": ["CB CA OG1 CG2"],
    "HYP": ["CG CB CD OD1"],
    "VAL": ["CB CA CG2 CG1"],
    "LEU": ["CG CB CD2 CD1"],
    "GLY": ["CA C HA2 HA3"],
}
CAPS = {"ACE", "NME", "NHE"}
# Torsions (degrees) that fix what else the names prescribe: trans peptide groups, cis and trans NH2
# hydrogens.
TORSIONS = {
    "ARG": [("CD NE CZ NH1", 0), ("NE CZ NH1 HH11", 0), ("NE CZ NH2 HH21", 0)],
    "ASN": [("CB CG ND2 HD21", 0)],
    "GLN": [("CG CD NE2 HE21", 0)],
    "ASH": [("CB CG OD2 HD2", 180)],
    "GLH": [("CG CD OE2 HE2", 180)],
}


def number(value, digits=9):
    """A float with `digits` significant digits, for a short file."""
    return float(f"{float(value):.{digits}g}")


def parameters(root):
    """Atom types, bonds, angles and torsions of the XML; types lose their `protein-` prefix, the
    wildcard stays ''."""
    name = lambda text: text.removeprefix("protein-")
    lj = {a.get("type"): a for a in root.find("NonbondedForce").findall("Atom")}
    types = {}
    for t in root.find("AtomTypes"):
        sigma, epsilon = (
            float(lj[t.get("name")].get("sigma")) * 10,
            float(lj[t.get("name")].get("epsilon")),
        )
        types[t.get("class")] = [
            t.get("element"),
            float(t.get("mass")),
            number(sigma, 16),
            number(epsilon, 16),
        ]
    row = lambda e, n: [name(e.get(f"type{i + 1}")) for i in range(n)]
    terms = lambda e: [
        [int(e.get(f"periodicity{i}")), number(e.get(f"phase{i}"), 17), number(e.get(f"k{i}"), 16)]
        for i in itertools.takewhile(lambda i: e.get(f"k{i}"), itertools.count(1))
    ]
    torsions = root.find("PeriodicTorsionForce")
    return {
        "types": types,
        "bonds": [
            row(b, 2)
            + [number(float(b.get("length")) * 10, 16), number(float(b.get("k")) / 100, 16)]
            for b in root.find("HarmonicBondForce")
        ],
        "angles": [
            row(a, 3) + [number(a.get("angle"), 17), number(a.get("k"), 16)]
            for a in root.find("HarmonicAngleForce")
        ],
        "propers": [row(t, 4) + [terms(t)] for t in torsions.findall("Proper")],
        "impropers": [row(t, 4) + [terms(t)] for t in torsions.findall("Improper")],
    }


def build(templates, names, crosslink=False):
    """An OpenMM topology of one or (crosslinked at SG) two copies of a chain of templates."""
    topology = app.Topology()
    residues, sulfurs = {}, []
    for copy in range(2 if crosslink else 1):
        chain, last = topology.addChain(), None
        for name in names:
            template = templates[name]
            residue = topology.addResidue(name, chain)
            residues[residue] = name
            atoms = {a.name: topology.addAtom(a.name, a.element, residue) for a in template.atoms}
            for i, j in template.bonds:
                topology.addBond(atoms[template.atoms[i].name], atoms[template.atoms[j].name])
            if last:
                topology.addBond(last["C"], atoms["N"])
            last = atoms
            sulfurs += [atoms["SG"]] if crosslink and "SG" in atoms else []
    if crosslink:
        topology.addBond(*sulfurs)
    return topology, residues


def neighbours(topology):
    near = {a.index: [] for a in topology.atoms()}
    for a, b in topology.bonds():
        near[a.index].append(b.index)
        near[b.index].append(a.index)
    return near


def restraints(topology):
    """Handedness (signed volumes, A^3) and torsions that the names prescribe, as (indices, sign)
    and (indices, degrees)."""
    near, volumes, torsions = neighbours(topology), [], []
    for residue in topology.residues():
        base = residue.name[-3:] if residue.name not in CAPS else residue.name
        index = {a.name: a.index for a in residue.atoms()}
        rules = HANDED.get(base, []) + HANDED["*"]
        for a in residue.atoms():  # CH2: the next heavy atom (away from the main chain), H2, H3
            hydrogens = sorted(n for n in index if n[0] == "H" and index[n] in near[a.index])
            if len(hydrogens) == 2 and a.element.symbol == "C" and a.name != "CA":
                heavy = [n for n in index if n[0] != "H" and index[n] in near[a.index]]
                order = "N O S".split() + list("ABGDEZH")
                rank = lambda n: 9 if n == "N" else order.index(n[1])
                rules = rules + [" ".join([a.name, max(heavy, key=rank), *hydrogens])]
        volumes += [
            [index[n] for n in rule.split()]
            for rule in rules
            if all(n in index for n in rule.split())
        ]
        torsions += [([index[n] for n in q.split()], d) for q, d in TORSIONS.get(base, [])]
    residues = list(topology.residues())
    for a, b in zip(residues, residues[1:]):
        if a.chain is b.chain:
            first, second = ({x.name: x.index for x in r.atoms()} for r in (a, b))
            alpha = second.get("CA", second.get("C", second.get("CH3")))
            if alpha is not None:
                torsions.append(
                    ([first.get("CA", first.get("CH3")), first["C"], second["N"], alpha], 180)
                )
    return volumes, torsions


def relaxed(forcefield, topology, residues, wanted=4):
    """Coordinates (A) of the lowest minimum of bonds, angles and torsions that random starts
    reach."""
    system = forcefield.createSystem(topology, residueTemplates=residues, removeCMMotion=False)
    for index in reversed(range(system.getNumForces())):
        if isinstance(system.getForce(index), mm.NonbondedForce):
            system.removeForce(index)
    volumes, torsions = restraints(topology)
    handed = mm.CustomCompoundBondForce(
        4,
        "w*max(0,2.0-v)^2; v=1000*((x2-x1)*((y3-y1)*(z4-z1)-(z3-z1)*(y4-y1))"
        "+(y2-y1)*((z3-z1)*(x4-x1)-(x3-x1)*(z4-z1))"
        "+(z2-z1)*((x3-x1)*(y4-y1)-(y3-y1)*(x4-x1)))",
    )
    held = mm.CustomTorsionForce("w*(1-cos(theta-theta0))")
    apart = mm.CustomNonbondedForce("w*max(0,0.25-r)^2")
    for force in (handed, held, apart):
        force.addGlobalParameter("w", 1)
        system.addForce(force)
    held.addPerTorsionParameter("theta0")
    for v in volumes:
        handed.addBond(v, [])
    for quad, degrees in torsions:
        held.addTorsion(*quad, [np.radians(degrees)])
    for _ in range(system.getNumParticles()):
        apart.addParticle([])
    apart.createExclusionsFromBonds([(a.index, b.index) for a, b in topology.bonds()], 3)
    context = mm.Context(
        system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference")
    )
    random, best = np.random.default_rng(1), None
    found = 0
    for _ in range(40 * wanted):
        context.setPositions(random.normal(0, 0.3, (system.getNumParticles(), 3)))
        for weight in (2000, 200, 0):
            context.setParameter("w", weight)
            mm.LocalEnergyMinimizer.minimize(context, 0.01 if weight == 0 else 5.0, 3000)
        state = context.getState(getEnergy=True, getPositions=True)
        x = state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
        energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
        if named_right(x, volumes, torsions):
            found += 1
            best = (energy, x) if best is None or energy < best[0] - 1e-3 else best
        if found == wanted:
            break
    if best is None:
        raise SystemExit(
            f"{list(residues.values())}: no start led to the geometry that the names prescribe"
        )
    return best


def named_right(x, volumes, torsions):
    for c, a, b, d in volumes:
        if np.dot(x[a] - x[c], np.cross(x[b] - x[c], x[d] - x[c])) < 0.5:
            return False
    for (a, b, c, d), degrees in torsions:
        n1, n2 = np.cross(x[b] - x[a], x[c] - x[b]), np.cross(x[c] - x[b], x[d] - x[c])
        cos = n1 @ n2 / np.linalg.norm(n1) / np.linalg.norm(n2)
        if abs(cos - np.cos(np.radians(degrees))) > 0.3:
            return False
    return True


def residue(forcefield, templates, name):
    """One template: atom: [type, charge, [x, y, z]], and the neighbours' atoms ("-C" before it,
    "+N" after it) in the same frame."""
    template = templates[name]
    external = {template.atoms[i].name for i in template.externalBonds}
    chain = (["ACE"] if "N" in external else []) + [name] + (["NME"] if "C" in external else [])
    topology, residues = build(templates, chain, "SG" in external)
    energy, x = relaxed(forcefield, topology, residues)
    own = next(r for r in topology.residues() if r.name == name and r.index == chain.index(name))
    place = lambda r, n: next(
        (
            [number(c, 6) for c in np.round(x[a.index] - x[origin], 4)]
            for a in r.atoms()
            if a.name == n
        ),
        None,
    )
    origin = next(own.atoms()).index
    rows = list(topology.residues())
    near = {}
    if "N" in external:
        near |= {"-" + to: place(rows[0], n) for n, to in (("C", "C"), ("O", "O"), ("CH3", "CA"))}
    if "C" in external:
        near |= {
            "+" + to: place(rows[own.index + 1], n)
            for n, to in (("N", "N"), ("H", "H"), ("CH3", "CA"))
        }
    print(f"{name:5} {energy:9.3f} kJ/mol", file=sys.stderr)
    charge = {
        a.name: float(template.atoms[i].parameters["charge"]) for i, a in enumerate(template.atoms)
    }
    kind = lambda a: a.type.removeprefix("protein-")
    return {
        "atoms": {a.name: [kind(a), charge[a.name], place(own, a.name)] for a in template.atoms},
        "near": near,
    }


def main(path):
    root = ET.parse(FOLDER / "amber14/protein.ff14SB.xml").getroot()
    forcefield = app.ForceField("amber14/protein.ff14SB.xml")
    data = parameters(root)
    data["radii"] = {"C": 1.7, "N": 1.55, "O": 1.5, "S": 1.8, "H": 1.2, "H on N": 1.3}
    data["screens"] = {"C": 0.72, "N": 0.79, "O": 0.85, "S": 0.96, "H": 0.85}
    templates = forcefield._templates
    data["residues"] = {
        r.get("name"): residue(forcefield, templates, r.get("name")) for r in root.find("Residues")
    }
    text = json.dumps(data, separators=(",", ":")).replace('},"', '},\n"').replace(']],"', ']],\n"')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
