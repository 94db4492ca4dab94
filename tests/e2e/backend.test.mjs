// @ts-check
/** Backend choice when WebGPU cannot work, with the fake engine. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

/** @import { Page } from "playwright-core" */

const WORD = "thus";
const GOOD_IMAGE = png(blankPng(200, 100), "good.png");
/** Files that only WebGPU needs. */
const FOR_WEBGPU = /worker-webgpu|captcha_wasm(_bg)?\./;

describe("backend choice without a usable adapter", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve({ folders: SOURCES, mounts: FAKE_ENGINE });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /**
   * Opens the page with a replaced `navigator.gpu.requestAdapter`.
   *
   * @param {string} requestAdapter the source of a function
   * @param {(page: Page) => Promise<unknown>} [more]
   */
  async function open(requestAdapter, more) {
    /** @type {string[]} */
    const requests = [];
    const lens = await LensPage.open(browser, site.address, {
      prepare: async (page) => {
        page.on("request", (request) => requests.push(request.url()));
        await page.addInitScript(
          `Object.defineProperty(navigator, "gpu", { value: { requestAdapter: ${requestAdapter} } })`,
        );
        await more?.(page);
      },
    });
    return { lens, requests: () => requests.filter((url) => FOR_WEBGPU.test(url)) };
  }

  for (const [name, requestAdapter, reason] of [
    [
      "only software",
      `async () => ({ features: new Set(["timestamp-query"]), info: { isFallbackAdapter: true } })`,
      "adapter is software",
    ],
    ["no timestamp queries", `async () => ({ features: new Set() })`, "timestamp queries"],
    ["a refusal", `() => Promise.reject(new Error("refused"))`, "no graphics adapter"],
    ["an error", `() => { throw new Error("sync"); }`, "no graphics adapter"],
  ]) {
    test(`reads on the CPU and downloads nothing for WebGPU: ${name}`, async () => {
      const { lens, requests } = await open(requestAdapter);
      await lens.page.waitForSelector(`#reason:text('${reason}')`);
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal(await lens.word(), WORD);
      assert.equal((await lens.result()).backend.kind, "cpu");
      assert.deepEqual(requests(), []);
      await lens.close();
    });
  }

  test("reads on the CPU when the adapter request times out", async () => {
    const { lens, requests } = await open(`() => new Promise(() => {})`, (page) =>
      page.clock.install(),
    );
    await lens.page.waitForSelector("#reason:text('after the first reading')");
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    await lens.page.clock.fastForward("01:00");
    await lens.page.waitForSelector("#reason:text('did not respond')");
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    assert.deepEqual(requests(), []);
    await lens.close();
  });

  test("downloads nothing for WebGPU when the browser saves data", async () => {
    const { lens, requests } = await open(
      `async () => ({ features: new Set(["timestamp-query"]) })`,
      (page) =>
        page.addInitScript(() =>
          Object.defineProperty(navigator, "connection", { value: { saveData: true } }),
        ),
    );
    await lens.page.waitForSelector("#reason:text('save data')");
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    assert.deepEqual(requests(), []);
    await lens.close();
  });

  test("rejects an adapter without timestamp queries before the download", async () => {
    // The CPU module is the fake engine, too.
    const module = `export * from "./captcha_wasm_cpu.js";
      export { default } from "./captcha_wasm_cpu.js";
      const gpu = { requestAdapter: async () => ({ features: new Set() }) };
      Object.defineProperty(navigator, "gpu", { value: gpu });`;
    const lens = await LensPage.open(browser, site.address, {
      query: "?backend=webgpu",
      prepare: (page) =>
        page.route("**/pkg/captcha_wasm.js", (route) =>
          route.fulfill({ contentType: "text/javascript", body: module }),
        ),
    });
    assert.equal(await lens.waitUntilSettled(), "error");
    const { code, message } = await lens.error();
    assert.equal(code, "no-webgpu");
    assert.match(message, /^WebGPU cannot be used here: .*timestamp queries\. Use the CPU/);
    await lens.close();
  });

  test("describes a panic in plain words", async () => {
    const lens = await LensPage.open(browser, site.address, { query: "?backend=cpu" });
    assert.equal(await lens.choose(png(blankPng(FAULTS.panic, 10), "panic.png")), "error");
    const { message } = await lens.error();
    assert.doesNotMatch(message, /panicked|\.rs/);
    assert.match(message, /crashed/);
    await lens.close();
  });

  test("fails only the image that crashes the engine", async () => {
    const { lens } = await open("async () => null");
    const widths = [200, FAULTS.panic, 201, 202];
    const files = widths.map((width) => [...blankPng(width, 10)]);
    const { one, many } = await lens.page.evaluate(async (given) => {
      const { Recognizer } = await import(new URL("src/lib/client.js", location.href).href);
      const lens = await Recognizer.load({ backend: "cpu" });
      const images = given.map((bytes) => new Blob([new Uint8Array(bytes)]));
      const short = (/** @type {any} */ outcome) => outcome.code ?? outcome.width;
      const each = images.map((image) => lens.recognize(image).then(short, short));
      const one = await Promise.all(each);
      const many = (await lens.recognizeAll(images)).map(short);
      lens.close();
      return { one, many };
    }, files);
    const expected = [200, "engine-crashed", 201, 202];
    assert.deepEqual({ one, many }, { one: expected, many: expected });
    await lens.close();
  });

  test("loads files and workers from another origin", async () => {
    const lens = await LensPage.open(browser, site.address);
    const { page } = lens;
    const other = site.address.replace("127.0.0.1", "localhost");
    await page.route("**", async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      headers["access-control-allow-origin"] = "*";
      delete headers["content-security-policy"]; // this server's policy allows its own files only
      await route.fulfill({ response, headers });
    });
    await page.goto(`${other}samples/index.json`);
    const read = await page.evaluate(
      async ([home, image]) => {
        const { Recognizer } = await import(`${home}src/lib/client.js`);
        const found = [];
        for (const assetsUrl of [undefined, home]) {
          const lens = await Recognizer.load({ backend: "cpu", assetsUrl });
          found.push((await lens.recognize(image)).text);
          lens.close();
        }
        return found;
      },
      [site.address, `data:image/png;base64,${blankPng(60, 20).toString("base64")}`],
    );
    assert.deepEqual(read, [WORD, WORD]);
    await lens.close();
  });

  test("reads image elements and does not load URLs of sites", async () => {
    const { lens } = await open("async () => null");
    const results = await lens.page.evaluate(
      async (address) => {
        const { Recognizer } = await import(new URL("src/lib/client.js", location.href).href);
        const lens = await Recognizer.load({ backend: "cpu" });
        const image = new Image();
        image.src = address;
        const canvas = Object.assign(document.createElement("canvas"), { width: 50, height: 20 });
        canvas.getContext("2d")?.fillRect(0, 0, 9, 9);
        const offscreen = new OffscreenCanvas(51, 21);
        offscreen.getContext("2d")?.fillRect(0, 0, 9, 9);
        const blob = await new Promise((resolve) => canvas.toBlob(resolve));
        const all = {
          image,
          canvas,
          offscreen,
          bitmap: await createImageBitmap(canvas, 0, 0, 40, 20),
          pixels: new ImageData(30, 20),
          blobAddress: URL.createObjectURL(blob),
          address: "/samples/index.json",
          svg: document.createElementNS("http://www.w3.org/2000/svg", "svg"),
        };
        /** @type {Record<string, unknown>} */
        const found = {};
        for (const [name, given] of Object.entries(all)) {
          found[name] = await lens.recognize(given).then(
            (/** @type {any} */ { width, height }) => `${width} x ${height}`,
            (/** @type {any} */ { name, code }) => `${name} ${code}`,
          );
        }
        lens.close();
        return found;
      },
      `data:image/png;base64,${blankPng(60, 20).toString("base64")}`,
    );
    assert.deepEqual(results, {
      image: "60 x 20",
      canvas: "50 x 20",
      offscreen: "51 x 21",
      bitmap: "40 x 20",
      pixels: "30 x 20",
      blobAddress: "LensError unreadable-image", // the policy of the page blocks blob URLs
      address: "LensError bad-argument",
      svg: "LensError bad-argument",
    });
    await lens.close();
  });
});
