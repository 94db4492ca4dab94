// @ts-check
import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { download, toDownloadError } from "../../../web/src/lib/download.js";

/** @import { Subject } from "../../../web/src/lib/download.js" */
/** @import { StageProgress } from "../../../web/src/lib/types.js" */

/** @type {Subject} */
const WHAT = { name: "The recognizer", missing: "missing-code", stage: "code" };
const WASM = "application/wasm";

afterEach(() => mock.restoreAll());

/** @param {BodyInit | null} body @param {ResponseInit} [init] */
function offer(body, init) {
  const response = new Response(body, init);
  Object.defineProperty(response, "url", { value: "https://lens.test/pkg/a.wasm" });
  mock.method(globalThis, "fetch", async () => response);
  return response;
}

/** @param {string[]} chunks @param {boolean} [breaks] */
function stream(chunks, breaks = false) {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      if (breaks) controller.error(new TypeError("network error"));
      else controller.close();
    },
  });
}

test("download returns the response unchanged and counts its bytes", async () => {
  const headers = { "content-type": WASM, "content-length": "4" };
  const original = offer(stream(["ab", "cd"]), { headers });
  /** @type {StageProgress[]} */
  const reports = [];
  const { response, counted } = await download("a", WHAT, WASM, (report) => reports.push(report));
  assert.equal(response, original, "compiled code is kept for the very response alone");
  assert.equal(await response.text(), "abcd");
  await counted;
  assert.deepEqual(
    reports.map(({ fraction, loaded, total }) => [fraction, loaded, total]),
    [
      [0, 0, 4],
      [0.5, 2, 4],
      [1, 4, 4],
      [1, 4, 4],
    ],
  );
});

test("download sets the expected media type", async () => {
  offer("abcd", { headers: { "content-type": "text/plain" } });
  const { response } = await download("a", WHAT, WASM, () => {});
  assert.equal(response.headers.get("content-type"), WASM);
  assert.equal(await response.text(), "abcd");
});

test("download does not use the compressed size as the total", async () => {
  offer("abcd", { headers: { "content-length": "2", "content-encoding": "br" } });
  /** @type {StageProgress[]} */
  const reports = [];
  const { counted } = await download("a", WHAT, WASM, (report) => reports.push(report));
  await counted;
  assert.deepEqual([reports[0].fraction, reports.at(-1)?.fraction], [null, 1]);
});

test("download fails at the response when it is interrupted", async () => {
  offer(stream(["ab"], true), { headers: { "content-type": WASM } });
  const { response, counted } = await download("a", WHAT, WASM, () => {});
  await counted;
  await assert.rejects(response.text(), (error) => {
    const { code, message, cause } = toDownloadError(error, WHAT);
    assert.deepEqual([code, cause], ["missing-code", error]);
    assert.match(message, /^The recognizer could not be loaded: .+\.$/);
    return true;
  });
});

test("download fails with an error that names the missing file", async () => {
  offer("gone", { status: 404 });
  await assert.rejects(
    download("a", WHAT, WASM, () => {}),
    { code: "missing-code", message: /answers 404 for \/pkg\/a\.wasm\.$/ },
  );
});
