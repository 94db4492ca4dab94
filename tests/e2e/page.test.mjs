// @ts-check
/** What the page does around the engine, with one that answers as asked (`fake/`). */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { serve } from "../../web/serve.mjs";
import { hold, holdDecoding, launch, stopClock } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng } from "./images.mjs";
import { Reader, png } from "./reader.mjs";

const WORD = "thus";
const GOOD = png(blankPng(200, 100), "good.png");

/** @param {keyof typeof FAULTS} fault */
const faulty = (fault) => png(blankPng(FAULTS[fault], 10), `${fault}.png`);

describe("the page", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve({
      base: "/some/where/",
      mounts: FAKE_ENGINE,
    });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** @param {Parameters<typeof Reader.open>[2]} [options] */
  const open = (options) => Reader.open(browser, site.address, options);

  describe("faults", () => {
    test("a panic costs one reading", async () => {
      const reader = await open();
      assert.equal(await reader.choose(faulty("panic")), "error");
      assert.equal((await reader.error()).code, "engine-crashed");
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal(await reader.word(), WORD);
      await reader.close();
    });

    test("a lost GPU is replaced by the CPU, which reads the image", async () => {
      const reader = await open({ adapter: true });
      await reader.page.waitForSelector("#badge[data-kind=webgpu]");
      assert.equal(await reader.choose(faulty("lost")), "done");
      assert.equal(await reader.word(), WORD);
      assert.equal(await reader.page.getAttribute("#badge", "data-kind"), "cpu");
      assert.match((await reader.page.textContent("#reason")) ?? "", /stopped answering/);
      await reader.close();
    });

    test("a lost GPU that was insisted on is an error, and opened anew", async () => {
      const reader = await open({ query: "?backend=webgpu" });
      assert.equal(await reader.choose(faulty("lost")), "error");
      assert.equal((await reader.error()).code, "device-lost");
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal(await reader.page.getAttribute("#badge", "data-kind"), "webgpu");
      await reader.close();
    });

    test("a missing generator is an error, and the page goes on", async () => {
      const reader = await open();
      await reader.settled();
      await reader.page.click("#generate"); // the fake engine comes without one
      await reader.page.waitForSelector("body[data-state=error]");
      assert.equal((await reader.error()).code, "missing-code");
      await reader.page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: GENERATOR }),
      );
      await reader.page.click("#retry"); // draws what was asked for
      await reader.page.waitForSelector("#generator-drawn b:text('drawn')");
      assert.equal(await reader.settled(), "done");
      assert.equal(await reader.choose(GOOD), "done");
      await reader.close();
    });

    test("a slow generator leaves the settings as they are by then", async () => {
      const reader = await open();
      const { page } = reader;
      await reader.settled();
      const slow = `${GENERATOR}
        export function faces() {
          for (const end = performance.now() + 400; performance.now() < end; );
          return [];
        }`;
      await page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({
          contentType: "text/javascript",
          body: slow.replace("export const faces = () => [];", ""),
        }),
      );
      await page.click("#generate");
      await page.locator("#generator-text").pressSequentially("whale", { delay: 250 });
      await page.waitForSelector("#generator-drawn b");
      assert.equal(await page.inputValue("#generator-text"), "whale");
      await reader.close();
    });

    test("a setting that is being written is left as it is", async () => {
      const reader = await open();
      const { page } = reader;
      await page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: GENERATOR }),
      );
      await reader.settled();
      await page.click("#generate");
      for (const [id, value] of [
        ["text", "Wha "],
        ["seed", ""],
      ]) {
        await page.fill(`#generator-${id}`, value);
        await page.waitForSelector("#generator-drawn b");
        assert.equal(await reader.settled(), "done");
        assert.equal(await page.inputValue(`#generator-${id}`), value);
      }
      await reader.close();
    });

    test("WebGPU takes over when it is ready, and is done without where its code is missing", async () => {
      const reader = await open({ adapter: true });
      assert.equal(await reader.choose(GOOD), "done");
      await reader.page.waitForSelector("#badge[data-kind=webgpu]");
      assert.equal(await reader.page.textContent("#reason"), "checked against the CPU");
      assert.equal(await reader.word(), WORD, "what was read stays");
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal((await reader.result()).backend.kind, "webgpu");

      await reader.page.route("**/captcha_wasm_bg.wasm", (route) => route.fulfill({ status: 404 }));
      await reader.page.reload();
      await reader.page.waitForSelector("#reason:text('answers 404')");
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal((await reader.result()).backend.kind, "cpu");
      await reader.close();
    });

    test("missing code is an error that can be tried again", async () => {
      const reader = await open({ query: "" });
      await reader.settled();
      const module = "**/captcha_wasm_cpu_bg.wasm";
      await reader.page.route(module, (route) => route.fulfill({ status: 404 }));
      await reader.page.reload();
      assert.equal(await reader.settled(), "error");
      assert.equal((await reader.error()).code, "missing-code");
      await reader.page.unroute(module);
      await reader.page.click("#retry");
      assert.equal(await reader.settled(), "ready");
      assert.equal((await reader.error()).shown, false);
      await reader.close();
    });
  });

  describe("for later visits", () => {
    const registered = (/** @type {Reader} */ { page }) =>
      page.evaluate(() => /** @type {any} */ (globalThis).registered);

    /** The page, with registrations of its service worker written down. */
    const openRecorded = () =>
      open({
        query: "?backend=cpu",
        serviceWorkers: "allow",
        async prepare(page) {
          await page.clock.install();
          await page.addInitScript(recordRegistrations);
        },
      });

    test("nothing is fetched before the first result", async () => {
      const reader = await openRecorded();
      assert.equal(await reader.settled(), "ready");
      await reader.page.clock.runFor(2000);
      assert.deepEqual(await registered(reader), []);
      assert.equal(await reader.choose(GOOD), "done");
      assert.deepEqual(await registered(reader), ["sw.js"]);
      assert.equal(await reader.choose(GOOD), "done");
      assert.deepEqual(await registered(reader), ["sw.js"], "once");
      await reader.close();
    });

    test("all is fetched once the page has been idle for a while", async () => {
      const reader = await openRecorded();
      assert.equal(await reader.settled(), "ready");
      await reader.page.clock.runFor(6000);
      assert.deepEqual(await registered(reader), ["sw.js"]);
      await reader.close();
    });
  });

  describe("input", () => {
    test("given while loading is read when all is there", async () => {
      const reader = await open();
      assert.equal(await reader.page.getAttribute("body", "data-state"), "loading");
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal(await reader.word(), WORD);
      await reader.close();
    });

    test("given while another is read takes its place", async () => {
      const reader = await open();
      await reader.settled();
      const first = await hold(reader.page, "**/held");
      await reader.page.setInputFiles("#file-input", faulty("held"));
      await first.asked;
      await reader.page.setInputFiles("#file-input", GOOD);
      first.release(); // its answer comes first: one worker reads both
      assert.equal(await reader.settled(), "done");
      assert.equal((await reader.result()).width, 200);
      assert.equal(await reader.page.locator("#picture").evaluate(naturalWidth), 200);
      await reader.close();
    });

    test("on its way leaves nothing of what failed before to try again", async () => {
      const reader = await open({ query: "?backend=cpu" });
      const { page } = reader;
      await reader.settled();
      assert.equal(await reader.choose(faulty("panic")), "error");
      const sample = await hold(page, "**/samples/*.png");
      await page.locator("#samples button").first().click();
      assert.equal(await page.getAttribute("body", "data-state"), "reading");
      assert.ok(await page.isHidden("#retry"));
      sample.release();
      await page.waitForSelector("#samples button[aria-pressed=true]");
      assert.equal(await reader.settled(), "done");
      assert.equal((await reader.result()).width, 600);
      await reader.close();
    });

    test("on its way is read by the engine that is chosen meanwhile", async () => {
      const reader = await open({ query: "?backend=cpu" });
      const { page } = reader;
      await reader.settled();
      await reader.choose(GOOD);
      const sample = await hold(page, "**/samples/*.png");
      await page.locator("#samples button").first().click();
      await page.selectOption("#backend", "webgpu");
      sample.release();
      await page.waitForSelector("#samples button[aria-pressed=true]");
      assert.equal(await reader.settled(), "done");
      assert.equal((await reader.result()).width, 600);
      assert.equal((await reader.result()).backend.kind, "webgpu");
      await reader.close();
    });

    test("that the browser does not give leaves the reading that is there", async () => {
      const reader = await open();
      const { page } = reader;
      await reader.choose(GOOD);
      await page.evaluate(() => {
        navigator.clipboard.read = () => Promise.reject(new DOMException("", "NotAllowedError"));
      });
      await page.click("#paste");
      await page.waitForSelector("#note:text('clipboard')");
      assert.equal(await reader.settled(), "done");
      assert.equal(await reader.word(), WORD);
      await page.evaluate(() => {
        const getType = () => Promise.reject(new DOMException("", "DataError"));
        const item = /** @type {any} */ ({ types: ["image/png"], getType });
        navigator.clipboard.read = async () => [item];
      });
      await page.click("#paste");
      assert.equal(await reader.settled(), "done");
      assert.equal(await reader.word(), WORD);
      assert.equal(await reader.choose(GOOD), "done");
      assert.ok(await page.isHidden("#note"));
      await reader.close();
    });

    test("that is none leaves the picture that is shown, or on its way", async () => {
      const reader = await open();
      const { page } = reader;
      await reader.settled();
      await reader.hand("paste"); // nothing
      assert.equal((await reader.error()).code, "not-a-file");
      await page.evaluate(holdDecoding);
      await page.setInputFiles("#file-input", GOOD);
      const handed = reader.hand("paste");
      const told = async () => (await page.textContent("#note")) ?? "";
      await page.waitForSelector("#note:text('clipboard holds no image')");
      await page.evaluate(() => /** @type {any} */ (globalThis).release());
      assert.equal(await handed, "done");
      assert.match(await told(), /clipboard holds no image/);
      assert.equal(await reader.word(), WORD);
      await reader.hand("drop", png(Buffer.from("no image"), "words.txt"));
      assert.equal((await reader.error()).code, "unreadable-image");
      assert.equal(await told(), "");

      assert.equal(await reader.choose(GOOD), "done");
      await reader.hand("paste");
      assert.equal((await reader.error()).code, "not-a-file");
      assert.equal(await reader.word(), WORD);
      assert.ok(await page.locator("#picture").isVisible());
      assert.equal(await reader.choose(GOOD), "done");
      assert.equal((await reader.error()).shown, false);
      await reader.close();
    });

    test("keeps its reading, out of reach, while another engine is loaded", async () => {
      const reader = await open({ query: "?backend=cpu", reducedMotion: "no-preference" });
      const { page } = reader;
      await reader.settled();
      await stopClock(page);
      await reader.choose(GOOD);
      assert.ok((await page.locator(".unread").count()) > 0, "it plays");
      const other = await hold(page, "**/captcha_wasm_bg.wasm");
      await page.selectOption("#backend", "webgpu");
      assert.equal(await reader.word(), WORD);
      assert.equal(await page.locator(".unread").count(), 0);
      assert.ok(await page.locator("#reading[inert]").isVisible());
      await page.waitForSelector("body[data-state=loading]");
      other.release();
      assert.equal(await reader.settled(), "done");
      assert.equal((await reader.result()).backend.kind, "webgpu");
      assert.equal(await page.locator("[inert]").count(), 0);
      await reader.close();
    });
  });
});

/** Writes down what registers as a service worker, and registers nothing. */
function recordRegistrations() {
  /** @type {string[]} */
  const registered = [];
  Object.assign(globalThis, { registered });
  navigator.serviceWorker.register = (url) => {
    registered.push(String(url).replace(/^.*\//, ""));
    return new Promise(() => {});
  };
}

/** A generator that draws white. */
const GENERATOR = `
  export default async () => {};
  export const faces = () => [];
  export const draw = () => ({
    rgba: new Uint8ClampedArray(200 * 100 * 4).fill(255),
    width: 200, height: 100, text: "drawn", face: "pen-01", strokes: 3,
  });
`;

/** @param {any} picture */
const naturalWidth = (picture) => picture.naturalWidth;
