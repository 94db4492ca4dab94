#!/usr/bin/env python3
"""Rebuilds the embedded faces: fonts/*.ttf, licenses/, README.md and src/faces.rs.

Needs npm, and `pip install fonttools==4.68.0 brotli==1.2.0`. Each face comes from the npm
package `@fontsource/<package>` at the version pinned below, is cut down to the outlines of
a to z (no hinting, no layout tables), and is given a neutral name inside and out, as the
Open Font License asks of a modified version whose licence reserves the original's name.

    ./fetch.py            writes the files
    ./fetch.py --check    rebuilds them elsewhere and fails if any byte differs
"""

import filecmp
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
VERSION = "5.3.0"  # of every @fontsource package below
LETTERS = "abcdefghijklmnopqrstuvwxyz"

# (package, weight) by kind. A family stands in one of the two splits only.
TRAINED = {
    "brush": [
        ("yesteryear", 400), ("norican", 400), ("damion", 400), ("yellowtail", 400),
        ("satisfy", 400), ("kaushan-script", 400), ("mr-dafoe", 400), ("pacifico", 400),
        ("courgette", 400), ("dancing-script", 700), ("grand-hotel", 400), ("cookie", 400),
        ("merienda", 400),
    ],
    "marker": [
        ("caveat-brush", 400), ("covered-by-your-grace", 400), ("patrick-hand", 400),
        ("gochi-hand", 400), ("just-another-hand", 400), ("mansalva", 400), ("kalam", 400),
        ("kalam", 700), ("sriracha", 400), ("neucha", 400), ("shantell-sans", 600),
        ("gloria-hallelujah", 400),
    ],
    "pen": [
        ("indie-flower", 400), ("coming-soon", 400), ("handlee", 400),
        ("architects-daughter", 400), ("delius", 400), ("nanum-pen-script", 400),
        ("reenie-beanie", 400), ("nothing-you-could-do", 400), ("cedarville-cursive", 400),
        ("homemade-apple", 400), ("sue-ellen-francisco", 400), ("caveat", 500),
    ],
    "sans": [
        ("open-sans", 400), ("open-sans", 600), ("roboto", 400), ("lato", 400), ("lato", 700),
        ("pt-sans", 400), ("inter", 400), ("inter", 600),
    ],
    "serif": [("lora", 500), ("merriweather", 400), ("pt-serif", 400)],
    "mono": [("courier-prime", 400), ("ibm-plex-mono", 400)],
}
HELD_OUT = {
    "brush": [("playball", 400), ("marck-script", 400)],
    "marker": [("schoolbell", 400)],
    "pen": [("shadows-into-light", 400), ("bad-script", 400)],
    "sans": [("source-sans-3", 400), ("fira-sans", 400)],
}


def faces():
    """Yields (file stem, kind, split, package, weight), numbered within each kind."""
    for kind in TRAINED:
        entries = [(e, "trained") for e in TRAINED[kind]]
        entries += [(e, "held-out") for e in HELD_OUT.get(kind, [])]
        for number, ((package, weight), split) in enumerate(entries, start=1):
            yield f"{kind}-{number:02}", kind, split, package, weight


