// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Loader, weightsFrom, wishFrom } from "../../../web/src/loader.js";
import { FakeWorker, answer } from "../fake/worker.mjs";

/** @import { LoadOptions } from "../../../web/src/types.js" */

/** @type {LoadOptions} */
const OPTIONS = { backend: "cpu", weights: new Uint8Array() };

beforeEach(() => FakeWorker.install());

test("one reader serves all who ask, and another comes after it was let go of", async () => {
  const loader = new Loader(() => OPTIONS);
  const [one, other] = await Promise.all([loader.load(), loader.load()]);
  assert.equal(one, other);
  await loader.drop();
  assert.notEqual(await loader.load(), one);
  assert.deepEqual(
    FakeWorker.all.map(({ alive }) => alive),
    [false, true],
  );
});

test("what fails is tried again at the next call", async () => {
  FakeWorker.behave = (worker, { id }) => {
    const error = { code: /** @type {const} */ ("missing-weights"), message: "They are missing." };
    worker.say({ type: "failed", id, error });
  };
  const loader = new Loader(() => OPTIONS);
  await assert.rejects(loader.load(), { code: "missing-weights" });
  FakeWorker.behave = answer;
  await loader.load();
});

test("loading that is let go of is given up", async () => {
  FakeWorker.behave = () => {};
  const loader = new Loader(() => OPTIONS);
  const loading = assert.rejects(loader.load(), { name: "AbortError" });
  await loader.drop();
  await loading;
  assert.ok(!FakeWorker.all[0].alive);
});

test("an address asks for a backend, in whatever characters", () => {
  assert.equal(wishFrom("WebGPU"), "webgpu");
  assert.equal(wishFrom("cpu"), "cpu");
  for (const name of [null, "", "auto", "gpu"]) assert.equal(wishFrom(name), "auto");
});

test("an address asks for weights of its own site", () => {
  const location = { href: "https://lens.test/some/where/", origin: "https://lens.test" };
  Object.assign(globalThis, { location });
  try {
    assert.equal(weightsFrom(null), undefined);
    assert.equal(weightsFrom("a.safetensors")?.href, `${location.href}a.safetensors`);
    for (const path of ["http://", "https://elsewhere.test/a", "data:,a"]) {
      assert.throws(() => weightsFrom(path), { name: "LensError", code: "missing-weights" });
    }
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});
