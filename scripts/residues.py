#!/usr/bin/env python3
"""Write data/residues.json: atoms, elements, bonds and name aliases of the ff14SB residue
templates.

    pip install openmm==8.6.1
    python scripts/residues.py

Source: the PyPI wheel `openmm`, files amber14/protein.ff14SB.xml (templates) and pdbNames.xml
(names that other programs use for the same atom). Only names, elements and bonds are taken;
parameters are in data/forcefield/.
"""

import json
import os
import sys
import xml.etree.ElementTree as xml

import openmm.app

# Charge states and terminal forms of one residue share a family: the file's atoms are matched
# against the union.
VARIANTS = {
    "ASH": "ASP",
    "GLH": "GLU",
    "LYN": "LYS",
    "CYM": "CYS",
    "CYX": "CYS",
    "HID": "HIS",
    "HIE": "HIS",
    "HIP": "HIS",
}
# Names that pdbNames.xml treats as the first hydrogen "H" or lacks, in ff14SB's words.
TERMINAL = {
    "H": ["HN"],
    "H1": ["1H", "HN1", "HT1"],
    "H2": ["2H", "HN2", "HT2"],
    "H3": ["3H", "HN3", "HT3"],
    "O": ["O1", "OT1", "OCT1", "OC1"],
    "OXT": ["O2", "OT2", "OCT2", "OC2", "OT"],
}
# pdbNames.xml names the caps as wwPDB does; ff14SB's own words for them.
CAPS = {
    "ACE": ("ACE", {"H1": "HH31", "H2": "HH32", "H3": "HH33"}),
    "NME": ("NME", {"C": "CH3", "H1": "HH31", "H2": "HH32", "H3": "HH33"}),
    "NH2": ("NHE", {}),
}


def family_of(name, names):
    base = name[1:] if len(name) == 4 and name[0] in "NC" and name[1:] in names else name
    return VARIANTS.get(base, base)


def templates(path):
    root = xml.parse(path).getroot()
    element = {kind.get("name"): kind.get("element") for kind in root.find("AtomTypes")}
    residues = root.find("Residues").findall("Residue")
    names = {residue.get("name") for residue in residues}
    return {
        residue.get("name"): {
            "family": family_of(residue.get("name"), names),
            "atoms": {
                atom.get("name"): element[atom.get("type")] for atom in residue.findall("Atom")
            },
            "bonds": [
                [bond.get("atomName1"), bond.get("atomName2")] for bond in residue.findall("Bond")
            ],
            "external": [bond.get("atomName") for bond in residue.findall("ExternalBond")],
        }
        for residue in residues
    }


def alternatives(atom):
    """The names of one atom in pdbNames.xml, its own first."""
    return [atom.get("name")] + [value for key, value in atom.items() if key != "name"]


def aliases(path, atoms_of):
    """Family -> {other program's atom name: ff14SB's}; a name that is itself an atom of the family
    is never an alias."""
    found = {family: {} for family in atoms_of}
    for residue in xml.parse(path).getroot().findall("Residue"):
        family, rename = CAPS.get(residue.get("name"), (residue.get("name"), {}))
        for atom in residue.findall("Atom") if family in found else []:
            names = alternatives(atom)
            names[0] = rename.get(names[0], names[0])
            found[family].update(
                {other: names[0] for other in alternatives(atom) + names[1:] if other != names[0]}
            )
    for family, table in found.items():
        if family not in ("ACE", "NME", "NHE"):
            for name, others in TERMINAL.items():
                for other in others:
                    table.setdefault(other, name)
        found[family] = {
            other: name
            for other, name in table.items()
            if name in atoms_of[family] and other not in atoms_of[family]
        }
    return found


def main():
    data = os.path.join(os.path.dirname(openmm.app.__file__), "data")
    residues = templates(os.path.join(data, "amber14", "protein.ff14SB.xml"))
    atoms_of = {}
    for residue in residues.values():
        atoms_of.setdefault(residue["family"], set()).update(residue["atoms"])
    names = aliases(os.path.join(data, "pdbNames.xml"), atoms_of)
    out = (
        sys.argv[1]
        if len(sys.argv) > 1
        else os.path.join(os.path.dirname(__file__), "..", "data", "residues.json")
    )
    with open(out, "w") as file:
        lines = lambda table: ",\n".join(
            f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}"
            for key, value in table.items()
        )
        file.write(f'{{"residues":{{\n{lines(residues)}\n}},\n"aliases":{{\n{lines(names)}\n}}}}\n')


if __name__ == "__main__":
    main()
