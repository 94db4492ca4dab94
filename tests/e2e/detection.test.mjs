// @ts-check
/** Finding the CAPTCHA in a screenshot, with the real engine. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { LensPage, sampleFile, samples, dragHandle } from "./lens-page.mjs";
import { AT, SCREEN, draw, screen, screenOf, side } from "./screenshots.mjs";
import { serve } from "./site.mjs";

/** @import { Browser } from "playwright-core" */
/** @import { FileGiven } from "./lens-page.mjs" */

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

  describe("with the real engine", () => {
    /** @type {LensPage} */
    let lens;

    before(async () => {
      site = await serve();
      lens = await LensPage.open(browser, site.address);
    });
    after(() => site.close());

    test("finds and reads the CAPTCHA in a screenshot, and says that it is a part", async () => {
      for (const give of [
        () => lens.choose(screenshot),
        () => lens.dispatchFiles("paste", screenshot),
      ]) {
        assert.equal(await give(), "done");
        assert.equal(await lens.word(), sample.text);
        assert.match((await lens.page.textContent("#crop-note")) ?? "", /looks like a CAPTCHA/);
      }
      const { width, height } = await lens.result();
      assert.ok(Math.abs(width - AT.width) < 60 && Math.abs(height - AT.height) < 60);
    });

    test("finds a small CAPTCHA in a tall or large screenshot", async () => {
      const file = await sampleFile(sample.file);
      for (const [width, height, x, y] of [
        [1440, 6000, 620, 3500],
        [3840, 2160, 1800, 1200],
      ]) {
        const at = { x, y, width: 220, height: 117 };
        const large = await draw(browser, file, screenOf({ width, height }, at));
        assert.equal(await lens.choose(large), "done");
        assert.equal(await lens.word(), sample.text, `${width} x ${height}`);
        const result = await lens.result();
        assert.ok(result.width < 300 && result.height < 180, `${result.width} x ${result.height}`);
      }
      const { page } = lens;
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      const box = await page.locator("#crop-box").boundingBox();
      assert.ok(box && box.width > 100, "large enough to be set");
      const [within] = [await page.locator("#crop-scroll").boundingBox()];
      assert.ok(within && box.x >= within.x && box.x + box.width <= within.x + within.width);
      await page.click("#crop-cancel");
    });

    test("says so when the whole image is one CAPTCHA", async () => {
      const { page } = lens;
      await lens.choose(await sampleFile(sample.file));
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      await page.click("#crop-detect");
      await page.waitForSelector("#crop-message:text('whole image looks like one CAPTCHA')");
      await page.click("#crop-cancel");
      await lens.choose(screenshot);
    });

    test("reads the whole image after a click, and lets the user choose the part", async () => {
      const { page } = lens;
      await page.click("#crop-reset");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal((await lens.result()).width, SCREEN.width);
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      await page.click("#crop-all");
      await dragHandle(lens, "nw", AT.x / SCREEN.width, AT.y / SCREEN.height);
      const right = (AT.x + AT.width) / SCREEN.width - 1;
      await dragHandle(lens, "se", right, (AT.y + AT.height) / SCREEN.height - 1);
      await page.click("#crop-read");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), sample.text);
    });

    test("rotates an image that lies on its side", async () => {
      const { page } = lens;
      await lens.choose(await draw(browser, await sampleFile(sample.file), side));
      await page.click("#crop");
      await page.waitForSelector("#crop-box:focus");
      await page.click("#crop-all");
      await page.click("#crop-left");
      await page.click("#crop-read");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), sample.text);
    });

    test("does not crop samples and CAPTCHAs", async () => {
      for (const { file, text } of await samples()) {
        await lens.choose(await sampleFile(file));
        assert.equal(await lens.word(), text);
        assert.equal((await lens.result()).width, 600);
        assert.ok(await lens.page.locator("#crop-reset").isHidden());
      }
      assert.deepEqual(lens.watched, { foreign: [], consoleMessages: [] });
    });
  });
});
