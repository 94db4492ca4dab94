// @ts-check
/** The audit page with the fake engine, opened again for each test. */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { launch, watch } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { FAKE_ENGINE } from "./fake/mounts.mjs";
import { blankPng } from "./images.mjs";
import { png } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

/** @type {Awaited<ReturnType<typeof serve>>} */
export let site;
/** @type {import("playwright-core").Browser} */
export let browser;
/** @type {import("playwright-core").Page} */
export let page;
/** @type {ReturnType<typeof watch>} */
export let watched;

/** Registers hooks in the current `describe`, so that each test starts with the page open. */
export function openAuditPage() {
  before(async () => {
    site = await serve({
      base: "/some/where/",
      folders: SOURCES,
      mounts: FAKE_ENGINE,
    });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    const context = await browser.newContext({
      viewport: { width: 1100, height: 800 },
      serviceWorkers: "block",
    });
    page = await context.newPage();
    watched = watch(page, site.address);
    await page.goto(`${site.address}audit.html`);
  });
  afterEach(async () => {
    assert.deepEqual(watched.foreign, []);
    await page.context().close();
  });
}

export const image = (/** @type {string} */ name, width = 60) => png(blankPng(width, 30), name);
export const waitUntilSettled = () =>
  page.waitForSelector("body:is([data-state=done], [data-state=error])");
export const chooseFiles = async (/** @type {ReturnType<typeof image>[]} */ ...files) => {
  await page.setInputFiles("#files-input", files);
  await waitUntilSettled();
};
export const heldImages = (/** @type {number} */ count) =>
  Array.from({ length: count }, (_, i) => image(`thus_${i}.png`, FAULTS.held));
export const rows = () => page.locator(".report-table tbody tr").allInnerTexts();
