// @ts-check
/** The worker, with a fake engine and a fake network. */

import assert from "node:assert/strict";
import { before, beforeEach, mock, test } from "node:test";
import { CONFIG, EMPTY_WASM, SHARED, withGpu } from "../fake/worker.mjs";

/** @import { Loaded, RpcResponse } from "../../../web/src/lib/types.js" */
/** @import { Request } from "../fake/worker.mjs" */

/** The messages of the worker. @type {RpcResponse[]} */
let said = [];
/** The images that the engine received. @type {any[]} */
let given = [];
/** Lets the engine answer. @type {(() => void)[]} */
let held = [];
const scope = Object.assign(new EventTarget(), {
  postMessage: (/** @type {RpcResponse} */ response) => said.push(response),
});

/** The module's memory. */
const memory = new WebAssembly.Memory({ initial: 2 });

/** The behaviour of the engine. `fail` may throw. */
const engine = {
  fail: () => {},
  backend: { kind: "cpu", adapter: "", reason: null },
  config: CONFIG,
  async recognizeAll(/** @type {any[]} */ images) {
    given.push(...images);
    engine.fail();
    await new Promise((resolve) => held.push(() => resolve(undefined)));
    return images.map((image) => ({ image, characters: [] }));
  },
};
const module = {
  default: async (/** @type {any} */ { module_or_path }) => {
    assert.ok(module_or_path instanceof WebAssembly.Module);
    return { memory };
  },
  Recognizer: { load: async () => engine },
};

/** Lets pending tasks run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Waits until a request is answered; code is compiled on another thread. */
async function answered(/** @type {number} */ id) {
  while (!said.some((response) => "id" in response && response.id === id && isEnd(response))) {
    await settle();
  }
}

/** @param {RpcResponse} response */
const isEnd = ({ type }) => type === "done" || type === "failed";

/** @param {Request} request */
async function send(request) {
  scope.dispatchEvent(new MessageEvent("message", { data: request }));
  await settle();
}

/** @param {number} id */
const read = (id) =>
  send({ type: "recognize", id, images: /** @type {any} */ ([id]), alternatives: 0 });

before(async () => {
  Object.assign(globalThis, { self: scope });
  const { start } = await import("../../../web/src/lib/engine.js");
  start(/** @type {any} */ (module), new URL("https://lens.test/pkg/a.wasm"));
});

beforeEach(async () => {
  Object.defineProperty(globalThis, "navigator", { value: withGpu(), configurable: true });
  mock.method(globalThis, "fetch", async () => wasmResponse(EMPTY_WASM));
  engine.fail = () => {};
  await send({ type: "load", id: 0, weights: new Uint8Array(), backend: "cpu" });
  await answered(0);
  [said, given, held] = [[], [], []];
});

/** @param {Uint8Array<ArrayBuffer>} bytes */
const wasmResponse = (bytes) =>
  new Response(bytes, { headers: { "Content-Type": "application/wasm" } });

/** @param {string} type */
const saidOf = (type) =>
  said
    .filter((response) => response.type === type)
    .map((response) => "id" in response && response.id);

test("engine reads one request at a time and reports each start", async () => {
  await read(1);
  await read(2);
  assert.deepEqual([saidOf("started"), given], [[1], [1]]);
  held[0]();
  await settle();
  assert.deepEqual([saidOf("started"), saidOf("done")], [[1, 2], [1]]);
  held[1]();
  await settle();
  assert.deepEqual(saidOf("done"), [1, 2]);
});

test("engine reports the memory of its module", async () => {
  for (const [id, pages] of [
    [1, 2],
    [2, 5],
  ]) {
    memory.grow(pages - memory.buffer.byteLength / 2 ** 16);
    await read(id);
    held[id - 1]();
    await answered(id);
    const done = said.find((response) => response.type === "done" && response.id === id);
    const { value } = /** @type {{ value: any }} */ (done);
    assert.deepEqual([value.outcomes.length, value.memory], [1, pages * 2 ** 16]);
  }
});

