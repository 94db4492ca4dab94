// @ts-check
/** Converts files that the engine cannot decode, but the browser may. */

import { LensError } from "../lib/errors.js";
import { WHOLE } from "./crop-geometry.js";
import { cropToBlob } from "./crop-image.js";

/** The engine's errors for too many bytes or pixels, or an unknown format. */
const REFUSALS = new Set(["image-too-large", "unreadable-image"]);

/**
 * Whether the engine may read the file in another encoding.
 *
 * @param {unknown} error of the engine
 * @returns {error is LensError}
 */
export function isRefusal(error) {
  return error instanceof LensError && REFUSALS.has(error.code);
}

/**
 * Decodes the image in the browser.
 *
 * @param {Blob} file
 * @returns {Promise<Blob>} a PNG file
 */
export function reencode(file) {
  return cropToBlob(file, { box: WHOLE, turns: 0, angle: 0 });
}
