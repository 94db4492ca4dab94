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
const open = (concurrency) => Recognizer.load({ backend: "cpu", concurrency });

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

test("pool starts other workers when several images wait, alone or in a batch", async () => {
  const lens = await open(4);
  for (const first of upTo(8)) await lens.recognize(image(first));
  await readAll(lens, upTo(3));
  assert.equal(FakeWorker.all.length, 1);
  await Promise.all(upTo(4).map((first) => lens.recognize(image(first))));
  assert.equal(FakeWorker.all.length, 4);
  lens.close();
});

test("pool uses all workers for a small batch", async () => {
  const lens = await openPool(4);
  const before = FakeWorker.all.map(({ images }) => images.length);
  await readAll(lens, upTo(8));
  assert.deepEqual(
    FakeWorker.all.map(({ images }, i) => images.length - before[i]),
    [2, 2, 2, 2],
  );
  lens.close();
});

test("pool does not read what is not wanted any more", async () => {
  const lens = await openPool(2);
  FakeWorker.behave = () => {};
  const abort = new AbortController();
  const given = lens.recognizeAll(upTo(80).map(image), { signal: abort.signal });
  const other = readAll(lens, [1, 2, 3, 4]);
  await setImmediate();
  FakeWorker.behave = answer;
  abort.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  assert.deepEqual(await other, [1, 2, 3, 4]);
  const asked = FakeWorker.all.flatMap(({ images }) => images).length;
  assert.ok(asked < 4 + 4 + 20, `${asked} images were given to workers`);
  lens.close();
});

test("pool fails all calls when it is closed, also those that wait", async () => {
  for (const concurrency of [1, 2]) {
    FakeWorker.install();
    const lens = await open(concurrency);
    FakeWorker.behave = (worker, request) => {
      if (request.type !== "recognize") answer(worker, request);
    };
    const single = upTo(5).map((first) => lens.recognize(image(first)));
    const batches = [20, 20].map((count) => lens.recognizeAll(upTo(count).map(image)));
    await setImmediate();
    lens.close();
    for (const outcome of await Promise.allSettled([...single, ...batches])) {
      const { status, reason } = /** @type {PromiseRejectedResult} */ (outcome);
      assert.deepEqual([status, reason?.code], ["rejected", "closed"]);
    }
  }
});

test("pool starts nothing after it is closed, and leaves no timer", async () => {
  const lens = await open(4);
  FakeWorker.behave = (worker, request) => {
    if (request.type !== "recognize") answer(worker, request);
  };
  const reading = lens.recognizeAll(upTo(8).map(image));
  await setImmediate();
  const started = FakeWorker.all.length;
  const timers = mock.method(globalThis, "setTimeout");
  lens.close();
  await assert.rejects(reading, { code: "closed" });
  await assert.rejects(lens.recognizeAll(upTo(8).map(image)), { code: "closed" });
  await setImmediate();
  assert.equal(FakeWorker.all.length, started);
  assert.ok(FakeWorker.all.every(({ alive }) => !alive));
  assert.equal(timers.mock.callCount(), 0);
  timers.mock.restore();
});

test("pool reads on the first worker what another one cannot read when it does not start again", async () => {
  const lens = await openPool(2);
  FakeWorker.behave = (worker, request) => {
    const isRestart = worker === FakeWorker.all[2];
    if (!isRestart || request.type !== "load") return answer(worker, request);
    worker.say({
      type: "failed",
      id: request.id,
      error: { code: "engine-crashed", message: "It broke down." },
    });
  };
  // The second worker crashes on an image and then fails to load, with the code of a crash.
  const firsts = upTo(16).with(5, PANIC);
  const outcomes = await readAll(lens, firsts);
  assert.deepEqual(
    outcomes.filter((outcome) => outcome === "engine-crashed"),
    ["engine-crashed"],
  );
  lens.close();
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
