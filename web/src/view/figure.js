// @ts-check
/**
 * A reading as a figure to keep: the picture once for each letter, with the attention over it, as
 * in the paper's Fig. 4. Drawn once, as SVG; its PNG is what the browser makes of that.
 */

import { peakOf } from "../overlay.js";
import { percent } from "../words.js";
import { paintAttention } from "./heat.js";

/** @import { Recognition } from "../types.js" */

/** Width of a letter's panel, the gap between two, and the room for words above. */
const PANEL = 280;
const GAP = 16;
const HEAD = 64;
/** Pixels of the PNG for one of the figure's own. */
const SCALE = 2;
const FONT = "system-ui, sans-serif";

/**
 * @param {HTMLImageElement} picture
 * @param {Recognition} recognition
 * @param {{ dark: boolean, smooth: boolean, opacity: number }} look
 * @returns {{ svg: string, width: number, height: number }}
 */
export function drawFigure(picture, recognition, { dark, smooth, opacity }) {
  const { letters, grid, width: imageWidth, height: imageHeight } = recognition;
  const panelHeight = (PANEL * imageHeight) / imageWidth;
  const width = letters.length * (PANEL + GAP) + GAP;
  const height = HEAD + panelHeight + GAP;
  const peak = peakOf(letters);
  const image = dataAddress(picture);
  const panels = letters.map(({ letter, confidence, attention }, i) => {
    const canvas = document.createElement("canvas");
    paintAttention(canvas, attention, { grid, peak, smooth });
    const x = GAP + i * (PANEL + GAP);
    const place = `x="${x}" y="${HEAD}" width="${PANEL}" height="${panelHeight}" preserveAspectRatio="none"`;
    const blend = `opacity: ${opacity}; mix-blend-mode: ${dark ? "screen" : "multiply"}; image-rendering: ${smooth ? "auto" : "pixelated"}`;
    return [
      `<text x="${x}" y="42" font-size="34" font-weight="700">${escape(letter)}</text>`,
      `<text x="${x + PANEL}" y="42" font-size="18" text-anchor="end">${escape(percent(confidence))}</text>`,
      `<image ${place} href="${image}"/>`,
      `<image ${place} href="${canvas.toDataURL()}" style="${blend}"/>`,
    ].join("\n");
  });
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONT}" fill="#0d1b33">`,
    `<title>${escape(recognition.text)}, ${escape(percent(recognition.confidence))} sure</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels,
    "</svg>",
  ].join("\n");
  return { svg, width, height };
}

/**
 * The figure as pixels.
 *
 * @param {{ svg: string, width: number, height: number }} figure
 * @returns {Promise<Blob>} a PNG file
 */
export async function toPng({ svg, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = new OffscreenCanvas(Math.round(width * SCALE), Math.round(height * SCALE));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/png" });
}

/** @param {HTMLImageElement} picture */
function dataAddress(picture) {
  const canvas = document.createElement("canvas");
  // No more pixels than the figure shows.
  const scale = Math.min(1, (PANEL * SCALE) / picture.naturalWidth);
  canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
  const context = canvas.getContext("2d");
  if (context) {
    context.fillStyle = "white"; // as the network sees what is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
  return canvas.toDataURL();
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
