"""Holds the book to its word: every command of its pages runs, every link leads somewhere.

    scripts/book.py [PROGRAM]      default: target/release/mdsurrogate

Blocks marked ```sh are run in order, page by page, each page in a new folder that sees the
repository's data/, configs/ and scripts/. Blocks marked ```sh,long are not: they take too long, or
want files of the reader's own. A command that fails, or that takes more than ten minutes, fails the
book.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LIMIT = 600  # seconds a block


def pages():
    """The chapters, in the order of the summary."""
    summary = (DOCS / "SUMMARY.md").read_text()
    return [DOCS / name for name in re.findall(r"\]\(([^)]+\.md)\)", summary)]


def blocks(text):
    return re.findall(r"^```sh(,long)?\n(.*?)^```", text, re.M | re.S)


def anchors(text):
    """Of headings, as the book makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def broken_links(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.is_file():
            yield f"{page.relative_to(ROOT)}: {target} is not there"
        elif not file.resolve().is_relative_to(DOCS):
            yield f"{page.relative_to(ROOT)}: {target} is outside the book"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def run(page, program):
    """Runs a page's commands; returns how many ran, how many are long, and the seconds."""
    ran = long = 0
    begin = time.time()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data", "configs", "scripts"):
            os.symlink(ROOT / name, Path(folder) / name)
        os.mkdir(Path(folder) / "bin")
        os.symlink(program, Path(folder) / "bin" / "mdsurrogate")
        path = f"{folder}/bin:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HOME": folder}
        for is_long, block in blocks(page.read_text()):
            if is_long:
                long += 1
                continue
            shell = ["bash", "-euo", "pipefail", "-c", block]
            outcome = subprocess.run(
                shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT
            )
            if outcome.returncode != 0:
                sys.exit(f"{page.relative_to(ROOT)}:\n{block}\n{outcome.stdout}{outcome.stderr}")
            ran += 1
    return ran, long, time.time() - begin


def main():
    named = sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/mdsurrogate"
    program = Path(named).resolve()
    chapters = pages()
    there = {page.name for page in DOCS.glob("*.md")}
    left_out = there - {page.name for page in chapters} - {"SUMMARY.md"}
    wrong = [f"docs/{name} is no chapter: docs/SUMMARY.md" for name in sorted(left_out)]
    for page in chapters:
        wrong += broken_links(page)
    if wrong:
        sys.exit("\n".join(wrong))
    passed = 0
    for page in chapters:
        ran, long, seconds = run(page, program)
        passed += ran
        if ran or long:
            words = f"{ran} blocks in {seconds:.0f} s, {long} long ones not run"
            print(f"{page.relative_to(ROOT)}: {words}", flush=True)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
