// @ts-check
/** Paints attention on canvases and behind numbers. */

import { colorize, tint } from "../../lib/colormap.js";
import { rawField, smoothField } from "../../lib/overlay.js";

/** @import { Grid } from "../../lib/types.js" */

/**
 * Options of a heatmap: `peak` is the weight with the strongest colour; `smooth` interpolates
 * between the cells of the grid.
 *
 * @typedef {{ grid: Grid, peak: number, smooth: boolean }} Paint
 */

/**
 * Paints attention on a canvas, which CSS stretches over the image.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} attention
 * @param {Paint} paint
 */
export function paintAttention(canvas, attention, { grid, peak, smooth }) {
  const field = (smooth ? smoothField : rawField)(attention, grid, peak);
  canvas.width = field.width;
  canvas.height = field.height;
  canvas.classList.toggle("raw", !smooth);
  put(canvas, new ImageData(colorize(field.values), field.width, field.height));
}

/**
 * Paints the colour scale of the legend.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} heat at its end, from 0 to 1
 */
export function paintScale(canvas, heat) {
  const last = canvas.width - 1;
  const steps = Float32Array.from({ length: canvas.width }, (_, i) => (heat * i) / last);
  put(canvas, new ImageData(colorize(steps), canvas.width, 1));
}

/**
 * Colours the background of a number.
 *
 * @param {HTMLElement} number
 * @param {number} heat from 0 to 1
 */
export function paintTint(number, heat) {
  number.style.backgroundColor = tint(heat);
}

/**
 * Whether an image is dark, so that the heatmap lightens it. It darkens other images. Both keep the
 * contrast of the characters better than a colour that covers them.
 *
 * @param {HTMLImageElement} picture
 */
export function isDark(picture) {
  const size = 16;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  if (!context) return false;
  context.fillStyle = "white";
  context.fillRect(0, 0, size, size);
  context.drawImage(picture, 0, 0, size, size);
  const { data } = context.getImageData(0, 0, size, size);
  let light = 0;
  for (let i = 0; i < data.length; i += 4) {
    light += 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
  }
  return light / (size * size) < 100;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} pixels
 */
function put(canvas, pixels) {
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}
