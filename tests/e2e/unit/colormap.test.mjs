// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { colorize, tint } from "../../../web/src/lib/colormap.js";

/** Relative luminance, as WCAG 2 defines it. @param {ArrayLike<number>} pixel */
function luminance(pixel) {
  const [red, green, blue] = Array.from(pixel, (byte) => {
    const share = byte / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Lightness (CIE L*) of an sRGB colour. @param {Uint8ClampedArray} pixel */
function lightness(pixel) {
  const y = luminance(pixel);
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

test("colormap ends match cividis and are clamped", () => {
  const pixels = colorize(Float32Array.of(-1, 0, 1, 2));
  assert.deepEqual(
    [...pixels],
    [0, 34, 78, 255, 0, 34, 78, 255, 254, 232, 56, 255, 254, 232, 56, 255],
  );
});

test("colormap lightness rises evenly", () => {
  const steps = 32;
  const pixels = colorize(Float32Array.from({ length: steps + 1 }, (_, i) => i / steps));
  const values = Array.from({ length: steps + 1 }, (_, i) =>
    lightness(pixels.subarray(i * 4, i * 4 + 4)),
  );
  const rise = (values[steps] - values[0]) / steps;
  for (let i = 1; i <= steps; i++) {
    const step = values[i] - values[i - 1];
    assert.ok(step > 0.4 * rise && step < 1.7 * rise, `step ${i}: ${step} against ${rise}`);
  }
});

test("colormap tint keeps the contrast of numbers", () => {
  for (let i = 0; i <= 255; i++) {
    const { ground, ink } = tint(i / 255);
    const behind = luminance((ground.match(/\d+/g) ?? []).map(Number));
    const contrast = ink === "#fff" ? 1.05 / (behind + 0.05) : (behind + 0.05) / 0.05;
    assert.ok(contrast >= 4.5, `${ink} on ${ground}`);
  }
});
