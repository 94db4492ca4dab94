// @ts-check
/** Reads images on one engine, so that an image that crashes it fails alone. */

import { CRASHED, LensError } from "./errors.js";
import { NotStarted } from "./rpc.js";
import { NotLoaded } from "./session.js";

/** @import { Session } from "./session.js" */
/** @import { ImageSource, Recognition } from "./types.js" */

/**
 * Reads images on one engine. If one of them crashes it, the others are read again.
 *
 * @param {Session} session
 * @param {ImageSource[]} images
 * @param {number} alternatives
 * @param {AbortSignal} [signal]
 * @returns {Promise<(Recognition | LensError)[]>}
 * @throws {NotLoaded} where the engine cannot be loaded
 */
export async function readOn(session, images, alternatives, signal) {
  for (let retries = 1; ;) {
    try {
      return await session.read(images, alternatives, signal);
    } catch (error) {
      if (error instanceof NotStarted) {
        // Another image crashed the engine. If there was none, one more engine is started.
        if (!error.blamed && retries-- === 0) throw error;
      } else if (!isCrash(error)) {
        throw error;
      } else if (images.length === 1) {
        return [error];
      } else {
        break;
      }
    }
  }
  const outcomes = [];
  for (const image of images) {
    outcomes.push(...(await readOn(session, [image], alternatives, signal)));
  }
  return outcomes;
}

/**
 * Whether an engine crashed while it read.
 *
 * @param {unknown} error
 * @returns {error is LensError}
 */
export function isCrash(error) {
  if (error instanceof NotStarted || error instanceof NotLoaded) return false;
  return error instanceof LensError && error.code === CRASHED;
}

/**
 * @param {Recognition | LensError} outcome
 * @returns {outcome is Recognition}
 */
export function isReading(outcome) {
  return !(outcome instanceof LensError);
}
