// @ts-check
/** The reader that a page talks to, with workers of the test's making. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Recognizer } from "../../../web/src/client.js";
import { LensError } from "../../../web/src/errors.js";
import { ADAPTER, CONFIG, FakeWorker, answer, withGpu } from "../fake/worker.mjs";

/** @import { LoadOptions, RunsOn } from "../../../web/src/types.js" */

const WEIGHTS = new Uint8Array();
const [PANIC, LOST] = [13, 17];
/** @param {number} first */
const image = (first) => new Uint8Array([first]);
/** @param {PromiseSettledResult<any> | any} outcome what was read, or the error's code */
const short = (outcome) => {
  const { reason = outcome, value = outcome } = outcome;
  return reason instanceof LensError ? reason.code : value.first;
};

beforeEach(() => FakeWorker.install());

/** @param {LoadOptions} [options] */
const open = (options) => Recognizer.load({ weights: WEIGHTS, backend: "cpu", ...options });

/**
 * Loads on `auto`, and waits until it is settled what it runs on.
 *
 * @param {LoadOptions} [options]
 */
async function openAuto(options) {
  /** @type {RunsOn[]} */
  const told = [];
  const lens = await new Promise((resolve, reject) => {
    /** @type {Recognizer | undefined} */
    let loaded;
    const settle = () => loaded && !told.at(-1)?.warming && resolve(loaded);
    const onBackend = (/** @type {RunsOn} */ backend) => {
      told.push(backend);
      settle();
    };
    open({ backend: "auto", onBackend, ...options }).then((made) => {
      loaded = made;
      settle();
    }, reject);
  });
  return { lens, told };
}

test("says what the loaded network reads", async () => {
  const lens = await open();
  assert.deepEqual(lens.config, CONFIG);
  lens.close();
});

test("`using` closes it", async () => {
  for (const symbol of /** @type {const} */ ([Symbol.dispose, Symbol.asyncDispose])) {
    const lens = await open();
    await lens[symbol]();
    await assert.rejects(lens.recognize(image(1)), { code: "closed" });
  }
  assert.ok(FakeWorker.all.every(({ alive }) => !alive));
});

