// @ts-check
/** The recognizer as an audit uses it. */

import { prepare } from "../image/prepare.js";
import { isRefusal, reencode } from "../image/reencode.js";
import { LensError } from "../lib/errors.js";
import { describeBackend } from "../common/describe.js";

/** @import { Recognizer } from "../lib/client.js" */
/** @import { BatchRecognizer } from "./run.js" */

/**
 * A reader that tries again with another encoding where the engine refuses a file.
 *
 * @param {Recognizer} recognizer
 * @param {Set<string>} backends collects what the images were read on
 * @returns {BatchRecognizer}
 */
export function readerOf(recognizer, backends) {
  return {
    async recognizeAll(files, options) {
      const outcomes = await recognizer.recognizeAll(files, options);
      for (const [i, outcome] of outcomes.entries()) {
        if (!isRefusal(outcome)) continue;
        const other = await reencoded(files[i], outcome);
        if (other instanceof LensError) outcomes[i] = other;
        else [outcomes[i]] = await recognizer.recognizeAll([other], options);
      }
      for (const outcome of outcomes) {
        if (!(outcome instanceof Error)) backends.add(describeBackend(outcome.backend));
      }
      return outcomes;
    },
  };
}

/**
 * @param {Blob} file
 * @param {LensError} refusal
 * @returns {Promise<Blob | LensError>} a PNG file, or the reason why there is none
 */
async function reencoded(file, refusal) {
  try {
    const prepared = await prepare(file);
    return prepared.file === file ? await reencode(file) : prepared.file;
  } catch (error) {
    return error instanceof LensError ? error : refusal;
  }
}
