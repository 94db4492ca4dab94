// @ts-check
/** Cropping and rotating an image before it is read. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { holdDecoding, launch } from "./browser.mjs";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { blankPng } from "./images.mjs";
import { LensPage, png, sampleFile, samples } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

/** @import { Browser } from "playwright-core" */
/** @import { FileGiven } from "./lens-page.mjs" */

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const BLANK = png(blankPng(400, 200), "blank.png");
const SCREEN = { width: 1200, height: 900 };
/** The position of the sample in the screenshot. */
const AT = { x: 300, y: 265, width: 600, height: 320 };

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
      await drag(lens, "nw", 0.25, 0.5);
      assert.deepEqual(await box(lens), [25, 50, 75, 50]);
      await drag(lens, "e", -0.25, 0.3);
      assert.deepEqual(await box(lens), [25, 50, 50, 50]);
      await drag(lens, "move", -0.5, -0.25);
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
      await drag(lens, "nw", AT.x / SCREEN.width, AT.y / SCREEN.height);
      const right = (AT.x + AT.width) / SCREEN.width - 1;
      await drag(lens, "se", right, (AT.y + AT.height) / SCREEN.height - 1);
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

/**
 * Draws an image around another one, in the browser.
 *
 * @param {Browser} browser
 * @param {FileGiven} file
 * @param {string} body of a function of the image, the context and the canvas
 * @returns {Promise<FileGiven>}
 */
async function draw(browser, file, body) {
  const page = await browser.newPage();
  const address = `data:image/png;base64,${file.buffer.toString("base64")}`;
  const drawn = await page.evaluate(
    async ([source, drawing]) => {
      const picture = new Image();
      picture.src = source;
      await picture.decode();
      const canvas = document.createElement("canvas");
      new Function("picture", "canvas", "context", drawing)(
        picture,
        canvas,
        canvas.getContext("2d"),
      );
      return canvas.toDataURL();
    },
    [address, body],
  );
  await page.close();
  return png(Buffer.from(drawn.split(",")[1], "base64"));
}

/**
 * A page of this size with lines of text and the image.
 *
 * @param {{ width: number, height: number }} size
 * @param {{ x: number, y: number, width: number, height: number }} at
 */
const screenOf = (size, at) => `
  Object.assign(canvas, ${JSON.stringify(size)});
  const { width, height } = canvas;
  const fill = (colour, ...place) => {
    context.fillStyle = colour;
    context.fillRect(...place);
  };
  fill("#fff", 0, 0, width, height);
  for (let y = 100; y < height - 40; y += 30) {
    if (y > ${at.y - 40} && y < ${at.y + at.height + 10}) continue;
    for (let x = Math.round(width / 5); x < 0.8 * width; x += 13) {
      if (x % 5) fill("#333", x, y, 8, 12 + (x % 4));
    }
  }
  context.drawImage(picture, ${at.x}, ${at.y}, ${at.width}, ${at.height});`;

/** A page with a header, lines of text, the image, an input field and a button. */
const screen = `
  Object.assign(canvas, ${JSON.stringify(SCREEN)});
  const fill = (colour, ...at) => { context.fillStyle = colour; context.fillRect(...at); };
  fill("#fff", 0, 0, 1200, 900);
  fill("#183860", 0, 0, 1200, 60);
  for (const y of [120, 150, 180, 210, 240, 720, 750, 780, 810, 840]) {
    for (let x = 300; x < 860; x += 13) if (x % 5) fill("#333", x, y, 8, 12 + (x % 4));
  }
  context.drawImage(picture, ${AT.x}, ${AT.y}, ${AT.width}, ${AT.height});
  context.strokeRect(300.5, 600.5, 300, 40);
  fill("#1e5ac8", 300, 655, 120, 40);`;

/** The image, rotated clockwise. */
const side = `
  Object.assign(canvas, { width: picture.height, height: picture.width });
  context.translate(canvas.width, 0);
  context.rotate(Math.PI / 2);
  context.drawImage(picture, 0, 0);`;

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

/**
 * Drags a handle. Distances are fractions of the image.
 *
 * @param {LensPage} lens
 * @param {string} handle
 * @param {number} dx
 * @param {number} dy
 */
async function drag({ page }, handle, dx, dy) {
  const [target, stage] = await Promise.all(
    [`[data-handle=${handle}]`, "#crop-picture"].map((of) => page.locator(of).boundingBox()),
  );
  assert.ok(target && stage);
  const [x, y] = [target.x + target.width / 2, target.y + target.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + dx * stage.width, y + dy * stage.height, { steps: 3 });
  await page.mouse.up();
}

/** The label of the focused element. @param {LensPage} lens */
function focused(lens) {
  return lens.page.locator(":focus").getAttribute("aria-label");
}
