// @ts-check
/** The recognizer of the npm package with WebGPU beside the CPU, with fake workers. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Recognizer } from "../../../web/src/lib/client.js";
import { LensError } from "../../../web/src/lib/errors.js";
import {
  ADAPTER,
  CONFIG,
  FakeWorker,
  PHOTO,
  answer,
  answerReadings,
  withGpu,
} from "../fake/worker.mjs";

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
 * Loads with `auto`, reads an image, and waits until the backend is decided.
 *
 * @param {LoadOptions} [options]
 */
async function openAuto(options) {
  /** @type {BackendStatus[]} */
  const statuses = [];
  const onBackend = (/** @type {BackendStatus} */ backend) => void statuses.push(backend);
  const lens = await open({ backend: "auto", onBackend, ...options });
  await lens.recognize(image(1));
  await decided(lens);
  return { lens, statuses };
}

/** Waits until WebGPU is measured or given up. @param {Recognizer} lens */
async function decided(lens) {
  const isOpen = () => lens.backend.webGpu !== "off" && !lens.backend.milliseconds;
  for (let turn = 0; isOpen(); turn++) {
    assert.ok(turn < 1000, "WebGPU is never decided");
    await setImmediate();
  }
  await settle(); // comparisons under way
}

test("recognizer loads WebGPU after the first reading and uses it where it is faster", async () => {
  FakeWorker.install(withGpu());
  const { lens, statuses } = await openAuto();
  assert.deepEqual(
    statuses.slice(0, 3).map(({ kind, webGpu }) => [kind, webGpu]),
    [
      ["cpu", "waiting"],
      ["cpu", "loading"],
      ["cpu", "ready"],
    ],
  );
  assert.equal(lens.backend.kind, "webgpu");
  assert.deepEqual(lens.backend.milliseconds, { cpu: 20, webgpu: 5 });
  assert.equal((await readOn(lens, 1)).kind, "webgpu");
  lens.close();
});

test("recognizer downloads nothing for WebGPU before the first reading", async () => {
  FakeWorker.install(withGpu());
  const lens = await open({ backend: "auto" });
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  assert.equal(lens.backend.webGpu, "waiting");
  assert.equal(FakeWorker.all.length, 1);
  lens.close();
});

test("recognizer stays on the CPU where it is faster, and tells both times", async () => {
  FakeWorker.install(withGpu());
  FakeWorker.milliseconds = { cpu: 15, webgpu: 500 };
  const { lens } = await openAuto();
  assert.equal((await readOn(lens, 2)).kind, "cpu");
  assert.equal(lens.backend.kind, "cpu");
  assert.deepEqual(lens.backend.milliseconds, { cpu: 15, webgpu: 500 });
  lens.close();
});

test("recognizer chooses the engine for each kind of call", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  FakeWorker.milliseconds = { cpu: 20, webgpu: 80 };
  for (let i = 0; i < 4; i++) {
    await lens.recognize(image(2), { alternatives: 5 });
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  }
  assert.equal((await readOn(lens, 1)).kind, "webgpu");
  const asked = /** @type {any} */ (await lens.recognize(image(2), { alternatives: 5 }));
  assert.equal(asked.kind, "cpu");
  lens.close();
});

test("recognizer leaves WebGPU when it becomes slow", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  assert.equal((await readOn(lens, 1)).kind, "webgpu");
  FakeWorker.milliseconds = { cpu: 20, webgpu: 90 };
  for (let i = 0; i < 4; i++) await lens.recognize(image(1));
  assert.equal((await readOn(lens, 1)).kind, "cpu");
  assert.equal(lens.backend.kind, "cpu");
  assert.deepEqual(lens.backend.milliseconds, { cpu: 20, webgpu: 90 });
  lens.close();
});

test("recognizer leaves WebGPU when it reads differently later", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "cpu" || request.type !== "recognize") return answer(worker, request);
    answerReadings(worker, request, () => 99);
  };
  for (let i = 0; i < 310 && lens.backend.webGpu === "ready"; i++) await lens.recognize(image(1));
  assert.equal(lens.backend.kind, "cpu");
  assert.match(lens.backend.reason ?? "", /differently/);
  assert.equal(short(await lens.recognize(image(4))), 4);
  lens.close();
});

