// @ts-check
/** The recognizer of the npm package, with fake workers. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Recognizer } from "../../../web/src/lib/client.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { ADAPTER, CONFIG, FakeWorker, answer, withGpu } from "../fake/worker.mjs";

/** @import { LoadOptions, BackendStatus } from "../../../web/src/lib/types.js" */

const WEIGHTS = new Uint8Array();
const [PANIC, LOST] = [13, 17];
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

/**
 * Loads with `auto` and waits until the backend is decided.
 *
 * @param {LoadOptions} [options]
 */
async function openAuto(options) {
  /** @type {BackendStatus[]} */
  const statuses = [];
  const lens = await new Promise((resolve, reject) => {
    /** @type {Recognizer | undefined} */
    let loaded;
    const settle = () => loaded && !statuses.at(-1)?.loadingWebGpu && resolve(loaded);
    const onBackend = (/** @type {BackendStatus} */ backend) => {
      statuses.push(backend);
      settle();
    };
    open({ backend: "auto", onBackend, ...options }).then((made) => {
      loaded = made;
      settle();
    }, reject);
  });
  return { lens, statuses };
}

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

test("recognizer switches to WebGPU when there is an adapter", async () => {
  FakeWorker.install(withGpu());
  const { lens, statuses } = await openAuto();
  assert.deepEqual(
    statuses.map(({ kind, loadingWebGpu }) => [kind, loadingWebGpu]),
    [
      ["cpu", true],
      ["webgpu", false],
    ],
  );
  await lens.recognize(image(1));
  assert.equal(FakeWorker.all.find(({ images }) => images.length > 0)?.kind, "webgpu");
  lens.close();
});

test("recognizer does not load WebGPU when it cannot work, and gives the reason", async () => {
  const software = { ...ADAPTER, info: { isFallbackAdapter: true } };
  /** @type {[Record<string, unknown>, RegExp][]} */
  const cases = [
    [{}, /does not support/],
    [{ ...withGpu(), connection: { saveData: true } }, /save data/],
    [withGpu(async () => null), /no graphics adapter/],
    [withGpu(() => Promise.reject(new Error("OperationError"))), /no graphics adapter/],
    [withGpu(() => raise(new Error("sync"))), /no graphics adapter/],
    [withGpu(async () => software), /adapter is software/],
    [withGpu(async () => ({ ...ADAPTER, isFallbackAdapter: true })), /adapter is software/],
    [withGpu(async () => ({ ...ADAPTER, features: new Set() })), /timestamp/],
  ];
  for (const [navigator, reason] of cases) {
    FakeWorker.install(navigator);
    const { lens, statuses } = await openAuto();
    assert.match(lens.backend.reason, reason);
    assert.equal(lens.backend.kind, "cpu");
    assert.deepEqual(
      FakeWorker.all.map(({ kind }) => kind),
      ["cpu"],
    );
    // A backend that cannot come is not announced.
    if (!("gpu" in navigator)) assert.equal(statuses.length, 1);
    lens.close();
  }
});

test("recognizer stops waiting for an adapter after a time limit", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    FakeWorker.install(withGpu(() => new Promise(() => {})));
    const settled = openAuto();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    mock.timers.tick(60_000);
    const { lens } = await settled;
    assert.match(lens.backend.reason, /did not respond/);
    assert.equal(short(await lens.recognize(image(1))), 1);
    lens.close();
  } finally {
    mock.timers.reset();
  }
});

test("recognizer stops waiting for a device after a time limit, also when WebGPU is selected", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    for (const stage of ["device", "check"]) {
      FakeWorker.install(withGpu());
      FakeWorker.behave = (worker, request) => {
        if (worker.kind === "cpu") return answer(worker, request);
        worker.say({ type: "progress", id: request.id, progress: { stage, fraction: 0 } });
      };
      const auto = openAuto();
      const loading = assert.rejects(open({ backend: "webgpu" }), { code: "no-webgpu" });
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      mock.timers.tick(600_000);
      const { lens } = await auto;
      assert.match(lens.backend.reason, /^the graphics device did not respond$/);
      await loading;
      lens.close();
      assert.ok(FakeWorker.all.every(({ alive }) => !alive));
    }
  } finally {
    mock.timers.reset();
  }
});

test("recognizer gives the reason against WebGPU in plain words", async () => {
  const technical = "panicked at /build/src/stream.rs:73: JsValue(OperationError) Backtrace: none";
  /** @type {((id: number) => import("../../../web/src/lib/types.js").RpcResponse)[]} */
  const failures = [
    (id) => ({
      type: "failed",
      id,
      error: { code: "engine-crashed", message: "It broke down.", detail: technical },
    }),
    (id) => ({
      type: "done",
      id,
      value: { backend: { kind: "cpu", adapter: "", reason: technical }, config: CONFIG },
    }),
  ];
  mock.method(console, "warn", () => {});
  for (const fail of failures) {
    FakeWorker.install(withGpu());
    FakeWorker.behave = (worker, request) =>
      worker.kind === "cpu" ? answer(worker, request) : worker.say(fail(request.id));
    const { lens } = await openAuto();
    assert.match(lens.backend.reason, /^[a-z ]{20,}$/);
    lens.close();
  }
  mock.restoreAll();
});

test("recognizer reads the queued images on the CPU when the GPU is lost", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "webgpu") return answer(worker, request);
    if (request.type !== "recognize") return answer(worker, request);
    const value = request.images.map(() => ({ recognition: { first: 0 } }));
    worker.say({ type: "done", id: request.id, value });
  };
  const images = [1, LOST, 2].map((first) => lens.recognize(image(first)));
  assert.deepEqual((await Promise.allSettled(images)).map(short), [1, 0, 0]);
  assert.equal(lens.backend.kind, "cpu");
  assert.match(lens.backend.reason, /stopped responding/);
  assert.equal(FakeWorker.all.length, 2, "no engine is started in vain");
  lens.close();
});

test("recognizer fails only the image that crashes WebGPU and reads the queued ones", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  const images = [1, PANIC, 2].map((first) => lens.recognize(image(first)));
  const outcomes = await Promise.allSettled(images);
  assert.deepEqual(outcomes.map(short), [1, "engine-crashed", 2]);
  assert.equal(lens.backend.kind, "cpu");
  const [cpu] = FakeWorker.all;
  assert.deepEqual(cpu.images, [image(2)], "what broke one engine is not given to the other");
  lens.close();
});

test("recognizer loses only the current reading when a selected GPU is lost", async () => {
  const lens = await open({ backend: "webgpu" });
  const images = [1, LOST, 2].map((first) => lens.recognize(image(first)));
  const outcomes = await Promise.allSettled(images);
  assert.deepEqual(outcomes.map(short), [1, "device-lost", 2]);
  lens.close();
});

test("recognizer starts nothing when it is closed during the WebGPU check", async () => {
  /** @type {(adapter: unknown) => void} */
  let offer = () => {};
  FakeWorker.install(withGpu(() => new Promise((resolve) => (offer = resolve))));
  for (const adapter of [ADAPTER, null]) {
    const onBackend = mock.fn();
    const lens = await open({ backend: "auto", onBackend });
    lens.close();
    offer(adapter);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    assert.equal(onBackend.mock.callCount(), 1, "nothing is statuses after that");
  }
  assert.ok(FakeWorker.all.every(({ kind, alive }) => kind === "cpu" && !alive));
});

/** @param {Error} error @returns {never} */
function raise(error) {
  throw error;
}
