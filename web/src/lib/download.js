// @ts-check
/** Downloads that say how far they are, and what went wrong. */

import { LensError } from "./errors.js";

/** @import { ErrorCode, StageProgress } from "./types.js" */

/**
 * What is downloaded: its name in messages, the code of the error where it cannot be had, and its
 * stage of loading.
 *
 * @typedef {{ name: string, missing: ErrorCode, stage: "code" | "weights" }} Subject
 */

/**
 * Fetches a file and reports its progress as it arrives.
 *
 * @param {string | URL} address
 * @param {Subject} subject
 * @param {string} type the media type to treat it as, whatever the server calls it
 * @param {(progress: StageProgress) => void} onProgress
 * @returns {Promise<{ response: Response, counted: Promise<void> }>} `counted` settles when all has
 *   been reported, and never fails: what goes wrong shows at the response
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
  // The bytes are counted on a copy: browsers keep compiled code only for a response as it came.
  const counted = count(response.clone(), (bytes) => {
    loaded += bytes;
    report();
  }).then(
    () => onProgress({ stage: subject.stage, fraction: 1, loaded, total: loaded }),
    () => undefined,
  );
  const asIs = response.headers.get("content-type") === type;
  const headers = { "content-type": type };
  return { response: asIs ? response : new Response(response.body, { headers }), counted };
}

/**
 * @param {Response} response
 * @param {(bytes: number) => void} onChunk
 */
async function count(response, onChunk) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onChunk(value.byteLength);
  }
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
  return new LensError(subject.missing, `${subject.name} could not be loaded: ${why}.`, {
    cause: thrown,
  });
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
