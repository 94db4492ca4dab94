// @ts-check
/**
 * Exports a reading as a figure with one panel for each character: the image under its attention,
 * as in Fig. 4 of the paper. PNG is drawn on a canvas, because not every browser renders images
 * inside SVG.
 */

import { isolated, percent, visibleCharacter } from "../../common/format.js";
import { maxWeight } from "../../lib/overlay.js";
import { certaintyOf, describeCertainty, describeReading } from "../../common/describe.js";
import { paintAttention } from "./heatmap.js";

/** @import { Recognition } from "../../lib/types.js" */

/** @typedef {{ dark: boolean, smooth: boolean, opacity: number }} HeatmapStyle */

/** Maximum number of panels side by side. */
const PANELS = 6;
/** Width of a panel, gap between panels, height of the header, and height of a line below. */
const PANEL = 280;
const GAP = 16;
const HEAD = 64;
const LINE = 28;
/** Scale of the PNG. */
const SCALE = 2;
const FONT = "system-ui, sans-serif";
/** Text colours of a certain and of an uncertain reading. */
const [INK, SOFT] = ["#0d1b33", "#5c6a83"];

/**
 * Computes the layout of a figure.
 *
 * @param {Recognition} recognition
 * @param {HeatmapStyle} style
 */
function layOut(recognition, { smooth }) {
  const { characters, grid } = recognition;
  const panelHeight = (PANEL * recognition.height) / recognition.width;
  const { verdict, title, share } = describeCertainty(recognition);
  const sure = certaintyOf(recognition) === "sure";
  const lines = sure
    ? []
    : [verdict, `${title}: ${isolated(recognition.text)}, ${share}`].filter(Boolean);
  const peak = maxWeight(characters);
  // Rows of about equal length.
  const rows = Math.max(Math.ceil(characters.length / PANELS), 1);
  const columns = Math.ceil(characters.length / rows);
  const panels = characters.map(({ character, confidence, attention }, i) => {
    const canvas = document.createElement("canvas");
    paintAttention(canvas, attention, { grid, peak, smooth });
    const [x, y] = [
      GAP + (i % columns) * (PANEL + GAP),
      Math.floor(i / columns) * (HEAD + panelHeight),
    ];
    return { x, y, character: visibleCharacter(character), share: percent(confidence), canvas };
  });
  const bottom = rows * (HEAD + panelHeight);
  return {
    panels,
    panelHeight,
    lines: lines.map((words, i) => ({ words, y: bottom + (i + 1) * LINE })),
    ink: sure ? INK : SOFT,
    // The lines of text need the width of two panels.
    width: Math.max(columns, sure ? 1 : 2) * (PANEL + GAP) + GAP,
    height: bottom + GAP + lines.length * LINE,
  };
}

/**
 * @param {HTMLImageElement} picture
 * @param {Recognition} recognition
 * @param {HeatmapStyle} style
 * @returns {string} an SVG file
 */
export function drawFigure(picture, recognition, style) {
  const { panels, panelHeight, lines, ink, width, height } = layOut(recognition, style);
  const { dark, smooth, opacity } = style;
  const image = dataAddress(picture);
  const blend = `opacity: ${opacity}; mix-blend-mode: ${dark ? "screen" : "multiply"}; image-rendering: ${smooth ? "auto" : "pixelated"}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONT}" fill="${ink}">`,
    `<title>${escape(describeReading(recognition))}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...panels.flatMap(({ x, y, character, share, canvas }) => {
      const place = `x="${x}" y="${y + HEAD}" width="${PANEL}" height="${panelHeight}" preserveAspectRatio="none"`;
      return [
        `<text x="${x}" y="${y + 42}" font-size="34" font-weight="700">${escape(character)}</text>`,
        `<text x="${x + PANEL}" y="${y + 42}" font-size="18" text-anchor="end">${escape(share)}</text>`,
        `<image ${place} href="${image}"/>`,
        `<image ${place} href="${canvas.toDataURL()}" style="${blend}"/>`,
      ];
    }),
    ...lines.map(
      ({ words, y }) => `<text x="${GAP}" y="${y}" font-size="18">${escape(words)}</text>`,
    ),
    "</svg>",
  ].join("\n");
}

/**
 * Draws the same figure as PNG.
 *
 * @param {HTMLImageElement} picture
 * @param {Recognition} recognition
 * @param {HeatmapStyle} style
 * @returns {Promise<Blob>} a PNG file
 */
export function paintFigure(picture, recognition, style) {
  const { panels, panelHeight, lines, ink, width, height } = layOut(recognition, style);
  const canvas = new OffscreenCanvas(Math.round(width * SCALE), Math.round(height * SCALE));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser could not create a canvas.");
  context.scale(SCALE, SCALE);
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  const write = (
    /** @type {string} */ font,
    /** @type {string} */ words,
    /** @type {number} */ x,
    /** @type {number} */ y,
  ) => {
    context.font = `${font} ${FONT}`;
    context.fillStyle = ink;
    context.fillText(words, x, y);
  };
  for (const { x, y, character, share, canvas: attention } of panels) {
    write("700 34px", character, x, y + 42);
    context.textAlign = "right";
    write("18px", share, x + PANEL, y + 42);
    context.textAlign = "left";
    context.drawImage(picture, x, y + HEAD, PANEL, panelHeight);
    context.save();
    context.globalAlpha = style.opacity;
    context.globalCompositeOperation = style.dark ? "screen" : "multiply";
    context.imageSmoothingEnabled = style.smooth;
    context.drawImage(attention, x, y + HEAD, PANEL, panelHeight);
    context.restore();
  }
  for (const { words, y } of lines) write("18px", words, GAP, y);
  return canvas.convertToBlob({ type: "image/png" });
}

/** @param {HTMLImageElement} picture */
function dataAddress(picture) {
  const canvas = document.createElement("canvas");
  // Not larger than the figure needs.
  const scale = Math.min(1, (PANEL * SCALE) / picture.naturalWidth);
  canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
  const context = canvas.getContext("2d");
  if (context) {
    context.fillStyle = "white"; // the model sees transparency as white
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  }
  return canvas.toDataURL();
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
