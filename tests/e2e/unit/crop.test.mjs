// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  WHOLE,
  drag,
  fit,
  isWhole,
  minBoxSize,
  rotate,
  rotatedSize,
} from "../../../web/src/image/crop-geometry.js";
import { findCaptcha } from "../../../web/src/image/detect-captcha.js";
import { tilesOf } from "../../../web/src/image/crop-image.js";

/** @import { Box, Handle } from "../../../web/src/image/crop-geometry.js" */

const BOX = { x: 0.2, y: 0.3, width: 0.4, height: 0.2 };

const LEAST = { width: 0.04, height: 0.02 };

/** @param {Box} box @param {Box} wanted @param {number} [slack] */
function near(box, wanted, slack = 1e-9) {
  for (const key of /** @type {const} */ (["x", "y", "width", "height"])) {
    assert.ok(
      Math.abs(box[key] - wanted[key]) <= slack,
      `${key}: ${JSON.stringify(box)} is not ${JSON.stringify(wanted)}`,
    );
  }
}

describe("crop box", () => {
  test("moves and stops at the edge of the image", () => {
    near(drag(BOX, "move", 0.1, -0.1, LEAST), { ...BOX, x: 0.3, y: 0.2 });
    near(drag(BOX, "move", 5, -5, LEAST), { ...BOX, x: 0.6, y: 0 });
  });

  test("is resized by its edges and corners while the others stay", () => {
    near(drag(BOX, "w", -0.1, 0.7, LEAST), { ...BOX, x: 0.1, width: 0.5 });
    near(drag(BOX, "s", 0.7, 0.1, LEAST), { ...BOX, height: 0.3 });
    near(drag(BOX, "ne", 0.1, 0.1, LEAST), { x: 0.2, y: 0.4, width: 0.5, height: 0.1 });
  });

  test("stays inside the image and above its minimum size", () => {
    for (const handle of /** @type {Handle[]} */ (["n", "e", "s", "w", "ne", "se", "sw", "nw"])) {
      for (const by of [-9, 9]) {
        const { x, y, width, height } = drag(BOX, handle, by, by, LEAST);
        assert.ok(x >= 0 && y >= 0 && x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9, handle);
        assert.ok(width >= LEAST.width - 1e-9 && height >= LEAST.height - 1e-9, handle);
      }
    }
  });

  test("can be as small as a CAPTCHA in a large screenshot", () => {
    const { width, height } = minBoxSize({ width: 1440, height: 6000 });
    assert.ok(width * 1440 <= 60 && height * 6000 <= 20, `${width * 1440} x ${height * 6000}`);
    assert.deepEqual(minBoxSize({ width: 100, height: 50 }), { width: 0.04, height: 0.04 });
  });

  test("rotates with the image and returns after four quarter turns", () => {
    let part = { box: BOX, turns: 0, angle: 3 };
    part = rotate(part, 1);
    assert.equal(part.turns, 1);
    near(part.box, { x: 0.5, y: 0.2, width: 0.2, height: 0.4 });
    near(rotate(part, -1).box, BOX);
    for (let i = 0; i < 3; i++) part = rotate(part, 1);
    near(part.box, BOX);
    assert.deepEqual([part.turns, part.angle], [0, 3]);
  });

  test("is the whole image only when nothing is cropped or rotated", () => {
    assert.ok(isWhole({ box: WHOLE, turns: 0, angle: 0 }));
    assert.ok(!isWhole({ box: WHOLE, turns: 2, angle: 0 }));
    assert.ok(!isWhole({ box: WHOLE, turns: 0, angle: -0.5 }));
    assert.ok(!isWhole({ box: BOX, turns: 0, angle: 0 }));
  });
});

test("sizes rotate and shrink to a limit, and never grow", () => {
  assert.deepEqual(rotatedSize({ width: 6, height: 3 }, 3), { width: 3, height: 6 });
  assert.deepEqual(fit({ width: 1200, height: 600 }, 400), { width: 400, height: 200 });
  assert.deepEqual(fit({ width: 30, height: 20 }, 400), { width: 30, height: 20 });
  assert.deepEqual(fit({ width: 9000, height: 2 }, 400), { width: 400, height: 1 });
});

test("tiles cover a large image, overlap by a third, and are limited in number", () => {
  assert.deepEqual(tilesOf({ width: 1366, height: 768 }, 1440), []);
  for (const size of [
    { width: 1440, height: 6000 },
    { width: 3840, height: 2160 },
    { width: 1000, height: 40_000 },
    { width: 6000, height: 6000 },
  ]) {
    const tiles = tilesOf(size, 1440);
    assert.ok(tiles.length > 1 && tiles.length <= 40, `${tiles.length} for ${size.height}`);
    const [wide, tall] = [200 / size.width, 100 / size.height];
    for (let at = 0; at <= 1; at += 0.013) {
      for (const [x, y] of [
        [at * (1 - wide), 0.37 * (1 - tall)],
        [0.61 * (1 - wide), at * (1 - tall)],
      ]) {
        const holds = (/** @type {Box} */ tile) =>
          tile.x <= x + 1e-9 &&
          tile.y <= y + 1e-9 &&
          tile.x + tile.width >= x + wide - 1e-9 &&
          tile.y + tile.height >= y + tall - 1e-9;
        assert.ok(tiles.some(holds), `${x}, ${y} of ${JSON.stringify(size)}`);
      }
    }
  }
});

