"""Draws images that hold no text, or characters that no Latin alphabet has, to see how sure the
network is of them.

    pip install pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
    apt-get install fonts-dejavu
    python tests/compare/unreadable.py OUT
    captcha-lens recognize --json --weights general OUT/photo/* > photo.jsonl
    python tests/compare/unreadable.py --count-sure 0.9 photo.jsonl

OUT gets three folders: `photo` (parts of photos of scikit-image), `blank` (plain, gradient, noise,
strokes) and `unknown` (Cyrillic, Greek, Georgian and Armenian characters that look like no digit and
no Latin letter).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PHOTOS = """astronaut.png brick.png camera.png chelsea.png coffee.png coins.png grass.png gravel.png
hubble_deep_field.jpg moon.png retina.jpg rocket.jpg""".split()
FONTS = "DejaVuSans DejaVuSans-Bold DejaVuSerif DejaVuSerif-Bold DejaVuSansCondensed".split()
UNKNOWN = [
    "ЖДЙЛЦЩЪЫЭЮЯФШждйлцщъыэюяф",
    "ΓΔΘΛΞΠΣΦΨΩδθλξπφψ",
    "აგდვზთლმნპჟრსტფქღყშჩცძწჭჯ",
    "ԲԴԸԺԽԾԿՁՂՃՄՅՆՇՉՊՋՎՐՔ",
]


def size(random):
    """Width and height of a usual CAPTCHA."""
    height = int(random.integers(40, 120))
    return int(height * random.uniform(1.5, 4)), height


def photo(random):
    from skimage import data

    folder = Path(data.__file__).parent
    image = Image.open(folder / random.choice(PHOTOS)).convert("RGB")
    width, height = size(random)
    largest = min(image.width / width, image.height / height)
    zoom = largest * random.uniform(0.25, 1)
    part = int(width * zoom), int(height * zoom)
    x, y = (random.integers(0, room + 1) for room in np.subtract(image.size, part))
    return image.crop((x, y, x + part[0], y + part[1])).resize((width, height))


def background(random, width, height):
    first, second = random.integers(120, 256, (2, 3))
    kind = random.integers(3)
    across = np.linspace(0, 1, width)[None, :, None] * (kind > 0)
    noise = random.normal(0, 12, (height, width, 3)) * (kind > 1)
    pixels = first * (1 - across) + second * across + noise
    return Image.fromarray(np.broadcast_to(pixels, (height, width, 3)).clip(0, 255).astype(np.uint8))


def strokes(image, random, count):
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        ends = [(random.uniform(0, image.width), random.uniform(0, image.height)) for _ in range(2)]
        draw.line(ends, fill=tuple(random.integers(0, 200, 3).tolist()), width=int(random.integers(1, 4)))


def blank(random):
    image = background(random, *size(random))
    strokes(image, random, int(random.integers(0, 8)))
    return image


def unknown(random):
    width, height = size(random)
    image = background(random, width, height)
    strokes(image, random, int(random.integers(0, 3)))
    text = "".join(random.choice(list(random.choice(UNKNOWN)), random.integers(3, 8)))
    cell = width / (len(text) + 1)
    font = ImageFont.truetype(f"{random.choice(FONTS)}.ttf", min(0.7 * height, 1.3 * cell))
    for index, character in enumerate(text):
        tile = Image.new("L", (height, height))
        ImageDraw.Draw(tile).text((height / 2, height / 2), character, fill=255, font=font, anchor="mm")
        tile = tile.rotate(random.uniform(-20, 20), Image.Resampling.BICUBIC)
        at = int((index + 1) * cell - height / 2), int(random.uniform(-0.08, 0.08) * height)
        image.paste(tuple(random.integers(0, 110, 3).tolist()), at, tile)
    return image


def draw(out, count, seed):
    for number, kind in enumerate((photo, blank, unknown)):
        folder = out / kind.__name__
        folder.mkdir(parents=True)
        for index in range(count):
            kind(np.random.default_rng([seed, number, index])).save(folder / f"{index:04}.png")


def count_sure(confidence, file):
    readings = [json.loads(line) for line in file.read_text().splitlines()]
    sure = [reading["text"] for reading in readings if reading["confidence"] > confidence]
    with_text = [text for text in sure if text]
    print(f"{len(with_text)} of {len(readings)} have a text with a confidence above {confidence:g}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path, help="a folder to write, or readings to count")
    parser.add_argument("--count", type=int, default=500, help="images of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count-sure", type=float, metavar="CONFIDENCE")
    options = parser.parse_args()
    if options.count_sure is None:
        draw(options.path, options.count, options.seed)
    else:
        count_sure(options.count_sure, options.path)


if __name__ == "__main__":
    main()
