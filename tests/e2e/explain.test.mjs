// @ts-check
/** The explanation of a reading, with the fake engine. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, stopClock } from "./browser.mjs";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const GOOD_IMAGE = png(blankPng(200, 100), "good.png");
const BAD = png(Buffer.from("no image"));

describe("explanation", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve({
      folders: SOURCES,
      mounts: FAKE_ENGINE,
    });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** @param {Parameters<typeof LensPage.open>[2]} [options] */
  async function read(options) {
    const lens = await LensPage.open(browser, site.address, options);
    await lens.choose(GOOD_IMAGE);
    return lens;
  }

  test("shows figures only for the image that was read", async () => {
    const lens = await LensPage.open(browser, site.address);
    await lens.waitUntilSettled();
    const figures = () => lens.page.locator("#explain [data-figure]:visible").count();
    assert.ok(await lens.page.locator("#explain h3").first().isVisible());
    assert.equal(await figures(), 0, "nothing was read yet");
    await lens.choose(GOOD_IMAGE);
    assert.equal(await figures(), 6);
    assert.match(
      await text(lens, "#explain-grid"),
      /^This image has 200 × 100 pixels\. The grid has 12 col.* 72 /,
    );
    assert.equal(
      await lens.page.getAttribute("#cells-picture", "src"),
      await lens.page.getAttribute("#picture", "src"),
    );
    assert.equal(await lens.choose(BAD), "error");
    assert.equal(await figures(), 0, "nothing was read in this one");
    await lens.choose(GOOD_IMAGE);
    assert.equal(await figures(), 6);
    await lens.close();
  });

  test("shows the weights of the current character as numbers", async () => {
    const lens = await read();
    const { characters } = await lens.result();
    for (const [i, { character, attention }] of characters.entries()) {
      if (i > 0) await lens.page.keyboard.press("ArrowRight");
      assert.match(
        await text(lens, "#weights-caption"),
        new RegExp(`^Weights in % for ${character}, `),
      );
      const numbers = await lens.page.locator("#weights-body td").allTextContents();
      assert.equal(numbers.length, attention.length);
      numbers.forEach((number, cell) => {
        const exact = attention[cell] * 100;
        if (number === "·") assert.ok(exact < 0.05);
        else assert.ok(Math.abs(Number(number) - exact) <= (number.includes(".") ? 0.051 : 0.51));
      });
    }
    await lens.close();
  });

  test("shows the decoder step of the current character", async () => {
    const lens = await read();
    const step = async () =>
      Promise.all(["#step-state", "#step-previous", "#step-character"].map((id) => text(lens, id)));
    assert.deepEqual(await step(), ["zeros", "start", "t"]);
    await lens.page.click("#explain-characters button:text-is('u')");
    assert.deepEqual(await step(), ["after th", "h", "u"]);
    assert.equal(await lens.page.textContent("#word .current"), "u");
    const { characters } = await lens.result();
    const terms = (await lens.page.locator("#step-sum .heat-value").allTextContents()).map(
      parseFloat,
    );
    const [greatest] = [...characters[2].attention].sort((a, b) => b - a);
    assert.ok(Math.abs(terms[0] - greatest * 100) <= 0.051);
    const sum = terms.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 100) < 0.3, `all cells together are ${sum}%`);
    await lens.page.keyboard.press("ArrowRight");
    assert.equal(await text(lens, "#explain-characters :focus"), "s", "the focus goes along");
    await lens.close();
  });

  test("shows the weight of a cell for each character on hover and with the keyboard", async () => {
    const lens = await read();
    const { characters, grid } = await lens.result();
    /** @param {number} col @param {number} row counted from 1 */
    const checkCell = async (col, row) => {
      assert.equal(await text(lens, "#cell-place"), `Column ${col}, row ${row}`);
      const cell = (row - 1) * grid.cols + col - 1;
      const shares = await lens.page.locator("#cell-shares span").allTextContents();
      assert.equal(shares.length, characters.length);
      shares.forEach((share, i) => {
        const exact = characters[i].attention[cell] * 100;
        if (share.startsWith("<")) assert.ok(exact < 0.05);
        else assert.ok(Math.abs(parseFloat(share) - exact) <= 0.051);
      });
      const marked = await lens.page
        .locator("#weights-body td")
        .evaluateAll((all) => all.findIndex((one) => one.classList.contains("chosen")));
      assert.equal(marked, cell, "the table points it out");
    };
    await checkCell(6, 4); // the strongest cell of the first character
    await lens.page.getByRole("gridcell", { name: "Column 9, row 4" }).hover();
    await checkCell(9, 4);
    await lens.page.hover("h1");
    await checkCell(6, 4);

    await lens.page.focus("#cells [tabindex='0']");
    await lens.page.keyboard.press("ArrowRight");
    await lens.page.keyboard.press("ArrowUp");
    await checkCell(7, 3);
    assert.equal(await lens.page.textContent("#word .current"), "t", "the character stays");
    assert.match(
      (await lens.page.getAttribute("#cells :focus", "aria-label")) ?? "",
      /^Column 7, row 3: t .+%, h .+%, u .+%, s .+%$/,
    );
    await lens.page.keyboard.press("Shift+Tab");
    await checkCell(6, 4);

    await lens.page.getByRole("gridcell", { name: "Column 2, row 1" }).click();
    await lens.page.hover("h1");
    await checkCell(2, 1);
    await lens.close();
  });

  test("follows the playback and hides the characters that come later", async () => {
    const lens = await LensPage.open(browser, site.address, { reducedMotion: "no-preference" });
    await lens.waitUntilSettled();
    await stopClock(lens.page);
    await lens.choose(GOOD_IMAGE);
    assert.ok((await lens.page.locator("#explain .pending").count()) >= 2);
    await lens.page.clock.runFor(5000);
    assert.equal(await lens.page.locator("#explain .pending").count(), 0);
    assert.equal(await text(lens, "#step-character"), "s");
    assert.equal(await lens.page.locator("#explain [aria-live]").count(), 0);
    await lens.close();
  });

  test("scrolls the table inside its box on a small screen, also with the keyboard", async () => {
    const lens = await read({ viewport: { width: 320, height: 700 } });
    await lens.page.focus("#weights-scroll");
    await lens.page.keyboard.press("ArrowRight");
    await lens.page.waitForFunction(() => {
      const box = document.querySelector("#weights-scroll");
      return box && box.scrollLeft > 0;
    });
    assert.equal(await text(lens, "#step-character"), "t", "and the character stays");
    assert.equal(await lens.page.evaluate(() => document.documentElement.scrollWidth), 320);
    await lens.close();
  });

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`has no accessibility violations in ${colorScheme} mode`, async () => {
      const lens = await read({ colorScheme });
      await lens.page.evaluate(await readFile(AXE, "utf8"));
      for (let character = 0; character < 2; character++) {
        // Preloading would add styles to a copy of the page, which the policy blocks.
        const { violations } = await lens.page.evaluate(() =>
          /** @type {any} */ (globalThis).axe.run("#explain", { preload: false }),
        );
        const found = violations.map((/** @type {any} */ { id, nodes }) => [
          id,
          nodes.map((/** @type {any} */ { html }) => html),
        ]);
        assert.deepEqual(found, []);
        await lens.page.keyboard.press("ArrowRight");
      }
      assert.deepEqual(lens.watched, { foreign: [], consoleMessages: [] });
      await lens.close();
    });
  }
});

/**
 * @param {LensPage} lens
 * @param {string} selector
 */
async function text(lens, selector) {
  return (await lens.page.textContent(selector)) ?? "";
}
