// @ts-check
/** The page in Firefox, with the real engine: features that differ between browsers. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import puppeteer from "puppeteer-core";
import { serviceWorkerControls, waitFor, watch } from "./browser.mjs";
import { panelsOf } from "./images.mjs";
import { WEB, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";

/** Default timeout of a test in milliseconds. */
const DEFAULT_TIMEOUT = 60_000;

describe("Firefox", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("puppeteer-core").Browser} */
  let browser;
  /** @type {import("puppeteer-core").Page} */
  let page;
  /** @type {ReturnType<typeof watch>} */
  let watched;
  /** Where Firefox saves files. @type {string} */
  let folder;
  /** @type {{ file: string, text: string }[]} */
  let shipped;

  before(async () => {
    site = await serve({ base: "/some/where/" });
    shipped = await samples();
    folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
    // Playwright only drives its own Firefox, which has to be downloaded.
    browser = await puppeteer.launch({
      browser: "firefox",
      executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
      extraPrefsFirefox: { "browser.download.folderList": 2, "browser.download.dir": folder },
    });
  });
  after(async () => {
    await browser?.close();
    await site.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.setDefaultTimeout(DEFAULT_TIMEOUT);
    watched = watch(/** @type {any} */ (page), site.address);
  });
  afterEach(async () => {
    assert.deepEqual(watched, { foreign: [], consoleMessages: [] });
    await page.close();
  });

  const open = async (path = "") => {
    await page.goto(site.address + path);
    if (!path.startsWith("audit")) await page.waitForSelector("body[data-state=ready]");
  };
  const text = (/** @type {string} */ selector) =>
    page.$eval(selector, (element) => element.textContent ?? "");
  /** @param {string} selector @param {...string} files samples */
  const choose = async (selector, ...files) => {
    const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (
      await page.waitForSelector(selector)
    );
    await input.uploadFile(...files.map((file) => join(WEB, "samples", file)));
  };
  /** @param {string} file */
  const chooseSample = async (file) => {
    const button = `#samples button[data-sample="${file}"]`;
    await page.click(button);
    await page.waitForSelector(`${button}[aria-pressed=true]`);
    await page.waitForSelector("body[data-state=done]");
  };

  test("reads the samples on the CPU and gives the reason", async () => {
    await open();
    await page.waitForSelector("#badge[data-kind=cpu]");
    assert.match(await text("#reason"), /WebGPU: .{10,}/);
    assert.equal(shipped.length, 6);
    for (const { file, text: word } of shipped) {
      await chooseSample(file);
      assert.equal(await text("#word"), word);
    }
  });

  test("reads a chosen file and a generated image", async () => {
    await open("?backend=cpu");
    const [{ file, text: word }] = shipped;
    await choose("#file-input", file);
    await page.waitForSelector("body[data-state=done]");
    assert.equal(await text("#word"), word);
    await page.click("#generate");
    await page.waitForSelector("#generator-info b");
    await page.waitForSelector("body[data-state=done]");
  });

  // Before a download, whose panel takes the keys.
  test("closes the model menu after a choice, but not after an arrow key", async () => {
    await open("?backend=cpu");
    const state = () =>
      page.evaluate(() => [
        document.querySelector("#model-name")?.textContent,
        document.querySelector("#model-menu")?.hasAttribute("open"),
        document.activeElement?.localName,
      ]);
    await page.focus("#model-menu summary");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#model-menu[open]");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    assert.deepEqual(await state(), ["Digits and letters", true, "select"]);
    await page.keyboard.press("Enter");
    assert.deepEqual(await state(), ["Digits and letters", false, "summary"]);
    await page.keyboard.press("Enter");
    await page.select("#model", "");
    assert.deepEqual(await state(), ["Built-in", false, "summary"]);
  });

  test("exports the figure as a PNG with one panel for each character", async () => {
    await open("?backend=cpu");
    const [{ file, text: word }] = shipped;
    await chooseSample(file);
    await page.click("#export-png");
    const picture = await saved(folder, `captcha-lens-${word}.png`);
    const panels = await panelsOf(page, picture);
    assert.equal(panels.length, word.length);
    for (const { least, most } of panels) assert.ok(most - least > 60, `${least} to ${most}`);
    assert.equal(new Set(panels.map(({ squares }) => String(squares))).size, word.length);
  });

  test("audits labelled images", async () => {
    await open("audit.html?backend=cpu");
    await choose("#files-input", ...shipped.map(({ file }) => file));
    await page.waitForSelector("body[data-state=done]");
    assert.equal(await text(".report-rate"), "100.0%");
    assert.match(await text(".report-head"), /6 of 6 images/);
    const rows = await page.$$eval(".report-table tbody tr", (all) => all.length);
    assert.equal(rows, 6);
  });

  test("reads offline after one visit", async (t) => {
    const other = await serve();
    t.after(other.close);
    watched = watch(/** @type {any} */ (page), other.address);
    await page.goto(`${other.address}?backend=cpu`);
    await page.waitForSelector("body[data-state=ready]");
    const [{ file, text: word }] = shipped;
    await chooseSample(file);
    await page.evaluate(serviceWorkerControls);
    await other.close();
    await page.reload();
    await page.waitForSelector("body[data-state=ready]");
    await choose("#file-input", file);
    await page.waitForSelector("body[data-state=done]");
    assert.equal(await text("#word"), word);
  });
});

/**
 * Waits until the browser has saved a file completely.
 *
 * @param {string} folder
 * @param {string} name
 */
async function saved(folder, name) {
  await waitFor(async () => {
    const names = await readdir(folder);
    // Firefox first creates an empty file, writes a second one, and then renames it.
    if (!names.includes(name) || names.some((one) => one.endsWith(".part"))) return false;
    return (await stat(join(folder, name))).size > 0;
  });
  return readFile(join(folder, name));
}
