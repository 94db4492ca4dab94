#!/usr/bin/env python3
"""Rebuilds words.txt, the listed words: SCOWL's commonest words of 3 to 5 characters.

Takes them from the Debian package `scowl` 2020.12.07-2 (apt-get download, nothing is
installed): every all-lower-case word of size 10 or 20, English and American, less the few
below that nobody should have to read. About 2,500, as many as the paper's set has.

    ./make.py            writes words.txt and LICENSE
"""

import re
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "scowl=2020.12.07-2"
LISTS = ["english-words.10", "english-words.20", "american-words.10", "american-words.20"]
BLOCKED = set("""
    bastard bitch cant crap cums damn damns hell idiot payed rape scum sex sexes sexy slag
    sod sods tit tits whore wive wont
""".split())


def main():
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=scratch, check=True)
        archive = next(Path(scratch).glob("scowl_*.deb"))
        subprocess.run(["dpkg", "-x", archive, scratch], check=True)
        root = Path(scratch) / "usr/share"
        words = set()
        for name in LISTS:
            text = (root / "dict/scowl" / name).read_text(encoding="latin-1")
            words.update(re.findall(r"^[a-z]{3,5}$", text, re.MULTILINE))
        licence = (root / "doc/scowl/copyright").read_text(encoding="utf-8")
    listed = sorted(words - BLOCKED)
    (HERE / "words.txt").write_text("\n".join(listed) + "\n")
    (HERE / "LICENSE").write_text(licence)
    print(f"{len(listed)} words")


if __name__ == "__main__":
    main()
