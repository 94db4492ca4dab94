// @ts-check
/** Networks with other characters, longer texts and wider images than the shipped one. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WIDTHS, fitsWidth, launch } from "./browser.mjs";
import { LONG } from "./fake/captcha_wasm.js";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng, panelsOf, stripedPng } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";
import { tinyWeights } from "./tiny-weights.mjs";

const DIGITS = { alphabet: "0123456789", maxLength: 6, height: 96, width: 480 };
/** Each kind of character that needs care. */
const MIXED = { alphabet: "aA7\u0301 \"'<,=\u05d0\u5b57", maxLength: 16, height: 40, width: 320 };

describe("a network with another alphabet", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {string} */
  let folder;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
    await writeFile(join(folder, "digits.safetensors"), await tinyWeights(DIGITS));
    await writeFile(join(folder, "mixed.safetensors"), await tinyWeights(MIXED));
    site = await serve({ folders: SOURCES, mounts: { given: folder } });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true });
  });

  for (const [name, { alphabet, maxLength }] of /** @type {const} */ ([
    ["digits", DIGITS],
    ["mixed", MIXED],
  ])) {
    test(`reads a wide image: ${name}`, async () => {
      const query = `?backend=cpu&weights=given/${name}.safetensors`;
      const lens = await LensPage.open(browser, site.address, { query });
      assert.equal(await lens.choose(png(stripedPng(400, 50))), "done");
      const { text, characters, grid, width, height } = await lens.result();
      assert.deepEqual([width, height], [400, 50]);
      assert.ok(grid.cols > 4 * grid.rows, "the grid is as wide as the input");
      const { length } = [...text];
      assert.ok(length > 0 && length <= maxLength, text);
      assert.ok(
        [...text].every((character) => alphabet.includes(character)),
        text,
      );
      assert.equal(await lens.word(), text);
      for (const { attention } of characters) assert.equal(attention.length, grid.rows * grid.cols);
      assert.equal(
        await lens.page.locator("#cells [role=gridcell]").count(),
        grid.rows * grid.cols,
      );
      const boxOf = (/** @type {string} */ id) => lens.page.locator(id).boundingBox();
      const [overlay, picture] = [await boxOf("#overlay"), await boxOf("#picture")];
      for (const side of /** @type {const} */ (["x", "y", "width", "height"])) {
        const off = Math.abs((overlay?.[side] ?? NaN) - (picture?.[side] ?? NaN));
        assert.ok(off < 0.5, `the attention covers the image: ${side} is off by ${off} px`);
      }
      assert.ok(Math.abs((picture?.width ?? 0) / (picture?.height ?? 1) - 8) < 0.1);
      await lens.close();
    });
  }

  test("is described by the audit, whose labels it can write", async () => {
    const query = "?backend=cpu&weights=given/digits.safetensors";
    const lens = await LensPage.open(browser, site.address, { query: `audit.html${query}` });
    const images = ["049025", "137721", "950008"].map((name) =>
      png(stripedPng(400, 50), `${name}.png`),
    );
    const { page } = lens;
    await page.setInputFiles("#files-input", images);
    await page.waitForSelector("body[data-state=done]");
    const reads = await page.textContent("#model-reads");
    assert.equal(reads, "The model of this page reads 0 to 9, 1 to 6 characters.");
    const facts = (await page.textContent("#report .report-facts")) ?? "";
    assert.match(facts, /Model reads0 to 9, 1 to 6 characters/);
    assert.doesNotMatch(facts, /Not compared/);
    await page.check("#ignore-case");
    await page.waitForSelector("#report :text('count as the same, as chosen')");
    await lens.close();
  });
});

describe("a long reading", () => {
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

  test("fits the page at every width, and each of its characters can be seen", async () => {
    const lens = await LensPage.open(browser, site.address);
    const { page } = lens;
    await lens.choose(png(blankPng(LONG.width, LONG.width / 8)));
    assert.equal(await lens.word(), LONG.text);
    const glyphs = await page.locator("#characters .glyph").allTextContents();
    assert.deepEqual(glyphs, LONG.glyphs);
    const labels = await page.locator(".character-label").allTextContents();
    assert.deepEqual(labels, LONG.glyphs);
    const [first] = await page.locator("#alternative-list .text").allTextContents();
    assert.equal(first, `${LONG.text}!`);
    for (const [width] of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      assert.ok(await fitsWidth(page), `${width} px`);
      const overlap = await page.locator(".character-label").evaluateAll((all) => {
        const boxes = all.map((label) => label.getBoundingClientRect());
        boxes.sort((a, b) => a.left - b.left);
        return Math.max(...boxes.slice(1).map((box, i) => boxes[i].right - box.left));
      });
      assert.ok(overlap < 6, `labels overlap by ${overlap} px at ${width} px`);
    }
    await lens.close();
  });

  test("is exported as a figure in rows, and as JSON with all characters", async () => {
    const lens = await LensPage.open(browser, site.address);
    const { page } = lens;
    await lens.choose(png(blankPng(LONG.width, LONG.width / 8)));
    const save = async (/** @type {string} */ button) => {
      const download = page.waitForEvent("download");
      await page.click(button);
      const stream = await (await download).createReadStream();
      const parts = [];
      for await (const part of stream) parts.push(part);
      return Buffer.concat(parts);
    };
    const panels = await panelsOf(page, await save("#export-png"));
    assert.equal(panels.length, 6, "panels side by side");
    const svg = (await save("#export-svg")).toString();
    const drawn = await page.evaluate((source) => {
      const file = new DOMParser().parseFromString(source, "image/svg+xml");
      const texts = [...file.querySelectorAll('text[font-weight="700"]')];
      return { error: file.querySelector("parsererror"), glyphs: texts.map((t) => t.textContent) };
    }, svg);
    assert.equal(drawn.error, null);
    assert.deepEqual(drawn.glyphs, LONG.glyphs);
    const json = JSON.parse((await save("#export-json")).toString());
    assert.equal(json.text, LONG.text);
    await lens.close();
  });
});
