// @ts-check
/** The attention over the image, with the fake engine. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { percent } from "../../web/src/common/format.js";
import { HEAT } from "../../web/src/lib/colormap.js";
import { launch } from "./browser.mjs";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

const GOOD_IMAGE = png(blankPng(200, 100), "good.png");
/** The fake engine looks most at this cell, for its third character. */
const STRONGEST = { character: 2, column: 8, row: 3, columns: 12, rows: 6 };

describe("heatmap", () => {
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

  test("switches smoothing and changes its opacity", async () => {
    const lens = await LensPage.open(browser, site.address);
    await lens.choose(GOOD_IMAGE);
    const size = () =>
      lens.page.locator("#overlay").evaluate((canvas) => {
        const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
        return [width, height];
      });
    const [width, height] = await size();
    assert.ok(width > 12 && height > 6);
    await lens.page.click("#smooth-toggle");
    assert.deepEqual(await size(), [12, 6]);
    await lens.page.fill("#opacity", "0.3");
    for (const canvas of ["#overlay", "#legend-scale canvas", ".thumb canvas >> nth=0"]) {
      const opacity = await lens.page
        .locator(canvas)
        .evaluate((one) => getComputedStyle(one).opacity);
      assert.equal(opacity, "0.3", canvas);
    }
    await lens.close();
  });

  test("has a legend up to the largest weight of the character that is shown", async () => {
    const lens = await LensPage.open(browser, site.address);
    await lens.choose(GOOD_IMAGE);
    const { characters } = await lens.result();
    const peaks = characters.map((/** @type {{ attention: number[] }} */ { attention }) =>
      Math.max(...attention),
    );
    assert.ok(new Set(peaks.map(percent)).size > 1, "not all are equal");
    for (const [i, peak] of peaks.entries()) {
      await lens.page.click(`[data-character-index='${i}']`);
      assert.equal(await lens.page.textContent("#legend-peak"), percent(peak));
      // It ends with the colour of this weight over the white image.
      const share = peak / Math.max(...peaks);
      const expected = HEAT.map((channel) => 255 - share * (255 - channel));
      const [end] = await pixelsOf(lens.page, "#legend-scale", [[0.975, 0.5]]);
      near(end, expected, 12);
    }
    await lens.close();
  });

  for (const [name, ground, strongest] of /** @type {const} */ ([
    ["white", 255, HEAT],
    ["black", 0, HEAT],
    ["light grey", 200, HEAT.map((channel) => (200 * channel) / 255)],
    ["dark grey", 40, HEAT.map((channel) => 40 + channel - (40 * channel) / 255)],
  ])) {
    for (const smooth of [true, false]) {
      test(`leaves the rest of a ${name} image as it is, ${smooth ? "smooth" : "in cells"}`, async () => {
        const lens = await LensPage.open(browser, site.address, {
          colorScheme: smooth ? "light" : "dark",
        });
        await lens.choose(png(await plainPng(lens.page, ground)));
        await lens.page.setChecked("#smooth-toggle", smooth);
        await lens.page.click(`[data-character-index='${STRONGEST.character}']`);
        const { column, row, columns, rows } = STRONGEST;
        const [peak, elsewhere] = await pixelsOf(lens.page, "#frame", [
          [(column + 0.5) / columns, (row + 0.5) / rows],
          [0.1, 0.1],
        ]);
        // A smooth field has no value exactly at the centre of a cell.
        near(peak, [...strongest], smooth ? 8 : 2);
        near(elsewhere, [ground, ground, ground], 2);

        // The legend shows the same colours on the same kind of image.
        const dark = ground < 100;
        const [least, most] = await pixelsOf(lens.page, "#legend-scale", [
          [0.025, 0.5],
          [0.975, 0.5],
        ]);
        near(least, dark ? [0, 0, 0] : [255, 255, 255], 12);
        near(most, [...HEAT], 12);
        await lens.close();
      });
    }
  }
});

/**
 * @param {number[]} pixel
 * @param {number[]} expected
 * @param {number} tolerance
 */
function near(pixel, expected, tolerance) {
  for (const [i, channel] of pixel.entries()) {
    assert.ok(Math.abs(channel - expected[i]) <= tolerance, `${pixel} instead of ${expected}`);
  }
}

/**
 * A PNG of one grey.
 *
 * @param {import("playwright-core").Page} page draws it
 * @param {number} grey
 */
async function plainPng(page, grey) {
  const address = await page.evaluate((level) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 200, height: 100 });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.fillStyle = `rgb(${level} ${level} ${level})`;
    context.fillRect(0, 0, 200, 100);
    return canvas.toDataURL();
  }, grey);
  return Buffer.from(address.split(",")[1], "base64");
}

/**
 * What an element shows at some places, which are shares of its width and height.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} element
 * @param {[number, number][]} places
 * @returns {Promise<number[][]>} red, green and blue
 */
async function pixelsOf(page, element, places) {
  const picture = (await page.locator(element).screenshot()).toString("base64");
  return page.evaluate(async ([base64, at]) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(bitmap, 0, 0);
    return at.map(([x, y]) => [
      ...context
        .getImageData(Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1)
        .data.subarray(0, 3),
    ]);
  }, /** @type {const} */ ([picture, places]));
}
