#!/usr/bin/env python3
"""Rebuilds the embedded fonts: fonts/*.ttf, licenses/, README.md and src/fonts/table.rs.

Needs npm, and `pip install fonttools==4.68.0 brotli==1.2.0`. Each font comes from the npm
package `@fontsource/<package>` at the version pinned below, is cut down to the outlines of the
digits, capitals and small letters (no hinting, no layout tables), and is given a neutral name
inside and out, as the Open Font License asks of a modified version whose licence reserves the
original's name. A few fonts have the small letters only, see `small_letters_only`.

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
SMALL_LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHARACTERS = "0123456789" + SMALL_LETTERS.upper() + SMALL_LETTERS

# (package, weight) by category. A family is in one split only.
TRAIN = {
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

# Extra fonts for training only: no test uses them, and the page does not embed them.
EXTRA = {
    "brush": [
        ("great-vibes", 400), ("allura", 400), ("alex-brush", 400), ("sacramento", 400),
        ("parisienne", 400), ("rochester", 400), ("leckerli-one", 400), ("lobster", 400),
        ("lobster-two", 400), ("oleo-script", 400), ("berkshire-swash", 400), ("niconne", 400),
        ("arizonia", 400), ("redressed", 400), ("rouge-script", 400), ("italianno", 400),
        ("clicker-script", 400), ("engagement", 400), ("felipa", 400),
        ("petit-formal-script", 400), ("quintessential", 400), ("seaweed-script", 400),
        ("vibur", 400), ("sofia", 400), ("lily-script-one", 400), ("montez", 400),
        ("oregano", 400), ("style-script", 400), ("tangerine", 400),
        ("nanum-brush-script", 400),
        ("aguafina-script", 400), ("almendra", 400), ("birthstone", 400),
        ("bonheur-royale", 400), ("borel", 400), ("caramel", 400), ("cherry-swash", 400),
        ("comforter-brush", 400), ("corinthia", 400), ("dr-sugiyama", 400),
        ("eagle-lake", 400), ("ephesis", 400), ("fondamento", 400), ("fugaz-one", 400),
        ("fuggles", 400), ("grechen-fuemen", 400), ("gwendolyn", 400),
        ("herr-von-muellerhoff", 400), ("hurricane", 400), ("ingrid-darling", 400),
        ("kavoon", 400), ("kolker-brush", 400), ("kotta-one", 400), ("lemon", 400),
        ("licorice", 400), ("love-light", 400), ("lovers-quarrel", 400), ("lugrasimo", 400),
        ("luxurious-script", 400), ("ma-shan-zheng", 400), ("macondo", 400),
        ("mea-culpa", 400), ("meie-script", 400), ("meow-script", 400),
        ("monsieur-la-doulaise", 400), ("mr-bedfort", 400), ("mr-de-haviland", 400),
        ("mrs-saint-delafield", 400), ("pinyon-script", 400), ("princess-sofia", 400),
        ("qwitcher-grypen", 400), ("racing-sans-one", 400), ("romanesco", 400),
        ("ruthie", 400), ("sail", 400), ("sansita-swashed", 400), ("sarina", 400),
        ("smooch", 400), ("sonsie-one", 400), ("spicy-rice", 400), ("splash", 400),
        ("stalemate", 400), ("twinkle-star", 400), ("updock", 400), ("vampiro-one", 400),
        ("water-brush", 400), ("yatra-one", 400), ("yuji-boku", 400), ("yuji-mai", 400),
        ("yuji-syuku", 400), ("zhi-mang-xing", 400),
    ],
    "marker": [
        ("short-stack", 400), ("pangolin", 400), ("boogaloo", 400), ("chewy", 400),
        ("itim", 400), ("mali", 400), ("sniglet", 400), ("grandstander", 400),
        ("comic-neue", 400), ("comic-relief", 400), ("playpen-sans", 400), ("chilanka", 400),
        ("gaegu", 400), ("hi-melody", 400), ("sunshiney", 400), ("crafty-girls", 400),
        ("annie-use-your-telescope", 400), ("the-girl-next-door", 400),
        ("swanky-and-moo-moo", 400), ("waiting-for-the-sunrise", 400), ("rancho", 400),
        ("mynerve", 400), ("gamja-flower", 400),
        ("atma", 400), ("averia-libre", 400), ("averia-sans-libre", 400), ("baloo-2", 400),
        ("balsamiq-sans", 400), ("bubblegum-sans", 400), ("carter-one", 400),
        ("chelsea-market", 400), ("cherry-cream-soda", 400), ("chicle", 400),
        ("darumadrop-one", 400), ("delicious-handrawn", 400), ("east-sea-dokdo", 400),
        ("englebert", 400), ("finger-paint", 400), ("fontdiner-swanky", 400),
        ("freckle-face", 400), ("fredoka", 400), ("galindo", 400), ("gluten", 400),
        ("gorditas", 400), ("griffy", 400), ("irish-grover", 400), ("jolly-lodger", 400),
        ("jua", 400), ("kapakana", 400), ("life-savers", 400), ("londrina-solid", 400),
        ("love-ya-like-a-sister", 400), ("mochiy-pop-one", 400),
        ("mountains-of-christmas", 400), ("nerko-one", 400), ("new-rocker", 400),
        ("potta-one", 400), ("ribeye", 400), ("risque", 400), ("ruluko", 400),
        ("skranji", 400), ("slackey", 400), ("slackside-one", 400), ("sofadi-one", 400),
        ("supermercado-one", 400), ("titan-one", 400), ("unkempt", 400), ("yusei-magic", 400),
        ("zcool-kuaile", 400),
    ],
    "pen": [
        ("dekko", 400), ("sedgwick-ave", 400), ("zeyada", 400), ("dawning-of-a-new-day", 400),
        ("beth-ellen", 400), ("over-the-rainbow", 400), ("la-belle-aurore", 400),
        ("poor-story", 400), ("kavivanar", 400), ("klee-one", 400), ("yomogi", 400),
        ("zen-kurenaido", 400), ("bilbo", 400), ("square-peg", 400),
        ("allison", 400), ("calligraffitti", 400), ("edu-nsw-act-foundation", 400),
        ("edu-qld-beginner", 400), ("edu-sa-beginner", 400), ("edu-tas-beginner", 400),
        ("edu-vic-wa-nt-beginner", 400), ("fuzzy-bubbles", 400), ("give-you-glory", 400),
        ("grape-nuts", 400), ("hachi-maru-pop", 400), ("just-me-again-down-here", 400),
        ("kristi", 400), ("liu-jian-mao-cao", 400), ("long-cang", 400),
        ("loved-by-the-king", 400), ("meddon", 400), ("ms-madi", 400),
        ("playwrite-be-wal", 400), ("playwrite-ca", 400), ("playwrite-de-grund", 400),
        ("playwrite-es", 400), ("playwrite-fr-moderne", 400), ("playwrite-hr", 400),
        ("playwrite-in", 400), ("playwrite-is", 400), ("playwrite-it-moderna", 400),
        ("playwrite-nl", 400), ("playwrite-pl", 400), ("playwrite-us-modern", 400),
        ("playwrite-us-trad", 400), ("send-flowers", 400), ("vujahday-script", 400),
        ("whisper", 400), ("windsong", 400),
    ],
    "sans": [
        ("noto-sans", 400), ("montserrat", 400), ("poppins", 400), ("raleway", 400),
        ("nunito", 400), ("work-sans", 400), ("oswald", 400), ("quicksand", 400),
        ("dosis", 400), ("cabin", 400), ("karla", 400), ("rubik", 400), ("mulish", 400),
        ("barlow", 400), ("dm-sans", 400), ("exo-2", 400), ("varela-round", 400),
        ("signika", 400), ("arimo", 400), ("comfortaa", 400), ("josefin-sans", 400),
        ("abel", 400), ("advent-pro", 400), ("andika", 400), ("anton", 400), ("archivo", 400),
        ("archivo-narrow", 400), ("asap", 400), ("atkinson-hyperlegible", 400),
        ("be-vietnam-pro", 400), ("bellota", 400), ("carlito", 400), ("catamaran", 400),
        ("cause", 400), ("commissioner", 400), ("cuprum", 400), ("didact-gothic", 400),
        ("el-messiri", 400), ("electrolize", 400), ("encode-sans", 400), ("epilogue", 400),
        ("figtree", 400), ("fjalla-one", 400), ("francois-one", 400), ("gotu", 400),
        ("gowun-dodum", 400), ("gudea", 400), ("heebo", 400), ("hind", 400),
        ("ibm-plex-sans", 400), ("istok-web", 400), ("jost", 400), ("kanit", 400),
        ("lexend", 400), ("libre-franklin", 400), ("manrope", 400), ("maven-pro", 400),
        ("molengo", 400), ("outfit", 400), ("overpass", 400), ("oxygen", 400),
        ("pathway-gothic-one", 400), ("philosopher", 400), ("plus-jakarta-sans", 400),
        ("poiret-one", 400), ("pompiere", 400), ("prompt", 400), ("public-sans", 400),
        ("questrial", 400), ("rajdhani", 400), ("red-hat-display", 400), ("righteous", 400),
        ("roboto-condensed", 400), ("roboto-flex", 400), ("ruda", 400), ("saira", 400),
        ("sarabun", 400), ("shippori-antique", 400), ("sora", 400), ("space-grotesk", 400),
        ("stick", 400), ("tajawal", 400), ("teko", 400), ("titillium-web", 400),
        ("urbanist", 400), ("viga", 400), ("yanone-kaffeesatz", 400),
    ],
    "serif": [
        ("playfair-display", 400), ("crimson-text", 400), ("libre-baskerville", 400),
        ("eb-garamond", 400), ("bitter", 400), ("arvo", 400), ("tinos", 400),
        ("abril-fatface", 400), ("alegreya", 400), ("amarante", 400),
        ("averia-serif-libre", 400), ("caladea", 400), ("cardo", 400),
        ("cormorant-garamond", 400), ("crete-round", 400), ("domine", 400),
        ("elsie-swash-caps", 400), ("frank-ruhl-libre", 400), ("gelasio", 400),
        ("glegoo", 400), ("gowun-batang", 400), ("josefin-slab", 400), ("kameron", 400),
        ("kiwi-maru", 400), ("libre-bodoni", 400), ("libre-caslon-text", 400), ("mate", 400),
        ("noto-serif", 400), ("old-standard-tt", 400), ("roboto-slab", 400), ("rokkitt", 400),
        ("simonetta", 400), ("slabo-27px", 400), ("spectral", 400), ("vollkorn", 400),
        ("zen-antique", 400), ("zilla-slab", 400),
    ],
    "mono": [
        ("roboto-mono", 400), ("space-mono", 400), ("inconsolata", 400), ("cousine", 400),
        ("anonymous-pro", 400), ("azeret-mono", 400), ("b612-mono", 400), ("cutive-mono", 400),
        ("dm-mono", 400), ("jetbrains-mono", 400), ("kode-mono", 400),
        ("nanum-gothic-coding", 400), ("nova-mono", 400), ("overpass-mono", 400),
        ("pt-mono", 400), ("red-hat-mono", 400), ("share-tech-mono", 400),
        ("special-elite", 400), ("syne-mono", 400), ("vt323", 400), ("xanh-mono", 400),
    ],
}


def font_list():
    """Yields (file stem, category, split, package, weight), numbered within each category."""
    for category in TRAIN:
        entries = [(e, "train") for e in TRAIN[category]]
        entries += [(e, "held-out") for e in HELD_OUT.get(category, [])]
        entries += [(e, "extra") for e in EXTRA.get(category, [])]
        for number, ((package, weight), split) in enumerate(entries, start=1):
            yield f"{category}-{number:02}", category, split, package, weight


def small_letters_only(category, split):
    """Whether a font goes without digits and capitals. The page embeds the training and held-out
    fonts, and its generator has a size budget. The digits and capitals of handwriting take the
    most room; those of markers stay, and all extra fonts have theirs."""
    return split != "extra" and category in ("brush", "pen")


def cut(source, target, name, characters):
    """Writes some characters of `source` as a plain TrueType file; returns its copyright line."""
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
    subsetter.populate(text=characters)
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
        packages = {f"@fontsource/{p}": VERSION for _, _, _, p, _ in font_list()}
        manifest = {"private": True, "dependencies": packages}
        (Path(scratch) / "package.json").write_text(json.dumps(manifest))
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                       cwd=scratch, check=True)
        rows, embedded, extra = [], [], []
        for name, category, split, package, weight in font_list():
            root = Path(scratch) / "node_modules" / "@fontsource" / package
            found = sorted((root / "files").glob(f"{package}-latin-{weight}-normal.woff2"))
            small = small_letters_only(category, split)
            characters = SMALL_LETTERS if small else CHARACTERS
            copyright_line = cut(found[0], fonts / f"{name}.ttf", name, characters)
            licence = (root / "LICENSE").read_text()
            body = "\n".join(line.rstrip() for line in licence.splitlines()).strip() + "\n"
            header = f"{family_name(package)}: {copyright_line}\n\n" if copyright_line else ""
            (fonts / "licenses" / f"{package}.txt").write_text(header + body)
            rows.append(f"| `{name}.ttf` | {family_name(package)} {weight} | {category} | {split} "
                        f"| {'a-z' if small else '0-9A-Za-z'} "
                        f"| {licence_name(licence)} | [text](licenses/{package}.txt) "
                        f"| `@fontsource/{package}` {VERSION} |")
            variant = {"train": "Train", "held-out": "HeldOut", "extra": "Extra"}[split]
            consts = extra if split == "extra" else embedded
            consts.append(f'    font!("{name}", "{family_name(package)}", '
                          f"{category.capitalize()}, {variant}),")
    (fonts / "README.md").write_text(README.replace("ROWS", "\n".join(rows)))
    table = TABLE_RS
    for place, consts in [("EMBEDDED", embedded), ("EXTRA", extra)]:
        table = table.replace(f"{place}_ROWS", "\n".join(consts))
        table = table.replace(f"{place}_COUNT", str(len(consts)))
    source_rs.write_text(table)


README = """# Embedded fonts

