// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  RecognizerLoader,
  nameOfWeights,
  parseWeights,
  parseBackend,
} from "../../../web/src/common/recognizer-loader.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { FakeWorker, answer } from "../fake/worker.mjs";

/** @import { LoadOptions } from "../../../web/src/lib/types.js" */

/** @type {LoadOptions} */
const OPTIONS = { backend: "cpu", weights: new Uint8Array() };

/** No own model is chosen. */
const BUILT_IN = {
  id: "",
  nameOf: () => "built-in",
  weights: async () => undefined,
  reject: () => false,
};

beforeEach(() => FakeWorker.install());

test("recognizer loader shares one recognizer and loads another after dispose", async () => {
  const loader = new RecognizerLoader(() => OPTIONS, BUILT_IN);
  const [one, other] = await Promise.all([loader.load(), loader.load()]);
  assert.equal(one, other);
  await loader.dispose();
  assert.notEqual(await loader.load(), one);
  assert.deepEqual(
    FakeWorker.all.map(({ alive }) => alive),
    [false, true],
  );
});

test("recognizer loader retries after a failure", async () => {
  FakeWorker.behave = (worker, { id }) => {
    const error = { code: /** @type {const} */ ("missing-weights"), message: "They are missing." };
    worker.say({ type: "failed", id, error });
  };
  const loader = new RecognizerLoader(() => OPTIONS, BUILT_IN);
  await assert.rejects(loader.load(), { code: "missing-weights" });
  FakeWorker.behave = answer;
  await loader.load();
});

test("recognizer loader aborts loading on dispose", async () => {
  FakeWorker.behave = () => {};
  const loader = new RecognizerLoader(() => OPTIONS, BUILT_IN);
  const loading = assert.rejects(loader.load(), { name: "AbortError" });
  await loader.dispose();
  await loading;
  assert.ok(!FakeWorker.all[0].alive);
});

test("recognizer loader loads the chosen model and names it", async () => {
  const weights = new Uint8Array([1, 2, 3]);
  const models = { ...BUILT_IN, id: "a", nameOf: String, weights: async () => weights };
  const loader = new RecognizerLoader(() => OPTIONS, models);
  await loader.load();
  assert.equal(loader.modelName, "a");
  const [request] = FakeWorker.all[0].requests;
  assert.ok(request.type === "load");
  assert.deepEqual(request.weights, weights);
});

test("recognizer loader takes the built-in model if the chosen one cannot be used", async () => {
  /** @type {string[]} */
  const rejected = [];
  const models = {
    ...BUILT_IN,
    id: "a",
    nameOf: (/** @type {string} */ id) => id || "built-in",
    weights: () => Promise.reject(new LensError("unknown-model", "It is not here.")),
    /** @param {any} error */
    reject: ({ code }) => rejected.push(code) > 0,
  };
  const loader = new RecognizerLoader(() => OPTIONS, models);
  await loader.load();
  assert.equal(loader.modelName, "built-in");
  assert.deepEqual(rejected, ["unknown-model"]);
});

test("recognizer loader fails on errors that are not the model's", async () => {
  const weights = () => Promise.reject(new LensError("closed", "Closed."));
  const loader = new RecognizerLoader(() => OPTIONS, { ...BUILT_IN, id: "a", weights });
  await assert.rejects(loader.load(), { code: "closed" });
  assert.equal(FakeWorker.all.length, 0);
});

test("recognizer loader gives the name of weights in the URL", () => {
  assert.equal(nameOfWeights("models/a.safetensors"), "a.safetensors");
  assert.equal(nameOfWeights(null), undefined);
});

test("backend preference is parsed from the URL in any case", () => {
  assert.equal(parseBackend("WebGPU"), "webgpu");
  assert.equal(parseBackend("cpu"), "cpu");
  for (const name of [null, "", "auto", "gpu"]) assert.equal(parseBackend(name), "auto");
});

test("weights are accepted from the same site only", () => {
  const location = { href: "https://lens.test/some/where/", origin: "https://lens.test" };
  Object.assign(globalThis, { location });
  try {
    assert.equal(parseWeights(null), undefined);
    assert.equal(parseWeights("a.safetensors")?.href, `${location.href}a.safetensors`);
    for (const path of ["http://", "https://elsewhere.test/a", "data:,a"]) {
      assert.throws(() => parseWeights(path), { name: "LensError", code: "missing-weights" });
    }
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});