describe("CAPTCHA detection", () => {
  const CAPTCHA = { x: 0.3, y: 0.35, width: 0.4, height: 0.3 };

  test("finds the CAPTCHA among text, a field and a button", () => {
    near(findCaptcha(page(CAPTCHA).pixels), CAPTCHA, 0.05);
  });

  test("finds the CAPTCHA in a card on a dark page", () => {
    const made = paper(400, 300, DARK);
    made.fill(60, 40, 340, 280, WHITE);
    made.text(130, 60, 180, BLACK);
    made.captcha(120, 105, 160, 90);
    near(findCaptcha(made.pixels), { x: 0.3, y: 0.35, width: 0.4, height: 0.3 }, 0.05);
  });

  test("finds a CAPTCHA alone on a large page, with a margin", () => {
    const made = paper(400, 300, WHITE);
    made.captcha(40, 150, 150, 75);
    const { x, y, width, height } = findCaptcha(made.pixels);
    assert.ok(x <= 0.1 && y <= 0.5 && x + width >= 0.475 && y + height >= 0.75);
    assert.ok(width * height < 0.15);
  });

  test("returns the whole image when it is a CAPTCHA", () => {
    const made = paper(400, 213, WHITE);
    made.captcha(0, 0, 400, 213);
    near(findCaptcha(made.pixels), WHOLE, 0.1);
  });

  test("returns the whole image for characters without a background", () => {
    const made = paper(400, 213, WHITE);
    for (let i = 0; i < 5; i++) made.fill(120 + 30 * i, 80, 135 + 30 * i, 130, COLOURS[i]);
    near(findCaptcha(made.pixels), WHOLE);
  });

  test("returns the whole image when it is blank or contains only text", () => {
    near(findCaptcha(paper(400, 300, WHITE).pixels), WHOLE);
    near(findCaptcha(paper(1, 1, WHITE).pixels), WHOLE);
    const made = paper(400, 300, WHITE);
    for (let y = 20; y < 280; y += 12) made.text(20, y, 300, BLACK);
    near(findCaptcha(made.pixels), WHOLE);
  });

  test("is deterministic", () => {
    const { pixels } = page(CAPTCHA);
    assert.deepEqual(findCaptcha(pixels), findCaptcha(pixels));
  });
});

const [WHITE, BLACK, DARK] = [0xffffff, 0x202020, 0x1c1e24];
const COLOURS = [0xc01818, 0x18a030, 0x2040d0, 0xd0a000, 0xa020b0, 0x10a0b0];

/** A page with a CAPTCHA at this position. @param {Box} at */
function page({ x, y, width, height }) {
  const made = paper(400, 300, WHITE);
  made.fill(0, 0, 400, 20, 0x183860);
  for (const line of [35, 50, 62, 240, 252, 264, 276]) made.text(120, line, 230, BLACK);
  made.captcha(x * 400, y * 300, width * 400, height * 300);
  made.fill(120, 202, 200, 203, 0x999999);
  made.fill(120, 215, 160, 230, 0x1e5ac8);
  return made;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} ground
 */
function paper(width, height, ground) {
  const data = new Uint8ClampedArray(4 * width * height);
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ colour) =>
    data.set([colour >> 16, (colour >> 8) & 255, colour & 255, 255], 4 * (y * width + x));
  /** @type {(left: number, top: number, right: number, bottom: number, colour: number) => void} */
  const fill = (left, top, right, bottom, colour) => {
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) set(x, y, colour);
  };
  fill(0, 0, width, height, ground);
  return {
    pixels: { data, width, height },
    fill,
    /**
     * Bars that look like a line of small text. @type {(x: number, y: number, length: number,
     * colour: number) => void}
     */
    text(x, y, length, colour) {
      for (let at = 0; at + 4 < length; at += at % 35 === 28 ? 7 : 4) {
        fill(x + at, y, x + at + 2, y + 5 + (at % 3), colour);
      }
    },
    /**
     * Coloured characters, strokes and noise. @type {(x: number, y: number, w: number, h: number)
     * => void}
     */
    captcha(x, y, w, h) {
      for (let i = 0; i < 5; i++) {
        const left = Math.round(x + w * (0.1 + 0.17 * i));
        const top = Math.round(y + h * (0.3 + 0.05 * (i % 3)));
        const right = left + Math.round(w * 0.1);
        fill(left, top, right, Math.round(top + h * 0.35), COLOURS[i]);
      }
      for (let i = 0; i < 6; i++) {
        for (let step = 0; step < w; step++) {
          const down = i % 2 ? step / w : 1 - step / w;
          const row = Math.round(y + (h - 3) * Math.min(Math.max(down + (i - 2.5) / 8, 0), 1));
          fill(x + step, row, x + step + 1, row + 2, COLOURS[i]);
        }
      }
      for (let i = 0; i < (w * h) / 60; i++) {
        set(x + ((i * 7919) % w), y + ((i * 104729) % (h - 1)), COLOURS[i % 6]);
      }
    },
  };
}
