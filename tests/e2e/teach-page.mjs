// @ts-check
/** The teach page as tests drive it. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { WEB, png } from "./lens-page.mjs";

/** @import { Page } from "playwright-core" */
/** @import { FileGiven } from "./lens-page.mjs" */

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * Opens the teach page and waits until it shows what was kept.
 *
 * @param {Page} page
 * @param {string} address of the site
 */
export async function openTeach(page, address) {
  await page.goto(`${address}teach.html?backend=cpu`);
  await page.waitForSelector("body:not([data-state=loading])");
}

/** Waits until no images are being opened, drawn or read, and nothing learns. @param {Page} page */
export const waitUntilReady = (page) => page.waitForSelector("body[data-state=ready]");

/**
 * @param {Page} page
 * @param {FileGiven[]} files
 */
export async function give(page, ...files) {
  // The words of earlier files must not count.
  await page.evaluate(() => document.querySelector("#give-note")?.replaceChildren());
  await page.setInputFiles("#files-input", files);
  await page.waitForSelector("#give-note:not(:empty), #give-error:not([hidden])");
  await waitUntilReady(page);
}

/**
 * Draws images with the generator.
 *
 * @param {Page} page
 * @param {number} count
 * @param {string} [style]
 */
export async function drawImages(page, count, style = "") {
  if (await page.locator("#draw").isHidden()) await page.click("#draw-open");
  await page.waitForFunction(() => document.querySelectorAll("#draw-style option").length > 3);
  await page.selectOption("#draw-style", style);
  await page.fill("#draw-count", String(count));
  await page.evaluate(() => document.querySelector("#give-note")?.replaceChildren());
  await page.click("#draw button");
  await page.waitForSelector("#give-note:not(:empty)");
  await waitUntilReady(page);
}

/** @param {string} name @param {string} text */
export const textFile = (name, text) => ({
  name,
  mimeType: "text/plain",
  buffer: Buffer.from(text),
});

/**
 * A sample of the page under another name.
 *
 * @param {string} file
 * @param {string} name
 */
export async function sampleAs(file, name) {
  return png(await readFile(`${WEB}samples/${file}`), name);
}

/**
 * The violations of accessibility rules that axe finds, with their elements.
 *
 * @param {Page} page
 * @returns {Promise<unknown[]>}
 */
export async function violationsOf(page) {
  await page.evaluate(await readFile(AXE, "utf8"));
  const { violations } = await page.evaluate(() =>
    // Copies of imported styles, which the page's policy blocks, are not needed.
    /** @type {any} */ (globalThis).axe.run({ preload: false }),
  );
  return violations.map((/** @type {any} */ { id, nodes }) => [
    id,
    nodes.map((/** @type {any} */ { html }) => html),
  ]);
}

/**
 * The content of a download that an action starts.
 *
 * @param {Page} page
 * @param {() => Promise<unknown>} action
 */
export async function downloaded(page, action) {
  const [file] = await Promise.all([page.waitForEvent("download"), action()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}
