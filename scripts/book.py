"""Holds the book to its word: every command of its pages runs, every link leads somewhere.

    scripts/book.py [PROGRAM [PAGE...]]      default: target/release/mdsurrogate, all pages

Blocks marked ```sh are run in order, page by page, each page in a new folder that sees the
repository's data/, configs/ and scripts/. A command that fails, or that takes more than ten
minutes, fails the book. Blocks marked ```sh,fails end with a command that is to fail, with the
words of the ```text block behind them. Blocks marked ```sh,long are not run: they take too long, or
want files of the reader's own.
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
    """Of a page: what each is marked with, its commands, and the text behind it."""
    block = r"^```sh(?:,(long|fails))?\n(.*?)^```\n(?:```text\n(.*?)^```)?"
    return re.findall(block, text, re.M | re.S)


def squeezed(text):
    """Words alone: the program breaks no lines, but pages do."""
    return " ".join(text.split())


def what_is_wrong(mark, commands, expected, folder, environment):
    """Runs a block; none where it went as its page says."""
    shell = ["bash", "-uo", "pipefail", "-c", commands]
    if mark != "fails":
        shell.insert(1, "-e")
    done = subprocess.run(
        shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    output = done.stdout + done.stderr
    if (done.returncode != 0) != (mark == "fails"):
        return f"exit {done.returncode}\n{output}"
    if mark == "fails" and not expected.strip():
        return "there is no ```text block behind it with the words that it fails by"
    if squeezed(expected) not in squeezed(output):
        return f"it does not say what stands behind it:\n{expected}but\n{output}"
    return None


def anchors(text):
    """Of headings, as the book makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def broken_links(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"<img[^>]* src=\"([^\"]+)\"", text)
    for target in links:
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
        for mark, commands, expected in blocks(page.read_text()):
            if mark == "long":
                long += 1
                continue
            wrong = what_is_wrong(mark, commands, expected, folder, environment)
            if wrong:
                sys.exit(f"{page.relative_to(ROOT)}:\n{commands}\n{wrong}")
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
    wanted = set(sys.argv[2:])
    for page in (page for page in chapters if not wanted or page.stem in wanted):
        ran, long, seconds = run(page, program)
        passed += ran
        if ran or long:
            words = f"{ran} blocks in {seconds:.0f} s, {long} long ones not run"
            print(f"{page.relative_to(ROOT)}: {words}", flush=True)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
