// @ts-check
/** Workers that compute parts of a step, which are fake. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Replicas } from "../../../web/src/teach/replicas.js";
import { FakeWorker, SHARED } from "../fake/worker.mjs";

/** @param {number} first */
const task = (first) =>
  /** @type {any} */ ({
    weights: Float32Array.of(first),
    images: new Float32Array(1),
    inputs: new Int32Array(1),
    targets: new Int32Array(1),
  });

/** Answers a task with its first weight. Opens unless the setup is "refused"; fails on 13. */
const behave = (/** @type {FakeWorker} */ worker, /** @type {any} */ request) => {
  const { id, type, setup } = request;
  const failure = { code: "engine-crashed", message: "It broke down." };
  const fails = setup === "refused" || request.task?.weights[0] === 13;
  const answer =
    type === "open" ? { id, value: undefined } : { id, value: request.task?.weights[0] };
  const response = fails ? { type: "failed", id, error: failure } : { type: "done", ...answer };
  queueMicrotask(() => worker.say(/** @type {any} */ (response)));
};

beforeEach(() => {
  FakeWorker.install();
  FakeWorker.behave = /** @type {typeof FakeWorker.behave} */ (behave);
});

test("replicas compute a task each, and share the code", async () => {
  const replicas = new Replicas();
  await replicas.open(2, SHARED.code, "setup");
  assert.equal(replicas.count, 2);
  for (const { requests } of FakeWorker.all) {
    assert.equal(/** @type {any} */ (requests[0]).code, SHARED.code);
  }
  assert.deepEqual(await replicas.compute([task(1), task(2)]), [1, 2]);
  assert.deepEqual(await replicas.compute([task(3)]), [3]);
  assert.deepEqual(await replicas.compute([]), []);
  assert.deepEqual(await replicas.compute([task(4), task(5), task(6)]), [4, 5, null]);
  replicas.end();
  assert.equal(replicas.count, 0);
  assert.ok(FakeWorker.all.every(({ alive }) => !alive));
});

test("replica that fails is left out from then on", async () => {
  const replicas = new Replicas();
  await replicas.open(2, SHARED.code, "setup");
  assert.deepEqual(await replicas.compute([task(13), task(2)]), [null, 2]);
  assert.equal(replicas.count, 1);
  assert.deepEqual(
    FakeWorker.all.map(({ alive }) => alive),
    [false, true],
  );
  assert.deepEqual(await replicas.compute([task(3)]), [3]);
});

test("run goes on without a worker that the browser refuses", async () => {
  const replicas = new Replicas();
  await replicas.open(1, SHARED.code, "refused");
  assert.equal(replicas.count, 0);
  assert.deepEqual(await replicas.compute([]), []);
});
