// @ts-check
/** Cropping and rotating an image before it is read, with the fake engine. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { holdDecoding, launch } from "./browser.mjs";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { blankPng } from "./images.mjs";
import { LensPage, png, sampleFile, samples, dragHandle } from "./lens-page.mjs";
import { SCREEN, draw, screen } from "./screenshots.mjs";
import { SOURCES, serve } from "./site.mjs";

/** @import { Browser } from "playwright-core" */
/** @import { FileGiven } from "./lens-page.mjs" */

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const BLANK = png(blankPng(400, 200), "blank.png");

describe("cropping", () => {
  /** @type {Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {FileGiven} */
  let screenshot;
  /** @type {{ file: string, text: string }} */
  let sample;

  before(async () => {
    browser = await launch({ webgpu: false });
    [sample] = await samples();
    screenshot = await draw(browser, await sampleFile(sample.file), screen);
  });
  after(() => browser.close());

  describe("with the fake engine", () => {
    before(async () => {
      site = await serve({
        folders: SOURCES,
        mounts: FAKE_ENGINE,
      });
    });
    after(() => site.close());

    /** @param {Parameters<typeof LensPage.open>[2]} [options] */
    const open = (options) => LensPage.open(browser, site.address, options);

    test("is available for an image and not for another file", async () => {
      const lens = await open();
      const button = lens.page.locator("#crop");
      await lens.waitUntilSettled();
      assert.ok(await button.isHidden());
      await lens.choose(BLANK);
      assert.ok(await button.isVisible());
      assert.equal(await lens.choose(png(Buffer.from("no image"))), "error");
      assert.equal((await lens.error()).code, "unreadable-image");
      assert.ok(await button.isHidden());
      assert.deepEqual(lens.watched.consoleMessages, []);
      await lens.close();
    });

    test("works with the keyboard alone", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(BLANK);
      await page.focus("#crop");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#crop-box:focus");
      assert.equal(await page.getAttribute("#crop", "aria-expanded"), "true");
      assert.deepEqual(await box(lens), [0, 0, 100, 100]);
      await page.keyboard.press("Tab");
      assert.equal(await focused(lens), "Top edge");
      for (let i = 0; i < 4; i++) await page.keyboard.press("Shift+ArrowDown");
      await page.keyboard.press("Tab");
      assert.equal(await focused(lens), "Right edge");
      for (let i = 0; i < 10; i++) await page.keyboard.press("Shift+ArrowLeft");
      assert.equal(await page.locator(":focus").getAttribute("aria-valuenow"), "50");
      assert.deepEqual(await box(lens), [0, 20, 50, 80]);
      await page.focus("#crop-box");
      await page.keyboard.press("Shift+ArrowRight");
      for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowUp");
      assert.deepEqual(await box(lens), [5, 18, 50, 80]);

      await page.keyboard.press("Escape");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "crop");
      assert.ok(await page.locator("#cropper").isHidden());
      assert.equal((await lens.result()).width, 400);
      await lens.close();
    });

    test("moves the box by its inside, edges and corners", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(BLANK);
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      await dragHandle(lens, "nw", 0.25, 0.5);
      assert.deepEqual(await box(lens), [25, 50, 75, 50]);
      await dragHandle(lens, "e", -0.25, 0.3);
      assert.deepEqual(await box(lens), [25, 50, 50, 50]);
      await dragHandle(lens, "move", -0.5, -0.25);
      assert.deepEqual(await box(lens), [0, 25, 50, 50]);
      await page.click("#crop-read");
      assert.equal(await lens.waitUntilSettled(), "done");
      const { width, height } = await lens.result();
      assert.ok(Math.abs(width - 200) < 3 && Math.abs(height - 100) < 3);
      assert.match((await page.textContent("#crop-note")) ?? "", /part of the image/);

      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      assert.deepEqual(await box(lens), [0, 25, 50, 50], "nothing of the original is lost");
      await page.click("#crop-cancel");
      await page.click("#crop-reset");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, 400);
      assert.ok(await page.locator("#crop-reset").isHidden());
      await lens.close();
    });

    test("rotates and straightens the image", async () => {
      const lens = await open();
      const { page } = lens;
      await lens.choose(BLANK);
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      await page.click("#crop-right");
      await page.fill("#crop-angle", "-4.5");
      assert.equal(await page.textContent("#crop-degrees"), "-4.5°");
      await page.click("#crop-read");
      assert.equal(await lens.waitUntilSettled(), "done");
      const { width, height } = await lens.result();
      assert.deepEqual([width, height], [200, 400]);
      await lens.close();
    });

    test("closes the box when a new image is chosen during detection", async () => {
      const lens = await open();
      await lens.choose(BLANK);
      await lens.page.click("#crop");
      await lens.page.waitForSelector("#crop-box:focus");
      await lens.page.evaluate(() => {
        const { captchaLens } = /** @type {any} */ (globalThis);
        captchaLens.widths = [];
        const set = (/** @type {any} */ { width }) => captchaLens.widths.push(width);
        Object.defineProperty(captchaLens, "lastResult", { set });
      });
      const widths = () =>
        lens.page.evaluate(() => /** @type {any} */ (globalThis).captchaLens.widths);
      await lens.page.evaluate(holdDecoding);
      await lens.page.setInputFiles("#file-input", screenshot);
      await lens.page.setInputFiles("#file-input", png(blankPng(200, 100)));
      await lens.page.evaluate(() => /** @type {any} */ (globalThis).release());
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.deepEqual(await widths(), [200]);
      assert.equal(await lens.page.textContent("#crop-note"), "");
      assert.ok(await lens.page.locator("#cropper").isHidden());
      // The crop of the first screenshot is ready before that of the second.
      assert.equal(await lens.choose(screenshot), "done");
      assert.equal((await widths()).length, 2, "the first was never read");
      await lens.close();
    });

    test("stays available when the cropped part cannot be read", async () => {
      const lens = await open({ query: "?backend=cpu" });
      const { page } = lens;
      await lens.waitUntilSettled();
      const missing = "**/captcha_wasm_cpu_bg.wasm";
      await page.route(missing, (route) => route.fulfill({ status: 404 }));
      await page.reload();
      await lens.waitUntilSettled();
      await page.setInputFiles("#file-input", screenshot);
      await page.waitForSelector("#crop-note:text('looks like a CAPTCHA')");
      assert.equal(await lens.waitUntilSettled(), "error");
      assert.equal(await page.textContent("#crop"), "Adjust crop");
      await page.unroute(missing);
      await page.click("#crop-reset");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, SCREEN.width);
      assert.equal(await page.textContent("#crop"), "Crop");
      assert.equal(await lens.choose(png(Buffer.from("no image"))), "error");
      assert.ok(await page.locator("#crop").isHidden());
      await lens.close();
    });

    test("shows an error and continues when the engine fails on the cropped part", async () => {
      const lens = await open();
      assert.equal(await lens.choose(png(blankPng(FAULTS.panic, 10))), "error");
      assert.ok(await lens.page.locator("#crop").isHidden());
      assert.equal(await lens.choose(screenshot), "done");
      await lens.close();
    });

    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`has no accessibility violations at 320 pixels in ${colorScheme} mode`, async () => {
        const lens = await open({ colorScheme, viewport: { width: 320, height: 700 } });
        const { page } = lens;
        await lens.choose(screenshot);
        const axe = await readFile(AXE, "utf8");
        for (const opened of [false, true]) {
          if (opened) {
            await page.click("#crop");
            await page.waitForSelector("#crop-box:focus");
          }
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() =>
            /** @type {any} */ (globalThis).axe.run(),
          );
          const found = violations.map((/** @type {any} */ { id, nodes }) => [
            id,
            nodes.map((/** @type {any} */ { html }) => html),
          ]);
          assert.deepEqual(found, []);
          const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(scroll <= 320, `${scroll} > 320`);
        }
        await lens.close();
      });
    }
  });
});

/**
 * The crop box in percent of the image.
 *
 * @param {LensPage} lens
 */
function box(lens) {
  return lens.page.evaluate(() => {
    const [stage, crop] = ["#crop-picture", "#crop-box"].map((selector) =>
      /** @type {Element} */ (document.querySelector(selector)).getBoundingClientRect(),
    );
    const percent = (/** @type {number} */ share) => Math.round(share * 100);
    return [
      percent((crop.x - stage.x) / stage.width),
      percent((crop.y - stage.y) / stage.height),
      percent(crop.width / stage.width),
      percent(crop.height / stage.height),
    ];
  });
}

/** The label of the focused element. @param {LensPage} lens */
function focused(lens) {
  return lens.page.locator(":focus").getAttribute("aria-label");
}
