// @ts-check
/** Several CPU workers of a recognizer, which are fake. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Recognizer } from "../../../web/src/lib/client.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { defaultConcurrency } from "../../../web/src/lib/pool.js";
import { FakeWorker, SHARED, answer } from "../fake/worker.mjs";

const PANIC = 13;
/** @param {number} first */
const image = (first) => new Uint8Array([first]);
/** @param {number} count */
const upTo = (count) => Array.from({ length: count }, (_, i) => i + 100);
/** @param {any} outcome */
const short = (outcome) => (outcome instanceof LensError ? outcome.code : outcome.first);
/** @param {Recognizer} lens @param {number[]} firsts */
const readAll = async (lens, firsts) => (await lens.recognizeAll(firsts.map(image))).map(short);

beforeEach(() => FakeWorker.install());

/** @param {number} concurrency */
const open = (concurrency) =>
  Recognizer.load({ weights: new Uint8Array(), backend: "cpu", concurrency });

/** Loads, and reads a batch, for which the other workers start. @param {number} concurrency */
async function openPool(concurrency) {
  const lens = await open(concurrency);
  await readAll(lens, [1, 2, 3, 4]);
  await setImmediate();
  return lens;
}

test("pool divides batches among workers that share code and weights", async () => {
  const lens = await openPool(3);
  assert.deepEqual(
    FakeWorker.all.map(({ images }) => images.length),
    [4, 0, 0],
    "the first batch does not wait for other workers",
  );
  for (const { requests } of FakeWorker.all.slice(1)) {
    const load = /** @type {any} */ (requests[0]);
    assert.deepEqual([load.code, load.weights], [SHARED.code, SHARED.weights]);
  }
  assert.deepEqual(await readAll(lens, upTo(32)), upTo(32), "in the order of the images");
  for (const { images } of FakeWorker.all) assert.ok(images.length >= 8, `${images.length}`);
  lens.close();
  assert.ok(FakeWorker.all.every(({ alive }) => !alive));
  await assert.rejects(lens.recognizeAll([image(1)]), { code: "closed" });
});

test("pool gives the next images to the worker that has time", async () => {
  const lens = await openPool(2);
  const [first] = FakeWorker.all;
  /** @type {(() => void)[]} */
  const held = [];
  FakeWorker.behave = (worker, request) => {
    if (worker === first) held.push(() => answer(worker, request));
    else answer(worker, request);
  };
  const reading = readAll(lens, upTo(40));
  await setImmediate();
  const [slow, fast] = FakeWorker.all.map(({ images }) => images.length);
  assert.deepEqual([slow, fast], [4 + 8, 32]);
  for (const release of held) release();
  assert.deepEqual(await reading, upTo(40));
  lens.close();
});

test("pool fails only the images that crash a worker", async () => {
  for (const at of [0, 3, 4, 8]) {
    FakeWorker.install();
    const lens = await openPool(2);
    // Of nine images, the last is a part of its own.
    const firsts = upTo(9).with(at, PANIC);
    const expected = upTo(9).map((first, i) => (i === at ? "engine-crashed" : first));
    assert.deepEqual(await readAll(lens, firsts), expected);
    assert.deepEqual(await readAll(lens, upTo(9)), upTo(9));
    lens.close();
  }
});

test("pool reads on one worker where others cannot be loaded", async () => {
  const lens = await open(4);
  FakeWorker.behave = (worker, request) => {
    if (request.type !== "load" || worker === FakeWorker.all[0]) return answer(worker, request);
    const error = { code: /** @type {const} */ ("missing-code"), message: "No memory." };
    worker.say({ type: "failed", id: request.id, error });
  };
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await readAll(lens, upTo(8)), upTo(8));
    await setImmediate();
  }
  assert.equal(FakeWorker.all.length, 4, "they are not tried again");
  assert.equal(FakeWorker.all.filter(({ alive }) => alive).length, 1);
  lens.close();
});

test("pool reads on the first worker what another one cannot read after a crash", async () => {
  const lens = await openPool(2);
  const [first, second] = FakeWorker.all;
  FakeWorker.behave = (worker, request) => {
    if (worker === first) return answer(worker, request);
    if (worker === second) {
      return worker.say({
        type: "crashed",
        error: { code: "engine-crashed", message: "It broke down." },
      });
    }
    const error = { code: /** @type {const} */ ("missing-code"), message: "No memory." };
    worker.say({ type: "failed", id: request.id, error });
  };
  assert.deepEqual(await readAll(lens, upTo(16)), upTo(16));
  const alive = FakeWorker.all.filter((worker) => worker.alive);
  assert.deepEqual(alive, [first]);
  lens.close();
});

test("pool starts no other worker for single images", async () => {
  const lens = await open(4);
  await Promise.all(upTo(8).map((first) => lens.recognize(image(first))));
  assert.equal(FakeWorker.all.length, 1);
  lens.close();
});

test("pool does not read what is not wanted any more", async () => {
  const lens = await openPool(2);
  FakeWorker.behave = () => {};
  const abort = new AbortController();
  const given = lens.recognizeAll(upTo(80).map(image), { signal: abort.signal });
  const other = lens.recognizeAll(upTo(4).map(image));
  await setImmediate();
  abort.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  const before = FakeWorker.all.map(({ images }) => images.length);
  assert.ok(before[0] + before[1] < 30);
  lens.close();
  await assert.rejects(other, { code: "closed" });
});

test("pool ends workers without work, and starts them again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const lens = await openPool(2);
    mock.timers.tick(31_000);
    assert.deepEqual(
      FakeWorker.all.map(({ alive }) => alive),
      [true, false],
    );
    assert.deepEqual(await readAll(lens, upTo(4)), upTo(4));
    await setImmediate();
    assert.equal(FakeWorker.all.length, 3);
    lens.close();
  } finally {
    mock.timers.reset();
  }
});

test("pool has as many workers as the device has cores and memory", () => {
  for (const [device, expected] of /** @type {[any, number][]} */ ([
    [{}, 1],
    [{ hardwareConcurrency: 2 }, 2],
    [{ hardwareConcurrency: 64 }, 8],
    [{ hardwareConcurrency: 8, deviceMemory: 2 }, 4],
    [{ hardwareConcurrency: 8, deviceMemory: 0.25 }, 1],
  ])) {
    assert.equal(defaultConcurrency(device), expected);
  }
});
