// @ts-check
/** Downloads with progress and errors. */

import { LensError } from "./errors.js";

/** @import { ErrorCode, StageProgress } from "./types.js" */

/**
 * A file to download: its name in messages, the error code if it is missing, and the stage of
 * loading.
 *
 * @typedef {{ name: string, missing: ErrorCode, stage: "code" | "weights" }} Subject
 */

/**
 * Fetches a file and reports the progress.
 *
 * @param {string | URL} address
 * @param {Subject} subject
 * @param {string} type the media type of the response, whatever the server says
 * @param {(progress: StageProgress) => void} onProgress
 * @returns {Promise<{ response: Response, counted: Promise<void> }>} `counted` resolves after
 *   the last report and never rejects: an error appears when the response is read
 * @throws {LensError} if the server does not have the file
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
  // A copy is counted: browsers cache compiled code only for an unchanged response.
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
 * The error of a download that was interrupted, or whose content is not usable.
 *
 * @param {unknown} thrown
 * @param {Subject} subject
 * @returns {LensError}
 */
export function toDownloadError(thrown, subject) {
  if (thrown instanceof LensError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new LensError(subject.missing, `${subject.name} could not be loaded: ${why}.`, {
    cause: thrown,
  });
}

/**
 * The size of the body, if the server sends it. For a compressed response, the server sends only the
 * compressed size.
 *
 * @param {Response} response
 */
function sizeOf(response) {
  const length = Number(response.headers.get("content-length"));
  return length > 0 && !response.headers.has("content-encoding") ? length : null;
}
