// @ts-check
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LensError, fromPlain, plainReason, toPlain } from "../../../web/src/lib/errors.js";

const PANIC =
  "panicked at /home/someone/.cargo/registry/src/index/cubecl-wgpu-0.11.3/src/stream.rs:73:17:\nCannot profile on web assembly without timestamp_query";
const CHAIN = "JsValue(OperationError: no device)\n\nBacktrace:\nNo backtrace available";

/** @param {unknown} thrown */
const sent = (thrown) => fromPlain(structuredClone(toPlain(thrown)));

/** @param {string} code @param {string} message */
const coded = (code, message) => Object.assign(new Error(message), { code });

test("error messages contain no panic, path or Rust error chain, and keep them as cause", () => {
  for (const [thrown, code, detail] of /** @type {const} */ ([
    [new WebAssembly.RuntimeError("unreachable"), "engine-crashed", /unreachable/],
    [new Error(PANIC), "engine-crashed", /stream\.rs/],
    [PANIC, "engine-crashed", /stream\.rs/],
    [new DOMException(CHAIN, "OperationError"), "engine-crashed", /Backtrace/],
    [coded("engine-crashed", PANIC), "engine-crashed", /stream\.rs/],
    [coded("device-lost", `The device failed (${CHAIN}).`), "device-lost", /Backtrace/],
    [coded("no-webgpu", `WebGPU cannot be used here: ${CHAIN}.`), "no-webgpu", /Backtrace/],
  ])) {
    const error = sent(thrown);
    assert.equal(error.code, code);
    assert.match(error.message, /^[A-Z][\w ,:]+\.( [A-Z][\w ,]+\.)+$/, "sentences");
    assert.match(String(error.cause), detail);
  }
});

test("error messages in plain words stay unchanged", () => {
  const message = "This is not an image that can be read (a /b/c header).";
  assert.equal(sent(coded("unreadable-image", message)).message, message);
  const closed = sent(new LensError("closed", "This recognizer was closed."));
  assert.deepEqual([closed.code, closed.message], ["closed", "This recognizer was closed."]);
  assert.equal("cause" in closed, false);
});

test("reasons in parentheses are parts of the sentence", () => {
  for (const [reason, expected] of [
    ["The image format could not be determined", "the image format could not be determined"],
    ["Format error decoding Jpeg: too short\n", "format error decoding Jpeg: too short"],
    ["PNG signature not found", "PNG signature not found"],
    ["I/O error", "I/O error"],
  ]) {
    const message = (/** @type {string} */ words) => `This is not an image (${words}). Use a PNG.`;
    assert.equal(sent(coded("unreadable-image", message(reason))).message, message(expected));
  }
});

test("technical reasons are replaced by plain words", () => {
  const warn = mock.method(console, "warn", () => {});
  for (const reason of [PANIC, CHAIN, "[Invalid ShaderModule select_kernel] is invalid."]) {
    assert.equal(plainReason(reason), "the graphics device failed");
  }
  assert.equal(warn.mock.callCount(), 3);
  for (const reason of [null, "the browser found no graphics adapter"]) {
    assert.equal(plainReason(reason), reason);
  }
  warn.mock.restore();
});
