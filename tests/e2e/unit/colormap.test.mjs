// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { HEAT, colorize, tint } from "../../../web/src/lib/colormap.js";

/** @typedef {number[]} Colour red, green and blue, from 0 to 255 */

/** @type {Colour} */
const WHITE = [255, 255, 255];
/** @type {Colour} */
const BLACK = [0, 0, 0];

/** Relative luminance, as WCAG 2 defines it. @param {Colour} colour */
function luminance(colour) {
  const [red, green, blue] = colour.map((byte) => {
    const share = byte / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Lightness (CIE L*) of an sRGB colour. @param {Colour} colour */
function lightness(colour) {
  const y = luminance(colour);
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

/** @param {Colour} one @param {Colour} other */
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** What the styles make of a pixel on an image. @param {Uint8ClampedArray} pixel @param {Colour} ground */
function multiplied([red, green, blue, alpha], ground) {
  return [red, green, blue].map((c, i) => ground[i] * (1 - (alpha / 255) * (1 - c / 255)));
}

/** The same on a dark image. @param {Uint8ClampedArray} pixel @param {Colour} ground */
function screened([red, green, blue, alpha], ground) {
  return [red, green, blue].map((c, i) => ground[i] + (alpha / 255) * c * (1 - ground[i] / 255));
}

/** The pixels of evenly rising weights. @param {number} steps */
function rising(steps) {
  const pixels = colorize(Float32Array.from({ length: steps + 1 }, (_, i) => i / steps));
  return Array.from({ length: steps + 1 }, (_, i) => pixels.subarray(i * 4, i * 4 + 4));
}

test("colormap opacity follows the weight and is clamped", () => {
  const pixels = colorize(Float32Array.of(-1, 0, 0.25, 0.5, 1, 2));
  const alphas = [0, 0, 64, 128, 255, 255];
  assert.deepEqual(
    [...pixels],
    alphas.flatMap((alpha) => [...HEAT, alpha]),
  );
});

test("colormap leaves an image as it is where the weight is zero", () => {
  const [nothing] = rising(1);
  for (const ground of [WHITE, BLACK, [12, 130, 240]]) {
    assert.deepEqual(multiplied(nothing, ground), ground);
    assert.deepEqual(screened(nothing, ground), ground);
  }
});

for (const [name, blend, ground] of /** @type {const} */ ([
  ["falls evenly on white", multiplied, WHITE],
  ["rises evenly on black", screened, BLACK],
])) {
  test(`colormap lightness ${name}`, () => {
    const values = rising(16).map((pixel) => lightness(blend(pixel, [...ground])));
    const step = (values[16] - values[0]) / 16;
    // Lightness alone tells the levels apart, whatever colours a person can see.
    assert.ok(Math.abs(values[16] - values[0]) > 35, `${values[0]} to ${values[16]}`);
    for (let i = 1; i <= 16; i++) {
      const ratio = (values[i] - values[i - 1]) / step;
      assert.ok(ratio > 0.4 && ratio < 1.7, `step ${i}: ${ratio} of the mean`);
    }
  });
}

test("colormap keeps the characters readable at the strongest weight", () => {
  const [, strongest] = rising(1);
  assert.ok(contrast(multiplied(strongest, WHITE), multiplied(strongest, BLACK)) >= 4.5);
  assert.ok(contrast(screened(strongest, WHITE), screened(strongest, BLACK)) >= 3);
});

test("colormap is seen on grounds of any colour", () => {
  const [, strongest] = rising(1);
  for (const ground of [
    [208, 32, 32],
    [240, 144, 48],
    [90, 143, 192],
    [107, 127, 58],
    [128, 128, 128],
  ]) {
    const change = lightness(ground) - lightness(multiplied(strongest, ground));
    assert.ok(change > 5, `${ground}: ${change}`);
  }
});

test("colormap tint keeps the contrast of numbers in both themes", () => {
  const themes = [
    { text: [13, 27, 51], surfaces: [WHITE, [244, 246, 250]] },
    {
      text: [233, 238, 247],
      surfaces: [
        [18, 27, 43],
        [10, 16, 27],
      ],
    },
  ];
  for (let i = -10; i <= 265; i++) {
    const [red, green, blue, opacity] = (tint(i / 255).match(/[\d.]+/g) ?? []).map(Number);
    for (const { text, surfaces } of themes) {
      for (const surface of surfaces) {
        const behind = [red, green, blue].map((c, k) => surface[k] + opacity * (c - surface[k]));
        assert.ok(contrast(text, behind) >= 4.5, `${text} on ${behind} at ${i}`);
      }
    }
  }
  assert.match(tint(0), / \/ 0\.000\)$/, "nothing where the weight is zero");
  assert.notEqual(tint(0.5), tint(1));
});
