// @ts-check
/** The recognizer of the npm package, with fake workers. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Recognizer } from "../../../web/src/lib/client.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { CONFIG, FakeWorker, answer } from "../fake/worker.mjs";

/** @import { LoadOptions } from "../../../web/src/lib/types.js" */

const WEIGHTS = new Uint8Array();
const PANIC = 13;
/** @param {number} first */
const image = (first) => new Uint8Array([first]);
/** @param {PromiseSettledResult<any> | any} outcome a text or the code of an error */
const short = (outcome) => {
  const { reason = outcome, value = outcome } = outcome;
  return reason instanceof LensError ? reason.code : value.first;
};

beforeEach(() => FakeWorker.install());

/** @param {LoadOptions} [options] */
const open = (options) => Recognizer.load({ weights: WEIGHTS, backend: "cpu", ...options });

test("recognizer reports the configuration of its model", async () => {
  const lens = await open();
  assert.deepEqual(lens.config, CONFIG);
  lens.close();
});

test("recognizer is closed by `using`", async () => {
  for (const symbol of /** @type {const} */ ([Symbol.dispose, Symbol.asyncDispose])) {
    const lens = await open();
    await lens[symbol]();
    await assert.rejects(lens.recognize(image(1)), { code: "closed" });
  }
  assert.ok(FakeWorker.all.every(({ alive }) => !alive));
});

test("recognizer rejects invalid options before a worker starts", async () => {
  for (const backend of ["WebGPU", "gpu", "wasm", "", null, 3]) {
    await assert.rejects(open({ backend: /** @type {any} */ (backend) }), (error) => {
      assert.ok(error instanceof LensError);
      assert.equal(error.code, "bad-argument");
      assert.match(error.message, /"auto", "webgpu" or "cpu"/);
      return true;
    });
  }
  for (const weights of ["http://", "not relative to anything", null, 7]) {
    await assert.rejects(open({ weights: /** @type {any} */ (weights) }), { code: "bad-argument" });
  }
  for (const name of ["onProgress", "onBackend"]) {
    await assert.rejects(open({ [name]: "told" }), { code: "bad-argument" });
  }
  for (const concurrency of [0, -1, 1.5, 65, NaN, "2"]) {
    const refused = open({ concurrency: /** @type {any} */ (concurrency) });
    await assert.rejects(refused, { code: "bad-argument" });
  }
  await assert.rejects(open({ assetsUrl: "http://" }), { code: "bad-argument" });
  assert.deepEqual(FakeWorker.all, []);
});

test("recognizer throws no-browser outside of a browser", async () => {
  Object.assign(globalThis, { Worker: undefined });
  await assert.rejects(Recognizer.load(), { name: "LensError", code: "no-browser" });
});

test("recognizer loads workers and weights from assetsUrl", async () => {
  Object.assign(globalThis, {
    location: { origin: "https://cdn.test", href: "https://cdn.test/" },
  });
  try {
    for (const assetsUrl of ["https://cdn.test/lens", new URL("https://cdn.test/lens/")]) {
      (await Recognizer.load({ backend: "cpu", assetsUrl })).close();
      const worker = FakeWorker.all.at(-1);
      assert.equal(worker?.url, "https://cdn.test/lens/src/lib/worker-cpu.js");
      const load = /** @type {any} */ (worker?.requests[0]);
      assert.equal(load.weights, "https://cdn.test/lens/models/compact.safetensors");
    }
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});

test("recognizer fails only the image that crashes the engine and reads the queued ones", async () => {
  const lens = await open();
  const images = [1, PANIC, 2, PANIC, 3].map((first) => lens.recognize(image(first)));
  const outcomes = await Promise.allSettled(images);
  assert.deepEqual(outcomes.map(short), [1, "engine-crashed", 2, "engine-crashed", 3]);
  lens.close();
});

test("recognizer fails only the image of a batch that crashes the engine", async () => {
  const lens = await open();
  const outcomes = await lens.recognizeAll([1, 2, PANIC, 3].map(image));
  assert.deepEqual(outcomes.map(short), [1, 2, "engine-crashed", 3]);
  assert.equal(short(await lens.recognize(image(4))), 4);
  lens.close();
});

test("recognizer returns an error in place of an invalid image", async () => {
  const lens = await open();
  const outcomes = await lens.recognizeAll(/** @type {any} */ ([image(1), undefined, image(2)]));
  assert.deepEqual(outcomes.map(short), [1, "bad-argument", 2]);
  await assert.rejects(lens.recognize(/** @type {any} */ ({})), { code: "bad-argument" });
  await assert.rejects(lens.recognizeAll(/** @type {any} */ (image(1))), { code: "bad-argument" });
  assert.deepEqual(await lens.recognizeAll([]), []);
  lens.close();
});

test("recognizer gives up when the engine crashes repeatedly without an image", async () => {
  const lens = await open();
  FakeWorker.behave = (worker, request) => {
    if (request.type !== "recognize") return answer(worker, request);
    worker.say({ type: "crashed", error: { code: "engine-crashed", message: "It broke down." } });
  };
  await assert.rejects(lens.recognize(image(1)), { code: "engine-crashed" });
  assert.equal(FakeWorker.all.length, 2);
  FakeWorker.behave = answer;
  assert.equal(short(await lens.recognize(image(1))), 1);
  lens.close();
});

test("recognizer rejects open requests on close and does not restart after a crash", async () => {
  const lens = await open();
  FakeWorker.behave = () => {};
  const reading = lens.recognize(image(1));
  await Promise.resolve();
  lens.close();
  await assert.rejects(reading, { code: "closed" });
  await assert.rejects(lens.recognize(image(1)), { code: "closed" });
  assert.equal(FakeWorker.all.length, 1);
});

test("recognizer survives a listener that throws", async () => {
  const reported = mock.fn();
  Object.assign(globalThis, { reportError: reported });
  const lens = await open({
    onBackend: () => {
      throw new Error("the listener's own");
    },
  });
  assert.equal(reported.mock.callCount(), 1);
  assert.equal(short(await lens.recognize(image(1))), 1);
  lens.close();
});

test("recognizer starts no worker when loading is aborted before it starts", async () => {
  const signal = AbortSignal.abort(new Error("given up"));
  await assert.rejects(open({ signal }), /given up/);
  assert.deepEqual(FakeWorker.all, []);
});