test("recognizer returns the CPU's answers where it finds that WebGPU reads differently", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  const clock = mock.method(performance, "now", () => 1e9); // after a long pause
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "cpu" || request.type !== "recognize") return answer(worker, request);
    answerReadings(worker, request, () => 9);
  };
  assert.equal(short(await lens.recognize(image(4))), 4);
  assert.equal(lens.backend.webGpu, "off");
  clock.mock.restore();
  lens.close();
});

test("recognizer compares the images as they were given", async () => {
  FakeWorker.install(withGpu());
  const lens = await open({ backend: "auto" });
  const buffer = image(7);
  await lens.recognize(buffer);
  buffer[0] = 8; // as a caller does that reads frames into one buffer
  await decided(lens);
  assert.equal(lens.backend.webGpu, "ready");
  const gpu = FakeWorker.all.find(({ kind }) => kind === "webgpu");
  assert.deepEqual(gpu?.images[0], image(7));
  lens.close();
});

test("recognizer compares no photos, which would stay in the memory of WebGPU's worker", async () => {
  FakeWorker.install(withGpu());
  FakeWorker.milliseconds = { cpu: 4, webgpu: 5 };
  const lens = await open({ backend: "auto" });
  const state = () => lens.backend.webGpu;
  assert.equal(short(await lens.recognize(image(PHOTO))), PHOTO);
  await settle();
  assert.equal(state(), "waiting");
  const outcomes = await lens.recognizeAll([image(PHOTO), image(7)]);
  assert.deepEqual(outcomes.map(short), [PHOTO, 7]);
  for (let turn = 0; turn < 20 && state() !== "ready"; turn++) await settle();
  await settle(); // comparisons under way
  assert.equal(state(), "ready");
  const gpu = FakeWorker.all.find(({ kind }) => kind === "webgpu");
  assert.deepEqual([...new Set(gpu?.images.map((each) => String(each)))], ["7"]);
  // A photo's time on the CPU does not count against it.
  await lens.recognize(image(7));
  assert.deepEqual(lens.backend.milliseconds, { cpu: 4, webgpu: 5 });
  FakeWorker.milliseconds = { cpu: 900, webgpu: 5 };
  for (let i = 0; i < 40; i++) await lens.recognize(image(PHOTO));
  assert.equal(lens.backend.kind, "cpu");
  lens.close();
});

test("recognizer reads on the CPU when WebGPU crashed while idle and does not load again", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  const gpu = FakeWorker.all.find(({ kind }) => kind === "webgpu");
  gpu?.say({ type: "crashed", error: { code: "engine-crashed", message: "It broke down." } });
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "cpu") return answer(worker, request);
    const error = { code: /** @type {const} */ ("no-webgpu"), message: "No.", detail: "gone" };
    worker.say({ type: "failed", id: request.id, error });
  };
  assert.equal(short(await lens.recognize(image(4))), 4);
  assert.deepEqual([lens.backend.kind, lens.backend.reason], ["cpu", "gone"]);
  lens.close();
});

test("recognizer ends a reading that is checked on the CPU when it is aborted", async () => {
  FakeWorker.install(withGpu());
  const { lens } = await openAuto();
  const clock = mock.method(performance, "now", () => 1e9); // after a long pause
  FakeWorker.behave = (worker, request) => {
    if (worker.kind === "webgpu" || request.type !== "recognize") answer(worker, request);
  };
  const abort = new AbortController();
  const reading = lens.recognize(image(4), { signal: abort.signal });
  await settle();
  abort.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  clock.mock.restore();
  lens.close();
});

