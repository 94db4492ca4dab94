// @ts-check
/** Errors as the page shows them. */

/** @import { LensError } from "../lib/errors.js" */
/** @import { PageError } from "./types.js" */

/**
 * @param {unknown} thrown
 * @returns {PageError} with the code `page-error` where the error has none
 */
export function toPageError(thrown) {
  const { code, message } = /** @type {Partial<LensError>} */ (thrown ?? {});
  if (typeof code === "string" && typeof message === "string") return { code, message };
  return { code: "page-error", message: String(thrown) };
}
