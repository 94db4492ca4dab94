// @ts-check
/** Errors with a code for programs and a sentence for people, and their way between threads. */

import { REASONS } from "./adapter.js";

/** @import { ErrorCode, PageErrorCode, PlainError } from "./types.js" */

/** What everything in this folder throws. */
export class LensError extends Error {
  /**
   * @param {ErrorCode | PageErrorCode} code a stable, short name such as `unreadable-image`
   * @param {string} message a sentence that says what to do
   * @param {ErrorOptions} [options] `cause`: technical detail, for developers
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = "LensError";
    this.code = code;
  }
}

/** The code of an engine that broke down and has to be started anew. */
export const CRASHED = "engine-crashed";

/** Panics, chains of Rust errors, and what they carry: nothing for people to read. */
const TECHNICAL =
  /panicked|backtrace|caused by|JsValue|\w+Error\b|Validation Error|\[Invalid|::|\.rs\b|[\\/]\w+[\\/]/i;

/**
 * An engine that broke down.
 *
 * @param {unknown} cause
 */
export function crashed(cause) {
  return new LensError(CRASHED, "The recognizer crashed. It restarts with the next image.", {
    cause,
  });
}

/**
 * WebGPU that cannot be used.
 *
 * @param {string} reason such as one of `REASONS`; also the error's `cause`
 */
export function noWebGpu(reason) {
  const message = `WebGPU cannot be used here: ${reason}. Use the CPU, or a browser that supports WebGPU.`;
  return new LensError("no-webgpu", message, { cause: reason });
}

/**
 * A reason for people: what is technical gives way to plain words, and goes to the console.
 *
 * @param {string | null} reason
 */
export function plainReason(reason) {
  if (reason === null || !TECHNICAL.test(reason)) return reason;
  // eslint-disable-next-line no-console -- for reports of faults; the page says it plainly
  console.warn(`WebGPU is not used: ${reason}`);
  return REASONS.deviceFailed;
}

/**
 * Turns whatever was thrown into something that can be sent to another thread. An error without
 * a code is a breakdown (a Rust panic arrives as a `RuntimeError`).
 *
 * @param {unknown} thrown
 * @returns {PlainError}
 */
export function toPlain(thrown) {
  const { message, code, cause } = /** @type {Partial<LensError>} */ (
    thrown instanceof Error ? thrown : { message: String(thrown) }
  );
  const error = typeof code === "string" ? plainly(code, message ?? "", cause) : crashed(message);
  const detail = error.cause === undefined ? undefined : String(error.cause);
  return { code: error.code, message: error.message, detail };
}

/**
 * The error that was sent.
 *
 * @param {PlainError} plain
 */
export function fromPlain({ code, message, detail }) {
  return new LensError(code, message, detail === undefined ? undefined : { cause: detail });
}

/**
 * Keeps the technical part of a device's failure out of what people read.
 *
 * @param {LensError["code"]} code
 * @param {string} message
 * @param {unknown} cause
 */
function plainly(code, message, cause) {
  if (!TECHNICAL.test(message)) return new LensError(code, message, { cause });
  switch (code) {
    case "no-webgpu":
      return Object.assign(noWebGpu(REASONS.deviceFailed), { cause: message });
    case "device-lost":
      return new LensError(
        code,
        "The graphics device stopped responding. Try again, or use the CPU.",
        { cause: message },
      );
    case CRASHED:
      return crashed(message);
    default:
      return new LensError(code, message, { cause });
  }
}
