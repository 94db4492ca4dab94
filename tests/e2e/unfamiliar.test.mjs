// @ts-check
/** Pasted images of looks that the model was not trained on. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { serve } from "./site.mjs";

/** What the page says where it finds no text. */
const NOTHING = /^(The image is blank|No text found)\b/;

describe("an image of an unfamiliar look", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    site = await serve();
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });

  for (const [style, seed] of /** @type {const} */ ([
    ["waves", 2],
    ["waves", 3],
    ["waves", 6],
    ["hollow", 4],
  ])) {
    for (const reducedMotion of /** @type {const} */ (["reduce", "no-preference"])) {
      test(`has a text or an explanation: ${style} ${seed}, ${reducedMotion}`, async () => {
        const drawing = `?backend=cpu#generate?seed=${seed}&style=${style}`;
        const lens = await LensPage.open(browser, site.address, { query: drawing, reducedMotion });
        const { page } = lens;
        await page.waitForSelector("body[data-state=done]");
        const address = await page.locator("#picture").evaluate((picture) => {
          const image = /** @type {HTMLImageElement} */ (picture);
          const { naturalWidth: width, naturalHeight: height } = image;
          const canvas = Object.assign(document.createElement("canvas"), { width, height });
          canvas.getContext("2d")?.drawImage(image, 0, 0);
          return canvas.toDataURL();
        });
        await page.goto(`${site.address}?backend=cpu`);
        await lens.waitUntilSettled();
        const file = png(Buffer.from(address.split(",")[1], "base64"));
        assert.equal(await lens.dispatchFiles("paste", file), "done");

        const reading = (await page.innerText("#reading")).trim();
        const status = ((await page.textContent("#status")) ?? "").trim();
        const word = (await page.innerText("#word")).trim();
        if (word === "") {
          assert.match(reading, NOTHING);
          assert.match(status, NOTHING);
        } else {
          assert.match(reading, /[\d.]+% confidence/);
          assert.ok(status.includes(`${word}, spelt `), status);
          assert.equal(await page.locator("[data-character-index]").count(), [...word].length);
        }
        assert.ok(await page.isHidden("#error"));
        await lens.close();
      });
    }
  }
});
