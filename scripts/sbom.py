"""The bill of materials of a build, as CycloneDX 1.6 (JSON): every crate that is linked into the
program, with its licence, its checksum on the registry, and what it depends on.

    scripts/sbom.py [--features gpu] [--target x86_64-unknown-linux-gnu] > sbom.cyclonedx.json

The same sources give the same bytes: its number is a hash, and it has no date.
"""

import argparse
import json
import tomllib
import uuid
from pathlib import Path

from licences import linked, metadata

ROOT = Path(__file__).resolve().parent.parent


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def checksums():
    """SHA-256 of what each crate was packed as, by name and version; ours have none."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {(p["name"], p["version"]): p["checksum"] for p in locked if "checksum" in p}


def component(package, sums):
    described = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package["license"]:
        # the older way of writing OR
        expression = package["license"].replace("/", " OR ")
        described["licenses"] = [{"expression": expression}]
    checksum = sums.get((package["name"], package["version"]))
    if checksum:
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        described["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return described


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", default="gpu")
    parser.add_argument("--target", default="x86_64-unknown-linux-gnu")
    arguments = parser.parse_args()
    found = metadata(arguments.features, arguments.target)
    packages = linked(found)
    by_id = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    root = by_id[found["resolve"]["root"]]
    inside = {package["id"] for package in packages}
    sums = checksums()

    def needs(package):
        names = {purl(by_id[id]) for id in nodes[package["id"]]["dependencies"] if id in inside}
        return {"ref": purl(package), "dependsOn": sorted(names)}

    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**component(root, sums), "type": "application"}},
        "components": [component(package, sums) for package in packages],
        "dependencies": [needs(package) for package in [root, *packages]],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    print(json.dumps({**bill, "serialNumber": f"urn:uuid:{number}"}, indent=1))


if __name__ == "__main__":
    main()
