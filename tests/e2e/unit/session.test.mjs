// @ts-check
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { LensError } from "../../../web/src/lib/errors.js";
import { Session } from "../../../web/src/lib/session.js";

/** Workers that answer at once. @type {FakeWorker[]} */
let workers = [];

/** What a worker has compiled and downloaded. */
const LOADED = { code: "compiled", weights: new Uint8Array([1]) };

/** The memory that workers report. */
let memory = 0;
/** Whether workers fail to load. */
let failing = false;

class FakeWorker extends EventTarget {
  alive = true;
  /** @type {any[]} */
  requests = [];

  constructor() {
    super();
    workers.push(this);
  }

  /** @param {{ type: string, id: number }} request */
  postMessage(request) {
    this.requests.push(request);
    const { type, id } = request;
    const value = type === "load" ? LOADED : { outcomes: [], memory };
    const error = { code: "missing-code", message: "offline" };
    const fails = type === "load" && failing;
    const data = fails ? { type: "failed", id, error } : { type: "done", id, value };
    if (type !== "abort") this.dispatchEvent(new MessageEvent("message", { data }));
  }

  terminate() {
    this.alive = false;
  }
}

beforeEach(() => {
  workers = [];
  memory = 0;
  failing = false;
  Object.assign(globalThis, { Worker: FakeWorker });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** Whether each worker runs. */
const alive = () => workers.map(({ alive }) => alive);

/** Lets some time pass without readings. */
async function later() {
  mock.timers.tick(2000);
  await new Promise((resolve) => setImmediate(resolve));
}

test("session restarts an engine that crashed", async () => {
  const session = new Session("cpu", "weights");
  await session.read([], 0);
  const data = { type: "crashed", error: { code: "engine-crashed", message: "panic" } };
  workers[0].dispatchEvent(new MessageEvent("message", { data }));
  await session.read([], 0);
  assert.deepEqual(
    workers.map(({ alive }) => alive),
    [false, true],
  );
  const [first, second] = workers.map(({ requests }) => requests[0]);
  assert.deepEqual([first.code, first.weights], [undefined, "weights"]);
  assert.deepEqual([second.code, second.weights], [LOADED.code, LOADED.weights], "no download");
});

test("session aborts a reading during loading and keeps loading", async () => {
  const { postMessage } = FakeWorker.prototype;
  /** @type {(() => void)[]} */
  const held = [];
  FakeWorker.prototype.postMessage = function (request) {
    held.push(() => postMessage.call(this, request));
  };
  const session = new Session("cpu", "weights");
  const other = session.read([], 0);
  await assert.rejects(session.read([], 0, AbortSignal.abort(new Error("given up"))), /given up/);
  const controller = new AbortController();
  const reading = session.read([], 0, controller.signal);
  controller.abort(new Error("given up"));
  await assert.rejects(reading, /given up/);
  FakeWorker.prototype.postMessage = postMessage;
  for (const answer of held) answer();
  assert.deepEqual(await other, []);
  assert.equal(workers.length, 1);
});

test("session replaces a worker that a large image has made large", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {unknown[]} */
  const progress = [];
  const session = new Session("cpu", "weights", undefined, (report) => progress.push(report));
  memory = 90 * 2 ** 20;
  await session.read([], 0);
  await later();
  assert.equal(workers.length, 1);
  memory = 400 * 2 ** 20;
  assert.deepEqual(await Promise.all([session.read([], 0), session.read([], 0)]), [[], []]);
  assert.equal(workers.length, 1, "not between two readings");
  memory = 0;
  await later();
  assert.deepEqual(await session.read([], 0), []);
  assert.deepEqual(alive(), [false, true]);
  const { code, weights } = workers[1].requests[0];
  assert.deepEqual([code, weights], [LOADED.code, LOADED.weights], "no download");
  assert.deepEqual(progress, []);
});

test("session keeps a large worker where no other can be loaded", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const session = new Session("cpu", "weights");
  memory = 400 * 2 ** 20;
  await session.read([], 0);
  failing = true;
  await later();
  assert.deepEqual(alive(), [true, false]);
  assert.deepEqual(await session.read([], 0), []);
  failing = false;
  await later();
  assert.deepEqual(alive(), [false, false, true]);
});

test("session keeps a large worker that has started another reading, and ends both", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const session = new Session("cpu", "weights");
  memory = 400 * 2 ** 20;
  await session.read([], 0);
  const { postMessage } = FakeWorker.prototype;
  /** @this {FakeWorker} */
  function loadOnly(/** @type {{ type: string, id: number }} */ request) {
    if (request.type === "load") postMessage.call(this, request);
  }
  mock.method(FakeWorker.prototype, "postMessage", loadOnly);
  const reading = session.read([], 0);
  await later();
  assert.deepEqual(alive(), [true]);
  session.end(new LensError("closed", "This recognizer was closed."));
  await assert.rejects(reading, { code: "closed" });
  await later();
  assert.deepEqual(alive(), [false]);
});

test("session with WebGPU keeps a large worker, which takes long to start", async () => {
  const session = new Session("webgpu", "weights");
  memory = 400 * 2 ** 20;
  await session.read([], 0);
  mock.timers.enable({ apis: ["setTimeout"] });
  await later();
  assert.deepEqual(alive(), [true]);
});

test("session stays closed after it was ended", async () => {
  for (const loaded of [true, false]) {
    const session = new Session("cpu", "weights");
    if (loaded) await session.load();
    const before = workers.length;
    session.end(new LensError("closed", "This recognizer was closed."));
    await assert.rejects(session.load(), { code: "closed" });
    await assert.rejects(session.read([], 0), { code: "closed" });
    assert.equal(workers.length, before);
    assert.ok(workers.every(({ alive }) => !alive));
  }
});
