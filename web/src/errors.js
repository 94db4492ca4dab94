// @ts-check
/** Errors with a code for programs and a sentence for people, and their way between threads. */

/** What everything in this folder throws. */
export class LensError extends Error {
  /**
   * @param {string} code a stable, short name such as `unreadable-image`
   * @param {string} message a sentence that says what to do
   */
  constructor(code, message) {
    super(message);
    this.name = "LensError";
    this.code = code;
  }
}

/** The code of an engine that broke down and has to be started anew. */
export const CRASHED = "engine-crashed";

/**
 * Turns whatever was thrown into something that can be sent to another thread. An error without
 * a code is a breakdown (a Rust panic arrives as a `RuntimeError`).
 *
 * @param {unknown} thrown
 * @returns {import("./types.js").PlainError}
 */
export function toPlain(thrown) {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    return { code: thrown.code, message: thrown.message };
  }
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: CRASHED,
    message: `The reader broke down (${what}). It starts again with the next image.`,
  };
}
