// @ts-check
/** Loads the code for results when it is first needed. */

import { LensError } from "../../lib/errors.js";

/** @throws {LensError} `missing-code` */
export async function loadResults() {
  try {
    return await import("./results.js");
  } catch (cause) {
    const message = "The code of the report could not be loaded. Reload the page.";
    throw new LensError("missing-code", message, { cause });
  }
}
