// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  RecognizerLoader,
  parseWeights,
  parseBackend,
} from "../../../web/src/common/recognizer-loader.js";
import { FakeWorker, answer } from "../fake/worker.mjs";

/** @import { LoadOptions } from "../../../web/src/lib/types.js" */

/** @type {LoadOptions} */
const OPTIONS = { backend: "cpu", weights: new Uint8Array() };

beforeEach(() => FakeWorker.install());

test("recognizer loader shares one recognizer and loads another after dispose", async () => {
  const loader = new RecognizerLoader(() => OPTIONS);
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
  const loader = new RecognizerLoader(() => OPTIONS);
  await assert.rejects(loader.load(), { code: "missing-weights" });
  FakeWorker.behave = answer;
  await loader.load();
});

test("recognizer loader aborts loading on dispose", async () => {
  FakeWorker.behave = () => {};
  const loader = new RecognizerLoader(() => OPTIONS);
  const loading = assert.rejects(loader.load(), { name: "AbortError" });
  await loader.dispose();
  await loading;
  assert.ok(!FakeWorker.all[0].alive);
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
