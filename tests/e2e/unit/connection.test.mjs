// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Connection } from "../../../web/src/lib/connection.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { NotStarted } from "../../../web/src/lib/rpc.js";
import { FakeWorker } from "../fake/worker.mjs";

beforeEach(() => {
  FakeWorker.install();
  FakeWorker.behave = () => {};
});

/**
 * @param {Connection} connection
 * @param {AbortSignal} [signal]
 */
const read = (connection, signal) =>
  connection.request("recognize", { images: [], alternatives: 0 }, { signal, restartable: true });

/** @param {string} type @param {object} [fields] */
function happens(type, fields) {
  FakeWorker.all[0].dispatchEvent(
    Object.assign(new Event(type, { cancelable: true }), { message: "", ...fields }),
  );
}

test("connection separates started from queued requests after a crash", async () => {
  const connection = new Connection("cpu");
  const [one, two] = [read(connection), read(connection)];
  FakeWorker.all[0].say({ type: "started", id: 1 });
  happens("error", { message: "unreachable at /build/src/lib.rs:1" });
  await assert.rejects(one, (error) => {
    assert.ok(error instanceof LensError && !(error instanceof NotStarted));
    assert.equal(error.code, "engine-crashed");
    assert.doesNotMatch(error.message, /unreachable|lib\.rs/);
    assert.match(String(error.cause), /lib\.rs/, "for developers");
    return true;
  });
  await assert.rejects(two, (error) => error instanceof NotStarted && error.blamed);
  assert.ok(connection.ended && !FakeWorker.all[0].alive);
});

test("connection rejects all requests when a message cannot be read", async () => {
  const connection = new Connection("cpu");
  const request = read(connection);
  happens("messageerror");
  await assert.rejects(request, { code: "engine-crashed" });
});

test("connection fails with missing-code when the worker script is missing", async () => {
  const connection = new Connection("cpu");
  const request = connection.request("load", { weights: "", backend: "cpu" });
  happens("error");
  await assert.rejects(request, { name: "LensError", code: "missing-code" });
});

test("connection fails only the request that cannot be sent", async () => {
  const connection = new Connection("cpu");
  FakeWorker.behave = () => {
    throw new DOMException("could not be cloned", "DataCloneError");
  };
  await assert.rejects(read(connection), { name: "LensError", code: "bad-argument" });
  assert.ok(!connection.ended);
});

test("connection tells the worker about an aborted reading", async () => {
  const connection = new Connection("cpu");
  const controller = new AbortController();
  const request = read(connection, controller.signal);
  controller.abort(new Error("given up"));
  await assert.rejects(request, /given up/);
  assert.deepEqual(FakeWorker.all[0].requests.at(-1), { type: "abort", id: 1 });
});

test("connection starts a worker of another origin through a blob script", async () => {
  const created = mock.method(URL, "createObjectURL");
  const revoked = mock.method(URL, "revokeObjectURL");
  class Strict extends FakeWorker {
    /** @param {URL | string} url */
    constructor(url) {
      if (!String(url).startsWith("blob:")) throw new DOMException("no", "SecurityError");
      super(url);
    }
  }
  Object.assign(globalThis, { Worker: Strict });
  const connection = new Connection("webgpu");
  const [script] = created.mock.calls[0].arguments;
  assert.match(
    await /** @type {Blob} */ (script).text(),
    /^import "[^"]+\/src\/lib\/worker-webgpu\.js";$/,
  );
  assert.equal(revoked.mock.callCount(), 0);
  connection.end(new Error("done"));
  assert.equal(revoked.mock.callCount(), 1);
  mock.restoreAll();
});

test("connection fails when the browser blocks the worker", () => {
  class Never extends FakeWorker {
    constructor() {
      super("");
      throw new DOMException("no", "SecurityError");
    }
  }
  Object.assign(globalThis, { Worker: Never });
  assert.throws(() => new Connection("cpu"), { name: "LensError", code: "missing-code" });
});
