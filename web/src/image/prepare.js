// @ts-check
/**
 * Converts a file to one that the engine can decode: draws SVG, which neither the engine nor a worker
 * can, and scales down or rejects a picture with too many pixels before it is decoded.
 */

import { LensError } from "../lib/errors.js";
import { MAX_PIXELS } from "../lib/source.js";
import { runImageTask } from "./image-worker-client.js";

/** @import { Size } from "./crop-geometry.js" */

/** Larger pictures are rejected: decoded, they would take half a gigabyte. */
const MAX_DECODED_PIXELS = 120_000_000;
/** Pictures above the limit of the engine are scaled down to this number of pixels. */
const SHRUNK_PIXELS = 16_000_000;
/** The maximum size of an SVG file, in bytes. */
const MAX_SVG = 5_000_000;
/** The minimum and maximum of the longer side of a drawn SVG, in pixels. */
const [MIN_SVG_SIZE, MAX_SVG_SIZE] = [600, 2400];
const SVG_TYPE = "image/svg+xml";
const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
/** The start of an SVG file: the element, after declarations and comments. */
const SVG_START = /^\s*(<\?[^>]*>\s*|<!--[^]*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/i;

/**
 * Whether a picture is small enough to be decoded.
 *
 * @param {Size} size
 */
function isWithinPixelLimit({ width, height }) {
  return width * height <= MAX_DECODED_PIXELS;
}

/**
 * @param {Blob} file
 * @returns {Promise<{ file: Blob, note: string | null }>} the file itself, or a PNG file and a
 *   note about it
 * @throws {LensError} `image-too-large`, `unreadable-image`
 */
export async function prepare(file) {
  if (await isSvg(file)) return { file: await drawSvg(file), note: null };
  const size = await sizeOf(file);
  const pixels = size ? size.width * size.height : 0;
  if (!size || pixels <= MAX_PIXELS) return { file, note: null };
  const words = `${size.width} × ${size.height} pixels`;
  if (!isWithinPixelLimit(size)) {
    throw tooLarge(`${words}, at most ${MAX_DECODED_PIXELS / 1e6} megapixels`);
  }
  const shrunk = await runImageTask("shrink", { file, size, pixels: SHRUNK_PIXELS }).catch(() => {
    throw tooLarge(words);
  });
  return { file: shrunk, note: `The image is large (${words}), so it is read at a smaller size.` };
}

/** @param {string} how */
function tooLarge(how) {
  const message = `This image is too large (${how}). Crop it or make it smaller, then try again.`;
  return new LensError("image-too-large", message);
}

/**
 * The size of a picture. The browser knows it before it decodes a picture that is not on the page.
 *
 * @param {Blob} file
 * @returns {Promise<Size | null>} `null` if the browser cannot show it
 */
async function sizeOf(file) {
  const address = URL.createObjectURL(file);
  const image = new Image();
  try {
    const loaded = new Promise((resolve) => {
      image.onload = () => resolve(true);
      image.onerror = () => resolve(false);
    });
    image.src = address;
    return (await loaded) ? { width: image.naturalWidth, height: image.naturalHeight } : null;
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** @param {Blob} file */
async function isSvg(file) {
  if (file.type === SVG_TYPE) return true;
  // A file that cannot be read fails later, with its own error.
  const start = await file
    .slice(0, 4096)
    .text()
    .catch(() => "");
  return SVG_START.test(start);
}

/**
 * Draws an SVG file as an image. This runs no script and loads nothing.
 *
 * @param {Blob} file
 * @returns {Promise<Blob>} a PNG file
 */
async function drawSvg(file) {
  if (file.size > MAX_SVG) throw tooLarge(`more than ${MAX_SVG / 1e6} MB of SVG`);
  try {
    const { text, width, height } = sizedSvg(await file.text());
    const image = new Image();
    image.src = `data:${SVG_TYPE},${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.drawImage(image, 0, 0, width, height);
    return await canvas.convertToBlob({ type: "image/png" });
  } catch {
    throw new LensError(
      "unreadable-image",
      "This SVG image cannot be drawn. Save it again, or use a PNG version.",
    );
  }
}

/**
 * The SVG with a size in pixels that suits recognition.
 *
 * @param {string} text
 */
function sizedSvg(text) {
  // SVG that is copied from a page may have no namespace.
  const named = /\sxmlns\s*=/.test(text)
    ? text
    : text.replace(/<svg/i, `$& xmlns="${SVG_NAMESPACE}"`);
  const root = new DOMParser().parseFromString(named, SVG_TYPE).documentElement;
  if (root.localName !== "svg") throw new Error("This is not an SVG image.");
  const pixels = (/** @type {string} */ name) =>
    Number(/^\s*([\d.]+)(px)?\s*$/.exec(root.getAttribute(name) ?? "")?.[1]) || 0;
  const view = (root.getAttribute("viewBox") ?? "")
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const [viewWidth, viewHeight] = view[2] > 0 && view[3] > 0 ? view.slice(2) : [0, 0];
  const ratio = viewWidth && viewHeight ? viewWidth / viewHeight : 2; // the default of browsers
  const width = pixels("width") || pixels("height") * ratio || viewWidth || 300;
  const height = pixels("height") || width / ratio;
  // The content scales with the size only if there is a `viewBox`.
  if (!viewWidth) root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const longer = Math.max(width, height);
  const scale = Math.min(Math.max(longer, MIN_SVG_SIZE), MAX_SVG_SIZE) / longer;
  const side = (/** @type {number} */ length) => Math.max(1, Math.round(length * scale));
  root.setAttribute("width", String(side(width)));
  root.setAttribute("height", String(side(height)));
  const sized = new XMLSerializer().serializeToString(root);
  return { text: sized, width: side(width), height: side(height) };
}