def cut(source, target, name):
    """Writes a to z of `source` as a plain TrueType file; returns its copyright line."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = False
    options.glyph_names = False
    options.recalc_timestamp = False
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "DSIG", "gasp", "meta", "STAT", "kern"]
    font = subset.load_font(str(source), options)
    assert "glyf" in font, f"{source}: no TrueType outlines"
    copyright_line = font["name"].getDebugName(0) or ""
    licence_lines = [font["name"].getDebugName(i) for i in (13, 14)]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=LETTERS)
    subsetter.subset(font)
    names = font["name"]
    names.names = []
    family = f"Captcha Synth {name}"
    records = {0: copyright_line, 1: family, 2: "Regular", 3: family, 4: family,
               6: f"CaptchaSynth-{name}", 13: licence_lines[0], 14: licence_lines[1]}
    for name_id, value in records.items():
        if value:
            names.setName(value, name_id, 3, 1, 0x409)
    font.flavor = None
    font.save(str(target))
    return " ".join(copyright_line.split())


def licence_name(text):
    if "SIL OPEN FONT LICENSE" in text.upper():
        return "OFL-1.1"
    if "Apache License" in text:
        return "Apache-2.0"
    raise ValueError("unknown licence")


def family_name(package):
    small = {"by": "By"}
    return " ".join(small.get(w, {"pt": "PT", "ibm": "IBM"}.get(w, w.capitalize()))
                    for w in package.split("-"))


def build(fonts, source_rs):
    (fonts / "licenses").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        packages = {f"@fontsource/{p}": VERSION for _, _, _, p, _ in faces()}
        manifest = {"private": True, "dependencies": packages}
        (Path(scratch) / "package.json").write_text(json.dumps(manifest))
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                       cwd=scratch, check=True)
        rows, consts = [], []
        for name, kind, split, package, weight in faces():
            root = Path(scratch) / "node_modules" / "@fontsource" / package
            found = sorted((root / "files").glob(f"{package}-latin-{weight}-normal.woff2"))
            copyright_line = cut(found[0], fonts / f"{name}.ttf", name)
            licence = (root / "LICENSE").read_text()
            body = "\n".join(line.rstrip() for line in licence.splitlines()).strip() + "\n"
            header = f"{family_name(package)}: {copyright_line}\n\n" if copyright_line else ""
            (fonts / "licenses" / f"{package}.txt").write_text(header + body)
            rows.append(f"| `{name}.ttf` | {family_name(package)} {weight} | {kind} | {split} "
                        f"| {licence_name(licence)} | [text](licenses/{package}.txt) "
                        f"| `@fontsource/{package}` {VERSION} |")
            variant = "Trained" if split == "trained" else "HeldOut"
            consts.append(f'    face!("{name}", "{family_name(package)}", '
                          f"{kind.capitalize()}, {variant}),")
    (fonts / "README.md").write_text(README.replace("ROWS", "\n".join(rows)))
    source_rs.write_text(FACES_RS.replace("ROWS", "\n".join(consts))
                         .replace("COUNT", str(len(consts))))


README = """# Embedded faces

Written by `fetch.py`; change it there. Each file holds the outlines of a to z only, without
hinting or layout tables, under a neutral name: some of the licences reserve the original's
name for the original. The family is the one the outlines come from. Held-out faces are never
drawn for training; they measure how well a model reads type it has not seen.

| file | from the family | kind | split | licence | its text | source |
| --- | --- | --- | --- | --- | --- | --- |
ROWS
"""

FACES_RS = """//! The table of embedded faces. Written by `fonts/fetch.py`; change it there.

use std::sync::OnceLock;

use super::{Face, FontSet::*, Kind::*};

macro_rules! face {
    ($name:literal, $family:literal, $kind:ident, $set:ident) => {
        Face {
            name: $name,
            family: $family,
            kind: $kind,
            set: $set,
            data: include_bytes!(concat!("../../fonts/", $name, ".ttf")),
            outlines: OnceLock::new(),
        }
    };
}

/// Every embedded face, ordered by kind, trained before held out.
pub(super) static FACES: [Face; COUNT] = [
ROWS
];
"""


def main():
    source_rs = HERE.parent / "src" / "fonts" / "faces.rs"
    if sys.argv[1:] != ["--check"]:
        source_rs.parent.mkdir(parents=True, exist_ok=True)
        build(HERE, source_rs)
        return
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        build(fresh, fresh / "faces.rs")
        pairs = [(p, source_rs if p.name == "faces.rs" else HERE / p.relative_to(fresh))
                 for p in sorted(fresh.rglob("*")) if p.is_file()]
        differing = [str(old) for new, old in pairs
                     if not old.is_file() or not filecmp.cmp(new, old, shallow=False)]
    if differing:
        sys.exit("differs from what fetch.py builds:\n" + "\n".join(differing))
    print(f"{len(pairs)} files as fetch.py builds them")


if __name__ == "__main__":
    main()
