"""Compares captcha-lens with other programs that read text CAPTCHAs, without training any of them.

    python -m venv peers && peers/bin/pip install -r tests/compare/peers-requirements.txt
    cargo build --release -p captcha-cli
    peers/bin/python tests/compare/peers.py FOLDER ... --json peers.json

Each FOLDER has images and a labels.csv with the columns `file` and `label`, or is written by
`captcha-lens generate` (spec_train_val.txt). Every reader gets the same files: RGB as PNG,
transparent pixels blended with white. An image is solved if the whole text is equal to the label.
A column tells the same with the case of letters ignored. Labels that a reader cannot write, answers
that are empty and errors of a reader count as not solved. Images that Pillow cannot open are counted
apart and left out for all readers.

The time is from the bytes of a file to the text, one image at a time, on the CPU with the threads
that each reader uses by default; loading the network is not in it.
"""

import argparse
import csv
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
Z = 1.96  # 97.5% quantile of the normal distribution
CHUNK = 500  # images in one call of the command line


def wilson(part, whole):
    """95% interval of a share (Wilson 1927)."""
    if whole == 0:
        return 0.0, 1.0
    share, scale = part / whole, 1 + Z * Z / whole
    centre = (share + Z * Z / (2 * whole)) / scale
    reach = Z * math.sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole)) / scale
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def on_white(path):
    """The image as an RGB PNG, its transparent pixels blended with white."""
    with Image.open(path) as image:
        image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    png = BytesIO()
    Image.alpha_composite(white, image).convert("RGB").save(png, "PNG")
    return png.getvalue()


def labelled(folder, limit):
    """Pairs of file name and label of a folder."""
    path, spec = folder / "labels.csv", folder / "spec_train_val.txt"
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"file", "label"} <= set(rows.fieldnames or []):
                sys.exit(f"{path} needs a first line with the columns file,label")
            pairs = [(row["file"], row["label"]) for row in rows]
    elif spec.is_file():
        lines = [line.split() for line in spec.read_text(encoding="utf-8").splitlines()]
        pairs = [(f"{line[0]}.png", line[1]) for line in lines if len(line) == 2]
    else:
        sys.exit(f"{folder} needs a labels.csv with the columns file,label")
    return pairs[:limit]


class Lens:
    """`captcha-lens recognize`."""

    name = "captcha-lens"

    def __init__(self, program, weights):
        self.command = [str(program), "recognize", "--json"]
        if weights:
            self.command += ["--weights", str(weights)]
            self.name += f" ({weights.name})"
        try:
            told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{program} does not run ({error}): build it, or name it with --program")
        self.version = told.stdout.split()[-1]

    def read(self, images):
        """Texts, `None` where it failed, and the seconds for all images."""
        texts, seconds = [], 0.0
        with tempfile.TemporaryDirectory() as folder:
            for start in range(0, len(images), CHUNK):
                names = []
                for index, png in enumerate(images[start : start + CHUNK]):
                    names.append(f"{index}.png")
                    (Path(folder) / names[-1]).write_bytes(png)
                # The exit status is 1 if one image failed; the lines tell which.
                run = subprocess.run(
                    [*self.command, *names], cwd=folder, capture_output=True, text=True
                )
                lines = [json.loads(line) for line in run.stdout.splitlines()]
                if len(lines) != len(names):
                    sys.exit(f"{self.command[0]} failed: {run.stderr.strip()}")
                texts += [line.get("text") for line in lines]
                seconds += sum(line.get("milliseconds", 0.0) for line in lines) / 1e3
        return texts, seconds


class Package:
    """A Python package; `call` gives the text of a PNG."""

    def __init__(self, name, call):
        self.name, self.version, self.call = name, version(name), call

    def read(self, images):
        """Texts, `None` where it failed, and the seconds for all images."""
        texts, seconds = [], 0.0
        for png in images:
            started = time.perf_counter()
            try:
                text = self.call(png)
            except Exception as error:  # whatever a package raises
                print(f"{self.name}: {error}", file=sys.stderr)
                text = None
            seconds += time.perf_counter() - started
            texts.append(text)
        return texts, seconds


def packages():
    """The peers."""
    import captcha_whisperer
    import ddddocr

    classic = ddddocr.DdddOcr(show_ad=False)
    whisperer = captcha_whisperer.CaptchaRecognizer()
    return [
        Package("ddddocr", classic.classification),
        Package("captcha-whisperer", lambda png: whisperer.recognize_bytes(png)["text"]),
    ]


def score(reader, images, labels):
    """The result of a reader on the images of a folder."""
    reader.read(images[:1])  # the first call is slower
    texts, seconds = reader.read(images)
    pairs = list(zip(texts, labels))
    known = [(text, label) for text, label in pairs if text is not None]
    solved = {
        "exact": sum(text == label for text, label in known),
        "caseIgnored": sum(text.casefold() == label.casefold() for text, label in known),
    }
    count = len(images)
    return {
        "reader": reader.name,
        "version": reader.version,
        "images": count,
        "failed": count - len(known),
        **{
            name: {"solved": part, "share": part / max(count, 1), "interval": wilson(part, count)}
            for name, part in solved.items()
        },
        "imagesPerSecond": count / seconds if seconds else None,
    }


def measure(folder, readers, limit):
    """The results of all readers on a folder."""
    images, labels, unreadable = [], [], 0
    for name, label in labelled(folder, limit):
        try:
            images.append(on_white(folder / name))
            labels.append(label)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            unreadable += 1
            print(f"{folder / name}: {error}", file=sys.stderr)
    results = []
    for reader in readers:
        results.append(score(reader, images, labels))
        print(f"{folder}: {reader.name} is done", file=sys.stderr)
    return {"images": len(images), "unreadable": unreadable, "results": results}


def table(sets):
    """The results as a Markdown table."""

    def told(part):
        low, high = (100 * end for end in part["interval"])
        return f"{100 * part['share']:.1f}% ({part['solved']})", f"{low:.1f} to {high:.1f}%"

    lines = [
        "| set | images | unreadable | reader | solved | 95% interval | case ignored | 95% interval | images/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in sets.items():
        for result in one["results"]:
            speed = result["imagesPerSecond"]
            cells = [
                name,
                one["images"],
                one["unreadable"],
                f"{result['reader']} {result['version']}",
                *told(result["exact"]),
                *told(result["caseIgnored"]),
                f"{speed:.1f}" if speed else "",
            ]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def set_names(folders):
    """A short name for each folder: as many of its last parts as tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    sys.exit("a folder is named twice")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument(
        "--program",
        type=Path,
        default=ROOT / "target" / "release" / "captcha-lens",
        help="the command line of captcha-lens (default: %(default)s)",
    )
    parser.add_argument("--weights", type=Path, help="weights for captcha-lens (default: built-in)")
    parser.add_argument("--limit", type=int, help="use only the first images of each folder")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    names = set_names(options.folders)
    weights = options.weights and options.weights.resolve()
    readers = [Lens(options.program.resolve(), weights), *packages()]
    sets = {
        name: measure(folder, readers, options.limit)
        for name, folder in zip(names, options.folders)
    }
    print(table(sets))
    if options.json:
        told = {"python": platform.python_version(), "machine": platform.machine(), "sets": sets}
        options.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
