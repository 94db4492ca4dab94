// @ts-check
/** The user's own models on both pages. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { WIDTHS, fitsWidth, launch, resizeText, waitFor } from "./browser.mjs";
import { stripedPng } from "./images.mjs";
import { LensPage, png, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";
import { tinyWeights } from "./tiny-weights.mjs";

/** @import { Page } from "playwright-core" */

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const NAME = "digits.safetensors";
const IMAGE = png(stripedPng(400, 50), "049025.png");
const UNKNOWN =
  /^This browser does not have the model .+\. Until then, the built-in model reads\.$/;

/** @param {Buffer} buffer @param {string} [name] */
const modelFile = (buffer, name = NAME) => ({
  name,
  mimeType: "application/octet-stream",
  buffer,
});

describe("own models", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {Buffer} */
  let digits;

  before(async () => {
    digits = await tinyWeights({ alphabet: "0123456789", maxLength: 6, height: 32, width: 128 });
    site = await serve();
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  /** @param {string} [query] @param {Parameters<typeof LensPage.open>[2]} [options] */
  const open = (query = "?backend=cpu", options = {}) =>
    LensPage.open(browser, site.address, { query, ...options });

  test("are opened, read, survive a reload, and are removed", async () => {
    const lens = await open();
    const { page } = lens;
    await lens.choose(IMAGE);
    const builtIn = await lens.word();
    assert.doesNotMatch(builtIn ?? "", /\d/, "the built-in model writes no digits");

    await page.click("#model-menu summary");
    await page.setInputFiles("#model-file", modelFile(digits));
    await waitUntilClosed(page);
    await page.waitForSelector("#model-status:text('is kept in this browser')");
    assert.equal(await chosen(page), NAME);
    // The current image is read again.
    const read = await waitForWord(lens, /^\d+$/);
    const id = new URL(page.url()).searchParams.get("model");
    assert.ok(id);

    await page.reload();
    await lens.waitUntilSettled();
    assert.equal(await chosen(page), NAME);
    await lens.choose(IMAGE);
    assert.equal(await lens.word(), read, "the same model");
    await page.click("#model-menu summary");
    const options = await page.locator("#model option").allTextContents();
    assert.deepEqual(options, ["Built-in", "Digits and letters", NAME]);

    await page.selectOption("#model", "");
    await waitUntilClosed(page);
    await waitForWord(lens, /^\D*$/);
    assert.equal(await lens.word(), builtIn);
    assert.equal(new URL(page.url()).searchParams.get("model"), null);
    await page.click("#model-menu summary");
    await page.selectOption("#model", id);
    await waitForWord(lens, /^\d+$/);

    await page.click("#model-menu summary");
    const question = page.waitForEvent("dialog");
    const clicked = page.click("#model-remove");
    const dialog = await question;
    assert.match(dialog.message(), /Remove the model “digits\.safetensors” from this browser\?/);
    await dialog.dismiss();
    await clicked;
    assert.equal(await chosen(page), NAME);
    page.once("dialog", (again) => again.accept());
    await page.click("#model-remove");
    await page.waitForSelector("#model-status:text('was removed')");
    await waitForWord(lens, /^\D*$/);
    assert.equal(await chosen(page), "Built-in");
    assert.ok(await page.isHidden("#model-remove"));
    const left = await page.locator("#model option").allTextContents();
    assert.deepEqual(left, ["Built-in", "Digits and letters"]);
    assert.deepEqual(lens.watched.consoleMessages, []);
    assert.deepEqual(lens.watched.foreign, []);
    await lens.close();
  });

  test("are for the next audit, whose report names them", async () => {
    const lens = await open("audit.html?backend=cpu");
    const { page } = lens;
    const audit = async () => {
      await page.setInputFiles("#files-input", IMAGE);
      await page.waitForSelector("body:is([data-state=done], [data-state=error])");
      return (await page.textContent("#report .report-facts")) ?? "";
    };
    assert.match(await audit(), /Weightsbuilt-in/);
    await page.click("#model-menu summary");
    await page.setInputFiles("#model-file", modelFile(digits));
    await page.waitForSelector("#model-status:text('is kept in this browser')");
    assert.equal(await page.textContent("#note"), "The new model applies to the next audit.");
    assert.match((await page.textContent("#report .report-facts")) ?? "", /Weightsbuilt-in/);
    assert.match(await audit(), /Weightsdigits\.safetensors/);
    assert.equal(await page.textContent("#note"), "");
    const reads = await page.textContent("#model-reads");
    assert.equal(reads, "The model of this page reads 0 to 9, 1 to 6 characters.");

    // The link to the other page keeps the model.
    await page.click(".pages a:has-text('Lens')");
    await lens.waitUntilSettled();
    assert.equal(await chosen(page), NAME);
    await lens.choose(IMAGE);
    assert.match((await lens.word()) ?? "", /^\d+$/);
    await lens.close();
  });

  test("are offered where they can write what the present model cannot", async () => {
    const lens = await open("?backend=cpu#generate?seed=1&style=digits-plain&text=0492");
    const { page } = lens;
    await page.waitForSelector("#other-model:not([hidden])");
    assert.equal(
      await page.textContent("#other-model-words"),
      "This model cannot write “0492”, but “Digits and letters” can.",
    );
    await page.click("#other-model-choose");
    await waitForWord(lens, /\d/);
    assert.equal(await chosen(page), "Digits and letters");
    assert.ok(await page.isHidden("#other-model"));
    assert.equal(await page.evaluate(() => document.activeElement?.id), "status");

    // A model of the user, for a sample that the built-in one can write.
    await page.setInputFiles("#model-file", modelFile(digits));
    await page.waitForSelector("#model-status:text('is kept in this browser')");
    await lens.chooseSample((await samples())[0].file);
    await page.click("#other-model-choose:text('Switch to the built-in model')");
    await waitForWord(lens, /^[a-z]+$/);
    assert.equal(await chosen(page), "Built-in");
    // An image whose text is not known.
    await lens.choose(IMAGE);
    assert.ok(await page.isHidden("#other-model"));

    await page.goto(`${site.address}audit.html?backend=cpu`);
    const settled = "body:is([data-state=done], [data-state=error])";
    await page.setInputFiles("#files-input", [
      IMAGE,
      { ...IMAGE, name: "137721.png" },
      { ...IMAGE, name: "thus.png" },
      // Not counted, as in the report.
      png(Buffer.from("no image"), "line.png"),
    ]);
    await page.waitForSelector(settled);
    assert.equal(
      await page.textContent("#other-model-words"),
      "This model can write only 1 of the 3 labels, but “Digits and letters” can write all.",
    );
    await page.uncheck("#use-names");
    assert.ok(await page.isHidden("#other-model"));
    const csv = Buffer.from("049025.png,1\n137721.png,22\nthus.png,333");
    await page.setInputFiles("#files-input", modelFile(csv, "labels.csv"));
    await page.click("#other-model-choose");
    await page.waitForSelector("#report .report-facts:has-text('Digits and letters')");
    await page.waitForSelector(settled);
    // The same images and labels.
    const labels = await page.locator(".report-table td:nth-child(2)").allTextContents();
    assert.deepEqual(labels, ["1", "22", "", "333"]);
    assert.ok(await page.isHidden("#other-model"));
    assert.equal(await page.textContent("#note"), "");
    assert.deepEqual(lens.watched.consoleMessages, []);
    await lens.close();
  });

  test("that are no models are refused with a sentence, and the built-in one reads on", async () => {
    const lens = await open();
    const { page } = lens;
    await lens.choose(IMAGE);
    const builtIn = await lens.word();
    for (const [name, content] of /** @type {const} */ ([
      ["picture.safetensors", IMAGE.buffer],
      ["empty.safetensors", Buffer.alloc(0)],
      ["short.safetensors", digits.subarray(0, digits.length / 2)],
      ["foreign.safetensors", foreignSafetensors()],
    ])) {
      await page.setInputFiles("#model-file", modelFile(content, name));
      await page.waitForSelector(`#model-error:has-text("${name}")`);
      const words = (await page.textContent("#model-error")) ?? "";
      assert.match(words, /These weights cannot be used: .+\. Use a weights file/, name);
      assert.equal(await chosen(page), "Built-in");
    }
    assert.equal(await page.textContent("#model-status"), "");
    assert.equal(await lens.choose(IMAGE), "done");
    assert.equal(await lens.word(), builtIn);
    await lens.close();
  });

  for (const path of ["", "audit.html"]) {
    test(`that are unknown are named in a sentence: ${path || "lens"}`, async () => {
      const lens = await open(`${path}?backend=cpu&model=abc`);
      const { page } = lens;
      await page.waitForSelector("#model-error:not([hidden])");
      assert.match((await page.textContent("#model-error")) ?? "", UNKNOWN);
      assert.equal(await chosen(page), "Built-in");
      assert.equal(new URL(page.url()).searchParams.get("model"), null);
      if (path) {
        await page.setInputFiles("#files-input", IMAGE);
        await page.waitForSelector("body[data-state=done]");
        assert.match((await page.textContent("#report .report-facts")) ?? "", /Weightsbuilt-in/);
      } else {
        assert.equal(await lens.waitUntilSettled(), "ready");
        assert.equal(await lens.choose(IMAGE), "done");
      }
      await lens.close();
    });
  }

  test("that are damaged in the browser give way to the built-in one", async () => {
    const lens = await open();
    const { page } = lens;
    await lens.waitUntilSettled();
    await page.setInputFiles("#model-file", modelFile(digits));
    await page.waitForSelector("#model-status:text('is kept in this browser')");
    await page.evaluate(damageModels);
    await page.reload();
    await page.waitForSelector("#model-error:not([hidden])");
    const words = (await page.textContent("#model-error")) ?? "";
    assert.match(
      words,
      /digits\.safetensors.*: These weights cannot be used: .+ the built-in model reads\.$/,
    );
    assert.equal(await lens.waitUntilSettled(), "ready");
    assert.equal(await lens.choose(IMAGE), "done");
    assert.doesNotMatch((await lens.word()) ?? "", /\d/);
    assert.equal(await chosen(page), "Built-in");
    await lens.close();
  });

  test("are not kept where storage is forbidden, and the page says so", async () => {
    const prepare = (/** @type {Page} */ page) =>
      page.addInitScript(() => {
        IDBFactory.prototype.open = () => {
          throw new DOMException("Forbidden.", "SecurityError");
        };
      });
    const lens = await open("?backend=cpu", { prepare });
    const { page } = lens;
    assert.equal(await lens.waitUntilSettled(), "ready");
    assert.ok(await page.isHidden("#model-error"), "nothing was asked for");
    await page.setInputFiles("#model-file", modelFile(digits));
    await page.waitForSelector("#model-error:text('does not let this page keep models')");
    assert.equal(await chosen(page), "Built-in");
    assert.equal(await lens.choose(IMAGE), "done");
    assert.deepEqual(lens.watched.consoleMessages, []);
    await lens.close();
  });

  test("have a menu for the keyboard, which Escape and a click elsewhere close", async () => {
    const lens = await open();
    const { page } = lens;
    await lens.waitUntilSettled();
    const isOpen = () => page.locator("#model-menu").evaluate((menu) => menu.hasAttribute("open"));
    await page.focus("#model-menu summary");
    await page.keyboard.press("Enter");
    assert.ok(await isOpen());
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "model");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "model-file");
    await page.keyboard.press("Escape");
    assert.ok(!(await isOpen()));
    assert.ok(await page.locator("#model-menu summary").evaluate((one) => one.matches(":focus")));
    await page.keyboard.press("Enter");
    await page.click("h1");
    assert.ok(!(await isOpen()));
    await lens.close();
  });

  test("have a menu that closes after a choice, but not after an arrow key", async () => {
    const lens = await open();
    const { page } = lens;
    await lens.waitUntilSettled();
    await page.focus("#model-menu summary");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    assert.equal(await chosen(page), "Digits and letters");
    assert.ok(await page.isVisible(".model-panel"));
    await page.keyboard.press("d");
    assert.ok(await page.isVisible(".model-panel"));
    await page.keyboard.press("Enter");
    await waitUntilClosed(page);
    // From the open list, with the keyboard and with the pointer.
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.waitForTimeout(500);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await waitUntilClosed(page);
    assert.equal(await chosen(page), "Built-in");
    await lens.close();
  });

  for (const path of ["", "audit.html"]) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      test(`fit every width and are accessible: ${path || "lens"}, ${colorScheme}`, async () => {
        const lens = await open(`${path}?backend=cpu`, { colorScheme, bypassCSP: true });
        const { page } = lens;
        const long = `${"a-rather-long-name-".repeat(5)}.safetensors`;
        await page.setInputFiles("#model-file", modelFile(digits, long));
        await page.waitForSelector("#model-status:text('is kept in this browser')");
        await page.click("#model-menu summary");
        await page.addScriptTag({ path: AXE });
        for (const [width, size] of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          await resizeText(page, size);
          assert.ok(await fitsWidth(page), `${width} px, text of ${size}%`);
          const panel = await page.locator(".model-panel").boundingBox();
          assert.ok(panel && panel.x >= 0 && panel.x + panel.width <= width, `${width} px`);
        }
        await resizeText(page, 100);
        await page.setViewportSize({ width: 320, height: 800 });
        await page.setInputFiles("#model-file", modelFile(IMAGE.buffer, long));
        await page.waitForSelector("#model-error:not([hidden])");
        assert.ok(await fitsWidth(page), "with an error");
        const found = await page.evaluate(() =>
          /** @type {any} */ (globalThis).axe
            .run(".top")
            .then((/** @type {any} */ result) =>
              result.violations.map((/** @type {any} */ one) => [one.id, one.nodes[0].html]),
            ),
        );
        assert.deepEqual(found, []);
        await lens.close();
      });
    }
  }
});

/** Waits until the menu is closed and its button focused. @param {Page} page */
const waitUntilClosed = (page) =>
  page.waitForSelector("#model-menu:not([open]) summary:focus", { timeout: 5000 });

/** The name that the header shows. @param {Page} page */
const chosen = (page) => page.textContent("#model-name");

/**
 * Waits for a reading that matches and returns it.
 *
 * @param {LensPage} lens
 * @param {RegExp} wanted
 */
async function waitForWord(lens, wanted) {
  await waitFor(async () => {
    await lens.waitUntilSettled();
    return wanted.test((await lens.word()) ?? "");
  });
  return lens.word();
}

/** A valid safetensors file of another program. */
function foreignSafetensors() {
  const header = Buffer.from(
    JSON.stringify({ weight: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(8)]);
}

/** Runs in the page: cuts all weights short. */
async function damageModels() {
  const database = await new Promise((resolve) => {
    const request = indexedDB.open("captcha-lens");
    request.onsuccess = () => resolve(request.result);
  });
  const transaction = database.transaction("weights", "readwrite");
  const store = transaction.objectStore("weights");
  const keys = store.getAllKeys();
  keys.onsuccess = () => {
    for (const key of keys.result) store.put(new Uint8Array(100), key);
  };
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  database.close();
}