Written by `fetch.py`; change it there. Each file holds the outlines of the column "characters"
only, without hinting or layout tables, under a neutral name, because some licences reserve the
original name. The column "from the family" names the original. Fonts of the split `held-out` are
never used for training; they measure how well a model reads fonts it has not seen. Fonts of the
split `extra` are used for training only, and embedded with the feature `extra-fonts` only.
`confusable.txt` lists the characters that a font draws alike.

| file | from the family | category | split | characters | licence | its text | source |
| --- | --- | --- | --- | --- | --- | --- | --- |
ROWS
"""

TABLE_RS = """//! The table of embedded fonts. Written by `fonts/fetch.py`; change it there.

use std::sync::OnceLock;

use super::{Font, FontCategory::*, FontSet::*};

macro_rules! font {
    ($name:literal, $family:literal, $category:ident, $set:ident) => {
        Font {
            name: $name,
            family: $family,
            category: $category,
            set: $set,
            data: include_bytes!(concat!("../../fonts/", $name, ".ttf")),
            outlines: OnceLock::new(),
            complete: OnceLock::new(),
        }
    };
}

/// The fonts that are always embedded, ordered by category, training fonts before held-out fonts.
pub(super) static FONTS: [Font; EMBEDDED_COUNT] = [
EMBEDDED_ROWS
];

/// The extra fonts for training.
#[cfg(feature = "extra-fonts")]
pub(super) static EXTRA_FONTS: [Font; EXTRA_COUNT] = [
EXTRA_ROWS
];
"""


def main():
    source_rs = HERE.parent / "src" / "fonts" / "table.rs"
    if sys.argv[1:] != ["--check"]:
        source_rs.parent.mkdir(parents=True, exist_ok=True)
        build(HERE, source_rs)
        return
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        build(fresh, fresh / "table.rs")
        pairs = [(p, source_rs if p.name == "table.rs" else HERE / p.relative_to(fresh))
                 for p in sorted(fresh.rglob("*")) if p.is_file()]
        differing = [str(old) for new, old in pairs
                     if not old.is_file() or not filecmp.cmp(new, old, shallow=False)]
    if differing:
        sys.exit("differs from what fetch.py builds:\n" + "\n".join(differing))
    print(f"{len(pairs)} files as fetch.py builds them")


if __name__ == "__main__":
    main()
