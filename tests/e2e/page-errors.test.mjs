// @ts-check
/** Errors of the engine and of the generator on the lens page, with the fake engine. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GOOD_IMAGE, imageWithFault, serveFakeLens, WORD } from "./fake/lens-suite.mjs";

describe("lens page", () => {
  const { open } = serveFakeLens();

  describe("errors", () => {
    test("loses only one reading when the engine panics", async () => {
      const lens = await open();
      assert.equal(await lens.choose(imageWithFault("panic")), "error");
      assert.equal((await lens.error()).code, "engine-crashed");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal(await lens.word(), WORD);
      await lens.close();
    });

    test("reads the image on the CPU when the GPU is lost", async () => {
      const lens = await open({ adapter: true });
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      await lens.page.waitForSelector("#badge[data-kind=webgpu]");
      assert.equal(await lens.choose(imageWithFault("lost")), "done");
      assert.equal(await lens.word(), WORD);
      assert.equal(await lens.page.getAttribute("#badge", "data-kind"), "cpu");
      assert.match((await lens.page.textContent("#reason")) ?? "", /stopped responding/);
      await lens.close();
    });

    test("shows an error and reopens the GPU when WebGPU was selected and is lost", async () => {
      const lens = await open({ query: "?backend=webgpu" });
      assert.equal(await lens.choose(imageWithFault("lost")), "error");
      assert.equal((await lens.error()).code, "device-lost");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal(await lens.page.getAttribute("#badge", "data-kind"), "webgpu");
      await lens.close();
    });

    test("shows an error and continues when the generator is missing", async () => {
      const lens = await open();
      await lens.waitUntilSettled();
      await lens.page.click("#generate"); // the fake engine has no generator
      await lens.page.waitForSelector("body[data-state=error]");
      assert.equal((await lens.error()).code, "missing-code");
      await lens.page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: GENERATOR }),
      );
      await lens.page.click("#retry"); // generates the requested image
      await lens.page.waitForSelector("#generator-info b:text('drawn')");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      await lens.close();
    });

    test("keeps newer settings when the generator is slow", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.waitUntilSettled();
      const slow = `${GENERATOR}
        export function fonts() {
          for (const end = performance.now() + 400; performance.now() < end; );
          return [];
        }`;
      await page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({
          contentType: "text/javascript",
          body: slow.replace("export const fonts = () => [];", ""),
        }),
      );
      await page.click("#generate");
      await page.locator("#generator-text").pressSequentially("whale", { delay: 250 });
      await page.waitForSelector("#generator-info b");
      assert.equal(await page.inputValue("#generator-text"), "whale");
      await lens.close();
    });

    test("shows an error beside an invalid setting and keeps the last image", async () => {
      const lens = await open();
      const { page } = lens;
      await page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: GENERATOR }),
      );
      await lens.waitUntilSettled();
      await page.click("#generate");
      await page.waitForSelector("#generator-info b");
      await page.fill("#generator-text", "zw");
      assert.equal(await lens.waitUntilSettled(), "done");
      await page.waitForURL((url) => url.hash.includes("text=zw"));
      const before = page.url();
      for (const text of ["zwö", "team7"]) {
        await page.fill("#generator-text", text);
        await page.waitForSelector("#generator-error:text('letters from a to z')");
        assert.equal(await page.getAttribute("#generator-text", "aria-invalid"), "true");
        assert.equal(await lens.waitUntilSettled(), "done");
        assert.equal(await lens.word(), WORD);
        assert.ok(await page.isVisible("#picture"));
      }
      await page.evaluate(() => dispatchEvent(new Event("pagehide"))); // writes the URL
      assert.equal(page.url(), before);
      await page.fill("#generator-text", "zwo");
      await page.waitForURL((url) => url.hash.includes("text=zwo"));
      assert.ok(await page.isHidden("#generator-error"));

      // An error that only the generator can find.
      await page.fill("#generator-text", "never");
      await page.waitForSelector("#generator-error:text('never drawn')");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), WORD);
      await lens.close();
    });

    test("works without samples when their list is broken", async () => {
      const prepare = (/** @type {import("playwright-core").Page} */ page) =>
        page.route("**/samples/index.json", (route) => route.fulfill({ body: "<!doctype html>" }));
      const lens = await open({ prepare });
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.ok(await lens.page.isHidden("#samples"));
      assert.deepEqual(lens.watched.consoleMessages, []);
      await lens.close();
    });

    test("does not change a setting while the user types", async () => {
      const lens = await open();
      const { page } = lens;
      await page.route("**/captcha_synth_wasm.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: GENERATOR }),
      );
      await lens.waitUntilSettled();
      await page.click("#generate");
      for (const [id, value] of [
        ["text", "Wha "],
        ["seed", ""],
      ]) {
        await page.fill(`#generator-${id}`, value);
        await page.waitForSelector("#generator-info b");
        assert.equal(await lens.waitUntilSettled(), "done");
        assert.equal(await page.inputValue(`#generator-${id}`), value);
      }
      await lens.close();
    });

    test("uses WebGPU where it is faster, and stays on the CPU when its code is missing", async () => {
      const lens = await open({ adapter: true });
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      await lens.page.waitForSelector("#badge[data-kind=webgpu]");
      assert.match((await lens.page.textContent("#reason")) ?? "", /^5\.0\sms, CPU 13\sms$/);
      assert.equal(await lens.word(), WORD, "what was read stays");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal((await lens.result()).backend.kind, "webgpu");

      await lens.page.route("**/captcha_wasm_bg.wasm", (route) => route.fulfill({ status: 404 }));
      await lens.page.reload();
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      await lens.page.waitForSelector("#reason:text('answers 404')");
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.equal((await lens.result()).backend.kind, "cpu");
      await lens.close();
    });

    test("offers a retry when the code cannot be loaded", async () => {
      const lens = await open({ query: "" });
      await lens.waitUntilSettled();
      const module = "**/captcha_wasm_cpu_bg.wasm";
      await lens.page.route(module, (route) => route.fulfill({ status: 404 }));
      await lens.page.reload();
      assert.equal(await lens.waitUntilSettled(), "error");
      assert.equal((await lens.error()).code, "missing-code");
      await lens.page.unroute(module);
      await lens.page.click("#retry");
      assert.equal(await lens.waitUntilSettled(), "ready");
      assert.equal((await lens.error()).shown, false);
      await lens.close();
    });
  });
});

/** A generator that returns white images. */
const GENERATOR = `
  export default async () => {};
  export const fonts = () => [];
  export const looks = () => [];
  export const draw = ({ text }) => {
    if (text === "never") throw new Error("This is never drawn.");
    return drawing;
  };
  const drawing = {
    rgba: new Uint8ClampedArray(200 * 100 * 4).fill(255),
    width: 200, height: 100, text: "drawn", font: "pen-01", strokes: 3,
    look: {
      name: "words", title: "Words", alphabet: "abcdefghijklmnopqrstuvwxyz",
      shortest: 3, longest: 5, hasWords: true, hasStrokes: true, hasNoise: true,
    },
  };
`;
