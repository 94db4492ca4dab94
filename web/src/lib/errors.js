// @ts-check
/** Errors with a code and a message, and how they are sent between threads. */

import { REASONS } from "./adapter.js";

/** @import { ErrorCode, PlainError } from "./types.js" */

/**
 * The error class of this package.
 *
 * @template {string} [Code=ErrorCode]
 */
export class LensError extends Error {
  /**
   * @param {Code} code a stable, short name such as `unreadable-image`
   * @param {string} message a sentence that says what to do
   * @param {ErrorOptions} [options] `cause`: technical detail, for developers
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = "LensError";
    this.code = code;
  }
}

/** The code of an engine that crashed and must be restarted. */
export const CRASHED = "engine-crashed";

/** Errors after which WebGPU is not used again, and the reasons to show. */
export const GPU_FAILURES = /** @type {Record<string, string>} */ ({
  "device-lost": REASONS.deviceLost,
  [CRASHED]: REASONS.crashed,
});
/** Matches panics and chains of Rust errors, which are not shown to users. */
const TECHNICAL =
  /panicked|backtrace|caused by|JsValue|\w+Error\b|Validation Error|\[Invalid|::|\.rs\b|[\\/]\w+[\\/]/i;

/**
 * The error of an engine that crashed.
 *
 * @param {unknown} cause
 */
export function crashError(cause) {
  return new LensError(CRASHED, "The recognizer crashed. It restarts with the next image.", {
    cause,
  });
}

/** The error of all calls after `close`. */
export function closedError() {
  return new LensError("closed", "This recognizer was closed.");
}

/**
 * The error if WebGPU cannot be used.
 *
 * @param {string} reason such as one of `REASONS`; also the error's `cause`
 */
export function noWebGpuError(reason) {
  const message = `WebGPU cannot be used here: ${reason}. Use the CPU, or a browser that supports WebGPU.`;
  return new LensError("no-webgpu", message, { cause: reason });
}

/**
 * A reason to show. A technical one is replaced by plain words and logged to the console.
 *
 * @param {string | null} reason
 */
export function plainReason(reason) {
  if (reason === null || !TECHNICAL.test(reason)) return reason;
  // eslint-disable-next-line no-console -- technical detail for bug reports
  console.warn(`WebGPU is not used: ${reason}`);
  return REASONS.deviceFailed;
}

/**
 * The reason why WebGPU could not be loaded.
 *
 * @param {unknown} error
 */
export function gpuReasonOf(error) {
  if (!(error instanceof LensError)) return plainReason(String(error));
  if (error.code === "no-webgpu" && typeof error.cause === "string") return error.cause;
  return GPU_FAILURES[error.code] ?? error.message;
}

/**
 * Converts a thrown value to an object that can be sent to another thread. An error without a code is
 * a crash (a Rust panic arrives as a `RuntimeError`).
 *
 * @param {unknown} thrown
 * @returns {PlainError}
 */
export function toPlain(thrown) {
  const { message, code, cause } = /** @type {Partial<LensError>} */ (
    thrown instanceof Error ? thrown : { message: String(thrown) }
  );
  const error =
    typeof code === "string"
      ? withPlainMessage(code, inSentence(message ?? ""), cause)
      : crashError(message);
  const detail = error.cause === undefined ? undefined : String(error.cause);
  return { code: error.code, message: error.message, detail };
}

/**
 * The error that {@link toPlain} has converted.
 *
 * @template {string} Code
 * @param {PlainError<Code>} plain
 */
export function fromPlain({ code, message, detail }) {
  return new LensError(code, message, detail === undefined ? undefined : { cause: detail });
}

/**
 * A message whose reason in parentheses is a part of the sentence. Reasons of decoders are sentences of
 * their own, some with a line break at the end.
 *
 * @param {string} message
 */
function inSentence(message) {
  return message.replace(/\([A-Z](?=[a-z])/, (start) => start.toLowerCase()).replace(/\s+\)/, ")");
}

/**
 * An error whose message has no technical detail. The detail becomes its cause.
 *
 * @param {LensError["code"]} code
 * @param {string} message
 * @param {unknown} cause
 */
function withPlainMessage(code, message, cause) {
  if (!TECHNICAL.test(message)) return new LensError(code, message, { cause });
  switch (code) {
    case "no-webgpu":
      return Object.assign(noWebGpuError(REASONS.deviceFailed), { cause: message });
    case "device-lost":
      return new LensError(
        code,
        "The graphics device stopped responding. Try again, or use the CPU.",
        { cause: message },
      );
    case CRASHED:
      return crashError(message);
    default:
      return new LensError(code, message, { cause });
  }
}
