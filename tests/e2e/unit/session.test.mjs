// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LensError } from "../../../web/src/lib/errors.js";
import { Session } from "../../../web/src/lib/session.js";

/** Workers that answer at once. @type {FakeWorker[]} */
let workers = [];

/** What a worker has compiled and downloaded. */
const LOADED = { code: "compiled", weights: new Uint8Array([1]) };

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
    const data = { type: "done", id, value: type === "load" ? LOADED : [] };
    if (type !== "abort") this.dispatchEvent(new MessageEvent("message", { data }));
  }

  terminate() {
    this.alive = false;
  }
}

beforeEach(() => {
  workers = [];
  Object.assign(globalThis, { Worker: FakeWorker });
});

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
