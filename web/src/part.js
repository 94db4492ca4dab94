// @ts-check
/** Parts of picture files: where the CAPTCHA seems to be, and cutting a part out. */

import { WHOLE, fit, turnedSize } from "./crop.js";
import { guess } from "./guess.js";

/** @import { Box, Part, Size } from "./crop.js" */

/** Pictures with more pixels are left alone: decoded they take half a gigabyte. */
const MOST_PIXELS = 120_000_000;
/** Those with more than the engine takes are shrunk to this longer side as they are decoded. */
const ENGINE_PIXELS = 40_000_000;
const SHRUNK = 6000;
/** The longer side of what is looked at for the CAPTCHA, and the longest of what is cut out. */
const GLANCE = 400;
const LONGEST = 2400;
/** A guess is clear where it leaves out at least so much of the picture. */
const CLEAR = 0.4;

/**
 * Whether a picture can be held decoded.
 *
 * @param {Size} size
 */
export function isBearable({ width, height }) {
  return width * height <= MOST_PIXELS;
}

/**
 * The part that looks like a CAPTCHA, cut out.
 *
 * @param {Blob} file
 * @param {Size | null} size `null` where the browser cannot show it
 * @returns {Promise<{ file: Blob, part: Part } | null>} `null` where it is no clear case
 */
export async function findPart(file, size) {
  if (!size || !isBearable(size)) return null;
  try {
    const bitmap = await load(file, size, GLANCE);
    const box = guessOn(bitmap, { turns: 0, angle: 0 });
    bitmap.close();
    if (box.width * box.height > 1 - CLEAR) return null;
    const part = { box, turns: 0, angle: 0 };
    return { file: await cut(file, size, part), part };
  } catch {
    return null; // then the whole is read, or the engine says why not
  }
}

/**
 * Decodes a picture, not larger than needed.
 *
 * @param {Blob} file
 * @param {Size} size of the picture
 * @param {number} limit of the longer side
 */
export function load(file, size, limit) {
  const { width, height } = fit(size, limit);
  return createImageBitmap(file, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "medium",
  });
}

/**
 * Where the CAPTCHA seems to be on a picture that is turned.
 *
 * @param {ImageBitmap} bitmap
 * @param {{ turns: number, angle: number }} turned
 * @returns {Box}
 */
export function guessOn(bitmap, turned) {
  const size = fit(turnedSize(bitmap, turned.turns), GLANCE);
  const context = paint(
    bitmap,
    { ...turned, box: WHOLE },
    new OffscreenCanvas(size.width, size.height),
  );
  return guess(context.getImageData(0, 0, size.width, size.height));
}

/**
 * Cuts a part out.
 *
 * @param {Blob} file
 * @param {Size} whole size of the picture
 * @param {Part} part
 * @returns {Promise<Blob>} a PNG file
 */
export async function cut(file, whole, part) {
  const large = whole.width * whole.height > ENGINE_PIXELS;
  const bitmap = await (large ? load(file, whole, SHRUNK) : createImageBitmap(file));
  const { width, height } = turnedSize(bitmap, part.turns);
  const size = fit({ width: part.box.width * width, height: part.box.height * height }, LONGEST);
  const canvas = new OffscreenCanvas(size.width, size.height);
  paint(bitmap, part, canvas);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * Paints a part over all of a canvas.
 *
 * @template {HTMLCanvasElement | OffscreenCanvas} T
 * @param {ImageBitmap} bitmap
 * @param {Part} part
 * @param {T} canvas
 */
export function paint(bitmap, { box, turns, angle }, canvas) {
  const context =
    /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null} */ (
      canvas.getContext("2d")
    );
  if (!context) throw new Error("The browser gives no canvas.");
  const { width, height } = turnedSize(bitmap, turns);
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // as the network sees what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / (box.width * width), canvas.height / (box.height * height));
  context.translate((0.5 - box.x) * width, (0.5 - box.y) * height);
  context.rotate((turns * 90 + angle) * (Math.PI / 180));
  context.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  context.resetTransform();
  return context;
}
