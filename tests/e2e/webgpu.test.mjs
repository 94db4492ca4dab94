// @ts-check
/** The lens page with the real engine on WebGPU. Readings are slow here, so there are few. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { LensPage, png, sampleFile, samples } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";
import { countReading, countWebGpuCalls, openLensOnWebGpu } from "./webgpu-calls.mjs";

/** Largest difference of a weight between WebGPU and the CPU. */
const TOLERANCE = 1e-2;
/** SwiftShader takes long to compile the shaders. */
const DEFAULT_TIMEOUT = 180_000;

describe("WebGPU", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {LensPage} */
  let lens;

  before(async () => {
    site = await serve({ base: "/some/where/" });
    browser = await launch({ webgpu: true });
    // With `auto`, the page does not use a software adapter, which is the only one here.
    const prepare = (/** @type {import("playwright-core").Page} */ page) =>
      page.addInitScript(() => {
        const { prototype } = /** @type {any} */ (globalThis).GPUAdapterInfo;
        Object.defineProperty(prototype, "isFallbackAdapter", { get: () => false });
      });
    lens = await LensPage.open(browser, site.address, { timeout: DEFAULT_TIMEOUT, prepare });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  test("reads on the CPU, measures WebGPU after that, and stays where readings are faster", async () => {
    const [{ file, text }] = await samples();
    await lens.page.waitForSelector("#reason:text('after the first reading')");
    assert.equal(await lens.chooseSample(file), "done");
    assert.equal(await lens.word(), text);
    assert.equal((await lens.result()).backend.kind, "cpu");
    // Here WebGPU is computed on the CPU, and so slower.
    await lens.page.waitForSelector("#reason:text('ms, WebGPU')");
    assert.equal(await lens.page.getAttribute("#badge", "data-kind"), "cpu");
    assert.equal(await lens.chooseSample(file), "done");
    assert.equal((await lens.result()).backend.kind, "cpu");
  });

  test("does not use a software adapter and downloads nothing for it", async () => {
    /** @type {string[]} */
    const requests = [];
    const other = await LensPage.open(browser, site.address, {
      prepare: async (page) => page.on("request", (request) => requests.push(request.url())),
    });
    await other.page.waitForSelector("#reason:text('adapter is software')");
    assert.equal(await other.page.getAttribute("#badge", "data-kind"), "cpu");
    assert.deepEqual(
      requests.filter((url) => /worker-webgpu|captcha_wasm(_bg)?[.-]/.test(url)),
      [],
    );
    await other.close();
  });

  test("gives the same results as the CPU for a sample, a file and a paste", async () => {
    const shipped = (await samples()).slice(0, 3);
    const files = await Promise.all(shipped.map(({ file }) => sampleFile(file)));
    const read = async () => {
      const results = [];
      await lens.chooseSample(shipped[0].file);
      results.push(await lens.result());
      await lens.choose(files[1]);
      results.push(await lens.result());
      await lens.dispatchFiles("paste", files[2]);
      results.push(await lens.result());
      return results;
    };

    await lens.page.selectOption("#backend", "webgpu");
    await lens.page.waitForSelector("#badge[data-kind=webgpu]");
    assert.match((await lens.page.textContent("#badge")) ?? "", /WebGPU · .*swiftshader/i);
    assert.equal(await lens.page.textContent("#reason"), "gives the same result as the CPU");
    const onWebGpu = await read();
    await lens.page.selectOption("#backend", "cpu");
    await lens.page.waitForSelector("#badge[data-kind=cpu]");
    const onCpu = await read();

    shipped.forEach(({ text }, i) => {
      const [gpu, cpu] = [onWebGpu[i], onCpu[i]];
      assert.equal(gpu.backend.kind, "webgpu");
      assert.equal(cpu.backend.kind, "cpu");
      assert.equal(gpu.text, text);
      assert.equal(cpu.text, text);
      const distances = gpu.characters.flatMap(
        (/** @type {any} */ character, /** @type {number} */ at) =>
          character.attention.map((/** @type {number} */ weight, /** @type {number} */ cell) =>
            Math.abs(weight - cpu.characters[at].attention[cell]),
          ),
      );
      assert.ok(
        Math.max(...distances) <= TOLERANCE,
        `attention differs by ${Math.max(...distances)}`,
      );
    });
  });

  test("continues after an unreadable image", async () => {
    await lens.page.selectOption("#backend", "webgpu");
    await lens.page.waitForSelector("#badge[data-kind=webgpu]");
    assert.equal(await lens.choose(png(Buffer.from("not a picture\n"))), "error");
    assert.equal((await lens.error()).code, "unreadable-image");
    const [{ file, text }] = await samples();
    assert.equal(await lens.chooseSample(file), "done");
    assert.equal(await lens.word(), text);
  });

  test("makes no request to another origin and logs no error", () => {
    assert.deepEqual(lens.watched, { foreign: [], consoleMessages: [] });
  });
});

describe("The module on WebGPU", () => {
  test("reads in few dispatches and submits, with one read-back", async () => {
    const [{ file, text }] = await samples();
    const site = await serve({ folders: SOURCES });
    const browser = await launch({ webgpu: true });
    const page = await browser.newPage();
    page.setDefaultTimeout(DEFAULT_TIMEOUT);
    await page.goto(`${site.address}manifest.webmanifest`);
    await page.evaluate(countWebGpuCalls);
    await page.evaluate(openLensOnWebGpu);
    // A dispatch for each of the 14 blocks, the dense layer, the keys and the decoder; beam search
    // takes one more for each of the 6 steps.
    for (const [alternatives, dispatches] of [
      [0, 17],
      [5, 23],
    ]) {
      const reading = { name: "readWithLens", address: `/samples/${file}`, alternatives };
      const read = () => page.evaluate(countReading, reading);
      await read();
      const counts = await read();
      assert.equal(counts.text, text);
      assert.equal(counts.dispatches, dispatches);
      assert.ok(counts.submits <= 3, `${counts.submits} submits`);
      assert.equal(counts.readBacks, 1);
    }
    await browser.close();
    await site.close();
  });
});