test("engine skips a reading that is aborted in the queue", async () => {
  await read(1);
  await read(2);
  await read(3);
  await send({ type: "abort", id: 2 });
  held[0]();
  await settle();
  assert.deepEqual(
    [saidOf("started"), given],
    [
      [1, 3],
      [1, 3],
    ],
  );
  held[1]();
  await settle();
  // An abort that is late, or has the id of a later request, has no effect.
  await send({ type: "abort", id: 3 });
  await send({ type: "abort", id: 4 });
  await read(4);
  assert.deepEqual(saidOf("started"), [1, 3, 4]);
  held[2]();
  await settle();
});

test("engine reports a crash without technical detail in the message", async () => {
  engine.fail = () => {
    throw new WebAssembly.RuntimeError("unreachable at /build/src/lib.rs");
  };
  await read(1);
  scope.dispatchEvent(
    Object.assign(new Event("error"), { error: new Error("panicked at /build/src/lib.rs:1") }),
  );
  scope.dispatchEvent(new Event("messageerror"));
  const errors = said.flatMap((response) => ("error" in response ? [response.error] : []));
  assert.equal(errors.length, 3);
  for (const { code, message, detail } of errors) {
    assert.equal(code, "engine-crashed");
    assert.doesNotMatch(message, /lib\.rs|panicked|unreachable/);
    assert.ok(detail);
  }
});

for (const [name, gpu, reason] of /** @type {[string, any, RegExp][]} */ ([
  ["without an adapter", withGpu(async () => null), /no graphics adapter/],
  ["without timestamp queries", withGpu(async () => ({ features: new Set() })), /timestamp/],
  ["without WebGPU", {}, /does not support/],
])) {
  test(`engine downloads nothing for WebGPU in a worker ${name}`, async () => {
    Object.defineProperty(globalThis, "navigator", { value: gpu, configurable: true });
    mock.restoreAll();
    const fetched = mock.method(globalThis, "fetch");
    for (const backend of /** @type {const} */ (["webgpu", "auto"])) {
      await send({ type: "load", id: 1, weights: new Uint8Array(), backend });
    }
    assert.equal(fetched.mock.callCount(), 0);
    const failed = said.filter((response) => response.type === "failed");
    assert.equal(failed.length, 2);
    for (const { error } of failed) {
      assert.equal(error.code, "no-webgpu");
      assert.match(error.message, /^WebGPU cannot be used here: .+ Use the CPU/);
      assert.match(error.detail ?? "", reason);
    }
  });
}

test("engine uses a software adapter when WebGPU is selected", async () => {
  const adapter = { features: new Set(["timestamp-query"]), info: { isFallbackAdapter: true } };
  const value = withGpu(async () => adapter);
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  await send({ type: "load", id: 1, weights: new Uint8Array(), backend: "webgpu" });
  await answered(1);
  assert.deepEqual(saidOf("done"), [1]);
});

test("engine shares its code and weights with others, which download nothing", async () => {
  mock.method(globalThis, "fetch", async (/** @type {unknown} */ url) =>
    String(url).endsWith(".wasm")
      ? wasmResponse(EMPTY_WASM)
      : new Response(new Uint8Array([1, 2, 3])),
  );
  await send({ type: "load", id: 1, weights: "https://lens.test/weights", backend: "cpu" });
  await answered(1);
  const fetched = mock.method(globalThis, "fetch");
  await send({ type: "load", id: 2, ...SHARED, backend: "cpu" });
  await answered(2);
  assert.equal(fetched.mock.callCount(), 0);
  const [first, second] = said.flatMap((response) =>
    response.type === "done" ? [/** @type {Loaded} */ (response.value)] : [],
  );
  assert.ok(first.code instanceof WebAssembly.Module);
  assert.deepEqual(first.weights, new Uint8Array([1, 2, 3]));
  assert.deepEqual([second.code, second.weights], [undefined, undefined], "not sent back");
});

test("engine reports code that is no WebAssembly", async () => {
  mock.method(globalThis, "fetch", async () => wasmResponse(new Uint8Array([1, 2, 3])));
  await send({ type: "load", id: 1, weights: new Uint8Array(), backend: "cpu" });
  await answered(1);
  const [error] = said.flatMap((response) => ("error" in response ? [response.error] : []));
  assert.equal(error.code, "missing-code");
});
