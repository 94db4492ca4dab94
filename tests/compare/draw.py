"""Draws CAPTCHAs in the paper's style, independently of the generator.

    pip install pillow==13.0.0 numpy==2.4.6
    python tests/compare/draw.py OUT
    captcha-lens evaluate OUT

The style follows measurements of the paper's images: 600 x 320, characters of any colour with an
x-height of 35 to 60 pixels, straight and curved strokes, noise. The words and the held-out fonts are
those of `captcha-synth`; the drawing code is not.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SYNTH = Path(__file__).parents[2] / "crates" / "synth"
FONTS = "brush-14 brush-15 marker-13 pen-13 pen-14 sans-09 sans-10".split()
WIDTH, HEIGHT = 600, 320
SCALE = 2  # supersampling, for antialiased edges
LINES, ARCS = (8, 14), (5, 9)  # number of strokes
STROKE_WIDTH = 3, 6
JITTER = 12  # of a character, up or down
NOISE = 0.0075  # share of the pixels


def color(random):
    return tuple(int(value) for value in random.integers(0, 231, 3))


def strokes(draw, random):
    width, height = WIDTH * SCALE, HEIGHT * SCALE
    thickness = lambda: int(random.integers(*STROKE_WIDTH, endpoint=True)) * SCALE
    for _ in range(random.integers(*LINES, endpoint=True)):
        x, y = random.uniform(0, width), random.uniform(0, height)
        angle, length = random.uniform(0, 2 * np.pi), random.uniform(60, 300) * SCALE
        end = x + length * np.cos(angle), y + length * np.sin(angle)
        draw.line([(x, y), end], fill=color(random), width=thickness())
    for _ in range(random.integers(*ARCS, endpoint=True)):
        x, y = random.uniform(-50, width), random.uniform(-50, height)
        size = random.uniform(40, 300) * SCALE, random.uniform(40, 160) * SCALE
        start = random.uniform(0, 360)
        end = start + random.uniform(60, 270)
        box = [x, y, x + size[0], y + size[1]]
        draw.arc(box, start, end, fill=color(random), width=thickness())


def characters(draw, random, word, font_file, x_height):
    _, top, _, bottom = ImageFont.truetype(font_file, 100).getbbox("x")
    size = 100 * x_height * SCALE / (bottom - top)
    gaps = random.uniform(0, 35 * SCALE, len(word))
    font = ImageFont.truetype(font_file, size)
    steps = np.array([font.getlength(character) for character in word]) + gaps
    room = WIDTH * SCALE
    if steps.sum() > room:
        shrink = 0.95 * room / steps.sum()
        font, steps = ImageFont.truetype(font_file, size * shrink), steps * shrink
    x = random.uniform(0, room - steps.sum())
    baseline = random.uniform(0.35, 0.8) * HEIGHT * SCALE
    for character, step in zip(word, steps):
        y = baseline + random.uniform(-JITTER, JITTER) * SCALE
        draw.text((x, y), character, font=font, fill=color(random), anchor="ls")
        x += step


def captcha(random, word, font_file, x_height):
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
    draw = ImageDraw.Draw(image)
    strokes(draw, random)
    characters(draw, random, word, font_file, x_height)
    pixels = np.array(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))
    noise = random.random((HEIGHT, WIDTH)) < NOISE
    pixels[noise] = random.integers(0, 256, (noise.sum(), 3))
    return Image.fromarray(pixels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--x-height", type=float, nargs=2, default=(35, 60), help="smallest and largest, in pixels")
    options = parser.parse_args()
    words = (SYNTH / "word_list" / "words.txt").read_text().split()
    options.out.mkdir(parents=True)
    labels = ["file,label"]
    for index in range(options.count):
        random = np.random.default_rng([options.seed, index])
        word = random.choice(words)
        font_file = SYNTH / "fonts" / f"{random.choice(FONTS)}.ttf"
        image = captcha(random, word, font_file, random.uniform(*options.x_height))
        image.save(options.out / f"{index}.png")
        labels.append(f"{index}.png,{word}")
    (options.out / "labels.csv").write_text("\n".join(labels) + "\n")


if __name__ == "__main__":
    main()