test("options that are not right are refused, and no worker starts", async () => {
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

test("outside of a browser it says so", async () => {
  Object.assign(globalThis, { Worker: undefined });
  await assert.rejects(Recognizer.load(), { name: "LensError", code: "no-browser" });
});

test("a folder of its own is where workers and weights are", async () => {
  Object.assign(globalThis, {
    location: { origin: "https://cdn.test", href: "https://cdn.test/" },
  });
  try {
    for (const assetsUrl of ["https://cdn.test/lens", new URL("https://cdn.test/lens/")]) {
      (await Recognizer.load({ backend: "cpu", assetsUrl })).close();
      const worker = FakeWorker.all.at(-1);
      assert.equal(worker?.url, "https://cdn.test/lens/src/worker-cpu.js");
      const load = /** @type {any} */ (worker?.asked[0]);
      assert.equal(load.weights, "https://cdn.test/lens/models/compact.safetensors");
    }
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});

test("an image on which the engine breaks down fails alone, others that wait are read", async () => {
  const lens = await open();
  const images = [1, PANIC, 2, PANIC, 3].map((first) => lens.recognize(image(first)));
  const outcomes = await Promise.allSettled(images);
  assert.deepEqual(outcomes.map(short), [1, "engine-crashed", 2, "engine-crashed", 3]);
  lens.close();
});

test("an image on which the engine breaks down fails alone in a batch", async () => {
  const lens = await open();
  const outcomes = await lens.recognizeAll([1, 2, PANIC, 3].map(image));
  assert.deepEqual(outcomes.map(short), [1, 2, "engine-crashed", 3]);
  assert.equal(short(await lens.recognize(image(4))), 4);
  lens.close();
});

test("an image that is none gives its error in its place", async () => {
  const lens = await open();
  const outcomes = await lens.recognizeAll(/** @type {any} */ ([image(1), undefined, image(2)]));
  assert.deepEqual(outcomes.map(short), [1, "bad-argument", 2]);
  await assert.rejects(lens.recognize(/** @type {any} */ ({})), { code: "bad-argument" });
  await assert.rejects(lens.recognizeAll(/** @type {any} */ (image(1))), { code: "bad-argument" });
  assert.deepEqual(await lens.recognizeAll([]), []);
  lens.close();
});

test("an engine that breaks down by itself, again and again, is given up", async () => {
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

test("closing fails what is open, and what breaks down then starts nothing", async () => {
  const lens = await open();
  FakeWorker.behave = () => {};
  const reading = lens.recognize(image(1));
  await Promise.resolve();
  lens.close();
  await assert.rejects(reading, { code: "closed" });
  await assert.rejects(lens.recognize(image(1)), { code: "closed" });
  assert.equal(FakeWorker.all.length, 1);
});

test("what a listener throws neither ends loading nor leaves a worker behind", async () => {
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

test("loading that is given up before it begins starts no worker", async () => {
  const signal = AbortSignal.abort(new Error("given up"));
  await assert.rejects(open({ signal }), /given up/);
  assert.deepEqual(FakeWorker.all, []);
});

test("WebGPU takes over where there is an adapter for it", async () => {
  FakeWorker.install(withGpu());
  const { lens, told } = await openAuto();
  assert.deepEqual(
    told.map(({ kind, warming }) => [kind, warming]),
    [
      ["cpu", true],
      ["webgpu", false],
    ],
  );
  await lens.recognize(image(1));
  assert.equal(FakeWorker.all.find(({ images }) => images.length > 0)?.kind, "webgpu");
  lens.close();
});

test("WebGPU that cannot work is not loaded, and it is said why", async () => {
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
    const { lens, told } = await openAuto();
    assert.match(lens.backend.reason, reason);
    assert.equal(lens.backend.kind, "cpu");
    assert.deepEqual(
      FakeWorker.all.map(({ kind }) => kind),
      ["cpu"],
    );
    // Nothing is announced that cannot come.
    if (!("gpu" in navigator)) assert.equal(told.length, 1);
    lens.close();
  }
});

test("an adapter that never comes is waited for so long, and no longer", async () => {
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

test("a device that never comes is waited for so long, asked for or not", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    for (const stage of ["device", "check"]) {
      FakeWorker.install(withGpu());
      FakeWorker.behave = (worker, request) => {
        if (worker.kind === "cpu") return answer(worker, request);
        worker.say({ type: "progress", id: request.id, progress: { stage, fraction: 0 } });
      };
      const auto = openAuto();
      const asked = assert.rejects(open({ backend: "webgpu" }), { code: "no-webgpu" });
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      mock.timers.tick(600_000);
      const { lens } = await auto;
      assert.match(lens.backend.reason, /^the graphics device did not respond$/);
      await asked;
      lens.close();
      assert.ok(FakeWorker.all.every(({ alive }) => !alive));
    }
  } finally {
    mock.timers.reset();
  }
});

test("why WebGPU was not taken is said in plain words", async () => {
  const technical = "panicked at /build/src/stream.rs:73: JsValue(OperationError) Backtrace: none";
  /** @type {((id: number) => import("../../../web/src/types.js").Response)[]} */
  const failures = [
    (id) => ({
      type: "failed",
      id,
      error: { code: "engine-crashed", message: "It broke down.", detail: technical },
    }),
    (id) => ({
      type: "loaded",
      id,
      loaded: { backend: { kind: "cpu", adapter: "", reason: technical }, config: CONFIG },
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

test("a lost GPU is replaced by the CPU, which reads all that waited", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "webgpu") return answer(worker, request);
    if (request.type !== "recognize") return answer(worker, request);
    const outcomes = /** @type {any} */ (request.images.map(() => ({ recognition: { first: 0 } })));
    worker.say({ type: "recognized", id: request.id, outcomes });
  };
  const images = [1, LOST, 2].map((first) => lens.recognize(image(first)));
  assert.deepEqual((await Promise.allSettled(images)).map(short), [1, 0, 0]);
  assert.equal(lens.backend.kind, "cpu");
  assert.match(lens.backend.reason, /stopped responding/);
  assert.equal(FakeWorker.all.length, 2, "no engine is started in vain");
  lens.close();
});

test("an image on which WebGPU breaks down fails alone, others that wait are read", async () => {
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

test("a lost GPU that was insisted on costs the reading under way alone", async () => {
  const lens = await open({ backend: "webgpu" });
  const images = [1, LOST, 2].map((first) => lens.recognize(image(first)));
  const outcomes = await Promise.allSettled(images);
  assert.deepEqual(outcomes.map(short), [1, "device-lost", 2]);
  lens.close();
});

test("closing while WebGPU is looked at starts nothing more", async () => {
  /** @type {(adapter: unknown) => void} */
  let offer = () => {};
  FakeWorker.install(withGpu(() => new Promise((resolve) => (offer = resolve))));
  for (const adapter of [ADAPTER, null]) {
    const onBackend = mock.fn();
    const lens = await open({ backend: "auto", onBackend });
    lens.close();
    offer(adapter);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    assert.equal(onBackend.mock.callCount(), 1, "nothing is told after that");
  }
  assert.ok(FakeWorker.all.every(({ kind, alive }) => kind === "cpu" && !alive));
});

/** @param {Error} error @returns {never} */
function raise(error) {
  throw error;
}
