// @ts-check
/**
 * The colours of attention: the colormap cividis, which is perceptually uniform, also for colour-blind people
 * (Nuñez, Anderton and Renslow, 2018, https://doi.org/10.1371/journal.pone.0199239).
 */

/** Thirteen evenly spaced stops, as red, green and blue. */
const STOPS = [
  [0, 34, 78],
  [0, 49, 112],
  [42, 63, 109],
  [67, 78, 108],
  [87, 93, 109],
  [106, 108, 113],
  [125, 124, 120],
  [145, 139, 120],
  [165, 156, 116],
  [188, 174, 108],
  [210, 192, 96],
  [233, 211, 78],
  [254, 232, 56],
];

/** The colormap as 256 RGBA pixels. */
const TABLE = Uint8ClampedArray.from({ length: 256 * 4 }, (_, i) => {
  const channel = i % 4;
  if (channel === 3) return 255;
  const position = ((i >> 2) / 255) * (STOPS.length - 1);
  const below = Math.min(Math.floor(position), STOPS.length - 2);
  const [from, to] = [STOPS[below][channel], STOPS[below + 1][channel]];
  return from + (to - from) * (position - below);
});

/**
 * The colours of a field.
 *
 * @param {Float32Array} heat values from 0 (dark) to 1 (bright)
 * @returns {Uint8ClampedArray<ArrayBuffer>} opaque RGBA pixels, as `ImageData` takes them
 */
export function colorize(heat) {
  const pixels = new Uint8ClampedArray(heat.length * 4);
  for (let i = 0; i < heat.length; i++) {
    const entry = Math.round(Math.min(Math.max(heat[i], 0), 1) * 255) * 4;
    pixels.set(TABLE.subarray(entry, entry + 4), i * 4);
  }
  return pixels;
}

/**
 * A colour of the map as a background, and the text colour with the best contrast on it.
 *
 * @param {number} value from 0 (dark) to 1 (bright)
 * @returns {{ ground: string, ink: string }} as CSS colours
 */
export function tint(value) {
  const [red, green, blue] = colorize(Float32Array.of(value));
  const light = (/** @type {number} */ channel) => (channel / 255) ** 2.2;
  const luminance = 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  // Black and white have equal contrast at this luminance: 1.05 / (l + 0.05) = (l + 0.05) / 0.05.
  const ink = luminance > 0.179 ? "#000" : "#fff";
  return { ground: `rgb(${red} ${green} ${blue})`, ink };
}
