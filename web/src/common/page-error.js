// @ts-check
/** Errors as the page shows them. */

import { LensError } from "../lib/errors.js";

/** @import { PageError } from "./types.js" */

/** The formats that the engine's message names, and those that the page reads: it also draws SVG. */
const [ENGINE_FORMATS, PAGE_FORMATS] = ["WebP, GIF or BMP file", "WebP, GIF, BMP or SVG file"];

/**
 * The message of an error as the page shows it.
 *
 * @param {{ message: string }} error
 */
export function messageOf({ message }) {
  return message.replace(ENGINE_FORMATS, PAGE_FORMATS);
}

/**
 * The error of a file that the browser cannot decode.
 *
 * @param {unknown} cause
 */
export function unreadableImage(cause) {
  const message = `This is not an image that can be read. Use a PNG, JPEG, ${PAGE_FORMATS}.`;
  return new LensError("unreadable-image", message, { cause });
}

/**
 * @param {unknown} thrown
 * @returns {PageError} with the code `page-error` where the error has none
 */
export function toPageError(thrown) {
  const { code, message } = /** @type {Partial<LensError>} */ (thrown ?? {});
  if (typeof code === "string" && typeof message === "string") {
    return { code, message: messageOf({ message }) };
  }
  return { code: "page-error", message: String(thrown) };
}
