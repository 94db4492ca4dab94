// @ts-check
/**
 * The colour of attention: one hue whose opacity follows the weight, so that nothing is drawn where the
 * network does not look. The levels differ in lightness on a white and on a black ground, and so remain
 * distinct for colour-blind people.
 */

/** Red, green and blue: an orange as far from white as from black, so that both can be read on it. */
export const HEAT = /** @type {const} */ ([220, 85, 0]);

/** Opacity of the strongest colour behind a number, which must remain readable in a light and a dark theme. */
const TINT_STRENGTH = 0.65;

/**
 * The colours of a field.
 *
 * @param {Float32Array} heat values from 0 (transparent) to 1 (opaque)
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA pixels, as `ImageData` takes them
 */
export function colorize(heat) {
  const pixels = new Uint8ClampedArray(heat.length * 4);
  for (let i = 0; i < heat.length; i++) {
    pixels.set(HEAT, i * 4);
    pixels[i * 4 + 3] = 255 * heat[i]; // rounded and clamped
  }
  return pixels;
}

/**
 * The colour behind a number, as CSS.
 *
 * @param {number} value from 0 (transparent) to 1
 */
export function tint(value) {
  const opacity = TINT_STRENGTH * Math.min(Math.max(value, 0), 1);
  return `rgb(${HEAT.join(" ")} / ${opacity.toFixed(3)})`;
}