test("recognizer measures the CPU workers of a batch together", async () => {
  FakeWorker.install(withGpu());
  FakeWorker.milliseconds = { cpu: 20, webgpu: 18 };
  const { lens } = await openAuto({ concurrency: 2 });
  assert.equal(lens.backend.kind, "cpu", "single images: 18 is not much less than 20");
  const batch = Array.from({ length: 8 }, (_, i) => image(100 + i));
  for (let i = 0; i < 6; i++) {
    await lens.recognizeAll(batch);
    await settle();
  }
  assert.deepEqual(lens.backend.milliseconds, { cpu: 10, webgpu: 18 });
  assert.equal(lens.backend.kind, "cpu");
  lens.close();
});

test("recognizer remembers the times for the next visit", async () => {
  const stored = new Map();
  const localStorage = {
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => stored.set(key, value),
  };
  Object.defineProperty(globalThis, "localStorage", { value: localStorage, configurable: true });
  try {
    const weights = "https://lens.test/weights";
    for (const expected of /** @type {const} */ (["cpu", "webgpu"])) {
      FakeWorker.install(withGpu());
      const { lens, statuses } = await openAuto({ weights });
      assert.equal(statuses.find(({ webGpu }) => webGpu === "ready")?.kind, expected);
      lens.close();
    }
    // Times of other weights say nothing.
    FakeWorker.install(withGpu());
    const { lens, statuses } = await openAuto({ weights: `${weights}2` });
    assert.equal(statuses.find(({ webGpu }) => webGpu === "ready")?.kind, "cpu");
    lens.close();
  } finally {
    Reflect.deleteProperty(globalThis, "localStorage");
  }
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
    assert.match(lens.backend.reason ?? "", reason);
    assert.equal(lens.backend.kind, "cpu");
    assert.deepEqual(
      FakeWorker.all.map(({ kind }) => kind),
      ["cpu"],
    );
    // A backend that cannot come is not announced.
    if (!("gpu" in navigator)) assert.equal(statuses.length, 1);
    assert.ok(statuses.every(({ webGpu }) => webGpu !== "loading"));
    lens.close();
  }
});

test("recognizer stops waiting for an adapter after a time limit", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    FakeWorker.install(withGpu(() => new Promise(() => {})));
    const lens = await open({ backend: "auto" });
    mock.timers.tick(60_000);
    await settle();
    assert.match(lens.backend.reason ?? "", /did not respond/);
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
      const lens = await open({ backend: "auto" });
      await lens.recognize(image(1));
      await settle();
      mock.timers.tick(1); // idle time
      await settle();
      assert.equal(lens.backend.webGpu, "loading");
      const loading = assert.rejects(open({ backend: "webgpu" }), { code: "no-webgpu" });
      await settle();
      mock.timers.tick(600_000);
      await loading;
      await settle();
      assert.match(lens.backend.reason ?? "", /^the graphics device did not respond$/);
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
      value: {
        backend: { kind: "cpu", adapter: "", reason: technical },
        config: CONFIG,
      },
    }),
  ];
  mock.method(console, "warn", () => {});
  for (const fail of failures) {
    FakeWorker.install(withGpu());
    FakeWorker.behave = (worker, request) =>
      worker.kind === "cpu" ? answer(worker, request) : worker.say(fail(request.id));
    const { lens } = await openAuto();
    assert.match(lens.backend.reason ?? "", /^[a-z ]{20,}$/);
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
    answerReadings(worker, request, () => 0);
  };
  const images = [1, LOST, 2].map((first) => lens.recognize(image(first)));
  assert.deepEqual((await Promise.allSettled(images)).map(short), [1, 0, 0]);
  assert.equal(lens.backend.kind, "cpu");
  assert.match(lens.backend.reason ?? "", /stopped responding/);
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
  assert.ok(
    !cpu.images.some((given) => /** @type {Uint8Array} */ (given)[0] === PANIC),
    "what broke one engine is not given to the other",
  );
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

/** @param {Recognizer} lens @param {number} first @returns {Promise<any>} */
const readOn = (lens, first) => lens.recognize(image(first));

/** Lets pending tasks run. */
async function settle() {
  for (let turn = 0; turn < 50; turn++) await setImmediate();
}

/** @param {Error} error @returns {never} */
function raise(error) {
  throw error;
}
