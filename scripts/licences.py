"""What a build of mdsurrogate is made of: every crate that is linked into it, with its licence and
the texts that its authors want to be handed on.

    scripts/licences.py [--features gpu] [--target x86_64-unknown-linux-gnu] > THIRD_PARTY.txt
    scripts/licences.py --manifest python/Cargo.toml --features ""    the same of the package

Fails where a crate names no licence. `cargo deny check` (deny.toml) says which are allowed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

NAMES = ("license", "licence", "copying", "notice", "unlicense", "copyright")


def metadata(features, target, manifest="Cargo.toml"):
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version=1", "--locked"]
    command += ["--no-default-features", "--features", features, "--filter-platform", target]
    command += ["--manifest-path", str(Path(__file__).parents[1] / manifest)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def linked(found):
    """Packages of others that it is linked of: no tests', no build scripts', no macros' own."""
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    seen, waiting = set(), [found["resolve"]["root"]]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for dependency in nodes[name]["deps"]:
            is_macro = any(
                "proc-macro" in target["kind"] for target in packages[dependency["pkg"]]["targets"]
            )
            kinds = [kind["kind"] for kind in dependency["dep_kinds"]]
            if None in kinds and not is_macro:
                waiting.append(dependency["pkg"])
    # what has no source is ours
    others = (packages[name] for name in seen if packages[name]["source"])
    return sorted(others, key=lambda p: (p["name"], p["version"]))


def texts(package):
    folder = Path(package["manifest_path"]).parent
    files = [file for file in sorted(folder.iterdir()) if file.name.lower().startswith(NAMES)]
    files = [file for file in files if file.is_file()]
    return [(file.name, file.read_text(errors="replace").strip()) for file in files]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", default="gpu")
    parser.add_argument("--target", default="x86_64-unknown-linux-gnu")
    parser.add_argument("--manifest", default="Cargo.toml")
    arguments = parser.parse_args()
    packages = linked(metadata(arguments.features, arguments.target, arguments.manifest))
    unnamed = [p["name"] for p in packages if not (p["license"] or p["license_file"])]
    if unnamed:
        sys.exit(f"no licence is named by: {', '.join(unnamed)}")
    print(f"mdsurrogate is linked of {len(packages)} crates of other authors:\n")
    for package in packages:
        licence = package["license"] or f"see {package['license_file']}"
        print(f"{package['name']} {package['version']}: {licence}  {package['repository'] or ''}")
    # many hand on the same text
    users = {}
    for package in packages:
        for name, text in texts(package):
            users.setdefault(text, []).append(f"{package['name']} {package['version']} ({name})")
    for text, of in users.items():
        print("\n" + "=" * 78 + "\n" + ", ".join(of) + "\n" + "-" * 78 + "\n" + text)


if __name__ == "__main__":
    main()
