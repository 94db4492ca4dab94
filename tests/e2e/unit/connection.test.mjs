// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Connection, NotBegun } from "../../../web/src/connection.js";
import { LensError } from "../../../web/src/errors.js";
import { FakeWorker } from "../fake/worker.mjs";

beforeEach(() => {
  FakeWorker.install();
  FakeWorker.behave = () => {};
});

const read = { type: "recognize", images: [], alternatives: 0 };

/** @param {string} type @param {object} [fields] */
function happens(type, fields) {
  FakeWorker.all[0].dispatchEvent(
    Object.assign(new Event(type, { cancelable: true }), { message: "", ...fields }),
  );
}

test("a breakdown tells what had begun from what had not", async () => {
  const connection = new Connection("cpu");
  const [one, two] = [connection.ask(read), connection.ask(read)];
  FakeWorker.all[0].say({ type: "started", id: 1 });
  happens("error", { message: "unreachable at /build/src/lib.rs:1" });
  await assert.rejects(one, (error) => {
    assert.ok(error instanceof LensError && !(error instanceof NotBegun));
    assert.equal(error.code, "engine-crashed");
    assert.doesNotMatch(error.message, /unreachable|lib\.rs/);
    assert.match(String(error.cause), /lib\.rs/, "for developers");
    return true;
  });
  await assert.rejects(two, (error) => error instanceof NotBegun && error.blamed);
  assert.ok(connection.ended && !FakeWorker.all[0].alive);
});

test("an answer that cannot be read leaves nobody waiting", async () => {
  const connection = new Connection("cpu");
  const asked = connection.ask(read);
  happens("messageerror");
  await assert.rejects(asked, { code: "engine-crashed" });
});

test("a worker whose script is missing is an error of its own", async () => {
  const connection = new Connection("cpu");
  const asked = connection.ask({ type: "load" });
  happens("error");
  await assert.rejects(asked, { name: "LensError", code: "missing-code" });
});

test("what cannot be sent fails alone", async () => {
  const connection = new Connection("cpu");
  FakeWorker.behave = () => {
    throw new DOMException("could not be cloned", "DataCloneError");
  };
  await assert.rejects(connection.ask(read), { name: "LensError", code: "bad-argument" });
  assert.ok(!connection.ended);
});

test("a reading that is given up is told to the worker", async () => {
  const connection = new Connection("cpu");
  const controller = new AbortController();
  const asked = connection.ask(read, { signal: controller.signal });
  controller.abort(new Error("given up"));
  await assert.rejects(asked, /given up/);
  assert.deepEqual(FakeWorker.all[0].asked.at(-1), { type: "abort", id: 1 });
});

test("a worker of another origin is started through a script of the page's own", async () => {
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
    /^import "[^"]+\/src\/worker-webgpu\.js";$/,
  );
  assert.equal(revoked.mock.callCount(), 0);
  connection.end(new Error("done"));
  assert.equal(revoked.mock.callCount(), 1);
  mock.restoreAll();
});

test("a browser that lets no worker start says so", () => {
  class Never extends FakeWorker {
    constructor() {
      super("");
      throw new DOMException("no", "SecurityError");
    }
  }
  Object.assign(globalThis, { Worker: Never });
  assert.throws(() => new Connection("cpu"), { name: "LensError", code: "missing-code" });
});
