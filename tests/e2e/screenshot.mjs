#!/usr/bin/env node
// @ts-check
/**
 * Takes a screenshot of the lens page during a reading, of the audit page with the report of a
 * folder, or of the teach page while it learns from drawn images: `screenshot.mjs OUT.png [SAMPLE]`,
 * `screenshot.mjs OUT.png --audit FOLDER`, `screenshot.mjs OUT.png --teach LOOK`.
 */

import { argv } from "node:process";
import { launch } from "./browser.mjs";
import { LensPage, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";
import { drawImages, openTeach } from "./teach-page.mjs";

const [out = "page.png", what = (await samples())[0].file, folder = ""] = argv.slice(2);
const site = await serve();
const browser = await launch({ webgpu: false });
const options = { viewport: { width: 1200, height: 860 }, deviceScaleFactor: 1.5 };
if (what === "--audit") {
  const page = await browser.newPage(options);
  await page.goto(`${site.address}audit.html?backend=cpu`);
  await page.setInputFiles("#folder-input", folder);
  await page.waitForSelector("body[data-state=done]", { timeout: 0 });
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: out });
} else if (what === "--teach") {
  const page = await browser.newPage(options);
  await openTeach(page, site.address);
  await drawImages(page, 200, folder);
  await page.fill("#minutes", "3");
  await page.click("#learn-start");
  await page.waitForSelector("body[data-state=learning]");
  await page.waitForTimeout(100_000);
  await page.locator("section:has(#learn-start)").screenshot({ path: out });
} else {
  const lens = await LensPage.open(browser, site.address, { query: "?backend=cpu", ...options });
  await lens.waitUntilSettled();
  // After some readings the browser has compiled the code, as on a page that has been open for a
  // while.
  for (const { file } of await samples()) await lens.chooseSample(file);
  await lens.chooseSample(what);
  await lens.page.click("[data-character-index='1']");
  await lens.page.mouse.move(0, 0); // the pointer must not hover over a character
  // The explanation is as tall as the rest of the page.
  await lens.page.locator("#explain").evaluate((section) => section.remove());
  await lens.page.locator("main").screenshot({ path: out });
}
await browser.close();
await site.close();
