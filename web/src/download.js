// @ts-check
/** Downloads that say how far they are, and what went wrong. */

import { LensError } from "./errors.js";

/** @import { StageProgress } from "./types.js" */

/**
 * What is downloaded: its name in messages, the code of the error where it cannot be had, and its
 * stage of loading.
 *
 * @typedef {{ name: string, missing: string, stage: string }} Subject
 */

/**
 * Fetches a file whose body reports its progress as it is read.
 *
 * @param {string | URL} address
 * @param {Subject} subject
 * @param {string} type the media type to treat it as, whatever the server calls it
 * @param {(progress: StageProgress) => void} onProgress
 * @returns {Promise<Response>}
 * @throws {LensError} if the server does not have it
 */
export async function download(address, subject, type, onProgress) {
  const response = await fetch(address);
  if (!response.ok || !response.body) {
    const path = new URL(response.url).pathname;
    throw new LensError(
      subject.missing,
      `${subject.name} could not be loaded: the server answers ${response.status} for ${path}.`,
    );
  }
  const total = sizeOf(response);
  let loaded = 0;
  const report = () => {
    const fraction = total === null ? null : Math.min(loaded / total, 1);
    onProgress({ stage: subject.stage, fraction, loaded, total });
  };
  report();
  const counter = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      report();
      controller.enqueue(chunk);
    },
    flush() {
      onProgress({ stage: subject.stage, fraction: 1, loaded, total: loaded });
    },
  });
  return new Response(response.body.pipeThrough(counter), { headers: { "content-type": type } });
}

/**
 * The error for a download that broke off, or for content that cannot be used.
 *
 * @param {unknown} thrown
 * @param {Subject} subject
 * @returns {LensError}
 */
export function interrupted(thrown, subject) {
  if (thrown instanceof LensError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new LensError(subject.missing, `${subject.name} could not be loaded: ${why}.`);
}

/**
 * The size of the body, where the server tells it. Of a compressed answer it tells only the size
 * on the wire, which is not what arrives here.
 *
 * @param {Response} response
 */
function sizeOf(response) {
  const length = Number(response.headers.get("content-length"));
  return length > 0 && !response.headers.has("content-encoding") ? length : null;
}
